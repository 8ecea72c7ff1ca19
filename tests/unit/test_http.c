/* The client against a small server on the same loop (fake_http.h): real sockets, real time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

#include "dbconn/base/clock.h"
#include "dbconn/net/http.h"
#include "dbconn/net/http_headers.h"
#include "dbconn/net/loop.h"
#include "dbconn/net/policy.h"
#include "fake_http.h"

/* Stands before the system's: a name server that says nothing about one name for a while. libcurl
 * calls it in a thread of its own. */
#define SILENT_NAME "silent.example"
static _Atomic int silent_lookups;

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret)
{
    typedef int fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    static fn *real;

    if (name && !strcmp(name, SILENT_NAME)) {
        silent_lookups++;
        uv_sleep(3000);
        silent_lookups--;
        return EAI_AGAIN;
    }
    if (!real) {
        void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
        memcpy(&real, &symbol, sizeof(real));
    }
    return real(name, service, hints, ret);
}

struct outcome {
    struct http_call *call;
    bool sent;
    int calls;
    int status;
    struct buf body;
    bool truncated;
    char *header; /* X-Test */
    struct error err;
    struct bench *bench;
    int order; /* the how-manieth to end */
};

struct bench {
    uv_loop_t loop;
    struct net_policy *policy;
    struct http *http;
    struct http_service *service;
    struct fake_http server;
    char url[128];
    int ended;
    /* for handlers */
    int fail_first; /* so many requests get `fail_status` */
    int fail_status;
    const char *fail_headers;
    struct fake_conn *held[64];
    char *held_target[64];
    int n_held;
    bool no_leave; /* for calls with may_send */
};

static void on_done(void *user, const struct http_reply *reply, const struct error *err)
{
    struct outcome *o = user;

    o->calls++;
    o->order = ++o->bench->ended;
    assert_true((reply == NULL) != (err == NULL));
    if (err) {
        error_copy(&o->err, err);
        o->sent = http_call_sent(o->call);
        return;
    }
    o->status = reply->status;
    o->truncated = reply->truncated;
    buf_add(&o->body, reply->body, reply->body_len);
    if (http_reply_header(reply, "x-test"))
        o->header = xstrdup(http_reply_header(reply, "x-test"));
}

static void outcome_clear(struct outcome *o)
{
    buf_clear(&o->body);
    free(o->header);
    error_clear(&o->err);
}

static void bench_open(struct bench *b, fake_handler *handler, struct http_service_options options)
{
    memset(b, 0, sizeof(*b));
    uv_loop_init(&b->loop);
    fake_http_start(&b->server, &b->loop, handler, b);
    snprintf(b->url, sizeof(b->url), "http://127.0.0.1:%d", b->server.tcp.port);
    b->policy = net_policy_new();
    assert_int_equal(net_policy_add_base(b->policy, "github", b->url, NULL), 0);
    assert_int_equal(http_new(&b->loop, b->policy, &b->http, NULL), 0);
    options.name = "github";
    options.title = "GitHub";
    if (!options.backoff_base_ms)
        options.backoff_base_ms = 2;
    b->service = http_service(b->http, &options);
}

static void bench_close(struct bench *b)
{
    http_free(b->http);
    fake_http_stop(&b->server);
    assert_true(loop_finish(&b->loop));
    net_policy_free(b->policy);
    for (int i = 0; i < b->n_held; i++)
        free(b->held_target[i]);
}

static struct http_call *start(struct bench *b, struct outcome *o, const char *path,
                               struct http_request request)
{
    char *url = strstr(path, "://") ? xstrdup(path) : xasprintf("%s%s", b->url, path);

    o->bench = b;
    request.service = request.service ? request.service : b->service;
    request.url = url;
    request.done = on_done;
    request.user = o;
    struct http_call *call = http_start(b->http, &request, &o->err);
    free(url);
    assert_int_equal(o->calls, 0); /* never inside the start call */
    o->call = call;
    return call;
}

/* Turns the loop until all of `n` outcomes are there, for at most 5 s. */
static void run_until(struct bench *b, int n)
{
    int64_t end = clock_mono_ms() + 5000;

    while (b->ended < n && clock_mono_ms() < end) {
        uv_run(&b->loop, UV_RUN_NOWAIT);
        uv_sleep(1);
    }
    assert_int_equal(b->ended, n);
}

static void run_for(struct bench *b, int64_t ms)
{
    int64_t end = clock_mono_ms() + ms;

    while (clock_mono_ms() < end) {
        uv_run(&b->loop, UV_RUN_NOWAIT);
        uv_sleep(1);
    }
}

/* --- handlers --- */

static void echo(struct fake_conn *conn, const struct fake_request *request, void *user)
{
    struct buf body = BUF_INIT;

    (void)user;
    buf_addf(&body, "%s %s\n%s\n%s", request->method, request->target, request->head,
             request->body);
    fake_reply(conn, strstr(request->target, "missing") ? 404 : 200,
               "X-Test: old\r\nx-test:  some value \r\n", buf_str(&body));
    buf_clear(&body);
}

static void fail_first(struct fake_conn *conn, const struct fake_request *request, void *user)
{
    struct bench *b = user;

    (void)request;
    if (b->server.requests > b->fail_first)
        fake_reply(conn, 200, "", "fine");
    else if (b->fail_status == 0)
        fake_drop(conn);
    else
        fake_reply(conn, b->fail_status, b->fail_headers ? b->fail_headers : "", "not now");
}

static void hold(struct fake_conn *conn, const struct fake_request *request, void *user)
{
    struct bench *b = user;

    b->held_target[b->n_held] = xstrdup(request->target);
    b->held[b->n_held++] = conn;
}

static void big(struct fake_conn *conn, const struct fake_request *request, void *user)
{
    char *body = malloc(300000);

    (void)request;
    (void)user;
    memset(body, 'x', 300000);
    fake_reply_bytes(conn, 200, "", body, 300000);
    free(body);
}

/* Writes `code`, `n` bits, into the byte string: Huffman codes go most significant bit first. */
static void put_bits(struct buf *out, int *used, unsigned code, int n)
{
    while (n-- > 0) {
        if (*used == 0)
            buf_addc(out, 0);
        out->data[out->len - 1] |= (char)((code >> n & 1U) << *used);
        *used = (*used + 1) % 8;
    }
}

static uint32_t crc_of_zeros(size_t n)
{
    uint32_t crc = 0xFFFFFFFF;

    for (size_t bit = 0; bit < n * 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    return ~crc;
}

static void put_u32(struct buf *out, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        buf_addc(out, (char)(v >> 8 * i & 0xFF));
}

/* A gzip file of 1 + 258 * runs zero bytes, 13 bits a run: one block of fixed Huffman codes with
 * a literal 0 and copies of length 258 (code 285) at distance 1 (RFC 1951 3.2.6, RFC 1952 2.3). */
static void pack_zeros(struct buf *out, int runs)
{
    size_t n = 1 + 258 * (size_t)runs;
    int used = 0;

    buf_add(out, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
    put_bits(out, &used, 1, 1);    /* the last block */
    put_bits(out, &used, 2, 2);    /* type 01, least significant bit first */
    put_bits(out, &used, 0x30, 8); /* literal 0 */
    while (runs-- > 0)
        put_bits(out, &used, 0xC5 << 5, 13);
    put_bits(out, &used, 0, 7); /* end of block */
    put_u32(out, crc_of_zeros(n));
    put_u32(out, (uint32_t)n);
}

static void bomb(struct fake_conn *conn, const struct fake_request *request, void *user)
{
    struct buf packed = BUF_INIT;

    (void)user;
    assert_non_null(strstr(request->head, "Accept-Encoding: gzip"));
    pack_zeros(&packed, strstr(request->target, "small") ? 100 : 100000);
    if (strstr(request->target, "broken"))
        packed.data[packed.len - 5] ^= 1; /* of the checksum */
    fake_reply_bytes(conn, 200, "Content-Encoding: gzip\r\n", packed.data, packed.len);
    buf_clear(&packed);
}

static void redirect(struct fake_conn *conn, const struct fake_request *request, void *user)
{
    struct bench *b = user;
    struct buf headers = BUF_INIT;
    const char *t = request->target;

    if (!strcmp(t, "/relative"))
        buf_adds(&headers, "Location: /end?x=1\r\n");
    else if (!strcmp(t, "/absolute"))
        buf_addf(&headers, "Location: %s/end\r\n", b->url);
    else if (!strcmp(t, "/port"))
        buf_addf(&headers, "Location: http://127.0.0.1:%d/end\r\n", b->server.tcp.port + 1);
    else if (!strcmp(t, "/host"))
        buf_addf(&headers, "Location: http://localhost:%d/end\r\n", b->server.tcp.port);
    else if (!strcmp(t, "/scheme"))
        buf_adds(&headers, "Location: ftp://127.0.0.1/end\r\n");
    else if (!strcmp(t, "/user"))
        buf_addf(&headers, "Location: http://u:p@127.0.0.1:%d/end\r\n", b->server.tcp.port);
    else if (!strcmp(t, "/loop"))
        buf_adds(&headers, "Location: /loop\r\n");
    else if (!strcmp(t, "/none"))
        buf_adds(&headers, "X-Test: no location\r\n");
    if (headers.len)
        fake_reply(conn, 302, buf_str(&headers), "moved");
    else
        echo(conn, request, user);
    buf_clear(&headers);
}

/* --- tests --- */

static void a_reply_has_status_body_and_the_last_of_its_headers(void **state)
{
    struct bench b;
    struct outcome o = { 0 };

    (void)state;
    bench_open(&b, echo, (struct http_service_options){ 0 });
    assert_non_null(start(&b, &o, "/missing?q=1", (struct http_request){ 0 }));
    run_until(&b, 1);
    assert_int_equal(o.status, 404);
    assert_string_equal(o.header, "some value");
    assert_non_null(strstr(buf_str(&o.body), "GET /missing?q=1"));
    assert_non_null(strstr(buf_str(&o.body), "User-Agent: dbconn/" DBCONN_VERSION "\r\n"));
    assert_null(strstr(buf_str(&o.body), "Expect:"));
    outcome_clear(&o);
    bench_close(&b);
}

static void methods_headers_and_bodies_go_out_as_given(void **state)
{
    static const struct {
        const char *method, *body, *line;
    } cases[] = {
        { "POST", "{\"a\":1}", "POST /x" }, { "POST", NULL, "POST /x" },
        { "PUT", "text", "PUT /x" },        { "GET", "{}", "GET /x" },
        { "DELETE", NULL, "DELETE /x" },    { NULL, NULL, "GET /x" },
    };
    static const char *const headers[] = { "Authorization: Bearer t", "Content-Type: text/plain",
                                           NULL };
    struct bench b;

    (void)state;
    bench_open(&b, echo, (struct http_service_options){ 0 });
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct outcome o = { 0 };
        const struct http_request request = {
            .method = cases[i].method,
            .headers = headers,
            .body = cases[i].body,
            .body_len = cases[i].body ? strlen(cases[i].body) : 0,
        };
        assert_non_null(start(&b, &o, "/x", request));
        run_until(&b, (int)i + 1);
        assert_non_null(strstr(buf_str(&o.body), cases[i].line));
        assert_non_null(strstr(buf_str(&o.body), "Authorization: Bearer t\r\n"));
        assert_non_null(strstr(buf_str(&o.body), "Content-Type: text/plain\r\n"));
        if (cases[i].body)
            assert_string_equal(buf_str(&o.body) + o.body.len - strlen(cases[i].body),
                                cases[i].body);
        outcome_clear(&o);
    }
    assert_int_equal(b.server.tcp.connections, 1); /* kept alive */
    bench_close(&b);
}

static void what_the_policy_forbids_never_starts(void **state)
{
    static const char *const split[] = { "X: a\r\nEvil: b", NULL }, *const bare[] = { "X", NULL };
    struct bench b;
    struct outcome o = { 0 };

    (void)state;
    bench_open(&b, echo, (struct http_service_options){ 0 });
    assert_null(start(&b, &o, "https://evil.example/", (struct http_request){ 0 }));
    assert_int_equal(o.err.code, ERR_CONFIG);
    assert_null(start(&b, &o, "/x", (struct http_request){ .headers = split }));
    assert_int_equal(o.err.code, ERR_INVALID);
    assert_null(start(&b, &o, "/x", (struct http_request){ .headers = bare }));
    run_for(&b, 20);
    assert_int_equal(o.calls, 0);
    assert_int_equal(b.server.requests, 0);
    outcome_clear(&o);
    bench_close(&b);
}

static void passing_trouble_is_tried_again_and_other_trouble_is_not(void **state)
{
    static const struct {
        int first, status; /* 0: dropped after it was read */
        bool idempotent;
        const char *headers;
        int ends, requests; /* status, 0 for an error */
    } cases[] = {
        { 0, 503, true, NULL, 200, 1 },
        { 1, 502, true, NULL, 200, 2 },
        { 2, 503, true, NULL, 200, 3 },
        { 9, 504, true, NULL, 504, 3 },
        { 1, 503, false, NULL, 503, 1 },
        { 1, 500, true, NULL, 500, 1 },
        { 1, 404, true, NULL, 404, 1 },
        { 1, 429, true, NULL, 200, 2 },
        { 1, 429, true, "Retry-After: 0\r\n", 200, 2 },
        { 1, 429, true, "Retry-After: 3600\r\n", 429, 1 },
        { 1, 0, true, NULL, 200, 2 },
        { 9, 0, true, NULL, 0, 3 },
        { 1, 0, false, NULL, 0, 1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b;
        struct outcome o = { 0 };
        struct http_service_stats stats;

        bench_open(&b, fail_first, (struct http_service_options){ 0 });
        b.fail_first = cases[i].first;
        b.fail_status = cases[i].status;
        b.fail_headers = cases[i].headers;
        assert_non_null(
            start(&b, &o, "/x", (struct http_request){ .idempotent = cases[i].idempotent }));
        run_until(&b, 1);
        run_for(&b, 10);
        assert_int_equal(o.calls, 1);
        assert_int_equal(o.status, cases[i].ends);
        assert_int_equal(b.server.requests, cases[i].requests);
        http_service_stats(b.service, &stats);
        assert_int_equal(stats.requests, cases[i].requests);
        assert_int_equal(stats.retries, cases[i].requests - 1);
        if (!cases[i].ends) {
            assert_int_equal(o.err.code, ERR_NETWORK);
            assert_non_null(strstr(error_text(&o.err), "GitHub broke the connection off"));
            assert_true(o.sent);
        }
        outcome_clear(&o);
        bench_close(&b);
    }
}

static void a_post_on_a_kept_connection_that_dies_is_not_sent_twice(void **state)
{
    struct bench b;
    struct outcome o[2] = { { 0 }, { 0 } };
    const struct http_request request = { .method = "POST", .body = "text=hello", .body_len = 10 };

    (void)state;
    bench_open(&b, fail_first, (struct http_service_options){ 0 });
    assert_non_null(start(&b, &o[0], "/first", request));
    run_until(&b, 1);
    assert_int_equal(o[0].status, 200);
    b.fail_first = 9; /* from now on: read, then dropped */
    assert_non_null(start(&b, &o[1], "/second", request));
    run_until(&b, 2);
    assert_int_equal(b.server.requests, 2);
    assert_int_equal(o[1].err.code, ERR_NETWORK);
    assert_true(o[1].sent);
    outcome_clear(&o[0]);
    outcome_clear(&o[1]);
    bench_close(&b);
}

static void retry_after_is_waited_out_and_holds_the_whole_service(void **state)
{
    struct bench b;
    struct outcome o[2] = { { 0 }, { 0 } };

    (void)state;
    bench_open(&b, fail_first, (struct http_service_options){ 0 });
    b.fail_first = 1;
    b.fail_status = 429;
    b.fail_headers = "Retry-After: 1\r\n";
    int64_t began = clock_mono_ms();
    assert_non_null(start(&b, &o[0], "/x", (struct http_request){ .idempotent = true }));
    while (b.server.requests < 1)
        uv_run(&b.loop, UV_RUN_NOWAIT);
    run_for(&b, 20);
    assert_non_null(start(&b, &o[1], "/y", (struct http_request){ 0 }));
    run_for(&b, 200);
    assert_int_equal(b.server.requests, 1);
    run_until(&b, 2);
    assert_true(clock_mono_ms() - began >= 1000);
    assert_int_equal(o[0].status, 200);
    assert_int_equal(o[1].status, 200);
    outcome_clear(&o[0]);
    outcome_clear(&o[1]);
    bench_close(&b);
}

static void a_limit_too_long_to_wait_for_fails_what_comes_after(void **state)
{
    struct bench b;
    struct outcome o[2] = { { 0 }, { 0 } };

    (void)state;
    bench_open(&b, fail_first, (struct http_service_options){ 0 });
    b.fail_first = 1;
    b.fail_status = 429;
    b.fail_headers = "Retry-After: 720\r\n";
    assert_non_null(start(&b, &o[0], "/x", (struct http_request){ .idempotent = true }));
    run_until(&b, 1);
    assert_int_equal(o[0].status, 429);
    assert_non_null(start(&b, &o[1], "/y", (struct http_request){ .idempotent = true }));
    run_until(&b, 2);
    assert_int_equal(o[1].err.code, ERR_RATE_LIMITED);
    assert_true(o[1].err.retry_after_ms > 700000 && o[1].err.retry_after_ms <= 720000);
    assert_non_null(strstr(error_text(&o[1].err), "GitHub asked not to be asked again for another "
                                                  "12 min"));
    assert_int_equal(b.server.requests, 1);
    outcome_clear(&o[0]);
    outcome_clear(&o[1]);
    bench_close(&b);
}

/* As GitHub does: remaining 0 with the last answer that was allowed. */
static int64_t remaining_limit(const struct http_reply *reply, int64_t now_wall_ms)
{
    const char *reset = http_reply_header(reply, "X-Reset-In-Ms");

    (void)now_wall_ms;
    return reset ? strtol(reset, NULL, 10) : -1;
}

static void a_services_own_limit_function_is_obeyed_also_after_success(void **state)
{
    struct bench b;
    struct outcome o[2] = { { 0 }, { 0 } };

    (void)state;
    bench_open(&b, fail_first, (struct http_service_options){ .limit = remaining_limit });
    b.fail_first = 1;
    b.fail_status = 200;
    b.fail_headers = "X-Reset-In-Ms: 300\r\n";
    assert_non_null(start(&b, &o[0], "/x", (struct http_request){ 0 }));
    run_until(&b, 1);
    assert_int_equal(o[0].status, 200);
    int64_t began = clock_mono_ms();
    assert_non_null(start(&b, &o[1], "/x", (struct http_request){ 0 }));
    run_until(&b, 2);
    assert_true(clock_mono_ms() - began >= 290);
    outcome_clear(&o[0]);
    outcome_clear(&o[1]);
    bench_close(&b);
}

static void a_silent_service_times_out_with_its_name_and_the_time(void **state)
{
    struct bench b;
    struct outcome o = { 0 };
    const struct http_request request = { .timeout_ms = 1000, .idempotent = false };

    (void)state;
    bench_open(&b, hold, (struct http_service_options){ 0 });
    assert_non_null(start(&b, &o, "/x?token=hush", request));
    run_until(&b, 1);
    assert_int_equal(o.err.code, ERR_TIMEOUT);
    assert_string_equal(error_text(&o.err), "GitHub did not answer within 1 s");
    outcome_clear(&o);
    bench_close(&b);
}

static void the_budget_bounds_all_attempts_together(void **state)
{
    struct bench b;
    struct outcome o = { 0 };
    const struct http_request request = { .timeout_ms = 150, .budget_ms = 350, .idempotent = true };

    (void)state;
    bench_open(&b, hold, (struct http_service_options){ .max_attempts = 50 });
    int64_t began = clock_mono_ms();
    assert_non_null(start(&b, &o, "/x", request));
    run_until(&b, 1);
    int64_t took = clock_mono_ms() - began;
    assert_int_equal(o.err.code, ERR_TIMEOUT);
    assert_true(took >= 150 && took < 5000);
    assert_in_range(b.server.requests, 1, 3);
    outcome_clear(&o);
    bench_close(&b);
}

static void a_refused_connection_names_host_and_reason(void **state)
{
    struct bench b;
    struct outcome o = { 0 };
    struct buf expected = BUF_INIT;

    (void)state;
    bench_open(&b, echo, (struct http_service_options){ 0 });
    buf_addf(&expected,
             "GitHub could not be reached: could not connect to 127.0.0.1:%d: connection refused "
             "(after 3 attempts)",
             b.server.tcp.port);
    fake_http_stop(&b.server);
    /* Tried again although it is not idempotent: nothing of it was sent. */
    assert_non_null(start(&b, &o, "/x?token=hush", (struct http_request){ .method = "POST" }));
    run_until(&b, 1);
    assert_int_equal(o.err.code, ERR_NETWORK);
    assert_false(o.sent);
    assert_string_equal(error_text(&o.err), buf_str(&expected));
    outcome_clear(&o);
    buf_clear(&expected);
    http_free(b.http);
    assert_true(loop_finish(&b.loop));
    net_policy_free(b.policy);
}

static void a_body_over_its_cap_fails(void **state)
{
    static const struct {
        size_t max;
        int status;
        size_t len;
    } cases[] = {
        { 300001, 200, 300000 }, { 300000, 200, 300000 }, { 299999, 0, 0 }, { 10, 0, 0 }
    };
    struct bench b;

    (void)state;
    bench_open(&b, big, (struct http_service_options){ 0 });
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct outcome o = { 0 };
        const struct http_request request = { .max_bytes = cases[i].max, .idempotent = true };
        assert_non_null(start(&b, &o, "/x", request));
        run_until(&b, (int)i + 1);
        assert_int_equal(o.status, cases[i].status);
        assert_int_equal(o.body.len, cases[i].len);
        assert_false(o.truncated);
        assert_int_equal(o.err.code, cases[i].status ? ERR_NONE : ERR_TOO_LARGE);
        outcome_clear(&o);
    }
    assert_int_equal(b.server.requests, ARRAY_LEN(cases)); /* too large is not tried again */
    bench_close(&b);
}

static void compressed_bodies_are_capped_by_what_they_unpack_to(void **state)
{
    struct bench b;
    struct outcome o[3] = { { 0 }, { 0 }, { 0 } };

    (void)state;
    bench_open(&b, bomb, (struct http_service_options){ 0 });
    assert_non_null(start(&b, &o[0], "/small", (struct http_request){ 0 }));
    run_until(&b, 1);
    assert_int_equal(o[0].status, 200);
    assert_int_equal(o[0].body.len, 25801);
    assert_non_null(start(&b, &o[1], "/bomb", (struct http_request){ .max_bytes = 1048576 }));
    run_until(&b, 2);
    assert_int_equal(o[1].err.code, ERR_TOO_LARGE);
    assert_string_equal(error_text(&o[1].err), "the answer of GitHub is larger than 1 MiB");
    assert_non_null(start(&b, &o[2], "/small/broken", (struct http_request){ 0 }));
    run_until(&b, 3);
    assert_int_equal(o[2].err.code, ERR_PROTOCOL);
    for (int i = 0; i < 3; i++)
        outcome_clear(&o[i]);
    bench_close(&b);
}

static void redirects_stay_within_their_origin(void **state)
{
    static const struct {
        const char *path, *method;
        int status; /* 0: an error */
        const char *says;
    } cases[] = {
        { "/relative", "GET", 200, "GET /end?x=1" },
        { "/absolute", "GET", 200, "GET /end" },
        { "/none", "GET", 302, NULL },
        { "/port", "GET", 0, "GitHub redirects to http://127.0.0.1, which is elsewhere" },
        { "/host", "GET", 0, "GitHub redirects to http://localhost, which is elsewhere" },
        { "/scheme", "GET", 0, "GitHub redirects: the address is not http" },
        { "/user", "GET", 0, "elsewhere" },
        { "/loop", "GET", 0, "GitHub redirects more than 5 times" },
        { "/relative", "POST", 0, "GitHub redirects a POST request" },
    };
    static const char *const headers[] = { "Authorization: Bearer t", NULL };
    struct bench b;

    (void)state;
    bench_open(&b, redirect, (struct http_service_options){ 0 });
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct outcome o = { 0 };
        const struct http_request request = { .method = cases[i].method,
                                              .headers = headers,
                                              .idempotent = true };
        assert_non_null(start(&b, &o, cases[i].path, request));
        run_until(&b, (int)i + 1);
        assert_int_equal(o.status, cases[i].status);
        assert_int_equal(o.err.code, cases[i].status ? ERR_NONE : ERR_PROTOCOL);
        const char *text = cases[i].status ? buf_str(&o.body) : error_text(&o.err);
        if (cases[i].says && !strstr(text, cases[i].says))
            fail_msg("%s: %s", cases[i].path, text);
        if (cases[i].status == 200)
            assert_non_null(strstr(buf_str(&o.body), "Authorization: Bearer t"));
        outcome_clear(&o);
    }
    bench_close(&b);
}

static void a_cancelled_call_never_reports_wherever_it_stands(void **state)
{
    struct bench b;
    struct outcome o[4] = { { 0 }, { 0 }, { 0 }, { 0 } };
    struct http_call *calls[4];
    struct http_service_stats stats;

    (void)state;
    bench_open(&b, hold, (struct http_service_options){ .max_in_flight = 2 });
    for (int i = 0; i < 4; i++)
        calls[i] = start(&b, &o[i], "/x", (struct http_request){ .timeout_ms = 200 });
    while (b.n_held < 2)
        uv_run(&b.loop, UV_RUN_NOWAIT);
    http_cancel(calls[3]); /* waiting */
    http_cancel(calls[0]); /* on the wire: its place goes to the third */
    while (b.n_held < 3)
        uv_run(&b.loop, UV_RUN_NOWAIT);
    http_service_stats(b.service, &stats);
    assert_int_equal(stats.in_flight, 2);
    assert_int_equal(stats.waiting, 0);
    http_cancel(calls[1]);
    http_cancel(calls[2]);
    http_cancel(NULL);
    run_for(&b, 250);
    for (int i = 0; i < 4; i++)
        assert_int_equal(o[i].calls, 0);
    bench_close(&b);
}

static void a_call_is_cancelled_while_it_sleeps_between_attempts(void **state)
{
    struct bench b;
    struct outcome o = { 0 };

    (void)state;
    bench_open(&b, fail_first, (struct http_service_options){ .backoff_base_ms = 5000 });
    b.fail_first = 9;
    b.fail_status = 503;
    struct http_call *call = start(&b, &o, "/x", (struct http_request){ .idempotent = true });
    run_for(&b, 30);
    http_cancel(call);
    run_for(&b, 20);
    assert_int_equal(o.calls, 0);
    bench_close(&b);
}

static void freeing_the_client_cancels_everything(void **state)
{
    struct bench b;
    struct outcome o[5] = { 0 };

    (void)state;
    bench_open(&b, hold, (struct http_service_options){ .max_in_flight = 3 });
    for (int i = 0; i < 5; i++)
        assert_non_null(start(&b, &o[i], "/x", (struct http_request){ 0 }));
    run_for(&b, 20);
    bench_close(&b);
    for (int i = 0; i < 5; i++)
        assert_int_equal(o[i].calls, 0);
}

static void free_in_done(void *user, const struct http_reply *reply, const struct error *err)
{
    struct bench *b = user;

    (void)reply;
    (void)err;
    b->ended++;
    http_free(b->http);
    b->http = NULL;
}

static void the_client_may_be_freed_inside_done(void **state)
{
    struct bench b;
    struct outcome other = { 0 };

    (void)state;
    bench_open(&b, echo, (struct http_service_options){ 0 });
    const struct http_request request = {
        .service = b.service, .url = b.url, .done = free_in_done, .user = &b
    };
    assert_non_null(http_start(b.http, &request, NULL));
    assert_non_null(start(&b, &other, "/x", (struct http_request){ 0 }));
    run_for(&b, 50);
    assert_in_range(b.ended, 1, 2);
    outcome_clear(&other);
    bench_close(&b);
}

struct chain {
    struct bench *bench;
    int left;
};

static void next_in_chain(void *user, const struct http_reply *reply, const struct error *err)
{
    struct chain *chain = user;

    (void)reply;
    (void)err;
    chain->bench->ended++;
    if (--chain->left == 0)
        return;
    const struct http_request request = { .service = chain->bench->service,
                                          .url = chain->bench->url,
                                          .done = next_in_chain,
                                          .user = chain };
    assert_non_null(http_start(chain->bench->http, &request, NULL));
}

static void a_call_may_be_started_inside_done(void **state)
{
    struct bench b;
    struct chain chain = { &b, 5 };

    (void)state;
    bench_open(&b, echo, (struct http_service_options){ .max_in_flight = 1 });
    const struct http_request request = {
        .service = b.service, .url = b.url, .done = next_in_chain, .user = &chain
    };
    assert_non_null(http_start(b.http, &request, NULL));
    run_until(&b, 5);
    bench_close(&b);
}

static void places_in_flight_are_limited_and_shared_in_turn(void **state)
{
    struct bench b;
    struct outcome o[8] = { 0 };
    static const uint64_t owners[8] = { 1, 1, 1, 1, 1, 1, 2, 3 };
    struct http_service_stats stats;

    (void)state;
    bench_open(&b, hold, (struct http_service_options){ .max_in_flight = 2 });
    for (int i = 0; i < 8; i++) {
        char path[16];
        snprintf(path, sizeof(path), "/%d", i);
        assert_non_null(start(&b, &o[i], path, (struct http_request){ .owner = owners[i] }));
    }
    run_for(&b, 30);
    assert_int_equal(b.n_held, 2);
    http_service_stats(b.service, &stats);
    assert_int_equal(stats.in_flight, 2);
    assert_int_equal(stats.waiting, 6);
    for (int i = 0; i < 8; i++) {
        int64_t end = clock_mono_ms() + 2000;
        while (b.n_held <= i && clock_mono_ms() < end)
            uv_run(&b.loop, UV_RUN_NOWAIT);
        fake_reply(b.held[i], 200, "", "");
        assert_in_range(b.n_held, i + 1, i + 2);
    }
    run_until(&b, 8);
    /* The two that asked once do not wait for the one that asked six times. */
    static const char *const order[] = { "/0", "/1", "/2", "/6", "/7", "/3", "/4", "/5" };
    for (int i = 0; i < 8; i++)
        assert_string_equal(b.held_target[i], order[i]);
    for (int i = 0; i < 8; i++)
        outcome_clear(&o[i]);
    bench_close(&b);
}

static void requests_per_second_are_limited(void **state)
{
    struct bench b;
    struct outcome o[5] = { 0 };

    (void)state;
    bench_open(&b, echo, (struct http_service_options){ .max_per_second = 3 });
    for (int i = 0; i < 5; i++)
        assert_non_null(start(&b, &o[i], "/x", (struct http_request){ 0 }));
    run_for(&b, 300);
    assert_int_equal(b.server.requests, 3);
    run_until(&b, 5);
    for (int i = 0; i < 5; i++)
        outcome_clear(&o[i]);
    bench_close(&b);
}

static void waiting_for_a_place_counts_against_the_budget(void **state)
{
    struct bench b;
    struct outcome o[2] = { { 0 }, { 0 } };

    (void)state;
    bench_open(&b, hold, (struct http_service_options){ .max_in_flight = 1 });
    assert_non_null(start(&b, &o[0], "/x", (struct http_request){ 0 }));
    assert_non_null(start(&b, &o[1], "/y", (struct http_request){ .budget_ms = 50 }));
    run_until(&b, 1);
    assert_int_equal(o[1].err.code, ERR_TIMEOUT);
    assert_non_null(strstr(error_text(&o[1].err), "GitHub was not asked in time: 1 requests"));
    assert_int_equal(b.server.requests, 1);
    outcome_clear(&o[1]);
    bench_close(&b);
}

static void a_patient_call_has_its_whole_budget_once_its_turn_came(void **state)
{
    struct bench b;
    struct outcome o[4] = { 0 }, held = { 0 };

    (void)state;
    bench_open(&b, echo, (struct http_service_options){ .max_per_second = 2 });
    for (int i = 0; i < 4; i++) /* the last two wait for a second */
        assert_non_null(
            start(&b, &o[i], "/x", (struct http_request){ .budget_ms = 700, .patient = true }));
    run_until(&b, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(o[i].err.code, ERR_NONE);
        outcome_clear(&o[i]);
    }
    bench_close(&b);
    bench_open(&b, hold, (struct http_service_options){ .max_attempts = 1 });
    assert_non_null(
        start(&b, &held, "/x", (struct http_request){ .budget_ms = 100, .patient = true }));
    run_until(&b, 1);
    assert_int_equal(held.err.code, ERR_TIMEOUT); /* on the wire it is as bounded as any */
    outcome_clear(&held);
    bench_close(&b);
}

/* As SIGSTOP and SIGCONT: nothing of the loop runs, and the answer is in the socket afterwards. */
static void stand_still_and_echo(struct fake_conn *conn, const struct fake_request *request,
                                 void *user)
{
    uv_sleep(1500);
    echo(conn, request, user);
}

static void a_patient_call_reads_what_came_while_the_process_stood_still(void **state)
{
    static const bool patient[] = { true, false };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(patient); i++) {
        struct bench b;
        struct outcome o = { 0 };
        const struct http_request request = { .timeout_ms = 700,
                                              .budget_ms = 700,
                                              .patient = patient[i] };

        bench_open(&b, stand_still_and_echo, (struct http_service_options){ .max_attempts = 1 });
        assert_non_null(start(&b, &o, "/x", request));
        run_until(&b, 1);
        assert_int_equal(o.err.code, patient[i] ? ERR_NONE : ERR_TIMEOUT);
        outcome_clear(&o);
        bench_close(&b);
    }
}

static bool has_leave(void *user)
{
    return !((struct outcome *)user)->bench->no_leave;
}

static void the_leave_to_send_is_asked_for_when_the_turn_has_come(void **state)
{
    struct bench b;
    struct outcome o[2] = { { 0 }, { 0 } };

    (void)state;
    bench_open(&b, hold, (struct http_service_options){ .max_in_flight = 1 });
    for (int i = 0; i < 2; i++)
        assert_non_null(start(&b, &o[i], "/x", (struct http_request){ .may_send = has_leave }));
    run_for(&b, 30);
    assert_int_equal(b.n_held, 1);
    b.no_leave = true; /* while the second one waits */
    fake_reply(b.held[0], 200, "", "");
    run_until(&b, 2);
    assert_int_equal(o[0].status, 200);
    assert_int_equal(o[1].err.code, ERR_CANCELLED);
    assert_false(o[1].sent);
    assert_int_equal(b.server.requests, 1);
    outcome_clear(&o[0]);
    outcome_clear(&o[1]);
    bench_close(&b);
}

static void no_further_attempt_is_made_without_leave(void **state)
{
    struct bench b;
    struct outcome o = { 0 };

    (void)state;
    bench_open(&b, fail_first, (struct http_service_options){ .backoff_base_ms = 200 });
    b.fail_first = 5;
    b.fail_status = 503;
    assert_non_null(
        start(&b, &o, "/x", (struct http_request){ .idempotent = true, .may_send = has_leave }));
    while (b.server.requests < 1)
        uv_run(&b.loop, UV_RUN_ONCE);
    b.no_leave = true;
    run_until(&b, 1);
    assert_int_equal(o.err.code, ERR_CANCELLED);
    assert_true(o.sent);
    assert_int_equal(b.server.requests, 1);
    outcome_clear(&o);
    bench_close(&b);
}

static void certificates_are_checked(void **state)
{
    static const struct {
        const char *cert_name;
        long valid_s;
        bool trusted;
        const char *says; /* NULL: it is answered */
    } cases[] = {
        { "127.0.0.1", 3600, true, NULL },
        { "127.0.0.1", 3600, false, "self" },
        { "127.0.0.2", 3600, true, "127.0.0.1" },
        { "127.0.0.1", -60, true, "expired" },
    };
    static const char *const headers[] = { "Authorization: Bearer t", NULL };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b;
        struct outcome o[2] = { { 0 }, { 0 } };
        char pem[64], url[64];

        bench_open(&b, echo, (struct http_service_options){ 0 });
        snprintf(pem, sizeof(pem), "/tmp/test_http_%d_%zu.pem", (int)getpid(), i);
        fake_use_tls(&b.server.tcp, cases[i].cert_name, cases[i].valid_s, pem);
        if (cases[i].trusted)
            net_policy_set_ca_file(b.policy, pem);
        snprintf(url, sizeof(url), "https://127.0.0.1:%d/x?token=hush", b.server.tcp.port);
        assert_int_equal(net_policy_add_base(b.policy, "github", url, NULL), 0);
        for (int n = 0; n < 2; n++) {
            assert_non_null(start(&b, &o[n], url, (struct http_request){ .headers = headers }));
            run_until(&b, n + 1);
        }
        if (cases[i].says) {
            assert_int_equal(o[1].err.code, ERR_NETWORK);
            assert_non_null(strstr(error_text(&o[1].err), "GitHub could not be reached: no trusted "
                                                          "TLS connection to 127.0.0.1"));
            assert_non_null(strstr(error_text(&o[1].err), cases[i].says));
            assert_null(strstr(error_text(&o[1].err), "hush"));
            assert_int_equal(b.server.requests, 0); /* no header ever went out */
        } else {
            assert_int_equal(o[1].status, 200);
            assert_int_equal(b.server.tcp.connections, 1);
        }
        outcome_clear(&o[0]);
        outcome_clear(&o[1]);
        unlink(pem);
        bench_close(&b);
    }
}

static void refuse_tunnel(struct fake_conn *conn, const struct fake_request *request, void *user)
{
    (void)user;
    assert_string_equal(request->method, "CONNECT");
    assert_string_equal(request->target, "api.github.com:443");
    assert_null(strstr(request->head, "Authorization: Bearer t"));
    fake_reply(conn, 403, "", "no");
}

static void a_proxy_learns_the_name_and_no_token(void **state)
{
    static const char *const headers[] = { "Authorization: Bearer t", NULL };
    struct bench b;
    struct outcome o = { 0 };

    (void)state;
    bench_open(&b, refuse_tunnel, (struct http_service_options){ 0 });
    net_policy_add_host(b.policy, "github", "api.github.com");
    setenv("HTTPS_PROXY", b.url, 1);
    assert_non_null(
        start(&b, &o, "https://api.github.com/", (struct http_request){ .headers = headers }));
    run_until(&b, 1);
    unsetenv("HTTPS_PROXY");
    assert_int_equal(o.err.code, ERR_NETWORK);
    assert_string_equal(error_text(&o.err), "GitHub could not be reached: the proxy answered 403 "
                                            "for api.github.com (after 3 attempts)");
    outcome_clear(&o);
    bench_close(&b);
}

static void a_silent_name_server_holds_nobody(void **state)
{
    struct bench b;
    struct outcome slow[2] = { { 0 }, { 0 } }, quick = { 0 };
    int64_t longest = 0;

    (void)state;
    bench_open(&b, echo, (struct http_service_options){ 0 });
    net_policy_add_host(b.policy, "github", SILENT_NAME);
    struct http_call *call =
        start(&b, &slow[0], "https://" SILENT_NAME "/", (struct http_request){ 0 });
    assert_non_null(start(&b, &slow[1], "https://" SILENT_NAME "/x",
                          (struct http_request){ .timeout_ms = 150, .budget_ms = 200 }));
    assert_non_null(start(&b, &quick, "/x", (struct http_request){ 0 }));
    int64_t end = clock_mono_ms() + 700, before = clock_mono_ms();
    while (clock_mono_ms() < end) {
        uv_run(&b.loop, UV_RUN_NOWAIT);
        if (call && clock_mono_ms() > end - 400) {
            http_cancel(call);
            call = NULL;
        }
        int64_t now = clock_mono_ms();
        longest = now - before > longest ? now - before : longest;
        before = now;
        uv_sleep(1);
    }
    assert_true(silent_lookups > 0); /* it is still asked, and nobody waits for that */
    assert_true(longest < 1500);
    assert_int_equal(quick.status, 200);
    assert_int_equal(slow[0].calls, 0);
    assert_int_equal(slow[1].err.code, ERR_TIMEOUT);
    assert_non_null(strstr(error_text(&slow[1].err), "no connection to " SILENT_NAME));
    outcome_clear(&slow[1]);
    outcome_clear(&quick);
    bench_close(&b);
    while (silent_lookups > 0) /* the threads end before the program does */
        uv_sleep(10);
    uv_sleep(50);
}

static void an_unreadable_ca_file_is_named_at_the_start(void **state)
{
    uv_loop_t loop;
    struct net_policy *policy = net_policy_new();
    struct http *http = NULL;
    struct error err = ERROR_INIT;

    (void)state;
    uv_loop_init(&loop);
    net_policy_set_ca_file(policy, "/nonexistent/ca.pem");
    assert_int_equal(http_new(&loop, policy, &http, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(error_text(&err), "/nonexistent/ca.pem"));
    assert_null(http);
    error_clear(&err);
    net_policy_free(policy);
    assert_true(loop_finish(&loop));
}

static void headers_are_found_whatever_their_case_and_bounded(void **state)
{
    struct http_headers h = { 0 };
    static const char line[] = "Retry-After:\t 30 \r\n";
    char *huge = malloc(HTTP_HEADERS_MAX_BYTES + 1);

    (void)state;
    memset(huge, 'x', HTTP_HEADERS_MAX_BYTES);
    huge[HTTP_HEADERS_MAX_BYTES] = '\0';
    assert_true(http_headers_add_line(&h, line, sizeof(line) - 1));
    assert_string_equal(http_headers_get(&h, "retry-AFTER"), "30");
    assert_null(http_headers_get(&h, "retry"));
    assert_false(http_headers_add_line(&h, "\r\n", 2));
    assert_false(http_headers_add_line(&h, ": x\r\n", 5));
    assert_false(http_headers_add(&h, "X-Huge", huge));
    assert_int_equal(h.n, 1);
    http_headers_clear(&h);
    free(huge);
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
        cmocka_unit_test(a_reply_has_status_body_and_the_last_of_its_headers),
        cmocka_unit_test(methods_headers_and_bodies_go_out_as_given),
        cmocka_unit_test(what_the_policy_forbids_never_starts),
        cmocka_unit_test(passing_trouble_is_tried_again_and_other_trouble_is_not),
        cmocka_unit_test(a_post_on_a_kept_connection_that_dies_is_not_sent_twice),
        cmocka_unit_test(retry_after_is_waited_out_and_holds_the_whole_service),
        cmocka_unit_test(a_limit_too_long_to_wait_for_fails_what_comes_after),
        cmocka_unit_test(a_services_own_limit_function_is_obeyed_also_after_success),
        cmocka_unit_test(a_silent_service_times_out_with_its_name_and_the_time),
        cmocka_unit_test(the_budget_bounds_all_attempts_together),
        cmocka_unit_test(a_refused_connection_names_host_and_reason),
        cmocka_unit_test(a_body_over_its_cap_fails),
        cmocka_unit_test(compressed_bodies_are_capped_by_what_they_unpack_to),
        cmocka_unit_test(redirects_stay_within_their_origin),
        cmocka_unit_test(a_cancelled_call_never_reports_wherever_it_stands),
        cmocka_unit_test(a_call_is_cancelled_while_it_sleeps_between_attempts),
        cmocka_unit_test(freeing_the_client_cancels_everything),
        cmocka_unit_test(the_client_may_be_freed_inside_done),
        cmocka_unit_test(a_call_may_be_started_inside_done),
        cmocka_unit_test(places_in_flight_are_limited_and_shared_in_turn),
        cmocka_unit_test(the_leave_to_send_is_asked_for_when_the_turn_has_come),
        cmocka_unit_test(no_further_attempt_is_made_without_leave),
        cmocka_unit_test(requests_per_second_are_limited),
        cmocka_unit_test(waiting_for_a_place_counts_against_the_budget),
        cmocka_unit_test(a_patient_call_has_its_whole_budget_once_its_turn_came),
        cmocka_unit_test(a_patient_call_reads_what_came_while_the_process_stood_still),
        cmocka_unit_test(certificates_are_checked),
        cmocka_unit_test(a_proxy_learns_the_name_and_no_token),
        cmocka_unit_test(a_silent_name_server_holds_nobody),
        cmocka_unit_test(an_unreadable_ca_file_is_named_at_the_start),
        cmocka_unit_test(headers_are_found_whatever_their_case_and_bounded),
    };
    return cmocka_run_group_tests(tests, global_init, global_clear);
}
