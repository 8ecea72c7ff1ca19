/*
 * wording - the codes of the report in words that a tired person understands.
 *
 * One place for all views, so that the thread and the terminal say the same. All strings are
 * static and plain ASCII or UTF-8 without mark-up. Pure; any thread.
 */
#ifndef DBCONN_REPORT_WORDING_H
#define DBCONN_REPORT_WORDING_H

#include "dbconn/base/buf.h"
#include "dbconn/diagnosis/casefile.h"

const char *word_cause(enum cause c);           /* "The database is down" */
const char *word_confidence(enum confidence c); /* "high": how sure, in a word */
const char *word_status(enum step_status s);    /* "waiting", "running", "done", "failed", ... */
const char *word_outcome(enum rule_outcome o);  /* "yes", "no", "not known", as to word_rule() */
const char *word_trend(enum trend_kind t);      /* "constant", "a sudden jump", ... */
const char *word_failure(const char *code);     /* "connection refused"; unknown codes: as is */
const char *word_engine(const char *code);      /* "PostgreSQL"; NULL and "unknown": "database" */
const char *word_rule(int number); /* what the playbook's rule 1..6 states; "Rule" otherwise */
const char *word_issue(const struct casefile *c); /* short id, else id, else "the issue"; lent */

/* "The database is down (confidence: high)", or what an unreached diagnosis can say. */
void word_verdict(const struct casefile *c, struct buf *out);
/* "PostgreSQL at db-1:5432, database shop, user app": what is known of it, "" when nothing is. */
void word_target(const struct target *t, struct buf *out);
/* "1 event", "1,204 events": thousands separated. `one` and `many` are the nouns. */
void word_count(int64_t n, const char *one, const char *many, struct buf *out);
/* "3 of 8 steps done, 1 of them failed" */
void word_progress(const struct casefile *c, struct buf *out);

size_t steps_done(const struct casefile *c); /* ended, in whatever way */
size_t steps_failed(const struct casefile *c);
/* The step that runs (the lowest number when several do), or NULL. */
const struct step_record *step_running(const struct casefile *c);

#endif
