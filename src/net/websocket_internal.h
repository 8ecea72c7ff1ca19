/*
 * websocket_internal - what the parts of the WebSocket client share.
 *
 *   websocket.c          the public face and the life of a socket
 *   websocket_connect.c  from a URL to an address to connect to, also through a proxy
 *   websocket_lws.c      libwebsockets' connections and callbacks
 *   websocket_send.c     what goes out, once a turn of the loop
 *   websocket_context.c  its context and virtual hosts
 *
 * The life of a socket:
 *
 *   RESOLVING -> CONNECTING -> OPEN -> CLOSING -> ENDED -> on_close
 *                 |  ^  (next address)              ^
 *                 +--+------------------------------+ at any time
 *
 * libwebsockets outlives us: a connection that was given up still runs callbacks until its close
 * has gone through the loop. Each attempt to connect therefore has a number of its own, the
 * callbacks carry that number, and a number that no socket has (any more) is ignored.
 */
#ifndef DBCONN_NET_WEBSOCKET_INTERNAL_H
#define DBCONN_NET_WEBSOCKET_INTERNAL_H

#include <openssl/ssl.h>

#include "dbconn/net/loop.h"
#include "dbconn/net/policy.h"
#include "dbconn/net/url.h"
#include "dbconn/net/websocket.h"

struct http_server;
struct lws;
struct lws_context;
struct lws_protocols;
struct lws_vhost;
struct resolve;
struct vhost;
struct ws_flusher;

enum ws_state { WS_RESOLVING, WS_CONNECTING, WS_OPEN, WS_CLOSING, WS_ENDED };

struct websockets {
    uv_loop_t *loop;
    const struct net_policy *policy;
    struct lws_context *context;
    struct websockets **anchor; /* what libwebsockets holds; points nowhere once we are gone */
    struct vhost *vhosts;
    struct ws_flusher *flusher;
    SSL_CTX *ssl_ctx; /* NULL until the first wss:// */
    struct websocket *first;
    struct http_server *server; /* http_server.c; or NULL */
    uint64_t last_attempt;
};

struct websocket {
    struct websockets *owner;
    struct websocket *prev, *next;
    struct websocket_options options; /* its strings point nowhere; see below */
    char *title;
    struct url url;
    enum ws_state state;

    /* connecting */
    struct resolve *resolve;
    struct url proxy; /* host NULL: none */
    char *proxy_auth; /* "user:password", decoded; or NULL */
    char **addresses; /* numeric, in the order to try */
    size_t n_addresses, next_address;
    int64_t open_by_ms;  /* monotonic */
    bool reached;        /* this attempt has a TCP connection: no other address is tried */
    const char *tls_why; /* OpenSSL's word for a certificate that was refused; static */

    /* connected */
    struct lws *wsi;  /* of the current attempt */
    uint64_t attempt; /* 0: none */
    struct buf out;   /* frames, from out_at on not yet handed to libwebsockets */
    size_t out_at;
    bool broken;        /* it could not send */
    struct buf message; /* pieces of a message, until its last */
    bool ping_due;
    int64_t heard_ms;

    /* the end */
    int close_code, http_status, our_code;
    struct error why;
    struct loop_timer *deadline; /* connecting: this address; CLOSING: the peer's answer; ENDED */
    struct loop_timer *pulse;    /* OPEN: when to ping, when to give up; CLOSING: our close frame */
};

/* websocket.c */

/* The socket is over, for the reason in ws->why; on_close runs. The caller's last statement. */
void websocket_finish(struct websocket *ws);
/* The same, but on_close runs from the loop. */
void websocket_finish_later(struct websocket *ws);
/* The attempt failed before it was open: the next address, or the end with ws->why. Once a peer was
 * reached there is no next one: the ticket in the URL may be used up. */
void websocket_attempt_failed(struct websocket *ws);
void websocket_reached(struct websocket *ws);
void websocket_opened(struct websocket *ws);
void websocket_closing(struct websocket *ws); /* either side began the close handshake */
void websocket_heard(struct websocket *ws);   /* a sign of life */
/* Nothing is queued any more, while CLOSING. */
void websocket_sent_all(struct websocket *ws);

/* websocket_connect.c */

int websocket_read_proxy(struct websocket *ws, const char *url, struct error *err) MUST_CHECK;
void websocket_resolve(struct websocket *ws); /* later: connect_next or finish */
void websocket_resolve_cancel(struct websocket *ws);
/* Connects to the next address. false when there is none left. */
bool websocket_connect_next(struct websocket *ws);

/* websocket_context.c */

#define WS_PROTOCOL "dbconn"
#define WS_RX_PIECE 4096  /* messages come in pieces of up to this */
#define WS_TX_PIECE 65536 /* libwebsockets offers the kernel so much at a time */

int ws_context_open(struct websockets *sockets, struct error *err) MUST_CHECK;
void ws_context_close(struct websockets *sockets);
/* Loads what TLS needs. Errors: ERR_CONFIG. */
int ws_context_need_tls(struct websockets *sockets, struct error *err) MUST_CHECK;
/* The way out: direct, or through "[user:password@]address:port". NULL when it cannot be made. */
struct lws_vhost *ws_context_vhost(struct websockets *sockets, const char *proxy, bool tls);

/* websocket_lws.c */

const struct lws_protocols *ws_protocols(void); /* whose callback feeds the sockets */
/* Begins a connection to the numeric `address`; false when that fails at once (ws->why). */
bool ws_connect(struct websocket *ws, const char *address);
/* Leaves the current connection to libwebsockets to close; its callbacks are ignored from now on.
 */
void ws_detach(struct websocket *ws);
void ws_want_write(struct websocket *ws);
void ws_send_close(struct websocket *ws);

/* websocket_send.c */

/* Queues a text message as one frame. Errors: ERR_NETWORK (no random numbers). */
int ws_queue_text(struct websocket *ws, const char *text, size_t len, struct error *err) MUST_CHECK;
size_t ws_queued(const struct websocket *ws); /* bytes not yet handed over */
void ws_flush(struct websocket *ws);          /* hands over what libwebsockets takes */
void ws_flush_soon(struct websockets *sockets);
struct ws_flusher *ws_flusher_new(struct websockets *sockets);
void ws_flusher_free(struct ws_flusher *f);

#endif
