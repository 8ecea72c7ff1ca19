#include "schema.h"

#include <string.h>

/*
 * Entry n leads from version n to n + 1. Append only: what was released stays as it is. "%SERIAL%"
 * is the driver's key that counts up by itself.
 *
 * Indexes on jobs are partial where they can be, so that finished jobs, which are nearly all of
 * them, do not slow what happens all the time: jobs_claimable serves claim, position and the queue
 * limit, jobs_leased finds leases that ran out. (SQLite reads an index alone only when it holds the
 * column of its own condition, too.)
 */
static const char *const migrations[] = {
    "CREATE TABLE jobs ("
    "  seq %SERIAL%,"
    "  id TEXT NOT NULL UNIQUE,"
    "  state TEXT NOT NULL,"
    "  claimable BIGINT NOT NULL,"
    "  priority BIGINT NOT NULL,"
    "  source TEXT NOT NULL,"
    "  workspace TEXT NOT NULL,"
    "  channel TEXT,"
    "  requester TEXT,"
    "  thread_ts TEXT,"
    "  issue_ref TEXT NOT NULL,"
    "  request TEXT,"
    "  playbook TEXT,"
    "  playbook_hash TEXT,"
    "  evaluated_ms BIGINT,"
    "  parent_id TEXT,"
    "  issue_org TEXT,"
    "  issue_id TEXT,"
    "  issue_short_id TEXT,"
    "  issue_title TEXT,"
    "  issue_url TEXT,"
    "  issue_order BIGINT,"
    "  cause TEXT,"
    "  confidence TEXT,"
    "  summary TEXT,"
    "  fingerprint TEXT,"
    "  target_host TEXT,"
    "  target_port TEXT,"
    "  error TEXT,"
    "  created_ms BIGINT NOT NULL,"
    "  next_due_ms BIGINT NOT NULL,"
    "  started_ms BIGINT,"
    "  finished_ms BIGINT,"
    "  touched_ms BIGINT NOT NULL,"
    "  attempts BIGINT NOT NULL,"
    "  attempts_total BIGINT NOT NULL,"
    "  fence BIGINT NOT NULL,"
    "  owner TEXT,"
    "  lease_until_ms BIGINT,"
    "  cancel_by TEXT,"
    "  response_url TEXT,"
    "  response_url_until_ms BIGINT);"
    "CREATE INDEX jobs_claimable ON jobs (priority DESC, seq, next_due_ms, state, claimable)"
    "  WHERE claimable = 1;"
    "CREATE INDEX jobs_leased ON jobs (lease_until_ms) WHERE owner IS NOT NULL;"
    "CREATE INDEX jobs_response_url ON jobs (response_url_until_ms)"
    "  WHERE response_url IS NOT NULL;"
    "CREATE INDEX jobs_state ON jobs (state, seq);"
    "CREATE INDEX jobs_finished ON jobs (finished_ms) WHERE finished_ms IS NOT NULL;"
    "CREATE INDEX jobs_issue ON jobs (issue_id, issue_org, issue_order)"
    "  WHERE issue_id IS NOT NULL;"
    "CREATE INDEX jobs_short_id ON jobs (lower(issue_short_id)) WHERE issue_short_id IS NOT NULL;"
    "CREATE INDEX jobs_fingerprint ON jobs (fingerprint, finished_ms)"
    "  WHERE fingerprint IS NOT NULL;"
    "CREATE INDEX jobs_host ON jobs (target_host, seq) WHERE target_host IS NOT NULL;"
    "CREATE INDEX jobs_target ON jobs (target_host, target_port, finished_ms)"
    "  WHERE target_host IS NOT NULL;"

    "CREATE TABLE job_keys ("
    "  key TEXT PRIMARY KEY,"
    "  job_id TEXT NOT NULL,"
    "  until_ms BIGINT NOT NULL);"
    "CREATE INDEX job_keys_until ON job_keys (until_ms);"

    "CREATE TABLE attempts ("
    "  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,"
    "  number BIGINT NOT NULL,"
    "  owner TEXT NOT NULL,"
    "  started_ms BIGINT NOT NULL,"
    "  ended_ms BIGINT,"
    "  outcome TEXT,"
    "  note TEXT,"
    "  PRIMARY KEY (job_id, number));"

    "CREATE TABLE steps ("
    "  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,"
    "  step_id TEXT NOT NULL,"
    "  number BIGINT NOT NULL,"
    "  status TEXT NOT NULL,"
    "  data TEXT,"
    "  saved_ms BIGINT NOT NULL,"
    "  PRIMARY KEY (job_id, step_id));"

    "CREATE TABLE messages ("
    "  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,"
    "  part TEXT NOT NULL,"
    "  state TEXT NOT NULL,"
    "  channel TEXT,"
    "  thread_ts TEXT,"
    "  ts TEXT,"
    "  hash TEXT,"
    "  fence BIGINT NOT NULL,"
    "  intended_ms BIGINT NOT NULL,"
    "  timeout_ms BIGINT NOT NULL,"
    "  lands_until_ms BIGINT NOT NULL,"
    "  sent_ms BIGINT,"
    "  PRIMARY KEY (job_id, part));"

    "CREATE TABLE reports ("
    "  job_id TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,"
    "  report TEXT,"
    "  evidence TEXT);"

    /* No reference to jobs: how often a cause was right is counted longer than jobs are kept. */
    "CREATE TABLE feedback ("
    "  seq %SERIAL%,"
    "  job_id TEXT NOT NULL,"
    "  workspace TEXT NOT NULL,"
    "  person TEXT,"
    "  verdict TEXT NOT NULL,"
    "  real_cause TEXT,"
    "  note TEXT,"
    "  cause TEXT,"
    "  confidence TEXT,"
    "  at_ms BIGINT NOT NULL,"
    "  UNIQUE (job_id, person));"

    "CREATE TABLE audit ("
    "  seq BIGINT PRIMARY KEY,"
    "  at_ms BIGINT NOT NULL,"
    "  payload TEXT NOT NULL,"
    "  prev_hash TEXT NOT NULL,"
    "  hash TEXT NOT NULL);"

    "CREATE TABLE settings ("
    "  workspace TEXT NOT NULL,"
    "  name TEXT NOT NULL,"
    "  value TEXT NOT NULL,"
    "  set_ms BIGINT NOT NULL,"
    "  PRIMARY KEY (workspace, name));",
};

static void read_version(void *user, const struct sql_row *row)
{
    *(int64_t *)user = sql_int(row, 0);
}

static int current_version(struct sql *db, int64_t *ret, struct error *err)
{
    int has = db->driver->has_table(db, "schema_version", err);

    *ret = 0;
    if (has <= 0)
        return has;
    return sql_run(db, "SELECT version FROM schema_version", SQL_NO_ARGS, read_version, ret, err) <
                   0
               ? -1
               : 0;
}

static int apply(struct sql *db, const char *text, struct error *err)
{
    static const char mark[] = "%SERIAL%";
    struct buf ready = BUF_INIT;
    const char *at;

    for (; (at = strstr(text, mark)); text = at + strlen(mark)) {
        buf_add(&ready, text, (size_t)(at - text));
        buf_adds(&ready, db->driver->serial);
    }
    buf_adds(&ready, text);
    int rc = db->driver->script(db, buf_str(&ready), err);
    buf_clear(&ready);
    return rc;
}

static int migrate_from(struct sql *db, int64_t version, struct error *err)
{
    const int64_t newest = (int64_t)ARRAY_LEN(migrations);

    if (version > newest)
        return sql_fail(db, STORE_FAULT_REQUEST, err,
                        "the queue's tables have version %lld, this dbconn knows %lld: run the "
                        "newer dbconn that wrote them, or point it to another database",
                        (long long)version, (long long)newest);
    if (version == newest)
        return 0;
    if (version == 0 && db->driver->script(db,
                                           "CREATE TABLE schema_version (version BIGINT NOT NULL);"
                                           "INSERT INTO schema_version VALUES (0);",
                                           err) < 0)
        return -1;
    for (int64_t v = version; v < newest; v++) {
        if (apply(db, migrations[v], err) < 0)
            return error_context(err, "bring the tables from version %lld to %lld", (long long)v,
                                 (long long)v + 1);
    }
    return sql_run(db, "UPDATE schema_version SET version = $1", SQL_ARGS(SQL_I(newest)), NULL,
                   NULL, err) < 0
               ? -1
               : 0;
}

/* Nothing to do is the usual case, and needs no right to write. */
static int is_current(struct sql *db, struct error *err)
{
    int64_t version;

    if (sql_begin(db, false, err) < 0)
        return -1;
    if (current_version(db, &version, err) < 0 || sql_commit(db, err) < 0) {
        sql_rollback(db);
        return -1;
    }
    return version == (int64_t)ARRAY_LEN(migrations);
}

static int migrate(struct sql *db, struct error *err)
{
    int64_t version;

    /* Replicas that start together take turns. */
    if (sql_begin(db, true, err) < 0)
        return -1;
    if (sql_lock(db, "schema", err) < 0 || current_version(db, &version, err) < 0 ||
        migrate_from(db, version, err) < 0 || sql_commit(db, err) < 0) {
        sql_rollback(db);
        return -1;
    }
    return 0;
}

int schema_migrate(struct sql *db, struct error *err)
{
    int rc = is_current(db, err);

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    db->patient = true;
    rc = migrate(db, err);
    db->patient = false;
    return rc;
}
