/*
 * front - stands before the sandbox as a load balancer does: ends TLS, speaks HTTP/2 or passes
 * bytes on. A process of its own; it ends with the test at the latest.
 */
#ifndef TESTS_FAULTS_FRONT_H
#define TESTS_FAULTS_FRONT_H

#include <stdbool.h>
#include <sys/types.h>

enum front_kind {
    FRONT_BYTES,          /* TLS, and what is inside as it stands */
    FRONT_HTTP2,          /* HTTP/2, passed on as HTTP/1.1 */
    FRONT_GOAWAY_AFTER,   /* each connection serves one request, and GOAWAY refuses the others */
    FRONT_GOAWAY_FIRST,   /* GOAWAY instead of any answer, then the end (RFC 9113, 6.8) */
    FRONT_GOAWAY_MIDDLE,  /* half an answer, GOAWAY with an error, the end */
    FRONT_GOAWAY_SILENCE, /* a polite GOAWAY, and then nothing at all */
};

struct front_rewrite {
    const char *from, *to; /* in heads and bodies of answers, HTTP/2 only */
};

struct front_options {
    enum front_kind kind;
    const char *to;   /* "http://127.0.0.1:4711" */
    const char *host; /* as it is asked for; NULL: localhost */
    const char *name; /* in the certificate; NULL: as `host` */
    long valid_s;     /* of the certificate, from now; below 0: it has expired */
    bool foreign;     /* signed by a CA that nobody was told of */
    int version;      /* the only one of TLS that it speaks, such as TLS1_1_VERSION; 0: all */
    struct front_rewrite rewrites[2];
};

struct front {
    pid_t pid;
    int listener; /* stays over a new start: nobody else gets the port in between */
    int port;
    char *url; /* "https://localhost:4712" */
};

/* The CA of all fronts of this test program, in PEM. */
void front_write_ca(const char *path);

/* Fails the test when it cannot listen. One that is there already gives way to the new one at the
 * same address; connections to it are cut. */
void front_start(struct front *front, const struct front_options *options);
void front_stop(struct front *front);

#endif
