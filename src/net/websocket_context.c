/* The context of libwebsockets: one a process, on our loop, and never a line in a log. */
#include <libwebsockets.h>

#include "dbconn/base/text.h"
#include "policy_internal.h"
#include "trust.h"
#include "websocket_internal.h"

#define MAX_CONNECTIONS 64

/* A virtual host of libwebsockets is, for a client, a way out: direct or through one proxy. */
struct vhost {
    struct vhost *next;
    char *proxy; /* "[user:password@]address:port", "" for direct */
    bool tls;
    struct lws_vhost *vh;
};

/* Its lines may hold request paths, and the path is the ticket. What matters comes by callback. */
static void discard_log(int level, const char *line)
{
    (void)level;
    (void)line;
}

int ws_context_open(struct websockets *sockets, struct error *err)
{
    void *loops[1] = { sockets->loop };
    struct websockets **anchor = xmalloc(sizeof(struct websockets *));
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .foreign_loops = loops,
        .user = anchor,
        .external_baggage_free_on_destroy = anchor,
        .fd_limit_per_thread = MAX_CONNECTIONS,
        .pt_serv_buf_size = 2 * WS_RX_PIECE,
    };

    *anchor = sockets;
    lws_set_log_level(0, discard_log);
    sockets->context = lws_create_context(&info);
    if (!sockets->context) {
        free(anchor);
        return error_set(err, ERR_CONFIG,
                         "libwebsockets cannot use libuv (install libwebsockets-evlib-uv)");
    }
    sockets->anchor = anchor;
    return 0;
}

/*
 * On a foreign loop lws_context_destroy() has to be called twice: the first time it closes its
 * handles, and once their close callbacks have run, two turns of the loop later, the second time
 * frees the context. It does not tell when that is, so a few turns more are waited.
 */
#define FAREWELL_TURNS 8

struct farewell {
    uv_idle_t idle; /* first; runs once a turn and keeps the loop turning */
    struct lws_context *context;
    int turns;
};

static void farewell_closed(uv_handle_t *handle)
{
    struct farewell *farewell = (struct farewell *)handle;

    lws_context_destroy(farewell->context);
    free(farewell);
}

static void farewell_turn(uv_idle_t *idle)
{
    if (++((struct farewell *)idle)->turns == FAREWELL_TURNS)
        uv_close((uv_handle_t *)idle, farewell_closed);
}

void ws_context_close(struct websockets *sockets)
{
    struct farewell *farewell = xcalloc(1, sizeof(*farewell));

    *sockets->anchor = NULL;
    farewell->context = sockets->context;
    uv_idle_init(sockets->loop, &farewell->idle);
    uv_idle_start(&farewell->idle, farewell_turn);
    lws_context_destroy(sockets->context);
    SSL_CTX_free(sockets->ssl_ctx); /* connections that still close hold a count of their own */
    while (sockets->vhosts) {
        struct vhost *next = sockets->vhosts->next;
        free(sockets->vhosts->proxy);
        free(sockets->vhosts);
        sockets->vhosts = next;
    }
}

int ws_context_need_tls(struct websockets *sockets, struct error *err)
{
    SSL_CTX *ctx;

    if (sockets->ssl_ctx)
        return 0;
    ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx)
        return error_set(err, ERR_CONFIG, "OpenSSL cannot make a TLS context");
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (trust_apply(net_policy_trust(sockets->policy), ctx, err) < 0) {
        SSL_CTX_free(ctx);
        return -1;
    }
    sockets->ssl_ctx = ctx;
    return 0;
}

static struct vhost *vhost_new(struct websockets *sockets, const char *proxy, bool tls)
{
    struct vhost *vhost = xcalloc(1, sizeof(*vhost));
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = ws_protocols(),
        .vhost_name = WS_PROTOCOL,
        .options = tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0,
        .provided_client_ssl_ctx = tls ? sockets->ssl_ctx : NULL,
        .http_proxy_address = proxy, /* "" also keeps it from reading http_proxy itself */
        .alpn = "http/1.1",
    };

    vhost->proxy = xstrdup(proxy);
    vhost->tls = tls;
    vhost->vh = lws_create_vhost(sockets->context, &info);
    vhost->next = sockets->vhosts;
    sockets->vhosts = vhost;
    return vhost;
}

struct lws_vhost *ws_context_vhost(struct websockets *sockets, const char *proxy, bool tls)
{
    struct vhost *vhost = sockets->vhosts;

    while (vhost && !(text_same(vhost->proxy, proxy) && vhost->tls == tls))
        vhost = vhost->next;
    if (!vhost)
        vhost = vhost_new(sockets, proxy, tls);
    return vhost->vh;
}
