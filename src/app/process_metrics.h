/* process_metrics - the conventional metrics of a process: memory, CPU, file descriptors, start
 * (prometheus.io/docs/instrumenting/writing_clientlibs, "Process metrics"). */
#ifndef DBCONN_APP_PROCESS_METRICS_H
#define DBCONN_APP_PROCESS_METRICS_H

#include <stdint.h>

struct metrics;

/* Sets them. `started_ms`: wall. What the system does not tell is left out. */
void process_metrics_collect(struct metrics *metrics, int64_t started_ms);

#endif
