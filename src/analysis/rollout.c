#include "dbconn/analysis/rollout.h"

#include <stdlib.h>
#include <string.h>

#include "dbconn/base/alloc.h"
#include "rollout_internal.h"

#define MAX_CANDIDATES 12
#define X(name, text) [ROLLOUT_##name] = (text),
static const char *const relation_names[] = { ROLLOUT_RELATION_LIST(X) };
#undef X

static const char *const strength_names[] = { "none", "weak", "likely", "decisive" };

const char *rollout_relation_name(enum rollout_relation r)
{
    return relation_names[r];
}

const char *rollout_strength_name(enum rollout_strength s)
{
    return strength_names[s];
}

void rollout_options_default(struct rollout_options *ret)
{
    *ret = (struct rollout_options){
        .clock_ms = 2 * MINUTE_MS, /* pipelines record a deploy late; clocks are off */
        .began_ms = 4 * MINUTE_MS, /* start-up, first use of a connection */
        .began_gaps = 2,           /* a quiet service needs longer to notice */
        .began_max_ms = 30 * MINUTE_MS,
        .rough_ms = 45 * MINUTE_MS, /* built, tested, approved, rolled out */
        .fine_ms = 15 * MINUTE_MS,  /* as long as roll-outs themselves take */
        .near_ms = 2 * HOUR_MS,     /* what people call "we just deployed" */
        .min_errors = 3,
        .min_confined = 0.9, /* a stray failure of another kind remains possible */
        .min_without = 0.2,  /* processes drain for a minute or two of ten and more */
        .min_like = 1.0 / 3, /* day and night differ by about as much */
        .min_others = 3,
        .max_chance = 0.01,
        .max_coincidence = 0.1,    /* with a roll-out every hour, timing shows nothing */
        .ended_ms = 5 * MINUTE_MS, /* the last hosts drain */
        .increase = 3,
    };
}

/* How long after a finished roll-out errors may begin and still have begun with it. */
static int64_t allowance(const struct rollout_work *w)
{
    double rate = w->in->trend->peak_rate;
    int64_t ms = w->o->began_ms;

    if (rate > 0)
        ms += (int64_t)(w->o->began_gaps * (double)HOUR_MS / rate);
    return ms < w->o->began_max_ms ? ms : w->o->began_max_ms;
}

static int by_length(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* The time from one burst to the next where a clock sets it, as of a job; 0: none does. A job uses
 * the connection, and notices, when its next run comes. */
static int64_t period_of(const struct trend *t)
{
    size_t n = t->n_bursts > 0 ? t->n_bursts - 1 : 0;
    int64_t *gaps, period;

    if (t->kind != TREND_INTERMITTENT || n < 3)
        return 0;
    gaps = xcalloc(n, sizeof(*gaps));
    for (size_t i = 0; i < n; i++)
        gaps[i] = t->bursts[i + 1].start_ms - t->bursts[i].start_ms;
    qsort(gaps, n, sizeof(*gaps), by_length);
    /* All but the few that a night or a skipped run makes longer are alike. */
    period = gaps[n / 2];
    if (gaps[0] < period * 3 / 4 || gaps[n * 3 / 4] > period * 5 / 4)
        period = 0;
    free(gaps);
    return period;
}

/* Several machines with it fail and several without it do not: no accident of one machine. */
static bool groups_differ(const struct rollout_candidate *c)
{
    return c->others_healthy == YES && c->hosts_on_failing >= 2 && c->hosts_apart >= 2;
}

/* The same where it is tied to them by more than time; 0 where it isn't. */
static int64_t tied_allowance(const struct rollout_work *w, const struct rollout_candidate *c)
{
    const struct rollout_release *r = &w->in->releases[c->release];
    int64_t ms = w->o->began_max_ms, period = period_of(w->in->trend) + w->o->began_ms;

    if (c->confined == NO || c->partial == YES)
        return 0;
    if (r->takes_more || groups_differ(c))
        return w->o->near_ms; /* a pool fills as load comes */
    if (c->others_healthy == YES && c->hosts_apart > 0)
        return w->o->began_max_ms;
    if (period > ms)
        ms = period;
    return r->sets_target ? ms : 0;
}

static int64_t nearness(const struct rollout_work *w)
{
    int64_t period = period_of(w->in->trend) + w->o->began_ms;

    return period > w->o->near_ms ? period : w->o->near_ms;
}

/* Did an old background grow with it, rather than begin from nothing? Single failures on earlier
 * days are none. */
static bool had_background(const struct rollout_work *w)
{
    const struct trend *t = w->in->trend;

    return t->background_events >= 3 && t->rate_before * 24 >= 1;
}

static enum rollout_relation relate_by_time(const struct rollout_work *w,
                                            const struct rollout_live *l,
                                            struct rollout_candidate *c)
{
    int64_t allowed = allowance(w), tied = tied_allowance(w, c);

    c->during = w->to_ms >= l->from_ms - w->o->clock_ms && w->from_ms <= l->to_ms + MINUTE_MS;
    c->prompt = c->during || w->from_ms <= l->to_ms + w->o->began_ms;
    c->late = !c->during && w->from_ms > l->to_ms + allowed;
    if (w->in->trend->onset_open && l->from_ms <= w->from_ms)
        return ROLLOUT_UNKNOWN; /* the onset itself was not seen */
    if (w->to_ms < l->from_ms - w->o->clock_ms)
        return ROLLOUT_YOUNGER_THAN_ONSET;
    if (!c->late || w->from_ms <= l->to_ms + tied)
        return had_background(w) ? ROLLOUT_INCREASED_WITH_IT : ROLLOUT_BEGAN_WITH_IT;
    return w->from_ms <= l->to_ms + nearness(w) ? ROLLOUT_COINCIDES_ONLY : ROLLOUT_OLDER;
}

static double errors_between(const struct rollout_work *w, int64_t from_ms, int64_t to_ms)
{
    double n = 0;

    for (size_t i = 0; i < w->n_errors; i++) {
        int64_t at = w->errors[i].row->at_ms;
        if (at != TIME_UNKNOWN && at >= from_ms && at < to_ms)
            n += w->errors[i].n;
    }
    return n;
}

/* A roll-out in the middle of the outage after which the errors multiplied, all of them on it. */
static bool increased(const struct rollout_work *w, const struct rollout_live *l,
                      const struct rollout_candidate *c)
{
    int64_t width = l->from_ms - w->to_ms;
    double before, after;

    if (width > w->in->now_ms - l->to_ms)
        width = w->in->now_ms - l->to_ms;
    if (width > HOUR_MS)
        width = HOUR_MS;
    if (width < 15 * MINUTE_MS || w->in->trend->n_bursts > 2)
        return false; /* too short to compare, or it comes and goes by itself */
    before = errors_between(w, l->from_ms - width, l->from_ms);
    after = errors_between(w, l->to_ms, l->to_ms + width);
    return after >= 12 && after >= w->o->increase * (before > 1 ? before : 1) &&
           c->usual_older >= w->o->min_others && c->errors_older <= before;
}

/* All hosts run it and fail: soon after it, and as long as it runs. */
static bool fails_since(const struct rollout_work *w, const struct rollout_candidate *c)
{
    const struct trend *t = w->in->trend;

    return c->during || (c->prompt && t->ongoing == YES && t->kind != TREND_INTERMITTENT);
}

static enum rollout_strength strength_of(const struct rollout_work *w,
                                         const struct rollout_candidate *c, double coincidence)
{
    bool began = c->relation == ROLLOUT_BEGAN_WITH_IT || c->relation == ROLLOUT_INCREASED_WITH_IT;
    bool rare = coincidence <= w->o->max_coincidence && w->to_ms - w->from_ms <= w->o->fine_ms;

    if (c->relation == ROLLOUT_UNKNOWN)
        return c->others_healthy == YES ? ROLLOUT_LIKELY : ROLLOUT_NONE;
    if (!began || c->confined == NO)
        return ROLLOUT_NONE;
    if (c->lead_ms < -w->o->clock_ms)
        return ROLLOUT_WEAK; /* an increase in the middle of it */
    if (c->others_healthy == YES)
        return c->late ? ROLLOUT_LIKELY : ROLLOUT_DECISIVE;
    if (c->confined == UNKNOWN)
        return c->during && c->ended_with_next == YES ? ROLLOUT_LIKELY : ROLLOUT_WEAK;
    if (fails_since(w, c) && !c->late && !c->rough && rare && c->partial != YES)
        return c->ended_with_next == YES ? ROLLOUT_DECISIVE : ROLLOUT_LIKELY;
    return c->ended_with_next == YES && c->partial != YES ? ROLLOUT_LIKELY : ROLLOUT_WEAK;
}

/* How long before the onset; 0 where the onset's slack covers it. */
static int64_t lead_of(const struct rollout_work *w, int64_t live_ms)
{
    if (live_ms > w->to_ms)
        return w->to_ms - live_ms;
    return live_ms < w->from_ms ? w->from_ms - live_ms : 0;
}

static void judge(const struct rollout_work *w, size_t live, double coincidence,
                  struct rollout_candidate *c)
{
    const struct rollout_live *l = &w->lives[live];

    c->release = l->release;
    c->version = w->in->releases[l->release].version;
    c->live_from_ms = l->from_ms;
    c->live_to_ms = l->to_ms;
    c->rough = l->rough;
    c->lead_ms = lead_of(w, l->from_ms);
    rollout_count(w, live, c);
    c->relation = relate_by_time(w, l, c);
    if (c->relation == ROLLOUT_YOUNGER_THAN_ONSET && increased(w, l, c))
        c->relation = ROLLOUT_INCREASED_WITH_IT;
    if ((c->relation == ROLLOUT_BEGAN_WITH_IT || c->relation == ROLLOUT_INCREASED_WITH_IT) &&
        (c->confined == NO || (c->partial == YES && !c->during && c->others_healthy != YES)))
        c->relation = ROLLOUT_COINCIDES_ONLY;
    c->strength = strength_of(w, c, coincidence);
}

/* The share of the week before the onset that is near enough to a roll-out to be blamed on it. */
static double coincidence_of(const struct rollout_work *w)
{
    int64_t begin = w->from_ms - 7 * DAY_MS, at = begin, covered = 0;

    for (size_t i = 0; i < w->n_lives; i++) { /* by from_ms */
        int64_t from = w->lives[i].from_ms - w->o->clock_ms, to = w->lives[i].to_ms + MINUTE_MS;

        if (w->lives[i].from_ms > w->from_ms - w->o->began_max_ms)
            break; /* the ones in question do not count */
        from = from > at ? from : at;
        if (to > from) {
            covered += to - from;
            at = to;
        }
    }
    return (double)covered / (double)(7 * DAY_MS);
}

static void choose(struct rollout *r)
{
    for (size_t i = 0; i < r->n_candidates; i++) {
        const struct rollout_candidate *c = &r->candidates[i];

        if (c->strength > r->strength) { /* of equals the nearest to the onset */
            r->strength = c->strength;
            r->verdict = c;
        }
    }
}

/* Does the evidence show that no release began it? Every roll-out near the onset is ruled out, by
 * hosts that fail without it or by its time. */
static enum tristate acquit(const struct rollout_work *w, const struct rollout *r)
{
    if (r->verdict)
        return NO;
    if (!w->n_lives || w->in->trend->onset_open)
        return UNKNOWN;
    for (size_t i = 0; i < r->n_candidates; i++) {
        const struct rollout_candidate *c = &r->candidates[i];
        if (c->relation == ROLLOUT_COINCIDES_ONLY && c->confined != NO && c->partial != YES)
            return UNKNOWN;
    }
    return YES;
}

static int64_t distance(const struct rollout_work *w, size_t live)
{
    int64_t d = w->from_ms - w->lives[live].from_ms;

    return d < 0 ? -d : d;
}

/* The roll-outs nearest to the onset, nearest first. They are few, so a simple insertion. */
static size_t nearest(const struct rollout_work *w, size_t *ret, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n_lives; i++) {
        size_t at = n;

        while (at > 0 && distance(w, ret[at - 1]) > distance(w, i))
            at--;
        if (at == max)
            continue;
        n += n < max;
        memmove(&ret[at + 1], &ret[at], (n - at - 1) * sizeof(*ret));
        ret[at] = i;
    }
    return n;
}

static void analyse(struct rollout_work *w, struct rollout *ret)
{
    size_t lives[MAX_CANDIDATES], n;

    w->from_ms = w->in->trend->onset_ms;
    w->to_ms = w->from_ms + w->in->trend->onset_slack_ms;
    rollout_find_lives(w);
    rollout_read_rows(w);
    ret->coincidence = coincidence_of(w);
    n = nearest(w, lives, MAX_CANDIDATES);
    for (size_t i = 0; i < n; i++) {
        struct rollout_candidate *c =
            VEC_ADD(ret->candidates, ret->n_candidates, ret->cap_candidates);
        judge(w, lives[i], ret->coincidence, c);
        c->why = rollout_explain_candidate(w, c);
    }
    choose(ret);
    ret->acquitted = acquit(w, ret);
}

void rollout_analyse(const struct rollout_input *in, const struct rollout_options *options,
                     struct rollout *ret)
{
    struct rollout_options defaults;
    struct rollout_work w = { .in = in };

    rollout_options_default(&defaults);
    w.o = options ? options : &defaults;
    *ret = (struct rollout){ 0 };
    if (in->trend->onset_ms != TIME_UNKNOWN)
        analyse(&w, ret);
    ret->why = rollout_explain(&w, ret);
    free(w.lives);
    free(w.hosts);
    free(w.errors);
    free(w.usual);
}

void rollout_clear(struct rollout *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_candidates; i++)
        free(r->candidates[i].why);
    free(r->candidates);
    free(r->why);
    *r = (struct rollout){ 0 };
}
