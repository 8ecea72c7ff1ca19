/* Events: the bot is mentioned, an alert is posted, somebody opens the App Home; and the shortcut
 * on a message. Slack tells of one post several times, in no order: as a mention and as a message,
 * each with an id of its own, so the post itself is what a job is made of once. */
#include "bot_request.h"

#include "dbconn/analysis/issue_ref.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"
#include "message_link.h"

/* An alert of an issue that was looked into so recently starts nothing. */
#define ALERT_AGAIN_MS DAY_MS

/* ---- what events have in common ---- */

static void just_acknowledge(struct bot *bot, const struct slack_envelope *e)
{
    struct error err = ERROR_INIT;

    if (slack_socket_ack(bot->socket, e->delivery, NULL, &err) < 0)
        LOG(WARN, "slack.ack", F_STR("why", error_text(&err)));
    error_clear(&err);
}

static bool is_from_us(const struct bot *bot, const cJSON *event)
{
    const char *user = json_str(event, "user"), *app = json_str(event, "bot_id");

    return (user && text_same(user, bot->bot_user)) || (app && text_same(app, bot->bot_id));
}

/* The post's own names, whichever event told of it. */
static void add_post_keys(struct request *r, const cJSON *payload, const cJSON *event)
{
    const char *id = json_str(payload, "event_id"), *ts = json_str(event, "ts"),
               *said = json_str(event, "client_msg_id");

    if (ts && r->channel)
        request_add_key(r, xasprintf("post:%s:%s", r->channel, ts));
    if (said)
        request_add_key(r, xasprintf("said:%s", said));
    if (id)
        request_add_key(r, xasprintf("event:%s", id));
}

/* A request about a post: where it stands, and the thread below it. */
static struct request *request_for_post(struct bot *bot, const struct slack_envelope *e,
                                        const cJSON *event, enum access_way way)
{
    struct request *r = request_new(bot, e, way);
    const char *thread = json_str(event, "thread_ts");

    r->team = xstrdup(json_str(e->payload, "team_id"));
    r->channel = xstrdup(json_str(event, "channel"));
    r->thread_ts = xstrdup(thread ? thread : json_str(event, "ts"));
    r->begins_thread = !thread;
    add_post_keys(r, e->payload, event);
    return r;
}

/* ---- mentions ---- */

/* Before auth.test has answered, the event says as whom the app was told of it. */
static const char *bot_user(const struct bot *bot, const cJSON *payload)
{
    const char *told = json_str(json_items(payload, "authorizations"), "user_id");

    return bot->bot_user ? bot->bot_user : told;
}

static void on_mention(struct bot *bot, const struct slack_envelope *e, const cJSON *event)
{
    struct command command;
    struct request *r;

    if (is_from_us(bot, event) || json_str(event, "bot_id") || json_str(event, "subtype")) {
        just_acknowledge(bot, e); /* people mention; an app's text is not a wish */
        return;
    }
    r = request_for_post(bot, e, event, ACCESS_MENTION);
    r->user = xstrdup(json_str(event, "user"));
    char *said = redact_dup(json_str_or(event, "text", ""));
    command_parse_mention(r->command, said, bot_user(bot, e->payload), &command);
    free(said);
    request_set_command(r, &command);
    request_authorise(r, command.kind == COMMAND_HELP, command_dispatch);
    command_clear(&command);
}

/* ---- alerts ---- */

static bool starts_by_itself(const struct bot *bot, const char *channel)
{
    for (size_t i = 0; channel && i < bot->o.n_auto_channels; i++)
        if (text_same(bot->o.auto_channels[i], channel))
            return true;
    return false;
}

/* A new message of another app, not an edit, not a reply. */
static bool is_alert(const struct bot *bot, const cJSON *event)
{
    const char *subtype = json_str(event, "subtype"), *thread = json_str(event, "thread_ts");

    return starts_by_itself(bot, json_str(event, "channel")) && json_str(event, "bot_id") &&
           !is_from_us(bot, event) && (!subtype || text_same(subtype, "bot_message")) &&
           (!thread || text_same(thread, json_str(event, "ts")));
}

static bool is_recent(const struct job *job)
{
    return !job_state_is_final(job->state) || job->created_ms > clock_wall_ms() - ALERT_AGAIN_MS;
}

static void on_alert_known(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;
    bool known = false;

    for (size_t i = 0; !err && i < reply->jobs->n; i++)
        known |= is_recent(&reply->jobs->items[i]);
    if (err)
        LOG(WARN, "alert.known", F_STR("issue", r->argument), F_STR("why", error_text(err)));
    if (err || known)
        request_end(r);
    else
        command_enqueue(r);
}

static void alert_dispatch(struct request *r)
{
    struct issue_ref ref = { 0 };
    struct error err = ERROR_INIT;

    if (issue_ref_parse(r->argument, r->bot->o.sentry_url, r->bot->o.sentry_org, &ref, &err) < 0 ||
        !ref.issue) {
        request_end(r);
        error_clear(&err);
        issue_ref_clear(&ref);
        return;
    }
    xreplace(&r->argument, ref.issue);
    request_add_key(r, xasprintf("alert:%s", ref.issue)); /* two alerts at the same moment */
    struct store_filter filter = { .workspace = r->team, .issue = r->argument, .limit = 5 };
    if (!queue_list(r->bot->queue, &filter, on_alert_known, r, &err))
        on_alert_known(r, NULL, &err);
    issue_ref_clear(&ref);
    error_clear(&err);
}

static void on_message(struct bot *bot, const struct slack_envelope *e, const cJSON *event)
{
    struct buf link = BUF_INIT;

    if (is_alert(bot, event) &&
        message_issue_link(event, bot->o.sentry_url, bot->o.sentry_org, &link)) {
        struct request *r = request_for_post(bot, e, event, ACCESS_ALERT);
        r->argument = buf_take(&link);
        request_authorise(r, false, alert_dispatch);
    } else {
        just_acknowledge(bot, e);
    }
    buf_clear(&link);
}

/* ---- the App Home ---- */

static void on_home_opened(struct bot *bot, const struct slack_envelope *e, const cJSON *event)
{
    struct request *r;

    if (!text_same(json_str_or(event, "tab", "home"), "home")) {
        just_acknowledge(bot, e);
        return;
    }
    r = request_new(bot, e, ACCESS_HOME);
    r->team = xstrdup(json_str(e->payload, "team_id"));
    r->user = xstrdup(json_str(event, "user"));
    request_acknowledge(r, NULL);
    request_authorise(r, false, bot_home_show);
}

/* ---- the shortcut on a message ---- */

void bot_on_shortcut(struct bot *bot, const struct slack_envelope *e)
{
    const cJSON *message = json_get(e->payload, "message"), *user = json_get(e->payload, "user");
    const char *thread = json_str(message, "thread_ts"), *ts = json_str(e->payload, "message_ts"),
               *trigger = json_str(e->payload, "trigger_id");
    struct request *r = request_new(bot, e, ACCESS_SHORTCUT);
    struct command command = { .kind = COMMAND_INVESTIGATE };

    r->team = xstrdup(json_str(json_get(e->payload, "team"), "id"));
    r->channel = xstrdup(json_str(json_get(e->payload, "channel"), "id"));
    r->user = xstrdup(json_str(user, "id"));
    r->user_name = xstrdup(json_str_or(user, "username", json_str(user, "name")));
    r->response_url = xstrdup(json_str(e->payload, "response_url"));
    r->thread_ts = xstrdup(thread ? thread : ts ? ts : json_str(message, "ts"));
    request_add_key(r, trigger ? xasprintf("trigger:%s", trigger) : NULL);
    if (!message_issue_link(message, bot->o.sentry_url, bot->o.sentry_org, &command.argument))
        command_from_message(r->command, "", &command); /* says what was missing */
    request_set_command(r, &command);
    request_authorise(r, false, command_dispatch);
    command_clear(&command);
}

/* ---- all of them ---- */

void bot_on_event(struct bot *bot, const struct slack_envelope *e)
{
    const cJSON *event = json_get(e->payload, "event");
    const char *type = json_str(event, "type");

    if (text_same(type, "app_mention"))
        on_mention(bot, e, event);
    else if (text_same(type, "message"))
        on_message(bot, e, event);
    else if (text_same(type, "app_home_opened"))
        on_home_opened(bot, e, event);
    else
        just_acknowledge(bot, e);
}
