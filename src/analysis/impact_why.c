/* impact: the sentences that say why. */
#include "impact_internal.h"

#include <math.h>

#include "dbconn/base/buf.h"

static void add_values(struct buf *out, const struct impact_segment *s)
{
    buf_addf(out, "%s %s", s->key, s->value);
    for (size_t i = 1; i < s->n_values; i++)
        buf_addf(out, "%s%s", i + 1 == s->n_values ? " and " : ", ", s->values[i]);
}

static void add_share(struct buf *out, const struct impact_segment *s)
{
    buf_addf(out, "%.0f of %.0f errors (%.0f %%) come from ", s->events, s->total, s->share * 100);
    add_values(out, s);
    if (s->baseline_share >= 0)
        buf_addf(out, ", but only %.0f %% of the service's other events do",
                 s->baseline_share * 100);
    else
        buf_adds(out, "; the service's other events do not carry this tag");
}

static const char *verdict(const struct impact_work *w, const struct impact_segment *s)
{
    if (s->accepted)
        return "they are confined to it";
    if (s->n_distinct < 2)
        return "no segment: it has one value everywhere";
    if (s->total < w->o->min_events)
        return "too few to tell";
    if (s->share < impact_least_share(w->o, s->baseline_total))
        return "not confined to it";
    if (s->baseline_share > w->o->max_baseline)
        return "no segment: nearly all traffic is there";
    return "not shown: chance or too little other traffic could explain it";
}

void impact_explain_segment(const struct impact_work *w, struct impact_segment *s)
{
    struct buf out = BUF_INIT;

    add_share(&out, s);
    buf_addf(&out, ": %s", verdict(w, s));
    buf_addc(&out, '.');
    s->why = buf_take(&out);
}

/* The places and machines that the errors come from, as the reason for "all". */
static void add_spread(const struct impact_work *w, struct buf *out)
{
    const char *sep = ": the errors come from ";

    for (size_t i = 0; i < w->n_keys; i++) {
        const struct impact_key *k = &w->keys[i];
        size_t hit = 0;

        if (k->is_id || (k->class != IMPACT_CLASS_INFRASTRUCTURE && k->class != IMPACT_CLASS_HOST))
            continue;
        for (size_t j = 0; j < k->n_cells; j++)
            hit += k->cells[j].errors > 0;
        if (!hit)
            continue;
        buf_addf(out, "%s%zu of %zu values of %s", sep, hit, k->n_cells, k->name);
        sep = ", ";
    }
}

char *impact_explain(const struct impact_work *w, const struct impact *i)
{
    struct buf out = BUF_INIT;

    if (i->kind == IMPACT_SEGMENT) {
        buf_addf(&out, "Only a part is hit: %s", i->segment->why);
    } else if (i->kind == IMPACT_UNKNOWN) {
        buf_addf(&out, "%.0f errors are too few to say who is hit.", i->events);
    } else {
        buf_adds(&out, "No part stands out, everybody is hit");
        add_spread(w, &out);
        buf_addc(&out, '.');
    }
    if (i->few_users)
        buf_addf(&out, " Only %.0f users are hit.", i->users_hit);
    return buf_take(&out);
}
