/* rollout: the sentences that say why. */
#include "rollout_internal.h"

#include <math.h>

#include "dbconn/base/buf.h"

static void add_timing(struct buf *out, const struct rollout_candidate *c)
{
    int64_t lead = c->lead_ms < 0 ? -c->lead_ms : c->lead_ms;

    if (c->rough)
        buf_adds(out, "no deploy is recorded; created ");
    else
        buf_adds(out, "its roll-out began ");
    if (lead < MINUTE_MS) {
        buf_adds(out, "at the onset");
    } else {
        time_format_duration(lead, out);
        buf_adds(out, c->lead_ms < 0 ? " after the onset" : " before the onset");
    }
    if (c->during && !c->rough)
        buf_adds(out, ", which lies within it");
}

static void add_confinement(struct buf *out, const struct rollout_candidate *c)
{
    double known = c->errors_on + c->errors_older + c->errors_newer;

    if (known < 1) {
        buf_adds(out, "; the events name no release");
        return;
    }
    buf_addf(out, "; since the onset %.0f of %.0f events come from hosts that run it", c->errors_on,
             known);
    if (c->errors_newer > 0)
        buf_addf(out, ", %.0f from its successors", c->errors_newer);
    if (c->errors_older > 0)
        buf_addf(out, ", %.0f from what it replaced", c->errors_older);
    if (c->others_healthy == YES)
        buf_addf(out,
                 ", while hosts on older releases were alive (%.0f other events) and did not fail",
                 c->usual_older);
    if (c->partial == YES)
        buf_addf(out, "; but only %zu of the %zu hosts that run it fail", c->hosts_on_failing,
                 c->hosts_on);
}

static void add_end(struct buf *out, const struct rollout_candidate *c)
{
    if (c->ended_with_next == YES)
        buf_addf(out, "; they ended as %s was rolled out", c->ended_by);
    if (c->put_back)
        buf_addf(out,
                 "; %s, which worked before it, was put back everywhere and fails as well (%.0f)",
                 c->put_back, c->errors_put_back);
    else if (c->survived_later == YES)
        buf_adds(out, "; a later release made no difference");
}

char *rollout_explain_candidate(const struct rollout_work *w, const struct rollout_candidate *c)
{
    struct buf out = BUF_INIT;

    (void)w;
    buf_addf(&out, "%s: ", c->version);
    add_timing(&out, c);
    if (c->relation != ROLLOUT_OLDER && c->relation != ROLLOUT_YOUNGER_THAN_ONSET) {
        add_confinement(&out, c);
        add_end(&out, c);
    }
    buf_addc(&out, '.');
    return buf_take(&out);
}

static const char *lead_in(const struct rollout_candidate *c)
{
    switch (c->strength) {
    case ROLLOUT_DECISIVE:
        return "The errors began with ";
    case ROLLOUT_LIKELY:
        return "The errors most likely began with ";
    case ROLLOUT_WEAK:
        return "The errors may have begun with ";
    case ROLLOUT_NONE:
        break;
    }
    return "";
}

char *rollout_explain(const struct rollout_work *w, const struct rollout *r)
{
    struct buf out = BUF_INIT;
    const struct rollout_candidate *near = r->n_candidates ? &r->candidates[0] : NULL;

    if (w->in->trend->onset_ms == TIME_UNKNOWN) {
        buf_adds(&out, "Without an onset no release can be compared with it.");
    } else if (r->verdict) {
        buf_adds(&out, lead_in(r->verdict));
        buf_adds(&out, r->verdict->why);
    } else if (!near) {
        buf_adds(&out, "No release of this project with a known time was found.");
    } else {
        buf_addf(&out, "%s; the nearest is ",
                 r->acquitted == YES ? "No release began the errors"
                                     : "No release can be shown to have begun the errors");
        buf_adds(&out, near->why);
    }
    return buf_take(&out);
}
