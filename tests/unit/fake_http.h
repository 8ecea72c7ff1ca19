/*
 * fake_http - a small HTTP/1.1 server on the test's own loop, on a free loopback port.
 *
 * The handler sees each request and answers with fake_reply(), now or later, or ends the
 * connection with fake_drop(). Header-only, so that each test program stays one file.
 */
#ifndef DBCONN_TESTS_FAKE_HTTP_H
#define DBCONN_TESTS_FAKE_HTTP_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

#include "dbconn/base/buf.h"

struct fake_conn;

struct fake_request {
    char method[16], target[1024];
    const char *head; /* all header lines, lent */
    const char *body; /* NUL-terminated, lent */
    size_t body_len;
};

typedef void fake_handler(struct fake_conn *conn, const struct fake_request *request, void *user);

struct fake_http {
    uv_tcp_t listener;
    fake_handler *handler;
    void *user;
    int port;
    int connections, requests; /* so far */
    struct fake_conn *conns;
};

struct fake_conn {
    uv_tcp_t tcp; /* first */
    struct fake_http *server;
    struct fake_conn *prev, *next;
    struct buf in;
    char chunk[4096];
    bool busy, closing;
};

struct fake_write {
    uv_write_t req; /* first */
    struct buf out;
};

static void fake_conn_closed(uv_handle_t *handle)
{
    struct fake_conn *conn = (struct fake_conn *)handle;

    buf_clear(&conn->in);
    free(conn);
}

static inline void fake_drop(struct fake_conn *conn)
{
    if (conn->closing)
        return;
    conn->closing = true;
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        conn->server->conns = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    uv_close((uv_handle_t *)&conn->tcp, fake_conn_closed);
}

static void fake_written(uv_write_t *req, int status)
{
    (void)status;
    buf_clear(&((struct fake_write *)req)->out);
    free(req);
}

static inline void fake_send(struct fake_conn *conn, const void *bytes, size_t len)
{
    struct fake_write *w = xcalloc(1, sizeof(*w));

    buf_add(&w->out, bytes, len);
    uv_buf_t out = uv_buf_init(w->out.data, (unsigned)len);
    if (uv_write(&w->req, (uv_stream_t *)&conn->tcp, &out, 1, fake_written) < 0)
        fake_written(&w->req, -1);
}

static void fake_serve(struct fake_conn *conn);

/* Sends status, extra header lines (each ending in \r\n, or "") and a body. */
static inline void fake_reply_bytes(struct fake_conn *conn, int status, const char *headers,
                                    const void *body, size_t len)
{
    struct buf out = BUF_INIT;

    buf_addf(&out, "HTTP/1.1 %d Some Reason\r\nContent-Length: %zu\r\n%s\r\n", status, len,
             headers);
    buf_add(&out, body, len);
    fake_send(conn, out.data, out.len);
    buf_clear(&out);
    conn->busy = false;
    fake_serve(conn);
}

static inline void fake_reply(struct fake_conn *conn, int status, const char *headers,
                              const char *body)
{
    fake_reply_bytes(conn, status, headers, body, strlen(body));
}

static inline size_t fake_body_length(const char *head)
{
    const char *line = strcasestr(head, "\r\nContent-Length:");

    return line ? (size_t)strtoul(line + 17, NULL, 10) : 0;
}

/* Takes one whole request off the connection's bytes and hands it to the handler. */
static void fake_serve(struct fake_conn *conn)
{
    const char *end = conn->busy || conn->closing ? NULL : strstr(buf_str(&conn->in), "\r\n\r\n");
    struct fake_request request = { 0 };

    if (!end)
        return;
    size_t head_len = (size_t)(end - conn->in.data) + 4;
    char *head = xstrndup(conn->in.data, head_len);
    request.body_len = fake_body_length(head);
    if (conn->in.len >= head_len + request.body_len) {
        char *body = xstrndup(conn->in.data + head_len, request.body_len);
        struct buf rest = BUF_INIT;

        buf_add(&rest, conn->in.data + head_len + request.body_len,
                conn->in.len - head_len - request.body_len);
        buf_clear(&conn->in);
        conn->in = rest;
        conn->busy = true;
        conn->server->requests++;
        int n = sscanf(head, "%15s %1023s", request.method, request.target);
        assert(n == 2);
        (void)n;
        request.head = head;
        request.body = body;
        conn->server->handler(conn, &request, conn->server->user);
        free(body);
    }
    free(head);
}

static void fake_alloc(uv_handle_t *handle, size_t size, uv_buf_t *ret)
{
    struct fake_conn *conn = (struct fake_conn *)handle;

    (void)size;
    *ret = uv_buf_init(conn->chunk, sizeof(conn->chunk));
}

static void fake_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
    struct fake_conn *conn = (struct fake_conn *)stream;

    if (n < 0) {
        fake_drop(conn);
        return;
    }
    buf_add(&conn->in, bytes->base, (size_t)n);
    fake_serve(conn);
}

static void fake_accept(uv_stream_t *listener, int status)
{
    struct fake_http *server = (struct fake_http *)listener;
    struct fake_conn *conn = xcalloc(1, sizeof(*conn));

    assert(status == 0);
    (void)status;
    uv_tcp_init(listener->loop, &conn->tcp);
    conn->server = server;
    conn->next = server->conns;
    if (server->conns)
        server->conns->prev = conn;
    server->conns = conn;
    server->connections++;
    uv_accept(listener, (uv_stream_t *)&conn->tcp);
    uv_read_start((uv_stream_t *)&conn->tcp, fake_alloc, fake_read);
}

static inline void fake_http_start(struct fake_http *server, uv_loop_t *loop, fake_handler *handler,
                                   void *user)
{
    struct sockaddr_in addr;
    struct sockaddr_storage bound;
    int len = sizeof(bound);

    memset(server, 0, sizeof(*server));
    server->handler = handler;
    server->user = user;
    uv_tcp_init(loop, &server->listener);
    uv_ip4_addr("127.0.0.1", 0, &addr);
    uv_tcp_bind(&server->listener, (struct sockaddr *)&addr, 0);
    uv_listen((uv_stream_t *)&server->listener, 64, fake_accept);
    uv_tcp_getsockname(&server->listener, (struct sockaddr *)&bound, &len);
    server->port = ntohs(((struct sockaddr_in *)&bound)->sin_port);
}

static inline void fake_http_stop(struct fake_http *server)
{
    while (server->conns)
        fake_drop(server->conns);
    uv_close((uv_handle_t *)&server->listener, NULL);
}

#endif
