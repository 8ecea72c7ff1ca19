/*
 * Slack answers 200 to nearly everything and says ok or an error code in the body. What is not
 * such a body (a 5xx, HTML of some box between, a cut connection) leaves open whether the call had
 * its effect, unless nothing of it was sent.
 */
#include <string.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/net/retry.h"
#include "webapi_internal.h"

#define MAX_EXPLANATIONS 3
#define MAX_EXPLANATION 300
/* When a 429 does not say how long (it always should). */
#define LIMIT_WITHOUT_WORD_MS (10 * SECOND_MS)
#define LIMIT_MAX_MS (15 * MINUTE_MS)

/* What the operator should know beyond the code. */
static const struct {
    const char *code, *words;
} hints[] = {
    { "invalid_auth",
      "the token is wrong, or this machine's address is not on the workspace's allow-list" },
    { "not_authed", "no token was sent" },
    { "account_inactive", "the app was removed from the workspace, or its token disabled" },
    { "token_revoked", "the token was revoked: install the app again and set the new one" },
    { "token_expired", "the token has expired: token rotation must be off, or renew it" },
    { "not_allowed_token_type", "a token of another kind is needed here (xoxb- for the bot, xapp- "
                                "for the socket)" },
    { "channel_not_found",
      "the channel does not exist, or it is private and the bot is no member" },
    { "not_in_channel", "the bot is not in the channel" },
    { "is_archived", "the channel is archived" },
    { "messages_tab_disabled", "the Messages tab of the app's home is switched off" },
    { "ratelimited", "too many calls" },
    { "message_limit_exceeded", "the workspace has used up its messages" },
};

static const char *hint_of(const char *code)
{
    for (size_t i = 0; i < ARRAY_LEN(hints); i++)
        if (text_same(hints[i].code, code))
            return hints[i].words;
    return NULL;
}

static enum err_code err_code_of(enum webapi_kind kind, const char *code)
{
    switch (kind) {
    case WEBAPI_OK:
        return ERR_NONE;
    case WEBAPI_AUTH:
        return text_same(code, "missing_scope") || text_same(code, "no_permission")
                   ? ERR_FORBIDDEN
                   : ERR_UNAUTHORIZED;
    case WEBAPI_BUG:
        return ERR_INVALID;
    case WEBAPI_CHANNEL:
        return text_same(code, "channel_not_found") ? ERR_NOT_FOUND : ERR_FORBIDDEN;
    case WEBAPI_MESSAGE:
        return ERR_NOT_FOUND;
    case WEBAPI_TRANSIENT:
        return strstr(code, "limited") ? ERR_RATE_LIMITED : ERR_UPSTREAM;
    case WEBAPI_AMBIGUOUS:
        return ERR_UPSTREAM;
    case WEBAPI_REFUSED:
        return ERR_FORBIDDEN;
    }
    return ERR_PROTOCOL;
}

/* "[ERROR] must be more than 0 characters [json-pointer:/blocks/0/text]": Slack's own words. */
static void add_explanations(struct buf *out, const cJSON *json)
{
    const cJSON *message = json_items(json_get(json, "response_metadata"), "messages");
    struct buf clean = BUF_INIT;

    for (int n = 0; message && n < MAX_EXPLANATIONS; message = message->next, n++) {
        if (!cJSON_IsString(message))
            continue;
        buf_reset(&clean);
        text_clean(message->valuestring, true, &clean);
        buf_adds(out, "; ");
        text_add_cut(out, buf_str(&clean), MAX_EXPLANATION);
    }
    buf_clear(&clean);
}

/* Slack refused: {"ok":false,"error":"code"}. */
static void read_refusal(const char *method, struct reading *r)
{
    const char *code = json_str_or(r->json, "error", "unknown_error");
    struct buf text = BUF_INIT;

    r->reply.code = code;
    r->reply.kind = webapi_kind_of(method, code);
    r->reply.needed_scope = json_str(r->json, "needed");
    text_clean(code, true, &text);
    if (r->reply.needed_scope)
        buf_addf(&text, ": the token lacks the scope %s", r->reply.needed_scope);
    if (hint_of(code))
        buf_addf(&text, ": %s", hint_of(code));
    add_explanations(&text, r->json);
    error_set(&r->err, err_code_of(r->reply.kind, code), "Slack refused %s: %s", method,
              buf_str(&text));
    buf_clear(&text);
}

/* No sensible answer: whether it had an effect is open, unless it makes no difference. */
static enum webapi_kind kind_of_silence(const struct method_info *info, bool sent)
{
    return sent && !info->repeatable ? WEBAPI_AMBIGUOUS : WEBAPI_TRANSIENT;
}

static void read_failure(const char *method, const struct method_info *info,
                         const struct error *err, bool sent, struct reading *r)
{
    r->reply.kind = kind_of_silence(info, sent);
    error_copy(&r->err, err);
    error_context(&r->err, "Slack %s", method);
}

static void read_limit(const char *method, const struct http_reply *reply, struct reading *r)
{
    int64_t wait = retry_after_ms(http_reply_header(reply, "Retry-After"), clock_wall_ms());

    if (wait <= 0)
        wait = wait < 0 ? LIMIT_WITHOUT_WORD_MS : SECOND_MS;
    r->retry_after_ms = wait < LIMIT_MAX_MS ? wait : LIMIT_MAX_MS;
    r->reply.kind = WEBAPI_TRANSIENT;
    r->reply.code = "ratelimited";
    error_set(&r->err, ERR_RATE_LIMITED, "Slack allows no more %s for %lld s", method,
              (long long)((r->retry_after_ms + 999) / 1000));
    r->err.retry_after_ms = r->retry_after_ms;
}

static bool parse(const struct http_reply *reply, struct reading *r)
{
    if (json_parse(reply->body, reply->body_len, "Slack's answer", &r->json, NULL) < 0)
        return false;
    r->reply.json = r->json;
    return cJSON_IsObject(r->json);
}

void webapi_read(const char *method, const struct method_info *info, const struct http_reply *reply,
                 const struct error *err, bool sent, struct reading *r)
{
    bool ok = false;

    *r = (struct reading){ .reply = { .code = "", .date_ms = TIME_UNKNOWN }, .err = ERROR_INIT };
    if (err) {
        read_failure(method, info, err, sent, r);
        return;
    }
    r->reply.scopes = r->scopes = xstrdup(http_reply_header(reply, "X-OAuth-Scopes"));
    r->reply.date_ms = http_reply_date_ms(reply);
    if (reply->status == 429) {
        read_limit(method, reply, r);
        return;
    }
    bool json = parse(reply, r), says = json && json_bool(r->json, "ok", &ok);
    if (says && ok && reply->status == 200) {
        r->reply.kind = WEBAPI_OK;
    } else if (says && !ok) {
        read_refusal(method, r);
    } else if (reply->status >= 400 && reply->status < 500 && reply->status != 408) {
        r->reply.kind = WEBAPI_REFUSED;
        error_set(&r->err, ERR_UPSTREAM, "Slack answered %d to %s", reply->status, method);
    } else {
        r->reply.kind = kind_of_silence(info, true);
        error_set(&r->err, reply->status >= 500 ? ERR_UPSTREAM : ERR_PROTOCOL,
                  "Slack answered %d to %s without saying whether it is done", reply->status,
                  method);
    }
}

void webapi_read_address(const char *name, const struct http_reply *reply, const struct error *err,
                         bool sent, struct reading *r)
{
    const struct method_info *info = method_info(name);

    *r = (struct reading){ .reply = { .code = "", .date_ms = TIME_UNKNOWN }, .err = ERROR_INIT };
    if (err) {
        read_failure(name, info, err, sent, r);
    } else if (reply->status / 100 == 2) {
        r->reply.kind = WEBAPI_OK;
    } else if (reply->status == 429) {
        read_limit(name, reply, r);
    } else if (parse(reply, r) && json_str(r->json, "error")) {
        read_refusal(name, r);
    } else {
        r->reply.kind = reply->status >= 500 ? kind_of_silence(info, true) : WEBAPI_REFUSED;
        error_set(&r->err, ERR_UPSTREAM, "Slack answered %d to %s (%s)", reply->status, name,
                  info->repeatable ? "a file's bytes" : "used up after 5 answers or 30 minutes");
    }
}

void reading_clear(struct reading *r)
{
    cJSON_Delete(r->json);
    free(r->scopes);
    error_clear(&r->err);
    *r = (struct reading){ .reply = { .code = "", .date_ms = TIME_UNKNOWN }, .err = ERROR_INIT };
}
