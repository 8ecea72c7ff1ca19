#include "dbconn/analysis/impact.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/clock.h"
#include "impact_internal.h"

#define MAX_CANDIDATES 16

void impact_options_default(struct impact_options *ret)
{
    *ret = (struct impact_options){
        .retry_ms = 5 * SECOND_MS, /* drivers retry after 0.1 to 5 s */
        .min_events = 5,           /* five of five in one of two regions: 3 % by chance */
        .min_share = 0.85,         /* strays elsewhere, and a few of the background */
        .min_share_alone = 0.8,    /* who shares a pool with the culprit is hit now and then */
        .min_odds = 8,             /* retries and busy regions alone make 2 to 4 */
        .max_baseline = 0.85,      /* a segment that is nearly all of the traffic explains little */
        .max_chance = 0.001,       /* one false segment in a thousand incidents */
        .min_outside = 3,          /* else nobody knows whether the others are alive; how sure few
                                      of them make is max_chance's affair */
        .min_rest = 4,             /* the same of the rest of a wider segment */
        .min_alone = 12,
        .max_values = 3,     /* a region known by its zones only */
        .max_distinct = 200, /* regions, hosts, tenants in trouble: fewer */
        .max_id_ratio = 0.5,
    };
}

static bool can_be_segment(const struct impact_key *k)
{
    return k->class != IMPACT_CLASS_NEUTRAL && !k->is_id && k->errors > 0;
}

static void test_all(const struct impact_work *w, struct impact *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n_keys; i++)
        n += can_be_segment(&w->keys[i]);
    for (size_t i = 0; i < w->n_keys; i++) {
        if (can_be_segment(&w->keys[i]))
            impact_test_key(w, &w->keys[i], n, ret);
    }
}

static int by_rank(const void *a, const void *b)
{
    const struct impact_segment *x = a, *y = b;

    if (x->accepted != y->accepted)
        return x->accepted ? -1 : 1;
    if (x->log_p != y->log_p)
        return x->log_p < y->log_p ? -1 : 1;
    return strcmp(x->key, y->key);
}

static void segment_clear(struct impact_segment *s)
{
    free(s->values);
    free(s->why);
}

/* The chosen one first, then the accepted, then by how unlikely they are. */
static void rank(struct impact *ret, size_t chosen)
{
    struct impact_segment first;

    if (chosen < ret->n_candidates) {
        first = ret->candidates[chosen];
        ret->candidates[chosen] = ret->candidates[0];
        ret->candidates[0] = first;
        ret->segment = &ret->candidates[0];
    }
    if (ret->n_candidates > 1) {
        size_t skip = ret->segment ? 1 : 0;
        qsort(ret->candidates + skip, ret->n_candidates - skip, sizeof(*ret->candidates), by_rank);
    }
    while (ret->n_candidates > MAX_CANDIDATES)
        segment_clear(&ret->candidates[--ret->n_candidates]);
}

static double distinct_users(const struct impact_work *w, bool baseline)
{
    const struct impact_key *k = impact_find_key(w, "user");
    double n = 0;

    if (!k || k->is_id)
        return -1;
    for (size_t i = 0; i < k->n_cells; i++)
        n += (baseline ? k->cells[i].usual : k->cells[i].errors) > 0;
    return n > 0 ? n : -1;
}

static void count_users(const struct impact_work *w, struct impact *ret)
{
    ret->users_hit = w->in->users_hit >= 0 ? w->in->users_hit : distinct_users(w, false);
    ret->users_usual = w->in->users_usual >= 0 ? w->in->users_usual : distinct_users(w, true);
    ret->few_users =
        ret->users_hit >= 0 && ret->users_hit <= 3 && w->n_failures >= 20 && ret->users_usual >= 20;
}

static double confidence_of(const struct impact_work *w, const struct impact *i)
{
    const struct impact_segment *s = i->segment;
    double n = i->events, c = n / (n + 5);

    if (i->kind == IMPACT_UNKNOWN)
        return 0;
    if (!s) /* everybody: as sure as there is something to compare with */
        return w->in->n_baseline || w->in->n_baseline_tags ? c : 0.6 * c;
    if (s->baseline_share < 0 || s->class == IMPACT_CLASS_HOST)
        return 0.6 * c;
    return c * (s->share > 0.97 ? 1 : 0.9);
}

/* Even three failures, when they come from different machines, are no matter of one of them. */
static bool hits_several_hosts(const struct impact_work *w)
{
    size_t most = 0;

    for (size_t i = 0; i < w->n_keys; i++) {
        size_t hit = 0;

        for (size_t j = 0; w->keys[i].class == IMPACT_CLASS_HOST && j < w->keys[i].n_cells; j++)
            hit += w->keys[i].cells[j].errors > 0;
        most = hit > most ? hit : most;
    }
    return w->n_failures >= 3 && most >= 2;
}

void impact_analyse(const struct impact_input *in, const struct impact_options *options,
                    struct impact *ret)
{
    struct impact_options defaults;
    struct impact_work w = { .in = in };

    impact_options_default(&defaults);
    w.o = options ? options : &defaults;
    *ret = (struct impact){ .users_hit = -1, .users_usual = -1 };
    impact_read_keys(&w);
    impact_classify_keys(&w);
    ret->events = w.n_failures;
    for (size_t i = 0; i < w.n_keys && !in->n_events; i++)
        ret->events = fmax(ret->events, w.keys[i].errors);
    count_users(&w, ret);
    test_all(&w, ret);
    rank(ret, impact_choose(&w, ret));
    if (ret->segment)
        ret->kind = IMPACT_SEGMENT;
    else
        ret->kind =
            ret->events >= w.o->min_events || hits_several_hosts(&w) ? IMPACT_ALL : IMPACT_UNKNOWN;
    ret->confidence = confidence_of(&w, ret);
    for (size_t i = 0; i < ret->n_candidates; i++)
        impact_explain_segment(&w, &ret->candidates[i]);
    ret->why = impact_explain(&w, ret);
    impact_clear_keys(&w);
}

void impact_clear(struct impact *i)
{
    if (!i)
        return;
    for (size_t n = 0; n < i->n_candidates; n++)
        segment_clear(&i->candidates[n]);
    free(i->candidates);
    free(i->why);
    *i = (struct impact){ 0 };
}
