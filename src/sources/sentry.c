/*
 * The Sentry client's transport: addresses, credentials, pages, errors.
 *
 *   sentry_start ──► send_page ──► on_reply ──► take ──► next page? ──► send_page
 *                       ▲             │                     └─ no ──► finish
 *                       └─ fallback ──┴─ error ──► fail, or finish with the pages so far
 */
#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/json_each.h"
#include "dbconn/base/text.h"
#include "dbconn/net/retry.h"
#include "dbconn/net/url.h"
#include "sentry_private.h"
#include "source_answer.h"
#include "source_filter.h"

/* ---- the client ---- */

static bool is_cloud(const char *host)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): url_parse() gave it */
    size_t len = strlen(host);
    static const char suffix[] = ".sentry.io";
    const size_t n = sizeof(suffix) - 1;

    return strcmp(host, "sentry.io") == 0 || (len > n && strcmp(host + len - n, suffix) == 0);
}

/* The API's root for what people configure: with or without a slash or "/api/0". */
static char *api_base(const char *url)
{
    static const char api[] = "/api/0";
    size_t len = strlen(url);

    while (len > 0 && url[len - 1] == '/')
        len--;
    if (len > sizeof(api) - 1 && strncmp(url + len - (sizeof(api) - 1), api, sizeof(api) - 1) == 0)
        len -= sizeof(api) - 1;
    return xasprintf("%.*s%s", (int)len, url, api);
}

static int check_options(const struct sentry_options *options, struct url *url, struct error *err)
{
    if (!options->org || !*options->org)
        return error_set(err, ERR_CONFIG,
                         "no Sentry organization: set sentry.organization (SENTRY_ORG)");
    if (!options->token || !*options->token)
        return error_set(err, ERR_CONFIG,
                         "no Sentry token: set sentry.auth_token_file (SENTRY_AUTH_TOKEN)");
    if (options->token[strcspn(options->token, "\r\n")])
        return error_set(err, ERR_CONFIG, "the Sentry token has a line break in it");
    if (!options->url)
        return error_set(err, ERR_CONFIG, "no Sentry URL: set sentry.url (SENTRY_URL)");
    if (url_parse(options->url, url, err) < 0) {
        if (err)
            err->code = ERR_CONFIG;
        return error_context(err, "sentry.url (SENTRY_URL)");
    }
    return 0;
}

int sentry_new(struct http *http, const struct sentry_options *options, struct sentry **ret,
               struct error *err)
{
    struct url url = { 0 };
    struct buf org = BUF_INIT;

    if (check_options(options, &url, err) < 0)
        return -1;
    struct sentry *s = xcalloc(1, sizeof(*s));
    s->self_hosted = !is_cloud(url.host);
    url_clear(&url);
    s->base = api_base(options->url);
    url_add_escaped(&org, options->org);
    s->org = buf_take(&org);
    s->authorization = xconcat_secret("Authorization: Bearer ", options->token);
    s->budget_ms = options->budget_ms ? options->budget_ms : 20 * SECOND_MS;
    s->max_pages = options->max_pages;
    s->max_frames = options->max_frames;
    s->client.http = http;
    s->client.title = "Sentry";
    s->client.keep_ms = options->keep_ms;
    source_set_limits(&s->client, &options->limits);
    s->client.service = http_service(
        http, &(struct http_service_options){
                  .name = "sentry",
                  .title = "Sentry",
                  .max_in_flight = options->max_in_flight ? options->max_in_flight : 16,
                  .max_per_second = options->max_per_second ? options->max_per_second : 20,
                  .limit = sentry_limit,
              });
    *ret = s;
    return 0;
}

void sentry_free(struct sentry *s)
{
    if (!s)
        return;
    source_client_clear(&s->client);
    source_wipe(s->authorization);
    free(s->base);
    free(s->org);
    free(s);
}

/* An answer of theirs named this host, so it may get our token only where Sentry's own regions or
 * the configured host are meant. */
bool sentry_may_use_region(const struct sentry *s, const char *region_url)
{
    struct url region = { 0 }, base = { 0 };
    bool may = false;

    if (region_url && url_parse(region_url, &region, NULL) == 0 &&
        url_parse(s->base, &base, NULL) == 0)
        may = url_same_origin(&base, &region) ||
              (!s->self_hosted && strcmp(region.scheme, "https") == 0 && region.port == 443 &&
               !region.has_userinfo && is_cloud(region.host));
    url_clear(&region);
    url_clear(&base);
    return may;
}

int sentry_use_region(struct sentry *s, const char *region_url, struct error *err)
{
    if (!sentry_may_use_region(s, region_url))
        return error_set(err, ERR_CONFIG,
                         "Sentry named a region whose host may not get our token; set sentry.url "
                         "(SENTRY_URL) to the region's address if that is meant");
    free(s->base);
    s->base = api_base(region_url);
    return 0;
}

/* ---- building requests ---- */

struct source_call *sentry_call_new(struct sentry *s, uint64_t owner, source_done_fn *done,
                                    void *user, size_t op_size)
{
    struct source_call *call = source_call_new(&s->client, owner, done, user, op_size);
    struct sentry_op *op = call->op;

    op->params = "";
    op->pages_left = 1;
    op->wanted = source_all;
    op->max_bytes = 8 * 1024 * 1024;
    op->unscoped = s->unscoped;
    return call;
}

const char *sentry_path(struct source_mem *mem, const char *before, const char *id,
                        const char *after)
{
    struct buf path = BUF_INIT;
    const char *copy;

    buf_adds(&path, before);
    url_add_escaped(&path, id ? id : "");
    buf_adds(&path, after);
    copy = source_str(mem, buf_str(&path));
    buf_clear(&path);
    return copy;
}

const char *sentry_params(struct source_mem *mem, struct buf *params)
{
    const char *copy = source_str(mem, buf_str(params));

    buf_clear(params);
    return copy;
}

void sentry_add_environments(struct buf *params, const char *const *environments)
{
    for (; environments && *environments; environments++)
        url_add_query(params, "environment", *environments);
}

static void add_time(struct buf *params, const char *name, int64_t ms)
{
    struct buf text = BUF_INIT;

    time_format_iso(ms, &text);
    url_add_query(params, name, buf_str(&text));
    buf_clear(&text);
}

void sentry_add_window(struct buf *params, int64_t start_ms, int64_t end_ms, const char *period)
{
    /* One without the other is a 400. */
    if (start_ms > 0 && end_ms > 0) {
        add_time(params, "start", start_ms);
        add_time(params, "end", end_ms);
    } else if (period) {
        url_add_query(params, "statsPeriod", period);
    }
}

void sentry_add_int(struct buf *params, const char *name, int64_t value)
{
    char *text = xasprintf("%lld", (long long)value);

    url_add_query(params, name, text);
    free(text);
}

/* "issues/123/...": the routes that older servers have without organization too. */
static bool is_numeric_issue_path(const char *path)
{
    const char *id = text_starts(path, "issues/") ? path + strlen("issues/") : "";
    size_t digits = strspn(id, "0123456789");

    return digits > 0 && id[digits] == '/';
}

static char *page_url(const struct sentry *s, const struct sentry_op *op)
{
    struct buf url = BUF_INIT;

    buf_adds(&url, s->base);
    if (op->path[0] != '/' && !(op->unscoped && is_numeric_issue_path(op->path)))
        buf_addf(&url, "/organizations/%s", s->org);
    buf_addf(&url, "%s%s%s", op->path[0] == '/' ? "" : "/", op->path, op->params);
    if (op->cursor)
        url_add_query(&url, "cursor", op->cursor);
    return buf_take(&url);
}

static source_reply_fn on_reply;

static int send_page(struct source_call *call, struct error *err)
{
    const struct sentry_op *op = call->op;
    const struct sentry *s = (const struct sentry *)call->client;
    const char *headers[] = { s->authorization, "Accept: application/json", NULL };
    char *url = page_url(s, op);
    struct http_request request = {
        .url = url,
        .headers = headers,
        .budget_ms = s->budget_ms,
        .max_bytes = op->max_bytes,
        .idempotent = true,
    };
    call->wanted = op->wanted;
    int rc = source_send(call, &request, on_reply, err);

    free(url);
    return rc;
}

struct source_call *sentry_start(struct source_call *call, struct error *err)
{
    const struct sentry_op *op = call->op;

    if (send_page(call, err) == 0)
        return call;
    error_context(err, "%s", op->what);
    return source_give_up(call);
}

/* ---- taking answers ---- */

/* 429 has no Retry-After but an epoch second at which the window starts anew; self-hosted servers
 * and proxies send neither (docs.sentry.io/api/ratelimits). */
int64_t sentry_limit(const struct http_reply *reply, int64_t now_wall_ms)
{
    const char *after = http_reply_header(reply, "Retry-After");
    int64_t wait = after ? retry_after_ms(after, now_wall_ms) : -1;

    if (reply->status != 429 && reply->status != 503)
        return 0;
    if (wait < 0 && reply->status == 503)
        return -1;
    if (wait < 0)
        wait = source_until(reply, "X-Sentry-Rate-Limit-Reset", now_wall_ms);
    return wait > SECOND_MS ? wait : SECOND_MS;
}

int sentry_reply_error(const struct sentry_op *op, const struct http_reply *reply,
                       struct error *err)
{
    struct buf meaning = BUF_INIT;
    enum err_code code = source_status_code(reply->status);

    if (code == ERR_UNAUTHORIZED)
        buf_adds(&meaning, "the token is wrong, expired or revoked; check sentry.auth_token_file "
                           "(SENTRY_AUTH_TOKEN)");
    else if (code == ERR_FORBIDDEN)
        buf_addf(&meaning, "the token lacks %s, or access to this project", op->scope);
    else if (reply->status == 410)
        buf_adds(&meaning, "this part of its API was switched off");
    else if (code == ERR_NOT_FOUND && op->missing)
        buf_adds(&meaning, op->missing);
    source_refused(err, code, "Sentry", reply, meaning.len ? buf_str(&meaning) : NULL);
    if (err && code == ERR_RATE_LIMITED)
        err->retry_after_ms = sentry_limit(reply, clock_wall_ms());
    buf_clear(&meaning);
    return -1;
}

static void fail_or_finish(struct source_call *call, struct error *err)
{
    const struct sentry_op *op = call->op;

    source_end_early(call, op->what, op->pages_done, op->result, err);
}

/* Servers from before the organization-scoped routes know numeric ids only, without organization.
 * Tried once, and not on the cloud, where those routes are gone. */
static bool try_unscoped(const struct sentry *s, struct sentry_op *op, int status)
{
    if (status != 404 || !s->self_hosted || op->unscoped || op->pages_done ||
        !is_numeric_issue_path(op->path))
        return false;
    op->unscoped = true;
    return true;
}

static bool ask_again(struct source_call *call, const struct http_reply *reply)
{
    struct sentry_op *op = call->op;

    return (op->fallback && op->fallback(call, op, reply->status)) ||
           try_unscoped((struct sentry *)call->client, op, reply->status);
}

static bool is_none(const struct sentry_op *op, int status)
{
    return op->none_is_empty && (status == 404 || status == 410);
}

/* Remembers the next page in op->cursor; false when this was the last or the cap is reached. */
static bool more_pages(struct source_call *call, const struct http_reply *reply)
{
    struct sentry_op *op = call->op;
    struct source_link next;

    op->pages_done++;
    if (!source_find_link(http_reply_header(reply, "Link"), "next", &next) || !next.results ||
        !next.cursor)
        return false;
    const struct sentry *s = (const struct sentry *)call->client;
    if (--op->pages_left <= 0 || (s->max_pages > 0 && op->pages_done >= s->max_pages)) {
        source_partial_pages(op->result, op->pages_done);
        return false;
    }
    /* Only the cursor is taken: the URL may name another host or scheme behind a proxy. */
    op->cursor = source_strn(call->mem, next.cursor, next.cursor_len);
    return true;
}

/* One element of a list. */
static int take_element(void *user, const cJSON *one, struct error *err)
{
    struct source_call *call = user;
    struct sentry_op *op = call->op;

    op->full = source_is_full(call->mem);
    return op->full ? 1 : op->take(call, op, one, err);
}

static int take_list(struct source_call *call, const struct http_reply *reply, struct error *err)
{
    const struct sentry_op *op = call->op;
    int rc = json_each(reply->body, reply->body_len, "", "Sentry's answer", take_element, call,
                       NULL, err);

    if (rc > 0)
        return error_set(err, ERR_PROTOCOL, "Sentry's answer is no list of %s", op->list_of);
    if (op->full)
        source_partial_full(op->result);
    return rc;
}

static int take_object(struct source_call *call, const struct http_reply *reply, struct error *err)
{
    struct sentry_op *op = call->op;
    cJSON *json = NULL;
    int rc = source_reply_json(reply, "Sentry", &json, err);

    if (rc == 0)
        rc = op->take(call, op, json, err);
    cJSON_Delete(json);
    return rc;
}

static void take_page(struct source_call *call, const struct http_reply *reply)
{
    struct sentry_op *op = call->op;
    struct error err = ERROR_INIT;
    int rc = op->list_of ? take_list(call, reply, &err) : take_object(call, reply, &err);

    if (rc < 0) {
        fail_or_finish(call, &err);
        return;
    }
    if (op->take_headers)
        op->take_headers(op, reply);
    if (reply->truncated)
        source_partial(op->result, "page %d was too large to be read to its end",
                       op->pages_done + 1);
    if (op->unscoped && is_numeric_issue_path(op->path))
        ((struct sentry *)call->client)->unscoped = true;
    if (op->full || !more_pages(call, reply))
        source_finish(call, op->result);
    else if (send_page(call, &err) < 0)
        fail_or_finish(call, &err);
}

static void on_reply(struct source_call *call, const struct http_reply *reply,
                     const struct error *failure)
{
    struct sentry_op *op = call->op;
    struct error err = ERROR_INIT;

    if (failure) {
        error_copy(&err, failure);
        fail_or_finish(call, &err);
    } else if (reply->status == 200) {
        take_page(call, reply);
    } else if (ask_again(call, reply)) {
        if (send_page(call, &err) < 0)
            fail_or_finish(call, &err);
    } else if (is_none(op, reply->status)) {
        source_finish(call, op->result);
    } else {
        sentry_reply_error(op, reply, &err);
        fail_or_finish(call, &err);
    }
}
