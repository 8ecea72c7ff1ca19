#include "dbconn/net/ratelimit.h"

#include "dbconn/base/alloc.h"

void bucket_init(struct bucket *b, int64_t burst, int64_t count, int64_t period_ms, int64_t now_ms)
{
    *b = (struct bucket){ burst, count, period_ms, burst * period_ms, now_ms };
}

static void refill(struct bucket *b, int64_t now_ms)
{
    int64_t full = b->burst * b->period_ms, elapsed = now_ms - b->at_ms;

    if (elapsed <= 0)
        return;
    b->at_ms = now_ms;
    /* Compared by division, so that a long sleep cannot overflow. */
    if (b->count > 0 && elapsed > (full - b->level) / b->count)
        b->level = full;
    else
        b->level += elapsed * b->count;
}

bool bucket_take(struct bucket *b, int64_t now_ms)
{
    refill(b, now_ms);
    if (b->level < b->period_ms)
        return false;
    b->level -= b->period_ms;
    return true;
}

int64_t bucket_wait_ms(struct bucket *b, int64_t now_ms)
{
    refill(b, now_ms);
    if (b->level >= b->period_ms)
        return 0;
    return b->count > 0 ? (b->period_ms - b->level + b->count - 1) / b->count : INT64_MAX;
}

bool bucket_is_full(struct bucket *b, int64_t now_ms)
{
    refill(b, now_ms);
    return b->level >= b->burst * b->period_ms;
}

void window_init(struct window *w, size_t max, int64_t period_ms)
{
    *w = (struct window){ .max = max, .period_ms = period_ms };
    if (max)
        w->taken_ms = xcalloc(max, sizeof(*w->taken_ms));
}

void window_clear(struct window *w)
{
    free(w->taken_ms);
    *w = (struct window){ 0 };
}

bool window_take(struct window *w, int64_t now_ms)
{
    if (!w->max)
        return true;
    if (window_wait_ms(w, now_ms) > 0)
        return false;
    w->taken_ms[w->next] = now_ms;
    w->next = (w->next + 1) % w->max;
    if (w->n < w->max)
        w->n++;
    return true;
}

int64_t window_wait_ms(const struct window *w, int64_t now_ms)
{
    if (!w->max || w->n < w->max)
        return 0;
    /* Full: the slot to be written next holds the oldest time. */
    int64_t wait = w->taken_ms[w->next] + w->period_ms - now_ms;
    return wait > 0 ? wait : 0;
}
