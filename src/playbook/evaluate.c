/* From a full board to a diagnosis. */
#include "dbconn/playbook/run.h"

#include "dbconn/diagnosis/rules.h"

#include "assess.h"

/* What a step could not look at is missing evidence, whatever the rules say. */
static void add_missing_steps(struct casefile *c)
{
    struct diagnosis *d = &c->diagnosis;

    for (size_t i = 0; i < c->n_steps; i++) {
        const struct step_record *s = &c->steps[i];
        bool not_needed = s->status == STEP_SKIPPED && c->applicable == NO;
        if (s->status == STEP_COMPLETE || not_needed)
            continue;
        char *text = xasprintf("Step %d, %s, %s: %s", s->number, s->title,
                               s->status == STEP_FAILED    ? "failed"
                               : s->status == STEP_PARTIAL ? "got only a part"
                                                           : "was not run",
                               s->summary ? s->summary : "no reason known");
        string_add(&d->missing, &d->n_missing, &d->cap_missing, text);
        free(text);
    }
}

static void put_step_facts(const struct casefile *c, struct evidence *board)
{
    for (size_t i = 0; i < c->n_steps; i++) {
        char *name = xasprintf("step.%s", c->steps[i].id);
        evidence_set_str(board, ASSESSMENT, name, step_status_name(c->steps[i].status), NULL, NULL);
        free(name);
    }
}

void run_evaluate(const struct playbook *playbook, struct evidence *board, int64_t now_ms,
                  struct casefile *c)
{
    put_step_facts(c, board);
    assess_impact(board);
    assess_release(board, now_ms);
    assess_change(board);
    assess_wider(board, now_ms);
    assess_logs(board);
    casefile_from_board(c, board);
    rules_weigh(playbook->tree, board, &c->diagnosis);
    c->diagnosis.culprit = assess_culprit(board, c->diagnosis.cause);
    if (c->applicable == UNKNOWN && c->diagnosis.cause != CAUSE_NOT_APPLICABLE)
        c->applicable = YES; /* nothing says it is not, and the evidence found a cause for it */
    if (c->diagnosis.cause == CAUSE_NOT_APPLICABLE)
        c->applicable = NO;
    add_missing_steps(c);
}
