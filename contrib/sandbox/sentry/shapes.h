/*
 * shapes - what Sentry's serializers make of issues, events and releases. Field names and types
 * after https://docs.sentry.io/api/ and the OpenAPI document of getsentry/sentry-api-schema.
 *
 * All trees are the caller's.
 */
#ifndef SANDBOX_SENTRY_SHAPES_H
#define SANDBOX_SENTRY_SHAPES_H

#include "sentry/model.h"

void put_moment(cJSON *obj, const char *key, int64_t ms); /* ...:05.123000Z, or ...:05Z */
void put_tree(cJSON *obj, const char *key, cJSON *tree);  /* NULL: null; takes it */
void put_copy_or_null(cJSON *obj, const char *key, const cJSON *tree);
void add_scopes(cJSON *obj, const char *key);

/* shapes_release.c */
cJSON *shape_release(const struct sentry_model *m, const cJSON *release, const char *project);
/* The release of that version, {"version"} when its row is gone, NULL for NULL. */
cJSON *shape_release_or_version(const struct sentry_model *m, const char *version,
                                const char *project);
cJSON *shape_commit(const struct sentry_model *m, const cJSON *commit, const cJSON *release);
cJSON *shape_deploy(const cJSON *deploy, const cJSON *projects);
cJSON *shape_repo(const struct sentry_model *m, const char *name);
cJSON *shape_person(const struct sentry_model *m, size_t index);
const cJSON *release_last_commit(const cJSON *release); /* as the release object shows it; lent */
bool release_hides_commits(const cJSON *release);

/* shapes_event.c */
cJSON *shape_event(const struct sentry_model *m, const struct event *e, bool full);
cJSON *shape_event_with_release(const struct sentry_model *m, const struct event *e);
char *event_title(const char *type, const char *value); /* heap */
cJSON *shape_metadata(const struct issue *g, const cJSON *trace, const char *value);

/* shapes_issue.c */
struct issue_options {
    bool in_list;
    int64_t since_ms, until_ms; /* counts of a list cover this window; since 0: all time */
    const char *stats_period;   /* "24h", "14d", NULL: none */
};
cJSON *shape_issue(const struct sentry_model *m, const struct issue *g,
                   const struct issue_options *options);
/* [[epoch seconds, count]...] in steps. */
cJSON *shape_stats(const struct sentry_model *m, const struct issue *g, int64_t since_s,
                   int64_t until_s, int64_t step_s);
cJSON *shape_project(const struct sentry_model *m, const cJSON *project);
cJSON *shape_org(const struct sentry_model *m);
char *tag_title(const char *key); /* "server_name" is "Server Name"; heap */

#endif
