/* Whom the built program talks to: the configured hosts, and never what it reads. */
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define SCENARIO "contrib/sandbox/scenarios/deployment-config-change.json"

static char *read_text(const char *path)
{
    struct buf text = BUF_INIT;
    char bytes[8192];
    FILE *file = fopen(path, "r");
    size_t n;

    assert_non_null(file);
    while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
        buf_add(&text, bytes, n);
    fclose(file);
    return buf_take(&text);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static char *replaced(const char *text, const char *what, const char *with)
{
    struct buf out = BUF_INIT;
    const char *at;

    for (; (at = strstr(text, what)); text = at + strlen(what)) {
        buf_add(&out, text, (size_t)(at - text));
        buf_adds(&out, with);
    }
    buf_adds(&out, text);
    return buf_take(&out);
}

/* A port of this machine on which nobody should knock: whoever connected can be accepted later. */
static int open_trap(int *ret_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* The incident, in which every database's address is that of the trap. */
static char *scenario_with(const char *port)
{
    static const struct {
        const char *what, *with; /* NULL: the port */
    } changes[] = { { "db-shop.lighthouse.example", "localhost" },
                    { "10.20.0.15", "127.0.0.1" },
                    { "5433", NULL },
                    { "5432", NULL } };
    char *text = read_text(SCENARIO);

    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        char *next = replaced(text, changes[i].what, changes[i].with ? changes[i].with : port);
        free(text);
        text = next;
    }
    return text;
}

static void nothing_that_is_read_in_an_error_is_connected_to(void **state)
{
    struct stage_options options = { .no_bot = true };
    char folder[] = "/tmp/dbconn-trap-XXXXXX";
    struct stage s;
    int port, code, trap = open_trap(&port);

    (void)state;
    assert_non_null(mkdtemp(folder));
    char *digits = xasprintf("%d", port), *text = scenario_with(digits),
         *path = xasprintf("%s/scenario.json", folder);
    write_text(path, text);
    options.scenario = path;
    stage_open(&s, &options);
    const char *const run[] = { "run", s.short_id, "--json", NULL };
    char *report = stage_run(&s, run, &code);
    assert_int_equal(code, 0);
    assert_non_null(strstr(report, digits)); /* it was read */
    assert_int_equal(accept(trap, NULL, NULL), -1);
    assert_true(errno == EAGAIN || errno == EWOULDBLOCK);
    stage_start_bot(&s);
    free(type_command(&s, INCIDENTS, s.short_id));
    wait_until(&s, diagnosis_is_reached, NULL, "the diagnosis");
    assert_int_equal(accept(trap, NULL, NULL), -1);
    close(trap);
    unlink(path);
    rmdir(folder);
    free(report);
    free(path);
    free(text);
    free(digits);
    stage_close(&s);
}

static void plaintext_is_for_this_machine_only_and_warned_of(void **state)
{
    static const char *const services[] = { "slack", "sentry", "github", "elasticsearch" };
    static const struct {
        const char *name, *value, *key;
    } elsewhere[] = { { "SLACK_API_URL", "http://10.0.0.1/api/", "slack.api_url" },
                      { "SENTRY_URL", "http://sentry.example.com", "sentry.url" },
                      { "SENTRY_URL", "http://127.0.0.1.evil.example", "sentry.url" },
                      { "GITHUB_API_URL", "http://192.168.0.1", "github.api_url" },
                      { "ELASTICSEARCH_URL", "http://logs:9200", "elasticsearch.url" } };
    struct stage_options options = { 0 };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        char *line = xasprintf("event=net.plaintext service=\"%s\"", services[i]);
        assert_true(stage_log_has(&s, line));
        free(line);
    }
    stage_stop_bot(&s);
    for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
        char *before = xstrdup(json_str(s.env, elsewhere[i].name));
        assert_non_null(before);
        cJSON_ReplaceItemInObjectCaseSensitive(s.env, elsewhere[i].name,
                                               cJSON_CreateString(elsewhere[i].value));
        stage_spawn_bot(&s);
        assert_int_equal(stage_wait_bot(&s), 2);
        char *log = stage_bot_log(&s);
        if (!strstr(log, elsewhere[i].key))
            fail_msg("%s is not named: %s", elsewhere[i].key, log);
        free(log);
        cJSON_ReplaceItemInObjectCaseSensitive(s.env, elsewhere[i].name,
                                               cJSON_CreateString(before));
        free(before);
    }
    assert_true(stage_log_has(&s, "use https://"));
    stage_close(&s);
}

static void a_bundle_of_cas_that_cannot_be_read_is_named_at_the_start(void **state)
{
    struct stage_options options = { .no_bot = true };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    s.config = xasprintf("%s/dbconn.json", s.dir);
    write_text(s.config, "{\"net\": {\"ca_file\": \"/nonexistent/company-ca.pem\"}}\n");
    stage_spawn_bot(&s);
    assert_int_equal(stage_wait_bot(&s), 2);
    assert_true(stage_log_has(&s, "/nonexistent/company-ca.pem"));
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_is_read_in_an_error_is_connected_to),
        cmocka_unit_test(plaintext_is_for_this_machine_only_and_warned_of),
        cmocka_unit_test(a_bundle_of_cas_that_cannot_be_read_is_named_at_the_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
