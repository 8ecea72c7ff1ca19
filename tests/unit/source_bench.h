/*
 * source_bench - one client against a scripted server on the same loop (fake_http.h).
 *
 * A script is a table of routes. The first route whose method and target fit answers; what was
 * asked is kept, a line a request. Header-only, so that each test program stays one file.
 */
#ifndef DBCONN_TESTS_SOURCE_BENCH_H
#define DBCONN_TESTS_SOURCE_BENCH_H

#include "dbconn/base/clock.h"
#include "dbconn/net/http.h"
#include "dbconn/net/loop.h"
#include "dbconn/net/policy.h"
#include "dbconn/sources/source.h"
#include "fake_http.h"

struct route {
    const char *target;  /* the beginning of "GET /path?query"; "$" at its end: all of it */
    int status;          /* plus ONCE: one answer, then the next route that fits */
    const char *headers; /* each line ends in \r\n; "@" stands for the server's address */
    const char *body;
};

#define ONCE 1000

/* A table of routes and its length, as two arguments. */
#define ROUTES(...)                                                                                \
    (const struct route[]){ __VA_ARGS__ },                                                         \
        sizeof((const struct route[]){ __VA_ARGS__ }) / sizeof(struct route)

struct bench {
    uv_loop_t loop;
    struct net_policy *policy;
    struct http *http;
    struct fake_http server;
    char url[64];
    struct route routes[32];
    size_t n_routes;
    struct buf asked; /* "GET /path?query\n" each */
    struct buf head;  /* of the last request */
    struct buf body;  /* of the last request */
    /* of the last call */
    int ended;
    const void *result; /* held */
    struct error err;
};

static inline bool route_fits(const struct route *route, const char *asked)
{
    size_t len = strlen(route->target);

    if (len && route->target[len - 1] == '$')
        return strlen(asked) == len - 1 && strncmp(asked, route->target, len - 1) == 0;
    return strncmp(asked, route->target, len) == 0;
}

static inline char *with_address(const struct bench *b, const char *text)
{
    struct buf out = BUF_INIT;

    for (; text && *text; text++) {
        if (*text == '@')
            buf_adds(&out, b->url);
        else
            buf_addc(&out, *text);
    }
    return out.data ? buf_take(&out) : xstrdup("");
}

static inline void bench_answer(struct fake_conn *conn, const struct fake_request *request,
                                void *user)
{
    struct bench *b = user;
    char *asked = xasprintf("%s %s", request->method, request->target);
    struct route *route = NULL;

    buf_addf(&b->asked, "%s\n", asked);
    buf_reset(&b->head);
    buf_adds(&b->head, request->head);
    buf_reset(&b->body);
    buf_add(&b->body, request->body, request->body_len);
    for (size_t i = 0; i < b->n_routes && !route; i++) {
        if (route_fits(&b->routes[i], asked))
            route = &b->routes[i];
    }
    char *headers = with_address(b, route ? route->headers : "");
    fake_reply(conn, route ? route->status % ONCE : 404, headers,
               route ? route->body : "{\"detail\":\"no route\",\"message\":\"no route\"}");
    if (route && route->status > ONCE)
        route->target = "used up$";
    free(headers);
    free(asked);
}

static inline void bench_open(struct bench *b, const char *service, const struct route *routes,
                              size_t n)
{
    memset(b, 0, sizeof(*b));
    assert_true(n <= ARRAY_LEN(b->routes));
    if (n)
        memcpy(b->routes, routes, n * sizeof(*routes));
    b->n_routes = n;
    uv_loop_init(&b->loop);
    fake_http_start(&b->server, &b->loop, bench_answer, b);
    snprintf(b->url, sizeof(b->url), "http://127.0.0.1:%d", b->server.tcp.port);
    b->policy = net_policy_new();
    assert_int_equal(net_policy_add_base(b->policy, service, b->url, &b->err), 0);
    assert_int_equal(http_new(&b->loop, b->policy, &b->http, &b->err), 0);
    uv_unref((uv_handle_t *)&b->server.tcp.listener);
}

static inline void bench_close(struct bench *b)
{
    source_release(b->result);
    error_clear(&b->err);
    http_free(b->http);
    fake_http_stop(&b->server);
    assert_true(loop_finish(&b->loop));
    net_policy_free(b->policy);
    buf_clear(&b->asked);
    buf_clear(&b->head);
    buf_clear(&b->body);
}

static inline void bench_done(void *user, const void *result, const struct error *err)
{
    struct bench *b = user;

    b->ended++;
    assert_true((result == NULL) != (err == NULL));
    source_release(b->result);
    b->result = result;
    source_hold(result);
    error_clear(&b->err);
    if (err)
        error_copy(&b->err, err);
}

static inline void bench_late(void *user)
{
    (void)user;
    fail_msg("the call did not end in time");
}

/* Runs the loop until `n` calls have ended. `call` is the last one started. */
static inline const void *bench_wait(struct bench *b, struct source_call *call, int n)
{
    struct loop_timer *late = loop_timer_new(&b->loop, bench_late, NULL);

    if (!call)
        fail_msg("the call did not start: %s", error_text(&b->err));
    loop_timer_start(late, 20000);
    while (b->ended < n)
        uv_run(&b->loop, UV_RUN_ONCE);
    loop_timer_free(late);
    b->ended = 0;
    return b->result;
}

/* The call's result; the test ends when it failed. */
static inline const void *bench_result(struct bench *b, struct source_call *call)
{
    const void *result = bench_wait(b, call, 1);

    if (!result)
        fail_msg("%s", error_text(&b->err));
    return result;
}

/* The error of a call that must fail. */
static inline const struct error *bench_error(struct bench *b, struct source_call *call)
{
    assert_null(bench_wait(b, call, 1));
    return &b->err;
}

#define assert_says(text, part)                                                                    \
    do {                                                                                           \
        if (!strstr((text), (part)))                                                               \
            fail_msg("\"%s\" does not say \"%s\"", (text), (part));                                \
    } while (0)

#endif
