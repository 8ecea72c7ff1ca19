#include "bot_press.h"

#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"
#include "dbconn/report/report_json.h"
#include "dbconn/slack/command_reply.h"
#include "dbconn/slack/modal.h"
#include "dbconn/slack/webapi.h"
#include "feedback.h"

#define VIEW_WAIT_MS 2500 /* a trigger_id is good for 3 s */

static const char *issue_of(const struct job *job)
{
    return job->issue_short_id ? job->issue_short_id : job->issue_ref;
}

static void answer_done_already(struct request *r, const char *what)
{
    struct buf text = BUF_INIT;

    reply_button_done(what, &text);
    request_answer_buf(r, &text);
}

static void answer_store_failed(struct request *r, const struct error *err)
{
    struct buf text = BUF_INIT;

    LOG(ERROR, "press.store", F_STR("job", r->press->job_id), F_STR("why", error_text(err)));
    reply_store_failed(r->command, &text);
    request_answer_buf(r, &text);
}

static void answer_gone(struct request *r)
{
    struct buf text = BUF_INIT;

    reply_job_gone(r->press->job_id, r->command, &text);
    request_answer_buf(r, &text);
}

/* ---- Cancel, Retry failed steps: the thread itself shows what comes of them ---- */

static void on_cancelled(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;
    struct buf text = BUF_INIT;

    if (err) {
        answer_store_failed(r, err);
    } else if (reply->outcome == STORE_OK) {
        scheduler_wake(r->bot->scheduler);
        request_end(r);
    } else if (reply->outcome == STORE_EXISTS) {
        answer_done_already(r, "it is being cancelled.");
    } else {
        reply_not_running(issue_of(&r->press->job), r->command, &text);
        request_answer_buf(r, &text);
    }
}

static void cancel(struct request *r)
{
    struct error err = ERROR_INIT;

    if (!queue_cancel(r->bot->queue, r->press->job_id, r->user_name ? r->user_name : r->user,
                      on_cancelled, r, &err))
        on_cancelled(r, NULL, &err);
    error_clear(&err);
}

static void on_requeued(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;

    if (err) {
        answer_store_failed(r, err);
    } else if (reply->outcome == STORE_OK) {
        scheduler_wake(r->bot->scheduler);
        request_end(r);
    } else if (reply->outcome == STORE_NONE) {
        answer_gone(r);
    } else {
        answer_done_already(r, "it has started.");
    }
}

static void retry_failed(struct request *r)
{
    struct error err = ERROR_INIT;

    if (!job_state_is_final(r->press->job.state) || press_is_stale(r->press))
        answer_done_already(r, "it has started.");
    else if (!queue_requeue(r->bot->queue, r->press->job_id, REQUEUE_KEEP_GOOD, on_requeued, r,
                            &err))
        on_requeued(r, NULL, &err);
    error_clear(&err);
}

/* ---- Right, Wrong, The real cause ---- */

static void on_judged(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;
    struct press *p = r->press;
    struct buf text = BUF_INIT;

    if (err) {
        answer_store_failed(r, err);
        return;
    }
    if (reply->outcome != STORE_OK) {
        answer_gone(r);
        return;
    }
    LOG(INFO, "feedback", F_STR("job", p->job_id), F_STR("user", r->user),
        F_STR("button", button_action_id(p->action)));
    feedback_show(r->bot, p->job_id);
    if (p->form) {
        request_end(r); /* the modal closes, the thread shows it */
        return;
    }
    reply_feedback_thanks(p->action == BUTTON_RIGHT ? "right" : "wrong", &text);
    request_answer_buf(r, &text);
}

static void judge(struct request *r, const char *verdict, const char *real_cause, const char *note)
{
    const struct casefile *live = investigation_casefile(r->bot, r->press->job_id);
    struct error err = ERROR_INIT;
    struct job_feedback_new feedback = { .job_id = r->press->job_id,
                                         .workspace = r->press->job.workspace,
                                         .person = r->user,
                                         .verdict = verdict,
                                         .real_cause = real_cause,
                                         .note = note };

    if (r->press->job.state != JOB_DONE && !(live && live->diagnosis.reached))
        request_answer(r, "There is no answer yet that could be right or wrong.");
    else if (!queue_feedback_put(r->bot->queue, &feedback, on_judged, r, &err))
        on_judged(r, NULL, &err);
    error_clear(&err);
}

/* The cause that the answer names; NULL when it is not known. */
static const char *cause_said(const struct request *r)
{
    const struct casefile *live = investigation_casefile(r->bot, r->press->job_id);

    return live && live->diagnosis.reached ? cause_name(live->diagnosis.cause)
                                           : r->press->job.cause;
}

static void take_real_cause(struct request *r)
{
    struct buf job_id = BUF_INIT, text = BUF_INIT;
    struct error err = ERROR_INIT;
    enum cause cause;

    if (modal_read_real_cause(r->press->form, &cause, &job_id, &text, &err) < 0) {
        request_answer(r, error_text(&err));
    } else {
        char *note = text.len > 0 ? redact_dup(buf_str(&text)) : NULL;
        bool same = text_same(cause_said(r), cause_name(cause));
        judge(r, same ? "right" : "wrong", cause_name(cause), note);
        free(note);
    }
    buf_clear(&job_id);
    buf_clear(&text);
    error_clear(&err);
}

/* ---- Details, and the form for the real cause: views ---- */

static void on_view(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct request *r = user;
    bool late = text_same(reply->code, "expired_trigger_id") ||
                text_same(reply->code, "exchanged_trigger_id") || reply->kind == WEBAPI_TRANSIENT;

    if (reply->kind == WEBAPI_OK) {
        request_end(r);
        return;
    }
    LOG(WARN, "slack.view", F_STR("job", r->press->job_id), F_STR("code", reply->code),
        F_STR("why", error_text(err)));
    request_answer(r, late ? "That took longer than Slack allows. Please press it once more."
                           : "Slack did not let me show that. Whoever runs me finds the reason in "
                             "my log.");
}

/* Takes the view. */
static void show_view(struct request *r, cJSON *view)
{
    const struct press *p = r->press;
    cJSON *args = cJSON_CreateObject();
    struct error err = ERROR_INIT;
    struct webapi_reply none = { .kind = WEBAPI_REFUSED, .code = "" };
    struct webapi_request request = { .method = p->view_id ? "views.update" : "views.open",
                                      .args = args,
                                      .priority = WEBAPI_FINAL,
                                      .wait_ms = VIEW_WAIT_MS,
                                      .done = on_view,
                                      .user = r };

    json_put_str(args, p->view_id ? "view_id" : "trigger_id", p->view_id ? p->view_id : r->trigger);
    cJSON_AddItemToObject(args, "view", view);
    if (!webapi_start(r->bot->api, &request, &err))
        on_view(r, &none, &err);
    cJSON_Delete(args);
    error_clear(&err);
}

static void show_casefile(struct request *r, const struct casefile *c)
{
    const struct press *p = r->press;

    if (!access_project_permitted(r->bot->o.access, r->channel, c->issue.project)) {
        struct access_decision d = { .verdict = ACCESS_REFUSED, .reason = ACCESS_PROJECT };
        request_refuse(r, &d);
    } else if (p->action == BUTTON_REAL_CAUSE) {
        show_view(r, modal_real_cause(c, p->job_id));
    } else {
        show_view(r, modal_details(c, p->job_id, p->page));
    }
}

static void on_report(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;
    struct error failed = ERROR_INIT;
    struct casefile c;

    if (err) {
        answer_store_failed(r, err);
    } else if (!reply->report) {
        request_answer(r,
                       job_state_is_final(r->press->job.state)
                           ? "It ended before there was anything to show."
                           : "It is still at work. Please press again once the answer is there.");
    } else if (report_parse(reply->report, strlen(reply->report), &c, &failed) < 0) {
        answer_store_failed(r, &failed);
    } else {
        show_casefile(r, &c);
        casefile_clear(&c);
    }
    error_clear(&failed);
}

static void open_view(struct request *r)
{
    const struct casefile *live = investigation_casefile(r->bot, r->press->job_id);
    struct error err = ERROR_INIT;

    if (live && (live->diagnosis.reached || r->press->action != BUTTON_REAL_CAUSE))
        show_casefile(r, live);
    else if (!queue_report(r->bot->queue, r->press->job_id, on_report, r, &err))
        on_report(r, NULL, &err);
    error_clear(&err);
}

/* ---- all of them ---- */

void press_act(struct request *r)
{
    switch (r->press->action) {
    case BUTTON_RERUN:
        press_rerun(r);
        return;
    case BUTTON_RETRY_FAILED:
        retry_failed(r);
        return;
    case BUTTON_CANCEL:
        cancel(r);
        return;
    case BUTTON_DETAILS:
    case BUTTON_DETAILS_NEXT:
    case BUTTON_DETAILS_PREVIOUS:
        open_view(r);
        return;
    case BUTTON_RIGHT:
        judge(r, "right", NULL, NULL);
        return;
    case BUTTON_WRONG:
        judge(r, "wrong", NULL, NULL);
        return;
    case BUTTON_REAL_CAUSE:
        if (r->press->form)
            take_real_cause(r);
        else
            open_view(r);
        return;
    case BUTTON_OPEN_SENTRY:
    case BUTTON_OPEN_PULL:
    case BUTTON_COUNT:
        request_end(r);
        return;
    }
}
