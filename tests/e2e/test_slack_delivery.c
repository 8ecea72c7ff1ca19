/* The socket and the Web API when they do not go smoothly. */
#include "harness.h"

#include <stdlib.h>

#include "dbconn/base/json.h"

static void a_command_delivered_twice_makes_one_job(void **state)
{
    static const char *const bodies[] = { "{\"envelope_id\":\"%s\"}",
                                          "{\"envelope_id\":\"%s\",\"new_id\":true}" };

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct stage_options options = { 0 };
        struct stage s;
        char *body;

        stage_open(&s, &options);
        char *id = type_command(&s, INCIDENTS, s.short_id);
        wait_until(&s, is_acknowledged, id, "the acknowledgement");
        body = i == 0 ? xasprintf("{\"envelope_id\":\"%s\"}", id)
                      : xasprintf("{\"envelope_id\":\"%s\",\"new_id\":true}", id);
        cJSON_Delete(control(&s, "/redeliver", body));
        wait_until(&s, job_has_ended, NULL, "the end of the job");
        assert_int_equal(count_envelopes_acked(&s), i == 0 ? 1 : 2);
        assert_nothing_twice(&s, INCIDENTS);
        free(body);
        free(id);
        stage_close(&s);
    }
}

static bool has_two_connections_been(struct stage *s, const void *arg)
{
    (void)arg;
    return count_calls(s, "apps.connections.open", 200) >= 2 && is_connected(s, NULL);
}

static bool has_one_connection(struct stage *s, const void *arg)
{
    cJSON *list = control(s, "/sockets", NULL);
    bool yes = cJSON_GetArraySize(list) == 1 && !cJSON_IsTrue(json_get(json_first(list), "ending"));

    (void)arg;
    cJSON_Delete(list);
    return yes;
}

static void after_a_renewal_commands_arrive_and_none_is_lost(void **state)
{
    struct stage_options options = { 0 };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    cJSON_Delete(control(&s, "/refresh", "{\"delay_ms\":300}"));
    char *during = type_command(&s, INCIDENTS, s.short_id);
    wait_until(&s, is_acknowledged, during, "the acknowledgement during the renewal");
    wait_until(&s, has_two_connections_been, NULL, "the second connection");
    wait_until(&s, has_one_connection, NULL, "the first connection's end");
    wait_until(&s, job_has_ended, NULL, "the end of the job");
    char *after = type_command(&s, INCIDENTS, "status");
    wait_until(&s, is_acknowledged, after, "the acknowledgement after the renewal");
    assert_nothing_twice(&s, INCIDENTS);
    assert_careful(&s);
    free(during);
    free(after);
    stage_close(&s);
}

static const char *const ends[] = {
    "{\"reason\":\"cut\"}",
    "{\"reason\":\"close\"}",
    "{\"reason\":\"refresh_requested\"}",
    "{\"reason\":\"something new\"}",
};

static void a_lost_connection_is_replaced(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct stage_options options = { 0 };
        struct stage s;

        stage_open(&s, &options);
        cJSON_Delete(control(&s, "/disconnect", ends[i]));
        wait_until(&s, has_two_connections_been, NULL, "the second connection");
        wait_until(&s, has_one_connection, NULL, "one connection");
        char *id = type_command(&s, INCIDENTS, "status");
        wait_until(&s, is_acknowledged, id, "an acknowledgement on the new connection");
        free(id);
        stage_close(&s);
    }
}

static void frames_that_are_no_envelopes_do_not_end_the_connection(void **state)
{
    static const char *const frames[] = {
        "{\"text\":\"UNAUTHENTICATED: cache_error\"}",
        "{\"text\":\"{\\\"type\\\":\\\"hello\\\"\"}",
        "{\"text\":\"{\\\"type\\\":\\\"no_such_type\\\",\\\"envelope_id\\\":\\\"x\\\"}\"}",
        "{\"text\":\"[1,2,3]\"}",
    };
    struct stage_options options = { 0 };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
        cJSON_Delete(control(&s, "/raw", frames[i]));
    char *id = type_command(&s, INCIDENTS, "status");
    wait_until(&s, is_acknowledged, id, "an acknowledgement");
    assert_int_equal(count_calls(&s, "apps.connections.open", 200), 1);
    free(id);
    stage_close(&s);
}

static void a_rate_limited_post_is_made_later_and_once(void **state)
{
    static const char *const limited[] = {
        "--faults",
        "{\"slack\":[{\"path\":\"chat.postMessage\",\"first\":2,\"status\":429,"
        "\"retry_after\":1}]}",
        NULL
    };
    struct stage_options options = { .sandbox_args = limited };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    char *id = type_command(&s, INCIDENTS, s.short_id);
    wait_until(&s, job_has_ended, NULL, "the end of the job");
    assert_shows(&s, "deploy/production.env");
    assert_nothing_twice(&s, INCIDENTS);
    assert_careful(&s);
    free(id);
    stage_close(&s);
}

/* Slack did it, and the answer did not say so: the message is there and must not come again. The
 * channel message and the progress meet one of these each. */
static void a_post_whose_answer_is_lost_is_found_and_not_repeated(void **state)
{
    static const char *const args[] = {
        "--faults",
        "{\"slack\":["
        "{\"path\":\"chat.postMessage\",\"first\":1,\"status\":500,\"after\":true},"
        "{\"path\":\"chat.postMessage\",\"skip\":1,\"first\":1,\"drop\":true,\"after\":true}"
        "]}",
        NULL,
    };
    static const struct stage_options options = { .sandbox_args = args };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    char *id = type_command(&s, INCIDENTS, s.short_id);
    wait_until(&s, job_has_ended, NULL, "the end of the job");
    assert_shows(&s, "deploy/production.env");
    assert_nothing_twice(&s, INCIDENTS);
    free(id);
    stage_close(&s);
}

static void a_stop_in_the_middle_of_a_job_is_orderly(void **state)
{
    static condition_fn *const moments[] = { is_connected, diagnosis_is_reached };

    (void)state;
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        struct stage_options options = { 0 };
        struct stage s;
        stage_open(&s, &options);
        char *id = type_command(&s, INCIDENTS, s.short_id);
        wait_until(&s, moments[i], NULL, "the moment to stop at");
        stage_stop_bot(&s);
        assert_nothing_twice(&s, INCIDENTS);
        free(id);
        stage_close(&s);
    }
}

/* The channel message and the progress are edited for the last time; where the machine is so slow
 * that this goes by unseen, the job's end has to do. */
static bool last_edits_are_on_their_way(struct stage *s, const void *arg)
{
    cJSON *counts = control(s, "/counts", NULL);
    int64_t under_way = 0;

    (void)arg;
    (void)json_i64(json_get(counts, "slack"), "under_way", &under_way);
    cJSON_Delete(counts);
    return (under_way == 2 && count_calls(s, "chat.update", 200) >= 2 &&
            count_messages(s, INCIDENTS) == 4) ||
           job_has_ended(s, NULL);
}

static void a_stop_while_the_last_edits_are_on_their_way_ends_the_job(void **state)
{
    static const char *const slow_edits[] = {
        "--faults", "{\"slack\":[{\"path\":\"chat.update\",\"latency_ms\":1000}]}", NULL
    };
    static const struct stage_options options = { .sandbox_args = slow_edits };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    char *id = type_command(&s, INCIDENTS, s.short_id);
    wait_until(&s, last_edits_are_on_their_way, NULL, "the last edits");
    stage_stop_bot(&s);
    stage_start_bot(&s); /* what the first did not bring to its end */
    wait_until(&s, job_has_ended, NULL, "the end of the job");
    assert_shows(&s, "deploy/production.env");
    assert_nothing_twice(&s, INCIDENTS);
    free(id);
    stage_close(&s);
}

static const struct {
    const char *channel, *what;
} closed[] = {
    { "C0HIDDEN01", "a private channel without the bot" },
    { "C0ARCHIVED", "an archived channel" },
    { "D0PEOPLE01", "a conversation of two people" },
};

static bool person_was_answered(struct stage *s, const void *arg)
{
    char *path = xasprintf("/state?channel=%s", (const char *)arg);
    cJSON *state = control(s, path, NULL);
    int answers = 0;

    for (const cJSON *m = json_items(state, "messages"); m; m = m->next)
        answers += json_str(m, "shown_to") != NULL;
    cJSON_Delete(state);
    free(path);
    return answers >= 1;
}

static void where_the_bot_may_not_write_the_person_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++) {
        struct stage_options options = { 0 };
        struct stage s;

        stage_open(&s, &options);
        char *id = type_command(&s, closed[i].channel, s.short_id);
        wait_until(&s, is_acknowledged, id, closed[i].what);
        wait_until(&s, person_was_answered, closed[i].channel, closed[i].what);
        assert_int_equal(count_messages(&s, closed[i].channel), 0);
        free(id);
        stage_close(&s);
    }
}

static void a_revoked_token_ends_the_program_with_a_reason(void **state)
{
    struct stage_options options = { .no_bot = true };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    cJSON_Delete(control(&s, "/config",
                         "{\"app_token_error\":\"token_revoked\","
                         "\"bot_token_error\":\"token_revoked\"}"));
    stage_spawn_bot(&s);
    assert_int_not_equal(stage_wait_bot(&s), 0);
    assert_true(stage_log_has(&s, "token_revoked"));
    assert_no_secret(&s);
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_delivered_twice_makes_one_job),
        cmocka_unit_test(after_a_renewal_commands_arrive_and_none_is_lost),
        cmocka_unit_test(a_lost_connection_is_replaced),
        cmocka_unit_test(frames_that_are_no_envelopes_do_not_end_the_connection),
        cmocka_unit_test(a_rate_limited_post_is_made_later_and_once),
        cmocka_unit_test(a_post_whose_answer_is_lost_is_found_and_not_repeated),
        cmocka_unit_test(a_stop_in_the_middle_of_a_job_is_orderly),
        cmocka_unit_test(a_stop_while_the_last_edits_are_on_their_way_ends_the_job),
        cmocka_unit_test(where_the_bot_may_not_write_the_person_is_told),
        cmocka_unit_test(a_revoked_token_ends_the_program_with_a_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
