/*
 * visit - one request to the fake GitHub on its way: what the routes share.
 */
#ifndef SANDBOX_GITHUB_VISIT_H
#define SANDBOX_GITHUB_VISIT_H

#include "github/shapes.h"
#include "shell/http.h"

#define PAGE_DEFAULT 30
#define PAGE_MAX 100
#define DOCS "https://docs.github.com/rest"

struct github;

/* The path is "repos", owner, name, and what a route looks at from part 3 on. */
struct visit {
    struct github *github;
    const struct request *req;
    struct reply *reply;
    struct path_parts path;
    struct repo repo; /* once it is found */
};

void visit_fail(struct visit *v, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);
void visit_not_found(struct visit *v);
void visit_answer(struct visit *v, cJSON *tree); /* 200; takes the tree */
/* Which of `total` rows this page holds; sets Link when there are others. */
void visit_page(struct visit *v, size_t total, size_t fallback, size_t *ret_from, size_t *ret_n);

/* What the Accept header asks for. */
enum media { MEDIA_JSON, MEDIA_DIFF, MEDIA_PATCH, MEDIA_SHA };
enum media visit_media(const struct request *req);
/* The files as a diff, or as a mail with the commit (or NULL) above it. */
void visit_diff(struct visit *v, const cJSON *commit, const cJSON *files, enum media media);

/* A SHA, the beginning of one, a branch, a tag; NULL when there is none. */
const cJSON *find_commit(const struct repo *r, const char *ref);

/* commits.c, pulls.c, deployments.c */
void route_commits(struct visit *v, const char *ref);
void route_compare(struct visit *v);
void route_pull(struct visit *v, const char *number, size_t at);
void list_pulls(struct visit *v, const char *sha); /* those that brought the commit; NULL: all */
void route_deployment(struct visit *v, const char *id);
void list_deployments(struct visit *v);

#endif
