/* The sandbox's Slack itself: what it refuses, what it lets through, what a person sees. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "slack/blocks.h"
#include "slack/limits.h"
#include "slack/show.h"

#define S10 "0123456789"
#define S50 S10 S10 S10 S10 S10
#define S150 S50 S50 S50
#define S500 S150 S150 S150 S50
#define S3000 S500 S500 S500 S500 S500 S500
#define PLAIN(text) "{\"type\":\"plain_text\",\"text\":\"" text "\"}"
#define MRKDWN(text) "{\"type\":\"mrkdwn\",\"text\":\"" text "\"}"
#define BUTTON(rest) "{\"type\":\"button\",\"text\":" PLAIN("x") rest "}"
#define RICH(text)                                                                                 \
    "{\"type\":\"rich_text\",\"elements\":[{\"type\":\"rich_text_section\",\"elements\":[{"        \
    "\"type\":"                                                                                    \
    "\"text\",\"text\":\"" text "\"}]}]}"
#define CARD(rest) "{\"type\":\"task_card\",\"task_id\":\"t\",\"title\":\"Read\"" rest "}"
#define CHART(series, categories)                                                                  \
    "{\"type\":\"data_visualization\",\"title\":\"Errors\",\"chart\":{\"type\":\"bar\","           \
    "\"series\":[" series "],\"axis_config\":{\"categories\":[" categories "]}}}"

/* Each is the content of "blocks"; `refused` is part of the complaint, NULL: Slack takes it. */
static const struct {
    const char *name, *blocks, *refused;
} cases[] = {
    { "a section", "{\"type\":\"section\",\"text\":" MRKDWN("x") "}", NULL },
    { "a section of 3000", "{\"type\":\"section\",\"text\":" MRKDWN(S3000) "}", NULL },
    { "a section of 3001", "{\"type\":\"section\",\"text\":" MRKDWN(S3000 "x") "}",
      "less than 3001 characters [json-pointer:/blocks/0/text/text]" },
    { "an empty text", "{\"type\":\"section\",\"text\":" MRKDWN("") "}", "more than 0" },
    { "a section without text", "{\"type\":\"section\"}", "missing required field: text" },
    { "a section with fields only", "{\"type\":\"section\",\"fields\":[" MRKDWN("x") "]}", NULL },
    { "an unknown member", "{\"type\":\"divider\",\"colour\":\"red\"}",
      "invalid additional property: colour" },
    { "an unknown type", "{\"type\":\"marquee\"}",
      "unsupported type: marquee [json-pointer:/blocks/0/type]" },
    { "no type", "{\"text\":\"x\"}", "unsupported type: (none)" },
    { "a header of 150", "{\"type\":\"header\",\"text\":" PLAIN(S150) "}", NULL },
    { "a header of 151", "{\"type\":\"header\",\"text\":" PLAIN(S150 "x") "}", "less than 151" },
    { "a header of mrkdwn", "{\"type\":\"header\",\"text\":" MRKDWN("x") "}", "plain_text" },
    { "an empty context", "{\"type\":\"context\",\"elements\":[]}", "no less than 1" },
    { "a button", "{\"type\":\"actions\",\"elements\":[" BUTTON("") "]}", NULL },
    { "two buttons of one action",
      "{\"type\":\"actions\",\"elements\":[" BUTTON(",\"action_id\":\"a\"") "," BUTTON(
          ",\"action_id\":\"a\"") "]}",
      "already exists" },
    { "a button of another style",
      "{\"type\":\"actions\",\"elements\":[" BUTTON(",\"style\":\"green\"") "]}", "enum" },
    { "a button to nowhere",
      "{\"type\":\"actions\",\"elements\":[" BUTTON(",\"url\":\"javascript:1\"") "]}",
      "Invalid url" },
    { "an input in a message's actions",
      "{\"type\":\"actions\",\"elements\":[{\"type\":\"plain_text_input\"}]}", "unsupported type" },
    { "an image without alternative text",
      "{\"type\":\"image\",\"image_url\":\"https://x.example/a.png\"}", "alt_text" },
    { "an image of an unknown file",
      "{\"type\":\"image\",\"alt_text\":\"x\",\"slack_file\":{\"id\":\"F0NOTTHERE\"}}",
      "invalid slack file [json-pointer:/blocks/0/slack_file]" },
    { "rich text", RICH("x"), NULL },
    { "rich text with an empty text", RICH(""), "more than 0" },
    { "a list in rich text",
      "{\"type\":\"rich_text\",\"elements\":[{\"type\":\"rich_text_list\",\"style\":\"bullet\","
      "\"elements\":[{\"type\":\"rich_text_section\",\"elements\":[]}]}]}",
      NULL },
    { "a list of another style",
      "{\"type\":\"rich_text\",\"elements\":[{\"type\":\"rich_text_list\",\"style\":\"dash\","
      "\"elements\":[]}]}",
      "enum" },
    { "a plan",
      "{\"type\":\"plan\",\"title\":\"Plan\",\"tasks\":[" CARD(",\"status\":\"complete\"") "]}",
      NULL },
    { "a plan without title", "{\"type\":\"plan\",\"tasks\":[" CARD("") "]}", "title" },
    { "a plan with a task twice",
      "{\"type\":\"plan\",\"title\":\"Plan\",\"tasks\":[" CARD("") "," CARD("") "]}", "unique" },
    { "a task in another state", CARD(",\"status\":\"done\""), "enum" },
    { "a task with details", CARD(",\"details\":" RICH("x")), NULL },
    { "a task with plain details", CARD(",\"details\":\"x\""), "must be an object" },
    { "a chart", CHART("{\"name\":\"a\",\"data\":[{\"label\":\"1\",\"value\":2}]}", "\"1\""),
      NULL },
    { "a chart with a point too few",
      CHART("{\"name\":\"a\",\"data\":[{\"label\":\"1\",\"value\":2}]}", "\"1\",\"2\""),
      "one value for every category" },
    { "a chart with one name twice",
      CHART("{\"name\":\"a\",\"data\":[{\"label\":\"1\",\"value\":2}]},{\"name\":\"a\",\"data\":[{"
            "\"label\":\"1\",\"value\":3}]}",
            "\"1\""),
      "unique" },
    { "a block id twice",
      "{\"type\":\"divider\",\"block_id\":\"b\"},{\"type\":\"divider\",\"block_id\":\"b\"}",
      "block_id" },
};

static bool no_file(void *user, const char *id)
{
    (void)user;
    (void)id;
    return false;
}

static bool complains(const cJSON *errors, const char *what)
{
    for (const cJSON *e = errors->child; e; e = e->next)
        if (strstr(e->valuestring, what))
            return true;
    return false;
}

static void blocks_are_taken_or_refused_as_slack_does(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = xasprintf("[%s]", cases[i].blocks);
        cJSON *blocks = cJSON_Parse(text);
        struct block_report report;
        bool ok;

        assert_non_null(blocks);
        blocks_check(blocks, SURFACE_MESSAGE, "/blocks", no_file, NULL, &report);
        ok = cases[i].refused ? complains(report.errors, cases[i].refused)
                              : report.errors->child == NULL;
        if (!ok) {
            char *errors = cJSON_PrintUnformatted(report.errors);
            print_message("%s: %s\n", cases[i].name, errors);
            cJSON_free(errors);
            wrong++;
        }
        cJSON_Delete(report.errors);
        cJSON_Delete(blocks);
        free(text);
    }
    assert_int_equal(wrong, 0);
}

static void a_message_holds_fifty_blocks(void **state)
{
    cJSON *blocks = cJSON_CreateArray();

    (void)state;
    for (int n = 1; n <= 51; n++) {
        struct block_report report;
        cJSON *divider = cJSON_CreateObject();
        cJSON_AddStringToObject(divider, "type", "divider");
        cJSON_AddItemToArray(blocks, divider);
        blocks_check(blocks, SURFACE_MESSAGE, "/blocks", NULL, NULL, &report);
        assert_int_equal(report.errors->child == NULL, n <= 50);
        cJSON_Delete(report.errors);
    }
    cJSON_Delete(blocks);
}

static const struct {
    const char *name, *view, *refused;
} views[] = {
    { "a modal", "{\"type\":\"modal\",\"title\":" PLAIN("x") ",\"blocks\":[]}", NULL },
    { "a long title", "{\"type\":\"modal\",\"title\":" PLAIN(S50) ",\"blocks\":[]}",
      "less than 25" },
    { "an input without submit",
      "{\"type\":\"modal\",\"title\":" PLAIN(
          "x") ",\"blocks\":[{\"type\":\"input\",\"label\":" PLAIN("x") ",\"element\":{\"type\":"
                                                                        "\"plain_text_input\","
                                                                        "\"action_id\":\"a\"}}]}",
      "submit" },
    { "a plan in a modal",
      "{\"type\":\"modal\",\"title\":" PLAIN(
          "x") ",\"blocks\":[{\"type\":\"plan\",\"title\":\"x\"}]}",
      "unsupported type: plan" },
    { "a home tab", "{\"type\":\"home\",\"blocks\":[]}", NULL },
    { "a home tab with a title", "{\"type\":\"home\",\"title\":" PLAIN("x") ",\"blocks\":[]}",
      "invalid additional property: title" },
    { "another type", "{\"type\":\"popup\",\"blocks\":[]}", "modal, home" },
};

static void views_are_taken_or_refused_as_slack_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
        cJSON *view = cJSON_Parse(views[i].view);
        struct block_report report;

        assert_non_null(view);
        view_check(view, &report);
        if (views[i].refused)
            assert_true(complains(report.errors, views[i].refused));
        else
            assert_null(report.errors->child);
        cJSON_Delete(report.errors);
        cJSON_Delete(view);
    }
}

static void limits_count_in_a_sliding_window(void **state)
{
    struct limits limits = { 0 };

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(limits_take(&limits, "m", 3, 60000, 1000 + i), 0);
    assert_int_equal(limits_take(&limits, "m", 3, 60000, 2000), 59000);
    assert_int_equal(limits_take(&limits, "other", 3, 60000, 2000), 0);
    assert_int_equal(limits_take(&limits, "m", 3, 60000, 61001), 0);
    limits_clear(&limits);
}

static void a_pace_allows_a_burst_and_then_one_at_a_time(void **state)
{
    struct limits limits = { 0 };

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(limits_pace(&limits, "c", 1000, 3, 5000), 0);
    assert_int_equal(limits_pace(&limits, "c", 1000, 3, 5000), 1000);
    assert_int_equal(limits_pace(&limits, "c", 1000, 3, 6000), 0);
    assert_int_equal(limits_pace(&limits, "c", 1000, 3, 6200), 800);
    assert_int_equal(limits_pace(&limits, "c", 1000, 3, 60000), 0);
    limits_clear(&limits);
}

static const struct {
    const char *mrkdwn, *shown;
} texts[] = {
    { "plain", "plain" },
    { "a &amp; b &lt;c&gt;", "a & b <c>" },
    { "<https://x.example/?a=1&amp;b=2|the page>", "the page (https://x.example/?a=1&b=2)" },
    { "<https://x.example>", "https://x.example" },
    { "<@U0RAINER01> and <#C0INCIDENT>", "@rainer and #incidents" },
    { "<!channel> <!here|here> <!subteam^S0ONCALL01>", "@channel @here @oncall" },
    { "<!date^1767323045^{date_short} {time}|2 January>", "2 January" },
    { "&lt;!channel&gt;", "<!channel>" },
    { "an < alone", "an < alone" },
};

static void mrkdwn_is_shown_as_it_reads(void **state)
{
    struct workspace ws;

    (void)state;
    workspace_init(&ws, NULL);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct buf out = BUF_INIT;
        show_mrkdwn(&ws, texts[i].mrkdwn, &out);
        assert_string_equal(buf_str(&out), texts[i].shown);
        buf_clear(&out);
    }
    workspace_clear(&ws);
}

static void a_page_holds_no_markup_of_the_messages(void **state)
{
    struct workspace ws;
    struct buf page = BUF_INIT;

    (void)state;
    workspace_init(&ws, NULL);
    struct channel *channel = workspace_channel(&ws, "C0INCIDENT");
    struct message *m = channel_add(&ws, channel, "U0RAINER01");
    xreplace(&m->text, "<script>alert(1)</script> *bold* `a < b` <javascript:alert(1)|press>");
    show_page(&ws, channel, "/click", &page);
    assert_null(strstr(buf_str(&page), "<script>alert"));
    assert_null(strstr(buf_str(&page), "href=\"javascript"));
    assert_non_null(strstr(buf_str(&page), "<b>bold</b>"));
    buf_clear(&page);
    workspace_clear(&ws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_taken_or_refused_as_slack_does),
        cmocka_unit_test(a_message_holds_fifty_blocks),
        cmocka_unit_test(views_are_taken_or_refused_as_slack_does),
        cmocka_unit_test(limits_count_in_a_sliding_window),
        cmocka_unit_test(a_pace_allows_a_burst_and_then_one_at_a_time),
        cmocka_unit_test(mrkdwn_is_shown_as_it_reads),
        cmocka_unit_test(a_page_holds_no_markup_of_the_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
