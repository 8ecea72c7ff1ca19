/*
 * SQLite (3.35 or newer, for RETURNING): one connection, write-ahead log, every commit synced.
 * https://www.sqlite.org/wal.html, https://www.sqlite.org/pragma.html
 */
#include "sql.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dbconn/base/log.h"

struct kept_statement {
    const char *text; /* the literal itself: its address is the key */
    sqlite3_stmt *stmt;
    int at[SQL_MAX_ARGS]; /* where parameter $i+1 is bound; 0: not used */
};

struct sqlite_db {
    struct sql sql;
    sqlite3 *handle;
    char *path;
    int64_t busy_ms;
    int64_t data_version; /* as last seen by sqlite_alone() */
    int lock_fd;          /* of PATH.lock: held by the process that runs jobs; -1: not ours */
    struct kept_statement *kept;
    size_t n_kept, cap_kept;
};

static const struct sql_driver sqlite_driver;

static struct sqlite_db *of(const struct sql *db)
{
    return (struct sqlite_db *)(void *)(uintptr_t)db;
}

/* What the system said. SQLite remembers it for some paths only, and not for a failed commit; there
 * errno still holds it, which step_all() set to 0 before. */
static int system_error(const struct sqlite_db *s)
{
    int os = s->handle ? sqlite3_system_errno(s->handle) : 0;

    return os ? os : errno;
}

static bool is_full(int rc, int os)
{
    return rc == SQLITE_FULL ||
           (rc == SQLITE_IOERR && (os == ENOSPC || os == EDQUOT || os == EFBIG));
}

/* What went wrong, and what somebody can do about it. */
static int fail(struct sqlite_db *s, int extended, struct error *err)
{
    struct sql *db = &s->sql;
    int rc = extended & 0xff;
    int os = system_error(s);
    const char *why = s->handle ? sqlite3_errmsg(s->handle) : sqlite3_errstr(extended);

    if (is_full(rc, os))
        return sql_fail(db, STORE_FAULT_AWAY, err,
                        "no room to write %s (disk full, quota or file-size limit): free some "
                        "space, the queue then goes on by itself",
                        s->path);
    switch (rc) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return sql_fail(db, STORE_FAULT_AWAY, err,
                        "%s has been locked by another process for %lld ms: end the program that "
                        "holds it open for writing",
                        s->path, (long long)s->busy_ms);
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return sql_fail(db, STORE_FAULT_AWAY, err,
                        "%s or its folder cannot be written (%s): make both writable for this "
                        "user",
                        s->path, why);
    case SQLITE_CANTOPEN:
        return sql_fail(db, STORE_FAULT_AWAY, err,
                        "cannot open %s (%s): the folder must exist and both be writable for this "
                        "user",
                        s->path, os ? strerror(os) : why);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return sql_fail(db, STORE_FAULT_AWAY, err,
                        "%s is damaged or no SQLite database (%s): restore a backup, or save what "
                        "can be read with `sqlite3 FILE .recover`",
                        s->path, why);
    case SQLITE_IOERR:
        return sql_fail(db, STORE_FAULT_AWAY, err, "cannot read or write %s (%s)", s->path,
                        os ? strerror(os) : why);
    default:
        return sql_fail(db, STORE_FAULT_REQUEST, err, "SQLite: %s (%s)", why, s->path);
    }
}

static bool row_is_null(const struct sql_row *row, int column)
{
    return sqlite3_column_type(row->impl, column) == SQLITE_NULL;
}

static const char *row_text(const struct sql_row *row, int column)
{
    return (const char *)sqlite3_column_text(row->impl, column);
}

static int64_t row_num(const struct sql_row *row, int column)
{
    return sqlite3_column_int64(row->impl, column);
}

/* "$7" in the text is bound at whatever index SQLite gave that name. */
static void map_parameters(struct kept_statement *k)
{
    char name[8] = "$";

    for (int i = 0; i < SQL_MAX_ARGS; i++) {
        int number = i + 1, digits = 0;
        if (number >= 10)
            name[1 + digits++] = (char)('0' + number / 10);
        name[1 + digits++] = (char)('0' + number % 10);
        name[1 + digits] = '\0';
        k->at[i] = sqlite3_bind_parameter_index(k->stmt, name);
    }
}

static int prepare(struct sqlite_db *s, const char *text, struct kept_statement *k,
                   struct error *err)
{
    int rc = sqlite3_prepare_v3(s->handle, text, -1, SQLITE_PREPARE_PERSISTENT, &k->stmt, NULL);

    if (rc != SQLITE_OK)
        return fail(s, rc, err);
    k->text = text;
    map_parameters(k);
    return 0;
}

static struct kept_statement *kept(struct sqlite_db *s, const char *text, struct error *err)
{
    struct kept_statement fresh = { 0 };

    for (size_t i = 0; i < s->n_kept; i++) {
        if (s->kept[i].text == text)
            return &s->kept[i];
    }
    if (prepare(s, text, &fresh, err) < 0)
        return NULL;
    struct kept_statement *slot = VEC_ADD(s->kept, s->n_kept, s->cap_kept);
    *slot = fresh;
    return slot;
}

static int bind(sqlite3_stmt *stmt, int at, const struct sql_arg *arg)
{
    switch (arg->kind) {
    case SQL_INT:
        return sqlite3_bind_int64(stmt, at, arg->num);
    case SQL_TEXT:
        /* Lent: the statement is reset before the caller's text goes away. */
        return sqlite3_bind_text(stmt, at, arg->text, -1, SQLITE_STATIC);
    case SQL_NULL:
        break;
    }
    return sqlite3_bind_null(stmt, at);
}

static int64_t step_all(struct sqlite_db *s, sqlite3_stmt *stmt, sql_row_fn *row, void *user,
                        struct error *err)
{
    struct sql_row at = { &sqlite_driver, stmt, 0 };
    int rc;

    errno = 0;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (row)
            row(user, &at);
        at.index++;
    }
    if (rc != SQLITE_DONE)
        return fail(s, rc, err);
    return sqlite3_column_count(stmt) > 0 ? at.index : sqlite3_changes(s->handle);
}

static int64_t run_prepared(struct sqlite_db *s, const struct kept_statement *k,
                            const struct sql_arg *args, size_t n, sql_row_fn *row, void *user,
                            struct error *err)
{
    int64_t count = -1;
    int rc = SQLITE_OK;

    for (size_t i = 0; i < n && rc == SQLITE_OK; i++) {
        if (k->at[i])
            rc = bind(k->stmt, k->at[i], &args[i]);
    }
    if (rc == SQLITE_OK)
        count = step_all(s, k->stmt, row, user, err);
    else
        fail(s, rc, err);
    sqlite3_reset(k->stmt);
    sqlite3_clear_bindings(k->stmt);
    return count;
}

static int64_t sqlite_run(struct sql *db, const char *text, bool keep, const struct sql_arg *args,
                          size_t n, sql_row_fn *row, void *user, struct error *err)
{
    struct sqlite_db *s = of(db);
    struct kept_statement once = { 0 };
    const struct kept_statement *k = &once;

    if (keep ? !(k = kept(s, text, err)) : prepare(s, text, &once, err) < 0)
        return -1;
    int64_t count = run_prepared(s, k, args, n, row, user, err);
    sqlite3_finalize(once.stmt);
    return count;
}

static int sqlite_script(struct sql *db, const char *text, struct error *err)
{
    int rc = sqlite3_exec(of(db)->handle, text, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : fail(of(db), rc, err);
}

static int run_literal(struct sql *db, const char *text, struct error *err)
{
    return sqlite_run(db, text, true, NULL, 0, NULL, NULL, err) < 0 ? -1 : 0;
}

static int sqlite_begin(struct sql *db, bool write, struct error *err)
{
    /* IMMEDIATE takes the write lock now: a transaction that reads first and then finds the file
     * changed could not go on. */
    return run_literal(db, write ? "BEGIN IMMEDIATE" : "BEGIN", err);
}

static int sqlite_commit(struct sql *db, struct error *err)
{
    return run_literal(db, "COMMIT", err);
}

static void sqlite_rollback(struct sql *db)
{
    /* Some errors have rolled back already (sqlite.org/lang_transaction.html). */
    if (!sqlite3_get_autocommit(of(db)->handle))
        sqlite3_exec(of(db)->handle, "ROLLBACK", NULL, NULL, NULL);
}

static int sqlite_has_table(struct sql *db, const char *name, struct error *err)
{
    int64_t n = sql_run(db, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1",
                        SQL_ARGS(SQL_T(name)), NULL, NULL, err);

    return n < 0 ? -1 : n > 0;
}

static int sqlite_lock(struct sql *db, const char *name, struct error *err)
{
    (void)db; /* there is one writer at a time anyway */
    (void)name;
    (void)err;
    return 0;
}

static void read_data_version(void *user, const struct sql_row *row)
{
    *(int64_t *)user = sql_int(row, 0);
}

static bool sqlite_alone(struct sql *db)
{
    struct sqlite_db *s = of(db);
    int64_t before = s->data_version;

    s->data_version = 0; /* changes when another connection wrote; 0 when it cannot be read */
    if (sql_run(db, "PRAGMA data_version", SQL_NO_ARGS, read_data_version, &s->data_version, NULL) <
        0)
        return false;
    return s->data_version == before;
}

static int sqlite_wait_fd(const struct sql *db)
{
    (void)db;
    return -1;
}

static int64_t sqlite_idle(struct sql *db, int64_t now_mono_ms, bool *news)
{
    (void)db;
    (void)now_mono_ms;
    (void)news;
    return -1;
}

/* The kernel drops the lock with the process, however that ends. */
static int sqlite_adopt(struct sql *db, struct error *err)
{
    struct sqlite_db *s = of(db);

    if (s->lock_fd >= 0)
        return 1;
    char *name = xasprintf("%s.lock", s->path);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int rc;
    if (fd < 0)
        rc = sql_fail(db, STORE_FAULT_AWAY, err, "cannot open %s (%s)", name, strerror(errno));
    else if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        rc = 1;
    else if (errno == EWOULDBLOCK)
        rc = 0;
    else
        rc = sql_fail(db, STORE_FAULT_AWAY, err, "cannot lock %s (%s)", name, strerror(errno));
    if (rc == 1)
        s->lock_fd = fd;
    else if (fd >= 0)
        close(fd);
    free(name);
    return rc;
}

static void keep_first(void *user, const struct sql_row *row)
{
    struct buf *text = user;

    if (row->index == 0)
        buf_adds(text, sql_text(row, 0));
}

static int sqlite_check(struct sql *db, struct error *err)
{
    struct buf said = BUF_INIT;
    int rc = -1;

    if (sql_run(db, "PRAGMA integrity_check(1)", SQL_NO_ARGS, keep_first, &said, err) < 0)
        goto out;
    if (strcmp(buf_str(&said), "ok") != 0) {
        sql_fail(db, STORE_FAULT_AWAY, err,
                 "%s is damaged (%s): restore a backup, or save what can be read with `sqlite3 "
                 "FILE .recover`",
                 of(db)->path, buf_str(&said));
        goto out;
    }
    rc = 0;
out:
    buf_clear(&said);
    return rc;
}

static int create_private(struct sqlite_db *s, const char *path, int flags, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);

    if (fd < 0)
        return sql_fail(&s->sql, STORE_FAULT_AWAY, err,
                        "cannot create %s (%s): the folder must exist and be writable for this "
                        "user",
                        path, strerror(errno));
    close(fd);
    return 0;
}

static int sqlite_backup(struct sql *db, const char *path, struct error *err)
{
    /* VACUUM INTO accepts an empty file, so the mode is right from the start. */
    if (create_private(of(db), path, O_EXCL, err) < 0)
        return -1;
    if (sql_run(db, "VACUUM INTO $1", SQL_ARGS(SQL_T(path)), NULL, NULL, err) < 0) {
        (void)unlink(path); /* half a copy helps nobody */
        return -1;
    }
    return 0;
}

static void sqlite_close(struct sql *db)
{
    struct sqlite_db *s = of(db);

    for (size_t i = 0; i < s->n_kept; i++)
        sqlite3_finalize(s->kept[i].stmt);
    free(s->kept);
    sqlite3_close(s->handle);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s->path);
    free(s);
}

static const struct sql_driver sqlite_driver = {
    .name = "sqlite",
    .serial = "INTEGER PRIMARY KEY",
    .shared = false,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .run = sqlite_run,
    .script = sqlite_script,
    .has_table = sqlite_has_table,
    .lock = sqlite_lock,
    .alone = sqlite_alone,
    .wait_fd = sqlite_wait_fd,
    .idle = sqlite_idle,
    .adopt = sqlite_adopt,
    .check = sqlite_check,
    .backup = sqlite_backup,
    .close = sqlite_close,
    .is_null = row_is_null,
    .text = row_text,
    .num = row_num,
};

/* Jobs name people and hold response URLs: nobody else may read them. SQLite gives its -wal and
 * -shm files the mode of the database. */
static int make_private(struct sqlite_db *s, struct error *err)
{
    struct stat st;

    if (stat(s->path, &st) < 0)
        return errno == ENOENT ? create_private(s, s->path, O_EXCL, err)
                               : sql_fail(&s->sql, STORE_FAULT_AWAY, err, "cannot open %s (%s)",
                                          s->path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return sql_fail(&s->sql, STORE_FAULT_REQUEST, err, "%s is not a file", s->path);
    if ((st.st_mode & 077) == 0)
        return 0;
    if (chmod(s->path, 0600) < 0)
        return sql_fail(&s->sql, STORE_FAULT_REQUEST, err,
                        "%s can be read by others and that cannot be changed (%s): give it to "
                        "this user with mode 0600",
                        s->path, strerror(errno));
    LOG(WARN, "store.mode_changed", F_STR("path", s->path), F_STR("mode", "0600"));
    return 0;
}

static int use_wal(struct sqlite_db *s, struct error *err)
{
    struct buf mode = BUF_INIT;
    int rc = -1;

    if (sql_run(&s->sql, "PRAGMA journal_mode = WAL", SQL_NO_ARGS, keep_first, &mode, err) < 0)
        goto out;
    if (strcmp(buf_str(&mode), "wal") != 0) {
        sql_fail(&s->sql, STORE_FAULT_REQUEST, err,
                 "%s cannot have a write-ahead log (journal mode is %s): put it on a local file "
                 "system",
                 s->path, buf_str(&mode));
        goto out;
    }
    rc = 0;
out:
    buf_clear(&mode);
    return rc;
}

static int configure(struct sqlite_db *s, struct error *err)
{
    sqlite3_extended_result_codes(s->handle, 1);
    sqlite3_busy_timeout(s->handle, (int)s->busy_ms);
    sqlite3_db_config(s->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (use_wal(s, err) < 0)
        return -1;
    return sqlite_script(&s->sql,
                         "PRAGMA synchronous = FULL;"
                         "PRAGMA foreign_keys = ON;"
                         "PRAGMA secure_delete = FAST;"
                         "PRAGMA cell_size_check = ON;"
                         "PRAGMA trusted_schema = OFF;"
                         "PRAGMA temp_store = MEMORY;"
                         "PRAGMA cache_size = -512;" /* KiB; the system keeps the rest */
                         "PRAGMA journal_size_limit = 67108864;",
                         err);
}

int sql_open_sqlite(const char *path, int64_t busy_ms, struct sql **ret, struct error *err)
{
    struct sqlite_db *s = xcalloc(1, sizeof(*s));

    s->sql.driver = &sqlite_driver;
    s->path = xstrdup(path);
    s->busy_ms = busy_ms;
    s->lock_fd = -1;
    if (make_private(s, err) < 0)
        goto fail;
    int rc =
        sqlite3_open_v2(path, &s->handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc != SQLITE_OK) {
        (void)fail(s, rc, err);
        goto fail;
    }
    if (configure(s, err) < 0)
        goto fail;
    *ret = &s->sql;
    return 0;
fail:
    sqlite_close(&s->sql);
    return -1;
}
