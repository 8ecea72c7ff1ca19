/* internal - what shell.c, exchange.c and ws.c share. */
#ifndef SANDBOX_SHELL_INTERNAL_H
#define SANDBOX_SHELL_INTERNAL_H

#include "shell/shell.h"

#define MAX_BODY_BYTES (64 * 1024 * 1024)

struct exchange; /* one request and its reply */

/* libwebsockets keeps one of these for each connection. */
struct session {
    struct exchange *exchange; /* NULL between requests */
    struct ws *ws;             /* NULL for plain HTTP */
};

struct service {
    struct shell *shell;
    struct service_ops ops;
    void *user;
    struct lws_vhost *vhost;
    char *url;
    struct faults *faults;
};

struct shell {
    struct lws_context *context;
    struct journal *journal;
    struct service **services;
    size_t n_services, cap_services;
    int *refusing; /* sockets that are bound and do not listen */
    size_t n_refusing, cap_refusing;
    struct exchange *orphans; /* their clients have gone, their time has not come */
    int signal_fd, stdin_fd;
    bool allow_kill, stopping;
};

/* exchange.c: each returns what the libwebsockets callback must return. */
int exchange_request(struct service *service, struct session *session, struct lws *wsi);
int exchange_body(struct session *session, const void *bytes, size_t len);
int exchange_body_end(struct session *session);
int exchange_writeable(struct session *session, struct lws *wsi);
void exchange_gone(struct session *session); /* the connection closed */
void exchange_forget_orphans(struct shell *shell);
/* The head of the request on `wsi`. The caller clears it. */
void exchange_read_head(struct service *service, struct lws *wsi, struct request *ret);

/* ws.c */
int ws_upgrade(struct service *service, struct lws *wsi);
void ws_established(struct service *service, struct session *session, struct lws *wsi);
int ws_received(struct session *session, struct lws *wsi, const void *bytes, size_t len);
int ws_writeable(struct session *session, struct lws *wsi);
void ws_gone(struct session *session);

#endif
