#include "sentry/ask.h"

#include "dbconn/base/text.h"

#define PAGE_MAX 100

void ask_refuse(struct ask *a, int status, const char *detail)
{
    cJSON *body = cJSON_CreateObject();

    json_put_str(body, "detail", detail);
    reply_json(a->reply, status, body);
}

void ask_not_found(struct ask *a)
{
    ask_refuse(a, 404, "The requested resource does not exist");
}

void ask_invalid(struct ask *a, struct error *err)
{
    ask_refuse(a, 400, error_text(err));
    error_clear(err);
}

void ask_answer(struct ask *a, cJSON *tree)
{
    reply_json(a->reply, 200, tree);
}

static void add_link(struct ask *a, struct buf *out, const char *rel, bool results,
                     const char *cursor)
{
    buf_addf(out, "%s<%s%s?", out->len ? ", " : "", a->req->base, a->req->path);
    size_t mark = out->len;
    params_encode(a->query, "cursor", out);
    buf_addf(out, "%scursor=%s>; rel=\"%s\"; results=\"%s\"; cursor=\"%s\"",
             out->len > mark ? "&" : "", cursor, rel, results ? "true" : "false", cursor);
}

static void put_links(struct ask *a, size_t from, size_t n, size_t total)
{
    struct buf link = BUF_INIT;
    char *previous = xasprintf("0:%zu:1", from > n ? from - n : 0);
    char *next = xasprintf("0:%zu:0", from + n);

    add_link(a, &link, "previous", from > 0, previous);
    add_link(a, &link, "next", from + n < total, next);
    reply_header(a->reply, "link", "%s", buf_str(&link));
    reply_header(a->reply, "x-hits", "%zu", total < 1000 ? total : 1000);
    reply_header(a->reply, "x-max-hits", "1000");
    free(previous);
    free(next);
    buf_clear(&link);
}

/* "0:100:0"; a wrong one is refused. */
static bool read_cursor(const char *text, size_t *ret)
{
    char *end;

    (void)strtoll(text, &end, 10);
    if (end == text || *end != ':')
        return false;
    const char *middle = end + 1;
    unsigned long long offset = strtoull(middle, &end, 10);
    if (end == middle || *end != ':' || (strcmp(end, ":0") != 0 && strcmp(end, ":1") != 0))
        return false;
    *ret = (size_t)offset;
    return true;
}

bool ask_page(struct ask *a, size_t total, size_t *ret_from, size_t *ret_n)
{
    int64_t n = params_i64(a->query, "per_page", params_i64(a->query, "limit", PAGE_MAX));
    size_t from = 0;

    if (params_i64(a->query, "per_page", 1) > PAGE_MAX || n < 1) {
        ask_refuse(a, 400, "Invalid per_page value. Must be between 1 and 100.");
        return false;
    }
    if (!read_cursor(params_get_or(a->query, "cursor", "0:0:0"), &from)) {
        ask_refuse(a, 400, "Invalid cursor parameter.");
        return false;
    }
    if (n > PAGE_MAX)
        n = PAGE_MAX;
    put_links(a, from, (size_t)n, total);
    *ret_from = from < total ? from : total;
    *ret_n = total - *ret_from < (size_t)n ? total - *ret_from : (size_t)n;
    return true;
}

bool ask_environment(struct ask *a, const struct event *e)
{
    struct tags tags = { 0 };
    bool yes;

    if (!params_has(a->query, "environment"))
        return true;
    event_tags(a->m, e, &tags);
    yes = params_includes(a->query, "environment", tags_get(&tags, "environment"));
    tags_clear(&tags);
    return yes;
}

bool ask_project(struct ask *a, const cJSON *project)
{
    return !params_has(a->query, "project") || params_includes(a->query, "project", "-1") ||
           params_includes(a->query, "project", json_str(project, "id")) ||
           params_includes(a->query, "project", json_str(project, "slug"));
}
