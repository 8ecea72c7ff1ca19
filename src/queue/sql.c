#include "sql.h"

#include <stdarg.h>
#include <string.h>

#include "dbconn/base/text.h"

const char *sql_text(const struct sql_row *row, int column)
{
    return row->driver->is_null(row, column) ? NULL : row->driver->text(row, column);
}

char *sql_text_dup(const struct sql_row *row, int column)
{
    return xstrdup(sql_text(row, column));
}

int64_t sql_int(const struct sql_row *row, int column)
{
    return row->driver->is_null(row, column) ? 0 : row->driver->num(row, column);
}

int64_t sql_time(const struct sql_row *row, int column)
{
    return row->driver->is_null(row, column) ? TIME_UNKNOWN : row->driver->num(row, column);
}

int sql_fail(struct sql *db, enum store_fault fault, struct error *err, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    db->fault = fault;
    error_set(err, ERR_STORE, "%s", buf_str(&text));
    buf_clear(&text);
    return -1;
}

const char *sql_pick(const struct sql *db, const char *sqlite, const char *postgres)
{
    return db->driver->shared ? postgres : sqlite;
}

int sql_begin(struct sql *db, bool write, struct error *err)
{
    if (db->driver->begin(db, write, err) < 0)
        return -1;
    db->in_transaction = true;
    return 0;
}

int sql_commit(struct sql *db, struct error *err)
{
    if (db->driver->commit(db, err) < 0)
        return -1;
    db->in_transaction = false;
    return 0;
}

void sql_rollback(struct sql *db)
{
    if (db->in_transaction)
        db->driver->rollback(db);
    db->in_transaction = false;
}

/* PostgreSQL refuses invalid UTF-8 and every store is to keep the same text: repaired here. */
static const char *storable(const char *text, struct buf *repaired)
{
    size_t len = strlen(text);

    if (text_is_utf8(text, len))
        return text;
    text_repair_utf8(text, len, repaired);
    return buf_str(repaired);
}

static int64_t run(struct sql *db, const char *text, bool keep, const struct sql_arg *args,
                   size_t n, sql_row_fn *row, void *user, struct error *err)
{
    struct sql_arg fit[SQL_MAX_ARGS];
    struct buf repaired[SQL_MAX_ARGS] = { 0 };
    int64_t rc = -1;

    for (size_t i = 0; i < n; i++) {
        fit[i] = args[i];
        if (fit[i].kind != SQL_TEXT)
            continue;
        fit[i].text = storable(args[i].text, &repaired[i]);
        if (strlen(fit[i].text) > STORE_MAX_TEXT) {
            sql_fail(db, STORE_FAULT_REQUEST, err, "a value of %zu bytes is too large (%zu)",
                     strlen(fit[i].text), STORE_MAX_TEXT);
            goto out;
        }
    }
    rc = db->driver->run(db, text, keep, fit, n, row, user, err);
out:
    for (size_t i = 0; i < n; i++)
        buf_clear(&repaired[i]);
    return rc;
}

int64_t sql_run(struct sql *db, const char *text, const struct sql_arg *args, size_t n,
                sql_row_fn *row, void *user, struct error *err)
{
    return run(db, text, true, args, n, row, user, err);
}

int64_t sql_run_once(struct sql *db, const char *text, const struct sql_arg *args, size_t n,
                     sql_row_fn *row, void *user, struct error *err)
{
    return run(db, text, false, args, n, row, user, err);
}

int sql_lock(struct sql *db, const char *name, struct error *err)
{
    return db->driver->lock(db, name, err);
}
