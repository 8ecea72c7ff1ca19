/* The loop's side: calls are handed to the worker, answered when it is done, given up in time. */
#include "dbconn/queue/queue.h"

#include <assert.h>

#include "dbconn/base/log.h"
#include "dbconn/net/loop.h"
#include "worker.h"

#define DEFAULT_MAX_QUEUED 10000
#define DEFAULT_PATIENCE_MS (2 * SECOND_MS)
#define DEFAULT_JOB_PATIENCE_MS (60 * SECOND_MS)
#define MAX_OPEN_CALLS 100000
#define LOOK_MS 50 /* how exactly calls are given up */

/* Outlives the queue until libuv has let go of it. */
struct loop_end {
    uv_async_t async;
    struct queue *q; /* NULL once freed */
};

/* Calls of one kind of patience, so that the first one is the first to be given up. */
struct open_calls {
    struct queue_call *first, *last;
};

struct queue {
    struct queue_options options;
    struct worker worker;
    struct loop_end *end;
    struct loop_timer *look;   /* for calls to be given up; runs while calls are open */
    struct open_calls open[2]; /* by queue_op.persistent */
    int64_t n_open;
    bool stopping;
    void (*stopped)(void *user);
    void *stopped_user;
};

int64_t queue_now_ms(const struct queue *q)
{
    return q->options.now_ms ? q->options.now_ms(q->options.user) : clock_wall_ms();
}

store_audit_hash_fn *queue_audit_hash(const struct queue *q, void **ret_user)
{
    *ret_user = q->options.audit_user;
    return q->options.audit_hash;
}

int64_t queue_limit(const struct queue *q)
{
    return q->options.max_queued;
}

bool queue_is_shared(const struct queue *q)
{
    return store_is_shared(q->worker.store); /* never changes: any thread may ask */
}

/* ---- open calls ---- */

struct queue_call *call_new(struct queue *q, const struct queue_op *op, queue_done_fn *done,
                            void *user, struct error *err)
{
    if (q->stopping) {
        error_set(err, ERR_STORE, "the queue is stopping: %s was not done", op->name);
        return NULL;
    }
    if (q->n_open >= MAX_OPEN_CALLS) {
        error_set(err, ERR_STORE, "%lld requests wait for the store: %s was not done",
                  (long long)q->n_open, op->name);
        return NULL;
    }
    struct queue_call *c = xcalloc(1, sizeof(*c));
    c->q = q;
    c->op = op;
    c->done = done;
    c->user = user;
    return c;
}

struct queue_call *call_start(struct queue_call *c)
{
    struct queue *q = c->q;
    struct open_calls *open = &q->open[c->op->persistent];

    c->now_ms = queue_now_ms(q);
    c->give_up_ms =
        clock_mono_ms() + (c->op->persistent ? q->options.job_patience_ms : q->options.patience_ms);
    c->open.prev = open->last;
    if (open->last)
        open->last->open.next = c;
    else
        open->first = c;
    open->last = c;
    if (q->n_open++ == 0) {
        uv_ref((uv_handle_t *)&q->end->async); /* the loop lives while somebody waits */
        loop_timer_start(q->look, LOOK_MS);
    }
    worker_submit(&q->worker, c);
    return c;
}

static void close_call(struct queue *q, struct queue_call *c)
{
    struct open_calls *open = &q->open[c->op->persistent];

    if (c->open.prev)
        c->open.prev->open.next = c->open.next;
    else
        open->first = c->open.next;
    if (c->open.next)
        c->open.next->open.prev = c->open.prev;
    else
        open->last = c->open.prev;
    if (--q->n_open > 0)
        return;
    loop_timer_stop(q->look);
    if (q->stopped)
        uv_async_send(&q->end->async); /* queue_stop() is answered from the loop */
    else
        uv_unref((uv_handle_t *)&q->end->async);
}

/* Ends what the loop has to do with the call, unless its answer is on the way already. true: it is
 * ours to free; false: the worker frees it, or on_ready() does. */
static bool take_from_worker(struct queue *q, struct queue_call *c, enum call_state *ret_state,
                             struct error *ret_last)
{
    struct worker *w = &q->worker;

    uv_mutex_lock(&w->lock);
    enum call_state state = c->state;
    if (state != CALL_ANSWERED)
        close_call(q, c);
    if (ret_last && c->err.code != ERR_NONE)
        error_copy(ret_last, &c->err); /* why it could not be done so far */
    if (state == CALL_WAITING)
        calls_remove(&w->waiting, c);
    else if (state == CALL_TAKEN)
        c->forgotten = true; /* not touched here any more once the lock is gone */
    uv_mutex_unlock(&w->lock);
    *ret_state = state;
    return state == CALL_WAITING;
}

void queue_cancel_call(struct queue_call *call)
{
    enum call_state state;

    if (!call || !call->done)
        return;
    struct queue *q = call->q;
    call->done = NULL;
    if (take_from_worker(q, call, &state, NULL))
        call_free(call);
}

/* ---- answers ---- */

static void answer(struct queue *q, struct queue_call *c)
{
    struct queue_reply reply;

    close_call(q, c);
    call_fill_reply(c, &reply);
    if (c->done && c->outcome >= 0)
        c->done(c->user, &reply, NULL);
    else if (c->done)
        c->done(c->user, NULL, &c->err);
    call_free(c);
}

static void on_ready(uv_async_t *async)
{
    struct loop_end *end = async->data;
    struct call_list answered;
    bool news;

    if (!end->q)
        return;
    struct worker *w = &end->q->worker;
    uv_mutex_lock(&w->lock);
    answered = w->answered;
    w->answered = (struct call_list){ 0 };
    news = w->news;
    w->news = false;
    uv_mutex_unlock(&w->lock);

    /* Any of these may free the queue. */
    for (struct queue_call *c; (c = calls_shift(&answered));) {
        if (end->q)
            answer(end->q, c);
        else
            call_free(c);
    }
    if (news && end->q && end->q->options.wake)
        end->q->options.wake(end->q->options.user);
    struct queue *q = end->q;
    if (q && q->stopped && q->n_open == 0) {
        void (*stopped)(void *user) = q->stopped;
        q->stopped = NULL;
        uv_unref((uv_handle_t *)&end->async);
        stopped(q->stopped_user);
    }
}

static void on_worker_ready(void *user)
{
    struct loop_end *end = user;

    uv_async_send(&end->async);
}

/* ---- giving up ---- */

/* false when its answer is on the way. May free the queue. */
static bool give_up(struct queue *q, struct queue_call *c)
{
    struct error err = ERROR_INIT;
    enum call_state state;
    queue_done_fn *done = c->done;
    void *user = c->user;
    const char *name = c->op->name;
    bool ours = take_from_worker(q, c, &state, &err);

    if (state == CALL_ANSWERED) {
        error_clear(&err);
        return false;
    }
    if (err.code == ERR_NONE)
        error_set(&err, ERR_STORE, "the store did not answer in time");
    error_context(&err, "%s%s", name, ours ? "" : " (it may still be done)");
    if (ours)
        call_free(c);
    worker_count_given_up(&q->worker);
    if (done)
        done(user, NULL, &err);
    error_clear(&err);
    return true;
}

static void on_look(void *user)
{
    struct loop_end *end = user;
    int64_t now = clock_mono_ms();

    for (int i = 0; i < 2; i++) {
        struct queue_call *c;
        while (end->q && (c = end->q->open[i].first) && c->give_up_ms <= now && give_up(end->q, c))
            continue;
    }
    if (end->q && end->q->n_open > 0)
        loop_timer_start(end->q->look, LOOK_MS);
}

/* ---- opening and closing ---- */

void queue_set_max_queued(struct queue *q, int64_t max_queued)
{
    q->options.max_queued = max_queued ? max_queued : DEFAULT_MAX_QUEUED;
}

static void set_options(struct queue *q, const struct queue_options *options)
{
    if (options)
        q->options = *options;
    queue_set_max_queued(q, q->options.max_queued);
    if (q->options.patience_ms <= 0)
        q->options.patience_ms = DEFAULT_PATIENCE_MS;
    if (q->options.job_patience_ms <= 0)
        q->options.job_patience_ms = DEFAULT_JOB_PATIENCE_MS;
}

static void on_end_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* The loop's half of a queue whose thread does not run. */
static void free_loop_half(struct queue *q)
{
    q->end->q = NULL;
    loop_timer_free(q->look);
    uv_close((uv_handle_t *)&q->end->async, on_end_closed);
}

static int attach(struct queue *q, uv_loop_t *loop, struct error *err)
{
    q->end = xcalloc(1, sizeof(*q->end));
    q->end->q = q;
    q->end->async.data = q->end;
    int rc = uv_async_init(loop, &q->end->async, on_ready);
    if (rc < 0) {
        free(q->end);
        return error_set(err, ERR_STORE, "cannot watch the store's thread (%s)", uv_strerror(rc));
    }
    uv_unref((uv_handle_t *)&q->end->async);
    q->look = loop_timer_new(loop, on_look, q->end);
    loop_timer_unref(q->look);
    return 0;
}

int queue_open(uv_loop_t *loop, const char *url, const struct queue_options *options,
               struct queue **ret, struct error *err)
{
    struct queue *q = xcalloc(1, sizeof(*q));

    set_options(q, options);
    if (store_open(url, NULL, &q->worker.store, err) < 0)
        goto fail;
    if (attach(q, loop, err) < 0)
        goto fail;
    q->worker.ready = on_worker_ready;
    q->worker.user = q->end;
    if (worker_start(&q->worker, err) < 0) {
        free_loop_half(q);
        goto fail;
    }
    *ret = q;
    return 0;
fail:
    store_close(q->worker.store);
    free(q);
    return -1;
}

void queue_stop(struct queue *q, void (*stopped)(void *user), void *user)
{
    int64_t latest_ms = clock_mono_ms() + q->options.patience_ms;

    assert(!q->stopping);
    q->stopping = true;
    q->stopped = stopped;
    q->stopped_user = user;
    for (struct queue_call *c = q->open[1].first; c; c = c->open.next) {
        if (c->give_up_ms > latest_ms)
            c->give_up_ms = latest_ms;
    }
    uv_ref((uv_handle_t *)&q->end->async);
    if (q->n_open == 0)
        uv_async_send(&q->end->async);
}

static void free_calls(struct call_list *list)
{
    for (struct queue_call *c; (c = calls_shift(list));)
        call_free(c);
}

void queue_free(struct queue *q)
{
    if (!q)
        return;
    if (!worker_stop(&q->worker)) {
        /* The thread may come back and use all of it: left as it is. */
        LOG(ERROR, "store.hangs", F_STR("effect", "its thread and memory are left behind"));
        free_loop_half(q);
        return;
    }
    free_loop_half(q);
    free_calls(&q->worker.waiting);
    free_calls(&q->worker.answered);
    store_close(q->worker.store);
    free(q);
}

void queue_get_stats(struct queue *q, struct queue_stats *ret)
{
    uv_mutex_lock(&q->worker.lock);
    *ret = q->worker.stats;
    uv_mutex_unlock(&q->worker.lock);
    ret->waiting = q->n_open;
}
