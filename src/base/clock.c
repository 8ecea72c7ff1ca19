#include "dbconn/base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_mono_ms(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* Reads ".114" or ",114" as 114 ms; more than three digits are cut. */
static const char *parse_fraction(const char *p, int64_t *ms)
{
    int64_t scale = 100;

    if ((*p != '.' && *p != ',') || !isdigit((unsigned char)p[1]))
        return p;
    for (p++; isdigit((unsigned char)*p); p++) {
        *ms += (*p - '0') * scale;
        scale /= 10;
    }
    return p;
}

/* Reads "Z", "+02:00", "+0200", " UTC" or nothing; gives NULL when something else follows. */
static const char *parse_zone(const char *p, int64_t *offset_ms)
{
    int hours = 0, minutes = 0, used = 0;

    if (*p == 'Z' || *p == 'z')
        return p + 1;
    if (*p != '+' && *p != '-')
        return p;
    if (sscanf(p + 1, "%2d:%2d%n", &hours, &minutes, &used) < 2 &&
        sscanf(p + 1, "%2d%2d%n", &hours, &minutes, &used) < 2)
        return NULL;
    *offset_ms = (*p == '-' ? -1 : 1) * (hours * HOUR_MS + minutes * MINUTE_MS);
    return p + 1 + used;
}

bool time_parse_iso(const char *text, int64_t *ret_ms)
{
    struct tm tm = { 0 };
    int used = 0;
    int64_t fraction = 0, offset = 0;
    char sep;

    if (!text || sscanf(text, "%4d-%2d-%2d%c%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                        &sep, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &used) < 7)
        return false;
    if ((sep != 'T' && sep != 't' && sep != ' ') || tm.tm_year < 1970 || tm.tm_mon < 1 ||
        tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour < 0 || tm.tm_hour > 24 ||
        tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 60)
        return false;
    const char *rest = parse_zone(parse_fraction(text + used, &fraction), &offset);
    if (!rest || *rest != '\0')
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *ret_ms = (int64_t)timegm(&tm) * 1000 + fraction - offset;
    return true;
}

int64_t time_or_unknown(const char *iso)
{
    int64_t ms = TIME_UNKNOWN;

    (void)time_parse_iso(iso, &ms);
    return ms;
}

static struct tm utc(int64_t ms)
{
    time_t secs = (time_t)(ms / 1000 - (ms % 1000 < 0)); /* the second that it lies in */
    struct tm tm = { 0 };

    (void)!gmtime_r(&secs, &tm); /* fails for years beyond an int only */
    return tm;
}

void time_format_iso(int64_t ms, struct buf *out)
{
    struct tm tm = utc(ms);

    buf_addf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(((ms % 1000) + 1000) % 1000));
}

void time_format_minute(int64_t ms, struct buf *out)
{
    struct tm tm = utc(ms);

    buf_addf(out, "%04d-%02d-%02d %02d:%02d UTC", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min);
}

void time_format_duration(int64_t ms, struct buf *out)
{
    long long s = ms < 0 ? -(ms / 1000) : ms / 1000;

    if (s < 120)
        buf_addf(out, "%lld s", s);
    else if (s < 2 * 3600)
        buf_addf(out, "%lld min", (s + 30) / 60);
    else if (s < 48 * 3600 && (s % 3600) / 60)
        buf_addf(out, "%lld h %lld min", s / 3600, (s % 3600) / 60);
    else if (s < 48 * 3600)
        buf_addf(out, "%lld h", s / 3600);
    else
        buf_addf(out, "%lld d", s / 86400);
}
