/*
 * limits - Slack's rate limits, counted in sliding windows.
 *
 * Slack: per method, workspace and app, by tier (1, 20, 50, 100 a minute and more);
 * chat.postMessage about one a second and channel with short bursts tolerated.
 * https://docs.slack.dev/apis/web-api/rate-limits
 */
#ifndef SANDBOX_SLACK_LIMITS_H
#define SANDBOX_SLACK_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limit_window {
    char *key;
    int64_t *times; /* of the calls that were let through, oldest first */
    size_t n, cap;
};

struct limits {
    bool lifted;
    struct limit_window *windows;
    size_t n, cap;
};

void limits_clear(struct limits *limits);
/* May `key` happen now, at most `most` times in any `span_ms`? 0 and counted, or how long to wait.
 */
int64_t limits_take(struct limits *limits, const char *key, int64_t most, int64_t span_ms,
                    int64_t now_ms);
/* The same for something paced: one every `interval_ms` on the whole, `burst` of them at once. */
int64_t limits_pace(struct limits *limits, const char *key, int64_t interval_ms, int64_t burst,
                    int64_t now_ms);

#endif
