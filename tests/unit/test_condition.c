#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/clock.h"
#include "dbconn/diagnosis/condition.h"

static struct evidence *sample_board(void)
{
    struct evidence *b = evidence_new();

    evidence_set_bool(b, "s", "yes", true, "It is so", "https://example.com/1");
    evidence_set_bool(b, "s", "no", false, NULL, NULL);
    evidence_set_num(b, "s", "three", 3, NULL, NULL);
    evidence_set_str(b, "s", "kind", "spike", NULL, NULL);
    evidence_set_unknown(b, "s", "lost", "nobody told");
    evidence_set_num(b, "s", "when", 1755511378000.0, NULL, NULL);
    return b;
}

static const struct {
    const char *condition;
    enum tristate answer;
} cases[] = {
    { "{\"fact\":\"yes\"}", YES },
    { "{\"fact\":\"no\"}", NO },
    { "{\"fact\":\"no\",\"is\":false}", YES },
    { "{\"fact\":\"lost\"}", UNKNOWN },
    { "{\"fact\":\"never_asked\"}", UNKNOWN },
    { "{\"fact\":\"kind\",\"is\":\"spike\"}", YES },
    { "{\"fact\":\"kind\",\"is\":\"Spike\"}", NO },
    { "{\"fact\":\"kind\",\"in\":[\"bounded\",\"spike\"]}", YES },
    { "{\"fact\":\"kind\",\"in\":[]}", NO },
    { "{\"fact\":\"three\",\"at_least\":3}", YES },
    { "{\"fact\":\"three\",\"at_most\":2}", NO },
    { "{\"fact\":\"kind\",\"at_least\":1}", NO },
    { "{\"known\":\"lost\"}", NO },
    { "{\"known\":\"no\"}", YES },
    { "{\"not\":{\"fact\":\"lost\"}}", UNKNOWN },
    { "{\"not\":{\"fact\":\"no\"}}", YES },
    { "{\"all\":[{\"fact\":\"yes\"},{\"fact\":\"lost\"}]}", UNKNOWN },
    { "{\"all\":[{\"fact\":\"lost\"},{\"fact\":\"no\"}]}", NO },
    { "{\"all\":[]}", YES },
    { "{\"any\":[{\"fact\":\"lost\"},{\"fact\":\"yes\"}]}", YES },
    { "{\"any\":[{\"fact\":\"lost\"},{\"fact\":\"no\"}]}", UNKNOWN },
    { "{\"any\":[]}", NO },
};

static void a_condition_has_three_answers(void **state)
{
    struct evidence *board = sample_board();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cJSON *c = cJSON_Parse(cases[i].condition);
        struct error err = ERROR_INIT;
        assert_int_equal(condition_check(c, &err), 0);
        if (condition_holds(c, board) != cases[i].answer)
            fail_msg("%s gave %d", cases[i].condition, condition_holds(c, board));
        error_clear(&err);
        cJSON_Delete(c);
    }
    evidence_free(board);
}

static void a_malformed_condition_is_refused_with_a_reason(void **state)
{
    static const char *const bad[] = {
        "[]",
        "{}",
        "{\"all\":{}}",
        "{\"fact\":\"x\",\"is\":1,\"at_least\":2}",
        "{\"fact\":\"x\",\"equals\":1}",
        "{\"not\":[]}",
        "{\"any\":[{\"fact\":3}]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        cJSON *c = cJSON_Parse(bad[i]);
        struct error err = ERROR_INIT;
        assert_int_equal(condition_check(c, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_true(err.message.len > 10);
        error_clear(&err);
        cJSON_Delete(c);
    }
}

static void the_first_missing_fact_is_named(void **state)
{
    struct evidence *board = sample_board();
    cJSON *c = cJSON_Parse("{\"all\":[{\"fact\":\"yes\"},{\"not\":{\"fact\":\"lost\"}}]}");

    (void)state;
    assert_string_equal(condition_missing(c, board), "lost");
    cJSON_Delete(c);
    c = cJSON_Parse("{\"fact\":\"no\"}");
    assert_null(condition_missing(c, board));
    cJSON_Delete(c);
    evidence_free(board);
}

static void a_sentence_is_filled_with_what_is_known(void **state)
{
    static const struct {
        const char *template, *filled;
    } sentences[] = {
        { "{yes}.", "It is so." },
        { "{=kind} and {=three}", "spike and 3" },
        { "{lost}, {=never}", "unknown, unknown" },
        { "{=when:time}", "2025-08-18 10:02 UTC" },
        { "no brace }, open {", "no brace }, open {" },
        { "{=no}", "no" },
    };
    struct evidence *board = sample_board();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sentences); i++) {
        struct buf out = BUF_INIT;
        sentence_fill(sentences[i].template, board, &out);
        assert_string_equal(buf_str(&out), sentences[i].filled);
        buf_clear(&out);
    }
    evidence_free(board);
}

static void a_board_survives_being_written_and_read(void **state)
{
    struct evidence *board = sample_board(), *again = evidence_new();
    cJSON *facts = evidence_to_json(board, NULL);

    (void)state;
    evidence_add_json(again, facts);
    assert_int_equal(evidence_count(again), evidence_count(board));
    assert_int_equal(evidence_tri(again, "yes"), YES);
    assert_string_equal(evidence_get(again, "yes")->url, "https://example.com/1");
    assert_int_equal(evidence_get(again, "lost")->state, FACT_UNKNOWN);
    assert_string_equal(evidence_get(again, "lost")->why, "nobody told");
    assert_int_equal(evidence_time(again, "when"), 1755511378000);
    assert_int_equal(evidence_time(again, "lost"), TIME_UNKNOWN);
    cJSON_Delete(facts);
    evidence_free(again);
    evidence_free(board);
}

static void writing_a_fact_again_replaces_it(void **state)
{
    struct evidence *board = evidence_new();

    (void)state;
    evidence_set_str(board, "a", "x", "one", "text", NULL);
    evidence_set_unknown(board, "b", "x", "gone");
    assert_int_equal(evidence_count(board), 1);
    assert_null(evidence_str(board, "x"));
    assert_string_equal(evidence_get(board, "x")->step, "b");
    evidence_free(board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_condition_has_three_answers),
        cmocka_unit_test(a_malformed_condition_is_refused_with_a_reason),
        cmocka_unit_test(the_first_missing_fact_is_named),
        cmocka_unit_test(a_sentence_is_filled_with_what_is_known),
        cmocka_unit_test(a_board_survives_being_written_and_read),
        cmocka_unit_test(writing_a_fact_again_replaces_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
