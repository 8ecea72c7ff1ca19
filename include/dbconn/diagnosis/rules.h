/*
 * rules - weighs the evidence board into a diagnosis, as the playbook's document says. Pure.
 *
 * The document's part, all of it optional but "causes" and "signals":
 *
 *   "causes":  { CODE: { "summary": SENTENCE, "requires": CONDITION, "without": SENTENCE,
 *                        "next_actions": [ { "if": CONDITION, "say": SENTENCE } ] } }
 *   "signals": [ { "id", "if": CONDITION, "points": { CODE: N }, "say": SENTENCE, "cite": FACT } ]
 *   "rules":   [ { "number": 1..6, "title", "supports": [ { "if", "say" } ],
 *                  "contradicts": [ ... ], "unknown": SENTENCE } ]
 *   "caps":    [ { "if": CONDITION, "causes": [CODE], "at": "medium", "say": SENTENCE } ]
 *   "missing": [ { "if": CONDITION, "say": SENTENCE } ]
 *   "weighing": { "floor": N, "high": N, "medium": N, "margin": N }
 *
 * A signal that holds gives its points; negative ones speak against a cause. A cause whose
 * "requires" does not hold is out. The cause with the most points wins when it reaches the floor;
 * "inconclusive" starts at the floor. Confidence follows from the points and the distance to the
 * next cause, and a cap that holds lowers it. Ties go to the cause that stands first in CAUSE_LIST,
 * so the same board gives the same answer, always.
 */
#ifndef DBCONN_DIAGNOSIS_RULES_H
#define DBCONN_DIAGNOSIS_RULES_H

#include <cjson/cJSON.h>

#include "dbconn/base/error.h"
#include "dbconn/diagnosis/casefile.h"
#include "dbconn/diagnosis/evidence.h"

/* -1 with ERR_CONFIG, naming the member ("signals[3].if: ..."). */
int rules_check(const cJSON *document, struct error *err) MUST_CHECK;

/* Fills all of *ret but the culprit. `document` has passed rules_check(). */
void rules_weigh(const cJSON *document, const struct evidence *board, struct diagnosis *ret);

#endif
