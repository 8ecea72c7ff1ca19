/* reload - reads the configuration once more while the program runs with an earlier reading. */
#ifndef DBCONN_APP_RELOAD_H
#define DBCONN_APP_RELOAD_H

#include "generation.h"

/*
 * Reads `path` (NULL: the environment alone) and makes a generation of it; what cannot change at
 * run time keeps its value of `running`, and the log says so. The caller owns *ret. Errors: those
 * of config_load() and generation_new(); then nothing has changed.
 */
int reload_read(const char *path, const struct generation *running, struct services *services,
                struct generation **ret, struct error *err) MUST_CHECK;

#endif
