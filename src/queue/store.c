#include "store_priv.h"

#include <string.h>

#include "schema.h"

#define DEFAULT_BUSY_MS 1500

static int open_sql(const char *url, int64_t busy_ms, struct sql **ret, struct error *err)
{
    static const char sqlite[] = "sqlite:";

    if (!url || !*url)
        return error_set(err, ERR_CONFIG, "no database URL");
    if (strncmp(url, sqlite, strlen(sqlite)) == 0) {
        if (!url[strlen(sqlite)])
            return error_set(err, ERR_CONFIG, "the database URL \"sqlite:\" lacks the file's path");
        return sql_open_sqlite(url + strlen(sqlite), busy_ms, ret, err);
    }
    if (strncmp(url, "postgresql://", 13) == 0 || strncmp(url, "postgres://", 11) == 0)
        return sql_open_postgres(url, busy_ms, ret, err);
    /* The rest of the URL may hold a password. */
    return error_set(err, ERR_CONFIG,
                     "unknown kind of database URL \"%.*s\": expected sqlite:PATH or "
                     "postgresql://...",
                     (int)strcspn(url, ":/@"), url);
}

int store_open(const char *url, const struct store_options *options, struct store **ret,
               struct error *err)
{
    int64_t busy_ms = options && options->busy_ms > 0 ? options->busy_ms : DEFAULT_BUSY_MS;
    struct sql *db = NULL;

    if (open_sql(url, busy_ms, &db, err) < 0)
        return error_context(err, "open the queue's store");
    if (schema_migrate(db, err) < 0) {
        db->driver->close(db);
        return error_context(err, "open the queue's store");
    }
    struct store *st = xcalloc(1, sizeof(*st));
    st->db = db;
    *ret = st;
    return 0;
}

void store_close(struct store *st)
{
    if (!st)
        return;
    sql_rollback(st->db);
    st->db->driver->close(st->db);
    free(st);
}

bool store_is_shared(const struct store *st)
{
    return st->db->driver->shared;
}

enum store_fault store_last_fault(const struct store *st)
{
    return st->db->fault;
}

int store_wait_fd(const struct store *st)
{
    return st->db->driver->wait_fd(st->db);
}

int64_t store_idle(struct store *st, int64_t now_mono_ms, bool *ret_news)
{
    return st->db->driver->idle(st->db, now_mono_ms, ret_news);
}

bool store_take_news(struct store *st)
{
    bool news = st->news;

    st->news = false;
    return news;
}

/* ---- transactions ---- */

static int begin(struct store *st, bool write, struct error *err)
{
    st->makes_due = false;
    if (sql_begin(st->db, write, err) < 0)
        return -1;
    if (!st->db->driver->alone(st->db))
        st->waiting.counted = false;
    return 0;
}

static int commit(struct store *st, struct error *err)
{
    const struct sql_driver *driver = st->db->driver;

    if (st->makes_due && driver->shared && driver->notify(st->db, err) < 0)
        return -1;
    if (sql_commit(st->db, err) < 0)
        return -1;
    st->news = st->news || st->makes_due;
    return 0;
}

int store_begin(struct store *st, bool write, struct error *err)
{
    if (begin(st, write, err) < 0)
        return error_context(err, "begin");
    st->in_group = true;
    return 0;
}

int store_commit(struct store *st, struct error *err)
{
    int rc = commit(st, err);

    if (rc < 0) {
        store_rollback(st);
        return error_context(err, "commit");
    }
    st->in_group = false;
    return 0;
}

static void rollback(struct store *st)
{
    sql_rollback(st->db);
    st->waiting.counted = false;
}

void store_rollback(struct store *st)
{
    rollback(st);
    st->in_group = false;
}

int tx_enter(struct store *st, bool write, struct error *err)
{
    return st->in_group ? 0 : begin(st, write, err);
}

int tx_leave(struct store *st, int rc, const char *what, struct error *err)
{
    if (!st->in_group && rc >= 0 && commit(st, err) < 0)
        rc = -1;
    if (rc >= 0)
        return rc;
    if (!st->in_group)
        rollback(st);
    return error_context(err, "%s", what);
}

int64_t tx_run(struct store *st, bool write, const char *what, const char *text,
               const struct sql_arg *args, size_t n, sql_row_fn *row, void *user, struct error *err)
{
    int64_t count = -1;

    if (tx_enter(st, write, err) < 0)
        return error_context(err, "%s", what);
    count = sql_run(st->db, text, args, n, row, user, err);
    return tx_leave(st, count < 0 ? -1 : 0, what, err) < 0 ? -1 : count;
}

int hold(struct store *st, struct job_ref ref, int64_t now_ms, struct error *err)
{
    int64_t n = sql_run(st->db,
                        "UPDATE jobs SET touched_ms = $3 "
                        "WHERE id = $1 AND fence = $2 AND owner IS NOT NULL",
                        SQL_ARGS(SQL_T(ref.id), SQL_I(ref.fence), SQL_I(now_ms)), NULL, NULL, err);

    return n < 0 ? -1 : n == 0 ? STORE_LEASE_LOST : STORE_OK;
}

/* ---- job rows ---- */

enum field_kind { FIELD_TEXT, FIELD_INT, FIELD_TIME, FIELD_STATE };

static const struct {
    enum field_kind kind;
    size_t offset;
} job_fields[] = { { FIELD_TEXT, offsetof(struct job, id) },
#define X(kind, name) { FIELD_##kind, offsetof(struct job, name) },
                   JOB_FIELDS(X)
#undef X
};

int job_column_count(void)
{
    return (int)ARRAY_LEN(job_fields);
}

void job_from_row(const struct sql_row *row, struct job *ret)
{
    for (int i = 0; i < (int)ARRAY_LEN(job_fields); i++) {
        void *slot = (char *)ret + job_fields[i].offset;
        switch (job_fields[i].kind) {
        case FIELD_TEXT:
            *(char **)slot = sql_text_dup(row, i);
            break;
        case FIELD_INT:
            *(int64_t *)slot = sql_int(row, i);
            break;
        case FIELD_TIME:
            *(int64_t *)slot = sql_time(row, i);
            break;
        case FIELD_STATE:
            (void)job_state_parse(sql_text(row, i), slot);
            break;
        }
    }
}

void job_row_first(void *ret_job, const struct sql_row *row)
{
    if (row->index == 0)
        job_from_row(row, ret_job);
}

void job_row_append(void *ret_list, const struct sql_row *row)
{
    struct job_list *list = ret_list;

    job_from_row(row, VEC_ADD(list->items, list->n, list->cap));
}
