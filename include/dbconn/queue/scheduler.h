/*
 * scheduler - claims jobs when there is room, keeps their leases, hands them over at shutdown.
 *
 * It knows no Slack and no playbook: each claimed job goes to `run`, and the application says
 * scheduler_done() when it has nothing to do with it any more (after queue_finish(), queue_retry()
 * or queue_release() was answered, or after it was told to stop). Loop thread only.
 */
#ifndef DBCONN_QUEUE_SCHEDULER_H
#define DBCONN_QUEUE_SCHEDULER_H

#include <uv.h>

#include "dbconn/queue/queue.h"

struct scheduler;
struct scheduler_run; /* one job that runs here */

enum scheduler_stop {
    SCHEDULER_CANCELLED,  /* somebody cancelled it: stop asking, say so, finish it as cancelled */
    SCHEDULER_LEASE_LOST, /* somebody else has it: stop at once, write and post nothing more */
    SCHEDULER_SHUTDOWN,   /* this process ends: stop at a safe point, then scheduler_release() */
};

/* A job to run; its `cancel_by` may be set and its state may be JOB_DEAD (say so, finish it). Lent
 * until scheduler_done(). Called from the loop, never inside a scheduler_ call. */
typedef void scheduler_run_fn(void *user, struct scheduler_run *run, const struct job *job);
/* May call scheduler_done() or scheduler_release() inside. Each reason comes at most once a run. */
typedef void scheduler_stop_fn(void *user, struct scheduler_run *run, enum scheduler_stop why);

struct scheduler_options {
    const char *owner;    /* NULL: made of host name, process id and chance */
    int max_running;      /* 0: 20 */
    int max_settling;     /* 0: 4 * max_running; see scheduler_settle() */
    int64_t lease_ms;     /* 0: 15 s; renewed every third of it */
    int64_t poll_ms;      /* 0: 1 s; between looks when nobody wakes us */
    int64_t retention_ms; /* ended jobs are removed after this; 0: 90 days, < 0: never */
    struct store_retry_policy retry;
    scheduler_run_fn *run;   /* required */
    scheduler_stop_fn *stop; /* required */
    void *user;
};

/* The caller owns it (scheduler_free()); `queue` must outlive it. Nothing is claimed before
 * scheduler_start(), which first takes over what a predecessor left in a store of our own. */
struct scheduler *scheduler_new(uv_loop_t *loop, struct queue *queue,
                                const struct scheduler_options *options);
void scheduler_start(struct scheduler *s);
/* Takes over max_running, max_settling, retention_ms and retry of `options`; what runs goes on. */
void scheduler_set_limits(struct scheduler *s, const struct scheduler_options *options);
/* There may be work, or a cancel request: from queue_options.wake. */
void scheduler_wake(struct scheduler *s);
/* Claims nothing more; what runs goes on to its end. */
void scheduler_close(struct scheduler *s);
/* Nothing runs here, and nothing is being claimed or given back. */
bool scheduler_is_idle(const struct scheduler *s);
/* Claims nothing more and tells every run SCHEDULER_SHUTDOWN; `drained` runs once, later, when all
 * have ended and were handed over. */
void scheduler_drain(struct scheduler *s, void (*drained)(void *user), void *user);
/* Forgets the runs: their leases run out. The loop must run once more. NULL is fine. */
void scheduler_free(struct scheduler *s);

/* What the queue calls of this run need; lent until scheduler_done(). */
struct job_ref scheduler_ref(const struct scheduler_run *run);
const struct job *scheduler_job(const struct scheduler_run *run);
void scheduler_set_data(struct scheduler_run *run, void *data); /* the application's own */
void *scheduler_data(const struct scheduler_run *run);

/*
 * May this run send a request that changes something outside and takes about `for_ms`? To be asked
 * right before it goes out, in the same loop turn: a process that was stopped past its lease wakes
 * up with its intents committed and the job in other hands. True while the lease is certainly held,
 * for at least `for_ms` or a third of its length, whichever is less; what is sent may land later
 * than the lease ends, which the lands_until_ms of messages allow for. Reads the monotonic clock
 * only, which does not stop with the process.
 */
bool scheduler_may_post(const struct scheduler_run *run, int64_t for_ms);

/* The run asks nothing more and only its end is still to be shown, which Slack's limits may draw
 * out: its place goes to the next job, as long as no more than max_settling do this. */
void scheduler_settle(struct scheduler_run *run);
/* The application is done with the job; `run` is gone. */
void scheduler_done(struct scheduler_run *run);
/* Gives the job back to the queue, where it is due at once, and is done with it. */
void scheduler_release(struct scheduler_run *run);

int scheduler_running(const struct scheduler *s); /* settling ones included */
/* The run of that job in this process, or NULL. */
struct scheduler_run *scheduler_find(struct scheduler *s, const char *job_id);

#endif
