/* The Web API client against a small Slack on the same loop (fake_http.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/slack/webapi_internal.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/net/policy.h"
#include "fake_http.h"

struct outcome {
    int calls;
    enum webapi_kind kind;
    char code[64], scope[64];
    char *ts;
    struct error err;
    struct bench *bench;
};

struct script { /* what the fake answers to the next request; then the next row */
    int status;
    const char *headers, *body;
};

struct bench {
    uv_loop_t loop;
    struct net_policy *policy;
    struct http *http;
    struct webapi *api;
    struct fake_http server;
    int ended;
    struct buf log; /* "method body\n" of each request */
    struct buf head;
    const struct script *script; /* NULL: ok; status 0: drop; ends with status -1: ok */
    int64_t at_ms[64];
};

static void on_done(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct outcome *o = user;

    o->calls++;
    o->bench->ended++;
    o->kind = reply->kind;
    snprintf(o->code, sizeof(o->code), "%s", reply->code);
    if (reply->needed_scope)
        snprintf(o->scope, sizeof(o->scope), "%s", reply->needed_scope);
    o->ts = xstrdup(json_str(reply->json, "ts"));
    assert_int_equal(err == NULL, reply->kind == WEBAPI_OK);
    if (err)
        error_copy(&o->err, err);
}

static void outcome_clear(struct outcome *o)
{
    free(o->ts);
    error_clear(&o->err);
}

static void slack(struct fake_conn *conn, const struct fake_request *request, void *user)
{
    struct bench *b = user;
    const struct script *s = b->script;

    assert_string_equal(request->method, "POST");
    if (b->server.requests <= 64)
        b->at_ms[b->server.requests - 1] = clock_mono_ms();
    buf_addf(&b->log, "%s %s\n", request->target, request->body);
    buf_reset(&b->head);
    buf_adds(&b->head, request->head);
    if (!s || s->status < 0) {
        fake_reply(conn, 200, "", "{\"ok\":true,\"ts\":\"1.2\"}");
        return;
    }
    b->script++;
    if (s->status == 0)
        fake_drop(conn);
    else
        fake_reply(conn, s->status, s->headers ? s->headers : "", s->body ? s->body : "");
}

static void bench_open(struct bench *b, struct webapi_options options)
{
    char url[64];

    memset(b, 0, sizeof(*b));
    uv_loop_init(&b->loop);
    fake_http_start(&b->server, &b->loop, slack, b);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/api", b->server.tcp.port);
    b->policy = net_policy_new();
    assert_int_equal(net_policy_add_base(b->policy, "slack", url, NULL), 0);
    assert_int_equal(http_new(&b->loop, b->policy, &b->http, NULL), 0);
    options.api_url = url;
    options.bot_token = options.bot_token ? options.bot_token : "xoxb-bot";
    options.app_token = "xapp-app";
    assert_int_equal(webapi_new(&b->loop, b->http, &options, &b->api, NULL), 0);
}

static void bench_close(struct bench *b)
{
    webapi_free(b->api);
    http_free(b->http);
    fake_http_stop(&b->server);
    assert_true(loop_finish(&b->loop));
    net_policy_free(b->policy);
    buf_clear(&b->log);
    buf_clear(&b->head);
}

static struct webapi_call *start(struct bench *b, struct outcome *o, const char *method,
                                 const char *args, struct webapi_request request)
{
    cJSON *tree = args ? cJSON_Parse(args) : NULL;

    assert_true(!args || tree);
    o->bench = b;
    request.method = method;
    request.args = tree;
    request.done = on_done;
    request.user = o;
    struct webapi_call *call = webapi_start(b->api, &request, &o->err);
    cJSON_Delete(tree);
    assert_int_equal(o->calls, 0);
    return call;
}

static void run_until(struct bench *b, int ended)
{
    int64_t end = clock_mono_ms() + 8000;

    while (b->ended < ended && clock_mono_ms() < end) {
        uv_run(&b->loop, UV_RUN_NOWAIT);
        uv_sleep(1);
    }
    assert_int_equal(b->ended, ended);
}

static void run_for(struct bench *b, int64_t ms)
{
    int64_t end = clock_mono_ms() + ms;

    while (clock_mono_ms() < end) {
        uv_run(&b->loop, UV_RUN_NOWAIT);
        uv_sleep(1);
    }
}

#define NO_OPTIONS ((struct webapi_options){ 0 })
#define NO_REQUEST ((struct webapi_request){ 0 })

/* --- tests --- */

static void each_method_has_its_form_and_its_token(void **state)
{
    static const struct {
        const char *method, *args, *body, *type, *auth;
    } cases[] = {
        { "chat.postMessage", "{\"channel\":\"C1\",\"text\":\"a & b\",\"unfurl_links\":false}",
          "{\"channel\":\"C1\",\"text\":\"a & b\",\"unfurl_links\":false}",
          "Content-Type: application/json; charset=utf-8\r\n",
          "Authorization: Bearer xoxb-bot\r\n" },
        { "conversations.replies",
          "{\"channel\":\"C1\",\"ts\":\"1.2\",\"limit\":15,\"include_all_metadata\":true,"
          "\"cursor\":null}",
          "channel=C1&ts=1.2&limit=15&include_all_metadata=true",
          "Content-Type: application/x-www-form-urlencoded\r\n",
          "Authorization: Bearer xoxb-bot\r\n" },
        { "files.getUploadURLExternal", "{\"filename\":\"a b.png\",\"length\":12}",
          "filename=a%20b.png&length=12", "Content-Type: application/x-www-form-urlencoded\r\n",
          "Authorization: Bearer xoxb-bot\r\n" },
        { "apps.connections.open", NULL, "", "Content-Type: application/x-www-form-urlencoded\r\n",
          "Authorization: Bearer xapp-app\r\n" },
        { "auth.test", NULL, "", "Content-Type: application/x-www-form-urlencoded\r\n",
          "Authorization: Bearer xoxb-bot\r\n" },
        { "some.newMethod", "{\"files\":[{\"id\":\"F1\"}]}",
          "files=%5B%7B%22id%22%3A%22F1%22%7D%5D",
          "Content-Type: application/x-www-form-urlencoded\r\n",
          "Authorization: Bearer xoxb-bot\r\n" },
    };
    struct bench b;

    (void)state;
    bench_open(&b, NO_OPTIONS);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct outcome o = { 0 };
        struct buf expected = BUF_INIT;

        buf_reset(&b.log);
        assert_non_null(start(&b, &o, cases[i].method, cases[i].args, NO_REQUEST));
        run_until(&b, (int)i + 1);
        assert_int_equal(o.kind, WEBAPI_OK);
        assert_string_equal(o.ts, "1.2");
        buf_addf(&expected, "/api/%s %s\n", cases[i].method, cases[i].body);
        assert_string_equal(buf_str(&b.log), buf_str(&expected));
        assert_non_null(strstr(buf_str(&b.head), cases[i].type));
        assert_non_null(strstr(buf_str(&b.head), cases[i].auth));
        buf_clear(&expected);
        outcome_clear(&o);
    }
    bench_close(&b);
}

static void error_codes_have_a_meaning(void **state)
{
    static const struct {
        const char *method, *code;
        enum webapi_kind kind;
    } cases[] = {
        { "chat.postMessage", "invalid_auth", WEBAPI_AUTH },
        { "chat.postMessage", "token_revoked", WEBAPI_AUTH },
        { "chat.postMessage", "missing_scope", WEBAPI_AUTH },
        { "chat.postMessage", "invalid_blocks", WEBAPI_BUG },
        { "chat.postMessage", "invalid_blocks_format", WEBAPI_BUG },
        { "chat.postMessage", "invalid_arguments", WEBAPI_BUG },
        { "chat.postMessage", "msg_blocks_too_long", WEBAPI_BUG },
        { "chat.postMessage", "channel_not_found", WEBAPI_CHANNEL },
        { "chat.postMessage", "not_in_channel", WEBAPI_CHANNEL },
        { "chat.postMessage", "restricted_action_thread_locked", WEBAPI_CHANNEL },
        { "chat.postMessage", "slack_connect_blocked_file_type", WEBAPI_CHANNEL },
        { "chat.update", "message_not_found", WEBAPI_MESSAGE },
        { "chat.update", "edit_window_closed", WEBAPI_MESSAGE },
        { "chat.postMessage", "ratelimited", WEBAPI_TRANSIENT },
        { "chat.postMessage", "internal_error", WEBAPI_AMBIGUOUS },
        { "chat.postMessage", "fatal_error", WEBAPI_AMBIGUOUS },
        { "chat.update", "internal_error", WEBAPI_TRANSIENT },
        { "conversations.info", "fatal_error", WEBAPI_TRANSIENT },
        { "some.newMethod", "internal_error", WEBAPI_AMBIGUOUS },
        { "chat.postMessage", "a_code_of_next_year", WEBAPI_REFUSED },
        { "chat.postMessage", "", WEBAPI_REFUSED },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (webapi_kind_of(cases[i].method, cases[i].code) != cases[i].kind)
            fail_msg("%s %s", cases[i].method, cases[i].code);
}

static void a_refusal_says_what_slack_says(void **state)
{
    static const struct {
        const char *body, *code, *scope;
        enum webapi_kind kind;
        enum err_code err;
        const char *says;
    } cases[] = {
        { "{\"ok\":false,\"error\":\"missing_scope\",\"needed\":\"chat:write\",\"provided\":\"x\"}",
          "missing_scope", "chat:write", WEBAPI_AUTH, ERR_FORBIDDEN,
          "Slack refused chat.postMessage: missing_scope: the token lacks the scope chat:write" },
        { "{\"ok\":false,\"error\":\"invalid_blocks\",\"response_metadata\":{\"messages\":[\"["
          "ERROR] "
          "no more than 50 items allowed [json-pointer:/blocks]\"]}}",
          "invalid_blocks", "", WEBAPI_BUG, ERR_INVALID,
          "Slack refused chat.postMessage: invalid_blocks; [ERROR] no more than 50 items allowed "
          "[json-pointer:/blocks]" },
        { "{\"ok\":false,\"error\":\"channel_not_found\"}", "channel_not_found", "", WEBAPI_CHANNEL,
          ERR_NOT_FOUND, "or it is private and the bot is no member" },
        { "{\"ok\":false,\"error\":\"invalid_auth\"}", "invalid_auth", "", WEBAPI_AUTH,
          ERR_UNAUTHORIZED, "allow-list" },
        { "{\"ok\":false}", "unknown_error", "", WEBAPI_REFUSED, ERR_FORBIDDEN, "unknown_error" },
        { "{\"ok\":false,\"error\":null,\"response_metadata\":[]}", "unknown_error", "",
          WEBAPI_REFUSED, ERR_FORBIDDEN, "unknown_error" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b;
        struct outcome o = { 0 };
        const struct script script[] = { { 200, NULL, cases[i].body }, { -1, NULL, NULL } };

        bench_open(&b, NO_OPTIONS);
        b.script = script;
        assert_non_null(start(&b, &o, "chat.postMessage", "{\"channel\":\"C1\",\"text\":\"hush\"}",
                              NO_REQUEST));
        run_until(&b, 1);
        assert_int_equal(b.server.requests, 1);
        assert_string_equal(o.code, cases[i].code);
        assert_string_equal(o.scope, cases[i].scope);
        assert_int_equal(o.kind, cases[i].kind);
        assert_int_equal(o.err.code, cases[i].err);
        if (!strstr(error_text(&o.err), cases[i].says))
            fail_msg("%s", error_text(&o.err));
        assert_null(strstr(error_text(&o.err), "hush"));
        assert_null(strstr(error_text(&o.err), "xoxb"));
        outcome_clear(&o);
        bench_close(&b);
    }
}

static void what_posts_is_sent_once_and_its_doubt_is_told(void **state)
{
    static const struct {
        const char *method;
        struct script first;
        enum webapi_kind kind;
        int requests;
    } cases[] = {
        /* dropped after it was read; 5xx; nonsense */
        { "chat.postMessage", { 0, NULL, NULL }, WEBAPI_AMBIGUOUS, 1 },
        { "chat.postMessage", { 500, NULL, "" }, WEBAPI_AMBIGUOUS, 1 },
        { "chat.postMessage", { 503, NULL, "<html>" }, WEBAPI_AMBIGUOUS, 1 },
        { "chat.postMessage", { 200, NULL, "<html>" }, WEBAPI_AMBIGUOUS, 1 },
        { "chat.postMessage", { 200, NULL, "" }, WEBAPI_AMBIGUOUS, 1 },
        { "chat.postMessage", { 200, NULL, "[]" }, WEBAPI_AMBIGUOUS, 1 },
        { "chat.postMessage", { 200, NULL, "{\"ok\":\"yes\"}" }, WEBAPI_AMBIGUOUS, 1 },
        { "chat.postMessage",
          { 200, NULL, "{\"ok\":false,\"error\":\"internal_error\"}" },
          WEBAPI_AMBIGUOUS,
          1 },
        { "chat.postMessage",
          { 500, NULL, "{\"ok\":false,\"error\":\"fatal_error\"}" },
          WEBAPI_AMBIGUOUS,
          1 },
        { "chat.postMessage", { 404, NULL, "<html>" }, WEBAPI_REFUSED, 1 },
        /* what can be repeated is */
        { "chat.update", { 0, NULL, NULL }, WEBAPI_OK, 2 },
        { "chat.update", { 503, NULL, "" }, WEBAPI_OK, 2 },
        { "chat.update", { 500, NULL, "" }, WEBAPI_TRANSIENT, 1 },
        { "conversations.replies", { 502, NULL, "" }, WEBAPI_OK, 2 },
        { "conversations.replies", { 200, NULL, "<html>" }, WEBAPI_TRANSIENT, 1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b;
        struct outcome o = { 0 };
        const struct script script[] = { cases[i].first, { -1, NULL, NULL } };

        bench_open(&b, NO_OPTIONS);
        b.script = script;
        assert_non_null(start(&b, &o, cases[i].method, "{\"channel\":\"C1\"}", NO_REQUEST));
        run_until(&b, 1);
        run_for(&b, 20);
        if (o.kind != cases[i].kind || b.server.requests != cases[i].requests)
            fail_msg("row %zu: kind %d, %d requests (%s)", i, (int)o.kind, b.server.requests,
                     error_text(&o.err));
        assert_int_equal(o.calls, 1);
        outcome_clear(&o);
        bench_close(&b);
    }
}

static void a_post_that_never_left_is_not_in_doubt(void **state)
{
    struct bench b;
    struct outcome o = { 0 };

    (void)state;
    bench_open(&b, NO_OPTIONS);
    fake_http_stop(&b.server);
    assert_non_null(start(&b, &o, "chat.postMessage", "{\"channel\":\"C1\"}", NO_REQUEST));
    run_until(&b, 1);
    assert_int_equal(o.kind, WEBAPI_TRANSIENT);
    assert_int_equal(o.err.code, ERR_NETWORK);
    assert_non_null(
        strstr(error_text(&o.err), "Slack chat.postMessage: Slack could not be reached"));
    outcome_clear(&o);
    webapi_free(b.api);
    http_free(b.http);
    assert_true(loop_finish(&b.loop));
    net_policy_free(b.policy);
    buf_clear(&b.log);
    buf_clear(&b.head);
}

static void a_429_pauses_its_method_alone_and_the_call_is_sent_again(void **state)
{
    static const struct script script[] = { { 429, "Retry-After: 1\r\n",
                                              "{\"ok\":false,\"error\":\"ratelimited\"}" },
                                            { -1, NULL, NULL } };
    struct bench b;
    struct outcome o[3] = { 0 };

    (void)state;
    bench_open(&b, NO_OPTIONS);
    b.script = script;
    int64_t began = clock_mono_ms();
    assert_non_null(start(&b, &o[0], "chat.postMessage", "{\"channel\":\"C1\"}", NO_REQUEST));
    while (b.server.requests < 1)
        uv_run(&b.loop, UV_RUN_NOWAIT);
    run_for(&b, 30);
    assert_non_null(start(&b, &o[1], "chat.postMessage", "{\"channel\":\"C2\"}", NO_REQUEST));
    assert_non_null(start(&b, &o[2], "chat.update", "{\"channel\":\"C1\"}", NO_REQUEST));
    run_until(&b, 1);
    assert_int_equal(o[2].calls, 1); /* the other method */
    run_for(&b, 100);
    assert_int_equal(b.server.requests, 2);
    run_until(&b, 3);
    assert_true(clock_mono_ms() - began >= 1000);
    assert_string_equal(buf_str(&b.log), "/api/chat.postMessage {\"channel\":\"C1\"}\n"
                                         "/api/chat.update {\"channel\":\"C1\"}\n"
                                         "/api/chat.postMessage {\"channel\":\"C1\"}\n"
                                         "/api/chat.postMessage {\"channel\":\"C2\"}\n");
    struct webapi_stats stats;
    webapi_stats(b.api, &stats);
    assert_int_equal(stats.limited, 1);
    assert_int_equal(stats.calls, 4);
    assert_int_equal(stats.waiting, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(o[i].kind, WEBAPI_OK);
        outcome_clear(&o[i]);
    }
    bench_close(&b);
}

static void posts_keep_to_one_a_second_in_each_channel(void **state)
{
    struct bench b;
    struct outcome o[6] = { 0 };
    static const char *const args[6] = {
        "{\"channel\":\"C1\",\"text\":\"1\"}", "{\"channel\":\"C1\",\"text\":\"2\"}",
        "{\"channel\":\"C1\",\"text\":\"3\"}", "{\"channel\":\"C1\",\"text\":\"4\"}",
        "{\"channel\":\"C2\",\"text\":\"5\"}", "{\"channel\":\"C1\",\"text\":\"6\"}",
    };

    (void)state;
    bench_open(&b, (struct webapi_options){ .posts_burst = 2 });
    int64_t began = clock_mono_ms();
    for (int i = 0; i < 6; i++)
        assert_non_null(start(&b, &o[i], "chat.postMessage", args[i], NO_REQUEST));
    run_until(&b, 3); /* two in C1, one in C2 */
    assert_int_equal(b.server.requests, 3);
    assert_int_equal(o[4].calls, 1);
    run_until(&b, 6);
    for (int i = 3; i < 6; i++)
        assert_true(b.at_ms[i] - began >= (i - 2) * 1000);
    const char *last = strstr(buf_str(&b.log), "\"text\":\"4\"");
    assert_non_null(last);
    assert_non_null(strstr(last, "\"text\":\"6\"")); /* in order */
    for (int i = 0; i < 6; i++)
        outcome_clear(&o[i]);
    bench_close(&b);
}

static void updates_share_one_budget_and_final_states_go_first(void **state)
{
    struct bench b;
    struct outcome o[6] = { 0 };

    (void)state;
    bench_open(&b, (struct webapi_options){ .updates_per_minute = 8 }); /* 2 at once */
    for (int i = 0; i < 6; i++) {
        char args[64];
        snprintf(args, sizeof(args), "{\"channel\":\"C%d\",\"text\":\"%d\"}", i, i);
        const struct webapi_request request = { .priority = i >= 4 ? WEBAPI_FINAL : WEBAPI_NORMAL };
        assert_non_null(start(&b, &o[i], "chat.update", args, request));
    }
    run_for(&b, 200);
    assert_int_equal(b.server.requests, 2);
    /* Look at the line instead of waiting for minutes. */
    const struct line *line = b.api->lines;
    assert_string_equal(line->method, "chat.update");
    static const char order[] = "4523";
    const struct webapi_call *call = line->first;
    for (int i = 0; i < 4; i++, call = call->next)
        assert_non_null(strstr(buf_str(&call->body), (char[]){ '"', order[i], '"', '\0' }));
    assert_null(call);
    for (int i = 0; i < 6; i++)
        outcome_clear(&o[i]);
    bench_close(&b);
}

static void a_waiting_call_takes_new_arguments_and_keeps_its_place(void **state)
{
    struct bench b;
    struct outcome o[4] = { 0 };
    struct webapi_call *calls[4];
    cJSON *fresh = cJSON_Parse("{\"channel\":\"C1\",\"text\":\"newer\"}");

    (void)state;
    bench_open(&b, (struct webapi_options){ .updates_per_minute = 4 }); /* 1 at once */
    for (int i = 0; i < 4; i++)
        calls[i] =
            start(&b, &o[i], "chat.update", "{\"channel\":\"C1\",\"text\":\"old\"}", NO_REQUEST);
    assert_false(webapi_replace(calls[0], fresh, WEBAPI_NORMAL)); /* sent already */
    assert_true(webapi_replace(calls[1], fresh, WEBAPI_NORMAL));
    assert_ptr_equal(b.api->lines->first, calls[1]);
    assert_non_null(strstr(buf_str(&calls[1]->body), "newer"));
    assert_true(webapi_replace(calls[3], fresh, WEBAPI_FINAL));
    assert_ptr_equal(b.api->lines->first, calls[3]);
    webapi_cancel(calls[1]);
    webapi_cancel(NULL);
    assert_ptr_equal(b.api->lines->first->next, calls[2]);
    run_until(&b, 1);
    for (int i = 0; i < 4; i++)
        outcome_clear(&o[i]);
    cJSON_Delete(fresh);
    bench_close(&b);
    assert_int_equal(o[1].calls, 0);
}

static void a_call_whose_turn_does_not_come_gives_up_when_told_to(void **state)
{
    struct bench b;
    struct outcome o[2] = { 0 };

    (void)state;
    bench_open(&b, (struct webapi_options){ .updates_per_minute = 4 });
    assert_non_null(start(&b, &o[0], "chat.update", "{}", NO_REQUEST));
    assert_non_null(
        start(&b, &o[1], "chat.update", "{}", (struct webapi_request){ .wait_ms = 60 }));
    run_until(&b, 2);
    assert_int_equal(o[0].kind, WEBAPI_OK);
    assert_int_equal(o[1].kind, WEBAPI_TRANSIENT);
    assert_int_equal(o[1].err.code, ERR_RATE_LIMITED);
    assert_int_equal(b.server.requests, 1);
    outcome_clear(&o[0]);
    outcome_clear(&o[1]);
    bench_close(&b);
}

static void a_missing_token_is_named_at_once(void **state)
{
    struct bench b;
    struct outcome o = { 0 };

    (void)state;
    bench_open(&b, (struct webapi_options){ .bot_token = "" });
    assert_null(start(&b, &o, "chat.postMessage", "{}", NO_REQUEST));
    assert_int_equal(o.err.code, ERR_CONFIG);
    assert_non_null(strstr(error_text(&o.err), "xoxb-"));
    outcome_clear(&o);
    bench_close(&b);
}

static void response_urls_get_no_token_and_only_slack_gets_them(void **state)
{
    static const struct {
        struct script first;
        enum webapi_kind kind;
        const char *code;
    } cases[] = {
        { { 200, NULL, "ok" }, WEBAPI_OK, "" },
        { { 404, NULL, "{\"ok\":false,\"error\":\"invalid_blocks\"}" },
          WEBAPI_BUG,
          "invalid_blocks" },
        { { 404, NULL, "used" }, WEBAPI_REFUSED, "" },
        { { 500, NULL, "" }, WEBAPI_AMBIGUOUS, "" },
        { { 0, NULL, NULL }, WEBAPI_AMBIGUOUS, "" },
    };
    cJSON *payload = cJSON_Parse("{\"text\":\"only you\"}");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b;
        struct outcome o = { 0 };
        char url[64];
        const struct script script[] = { cases[i].first, { -1, NULL, NULL } };

        bench_open(&b, NO_OPTIONS);
        b.script = script;
        o.bench = &b;
        snprintf(url, sizeof(url), "http://127.0.0.1:%d/commands/1/hush", b.server.tcp.port);
        assert_null(webapi_respond(b.api, "https://evil.example/commands/1", payload, 0, on_done,
                                   &o, &o.err));
        assert_int_equal(o.err.code, ERR_CONFIG);
        error_clear(&o.err);
        assert_non_null(webapi_respond(b.api, url, payload, 0, on_done, &o, NULL));
        run_until(&b, 1);
        assert_int_equal(b.server.requests, 1);
        assert_string_equal(buf_str(&b.log), "/commands/1/hush {\"text\":\"only you\"}\n");
        assert_null(strcasestr(buf_str(&b.head), "Authorization"));
        assert_int_equal(o.kind, cases[i].kind);
        assert_string_equal(o.code, cases[i].code);
        assert_null(strstr(error_text(&o.err), "hush"));
        outcome_clear(&o);
        bench_close(&b);
    }
    cJSON_Delete(payload);
}

static void a_files_bytes_go_to_slacks_own_address_without_a_token(void **state)
{
    static const struct {
        struct script first;
        enum webapi_kind kind;
    } cases[] = {
        { { 200, NULL, "OK - 5" }, WEBAPI_OK }, /* no JSON (docs.slack.dev, "Working with files") */
        { { 500, NULL, "" }, WEBAPI_TRANSIENT }, /* nobody has seen anything yet */
        { { 0, NULL, NULL }, WEBAPI_TRANSIENT },
        { { 404, NULL, "Not found" }, WEBAPI_REFUSED },
    };
    struct buf file = BUF_INIT;

    (void)state;
    buf_adds(&file, "\x89PNG!");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b;
        struct outcome o = { 0 };
        char url[64];
        const struct script script[] = { cases[i].first, { -1, NULL, NULL } };

        bench_open(&b, NO_OPTIONS);
        b.script = script;
        o.bench = &b;
        snprintf(url, sizeof(url), "http://127.0.0.1:%d/upload/v1/hush", b.server.tcp.port);
        assert_null(webapi_upload(b.api, "https://evil.example/upload/v1/1", &file, 0, on_done, &o,
                                  &o.err));
        assert_int_equal(o.err.code, ERR_CONFIG);
        error_clear(&o.err);
        assert_non_null(webapi_upload(b.api, url, &file, 0, on_done, &o, NULL));
        run_until(&b, 1);
        assert_string_equal(buf_str(&b.log), "/upload/v1/hush \x89PNG!\n");
        assert_null(strcasestr(buf_str(&b.head), "Authorization"));
        assert_non_null(strcasestr(buf_str(&b.head), "application/octet-stream"));
        assert_int_equal(o.kind, cases[i].kind);
        assert_null(strstr(error_text(&o.err), "hush"));
        outcome_clear(&o);
        bench_close(&b);
    }
    buf_clear(&file);
}

static void free_in_done(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct bench *b = user;

    (void)reply;
    (void)err;
    b->ended++;
    webapi_free(b->api);
    b->api = NULL;
}

static void the_client_may_be_freed_inside_done(void **state)
{
    struct bench b;
    struct outcome o[3] = { 0 };

    (void)state;
    bench_open(&b, (struct webapi_options){ .updates_per_minute = 8 });
    const struct webapi_request request = { .method = "auth.test",
                                            .done = free_in_done,
                                            .user = &b };
    assert_non_null(webapi_start(b.api, &request, NULL));
    for (int i = 0; i < 3; i++)
        assert_non_null(start(&b, &o[i], "chat.update", "{}", NO_REQUEST));
    run_for(&b, 100);
    assert_int_equal(o[2].calls, 0); /* it waited */
    for (int i = 0; i < 3; i++)
        outcome_clear(&o[i]);
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
        cmocka_unit_test(each_method_has_its_form_and_its_token),
        cmocka_unit_test(error_codes_have_a_meaning),
        cmocka_unit_test(a_refusal_says_what_slack_says),
        cmocka_unit_test(what_posts_is_sent_once_and_its_doubt_is_told),
        cmocka_unit_test(a_post_that_never_left_is_not_in_doubt),
        cmocka_unit_test(a_429_pauses_its_method_alone_and_the_call_is_sent_again),
        cmocka_unit_test(posts_keep_to_one_a_second_in_each_channel),
        cmocka_unit_test(updates_share_one_budget_and_final_states_go_first),
        cmocka_unit_test(a_waiting_call_takes_new_arguments_and_keeps_its_place),
        cmocka_unit_test(a_call_whose_turn_does_not_come_gives_up_when_told_to),
        cmocka_unit_test(a_missing_token_is_named_at_once),
        cmocka_unit_test(response_urls_get_no_token_and_only_slack_gets_them),
        cmocka_unit_test(a_files_bytes_go_to_slacks_own_address_without_a_token),
        cmocka_unit_test(the_client_may_be_freed_inside_done),
    };
    return cmocka_run_group_tests(tests, global_init, global_clear);
}
