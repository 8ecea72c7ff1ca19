/* JSON that is read as it comes: what is kept, what is refused, and the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "dbconn/base/json.h"
#include "dbconn/base/json_each.h"
#include "dbconn/base/json_stream.h"

struct outcome {
    int rc; /* 0: all of it, 1: cut, -1: refused */
    struct buf text;
    struct error err;
};

/* Feeds `text` in two pieces, the second one beginning at `split`; or byte by byte. */
static void read_split(const char *text, size_t len, size_t split, const char *const *paths,
                       const struct json_limits *limits, struct outcome *ret)
{
    struct json_stream *s = json_stream_new(paths, limits, "the answer");
    const size_t step = split > len ? 1 : split ? split : len;

    memset(ret, 0, sizeof(*ret));
    for (size_t i = 0, n; ret->rc == 0 && i < len; i += n) {
        n = step < len - i && (split > len || i == 0) ? step : len - i;
        ret->rc = json_stream_feed(s, text + i, n, &ret->text, &ret->err);
    }
    if (ret->rc >= 0 && json_stream_end(s, &ret->text, &ret->err) < 0)
        ret->rc = -1;
    json_stream_free(s);
}

static void outcome_clear(struct outcome *o)
{
    buf_clear(&o->text);
    error_clear(&o->err);
}

/* The same for any pieces. */
static void read_text(const char *text, size_t len, const char *const *paths,
                      const struct json_limits *limits, struct outcome *ret)
{
    read_split(text, len, 0, paths, limits, ret);
    for (size_t split = 1; split <= len + 1; split++) {
        struct outcome other;
        read_split(text, len, split, paths, limits, &other);
        assert_int_equal(other.rc, ret->rc);
        assert_int_equal(other.err.code, ret->err.code);
        if (ret->rc >= 0)
            assert_string_equal(buf_str(&other.text), buf_str(&ret->text));
        else
            assert_string_equal(error_text(&other.err), error_text(&ret->err));
        outcome_clear(&other);
    }
}

static const char *const hits[] = { "took", "hits.total", "hits.hits[]._source", NULL };
static const char *const rows[] = { "[].id", "[].tags[].key", "[].user", NULL };

static void what_is_wanted_is_kept_and_nothing_else(void **state)
{
    static const struct {
        const char *const *paths;
        const char *text, *kept;
    } cases[] = {
        { NULL, " { \"a\" : [ 1 , 2.5e-3, -0, true , false, null ] , \"b\":{} }\n",
          "{\"a\":[1,2.5e-3,-0,true,false,null],\"b\":{}}" },
        { NULL, "\xEF\xBB\xBF[]", "[]" },
        { NULL, "\"text\"", "\"text\"" },
        { NULL, "12", "12" },
        { NULL, "{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}" },
        { hits,
          "{\"took\":3,\"_shards\":{\"total\":[1,[2]]},\"hits\":{\"max_score\":null,\"total\":"
          "{\"value\":2},\"hits\":[{\"_id\":\"1\",\"_source\":{\"m\":[\"x\",{}]}},{\"sort\":[1],"
          "\"_source\":null}]}}",
          "{\"took\":3,\"hits\":{\"total\":{\"value\":2},\"hits\":[{\"_source\":{\"m\":[\"x\",{}]}}"
          ","
          "{\"_source\":null}]}}" },
        { rows,
          "[{\"id\":\"1\",\"tags\":[{\"key\":\"a\",\"value\":\"b\"},{\"value\":1},null],\"x\":[{}],"
          "\"user\":{\"id\":1}},{},5]",
          "[{\"id\":\"1\",\"tags\":[{\"key\":\"a\"},{},null],\"user\":{\"id\":1}},{},5]" },
        /* another type than wanted shows as one */
        { rows, "{\"detail\":\"no\"}", "{}" },
        { rows, "[[1,2],{\"tags\":{\"key\":1}},{\"tags\":\"x\"}]",
          "[[],{\"tags\":{}},{\"tags\":\"x\"}]" },
        { hits, "[1]", "[]" },
        { hits, "null", "null" },
        { hits, "{\"\\u0074ook\":1,\"to\\/ok\":2,\"tookx\":3,\"too\":4}", "{\"took\":1}" },
        { hits,
          "{\"a name that is longer than any that is wanted, by far, and goes on and on\":1,"
          "\"took\":2}",
          "{\"took\":2}" },
        /* repairs */
        { NULL, "\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\"",
          "\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\"" },
        { NULL, "\"a\xFF\xC3z\xE2\x82\"",
          "\"a\xEF\xBF\xBD\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD\"" },
        { NULL, "\"\xED\xA0\x80\xC0\xAF\"",
          "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" },
        { NULL, "\"\\ud83d\\ude00\\u00E9\\n\\/\"", "\"\\ud83d\\ude00\\u00e9\\n\\/\"" },
        { NULL, "\"\\ud83dx\\ude00\\ud83d\\n\\ud83d\\ud83d\\u0041\\ud83d\xC3\xA9\\ud83d\"",
          "\"\xEF\xBF\xBDx\xEF\xBF\xBD\xEF\xBF\xBD\\n\xEF\xBF\xBD\xEF\xBF\xBD\\u0041"
          "\xEF\xBF\xBD\xC3\xA9\xEF\xBF\xBD\"" },
        { NULL, "\"a\\u0000b\tc\"",
          "\"a\xEF\xBF\xBD"
          "b\\u0009c\"" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct outcome o;
        read_text(cases[i].text, strlen(cases[i].text), cases[i].paths, NULL, &o);
        if (o.rc != 0)
            fail_msg("%s: %s", cases[i].text, error_text(&o.err));
        assert_string_equal(buf_str(&o.text), cases[i].kept);
        outcome_clear(&o);
    }
}

static void what_is_no_json_is_refused_wherever_it_stands(void **state)
{
    static const char *const texts[] = {
        "",
        " \n",
        "[1",
        "[1,]",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "[}",
        "{\"a\":1]",
        "[1 2]",
        "nul",
        "nulls",
        "tru e",
        "01",
        "1.",
        "-",
        ".5",
        "1e",
        "1e+",
        "+1",
        "[NaN]",
        "'a'",
        "\"a",
        "\"\\x\"",
        "\"\\u12",
        "\"\\u12g4\"",
        "[1]]",
        "[] []",
        "{}x",
        "{\"x\":{\"y\":[1}}",
        "<html>",
        "{\"a\":1,}",
        "[\"a\" \"b\"]",
        "{\"a\" 1}",
        "\"a\"b",
        "\xEF\xBB",
        "{\"took\":1,\"x\":[tru]}",
        "{\"took\":1,\"x\":{\"y\":-}}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        for (int all = 0; all < 2; all++) {
            struct outcome o;
            read_text(texts[i], strlen(texts[i]), all ? NULL : hits, NULL, &o);
            if (o.rc != -1)
                fail_msg("\"%s\" was read as \"%s\"", texts[i], buf_str(&o.text));
            assert_int_equal(o.err.code, ERR_PROTOCOL);
            assert_non_null(strstr(error_text(&o.err), "the answer"));
            outcome_clear(&o);
        }
    }
}

static void the_depth_has_a_limit_for_what_is_not_wanted_too(void **state)
{
    static const struct {
        const char *text;
        size_t depth;
        int rc;
    } cases[] = {
        { "[[[]]]", 3, 0 },       { "[[[[]]]]", 3, -1 },
        { "{\"x\":[{}]}", 3, 0 }, { "{\"x\":[{\"y\":{}}]}", 3, -1 },
        { "[[[[]],[]]]", 4, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct json_limits limits = { .depth = cases[i].depth };
        struct outcome o;
        read_text(cases[i].text, strlen(cases[i].text), hits, &limits, &o);
        assert_int_equal(o.rc, cases[i].rc);
        if (o.rc < 0)
            assert_string_equal(error_text(&o.err),
                                "the answer is JSON nested deeper than 3 levels");
        outcome_clear(&o);
    }
}

static void a_list_beyond_a_limit_ends_behind_its_last_whole_element(void **state)
{
    static const struct {
        const char *const *paths;
        struct json_limits limits;
        const char *text;
        int rc;
        const char *kept;
    } cases[] = {
        { rows, { .values = 5 }, "[{\"id\":1},{\"id\":2}]", 0, "[{\"id\":1},{\"id\":2}]" },
        { rows, { .values = 4 }, "[{\"id\":1},{\"id\":2}]", 1, "[{\"id\":1}]" },
        { rows, { .values = 2 }, "[{\"id\":1},{\"id\":2}]", -1, NULL },
        { rows, { .kept = 20 }, "[{\"id\":1},{\"id\":2}]", 0, "[{\"id\":1},{\"id\":2}]" },
        { rows, { .kept = 19 }, "[{\"id\":1},{\"id\":2}]", 1, "[{\"id\":1}]" },
        { rows, { .kept = 12 }, "[{\"id\":12345},{\"id\":2}]", -1, NULL },
        { rows,
          { .kept = 30 },
          "[{\"id\":1},{\"id\":\"a long one that is too much\"}]",
          1,
          "[{\"id\":1}]" },
        { hits,
          { .kept = 60 },
          "{\"hits\":{\"total\":7,\"hits\":[{\"_source\":1},{\"_source\":22222},{\"_source\":3}]},"
          "\"took\":5}",
          1,
          "{\"hits\":{\"total\":7,\"hits\":[{\"_source\":1}]}}" },
        /* the list is over: what follows it is left out */
        { hits,
          { .kept = 48 },
          "{\"hits\":{\"hits\":[{\"_source\":1}],\"total\":{\"a\":\"bcdefghijklmnopqrstuvw\"}}}",
          1,
          "{\"hits\":{\"hits\":[{\"_source\":1}]}}" },
        { NULL, { .kept = 5 }, "[1,2,3,4]", -1, NULL },
        { NULL, { .string = 3 }, "[\"abc\"]", 0, "[\"abc\"]" },
        { NULL, { .string = 3 }, "[\"abcd\"]", -1, NULL },
        { rows, { .string = 3 }, "[{\"id\":\"abc\"},{\"id\":\"abcd\"}]", 1, "[{\"id\":\"abc\"}]" },
        { hits, { .string = 3 }, "{\"x\":\"abcd\",\"took\":1}", 0, "{\"took\":1}" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct outcome o;
        read_text(cases[i].text, strlen(cases[i].text), cases[i].paths, &cases[i].limits, &o);
        if (o.rc != cases[i].rc)
            fail_msg("%zu: %d, \"%s\" %s", i, o.rc, buf_str(&o.text), error_text(&o.err));
        if (o.rc >= 0)
            assert_string_equal(buf_str(&o.text), cases[i].kept);
        else
            assert_int_equal(o.err.code, ERR_TOO_LARGE);
        outcome_clear(&o);
    }
}

static int add_one(void *user, const cJSON *one, struct error *err)
{
    char *text = json_print(one);
    int rc = 0;

    buf_addf(user, "%s;", text);
    if (strcmp(text, "\"enough\"") == 0)
        rc = 1;
    else if (strcmp(text, "\"bad\"") == 0)
        rc = error_set(err, ERR_PROTOCOL, "a bad one");
    free(text);
    return rc;
}

static void a_list_is_taken_element_by_element(void **state)
{
    static const struct {
        const char *path, *text;
        int rc;
        const char *elements, *rest;
    } cases[] = {
        { "", "[1,{\"a\":[2]} , \"x]\"]", 0, "1;{\"a\":[2]};\"x]\";", "[]" },
        { "", " [ ] ", 0, "", "[]" },
        { "h.h", "{\"x\":[1],\"h\":{\"n\":1,\"h\":[1,2],\"t\":\"[\"}}", 0, "1;2;",
          "{\"x\":[1],\"h\":{\"n\":1,\"h\":[],\"t\":\"[\"}}" },
        { "h", "{\"h\":[1],\"h\":[2]}", 0, "1;", "{\"h\":[],\"h\":[2]}" },
        { "h", "{\"g\":\"\\\"h\",\"i\":1}", 1, "", "{\"g\":\"\\\"h\",\"i\":1}" },
        { "h", "{\"h\":{}}", 1, "", "{\"h\":{}}" },
        { "", "{\"h\":[]}", 1, "", "{\"h\":[]}" },
        { "", "[1,\"enough\",2]", 0, "1;\"enough\";", "[]" },
        { "", "[1,\"bad\",2]", -1, "1;\"bad\";", NULL },
        { "", "[1 2]", -1, "1;", NULL },
        { "", "[1,]", -1, "1;", NULL },
        { "", "[1,2", -1, "", NULL },
        { "", "[tru]", -1, "", NULL },
        { "h", "{\"h\":[1", -1, "", NULL },
        { "h", "{\"h", -1, "", NULL },
        { "", "", -1, "", NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf seen = BUF_INIT;
        struct error err = ERROR_INIT;
        cJSON *rest = NULL;
        int rc = json_each(cases[i].text, strlen(cases[i].text), cases[i].path, "the list", add_one,
                           &seen, &rest, &err);
        if (rc != cases[i].rc)
            fail_msg("%s: %d %s", cases[i].text, rc, error_text(&err));
        assert_string_equal(buf_str(&seen), cases[i].elements);
        assert_int_equal(rest != NULL, rc >= 0);
        if (rest) {
            char *text = json_print(rest);
            assert_string_equal(text, cases[i].rest);
            free(text);
        }
        cJSON_Delete(rest);
        buf_clear(&seen);
        error_clear(&err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wanted_is_kept_and_nothing_else),
        cmocka_unit_test(what_is_no_json_is_refused_wherever_it_stands),
        cmocka_unit_test(the_depth_has_a_limit_for_what_is_not_wanted_too),
        cmocka_unit_test(a_list_beyond_a_limit_ends_behind_its_last_whole_element),
        cmocka_unit_test(a_list_is_taken_element_by_element),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
