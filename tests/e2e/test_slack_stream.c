/* slack.progress "stream": the steps as one of Slack's message streams, and what becomes of it. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "dbconn/base/json.h"

#define SLOW "\"sentry\":[{\"latency_ms\":600}]"

static const char *const streamed[] = { "DBCONN_SLACK_PROGRESS=stream", NULL };

/* One message of the thread holds the plan, finished, and is no stream any more. */
static void assert_one_finished_plan(struct stage *s)
{
    cJSON *channel = control(s, "/state?channel=" INCIDENTS, NULL);
    int plans = 0;

    for (const cJSON *m = json_items(channel, "messages"); m; m = m->next)
        for (const cJSON *b = json_items(m, "blocks"); b; b = b->next) {
            if (strcmp(json_str_or(b, "type", ""), "plan") != 0)
                continue;
            plans++;
            assert_non_null(strstr(json_str_or(b, "title", ""), "8 of 8 steps done"));
            assert_non_null(json_get(m, "metadata"));
            assert_non_null(strstr(json_str_or(m, "text", ""), "1. Issue details: done."));
            for (const cJSON *t = json_items(b, "tasks"); t; t = t->next)
                assert_string_equal(json_str_or(t, "status", ""), "complete");
        }
    cJSON_Delete(channel);
    assert_int_equal(plans, 1);
    assert_nothing_twice(s, INCIDENTS);
    assert_shows(s, "How I weighed it");
}

static void run_to_the_end(struct stage *s)
{
    free(type_command(s, INCIDENTS, s->short_id));
    wait_until(s, job_has_ended, NULL, "the end of the job");
}

static void the_steps_are_streamed_and_the_stream_is_stopped(void **state)
{
    static const char *const slow[] = { "--faults", "{" SLOW "}", NULL };
    struct stage_options options = { .bot_env = streamed, .sandbox_args = slow };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    run_to_the_end(&s);
    assert_int_equal(count_calls(&s, "chat.startStream", 200), 1);
    assert_true(count_calls(&s, "chat.appendStream", 200) >= 1);
    assert_int_equal(count_calls(&s, "chat.stopStream", 200), 1);
    assert_one_finished_plan(&s);
    assert_careful(&s);
    stage_close(&s);
}

static void nothing_is_streamed_unless_it_is_wanted(void **state)
{
    struct stage_options options = { 0 };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    run_to_the_end(&s);
    assert_int_equal(count_calls(&s, "chat.startStream", 0), 0); /* the default is a plan */
    stage_close(&s);
}

static void a_stream_that_slack_seals_goes_on_as_edits(void **state)
{
    static const char *const slow[] = { "--faults", "{" SLOW "}", NULL };
    struct stage_options options = { .bot_env = streamed, .sandbox_args = slow };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    cJSON_Delete(control(&s, "/config", "{\"stream_life_ms\":100}"));
    run_to_the_end(&s);
    assert_int_equal(count_calls(&s, "chat.startStream", 0), 1);
    assert_true(stage_log_has(&s, "thread.stream_ended"));
    assert_one_finished_plan(&s);
    stage_close(&s);
}

static void where_there_are_no_streams_the_plan_is_posted(void **state)
{
    static const char *const none[] = {
        "--faults", "{\"slack\":[{\"path\":\"chat.startStream\",\"error\":\"unknown_method\"}]}",
        NULL
    };
    struct stage_options options = { .bot_env = streamed, .sandbox_args = none };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    run_to_the_end(&s);
    assert_true(stage_log_has(&s, "thread.no_stream"));
    assert_one_finished_plan(&s);
    stage_close(&s);
}

/* The answer to each call of a stream is lost once, after it took effect. */
static void a_lost_answer_leaves_one_plan(void **state)
{
    static const char *const methods[] = { "appendStream", "stopStream", "startStream" };
    size_t n = getenv("E2E_ALL") ? 3 : 2; /* what is looked for takes its time */

    (void)state;
    for (size_t i = 0; i < n; i++) {
        char *fault = xasprintf("{" SLOW ",\"slack\":[{\"path\":\"chat.%s\",\"first\":1,"
                                "\"drop\":true,\"after\":true}]}",
                                methods[i]);
        const char *args[] = { "--faults", fault, NULL };
        struct stage_options options = { .bot_env = streamed, .sandbox_args = args };
        struct stage s;
        stage_open(&s, &options);
        run_to_the_end(&s);
        assert_one_finished_plan(&s);
        stage_close(&s);
        free(fault);
    }
}

/* Killed with the stream open: the next process stops it and finishes the plan. */
static void a_kill_leaves_no_open_stream(void **state)
{
    static const char *const allow[] = { "--allow-kill", NULL };
    struct stage_options options = { .bot_env = streamed, .sandbox_args = allow };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    char *fault = xasprintf("{" SLOW ",\"slack\":[{\"path\":\"chat.appendStream\",\"first\":1,"
                            "\"after\":true,\"kill\":%d}]}",
                            (int)s.bot);
    cJSON_Delete(control(&s, "/faults", fault));
    free(type_command(&s, INCIDENTS, s.short_id));
    assert_int_not_equal(stage_wait_bot(&s), 0);
    stage_start_bot(&s);
    wait_until(&s, job_has_ended, NULL, "the end of the job");
    assert_one_finished_plan(&s);
    free(fault);
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_steps_are_streamed_and_the_stream_is_stopped),
        cmocka_unit_test(nothing_is_streamed_unless_it_is_wanted),
        cmocka_unit_test(a_stream_that_slack_seals_goes_on_as_edits),
        cmocka_unit_test(where_there_are_no_streams_the_plan_is_posted),
        cmocka_unit_test(a_lost_answer_leaves_one_plan),
        cmocka_unit_test(a_kill_leaves_no_open_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
