/* chat - https://docs.slack.dev/reference/methods/chat.postMessage and its kin, reactions.add. */
#include <ctype.h>

#include "dbconn/base/text.h"
#include "slack/blocks.h"
#include "slack/call.h"
#include "slack/files.h"
#include "slack/streams.h"

#define TEXT_MAX 40000       /* posting cuts there */
#define UPDATE_TEXT_MAX 4000 /* editing refuses there */
#define MARKDOWN_MAX 12000
#define ATTACHMENTS_MAX 100
#define METADATA_MAX 8000
#define METADATA_CAREFUL 1024

/* What a message is to hold. */
struct content {
    const char *text;
    cJSON *blocks, *attachments, *metadata; /* NULL: not given */
};

static void content_clear(struct content *content)
{
    cJSON_Delete(content->blocks);
    cJSON_Delete(content->attachments);
    cJSON_Delete(content->metadata);
}

static bool file_exists(void *user, const char *id)
{
    return files_has(user, id);
}

/* New blocks come to workspaces in phases. */
static void refuse_new_blocks(const struct slack *slack, const cJSON *blocks, cJSON *errors)
{
    int i = 0;

    for (const cJSON *b = json_first(blocks); b; b = b->next, i++) {
        const char *type = json_str_or(b, "type", "?");
        if (!slack->refused_blocks || !strstr(slack->refused_blocks, type))
            continue;
        char *text = xasprintf("unsupported type: %s [json-pointer:/blocks/%d/type]", type, i);
        cJSON_AddItemToArray(errors, cJSON_CreateString(text));
        free(text);
    }
}

static void read_blocks(struct call *call, struct content *content)
{
    struct block_report report;

    content->blocks = arg_json(call, "blocks", "invalid_blocks_format");
    if (!content->blocks)
        return;
    if (!cJSON_IsArray(content->blocks)) {
        call_fail(call, "invalid_blocks_format");
        return;
    }
    blocks_check(content->blocks, SURFACE_MESSAGE, "/blocks", file_exists, call->slack->files,
                 &report);
    refuse_new_blocks(call->slack, content->blocks, report.errors);
    if (accept_blocks(call, report.errors) && report.text_bytes > MESSAGE_TEXT_MAX)
        call_fail(call, "msg_blocks_too_long");
}

/* A markdown_text becomes a markdown block. */
static void read_markdown(struct call *call, struct content *content)
{
    const char *markdown = arg_str(call, "markdown_text");

    if (!markdown)
        return;
    if (content->text || content->blocks) {
        call_fail(call, "markdown_text_conflict");
    } else if (strlen(markdown) > MARKDOWN_MAX) {
        call_fail(call, "msg_too_long");
    } else {
        cJSON *block = cJSON_CreateObject();
        json_put_str(block, "type", "markdown");
        json_put_str(block, "text", markdown);
        content->blocks = cJSON_CreateArray();
        cJSON_AddItemToArray(content->blocks, block);
        content->text = markdown;
    }
}

static void read_metadata(struct call *call, struct content *content)
{
    cJSON *metadata = arg_json(call, "metadata", "invalid_metadata_format");

    content->metadata = metadata;
    if (!metadata)
        return;
    if (!json_str(metadata, "event_type") || !cJSON_IsObject(json_get(metadata, "event_payload"))) {
        call_fail(call, "invalid_metadata_format");
        return;
    }
    char *text = json_print(metadata);
    if (strlen(text) > METADATA_MAX)
        call_fail(call, "metadata_too_large");
    else if (strlen(text) > METADATA_CAREFUL)
        slack_note(call->slack, "metadata of %zu bytes: Slack's limit is not published",
                   strlen(text));
    free(text);
}

static void note_what_is_careless(struct call *call)
{
    if (arg_bool(call, "link_names") || arg_str(call, "parse"))
        slack_note(call->slack, "parse or link_names is set: names in foreign text may notify");
}

static void read_content(struct call *call, struct content *content)
{
    *content = (struct content){ .text = arg_str(call, "text") };
    read_blocks(call, content);
    read_markdown(call, content);
    content->attachments = arg_json(call, "attachments", "invalid_attachments");
    if (cJSON_GetArraySize(content->attachments) > ATTACHMENTS_MAX)
        call_fail(call, "too_many_attachments");
    read_metadata(call, content);
    note_what_is_careless(call);
}

static bool has_content(const struct content *content)
{
    return content->text || cJSON_GetArraySize(content->blocks) > 0 ||
           cJSON_GetArraySize(content->attachments) > 0;
}

static bool looks_like_ts(const char *ts)
{
    const char *dot = strchr(ts, '.');

    if (!dot || dot == ts || strlen(dot) != 7)
        return false;
    for (const char *c = ts; *c; c++)
        if (c != dot && !isdigit((unsigned char)*c))
            return false;
    return true;
}

/* The parent that thread_ts names; fails the call when there is none or it is itself a reply. */
static const char *read_thread(struct call *call, const struct channel *channel)
{
    const char *ts = arg_str(call, "thread_ts");
    const struct message *parent;

    if (!ts)
        return NULL;
    parent = channel_message(channel, ts);
    if (!looks_like_ts(ts))
        call_fail(call, "invalid_thread_ts");
    else if (!parent || parent->shown_to)
        call_fail(call, "thread_not_found");
    else if (parent->thread_ts)
        call_fail(call, "cannot_reply_to_message");
    return ts;
}

static void set_text(struct call *call, struct message *m, const char *text)
{
    free(m->text);
    m->text = xstrndup(text, text_cut(text, TEXT_MAX));
    if (strlen(text) > TEXT_MAX)
        call_warn(call, "message_truncated");
}

static cJSON *take(cJSON **slot)
{
    cJSON *tree = *slot;

    *slot = NULL;
    return tree;
}

/* Slack gives blocks an id where the sender gave none. */
static void name_blocks(struct workspace *ws, cJSON *blocks)
{
    for (cJSON *block = cJSON_IsArray(blocks) ? blocks->child : NULL; block; block = block->next) {
        if (json_str(block, "block_id"))
            continue;
        char *id = xasprintf("b%05x", ++ws->blocks_named & 0xFFFFF);
        cJSON_DeleteItemFromObjectCaseSensitive(block, "block_id");
        json_put_str(block, "block_id", id);
        free(id);
    }
}

static struct message *add_bot_message(struct call *call, struct channel *channel,
                                       struct content *content)
{
    struct slack *slack = call->slack;
    struct message *m = channel_add(&slack->ws, channel, slack->ws.bot_user_id);

    m->bot_id = xstrdup(slack->ws.bot_id);
    m->blocks = take(&content->blocks);
    m->attachments = take(&content->attachments);
    m->metadata = take(&content->metadata);
    name_blocks(&slack->ws, m->blocks);
    set_text(call, m, content->text ? content->text : "");
    return m;
}

/* A person's id stands for the direct message with them (docs.slack.dev, chat.postMessage). */
static void open_dm_of(struct call *call)
{
    const char *id = arg_str(call, "channel");
    const struct user *user = workspace_user(&call->slack->ws, id);

    if (!user || user->deleted || user->is_bot)
        return;
    const struct channel *dm = workspace_dm(&call->slack->ws, user->id);
    cJSON_DeleteItemFromObjectCaseSensitive(call->args, "channel");
    json_put_str(call->args, "channel", dm->id);
}

void chat_postMessage(struct call *call)
{
    struct content content = { 0 };

    open_dm_of(call);
    struct channel *channel = arg_postable(call);
    const char *thread = channel ? read_thread(call, channel) : NULL;

    if (call_ok(call))
        read_content(call, &content);
    if (call_ok(call) && !has_content(&content))
        call_fail(call, "no_text");
    if (call_ok(call)) {
        struct message *m = add_bot_message(call, channel, &content);
        m->thread_ts = xstrdup(thread);
        m->broadcast = thread && arg_bool(call, "reply_broadcast");
        if (m->broadcast)
            m->subtype = xstrdup("thread_broadcast");
        json_put_str(call->reply, "channel", channel->id);
        json_put_str(call->reply, "ts", m->ts);
        cJSON_AddItemToObject(call->reply, "message",
                              message_json(&call->slack->ws, channel, m, true));
    }
    content_clear(&content);
}

void chat_postEphemeral(struct call *call)
{
    struct content content = { 0 };
    struct channel *channel = arg_postable(call);
    const char *user = arg_need(call, "user");
    const char *thread = channel ? read_thread(call, channel) : NULL;
    const struct user *person = workspace_user(&call->slack->ws, user);

    if (call_ok(call) && (!person || person->deleted))
        call_fail(call, "user_not_in_channel");
    if (call_ok(call))
        read_content(call, &content);
    if (call_ok(call) && !has_content(&content))
        call_fail(call, "no_text");
    if (call_ok(call)) {
        struct message *m = add_bot_message(call, channel, &content);
        m->thread_ts = xstrdup(thread);
        m->shown_to = xstrdup(user);
        json_put_str(call->reply, "message_ts", m->ts);
    }
    content_clear(&content);
}

/* The bot's own message that `ts` names; fails the call otherwise. */
static struct message *arg_own_message(struct call *call, const struct channel *channel,
                                       const char *not_ours)
{
    const char *ts = arg_need(call, "ts");
    struct message *m = ts && channel ? channel_message(channel, ts) : NULL;

    if (!call_ok(call))
        return NULL;
    if (!m || m->shown_to)
        call_fail(call, "message_not_found");
    else if (!m->bot_id)
        call_fail(call, not_ours);
    return call_ok(call) ? m : NULL;
}

/* `text` without `blocks` removes the blocks; `blocks` without `text` keeps the text. */
static void apply_update(struct call *call, struct message *m, struct content *content)
{
    if (content->text || content->blocks) {
        cJSON_Delete(m->blocks);
        m->blocks = take(&content->blocks);
        name_blocks(&call->slack->ws, m->blocks);
    }
    if (content->text) {
        if (strcmp(content->text, m->text) != 0) {
            free(m->edited_ts);
            m->edited_ts = workspace_new_ts(&call->slack->ws);
        }
        set_text(call, m, content->text);
    }
    if (content->attachments) {
        cJSON_Delete(m->attachments);
        m->attachments = take(&content->attachments);
    }
    if (content->metadata) {
        cJSON_Delete(m->metadata);
        m->metadata = take(&content->metadata);
    }
    m->broadcast = m->broadcast || (m->thread_ts && arg_bool(call, "reply_broadcast"));
    m->edits++;
}

void chat_update(struct call *call)
{
    struct content content = { 0 };
    struct channel *channel = arg_channel(call);
    struct message *m = arg_own_message(call, channel, "cant_update_message");

    if (channel && channel->is_archived)
        call_fail(call, "is_inactive");
    if (m && m->streaming)
        call_fail(call, "streaming_state_conflict");
    if (call_ok(call))
        read_content(call, &content);
    if (content.text && strlen(content.text) > UPDATE_TEXT_MAX)
        call_fail(call, "msg_too_long");
    if (call_ok(call) && !content.text && !content.blocks && !content.attachments &&
        !content.metadata)
        call_fail(call, "no_text");
    if (m && call_ok(call)) {
        apply_update(call, m, &content);
        json_put_str(call->reply, "channel", channel->id);
        json_put_str(call->reply, "ts", m->ts);
        json_put_str(call->reply, "text", m->text);
        cJSON_AddItemToObject(call->reply, "message",
                              message_json(&call->slack->ws, channel, m, false));
    }
    content_clear(&content);
}

void chat_delete(struct call *call)
{
    struct channel *channel = arg_channel(call);
    struct message *m = arg_own_message(call, channel, "cant_delete_message");

    if (m && m->streaming)
        call_fail(call, "cant_delete_message");
    if (!m || !call_ok(call))
        return;
    m->deleted = true;
    json_put_str(call->reply, "channel", channel->id);
    json_put_str(call->reply, "ts", m->ts);
}

void chat_getPermalink(struct call *call)
{
    struct channel *channel = arg_channel(call);
    const char *ts = arg_need(call, "message_ts");
    const struct message *m = channel ? channel_message(channel, ts) : NULL;
    struct buf link = BUF_INIT;

    if (call_ok(call) && (!m || m->shown_to))
        call_fail(call, "message_not_found");
    if (!call_ok(call))
        return;
    buf_addf(&link, "https://%s.slack.com/archives/%s/p", call->slack->ws.domain, channel->id);
    for (const char *c = m->ts; *c; c++)
        if (*c != '.')
            buf_addc(&link, *c);
    if (m->thread_ts)
        buf_addf(&link, "?thread_ts=%s&cid=%s", m->thread_ts, channel->id);
    json_put_str(call->reply, "channel", channel->id);
    json_put_str(call->reply, "permalink", buf_str(&link));
    buf_clear(&link);
}

static cJSON *find_reaction(cJSON *reactions, const char *name)
{
    for (cJSON *r = cJSON_IsArray(reactions) ? reactions->child : NULL; r; r = r->next)
        if (text_same(json_str(r, "name"), name))
            return r;
    return NULL;
}

static bool is_emoji_name(const char *name)
{
    return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_+-'")] == '\0';
}

void reactions_add(struct call *call)
{
    struct channel *channel = arg_channel(call);
    const char *name = arg_need(call, "name"), *ts = arg_need(call, "timestamp");
    struct message *m = channel && ts ? channel_message(channel, ts) : NULL;

    if (channel && channel->is_archived)
        call_fail(call, "is_archived");
    if (channel && !channel->bot_is_member)
        call_fail(call, "not_in_channel");
    if (call_ok(call) && !is_emoji_name(name))
        call_fail(call, "invalid_name");
    if (call_ok(call) && (!m || m->shown_to))
        call_fail(call, "message_not_found");
    if (!call_ok(call))
        return;
    if (find_reaction(m->reactions, name)) {
        call_fail(call, "already_reacted");
        return;
    }
    if (!m->reactions)
        m->reactions = cJSON_CreateArray();
    cJSON *reaction = cJSON_CreateObject();
    json_put_str(reaction, "name", name);
    json_put_i64(reaction, "count", 1);
    cJSON_AddItemToArray(json_put_array(reaction, "users"),
                         cJSON_CreateString(call->slack->ws.bot_user_id));
    cJSON_AddItemToArray(m->reactions, reaction);
}
