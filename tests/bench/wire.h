/*
 * wire - the bytes of the load generator: HTTP/1.1 and WebSocket (RFC 6455) on loopback, plain or
 * TLS, on one epoll. Made to cost little, as it shares the machine with what it measures: it
 * writes what has gathered at once and parses no JSON.
 *
 * One thread. Not a server for anything else: it trusts its client.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dbconn/base/buf.h"

struct wire; /* opaque */

struct peer {
    struct wire *wire;
    struct peer *prev, *next;
    int fd;
    void *ssl; /* NULL: plain */
    bool is_ws, wants_write, ended;
    struct buf in, out;
    size_t out_at;
    uint64_t opened_ns; /* a WebSocket: when its hello was written */
    bool leaving;       /* it was told to go */
};

struct wire_events {
    /* A whole request. Answer with wire_answer(), now, or never. */
    void (*request)(void *user, struct peer *p, const char *path);
    void (*opened)(void *user, struct peer *p); /* the WebSocket is there */
    void (*text)(void *user, struct peer *p, const char *text, size_t len);
    void (*closed)(void *user, struct peer *p); /* a WebSocket; `p` goes away afterwards */
    void *user;
};

/* Listens on a free port of 127.0.0.1. `cert` and `key` are PEM files, NULL for plain. Ends the
 * process when that cannot be. */
struct wire *wire_new(const struct wire_events *events, const char *cert, const char *key);
void wire_free(struct wire *w);
int wire_port(const struct wire *w);

void wire_answer(struct peer *p, const char *json);
void wire_text(struct peer *p, const char *text, size_t len); /* leaves with the next wire_turn() */
void wire_close(struct peer *p);                              /* cuts it */

/* Writes what has gathered, then waits for `timeout_ns` at most and handles what came.
 * `extra_fd` (-1: none) ends the wait too; returns whether it is readable. */
bool wire_turn(struct wire *w, int64_t timeout_ns, int extra_fd);

uint64_t now_ns(void); /* monotonic */

#endif
