/*
 * What goes out. Frames are made here and gathered, and leave together at the end of the turn of
 * the loop in which they were queued. libwebsockets' own way, one frame for each callback that
 * says "writeable", costs two turns of the loop, four changes to what epoll watches and a read
 * from /dev/urandom for each message, and falls behind when messages come in bursts.
 *
 * libwebsockets still owns the connection: whole frames are handed to it as bytes that need no
 * framing (LWS_WRITE_HTTP, sent as they are in every role), it keeps what the kernel does not
 * take, and PING, PONG and the close frame are its own.
 */
#include <libwebsockets.h>
#include <string.h>

#include "websocket_internal.h"

/* Handed over at once; whole frames, so that a control frame of libwebsockets' never gets between
 * two halves of one. */
#define BATCH_BYTES 32768
#define KEPT_BYTES 16384 /* of memory, once all is sent */
#define MASKS_BYTES 1024 /* random numbers fetched at a time */

#define FIN_TEXT 0x81
#define MASKED 0x80

/* Runs once, at the end of this turn of the loop or before the next one waits. Outlives
 * `websockets` until the loop has closed both handles. */
struct ws_flusher {
    struct websockets *owner; /* NULL: gone */
    uv_check_t check;         /* after what came in */
    uv_prepare_t prepare;     /* after timers and finished work */
    int open;
    unsigned char masks[MASKS_BYTES];
    size_t masks_left;
};

/* --- frames (RFC 6455, 5.2 and 5.3) --- */

static int next_mask(struct ws_flusher *f, unsigned char mask[4], struct error *err)
{
    if (f->masks_left == 0) {
        int rc = uv_random(NULL, NULL, f->masks, sizeof(f->masks), 0, NULL);
        if (rc < 0)
            return error_set(err, ERR_NETWORK, "the system gives no random numbers: %s",
                             uv_strerror(rc));
        f->masks_left = sizeof(f->masks);
    }
    f->masks_left -= 4;
    memcpy(mask, f->masks + f->masks_left, 4);
    return 0;
}

static size_t write_head(unsigned char head[14], size_t len)
{
    size_t n = 2;

    head[0] = FIN_TEXT;
    if (len < 126) {
        head[1] = (unsigned char)(MASKED | len);
    } else if (len < 65536) {
        head[1] = MASKED | 126;
        n = 4;
    } else {
        head[1] = MASKED | 127;
        n = 10;
    }
    for (size_t i = 2; i < n; i++)
        head[i] = (unsigned char)((uint64_t)len >> 8 * (n - 1 - i));
    return n;
}

static void mask_bytes(char *bytes, size_t len, const unsigned char mask[4])
{
    uint64_t word, wide;
    size_t i = 0;

    memcpy(&wide, mask, 4);
    memcpy((unsigned char *)&wide + 4, mask, 4);
    for (; i + sizeof(word) <= len; i += sizeof(word)) {
        memcpy(&word, bytes + i, sizeof(word));
        word ^= wide;
        memcpy(bytes + i, &word, sizeof(word));
    }
    for (; i < len; i++)
        bytes[i] = (char)((unsigned char)bytes[i] ^ mask[i % 4]);
}

/* The length of the whole frame that begins at `at`, which write_head() made. */
static size_t frame_length(const char *at)
{
    const unsigned char *head = (const unsigned char *)at;
    size_t short_len = head[1] & 0x7f, n = short_len < 126 ? 2 : short_len == 126 ? 4 : 10;
    uint64_t len = n == 2 ? short_len : 0;

    for (size_t i = 2; i < n; i++)
        len = len << 8 | head[i];
    return n + 4 + (size_t)len;
}

int ws_queue_text(struct websocket *ws, const char *text, size_t len, struct error *err)
{
    unsigned char head[14] = { 0 };
    size_t n = write_head(head, len);

    if (next_mask(ws->owner->flusher, head + n, err) < 0)
        return -1;
    buf_add(&ws->out, head, n + 4);
    buf_add(&ws->out, text, len);
    mask_bytes(ws->out.data + ws->out.len - len, len, head + n);
    ws_flush_soon(ws->owner);
    return 0;
}

size_t ws_queued(const struct websocket *ws)
{
    return ws->out.len - ws->out_at;
}

/* --- handing over --- */

/* After a close frame of either side nothing may follow (RFC 6455, 5.5.1). */
static bool may_send(const struct websocket *ws)
{
    return ws->wsi && !ws->broken &&
           (ws->state == WS_OPEN || (ws->state == WS_CLOSING && ws->our_code));
}

/* As many whole frames as make a batch; one at least. */
static size_t batch_length(const struct websocket *ws)
{
    size_t at = ws->out_at;

    do {
        at += frame_length(ws->out.data + at);
    } while (at < ws->out.len && at + frame_length(ws->out.data + at) - ws->out_at <= BATCH_BYTES);
    return at - ws->out_at;
}

static void let_memory_go(struct websocket *ws)
{
    ws->out_at = 0;
    if (ws->out.cap > KEPT_BYTES)
        buf_clear(&ws->out);
    else
        buf_reset(&ws->out);
}

void ws_flush(struct websocket *ws)
{
    if (!ws_queued(ws) || !may_send(ws))
        return;
    while (ws_queued(ws) && !lws_partial_buffered(ws->wsi)) {
        size_t n = batch_length(ws);
        if (lws_write(ws->wsi, (unsigned char *)ws->out.data + ws->out_at, n, LWS_WRITE_HTTP) < 0) {
            ws->broken = true; /* libwebsockets closes it when its own callback says so */
            lws_callback_on_writable(ws->wsi);
            return;
        }
        ws->out_at += n;
    }
    if (ws_queued(ws)) {
        lws_callback_on_writable(ws->wsi);
        return;
    }
    let_memory_go(ws);
    if (ws->state == WS_CLOSING)
        websocket_sent_all(ws);
}

/* --- once a turn --- */

static void flush_all(struct ws_flusher *f)
{
    uv_check_stop(&f->check);
    uv_prepare_stop(&f->prepare);
    for (struct websocket *ws = f->owner->first; ws; ws = ws->next)
        ws_flush(ws);
}

static void on_check(uv_check_t *handle)
{
    flush_all(handle->data);
}

static void on_prepare(uv_prepare_t *handle)
{
    flush_all(handle->data);
}

void ws_flush_soon(struct websockets *sockets)
{
    struct ws_flusher *f = sockets->flusher;

    uv_check_start(&f->check, on_check);
    uv_prepare_start(&f->prepare, on_prepare);
}

struct ws_flusher *ws_flusher_new(struct websockets *sockets)
{
    struct ws_flusher *f = xcalloc(1, sizeof(*f));

    f->owner = sockets;
    f->open = 2;
    uv_check_init(sockets->loop, &f->check);
    uv_prepare_init(sockets->loop, &f->prepare);
    f->check.data = f->prepare.data = f;
    uv_unref((uv_handle_t *)&f->check);
    uv_unref((uv_handle_t *)&f->prepare);
    return f;
}

static void on_closed(uv_handle_t *handle)
{
    struct ws_flusher *f = handle->data;

    if (--f->open == 0)
        free(f);
}

void ws_flusher_free(struct ws_flusher *f)
{
    uv_close((uv_handle_t *)&f->check, on_closed);
    uv_close((uv_handle_t *)&f->prepare, on_closed);
}
