/*
 * log - one line per event: a stable event name with typed fields, as logfmt or JSON on stderr, or
 * as fields in systemd's journal.
 *
 *   LOG(WARN, "slack.reconnect", F_INT("attempt", n), F_STR("reason", why));
 *
 * Every string is redacted (redact.h), cleaned and quoted here, so no call site has to. How and
 * from which level on is the one global of the program; it is set by one thread while others log.
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

/* A text that is missing is shown as an empty one. */
static inline struct log_field log_text(const char *key, const char *value)
{
    return (struct log_field){ key, value ? value : "", 0 };
}

#define F_STR(key, value) log_text((key), (value))
#define F_INT(key, value) ((struct log_field){ (key), NULL, (int64_t)(value) })

#define LOG(level, event, ...)                                                                     \
    log_write(LOG_##level, (event), (const struct log_field[]){ __VA_ARGS__ },                     \
              sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n);
void log_set_level(enum log_level level);

enum log_format { LOG_LOGFMT, LOG_JSON };
void log_set_format(enum log_format format);

/*
 * From now on events go to the journal's socket (systemd.io/JOURNAL_NATIVE_PROTOCOL): PRIORITY,
 * MESSAGE, DBCONN_EVENT and each field as DBCONN_<NAME>. What it does not take goes to stderr.
 * NULL: no longer. False when there is no such socket.
 */
#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"
bool log_to_journal(const char *socket_path);
/* Is this file descriptor the journal's, as $JOURNAL_STREAM says (systemd.exec(5))? NULL: no. */
bool log_is_journal(const char *journal_stream, int fd);

bool log_parse_level(const char *name, enum log_level *ret); /* "debug" .. "error", "none" */

#endif
