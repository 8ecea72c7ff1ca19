/* The operator's HTTP server, asked over real sockets by a thread with libcurl. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <curl/curl.h>
#include <unistd.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "dbconn/net/http_server.h"
#include "dbconn/net/loop.h"
#include "dbconn/net/policy.h"
#include "dbconn/net/websocket.h"

static const struct {
    const char *listen, *address;
    int port;
} listens[] = {
    { "127.0.0.1:9464", "127.0.0.1", 9464 },
    { "9464", "127.0.0.1", 9464 },
    { "localhost:80", "127.0.0.1", 80 },
    { "0.0.0.0:0", "0.0.0.0", 0 },
    { "[::1]:9464", "::1", 9464 },
    { "", NULL, 0 },
    { ":9464", NULL, 0 },
    { "127.0.0.1:", NULL, 0 },
    { "127.0.0.1:65536", NULL, 0 },
    { "127.0.0.1:99999999999", NULL, 0 },
    { "127.0.0.1", NULL, 0 },
    { "::1:9464", NULL, 0 },
    { "[127.0.0.1]:9464", NULL, 0 },
    { "example.com:9464", NULL, 0 },
    { "http://127.0.0.1:9464", NULL, 0 },
};

static void what_to_listen_at_is_read_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(listens); i++) {
        struct error err = ERROR_INIT;
        char *address = NULL;
        int port = 0, rc = http_listen_parse(listens[i].listen, &address, &port, &err);
        if ((rc == 0) != (listens[i].address != NULL))
            fail_msg("\"%s\": %d %s", listens[i].listen, rc, error_text(&err));
        if (rc == 0) {
            assert_string_equal(address, listens[i].address);
            assert_int_equal(port, listens[i].port);
        } else {
            assert_int_equal(err.code, ERR_CONFIG);
        }
        free(address);
        error_clear(&err);
    }
}

struct stand {
    uv_loop_t loop;
    struct net_policy *policy;
    struct websockets *sockets;
    struct http_server *server;
    struct http_exchange *held; /* "/later": answered by the timer */
    struct loop_timer *later;
    int asked;
    /* The thread that asks: */
    const char *path, *method;
    int times;
    long status;
    struct buf reply, headers;
    uv_async_t done;
};

static void answer(struct http_exchange *x, int status, size_t size)
{
    struct buf body = BUF_INIT;

    for (size_t i = 0; i < size; i++)
        buf_addc(&body, (char)('a' + i % 26));
    http_exchange_reply(x, status, "text/plain; charset=utf-8", &body);
}

static void on_later(void *user)
{
    struct stand *s = user;

    answer(s->held, 200, 5);
    s->held = NULL;
}

static void serve(void *user, struct http_exchange *x, const char *path)
{
    struct stand *s = user;

    s->asked++;
    if (text_same(path, "/later")) {
        s->held = x;
        loop_timer_start(s->later, 20);
    } else if (text_same(path, "/never")) {
        s->held = x;
    } else if (text_same(path, "/big")) {
        answer(x, 200, 3000000);
    } else if (text_same(path, "/empty")) {
        answer(x, 200, 0);
    } else {
        answer(x, text_same(path, "/small") ? 200 : 404, 26);
    }
}

static int setup(void **state)
{
    struct stand *s = xcalloc(1, sizeof(*s));
    struct error err = ERROR_INIT;

    uv_loop_init(&s->loop);
    s->policy = net_policy_new();
    assert_int_equal(websockets_new(&s->loop, s->policy, &s->sockets, &err), 0);
    assert_int_equal(http_server_new(s->sockets, "127.0.0.1:0", serve, s, &s->server, &err), 0);
    s->later = loop_timer_new(&s->loop, on_later, s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct stand *s = *state;

    loop_timer_free(s->later);
    http_server_free(s->server);
    websockets_free(s->sockets);
    assert_true(loop_finish(&s->loop));
    net_policy_free(s->policy);
    buf_clear(&s->reply);
    buf_clear(&s->headers);
    free(s);
    return 0;
}

static size_t take(char *bytes, size_t size, size_t n, void *user)
{
    buf_add(user, bytes, size * n);
    return size * n;
}

static void ask_thread(void *user)
{
    struct stand *s = user;
    char *url = xasprintf("http://127.0.0.1:%d%s", http_server_port(s->server), s->path);
    CURL *curl = curl_easy_init();

    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, text_same(s->path, "/never") ? 1L : 60L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &s->reply);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &s->headers);
    if (text_same(s->method, "HEAD"))
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else if (s->method)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, s->method);
    for (int i = 0; i < s->times; i++) {
        s->status = 0;
        buf_reset(&s->reply);
        if (curl_easy_perform(curl) == CURLE_OK)
            curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &s->status);
    }
    curl_easy_cleanup(curl);
    free(url);
    uv_async_send(&s->done);
}

static void on_done(uv_async_t *async)
{
    uv_stop(async->loop);
    uv_close((uv_handle_t *)async, NULL);
}

static void ask(struct stand *s, const char *method, const char *path, int times)
{
    uv_thread_t thread;

    s->method = method;
    s->path = path;
    s->times = times;
    buf_reset(&s->headers);
    uv_async_init(&s->loop, &s->done, on_done);
    assert_int_equal(uv_thread_create(&thread, ask_thread, s), 0);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    uv_thread_join(&thread);
}

static const struct {
    const char *method, *path;
    long status;
    size_t len;
} requests[] = {
    { NULL, "/small", 200, 26 },  { NULL, "/small?x=1", 200, 26 }, { NULL, "/big", 200, 3000000 },
    { NULL, "/empty", 200, 0 },   { NULL, "/nowhere", 404, 26 },   { NULL, "/later", 200, 5 },
    { "HEAD", "/small", 200, 0 }, { "DELETE", "/small", 405, 31 }, { "HEAD", "/big", 200, 0 },
};

static void requests_are_answered_at_once_or_later(void **state)
{
    struct stand *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        ask(s, requests[i].method, requests[i].path, 1);
        if (s->status != requests[i].status || s->reply.len != requests[i].len)
            fail_msg("%s: %ld, %zu bytes", requests[i].path, s->status, s->reply.len);
        assert_non_null(strstr(buf_str(&s->headers), "content-type: text/plain"));
        assert_non_null(strstr(buf_str(&s->headers), "cache-control: no-store"));
    }
}

static void a_connection_serves_one_request_after_the_other(void **state)
{
    struct stand *s = *state;

    ask(s, NULL, "/small", 50);
    assert_int_equal(s->status, 200);
    assert_int_equal(s->asked, 50);
}

static void who_goes_away_before_the_answer_leaves_nothing_behind(void **state)
{
    struct stand *s = *state;

    ask(s, NULL, "/never", 1);
    assert_int_equal(s->status, 0);
    assert_non_null(s->held);
    ask(s, NULL, "/small", 1); /* by then the loop has seen that the other one is gone */
    answer(s->held, 200, 5);
    s->held = NULL;
    ask(s, NULL, "/small", 1);
    assert_int_equal(s->status, 200);
}

static void a_flood_of_idle_connections_is_bounded_and_passes(void **state)
{
    struct stand *s = *state;
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)http_server_port(s->server)) };
    int fds[2 * HTTP_SERVER_MAX], refused = 0;

    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fds[i], (struct sockaddr *)&to, sizeof(to)), 0);
    }
    ask(s, NULL, "/small", 1);
    assert_int_equal(s->status, 0); /* no room */
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        char byte;
        refused += recv(fds[i], &byte, 1, MSG_DONTWAIT) == 0;
        close(fds[i]);
    }
    assert_int_equal(refused, HTTP_SERVER_MAX);
    for (int i = 0; i < 100 && s->status != 200; i++)
        ask(s, NULL, "/small", 1);
    assert_int_equal(s->status, 200);
}

static void a_port_that_is_taken_is_said(void **state)
{
    struct stand *s = *state;
    struct websockets *others;
    struct http_server *second;
    struct error err = ERROR_INIT;
    char *listen = xasprintf("127.0.0.1:%d", http_server_port(s->server));

    assert_int_equal(websockets_new(&s->loop, s->policy, &others, &err), 0);
    assert_int_equal(http_server_new(others, listen, serve, s, &second, &err), -1);
    assert_int_equal(err.code, ERR_NETWORK);
    assert_non_null(strstr(error_text(&err), "the port is taken"));
    error_clear(&err);
    websockets_free(others);
    free(listen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_to_listen_at_is_read_or_refused),
        cmocka_unit_test_setup_teardown(requests_are_answered_at_once_or_later, setup, teardown),
        cmocka_unit_test_setup_teardown(a_connection_serves_one_request_after_the_other, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_goes_away_before_the_answer_leaves_nothing_behind,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_flood_of_idle_connections_is_bounded_and_passes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_port_that_is_taken_is_said, setup, teardown),
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
