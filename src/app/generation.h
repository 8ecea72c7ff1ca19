/*
 * generation - what one reading of the configuration made: the rules of access, the playbook, the
 * clients of the sources. A reload makes a new one; the old one lives on until the last
 * investigation that began with it has ended. Loop thread only.
 */
#ifndef DBCONN_APP_GENERATION_H
#define DBCONN_APP_GENERATION_H

#include "dbconn/app/services.h"

struct access;
struct notify;

struct generation {
    int refs;
    struct config *config;
    struct sources sources;
    struct playbook *playbook;
    struct access *access;
    struct notify *notify;
    char **auto_channels;
    size_t n_auto_channels, cap_auto_channels;
};

/* Takes `config` over, also on failure. `services` must outlive it. The caller owns a reference.
 * Errors: ERR_CONFIG. */
int generation_new(struct config *config, struct services *services, struct generation **ret,
                   struct error *err) MUST_CHECK;
void generation_ref(void *generation);
void generation_unref(void *generation); /* NULL is fine */

#endif
