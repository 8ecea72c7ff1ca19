#include <libwebsockets.h>
#include <string.h>
#include <sys/socket.h>

#include "dbconn/base/text.h"
#include "websocket_internal.h"

_Static_assert(sizeof(void *) >= sizeof(uint64_t), "an attempt's number travels as a pointer");

/* The socket whose current attempt this is, or NULL: one that was given up. */
static struct websocket *socket_of(struct lws *wsi)
{
    struct lws_context *context = lws_get_context(wsi);
    struct websockets *const *anchor = context ? lws_context_user(context) : NULL;
    uint64_t attempt = (uint64_t)(uintptr_t)lws_get_opaque_user_data(wsi);

    if (!anchor || !*anchor || !attempt)
        return NULL;
    for (struct websocket *ws = (*anchor)->first; ws; ws = ws->next)
        if (ws->attempt == attempt)
            return ws;
    return NULL;
}

/* --- sending --- */

void ws_want_write(struct websocket *ws)
{
    if (ws->wsi)
        lws_callback_on_writable(ws->wsi);
}

static int send_ping(struct websocket *ws)
{
    unsigned char room[LWS_PRE];

    ws->ping_due = false;
    return lws_write(ws->wsi, room + LWS_PRE, 0, LWS_WRITE_PING);
}

/* Begins the close handshake. Not inside a callback of libwebsockets: there it would be lost, as
 * under libuv a callback that returns -1 closes twice in a row, the second time for good
 * (lws_service_fd_tsi() in lib/core-net/service.c, "uv repeat test"). */
void ws_send_close(struct websocket *ws)
{
    if (!ws->wsi)
        return;
    lws_close_reason(ws->wsi, (enum lws_close_status)ws->our_code, NULL, 0);
    ws->our_code = 0; /* once: a second time cuts */
    lws_set_timeout(ws->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

/* The kernel takes more, or libwebsockets was asked for this call; -1 ends the connection. */
static int on_writeable(struct websocket *ws)
{
    if (ws->broken || (ws->ping_due && send_ping(ws) < 0))
        return -1;
    ws_flush(ws);
    return 0;
}

/* --- receiving --- */

static int too_long(struct websocket *ws)
{
    error_set(&ws->why, ERR_TOO_LARGE, "%s sent a message longer than %zu bytes", ws->title,
              ws->options.max_message);
    websocket_finish(ws);
    return -1;
}

/* A piece of a message: whole frames and fragments both come in pieces of up to WS_RX_PIECE bytes.
 */
static int on_receive(struct websocket *ws, const char *piece, size_t len)
{
    struct websockets *owner = ws->owner;
    struct buf message = BUF_INIT;
    bool last = lws_is_final_fragment(ws->wsi) && lws_remaining_packet_payload(ws->wsi) == 0;

    websocket_heard(ws);
    if (lws_frame_is_binary(ws->wsi) || ws->state != WS_OPEN)
        return 0;
    uint64_t attempt = ws->attempt;
    if (last && !ws->message.len && len <= ws->options.max_message) {
        ws->options.on_message(ws->options.user, piece, len); /* it ends with a NUL already */
    } else {
        if (!buf_add_capped(&ws->message, piece, len, ws->options.max_message))
            return too_long(ws);
        if (!last)
            return 0;
        message = ws->message;
        ws->message = (struct buf)BUF_INIT;
        ws->options.on_message(ws->options.user, message.data, message.len);
        buf_clear(&message);
    }
    /* The callback may have freed the socket: look again. */
    for (ws = owner->first; ws; ws = ws->next)
        if (ws->attempt == attempt)
            return 0;
    return -1;
}

/* --- the end --- */

static void note_peer_close(struct websocket *ws, const unsigned char *payload, size_t len)
{
    struct buf words = BUF_INIT;
    char reason[126];

    if (len < 2)
        return;
    ws->close_code = payload[0] << 8 | payload[1];
    if (len - 2 < sizeof(reason)) {
        memcpy(reason, payload + 2, len - 2);
        reason[len - 2] = '\0';
        text_clean(reason, true, &words);
    }
    if (ws->state == WS_OPEN) {
        error_set(&ws->why, ERR_NETWORK, "%s closed the socket (%d%s%s)", ws->title, ws->close_code,
                  words.len ? ": " : "", buf_str(&words));
        websocket_closing(ws); /* nothing more can be sent */
    }
    buf_clear(&words);
}

static void on_connect_error(struct websocket *ws, const char *why, size_t len)
{
    struct buf words = BUF_INIT;
    char *raw = xstrndup(why ? why : "", why ? len : 0);

    text_clean(raw, true, &words);
    if (ws->http_status && ws->http_status != 101)
        error_set(&ws->why, ERR_UPSTREAM, "%s answered %d instead of opening a socket", ws->title,
                  ws->http_status);
    else if (ws->tls_why)
        error_set(&ws->why, ERR_NETWORK,
                  "%s could not be reached: no trusted TLS connection to %s: %s", ws->title,
                  ws->url.host, ws->tls_why);
    else if (strncmp(buf_str(&words), "connect SSL", strlen("connect SSL")) == 0)
        error_set(&ws->why, ERR_NETWORK, /* libwebsockets says no more than that */
                  "%s could not be reached: no trusted TLS connection to %s: the handshake failed "
                  "(TLS 1.2 or newer is needed)",
                  ws->title, ws->url.host);
    else
        error_set(&ws->why, ERR_NETWORK, "%s could not be reached: no socket at %s (%s)", ws->title,
                  ws->url.host, words.len ? buf_str(&words) : "closed");
    free(raw);
    buf_clear(&words);
    websocket_attempt_failed(ws);
}

/* libwebsockets is ending the connection by itself. */
static void forget(struct websocket *ws)
{
    ws->wsi = NULL;
    ws->attempt = 0;
}

static void on_closed(struct websocket *ws)
{
    if (ws->state == WS_CONNECTING) {
        on_connect_error(ws, NULL, 0);
        return;
    }
    if (ws->why.code == ERR_NONE)
        error_set(&ws->why, ERR_NETWORK, "%s broke the connection of the socket off", ws->title);
    websocket_finish(ws);
}

static void note_certificate(struct websocket *ws, X509_STORE_CTX *verification)
{
    ws->tls_why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(verification));
}

/* `in` is where the next header line goes, `room` what is left. */
static void add_user_agent(char **in, size_t room)
{
    static const char line[] = "User-Agent: dbconn/" DBCONN_VERSION "\r\n";

    if (room < sizeof(line))
        return;
    memcpy(*in, line, sizeof(line) - 1);
    *in += sizeof(line) - 1;
}

static int on_event(struct websocket *ws, struct lws *wsi, enum lws_callback_reasons reason,
                    void *user, void *in, size_t len)
{
    switch ((int)reason) {
    case LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION:
        if (!len) /* 0: OpenSSL refuses it, and that stands */
            note_certificate(ws, user);
        return 0;
    case LWS_CALLBACK_WSI_CREATE: /* TCP is there, to the peer or its proxy */
        websocket_reached(ws);
        return 0;
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        add_user_agent(in, len);
        return 0;
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
        ws->http_status = (int)lws_http_client_http_response(wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        websocket_opened(ws);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return on_receive(ws, in, len);
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        websocket_heard(ws);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return on_writeable(ws);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        note_peer_close(ws, in, len);
        return 0; /* libwebsockets answers */
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        forget(ws);
        on_connect_error(ws, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
    case LWS_CALLBACK_WSI_DESTROY: /* whatever way it went */
        forget(ws);
        on_closed(ws);
        return 0;
    default:
        return 0;
    }
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t len)
{
    struct websocket *ws = wsi ? socket_of(wsi) : NULL;

    if (ws)
        return on_event(ws, wsi, reason, user, in, len);
    /* A connection that was given up may still have a word to say: no. */
    return reason == LWS_CALLBACK_CLIENT_ESTABLISHED || reason == LWS_CALLBACK_CLIENT_RECEIVE ||
                   reason == LWS_CALLBACK_CLIENT_WRITEABLE
               ? -1
               : 0;
}

const struct lws_protocols *ws_protocols(void)
{
    static const struct lws_protocols protocols[] = {
        { .name = WS_PROTOCOL,
          .callback = on_lws,
          .rx_buffer_size = WS_RX_PIECE,
          .tx_packet_size = WS_TX_PIECE },
        { .name = NULL },
    };

    return protocols;
}

/* --- one connection --- */

/* "user:password@[::1]:3128", as lws_set_proxy() reads it; "" without a proxy. */
static char *proxy_text(const struct websocket *ws, const char *address)
{
    if (!ws->proxy.host)
        return xstrdup("");
    return xasprintf(strchr(address, ':') ? "%s%s[%s]:%d" : "%s%s%s:%d",
                     ws->proxy_auth ? ws->proxy_auth : "", ws->proxy_auth ? "@" : "", address,
                     ws->proxy.port);
}

bool ws_connect(struct websocket *ws, const char *address)
{
    struct websockets *sockets = ws->owner;
    bool tls = url_is_tls(&ws->url);
    /* libwebsockets' own idea of liveness is off: on_pulse() watches, to the millisecond. */
    static const lws_retry_bo_t no_validity = { .secs_since_valid_hangup = 0 };
    struct buf authority = BUF_INIT;
    char *proxy = proxy_text(ws, address);

    url_add_authority(&authority, &ws->url);
    ws->attempt = ++sockets->last_attempt;
    ws->reached = false;
    ws->http_status = 0;
    ws->tls_why = NULL;
    const struct lws_client_connect_info info = {
        .context = sockets->context,
        .vhost = ws_context_vhost(sockets, proxy, tls),
        .address = ws->proxy.host ? ws->url.host : address, /* a proxy is told the name */
        .port = ws->url.port,
        .path = ws->url.target,
        .host = buf_str(&authority), /* for the Host line, SNI and the certificate check */
        .ssl_connection = (tls ? LCCSCF_USE_SSL : 0) | LCCSCF_HTTP_NO_FOLLOW_REDIRECT,
        .alpn = "http/1.1",
        .local_protocol_name = WS_PROTOCOL,
        .retry_and_idle_policy = &no_validity,
        .opaque_user_data = (void *)(uintptr_t)ws->attempt,
        .pwsi = &ws->wsi,
    };
    bool begun = info.vhost && lws_client_connect_via_info(&info) != NULL;
    if (!begun) {
        ws->attempt = 0;
        ws->wsi = NULL;
        error_set(&ws->why, ERR_NETWORK, "%s could not be reached: no connection to %s", ws->title,
                  ws->proxy.host ? ws->proxy.host : ws->url.host);
    }
    buf_clear(&authority);
    free(proxy);
    return begun;
}

void ws_detach(struct websocket *ws)
{
    struct lws *wsi = ws->wsi;

    ws->wsi = NULL;
    ws->attempt = 0;
    if (!wsi)
        return;
    /* The shutdown wakes libwebsockets up in every state; its own timers only run after some event
     * of its own, so the kill alone could wait for one. */
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    int fd = lws_get_socket_fd(wsi);
    if (fd >= 0)
        (void)shutdown(fd, SHUT_RDWR);
}
