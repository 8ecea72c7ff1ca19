/*
 * socket - Slack's Socket Mode: events, commands and button presses over WebSockets.
 *
 * Keeps the wanted number of connections open, each with an address of its own from
 * apps.connections.open, and opens the replacement before the old connection goes (docs.slack.dev,
 * "Using Socket Mode"). Passing faults are retried for ever, with full jitter from 1 s up to
 * 5 min; final ones (a wrong or revoked token) stop it with a sentence for the operator.
 *
 * Slack delivers at least once. An envelope is handed upward once; when it comes again, in the same
 * words or as a new envelope for the same command, press or event, it is acknowledged as the first
 * one was and not handed up again, for at least 10 minutes. Loop thread only.
 */
#ifndef DBCONN_SLACK_SOCKET_H
#define DBCONN_SLACK_SOCKET_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "dbconn/base/error.h"

struct slack_socket; /* opaque */
struct metrics;
struct webapi;
struct websockets;

struct slack_envelope {
    uint64_t delivery;        /* for slack_socket_ack(); never 0 */
    const char *type;         /* "slash_commands", "interactive", "events_api", or a new word */
    const cJSON *payload;     /* an object. Lent: read or copy what is needed. */
    bool accepts_payload;     /* the acknowledgement may carry an answer */
    int64_t retry_attempt;    /* 0: the first delivery, or not said */
    const char *retry_reason; /* "" when not said */
};

struct slack_socket_status {
    int open, wanted;        /* connections that have said hello; that should have */
    int64_t num_connections; /* of this app, as Slack last counted them; 0: not known yet */
    int64_t last_hello_ms;   /* monotonic; 0: never */
    int64_t last_heard_ms;   /* monotonic: the last data or PONG on any connection */
    uint64_t connects;       /* hellos so far */
    uint64_t reconnects;     /* of these, beyond the first of each wanted connection */
    uint64_t failures;       /* attempts to connect that failed, and connections cut too soon */
    uint64_t envelopes, duplicates;
    uint64_t unacknowledged;  /* given up: nobody here acknowledged them in time */
    int consecutive_failures; /* to connect; 0 once connected */
    bool stopped;             /* by slack_socket_stop() or for a final reason */
    const char *trouble;      /* the last failure in a sentence, "" when all is well. Lent. */
};

struct slack_socket_options {
    uv_loop_t *loop;
    struct webapi *api; /* with an app token */
    struct websockets *sockets;
    int connections;          /* 1 to 10; 0: 1 */
    int expected_connections; /* of this app in all, replicas included; more are warned about;
                               * 0: `connections` */

    /* An envelope that needs an acknowledgement within 3 s of its arrival. */
    void (*on_envelope)(void *user, const struct slack_envelope *envelope);
    /* Something in slack_socket_status() changed that readiness may depend on. May be NULL. */
    void (*on_state)(void *user);
    /* For the operator: `final` when it has stopped for good; otherwise it goes on trying slowly
     * (Socket Mode is switched off). */
    void (*on_trouble)(void *user, const struct error *why, bool final);
    void *user;
    struct metrics *metrics; /* counts how long acknowledgements take; NULL: does not */

    /* Times in ms; 0 takes the default. */
    int64_t hello_timeout_ms;  /* from open to hello; 10 s */
    int64_t backoff_base_ms;   /* 1 s */
    int64_t backoff_cap_ms;    /* 5 min */
    int64_t settled_ms;        /* a connection this old resets the backoff; 2 min */
    int64_t drain_ms;          /* an old connection is kept this long after its replacement; 30 s */
    int64_t disabled_retry_ms; /* after link_disabled; 5 min */
    int64_t ping_after_ms, dead_after_ms; /* see net/websocket.h */
};

/* Starts connecting. The caller owns it (slack_socket_free()). */
struct slack_socket *slack_socket_start(const struct slack_socket_options *options);
/* Cuts what is open. Not inside on_envelope, on_state or on_trouble. NULL is fine. */
void slack_socket_free(struct slack_socket *s);

/*
 * Acknowledges a delivery, once, on the connection that it came by. `payload` (an object, lent) is
 * sent when the envelope accepts one; NULL for none. Errors: ERR_TOO_LARGE: the answer is over
 * 20,480 bytes, the acknowledgement went out without it; ERR_NETWORK: that connection is gone, the
 * answer is given when Slack delivers again; ERR_INVALID: no such delivery waits.
 */
int slack_socket_ack(struct slack_socket *s, uint64_t delivery, const cJSON *payload,
                     struct error *err) MUST_CHECK;

/*
 * Stops: nothing more is handed up, what waits for its acknowledgement may still get it for up to
 * `drain_ms`, then the connections close. `on_stopped` runs once, later.
 */
void slack_socket_stop(struct slack_socket *s, int64_t drain_ms, void (*on_stopped)(void *user),
                       void *user);

void slack_socket_status(const struct slack_socket *s, struct slack_socket_status *ret);

#endif
