/*
 * shell - the server around the services: ports, requests, faults, the journal, WebSockets.
 *
 * One libwebsockets context, one thread, its own poll loop. Everything listens on 127.0.0.1.
 */
#ifndef SANDBOX_SHELL_SHELL_H
#define SANDBOX_SHELL_SHELL_H

#include <libwebsockets.h>

#include "shell/fault.h"
#include "shell/http.h"
#include "shell/journal.h"

struct shell;   /* opaque */
struct service; /* opaque: one port */
struct ws;      /* opaque: one WebSocket */

/* What a service is made of. `user` is what shell_listen() was given. */
struct service_ops {
    const char *name; /* "sentry" */
    void (*handle)(void *user, const struct request *req, struct reply *reply);
    /* Fills the error that `effect` asks for (status or error), worded as this service does. */
    void (*refuse)(void *user, const struct fault_effect *effect, struct reply *reply);
    /* Makes an answer empty but of the same shape; NULL: "" for text, [] and {} for JSON. */
    void (*empty)(void *user, struct reply *reply);
    /* The WebSocket part; NULL where there is none. accept gives 101, or the status to refuse
     * with. `text` is one whole message; `fragmented`: it came in several frames. */
    int (*ws_accept)(void *user, const struct request *req);
    void (*ws_open)(void *user, struct ws *ws, const struct request *req);
    void (*ws_message)(void *user, struct ws *ws, const char *text, size_t len, bool fragmented);
    void (*ws_closed)(void *user, struct ws *ws); /* `ws` is gone after it */
};

struct shell *shell_new(bool allow_kill, struct error *err) MUST_CHECK;
void shell_free(struct shell *shell);

/* Listens on `port`, 0 for any free one. NULL with ERR_CONFIG. Lives as long as the shell. */
struct service *shell_listen(struct shell *shell, const struct service_ops *ops, void *user,
                             int port, struct error *err) MUST_CHECK;
/* Occupies a port that refuses every connection; gives its URL (heap), NULL with ERR_CONFIG. */
char *shell_refuse(struct shell *shell, int port, struct error *err) MUST_CHECK;

const char *service_url(const struct service *service); /* "http://127.0.0.1:4711" */
struct faults *service_faults(struct service *service);
struct journal *shell_journal(struct shell *shell);

/* Runs until shell_stop(), SIGTERM or SIGINT; with `watch_stdin` also until stdin ends. */
void shell_run(struct shell *shell, bool watch_stdin);
void shell_stop(struct shell *shell);

/* A timer that its owner embeds. Zeroed before first use; cancelled before it is freed. */
struct timer {
    lws_sorted_usec_list_t sul; /* first, the callback finds the timer through it */
    void (*fire)(void *user);
    void *user;
};
void timer_start(struct shell *shell, struct timer *timer, int64_t delay_ms,
                 void (*fire)(void *user), void *user);
void timer_cancel(struct timer *timer);

/* WebSockets. Sending queues; frames leave one by one. */
void ws_send(struct ws *ws, const char *text);
void ws_ping(struct ws *ws, const char *body);              /* at most 125 bytes */
void ws_close(struct ws *ws, int code, const char *reason); /* after what is queued */
void ws_cut(struct ws *ws);                                 /* no close frame, at once */
void ws_set_data(struct ws *ws, void *data);
void *ws_data(const struct ws *ws);

#endif
