/* /metrics, /healthz and /readyz of the built program, asked while it works and while it cannot. */
#include "harness.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

static const char *const monitored[] = { "DBCONN_METRICS_LISTEN=127.0.0.1:0", NULL };

/* ---- asking ---- */

static char *metrics_of(struct stage *s)
{
    char *body, *type;

    assert_int_equal(monitor_get(s, "/metrics", &body, &type), 200);
    assert_string_equal(type, "text/plain; version=0.0.4; charset=utf-8");
    free(type);
    return body;
}

/* The value of the line that begins with `series`, or -1. */
static double value_of(const char *text, const char *series)
{
    size_t len = strlen(series);

    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, series, len) == 0 && line[len] == ' ')
            return strtod(line + len, NULL);
    }
    return -1;
}

/* ---- conditions ---- */

struct expected {
    const char *series;
    double at_least;
};

static bool metric_reaches(struct stage *s, const void *arg)
{
    const struct expected *e = arg;
    char *text = metrics_of(s);
    bool yes = value_of(text, e->series) >= e->at_least;

    free(text);
    return yes;
}

/* ---- tests ---- */

static void a_bot_that_works_is_ready_and_counts_what_it_did(void **state)
{
    static const struct expected figures[] = {
        { "dbconn_slack_connections", 1 },
        { "dbconn_slack_hellos_total", 1 },
        { "dbconn_slack_envelopes_total", 1 },
        { "dbconn_slack_ack_duration_seconds_count{type=\"slash_commands\"}", 1 },
        { "dbconn_slack_ack_duration_seconds_bucket{type=\"slash_commands\",le=\"+Inf\"}", 1 },
        { "dbconn_slack_last_hello_timestamp_seconds", 1.7e9 },
        { "dbconn_slack_last_heard_timestamp_seconds", 1.7e9 },
        { "dbconn_step_duration_seconds_count{step=\"issue_details\",status=\"complete\"}", 1 },
        { "dbconn_job_duration_seconds_count{state=\"done\",source=\"slash\"}", 1 },
        { "dbconn_job_wait_seconds_count{source=\"slash\"}", 1 },
        { "dbconn_service_call_duration_seconds_count{service=\"sentry\",outcome=\"ok\"}", 5 },
        { "dbconn_service_call_duration_seconds_count{service=\"slack\",outcome=\"ok\"}", 2 },
        { "dbconn_service_wait_seconds_count{service=\"sentry\"}", 5 },
        { "dbconn_service_requests_total{service=\"github\"}", 1 },
        { "dbconn_store_commit_duration_seconds_count", 5 },
        { "dbconn_store_up", 1 },
        { "dbconn_queue_jobs{state=\"queued\"}", 0 },
        { "dbconn_queue_jobs{state=\"done\"}", 1 },
        { "dbconn_queue_oldest_waiting_age_seconds", 0 },
        { "dbconn_diagnoses_total{cause=\"deployment_config_change\",confidence=\"high\"}", 1 },
        { "dbconn_credential_good{service=\"slack\"}", 1 },
        { "dbconn_credential_good{service=\"sentry\"}", 1 },
        { "process_resident_memory_bytes", 1e6 },
        { "process_open_fds", 5 },
        { "process_start_time_seconds", 1.7e9 },
    };
    struct stage_options options = { .bot_env = monitored };
    struct stage s;
    char *body;

    (void)state;
    stage_open(&s, &options);
    wait_until(&s, readiness_says, "ready=true", "readiness");
    assert_int_equal(monitor_get(&s, "/healthz", &body, NULL), 200);
    assert_string_equal(body, "ok\n");
    free(body);
    assert_int_equal(monitor_get(&s, "/elsewhere", &body, NULL), 404);
    free(body);
    char *id = type_command(&s, INCIDENTS, s.short_id);
    wait_until(&s, job_has_ended, NULL, "the end of the job");
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
        wait_until(&s, metric_reaches, &figures[i], figures[i].series);
    char *text = metrics_of(&s);
    assert_null(strstr(text, s.short_id)); /* no issue, no channel: nothing without bounds */
    assert_null(strstr(text, INCIDENTS));
    free(text);
    assert_no_secret(&s);
    free(id);
    stage_close(&s);
}

/* Prometheus' own tool (Debian: prometheus) reads the answer, where it is installed. */
static void promtool_has_nothing_to_say_against_the_metrics(void **state)
{
    struct stage_options options = { .bot_env = monitored };
    struct stage s;

    (void)state;
    if (system("command -v promtool >/dev/null") != 0) {
        skip();
        return;
    }
    stage_open(&s, &options);
    char *id = type_command(&s, INCIDENTS, s.short_id);
    wait_until(&s, job_has_ended, NULL, "the end of the job");
    char *text = metrics_of(&s);
    FILE *tool = popen("promtool check metrics", "w");
    assert_non_null(tool);
    fputs(text, tool);
    assert_int_equal(pclose(tool), 0);
    free(text);
    free(id);
    stage_close(&s);
}

static void without_the_setting_it_listens_nowhere(void **state)
{
    struct stage_options options = { 0 };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    assert_false(stage_log_has(&s, "event=metrics.listen"));
    stage_close(&s);
}

static void a_lost_connection_is_told_until_it_is_back(void **state)
{
    static const struct expected again = { "dbconn_slack_reconnects_total", 1 };
    static const struct expected failures = { "dbconn_slack_connect_failures_total", 1 };
    struct stage_options options = { .bot_env = monitored };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    wait_until(&s, readiness_says, "ready=true", "readiness");
    cJSON_Delete(control(&s, "/faults",
                         "{\"slack\":[{\"path\":\"apps.connections.open\",\"status\":500}]}"));
    cJSON_Delete(control(&s, "/disconnect", "{\"reason\":\"cut\"}"));
    wait_until(&s, readiness_says, "slack.ok=false", "the loss");
    wait_until(&s, metric_reaches, &failures, "the count of failures");
    cJSON_Delete(control(&s, "/faults", "{\"slack\":[]}"));
    wait_until(&s, readiness_says, "ready=true", "the next connection");
    wait_until(&s, metric_reaches, &again, "the count of reconnects");
    stage_close(&s);
}

static void a_store_that_cannot_commit_is_told(void **state)
{
    static const struct expected down = { "dbconn_store_call_failures_total", 1 };
    struct stage_options options = { .bot_env = monitored };
    struct stage s;
    sqlite3 *writer;

    (void)state;
    stage_open(&s, &options);
    wait_until(&s, readiness_says, "store.ok=true", "readiness");
    /* A writer of another process holds the store's lock for as long as it likes. */
    char *path = xasprintf("%s/dbconn.db", s.dir);
    assert_int_equal(sqlite3_open(path, &writer), SQLITE_OK);
    sqlite3_busy_timeout(writer, DEADLINE_MS);
    assert_int_equal(sqlite3_exec(writer, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    wait_until(&s, readiness_says, "store.ok=false", "the trouble");
    wait_until(&s, metric_reaches, &down, "the count of failures");
    assert_int_equal(sqlite3_exec(writer, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(writer);
    wait_until(&s, readiness_says, "ready=true", "readiness once it commits again");
    free(path);
    stage_close(&s);
}

static void a_credential_that_sentry_refuses_is_told(void **state)
{
    static const char *const wrong[] = { "DBCONN_METRICS_LISTEN=0", "SENTRY_AUTH_TOKEN=wrong",
                                         NULL };
    static const struct expected refused = { "dbconn_credential_good{service=\"sentry\"}", 0 };
    struct stage_options options = { .bot_env = wrong };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    wait_until(&s, readiness_says, "credentials.sentry.state=\"refused\"", "the refusal");
    wait_until(&s, readiness_says, "ready=false", "that it is not ready");
    wait_until(&s, metric_reaches, &refused, "the metric");
    stage_close(&s);
}

static void a_port_that_is_taken_ends_the_start_with_a_sentence(void **state)
{
    struct stage_options options = { .no_bot = true };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    /* The sandbox listens there. */
    json_put_str(s.env, "DBCONN_METRICS_LISTEN", strstr(s.control, "//") + 2);
    stage_spawn_bot(&s);
    assert_int_equal(stage_wait_bot(&s), 1);
    assert_true(stage_log_has(&s, "metrics.listen: cannot listen at 127.0.0.1:"));
    assert_true(stage_log_has(&s, "the port is taken"));
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bot_that_works_is_ready_and_counts_what_it_did),
        cmocka_unit_test(promtool_has_nothing_to_say_against_the_metrics),
        cmocka_unit_test(without_the_setting_it_listens_nowhere),
        cmocka_unit_test(a_lost_connection_is_told_until_it_is_back),
        cmocka_unit_test(a_store_that_cannot_commit_is_told),
        cmocka_unit_test(a_credential_that_sentry_refuses_is_told),
        cmocka_unit_test(a_port_that_is_taken_ends_the_start_with_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
