/*
 * github - the scenario's GitHub on a port of its own, as the REST API answers.
 * https://docs.github.com/rest (API version 2022-11-28)
 */
#ifndef SANDBOX_GITHUB_GITHUB_H
#define SANDBOX_GITHUB_GITHUB_H

#include "shell/shell.h"
#include "world/world.h"

struct github; /* opaque */

/* Errors: ERR_CONFIG. */
struct github *github_new(struct shell *shell, const struct world *world, int port,
                          struct error *err) MUST_CHECK;
void github_free(struct github *github);
struct service *github_service(const struct github *github);
const char *github_token(const struct github *github);

#endif
