/*
 * source_call - what is under way in one client: calls of one or several requests each.
 *
 * A client embeds a struct source_client. A call's state ("op") and its result live in the call's
 * memory. source_finish() and source_fail() run `done` as their last deed and end the call; nothing
 * of it, nor of the client (which `done` may have freed), may be touched afterwards.
 */
#ifndef SOURCES_SOURCE_CALL_H
#define SOURCES_SOURCE_CALL_H

#include "dbconn/base/json_stream.h"
#include "dbconn/net/http.h"
#include "dbconn/sources/source.h"

struct loop_timer;
struct source_fetch;
struct source_kept;

struct source_client {
    struct http *http;
    struct http_service *service;
    const char *title;            /* "Sentry" */
    struct json_limits json;      /* of an answer that is read as it comes */
    struct source_budget *budget; /* of an owner's results; NULL: none */
    struct source_call *calls;    /* under way */
    /* source_share.h */
    int64_t keep_ms;              /* how long an answer serves further calls; 0: not at all */
    struct source_fetch *fetches; /* under way */
    struct source_kept *kept;     /* the newest first */
    struct loop_timer *stale;     /* NULL until something was kept */
};

typedef void source_reply_fn(struct source_call *call, const struct http_reply *reply,
                             const struct error *err);

/* Goes on with a call that waited, or ends it with `err`. */
typedef void source_wake_fn(struct source_call *call, const struct error *err);

struct source_call {
    struct source_client *client;
    struct source_call *prev, *next;
    struct source_fetch *fetch;       /* what it waits for; NULL between two, or with waits_for */
    struct source_call *next_waiting; /* for the same */
    struct source_mem *mem;
    source_reply_fn *on_reply;
    const void *waits_for; /* something else in the client, such as a token; or NULL */
    source_wake_fn *wake;
    const char *const *wanted; /* of the JSON to come; NULL: no JSON, or a short one */
    void *op;                  /* in `mem` */
    uint64_t owner;
    source_done_fn *done;
    void *user;
};

struct source_call *source_call_new(struct source_client *client, uint64_t owner,
                                    source_done_fn *done, void *user, size_t op_size);
/* Fills in service, owner, done and user, and sends, or waits for the same that another call has
 * sent. On failure the call still lives. */
int source_send(struct source_call *call, struct http_request *request, source_reply_fn *on_reply,
                struct error *err) MUST_CHECK;
void source_finish(struct source_call *call, const void *result);
/* Ends the call with what `err` holds, and clears `err`. */
void source_fail(struct source_call *call, struct error *err);
/* The first send failed: ends the call without `done`; always NULL. */
struct source_call *source_give_up(struct source_call *call);

/* Cancels every call and forgets what is kept. */
void source_client_clear(struct source_client *client);

void source_set_limits(struct source_client *client, const struct source_limits *limits);
/* May nothing further be read for the owner of this memory? */
bool source_is_full(const struct source_mem *mem);
void source_partial_full(struct source_result *meta); /* marks it partial for that reason */

/* Marks a result partial; further reasons are joined with "; ". */
void source_partial(struct source_result *meta, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The page cap was reached: says how many were read. */
void source_partial_pages(struct source_result *meta, int pages);
/* Ends a call of which a page could not be read: those before it are not thrown away. Takes `err`.
 */
void source_end_early(struct source_call *call, const char *what, int pages_done,
                      struct source_result *result, struct error *err);
/* "VERB THING" for messages; what a stranger named is made one clean line of at most 80 bytes. */
const char *source_describe(struct source_mem *mem, const char *verb, const char *thing);
/* An object of `size` bytes whose first member is a struct source_result, in `mem`. */
void *source_result_new(struct source_mem *mem, size_t size);

void source_wipe(char *secret); /* overwrites and frees; NULL is fine */

#endif
