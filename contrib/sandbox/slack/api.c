/*
 * api - from an HTTP request to a method and back.
 *
 * Facts: https://docs.slack.dev/apis/web-api (transport, errors), /apis/web-api/rate-limits
 * (tiers), /reference/methods/<name> (scope, tier and arguments of each).
 */
#include <strings.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "slack/call.h"

enum token_kind { TOKEN_BOT, TOKEN_APP };

/* How a method takes its arguments. */
enum body_kind {
    BODY_ANY,  /* form, query or JSON */
    BODY_FORM, /* a form or a query; JSON arguments are not seen */
};

static const struct method {
    const char *name;
    method_fn *run;
    enum token_kind token;
    enum body_kind body;
    int per_minute;    /* its tier; 0: counted elsewhere or generous */
    const char *scope; /* NULL: none, or it depends on the channel */
} methods[] = {
    { "apps.connections.open", apps_connections_open, TOKEN_APP, BODY_ANY, 50, NULL },
    { "auth.test", auth_test, TOKEN_BOT, BODY_ANY, 0, NULL },
    { "chat.postMessage", chat_postMessage, TOKEN_BOT, BODY_ANY, 0, "chat:write" },
    { "chat.update", chat_update, TOKEN_BOT, BODY_ANY, 50, "chat:write" },
    { "chat.postEphemeral", chat_postEphemeral, TOKEN_BOT, BODY_ANY, 100, "chat:write" },
    { "chat.delete", chat_delete, TOKEN_BOT, BODY_ANY, 50, "chat:write" },
    { "chat.getPermalink", chat_getPermalink, TOKEN_BOT, BODY_FORM, 0, NULL },
    { "chat.startStream", chat_startStream, TOKEN_BOT, BODY_ANY, 20, "chat:write" },
    { "chat.appendStream", chat_appendStream, TOKEN_BOT, BODY_ANY, 100, "chat:write" },
    { "chat.stopStream", chat_stopStream, TOKEN_BOT, BODY_ANY, 20, "chat:write" },
    { "reactions.add", reactions_add, TOKEN_BOT, BODY_ANY, 50, "reactions:write" },
    { "conversations.info", conversations_info, TOKEN_BOT, BODY_FORM, 50, NULL },
    { "conversations.replies", conversations_replies, TOKEN_BOT, BODY_FORM, 50, NULL },
    { "conversations.history", conversations_history, TOKEN_BOT, BODY_FORM, 50, NULL },
    { "conversations.members", conversations_members, TOKEN_BOT, BODY_FORM, 100, NULL },
    { "conversations.join", conversations_join, TOKEN_BOT, BODY_ANY, 50, "channels:join" },
    { "conversations.open", conversations_open, TOKEN_BOT, BODY_ANY, 50, "im:write" },
    { "users.conversations", users_conversations, TOKEN_BOT, BODY_FORM, 50, "channels:read" },
    { "users.info", users_info, TOKEN_BOT, BODY_FORM, 100, "users:read" },
    { "usergroups.users.list", usergroups_users_list, TOKEN_BOT, BODY_FORM, 20, "usergroups:read" },
    { "views.open", views_open, TOKEN_BOT, BODY_ANY, 100, NULL },
    { "views.push", views_push, TOKEN_BOT, BODY_ANY, 100, NULL },
    { "views.update", views_update, TOKEN_BOT, BODY_ANY, 100, NULL },
    { "views.publish", views_publish, TOKEN_BOT, BODY_ANY, 100, NULL },
    { "files.getUploadURLExternal", files_getUploadURLExternal, TOKEN_BOT, BODY_FORM, 100,
      "files:write" },
    { "files.completeUploadExternal", files_completeUploadExternal, TOKEN_BOT, BODY_ANY, 100,
      "files:write" },
    { "files.info", files_info, TOKEN_BOT, BODY_FORM, 100, "files:read" },
};

static const struct method *find_method(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}

static void add_params(cJSON *args, const struct params *params)
{
    for (size_t i = 0; i < params->n; i++)
        if (!cJSON_GetObjectItemCaseSensitive(args, params->items[i].name))
            json_put_str(args, params->items[i].name, params->items[i].value);
}

static void read_form(struct call *call)
{
    struct params form = PARAMS_INIT;

    if (strcasestr(call->req->content_type, "charset"))
        call_warn(call, "superfluous_charset");
    params_parse_form(&form, buf_str(&call->req->body), call->req->body.len);
    add_params(call->args, &form);
    params_clear(&form);
}

static void read_json(struct call *call, const struct method *method)
{
    cJSON *tree = NULL;

    if (!strcasestr(call->req->content_type, "charset"))
        call_warn(call, "missing_charset");
    call->is_json = true;
    if (method->body == BODY_FORM) {
        slack_note(call->slack, "%s was sent as JSON, which it does not read", method->name);
        return;
    }
    if (json_parse(buf_str(&call->req->body), call->req->body.len, "body", &tree, NULL) < 0 ||
        !cJSON_IsObject(tree)) {
        call_fail(call, "invalid_json");
        cJSON_Delete(tree);
        return;
    }
    cJSON_Delete(call->args);
    call->args = tree;
}

static void read_arguments(struct call *call, const struct method *method)
{
    const struct request *req = call->req;

    add_params(call->args, &req->query);
    if (req->body.len == 0)
        return;
    if (!req->content_type)
        call_fail(call, "missing_post_type");
    else if (request_is_type(req, "application/x-www-form-urlencoded"))
        read_form(call);
    else if (request_is_type(req, "application/json"))
        read_json(call, method);
    else
        call_fail(call, "invalid_post_type");
}

/* The token of the Authorization header, or of a form; never of a JSON body. */
static const char *token_of(const struct call *call)
{
    const char *token = request_credential(call->req, "Bearer");

    return token || call->is_json ? token : arg_str(call, "token");
}

static void check_token(struct call *call, const struct method *method)
{
    const struct slack *slack = call->slack;
    const char *token = token_of(call);
    bool is_app = token && strcmp(token, slack->app_token) == 0;
    bool is_bot = token && strcmp(token, slack->bot_token) == 0;

    if (!token)
        call_fail(call, "not_authed");
    else if (!is_app && !is_bot)
        call_fail(call, "invalid_auth");
    else if (is_app != (method->token == TOKEN_APP))
        call_fail(call, "not_allowed_token_type");
    else if (is_app && slack->app_token_error)
        call_fail(call, slack->app_token_error);
    else if (is_bot && slack->bot_token_error)
        call_fail(call, slack->bot_token_error);
    else if (is_app && !call->req->authorization)
        call_fail(call, "not_authed"); /* an app-level token is taken from the header only */
    else if (method->scope)
        (void)need_scope(call, method->scope);
}

static void refuse_for(struct call *call, int64_t wait)
{
    if (wait > 0 && call_ok(call)) {
        call->retry_after_s = (wait + 999) / 1000;
        call_fail(call, "ratelimited");
    }
}

/* The channel in which the call makes a message, or NULL. */
static const char *posts_in(struct call *call, const struct method *method)
{
    if (method->run == chat_postMessage || method->run == chat_startStream)
        return arg_str(call, "channel");
    return method->run == files_completeUploadExternal ? arg_str(call, "channel_id") : NULL;
}

static void check_limits(struct call *call, const struct method *method)
{
    struct limits *limits = &call->slack->limits;
    int64_t now = clock_mono_ms();

    if (method->per_minute)
        refuse_for(call, limits_take(limits, method->name, method->per_minute, MINUTE_MS, now));
    const char *channel = posts_in(call, method);
    if (channel) {
        char *key = xasprintf("post in %s", channel);
        refuse_for(call, limits_pace(limits, key, SECOND_MS, call->slack->post_burst, now));
        free(key);
    }
    if (method->run == chat_postMessage) {
        refuse_for(call, limits_take(limits, method->name, 300, MINUTE_MS, now));
    }
}

static void put_metadata(struct call *call)
{
    struct buf joined = BUF_INIT;
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(call->reply, "response_metadata");

    if (!call->warnings->child && !call->messages->child)
        return;
    if (!metadata)
        metadata = json_put_object(call->reply, "response_metadata");
    for (const cJSON *w = call->warnings->child; w; w = w->next)
        buf_addf(&joined, "%s%s", joined.len ? "," : "", w->valuestring);
    if (joined.len > 0) {
        json_put_str(call->reply, "warning", buf_str(&joined));
        cJSON_AddItemToObject(metadata, "warnings", cJSON_Duplicate(call->warnings, true));
    }
    if (call->messages->child)
        cJSON_AddItemToObject(metadata, "messages", cJSON_Duplicate(call->messages, true));
    buf_clear(&joined);
}

/* "ok" comes first, as in Slack's own answers. */
static cJSON *complete_reply(struct call *call)
{
    cJSON *out = cJSON_CreateObject();

    put_metadata(call);
    json_put_bool(out, "ok", call_ok(call));
    if (!call_ok(call))
        json_put_str(out, "error", call->error);
    for (cJSON *item; (item = call->reply->child);) {
        cJSON_DetachItemViaPointer(call->reply, item);
        char *name = xstrdup(item->string);
        cJSON_AddItemToObject(out, name, item);
        free(name);
    }
    return out;
}

static void send_reply(struct call *call, const struct method *method, const char *name,
                       struct reply *reply)
{
    int status = call->retry_after_s ? 429 : 200;
    cJSON *out = complete_reply(call);

    reply_header(reply, "content-type", "application/json; charset=utf-8");
    reply_header(reply, "x-slack-req-id", "%08llx", (long long)call->slack->calls_seen + 1);
    if (!method || method->token == TOKEN_BOT)
        reply_header(reply, "x-oauth-scopes", "%s", call->slack->scopes);
    if (method && method->scope)
        reply_header(reply, "x-accepted-oauth-scopes", "%s", method->scope);
    if (call->retry_after_s)
        reply_header(reply, "retry-after", "%lld", (long long)call->retry_after_s);
    cJSON_DeleteItemFromObjectCaseSensitive(call->args, "token");
    slack_record(call->slack, name, call->args, status, cJSON_Duplicate(out, true));
    call->args = NULL;
    reply_json(reply, status, out);
}

static void run(struct call *call, const struct method *method, const char *name)
{
    if (!method) {
        call_fail(call, "unknown_method");
        json_put_str(call->reply, "req_method", name);
        return;
    }
    read_arguments(call, method);
    check_token(call, method);
    if (method->token == TOKEN_APP && strcmp(call->req->method, "POST") != 0)
        call_fail(call, "insecure_request");
    if (call_ok(call))
        check_limits(call, method);
    if (call_ok(call))
        method->run(call);
}

void slack_api(struct slack *slack, const char *name, const struct request *req,
               struct reply *reply)
{
    const struct method *method = find_method(name);
    struct call call = { .slack = slack, .req = req };

    call.args = cJSON_CreateObject();
    call.reply = cJSON_CreateObject();
    call.warnings = cJSON_CreateArray();
    call.messages = cJSON_CreateArray();
    run(&call, method, name);
    send_reply(&call, method, name, reply);
    cJSON_Delete(call.args);
    cJSON_Delete(call.reply);
    cJSON_Delete(call.warnings);
    cJSON_Delete(call.messages);
}
