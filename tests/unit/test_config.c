#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dbconn/app/config.h"
#include "dbconn/base/jsonc.h"
#include "dbconn/base/redact.h"

static char folder[] = "/tmp/dbconn-test-XXXXXX";

static char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static char *some_environment(const char *name)
{
    static char org[] = "from-env", allow[] = "U1, C2";

    if (strcmp(name, "SENTRY_ORG") == 0)
        return org;
    return strcmp(name, "DBCONN_ACCESS_ALLOW") == 0 ? allow : NULL;
}

static char *write_file(const char *name, const char *text, mode_t mode)
{
    char *path = xasprintf("%s/%s", folder, name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static void defaults_stand_without_a_file(void **state)
{
    struct config *c = NULL;
    struct error err = ERROR_INIT;

    (void)state;
    assert_int_equal(config_load(NULL, no_environment, &c, &err), 0);
    assert_string_equal(config_str(c, "sentry.url"), "https://sentry.io");
    assert_int_equal(config_num(c, "queue.max_running"), 8);
    assert_false(config_bool(c, "slack.reply_broadcast"));
    assert_null(config_str(c, "sentry.auth_token"));
    assert_int_equal(config_require(c, "sentry.auth_token", &err), -1);
    assert_non_null(strstr(error_text(&err), "SENTRY_AUTH_TOKEN"));
    error_clear(&err);
    config_free(c);
}

static void the_environment_wins_over_the_file(void **state)
{
    char *path = write_file("a.json", "{\"sentry\":{\"organization\":\"from-file\"}}", 0600);
    struct config *c = NULL;
    struct error err = ERROR_INIT;

    (void)state;
    assert_int_equal(config_load(path, some_environment, &c, &err), 0);
    assert_string_equal(config_str(c, "sentry.organization"), "from-env");
    assert_string_equal(config_source(c, "sentry.organization"), "environment");
    config_free(c);
    assert_int_equal(config_load(path, no_environment, &c, &err), 0);
    assert_string_equal(config_str(c, "sentry.organization"), "from-file");
    config_free(c);
    free(path);
}

static void count_entry(void *user, const char *entry)
{
    struct buf *all = user;

    buf_addf(all, "[%s]", entry);
}

static void a_list_is_read_from_either(void **state)
{
    char *path = write_file("l.json", "{\"access\":{\"allow\":[\"U1\",\"C9\"]}}", 0600);
    struct config *c = NULL;
    struct error err = ERROR_INIT;
    struct buf all = BUF_INIT;

    (void)state;
    assert_int_equal(config_load(path, no_environment, &c, &err), 0);
    config_each(c, "access.allow", count_entry, &all);
    config_free(c);
    assert_int_equal(config_load(NULL, some_environment, &c, &err), 0);
    config_each(c, "access.allow", count_entry, &all);
    assert_string_equal(buf_str(&all), "[U1][C9][U1][C2]");
    config_free(c);
    buf_clear(&all);
    free(path);
}

static void mistakes_are_named_with_line_and_expectation(void **state)
{
    static const struct {
        const char *text, *first, *second;
    } cases[] = {
        { "{\n\"sentry\":{\n\"urll\":\"x\"}}", ":3:", "sentry.urll is no key" },
        { "{\"queue\":{\"max_running\":\"8\"}}", ":1:", "a whole number" },
        { "{\"queue\":{\"max_running\":-1}}", ":1:", "a whole number" },
        { "{\"slack\":{\"reply_broadcast\":1}}", ":1:", "true or false" },
        { "{\"access\":{\"allow\":\"U1\"}}", ":1:", "a list of strings" },
        { "{\n\"sentri\":{}}", ":2:", "no section" },
        { "{\n\"sentri\":1}", ":2:", "no section" },
        { "{\"services\":[{\"repo\":\"x\"}]}", "services", "repository" },
        { "{\"services\":[{\"project\":\"x\"}],\"services\":[]}", "services", "twice" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *path = write_file("bad.json", cases[i].text, 0600);
        struct config *c = NULL;
        struct error err = ERROR_INIT;
        assert_int_equal(config_load(path, no_environment, &c, &err), -1);
        if (!strstr(error_text(&err), cases[i].first) || !strstr(error_text(&err), cases[i].second))
            fail_msg("%s gave: %s", cases[i].text, error_text(&err));
        error_clear(&err);
        free(path);
    }
}

static void a_secret_comes_from_a_private_file_and_is_remembered(void **state)
{
    char *secret = write_file("token", "tok-very-secret-1\n", 0600);
    char *text = xasprintf("{\"sentry\":{\"auth_token_file\":\"%s\"}}", secret);
    char *path = write_file("s.json", text, 0600);
    struct config *c = NULL;
    struct error err = ERROR_INIT;

    (void)state;
    assert_int_equal(config_load(path, no_environment, &c, &err), 0);
    assert_string_equal(config_str(c, "sentry.auth_token"), "tok-very-secret-1");
    char *shown = redact_dup("it was tok-very-secret-1 there");
    assert_null(strstr(shown, "very-secret"));
    free(shown);
    config_free(c);
    static const mode_t open_to_all[] = { 0644, 0604, 0602, 0666 };
    for (size_t i = 0; i < ARRAY_LEN(open_to_all); i++) {
        assert_int_equal(chmod(secret, open_to_all[i]), 0);
        assert_int_equal(config_load(path, no_environment, &c, &err), -1);
        assert_non_null(strstr(error_text(&err), "chmod"));
        error_clear(&err);
    }
    assert_int_equal(chmod(secret, 0440), 0); /* as systemd and Kubernetes hand them over */
    assert_int_equal(config_load(path, no_environment, &c, &err), 0);
    config_free(c);
    redact_forget_all();
    free(secret);
    free(text);
    free(path);
}

static char *under_systemd(const char *name)
{
    static char handed_over[PATH_MAX];

    snprintf(handed_over, sizeof(handed_over), "%s/handed-over", folder);
    return strcmp(name, "CREDENTIALS_DIRECTORY") == 0 ? handed_over : NULL;
}

static void a_bare_name_is_a_credential_of_the_service_or_stands_beside_the_file(void **state)
{
    static const struct {
        char *(*get)(const char *);
        const char *expected;
    } cases[] = { { under_systemd, "from-systemd" }, { no_environment, "from-the-folder" } };
    char *service = xasprintf("%s/handed-over", folder), *own = xasprintf("%s/credentials", folder);
    char *path = write_file("c.json", "{\"sentry\":{\"auth_token_file\":\"sentry_token\"}}", 0600);

    (void)state;
    assert_int_equal(mkdir(service, 0700), 0);
    assert_int_equal(mkdir(own, 0700), 0);
    free(write_file("handed-over/sentry_token", "from-systemd\n", 0400));
    free(write_file("credentials/sentry_token", "from-the-folder\n", 0600));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        struct config *c = NULL;
        assert_int_equal(config_load(path, cases[i].get, &c, &err), 0);
        assert_string_equal(config_str(c, "sentry.auth_token"), cases[i].expected);
        config_free(c);
    }
    redact_forget_all();
    free(service);
    free(own);
    free(path);
}

/* The documented file sets every key that has a default to that default, and names all others. */
static void the_documented_file_is_complete_and_true(void **state)
{
    struct config *documented = NULL, *defaults = NULL;
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT;

    (void)state;
    assert_int_equal(file_read("config/dbconn.json", 1u << 20, &text, &err), 0);
    assert_int_equal(config_load("config/dbconn.json", no_environment, &documented, &err), 0);
    assert_int_equal(config_load(NULL, no_environment, &defaults, &err), 0);
    for (size_t i = 0; i < n_config_options; i++) {
        const struct config_option *o = &config_options[i];
        const char *a = config_str(documented, o->key), *b = config_str(defaults, o->key);
        char *name = xasprintf("\"%s\"", strrchr(o->key, '.') + 1);
        if ((a == NULL) != (b == NULL) || (a && strcmp(a, b) != 0))
            fail_msg("%s is documented as %s, its default is %s", o->key, a, b);
        if (!strstr(buf_str(&text), name) || (o->env && !strstr(buf_str(&text), o->env)))
            fail_msg("%s or its variable is missing in config/dbconn.json", o->key);
        free(name);
    }
    config_free(documented);
    config_free(defaults);
    buf_clear(&text);
}

static const struct {
    const char *text, *why; /* why NULL: good */
} values[] = {
    { "{\"queue\": {\"max_running\": 0}}", "queue.max_running must be from 1 to 1000, and is 0" },
    { "{\"queue\": {\"max_waiting\": 0}}", "queue.max_waiting must be from 1 to" },
    { "{\"queue\": {\"lease_seconds\": 0}}", "queue.lease_seconds must be from 1 to 3600" },
    { "{\"queue\": {\"lease_seconds\": 1}}", NULL },
    { "{\"queue\": {\"retention_days\": 0}}", NULL },
    { "{\"slack\": {\"connections\": 11}}", "slack.connections must be from 1 to 10, and is 11" },
    { "{\"slack\": {\"progress\": \"fancy\"}}",
      "slack.progress must be plan, stream, blocks or text" },
    { "{\"slack\": {\"progress\": \"text\"}}", NULL },
    { "{\"log\": {\"level\": \"loud\"}}", "log.level must be debug, info, warn, error or none" },
    { "{\"github\": {\"app_id\": \"1\"}}",
      "github.app_id is set without github.app_private_key: a GitHub App needs both" },
    { "{\"github\": {\"app_private_key\": \"k\"}}",
      "github.app_private_key is set without github.app_id" },
    { "{\"github\": {\"app_installation_id\": \"1\"}}",
      "github.app_installation_id is set without github.app_id" },
    { "{\"github\": {\"app_id\": \"1\", \"app_private_key\": \"k\", \"token\": \"t\"}}",
      "github.token and github.app_id are both set" },
    { "{\"github\": {\"app_id\": \"1\", \"app_private_key\": \"k\"}}", NULL },
    { "{\"limits\": {\"job_seconds\": 0}}", "limits.job_seconds must be from 1 to 3600" },
    { "{\"limits\": {\"call_seconds\": 601}}", "limits.call_seconds must be from 1 to 600" },
    { "{\"limits\": {\"answer_mb\": 257}}", "limits.answer_mb must be from 1 to 256" },
    { "{\"limits\": {\"memory_mb\": 0}}", "limits.memory_mb must be from 1 to 65536" },
    { "{\"limits\": {\"job_memory_mb\": 0}}", "limits.job_memory_mb must be from 1 to 65536" },
    { "{\"limits\": {\"json_depth\": 201}}", "limits.json_depth must be from 8 to 200" },
    { "{\"limits\": {\"json_values\": 99}}", "limits.json_values must be from 100 to 1000000000" },
};

static void values_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        char *path = write_file("values.json", values[i].text, 0600);
        struct error err = ERROR_INIT;
        struct config *c = NULL;
        int rc = config_load(path, no_environment, &c, &err);
        if ((rc == 0) != !values[i].why || (rc < 0 && !strstr(error_text(&err), values[i].why)))
            fail_msg("%s: %d %s", values[i].text, rc, error_text(&err));
        config_free(c);
        error_clear(&err);
        unlink(path);
        free(path);
    }
}

static void note_change(void *user, const char *key, bool applied)
{
    buf_addf(user, "%s%s ", applied ? "+" : "-", key);
}

static struct config *config_of(const char *text)
{
    char *path = write_file("adopt.json", text, 0600);
    struct error err = ERROR_INIT;
    struct config *c = NULL;

    assert_int_equal(config_load(path, no_environment, &c, &err), 0);
    unlink(path);
    free(path);
    return c;
}

static void a_reload_keeps_what_cannot_change_and_tells_every_change(void **state)
{
    struct config *running = config_of("{\"database\": {\"url\": \"sqlite:/a\"}, "
                                       "\"access\": {\"allow\": [\"C1\"]}, "
                                       "\"services\": [{\"project\": \"shop\"}]}");
    struct config *fresh = config_of("{\"database\": {\"url\": \"sqlite:/b\"}, "
                                     "\"access\": {\"allow\": [\"C2\"]}, "
                                     "\"sentry\": {\"auth_token\": \"new\"}}");
    struct config *same = config_of("{\"database\": {\"url\": \"sqlite:/a\"}, "
                                    "\"access\": {\"allow\": [\"C1\"], \"projects\": []}, "
                                    "\"services\": [{\"project\": \"shop\"}]}");
    struct buf told = BUF_INIT;

    (void)state;
    config_adopt(fresh, running, note_change, &told);
    assert_string_equal(buf_str(&told),
                        "+sentry.auth_token -database.url +access.allow +services ");
    assert_string_equal(config_str(fresh, "database.url"), "sqlite:/a");
    assert_string_equal(config_str(fresh, "access.allow"), "C2\n");
    buf_reset(&told);
    config_adopt(same, running, note_change, &told);
    assert_string_equal(buf_str(&told), "");
    buf_clear(&told);
    config_free(running);
    config_free(fresh);
    config_free(same);
}

static void the_manual_names_every_key_that_needs_a_restart(void **state)
{
    struct buf text = BUF_INIT;
    struct error err = ERROR_INIT;

    (void)state;
    assert_int_equal(file_read("docs/operating.md", 1u << 20, &text, &err), 0);
    const char *from = strstr(buf_str(&text), "These need a restart"), *to;
    assert_non_null(from);
    to = strstr(from, "\n\n");
    assert_non_null(to);
    for (size_t i = 0; i < n_config_options; i++) {
        char *name = xasprintf("`%s`", config_options[i].key);
        const char *at = strstr(from, name);
        bool named = at && at < to;
        if (named == config_is_live(config_options[i].key))
            fail_msg("%s: %s", config_options[i].key, named ? "needs none" : "is not named");
        free(name);
    }
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_stand_without_a_file),
        cmocka_unit_test(the_environment_wins_over_the_file),
        cmocka_unit_test(a_list_is_read_from_either),
        cmocka_unit_test(mistakes_are_named_with_line_and_expectation),
        cmocka_unit_test(a_secret_comes_from_a_private_file_and_is_remembered),
        cmocka_unit_test(a_bare_name_is_a_credential_of_the_service_or_stands_beside_the_file),
        cmocka_unit_test(the_documented_file_is_complete_and_true),
        cmocka_unit_test(values_that_make_no_sense_are_refused),
        cmocka_unit_test(a_reload_keeps_what_cannot_change_and_tells_every_change),
        cmocka_unit_test(the_manual_names_every_key_that_needs_a_restart),
    };
    if (!mkdtemp(folder))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
