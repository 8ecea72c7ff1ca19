#include "pg_conn.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "dbconn/base/log.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"

#define MIN_SERVER_VERSION 130000
#define GRACE_MS 500 /* after the server's own statement_timeout should have answered */
#define PATIENT_MS (10 * MINUTE_MS)
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 1000

/* libpq's messages span lines and may quote the connection string. */
static void add_message(struct buf *out, const char *text)
{
    struct buf safe = BUF_INIT;

    redact(text, &safe);
    text_clean(buf_str(&safe), true, out);
    buf_clear(&safe);
}

void pg_disconnect(struct pg_db *p)
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

int pg_lost(struct pg_db *p, struct error *err)
{
    fail_away(p, "the connection to PostgreSQL broke", p->pq.PQerrorMessage(p->conn), err);
    pg_disconnect(p);
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
    { "25P03", STORE_FAULT_AWAY, true,
      "PostgreSQL ended a transaction in which this process stood still" },
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
        return pg_lost(p, err); /* libpq's own error: no word from the server */
    while (strncmp(state, sqlstates[i].state, strlen(sqlstates[i].state)) != 0)
        i++;
    add_message(&why, primary);
    sql_fail(&p->sql, sqlstates[i].fault, err, "%s (%s, SQLSTATE %s)", sqlstates[i].advice,
             buf_str(&why), state);
    buf_clear(&why);
    if (sqlstates[i].reconnect)
        pg_disconnect(p);
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

/* PostgreSQL does not answer, but its connection stands: it hangs, or the way to it does. */
static int fail_silent(struct pg_db *p, struct error *err)
{
    fail_away(p, "PostgreSQL does not answer", "no reply in time", err);
    pg_disconnect(p);
    p->next_try_ms = clock_mono_ms() + PAUSE_MIN_MS; /* connecting would hang as well */
    return -1;
}

/* The last result of what was sent, or the first that failed; NULL with `err` when there is none.
 */
static PGresult *read_results(struct pg_db *p, struct error *err)
{
    int64_t limit_ms = p->sql.patient ? PATIENT_MS : p->busy_ms;
    int64_t deadline_ms = clock_mono_ms() + limit_ms + GRACE_MS;
    PGresult *kept = NULL, *next;
    int rc;

    while ((rc = exchange(p, deadline_ms)) > 0 && (next = p->pq.PQgetResult(p->conn))) {
        bool failed = kept && p->pq.PQresultStatus(kept) == PGRES_FATAL_ERROR;
        p->pq.PQclear(failed ? next : kept);
        kept = failed ? kept : next;
    }
    if (rc > 0 && kept)
        return kept;
    p->pq.PQclear(kept);
    if (rc == 0)
        fail_silent(p, err);
    else
        pg_lost(p, err);
    return NULL;
}

int pg_receive(struct pg_db *p, int sent, PGresult **ret, struct error *err)
{
    if (!sent)
        return pg_lost(p, err);
    PGresult *result = read_results(p, err);
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

int pg_need(struct pg_db *p, struct error *err)
{
    if (p->conn)
        return 0;
    return sql_fail(&p->sql, STORE_FAULT_AWAY, err, "not connected to PostgreSQL (%s)",
                    buf_str(&p->away_why));
}

int pg_script(struct pg_db *p, const char *text, struct error *err)
{
    PGresult *result;

    if (pg_need(p, err) < 0 || pg_receive(p, p->pq.PQsendQuery(p->conn, text), &result, err))
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

/* A process that stands still within a transaction (SIGSTOP, a frozen machine) holds its locks: the
 * server ends that before others have waited in vain. What it wanted is done anew. */
static int set_up_session(struct pg_db *p, struct error *err)
{
    char *text =
        xasprintf("SET search_path TO dbconn;"
                  "SET statement_timeout = %lld;"
                  "SET lock_timeout = %lld;"
                  "SET idle_in_transaction_session_timeout = %lld;"
                  /* Whatever else the server's default is, acknowledged means on disk. */
                  "SELECT set_config('synchronous_commit', 'on', false) "
                  "WHERE current_setting('synchronous_commit') = 'off';"
                  "LISTEN " PG_CHANNEL,
                  (long long)p->busy_ms, (long long)p->busy_ms * 2 / 3, (long long)p->busy_ms / 2);
    int rc = pg_script(p, text, err);

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
    pg_disconnect(p);
    return -1;
}

int pg_connect(struct pg_db *p, struct error *err)
{
    pg_disconnect(p);
    p->conn = dial(p);
    if (!p->conn)
        return fail_away(p, "cannot connect to PostgreSQL", "out of memory", err);
    if (p->pq.PQstatus(p->conn) != CONNECTION_OK) {
        fail_away(p, "cannot connect to PostgreSQL", p->pq.PQerrorMessage(p->conn), err);
        pg_disconnect(p);
        return -1;
    }
    p->pq.PQsetNoticeReceiver(p->conn, ignore_notice, NULL);
    p->pq.PQsetnonblocking(p->conn, 1);
    if (refuse_old(p, err) < 0)
        return -1;
    if (set_up_session(p, err) < 0) {
        pg_disconnect(p);
        return -1;
    }
    p->missed_news = true;
    return 0;
}

int pg_reconnect(struct pg_db *p, struct error *err)
{
    int64_t now = clock_mono_ms();

    if (now < p->next_try_ms)
        return pg_need(p, err);
    if (pg_connect(p, err) < 0) {
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
