/* Outgoing connections, by both clients (libcurl's and libwebsockets') against real TLS: versions,
 * redirects, proxies. Certificates and addresses: test_http.c, test_websocket.c, test_policy.c.
 *
 * OpenSSL's own configuration is made lenient for this program, as some machines have it: what is
 * refused here is refused by us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

#include "dbconn/base/text.h"
#include "dbconn/net/http.h"
#include "dbconn/net/loop.h"
#include "dbconn/net/policy.h"
#include "dbconn/net/websocket.h"
#include "fake_http.h"

/* A name that leads to this machine: for such ones a proxy is asked, for addresses of this machine
 * never. */
#define NAME "slack.test"

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret)
{
    typedef int fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    static fn *_Atomic real;
    fn *found = real;

    if (!found) {
        void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
        memcpy(&found, &symbol, sizeof(found));
        real = found;
    }
    return found(name && strcmp(name, NAME) == 0 ? "127.0.0.1" : name, service, hints, ret);
}

/* ---- a server, and both clients ---- */

struct bench {
    uv_loop_t loop;
    struct net_policy *policy;
    struct http *http;
    struct http_service *service;
    struct websockets *sockets;
    struct fake_http server, other; /* the second one: a proxy, or somebody else */
    char pem[64], location[128];
    struct buf asked; /* of the second one, a line each */
    int ended;        /* calls and sockets */
    int status;
    struct error err;
};

static void answer(struct fake_conn *conn, const struct fake_request *request, void *user)
{
    struct bench *b = user;
    char *headers = b->location[0] ? xasprintf("Location: %s\r\n", b->location) : xstrdup("");

    (void)request;
    fake_reply(conn, b->location[0] ? 302 : 200, headers, "");
    free(headers);
}

static void answer_elsewhere(struct fake_conn *conn, const struct fake_request *request, void *user)
{
    struct bench *b = user;

    buf_addf(&b->asked, "%s %s\n%s", request->method, request->target, request->head);
    fake_reply(conn, 403, "", "");
}

static void bench_open(struct bench *b, const char *cert_name)
{
    static int n;

    memset(b, 0, sizeof(*b));
    uv_loop_init(&b->loop);
    fake_http_start(&b->server, &b->loop, answer, b);
    fake_http_start(&b->other, &b->loop, answer_elsewhere, b);
    snprintf(b->pem, sizeof(b->pem), "/tmp/test_outgoing_%d_%d.pem", (int)getpid(), n++);
    fake_use_tls(&b->server.tcp, cert_name, 3600, b->pem);
    b->policy = net_policy_new();
    net_policy_set_ca_file(b->policy, b->pem);
    char *base = xasprintf("https://%s:%d/api/", cert_name, b->server.tcp.port);
    assert_int_equal(net_policy_add_base(b->policy, "slack", base, NULL), 0);
    free(base);
    assert_int_equal(http_new(&b->loop, b->policy, &b->http, NULL), 0);
    b->service = http_service(
        b->http, &(struct http_service_options){
                     .name = "slack", .title = "Slack", .max_attempts = 1, .max_in_flight = 2 });
    assert_int_equal(websockets_new(&b->loop, b->policy, &b->sockets, NULL), 0);
}

static void bench_close(struct bench *b)
{
    http_free(b->http);
    websockets_free(b->sockets);
    fake_http_stop(&b->server);
    fake_http_stop(&b->other);
    assert_true(loop_finish(&b->loop));
    net_policy_free(b->policy);
    buf_clear(&b->asked);
    error_clear(&b->err);
    unlink(b->pem);
}

static void on_reply(void *user, const struct http_reply *reply, const struct error *err)
{
    struct bench *b = user;

    b->ended++;
    b->status = reply ? reply->status : 0;
    if (err)
        error_copy(&b->err, err);
}

static void on_closed(void *user, const struct websocket_end *end)
{
    struct bench *b = user;

    (void)end;
    b->ended++;
}

static void ignore_open(void *user)
{
    (void)user;
}

static void ignore_message(void *user, const char *text, size_t len)
{
    (void)user;
    (void)text;
    (void)len;
}

/* One request with a token; to its end. */
static void ask(struct bench *b, const char *name)
{
    static const char *const headers[] = { "Authorization: Bearer hush", NULL };
    char *url = xasprintf("https://%s:%d/api/x", name, b->server.tcp.port);
    const struct http_request request = {
        .service = b->service, .url = url, .headers = headers, .done = on_reply, .user = b
    };

    error_clear(&b->err);
    b->ended = 0;
    assert_non_null(http_start(b->http, &request, &b->err));
    while (b->ended == 0)
        uv_run(&b->loop, UV_RUN_ONCE);
    free(url);
}

/* One socket; to its end, as nobody here upgrades. */
static void open_socket(struct bench *b, const char *name)
{
    char *url = xasprintf("wss://%s:%d/?ticket=hush", name, b->server.tcp.port);
    const struct websocket_options options = { .service = "slack",
                                               .title = "Slack",
                                               .url = url,
                                               .on_open = ignore_open,
                                               .on_message = ignore_message,
                                               .on_close = on_closed,
                                               .user = b };

    b->ended = 0;
    struct websocket *ws = websocket_open(b->sockets, &options, &b->err);
    assert_non_null(ws);
    while (b->ended == 0)
        uv_run(&b->loop, UV_RUN_ONCE);
    websocket_free(ws);
    free(url);
}

/* ---- versions of TLS ---- */

/* Would a client without rules of its own agree with this server? Both in memory. */
static bool lenient_client_agrees(SSL_CTX *server_ctx)
{
    SSL_CTX *client_ctx = SSL_CTX_new(TLS_client_method());
    SSL *client = SSL_new(client_ctx), *server = SSL_new(server_ctx);
    BIO *ours, *theirs;
    bool agreed = false;

    assert_int_equal(BIO_new_bio_pair(&ours, 0, &theirs, 0), 1);
    SSL_set_bio(client, ours, ours);
    SSL_set_bio(server, theirs, theirs);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int i = 0; i < 20 && !agreed; i++) {
        int one = SSL_do_handshake(client), two = SSL_do_handshake(server);
        agreed = one == 1 && two == 1;
    }
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(client_ctx);
    return agreed;
}

static void tls_before_1_2_is_refused_by_both_clients(void **state)
{
    static const struct {
        int version;
        bool accepted;
    } rows[] = { { TLS1_VERSION, false },
                 { TLS1_1_VERSION, false },
                 { TLS1_2_VERSION, true },
                 { TLS1_3_VERSION, true } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b;
        bench_open(&b, "127.0.0.1");
        SSL_CTX_set_min_proto_version(b.server.tcp.tls, rows[i].version);
        SSL_CTX_set_max_proto_version(b.server.tcp.tls, rows[i].version);
        assert_true(lenient_client_agrees(b.server.tcp.tls));
        ask(&b, "127.0.0.1");
        assert_int_equal(b.status, rows[i].accepted ? 200 : 0);
        assert_int_equal(b.server.requests, rows[i].accepted);
        if (!rows[i].accepted) {
            assert_int_equal(b.err.code, ERR_NETWORK);
            assert_non_null(strstr(error_text(&b.err), "TLS"));
        }
        b.server.requests = 0;
        open_socket(&b, "127.0.0.1");
        assert_int_equal(b.server.requests, rows[i].accepted);
        bench_close(&b);
    }
}

/* ---- redirects ---- */

static void a_token_follows_no_redirect_to_another_host_port_or_to_plaintext(void **state)
{
    static const char *const elsewhere[] = { "http://127.0.0.1:%d/x", "https://127.0.0.1:%d/x",
                                             "//127.0.0.1:%d/x", "http://localhost:%d/x" };
    char plain[64];

    (void)state;
    for (size_t i = 0; i <= ARRAY_LEN(elsewhere); i++) {
        struct bench b;
        bench_open(&b, "127.0.0.1");
        (void)snprintf(plain, sizeof(plain), "http://127.0.0.1:%d/x", b.server.tcp.port);
        char *digits = xasprintf("%d", b.other.tcp.port);
        if (i == ARRAY_LEN(elsewhere)) { /* the same host and port, without TLS */
            (void)snprintf(b.location, sizeof(b.location), "%s", plain);
        } else {
            const char *hole = strstr(elsewhere[i], "%d");
            (void)snprintf(b.location, sizeof(b.location), "%.*s%s%s", (int)(hole - elsewhere[i]),
                           elsewhere[i], digits, hole + 2);
        }
        ask(&b, "127.0.0.1");
        assert_int_equal(b.status, 0);
        assert_int_equal(b.err.code, ERR_PROTOCOL);
        assert_non_null(strstr(error_text(&b.err), "elsewhere"));
        assert_int_equal(b.other.tcp.connections, 0);
        assert_int_equal(b.server.tcp.connections, 1);
        free(digits);
        bench_close(&b);
    }
}

/* ---- proxies ---- */

static void a_proxy_is_used_by_both_clients_but_for_what_no_proxy_names(void **state)
{
    static const struct {
        const char *variable, *no_proxy;
        bool proxied;
    } rows[] = {
        { "HTTPS_PROXY", "", true },    { "https_proxy", "", true },
        { "ALL_PROXY", "", true },      { "HTTPS_PROXY", "other.test", true },
        { "HTTPS_PROXY", NAME, false }, { "HTTPS_PROXY", ".test", false },
        { "HTTPS_PROXY", "*", false },  { "HTTP_PROXY", "", false }, /* for http:// only */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b;
        char *proxy, *connect;
        bench_open(&b, NAME);
        proxy = xasprintf("http://127.0.0.1:%d", b.other.tcp.port);
        connect = xasprintf("CONNECT " NAME ":%d\n", b.server.tcp.port);
        setenv(rows[i].variable, proxy, 1);
        setenv("NO_PROXY", rows[i].no_proxy, 1);
        for (int client = 0; client < 2; client++) {
            buf_reset(&b.asked);
            b.other.requests = b.server.requests = 0;
            if (client == 0)
                ask(&b, NAME);
            else
                open_socket(&b, NAME);
            assert_int_equal(b.other.requests, rows[i].proxied);
            assert_int_equal(b.server.requests, !rows[i].proxied);
            assert_int_equal(strstr(buf_str(&b.asked), connect) != NULL, rows[i].proxied);
            assert_null(strstr(buf_str(&b.asked), "hush"));
        }
        unsetenv(rows[i].variable);
        unsetenv("NO_PROXY");
        free(proxy);
        free(connect);
        bench_close(&b);
    }
}

/* ---- the program starts itself anew with a lenient OpenSSL ---- */

static const char lenient[] =
    "openssl_conf = init\n[init]\nssl_conf = ssl\n"
    "[ssl]\nsystem_default = lenient\n"
    "[lenient]\nMinProtocol = TLSv1\nCipherString = DEFAULT:@SECLEVEL=0\n";

static int start_anew(char **argv)
{
    char path[] = "/tmp/test_outgoing_XXXXXX";
    int fd = mkstemp(path);

    if (fd < 0 || write(fd, lenient, sizeof(lenient) - 1) != (ssize_t)sizeof(lenient) - 1)
        return 1;
    close(fd);
    setenv("OPENSSL_CONF", path, 1);
    setenv("TEST_OUTGOING_CONF", path, 1);
    execv(argv[0], argv); /* under valgrind /proc/self/exe is valgrind */
    return 1;
}

static void forget_environment(void)
{
    static const char *const names[] = { "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
                                         "all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unsetenv(names[i]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls_before_1_2_is_refused_by_both_clients),
        cmocka_unit_test(a_token_follows_no_redirect_to_another_host_port_or_to_plaintext),
        cmocka_unit_test(a_proxy_is_used_by_both_clients_but_for_what_no_proxy_names),
    };

    (void)argc;
    if (!getenv("TEST_OUTGOING_CONF"))
        return start_anew(argv);
    forget_environment();
    if (http_global_init(NULL) < 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    http_global_clear();
    unlink(getenv("TEST_OUTGOING_CONF"));
    return failed;
}
