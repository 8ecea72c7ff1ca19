/*
 * trust - the CA certificates that connections are checked against, one store for libcurl and
 * libwebsockets alike, loaded when the first TLS connection needs it and never twice.
 *
 * Debian's bundle costs tens of milliseconds and some MiB to load, so its directory of hash links
 * is preferred: OpenSSL then reads just the certificates that a chain asks for.
 */
#ifndef DBCONN_NET_TRUST_H
#define DBCONN_NET_TRUST_H

#include <openssl/ssl.h>

#include "dbconn/base/error.h"

struct trust;

struct trust *trust_new(void);
void trust_free(struct trust *trust);

/* A PEM file instead of the system's CAs; NULL for the system's. Before the first use. */
void trust_set_file(struct trust *trust, const char *path);

/* Loads what is to be loaded. Errors: ERR_CONFIG naming the file. */
int trust_load(struct trust *trust, struct error *err) MUST_CHECK;

/* Makes `ctx` check peers against these CAs. Errors: as trust_load(). */
int trust_apply(struct trust *trust, SSL_CTX *ctx, struct error *err) MUST_CHECK;

#endif
