/*
 * Jobs come in: enqueue, once for each thing that a person did.
 */
#include "store_priv.h"

#include <assert.h>
#include <string.h>

/* One statement for each number of keys, each a literal. */
static const char *const insert_keys_sql[STORE_MAX_KEYS] = {
    "INSERT INTO job_keys (job_id, until_ms, key) VALUES ($1, $2, $3) "
    "ON CONFLICT (key) DO NOTHING",
    "INSERT INTO job_keys (job_id, until_ms, key) VALUES ($1, $2, $3), ($1, $2, $4) "
    "ON CONFLICT (key) DO NOTHING",
    "INSERT INTO job_keys (job_id, until_ms, key) VALUES ($1, $2, $3), ($1, $2, $4), "
    "($1, $2, $5) ON CONFLICT (key) DO NOTHING",
    "INSERT INTO job_keys (job_id, until_ms, key) VALUES ($1, $2, $3), ($1, $2, $4), "
    "($1, $2, $5), ($1, $2, $6) ON CONFLICT (key) DO NOTHING",
};

static void copy_id(void *user, const struct sql_row *row)
{
    const char *id = sql_text(row, 0);

    if (row->index == 0 && strlen(id) <= JOB_ID_LEN)
        memcpy(user, id, strlen(id) + 1);
}

/* Arguments $1 = job and $2 ... $5 = the keys, the last one repeated. */
static void key_args(struct sql_arg *args, const char *id, const char *const *keys, size_t n)
{
    args[0] = SQL_T(id);
    for (size_t i = 0; i < STORE_MAX_KEYS; i++)
        args[1 + i] = SQL_T(keys[i < n ? i : n - 1]);
}

static int64_t insert_keys(struct store *st, const char *id, const char *const *keys, size_t n,
                           int64_t now_ms, struct error *err)
{
    struct sql_arg args[2 + STORE_MAX_KEYS] = { SQL_T(id), SQL_I(now_ms + STORE_KEY_TTL_MS) };

    for (size_t i = 0; i < n; i++)
        args[2 + i] = SQL_T(keys[i]);
    return sql_run(st->db, insert_keys_sql[n - 1], args, 2 + n, NULL, NULL, err);
}

/* Makes the keys ours. EXISTS with *ret_id when one of them belongs to another job already: then
 * the rest of them becomes that job's. */
static int take_keys(struct store *st, const char *id, const char *const *keys, size_t n,
                     int64_t now_ms, char *ret_id, struct error *err)
{
    struct sql_arg args[2 + STORE_MAX_KEYS];
    char other[JOB_ID_LEN + 1] = "";

    if (n == 0)
        return STORE_OK;
    int64_t taken = insert_keys(st, id, keys, n, now_ms, err);
    if (taken < 0 || taken == (int64_t)n)
        return taken < 0 ? -1 : STORE_OK;
    key_args(args, id, keys, n);
    int64_t found = sql_run(st->db,
                            "SELECT job_id FROM job_keys WHERE key IN ($2, $3, $4, $5) "
                            "AND job_id <> $1 ORDER BY job_id LIMIT 1",
                            args, 1 + STORE_MAX_KEYS, copy_id, other, err);
    if (found <= 0)
        return found < 0 ? -1 : STORE_OK; /* one key given twice, or this very job again */
    args[1 + STORE_MAX_KEYS] = SQL_T(other);
    if (sql_run(st->db,
                "UPDATE job_keys SET job_id = $6 WHERE job_id = $1 AND key IN ($2, $3, $4, $5)",
                args, ARRAY_LEN(args), NULL, NULL, err) < 0)
        return -1;
    memcpy(ret_id, other, sizeof(other));
    return STORE_EXISTS;
}

static int drop_keys(struct store *st, const char *id, const char *const *keys, size_t n,
                     struct error *err)
{
    struct sql_arg args[1 + STORE_MAX_KEYS];

    if (n == 0)
        return 0;
    key_args(args, id, keys, n);
    return sql_run(st->db, "DELETE FROM job_keys WHERE job_id = $1 AND key IN ($2, $3, $4, $5)",
                   args, ARRAY_LEN(args), NULL, NULL, err) < 0
               ? -1
               : 0;
}

/* ---- room in the queue, and places in it ---- */

void waiting_add(struct waiting *w, int64_t priority, int64_t jobs)
{
    size_t i = 0;

    while (i < w->n && w->priority[i] != priority)
        i++;
    if (i == MAX_PRIORITIES)
        i--; /* only our own few priorities occur; counted with a neighbour, none is lost */
    if (i == w->n)
        w->n++;
    w->priority[i] = priority;
    w->jobs[i] += jobs;
}

static void read_waiting(void *user, const struct sql_row *row)
{
    waiting_add(user, sql_int(row, 0), sql_int(row, 1));
}

static int count_waiting(struct store *st, struct error *err)
{
    struct waiting counted = { .counted = true };

    if (st->waiting.counted)
        return 0;
    if (sql_run(st->db,
                "SELECT priority, count(*) FROM jobs WHERE " IS_WAITING
                " GROUP BY priority ORDER BY priority DESC",
                SQL_NO_ARGS, read_waiting, &counted, err) < 0)
        return -1;
    st->waiting = counted;
    return 0;
}

/* Waiting jobs of at least this priority. */
static int64_t waiting_from(const struct waiting *w, int64_t priority)
{
    int64_t total = 0;

    for (size_t i = 0; i < w->n; i++)
        total += w->priority[i] >= priority ? w->jobs[i] : 0;
    return total;
}

static int has_room(struct store *st, int64_t max_queued, struct error *err)
{
    if (max_queued <= 0)
        return 1;
    if (count_waiting(st, err) < 0)
        return -1;
    return waiting_from(&st->waiting, INT64_MIN) < max_queued;
}

int store_last_place(struct store *st, int priority, int64_t *ret_ahead, struct error *err)
{
    int rc;

    if (tx_enter(st, false, err) < 0)
        return error_context(err, "look up the last place in the queue");
    rc = tx_leave(st, count_waiting(st, err), "look up the last place in the queue", err);
    if (rc < 0)
        return -1;
    int64_t total = waiting_from(&st->waiting, priority);
    *ret_ahead = total > 0 ? total - 1 : 0;
    return STORE_OK;
}

/* ---- the job ---- */

/* Slack honours a response URL for half an hour; there is no use in keeping the secret longer. */
static int64_t response_url_until(const struct job_new *job, int64_t now_ms)
{
    int64_t ttl = job->response_url_ttl_ms;

    if (!job->response_url)
        return TIME_UNKNOWN;
    if (ttl <= 0 || ttl > STORE_RESPONSE_URL_TTL_MS)
        ttl = STORE_RESPONSE_URL_TTL_MS;
    return now_ms + ttl;
}

#define NEW_JOB                                                                                    \
    "INSERT INTO jobs (id, state, claimable, priority, source, workspace, channel, requester,"     \
    " thread_ts, issue_ref, request, playbook, playbook_hash, evaluated_ms, parent_id,"            \
    " response_url, response_url_until_ms, created_ms, next_due_ms, touched_ms,"                   \
    " attempts, attempts_total, fence) "
#define N_NEW_JOB 16 /* arguments */
/* Nothing is done when the id is there: a commit whose answer got lost is repeated. */
#define UNLESS_STORED " ON CONFLICT (id) DO NOTHING"

static void new_job_args(struct sql_arg *args, const struct job_new *job, const char *id,
                         int64_t now_ms)
{
    const struct sql_arg all[N_NEW_JOB] = {
        SQL_T(id),
        SQL_I(job->priority),
        SQL_T(job->source),
        SQL_T(job->workspace),
        SQL_T(job->channel),
        SQL_T(job->requester),
        SQL_T(job->thread_ts),
        SQL_T(job->issue_ref),
        SQL_T(job->request),
        SQL_T(job->playbook),
        SQL_T(job->playbook_hash),
        SQL_TIME(job->evaluated_ms),
        SQL_T(job->parent_id),
        SQL_T(job->response_url),
        SQL_TIME(response_url_until(job, now_ms)),
        SQL_I(now_ms),
    };

    memcpy(args, all, sizeof(all));
}

static int inserted(struct store *st, const struct job_new *job, int64_t n)
{
    if (n < 0)
        return -1;
    if (st->waiting.counted)
        waiting_add(&st->waiting, job->priority, n);
    st->makes_due = true;
    return STORE_OK;
}

static int insert_job(struct store *st, const struct job_new *job, const char *id, int64_t now_ms,
                      struct error *err)
{
    struct sql_arg args[N_NEW_JOB];

    new_job_args(args, job, id, now_ms);
    return inserted(st, job,
                    sql_run(st->db,
                            NEW_JOB "VALUES ($1, 'queued', 1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
                                    " $11, $12, $13, $14, $15, $16, $16, $16, 0, 0,"
                                    " 0)" UNLESS_STORED,
                            args, N_NEW_JOB, NULL, NULL, err));
}

/*
 * PostgreSQL: a new job and its keys in one statement, since each costs a trip to the server.
 * STORE_NONE when a key was taken: then the job was not stored, and those keys that were free are
 * ours.
 */
static int insert_at_once(struct store *st, const struct job_new *job, const char *id,
                          const char *const *keys, size_t n, int64_t now_ms, struct error *err)
{
    struct sql_arg args[N_NEW_JOB + 2 + STORE_MAX_KEYS];

    new_job_args(args, job, id, now_ms);
    args[N_NEW_JOB] = SQL_I(now_ms + STORE_KEY_TTL_MS);
    args[N_NEW_JOB + 1] = SQL_I((int64_t)n);
    for (size_t i = 0; i < STORE_MAX_KEYS; i++)
        args[N_NEW_JOB + 2 + i] = SQL_T(i < n ? keys[i] : NULL);
    int64_t stored = sql_run(
        st->db,
        "WITH taken AS (INSERT INTO job_keys (key, job_id, until_ms)"
        " SELECT k, $1, $17::bigint FROM unnest(ARRAY[$19, $20, $21, $22]::text[]) AS k"
        " WHERE k IS NOT NULL ON CONFLICT (key) DO NOTHING RETURNING 1) " NEW_JOB
        "SELECT $1, 'queued', 1, $2::bigint, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::bigint,"
        " $13, $14, $15::bigint, $16::bigint, $16::bigint, $16::bigint, 0, 0, 0 "
        "WHERE (SELECT count(*) FROM taken) = $18::bigint" UNLESS_STORED,
        args, ARRAY_LEN(args), NULL, NULL, err);
    return stored == 0 ? STORE_NONE : inserted(st, job, stored);
}

/* One after the other: keys, room, job. A command delivered again must find its job also when the
 * queue is full. */
static int insert_in_turn(struct store *st, const struct job_new *job, const char *id,
                          const char *const *keys, size_t n, bool room, int64_t now_ms,
                          char *ret_id, struct error *err)
{
    int rc = take_keys(st, id, keys, n, now_ms, ret_id, err);

    if (rc != STORE_OK)
        return rc;
    if (!room)
        return drop_keys(st, id, keys, n, err) < 0 ? -1 : STORE_FULL;
    return insert_job(st, job, id, now_ms, err);
}

/* *ret_id holds the job's own id, and gets the earlier one's with EXISTS. */
static int enqueue(struct store *st, const struct job_new *job, const char *const *keys, size_t n,
                   int64_t max_queued, int64_t now_ms, char *ret_id, struct error *err)
{
    char id[JOB_ID_LEN + 1];
    int room = has_room(st, max_queued, err), rc = STORE_NONE;

    if (room < 0)
        return -1;
    memcpy(id, ret_id, sizeof(id));
    if (room && st->db->driver->shared)
        rc = insert_at_once(st, job, id, keys, n, now_ms, err);
    if (rc == STORE_NONE)
        rc = insert_in_turn(st, job, id, keys, n, room, now_ms, ret_id, err);
    return rc;
}

int store_enqueue(struct store *st, const struct job_new *job, const char *const *keys,
                  size_t n_keys, int64_t max_queued, int64_t now_ms, char *ret_id,
                  struct error *err)
{
    char id[JOB_ID_LEN + 1];

    assert(n_keys <= STORE_MAX_KEYS);
    assert(!job->id || job_id_is_valid(job->id));
    if (job->id)
        memcpy(id, job->id, sizeof(id));
    else
        job_id_make(now_ms, id);
    if (tx_enter(st, true, err) < 0)
        return error_context(err, "store the job");
    int rc = enqueue(st, job, keys, n_keys, max_queued, now_ms, id, err);
    rc = tx_leave(st, rc, "store the job", err);
    if (rc == STORE_OK || rc == STORE_EXISTS)
        memcpy(ret_id, id, sizeof(id));
    return rc;
}
