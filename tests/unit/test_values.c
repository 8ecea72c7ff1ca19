/* Times, numbers and texts as strangers write them: read, cut and repaired. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/jsonc.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"
#include "dbconn/report/chart.h"

#define T INT64_C(1787047378000) /* 2026-08-18T10:02:58Z */

static void times_are_read_in_every_iso_form(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* TIME_UNKNOWN: none */
    } rows[] = {
        { "2026-08-18T10:02:58Z", T },
        { "2026-08-18 10:02:58", T },
        { "2026-08-18T10:02:58.114Z", T + 114 },
        { "2026-08-18T10:02:58.114999999Z", T + 114 },
        { "2026-08-18T12:02:58+02:00", T },
        { "2026-08-18T12:02:58+0200", T },
        { "2026-08-18T05:32:58-04:30", T },
        { "2026-08-18T10:02:58+x", TIME_UNKNOWN },
        { "2026-13-18T10:02:58Z", TIME_UNKNOWN },
        { "2026-08-18T10:02:58Zjunk", TIME_UNKNOWN },
        { "yesterday", TIME_UNKNOWN },
        { "", TIME_UNKNOWN },
        { NULL, TIME_UNKNOWN },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (time_or_unknown(rows[i].text) != rows[i].ms)
            fail_msg("%s is read as %lld", rows[i].text, (long long)time_or_unknown(rows[i].text));
}

static void every_time_can_be_written(void **state)
{
    static const struct {
        int64_t ms;
        const char *iso;
    } rows[] = {
        { T + 114, "2026-08-18T10:02:58.114Z" }, { 0, "1970-01-01T00:00:00.000Z" },
        { -1, "1969-12-31T23:59:59.999Z" },      { -1000, "1969-12-31T23:59:59.000Z" },
        { -1001, "1969-12-31T23:59:58.999Z" },
    };
    struct buf out = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_reset(&out);
        time_format_iso(rows[i].ms, &out);
        assert_string_equal(buf_str(&out), rows[i].iso);
    }
    time_format_minute(TIME_UNKNOWN, &out);
    time_format_iso(INT64_MAX, &out);
    buf_clear(&out);
}

static void a_number_of_a_document_becomes_a_whole_one_within_bounds(void **state)
{
    static const struct {
        double number;
        int64_t whole;
    } rows[] = {
        { 0, 0 },
        { -1.9, -1 },
        { 7.9, 7 },
        { 1e300, INT64_C(9000000000000000) },
        { -1e300, INT64_C(-9000000000000000) },
        { INFINITY, INT64_C(9000000000000000) },
        { NAN, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(json_whole(rows[i].number), rows[i].whole);
}

static void a_text_is_cut_at_characters_and_never_longer_than_asked(void **state)
{
    static const struct {
        const char *text;
        size_t max;
        const char *cut;
    } rows[] = {
        { "abc", 3, "abc" }, { "abcd", 3, "…" }, { "abcde", 4, "a…" }, { "abc", 2, "ab" },
        { "abc", 0, "" },    { "ä", 1, "" },     { "aä€", 5, "a…" },   { "aä€", 6, "aä€" },
        { "😀😀", 7, "😀…" },   { "", 0, "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = BUF_INIT;
        text_add_cut(&out, rows[i].text, rows[i].max);
        assert_string_equal(buf_str(&out), rows[i].cut);
        buf_clear(&out);
    }
}

static void a_file_beyond_the_limit_is_refused_and_one_at_it_is_read(void **state)
{
    char path[] = "/tmp/dbconn-values-XXXXXX";
    int fd = mkstemp(path);
    struct buf text = BUF_INIT;
    struct error err = ERROR_INIT;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    close(fd);
    assert_int_equal(file_read(path, 10, &text, &err), 0);
    assert_string_equal(buf_str(&text), "0123456789");
    buf_clear(&text);
    assert_int_equal(file_read(path, 9, &text, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(error_text(&err), "larger than 9 bytes"));
    buf_clear(&text);
    unlink(path);
    assert_int_equal(file_read(path, 9, &text, &err), -1);
    error_clear(&err);
    buf_clear(&text);
}

static char *nested(int depth)
{
    struct buf text = BUF_INIT;

    for (int i = 0; i < depth; i++)
        buf_adds(&text, i % 2 ? "{\"a]}\":" : "[");
    buf_adds(&text, "7");
    while (depth-- > 0)
        buf_adds(&text, depth % 2 ? "}" : "]");
    return buf_take(&text);
}

static void json_is_read_up_to_its_depth_and_not_beyond(void **state)
{
    struct error err = ERROR_INIT;
    cJSON *tree = NULL;
    char *at = nested(JSON_MAX_DEPTH), *beyond = nested(JSON_MAX_DEPTH + 1);

    (void)state;
    assert_int_equal(json_parse(at, strlen(at), "the answer", &tree, &err), 0);
    cJSON_Delete(tree);
    tree = NULL;
    assert_int_equal(json_parse(beyond, strlen(beyond), "the answer", &tree, &err), -1);
    assert_int_equal(err.code, ERR_PROTOCOL);
    assert_non_null(strstr(error_text(&err), "nested deeper"));
    assert_null(tree);
    error_clear(&err);
    free(at);
    free(beyond);
}

static void counts_beyond_reason_make_a_chart_all_the_same(void **state)
{
    double counts[] = { 1e300, -5, INFINITY, NAN, 3 };
    struct series s = { .start_ms = T, .interval_ms = HOUR_MS, .counts = counts, .n_counts = 5 };
    struct chart ch;

    (void)state;
    assert_true(chart_build(&s, 20, &ch));
    assert_true(ch.peak <= 1e12);
    assert_true(ch.total >= 3 && ch.total <= 2e12);
}

static void levels_have_names(void **state)
{
    enum log_level level = LOG_NONE;

    (void)state;
    assert_true(log_parse_level("warn", &level));
    assert_int_equal(level, LOG_WARN);
    assert_false(log_parse_level("loud", &level));
    assert_int_equal(level, LOG_WARN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_in_every_iso_form),
        cmocka_unit_test(every_time_can_be_written),
        cmocka_unit_test(a_number_of_a_document_becomes_a_whole_one_within_bounds),
        cmocka_unit_test(a_text_is_cut_at_characters_and_never_longer_than_asked),
        cmocka_unit_test(a_file_beyond_the_limit_is_refused_and_one_at_it_is_read),
        cmocka_unit_test(json_is_read_up_to_its_depth_and_not_beyond),
        cmocka_unit_test(counts_beyond_reason_make_a_chart_all_the_same),
        cmocka_unit_test(levels_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
