#include "dbconn/base/log.h"

#include <unistd.h>

#include "dbconn/base/buf.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"

static enum log_level threshold = LOG_INFO;
static const char *const level_names[] = { "debug", "info", "warn", "error", "none" };

void log_set_level(enum log_level level)
{
    threshold = level;
}

bool log_parse_level(const char *name, enum log_level *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (text_same(name, level_names[i])) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static void add_quoted(struct buf *line, const char *value)
{
    struct buf safe = BUF_INIT, clean = BUF_INIT;

    redact(value, &safe);
    text_clean(buf_str(&safe), true, &clean);
    buf_addc(line, '"');
    for (const char *p = buf_str(&clean); *p; p++) {
        if (*p == '"' || *p == '\\')
            buf_addc(line, '\\');
        buf_addc(line, *p);
    }
    buf_addc(line, '"');
    buf_clear(&safe);
    buf_clear(&clean);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
    struct buf line = BUF_INIT;

    if (level < threshold)
        return;
    buf_adds(&line, "time=");
    time_format_iso(clock_wall_ms(), &line);
    buf_addf(&line, " level=%s event=%s", level_names[level], event);
    for (size_t i = 0; i < n; i++) {
        buf_addf(&line, " %s=", fields[i].key);
        if (fields[i].str)
            add_quoted(&line, fields[i].str);
        else
            buf_addf(&line, "%lld", (long long)fields[i].num);
    }
    buf_addc(&line, '\n');
    (void)!write(STDERR_FILENO, line.data, line.len); /* nowhere left to report a failure to */
    buf_clear(&line);
}
