/*
 * url - absolute URLs taken apart and put together, over libcurl's URL API (RFC 3986).
 *
 * Pure. One parser serves the policy, the HTTP client and the WebSocket client, so that what was
 * checked is what is connected to.
 */
#ifndef DBCONN_NET_URL_H
#define DBCONN_NET_URL_H

#include <stdbool.h>

#include "dbconn/base/buf.h"
#include "dbconn/base/error.h"

struct url {
    char *scheme; /* lower case: "https" */
    char *host;   /* lower case, without brackets, without a trailing dot: "::1", "sentry.io" */
    int port;     /* as written, or the scheme's: 443 for https and wss, 80 for http and ws */
    char *target; /* path and query, at least "/": may hold secrets (tickets), never logged */
    bool has_userinfo; /* "user:password@" was there */
};

/*
 * Takes an absolute http, https, ws or wss URL apart. The caller owns *ret (url_clear()).
 * Errors: ERR_INVALID with a sentence that does not repeat the URL.
 */
int url_parse(const char *text, struct url *ret, struct error *err) MUST_CHECK;
void url_clear(struct url *url);

bool url_is_tls(const struct url *url); /* https or wss */

/* "localhost" (RFC 6761), 127.0.0.0/8 or ::1, without brackets. */
bool url_is_loopback_host(const char *host);

/* Scheme, host and port agree. */
bool url_same_origin(const struct url *a, const struct url *b);

/* "host:port", an IPv6 address in brackets; the port is left out when it is the scheme's own. */
void url_add_authority(struct buf *out, const struct url *url);

/* Appends `text` percent-encoded: all but A-Z a-z 0-9 - . _ ~ (RFC 3986 2.3). */
void url_add_escaped(struct buf *out, const char *text);

/* Appends "name=value" encoded, behind '?' when `out` holds none yet, else behind '&'. */
void url_add_query(struct buf *out, const char *name, const char *value);

#endif
