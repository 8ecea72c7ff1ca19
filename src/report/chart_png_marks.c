/* The picture's marks: when it began, and when releases went live. */
#include "chart_png_draw.h"

#include <stdio.h>
#include <stdlib.h>

#include "dbconn/base/text.h"

#define NAMED 8       /* marks with a name; more are lines only, and that is said */
#define ROWS 4        /* of names, above each other */
#define NAME_BYTES 48 /* of a release */
#define NAME_SIZE 19

struct name {
    const struct series_marker *mark;
    char *text;
    double x, from, to; /* where the line is, and the name */
    size_t row;
};

struct names {
    struct name items[NAMED];
    size_t n, rows, unnamed;
};

static bool is_onset(const struct series_marker *m)
{
    return text_istarts(m->label, "onset");
}

static bool is_shown(const struct canvas *c, const struct series_marker *m)
{
    return m->at_ms >= c->chart->buckets[0].start_ms && m->at_ms < c->chart->end_ms;
}

/* "began 10:02", "release shop@2.42.0 10:00" */
static char *name_of(const struct canvas *c, const struct series_marker *m)
{
    int64_t window = c->chart->end_ms - c->chart->buckets[0].start_ms;
    struct buf clean = BUF_INIT, text = BUF_INIT;

    text_clean(is_onset(m) ? "began" : m->label, true, &clean);
    text_add_cut(&text, buf_str(&clean), NAME_BYTES);
    buf_addc(&text, ' ');
    chart_label(m->at_ms, window > 2 * DAY_MS ? window : 0, &text);
    buf_clear(&clean);
    return buf_take(&text);
}

static bool is_free(const struct names *names, const struct name *name, size_t row)
{
    for (size_t i = 0; i < names->n; i++) {
        const struct name *other = &names->items[i];
        if (other->row == row && name->from < other->to + 14 && other->from < name->to + 14)
            return false;
    }
    return true;
}

/* Beside its line, on the side where there is room, in the first row that is free there. */
static void place(struct canvas *c, struct names *names, const struct series_marker *m)
{
    struct name name = { .mark = m, .text = name_of(c, m), .x = draw_x_of(c, m->at_ms) };
    double width = draw_text_width(c, name.text);
    bool left = name.x + 8 + width > c->right;

    name.from = left ? name.x - 8 - width : name.x + 8;
    name.to = name.from + width;
    while (name.row < ROWS && !is_free(names, &name, name.row))
        name.row++;
    if (name.row >= ROWS || names->n == NAMED || name.from < 0) {
        names->unnamed++;
        free(name.text);
        return;
    }
    names->rows = name.row + 1 > names->rows ? name.row + 1 : names->rows;
    names->items[names->n++] = name;
}

/* The onset first: its name must have room. Then the latest, whose name does not lie upon the lines
 * of those before it. */
static void place_all(struct canvas *c, struct names *ret)
{
    *ret = (struct names){ .n = 0 };
    draw_font(c, NAME_SIZE, false);
    for (int onset = 1; onset >= 0; onset--)
        for (size_t i = c->series->n_markers; i-- > 0;) {
            const struct series_marker *m = &c->series->markers[i];
            if (is_shown(c, m) && is_onset(m) == (onset == 1))
                place(c, ret, m);
        }
}

static void names_clear(struct names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->items[i].text);
}

size_t draw_mark_rows(struct canvas *c)
{
    struct names names;

    place_all(c, &names);
    names_clear(&names);
    return names.rows;
}

/* The onset is a solid line with a triangle at its foot, a release a dashed one with a diamond. */
static void sign(struct canvas *c, double x, double y, bool onset)
{
    draw_ink(c, onset ? INK_ONSET : INK_RELEASE);
    c->lib.cairo_move_to(c->cr, x, y - 9);
    c->lib.cairo_line_to(c->cr, x + 9, onset ? y + 8 : y);
    if (!onset)
        c->lib.cairo_line_to(c->cr, x, y + 9);
    c->lib.cairo_line_to(c->cr, x - 9, onset ? y + 8 : y);
    c->lib.cairo_close_path(c->cr);
    c->lib.cairo_fill(c->cr);
}

static void pen(struct canvas *c, bool onset)
{
    static const double dashes[] = { 9, 6 };

    draw_ink(c, onset ? INK_ONSET : INK_RELEASE);
    c->lib.cairo_set_dash(c->cr, dashes, onset ? 0 : 2, 0);
}

static double base_line(const struct canvas *c, const struct name *name)
{
    return c->top - 16 - (double)name->row * MARK_ROW;
}

/* Where the mark's line begins: at its name, when it has one. */
static double line_top(const struct canvas *c, const struct names *names,
                       const struct series_marker *m)
{
    for (size_t i = 0; i < names->n; i++)
        if (names->items[i].mark == m)
            return base_line(c, &names->items[i]) - 15;
    return c->top;
}

static void mark_line(struct canvas *c, const struct series_marker *m, double top)
{
    double x = draw_x_of(c, m->at_ms), width = is_onset(m) ? 3.5 : 2.5;

    draw_ink(c, INK_PAPER); /* an edge, so that it shows upon a bar of any colour */
    draw_line(c, x, c->top, x, c->bottom, width + 3);
    pen(c, is_onset(m));
    draw_line(c, x, top, x, c->bottom, width);
    c->lib.cairo_set_dash(c->cr, NULL, 0, 0);
    sign(c, x, is_onset(m) ? c->bottom : c->top, is_onset(m));
}

static void put_name(struct canvas *c, const struct name *name)
{
    double y = base_line(c, name);

    draw_box(c, name->from - 3, y - 17, name->to - name->from + 6, 23, INK_PAPER);
    draw_ink(c, is_onset(name->mark) ? INK_ONSET : INK_RELEASE);
    draw_text(c, name->from, y, ALIGN_LEFT, name->text);
}

void draw_marks(struct canvas *c)
{
    struct names names;
    char more[64];

    place_all(c, &names);
    for (size_t i = 0; i < c->series->n_markers; i++)
        if (is_shown(c, &c->series->markers[i]))
            mark_line(c, &c->series->markers[i], line_top(c, &names, &c->series->markers[i]));
    draw_font(c, NAME_SIZE, false);
    for (size_t i = 0; i < names.n; i++)
        put_name(c, &names.items[i]);
    if (names.unnamed > 0) {
        (void)snprintf(more, sizeof(more), "%zu more marked without a name", names.unnamed);
        draw_ink(c, INK_TEXT);
        draw_text(c, c->right, c->bottom + 86, ALIGN_RIGHT, more);
    }
    names_clear(&names);
}

static double legend_box(struct canvas *c, double x, double y, enum ink ink, const char *text)
{
    draw_box(c, x, y - 16, 18, 18, ink);
    draw_ink(c, INK_TEXT);
    draw_text(c, x + 28, y, ALIGN_LEFT, text);
    return x + 28 + draw_text_width(c, text) + 36;
}

static double legend_line(struct canvas *c, double x, double y, bool onset, const char *text)
{
    pen(c, onset);
    draw_line(c, x, y - 7, x + 40, y - 7, 3);
    c->lib.cairo_set_dash(c->cr, NULL, 0, 0);
    sign(c, x + 20, y - 7, onset);
    draw_ink(c, INK_TEXT);
    draw_text(c, x + 50, y, ALIGN_LEFT, text);
    return x + 50 + draw_text_width(c, text) + 36;
}

void draw_legend(struct canvas *c, double y)
{
    double x = 30;
    bool releases = false;

    for (size_t i = 0; i < c->series->n_markers; i++)
        releases |= !is_onset(&c->series->markers[i]) && is_shown(c, &c->series->markers[i]);
    draw_font(c, 20, false);
    if (c->onset_ms != TIME_UNKNOWN) {
        x = legend_box(c, x, y, INK_BEFORE, "errors before it began");
        x = legend_box(c, x, y, INK_SINCE, "errors since it began");
        x = legend_line(c, x, y, true, "when it began");
    } else {
        x = legend_box(c, x, y, INK_SINCE, "errors");
    }
    if (releases)
        (void)legend_line(c, x, y, false, "release");
}
