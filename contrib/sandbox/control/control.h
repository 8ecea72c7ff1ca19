/*
 * control - the port through which the demo and the tests act and look. Loopback, no password:
 * whoever may run programs on this machine may use it. Its paths are listed at GET / and in
 * contrib/sandbox/README.md.
 */
#ifndef SANDBOX_CONTROL_CONTROL_H
#define SANDBOX_CONTROL_CONTROL_H

#include "slack/slack.h"
#include "world/world.h"

/* A service whose faults can be set. */
struct backend {
    const char *name;
    struct service *service;
};

#define BACKENDS_MAX 8

struct control {
    struct shell *shell;
    struct service *service;
    struct slack *slack;
    const struct world *world;
    struct backend backends[BACKENDS_MAX];
    size_t n_backends;
    cJSON *start; /* the line printed at the start, shown again at /env */
    cJSON *shown; /* ts -> what /news has shown of that message */
};

/* Errors: ERR_CONFIG. The caller keeps `control` and ends it with control_clear(). */
int control_listen(struct control *control, int port, struct error *err) MUST_CHECK;
void control_clear(struct control *control);
/* Sets the faults of {"sentry": [...], "slack": {...}}. ERR_INVALID names what is wrong. */
int control_set_faults(struct control *control, const cJSON *by_service,
                       struct error *err) MUST_CHECK;

#endif
