/*
 * One process that listens, and one for each connection, all of them blocking: they come and go
 * with a test, and none knows of another.
 */
#include "front.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dbconn/base/text.h"
#include "front_internal.h"

#define CA_VALID_S 86400
#define GIVE_UP_S 20 /* on a peer that says nothing during the handshake */

/* ---- the certificate ---- */

struct authority {
    EVP_PKEY *key;
    X509 *cert;
};

/* Made once, before anything is forked. */
static struct authority ca, stranger;

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
}

/* Signed by `by`, or by itself: a CA. */
static X509 *make_certificate(const char *name, long valid_s, EVP_PKEY *key,
                              const struct authority *by)
{
    static long number;
    X509 *cert = X509_new();

    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), ++number);
    X509_gmtime_adj(X509_getm_notBefore(cert), -2 * 3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), valid_s);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(by ? by->cert : cert));
    add_extension(cert, NID_basic_constraints, by ? "CA:FALSE" : "critical,CA:TRUE");
    char *san = xasprintf("DNS:%s", name);
    if (by)
        add_extension(cert, NID_subject_alt_name, san);
    X509_sign(cert, by ? by->key : key, EVP_sha256());
    free(san);
    return cert;
}

static void need(struct authority *authority, const char *name)
{
    if (authority->cert)
        return;
    authority->key = EVP_EC_gen("P-256");
    authority->cert = make_certificate(name, CA_VALID_S, authority->key, NULL);
}

static void need_ca(void)
{
    need(&ca, "dbconn tests");
    need(&stranger, "a stranger");
}

void front_write_ca(const char *path)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    need_ca();
    PEM_write_X509(file, ca.cert);
    fclose(file);
}

static int choose_h2(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                     const unsigned char *in, unsigned in_len, void *user)
{
    static const unsigned char wanted[] = "\x02h2";

    (void)ssl, (void)user;
    if (SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_len, wanted, 3, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *make_tls(const struct front_options *o, const char *host)
{
    need_ca();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert =
        make_certificate(o->name ? o->name : host, o->valid_s, key, o->foreign ? &stranger : &ca);
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

    SSL_CTX_use_certificate(tls, cert);
    SSL_CTX_use_PrivateKey(tls, key);
    if (o->version) {
        SSL_CTX_set_security_level(tls, 0); /* what is old needs SHA-1 */
        SSL_CTX_set_min_proto_version(tls, o->version);
        SSL_CTX_set_max_proto_version(tls, o->version);
    }
    if (o->kind != FRONT_BYTES)
        SSL_CTX_set_alpn_select_cb(tls, choose_h2, NULL);
    X509_free(cert);
    EVP_PKEY_free(key);
    return tls;
}

/* ---- bytes ---- */

static int connect_to(const char *url)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port =
                                       htons((uint16_t)strtol(strrchr(url, ':') + 1, NULL, 10)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        _exit(1);
    return fd;
}

static bool pass_in(SSL *ssl, int to)
{
    char bytes[16384];
    int n = SSL_read(ssl, bytes, sizeof(bytes));

    return n > 0 && send(to, bytes, (size_t)n, MSG_NOSIGNAL) == n;
}

static bool pass_out(SSL *ssl, int from)
{
    char bytes[16384];
    ssize_t n = read(from, bytes, sizeof(bytes));

    return n > 0 && SSL_write(ssl, bytes, (int)n) == n;
}

static void pass_bytes(SSL *ssl, int fd, const char *url)
{
    struct pollfd fds[2] = { { fd, POLLIN, 0 }, { connect_to(url), POLLIN, 0 } };

    for (;;) {
        bool ready = SSL_pending(ssl) > 0;
        if (!ready && poll(fds, 2, -1) < 0)
            return;
        if ((ready || fds[0].revents) && !pass_in(ssl, fds[1].fd))
            return;
        if (!ready && fds[1].revents && !pass_out(ssl, fds[1].fd))
            return;
    }
}

/* ---- connections ---- */

/* What is closed with bytes unread resets the connection, and the peer may lose our last words. */
static void hang_up(SSL *ssl, int fd)
{
    char bytes[4096];

    alarm(GIVE_UP_S);
    SSL_shutdown(ssl);
    shutdown(fd, SHUT_WR);
    while (read(fd, bytes, sizeof(bytes)) > 0)
        continue;
    close(fd);
}

static void serve(SSL_CTX *tls, int fd, const struct front_options *o)
{
    SSL *ssl = SSL_new(tls);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    SSL_set_fd(ssl, fd);
    alarm(GIVE_UP_S);
    if (SSL_accept(ssl) != 1)
        _exit(1);
    alarm(0);
    if (o->kind == FRONT_BYTES)
        pass_bytes(ssl, fd, o->to);
    else
        front_http2(ssl, o);
    hang_up(ssl, fd);
    _exit(0);
}

static void listen_for_ever(SSL_CTX *tls, int listener, const struct front_options *o)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_IGN); /* nobody waits for them */
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0 && fork() == 0)
            serve(tls, fd, o);
        if (fd >= 0)
            close(fd);
    }
}

static void listen_on_any_port(struct front *front, const char *host)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(address);

    front->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(front->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(front->listener, 64), 0);
    getsockname(front->listener, (struct sockaddr *)&address, &len);
    front->port = ntohs(address.sin_port);
    front->url = xasprintf("https://%s:%d", host, front->port);
}

static void end_process(struct front *front)
{
    if (front->pid > 0) {
        kill(front->pid, SIGKILL);
        waitpid(front->pid, NULL, 0);
    }
    front->pid = 0;
}

void front_start(struct front *front, const struct front_options *o)
{
    const char *host = o->host ? o->host : "localhost";
    SSL_CTX *tls = make_tls(o, host);

    end_process(front);
    if (!front->url)
        listen_on_any_port(front, host);
    front->pid = fork();
    assert_true(front->pid >= 0);
    if (front->pid == 0)
        listen_for_ever(tls, front->listener, o);
    SSL_CTX_free(tls);
}

void front_stop(struct front *front)
{
    end_process(front);
    if (front->url)
        close(front->listener);
    free(front->url);
    *front = (struct front){ 0 };
}
