/*
 * chart_png - the chart as a picture, for places where no chart block is shown.
 *
 * The same buckets as everywhere (chart.h), finer: bars, the onset and the releases marked, both
 * axes with unit and zone, a legend. The picture brings its own light background, so that it reads
 * the same on light and dark clients; what the colours say is also said by lightness, by the shape
 * of the lines and in words.
 *
 * Drawn with cairo, which is loaded when the first picture is drawn and not before, so that
 * everybody else starts without it (Debian: libcairo2). Touches no state of ours: any thread. Takes
 * tens of milliseconds, the first time more (fonts are looked for): not to be called on the loop.
 */
#ifndef DBCONN_REPORT_CHART_PNG_H
#define DBCONN_REPORT_CHART_PNG_H

#include "dbconn/base/buf.h"
#include "dbconn/base/error.h"

struct series;

#define CHART_PNG_WIDTH 1200
#define CHART_PNG_HEIGHT 640

/* Appends the PNG. `subject` (NULL: none) stands before the title: "SHOP-1A2". Errors: ERR_CONFIG
 * (cairo is not installed), ERR_INVALID (nothing to draw), ERR_PROTOCOL (cairo could not). */
int chart_png(const struct series *s, const char *subject, struct buf *out,
              struct error *err) MUST_CHECK;

/* What the picture shows, in words, for those who cannot see it: at most 1,000 bytes. */
void chart_png_alt(const struct series *s, const char *subject, struct buf *out);

#endif
