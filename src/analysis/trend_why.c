/* trend: the sentence that says why. */
#include "trend_internal.h"

#include <math.h>

#include "dbconn/base/buf.h"

static void add_number(struct buf *out, double x)
{
    buf_addf(out, x < 9.95 && fabs(x - round(x)) > 0.05 ? "%.1f" : "%.0f", x);
}

static void add_count(struct buf *out, double n, const char *one, const char *many)
{
    buf_addf(out, "%.0f %s", n, n < 1.5 ? one : many);
}

static void add_onset(struct buf *out, const struct trend *t)
{
    time_format_minute(t->onset_ms, out);
    if (t->onset_open)
        buf_adds(out, " or earlier");
    else if (t->onset_slack_ms > MINUTE_MS) {
        buf_adds(out, " (within ");
        time_format_duration(t->onset_slack_ms, out);
        buf_adds(out, ")");
    }
}

static void add_silence(struct buf *out, const struct trend *t, int64_t last_ms)
{
    if (t->ongoing == YES) {
        buf_adds(out, ", and it goes on");
        return;
    }
    buf_adds(out, t->ongoing == NO ? " and ended " : ", and may go on: silent since ");
    time_format_minute(last_ms, out);
}

static void add_before(struct buf *out, const struct trend *t)
{
    if (t->rate_before < 0)
        return;
    if (t->background_events < 0.5) {
        buf_adds(out, "; none before");
        return;
    }
    buf_adds(out, "; before it ");
    add_count(out, t->background_events, "event", "events");
    buf_adds(out, ", ");
    if (t->rate_before >= 1) {
        add_number(out, t->rate_before);
        buf_adds(out, " an hour");
    } else {
        add_number(out, t->rate_before * 24);
        buf_adds(out, " a day");
    }
}

static void add_later(struct buf *out, const struct trend *t)
{
    if (t->later_events < 0.5)
        return;
    buf_adds(out, "; after it ");
    add_count(out, t->later_events, "straggler", "stragglers");
}

static const char *opening(const struct trend *t)
{
    switch (t->kind) {
    case TREND_UNKNOWN:
        return "Too few events for a shape: since ";
    case TREND_CONSTANT:
        return "Steady since ";
    case TREND_SPIKE:
        return "A sudden onset at ";
    case TREND_GRADUAL_INCREASE:
        return "Growing since ";
    case TREND_INTERMITTENT:
        return "On and off since ";
    case TREND_BOUNDED:
        return "One outage: it began ";
    }
    return "";
}

static void add_shape(struct buf *out, const struct trend *t)
{
    if (t->kind == TREND_INTERMITTENT && t->n_bursts > 1) {
        buf_addf(out,
                 ", in %zu bursts that fill %.0f %% of the time, the longest quiet between "
                 "them ",
                 t->n_bursts, t->duty_cycle * 100);
        time_format_duration(t->longest_quiet_ms, out);
    } else if (t->kind == TREND_GRADUAL_INCREASE && t->slope > 0) {
        buf_adds(out, ", ");
        add_number(out, t->slope);
        buf_adds(out, " times as many in its last third as in its first");
    } else if (t->n_bursts > 1) {
        buf_addf(out, ", in %zu bursts", t->n_bursts);
    }
}

char *trend_explain(const struct trend *t, const struct trend_options *o)
{
    struct buf out = BUF_INIT;
    int64_t last;

    (void)o;
    if (!t->n_bursts) {
        buf_adds(&out, "No events were found.");
        return buf_take(&out);
    }
    last = t->bursts[t->n_bursts - 1].end_ms;
    buf_adds(&out, opening(t));
    add_onset(&out, t);
    add_silence(&out, t, last);
    buf_adds(&out, ": ");
    add_count(&out, t->events, "event", "events");
    if (last - t->onset_ms >= MINUTE_MS) {
        buf_adds(&out, " in ");
        time_format_duration(last - t->onset_ms, &out);
        if (last - t->onset_ms >= HOUR_MS) {
            buf_adds(&out, " (");
            add_number(&out, t->rate_after);
            buf_adds(&out, " an hour)");
        }
    }
    add_shape(&out, t);
    add_before(&out, t);
    add_later(&out, t);
    buf_addc(&out, '.');
    return buf_take(&out);
}
