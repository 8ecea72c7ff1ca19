/*
 * One claimed job from its claim to its end:
 *
 *   load (steps and messages of earlier attempts) -> run (the playbook) -> settle (the thread shows
 *   the end) -> finish (the store knows the end) -> done
 *
 * It may be cancelled, lose its lease, or be handed over at shutdown at any point.
 */
#include "bot_audit.h"
#include "bot_private.h"

#include "dbconn/analysis/issue_ref.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/redact_json.h"
#include "dbconn/base/text.h"
#include "dbconn/net/loop.h"
#include "dbconn/playbook/run.h"
#include "dbconn/report/report_json.h"
#include "dbconn/slack/command_reply.h"
#include "dbconn/slack/thread_sync.h"
#include "dbconn/slack/webapi.h"
#include "seen.h"

#define SHOW_AFTER_MS 1500 /* a duplicate is found before it makes a message of its own */
#define SIGN_OF_LIFE_MS 10000
#define HAND_OVER_MS 3000 /* what a post on its way gets to come back */
#define HAND_OVER_LOOK_MS 50

struct investigation {
    struct bot *bot;
    struct scheduler_run *claim;
    void *generation; /* of the bot's options, retained */
    void (*release)(void *generation);
    struct run *run;
    struct thread_sync *sync;
    enum job_phase phase;
    char *reason;
    struct job_extra extra;
    struct seen seen;
    struct opinions opinions;
    char *cancelled_by; /* known since the job was claimed; job_of() may not know it */
    uint64_t owner;
    int64_t evaluated_ms;
    int64_t began_ms; /* monotonic: when this process took it up */
    struct looks looks;
    bool shown, started, finishing;
    bool withheld; /* this channel may not look at the issue's project: show nothing of it */
    struct queue_call *calls[16]; /* of the store, this job's */
    struct loop_timer *timer;     /* first show, then signs of life */
    struct loop_timer *hand_over;
    int64_t hand_over_by_ms; /* monotonic */
    struct loop_timer *halt; /* the run, once its issue is withheld */
};

static const struct job *job_of(const struct investigation *inv)
{
    return scheduler_job(inv->claim);
}

static void investigation_free(struct investigation *inv)
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
    free(inv->cancelled_by);
    job_extra_clear(&inv->extra);
    seen_clear(&inv->seen);
    opinions_clear(&inv->opinions);
    free(inv);
}

/* ---- the thread ---- */

/* What may be shown and kept; NULL while nothing is known. */
static const struct casefile *casefile_of(const struct investigation *inv)
{
    return inv->run && !inv->withheld ? run_casefile(inv->run) : NULL;
}

const struct casefile *investigation_casefile(struct bot *bot, const char *job_id)
{
    struct scheduler_run *claim = scheduler_find(bot->scheduler, job_id);
    const struct investigation *inv = claim ? scheduler_data(claim) : NULL;

    return inv ? casefile_of(inv) : NULL;
}

static void show(struct investigation *inv)
{
    struct thread_view view;
    struct thread_input in;

    if (!inv->shown && inv->phase == PHASE_RUNNING)
        return;
    inv->shown = true;
    bot_thread_input(inv->bot, job_of(inv), &in);
    in.casefile = casefile_of(inv);
    in.phase = inv->phase;
    in.asker_name = inv->extra.user_name;
    in.reason = inv->reason;
    if (inv->cancelled_by)
        in.cancelled_by = inv->cancelled_by;
    in.now_ms = clock_wall_ms();
    in.before = inv->seen.known ? &inv->seen.before : NULL;
    in.said_right = inv->opinions.right;
    in.said_wrong = inv->opinions.wrong;
    in.real_cause = inv->opinions.real_cause;
    in.options.style = inv->looks.style;
    in.options.chart = inv->looks.chart;
    in.options.at_most_once = thread_sync_was_blind(inv->sync);
    thread_view_build(&in, &view);
    thread_sync_show(inv->sync, &view);
    thread_view_clear(&view);
}

/* What an alert started keeps quiet until it is known to be about a database: nobody waits for it,
 * and most alerts are about something else. */
static bool keeps_quiet(const struct investigation *inv)
{
    const struct casefile *c = casefile_of(inv);

    if (inv->shown || !c || thread_sync_has_begun(inv->sync) ||
        !text_same(job_of(inv)->source, "alert"))
        return false;
    return inv->phase == PHASE_RUNNING ? c->applicable != YES
                                       : inv->phase == PHASE_DONE && c->applicable == NO;
}

static void on_show_timer(void *user)
{
    struct investigation *inv = user;

    inv->shown |= !keeps_quiet(inv);
    show(inv);
    loop_timer_start(inv->timer, SIGN_OF_LIFE_MS);
}

static void on_refused(void *user, enum part_id part)
{
    struct investigation *inv = user;

    if (looks_simpler(&inv->looks, part)) {
        bot_keep_looks(inv->bot, &inv->looks);
        show(inv);
    }
}

static void tell_asker(struct investigation *inv, const char *text)
{
    const struct job *job = job_of(inv);

    bot_tell(inv->bot,
             &(struct audience){ .response_url = job->response_url,
                                 .channel = job->channel,
                                 .user = job->requester },
             text);
}

/* ---- the end ---- */

static const enum job_state end_states[] = {
    [PHASE_DONE] = JOB_DONE,
    [PHASE_FAILED] = JOB_FAILED,
    [PHASE_CANCELLED] = JOB_CANCELLED,
    [PHASE_DEAD] = JOB_DEAD,
};

static void count_end(const struct investigation *inv)
{
    const struct casefile *c = casefile_of(inv);

    bot_count_end(inv->bot, job_of(inv), end_states[inv->phase], inv->began_ms,
                  c && inv->phase == PHASE_DONE ? &c->diagnosis : NULL);
}

static void on_finished(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct investigation *inv = user;
    struct scheduler_run *claim = inv->claim;

    inv->calls[0] = NULL;
    if (err)
        LOG(ERROR, "job.finish", F_STR("job", job_of(inv)->id), F_STR("why", error_text(err)));
    else
        LOG(INFO, "job.end", F_STR("job", job_of(inv)->id),
            F_STR("outcome", store_outcome_name(reply->outcome)));
    if (!err && reply->outcome == STORE_OK)
        count_end(inv);
    investigation_free(inv);
    scheduler_done(claim);
}

/* The facts as JSON, with what the thread says about earlier times; NULL when there are none. */
static char *print_evidence(const struct investigation *inv)
{
    struct evidence *board;
    cJSON *facts;
    char *text;

    if (!casefile_of(inv))
        return NULL;
    board = evidence_new();
    facts = evidence_to_json(run_evidence(inv->run), NULL);
    evidence_add_json(board, facts);
    cJSON_Delete(facts);
    if (inv->seen.known)
        evidence_set_json(board, "history", SEEN_FACT, seen_to_json(&inv->seen), NULL, NULL);
    facts = evidence_to_json(board, NULL);
    redact_json(facts);
    text = json_print(facts);
    cJSON_Delete(facts);
    evidence_free(board);
    return text;
}

static void finish(struct investigation *inv)
{
    const struct casefile *c = casefile_of(inv);
    bool reached = inv->phase == PHASE_DONE;
    char *report = c && c->issue.id ? report_print(c) : NULL;
    char *evidence = print_evidence(inv);
    struct buf fingerprint = BUF_INIT;
    struct error err = ERROR_INIT;

    if (c)
        job_fingerprint(c, &fingerprint);
    struct job_result result = {
        .state = end_states[inv->phase],
        .error = inv->reason,
        .report = report,
        .evidence = evidence,
        .cause = reached ? cause_name(c->diagnosis.cause) : NULL,
        .confidence = reached ? confidence_name(c->diagnosis.confidence) : NULL,
        .summary = reached ? c->diagnosis.summary : NULL,
        .target_host = c ? c->target.host : NULL,
        .target_port = c ? c->target.port : NULL,
        .fingerprint = fingerprint.len > 0 ? buf_str(&fingerprint) : NULL,
    };

    if (inv->finishing)
        return;
    inv->finishing = true;
    bot_audit_end(inv->bot, job_of(inv), c, job_state_name(result.state));
    inv->calls[0] =
        queue_finish(inv->bot->queue, scheduler_ref(inv->claim), &result, on_finished, inv, &err);
    if (!inv->calls[0])
        on_finished(inv, NULL, &err);
    error_clear(&err);
    free(report);
    free(evidence);
    buf_clear(&fingerprint);
}

static void on_settled(void *user)
{
    struct investigation *inv = user;

    if (inv->phase != PHASE_RUNNING && inv->phase != PHASE_QUEUED)
        finish(inv);
}

static void end_as(struct investigation *inv, enum job_phase phase, const char *reason)
{
    inv->phase = phase;
    xreplace(&inv->reason, reason);
    loop_timer_stop(inv->timer);
    scheduler_settle(inv->claim);
    if (keeps_quiet(inv))
        finish(inv);
    else
        show(inv);
}

static void on_cannot_post(void *user, const char *code, const struct error *why)
{
    struct investigation *inv = user;
    struct buf text = BUF_INIT;

    LOG(WARN, "slack.cannot_post", F_STR("job", job_of(inv)->id),
        F_STR("channel", job_of(inv)->channel), F_STR("code", code), F_STR("why", error_text(why)));
    reply_cannot_post(code, "dbconn", &text);
    tell_asker(inv, buf_str(&text));
    buf_clear(&text);
    inv->phase = PHASE_FAILED;
    xreplace(&inv->reason, error_text(why));
    finish(inv);
}

/* ---- the run ---- */

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
        LOG(ERROR, "job.checkpoint", F_STR("job", job_of(inv)->id), F_STR("why", error_text(&err)));
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
        if (text_same(jobs->items[i].channel, job_of(inv)->channel))
            return &jobs->items[i];
    return NULL;
}

static void show_and_run(struct investigation *inv, bool at_once)
{
    inv->started = true;
    if (at_once)
        on_show_timer(inv);
    else
        loop_timer_start(inv->timer, SHOW_AFTER_MS);
    run_start(inv->run);
}

/* Somebody asked for the same issue before, and it still runs or did when this was asked: in the
 * same channel one thread is enough; elsewhere this one goes on, since the asker may not see the
 * other. */
static void on_identified(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct investigation *inv = user;
    struct buf text = BUF_INIT;
    const struct job *other = NULL;

    inv->calls[1] = NULL;
    if (!inv->run || inv->phase != PHASE_RUNNING)
        return; /* it ends already */
    if (!err && reply->outcome == STORE_EXISTS && !inv->shown)
        other = job_here(inv, reply->jobs);
    if (!other) {
        if (!inv->started)
            show_and_run(inv, true);
        else if (!inv->shown)
            on_show_timer(inv);
        return;
    }
    char *link = job_thread_link(other);
    if (other->state == JOB_DONE)
        reply_answered_meanwhile(job_of(inv)->issue_ref, link, &text);
    else
        reply_already_running(job_of(inv)->issue_ref, link, &text);
    tell_asker(inv, buf_str(&text));
    buf_clear(&text);
    free(link);
    loop_timer_stop(inv->timer);
    run_free(inv->run);
    inv->run = NULL;
    inv->phase = PHASE_CANCELLED;
    xreplace(&inv->reason, "the same issue is under investigation already");
    finish(inv);
}

static void identify(struct investigation *inv)
{
    const struct casefile *c = run_casefile(inv->run);
    struct error err = ERROR_INIT;
    struct job_issue issue = { .org = inv->bot->o.sentry_org,
                               .id = c->issue.id,
                               .short_id = c->issue.short_id,
                               .title = c->issue.title,
                               .url = c->issue.url };

    inv->calls[1] = queue_set_issue(inv->bot->queue, scheduler_ref(inv->claim), &issue,
                                    on_identified, inv, &err);
    if (!inv->calls[1])
        on_identified(inv, NULL, &err);
    error_clear(&err);
}

static void on_halt(void *user)
{
    struct investigation *inv = user;

    if (inv->run)
        run_abort(inv->run, "This channel may not look at the project.");
}

/* Which project it is shows only now. True when this channel may not look at it: then nothing of
 * the issue is shown or kept. */
static bool withhold(struct investigation *inv)
{
    const struct casefile *c = run_casefile(inv->run);
    struct access_decision refusal = { .verdict = ACCESS_REFUSED, .reason = ACCESS_PROJECT };

    if (!inv->withheld && c->issue.id &&
        !access_project_permitted(inv->bot->o.access, job_of(inv)->channel, c->issue.project)) {
        LOG(WARN, "access.refused", F_STR("job", job_of(inv)->id),
            F_STR("reason", access_reason_name(refusal.reason)),
            F_STR("channel", job_of(inv)->channel));
        inv->withheld = true;
        loop_timer_start(inv->halt, 0); /* not from within the run's own callback */
        end_as(inv, PHASE_FAILED,
               "Its project may not be looked at from this channel "
               "(access.projects in my configuration).");
    }
    return inv->withheld;
}

static void on_step(struct run *run, const struct step_record *step, void *user)
{
    struct investigation *inv = user;

    (void)run;
    if (!inv->run || withhold(inv))
        return;
    bool is_end = step->number == 1 && step->status == STEP_FAILED; /* nothing to go on with */
    if (step->status != STEP_RUNNING)
        bot_count_step(inv->bot, step);
    if (step->status != STEP_RUNNING && !is_end) {
        checkpoint(inv, step);
        if (step->number == 1)
            identify(inv);
    }
    show(inv);
}

/* ---- what was before: the same diagnosed earlier, what people said about this one ---- */

static void on_opinions(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct investigation *inv = user;

    inv->calls[3] = NULL;
    if (err) {
        LOG(WARN, "job.feedback", F_STR("job", job_of(inv)->id), F_STR("why", error_text(err)));
    } else {
        opinions_clear(&inv->opinions);
        opinions_read(reply->feedback, &inv->opinions);
    }
    if (inv->phase == PHASE_RUNNING)
        end_as(inv, PHASE_DONE, NULL);
    else if (!inv->finishing)
        show(inv); /* judged while the answer was on its way into the thread */
}

static void ask_opinions(struct investigation *inv)
{
    struct error err = ERROR_INIT;

    queue_cancel_call(inv->calls[3]);
    inv->calls[3] = queue_feedback_list(inv->bot->queue, job_of(inv)->id, on_opinions, inv, &err);
    if (!inv->calls[3])
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
                                     .channel = job_of(inv)->channel };

    inv->calls[3] = NULL;
    if (err)
        LOG(WARN, "job.seen_before", F_STR("job", job_of(inv)->id), F_STR("why", error_text(err)));
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

    job_fingerprint(c, &fingerprint);
    struct store_seen_query query = {
        .except_id = job_of(inv)->id,
        .workspace = job_of(inv)->workspace,
        .issue_org = inv->bot->o.sentry_org,
        .issue_id = c->issue.id,
        .fingerprint = fingerprint.len > 0 ? buf_str(&fingerprint) : NULL,
        .target_host = c->target.host,
        .target_port = c->target.port,
        /* What ended meanwhile is not "before", and a resumed job must find the same again. */
        .since_ms = inv->evaluated_ms - inv->bot->o.seen_ms,
        .until_ms = inv->evaluated_ms,
    };
    inv->calls[3] = queue_seen_before(inv->bot->queue, &query, on_seen, inv, &err);
    if (!inv->calls[3])
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
        LOG(WARN, "job.failed", F_STR("job", job_of(inv)->id), F_STR("why", error_text(err)));
        end_as(inv, PHASE_FAILED, error_text(err));
        return;
    }
    const struct diagnosis *d = &run_casefile(inv->run)->diagnosis;
    LOG(INFO, "job.diagnosis", F_STR("job", job_of(inv)->id), F_STR("cause", cause_name(d->cause)),
        F_STR("confidence", confidence_name(d->confidence)));
    look_back(inv);
}

/* Findings about other projects are read by everybody in the channel. */
static bool may_name(void *user, const char *project)
{
    const struct investigation *inv = user;

    return access_project_permitted(inv->bot->o.access, job_of(inv)->channel, project);
}

static void begin(struct investigation *inv, const struct issue_ref *ref,
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
                                              .owner = inv->owner,
                                              .job = job_of(inv)->id,
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
    const struct job *job = job_of(inv);
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
 * it was told so. */
static void go_on(struct investigation *inv)
{
    bool begun = thread_sync_has_begun(inv->sync);

    if (!begun && run_casefile(inv->run)->issue.id)
        identify(inv);
    else
        show_and_run(inv, begun);
}

static void start_run(struct investigation *inv, const struct job_step_list *steps)
{
    struct issue_ref ref = { 0 };
    struct error err = ERROR_INIT;
    bool keep = settle_playbook(inv);

    if (issue_ref_parse(job_of(inv)->issue_ref, inv->bot->o.sentry_url, inv->bot->o.sentry_org,
                        &ref, &err) < 0) {
        end_as(inv, PHASE_FAILED, error_text(&err));
    } else {
        begin(inv, &ref, keep ? steps : NULL);
        if (!withhold(inv)) /* the rules may have changed since it was first looked at */
            go_on(inv);
    }
    issue_ref_clear(&ref);
    error_clear(&err);
}

static void on_steps(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct investigation *inv = user;
    const struct job *job = job_of(inv);

    inv->calls[2] = NULL;
    if (err) {
        LOG(ERROR, "job.load", F_STR("job", job->id), F_STR("why", error_text(err)));
        investigation_stop(inv, SCHEDULER_SHUTDOWN);
        return;
    }
    if (job->state == JOB_DEAD)
        end_as(inv, PHASE_DEAD, job->error);
    else if (job->cancel_by)
        end_as(inv, PHASE_CANCELLED, NULL);
    else
        start_run(inv, reply->steps);
}

static void on_messages(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct investigation *inv = user;
    struct error failed = ERROR_INIT;

    inv->calls[2] = NULL;
    if (err) {
        on_steps(inv, NULL, err);
        return;
    }
    thread_sync_restore(inv->sync, reply->messages);
    inv->calls[2] = queue_steps(inv->bot->queue, job_of(inv)->id, on_steps, inv, &failed);
    if (!inv->calls[2])
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
    inv->timer = loop_timer_new(bot->o.loop, on_show_timer, inv);
    inv->halt = loop_timer_new(bot->o.loop, on_halt, inv);
    job_extra_read(job_of(inv), &inv->extra);
    scheduler_set_data(claim, inv);
    inv->sync = thread_sync_new(&(struct thread_sync_options){
        .loop = bot->o.loop,
        .api = bot->api,
        .queue = bot->queue,
        .run = claim,
        .owner = inv->owner,
        .stream_team = text_same(bot->o.progress, "stream") ? bot->team : NULL,
        .on_refused = on_refused,
        .on_cannot_post = on_cannot_post,
        .on_settled = on_settled,
        .user = inv });
    bot_count_start(bot, job_of(inv));
    LOG(INFO, "job.start", F_STR("job", job_of(inv)->id), F_STR("issue", job_of(inv)->issue_ref),
        F_INT("attempt", job_of(inv)->attempts_total));
    inv->calls[2] = queue_messages(bot->queue, job_of(inv)->id, on_messages, inv, &err);
    if (!inv->calls[2])
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
    for (size_t i = 1; i < ARRAY_LEN(inv->calls); i++)
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

    inv->calls[3] = NULL;
    if (!err && reply->outcome == STORE_OK)
        xreplace(&inv->cancelled_by, reply->job->cancel_by);
    end_as(inv, PHASE_CANCELLED, NULL);
}

static void ask_who_cancelled(struct investigation *inv)
{
    struct error err = ERROR_INIT;

    queue_cancel_call(inv->calls[3]); /* no looking back any more */
    inv->calls[3] = queue_get(inv->bot->queue, job_of(inv)->id, on_canceller, inv, &err);
    if (!inv->calls[3])
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
        LOG(WARN, "job.lease_lost", F_STR("job", job_of(inv)->id));
        investigation_free(inv);
        scheduler_done(claim);
        return;
    case SCHEDULER_SHUTDOWN:
        if (!inv->hand_over && !inv->finishing)
            hand_over(inv);
        return;
    }
}
