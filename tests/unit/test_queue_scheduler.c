/* The scheduler: who runs what when, leases, cancel requests, and handing over. */
#include "queue_fixture.h"

#include "dbconn/queue/scheduler.h"

#define MAX_RUNS 64
#define SHORT_LEASE INT64_C(1200)

/* An application that only notes what it is told. */
struct app {
    struct queue_fixture *f;
    struct scheduler *s;
    struct scheduler_run *runs[MAX_RUNS];
    char *refs[MAX_RUNS]; /* what was typed, in the order of the runs */
    int n_runs;
    int n_stops, stops[SCHEDULER_SHUTDOWN + 1];
    bool release_when_told;
    int n_drained, n_finished;
};

static void on_run(void *user, struct scheduler_run *run, const struct job *job)
{
    struct app *app = user;

    assert_true(app->n_runs < MAX_RUNS);
    assert_ptr_equal(job, scheduler_job(run));
    scheduler_set_data(run, app);
    app->refs[app->n_runs] = xstrdup(job->issue_ref);
    app->runs[app->n_runs++] = run;
}

static void on_stop(void *user, struct scheduler_run *run, enum scheduler_stop why)
{
    struct app *app = user;

    assert_ptr_equal(app, scheduler_data(run));
    app->n_stops++;
    app->stops[why]++;
    if (app->release_when_told)
        scheduler_release(run);
}

static void on_drained(void *user)
{
    ((struct app *)user)->n_drained++;
}

static void start(struct app *app, struct queue_fixture *f, struct scheduler_options options)
{
    struct queue_options queue_options = { 0 };

    *app = (struct app){ .f = f };
    if (!f->q)
        open_queue(f, queue_options);
    options.run = on_run;
    options.stop = on_stop;
    options.user = app;
    app->s = scheduler_new(&f->loop, f->q, &options);
    scheduler_start(app->s);
}

static void end(struct app *app)
{
    scheduler_free(app->s);
    for (int i = 0; i < app->n_runs; i++)
        free(app->refs[i]);
}

static void add(struct queue_fixture *f, const char *ref, int priority)
{
    struct answer a = answer_new();

    AWAIT(f, STORE_OK, &a, ask_enqueue(f, ref, priority, &a));
    answer_clear(&a);
}

static void pass_time(struct queue_fixture *f, int64_t ms)
{
    struct loop_timer *timer = loop_timer_new(&f->loop, do_nothing, NULL);

    loop_timer_start(timer, ms);
    while (loop_timer_active(timer))
        uv_run(&f->loop, UV_RUN_ONCE);
    loop_timer_free(timer);
}

static void on_finished(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct scheduler_run *run = user;
    struct app *app = scheduler_data(run);

    assert_null(err);
    assert_int_equal(STORE_OK, reply->outcome);
    app->n_finished++;
    scheduler_done(run);
}

static void finish(struct app *app, int i)
{
    struct job_result result = { .state = JOB_DONE };
    struct error err = ERROR_INIT;

    assert_non_null(queue_finish(app->f->q, scheduler_ref(app->runs[i]), &result, on_finished,
                                 app->runs[i], &err));
}

/* What another process sees. */
static void assert_seen(struct queue_fixture *f, const char *ref, enum job_state state,
                        int64_t attempts)
{
    struct store *st = open_store(f->url);
    struct job_list list = { 0 };
    bool found = false;

    ASSERT_OUTCOME(STORE_OK, store_list(st, &(struct store_filter){ 0 }, &list, &err));
    for (size_t i = 0; i < list.n; i++) {
        if (strcmp(list.items[i].issue_ref, ref) != 0)
            continue;
        found = true;
        assert_string_equal(job_state_name(state), job_state_name(list.items[i].state));
        assert_int_equal(attempts, list.items[i].attempts);
    }
    assert_true(found);
    job_list_clear(&list);
    store_close(st);
}

static void no_more_run_at_a_time_than_allowed(void **state)
{
    struct queue_fixture *f = *state;
    struct app app;

    start(&app, f, (struct scheduler_options){ .max_running = 2 });
    add(f, "a", JOB_PRIORITY_AUTOMATIC);
    add(f, "b", JOB_PRIORITY_AUTOMATIC);
    run_until(f, &app.n_runs, 2, 3000);
    add(f, "c", JOB_PRIORITY_AUTOMATIC);
    add(f, "d", JOB_PRIORITY_PERSON);
    scheduler_wake(app.s);
    pass_time(f, 150);
    assert_int_equal(2, app.n_runs);
    assert_int_equal(2, scheduler_running(app.s));
    finish(&app, 0); /* a place gets free: people go first */
    run_until(f, &app.n_runs, 3, 3000);
    assert_string_equal("d", app.refs[2]);
    finish(&app, 1);
    run_until(f, &app.n_runs, 4, 3000);
    assert_string_equal("c", app.refs[3]);
    end(&app);
}

static void a_job_that_only_settles_leaves_its_place_to_the_next(void **state)
{
    struct queue_fixture *f = *state;
    struct app app;

    start(&app, f, (struct scheduler_options){ .max_running = 1, .max_settling = 1 });
    add(f, "a", JOB_PRIORITY_PERSON);
    run_until(f, &app.n_runs, 1, 3000);
    add(f, "b", JOB_PRIORITY_PERSON);
    add(f, "c", JOB_PRIORITY_PERSON);
    scheduler_settle(app.runs[0]);
    scheduler_settle(app.runs[0]); /* said twice it counts once */
    run_until(f, &app.n_runs, 2, 3000);
    scheduler_settle(app.runs[1]); /* one too many that settle */
    pass_time(f, 150);
    assert_int_equal(2, app.n_runs);
    finish(&app, 0);
    run_until(f, &app.n_runs, 3, 3000);
    assert_string_equal("c", app.refs[2]);
    assert_int_equal(2, scheduler_running(app.s));
    finish(&app, 1);
    end(&app);
}

static void work_starts_at_a_wake_up(void **state)
{
    struct queue_fixture *f = *state;
    struct app app;

    start(&app, f, (struct scheduler_options){ .poll_ms = 60000 });
    pass_time(f, 100);
    add(f, "a", 0);
    scheduler_wake(app.s);
    run_until(f, &app.n_runs, 1, 30000);
    end(&app);
}

static void work_that_nobody_told_of_is_found_by_polling(void **state)
{
    struct queue_fixture *f = *state;
    struct app app;
    char id[JOB_ID_LEN + 1];

    start(&app, f, (struct scheduler_options){ .poll_ms = 100 });
    pass_time(f, 50);
    struct store *other = open_store(f->url); /* as `dbconn jobs requeue` would */
    add_job(other, "a", 0, clock_wall_ms(), id);
    store_close(other);
    run_until(f, &app.n_runs, 1, 3000);
    end(&app);
}

static void a_long_run_keeps_its_lease(void **state)
{
    struct queue_fixture *f = *state;
    struct app app;
    struct job job = { 0 };

    start(&app, f, (struct scheduler_options){ .lease_ms = SHORT_LEASE });
    add(f, "a", 0);
    scheduler_wake(app.s);
    run_until(f, &app.n_runs, 1, 3000);
    struct store *other = open_store(f->url);
    for (int i = 0; i < 10; i++) {
        pass_time(f, 300);
        assert_true(scheduler_may_post(app.runs[0], 10));
        ASSERT_OUTCOME(STORE_NONE,
                       store_claim(other, "b", LEASE, NULL, clock_wall_ms(), &job, &err));
    }
    assert_int_equal(0, app.n_stops);
    store_close(other);
    end(&app);
}

static void a_process_that_was_stopped_must_not_post(void **state)
{
    struct queue_fixture *f = *state;
    struct app app;
    struct job job = { 0 };

    start(&app, f, (struct scheduler_options){ .lease_ms = SHORT_LEASE });
    add(f, "a", 0);
    scheduler_wake(app.s);
    run_until(f, &app.n_runs, 1, 3000);
    assert_true(scheduler_may_post(app.runs[0], 60000));
    usleep((SHORT_LEASE + 50) * 1000); /* as SIGSTOP and SIGCONT: no timer runs */
    assert_false(scheduler_may_post(app.runs[0], 10));
    struct store *other = open_store(f->url);
    ASSERT_OUTCOME(STORE_OK, store_claim(other, "b", LEASE, NULL, clock_wall_ms(), &job, &err));
    run_until(f, &app.stops[SCHEDULER_LEASE_LOST], 1, 3000);
    assert_false(scheduler_may_post(app.runs[0], 10));
    pass_time(f, 2 * SHORT_LEASE);
    assert_int_equal(1, app.n_stops); /* told once */
    scheduler_done(app.runs[0]);
    assert_int_equal(0, scheduler_running(app.s));
    job_clear(&job);
    store_close(other);
    end(&app);
}

static void a_stop_that_nobody_noticed_is_over_after_the_next_heartbeat(void **state)
{
    struct queue_fixture *f = *state;
    struct app app;

    start(&app, f, (struct scheduler_options){ .lease_ms = SHORT_LEASE });
    add(f, "a", 0);
    scheduler_wake(app.s);
    run_until(f, &app.n_runs, 1, 3000);
    usleep((SHORT_LEASE + 50) * 1000);
    assert_false(scheduler_may_post(app.runs[0], 10));
    pass_time(f, SHORT_LEASE);
    /* Nobody else had taken it: either it goes on here, or it came back to us as a new run. */
    assert_true(app.n_stops == 0 ? scheduler_may_post(app.runs[0], 10)
                                 : app.stops[SCHEDULER_LEASE_LOST] == 1);
    end(&app);
}

static void a_cancel_request_reaches_the_run_wherever_it_is(void **state)
{
    struct queue_fixture *f = *state;
    struct app app;
    char id[JOB_ID_LEN + 1];

    start(&app, f, (struct scheduler_options){ .lease_ms = 900 });
    add(f, "a", 0);
    scheduler_wake(app.s);
    run_until(f, &app.n_runs, 1, 3000);
    snprintf(id, sizeof(id), "%s", scheduler_job(app.runs[0])->id);
    assert_ptr_equal(app.runs[0], scheduler_find(app.s, id));
    assert_null(scheduler_find(app.s, "000000000000000000"));
    struct store *other = open_store(f->url);
    ASSERT_OUTCOME(STORE_OK, store_cancel(other, id, "U9", clock_wall_ms(), &err));
    store_close(other);
    run_until(f, &app.stops[SCHEDULER_CANCELLED], 1, 3000);
    pass_time(f, 700);
    assert_int_equal(1, app.n_stops); /* told once */
    end(&app);
}

static void a_job_that_was_cancelled_while_it_waited_says_so_itself(void **state)
{
    struct queue_fixture *f = *state;
    struct app app;
    struct answer a = answer_new();

    open_queue(f, (struct queue_options){ 0 });
    AWAIT(f, STORE_OK, &a, ask_enqueue(f, "a", 0, &a));
    char *id = xstrdup(a.text);
    AWAIT(f, STORE_OK, &a, queue_cancel(f->q, id, "U9", on_answer, &a, &err));
    start(&app, f, (struct scheduler_options){ .lease_ms = SHORT_LEASE });
    run_until(f, &app.n_runs, 1, 3000);
    assert_string_equal("U9", scheduler_job(app.runs[0])->cancel_by);
    pass_time(f, 2 * SHORT_LEASE);
    assert_int_equal(0, app.n_stops);
    answer_clear(&a);
    free(id);
    end(&app);
}

static void draining_hands_everything_over(void **state)
{
    struct queue_fixture *f = *state;
    struct app app;

    start(&app, f, (struct scheduler_options){ .max_running = 2 });
    add(f, "a", 0);
    add(f, "b", 0);
    add(f, "c", 0);
    scheduler_wake(app.s);
    run_until(f, &app.n_runs, 2, 3000);
    app.release_when_told = true;
    scheduler_drain(app.s, on_drained, &app);
    assert_int_equal(0, app.n_stops); /* never inside the call */
    run_until(f, &app.n_drained, 1, 3000);
    assert_int_equal(2, app.stops[SCHEDULER_SHUTDOWN]);
    assert_int_equal(2, app.n_runs); /* "c" was not started */
    assert_int_equal(0, scheduler_running(app.s));
    assert_seen(f, "a", JOB_QUEUED, 0);
    assert_seen(f, "b", JOB_QUEUED, 0);
    assert_seen(f, "c", JOB_QUEUED, 0);
    pass_time(f, 50);
    assert_int_equal(1, app.n_drained);
    end(&app);
}

static void draining_waits_for_runs_that_end_by_themselves(void **state)
{
    struct queue_fixture *f = *state;
    struct app app;

    start(&app, f, (struct scheduler_options){ .lease_ms = SHORT_LEASE });
    add(f, "a", 0);
    scheduler_wake(app.s);
    run_until(f, &app.n_runs, 1, 3000);
    scheduler_drain(app.s, on_drained, &app);
    pass_time(f, 3 * SHORT_LEASE); /* its lease is kept all the same */
    assert_int_equal(0, app.n_drained);
    assert_int_equal(0, app.stops[SCHEDULER_LEASE_LOST]);
    finish(&app, 0);
    run_until(f, &app.n_drained, 1, 3000);
    assert_int_equal(1, app.n_finished);
    assert_seen(f, "a", JOB_DONE, 1);
    end(&app);
}

static void a_closed_scheduler_claims_nothing_more_and_lets_runs_end(void **state)
{
    struct queue_fixture *f = *state;
    struct app app;

    start(&app, f, (struct scheduler_options){ .max_running = 1, .lease_ms = SHORT_LEASE });
    add(f, "a", 0);
    add(f, "b", 0);
    scheduler_wake(app.s);
    run_until(f, &app.n_runs, 1, 3000);
    scheduler_close(app.s);
    pass_time(f, 2 * SHORT_LEASE); /* its lease is kept all the same */
    assert_int_equal(0, app.n_stops);
    assert_false(scheduler_is_idle(app.s));
    finish(&app, 0);
    run_until(f, &app.n_finished, 1, 3000);
    scheduler_wake(app.s);
    scheduler_set_limits(app.s, &(struct scheduler_options){ .max_running = 5 });
    pass_time(f, 50);
    assert_true(scheduler_is_idle(app.s));
    assert_int_equal(1, app.n_runs);
    assert_seen(f, "a", JOB_DONE, 1);
    assert_seen(f, "b", JOB_QUEUED, 0);
    end(&app);
}

static void a_closed_scheduler_can_be_drained(void **state)
{
    struct queue_fixture *f = *state;
    struct app app;

    start(&app, f, (struct scheduler_options){ 0 });
    add(f, "a", 0);
    scheduler_wake(app.s);
    run_until(f, &app.n_runs, 1, 3000);
    scheduler_close(app.s);
    app.release_when_told = true;
    scheduler_drain(app.s, on_drained, &app);
    run_until(f, &app.n_drained, 1, 3000);
    assert_int_equal(1, app.stops[SCHEDULER_SHUTDOWN]);
    assert_seen(f, "a", JOB_QUEUED, 0);
    end(&app);
}

static void draining_an_idle_scheduler_answers_later(void **state)
{
    struct queue_fixture *f = *state;
    struct app app;

    start(&app, f, (struct scheduler_options){ 0 });
    scheduler_drain(app.s, on_drained, &app);
    assert_int_equal(0, app.n_drained);
    run_until(f, &app.n_drained, 1, 3000);
    end(&app);
}

static void what_a_predecessor_left_goes_on_at_once(void **state)
{
    struct queue_fixture *f = *state;
    struct app app;
    struct job job = { 0 };
    char id[JOB_ID_LEN + 1];

    struct store *other = open_store(f->url);
    add_job(other, "a", 0, clock_wall_ms(), id);
    ASSERT_OUTCOME(STORE_OK,
                   store_claim(other, "dead", HOUR_MS, NULL, clock_wall_ms(), &job, &err));
    store_close(other); /* killed: nothing was handed over */
    job_clear(&job);
    start(&app, f, (struct scheduler_options){ 0 });
    run_until(f, &app.n_runs, 1, 3000);
    assert_int_equal(2, scheduler_job(app.runs[0])->attempts);
    end(&app);
}

static void of_two_schedulers_on_one_store_each_job_has_one(void **state)
{
    struct queue_fixture *f = *state;
    struct queue_fixture other_f = { .url = f->url }; /* a second queue on the same loop */
    struct app one, two;

    start(&one, f, (struct scheduler_options){ .max_running = 30, .poll_ms = 20 });
    struct error err = ERROR_INIT;
    assert_int_equal(0, queue_open(&f->loop, f->url, NULL, &other_f.q, &err));
    two = (struct app){ .f = &other_f };
    two.s = scheduler_new(
        &f->loop, other_f.q,
        &(struct scheduler_options){
            .max_running = 30, .poll_ms = 20, .run = on_run, .stop = on_stop, .user = &two });
    scheduler_start(two.s);
    pass_time(f, 100);
    for (int i = 0; i < 30; i++)
        add(f, "a", 0);
    int64_t until = clock_mono_ms() + 5000;
    while (one.n_runs + two.n_runs < 30 && clock_mono_ms() < until)
        pass_time(f, 10);
    pass_time(f, 100);
    assert_int_equal(30, one.n_runs + two.n_runs);
    end(&two);
    queue_free(other_f.q);
    end(&one);
}

static void ended_jobs_are_purged_after_their_time(void **state)
{
    struct queue_fixture *f = *state;
    struct app app;
    struct job job = { 0 };
    struct job_result result = { .state = JOB_DONE };
    char id[JOB_ID_LEN + 1], young[JOB_ID_LEN + 1];
    int64_t old_ms = clock_wall_ms() - 3 * HOUR_MS;

    struct store *other = open_store(f->url);
    add_job(other, "old", 0, old_ms, id);
    ASSERT_OUTCOME(STORE_OK, store_claim(other, "x", LEASE, NULL, old_ms, &job, &err));
    ASSERT_OUTCOME(STORE_OK, store_finish(other, ref_of(&job), &result, old_ms, &err));
    job_clear(&job);
    add_job(other, "young", 0, old_ms, young);
    start(&app, f, (struct scheduler_options){ .retention_ms = HOUR_MS });
    int rc = STORE_OK;
    for (int i = 0; i < 100 && rc == STORE_OK; i++) {
        struct error err = ERROR_INIT;
        pass_time(f, 20);
        rc = store_get(other, id, &job, &err);
        job_clear(&job);
    }
    assert_int_equal(STORE_NONE, rc);
    ASSERT_OUTCOME(STORE_OK, store_get(other, young, &job, &err));
    job_clear(&job);
    store_close(other);
    end(&app);
}

enum { SQLITE = 1, POSTGRES = 2, BOTH = 3 };
#define TEST(stores, name)                                                                         \
    {                                                                                              \
        stores, #name, name                                                                        \
    }
static const struct {
    int stores;
    const char *name;
    CMUnitTestFunction run;
} tests[] = {
    TEST(BOTH, no_more_run_at_a_time_than_allowed),
    TEST(BOTH, a_job_that_only_settles_leaves_its_place_to_the_next),
    TEST(BOTH, work_starts_at_a_wake_up),
    TEST(BOTH, work_that_nobody_told_of_is_found_by_polling),
    TEST(BOTH, a_long_run_keeps_its_lease),
    TEST(BOTH, a_process_that_was_stopped_must_not_post),
    TEST(BOTH, a_stop_that_nobody_noticed_is_over_after_the_next_heartbeat),
    TEST(BOTH, a_cancel_request_reaches_the_run_wherever_it_is),
    TEST(BOTH, a_job_that_was_cancelled_while_it_waited_says_so_itself),
    TEST(BOTH, draining_hands_everything_over),
    TEST(BOTH, draining_waits_for_runs_that_end_by_themselves),
    TEST(BOTH, a_closed_scheduler_claims_nothing_more_and_lets_runs_end),
    TEST(BOTH, a_closed_scheduler_can_be_drained),
    TEST(BOTH, draining_an_idle_scheduler_answers_later),
    TEST(SQLITE, what_a_predecessor_left_goes_on_at_once),
    TEST(BOTH, of_two_schedulers_on_one_store_each_job_has_one),
    TEST(BOTH, ended_jobs_are_purged_after_their_time),
};

static int run_on(const char *name, int store, struct pg_server *pg)
{
    struct CMUnitTest chosen[ARRAY_LEN(tests)];
    struct queue_fixture fixture = { .pg = pg };
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
        if (tests[i].stores & store)
            chosen[n++] = (struct CMUnitTest){ tests[i].name, tests[i].run, queue_set_up,
                                               queue_tear_down, &fixture };
    }
    return _cmocka_run_group_tests(name, chosen, n, NULL, NULL);
}

int main(void)
{
    struct pg_server pg;
    int failed = run_on("scheduler on sqlite", SQLITE, NULL);

    if (!pg_create(&pg)) {
        fputs("SKIPPED: the PostgreSQL half: no server programs in /usr/lib/postgresql\n", stderr);
        return failed;
    }
    failed += run_on("scheduler on postgresql", POSTGRES, &pg);
    pg_destroy(&pg);
    return failed;
}
