/*
 * monitor - what the operator's tools ask over HTTP: /metrics, /healthz and /readyz.
 *
 * /healthz answers as long as the loop turns. /readyz says whether work can be done: a socket that
 * hears from Slack, a store that commits (a small write is tried, at most every 5 s), and
 * credentials that Slack and Sentry accept; GitHub and Elasticsearch are told but do not count, as
 * investigations go on without them. /metrics is Prometheus' text format. No secret, no issue and
 * no person is in any of them. Loop thread only.
 */
#ifndef DBCONN_APP_MONITOR_H
#define DBCONN_APP_MONITOR_H

#include "dbconn/app/services.h"
#include "dbconn/base/metrics.h"

struct bot;
struct monitor; /* opaque */
struct websockets;

struct monitor_options {
    const char *listen; /* as for http_server_new() */
    uv_loop_t *loop;
    struct http *http;
    struct websockets *sockets;
    struct bot *bot;
    struct metrics *metrics;
    const struct sources *sources;
    const struct playbook *playbook;
};

/* The caller owns *ret; what `options` points to must outlive it. Errors: those
 * of http_server_new(). */
int monitor_start(const struct monitor_options *options, struct monitor **ret,
                  struct error *err) MUST_CHECK;
void monitor_free(struct monitor *m); /* NULL is fine */

/* From now on these; their credentials are tried. A NULL monitor is fine. */
void monitor_use(struct monitor *m, const struct sources *sources, const struct playbook *playbook);
/* Somebody asked for a reload; was it good? A NULL monitor is fine. */
void monitor_reloaded(struct monitor *m, bool good);

#endif
