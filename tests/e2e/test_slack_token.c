/* Slack withdraws a token while jobs run. */
#include "harness.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dbconn/base/json.h"

/*
 * A job that stands still until the test lets it go: its logs are at an address that takes
 * connections and says nothing. The times are longer than any machine takes to get there.
 */
struct scene {
    struct stage s;
    int silent; /* listens there */
    char *logs;
    const char *env[3];
};

static int listen_somewhere(char **ret_variable)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *ret_variable = xasprintf("ELASTICSEARCH_URL=http://127.0.0.1:%d", ntohs(at.sin_port));
    return fd;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* Up to a job that waits for its logs, and another one that waits for its turn. */
static void open_scene(struct scene *scene)
{
    *scene = (struct scene){ .env = { NULL, "DBCONN_METRICS_LISTEN=127.0.0.1:0" } };
    scene->silent = listen_somewhere(&scene->logs);
    scene->env[0] = scene->logs;
    stage_open(&scene->s, &(struct stage_options){ .bot_env = scene->env, .no_bot = true });
    scene->s.config = xasprintf("%s/dbconn.json", scene->s.dir);
    write_file(scene->s.config, "{\"queue\": {\"max_running\": 1}, \"limits\": "
                                "{\"call_seconds\": 600, \"step_seconds\": 600, "
                                "\"job_seconds\": 600}}");
    stage_start_bot(&scene->s);
    char *running = type_command(&scene->s, INCIDENTS, scene->s.short_id);
    wait_until(&scene->s, transcript_has, "7 of 8 steps done", "the wait for the logs");
    char *queued = type_command(&scene->s, INCIDENTS, "SHOP-NONE");
    wait_until(&scene->s, is_acknowledged, queued, "the second command");
    free(running);
    free(queued);
}

static void let_it_go(struct scene *scene)
{
    close(scene->silent); /* what waits there is reset, what comes is refused */
    scene->silent = -1;
}

static void close_scene(struct scene *scene)
{
    if (scene->silent >= 0)
        close(scene->silent);
    stage_close(&scene->s);
    free(scene->logs);
}

static void withdraw(struct scene *scene, const char *config)
{
    cJSON_Delete(control(&scene->s, "/config", config));
    cJSON_Delete(control(&scene->s, "/disconnect", "{\"reason\":\"cut\"}"));
}

/* With good tokens again: everything that was asked gets its end. */
static void start_again(struct scene *scene)
{
    static const int both = 2;

    cJSON_Delete(
        control(&scene->s, "/config", "{\"app_token_error\":null,\"bot_token_error\":null}"));
    stage_start_bot(&scene->s);
    wait_until(&scene->s, jobs_have_ended, &both, "the ends of both jobs");
    assert_shows(&scene->s, "deploy/production.env");
    assert_nothing_twice(&scene->s, INCIDENTS);
    assert_no_secret(&scene->s);
}

static void without_its_app_token_it_finishes_what_runs_and_ends(void **state)
{
    static const int one = 1;
    struct scene scene;

    (void)state;
    open_scene(&scene);
    withdraw(&scene, "{\"app_token_error\":\"token_revoked\"}");
    wait_until(&scene.s, log_has, "event=bot.finishing ", "the word about it");
    wait_until(&scene.s, readiness_says, "ready=false", "that it is not ready");
    wait_until(&scene.s, readiness_says, "stopping=true", "that it takes nothing more");
    assert_false(jobs_have_ended(&scene.s, &one));
    let_it_go(&scene);
    assert_int_equal(stage_wait_bot(&scene.s), 1);
    assert_true(stage_log_has(&scene.s, "dbconn serve: Slack refused apps.connections.open"));
    assert_true(stage_log_has(&scene.s, "queued jobs stay in the store for the next start"));
    assert_true(jobs_have_ended(&scene.s, &one));
    assert_shows(&scene.s, "deploy/production.env"); /* the diagnosis, in its thread */
    assert_does_not_show(&scene.s, "Could not look into `SHOP-NONE`"); /* not begun */
    start_again(&scene);
    close_scene(&scene);
}

static void without_both_tokens_it_ends_at_once_and_the_jobs_go_on_later(void **state)
{
    static const int one = 1;
    struct scene scene;

    (void)state;
    open_scene(&scene);
    withdraw(&scene, "{\"app_token_error\":\"account_inactive\","
                     "\"bot_token_error\":\"account_inactive\"}");
    assert_int_equal(stage_wait_bot(&scene.s), 1);
    assert_true(stage_log_has(&scene.s, "dbconn serve: Slack refused apps.connections.open"));
    assert_false(jobs_have_ended(&scene.s, &one));
    let_it_go(&scene);
    start_again(&scene);
    close_scene(&scene);
}

static void a_stop_is_heard_while_it_finishes(void **state)
{
    static const int one = 1;
    struct scene scene;

    (void)state;
    open_scene(&scene);
    withdraw(&scene, "{\"app_token_error\":\"token_revoked\"}");
    wait_until(&scene.s, log_has, "event=bot.finishing ", "the word about it");
    stage_stop_bot(&scene.s); /* fails when it ends with an error */
    assert_false(jobs_have_ended(&scene.s, &one));
    let_it_go(&scene);
    start_again(&scene);
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_its_app_token_it_finishes_what_runs_and_ends),
        cmocka_unit_test(without_both_tokens_it_ends_at_once_and_the_jobs_go_on_later),
        cmocka_unit_test(a_stop_is_heard_while_it_finishes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
