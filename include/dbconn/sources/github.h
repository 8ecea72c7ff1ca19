/*
 * github - a typed client of the GitHub REST API: github.com and GitHub Enterprise.
 *
 * API version 2022-11-28. At most two requests are in flight a token, as GitHub asks ("Best
 * practices for using the REST API"). Answers are kept by ETag in a small cache, so that asking
 * again costs nothing of the hourly limit. The contract of calls and results is that of source.h.
 * `repo` is "owner/name". `owner` is the job, for fairness.
 * Error codes: ERR_UNAUTHORIZED, ERR_FORBIDDEN (the message names the missing permission),
 * ERR_NOT_FOUND (404; also 422 for an unknown SHA, 409 for an empty repository), ERR_INVALID,
 * ERR_RATE_LIMITED (with retry_after_ms), ERR_UPSTREAM, ERR_PROTOCOL, and those of http.h.
 */
#ifndef DBCONN_SOURCES_GITHUB_H
#define DBCONN_SOURCES_GITHUB_H

#include <cjson/cJSON.h>

#include "dbconn/sources/source.h"

struct http;
struct http_reply;
struct github;      /* opaque */
struct github_auth; /* opaque: where the Authorization header comes from */

struct github_app_options {
    const char *client_id; /* the App's client id (or app id) */
    const char *private_key_pem;
    const char *installation_id; /* NULL: looked up by repository */
};

struct github_options {
    const char *url;                      /* "https://api.github.com", "https://HOST/api/v3" */
    const char *token;                    /* a personal or installation token; or NULL and: */
    const struct github_app_options *app; /* a GitHub App */
    int max_per_second;                   /* 0: 15, the 900 points a minute that GitHub allows */
    int64_t budget_ms;                    /* for one request with its retries; 0: 20 s */
    int max_pages;                        /* of one list at most; 0: as each call asks for */
    size_t cache_bytes;                   /* kept answers; 0: 1 MiB */
    struct source_limits limits;
};

/* The caller owns *ret; all strings are copied, secrets are wiped on free.
 * Errors: ERR_CONFIG, also for a private key that OpenSSL cannot read. */
int github_new(struct http *http, const struct github_options *options, struct github **ret,
               struct error *err) MUST_CHECK;
void github_free(struct github *g); /* cancels what is under way; NULL is fine */

/* ---- results ---- */

enum github_file_status {
    GITHUB_FILE_UNKNOWN,
    GITHUB_FILE_ADDED,
    GITHUB_FILE_REMOVED,
    GITHUB_FILE_MODIFIED,
    GITHUB_FILE_RENAMED,
    GITHUB_FILE_COPIED,
    GITHUB_FILE_CHANGED,
    GITHUB_FILE_UNCHANGED,
};

struct github_file {
    const char *filename;
    const char *previous_filename; /* only of renamed or copied ones */
    enum github_file_status status;
    int64_t additions, deletions; /* 0 for binary files */
    /* Hunks without file headers, starting at "@@"; NULL: GitHub did not send it (binary, too
     * large, renamed only), which is not "no change". */
    const char *patch;
    const char *blob_url;
};

struct github_files {
    struct source_result meta; /* partial: there are more (GitHub lists 3000, or our page cap) */
    struct github_file *items;
    size_t n;
};

struct github_commit {
    struct source_result meta; /* partial: not all files */
    const char *sha, *html_url, *message;
    const char *author_name, *author_login;
    int64_t authored_ms, committed_ms;
    const char **parents; /* SHAs; two or more: a merge, whose files are against the first */
    size_t n_parents;
    int64_t additions, deletions;
    enum tristate has_files; /* NO: the answer had no file list */
    struct github_file *files;
    size_t n_files;
};

struct github_pull {
    struct source_result meta;
    int64_t number;
    const char *title, *body, *html_url, *state, *author, *merged_by, *merge_commit_sha;
    const char *base_ref, *head_ref, *base_sha, *head_sha, *base_repo;
    enum tristate merged;
    int64_t created_ms, merged_ms, closed_ms;
    int64_t commits, additions, deletions, changed_files; /* -1 in lists */
    const char **labels;
    size_t n_labels;
};

enum github_pull_match {
    GITHUB_PULL_NONE,         /* pushed without a pull request, or not known (yet) */
    GITHUB_PULL_MERGE_COMMIT, /* the commit is what merging it made */
    GITHUB_PULL_MERGED,       /* the latest merged one that contains it */
    GITHUB_PULL_UNMERGED,     /* only in open or closed ones */
};

struct github_pulls {
    struct source_result meta;
    struct github_pull *items;
    size_t n;
    const struct github_pull *chosen; /* NULL with GITHUB_PULL_NONE */
    enum github_pull_match match;
};

enum github_compare_status {
    GITHUB_COMPARE_UNKNOWN,
    GITHUB_COMPARE_AHEAD,
    GITHUB_COMPARE_BEHIND, /* head is older than base: a rollback */
    GITHUB_COMPARE_DIVERGED,
    GITHUB_COMPARE_IDENTICAL,
};

struct github_compare {
    struct source_result meta; /* partial: more commits or files than listed */
    enum github_compare_status status;
    int64_t ahead_by, behind_by, total_commits;
    const char *html_url, *merge_base_sha;
    struct github_commit *commits; /* oldest first, without files */
    size_t n_commits;
    struct github_file *files; /* at most 300 */
    size_t n_files;
};

struct github_deployment {
    const char *id, *sha, *ref, *task, *environment, *description, *creator;
    int64_t created_ms, updated_ms;
    enum tristate production;
};

struct github_deployments {
    struct source_result meta;
    struct github_deployment *items; /* newest first */
    size_t n;
};

struct github_deployment_status {
    const char *state; /* "success", "failure", "in_progress", ... */
    const char *environment, *description;
    int64_t created_ms;
};

struct github_deployment_statuses {
    struct source_result meta;
    struct github_deployment_status *items; /* newest first */
    size_t n;
    int64_t first_success_ms; /* the deployment's time; TIME_UNKNOWN */
};

struct github_repository {
    struct source_result meta;
    const char *id, *full_name, *default_branch, *html_url;
    enum tristate archived, is_private;
};

struct github_rate {
    struct source_result meta;
    int64_t limit, remaining, used, reset_ms;
};

/* ---- calls ---- */

/* `ref`: SHA, unique prefix, branch or tag. All pages of its files, at most `max_files`, 0: 3000.
 * Result: struct github_commit. */
struct source_call *github_get_commit(struct github *g, uint64_t owner, const char *repo,
                                      const char *ref, int max_files, source_done_fn *done,
                                      void *user, struct error *err) MUST_CHECK;
/* Pull requests that contain a commit, with the one that brought it chosen.
 * Result: struct github_pulls. */
struct source_call *github_commit_pulls(struct github *g, uint64_t owner, const char *repo,
                                        const char *sha, source_done_fn *done, void *user,
                                        struct error *err) MUST_CHECK;
/* Result: struct github_pull. */
struct source_call *github_get_pull(struct github *g, uint64_t owner, const char *repo,
                                    int64_t number, source_done_fn *done, void *user,
                                    struct error *err) MUST_CHECK;
/* At most `max_files`, 0: 3000. Result: struct github_files. */
struct source_call *github_pull_files(struct github *g, uint64_t owner, const char *repo,
                                      int64_t number, int max_files, source_done_fn *done,
                                      void *user, struct error *err) MUST_CHECK;
/* Result: struct github_compare. */
struct source_call *github_compare(struct github *g, uint64_t owner, const char *repo,
                                   const char *base, const char *head, source_done_fn *done,
                                   void *user, struct error *err) MUST_CHECK;
/* `sha` and `environment` filter, NULL: any. Result: struct github_deployments. */
struct source_call *github_list_deployments(struct github *g, uint64_t owner, const char *repo,
                                            const char *sha, const char *environment,
                                            source_done_fn *done, void *user,
                                            struct error *err) MUST_CHECK;
/* Result: struct github_deployment_statuses. */
struct source_call *github_deployment_statuses(struct github *g, uint64_t owner, const char *repo,
                                               const char *deployment_id, source_done_fn *done,
                                               void *user, struct error *err) MUST_CHECK;
/* Result: struct github_repository. */
struct source_call *github_get_repository(struct github *g, uint64_t owner, const char *repo,
                                          source_done_fn *done, void *user,
                                          struct error *err) MUST_CHECK;
/* Result: struct github_rate; costs nothing of the limit. */
struct source_call *github_get_rate(struct github *g, uint64_t owner, source_done_fn *done,
                                    void *user, struct error *err) MUST_CHECK;
/* Is the credential good, and may it read these repositories (NULL at the end; or NULL)?
 * Result: struct source_check. */
struct source_call *github_check(struct github *g, uint64_t owner, const char *const *repos,
                                 source_done_fn *done, void *user, struct error *err) MUST_CHECK;

/* ---- pure ---- */

struct github_pull *github_parse_pull(const cJSON *json, struct source_mem *mem,
                                      struct error *err) MUST_CHECK;
/* Sets `chosen` and `match` for the commit `sha` of `repo`. */
void github_choose_pull(struct github_pulls *pulls, const char *repo, const char *sha);
/* How long to wait by a reply's rate-limit headers (an http_limit_fn). */
int64_t github_limit(const struct http_reply *reply, int64_t now_wall_ms);

#endif
