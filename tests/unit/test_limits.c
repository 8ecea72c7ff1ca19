/* What bounds a question to a service: the size and shape of its answer, what a job holds of such,
 * its time, pages, frames, log lines and lines of a diff; at the limit and beyond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dbconn/analysis/diff.h"
#include "dbconn/sources/elasticsearch.h"
#include "dbconn/sources/github.h"
#include "dbconn/sources/sentry.h"
#include "source_bench.h"

#define LIMIT 2000

/* An issue whose JSON has so many bytes. */
static char *issue_of(size_t bytes)
{
    static const char start[] = "{\"id\":\"7\",\"title\":\"", end[] = "\"}";
    struct buf text = BUF_INIT;

    buf_adds(&text, start);
    while (text.len < bytes - strlen(end))
        buf_addc(&text, 'x');
    buf_adds(&text, end);
    return buf_take(&text);
}

static struct sentry *client_within(struct bench *b, int64_t budget_ms, struct source_limits limits)
{
    const struct sentry_options options = {
        .url = b->url, .org = "acme", .token = "token-1", .budget_ms = budget_ms, .limits = limits
    };
    struct sentry *s = NULL;

    assert_int_equal(sentry_new(b->http, &options, &s, &b->err), 0);
    return s;
}

static struct sentry *client(struct bench *b, int64_t budget_ms)
{
    return client_within(b, budget_ms, (struct source_limits){ 0 });
}

static void an_answer_at_the_limit_is_read_and_a_larger_one_is_not(void **state)
{
    static const struct {
        size_t bytes, limit;
        bool read;
    } rows[] = {
        { LIMIT, LIMIT, true },
        { LIMIT + 1, LIMIT, false },
        { LIMIT * 50, LIMIT, false },
        { LIMIT * 50, SIZE_MAX, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *body = issue_of(rows[i].bytes);
        struct bench b;
        bench_open(&b, "sentry", ROUTES({ "", 200, "", body }));
        http_limit_answers(b.http, rows[i].limit);
        struct sentry *s = client(&b, 0);
        struct source_call *call = sentry_get_issue(s, 1, "7", bench_done, &b, &b.err);
        if (rows[i].read) {
            const struct sentry_issue *issue = bench_result(&b, call);
            assert_string_equal(issue->id, "7");
        } else {
            assert_int_equal(bench_error(&b, call)->code, ERR_TOO_LARGE);
            assert_says(error_text(&b.err), "larger than");
        }
        sentry_free(s);
        bench_close(&b);
        free(body);
    }
}

static void an_answer_is_read_down_to_its_limit_of_depth(void **state)
{
    static const char body[] = "{\"id\":\"7\",\"unknown\":[[{\"a\":[]}]]}"; /* 5 levels */

    (void)state;
    for (size_t depth = 4; depth <= 5; depth++) {
        struct bench b;
        bench_open(&b, "sentry", ROUTES({ "", 200, "", body }));
        struct sentry *s = client_within(&b, 0, (struct source_limits){ .json_depth = depth });
        struct source_call *call = sentry_get_issue(s, 1, "7", bench_done, &b, &b.err);
        if (depth == 5) {
            assert_string_equal(((const struct sentry_issue *)bench_result(&b, call))->id, "7");
        } else {
            assert_int_equal(bench_error(&b, call)->code, ERR_PROTOCOL);
            assert_says(error_text(&b.err), "Sentry: the answer is JSON nested deeper than 4");
        }
        sentry_free(s);
        bench_close(&b);
    }
}

/* Events of 3 values each, in a list. */
static char *events_of(size_t n, size_t bytes)
{
    struct buf text = BUF_INIT;

    buf_addc(&text, '[');
    for (size_t i = 0; i < n; i++) {
        buf_addf(&text, "%s{\"id\":\"%zu\",\"title\":\"%zu ", i ? "," : "", i, i);
        for (size_t pad = 0; pad < bytes; pad++)
            buf_addc(&text, (char)('a' + (pad + i) % 26));
        buf_adds(&text, "\"}");
    }
    buf_addc(&text, ']');
    return buf_take(&text);
}

static const struct sentry_events_query of_issue = { .issue_id = "7", .max_pages = 3 };

static void a_list_is_read_as_far_as_its_limit_of_values_and_says_so(void **state)
{
    char *body = events_of(10, 1);

    (void)state;
    for (size_t values = 30; values <= 31; values++) {
        struct bench b;
        bench_open(&b, "sentry", ROUTES({ "", 200, "", body }));
        struct sentry *s = client_within(&b, 0, (struct source_limits){ .json_values = values });
        const struct sentry_event_rows *rows =
            bench_result(&b, sentry_list_events(s, 1, &of_issue, bench_done, &b, &b.err));
        assert_int_equal(rows->n, values == 31 ? 10 : 9);
        assert_int_equal(rows->meta.partial, values == 30);
        if (values == 30)
            assert_says(rows->meta.why, "too large to be read to its end");
        sentry_free(s);
        bench_close(&b);
    }
    free(body);
}

static void what_a_job_holds_ends_its_lists_and_its_questions_but_nobody_elses(void **state)
{
    static const char next[] =
        "Link: <@/x>; rel=\"next\"; results=\"true\"; cursor=\"0:100:0\"\r\n";
    char *body = events_of(200, 20000); /* 4 MB */
    struct source_budget *budget = source_budget_new((size_t)2 * 1024 * 1024);
    struct bench b;

    (void)state;
    bench_open(&b, "sentry", ROUTES({ "", 200, next, body }));
    struct sentry *s = client_within(&b, 0, (struct source_limits){ .budget = budget });
    const struct sentry_event_rows *rows =
        bench_result(&b, sentry_list_events(s, 1, &of_issue, bench_done, &b, &b.err));
    assert_true(rows->n > 50 && rows->n < 150);
    assert_true(rows->meta.partial);
    assert_says(rows->meta.why, "take 2 MiB, as much as limits.job_memory_mb allows");
    assert_string_equal(buf_str(&b.asked) + strcspn(buf_str(&b.asked), "\n"), "\n"); /* one page */

    /* While it is held, nothing else is asked for this job, and all for others. */
    const void *held = b.result;
    source_hold(held);
    struct error err = ERROR_INIT;
    assert_null(sentry_get_issue(s, 1, "7", bench_done, &b, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_says(error_text(&err), "limits.job_memory_mb");
    error_clear(&err);
    rows = bench_result(&b, sentry_list_events(s, 2, &of_issue, bench_done, &b, &b.err));
    assert_true(rows->n > 50);
    source_release(held);
    rows = bench_result(&b, sentry_list_events(s, 1, &of_issue, bench_done, &b, &b.err));
    assert_true(rows->n > 50);
    sentry_free(s);
    source_budget_free(budget); /* a result outlives it */
    bench_close(&b);
    free(body);
}

/* Asks nothing back: the connection is left open. */
static void no_answer(struct fake_conn *conn, const struct fake_request *request, void *user)
{
    (void)conn;
    (void)request;
    (void)user;
}

static void a_service_that_never_answers_is_left_when_the_time_is_over(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, "sentry", NULL, 0);
    b.server.handler = no_answer;
    struct sentry *s = client(&b, 300);
    const struct error *err = bench_error(&b, sentry_get_issue(s, 1, "7", bench_done, &b, &b.err));
    assert_int_equal(err->code, ERR_TIMEOUT);
    sentry_free(s);
    bench_close(&b);
}

/* ---- how much is read of what there is ---- */

#define SENTRY_NEXT                                                                                \
    "Link: <https://elsewhere.example/?cursor=0:100:0>; rel=\"next\"; results=\"true\"; "          \
    "cursor=\"0:100:0\"\r\n"
#define ROWS_PAGE "[{\"id\":\"1\",\"eventID\":\"1\"},{\"id\":\"2\",\"eventID\":\"2\"}]"

static int count_asked(const struct bench *b)
{
    int n = 0;

    for (const char *p = buf_str(&b->asked); (p = strchr(p, '\n')); p++)
        n++;
    return n;
}

/* There are three pages. */
static const struct {
    int limit, read;
    bool partial;
} pages[] = { { 0, 3, false }, { 4, 3, false }, { 3, 3, false }, { 2, 2, true }, { 1, 1, true } };

static void as_many_pages_of_sentry_are_read_as_the_limit_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        struct bench b;
        struct sentry *s = NULL;
        bench_open(&b, "sentry",
                   ROUTES({ "", 200 + ONCE, SENTRY_NEXT, ROWS_PAGE },
                          { "", 200 + ONCE, SENTRY_NEXT, ROWS_PAGE }, { "", 200, "", ROWS_PAGE }));
        const struct sentry_options options = {
            .url = b.url, .org = "acme", .token = "token-1", .max_pages = pages[i].limit
        };
        const struct sentry_events_query query = { .issue_id = "7" };
        assert_int_equal(sentry_new(b.http, &options, &s, &b.err), 0);
        const struct sentry_event_rows *rows =
            bench_result(&b, sentry_list_events(s, 1, &query, bench_done, &b, &b.err));
        assert_int_equal(count_asked(&b), pages[i].read);
        assert_int_equal(rows->n, 2 * pages[i].read);
        assert_int_equal(rows->meta.partial, pages[i].partial);
        sentry_free(s);
        bench_close(&b);
    }
}

#define FILES_PAGE "[{\"filename\":\"a\"},{\"filename\":\"b\"}]"
#define GITHUB_NEXT(n) "Link: <@/pages/" n ">; rel=\"next\"\r\n"

static void as_many_pages_of_github_are_read_as_the_limit_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        struct bench b;
        struct github *g = NULL;
        bench_open(&b, "github",
                   ROUTES({ "GET /repos/", 200, GITHUB_NEXT("2"), FILES_PAGE },
                          { "GET /pages/2", 200, GITHUB_NEXT("3"), FILES_PAGE },
                          { "GET /pages/3", 200, "", FILES_PAGE }));
        const struct github_options options = { .url = b.url,
                                                .token = "token-2",
                                                .max_pages = pages[i].limit };
        assert_int_equal(github_new(b.http, &options, &g, &b.err), 0);
        const struct github_files *files =
            bench_result(&b, github_pull_files(g, 1, "acme/shop", 9, 0, bench_done, &b, &b.err));
        assert_int_equal(count_asked(&b), pages[i].read);
        assert_int_equal(files->n, 2 * pages[i].read);
        assert_int_equal(files->meta.partial, pages[i].partial);
        github_free(g);
        bench_close(&b);
    }
}

static const char event[] =
    "{\"id\":\"e1\",\"eventID\":\"e1\",\"entries\":[{\"type\":\"exception\",\"data\":{\"values\":["
    "{\"type\":\"Error\",\"value\":\"refused\",\"stacktrace\":{\"frames\":["
    "{\"function\":\"main\"},{\"function\":\"connect\"},{\"function\":\"open\"}]}}]}}]}";

static void the_frames_nearest_to_the_error_are_kept(void **state)
{
    static const struct {
        int limit;
        size_t kept;
        const char *first;
        bool omitted;
    } rows[] = { { 0, 3, "main", false },
                 { 4, 3, "main", false },
                 { 3, 3, "main", false },
                 { 2, 2, "connect", true },
                 { 1, 1, "open", true } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b;
        struct sentry *s = NULL;
        bench_open(&b, "sentry", ROUTES({ "", 200, "", event }));
        const struct sentry_options options = {
            .url = b.url, .org = "acme", .token = "token-1", .max_frames = rows[i].limit
        };
        assert_int_equal(sentry_new(b.http, &options, &s, &b.err), 0);
        const struct sentry_event *e =
            bench_result(&b, sentry_get_event(s, 1, "7", "latest", bench_done, &b, &b.err));
        assert_int_equal(e->n_exceptions, 1);
        assert_int_equal(e->exceptions[0].n_frames, rows[i].kept);
        assert_string_equal(e->exceptions[0].frames[0].function, rows[i].first);
        assert_int_equal(e->exceptions[0].frames_omitted, rows[i].omitted);
        sentry_free(s);
        bench_close(&b);
    }
}

static void no_more_log_lines_are_asked_for_than_the_limit_says(void **state)
{
    static const struct {
        int limit, size;
        const char *asked;
    } rows[] = { { 0, 300, "\"size\":300," },
                 { 0, 5000, "\"size\":1000," },
                 { 50, 49, "\"size\":49," },
                 { 50, 50, "\"size\":50," },
                 { 50, 51, "\"size\":50," } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b;
        struct es *es = NULL;
        bench_open(&b, "elasticsearch", NULL, 0);
        const struct es_options options = { .url = b.url,
                                            .api_key = "aWQ6a2V5",
                                            .max_hits = rows[i].limit };
        const struct es_query query = { .from_ms = 1, .to_ms = 2, .size = rows[i].size };
        assert_int_equal(es_new(b.http, &options, &es, &b.err), 0);
        (void)bench_error(&b, es_search(es, 1, &query, bench_done, &b, &b.err));
        assert_says(buf_str(&b.body), rows[i].asked);
        es_free(es);
        bench_close(&b);
    }
}

static void no_more_lines_of_a_diff_are_read_than_the_limit_says(void **state)
{
    static const char patch[] = "@@ -1,2 +1,2 @@\n-a\n+b\n c\n";
    static const struct {
        size_t limit, lines;
        bool cut;
    } rows[] = {
        { 0, 3, false }, { 4, 3, false }, { 3, 3, false }, { 2, 2, true }, { 1, 1, true }
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diff_patch p;
        diff_patch_read_lines(patch, strlen(patch), rows[i].limit, &p);
        assert_int_equal(p.n_lines, rows[i].lines);
        assert_int_equal(p.cut, rows[i].cut);
        diff_patch_clear(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_at_the_limit_is_read_and_a_larger_one_is_not),
        cmocka_unit_test(an_answer_is_read_down_to_its_limit_of_depth),
        cmocka_unit_test(a_list_is_read_as_far_as_its_limit_of_values_and_says_so),
        cmocka_unit_test(what_a_job_holds_ends_its_lists_and_its_questions_but_nobody_elses),
        cmocka_unit_test(a_service_that_never_answers_is_left_when_the_time_is_over),
        cmocka_unit_test(as_many_pages_of_sentry_are_read_as_the_limit_says),
        cmocka_unit_test(as_many_pages_of_github_are_read_as_the_limit_says),
        cmocka_unit_test(the_frames_nearest_to_the_error_are_kept),
        cmocka_unit_test(no_more_log_lines_are_asked_for_than_the_limit_says),
        cmocka_unit_test(no_more_lines_of_a_diff_are_read_than_the_limit_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
