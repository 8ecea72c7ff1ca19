/*
 * log - one line per event on stderr: a stable event name with typed fields, as logfmt.
 *
 *   LOG(WARN, "slack.reconnect", F_INT("attempt", n), F_STR("reason", why));
 *
 * Every string is redacted (redact.h), cleaned and quoted here, so no call site has to. The level
 * is the one global of the program.
 */
#ifndef DBCONN_BASE_LOG_H
#define DBCONN_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_NONE };

struct log_field {
    const char *key;
    const char *str; /* NULL: the number is meant */
    int64_t num;
};

#define F_STR(key, value) ((struct log_field){ (key), (value) ? (value) : "", 0 })
#define F_INT(key, value) ((struct log_field){ (key), NULL, (int64_t)(value) })

#define LOG(level, event, ...)                                                                     \
    log_write(LOG_##level, (event), (const struct log_field[]){ __VA_ARGS__ },                     \
              sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n);
void log_set_level(enum log_level level);
bool log_parse_level(const char *name, enum log_level *ret); /* "debug" .. "error", "none" */

#endif
