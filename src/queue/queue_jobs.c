/* The calls that move jobs: enqueue, claim, leases, how they end, cancel and requeue. */
#include "queue_priv.h"

#include <assert.h>
#include <string.h>

#include "dbconn/queue/audit.h"

/* ---- enqueue ---- */

/* What was asked and what came of it, in the commit that made it so. A second delivery is the same
 * wish once more. */
static int audit_enqueue(struct store *st, struct queue_call *c, int outcome, struct error *err)
{
    bool taken = outcome == STORE_OK;

    if (!c->args.hash || !c->args.u.job.audit || (!taken && outcome != STORE_FULL))
        return outcome;
    char *payload = audit_payload_add(c->args.u.job.audit, taken ? "taken" : "queue full",
                                      taken ? c->out.id : NULL);
    int rc = store_audit_append(st, payload, c->now_ms, c->args.hash, c->args.hash_user, NULL, err);
    free(payload);
    return rc < 0 ? -1 : outcome;
}

static int run_enqueue(struct store *st, struct queue_call *c, struct error *err)
{
    int rc = store_enqueue(st, &c->args.u.job, c->args.keys, c->args.n_keys, c->args.number[0],
                           c->now_ms, c->out.id, err);

    /* Whoever waits is told its place; asked here, it costs no commit of its own. */
    if (rc == STORE_OK && store_last_place(st, c->args.u.job.priority, &c->out.number, err) < 0)
        return -1;
    return audit_enqueue(st, c, rc, err);
}

static void keep_job(struct queue_call *c, const struct job_new *job)
{
    struct job_new *to = &c->args.u.job;

    *to = *job;
    to->source = call_keep(c, job->source);
    to->workspace = call_keep(c, job->workspace);
    to->channel = call_keep(c, job->channel);
    to->requester = call_keep(c, job->requester);
    to->thread_ts = call_keep(c, job->thread_ts);
    to->issue_ref = call_keep(c, job->issue_ref);
    to->request = call_keep(c, job->request);
    to->playbook = call_keep(c, job->playbook);
    to->playbook_hash = call_keep(c, job->playbook_hash);
    to->parent_id = call_keep(c, job->parent_id);
    to->response_url = call_keep(c, job->response_url);
    to->audit = call_keep(c, job->audit);
}

struct queue_call *queue_enqueue(struct queue *q, const struct job_new *job,
                                 const char *const *keys, size_t n_keys, queue_done_fn *done,
                                 void *user, struct error *err)
{
    static const struct queue_op op = { "store a job", true, false, run_enqueue, NULL };
    struct queue_call *c = call_new(q, &op, done, user, err);
    char id[JOB_ID_LEN + 1];

    if (!c)
        return NULL;
    assert(n_keys <= STORE_MAX_KEYS);
    keep_job(c, job);
    /* The id is made here, so that a commit whose answer got lost can be repeated. */
    if (!job->id)
        job_id_make(queue_now_ms(q), id);
    c->args.u.job.id = call_keep(c, job->id ? job->id : id);
    for (size_t i = 0; i < n_keys; i++)
        c->args.keys[i] = call_keep(c, keys[i]);
    c->args.n_keys = n_keys;
    c->args.number[0] = queue_limit(q);
    c->args.hash = queue_audit_hash(q, &c->args.hash_user);
    return call_start(c);
}

/* ---- claim and adopt ---- */

static int run_claim(struct store *st, struct queue_call *c, struct error *err)
{
    return store_claim(st, c->args.text[0], c->args.number[0], &c->args.policy, c->now_ms,
                       &c->out.job, err);
}

/* A job claimed for nobody would wait for its lease to run out; so it does when this fails. */
static void undo_claim(struct store *st, const struct queue_call *c)
{
    struct job_ref ref = { c->out.job.id, c->out.job.fence };

    (void)!store_release(st, ref, c->now_ms, NULL);
}

struct queue_call *queue_claim(struct queue *q, const char *owner, int64_t lease_ms,
                               const struct store_retry_policy *policy, queue_done_fn *done,
                               void *user, struct error *err)
{
    static const struct queue_op op = { "claim a job", true, false, run_claim, undo_claim };
    struct queue_call *c = call_new(q, &op, done, user, err);

    if (!c)
        return NULL;
    c->args.text[0] = call_keep(c, owner);
    c->args.number[0] = lease_ms;
    if (policy)
        c->args.policy = *policy;
    return call_start(c);
}

static int run_adopt(struct store *st, struct queue_call *c, struct error *err)
{
    return store_adopt(st, &c->args.policy, c->now_ms, &c->out.number, err);
}

struct queue_call *queue_adopt(struct queue *q, const struct store_retry_policy *policy,
                               queue_done_fn *done, void *user, struct error *err)
{
    static const struct queue_op op = { "take over running jobs", true, false, run_adopt, NULL };
    struct queue_call *c = call_new(q, &op, done, user, err);

    if (!c)
        return NULL;
    if (policy)
        c->args.policy = *policy;
    return call_start(c);
}

/* ---- leases ---- */

static struct queue_call *new_with_ref(struct queue *q, const struct queue_op *op,
                                       struct job_ref ref, queue_done_fn *done, void *user,
                                       struct error *err)
{
    struct queue_call *c = call_new(q, op, done, user, err);

    if (c)
        c->args.ref = call_keep_ref(c, ref);
    return c;
}

static int run_heartbeat(struct store *st, struct queue_call *c, struct error *err)
{
    return store_heartbeat(st, c->args.ref, c->args.number[0], c->now_ms, &c->out.cancel, err);
}

struct queue_call *queue_heartbeat(struct queue *q, struct job_ref ref, int64_t lease_ms,
                                   queue_done_fn *done, void *user, struct error *err)
{
    static const struct queue_op op = { "renew a lease", true, false, run_heartbeat, NULL };
    struct queue_call *c = new_with_ref(q, &op, ref, done, user, err);

    if (!c)
        return NULL;
    c->args.number[0] = lease_ms;
    return call_start(c);
}

static int run_release(struct store *st, struct queue_call *c, struct error *err)
{
    return store_release(st, c->args.ref, c->now_ms, err);
}

struct queue_call *queue_release(struct queue *q, struct job_ref ref, queue_done_fn *done,
                                 void *user, struct error *err)
{
    static const struct queue_op op = { "hand a job over", true, true, run_release, NULL };
    struct queue_call *c = new_with_ref(q, &op, ref, done, user, err);

    return c ? call_start(c) : NULL;
}

static int run_retry(struct store *st, struct queue_call *c, struct error *err)
{
    return store_retry(st, c->args.ref, c->args.text[0], &c->args.policy, c->now_ms, err);
}

struct queue_call *queue_retry(struct queue *q, struct job_ref ref, const char *why,
                               const struct store_retry_policy *policy, queue_done_fn *done,
                               void *user, struct error *err)
{
    static const struct queue_op op = { "put a job back", true, true, run_retry, NULL };
    struct queue_call *c = new_with_ref(q, &op, ref, done, user, err);

    if (!c)
        return NULL;
    c->args.text[0] = call_keep(c, why);
    if (policy)
        c->args.policy = *policy;
    return call_start(c);
}

/* ---- how it ends ---- */

static int run_finish(struct store *st, struct queue_call *c, struct error *err)
{
    return store_finish(st, c->args.ref, &c->args.u.result, c->now_ms, err);
}

struct queue_call *queue_finish(struct queue *q, struct job_ref ref,
                                const struct job_result *result, queue_done_fn *done, void *user,
                                struct error *err)
{
    static const struct queue_op op = { "store the end of a job", true, true, run_finish, NULL };
    struct queue_call *c = new_with_ref(q, &op, ref, done, user, err);

    if (!c)
        return NULL;
    c->args.u.result = (struct job_result){
        .state = result->state,
        .error = call_keep(c, result->error),
        .report = call_keep(c, result->report),
        .evidence = call_keep(c, result->evidence),
        .cause = call_keep(c, result->cause),
        .confidence = call_keep(c, result->confidence),
        .summary = call_keep(c, result->summary),
        .target_host = call_keep(c, result->target_host),
        .target_port = call_keep(c, result->target_port),
        .fingerprint = call_keep(c, result->fingerprint),
    };
    return call_start(c);
}

/* ---- from outside the job ---- */

static struct queue_call *new_with_id(struct queue *q, const struct queue_op *op, const char *id,
                                      queue_done_fn *done, void *user, struct error *err)
{
    struct queue_call *c = call_new(q, op, done, user, err);

    if (c)
        c->args.id = call_keep(c, id);
    return c;
}

static int run_cancel(struct store *st, struct queue_call *c, struct error *err)
{
    return store_cancel(st, c->args.id, c->args.text[0], c->now_ms, err);
}

struct queue_call *queue_cancel(struct queue *q, const char *id, const char *who,
                                queue_done_fn *done, void *user, struct error *err)
{
    static const struct queue_op op = { "cancel a job", true, false, run_cancel, NULL };
    struct queue_call *c = new_with_id(q, &op, id, done, user, err);

    if (!c)
        return NULL;
    c->args.text[0] = call_keep(c, who);
    return call_start(c);
}

static int run_requeue(struct store *st, struct queue_call *c, struct error *err)
{
    return store_requeue(st, c->args.id, c->args.u.steps, c->now_ms, err);
}

struct queue_call *queue_requeue(struct queue *q, const char *id, enum requeue_steps steps,
                                 queue_done_fn *done, void *user, struct error *err)
{
    static const struct queue_op op = { "queue a job again", true, false, run_requeue, NULL };
    struct queue_call *c = new_with_id(q, &op, id, done, user, err);

    if (!c)
        return NULL;
    c->args.u.steps = steps;
    return call_start(c);
}

static int run_drop_url(struct store *st, struct queue_call *c, struct error *err)
{
    return store_drop_response_url(st, c->args.id, err);
}

struct queue_call *queue_drop_response_url(struct queue *q, const char *id, queue_done_fn *done,
                                           void *user, struct error *err)
{
    static const struct queue_op op = { "forget a response URL", true, true, run_drop_url, NULL };
    struct queue_call *c = new_with_id(q, &op, id, done, user, err);

    return c ? call_start(c) : NULL;
}

static int run_purge(struct store *st, struct queue_call *c, struct error *err)
{
    return store_purge(st, c->args.number[0], c->args.number[1], c->now_ms, &c->out.number, err);
}

struct queue_call *queue_purge(struct queue *q, int64_t ended_before_ms, int64_t limit,
                               queue_done_fn *done, void *user, struct error *err)
{
    static const struct queue_op op = { "purge jobs", true, false, run_purge, NULL };
    struct queue_call *c = call_new(q, &op, done, user, err);

    if (!c)
        return NULL;
    c->args.number[0] = ended_before_ms;
    c->args.number[1] = limit;
    return call_start(c);
}
