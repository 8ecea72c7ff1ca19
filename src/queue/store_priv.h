/* store_priv - what the files of the store share: its state, transactions, the fence, job rows. */
#ifndef DBCONN_SRC_QUEUE_STORE_PRIV_H
#define DBCONN_SRC_QUEUE_STORE_PRIV_H

#include "dbconn/queue/store.h"
#include "job_fields.h"
#include "sql.h"

/* How many jobs wait, as this transaction sees it: counted once, since a group of a hundred
 * requests would otherwise count a long queue a hundred times. */
#define MAX_PRIORITIES 8
struct waiting {
    bool counted;
    size_t n; /* priorities */
    int64_t priority[MAX_PRIORITIES], jobs[MAX_PRIORITIES];
};

struct store {
    struct sql *db;
    bool in_group;  /* between store_begin() and store_commit() */
    bool makes_due; /* this transaction made jobs due */
    bool news;      /* a committed one did, and nobody asked yet */
    struct waiting waiting;
};

/* Begins a transaction unless a group is open. Pairs with tx_leave(). */
int tx_enter(struct store *st, bool write, struct error *err) MUST_CHECK;
/* Ends it: commits when rc >= 0, rolls back when not (a group is left to its owner). Gives rc, or
 * -1 when the commit failed; `what` is added to the error. */
int tx_leave(struct store *st, int rc, const char *what, struct error *err) MUST_CHECK;

/* Runs a statement with arguments in one transaction; for operations that are just that. */
int64_t tx_run(struct store *st, bool write, const char *what, const char *text,
               const struct sql_arg *args, size_t n, sql_row_fn *row, void *user,
               struct error *err) MUST_CHECK;

/* Checks the token and locks the job's row until the transaction ends, so that nobody can take the
 * job over in between. STORE_OK, STORE_LEASE_LOST or -1. */
int hold(struct store *st, struct job_ref ref, int64_t now_ms, struct error *err) MUST_CHECK;

/* The columns of a job, in the order that job_from_row() reads them. */
#define JOB_COLUMN(kind, name) ", " #name
#define JOB_COLUMNS "id" JOB_FIELDS(JOB_COLUMN)

void waiting_add(struct waiting *w, int64_t priority, int64_t jobs);

/* Waits to be run. Said so that it is read from jobs_claimable, in the order in which they go. */
#define IS_WAITING "claimable = 1 AND state <> 'dead'"
#define WAITING_ORDER "priority DESC, seq"

int job_column_count(void);                                     /* where further columns begin */
void job_from_row(const struct sql_row *row, struct job *ret);  /* ret: zeroes before */
void job_row_first(void *ret_job, const struct sql_row *row);   /* sql_row_fn: the first row */
void job_row_append(void *ret_list, const struct sql_row *row); /* sql_row_fn: all rows */

#endif
