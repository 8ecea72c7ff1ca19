/* What the files of trend share: the merged time line and the windows found on it. */
#ifndef DBCONN_ANALYSIS_TREND_INTERNAL_H
#define DBCONN_ANALYSIS_TREND_INTERNAL_H

#include "dbconn/analysis/trend.h"

/* One failure with its retries, or a share of a bucket. */
struct trend_point {
    int64_t at_ms;
    bool listed;      /* else it is a share of a bucket */
    int64_t slack_ms; /* it happened in [at_ms, at_ms + slack_ms] */
    double n;         /* events */
    double weight;    /* how much it counts as evidence: 1 for a single event, growing slowly */
};

struct trend_line {
    struct trend_point *points; /* by time */
    size_t n, cap;
    int64_t from_ms; /* silence before the first point is known since then */
    int64_t now_ms;
    bool open; /* nothing at all is known before the first point */
};

/* A run of points, first and last included. n == 0: none. */
struct trend_window {
    size_t first, n;
    double score; /* how far its rate is above the rest, in standard deviations */
};

void trend_line_build(struct trend_line *line, const struct trend_input *in,
                      const struct trend_options *o);
void trend_line_clear(struct trend_line *line);

/* The present outage, see trend.h; n == 0 when there are no points. */
struct trend_window trend_find_outage(const struct trend_line *line, const struct trend_options *o);

/* Events per ms in the densest stretch of `width_ms` among points [first, end). */
double trend_densest(const struct trend_line *line, size_t first, size_t end, double width_ms);

/* Fills the features and bursts of `t` (not kind, confidence, why). */
void trend_describe(const struct trend_line *line, struct trend_window w,
                    const struct trend_options *o, struct trend *t);

char *trend_explain(const struct trend *t, const struct trend_options *o); /* heap */

#endif
