/*
 * Re-run: the same issue again, as a new job.
 *
 * A job is repeated once, however often the button is pressed: its id is the key of the repetition.
 * When that one has ended, it is the one to repeat; so presses follow the line of repetitions to
 * its end, and of several at the same moment one begins the next.
 */
#include "bot_audit.h"
#include "bot_press.h"

#include "dbconn/base/log.h"
#include "dbconn/slack/command_reply.h"
#include "job_rows.h"

#define RERUNS_MAX 50 /* within the time that keys are kept */

static void enqueue(struct request *r);

static void on_earlier(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;
    struct buf text = BUF_INIT;

    if (err) {
        reply_store_failed(r->command, &text);
        request_answer_buf(r, &text);
    } else if (reply->outcome == STORE_OK && !job_state_is_final(reply->job->state)) {
        reply_button_done("it runs again already.", &text);
        request_answer_buf(r, &text);
    } else if (reply->outcome == STORE_OK && r->press->pressed_ms != TIME_UNKNOWN &&
               reply->job->created_ms >= r->press->pressed_ms) {
        reply_button_done("it ran again.", &text); /* this very press, delivered once more */
        request_answer_buf(r, &text);
    } else if (++r->press->rerun_tries > RERUNS_MAX) {
        request_answer(r, "It was run again very often just now. Please wait some minutes.");
    } else {
        enqueue(r);
    }
}

static void on_enqueued(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;
    struct press *p = r->press;
    struct buf text = BUF_INIT;
    struct error failed = ERROR_INIT;

    if (err) {
        LOG(ERROR, "job.enqueue", F_STR("job", p->job_id), F_STR("why", error_text(err)));
        reply_store_failed(r->command, &text);
        request_answer_buf(r, &text);
    } else if (reply->outcome == STORE_FULL) {
        reply_queue_full((size_t)r->bot->o.max_waiting, r->command, &text);
        request_answer_buf(r, &text);
    } else if (reply->outcome == STORE_EXISTS) {
        memcpy(p->rerun_of, reply->id, strlen(reply->id) + 1);
        if (!queue_get(r->bot->queue, reply->id, on_earlier, r, &failed))
            on_earlier(r, NULL, &failed);
    } else {
        LOG(INFO, "job.enqueued", F_STR("job", reply->id), F_STR("repeats", p->job_id),
            F_STR("channel", p->job.channel), F_STR("user", r->user));
        scheduler_wake(r->bot->scheduler);
        request_end(r); /* the channel shows it in a moment */
    }
    error_clear(&failed);
}

static void enqueue(struct request *r)
{
    const struct press *p = r->press;
    const struct job *job = &p->job;
    struct error err = ERROR_INIT;
    struct job_extra before, extra = { .user_name = r->user_name };
    char *key = xasprintf("rerun:%s", p->rerun_of);
    const char *keys[] = { key };

    job_extra_read(job, &before);
    extra.is_public = before.is_public;
    extra.in_thread = before.in_thread;
    char *request = job_extra_write(&extra), *audit = bot_audit_payload(r, NULL);
    struct job_new again = { .priority = JOB_PRIORITY_PERSON,
                             .source = "button",
                             .workspace = job->workspace,
                             .channel = job->channel,
                             .requester = r->user,
                             .thread_ts = before.in_thread ? job->thread_ts : NULL,
                             .issue_ref =
                                 job->issue_short_id ? job->issue_short_id : job->issue_ref,
                             .request = request,
                             .playbook = r->bot->o.playbook->id,
                             .evaluated_ms = TIME_UNKNOWN,
                             .parent_id = job->id,
                             .response_url = r->response_url,
                             .audit = audit };

    if (!queue_enqueue(r->bot->queue, &again, keys, 1, on_enqueued, r, &err))
        on_enqueued(r, NULL, &err);
    error_clear(&err);
    job_extra_clear(&before);
    free(request);
    free(audit);
    free(key);
}

void press_rerun(struct request *r)
{
    struct press *p = r->press;
    struct buf text = BUF_INIT;

    if (!job_state_is_final(p->job.state)) {
        reply_button_done("it still runs.", &text);
        request_answer_buf(r, &text);
        return;
    }
    memcpy(p->rerun_of, p->job.id, strlen(p->job.id) + 1);
    enqueue(r);
}
