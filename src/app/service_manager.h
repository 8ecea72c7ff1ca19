/*
 * service_manager - tells systemd how the service is (sd_notify(3)): ready, reloading, stopping,
 * still alive, and a line for people. One datagram each to the socket that $NOTIFY_SOCKET names;
 * libsystemd is not needed for that. Loop thread only.
 */
#ifndef DBCONN_APP_SERVICE_MANAGER_H
#define DBCONN_APP_SERVICE_MANAGER_H

#include <uv.h>

#include "dbconn/base/buf.h"

struct service_manager; /* opaque */

struct service_manager_options {
    uv_loop_t *loop;
    char *(*get)(const char *name); /* getenv() or a test's own */
    /* Appends how it goes, a line; asked now and then. */
    void (*status)(void *user, struct buf *out);
    void *user;
};

/* NULL, which every function here takes, when nobody wants to be told. The caller owns it. */
struct service_manager *service_manager_new(const struct service_manager_options *options);
void service_manager_free(struct service_manager *m);

/* It works; also the end of a reload. From the first time on the watchdog ($WATCHDOG_USEC) is told
 * that the loop turns, twice as often as it asks. */
void service_manager_ready(struct service_manager *m);
void service_manager_reloading(struct service_manager *m);
void service_manager_stopping(struct service_manager *m);

#endif
