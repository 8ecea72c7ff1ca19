/* dsn_private - what dsn.c and dsn_pairs.c share. */
#ifndef DBCONN_ANALYSIS_DSN_PRIVATE_H
#define DBCONN_ANALYSIS_DSN_PRIVATE_H

#include "dbconn/analysis/dsn.h"

#define DSN_MAX_HOSTS 32     /* of one string; more are not read */
#define DSN_MAX_USERINFO 256 /* bytes */
#define DSN_MAX_SCHEME 64    /* bytes */

char *dsn_unescape(const char *s, size_t len);
void dsn_add_host(struct dsn *d, const char *s, size_t len);

/* Reads "host=a port=b dbname=c", "Server=a;Database=c", "(HOST=a)(PORT=b)", "a=1&b=2" of `len`
 * bytes into what `d` lacks. */
void dsn_pairs(const char *s, size_t len, struct dsn *d);
/* The same where such a list starts in running text; gives its length, or 0 when the pairs make
 * no address. */
size_t dsn_pairs_at(const char *s, struct dsn *d);

#endif
