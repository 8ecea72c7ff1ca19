/* rollout: when which release was rolled out, and what a row's host ran at its time. */
#include "rollout_internal.h"

#include <string.h>

#include "dbconn/base/alloc.h"

#define ASSUMED_MS (10 * MINUTE_MS) /* a roll-out of which only one end is recorded */

static void add_live(struct rollout_work *w, size_t release, int64_t from_ms, int64_t to_ms,
                     bool rough)
{
    struct rollout_live *l = VEC_ADD(w->lives, w->n_lives, w->cap_lives);

    *l = (struct rollout_live){ release, from_ms, to_ms > from_ms ? to_ms : from_ms, rough };
}

static bool in_environment(const struct rollout_deploy *d, const char *environment)
{
    return !environment || !d->environment || strcmp(d->environment, environment) == 0;
}

static void add_deploy(struct rollout_work *w, size_t release, const struct rollout_deploy *d)
{
    if (d->started_ms != TIME_UNKNOWN && d->finished_ms != TIME_UNKNOWN)
        add_live(w, release, d->started_ms, d->finished_ms, false);
    else if (d->started_ms != TIME_UNKNOWN)
        add_live(w, release, d->started_ms, d->started_ms + ASSUMED_MS, false);
    else if (d->finished_ms != TIME_UNKNOWN)
        add_live(w, release, d->finished_ms - ASSUMED_MS, d->finished_ms, false);
}

/* A release of which no deploy is recorded: pipelines set its release time around the roll-out, and
 * create it some time before. */
static void add_rough(struct rollout_work *w, size_t release)
{
    const struct rollout_release *r = &w->in->releases[release];
    int64_t from = r->released_ms;

    if (from != TIME_UNKNOWN) {
        from -= ASSUMED_MS;
        if (r->created_ms > from && r->created_ms <= r->released_ms)
            from = r->created_ms;
        add_live(w, release, from, r->released_ms + ASSUMED_MS, false);
    } else if (r->created_ms != TIME_UNKNOWN) {
        add_live(w, release, r->created_ms, r->created_ms + w->o->rough_ms, true);
    } else if (r->first_event_ms != TIME_UNKNOWN) {
        add_live(w, release, r->first_event_ms - ASSUMED_MS, r->first_event_ms, true);
    }
}

static int by_start(const void *a, const void *b)
{
    const struct rollout_live *x = a, *y = b;

    return (x->from_ms > y->from_ms) - (x->from_ms < y->from_ms);
}

void rollout_find_lives(struct rollout_work *w)
{
    for (size_t i = 0; i < w->in->n_releases; i++) {
        const struct rollout_release *r = &w->in->releases[i];
        size_t before = w->n_lives;

        if (!r->version)
            continue;
        for (size_t j = 0; j < r->n_deploys; j++) {
            if (in_environment(&r->deploys[j], w->in->environment))
                add_deploy(w, i, &r->deploys[j]);
        }
        /* Deploys to other environments only mean that it never came to this one. */
        if (w->n_lives == before && !r->n_deploys)
            add_rough(w, i);
    }
    if (w->n_lives > 1)
        qsort(w->lives, w->n_lives, sizeof(*w->lives), by_start);
}

/* Which roll-out of `version` a host runs at `at_ms`: the latest begun by then, else the first. */
static size_t live_at(const struct rollout_work *w, const char *version, int64_t at_ms)
{
    size_t found = ROLLOUT_FOREIGN;

    if (!version)
        return ROLLOUT_NO_RELEASE;
    for (size_t i = 0; i < w->n_lives; i++) {
        const struct rollout_live *l = &w->lives[i];

        if (strcmp(w->in->releases[l->release].version, version) != 0)
            continue;
        if (found == ROLLOUT_FOREIGN || at_ms == TIME_UNKNOWN ||
            l->from_ms <= at_ms + w->o->clock_ms)
            found = i;
    }
    return found;
}

static bool counts(const struct rollout_work *w, const struct event_row *row)
{
    const char *env = event_row_tag(row, "environment");

    return !w->in->environment || !env || strcmp(env, w->in->environment) == 0;
}

static int by_name(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;

    return strcmp(*x, *y);
}

static const char *host_name(const struct rollout_work *w, const struct event_row *row)
{
    return event_row_tag(row, w->in->host_key ? w->in->host_key : "server_name");
}

static void collect_hosts(struct rollout_work *w, const struct event_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *name = host_name(w, &rows[i]);
        if (name)
            *VEC_ADD(w->hosts, w->n_hosts, w->cap_hosts) = name;
    }
}

static void sort_hosts(struct rollout_work *w)
{
    size_t out = 0;

    if (w->n_hosts > 1)
        qsort(w->hosts, w->n_hosts, sizeof(*w->hosts), by_name);
    for (size_t i = 0; i < w->n_hosts; i++) {
        if (!out || strcmp(w->hosts[out - 1], w->hosts[i]) != 0)
            w->hosts[out++] = w->hosts[i];
    }
    w->n_hosts = out;
}

static size_t host_index(const struct rollout_work *w, const char *name)
{
    const char **found = NULL;

    if (name && w->n_hosts)
        found = bsearch(&name, w->hosts, w->n_hosts, sizeof(*w->hosts), by_name);
    return found ? (size_t)(found - w->hosts) : ROLLOUT_NO_HOST;
}

static void read_rows(const struct rollout_work *w, const struct event_row *rows, size_t n,
                      struct rollout_row **ret, size_t *ret_n, size_t *cap)
{
    for (size_t i = 0; i < n; i++) {
        struct rollout_row *r;

        if (!counts(w, &rows[i]))
            continue;
        r = VEC_ADD(*ret, *ret_n, *cap);
        r->row = &rows[i];
        r->live = live_at(w, event_row_tag(&rows[i], "release"), rows[i].at_ms);
        r->host = host_index(w, host_name(w, &rows[i]));
        r->n = rows[i].count > 0 ? rows[i].count : 1;
    }
}

/* The first event of another issue on `live`, and the last on anything else before that. */
static void sightings(const struct rollout_work *w, size_t live, int64_t *first, int64_t *other)
{
    *first = *other = TIME_UNKNOWN;
    for (size_t i = 0; i < w->n_usual; i++) {
        int64_t at = w->usual[i].row->at_ms;

        if (w->usual[i].live == live && at != TIME_UNKNOWN &&
            (*first == TIME_UNKNOWN || at < *first))
            *first = at;
    }
    for (size_t i = 0; i < w->n_usual && *first != TIME_UNKNOWN; i++) {
        int64_t at = w->usual[i].row->at_ms;

        if (w->usual[i].live != live && at != TIME_UNKNOWN && at < *first && at > *other)
            *other = at;
    }
}

/* Where no deploy is recorded, the other issues' events show when hosts changed over. (The issue's
 * own events must not: its first one on a release would always be the moment of the onset.) */
static void refine_rough(struct rollout_work *w)
{
    for (size_t i = 0; i < w->n_lives; i++) {
        struct rollout_live *l = &w->lives[i];
        int64_t first, other;

        if (!l->rough)
            continue;
        sightings(w, i, &first, &other);
        if (first == TIME_UNKNOWN || first < l->from_ms - w->o->clock_ms || first > l->to_ms)
            continue;
        l->to_ms = first > l->from_ms ? first : l->from_ms;
        if (other > w->from_ms)
            other = w->from_ms; /* others changed over later, but this one may have been first */
        if (other > l->from_ms && other < l->to_ms)
            l->from_ms = other;
        l->rough = l->to_ms - l->from_ms > w->o->fine_ms;
    }
}

void rollout_read_rows(struct rollout_work *w)
{
    collect_hosts(w, w->in->events, w->in->n_events);
    collect_hosts(w, w->in->baseline, w->in->n_baseline);
    sort_hosts(w);
    read_rows(w, w->in->events, w->in->n_events, &w->errors, &w->n_errors, &w->cap_errors);
    read_rows(w, w->in->baseline, w->in->n_baseline, &w->usual, &w->n_usual, &w->cap_usual);
    refine_rough(w);
}
