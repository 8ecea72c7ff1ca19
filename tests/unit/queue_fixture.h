/* queue_fixture - a queue on a loop of its own, and waiting for its answers. */
#ifndef DBCONN_TESTS_QUEUE_FIXTURE_H
#define DBCONN_TESTS_QUEUE_FIXTURE_H

#include "store_fixture.h"

#include <sys/resource.h>

#include "dbconn/net/loop.h"
#include "dbconn/queue/queue.h"

struct queue_fixture {
    struct pg_server *pg; /* NULL: SQLite */
    char *folder, *url;
    uv_loop_t loop;
    struct queue *q;
    int wakes;
};

static inline void count_wake(void *user)
{
    ((struct queue_fixture *)user)->wakes++;
}

static inline void open_queue(struct queue_fixture *f, struct queue_options options)
{
    struct error err = ERROR_INIT;

    if (!options.patience_ms)
        options.patience_ms = 20000; /* the machine may be busy */
    options.wake = count_wake;
    options.user = f;
    if (queue_open(&f->loop, f->url, &options, &f->q, &err) < 0)
        fail_msg("%s", error_text(&err));
}

static inline int queue_set_up(void **state)
{
    struct queue_fixture *f = *state;

    if (f->pg) {
        pg_sql(f->pg, "DROP SCHEMA IF EXISTS dbconn CASCADE");
        f->url = pg_url(f->pg);
    } else {
        f->folder = make_folder();
        f->url = xasprintf("sqlite:%s/queue.db", f->folder);
    }
    f->wakes = 0;
    f->q = NULL;
    assert_int_equal(0, uv_loop_init(&f->loop));
    return 0;
}

/* The largest offset that this process may write to in a file. */
static inline void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(0, getrlimit(RLIMIT_FSIZE, &limit));
    limit.rlim_cur = bytes;
    assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &limit));
}

static inline int queue_tear_down(void **state)
{
    struct queue_fixture *f = *state;

    limit_file_size(RLIM_INFINITY); /* when a test that set it failed */
    queue_free(f->q);
    bool clean = loop_finish(&f->loop);
    if (f->folder)
        remove_folder(f->folder);
    free(f->folder);
    free(f->url);
    f->folder = f->url = NULL;
    f->q = NULL;
    return clean ? 0 : -1;
}

/* What one call gave. */
struct answer {
    int count; /* how often `done` ran */
    bool ok;
    enum store_outcome outcome;
    int64_t number, took_ms, asked_ms;
    bool cancel;
    size_t n; /* of whatever list came */
    char *text;
    struct job job;
    struct error err;
};

static inline struct answer answer_new(void)
{
    return (struct answer){ .err = ERROR_INIT, .asked_ms = clock_mono_ms() };
}

static inline void answer_clear(struct answer *a)
{
    free(a->text);
    job_clear(&a->job);
    error_clear(&a->err);
}

static inline void on_answer(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct answer *a = user;

    a->count++;
    a->took_ms = clock_mono_ms() - a->asked_ms;
    a->ok = err == NULL;
    assert_true((reply == NULL) == (err != NULL));
    if (err) {
        error_copy(&a->err, err);
        return;
    }
    a->outcome = reply->outcome;
    a->number = reply->number;
    a->cancel = reply->cancel;
    a->n = reply->jobs->n + reply->steps->n + reply->messages->n + reply->attempts->n +
           reply->feedback->n + reply->audit->n;
    xreplace(&a->text, reply->id        ? reply->id
                       : reply->value   ? reply->value
                       : reply->report  ? reply->report
                       : reply->message ? reply->message->part
                                        : NULL);
    if (reply->job) {
        job_clear(&a->job);
        job_copy(&a->job, reply->job);
    }
}

static inline void do_nothing(void *user)
{
    (void)user;
}

static inline void run_until(struct queue_fixture *f, const int *count, int wanted,
                             int64_t timeout_ms)
{
    struct loop_timer *end = loop_timer_new(&f->loop, do_nothing, NULL);

    loop_timer_start(end, timeout_ms); /* also keeps the loop alive */
    while (*count < wanted && loop_timer_active(end))
        uv_run(&f->loop, UV_RUN_ONCE);
    loop_timer_free(end);
    assert_true(*count >= wanted);
}

/* Waits for the answer; `call` must have started, and `done` must not have run inside it. */
static inline void await(struct queue_fixture *f, struct queue_call *call, struct answer *a)
{
    assert_non_null(call);
    assert_int_equal(0, a->count);
    run_until(f, &a->count, 1, 25000);
    assert_int_equal(1, a->count);
}

/* One call, its outcome, and what it gave in `a`. */
#define AWAIT(f, expected, a, call)                                                                \
    do {                                                                                           \
        struct error err = ERROR_INIT;                                                             \
        answer_clear(a);                                                                           \
        *(a) = answer_new();                                                                       \
        await((f), (call), (a));                                                                   \
        if (!(a)->ok)                                                                              \
            fail_msg("%s", error_text(&(a)->err));                                                 \
        assert_string_equal(store_outcome_name(expected), store_outcome_name((a)->outcome));       \
        error_clear(&err);                                                                         \
    } while (0)

static inline struct queue_call *ask_enqueue(struct queue_fixture *f, const char *issue_ref,
                                             int priority, struct answer *a)
{
    struct job_new job = simple_job(issue_ref, priority);
    struct error err = ERROR_INIT;
    struct queue_call *call = queue_enqueue(f->q, &job, NULL, 0, on_answer, a, &err);

    if (!call)
        fail_msg("%s", error_text(&err));
    return call;
}

#endif
