/* What outlives jobs: feedback, the audit chain, settings; and the upkeep that removes the rest. */
#include "store_priv.h"

#include <assert.h>
#include <string.h>

#include "dbconn/base/text.h"

#define MAX_AUDIT_LIST 1000
#define MAX_AUDIT_EXPIRE 100000

/* ---- feedback ---- */

int store_feedback_put(struct store *st, const struct job_feedback_new *f, int64_t now_ms,
                       struct error *err)
{
    assert(f->job_id && f->person && f->verdict);
    int64_t n =
        tx_run(st, true, "store feedback",
               "INSERT INTO feedback (job_id, workspace, person, verdict, real_cause,"
               " note, cause, confidence, at_ms) "
               "SELECT $1, $2, $3, $4, $5, $6, cause, confidence, $7 FROM jobs "
               "WHERE id = $1 ON CONFLICT (job_id, person) DO UPDATE SET"
               " verdict = excluded.verdict, real_cause = excluded.real_cause,"
               " note = excluded.note, cause = excluded.cause,"
               " confidence = excluded.confidence, at_ms = excluded.at_ms",
               SQL_ARGS(SQL_T(f->job_id), SQL_T(f->workspace ? f->workspace : ""), SQL_T(f->person),
                        SQL_T(f->verdict), SQL_T(f->real_cause), SQL_T(f->note), SQL_I(now_ms)),
               NULL, NULL, err);

    return n < 0 ? -1 : n == 0 ? STORE_NONE : STORE_OK;
}

static void append_feedback(void *user, const struct sql_row *row)
{
    struct job_feedback_list *list = user;
    struct job_feedback *f = VEC_ADD(list->items, list->n, list->cap);

    f->job_id = sql_text_dup(row, 0);
    f->workspace = sql_text_dup(row, 1);
    f->person = sql_text_dup(row, 2);
    f->verdict = sql_text_dup(row, 3);
    f->real_cause = sql_text_dup(row, 4);
    f->note = sql_text_dup(row, 5);
    f->cause = sql_text_dup(row, 6);
    f->confidence = sql_text_dup(row, 7);
    f->at_ms = sql_int(row, 8);
}

#define FEEDBACK_SELECT                                                                            \
    "SELECT job_id, workspace, person, verdict, real_cause, note, cause, confidence, at_ms "       \
    "FROM feedback"

int store_feedback_list(struct store *st, const char *job_id, struct job_feedback_list *ret,
                        struct error *err)
{
    struct job_feedback_list list = { 0 };
    struct sql_arg id = SQL_T(job_id);
    const char *text = job_id ? FEEDBACK_SELECT " WHERE job_id = $1 ORDER BY seq"
                              : FEEDBACK_SELECT " ORDER BY seq";

    if (tx_run(st, false, "read feedback", text, &id, job_id ? 1 : 0, append_feedback, &list, err) <
        0) {
        job_feedback_list_clear(&list);
        return -1;
    }
    *ret = list;
    return STORE_OK;
}

/* ---- audit ---- */

static void read_audit(const struct sql_row *row, struct audit_entry *ret)
{
    ret->seq = sql_int(row, 0);
    ret->at_ms = sql_int(row, 1);
    ret->payload = sql_text_dup(row, 2);
    ret->prev_hash = sql_text_dup(row, 3);
    ret->hash = sql_text_dup(row, 4);
}

static void append_audit(void *user, const struct sql_row *row)
{
    struct audit_list *list = user;

    read_audit(row, VEC_ADD(list->items, list->n, list->cap));
}

#define AUDIT_COLUMNS "seq, at_ms, payload, prev_hash, hash"

static int append(struct store *st, const char *payload, int64_t now_ms, store_audit_hash_fn *hash,
                  void *user, int64_t *ret_seq, struct error *err)
{
    struct audit_list last = { 0 };
    struct buf digest = BUF_INIT, text = BUF_INIT;
    char nothing[] = "";
    int rc = -1;

    /* Held to the commit: whoever comes next, here or on another replica, sees this entry. */
    if (sql_lock(st->db, "audit", err) < 0 ||
        sql_run(st->db, "SELECT " AUDIT_COLUMNS " FROM audit ORDER BY seq DESC LIMIT 1",
                SQL_NO_ARGS, append_audit, &last, err) < 0)
        goto out;
    /* What is hashed must be what is stored, also when it was no UTF-8. */
    text_repair_utf8(payload, strlen(payload), &text);
    struct audit_entry entry = {
        .seq = last.n ? last.items[0].seq + 1 : 1,
        .at_ms = now_ms,
        .payload = text.data ? text.data : nothing,
        .prev_hash = last.n ? last.items[0].hash : nothing,
    };
    hash(user, &entry, &digest);
    if (sql_run(st->db, "INSERT INTO audit (" AUDIT_COLUMNS ") VALUES ($1, $2, $3, $4, $5)",
                SQL_ARGS(SQL_I(entry.seq), SQL_I(now_ms), SQL_T(entry.payload),
                         SQL_T(entry.prev_hash), SQL_T(buf_str(&digest))),
                NULL, NULL, err) < 0)
        goto out;
    *ret_seq = entry.seq;
    rc = STORE_OK;
out:
    audit_list_clear(&last);
    buf_clear(&digest);
    buf_clear(&text);
    return rc;
}

int store_audit_append(struct store *st, const char *payload, int64_t now_ms,
                       store_audit_hash_fn *hash, void *user, int64_t *ret_seq, struct error *err)
{
    int64_t seq = 0;

    if (tx_enter(st, true, err) < 0)
        return error_context(err, "append to the audit log");
    int rc = append(st, payload, now_ms, hash, user, &seq, err);
    rc = tx_leave(st, rc, "append to the audit log", err);
    if (rc == STORE_OK && ret_seq)
        *ret_seq = seq;
    return rc;
}

int store_audit_list(struct store *st, int64_t from_seq, int64_t limit, struct audit_list *ret,
                     struct error *err)
{
    struct audit_list list = { 0 };

    if (limit <= 0 || limit > MAX_AUDIT_LIST)
        limit = MAX_AUDIT_LIST;
    if (tx_run(st, false, "read the audit log",
               from_seq < 0 ? "SELECT " AUDIT_COLUMNS " FROM audit WHERE seq >= (SELECT max(seq)"
                              " FROM audit) + 1 + $1 ORDER BY seq LIMIT $2"
                            : "SELECT " AUDIT_COLUMNS " FROM audit WHERE seq >= $1 ORDER BY seq"
                              " LIMIT $2",
               SQL_ARGS(SQL_I(from_seq), SQL_I(limit)), append_audit, &list, err) < 0) {
        audit_list_clear(&list);
        return -1;
    }
    *ret = list;
    return STORE_OK;
}

int store_audit_purge(struct store *st, int64_t before_seq, int64_t *ret_n, struct error *err)
{
    /* The newest entry stays: the chain goes on from it. */
    int64_t n = tx_run(st, true, "purge the audit log",
                       "DELETE FROM audit WHERE seq < $1 AND seq < (SELECT max(seq) FROM audit)",
                       SQL_ARGS(SQL_I(before_seq)), NULL, NULL, err);

    if (n < 0)
        return -1;
    *ret_n = n;
    return STORE_OK;
}

static void take_oldest_left(void *user, const struct sql_row *row)
{
    read_audit(row, user);
}

/* The first entry that stays: the first young one, or the newest of all. NONE when nothing goes. */
static int oldest_left(struct store *st, int64_t before_ms, struct audit_entry *ret,
                       struct error *err)
{
    struct audit_entry entry = { 0 };
    int64_t n =
        sql_run(st->db,
                "SELECT " AUDIT_COLUMNS " FROM audit WHERE seq > (SELECT min(seq) FROM audit)"
                " AND (at_ms >= $1 OR seq >= (SELECT min(seq) FROM audit) + $2"
                " OR seq = (SELECT max(seq) FROM audit)) ORDER BY seq LIMIT 1",
                SQL_ARGS(SQL_I(before_ms), SQL_I(MAX_AUDIT_EXPIRE)), take_oldest_left, &entry, err);

    if (n <= 0)
        return n < 0 ? -1 : STORE_NONE;
    *ret = entry;
    return STORE_OK;
}

static void take_number(void *user, const struct sql_row *row)
{
    *(int64_t *)user = sql_int(row, 0);
}

static int expire(struct store *st, int64_t before_ms, int64_t now_ms, store_audit_hash_fn *hash,
                  void *user, int64_t *ret_n, struct error *err)
{
    const struct sql_arg old = SQL_I(before_ms);
    struct audit_entry left = { 0 };
    int64_t first = 0, seq;
    int rc = -1, found;

    if (sql_lock(st->db, "audit", err) < 0)
        return -1;
    int64_t n = sql_run(st->db,
                        "SELECT seq FROM audit WHERE seq = (SELECT min(seq) FROM audit)"
                        " AND at_ms < $1",
                        &old, 1, take_number, &first, err);
    if (n <= 0)
        return n < 0 ? -1 : STORE_OK;
    found = oldest_left(st, before_ms, &left, err);
    if (found != STORE_OK)
        return found < 0 ? -1 : STORE_OK;
    char *payload = xasprintf("{\"event\":\"audit.purged\",\"before\":%lld,\"entries\":%lld,"
                              "\"last_hash\":\"%s\"}",
                              (long long)left.seq, (long long)(left.seq - first), left.prev_hash);
    if (append(st, payload, now_ms, hash, user, &seq, err) == STORE_OK &&
        sql_run(st->db, "DELETE FROM audit WHERE seq < $1", SQL_ARGS(SQL_I(left.seq)), NULL, NULL,
                err) >= 0) {
        *ret_n = left.seq - first;
        rc = STORE_OK;
    }
    free(payload);
    audit_entry_clear(&left);
    return rc;
}

int store_audit_expire(struct store *st, int64_t before_ms, int64_t now_ms,
                       store_audit_hash_fn *hash, void *user, int64_t *ret_n, struct error *err)
{
    int64_t n = 0;

    if (tx_enter(st, true, err) < 0)
        return error_context(err, "purge the audit log");
    int rc = expire(st, before_ms, now_ms, hash, user, &n, err);
    rc = tx_leave(st, rc, "purge the audit log", err);
    if (rc == STORE_OK)
        *ret_n = n;
    return rc;
}

/* ---- settings ---- */

int store_setting_put(struct store *st, const char *workspace, const char *key, const char *value,
                      int64_t now_ms, struct error *err)
{
    static const char put[] = "INSERT INTO settings (workspace, name, value, set_ms) "
                              "VALUES ($1, $2, $3, $4) ON CONFLICT (workspace, name) DO UPDATE SET"
                              " value = excluded.value, set_ms = excluded.set_ms";
    static const char drop[] = "DELETE FROM settings WHERE workspace = $1 AND name = $2";
    const struct sql_arg args[] = { SQL_T(workspace), SQL_T(key), SQL_T(value), SQL_I(now_ms) };

    return tx_run(st, true, "store a setting", value ? put : drop, args, value ? 4 : 2, NULL, NULL,
                  err) < 0
               ? -1
               : STORE_OK;
}

static void take_text(void *user, const struct sql_row *row)
{
    *(char **)user = sql_text_dup(row, 0);
}

int store_setting_get(struct store *st, const char *workspace, const char *key, char **ret_value,
                      struct error *err)
{
    char *value = NULL;
    int64_t n = tx_run(st, false, "read a setting",
                       "SELECT value FROM settings WHERE workspace = $1 AND name = $2",
                       SQL_ARGS(SQL_T(workspace), SQL_T(key)), take_text, &value, err);

    if (n <= 0) {
        free(value);
        return n < 0 ? -1 : STORE_NONE;
    }
    *ret_value = value;
    return STORE_OK;
}

/* ---- upkeep ---- */

#define VICTIMS                                                                                    \
    "(SELECT id FROM jobs WHERE finished_ms < $1 AND claimable = 0 AND owner IS NULL "             \
    "ORDER BY finished_ms, seq LIMIT $2)"

static int64_t purge(struct store *st, int64_t before_ms, int64_t limit, int64_t now_ms,
                     struct error *err)
{
    const struct sql_arg victims[] = { SQL_I(before_ms), SQL_I(limit) };
    const struct sql_arg now = SQL_I(now_ms);

    if (sql_run(st->db, "DELETE FROM job_keys WHERE until_ms <= $1", &now, 1, NULL, NULL, err) <
            0 ||
        sql_run(st->db,
                "UPDATE jobs SET response_url = NULL, response_url_until_ms = NULL "
                "WHERE response_url IS NOT NULL AND response_url_until_ms <= $1",
                &now, 1, NULL, NULL, err) < 0 ||
        sql_run(st->db, "UPDATE feedback SET person = NULL, note = NULL WHERE job_id IN " VICTIMS,
                victims, 2, NULL, NULL, err) < 0)
        return -1;
    /* Everything else that belongs to a job goes with it (ON DELETE CASCADE). */
    return sql_run(st->db, "DELETE FROM jobs WHERE id IN " VICTIMS, victims, 2, NULL, NULL, err);
}

int store_purge(struct store *st, int64_t ended_before_ms, int64_t limit, int64_t now_ms,
                int64_t *ret_n, struct error *err)
{
    /* A dedupe key that names a job may be asked for until it runs out. */
    int64_t keep_ms = now_ms - STORE_KEY_TTL_MS;
    int64_t before_ms = ended_before_ms < keep_ms ? ended_before_ms : keep_ms;

    if (tx_enter(st, true, err) < 0)
        return error_context(err, "purge jobs");
    int64_t n = purge(st, before_ms, limit, now_ms, err);
    if (tx_leave(st, n < 0 ? -1 : 0, "purge jobs", err) < 0)
        return -1;
    *ret_n = n;
    return STORE_OK;
}

int store_check(struct store *st, struct error *err)
{
    int rc = -1;

    if (tx_enter(st, false, err) < 0)
        return error_context(err, "check the store");
    rc = st->db->driver->check(st->db, err);
    return tx_leave(st, rc < 0 ? -1 : STORE_OK, "check the store", err);
}

int store_backup(struct store *st, const char *path, struct error *err)
{
    assert(!st->in_group);
    if (st->db->driver->backup(st->db, path, err) < 0)
        return error_context(err, "back the store up");
    return STORE_OK;
}
