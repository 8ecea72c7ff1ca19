/*
 * PostgreSQL 13 or newer: one connection for statements and for LISTEN. Wants a direct connection,
 * or a pooler in session mode: prepared statements and LISTEN belong to the session.
 * https://www.postgresql.org/docs/current/libpq.html
 */
#include "sql.h"

#include <stdio.h>
#include <string.h>

#include "pg_conn.h"

struct pg_row {
    const struct libpq *pq;
    const PGresult *result;
};

static const struct sql_driver postgres_driver;

static struct pg_db *of(const struct sql *db)
{
    return (struct pg_db *)(void *)(uintptr_t)db;
}

static bool row_is_null(const struct sql_row *row, int column)
{
    const struct pg_row *at = row->impl;

    return at->pq->PQgetisnull(at->result, (int)row->index, column) != 0;
}

static const char *row_text(const struct sql_row *row, int column)
{
    const struct pg_row *at = row->impl;

    return at->pq->PQgetvalue(at->result, (int)row->index, column);
}

static int64_t row_num(const struct sql_row *row, int column)
{
    return strtoll(row_text(row, column), NULL, 10);
}

static int prepare(struct pg_db *p, const char *text, char *ret_name, size_t size,
                   struct error *err)
{
    PGresult *result;
    size_t i = 0;

    while (i < p->n_kept && p->kept[i] != text)
        i++;
    snprintf(ret_name, size, "s%zu", i);
    if (i < p->n_kept)
        return 0;
    if (pg_receive(p, p->pq.PQsendPrepare(p->conn, ret_name, text, 0, NULL), &result, err) < 0)
        return -1;
    p->pq.PQclear(result);
    *VEC_ADD(p->kept, p->n_kept, p->cap_kept) = text;
    return 0;
}

static int send_run(struct pg_db *p, const char *text, bool keep, const char *const *values, int n,
                    PGresult **ret, struct error *err)
{
    char name[24];

    if (!keep)
        return pg_receive(p, p->pq.PQsendQueryParams(p->conn, text, n, NULL, values, NULL, NULL, 0),
                          ret, err);
    if (prepare(p, text, name, sizeof(name), err) < 0)
        return -1;
    return pg_receive(p, p->pq.PQsendQueryPrepared(p->conn, name, n, values, NULL, NULL, 0), ret,
                      err);
}

static int64_t postgres_run(struct sql *db, const char *text, bool keep, const struct sql_arg *args,
                            size_t n, sql_row_fn *row, void *user, struct error *err)
{
    struct pg_db *p = of(db);
    const char *values[SQL_MAX_ARGS];
    char numbers[SQL_MAX_ARGS][24];
    PGresult *result;

    if (pg_need(p, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        snprintf(numbers[i], sizeof(numbers[i]), "%lld", (long long)args[i].num);
        values[i] = args[i].kind == SQL_NULL  ? NULL
                    : args[i].kind == SQL_INT ? numbers[i]
                                              : args[i].text;
    }
    if (send_run(p, text, keep, values, (int)n, &result, err) < 0)
        return -1;

    struct pg_row at = { &p->pq, result };
    int64_t rows = p->pq.PQntuples(result);
    if (p->pq.PQresultStatus(result) != PGRES_TUPLES_OK)
        rows = strtoll(p->pq.PQcmdTuples(result), NULL, 10);
    else
        for (int64_t i = 0; row && i < rows; i++)
            row(user, &(struct sql_row){ &postgres_driver, &at, i });
    p->pq.PQclear(result);
    return rows;
}

static int postgres_script(struct sql *db, const char *text, struct error *err)
{
    return pg_script(of(db), text, err);
}

/* The server may have gone while we were idle: nothing was begun yet, so this may be done anew. */
static int postgres_begin(struct sql *db, bool write, struct error *err)
{
    struct pg_db *p = of(db);
    const char *text = db->patient ? "BEGIN; SET LOCAL statement_timeout = 0;"
                                     " SET LOCAL lock_timeout = 0"
                       : write     ? "BEGIN"
                                   : "BEGIN READ ONLY";

    if (p->conn) {
        if (pg_script(p, text, err) == 0)
            return 0;
        if (p->conn || clock_mono_ms() < p->next_try_ms)
            return -1;
    }
    return pg_reconnect(p, err) < 0 ? -1 : pg_script(p, text, err);
}

static int postgres_commit(struct sql *db, struct error *err)
{
    struct pg_db *p = of(db);
    PGresult *result;

    if (pg_need(p, err) < 0 ||
        pg_receive(p, p->pq.PQsendQuery(p->conn, "COMMIT"), &result, err) < 0)
        return -1;
    /* A transaction in which a statement failed ends with success and the tag ROLLBACK. */
    bool committed = strcmp(p->pq.PQcmdStatus(result), "COMMIT") == 0;
    p->pq.PQclear(result);
    if (!committed)
        return sql_fail(db, STORE_FAULT_CONFLICT, err, "PostgreSQL rolled the transaction back");
    return 0;
}

static void postgres_rollback(struct sql *db)
{
    struct pg_db *p = of(db);

    if (p->conn && pg_script(p, "ROLLBACK", NULL) < 0)
        pg_disconnect(p);
}

static int postgres_has_table(struct sql *db, const char *name, struct error *err)
{
    int64_t n = sql_run(db,
                        "SELECT 1 FROM pg_catalog.pg_tables "
                        "WHERE schemaname = 'dbconn' AND tablename = $1",
                        SQL_ARGS(SQL_T(name)), NULL, NULL, err);

    return n < 0 ? -1 : n > 0;
}

static int postgres_lock(struct sql *db, const char *name, struct error *err)
{
    return sql_run(db,
                   "SELECT pg_catalog.pg_advisory_xact_lock("
                   "pg_catalog.hashtextextended('dbconn:' || $1::text, 0))",
                   SQL_ARGS(SQL_T(name)), NULL, NULL, err) < 0
               ? -1
               : 0;
}

static int postgres_notify(struct sql *db, struct error *err)
{
    return pg_script(of(db), "NOTIFY " PG_CHANNEL, err);
}

static bool postgres_alone(struct sql *db)
{
    (void)db; /* nobody tells */
    return false;
}

static int postgres_wait_fd(const struct sql *db)
{
    const struct pg_db *p = of(db);

    return p->conn ? p->pq.PQsocket(p->conn) : -1;
}

static int64_t postgres_idle(struct sql *db, int64_t now_mono_ms, bool *news)
{
    struct pg_db *p = of(db);
    struct error err = ERROR_INIT;
    PGnotify *note;

    if (p->conn && !p->pq.PQconsumeInput(p->conn))
        pg_lost(p, &err);
    if (!p->conn && pg_reconnect(p, &err) < 0) {
        error_clear(&err);
        return p->next_try_ms > now_mono_ms ? p->next_try_ms - now_mono_ms : 1;
    }
    error_clear(&err);
    while ((note = p->pq.PQnotifies(p->conn))) {
        p->pq.PQfreemem(note);
        *news = true;
    }
    *news = *news || p->missed_news;
    p->missed_news = false;
    return -1;
}

static int postgres_adopt(struct sql *db, struct error *err)
{
    (void)db; /* leases of a replica that died run out by themselves */
    (void)err;
    return 0;
}

static int postgres_check(struct sql *db, struct error *err)
{
    /* The server checks its own pages; that ours can be read is what can be told from here. */
    return sql_run(db, "SELECT count(*) FROM jobs", SQL_NO_ARGS, NULL, NULL, err) < 0 ? -1 : 0;
}

static int postgres_backup(struct sql *db, const char *path, struct error *err)
{
    (void)db;
    (void)path;
    return error_set(err, ERR_CONFIG,
                     "the queue is in PostgreSQL: back it up there, with pg_dump --schema=dbconn");
}

static void postgres_close(struct sql *db)
{
    struct pg_db *p = of(db);

    pg_disconnect(p);
    libpq_unload(&p->pq);
    buf_clear(&p->away_why);
    free(p->kept);
    free(p->url);
    free(p);
}

static const struct sql_driver postgres_driver = {
    .name = "postgresql",
    .serial = "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
    .shared = true,
    .begin = postgres_begin,
    .commit = postgres_commit,
    .rollback = postgres_rollback,
    .run = postgres_run,
    .script = postgres_script,
    .has_table = postgres_has_table,
    .lock = postgres_lock,
    .notify = postgres_notify,
    .alone = postgres_alone,
    .wait_fd = postgres_wait_fd,
    .idle = postgres_idle,
    .adopt = postgres_adopt,
    .check = postgres_check,
    .backup = postgres_backup,
    .close = postgres_close,
    .is_null = row_is_null,
    .text = row_text,
    .num = row_num,
};

/* IF NOT EXISTS would ask for the right to create before it looks. */
static int make_schema(struct sql *db, struct error *err)
{
    int64_t n;

    if (sql_begin(db, true, err) < 0)
        return -1;
    if (sql_lock(db, "schema", err) < 0)
        goto fail;
    n = sql_run(db, "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'dbconn'", SQL_NO_ARGS,
                NULL, NULL, err);
    if (n < 0)
        goto fail;
    if (n == 0 && postgres_script(db, "CREATE SCHEMA dbconn", err) < 0) {
        error_context(err, "create the schema dbconn (or let an administrator: CREATE SCHEMA "
                           "dbconn AUTHORIZATION <role>)");
        goto fail;
    }
    if (sql_commit(db, err) == 0)
        return 0;
fail:
    sql_rollback(db);
    return -1;
}

int sql_open_postgres(const char *url, int64_t busy_ms, struct sql **ret, struct error *err)
{
    struct pg_db *p = xcalloc(1, sizeof(*p));

    p->sql.driver = &postgres_driver;
    p->url = xstrdup(url);
    p->busy_ms = busy_ms;
    if (libpq_load(&p->pq, err) < 0 || pg_connect(p, err) < 0 || make_schema(&p->sql, err) < 0) {
        postgres_close(&p->sql);
        return -1;
    }
    p->missed_news = false;
    *ret = &p->sql;
    return 0;
}
