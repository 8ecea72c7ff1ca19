/*
 * model - the scenario's Sentry, prepared for questions: issues with their events in order, and
 * what an event's variant, host, release and user make of its tags.
 *
 * Everything that is text is lent by the world; read-only after sentry_model_init().
 */
#ifndef SANDBOX_SENTRY_MODEL_H
#define SANDBOX_SENTRY_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "shell/http.h"
#include "world/list.h"
#include "world/world.h"

struct issue;

struct event {
    const struct issue *issue;
    int64_t at_ms;
    size_t variant, host, transaction;
    const char *release; /* NULL: none */
    int64_t user;        /* -1: none */
    char id[33];
    size_t order; /* place in issue->events */
};

struct issue {
    const cJSON *spec;
    const cJSON *project; /* of sentry.projects */
    const char *id, *short_id, *level, *status, *priority;
    struct list variants, hosts, transactions, releases;
    struct event *events; /* oldest first */
    size_t n, cap;
    const cJSON *older; /* [[seconds before now, count]...]: counted, no longer listed */
    int64_t older_total;
    int64_t first_ms, last_ms;
    int64_t count, users;
    const char *first_release, *last_release; /* versions, or NULL */
};

struct sentry_model {
    const struct world *world;
    const char *org_slug, *org_id, *org_name;
    struct list projects, people, releases, traces, repos;
    struct issue *issues;
    size_t n_issues;
    const struct event **by_id; /* all events, ordered by id */
    size_t n_events, cap_events;
    char **user_tags; /* "id:5000", "id:5001", ... by user number */
    size_t n_users, cap_users;
};

void sentry_model_init(struct sentry_model *m, const struct world *world);
void sentry_model_clear(struct sentry_model *m);

/* All lent; NULL when there is none. */
const struct issue *model_issue(const struct sentry_model *m, const char *id_or_short_id);
const struct event *model_event(const struct sentry_model *m, const char *id);
const cJSON *model_project(const struct sentry_model *m, const char *slug_or_id);
const cJSON *model_release(const struct sentry_model *m, const char *version);
bool release_is_in(const cJSON *release, const char *project_slug);

/* Different users of the listed events in that time, both ends included. */
int64_t issue_users(const struct issue *g, int64_t since_ms, int64_t until_ms);

const cJSON *event_variant(const struct event *e);
const cJSON *event_trace(const struct sentry_model *m, const struct event *e);
const char *event_transaction(const struct event *e);
/* The exception that Sentry titles with: the last one of the trace. */
const cJSON *trace_exception(const cJSON *trace);
/* Its message in this variant. */
const char *variant_value(const cJSON *variant, const cJSON *exception);
/* The frame that names the place: the last in-app one, else the last. NULL without frames. */
const cJSON *exception_frame(const cJSON *exception);
const char *issue_culprit(const struct issue *g);
/* The variant and the trace that title the issue. */
const cJSON *issue_variant(const struct issue *g);
const cJSON *issue_trace(const struct sentry_model *m, const struct issue *g);

struct tag {
    const char *key, *value;
};

struct tags {
    struct tag *items;
    size_t n, cap;
};

/* The tags of an event, ordered by key, each key once. Resets `ret` first; end with tags_clear().
 */
void event_tags(const struct sentry_model *m, const struct event *e, struct tags *ret);
const char *tags_get(const struct tags *tags, const char *key);
void tags_clear(struct tags *tags);

#endif
