/* chart_png_draw - what the sources of the picture share: a canvas, its colours and its pens. */
#ifndef DBCONN_SRC_REPORT_CHART_PNG_DRAW_H
#define DBCONN_SRC_REPORT_CHART_PNG_DRAW_H

#include "cairo_lib.h"
#include "dbconn/report/chart.h"

/*
 * Told apart by lightness too, so that no kind of colour vision and no grey printer loses them; all
 * but the grid have at least 3:1 against the background (WCAG 2.2, 1.4.11), words at least 4.5:1.
 */
enum ink { INK_PAPER, INK_GRID, INK_TEXT, INK_BEFORE, INK_SINCE, INK_ONSET, INK_RELEASE };

enum align { ALIGN_LEFT, ALIGN_CENTRE, ALIGN_RIGHT };

struct canvas {
    struct cairo_lib lib;
    cairo_t *cr;
    const struct series *series;
    const struct chart *chart;
    int64_t onset_ms;                /* TIME_UNKNOWN: none is marked */
    double left, right, top, bottom; /* of the plot */
    double y_max, y_step;
};

void draw_ink(struct canvas *c, enum ink ink);
void draw_line(struct canvas *c, double x0, double y0, double x1, double y1, double width);
void draw_box(struct canvas *c, double x, double y, double w, double h, enum ink ink);
void draw_font(struct canvas *c, double size, bool bold);
double draw_text_width(struct canvas *c, const char *text);
/* `text` is UTF-8. `y` is the baseline. */
void draw_text(struct canvas *c, double x, double y, enum align align, const char *text);
/* Where a moment lies. */
double draw_x_of(const struct canvas *c, int64_t ms);

void draw_axes(struct canvas *c);
/* The marked moments: lines through the plot with their names above it. draw_mark_rows() says how
 * many rows of names that takes, before the plot has its height. */
size_t draw_mark_rows(struct canvas *c);
void draw_marks(struct canvas *c);
void draw_legend(struct canvas *c, double y);

#define MARK_ROW 26.0 /* height of a row of names */

#endif
