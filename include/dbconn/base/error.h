/*
 * error - what went wrong, to what, and what the caller may branch on.
 *
 * Each level adds what it was doing with error_context(); the top (a command or a loop callback)
 * logs once. The message is for people: never a token, never a response body.
 */
#ifndef DBCONN_BASE_ERROR_H
#define DBCONN_BASE_ERROR_H

#include <stdint.h>

#include "dbconn/base/buf.h"

enum err_code {
    ERR_NONE,
    ERR_USAGE,        /* the command line or the typed command */
    ERR_CONFIG,       /* configuration, playbook */
    ERR_INVALID,      /* input from outside that cannot be read */
    ERR_UNAUTHORIZED, /* 401: the credential is wrong */
    ERR_FORBIDDEN,    /* 403: the credential may not */
    ERR_NOT_FOUND,    /* 404, or not visible to this credential */
    ERR_RATE_LIMITED, /* see retry_after_ms */
    ERR_TIMEOUT,
    ERR_NETWORK,   /* refused, reset, DNS, TLS */
    ERR_TOO_LARGE, /* a cap was hit */
    ERR_PROTOCOL,  /* the peer answered something that makes no sense */
    ERR_UPSTREAM,  /* 5xx */
    ERR_STORE,     /* the queue's database */
    ERR_CANCELLED,
};

struct error {
    enum err_code code;
    int64_t retry_after_ms; /* with ERR_RATE_LIMITED, as the service asked; else 0 */
    struct buf message;
};

#define ERROR_INIT                                                                                 \
    {                                                                                              \
        ERR_NONE, 0, BUF_INIT                                                                      \
    }

/* Both return -1, so that failing is one statement. `err` may be NULL: nothing is kept. */
int error_set(struct error *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
int error_context(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3); /* "what: message" */
void error_clear(struct error *err);
void error_copy(struct error *to, const struct error *from);
const char *error_text(const struct error *err); /* lent, never NULL */
const char *err_code_name(enum err_code code);   /* "not_found", ... */

#endif
