#include "dbconn/base/log.h"

#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "dbconn/base/buf.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"

static _Atomic(enum log_level) threshold = LOG_INFO;
static _Atomic(enum log_format) format = LOG_LOGFMT;
static atomic_int journal = -1; /* a connected socket, or -1 */
static const char *const level_names[] = { "debug", "info", "warn", "error", "none" };

void log_set_level(enum log_level level)
{
    atomic_store(&threshold, level);
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

void log_set_format(enum log_format f)
{
    atomic_store(&format, f);
}

/* ---- lines ---- */

/* As it may be shown, in one line; logfmt and JSON escape alike what is left to escape. */
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

static void add_value(struct buf *line, const struct log_field *f)
{
    if (f->str)
        add_quoted(line, f->str);
    else
        buf_addf(line, "%lld", (long long)f->num);
}

static void add_logfmt(struct buf *line, const char *event, const struct log_field *fields,
                       size_t n)
{
    buf_addf(line, "event=%s", event);
    for (size_t i = 0; i < n; i++) {
        buf_addf(line, " %s=", fields[i].key);
        add_value(line, &fields[i]);
    }
}

static void add_json(struct buf *line, const char *event, const struct log_field *fields, size_t n)
{
    buf_addf(line, "\"event\":\"%s\"", event);
    for (size_t i = 0; i < n; i++) {
        buf_addf(line, ",\"%s\":", fields[i].key);
        add_value(line, &fields[i]);
    }
}

static void write_line(enum log_level level, const char *event, const struct log_field *fields,
                       size_t n)
{
    struct buf line = BUF_INIT, now = BUF_INIT;

    time_format_iso(clock_wall_ms(), &now);
    if (atomic_load(&format) == LOG_JSON) {
        buf_addf(&line, "{\"time\":\"%s\",\"level\":\"%s\",", buf_str(&now), level_names[level]);
        add_json(&line, event, fields, n);
        buf_addc(&line, '}');
    } else {
        buf_addf(&line, "time=%s level=%s ", buf_str(&now), level_names[level]);
        add_logfmt(&line, event, fields, n);
    }
    buf_addc(&line, '\n');
    (void)!write(STDERR_FILENO, line.data, line.len); /* nowhere left to report a failure to */
    buf_clear(&line);
    buf_clear(&now);
}

/* ---- the journal ---- */

/* syslog(3)'s numbers. */
static const int priorities[] = {
    [LOG_DEBUG] = 7, [LOG_INFO] = 6, [LOG_WARN] = 4, [LOG_ERROR] = 3, [LOG_NONE] = 3
};

/* A field's name there: capitals, digits and underscores. */
static void add_field_name(struct buf *out, const char *key)
{
    buf_adds(out, "DBCONN_");
    for (; *key; key++)
        buf_addc(out, *key >= 'a' && *key <= 'z'   ? (char)(*key - 'a' + 'A')
                      : *key >= '0' && *key <= '9' ? *key
                                                   : '_');
}

/* Values are one line each, so that "NAME=value" is enough. */
static void add_journal_value(struct buf *out, const struct log_field *f)
{
    struct buf safe = BUF_INIT;

    if (f->str) {
        redact(f->str, &safe);
        text_clean(buf_str(&safe), true, out);
    } else {
        buf_addf(out, "%lld", (long long)f->num);
    }
    buf_clear(&safe);
}

static bool write_journal(int fd, enum log_level level, const char *event,
                          const struct log_field *fields, size_t n)
{
    struct buf out = BUF_INIT;

    buf_addf(&out, "PRIORITY=%d\nSYSLOG_IDENTIFIER=dbconn\nMESSAGE=", priorities[level]);
    add_logfmt(&out, event, fields, n);
    buf_addf(&out, "\nDBCONN_EVENT=%s\n", event);
    for (size_t i = 0; i < n; i++) {
        add_field_name(&out, fields[i].key);
        buf_addc(&out, '=');
        add_journal_value(&out, &fields[i]);
        buf_addc(&out, '\n');
    }
    bool sent = send(fd, out.data, out.len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
    buf_clear(&out);
    return sent;
}

bool log_to_journal(const char *socket_path)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd = -1, before;
    bool ok = !socket_path;

    if (socket_path && strlen(socket_path) < sizeof(to.sun_path)) {
        memcpy(to.sun_path, socket_path, strlen(socket_path) + 1);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ok = fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0;
    }
    if (!ok && fd >= 0) {
        close(fd);
        return false;
    }
    before = atomic_exchange(&journal, fd);
    if (before >= 0)
        close(before);
    return ok;
}

bool log_is_journal(const char *journal_stream, int fd)
{
    struct stat st;
    char *end;

    if (!journal_stream || fstat(fd, &st) < 0)
        return false;
    unsigned long long device = strtoull(journal_stream, &end, 10);
    if (end == journal_stream || *end != ':')
        return false;
    return device == st.st_dev && strtoull(end + 1, NULL, 10) == st.st_ino;
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
    int fd = atomic_load(&journal);

    if (level < atomic_load(&threshold))
        return;
    if (fd < 0 || !write_journal(fd, level, event, fields, n))
        write_line(level, event, fields, n);
}
