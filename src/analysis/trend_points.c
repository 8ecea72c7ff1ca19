/* trend: laying the list of events and the counts per interval over each other. */
#include "trend_internal.h"

#include <math.h>
#include <string.h>

#include "dbconn/base/alloc.h"

#define MAX_SPREAD 32           /* points that stand for one bucket */
#define MAX_AGE (3650 * DAY_MS) /* older times are no times */

static int by_time(const void *a, const void *b)
{
    const struct trend_point *x = a, *y = b;

    return (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

static struct trend_point *add_point(struct trend_line *line, int64_t at_ms, double n)
{
    struct trend_point *p = VEC_ADD(line->points, line->n, line->cap);

    *p = (struct trend_point){ .at_ms = at_ms, .n = n };
    return p;
}

/*
 * What n events within one clump weigh as evidence. Failures within seconds are not independent: a
 * retry loop of one host, or one second of a busy service. So it grows with the logarithm.
 */
static double weight_of(double n)
{
    return 1 + log(n > 1 ? n : 1);
}

/* The same for n events spread at random over a bucket: what its clumps would weigh together. */
static double bucket_weight(double n, int64_t span_ms, int64_t clump_ms)
{
    double room = (double)(span_ms > clump_ms ? span_ms : clump_ms) / (double)clump_ms;
    double clumps = room * (1 - exp(-n / room));

    return clumps * weight_of(n / clumps);
}

static void add_listed(struct trend_line *line, const struct trend_input *in)
{
    for (size_t i = 0; i < in->n_times; i++) {
        int64_t at = in->times_ms[i];

        if (at == TIME_UNKNOWN || at < in->now_ms - MAX_AGE)
            continue;
        add_point(line, at > in->now_ms ? in->now_ms : at, 1)->listed = true;
    }
    if (line->n > 1)
        qsort(line->points, line->n, sizeof(*line->points), by_time);
}

static bool usable(const struct trend_series *s, int64_t now_ms)
{
    return s->interval_ms > 0 && s->interval_ms <= 366 * DAY_MS && s->n_counts > 0 &&
           s->start_ms > now_ms - MAX_AGE && s->start_ms <= now_ms;
}

/* The finest series not used yet. */
static const struct trend_series *next_series(const struct trend_input *in, int64_t above_ms)
{
    const struct trend_series *best = NULL;

    for (size_t i = 0; i < in->n_series; i++) {
        const struct trend_series *s = &in->series[i];

        if (usable(s, in->now_ms) && s->interval_ms > above_ms &&
            (!best || s->interval_ms < best->interval_ms))
            best = s;
    }
    return best;
}

static double events_between(const struct trend_line *line, int64_t from_ms, int64_t to_ms)
{
    double n = 0;

    for (size_t i = 0; i < line->n; i++) {
        if (line->points[i].at_ms >= from_ms && line->points[i].at_ms < to_ms)
            n += line->points[i].n;
    }
    return n;
}

/* The events of a bucket, evenly spread over what finer sources have not covered of it. */
static void add_bucket(struct trend_line *line, const struct trend_input *in, int64_t from_ms,
                       int64_t to_ms, double n, int64_t clump_ms)
{
    int64_t span, k;
    double weight;

    if (in->first_seen_ms != TIME_UNKNOWN && in->first_seen_ms > from_ms &&
        in->first_seen_ms < to_ms)
        from_ms = in->first_seen_ms; /* nothing came before it */
    if (in->last_seen_ms != TIME_UNKNOWN && in->last_seen_ms > from_ms && in->last_seen_ms < to_ms)
        to_ms = in->last_seen_ms + 1;
    span = to_ms - from_ms;
    k = span / clump_ms;
    if (k > MAX_SPREAD)
        k = MAX_SPREAD;
    if ((double)k > n)
        k = (int64_t)n;
    if (k < 1)
        k = 1;
    weight = bucket_weight(n, span, clump_ms) / (double)k;
    for (int64_t j = 0; j < k; j++) {
        struct trend_point *p = add_point(line, from_ms + span * j / k, n / (double)k);
        /* The first of them may have come anywhere in the bucket. */
        p->slack_ms = j ? span / k : from_ms == in->first_seen_ms ? 0 : span;
        p->weight = weight;
    }
}

static int64_t add_series(struct trend_line *line, const struct trend_input *in,
                          const struct trend_series *s, int64_t frontier_ms, int64_t clump_ms)
{
    size_t known = line->n; /* points of finer sources */

    for (size_t i = 0; i < s->n_counts; i++) {
        int64_t from = s->start_ms + (int64_t)i * s->interval_ms;
        int64_t to = from + s->interval_ms;
        double n = s->counts[i];

        if (from >= frontier_ms)
            break;
        if (!(n > 0) || n > 1e12)
            continue;
        if (to > frontier_ms) { /* partly covered by what we know better */
            struct trend_line finer = { .points = line->points, .n = known };
            n -= events_between(&finer, frontier_ms, to);
            to = frontier_ms;
        }
        if (n >= 0.5)
            add_bucket(line, in, from, to, n, clump_ms);
    }
    return s->start_ms < frontier_ms ? s->start_ms : frontier_ms;
}

/* Joins listed events within `clump_ms` of the first of them. */
static size_t clump(struct trend_point *p, size_t n, int64_t clump_ms)
{
    size_t out = 0;

    for (size_t i = 0; i < n; i++) {
        if (out && p[i].listed && p[out - 1].listed && p[i].at_ms - p[out - 1].at_ms < clump_ms)
            p[out - 1].n += p[i].n;
        else
            p[out++] = p[i];
    }
    for (size_t i = 0; i < out; i++) {
        if (p[i].listed)
            p[i].weight = weight_of(p[i].n);
    }
    return out;
}

void trend_line_build(struct trend_line *line, const struct trend_input *in,
                      const struct trend_options *o)
{
    int64_t frontier = in->now_ms + 1, reach, used = 0;
    const struct trend_series *s;

    *line = (struct trend_line){ .now_ms = in->now_ms };
    add_listed(line, in);
    if (line->n)
        frontier = line->points[0].at_ms;
    reach = frontier;
    while ((s = next_series(in, used))) {
        reach = add_series(line, in, s, reach, o->clump_ms);
        used = s->interval_ms;
    }
    if (line->n > 1)
        qsort(line->points, line->n, sizeof(*line->points), by_time);
    line->n = clump(line->points, line->n, o->clump_ms);
    if (!line->n)
        return;
    line->open = in->times_capped && reach >= frontier && line->points[0].at_ms > in->first_seen_ms;
    line->from_ms = line->open ? line->points[0].at_ms : in->now_ms - o->history_ms;
    if (line->from_ms > line->points[0].at_ms)
        line->from_ms = line->points[0].at_ms;
}

void trend_line_clear(struct trend_line *line)
{
    free(line->points);
    *line = (struct trend_line){ 0 };
}
