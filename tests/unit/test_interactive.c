/* What was pressed or sent, read from Slack's payloads; and the links in messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/slack/message_link.h"
#include "../../src/slack/press.h"
#include "dbconn/base/json.h"
#include "dbconn/slack/modal.h"

#define JOB "1m83y5x4ssgfhrcatt"

static struct press *press_of(const char *action_id, const char *value, const char *more)
{
    char *text = xasprintf("{\"type\":\"block_actions\",\"actions\":[{\"type\":\"button\","
                           "\"action_id\":\"%s\",\"value\":\"%s\","
                           "\"action_ts\":\"1605853645.582706\"}]%s}",
                           action_id, value, more);
    cJSON *payload = cJSON_Parse(text);
    struct press *press;

    assert_non_null(payload);
    press = press_read(payload);
    cJSON_Delete(payload);
    free(text);
    return press;
}

static void every_button_is_read_with_its_job(void **state)
{
    (void)state;
    for (int b = 0; b < BUTTON_COUNT; b++) {
        bool paged = b == BUTTON_DETAILS_NEXT || b == BUTTON_DETAILS_PREVIOUS;
        struct press *p =
            press_of(button_action_id((enum button_action)b), paged ? JOB ":3" : JOB, "");
        assert_non_null(p);
        assert_int_equal(p->action, b);
        if (!press_is_link(p))
            assert_string_equal(p->job_id, JOB);
        assert_int_equal(p->page, paged ? 3 : 0);
        assert_int_equal(p->pressed_ms, INT64_C(1605853645582));
        assert_null(p->view_id);
        press_free(p);
    }
}

static void what_is_no_button_of_ours_or_names_no_job_is_none(void **state)
{
    static const struct {
        const char *action, *value;
    } cases[] = {
        { "somebody_elses", JOB },
        { "", JOB },
        { "dbconn_cancel", "" },
        { "dbconn_cancel", "1m83y5x4ssgfhrcat" },
        { "dbconn_cancel", "../../../../etc/pas" },
        { "dbconn_details_next", JOB },
        { "dbconn_details_next", JOB ":" },
        { "dbconn_details_next", JOB ":-1" },
        { "dbconn_details_next", ":3" },
        { "dbconn_details_next", JOB ":99999999999" },
    };
    static const char *const payloads[] = { "{}",
                                            "{\"actions\":[]}",
                                            "{\"actions\":null}",
                                            "{\"actions\":[null]}",
                                            "{\"actions\":[{}]}",
                                            "{\"actions\":{\"action_id\":\"dbconn_cancel\"}}" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_null(press_of(cases[i].action, cases[i].value, ""));
    for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
        cJSON *payload = cJSON_Parse(payloads[i]);
        assert_non_null(payload);
        assert_null(press_read(payload));
        cJSON_Delete(payload);
    }
    assert_null(press_read(NULL));
}

static void a_press_in_a_modal_knows_its_view(void **state)
{
    struct press *a = press_of("dbconn_details_next", JOB ":1",
                               ",\"container\":{\"type\":\"view\",\"view_id\":\"V111\"}");
    struct press *b =
        press_of("dbconn_details_next", JOB ":1", ",\"container\":null,\"view\":{\"id\":\"V222\"}");

    (void)state;
    assert_string_equal(a->view_id, "V111");
    assert_string_equal(b->view_id, "V222");
    press_free(a);
    press_free(b);
}

static void only_what_opens_a_view_is_acknowledged_before_it_is_done(void **state)
{
    static const struct {
        enum button_action action;
        bool opens, link;
    } cases[] = {
        { BUTTON_RERUN, false, false },       { BUTTON_RETRY_FAILED, false, false },
        { BUTTON_CANCEL, false, false },      { BUTTON_DETAILS, true, false },
        { BUTTON_DETAILS_NEXT, true, false }, { BUTTON_DETAILS_PREVIOUS, true, false },
        { BUTTON_RIGHT, false, false },       { BUTTON_WRONG, false, false },
        { BUTTON_REAL_CAUSE, true, false },   { BUTTON_OPEN_SENTRY, false, true },
        { BUTTON_OPEN_PULL, false, true },
    };

    (void)state;
    assert_int_equal(ARRAY_LEN(cases), BUTTON_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct press p = { .action = cases[i].action };
        assert_int_equal(press_opens_view(&p), cases[i].opens);
        assert_int_equal(press_is_link(&p), cases[i].link);
    }
}

static void a_submitted_form_is_kept_and_is_no_view_to_open(void **state)
{
    cJSON *payload =
        cJSON_Parse("{\"type\":\"view_submission\",\"view\":{\"callback_id\":\"" MODAL_REAL_CAUSE
                    "\",\"private_metadata\":\"" JOB "\",\"state\":{\"values\":{}}}}");
    cJSON *other = cJSON_Parse("{\"type\":\"view_submission\",\"view\":{\"callback_id\":\"x\"}}");
    struct press *p = press_read_form(payload);

    (void)state;
    cJSON_Delete(payload);
    assert_string_equal(p->job_id, JOB);
    assert_non_null(json_get(p->form, "state"));
    assert_false(press_opens_view(p));
    press_free(p);
    assert_null(press_read_form(other));
    assert_null(press_read_form(NULL));
    cJSON_Delete(other);
    press_free(NULL);
}

static void a_press_before_the_job_last_ended_is_stale(void **state)
{
    static const struct {
        int64_t pressed, finished;
        bool stale;
    } cases[] = {
        { 1000000, 1030000, true },       { 1000000, 1009000, false }, /* the clocks differ */
        { 1030000, 1000000, false },      { TIME_UNKNOWN, 1030000, false },
        { 1000000, TIME_UNKNOWN, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct press p = { .pressed_ms = cases[i].pressed,
                           .job = { .finished_ms = cases[i].finished } };
        assert_int_equal(press_is_stale(&p), cases[i].stale);
    }
}

static void a_time_that_is_none_is_unknown(void **state)
{
    static const struct {
        const char *ts;
        int64_t ms;
    } cases[] = {
        { "1605853645.582706", INT64_C(1605853645582) },
        { "1605853645", INT64_C(1605853645000) },
        { "1605853645.5", INT64_C(1605853645500) },
        { "", TIME_UNKNOWN },
        { "yesterday", TIME_UNKNOWN },
        { "-5", TIME_UNKNOWN },
        { "99999999999999999999.0", TIME_UNKNOWN },
        { "12x", TIME_UNKNOWN },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = xasprintf("{\"actions\":[{\"action_id\":\"dbconn_cancel\",\"value\":\"" JOB
                               "\",\"action_ts\":\"%s\"}]}",
                               cases[i].ts);
        cJSON *payload = cJSON_Parse(text);
        struct press *p = press_read(payload);
        assert_int_equal(p->pressed_ms, cases[i].ms);
        press_free(p);
        cJSON_Delete(payload);
        free(text);
    }
}

/* ---- links in messages ---- */

static void the_issue_of_a_message_is_found_wherever_it_stands(void **state)
{
    static const struct {
        const char *message, *link; /* NULL: none */
    } cases[] = {
        { "{\"text\":\"see <https://acme.sentry.io/issues/4507/?a=1&amp;b=2|SHOP-1A2>\"}",
          "https://acme.sentry.io/issues/4507/?a=1&b=2" },
        { "{\"text\":\"https://acme.sentry.io/issues/4507/ now\"}",
          "https://acme.sentry.io/issues/4507/" },
        { "{\"text\":\"\",\"attachments\":[{\"title\":\"Error\","
          "\"title_link\":\"https://acme.sentry.io/issues/4507/\"}]}",
          "https://acme.sentry.io/issues/4507/" },
        { "{\"text\":\"New issue\",\"blocks\":[{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\","
          "\"text\":\":red_circle: <https://acme.sentry.io/issues/4507/|*Refused*>\"}}]}",
          "https://acme.sentry.io/issues/4507/" },
        { "{\"blocks\":[{\"type\":\"rich_text\",\"elements\":[{\"type\":\"rich_text_section\","
          "\"elements\":[{\"type\":\"link\",\"url\":\"https://acme.sentry.io/issues/4507/\"}]}]}]}",
          "https://acme.sentry.io/issues/4507/" },
        { "{\"attachments\":[{\"blocks\":[{\"type\":\"actions\",\"elements\":[{\"type\":\"button\","
          "\"url\":\"https://acme.sentry.io/issues/4507/\"}]}]}]}",
          "https://acme.sentry.io/issues/4507/" },
        /* Other links first: another host, another organization, a page that is no issue. */
        { "{\"text\":\"<https://github.com/acme/shop/issues/5> <https://other.sentry.io/issues/9/> "
          "<https://acme.sentry.io/settings/> <https://acme.sentry.io/issues/4507/>\"}",
          "https://acme.sentry.io/issues/4507/" },
        { "{\"text\":\"https://github.com/acme/shop/issues/5\"}", NULL },
        { "{\"text\":\"https://evil.example/acme.sentry.io/issues/4507/\"}", NULL },
        { "{\"text\":\"SHOP-1A2 is on fire\"}", NULL },
        { "{\"text\":null,\"attachments\":null,\"blocks\":7}", NULL },
        { "{}", NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cJSON *message = cJSON_Parse(cases[i].message);
        struct buf link = BUF_INIT;
        assert_non_null(message);
        bool found = message_issue_link(message, "https://sentry.io", "acme", &link);
        if (found != (cases[i].link != NULL) ||
            (found && strcmp(buf_str(&link), cases[i].link) != 0))
            fail_msg("%s: %s", cases[i].message, buf_str(&link));
        buf_clear(&link);
        cJSON_Delete(message);
    }
}

static void a_huge_or_deep_message_is_read_up_to_a_limit(void **state)
{
    cJSON *message = cJSON_CreateObject(), *at = message;
    struct buf text = BUF_INIT, link = BUF_INIT, big = BUF_INIT;

    (void)state;
    for (int i = 0; i < 5000; i++)
        buf_adds(&big, "http://x/issues/ ");
    json_put_str(message, "text", buf_str(&big));
    for (int i = 0; i < 60; i++)
        at = json_put_object(at, "blocks");
    json_put_str(at, "url", "https://acme.sentry.io/issues/4507/");
    assert_false(message_issue_link(message, "https://sentry.io", "acme", &link));
    message_text(message, &text);
    assert_true(text.len <= (64 << 10) + 1);
    buf_clear(&text);
    buf_clear(&link);
    buf_clear(&big);
    cJSON_Delete(message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_button_is_read_with_its_job),
        cmocka_unit_test(what_is_no_button_of_ours_or_names_no_job_is_none),
        cmocka_unit_test(a_press_in_a_modal_knows_its_view),
        cmocka_unit_test(only_what_opens_a_view_is_acknowledged_before_it_is_done),
        cmocka_unit_test(a_submitted_form_is_kept_and_is_no_view_to_open),
        cmocka_unit_test(a_press_before_the_job_last_ended_is_stale),
        cmocka_unit_test(a_time_that_is_none_is_unknown),
        cmocka_unit_test(the_issue_of_a_message_is_found_wherever_it_stands),
        cmocka_unit_test(a_huge_or_deep_message_is_read_up_to_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
