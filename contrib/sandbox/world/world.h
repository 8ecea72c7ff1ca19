/*
 * world - one scenario file in memory: an invented incident with everything that Sentry, GitHub
 * and Elasticsearch know of it, and the Slack workspace it happens in.
 *
 * Times in the file are relative to the moment it is loaded: a string "@-3h25m10.5s" becomes that
 * moment in ISO 8601, and "{{@-3h25m|pg}}" inside a text becomes it as the named log format writes
 * it (see stamp.h). The format is described in contrib/sandbox/README.md.
 */
#ifndef SANDBOX_WORLD_WORLD_H
#define SANDBOX_WORLD_WORLD_H

#include <stdint.h>

#include "dbconn/base/json.h"

struct world {
    cJSON *tree;
    int64_t now_ms;       /* when it was loaded: "now" of the incident */
    const char *name;     /* these are lent by the tree; never NULL */
    const char *short_id; /* the issue to investigate, as a person would type it */
    const cJSON *sentry;  /* NULL when the file has no such part */
    const cJSON *github;
    const cJSON *elasticsearch;
    const cJSON *slack;
    const cJSON *env; /* further environment for the bot */
};

/* Errors: ERR_CONFIG naming the file. The caller ends *ret with world_clear(). */
int world_load(const char *path, struct world *ret, struct error *err) MUST_CHECK;
void world_clear(struct world *world);

#endif
