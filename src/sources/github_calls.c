/* What can be asked of GitHub. */
#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/json.h"
#include "dbconn/base/json_each.h"
#include "github_parse.h"
#include "github_private.h"
#include "source_answer.h"
#include "source_json.h"

static const char no_repo[] = "no such repository, or the token may not see it";
static const char no_commit[] = "no such repository or commit, or the token may not see it";
static const char no_pull[] = "no such repository or pull request, or the token may not see it";

static int parse(const char *body, size_t len, cJSON **ret, struct error *err)
{
    const struct http_reply reply = { .status = 200, .body = body, .body_len = len };

    return source_reply_json(&reply, "GitHub", ret, err);
}

/* A list of files on its way into a result. */
struct file_reading {
    struct source_call *call;
    struct github_file_list *to;
    size_t max;
    bool more; /* some were left out */
};

static bool is_full(const struct source_call *call)
{
    struct github_op *op = call->op;

    op->full = source_is_full(call->mem);
    return op->full;
}

static int read_one_file(void *user, const cJSON *one, struct error *err)
{
    struct file_reading *r = user;

    (void)err;
    if (is_full(r->call))
        return 1;
    r->more = !github_add_file(one, r->call->mem, r->to, r->max);
    return r->more;
}

static const char answer_text[] = "GitHub's answer";

static char *escaped(const char *text)
{
    struct buf out = BUF_INIT;

    url_add_escaped(&out, text);
    return out.data ? buf_take(&out) : xstrdup("");
}

static size_t file_cap(int max_files)
{
    return max_files > 0 && max_files < GITHUB_MAX_FILES ? (size_t)max_files : GITHUB_MAX_FILES;
}

/* More than what any list may hold: its pages are counted by what they hold. */
static int page_cap(size_t max_files, size_t per_page)
{
    return (int)((max_files + per_page - 1) / per_page);
}

/* ---- commits ---- */

struct commit_op {
    struct github_op op;
    struct github_file_list files;
    size_t max_files;
};

/* Every page repeats the commit and goes on with its files. */
static int take_commit(struct source_call *call, struct github_op *op, const char *body, size_t len,
                       struct error *err)
{
    struct commit_op *c = (struct commit_op *)op;
    struct github_commit *commit = op->result;
    struct file_reading r = { call, &c->files, c->max_files, false };
    cJSON *rest = NULL;
    int rc = json_each(body, len, "files", answer_text, read_one_file, &r, &rest, err);

    if (rc >= 0 && op->pages_done == 0)
        rc = github_read_commit(rest, call->mem, commit, err);
    if (rc >= 0 && r.more) {
        source_partial(&commit->meta, "only the first %zu files were read", c->max_files);
        op->pages_left = 0;
    } else if (rc >= 0 && c->files.n >= GITHUB_MAX_FILES) {
        source_partial(&commit->meta, "GitHub lists at most %d files", GITHUB_MAX_FILES);
    }
    commit->files = c->files.items;
    commit->n_files = c->files.n;
    cJSON_Delete(rest);
    return rc < 0 ? -1 : 0;
}

struct source_call *github_get_commit(struct github *g, uint64_t owner, const char *repo,
                                      const char *ref, int max_files, source_done_fn *done,
                                      void *user, struct error *err)
{
    struct source_call *call =
        github_call_new(g, owner, repo, done, user, sizeof(struct commit_op), err);
    char *name = call ? escaped(ref) : NULL;

    if (!call)
        return NULL;
    struct commit_op *c = call->op;
    c->max_files = file_cap(max_files);
    c->op.permission = "contents: read";
    c->op.missing = no_commit;
    c->op.take = take_commit;
    c->op.wanted = github_wanted_commit;
    c->op.pages_left = page_cap(c->max_files, 300);
    c->op.result = source_result_new(call->mem, sizeof(struct github_commit));
    github_set_path(call, "/commits/%s", name);
    github_set_what(call, "read commit %.12s of %s", name, repo);
    free(name);
    return github_start(call, err);
}

struct pulls_op {
    struct github_op op;
    const char *sha;
    size_t cap;
};

static int read_one_pull(void *user, const cJSON *one, struct error *err)
{
    struct source_call *call = user;
    struct pulls_op *p = call->op;
    struct github_pulls *pulls = p->op.result;
    int64_t number;

    if (!json_i64(one, "number", &number))
        return 0;
    struct github_pull *pull = SOURCE_ADD(call->mem, pulls->items, pulls->n, p->cap);
    pull->meta.mem = call->mem;
    return github_read_pull(one, call->mem, pull, err);
}

static int take_pulls(struct source_call *call, struct github_op *op, const char *body, size_t len,
                      struct error *err)
{
    int rc = json_each(body, len, "", answer_text, read_one_pull, call, NULL, err);

    if (rc > 0)
        rc = error_set(err, ERR_PROTOCOL, "GitHub's answer is no list of pull requests");
    github_choose_pull(op->result, op->repo, ((struct pulls_op *)op)->sha);
    return rc;
}

struct source_call *github_commit_pulls(struct github *g, uint64_t owner, const char *repo,
                                        const char *sha, source_done_fn *done, void *user,
                                        struct error *err)
{
    struct source_call *call =
        github_call_new(g, owner, repo, done, user, sizeof(struct pulls_op), err);
    char *name = call ? escaped(sha) : NULL;

    if (!call)
        return NULL;
    struct pulls_op *p = call->op;
    p->sha = source_str(call->mem, sha);
    p->op.permission = "pull requests: read";
    p->op.missing = no_commit;
    p->op.take = take_pulls;
    p->op.wanted = github_wanted_pulls;
    p->op.result = source_result_new(call->mem, sizeof(struct github_pulls));
    github_set_path(call, "/commits/%s/pulls?per_page=100", name);
    github_set_what(call, "find the pull request of commit %.12s of %s", name, repo);
    free(name);
    return github_start(call, err);
}

/* ---- one pull request ---- */

static int take_pull(struct source_call *call, struct github_op *op, const char *body, size_t len,
                     struct error *err)
{
    cJSON *json = NULL;

    if (parse(body, len, &json, err) < 0)
        return -1;
    op->result = github_parse_pull(json, call->mem, err);
    cJSON_Delete(json);
    return op->result ? 0 : -1;
}

struct source_call *github_get_pull(struct github *g, uint64_t owner, const char *repo,
                                    int64_t number, source_done_fn *done, void *user,
                                    struct error *err)
{
    struct source_call *call =
        github_call_new(g, owner, repo, done, user, sizeof(struct github_op), err);

    if (!call)
        return NULL;
    struct github_op *op = call->op;
    op->permission = "pull requests: read";
    op->missing = no_pull;
    op->take = take_pull;
    op->wanted = github_wanted_pull;
    github_set_path(call, "/pulls/%lld", (long long)number);
    github_set_what(call, "read pull request %lld of %s", (long long)number, repo);
    return github_start(call, err);
}

struct files_op {
    struct github_op op;
    struct github_file_list list;
    size_t max;
};

static int take_files(struct source_call *call, struct github_op *op, const char *body, size_t len,
                      struct error *err)
{
    struct files_op *f = (struct files_op *)op;
    struct github_files *files = op->result;
    struct file_reading r = { call, &f->list, f->max, false };
    int rc = json_each(body, len, "", answer_text, read_one_file, &r, NULL, err);

    if (rc > 0)
        rc = error_set(err, ERR_PROTOCOL, "GitHub's answer is no list of files");
    if (rc == 0 && r.more)
        source_partial(&files->meta, "only the first %zu files were read", f->max);
    else if (rc == 0 && f->list.n >= GITHUB_MAX_FILES)
        source_partial(&files->meta, "GitHub lists at most %d files", GITHUB_MAX_FILES);
    files->items = f->list.items;
    files->n = f->list.n;
    return rc;
}

struct source_call *github_pull_files(struct github *g, uint64_t owner, const char *repo,
                                      int64_t number, int max_files, source_done_fn *done,
                                      void *user, struct error *err)
{
    struct source_call *call =
        github_call_new(g, owner, repo, done, user, sizeof(struct files_op), err);

    if (!call)
        return NULL;
    struct files_op *f = call->op;
    f->max = file_cap(max_files);
    f->op.permission = "pull requests: read";
    f->op.missing = no_pull;
    f->op.take = take_files;
    f->op.wanted = github_wanted_files;
    f->op.pages_left = page_cap(f->max, 100);
    f->op.result = source_result_new(call->mem, sizeof(struct github_files));
    github_set_path(call, "/pulls/%lld/files?per_page=100", (long long)number);
    github_set_what(call, "read the files of pull request %lld of %s", (long long)number, repo);
    return github_start(call, err);
}

/* ---- compare ---- */

#define COMPARE_FILES 300 /* as many as GitHub lists */

static enum github_compare_status compare_status(const char *name)
{
    static const char *const names[] = {
        [GITHUB_COMPARE_AHEAD] = "ahead",
        [GITHUB_COMPARE_BEHIND] = "behind",
        [GITHUB_COMPARE_DIVERGED] = "diverged",
        [GITHUB_COMPARE_IDENTICAL] = "identical",
    };

    for (size_t i = 1; name && i < ARRAY_LEN(names); i++) {
        if (strcmp(name, names[i]) == 0)
            return (enum github_compare_status)i;
    }
    return GITHUB_COMPARE_UNKNOWN;
}

struct compare_reading {
    struct source_mem *mem;
    struct github_compare *to;
    size_t cap;
};

static int read_compare_commit(void *user, const cJSON *one, struct error *err)
{
    struct compare_reading *r = user;

    if (!json_str(one, "sha"))
        return 0;
    struct github_commit *commit = SOURCE_ADD(r->mem, r->to->commits, r->to->n_commits, r->cap);
    commit->meta.mem = r->mem;
    return github_read_commit(one, r->mem, commit, err);
}

/* All but the two lists. */
static int read_comparison(const cJSON *json, struct source_mem *mem, struct github_compare *ret,
                           struct error *err)
{
    ret->status = compare_status(json_str(json, "status"));
    if (ret->status == GITHUB_COMPARE_UNKNOWN)
        return error_set(err, ERR_PROTOCOL, "GitHub's answer is no comparison");
    ret->ahead_by = source_json_count(json, "ahead_by");
    ret->behind_by = source_json_count(json, "behind_by");
    ret->total_commits = source_json_count(json, "total_commits");
    ret->html_url = source_json_str(mem, json, "html_url");
    ret->merge_base_sha = source_json_str(mem, json_get(json, "merge_base_commit"), "sha");
    return 0;
}

static int read_compare_files(const char *body, size_t len, struct source_call *call,
                              struct github_compare *ret, struct error *err)
{
    struct github_file_list files = { 0 };
    struct file_reading r = { call, &files, GITHUB_MAX_FILES, false };

    if (json_each(body, len, "files", answer_text, read_one_file, &r, NULL, err) < 0)
        return -1;
    ret->files = files.items;
    ret->n_files = files.n;
    if (files.n >= COMPARE_FILES)
        source_partial(&ret->meta, "GitHub lists at most %d files here", COMPARE_FILES);
    return 0;
}

static int take_compare(struct source_call *call, struct github_op *op, const char *body,
                        size_t len, struct error *err)
{
    struct github_compare *compare = op->result;
    struct compare_reading r = { call->mem, compare, 0 };
    cJSON *rest = NULL;
    int rc = json_each(body, len, "commits", answer_text, read_compare_commit, &r, &rest, err);

    if (rc >= 0)
        rc = read_comparison(rest, call->mem, compare, err);
    cJSON_Delete(rest);
    if (rc >= 0)
        rc = read_compare_files(body, len, call, compare, err);
    if (rc >= 0 && compare->total_commits > (int64_t)compare->n_commits)
        source_partial(&compare->meta, "only %zu of %lld commits are listed", compare->n_commits,
                       (long long)compare->total_commits);
    return rc;
}

struct source_call *github_compare(struct github *g, uint64_t owner, const char *repo,
                                   const char *base, const char *head, source_done_fn *done,
                                   void *user, struct error *err)
{
    struct source_call *call =
        github_call_new(g, owner, repo, done, user, sizeof(struct github_op), err);

    if (!call)
        return NULL;
    struct github_op *op = call->op;
    char *from = escaped(base), *to = escaped(head);
    op->permission = "contents: read";
    op->missing = "one of the two is unknown in this repository, or they have nothing in common";
    op->take = take_compare;
    op->wanted = github_wanted_compare;
    op->result = source_result_new(call->mem, sizeof(struct github_compare));
    github_set_path(call, "/compare/%s...%s", from, to);
    github_set_what(call, "compare %.12s with %.12s of %s", from, to, repo);
    free(from);
    free(to);
    return github_start(call, err);
}

/* ---- the repository and the limit ---- */

static int take_repository(struct source_call *call, struct github_op *op, const char *body,
                           size_t len, struct error *err)
{
    struct github_repository *repo = op->result;
    cJSON *json = NULL;

    if (parse(body, len, &json, err) < 0)
        return -1;
    repo->id = source_json_id(call->mem, json, "id");
    repo->full_name = source_json_str(call->mem, json, "full_name");
    repo->default_branch = source_json_str(call->mem, json, "default_branch");
    repo->html_url = source_json_str(call->mem, json, "html_url");
    repo->archived = source_json_flag(json, "archived");
    repo->is_private = source_json_flag(json, "private");
    cJSON_Delete(json);
    return repo->full_name ? 0 : error_set(err, ERR_PROTOCOL, "GitHub's answer is no repository");
}

struct source_call *github_get_repository(struct github *g, uint64_t owner, const char *repo,
                                          source_done_fn *done, void *user, struct error *err)
{
    struct source_call *call =
        github_call_new(g, owner, repo, done, user, sizeof(struct github_op), err);

    if (!call)
        return NULL;
    struct github_op *op = call->op;
    op->permission = "metadata: read";
    op->missing = no_repo;
    op->take = take_repository;
    op->result = source_result_new(call->mem, sizeof(struct github_repository));
    github_set_path(call, "%s", "");
    github_set_what(call, "read repository %s", repo);
    return github_start(call, err);
}

#define MAX_EPOCH_S INT64_C(100000000000) /* the year 5138 */

static int take_rate(struct source_call *call, struct github_op *op, const char *body, size_t len,
                     struct error *err)
{
    struct github_rate *rate = op->result;
    cJSON *json = NULL;
    int64_t reset;

    (void)call;
    if (parse(body, len, &json, err) < 0)
        return -1;
    /* The top-level "rate" is gone from newer API versions. */
    const cJSON *core = json_path(json, "resources", "core", NULL);
    rate->limit = source_json_count(core, "limit");
    rate->remaining = source_json_count(core, "remaining");
    rate->used = source_json_count(core, "used");
    rate->reset_ms = TIME_UNKNOWN;
    if (json_i64(core, "reset", &reset) && reset > 0 && reset < MAX_EPOCH_S)
        rate->reset_ms = reset * SECOND_MS;
    cJSON_Delete(json);
    return 0;
}

struct source_call *github_get_rate(struct github *g, uint64_t owner, source_done_fn *done,
                                    void *user, struct error *err)
{
    struct source_call *call =
        github_call_new(g, owner, NULL, done, user, sizeof(struct github_op), err);

    if (!call)
        return NULL;
    struct github_op *op = call->op;
    op->take = take_rate;
    op->result = source_result_new(call->mem, sizeof(struct github_rate));
    github_set_path(call, "/rate_limit");
    github_set_what(call, "read the rate limit");
    return github_start(call, err);
}
