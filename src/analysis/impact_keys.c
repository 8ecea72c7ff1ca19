/* impact: from rows and distributions to a table of values for each tag. */
#include "impact_internal.h"

#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/clock.h"

#define MAX_KEYS 64

static struct impact_key *key_of(struct impact_work *w, const char *name)
{
    struct impact_key *k;

    for (size_t i = 0; i < w->n_keys; i++) {
        if (strcmp(w->keys[i].name, name) == 0)
            return &w->keys[i];
    }
    if (w->n_keys == MAX_KEYS)
        return NULL;
    k = VEC_ADD(w->keys, w->n_keys, w->cap_keys);
    k->name = name;
    return k;
}

const struct impact_key *impact_find_key(const struct impact_work *w, const char *name)
{
    for (size_t i = 0; i < w->n_keys; i++) {
        if (strcmp(w->keys[i].name, name) == 0)
            return &w->keys[i];
    }
    return NULL;
}

static void add(struct impact_work *w, struct impact_key *k, const char *value, double errors,
                double usual)
{
    struct impact_cell *c = NULL;

    if (!k || k->is_id)
        return;
    k->events += errors + usual;
    for (size_t i = 0; i < k->n_cells && !c; i++) {
        if (strcmp(k->cells[i].value, value) == 0)
            c = &k->cells[i];
    }
    if (!c) {
        if (k->n_cells == w->o->max_distinct) {
            k->is_id = true;
            return;
        }
        c = VEC_ADD(k->cells, k->n_cells, k->cap_cells);
        c->value = value;
    }
    c->errors += errors;
    c->usual += usual;
}

static void add_row(struct impact_work *w, const struct event_row *r, double errors, double usual)
{
    for (size_t i = 0; i < r->n_tags; i++) {
        const struct event_tag *t = &r->tags[i];

        if (t->key && t->value && *t->value)
            add(w, key_of(w, t->key), t->value, errors, usual);
    }
}

struct moment {
    int64_t at_ms;
    size_t row;
    const char *host;
};

static int by_host_and_time(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;
    int d = strcmp(x->host, y->host);

    return d ? d : (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

/* A failure and the retries of the same host that follow within seconds are one. */
static void count_failures(struct impact_work *w)
{
    size_t n = w->in->n_events;
    struct moment *m = xcalloc(n + 1, sizeof(*m));

    w->failures = xcalloc(n + 1, sizeof(*w->failures));
    for (size_t i = 0; i < n; i++) {
        const struct event_row *r = &w->in->events[i];
        const char *host = event_row_tag(r, "server_name");

        m[i] = (struct moment){ r->at_ms, i, host ? host : "" };
    }
    if (n > 1)
        qsort(m, n, sizeof(*m), by_host_and_time);
    for (size_t i = 0; i < n; i++) {
        const struct event_row *r = &w->in->events[m[i].row];
        bool retry = i && m[i].at_ms != TIME_UNKNOWN && m[i - 1].at_ms != TIME_UNKNOWN &&
                     strcmp(m[i].host, m[i - 1].host) == 0 &&
                     m[i].at_ms - m[i - 1].at_ms < w->o->retry_ms && r->count <= 1;

        w->failures[m[i].row] = retry ? 0 : r->count > 1 ? r->count : 1;
        w->n_failures += w->failures[m[i].row];
    }
    free(m);
}

/* A distribution stands in for a key that the rows lack. `has` tells which these are. */
static void add_distributions(struct impact_work *w, const struct impact_distribution *d, size_t n,
                              bool errors)
{
    for (size_t i = 0; i < n; i++) {
        const struct impact_key *known = d[i].key ? impact_find_key(w, d[i].key) : NULL;
        double sum = 0;

        for (size_t j = 0; known && j < known->n_cells; j++)
            sum += errors ? known->cells[j].errors : known->cells[j].usual;
        if (sum > 0 || !d[i].key)
            continue;
        for (size_t j = 0; j < d[i].n_values; j++) {
            const struct impact_value *v = &d[i].values[j];
            if (v->value && *v->value && v->count > 0)
                add(w, key_of(w, d[i].key), v->value, errors ? v->count : 0, errors ? 0 : v->count);
        }
    }
}

static void sum_up(struct impact_key *k)
{
    for (size_t i = 0; i < k->n_cells; i++) {
        if (impact_is_health_check(k->cells[i].value))
            continue;
        k->errors += k->cells[i].errors;
        k->usual += k->cells[i].usual;
    }
}

void impact_read_keys(struct impact_work *w)
{
    count_failures(w);
    for (size_t i = 0; i < w->in->n_events; i++)
        add_row(w, &w->in->events[i], w->failures[i], 0);
    add_distributions(w, w->in->event_tags, w->in->n_event_tags, true);
    for (size_t i = 0; i < w->in->n_baseline; i++) {
        const struct event_row *r = &w->in->baseline[i];
        add_row(w, r, 0, r->count > 0 ? r->count : 1);
    }
    add_distributions(w, w->in->baseline_tags, w->in->n_baseline_tags, false);
    for (size_t i = 0; i < w->n_keys; i++)
        sum_up(&w->keys[i]);
}

void impact_clear_keys(struct impact_work *w)
{
    for (size_t i = 0; i < w->n_keys; i++)
        free(w->keys[i].cells);
    free(w->keys);
    free(w->failures);
}
