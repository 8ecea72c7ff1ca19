/* The built program under a service manager, which the test plays: $NOTIFY_SOCKET. */
#include "harness.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

/* Binds the manager's socket: a path, or "@name" in the abstract namespace. */
static int listen_as_manager(const char *name)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    size_t len = strlen(name);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0 && len < sizeof(at.sun_path));
    memcpy(at.sun_path, name, len);
    if (name[0] == '@')
        at.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (const struct sockaddr *)&at,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                     0);
    return fd;
}

/* Reads datagrams until one holds `what`; fails the test when none comes in time. */
static void assert_told(struct stage *s, int fd, const char *what)
{
    int64_t until = clock_mono_ms() + DEADLINE_MS;
    char text[1024];

    while (clock_mono_ms() < until) {
        struct pollfd p = { fd, POLLIN, 0 };
        ssize_t n = poll(&p, 1, 100) > 0 ? recv(fd, text, sizeof(text) - 1, 0) : -1;
        text[n > 0 ? n : 0] = '\0';
        if (strstr(text, what))
            return;
    }
    stage_show_log(s);
    fail_msg("the manager was not told %s", what);
}

static void a_life_is_told_to_the_manager(const char *name_or_null)
{
    struct stage_options options = { .no_bot = true };
    struct stage s;

    stage_open(&s, &options);
    char *name = name_or_null ? xasprintf("%s-%d", name_or_null, (int)getpid())
                              : xasprintf("%s/notify", s.dir);
    int fd = listen_as_manager(name);
    json_put_str(s.env, "NOTIFY_SOCKET", name);
    json_put_str(s.env, "WATCHDOG_USEC", "200000");
    stage_spawn_bot(&s);
    assert_told(&s, fd, "READY=1");
    assert_told(&s, fd, "STATUS=Connected to Slack");
    assert_told(&s, fd, "WATCHDOG=1");
    assert_told(&s, fd, "WATCHDOG=1");
    kill(s.bot, SIGHUP);
    assert_told(&s, fd, "RELOADING=1\nMONOTONIC_USEC=");
    assert_told(&s, fd, "READY=1");
    kill(s.bot, SIGTERM);
    assert_told(&s, fd, "STOPPING=1");
    assert_int_equal(stage_wait_bot(&s), 0);
    close(fd);
    free(name);
    stage_close(&s);
}

static void a_manager_at_a_path_is_told_of_the_whole_life(void **state)
{
    (void)state;
    a_life_is_told_to_the_manager(NULL);
}

static void a_manager_with_an_abstract_name_is_told_too(void **state)
{
    (void)state;
    a_life_is_told_to_the_manager("@dbconn-test-notify");
}

static void a_stopped_process_gives_no_sign_of_life(void **state)
{
    struct stage_options options = { .no_bot = true };
    struct stage s;
    char text[1024];
    bool silent = false;

    (void)state;
    stage_open(&s, &options);
    char *name = xasprintf("%s/notify", s.dir);
    int fd = listen_as_manager(name);
    json_put_str(s.env, "NOTIFY_SOCKET", name);
    json_put_str(s.env, "WATCHDOG_USEC", "200000");
    stage_spawn_bot(&s);
    assert_told(&s, fd, "WATCHDOG=1");
    kill(s.bot, SIGSTOP);
    for (int i = 0; i < 1000 && !silent; i++) { /* what was sent before is read first */
        struct pollfd p = { fd, POLLIN, 0 };
        silent = poll(&p, 1, 1000) == 0;
        if (!silent)
            (void)!recv(fd, text, sizeof(text), 0);
    }
    assert_true(silent);
    kill(s.bot, SIGCONT);
    assert_told(&s, fd, "WATCHDOG=1");
    close(fd);
    free(name);
    stage_close(&s);
}

static void somebody_elses_watchdog_is_left_alone(void **state)
{
    struct stage_options options = { .no_bot = true };
    struct stage s;
    char text[1024];

    (void)state;
    stage_open(&s, &options);
    char *name = xasprintf("%s/notify", s.dir);
    int fd = listen_as_manager(name);
    json_put_str(s.env, "NOTIFY_SOCKET", name);
    json_put_str(s.env, "WATCHDOG_USEC", "1000");
    json_put_str(s.env, "WATCHDOG_PID", "1");
    stage_spawn_bot(&s);
    assert_told(&s, fd, "READY=1");
    stage_stop_bot(&s);
    for (ssize_t n; (n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT)) > 0;) {
        text[n] = '\0';
        assert_null(strstr(text, "WATCHDOG"));
    }
    close(fd);
    free(name);
    stage_close(&s);
}

static void json_lines_are_json(void **state)
{
    static const char *const json[] = { "DBCONN_LOG_FORMAT=json", NULL };
    struct stage_options options = { .bot_env = json };
    struct stage s;
    int lines = 0;

    (void)state;
    stage_open(&s, &options);
    stage_stop_bot(&s);
    char *log = stage_bot_log(&s);
    for (char *line = log, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        cJSON *tree = cJSON_Parse(line);
        assert_non_null(json_str(tree, "time"));
        assert_non_null(json_str(tree, "level"));
        assert_non_null(json_str(tree, "event"));
        cJSON_Delete(tree);
        lines++;
    }
    assert_true(lines > 3);
    free(log);
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manager_at_a_path_is_told_of_the_whole_life),
        cmocka_unit_test(a_manager_with_an_abstract_name_is_told_too),
        cmocka_unit_test(a_stopped_process_gives_no_sign_of_life),
        cmocka_unit_test(somebody_elses_watchdog_is_left_alone),
        cmocka_unit_test(json_lines_are_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
