/*
 * PostgreSQL 13 or newer: one connection for statements and for LISTEN, made again with growing
 * pauses when it breaks. Statements wait on the socket with a deadline of our own, since a server
 * that was stopped keeps its connections open. Wants a direct connection or a pooler in session
 * mode: prepared statements and LISTEN belong to the session.
 * https://www.postgresql.org/docs/current/libpq.html
 */
#include "sql.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "dbconn/base/log.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"
#include "libpq.h"

#define MIN_SERVER_VERSION 130000
#define GRACE_MS 500 /* after the server's own statement_timeout should have answered */
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 1000
#define CHANNEL "dbconn_queue"

struct pg_db {
    struct sql sql;
    struct libpq pq;
    char *url;
    int64_t busy_ms;
    PGconn *conn;      /* NULL while away */
    const char **kept; /* literals prepared on this connection: "s0", "s1", ... */
    size_t n_kept, cap_kept;
    int64_t pause_ms, next_try_ms; /* while away; monotonic */
    struct buf away_why;
    bool missed_news; /* connected anew: notifications may have been lost */
};

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

/* libpq's messages span lines and may quote the connection string. */
static void add_message(struct buf *out, const char *text)
{
    struct buf safe = BUF_INIT;

    redact(text, &safe);
    text_clean(buf_str(&safe), true, out);
    buf_clear(&safe);
}

static void disconnect(struct pg_db *p)
{
    if (p->conn)
        p->pq.PQfinish(p->conn);
    p->conn = NULL;
    p->n_kept = 0;
    p->sql.in_transaction = false;
}

static int fail_away(struct pg_db *p, const char *what, const char *detail, struct error *err)
{
    struct buf why = BUF_INIT;

    add_message(&why, detail);
    buf_reset(&p->away_why);
    buf_adds(&p->away_why, buf_str(&why));
    sql_fail(&p->sql, STORE_FAULT_AWAY, err, "%s (%s)", what, buf_str(&why));
    buf_clear(&why);
    return -1;
}

static int fail_lost(struct pg_db *p, struct error *err)
{
    fail_away(p, "the connection to PostgreSQL broke", p->pq.PQerrorMessage(p->conn), err);
    disconnect(p);
    return -1;
}

/*
 * What an error means, by its SQLSTATE
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html). The detail field is left out:
 * it quotes values.
 */
static const struct {
    const char *state; /* a prefix */
    enum store_fault fault;
    bool reconnect;
    const char *advice;
} sqlstates[] = {
    { "40001", STORE_FAULT_CONFLICT, false, "collided with another writer" },
    { "40P01", STORE_FAULT_CONFLICT, false, "collided with another writer" },
    { "55P03", STORE_FAULT_REQUEST, false,
      "a row of the queue is locked by another session: end its transaction" },
    { "57014", STORE_FAULT_REQUEST, false,
      "PostgreSQL took too long: look for locks on the queue's tables, and for load" },
    { "57P", STORE_FAULT_AWAY, true, "PostgreSQL is restarting or shutting down" },
    { "08", STORE_FAULT_AWAY, true, "the connection to PostgreSQL broke" },
    { "53100", STORE_FAULT_AWAY, false, "PostgreSQL's disk is full: free some space there" },
    { "53", STORE_FAULT_AWAY, false, "PostgreSQL is short of resources" },
    { "25006", STORE_FAULT_AWAY, true,
      "PostgreSQL is read-only (a standby?): name the primary in the URL" },
    { "26000", STORE_FAULT_AWAY, true,
      "PostgreSQL forgot this session's statements: connect directly, or through a pooler in "
      "session mode" },
    { "42501", STORE_FAULT_REQUEST, false,
      "PostgreSQL's role may not do this: let it own the schema dbconn" },
    { "", STORE_FAULT_REQUEST, false, "PostgreSQL refused a statement" },
};

static int fail_result(struct pg_db *p, const PGresult *result, struct error *err)
{
    const char *state = p->pq.PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = p->pq.PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    struct buf why = BUF_INIT;
    size_t i = 0;

    if (!state)
        return fail_lost(p, err); /* libpq's own error: no word from the server */
    while (strncmp(state, sqlstates[i].state, strlen(sqlstates[i].state)) != 0)
        i++;
    add_message(&why, primary);
    sql_fail(&p->sql, sqlstates[i].fault, err, "%s (%s, SQLSTATE %s)", sqlstates[i].advice,
             buf_str(&why), state);
    buf_clear(&why);
    if (sqlstates[i].reconnect)
        disconnect(p);
    return -1;
}

/* Waits until the socket is ready or the deadline passed; false: passed. */
static bool wait_socket(struct pg_db *p, short events, int64_t deadline_ms)
{
    struct pollfd pfd = { p->pq.PQsocket(p->conn), events, 0 };

    for (;;) {
        int64_t left = deadline_ms - clock_mono_ms();
        int n = left > 0 ? poll(&pfd, 1, (int)left) : 0;
        if (n >= 0 || errno != EINTR)
            return n > 0;
    }
}

/* Sends what is queued and reads until a result is complete. 1: ready; 0: too late; -1: lost. */
static int exchange(struct pg_db *p, int64_t deadline_ms)
{
    int unsent;

    while ((unsent = p->pq.PQflush(p->conn)) == 1 || p->pq.PQisBusy(p->conn)) {
        if (!wait_socket(p, (short)(POLLIN | (unsent == 1 ? POLLOUT : 0)), deadline_ms))
            return 0;
        if (!p->pq.PQconsumeInput(p->conn))
            return -1;
    }
    return unsent < 0 ? -1 : 1;
}

/* The last result of what was sent, or the first that failed; NULL with `err` when lost. */
static PGresult *receive(struct pg_db *p, struct error *err)
{
    int64_t deadline_ms = clock_mono_ms() + p->busy_ms + GRACE_MS;
    PGresult *kept = NULL, *next;

    for (;;) {
        int rc = exchange(p, deadline_ms);
        if (rc <= 0) {
            if (kept)
                p->pq.PQclear(kept);
            if (rc < 0)
                fail_lost(p, err);
            else
                fail_away(p, "PostgreSQL does not answer", "no reply in time", err);
            disconnect(p);
            return NULL;
        }
        next = p->pq.PQgetResult(p->conn);
        if (!next)
            break;
        if (kept && p->pq.PQresultStatus(kept) == PGRES_FATAL_ERROR) {
            p->pq.PQclear(next);
            continue;
        }
        if (kept)
            p->pq.PQclear(kept);
        kept = next;
    }
    if (!kept)
        fail_lost(p, err);
    return kept;
}

/* `sent` is what the PQsend function gave. The caller clears *ret. */
static int outcome(struct pg_db *p, int sent, PGresult **ret, struct error *err)
{
    if (!sent)
        return fail_lost(p, err);
    PGresult *result = receive(p, err);
    if (!result)
        return -1;
    ExecStatusType status = p->pq.PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        fail_result(p, result, err);
        p->pq.PQclear(result);
        return -1;
    }
    *ret = result;
    return 0;
}

static int need_connection(struct pg_db *p, struct error *err)
{
    if (p->conn)
        return 0;
    return sql_fail(&p->sql, STORE_FAULT_AWAY, err, "not connected to PostgreSQL (%s)",
                    buf_str(&p->away_why));
}

static int script(struct pg_db *p, const char *text, struct error *err)
{
    PGresult *result;

    if (need_connection(p, err) < 0 || outcome(p, p->pq.PQsendQuery(p->conn, text), &result, err))
        return -1;
    p->pq.PQclear(result);
    return 0;
}

/* ---- the connection ---- */

static void ignore_notice(void *user, const PGresult *result)
{
    (void)user;
    (void)result;
}

static PGconn *dial(struct pg_db *p)
{
    /* What stands before the URL is a default that it can override; what follows is ours. */
    const char *const keys[] = {
        "connect_timeout",
        "tcp_user_timeout",
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "target_session_attrs",
        "dbname",
        "client_encoding",
        "fallback_application_name",
        NULL,
    };
    const char *const values[] = { "2",          "3000", "5",    "2",      "3",
                                   "read-write", p->url, "UTF8", "dbconn", NULL };

    return p->pq.PQconnectdbParams(keys, values, 1);
}

static int set_up_session(struct pg_db *p, struct error *err)
{
    char *text = xasprintf("SET search_path TO dbconn;"
                           "SET statement_timeout = %lld;"
                           "SET lock_timeout = %lld;"
                           "SET idle_in_transaction_session_timeout = 60000;"
                           /* Whatever else the server's default is, acknowledged means on disk. */
                           "SELECT set_config('synchronous_commit', 'on', false) "
                           "WHERE current_setting('synchronous_commit') = 'off';"
                           "LISTEN " CHANNEL,
                           (long long)p->busy_ms, (long long)p->busy_ms * 2 / 3);
    int rc = script(p, text, err);

    free(text);
    return rc;
}

static int refuse_old(struct pg_db *p, struct error *err)
{
    int version = p->pq.PQserverVersion(p->conn);

    if (version >= MIN_SERVER_VERSION)
        return 0;
    sql_fail(&p->sql, STORE_FAULT_REQUEST, err,
             "the PostgreSQL server is version %d: 13 or newer is needed", version / 10000);
    disconnect(p);
    return -1;
}

static int connect_now(struct pg_db *p, struct error *err)
{
    disconnect(p);
    p->conn = dial(p);
    if (!p->conn)
        return fail_away(p, "cannot connect to PostgreSQL", "out of memory", err);
    if (p->pq.PQstatus(p->conn) != CONNECTION_OK) {
        fail_away(p, "cannot connect to PostgreSQL", p->pq.PQerrorMessage(p->conn), err);
        disconnect(p);
        return -1;
    }
    p->pq.PQsetNoticeReceiver(p->conn, ignore_notice, NULL);
    p->pq.PQsetnonblocking(p->conn, 1);
    if (refuse_old(p, err) < 0)
        return -1;
    if (set_up_session(p, err) < 0) {
        disconnect(p);
        return -1;
    }
    p->missed_news = true;
    return 0;
}

static int reconnect(struct pg_db *p, struct error *err)
{
    int64_t now = clock_mono_ms();

    if (now < p->next_try_ms)
        return need_connection(p, err);
    if (connect_now(p, err) < 0) {
        p->pause_ms = p->pause_ms ? p->pause_ms * 2 : PAUSE_MIN_MS;
        if (p->pause_ms > PAUSE_MAX_MS)
            p->pause_ms = PAUSE_MAX_MS;
        p->next_try_ms = clock_mono_ms() + p->pause_ms;
        return -1;
    }
    if (p->pause_ms)
        LOG(INFO, "store.reconnected", F_STR("store", "postgresql"));
    p->pause_ms = p->next_try_ms = 0;
    return 0;
}

/* ---- statements ---- */

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
    if (outcome(p, p->pq.PQsendPrepare(p->conn, ret_name, text, 0, NULL), &result, err) < 0)
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
        return outcome(p, p->pq.PQsendQueryParams(p->conn, text, n, NULL, values, NULL, NULL, 0),
                       ret, err);
    if (prepare(p, text, name, sizeof(name), err) < 0)
        return -1;
    return outcome(p, p->pq.PQsendQueryPrepared(p->conn, name, n, values, NULL, NULL, 0), ret, err);
}

static int64_t postgres_run(struct sql *db, const char *text, bool keep, const struct sql_arg *args,
                            size_t n, sql_row_fn *row, void *user, struct error *err)
{
    struct pg_db *p = of(db);
    const char *values[SQL_MAX_ARGS];
    char numbers[SQL_MAX_ARGS][24];
    PGresult *result;

    if (need_connection(p, err) < 0)
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
    return script(of(db), text, err);
}

/* The server may have gone while we were idle: nothing was begun yet, so this may be done anew. */
static int postgres_begin(struct sql *db, bool write, struct error *err)
{
    struct pg_db *p = of(db);
    const char *text = write ? "BEGIN" : "BEGIN READ ONLY";

    if (p->conn && script(p, text, err) == 0)
        return 0;
    if (p->conn)
        return -1;
    return reconnect(p, err) < 0 ? -1 : script(p, text, err);
}

static int postgres_commit(struct sql *db, struct error *err)
{
    struct pg_db *p = of(db);
    PGresult *result;

    if (need_connection(p, err) < 0 ||
        outcome(p, p->pq.PQsendQuery(p->conn, "COMMIT"), &result, err) < 0)
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

    if (p->conn && script(p, "ROLLBACK", NULL) < 0)
        disconnect(p);
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
    return script(of(db), "NOTIFY " CHANNEL, err);
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
        fail_lost(p, &err);
    if (!p->conn && reconnect(p, &err) < 0) {
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

    disconnect(p);
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
    if (libpq_load(&p->pq, err) < 0 || connect_now(p, err) < 0 || make_schema(&p->sql, err) < 0) {
        postgres_close(&p->sql);
        return -1;
    }
    p->missed_news = false;
    *ret = &p->sql;
    return 0;
}
