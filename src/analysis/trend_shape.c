/* trend: what the outage looks like: its bursts, whether it goes on, its rates. */
#include "trend_internal.h"

#include <math.h>
#include <string.h>

#include "dbconn/base/alloc.h"

static int by_size(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* The gaps between the window's points, smallest first; the caller frees. n is w.n - 1. */
static int64_t *sorted_gaps(const struct trend_line *line, struct trend_window w)
{
    int64_t *gaps = xcalloc(w.n, sizeof(*gaps));

    for (size_t i = 1; i < w.n; i++)
        gaps[i - 1] = line->points[w.first + i].at_ms - line->points[w.first + i - 1].at_ms;
    if (w.n > 2)
        qsort(gaps, w.n - 1, sizeof(*gaps), by_size);
    return gaps;
}

/*
 * The gap from which on it is a quiet between bursts. Errors that come at random, be it at changing
 * rates, have gaps of every length; bursts have short ones inside and long ones between, and
 * nothing in the middle. So: the widest step between neighbouring lengths, if it is wide enough.
 * Otherwise three times the average gap, which one in twenty exceeds at random.
 */
static int64_t quiet_from(const int64_t *gaps, size_t n, const struct trend_options *o)
{
    double sum = 0, widest = o->quiet_ratio;
    int64_t from = -1, average;

    for (size_t i = 0; i < n; i++)
        sum += (double)gaps[i];
    for (size_t i = 1; i < n; i++) {
        double inside = (double)(gaps[i - 1] > MINUTE_MS ? gaps[i - 1] : MINUTE_MS);

        if (gaps[i] >= o->min_quiet_ms && (double)gaps[i] / inside >= widest) {
            widest = (double)gaps[i] / inside;
            from = gaps[i];
        }
    }
    if (from >= 0)
        return from;
    average = n ? (int64_t)(3 * sum / (double)n) : 0;
    return average > o->min_quiet_ms ? average : o->min_quiet_ms;
}

static void find_bursts(const struct trend_line *line, struct trend_window w, int64_t quiet_ms,
                        struct trend *t)
{
    struct trend_burst *b = NULL;

    for (size_t i = w.first; i < w.first + w.n; i++) {
        const struct trend_point *p = &line->points[i];

        if (!b || p->at_ms - line->points[i - 1].at_ms >= quiet_ms) {
            if (b && p->at_ms - b->end_ms > t->longest_quiet_ms)
                t->longest_quiet_ms = p->at_ms - b->end_ms;
            b = VEC_ADD(t->bursts, t->n_bursts, t->cap_bursts);
            b->start_ms = p->at_ms;
        }
        b->end_ms = p->at_ms;
        b->events += p->n;
    }
}

static double events_of(const struct trend_line *line, size_t first, size_t end)
{
    double n = 0;

    for (size_t i = first; i < end; i++)
        n += line->points[i].n;
    return n;
}

static double share_filled(const struct trend *t, int64_t span_ms, int64_t clump_ms)
{
    double filled = 0;

    for (size_t i = 0; i < t->n_bursts; i++) {
        int64_t length = t->bursts[i].end_ms - t->bursts[i].start_ms;
        filled += (double)(length > clump_ms ? length : clump_ms);
    }
    return span_ms > 0 ? fmin(1, filled / (double)span_ms) : 1;
}

/* Events in the last third of the outage for each in the first. */
static double slope_of(const struct trend_line *line, struct trend_window w)
{
    const struct trend_point *p = &line->points[w.first];
    int64_t third = (p[w.n - 1].at_ms - p[0].at_ms) / 3;
    double first = 0, last = 0;

    for (size_t i = 0; i < w.n; i++) {
        if (p[i].at_ms - p[0].at_ms < third)
            first += p[i].n;
        else if (p[i].at_ms - p[0].at_ms >= 2 * third)
            last += p[i].n;
    }
    return third > 0 && first > 0 ? last / first : -1;
}

static void measure_rates(const struct trend_line *line, struct trend_window w, struct trend *t)
{
    const struct trend_point *p = line->points;
    size_t last = w.first + w.n - 1;
    double span = (double)(p[last].at_ms + p[last].slack_ms - p[w.first].at_ms);
    double before = (double)(p[w.first].at_ms - line->from_ms);

    if (span < (double)MINUTE_MS)
        span = (double)MINUTE_MS;
    t->rate_after = t->events / span * (double)HOUR_MS;
    t->peak_rate = trend_densest(line, w.first, last + 1, fmax(span / 10, (double)MINUTE_MS)) *
                   (double)HOUR_MS;
    t->rate_before = -1;
    t->jump_ratio = -1;
    if (before >= (double)MINUTE_MS) {
        t->rate_before = t->background_events / before * (double)HOUR_MS;
        t->jump_ratio = t->rate_after / (fmax(t->background_events, 1) / before * (double)HOUR_MS);
    }
    t->slope = slope_of(line, w);
}

/*
 * Does it go on? A silence ends it when it is much longer than any within it and, at the rate of
 * its last third, hardly chance. Both, because a rate that fell at night makes the second alone
 * misleading, and an outage of three failures the first.
 */
static void judge_silence(const struct trend_line *line, struct trend_window w, const int64_t *gaps,
                          const struct trend_options *o, struct trend *t)
{
    const struct trend_point *p = &line->points[w.first];
    int64_t last = p[w.n - 1].at_ms + p[w.n - 1].slack_ms, silent, longest, third;
    double recent = 0, chance;

    silent = line->now_ms > last ? line->now_ms - last : 0;
    longest = w.n > 1 ? gaps[w.n - 2] : 0;
    third = (p[w.n - 1].at_ms - p[0].at_ms) / 3;
    for (size_t i = 0; i < w.n; i++)
        recent += p[w.n - 1].at_ms - p[i].at_ms <= third;
    chance = exp(-recent * (double)silent / (double)(third > MINUTE_MS ? third : MINUTE_MS));
    if (silent >= o->ended_ms && (double)silent >= o->ended_gap * (double)longest &&
        chance < o->ended_chance)
        t->ongoing = NO;
    else if (silent > longest && silent >= MINUTE_MS && chance < o->doubt_chance)
        t->ongoing = UNKNOWN;
    else
        t->ongoing = YES;
    t->end_ms = t->ongoing == NO ? p[w.n - 1].at_ms : TIME_UNKNOWN;
}

void trend_describe(const struct trend_line *line, struct trend_window w,
                    const struct trend_options *o, struct trend *t)
{
    const struct trend_point *p = line->points;
    size_t last = w.first + w.n - 1;
    int64_t *gaps = sorted_gaps(line, w);

    t->onset_ms = p[w.first].at_ms;
    t->onset_slack_ms = p[w.first].slack_ms;
    t->onset_open = line->open && w.first == 0;
    t->last_event_ms = p[line->n - 1].at_ms;
    t->quiet_ms = line->now_ms - t->last_event_ms;
    t->events = events_of(line, w.first, last + 1);
    t->background_events = events_of(line, 0, w.first);
    t->later_events = events_of(line, last + 1, line->n);
    find_bursts(line, w, quiet_from(gaps, w.n - 1, o), t);
    t->duty_cycle = share_filled(t, p[last].at_ms - p[w.first].at_ms, o->clump_ms);
    measure_rates(line, w, t);
    judge_silence(line, w, gaps, o, t);
    free(gaps);
}
