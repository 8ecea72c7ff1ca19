/* The picture's axes: counts with their unit, times with their zone. */
#include "chart_png_draw.h"

#include <stdio.h>
#include <time.h>

#include "dbconn/report/wording.h"

#define X_LABELS 9

static void count_axis(struct canvas *c)
{
    struct buf label = BUF_INIT;

    draw_font(c, 20, false);
    for (double v = 0; v <= c->y_max + c->y_step / 2; v += c->y_step) {
        double y = c->bottom - (c->bottom - c->top) * v / c->y_max;
        draw_ink(c, v > 0 ? INK_GRID : INK_TEXT);
        draw_line(c, c->left, y, c->right, y, v > 0 ? 1 : 2);
        buf_reset(&label);
        word_count((int64_t)v, "", "", &label);
        draw_ink(c, INK_TEXT);
        buf_truncate(&label, label.len - 1); /* the blank before the noun */
        draw_text(c, c->left - 12, y + 7, ALIGN_RIGHT, buf_str(&label));
    }
    c->lib.cairo_save(c->cr);
    c->lib.cairo_translate(c->cr, 28, (c->top + c->bottom) / 2);
    c->lib.cairo_rotate(c->cr, -1.5707963267948966);
    draw_text(c, 0, 0, ALIGN_CENTRE, "Errors");
    c->lib.cairo_restore(c->cr);
    buf_clear(&label);
}

static int64_t label_step(const struct chart *ch)
{
    static const int64_t steps[] = {
        5 * MINUTE_MS, 10 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS,     2 * HOUR_MS,
        3 * HOUR_MS,   4 * HOUR_MS,    6 * HOUR_MS,    12 * HOUR_MS,   DAY_MS,      2 * DAY_MS,
        3 * DAY_MS,    7 * DAY_MS,     14 * DAY_MS,    28 * DAY_MS,    91 * DAY_MS,
    };
    int64_t window = ch->end_ms - ch->buckets[0].start_ms;

    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (window / steps[i] < X_LABELS)
            return steps[i];
    return window / X_LABELS + 1;
}

/* "10:00", or "18 Aug". */
static void put_time(int64_t ms, bool day, char *out, size_t size)
{
    time_t at = (time_t)(ms / SECOND_MS);
    struct tm utc;

    if (!gmtime_r(&at, &utc) ||
        (day ? strftime(out, size, "%d %b", &utc) : strftime(out, size, "%H:%M", &utc)) == 0)
        out[0] = '\0';
}

static void time_axis(struct canvas *c)
{
    const struct chart *ch = c->chart;
    int64_t step = label_step(ch), from = ch->buckets[0].start_ms, shown_day = -1;
    char text[32];

    draw_font(c, 20, false);
    for (int64_t at = (from + step - 1) / step * step; at <= ch->end_ms; at += step) {
        double x = draw_x_of(c, at);
        bool edge = x > c->right - 40;
        draw_ink(c, INK_TEXT);
        draw_line(c, x, c->bottom, x, c->bottom + 8, 2);
        put_time(at, step >= DAY_MS, text, sizeof(text));
        draw_text(c, edge ? c->right + 10 : x, c->bottom + 32, edge ? ALIGN_RIGHT : ALIGN_CENTRE,
                  text);
        if (step < DAY_MS && at / DAY_MS != shown_day && !edge) {
            put_time(at, true, text, sizeof(text));
            draw_text(c, x, c->bottom + 58, ALIGN_CENTRE, text);
            shown_day = at / DAY_MS;
        }
    }
    draw_text(c, (c->left + c->right) / 2, c->bottom + 86, ALIGN_CENTRE, "Time (UTC)");
}

void draw_axes(struct canvas *c)
{
    count_axis(c);
    time_axis(c);
}
