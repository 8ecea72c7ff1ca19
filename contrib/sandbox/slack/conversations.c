/* conversations - https://docs.slack.dev/reference/methods?filter=conversations, users, groups. */
#include "dbconn/base/text.h"
#include "slack/call.h"

void conversations_info(struct call *call)
{
    struct channel *channel = arg_channel(call);

    if (channel && need_kind_scope(call, channel, "read"))
        cJSON_AddItemToObject(call->reply, "channel", channel_json(&call->slack->ws, channel));
}

static bool is_listed(struct call *call, const struct channel *c)
{
    const char *types = arg_str(call, "types");

    if (!c->bot_is_member || (c->is_archived && arg_bool(call, "exclude_archived")))
        return false;
    if (c->kind == CHANNEL_PRIVATE)
        return types && strstr(types, "private_channel");
    return c->kind == CHANNEL_PUBLIC && (!types || strstr(types, "public_channel"));
}

/* The bot's own. Other kinds of conversations than channels are not listed. */
void users_conversations(struct call *call)
{
    const struct workspace *ws = &call->slack->ws;
    const char *cursor = arg_str(call, "cursor");
    int64_t limit = arg_i64(call, "limit", 100), skip = 0, n = 0;
    cJSON *list;

    if (limit < 1 || limit > 999)
        call_fail(call, "invalid_limit");
    if (cursor && !text_starts(cursor, "next:"))
        call_fail(call, "invalid_cursor");
    if (!call_ok(call))
        return;
    skip = cursor ? strtoll(cursor + 5, NULL, 10) : 0;
    list = json_put_array(call->reply, "channels");
    for (size_t i = 0; i < ws->n_channels; i++) {
        if (!is_listed(call, ws->channels[i]))
            continue;
        if (n >= skip && n < skip + limit)
            cJSON_AddItemToArray(list, channel_json(ws, ws->channels[i]));
        n++;
    }
    char *next = n > skip + limit ? xasprintf("next:%lld", (long long)(skip + limit)) : xstrdup("");
    json_put_str(json_put_object(call->reply, "response_metadata"), "next_cursor", next);
    free(next);
}

/* A page: messages from..to in this order, `limit` of them beginning after the cursor. */
struct page {
    int64_t limit, skip;
    cJSON *messages;
    int64_t n;
    bool has_more;
};

static bool begin_page(struct call *call, struct page *page, int64_t fallback)
{
    const char *cursor = arg_str(call, "cursor");

    *page = (struct page){ .limit = arg_i64(call, "limit", fallback) };
    if (page->limit < 1 || page->limit > 1000) {
        call_fail(call, "invalid_limit");
        return false;
    }
    if (cursor && !text_starts(cursor, "next:")) {
        call_fail(call, "invalid_cursor");
        return false;
    }
    page->skip = cursor ? strtoll(cursor + 5, NULL, 10) : 0;
    page->messages = cJSON_CreateArray();
    return true;
}

static void add_to_page(struct call *call, struct page *page, const struct channel *channel,
                        const struct message *m)
{
    bool metadata = arg_bool(call, "include_all_metadata");
    int64_t index = page->n++;

    if (index >= page->skip + page->limit)
        page->has_more = true;
    else if (index >= page->skip)
        cJSON_AddItemToArray(page->messages, message_json(&call->slack->ws, channel, m, metadata));
}

static void end_page(struct call *call, struct page *page)
{
    char *cursor = page->has_more ? xasprintf("next:%lld", (long long)(page->skip + page->limit))
                                  : xstrdup("");

    cJSON_AddItemToObject(call->reply, "messages", page->messages);
    json_put_bool(call->reply, "has_more", page->has_more);
    json_put_str(json_put_object(call->reply, "response_metadata"), "next_cursor", cursor);
    free(cursor);
}

/* Both ends exclusive unless `inclusive`, as Slack's oldest and latest are. */
static bool in_range(const struct call *call, const char *ts)
{
    const char *oldest = arg_str(call, "oldest"), *latest = arg_str(call, "latest");
    double at = strtod(ts, NULL), from = oldest ? strtod(oldest, NULL) : 0;
    bool inclusive = arg_bool(call, "inclusive");

    if (oldest && (at < from || (text_same(ts, oldest) && !inclusive)))
        return false;
    return !latest || (at <= strtod(latest, NULL) && (!text_same(ts, latest) || inclusive));
}

static struct channel *arg_readable(struct call *call)
{
    struct channel *channel = arg_channel(call);

    if (!channel || !need_kind_scope(call, channel, "history"))
        return NULL;
    if (!channel->bot_is_member)
        call_fail(call, "not_in_channel");
    return call_ok(call) ? channel : NULL;
}

void conversations_replies(struct call *call)
{
    struct channel *channel = arg_readable(call);
    const char *ts = arg_need(call, "ts");
    const struct message *m = channel ? channel_message(channel, ts) : NULL;
    struct page page;

    if (call_ok(call) && (!m || m->shown_to))
        call_fail(call, "thread_not_found");
    if (!call_ok(call) || !begin_page(call, &page, 1000))
        return;
    const char *parent = m->thread_ts ? m->thread_ts : m->ts;
    for (size_t i = 0; i < channel->n; i++) {
        const struct message *one = channel->messages[i];
        bool is_parent = text_same(one->ts, parent);
        if (one->deleted || one->shown_to || (!is_parent && !text_same(one->thread_ts, parent)))
            continue;
        if (is_parent || in_range(call, one->ts))
            add_to_page(call, &page, channel, one);
    }
    end_page(call, &page);
}

void conversations_history(struct call *call)
{
    struct channel *channel = arg_readable(call);
    struct page page;

    if (!channel || !begin_page(call, &page, 100))
        return;
    for (size_t i = channel->n; i-- > 0;) {
        const struct message *m = channel->messages[i];
        if (!m->deleted && !m->shown_to && (!m->thread_ts || m->broadcast) && in_range(call, m->ts))
            add_to_page(call, &page, channel, m);
    }
    end_page(call, &page);
}

void conversations_join(struct call *call)
{
    const char *id = arg_need(call, "channel");
    struct channel *channel = id ? workspace_channel(&call->slack->ws, id) : NULL;

    if (!call_ok(call))
        return;
    if (!channel || (channel->kind == CHANNEL_PRIVATE && !channel->bot_is_member)) {
        call_fail(call, "channel_not_found");
    } else if (channel->kind != CHANNEL_PUBLIC) {
        call_fail(call, "method_not_supported_for_channel_type");
    } else if (channel->is_archived) {
        call_fail(call, "is_archived");
    } else {
        if (channel->bot_is_member)
            call_warn(call, "already_in_channel");
        channel->bot_is_member = true;
        cJSON_AddItemToObject(call->reply, "channel", channel_json(&call->slack->ws, channel));
    }
}

void conversations_open(struct call *call)
{
    const char *users = arg_need(call, "users");
    const struct user *user = users ? workspace_user(&call->slack->ws, users) : NULL;

    if (!call_ok(call))
        return;
    if (!user || strchr(users, ',')) {
        call_fail(call, "user_not_found");
        return;
    }
    const struct channel *channel = workspace_dm(&call->slack->ws, user->id);
    json_put_str(json_put_object(call->reply, "channel"), "id", channel->id);
}

/* Everybody of the workspace is in every channel that the bot sees, strangers in shared ones. */
void conversations_members(struct call *call)
{
    struct channel *channel = arg_channel(call);
    const struct workspace *ws = &call->slack->ws;

    if (!channel || !need_kind_scope(call, channel, "read"))
        return;
    cJSON *members = json_put_array(call->reply, "members");
    for (size_t i = 0; i < ws->n_users; i++) {
        const struct user *user = &ws->users[i];
        bool stranger = strcmp(user->team_id, ws->team_id) != 0;
        bool inside = channel->kind == CHANNEL_DM ? text_same(channel->dm_user, user->id)
                                                  : !stranger || channel->is_ext_shared;
        if (inside && !user->deleted && (!user->is_bot || channel->bot_is_member))
            cJSON_AddItemToArray(members, cJSON_CreateString(user->id));
    }
    json_put_str(json_put_object(call->reply, "response_metadata"), "next_cursor", "");
}

void users_info(struct call *call)
{
    const char *id = arg_need(call, "user");
    const struct user *user = id ? workspace_user(&call->slack->ws, id) : NULL;

    if (!call_ok(call))
        return;
    if (!user)
        call_fail(call, "user_not_found");
    else
        cJSON_AddItemToObject(call->reply, "user", user_json(user));
}

void usergroups_users_list(struct call *call)
{
    const char *id = arg_need(call, "usergroup");
    const struct user_group *group = id ? workspace_group(&call->slack->ws, id) : NULL;

    if (!call_ok(call))
        return;
    if (!group) {
        call_fail(call, "no_such_subteam");
        return;
    }
    cJSON *users = json_put_array(call->reply, "users");
    for (size_t i = 0; i < group->n; i++)
        cJSON_AddItemToArray(users, cJSON_CreateString(group->users[i]));
}

void auth_test(struct call *call)
{
    const struct workspace *ws = &call->slack->ws;
    char *url = xasprintf("https://%s.slack.com/", ws->domain);

    json_put_str(call->reply, "url", url);
    json_put_str(call->reply, "team", ws->team_name);
    json_put_str(call->reply, "user", "dbconn");
    json_put_str(call->reply, "team_id", ws->team_id);
    json_put_str(call->reply, "user_id", ws->bot_user_id);
    json_put_str(call->reply, "bot_id", ws->bot_id);
    json_put_bool(call->reply, "is_enterprise_install", false);
    free(url);
}
