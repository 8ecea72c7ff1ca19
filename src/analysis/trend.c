#include "dbconn/analysis/trend.h"

#include <math.h>
#include <stdlib.h>

#include "dbconn/base/alloc.h"
#include "trend_internal.h"

void trend_options_default(struct trend_options *ret)
{
    *ret = (struct trend_options){
        .clump_ms = 10 * SECOND_MS,     /* drivers retry after 0.1 to 5 s */
        .history_ms = 30 * DAY_MS,      /* as far as Sentry's daily counts reach */
        .min_events = 3,                /* two points have no shape */
        .later_score = 4,               /* chance reaches 3 in one of some hundred incidents */
        .jump_ratio = 3,                /* days and nights differ by about as much */
        .jump_events = 12,              /* fewer are a busy minute of the noise */
        .max_pause_ms = 6 * HOUR_MS,    /* after that people speak of another outage */
        .min_quiet_ms = 10 * MINUTE_MS, /* pauses of a back-off or a health check are shorter */
        .quiet_ratio = 3,               /* neighbours among random gaps seldom differ by more */
        .intermittent_bursts = 3,       /* a restart or a failover can make two */
        .intermittent_duty = 0.3,       /* beyond it is more on than off */
        .sparse_gap_ms = HOUR_MS,       /* a service used less than hourly is no service */
        .sparse_ms = 2 * DAY_MS,        /* a server that is down for days is noticed */
        .gradual_ratio = 1.5,           /* over two steps at least the double */
        .gradual_ms = HOUR_MS,          /* what grows faster is a sudden onset */
        .steady_ratio = 3,              /* day and night */
        .steady_ms = HOUR_MS,           /* before that a spike can't be told from it */
        .ended_gap = 2,                 /* silent for twice its longest gap */
        .ended_chance = 0.001,
        .ended_ms = 5 * MINUTE_MS, /* one missed minute is no end */
        .doubt_chance = 0.05,
    };
}

/* Each third of the outage clearly busier than the one before. */
static bool grows(const struct trend_line *line, struct trend_window w,
                  const struct trend_options *o)
{
    const struct trend_point *p = &line->points[w.first];
    int64_t span = p[w.n - 1].at_ms - p[0].at_ms;
    double part[3] = { 0 }, total = 0, squares = 0;

    if (span < o->gradual_ms || w.n < 8)
        return false;
    for (size_t i = 0; i < w.n; i++) {
        part[3 * (p[i].at_ms - p[0].at_ms) / (span + 1)] += p[i].n;
        total += p[i].n;
        squares += p[i].n * p[i].n;
    }
    if (part[1] < o->gradual_ratio * part[0] || part[2] < o->gradual_ratio * part[1])
        return false;
    /* Against chance: with equal thirds part[2] - part[0] varies with two thirds of the total,
     * times what retries and crowded seconds add (the mean size of an event's clump). */
    return part[2] - part[0] > 3 * sqrt(total * 2 / 3 * squares / total);
}

/* Most bursts are more than one failure and its retries. */
static bool bursts_have_substance(const struct trend_line *line, const struct trend *t)
{
    size_t with = 0, at = 0;

    for (size_t i = 0; i < t->n_bursts; i++) {
        size_t points = 0;

        while (at < line->n && line->points[at].at_ms < t->bursts[i].start_ms)
            at++;
        for (; at < line->n && line->points[at].at_ms <= t->bursts[i].end_ms; at++)
            points++;
        with += points > 1;
    }
    return 2 * with >= t->n_bursts;
}

/*
 * Bursts with quiet between: short against the quiet, and either real bursts or failures so far
 * apart that nobody would call them one outage. (Single failures minutes apart are the random
 * arrivals of a service with little traffic.)
 */
static bool comes_in_bursts(const struct trend_line *line, struct trend_window w,
                            const struct trend *t, const struct trend_options *o)
{
    int64_t filled = 0, span = t->bursts[t->n_bursts - 1].end_ms - t->bursts[0].start_ms;

    if (t->n_bursts < o->intermittent_bursts || t->duty_cycle > o->intermittent_duty)
        return false;
    for (size_t i = 0; i < t->n_bursts; i++)
        filled += t->bursts[i].end_ms - t->bursts[i].start_ms;
    if ((double)(span - filled) / (double)(t->n_bursts - 1) <
        o->quiet_ratio * (double)filled / (double)t->n_bursts)
        return false;
    return (double)span >= (double)w.n * (double)o->sparse_gap_ms || bursts_have_substance(line, t);
}

static bool single_failures_for_days(const struct trend *t, size_t n_points,
                                     const struct trend_options *o)
{
    int64_t span = t->bursts[t->n_bursts - 1].end_ms - t->bursts[0].start_ms;

    return span >= o->sparse_ms && (double)span >= (double)n_points * (double)o->sparse_gap_ms;
}

static enum trend_kind kind_of(const struct trend_line *line, struct trend_window w,
                               const struct trend *t, const struct trend_options *o)
{
    int64_t span = line->points[w.first + w.n - 1].at_ms - t->onset_ms;
    bool sparse = (double)span >= t->events * (double)o->sparse_gap_ms;

    if (t->events < o->min_events || (sparse && t->events < 2 * o->min_events))
        return TREND_UNKNOWN;
    if (comes_in_bursts(line, w, t, o))
        return TREND_INTERMITTENT;
    if (grows(line, w, o) && t->ongoing != NO)
        return TREND_GRADUAL_INCREASE;
    if (t->ongoing == NO)
        return TREND_BOUNDED;
    if (single_failures_for_days(t, w.n, o))
        return TREND_INTERMITTENT;
    if (t->ongoing == YES && span >= o->steady_ms && t->slope > 1 / o->steady_ratio &&
        t->slope < o->steady_ratio)
        return TREND_CONSTANT;
    return TREND_SPIKE;
}

/* Few events, a doubtful end or a ragged course make any kind less sure. */
static double confidence_of(const struct trend *t)
{
    double c = 1 - 1 / sqrt(t->events > 1 ? t->events : 1);

    if (t->kind == TREND_UNKNOWN)
        return 0;
    if (t->ongoing == UNKNOWN)
        c *= 0.7;
    if (t->onset_open)
        c *= 0.7;
    if (t->kind == TREND_CONSTANT && t->n_bursts > 2)
        c *= 0.5 + 0.5 * t->duty_cycle;
    return c;
}

void trend_analyse(const struct trend_input *in, const struct trend_options *options,
                   struct trend *ret)
{
    struct trend_options defaults;
    struct trend_line line;
    struct trend_window w;

    trend_options_default(&defaults);
    if (!options)
        options = &defaults;
    *ret = (struct trend){ .onset_ms = TIME_UNKNOWN,
                           .end_ms = TIME_UNKNOWN,
                           .last_event_ms = TIME_UNKNOWN,
                           .rate_before = -1,
                           .jump_ratio = -1,
                           .slope = -1 };
    trend_line_build(&line, in, options);
    if (line.n) {
        w = trend_find_outage(&line, options);
        trend_describe(&line, w, options, ret);
        ret->kind = kind_of(&line, w, ret, options);
        ret->confidence = confidence_of(ret);
    }
    ret->why = trend_explain(ret, options);
    trend_line_clear(&line);
}

void trend_clear(struct trend *t)
{
    if (!t)
        return;
    free(t->bursts);
    free(t->why);
    *t = (struct trend){ 0 };
}
