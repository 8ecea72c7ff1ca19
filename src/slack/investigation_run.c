/* The playbook as it runs for a job: checkpoints, duplicates, access, and what was before. */
#include "investigation_private.h"

#include <assert.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/redact_json.h"
#include "dbconn/base/text.h"
#include "dbconn/net/loop.h"
#include "dbconn/slack/command_reply.h"

#define IDENTIFY_AGAIN 5
#define SHOW_AFTER_MS 3000 /* a duplicate is found before it makes a message of its own */

static void on_checkpointed(void *user, const struct queue_reply *reply, const struct error *err)
{
    (void)user;
    (void)reply; /* a lost lease is told by the scheduler */
    if (err)
        LOG(ERROR, "job.checkpoint", F_STR("why", error_text(err)));
}

static void checkpoint(struct investigation *inv, const struct step_record *step)
{
    struct error err = ERROR_INIT;
    cJSON *doc = run_checkpoint(inv->run, step);

    redact_json(doc);
    char *text = json_print(doc), *id = xstrdup(step->id),
         *status = xstrdup(step_status_name(step->status));
    struct job_step stored = {
        .step_id = id, .number = step->number, .status = status, .data = text
    };

    if (!queue_checkpoint(inv->bot->queue, scheduler_ref(inv->claim), &stored, on_checkpointed,
                          NULL, &err))
        LOG(ERROR, "job.checkpoint", F_STR("job", investigation_job(inv)->id),
            F_STR("why", error_text(&err)));
    error_clear(&err);
    cJSON_free(text);
    free(id);
    free(status);
    cJSON_Delete(doc);
}

/* The job among those that is in this channel, or NULL. */
static const struct job *job_here(const struct investigation *inv, const struct job_list *jobs)
{
    for (size_t i = 0; jobs && i < jobs->n; i++)
        if (text_same(jobs->items[i].channel, investigation_job(inv)->channel))
            return &jobs->items[i];
    return NULL;
}

void investigation_show_and_run(struct investigation *inv, bool at_once)
{
    inv->started = true;
    if (at_once)
        investigation_on_show_timer(inv);
    else
        loop_timer_start_awake(inv->timer, SHOW_AFTER_MS);
    run_start(inv->run);
}

static void tell_where(struct investigation *inv, const struct job *other)
{
    struct buf text = BUF_INIT;

    free(inv->elsewhere);
    inv->elsewhere = job_thread_link(other);
    if (other->state == JOB_DONE)
        reply_answered_meanwhile(investigation_job(inv)->issue_ref, inv->elsewhere, &text);
    else
        reply_already_running(investigation_job(inv)->issue_ref, inv->elsewhere, &text);
    investigation_tell_asker(inv, buf_str(&text));
    buf_clear(&text);
}

/* Another job answers for this one. A thread that has begun, since Sentry took long to say which
 * issue it is, says so; else nothing is shown. */
static void give_way(struct investigation *inv, const struct job *other)
{
    const char *why = other->state == JOB_DONE ? "The same issue was answered meanwhile."
                                               : "The same issue is under investigation already.";

    tell_where(inv, other);
    loop_timer_stop(inv->timer);
    if (inv->shown) {
        run_abort(inv->run, why);
        investigation_end_as(inv, PHASE_CANCELLED, why);
        return;
    }
    run_free(inv->run);
    inv->run = NULL;
    inv->phase = PHASE_CANCELLED;
    xreplace(&inv->reason, why);
    investigation_finish(inv);
}

static void look_back(struct investigation *inv);

static void go_on_alone(struct investigation *inv)
{
    if (!inv->started)
        investigation_show_and_run(inv, true);
    else if (!inv->shown)
        investigation_on_show_timer(inv);
    if (inv->look_due)
        look_back(inv);
}

/* Without the store's word nobody knows whether another job tells the issue, and hardly anything
 * can be posted: it is asked again, a few times. */
static bool identify_again(struct investigation *inv, const struct error *err)
{
    bool again = ++inv->identify_failures <= IDENTIFY_AGAIN;

    LOG(WARN, "job.identify", F_STR("job", investigation_job(inv)->id),
        F_STR("why", error_text(err)),
        F_STR("effect", again ? "the store is asked again"
                              : "another job may tell the same issue in a thread of its own"));
    if (again)
        investigation_identify(inv);
    return again;
}

/* Somebody asked for the same issue before, and it still runs or did when this was asked: in the
 * same channel one thread is enough; elsewhere this one goes on, since the asker may not see the
 * other. */
static void on_identified(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct investigation *inv = user;
    const struct job *other = NULL;

    inv->calls[CALL_IDENTIFY] = NULL;
    if (!inv->run || inv->phase != PHASE_RUNNING)
        return; /* it ends already */
    if (err && identify_again(inv, err))
        return;
    if (!err && reply->outcome == STORE_EXISTS && !inv->resumed)
        other = job_here(inv, reply->jobs);
    if (other)
        give_way(inv, other);
    else
        go_on_alone(inv);
}

void investigation_identify(struct investigation *inv)
{
    const struct casefile *c = run_casefile(inv->run);
    struct error err = ERROR_INIT;
    struct job_issue issue = { .org = inv->bot->o.sentry_org,
                               .id = c->issue.id,
                               .short_id = c->issue.short_id,
                               .title = c->issue.title,
                               .url = c->issue.url };

    inv->calls[CALL_IDENTIFY] = queue_set_issue(inv->bot->queue, scheduler_ref(inv->claim), &issue,
                                                on_identified, inv, &err);
    if (!inv->calls[CALL_IDENTIFY])
        on_identified(inv, NULL, &err);
    error_clear(&err);
}

void investigation_on_halt(void *user)
{
    struct investigation *inv = user;

    if (inv->run)
        run_abort(inv->run, "This channel may not look at the project.");
}

/* Which project it is shows only now. True when this channel may not look at it: then nothing of
 * the issue is shown or kept. */
bool investigation_withhold(struct investigation *inv)
{
    const struct casefile *c = run_casefile(inv->run);
    struct access_decision refusal = { .verdict = ACCESS_REFUSED, .reason = ACCESS_PROJECT };

    if (!inv->withheld && c->issue.id &&
        !access_project_permitted(inv->bot->o.access, investigation_job(inv)->channel,
                                  c->issue.project)) {
        LOG(WARN, "access.refused", F_STR("job", investigation_job(inv)->id),
            F_STR("reason", access_reason_name(refusal.reason)),
            F_STR("channel", investigation_job(inv)->channel));
        inv->withheld = true;
        loop_timer_start(inv->halt, 0); /* not from within the run's own callback */
        investigation_end_as(inv, PHASE_FAILED,
                             "Its project may not be looked at from this channel "
                             "(access.projects in my configuration).");
    }
    return inv->withheld;
}

static void on_step(struct run *run, const struct step_record *step, void *user)
{
    struct investigation *inv = user;

    (void)run;
    if (!inv->run || investigation_withhold(inv))
        return;
    bool is_end = step->number == 1 && step->status == STEP_FAILED; /* nothing to go on with */
    if (step->status != STEP_RUNNING)
        bot_count_step(inv->bot, step);
    if (step->status != STEP_RUNNING && !is_end) {
        checkpoint(inv, step);
        if (step->number == 1)
            investigation_identify(inv);
    }
    investigation_show(inv);
}

/* ---- what was before: the same diagnosed earlier, what people said about this one ---- */

static void on_opinions(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct investigation *inv = user;

    inv->calls[CALL_LOOK] = NULL;
    if (err) {
        LOG(WARN, "job.feedback", F_STR("job", investigation_job(inv)->id),
            F_STR("why", error_text(err)));
    } else {
        opinions_clear(&inv->opinions);
        opinions_read(reply->feedback, &inv->opinions);
    }
    if (inv->phase == PHASE_RUNNING)
        investigation_end_as(inv, PHASE_DONE, NULL);
    else if (!inv->finishing)
        investigation_show(inv); /* judged while the answer was on its way into the thread */
}

static void ask_opinions(struct investigation *inv)
{
    struct error err = ERROR_INIT;

    queue_cancel_call(inv->calls[CALL_LOOK]);
    inv->calls[CALL_LOOK] =
        queue_feedback_list(inv->bot->queue, investigation_job(inv)->id, on_opinions, inv, &err);
    if (!inv->calls[CALL_LOOK])
        on_opinions(inv, NULL, &err);
    error_clear(&err);
}

bool investigation_judged(struct bot *bot, const char *job_id)
{
    struct scheduler_run *claim = scheduler_find(bot->scheduler, job_id);
    struct investigation *inv = claim ? scheduler_data(claim) : NULL;

    if (!inv || inv->phase != PHASE_DONE || inv->finishing)
        return false;
    ask_opinions(inv);
    return true;
}

static void on_seen(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct investigation *inv = user;
    struct reader everybody_here = { .access = inv->bot->o.access,
                                     .channel = investigation_job(inv)->channel };

    inv->calls[CALL_LOOK] = NULL;
    if (err)
        LOG(WARN, "job.seen_before", F_STR("job", investigation_job(inv)->id),
            F_STR("why", error_text(err)));
    else
        seen_read(reply->seen, &everybody_here, &inv->seen);
    ask_opinions(inv);
}

/* Then the answer. */
static void look_back(struct investigation *inv)
{
    const struct casefile *c = run_casefile(inv->run);
    struct buf fingerprint = BUF_INIT;
    struct error err = ERROR_INIT;

    assert(!inv->calls[CALL_LOOK]);
    inv->look_due = false;
    job_fingerprint(c, &fingerprint);
    struct store_seen_query query = {
        .except_id = investigation_job(inv)->id,
        .workspace = investigation_job(inv)->workspace,
        .issue_org = inv->bot->o.sentry_org,
        .issue_id = c->issue.id,
        .fingerprint = fingerprint.len > 0 ? buf_str(&fingerprint) : NULL,
        .target_host = c->target.host,
        .target_port = c->target.port,
        /* What ended after it was asked for is not "before", and a job that is taken up anew must
         * find the same again. */
        .since_ms = inv->evaluated_ms - inv->bot->o.seen_ms,
        .until_ms = investigation_job(inv)->created_ms,
    };
    inv->calls[CALL_LOOK] = queue_seen_before(inv->bot->queue, &query, on_seen, inv, &err);
    if (!inv->calls[CALL_LOOK])
        on_seen(inv, NULL, &err);
    error_clear(&err);
    buf_clear(&fingerprint);
}

static void on_run_done(struct run *run, const struct error *err, void *user)
{
    struct investigation *inv = user;

    (void)run;
    if (inv->withheld)
        return;
    if (err) {
        LOG(WARN, "job.failed", F_STR("job", investigation_job(inv)->id),
            F_STR("why", error_text(err)));
        investigation_end_as(inv, PHASE_FAILED, error_text(err));
        return;
    }
    const struct diagnosis *d = &run_casefile(inv->run)->diagnosis;
    LOG(INFO, "job.diagnosis", F_STR("job", investigation_job(inv)->id),
        F_STR("cause", cause_name(d->cause)), F_STR("confidence", confidence_name(d->confidence)));
    if (inv->calls[CALL_IDENTIFY])
        inv->look_due = true;
    else
        look_back(inv);
}

/* Findings about other projects are read by everybody in the channel. */
static bool may_name(void *user, const char *project)
{
    const struct investigation *inv = user;

    return access_project_permitted(inv->bot->o.access, investigation_job(inv)->channel, project);
}

void investigation_begin(struct investigation *inv, const struct issue_ref *ref,
                         const struct job_step_list *steps)
{
    struct bot *bot = inv->bot;

    inv->generation = bot->o.generation;
    inv->release = bot->o.release;
    if (inv->generation)
        bot->o.retain(inv->generation);
    inv->run = run_new(&(struct run_options){ .loop = bot->o.loop,
                                              .playbook = bot->o.playbook,
                                              .sources = bot->o.sources,
                                              .issue = ref->issue,
                                              .event = ref->event,
                                              .now_ms = inv->evaluated_ms,
                                              .budget_ms = bot->o.job_budget_ms,
                                              .step_ms = bot->o.step_ms,
                                              .owner = inv->owner,
                                              .job = investigation_job(inv)->id,
                                              .on_step = on_step,
                                              .on_done = on_run_done,
                                              .may_name = may_name,
                                              .user = inv });
    for (size_t i = 0; steps && i < steps->n; i++) {
        cJSON *doc = cJSON_Parse(steps->items[i].data);
        run_restore(inv->run, doc);
        cJSON_Delete(doc);
    }
}
