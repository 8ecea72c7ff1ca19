/* What people press, choose and send in Slack's blocks and modals. Each is acknowledged at once,
 * or, when it changes something, after that is committed; each is authorised anew, since whoever
 * sees a button can press it, at any later time. */
#include "bot_request.h"

#include "bot_press.h"
#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"
#include "dbconn/slack/command_reply.h"

/* Acknowledges what needs nothing else; `payload` is lent or NULL. */
static void just_acknowledge(struct bot *bot, const struct slack_envelope *e, const cJSON *payload)
{
    struct error err = ERROR_INIT;

    if (slack_socket_ack(bot->socket, e->delivery, payload, &err) < 0)
        LOG(WARN, "slack.ack", F_STR("why", error_text(&err)));
    error_clear(&err);
}

static void on_job(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;
    struct press *p = r->press;
    struct buf text = BUF_INIT;

    if (err || reply->outcome != STORE_OK) {
        if (err)
            reply_store_failed(r->command, &text);
        else
            reply_job_gone(p->job_id, r->command, &text);
        request_answer_buf(r, &text);
        return;
    }
    job_copy(&p->job, reply->job);
    if (!r->channel) { /* pressed in a modal: what counts is where its thread is */
        r->channel = xstrdup(p->job.channel);
        r->thread_ts = xstrdup(p->job.thread_ts);
    }
    request_authorise(r, false, press_act);
}

/* First the job, since a modal has no other place; then whether this person may; then the act. */
static void take_press(struct request *r, const cJSON *payload, struct press *press)
{
    const cJSON *user = json_get(payload, "user"), *container = json_get(payload, "container");
    const char *channel = json_str(container, "channel_id");
    struct error err = ERROR_INIT;

    r->press = press;
    r->user = xstrdup(json_str(user, "id"));
    r->user_name = xstrdup(json_str(user, "username"));
    if (!r->user_name)
        r->user_name = xstrdup(json_str(user, "name"));
    r->team = xstrdup(json_str(json_get(payload, "team"), "id"));
    r->channel = xstrdup(channel ? channel : json_str(json_get(payload, "channel"), "id"));
    r->thread_ts = xstrdup(json_str(container, "thread_ts"));
    r->trigger = xstrdup(json_str(payload, "trigger_id"));
    r->response_url = xstrdup(json_str(payload, "response_url"));
    if (r->trigger)
        request_add_key(r, xasprintf("trigger:%s", r->trigger));
    if (press_opens_view(press))
        request_acknowledge(r, NULL);
    if (!queue_get(r->bot->queue, press->job_id, on_job, r, &err))
        on_job(r, NULL, &err);
    error_clear(&err);
}

static void on_block_actions(struct bot *bot, const struct slack_envelope *e)
{
    struct press *press = press_read(e->payload);

    if (!press || press_is_link(press)) {
        just_acknowledge(bot, e, NULL);
        press_free(press);
        return;
    }
    take_press(request_new(bot, e, press->view_id ? ACCESS_FORM : ACCESS_BUTTON), e->payload,
               press);
}

static void on_form(struct bot *bot, const struct slack_envelope *e)
{
    struct press *press = press_read_form(e->payload);

    if (press)
        take_press(request_new(bot, e, ACCESS_FORM), e->payload, press);
    else
        just_acknowledge(bot, e, NULL);
}

static void on_suggestion(struct bot *bot, const struct slack_envelope *e)
{
    cJSON *nothing = cJSON_CreateObject();

    (void)json_put_array(nothing, "options"); /* no menu of ours asks for any */
    just_acknowledge(bot, e, e->accepts_payload ? nothing : NULL);
    cJSON_Delete(nothing);
}

void bot_on_interactive(struct bot *bot, const struct slack_envelope *e)
{
    const char *type = json_str_or(e->payload, "type", "");

    if (text_same(type, "block_actions")) {
        on_block_actions(bot, e);
    } else if (text_same(type, "view_submission")) {
        on_form(bot, e);
    } else if (text_same(type, "message_action")) {
        bot_on_shortcut(bot, e);
    } else if (text_same(type, "block_suggestion")) {
        on_suggestion(bot, e);
    } else {
        LOG(DEBUG, "slack.interactive", F_STR("ignored", type));
        just_acknowledge(bot, e, NULL);
    }
}
