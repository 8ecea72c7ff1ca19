/* Whole jobs in Slack: what a person types, what the channel shows. */
#include "harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dbconn/base/json.h"

static const struct {
    const char *scenario, *cause, *shown;
} causes[] = {
    { "deployment-config-change", "deployment_config_change", "deploy/production.env" },
    { "deployment-regression", "deployment_regression", "payments@5.12.0" },
    { "database-down", "database_down", "db-orders.lighthouse.example" },
    { "database-restart", "database_restart", "db-orders.lighthouse.example" },
    { "network-connectivity", "network_connectivity", "db-search.lighthouse.example" },
    { "connection-pool-exhaustion", "connection_pool_exhaustion", "too many clients" },
    { "regional-network", "regional_network", "us-east-1" },
    { "broader-deployment-incident", "broader_deployment_incident", "10.40.0.5" },
    { "inconclusive", "inconclusive", "10.20.3.4" },
    { "not-applicable", "not_applicable", "inventory-api" },
};

static void run_to_the_end(struct stage *s, const char *issue)
{
    char *id = type_command(s, INCIDENTS, issue);

    wait_until(s, is_acknowledged, id, "the acknowledgement");
    wait_until(s, job_has_ended, NULL, "the end of the job");
    free(id);
}

/* The whole job of one scenario; is its cause the one that the bot found? */
static bool finds(const char *scenario, const char *cause, const char *shown)
{
    struct stage_options options = { .scenario = scenario };
    char *wanted = xasprintf("cause=\"%s\"", cause);
    struct stage s;
    bool found;

    stage_open(&s, &options);
    run_to_the_end(&s, s.short_id);
    found = stage_log_has(&s, wanted);
    if (!found)
        print_message("%s: not found to be %s\n", scenario, cause);
    assert_shows(&s, shown);
    assert_careful(&s);
    assert_nothing_twice(&s, INCIDENTS);
    stage_close(&s);
    free(wanted);
    return found;
}

static void each_cause_is_found(void **state)
{
    int missed = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
        missed += !finds(causes[i].scenario, causes[i].cause, causes[i].shown);
    assert_int_equal(missed, 0);
}

/* Messages of the bot that everybody sees without opening a thread. */
static int count_roots(struct stage *s)
{
    cJSON *channel = control(s, "/state?channel=" INCIDENTS, NULL);
    int n = 0;

    for (const cJSON *m = json_items(channel, "messages"); m; m = m->next)
        n += json_str(m, "bot_id") && !json_str(m, "shown_to") && !json_str(m, "parent_user_id");
    cJSON_Delete(channel);
    return n;
}

static void the_channel_gets_one_message_and_its_thread_the_rest(void **state)
{
    struct stage_options options = { 0 };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    run_to_the_end(&s, s.short_id);
    assert_int_equal(count_roots(&s), 1);
    assert_true(count_messages(&s, INCIDENTS) >= 3);
    assert_shows(&s, "SHOP-1A2");
    assert_no_secret(&s);
    stage_close(&s);
}

static void every_part_carries_its_metadata(void **state)
{
    struct stage_options options = { 0 };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    run_to_the_end(&s, s.short_id);
    cJSON *channel = control(&s, "/state?channel=" INCIDENTS, NULL);
    for (const cJSON *m = json_items(channel, "messages"); m; m = m->next)
        if (json_str(m, "bot_id") && !json_str(m, "shown_to"))
            assert_non_null(json_get(m, "metadata"));
    cJSON_Delete(channel);
    stage_close(&s);
}

static void a_numeric_id_and_a_url_are_the_same_issue(void **state)
{
    static const char *const forms[] = {
        "5333312019",
        "https://lighthouse.sentry.io/issues/5333312019/?project=1 please",
        "shop-1a2",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        const char *env[] = { NULL };
        struct stage_options options = { .bot_env = env };
        struct stage s;
        stage_open(&s, &options);
        char *id = type_command(&s, INCIDENTS, forms[i]);
        wait_until(&s, is_acknowledged, id, "the acknowledgement");
        free(id);
        /* A URL of sentry.io is not this sandbox's host: it may be refused, with a reason. */
        if (forms[i][0] != 'h') {
            wait_until(&s, job_has_ended, NULL, "the end of the job");
            assert_shows(&s, "SHOP-1A2");
        }
        stage_close(&s);
    }
}

static void an_unknown_issue_is_said_to_be_unknown(void **state)
{
    struct stage_options options = { 0 };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    run_to_the_end(&s, "SHOP-ZZZ9");
    assert_shows(&s, "SHOP-ZZZ9");
    assert_true(stage_log_has(&s, "404") || stage_log_has(&s, "not_found") ||
                stage_log_has(&s, "not found"));
    assert_careful(&s);
    stage_close(&s);
}

static void what_is_no_issue_gets_an_answer_and_no_job(void **state)
{
    static const char *const typed[] = { "what is this?", "help", "status", "" };
    struct stage_options options = { 0 };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
        char *id = type_command(&s, INCIDENTS, typed[i]);
        wait_until(&s, is_acknowledged, id, "the acknowledgement");
        free(id);
    }
    assert_int_equal(count_messages(&s, INCIDENTS), 0);
    assert_int_equal(count_requests(&s, "sentry"), 0);
    assert_shows(&s, "/dbconn");
    assert_careful(&s);
    stage_close(&s);
}

static void a_second_command_for_a_running_issue_leads_to_its_thread(void **state)
{
    static const char *const slow[] = { "--faults", "{\"sentry\":[{\"latency_ms\":400}]}", NULL };
    struct stage_options options = { .sandbox_args = slow };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    char *first = type_command(&s, INCIDENTS, s.short_id);
    wait_until(&s, transcript_has, "SHOP-1A2", "the first message");
    char *second = type_command(&s, INCIDENTS, s.short_id);
    wait_until(&s, is_acknowledged, second, "the second acknowledgement");
    wait_until(&s, jobs_have_ended, &(const int){ 2 }, "the ends of both jobs");
    assert_nothing_twice(&s, INCIDENTS);
    assert_int_equal(count_roots(&s), 1);
    free(first);
    free(second);
    stage_close(&s);
}

static bool both_have_started(struct stage *s, const void *arg)
{
    (void)arg;
    return count_in_log(s, "event=job.start ") == 2 && count_requests(s, "sentry") > 0;
}

/* Both wait for Sentry to say which issue it is, and for three seconds at most before they show
 * themselves; a process that stood still did not wait. */
static void a_stop_does_not_make_two_threads_of_one_issue(void **state)
{
    static const char *const slow[] = { "--faults", "{\"sentry\":[{\"latency_ms\":1500}]}", NULL };
    struct stage_options options = { .sandbox_args = slow };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    free(type_command(&s, INCIDENTS, s.short_id));
    free(type_command(&s, INCIDENTS, s.short_id));
    wait_until(&s, both_have_started, NULL, "the start of both jobs");
    kill(s.bot, SIGSTOP);
    sleep(5);
    kill(s.bot, SIGCONT);
    wait_until(&s, jobs_have_ended, &(const int){ 2 }, "the ends of both jobs");
    assert_int_equal(count_roots(&s), 1);
    stage_close(&s);
}

/* Nobody knows then that it is the same issue; whoever follows the second is led to the first. */
static void two_threads_of_one_issue_become_one_when_sentry_is_slow(void **state)
{
    static const char *const slow[] = {
        "--faults", "{\"sentry\":[{\"path\":\"/issues/[^/]+/$\",\"latency_ms\":8000}]}", NULL
    };
    struct stage_options options = { .sandbox_args = slow };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    free(type_command(&s, INCIDENTS, s.short_id));
    free(type_command(&s, INCIDENTS, "5333312019"));
    wait_until(&s, jobs_have_ended, &(const int){ 2 }, "the ends of both jobs");
    assert_int_equal(count_roots(&s), 2);
    assert_shows(&s, "The same issue is under investigation already. Follow it in");
    assert_int_equal(count_in_log(&s, "event=job.diagnosis "), 1);
    assert_nothing_twice(&s, INCIDENTS);
    stage_close(&s);
}

static bool releases_are_asked(struct stage *s, const void *arg)
{
    char *log = control_text(s, "/log?service=sentry");
    bool found = strstr(log, "/releases/?project=") != NULL;

    (void)arg;
    free(log);
    return found;
}

/* The events never come; only after many seconds is that an outcome. */
static void the_releases_are_asked_for_while_the_events_are_read(void **state)
{
    static const char *const slow[] = {
        "--faults", "{\"sentry\":[{\"path\":\"/events/\",\"latency_ms\":600000}]}", NULL
    };
    static const char *const env[] = { "DBCONN_LOG_LEVEL=debug", NULL };
    struct stage_options options = { .sandbox_args = slow, .bot_env = env };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    free(type_command(&s, INCIDENTS, s.short_id));
    wait_until(&s, releases_are_asked, NULL, "the list of releases");
    assert_true(stage_log_has(&s, "step=\"issue_details\""));
    assert_false(stage_log_has(&s, "step=\"event_analysis\""));
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cause_is_found),
        cmocka_unit_test(the_channel_gets_one_message_and_its_thread_the_rest),
        cmocka_unit_test(every_part_carries_its_metadata),
        cmocka_unit_test(a_numeric_id_and_a_url_are_the_same_issue),
        cmocka_unit_test(an_unknown_issue_is_said_to_be_unknown),
        cmocka_unit_test(what_is_no_issue_gets_an_answer_and_no_job),
        cmocka_unit_test(a_second_command_for_a_running_issue_leads_to_its_thread),
        cmocka_unit_test(a_stop_does_not_make_two_threads_of_one_issue),
        cmocka_unit_test(two_threads_of_one_issue_become_one_when_sentry_is_slow),
        cmocka_unit_test(the_releases_are_asked_for_while_the_events_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
