/*
 * chart - the casefile's series in few buckets, and drawn as text.
 *
 * The events per interval over the window, with the onset and the releases marked; the thread's
 * chart block, the text fallback and the terminal all draw the same buckets. Times are UTC. Pure.
 */
#ifndef DBCONN_REPORT_CHART_H
#define DBCONN_REPORT_CHART_H

#include <stdbool.h>

#include "dbconn/base/buf.h"
#include "dbconn/diagnosis/casefile.h"

#define CHART_MAX_BUCKETS 120

struct chart_bucket {
    int64_t start_ms;
    double count;
    bool onset;   /* a marker labelled "onset" lies in it */
    bool release; /* any other marker lies in it */
};

struct chart {
    int64_t bucket_ms; /* width of every bucket */
    int64_t end_ms;    /* end of the last one */
    double total, peak;
    size_t n;
    struct chart_bucket buckets[CHART_MAX_BUCKETS];
};

/* Does the series help to see it: at least two intervals, something counted, a known trend, and an
 * issue that this playbook is for? */
bool chart_wanted(const struct casefile *c);
/* Sums the series into at most `max_buckets` buckets of whole intervals, aligned to full hours
 * (UTC) and of a width that reads well (10 min, 2 h, ...). false: nothing to draw. */
bool chart_build(const struct series *s, size_t max_buckets, struct chart *ret);

void chart_title(const struct chart *ch, struct buf *out);        /* "Errors per 2 h, last 24 h" */
void chart_sparkline(const struct chart *ch, struct buf *out);    /* one character a bucket */
void chart_label(int64_t ms, int64_t window_ms, struct buf *out); /* "10:00" or "08-18 10:00" */
/* A bar chart of `height` rows with axes, units, zone and a marker row, no line wider than
 * `width` columns; plain text, lines end in \n. Falls back to the sparkline under 30 columns. */
void chart_bars(const struct series *s, size_t width, size_t height, struct buf *out);

#endif
