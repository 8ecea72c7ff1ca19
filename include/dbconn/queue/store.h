/*
 * store - jobs, checkpoints, messages, feedback and audit on disk, behind one contract.
 *
 * Opened by URL: "sqlite:PATH" (embedded) or "postgresql://..." (for replicas). Every function
 * blocks for a few indexed statements and is called from one thread at a time: the queue's store
 * thread (queue.h), or a command's main thread. A process that writes to SQLite outside the store
 * thread ignores SIGXFSZ, so that a file-size limit is an error and not its end.
 *
 * Results: -1 with `err` when the store failed (ERR_STORE; what happened and what to do), else an
 * enum store_outcome. Results leave through `ret_` parameters, untouched unless the outcome says
 * so.
 *
 * Each function is one transaction, durable when it returns, unless it is called between
 * store_begin() and store_commit(): then the commit makes them all durable together, and after
 * any -1 in between the caller must roll back.
 *
 * Delivery: a job is handed out at least once. Whoever claims it gets a lease and a fence token;
 * when the lease runs out it is offered again, here or to another replica, and the old token is no
 * longer current. Every function that takes a `struct job_ref` checks the token in the same
 * transaction and gives STORE_LEASE_LOST, having changed nothing, when it is not current.
 *
 * Clocks: `now_ms` comes from the caller. Replicas need clocks that agree within a small part of
 * the lease; when they do not, jobs change hands too early, but tokens keep them from colliding.
 */
#ifndef DBCONN_QUEUE_STORE_H
#define DBCONN_QUEUE_STORE_H

#include "dbconn/base/error.h"
#include "dbconn/queue/job.h"

#define STORE_MAX_KEYS 4                           /* dedupe keys of one job */
#define STORE_KEY_TTL_MS (15 * MINUTE_MS)          /* Slack delivers again for minutes */
#define STORE_RESPONSE_URL_TTL_MS (30 * MINUTE_MS) /* Slack honours it that long */
#define STORE_MAX_TEXT ((size_t)16 << 20)          /* bytes of one value */

enum store_outcome {
    STORE_OK,
    STORE_NONE,       /* no such thing: nothing due, no such job, no match */
    STORE_EXISTS,     /* there already: a dedupe key has a job, a part was posted */
    STORE_FULL,       /* the queue limit */
    STORE_LEASE_LOST, /* somebody else has the job, or it ended */
    STORE_UNRESOLVED, /* an earlier post of this part may have landed: look for it first */
    STORE_REFUSED,    /* not in the state that this needs */
};
const char *store_outcome_name(enum store_outcome outcome);

struct store; /* opaque */

struct store_options {
    int64_t busy_ms; /* how long one statement may wait for locks or the server; 0: 1,500 */
};

/*
 * Opens `url` and brings its tables up to date. The caller owns *ret (store_close()).
 * Errors: ERR_CONFIG for an unknown scheme, otherwise ERR_STORE: not reachable, not writable, made
 * by a newer version, not a database, damaged. The SQLite file gets mode 0600; PostgreSQL's tables
 * stand in a schema `dbconn`.
 */
int store_open(const char *url, const struct store_options *options, struct store **ret,
               struct error *err) MUST_CHECK;
void store_close(struct store *st);           /* rolls back what is open; NULL is fine */
bool store_is_shared(const struct store *st); /* other processes may run jobs from it */

/* Groups what follows into one durable commit. `write` false: for reading only. */
int store_begin(struct store *st, bool write, struct error *err) MUST_CHECK;
int store_commit(struct store *st, struct error *err) MUST_CHECK;
void store_rollback(struct store *st);

/* How the last -1 may be taken. */
enum store_fault {
    STORE_FAULT_REQUEST,  /* this request cannot be stored; others can */
    STORE_FAULT_CONFLICT, /* collided with another writer: do it again at once */
    STORE_FAULT_AWAY,     /* the store cannot work now (gone, full, read-only): again later */
};
enum store_fault store_last_fault(const struct store *st);

/* For who waits on the store's thread: a socket that gets readable when another process has news
 * (-1: none), and what to do then or when the time given last has passed. Reconnects with growing
 * pauses. *ret_news: jobs may be due. Returns ms until it wants to be called again, -1 for never.
 */
int store_wait_fd(const struct store *st);
int64_t store_idle(struct store *st, int64_t now_mono_ms, bool *ret_news);

/* Did what was committed since the last call make jobs due? For who waits in this process. */
bool store_take_news(struct store *st);

/* ---- taking work in ---- */

/*
 * Creates the job, or finds the one that any of `keys` (at most STORE_MAX_KEYS; scoped by the
 * caller, "trigger:T123...") made within STORE_KEY_TTL_MS. `ret_id` holds JOB_ID_LEN + 1 bytes.
 * OK: created; EXISTS: *ret_id is the earlier job's; FULL: `max_queued` (0: no limit) wait already.
 */
int store_enqueue(struct store *st, const struct job_new *job, const char *const *keys,
                  size_t n_keys, int64_t max_queued, int64_t now_ms, char *ret_id,
                  struct error *err) MUST_CHECK;

/* ---- handing it out ---- */

/* The first repetition is at once, since a process that ended is rarely the job's fault; then
 * after base, 2 * base, ... up to max. */
struct store_retry_policy {
    int64_t max_attempts;    /* 0: 5 */
    int64_t backoff_base_ms; /* 0: 2 s */
    int64_t backoff_max_ms;  /* 0: 5 min */
};
int64_t store_backoff_ms(const struct store_retry_policy *policy, int64_t attempts);

/*
 * Leases the next due job to `owner` until now + lease_ms. Jobs whose lease ran out are put back
 * first. The attempt is counted before this returns. NONE: nothing is due. A job in state DEAD is
 * handed out only to be announced: say so, then store_finish() it as DEAD.
 */
int store_claim(struct store *st, const char *owner, int64_t lease_ms,
                const struct store_retry_policy *policy, int64_t now_ms, struct job *ret_job,
                struct error *err) MUST_CHECK;

/* At the start of a process that is the only one to run jobs from a SQLite store: ends all leases,
 * which belong to its predecessor, so that their jobs go on at once. *ret_n: how many. REFUSED when
 * another live process holds the store, and always with PostgreSQL, where leases run out. */
int store_adopt(struct store *st, const struct store_retry_policy *policy, int64_t now_ms,
                int64_t *ret_n, struct error *err) MUST_CHECK;

/* Renews the lease. *ret_cancel (may be NULL): somebody asked to cancel the job. */
int store_heartbeat(struct store *st, struct job_ref ref, int64_t lease_ms, int64_t now_ms,
                    bool *ret_cancel, struct error *err) MUST_CHECK;
/* Hands the job over: due again at once, the attempt does not count against it. */
int store_release(struct store *st, struct job_ref ref, int64_t now_ms,
                  struct error *err) MUST_CHECK;
/* The attempt failed in a way that may pass: again after the back-off, or dead with `why`. */
int store_retry(struct store *st, struct job_ref ref, const char *why,
                const struct store_retry_policy *policy, int64_t now_ms,
                struct error *err) MUST_CHECK;
int store_finish(struct store *st, struct job_ref ref, const struct job_result *result,
                 int64_t now_ms, struct error *err) MUST_CHECK;

/* ---- while it runs ---- */

/* Saves a step's outcome (a second one for the same step replaces it). */
int store_checkpoint(struct store *st, struct job_ref ref, const struct job_step *step,
                     int64_t now_ms, struct error *err) MUST_CHECK;
int store_steps(struct store *st, const char *id, struct job_step_list *ret,
                struct error *err) MUST_CHECK; /* in the playbook's order */

/*
 * Says which issue the job is about, once that is known. When other jobs said so before for the
 * same organisation and id, and live or have become done since this one was enqueued, the outcome
 * is EXISTS and *ret_earlier (ended with job_list_clear()) holds them, the first one first, at most
 * 20. Of any number of jobs about one issue exactly one gets OK, also at the same moment on
 * different replicas. The identity is kept in both cases.
 */
int store_set_issue(struct store *st, struct job_ref ref, const struct job_issue *issue,
                    int64_t now_ms, struct job_list *ret_earlier, struct error *err) MUST_CHECK;
/* The version that a job is to end with, when it was not known at enqueue or is gone. */
int store_set_playbook(struct store *st, struct job_ref ref, const char *playbook, const char *hash,
                       int64_t evaluated_ms, int64_t now_ms, struct error *err) MUST_CHECK;

/*
 * Committed before a message is posted. `timeout_ms`: how long the call may take to have its effect
 * once it is sent; who takes the job over waits for that (lands_until_ms) before it looks.
 * OK: post it now (and only while the lease is held: scheduler_may_post()). EXISTS: this part was
 * posted; UNRESOLVED: it may have been, by an earlier attempt; *ret_message (may be NULL) tells.
 * Then find it, and say store_message_sent() or store_message_absent().
 */
int store_message_intend(struct store *st, struct job_ref ref, const char *part,
                         const char *channel, const char *thread_ts, int64_t timeout_ms,
                         int64_t now_ms, struct job_message *ret_message,
                         struct error *err) MUST_CHECK;
/* Committed before a message that was posted is edited, for the same reason: until
 * store_message_sent() its content is not known (hash NULL), and what is sent may land until
 * lands_until_ms. NONE: no such message was posted. */
int store_message_edit(struct store *st, struct job_ref ref, const char *part, int64_t timeout_ms,
                       int64_t now_ms, struct error *err) MUST_CHECK;
/* Posted, found, or edited: its ts and the hash of the content it has now. `channel` NULL: as
 * intended. With `root`, the ts becomes the job's thread_ts. */
int store_message_sent(struct store *st, struct job_ref ref, const char *part, const char *channel,
                       const char *ts, const char *hash, bool root, int64_t now_ms,
                       struct error *err) MUST_CHECK;
int store_message_unknown(struct store *st, struct job_ref ref, const char *part, int64_t now_ms,
                          struct error *err) MUST_CHECK;
int store_message_absent(struct store *st, struct job_ref ref, const char *part, int64_t now_ms,
                         struct error *err) MUST_CHECK;
int store_messages(struct store *st, const char *id, struct job_message_list *ret,
                   struct error *err) MUST_CHECK; /* in the order of intent */
void job_message_clear(struct job_message *message);

/* ---- from outside the job ---- */

/* Asks to cancel. A waiting job is handed out next, so that its thread can say so; a running one
 * learns it with its heartbeat. NONE: no such job; REFUSED: it has ended; EXISTS: asked before. */
int store_cancel(struct store *st, const char *id, const char *who, int64_t now_ms,
                 struct error *err) MUST_CHECK;

enum requeue_steps {
    REQUEUE_KEEP_ALL,  /* go on where it stopped */
    REQUEUE_KEEP_GOOD, /* ask again what failed or was partial */
    REQUEUE_FRESH,     /* ask everything again */
};
/* An ended job again, with all its attempts. REFUSED while it waits or runs. */
int store_requeue(struct store *st, const char *id, enum requeue_steps steps, int64_t now_ms,
                  struct error *err) MUST_CHECK;
int store_drop_response_url(struct store *st, const char *id, struct error *err) MUST_CHECK;

/* ---- looking ---- */

int store_get(struct store *st, const char *id, struct job *ret_job, struct error *err) MUST_CHECK;
/* Heap strings, NULL when there is none. */
int store_report(struct store *st, const char *id, char **ret_report, char **ret_evidence,
                 struct error *err) MUST_CHECK;
int store_attempts(struct store *st, const char *id, struct job_attempt_list *ret,
                   struct error *err) MUST_CHECK;

struct store_filter {
    unsigned states;       /* bits 1u << JOB_...; 0: all */
    const char *workspace; /* NULL: any, as below */
    const char *issue;     /* short id, numeric id or as typed; ASCII case does not count */
    const char *host;      /* the target's */
    int64_t before_seq;    /* continue a list: the last seq seen; 0: from the newest */
    int64_t limit;         /* 0: 50 */
};
/* Newest first; waiting jobs, when only those are asked for, in the order they will run. */
int store_list(struct store *st, const struct store_filter *filter, struct job_list *ret,
               struct error *err) MUST_CHECK;

struct store_counts {
    int64_t by_state[JOB_STATE_COUNT];
    int64_t oldest_queued_ms; /* when the oldest waiting job arrived, or TIME_UNKNOWN */
};
int store_counts(struct store *st, struct store_counts *ret, struct error *err) MUST_CHECK;
/* *ret_ahead: how many waiting jobs go before this one. REFUSED when it does not wait. */
int store_position(struct store *st, const char *id, int64_t *ret_ahead,
                   struct error *err) MUST_CHECK;

/* The same for the job of this priority that came last. Cheap after store_enqueue() in a group,
 * which counts the queue once. */
int store_last_place(struct store *st, int priority, int64_t *ret_ahead,
                     struct error *err) MUST_CHECK;

/* What was diagnosed from `since_ms` until before `until_ms` (0: no limit): the latest done job of
 * the same issue, or else with the same fingerprint, or else with the same target. Members may be
 * NULL. */
struct store_seen_query {
    const char *except_id; /* the job that asks */
    const char *workspace;
    const char *issue_org, *issue_id;
    const char *fingerprint;
    const char *target_host, *target_port;
    int64_t since_ms, until_ms;
};
enum seen_by { SEEN_BY_ISSUE, SEEN_BY_FINGERPRINT, SEEN_BY_TARGET };
struct store_seen {
    enum seen_by by;
    struct job job;
    int64_t right, wrong; /* how many people said so */
};
void store_seen_clear(struct store_seen *seen);
int store_seen_before(struct store *st, const struct store_seen_query *query,
                      struct store_seen *ret, struct error *err) MUST_CHECK;
/* Was this address a diagnosed target since `since_ms`? OK or NONE. */
int store_target_seen(struct store *st, const char *host, const char *port, int64_t since_ms,
                      struct error *err) MUST_CHECK;

/* ---- feedback, audit, settings ---- */

int store_feedback_put(struct store *st, const struct job_feedback_new *feedback, int64_t now_ms,
                       struct error *err) MUST_CHECK; /* NONE: no such job */
/* Oldest first; `job_id` NULL: of all jobs. */
int store_feedback_list(struct store *st, const char *job_id, struct job_feedback_list *ret,
                        struct error *err) MUST_CHECK;

/* Appends to `ret_hash` the keyed hash over the entry and its predecessor's hash ("" for the
 * first). Called on the store's thread, inside the transaction. */
typedef void store_audit_hash_fn(void *user, const struct audit_entry *entry, struct buf *ret_hash);
/* Entries of all replicas form one chain. *ret_seq may be NULL. */
int store_audit_append(struct store *st, const char *payload, int64_t now_ms,
                       store_audit_hash_fn *hash, void *user, int64_t *ret_seq,
                       struct error *err) MUST_CHECK;
int store_audit_list(struct store *st, int64_t from_seq, int64_t limit, struct audit_list *ret,
                     struct error *err) MUST_CHECK; /* oldest first; from_seq -1: only the newest */
/* Removes the entries before `before_ms`, having appended one that says so in the chain: event
 * AUDIT_PURGED (audit.h), "before" (the oldest one left), "entries", "last_hash". *ret_n: how many;
 * 0: nothing was that old. At most 100,000 at a time. */
int store_audit_expire(struct store *st, int64_t before_ms, int64_t now_ms,
                       store_audit_hash_fn *hash, void *user, int64_t *ret_n,
                       struct error *err) MUST_CHECK;
/* Removes entries before `seq`; the caller has appended a signed marker that says so. */
int store_audit_purge(struct store *st, int64_t before_seq, int64_t *ret_n,
                      struct error *err) MUST_CHECK;

/* Small facts per workspace, such as "refuses plan blocks". NULL value: removed. */
int store_setting_put(struct store *st, const char *workspace, const char *key, const char *value,
                      int64_t now_ms, struct error *err) MUST_CHECK;
int store_setting_get(struct store *st, const char *workspace, const char *key, char **ret_value,
                      struct error *err) MUST_CHECK; /* heap; NONE: not set */

/* ---- upkeep ---- */

/*
 * Removes at most `limit` jobs that ended before `ended_before_ms` with all that belongs to them
 * (feedback stays, without the person), and dedupe keys and response URLs whose time is over. Jobs
 * that a dedupe key may still name are kept. *ret_n: jobs removed; call again while it is `limit`.
 */
int store_purge(struct store *st, int64_t ended_before_ms, int64_t limit, int64_t now_ms,
                int64_t *ret_n, struct error *err) MUST_CHECK;
/* Reads the whole database. OK, or -1 saying what is damaged and what to do. */
int store_check(struct store *st, struct error *err) MUST_CHECK;
/* SQLite: a consistent copy at `path` (must not exist; mode 0600) while others go on writing.
 * PostgreSQL: -1 with ERR_CONFIG that names pg_dump. */
int store_backup(struct store *st, const char *path, struct error *err) MUST_CHECK;

#endif
