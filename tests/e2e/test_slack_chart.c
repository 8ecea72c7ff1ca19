/* The chart in the thread: as Slack's block, and as an image where the workspace has none. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "dbconn/base/json.h"

#define NO_CHART_BLOCK "{\"refused_blocks\":\"data_visualization\"}"

/* The bot's files that the incident channel shows. */
static int files_shown(struct stage *s, char **ret_id)
{
    cJSON *channel = control(s, "/state?channel=" INCIDENTS, NULL);
    int n = 0;

    for (const cJSON *m = json_items(channel, "messages"); m; m = m->next)
        for (const cJSON *f = json_items(m, "files"); f; f = f->next) {
            n++;
            assert_non_null(json_str(f, "alt_txt"));
            assert_non_null(json_str(m, "thread_ts"));
            if (ret_id && n == 1)
                *ret_id = xstrdup(json_str(f, "id"));
        }
    cJSON_Delete(channel);
    return n;
}

static void assert_is_png(struct stage *s, const char *id)
{
    char *path = xasprintf("/file?id=%s", id), *bytes = control_text(s, path);

    assert_memory_equal(bytes, "\x89PNG\r\n\x1a\n", 8);
    free(bytes);
    free(path);
}

static void run_to_the_end(struct stage *s)
{
    free(type_command(s, INCIDENTS, s->short_id));
    wait_until(s, job_has_ended, NULL, "the end of the job");
}

static void the_block_is_used_where_there_is_one(void **state)
{
    struct stage_options options = { 0 };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    run_to_the_end(&s);
    assert_shows(&s, "[chart]");
    assert_int_equal(files_shown(&s, NULL), 0);
    stage_close(&s);
}

static void a_workspace_without_the_block_gets_an_image(void **state)
{
    struct stage_options options = { .no_bot = true };
    struct stage s;
    char *id = NULL;

    (void)state;
    stage_open(&s, &options);
    cJSON_Delete(control(&s, "/config", NO_CHART_BLOCK));
    stage_start_bot(&s);
    run_to_the_end(&s);
    assert_int_equal(files_shown(&s, &id), 1);
    assert_is_png(&s, id);
    assert_shows(&s, "How often it failed");
    assert_does_not_show(&s, "[chart]");
    assert_shows(&s, "✓ 1. Issue details"); /* the other new blocks stay */
    assert_nothing_twice(&s, INCIDENTS);
    assert_no_secret(&s);
    free(id);
    stage_close(&s);
}

/* Remembered for the workspace: the next process does not try the block again. */
static void what_was_refused_is_not_tried_again_after_a_restart(void **state)
{
    struct stage_options options = { .no_bot = true };
    struct stage s;
    int two = 2;

    (void)state;
    stage_open(&s, &options);
    cJSON_Delete(control(&s, "/config", NO_CHART_BLOCK));
    stage_start_bot(&s);
    run_to_the_end(&s);
    stage_stop_bot(&s);
    cJSON_Delete(control(&s, "/config", "{\"refused_blocks\":null}"));
    stage_start_bot(&s);
    free(type_command(&s, INCIDENTS, s.short_id));
    wait_until(&s, jobs_have_ended, &two, "the end of the second job");
    assert_int_equal(files_shown(&s, NULL), 2);
    assert_does_not_show(&s, "[chart]");
    stage_close(&s);
}

static void without_the_scope_the_thread_is_complete_all_the_same(void **state)
{
    static const char *const image[] = { "DBCONN_SLACK_CHART=image", NULL };
    struct stage_options options = { .no_bot = true, .bot_env = image };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    cJSON_Delete(control(&s, "/config",
                         "{\"scopes\":\"commands,chat:write,chat:write.public,channels:read,"
                         "channels:history,users:read,usergroups:read\"}"));
    stage_start_bot(&s);
    run_to_the_end(&s);
    assert_int_equal(files_shown(&s, NULL), 0);
    assert_shows(&s, "deploy/production.env");
    assert_shows(&s, "How I weighed it");
    assert_true(stage_log_has(&s, "files:write"));
    stage_close(&s);
}

/* Each step of the upload goes wrong once; the last one also after it took effect. The first
 * always, all with E2E_ALL set: what is looked for takes its time. */
static void an_upload_that_is_disturbed_shows_one_image(void **state)
{
    static const char *const faults[] = {
        "{\"slack\":[{\"path\":\"upload/v1\",\"first\":1,\"drop\":true}]}",
        "{\"slack\":[{\"path\":\"completeUploadExternal\",\"first\":1,\"drop\":true,"
        "\"after\":true}]}",
        "{\"slack\":[{\"path\":\"getUploadURLExternal\",\"first\":1,\"status\":500}]}",
        "{\"slack\":[{\"path\":\"getUploadURLExternal\",\"first\":1,\"status\":429,"
        "\"retry_after\":1}]}",
        "{\"slack\":[{\"path\":\"upload/v1\",\"first\":1,\"status\":503}]}",
        "{\"slack\":[{\"path\":\"completeUploadExternal\",\"first\":1,\"status\":500}]}",
    };
    static const char *const image[] = { "DBCONN_SLACK_CHART=image", NULL };

    size_t n = getenv("E2E_ALL") ? sizeof(faults) / sizeof(faults[0]) : 1;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        const char *args[] = { "--faults", faults[i], NULL };
        struct stage_options options = { .bot_env = image, .sandbox_args = args };
        struct stage s;
        char *id = NULL;
        stage_open(&s, &options);
        run_to_the_end(&s);
        if (files_shown(&s, &id) != 1)
            fail_msg("%d images after %s", files_shown(&s, NULL), faults[i]);
        assert_is_png(&s, id);
        assert_shows(&s, "How I weighed it");
        free(id);
        stage_close(&s);
    }
}

/* Killed when the image was just shown, and nobody has noted that: the next process finds it. */
static void a_kill_after_the_image_does_not_show_it_twice(void **state)
{
    static const char *const image[] = { "DBCONN_SLACK_CHART=image", NULL };
    static const char *const allow[] = { "--allow-kill", NULL };
    struct stage_options options = { .bot_env = image, .sandbox_args = allow };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    char *fault = xasprintf("{\"slack\":[{\"path\":\"completeUploadExternal\",\"first\":1,"
                            "\"after\":true,\"kill\":%d}]}",
                            (int)s.bot);
    cJSON_Delete(control(&s, "/faults", fault));
    free(type_command(&s, INCIDENTS, s.short_id));
    assert_int_not_equal(stage_wait_bot(&s), 0);
    assert_int_equal(files_shown(&s, NULL), 1);
    stage_start_bot(&s);
    wait_until(&s, job_has_ended, NULL, "the end of the job");
    assert_int_equal(files_shown(&s, NULL), 1);
    assert_shows(&s, "How I weighed it");
    free(fault);
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_block_is_used_where_there_is_one),
        cmocka_unit_test(a_workspace_without_the_block_gets_an_image),
        cmocka_unit_test(what_was_refused_is_not_tried_again_after_a_restart),
        cmocka_unit_test(without_the_scope_the_thread_is_complete_all_the_same),
        cmocka_unit_test(an_upload_that_is_disturbed_shows_one_image),
        cmocka_unit_test(a_kill_after_the_image_does_not_show_it_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
