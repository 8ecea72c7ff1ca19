/*
 * http - one HTTP request and its reply, as the services of the sandbox see them.
 *
 * A service answers at once from memory; the shell (shell.h) reads requests, applies faults,
 * keeps the journal and writes replies.
 */
#ifndef SANDBOX_SHELL_HTTP_H
#define SANDBOX_SHELL_HTTP_H

#include <cjson/cJSON.h>

#include "shell/params.h"

struct request {
    const char *method; /* "GET" */
    char *path;         /* decoded, begins with '/' */
    struct params query;
    char *authorization; /* these five: NULL when the header is absent */
    char *content_type;
    char *accept;
    char *user_agent;
    char *if_none_match;
    struct buf body;
    const char *base; /* "http://127.0.0.1:4711", how the client reached this service */
};

struct reply {
    int status;
    struct params headers;
    struct buf body;
};

#define REPLY_INIT                                                                                 \
    {                                                                                              \
        200, PARAMS_INIT, BUF_INIT                                                                 \
    }

void request_clear(struct request *req);
void reply_clear(struct reply *reply);

/* Sets a header, replacing one of that name. */
void reply_header(struct reply *reply, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
const char *reply_get_header(const struct reply *reply, const char *name); /* lent, or NULL */
/* The body as JSON; takes `tree`. The type is application/json unless a header says otherwise. */
void reply_json(struct reply *reply, int status, cJSON *tree);
void reply_text(struct reply *reply, int status, const char *type, const char *text);

/* "Bearer x" with prefix "Bearer" gives "x"; NULL when the header is absent or another scheme. */
const char *request_credential(const struct request *req, const char *scheme);
/* Does the Content-Type begin with `type` (case-insensitive)? */
bool request_is_type(const struct request *req, const char *type);

/* The path in parts, decoded, without empty ones at the ends; ends with NULL. */
struct path_parts {
    char *copy;
    char **part;
    size_t n, cap;
};
void path_split(const char *path, struct path_parts *ret);
void path_clear(struct path_parts *parts);
const char *path_at(const struct path_parts *parts, size_t i); /* "" beyond the end */
bool path_is(const struct path_parts *parts, size_t i, const char *name);

#endif
