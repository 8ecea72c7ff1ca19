#include "dbconn/report/chart.h"

#include <math.h>

#include "dbconn/base/text.h"

#define MAX_COUNT 1e12 /* errors in an interval; no issue has more, and sums stay whole */

/* Widths that people read without calculating. */
static const int64_t nice_ms[] = {
    MINUTE_MS,      2 * MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS, 15 * MINUTE_MS, 20 * MINUTE_MS,
    30 * MINUTE_MS, HOUR_MS,       2 * HOUR_MS,   3 * HOUR_MS,    4 * HOUR_MS,    6 * HOUR_MS,
    8 * HOUR_MS,    12 * HOUR_MS,  DAY_MS,        2 * DAY_MS,     7 * DAY_MS,
};

/* A time outside the years 1970 to 9999, or an interval over a year, comes from no source. */
static bool plausible(const struct series *s)
{
    return s->n_counts > 0 && s->n_counts <= 1000000 && s->interval_ms > 0 &&
           s->interval_ms <= 366 * DAY_MS && s->start_ms >= 0 && s->start_ms <= 253402300799000;
}

static size_t buckets_of(const struct series *s, int64_t width)
{
    int64_t last = s->start_ms + (int64_t)(s->n_counts - 1) * s->interval_ms;

    return (size_t)(last / width - s->start_ms / width) + 1;
}

static int64_t choose_width(const struct series *s, size_t max)
{
    for (size_t i = 0; i < ARRAY_LEN(nice_ms); i++) {
        if (nice_ms[i] % s->interval_ms == 0 && buckets_of(s, nice_ms[i]) <= max)
            return nice_ms[i];
    }
    int64_t width = s->interval_ms;
    while (buckets_of(s, width) > max)
        width += s->interval_ms;
    return width;
}

static double sane_count(double count)
{
    return isfinite(count) && count > 0 ? fmin(count, MAX_COUNT) : 0;
}

static void place_markers(const struct series *s, struct chart *ch)
{
    for (size_t i = 0; i < s->n_markers; i++) {
        const struct series_marker *m = &s->markers[i];
        if (m->at_ms < ch->buckets[0].start_ms || m->at_ms >= ch->end_ms)
            continue;
        size_t at = (size_t)((m->at_ms - ch->buckets[0].start_ms) / ch->bucket_ms);
        if (text_istarts(m->label, "onset"))
            ch->buckets[at].onset = true;
        else
            ch->buckets[at].release = true;
    }
}

bool chart_build(const struct series *s, size_t max_buckets, struct chart *ret)
{
    size_t max = max_buckets < CHART_MAX_BUCKETS ? max_buckets : CHART_MAX_BUCKETS;

    if (!plausible(s) || max == 0)
        return false;
    *ret = (struct chart){ .bucket_ms = choose_width(s, max) };
    ret->n = buckets_of(s, ret->bucket_ms);
    int64_t first = s->start_ms / ret->bucket_ms;
    for (size_t i = 0; i < ret->n; i++)
        ret->buckets[i].start_ms = (first + (int64_t)i) * ret->bucket_ms;
    for (size_t i = 0; i < s->n_counts; i++) {
        int64_t at = s->start_ms + (int64_t)i * s->interval_ms;
        ret->buckets[at / ret->bucket_ms - first].count += sane_count(s->counts[i]);
    }
    for (size_t i = 0; i < ret->n; i++) {
        ret->total += ret->buckets[i].count;
        ret->peak = fmax(ret->peak, ret->buckets[i].count);
    }
    ret->end_ms = ret->buckets[ret->n - 1].start_ms + ret->bucket_ms;
    place_markers(s, ret);
    return true;
}

bool chart_wanted(const struct casefile *c)
{
    double total = 0;

    if (c->applicable == NO || c->trend.kind == TREND_UNKNOWN || c->series.n_counts < 2 ||
        !plausible(&c->series))
        return false;
    for (size_t i = 0; i < c->series.n_counts; i++)
        total += sane_count(c->series.counts[i]);
    return total > 0;
}

void chart_title(const struct chart *ch, struct buf *out)
{
    buf_adds(out, "Errors per ");
    if (ch->bucket_ms == HOUR_MS || ch->bucket_ms == DAY_MS)
        buf_adds(out, ch->bucket_ms == HOUR_MS ? "hour" : "day");
    else
        time_format_duration(ch->bucket_ms, out);
    buf_adds(out, " over ");
    time_format_duration((int64_t)ch->n * ch->bucket_ms, out);
}

void chart_sparkline(const struct chart *ch, struct buf *out)
{
    static const char *const levels[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };

    for (size_t i = 0; i < ch->n; i++) {
        double part = ch->peak > 0 ? ch->buckets[i].count / ch->peak : 0;
        /* Nothing is a dot, so that one error among thousands still shows. */
        buf_adds(out, part > 0 ? levels[(size_t)fmin(7, part * 8)] : "·");
    }
}

void chart_label(int64_t ms, int64_t window_ms, struct buf *out)
{
    struct buf iso = BUF_INIT;

    time_format_iso(ms, &iso); /* 2026-08-18T10:02:58.114Z */
    if (window_ms > DAY_MS)
        buf_addf(out, "%.5s ", buf_str(&iso) + 5);
    buf_addf(out, "%.5s", buf_str(&iso) + 11);
    buf_clear(&iso);
}
