/*
 * queue - the store on the event loop: one thread does the blocking work, answers come back on the
 * loop.
 *
 * Requests are carried out in the order they were made; those that wait together share one
 * transaction and one commit, so that durable is also fast. The contract of every call is that of
 * net/http.h: it fails at once (NULL with `err`) and `done` never runs, or it starts and `done`
 * runs exactly once, later, from the loop, never inside the start call. queue_cancel_call() before
 * that means never. Arguments are copied; what `done` gets is lent for its duration. Loop thread
 * only.
 *
 * A store that cannot work (server gone, disk full, locked) is tried again until the call's
 * patience is over: 2 s for what somebody waits for, 60 s for what a running job must not lose
 * (checkpoints, messages sent, how it ended, hand-over). Then `done` gets ERR_STORE; a request that
 * was under way at that moment may still be carried out.
 */
#ifndef DBCONN_QUEUE_QUEUE_H
#define DBCONN_QUEUE_QUEUE_H

#include <uv.h>

#include "dbconn/queue/store.h"

struct queue;
struct queue_call; /* one request under way */

struct queue_options {
    int64_t max_queued;              /* waiting jobs; 0: 10,000; below 0: no limit */
    int64_t patience_ms;             /* 0: 2 s */
    int64_t job_patience_ms;         /* 0: 60 s */
    store_audit_hash_fn *audit_hash; /* for what enqueue audits; NULL: it audits nothing */
    void *audit_user;                /* read-only: the store's thread uses it */
    int64_t (*now_ms)(void *user);   /* NULL: clock_wall_ms(); called on the loop thread */
    void (*wake)(void *user);        /* jobs may be due: here or by another replica; or NULL */
    void *user;
};

/* What a call gave. Members that a call does not speak of are zero. */
struct queue_reply {
    enum store_outcome outcome;
    const char *id;                           /* enqueue */
    const struct job *job;                    /* claim, get; set_issue with EXISTS: the first */
    bool cancel;                              /* heartbeat */
    const struct job_message *message;        /* message_intend with EXISTS or UNRESOLVED */
    const struct job_list *jobs;              /* list; set_issue with EXISTS: all earlier ones */
    const struct job_step_list *steps;        /* steps */
    const struct job_message_list *messages;  /* messages */
    const struct job_attempt_list *attempts;  /* attempts */
    const struct job_feedback_list *feedback; /* feedback_list */
    const struct audit_list *audit;           /* audit_list */
    const struct store_counts *counts;        /* counts */
    const struct store_seen *seen;            /* seen_before with OK */
    const char *report, *evidence;            /* report; NULL: none */
    const char *value;                        /* setting_get with OK */
    int64_t number; /* enqueue with OK and position: ahead; audit_append: seq; purge and
                       audit_expire: n */
};

/* `reply` is NULL when `err` is set. */
typedef void queue_done_fn(void *user, const struct queue_reply *reply, const struct error *err);

/* Opens the store (blocking, at start-up) and its thread. The caller owns *ret (queue_free()).
 * Errors: those of store_open(). */
int queue_open(uv_loop_t *loop, const char *url, const struct queue_options *options,
               struct queue **ret, struct error *err) MUST_CHECK;
/* Takes nothing more, carries out what waits (within its patience), then `stopped` runs once. */
void queue_stop(struct queue *q, void (*stopped)(void *user), void *user);
/* Ends the thread; what was not carried out never is, and no `done` runs any more. Waits for the
 * statement under way, at most 5 s (a thread that hangs in a dead disk is left behind). The loop
 * must run once more to let go of its handles. NULL is fine. */
void queue_free(struct queue *q);

void queue_set_max_queued(struct queue *q, int64_t max_queued); /* as in the options */
void queue_cancel_call(struct queue_call *call);                /* NULL is fine */
int64_t queue_now_ms(const struct queue *q);
bool queue_is_shared(const struct queue *q); /* store_is_shared() */

/* One call per operation of store.h; see there for outcomes. */
struct queue_call *queue_enqueue(struct queue *q, const struct job_new *job,
                                 const char *const *keys, size_t n_keys, queue_done_fn *done,
                                 void *user, struct error *err) MUST_CHECK;
struct queue_call *queue_claim(struct queue *q, const char *owner, int64_t lease_ms,
                               const struct store_retry_policy *policy, queue_done_fn *done,
                               void *user, struct error *err) MUST_CHECK;
struct queue_call *queue_adopt(struct queue *q, const struct store_retry_policy *policy,
                               queue_done_fn *done, void *user, struct error *err) MUST_CHECK;
struct queue_call *queue_heartbeat(struct queue *q, struct job_ref ref, int64_t lease_ms,
                                   queue_done_fn *done, void *user, struct error *err) MUST_CHECK;
struct queue_call *queue_release(struct queue *q, struct job_ref ref, queue_done_fn *done,
                                 void *user, struct error *err) MUST_CHECK;
struct queue_call *queue_retry(struct queue *q, struct job_ref ref, const char *why,
                               const struct store_retry_policy *policy, queue_done_fn *done,
                               void *user, struct error *err) MUST_CHECK;
struct queue_call *queue_finish(struct queue *q, struct job_ref ref,
                                const struct job_result *result, queue_done_fn *done, void *user,
                                struct error *err) MUST_CHECK;
struct queue_call *queue_checkpoint(struct queue *q, struct job_ref ref,
                                    const struct job_step *step, queue_done_fn *done, void *user,
                                    struct error *err) MUST_CHECK;
struct queue_call *queue_steps(struct queue *q, const char *id, queue_done_fn *done, void *user,
                               struct error *err) MUST_CHECK;
struct queue_call *queue_set_issue(struct queue *q, struct job_ref ref,
                                   const struct job_issue *issue, queue_done_fn *done, void *user,
                                   struct error *err) MUST_CHECK;
struct queue_call *queue_set_playbook(struct queue *q, struct job_ref ref, const char *playbook,
                                      const char *hash, int64_t evaluated_ms, queue_done_fn *done,
                                      void *user, struct error *err) MUST_CHECK;
struct queue_call *queue_message_intend(struct queue *q, struct job_ref ref, const char *part,
                                        const char *channel, const char *thread_ts,
                                        int64_t timeout_ms, queue_done_fn *done, void *user,
                                        struct error *err) MUST_CHECK;
struct queue_call *queue_message_edit(struct queue *q, struct job_ref ref, const char *part,
                                      int64_t timeout_ms, queue_done_fn *done, void *user,
                                      struct error *err) MUST_CHECK;
struct queue_call *queue_message_sent(struct queue *q, struct job_ref ref, const char *part,
                                      const char *channel, const char *ts, const char *hash,
                                      bool root, queue_done_fn *done, void *user,
                                      struct error *err) MUST_CHECK;
struct queue_call *queue_message_unknown(struct queue *q, struct job_ref ref, const char *part,
                                         queue_done_fn *done, void *user,
                                         struct error *err) MUST_CHECK;
struct queue_call *queue_message_absent(struct queue *q, struct job_ref ref, const char *part,
                                        queue_done_fn *done, void *user,
                                        struct error *err) MUST_CHECK;
struct queue_call *queue_messages(struct queue *q, const char *id, queue_done_fn *done, void *user,
                                  struct error *err) MUST_CHECK;
struct queue_call *queue_cancel(struct queue *q, const char *id, const char *who,
                                queue_done_fn *done, void *user, struct error *err) MUST_CHECK;
struct queue_call *queue_requeue(struct queue *q, const char *id, enum requeue_steps steps,
                                 queue_done_fn *done, void *user, struct error *err) MUST_CHECK;
struct queue_call *queue_drop_response_url(struct queue *q, const char *id, queue_done_fn *done,
                                           void *user, struct error *err) MUST_CHECK;
struct queue_call *queue_get(struct queue *q, const char *id, queue_done_fn *done, void *user,
                             struct error *err) MUST_CHECK;
struct queue_call *queue_report(struct queue *q, const char *id, queue_done_fn *done, void *user,
                                struct error *err) MUST_CHECK;
struct queue_call *queue_attempts(struct queue *q, const char *id, queue_done_fn *done, void *user,
                                  struct error *err) MUST_CHECK;
struct queue_call *queue_list(struct queue *q, const struct store_filter *filter,
                              queue_done_fn *done, void *user, struct error *err) MUST_CHECK;
struct queue_call *queue_counts(struct queue *q, queue_done_fn *done, void *user,
                                struct error *err) MUST_CHECK;
struct queue_call *queue_position(struct queue *q, const char *id, queue_done_fn *done, void *user,
                                  struct error *err) MUST_CHECK;
struct queue_call *queue_seen_before(struct queue *q, const struct store_seen_query *query,
                                     queue_done_fn *done, void *user, struct error *err) MUST_CHECK;
struct queue_call *queue_feedback_put(struct queue *q, const struct job_feedback_new *feedback,
                                      queue_done_fn *done, void *user,
                                      struct error *err) MUST_CHECK;
struct queue_call *queue_feedback_list(struct queue *q, const char *job_id, queue_done_fn *done,
                                       void *user, struct error *err) MUST_CHECK;
/* `hash` runs on the store's thread: it and `hash_user` must not share anything with the loop. */
struct queue_call *queue_audit_append(struct queue *q, const char *payload,
                                      store_audit_hash_fn *hash, void *hash_user,
                                      queue_done_fn *done, void *user,
                                      struct error *err) MUST_CHECK;
/* store_audit_expire(), with the queue's own hash. */
struct queue_call *queue_audit_expire(struct queue *q, int64_t before_ms, queue_done_fn *done,
                                      void *user, struct error *err) MUST_CHECK;
struct queue_call *queue_audit_list(struct queue *q, int64_t from_seq, int64_t limit,
                                    queue_done_fn *done, void *user, struct error *err) MUST_CHECK;
struct queue_call *queue_setting_put(struct queue *q, const char *workspace, const char *key,
                                     const char *value, queue_done_fn *done, void *user,
                                     struct error *err) MUST_CHECK;
struct queue_call *queue_setting_get(struct queue *q, const char *workspace, const char *key,
                                     queue_done_fn *done, void *user, struct error *err) MUST_CHECK;
struct queue_call *queue_purge(struct queue *q, int64_t ended_before_ms, int64_t limit,
                               queue_done_fn *done, void *user, struct error *err) MUST_CHECK;

#define QUEUE_COMMIT_BUCKETS 10
struct queue_stats {
    uint64_t calls, commits, failures; /* calls answered, groups committed, calls failed */
    uint64_t largest_group;
    int64_t waiting;           /* calls not yet carried out */
    int64_t away_since_ms;     /* since when the store cannot work; TIME_UNKNOWN: it works */
    double commit_seconds_sum; /* of whole groups: statements and commit */
    uint64_t commit_buckets[QUEUE_COMMIT_BUCKETS]; /* at most queue_commit_bounds_ms[i]; not
                                                      cumulative; slower ones in none */
};
extern const double queue_commit_bounds_ms[QUEUE_COMMIT_BUCKETS];
void queue_get_stats(struct queue *q, struct queue_stats *ret);

#endif
