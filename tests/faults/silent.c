/*
 * A name server that falls silent: what is connected goes on, and when it speaks again the bot
 * comes back. The bot asks the real resolver of the C library; only the server is the test's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "names.h"
#include "slack_front.h"

#define ANSWER "db-orders.lighthouse.example"
#define API_HOST "api.slack.test"
#define SOCKET_HOST "socket.slack.test"

struct machine {
    struct stage stage;
    struct names names;
    struct slack_front front;
};

static bool open_machine(struct machine *m)
{
    static const char *const env[] = { "DBCONN_METRICS_LISTEN=127.0.0.1:0", NULL };
    struct stage_options options = { .scenario = "database-down", .no_bot = true, .bot_env = env };
    const char *tmp = getenv("TMPDIR");
    char *dir = xasprintf("%s/dbconn-names-XXXXXX", tmp && *tmp ? tmp : "/tmp");

    assert_non_null(mkdtemp(dir));
    *m = (struct machine){ .front = { .api_host = API_HOST, .socket_host = SOCKET_HOST } };
    bool moved = names_start(&m->names, dir, everything() ? "" : "options timeout:3 attempts:1");
    if (moved) {
        stage_open(&m->stage, &options);
        slack_front_start(&m->stage, &m->front);
        char *host = xasprintf("slack=" SOCKET_HOST ":%d", m->front.socket.port);
        m->stage.config = write_config(&m->stage, host, NULL);
        free(host);
        stage_start_bot(&m->stage);
    } else {
        names_stop(&m->names);
    }
    free(dir);
    return moved;
}

/* A loop that waits for a name answers nobody, not even this. */
static void assert_lives(struct stage *s)
{
    assert_int_equal(bot_status_of(s, "/healthz"), 200);
}

static bool has_more_addresses(struct stage *s, const void *arg)
{
    return count_calls(s, "apps.connections.open", 200) > *(const int64_t *)arg;
}

static void stop_while_a_name_is_asked_for(struct machine *m)
{
    struct stage *s = &m->stage;
    int64_t addresses = count_calls(s, "apps.connections.open", 200);

    names_silent(&m->names, true);
    cJSON_Delete(control(s, "/disconnect", "{\"reason\":\"cut\"}"));
    wait_until(s, has_more_addresses, &addresses, "an address whose name is then asked for");
    int64_t began = clock_mono_ms();
    stage_stop_bot(s);
    print_message("stopped in %lld ms while a name was asked for\n",
                  (long long)(clock_mono_ms() - began));
}

static void a_silent_name_server_stops_only_the_new_connection(void **state)
{
    struct machine m;
    struct stage *s = &m.stage;

    (void)state;
    if (!open_machine(&m)) {
        print_message("left out: the kernel gives us no namespaces here (%s)\n", strerror(errno));
        skip();
    }
    names_silent(&m.names, true);
    cJSON_Delete(control(s, "/refresh", "{\"delay_ms\":12000}")); /* the old one stays meanwhile */
    char *id = type_command(s, INCIDENTS, "ORDERS-7F");
    wait_until(s, is_acknowledged, id, "the acknowledgement on the old connection");
    wait_until(s, job_has_ended, NULL, "the end of the job without names");
    assert_shows(s, ANSWER);
    assert_lives(s);
    free(id);

    cJSON_Delete(control(s, "/disconnect", "{\"reason\":\"cut\"}"));
    wait_until(s, log_has, "event=slack.reconnect", "an attempt that failed");
    assert_lives(s);
    assert_false(is_connected(s, NULL));

    names_silent(&m.names, false);
    wait_until(s, is_connected, NULL, "the connection when names are there again");
    id = type_command(s, INCIDENTS, "ORDERS-2Q");
    wait_until(s, is_acknowledged, id, "the acknowledgement on the new connection");
    wait_until(s, jobs_have_ended, &(const int){ 2 }, "the end of the second job");
    assert_nothing_twice(s, INCIDENTS);
    assert_no_secret(s);
    free(id);

    stop_while_a_name_is_asked_for(&m);
    slack_front_stop(&m.front);
    stage_close(s);
    names_stop(&m.names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_name_server_stops_only_the_new_connection),
    };

    return cmocka_run_group_tests_name("silent names", tests, NULL, NULL);
}
