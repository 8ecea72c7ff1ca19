/*
 * The terminal's report of every finished golden case (tests/golden/thread/<case>.in.json) against
 * tests/golden/terminal/<case>.out; UPDATE_GOLDEN=1 rewrites. And the measuring below it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "dbconn/diagnosis/casefile.h"
#include "dbconn/report/chart.h"
#include "dbconn/report/report_json.h"
#include "dbconn/report/terminal.h"

#define CASES "tests/golden/thread"
#define GOLDEN "tests/golden/terminal"

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct buf text = BUF_INIT;
    char chunk[4096];
    size_t n;

    if (!f)
        return NULL;
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        buf_add(&text, chunk, n);
    fclose(f);
    return text.data ? buf_take(&text) : xstrdup("");
}

static void open_case(const char *name, struct casefile *c)
{
    char *path = xasprintf("%s/%s.in.json", CASES, name);
    char *text = read_file(path);
    struct error err = ERROR_INIT;

    if (!text || report_parse(text, strlen(text), c, &err) < 0)
        fail_msg("%s: %s", path, error_text(&err));
    free(text);
    free(path);
}

static void compare_file(const char *name, const char *got)
{
    char *path = xasprintf("%s/%s.out", GOLDEN, name);
    char *want;

    if (getenv("UPDATE_GOLDEN")) {
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(got, 1, strlen(got), f), strlen(got));
        fclose(f);
        free(path);
        return;
    }
    want = read_file(path);
    if (!want || strcmp(want, got) != 0)
        fail_msg("%s differs; UPDATE_GOLDEN=1 rewrites it. Got:\n%s", path, got);
    free(want);
    free(path);
}

static void every_report_is_as_reviewed(void **state)
{
    struct dirent **names;
    int n = scandir(CASES, &names, NULL, alphasort);

    (void)state;
    assert_true(n > 10);
    for (int i = 0; i < n; i++) {
        char *end = strstr(names[i]->d_name, ".in.json");
        if (end && !text_starts(names[i]->d_name, "st")) { /* states and styles are Slack's */
            struct terminal_options o = { .width = 80, .now_ms = TIME_UNKNOWN };
            struct buf out = BUF_INIT;
            struct casefile c;
            *end = '\0';
            open_case(names[i]->d_name, &c);
            terminal_report(&c, &o, &out);
            compare_file(names[i]->d_name, buf_str(&out));
            buf_clear(&out);
            casefile_clear(&c);
        }
        free(names[i]);
    }
    free(names);
}

static void step_lines_and_the_live_view_are_as_reviewed(void **state)
{
    struct terminal_options o = { .width = 72, .now_ms = TIME_UNKNOWN };
    struct buf out = BUF_INIT;
    struct casefile c;

    (void)state;
    open_case("state_running", &c);
    o.now_ms = c.steps[1].started_ms + 12 * SECOND_MS;
    for (size_t i = 0; i < 4; i++)
        terminal_step_line(&c, &c.steps[i], &o, &out);
    buf_addc(&out, '\n');
    assert_int_equal(terminal_live(&c, &o, 0, &out), 9);
    compare_file("live", buf_str(&out));
    buf_clear(&out);
    casefile_clear(&c);
}

/* Widest line without colours; links may stay whole. */
static size_t widest(const char *text)
{
    size_t max = 0;

    while (*text) {
        size_t n = strcspn(text, "\n");
        char *line = xstrndup(text, n);
        size_t columns = terminal_columns(line);
        if (!strstr(line, "https://") && columns > max)
            max = columns;
        free(line);
        text += n + (text[n] == '\n');
    }
    return max;
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    static const char *const names[] = { "deployment_config_change", "database_down", "hostile",
                                         "network_connectivity" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct casefile c;
        open_case(names[i], &c);
        for (int width = 40; width <= 200; width += 7) {
            struct terminal_options o = { .width = width, .now_ms = TIME_UNKNOWN };
            struct buf out = BUF_INIT;
            terminal_report(&c, &o, &out);
            if (widest(buf_str(&out)) > (size_t)width)
                fail_msg("%s at %d: %zu columns\n%s", names[i], width, widest(buf_str(&out)),
                         buf_str(&out));
            buf_reset(&out);
            terminal_live(&c, &o, 3, &out);
            assert_true(widest(buf_str(&out)) <= (size_t)width);
            buf_clear(&out);
        }
        casefile_clear(&c);
    }
}

static void no_escape_sequence_from_outside_reaches_the_terminal(void **state)
{
    struct terminal_options o = { .width = 80, .now_ms = TIME_UNKNOWN };
    struct buf out = BUF_INIT;
    struct casefile c;

    (void)state;
    open_case("deployment_config_change", &c);
    xreplace(&c.issue.error_line, "\033[31mred\033]0;title\007 \xC2\x9B"
                                  "31m \xE2\x80\xAE \r over");
    xreplace(&c.issue.url, "https://a.example/\033[2J");
    xreplace(&c.diagnosis.summary, "\033[31mred");
    xreplace(&c.steps[0].summary, "\033[31mred");
    xreplace(&c.steps[0].title, "\033[31mred");
    xreplace(&c.diagnosis.evidence[0].url, "https://a.example/\033[2J");
    xreplace(&c.diagnosis.culprit->changes[0].old_value, "\033[31mred");
    xreplace(&c.series.markers[0].label, "\033[31mred");
    terminal_report(&c, &o, &out);
    terminal_live(&c, &o, 1, &out);
    terminal_step_line(&c, &c.steps[0], &o, &out);
    assert_null(strchr(buf_str(&out), '\033'));
    assert_null(strchr(buf_str(&out), '\007'));
    assert_null(strchr(buf_str(&out), '\r'));
    assert_null(strstr(buf_str(&out), "\xC2\x9B"));
    buf_reset(&out);
    o.colour = true;
    terminal_report(&c, &o, &out);
    assert_non_null(strstr(buf_str(&out), "\033[1m"));
    assert_null(strstr(buf_str(&out), "\033[2J"));
    buf_clear(&out);
    casefile_clear(&c);
}

static void text_is_measured_in_columns(void **state)
{
    static const struct {
        const char *text;
        size_t columns;
    } rows[] = {
        { "", 0 },     { "abc", 3 }, { "äöü", 3 },  { "e\xCC\x81", 1 },
        { "日本", 4 }, { "😀", 2 },   { "\xFF", 1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(terminal_columns(rows[i].text), rows[i].columns);
}

static void text_is_wrapped_at_blanks(void **state)
{
    static const struct {
        const char *text, *wrapped;
    } rows[] = {
        { "", "\n" },
        { "one two three", "one two\n  three\n" },
        { "abcdefghijklmnop", "abcdefghij\n  klmnop\n" },
        { "a https://example.com/long b", "a\n  https://example.com/long\n  b\n" },
        { "日本語日本語", "日本語日本\n  語\n" },
        { "one\ntwo", "one two\n" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = BUF_INIT;
        terminal_wrap(rows[i].text, 10, 0, 2, &out);
        assert_string_equal(buf_str(&out), rows[i].wrapped);
        buf_clear(&out);
    }
}

static void one_line_is_cut_to_its_width(void **state)
{
    struct buf out = BUF_INIT;

    (void)state;
    terminal_cut("日本語 and more", 6, &out);
    assert_string_equal(buf_str(&out), "日本…");
    buf_reset(&out);
    terminal_cut("short", 6, &out);
    assert_string_equal(buf_str(&out), "short");
    buf_reset(&out);
    terminal_cut("text", 0, &out);
    assert_int_equal(out.len, 0);
    buf_clear(&out);
}

static void a_series_is_drawn_at_every_width(void **state)
{
    struct casefile c;

    (void)state;
    open_case("network_connectivity", &c);
    for (size_t width = 1; width < 150; width++) {
        struct buf out = BUF_INIT;
        chart_bars(&c.series, width, 5, &out);
        assert_true(out.len > 0);
        if (width >= 40 && widest(buf_str(&out)) > width)
            fail_msg("width %zu: %s", width, buf_str(&out));
        buf_clear(&out);
    }
    casefile_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_report_is_as_reviewed),
        cmocka_unit_test(step_lines_and_the_live_view_are_as_reviewed),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(no_escape_sequence_from_outside_reaches_the_terminal),
        cmocka_unit_test(text_is_measured_in_columns),
        cmocka_unit_test(text_is_wrapped_at_blanks),
        cmocka_unit_test(one_line_is_cut_to_its_width),
        cmocka_unit_test(a_series_is_drawn_at_every_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
