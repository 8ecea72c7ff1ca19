/*
 * params - name=value pairs as they come in a query string or a form, in order, names repeatable.
 *
 * Also used for reply headers. The owner starts with PARAMS_INIT and ends with params_clear().
 */
#ifndef SANDBOX_SHELL_PARAMS_H
#define SANDBOX_SHELL_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "dbconn/base/buf.h"

struct param {
    char *name;
    char *value;
};

struct params {
    struct param *items;
    size_t n, cap;
};

#define PARAMS_INIT                                                                                \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

void params_clear(struct params *p);
void params_add(struct params *p, const char *name, const char *value);
/* Adds "name=value" or "name", already decoded. */
void params_add_pair(struct params *p, const char *pair);
/* Adds everything of an application/x-www-form-urlencoded body. */
void params_parse_form(struct params *p, const char *text, size_t len);

/* All lent. The first value of that name, or NULL. */
const char *params_get(const struct params *p, const char *name);
const char *params_get_or(const struct params *p, const char *name, const char *fallback);
int64_t params_i64(const struct params *p, const char *name, int64_t fallback);
bool params_has(const struct params *p, const char *name);
/* Is `value` among the values of `name`? */
bool params_includes(const struct params *p, const char *name, const char *value);

/* "a=1&b=2", percent-encoded; `skip` (or NULL) is left out. */
void params_encode(const struct params *p, const char *skip, struct buf *out);
void url_encode(const char *text, struct buf *out);

#endif
