/* Is the credential good, and may it read the configured repositories? */
#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/json.h"
#include "github_private.h"
#include "source_answer.h"
#include "source_check.h"
#include "source_mem.h"

/* Step 0 asks for the limit; then these three for each repository. */
static const struct {
    const char *path, *permission, *what;
} repo_steps[] = {
    { "", "metadata: read", "GitHub: see %s (metadata: read)" },
    { "/commits?per_page=1", "contents: read", "GitHub: read commits of %s (contents: read)" },
    { "/pulls?state=all&per_page=1", "pull requests: read",
      "GitHub: read pull requests of %s (pull requests: read)" },
};

struct check_op {
    struct source_check_op check;
    const char **repos;
    size_t n_repos, cap;
};

static const char *repo_of(const struct source_call *call, size_t step)
{
    const struct check_op *op = call->op;
    size_t i = step ? (step - 1) / ARRAY_LEN(repo_steps) : 0;

    return step && i < op->n_repos ? op->repos[i] : NULL;
}

static const char *what(const struct source_call *call, size_t step)
{
    const char *repo = repo_of(call, step);
    struct buf text = BUF_INIT;
    const char *copy, *fmt, *at;

    if (!repo)
        return "GitHub: use the credential";
    fmt = repo_steps[(step - 1) % ARRAY_LEN(repo_steps)].what;
    at = strstr(fmt, "%s");
    buf_add(&text, fmt, (size_t)(at - fmt));
    buf_addf(&text, "%s%s", repo, at + 2);
    copy = source_str(call->mem, buf_str(&text));
    buf_clear(&text);
    return copy;
}

static int send_step(struct source_call *call, size_t step, struct error *err);

static void on_token(struct source_call *call, const struct error *failure)
{
    const struct source_check_op *op = call->op;
    struct error err = ERROR_INIT;

    if (failure)
        error_copy(&err, failure);
    if (failure || send_step(call, op->step, &err) < 0)
        source_check_reply(call, NULL, &err);
    error_clear(&err);
}

/* An App has no token of its own outside an installation; signing in as the App tests its key. */
static int send_first_step(struct source_call *call, struct error *err)
{
    struct github *g = (struct github *)call->client;
    char *url = xasprintf("%s/app", g->base);
    int rc = github_send_as_app(call, "GET", url, source_check_reply, err);

    free(url);
    return rc;
}

static int send_step(struct source_call *call, size_t step, struct error *err)
{
    struct github *g = (struct github *)call->client;
    const char *repo = repo_of(call, step), *authorization;
    struct github_headers headers;
    char *url;
    int rc;

    if (step > 0 && !repo)
        return 1;
    if (step == 0 && github_auth_name(g->auth))
        return send_first_step(call, err);
    rc = github_authorize(g, call, repo, on_token, &authorization, err);
    if (rc <= 0)
        return rc;
    url = repo ? xasprintf("%s/repos/%s%s", g->base, repo,
                           repo_steps[(step - 1) % ARRAY_LEN(repo_steps)].path)
               : xasprintf("%s/rate_limit", g->base);
    github_headers_init(&headers, authorization, NULL);
    rc = source_send(
        call,
        &(struct http_request){
            .url = url, .headers = headers.lines, .budget_ms = g->budget_ms, .idempotent = true },
        source_check_reply, err);
    github_headers_clear(&headers);
    free(url);
    return rc;
}

/* GET /app */
static int judge_app(struct source_call *call, const struct http_reply *reply, struct error *err)
{
    struct source_check *check = ((struct source_check_op *)call->op)->check;
    const struct github *g = (const struct github *)call->client;
    const struct github_op asked = { .unauthorized = github_bad_app_key };

    check->identity = source_str(call->mem, github_auth_name(g->auth));
    return reply->status == 200 ? 0 : github_reply_error(&asked, reply, err);
}

/* GET /rate_limit */
static int judge_limit(struct source_call *call, const struct http_reply *reply, struct buf *text,
                       struct error *err)
{
    struct source_check *check = ((struct source_check_op *)call->op)->check;
    const char *scopes = http_reply_header(reply, "X-OAuth-Scopes");
    const struct github_op asked = { 0 };
    int64_t remaining, limit;
    cJSON *json = NULL;

    /* Servers of one's own have no limits by default: 404 "Rate limiting is not enabled." */
    if (reply->status == 404) {
        buf_adds(text, "works; this server has no rate limit");
        return 0;
    }
    if (reply->status != 200)
        return github_reply_error(&asked, reply, err);
    if (scopes && *scopes)
        check->identity = source_str(call->mem, scopes);
    if (source_reply_json(reply, "GitHub", &json, err) < 0)
        return -1;
    const cJSON *core = json_path(json, "resources", "core", NULL);
    if (json_i64(core, "remaining", &remaining) && json_i64(core, "limit", &limit))
        buf_addf(text, "works; %lld of %lld requests left this hour", (long long)remaining,
                 (long long)limit);
    cJSON_Delete(json);
    return 0;
}

static int judge(struct source_call *call, size_t step, const struct http_reply *reply,
                 struct buf *text, struct error *err)
{
    const struct github_op asked = {
        .repo = repo_of(call, step),
        .permission = step ? repo_steps[(step - 1) % ARRAY_LEN(repo_steps)].permission : NULL,
        .missing = "no such repository, or the token may not see it",
    };

    if (step == 0 && github_auth_name(((const struct github *)call->client)->auth))
        return judge_app(call, reply, err);
    if (step == 0)
        return judge_limit(call, reply, text, err);
    if (reply->status == 409) { /* "Git Repository is empty." */
        buf_adds(text, "works; the repository is empty");
        return 0;
    }
    return reply->status == 200 ? 0 : github_reply_error(&asked, reply, err);
}

struct source_call *github_check(struct github *g, uint64_t owner, const char *const *repos,
                                 source_done_fn *done, void *user, struct error *err)
{
    struct source_call *call;
    struct check_op *op;

    for (size_t i = 0; repos && repos[i]; i++) {
        if (!github_is_repo(repos[i])) {
            error_set(err, ERR_CONFIG, "\"%.100s\" is no GitHub repository: write owner/name",
                      repos[i]);
            return NULL;
        }
    }
    call = source_call_new(&g->client, owner, done, user, sizeof(struct check_op));
    op = call->op;
    for (; repos && *repos; repos++)
        *SOURCE_ADD(call->mem, op->repos, op->n_repos, op->cap) = source_str(call->mem, *repos);
    return source_check_start(call, send_step, judge, what, err);
}
