/* Socket Mode against a small Slack on the same loop: apps.connections.open and its sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/net/http.h"
#include "dbconn/net/loop.h"
#include "dbconn/net/policy.h"
#include "dbconn/net/websocket.h"
#include "dbconn/slack/socket.h"
#include "dbconn/slack/webapi.h"
#include "fake_ws.h"

#define MANY 32

struct bench {
    uv_loop_t loop;
    struct net_policy *policy;
    struct http *http;
    struct webapi *api;
    struct websockets *sockets;
    struct slack_socket *socket;
    struct fake_http server;

    /* Slack's side */
    int asked;                  /* apps.connections.open */
    const char *const *answers; /* bodies for it, in order; NULL: a fresh address */
    const char *refuse_with;    /* an HTTP answer instead */
    bool mute;                  /* no hello */
    bool drop_upgrade;
    int64_t num_connections;      /* in hello; 0: those that are open */
    struct fake_conn *conn[MANY]; /* the upgraded ones, in order; NULL when gone */
    int n_conns;
    struct buf acks[MANY]; /* per connection, each followed by '\n' */
    int n_acks;
    int open_at_once, gap; /* the most and the moments with none, once there was one */

    /* our side */
    int envelopes, states, troubles, finals, stopped;
    uint64_t delivery[MANY];
    struct buf types;
    struct error trouble;
    bool ack_at_once;
    bool accepts[MANY];
};

static int open_conns(const struct bench *b)
{
    int n = 0;

    for (int i = 0; i < b->n_conns; i++)
        n += b->conn[i] != NULL;
    return n;
}

static void forget_closed(struct bench *b)
{
    for (int i = 0; i < b->n_conns; i++) {
        bool found = false;
        for (struct fake_conn *c = b->server.tcp.conns; c; c = c->next)
            found |= c == b->conn[i];
        if (!found)
            b->conn[i] = NULL;
    }
}

/* --- Slack's side --- */

static void say_hello(struct bench *b, struct fake_conn *conn)
{
    struct buf text = BUF_INIT;

    buf_addf(&text,
             "{\"type\":\"hello\",\"num_connections\":%lld,\"connection_info\":{\"app_id\":\"A1\"},"
             "\"debug_info\":{\"host\":\"applink-%d\",\"approximate_connection_time\":18060}}",
             (long long)(b->num_connections ? b->num_connections : open_conns(b)), b->n_conns);
    fake_ws_text(conn, buf_str(&text));
    buf_clear(&text);
}

static void on_request(struct fake_conn *conn, const struct fake_request *request, void *user)
{
    struct bench *b = user;
    struct buf body = BUF_INIT;

    if (strstr(request->target, "apps.connections.open")) {
        b->asked++;
        assert_non_null(strstr(request->head, "Authorization: Bearer xapp-1\r\n"));
        assert_string_equal(request->body, "");
        if (b->refuse_with)
            fake_drop(conn);
        else if (b->answers && *b->answers)
            fake_reply(conn, 200, "", *b->answers++);
        else {
            buf_addf(&body, "{\"ok\":true,\"url\":\"ws://127.0.0.1:%d/link/?ticket=%d\"}",
                     b->server.tcp.port, b->asked);
            fake_reply(conn, 200, "", buf_str(&body));
        }
        buf_clear(&body);
        return;
    }
    assert_int_equal(strncmp(request->target, "/link/?ticket=", 14), 0);
    if (b->drop_upgrade) {
        fake_drop(conn);
        return;
    }
    assert_in_range(b->n_conns, 0, MANY - 1);
    b->conn[b->n_conns++] = conn;
    fake_ws_accept(conn, request);
    if (!b->mute)
        say_hello(b, conn);
}

static void on_frame(struct bench *b, struct fake_conn *conn, const struct fake_frame *frame)
{
    int i = 0;

    while (i < b->n_conns && b->conn[i] != conn)
        i++;
    if (frame->opcode == WS_TEXT) {
        assert_true(frame->fin);
        assert_in_range(frame->len, 1, 20480);
        b->n_acks++;
        buf_add(&b->acks[i], frame->payload, frame->len);
        buf_addc(&b->acks[i], '\n');
    } else if (frame->opcode == WS_CLOSE) {
        fake_ws_send(conn, WS_CLOSE, true, frame->payload, frame->len);
    } else if (frame->opcode == WS_PING) {
        fake_ws_send(conn, WS_PONG, true, frame->payload, frame->len);
    }
}

static void on_data(struct fake_conn *conn)
{
    struct bench *b = ((struct fake_http *)conn->server)->user;
    struct buf payload = BUF_INIT;
    struct fake_frame frame;

    if (!conn->upgraded) {
        fake_serve(conn);
        return;
    }
    while (!conn->closing && fake_ws_take(conn, &frame, &payload))
        on_frame(b, conn, &frame);
    buf_clear(&payload);
}

static void send_command(struct bench *b, int conn, const char *envelope_id, const char *trigger_id)
{
    struct buf text = BUF_INIT;

    buf_addf(
        &text,
        "{\"envelope_id\":\"%s\",\"type\":\"slash_commands\",\"accepts_response_payload\":true,"
        "\"payload\":{\"command\":\"/dbconn\",\"text\":\"help\",\"trigger_id\":\"%s\"}}",
        envelope_id, trigger_id);
    fake_ws_text(b->conn[conn], buf_str(&text));
    buf_clear(&text);
}

static void disconnect(struct bench *b, int conn, const char *reason)
{
    struct buf text = BUF_INIT;

    buf_addf(&text, "{\"type\":\"disconnect\",\"reason\":\"%s\",\"debug_info\":{\"host\":\"x\"}}",
             reason);
    fake_ws_text(b->conn[conn], buf_str(&text));
    buf_clear(&text);
}

/* --- our side --- */

static void on_envelope(void *user, const struct slack_envelope *envelope)
{
    struct bench *b = user;

    assert_true(cJSON_IsObject(envelope->payload));
    assert_in_range(b->envelopes, 0, MANY - 1);
    b->accepts[b->envelopes] = envelope->accepts_payload;
    b->delivery[b->envelopes++] = envelope->delivery;
    buf_addf(&b->types, "%s ", envelope->type);
    if (b->ack_at_once)
        assert_int_equal(slack_socket_ack(b->socket, envelope->delivery, NULL, NULL), 0);
}

static void on_state(void *user)
{
    ((struct bench *)user)->states++;
}

static void on_trouble(void *user, const struct error *why, bool final)
{
    struct bench *b = user;

    b->troubles++;
    b->finals += final;
    error_copy(&b->trouble, why);
}

static void on_stopped(void *user)
{
    ((struct bench *)user)->stopped++;
}

static void bench_open(struct bench *b)
{
    struct webapi_options options = { .app_token = "xapp-1" };
    char url[64];

    memset(b, 0, sizeof(*b));
    log_set_level(LOG_NONE);
    uv_loop_init(&b->loop);
    fake_http_start(&b->server, &b->loop, on_request, b);
    b->server.tcp.on_data = on_data;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/api/", b->server.tcp.port);
    b->policy = net_policy_new();
    assert_int_equal(net_policy_add_base(b->policy, "slack", url, NULL), 0);
    assert_int_equal(http_new(&b->loop, b->policy, &b->http, NULL), 0);
    options.api_url = url;
    assert_int_equal(webapi_new(&b->loop, b->http, &options, &b->api, NULL), 0);
    assert_int_equal(websockets_new(&b->loop, b->policy, &b->sockets, NULL), 0);
}

static void bench_start(struct bench *b, struct slack_socket_options options)
{
    options.loop = &b->loop;
    options.api = b->api;
    options.sockets = b->sockets;
    options.on_envelope = on_envelope;
    options.on_state = on_state;
    options.on_trouble = on_trouble;
    options.user = b;
    options.backoff_base_ms = options.backoff_base_ms ? options.backoff_base_ms : 10;
    options.backoff_cap_ms = options.backoff_cap_ms ? options.backoff_cap_ms : 40;
    b->socket = slack_socket_start(&options);
    assert_int_equal(b->asked, 0);
}

static void bench_close(struct bench *b)
{
    slack_socket_free(b->socket);
    webapi_free(b->api);
    http_free(b->http);
    websockets_free(b->sockets);
    fake_http_stop(&b->server);
    assert_true(loop_finish(&b->loop));
    net_policy_free(b->policy);
    for (int i = 0; i < MANY; i++)
        buf_clear(&b->acks[i]);
    buf_clear(&b->types);
    error_clear(&b->trouble);
}

static void turn(struct bench *b)
{
    uv_run(&b->loop, UV_RUN_NOWAIT);
    forget_closed(b);
    int open = open_conns(b);
    if (open > b->open_at_once)
        b->open_at_once = open;
    b->gap += b->open_at_once > 0 && open == 0;
    uv_sleep(1);
}

#define RUN_UNTIL(b, condition)                                                                    \
    do {                                                                                           \
        int64_t end_ = clock_mono_ms() + 6000;                                                     \
        while (!(condition) && clock_mono_ms() < end_)                                             \
            turn(b);                                                                               \
        assert_true(condition);                                                                    \
    } while (0)

static void run_for(struct bench *b, int64_t ms)
{
    int64_t end = clock_mono_ms() + ms;

    while (clock_mono_ms() < end)
        turn(b);
}

static struct slack_socket_status status_of(const struct bench *b)
{
    struct slack_socket_status status;

    slack_socket_status(b->socket, &status);
    return status;
}

static void start_and_greet(struct bench *b, struct slack_socket_options options)
{
    int wanted = options.connections ? options.connections : 1;

    bench_open(b);
    bench_start(b, options);
    RUN_UNTIL(b, status_of(b).open == wanted);
}

#define NO_OPTIONS ((struct slack_socket_options){ 0 })

/* --- tests --- */

static void hello_makes_it_ready_and_an_envelope_is_acknowledged_later(void **state)
{
    struct bench b;
    cJSON *answer = cJSON_Parse("{\"text\":\"taken\"}");

    (void)state;
    bench_open(&b);
    b.mute = true;
    bench_start(&b, NO_OPTIONS);
    RUN_UNTIL(&b, b.n_conns == 1);
    run_for(&b, 30);
    assert_int_equal(status_of(&b).open, 0);
    assert_int_equal(status_of(&b).last_hello_ms, 0);
    say_hello(&b, b.conn[0]);
    RUN_UNTIL(&b, status_of(&b).open == 1);
    assert_int_equal(status_of(&b).num_connections, 1);
    assert_true(b.states > 0);
    assert_string_equal(status_of(&b).trouble, "");

    send_command(&b, 0, "e1", "t1");
    RUN_UNTIL(&b, b.envelopes == 1);
    assert_string_equal(buf_str(&b.types), "slash_commands ");
    assert_true(b.accepts[0]);
    run_for(&b, 20);
    assert_int_equal(b.n_acks, 0); /* not before the caller says so */
    assert_int_equal(slack_socket_ack(b.socket, b.delivery[0], answer, NULL), 0);
    RUN_UNTIL(&b, b.n_acks == 1);
    assert_string_equal(buf_str(&b.acks[0]),
                        "{\"envelope_id\":\"e1\",\"payload\":{\"text\":\"taken\"}}\n");
    assert_int_equal(slack_socket_ack(b.socket, b.delivery[0], answer, NULL), -1); /* once */
    run_for(&b, 10);
    assert_int_equal(b.n_acks, 1);
    cJSON_Delete(answer);
    bench_close(&b);
}

static void what_cannot_be_used_is_acknowledged_or_ignored_without_a_reconnect(void **state)
{
    static const char *const messages[] = {
        "UNAUTHENTICATED: cache_error",
        "{\"envelope_id\":\"a\",\"type\":\"slash_commands\",\"payload\":\"x\"}",
        "{\"envelope_id\":\"b\",\"type\":\"next_year\",\"payload\":{}}",
        "{\"envelope_id\":\"c\",\"type\":\"events_api\",\"payload\":{\"cut",
        "{\"type\":\"next_year\"}",
        "[1,2]",
    };
    struct bench b;

    (void)state;
    start_and_greet(&b, NO_OPTIONS);
    for (size_t i = 0; i < ARRAY_LEN(messages); i++)
        fake_ws_text(b.conn[0], messages[i]);
    fake_ws_send(b.conn[0], WS_BINARY, true, "\1\2", 2);
    RUN_UNTIL(&b, b.n_acks == 3);
    run_for(&b, 20);
    assert_string_equal(buf_str(&b.acks[0]), "{\"envelope_id\":\"a\"}\n{\"envelope_id\":\"b\"}\n"
                                             "{\"envelope_id\":\"c\"}\n");
    assert_int_equal(b.envelopes, 0);
    assert_int_equal(b.asked, 1);
    bench_close(&b);
}

static void a_second_delivery_is_acknowledged_and_not_handed_up(void **state)
{
    struct bench b;
    cJSON *answer = cJSON_Parse("{\"text\":\"taken\"}");

    (void)state;
    start_and_greet(&b, NO_OPTIONS);
    send_command(&b, 0, "e1", "t1");
    RUN_UNTIL(&b, b.envelopes == 1);
    send_command(&b, 0, "e1", "t1"); /* again in the same words, before the first is done */
    send_command(&b, 0, "e2", "t1"); /* the same command in another envelope */
    run_for(&b, 30);
    assert_int_equal(b.n_acks, 0);
    assert_int_equal(slack_socket_ack(b.socket, b.delivery[0], answer, NULL), 0);
    RUN_UNTIL(&b, b.n_acks == 3);
    send_command(&b, 0, "e3", "t1"); /* and after it is done */
    RUN_UNTIL(&b, b.n_acks == 4);
    assert_non_null(
        strstr(buf_str(&b.acks[0]), "{\"envelope_id\":\"e3\",\"payload\":{\"text\":\"taken\"}}\n"));
    send_command(&b, 0, "e4", "t2"); /* another command */
    RUN_UNTIL(&b, b.envelopes == 2);
    assert_int_equal(status_of(&b).duplicates, 3);
    assert_int_equal(status_of(&b).envelopes, 2);
    cJSON_Delete(answer);
    bench_close(&b);
}

static void a_mention_that_comes_as_two_events_is_two_events(void **state)
{
    static const char *const messages[] = {
        "{\"envelope_id\":\"a\",\"type\":\"events_api\",\"payload\":{\"event_id\":\"Ev1\","
        "\"event\":"
        "{\"type\":\"message\",\"ts\":\"1.1\",\"client_msg_id\":\"m\"}}}",
        "{\"envelope_id\":\"b\",\"type\":\"events_api\",\"payload\":{\"event_id\":\"Ev2\","
        "\"event\":"
        "{\"type\":\"app_mention\",\"ts\":\"1.1\",\"client_msg_id\":\"m\"}}}",
        "{\"envelope_id\":\"c\",\"type\":\"events_api\",\"payload\":{\"event_id\":\"Ev2\","
        "\"event\":"
        "{\"type\":\"app_mention\",\"ts\":\"1.1\",\"client_msg_id\":\"m\"}},\"retry_attempt\":1,"
        "\"retry_reason\":\"timeout\"}",
    };
    struct bench b;

    (void)state;
    start_and_greet(&b, NO_OPTIONS);
    b.ack_at_once = true;
    for (size_t i = 0; i < ARRAY_LEN(messages); i++)
        fake_ws_text(b.conn[0], messages[i]);
    RUN_UNTIL(&b, b.n_acks == 3);
    assert_int_equal(b.envelopes, 2);
    bench_close(&b);
}

static void an_answer_that_is_too_long_is_left_out_of_the_acknowledgement(void **state)
{
    struct bench b;
    struct error err = ERROR_INIT;
    cJSON *answer = cJSON_CreateObject();
    char *big = malloc(20481);

    (void)state;
    memset(big, 'x', 20480);
    big[20480] = '\0';
    cJSON_AddStringToObject(answer, "text", big);
    start_and_greet(&b, NO_OPTIONS);
    send_command(&b, 0, "e1", "t1");
    RUN_UNTIL(&b, b.envelopes == 1);
    assert_int_equal(slack_socket_ack(b.socket, b.delivery[0], answer, &err), -1);
    assert_int_equal(err.code, ERR_TOO_LARGE);
    RUN_UNTIL(&b, b.n_acks == 1);
    assert_string_equal(buf_str(&b.acks[0]), "{\"envelope_id\":\"e1\"}\n");
    /* The longest that fits goes. */
    big[20480 - 100] = '\0';
    cJSON_ReplaceItemInObject(answer, "text", cJSON_CreateString(big));
    send_command(&b, 0, "e2", "t2");
    RUN_UNTIL(&b, b.envelopes == 2);
    assert_int_equal(slack_socket_ack(b.socket, b.delivery[1], answer, &err), 0);
    RUN_UNTIL(&b, b.n_acks == 2);
    free(big);
    cJSON_Delete(answer);
    error_clear(&err);
    bench_close(&b);
}

static void an_answer_whose_connection_died_is_given_at_the_next_delivery(void **state)
{
    struct bench b;
    struct error err = ERROR_INIT;
    cJSON *answer = cJSON_Parse("{\"text\":\"taken\"}");

    (void)state;
    start_and_greet(&b, NO_OPTIONS);
    send_command(&b, 0, "e1", "t1");
    RUN_UNTIL(&b, b.envelopes == 1);
    fake_drop(b.conn[0]);
    RUN_UNTIL(&b, b.n_conns == 2 && status_of(&b).open == 1);
    assert_int_equal(slack_socket_ack(b.socket, b.delivery[0], answer, &err), -1);
    assert_int_equal(err.code, ERR_NETWORK);
    send_command(&b, 1, "e1", "t1");
    RUN_UNTIL(&b, b.n_acks == 1);
    assert_string_equal(buf_str(&b.acks[1]),
                        "{\"envelope_id\":\"e1\",\"payload\":{\"text\":\"taken\"}}\n");
    assert_int_equal(b.envelopes, 1);
    cJSON_Delete(answer);
    error_clear(&err);
    bench_close(&b);
}

static void the_replacement_is_open_before_the_old_one_goes(void **state)
{
    static const char *const reasons[] = { "warning", "refresh_requested", "next_years_word" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        struct bench b;

        start_and_greet(&b, NO_OPTIONS);
        b.mute = true;
        send_command(&b, 0, "e1", "t1");
        RUN_UNTIL(&b, b.envelopes == 1);
        disconnect(&b, 0, reasons[i]);
        RUN_UNTIL(&b, b.n_conns == 2);
        /* The new one has not said hello: the old one still works. */
        b.ack_at_once = true;
        send_command(&b, 0, "e2", "t2");
        RUN_UNTIL(&b, b.n_acks == 1);
        say_hello(&b, b.conn[1]);
        run_for(&b, 60);
        assert_non_null(b.conn[0]); /* what came by it has still to be acknowledged */
        assert_int_equal(slack_socket_ack(b.socket, b.delivery[0], NULL, NULL), 0);
        RUN_UNTIL(&b, b.n_acks == 2);
        assert_string_equal(buf_str(&b.acks[0]),
                            "{\"envelope_id\":\"e2\"}\n{\"envelope_id\":\"e1\"}\n");
        send_command(&b, 1, "e3", "t3");
        RUN_UNTIL(&b, b.n_acks == 3);
        assert_int_equal(b.asked, 2);
        assert_int_equal(b.gap, 0);
        assert_int_equal(b.open_at_once, 2);
        bench_close(&b);
    }
}

static void a_replaced_connection_without_duties_is_closed(void **state)
{
    struct bench b;

    (void)state;
    start_and_greet(&b, NO_OPTIONS);
    disconnect(&b, 0, "warning");
    RUN_UNTIL(&b, b.n_conns == 2 && !b.conn[0]);
    assert_int_equal(status_of(&b).open, 1);
    assert_int_equal(b.gap, 0);
    /* and again, many times: renewals are not failures */
    for (int i = 1; i < 6; i++) {
        disconnect(&b, i, "refresh_requested");
        RUN_UNTIL(&b, b.n_conns == i + 2 && !b.conn[i]);
    }
    assert_int_equal(b.gap, 0);
    assert_int_equal(status_of(&b).consecutive_failures, 0);
    bench_close(&b);
}

static void a_lost_connection_is_replaced(void **state)
{
    struct bench b;

    (void)state;
    start_and_greet(&b, (struct slack_socket_options){ .settled_ms = 50 });
    run_for(&b, 80);
    fake_drop(b.conn[0]); /* it had lasted: no wait */
    int64_t began = clock_mono_ms();
    RUN_UNTIL(&b, b.n_conns == 2);
    assert_true(clock_mono_ms() - began < 900);
    fake_ws_close(b.conn[1], 1000, "bye"); /* too young: with backoff */
    RUN_UNTIL(&b, b.n_conns == 3);
    RUN_UNTIL(&b, status_of(&b).open == 1);
    assert_string_equal(status_of(&b).trouble, "");
    bench_close(&b);
}

static void passing_faults_are_tried_again_until_they_pass(void **state)
{
    static const char *const answers[] = {
        "{\"ok\":false,\"error\":\"internal_error\"}",
        "{\"ok\":false,\"error\":\"service_unavailable\"}",
        "<html>no</html>",
        "{\"ok\":true}",
        "{\"ok\":true,\"url\":null}",
        "{\"ok\":true,\"url\":\"wss://evil.example/\"}",
        "{\"ok\":true,\"url\":\"not an address\"}",
        NULL,
    };
    struct bench b;

    (void)state;
    bench_open(&b);
    b.answers = answers;
    bench_start(&b, NO_OPTIONS);
    RUN_UNTIL(&b, status_of(&b).open == 1);
    assert_int_equal(b.asked, 8);
    assert_int_equal(b.finals, 0);
    assert_int_equal(b.troubles, 2); /* addresses that the policy forbids: the operator's to know */
    bench_close(&b);

    bench_open(&b);
    b.drop_upgrade = true;
    bench_start(&b, NO_OPTIONS);
    RUN_UNTIL(&b, b.asked == 3);
    assert_true(status_of(&b).consecutive_failures >= 2);
    assert_non_null(strstr(status_of(&b).trouble, "Slack"));
    assert_null(strstr(status_of(&b).trouble, "ticket"));
    b.drop_upgrade = false;
    RUN_UNTIL(&b, status_of(&b).open == 1);
    bench_close(&b);
}

static void final_errors_stop_it_with_a_sentence(void **state)
{
    static const char *const codes[] = { "invalid_auth",  "not_authed",    "account_inactive",
                                         "token_revoked", "token_expired", "not_allowed_token_type",
                                         "missing_scope" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct bench b;
        char body[80];
        const char *answers[] = { body, NULL };

        snprintf(body, sizeof(body), "{\"ok\":false,\"error\":\"%s\"}", codes[i]);
        bench_open(&b);
        b.answers = answers;
        bench_start(&b, NO_OPTIONS);
        RUN_UNTIL(&b, b.troubles == 1);
        run_for(&b, 100);
        assert_int_equal(b.asked, 1);
        assert_int_equal(b.finals, 1);
        assert_non_null(strstr(error_text(&b.trouble), codes[i]));
        assert_null(strstr(error_text(&b.trouble), "xapp-1"));
        assert_true(status_of(&b).stopped);
        assert_int_equal(b.troubles, 1);
        bench_close(&b);
    }
}

static void a_token_revoked_in_the_middle_leaves_the_old_connection_to_finish(void **state)
{
    static const char *const answers[] = { "{\"ok\":false,\"error\":\"token_revoked\"}", NULL };
    struct bench b;

    (void)state;
    start_and_greet(&b, NO_OPTIONS);
    b.answers = answers;
    fake_drop(b.conn[0]);
    RUN_UNTIL(&b, b.finals == 1);
    assert_int_equal(status_of(&b).open, 0);
    bench_close(&b);
}

static void link_disabled_is_told_and_tried_again_slowly(void **state)
{
    struct bench b;

    (void)state;
    start_and_greet(&b, (struct slack_socket_options){ .disabled_retry_ms = 300 });
    disconnect(&b, 0, "link_disabled");
    RUN_UNTIL(&b, b.troubles == 1);
    assert_int_equal(b.finals, 0);
    assert_non_null(strstr(error_text(&b.trouble), "Socket Mode is switched off"));
    RUN_UNTIL(&b, !b.conn[0]);
    run_for(&b, 150);
    assert_int_equal(b.asked, 1);
    RUN_UNTIL(&b, status_of(&b).open == 1);
    assert_int_equal(b.asked, 2);
    assert_string_equal(status_of(&b).trouble, "");
    bench_close(&b);
}

static void too_many_websockets_closes_surplus_and_backs_off(void **state)
{
    struct bench b;

    (void)state;
    start_and_greet(
        &b, (struct slack_socket_options){ .backoff_base_ms = 1000000, .backoff_cap_ms = 1000000 });
    send_command(&b, 0, "e1", "t1"); /* keeps the first one while its replacement comes */
    RUN_UNTIL(&b, b.envelopes == 1);
    disconnect(&b, 0, "warning");
    RUN_UNTIL(&b, b.n_conns == 2);
    run_for(&b, 20);
    assert_int_equal(open_conns(&b), 2);
    disconnect(&b, 1, "too_many_websockets");
    RUN_UNTIL(&b, !b.conn[0]); /* ours, on its way out */
    fake_drop(b.conn[1]);
    run_for(&b, 100);
    assert_int_equal(b.asked, 2); /* not at once */
    assert_int_equal(status_of(&b).consecutive_failures, 1);
    assert_non_null(strstr(status_of(&b).trouble, "another process"));
    bench_close(&b);
}

static void a_silent_server_is_left_after_the_time_for_hello(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    b.mute = true;
    bench_start(&b, (struct slack_socket_options){ .hello_timeout_ms = 100 });
    RUN_UNTIL(&b, b.n_conns == 2);
    RUN_UNTIL(&b, !b.conn[0]); /* cut */
    assert_non_null(strstr(status_of(&b).trouble, "no hello"));
    b.mute = false;
    RUN_UNTIL(&b, status_of(&b).open == 1);
    bench_close(&b);
}

static void a_dead_connection_is_noticed_and_replaced(void **state)
{
    struct bench b;

    (void)state;
    start_and_greet(&b, (struct slack_socket_options){ .ping_after_ms = 40, .dead_after_ms = 120 });
    run_for(&b, 200); /* pongs keep it alive */
    assert_int_equal(b.n_conns, 1);
    /* deaf from now on */
    uv_read_stop((uv_stream_t *)&b.conn[0]->tcp);
    RUN_UNTIL(&b, b.n_conns == 2 && status_of(&b).open == 1);
    bench_close(&b);
}

static void several_connections_are_kept_and_each_answers_its_own(void **state)
{
    struct bench b;

    (void)state;
    start_and_greet(&b, (struct slack_socket_options){ .connections = 3 });
    assert_int_equal(b.n_conns, 3);
    b.ack_at_once = true;
    send_command(&b, 2, "e2", "t2");
    send_command(&b, 0, "e0", "t0");
    send_command(&b, 1, "e1", "t1");
    RUN_UNTIL(&b, b.n_acks == 3);
    assert_string_equal(buf_str(&b.acks[0]), "{\"envelope_id\":\"e0\"}\n");
    assert_string_equal(buf_str(&b.acks[1]), "{\"envelope_id\":\"e1\"}\n");
    assert_string_equal(buf_str(&b.acks[2]), "{\"envelope_id\":\"e2\"}\n");
    fake_drop(b.conn[1]);
    RUN_UNTIL(&b, b.n_conns == 4 && status_of(&b).open == 3);
    run_for(&b, 50);
    assert_int_equal(b.asked, 4);
    bench_close(&b);
}

static void stopping_waits_for_acknowledgements_and_takes_nothing_new(void **state)
{
    struct bench b;

    (void)state;
    start_and_greet(&b, (struct slack_socket_options){ .connections = 2 });
    send_command(&b, 0, "e1", "t1");
    RUN_UNTIL(&b, b.envelopes == 1);
    slack_socket_stop(b.socket, 3000, on_stopped, &b);
    assert_int_equal(b.stopped, 0);
    send_command(&b, 1, "e2", "t2");
    run_for(&b, 50);
    assert_int_equal(b.envelopes, 1);
    assert_int_equal(b.stopped, 0);
    assert_int_equal(open_conns(&b), 2);
    assert_int_equal(slack_socket_ack(b.socket, b.delivery[0], NULL, NULL), 0);
    RUN_UNTIL(&b, b.stopped == 1);
    assert_string_equal(buf_str(&b.acks[0]), "{\"envelope_id\":\"e1\"}\n");
    assert_int_equal(b.n_acks, 1); /* the other one is Slack's to deliver again */
    RUN_UNTIL(&b, open_conns(&b) == 0);
    run_for(&b, 50);
    assert_int_equal(b.asked, 2);
    assert_int_equal(b.stopped, 1);
    bench_close(&b);
}

static void stopping_does_not_wait_for_ever(void **state)
{
    struct bench b;

    (void)state;
    start_and_greet(&b, NO_OPTIONS);
    send_command(&b, 0, "e1", "t1");
    RUN_UNTIL(&b, b.envelopes == 1);
    int64_t began = clock_mono_ms();
    slack_socket_stop(b.socket, 100, on_stopped, &b);
    RUN_UNTIL(&b, b.stopped == 1);
    assert_in_range(clock_mono_ms() - began, 95, 5000);
    bench_close(&b);

    bench_open(&b); /* before anything is connected */
    bench_start(&b, NO_OPTIONS);
    slack_socket_stop(b.socket, 100, on_stopped, &b);
    RUN_UNTIL(&b, b.stopped == 1);
    run_for(&b, 30);
    assert_int_equal(b.asked, 0);
    bench_close(&b);
}

static void it_may_be_freed_at_any_moment(void **state)
{
    (void)state;
    for (int turns = 0; turns < 25; turns++) {
        struct bench b;

        bench_open(&b);
        bench_start(&b, (struct slack_socket_options){ .connections = 2 });
        for (int i = 0; i < turns; i++)
            turn(&b);
        slack_socket_free(b.socket);
        b.socket = NULL;
        run_for(&b, 10);
        bench_close(&b);
    }
}

static void a_missing_app_token_is_final(void **state)
{
    struct bench b;
    char url[64];
    struct webapi_options options = { .bot_token = "xoxb-1" };

    (void)state;
    bench_open(&b);
    webapi_free(b.api);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/api/", b.server.tcp.port);
    options.api_url = url;
    assert_int_equal(webapi_new(&b.loop, b.http, &options, &b.api, NULL), 0);
    bench_start(&b, NO_OPTIONS);
    RUN_UNTIL(&b, b.finals == 1);
    assert_non_null(strstr(error_text(&b.trouble), "xapp-"));
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
        cmocka_unit_test(hello_makes_it_ready_and_an_envelope_is_acknowledged_later),
        cmocka_unit_test(what_cannot_be_used_is_acknowledged_or_ignored_without_a_reconnect),
        cmocka_unit_test(a_second_delivery_is_acknowledged_and_not_handed_up),
        cmocka_unit_test(a_mention_that_comes_as_two_events_is_two_events),
        cmocka_unit_test(an_answer_that_is_too_long_is_left_out_of_the_acknowledgement),
        cmocka_unit_test(an_answer_whose_connection_died_is_given_at_the_next_delivery),
        cmocka_unit_test(the_replacement_is_open_before_the_old_one_goes),
        cmocka_unit_test(a_replaced_connection_without_duties_is_closed),
        cmocka_unit_test(a_lost_connection_is_replaced),
        cmocka_unit_test(passing_faults_are_tried_again_until_they_pass),
        cmocka_unit_test(final_errors_stop_it_with_a_sentence),
        cmocka_unit_test(a_token_revoked_in_the_middle_leaves_the_old_connection_to_finish),
        cmocka_unit_test(link_disabled_is_told_and_tried_again_slowly),
        cmocka_unit_test(too_many_websockets_closes_surplus_and_backs_off),
        cmocka_unit_test(a_silent_server_is_left_after_the_time_for_hello),
        cmocka_unit_test(a_dead_connection_is_noticed_and_replaced),
        cmocka_unit_test(several_connections_are_kept_and_each_answers_its_own),
        cmocka_unit_test(stopping_waits_for_acknowledgements_and_takes_nothing_new),
        cmocka_unit_test(stopping_does_not_wait_for_ever),
        cmocka_unit_test(it_may_be_freed_at_any_moment),
        cmocka_unit_test(a_missing_app_token_is_final),
    };
    return cmocka_run_group_tests(tests, global_init, global_clear);
}
