/*
 * ask - one request to the fake Sentry on its way through the routes.
 */
#ifndef SANDBOX_SENTRY_ASK_H
#define SANDBOX_SENTRY_ASK_H

#include "sentry/model.h"
#include "sentry/search.h"

struct ask {
    const struct sentry_model *m;
    const struct request *req;
    const struct params *query;
    struct path_parts path; /* after /api/0/ */
    struct reply *reply;
};

void ask_refuse(struct ask *a, int status, const char *detail);
void ask_not_found(struct ask *a);
void ask_invalid(struct ask *a, struct error *err); /* 400 with the error's words; clears it */
void ask_answer(struct ask *a, cJSON *tree);

/* A page of `total` rows: where it begins and how many it holds; sets Link and X-Hits. False when
 * the request was refused. */
bool ask_page(struct ask *a, size_t total, size_t *ret_from, size_t *ret_n);
/* Is the event in one of the environments that the request names (or does it name none)? */
bool ask_environment(struct ask *a, const struct event *e);
/* Is the project among those the request names (or does it name none, or -1)? */
bool ask_project(struct ask *a, const cJSON *project);

/* The routes: `at` is the first part of the path they look at. */
void route_issue(struct ask *a, const struct issue *g, size_t at); /* issues.c */
void list_issues(struct ask *a, const cJSON *project, int64_t default_ms);
void route_releases(struct ask *a, const cJSON *project, size_t at); /* releases.c */
void answer_committers(struct ask *a, const struct event *e);
void answer_timeseries(struct ask *a); /* discover.c */
void answer_events_stats(struct ask *a);
void answer_events_table(struct ask *a);

#endif
