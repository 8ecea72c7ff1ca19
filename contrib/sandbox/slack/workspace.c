#include "slack/workspace.h"

#include <stdio.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"

#define TEAM "T0DBCONN01"
#define OTHER_TEAM "T0PARTNER1"
#define BOT_USER "U0DBCONN01"

static const char *const kind_names[] = {
    [CHANNEL_PUBLIC] = "public",
    [CHANNEL_PRIVATE] = "private",
    [CHANNEL_DM] = "dm",
    [CHANNEL_GROUP_DM] = "group_dm",
};

const char *channel_kind_name(enum channel_kind kind)
{
    return kind_names[kind];
}

/* Who is there unless the scenario says otherwise; channels of every sort, so that a test can
 * choose one by what it needs. */
static const char standard[] =
    "{\"users\":["
    "{\"id\":\"U0RAINER01\",\"name\":\"rainer\",\"real_name\":\"Rainer Maria\"},"
    "{\"id\":\"U0GRACE001\",\"name\":\"grace\",\"real_name\":\"Grace Okoro\"},"
    "{\"id\":\"U0PARTNER1\",\"name\":\"paul\",\"real_name\":\"Paul (Partner)\","
    "\"team_id\":\"" OTHER_TEAM "\"},"
    "{\"id\":\"U0GUEST001\",\"name\":\"gus\",\"real_name\":\"Gus (Guest)\",\"guest\":true},"
    "{\"id\":\"U0SINGLE01\",\"name\":\"sina\",\"real_name\":\"Sina (Guest)\","
    "\"single_channel_guest\":true},"
    "{\"id\":\"U0SISTER01\",\"name\":\"sid\",\"real_name\":\"Sid (Sister)\","
    "\"team_id\":\"T0SISTER01\"},"
    "{\"id\":\"U0ROBOT001\",\"name\":\"robbie\",\"is_bot\":true},"
    "{\"id\":\"U0LEFT0001\",\"name\":\"lea\",\"real_name\":\"Lea\",\"deleted\":true}],"
    "\"groups\":[{\"id\":\"S0ONCALL01\",\"handle\":\"oncall\","
    "\"users\":[\"U0RAINER01\",\"U0GRACE001\"]}],"
    "\"channels\":["
    "{\"id\":\"C0INCIDENT\",\"name\":\"incidents\",\"member\":true},"
    "{\"id\":\"C0RANDOM01\",\"name\":\"random\",\"member\":false},"
    "{\"id\":\"C0ARCHIVED\",\"name\":\"old-incidents\",\"member\":true,\"archived\":true},"
    "{\"id\":\"C0SHARED01\",\"name\":\"vendor-db\",\"member\":true,\"ext_shared\":true},"
    "{\"id\":\"C0READONLY\",\"name\":\"announcements\",\"member\":true,\"read_only\":true},"
    "{\"id\":\"C0SECRET01\",\"name\":\"war-room\",\"kind\":\"private\",\"member\":true},"
    "{\"id\":\"C0HIDDEN01\",\"name\":\"board\",\"kind\":\"private\",\"member\":false},"
    "{\"id\":\"D0RAINER01\",\"kind\":\"dm\",\"user\":\"U0RAINER01\",\"member\":true},"
    "{\"id\":\"D0PEOPLE01\",\"kind\":\"dm\",\"user\":\"U0GRACE001\",\"member\":false},"
    "{\"id\":\"C0GROUPDM1\",\"name\":\"mpdm-rainer--grace-1\",\"kind\":\"group_dm\","
    "\"member\":false},"
    "{\"id\":\"C0GROUPDM2\",\"name\":\"mpdm-rainer--grace--dbconn-1\",\"kind\":\"group_dm\","
    "\"member\":true}]}";

void workspace_put_user(struct workspace *ws, const cJSON *spec)
{
    const char *id = json_str_or(spec, "id", "");
    struct user *user = workspace_user(ws, id);

    if (!user) {
        user = VEC_ADD(ws->users, ws->n_users, ws->cap_users);
        user->id = xstrdup(id);
    }
    xreplace(&user->name, json_str_or(spec, "name", "someone"));
    xreplace(&user->real_name, json_str_or(spec, "real_name", user->name));
    xreplace(&user->team_id, json_str_or(spec, "team_id", ws->team_id));
    (void)json_bool(spec, "deleted", &user->deleted);
    (void)json_bool(spec, "is_bot", &user->is_bot);
    (void)json_bool(spec, "guest", &user->is_guest);
    (void)json_bool(spec, "single_channel_guest", &user->is_single_channel_guest);
}

void workspace_put_group(struct workspace *ws, const cJSON *spec)
{
    struct user_group *group = VEC_ADD(ws->groups, ws->n_groups, ws->cap_groups);

    group->id = xstrdup(json_str_or(spec, "id", ""));
    group->handle = xstrdup(json_str_or(spec, "handle", ""));
    for (const cJSON *user = json_items(spec, "users"); user; user = user->next)
        if (cJSON_IsString(user))
            *VEC_ADD(group->users, group->n, group->cap) = xstrdup(user->valuestring);
}

static void read_kind(const cJSON *spec, enum channel_kind *ret)
{
    const char *name = json_str(spec, "kind");

    for (size_t i = 0; name && i < ARRAY_LEN(kind_names); i++)
        if (strcmp(kind_names[i], name) == 0)
            *ret = (enum channel_kind)i;
}

struct channel *workspace_put_channel(struct workspace *ws, const cJSON *spec)
{
    const char *id = json_str_or(spec, "id", "");
    struct channel *channel = workspace_channel(ws, id);

    if (!channel) {
        channel = xcalloc(1, sizeof(*channel));
        channel->id = xstrdup(id);
        channel->name = xstrdup("");
        *VEC_ADD(ws->channels, ws->n_channels, ws->cap_channels) = channel;
    }
    if (json_str(spec, "name"))
        xreplace(&channel->name, json_str(spec, "name"));
    if (json_str(spec, "user"))
        xreplace(&channel->dm_user, json_str(spec, "user"));
    read_kind(spec, &channel->kind);
    (void)json_bool(spec, "member", &channel->bot_is_member);
    (void)json_bool(spec, "archived", &channel->is_archived);
    (void)json_bool(spec, "ext_shared", &channel->is_ext_shared);
    (void)json_bool(spec, "read_only", &channel->is_read_only);
    return channel;
}

static void read_part(struct workspace *ws, const cJSON *part)
{
    for (const cJSON *spec = json_items(part, "users"); spec; spec = spec->next)
        workspace_put_user(ws, spec);
    for (const cJSON *spec = json_items(part, "groups"); spec; spec = spec->next)
        workspace_put_group(ws, spec);
    for (const cJSON *spec = json_items(part, "channels"); spec; spec = spec->next)
        (void)workspace_put_channel(ws, spec);
}

void workspace_init(struct workspace *ws, const cJSON *slack)
{
    cJSON *tree = cJSON_Parse(standard);
    cJSON *bot = cJSON_CreateObject();

    *ws = (struct workspace){ 0 };
    ws->team_id = xstrdup(TEAM);
    ws->team_name = xstrdup(json_str_or(slack, "team", "Example"));
    ws->domain = xstrdup(json_str_or(slack, "domain", "example"));
    ws->app_id = xstrdup("A0DBCONN01");
    ws->bot_user_id = xstrdup(BOT_USER);
    ws->bot_id = xstrdup("B0DBCONN01");
    json_put_str(bot, "id", BOT_USER);
    json_put_str(bot, "name", "dbconn");
    json_put_bool(bot, "is_bot", true);
    workspace_put_user(ws, bot);
    read_part(ws, tree);
    read_part(ws, slack);
    cJSON_Delete(bot);
    cJSON_Delete(tree);
}

void message_free(struct message *m)
{
    if (!m)
        return;
    free(m->ts);
    free(m->thread_ts);
    free(m->user);
    free(m->bot_id);
    free(m->text);
    free(m->subtype);
    free(m->shown_to);
    free(m->edited_ts);
    free(m->client_msg_id);
    cJSON_Delete(m->blocks);
    cJSON_Delete(m->attachments);
    cJSON_Delete(m->metadata);
    cJSON_Delete(m->files);
    cJSON_Delete(m->reactions);
    free(m);
}

static void forget_messages(struct channel *channel)
{
    for (size_t i = 0; i < channel->n; i++)
        message_free(channel->messages[i]);
    free(channel->messages);
    channel->messages = NULL;
    channel->n = channel->cap = 0;
}

void workspace_forget_messages(struct workspace *ws)
{
    for (size_t i = 0; i < ws->n_channels; i++)
        forget_messages(ws->channels[i]);
}

static void clear_users(struct workspace *ws)
{
    for (size_t i = 0; i < ws->n_users; i++) {
        free(ws->users[i].id);
        free(ws->users[i].name);
        free(ws->users[i].real_name);
        free(ws->users[i].team_id);
    }
    free(ws->users);
    for (size_t i = 0; i < ws->n_groups; i++) {
        for (size_t k = 0; k < ws->groups[i].n; k++)
            free(ws->groups[i].users[k]);
        free(ws->groups[i].users);
        free(ws->groups[i].id);
        free(ws->groups[i].handle);
    }
    free(ws->groups);
}

void workspace_clear(struct workspace *ws)
{
    clear_users(ws);
    for (size_t i = 0; i < ws->n_channels; i++) {
        forget_messages(ws->channels[i]);
        free(ws->channels[i]->id);
        free(ws->channels[i]->name);
        free(ws->channels[i]->dm_user);
        free(ws->channels[i]);
    }
    free(ws->channels);
    free(ws->team_id);
    free(ws->team_name);
    free(ws->domain);
    free(ws->app_id);
    free(ws->bot_user_id);
    free(ws->bot_id);
    *ws = (struct workspace){ 0 };
}

struct user *workspace_user(struct workspace *ws, const char *id)
{
    for (size_t i = 0; id && i < ws->n_users; i++)
        if (strcmp(ws->users[i].id, id) == 0)
            return &ws->users[i];
    return NULL;
}

struct channel *workspace_channel(struct workspace *ws, const char *id)
{
    const char *name = id && id[0] == '#' ? id + 1 : id;

    for (size_t i = 0; id && i < ws->n_channels; i++)
        if (strcmp(ws->channels[i]->id, id) == 0 ||
            (ws->channels[i]->name[0] && strcmp(ws->channels[i]->name, name) == 0))
            return ws->channels[i];
    return NULL;
}

struct user_group *workspace_group(struct workspace *ws, const char *id)
{
    for (size_t i = 0; id && i < ws->n_groups; i++)
        if (strcmp(ws->groups[i].id, id) == 0)
            return &ws->groups[i];
    return NULL;
}

struct channel *workspace_dm(struct workspace *ws, const char *user)
{
    cJSON *spec;
    char *id;

    for (size_t i = 0; i < ws->n_channels; i++)
        if (ws->channels[i]->kind == CHANNEL_DM && ws->channels[i]->bot_is_member &&
            text_same(ws->channels[i]->dm_user, user))
            return ws->channels[i];
    spec = cJSON_CreateObject();
    id = xasprintf("D%s", user + 1);
    json_put_str(spec, "id", id);
    json_put_str(spec, "kind", "dm");
    json_put_str(spec, "user", user);
    json_put_bool(spec, "member", true);
    struct channel *channel = workspace_put_channel(ws, spec);
    free(id);
    cJSON_Delete(spec);
    return channel;
}

char *workspace_new_ts(struct workspace *ws)
{
    int64_t us = clock_wall_ms() * 1000;

    if (us <= ws->last_ts_us)
        us = ws->last_ts_us + 1;
    ws->last_ts_us = us;
    return xasprintf("%lld.%06lld", (long long)(us / 1000000), (long long)(us % 1000000));
}

struct message *channel_message(const struct channel *channel, const char *ts)
{
    for (size_t i = channel->n; ts && i-- > 0;)
        if (strcmp(channel->messages[i]->ts, ts) == 0)
            return channel->messages[i]->deleted ? NULL : channel->messages[i];
    return NULL;
}

struct message *channel_add(struct workspace *ws, struct channel *channel, const char *user)
{
    struct message *m = xcalloc(1, sizeof(*m));

    m->ts = workspace_new_ts(ws);
    m->user = xstrdup(user);
    m->text = xstrdup("");
    *VEC_ADD(channel->messages, channel->n, channel->cap) = m;
    return m;
}

cJSON *user_json(const struct user *user)
{
    cJSON *out = cJSON_CreateObject();

    json_put_str(out, "id", user->id);
    json_put_str(out, "team_id", user->team_id);
    json_put_str(out, "name", user->name);
    json_put_bool(out, "deleted", user->deleted);
    json_put_str(out, "real_name", user->real_name);
    json_put_str(out, "tz", "Europe/Vienna");
    json_put_i64(out, "tz_offset", 3600);
    cJSON *profile = json_put_object(out, "profile");
    json_put_str(profile, "real_name", user->real_name);
    json_put_str(profile, "display_name", user->name);
    json_put_bool(out, "is_bot", user->is_bot);
    /* A single-channel guest has both flags. Who shares a channel with the app is no stranger,
     * whatever their workspace (docs.slack.dev/reference/objects/user-object). */
    json_put_bool(out, "is_restricted", user->is_guest || user->is_single_channel_guest);
    json_put_bool(out, "is_ultra_restricted", user->is_single_channel_guest);
    json_put_bool(out, "is_stranger", false);
    json_put_bool(out, "is_app_user", false);
    return out;
}

cJSON *channel_json(const struct workspace *ws, const struct channel *c)
{
    cJSON *out = cJSON_CreateObject();
    bool im = c->kind == CHANNEL_DM, mpim = c->kind == CHANNEL_GROUP_DM;

    json_put_str(out, "id", c->id);
    json_put_i64(out, "created", 1700000000);
    json_put_bool(out, "is_archived", c->is_archived);
    json_put_bool(out, "is_im", im);
    json_put_str(out, "context_team_id", ws->team_id);
    if (im) {
        json_put_str(out, "user", c->dm_user);
        if (c->is_ext_shared)
            json_put_bool(out, "is_ext_shared", true);
        return out;
    }
    json_put_str(out, "name", c->name);
    json_put_str(out, "name_normalized", c->name);
    json_put_bool(out, "is_channel", !mpim);
    json_put_bool(out, "is_group", false);
    json_put_bool(out, "is_mpim", mpim);
    json_put_bool(out, "is_private", c->kind != CHANNEL_PUBLIC);
    json_put_bool(out, "is_general", false);
    json_put_bool(out, "is_shared", c->is_ext_shared);
    json_put_bool(out, "is_org_shared", false);
    json_put_bool(out, "is_ext_shared", c->is_ext_shared);
    json_put_bool(out, "is_pending_ext_shared", false);
    json_put_bool(out, "is_member", c->bot_is_member);
    json_put_bool(out, "is_read_only", c->is_read_only);
    json_put_bool(out, "is_thread_only", false);
    json_put_bool(out, "is_non_threadable", false);
    cJSON *teams = json_put_array(out, "shared_team_ids");
    cJSON_AddItemToArray(teams, cJSON_CreateString(ws->team_id));
    if (c->is_ext_shared)
        cJSON_AddItemToArray(teams, cJSON_CreateString(OTHER_TEAM));
    cJSON *topic = json_put_object(out, "topic");
    json_put_str(topic, "value", "");
    return out;
}

/* What the first message of a thread says about its replies. */
static void put_thread(cJSON *out, const struct channel *channel, const struct message *parent)
{
    const char *latest = NULL;
    int64_t replies = 0;

    for (size_t i = 0; i < channel->n; i++) {
        const struct message *m = channel->messages[i];
        if (!m->deleted && !m->shown_to && text_same(m->thread_ts, parent->ts)) {
            replies++;
            latest = m->ts;
        }
    }
    if (replies == 0)
        return;
    json_put_str(out, "thread_ts", parent->ts);
    json_put_i64(out, "reply_count", replies);
    json_put_i64(out, "reply_users_count", 1);
    json_put_str(out, "latest_reply", latest);
    json_put_bool(out, "is_locked", false);
    json_put_bool(out, "subscribed", false);
}

static void put_copy(cJSON *out, const char *key, const cJSON *tree)
{
    if (tree)
        cJSON_AddItemToObject(out, key, cJSON_Duplicate(tree, true));
}

cJSON *message_json(const struct workspace *ws, const struct channel *channel,
                    const struct message *m, bool with_metadata)
{
    cJSON *out = cJSON_CreateObject();

    json_put_str(out, "type", "message");
    if (m->subtype)
        json_put_str(out, "subtype", m->subtype);
    json_put_str(out, "user", m->user);
    json_put_str(out, "ts", m->ts);
    json_put_str(out, "text", m->text);
    json_put_str(out, "team", ws->team_id);
    if (m->client_msg_id)
        json_put_str(out, "client_msg_id", m->client_msg_id);
    if (m->bot_id) {
        json_put_str(out, "bot_id", m->bot_id);
        json_put_str(out, "app_id", ws->app_id);
        cJSON *profile = json_put_object(out, "bot_profile");
        json_put_str(profile, "id", m->bot_id);
        json_put_str(profile, "app_id", ws->app_id);
        json_put_str(profile, "user_id", m->user);
        json_put_str(profile, "name", "dbconn");
        json_put_bool(profile, "deleted", false);
        json_put_str(profile, "team_id", ws->team_id);
    }
    if (m->thread_ts) {
        const struct message *parent = channel_message(channel, m->thread_ts);
        json_put_str(out, "thread_ts", m->thread_ts);
        if (parent)
            json_put_str(out, "parent_user_id", parent->user);
    } else {
        put_thread(out, channel, m);
    }
    if (m->edited_ts) {
        cJSON *edited = json_put_object(out, "edited");
        json_put_str(edited, "user", m->bot_id ? m->bot_id : m->user);
        json_put_str(edited, "ts", m->edited_ts);
    }
    put_copy(out, "blocks", m->blocks);
    put_copy(out, "attachments", m->attachments);
    put_copy(out, "files", m->files);
    put_copy(out, "reactions", m->reactions);
    if (with_metadata)
        put_copy(out, "metadata", m->metadata);
    return out;
}
