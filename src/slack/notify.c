#include "dbconn/slack/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "dbconn/slack/mrkdwn.h"

#define DAY_MINUTES (24 * 60)
#define ALL_DAYS 0x7F

struct quiet_span {
    int from, to;  /* minutes of the day; `to` may be the smaller one */
    unsigned days; /* bit 0: Sunday, as struct tm counts */
};

struct rule {
    char *channel; /* NULL: all */
    char *id;
};

struct notify {
    struct quiet_span *spans;
    size_t n_spans, cap_spans;
    struct rule *rules;
    size_t n_rules, cap_rules;
};

struct notify *notify_new(void)
{
    tzset(); /* localtime_r() need not look at TZ by itself (POSIX) */
    return xcalloc(1, sizeof(struct notify));
}

void notify_free(struct notify *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->n_rules; i++) {
        free(n->rules[i].channel);
        free(n->rules[i].id);
    }
    free(n->rules);
    free(n->spans);
    free(n);
}

/* ---- reading ---- */

static int day_of(const char *text, size_t len)
{
    static const char *const days[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

    for (int i = 0; i < 7; i++)
        if (len == 3 && text_istarts(text, days[i]))
            return i;
    return -1;
}

/* "fri" or "fri-mon", up to the '='. */
static bool parse_days(const char *text, size_t len, unsigned *ret)
{
    const char *dash = memchr(text, '-', len);
    size_t first_len = dash ? (size_t)(dash - text) : len;
    int from = day_of(text, first_len);
    int to = dash ? day_of(dash + 1, len - first_len - 1) : from;

    if (from < 0 || to < 0)
        return false;
    *ret = 0;
    for (int day = from;; day = (day + 1) % 7) {
        *ret |= 1U << day;
        if (day == to)
            return true;
    }
}

static bool parse_hours(const char *text, struct quiet_span *ret)
{
    int h0, m0, h1, m1, end = 0;

    if (sscanf(text, "%2d:%2d-%2d:%2d%n", &h0, &m0, &h1, &m1, &end) != 4 || text[end] != '\0')
        return false;
    if (h0 < 0 || m0 < 0 || h1 < 0 || m1 < 0 || m0 > 59 || m1 > 59)
        return false;
    ret->from = h0 * 60 + m0;
    ret->to = h1 * 60 + m1;
    return ret->from < DAY_MINUTES && ret->to <= DAY_MINUTES && ret->from != ret->to;
}

int notify_add_quiet(struct notify *n, const char *text, struct error *err)
{
    const char *equals = strchr(text, '=');
    struct quiet_span span = { .days = ALL_DAYS };

    if ((equals && !parse_days(text, (size_t)(equals - text), &span.days)) ||
        !parse_hours(equals ? equals + 1 : text, &span))
        return error_set(err, ERR_CONFIG,
                         "slack.quiet_hours: \"%s\" is no span of time: write 22:00-07:00, or "
                         "sat-sun=00:00-24:00",
                         text);
    *VEC_ADD(n->spans, n->n_spans, n->cap_spans) = span;
    return 0;
}

int notify_add(struct notify *n, const char *text, struct error *err)
{
    const char *equals = strchr(text, '='), *id = equals ? equals + 1 : text;

    if (!slack_mention_valid(id) || equals == text)
        return error_set(err, ERR_CONFIG,
                         "slack.notify: \"%s\" names nobody: write the id of a person (U...) or of "
                         "a user group (S...), or CHANNEL=ID",
                         text);
    *VEC_ADD(n->rules, n->n_rules, n->cap_rules) = (struct rule){
        .channel = equals ? xstrndup(text, (size_t)(equals - text)) : NULL,
        .id = xstrdup(id),
    };
    return 0;
}

/* ---- asking ---- */

static bool covers(const struct quiet_span *s, int day, int minute)
{
    bool today = s->days & 1U << day, yesterday = s->days & 1U << (day + 6) % 7;

    if (s->from < s->to)
        return today && minute >= s->from && minute < s->to;
    return (today && minute >= s->from) || (yesterday && minute < s->to);
}

bool notify_is_quiet(const struct notify *n, int64_t at_ms)
{
    time_t at = (time_t)(at_ms / SECOND_MS);
    struct tm here;

    if (!n || n->n_spans == 0 || !localtime_r(&at, &here))
        return false;
    for (size_t i = 0; i < n->n_spans; i++)
        if (covers(&n->spans[i], here.tm_wday, here.tm_hour * 60 + here.tm_min))
            return true;
    return false;
}

size_t notify_ids(const struct notify *n, const char *channel, const char **ids)
{
    size_t found = 0;

    for (size_t i = 0; n && i < n->n_rules && found < NOTIFY_MAX; i++) {
        bool known = n->rules[i].channel && !text_same(n->rules[i].channel, channel);
        for (size_t k = 0; k < found && !known; k++)
            known = text_same(ids[k], n->rules[i].id);
        if (!known)
            ids[found++] = n->rules[i].id;
    }
    return found;
}
