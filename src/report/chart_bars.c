/* The series as a bar chart in characters: the terminal's view of it. */
#include "dbconn/report/chart.h"

#include <math.h>
#include <stdio.h>

#include "dbconn/base/text.h"

#define MIN_COLUMNS 30

static void add_blanks(struct buf *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_addc(out, ' ');
}

/* What of one bar stands in row `row` (0 is the bottom) of `height`. */
static const char *cell(double part, size_t row, size_t height)
{
    static const char *const levels[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    double eighths = part * (double)height * 8 - (double)row * 8;

    if (part > 0 && row == 0 && eighths < 1)
        eighths = 1;
    return levels[(size_t)fmax(0, fmin(8, floor(eighths)))];
}

static void add_rows(const struct chart *ch, size_t column, size_t height, size_t axis,
                     struct buf *out)
{
    for (size_t row = height; row-- > 0;) {
        if (row == height - 1)
            buf_addf(out, "%*.0f ┤", (int)axis, ch->peak);
        else
            buf_addf(out, "%*s │", (int)axis, "");
        for (size_t i = 0; i < ch->n; i++) {
            double part = ch->peak > 0 ? ch->buckets[i].count / ch->peak : 0;
            for (size_t k = 0; k < column; k++)
                buf_adds(out, cell(part, row, height));
        }
        while (out->data[out->len - 1] == ' ')
            buf_truncate(out, out->len - 1);
        buf_addc(out, '\n');
    }
}

static const char *marker_sign(bool onset, bool release)
{
    if (onset)
        return release ? "◆" : "▲";
    return release ? "△" : "─";
}

/* The time axis, with the markers standing in it. */
static void add_axis(const struct chart *ch, size_t column, size_t axis, struct buf *out)
{
    buf_addf(out, "%*s ┼", (int)axis, "0");
    for (size_t i = 0; i < ch->n; i++) {
        buf_adds(out, marker_sign(ch->buckets[i].onset, ch->buckets[i].release));
        for (size_t k = 1; k < column; k++)
            buf_adds(out, "─");
    }
    buf_addc(out, '\n');
}

static void add_times(const struct chart *ch, size_t column, size_t axis, struct buf *out)
{
    struct buf from = BUF_INIT, to = BUF_INIT;
    int64_t window = ch->end_ms - ch->buckets[0].start_ms;

    /* A day's window nearly always spans midnight: the date tells which 10:00 is meant. */
    chart_label(ch->buckets[0].start_ms, window + 1 > HOUR_MS * 12 ? DAY_MS + 1 : window, &from);
    chart_label(ch->end_ms, window + 1 > HOUR_MS * 12 ? DAY_MS + 1 : window, &to);
    buf_adds(&to, " UTC");
    add_blanks(out, axis + 2);
    buf_adds(out, buf_str(&from));
    if (ch->n * column > from.len + to.len)
        add_blanks(out, ch->n * column - from.len - to.len);
    else
        buf_adds(out, " to ");
    buf_addf(out, "%s\n", buf_str(&to));
    buf_clear(&from);
    buf_clear(&to);
}

static void add_legend(const struct series *s, const struct chart *ch, size_t width,
                       struct buf *out)
{
    struct buf line = BUF_INIT;

    for (size_t i = 0; i < s->n_markers; i++) {
        const struct series_marker *m = &s->markers[i];
        if (m->at_ms < ch->buckets[0].start_ms || m->at_ms >= ch->end_ms)
            continue;
        size_t at = (size_t)((m->at_ms - ch->buckets[0].start_ms) / ch->bucket_ms);
        buf_reset(&line);
        buf_addf(&line, "%s ", marker_sign(ch->buckets[at].onset, ch->buckets[at].release));
        time_format_minute(m->at_ms, &line);
        buf_addc(&line, ' ');
        text_clean(m->label, true, &line);
        add_blanks(out, 2);
        text_add_cut(out, buf_str(&line), width - 2);
        buf_addc(out, '\n');
    }
    buf_clear(&line);
}

void chart_bars(const struct series *s, size_t width, size_t height, struct buf *out)
{
    struct chart ch;
    size_t axis, room, column;

    if (!chart_build(s, width < MIN_COLUMNS ? MIN_COLUMNS : CHART_MAX_BUCKETS, &ch))
        return;
    axis = (size_t)snprintf(NULL, 0, "%.0f", ch.peak);
    room = width > axis + 4 ? width - axis - 4 : 1;
    if (ch.n > room && !chart_build(s, room, &ch))
        return;
    axis = (size_t)snprintf(NULL, 0, "%.0f", ch.peak); /* wider buckets count more */
    chart_title(&ch, out);
    buf_addc(out, '\n');
    if (width < MIN_COLUMNS || axis + 2 + ch.n > width) {
        chart_sparkline(&ch, out);
        buf_addc(out, '\n');
        return;
    }
    column = (width - axis - 2) / ch.n;
    column = column > 4 ? 4 : column;
    add_rows(&ch, column, height > 0 ? height : 1, axis, out);
    add_axis(&ch, column, axis, out);
    add_times(&ch, column, axis, out);
    add_legend(s, &ch, width, out);
}
