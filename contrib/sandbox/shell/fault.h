/*
 * fault - what goes wrong on purpose, per service and path.
 *
 * A fault is a JSON object; every member is optional and faults that match combine:
 *   path          POSIX extended regular expression on path?query
 *   method        HTTP method it concerns
 *   skip, first   leave the first `skip` matching requests alone, then hit `first` of them
 *   p             hit with this probability
 *   limit         hit only beyond this many requests a second (a real limiter; default status 429)
 *   latency_ms, jitter_ms   answer later
 *   status        answer with this status, in the service's own words; with it:
 *                 retry_after (seconds), rate_limited (GitHub: 403 by limit), html (a proxy's
 * page), error (Slack: 200 and this error code) after         the request takes effect first and
 * only the answer is replaced drop          cut the connection instead of answering truncate
 * announce the whole body, send 60 % of it, cut malformed     break the JSON in the middle huge pad
 * the body with so many bytes, still valid JSON drip_ms, drip_bytes     send the body in slices
 *   empty         an empty answer of the same shape
 *   reset         the connection ends with a reset: at once, or with truncate in the middle
 *   bend          types, nulls, deep, duplicate, gzip: see bend.h
 *   kill          SIGKILL this process id when the request comes (after it took effect: `after`);
 *                 only when the sandbox was started with --allow-kill
 */
#ifndef SANDBOX_SHELL_FAULT_H
#define SANDBOX_SHELL_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "dbconn/base/error.h"
#include "dbconn/base/json.h"

struct faults; /* opaque: the list of one service */

/* What the matching faults of one request add up to; all 0 is "nothing". */
struct fault_effect {
    int64_t latency_ms;
    int status;
    int64_t retry_after; /* -1: not said, -2: without the header, even where Slack has one */
    int64_t huge;
    int64_t drip_ms, drip_bytes;
    int64_t kill;
    bool rate_limited, html, after, drop, truncate, malformed, empty, reset;
    char error[64], bend[16];
};

struct faults *faults_new(void);
void faults_free(struct faults *faults);
/* Replaces the list by `array` (an array or one object). ERR_INVALID names the member. */
int faults_set(struct faults *faults, const cJSON *array, struct error *err) MUST_CHECK;
/* Counts this request on every matching fault and gives the sum of those that hit. */
void faults_match(struct faults *faults, const char *method, const char *url, int64_t now_ms,
                  struct fault_effect *ret);

#endif
