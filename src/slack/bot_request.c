#include "bot_audit.h"
#include "bot_request.h"

#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"
#include "dbconn/slack/command_reply.h"
#include "dbconn/slack/modal.h"
#include "dbconn/slack/webapi.h"
#include "press.h"

const char *const request_way_names[ACCESS_WAY_COUNT] = {
    [ACCESS_COMMAND] = "command", [ACCESS_BUTTON] = "button",     [ACCESS_FORM] = "form",
    [ACCESS_MENTION] = "mention", [ACCESS_SHORTCUT] = "shortcut", [ACCESS_HOME] = "home",
    [ACCESS_ALERT] = "alert",
};

struct request *request_new(struct bot *bot, const struct slack_envelope *e, enum access_way way)
{
    struct request *r = xcalloc(1, sizeof(*r));

    r->bot = bot;
    r->delivery = e->delivery;
    r->accepts_payload = e->accepts_payload;
    r->way = way;
    r->command = xstrdup("/dbconn");
    r->next = bot->requests;
    bot->requests = r;
    return r;
}

void request_add_key(struct request *r, char *key)
{
    if (key && r->n_keys < STORE_MAX_KEYS)
        r->keys[r->n_keys++] = key;
    else
        free(key);
}

void request_set_command(struct request *r, const struct command *command)
{
    r->kind = command->kind;
    xreplace(&r->argument, buf_str(&command->argument));
    xreplace(&r->problem, buf_str(&command->problem));
}

static void request_free(struct request *r)
{
    struct request **at = &r->bot->requests;

    while (*at && *at != r)
        at = &(*at)->next;
    if (*at)
        *at = r->next;
    access_wait_cancel(r->wait);
    for (size_t i = 0; i < r->n_keys; i++)
        free(r->keys[i]);
    press_free(r->press);
    free(r->channel);
    free(r->user);
    free(r->team);
    free(r->user_name);
    free(r->trigger);
    free(r->response_url);
    free(r->command);
    free(r->thread_ts);
    free(r->argument);
    free(r->problem);
    free(r);
}

void requests_free(struct bot *bot)
{
    while (bot->requests)
        request_free(bot->requests);
}

/* ---- answering ---- */

void request_acknowledge(struct request *r, const cJSON *payload)
{
    struct error err = ERROR_INIT;

    if (r->acknowledged)
        return;
    r->acknowledged = true;
    if (slack_socket_ack(r->bot->socket, r->delivery, payload, &err) < 0)
        LOG(WARN, "slack.ack", F_STR("why", error_text(&err)));
    error_clear(&err);
}

/* Slack shows an ephemeral message in a thread only when that has begun (docs.slack.dev,
 * chat.postEphemeral). */
void request_tell(struct request *r, const char *text)
{
    if (r->way == ACCESS_HOME) {
        bot_home_tell(r, text);
        return;
    }
    bot_tell(r->bot,
             &(struct audience){ .response_url = r->response_url,
                                 .channel = r->channel,
                                 .user = r->user,
                                 .thread_ts = r->begins_thread ? NULL : r->thread_ts },
             text);
}

/* A command's answer fits into its acknowledgement, where it costs no call; a form's is shown
 * at its first input. */
static cJSON *answer_payload(const struct request *r, const char *text)
{
    struct error why = ERROR_INIT;
    cJSON *payload = NULL;

    if (r->acknowledged || !r->accepts_payload || !text)
        return NULL;
    if (r->way == ACCESS_COMMAND) {
        payload = cJSON_CreateObject();
        json_put_str(payload, "response_type", "ephemeral");
        json_put_str(payload, "text", text);
    } else if (r->way == ACCESS_FORM) {
        (void)error_set(&why, ERR_INVALID, "%s", text);
        payload = modal_real_cause_error(&why);
        error_clear(&why);
    }
    return payload;
}

void request_answer(struct request *r, const char *text)
{
    cJSON *payload = answer_payload(r, text);

    request_acknowledge(r, payload);
    if (text && !payload)
        request_tell(r, text);
    cJSON_Delete(payload);
    request_end(r);
}

void request_answer_buf(struct request *r, struct buf *text)
{
    request_answer(r, buf_str(text));
    buf_clear(text);
}

void request_end(struct request *r)
{
    request_acknowledge(r, NULL);
    request_free(r);
}

/* ---- authorising ---- */

void request_refuse(struct request *r, const struct access_decision *d)
{
    struct buf text = BUF_INIT;

    LOG(WARN, "access.refused", F_STR("way", request_way_names[r->way]),
        F_STR("reason", access_reason_name(d->reason)), F_STR("user", r->user),
        F_STR("channel", r->channel), F_STR("why", d->why));
    access_explain(d, &text);
    bot_audit_request(r, "refused", access_reason_name(d->reason));
    request_answer_buf(r, &text);
}

static void on_decided(void *user, const struct access_decision *d)
{
    struct request *r = user;

    r->wait = NULL;
    if (d->verdict == ACCESS_ALLOWED) {
        if (!r->user_name)
            r->user_name = xstrdup(access_gate_name(r->bot->gate, r->user));
        if (!bot_audit_waits(r))
            bot_audit_request(r, "allowed", NULL);
        r->go_on(r);
    } else {
        request_refuse(r, d);
    }
}

void request_authorise(struct request *r, bool help, request_fn *go_on)
{
    struct access_request request = {
        .way = r->way, .help = help, .channel = r->channel, .user = r->user
    };
    struct access_decision d;

    r->go_on = go_on;
    if (access_gate_now(r->bot->gate, &request, &d))
        on_decided(r, &d);
    else
        r->wait = access_gate_ask(r->bot->gate, &request, on_decided, r);
}
