/* The client against a server that speaks frame by frame (fake_ws.h), on the same loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>

#include "dbconn/base/clock.h"
#include "dbconn/net/loop.h"
#include "dbconn/net/policy.h"
#include "dbconn/net/websocket.h"
#include "fake_ws.h"

struct bench {
    uv_loop_t loop;
    struct net_policy *policy;
    struct websockets *sockets;
    struct fake_http server;
    char url[128];
    char pem[64];

    /* the client's side */
    struct websocket *ws;
    int opened, closed, messages;
    struct buf message; /* the last */
    int close_code, http_status;
    struct error why;
    int free_at; /* 1: in on_open, 2: in on_message, 3: in on_close */
    bool echo_in_on_message;

    /* the server's side */
    struct fake_conn *conn; /* the upgraded one */
    struct buf got;         /* payloads of text frames, each followed by '|' */
    int text_frames, fragments, pings, closes, close_got;
    bool no_pong, no_close_answer, echo;
    struct buf pong;
    struct buf head; /* of the upgrade request */
};

static void maybe_free(struct bench *b, int at)
{
    if (b->free_at == at) {
        websocket_free(b->ws);
        b->ws = NULL;
    }
}

static void on_open(void *user)
{
    struct bench *b = user;

    b->opened++;
    assert_true(websocket_is_open(b->ws));
    maybe_free(b, 1);
}

static void on_message(void *user, const char *text, size_t len)
{
    struct bench *b = user;

    b->messages++;
    assert_int_equal(text[len], '\0');
    buf_reset(&b->message);
    buf_add(&b->message, text, len);
    if (b->echo_in_on_message)
        assert_int_equal(websocket_send(b->ws, text, len, NULL), 0);
    maybe_free(b, 2);
}

static void on_close(void *user, const struct websocket_end *end)
{
    struct bench *b = user;

    b->closed++;
    b->close_code = end->close_code;
    b->http_status = end->http_status;
    error_copy(&b->why, end->why);
    assert_false(websocket_is_open(b->ws));
    maybe_free(b, 3);
}

/* --- the server --- */

static void server_frame(struct bench *b, struct fake_conn *conn, const struct fake_frame *frame)
{
    b->fragments += !frame->fin;
    switch (frame->opcode) {
    case WS_TEXT:
        b->text_frames++;
        buf_add(&b->got, frame->payload, frame->len);
        buf_addc(&b->got, '|');
        if (b->echo)
            fake_ws_send(conn, WS_TEXT, true, frame->payload, frame->len);
        break;
    case WS_PING:
        b->pings++;
        if (!b->no_pong)
            fake_ws_send(conn, WS_PONG, true, frame->payload, frame->len);
        break;
    case WS_PONG:
        buf_reset(&b->pong);
        buf_add(&b->pong, frame->payload, frame->len);
        break;
    case WS_CLOSE:
        b->closes++;
        b->close_got = frame->len >= 2 ? (unsigned char)frame->payload[0] << 8 |
                                             (unsigned char)frame->payload[1]
                                       : 0;
        if (!b->no_close_answer)
            fake_ws_send(conn, WS_CLOSE, true, frame->payload, frame->len);
        break;
    default:
        fail();
    }
}

static void server_data(struct fake_conn *conn)
{
    struct bench *b = ((struct fake_http *)conn->server)->user;
    struct buf payload = BUF_INIT;
    struct fake_frame frame;

    if (!conn->upgraded) {
        fake_serve(conn);
        return;
    }
    while (!conn->closing && fake_ws_take(conn, &frame, &payload))
        server_frame(b, conn, &frame);
    buf_clear(&payload);
}

static void server_request(struct fake_conn *conn, const struct fake_request *request, void *user)
{
    struct bench *b = user;
    const char *t = request->target;

    buf_reset(&b->head);
    buf_adds(&b->head, request->head);
    if (strstr(t, "/silent"))
        return;
    if (strstr(t, "/drop"))
        fake_drop(conn);
    else if (strstr(t, "/408"))
        fake_reply(conn, 408, "", "late");
    else if (strstr(t, "/moved"))
        fake_reply(conn, 302, "Location: /elsewhere\r\n", "");
    else {
        b->conn = conn;
        fake_ws_accept(conn, request);
    }
}

/* --- the bench --- */

static void bench_open(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    uv_loop_init(&b->loop);
    fake_http_start(&b->server, &b->loop, server_request, b);
    b->server.tcp.on_data = server_data;
    snprintf(b->url, sizeof(b->url), "http://127.0.0.1:%d", b->server.tcp.port);
    b->policy = net_policy_new();
    assert_int_equal(net_policy_add_base(b->policy, "slack", b->url, NULL), 0);
    assert_int_equal(websockets_new(&b->loop, b->policy, &b->sockets, NULL), 0);
}

static void bench_close(struct bench *b)
{
    websocket_free(b->ws);
    websockets_free(b->sockets);
    fake_http_stop(&b->server);
    assert_true(loop_finish(&b->loop));
    net_policy_free(b->policy);
    buf_clear(&b->message);
    buf_clear(&b->got);
    buf_clear(&b->pong);
    buf_clear(&b->head);
    error_clear(&b->why);
    if (b->pem[0])
        unlink(b->pem);
}

static void open_with(struct bench *b, const char *path, struct websocket_options options)
{
    struct error err = ERROR_INIT;
    char *url = strstr(path, "://") ? xstrdup(path)
                                    : xasprintf("ws://127.0.0.1:%d%s", b->server.tcp.port, path);

    options.service = "slack";
    options.title = "Slack";
    options.url = url;
    options.on_open = on_open;
    options.on_message = on_message;
    options.on_close = on_close;
    options.user = b;
    b->ws = websocket_open(b->sockets, &options, &err);
    if (!b->ws)
        fail_msg("%s", error_text(&err));
    assert_int_equal(b->opened + b->closed, 0);
    free(url);
}

#define RUN_UNTIL(b, condition)                                                                    \
    do {                                                                                           \
        int64_t end_ = clock_mono_ms() + 5000;                                                     \
        while (!(condition) && clock_mono_ms() < end_) {                                           \
            uv_run(&(b)->loop, UV_RUN_NOWAIT);                                                     \
            uv_sleep(1);                                                                           \
        }                                                                                          \
        assert_true(condition);                                                                    \
    } while (0)

static void run_for(struct bench *b, int64_t ms)
{
    int64_t end = clock_mono_ms() + ms;

    while (clock_mono_ms() < end) {
        uv_run(&b->loop, UV_RUN_NOWAIT);
        uv_sleep(1);
    }
}

static void open_and_wait(struct bench *b, struct websocket_options options)
{
    open_with(b, "/link/?ticket=1", options);
    RUN_UNTIL(b, b->opened && b->conn);
}

static void assert_says(const struct bench *b, enum err_code code, const char *text)
{
    assert_int_equal(b->closed, 1);
    if (!strstr(error_text(&b->why), text))
        fail_msg("\"%s\" lacks \"%s\"", error_text(&b->why), text);
    assert_int_equal(b->why.code, code);
    assert_null(strstr(error_text(&b->why), "ticket"));
}

/* --- tests --- */

static void text_goes_both_ways(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    open_and_wait(&b, (struct websocket_options){ 0 });
    assert_non_null(strstr(buf_str(&b.head), "GET /link/?ticket=1 HTTP/1.1\r\n"));
    assert_non_null(strstr(buf_str(&b.head), "User-Agent: dbconn/" DBCONN_VERSION "\r\n"));
    assert_non_null(strstr(buf_str(&b.head), "Sec-WebSocket-Version: 13\r\n"));
    assert_null(strcasestr(buf_str(&b.head), "Sec-WebSocket-Extensions"));
    assert_null(strcasestr(buf_str(&b.head), "Sec-WebSocket-Protocol"));
    b.echo = true;
    assert_int_equal(websocket_send(b.ws, "hello", 5, NULL), 0);
    RUN_UNTIL(&b, b.messages == 1);
    assert_string_equal(buf_str(&b.message), "hello");
    assert_string_equal(buf_str(&b.got), "hello|");
    bench_close(&b);
}

static void many_messages_keep_their_order(void **state)
{
    struct bench b;
    struct buf expected = BUF_INIT;

    (void)state;
    bench_open(&b);
    open_and_wait(&b, (struct websocket_options){ 0 });
    b.echo_in_on_message = true;
    for (int i = 0; i < 300; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%d", i);
        fake_ws_text(b.conn, text);
        buf_addf(&expected, "%d|", i);
    }
    RUN_UNTIL(&b, b.text_frames == 300);
    assert_string_equal(buf_str(&b.got), buf_str(&expected));
    assert_int_equal(websocket_queued(b.ws), 0);
    buf_clear(&expected);
    bench_close(&b);
}

static void long_and_fragmented_messages_arrive_whole(void **state)
{
    struct bench b;
    size_t len = (size_t)1024 * 1024;
    char *big = malloc(len + 1);

    (void)state;
    for (size_t i = 0; i < len; i++)
        big[i] = (char)('a' + i % 26);
    big[len] = '\0';
    bench_open(&b);
    open_and_wait(&b, (struct websocket_options){ .max_message = len });
    fake_ws_send(b.conn, WS_TEXT, true, big, len);
    RUN_UNTIL(&b, b.messages == 1);
    assert_int_equal(b.message.len, len);
    assert_memory_equal(b.message.data, big, len);

    fake_ws_send(b.conn, WS_TEXT, false, "one ", 4);
    fake_ws_send(b.conn, WS_PING, true, "Ping from applink-1", 19);
    fake_ws_send(b.conn, WS_CONT, false, "", 0);
    fake_ws_send(b.conn, WS_CONT, false, big, 10000);
    fake_ws_send(b.conn, WS_CONT, true, " end", 4);
    RUN_UNTIL(&b, b.messages == 2 && b.pong.len);
    assert_int_equal(b.message.len, 10008);
    assert_string_equal(buf_str(&b.message) + 10004, " end");
    assert_string_equal(buf_str(&b.pong), "Ping from applink-1");

    fake_ws_send(b.conn, WS_TEXT, true, "", 0);
    RUN_UNTIL(&b, b.messages == 3);
    assert_int_equal(b.message.len, 0);
    free(big);
    bench_close(&b);
}

static void a_message_over_the_cap_ends_the_socket(void **state)
{
    static const struct {
        bool fragmented;
        size_t len;
        bool ends;
    } cases[] = {
        { false, 10000, false },
        { false, 10001, true },
        { true, 5000, false },
        { true, 5001, true },
    };
    char *big = calloc(1, 10001);

    (void)state;
    memset(big, 'x', 10001);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b;

        bench_open(&b);
        open_and_wait(&b, (struct websocket_options){ .max_message = 10000 });
        if (cases[i].fragmented) {
            fake_ws_send(b.conn, WS_TEXT, false, big, 5000);
            fake_ws_send(b.conn, WS_CONT, true, big, cases[i].len);
        } else {
            fake_ws_send(b.conn, WS_TEXT, true, big, cases[i].len);
        }
        RUN_UNTIL(&b, b.messages || b.closed);
        assert_int_equal(b.closed, cases[i].ends);
        if (cases[i].ends)
            assert_says(&b, ERR_TOO_LARGE, "Slack sent a message longer than 10000 bytes");
        bench_close(&b);
    }
    free(big);
}

static void binary_messages_are_dropped_and_the_socket_stays(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    open_and_wait(&b, (struct websocket_options){ 0 });
    fake_ws_send(b.conn, WS_BINARY, true, "\0\1\2", 3);
    fake_ws_send(b.conn, WS_BINARY, false, "ab", 2);
    fake_ws_send(b.conn, WS_CONT, true, "cd", 2);
    fake_ws_text(b.conn, "text");
    RUN_UNTIL(&b, b.messages == 1);
    assert_string_equal(buf_str(&b.message), "text");
    bench_close(&b);
}

static void what_is_sent_is_capped_and_never_fragmented(void **state)
{
    struct bench b;
    struct error err = ERROR_INIT;
    char *big = malloc(20481);

    (void)state;
    memset(big, 'x', 20481);
    bench_open(&b);
    open_and_wait(&b, (struct websocket_options){ .max_queued = 50000 });
    assert_int_equal(websocket_send(b.ws, big, 20481, &err), -1);
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_int_equal(websocket_send(b.ws, big, 20480, NULL), 0);
    assert_int_equal(websocket_send(b.ws, big, 20480, NULL), 0);
    assert_int_equal(websocket_queued(b.ws), 2 * (20480 + 8)); /* with the heads of the frames */
    assert_int_equal(websocket_send(b.ws, big, 20480, &err), -1);
    assert_int_equal(err.code, ERR_TOO_LARGE);
    RUN_UNTIL(&b, b.text_frames == 2);
    assert_int_equal(b.got.len, 2 * 20481);
    assert_int_equal(b.fragments, 0);
    free(big);
    error_clear(&err);
    bench_close(&b);
}

static void silence_is_answered_with_pings_and_a_pong_is_life(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    open_and_wait(&b, (struct websocket_options){ .ping_after_ms = 50, .dead_after_ms = 400 });
    run_for(&b, 1500);
    assert_int_equal(b.closed, 0);
    assert_in_range(b.pings, 4, 32);
    bench_close(&b);
}

static void a_peer_that_stays_silent_is_dead(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    b.no_pong = true;
    open_and_wait(&b, (struct websocket_options){ .ping_after_ms = 60, .dead_after_ms = 150 });
    int64_t began = clock_mono_ms();
    RUN_UNTIL(&b, b.closed);
    int64_t took = clock_mono_ms() - began;
    assert_true(took >= 140 && took < 5000);
    assert_in_range(b.pings, 1, 2);
    assert_says(&b, ERR_TIMEOUT, "the socket of Slack was silent for");
    bench_close(&b);
}

static void data_is_life_without_any_pong(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    b.no_pong = true;
    open_and_wait(&b, (struct websocket_options){ .ping_after_ms = 600, .dead_after_ms = 1200 });
    for (int i = 0; i < 30; i++) {
        fake_ws_text(b.conn, "x");
        run_for(&b, 50);
    }
    assert_int_equal(b.closed, 0);
    assert_int_equal(b.pings, 0);
    RUN_UNTIL(&b, b.closed);
    bench_close(&b);
}

static void the_peers_close_code_and_reason_are_told(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    open_and_wait(&b, (struct websocket_options){ 0 });
    fake_ws_close(b.conn, 1009, "Max frame length of 20480 has been exceeded.");
    RUN_UNTIL(&b, b.closed);
    assert_int_equal(b.close_code, 1009);
    assert_says(&b, ERR_NETWORK,
                "Slack closed the socket (1009: Max frame length of 20480 has been exceeded.)");
    RUN_UNTIL(&b, b.closes == 1); /* and answered */
    bench_close(&b);
}

static void a_connection_cut_without_a_word_is_told_too(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    open_and_wait(&b, (struct websocket_options){ 0 });
    fake_drop(b.conn);
    RUN_UNTIL(&b, b.closed);
    assert_int_equal(b.close_code, 0);
    assert_says(&b, ERR_NETWORK, "Slack broke the connection of the socket off");
    bench_close(&b);
}

static void closing_sends_what_is_queued_and_shakes_hands(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    open_and_wait(&b, (struct websocket_options){ 0 });
    assert_int_equal(websocket_send(b.ws, "one", 3, NULL), 0);
    assert_int_equal(websocket_send(b.ws, "two", 3, NULL), 0);
    websocket_close(b.ws, 1000);
    websocket_close(b.ws, 1000);
    assert_int_equal(websocket_send(b.ws, "late", 4, NULL), -1);
    assert_int_equal(b.closed, 0);
    int64_t began = clock_mono_ms();
    RUN_UNTIL(&b, b.closed);
    assert_true(clock_mono_ms() - began < 5000);
    assert_string_equal(buf_str(&b.got), "one|two|");
    assert_int_equal(b.close_got, 1000);
    assert_says(&b, ERR_CANCELLED, "closed by us");
    bench_close(&b);
}

static void a_peer_that_never_answers_a_close_is_cut_off(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    b.no_close_answer = true;
    open_and_wait(&b, (struct websocket_options){ .close_timeout_ms = 100 });
    int64_t began = clock_mono_ms();
    websocket_close(b.ws, 1000);
    RUN_UNTIL(&b, b.closed);
    int64_t took = clock_mono_ms() - began;
    assert_true(took >= 95 && took < 5000);
    RUN_UNTIL(&b, !b.server.tcp.conns); /* the connection itself is gone */
    assert_says(&b, ERR_CANCELLED, "closed by us");
    bench_close(&b);
}

static void an_upgrade_that_is_refused_is_told_with_its_status(void **state)
{
    static const struct {
        const char *path;
        int status;
        enum err_code code;
        const char *says;
    } cases[] = {
        { "/408?ticket=1", 408, ERR_UPSTREAM, "Slack answered 408 instead of opening a socket" },
        { "/moved?ticket=1", 302, ERR_UPSTREAM, "Slack answered 302 instead of opening a socket" },
        { "/drop?ticket=1", 0, ERR_NETWORK, "Slack could not be reached: no socket at 127.0.0.1" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b;

        bench_open(&b);
        open_with(&b, cases[i].path, (struct websocket_options){ 0 });
        RUN_UNTIL(&b, b.closed);
        run_for(&b, 20);
        assert_int_equal(b.http_status, cases[i].status);
        assert_says(&b, cases[i].code, cases[i].says);
        assert_int_equal(b.server.requests, 1); /* a redirect is not followed */
        assert_int_equal(b.opened, 0);
        bench_close(&b);
    }
}

static void a_server_that_does_not_answer_is_given_up_in_time(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    open_with(&b, "/silent?ticket=1", (struct websocket_options){ .open_timeout_ms = 1000 });
    int64_t began = clock_mono_ms();
    RUN_UNTIL(&b, b.closed);
    assert_true(clock_mono_ms() - began >= 990);
    assert_says(&b, ERR_TIMEOUT, "Slack did not open a socket at 127.0.0.1 within 1 s");
    RUN_UNTIL(&b, !b.server.tcp.conns);
    bench_close(&b);
}

static void a_refused_connection_is_told(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    fake_http_stop(&b.server);
    open_with(&b, "/x?ticket=1", (struct websocket_options){ 0 });
    RUN_UNTIL(&b, b.closed);
    assert_says(&b, ERR_NETWORK, "Slack could not be reached: no");
    websocket_free(b.ws);
    websockets_free(b.sockets);
    assert_true(loop_finish(&b.loop));
    net_policy_free(b.policy);
    error_clear(&b.why);
}

static void a_name_that_does_not_exist_is_told(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    net_policy_add_host(b.policy, "slack", "no..such.name");
    open_with(&b, "wss://no..such.name/?ticket=1", (struct websocket_options){ 0 });
    RUN_UNTIL(&b, b.closed);
    assert_says(&b, ERR_NETWORK, "the name no..such.name cannot be resolved");
    bench_close(&b);
}

static void every_address_of_a_name_is_tried(void **state)
{
    struct bench b;
    char url[64];

    (void)state;
    bench_open(&b);
    /* Where localhost is ::1 first, nobody listens there. */
    snprintf(url, sizeof(url), "ws://localhost:%d/", b.server.tcp.port);
    open_with(&b, url, (struct websocket_options){ 0 });
    RUN_UNTIL(&b, b.opened);
    bench_close(&b);
}

static void what_the_policy_forbids_never_starts(void **state)
{
    struct bench b;
    struct error err = ERROR_INIT;
    struct websocket_options options = { .service = "slack",
                                         .title = "Slack",
                                         .url = "wss://evil.example/?ticket=1",
                                         .on_close = on_close,
                                         .user = &b };
    char *path = malloc(4000), *url;

    (void)state;
    bench_open(&b);
    assert_null(websocket_open(b.sockets, &options, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    memset(path, 'x', 3999);
    path[3999] = '\0';
    options.url = url = xasprintf("ws://127.0.0.1:%d/%s", b.server.tcp.port, path);
    assert_null(websocket_open(b.sockets, &options, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    run_for(&b, 10);
    assert_int_equal(b.closed, 0);
    free(path);
    free(url);
    error_clear(&err);
    bench_close(&b);
}

static void a_socket_may_be_freed_at_any_moment(void **state)
{
    (void)state;
    for (int at = 0; at <= 5; at++) {
        struct bench b;

        bench_open(&b);
        b.free_at = at; /* 1, 2, 3: in a callback */
        open_with(&b, "/x", (struct websocket_options){ 0 });
        if (at == 4) /* resolving */
            websocket_free(b.ws), b.ws = NULL;
        if (at == 5) { /* connecting: the upgrade has just arrived there */
            RUN_UNTIL(&b, b.conn);
            websocket_free(b.ws), b.ws = NULL;
        }
        if (at == 0 || at == 2 || at == 3) {
            RUN_UNTIL(&b, b.opened && b.conn);
            fake_ws_send(b.conn, WS_TEXT, false, "a ", 2);
            fake_ws_send(b.conn, WS_CONT, true, "message", 7);
            RUN_UNTIL(&b, b.messages);
        }
        if (at == 3) {
            fake_ws_close(b.conn, 1000, "");
            RUN_UNTIL(&b, b.closed);
        }
        run_for(&b, 50);
        assert_int_equal(b.closed, at == 3);
        assert_int_equal(b.opened, at < 4);
        assert_int_equal(b.messages, at == 0 || at == 2 || at == 3);
        if (at)
            assert_null(b.server.tcp.conns);
        bench_close(&b);
    }
}

static void old_and_new_sockets_do_not_meet(void **state)
{
    struct bench a, b;

    (void)state;
    bench_open(&a);
    open_and_wait(&a, (struct websocket_options){ 0 });
    struct fake_conn *old = a.conn;
    memset(&b, 0, sizeof(b));
    b.loop = a.loop; /* not used by the second socket's callbacks */
    struct websocket_options options = { .service = "slack",
                                         .title = "Slack",
                                         .on_open = on_open,
                                         .on_message = on_message,
                                         .on_close = on_close,
                                         .user = &b };
    char *url = xasprintf("ws://127.0.0.1:%d/second", a.server.tcp.port);
    options.url = url;
    b.ws = websocket_open(a.sockets, &options, NULL);
    assert_non_null(b.ws);
    RUN_UNTIL(&a, b.opened && a.conn != old);
    struct fake_conn *fresh = a.conn;
    fake_ws_text(fresh, "for the new one");
    fake_drop(old);
    RUN_UNTIL(&a, a.closed && b.messages);
    run_for(&a, 30);
    assert_int_equal(a.messages, 0);
    assert_int_equal(b.closed, 0);
    assert_string_equal(buf_str(&b.message), "for the new one");
    websocket_free(b.ws);
    buf_clear(&b.message);
    free(url);
    bench_close(&a);
}

static void freeing_the_client_ends_its_sockets_silently(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    open_and_wait(&b, (struct websocket_options){ 0 });
    websockets_free(b.sockets);
    b.sockets = NULL;
    b.ws = NULL;
    run_for(&b, 30);
    assert_int_equal(b.closed, 0);
    assert_null(b.server.tcp.conns);
    bench_close(&b);
}

/* --- TLS --- */

static void tls_open(struct bench *b, const char *cert_name, long valid_s, bool trusted)
{
    static int n;

    bench_open(b);
    snprintf(b->pem, sizeof(b->pem), "/tmp/test_websocket_%d_%d.pem", (int)getpid(), n++);
    fake_use_tls(&b->server.tcp, cert_name, valid_s, b->pem);
    if (trusted)
        net_policy_set_ca_file(b->policy, b->pem);
}

static void certificates_are_checked(void **state)
{
    static const struct {
        const char *cert_name;
        long valid_s;
        bool trusted;
        const char *says; /* NULL: it opens */
    } cases[] = {
        { "127.0.0.1", 3600, true, NULL },       { "127.0.0.1", 3600, false, "self" },
        { "127.0.0.2", 3600, true, "mismatch" }, { "localhost", 3600, true, "mismatch" },
        { "127.0.0.1", -60, true, "expired" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b;
        char url[64];

        tls_open(&b, cases[i].cert_name, cases[i].valid_s, cases[i].trusted);
        snprintf(url, sizeof(url), "wss://127.0.0.1:%d/?ticket=1", b.server.tcp.port);
        open_with(&b, url, (struct websocket_options){ 0 });
        RUN_UNTIL(&b, b.opened || b.closed);
        assert_int_equal(b.opened, cases[i].says == NULL);
        if (cases[i].says) {
            assert_says(&b, ERR_NETWORK, cases[i].says);
            assert_says(&b, ERR_NETWORK, "no trusted TLS connection to 127.0.0.1");
            assert_int_equal(b.server.requests, 0); /* the ticket never went out */
        } else {
            b.echo = true;
            assert_int_equal(websocket_send(b.ws, "hello", 5, NULL), 0);
            RUN_UNTIL(&b, b.messages == 1);
        }
        bench_close(&b);
    }
}

static void an_unreadable_ca_file_is_told_at_once(void **state)
{
    struct bench b;
    struct error err = ERROR_INIT;
    const struct websocket_options options = {
        .service = "slack", .title = "Slack", .url = "wss://127.0.0.1:1/", .on_close = on_close
    };

    (void)state;
    bench_open(&b);
    net_policy_set_ca_file(b.policy, "/nonexistent/ca.pem");
    assert_null(websocket_open(b.sockets, &options, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(error_text(&err), "/nonexistent/ca.pem"));
    error_clear(&err);
    bench_close(&b);
}

/* --- through a proxy --- */

static struct buf connect_head;

/* The first request is CONNECT; behind its answer begins the TLS of the target. */
static void proxy_data(struct fake_conn *conn)
{
    struct bench *b = ((struct fake_http *)conn->server)->user;

    if (conn->ssl || conn->upgraded) {
        server_data(conn);
        return;
    }
    if (!strstr(buf_str(&conn->in), "\r\n\r\n"))
        return;
    buf_reset(&connect_head);
    buf_adds(&connect_head, buf_str(&conn->in));
    buf_reset(&conn->in);
    if (b->no_pong) { /* here: a proxy that refuses */
        fake_send(conn, "HTTP/1.1 403 No\r\n\r\n", 19);
        return;
    }
    fake_send(conn, "HTTP/1.1 200 OK\r\n\r\n", 19);
    conn->ssl = SSL_new(conn->server->tls);
    conn->from_peer = BIO_new(BIO_s_mem());
    conn->to_peer = BIO_new(BIO_s_mem());
    SSL_set_bio(conn->ssl, conn->from_peer, conn->to_peer);
    SSL_set_accept_state(conn->ssl);
}

static void run_proxied(struct bench *b, SSL_CTX **tls)
{
    char proxy[64];

    tls_open(b, "wss-primary.slack.com", 3600, true);
    net_policy_add_host(b->policy, "slack", "*.slack.com");
    *tls = b->server.tcp.tls;
    b->server.tcp.on_data = proxy_data;
    snprintf(proxy, sizeof(proxy), "http://us%%40er:pass@127.0.0.1:%d", b->server.tcp.port);
    setenv("HTTPS_PROXY", proxy, 1);
}

/* Connections of the proxy begin in plain text, whatever fake_accept() thinks. */
static void plain_accept(uv_stream_t *listener, int status)
{
    struct fake_server *server = (struct fake_server *)listener;
    SSL_CTX *tls = server->tls;

    server->tls = NULL;
    fake_accept(listener, status);
    server->tls = tls;
}

static void a_proxy_is_asked_for_the_name_and_the_certificate_is_the_targets(void **state)
{
    struct bench b;
    SSL_CTX *tls;

    (void)state;
    run_proxied(&b, &tls);
    uv_listen((uv_stream_t *)&b.server.tcp.listener, 8, plain_accept);
    open_with(&b, "wss://wss-primary.slack.com/?ticket=1", (struct websocket_options){ 0 });
    RUN_UNTIL(&b, b.opened || b.closed);
    if (b.closed)
        fail_msg("%s", error_text(&b.why));
    assert_non_null(strstr(buf_str(&connect_head), "CONNECT wss-primary.slack.com:443 HTTP/1.1"));
    assert_null(strstr(buf_str(&connect_head), "ticket"));
    /* "us@er:pass" */
    assert_non_null(strstr(buf_str(&connect_head), "basic dXNAZXI6cGFzcw=="));
    b.echo = true;
    assert_int_equal(websocket_send(b.ws, "hello", 5, NULL), 0);
    RUN_UNTIL(&b, b.messages == 1);
    unsetenv("HTTPS_PROXY");
    buf_clear(&connect_head);
    bench_close(&b);
}

static void a_proxy_that_refuses_is_told(void **state)
{
    struct bench b;
    SSL_CTX *tls;

    (void)state;
    run_proxied(&b, &tls);
    b.no_pong = true;
    uv_listen((uv_stream_t *)&b.server.tcp.listener, 8, plain_accept);
    open_with(&b, "wss://wss-primary.slack.com/?ticket=1", (struct websocket_options){ 0 });
    RUN_UNTIL(&b, b.closed);
    assert_says(&b, ERR_NETWORK, "proxy");
    unsetenv("HTTPS_PROXY");
    buf_clear(&connect_head);
    bench_close(&b);
}

static void a_proxy_that_cannot_be_used_is_told_at_once(void **state)
{
    struct bench b;
    struct error err = ERROR_INIT;
    const struct websocket_options options = {
        .service = "slack", .title = "Slack", .url = "wss://a.slack.com/", .on_close = on_close
    };

    (void)state;
    bench_open(&b);
    net_policy_add_host(b.policy, "slack", "*.slack.com");
    setenv("ALL_PROXY", "socks5h://127.0.0.1:1080", 1);
    assert_null(websocket_open(b.sockets, &options, &err));
    unsetenv("ALL_PROXY");
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(error_text(&err), "HTTPS_PROXY"));
    error_clear(&err);
    bench_close(&b);
}

static void http_proxy_of_the_environment_is_not_used_for_what_needs_none(void **state)
{
    struct bench b;

    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    bench_open(&b);
    open_and_wait(&b, (struct websocket_options){ 0 });
    unsetenv("http_proxy");
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_goes_both_ways),
        cmocka_unit_test(many_messages_keep_their_order),
        cmocka_unit_test(long_and_fragmented_messages_arrive_whole),
        cmocka_unit_test(a_message_over_the_cap_ends_the_socket),
        cmocka_unit_test(binary_messages_are_dropped_and_the_socket_stays),
        cmocka_unit_test(what_is_sent_is_capped_and_never_fragmented),
        cmocka_unit_test(silence_is_answered_with_pings_and_a_pong_is_life),
        cmocka_unit_test(a_peer_that_stays_silent_is_dead),
        cmocka_unit_test(data_is_life_without_any_pong),
        cmocka_unit_test(the_peers_close_code_and_reason_are_told),
        cmocka_unit_test(a_connection_cut_without_a_word_is_told_too),
        cmocka_unit_test(closing_sends_what_is_queued_and_shakes_hands),
        cmocka_unit_test(a_peer_that_never_answers_a_close_is_cut_off),
        cmocka_unit_test(an_upgrade_that_is_refused_is_told_with_its_status),
        cmocka_unit_test(a_server_that_does_not_answer_is_given_up_in_time),
        cmocka_unit_test(a_refused_connection_is_told),
        cmocka_unit_test(a_name_that_does_not_exist_is_told),
        cmocka_unit_test(every_address_of_a_name_is_tried),
        cmocka_unit_test(what_the_policy_forbids_never_starts),
        cmocka_unit_test(a_socket_may_be_freed_at_any_moment),
        cmocka_unit_test(old_and_new_sockets_do_not_meet),
        cmocka_unit_test(freeing_the_client_ends_its_sockets_silently),
        cmocka_unit_test(certificates_are_checked),
        cmocka_unit_test(an_unreadable_ca_file_is_told_at_once),
        cmocka_unit_test(a_proxy_is_asked_for_the_name_and_the_certificate_is_the_targets),
        cmocka_unit_test(a_proxy_that_refuses_is_told),
        cmocka_unit_test(a_proxy_that_cannot_be_used_is_told_at_once),
        cmocka_unit_test(http_proxy_of_the_environment_is_not_used_for_what_needs_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
