/*
 * investigation_private - one claimed job, as the files that show it, run it, end it and stop it
 * see it. Loop thread only.
 */
#ifndef DBCONN_SLACK_INVESTIGATION_PRIVATE_H
#define DBCONN_SLACK_INVESTIGATION_PRIVATE_H

#include "bot_private.h"

#include "dbconn/analysis/issue_ref.h"
#include "dbconn/playbook/run.h"
#include "dbconn/slack/thread_sync.h"
#include "seen.h"

/* Calls of the store, this job's; of each at most one is under way. */
enum investigation_call { CALL_FINISH, CALL_IDENTIFY, CALL_LOAD, CALL_LOOK, CALL_COUNT };

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
    char *elsewhere;    /* address of the thread that answers for this job's */
    char *cancelled_by; /* known since the job was claimed; its row may not know it */
    uint64_t owner;
    int64_t evaluated_ms;
    int64_t began_ms; /* monotonic: when this process took it up */
    struct looks looks;
    bool shown, started, finishing;
    bool resumed;  /* an earlier attempt, or an earlier run of it, has a thread */
    bool look_due; /* the playbook is through; whose answer it is has to be known first */
    bool withheld; /* this channel may not look at the issue's project: show nothing of it */
    int identify_failures;
    struct queue_call *calls[CALL_COUNT];
    struct loop_timer *timer; /* first show, then signs of life */
    struct loop_timer *hand_over;
    int64_t hand_over_by_ms; /* monotonic */
    struct loop_timer *halt; /* the run, once its issue is withheld */
};

void investigation_free(struct investigation *inv); /* tells nobody, releases nothing */
const struct job *investigation_job(const struct investigation *inv);

/* ---- investigation_show.c: what the channel sees ---- */

/* What may be shown and kept; NULL while nothing is known. */
const struct casefile *investigation_known(const struct investigation *inv);
void investigation_show(struct investigation *inv);
bool investigation_keeps_quiet(const struct investigation *inv);
void investigation_tell_asker(struct investigation *inv, const char *text);
void investigation_on_show_timer(void *user); /* an investigation */
void investigation_on_refused(void *user, enum part_id part);

/* ---- investigation_run.c: the playbook, and what was before ---- */

void investigation_begin(struct investigation *inv, const struct issue_ref *ref,
                         const struct job_step_list *steps);
void investigation_identify(struct investigation *inv);
/* True when this channel may not look at the issue's project: the job ends. */
bool investigation_withhold(struct investigation *inv);
void investigation_show_and_run(struct investigation *inv, bool at_once);
void investigation_on_halt(void *user);

/* ---- investigation_end.c ---- */

void investigation_end_as(struct investigation *inv, enum job_phase phase, const char *reason);
void investigation_finish(struct investigation *inv);
void investigation_on_settled(void *user);
void investigation_on_cannot_post(void *user);

#endif
