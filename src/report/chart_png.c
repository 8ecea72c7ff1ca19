/* The picture from top to bottom: title, legend, names of the marks, plot, time axis. */
#include "dbconn/report/chart_png.h"

#include <math.h>
#include <stdio.h>

#include "chart_png_draw.h"
#include "dbconn/base/text.h"

#define BUCKETS 72 /* bars that are still told apart in a thread's width */
#define MARGIN 30.0
#define ALT_MARKS 6

static const double inks[][3] = {
    [INK_PAPER] = { 1.00, 1.00, 1.00 },   [INK_GRID] = { 0.86, 0.87, 0.89 },
    [INK_TEXT] = { 0.13, 0.15, 0.18 },    [INK_BEFORE] = { 0.36, 0.55, 0.72 },
    [INK_SINCE] = { 0.66, 0.19, 0.02 },   [INK_ONSET] = { 0.05, 0.06, 0.08 },
    [INK_RELEASE] = { 0.00, 0.42, 0.33 },
};

void draw_ink(struct canvas *c, enum ink ink)
{
    c->lib.cairo_set_source_rgb(c->cr, inks[ink][0], inks[ink][1], inks[ink][2]);
}

void draw_line(struct canvas *c, double x0, double y0, double x1, double y1, double width)
{
    c->lib.cairo_set_line_width(c->cr, width);
    c->lib.cairo_move_to(c->cr, x0, y0);
    c->lib.cairo_line_to(c->cr, x1, y1);
    c->lib.cairo_stroke(c->cr);
}

void draw_box(struct canvas *c, double x, double y, double w, double h, enum ink ink)
{
    draw_ink(c, ink);
    c->lib.cairo_rectangle(c->cr, x, y, w, h);
    c->lib.cairo_fill(c->cr);
}

void draw_font(struct canvas *c, double size, bool bold)
{
    c->lib.cairo_select_font_face(c->cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                                  bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    c->lib.cairo_set_font_size(c->cr, size);
}

double draw_text_width(struct canvas *c, const char *text)
{
    cairo_text_extents_t size;

    c->lib.cairo_text_extents(c->cr, text, &size);
    return size.x_advance;
}

void draw_text(struct canvas *c, double x, double y, enum align align, const char *text)
{
    double width = align == ALIGN_LEFT ? 0 : draw_text_width(c, text);

    c->lib.cairo_move_to(c->cr, x - (align == ALIGN_RIGHT ? width : width / 2), y);
    c->lib.cairo_show_text(c->cr, text);
}

double draw_x_of(const struct canvas *c, int64_t ms)
{
    int64_t from = c->chart->buckets[0].start_ms;

    return c->left + (c->right - c->left) * (double)(ms - from) / (double)(c->chart->end_ms - from);
}

static void add_title(const struct chart *ch, const char *subject, struct buf *out)
{
    if (subject && *subject) {
        struct buf clean = BUF_INIT;
        text_clean(subject, true, &clean);
        text_add_cut(out, buf_str(&clean), 60);
        buf_adds(out, ": ");
        buf_clear(&clean);
    }
    size_t at = out->len;
    chart_title(ch, out);
    if (at > 0)
        out->data[at] = 'e'; /* "Errors per ..." goes on a sentence */
}

/* The bar of the bucket in which it began shows both: what was before is not known apart. */
static void draw_bars(struct canvas *c)
{
    const struct chart *ch = c->chart;

    for (size_t i = 0; i < ch->n; i++) {
        const struct chart_bucket *k = &ch->buckets[i];
        double x = draw_x_of(c, k->start_ms), w = draw_x_of(c, k->start_ms + ch->bucket_ms) - x;
        double h = (c->bottom - c->top) * k->count / c->y_max;
        bool since = c->onset_ms == TIME_UNKNOWN || k->start_ms + ch->bucket_ms > c->onset_ms;
        if (k->count > 0) /* one error among thousands still shows */
            draw_box(c, x + 1, c->bottom - fmax(h, 3), fmax(w - 2, 1.5), fmax(h, 3),
                     since ? INK_SINCE : INK_BEFORE);
    }
}

static int64_t onset_of(const struct series *s, const struct chart *ch)
{
    for (size_t i = 0; i < s->n_markers; i++) {
        const struct series_marker *m = &s->markers[i];
        if (text_istarts(m->label, "onset") && m->at_ms >= ch->buckets[0].start_ms &&
            m->at_ms < ch->end_ms)
            return m->at_ms;
    }
    return TIME_UNKNOWN;
}

/* Steps of 1, 2 or 5 times a power of ten, at most five of them: people read those at once. */
static void scale(struct canvas *c)
{
    double rough = fmax(c->chart->peak, 1) / 5, power = pow(10, floor(log10(rough)));
    double ratio = rough / power;

    c->y_step = fmax(1, power * (ratio <= 1 ? 1 : ratio <= 2 ? 2 : ratio <= 5 ? 5 : 10));
    c->y_max = fmax(c->y_step, ceil(c->chart->peak / c->y_step) * c->y_step);
}

static void draw_all(struct canvas *c, const char *subject)
{
    struct buf title = BUF_INIT;

    draw_ink(c, INK_PAPER);
    c->lib.cairo_paint(c->cr);
    draw_ink(c, INK_TEXT);
    draw_font(c, 30, true);
    add_title(c->chart, subject, &title);
    draw_text(c, MARGIN, 50, ALIGN_LEFT, buf_str(&title));
    draw_legend(c, 92);
    c->top = 128 + (double)draw_mark_rows(c) * MARK_ROW;
    draw_axes(c);
    draw_bars(c);
    draw_marks(c);
    buf_clear(&title);
}

static cairo_status_t on_bytes(void *user, const unsigned char *bytes, unsigned int n)
{
    buf_add(user, bytes, n);
    return CAIRO_STATUS_SUCCESS;
}

static int draw(struct canvas *c, const char *subject, struct buf *out, struct error *err)
{
    const struct cairo_lib *lib = &c->lib;
    cairo_surface_t *surface =
        lib->cairo_image_surface_create(CAIRO_FORMAT_RGB24, CHART_PNG_WIDTH, CHART_PNG_HEIGHT);
    size_t before = out->len;

    c->cr = lib->cairo_create(surface);
    draw_all(c, subject);
    cairo_status_t status = lib->cairo_status(c->cr);
    lib->cairo_destroy(c->cr);
    if (status == CAIRO_STATUS_SUCCESS)
        status = lib->cairo_surface_write_to_png_stream(surface, on_bytes, out);
    lib->cairo_surface_destroy(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        return 0;
    buf_truncate(out, before);
    return error_set(err, ERR_PROTOCOL, "draw the chart: cairo says: %s",
                     lib->cairo_status_to_string(status));
}

int chart_png(const struct series *s, const char *subject, struct buf *out, struct error *err)
{
    struct chart ch;
    struct canvas c = { .series = s,
                        .chart = &ch,
                        .left = 110,
                        .right = CHART_PNG_WIDTH - MARGIN,
                        .bottom = CHART_PNG_HEIGHT - 100 };

    if (!chart_build(s, BUCKETS, &ch))
        return error_set(err, ERR_INVALID, "there is nothing to draw a chart of");
    if (cairo_lib_load(&c.lib, err) < 0)
        return -1;
    c.onset_ms = onset_of(s, &ch);
    scale(&c);
    int rc = draw(&c, subject, out, err);
    cairo_lib_unload(&c.lib);
    return rc;
}

void chart_png_alt(const struct series *s, const char *subject, struct buf *out)
{
    struct buf words = BUF_INIT;
    struct chart ch;

    if (!chart_build(s, BUCKETS, &ch))
        return;
    add_title(&ch, subject, &words);
    buf_addf(&words, ", %.0f in all, at most %.0f, from ", ch.total, ch.peak);
    time_format_minute(ch.buckets[0].start_ms, &words);
    buf_adds(&words, " to ");
    time_format_minute(ch.end_ms, &words);
    buf_addc(&words, '.');
    for (size_t i = 0; i < s->n_markers && i < ALT_MARKS; i++) {
        buf_adds(&words, i ? "; " : " Marked: ");
        text_clean(s->markers[i].label, true, &words);
        buf_addc(&words, ' ');
        time_format_minute(s->markers[i].at_ms, &words);
    }
    text_add_cut(out, buf_str(&words), 990);
    buf_clear(&words);
}
