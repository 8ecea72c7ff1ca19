/*
 * pg_conn - one connection to a PostgreSQL server: made, set up, waited on with a deadline of our
 * own (a server that was stopped keeps its connections open), and made again with growing pauses
 * when it broke.
 */
#ifndef DBCONN_SRC_QUEUE_PG_CONN_H
#define DBCONN_SRC_QUEUE_PG_CONN_H

#include "libpq.h"
#include "sql.h"

#define PG_CHANNEL "dbconn_queue" /* of NOTIFY */

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

int pg_connect(struct pg_db *p, struct error *err) MUST_CHECK;
/* Unless it was tried just now. */
int pg_reconnect(struct pg_db *p, struct error *err) MUST_CHECK;
void pg_disconnect(struct pg_db *p);

/* Fails with the reason when there is no connection. */
int pg_need(struct pg_db *p, struct error *err) MUST_CHECK;
/* The connection broke: says so and lets go of it. Gives -1. */
int pg_lost(struct pg_db *p, struct error *err);
/* Waits for what was sent (`sent`: what the PQsend function gave); the last result, or an error
 * when one failed. The caller clears *ret. */
int pg_receive(struct pg_db *p, int sent, PGresult **ret, struct error *err) MUST_CHECK;
/* Statements without arguments, of which none gives rows. */
int pg_script(struct pg_db *p, const char *text, struct error *err) MUST_CHECK;

#endif
