/* How a job ends: its last state is shown, then kept. */
#include "investigation_private.h"

#include "bot_audit.h"
#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/redact_json.h"
#include "dbconn/net/loop.h"
#include "dbconn/report/report_json.h"
#include "dbconn/slack/command_reply.h"

static const enum job_state end_states[] = {
    [PHASE_DONE] = JOB_DONE,
    [PHASE_FAILED] = JOB_FAILED,
    [PHASE_CANCELLED] = JOB_CANCELLED,
    [PHASE_DEAD] = JOB_DEAD,
};

static void count_end(const struct investigation *inv)
{
    const struct casefile *c = investigation_known(inv);

    bot_count_end(inv->bot, investigation_job(inv), end_states[inv->phase], inv->began_ms,
                  c && inv->phase == PHASE_DONE ? &c->diagnosis : NULL);
}

static void on_finished(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct investigation *inv = user;
    struct scheduler_run *claim = inv->claim;

    inv->calls[CALL_FINISH] = NULL;
    if (err)
        LOG(ERROR, "job.finish", F_STR("job", investigation_job(inv)->id),
            F_STR("why", error_text(err)));
    else
        LOG(INFO, "job.end", F_STR("job", investigation_job(inv)->id),
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

    if (!investigation_known(inv))
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

void investigation_finish(struct investigation *inv)
{
    const struct casefile *c = investigation_known(inv);
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
    bot_audit_end(inv->bot, investigation_job(inv), c, job_state_name(result.state));
    inv->calls[CALL_FINISH] =
        queue_finish(inv->bot->queue, scheduler_ref(inv->claim), &result, on_finished, inv, &err);
    if (!inv->calls[CALL_FINISH])
        on_finished(inv, NULL, &err);
    error_clear(&err);
    free(report);
    free(evidence);
    buf_clear(&fingerprint);
}

/* What the thread cannot say, the one who asked is told. */
static void tell_what_is_not_shown(struct investigation *inv, const char *code,
                                   const struct error *why)
{
    const struct casefile *c = investigation_known(inv);
    struct buf text = BUF_INIT;

    LOG(WARN, "slack.cannot_post", F_STR("job", investigation_job(inv)->id),
        F_STR("channel", investigation_job(inv)->channel), F_STR("code", code),
        F_STR("why", error_text(why)));
    reply_cannot_post(code, "dbconn", &text);
    if (c && inv->phase == PHASE_DONE)
        reply_found(investigation_job(inv)->issue_ref, c->diagnosis.summary, &text);
    investigation_tell_asker(inv, buf_str(&text));
    buf_clear(&text);
}

void investigation_on_settled(void *user)
{
    struct investigation *inv = user;
    const struct error *why = NULL;
    const char *code = thread_sync_refusal(inv->sync, &why);

    if (inv->phase == PHASE_RUNNING || inv->phase == PHASE_QUEUED)
        return;
    if (code && !inv->finishing)
        tell_what_is_not_shown(inv, code, why);
    investigation_finish(inv);
}

void investigation_end_as(struct investigation *inv, enum job_phase phase, const char *reason)
{
    inv->phase = phase;
    xreplace(&inv->reason, reason);
    loop_timer_stop(inv->timer);
    scheduler_settle(inv->claim);
    if (investigation_keeps_quiet(inv))
        investigation_finish(inv);
    else
        investigation_show(inv);
}

/* A diagnosis that is known by now is kept, though nobody but the asker is told. */
void investigation_on_cannot_post(void *user)
{
    struct investigation *inv = user;
    const struct error *why = NULL;
    const char *code = thread_sync_refusal(inv->sync, &why);

    tell_what_is_not_shown(inv, code, why);
    if (inv->phase == PHASE_RUNNING || inv->phase == PHASE_QUEUED) {
        inv->phase = PHASE_FAILED;
        xreplace(&inv->reason, error_text(why));
    }
    investigation_finish(inv);
}
