/*
 * worker - the store's thread: takes groups of requests, carries each group out in one transaction,
 * hands them back.
 */
#ifndef DBCONN_SRC_QUEUE_WORKER_H
#define DBCONN_SRC_QUEUE_WORKER_H

#include "call.h"
#include "queue_priv.h"

struct worker {
    struct store *store; /* used on this thread only, once it runs */
    int wake_fd;         /* an eventfd: there is something new for the thread */
    uv_thread_t thread;
    /* Tells the loop that `answered` or `news` is there. */
    void (*ready)(void *user);
    void *user;

    uv_mutex_t lock;
    uv_cond_t ended_cond;
    /* Under the lock: */
    struct call_list waiting, answered;
    bool quit, ended;
    bool news;
    struct queue_stats stats;
};

/* Starts the thread. Errors: ERR_STORE when the system gives none. */
int worker_start(struct worker *w, struct error *err) MUST_CHECK;
/* Ends it after the group under way; false when it did not end within 5 s. */
bool worker_stop(struct worker *w);
void worker_submit(struct worker *w, struct queue_call *c);
void worker_count_given_up(struct worker *w);

#endif
