#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "dbconn/diagnosis/casefile.h"
#include "dbconn/report/chart.h"
#include "dbconn/slack/blocks.h"
#include "slack_limits.h"

static char *printed(cJSON *blocks)
{
    char *text = json_print(blocks);

    cJSON_Delete(blocks);
    return text;
}

static void simple_blocks_look_as_slack_wants_them(void **state)
{
    struct button button = { .action_id = "go", .text = "Go", .value = "1", .style = "primary" };
    struct blocks b;
    char *text;

    (void)state;
    blocks_init(&b, BLOCKS_MESSAGE);
    blocks_section(&b, "*hi*");
    blocks_header(&b, "Title");
    blocks_context(&b, "small");
    blocks_divider(&b);
    blocks_buttons(&b, "row", &button, 1);
    text = printed(blocks_take(&b, ""));
    assert_string_equal(
        text,
        "[{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"*hi*\",\"verbatim\":true}}"
        ","
        "{\"type\":\"header\",\"text\":{\"type\":\"plain_text\",\"text\":\"Title\",\"emoji\":false}"
        "},"
        "{\"type\":\"context\",\"elements\":[{\"type\":\"mrkdwn\",\"text\":\"small\",\"verbatim\":"
        "true}]},{\"type\":\"divider\"},"
        "{\"type\":\"actions\",\"block_id\":\"row\",\"elements\":[{\"type\":\"button\",\"action_"
        "id\":"
        "\"go\",\"text\":{\"type\":\"plain_text\",\"text\":\"Go\",\"emoji\":false},\"value\":\"1\","
        "\"style\":\"primary\"}]}]");
    free(text);
}

static void what_does_not_fit_is_counted_and_said(void **state)
{
    struct blocks b;
    cJSON *blocks;

    (void)state;
    blocks_init(&b, BLOCKS_MESSAGE);
    for (int i = 0; i < 80; i++)
        blocks_section(&b, "text");
    assert_int_equal(b.omitted, 31);
    blocks = blocks_take(&b, "See Details.");
    assert_int_equal(cJSON_GetArraySize(blocks), 50);
    assert_null(message_problem("x", blocks));
    const cJSON *note = cJSON_GetArrayItem(blocks, 49);
    assert_string_equal(json_str(json_items(note, "elements"), "text"),
                        "… 31 more parts did not fit into this message. See Details.");
    cJSON_Delete(blocks);
}

static void a_message_stays_under_its_total(void **state)
{
    char words[3000];
    struct blocks b;
    cJSON *blocks;

    (void)state;
    memset(words, 'w', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    blocks_init(&b, BLOCKS_MESSAGE);
    for (int i = 0; i < 10; i++)
        blocks_section(&b, words);
    blocks = blocks_take(&b, "See Details.");
    assert_true(limit_bytes(blocks) <= 13200 + 200);
    assert_null(message_problem("x", blocks));
    cJSON_Delete(blocks);
}

static void room_is_kept_for_what_must_not_be_missing(void **state)
{
    struct button button = { .action_id = "go", .text = "Go", .value = "1" };
    struct blocks b;
    char *text;

    (void)state;
    blocks_init(&b, BLOCKS_MESSAGE);
    blocks_keep(&b, 1, 500);
    for (int i = 0; i < 80; i++)
        blocks_section(&b, "text");
    blocks_keep(&b, 0, 0);
    blocks_buttons(&b, "row", &button, 1);
    text = printed(blocks_take(&b, ""));
    assert_non_null(strstr(text, "\"go\""));
    free(text);
}

static void a_long_section_is_split_outside_of_tokens(void **state)
{
    struct buf words = BUF_INIT;
    struct blocks b;
    cJSON *blocks;
    size_t links = 0;

    (void)state;
    for (int i = 0; i < 200; i++)
        buf_addf(&words, "%s<https://a.example/long/path|a label with blanks>", i ? " " : "");
    blocks_init(&b, BLOCKS_MESSAGE);
    blocks_section(&b, buf_str(&words));
    blocks = blocks_take(&b, "");
    assert_null(message_problem("x", blocks));
    for (const cJSON *block = json_first(blocks); block; block = block->next) {
        const char *text = json_str(json_get(block, "text"), "text");
        assert_int_equal(text[0], '<');
        assert_int_equal(text[strlen(text) - 1], '>');
        for (const char *p = text; (p = strchr(p, '<')); p++)
            links++;
    }
    assert_int_equal(links, 200);
    cJSON_Delete(blocks);
    buf_clear(&words);
}

static void rich_text_has_no_empty_parts(void **state)
{
    struct blocks b;
    struct rich r;
    char *text;

    (void)state;
    blocks_init(&b, BLOCKS_MESSAGE);
    rich_init(&r);
    rich_section(&r);
    rich_text(&r, "", RICH_PLAIN, 100);
    rich_list(&r, false);
    rich_item(&r);
    rich_item(&r);
    rich_text(&r, "one <!here> *x*", RICH_PLAIN, 100);
    rich_preformatted(&r);
    blocks_rich(&b, &r);
    rich_init(&r);
    blocks_rich(&b, &r);
    text = printed(blocks_take(&b, ""));
    assert_string_equal(text, "[{\"type\":\"rich_text\",\"elements\":[{\"type\":\"rich_text_list\","
                              "\"elements\":[{\"type\":\"rich_text_section\",\"elements\":["
                              "{\"type\":\"text\",\"text\":\"one <!here> *x*\"}]}],"
                              "\"style\":\"bullet\"}]}]");
    free(text);
}

static void rich_sentences_hold_dates_and_commands(void **state)
{
    struct blocks b;
    struct rich r;
    char *text;

    (void)state;
    blocks_init(&b, BLOCKS_MESSAGE);
    rich_init(&r);
    rich_sentence(&r, "at 2026-08-18 10:02 UTC run `ping db` ` now", RICH_PLAIN, 100);
    rich_user(&r, "U0AB");
    rich_user(&r, "<!here>");
    rich_link(&r, "javascript:x", "label", 50);
    blocks_rich(&b, &r);
    text = printed(blocks_take(&b, ""));
    assert_string_equal(
        text,
        "[{\"type\":\"rich_text\",\"elements\":[{\"type\":\"rich_text_section\",\"elements\":["
        "{\"type\":\"text\",\"text\":\"at \"},{\"type\":\"date\",\"timestamp\":1787047320,"
        "\"format\":\"{date_short_pretty} {time}\",\"fallback\":\"2026-08-18 10:02 UTC\"},"
        "{\"type\":\"text\",\"text\":\" run \"},{\"type\":\"text\",\"text\":\"ping db\","
        "\"style\":{\"code\":true}},{\"type\":\"text\",\"text\":\" ` now\"},"
        "{\"type\":\"user\",\"user_id\":\"U0AB\"},{\"type\":\"text\",\"text\":\"label\"}]}]}]");
    free(text);
}

static void make_series(struct series *s, size_t n, int64_t interval_ms)
{
    *s = (struct series){ .start_ms = INT64_C(1786960800000), .interval_ms = interval_ms };
    for (size_t i = 0; i < n; i++)
        *VEC_ADD(s->counts, s->n_counts, s->cap_counts) = (double)i;
}

static void clear_series(struct series *s)
{
    free(s->counts);
    free(s->markers);
}

static void a_chart_fits_whatever_the_series(void **state)
{
    static const struct {
        size_t n;
        int64_t interval_ms;
    } rows[] = {
        { 1, HOUR_MS },           { 24, HOUR_MS }, { 288, 5 * MINUTE_MS }, { 1440, MINUTE_MS },
        { 14, DAY_MS },           { 400, DAY_MS }, { 100, 7 * MINUTE_MS }, { 21, 90 * SECOND_MS },
        { 1000, 13 * MINUTE_MS }, { 20, HOUR_MS },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct series_marker both[] = { { INT64_C(1786960800000) + 1, (char[]){ "onset" } },
                                        { INT64_C(1786960800000) + 2, (char[]){ "release x" } } };
        struct series s;
        struct chart ch;
        struct blocks b;
        double total = 0;
        make_series(&s, rows[i].n, rows[i].interval_ms);
        s.markers = both;
        s.n_markers = 2;
        assert_true(chart_build(&s, 20, &ch));
        for (size_t k = 0; k < ch.n; k++)
            total += ch.buckets[k].count;
        assert_true(total == (double)(rows[i].n * (rows[i].n - 1) / 2)); /* nothing is lost */
        assert_true(ch.buckets[0].onset && ch.buckets[0].release);
        blocks_init(&b, BLOCKS_MESSAGE);
        blocks_chart(&b, &ch);
        cJSON *blocks = blocks_take(&b, "");
        assert_int_equal(cJSON_GetArraySize(blocks), 1);
        const char *problem = message_problem("x", blocks);
        if (problem)
            fail_msg("%zu intervals: %s", rows[i].n, problem);
        cJSON_Delete(blocks);
        s.markers = NULL;
        clear_series(&s);
    }
}

static void a_series_without_sense_gives_no_chart(void **state)
{
    struct series s;
    struct chart ch;

    (void)state;
    make_series(&s, 10, HOUR_MS);
    s.interval_ms = 0;
    assert_false(chart_build(&s, 20, &ch));
    s.interval_ms = INT64_MAX;
    assert_false(chart_build(&s, 20, &ch));
    s.interval_ms = HOUR_MS;
    s.start_ms = TIME_UNKNOWN;
    assert_false(chart_build(&s, 20, &ch));
    s.start_ms = INT64_MAX;
    assert_false(chart_build(&s, 20, &ch));
    clear_series(&s);
}

static void a_view_cuts_its_title(void **state)
{
    struct blocks b;
    cJSON *view;

    (void)state;
    blocks_init(&b, BLOCKS_MODAL);
    blocks_section(&b, "text");
    view = modal_view("cb", "A title that is much too long for a modal", "Send", "m",
                      blocks_take(&b, ""));
    assert_null(modal_problem(view));
    cJSON_Delete(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simple_blocks_look_as_slack_wants_them),
        cmocka_unit_test(what_does_not_fit_is_counted_and_said),
        cmocka_unit_test(a_message_stays_under_its_total),
        cmocka_unit_test(room_is_kept_for_what_must_not_be_missing),
        cmocka_unit_test(a_long_section_is_split_outside_of_tokens),
        cmocka_unit_test(rich_text_has_no_empty_parts),
        cmocka_unit_test(rich_sentences_hold_dates_and_commands),
        cmocka_unit_test(a_chart_fits_whatever_the_series),
        cmocka_unit_test(a_series_without_sense_gives_no_chart),
        cmocka_unit_test(a_view_cuts_its_title),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
