/*
 * http_internal - what the parts of the HTTP client share.
 *
 *   http.c           the public face; the client and its services
 *   http_call.c      the life of a call
 *   http_transfer.c  one attempt: a libcurl easy handle, what it sends and what came back
 *   http_body.c      the body as it comes
 *   http_memory.c    what all bodies take together
 *   http_fault.c     why an attempt failed, in words
 *   http_multi.c     libcurl's multi handle on libuv
 *   http_metrics.c   what is counted of it
 *
 * The life of a call:
 *
 *   start -> WAITING --place free--> RUNNING --answer--> ENDED -> done
 *               ^                      |
 *               +----- SLEEPING <------+ passing fault, or a limit: after a while
 *               +----------------------+ redirect
 */
#ifndef DBCONN_NET_HTTP_INTERNAL_H
#define DBCONN_NET_HTTP_INTERNAL_H

#include <curl/curl.h>

#include "dbconn/net/http.h"
#include "dbconn/net/http_headers.h"
#include "dbconn/net/loop.h"
#include "dbconn/net/ratelimit.h"
#include "dbconn/net/retry.h"
#include "fairq.h"

struct multi;
struct trust;

enum call_state { CALL_WAITING, CALL_RUNNING, CALL_SLEEPING, CALL_ENDED };

struct http_service {
    struct http *http;
    struct http_service *next;
    char *name, *title;
    struct retry_policy retry;
    int max_in_flight;
    http_limit_fn *limit;
    struct fairq queue;
    struct window rate;
    int64_t paused_until_ms; /* monotonic; what the service asked for */
    struct loop_timer *wake; /* when a waiting call may go on */
    struct http_service_stats stats;
};

/* What one attempt brought. */
struct attempt {
    CURL *easy; /* NULL when none runs */
    struct curl_slist *headers;
    char *proxy;
    char detail[CURL_ERROR_SIZE]; /* libcurl's words for a TLS failure */
    struct buf body;
    struct http_headers reply_headers;
    size_t received;            /* decoded bytes of the body */
    size_t held;                /* bytes counted in http.memory for it */
    bool paused;                /* until memory is free */
    int64_t began_ms, limit_ms; /* monotonic; the time it has */
    int64_t left_ms;            /* of that, while it is paused */
    bool over_cap;              /* the body was longer than the caller wants */
    void *filter;               /* its state; NULL: not begun */
    bool enough;                /* it wants no more */
    struct error filter_err;
    size_t body_sent; /* handed to libcurl, when that is counted: see on_upload() */
};

struct http_call {
    struct http_service *service;
    struct http_call *prev, *next; /* all calls of the client */
    uint64_t number;               /* the smaller, the earlier */
    struct http_call *next_ended;
    struct fair_item place;
    /* WAITING: the budget; SLEEPING: the next attempt; RUNNING: its end, if libcurl does not watch
     * that: when the call is patient, or once it was paused */
    struct loop_timer *timer;
    enum call_state state;

    char *method, *url;
    char **headers; /* NULL at the end; may be NULL */
    struct buf body;
    int64_t timeout_ms, deadline_ms;  /* for an attempt; monotonic, for all */
    bool patient;                     /* the deadline moves with what is not the service's doing */
    int64_t began_ms, waits_since_ms; /* monotonic */
    size_t max_bytes;
    bool idempotent;
    const struct http_filter *filter; /* or NULL */
    const void *filter_arg;
    uint64_t owner;
    bool (*may_send)(void *user);
    http_done_fn *done;
    void *user;

    int attempts, redirects;
    bool sent; /* a connection stood, so that some of it may have arrived */
    struct attempt attempt;
    struct http_reply reply; /* valid once ENDED with status > 0 */
    struct error err;
};

struct http {
    uv_loop_t *loop;
    const struct net_policy *policy;
    struct trust *trust;
    struct multi *multi;
    struct http_service *services;
    struct metrics *metrics; /* or NULL */
    size_t max_bytes;        /* of any answer */
    size_t max_memory;       /* of the bodies on their way */
    struct http_memory memory;
    struct loop_timer *resume; /* of those that wait for memory */
    uint64_t n_calls;
    struct http_call *calls;
    struct http_call *ended, **ended_tail; /* done is due */
    struct loop_timer *deliver;
    bool delivering, closing;
};

/* http_transfer.c */

/* Puts the call's request on the wire. Errors: ERR_NETWORK when libcurl cannot even begin. */
int transfer_begin(struct http_call *call, struct error *err) MUST_CHECK;
/* Ends the attempt, also an unfinished one. The reply of a finished one stays in `attempt`. */
void transfer_end(struct http_call *call);
/* Reads the outcome of a finished attempt: fills call->reply, or call->err and gives -1. */
int transfer_outcome(struct http_call *call, CURLcode code);
/* The absolute address that a redirect names, lent until transfer_end(); NULL for none. */
const char *transfer_redirect(struct http_call *call);
void attempt_clear(struct http_call *call);

/* http_body.c */

size_t http_on_body(char *bytes, size_t size, size_t n, void *call); /* CURLOPT_WRITEFUNCTION */
/* All of a body came. -1 with `err`: its filter cannot use it. */
int http_body_end(struct http_call *call, int status, struct error *err) MUST_CHECK;
void http_body_clear(struct http_call *call);

/* http_memory.c */

/* May a piece of the call's body be taken now? If not, it is paused: http_resume() goes on. */
bool http_memory_may_take(struct http_call *call);
void http_memory_count(struct http_call *call); /* its body has changed */
void http_resume(void *http);                   /* for http->resume */

/* http_fault.c */

/* Fills call->err. Returns -1. */
int http_fault(struct http_call *call, CURLcode code);

/* http_multi.c: drives libcurl; calls http_attempt_over() for each attempt that ended. */

struct multi *multi_new(struct http *http);
void multi_free(struct multi *multi);
int multi_add(struct multi *multi, CURL *easy, struct error *err) MUST_CHECK;
void multi_remove(struct multi *multi, CURL *easy);
CURLSH *multi_share(struct multi *multi);

/* http_call.c */

/* Puts the call in line, `again` ahead of its owner's others. No callback runs inside. */
void http_call_wait(struct http_call *call, bool again);
void http_call_free(struct http_call *call);
void http_call_timer(void *call); /* for call->timer */
/* Takes the call out of the list of those whose `done` is due. */
void http_call_unlink(struct http *http, struct http_call *call);
void http_attempt_over(struct http_call *call, CURLcode code);
void http_service_pump(struct http_service *service);
void http_service_wake(void *service); /* for service->wake */
void http_deliver(struct http *http);  /* the caller's last statement: `http` may be gone */
void http_deliver_later(void *http);   /* for http->deliver */

/* http_metrics.c */

void http_count_end(const struct http_call *call);  /* its outcome is known */
void http_count_wait(const struct http_call *call); /* its turn has come */

/* http.c */

void http_release(struct http *http); /* frees it at once */

#endif
