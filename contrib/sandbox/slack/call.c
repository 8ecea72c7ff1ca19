#include "slack/call.h"

#include <stdio.h>

void call_fail(struct call *call, const char *error)
{
    if (!call->error[0])
        snprintf(call->error, sizeof(call->error), "%s", error);
}

bool call_ok(const struct call *call)
{
    return !call->error[0];
}

void call_warn(struct call *call, const char *warning)
{
    cJSON_AddItemToArray(call->warnings, cJSON_CreateString(warning));
}

void call_message(struct call *call, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    cJSON_AddItemToArray(call->messages, cJSON_CreateString(buf_str(&text)));
    buf_clear(&text);
}

const char *arg_str(const struct call *call, const char *name)
{
    const char *value = json_str(call->args, name);

    return value && *value ? value : NULL;
}

const char *arg_need(struct call *call, const char *name)
{
    const char *value = arg_str(call, name);

    if (!value) {
        call_fail(call, "invalid_arguments");
        call_message(call, "[ERROR] missing required field: %s", name);
    }
    return value;
}

bool arg_bool(const struct call *call, const char *name)
{
    const cJSON *item = json_get(call->args, name);
    const char *text = cJSON_GetStringValue(item);

    return cJSON_IsTrue(item) || (text && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0));
}

int64_t arg_i64(const struct call *call, const char *name, int64_t fallback)
{
    int64_t value = fallback;

    (void)json_i64(call->args, name, &value);
    return value;
}

bool arg_has(const struct call *call, const char *name)
{
    return json_get(call->args, name) != NULL;
}

cJSON *arg_json(struct call *call, const char *name, const char *error)
{
    const cJSON *item = json_get(call->args, name);
    cJSON *tree = NULL;

    if (!item)
        return NULL;
    if (!cJSON_IsString(item))
        return cJSON_Duplicate(item, true);
    if (!item->valuestring[0])
        return NULL;
    if (json_parse(item->valuestring, strlen(item->valuestring), name, &tree, NULL) < 0)
        call_fail(call, error);
    return tree;
}

/* Membership decides what the bot sees; of a public channel it sees that it exists. */
static bool is_visible(const struct channel *channel)
{
    return channel->kind == CHANNEL_PUBLIC || channel->bot_is_member;
}

struct channel *arg_channel(struct call *call)
{
    const char *id = arg_need(call, "channel");
    struct channel *channel = id ? workspace_channel(&call->slack->ws, id) : NULL;

    if (id && (!channel || !is_visible(channel))) {
        call_fail(call, "channel_not_found");
        return NULL;
    }
    return channel;
}

struct channel *arg_postable(struct call *call)
{
    struct channel *channel = arg_channel(call);

    if (!channel)
        return NULL;
    if (channel->is_archived)
        call_fail(call, "is_archived");
    else if (channel->is_read_only)
        call_fail(call, "restricted_action_read_only_channel");
    else if (!channel->bot_is_member && !slack_has_scope(call->slack, "chat:write.public"))
        call_fail(call, "not_in_channel");
    return call_ok(call) ? channel : NULL;
}

bool need_scope(struct call *call, const char *scope)
{
    if (slack_has_scope(call->slack, scope))
        return true;
    call_fail(call, "missing_scope");
    json_put_str(call->reply, "needed", scope);
    json_put_str(call->reply, "provided", call->slack->scopes);
    return false;
}

bool need_kind_scope(struct call *call, const struct channel *channel, const char *verb)
{
    static const char *const families[] = {
        [CHANNEL_PUBLIC] = "channels",
        [CHANNEL_PRIVATE] = "groups",
        [CHANNEL_DM] = "im",
        [CHANNEL_GROUP_DM] = "mpim",
    };
    char *scope = xasprintf("%s:%s", families[channel->kind], verb);
    bool ok = need_scope(call, scope);

    free(scope);
    return ok;
}

bool accept_blocks(struct call *call, cJSON *errors)
{
    if (!errors->child) {
        cJSON_Delete(errors);
        return true;
    }
    for (const cJSON *e = errors->child; e; e = e->next)
        call_message(call, "[ERROR] %s", e->valuestring);
    call_fail(call, "invalid_blocks");
    cJSON_AddItemToObject(call->reply, "errors", errors);
    return false;
}
