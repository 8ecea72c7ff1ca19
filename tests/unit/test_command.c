#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dbconn/base/text.h"
#include "dbconn/slack/command.h"
#include "dbconn/slack/command_reply.h"

#define BOT "U0BOT"

static void a_command_is_read_as_typed(void **state)
{
    static const struct {
        const char *text;
        enum command_kind kind;
        const char *argument;
    } rows[] = {
        { NULL, COMMAND_HELP, "" },
        { "", COMMAND_HELP, "" },
        { "   ", COMMAND_HELP, "" },
        { "help", COMMAND_HELP, "" },
        { "HELP me", COMMAND_HELP, "" },
        { "?", COMMAND_HELP, "" },
        { "status", COMMAND_STATUS, "" },
        { "Status", COMMAND_STATUS, "" },
        { "SHOP-1A2", COMMAND_INVESTIGATE, "SHOP-1A2" },
        { "  SHOP-1A2  please", COMMAND_INVESTIGATE, "SHOP-1A2 please" },
        { "4509062593", COMMAND_INVESTIGATE, "4509062593" },
        { "run SHOP-1A2", COMMAND_INVESTIGATE, "SHOP-1A2" },
        { "<https://acme.sentry.io/issues/1/?a=b&amp;c=d>", COMMAND_INVESTIGATE,
          "https://acme.sentry.io/issues/1/?a=b&c=d" },
        { "<https://acme.sentry.io/issues/1/|acme.sentry.io/issues/1> see this",
          COMMAND_INVESTIGATE, "https://acme.sentry.io/issues/1/ see this" },
        { "“SHOP-1A2”", COMMAND_INVESTIGATE, "\"SHOP-1A2\"" },
        { "statuspage", COMMAND_INVESTIGATE, "statuspage" },
        { "cancel SHOP-1A2", COMMAND_CANCEL, "SHOP-1A2" },
        { "stop 42", COMMAND_CANCEL, "42" },
        { "history", COMMAND_HISTORY, "" },
        { "history db-1.internal", COMMAND_HISTORY, "db-1.internal" },
        { "cancel", COMMAND_INVALID, "" },
        { "run ", COMMAND_INVALID, "" },
        { "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D 😀", COMMAND_INVESTIGATE,
          "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D 😀" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct command c;
        command_parse("/dbconn", rows[i].text, &c);
        if (c.kind != rows[i].kind || strcmp(buf_str(&c.argument), rows[i].argument) != 0)
            fail_msg("\"%s\": kind %d, \"%s\"", rows[i].text, c.kind, buf_str(&c.argument));
        assert_int_equal(c.kind == COMMAND_INVALID, c.problem.len > 0);
        if (c.problem.len > 0)
            assert_non_null(strstr(buf_str(&c.problem), "/dbconn"));
        command_clear(&c);
    }
}

static void too_much_text_is_refused_with_an_example(void **state)
{
    char *text = xmalloc(COMMAND_MAX_TEXT + 2);
    struct command c;

    (void)state;
    memset(text, 'a', COMMAND_MAX_TEXT + 1);
    text[COMMAND_MAX_TEXT + 1] = '\0';
    command_parse("/dbconn", text, &c);
    assert_int_equal(c.kind, COMMAND_INVALID);
    assert_non_null(strstr(buf_str(&c.problem), "/dbconn SHOP-1A2"));
    command_clear(&c);
    text[COMMAND_MAX_TEXT] = '\0';
    command_parse("/dbconn", text, &c);
    assert_int_equal(c.kind, COMMAND_INVESTIGATE);
    command_clear(&c);
    free(text);
}

static void a_mention_is_read_on_both_sides(void **state)
{
    static const struct {
        const char *text;
        enum command_kind kind;
        const char *argument;
    } rows[] = {
        { "<@" BOT "> SHOP-1A2", COMMAND_INVESTIGATE, "SHOP-1A2" },
        { "<@" BOT "|dbconn> status", COMMAND_STATUS, "" },
        { "<@" BOT ">", COMMAND_HELP, "" },
        { "<@" BOT "> help", COMMAND_HELP, "" },
        { "hey <@" BOT ">", COMMAND_INVESTIGATE, "hey" },
        { "look at <https://a.sentry.io/issues/1/> <@" BOT ">", COMMAND_INVESTIGATE,
          "look at https://a.sentry.io/issues/1/" },
        { "<@U0OTHER> and <@" BOT "> SHOP-1", COMMAND_INVESTIGATE, "SHOP-1 @U0OTHER and" },
        { "<@" BOT "X> SHOP-1", COMMAND_INVESTIGATE, "@U0BOTX SHOP-1" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct command c;
        command_parse_mention("/dbconn", rows[i].text, BOT, &c);
        if (c.kind != rows[i].kind || strcmp(buf_str(&c.argument), rows[i].argument) != 0)
            fail_msg("\"%s\": kind %d, \"%s\"", rows[i].text, c.kind, buf_str(&c.argument));
        command_clear(&c);
    }
}

static void a_message_gives_its_first_issue_link(void **state)
{
    static const struct {
        const char *text, *link;
    } rows[] = {
        { "Alert: <https://acme.sentry.io/issues/7/?x=1&amp;y=2|SHOP-1> in prod",
          "https://acme.sentry.io/issues/7/?x=1&y=2" },
        { "see https://acme.sentry.io/organizations/a/issues/8/ and more",
          "https://acme.sentry.io/organizations/a/issues/8/" },
        { "<https://example.com/a> <https://acme.sentry.io/issues/9/>",
          "https://acme.sentry.io/issues/9/" },
        { "no link here", NULL },
        { "", NULL },
        { NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct command c;
        command_from_message("/dbconn", rows[i].text, &c);
        assert_int_equal(c.kind, rows[i].link ? COMMAND_INVESTIGATE : COMMAND_INVALID);
        assert_string_equal(buf_str(&c.argument), rows[i].link ? rows[i].link : "");
        command_clear(&c);
    }
}

static void slacks_wrapping_is_taken_off(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        { "<mailto:a@b.example|a@b.example>", "a@b.example" },
        { "<#C123|general>", "#general" },
        { "<#C123|>", "#C123" },
        { "<!here>", "@here" },
        { "a < b > c", "a < b > c" },
        { "<", "<" },
        { "<>", "<>" },
        { "&amp;lt;", "&lt;" },
        { "’x’", "'x'" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = BUF_INIT;
        slack_unescape(rows[i].in, &out);
        assert_string_equal(buf_str(&out), rows[i].out);
        buf_clear(&out);
    }
}

static void no_reply_lets_hostile_text_act(void **state)
{
    static const char evil[] = "<!channel> <@U1> `x` <https://e|f>";
    struct job_row row = { .issue = evil,
                           .issue_url = "javascript:x",
                           .state = evil,
                           .detail = evil,
                           .permalink = "https://a.example/x",
                           .asker = evil,
                           .since_ms = TIME_UNKNOWN };
    struct error err = ERROR_INIT;
    struct buf out = BUF_INIT;

    (void)state;
    error_set(&err, ERR_INVALID, "%s", evil);
    reply_taken(evil, 2, &out);
    reply_already_running(evil, "https://a.example/p|q", &out);
    reply_already_running(evil, NULL, &out);
    reply_answered_meanwhile(evil, "https://a.example/p|q", &out);
    reply_answered_meanwhile(evil, NULL, &out);
    reply_refused(evil, evil, evil, &out);
    reply_cannot_post(evil, evil, &out);
    reply_cannot_post("not_in_channel", evil, &out);
    reply_found(evil, evil, &out);
    reply_unknown_issue(evil, evil, "/dbconn", &out);
    reply_other_org(evil, evil, "/dbconn", &out);
    reply_other_host(evil, evil, "/dbconn", &out);
    reply_cancelled(evil, &out);
    reply_not_running(evil, "/dbconn", &out);
    reply_button_done(evil, &out);
    reply_job_gone(evil, "/dbconn", &out);
    reply_failed(&err, &out);
    reply_status(&row, 1, &out);
    reply_history(evil, &row, 1, "/dbconn", &out);
    reply_history(evil, NULL, 0, "/dbconn", &out);
    for (const char *at = strchr(buf_str(&out), '<'); at; at = strchr(at + 1, '<'))
        assert_true(text_starts(at, "<https://a.example/"));
    buf_clear(&out);
    error_clear(&err);
}

static void every_refusal_says_what_to_do(void **state)
{
    static const char *const codes[] = { "not_in_channel",
                                         "channel_not_found",
                                         "is_archived",
                                         "token_revoked",
                                         "missing_scope",
                                         "strange_error",
                                         "",
                                         NULL };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct buf out = BUF_INIT;
        reply_cannot_post(codes[i], "dbconn", &out);
        assert_true(out.len > 60);
        assert_null(strstr(buf_str(&out), "%s"));
        buf_clear(&out);
    }
    struct buf out = BUF_INIT;
    reply_refused("only people of the list may ask.", "access.allow", "DBCONN_ACCESS_ALLOW", &out);
    assert_non_null(strstr(buf_str(&out), "`access.allow`"));
    assert_non_null(strstr(buf_str(&out), "`DBCONN_ACCESS_ALLOW`"));
    buf_reset(&out);
    reply_cannot_post("channel_not_found", "dbconn", &out);
    assert_non_null(strstr(buf_str(&out), "/invite @dbconn"));
    buf_clear(&out);
}

static void a_long_list_is_counted_not_cut(void **state)
{
    struct job_row rows[300];
    struct buf out = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        rows[i] = (struct job_row){ .issue = "SHOP-1A2", .state = "waiting", .since_ms = 0 };
    reply_status(rows, ARRAY_LEN(rows), &out);
    assert_true(out.len < 4000);
    assert_non_null(strstr(buf_str(&out), " more"));
    buf_reset(&out);
    reply_status(NULL, 0, &out);
    assert_string_equal(buf_str(&out), "Nothing runs and nothing waits.");
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_read_as_typed),
        cmocka_unit_test(too_much_text_is_refused_with_an_example),
        cmocka_unit_test(a_mention_is_read_on_both_sides),
        cmocka_unit_test(a_message_gives_its_first_issue_link),
        cmocka_unit_test(slacks_wrapping_is_taken_off),
        cmocka_unit_test(no_reply_lets_hostile_text_act),
        cmocka_unit_test(every_refusal_says_what_to_do),
        cmocka_unit_test(a_long_list_is_counted_not_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
