#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "dbconn/slack/dedupe.h"

static void a_key_is_known_with_its_first_value(void **state)
{
    struct dedupe *d = dedupe_new(600000, 1000);

    (void)state;
    assert_int_equal(dedupe_find(d, "a", 5), 0);
    dedupe_note(d, "a", 7, 5);
    dedupe_note(d, "b", 8, 5);
    assert_int_equal(dedupe_find(d, "a", 6), 7);
    assert_int_equal(dedupe_find(d, "b", 6), 8);
    assert_int_equal(dedupe_find(d, "", 6), 0);
    dedupe_note(d, "", 9, 6);
    assert_int_equal(dedupe_find(d, "", 6), 9);
    dedupe_free(d);
}

static void a_key_is_kept_for_its_time_and_not_for_ever(void **state)
{
    static const struct {
        int64_t noted, asked;
        int known;
    } cases[] = {
        { 0, 599999, 1 },  { 0, 600000, 1 },       { 599999, 1199998, 1 }, { 599999, 1199999, 1 },
        { 0, 1200000, 0 }, { 599999, 1800000, 0 }, { 1, 10000000, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dedupe *d = dedupe_new(600000, 1000);

        dedupe_note(d, "first", 1, 0); /* the generation begins at 0 */
        dedupe_note(d, "key", 5, cases[i].noted);
        assert_int_equal(dedupe_find(d, "key", cases[i].asked) != 0, cases[i].known);
        dedupe_free(d);
    }
}

static void thousands_of_keys_are_told_apart(void **state)
{
    struct dedupe *d = dedupe_new(600000, 1000000);
    char key[32];

    (void)state;
    for (unsigned i = 1; i <= 50000; i++) {
        snprintf(key, sizeof(key), "e:%u", i);
        assert_int_equal(dedupe_find(d, key, i / 100), 0);
        dedupe_note(d, key, i, i / 100);
    }
    for (unsigned i = 1; i <= 50000; i++) {
        snprintf(key, sizeof(key), "e:%u", i);
        assert_int_equal(dedupe_find(d, key, 600), i);
    }
    dedupe_free(d);
}

static void memory_is_bounded_and_the_newest_keys_are_kept(void **state)
{
    struct dedupe *d = dedupe_new(600000, 100);
    char key[32];

    (void)state;
    for (unsigned i = 1; i <= 1050; i++) {
        snprintf(key, sizeof(key), "%u", i);
        dedupe_note(d, key, i, 1);
    }
    assert_int_equal(dedupe_find(d, "1", 1), 0);
    assert_int_equal(dedupe_find(d, "900", 1), 0);
    assert_int_equal(dedupe_find(d, "951", 1), 951); /* at least the last 100 */
    assert_int_equal(dedupe_find(d, "1050", 1), 1050);
    dedupe_free(d);
}

static void what_is_forgotten_is_new_again(void **state)
{
    struct dedupe *d = dedupe_new(1000, 100);

    (void)state;
    dedupe_forget(d, "a");
    dedupe_note(d, "a", 1, 0);
    dedupe_note(d, "b", 2, 0);
    assert_int_equal(dedupe_find(d, "b", 1500), 2); /* now in the older generation */
    dedupe_forget(d, "a");
    dedupe_forget(d, "b");
    assert_int_equal(dedupe_find(d, "a", 1500), 0);
    assert_int_equal(dedupe_find(d, "b", 1500), 0);
    dedupe_note(d, "a", 3, 1500);
    assert_int_equal(dedupe_find(d, "a", 1500), 3);
    dedupe_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_known_with_its_first_value),
        cmocka_unit_test(a_key_is_kept_for_its_time_and_not_for_ever),
        cmocka_unit_test(thousands_of_keys_are_told_apart),
        cmocka_unit_test(memory_is_bounded_and_the_newest_keys_are_kept),
        cmocka_unit_test(what_is_forgotten_is_new_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
