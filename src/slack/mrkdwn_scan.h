/*
 * mrkdwn_scan - what stands out inside our own sentences: times, so that Slack can show them in
 * the reader's zone, and `commands`.
 */
#ifndef MRKDWN_SCAN_H
#define MRKDWN_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Does a time start at s[at]: "2026-08-18 10:02 UTC", with seconds, or ISO 8601 in UTC? Gives its
 * length in bytes, 0 for none. *ret_seconds: it told seconds.
 */
size_t time_in_text(const char *s, size_t at, int64_t *ret_ms, bool *ret_seconds);

/* Does `something` in single back-ticks start at s[at]? Its length with them, 0 for no. */
size_t command_in_text(const char *s, size_t at);

#define TIME_FORMAT_MINUTES "{date_short_pretty} {time}"
#define TIME_FORMAT_SECONDS "{date_short_pretty} {time_secs}"

#endif
