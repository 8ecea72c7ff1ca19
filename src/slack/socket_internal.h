/*
 * socket_internal - what the parts of Socket Mode share.
 *
 *   socket.c        the public face; how many connections, when to open the next, stopping
 *   socket_conn.c   the life of one connection: a table of states
 *   socket_ack.c    deliveries that wait for their acknowledgement, and second deliveries
 *   socket_frame.c  a message, read (pure)
 *   dedupe.c        what was seen before (pure)
 */
#ifndef DBCONN_SLACK_SOCKET_INTERNAL_H
#define DBCONN_SLACK_SOCKET_INTERNAL_H

#include "dbconn/net/loop.h"
#include "dbconn/net/ratelimit.h"
#include "dbconn/net/websocket.h"
#include "dbconn/slack/dedupe.h"
#include "dbconn/slack/socket.h"
#include "dbconn/slack/webapi.h"
#include "socket_frame.h"

struct conn;
struct conn_state;
struct delivery;
struct metric;

/* An answer that went out with an acknowledgement, in case the delivery comes again because the
 * acknowledgement did not arrive. */
#define KEPT_ANSWERS 64
#define ENVELOPE_TYPES 4
struct kept_answer {
    uint64_t delivery;
    char *payload;
};

struct slack_socket {
    struct slack_socket_options o; /* defaults filled in */
    struct slack_socket_status status;
    char *trouble;
    struct conn *conns;
    uint64_t last_conn, last_delivery;

    struct loop_timer *retry; /* when to open the next connection */
    struct bucket connects;   /* so that a server which keeps sending us away is not hammered */
    int failures;             /* in a row; what the backoff grows with */

    struct dedupe *seen;
    struct delivery *first, *last; /* not acknowledged yet, in order */
    size_t n_waiting;
    struct kept_answer kept[KEPT_ANSWERS];
    size_t next_kept;
    struct metric *acks[ENVELOPE_TYPES]; /* of the metrics, once used */

    bool stopping;
    struct loop_timer *stop_timer;
    void (*on_stopped)(void *user);
    void *stopped_user;
};

struct conn {
    struct slack_socket *socket;
    struct conn *prev, *next;
    const struct conn_state *state;
    uint64_t number; /* in logs */
    struct webapi_call *ask;
    struct websocket *ws;
    struct loop_timer *timer; /* of the state: hello, settling, draining */
    int64_t hello_ms;         /* monotonic; 0: not yet */
};

/* socket.c */

/* Opens the next connection when one is missing and it is time for it. */
void socket_supervise(struct slack_socket *s);
/* A connection attempt failed, or a connection ended too soon: later, and later each time. */
void socket_failed(struct slack_socket *s, const struct error *why);
void socket_greeted(struct slack_socket *s); /* a connection is open */
void socket_settled(struct slack_socket *s); /* ... and has lasted */
void socket_disabled(struct slack_socket *s);
void socket_fatal(struct slack_socket *s, const struct error *why); /* stops for good */
void socket_changed(struct slack_socket *s);                        /* tells on_state */
void socket_drained(struct slack_socket *s); /* nothing waits any more, or a connection went */

/* socket_conn.c */

void conn_open(struct slack_socket *s);
void conn_free(struct conn *c);
void conn_close(struct conn *c);            /* politely; it frees itself */
bool conn_is_live(const struct conn *c);    /* counts as one of the wanted */
bool conn_is_opening(const struct conn *c); /* ... and is not there yet */
bool conn_is_usable(const struct conn *c);  /* has said hello and was not closed */
void conn_let_go(struct conn *c);           /* its replacement is there: drain it, if it is to go */
/* Sends an acknowledgement; -1 when the connection cannot. */
int conn_send(struct conn *c, const struct buf *text, struct error *err) MUST_CHECK;

/* socket_ack.c */

/* A message with an envelope_id has come: hand it up, or acknowledge it. */
void delivery_take(struct conn *c, struct socket_frame *frame);
void delivery_forget_conn(struct conn *c); /* it goes: what came by it waits without it */
size_t delivery_waiting_on(const struct conn *c);
void delivery_clear(struct slack_socket *s);

#endif
