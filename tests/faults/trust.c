/*
 * Whom the built program trusts, by both clients (libcurl's and libwebsockets'): which hosts of
 * those that Slack hands out, which certificates, which versions of TLS.
 *
 * The program gets an OpenSSL that is lenient by its own configuration, as on some machines: what
 * is refused here is refused by us.
 */
#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dbconn/base/json.h"
#include "dbconn/base/jsonc.h"
#include "names.h"
#include "slack_front.h"

#define ANSWER "db-orders.lighthouse.example" /* of the scenario database-down */
#define API_HOST "api.slack.test"
#define ELSEWHERE "elsewhere.test"

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* The front goes first: it holds the sandbox's standard input open. */
static void close_both(struct stage *s, struct slack_front *front)
{
    stage_stop_bot(s);
    slack_front_stop(front);
    stage_close(s);
}

static void be_lenient(struct stage *s)
{
    char *path = xasprintf("%s/openssl.cnf", s->dir);

    write_text(path, "openssl_conf = init\n[init]\nssl_conf = ssl\n"
                     "[ssl]\nsystem_default = lenient\n"
                     "[lenient]\nMinProtocol = TLSv1\nCipherString = DEFAULT:@SECLEVEL=0\n");
    set_variable(s, "OPENSSL_CONF", path);
    free(path);
}

/* ---- certificates and versions ---- */

static const struct {
    const char *what;
    struct front_options front;
    const char *curl, *lws; /* words of the refusals; NULL: it is trusted */
} rows[] = {
    { "TLS 1.1", { .valid_s = GOOD_S, .version = TLS1_1_VERSION }, "TLS", "the handshake failed" },
    { "a CA that nobody named",
      { .valid_s = GOOD_S, .foreign = true },
      "issuer",
      "unable to get local issuer" },
    { "an expired certificate", { .valid_s = -60 }, "expired", "certificate has expired" },
    { "another name", { .valid_s = GOOD_S, .name = "other.example" }, "name", "hostname mismatch" },
    { "TLS 1.2", { .valid_s = GOOD_S, .version = TLS1_2_VERSION }, NULL, NULL },
};

static void start_row(struct front *front, const char *to, size_t i)
{
    struct front_options options = rows[i].front;

    options.kind = FRONT_BYTES;
    options.to = to;
    front_start(front, &options);
}

static char *log_of_run(const struct stage *s)
{
    char *path = xasprintf("%s/run.log", s->dir);
    struct buf text = BUF_INIT;
    struct error err = ERROR_INIT;

    assert_int_equal(file_read(path, 1u << 20, &text, &err), 0);
    unlink(path);
    free(path);
    return buf_take(&text);
}

static void sentry_is_asked_over_tls_that_can_be_trusted(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct stage_options options = { .scenario = "database-down", .no_bot = true };
        struct front front = { 0 };
        struct stage s;
        int code;
        stage_open(&s, &options);
        char *config = write_config(&s, NULL, NULL);
        be_lenient(&s);
        start_row(&front, json_str(s.env, "SENTRY_URL"), i);
        set_variable(&s, "SENTRY_URL", front.url);
        const char *args[] = { "run", s.short_id, "--config", config, NULL };
        char *out = stage_run(&s, args, &code), *log = log_of_run(&s);
        bool told = strstr(log, "Sentry could not be reached: no trusted TLS connection to "
                                "localhost") != NULL;
        if (code != (rows[i].curl ? 1 : 0) || told != (rows[i].curl != NULL) ||
            (rows[i].curl && !strstr(log, rows[i].curl)))
            fail_msg("%s: exit code %d, %s", rows[i].what, code, log);
        assert_int_equal(count_requests(&s, "sentry") == 0, rows[i].curl != NULL);
        assert_no_secret(&s);
        free(log);
        free(out);
        free(config);
        front_stop(&front);
        stage_close(&s);
    }
}

static void the_socket_is_opened_over_tls_that_can_be_trusted(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct stage_options options = { .scenario = "database-down", .no_bot = true };
        struct slack_front front = { 0 };
        struct stage s;
        stage_open(&s, &options);
        s.config = write_config(&s, NULL, NULL);
        be_lenient(&s);
        slack_front_start(&s, &front);
        start_row(&front.socket, front.http, i);
        stage_spawn_bot(&s);
        if (rows[i].lws) {
            char *words = xasprintf("no trusted TLS connection to localhost: %s", rows[i].lws);
            wait_until(&s, log_has, words, rows[i].what);
            assert_false(is_connected(&s, NULL));
            free(words);
        } else {
            wait_until(&s, is_connected, NULL, rows[i].what);
        }
        assert_no_secret(&s);
        close_both(&s, &front);
    }
}

/* Without this the rows above would say nothing about versions. */
static void the_server_of_an_old_version_speaks_it(void **state)
{
    struct front front = { 0 };
    SSL_CTX *lenient = SSL_CTX_new(TLS_client_method());

    (void)state;
    SSL_CTX_set_security_level(lenient, 0);
    SSL_CTX_set_min_proto_version(lenient, TLS1_VERSION);
    start_row(&front, "http://127.0.0.1:9", 0);
    BIO *bio = BIO_new_ssl_connect(lenient);
    char *address = xasprintf("127.0.0.1:%d", front.port);
    BIO_set_conn_hostname(bio, address);
    assert_int_equal(BIO_do_handshake(bio), 1);
    SSL *ssl = NULL;
    BIO_get_ssl(bio, &ssl);
    assert_string_equal(SSL_get_version(ssl), "TLSv1.1");
    BIO_free_all(bio);
    SSL_CTX_free(lenient);
    free(address);
    front_stop(&front);
}

/* ---- hosts ---- */

/* Slack by name: none of its addresses is one of this machine's, as the bot sees it. What Slack
 * hands out for the socket and for uploads is ELSEWHERE. */
struct machine {
    struct stage stage;
    struct names names;
    struct slack_front front;
};

static bool open_machine(struct machine *m)
{
    struct stage_options options = { .scenario = "database-down", .no_bot = true };
    const char *tmp = getenv("TMPDIR");
    char *dir = xasprintf("%s/dbconn-names-XXXXXX", tmp && *tmp ? tmp : "/tmp");

    assert_non_null(mkdtemp(dir));
    *m = (struct machine){ .front = { .api_host = API_HOST, .socket_host = ELSEWHERE } };
    bool moved = names_start(&m->names, dir, "");
    if (moved) {
        stage_open(&m->stage, &options);
        slack_front_start(&m->stage, &m->front);
    } else {
        names_stop(&m->names);
    }
    free(dir);
    return moved;
}

/* Uploads go to ELSEWHERE too: what stands in answers for the sandbox's own address. */
static void hand_out_elsewhere(struct machine *m)
{
    const struct front_options options = {
        .kind = FRONT_HTTP2,
        .to = m->front.http,
        .host = API_HOST,
        .valid_s = GOOD_S,
        .rewrites = { { m->front.ws, m->front.wss }, { m->front.http, m->front.socket.url } },
    };

    front_start(&m->front.api, &options);
}

/* `pattern` NULL: nothing more is allowed. */
static void allow(struct machine *m, const char *pattern)
{
    char *host = pattern ? xasprintf("slack=%s:%d", pattern, m->front.socket.port) : NULL;

    free(m->stage.config);
    m->stage.config = write_config(&m->stage, host, ",\"slack\":{\"chart\":\"image\"}");
    free(host);
}

static void a_host_that_slack_hands_out_is_asked_only_when_it_is_allowed(void **state)
{
    struct machine m;
    struct stage *s = &m.stage;

    (void)state;
    if (!open_machine(&m)) {
        print_message("left out: the kernel gives us no namespaces here (%s)\n", strerror(errno));
        skip();
    }
    char *refusal = xasprintf("slack is not asked at " ELSEWHERE " port %d: not one of its hosts "
                              "(add it to net.allow_hosts if it should be)",
                              m.front.socket.port);
    allow(&m, NULL);
    stage_spawn_bot(s);
    wait_until(s, log_has, refusal, "the refusal of the socket's host");
    assert_false(is_connected(s, NULL));
    stage_stop_bot(s);

    allow(&m, "*.test"); /* a pattern, of one service and port */
    stage_start_bot(s);
    hand_out_elsewhere(&m);
    free(type_command(s, INCIDENTS, s->short_id));
    wait_until(s, job_has_ended, NULL, "the end of the job");
    assert_shows(s, ANSWER);
    assert_int_equal(count_calls(s, "files.completeUploadExternal", 200), 1);
    assert_no_secret(s);
    free(refusal);
    close_both(s, &m.front);
    names_stop(&m.names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server_of_an_old_version_speaks_it),
        cmocka_unit_test(sentry_is_asked_over_tls_that_can_be_trusted),
        cmocka_unit_test(the_socket_is_opened_over_tls_that_can_be_trusted),
        cmocka_unit_test(a_host_that_slack_hands_out_is_asked_only_when_it_is_allowed),
    };

    return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
