#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dbconn/base/alloc.h"
#include "dbconn/net/ratelimit.h"

static void a_bucket_gives_its_burst_and_then_the_rate(void **state)
{
    struct bucket b;

    (void)state;
    bucket_init(&b, 2, 1, 1000, 50);
    assert_true(bucket_take(&b, 50));
    assert_true(bucket_take(&b, 50));
    assert_false(bucket_take(&b, 50));
    assert_int_equal(bucket_wait_ms(&b, 50), 1000);
    assert_int_equal(bucket_wait_ms(&b, 1049), 1);
    assert_false(bucket_take(&b, 1049));
    assert_true(bucket_take(&b, 1050));
    assert_false(bucket_take(&b, 1050));
}

static void a_bucket_fills_no_higher_than_its_burst(void **state)
{
    struct bucket b;
    int taken = 0;

    (void)state;
    bucket_init(&b, 3, 40, 60000, 0);
    while (bucket_take(&b, INT64_MAX / 2))
        taken++;
    assert_int_equal(taken, 3);
    assert_false(bucket_is_full(&b, INT64_MAX / 2));
    assert_true(bucket_is_full(&b, INT64_MAX / 2 + 4500));
}

static void a_bucket_loses_no_fraction_and_survives_a_clock_that_goes_back(void **state)
{
    struct bucket b;
    int taken = 0;

    (void)state;
    bucket_init(&b, 2, 45, 60000, 0);
    assert_true(bucket_take(&b, 0));
    assert_true(bucket_take(&b, 0));
    for (int64_t now = 1; now <= 60000; now++)
        taken += bucket_take(&b, now);
    assert_int_equal(taken, 45);
    assert_false(bucket_take(&b, 100));
    assert_true(bucket_wait_ms(&b, 100) > 0);
}

static void in_no_period_do_more_than_burst_and_count_pass(void **state)
{
    struct bucket b;
    int64_t times[1000] = { 0 };
    size_t n = 0;

    (void)state;
    bucket_init(&b, 10, 35, 60000, 0);
    for (int64_t now = 0; now < 300000; now += 7)
        if (bucket_take(&b, now))
            times[n++] = now;
    for (size_t i = 45; i < n; i++)
        assert_true(times[i] - times[i - 45] >= 60000 - 7);
}

static void a_window_never_lets_more_through_in_its_period(void **state)
{
    struct window w;
    static const struct {
        int64_t now;
        bool passes;
        int64_t wait;
    } steps[] = {
        { 0, true, 0 },    { 10, true, 0 },    { 20, true, 980 },    { 20, false, 980 },
        { 999, false, 1 }, { 1000, true, 10 }, { 1005, false, 5 },   { 1010, true, 10 },
        { 5000, true, 0 }, { 5000, true, 0 },  { 5000, true, 1000 }, { 5999, false, 1 },
    };

    (void)state;
    window_init(&w, 3, 1000);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        assert_int_equal(window_take(&w, steps[i].now), steps[i].passes);
        assert_int_equal(window_wait_ms(&w, steps[i].now), steps[i].wait);
    }
    window_clear(&w);
}

static void a_window_of_nothing_limits_nothing(void **state)
{
    struct window w;

    (void)state;
    window_init(&w, 0, 1000);
    for (int i = 0; i < 100; i++)
        assert_true(window_take(&w, 5));
    assert_int_equal(window_wait_ms(&w, 5), 0);
    window_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_gives_its_burst_and_then_the_rate),
        cmocka_unit_test(a_bucket_fills_no_higher_than_its_burst),
        cmocka_unit_test(a_bucket_loses_no_fraction_and_survives_a_clock_that_goes_back),
        cmocka_unit_test(in_no_period_do_more_than_burst_and_count_pass),
        cmocka_unit_test(a_window_never_lets_more_through_in_its_period),
        cmocka_unit_test(a_window_of_nothing_limits_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
