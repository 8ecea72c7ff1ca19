#include "slack/people.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "slack/answers.h"
#include "slack/socket.h"
#include "slack/views.h"
#include "world/ids.h"

#define SOMEBODY "U0RAINER01"
#define SOMEWHERE "C0INCIDENT"

/* Who does it and where; from "user" and "channel", or the usual ones. */
struct actor {
    const struct user *user;
    struct channel *channel;
    int64_t connection;
};

static int read_actor(struct slack *slack, const cJSON *spec, struct actor *ret, struct error *err)
{
    const char *user = json_str_or(spec, "user", SOMEBODY);
    const char *channel = json_str_or(spec, "channel", SOMEWHERE);

    *ret = (struct actor){
        .user = workspace_user(&slack->ws, user),
        .channel = workspace_channel(&slack->ws, channel),
    };
    (void)json_i64(spec, "connection", &ret->connection);
    if (!ret->user)
        return error_set(err, ERR_INVALID, "there is no user %s", user);
    if (!ret->channel)
        return error_set(err, ERR_INVALID, "there is no channel %s", channel);
    return 0;
}

static const char *base_of(const struct slack *slack)
{
    return service_url(slack->service);
}

static cJSON *team_object(const struct slack *slack)
{
    cJSON *team = cJSON_CreateObject();

    json_put_str(team, "id", slack->ws.team_id);
    json_put_str(team, "domain", slack->ws.domain);
    return team;
}

static cJSON *user_object(const struct user *user)
{
    cJSON *out = cJSON_CreateObject();

    json_put_str(out, "id", user->id);
    json_put_str(out, "username", user->name);
    json_put_str(out, "name", user->name);
    json_put_str(out, "team_id", user->team_id);
    return out;
}

/* Delivers and says what came of it. Takes the payload. */
static cJSON *deliver(struct slack *slack, const struct envelope_spec *spec, cJSON *payload)
{
    char *trigger = xstrdup(json_str(payload, "trigger_id"));
    char *url = xstrdup(json_str(payload, "response_url"));
    const char *id = socket_deliver(slack->hub, spec, payload);
    cJSON *out = cJSON_CreateObject();

    json_put_str(out, "envelope_id", id);
    json_put_bool(out, "delivered", id != NULL);
    if (trigger)
        json_put_str(out, "trigger_id", trigger);
    if (url)
        json_put_str(out, "response_url", url);
    free(trigger);
    free(url);
    return out;
}

static const char *name_in_payload(const struct channel *channel)
{
    switch (channel->kind) {
    case CHANNEL_DM:
        return "directmessage";
    case CHANNEL_PRIVATE:
        return "privategroup";
    case CHANNEL_PUBLIC:
    case CHANNEL_GROUP_DM:
        break;
    }
    return channel->name;
}

cJSON *people_command(struct slack *slack, const cJSON *spec, struct error *err)
{
    struct actor actor;
    const char *command = json_str_or(spec, "command", "/dbconn");

    if (read_actor(slack, spec, &actor, err) < 0)
        return NULL;
    char *trigger = views_new_trigger(slack->views, actor.user->id);
    char *url = hooks_new_url(slack, base_of(slack), actor.channel->id, actor.user->id, NULL);
    cJSON *p = cJSON_CreateObject();
    json_put_str(p, "token", "verification-token");
    json_put_str(p, "team_id", slack->ws.team_id);
    json_put_str(p, "team_domain", slack->ws.domain);
    json_put_str(p, "channel_id", actor.channel->id);
    json_put_str(p, "channel_name", name_in_payload(actor.channel));
    json_put_str(p, "user_id", actor.user->id);
    json_put_str(p, "user_name", actor.user->name);
    json_put_str(p, "command", command);
    json_put_str(p, "text", json_str_or(spec, "text", ""));
    json_put_str(p, "api_app_id", slack->ws.app_id);
    json_put_str(p, "is_enterprise_install", "false");
    json_put_str(p, "response_url", url);
    json_put_str(p, "trigger_id", trigger);
    free(url);
    free(trigger);
    struct envelope_spec envelope = {
        .type = "slash_commands",
        .accepts_response_payload = true,
        .channel = actor.channel->id,
        .user = actor.user->id,
        .connection = actor.connection,
    };
    cJSON *out = deliver(slack, &envelope, p);
    if (cJSON_IsFalse(json_get(out, "delivered"))) {
        char *text = xasprintf("%s failed with the error \"dispatch_failed\"", command);
        answers_slackbot(slack, actor.channel->id, actor.user->id, text);
        free(text);
    }
    return out;
}

/* The element of that action_id anywhere in the tree, and the block it stands in. */
static const cJSON *find_action(const cJSON *tree, const char *action_id, const char *value,
                                const cJSON **block)
{
    for (const cJSON *item = tree ? tree->child : NULL; item; item = item->next) {
        const cJSON *found;
        if (cJSON_IsObject(item) && json_str(item, "block_id"))
            *block = item;
        if (text_same(json_str(item, "action_id"), action_id) &&
            (!value || text_same(json_str(item, "value"), value)))
            return item;
        found = find_action(item, action_id, value, block);
        if (found)
            return found;
    }
    return NULL;
}

static cJSON *action_object(struct slack *slack, const cJSON *element, const cJSON *block,
                            const cJSON *spec)
{
    cJSON *action = cJSON_CreateObject();
    char *ts = workspace_new_ts(&slack->ws);
    const char *value = json_str(element, "value");

    json_put_str(action, "type", json_str_or(element, "type", "button"));
    json_put_str(action, "action_id", json_str(element, "action_id"));
    json_put_str(action, "block_id", json_str_or(block, "block_id", ""));
    if (json_get(element, "text"))
        cJSON_AddItemToObject(action, "text", cJSON_Duplicate(json_get(element, "text"), true));
    /* feedback_buttons: the value of the one that was pressed */
    if (!value && json_str(spec, "value"))
        value = json_str(spec, "value");
    if (value)
        json_put_str(action, "value", value);
    if (json_get(spec, "selected_option"))
        cJSON_AddItemToObject(action, "selected_option",
                              cJSON_Duplicate(json_get(spec, "selected_option"), true));
    json_put_str(action, "action_ts", ts);
    free(ts);
    return action;
}

static void put_common(struct slack *slack, cJSON *p, const struct actor *actor, const char *type)
{
    char *trigger = views_new_trigger(slack->views, actor->user->id);

    json_put_str(p, "type", type);
    cJSON_AddItemToObject(p, "user", user_object(actor->user));
    json_put_str(p, "api_app_id", slack->ws.app_id);
    json_put_str(p, "token", "verification-token");
    json_put_str(p, "trigger_id", trigger);
    cJSON_AddItemToObject(p, "team", team_object(slack));
    json_put_null(p, "enterprise");
    json_put_bool(p, "is_enterprise_install", false);
    free(trigger);
}

static void put_channel(cJSON *p, const struct channel *channel)
{
    cJSON *out = json_put_object(p, "channel");

    json_put_str(out, "id", channel->id);
    json_put_str(out, "name", name_in_payload(channel));
}

static void put_container(cJSON *p, const struct channel *channel, const struct message *m)
{
    cJSON *container = json_put_object(p, "container");

    json_put_str(container, "type", "message");
    json_put_str(container, "message_ts", m->ts);
    json_put_str(container, "channel_id", channel->id);
    json_put_bool(container, "is_ephemeral", m->shown_to != NULL);
    if (m->thread_ts)
        json_put_str(container, "thread_ts", m->thread_ts);
}

static cJSON *click_in_message(struct slack *slack, const cJSON *spec, const struct actor *actor,
                               const struct message *m, const cJSON *element, const cJSON *block)
{
    cJSON *p = cJSON_CreateObject();
    char *url = hooks_new_url(slack, base_of(slack), actor->channel->id, actor->user->id, m->ts);
    struct envelope_spec envelope = {
        .type = "interactive",
        .channel = actor->channel->id,
        .user = actor->user->id,
        .connection = actor->connection,
    };

    put_common(slack, p, actor, "block_actions");
    put_container(p, actor->channel, m);
    put_channel(p, actor->channel);
    if (!m->shown_to)
        cJSON_AddItemToObject(p, "message", message_json(&slack->ws, actor->channel, m, false));
    (void)json_put_object(json_put_object(p, "state"), "values");
    json_put_str(p, "response_url", url);
    cJSON_AddItemToArray(json_put_array(p, "actions"), action_object(slack, element, block, spec));
    free(url);
    return deliver(slack, &envelope, p);
}

/* The newest message of the channel that holds such an element, or the one that "ts" names. */
static const struct message *find_clickable(const struct actor *actor, const cJSON *spec,
                                            const cJSON **element, const cJSON **block)
{
    const char *ts = json_str(spec, "ts"), *action = json_str_or(spec, "action_id", "");

    for (size_t i = actor->channel->n; i-- > 0;) {
        const struct message *m = actor->channel->messages[i];
        if (m->deleted || (ts && strcmp(m->ts, ts) != 0))
            continue;
        *element = find_action(m->blocks, action, json_str(spec, "value"), block);
        if (!*element)
            *element = find_action(m->blocks, action, NULL, block);
        if (*element)
            return m;
    }
    return NULL;
}

static cJSON *click_in_view(struct slack *slack, const cJSON *spec, const struct actor *actor,
                            struct error *err)
{
    const char *id = json_str_or(spec, "view_id", "");
    const cJSON *view = views_get(slack->views, id), *block = NULL, *element = NULL;
    struct envelope_spec envelope = { .type = "interactive", .connection = actor->connection };

    if (view)
        element = find_action(json_get(view, "blocks"), json_str_or(spec, "action_id", ""),
                              json_str(spec, "value"), &block);
    if (!element) {
        (void)error_set(err, ERR_INVALID, "no open view %s with that action", id);
        return NULL;
    }
    cJSON *p = cJSON_CreateObject();
    put_common(slack, p, actor, "block_actions");
    cJSON *container = json_put_object(p, "container");
    json_put_str(container, "type", "view");
    json_put_str(container, "view_id", id);
    cJSON_AddItemToObject(p, "view", cJSON_Duplicate(view, true));
    cJSON_AddItemToArray(json_put_array(p, "actions"), action_object(slack, element, block, spec));
    return deliver(slack, &envelope, p);
}

cJSON *people_click(struct slack *slack, const cJSON *spec, struct error *err)
{
    const cJSON *element = NULL, *block = NULL;
    const struct message *m;
    struct actor actor;

    if (read_actor(slack, spec, &actor, err) < 0)
        return NULL;
    if (json_str(spec, "view_id"))
        return click_in_view(slack, spec, &actor, err);
    m = find_clickable(&actor, spec, &element, &block);
    if (!m) {
        (void)error_set(err, ERR_INVALID, "no message in %s has an action \"%s\"",
                        actor.channel->name, json_str_or(spec, "action_id", ""));
        return NULL;
    }
    return click_in_message(slack, spec, &actor, m, element, block);
}

static cJSON *event_envelope(struct slack *slack, const struct actor *actor, cJSON *event)
{
    const char *type = json_str_or(event, "type", "event");
    cJSON *p = cJSON_CreateObject();
    char *id = id_random_hex(10), *full = xasprintf("Ev%s", id);
    struct envelope_spec envelope = { .type = "events_api", .connection = actor->connection };

    json_put_str(p, "token", "verification-token");
    json_put_str(p, "team_id", slack->ws.team_id);
    json_put_str(p, "api_app_id", slack->ws.app_id);
    cJSON_AddItemToObject(p, "event", event);
    json_put_str(p, "type", "event_callback");
    json_put_str(p, "event_id", full);
    json_put_i64(p, "event_time", clock_wall_ms() / 1000);
    cJSON *authorization = cJSON_CreateObject();
    json_put_null(authorization, "enterprise_id");
    json_put_str(authorization, "team_id", slack->ws.team_id);
    json_put_str(authorization, "user_id", slack->ws.bot_user_id);
    json_put_bool(authorization, "is_bot", true);
    json_put_bool(authorization, "is_enterprise_install", false);
    cJSON_AddItemToArray(json_put_array(p, "authorizations"), authorization);
    json_put_bool(p, "is_ext_shared_channel", actor->channel->is_ext_shared);
    char *context = xasprintf("1-%s-%s-%s", type, slack->ws.team_id, actor->channel->id);
    json_put_str(p, "event_context", context);
    free(context);
    free(full);
    free(id);
    return deliver(slack, &envelope, p);
}

static cJSON *message_event(const struct slack *slack, const struct actor *actor,
                            const struct message *m, const char *type)
{
    cJSON *event = cJSON_CreateObject();

    json_put_str(event, "type", type);
    json_put_str(event, "client_msg_id", m->client_msg_id);
    json_put_str(event, "text", m->text);
    json_put_str(event, "user", m->user);
    json_put_str(event, "ts", m->ts);
    json_put_str(event, "team", slack->ws.team_id);
    json_put_str(event, "channel", actor->channel->id);
    json_put_str(event, "event_ts", m->ts);
    if (m->thread_ts)
        json_put_str(event, "thread_ts", m->thread_ts);
    if (m->attachments)
        cJSON_AddItemToObject(event, "attachments", cJSON_Duplicate(m->attachments, true));
    if (m->subtype)
        json_put_str(event, "subtype", m->subtype);
    if (m->bot_id)
        json_put_str(event, "bot_id", m->bot_id);
    if (strcmp(type, "message") == 0)
        json_put_str(event, "channel_type",
                     actor->channel->kind == CHANNEL_DM         ? "im"
                     : actor->channel->kind == CHANNEL_PRIVATE  ? "group"
                     : actor->channel->kind == CHANNEL_GROUP_DM ? "mpim"
                                                                : "channel");
    return event;
}

/* A message of a person, or of another app when the request says "bot_id". */
static struct message *post_by_person(struct slack *slack, const struct actor *actor,
                                      const cJSON *spec)
{
    struct message *m = channel_add(&slack->ws, actor->channel, actor->user->id);

    xreplace(&m->text, json_str_or(spec, "text", ""));
    xreplace(&m->thread_ts, json_str(spec, "thread_ts"));
    xreplace(&m->bot_id, json_str_or(spec, "bot_id", actor->user->is_bot ? "B0ROBOT001" : NULL));
    if (json_str(spec, "bot_id"))
        m->subtype = xstrdup("bot_message");
    else if (!m->bot_id)
        m->client_msg_id = id_uuid();
    if (json_get(spec, "attachments"))
        m->attachments = cJSON_Duplicate(json_get(spec, "attachments"), true);
    if (json_get(spec, "blocks"))
        m->blocks = cJSON_Duplicate(json_get(spec, "blocks"), true);
    return m;
}

static bool gets_messages(const struct slack *slack, const struct channel *channel)
{
    return channel->bot_is_member && slack_has_scope(slack, "channels:history");
}

cJSON *people_message(struct slack *slack, const cJSON *spec, struct error *err)
{
    struct actor actor;
    cJSON *out;

    if (read_actor(slack, spec, &actor, err) < 0)
        return NULL;
    const struct message *m = post_by_person(slack, &actor, spec);
    if (gets_messages(slack, actor.channel))
        out = event_envelope(slack, &actor, message_event(slack, &actor, m, "message"));
    else
        out = cJSON_CreateObject();
    json_put_str(out, "ts", m->ts);
    return out;
}

/* One post gives two events, in no fixed order, with the same ts and different event ids; in a
 * direct message there is only the first (docs.slack.dev/reference/events/app_mention). */
cJSON *people_mention(struct slack *slack, const cJSON *spec, struct error *err)
{
    struct actor actor;
    cJSON *out = NULL;

    if (read_actor(slack, spec, &actor, err) < 0)
        return NULL;
    struct message *m = post_by_person(slack, &actor, spec);
    if (!strstr(m->text, slack->ws.bot_user_id)) {
        char *text = xasprintf("<@%s> %s", slack->ws.bot_user_id, m->text);
        free(m->text);
        m->text = text;
    }
    if (gets_messages(slack, actor.channel))
        out = event_envelope(slack, &actor, message_event(slack, &actor, m, "message"));
    if (actor.channel->kind != CHANNEL_DM) {
        cJSON_Delete(out);
        out = event_envelope(slack, &actor, message_event(slack, &actor, m, "app_mention"));
    }
    if (!out)
        out = cJSON_CreateObject();
    json_put_str(out, "ts", m->ts);
    return out;
}

cJSON *people_link(struct slack *slack, const cJSON *spec, struct error *err)
{
    struct actor actor;
    cJSON *event, *link;

    if (read_actor(slack, spec, &actor, err) < 0)
        return NULL;
    struct message *m = post_by_person(slack, &actor, spec);
    event = cJSON_CreateObject();
    json_put_str(event, "type", "link_shared");
    json_put_str(event, "channel", actor.channel->id);
    json_put_str(event, "user", actor.user->id);
    json_put_str(event, "message_ts", m->ts);
    if (m->thread_ts)
        json_put_str(event, "thread_ts", m->thread_ts);
    json_put_bool(event, "is_bot_user_member", actor.channel->bot_is_member);
    json_put_str(event, "source", "conversations_history");
    link = cJSON_CreateObject();
    json_put_str(link, "domain", json_str_or(spec, "domain", "sentry.io"));
    json_put_str(link, "url", json_str_or(spec, "url", ""));
    cJSON_AddItemToArray(json_put_array(event, "links"), link);
    json_put_str(event, "event_ts", m->ts);
    return event_envelope(slack, &actor, event);
}

cJSON *people_shortcut(struct slack *slack, const cJSON *spec, struct error *err)
{
    struct actor actor;
    struct envelope_spec envelope = { .type = "interactive" };
    const struct message *m;
    cJSON *p;

    if (read_actor(slack, spec, &actor, err) < 0)
        return NULL;
    m = channel_message(actor.channel, json_str(spec, "ts"));
    if (json_str(spec, "ts") && !m) {
        (void)error_set(err, ERR_INVALID, "no message %s there", json_str(spec, "ts"));
        return NULL;
    }
    p = cJSON_CreateObject();
    put_common(slack, p, &actor, m ? "message_action" : "shortcut");
    json_put_str(p, "callback_id", json_str_or(spec, "callback_id", ""));
    char *ts = workspace_new_ts(&slack->ws);
    json_put_str(p, "action_ts", ts);
    free(ts);
    if (m) {
        char *url = hooks_new_url(slack, base_of(slack), actor.channel->id, actor.user->id, m->ts);
        put_channel(p, actor.channel);
        json_put_str(p, "message_ts", m->ts);
        cJSON_AddItemToObject(p, "message", message_json(&slack->ws, actor.channel, m, false));
        json_put_str(p, "response_url", url);
        free(url);
    }
    envelope.connection = actor.connection;
    return deliver(slack, &envelope, p);
}

/* The open modal of the request, as a payload shows it with what was typed; NULL with an error. */
static cJSON *filled_view(struct slack *slack, const cJSON *spec, struct actor *actor,
                          struct error *err)
{
    const char *id = json_str_or(spec, "view_id", "");
    const cJSON *open = views_get(slack->views, id), *values = json_get(spec, "values");

    if (!open) {
        (void)error_set(err, ERR_INVALID, "no open view %s", id);
        return NULL;
    }
    actor->user =
        workspace_user(&slack->ws, json_str_or(spec, "user", views_user(slack->views, id)));
    if (!actor->user) {
        (void)error_set(err, ERR_INVALID, "there is no user %s", json_str_or(spec, "user", "?"));
        return NULL;
    }
    actor->channel = workspace_channel(&slack->ws, SOMEWHERE);
    cJSON *view = cJSON_Duplicate(open, true);
    cJSON_DeleteItemFromObjectCaseSensitive(view, "state");
    cJSON_AddItemToObject(json_put_object(view, "state"), "values",
                          values ? cJSON_Duplicate(values, true) : cJSON_CreateObject());
    return view;
}

static cJSON *send_view(struct slack *slack, const cJSON *spec, const char *type, struct error *err)
{
    struct actor actor = { 0 };
    cJSON *view = filled_view(slack, spec, &actor, err);
    bool is_submission = strcmp(type, "view_submission") == 0;
    struct envelope_spec envelope = {
        .type = "interactive",
        .accepts_response_payload = is_submission,
        .view_id = is_submission ? json_str(spec, "view_id") : NULL,
    };

    if (!view)
        return NULL;
    cJSON *p = cJSON_CreateObject();
    put_common(slack, p, &actor, type);
    cJSON_AddItemToObject(p, "view", view);
    (void)json_put_array(p, "response_urls");
    return deliver(slack, &envelope, p);
}

cJSON *people_submit(struct slack *slack, const cJSON *spec, struct error *err)
{
    return send_view(slack, spec, "view_submission", err);
}

cJSON *people_close_view(struct slack *slack, const cJSON *spec, struct error *err)
{
    cJSON *out = send_view(slack, spec, "view_closed", err);

    if (out)
        views_answer(slack, json_str_or(spec, "view_id", ""), NULL);
    return out;
}

cJSON *people_open_home(struct slack *slack, const cJSON *spec, struct error *err)
{
    struct actor actor;
    cJSON *event;
    char *ts;

    if (read_actor(slack, spec, &actor, err) < 0)
        return NULL;
    actor.channel = workspace_dm(&slack->ws, actor.user->id);
    event = cJSON_CreateObject();
    ts = workspace_new_ts(&slack->ws);
    json_put_str(event, "type", "app_home_opened");
    json_put_str(event, "user", actor.user->id);
    json_put_str(event, "channel", actor.channel->id);
    json_put_str(event, "tab", "home");
    json_put_str(event, "event_ts", ts);
    free(ts);
    return event_envelope(slack, &actor, event);
}
