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
    char *host; /* IPv6 without brackets; NULL when the string has none */
    char *port; /* NULL when the string has none */
};

struct dsn {
    enum engine engine; /* ENGINE_UNKNOWN when neither scheme nor form tells */
    char *scheme;       /* "postgresql", "jdbc:mysql", "amqp"; NULL for keyword lists */
    struct dsn_host *hosts;
    size_t n_hosts, cap_hosts;
    char *database, *user; /* NULL: not named */
};

/* Reads the connection string that starts at `text` and is `len` bytes long. False, and *ret
 * empty, when it is none. The caller ends *ret with dsn_clear(). */
bool dsn_parse(const char *text, size_t len, struct dsn *ret);
void dsn_clear(struct dsn *d);

/* How far a URL with credentials reaches that starts at `text`: stands in running text, quotes
 * and brackets end it, but a badly escaped password may hold almost anything. Bytes. */
size_t dsn_url_length(const char *text);

#endif
