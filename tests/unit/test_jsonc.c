#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "dbconn/base/json.h"
#include "dbconn/base/jsonc.h"

static const char text[] = "// a file\n"
                           "{\n"
                           "  \"a\": { \"b\": 1, /* two\n"
                           "  lines */ \"c\": \"// no comment\" },\n"
                           "  \"list\": [ { \"x\": 1 },\n"
                           "            { \"x\": \"}\" }, ],\n"
                           "}\n";

static void comments_and_trailing_commas_are_allowed(void **state)
{
    struct jsonc doc;
    struct error err = ERROR_INIT;

    (void)state;
    assert_int_equal(jsonc_parse("f", text, &doc, &err), 0);
    assert_string_equal(json_str(json_get(doc.tree, "a"), "c"), "// no comment");
    assert_int_equal(cJSON_GetArraySize(json_get(doc.tree, "list")), 2);
    jsonc_clear(&doc);
}

static void a_value_is_found_by_its_line(void **state)
{
    static const struct {
        const char *path;
        int line;
    } cases[] = {
        { "a", 3 },         { "a.b", 3 },     { "a.c", 4 },
        { "list[1].x", 6 }, { "list[0]", 5 }, { "a.none", 3 },
    };
    struct jsonc doc;
    struct error err = ERROR_INIT;

    (void)state;
    assert_int_equal(jsonc_parse("f", text, &doc, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (jsonc_line(&doc, cases[i].path) != cases[i].line)
            fail_msg("%s: line %d", cases[i].path, jsonc_line(&doc, cases[i].path));
    jsonc_clear(&doc);
}

static void a_mistake_is_reported_with_its_line(void **state)
{
    static const struct {
        const char *text, *where;
    } cases[] = {
        { "{\n \"a\": 1\n \"b\": 2\n}", "f:3" },
        { "{\n\n", "f:3" },
        { "{} trailing", "f:1" },
        { "{ /* never closed", "f:1" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct jsonc doc;
        struct error err = ERROR_INIT;
        assert_int_equal(jsonc_parse("f", cases[i].text, &doc, &err), -1);
        if (!strstr(error_text(&err), cases[i].where))
            fail_msg("%s", error_text(&err));
        error_clear(&err);
    }
}

static void deep_nesting_is_refused_before_it_is_parsed(void **state)
{
    struct buf deep = BUF_INIT;
    struct error err = ERROR_INIT;
    cJSON *tree = NULL;

    (void)state;
    for (int i = 0; i < JSON_MAX_DEPTH + 1; i++)
        buf_addc(&deep, '[');
    assert_int_equal(json_parse(buf_str(&deep), deep.len, "the answer", &tree, &err), -1);
    assert_int_equal(err.code, ERR_PROTOCOL);
    error_clear(&err);
    buf_clear(&deep);
}

static void absent_is_not_zero(void **state)
{
    cJSON *obj =
        cJSON_Parse("{\"n\":null,\"s\":\"12\",\"f\":1.5,\"big\":4509062593708032,\"a.b\":\"x\"}");
    int64_t i = 7;
    double d;

    (void)state;
    assert_false(json_i64(obj, "n", &i));
    assert_false(json_i64(obj, "none", &i));
    assert_int_equal(i, 7);
    assert_true(json_i64(obj, "s", &i));
    assert_int_equal(i, 12);
    assert_true(json_num(obj, "f", &d));
    assert_null(json_get(obj, "n"));
    assert_string_equal(json_str(obj, "a.b"), "x");
    char *id = json_id(obj, "big");
    assert_string_equal(id, "4509062593708032");
    free(id);
    assert_null(json_path(NULL, "x", NULL));
    cJSON_Delete(obj);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_and_trailing_commas_are_allowed),
        cmocka_unit_test(a_value_is_found_by_its_line),
        cmocka_unit_test(a_mistake_is_reported_with_its_line),
        cmocka_unit_test(deep_nesting_is_refused_before_it_is_parsed),
        cmocka_unit_test(absent_is_not_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
