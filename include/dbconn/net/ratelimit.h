/*
 * ratelimit - two ways to keep to a rate. Pure: time is an argument, in ms, and must not go back
 * (when it does, no time has passed).
 */
#ifndef DBCONN_NET_RATELIMIT_H
#define DBCONN_NET_RATELIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A token bucket: `burst` at once, then `count` in each `period_ms`, evenly. In any stretch of
 * `period_ms` at most burst + count pass.
 */
struct bucket {
    int64_t burst, count, period_ms;
    int64_t level; /* in 1/period_ms of a token, so that refilling is exact */
    int64_t at_ms; /* when `level` was true */
};

void bucket_init(struct bucket *b, int64_t burst, int64_t count, int64_t period_ms, int64_t now_ms);
bool bucket_take(struct bucket *b, int64_t now_ms);       /* false: none left, nothing taken */
int64_t bucket_wait_ms(struct bucket *b, int64_t now_ms); /* until bucket_take() succeeds; 0: now */
bool bucket_is_full(struct bucket *b, int64_t now_ms);    /* as new: may be forgotten */

/*
 * A sliding window: at most `max` in any stretch of `period_ms`, as a server with a fixed window
 * counts at worst. The owner ends it with window_clear().
 */
struct window {
    int64_t *taken_ms; /* a ring of the last `max` times */
    size_t max, next, n;
    int64_t period_ms;
};

void window_init(struct window *w, size_t max, int64_t period_ms); /* max 0: no limit */
void window_clear(struct window *w);
bool window_take(struct window *w, int64_t now_ms);
int64_t window_wait_ms(const struct window *w, int64_t now_ms);

#endif
