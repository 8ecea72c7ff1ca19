#include "slack/limits.h"

#include "dbconn/base/alloc.h"

void limits_clear(struct limits *limits)
{
    for (size_t i = 0; i < limits->n; i++) {
        free(limits->windows[i].key);
        free(limits->windows[i].times);
    }
    free(limits->windows);
    *limits = (struct limits){ .lifted = limits->lifted };
}

static struct limit_window *window_of(struct limits *limits, const char *key)
{
    for (size_t i = 0; i < limits->n; i++)
        if (strcmp(limits->windows[i].key, key) == 0)
            return &limits->windows[i];
    struct limit_window *window = VEC_ADD(limits->windows, limits->n, limits->cap);
    window->key = xstrdup(key);
    return window;
}

static void drop_old(struct limit_window *window, int64_t before_ms)
{
    size_t old = 0;

    while (old < window->n && window->times[old] <= before_ms)
        old++;
    window->n -= old;
    memmove(window->times, window->times + old, window->n * sizeof(*window->times));
}

int64_t limits_take(struct limits *limits, const char *key, int64_t most, int64_t span_ms,
                    int64_t now_ms)
{
    if (limits->lifted || most <= 0)
        return 0;
    struct limit_window *window = window_of(limits, key);
    if (window->n > 0)
        drop_old(window, now_ms - span_ms);
    if ((int64_t)window->n >= most)
        return window->times[0] + span_ms - now_ms;
    *VEC_ADD(window->times, window->n, window->cap) = now_ms;
    return 0;
}

/* times[0] is the time by which all that was let through would have come at an even pace. */
int64_t limits_pace(struct limits *limits, const char *key, int64_t interval_ms, int64_t burst,
                    int64_t now_ms)
{
    if (limits->lifted)
        return 0;
    struct limit_window *window = window_of(limits, key);
    if (window->n == 0)
        *VEC_ADD(window->times, window->n, window->cap) = now_ms;
    int64_t even = window->times[0] > now_ms ? window->times[0] : now_ms;
    if (even - now_ms > (burst - 1) * interval_ms)
        return even - now_ms - (burst - 1) * interval_ms;
    window->times[0] = even + interval_ms;
    return 0;
}
