/*
 * run - one investigation: the steps of a playbook as a graph, then the assessment of what they
 * found, then the diagnosis.
 *
 * A step starts when all steps that it needs have ended, whatever their outcome; once the issue is
 * known its collector may already ask (collectors.h, `ahead`). A failed step is missing evidence,
 * not the end. Only a failed first step ends the run: without the issue there is nothing to
 * investigate. Loop thread only. Nothing blocks.
 */
#ifndef DBCONN_PLAYBOOK_RUN_H
#define DBCONN_PLAYBOOK_RUN_H

#include <cjson/cJSON.h>
#include <uv.h>

#include "dbconn/base/error.h"
#include "dbconn/collectors/collectors.h"
#include "dbconn/diagnosis/casefile.h"
#include "dbconn/playbook/playbook.h"

struct run;

struct run_options {
    uv_loop_t *loop;
    struct playbook *playbook;     /* the run takes a reference */
    const struct sources *sources; /* must outlive the run */
    const char *issue;             /* numeric or short id; copied; or NULL and: */
    const char *event;             /* 32 hex digits of an event, whose issue is looked up; copied */
    int64_t now_ms;                /* the evaluation time; kept over resumes */
    int64_t budget_ms;             /* for the whole run; 0: two minutes */
    int64_t step_ms;               /* for each step, which then ends with what it has; 0: as long
                                    * as the run */
    uint64_t owner;                /* for fairness between jobs */
    const char *job;               /* its id, in the log; NULL: none. Must outlive the run */
    /* A step started or ended (see its status); the casefile is up to date. May be NULL. */
    void (*on_step)(struct run *run, const struct step_record *step, void *user);
    /* Once, from the loop or inside run_start(): the diagnosis is there, or `err` says why the
     * investigation could not be done. The owner may free the run in it. */
    void (*on_done)(struct run *run, const struct error *err, void *user);
    void *user;
    /* May issues of that project be named in findings? NULL: of all. Same `user`. */
    bool (*may_name)(void *user, const char *project);
};

struct run *run_new(const struct run_options *options);
void run_start(struct run *run);
/* Stops asking: steps without an outcome become skipped with `why`. `on_done` will not run. */
void run_abort(struct run *run, const char *why);
void run_free(struct run *run); /* cancels what is under way; NULL is fine */

const struct casefile *run_casefile(const struct run *run); /* lent */
const struct evidence *run_evidence(const struct run *run); /* lent */

/* What a step found, to be stored when it ends; and back, before run_start(): a step restored with
 * an outcome does not run again. The document of an unknown step is ignored. */
cJSON *run_checkpoint(const struct run *run, const struct step_record *step);
void run_restore(struct run *run, const cJSON *checkpoint);

/* Evaluates a board that was stored earlier: the assessment and the rules, without any source. */
void run_evaluate(const struct playbook *playbook, struct evidence *board, int64_t now_ms,
                  struct casefile *casefile);

#endif
