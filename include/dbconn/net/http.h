/*
 * http - HTTP requests on the event loop, over one libcurl multi handle.
 *
 * One client a process, used on the loop thread only. Connections are kept alive and shared;
 * HTTP/2 where offered. Per service (one backend: "sentry", "github", ...) requests wait in a
 * queue with a limit of requests in flight and per second, shared fairly between owners (jobs):
 * the next free place goes to the owner that waited longest, not to who asked most.
 *
 * The contract of every asynchronous call here: it fails at once and `done` never runs, or it
 * starts and `done` runs exactly once, later, from the loop, never inside the start call.
 * http_cancel() before that means never. What `done` gets is lent for its duration.
 */
#ifndef DBCONN_NET_HTTP_H
#define DBCONN_NET_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "dbconn/base/error.h"

struct http;         /* opaque */
struct http_call;    /* opaque: one request under way */
struct http_service; /* opaque: one backend with its limits */
struct net_policy;   /* net/policy.h */
struct metrics;      /* base/metrics.h */

/*
 * Prepares libcurl for the process. Called once from main() or a test, before any other thread
 * exists and before http_new(); http_global_clear() at the very end. Errors: ERR_CONFIG.
 */
int http_global_init(struct error *err) MUST_CHECK;
void http_global_clear(void);

struct http_reply {
    int status;       /* 200, 404, ... ; always a real HTTP status */
    const char *body; /* NUL-terminated; may hold any bytes */
    size_t body_len;
    bool truncated;  /* its filter had enough, or an error text too long was cut */
    int64_t took_ms; /* from the request's start on the wire to the last byte */
    const struct http_headers *headers;
};

/* The last header of that name (case-insensitive), or NULL. Lent by the reply. A test that makes a
 * reply itself fills net/http_headers.h. */
const char *http_reply_header(const struct http_reply *reply, const char *name);
/* When it was made by the service's own clock (the Date header); TIME_UNKNOWN. */
int64_t http_reply_date_ms(const struct http_reply *reply);

/*
 * Exactly one of `reply` and `err` is given. Any HTTP status comes as a reply, also 500, but for a
 * redirect. Errors, after all attempts: ERR_NETWORK, ERR_TIMEOUT, ERR_TOO_LARGE, ERR_PROTOCOL (a
 * body that cannot be decompressed; a redirect to elsewhere), ERR_CONFIG (TLS settings), and
 * ERR_RATE_LIMITED with retry_after_ms when an earlier answer forbade to ask before then; and what
 * a filter says.
 *
 * A GET or HEAD follows up to 5 redirects within its own origin (scheme, host and port); others end
 * as ERR_PROTOCOL naming the host, so no header ever reaches another one.
 */
typedef void http_done_fn(void *user, const struct http_reply *reply, const struct error *err);

/*
 * Reads rate-limit headers of a reply: how long to wait, in ms, before this service may be asked
 * again (and this request repeated when its status says so); 0 for no limit; -1 for "not a rate
 * limit". Called for every reply. A service without one uses Retry-After on 429 and 503.
 */
typedef int64_t http_limit_fn(const struct http_reply *reply, int64_t now_wall_ms);

/*
 * What becomes of the body of a 200 while it comes: `feed` writes into `out` what is to be kept,
 * which then is the reply's body. So an answer of megabytes may be read in the memory of what is
 * wanted of it. A body of another status is not filtered, and cut off at 64 KiB.
 */
struct http_filter {
    void *(*begin)(const void *arg); /* a new attempt; `arg` is request.filter_arg */
    /* 0: go on; 1: enough, the rest is not read; -1 with `err`: it cannot be used. */
    int (*feed)(void *state, const char *bytes, size_t n, struct buf *out, struct error *err);
    int (*end)(void *state, struct buf *out, struct error *err); /* all of it came: 0, or -1 */
    void (*free)(void *state);
};

struct http_service_options {
    const char *name;        /* "sentry": known to the policy, in logs */
    const char *title;       /* "GitHub": in messages for people; NULL: the name, capitalised */
    int max_in_flight;       /* 0: 8 */
    int max_per_second;      /* 0: no limit */
    int max_attempts;        /* 0: 3; see http_request.idempotent */
    int64_t backoff_base_ms; /* 0: 200; doubles, full jitter */
    int64_t max_wait_ms;     /* a limit that asks for more is not waited for; 0: 10 s. Until it is
                              * over, requests fail at their turn with ERR_RATE_LIMITED. */
    http_limit_fn *limit;    /* NULL: Retry-After */
};

struct http_request {
    struct http_service *service;
    const char *method; /* NULL: GET */
    const char *url;
    const char *const *headers; /* "Name: value" strings, NULL at the end; or NULL */
    const char *body;           /* NULL: none. Copied. */
    size_t body_len;
    int64_t timeout_ms; /* for one attempt, all included; 0: 15 s */
    int64_t budget_ms;  /* for all attempts and waits together; 0: 30 s */
    bool patient;     /* for what only reads: the budget counts from the first attempt, however long
                       * the queue before it is (the caller ends that wait when it is no longer of
                       * use), and without time in which this process stood still */
    size_t max_bytes; /* of the decoded body, before any filter; 0: 8 MiB */
    bool idempotent;  /* may be repeated after a network fault, 429, 502, 503, 504; others only
                       * when nothing of them was sent */
    uint64_t owner;   /* for fairness: the job; 0: nobody in particular */
    const struct http_filter
        *filter;            /* NULL: the body is kept as it comes. Lent, as its `arg` is, */
    const void *filter_arg; /* while the call lives */
    /* Asked, with `user`, when its turn has come, right before each attempt goes out; false ends it
     * as ERR_CANCELLED. It may not start or cancel anything. NULL: it may always go out. */
    bool (*may_send)(void *user);
    http_done_fn *done;
    void *user;
};

/* The caller owns *ret. `policy` must outlive it. Errors: ERR_CONFIG (an unreadable CA file). */
int http_new(uv_loop_t *loop, const struct net_policy *policy, struct http **ret,
             struct error *err) MUST_CHECK;
/* Cancels what is in flight; also inside a `done`. The loop must turn once more before it is closed
 * (loop_finish()). NULL is fine. */
void http_free(struct http *http);

uv_loop_t *http_loop(const struct http *http);

/* Counts calls in `metrics`, which must outlive the client; before the first call. NULL: not. */
void http_set_metrics(struct http *http, struct metrics *metrics);
/* Sets in them what is kept here: requests, retries and limits of every service so far. */
void http_collect_metrics(struct http *http);

/* From now on no answer of more than `max_bytes` (decoded) is read, whatever its request allows. */
void http_limit_answers(struct http *http, size_t max_bytes);

/*
 * The bodies of all answers on their way may take `max_bytes` together (without a call: no bound).
 * Where they do, the answers but for the one whose body began first wait on the wire until others
 * have been taken; that one always goes on. The time an answer waits so is not held against it.
 */
void http_limit_memory(struct http *http, size_t max_bytes);

struct http_memory {
    size_t held, peak; /* bytes: now, and at most so far */
    uint64_t pauses;   /* how often an answer had to wait */
};
void http_memory(const struct http *http, struct http_memory *ret);

/* Lent; lives as long as the client. One service a name: the first one's limits hold for all who
 * ask for it again. */
struct http_service *http_service(struct http *http, const struct http_service_options *options);

/* May `service` be asked at `url`? As http_start() would say, with ERR_CONFIG. */
int http_check(const struct http *http, const struct http_service *service, const char *url,
               struct error *err) MUST_CHECK;

/* All strings of `request` are copied. NULL with `err` when it cannot start: ERR_CONFIG by the
 * policy, ERR_INVALID for a URL or header that cannot be sent. */
struct http_call *http_start(struct http *http, const struct http_request *request,
                             struct error *err) MUST_CHECK;
void http_cancel(struct http_call *call); /* NULL is fine */

/* Inside `done`, after an error: may any of the request have reached the service, in any attempt?
 * false is certain: no connection came about. */
bool http_call_sent(const struct http_call *call);

struct http_service_stats {
    uint64_t requests, retries, failures, limited;
    int in_flight, waiting;
    bool answered;     /* it has answered at least once */
    bool unauthorized; /* the last answer was 401: the credential is not accepted */
};
void http_service_stats(const struct http_service *service, struct http_service_stats *ret);

#endif
