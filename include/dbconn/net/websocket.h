/*
 * websocket - WebSocket clients (RFC 6455) on the event loop, over one libwebsockets context.
 *
 * Text messages in both directions, no extensions. Names are resolved off the loop, the CA
 * certificates are loaded once, HTTPS_PROXY and NO_PROXY count, redirects are not followed. The
 * URL is treated as a secret: it is in no message and no log. Loop thread only.
 *
 * A socket is opened, then it ends: on_close runs exactly once for each socket that
 * websocket_open() gave, later and from the loop, unless websocket_free() comes first. No callback
 * runs inside a call of this module, and none after websocket_free(), which is allowed in every
 * callback.
 */
#ifndef DBCONN_NET_WEBSOCKET_H
#define DBCONN_NET_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "dbconn/base/error.h"

struct net_policy;
struct websockets; /* opaque: one a process */
struct websocket;  /* opaque: one connection */

struct websocket_end {
    int close_code;  /* of the peer's close frame, e.g. 1000; 0: none came */
    int http_status; /* of an answer that refused the upgrade; 0: none */
    /* Why, in a sentence: ERR_NETWORK, ERR_TIMEOUT, ERR_UPSTREAM (upgrade refused), ERR_TOO_LARGE,
     * ERR_CANCELLED (websocket_close() was called). Lent. */
    const struct error *why;
};

struct websocket_options {
    const char *service; /* known to the policy: "slack" */
    const char *title;   /* in messages for people: "Slack" */
    const char *url;     /* wss://..., or ws:// where the policy allows it; copied */

    int64_t open_timeout_ms;  /* name, connection, TLS and upgrade together; 0: 15 s */
    int64_t ping_after_ms;    /* of silence; 0: 12 s */
    int64_t dead_after_ms;    /* of silence, neither data nor PONG; 0: 35 s */
    int64_t close_timeout_ms; /* for the peer to answer a close; 0: 2 s */
    size_t max_message;       /* a longer one ends the socket; 0: 4 MiB */
    size_t max_send;          /* a longer one is refused; 0: 20,480 bytes */
    size_t max_queued;        /* bytes waiting to be sent; 0: 4 MiB */

    void (*on_open)(void *user);
    /* One whole text message, NUL-terminated behind `len`. Lent until websocket_free(). Binary
     * messages are dropped. */
    void (*on_message)(void *user, const char *text, size_t len);
    void (*on_close)(void *user, const struct websocket_end *end);
    void *user;
};

/* The caller owns *ret. `policy` must outlive it. Errors: ERR_CONFIG (libwebsockets without its
 * libuv plugin). */
int websockets_new(uv_loop_t *loop, const struct net_policy *policy, struct websockets **ret,
                   struct error *err) MUST_CHECK;
/* Ends what is left of its sockets without a word; not inside one of their callbacks. The loop must
 * turn a few times more before it is closed (loop_finish()). NULL is fine. */
void websockets_free(struct websockets *sockets);

/* The caller owns the socket (websocket_free()). NULL with ERR_CONFIG: forbidden by the policy, an
 * unreadable CA file, a kind of proxy that is not supported (SOCKS, https). */
struct websocket *websocket_open(struct websockets *sockets,
                                 const struct websocket_options *options,
                                 struct error *err) MUST_CHECK;
/* Cuts the connection without a close frame. NULL is fine. */
void websocket_free(struct websocket *ws);

/* Queues one message, sent as one unfragmented frame. Errors: ERR_TOO_LARGE (max_send, max_queued),
 * ERR_NETWORK when the socket is not open. */
int websocket_send(struct websocket *ws, const char *text, size_t len,
                   struct error *err) MUST_CHECK;

/* Sends what is queued, then the close handshake; on_close follows within close_timeout_ms even
 * when the peer is silent. */
void websocket_close(struct websocket *ws, int code);

bool websocket_is_open(const struct websocket *ws);  /* messages can be sent */
size_t websocket_queued(const struct websocket *ws); /* bytes of frames not yet handed over */
/* Monotonic time of the last data or PONG, 0 before on_open. */
int64_t websocket_heard_ms(const struct websocket *ws);

#endif
