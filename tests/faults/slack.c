/*
 * What may go wrong between Slack and the bot, and to the bot's process: when it is over, every job
 * that was asked for has ended, once, and the bot is there for the next.
 *
 * The short form takes a few faults of each kind; FAULTS=all takes them all (make faults). ONLY
 * names the tests to run, with wildcards.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "slack_front.h"

#define ANSWER "db-orders.lighthouse.example" /* of the scenario database-down */

static void pause_s(int s)
{
    const struct timespec ts = { s, 0 };

    nanosleep(&ts, NULL);
}

/* A lost answer is looked for after the request's time-out, each. */
static void wait_ended(struct stage *s, int jobs)
{
    const struct timespec moment = { 0, 20000000 };

    for (int i = 0; i < 300 * 50 && !jobs_have_ended(s, &jobs); i++)
        nanosleep(&moment, NULL);
    wait_until(s, jobs_have_ended, &jobs, "the end of the job");
}

static void ask_and_wait(struct stage *s, const char *issue, int jobs)
{
    char *id = type_command(s, INCIDENTS, issue);

    wait_until(s, is_acknowledged, id, "the acknowledgement");
    wait_ended(s, jobs);
    free(id);
}

/* The front goes first: it holds the sandbox's standard input open. */
static void close_both(struct stage *s, struct slack_front *front)
{
    stage_stop_bot(s);
    slack_front_stop(front);
    stage_close(s);
}

/* ---- a service ---- */

static void one_that_hangs_does_not_hold_up_the_others(void **state)
{
    struct stage_options options = { .scenario = "database-down" };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    set_faults(&s, "sentry", "{\"path\":\"5354168643|ORDERS-7F\",\"latency_ms\":3600000}");
    free(type_command(&s, INCIDENTS, "ORDERS-7F"));
    free(type_command(&s, INCIDENTS, "ORDERS-2Q"));
    wait_until(&s, job_has_ended, NULL, "the end of the other job");
    assert_true(stage_log_has(&s, "event=job.start"));
    assert_no_secret(&s);
    stage_kill_bot(&s);
    stage_close(&s);
}

/* ---- the Web API ---- */

static bool is_left_out(const struct fault *fault, size_t tried)
{
    return !fault->fault || strstr(fault->name, "hour") ||
           (!everything() && (tried > 0 || fault->slow));
}

static void set_slack_faults(struct stage *s, const char *which, const char *fault)
{
    struct buf both = BUF_INIT;

    buf_addf(&both, "{%s,%s", which, fault + 1);
    set_faults(s, "slack", buf_str(&both));
    buf_clear(&both);
}

/* Slack fails in every way for a while; what was asked then is answered in the end, once. */
static void whatever_slack_does_the_answer_comes_when_it_is_over(void **state)
{
    size_t tried = 0;

    (void)state;
    for (size_t i = 0; i < n_faults; i++) {
        struct stage_options options = { .scenario = "database-down" };
        struct stage s;
        if (is_left_out(&faults[i], tried))
            continue;
        stage_open(&s, &options);
        int64_t began = clock_mono_ms();
        set_slack_faults(&s,
                         everything() ? "\"path\":\"/chat\\\\.\",\"first\":3"
                                      : "\"path\":\"/chat\\\\.\",\"first\":1",
                         faults[i].fault);
        ask_and_wait(&s, s.short_id, 1);
        if (getenv("FAULTS_TIMES"))
            print_message("Slack: %s: %lld ms\n", faults[i].name,
                          (long long)(clock_mono_ms() - began));
        assert_shows(&s, ANSWER);
        assert_nothing_twice(&s, INCIDENTS);
        assert_no_secret(&s);
        stage_close(&s);
        tried++;
    }
    print_message("%zu faults of Slack's Web API: every job was answered\n", tried);
}

/* Calls take effect, and their answers break off. */
static void with_half_answers_for_a_while(struct stage *s, struct slack_front *front)
{
    set_faults(s, "sentry", "{\"latency_ms\":200}");
    char *id = type_command(s, INCIDENTS, "ORDERS-2Q");
    wait_until(s, is_acknowledged, id, "the acknowledgement");
    slack_front_api(front, FRONT_GOAWAY_MIDDLE, GOOD_S);
    pause_s(2);
    slack_front_api(front, FRONT_HTTP2, GOOD_S);
    wait_ended(s, 2);
    free(id);
}

/* Every answer is the last one of its connection: a load balancer that is being drained. */
static void over_http2_a_goaway_neither_loses_nor_repeats_a_message(void **state)
{
    struct stage_options options = { .scenario = "database-down", .no_bot = true };
    struct slack_front front = { 0 };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    s.config = write_config(&s, NULL, NULL);
    slack_front_start(&s, &front);
    slack_front_api(&front, FRONT_GOAWAY_AFTER, GOOD_S);
    stage_start_bot(&s);
    ask_and_wait(&s, "ORDERS-7F", 1);
    assert_shows(&s, ANSWER);

    if (everything())
        with_half_answers_for_a_while(&s, &front);
    assert_nothing_twice(&s, INCIDENTS);
    assert_no_secret(&s);
    close_both(&s, &front);
}

static void assert_job_is_done(struct stage *s)
{
    static const char *const list[] = { "jobs", "list", "--json", NULL };
    int code;
    char *out = stage_run(s, list, &code);

    assert_int_equal(code, 0);
    assert_non_null(strstr(out, "\"done\""));
    assert_null(strstr(out, "\"failed\""));
    free(out);
}

/* Somebody deleted the channel's message or the steps, or Slack will not have them changed. */
static void a_message_that_cannot_be_edited_does_not_cost_the_answer(void **state)
{
    static const char *const codes[] = { "message_not_found", "cant_update_message",
                                         "edit_window_closed" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct stage_options options = { .scenario = "database-down" };
        struct stage s;
        char *fault = xasprintf("{\"path\":\"chat.update\",\"error\":\"%s\"}", codes[i]);
        stage_open(&s, &options);
        set_faults(&s, "slack", fault);
        ask_and_wait(&s, s.short_id, 1);
        assert_shows(&s, "How I weighed it");
        assert_does_not_show(&s, "I could not");
        assert_job_is_done(&s);
        stage_close(&s);
        free(fault);
        if (!everything())
            break;
    }
}

/* The message is gone, and its thread with it. */
static void an_answer_without_a_place_is_told_to_who_asked(void **state)
{
    struct stage_options options = { .scenario = "database-down" };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    set_faults(&s, "slack",
               "{\"path\":\"chat.update\",\"error\":\"message_not_found\"},"
               "{\"path\":\"chat.postMessage\",\"skip\":1,\"error\":\"thread_not_found\"}");
    ask_and_wait(&s, s.short_id, 1);
    assert_shows(&s, "My message in this channel was deleted.");
    assert_shows(&s, "What I found about `ORDERS-7F`: The database server");
    assert_job_is_done(&s);
    stage_close(&s);
}

static bool person_was_told(struct stage *s, const void *arg)
{
    char *text = control_text(s, "/transcript?channel=D0RAINER01");
    bool told = strstr(text, arg) != NULL;

    free(text);
    return told;
}

/* The channel is archived while the job runs, and a mention has no other address. */
static void an_end_that_no_place_takes_comes_as_a_direct_message(void **state)
{
    struct stage_options options = { .scenario = "database-down" };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    set_faults(&s, "sentry", "{\"skip\":1,\"latency_ms\":500}");
    cJSON_Delete(control(&s, "/mention",
                         "{\"channel\":\"C0INCIDENT\",\"text\":\"<@U0DBCONN01> ORDERS-7F\"}"));
    wait_until(&s, transcript_has, "Looking into", "the channel's message");
    cJSON_Delete(control(&s, "/config", "{\"channel\":{\"id\":\"C0INCIDENT\",\"archived\":true}}"));
    wait_until(&s, job_has_ended, NULL, "the end of the job");
    wait_until(&s, person_was_told, "nobody can post here", "the direct message");
    stage_close(&s);
}

/* A word of Slack's that nobody knows yet, or a box between that speaks for it. */
static void a_refusal_that_nobody_knows_is_not_the_last_word(void **state)
{
    static const char *const refusals[] = { "\"error\":\"something_new\"", "\"status\":418" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        struct stage_options options = { .scenario = "database-down" };
        struct stage s;
        char *fault = xasprintf("{\"path\":\"chat.postMessage\",\"first\":1,%s},"
                                "{\"path\":\"chat.update\",\"first\":1,%s}",
                                refusals[i], refusals[i]);
        stage_open(&s, &options);
        set_faults(&s, "slack", fault);
        ask_and_wait(&s, s.short_id, 1);
        assert_shows(&s, "How I weighed it");
        assert_nothing_twice(&s, INCIDENTS);
        assert_job_is_done(&s);
        stage_close(&s);
        free(fault);
        if (!everything())
            break;
    }
}

/* auth.test: without its answer the bot cannot tell its own messages from others. */
static void who_it_is_is_asked_until_slack_says_so(void **state)
{
    static const char *const args[] = {
        "--faults", "{\"slack\":{\"path\":\"auth.test\",\"first\":2,\"error\":\"something_new\"}}",
        NULL
    };
    struct stage_options options = { .sandbox_args = args };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    wait_until(&s, log_has, "event=slack.auth team=", "who the bot is");
    stage_close(&s);
}

/* ---- the socket ---- */

static void an_expired_certificate_is_named_and_a_new_one_is_enough(void **state)
{
    struct stage_options options = { .scenario = "database-down", .no_bot = true };
    struct slack_front front = { 0 };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    s.config = write_config(&s, NULL, NULL);
    slack_front_start(&s, &front);
    slack_front_api(&front, FRONT_HTTP2, -60);
    slack_front_socket(&front, -60);
    stage_spawn_bot(&s);
    wait_until(&s, log_has, "no trusted TLS connection to localhost", "the Web API's refusal");
    assert_true(stage_log_has(&s, "expired"));
    slack_front_api(&front, FRONT_HTTP2, GOOD_S);
    wait_until(&s, log_has, "no trusted TLS connection to localhost: certificate has expired",
               "the socket's refusal");
    assert_false(is_connected(&s, NULL));
    slack_front_socket(&front, GOOD_S);
    wait_until(&s, is_connected, NULL, "the connection with a new certificate");
    ask_and_wait(&s, s.short_id, 1);
    assert_shows(&s, ANSWER);
    assert_no_secret(&s);
    close_both(&s, &front);
}

/* The connection is cut, and the first attempt at another one meets the fault. */
static void whatever_a_reconnect_meets_the_next_one_succeeds(void **state)
{
    size_t tried = 0;

    (void)state;
    for (size_t i = 0; i < n_faults; i++) {
        struct stage_options options = { .scenario = "database-down" };
        struct stage s;
        if (is_left_out(&faults[i], tried))
            continue;
        stage_open(&s, &options);
        set_slack_faults(&s, "\"path\":\"connections\\\\.open\",\"first\":1", faults[i].fault);
        cJSON_Delete(control(&s, "/disconnect", "{\"reason\":\"cut\"}"));
        wait_until(&s, is_connected, NULL, faults[i].name);
        char *id = type_command(&s, INCIDENTS, "status");
        wait_until(&s, is_acknowledged, id, faults[i].name);
        assert_no_secret(&s);
        stage_close(&s);
        free(id);
        tried++;
    }
    print_message("%zu faults of a reconnect: the bot came back\n", tried);
}

/* ---- the process ---- */

static bool is_asking_sentry(struct stage *s, const void *arg)
{
    (void)arg;
    return count_requests(s, "sentry") > 0;
}

/* Slack gives the connection up meanwhile, and delivers what nobody acknowledged again. */
static void stopped_with_a_job_running_it_goes_on_and_says_nothing_twice(void **state)
{
    struct stage_options options = { .scenario = "database-down" };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    set_faults(&s, "sentry", "{\"latency_ms\":300}");
    free(type_command(&s, INCIDENTS, "ORDERS-7F"));
    wait_until(&s, is_asking_sentry, NULL, "the first question to Sentry");
    kill(s.bot, SIGSTOP);
    char *id = type_command(&s, INCIDENTS, "ORDERS-2Q"); /* lies in the socket */
    pause_s(everything() ? 20 : 1);
    cJSON_Delete(control(&s, "/disconnect", "{\"reason\":\"cut\"}"));
    kill(s.bot, SIGCONT);
    wait_until(&s, jobs_have_ended, &(const int){ 2 }, "the ends of both jobs");
    wait_until(&s, is_acknowledged, id, "the acknowledgement of the second delivery");
    assert_nothing_twice(&s, INCIDENTS);
    assert_shows(&s, ANSWER); /* also when that was longer than limits.call_seconds */
    assert_no_secret(&s);
    stage_close(&s);
    free(id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_hangs_does_not_hold_up_the_others),
        cmocka_unit_test(whatever_slack_does_the_answer_comes_when_it_is_over),
        cmocka_unit_test(over_http2_a_goaway_neither_loses_nor_repeats_a_message),
        cmocka_unit_test(a_message_that_cannot_be_edited_does_not_cost_the_answer),
        cmocka_unit_test(an_answer_without_a_place_is_told_to_who_asked),
        cmocka_unit_test(an_end_that_no_place_takes_comes_as_a_direct_message),
        cmocka_unit_test(a_refusal_that_nobody_knows_is_not_the_last_word),
        cmocka_unit_test(who_it_is_is_asked_until_slack_says_so),
        cmocka_unit_test(an_expired_certificate_is_named_and_a_new_one_is_enough),
        cmocka_unit_test(whatever_a_reconnect_meets_the_next_one_succeeds),
        cmocka_unit_test(stopped_with_a_job_running_it_goes_on_and_says_nothing_twice),
    };

    cmocka_set_test_filter(getenv("ONLY"));
    return cmocka_run_group_tests_name("faults of Slack", tests, NULL, NULL);
}
