/*
 * dsn - connection strings: URLs, JDBC URLs, libpq and PDO keyword lists, ADO.NET and ODBC
 * strings, Go's user@tcp(host:port)/db, Oracle's EZConnect and descriptors.
 *
 * People paste them with unescaped @, / and : in the password, so the last @ before the path
 * parts the credentials from the host. The password is never kept.
 */
#ifndef DBCONN_ANALYSIS_DSN_H
#define DBCONN_ANALYSIS_DSN_H

#include <stdbool.h>
#include <stddef.h>

#include "dbconn/analysis/engine.h"

struct dsn_host {
    char *host; /* IPv6 without brackets, a path for a socket; NULL when the string has none */
    char *port; /* NULL when the string has none */
};

struct dsn {
    enum engine engine; /* ENGINE_UNKNOWN when neither scheme nor form tells */
    char *scheme;       /* "postgresql", "jdbc:mysql", "amqp"; NULL for keyword lists */
    struct dsn_host *hosts;
    size_t n_hosts, cap_hosts;
    char *database, *user; /* NULL: not named */
};

/*
 * Finds the first connection string in running text, at or after `from` (bytes). Fills *ret_start
 * and *ret_end (half open) and *ret, which the caller ends with dsn_clear(). URLs of any scheme
 * are found, HTTP and AMQP too: `engine` and `scheme` tell. False: none, nothing is filled.
 */
bool dsn_find(const char *text, size_t from, size_t *ret_start, size_t *ret_end, struct dsn *ret);
void dsn_clear(struct dsn *d);

/* Splits "host:port", "[::1]:5432", "tcp:host,1433", "/var/run/x.sock", a bare name or an IPv6
 * address, of `len` bytes; credentials before a last @ are dropped. */
void dsn_split_host(const char *text, size_t len, struct dsn_host *ret);
/* A port as a number without leading zeros; NULL when it is none. Heap. */
char *dsn_port(const char *text, size_t len);

#endif
