#include "case_doc.h"

#include "dbconn/base/json.h"
#include "dbconn/base/jsonc.h"
#include "dbconn/base/redact_json.h"
#include "dbconn/base/text.h"
#include "dbconn/report/report_json.h"

#define SCHEMA_VERSION 1
#define MAX_BYTES ((size_t)64 << 20)
#define DERIVED "assessment" /* the step of facts that an evaluation derives anew */

/* ---- writing ---- */

static void put_feedback(cJSON *doc, const struct job_feedback *const *feedback, size_t n)
{
    cJSON *array = json_put_array(doc, "feedback");

    for (size_t i = 0; i < n; i++) {
        cJSON *obj = cJSON_CreateObject();
        json_put_str(obj, "verdict", feedback[i]->verdict);
        json_put_str(obj, "real_cause", feedback[i]->real_cause);
        json_put_str(obj, "note", feedback[i]->note);
        cJSON_AddItemToArray(array, obj);
    }
}

cJSON *case_doc_make(const struct job *job, const char *report, const char *evidence,
                     const struct job_feedback *const *feedback, size_t n, struct error *err)
{
    cJSON *doc, *said = NULL, *facts = NULL;

    if (!report || !evidence || !job->cause)
        return NULL;
    if (json_parse(report, strlen(report), "the stored report", &said, err) < 0 ||
        json_parse(evidence, strlen(evidence), "the stored evidence", &facts, err) < 0) {
        cJSON_Delete(said);
        return NULL;
    }
    doc = cJSON_CreateObject();
    json_put_i64(doc, "schema_version", SCHEMA_VERSION);
    json_put_str(doc, "job", job->id);
    json_put_str(doc, "issue", job->issue_short_id ? job->issue_short_id : job->issue_ref);
    json_put_str(doc, "playbook", json_str(said, "playbook"));
    json_put_str(doc, "playbook_hash", json_str(said, "playbook_hash"));
    json_put_str(doc, "evaluated_at", json_str(said, "evaluated_at"));
    json_put_str(doc, "cause", job->cause);
    json_put_str(doc, "confidence", job->confidence);
    put_feedback(doc, feedback, n);
    cJSON_AddItemToObject(doc, "report", said);
    cJSON_AddItemToObject(doc, "evidence", facts);
    redact_json(doc);
    return doc;
}

/* ---- reading ---- */

/* What an evaluation derives is left out: it has to derive it again. */
static struct evidence *read_board(const cJSON *facts)
{
    struct evidence *board = evidence_new();
    const cJSON *fact;

    cJSON_ArrayForEach (fact, facts) {
        cJSON *one;
        if (text_same(json_str(fact, "step"), DERIVED))
            continue;
        one = cJSON_CreateArray();
        cJSON_AddItemReferenceToArray(one, (cJSON *)(uintptr_t)fact);
        evidence_add_json(board, one);
        cJSON_Delete(one);
    }
    return board;
}

/* The last one counts: who names the cause, else who says that ours was right. */
static void read_truth(const cJSON *feedback, struct case_doc *ret)
{
    const cJSON *entry;

    cJSON_ArrayForEach (entry, feedback) {
        if (cause_parse(json_str(entry, "real_cause"), &ret->truth)) {
            ret->has_truth = true;
        } else if (text_same(json_str(entry, "verdict"), "right")) {
            ret->truth = ret->before.diagnosis.cause;
            ret->has_truth = true;
        }
    }
}

static int read_doc(const cJSON *doc, struct case_doc *ret, struct error *err)
{
    int64_t version = 0;

    if (!json_i64(doc, "schema_version", &version) || version != SCHEMA_VERSION ||
        !cJSON_IsArray(json_get(doc, "evidence")) || !cJSON_IsObject(json_get(doc, "report")))
        return error_set(err, ERR_INVALID,
                         "this is no case as dbconn feedback --export writes it: schema_version "
                         "%d, \"report\" and \"evidence\" were expected",
                         SCHEMA_VERSION);
    if (report_from_json(json_get(doc, "report"), &ret->before, err) < 0)
        return -1;
    if (!ret->before.diagnosis.reached || ret->before.evaluated_ms == TIME_UNKNOWN)
        return error_set(err, ERR_INVALID, "its report holds no diagnosis, or not the time of it");
    ret->issue = xstrdup(json_str_or(doc, "issue", "an issue"));
    ret->board = read_board(json_get(doc, "evidence"));
    read_truth(json_get(doc, "feedback"), ret);
    return 0;
}

int case_doc_load(const char *path, struct case_doc *ret, struct error *err)
{
    struct buf text = BUF_INIT;
    cJSON *doc = NULL;
    int rc;

    *ret = (struct case_doc){ 0 };
    casefile_init(&ret->before);
    rc = file_read(path, MAX_BYTES, &text, err);
    if (rc == 0 && (rc = json_parse(buf_str(&text), text.len, "the file", &doc, err)) == 0)
        rc = read_doc(doc, ret, err);
    if (rc < 0) {
        case_doc_clear(ret);
        if (!strstr(error_text(err), path))
            error_context(err, "%s", path);
    }
    cJSON_Delete(doc);
    buf_clear(&text);
    return rc;
}

void case_doc_clear(struct case_doc *doc)
{
    free(doc->issue);
    casefile_clear(&doc->before);
    evidence_free(doc->board);
    *doc = (struct case_doc){ 0 };
}
