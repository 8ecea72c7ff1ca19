/*
 * case_doc - one ended investigation as a file of its own: what was asked, what the steps found,
 * what was said, and what people thought of it.
 *
 *   { "schema_version": 1, "job", "issue", "playbook", "playbook_hash", "evaluated_at",
 *     "cause", "confidence", "feedback": [ { "verdict", "real_cause", "note" } ],
 *     "report": the report document, "evidence": [ facts ] }
 *
 * Written by `dbconn feedback --export`, read by `dbconn replay`. Holds no person but those that
 * the report names as authors; redacted once more when it is written.
 */
#ifndef DBCONN_APP_CASE_DOC_H
#define DBCONN_APP_CASE_DOC_H

#include <cjson/cJSON.h>

#include "dbconn/diagnosis/casefile.h"
#include "dbconn/diagnosis/evidence.h"
#include "dbconn/queue/store.h"

/* The caller owns it. Errors: ERR_INVALID when a stored text is no JSON. NULL without an error when
 * the job has no diagnosis to replay. */
cJSON *case_doc_make(const struct job *job, const char *report, const char *evidence,
                     const struct job_feedback *const *feedback, size_t n_feedback,
                     struct error *err);

struct case_doc {
    char *issue;            /* for people */
    struct casefile before; /* as it was reported */
    struct evidence *board; /* what the steps found, without what was derived from it */
    bool has_truth;
    enum cause truth; /* what it was, as people said */
};
/* Reads a file that case_doc_make() gave. The caller ends *ret with case_doc_clear(). Errors:
 * ERR_CONFIG (no such file), ERR_PROTOCOL, ERR_INVALID. */
int case_doc_load(const char *path, struct case_doc *ret, struct error *err) MUST_CHECK;
void case_doc_clear(struct case_doc *doc);

#endif
