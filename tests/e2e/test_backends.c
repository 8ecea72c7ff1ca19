/* Backends that are missing, slow, wrong or rude: the answer says what could not be looked at. */
#include "harness.h"

#include <stdlib.h>

static void run_until(const char *const *args, condition_fn *condition, struct stage *s)
{
    struct stage_options options = { .sandbox_args = args };

    stage_open(s, &options);
    char *id = type_command(s, INCIDENTS, s->short_id);
    wait_until(s, is_acknowledged, id, "the acknowledgement");
    wait_until(s, condition, NULL, "the end");
    free(id);
}

static void run_with(const char *const *args, struct stage *s)
{
    run_until(args, job_has_ended, s);
}

static void without_github_the_release_is_still_named(void **state)
{
    static const char *const args[] = { "--without", "github", NULL };
    struct stage s;

    (void)state;
    run_with(args, &s);
    assert_shows(&s, "shop@2.42.0");
    assert_shows(&s, "GitHub");
    assert_careful(&s);
    stage_close(&s);
}

static void without_elasticsearch_the_cause_stays(void **state)
{
    static const char *const args[] = { "--without", "elasticsearch", NULL };
    struct stage s;

    (void)state;
    run_with(args, &s);
    assert_true(stage_log_has(&s, "cause=\"deployment_config_change\""));
    assert_shows(&s, "Elasticsearch");
    assert_careful(&s);
    stage_close(&s);
}

static void without_sentry_the_thread_says_so(void **state)
{
    static const char *const args[] = { "--without", "sentry", NULL };
    struct stage s;

    (void)state;
    run_with(args, &s);
    assert_shows(&s, "Sentry");
    assert_false(stage_log_has(&s, "event=job.diagnosis"));
    stage_close(&s);
}

static const struct {
    const char *faults, *what;
} passing[] = {
    { "{\"sentry\":[{\"status\":503,\"first\":2}]}", "Sentry is away for a moment" },
    { "{\"sentry\":[{\"status\":429,\"first\":1}]}", "Sentry limits" },
    { "{\"github\":[{\"status\":502,\"first\":1}]}", "GitHub answers 502 once" },
    { "{\"elasticsearch\":[{\"status\":429,\"first\":1}]}", "Elasticsearch rejects once" },
    { "{\"sentry\":[{\"drop\":true,\"first\":1}]}", "a connection is cut" },
    { "{\"sentry\":[{\"latency_ms\":150}],\"github\":[{\"latency_ms\":150}],"
      "\"elasticsearch\":[{\"latency_ms\":150}]}",
      "everything is slow" },
    { "{\"sentry\":[{\"path\":\"/events/latest\",\"drip_ms\":1,\"drip_bytes\":512}]}",
      "an answer drips" },
};

static void a_passing_fault_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
        const char *args[] = { "--faults", passing[i].faults, NULL };
        struct stage s;
        run_until(args, diagnosis_is_reached, &s);
        if (!stage_log_has(&s, "cause=\"deployment_config_change\""))
            print_message("%s: another cause\n", passing[i].what);
        assert_true(stage_log_has(&s, "cause=\"deployment_config_change\""));
        stage_kill_bot(&s); /* how the rest is posted is not the question here */
        stage_close(&s);
    }
}

static const struct {
    const char *faults, *what;
} lasting[] = {
    { "{\"elasticsearch\":[{\"status\":403}]}", "the logs are forbidden" },
    { "{\"elasticsearch\":[{\"malformed\":true}]}", "the logs answer broken JSON" },
    { "{\"elasticsearch\":[{\"html\":true,\"status\":502}]}", "a proxy answers" },
    { "{\"elasticsearch\":[{\"huge\":60000000}]}", "the logs answer 60 MB" },
    { "{\"github\":[{\"status\":401}]}", "GitHub's token is bad" },
    { "{\"github\":[{\"truncate\":true}]}", "GitHub's answers are cut" },
    { "{\"sentry\":[{\"path\":\"/tags/\",\"status\":500}]}", "Sentry's tags fail" },
    { "{\"sentry\":[{\"path\":\"/releases/\",\"status\":403}]}", "releases are forbidden" },
};

static void a_lasting_fault_costs_a_step_and_not_the_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]); i++) {
        const char *args[] = { "--faults", lasting[i].faults, NULL };
        struct stage s;
        print_message("%s\n", lasting[i].what);
        run_until(args, diagnosis_is_reached, &s);
        assert_careful(&s);
        stage_kill_bot(&s);
        stage_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_github_the_release_is_still_named),
        cmocka_unit_test(without_elasticsearch_the_cause_stays),
        cmocka_unit_test(without_sentry_the_thread_says_so),
        cmocka_unit_test(a_passing_fault_changes_nothing),
        cmocka_unit_test(a_lasting_fault_costs_a_step_and_not_the_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
