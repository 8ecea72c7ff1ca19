/*
 * One claimed job from its claim to its end:
 *
 *   load (steps and messages of earlier attempts) -> run (the playbook) -> settle (the thread shows
 *   the end) -> finish (the store knows the end) -> done
 *
 * It may be cancelled, lose its lease, or be handed over at shutdown at any point.
 */
#include "investigation_private.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"
#include "dbconn/net/loop.h"

#define HAND_OVER_MS 3000 /* what a post on its way gets to come back */
#define HAND_OVER_LOOK_MS 50

const struct job *investigation_job(const struct investigation *inv)
{
    return scheduler_job(inv->claim);
}

void investigation_free(struct investigation *inv)
{
    for (size_t i = 0; i < ARRAY_LEN(inv->calls); i++)
        queue_cancel_call(inv->calls[i]);
    run_free(inv->run);
    if (inv->generation)
        inv->release(inv->generation);
    thread_sync_free(inv->sync);
    loop_timer_free(inv->timer);
    loop_timer_free(inv->hand_over);
    loop_timer_free(inv->halt);
    free(inv->reason);
    free(inv->elsewhere);
    free(inv->cancelled_by);
    job_extra_clear(&inv->extra);
    seen_clear(&inv->seen);
    opinions_clear(&inv->opinions);
    free(inv);
}

/* ---- loading ---- */

static void on_set_playbook(void *user, const struct queue_reply *reply, const struct error *err)
{
    (void)user;
    (void)reply;
    if (err)
        LOG(ERROR, "job.playbook", F_STR("why", error_text(err)));
}

/* A job ends with the playbook it began with; when that is gone it starts anew. */
static bool settle_playbook(struct investigation *inv)
{
    const struct job *job = investigation_job(inv);
    const struct playbook *p = inv->bot->o.playbook;
    struct error err = ERROR_INIT;

    inv->evaluated_ms = job->evaluated_ms != TIME_UNKNOWN ? job->evaluated_ms : clock_wall_ms();
    if (text_same(job->playbook_hash, p->hash) && job->evaluated_ms != TIME_UNKNOWN)
        return true;
    bool anew = job->playbook_hash && !text_same(job->playbook_hash, p->hash);
    if (anew)
        inv->evaluated_ms = clock_wall_ms();
    if (!queue_set_playbook(inv->bot->queue, scheduler_ref(inv->claim), p->id, p->hash,
                            inv->evaluated_ms, on_set_playbook, NULL, &err))
        LOG(ERROR, "job.playbook", F_STR("why", error_text(&err)));
    error_clear(&err);
    return !anew;
}

/* What an earlier attempt did not get to show may be another job's issue: it may have died before
 * it was told so. And what it did show has to be the first of its issue, before another one asks.
 */
static void go_on(struct investigation *inv)
{
    bool known = run_casefile(inv->run)->issue.id;

    inv->resumed = thread_sync_has_begun(inv->sync);
    if (inv->resumed || !known)
        investigation_show_and_run(inv, inv->resumed);
    if (known)
        investigation_identify(inv);
}

static void start_run(struct investigation *inv, const struct job_step_list *steps)
{
    struct issue_ref ref = { 0 };
    struct error err = ERROR_INIT;
    bool keep = settle_playbook(inv);

    if (issue_ref_parse(investigation_job(inv)->issue_ref, inv->bot->o.sentry_url,
                        inv->bot->o.sentry_org, &ref, &err) < 0) {
        investigation_end_as(inv, PHASE_FAILED, error_text(&err));
    } else {
        investigation_begin(inv, &ref, keep ? steps : NULL);
        if (!investigation_withhold(
                inv)) /* the rules may have changed since it was first looked at */
            go_on(inv);
    }
    issue_ref_clear(&ref);
    error_clear(&err);
}

static void on_steps(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct investigation *inv = user;
    const struct job *job = investigation_job(inv);

    inv->calls[CALL_LOAD] = NULL;
    if (err) {
        LOG(ERROR, "job.load", F_STR("job", job->id), F_STR("why", error_text(err)));
        investigation_stop(inv, SCHEDULER_SHUTDOWN);
        return;
    }
    if (job->state == JOB_DEAD)
        investigation_end_as(inv, PHASE_DEAD, job->error);
    else if (job->cancel_by)
        investigation_end_as(inv, PHASE_CANCELLED, NULL);
    else
        start_run(inv, reply->steps);
}

static void on_messages(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct investigation *inv = user;
    struct error failed = ERROR_INIT;

    inv->calls[CALL_LOAD] = NULL;
    if (err) {
        on_steps(inv, NULL, err);
        return;
    }
    thread_sync_restore(inv->sync, reply->messages);
    inv->calls[CALL_LOAD] =
        queue_steps(inv->bot->queue, investigation_job(inv)->id, on_steps, inv, &failed);
    if (!inv->calls[CALL_LOAD])
        on_steps(inv, NULL, &failed);
    error_clear(&failed);
}

void investigation_start(struct bot *bot, struct scheduler_run *claim)
{
    struct investigation *inv = xcalloc(1, sizeof(*inv));
    struct error err = ERROR_INIT;

    inv->bot = bot;
    inv->claim = claim;
    inv->owner = ++bot->next_owner;
    inv->phase = PHASE_RUNNING;
    inv->began_ms = clock_mono_ms();
    inv->looks = bot->looks;
    inv->timer = loop_timer_new(bot->o.loop, investigation_on_show_timer, inv);
    inv->halt = loop_timer_new(bot->o.loop, investigation_on_halt, inv);
    job_extra_read(investigation_job(inv), &inv->extra);
    scheduler_set_data(claim, inv);
    inv->sync = thread_sync_new(&(struct thread_sync_options){
        .loop = bot->o.loop,
        .api = bot->api,
        .queue = bot->queue,
        .run = claim,
        .owner = inv->owner,
        .stream_team = text_same(bot->o.progress, "stream") ? bot->team : NULL,
        .on_refused = investigation_on_refused,
        .on_cannot_post = investigation_on_cannot_post,
        .on_settled = investigation_on_settled,
        .user = inv });
    bot_count_start(bot, investigation_job(inv));
    LOG(INFO, "job.start", F_STR("job", investigation_job(inv)->id),
        F_STR("issue", investigation_job(inv)->issue_ref),
        F_INT("attempt", investigation_job(inv)->attempts_total));
    inv->calls[CALL_LOAD] =
        queue_messages(bot->queue, investigation_job(inv)->id, on_messages, inv, &err);
    if (!inv->calls[CALL_LOAD])
        on_messages(inv, NULL, &err);
    error_clear(&err);
}

/* ---- stopping ---- */

static void on_hand_over(void *user)
{
    struct investigation *inv = user;
    struct scheduler_run *claim = inv->claim;

    if (inv->finishing)
        return; /* its thread was complete after all: it ends here */
    if (!thread_sync_pause(inv->sync) && clock_mono_ms() < inv->hand_over_by_ms) {
        loop_timer_start(inv->hand_over, HAND_OVER_LOOK_MS);
        return;
    }
    investigation_free(inv);
    scheduler_release(claim);
}

static void forget_call(struct investigation *inv, size_t i)
{
    queue_cancel_call(inv->calls[i]);
    inv->calls[i] = NULL;
}

/* Nothing new is asked or posted; a post on its way gets a moment to come back, so that the next
 * process need not look for it. If that was the last one, the job may still end here: what it found
 * is kept for that. */
static void hand_over(struct investigation *inv)
{
    for (size_t i = CALL_FINISH + 1; i < CALL_COUNT; i++)
        forget_call(inv, i);
    if (inv->phase == PHASE_RUNNING) {
        run_free(inv->run);
        inv->run = NULL;
    }
    loop_timer_stop(inv->timer);
    inv->hand_over = loop_timer_new(inv->bot->o.loop, on_hand_over, inv);
    inv->hand_over_by_ms = clock_mono_ms() + HAND_OVER_MS;
    loop_timer_start(inv->hand_over, 0);
}

static void on_canceller(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct investigation *inv = user;

    inv->calls[CALL_LOOK] = NULL;
    if (!err && reply->outcome == STORE_OK)
        xreplace(&inv->cancelled_by, reply->job->cancel_by);
    investigation_end_as(inv, PHASE_CANCELLED, NULL);
}

static void ask_who_cancelled(struct investigation *inv)
{
    struct error err = ERROR_INIT;

    queue_cancel_call(inv->calls[CALL_LOOK]); /* no looking back any more */
    inv->look_due = false;
    inv->calls[CALL_LOOK] =
        queue_get(inv->bot->queue, investigation_job(inv)->id, on_canceller, inv, &err);
    if (!inv->calls[CALL_LOOK])
        on_canceller(inv, NULL, &err);
    error_clear(&err);
}

void investigation_stop(struct investigation *inv, enum scheduler_stop why)
{
    struct scheduler_run *claim = inv->claim;

    switch (why) {
    case SCHEDULER_CANCELLED:
        if (inv->phase != PHASE_RUNNING)
            return; /* it ends already */
        if (inv->run)
            run_abort(inv->run, "Cancelled.");
        ask_who_cancelled(inv);
        return;
    case SCHEDULER_LEASE_LOST:
        LOG(WARN, "job.lease_lost", F_STR("job", investigation_job(inv)->id));
        investigation_free(inv);
        scheduler_done(claim);
        return;
    case SCHEDULER_SHUTDOWN:
        if (!inv->hand_over && !inv->finishing)
            hand_over(inv);
        return;
    }
}
