/*
 * sentry - the scenario's Sentry on a port of its own, read-only, as its Web API answers.
 * https://docs.sentry.io/api/
 */
#ifndef SANDBOX_SENTRY_SENTRY_H
#define SANDBOX_SENTRY_SENTRY_H

#include "shell/shell.h"
#include "world/world.h"

struct sentry; /* opaque */

/* Errors: ERR_CONFIG. */
struct sentry *sentry_new(struct shell *shell, const struct world *world, int port,
                          struct error *err) MUST_CHECK;
void sentry_free(struct sentry *sentry);
struct service *sentry_service(const struct sentry *sentry);
const char *sentry_token(const struct sentry *sentry);
const char *sentry_org(const struct sentry *sentry);

#endif
