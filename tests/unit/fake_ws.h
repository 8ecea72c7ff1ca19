/*
 * fake_ws - the server side of a WebSocket (RFC 6455) over a connection of fake_http.h, frame by
 * frame, so that a test can also break the rules.
 */
#ifndef DBCONN_TESTS_FAKE_WS_H
#define DBCONN_TESTS_FAKE_WS_H

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "fake_http.h"

enum { WS_CONT = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

struct fake_frame {
    int opcode;
    bool fin;
    const char *payload; /* unmasked, NUL-terminated, lent */
    size_t len;
};

/* Answers the request's upgrade; the connection speaks frames from here on. */
static inline void fake_ws_accept(struct fake_conn *conn, const struct fake_request *request)
{
    const char *line = strcasestr(request->head, "Sec-WebSocket-Key: ");
    unsigned char hash[SHA_DIGEST_LENGTH], b64[32];
    struct buf text = BUF_INIT, out = BUF_INIT;

    assert(line);
    line += 19;
    buf_add(&text, line, strcspn(line, "\r\n"));
    buf_adds(&text, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    SHA1((const unsigned char *)text.data, text.len, hash);
    EVP_EncodeBlock(b64, hash, sizeof(hash));
    buf_addf(&out,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
             (const char *)b64);
    conn->upgraded = true;
    conn->busy = false;
    fake_send(conn, out.data, out.len);
    buf_clear(&text);
    buf_clear(&out);
}

static inline void fake_ws_send(struct fake_conn *conn, int opcode, bool fin, const char *payload,
                                size_t len)
{
    struct buf out = BUF_INIT;

    buf_addc(&out, (char)((fin ? 0x80 : 0) | opcode));
    if (len < 126) {
        buf_addc(&out, (char)len);
    } else if (len < 65536) {
        buf_addc(&out, 126);
        buf_addc(&out, (char)(len >> 8));
        buf_addc(&out, (char)(len & 0xFF));
    } else {
        buf_addc(&out, 127);
        for (int shift = 56; shift >= 0; shift -= 8)
            buf_addc(&out, (char)(len >> shift & 0xFF));
    }
    buf_add(&out, payload, len);
    fake_send(conn, out.data, out.len);
    buf_clear(&out);
}

static inline void fake_ws_text(struct fake_conn *conn, const char *text)
{
    fake_ws_send(conn, WS_TEXT, true, text, strlen(text));
}

static inline void fake_ws_close(struct fake_conn *conn, int code, const char *reason)
{
    struct buf payload = BUF_INIT;

    buf_addc(&payload, (char)(code >> 8));
    buf_addc(&payload, (char)(code & 0xFF));
    buf_adds(&payload, reason);
    fake_ws_send(conn, WS_CLOSE, true, payload.data, payload.len);
    buf_clear(&payload);
}

/* Takes one whole frame off the connection; the payload lies in `payload`. A client's frames must
 * be masked (RFC 6455 5.1). */
static inline bool fake_ws_take(struct fake_conn *conn, struct fake_frame *frame,
                                struct buf *payload)
{
    const unsigned char *p = (const unsigned char *)conn->in.data;
    size_t have = conn->in.len, head = 2, len;

    if (have < 2)
        return false;
    assert(p[1] & 0x80);
    len = p[1] & 0x7F;
    if (len == 126) {
        if (have < 4)
            return false;
        len = (size_t)p[2] << 8 | p[3];
        head = 4;
    }
    assert((p[1] & 0x7F) != 127); /* no test sends that much */
    if (have < head + 4 + len)
        return false;
    buf_reset(payload);
    for (size_t i = 0; i < len; i++)
        buf_addc(payload, (char)(p[head + 4 + i] ^ p[head + i % 4]));
    *frame = (struct fake_frame){ p[0] & 15, (p[0] & 0x80) != 0, buf_str(payload), len };
    fake_consume(conn, head + 4 + len);
    return true;
}

#endif
