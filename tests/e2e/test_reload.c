/* SIGHUP, SIGUSR1 and SIGUSR2 of the built program while it works. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbconn/base/jsonc.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define BUILTIN "config/playbooks/database-connection-refused.json"

/* ---- files ---- */

static char *file_of(const struct stage *s, const char *name)
{
    return xasprintf("%s/%s", s->dir, name);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void write_config(const struct stage *s, const char *text)
{
    write_file(s->config, text);
}

/* The shipped playbook with other words in it, and so with another hash. */
static void write_playbook(const char *path, const char *remark)
{
    struct buf text = BUF_INIT, file = BUF_INIT;
    struct error err = ERROR_INIT;

    assert_int_equal(file_read(BUILTIN, 4u << 20, &text, &err), 0);
    buf_addf(&file, "// %s\n%s", remark, buf_str(&text));
    write_file(path, buf_str(&file));
    buf_clear(&text);
    buf_clear(&file);
}

/* A bot that reads `config`, whose access rules the environment does not hide. */
static void open_with(struct stage *s, const char *config)
{
    struct stage_options options = { .no_bot = true };

    stage_open(s, &options);
    cJSON_DeleteItemFromObjectCaseSensitive(s->env, "DBCONN_ACCESS_ALLOW");
    s->config = file_of(s, "dbconn.json");
    write_config(s, config);
    stage_start_bot(s);
}

/* ---- looking ---- */

struct times {
    const char *what;
    int n;
};

static bool log_has_times(struct stage *s, const void *arg)
{
    const struct times *t = arg;
    char *log = stage_bot_log(s);
    int n = 0;

    for (const char *p = log; (p = strstr(p, t->what)); p++)
        n++;
    free(log);
    return n >= t->n;
}

static void reload(struct stage *s, int n)
{
    const struct times done = { "event=config.reloaded ", n };

    kill(s->bot, SIGHUP);
    wait_until(s, log_has_times, &done, "the reload");
}

static void reload_in_vain(struct stage *s, int n)
{
    const struct times done = { "event=config.refused ", n };

    kill(s->bot, SIGHUP);
    wait_until(s, log_has_times, &done, "the refusal");
}

/* The playbook's hash of every job, oldest first; the caller frees. */
static size_t hashes(struct stage *s, char *ret[4])
{
    static const char *const args[] = { "jobs", "list", "--json", NULL };
    int code;
    char *text = stage_run(s, args, &code);
    cJSON *doc = cJSON_Parse(text);
    size_t n = 0;

    assert_int_equal(code, 0);
    for (const cJSON *job = json_items(doc, "jobs"); job && n < 4; job = job->next)
        n++;
    size_t i = n;
    for (const cJSON *job = json_items(doc, "jobs"); job && i; job = job->next)
        ret[--i] = xstrdup(json_str_or(job, "playbook_hash", ""));
    cJSON_Delete(doc);
    free(text);
    return n;
}

/* ---- tests ---- */

static void a_running_job_ends_with_the_playbook_it_began_with(void **state)
{
    static const int two = 2;
    struct stage s;
    char *found[4];

    (void)state;
    open_with(&s, "{\"access\": {\"allow\": [\"*\"]}}");
    char *playbook = file_of(&s, "playbook.json");
    char *config =
        xasprintf("{\"access\": {\"allow\": [\"*\"]}, \"playbook\": {\"path\": \"%s\"}}", playbook);
    cJSON_Delete(control(&s, "/faults", "{\"sentry\":[{\"latency_ms\":1500}]}"));
    char *first = type_command(&s, INCIDENTS, s.short_id);
    wait_until(&s, log_has, "event=job.start ", "the job's start");
    write_playbook(playbook, "another one");
    write_config(&s, config);
    reload(&s, 1);
    cJSON_Delete(control(&s, "/faults", "{\"sentry\":[]}"));
    wait_until(&s, job_has_ended, NULL, "the end of the first job");
    char *second = type_command(&s, INCIDENTS, s.short_id);
    wait_until(&s, jobs_have_ended, &two, "the end of the second job");
    assert_int_equal(hashes(&s, found), 2);
    assert_string_not_equal(found[0], found[1]);
    assert_true(stage_log_has(&s, "event=playbook.reloaded "));
    for (size_t i = 0; i < 2; i++)
        free(found[i]);
    free(first);
    free(second);
    free(config);
    free(playbook);
    stage_close(&s);
}

static void what_is_wrong_is_refused_and_the_old_stays_in_force(void **state)
{
    struct stage s;

    (void)state;
    open_with(&s, "{\"access\": {\"allow\": [\"*\"]}}");
    write_config(&s, "{\"access\": {\"allow\": [],}}}");
    reload_in_vain(&s, 1);
    write_config(&s, "{\"playbook\": {\"path\": \"/no/such/playbook.json\"}}");
    reload_in_vain(&s, 2);
    write_config(&s, "{\"queue\": {\"max_running\": 0}}");
    reload_in_vain(&s, 3);
    write_config(&s, "{\"access\": {\"allow\": [\"nobody\"]}}");
    reload_in_vain(&s, 4);
    assert_true(stage_log_has(&s, "/no/such/playbook.json"));
    assert_true(stage_log_has(&s, "queue.max_running must be from 1 to 1000, and is 0"));
    char *id = type_command(&s, INCIDENTS, s.short_id);
    wait_until(&s, job_has_ended, NULL, "a job under the old rules");
    write_config(&s, "{\"access\": {\"allow\": [\"*\"]}}");
    reload(&s, 1);
    free(id);
    stage_close(&s);
}

static void rules_of_access_count_at_once(void **state)
{
    struct stage s;

    (void)state;
    open_with(&s, "{\"access\": {\"allow\": [\"*\"]}}");
    write_config(&s, "{\"access\": {\"allow\": [\"C0ELSEWHERE\"]}}");
    reload(&s, 1);
    assert_true(stage_log_has(&s, "changed=\"access.allow\""));
    char *refused = type_command(&s, INCIDENTS, s.short_id);
    wait_until(&s, log_has, "event=access.refused ", "the refusal");
    write_config(&s, "{\"access\": {\"allow\": [\"" INCIDENTS "\"]}}");
    reload(&s, 2);
    char *id = type_command(&s, INCIDENTS, s.short_id);
    wait_until(&s, job_has_ended, NULL, "the end of the job");
    free(refused);
    free(id);
    stage_close(&s);
}

static void what_needs_a_restart_is_said_and_stays(void **state)
{
    struct stage s;

    (void)state;
    open_with(&s, "{\"access\": {\"allow\": [\"*\"]}, \"queue\": {\"lease_seconds\": 20}}");
    write_config(&s, "{\"access\": {\"allow\": [\"*\"]}, \"queue\": {\"lease_seconds\": 60, "
                     "\"max_running\": 2}}");
    reload(&s, 1);
    assert_true(stage_log_has(&s, "event=config.needs_restart keys=\"queue.lease_seconds\""));
    assert_true(stage_log_has(&s, "changed=\"queue.max_running\""));
    reload(&s, 2); /* said again as long as it is so */
    const struct times twice = { "event=config.needs_restart ", 2 };
    assert_true(log_has_times(&s, &twice));
    char *id = type_command(&s, INCIDENTS, s.short_id);
    wait_until(&s, job_has_ended, NULL, "the end of a job");
    free(id);
    stage_close(&s);
}

static void a_new_credential_is_used_by_what_begins_later(void **state)
{
    struct stage s;
    struct buf config = BUF_INIT;

    (void)state;
    open_with(&s, "{\"access\": {\"allow\": [\"*\"]}}");
    char *token = xstrdup(json_str(s.env, "SENTRY_AUTH_TOKEN"));
    stage_stop_bot(&s);
    cJSON_DeleteItemFromObjectCaseSensitive(s.env, "SENTRY_AUTH_TOKEN");
    write_config(&s, "{\"access\": {\"allow\": [\"*\"]}, \"sentry\": {\"auth_token\": \"old\"}}");
    stage_start_bot(&s);
    char *first = type_command(&s, INCIDENTS, s.short_id);
    wait_until(&s, log_has, "event=job.failed ", "a job with the wrong token");
    buf_addf(&config, "{\"access\": {\"allow\": [\"*\"]}, \"sentry\": {\"auth_token\": \"%s\"}}",
             token);
    write_config(&s, buf_str(&config));
    reload(&s, 1);
    char *second = type_command(&s, INCIDENTS, s.short_id);
    wait_until(&s, diagnosis_is_reached, NULL, "a diagnosis with the right token");
    assert_false(stage_log_has(&s, token));
    buf_clear(&config);
    free(token);
    free(first);
    free(second);
    stage_close(&s);
}

static void signals_change_the_level_of_the_log(void **state)
{
    static const struct times back = { "event=log.level level=\"info\" why=\"SIGUSR2\"", 1 };
    struct stage s;

    (void)state;
    open_with(&s, "{\"access\": {\"allow\": [\"*\"]}}");
    assert_false(stage_log_has(&s, "level=debug"));
    kill(s.bot, SIGUSR1);
    wait_until(&s, log_has, "event=log.level level=\"debug\"", "the change");
    char *id = type_command(&s, INCIDENTS, "status");
    wait_until(&s, log_has, " level=debug ", "a line of that level");
    kill(s.bot, SIGUSR2);
    wait_until(&s, log_has_times, &back, "the change back");
    free(id);
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_running_job_ends_with_the_playbook_it_began_with),
        cmocka_unit_test(what_is_wrong_is_refused_and_the_old_stays_in_force),
        cmocka_unit_test(rules_of_access_count_at_once),
        cmocka_unit_test(what_needs_a_restart_is_said_and_stays),
        cmocka_unit_test(a_new_credential_is_used_by_what_begins_later),
        cmocka_unit_test(signals_change_the_level_of_the_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
