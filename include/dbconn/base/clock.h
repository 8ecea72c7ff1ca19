/*
 * clock - wall time and ISO 8601, in milliseconds since 1970-01-01T00:00:00Z.
 *
 * What decides gets its "now" as an argument; only the edges read a clock.
 */
#ifndef DBCONN_BASE_CLOCK_H
#define DBCONN_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "dbconn/base/buf.h"

#define TIME_UNKNOWN INT64_MIN /* no such time, or not told */
#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void); /* for durations; origin arbitrary */

/*
 * Reads RFC 3339 / ISO 8601: "2026-08-18T10:02:58Z", with fraction, with offset "+02:00", with a
 * space for the T, without zone (taken as UTC). false when it is none; *ret_ms untouched then.
 */
bool time_parse_iso(const char *text, int64_t *ret_ms);
int64_t time_or_unknown(const char *iso); /* TIME_UNKNOWN for NULL and for what does not parse */

void time_format_iso(int64_t ms, struct buf *out);      /* 2026-08-18T10:02:58.114Z */
void time_format_minute(int64_t ms, struct buf *out);   /* 2026-08-18 10:02 UTC */
void time_format_duration(int64_t ms, struct buf *out); /* "45 s", "12 min", "3 h 20 min", "4 d" */

#endif
