#include "source_answer.h"

#include <string.h>
#include <strings.h>

#include "dbconn/base/json.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"

#define MAX_EPOCH_S INT64_C(100000000000) /* the year 5138 */

#define MAX_DETAIL 200
#define MAX_ERROR_BODY (64 * 1024) /* a longer one is not read for a reason */

enum err_code source_status_code(int status)
{
    switch (status) {
    case 400:
    case 405:
    case 406:
    case 415:
    case 422:
        return ERR_INVALID;
    case 401:
        return ERR_UNAUTHORIZED;
    case 403:
        return ERR_FORBIDDEN;
    case 404:
    case 409:
    case 410:
        return ERR_NOT_FOUND;
    case 408:
    case 504:
        return ERR_TIMEOUT;
    case 413:
        return ERR_TOO_LARGE;
    case 429:
        return ERR_RATE_LIMITED;
    default:
        return status >= 500 ? ERR_UPSTREAM : ERR_PROTOCOL;
    }
}

static const char *general_meaning(enum err_code code)
{
    switch (code) {
    case ERR_INVALID:
        return "it did not accept our request";
    case ERR_UNAUTHORIZED:
        return "the credential is missing, wrong or expired";
    case ERR_FORBIDDEN:
        return "the credential may not do this";
    case ERR_NOT_FOUND:
        return "no such thing, or not visible to our credential";
    case ERR_TIMEOUT:
        return "it took too long there; try again later";
    case ERR_TOO_LARGE:
        return "our request is too large for it or for a proxy before it";
    case ERR_RATE_LIMITED:
        return "too many requests; try again later";
    case ERR_UPSTREAM:
        return "it has trouble of its own; try again later";
    default:
        return "which we do not understand here";
    }
}

/* ---- the reason inside an error body ---- */

static const char *first_string(const cJSON *node)
{
    while (cJSON_IsArray(node))
        node = node->child;
    return cJSON_GetStringValue(node);
}

/* {"type": "security_exception", "reason": "..."}, {"code": "sso-required", "message": "..."} */
static bool add_object_reason(struct buf *out, const cJSON *object)
{
    const char *type = json_str(object, "type"), *reason = json_str(object, "reason");

    if (!reason)
        reason = json_str(object, "message");
    if (!type && !reason)
        return false;
    buf_addf(out, "%s%s%s", type ? type : "", type && reason ? ": " : "", reason ? reason : "");
    return true;
}

static bool add_json_reason(struct buf *out, const cJSON *json)
{
    static const char *const keys[] = { "detail", "message", "error", "errors" };

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const cJSON *member = json_get(json, keys[i]);
        const cJSON *inner = cJSON_IsArray(member) ? member->child : member;
        if (cJSON_IsObject(inner) && add_object_reason(out, inner))
            return true;
        if (first_string(member)) {
            buf_adds(out, first_string(member));
            return true;
        }
    }
    /* A field map: {"statsPeriod": ["Invalid value."]} */
    const cJSON *field = cJSON_IsObject(json) ? json->child : NULL;
    if (field && first_string(field)) {
        buf_addf(out, "%s: %s", field->string, first_string(field));
        return true;
    }
    return false;
}

static void add_html_title(struct buf *out, const char *body)
{
    const char *title = strcasestr(body, "<title>"), *end;

    if (!title) {
        buf_adds(out, "an HTML page");
        return;
    }
    title += strlen("<title>");
    end = title + strcspn(title, "<");
    buf_adds(out, "an HTML page titled \"");
    buf_add(out, title, (size_t)(end - title));
    buf_addc(out, '"');
}

static void add_raw_detail(struct buf *out, const struct http_reply *reply)
{
    const char *body = reply->body + strspn(reply->body, " \t\r\n");
    cJSON *json = NULL;

    if (reply->body_len > MAX_ERROR_BODY || !*body)
        return;
    if (*body == '<') {
        add_html_title(out, body);
    } else if (*body == '{' || *body == '[' || *body == '"') {
        if (json_parse(reply->body, reply->body_len, "the error", &json, NULL) < 0)
            return;
        if (!add_json_reason(out, json) && first_string(json))
            buf_adds(out, first_string(json));
        cJSON_Delete(json);
    } else {
        buf_add(out, body, strcspn(body, "\r\n"));
    }
}

void source_add_detail(struct buf *out, const struct http_reply *reply)
{
    struct buf raw = BUF_INIT, hidden = BUF_INIT, clean = BUF_INIT, valid = BUF_INIT;

    add_raw_detail(&raw, reply);
    text_repair_utf8(buf_str(&raw), raw.len, &valid);
    redact(buf_str(&valid), &hidden);
    text_clean(buf_str(&hidden), true, &clean);
    text_add_cut(out, buf_str(&clean), MAX_DETAIL);
    buf_clear(&raw);
    buf_clear(&valid);
    buf_clear(&hidden);
    buf_clear(&clean);
}

int source_refused(struct error *err, enum err_code code, const char *title,
                   const struct http_reply *reply, const char *meaning)
{
    struct buf detail = BUF_INIT;

    source_add_detail(&detail, reply);
    error_set(err, code, "%s answered %d: %s%s%s%s", title, reply->status,
              meaning ? meaning : general_meaning(code), detail.len ? " (" : "", buf_str(&detail),
              detail.len ? ")" : "");
    buf_clear(&detail);
    return -1;
}

int source_not_json(const char *title, int status, struct error *err)
{
    return error_set(err, ERR_PROTOCOL,
                     "%s answered %d with an HTML page instead of JSON: is the configured URL that "
                     "of its API?",
                     title, status);
}

int source_empty(const char *title, int status, struct error *err)
{
    return error_set(err, ERR_PROTOCOL, "%s answered %d with an empty body", title, status);
}

int source_reply_json(const struct http_reply *reply, const char *title, cJSON **ret,
                      struct error *err)
{
    const char *body = reply->body + strspn(reply->body, " \t\r\n");

    if (!*body)
        return source_empty(title, reply->status, err);
    if (*body == '<')
        return source_not_json(title, reply->status, err);
    if (json_parse(reply->body, reply->body_len, "the answer", ret, err) < 0)
        return error_context(err, "%s", title);
    return 0;
}

/* ---- headers ---- */

/* Reads `name="value"` or `name=value` at *p; false at the link's end. */
static bool next_param(const char **p, const char **name, size_t *name_len, const char **value,
                       size_t *value_len)
{
    const char *s = *p + strspn(*p, " \t;");

    if (!*s || *s == ',')
        return false;
    *name = s;
    *name_len = strcspn(s, "=;, \t");
    s += *name_len;
    s += strspn(s, " \t");
    *value = s;
    *value_len = 0;
    if (*s == '=') {
        s++;
        s += strspn(s, " \t");
        bool quoted = *s == '"';
        s += quoted;
        *value = s;
        *value_len = strcspn(s, quoted ? "\"" : ";, \t");
        s += *value_len;
        if (quoted && *s == '"')
            s++;
    }
    *p = s;
    return *name_len > 0;
}

static bool is(const char *slice, size_t len, const char *word)
{
    return strlen(word) == len && strncasecmp(slice, word, len) == 0;
}

/* One `<URL>; param; param` at *p; moves behind its comma. */
static bool next_link(const char **p, const char *rel, bool *matches, struct source_link *ret)
{
    const char *open = strchr(*p, '<'), *close = open ? strchr(open, '>') : NULL, *name, *value;
    size_t name_len, value_len;

    if (!close)
        return false;
    *ret = (struct source_link){ .url = open + 1, .url_len = (size_t)(close - open - 1) };
    ret->results = true;
    *matches = false;
    for (*p = close + 1; next_param(p, &name, &name_len, &value, &value_len);) {
        if (is(name, name_len, "rel") && is(value, value_len, rel)) {
            *matches = true;
        } else if (is(name, name_len, "results")) {
            ret->results = is(value, value_len, "true");
        } else if (is(name, name_len, "cursor")) {
            ret->cursor = value;
            ret->cursor_len = value_len;
        }
    }
    return true;
}

bool source_find_link(const char *header, const char *rel, struct source_link *ret)
{
    struct source_link link;
    bool matches = false;

    for (const char *p = header; p && next_link(&p, rel, &matches, &link);) {
        if (matches) {
            *ret = link;
            return true;
        }
    }
    return false;
}

int64_t source_clock_skew(const struct http_reply *reply, int64_t now_wall_ms)
{
    int64_t date = http_reply_date_ms(reply);

    return date == TIME_UNKNOWN ? TIME_UNKNOWN : date - now_wall_ms;
}

int64_t source_until(const struct http_reply *reply, const char *header, int64_t now_wall_ms)
{
    const char *value = http_reply_header(reply, header);
    int64_t skew = source_clock_skew(reply, now_wall_ms);
    char *end;

    if (!value || value[0] < '0' || value[0] > '9')
        return -1;
    double at = strtod(value, &end); /* whole seconds by the documents; a fraction does no harm */
    if (at > (double)MAX_EPOCH_S)
        return -1;
    int64_t until = (int64_t)(at * 1000) - now_wall_ms - (skew == TIME_UNKNOWN ? 0 : skew);
    return until > 0 ? until : 0;
}
