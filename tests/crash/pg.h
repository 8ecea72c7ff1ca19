/* pg - a PostgreSQL server of the test's own, on a free loopback port in a temporary folder. */
#ifndef DBCONN_CRASH_PG_H
#define DBCONN_CRASH_PG_H

#include "process.h"

struct pg {
    char *folder, *bin, *url;
    int port;
    pid_t server; /* 0: does not run */
    struct account account;
};

/* Makes the database and starts the server. */
void pg_open(struct pg *pg);
void pg_close(struct pg *pg);
void pg_start(struct pg *pg);                /* and waits until it answers */
void pg_sql(struct pg *pg, const char *sql); /* one statement */
void pg_stop(struct pg *pg, int sig);        /* SIGINT: as a restart does it; SIGQUIT: at once */

#endif
