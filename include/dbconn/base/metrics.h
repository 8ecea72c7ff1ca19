/*
 * metrics - counters, gauges and histograms of a process, written in Prometheus' text format
 * (prometheus.io/docs/instrumenting/exposition_formats).
 *
 * One registry is made by the application and passed to whoever counts; nothing is global. A module
 * describes each metric in a `static const struct metric_def` and asks once for the series that it
 * counts in. Without a registry (NULL) every series is NULL, and counting in NULL does nothing.
 *
 * Values of labels come from the program's own short lists, never from outside: a metric holds at
 * most METRIC_MAX_SERIES series, further ones are NULL. Not thread-safe: the loop's thread only.
 */
#ifndef DBCONN_BASE_METRICS_H
#define DBCONN_BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "dbconn/base/buf.h"

#define METRIC_MAX_SERIES 256
#define METRIC_MAX_LABELS 4

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_def {
    const char *name; /* with its unit: "dbconn_step_duration_seconds" */
    enum metric_type type;
    const char *help;
    const double *bounds; /* METRIC_HISTOGRAM: upper bounds, ascending, without +Inf */
    size_t n_bounds;
};

struct metrics; /* opaque */
struct metric;  /* opaque: one series */

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m); /* NULL is fine */

/* The series of that metric with these labels ("name", "value", ..., NULL at the end; NULL: none),
 * made when it is new. `def` must outlive the registry, values are copied. Lent. NULL without a
 * registry and when the metric has too many series. */
struct metric *metrics_get(struct metrics *m, const struct metric_def *def,
                           const char *const *labels);
/* Drops all series of that metric: for labels that tell a version, before the next one is set. */
void metrics_forget(struct metrics *m, const struct metric_def *def);

void metric_add(struct metric *s, double n);         /* a counter or gauge */
void metric_set(struct metric *s, double value);     /* a gauge, or a counter kept elsewhere */
void metric_observe(struct metric *s, double value); /* a histogram */
/* A histogram kept elsewhere: how many were in each bucket (as many as bounds, not cumulative), of
 * `total` in all. */
void metric_load(struct metric *s, const uint64_t *buckets, uint64_t total, double sum);

/* Bounds for what takes from a millisecond to minutes. */
#define METRIC_N_SECONDS_BOUNDS 16
extern const double metric_seconds_bounds[METRIC_N_SECONDS_BOUNDS];

/* Appends everything, ordered by when the metrics were first asked for. */
void metrics_write(const struct metrics *m, struct buf *out);

#endif
