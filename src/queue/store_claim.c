/*
 * Jobs change hands: claim, leases, how an attempt ends, cancel and requeue.
 *
 * `claimable` is 1 while a job may be handed out: while it waits, and for a few times when it is
 * dead, so that somebody can say so. A job has an `owner` while somebody holds its lease. `fence`
 * grows each time it changes hands, in either direction.
 */
#include "store_priv.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define OBITUARIES 3 /* how often a dead job is handed out to be announced */
#define DEFAULT_MAX_ATTEMPTS 5
#define DEFAULT_BACKOFF_BASE_MS (2 * SECOND_MS)
#define DEFAULT_BACKOFF_MAX_MS (5 * MINUTE_MS)
#define REAP_AT_ONCE 100 /* leases that ran out, put back by one claim */

static struct store_retry_policy with_defaults(const struct store_retry_policy *policy)
{
    struct store_retry_policy p = policy ? *policy : (struct store_retry_policy){ 0 };

    if (p.max_attempts <= 0)
        p.max_attempts = DEFAULT_MAX_ATTEMPTS;
    if (p.backoff_base_ms <= 0)
        p.backoff_base_ms = DEFAULT_BACKOFF_BASE_MS;
    if (p.backoff_max_ms <= 0)
        p.backoff_max_ms = DEFAULT_BACKOFF_MAX_MS;
    return p;
}

int64_t store_backoff_ms(const struct store_retry_policy *policy, int64_t attempts)
{
    struct store_retry_policy p = with_defaults(policy);
    int64_t pause = p.backoff_base_ms;

    if (attempts <= 1)
        return 0;
    for (int64_t i = 2; i < attempts && pause < p.backoff_max_ms; i++)
        pause *= 2;
    return pause < p.backoff_max_ms ? pause : p.backoff_max_ms;
}

/* ---- an attempt ends without an end of the job ---- */

struct held {
    char id[JOB_ID_LEN + 1];
    int64_t attempts, number; /* that count; of this one */
    bool dead, cancelled;
    char why[96];
};
#define HELD_COLUMNS "id, attempts, attempts_total, state, cancel_by, owner"

struct held_list {
    struct held items[REAP_AT_ONCE];
    size_t n;
};

static void read_held(void *user, const struct sql_row *row)
{
    struct held_list *list = user;

    if (list->n == ARRAY_LEN(list->items))
        return;
    struct held *h = &list->items[list->n++];
    snprintf(h->id, sizeof(h->id), "%s", sql_text(row, 0));
    h->attempts = sql_int(row, 1);
    h->number = sql_int(row, 2);
    h->dead = strcmp(sql_text(row, 3), job_state_name(JOB_DEAD)) == 0;
    h->cancelled = sql_text(row, 4) != NULL;
    /* Owners may be long; the end of this sentence is what may be cut. */
    snprintf(h->why, sizeof(h->why), "its lease ran out; it was held by %s", sql_text(row, 5));
}

static void jobs_got_due(struct store *st)
{
    st->makes_due = true;
    st->waiting.counted = false;
}

/* Whoever had the job may have posted and edited up to this moment, and what it sent may still be
 * under way: the next owner has to wait that long before it looks. */
static int expect_landings(struct store *st, const char *id, int64_t now_ms, struct error *err)
{
    return sql_run(st->db,
                   "UPDATE messages SET lands_until_ms = $2 + timeout_ms WHERE job_id = $1"
                   " AND (state = 'intended' OR (state = 'sent' AND hash IS NULL))",
                   SQL_ARGS(SQL_T(id), SQL_I(now_ms)), NULL, NULL, err) < 0
               ? -1
               : 0;
}

static int end_attempt(struct store *st, const char *id, int64_t number, const char *outcome,
                       const char *note, int64_t now_ms, struct error *err)
{
    return sql_run(st->db,
                   "UPDATE attempts SET ended_ms = $3, outcome = $4, note = $5 "
                   "WHERE job_id = $1 AND number = $2 AND ended_ms IS NULL",
                   SQL_ARGS(SQL_T(id), SQL_I(number), SQL_I(now_ms), SQL_T(outcome), SQL_T(note)),
                   NULL, NULL, err) < 0
               ? -1
               : 0;
}

/* Back to the queue after the back-off, or dead. The token that was current is so no more. */
static int give_back(struct store *st, const struct held *h, const char *outcome, const char *why,
                     const struct store_retry_policy *policy, int64_t now_ms, struct error *err)
{
    struct store_retry_policy p = with_defaults(policy);
    bool dead = h->dead || h->attempts >= p.max_attempts;
    bool claimable = !dead || h->attempts < p.max_attempts + OBITUARIES;
    /* Who cancelled waits for the thread to say so. */
    int64_t pause_ms = dead || h->cancelled ? 0 : store_backoff_ms(&p, h->attempts);
    char *error = dead && !h->dead
                      ? xasprintf("gave up after %lld attempts: %s", (long long)h->attempts, why)
                      : NULL;
    int64_t n = sql_run(st->db,
                        "UPDATE jobs SET state = $2, claimable = $3, next_due_ms = $4,"
                        " error = COALESCE($5, error), finished_ms = COALESCE(finished_ms, $6),"
                        " touched_ms = $7, owner = NULL, lease_until_ms = NULL, fence = fence + 1 "
                        "WHERE id = $1",
                        SQL_ARGS(SQL_T(h->id), SQL_T(job_state_name(dead ? JOB_DEAD : JOB_QUEUED)),
                                 SQL_I(claimable), SQL_I(now_ms + pause_ms), SQL_T(error),
                                 SQL_TIME(dead ? now_ms : TIME_UNKNOWN), SQL_I(now_ms)),
                        NULL, NULL, err);

    free(error);
    jobs_got_due(st);
    if (n < 0 || expect_landings(st, h->id, now_ms, err) < 0)
        return -1;
    return end_attempt(st, h->id, h->number, outcome, why, now_ms, err);
}

/* Puts back what is held and whose lease ended until `until_ms`. Gives how many, or -1. */
static int reap(struct store *st, int64_t until_ms, const struct store_retry_policy *policy,
                int64_t now_ms, struct error *err)
{
    static const char *const sqlite = "SELECT " HELD_COLUMNS " FROM jobs "
                                      "WHERE owner IS NOT NULL AND lease_until_ms <= $1 LIMIT $2";
    static const char *const postgres =
        "SELECT " HELD_COLUMNS " FROM jobs "
        "WHERE owner IS NOT NULL AND lease_until_ms <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED";
    struct held_list list = { .n = 0 };

    if (sql_run(st->db, sql_pick(st->db, sqlite, postgres),
                SQL_ARGS(SQL_I(until_ms), SQL_I(REAP_AT_ONCE)), read_held, &list, err) < 0)
        return -1;
    for (size_t i = 0; i < list.n; i++) {
        const struct held *h = &list.items[i];
        if (give_back(st, h, "lease_lost", h->why, policy, now_ms, err) < 0)
            return -1;
    }
    return (int)list.n;
}

/* ---- claim ---- */

#define CLAIM_SET                                                                                  \
    "UPDATE jobs SET state = CASE WHEN state = 'dead' THEN state ELSE 'running' END,"              \
    " claimable = 0, owner = $1, lease_until_ms = $2, touched_ms = $3,"                            \
    " started_ms = COALESCE(started_ms, $3), fence = fence + 1, attempts = attempts + 1,"          \
    " attempts_total = attempts_total + 1 "                                                        \
    "WHERE seq = (SELECT seq FROM jobs WHERE claimable = 1 AND next_due_ms <= $3"                  \
    " ORDER BY " WAITING_ORDER " LIMIT 1"
#define CLAIM_RETURNING ") RETURNING " JOB_COLUMNS ", response_url, response_url_until_ms"

struct claimed {
    struct job *job;
    int64_t now_ms;
};

static void read_claimed(void *user, const struct sql_row *row)
{
    const struct claimed *c = user;
    int extra = job_column_count();

    job_from_row(row, c->job);
    if (sql_int(row, extra + 1) > c->now_ms)
        c->job->response_url = sql_text_dup(row, extra);
}

static int claim(struct store *st, const char *owner, int64_t lease_ms, int64_t now_ms,
                 struct job *ret_job, struct error *err)
{
    const char *text = sql_pick(st->db, CLAIM_SET CLAIM_RETURNING,
                                CLAIM_SET " FOR UPDATE SKIP LOCKED" CLAIM_RETURNING);
    int64_t n =
        sql_run(st->db, text, SQL_ARGS(SQL_T(owner), SQL_I(now_ms + lease_ms), SQL_I(now_ms)),
                read_claimed, &(struct claimed){ ret_job, now_ms }, err);

    if (n <= 0)
        return n < 0 ? -1 : STORE_NONE;
    if (st->waiting.counted && ret_job->state == JOB_RUNNING)
        waiting_add(&st->waiting, ret_job->priority, -1);
    return sql_run(st->db,
                   "INSERT INTO attempts (job_id, number, owner, started_ms) "
                   "VALUES ($1, $2, $3, $4)",
                   SQL_ARGS(SQL_T(ret_job->id), SQL_I(ret_job->attempts_total), SQL_T(owner),
                            SQL_I(now_ms)),
                   NULL, NULL, err) < 0
               ? -1
               : STORE_OK;
}

int store_claim(struct store *st, const char *owner, int64_t lease_ms,
                const struct store_retry_policy *policy, int64_t now_ms, struct job *ret_job,
                struct error *err)
{
    struct job job = { 0 };
    int rc;

    if (tx_enter(st, true, err) < 0)
        return error_context(err, "claim a job");
    rc = reap(st, now_ms, policy, now_ms, err);
    if (rc >= 0)
        rc = claim(st, owner, lease_ms, now_ms, &job, err);
    rc = tx_leave(st, rc, "claim a job", err);
    if (rc == STORE_OK)
        *ret_job = job;
    else
        job_clear(&job);
    return rc;
}

int store_adopt(struct store *st, const struct store_retry_policy *policy, int64_t now_ms,
                int64_t *ret_n, struct error *err)
{
    int64_t total = 0;
    int rc = st->db->driver->adopt(st->db, err);

    if (rc <= 0)
        return rc < 0 ? error_context(err, "take over running jobs") : STORE_REFUSED;
    if (tx_enter(st, true, err) < 0)
        return error_context(err, "take over running jobs");
    do {
        rc = reap(st, INT64_MAX, policy, now_ms, err);
        total += rc;
    } while (rc > 0);
    rc = tx_leave(st, rc, "take over running jobs", err);
    if (rc == 0)
        *ret_n = total;
    return rc;
}

/* ---- while it is held ---- */

struct heartbeat {
    bool cancel;
};

static void read_heartbeat(void *user, const struct sql_row *row)
{
    ((struct heartbeat *)user)->cancel = sql_text(row, 0) != NULL;
}

int store_heartbeat(struct store *st, struct job_ref ref, int64_t lease_ms, int64_t now_ms,
                    bool *ret_cancel, struct error *err)
{
    struct heartbeat beat = { false };
    int64_t n =
        tx_run(st, true, "renew a lease",
               "UPDATE jobs SET lease_until_ms = $3, touched_ms = $4 "
               "WHERE id = $1 AND fence = $2 AND owner IS NOT NULL RETURNING cancel_by",
               SQL_ARGS(SQL_T(ref.id), SQL_I(ref.fence), SQL_I(now_ms + lease_ms), SQL_I(now_ms)),
               read_heartbeat, &beat, err);

    if (n <= 0)
        return n < 0 ? -1 : STORE_LEASE_LOST;
    if (ret_cancel)
        *ret_cancel = beat.cancel;
    return STORE_OK;
}

/* The job behind a current token. STORE_OK, STORE_LEASE_LOST or -1. */
static int read_own(struct store *st, struct job_ref ref, int64_t now_ms, struct held *ret,
                    struct error *err)
{
    struct held_list list = { .n = 0 };
    int rc = hold(st, ref, now_ms, err);

    if (rc != STORE_OK)
        return rc;
    if (sql_run(st->db, "SELECT " HELD_COLUMNS " FROM jobs WHERE id = $1", SQL_ARGS(SQL_T(ref.id)),
                read_held, &list, err) < 0)
        return -1;
    *ret = list.items[0];
    return STORE_OK;
}

static int release(struct store *st, struct job_ref ref, int64_t now_ms, struct error *err)
{
    struct held own;
    int rc = read_own(st, ref, now_ms, &own, err);

    if (rc != STORE_OK)
        return rc;
    jobs_got_due(st);
    if (sql_run(st->db,
                "UPDATE jobs SET state = CASE WHEN state = 'dead' THEN state ELSE 'queued' END,"
                " claimable = 1, next_due_ms = $2, attempts = attempts - 1, owner = NULL,"
                " lease_until_ms = NULL, fence = fence + 1 WHERE id = $1",
                SQL_ARGS(SQL_T(ref.id), SQL_I(now_ms)), NULL, NULL, err) < 0 ||
        expect_landings(st, ref.id, now_ms, err) < 0)
        return -1;
    return end_attempt(st, ref.id, own.number, "released", NULL, now_ms, err) < 0 ? -1 : STORE_OK;
}

int store_release(struct store *st, struct job_ref ref, int64_t now_ms, struct error *err)
{
    if (tx_enter(st, true, err) < 0)
        return error_context(err, "hand a job over");
    return tx_leave(st, release(st, ref, now_ms, err), "hand a job over", err);
}

int store_retry(struct store *st, struct job_ref ref, const char *why,
                const struct store_retry_policy *policy, int64_t now_ms, struct error *err)
{
    struct held own;

    if (tx_enter(st, true, err) < 0)
        return error_context(err, "put a job back");
    int rc = read_own(st, ref, now_ms, &own, err);
    if (rc == STORE_OK && give_back(st, &own, "retry", why, policy, now_ms, err) < 0)
        rc = -1;
    return tx_leave(st, rc, "put a job back", err);
}

/* ---- how it ends ---- */

/* A commit whose answer got lost is repeated: then it has ended with this very token already. */
static int ended_before(struct store *st, struct job_ref ref, const char *state, struct error *err)
{
    int64_t n = sql_run(st->db,
                        "SELECT 1 FROM jobs WHERE id = $1 AND fence = $2 AND state = $3 "
                        "AND owner IS NULL AND claimable = 0",
                        SQL_ARGS(SQL_T(ref.id), SQL_I(ref.fence), SQL_T(state)), NULL, NULL, err);

    return n < 0 ? -1 : n > 0 ? STORE_OK : STORE_LEASE_LOST;
}

static int save_result(struct store *st, const char *id, const struct job_result *r, int64_t now_ms,
                       struct error *err)
{
    if (sql_run(st->db,
                "UPDATE jobs SET state = $2, claimable = 0, owner = NULL, lease_until_ms = NULL,"
                " finished_ms = $3, touched_ms = $3, error = COALESCE($4, error), cause = $5,"
                " confidence = $6, summary = $7, target_host = $8, target_port = $9,"
                " fingerprint = $10, response_url = NULL, response_url_until_ms = NULL "
                "WHERE id = $1",
                SQL_ARGS(SQL_T(id), SQL_T(job_state_name(r->state)), SQL_I(now_ms), SQL_T(r->error),
                         SQL_T(r->cause), SQL_T(r->confidence), SQL_T(r->summary),
                         SQL_T(r->target_host), SQL_T(r->target_port), SQL_T(r->fingerprint)),
                NULL, NULL, err) < 0)
        return -1;
    /* People judge an answer as soon as they see it, which may be before the job has ended. */
    if (r->cause &&
        sql_run(st->db,
                "UPDATE feedback SET cause = $2, confidence = $3 "
                "WHERE job_id = $1 AND cause IS NULL",
                SQL_ARGS(SQL_T(id), SQL_T(r->cause), SQL_T(r->confidence)), NULL, NULL, err) < 0)
        return -1;
    if (!r->report && !r->evidence)
        return 0;
    return sql_run(st->db,
                   "INSERT INTO reports (job_id, report, evidence) VALUES ($1, $2, $3) "
                   "ON CONFLICT (job_id) DO UPDATE SET report = excluded.report,"
                   " evidence = excluded.evidence",
                   SQL_ARGS(SQL_T(id), SQL_T(r->report), SQL_T(r->evidence)), NULL, NULL, err) < 0
               ? -1
               : 0;
}

static int finish(struct store *st, struct job_ref ref, const struct job_result *result,
                  int64_t now_ms, struct error *err)
{
    struct held own;
    int rc = read_own(st, ref, now_ms, &own, err);

    if (rc == STORE_LEASE_LOST)
        return ended_before(st, ref, job_state_name(result->state), err);
    if (rc != STORE_OK)
        return rc;
    if (save_result(st, ref.id, result, now_ms, err) < 0)
        return -1;
    return end_attempt(st, ref.id, own.number, job_state_name(result->state), result->error, now_ms,
                       err) < 0
               ? -1
               : STORE_OK;
}

int store_finish(struct store *st, struct job_ref ref, const struct job_result *result,
                 int64_t now_ms, struct error *err)
{
    assert(job_state_is_final(result->state));
    if (tx_enter(st, true, err) < 0)
        return error_context(err, "store the end of a job");
    return tx_leave(st, finish(st, ref, result, now_ms, err), "store the end of a job", err);
}

/* ---- from outside the job ---- */

struct standing {
    enum job_state state;
    bool cancelled;
};

static void read_standing(void *user, const struct sql_row *row)
{
    struct standing *s = user;

    (void)job_state_parse(sql_text(row, 0), &s->state);
    s->cancelled = sql_text(row, 1) != NULL;
}

/* Locks the row; SQLite's transaction has the whole file. STORE_OK, STORE_NONE or -1. */
static int read_standing_of(struct store *st, const char *id, struct standing *ret,
                            struct error *err)
{
    const char *text = sql_pick(st->db, "SELECT state, cancel_by FROM jobs WHERE id = $1",
                                "SELECT state, cancel_by FROM jobs WHERE id = $1 FOR UPDATE");
    int64_t n = sql_run(st->db, text, SQL_ARGS(SQL_T(id)), read_standing, ret, err);

    return n < 0 ? -1 : n == 0 ? STORE_NONE : STORE_OK;
}

static int cancel(struct store *st, const char *id, const char *who, int64_t now_ms,
                  struct error *err)
{
    struct standing s = { 0 };
    int rc = read_standing_of(st, id, &s, err);

    if (rc != STORE_OK)
        return rc;
    if (job_state_is_final(s.state))
        return STORE_REFUSED;
    if (s.cancelled)
        return STORE_EXISTS;
    jobs_got_due(st);
    return sql_run(st->db,
                   "UPDATE jobs SET cancel_by = $2, touched_ms = $3, priority = $4,"
                   " next_due_ms = CASE WHEN state = 'queued' THEN $3 ELSE next_due_ms END "
                   "WHERE id = $1",
                   SQL_ARGS(SQL_T(id), SQL_T(who), SQL_I(now_ms), SQL_I(JOB_PRIORITY_CONTROL)),
                   NULL, NULL, err) < 0
               ? -1
               : STORE_OK;
}

int store_cancel(struct store *st, const char *id, const char *who, int64_t now_ms,
                 struct error *err)
{
    if (tx_enter(st, true, err) < 0)
        return error_context(err, "cancel a job");
    return tx_leave(st, cancel(st, id, who, now_ms, err), "cancel a job", err);
}

static int drop_steps(struct store *st, const char *id, enum requeue_steps steps, struct error *err)
{
    const char *text = steps == REQUEUE_FRESH
                           ? "DELETE FROM steps WHERE job_id = $1"
                           : "DELETE FROM steps WHERE job_id = $1 AND status <> 'complete'";

    if (steps == REQUEUE_KEEP_ALL)
        return 0;
    return sql_run(st->db, text, SQL_ARGS(SQL_T(id)), NULL, NULL, err) < 0 ? -1 : 0;
}

static int requeue(struct store *st, const char *id, enum requeue_steps steps, int64_t now_ms,
                   struct error *err)
{
    struct standing s = { 0 };
    int rc = read_standing_of(st, id, &s, err);

    if (rc != STORE_OK)
        return rc;
    if (!job_state_is_final(s.state))
        return STORE_REFUSED;
    jobs_got_due(st);
    if (drop_steps(st, id, steps, err) < 0)
        return -1;
    return sql_run(st->db,
                   "UPDATE jobs SET state = 'queued', claimable = 1, attempts = 0,"
                   " fence = fence + 1, owner = NULL, lease_until_ms = NULL, error = NULL,"
                   " cancel_by = NULL, finished_ms = NULL, next_due_ms = $2, touched_ms = $2,"
                   " priority = CASE WHEN priority = $3 THEN $4 ELSE priority END "
                   "WHERE id = $1",
                   SQL_ARGS(SQL_T(id), SQL_I(now_ms), SQL_I(JOB_PRIORITY_CONTROL),
                            SQL_I(JOB_PRIORITY_PERSON)),
                   NULL, NULL, err) < 0
               ? -1
               : STORE_OK;
}

int store_requeue(struct store *st, const char *id, enum requeue_steps steps, int64_t now_ms,
                  struct error *err)
{
    if (tx_enter(st, true, err) < 0)
        return error_context(err, "queue a job again");
    return tx_leave(st, requeue(st, id, steps, now_ms, err), "queue a job again", err);
}

int store_drop_response_url(struct store *st, const char *id, struct error *err)
{
    int64_t n = tx_run(st, true, "forget a response URL",
                       "UPDATE jobs SET response_url = NULL, response_url_until_ms = NULL "
                       "WHERE id = $1 AND response_url IS NOT NULL",
                       SQL_ARGS(SQL_T(id)), NULL, NULL, err);

    return n < 0 ? -1 : n == 0 ? STORE_NONE : STORE_OK;
}
