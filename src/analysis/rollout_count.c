/* rollout: who fails and who is alive, on this release and on what it replaced. */
#include "rollout_internal.h"

#include <math.h>
#include <string.h>

#include "dbconn/base/alloc.h"
#include "impact_stats.h"

enum side { ON, OLDER, NEWER, NONE };

struct host {
    bool on, on_failing, older, older_failing;
    double usual; /* other issues' events on the release, while the errors went on */
};

static enum side side_of(const struct rollout_work *w, size_t live, const struct rollout_row *r)
{
    if (r->live == ROLLOUT_NO_RELEASE)
        return NONE;
    if (r->live == ROLLOUT_FOREIGN)
        return OLDER; /* not in a list that holds the newest: old */
    if (r->live == live)
        return ON;
    return w->lives[r->live].from_ms <= w->lives[live].from_ms ? OLDER : NEWER;
}

static bool since_onset(const struct rollout_work *w, const struct rollout_row *r)
{
    return r->row->at_ms == TIME_UNKNOWN || r->row->at_ms >= w->from_ms;
}

/* hosts[] has one entry more than there are hosts, for events that name none. */
static struct host *host_of(const struct rollout_work *w, struct host *hosts,
                            const struct rollout_row *r)
{
    return &hosts[r->host == ROLLOUT_NO_HOST ? w->n_hosts : r->host];
}

static void count_errors(const struct rollout_work *w, size_t live, struct host *hosts,
                         struct rollout_candidate *c)
{
    for (size_t i = 0; i < w->n_errors; i++) {
        const struct rollout_row *r = &w->errors[i];
        enum side side = side_of(w, live, r);

        if (!since_onset(w, r)) {
            c->errors_before += side == ON ? r->n : 0;
            continue;
        }
        switch (side) {
        case ON:
            c->errors_on += r->n;
            host_of(w, hosts, r)->on_failing = true;
            break;
        case OLDER:
            c->errors_older += r->n;
            host_of(w, hosts, r)->older_failing = true;
            break;
        case NEWER:
            c->errors_newer += r->n;
            break;
        case NONE:
            c->errors_unknown += r->n;
            break;
        }
    }
}

/* The last moment at which a host was seen on what the release replaced. */
static int64_t both_ran_until(const struct rollout_work *w, size_t live)
{
    int64_t until = w->from_ms;

    for (size_t i = 0; i < w->n_usual; i++) {
        const struct rollout_row *r = &w->usual[i];

        if (side_of(w, live, r) == OLDER && r->row->at_ms != TIME_UNKNOWN && r->row->at_ms > until)
            until = r->row->at_ms;
    }
    return until;
}

static void count_usual(const struct rollout_work *w, size_t live, struct host *hosts,
                        struct rollout_candidate *c)
{
    int64_t until = both_ran_until(w, live), end = w->in->trend->end_ms;

    for (size_t i = 0; i < w->n_usual; i++) {
        const struct rollout_row *r = &w->usual[i];
        enum side side = side_of(w, live, r);

        if (!since_onset(w, r) ||
            (end != TIME_UNKNOWN && r->row->at_ms != TIME_UNKNOWN && r->row->at_ms > end))
            continue;
        if (side == OLDER) {
            c->usual_older += r->n;
            host_of(w, hosts, r)->older = true;
        } else if (side == ON) {
            host_of(w, hosts, r)->on = true;
            host_of(w, hosts, r)->usual += r->n;
            if (r->row->at_ms == TIME_UNKNOWN || r->row->at_ms <= until)
                c->usual_on += r->n;
        }
    }
}

/* Errors on the release while both ran, once for each failure with its retries. */
static double failures_while_both_ran(const struct rollout_work *w, size_t live, int64_t until)
{
    int64_t last = TIME_UNKNOWN;
    double n = 0;

    for (size_t i = 0; i < w->n_errors; i++) {
        const struct rollout_row *r = &w->errors[i];

        if (!since_onset(w, r) || side_of(w, live, r) != ON)
            continue;
        if (r->row->at_ms == TIME_UNKNOWN) {
            n += r->n;
        } else if (r->row->at_ms <= until &&
                   (last == TIME_UNKNOWN || llabs(r->row->at_ms - last) > 5 * SECOND_MS)) {
            last = r->row->at_ms;
            n += 1;
        }
    }
    return n;
}

/* The share of hosts that still ran what it replaced, were they updated one after the other. */
static double share_left(const struct rollout_live *l, int64_t at_ms)
{
    if (at_ms <= l->from_ms || l->to_ms <= l->from_ms)
        return 1;
    return (double)(l->to_ms - at_ms) / (double)(l->to_ms - l->from_ms);
}

/*
 * Once all hosts run it every further error counts for it, whatever began them: what tells is the
 * time while it was rolled out. Did hosts still without it fail then about as often as their number
 * lets one expect? Slots that ran out are lacked by all, whoever took them.
 */
static bool fails_without_it(const struct rollout_work *w, size_t live)
{
    const struct rollout_live *l = &w->lives[live];
    int64_t from = w->from_ms > l->from_ms ? w->from_ms : l->from_ms;
    double all = 0, older = 0, expected = 0;

    if (l->rough || w->in->slots_ran_out)
        return false;
    for (size_t i = 0; i < w->n_errors; i++) {
        const struct rollout_row *r = &w->errors[i];
        enum side side = side_of(w, live, r);

        if (r->row->at_ms == TIME_UNKNOWN || r->row->at_ms < from || r->row->at_ms > l->to_ms ||
            (side != ON && side != OLDER))
            continue;
        all += r->n;
        older += side == OLDER ? r->n : 0;
        expected += r->n * share_left(l, r->row->at_ms);
    }
    if (l->to_ms > from) /* the old background belongs to nobody */
        older -= w->in->trend->rate_before * (double)(l->to_ms - from) / (double)HOUR_MS;
    return older >= w->o->min_errors && older >= w->o->min_without * all && older >= expected / 2;
}

/* May what it did outlast it? Settings of an address live elsewhere too, and slots stay taken. */
static bool may_outlast(const struct rollout_work *w, size_t live)
{
    const struct rollout_release *r = &w->in->releases[w->lives[live].release];

    return w->in->slots_ran_out || r->takes_more || r->sets_target;
}

/* The roll-out that put back a release of before; n_lives: none. */
static size_t put_back(const struct rollout_work *w, size_t live)
{
    for (size_t i = live + 1; i < w->n_lives; i++) { /* by from_ms */
        for (size_t j = 0; j < live; j++) {
            if (w->lives[j].release == w->lives[i].release &&
                w->lives[i].release != w->lives[live].release)
                return i;
        }
    }
    return w->n_lives;
}

static int64_t replaced_at(const struct rollout_work *w, size_t live)
{
    return live + 1 < w->n_lives ? w->lives[live + 1].from_ms : w->in->now_ms;
}

/* Errors on a release of before from when all hosts ran that again. Sets how often they came
 * against what came until it was put back. */
static double errors_put_back(const struct rollout_work *w, size_t back, double *ret_ratio)
{
    int64_t since = w->lives[back].to_ms + w->o->began_ms, until = replaced_at(w, back);
    double before = 0, after = 0;
    int64_t width = w->lives[back].from_ms - w->from_ms;

    *ret_ratio = 0;
    if (width <= 0 || until - since < w->o->began_ms)
        return 0;
    for (size_t i = 0; i < w->n_errors; i++) {
        const struct rollout_row *r = &w->errors[i];
        int64_t at = r->row->at_ms;

        if (at == TIME_UNKNOWN)
            continue;
        before += at >= w->from_ms && at < w->lives[back].from_ms ? r->n : 0;
        after += at >= since && at < until && r->live == back ? r->n : 0;
    }
    if (width < MINUTE_MS)
        width = MINUTE_MS;
    if (before > 0)
        *ret_ratio = after / (double)(until - since) / (before / (double)width);
    return after;
}

/* The release of before was put back, and fails as well: the errors are not the suspect's. */
static void judge_put_back(const struct rollout_work *w, size_t live, struct rollout_candidate *c)
{
    size_t back = put_back(w, live);
    double ratio, errors;

    if (back == w->n_lives)
        return;
    errors = errors_put_back(w, back, &ratio);
    if (errors < w->o->min_errors || ratio < w->o->min_like)
        return;
    c->put_back = w->in->releases[w->lives[back].release].version;
    c->errors_put_back = errors;
    c->confined = may_outlast(w, live) ? UNKNOWN : NO;
}

static void judge_confinement(const struct rollout_work *w, size_t live,
                              struct rollout_candidate *c)
{
    double known = c->errors_on + c->errors_older, both;

    c->chance = 1;
    if (known < w->o->min_errors)
        return;
    c->confined =
        c->errors_on >= w->o->min_confined * known && !fails_without_it(w, live) ? YES : NO;
    if (c->confined == YES)
        judge_put_back(w, live, c);
    if (c->confined != YES || c->usual_older < w->o->min_others)
        return;
    both = failures_while_both_ran(w, live, both_ran_until(w, live));
    c->chance = exp(stats_log_chance(both, both + c->errors_older, c->usual_on, c->usual_older));
    if (c->chance <= w->o->max_chance)
        c->others_healthy = YES;
}

/*
 * Do hosts that run the release stay healthy too? Were it enough by itself, n failures would have
 * missed those hosts, with a share q of the traffic, with chance (1-q)^n; 2^hosts counts the ways
 * to choose them.
 */
static void judge_partial(const struct rollout_work *w, const struct host *hosts,
                          struct rollout_candidate *c)
{
    double all = 0, healthy = 0, q, chance;

    if (w->in->releases[c->release].one_place)
        return; /* hosts elsewhere got the release but not the change */

    for (size_t i = 0; i < w->n_hosts; i++) {
        all += hosts[i].usual;
        healthy += hosts[i].on_failing ? 0 : hosts[i].usual;
    }
    if (all < w->o->min_others || c->errors_on < w->o->min_errors)
        return;
    q = (healthy + 1) / (all + 2);
    chance = (double)c->hosts_on * log(2) + fmin(c->errors_on, 500) / 2 * log(1 - q);
    c->partial = healthy / all > 0.2 && chance < log(w->o->max_chance) ? YES : NO;
}

static bool failing_on_later(const struct rollout_work *w, size_t live, double *ret_n)
{
    bool rolled_out = false;

    *ret_n = 0;
    for (size_t i = 0; i < w->n_lives; i++)
        rolled_out |= w->lives[i].from_ms > w->lives[live].from_ms &&
                      w->lives[i].from_ms > w->to_ms && w->lives[i].to_ms <= w->in->now_ms;
    for (size_t i = 0; i < w->n_errors; i++) {
        if (since_onset(w, &w->errors[i]) && side_of(w, live, &w->errors[i]) == NEWER)
            *ret_n += w->errors[i].n;
    }
    return rolled_out;
}

static void judge_end(const struct rollout_work *w, size_t live, struct rollout_candidate *c)
{
    int64_t end = w->in->trend->end_ms;
    double later;

    if (failing_on_later(w, live, &later))
        c->survived_later = later >= w->o->min_errors ? YES : UNKNOWN;
    if (w->in->trend->ongoing == YES)
        c->ended_with_next = NO;
    if (w->in->trend->ongoing != NO || end == TIME_UNKNOWN)
        return;
    c->ended_with_next = NO;
    for (size_t i = 0; i < w->n_lives; i++) {
        const struct rollout_live *l = &w->lives[i];

        if (l->release == w->lives[live].release || l->from_ms <= w->lives[live].from_ms ||
            l->from_ms < w->to_ms)
            continue;
        if (end >= l->from_ms - w->o->clock_ms && end <= l->to_ms + w->o->ended_ms) {
            c->ended_with_next = YES;
            c->ended_by = w->in->releases[l->release].version;
        }
    }
}

void rollout_count(const struct rollout_work *w, size_t live, struct rollout_candidate *c)
{
    struct host *hosts = xcalloc(w->n_hosts + 1, sizeof(*hosts));

    count_errors(w, live, hosts, c);
    count_usual(w, live, hosts, c);
    for (size_t i = 0; i < w->n_hosts; i++) {
        c->hosts_on += hosts[i].on || hosts[i].on_failing;
        c->hosts_on_failing += hosts[i].on_failing;
        c->hosts_older += hosts[i].older || hosts[i].older_failing;
        c->hosts_older_failing += hosts[i].older_failing;
        c->hosts_apart += hosts[i].older && !hosts[i].older_failing && !hosts[i].on_failing;
    }
    judge_confinement(w, live, c);
    judge_partial(w, hosts, c);
    judge_end(w, live, c);
    free(hosts);
}
