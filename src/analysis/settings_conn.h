/* Connection strings: URLs, libpq and ADO pairs, DSNs of Go's MySQL driver, Oracle's thin form. */
#ifndef DBCONN_ANALYSIS_SETTINGS_CONN_H
#define DBCONN_ANALYSIS_SETTINGS_CONN_H

#include "settings_scan.h"

/* The parts of a URL, a libpq or ADO connection string, or a plain "host:port". */
struct conn_parts {
    struct diff_span host; /* of several the first */
    struct diff_span all_hosts;
    struct diff_span port, database, user;
    struct diff_span options; /* what follows: "?pool_size=5", further KEY=VALUE pairs */
    const char *engine;       /* by the scheme; NULL unknown. Static */
};

/* Reads one; false, and no parts, when it is none. */
bool conn_read(struct diff_span s, struct conn_parts *ret);
/* "a:5432,b:5432" or "[::1]:5432": host and port of the first. */
void conn_read_hosts(struct diff_span hosts, struct conn_parts *ret);

#endif
