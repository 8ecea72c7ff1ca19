/*
 * sql - what the store needs of an SQL database, so that its operations are written once.
 *
 * Two drivers: SQLite and PostgreSQL. Statements are written in the dialect that both share, with
 * parameters $1, $2, ...; the few that differ are chosen with sql_pick(). Integers are 64 bits,
 * texts UTF-8 without NUL. Errors: ERR_STORE, and `fault` says how it may be taken.
 */
#ifndef DBCONN_SRC_QUEUE_SQL_H
#define DBCONN_SRC_QUEUE_SQL_H

#include "dbconn/queue/store.h"

#define SQL_MAX_ARGS 32

enum sql_kind { SQL_NULL, SQL_INT, SQL_TEXT };
struct sql_arg {
    enum sql_kind kind;
    int64_t num;
    const char *text;
};

/* One argument each; a NULL text and TIME_UNKNOWN are SQL's null. */
#define SQL_I(value) ((struct sql_arg){ SQL_INT, (value), NULL })
#define SQL_T(value) sql_text_arg(value)
#define SQL_TIME(value) sql_time_arg(value)
#define SQL_ARGS(...)                                                                              \
    (const struct sql_arg[]){ __VA_ARGS__ },                                                       \
        sizeof((const struct sql_arg[]){ __VA_ARGS__ }) / sizeof(struct sql_arg)
#define SQL_NO_ARGS NULL, 0

static inline struct sql_arg sql_text_arg(const char *text)
{
    return (struct sql_arg){ text ? SQL_TEXT : SQL_NULL, 0, text };
}

static inline struct sql_arg sql_time_arg(int64_t ms)
{
    return (struct sql_arg){ ms == TIME_UNKNOWN ? SQL_NULL : SQL_INT, ms, NULL };
}

struct sql;
struct sql_driver;

struct sql_row {
    const struct sql_driver *driver;
    void *impl;
    int64_t index;
};
/* Columns count from 0. Texts are lent until the row function returns; NULL for null. */
const char *sql_text(const struct sql_row *row, int column);
char *sql_text_dup(const struct sql_row *row, int column);
int64_t sql_int(const struct sql_row *row, int column);  /* null is 0 */
int64_t sql_time(const struct sql_row *row, int column); /* null is TIME_UNKNOWN */

/* Called for each row; must not run statements on the same connection. */
typedef void sql_row_fn(void *user, const struct sql_row *row);

struct sql_driver {
    const char *name;
    const char *serial; /* column definition of a key that counts up by itself */
    bool shared;        /* several processes may run jobs from it */
    int (*begin)(struct sql *db, bool write, struct error *err);
    int (*commit)(struct sql *db, struct error *err);
    void (*rollback)(struct sql *db);
    int64_t (*run)(struct sql *db, const char *text, bool keep, const struct sql_arg *args,
                   size_t n, sql_row_fn *row, void *user, struct error *err);
    int (*script)(struct sql *db, const char *text, struct error *err);
    int (*has_table)(struct sql *db, const char *name, struct error *err); /* 1, 0, -1 */
    int (*lock)(struct sql *db, const char *name, struct error *err);
    int (*notify)(struct sql *db, struct error *err);
    bool (*alone)(struct sql *db); /* nobody else wrote since this was asked last */
    int (*wait_fd)(const struct sql *db);
    int64_t (*idle)(struct sql *db, int64_t now_mono_ms, bool *news);
    int (*adopt)(struct sql *db, struct error *err); /* 1: alone; 0: not */
    int (*check)(struct sql *db, struct error *err);
    int (*backup)(struct sql *db, const char *path, struct error *err);
    void (*close)(struct sql *db);
    bool (*is_null)(const struct sql_row *row, int column);
    const char *(*text)(const struct sql_row *row, int column);
    int64_t (*num)(const struct sql_row *row, int column);
};

/* The part that every connection begins with. */
struct sql {
    const struct sql_driver *driver;
    enum store_fault fault; /* of the last error */
    bool in_transaction;
    bool patient; /* what runs now may take long: changing the tables */
};

int sql_open_sqlite(const char *path, int64_t busy_ms, struct sql **ret,
                    struct error *err) MUST_CHECK;
int sql_open_postgres(const char *url, int64_t busy_ms, struct sql **ret,
                      struct error *err) MUST_CHECK;

int sql_begin(struct sql *db, bool write, struct error *err) MUST_CHECK;
int sql_commit(struct sql *db, struct error *err) MUST_CHECK;
void sql_rollback(struct sql *db); /* fine without a transaction */

/* Runs one statement; `text` is a literal: it is prepared once and kept. Gives the number of rows
 * that came back or were changed, or -1. `row` may be NULL. */
int64_t sql_run(struct sql *db, const char *text, const struct sql_arg *args, size_t n,
                sql_row_fn *row, void *user, struct error *err) MUST_CHECK;
/* The same for a text that was put together. */
int64_t sql_run_once(struct sql *db, const char *text, const struct sql_arg *args, size_t n,
                     sql_row_fn *row, void *user, struct error *err) MUST_CHECK;
/* Waits until no other transaction holds `name`; held until this one ends. */
int sql_lock(struct sql *db, const char *name, struct error *err) MUST_CHECK;

int sql_fail(struct sql *db, enum store_fault fault, struct error *err, const char *fmt, ...)
    PRINTF_LIKE(4, 5); /* gives -1 */
const char *sql_pick(const struct sql *db, const char *sqlite, const char *postgres);

#endif
