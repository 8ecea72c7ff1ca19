#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dbconn/base/alloc.h"
#include "dbconn/net/retry.h"

static void backoff_doubles_up_to_its_cap_with_full_jitter(void **state)
{
    static const struct {
        int attempt;
        uint32_t chance;
        int64_t delay;
    } cases[] = {
        { 0, 0, 0 },
        { 0, UINT32_MAX, 1000 },
        { 1, UINT32_MAX, 2000 },
        { 2, 0x80000000, 2000 },
        { 8, UINT32_MAX, 256000 },
        { 9, UINT32_MAX, 300000 },
        { 2000000000, UINT32_MAX, 300000 },
        { 30, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(retry_backoff_ms(1000, 300000, cases[i].attempt, cases[i].chance),
                         cases[i].delay);
}

static void only_passing_trouble_of_repeatable_requests_is_tried_again(void **state)
{
    static const struct retry_policy policy = { 3, 200, 10000, 10000 };
    static const struct {
        struct retry_outcome outcome;
        int64_t delay; /* with the greatest chance */
    } cases[] = {
        /* repeatable, fault, status, limit, attempts, left */
        { { true, true, 0, -1, 1, 30000 }, 200 },
        { { true, true, 0, -1, 2, 30000 }, 400 },
        { { true, true, 0, -1, 3, 30000 }, -1 },
        { { false, true, 0, -1, 1, 30000 }, -1 },
        { { true, true, 0, -1, 1, 150 }, -1 },
        { { true, false, 200, -1, 1, 30000 }, -1 },
        { { true, false, 200, 5000, 1, 30000 }, -1 },
        { { true, false, 404, 5000, 1, 30000 }, -1 },
        { { true, false, 500, -1, 1, 30000 }, -1 },
        { { true, false, 502, -1, 1, 30000 }, 200 },
        { { true, false, 503, -1, 1, 30000 }, 200 },
        { { true, false, 504, 0, 1, 30000 }, 200 },
        { { true, false, 429, -1, 1, 30000 }, 200 },
        { { true, false, 429, 5000, 1, 30000 }, 5200 },
        { { false, false, 429, 5000, 1, 30000 }, -1 },
        { { true, false, 429, 5000, 1, 5000 }, -1 },
        { { true, false, 429, 10001, 1, 30000 }, -1 },
        { { true, false, 403, 1000, 1, 30000 }, 1200 },
        { { true, false, 403, 0, 1, 30000 }, -1 },
        { { true, false, 403, -1, 1, 30000 }, -1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(retry_delay_ms(&policy, &cases[i].outcome, UINT32_MAX), cases[i].delay);
}

static void retry_after_is_seconds_or_a_date(void **state)
{
    static const struct {
        const char *value;
        int64_t wait;
    } cases[] = {
        { NULL, -1 },
        { "", -1 },
        { "soon", -1 },
        { "-5", -1 },
        { "0", 0 },
        { "30", 30000 },
        { "30 ", 30000 },
        { "99999999999999999999999", INT64_C(1000000000000) },
        { "Sat, 01 Aug 2026 10:00:05 GMT", 5000 },
        { "Sat, 01 Aug 2026 09:00:00 GMT", 0 },
        { "Sat, 01 Aug 178704738 09:00:00 GMT", INT64_C(1000000000000) },
    };
    const int64_t now = INT64_C(1785578400000); /* 2026-08-01T10:00:00Z */

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(retry_after_ms(cases[i].value, now), cases[i].wait);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backoff_doubles_up_to_its_cap_with_full_jitter),
        cmocka_unit_test(only_passing_trouble_of_repeatable_requests_is_tried_again),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
