/* What bounds a question to a service: the size of its answer, and its time; at the limit and
 * beyond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

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

static struct sentry *client(struct bench *b, int64_t budget_ms)
{
    const struct sentry_options options = {
        .url = b->url, .org = "acme", .token = "token-1", .budget_ms = budget_ms
    };
    struct sentry *s = NULL;

    assert_int_equal(sentry_new(b->http, &options, &s, &b->err), 0);
    return s;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_at_the_limit_is_read_and_a_larger_one_is_not),
        cmocka_unit_test(a_service_that_never_answers_is_left_when_the_time_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
