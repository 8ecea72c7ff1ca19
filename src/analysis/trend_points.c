/* trend: laying the list of events and the counts per interval over each other. */
#include "trend_internal.h"

#include <math.h>
#include <string.h>

#include "dbconn/base/alloc.h"

#define MAX_SPREAD 32           /* points that stand for one bucket */
#define LISTED_SHARE 0.6        /* of what a bucket counts must be listed to be all of it */
#define LISTED_SLACK 5
#define MAX_AGE (3650 * DAY_MS) /* older times are no times */

/* A time whose events are all known from one source. */
struct cover {
    int64_t from_ms, to_ms; /* [from, to) */
};

struct covers {
    struct cover *items; /* by time, apart from each other */
    size_t n, cap;
};

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

/* The finest series after `last`; of equally fine ones the first in the input. */
static const struct trend_series *next_series(const struct trend_input *in,
                                              const struct trend_series *last)
{
    const struct trend_series *best = NULL;

    for (size_t i = 0; i < in->n_series; i++) {
        const struct trend_series *s = &in->series[i];

        if (!usable(s, in->now_ms) || (last && s->interval_ms < last->interval_ms) ||
            (last && s->interval_ms == last->interval_ms && s <= last))
            continue;
        if (!best || s->interval_ms < best->interval_ms)
            best = s;
    }
    return best;
}

static int by_start(const void *a, const void *b)
{
    const struct cover *x = a, *y = b;

    return (x->from_ms > y->from_ms) - (x->from_ms < y->from_ms);
}

static void add_cover(struct covers *c, int64_t from_ms, int64_t to_ms)
{
    size_t out = 0;

    *VEC_ADD(c->items, c->n, c->cap) = (struct cover){ from_ms, to_ms };
    qsort(c->items, c->n, sizeof(*c->items), by_start);
    for (size_t i = 0; i < c->n; i++) {
        if (out && c->items[i].from_ms <= c->items[out - 1].to_ms) {
            if (c->items[i].to_ms > c->items[out - 1].to_ms)
                c->items[out - 1].to_ms = c->items[i].to_ms;
        } else {
            c->items[out++] = c->items[i];
        }
    }
    c->n = out;
}

/* The longest stretch of [from, to) that nothing covers; false when all is covered. */
static bool uncovered(const struct covers *c, struct cover *range)
{
    struct cover best = { 0, 0 };
    int64_t at = range->from_ms;

    for (size_t i = 0; i <= c->n; i++) {
        int64_t end =
            i < c->n && c->items[i].from_ms < range->to_ms ? c->items[i].from_ms : range->to_ms;
        if (end - at > best.to_ms - best.from_ms)
            best = (struct cover){ at, end };
        if (i < c->n && c->items[i].to_ms > at)
            at = c->items[i].to_ms;
    }
    *range = best;
    return best.to_ms > best.from_ms;
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

static void add_series(struct trend_line *line, struct covers *covers, const struct trend_input *in,
                       const struct trend_series *s, int64_t clump_ms)
{
    const struct trend_line finer = { .points = line->points, .n = line->n };
    int64_t end = s->start_ms + (int64_t)s->n_counts * s->interval_ms;
    struct trend_line added = { 0 };

    for (size_t i = 0; i < s->n_counts; i++) {
        struct cover range = { s->start_ms + (int64_t)i * s->interval_ms, 0 };
        double n = s->counts[i];

        range.to_ms = range.from_ms + s->interval_ms;
        if (range.from_ms > in->now_ms)
            break;
        if (!(n > 0) || n > 1e12)
            continue;
        n -= events_between(&finer, range.from_ms, range.to_ms);
        if (range.to_ms > in->now_ms)
            range.to_ms = in->now_ms + 1;
        if (n >= 0.5 && uncovered(covers, &range))
            add_bucket(&added, in, range.from_ms, range.to_ms, n, clump_ms);
    }
    for (size_t i = 0; i < added.n; i++)
        *VEC_ADD(line->points, line->n, line->cap) = added.points[i];
    free(added.points);
    add_cover(covers, s->start_ms, end);
}

/* Does this bucket count events in `w` before the first listed one? Where it reaches beyond that,
 * what it counts may also have come later: all that did is listed, if it ends within the window. */
static bool counts_unlisted(const struct trend_line *line, const struct trend_series *s, size_t j,
                            const struct trend_span *w, int64_t first_ms)
{
    int64_t at = s->start_ms + (int64_t)j * s->interval_ms, end = at + s->interval_ms;

    if (at < w->from_ms || at >= first_ms)
        return false;
    if (end <= first_ms)
        return s->counts[j] >= 0.5;
    return end <= w->to_ms &&
           events_between(line, at, end) < LISTED_SHARE * s->counts[j] - LISTED_SLACK;
}

/* Were there events in the window before the first listed one? */
static bool counted_before(const struct trend_line *line, const struct trend_input *in,
                           const struct trend_span *w, int64_t first_ms)
{
    if (in->first_seen_ms != TIME_UNKNOWN && in->first_seen_ms >= w->from_ms &&
        in->first_seen_ms < first_ms)
        return true;
    for (size_t i = 0; i < in->n_series; i++) {
        const struct trend_series *s = &in->series[i];

        for (size_t j = 0; usable(s, in->now_ms) && j < s->n_counts; j++)
            if (counts_unlisted(line, s, j, w, first_ms))
                return true;
    }
    return false;
}

/*
 * A window of the list covers its time up to its last event, the newest one up to now. It covers
 * the time before its first event too, as empty, unless events are counted there: what is too old
 * to be listed is counted all the same.
 */
static void cover_listed(const struct trend_line *line, struct covers *covers,
                         const struct trend_input *in)
{
    const struct trend_span all = { INT64_MIN, in->now_ms };
    const struct trend_span *w = in->n_listed ? in->listed : &all;

    for (size_t i = 0; i < (in->n_listed ? in->n_listed : 1); i++) {
        int64_t first = INT64_MAX, last = INT64_MIN;

        for (size_t j = 0; j < line->n; j++) {
            int64_t at = line->points[j].at_ms;
            if (at < w[i].from_ms || at > w[i].to_ms)
                continue;
            first = at < first ? at : first;
            last = at;
        }
        if (first > last)
            continue;
        if (in->n_listed && !counted_before(line, in, &w[i], first))
            first = w[i].from_ms;
        add_cover(covers, first, w[i].to_ms >= in->now_ms ? in->now_ms + 1 : last + 1);
    }
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
    const struct trend_series *s = NULL;
    struct covers covers = { 0 };
    int64_t first;

    *line = (struct trend_line){ .now_ms = in->now_ms };
    add_listed(line, in);
    cover_listed(line, &covers, in);
    while ((s = next_series(in, s)))
        add_series(line, &covers, in, s, o->clump_ms);
    if (line->n > 1)
        qsort(line->points, line->n, sizeof(*line->points), by_time);
    line->n = clump(line->points, line->n, o->clump_ms);
    if (line->n) {
        first = line->points[0].at_ms;
        line->open =
            in->times_capped && covers.items[0].from_ms >= first && first > in->first_seen_ms;
        line->from_ms = line->open ? first : in->now_ms - o->history_ms;
        if (line->from_ms > first)
            line->from_ms = first;
    }
    free(covers.items);
}

void trend_line_clear(struct trend_line *line)
{
    free(line->points);
    *line = (struct trend_line){ 0 };
}
