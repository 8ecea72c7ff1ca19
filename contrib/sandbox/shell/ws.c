#include "shell/internal.h"

/* Slack takes no client message beyond this; what is longer is not kept. */
#define KEEP_BYTES (64 * 1024)

struct frame {
    char *bytes;
    bool ping;
};

struct ws {
    struct service *service;
    struct session *session;
    struct lws *wsi;
    void *data;
    struct buf message; /* the client's message as far as it came */
    bool fragmented;
    struct frame *frames; /* waiting to be sent, in order */
    size_t n, cap;
    int close_code; /* 0: stays open */
    char *close_reason;
};

int ws_upgrade(struct service *service, struct lws *wsi)
{
    struct request req = { 0 };
    int status = 404;

    exchange_read_head(service, wsi, &req);
    if (service->ops.ws_accept)
        status = service->ops.ws_accept(service->user, &req);
    request_clear(&req);
    if (status == 101)
        return 0;
    (void)lws_return_http_status(wsi, (unsigned)status, NULL);
    return 1;
}

void ws_established(struct service *service, struct session *session, struct lws *wsi)
{
    struct ws *ws = xcalloc(1, sizeof(*ws));
    struct request req = { 0 };

    session->exchange = NULL;
    session->ws = ws;
    ws->service = service;
    ws->session = session;
    ws->wsi = wsi;
    exchange_read_head(service, wsi, &req);
    service->ops.ws_open(service->user, ws, &req);
    request_clear(&req);
}

int ws_received(struct session *session, struct lws *wsi, const void *bytes, size_t len)
{
    struct ws *ws = session->ws;

    if (!ws || ws->close_code)
        return 0;
    if (!buf_add_capped(&ws->message, bytes, len, KEEP_BYTES)) {
        static const char why[] = "Max frame length of 20480 has been exceeded.";
        lws_close_reason(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, (unsigned char *)(uintptr_t)why,
                         sizeof(why) - 1);
        return -1;
    }
    if (lws_remaining_packet_payload(wsi) > 0)
        return 0;
    if (!lws_is_final_fragment(wsi)) {
        ws->fragmented = true;
        return 0;
    }
    struct buf whole = ws->message;
    bool fragmented = ws->fragmented;
    ws->message = (struct buf)BUF_INIT;
    ws->fragmented = false;
    ws->service->ops.ws_message(ws->service->user, ws, buf_str(&whole), whole.len, fragmented);
    buf_clear(&whole);
    return 0;
}

static struct frame take_frame(struct ws *ws)
{
    struct frame frame = ws->frames[0];

    ws->n--;
    memmove(ws->frames, ws->frames + 1, ws->n * sizeof(*ws->frames));
    return frame;
}

int ws_writeable(struct session *session, struct lws *wsi)
{
    struct ws *ws = session->ws;

    if (!ws)
        return 0;
    if (ws->n > 0) {
        struct frame frame = take_frame(ws);
        size_t len = strlen(frame.bytes);
        unsigned char *space = xmalloc(LWS_PRE + len + 1);
        memcpy(space + LWS_PRE, frame.bytes, len);
        int rc = lws_write(wsi, space + LWS_PRE, len, frame.ping ? LWS_WRITE_PING : LWS_WRITE_TEXT);
        free(space);
        free(frame.bytes);
        if (rc < 0)
            return -1;
    }
    if (ws->n > 0) {
        lws_callback_on_writable(wsi);
    } else if (ws->close_code) {
        lws_close_reason(wsi, (enum lws_close_status)ws->close_code,
                         (unsigned char *)ws->close_reason, strlen(ws->close_reason));
        return -1;
    }
    return 0;
}

void ws_gone(struct session *session)
{
    struct ws *ws = session->ws;

    if (!ws)
        return;
    session->ws = NULL;
    ws->service->ops.ws_closed(ws->service->user, ws);
    for (size_t i = 0; i < ws->n; i++)
        free(ws->frames[i].bytes);
    free(ws->frames);
    free(ws->close_reason);
    buf_clear(&ws->message);
    free(ws);
}

static void queue(struct ws *ws, const char *bytes, bool ping)
{
    struct frame *frame = VEC_ADD(ws->frames, ws->n, ws->cap);

    frame->bytes = xstrdup(bytes);
    frame->ping = ping;
    lws_callback_on_writable(ws->wsi);
}

void ws_send(struct ws *ws, const char *text)
{
    queue(ws, text, false);
}

void ws_ping(struct ws *ws, const char *body)
{
    queue(ws, body, true);
}

void ws_close(struct ws *ws, int code, const char *reason)
{
    ws->close_code = code;
    xreplace(&ws->close_reason, reason);
    lws_callback_on_writable(ws->wsi);
}

void ws_cut(struct ws *ws)
{
    lws_set_timeout(ws->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

void ws_set_data(struct ws *ws, void *data)
{
    ws->data = data;
}

void *ws_data(const struct ws *ws)
{
    return ws->data;
}
