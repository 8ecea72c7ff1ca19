/* queue_priv - a request on its way to the store's thread and back. */
#ifndef DBCONN_SRC_QUEUE_QUEUE_PRIV_H
#define DBCONN_SRC_QUEUE_QUEUE_PRIV_H

#include "dbconn/queue/queue.h"

struct queue_op {
    const char *name;
    bool write;
    bool persistent; /* tried for job_patience_ms */
    /* On the store's thread: an enum store_outcome or -1. May run again after a rollback, with
     * `out` empty as at first. */
    int (*run)(struct store *st, struct queue_call *c, struct error *err);
    /* It was done, but who asked is gone: takes back what would be in the way. Or NULL. */
    void (*undo)(struct store *st, const struct queue_call *c);
};

/* What the operations take; texts live in `kept`. */
struct call_args {
    struct job_ref ref;
    const char *id;
    const char *text[5];
    int64_t number[2];
    bool flag;
    struct store_retry_policy policy;
    const char *keys[STORE_MAX_KEYS];
    size_t n_keys;
    store_audit_hash_fn *hash;
    void *hash_user;
    union {
        struct job_new job;
        struct job_result result;
        struct job_step step;
        struct job_issue issue;
        struct job_feedback_new feedback;
        struct store_filter filter;
        struct store_seen_query seen;
        enum requeue_steps steps;
    } u;
};

/* What they give; all of it is cleared in the end, whatever the operation was. */
struct call_result {
    char id[JOB_ID_LEN + 1];
    struct job job;
    bool cancel;
    struct job_message message;
    struct job_list jobs;
    struct job_step_list steps;
    struct job_message_list messages;
    struct job_attempt_list attempts;
    struct job_feedback_list feedback;
    struct audit_list audit;
    struct store_counts counts;
    struct store_seen seen;
    char *report, *evidence, *value;
    int64_t number;
};

enum call_state { CALL_WAITING, CALL_TAKEN, CALL_ANSWERED };

struct call_links {
    struct queue_call *prev, *next;
};

struct queue_call {
    struct queue *q;
    const struct queue_op *op;
    struct call_args args;
    struct kept_text *kept;
    struct call_result out;
    int outcome; /* -1: see err */
    struct error err;
    int64_t now_ms;     /* wall clock at the call */
    int64_t give_up_ms; /* monotonic */
    /* Under the queue's lock: */
    enum call_state state;
    bool forgotten;          /* TAKEN, but cancelled or given up: the thread frees it */
    struct call_links queue; /* waiting, taken or answered */
    /* Loop thread only: */
    queue_done_fn *done; /* NULL: cancelled */
    void *user;
    struct call_links open; /* all that were not answered yet */
};

/* A call with nothing but its operation; NULL with `err` when the queue takes nothing more. Fill in
 * `args`, then call_start(). */
struct queue_call *call_new(struct queue *q, const struct queue_op *op, queue_done_fn *done,
                            void *user, struct error *err) MUST_CHECK;
char *call_keep(struct queue_call *c, const char *text); /* a copy that lives with the call */
struct job_ref call_keep_ref(struct queue_call *c, struct job_ref ref);
struct queue_call *call_start(struct queue_call *c); /* gives `c` */
int64_t queue_limit(const struct queue *q);          /* of waiting jobs */
/* What keys the audit log's chain, with its argument; NULL: no audit log is kept. */
store_audit_hash_fn *queue_audit_hash(const struct queue *q, void **ret_user);

void call_result_clear(struct call_result *out);
void call_fill_reply(const struct queue_call *c, struct queue_reply *ret);

#endif
