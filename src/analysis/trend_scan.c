/* trend: the window of time whose rate of errors stands out (a scan statistic). */
#include "trend_internal.h"

#include <math.h>
#include <string.h>

#include "dbconn/base/alloc.h"

#define MIN_WIDTH_MS MINUTE_MS /* clocks and retries make anything narrower meaningless */
#define MAX_STRAYS 2
#define MAX_CELLS 300 /* the scan is quadratic: some ms at most */

/* Neighbouring points of like rate. */
struct cell {
    size_t first, n; /* points of the line */
    int64_t from_ms; /* first point */
    int64_t to_ms;   /* last point, and what may be its slack */
    double weight;
    double cost; /* what joining it with the next one loses */
};

/* A stretch of the line to look at: its cells and the time they are spread over. */
struct stretch {
    struct cell *cells;
    double *sum; /* sum[i]: weight of the cells before i */
    size_t n;
    int64_t from_ms, to_ms;
};

static double fit(double weight, double width_ms)
{
    return weight * log(weight / (width_ms > 1 ? width_ms : 1));
}

static int by_cost(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Prices every joint and gives the price that half of them are below. */
static double price_joints(struct cell *c, size_t n, int64_t end_ms)
{
    double *all = xcalloc(n, sizeof(*all)), median;

    for (size_t i = 0; i + 1 < n; i++) {
        int64_t end = i + 2 < n ? c[i + 2].from_ms : end_ms;
        double a = (double)(c[i + 1].from_ms - c[i].from_ms);
        double b = (double)(end - c[i + 1].from_ms);

        c[i].cost = fit(c[i].weight, a) + fit(c[i + 1].weight, b) -
                    fit(c[i].weight + c[i + 1].weight, a + b);
        all[i] = c[i].cost;
    }
    qsort(all, n - 1, sizeof(*all), by_cost);
    median = all[(n - 1) / 2];
    free(all);
    return median;
}

/* Joins neighbours of like rate, so that the edges of outages survive and long even noise does
 * not make the scan slow. */
static size_t join_like_cells(struct cell *c, size_t n, int64_t end_ms)
{
    while (n > MAX_CELLS) {
        double limit = price_joints(c, n, end_ms);
        size_t out = 0;

        for (size_t i = 0; i < n; out++) {
            c[out] = c[i++];
            if (i < n && c[out].cost <= limit) {
                c[out].n += c[i].n;
                c[out].weight += c[i].weight;
                c[out].to_ms = c[i].to_ms;
                i++;
            }
        }
        n = out;
    }
    return n;
}

/* The stretch of points [first, end) within [from_ms, to_ms). */
static void stretch_init(struct stretch *s, const struct trend_line *line, size_t first, size_t end,
                         int64_t from_ms, int64_t to_ms)
{
    s->from_ms = from_ms;
    s->to_ms = to_ms;
    s->cells = xcalloc(end - first + 1, sizeof(*s->cells));
    for (size_t i = first; i < end; i++) {
        const struct trend_point *p = &line->points[i];
        s->cells[i - first] = (struct cell){
            .first = i,
            .n = 1,
            .from_ms = p->at_ms,
            .to_ms = p->at_ms + p->slack_ms,
            .weight = p->weight,
        };
    }
    s->n = join_like_cells(s->cells, end - first, to_ms);
    s->sum = xcalloc(s->n + 1, sizeof(*s->sum));
    for (size_t i = 0; i < s->n; i++)
        s->sum[i + 1] = s->sum[i] + s->cells[i].weight;
}

static void stretch_clear(struct stretch *s)
{
    free(s->cells);
    free(s->sum);
}

/* From first to last of k points is one spacing short of what they are spread over. */
static double width_of(int64_t from_ms, int64_t to_ms, size_t k)
{
    double w = (double)(to_ms - from_ms);

    if (k > 1)
        w *= (double)k / (double)(k - 1);
    return w < (double)MIN_WIDTH_MS ? (double)MIN_WIDTH_MS : w;
}

/* The log likelihood ratio below which no window has more than this score; see score(). */
static double llr_needed(double best)
{
    double least = best + M_SQRT2 - 1e-6; /* less than any rounding matters */

    return least > 0 ? least * least / 2 : 0;
}

/*
 * How much more often than elsewhere in the stretch errors come in cells a..b: the signed root of
 * the Poisson log likelihood ratio, less what the best of so many windows of that width reaches by
 * chance. Below 0: nothing.
 *
 * Most windows are far from the best one. What a window can reach at most tells that without the
 * logarithms: elsewhere it is quieter, so the second term of the ratio is below 0, and chance alone
 * reaches sqrt(2) at least. The score of a window that cannot beat `best` is not exact.
 */
static double score(const struct stretch *s, size_t a, size_t b, double best)
{
    const struct cell *c = s->cells;
    double total = s->sum[s->n], in = s->sum[b + 1] - s->sum[a];
    double length = (double)(s->to_ms - s->from_ms), w, llr, times, needed;

    w = width_of(c[a].from_ms, c[b].to_ms, c[b].first + c[b].n - c[a].first);
    if (w >= length)
        return 0;
    if (in / w <= (total - in) / (length - w))
        return -1;
    times = in * length / (total * w);
    needed = llr_needed(best);
    if (in * (times - 1) < needed || (llr = in * log(times)) < needed)
        return best;
    if (total - in > 1e-9)
        llr += (total - in) * log((total - in) * length / (total * (length - w)));
    return sqrt(2 * (llr > 0 ? llr : 0)) - sqrt(2 * log(M_E * length / w));
}

static struct trend_window best_window(const struct stretch *s)
{
    struct trend_window best = { 0, 0, -1e9 };

    for (size_t a = 0; a < s->n; a++) {
        for (size_t b = a; b < s->n; b++) {
            const struct cell *last = &s->cells[b];
            double x = score(s, a, b, best.score);

            if (x > best.score + 1e-9) { /* of equals the earlier one stays */
                best.first = s->cells[a].first;
                best.n = last->first + last->n - best.first;
                best.score = x;
            }
        }
    }
    return best;
}

/* The best window among points [first, end) of the line, spread over [from_ms, to_ms). */
static struct trend_window scan(const struct trend_line *line, size_t first, size_t end,
                                int64_t from_ms, int64_t to_ms)
{
    struct trend_window best;
    struct stretch s;

    stretch_init(&s, line, first, end, from_ms, to_ms);
    best = best_window(&s);
    stretch_clear(&s);
    return best;
}

static double window_width(const struct trend_line *line, struct trend_window w)
{
    const struct trend_point *p = &line->points[w.first];

    return width_of(p[0].at_ms, p[w.n - 1].at_ms + p[w.n - 1].slack_ms, w.n);
}

static int64_t span_ms(const struct trend_line *line, struct trend_window w)
{
    return line->points[w.first + w.n - 1].at_ms - line->points[w.first].at_ms;
}

static double events_in(const struct trend_line *line, struct trend_window w)
{
    double n = 0;

    for (size_t i = w.first; i < w.first + w.n; i++)
        n += line->points[i].n;
    return n;
}

static int64_t longest_gap(const struct trend_line *line, struct trend_window w)
{
    int64_t longest = 0;

    for (size_t i = w.first + 1; i < w.first + w.n; i++) {
        int64_t gap = line->points[i].at_ms - line->points[i - 1].at_ms;
        if (gap > longest)
            longest = gap;
    }
    return longest;
}

/*
 * A growing outage begins, and a waning one ends, with failures far apart, which the scan leaves
 * out. They belong to it if no silence between is much longer than those within, unless that leads
 * on into a background: longer than the outage itself, or with no silence at its end either.
 */
static struct trend_window reach_out(const struct trend_line *line, struct trend_window w,
                                     bool back)
{
    struct trend_window longer = w;
    int64_t longest = longest_gap(line, w);
    size_t end = w.first + w.n;
    bool into_noise = false;

    while (back ? longer.first > 0 : end < line->n) {
        size_t at = back ? longer.first : end;
        int64_t gap = line->points[at].at_ms - line->points[at - 1].at_ms;

        if (gap > longest * 3 / 2) {
            into_noise = gap < longest * 3;
            break;
        }
        if (gap > longest)
            longest = gap;
        if (back)
            longer.first--;
        else
            end++;
        longer.n++;
    }
    return span_ms(line, longer) > 2 * span_ms(line, w) || into_noise ? w : longer;
}

double trend_densest(const struct trend_line *line, size_t first, size_t end, double width)
{
    const struct trend_point *p = line->points;
    double n = 0, most = 0;

    for (size_t a = first, b = first; b < end; b++) {
        n += p[b].n;
        while ((double)(p[b].at_ms - p[a].at_ms) > width)
            n -= p[a++].n;
        if (n > most)
            most = n;
    }
    return most / width;
}

/*
 * Is `peak` one inside an outage: does what came before it go on after it, for at least as long and
 * about as often? Then a storm of retries, or a busy minute, began and ended nothing.
 */
static bool is_only_a_peak(const struct trend_line *line, struct trend_window w,
                           struct trend_window peak, const struct trend_options *o)
{
    const struct trend_point *p = line->points;
    size_t end = peak.first + peak.n;
    struct trend_window lead = { w.first, peak.first - w.first, 0 };
    struct trend_window rest = { end, line->n - end, 0 };
    double before, after;
    int64_t led, went_on;

    if (events_in(line, lead) < o->min_events || events_in(line, rest) < o->min_events)
        return false;
    led = p[peak.first].at_ms - p[w.first].at_ms;
    went_on = p[line->n - 1].at_ms - p[end - 1].at_ms;
    if (led <= 0 || went_on < led)
        return false;
    before = events_in(line, lead) / (double)led;
    after = events_in(line, rest) / (double)went_on;
    return after * o->steady_ratio > before && before * o->steady_ratio > after;
}

/*
 * An issue that is noisy all the time and then jumps: the outage is the jump. It must be denser by
 * jump_ratio than anything of its width in the noise, so that nights and hourly peaks are none, and
 * the noise must have lasted longer than a day before it, or six times as long as the jump without
 * going on after it: what began today and goes on is the outage, and the jump a peak of it.
 */
static struct trend_window find_jump(const struct trend_line *line, struct trend_window w,
                                     const struct trend_options *o)
{
    const struct trend_point *p = line->points;
    size_t end = w.first + w.n;
    struct trend_window jump;
    double width, others;
    int64_t before;

    if (w.n < 6 || span_ms(line, w) < HOUR_MS)
        return w;
    jump = scan(line, w.first, end, p[w.first].at_ms, p[end - 1].at_ms + 1);
    if (jump.n == w.n || jump.first == w.first || jump.score < o->later_score)
        return w;
    width = window_width(line, jump);
    others = fmax(trend_densest(line, w.first, jump.first, width),
                  trend_densest(line, jump.first + jump.n, end, width));
    before = p[jump.first].at_ms - p[w.first].at_ms;
    if (events_in(line, jump) < o->jump_events ||
        events_in(line, jump) / width < o->jump_ratio * others ||
        (before < DAY_MS && ((double)before < 6 * width || is_only_a_peak(line, w, jump, o))))
        return w;
    return jump;
}

/* An outage after `w`, clear enough not to be its stragglers. */
static bool find_later(const struct trend_line *line, struct trend_window w,
                       const struct trend_options *o, struct trend_window *ret)
{
    size_t first = w.first + w.n;
    int64_t from = line->points[first - 1].at_ms;
    struct trend_window later;

    if (line->n - first < 3 || line->now_ms - from < MINUTE_MS)
        return false;
    later = scan(line, first, line->n, from, line->now_ms + 1);
    if (later.n < 2 || events_in(line, later) < o->min_events || later.score < o->later_score)
        return false;
    *ret = later;
    return true;
}

/* Two outages close together for their size are one with a pause (the scan's own measure: the
 * geometric mean of what it looks at and what it looks for). */
static bool same_episode(const struct trend_line *line, struct trend_window a,
                         struct trend_window b, const struct trend_options *o)
{
    int64_t gap = line->points[b.first].at_ms - line->points[a.first + a.n - 1].at_ms;
    double width = fmax(window_width(line, a), window_width(line, b));

    return gap < o->max_pause_ms && (double)gap < sqrt((double)DAY_MS * width);
}

/* The group of points next to the window, before or after it, none further apart than min_quiet. */
static struct trend_window neighbour(const struct trend_line *line, struct trend_window w,
                                     bool back, const struct trend_options *o)
{
    const struct trend_point *p = line->points;
    struct trend_window g = { back ? w.first : w.first + w.n, 0, 0 };

    if (back) {
        while (g.first > 0 && (!g.n || p[g.first].at_ms - p[g.first - 1].at_ms < o->min_quiet_ms)) {
            g.first--;
            g.n++;
        }
        return g;
    }
    while (g.first + g.n < line->n &&
           (!g.n || p[g.first + g.n].at_ms - p[g.first + g.n - 1].at_ms < o->min_quiet_ms))
        g.n++;
    return g;
}

/*
 * Bursts of very different size: the scan may take the largest, the core, alone. A neighbouring
 * group belongs to it if it is a burst too (several failures, a tenth of the largest), the quiet
 * between is longer than both (else it was a blip before a long outage), and not longer than bursts
 * of that size would make anyone wait: hours, at most. A stray failure or two between are passed
 * over; more are noise.
 */
static struct trend_window join_bursts(const struct trend_line *line, struct trend_window core,
                                       struct trend_window w, bool back,
                                       const struct trend_options *o)
{
    double enough = events_in(line, core) / 10, width = window_width(line, core);
    struct trend_window all = w, edge = w;
    unsigned strays = 0;

    for (;;) {
        struct trend_window g = neighbour(line, edge, back, o);
        int64_t gap;

        if (!g.n)
            return all;
        gap = back ? line->points[all.first].at_ms - line->points[g.first + g.n - 1].at_ms
                   : line->points[g.first].at_ms - line->points[all.first + all.n - 1].at_ms;
        if (gap > o->max_pause_ms || (double)gap > sqrt((double)o->history_ms * width))
            return all;
        edge = g;
        if (g.n < 2 || events_in(line, g) < fmax(o->min_events, enough) || gap < span_ms(line, g) ||
            (double)gap < width) {
            if (++strays > MAX_STRAYS)
                return all;
            continue;
        }
        if (back)
            all = (struct trend_window){ g.first, all.first + all.n - g.first, all.score };
        else
            all.n = g.first + g.n - all.first;
    }
}

struct trend_window trend_find_outage(const struct trend_line *line, const struct trend_options *o)
{
    struct trend_window w = { 0, line->n, 0 }, later, jump;
    bool jumped;

    if (!line->n)
        return w;
    /* Without any knowledge of what came before there is nothing to stand out from. */
    if (!line->open)
        w = scan(line, 0, line->n, line->from_ms, line->now_ms + 1);
    while (find_later(line, w, o, &later)) {
        if (same_episode(line, w, later, o)) {
            later.n += later.first - w.first;
            later.first = w.first;
        }
        w = later;
    }
    jump = find_jump(line, w, o);
    jumped = jump.n < w.n;
    if (jumped && line->points[jump.first].at_ms - line->points[w.first].at_ms > o->sparse_ms)
        return jump; /* onto a noise of days, not one burst of several */
    w = join_bursts(line, jump, join_bursts(line, jump, jump, true, o), false, o);
    if (jumped)
        return w; /* beside it is noise, which reaching out would only follow */
    w = reach_out(line, w, true);
    return reach_out(line, w, false);
}
