/*
 * loop - small helpers over libuv's loop, for owners that want to be freed at once.
 *
 * A libuv handle must outlive its close callback. These wrap one in memory of their own, so that
 * x_free() is immediate for the caller and the callback never runs afterwards. Loop thread only.
 */
#ifndef DBCONN_NET_LOOP_H
#define DBCONN_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct loop_timer;
struct loop_signal;
typedef void loop_fn(void *user);

/* A one-shot timer, not started. The owner ends it with loop_timer_free(), also inside its own
 * callback. */
struct loop_timer *loop_timer_new(uv_loop_t *loop, loop_fn *fn, void *user);
void loop_timer_free(struct loop_timer *timer); /* NULL is fine */
/* Runs `fn` once in `delay_ms` milliseconds (below 0 counts as 0), counted from now and not from
 * the loop's cached time; starts over when it was running. */
void loop_timer_start(struct loop_timer *timer, int64_t delay_ms);
/* As above, for limits on what others take: time in which this process stood still (SIGSTOP, a
 * frozen machine) is not theirs. However long it was, at most a second of it counts, and what came
 * meanwhile is read before `fn` runs. Not for what must hold in real time: leases, and what may
 * still be sent. */
void loop_timer_start_awake(struct loop_timer *timer, int64_t delay_ms);
int64_t loop_timer_left_ms(const struct loop_timer *timer); /* 0 when it is not started */
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_active(const struct loop_timer *timer);
/* A timer that does not keep the loop alive. */
void loop_timer_unref(struct loop_timer *timer);

/* Runs `fn` on the loop at each signal `signum`. Does not keep the loop alive. NULL when libuv
 * cannot watch it. */
struct loop_signal *loop_signal_new(uv_loop_t *loop, int signum, loop_fn *fn, void *user);
void loop_signal_free(struct loop_signal *signal); /* NULL is fine */

/*
 * Runs close callbacks that are still due and closes the loop. False when handles are left open, or
 * when one of libuv's threads is still at work for it after a second (a name server that does not
 * answer): that thread will write to the loop, whose memory must stay, and exit() waits for it.
 */
bool loop_finish(uv_loop_t *loop);

#endif
