/*
 * assess - what only all steps together can tell: which release began it, who is hit, whether it
 * is wider than this service. Derived facts, written under the step "assessment". Pure.
 */
#ifndef DBCONN_PLAYBOOK_ASSESS_H
#define DBCONN_PLAYBOOK_ASSESS_H

#include "dbconn/analysis/rollout.h"
#include "dbconn/diagnosis/casefile.h"
#include "dbconn/diagnosis/evidence.h"

#define ASSESSMENT "assessment"

void assess_impact(struct evidence *board);
void assess_release(struct evidence *board, int64_t now_ms);
bool assess_slots_ran_out(const struct evidence *board);
/* What their diffs tie the releases to the errors by: a setting that names the refused address, in
 * files of the failing place alone or not; a pool raised before connections ran out. */
void assess_ties(const struct evidence *board, struct rollout_release *releases, size_t n);
void assess_change(struct evidence *board);
void assess_wider(struct evidence *board, int64_t now_ms);
void assess_logs(struct evidence *board);

/* The release, commit and lines to blame, when the cause is a deployment; else NULL. */
struct culprit *assess_culprit(const struct evidence *board, enum cause cause);

/* Copies what the board knows into the casefile's own members, as far as it is known by now. */
void casefile_from_board(struct casefile *c, const struct evidence *board);

#endif
