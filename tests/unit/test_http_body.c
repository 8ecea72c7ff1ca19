/* The bodies of answers as they come: what a filter keeps of them, and the memory of all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "dbconn/net/http.h"
#include "dbconn/net/loop.h"
#include "dbconn/net/policy.h"
#include "fake_http.h"

#define BIG 100000

struct bench {
    uv_loop_t loop;
    struct net_policy *policy;
    struct http *http;
    struct http_service *service;
    struct fake_http server;
    char url[64];
    int ended;
    int fail_first;            /* so many requests are answered with 503 */
    struct fake_conn *half[8]; /* got the first half of their answers */
    int n_half;
};

struct outcome {
    struct bench *bench;
    int status;
    bool truncated;
    struct buf body;
    struct error err;
};

/* /x: xyxyxy; /half: xyxy of 8 bytes; /error: 100000 bytes and 404. */
static void answer(struct fake_conn *conn, const struct fake_request *request, void *user)
{
    static const char half[] = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nxyxy";
    struct bench *b = user;
    char *big = calloc(1, BIG + 1);

    memset(big, 'z', BIG);
    if (b->fail_first-- > 0) {
        fake_reply(conn, 503, "", "xyz");
    } else if (strcmp(request->target, "/error") == 0) {
        fake_reply_bytes(conn, 404, "", big, BIG);
    } else if (strcmp(request->target, "/half") == 0) {
        b->half[b->n_half++] = conn;
        fake_send(conn, half, sizeof(half) - 1);
    } else {
        fake_reply(conn, 200, "", "xyxyxy");
    }
    free(big);
}

static void bench_open(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    uv_loop_init(&b->loop);
    fake_http_start(&b->server, &b->loop, answer, b);
    snprintf(b->url, sizeof(b->url), "http://127.0.0.1:%d", b->server.tcp.port);
    b->policy = net_policy_new();
    assert_int_equal(net_policy_add_base(b->policy, "sentry", b->url, NULL), 0);
    assert_int_equal(http_new(&b->loop, b->policy, &b->http, NULL), 0);
    b->service =
        http_service(b->http, &(struct http_service_options){
                                  .name = "sentry", .backoff_base_ms = 2, .max_in_flight = 16 });
}

static void bench_close(struct bench *b)
{
    http_free(b->http);
    fake_http_stop(&b->server);
    assert_true(loop_finish(&b->loop));
    net_policy_free(b->policy);
}

static void on_done(void *user, const struct http_reply *reply, const struct error *err)
{
    struct outcome *o = user;

    o->bench->ended++;
    if (err) {
        error_copy(&o->err, err);
        return;
    }
    o->status = reply->status;
    o->truncated = reply->truncated;
    buf_add(&o->body, reply->body, reply->body_len);
}

static struct http_call *ask(struct bench *b, struct outcome *o, const char *path,
                             const struct http_filter *f, int64_t timeout_ms)
{
    char *url = xasprintf("%s%s", b->url, path);
    const struct http_request request = { .service = b->service,
                                          .url = url,
                                          .idempotent = true,
                                          .filter = f,
                                          .filter_arg = "x",
                                          .timeout_ms = timeout_ms,
                                          .budget_ms = 60000,
                                          .done = on_done,
                                          .user = o };

    memset(o, 0, sizeof(*o));
    o->bench = b;
    struct http_call *call = http_start(b->http, &request, &o->err);
    free(url);
    assert_non_null(call);
    return call;
}

static void outcome_clear(struct outcome *o)
{
    buf_clear(&o->body);
    error_clear(&o->err);
}

static void run_until(struct bench *b, int ended)
{
    while (b->ended < ended)
        uv_run(&b->loop, UV_RUN_ONCE);
}

/* ---- a filter that keeps the x of an answer; the second y is enough or too much ---- */

struct keep {
    const char *wanted;
    int others;
};

static int begun;

static void *keep_begin(const void *arg)
{
    struct keep *k = xcalloc(1, sizeof(*k));

    k->wanted = arg;
    begun++;
    return k;
}

static int keep_feed(void *state, const char *bytes, size_t n, struct buf *out, struct error *err)
{
    struct keep *k = state;

    (void)err;
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == *k->wanted)
            buf_addc(out, bytes[i]);
        else
            k->others++;
    }
    return 0;
}

static int feed_until_two(void *state, const char *bytes, size_t n, struct buf *out,
                          struct error *err)
{
    struct keep *k = state;

    (void)keep_feed(state, bytes, n, out, err);
    return k->others >= 2 ? 1 : 0;
}

static int feed_no_two(void *state, const char *bytes, size_t n, struct buf *out, struct error *err)
{
    return feed_until_two(state, bytes, n, out, err) ? error_set(err, ERR_PROTOCOL, "two") : 0;
}

static int keep_end(void *state, struct buf *out, struct error *err)
{
    struct keep *k = state;

    (void)err;
    buf_addf(out, " and %d", k->others);
    return 0;
}

static int refuse_end(void *state, struct buf *out, struct error *err)
{
    (void)state;
    (void)out;
    return error_set(err, ERR_PROTOCOL, "not so");
}

static void a_filter_makes_the_body_of_a_good_answer_and_begins_anew_with_each_attempt(void **state)
{
    static const struct http_filter keep = { keep_begin, keep_feed, keep_end, free },
                                    enough = { keep_begin, feed_until_two, keep_end, free },
                                    no_two = { keep_begin, feed_no_two, keep_end, free },
                                    refuse = { keep_begin, keep_feed, refuse_end, free };
    static const struct {
        const struct http_filter *filter;
        const char *path;
        int fail_first, status, begun;
        bool truncated;
        const char *body, *error;
    } cases[] = {
        { &keep, "/x", 0, 200, 1, false, "xxx and 3", NULL },
        { &keep, "/x", 2, 200, 1, false, "xxx and 3", NULL }, /* a 503 is not filtered */
        { &enough, "/x", 0, 200, 1, true, "xxx", NULL },
        { &no_two, "/x", 0, 0, 1, false, "", "two" },
        { &refuse, "/x", 0, 0, 1, false, "", "not so" },
    };
    struct bench b;

    (void)state;
    bench_open(&b);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct outcome o;
        int requests = b.server.requests;
        begun = 0;
        b.fail_first = cases[i].fail_first;
        ask(&b, &o, cases[i].path, cases[i].filter, 0);
        run_until(&b, (int)i + 1);
        assert_int_equal(o.status, cases[i].status);
        assert_int_equal(o.truncated, cases[i].truncated);
        assert_string_equal(buf_str(&o.body), cases[i].body);
        assert_string_equal(error_text(&o.err), cases[i].error ? cases[i].error : "");
        assert_int_equal(begun, cases[i].begun);
        assert_int_equal(b.server.requests - requests, cases[i].fail_first + 1); /* no retry */
        outcome_clear(&o);
    }
    bench_close(&b);
}

static void an_error_text_is_cut_where_a_filter_was_meant(void **state)
{
    static const struct http_filter keep = { keep_begin, keep_feed, keep_end, free };
    struct bench b;
    struct outcome o;

    (void)state;
    bench_open(&b);
    ask(&b, &o, "/error", &keep, 0);
    run_until(&b, 1);
    assert_int_equal(o.status, 404);
    assert_true(o.truncated);
    assert_int_equal(o.body.len, 64 * 1024);
    outcome_clear(&o);
    bench_close(&b);
}

/* ---- memory ---- */

static void send_the_rest(void *user)
{
    struct bench *b = user;

    for (int i = 0; i < b->n_half; i++)
        fake_send(b->half[i], "xyxy", 4);
}

static void answers_wait_for_one_another_where_their_memory_is_used_up(void **state)
{
    struct bench b;
    struct outcome o[4];
    struct http_memory memory = { 0 };

    (void)state;
    bench_open(&b);
    http_limit_memory(b.http, 1);
    for (size_t i = 0; i < ARRAY_LEN(o); i++)
        ask(&b, &o[i], "/half", NULL, 0);
    while (memory.pauses < ARRAY_LEN(o) - 1) {
        uv_run(&b.loop, UV_RUN_ONCE);
        http_memory(b.http, &memory);
    }
    size_t of_one = memory.peak;
    send_the_rest(&b);
    run_until(&b, ARRAY_LEN(o));
    http_memory(b.http, &memory);
    for (size_t i = 0; i < ARRAY_LEN(o); i++) {
        assert_string_equal(buf_str(&o[i].body), "xyxyxyxy");
        outcome_clear(&o[i]);
    }
    assert_int_equal(memory.held, 0);
    assert_int_equal(memory.peak, of_one); /* never two of them */
    assert_int_equal(b.server.requests, ARRAY_LEN(o));
    bench_close(&b);
}

static void a_paused_answer_may_be_cancelled(void **state)
{
    struct bench b;
    struct outcome first, second;
    struct http_memory memory = { 0 };

    (void)state;
    bench_open(&b);
    http_limit_memory(b.http, 1);
    ask(&b, &first, "/half", NULL, 0);
    struct http_call *paused = ask(&b, &second, "/half", NULL, 0);
    while (memory.pauses < 1) {
        uv_run(&b.loop, UV_RUN_ONCE);
        http_memory(b.http, &memory);
    }
    http_cancel(paused);
    send_the_rest(&b);
    run_until(&b, 1);
    assert_int_equal(first.bench->ended, 1);
    outcome_clear(&first);
    outcome_clear(&second);
    bench_close(&b);
}

static void the_time_that_an_answer_waits_for_memory_is_not_held_against_it(void **state)
{
    struct bench b;
    struct outcome first, second;
    struct http_memory memory = { 0 };

    (void)state;
    bench_open(&b);
    http_limit_memory(b.http, 1);
    ask(&b, &first, "/half", NULL, 30000);
    while (!memory.held) {
        uv_run(&b.loop, UV_RUN_ONCE);
        http_memory(b.http, &memory);
    }
    ask(&b, &second, "/x", NULL, 1500);
    struct loop_timer *later = loop_timer_new(&b.loop, send_the_rest, &b);
    loop_timer_start(later, 2500);
    run_until(&b, 2);
    assert_string_equal(buf_str(&first.body), "xyxyxyxy");
    assert_string_equal(error_text(&second.err), "");
    assert_string_equal(buf_str(&second.body), "xyxyxy");
    http_memory(b.http, &memory);
    assert_int_equal(memory.pauses, 1);
    assert_int_equal(b.server.requests, 2);
    loop_timer_free(later);
    outcome_clear(&first);
    outcome_clear(&second);
    bench_close(&b);
}

static int global_init(void **state)
{
    (void)state;
    return http_global_init(NULL);
}

static int global_clear(void **state)
{
    (void)state;
    http_global_clear();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_filter_makes_the_body_of_a_good_answer_and_begins_anew_with_each_attempt),
        cmocka_unit_test(an_error_text_is_cut_where_a_filter_was_meant),
        cmocka_unit_test(answers_wait_for_one_another_where_their_memory_is_used_up),
        cmocka_unit_test(a_paused_answer_may_be_cancelled),
        cmocka_unit_test(the_time_that_an_answer_waits_for_memory_is_not_held_against_it),
    };
    return cmocka_run_group_tests(tests, global_init, global_clear);
}
