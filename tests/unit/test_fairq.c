#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/net/fairq.h"
#include "dbconn/base/alloc.h"

/* Pops everything and writes the items' letters in order. */
static void drain(struct fairq *q, const struct fair_item *items, char *out)
{
    struct fair_item *item;

    while ((item = fairq_pop(q)))
        *out++ = (char)('a' + (item - items));
    *out = '\0';
}

static void owners_take_turns(void **state)
{
    struct fairq q = { 0 };
    struct fair_item items[6] = { 0 };
    static const uint64_t owners[] = { 1, 1, 1, 2, 2, 3 };
    char order[8];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        fairq_push(&q, &items[i], owners[i], false);
    assert_int_equal(q.n, 6);
    drain(&q, items, order);
    assert_string_equal(order, "adfbec");
    assert_int_equal(q.n, 0);
    assert_null(q.first);
}

static void what_waited_before_goes_ahead_of_its_owners_others(void **state)
{
    struct fairq q = { 0 };
    struct fair_item items[3] = { 0 };
    char order[8];

    (void)state;
    fairq_push(&q, &items[0], 1, false);
    fairq_push(&q, &items[1], 1, false);
    fairq_push(&q, &items[2], 1, true);
    drain(&q, items, order);
    assert_string_equal(order, "cab");
}

static void removing_leaves_the_others_in_order(void **state)
{
    struct fair_item items[5];
    char order[8];

    (void)state;
    for (int gone = 0; gone < 5; gone++) {
        struct fairq q = { 0 };
        memset(items, 0, sizeof(items));
        for (int i = 0; i < 5; i++)
            fairq_push(&q, &items[i], i == 2 ? 9 : 1, false);
        fairq_remove(&q, &items[gone]);
        fairq_remove(&q, &items[gone]); /* a second time is nothing */
        assert_int_equal(q.n, 4);
        drain(&q, items, order);
        static const char *const expected[] = { "bcde", "acde", "abde", "acbe", "acbd" };
        assert_string_equal(order, expected[gone]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owners_take_turns),
        cmocka_unit_test(what_waited_before_goes_ahead_of_its_owners_others),
        cmocka_unit_test(removing_leaves_the_others_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
