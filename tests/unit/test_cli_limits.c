/* Commands that write the store, where the system lets a file grow no further. */
#include "cli_fixture.h"

#include <signal.h>
#include <sys/resource.h>

static const char *program;

static void set_limit(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_command_that_cannot_write_says_so_and_is_not_killed(void **state)
{
    static const struct {
        const char *command[4];
    } cases[] = { { { "serve" } }, { { "jobs", "list" } }, { { "check" } } };
    struct cli c;

    (void)state;
    cli_open(&c, program);
    char *url = xasprintf("sqlite:%s/dbconn.db", c.folder);
    char *path = xasprintf("%s/dbconn.db", c.folder);
    cli_env(&c, "DBCONN_DATABASE_URL", url);
    cli_env(&c, "SENTRY_ORG", "acme");
    cli_env(&c, "SENTRY_AUTH_TOKEN", "sentry-token");
    cli_env(&c, "SENTRY_URL", "http://127.0.0.1:9"); /* nobody is there, nor there: */
    cli_env(&c, "SLACK_API_URL", "http://127.0.0.1:9/api/");
    cli_env(&c, "SLACK_APP_TOKEN", "xapp-1-token");
    cli_env(&c, "SLACK_BOT_TOKEN", "xoxb-1-token");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        /* An empty file is a store whose tables have to be made. */
        int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
        set_limit(8192);
        int code = cli_run(&c, cases[i].command);
        set_limit(RLIM_INFINITY);
        if (code != 1)
            fail_msg("%s: %d\n%s\n%s", cases[i].command[0], code, buf_str(&c.out), buf_str(&c.err));
        unlink(path);
    }
    free(url);
    free(path);
    cli_close(&c);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_that_cannot_write_says_so_and_is_not_killed),
    };

    (void)argc;
    signal(SIGXFSZ, SIG_IGN); /* the fixture's own files */
    program = argv[0];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
