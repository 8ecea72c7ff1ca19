/* dbconn check against the sandbox: what it says of tokens, scopes, a GitHub App and access. */
#include "harness.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dbconn/base/json.h"

/* Runs it; the caller frees what it printed. */
static char *check(struct stage *s, int *ret_code)
{
    const char *args[] = { "check", s->config ? "--config" : NULL, s->config, NULL };

    return stage_run(s, args, ret_code);
}

static void set_env(struct stage *s, const char *name, const char *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(s->env, name);
    json_put_str(s->env, name, value);
}

static void assert_line(const char *text, const char *line)
{
    if (!strstr(text, line))
        fail_msg("\"%s\" is not in\n%s", line, text);
}

static void open_without_bot(struct stage *s)
{
    struct stage_options options = { .no_bot = true };

    stage_open(s, &options);
}

static void a_good_set_up_passes_and_is_explained(void **state)
{
    struct stage s;
    int code;

    (void)state;
    open_without_bot(&s);
    set_env(&s, "DBCONN_ACCESS_ALLOW", "C0INCIDENT, U0RAINER01");
    set_env(&s, "DBCONN_ACCESS_PROJECTS", "C0INCIDENT=*, *=shop");
    char *text = check(&s, &code);
    assert_line(text, "ok       slack          the bot token has all ");
    assert_line(text, "ok       slack          127.0.0.1, where Socket Mode connects to, can be "
                      "reached\n");
    assert_line(text, "may ask: C0INCIDENT: the full members of the workspace who may write in "
                      "this channel\n");
    assert_line(text, "may ask: U0RAINER01: this person, also as a guest");
    assert_line(text, "may be looked at: every project from the channel C0INCIDENT\n");
    assert_line(text, "may be looked at: the project shop from every channel\n");
    assert_int_equal(code, 0);
    /* Nobody's commands went to a socket of the check. */
    cJSON *sockets = control(&s, "/sockets", NULL);
    assert_int_equal(cJSON_GetArraySize(sockets), 0);
    cJSON_Delete(sockets);
    free(text);
    stage_close(&s);
}

static void a_missing_scope_is_named_with_what_it_costs(void **state)
{
    struct stage s;
    int code;

    (void)state;
    open_without_bot(&s);
    cJSON_Delete(control(&s, "/config",
                         "{\"scopes\":\"chat:write,commands,channels:read,groups:read,im:read,"
                         "app_mentions:read,chat:write.public,channels:history,im:history,"
                         "pins:write\"}"));
    char *text = check(&s, &code);
    assert_line(text, "FAILED   slack          the bot token lacks the scope users:read: everybody "
                      "is refused. Add it under OAuth & Permissions");
    assert_line(text, "warning  slack          the bot token lacks the scope groups:history: after "
                      "a crash");
    assert_line(text, "warning  slack          the bot token has the scope pins:write, which "
                      "dbconn does not use\n");
    assert_null(strstr(text, "usergroups:read")); /* no group is named */
    assert_int_equal(code, 1);
    free(text);
    set_env(&s, "DBCONN_ACCESS_ALLOW", "S0ONCALL01");
    text = check(&s, &code);
    assert_line(text, "FAILED   slack          the bot token lacks the scope usergroups:read: the "
                      "members of the groups in access.allow are refused");
    free(text);
    stage_close(&s);
}

/* ---- a GitHub App ---- */

static void write_key(const char *path)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    FILE *file = fopen(path, "w");

    assert_non_null(key);
    assert_non_null(file);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
    EVP_PKEY_free(key);
}

static void write_config(struct stage *s, const char *text)
{
    FILE *file = fopen(s->config, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void use_app(struct stage *s)
{
    open_without_bot(s);
    char *key = xasprintf("%s/app.pem", s->dir);
    char *config =
        xasprintf("{\"github\": {\"app_id\": \"123456\", \"app_private_key_file\": \"%s\"}, "
                  "\"services\": [{\"project\": \"shop\", \"repository\": "
                  "\"lighthouse/shop\"}]}",
                  key);
    cJSON_DeleteItemFromObjectCaseSensitive(s->env, "GITHUB_TOKEN");
    s->config = xasprintf("%s/dbconn.json", s->dir);
    write_key(key);
    write_config(s, config);
    free(key);
    free(config);
}

static void a_github_app_is_tried_with_the_repositories_of_the_mapping(void **state)
{
    struct stage s;
    int code;

    (void)state;
    use_app(&s);
    char *text = check(&s, &code);
    assert_line(text, "ok       github         answers as GitHub App 123456\n");
    assert_line(text, "GitHub: read commits of lighthouse/shop (contents: read)");
    assert_line(text, "GitHub: read pull requests of lighthouse/shop (pull requests: read)");
    assert_int_equal(code, 0);
    free(text);
    write_config(&s, "{\"github\": {\"app_id\": \"123456\", \"app_private_key\": \"no key\"}}");
    text = check(&s, &code);
    assert_line(text, "github.app_private_key: it is no unencrypted RSA key in PEM form");
    assert_int_equal(code, 2);
    free(text);
    stage_close(&s);
}

static void an_investigation_reads_github_as_the_app(void **state)
{
    struct stage s;
    int code;

    (void)state;
    use_app(&s);
    const char *args[] = { "run", s.short_id, "--config", s.config, "--json", NULL };
    char *text = stage_run(&s, args, &code);
    assert_int_equal(code, 0);
    assert_line(text, "/lighthouse/shop/pull/481");
    free(text);
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_set_up_passes_and_is_explained),
        cmocka_unit_test(a_missing_scope_is_named_with_what_it_costs),
        cmocka_unit_test(a_github_app_is_tried_with_the_repositories_of_the_mapping),
        cmocka_unit_test(an_investigation_reads_github_as_the_app),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
