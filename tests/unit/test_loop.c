#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/clock.h"
#include "dbconn/net/loop.h"

struct probe {
    struct loop_timer *timer;
    int runs;
    bool free_inside, again_inside;
};

static void on_time(void *user)
{
    struct probe *p = user;

    p->runs++;
    if (p->again_inside && p->runs < 3)
        loop_timer_start(p->timer, 1);
    if (p->free_inside)
        loop_timer_free(p->timer);
}

static void a_timer_runs_once_and_when_it_was_told_to(void **state)
{
    uv_loop_t loop;
    struct probe p = { 0 };

    (void)state;
    uv_loop_init(&loop);
    p.timer = loop_timer_new(&loop, on_time, &p);
    assert_false(loop_timer_active(p.timer));
    uv_sleep(30); /* the loop's own time is stale now */
    int64_t began = clock_mono_ms();
    loop_timer_start(p.timer, 1000);
    loop_timer_start(p.timer, 40); /* starts over */
    assert_true(loop_timer_active(p.timer));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(p.runs, 1);
    assert_true(clock_mono_ms() - began >= 39);
    assert_false(loop_timer_active(p.timer));
    loop_timer_start(p.timer, -5);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(p.runs, 2);
    loop_timer_start(p.timer, 0);
    loop_timer_stop(p.timer);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(p.runs, 2);
    loop_timer_free(p.timer);
    loop_timer_free(NULL);
    assert_true(loop_finish(&loop));
}

static void a_timer_may_start_or_free_itself_in_its_callback(void **state)
{
    uv_loop_t loop;
    struct probe again = { .again_inside = true }, gone = { .free_inside = true };

    (void)state;
    uv_loop_init(&loop);
    again.timer = loop_timer_new(&loop, on_time, &again);
    gone.timer = loop_timer_new(&loop, on_time, &gone);
    loop_timer_start(again.timer, 1);
    loop_timer_start(gone.timer, 1);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(again.runs, 3);
    assert_int_equal(gone.runs, 1);
    loop_timer_free(again.timer);
    assert_true(loop_finish(&loop));
}

static void stand_still(void *user)
{
    uv_sleep(*(const unsigned *)user);
}

struct awake_row {
    const char *name;
    int64_t delay_ms;
    unsigned still_ms; /* from its start on */
    int64_t at_least_ms;
};

/* As SIGSTOP and SIGCONT: nothing of the loop runs. */
static void time_in_which_the_process_stood_still_is_not_time_awake(void **state)
{
    static const struct awake_row rows[] = {
        { "nothing happens", 300, 0, 299 },
        { "over before it went on: a second counts", 1800, 2500, 3290 },
        { "the last slice: what came is read first", 700, 1500, 2490 },
        { "a moment is no stop", 300, 350, 350 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned still_ms = rows[i].still_ms;
        struct probe awake = { 0 };
        struct loop_timer *still;
        uv_loop_t loop;

        print_message("%s\n", rows[i].name);
        uv_loop_init(&loop);
        awake.timer = loop_timer_new(&loop, on_time, &awake);
        still = loop_timer_new(&loop, stand_still, &still_ms);
        int64_t began = clock_mono_ms();
        assert_int_equal(loop_timer_left_ms(awake.timer), 0);
        loop_timer_start_awake(awake.timer, rows[i].delay_ms);
        assert_in_range(loop_timer_left_ms(awake.timer), 1, rows[i].delay_ms);
        loop_timer_start(still, 0);
        uv_run(&loop, UV_RUN_DEFAULT);
        assert_int_equal(awake.runs, 1);
        assert_true(clock_mono_ms() - began >= rows[i].at_least_ms);
        loop_timer_free(awake.timer);
        loop_timer_free(still);
        assert_true(loop_finish(&loop));
    }
}

static void a_freed_timer_never_runs(void **state)
{
    uv_loop_t loop;
    struct probe p = { 0 };

    (void)state;
    uv_loop_init(&loop);
    p.timer = loop_timer_new(&loop, on_time, &p);
    loop_timer_start(p.timer, 0);
    loop_timer_free(p.timer);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(p.runs, 0);
    assert_true(loop_finish(&loop));
}

static void an_unreferenced_timer_does_not_keep_the_loop(void **state)
{
    uv_loop_t loop;
    struct probe p = { 0 };

    (void)state;
    uv_loop_init(&loop);
    p.timer = loop_timer_new(&loop, on_time, &p);
    loop_timer_unref(p.timer);
    loop_timer_start(p.timer, 60000);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_false(loop_finish(&loop)); /* says that something is still open */
    loop_timer_free(p.timer);
    assert_true(loop_finish(&loop));
}

static void wait_for_post(uv_work_t *work)
{
    uv_sem_wait(work->data);
}

/* Its memory would be written to by a thread when that is told that it is closed. */
static void a_loop_is_not_finished_while_a_thread_works_for_it(void **state)
{
    uv_loop_t loop;
    uv_sem_t go_on;
    uv_work_t work = { .data = &go_on };

    (void)state;
    uv_loop_init(&loop);
    uv_sem_init(&go_on, 0);
    uv_queue_work(&loop, &work, wait_for_post, NULL);
    assert_false(loop_finish(&loop));
    uv_sem_post(&go_on);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(loop_finish(&loop));
    uv_sem_destroy(&go_on);
}

static void on_signal(void *user)
{
    ++*(int *)user;
}

static void a_signal_reaches_the_loop(void **state)
{
    uv_loop_t loop;
    int seen = 0;
    struct probe alive = { 0 }; /* a signal alone does not keep the loop turning */

    (void)state;
    uv_loop_init(&loop);
    alive.timer = loop_timer_new(&loop, on_time, &alive);
    loop_timer_start(alive.timer, 60000);
    struct loop_signal *s = loop_signal_new(&loop, SIGUSR1, on_signal, &seen);
    assert_non_null(s);
    raise(SIGUSR1);
    for (int i = 0; i < 100 && !seen; i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        uv_sleep(1);
    }
    assert_int_equal(seen, 1);
    assert_null(loop_signal_new(&loop, 9999, on_signal, &seen));
    loop_signal_free(s);
    loop_signal_free(NULL);
    loop_timer_free(alive.timer);
    assert_true(loop_finish(&loop));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_runs_once_and_when_it_was_told_to),
        cmocka_unit_test(a_timer_may_start_or_free_itself_in_its_callback),
        cmocka_unit_test(time_in_which_the_process_stood_still_is_not_time_awake),
        cmocka_unit_test(a_freed_timer_never_runs),
        cmocka_unit_test(a_loop_is_not_finished_while_a_thread_works_for_it),
        cmocka_unit_test(an_unreferenced_timer_does_not_keep_the_loop),
        cmocka_unit_test(a_signal_reaches_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
