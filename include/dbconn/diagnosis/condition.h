/*
 * condition - a yes/no question about the evidence board, as a playbook writes it.
 *
 *   { "fact": "trend.kind", "is": "bounded" }      known and equal (string, number, true, false)
 *   { "fact": "trend.kind", "in": ["spike", ...] } known and one of these
 *   { "fact": "trend.bursts", "at_least": 3 }      also "at_most"
 *   { "fact": "server.down" }                      short for "is": true
 *   { "known": "logs.looked" }                     YES or NO, never UNKNOWN
 *   { "all": [...] }, { "any": [...] }, { "not": {...} }
 *
 * The answer has three values (Kleene): a fact that is not known makes its question UNKNOWN, and
 * that travels through all, any and not. Pure.
 */
#ifndef DBCONN_DIAGNOSIS_CONDITION_H
#define DBCONN_DIAGNOSIS_CONDITION_H

#include <cjson/cJSON.h>

#include "dbconn/base/error.h"
#include "dbconn/diagnosis/evidence.h"

/* Is it well-formed? -1 with ERR_CONFIG and what was expected. */
int condition_check(const cJSON *condition, struct error *err) MUST_CHECK;
enum tristate condition_holds(const cJSON *condition, const struct evidence *board);
/* The first fact that kept the answer UNKNOWN, or NULL. Lent by the condition. */
const char *condition_missing(const cJSON *condition, const struct evidence *board);

/*
 * Fills the placeholders of a playbook's sentence: {fact} is the fact's own sentence (its value
 * when it has none), {=fact} its value, {=fact:time} and {=fact:duration} a value in ms as people
 * read it, {=fact:percent} a share. What is not known becomes "unknown".
 */
void sentence_fill(const char *template, const struct evidence *board, struct buf *out);

#endif
