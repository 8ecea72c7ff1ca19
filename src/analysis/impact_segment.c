/* impact: is a segment real, and which of several explains best. */
#include "impact_internal.h"

#include <math.h>
#include <string.h>

#include "dbconn/base/alloc.h"
#include "impact_stats.h"

static int by_errors(const void *a, const void *b)
{
    const struct impact_cell *const *x = a, *const *y = b;

    if ((*x)->errors != (*y)->errors)
        return (*x)->errors > (*y)->errors ? -1 : 1;
    return strcmp((*x)->value, (*y)->value); /* the same answer whatever the order of rows */
}

/* The values that count, most errors first; the caller frees. */
static const struct impact_cell **ranked(const struct impact_key *k, size_t *ret_n)
{
    const struct impact_cell **c = xcalloc(k->n_cells + 1, sizeof(*c));

    *ret_n = 0;
    for (size_t i = 0; i < k->n_cells; i++) {
        if (!impact_is_health_check(k->cells[i].value))
            c[(*ret_n)++] = &k->cells[i];
    }
    if (*ret_n > 1)
        qsort(c, *ret_n, sizeof(*c), by_errors);
    return c;
}

static double log_choose(size_t n, size_t k)
{
    return lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1);
}

double impact_least_share(const struct impact_options *o, double usual)
{
    return usual > 0 ? o->min_share : o->min_share_alone;
}

/* The fewest values that hold enough of the errors: one, or some of many places. */
static void take_values(const struct impact_work *w, const struct impact_key *k,
                        const struct impact_cell **c, size_t n, struct impact_segment *s)
{
    size_t max = k->class == IMPACT_CLASS_INFRASTRUCTURE ? n / 2 : 1;

    if (max > w->o->max_values)
        max = w->o->max_values;
    if (max < 1)
        max = 1;
    s->values = xcalloc(max, sizeof(*s->values));
    do {
        s->events += c[s->n_values]->errors;
        s->baseline_events += c[s->n_values]->usual;
        s->values[s->n_values] = c[s->n_values]->value;
        s->n_values++;
    } while (s->n_values < max && s->events < impact_least_share(w->o, k->usual) * k->errors);
}

static void measure(const struct impact_key *k, size_t n, size_t n_tests, struct impact_segment *s)
{
    double outside;

    s->total = k->errors;
    s->share = s->events / s->total;
    s->baseline_total = k->usual;
    s->baseline_share = k->usual > 0 ? s->baseline_events / k->usual : -1;
    outside = k->usual - s->baseline_events;
    s->odds = -1;
    if (k->usual > 0) {
        s->odds = (s->events + 0.5) / (s->total - s->events + 0.5) /
                  ((s->baseline_events + 0.5) / (outside + 0.5));
        s->log_p = stats_log_chance(s->events, s->total, s->baseline_events, outside);
    } else { /* nothing to compare with: as if all values seen were equally frequent */
        s->log_p = stats_log_chance(s->events, s->total, 10.0 * (double)s->n_values,
                                    10.0 * (double)(n - s->n_values));
    }
    s->log_p += log_choose(n, s->n_values) + log((double)n_tests);
    if (s->log_p > 0)
        s->log_p = 0;
    s->p = exp(s->log_p);
}

static bool accept(const struct impact_work *w, const struct impact_key *k, size_t n,
                   const struct impact_segment *s)
{
    if (s->total < w->o->min_events || s->share < impact_least_share(w->o, k->usual) || n < 2 ||
        s->log_p > log(w->o->max_chance))
        return false;
    if (k->usual > 0)
        return s->baseline_total - s->baseline_events >= w->o->min_outside &&
               s->baseline_share <= w->o->max_baseline && s->odds >= w->o->min_odds;
    /* Only these errors carry the tag: then others that fail too, but seldom, must show that there
     * are others at all. Of places that is not enough: one of two regions may have all the traffic.
     */
    return k->class == IMPACT_CLASS_USAGE && s->total >= w->o->min_alone;
}

void impact_test_key(const struct impact_work *w, const struct impact_key *key, size_t n_tests,
                     struct impact *ret)
{
    struct impact_segment s = { .key = key->name, .class = key->class };
    const struct impact_cell **c;
    size_t n;

    if (key->errors <= 0)
        return;
    c = ranked(key, &n);
    if (n) {
        take_values(w, key, c, n, &s);
        s.value = s.values[0];
        s.n_distinct = n;
        measure(key, n, n_tests, &s);
        s.accepted = accept(w, key, n, &s);
        *VEC_ADD(ret->candidates, ret->n_candidates, ret->cap_candidates) = s;
    }
    free(c);
}

bool impact_segment_has(const struct impact_segment *s, const char *value)
{
    for (size_t i = 0; value && i < s->n_values; i++) {
        if (strcmp(s->values[i], value) == 0)
            return true;
    }
    return false;
}

struct overlap {
    double errors, errors_both; /* in the wide segment, and of these in the narrow one too */
    double usual, usual_both;
};

static struct overlap overlap_of(const struct impact_work *w, const struct impact_segment *wide,
                                 const struct impact_segment *narrow)
{
    struct overlap o = { 0 };

    for (size_t i = 0; i < w->in->n_events; i++) {
        const struct event_row *r = &w->in->events[i];

        if (!impact_segment_has(wide, event_row_tag(r, wide->key)))
            continue;
        o.errors += w->failures[i];
        if (impact_segment_has(narrow, event_row_tag(r, narrow->key)))
            o.errors_both += w->failures[i];
    }
    for (size_t i = 0; i < w->in->n_baseline; i++) {
        const struct event_row *r = &w->in->baseline[i];
        double n = r->count > 0 ? r->count : 1;

        if (!impact_segment_has(wide, event_row_tag(r, wide->key)))
            continue;
        o.usual += n;
        if (impact_segment_has(narrow, event_row_tag(r, narrow->key)))
            o.usual_both += n;
    }
    return o;
}

/*
 * Within the wide segment, are the errors confined to the narrow one although the rest of the wide
 * one has traffic? Then the narrow one is the answer; otherwise the errors are spread over the wide
 * one as its traffic is, and the narrow one only looks so because it is a part of it.
 */
static bool narrower_explains(const struct impact_work *w, const struct impact_segment *wide,
                              const struct impact_segment *narrow)
{
    struct overlap o = overlap_of(w, wide, narrow);

    if (o.errors <= 0 || o.usual - o.usual_both < w->o->min_rest)
        return false;
    return o.errors_both >= w->o->min_share * o.errors &&
           stats_log_chance(o.errors_both, o.errors, o.usual_both, o.usual - o.usual_both) +
                   log((double)narrow->n_distinct) <
               log(w->o->max_chance);
}

/* More general first: the larger share of the traffic, then fewer values. */
static bool more_general(const struct impact_segment *a, const struct impact_segment *b)
{
    if (fabs(a->baseline_share - b->baseline_share) > 0.02)
        return a->baseline_share > b->baseline_share;
    if (a->n_values != b->n_values)
        return a->n_values < b->n_values;
    if (a->n_distinct != b->n_distinct)
        return a->n_distinct < b->n_distinct;
    return strcmp(a->key, b->key) < 0;
}

static size_t best_of_class(const struct impact_work *w, const struct impact *i,
                            enum impact_class class)
{
    const struct impact_segment *c = i->candidates;
    size_t best = i->n_candidates;

    for (size_t n = 0; n < i->n_candidates; n++) {
        if (c[n].accepted && c[n].class == class &&
            (best == i->n_candidates || more_general(&c[n], &c[best])))
            best = n;
    }
    if (class == IMPACT_CLASS_USAGE)
        return best;
    for (size_t n = 0; n < i->n_candidates && best < i->n_candidates; n++) {
        if (n != best && c[n].accepted && c[n].class == class && !more_general(&c[n], &c[best]) &&
            narrower_explains(w, &c[best], &c[n]))
            best = n;
    }
    return best;
}

size_t impact_choose(const struct impact_work *w, const struct impact *i)
{
    const struct impact_segment *c = i->candidates;
    size_t none = i->n_candidates, place = best_of_class(w, i, IMPACT_CLASS_INFRASTRUCTURE);
    size_t usage = best_of_class(w, i, IMPACT_CLASS_USAGE);

    if (place != none && usage != none) /* a customer may live in one region, and the reverse */
        return c[usage].log_p < c[place].log_p - log(1 / w->o->max_chance) ? usage : place;
    if (place != none || usage != none)
        return place != none ? place : usage;
    return best_of_class(w, i, IMPACT_CLASS_HOST);
}
