/*
 * An exchange: request in -> serve() -> http_exchange_reply() -> headers and body out -> gone.
 *
 * libwebsockets outlives us, and its connections the server: a callback finds the server through
 * the context's anchor, and an exchange whose connection ended, or whose server did, is forgotten
 * by the other side.
 */
#include "dbconn/net/http_server.h"

#include <libwebsockets.h>
#include <string.h>
#include <uv.h>

#include "dbconn/base/text.h"
#include "websocket_internal.h"

#define PROTOCOL "dbconn-http"
#define MAX_HEADERS 512

struct http_exchange {
    struct http_server *server;
    struct http_exchange *prev, *next;
    struct lws *wsi;
    bool replied, head_only;
    int status;
    const char *content_type;
    struct buf body;
};

struct http_server {
    struct websockets *sockets;
    http_serve_fn *serve;
    void *user;
    char *address;
    int port;
    struct lws_vhost *vhost;
    struct http_exchange *first;
    size_t n_connections;
};

/* ---- exchanges ---- */

static struct http_exchange *exchange_new(struct http_server *server, struct lws *wsi)
{
    struct http_exchange *x = xcalloc(1, sizeof(*x));

    x->server = server;
    x->wsi = wsi;
    x->next = server->first;
    if (x->next)
        x->next->prev = x;
    server->first = x;
    return x;
}

static void exchange_free(struct http_exchange *x)
{
    if (x->prev)
        x->prev->next = x->next;
    else
        x->server->first = x->next;
    if (x->next)
        x->next->prev = x->prev;
    buf_clear(&x->body);
    free(x);
}

static struct http_exchange *exchange_of(const struct http_server *server, const struct lws *wsi)
{
    struct http_exchange *x = server->first;

    while (x && x->wsi != wsi)
        x = x->next;
    return x;
}

void http_exchange_reply(struct http_exchange *x, int status, const char *content_type,
                         struct buf *body)
{
    x->replied = true;
    x->status = status;
    x->content_type = content_type;
    x->body = *body;
    *body = (struct buf)BUF_INIT;
    if (x->wsi)
        lws_callback_on_writable(x->wsi);
    else
        exchange_free(x); /* whoever asked is gone */
}

static void refuse(struct http_exchange *x, int status, const char *why)
{
    struct buf body = BUF_INIT;

    buf_addf(&body, "%s\n", why);
    http_exchange_reply(x, status, "text/plain; charset=utf-8", &body);
}

static int on_request(struct http_server *server, struct lws *wsi, const char *path)
{
    struct http_exchange *x = exchange_new(server, wsi);

    x->head_only = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
    if (!x->head_only && lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) <= 0)
        refuse(x, HTTP_STATUS_METHOD_NOT_ALLOWED, "only GET and HEAD are answered");
    else
        server->serve(server->user, x, path);
    return 0;
}

static int write_headers(const struct http_exchange *x)
{
    unsigned char room[LWS_PRE + MAX_HEADERS], *start = room + LWS_PRE, *p = start,
                                               *end = room + sizeof(room);

    if (lws_add_http_common_headers(x->wsi, (unsigned)x->status, x->content_type, x->body.len, &p,
                                    end) ||
        lws_add_http_header_by_name(x->wsi, (const unsigned char *)"cache-control:",
                                    (const unsigned char *)"no-store", 8, &p, end))
        return -1;
    return lws_finalize_write_http_header(x->wsi, start, &p, end);
}

/* libwebsockets keeps what the socket does not take at once. */
static int write_body(const struct http_exchange *x)
{
    unsigned char *frame = xmalloc(LWS_PRE + x->body.len);

    memcpy(frame + LWS_PRE, buf_str(&x->body), x->body.len);
    int rc = lws_write(x->wsi, frame + LWS_PRE, x->body.len, LWS_WRITE_HTTP_FINAL);
    free(frame);
    return rc;
}

static int on_writeable(struct http_server *server, struct lws *wsi)
{
    struct http_exchange *x = exchange_of(server, wsi);
    bool failed;

    if (!x || !x->replied)
        return 0;
    failed = write_headers(x) || (x->body.len && !x->head_only && write_body(x) < 0);
    exchange_free(x);
    /* Non-zero ends the connection; else the next request may come on it. */
    return failed || lws_http_transaction_completed(wsi) ? -1 : 0;
}

static void on_gone(struct http_server *server, const struct lws *wsi)
{
    struct http_exchange *x = exchange_of(server, wsi);

    if (x && x->replied)
        exchange_free(x); /* the answer was here and could not be sent any more */
    else if (x)
        x->wsi = NULL; /* its answer is still on the way here */
}

/* ---- libwebsockets ---- */

static struct http_server *server_of(struct lws *wsi)
{
    struct lws_context *context = lws_get_context(wsi);
    struct websockets *const *anchor = context ? lws_context_user(context) : NULL;

    return anchor && *anchor ? (*anchor)->server : NULL;
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t len)
{
    struct http_server *server = wsi ? server_of(wsi) : NULL;

    (void)user;
    (void)len;
    switch ((int)reason) {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        return server && server->n_connections < HTTP_SERVER_MAX ? 0 : -1;
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        if (server)
            server->n_connections++;
        return 0;
    case LWS_CALLBACK_HTTP:
        return server ? on_request(server, wsi, in) : -1;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return server ? on_writeable(server, wsi) : -1;
    case LWS_CALLBACK_CLOSED_HTTP:
        if (server)
            on_gone(server, wsi);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        if (server && lws_get_vhost(wsi) == server->vhost && server->n_connections)
            server->n_connections--;
        return 0;
    default:
        return 0;
    }
}

static const struct lws_protocols protocols[] = {
    { .name = PROTOCOL, .callback = on_lws },
    { .name = NULL },
};

/* ---- the public face ---- */

static bool is_port(const char *text)
{
    size_t n = strspn(text, "0123456789");

    return n > 0 && n <= 5 && text[n] == '\0' && strtol(text, NULL, 10) <= 65535;
}

static bool is_address(const char *text)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    return uv_ip4_addr(text, 0, &v4) == 0 || uv_ip6_addr(text, 0, &v6) == 0;
}

int http_listen_parse(const char *listen, char **ret_address, int *ret_port, struct error *err)
{
    const char *colon = strrchr(listen, ':'), *port = colon ? colon + 1 : listen;
    const char *from = listen;
    size_t len = colon ? (size_t)(colon - listen) : 0;

    if (len > 1 && from[0] == '[' && from[len - 1] == ']') {
        from++;
        len -= 2;
    }
    char *address = colon ? xstrndup(from, len) : xstrdup("127.0.0.1");
    if (text_same(address, "localhost"))
        xreplace(&address, "127.0.0.1");
    /* An IPv6 address stands in brackets, so that its last group is not taken for a port. */
    bool ok = is_port(port) && is_address(address) && (from > listen) == !!strchr(address, ':');
    if (!ok) {
        free(address);
        return error_set(err, ERR_CONFIG,
                         "\"%s\" is no address to listen at: write 127.0.0.1:9464, [::1]:9464, or "
                         "a port, which means 127.0.0.1",
                         listen);
    }
    *ret_address = address;
    *ret_port = (int)strtol(port, NULL, 10);
    return 0;
}

int http_server_new(struct websockets *sockets, const char *listen, http_serve_fn *serve,
                    void *user, struct http_server **ret, struct error *err)
{
    char *address;
    int port;

    if (http_listen_parse(listen, &address, &port, err) < 0)
        return -1;
    struct http_server *server = xcalloc(1, sizeof(*server));
    server->sockets = sockets;
    server->serve = serve;
    server->user = user;
    /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): set, as error_set() gives -1 */
    server->address = address;
    const struct lws_context_creation_info info = {
        .port = port,
        .iface = address,
        .protocols = protocols,
        .vhost_name = PROTOCOL,
        .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
                   (strchr(address, ':') ? 0 : LWS_SERVER_OPTION_DISABLE_IPV6),
        .keepalive_timeout = 30,
        .timeout_secs = 10,
    };
    server->vhost = lws_create_vhost(sockets->context, &info);
    server->port = server->vhost ? lws_get_vhost_listen_port(server->vhost) : 0;
    if (server->port <= 0) {
        http_server_free(server);
        return error_set(err, ERR_NETWORK,
                         "cannot listen at %s: no such address here, or the port is taken", listen);
    }
    sockets->server = server;
    *ret = server;
    return 0;
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    if (server->sockets->server == server)
        server->sockets->server = NULL;
    while (server->first)
        exchange_free(server->first);
    free(server->address);
    free(server);
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

const char *http_server_address(const struct http_server *server)
{
    return server->address;
}
