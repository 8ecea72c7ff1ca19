/* dates - moments as queries write them: ISO 8601, epoch milliseconds, "now-15m/m". */
#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "elastic/query.h"

static int64_t unit_ms(char unit)
{
    switch (unit) {
    case 'y':
        return 365 * DAY_MS;
    case 'M':
        return 30 * DAY_MS;
    case 'w':
        return 7 * DAY_MS;
    case 'd':
        return DAY_MS;
    case 'h':
    case 'H':
        return HOUR_MS;
    case 'm':
        return MINUTE_MS;
    case 's':
        return SECOND_MS;
    default:
        return 0;
    }
}

/* "-15m+1s/m" applied to *ms; false when it is not that. */
static bool date_math(const char *p, bool round_up, int64_t *ms)
{
    while (*p == '+' || *p == '-') {
        char *end;
        long long n = strtoll(p + 1, &end, 10);
        if (end == p + 1)
            n = 1;
        if (!unit_ms(*end))
            return false;
        *ms += (*p == '-' ? -n : n) * unit_ms(*end);
        p = end + 1;
    }
    if (*p == '/' && unit_ms(p[1])) {
        int64_t unit = unit_ms(p[1]);
        *ms = *ms / unit * unit + (round_up ? unit - 1 : 0);
        p += 2;
    }
    return *p == '\0';
}

static bool parse_date(const char *text, int64_t now_ms, bool round_up, int64_t *ret)
{
    const char *bars = strstr(text, "||");
    size_t digits = strspn(text, "0123456789");

    if (text_starts(text, "now")) {
        *ret = now_ms;
        return date_math(text + 3, round_up, ret);
    }
    if (bars) {
        char *base = xstrndup(text, (size_t)(bars - text));
        bool ok = time_parse_iso(base, ret) && date_math(bars + 2, round_up, ret);
        free(base);
        return ok;
    }
    if (digits >= 10 && text[digits] == '\0') {
        *ret = strtoll(text, NULL, 10);
        return true;
    }
    if (strlen(text) == strlen("2026-01-02")) {
        char *full = xasprintf("%sT00:00:00Z", text);
        bool ok = time_parse_iso(full, ret);
        free(full);
        if (ok && round_up)
            *ret += DAY_MS - 1;
        return ok;
    }
    return time_parse_iso(text, ret);
}

int64_t query_date(const struct query_context *c, const cJSON *value, bool round_up)
{
    char *text;
    int64_t ms = 0;

    if (cJSON_IsNumber(value))
        return (int64_t)value->valuedouble;
    text = value_text(value);
    if (!parse_date(text, c->now_ms, round_up, &ms))
        es_fail(c->err, 400, "parse_exception",
                "failed to parse date field [%s] with format "
                "[strict_date_optional_time||epoch_millis]",
                text);
    free(text);
    return ms;
}
