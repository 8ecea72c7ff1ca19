/* Envelopes: what people type becomes an acknowledged answer or a durable job. An envelope is
 * acknowledged after its job is committed; what needs no job is answered in the acknowledgement. */
#include "bot_private.h"

#include "dbconn/analysis/issue_ref.h"
#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"
#include "dbconn/slack/access.h"
#include "dbconn/slack/command.h"
#include "dbconn/slack/command_reply.h"
#include "dbconn/slack/webapi.h"

/* One command on its way: what is needed to answer it after the store has. */
struct request {
    struct bot *bot;
    uint64_t delivery;
    bool accepts_payload;
    char *team, *channel, *user, *user_name, *trigger, *response_url, *command;
    char *argument; /* the issue as typed */
    char *job;      /* id of the job that was made */
};

static void request_free(struct request *r)
{
    free(r->team);
    free(r->channel);
    free(r->user);
    free(r->user_name);
    free(r->trigger);
    free(r->response_url);
    free(r->command);
    free(r->argument);
    free(r->job);
    free(r);
}

static cJSON *ephemeral(const char *text)
{
    cJSON *payload = cJSON_CreateObject();

    json_put_str(payload, "response_type", "ephemeral");
    json_put_str(payload, "text", text);
    return payload;
}

static void on_responded(void *user, const struct webapi_reply *reply, const struct error *err)
{
    (void)user;
    if (reply->kind != WEBAPI_OK)
        LOG(WARN, "slack.respond", F_STR("code", reply->code), F_STR("why", error_text(err)));
}

void bot_respond(struct bot *bot, const char *response_url, const char *text)
{
    struct error err = ERROR_INIT;
    cJSON *payload;

    if (!response_url)
        return;
    payload = ephemeral(text);
    if (!webapi_respond(bot->api, response_url, payload, 0, on_responded, NULL, &err))
        LOG(WARN, "slack.respond", F_STR("why", error_text(&err)));
    error_clear(&err);
    cJSON_Delete(payload);
}

/* Acknowledges with an ephemeral text: in the acknowledgement where that is accepted, else through
 * the response_url. Ends the request. */
static void answer(struct request *r, const char *text)
{
    struct error err = ERROR_INIT;
    cJSON *payload = r->accepts_payload && text ? ephemeral(text) : NULL;

    if (slack_socket_ack(r->bot->socket, r->delivery, payload, &err) < 0)
        LOG(WARN, "slack.ack", F_STR("why", error_text(&err)));
    if (text && !payload)
        bot_respond(r->bot, r->response_url, text);
    error_clear(&err);
    cJSON_Delete(payload);
    request_free(r);
}

static void answer_buf(struct request *r, struct buf *text)
{
    answer(r, buf_str(text));
    buf_clear(text);
}

/* ---- /dbconn <issue> ---- */

static void on_position(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;
    struct buf text = BUF_INIT;
    bool waits = !err && reply->outcome == STORE_OK;

    reply_taken(r->argument, waits ? (size_t)reply->number : 0, &text);
    answer_buf(r, &text);
}

static void on_enqueued(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;
    struct buf text = BUF_INIT;
    struct error failed = ERROR_INIT;

    if (err) {
        LOG(ERROR, "job.enqueue", F_STR("issue", r->argument), F_STR("why", error_text(err)));
        reply_store_failed(r->command, &text);
        answer_buf(r, &text);
    } else if (reply->outcome == STORE_FULL) {
        reply_queue_full((size_t)r->bot->o.max_waiting, r->command, &text);
        answer_buf(r, &text);
    } else if (reply->outcome == STORE_EXISTS) {
        answer(r, NULL); /* delivered again: the first answer stands */
    } else {
        LOG(INFO, "job.enqueued", F_STR("job", reply->id), F_STR("issue", r->argument),
            F_STR("channel", r->channel), F_STR("user", r->user));
        if (!queue_position(r->bot->queue, reply->id, on_position, r, &failed))
            on_position(r, NULL, &failed);
        error_clear(&failed);
    }
}

static void enqueue(struct request *r)
{
    struct error err = ERROR_INIT;
    cJSON *extra = cJSON_CreateObject();
    char *key = xasprintf("trigger:%s", r->trigger ? r->trigger : "");
    const char *keys[] = { key };

    json_put_str(extra, "user_name", r->user_name);
    char *request = json_print(extra);
    struct job_new job = { .priority = JOB_PRIORITY_PERSON,
                           .source = "slash",
                           .workspace = r->team ? r->team : "",
                           .channel = r->channel,
                           .requester = r->user,
                           .issue_ref = r->argument,
                           .request = request,
                           .playbook = r->bot->o.playbook->id,
                           .evaluated_ms = TIME_UNKNOWN,
                           .response_url = r->response_url };

    if (!queue_enqueue(r->bot->queue, &job, keys, r->trigger ? 1 : 0, on_enqueued, r, &err))
        on_enqueued(r, NULL, &err);
    error_clear(&err);
    free(key);
    cJSON_free(request);
    cJSON_Delete(extra);
}

static void investigate(struct request *r)
{
    struct issue_ref ref = { 0 };
    struct error err = ERROR_INIT;

    if (issue_ref_parse(r->argument, r->bot->o.sentry_url, r->bot->o.sentry_org, &ref, &err) < 0) {
        struct buf text = BUF_INIT;
        reply_failed(&err, &text);
        answer_buf(r, &text);
    } else {
        xreplace(&r->argument, ref.issue ? ref.issue : r->argument);
        enqueue(r);
    }
    issue_ref_clear(&ref);
    error_clear(&err);
}

/* ---- /dbconn status and cancel ---- */

static void add_job_row(const struct job *job, struct job_row *row)
{
    *row = (struct job_row){
        .issue = job->issue_short_id ? job->issue_short_id : job->issue_ref,
        .issue_url = job->issue_url,
        .state = job->state == JOB_QUEUED ? "waiting" : job_state_name(job->state),
        .detail = job->state == JOB_DEAD ? job->error : job->summary,
        .since_ms = job->started_ms != TIME_UNKNOWN ? job->started_ms : job->created_ms
    };
}

static void on_status(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;
    struct buf text = BUF_INIT;

    if (err) {
        reply_store_failed(r->command, &text);
        answer_buf(r, &text);
        return;
    }
    struct job_row *rows = xcalloc(reply->jobs->n + 1, sizeof(*rows));
    for (size_t i = 0; i < reply->jobs->n; i++)
        add_job_row(&reply->jobs->items[i], &rows[i]);
    reply_status(rows, reply->jobs->n, &text);
    free(rows);
    answer_buf(r, &text);
}

static void list_jobs(struct request *r, unsigned states, const char *issue, queue_done_fn *done)
{
    struct error err = ERROR_INIT;
    struct store_filter filter = {
        .states = states, .workspace = r->team, .issue = issue, .limit = 20
    };

    if (!queue_list(r->bot->queue, &filter, done, r, &err))
        done(r, NULL, &err);
    error_clear(&err);
}

static void on_history(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;
    struct buf text = BUF_INIT;

    if (err) {
        reply_store_failed(r->command, &text);
        answer_buf(r, &text);
        return;
    }
    struct job_row *rows = xcalloc(reply->jobs->n + 1, sizeof(*rows));
    for (size_t i = 0; i < reply->jobs->n; i++)
        add_job_row(&reply->jobs->items[i], &rows[i]);
    reply_history(r->argument, rows, reply->jobs->n, r->command, &text);
    free(rows);
    answer_buf(r, &text);
}

static void on_cancelled(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;
    struct buf text = BUF_INIT;

    if (err)
        reply_store_failed(r->command, &text);
    else if (reply->outcome == STORE_OK || reply->outcome == STORE_EXISTS)
        reply_cancelled(r->argument, &text);
    else
        reply_not_running(r->argument, r->command, &text);
    if (!err && r->bot->scheduler)
        scheduler_wake(r->bot->scheduler);
    answer_buf(r, &text);
}

static void on_cancel_found(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;
    struct buf text = BUF_INIT;
    struct error failed = ERROR_INIT;

    if (err || reply->jobs->n == 0) {
        if (err)
            reply_store_failed(r->command, &text);
        else
            reply_not_running(r->argument, r->command, &text);
        answer_buf(r, &text);
        return;
    }
    if (!queue_cancel(r->bot->queue, reply->jobs->items[0].id, r->user_name, on_cancelled, r,
                      &failed))
        on_cancelled(r, NULL, &failed);
    error_clear(&failed);
}

static void cancel(struct request *r)
{
    struct issue_ref ref = { 0 };
    struct error err = ERROR_INIT;

    if (issue_ref_parse(r->argument, r->bot->o.sentry_url, r->bot->o.sentry_org, &ref, &err) < 0) {
        struct buf text = BUF_INIT;
        reply_failed(&err, &text);
        answer_buf(r, &text);
    } else {
        xreplace(&r->argument, ref.issue ? ref.issue : r->argument);
        list_jobs(r, 1u << JOB_QUEUED | 1u << JOB_RUNNING, r->argument, on_cancel_found);
    }
    issue_ref_clear(&ref);
    error_clear(&err);
}

/* ---- dispatch ---- */

static bool permitted(struct request *r)
{
    struct access_request who = { r->team, r->channel, r->user };

    return access_permits(r->bot->o.access, &who);
}

static void refuse(struct request *r)
{
    struct buf text = BUF_INIT;

    LOG(WARN, "access.refused", F_STR("user", r->user), F_STR("channel", r->channel),
        F_STR("team", r->team));
    reply_refused(access_is_empty(r->bot->o.access) ? "Nobody is allowed to ask yet."
                                                    : "You are not allowed to ask here.",
                  "access.allow", "DBCONN_ACCESS_ALLOW", &text);
    answer_buf(r, &text);
}

static void dispatch(struct request *r, const char *typed)
{
    struct command command;
    struct buf text = BUF_INIT;

    command_parse(r->command, typed, &command);
    xreplace(&r->argument, buf_str(&command.argument));
    if (command.kind == COMMAND_HELP) {
        reply_help(r->command, &text);
        answer_buf(r, &text);
    } else if (!permitted(r)) {
        refuse(r);
    } else if (command.kind == COMMAND_INVALID) {
        answer(r, buf_str(&command.problem));
    } else if (command.kind == COMMAND_STATUS) {
        list_jobs(r, 1u << JOB_QUEUED | 1u << JOB_RUNNING | 1u << JOB_DEAD, NULL, on_status);
    } else if (command.kind == COMMAND_CANCEL) {
        cancel(r);
    } else if (command.kind == COMMAND_HISTORY) {
        list_jobs(r, 0, *r->argument ? r->argument : NULL, on_history);
    } else {
        investigate(r);
    }
    command_clear(&command);
}

static void on_slash(struct bot *bot, const struct slack_envelope *e)
{
    struct request *r = xcalloc(1, sizeof(*r));

    r->bot = bot;
    r->delivery = e->delivery;
    r->accepts_payload = e->accepts_payload;
    r->team = xstrdup(json_str(e->payload, "team_id"));
    r->channel = xstrdup(json_str(e->payload, "channel_id"));
    r->user = xstrdup(json_str(e->payload, "user_id"));
    r->user_name = xstrdup(json_str(e->payload, "user_name"));
    r->trigger = xstrdup(json_str(e->payload, "trigger_id"));
    r->response_url = xstrdup(json_str(e->payload, "response_url"));
    r->command = xstrdup(json_str_or(e->payload, "command", "/dbconn"));
    dispatch(r, json_str_or(e->payload, "text", ""));
}

void bot_on_envelope(void *user, const struct slack_envelope *e)
{
    struct bot *bot = user;
    struct error err = ERROR_INIT;

    if (text_same(e->type, "slash_commands")) {
        on_slash(bot, e);
        return;
    }
    LOG(DEBUG, "slack.envelope", F_STR("ignored", e->type));
    if (slack_socket_ack(bot->socket, e->delivery, NULL, &err) < 0)
        LOG(WARN, "slack.ack", F_STR("why", error_text(&err)));
    error_clear(&err);
}
