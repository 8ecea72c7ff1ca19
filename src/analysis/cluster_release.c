/* cluster: which roll-outs lie just before the onsets, and whether the projects share them. */
#include "cluster_internal.h"

#include <string.h>

#include "dbconn/base/alloc.h"

#define ASSUMED_MS (10 * MINUTE_MS) /* a roll-out of which only one end is recorded */

struct span {
    int64_t from_ms, to_ms;
};

static bool deploy_span(const struct rollout_deploy *d, const char *environment, struct span *ret)
{
    if (environment && d->environment && strcmp(environment, d->environment) != 0)
        return false;
    if (d->started_ms == TIME_UNKNOWN && d->finished_ms == TIME_UNKNOWN)
        return false;
    ret->from_ms = d->started_ms != TIME_UNKNOWN ? d->started_ms : d->finished_ms - ASSUMED_MS;
    ret->to_ms = d->finished_ms != TIME_UNKNOWN ? d->finished_ms : d->started_ms + ASSUMED_MS;
    return true;
}

static bool fits(const struct cluster_options *o, struct span s, int64_t from_ms, int64_t to_ms)
{
    return s.from_ms - o->clock_ms <= to_ms && from_ms <= s.to_ms + o->lead_ms;
}

/* The latest roll-out of one release that fits; without recorded deploys its release time. */
static bool release_fits(const struct cluster_input *in, const struct cluster_options *o,
                         const struct rollout_release *r, int64_t from_ms, int64_t to_ms,
                         int64_t *ret_start_ms)
{
    bool found = false;
    struct span s;

    for (size_t i = 0; i < r->n_deploys; i++) {
        if (deploy_span(&r->deploys[i], in->environment, &s) && fits(o, s, from_ms, to_ms) &&
            (!found || s.from_ms > *ret_start_ms)) {
            *ret_start_ms = s.from_ms;
            found = true;
        }
    }
    if (found || r->n_deploys)
        return found;
    s.from_ms = r->released_ms != TIME_UNKNOWN ? r->released_ms - ASSUMED_MS : r->created_ms;
    if (s.from_ms == TIME_UNKNOWN)
        return false;
    s.to_ms = s.from_ms + 2 * ASSUMED_MS;
    *ret_start_ms = s.from_ms;
    return fits(o, s, from_ms, to_ms);
}

const struct cluster_release *cluster_rollout_before(const struct cluster_input *in,
                                                     const struct cluster_options *o,
                                                     const char *project, int64_t from_ms,
                                                     int64_t to_ms, const char *first_release,
                                                     int64_t *ret_start_ms)
{
    const struct cluster_release *best = NULL;

    for (size_t i = 0; i < in->n_releases; i++) {
        const struct cluster_release *r = &in->releases[i];
        int64_t start = TIME_UNKNOWN;

        if (!cluster_same(r->project, project) || !r->release.version ||
            (first_release && strcmp(first_release, r->release.version) != 0) ||
            !release_fits(in, o, &r->release, from_ms, to_ms, &start))
            continue;
        if (!best || start > *ret_start_ms) {
            best = r;
            *ret_start_ms = start;
        }
    }
    return best;
}

static void find_rollouts(const struct cluster_input *in, const struct cluster_options *o,
                          struct cluster *c, int64_t *ret_own_ms)
{
    const struct cluster_release *r;

    r = cluster_rollout_before(in, o, in->project, in->onset_ms, in->onset_ms + in->onset_slack_ms,
                               NULL, ret_own_ms);
    c->own_release = r ? r->release.version : NULL;
    for (size_t i = 0; i < c->n_members; i++) {
        struct cluster_member *m = &c->members[i];
        int64_t from = m->issue->onset_ms;

        r = cluster_rollout_before(in, o, m->issue->project, from, from + m->issue->onset_slack_ms,
                                   m->is_new ? m->issue->first_release : NULL, &m->release_ms);
        m->release = r ? r->release.version : NULL;
    }
}

static bool counted_before(const struct cluster *c, size_t i, const char *version,
                           int64_t anchor_ms, int64_t train_ms)
{
    for (size_t j = 0; j < i; j++) {
        const struct cluster_member *m = &c->members[j];

        if (m->release && cluster_same(m->issue->project, c->members[i].issue->project) &&
            (version ? strcmp(m->release, version) == 0
                     : llabs(m->release_ms - anchor_ms) <= train_ms))
            return true;
    }
    return false;
}

/* Projects that had `version` (or, without one, anything within train_ms of the anchor). */
static size_t projects_with(const struct cluster_input *in, const struct cluster *c,
                            const char *version, int64_t anchor_ms, int64_t train_ms)
{
    size_t n = c->own_release && (!version || strcmp(c->own_release, version) == 0);

    for (size_t i = 0; i < c->n_members; i++) {
        const struct cluster_member *m = &c->members[i];

        if (!m->release || cluster_same(m->issue->project, in->project))
            continue;
        if (version ? strcmp(m->release, version) != 0
                    : llabs(m->release_ms - anchor_ms) > train_ms)
            continue;
        n += !counted_before(c, i, version, anchor_ms, train_ms);
    }
    return n;
}

void cluster_find_deployment(const struct cluster_input *in, const struct cluster_options *o,
                             struct cluster *c)
{
    int64_t own_ms = TIME_UNKNOWN;
    size_t same, train;

    c->release_ms = TIME_UNKNOWN;
    find_rollouts(in, o, c, &own_ms);
    if (!c->own_release)
        return; /* what was not rolled out here did not begin it here */
    same = projects_with(in, c, c->own_release, own_ms, o->train_ms);
    train = projects_with(in, c, NULL, own_ms, o->train_ms);
    c->release_ms = own_ms;
    c->n_release_projects = train > same ? train : same;
    if (same >= o->min_projects)
        c->shared_release = c->own_release;
    else
        c->train = train >= o->min_projects;
}
