/* What a running job writes: checkpoints, which issue it is about, the messages it posts. */
#include "store_priv.h"

#include <assert.h>
#include <string.h>

#define MAX_EARLIER 20

/* ---- checkpoints ---- */

static int checkpoint(struct store *st, struct job_ref ref, const struct job_step *step,
                      int64_t now_ms, struct error *err)
{
    int rc = hold(st, ref, now_ms, err);

    if (rc != STORE_OK)
        return rc;
    return sql_run(st->db,
                   "INSERT INTO steps (job_id, step_id, number, status, data, saved_ms) "
                   "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (job_id, step_id) DO UPDATE SET"
                   " number = excluded.number, status = excluded.status, data = excluded.data,"
                   " saved_ms = excluded.saved_ms",
                   SQL_ARGS(SQL_T(ref.id), SQL_T(step->step_id), SQL_I(step->number),
                            SQL_T(step->status), SQL_T(step->data), SQL_I(now_ms)),
                   NULL, NULL, err) < 0
               ? -1
               : STORE_OK;
}

int store_checkpoint(struct store *st, struct job_ref ref, const struct job_step *step,
                     int64_t now_ms, struct error *err)
{
    if (tx_enter(st, true, err) < 0)
        return error_context(err, "store a step");
    return tx_leave(st, checkpoint(st, ref, step, now_ms, err), "store a step", err);
}

static void append_step(void *user, const struct sql_row *row)
{
    struct job_step_list *list = user;
    struct job_step *step = VEC_ADD(list->items, list->n, list->cap);

    step->step_id = sql_text_dup(row, 0);
    step->number = sql_int(row, 1);
    step->status = sql_text_dup(row, 2);
    step->data = sql_text_dup(row, 3);
    step->saved_ms = sql_int(row, 4);
}

int store_steps(struct store *st, const char *id, struct job_step_list *ret, struct error *err)
{
    struct job_step_list list = { 0 };
    int64_t n = tx_run(st, false, "read the steps of a job",
                       "SELECT step_id, number, status, data, saved_ms FROM steps "
                       "WHERE job_id = $1 ORDER BY number, step_id",
                       SQL_ARGS(SQL_T(id)), append_step, &list, err);

    if (n < 0) {
        job_step_list_clear(&list);
        return -1;
    }
    *ret = list;
    return STORE_OK;
}

/* ---- which issue ---- */

/* The order in which jobs said so is kept, also when a job says it again after a restart: else two
 * jobs could each wait for the other. */
static int save_issue(struct store *st, const char *id, const struct job_issue *issue,
                      struct error *err)
{
    return sql_run(st->db,
                   "UPDATE jobs SET issue_order = CASE"
                   " WHEN issue_order IS NOT NULL AND issue_org = $2 AND issue_id = $3"
                   " THEN issue_order ELSE (SELECT COALESCE(MAX(o.issue_order), 0) + 1"
                   "  FROM jobs o WHERE o.issue_id = $3 AND o.issue_org = $2) END,"
                   " issue_org = $2, issue_id = $3, issue_short_id = $4, issue_title = $5,"
                   " issue_url = $6 WHERE id = $1",
                   SQL_ARGS(SQL_T(id), SQL_T(issue->org), SQL_T(issue->id), SQL_T(issue->short_id),
                            SQL_T(issue->title), SQL_T(issue->url)),
                   NULL, NULL, err) < 0
               ? -1
               : 0;
}

static int set_issue(struct store *st, struct job_ref ref, const struct job_issue *issue,
                     int64_t now_ms, struct job_list *ret, struct error *err)
{
    char *lock = xasprintf("issue:%s/%s", issue->org, issue->id);
    int rc = sql_lock(st->db, lock, err);

    free(lock);
    if (rc < 0)
        return -1;
    rc = hold(st, ref, now_ms, err);
    if (rc != STORE_OK)
        return rc;
    if (save_issue(st, ref.id, issue, err) < 0)
        return -1;
    int64_t n =
        sql_run(st->db,
                "SELECT " JOB_COLUMNS " FROM jobs WHERE issue_id = $2 AND issue_org = $1"
                " AND (state IN ('queued', 'running') OR (state = 'done' AND finished_ms >"
                "  (SELECT me.created_ms FROM jobs me WHERE me.id = $3)))"
                " AND issue_order < (SELECT me.issue_order FROM jobs me WHERE me.id = $3)"
                " ORDER BY issue_order LIMIT $4",
                SQL_ARGS(SQL_T(issue->org), SQL_T(issue->id), SQL_T(ref.id), SQL_I(MAX_EARLIER)),
                job_row_append, ret, err);
    return n < 0 ? -1 : n > 0 ? STORE_EXISTS : STORE_OK;
}

int store_set_issue(struct store *st, struct job_ref ref, const struct job_issue *issue,
                    int64_t now_ms, struct job_list *ret_earlier, struct error *err)
{
    struct job_list list = { 0 };

    assert(issue->org && issue->id);
    if (tx_enter(st, true, err) < 0)
        return error_context(err, "store which issue a job is about");
    int rc = set_issue(st, ref, issue, now_ms, &list, err);
    rc = tx_leave(st, rc, "store which issue a job is about", err);
    if (rc == STORE_EXISTS)
        *ret_earlier = list;
    else
        job_list_clear(&list);
    return rc;
}

int store_set_playbook(struct store *st, struct job_ref ref, const char *playbook, const char *hash,
                       int64_t evaluated_ms, int64_t now_ms, struct error *err)
{
    if (tx_enter(st, true, err) < 0)
        return error_context(err, "store a job's playbook");
    int rc = hold(st, ref, now_ms, err);
    if (rc == STORE_OK &&
        sql_run(st->db,
                "UPDATE jobs SET playbook = $2, playbook_hash = $3, evaluated_ms = $4 "
                "WHERE id = $1",
                SQL_ARGS(SQL_T(ref.id), SQL_T(playbook), SQL_T(hash), SQL_TIME(evaluated_ms)), NULL,
                NULL, err) < 0)
        rc = -1;
    return tx_leave(st, rc, "store a job's playbook", err);
}

/* ---- messages ---- */

#define MESSAGE_COLUMNS                                                                            \
    "part, state, channel, thread_ts, ts, hash, intended_ms, sent_ms, lands_until_ms, fence"

struct stored_message {
    struct job_message message;
    int64_t fence;
};

static enum message_state parse_message_state(const char *name)
{
    static const enum message_state all[] = { MESSAGE_INTENDED, MESSAGE_SENT, MESSAGE_ABSENT };

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (strcmp(name, message_state_name(all[i])) == 0)
            return all[i];
    }
    return MESSAGE_UNKNOWN;
}

static void message_from_row(const struct sql_row *row, struct job_message *ret)
{
    ret->part = sql_text_dup(row, 0);
    ret->state = parse_message_state(sql_text(row, 1));
    ret->channel = sql_text_dup(row, 2);
    ret->thread_ts = sql_text_dup(row, 3);
    ret->ts = sql_text_dup(row, 4);
    ret->hash = sql_text_dup(row, 5);
    ret->intended_ms = sql_int(row, 6);
    ret->sent_ms = sql_time(row, 7);
    ret->lands_until_ms = sql_int(row, 8);
}

static void read_message(void *user, const struct sql_row *row)
{
    struct stored_message *m = user;

    message_from_row(row, &m->message);
    m->fence = sql_int(row, 9);
}

static void append_message(void *user, const struct sql_row *row)
{
    struct job_message_list *list = user;

    message_from_row(row, VEC_ADD(list->items, list->n, list->cap));
}

/* May this attempt post the part, given what is stored about it? */
static int may_post(const struct stored_message *m, int64_t fence)
{
    switch (m->message.state) {
    case MESSAGE_SENT:
        return STORE_EXISTS;
    case MESSAGE_ABSENT:
        return STORE_OK;
    case MESSAGE_INTENDED:
        /* Ours and without an outcome: the answer to the intent got lost, nothing was sent yet. */
        return m->fence == fence ? STORE_OK : STORE_UNRESOLVED;
    case MESSAGE_UNKNOWN:
        break;
    }
    return STORE_UNRESOLVED;
}

static int save_intent(struct store *st, struct job_ref ref, const char *part, const char *channel,
                       const char *thread_ts, int64_t timeout_ms, int64_t now_ms, struct error *err)
{
    return sql_run(st->db,
                   "INSERT INTO messages (job_id, part, state, channel, thread_ts, fence,"
                   " intended_ms, timeout_ms, lands_until_ms)"
                   " VALUES ($1, $2, 'intended', $3, $4, $5, $6, $7, $8) "
                   "ON CONFLICT (job_id, part) DO UPDATE SET state = excluded.state,"
                   " channel = excluded.channel, thread_ts = excluded.thread_ts,"
                   " fence = excluded.fence, intended_ms = excluded.intended_ms,"
                   " timeout_ms = excluded.timeout_ms, lands_until_ms = excluded.lands_until_ms",
                   SQL_ARGS(SQL_T(ref.id), SQL_T(part), SQL_T(channel), SQL_T(thread_ts),
                            SQL_I(ref.fence), SQL_I(now_ms), SQL_I(timeout_ms),
                            SQL_I(now_ms + timeout_ms)),
                   NULL, NULL, err) < 0
               ? -1
               : STORE_OK;
}

static int intend(struct store *st, struct job_ref ref, const char *part, const char *channel,
                  const char *thread_ts, int64_t timeout_ms, int64_t now_ms,
                  struct stored_message *ret, struct error *err)
{
    int rc = hold(st, ref, now_ms, err);

    if (rc != STORE_OK)
        return rc;
    int64_t n =
        sql_run(st->db, "SELECT " MESSAGE_COLUMNS " FROM messages WHERE job_id = $1 AND part = $2",
                SQL_ARGS(SQL_T(ref.id), SQL_T(part)), read_message, ret, err);
    if (n > 0)
        rc = may_post(ret, ref.fence);
    if (n < 0 || rc != STORE_OK)
        return n < 0 ? -1 : rc;
    return save_intent(st, ref, part, channel, thread_ts, timeout_ms, now_ms, err);
}

int store_message_intend(struct store *st, struct job_ref ref, const char *part,
                         const char *channel, const char *thread_ts, int64_t timeout_ms,
                         int64_t now_ms, struct job_message *ret_message, struct error *err)
{
    struct stored_message stored = { 0 };

    if (tx_enter(st, true, err) < 0)
        return error_context(err, "store that a message is about to be posted");
    int rc = intend(st, ref, part, channel, thread_ts, timeout_ms, now_ms, &stored, err);
    rc = tx_leave(st, rc, "store that a message is about to be posted", err);
    if (ret_message && (rc == STORE_EXISTS || rc == STORE_UNRESOLVED))
        *ret_message = stored.message;
    else
        job_message_clear(&stored.message);
    return rc;
}

static int sent(struct store *st, struct job_ref ref, const char *part, const char *channel,
                const char *ts, const char *hash, bool root, int64_t now_ms, struct error *err)
{
    int rc = hold(st, ref, now_ms, err);

    if (rc != STORE_OK)
        return rc;
    if (sql_run(st->db,
                "INSERT INTO messages (job_id, part, state, channel, ts, hash, fence, intended_ms,"
                " timeout_ms, lands_until_ms, sent_ms)"
                " VALUES ($1, $2, 'sent', $3, $4, $5, $6, $7, 0, $7, $7) "
                "ON CONFLICT (job_id, part) DO UPDATE SET state = excluded.state,"
                " channel = COALESCE(excluded.channel, messages.channel), ts = excluded.ts,"
                " hash = excluded.hash, fence = excluded.fence,"
                " sent_ms = COALESCE(messages.sent_ms, excluded.sent_ms)",
                SQL_ARGS(SQL_T(ref.id), SQL_T(part), SQL_T(channel), SQL_T(ts), SQL_T(hash),
                         SQL_I(ref.fence), SQL_I(now_ms)),
                NULL, NULL, err) < 0)
        return -1;
    if (!root)
        return STORE_OK;
    return sql_run(st->db,
                   "UPDATE jobs SET thread_ts = $2, channel = COALESCE($3, channel) WHERE id = $1",
                   SQL_ARGS(SQL_T(ref.id), SQL_T(ts), SQL_T(channel)), NULL, NULL, err) < 0
               ? -1
               : STORE_OK;
}

int store_message_sent(struct store *st, struct job_ref ref, const char *part, const char *channel,
                       const char *ts, const char *hash, bool root, int64_t now_ms,
                       struct error *err)
{
    if (tx_enter(st, true, err) < 0)
        return error_context(err, "store that a message was posted");
    return tx_leave(st, sent(st, ref, part, channel, ts, hash, root, now_ms, err),
                    "store that a message was posted", err);
}

static int edit(struct store *st, struct job_ref ref, const char *part, int64_t timeout_ms,
                int64_t now_ms, struct error *err)
{
    int rc = hold(st, ref, now_ms, err);

    if (rc != STORE_OK)
        return rc;
    int64_t n = sql_run(st->db,
                        "UPDATE messages SET hash = NULL, fence = $3, timeout_ms = $4,"
                        " lands_until_ms = $5 WHERE job_id = $1 AND part = $2 AND state = 'sent'",
                        SQL_ARGS(SQL_T(ref.id), SQL_T(part), SQL_I(ref.fence), SQL_I(timeout_ms),
                                 SQL_I(now_ms + timeout_ms)),
                        NULL, NULL, err);
    return n < 0 ? -1 : n == 0 ? STORE_NONE : STORE_OK;
}

int store_message_edit(struct store *st, struct job_ref ref, const char *part, int64_t timeout_ms,
                       int64_t now_ms, struct error *err)
{
    if (tx_enter(st, true, err) < 0)
        return error_context(err, "store that a message is about to be edited");
    return tx_leave(st, edit(st, ref, part, timeout_ms, now_ms, err),
                    "store that a message is about to be edited", err);
}

/* A part that was sent stays sent: an edit whose outcome is not known can just be repeated. */
static int set_message_state(struct store *st, struct job_ref ref, const char *part,
                             enum message_state state, int64_t now_ms, struct error *err)
{
    if (tx_enter(st, true, err) < 0)
        return error_context(err, "store what became of a message");
    int rc = hold(st, ref, now_ms, err);
    if (rc == STORE_OK) {
        int64_t n = sql_run(st->db,
                            "UPDATE messages SET state = $3, fence = $4,"
                            " lands_until_ms = CASE WHEN $3 = 'unknown' THEN $5 + timeout_ms"
                            " ELSE lands_until_ms END "
                            "WHERE job_id = $1 AND part = $2 AND state <> 'sent'",
                            SQL_ARGS(SQL_T(ref.id), SQL_T(part), SQL_T(message_state_name(state)),
                                     SQL_I(ref.fence), SQL_I(now_ms)),
                            NULL, NULL, err);
        rc = n < 0 ? -1 : n == 0 ? STORE_NONE : STORE_OK;
    }
    return tx_leave(st, rc, "store what became of a message", err);
}

int store_message_unknown(struct store *st, struct job_ref ref, const char *part, int64_t now_ms,
                          struct error *err)
{
    return set_message_state(st, ref, part, MESSAGE_UNKNOWN, now_ms, err);
}

int store_message_absent(struct store *st, struct job_ref ref, const char *part, int64_t now_ms,
                         struct error *err)
{
    return set_message_state(st, ref, part, MESSAGE_ABSENT, now_ms, err);
}

int store_messages(struct store *st, const char *id, struct job_message_list *ret,
                   struct error *err)
{
    struct job_message_list list = { 0 };
    int64_t n = tx_run(st, false, "read the messages of a job",
                       "SELECT " MESSAGE_COLUMNS " FROM messages WHERE job_id = $1 "
                       "ORDER BY intended_ms, part",
                       SQL_ARGS(SQL_T(id)), append_message, &list, err);

    if (n < 0) {
        job_message_list_clear(&list);
        return -1;
    }
    *ret = list;
    return STORE_OK;
}
