#include "dbconn/net/loop.h"

#include "dbconn/base/alloc.h"
#include "dbconn/base/clock.h"

#define THREADS_MS 1000 /* what libuv's threads get to finish */
#define THREADS_LOOK_MS 5
#define SLICE_MS 1000 /* of a time awake */
#define LATE_MS 500   /* no busy loop is: the process stood still */

struct loop_timer {
    uv_timer_t handle; /* first: the handle's address is the timer's */
    loop_fn *fn;
    void *user;
    bool awake;       /* counted in slices, each of which counts as long as it was to be */
    int64_t later_ms; /* awake: what comes after this slice */
    int64_t due_ms;   /* monotonic: the end of this slice */
};

struct loop_signal {
    uv_signal_t handle; /* first, likewise */
    loop_fn *fn;
    void *user;
};

static void free_handle(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_timer(uv_timer_t *handle);

static void start(struct loop_timer *timer, int64_t delay_ms)
{
    if (delay_ms < 0)
        delay_ms = 0;
    timer->due_ms = clock_mono_ms() + delay_ms;
    uv_update_time(timer->handle.loop);
    uv_timer_start(&timer->handle, on_timer, (uint64_t)delay_ms, 0);
}

static void start_slice(struct loop_timer *timer)
{
    int64_t slice = timer->later_ms < SLICE_MS ? timer->later_ms : SLICE_MS;

    timer->later_ms -= slice;
    start(timer, slice);
}

/* libuv runs timers before it looks at sockets. A last slice in which the process stood still is
 * followed by one more, once. */
static bool goes_on(struct loop_timer *timer)
{
    if (timer->awake && timer->later_ms == 0 && clock_mono_ms() - timer->due_ms > LATE_MS) {
        timer->awake = false;
        timer->later_ms = SLICE_MS;
    }
    return timer->later_ms > 0;
}

static void on_timer(uv_timer_t *handle)
{
    struct loop_timer *timer = handle->data;

    if (goes_on(timer))
        start_slice(timer);
    else
        timer->fn(timer->user); /* last statement: it may free the timer */
}

struct loop_timer *loop_timer_new(uv_loop_t *loop, loop_fn *fn, void *user)
{
    struct loop_timer *timer = xcalloc(1, sizeof(*timer));

    uv_timer_init(loop, &timer->handle);
    timer->handle.data = timer;
    timer->fn = fn;
    timer->user = user;
    return timer;
}

void loop_timer_free(struct loop_timer *timer)
{
    if (timer)
        uv_close((uv_handle_t *)&timer->handle, free_handle);
}

void loop_timer_start(struct loop_timer *timer, int64_t delay_ms)
{
    timer->awake = false;
    timer->later_ms = 0;
    start(timer, delay_ms);
}

void loop_timer_start_awake(struct loop_timer *timer, int64_t delay_ms)
{
    timer->awake = true;
    timer->later_ms = delay_ms > 0 ? delay_ms : 0;
    start_slice(timer);
}

int64_t loop_timer_left_ms(const struct loop_timer *timer)
{
    int64_t slice = timer->due_ms - clock_mono_ms();

    if (!loop_timer_active(timer))
        return 0;
    return timer->later_ms + (slice > 0 ? slice : 0);
}

void loop_timer_stop(struct loop_timer *timer)
{
    uv_timer_stop(&timer->handle);
}

bool loop_timer_active(const struct loop_timer *timer)
{
    return uv_is_active((const uv_handle_t *)&timer->handle) != 0;
}

void loop_timer_unref(struct loop_timer *timer)
{
    uv_unref((uv_handle_t *)&timer->handle);
}

static void on_signal(uv_signal_t *handle, int signum)
{
    struct loop_signal *signal = handle->data;

    (void)signum;
    signal->fn(signal->user); /* last statement, as above */
}

struct loop_signal *loop_signal_new(uv_loop_t *loop, int signum, loop_fn *fn, void *user)
{
    struct loop_signal *signal = xcalloc(1, sizeof(*signal));

    if (uv_signal_init(loop, &signal->handle) < 0) {
        free(signal);
        return NULL;
    }
    signal->handle.data = signal;
    signal->fn = fn;
    signal->user = user;
    if (uv_signal_start(&signal->handle, on_signal, signum) < 0) {
        loop_signal_free(signal);
        return NULL;
    }
    uv_unref((uv_handle_t *)&signal->handle);
    return signal;
}

void loop_signal_free(struct loop_signal *signal)
{
    if (signal)
        uv_close((uv_handle_t *)&signal->handle, free_handle);
}

bool loop_finish(uv_loop_t *loop)
{
    int64_t until = clock_mono_ms() + THREADS_MS;

    /* Close callbacks run one turn after uv_close(); a turn may ask for another. */
    for (int turn = 0; turn < 64; turn++) {
        if (uv_loop_close(loop) == 0)
            return true;
        uv_run(loop, UV_RUN_NOWAIT);
    }
    while (loop->active_reqs.count > 0 && clock_mono_ms() < until) {
        uv_sleep(THREADS_LOOK_MS);
        uv_run(loop, UV_RUN_NOWAIT);
    }
    return uv_loop_close(loop) == 0;
}
