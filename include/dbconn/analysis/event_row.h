/*
 * event_row - one error event as the statistics of impact.h and rollout.h want it: when, of which
 * issue, and its tags.
 *
 * Rows and all their strings are lent by whoever collected them and are only read. A row may stand
 * for several like events (an answer of the events table, grouped by tags): `count` says how many.
 */
#ifndef DBCONN_ANALYSIS_EVENT_ROW_H
#define DBCONN_ANALYSIS_EVENT_ROW_H

#include <stddef.h>
#include <stdint.h>

struct event_tag {
    const char *key;   /* NULL: the tag is skipped (such tags have been seen at Sentry) */
    const char *value; /* NULL or "": the event has no such tag */
};

struct event_row {
    int64_t at_ms;     /* TIME_UNKNOWN when the row is a sum over a time */
    const char *issue; /* which issue it belongs to; NULL: unknown. Only compared for equality */
    const struct event_tag *tags;
    size_t n_tags;
    double count; /* how many events the row stands for; 0 is taken as 1 */
};

/* The value of a tag of the row; NULL when it has none. Lent. */
const char *event_row_tag(const struct event_row *row, const char *key);

#endif
