/* How richly a workspace's threads are shown, after what it refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/slack/looks.h"
#include "dbconn/base/clock.h"

#define NOW INT64_C(1787048978114)

static const struct {
    const char *progress, *chart;
    struct looks looks;
} words[] = {
    { "plan", "auto", { PROGRESS_PLAN, CHART_BLOCK } },
    { "blocks", "image", { PROGRESS_BLOCKS, CHART_PICTURE } },
    { "text", "text", { PROGRESS_TEXT, CHART_TEXT } },
    { NULL, NULL, { PROGRESS_PLAN, CHART_BLOCK } },
};

static void the_configuration_says_it_in_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct looks l = looks_of(words[i].progress, words[i].chart);
        assert_int_equal(l.style, words[i].looks.style);
        assert_int_equal(l.chart, words[i].looks.chart);
    }
}

static const struct {
    struct looks before;
    enum part_id refused;
    bool changes;
    struct looks after;
} refusals[] = {
    /* The chart is the newest block: it goes before the others do. */
    { { PROGRESS_PLAN, CHART_BLOCK }, PART_ANSWER, true, { PROGRESS_PLAN, CHART_PICTURE } },
    { { PROGRESS_PLAN, CHART_PICTURE }, PART_ANSWER, true, { PROGRESS_BLOCKS, CHART_PICTURE } },
    { { PROGRESS_PLAN, CHART_BLOCK }, PART_PLAN, true, { PROGRESS_BLOCKS, CHART_BLOCK } },
    { { PROGRESS_BLOCKS, CHART_BLOCK }, PART_ANSWER, true, { PROGRESS_TEXT, CHART_BLOCK } },
    { { PROGRESS_TEXT, CHART_PICTURE }, PART_ANSWER, false, { PROGRESS_TEXT, CHART_PICTURE } },
    /* Files that are refused leave the characters. */
    { { PROGRESS_PLAN, CHART_PICTURE }, PART_CHART, true, { PROGRESS_PLAN, CHART_TEXT } },
    { { PROGRESS_BLOCKS, CHART_BLOCK }, PART_CHART, true, { PROGRESS_BLOCKS, CHART_TEXT } },
    { { PROGRESS_PLAN, CHART_TEXT }, PART_CHART, false, { PROGRESS_PLAN, CHART_TEXT } },
};

static void what_is_refused_is_shown_simpler(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        struct looks l = refusals[i].before;
        assert_int_equal(looks_simpler(&l, refusals[i].refused), refusals[i].changes);
        assert_int_equal(l.style, refusals[i].after.style);
        assert_int_equal(l.chart, refusals[i].after.chart);
    }
}

static void what_is_remembered_is_read_again_for_a_week(void **state)
{
    struct looks l = { PROGRESS_BLOCKS, CHART_PICTURE }, kept = { 0 };
    struct buf text = BUF_INIT;

    (void)state;
    looks_print(&l, NOW, &text);
    assert_string_equal(buf_str(&text), "blocks image 1787048978114");
    assert_true(looks_parse(buf_str(&text), NOW + 6 * DAY_MS, &kept));
    assert_int_equal(kept.style, PROGRESS_BLOCKS);
    assert_int_equal(kept.chart, CHART_PICTURE);
    assert_false(looks_parse(buf_str(&text), NOW + 8 * DAY_MS, &kept));
    buf_clear(&text);
}

static void what_is_not_ours_says_nothing(void **state)
{
    static const char *const texts[] = { NULL, "", "plan", "plan image", "plan image soon", " " };
    struct looks kept;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_false(looks_parse(texts[i], NOW, &kept));
}

static void the_simpler_of_two_wins_in_each_respect(void **state)
{
    struct looks l = { PROGRESS_PLAN, CHART_TEXT };

    (void)state;
    looks_limit(&l, &(struct looks){ PROGRESS_BLOCKS, CHART_PICTURE });
    assert_int_equal(l.style, PROGRESS_BLOCKS);
    assert_int_equal(l.chart, CHART_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_configuration_says_it_in_words),
        cmocka_unit_test(what_is_refused_is_shown_simpler),
        cmocka_unit_test(what_is_remembered_is_read_again_for_a_week),
        cmocka_unit_test(what_is_not_ours_says_nothing),
        cmocka_unit_test(the_simpler_of_two_wins_in_each_respect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
