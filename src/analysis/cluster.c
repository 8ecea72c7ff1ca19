#include "dbconn/analysis/cluster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster_internal.h"
#include "dbconn/base/alloc.h"

void cluster_options_default(struct cluster_options *ret)
{
    *ret = (struct cluster_options){
        .together_ms = 10 * MINUTE_MS, /* roll-outs take minutes, quiet services notice late */
        .fine_ms = 15 * MINUTE_MS,
        .train_ms = 10 * MINUTE_MS, /* one pipeline deploys service after service */
        .lead_ms = 5 * MINUTE_MS,   /* start-up and first use */
        .clock_ms = 2 * MINUTE_MS,  /* pipelines record a deploy late; clocks are off */
        .min_projects = 3,          /* two may be neighbours by chance */
        .new_ms = HOUR_MS,          /* an onset read from hourly counts */
        .max_chance = 0.01,
    };
}

const char *cluster_verdict_name(enum cluster_verdict v)
{
    switch (v) {
    case CLUSTER_UNKNOWN:
        return "unknown";
    case CLUSTER_ISOLATED:
        return "isolated";
    case CLUSTER_SHARED_DATABASE:
        return "shared_database";
    case CLUSTER_SHARED_DEPLOYMENT:
        return "shared_deployment";
    case CLUSTER_TOGETHER:
        return "together";
    }
    return "";
}

bool cluster_same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static bool same_host(const struct cluster_input *in, const char *host)
{
    if (!host)
        return false;
    if (in->host && strcasecmp(in->host, host) == 0)
        return true;
    for (size_t i = 0; i < in->n_aliases; i++) {
        if (in->aliases[i] && strcasecmp(in->aliases[i], host) == 0)
            return true;
    }
    return false;
}

/* Loopback is another machine for every service. */
static bool is_local(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "::1") == 0 || host[0] == '/';
}

static bool same_target(const struct cluster_input *in, const struct cluster_issue *i)
{
    if (!i->host || is_local(i->host) || !same_host(in, i->host))
        return false;
    return !in->port || !i->port || strcmp(in->port, i->port) == 0;
}

/* From the nearest possible onset of one to the nearest of the other; their slacks cover the rest.
 */
static int64_t distance_of(const struct cluster_input *in, const struct cluster_issue *i)
{
    if (i->onset_ms > in->onset_ms + in->onset_slack_ms)
        return i->onset_ms - (in->onset_ms + in->onset_slack_ms);
    if (i->onset_ms + i->onset_slack_ms < in->onset_ms)
        return i->onset_ms + i->onset_slack_ms - in->onset_ms;
    return 0;
}

static bool is_self(const struct cluster_input *in, const struct cluster_issue *i)
{
    return cluster_same(i->id, in->issue_id);
}

static void find_members(const struct cluster_input *in, const struct cluster_options *o,
                         struct cluster *c)
{
    for (size_t n = 0; n < in->n_issues; n++) {
        const struct cluster_issue *i = &in->issues[n];
        struct cluster_member *m;
        int64_t d;

        if (is_self(in, i) || i->onset_ms == TIME_UNKNOWN)
            continue;
        d = distance_of(in, i);
        if (llabs(d) > o->together_ms || (i->onset_slack_ms > o->fine_ms && !same_target(in, i)))
            continue;
        m = VEC_ADD(c->members, c->n_members, c->cap_members);
        m->issue = i;
        m->distance_ms = d;
        m->is_new = i->first_seen_ms != TIME_UNKNOWN && i->first_seen_ms >= i->onset_ms - o->new_ms;
        m->same_target = same_target(in, i);
        m->release_ms = TIME_UNKNOWN;
    }
}

static int by_distance(const void *a, const void *b)
{
    const struct cluster_member *x = a, *y = b;
    int64_t dx = llabs(x->distance_ms), dy = llabs(y->distance_ms);

    if (dx != dy)
        return dx < dy ? -1 : 1;
    return strcmp(x->issue->id ? x->issue->id : "", y->issue->id ? y->issue->id : "");
}

static bool seen_project(const struct cluster *c, size_t i, bool same_target_only)
{
    for (size_t j = 0; j < i; j++) {
        if (cluster_same(c->members[j].issue->project, c->members[i].issue->project) &&
            (!same_target_only || c->members[j].same_target))
            return true;
    }
    return false;
}

static void count_members(const struct cluster_input *in, struct cluster *c)
{
    c->n_projects = 1;
    c->n_same_target_projects = 1;
    for (size_t i = 0; i < c->n_members; i++) {
        const struct cluster_member *m = &c->members[i];
        bool ours = cluster_same(m->issue->project, in->project);

        c->n_projects += !ours && !seen_project(c, i, false);
        if (m->same_target) {
            c->n_same_target++;
            if (!ours && !seen_project(c, i, true)) {
                c->n_same_target_projects++;
                c->n_undeployed_projects += !m->release;
            }
        } else if (m->issue->database == YES) {
            c->n_other_database++;
        } else if (m->issue->database == NO) {
            c->n_not_database++;
        }
    }
}

/* How many issues begin in any stretch as long as the one looked at, judged by the other onsets of
 * the two weeks before now. */
static void reckon_chance(const struct cluster_input *in, const struct cluster_options *o,
                          struct cluster *c)
{
    int64_t since = in->now_ms - 14 * DAY_MS;
    double others = 0, window = 2.0 * (double)o->together_ms + (double)in->onset_slack_ms, sum = 0;

    for (size_t n = 0; n < in->n_issues; n++) {
        const struct cluster_issue *i = &in->issues[n];

        others += !is_self(in, i) && i->onset_ms != TIME_UNKNOWN && i->onset_ms >= since;
    }
    others -= (double)c->n_members;
    c->expected = (others + 1) * window / (double)(14 * DAY_MS);
    for (size_t k = 0; k < c->n_members; k++) /* P(fewer than that), Poisson */
        sum += exp(-c->expected + (double)k * log(c->expected) - lgamma((double)k + 1));
    c->chance = sum < 1 ? 1 - sum : 0;
}

/*
 * A deployment in common is the reason when it reached several failing projects just before, unless
 * services that had none fail on the same database and nothing else fails: then that is down, and
 * the deployments only happened to be near.
 */
static bool deployment_explains(const struct cluster_options *o, const struct cluster *c)
{
    if (c->n_release_projects < o->min_projects || (!c->shared_release && !c->train))
        return false;
    return c->n_undeployed_projects == 0 || c->n_not_database + c->n_other_database > 0;
}

static enum cluster_verdict verdict_of(const struct cluster_input *in,
                                       const struct cluster_options *o, const struct cluster *c)
{
    if (!in->issues_known || in->onset_ms == TIME_UNKNOWN)
        return CLUSTER_UNKNOWN;
    if (deployment_explains(o, c))
        return CLUSTER_SHARED_DEPLOYMENT;
    if (c->n_same_target_projects >= 2)
        return CLUSTER_SHARED_DATABASE;
    if (c->n_projects >= o->min_projects && c->chance <= o->max_chance)
        return CLUSTER_TOGETHER;
    return CLUSTER_ISOLATED;
}

static double confidence_of(const struct cluster *c)
{
    bool different_things = c->n_not_database + c->n_other_database > 0;

    switch (c->verdict) {
    case CLUSTER_SHARED_DEPLOYMENT:
        return (c->shared_release ? 0.95 : 0.85) * (different_things ? 1 : 0.7);
    case CLUSTER_SHARED_DATABASE:
        return (c->n_same_target_projects > 2 ? 0.95 : 0.8) * (c->own_release ? 0.7 : 1);
    case CLUSTER_TOGETHER:
        return 0.6;
    case CLUSTER_ISOLATED:
        return c->n_members ? 0.6 : 0.8;
    case CLUSTER_UNKNOWN:
        break;
    }
    return 0;
}

void cluster_analyse(const struct cluster_input *in, const struct cluster_options *options,
                     struct cluster *ret)
{
    struct cluster_options defaults;

    cluster_options_default(&defaults);
    if (!options)
        options = &defaults;
    *ret = (struct cluster){ .release_ms = TIME_UNKNOWN, .chance = 1 };
    if (in->issues_known && in->onset_ms != TIME_UNKNOWN) {
        find_members(in, options, ret);
        if (ret->n_members > 1)
            qsort(ret->members, ret->n_members, sizeof(*ret->members), by_distance);
        cluster_find_deployment(in, options, ret);
        count_members(in, ret);
        reckon_chance(in, options, ret);
    }
    ret->verdict = verdict_of(in, options, ret);
    ret->confidence = confidence_of(ret);
    ret->why = cluster_explain(in, ret);
}

void cluster_clear(struct cluster *c)
{
    if (!c)
        return;
    free(c->members);
    free(c->why);
    *c = (struct cluster){ 0 };
}
