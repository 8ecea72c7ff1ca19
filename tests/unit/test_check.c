/* What dbconn check explains and compares, and its warning about the store's own server. */
#include "cli_fixture.h"

#include "../../src/app/check.h"
#include "../../src/app/slack_scopes.h"

static const char *program;

static const struct {
    const char *entry, *text;
} allowed[] = {
    { "U0A", "U0A: this person, also as a guest or of another workspace" },
    { "W0A", "W0A: this person, also as a guest or of another workspace" },
    { "S0A", "S0A: the members of this user group" },
    { "C0A", "C0A: the full members of the workspace who may write in this channel" },
    { "T0A", "T0A: the full members of this workspace" },
    { "*", "*: every full member of the workspace" },
};

static void every_entry_of_the_rules_is_explained(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
        struct buf text = BUF_INIT;
        check_explain_allowed(allowed[i].entry, &text);
        assert_string_equal(buf_str(&text), allowed[i].text);
        buf_clear(&text);
    }
}

static const struct {
    const char *entry, *text;
} projects[] = {
    { "C0A=shop", "the project shop from the channel C0A" },
    { "C0A=*", "every project from the channel C0A" },
    { "*=shop", "the project shop from every channel" },
    { "*=*", "every project from every channel" },
};

static void every_project_rule_is_explained(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(projects); i++) {
        struct buf text = BUF_INIT;
        check_explain_project(projects[i].entry, &text);
        assert_string_equal(buf_str(&text), projects[i].text);
        buf_clear(&text);
    }
}

static const struct {
    const char *url, *host, *port;
    bool same;
} servers[] = {
    { "postgresql://u:p@db.example.com:5433/dbconn", "db.example.com", "5433", true },
    { "postgresql://u:p@db.example.com:5433/dbconn", "DB.EXAMPLE.COM", "5433", true },
    { "postgresql://u:p@db.example.com:5433/dbconn", "db.example.com", "5432", false },
    { "postgresql://u:p@db.example.com:5433/dbconn", "other.example.com", "5433", false },
    { "postgresql://db.example.com/dbconn", "db.example.com", "5432", true },
    { "postgresql://db.example.com/dbconn", "db.example.com", NULL, true },
    { "postgresql://a.example.com:5432,b.example.com:5433/dbconn", "b.example.com", "5433", true },
    { "postgresql://db.example.com/dbconn", NULL, NULL, false },
    { "sqlite:/var/lib/dbconn/dbconn.db", "db.example.com", "5432", false },
};

static void a_server_is_the_same_by_host_and_port(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(servers); i++)
        if (check_same_server(servers[i].url, servers[i].host, servers[i].port) != servers[i].same)
            fail_msg("%s, %s:%s", servers[i].url, servers[i].host ? servers[i].host : "-",
                     servers[i].port ? servers[i].port : "-");
}

static void add_name(void *user, const char *name)
{
    buf_addf(user, "%s ", name);
}

static void scopes_are_compared_by_whole_names(void **state)
{
    static const char granted[] = "chat:write.public,commands, users:read,pins:write,admin";
    struct buf surplus = BUF_INIT;

    (void)state;
    assert_true(slack_scope_granted(granted, "chat:write.public"));
    assert_true(slack_scope_granted(granted, "users:read"));
    assert_false(slack_scope_granted(granted, "chat:write"));
    assert_false(slack_scope_granted(granted, "users:read.email"));
    assert_false(slack_scope_granted("", "commands"));
    slack_scopes_surplus(granted, add_name, &surplus);
    assert_string_equal(buf_str(&surplus), "pins:write admin ");
    buf_clear(&surplus);
}

/* A job that found this server refusing, kept on the server itself. */
static void keep_job_about(const char *url, const char *host, const char *port)
{
    struct store *st = open_store(url);
    struct job_result done = { .state = JOB_DONE,
                               .report = "{}",
                               .evidence = "[]",
                               .target_host = host,
                               .target_port = port };
    struct job job = { 0 };
    char id[JOB_ID_LEN + 1];
    int64_t now = clock_wall_ms();

    add_job(st, "SHOP-1", 1, now, id);
    ASSERT_OUTCOME(STORE_OK, store_claim(st, "host/1", 10000, NULL, now, &job, &err));
    ASSERT_OUTCOME(STORE_OK, store_finish(st, ref_of(&job), &done, now, &err));
    job_clear(&job);
    store_close(st);
}

static void a_store_on_a_server_under_diagnosis_is_warned_of(void **state)
{
    struct pg_server pg = { 0 };
    struct cli c;

    (void)state;
    if (!pg_create(&pg)) {
        skip();
        return;
    }
    char *url = pg_url(&pg), port[16];
    snprintf(port, sizeof(port), "%d", pg.port);
    cli_open(&c, program);
    cli_env(&c, "DBCONN_DATABASE_URL", url);
    cli_env(&c, "SENTRY_ORG", "acme");
    cli_env(&c, "SENTRY_AUTH_TOKEN", "sentry-token");
    cli_env(&c, "SENTRY_URL", "http://127.0.0.1:9"); /* nobody is there */
    keep_job_about(url, "127.0.0.1", "1");
    ASSERT_EXIT(1, &c, "check");
    assert_null(strstr(buf_str(&c.out), "under diagnosis itself"));
    keep_job_about(url, "127.0.0.1", port);
    ASSERT_EXIT(1, &c, "check");
    assert_non_null(strstr(buf_str(&c.out), "warning  store          it is on 127.0.0.1, which was "
                                            "under diagnosis itself (job "));
    cli_close(&c);
    free(url);
    pg_destroy(&pg);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_entry_of_the_rules_is_explained),
        cmocka_unit_test(every_project_rule_is_explained),
        cmocka_unit_test(a_server_is_the_same_by_host_and_port),
        cmocka_unit_test(scopes_are_compared_by_whole_names),
        cmocka_unit_test(a_store_on_a_server_under_diagnosis_is_warned_of),
    };

    (void)argc;
    program = argv[0];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
