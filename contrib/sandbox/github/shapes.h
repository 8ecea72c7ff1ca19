/*
 * shapes - repositories, commits, pull requests and files as GitHub shows them. Trees are the
 * caller's.
 */
#ifndef SANDBOX_GITHUB_SHAPES_H
#define SANDBOX_GITHUB_SHAPES_H

#include "dbconn/base/json.h"
#include "world/list.h"

struct repo {
    const char *name; /* "owner/name" */
    const cJSON *spec;
    const struct list *people;
};

cJSON *gh_repo(const struct repo *r);
cJSON *gh_user(const char *login);
cJSON *gh_file(const struct repo *r, const cJSON *file, const char *sha);
cJSON *gh_commit(const struct repo *r, const cJSON *commit);
/* With stats and the files `from`..`from + n`. */
cJSON *gh_commit_full(const struct repo *r, const cJSON *commit, size_t from, size_t n);
cJSON *gh_pull(const struct repo *r, const cJSON *pull, const char *number, bool full);
cJSON *gh_deployment(const struct repo *r, const cJSON *deployment);
cJSON *gh_deployment_status(const struct repo *r, const cJSON *deployment);

/* What "Accept: application/vnd.github.diff" gives for these files. */
void gh_diff(const cJSON *files, struct buf *out);
void gh_patch_mail(const struct repo *r, const cJSON *commit, struct buf *out);

/* "2026-01-02T03:04:05Z": GitHub's times have no fraction. NULL stays null. */
void gh_put_time(cJSON *obj, const char *key, const char *iso);

#endif
