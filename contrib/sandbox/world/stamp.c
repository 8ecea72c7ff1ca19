#include "world/stamp.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "dbconn/base/clock.h"

bool stamp_parse_offset(const char *text, size_t len, int64_t *ret_ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = { { 'd', DAY_MS }, { 'h', HOUR_MS }, { 'm', MINUTE_MS }, { 's', SECOND_MS } };
    const char *p = text, *end = text + len;
    bool negative = p < end && *p == '-';
    double total = 0;
    size_t next = 0;

    for (p += negative; p < end;) {
        char *after;
        if (!isdigit((unsigned char)*p))
            return false;
        double number = strtod(p, &after);
        while (next < ARRAY_LEN(units) && (after >= end || units[next].unit != *after))
            next++;
        if (next == ARRAY_LEN(units))
            return false;
        total += number * (double)units[next++].ms;
        p = after + 1;
    }
    if (next == 0)
        return false;
    *ret_ms = (int64_t)(negative ? -total - 0.5 : total + 0.5);
    return true;
}

static struct tm split(int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    return tm;
}

static const struct {
    const char *name, *before; /* strftime */
    int fraction;              /* digits after it */
    const char *separator, *after;
} formats[] = {
    { "iso", "%Y-%m-%dT%H:%M:%S", 3, ".", "Z" },
    { "pg", "%Y-%m-%d %H:%M:%S", 3, ".", " UTC" },
    { "mysql", "%Y-%m-%dT%H:%M:%S", 3, ".", "417Z" },
    { "maria", "%Y-%m-%d %k:%M:%S", 0, "", "" },
    { "plain", "%Y-%m-%d %H:%M:%S", 0, "", "" },
    { "comma", "%Y-%m-%d %H:%M:%S", 3, ",", "" },
    { "syslog", "%b %e %H:%M:%S", 0, "", "" },
    { "haproxy", "%d/%b/%Y:%H:%M:%S", 3, ".", "" },
    { "redis", "%d %b %Y %H:%M:%S", 3, ".", "" },
    { "mssql", "%Y-%m-%d %H:%M:%S", 2, ".", "" },
    { "epoch", "%s", 0, "", "" },
    { "date", "%Y.%m.%d", 0, "", "" },
};

static size_t format_index(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (strlen(formats[i].name) == len && memcmp(formats[i].name, name, len) == 0)
            return i;
    return 0;
}

static void add_time(struct buf *out, const char *format, const struct tm *tm)
{
    char text[64];
    /* The formats are the constants above, never outside text. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    size_t n = strftime(text, sizeof(text), format, tm);
#pragma GCC diagnostic pop
    buf_add(out, text, n);
}

void stamp_format(int64_t ms, const char *format, size_t len, struct buf *out)
{
    size_t i = format_index(format, len);
    struct tm tm = split(ms);
    int fraction = (int)(ms % 1000);

    if (strcmp(formats[i].name, "epoch") == 0) {
        buf_addf(out, "%lld", (long long)(ms / 1000));
        return;
    }
    add_time(out, formats[i].before, &tm);
    buf_adds(out, formats[i].separator);
    if (formats[i].fraction == 3)
        buf_addf(out, "%03d", fraction);
    else if (formats[i].fraction == 2)
        buf_addf(out, "%02d", fraction / 10);
    buf_adds(out, formats[i].after);
}

/* Puts one "{{@offset|format}}" in and gives what follows it; NULL when it is none. */
static const char *put_in(const char *p, int64_t now_ms, struct buf *out)
{
    const char *end = strstr(p, "}}");
    int64_t offset;

    if (!end)
        return NULL;
    const char *bar = memchr(p, '|', (size_t)(end - p));
    const char *stop = bar ? bar : end;
    if (!stamp_parse_offset(p + 3, (size_t)(stop - p - 3), &offset))
        return NULL;
    stamp_format(now_ms + offset, bar ? bar + 1 : "iso", bar ? (size_t)(end - bar - 1) : 3, out);
    return end + 2;
}

char *stamp_text(const char *text, int64_t now_ms)
{
    struct buf out = BUF_INIT;
    int64_t offset;

    if (text[0] == '@' && stamp_parse_offset(text + 1, strlen(text + 1), &offset)) {
        time_format_iso(now_ms + offset, &out);
        return buf_take(&out);
    }
    if (!strstr(text, "{{@"))
        return NULL;
    while (*text) {
        const char *rest = strncmp(text, "{{@", 3) == 0 ? put_in(text, now_ms, &out) : NULL;
        if (rest)
            text = rest;
        else
            buf_addc(&out, *text++);
    }
    return buf_take(&out);
}
