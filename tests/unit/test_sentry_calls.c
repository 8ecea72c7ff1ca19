/* What the Sentry client asks, how it goes from page to page, and what it says when refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dbconn/sources/sentry.h"
#include "source_bench.h"

#define ORG "GET /api/0/organizations/acme"
#define NEXT_PAGE(results, cursor)                                                                 \
    "Link: <https://elsewhere.example/?cursor=0:0:1>; rel=\"previous\"; results=\"false\"; "       \
    "cursor=\"0:0:1\", <https://elsewhere.example/x?&cursor=" cursor ">; results=\"" results       \
    "\"; cursor=\"" cursor "\"; rel=\"next\"\r\n"

static struct sentry *client(struct bench *b, const char *suffix, const char *token)
{
    struct sentry *s = NULL;
    char *url = xasprintf("%s%s", b->url, suffix);
    const struct sentry_options options = { .url = url, .org = "acme", .token = token };

    if (sentry_new(b->http, &options, &s, &b->err) < 0)
        fail_msg("%s", error_text(&b->err));
    free(url);
    return s;
}

static struct sentry *open_all(struct bench *b, const struct route *routes, size_t n)
{
    bench_open(b, "sentry", routes, n);
    return client(b, "", "secret-token-1");
}

static void close_all(struct bench *b, struct sentry *s)
{
    sentry_free(s);
    bench_close(b);
}

static struct source_call *ask_issue(struct bench *b, struct sentry *s, const char *id)
{
    return sentry_get_issue(s, 1, id, bench_done, b, &b->err);
}

/* ---- asking ---- */

static void the_api_is_found_below_every_form_of_the_configured_url(void **state)
{
    static const char *const suffixes[] = { "", "/", "/api/0", "/api/0/", "//" };
    struct bench b;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        bench_open(&b, "sentry", ROUTES({ ORG "/issues/BOOKS-3K/$", 200, "", "{\"id\":\"7\"}" }));
        struct sentry *s = client(&b, suffixes[i], "secret-token-1");
        const struct sentry_issue *issue = bench_result(&b, ask_issue(&b, s, "BOOKS-3K"));
        assert_string_equal(issue->id, "7");
        assert_false(issue->merged);
        assert_non_null(strstr(buf_str(&b.head), "Authorization: Bearer secret-token-1\r\n"));
        close_all(&b, s);
    }
}

static void credentials_that_cannot_work_are_refused_at_once(void **state)
{
    static const struct {
        struct sentry_options options;
        const char *says;
    } cases[] = {
        { { .url = "https://sentry.io", .org = "acme" }, "SENTRY_AUTH_TOKEN" },
        { { .url = "https://sentry.io", .token = "t" }, "SENTRY_ORG" },
        { { .url = "https://sentry.io", .org = "acme", .token = "a\nb" }, "line break" },
        { { .url = "sentry", .org = "acme", .token = "t" }, "SENTRY_URL" },
        { { .org = "acme", .token = "t" }, "SENTRY_URL" },
    };
    struct error err = ERROR_INIT;
    struct sentry *s = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(sentry_new(NULL, &cases[i].options, &s, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_says(error_text(&err), cases[i].says);
    }
    error_clear(&err);
}

static void versions_are_percent_encoded_into_the_path(void **state)
{
    struct bench b;
    struct sentry *s = open_all(&b, ROUTES({ ORG "/releases/books%402.0%2Bab%2Fx%20y/$", 200, "",
                                             "{\"version\":\"books@2.0+ab/x y\"}" }));
    const struct sentry_release *release =
        bench_result(&b, sentry_get_release(s, 1, "books@2.0+ab/x y", bench_done, &b, &b.err));

    (void)state;
    assert_string_equal(release->version, "books@2.0+ab/x y");
    close_all(&b, s);
}

static void a_list_of_issues_always_sends_its_query_and_window(void **state)
{
    static const char *const environments[] = { "production", "eu", NULL };
    struct bench b;
    struct sentry *s = open_all(
        &b, ROUTES({ ORG "/issues/?project=17&query=&start=2026-03-04T05%3A06%3A07.000Z&end="
                         "2026-03-05T05%3A06%3A07.000Z&environment=production&environment=eu&"
                         "sort=freq&groupStatsPeriod=24h&limit=25$",
                     200, "X-Hits: 40\r\n",
                     "[{\"id\":\"1\",\"count\":\"3\",\"lifetime\":{\"count\":\"90\"}},null,"
                     "{\"id\":{}},{\"id\":\"2\"}]" }));
    const int64_t start = time_or_unknown("2026-03-04T05:06:07Z");
    const struct sentry_issues_query query = { .project = "17",
                                               .start_ms = start,
                                               .end_ms = start + DAY_MS,
                                               .environments = environments,
                                               .sort = "freq",
                                               .group_stats_period = "24h",
                                               .limit = 25 };
    const struct sentry_issues *issues =
        bench_result(&b, sentry_list_issues(s, 1, &query, bench_done, &b, &b.err));

    (void)state;
    assert_int_equal(issues->n, 2);
    assert_int_equal(issues->total, 40);
    assert_int_equal(issues->items[0].count, 3);
    assert_int_equal(issues->items[0].lifetime_count, 90);
    assert_int_equal(issues->items[1].lifetime_count, -1);
    close_all(&b, s);
}

static void an_issue_that_was_merged_away_is_recognised_by_its_id(void **state)
{
    struct bench b;
    struct sentry *s = open_all(&b, ROUTES({ ORG "/issues/41/$", 200, "", "{\"id\":\"42\"}" }));
    const struct sentry_issue *issue = bench_result(&b, ask_issue(&b, s, "41"));

    (void)state;
    assert_true(issue->merged);
    assert_string_equal(issue->asked_id, "41");
    close_all(&b, s);
}

/* ---- pages ---- */

static void pages_follow_the_cursor_and_never_the_url(void **state)
{
    struct bench b;
    struct sentry *s = open_all(
        &b, ROUTES({ ORG "/issues/7/events/?per_page=100$", 200, NEXT_PAGE("true", "0:100:0"),
                     "[{\"eventID\":\"a\",\"dateCreated\":\"2026-03-04T05:06:07Z\","
                     "\"tags\":[{\"key\":\"release\",\"value\":\"r1\"}]}]" },
                   { ORG "/issues/7/events/?per_page=100&cursor=0%3A100%3A0$", 200,
                     NEXT_PAGE("false", "0:200:0"), "[{\"eventID\":\"b\"},7,{\"x\":1}]" }));
    const struct sentry_event_rows *rows =
        bench_result(&b, sentry_list_events(s, 1, &(struct sentry_events_query){ .issue_id = "7" },
                                            bench_done, &b, &b.err));

    (void)state;
    assert_int_equal(rows->n, 2);
    assert_string_equal(rows->items[0].release, "r1");
    assert_string_equal(rows->items[1].id, "b");
    assert_null(rows->items[1].release);
    assert_true(rows->items[1].at_ms == TIME_UNKNOWN);
    assert_false(rows->meta.partial);
    close_all(&b, s);
}

static void a_page_cap_is_told(void **state)
{
    struct bench b;
    struct sentry *s =
        open_all(&b, ROUTES({ ORG "/issues/7/events/", 200, NEXT_PAGE("true", "0:100:0"),
                              "[{\"eventID\":\"a\"}]" }));
    const struct sentry_events_query query = { .issue_id = "7", .max_pages = 3 };
    const struct sentry_event_rows *rows =
        bench_result(&b, sentry_list_events(s, 1, &query, bench_done, &b, &b.err));

    (void)state;
    assert_int_equal(rows->n, 3);
    assert_int_equal(b.server.requests, 3);
    assert_true(rows->meta.partial);
    assert_says(rows->meta.why, "first 3 pages");
    close_all(&b, s);
}

static void pages_before_a_failure_are_kept(void **state)
{
    struct bench b;
    struct sentry *s =
        open_all(&b, ROUTES({ ORG "/issues/7/events/?per_page=100$", 200, NEXT_PAGE("true", "1"),
                              "[{\"eventID\":\"a\"}]" },
                            { ORG "/issues/7/events/", 403, "", "{\"detail\":\"no\"}" }));
    const struct sentry_event_rows *rows =
        bench_result(&b, sentry_list_events(s, 1, &(struct sentry_events_query){ .issue_id = "7" },
                                            bench_done, &b, &b.err));

    (void)state;
    assert_int_equal(rows->n, 1);
    assert_true(rows->meta.partial);
    assert_says(rows->meta.why, "page 2");
    assert_says(rows->meta.why, "lacks event:read");
    close_all(&b, s);
}

static void a_result_can_be_kept_beyond_its_call(void **state)
{
    struct bench b;
    struct sentry *s = open_all(&b, ROUTES({ ORG "/issues/7/tags/?limit=3$", 200, "",
                                             "[{\"key\":\"region\",\"totalValues\":9,"
                                             "\"topValues\":[{\"value\":\"eu\",\"count\":6},"
                                             "{\"value\":\"\",\"count\":2},"
                                             "{\"value\":null,\"count\":null}]}]" }));
    const struct sentry_tags *tags =
        bench_result(&b, sentry_list_issue_tags(s, 1, "7", 3, NULL, bench_done, &b, &b.err));

    (void)state;
    sentry_free(s);
    const struct sentry_tag *region = sentry_tag_find(tags, "region");
    assert_int_equal(region->total, 9);
    assert_int_equal(region->unique, -1);
    assert_int_equal(region->values[0].count, 6);
    assert_null(region->values[1].value); /* events without the tag */
    assert_int_equal(region->values[2].count, -1);
    assert_null(sentry_tag_find(tags, "zone"));
    bench_close(&b);
}

/* ---- other ways ---- */

static void old_servers_are_asked_without_organization_once(void **state)
{
    struct bench b;
    struct sentry *s =
        open_all(&b, ROUTES({ "GET /api/0/issues/7/$", 200, "", "{\"id\":\"7\"}" },
                            { "GET /api/0/issues/7/events/latest/$", 200, "", "{\"id\":\"e\"}" }));

    (void)state;
    (void)bench_result(&b, ask_issue(&b, s, "7"));
    assert_int_equal(b.server.requests, 2);
    /* and remembered */
    (void)bench_result(&b, sentry_get_event(s, 1, "7", "latest", bench_done, &b, &b.err));
    assert_int_equal(b.server.requests, 3);
    close_all(&b, s);
}

static void an_issue_that_does_not_exist_is_not_found_either_way(void **state)
{
    struct bench b;
    struct sentry *s = open_all(&b, NULL, 0);
    const struct error *err = bench_error(&b, ask_issue(&b, s, "7"));

    (void)state;
    assert_int_equal(err->code, ERR_NOT_FOUND);
    assert_says(error_text(err), "read issue 7: Sentry answered 404: no such issue");
    assert_int_equal(b.server.requests, 2);
    close_all(&b, s);
}

static void what_a_server_lacks_is_asked_another_way(void **state)
{
    struct bench b;
    struct sentry *s = open_all(
        &b,
        ROUTES({ ORG "/issues/BOOKS-7/events/latest/$", 200, "", "{\"id\":\"e1\"}" },
               { ORG "/events-stats/?yAxis=count%28%29&query=issue%3ABOOKS-7&interval=300s&"
                     "project=-1&statsPeriod=24h$",
                 200, "",
                 "{\"data\":[[1772600400,[{\"count\":4}]],[1772600700,[{\"count\":0}]]]}" },
               { ORG "/issues/BOOKS-7/similar/", 200, "",
                 "[[{\"id\":\"8\"},{\"a\":0.25,\"b\":null,\"c\":0.5}],null,[{\"no\":1},{}]]" }));

    (void)state;
    const struct sentry_event *event =
        bench_result(&b, sentry_get_event(s, 1, "BOOKS-7", "recommended", bench_done, &b, &b.err));
    assert_string_equal(event->id, "e1");
    const struct sentry_series_query query = { .issue = "BOOKS-7", .interval_ms = 5 * MINUTE_MS };
    const struct source_series *series =
        bench_result(&b, sentry_events_series(s, 1, &query, bench_done, &b, &b.err));
    assert_int_equal(series->interval_ms, 5 * MINUTE_MS);
    assert_true(series->points[0].value == 4);
    const struct sentry_similar *similar =
        bench_result(&b, sentry_similar_issues(s, 1, "BOOKS-7", bench_done, &b, &b.err));
    assert_int_equal(similar->n, 1);
    assert_true(similar->items[0].score == 0.5);
    assert_int_equal(similar->items[0].should_be_grouped, UNKNOWN);
    close_all(&b, s);
}

static void what_is_normally_missing_is_an_empty_list(void **state)
{
    struct bench b;
    struct sentry *s = open_all(&b, NULL, 0);

    (void)state;
    const struct sentry_commits *commits =
        bench_result(&b, sentry_event_committers(s, 1, "books", "e1", bench_done, &b, &b.err));
    assert_int_equal(commits->n, 0);
    const struct sentry_similar *similar =
        bench_result(&b, sentry_similar_issues(s, 1, "BOOKS-7", bench_done, &b, &b.err));
    assert_int_equal(similar->n, 0);
    close_all(&b, s);
}

static void the_newer_series_is_in_milliseconds_and_marks_what_is_open(void **state)
{
    struct bench b;
    struct sentry *s = open_all(
        &b, ROUTES({ ORG "/events-timeseries/?dataset=errors&yAxis=count%28%29&query=level%3Aerror"
                         "&interval=3600&project=17&statsPeriod=24h$",
                     200, "",
                     "{\"timeSeries\":[{\"groupBy\":[{\"key\":\"x\"}],\"values\":[]},"
                     "{\"yAxis\":\"count()\",\"values\":[{\"timestamp\":1772600400000,\"value\":2,"
                     "\"incomplete\":false},{\"timestamp\":1772604000000,\"value\":1.0,"
                     "\"incomplete\":true},{\"timestamp\":null,\"value\":1}]}]}" }));
    const struct sentry_series_query query = { .query = "level:error", .project = "17" };
    const struct source_series *series =
        bench_result(&b, sentry_events_series(s, 1, &query, bench_done, &b, &b.err));

    (void)state;
    assert_int_equal(series->n_points, 2);
    assert_int_equal(series->points[0].at_ms, INT64_C(1772600400000));
    assert_false(series->points[0].incomplete);
    assert_true(series->points[1].incomplete);
    close_all(&b, s);
}

static void a_table_holds_its_fields_in_the_order_they_were_asked_for(void **state)
{
    static const char *const fields[] = { "region", "count()", NULL };
    struct bench b;
    struct sentry *s = open_all(&b, ROUTES({ ORG "/events/?dataset=errors&field=region&"
                                                 "field=count%28%29&",
                                             200, "",
                                             "{\"data\":[{\"count()\":12,\"region\":\"eu\"},"
                                             "{\"region\":null,\"count()\":3}]}" }));
    const struct sentry_table_query query = { .fields = fields, .stats_period = "24h" };
    const struct sentry_table *table =
        bench_result(&b, sentry_events_table(s, 1, &query, bench_done, &b, &b.err));

    (void)state;
    assert_int_equal(table->n_rows, 2);
    assert_string_equal(table->cells[0], "eu");
    assert_string_equal(table->cells[1], "12");
    assert_null(table->cells[2]);
    assert_string_equal(table->cells[3], "3");
    close_all(&b, s);
}

/* ---- refusals ---- */

static void a_refusal_says_who_answered_what_and_what_to_do(void **state)
{
    static const struct {
        int status;
        const char *headers, *body;
        enum err_code code;
        const char *says;
    } cases[] = {
        { 401, "", "{\"detail\":\"Invalid token\"}", ERR_UNAUTHORIZED,
          "Sentry answered 401: the token is wrong, expired or revoked; check "
          "sentry.auth_token_file (SENTRY_AUTH_TOKEN) (Invalid token)" },
        { 401, "",
          "{\"detail\":{\"code\":\"sso-required\",\"message\":\"Must login via SSO\","
          "\"extra\":{}}}",
          ERR_UNAUTHORIZED, "(Must login via SSO)" },
        { 403, "", "{\"detail\":\"You may not\"}", ERR_FORBIDDEN,
          "Sentry answered 403: the token lacks event:read, or access to this project "
          "(You may not)" },
        { 410, "", "{\"message\":\"This API no longer exists.\"}", ERR_NOT_FOUND, "switched off" },
        { 400, "", "{\"statsPeriod\":[\"Invalid value.\"]}", ERR_INVALID,
          "(statsPeriod: Invalid value.)" },
        { 429, "Content-Type: text/html\r\nX-Sentry-Rate-Limit-Reset: 9999999999\r\n",
          "{\"detail\":\"too frequently\"}", ERR_RATE_LIMITED, "too many requests" },
        { 500, "", "", ERR_UPSTREAM, "Sentry answered 500: it has trouble of its own" },
        { 413, "", "<html><head><title>413 Too\nLarge</title></head>", ERR_TOO_LARGE,
          "(an HTML page titled \"413 Too Large\")" },
        { 418, "", "short and stout\nsecond line", ERR_PROTOCOL, "(short and stout)" },
        { 200, "", "<!doctype html><title>Sign in</title>", ERR_PROTOCOL, "is the configured URL" },
        { 200, "", "", ERR_PROTOCOL, "empty body" },
        { 200, "", "{\"id\":\"7\",", ERR_PROTOCOL, "not valid JSON" },
        { 200, "", "[]", ERR_PROTOCOL, "no issue" },
    };
    struct bench b;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sentry *s =
            open_all(&b, ROUTES({ "GET /", cases[i].status, cases[i].headers, cases[i].body }));
        const struct error *err = bench_error(&b, ask_issue(&b, s, "BOOKS-7"));
        if (err->code != cases[i].code)
            fail_msg("%d gave %s: %s", cases[i].status, err_code_name(err->code), error_text(err));
        assert_says(error_text(err), cases[i].says);
        assert_says(error_text(err), "read issue BOOKS-7: ");
        assert_int_equal(err->retry_after_ms > 0, err->code == ERR_RATE_LIMITED);
        close_all(&b, s);
    }
}

static void what_a_server_echoes_is_cut_cleaned_and_redacted(void **state)
{
    struct bench b;
    struct buf body = BUF_INIT;

    (void)state;
    buf_adds(&body, "{\"detail\":\"bad \\u202e token sntryu_0123456789abcdef0123456789abcdef"
                    "0123456789abcdef0123456789abcdef \\u0007 ");
    for (int i = 0; i < 300; i++)
        buf_adds(&body, "long ");
    buf_adds(&body, "\"}");
    struct sentry *s = open_all(&b, ROUTES({ "GET /", 403, "", buf_str(&body) }));
    const char *text = error_text(bench_error(&b, ask_issue(&b, s, "BOOKS-7")));
    assert_null(strstr(text, "0123456789abcdef"));
    assert_null(strstr(text, "\xE2\x80\xAE"));
    assert_null(strchr(text, 7));
    assert_true(strlen(text) < 350);
    buf_clear(&body);
    close_all(&b, s);
}

/* ---- the rest ---- */

static void cancelled_calls_and_freed_clients_never_call_back(void **state)
{
    struct bench b;
    struct sentry *s = open_all(&b, ROUTES({ "GET /", 200, "", "{\"id\":\"7\"}" }));

    (void)state;
    struct source_call *cancelled = ask_issue(&b, s, "1");
    struct source_call *orphan = ask_issue(&b, s, "2");
    assert_non_null(orphan);
    source_cancel(cancelled);
    source_cancel(NULL);
    sentry_free(s);
    s = client(&b, "", "secret-token-1");
    (void)bench_result(&b, ask_issue(&b, s, "3"));
    assert_int_equal(b.ended, 0); /* bench_wait() counted just the one */
    close_all(&b, s);
}

struct own_cancel {
    struct source_call *call;
    bool ended;
};

static void cancel_itself(void *user, const void *result, const struct error *err)
{
    struct own_cancel *own = user;

    (void)err;
    assert_non_null(result);
    source_cancel(own->call);
    own->ended = true;
}

static void a_call_may_be_cancelled_while_it_ends(void **state)
{
    struct own_cancel own = { 0 };
    struct bench b;
    struct sentry *s = open_all(&b, ROUTES({ "GET /", 200, "", "{\"id\":\"7\"}" }));

    (void)state;
    own.call = sentry_get_issue(s, 1, "1", cancel_itself, &own, &b.err);
    while (!own.ended)
        uv_run(&b.loop, UV_RUN_ONCE);
    (void)bench_result(&b, ask_issue(&b, s, "3"));
    close_all(&b, s);
}

static void ids_that_leave_the_path_are_encoded(void **state)
{
    struct bench b;
    struct sentry *s = open_all(&b, NULL, 0);

    (void)state;
    (void)bench_error(&b, ask_issue(&b, s, "../../x?y=1#z"));
    assert_string_equal(buf_str(&b.asked), ORG "/issues/..%2F..%2Fx%3Fy%3D1%23z/\n");
    assert_null(ask_issue(&b, s, ""));
    assert_int_equal(b.err.code, ERR_INVALID);
    close_all(&b, s);
}

static void only_a_trusted_region_gets_the_token(void **state)
{
    static const struct {
        const char *url, *region;
        bool trusted;
    } cases[] = {
        { "https://sentry.io", "https://de.sentry.io", true },
        { "https://sentry.io", "https://us.sentry.io/", true },
        { "https://us.sentry.io", "https://sentry.io", true },
        { "https://sentry.io", "http://de.sentry.io", false },
        { "https://sentry.io", "http://de.sentry.io:443", false },
        { "https://sentry.io", "https://de.sentry.io:8443", false },
        { "https://sentry.io", "https://sentry.io.evil.example", false },
        { "https://sentry.io", "https://evilsentry.io", false },
        { "https://sentry.io", "https://u@de.sentry.io", false },
        { "https://sentry.acme.example", "https://sentry.acme.example", true },
        { "https://sentry.acme.example", "https://de.sentry.io", false },
    };
    struct bench b;

    (void)state;
    bench_open(&b, "sentry", NULL, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sentry *s = NULL;
        const struct sentry_options options = { .url = cases[i].url, .org = "a", .token = "t" };
        assert_int_equal(sentry_new(b.http, &options, &s, &b.err), 0);
        assert_int_equal(sentry_use_region(s, cases[i].region, &b.err), cases[i].trusted ? 0 : -1);
        sentry_free(s);
    }
    bench_close(&b);
}

static void the_check_names_the_missing_scope(void **state)
{
    struct bench b;
    struct sentry *s =
        open_all(&b, ROUTES({ ORG "/$", 200, "", "{\"slug\":\"acme\",\"name\":\"Acme Inc.\"}" },
                            { ORG "/issues/", 200, "", "[]" },
                            { ORG "/releases/", 403, "", "{\"detail\":\"no\"}" }));
    const struct source_check *check = bench_result(&b, sentry_check(s, 1, bench_done, &b, &b.err));

    (void)state;
    assert_int_equal(check->n_items, 3);
    assert_says(check->identity, "Acme Inc.");
    assert_int_equal(check->items[0].ok, YES);
    assert_int_equal(check->items[1].ok, YES);
    assert_int_equal(check->items[2].ok, NO);
    assert_says(check->items[2].text, "project:read");
    close_all(&b, s);
}

static void a_wrong_token_is_said_once(void **state)
{
    struct bench b;
    struct sentry *s = open_all(&b, ROUTES({ "GET /", 401, "", "{\"detail\":\"Invalid\"}" }));
    const struct source_check *check = bench_result(&b, sentry_check(s, 1, bench_done, &b, &b.err));

    (void)state;
    assert_int_equal(check->n_items, 1);
    assert_int_equal(check->items[0].ok, NO);
    close_all(&b, s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_api_is_found_below_every_form_of_the_configured_url),
        cmocka_unit_test(credentials_that_cannot_work_are_refused_at_once),
        cmocka_unit_test(versions_are_percent_encoded_into_the_path),
        cmocka_unit_test(a_list_of_issues_always_sends_its_query_and_window),
        cmocka_unit_test(an_issue_that_was_merged_away_is_recognised_by_its_id),
        cmocka_unit_test(pages_follow_the_cursor_and_never_the_url),
        cmocka_unit_test(a_page_cap_is_told),
        cmocka_unit_test(pages_before_a_failure_are_kept),
        cmocka_unit_test(a_result_can_be_kept_beyond_its_call),
        cmocka_unit_test(old_servers_are_asked_without_organization_once),
        cmocka_unit_test(an_issue_that_does_not_exist_is_not_found_either_way),
        cmocka_unit_test(what_a_server_lacks_is_asked_another_way),
        cmocka_unit_test(what_is_normally_missing_is_an_empty_list),
        cmocka_unit_test(the_newer_series_is_in_milliseconds_and_marks_what_is_open),
        cmocka_unit_test(a_table_holds_its_fields_in_the_order_they_were_asked_for),
        cmocka_unit_test(a_refusal_says_who_answered_what_and_what_to_do),
        cmocka_unit_test(what_a_server_echoes_is_cut_cleaned_and_redacted),
        cmocka_unit_test(cancelled_calls_and_freed_clients_never_call_back),
        cmocka_unit_test(a_call_may_be_cancelled_while_it_ends),
        cmocka_unit_test(ids_that_leave_the_path_are_encoded),
        cmocka_unit_test(only_a_trusted_region_gets_the_token),
        cmocka_unit_test(the_check_names_the_missing_scope),
        cmocka_unit_test(a_wrong_token_is_said_once),
    };
    struct error err = ERROR_INIT;

    if (http_global_init(&err) < 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    http_global_clear();
    return failed;
}
