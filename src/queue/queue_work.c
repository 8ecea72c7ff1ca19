/* The calls of a running job: checkpoints, its issue and playbook, the messages it posts. */
#include "queue_priv.h"

static struct queue_call *new_with_ref(struct queue *q, const struct queue_op *op,
                                       struct job_ref ref, queue_done_fn *done, void *user,
                                       struct error *err)
{
    struct queue_call *c = call_new(q, op, done, user, err);

    if (c)
        c->args.ref = call_keep_ref(c, ref);
    return c;
}

static int run_checkpoint(struct store *st, struct queue_call *c, struct error *err)
{
    return store_checkpoint(st, c->args.ref, &c->args.u.step, c->now_ms, err);
}

struct queue_call *queue_checkpoint(struct queue *q, struct job_ref ref,
                                    const struct job_step *step, queue_done_fn *done, void *user,
                                    struct error *err)
{
    static const struct queue_op op = { "store a step", true, true, run_checkpoint, NULL };
    struct queue_call *c = new_with_ref(q, &op, ref, done, user, err);

    if (!c)
        return NULL;
    c->args.u.step = (struct job_step){
        .step_id = call_keep(c, step->step_id),
        .number = step->number,
        .status = call_keep(c, step->status),
        .data = call_keep(c, step->data),
    };
    return call_start(c);
}

static int run_set_issue(struct store *st, struct queue_call *c, struct error *err)
{
    int rc = store_set_issue(st, c->args.ref, &c->args.u.issue, c->now_ms, &c->out.jobs, err);

    if (rc == STORE_EXISTS)
        job_copy(&c->out.job, &c->out.jobs.items[0]);
    return rc;
}

struct queue_call *queue_set_issue(struct queue *q, struct job_ref ref,
                                   const struct job_issue *issue, queue_done_fn *done, void *user,
                                   struct error *err)
{
    static const struct queue_op op = { "store which issue a job is about", true, true,
                                        run_set_issue, NULL };
    struct queue_call *c = new_with_ref(q, &op, ref, done, user, err);

    if (!c)
        return NULL;
    c->args.u.issue = (struct job_issue){
        .org = call_keep(c, issue->org),
        .id = call_keep(c, issue->id),
        .short_id = call_keep(c, issue->short_id),
        .title = call_keep(c, issue->title),
        .url = call_keep(c, issue->url),
    };
    return call_start(c);
}

static int run_set_playbook(struct store *st, struct queue_call *c, struct error *err)
{
    return store_set_playbook(st, c->args.ref, c->args.text[0], c->args.text[1], c->args.number[0],
                              c->now_ms, err);
}

struct queue_call *queue_set_playbook(struct queue *q, struct job_ref ref, const char *playbook,
                                      const char *hash, int64_t evaluated_ms, queue_done_fn *done,
                                      void *user, struct error *err)
{
    static const struct queue_op op = { "store a job's playbook", true, true, run_set_playbook,
                                        NULL };
    struct queue_call *c = new_with_ref(q, &op, ref, done, user, err);

    if (!c)
        return NULL;
    c->args.text[0] = call_keep(c, playbook);
    c->args.text[1] = call_keep(c, hash);
    c->args.number[0] = evaluated_ms;
    return call_start(c);
}

/* ---- messages ---- */

static int run_intend(struct store *st, struct queue_call *c, struct error *err)
{
    return store_message_intend(st, c->args.ref, c->args.text[0], c->args.text[1], c->args.text[2],
                                c->args.number[0], c->now_ms, &c->out.message, err);
}

struct queue_call *queue_message_intend(struct queue *q, struct job_ref ref, const char *part,
                                        const char *channel, const char *thread_ts,
                                        int64_t timeout_ms, queue_done_fn *done, void *user,
                                        struct error *err)
{
    static const struct queue_op op = { "store that a message is about to be posted", true, false,
                                        run_intend, NULL };
    struct queue_call *c = new_with_ref(q, &op, ref, done, user, err);

    if (!c)
        return NULL;
    c->args.text[0] = call_keep(c, part);
    c->args.text[1] = call_keep(c, channel);
    c->args.text[2] = call_keep(c, thread_ts);
    c->args.number[0] = timeout_ms;
    return call_start(c);
}

static int run_edit(struct store *st, struct queue_call *c, struct error *err)
{
    return store_message_edit(st, c->args.ref, c->args.text[0], c->args.number[0], c->now_ms, err);
}

struct queue_call *queue_message_edit(struct queue *q, struct job_ref ref, const char *part,
                                      int64_t timeout_ms, queue_done_fn *done, void *user,
                                      struct error *err)
{
    static const struct queue_op op = { "store that a message is about to be edited", true, false,
                                        run_edit, NULL };
    struct queue_call *c = new_with_ref(q, &op, ref, done, user, err);

    if (!c)
        return NULL;
    c->args.text[0] = call_keep(c, part);
    c->args.number[0] = timeout_ms;
    return call_start(c);
}

static int run_sent(struct store *st, struct queue_call *c, struct error *err)
{
    const char *const *t = c->args.text;

    return store_message_sent(st, c->args.ref, t[0], t[1], t[2], t[3], c->args.flag, c->now_ms,
                              err);
}

struct queue_call *queue_message_sent(struct queue *q, struct job_ref ref, const char *part,
                                      const char *channel, const char *ts, const char *hash,
                                      bool root, queue_done_fn *done, void *user, struct error *err)
{
    static const struct queue_op op = { "store that a message was posted", true, true, run_sent,
                                        NULL };
    struct queue_call *c = new_with_ref(q, &op, ref, done, user, err);

    if (!c)
        return NULL;
    c->args.text[0] = call_keep(c, part);
    c->args.text[1] = call_keep(c, channel);
    c->args.text[2] = call_keep(c, ts);
    c->args.text[3] = call_keep(c, hash);
    c->args.flag = root;
    return call_start(c);
}

static int run_unknown(struct store *st, struct queue_call *c, struct error *err)
{
    return store_message_unknown(st, c->args.ref, c->args.text[0], c->now_ms, err);
}

static int run_absent(struct store *st, struct queue_call *c, struct error *err)
{
    return store_message_absent(st, c->args.ref, c->args.text[0], c->now_ms, err);
}

struct queue_call *queue_message_unknown(struct queue *q, struct job_ref ref, const char *part,
                                         queue_done_fn *done, void *user, struct error *err)
{
    static const struct queue_op op = { "store that a message may have been posted", true, true,
                                        run_unknown, NULL };
    struct queue_call *c = new_with_ref(q, &op, ref, done, user, err);

    if (!c)
        return NULL;
    c->args.text[0] = call_keep(c, part);
    return call_start(c);
}

struct queue_call *queue_message_absent(struct queue *q, struct job_ref ref, const char *part,
                                        queue_done_fn *done, void *user, struct error *err)
{
    static const struct queue_op op = { "store that a message was not posted", true, true,
                                        run_absent, NULL };
    struct queue_call *c = new_with_ref(q, &op, ref, done, user, err);

    if (!c)
        return NULL;
    c->args.text[0] = call_keep(c, part);
    return call_start(c);
}
