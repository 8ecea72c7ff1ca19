#include "shell/http.h"

#include <strings.h>

#include "dbconn/base/json.h"

void request_clear(struct request *req)
{
    free(req->path);
    params_clear(&req->query);
    free(req->authorization);
    free(req->content_type);
    free(req->accept);
    free(req->user_agent);
    free(req->if_none_match);
    buf_clear(&req->body);
    *req = (struct request){ 0 };
}

void reply_clear(struct reply *reply)
{
    params_clear(&reply->headers);
    buf_clear(&reply->body);
    *reply = (struct reply)REPLY_INIT;
}

void reply_header(struct reply *reply, const char *name, const char *fmt, ...)
{
    struct buf value = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&value, fmt, ap);
    va_end(ap);
    for (size_t i = 0; i < reply->headers.n; i++) {
        if (strcasecmp(reply->headers.items[i].name, name) == 0) {
            free(reply->headers.items[i].value);
            reply->headers.items[i].value = buf_take(&value);
            return;
        }
    }
    params_add(&reply->headers, name, buf_str(&value));
    buf_clear(&value);
}

const char *reply_get_header(const struct reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->headers.n; i++)
        if (strcasecmp(reply->headers.items[i].name, name) == 0)
            return reply->headers.items[i].value;
    return NULL;
}

void reply_json(struct reply *reply, int status, cJSON *tree)
{
    char *text = json_print(tree);

    cJSON_Delete(tree);
    reply->status = status;
    if (!reply_get_header(reply, "content-type"))
        reply_header(reply, "content-type", "application/json");
    buf_reset(&reply->body);
    buf_adds(&reply->body, text);
    free(text);
}

void reply_text(struct reply *reply, int status, const char *type, const char *text)
{
    reply->status = status;
    reply_header(reply, "content-type", "%s", type);
    buf_reset(&reply->body);
    buf_adds(&reply->body, text);
}

const char *request_credential(const struct request *req, const char *scheme)
{
    size_t n = strlen(scheme);
    const char *header = req->authorization;

    if (!header || strncasecmp(header, scheme, n) != 0 || header[n] != ' ')
        return NULL;
    return header + n + 1;
}

bool request_is_type(const struct request *req, const char *type)
{
    return req->content_type && strncasecmp(req->content_type, type, strlen(type)) == 0;
}

void path_split(const char *path, struct path_parts *ret)
{
    *ret = (struct path_parts){ .copy = xstrdup(path) };
    char *p = ret->copy;

    while (*p == '/')
        p++;
    while (*p) {
        char **part = VEC_ADD(ret->part, ret->n, ret->cap);
        *part = p;
        p += strcspn(p, "/");
        if (*p)
            *p++ = '\0';
    }
}

void path_clear(struct path_parts *parts)
{
    free(parts->copy);
    free(parts->part);
    *parts = (struct path_parts){ 0 };
}

const char *path_at(const struct path_parts *parts, size_t i)
{
    return i < parts->n ? parts->part[i] : "";
}

bool path_is(const struct path_parts *parts, size_t i, const char *name)
{
    return i < parts->n && strcmp(parts->part[i], name) == 0;
}
