/* Jobs as lines for those who may read them; what was seen before, and what people said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/slack/home_view.h"
#include "../../src/slack/seen.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/report/wording.h"
#include "slack_limits.h"

#define AT INT64_C(1787047378000)
#define PUBLIC "{\"user_name\":\"anna\",\"public\":true}"
#define PRIVATE "{\"user_name\":\"anna\",\"public\":false}"

static char *text_of(const char *s)
{
    return (char *)(uintptr_t)s;
}

/* Strings are lent by the test. */
static struct job job_in(const char *channel, const char *request)
{
    return (struct job){ .state = JOB_DONE,
                         .channel = text_of(channel),
                         .requester = text_of("U0ANNA"),
                         .request = text_of(request),
                         .issue_ref = text_of("4507"),
                         .issue_short_id = text_of("SHOP-1A2"),
                         .summary = text_of("The database is down"),
                         .cause = text_of("database_down"),
                         .confidence = text_of("high"),
                         .thread_ts = text_of("1787047378.000100"),
                         .created_ms = AT - 9000,
                         .started_ms = AT - 8000,
                         .finished_ms = AT };
}

static void what_the_bot_keeps_with_a_job_comes_back(void **state)
{
    struct job_extra extra = { .user_name = text_of("anna \"a\""), .is_public = true }, back;
    char *text = job_extra_write(&extra);
    struct job job = { .request = text };

    (void)state;
    job_extra_read(&job, &back);
    assert_string_equal(back.user_name, "anna \"a\"");
    assert_true(back.is_public);
    assert_false(back.in_thread);
    job_extra_clear(&back);
    free(text);
    job.request = NULL; /* written by nobody, or by another version: nothing is taken for granted */
    job_extra_read(&job, &back);
    assert_null(back.user_name);
    assert_false(back.is_public);
    job.request = text_of("not JSON");
    job_extra_read(&job, &back);
    assert_false(back.is_public);
}

static void a_row_tells_what_its_reader_may_know(void **state)
{
    static const struct {
        const char *channel, *request, *reader_channel, *reader;
        bool visible;
    } cases[] = {
        { "C0HERE", PRIVATE, "C0HERE", "U0BERT", true },
        { "C0HERE", PRIVATE, "C0THERE", "U0BERT", false },
        { "C0HERE", PRIVATE, "C0THERE", "U0ANNA", true },
        { "C0HERE", PUBLIC, "C0THERE", "U0BERT", true },
        { "C0HERE", PUBLIC, NULL, "U0BERT", true },
        { "C0HERE", NULL, NULL, "U0BERT", false },
    };
    struct access *access = access_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct job job = job_in(cases[i].channel, cases[i].request);
        struct job_list list = { .items = &job, .n = 1 };
        struct reader reader = { access, cases[i].reader_channel, cases[i].reader };
        struct job_rows rows = { 0 };
        job_rows_add(&rows, &list, &reader, true);
        assert_int_equal(rows.n, 1);
        assert_int_equal(rows.hidden, !cases[i].visible);
        assert_int_equal(rows.items[0].since_ms, AT);
        assert_string_equal(rows.items[0].state, "done");
        if (cases[i].visible) {
            assert_string_equal(rows.items[0].issue, "SHOP-1A2");
            assert_string_equal(rows.items[0].permalink,
                                "https://slack.com/archives/C0HERE/p1787047378000100");
        } else {
            assert_null(strstr(rows.items[0].issue, "SHOP"));
            assert_null(rows.items[0].detail);
            assert_null(rows.items[0].permalink);
            assert_null(rows.items[0].asker);
        }
        job_rows_clear(&rows);
        job_rows_add(&rows, &list, &reader, false);
        assert_int_equal(rows.n, cases[i].visible);
        job_rows_clear(&rows);
    }
    access_free(access);
}

static void an_earlier_diagnosis_is_told_as_far_as_the_channel_may_know(void **state)
{
    static const struct {
        enum seen_by by;
        const char *channel, *request;
        bool known, linked;
    } cases[] = {
        { SEEN_BY_ISSUE, "C0HERE", PRIVATE, true, true },
        { SEEN_BY_ISSUE, "C0THERE", PRIVATE, true, false },
        { SEEN_BY_ISSUE, "C0THERE", PUBLIC, true, true },
        { SEEN_BY_TARGET, "C0HERE", PRIVATE, true, true },
        { SEEN_BY_TARGET, "C0THERE", PRIVATE, false, false },
        { SEEN_BY_FINGERPRINT, "C0THERE", PRIVATE, false, false },
        { SEEN_BY_FINGERPRINT, "C0THERE", PUBLIC, true, true },
    };
    struct access *access = access_new();
    struct reader here = { .access = access, .channel = "C0HERE" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct store_seen found = { .by = cases[i].by,
                                    .job = job_in(cases[i].channel, cases[i].request),
                                    .right = 2,
                                    .wrong = 1 };
        struct seen seen, back;
        seen_read(&found, &here, &seen);
        assert_int_equal(seen.known, cases[i].known);
        assert_int_equal(seen.before.permalink != NULL, cases[i].linked);
        if (seen.known) {
            assert_string_equal(seen.before.issue, "SHOP-1A2");
            assert_string_equal(seen.before.verdict, "The database is down (confidence: high)");
            assert_string_equal(seen.before.judged, "right");
            cJSON *json = seen_to_json(&seen);
            seen_from_json(json, &back);
            assert_string_equal(back.before.verdict, seen.before.verdict);
            assert_string_equal(back.before.judged, "right");
            assert_int_equal(back.before.at_ms, AT);
            assert_true(text_same(back.before.permalink, seen.before.permalink));
            seen_clear(&back);
            cJSON_Delete(json);
        }
        seen_clear(&seen);
    }
    access_free(access);
}

static void nothing_seen_stays_nothing(void **state)
{
    struct access *access = access_new();
    struct reader here = { .access = access, .channel = "C0HERE" };
    struct store_seen found = { .job = job_in("C0HERE", PUBLIC) };
    struct seen seen;

    (void)state;
    seen_read(NULL, &here, &seen);
    assert_false(seen.known);
    found.job.cause = text_of("a cause of the future");
    seen_read(&found, &here, &seen);
    assert_false(seen.known);
    seen_clear(&seen);
    seen_from_json(NULL, &seen);
    assert_false(seen.known);
    access_free(access);
}

static void opinions_are_counted_and_the_last_real_cause_told(void **state)
{
    struct job_feedback items[] = {
        { .verdict = text_of("right") },
        { .verdict = text_of("wrong"), .real_cause = text_of("network_connectivity") },
        { .verdict = text_of("wrong"), .real_cause = text_of("database_restart") },
        { .verdict = text_of("wrong"), .real_cause = text_of("gremlins") },
    };
    struct job_feedback_list list = { .items = items, .n = ARRAY_LEN(items) };
    struct opinions o;

    (void)state;
    opinions_read(&list, &o);
    assert_int_equal(o.right, 1);
    assert_int_equal(o.wrong, 3);
    assert_string_equal(o.real_cause, word_cause(CAUSE_DATABASE_RESTART));
    opinions_clear(&o);
    opinions_read(NULL, &o);
    assert_int_equal(o.right + o.wrong, 0);
}

/* ---- fingerprints ---- */

static void fingerprint_of(const char *engine, const char *failure, const char *host,
                           const char *line, struct buf *out)
{
    struct casefile c;

    casefile_init(&c);
    c.target.engine = xstrdup(engine);
    c.target.failure = xstrdup(failure);
    c.target.host = xstrdup(host);
    c.issue.error_line = xstrdup(line);
    c.issue.project = xstrdup("shop");
    job_fingerprint(&c, out);
    casefile_clear(&c);
}

static void a_fingerprint_tells_errors_apart_but_not_their_numbers(void **state)
{
    static const struct {
        const char *engine, *failure, *host, *line;
        bool same;
    } cases[] = {
        { "postgresql", "connection_refused", "db-1",
          "Error: connection to 10.0.0.9:5432 failed after 31 ms", true },
        { "mysql", "connection_refused", "db-1",
          "Error: connection to 10.0.0.1:5432 failed after 20 ms", false },
        { "postgresql", "timeout", "db-1", "Error: connection to 10.0.0.1:5432 failed after 20 ms",
          false },
        { "postgresql", "connection_refused", "db-2",
          "Error: connection to 10.0.0.1:5432 failed after 20 ms", false },
        { "postgresql", "connection_refused", "db-1", "Error: too many clients", false },
    };
    struct buf first = BUF_INIT, other = BUF_INIT;

    (void)state;
    fingerprint_of("postgresql", "connection_refused", "db-1",
                   "Error: connection to 10.0.0.1:5432 failed after 20 ms", &first);
    assert_int_equal(first.len, 16);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf_reset(&other);
        fingerprint_of(cases[i].engine, cases[i].failure, cases[i].host, cases[i].line, &other);
        assert_int_equal(text_same(buf_str(&first), buf_str(&other)), cases[i].same);
    }
    buf_reset(&other);
    fingerprint_of("postgresql", "connection_refused", "db-1", NULL, &other);
    assert_int_equal(other.len, 0);
    buf_clear(&first);
    buf_clear(&other);
}

/* ---- the App Home ---- */

static void the_home_shows_what_runs_and_what_was_found(void **state)
{
    struct job_row running = { .issue = "SHOP-1A2", .state = "running", .since_ms = AT };
    struct job_row found = {
        .issue = "SHOP-9", .state = "done", .detail = "<!channel> *it*", .since_ms = AT
    };
    struct job_rows live = { .items = &running, .n = 1, .hidden = 2 };
    struct job_rows recent = { .items = &found, .n = 1 };
    struct home_input in = { .command = "/dbconn", .live = &live, .recent = &recent };
    cJSON *view = home_view(&in);
    char *text = json_print(view);

    (void)state;
    assert_string_equal(json_str(view, "type"), "home");
    assert_non_null(strstr(text, "SHOP-1A2"));
    assert_non_null(strstr(text, "SHOP-9"));
    assert_non_null(strstr(text, "2 more in other conversations"));
    assert_non_null(strstr(text, "/dbconn help"));
    assert_null(strstr(text, "<!channel>"));
    assert_null(blocks_problem(json_get(view, "blocks"), 100));
    free(text);
    cJSON_Delete(view);
}

static void the_home_of_somebody_who_may_not_says_so_and_helps(void **state)
{
    struct home_input in = { .command = "/dbconn", .note = "I may not do this here." };
    cJSON *view = home_view(&in);
    char *text = json_print(view);

    (void)state;
    assert_non_null(strstr(text, "I may not do this here."));
    assert_non_null(strstr(text, "/dbconn help"));
    assert_null(strstr(text, "Recent"));
    free(text);
    cJSON_Delete(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_bot_keeps_with_a_job_comes_back),
        cmocka_unit_test(a_row_tells_what_its_reader_may_know),
        cmocka_unit_test(an_earlier_diagnosis_is_told_as_far_as_the_channel_may_know),
        cmocka_unit_test(nothing_seen_stays_nothing),
        cmocka_unit_test(opinions_are_counted_and_the_last_real_cause_told),
        cmocka_unit_test(a_fingerprint_tells_errors_apart_but_not_their_numbers),
        cmocka_unit_test(the_home_shows_what_runs_and_what_was_found),
        cmocka_unit_test(the_home_of_somebody_who_may_not_says_so_and_helps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
