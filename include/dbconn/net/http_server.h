/*
 * http_server - a small HTTP server for the operator's tools (metrics, health), on the event loop,
 * with libwebsockets' HTTP/1.1 on the context that the WebSockets use already.
 *
 * GET and HEAD only, no request bodies, at most HTTP_SERVER_MAX connections at a time so that a
 * flood of them leaves room for the WebSockets; libwebsockets ends those that dawdle. Loop thread
 * only.
 */
#ifndef DBCONN_NET_HTTP_SERVER_H
#define DBCONN_NET_HTTP_SERVER_H

#include "dbconn/base/buf.h"
#include "dbconn/base/error.h"

#define HTTP_SERVER_MAX 16

struct http_server;   /* opaque: one a process */
struct http_exchange; /* opaque: one request that waits for its answer */
struct websockets;

/* A request came. It is answered with http_exchange_reply(), once, inside this call or later from
 * the loop. `path` is without the query. Lent. */
typedef void http_serve_fn(void *user, struct http_exchange *x, const char *path);

/*
 * Listens at `listen`: "127.0.0.1:9464", "[::1]:9464", or a port alone, which means 127.0.0.1; port
 * 0 lets the system choose. The caller owns *ret. `sockets` must outlive it. Errors: ERR_CONFIG
 * (not to be read), ERR_NETWORK (no such address here, or the port is taken).
 */
int http_server_new(struct websockets *sockets, const char *listen, http_serve_fn *serve,
                    void *user, struct http_server **ret, struct error *err) MUST_CHECK;
/* Forgets what waits for an answer: those exchanges are gone. NULL is fine. */
void http_server_free(struct http_server *server);

int http_server_port(const struct http_server *server);
const char *http_server_address(const struct http_server *server); /* "127.0.0.1"; lent */

/* Ends the exchange. `body` is taken over and left empty. */
void http_exchange_reply(struct http_exchange *x, int status, const char *content_type,
                         struct buf *body);

/* Reads what http_server_new() accepts. The caller frees *ret_address. Pure. Errors: ERR_CONFIG. */
int http_listen_parse(const char *listen, char **ret_address, int *ret_port,
                      struct error *err) MUST_CHECK;

#endif
