/*
 * evidence - the board: named facts with where they come from.
 *
 * A fact is known (a JSON value), unknown (we asked and got no answer: why), or was not asked.
 * Collectors write facts, the assessment derives further ones, rules only read. A fact may carry a
 * sentence with a link, so that whoever uses it in a diagnosis can cite it. The board belongs to
 * one investigation and lives on the loop thread; it can be written as JSON and read back, which
 * is how a step survives a restart and how a case is replayed.
 */
#ifndef DBCONN_DIAGNOSIS_EVIDENCE_H
#define DBCONN_DIAGNOSIS_EVIDENCE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dbconn/base/tristate.h"

enum fact_state { FACT_NOT_ASKED, FACT_UNKNOWN, FACT_KNOWN };

struct fact {
    char *name; /* "trend.onset": the part before the dot says what it is about */
    char *step; /* the step that wrote it */
    enum fact_state state;
    cJSON *value; /* with FACT_KNOWN; owned */
    char *why;    /* with FACT_UNKNOWN: a sentence */
    char *text;   /* what it says as evidence, a sentence; or NULL */
    char *url;    /* its source, or NULL */
};

struct evidence; /* opaque */

struct evidence *evidence_new(void);
void evidence_free(struct evidence *board);

/* Each replaces what was known under that name. `text` and `url` may be NULL; all are copied. */
void evidence_set_bool(struct evidence *board, const char *step, const char *name, bool value,
                       const char *text, const char *url);
void evidence_set_num(struct evidence *board, const char *step, const char *name, double value,
                      const char *text, const char *url);
void evidence_set_str(struct evidence *board, const char *step, const char *name, const char *value,
                      const char *text, const char *url);
/* Takes `value` over. */
void evidence_set_json(struct evidence *board, const char *step, const char *name, cJSON *value,
                       const char *text, const char *url);
/* YES and NO become true and false, UNKNOWN an unknown fact with `why`. */
void evidence_set_tri(struct evidence *board, const char *step, const char *name,
                      enum tristate value, const char *text, const char *url, const char *why);
void evidence_set_unknown(struct evidence *board, const char *step, const char *name,
                          const char *why);

/* NULL when never written. Lent until that fact is written again. */
const struct fact *evidence_get(const struct evidence *board, const char *name);
const char *evidence_str(const struct evidence *board, const char *name); /* NULL unless known */
bool evidence_num(const struct evidence *board, const char *name, double *ret);
int64_t evidence_time(const struct evidence *board, const char *name); /* or TIME_UNKNOWN */
enum tristate evidence_tri(const struct evidence *board, const char *name);
const cJSON *evidence_json(const struct evidence *board, const char *name);

/* All facts of `step` (NULL: of every step) as a JSON array; and back, adding to the board.
 * A member that is no fact is ignored. */
cJSON *evidence_to_json(const struct evidence *board, const char *step);
void evidence_add_json(struct evidence *board, const cJSON *facts);

size_t evidence_count(const struct evidence *board);

#endif
