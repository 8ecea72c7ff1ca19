/* Envelopes, and what people ask for in words: it becomes an acknowledged answer or a durable job.
 * An envelope is acknowledged after its job is committed; what needs no job is answered in the
 * acknowledgement. */
#include "bot_audit.h"
#include "bot_request.h"

#include "dbconn/analysis/issue_ref.h"
#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"
#include "dbconn/slack/command_reply.h"
#include "job_rows.h"

static struct reader reader_of(const struct request *r)
{
    return (struct reader){ .access = r->bot->o.access, .channel = r->channel, .user = r->user };
}

/* ---- an issue to look into ---- */

static const char *source_of(enum access_way way)
{
    return way == ACCESS_MENTION    ? "mention"
           : way == ACCESS_SHORTCUT ? "shortcut"
           : way == ACCESS_ALERT    ? "alert"
                                    : "slash";
}

static void on_job_made(struct request *r, const char *id, size_t ahead)
{
    struct buf text = BUF_INIT;

    LOG(INFO, "job.enqueued", F_STR("job", id), F_STR("issue", r->argument),
        F_STR("source", source_of(r->way)), F_STR("channel", r->channel), F_STR("user", r->user));
    if (r->way == ACCESS_MENTION || r->way == ACCESS_ALERT) {
        request_end(r); /* the thread that begins below the message says so */
        return;
    }
    bool room = scheduler_running(r->bot->scheduler) < r->bot->o.max_running;
    reply_taken(r->argument, room ? 0 : ahead, &text);
    request_answer_buf(r, &text);
}

static void on_enqueued(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;
    struct buf text = BUF_INIT;

    if (err) {
        LOG(ERROR, "job.enqueue", F_STR("issue", r->argument), F_STR("why", error_text(err)));
        reply_store_failed(r->command, &text);
        request_answer_buf(r, &text);
    } else if (reply->outcome == STORE_FULL) {
        reply_queue_full((size_t)r->bot->o.max_waiting, r->command, &text);
        request_answer_buf(r, &text);
    } else if (reply->outcome == STORE_EXISTS) {
        request_end(r); /* delivered again: the first answer stands */
    } else {
        on_job_made(r, reply->id, (size_t)reply->number);
    }
}

void command_enqueue(struct request *r)
{
    struct error err = ERROR_INIT;
    struct job_extra extra = { .user_name = r->user_name,
                               .is_public = access_gate_is_public(r->bot->gate, r->channel),
                               .in_thread = r->thread_ts != NULL };
    char *request = job_extra_write(&extra), *audit = bot_audit_payload(r, NULL);
    struct job_new job = { .priority = r->way == ACCESS_ALERT ? JOB_PRIORITY_AUTOMATIC
                                                              : JOB_PRIORITY_PERSON,
                           .source = source_of(r->way),
                           .workspace = r->team ? r->team : "",
                           .channel = r->channel,
                           .requester = r->user,
                           .thread_ts = r->thread_ts,
                           .issue_ref = r->argument,
                           .request = request,
                           .playbook = r->bot->o.playbook->id,
                           .evaluated_ms = TIME_UNKNOWN,
                           .response_url = r->response_url,
                           .audit = audit };

    if (!queue_enqueue(r->bot->queue, &job, (const char *const *)r->keys, r->n_keys, on_enqueued, r,
                       &err))
        on_enqueued(r, NULL, &err);
    error_clear(&err);
    free(request);
    free(audit);
}

/* Reads the issue that was named into `argument`; answers and ends the request when there is none.
 */
static bool read_issue(struct request *r)
{
    struct issue_ref ref = { 0 };
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT;

    if (issue_ref_parse(r->argument, r->bot->o.sentry_url, r->bot->o.sentry_org, &ref, &err) < 0) {
        reply_failed(&err, &text);
        request_answer_buf(r, &text);
        error_clear(&err);
        return false;
    }
    xreplace(&r->argument, ref.issue ? ref.issue : r->argument);
    issue_ref_clear(&ref);
    return true;
}

/* ---- status and history ---- */

static void on_status(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;
    struct reader reader = reader_of(r);
    struct buf text = BUF_INIT;
    struct job_rows rows = { 0 };

    if (err) {
        reply_store_failed(r->command, &text);
    } else {
        job_rows_add(&rows, reply->jobs, &reader, true);
        reply_status(rows.items, rows.n, &text);
    }
    job_rows_clear(&rows);
    request_answer_buf(r, &text);
}

static void on_history(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;
    struct reader reader = reader_of(r);
    struct buf text = BUF_INIT;
    struct job_rows rows = { 0 };

    if (err) {
        reply_store_failed(r->command, &text);
    } else {
        job_rows_add(&rows, reply->jobs, &reader, false);
        reply_history(r->argument, rows.items, rows.n, r->command, &text);
    }
    job_rows_clear(&rows);
    request_answer_buf(r, &text);
}

static void list_jobs(struct request *r, unsigned states, const char *issue, const char *host,
                      queue_done_fn *done)
{
    struct error err = ERROR_INIT;
    struct store_filter filter = {
        .states = states, .workspace = r->team, .issue = issue, .host = host, .limit = 20
    };

    if (!queue_list(r->bot->queue, &filter, done, r, &err))
        done(r, NULL, &err);
    error_clear(&err);
}

/* What is no issue that was looked into may be the host of a database. */
static void on_issue_history(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;

    if (!err && reply->jobs->n == 0)
        list_jobs(r, 0, NULL, r->argument, on_history);
    else
        on_history(r, reply, err);
}

static void history(struct request *r)
{
    struct issue_ref ref = { 0 };

    if (!*r->argument) {
        list_jobs(r, 0, NULL, NULL, on_history);
        return;
    }
    if (issue_ref_parse(r->argument, r->bot->o.sentry_url, r->bot->o.sentry_org, &ref, NULL) == 0 &&
        ref.issue)
        xreplace(&r->argument, ref.issue); /* a link names the same issue */
    issue_ref_clear(&ref);
    list_jobs(r, 0, r->argument, NULL, on_issue_history);
}

/* ---- cancel ---- */

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
    if (!err)
        scheduler_wake(r->bot->scheduler);
    request_answer_buf(r, &text);
}

/* The first one that this person may know about; NULL when there is none. */
static const struct job *first_visible(const struct request *r, const struct job_list *jobs)
{
    struct reader reader = reader_of(r);

    for (size_t i = 0; i < jobs->n; i++)
        if (job_visible(&jobs->items[i], &reader))
            return &jobs->items[i];
    return NULL;
}

static void on_cancel_found(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;
    struct error failed = ERROR_INIT;
    const struct job *job = err ? NULL : first_visible(r, reply->jobs);
    struct queue_reply none = { .outcome = STORE_NONE };

    if (!job)
        on_cancelled(r, &none, err);
    else if (!queue_cancel(r->bot->queue, job->id, r->user_name ? r->user_name : r->user,
                           on_cancelled, r, &failed))
        on_cancelled(r, NULL, &failed);
    error_clear(&failed);
}

/* ---- dispatch ---- */

void command_dispatch(struct request *r)
{
    struct buf text = BUF_INIT;

    switch (r->kind) {
    case COMMAND_HELP:
        reply_help(r->command, &text);
        request_answer_buf(r, &text);
        return;
    case COMMAND_INVALID:
        request_answer(r, r->problem);
        return;
    case COMMAND_STATUS:
        list_jobs(r, 1u << JOB_QUEUED | 1u << JOB_RUNNING | 1u << JOB_DEAD, NULL, NULL, on_status);
        return;
    case COMMAND_HISTORY:
        history(r);
        return;
    case COMMAND_CANCEL:
        if (read_issue(r))
            list_jobs(r, 1u << JOB_QUEUED | 1u << JOB_RUNNING, r->argument, NULL, on_cancel_found);
        return;
    case COMMAND_INVESTIGATE:
        if (read_issue(r))
            command_enqueue(r);
        return;
    }
}

static void on_slash(struct bot *bot, const struct slack_envelope *e)
{
    struct request *r = request_new(bot, e, ACCESS_COMMAND);
    const char *trigger = json_str(e->payload, "trigger_id");
    struct command command;

    r->team = xstrdup(json_str(e->payload, "team_id"));
    r->channel = xstrdup(json_str(e->payload, "channel_id"));
    r->user = xstrdup(json_str(e->payload, "user_id"));
    r->user_name = xstrdup(json_str(e->payload, "user_name"));
    r->response_url = xstrdup(json_str(e->payload, "response_url"));
    xreplace(&r->command, json_str_or(e->payload, "command", "/dbconn"));
    request_add_key(r, trigger ? xasprintf("trigger:%s", trigger) : NULL);
    char *typed = redact_dup(json_str_or(e->payload, "text", "")); /* it is stored and repeated */
    command_parse(r->command, typed, &command);
    free(typed);
    request_set_command(r, &command);
    request_authorise(r, command.kind == COMMAND_HELP, command_dispatch);
    command_clear(&command);
}

void bot_on_envelope(void *user, const struct slack_envelope *e)
{
    struct bot *bot = user;
    struct error err = ERROR_INIT;

    if (text_same(e->type, "slash_commands")) {
        on_slash(bot, e);
    } else if (text_same(e->type, "interactive")) {
        bot_on_interactive(bot, e);
    } else if (text_same(e->type, "events_api")) {
        bot_on_event(bot, e);
    } else {
        LOG(DEBUG, "slack.envelope", F_STR("ignored", e->type));
        if (slack_socket_ack(bot->socket, e->delivery, NULL, &err) < 0)
            LOG(WARN, "slack.ack", F_STR("why", error_text(&err)));
        error_clear(&err);
    }
}
