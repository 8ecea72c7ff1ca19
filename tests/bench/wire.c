#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES 262144
#define MAX_EVENTS 256
/* So that its own address tells an event of the listener or the extra descriptor apart. */
static char listener_tag, extra_tag;

struct wire {
    struct wire_events on;
    int epoll, listener, extra;
    SSL_CTX *tls;
    struct peer *peers;
    char *room;
};

uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* --- peers --- */

static void watch(struct peer *p, bool write)
{
    struct epoll_event event = { .events = EPOLLIN | (write ? EPOLLOUT : 0u), .data.ptr = p };

    p->wants_write = write;
    (void)epoll_ctl(p->wire->epoll, EPOLL_CTL_MOD, p->fd, &event);
}

static void peer_free(struct peer *p)
{
    struct wire *w = p->wire;

    if (p->is_ws)
        w->on.closed(w->on.user, p);
    if (p->prev)
        p->prev->next = p->next;
    else
        w->peers = p->next;
    if (p->next)
        p->next->prev = p->prev;
    SSL_free(p->ssl);
    close(p->fd);
    buf_clear(&p->in);
    buf_clear(&p->out);
    free(p);
}

static ssize_t transfer(struct peer *p, bool write, char *bytes, size_t len)
{
    ssize_t n;

    if (!p->ssl)
        return write ? send(p->fd, bytes, len, MSG_NOSIGNAL) : recv(p->fd, bytes, len, 0);
    ERR_clear_error();
    n = write ? SSL_write(p->ssl, bytes, (int)len) : SSL_read(p->ssl, bytes, (int)len);
    if (n > 0)
        return n;
    int why = SSL_get_error(p->ssl, (int)n);
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    return why == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

static void flush(struct peer *p)
{
    while (p->out_at < p->out.len && !p->ended) {
        ssize_t n = transfer(p, true, p->out.data + p->out_at, p->out.len - p->out_at);
        if (n <= 0) {
            if (errno != EAGAIN)
                p->ended = true;
            break;
        }
        p->out_at += (size_t)n;
    }
    if (p->out_at == p->out.len) {
        buf_reset(&p->out);
        p->out_at = 0;
    }
    bool write = p->out.len > 0;
    if (write != p->wants_write && !p->ended)
        watch(p, write);
}

static void accept_peer(struct wire *w)
{
    int fd = accept4(w->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;

    if (fd < 0)
        return;
    struct peer *p = xcalloc(1, sizeof(*p));
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = p };
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    p->wire = w;
    p->fd = fd;
    p->next = w->peers;
    if (w->peers)
        w->peers->prev = p;
    w->peers = p;
    if (w->tls) {
        p->ssl = SSL_new(w->tls);
        SSL_set_fd(p->ssl, fd);
        SSL_set_accept_state(p->ssl);
    }
    if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl");
}

/* --- HTTP --- */

static void upgrade(struct peer *p, const char *key)
{
    char line[128];
    unsigned char digest[SHA_DIGEST_LENGTH], accept[32];

    snprintf(line, sizeof(line), "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    SHA1((const unsigned char *)line, strlen(line), digest);
    EVP_EncodeBlock(accept, digest, sizeof(digest));
    buf_addf(&p->out,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %s\r\n\r\n",
             (char *)accept);
    p->is_ws = true;
    p->wire->on.opened(p->wire->on.user, p);
    p->opened_ns = now_ns();
}

void wire_answer(struct peer *p, const char *json)
{
    buf_addf(&p->out,
             "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             strlen(json), json);
}

/* The value of a header line, which begins after `name`; NULL when it is not there. */
static const char *header(const char *head, const char *name)
{
    const char *line = strcasestr(head, name);

    if (!line)
        return NULL;
    line += strlen(name);
    return line + strspn(line, " ");
}

/* Takes one request from the front; how long it was, 0: not whole yet. */
static size_t take_request(struct peer *p, char *at, size_t len)
{
    char *end = memmem(at, len, "\r\n\r\n", 4), path[2048];

    if (!end)
        return 0;
    *end = '\0';
    const char *length = header(at, "\nContent-Length:"), *key = header(at, "\nSec-WebSocket-Key:");
    size_t total = (size_t)(end - at) + 4 + (length ? strtoul(length, NULL, 10) : 0);
    if (sscanf(at, "%*7s %2047s", path) != 1)
        path[0] = '\0';
    if (total > len) {
        *end = '\r';
        return 0;
    }
    if (key)
        upgrade(p, key);
    else
        p->wire->on.request(p->wire->on.user, p, path);
    return total;
}

/* --- WebSocket --- */

static void add_frame(struct buf *out, int opcode, const char *bytes, size_t len)
{
    unsigned char head[4] = { (unsigned char)(0x80 | opcode), (unsigned char)len };

    if (len > 125) {
        head[1] = 126;
        head[2] = (unsigned char)(len >> 8);
        head[3] = (unsigned char)len;
    }
    buf_add(out, head, len > 125 ? 4 : 2);
    buf_add(out, bytes, len);
}

void wire_text(struct peer *p, const char *text, size_t len)
{
    add_frame(&p->out, 1, text, len);
}

static void unmask(unsigned char *bytes, size_t len, const unsigned char *mask)
{
    uint64_t wide, word;

    memcpy(&wide, mask, 4);
    memcpy((char *)&wide + 4, mask, 4);
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        memcpy(&word, bytes + i, 8);
        word ^= wide;
        memcpy(bytes + i, &word, 8);
    }
    for (; i < len; i++)
        bytes[i] ^= mask[i % 4];
}

static void on_frame(struct peer *p, int opcode, char *bytes, size_t len)
{
    if (opcode == 1) {
        p->wire->on.text(p->wire->on.user, p, bytes, len);
    } else if (opcode == 9) {
        add_frame(&p->out, 10, bytes, len);
    } else if (opcode == 8) {
        add_frame(&p->out, 8, bytes, len);
        flush(p);
        p->ended = true;
    }
}

/* Clients mask, and acknowledgements come in one frame of less than 64 KiB (RFC 6455, 5.2). */
static size_t take_frame(struct peer *p, unsigned char *at, size_t len)
{
    size_t head = 6, size;

    if (len < head)
        return 0;
    size = at[1] & 0x7f;
    if (size == 126) {
        head = 8;
        size = (size_t)at[2] << 8 | at[3];
    } else if (size == 127) {
        errno = EMSGSIZE;
        die("a frame of the client");
    }
    if (len < head + size)
        return 0;
    unmask(at + head, size, at + head - 4);
    on_frame(p, at[0] & 0x0f, (char *)at + head, size);
    return head + size;
}

/* --- turning --- */

static void digest(struct peer *p)
{
    size_t at = 0, n;

    do {
        n = p->is_ws ? take_frame(p, (unsigned char *)p->in.data + at, p->in.len - at)
                     : take_request(p, p->in.data + at, p->in.len - at);
        at += n;
    } while (n > 0 && at < p->in.len && !p->ended);
    memmove(p->in.data, p->in.data + at, p->in.len - at);
    buf_truncate(&p->in, p->in.len - at);
}

static void receive(struct peer *p)
{
    ssize_t n;

    do {
        n = transfer(p, false, p->wire->room, READ_BYTES);
        if (n > 0)
            buf_add(&p->in, p->wire->room, (size_t)n);
    } while (n > 0 && p->ssl); /* what OpenSSL holds back, epoll does not tell */
    if (n == 0 || (n < 0 && errno != EAGAIN))
        p->ended = true;
    if (p->in.len)
        digest(p);
}

static void reap(struct wire *w)
{
    for (struct peer *p = w->peers, *next; p; p = next) {
        next = p->next;
        if (!p->ended && p->out.len && !p->wants_write)
            flush(p);
        if (p->ended)
            peer_free(p);
    }
}

static void watch_extra(struct wire *w, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = &extra_tag };

    if (fd == w->extra)
        return;
    if (w->extra >= 0)
        (void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->extra, NULL);
    w->extra = fd;
    if (fd >= 0)
        (void)epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event);
}

bool wire_turn(struct wire *w, int64_t timeout_ns, int extra_fd)
{
    struct epoll_event events[MAX_EVENTS];
    struct timespec t = { timeout_ns / 1000000000, timeout_ns % 1000000000 };
    bool extra = false;

    reap(w);
    watch_extra(w, extra_fd);
    int n = epoll_pwait2(w->epoll, events, MAX_EVENTS, &t, NULL);
    for (int i = 0; i < n; i++) {
        struct peer *p = events[i].data.ptr;
        if (events[i].data.ptr == &listener_tag)
            accept_peer(w);
        else if (events[i].data.ptr == &extra_tag)
            extra = true;
        else {
            if (events[i].events & ~(unsigned)EPOLLOUT)
                receive(p);
            if (events[i].events & EPOLLOUT)
                flush(p);
        }
    }
    reap(w);
    return extra;
}

void wire_close(struct peer *p)
{
    p->ended = true;
}

/* --- the listener --- */

static SSL_CTX *load_tls(const char *cert, const char *key)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

    if (!tls || SSL_CTX_use_certificate_chain_file(tls, cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1) {
        ERR_print_errors_fp(stderr);
        exit(1);
    }
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return tls;
}

struct wire *wire_new(const struct wire_events *events, const char *cert, const char *key)
{
    struct wire *w = xcalloc(1, sizeof(*w));
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = &listener_tag };

    w->on = *events;
    w->extra = -1;
    w->tls = cert ? load_tls(cert, key) : NULL;
    w->room = xmalloc(READ_BYTES);
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    w->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bind(w->listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(w->listener, 1024) < 0)
        die("listen");
    if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->listener, &event) < 0)
        die("epoll_ctl");
    return w;
}

int wire_port(const struct wire *w)
{
    struct sockaddr_in at = { 0 };
    socklen_t len = sizeof(at);

    if (getsockname(w->listener, (struct sockaddr *)&at, &len) < 0)
        die("getsockname");
    return ntohs(at.sin_port);
}

void wire_free(struct wire *w)
{
    while (w->peers)
        peer_free(w->peers);
    close(w->listener);
    close(w->epoll);
    SSL_CTX_free(w->tls);
    free(w->room);
    free(w);
}
