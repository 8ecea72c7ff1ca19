/*
 * redact - takes secrets out of text, once, at the boundary.
 *
 * Passwords in DSNs and JDBC URLs, password=/PGPASSWORD/Pwd= in any quoting, bearer and basic
 * credentials, cloud keys, Slack, GitHub and Sentry tokens, private keys, JWTs, cookies. Host,
 * port, database and user stay readable. A secret becomes "•••".
 */
#ifndef DBCONN_BASE_REDACT_H
#define DBCONN_BASE_REDACT_H

#include <stdbool.h>

#include "dbconn/base/buf.h"

#define REDACTED "\xE2\x80\xA2\xE2\x80\xA2\xE2\x80\xA2"

/* Appends `text` (NULL is "") without its secrets. Idempotent. Any thread. Time grows linearly
 * with the length of the text. */
void redact(const char *text, struct buf *out);
char *redact_dup(const char *text); /* the same on the heap; NULL gives NULL */

/* Values that must never appear whatever they look like: our own tokens. Kept by copy, wiped by
 * redact_forget_all(), which no other thread may meet. One thread adds, others may read meanwhile.
 * Values under 6 bytes are ignored. */
void redact_remember(const char *secret);
void redact_forget_all(void);

/* Hides e-mail addresses, and IP addresses that are no private network's, too. Call before the loop
 * starts. */
void redact_people(bool emails, bool addresses);

/* Does this setting's name say that its value is a secret ("DB_PASSWORD", "apiKey", "token")? */
bool redact_is_secret_name(const char *name);

/*
 * URLs in running text, as people write them: with @, /, quotes or blanks unescaped in the
 * password. `s` stands behind the "://"; `len` bytes are there.
 *
 * url_extent: how many of them belong to the URL. url_userinfo: the offset of the @ that ends its
 * credentials, or -1 when it has none; *ret_colon (or NULL) is the offset of the colon between
 * user and password, or -1 without a password. `database` is true for a scheme of a database or
 * broker, whose paths hold no @: there the last @ counts.
 */
size_t url_extent(const char *s, size_t len);
long url_userinfo(const char *s, size_t len, bool database, long *ret_colon);

#endif
