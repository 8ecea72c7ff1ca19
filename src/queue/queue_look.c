/* The calls that look, and those for feedback, audit and settings. */
#include "queue_priv.h"

static struct queue_call *start_with_id(struct queue *q, const struct queue_op *op, const char *id,
                                        queue_done_fn *done, void *user, struct error *err)
{
    struct queue_call *c = call_new(q, op, done, user, err);

    if (!c)
        return NULL;
    c->args.id = call_keep(c, id);
    return call_start(c);
}

/* ---- one job ---- */

static int run_steps(struct store *st, struct queue_call *c, struct error *err)
{
    return store_steps(st, c->args.id, &c->out.steps, err);
}

struct queue_call *queue_steps(struct queue *q, const char *id, queue_done_fn *done, void *user,
                               struct error *err)
{
    static const struct queue_op op = { "read the steps of a job", false, false, run_steps, NULL };

    return start_with_id(q, &op, id, done, user, err);
}

static int run_messages(struct store *st, struct queue_call *c, struct error *err)
{
    return store_messages(st, c->args.id, &c->out.messages, err);
}

struct queue_call *queue_messages(struct queue *q, const char *id, queue_done_fn *done, void *user,
                                  struct error *err)
{
    static const struct queue_op op = { "read the messages of a job", false, false, run_messages,
                                        NULL };

    return start_with_id(q, &op, id, done, user, err);
}

static int run_get(struct store *st, struct queue_call *c, struct error *err)
{
    return store_get(st, c->args.id, &c->out.job, err);
}

struct queue_call *queue_get(struct queue *q, const char *id, queue_done_fn *done, void *user,
                             struct error *err)
{
    static const struct queue_op op = { "read a job", false, false, run_get, NULL };

    return start_with_id(q, &op, id, done, user, err);
}

static int run_report(struct store *st, struct queue_call *c, struct error *err)
{
    return store_report(st, c->args.id, &c->out.report, &c->out.evidence, err);
}

struct queue_call *queue_report(struct queue *q, const char *id, queue_done_fn *done, void *user,
                                struct error *err)
{
    static const struct queue_op op = { "read a report", false, false, run_report, NULL };

    return start_with_id(q, &op, id, done, user, err);
}

static int run_attempts(struct store *st, struct queue_call *c, struct error *err)
{
    return store_attempts(st, c->args.id, &c->out.attempts, err);
}

struct queue_call *queue_attempts(struct queue *q, const char *id, queue_done_fn *done, void *user,
                                  struct error *err)
{
    static const struct queue_op op = { "read the attempts of a job", false, false, run_attempts,
                                        NULL };

    return start_with_id(q, &op, id, done, user, err);
}

static int run_position(struct store *st, struct queue_call *c, struct error *err)
{
    return store_position(st, c->args.id, &c->out.number, err);
}

struct queue_call *queue_position(struct queue *q, const char *id, queue_done_fn *done, void *user,
                                  struct error *err)
{
    static const struct queue_op op = { "look up a place in the queue", false, false, run_position,
                                        NULL };

    return start_with_id(q, &op, id, done, user, err);
}

/* ---- many jobs ---- */

static int run_list(struct store *st, struct queue_call *c, struct error *err)
{
    return store_list(st, &c->args.u.filter, &c->out.jobs, err);
}

struct queue_call *queue_list(struct queue *q, const struct store_filter *filter,
                              queue_done_fn *done, void *user, struct error *err)
{
    static const struct queue_op op = { "list jobs", false, false, run_list, NULL };
    struct queue_call *c = call_new(q, &op, done, user, err);

    if (!c)
        return NULL;
    c->args.u.filter = *filter;
    c->args.u.filter.workspace = call_keep(c, filter->workspace);
    c->args.u.filter.issue = call_keep(c, filter->issue);
    c->args.u.filter.host = call_keep(c, filter->host);
    return call_start(c);
}

static int run_counts(struct store *st, struct queue_call *c, struct error *err)
{
    return store_counts(st, &c->out.counts, err);
}

struct queue_call *queue_counts(struct queue *q, queue_done_fn *done, void *user, struct error *err)
{
    static const struct queue_op op = { "count jobs", false, false, run_counts, NULL };

    return start_with_id(q, &op, NULL, done, user, err);
}

static int run_seen(struct store *st, struct queue_call *c, struct error *err)
{
    return store_seen_before(st, &c->args.u.seen, &c->out.seen, err);
}

struct queue_call *queue_seen_before(struct queue *q, const struct store_seen_query *query,
                                     queue_done_fn *done, void *user, struct error *err)
{
    static const struct queue_op op = { "look for earlier diagnoses", false, false, run_seen,
                                        NULL };
    struct queue_call *c = call_new(q, &op, done, user, err);

    if (!c)
        return NULL;
    c->args.u.seen = (struct store_seen_query){
        .except_id = call_keep(c, query->except_id),
        .workspace = call_keep(c, query->workspace),
        .issue_org = call_keep(c, query->issue_org),
        .issue_id = call_keep(c, query->issue_id),
        .fingerprint = call_keep(c, query->fingerprint),
        .target_host = call_keep(c, query->target_host),
        .target_port = call_keep(c, query->target_port),
        .since_ms = query->since_ms,
        .until_ms = query->until_ms,
    };
    return call_start(c);
}

/* ---- feedback ---- */

static int run_feedback_put(struct store *st, struct queue_call *c, struct error *err)
{
    return store_feedback_put(st, &c->args.u.feedback, c->now_ms, err);
}

struct queue_call *queue_feedback_put(struct queue *q, const struct job_feedback_new *feedback,
                                      queue_done_fn *done, void *user, struct error *err)
{
    static const struct queue_op op = { "store feedback", true, false, run_feedback_put, NULL };
    struct queue_call *c = call_new(q, &op, done, user, err);

    if (!c)
        return NULL;
    c->args.u.feedback = (struct job_feedback_new){
        .job_id = call_keep(c, feedback->job_id),
        .workspace = call_keep(c, feedback->workspace),
        .person = call_keep(c, feedback->person),
        .verdict = call_keep(c, feedback->verdict),
        .real_cause = call_keep(c, feedback->real_cause),
        .note = call_keep(c, feedback->note),
    };
    return call_start(c);
}

static int run_feedback_list(struct store *st, struct queue_call *c, struct error *err)
{
    return store_feedback_list(st, c->args.id, &c->out.feedback, err);
}

struct queue_call *queue_feedback_list(struct queue *q, const char *job_id, queue_done_fn *done,
                                       void *user, struct error *err)
{
    static const struct queue_op op = { "read feedback", false, false, run_feedback_list, NULL };

    return start_with_id(q, &op, job_id, done, user, err);
}

/* ---- audit ---- */

static int run_audit_append(struct store *st, struct queue_call *c, struct error *err)
{
    return store_audit_append(st, c->args.text[0], c->now_ms, c->args.hash, c->args.hash_user,
                              &c->out.number, err);
}

struct queue_call *queue_audit_append(struct queue *q, const char *payload,
                                      store_audit_hash_fn *hash, void *hash_user,
                                      queue_done_fn *done, void *user, struct error *err)
{
    static const struct queue_op op = { "append to the audit log", true, true, run_audit_append,
                                        NULL };
    struct queue_call *c = call_new(q, &op, done, user, err);

    if (!c)
        return NULL;
    c->args.text[0] = call_keep(c, payload);
    c->args.hash = hash;
    c->args.hash_user = hash_user;
    return call_start(c);
}

static int run_audit_expire(struct store *st, struct queue_call *c, struct error *err)
{
    return store_audit_expire(st, c->args.number[0], c->now_ms, c->args.hash, c->args.hash_user,
                              &c->out.number, err);
}

struct queue_call *queue_audit_expire(struct queue *q, int64_t before_ms, queue_done_fn *done,
                                      void *user, struct error *err)
{
    static const struct queue_op op = { "purge the audit log", true, false, run_audit_expire,
                                        NULL };
    struct queue_call *c = call_new(q, &op, done, user, err);

    if (!c)
        return NULL;
    c->args.number[0] = before_ms;
    c->args.hash = queue_audit_hash(q, &c->args.hash_user);
    return call_start(c);
}

static int run_audit_list(struct store *st, struct queue_call *c, struct error *err)
{
    return store_audit_list(st, c->args.number[0], c->args.number[1], &c->out.audit, err);
}

struct queue_call *queue_audit_list(struct queue *q, int64_t from_seq, int64_t limit,
                                    queue_done_fn *done, void *user, struct error *err)
{
    static const struct queue_op op = { "read the audit log", false, false, run_audit_list, NULL };
    struct queue_call *c = call_new(q, &op, done, user, err);

    if (!c)
        return NULL;
    c->args.number[0] = from_seq;
    c->args.number[1] = limit;
    return call_start(c);
}

/* ---- settings ---- */

static int run_setting_put(struct store *st, struct queue_call *c, struct error *err)
{
    const char *const *t = c->args.text;

    return store_setting_put(st, t[0], t[1], t[2], c->now_ms, err);
}

struct queue_call *queue_setting_put(struct queue *q, const char *workspace, const char *key,
                                     const char *value, queue_done_fn *done, void *user,
                                     struct error *err)
{
    static const struct queue_op op = { "store a setting", true, false, run_setting_put, NULL };
    struct queue_call *c = call_new(q, &op, done, user, err);

    if (!c)
        return NULL;
    c->args.text[0] = call_keep(c, workspace);
    c->args.text[1] = call_keep(c, key);
    c->args.text[2] = call_keep(c, value);
    return call_start(c);
}

static int run_setting_get(struct store *st, struct queue_call *c, struct error *err)
{
    return store_setting_get(st, c->args.text[0], c->args.text[1], &c->out.value, err);
}

struct queue_call *queue_setting_get(struct queue *q, const char *workspace, const char *key,
                                     queue_done_fn *done, void *user, struct error *err)
{
    static const struct queue_op op = { "read a setting", false, false, run_setting_get, NULL };
    struct queue_call *c = call_new(q, &op, done, user, err);

    if (!c)
        return NULL;
    c->args.text[0] = call_keep(c, workspace);
    c->args.text[1] = call_keep(c, key);
    return call_start(c);
}
