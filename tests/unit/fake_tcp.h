/*
 * fake_tcp - a server on the test's own loop, on a free loopback port, with TLS when wanted.
 *
 * Header-only, so that each test program stays one file. fake_http.h and fake_ws.h speak on top.
 */
#ifndef DBCONN_TESTS_FAKE_TCP_H
#define DBCONN_TESTS_FAKE_TCP_H

#include <assert.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

#include "dbconn/base/buf.h"

struct fake_server;

struct fake_conn {
    uv_tcp_t tcp; /* first */
    struct fake_server *server;
    struct fake_conn *prev, *next;
    struct buf in; /* what has come and was not taken yet */
    char chunk[16384];
    bool closing;
    SSL *ssl; /* NULL: plain text */
    BIO *from_peer, *to_peer;
    bool busy;     /* fake_http: a request has no answer yet */
    bool upgraded; /* fake_ws: frames, not HTTP */
    int number;    /* the how-manieth connection, from 1 */
};

struct fake_server {
    uv_tcp_t listener; /* first */
    void (*on_data)(struct fake_conn *conn);
    int port;
    int connections; /* so far */
    struct fake_conn *conns;
    SSL_CTX *tls;
};

struct fake_write {
    uv_write_t req; /* first */
    struct buf out;
};

static void fake_conn_closed(uv_handle_t *handle)
{
    struct fake_conn *conn = (struct fake_conn *)handle;

    SSL_free(conn->ssl); /* its BIOs too */
    buf_clear(&conn->in);
    free(conn);
}

static inline void fake_drop(struct fake_conn *conn)
{
    if (conn->closing)
        return;
    conn->closing = true;
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        conn->server->conns = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    uv_close((uv_handle_t *)&conn->tcp, fake_conn_closed);
}

static void fake_written(uv_write_t *req, int status)
{
    (void)status;
    buf_clear(&((struct fake_write *)req)->out);
    free(req);
}

static inline void fake_write_raw(struct fake_conn *conn, const void *bytes, size_t len)
{
    struct fake_write *w = xcalloc(1, sizeof(*w));

    buf_add(&w->out, bytes, len);
    uv_buf_t out = uv_buf_init(w->out.data, (unsigned)len);
    if (conn->closing || uv_write(&w->req, (uv_stream_t *)&conn->tcp, &out, 1, fake_written) < 0)
        fake_written(&w->req, -1);
}

static inline void fake_tls_flush(struct fake_conn *conn)
{
    char *bytes;
    long n = BIO_get_mem_data(conn->to_peer, &bytes);

    if (n > 0)
        fake_write_raw(conn, bytes, (size_t)n);
    (void)BIO_reset(conn->to_peer);
}

static inline void fake_send(struct fake_conn *conn, const void *bytes, size_t len)
{
    if (conn->ssl) {
        SSL_write(conn->ssl, bytes, (int)len);
        fake_tls_flush(conn);
    } else {
        fake_write_raw(conn, bytes, len);
    }
}

/* Takes `n` bytes off the front of what has come. */
static inline void fake_consume(struct fake_conn *conn, size_t n)
{
    memmove(conn->in.data, conn->in.data + n, conn->in.len - n);
    buf_truncate(&conn->in, conn->in.len - n);
}

static void fake_alloc(uv_handle_t *handle, size_t size, uv_buf_t *ret)
{
    struct fake_conn *conn = (struct fake_conn *)handle;

    (void)size;
    *ret = uv_buf_init(conn->chunk, sizeof(conn->chunk));
}

static inline void fake_tls_read(struct fake_conn *conn, const char *bytes, size_t len)
{
    char plain[4096];
    int n;

    BIO_write(conn->from_peer, bytes, (int)len);
    while ((n = SSL_read(conn->ssl, plain, sizeof(plain))) > 0)
        buf_add(&conn->in, plain, (size_t)n);
    bool broken = SSL_get_error(conn->ssl, n) != SSL_ERROR_WANT_READ;
    fake_tls_flush(conn);
    if (broken)
        fake_drop(conn);
}

static void fake_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
    struct fake_conn *conn = (struct fake_conn *)stream;

    if (n < 0) {
        fake_drop(conn);
        return;
    }
    if (conn->ssl)
        fake_tls_read(conn, bytes->base, (size_t)n);
    else
        buf_add(&conn->in, bytes->base, (size_t)n);
    if (!conn->closing && conn->in.len)
        conn->server->on_data(conn);
}

static void fake_accept(uv_stream_t *listener, int status)
{
    struct fake_server *server = (struct fake_server *)listener;
    struct fake_conn *conn = xcalloc(1, sizeof(*conn));

    assert(status == 0);
    (void)status;
    uv_tcp_init(listener->loop, &conn->tcp);
    conn->server = server;
    conn->next = server->conns;
    if (server->conns)
        server->conns->prev = conn;
    server->conns = conn;
    conn->number = ++server->connections;
    if (server->tls) {
        conn->ssl = SSL_new(server->tls);
        conn->from_peer = BIO_new(BIO_s_mem());
        conn->to_peer = BIO_new(BIO_s_mem());
        SSL_set_bio(conn->ssl, conn->from_peer, conn->to_peer);
        SSL_set_accept_state(conn->ssl);
    }
    uv_accept(listener, (uv_stream_t *)&conn->tcp);
    uv_tcp_nodelay(&conn->tcp, 1);
    uv_read_start((uv_stream_t *)&conn->tcp, fake_alloc, fake_read);
}

static inline void fake_listen(struct fake_server *server, uv_loop_t *loop,
                               void (*on_data)(struct fake_conn *conn))
{
    struct sockaddr_in addr;
    struct sockaddr_storage bound;
    int len = sizeof(bound);

    memset(server, 0, sizeof(*server));
    server->on_data = on_data;
    uv_tcp_init(loop, &server->listener);
    uv_ip4_addr("127.0.0.1", 0, &addr);
    uv_tcp_bind(&server->listener, (struct sockaddr *)&addr, 0);
    uv_listen((uv_stream_t *)&server->listener, 128, fake_accept);
    uv_tcp_getsockname(&server->listener, (struct sockaddr *)&bound, &len);
    server->port = ntohs(((struct sockaddr_in *)&bound)->sin_port);
    uv_unref((uv_handle_t *)&server->listener);
}

static inline void fake_close(struct fake_server *server)
{
    while (server->conns)
        fake_drop(server->conns);
    if (!uv_is_closing((uv_handle_t *)&server->listener))
        uv_close((uv_handle_t *)&server->listener, NULL);
    SSL_CTX_free(server->tls);
    server->tls = NULL;
}

/* --- TLS: a certificate of its own, for `name` ("localhost" or an address) --- */

static inline void fake_add_san(X509 *cert, const char *name)
{
    bool address = strspn(name, "0123456789.") == strlen(name);
    char *san = xasprintf("%s:%s", address ? "IP" : "DNS", name);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);

    X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
    free(san);
}

/* Self-signed, valid from an hour ago for `valid_s` seconds; also written to `pem_path` as the CA
 * to trust. */
static inline void fake_use_tls(struct fake_server *server, const char *name, long valid_s,
                                const char *pem_path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();

    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), (long)uv_hrtime());
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), valid_s);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"dbconn test", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    fake_add_san(cert, name);
    X509_sign(cert, key, EVP_sha256());
    server->tls = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(server->tls, cert);
    SSL_CTX_use_PrivateKey(server->tls, key);
    FILE *pem = fopen(pem_path, "w");
    assert(pem);
    PEM_write_X509(pem, cert);
    fclose(pem);
    X509_free(cert);
    EVP_PKEY_free(key);
}

#endif
