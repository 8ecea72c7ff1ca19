/*
 * sentry_private - one call of the Sentry client: what it asks and how it takes the answer.
 *
 * A call asks `path` + `params`, page by page as the Link header says, and hands each page to
 * `take`, a list's element by element. What can go another way (an endpoint that older servers
 * lack) is decided by `fallback`.
 */
#ifndef SOURCES_SENTRY_PRIVATE_H
#define SOURCES_SENTRY_PRIVATE_H

#include <cjson/cJSON.h>

#include "dbconn/base/buf.h"
#include "dbconn/sources/sentry.h"
#include "source_call.h"

struct sentry {
    struct source_client client;
    char *base;          /* "https://sentry.io/api/0", no slash at the end */
    char *org;           /* percent-encoded */
    char *authorization; /* the whole header line */
    int64_t budget_ms;
    int max_pages, max_frames; /* 0: no limit of ours */
    bool self_hosted;
    bool unscoped; /* this server only knows the routes without organization */
};

struct sentry_op;

/* Reads one page, or of a list one element, into op->result. */
typedef int sentry_take_fn(struct source_call *call, struct sentry_op *op, const cJSON *json,
                           struct error *err);
/* The answer was `status`: changes path, params or take and returns true to ask again. */
typedef bool sentry_fallback_fn(struct source_call *call, struct sentry_op *op, int status);

/* The first member of every call's state; strings live in the call's memory. */
struct sentry_op {
    const char *path;    /* below organizations/ORG/; from the API's root when it starts with "/" */
    const char *params;  /* "?a=b&c=d" or "" */
    const char *cursor;  /* of the page to ask for; NULL: the first */
    const char *what;    /* "read issue SHOP-1" */
    const char *scope;   /* "event:read" */
    const char *missing; /* what a 404 means here; NULL: a general sentence */
    const char *list_of; /* "events": the page is a list; NULL: an object */
    const char *const *wanted; /* what is read of a page */
    sentry_take_fn *take;
    /* Reads headers of a page that was taken; NULL: none. */
    void (*take_headers)(struct sentry_op *op, const struct http_reply *reply);
    sentry_fallback_fn *fallback; /* NULL: none */
    void *result;
    bool none_is_empty; /* a 404 ends with the (empty) result */
    bool unscoped;      /* was tried, or is being tried, without the organization */
    bool full;          /* a list ended early, for the owner may hold no more */
    int pages_left;     /* this one included */
    int pages_done;
    size_t max_bytes;
};

/* A call whose op has `op_size` bytes and begins with a struct sentry_op. The path's parts are
 * joined; a part behind a NULL is percent-encoded: sentry_path("issues/", id, "/events/"). */
struct source_call *sentry_call_new(struct sentry *s, uint64_t owner, source_done_fn *done,
                                    void *user, size_t op_size);
/* Appends `id` percent-encoded between two literal parts. */
const char *sentry_path(struct source_mem *mem, const char *before, const char *id,
                        const char *after);
/* Takes over a query string built with url_add_query(). */
const char *sentry_params(struct source_mem *mem, struct buf *params);

/* Sends the first request. On failure the call is ended and NULL comes back. */
struct source_call *sentry_start(struct source_call *call, struct error *err);

void sentry_add_environments(struct buf *params, const char *const *environments);
/* "start" and "end" where both are known; else "statsPeriod" unless NULL. */
void sentry_add_window(struct buf *params, int64_t start_ms, int64_t end_ms, const char *period);
void sentry_add_int(struct buf *params, const char *name, int64_t value);

/* Why a reply other than 200 is an error. Returns -1. */
int sentry_reply_error(const struct sentry_op *op, const struct http_reply *reply,
                       struct error *err);
bool sentry_may_use_region(const struct sentry *s, const char *region_url);
int64_t sentry_limit(const struct http_reply *reply, int64_t now_wall_ms);

#endif
