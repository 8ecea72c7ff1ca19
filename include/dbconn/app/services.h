/*
 * services - the backends of a process, made from the configuration: loop, HTTP client, policy and
 * the typed clients. One per process; loop thread only.
 */
#ifndef DBCONN_APP_SERVICES_H
#define DBCONN_APP_SERVICES_H

#include <uv.h>

#include "dbconn/app/config.h"
#include "dbconn/collectors/collectors.h"
#include "dbconn/playbook/playbook.h"

struct http;
struct net_policy;
struct failure_reader;

struct services {
    uv_loop_t loop;
    struct net_policy *policy;
    struct http *http;
    struct sources sources;
    struct failure_reader *reader;
    struct playbook *playbook;
    bool loop_ready;
};

/* Everything; services_close() ends it, also after a failure. Errors: ERR_CONFIG. */
int services_open(const struct config *config, struct services *s, struct error *err) MUST_CHECK;
/* False when a thread is still at work for `s->loop` (see loop_finish()): then `s` must stay, and
 * only _exit() ends the process at once. */
bool services_close(struct services *s);

/* The same in parts, for a process that reads its configuration more than once: what stays (all but
 * `sources` and `playbook`), ended by services_close(); */
int services_open_base(const struct config *config, struct services *s,
                       struct error *err) MUST_CHECK;
/* the clients, ended by sources_close(), also after a failure; `config` must outlive them; */
int sources_open(const struct config *config, struct services *s, struct sources *ret,
                 struct error *err) MUST_CHECK;
void sources_close(struct sources *sources);
/* and the playbook, ended by playbook_unref(). Errors: ERR_CONFIG. */
int playbook_from_config(const struct config *config, struct playbook **ret,
                         struct error *err) MUST_CHECK;

#endif
