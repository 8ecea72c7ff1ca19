/*
 * chart_picture - draws the chart (report/chart_png.h) beside the loop, on one of its worker
 * threads.
 */
#ifndef DBCONN_SRC_SLACK_CHART_PICTURE_H
#define DBCONN_SRC_SLACK_CHART_PICTURE_H

#include <uv.h>

#include "dbconn/base/error.h"

struct chart_picture; /* a drawing under way */
struct series;

/* Exactly one of `png` (it may be emptied) and `err` is given; lent. */
typedef void chart_picture_done_fn(void *user, struct buf *png, const struct error *err);

/* `s` and `subject` are copied. `done` runs once, later, from the loop. */
struct chart_picture *chart_picture_draw(uv_loop_t *loop, const struct series *s,
                                         const char *subject, chart_picture_done_fn *done,
                                         void *user);
/* `done` will not run. What is being drawn is thrown away; the loop must turn until then. NULL is
 * fine. */
void chart_picture_cancel(struct chart_picture *picture);

#endif
