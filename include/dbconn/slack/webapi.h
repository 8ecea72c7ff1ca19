/*
 * webapi - Slack's Web API: calls by name, kept within Slack's limits on our side.
 *
 * Each method has its form of body (JSON or form), its limit and its token in one table. The token
 * travels in the Authorization header only. Calls wait in line here instead of being refused there:
 * chat.postMessage at most one a second per channel with a small burst, all chat.update calls of
 * the workspace from one budget, others by their tier (docs.slack.dev, "Rate limits"). A 429 pauses
 * that method alone, for as long as Slack says, and the call is sent again.
 *
 * Nothing that posts is repeated blindly: when the outcome is unknown (a cut connection, a time-out
 * after the request was sent, internal_error, 5xx) the reply's kind is WEBAPI_AMBIGUOUS, and the
 * caller looks first. Reading calls are repeated. Loop thread only; the contract of asynchronous
 * calls is that of net/http.h.
 */
#ifndef DBCONN_SLACK_WEBAPI_H
#define DBCONN_SLACK_WEBAPI_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "dbconn/base/error.h"

struct http;
struct webapi;      /* opaque: one workspace */
struct webapi_call; /* opaque: one call, waiting or under way */

/* What a failure means for the caller. */
enum webapi_kind {
    WEBAPI_OK,
    WEBAPI_AUTH,      /* token, scope, workspace: nothing works until the operator acts */
    WEBAPI_BUG,       /* Slack does not accept what we sent: ours to mend */
    WEBAPI_CHANNEL,   /* this place cannot be written to or read by the bot */
    WEBAPI_MESSAGE,   /* this message cannot be changed (gone, edit window, ...) */
    WEBAPI_TRANSIENT, /* had no effect; later it may work */
    WEBAPI_AMBIGUOUS, /* may have had its effect */
    WEBAPI_REFUSED,   /* any other error code */
};

struct webapi_reply {
    enum webapi_kind kind;
    const char *code;         /* Slack's error code ("channel_not_found"); "" for ok and when the
                               * network failed */
    const char *needed_scope; /* with missing_scope; else NULL */
    const char *scopes;       /* that the token has, "chat:write,commands"; NULL: not told */
    int64_t date_ms;          /* by Slack's clock; TIME_UNKNOWN */
    const cJSON *json;        /* the whole answer, NULL when there is none. Lent. */
};

/* `err` is NULL when kind is WEBAPI_OK; its text names method, code, Slack's own explanation
 * (response_metadata.messages) and the scope that is missing, never an argument. */
typedef void webapi_done_fn(void *user, const struct webapi_reply *reply, const struct error *err);

struct webapi_options {
    const char *api_url;    /* "https://slack.com/api/", known to the policy as "slack" */
    const char *bot_token;  /* for all methods but the next; may be NULL */
    const char *app_token;  /* for apps.connections.open; may be NULL */
    int updates_per_minute; /* all chat.update calls together; 0: 45 (Slack: 50) */
    int posts_burst;        /* chat.postMessage at once in one channel; 0: 3, then one a second */
};

enum webapi_priority {
    WEBAPI_NORMAL,
    WEBAPI_FINAL, /* a final state, or what all else waits for: ahead of others of its method */
};

struct webapi_request {
    const char *method;            /* "chat.postMessage" */
    const cJSON *args;             /* an object or NULL; lent, written out at once */
    uint64_t owner;                /* the job, for fairness; 0: nobody in particular */
    enum webapi_priority priority; /* among the calls that wait for the same limit */
    int64_t wait_ms;               /* gives up (WEBAPI_TRANSIENT) when its turn has not come by
                                    * then; 0: waits as long as it takes */
    int64_t timeout_ms;            /* for the answer; 0: 15 s */
    bool (*may_send)(void *user);  /* asked with `user` right before each attempt goes out; false:
                                    * ends as WEBAPI_TRANSIENT. NULL: it may always go out */
    webapi_done_fn *done;
    void *user;
};

/* The caller owns *ret. `http` must outlive it. Errors: ERR_CONFIG (no usable address). */
int webapi_new(uv_loop_t *loop, struct http *http, const struct webapi_options *options,
               struct webapi **ret, struct error *err) MUST_CHECK;
void webapi_free(struct webapi *api); /* cancels all calls; NULL is fine */

/* NULL with ERR_CONFIG when the method's token is not configured. */
struct webapi_call *webapi_start(struct webapi *api, const struct webapi_request *request,
                                 struct error *err) MUST_CHECK;
void webapi_cancel(struct webapi_call *call); /* sent already: it may still take effect */

/* Gives a call that still waits for its turn other arguments, so that it keeps its place in line.
 * false when it has been sent already. */
bool webapi_replace(struct webapi_call *call, const cJSON *args, enum webapi_priority priority);

/*
 * Posts `payload` to a response_url (of a command or a button; at most 5 times in 30 minutes). No
 * token is sent; the policy allows Slack's own hosts only. Not repeated once it may have arrived.
 * NULL with ERR_CONFIG for another host.
 */
struct webapi_call *webapi_respond(struct webapi *api, const char *response_url,
                                   const cJSON *payload, uint64_t owner, webapi_done_fn *done,
                                   void *user, struct error *err) MUST_CHECK;

/*
 * The second of the three steps that a file takes (files.getUploadURLExternal, this,
 * files.completeUploadExternal; docs.slack.dev, "Working with files"): the bytes, to the address
 * that the first step gave. It is a secret and takes no token; the policy allows Slack's own hosts
 * only. Until the last step nobody sees anything, so it may be repeated. NULL with ERR_CONFIG for
 * another host.
 */
struct webapi_call *webapi_upload(struct webapi *api, const char *upload_url,
                                  const struct buf *file, uint64_t owner, webapi_done_fn *done,
                                  void *user, struct error *err) MUST_CHECK;

/* What an error code of Slack's means. Pure. */
enum webapi_kind webapi_kind_of(const char *method, const char *code);

struct webapi_stats {
    uint64_t calls, failures, limited; /* limited: 429 answers */
    size_t waiting;                    /* for a limit */
    bool answered;                     /* Slack has said yes or no to a call at least once */
    bool unauthorized; /* and the last word was that a token is not (any longer) good */
};
void webapi_stats(const struct webapi *api, struct webapi_stats *ret);

#endif
