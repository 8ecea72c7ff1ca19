#include "github/visit.h"

#include "dbconn/base/text.h"

void visit_fail(struct visit *v, int status, const char *fmt, ...)
{
    struct buf message = BUF_INIT;
    cJSON *body = cJSON_CreateObject();
    char *text = xasprintf("%d", status);
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&message, fmt, ap);
    va_end(ap);
    json_put_str(body, "message", buf_str(&message));
    json_put_str(body, "documentation_url", DOCS);
    json_put_str(body, "status", text);
    reply_json(v->reply, status, body);
    buf_clear(&message);
    free(text);
}

void visit_not_found(struct visit *v)
{
    visit_fail(v, 404, "Not Found");
}

static void add_link(struct visit *v, struct buf *out, size_t page, const char *rel)
{
    buf_addf(out, "%s<%s%s?", out->len ? ", " : "", v->req->base, v->req->path);
    size_t mark = out->len;
    params_encode(&v->req->query, "page", out);
    buf_addf(out, "%spage=%zu>; rel=\"%s\"", out->len > mark ? "&" : "", page, rel);
}

void visit_page(struct visit *v, size_t total, size_t fallback, size_t *ret_from, size_t *ret_n)
{
    int64_t size = params_i64(&v->req->query, "per_page", (int64_t)fallback);
    int64_t number = params_i64(&v->req->query, "page", 1);
    size_t n = size < 1 ? fallback : size > (int64_t)PAGE_MAX ? PAGE_MAX : (size_t)size;
    size_t page = number < 1 ? 1 : (size_t)number;

    if (fallback > PAGE_MAX)
        n = fallback;
    size_t last = total ? (total + n - 1) / n : 1;
    struct buf link = BUF_INIT;
    if (page > 1)
        add_link(v, &link, page - 1, "prev");
    if (page < last) {
        add_link(v, &link, page + 1, "next");
        add_link(v, &link, last, "last");
    }
    if (page > 1)
        add_link(v, &link, 1, "first");
    if (link.len > 0)
        reply_header(v->reply, "link", "%s", buf_str(&link));
    buf_clear(&link);
    *ret_from = (page - 1) * n;
    *ret_n = n;
}

void visit_answer(struct visit *v, cJSON *tree)
{
    reply_json(v->reply, 200, tree);
}

enum media visit_media(const struct request *req)
{
    const char *accept = req->accept ? req->accept : "";
    const char *at = strstr(accept, "application/vnd.github");

    if (!at)
        return MEDIA_JSON;
    at += strlen("application/vnd.github");
    if (text_starts(at, ".v3"))
        at += strlen(".v3");
    return text_starts(at, ".diff")    ? MEDIA_DIFF
           : text_starts(at, ".patch") ? MEDIA_PATCH
           : text_starts(at, ".sha")   ? MEDIA_SHA
                                       : MEDIA_JSON;
}

void visit_diff(struct visit *v, const cJSON *commit, const cJSON *files, enum media media)
{
    struct buf text = BUF_INIT;

    if (media == MEDIA_PATCH && commit)
        gh_patch_mail(&v->repo, commit, &text);
    gh_diff(files, &text);
    reply_text(v->reply, 200,
               media == MEDIA_DIFF ? "application/vnd.github.diff; charset=utf-8"
                                   : "application/vnd.github.patch; charset=utf-8",
               buf_str(&text));
    buf_clear(&text);
}
