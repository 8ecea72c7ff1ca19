/* access_gate: decisions whose facts come from a small Slack on the same loop (fake_http.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/slack/access_gate.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "dbconn/net/http.h"
#include "dbconn/net/loop.h"
#include "dbconn/net/policy.h"
#include "dbconn/slack/webapi.h"
#include "fake_http.h"

struct bench {
    uv_loop_t loop;
    struct net_policy *policy;
    struct http *http;
    struct webapi *api;
    struct access *rules;
    struct access_gate *gate;
    struct fake_http server;
    bool silent, broken; /* how it answers */
    bool silent_info;    /* nothing about a single channel */
    const char *roster;  /* what users.conversations answers */
    struct buf asked;    /* "method " of each request */
    int ended;
    struct access_decision last;
    char why[256];
};

static const char *answer_to(const char *target)
{
    if (strstr(target, "auth.test"))
        return "{\"ok\":true,\"team_id\":\"T1\",\"user_id\":\"U0BOT\"}";
    if (strstr(target, "users.info"))
        return "{\"ok\":true,\"user\":{\"id\":\"U1\",\"team_id\":\"T1\"}}";
    if (strstr(target, "conversations.info"))
        return "{\"ok\":true,\"channel\":{\"id\":\"C1\",\"is_private\":false}}";
    return "{\"ok\":true,\"users\":[\"U1\",\"U2\"]}";
}

static void slack(struct fake_conn *conn, const struct fake_request *request, void *user)
{
    struct bench *b = user;

    buf_addf(&b->asked, "%s ", strrchr(request->target, '/') + 1);
    if (b->silent || (b->silent_info && strstr(request->target, "conversations.info")))
        return;
    if (b->roster && strstr(request->target, "users.conversations")) {
        fake_reply(conn, 200, "", b->roster);
        return;
    }
    fake_reply(conn, 200, "",
               b->broken ? "{\"ok\":false,\"error\":\"missing_scope\",\"needed\":\"users:read\"}"
                         : answer_to(request->target));
}

static void bench_open(struct bench *b, const char *allow, struct access_gate_options options)
{
    char url[64];

    memset(b, 0, sizeof(*b));
    uv_loop_init(&b->loop);
    fake_http_start(&b->server, &b->loop, slack, b);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/api", b->server.tcp.port);
    b->policy = net_policy_new();
    assert_int_equal(net_policy_add_base(b->policy, "slack", url, NULL), 0);
    assert_int_equal(http_new(&b->loop, b->policy, &b->http, NULL), 0);
    struct webapi_options api = { .api_url = url, .bot_token = "xoxb-bot" };
    assert_int_equal(webapi_new(&b->loop, b->http, &api, &b->api, NULL), 0);
    b->rules = access_new();
    assert_int_equal(access_allow(b->rules, allow, NULL), 0);
    options.loop = &b->loop;
    options.api = b->api;
    options.rules = b->rules;
    b->gate = access_gate_new(&options);
}

static void bench_close(struct bench *b)
{
    access_gate_free(b->gate);
    access_free(b->rules);
    webapi_free(b->api);
    http_free(b->http);
    fake_http_stop(&b->server);
    assert_true(loop_finish(&b->loop));
    net_policy_free(b->policy);
    buf_clear(&b->asked);
}

static void on_done(void *user, const struct access_decision *decision)
{
    struct bench *b = user;

    b->ended++;
    b->last = *decision;
    snprintf(b->why, sizeof(b->why), "%s", decision->why ? decision->why : "");
}

static const struct access_request anna = { .way = ACCESS_COMMAND, .channel = "C1", .user = "U1" };

static void run_until(struct bench *b, int ended)
{
    int64_t end = clock_mono_ms() + 8000;

    while (b->ended < ended && clock_mono_ms() < end)
        uv_run(&b->loop, UV_RUN_ONCE);
    assert_int_equal(b->ended, ended);
}

static size_t times_asked(const struct bench *b, const char *method)
{
    size_t n = 0;

    for (const char *p = buf_str(&b->asked); (p = strstr(p, method)); p++)
        n++;
    return n;
}

static void facts_are_asked_once_and_kept(void **state)
{
    struct bench b;
    struct access_decision d;

    (void)state;
    bench_open(&b, "*", (struct access_gate_options){ 0 });
    assert_false(access_gate_now(b.gate, &anna, &d));
    (void)access_gate_ask(b.gate, &anna, on_done, &b);
    (void)access_gate_ask(b.gate, &anna, on_done, &b);
    assert_int_equal(b.ended, 0); /* never inside the call */
    run_until(&b, 2);
    assert_int_equal(b.last.verdict, ACCESS_ALLOWED);
    assert_true(access_gate_now(b.gate, &anna, &d));
    assert_int_equal(d.verdict, ACCESS_ALLOWED);
    assert_int_equal(times_asked(&b, "users.info"), 1);
    assert_int_equal(times_asked(&b, "conversations.info"), 1);
    assert_int_equal(times_asked(&b, "auth.test"), 1);
    assert_int_equal(times_asked(&b, "usergroups"), 0);
    assert_true(access_gate_is_public(b.gate, "C1"));
    assert_false(access_gate_is_public(b.gate, "C2"));
    bench_close(&b);
}

static void the_workspace_is_not_asked_for_when_it_is_known(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, "S0ONCALL", (struct access_gate_options){ 0 });
    access_gate_set_home(b.gate, "T1");
    (void)access_gate_ask(b.gate, &anna, on_done, &b);
    run_until(&b, 1);
    assert_int_equal(b.last.verdict, ACCESS_ALLOWED);
    assert_int_equal(times_asked(&b, "auth.test"), 0);
    assert_int_equal(times_asked(&b, "usergroups.users.list"), 1);
    bench_close(&b);
}

static void facts_are_asked_again_when_their_time_is_over(void **state)
{
    struct bench b;
    struct access_decision d;

    (void)state;
    bench_open(&b, "*", (struct access_gate_options){ .keep_ms = 500 });
    access_gate_set_home(b.gate, "T1");
    (void)access_gate_ask(b.gate, &anna, on_done, &b);
    run_until(&b, 1);
    uv_sleep(600);
    assert_false(access_gate_now(b.gate, &anna, &d));
    (void)access_gate_ask(b.gate, &anna, on_done, &b);
    run_until(&b, 2);
    assert_int_equal(times_asked(&b, "users.info"), 2);
    bench_close(&b);
}

static void a_slack_that_says_nothing_means_no_after_the_wait(void **state)
{
    struct bench b;
    int64_t begin;

    (void)state;
    bench_open(&b, "*", (struct access_gate_options){ .wait_ms = 50 });
    b.silent = true;
    begin = clock_mono_ms();
    (void)access_gate_ask(b.gate, &anna, on_done, &b);
    run_until(&b, 1);
    assert_true(clock_mono_ms() - begin < 1400); /* the usual wait is longer */
    assert_int_equal(b.last.verdict, ACCESS_REFUSED);
    assert_int_equal(b.last.reason, ACCESS_NOT_FOUND_OUT);
    assert_string_equal(b.why, "Slack did not tell in time.");
    bench_close(&b);
}

static void a_lookup_that_fails_means_no_and_is_tried_again_later(void **state)
{
    struct bench b;
    struct access_decision d;

    (void)state;
    bench_open(&b, "*", (struct access_gate_options){ .keep_failure_ms = 30 });
    access_gate_set_home(b.gate, "T1");
    b.broken = true;
    (void)access_gate_ask(b.gate, &anna, on_done, &b);
    run_until(&b, 1);
    assert_int_equal(b.last.reason, ACCESS_NOT_FOUND_OUT);
    assert_non_null(strstr(b.why, "users:read"));
    assert_true(access_gate_now(b.gate, &anna, &d)); /* not asked at once again */
    assert_int_equal(d.verdict, ACCESS_REFUSED);
    b.broken = false;
    uv_sleep(40);
    (void)access_gate_ask(b.gate, &anna, on_done, &b);
    run_until(&b, 2);
    assert_int_equal(b.last.verdict, ACCESS_ALLOWED);
    bench_close(&b);
}

static void only_so_many_answers_are_kept(void **state)
{
    struct bench b;
    struct access_decision d;
    struct access_request home = { .way = ACCESS_HOME, .user = "U1" };

    (void)state;
    bench_open(&b, "*", (struct access_gate_options){ .max_entries = 2 });
    access_gate_set_home(b.gate, "T1");
    (void)access_gate_ask(b.gate, &home, on_done, &b);
    run_until(&b, 1);
    home.user = "U2"; /* the answer is about U1: refused, and U1 had to go */
    (void)access_gate_ask(b.gate, &home, on_done, &b);
    run_until(&b, 2);
    assert_int_equal(b.last.reason, ACCESS_NOT_FOUND_OUT);
    home.user = "U1";
    assert_false(access_gate_now(b.gate, &home, &d));
    bench_close(&b);
}

static void a_cancelled_request_hears_nothing(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, "*", (struct access_gate_options){ 0 });
    struct access_wait *first = access_gate_ask(b.gate, &anna, on_done, &b);
    (void)access_gate_ask(b.gate, &anna, on_done, &b);
    access_wait_cancel(first);
    access_wait_cancel(NULL);
    run_until(&b, 1);
    uv_run(&b.loop, UV_RUN_NOWAIT);
    assert_int_equal(b.ended, 1);
    (void)access_gate_ask(b.gate, &(struct access_request){ .way = ACCESS_HOME, .user = "U9" },
                          on_done, &b);
    bench_close(&b); /* with one under way */
    assert_int_equal(b.ended, 1);
}

/* ---- many channels at a moment ---- */

#define CHANNELS 40

/* Channels C0 to C39; `extra` goes into each but the last, which says less. */
static void write_roster(const char *extra, struct buf *out)
{
    buf_adds(out, "{\"ok\":true,\"channels\":[");
    for (int i = 0; i < CHANNELS; i++)
        buf_addf(out, "%s{\"id\":\"C%d\"%s}", i ? "," : "", i, i + 1 < CHANNELS ? extra : "");
    buf_adds(out, "],\"response_metadata\":{\"next_cursor\":\"\"}}");
}

static void ask_from_all(struct bench *b)
{
    for (int i = 0; i < CHANNELS; i++) {
        char id[16];
        snprintf(id, sizeof(id), "C%d", i);
        (void)access_gate_ask(
            b->gate, &(struct access_request){ .way = ACCESS_COMMAND, .channel = id, .user = "U1" },
            on_done, b);
    }
}

static void many_channels_at_a_moment_are_asked_for_together(void **state)
{
    static const struct {
        const char *says;
        enum access_verdict verdict;
    } table[] = {
        { ",\"is_private\":false,\"is_ext_shared\":false", ACCESS_ALLOWED },
        { ",\"is_private\":false,\"is_ext_shared\":true", ACCESS_REFUSED },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct bench b;
        struct buf roster = BUF_INIT;
        bench_open(&b, "*", (struct access_gate_options){ .wait_ms = 5000 });
        access_gate_set_home(b.gate, "T1");
        write_roster(table[i].says, &roster);
        b.roster = buf_str(&roster);
        b.silent_info = true;
        ask_from_all(&b);
        run_until(&b, CHANNELS - 1);
        assert_int_equal(b.last.verdict, table[i].verdict);
        assert_int_equal(times_asked(&b, "users.conversations"), 1);
        bench_close(&b); /* the last one, of which too little was said, still waits for its own */
        buf_clear(&roster);
    }
}

static void without_the_list_channels_are_asked_for_one_by_one(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, "*", (struct access_gate_options){ .wait_ms = 5000 });
    access_gate_set_home(b.gate, "T1");
    b.roster = "{\"ok\":false,\"error\":\"missing_scope\",\"needed\":\"channels:read\"}";
    for (int i = 0; i < 10; i++) {
        char id[16];
        snprintf(id, sizeof(id), "C%d", i);
        (void)access_gate_ask(
            b.gate, &(struct access_request){ .way = ACCESS_COMMAND, .channel = id, .user = "U1" },
            on_done, &b);
    }
    run_until(&b, 10);
    assert_int_equal(b.last.verdict, ACCESS_ALLOWED);
    assert_int_equal(times_asked(&b, "conversations.info"), 10);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_asked_once_and_kept),
        cmocka_unit_test(the_workspace_is_not_asked_for_when_it_is_known),
        cmocka_unit_test(facts_are_asked_again_when_their_time_is_over),
        cmocka_unit_test(a_slack_that_says_nothing_means_no_after_the_wait),
        cmocka_unit_test(a_lookup_that_fails_means_no_and_is_tried_again_later),
        cmocka_unit_test(only_so_many_answers_are_kept),
        cmocka_unit_test(a_cancelled_request_hears_nothing),
        cmocka_unit_test(many_channels_at_a_moment_are_asked_for_together),
        cmocka_unit_test(without_the_list_channels_are_asked_for_one_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
