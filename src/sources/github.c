/*
 * The GitHub client's transport: credentials, conditional requests, pages, errors.
 *
 *   github_start ──► authorize ──► send_page ──► on_reply ──► take ──► next page? ──► authorize
 *                      ▲  └ waits for a token        │                    └─ no ──► finish
 *                      └── 401: another token ───────┘
 */
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/text.h"
#include "dbconn/net/retry.h"
#include "github_parse.h"
#include "github_private.h"
#include "source_answer.h"
#include "source_filter.h"

/* ---- the client ---- */

static int open_auth(struct github *g, const struct github_options *options, struct error *err)
{
    if (options->app) {
        g->auth = github_auth_app(options->app, err);
        return g->auth ? 0 : -1;
    }
    if (!options->token || !*options->token)
        return error_set(err, ERR_CONFIG,
                         "no GitHub credential: set github.token (GITHUB_TOKEN) or github.app_id");
    if (options->token[strcspn(options->token, "\r\n")])
        return error_set(err, ERR_CONFIG, "the GitHub token has a line break in it");
    g->auth = github_auth_token(options->token);
    return 0;
}

static int open_url(struct github *g, const char *url, struct error *err)
{
    size_t len = url ? strlen(url) : 0;

    if (!url)
        return error_set(err, ERR_CONFIG, "no GitHub URL: set github.api_url (GITHUB_API_URL)");
    if (url_parse(url, &g->origin, err) < 0) {
        if (err)
            err->code = ERR_CONFIG;
        return error_context(err, "github.api_url (GITHUB_API_URL)");
    }
    while (len > 0 && url[len - 1] == '/')
        len--;
    g->base = xstrndup(url, len);
    return 0;
}

int github_new(struct http *http, const struct github_options *options, struct github **ret,
               struct error *err)
{
    struct github *g = xcalloc(1, sizeof(*g));

    g->client.http = http;
    g->client.title = "GitHub";
    source_set_limits(&g->client, &options->limits);
    g->budget_ms = options->budget_ms ? options->budget_ms : 20 * SECOND_MS;
    g->max_pages = options->max_pages;
    g->cache = github_cache_new(options->cache_bytes ? options->cache_bytes : 1024 * 1024);
    if (open_url(g, options->url, err) < 0 || open_auth(g, options, err) < 0) {
        github_free(g);
        return -1;
    }
    /* "Make requests serially" is GitHub's wish, a hundred at once its limit (docs.github.com,
     * "Best practices", "Rate limits for the REST API"). Four at once, two commits with their pull
     * requests, spare a job a round trip. */
    g->client.service = http_service(
        http, &(struct http_service_options){
                  .name = "github",
                  .title = "GitHub",
                  .max_in_flight = 4,
                  .max_per_second = options->max_per_second ? options->max_per_second : 10,
                  .limit = github_limit,
              });
    *ret = g;
    return 0;
}

void github_free(struct github *g)
{
    if (!g)
        return;
    if (g->gone)
        *g->gone = true;
    source_client_clear(&g->client);
    github_auth_free(g->auth);
    github_cache_free(g->cache);
    url_clear(&g->origin);
    free(g->base);
    free(g);
}

/* ---- building requests ---- */

static size_t name_length(const char *s)
{
    size_t n = 0;

    while (isalnum((unsigned char)s[n]) || s[n] == '-' || s[n] == '_' || s[n] == '.')
        n++;
    /* "." and ".." would leave the path */
    return n > 0 && strspn(s, ".") == n ? 0 : n;
}

bool github_is_repo(const char *repo)
{
    size_t owner = repo ? name_length(repo) : 0;
    size_t name = owner && repo[owner] == '/' ? name_length(repo + owner + 1) : 0;

    return name > 0 && repo[owner + 1 + name] == '\0';
}

struct source_call *github_call_new(struct github *g, uint64_t owner, const char *repo,
                                    source_done_fn *done, void *user, size_t op_size,
                                    struct error *err)
{
    if (repo && !github_is_repo(repo)) {
        error_set(err, ERR_INVALID, "the repository is not named as GitHub does, \"owner/name\"");
        return NULL;
    }
    struct source_call *call = source_call_new(&g->client, owner, done, user, op_size);
    struct github_op *op = call->op;
    op->repo = source_str(call->mem, repo);
    op->pages_left = 1;
    op->wanted = source_all;
    return call;
}

static const char *vprint(struct source_mem *mem, const char *before, const char *fmt, va_list ap)
{
    struct buf text = BUF_INIT;
    const char *copy;

    buf_adds(&text, before);
    buf_vaddf(&text, fmt, ap);
    copy = source_str(mem, buf_str(&text));
    buf_clear(&text);
    return copy;
}

void github_set_path(struct source_call *call, const char *fmt, ...)
{
    const struct github *g = (const struct github *)call->client;
    struct github_op *op = call->op;
    char *before = op->repo ? xasprintf("%s/repos/%s", g->base, op->repo) : xstrdup(g->base);
    va_list ap;

    va_start(ap, fmt);
    op->url = vprint(call->mem, before, fmt, ap);
    va_end(ap);
    free(before);
}

void github_set_what(struct source_call *call, const char *fmt, ...)
{
    struct github_op *op = call->op;
    va_list ap;

    va_start(ap, fmt);
    op->what = vprint(call->mem, "", fmt, ap);
    va_end(ap);
}

void github_headers_init(struct github_headers *h, const char *authorization, const char *etag)
{
    size_t n = 0;

    h->if_none_match = etag ? xasprintf("If-None-Match: %s", etag) : NULL;
    h->lines[n++] = authorization;
    h->lines[n++] = "Accept: application/vnd.github+json";
    h->lines[n++] = "X-GitHub-Api-Version: 2022-11-28";
    if (etag)
        h->lines[n++] = h->if_none_match;
    h->lines[n] = NULL;
}

void github_headers_clear(struct github_headers *h)
{
    free(h->if_none_match);
}

/* Answers differ by what is kept of them. */
static char *cache_key(const struct github_op *op)
{
    return xasprintf("%p %s", (const void *)op->wanted, op->url);
}

static const struct github_cached *kept_answer(const struct github *g, const struct github_op *op)
{
    char *key = cache_key(op);
    const struct github_cached *kept = op->uncached ? NULL : github_cache_get(g->cache, key);

    free(key);
    return kept;
}

static source_reply_fn on_reply;
static source_wake_fn on_token;

/* 0: sent, or waiting for a token. */
static int send_page(struct source_call *call, struct error *err)
{
    struct github *g = (struct github *)call->client;
    const struct github_op *op = call->op;
    const struct github_cached *kept = kept_answer(g, op);
    const char *authorization;
    struct github_headers headers;
    int rc = github_authorize(g, call, op->repo, on_token, &authorization, err);

    if (rc <= 0)
        return rc;
    github_headers_init(&headers, authorization, kept ? kept->etag : NULL);
    call->wanted = op->wanted;
    rc = source_send(call,
                     &(struct http_request){
                         .url = op->url,
                         .headers = headers.lines,
                         .budget_ms = g->budget_ms,
                         .max_bytes = 8 * 1024 * 1024,
                         .idempotent = true,
                     },
                     on_reply, err);
    github_headers_clear(&headers);
    return rc;
}

struct source_call *github_start(struct source_call *call, struct error *err)
{
    const struct github_op *op = call->op;

    if (send_page(call, err) == 0)
        return call;
    error_context(err, "%s", op->what);
    return source_give_up(call);
}

/* ---- limits and errors ---- */

/* A limit that says neither when nor how long: a minute ("Rate limits for the REST API"). */
static bool says_secondary(const struct http_reply *reply)
{
    return text_icontains(reply->body, "secondary rate limit") ||
           text_icontains(reply->body, "abuse detection");
}

int64_t github_limit(const struct http_reply *reply, int64_t now_wall_ms)
{
    const char *after = http_reply_header(reply, "Retry-After");
    const char *remaining = http_reply_header(reply, "X-RateLimit-Remaining");
    bool refused = reply->status == 403 || reply->status == 429;
    int64_t wait = after ? retry_after_ms(after, now_wall_ms) : -1;

    if (wait >= 0 && (refused || reply->status == 503))
        return wait > SECOND_MS ? wait : SECOND_MS;
    if (remaining && strcmp(remaining, "0") == 0 && (refused || reply->status < 400)) {
        wait = source_until(reply, "X-RateLimit-Reset", now_wall_ms);
        return wait > SECOND_MS ? wait : SECOND_MS;
    }
    if (reply->status == 429 || (reply->status == 403 && says_secondary(reply)))
        return MINUTE_MS;
    return reply->status >= 400 ? -1 : 0;
}

static void add_forbidden(struct buf *out, const struct github_op *op,
                          const struct http_reply *reply)
{
    const char *wanted = http_reply_header(reply, "X-Accepted-GitHub-Permissions");

    if (http_reply_header(reply, "X-GitHub-SSO"))
        buf_adds(out, "the organization wants the token authorized for its single sign-on");
    else if (wanted && *wanted && strlen(wanted) < 200)
        buf_addf(out, "the token lacks %s", wanted);
    else if (!op->permission)
        buf_adds(out, "the token may not use this API");
    else
        buf_addf(out, "the token lacks %s%s%s", op->permission, op->repo ? " on " : "",
                 op->repo ? op->repo : "");
}

static void add_limited(struct buf *out, const struct http_reply *reply, int64_t wait_ms)
{
    const char *remaining = http_reply_header(reply, "X-RateLimit-Remaining");
    bool hourly = remaining && strcmp(remaining, "0") == 0;

    buf_adds(out, hourly && !http_reply_header(reply, "Retry-After")
                      ? "the hourly limit of the token is used up; it starts anew in "
                      : "a limit on bursts; it ends in ");
    time_format_duration(wait_ms, out);
}

static void add_meaning(struct buf *out, enum err_code code, const struct github_op *op,
                        const struct http_reply *reply, int64_t wait_ms)
{
    if (code == ERR_RATE_LIMITED)
        add_limited(out, reply, wait_ms);
    else if (code == ERR_UNAUTHORIZED)
        buf_adds(out, op->unauthorized ? op->unauthorized
                                       : "the token is wrong, expired or revoked; check "
                                         "github.token_file (GITHUB_TOKEN)");
    else if (code == ERR_FORBIDDEN)
        add_forbidden(out, op, reply);
    else if (reply->status == 409)
        buf_adds(out, "the repository is empty");
    else if (code == ERR_NOT_FOUND && op->missing)
        buf_adds(out, op->missing);
}

int github_reply_error(const struct github_op *op, const struct http_reply *reply,
                       struct error *err)
{
    struct buf meaning = BUF_INIT;
    enum err_code code = source_status_code(reply->status);
    int64_t wait =
        reply->status == 403 || reply->status == 429 ? github_limit(reply, clock_wall_ms()) : -1;

    if (wait > 0)
        code = ERR_RATE_LIMITED;
    else if (reply->status == 422 && text_icontains(reply->body, "no commit found"))
        code = ERR_NOT_FOUND;
    add_meaning(&meaning, code, op, reply, wait);
    source_refused(err, code, "GitHub", reply, meaning.len ? buf_str(&meaning) : NULL);
    if (err && wait > 0)
        err->retry_after_ms = wait;
    buf_clear(&meaning);
    return -1;
}

/* ---- taking answers ---- */

static void fail_or_finish(struct source_call *call, struct error *err)
{
    const struct github_op *op = call->op;

    source_end_early(call, op->what, op->pages_done, op->result, err);
}

static bool is_own(const struct github *g, const char *text)
{
    struct url url = { 0 };
    bool own = url_parse(text, &url, NULL) == 0 && url_same_origin(&g->origin, &url);

    url_clear(&url);
    return own;
}

/* Sets op->url to the next page; false when this was the last or a cap is reached. */
static bool more_pages(struct source_call *call, const char *link)
{
    const struct github *g = (const struct github *)call->client;
    struct github_op *op = call->op;
    struct source_link next;
    const char *url;

    op->pages_done++;
    if (!source_find_link(link, "next", &next))
        return false;
    if (--op->pages_left <= 0 || (g->max_pages > 0 && op->pages_done >= g->max_pages)) {
        if (((struct source_result *)op->result)->partial)
            return false; /* the cap was told already, in files */
        source_partial_pages(op->result, op->pages_done);
        return false;
    }
    url = source_strn(call->mem, next.url, next.url_len);
    if (!is_own(g, url)) {
        source_partial(op->result,
                       "the next page is on another host, which does not get our token");
        return false;
    }
    op->url = url;
    op->uncached = false;
    return true;
}

struct answer {
    const char *body, *link;
    size_t len;
    bool truncated;
};

static void take_page(struct source_call *call, const struct answer *answer)
{
    struct github_op *op = call->op;
    struct error err = ERROR_INIT;
    int rc = op->take(call, op, answer->body, answer->len, &err);

    if (rc == 0 && answer->truncated)
        source_partial(op->result, "page %d was too large to be read to its end",
                       op->pages_done + 1);
    if (rc == 0 && op->full)
        source_partial_full(op->result);
    if (rc < 0)
        fail_or_finish(call, &err);
    else if (op->full || !more_pages(call, answer->link))
        source_finish(call, op->result);
    else if (send_page(call, &err) < 0)
        fail_or_finish(call, &err);
}

static void take_reply(struct source_call *call, const struct http_reply *reply)
{
    const struct github *g = (const struct github *)call->client;
    const struct github_op *op = call->op;
    const char *etag = http_reply_header(reply, "ETag");
    const struct answer answer = { reply->body, http_reply_header(reply, "Link"), reply->body_len,
                                   reply->truncated };
    char *key = cache_key(op);

    if (etag && !reply->truncated)
        github_cache_put(g->cache, key, etag, answer.link, answer.body, answer.len);
    free(key);
    take_page(call, &answer);
}

/* 304: the kept answer still holds. It may have been dropped while we asked. */
static void take_unchanged(struct source_call *call)
{
    struct github_op *op = call->op;
    const struct github_cached *kept = kept_answer((struct github *)call->client, op);
    struct error err = ERROR_INIT;

    if (kept) {
        take_page(call, &(struct answer){ kept->body, kept->link, kept->len, false });
        return;
    }
    if (op->uncached)
        error_set(&err, ERR_PROTOCOL, "GitHub answered 304 to an unconditional request");
    op->uncached = true;
    if (err.code != ERR_NONE || send_page(call, &err) < 0)
        fail_or_finish(call, &err);
}

/* Installation tokens end after an hour, or when the App's permissions change. */
static bool try_another_token(struct source_call *call, const struct http_reply *reply)
{
    struct github_op *op = call->op;

    if (reply->status != 401 || op->renewed)
        return false;
    op->renewed = true;
    return github_auth_refused((struct github *)call->client, op->repo);
}

static void on_reply(struct source_call *call, const struct http_reply *reply,
                     const struct error *failure)
{
    struct github_op *op = call->op;
    struct error err = ERROR_INIT;

    if (failure) {
        error_copy(&err, failure);
        fail_or_finish(call, &err);
    } else if (reply->status == 200) {
        take_reply(call, reply);
    } else if (reply->status == 304) {
        take_unchanged(call);
    } else if (try_another_token(call, reply)) {
        if (send_page(call, &err) < 0)
            fail_or_finish(call, &err);
    } else {
        github_reply_error(op, reply, &err);
        fail_or_finish(call, &err);
    }
}

static void on_token(struct source_call *call, const struct error *failure)
{
    struct error err = ERROR_INIT;

    if (failure)
        error_copy(&err, failure);
    if (failure || send_page(call, &err) < 0)
        fail_or_finish(call, &err);
}
