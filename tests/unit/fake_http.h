/*
 * fake_http - a small HTTP/1.1 server over fake_tcp.h.
 *
 * The handler sees each request and answers with fake_reply(), now or later, or ends the
 * connection with fake_drop().
 */
#ifndef DBCONN_TESTS_FAKE_HTTP_H
#define DBCONN_TESTS_FAKE_HTTP_H

#include <stdio.h>

#include "fake_tcp.h"

struct fake_request {
    char method[16], target[1024];
    const char *head; /* all header lines, lent */
    const char *body; /* NUL-terminated, lent */
    size_t body_len;
};

typedef void fake_handler(struct fake_conn *conn, const struct fake_request *request, void *user);

struct fake_http {
    struct fake_server tcp; /* first */
    fake_handler *handler;
    void *user;
    int requests; /* so far */
};

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
    struct fake_http *server = (struct fake_http *)conn->server;
    const char *end = conn->busy || conn->closing ? NULL : strstr(buf_str(&conn->in), "\r\n\r\n");
    struct fake_request request = { 0 };

    if (!end)
        return;
    size_t head_len = (size_t)(end - conn->in.data) + 4;
    char *head = xstrndup(conn->in.data, head_len);
    request.body_len = fake_body_length(head);
    if (conn->in.len >= head_len + request.body_len) {
        char *body = xstrndup(conn->in.data + head_len, request.body_len);

        fake_consume(conn, head_len + request.body_len);
        conn->busy = true;
        server->requests++;
        int n = sscanf(head, "%15s %1023s", request.method, request.target);
        assert(n == 2);
        (void)n;
        request.head = head;
        request.body = body;
        server->handler(conn, &request, server->user);
        free(body);
    }
    free(head);
}

static inline void fake_http_start(struct fake_http *server, uv_loop_t *loop, fake_handler *handler,
                                   void *user)
{
    memset(server, 0, sizeof(*server));
    fake_listen(&server->tcp, loop, fake_serve);
    server->handler = handler;
    server->user = user;
}

static inline void fake_http_stop(struct fake_http *server)
{
    fake_close(&server->tcp);
}

#endif
