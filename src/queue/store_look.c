/* Looking: one job, lists, counts, what was seen before. Nothing here writes. */
#include "store_priv.h"

#include <string.h>

#define DEFAULT_LIMIT 50
#define MAX_LIMIT 1000

int store_get(struct store *st, const char *id, struct job *ret_job, struct error *err)
{
    struct job job = { 0 };
    int64_t n = tx_run(st, false, "read a job", "SELECT " JOB_COLUMNS " FROM jobs WHERE id = $1",
                       SQL_ARGS(SQL_T(id)), job_row_first, &job, err);

    if (n <= 0) {
        job_clear(&job);
        return n < 0 ? -1 : STORE_NONE;
    }
    *ret_job = job;
    return STORE_OK;
}

struct report {
    char *report, *evidence;
};

static void read_report(void *user, const struct sql_row *row)
{
    struct report *r = user;

    r->report = sql_text_dup(row, 0);
    r->evidence = sql_text_dup(row, 1);
}

int store_report(struct store *st, const char *id, char **ret_report, char **ret_evidence,
                 struct error *err)
{
    struct report r = { NULL, NULL };
    int64_t n =
        tx_run(st, false, "read a report", "SELECT report, evidence FROM reports WHERE job_id = $1",
               SQL_ARGS(SQL_T(id)), read_report, &r, err);

    if (n <= 0) {
        free(r.report);
        free(r.evidence);
        return n < 0 ? -1 : STORE_NONE;
    }
    *ret_report = r.report;
    *ret_evidence = r.evidence;
    return STORE_OK;
}

static void append_attempt(void *user, const struct sql_row *row)
{
    struct job_attempt_list *list = user;
    struct job_attempt *a = VEC_ADD(list->items, list->n, list->cap);

    a->number = sql_int(row, 0);
    a->owner = sql_text_dup(row, 1);
    a->started_ms = sql_int(row, 2);
    a->ended_ms = sql_time(row, 3);
    a->outcome = sql_text_dup(row, 4);
    a->note = sql_text_dup(row, 5);
}

int store_attempts(struct store *st, const char *id, struct job_attempt_list *ret,
                   struct error *err)
{
    struct job_attempt_list list = { 0 };
    int64_t n = tx_run(st, false, "read the attempts of a job",
                       "SELECT number, owner, started_ms, ended_ms, outcome, note FROM attempts "
                       "WHERE job_id = $1 ORDER BY number",
                       SQL_ARGS(SQL_T(id)), append_attempt, &list, err);

    if (n < 0) {
        job_attempt_list_clear(&list);
        return -1;
    }
    *ret = list;
    return STORE_OK;
}

/* ---- lists ---- */

struct list_query {
    struct buf text;
    struct sql_arg args[SQL_MAX_ARGS];
    size_t n;
};

/* The number of a new argument, for "$%zu". */
static size_t add_arg(struct list_query *q, struct sql_arg arg)
{
    q->args[q->n++] = arg;
    return q->n;
}

static void add_states(struct list_query *q, unsigned states)
{
    const char *sep = "";

    if (states == 0)
        return;
    buf_adds(&q->text, " AND state IN (");
    for (int i = 0; i < JOB_STATE_COUNT; i++) {
        if (states & (1u << i)) {
            buf_addf(&q->text, "%s'%s'", sep, job_state_name((enum job_state)i));
            sep = ", ";
        }
    }
    buf_adds(&q->text, ")");
}

/* Jobs that have not found out their issue's id yet are known by what was typed. */
static void add_issue(struct list_query *q, const char *issue)
{
    size_t at = add_arg(q, SQL_T(issue));

    buf_addf(&q->text,
             " AND (issue_id = $%zu"
             " OR (issue_short_id IS NOT NULL AND lower(issue_short_id) = lower($%zu))"
             " OR (state IN ('queued', 'running') AND lower(issue_ref) = lower($%zu)))",
             at, at, at);
}

static void build_list(struct list_query *q, const struct store_filter *f)
{
    int64_t limit = f->limit <= 0 ? DEFAULT_LIMIT : f->limit < MAX_LIMIT ? f->limit : MAX_LIMIT;
    bool waiting = f->states == 1u << JOB_QUEUED;

    buf_adds(&q->text, "SELECT " JOB_COLUMNS " FROM jobs WHERE 1 = 1");
    if (waiting)
        buf_adds(&q->text, " AND " IS_WAITING);
    else
        add_states(q, f->states);
    if (f->workspace)
        buf_addf(&q->text, " AND workspace = $%zu", add_arg(q, SQL_T(f->workspace)));
    if (f->issue)
        add_issue(q, f->issue);
    if (f->host)
        buf_addf(&q->text, " AND target_host = $%zu", add_arg(q, SQL_T(f->host)));
    if (f->before_seq > 0 && !waiting)
        buf_addf(&q->text, " AND seq < $%zu", add_arg(q, SQL_I(f->before_seq)));
    buf_addf(&q->text, " ORDER BY %s LIMIT $%zu", waiting ? WAITING_ORDER : "seq DESC",
             add_arg(q, SQL_I(limit)));
}

int store_list(struct store *st, const struct store_filter *filter, struct job_list *ret,
               struct error *err)
{
    struct list_query q = { .n = 0 };
    struct job_list list = { 0 };
    int64_t n = -1;

    build_list(&q, filter);
    if (tx_enter(st, false, err) == 0) {
        n = sql_run_once(st->db, buf_str(&q.text), q.args, q.n, job_row_append, &list, err);
        n = tx_leave(st, n < 0 ? -1 : 0, "list jobs", err);
    } else {
        error_context(err, "list jobs");
    }
    buf_clear(&q.text);
    if (n < 0) {
        job_list_clear(&list);
        return -1;
    }
    *ret = list;
    return STORE_OK;
}

/* ---- counts ---- */

static void read_state_count(void *user, const struct sql_row *row)
{
    struct store_counts *counts = user;
    enum job_state state;

    if (job_state_parse(sql_text(row, 0), &state))
        counts->by_state[state] = sql_int(row, 1);
}

static void read_oldest(void *user, const struct sql_row *row)
{
    ((struct store_counts *)user)->oldest_queued_ms = sql_time(row, 0);
}

int store_counts(struct store *st, struct store_counts *ret, struct error *err)
{
    struct store_counts counts = { .oldest_queued_ms = TIME_UNKNOWN };
    int rc = -1;

    if (tx_enter(st, false, err) < 0)
        return error_context(err, "count jobs");
    if (sql_run(st->db, "SELECT state, count(*) FROM jobs GROUP BY state", SQL_NO_ARGS,
                read_state_count, &counts, err) >= 0 &&
        sql_run(st->db, "SELECT created_ms FROM jobs WHERE state = 'queued' ORDER BY seq LIMIT 1",
                SQL_NO_ARGS, read_oldest, &counts, err) >= 0)
        rc = STORE_OK;
    rc = tx_leave(st, rc, "count jobs", err);
    if (rc == STORE_OK)
        *ret = counts;
    return rc;
}

static void read_number(void *user, const struct sql_row *row)
{
    *(int64_t *)user = sql_int(row, 0);
}

static int position(struct store *st, const char *id, int64_t *ret, struct error *err)
{
    struct job job = { 0 };
    int rc = STORE_OK;
    int64_t n = sql_run(st->db, "SELECT " JOB_COLUMNS " FROM jobs WHERE id = $1",
                        SQL_ARGS(SQL_T(id)), job_row_first, &job, err);

    if (n <= 0)
        rc = n < 0 ? -1 : STORE_NONE;
    else if (job.state != JOB_QUEUED)
        rc = STORE_REFUSED;
    else if (sql_run(st->db,
                     "SELECT count(*) FROM jobs WHERE " IS_WAITING
                     " AND (priority > $1 OR (priority = $1 AND seq < $2))",
                     SQL_ARGS(SQL_I(job.priority), SQL_I(job.seq)), read_number, ret, err) < 0)
        rc = -1;
    job_clear(&job);
    return rc;
}

int store_position(struct store *st, const char *id, int64_t *ret_ahead, struct error *err)
{
    int64_t ahead = 0;

    if (tx_enter(st, false, err) < 0)
        return error_context(err, "look up a job's place in the queue");
    int rc = tx_leave(st, position(st, id, &ahead, err), "look up a job's place in the queue", err);
    if (rc == STORE_OK)
        *ret_ahead = ahead;
    return rc;
}

/* ---- seen before ---- */

/* $1 except, $2 workspace, $3 since; then what is compared. */
#define SEEN(condition)                                                                            \
    "SELECT " JOB_COLUMNS " FROM jobs WHERE " condition                                            \
    " AND state = 'done' AND finished_ms >= $3 AND finished_ms < $4 AND id <> $1 "                 \
    "AND ($2 = '' OR workspace = $2) ORDER BY finished_ms DESC LIMIT 1"

static int64_t seen_by(struct store *st, enum seen_by by, const struct store_seen_query *q,
                       struct job *ret, struct error *err)
{
    static const char *const texts[] = {
        [SEEN_BY_ISSUE] = SEEN("issue_id = $5 AND issue_org = $6"),
        [SEEN_BY_FINGERPRINT] = SEEN("fingerprint = $5"),
        [SEEN_BY_TARGET] = SEEN("target_host = $5 AND target_port = $6"),
    };
    const char *const first[] = { q->issue_id, q->fingerprint, q->target_host };
    const char *const second[] = { q->issue_org, NULL, q->target_port };
    struct sql_arg args[] = { SQL_T(q->except_id ? q->except_id : ""),
                              SQL_T(q->workspace ? q->workspace : ""),
                              SQL_I(q->since_ms),
                              SQL_I(q->until_ms > 0 ? q->until_ms : INT64_MAX),
                              SQL_T(first[by]),
                              SQL_T(second[by]) };

    if (!first[by] || (by != SEEN_BY_FINGERPRINT && !second[by]))
        return 0;
    return sql_run(st->db, texts[by], args, by == SEEN_BY_FINGERPRINT ? 5 : 6, job_row_first, ret,
                   err);
}

static void read_verdicts(void *user, const struct sql_row *row)
{
    struct store_seen *seen = user;

    if (strcmp(sql_text(row, 0), "right") == 0)
        seen->right = sql_int(row, 1);
    else
        seen->wrong += sql_int(row, 1);
}

static int seen_before(struct store *st, const struct store_seen_query *q, struct store_seen *ret,
                       struct error *err)
{
    int64_t n = 0;

    for (int by = SEEN_BY_ISSUE; by <= SEEN_BY_TARGET && n == 0; by++) {
        n = seen_by(st, (enum seen_by)by, q, &ret->job, err);
        ret->by = (enum seen_by)by;
    }
    if (n <= 0)
        return n < 0 ? -1 : STORE_NONE;
    return sql_run(st->db,
                   "SELECT verdict, count(*) FROM feedback WHERE job_id = $1 GROUP BY verdict",
                   SQL_ARGS(SQL_T(ret->job.id)), read_verdicts, ret, err) < 0
               ? -1
               : STORE_OK;
}

int store_seen_before(struct store *st, const struct store_seen_query *query,
                      struct store_seen *ret, struct error *err)
{
    struct store_seen seen = { 0 };

    if (tx_enter(st, false, err) < 0)
        return error_context(err, "look for earlier diagnoses");
    int rc = tx_leave(st, seen_before(st, query, &seen, err), "look for earlier diagnoses", err);
    if (rc == STORE_OK)
        *ret = seen;
    else
        store_seen_clear(&seen);
    return rc;
}

int store_target_seen(struct store *st, const char *host, const char *port, int64_t since_ms,
                      struct error *err)
{
    int64_t n = tx_run(st, false, "look for earlier targets",
                       "SELECT 1 FROM jobs WHERE target_host = $1 AND target_port = $2 "
                       "AND finished_ms >= $3 LIMIT 1",
                       SQL_ARGS(SQL_T(host), SQL_T(port), SQL_I(since_ms)), NULL, NULL, err);

    return n < 0 ? -1 : n == 0 ? STORE_NONE : STORE_OK;
}
