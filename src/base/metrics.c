#include "dbconn/base/metrics.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dbconn/base/alloc.h"

const double metric_seconds_bounds[METRIC_N_SECONDS_BOUNDS] = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120
};

struct metric {
    const struct metric_def *def;
    struct metric *next;
    char *labels; /* as they are written: a="x",b="y" */
    double value; /* a histogram's sum */
    uint64_t total;
    uint64_t *buckets; /* as many as the definition's bounds, not cumulative */
};

struct family {
    struct family *next;
    const struct metric_def *def;
    struct metric *first, **tail;
    size_t n;
};

struct metrics {
    struct family *first, **tail;
};

struct metrics *metrics_new(void)
{
    struct metrics *m = xcalloc(1, sizeof(*m));

    m->tail = &m->first;
    return m;
}

static void clear_family(struct family *f)
{
    while (f->first) {
        struct metric *s = f->first;
        f->first = s->next;
        free(s->labels);
        free(s->buckets);
        free(s);
    }
    f->tail = &f->first;
    f->n = 0;
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    while (m->first) {
        struct family *next = m->first->next;
        clear_family(m->first);
        free(m->first);
        m->first = next;
    }
    free(m);
}

static struct family *find_family(const struct metrics *m, const struct metric_def *def)
{
    struct family *f = m->first;

    while (f && strcmp(f->def->name, def->name) != 0)
        f = f->next;
    return f;
}

static struct family *add_family(struct metrics *m, const struct metric_def *def)
{
    struct family *f = xcalloc(1, sizeof(*f));

    f->def = def;
    f->tail = &f->first;
    *m->tail = f;
    m->tail = &f->next;
    return f;
}

/* ---- text ---- */

/* Backslash, line feed and, in a label's value, the double quote are escaped. */
static void add_escaped(struct buf *out, const char *text, bool quoted)
{
    for (; *text; text++) {
        if (*text == '\\' || (quoted && *text == '"'))
            buf_addc(out, '\\');
        if (*text == '\n')
            buf_adds(out, "\\n");
        else
            buf_addc(out, *text);
    }
}

static char *print_labels(const char *const *labels)
{
    struct buf text = BUF_INIT;

    for (size_t i = 0; labels && labels[i]; i += 2) {
        assert(labels[i + 1] && i < 2 * (size_t)METRIC_MAX_LABELS);
        buf_addf(&text, "%s%s=\"", i ? "," : "", labels[i]);
        add_escaped(&text, labels[i + 1], true);
        buf_addc(&text, '"');
    }
    return buf_take(&text);
}

static void add_number(struct buf *out, double value)
{
    if (isfinite(value))
        buf_addf(out, "%.15g", value);
    else
        buf_adds(out, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
}

/* ---- series ---- */

struct metric *metrics_get(struct metrics *m, const struct metric_def *def,
                           const char *const *labels)
{
    if (!m)
        return NULL;
    struct family *f = find_family(m, def);
    if (!f)
        f = add_family(m, def);
    char *text = print_labels(labels);
    struct metric *s = f->first;
    while (s && strcmp(s->labels, text) != 0)
        s = s->next;
    if (s || f->n >= METRIC_MAX_SERIES) {
        free(text);
        return s;
    }
    s = xcalloc(1, sizeof(*s));
    s->def = f->def;
    s->labels = text;
    if (def->n_bounds)
        s->buckets = xcalloc(def->n_bounds, sizeof(*s->buckets));
    *f->tail = s;
    f->tail = &s->next;
    f->n++;
    return s;
}

void metrics_forget(struct metrics *m, const struct metric_def *def)
{
    struct family *f = m ? find_family(m, def) : NULL;

    if (f)
        clear_family(f);
}

void metric_add(struct metric *s, double n)
{
    if (s)
        s->value += n;
}

void metric_set(struct metric *s, double value)
{
    if (s)
        s->value = value;
}

void metric_observe(struct metric *s, double value)
{
    if (!s)
        return;
    assert(s->def->type == METRIC_HISTOGRAM);
    s->value += value;
    s->total++;
    for (size_t i = 0; i < s->def->n_bounds; i++) {
        if (value <= s->def->bounds[i]) {
            s->buckets[i]++;
            return;
        }
    }
}

void metric_load(struct metric *s, const uint64_t *buckets, uint64_t total, double sum)
{
    if (!s)
        return;
    assert(s->def->type == METRIC_HISTOGRAM);
    memcpy(s->buckets, buckets, s->def->n_bounds * sizeof(*buckets));
    s->total = total;
    s->value = sum;
}

/* ---- writing ---- */

/* A line: NAME SUFFIX {LABELS,le="LE"} VALUE */
static void add_line(struct buf *out, const struct metric *s, const char *suffix, const char *le,
                     double value)
{
    buf_addf(out, "%s%s", s->def->name, suffix);
    if (*s->labels || le)
        buf_addf(out, "{%s", s->labels);
    if (le)
        buf_addf(out, "%sle=\"%s\"", *s->labels ? "," : "", le);
    buf_adds(out, *s->labels || le ? "} " : " ");
    add_number(out, value);
    buf_addc(out, '\n');
}

static void add_histogram(struct buf *out, const struct metric *s)
{
    uint64_t below = 0;

    for (size_t i = 0; i < s->def->n_bounds; i++) {
        char le[32];
        snprintf(le, sizeof(le), "%g", s->def->bounds[i]);
        below += s->buckets[i];
        add_line(out, s, "_bucket", le, (double)below);
    }
    add_line(out, s, "_bucket", "+Inf", (double)s->total);
    add_line(out, s, "_sum", NULL, s->value);
    add_line(out, s, "_count", NULL, (double)s->total);
}

static const char *type_name(enum metric_type type)
{
    switch (type) {
    case METRIC_COUNTER:
        return "counter";
    case METRIC_GAUGE:
        return "gauge";
    case METRIC_HISTOGRAM:
        return "histogram";
    }
    return "untyped";
}

void metrics_write(const struct metrics *m, struct buf *out)
{
    for (const struct family *f = m->first; f; f = f->next) {
        if (!f->first)
            continue;
        buf_addf(out, "# HELP %s ", f->def->name);
        add_escaped(out, f->def->help, false);
        buf_addf(out, "\n# TYPE %s %s\n", f->def->name, type_name(f->def->type));
        for (const struct metric *s = f->first; s; s = s->next) {
            if (f->def->type == METRIC_HISTOGRAM)
                add_histogram(out, s);
            else
                add_line(out, s, "", NULL, s->value);
        }
    }
}
