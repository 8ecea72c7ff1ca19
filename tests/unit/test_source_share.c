/* What several calls of one client ask is asked once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dbconn/sources/sentry.h"
#include "source_bench.h"

#define ISSUE "GET /api/0/organizations/acme/issues/"
#define MINUTE INT64_C(60000)

static struct sentry *open_all(struct bench *b, int64_t keep_ms, const struct route *routes,
                               size_t n)
{
    struct sentry *s = NULL;

    bench_open(b, "sentry", routes, n);
    const struct sentry_options options = {
        .url = b->url, .org = "acme", .token = "secret", .keep_ms = keep_ms
    };
    assert_int_equal(sentry_new(b->http, &options, &s, &b->err), 0);
    return s;
}

static void close_all(struct bench *b, struct sentry *s)
{
    sentry_free(s);
    bench_close(b);
}

static struct source_call *ask(struct bench *b, struct sentry *s, const char *id)
{
    return sentry_get_issue(s, 1, id, bench_done, b, &b->err);
}

static int times_asked(const struct bench *b, const char *what)
{
    int n = 0;

    for (const char *at = buf_str(&b->asked); (at = strstr(at, what)); at++)
        n++;
    return n;
}

static void pause_ms(struct bench *b, uint64_t ms)
{
    uint64_t until = uv_hrtime() + ms * 1000000;

    while (uv_hrtime() < until)
        uv_run(&b->loop, UV_RUN_NOWAIT);
}

static void calls_for_the_same_share_a_request(void **state)
{
    struct bench b;
    struct sentry *s = open_all(&b, 0, ROUTES({ ISSUE, 200, "", "{\"id\":\"7\"}" }));

    (void)state;
    assert_non_null(ask(&b, s, "7"));
    assert_non_null(ask(&b, s, "7"));
    assert_non_null(ask(&b, s, "8"));
    const struct sentry_issue *issue = bench_wait(&b, ask(&b, s, "7"), 4);
    assert_string_equal(issue->id, "7");
    assert_int_equal(times_asked(&b, "issues/7/"), 1);
    assert_int_equal(times_asked(&b, "issues/8/"), 1);
    (void)bench_result(&b, ask(&b, s, "7")); /* nothing is kept */
    assert_int_equal(times_asked(&b, "issues/7/"), 2);
    close_all(&b, s);
}

static void who_leaves_does_not_take_the_others_along(void **state)
{
    struct bench b;
    struct sentry *s = open_all(&b, 0, ROUTES({ ISSUE, 200, "", "{\"id\":\"7\"}" }));

    (void)state;
    struct source_call *first = ask(&b, s, "7"), *second = ask(&b, s, "7"),
                       *third = ask(&b, s, "7");
    source_cancel(first);
    source_cancel(third);
    (void)bench_result(&b, second);
    assert_int_equal(times_asked(&b, "issues/7/"), 1);
    first = ask(&b, s, "7");
    second = ask(&b, s, "7");
    source_cancel(first);
    source_cancel(second);
    (void)bench_result(&b, ask(&b, s, "8")); /* and neither has called back */
    close_all(&b, s);
}

static void an_answer_serves_those_that_come_soon(void **state)
{
    struct bench b;
    struct sentry *s = open_all(&b, MINUTE, ROUTES({ ISSUE, 200, "", "{\"id\":\"7\"}" }));

    (void)state;
    (void)bench_result(&b, ask(&b, s, "7"));
    const struct sentry_issue *issue = bench_result(&b, ask(&b, s, "7"));
    assert_string_equal(issue->id, "7");
    struct source_call *cancelled = ask(&b, s, "7");
    source_cancel(cancelled);
    (void)bench_result(&b, ask(&b, s, "7"));
    assert_int_equal(times_asked(&b, "issues/7/"), 1);
    close_all(&b, s);
}

static void an_answer_is_kept_no_longer_than_said(void **state)
{
    struct bench b;
    struct sentry *s = open_all(&b, 1, ROUTES({ ISSUE, 200, "", "{\"id\":\"7\"}" }));

    (void)state;
    (void)bench_result(&b, ask(&b, s, "7"));
    pause_ms(&b, 20);
    (void)bench_result(&b, ask(&b, s, "7"));
    assert_int_equal(times_asked(&b, "issues/7/"), 2);
    close_all(&b, s);
}

static void a_failure_is_told_to_all_and_kept_for_nobody(void **state)
{
    struct bench b;
    struct sentry *s = open_all(&b, MINUTE,
                                ROUTES({ ISSUE, 403 + ONCE, "", "{\"detail\":\"no\"}" },
                                       { ISSUE, 200, "", "{\"id\":\"7\"}" }));

    (void)state;
    assert_non_null(ask(&b, s, "7"));
    assert_null(bench_wait(&b, ask(&b, s, "7"), 2));
    assert_int_equal(b.err.code, ERR_FORBIDDEN);
    assert_int_equal(times_asked(&b, "issues/7/"), 1);
    (void)bench_result(&b, ask(&b, s, "7"));
    assert_int_equal(times_asked(&b, "issues/7/"), 2);
    close_all(&b, s);
}

struct ending {
    struct sentry *client;
    int ended;
};

static void free_the_client(void *user, const void *result, const struct error *err)
{
    struct ending *e = user;

    (void)err;
    assert_non_null(result);
    e->ended++;
    sentry_free(e->client);
    e->client = NULL;
}

static void the_client_may_be_freed_while_others_wait_for_the_same(void **state)
{
    static const int64_t keep_ms[] = { 0, MINUTE };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keep_ms); i++) {
        struct bench b;
        struct ending e = { 0 };
        struct sentry *s = open_all(&b, keep_ms[i], ROUTES({ ISSUE, 200, "", "{\"id\":\"7\"}" }));
        if (keep_ms[i]) /* so that they are served from what is kept */
            (void)bench_result(&b, ask(&b, s, "7"));
        e.client = s;
        assert_non_null(sentry_get_issue(s, 1, "7", free_the_client, &e, &b.err));
        assert_non_null(ask(&b, s, "7"));
        while (!e.ended)
            uv_run(&b.loop, UV_RUN_ONCE);
        assert_int_equal(e.ended, 1);
        assert_int_equal(b.ended, 0);
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_for_the_same_share_a_request),
        cmocka_unit_test(who_leaves_does_not_take_the_others_along),
        cmocka_unit_test(an_answer_serves_those_that_come_soon),
        cmocka_unit_test(an_answer_is_kept_no_longer_than_said),
        cmocka_unit_test(a_failure_is_told_to_all_and_kept_for_nobody),
        cmocka_unit_test(the_client_may_be_freed_while_others_wait_for_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
