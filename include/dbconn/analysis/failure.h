/*
 * failure - reads an exception and says: how a connection failed, to which database, where.
 *
 * It reads what drivers and servers write: the wordings of the common drivers, operating systems
 * and servers are tables of regular expressions (failure_*.c), which a reader compiles once, when
 * they are first needed. Pure: the same text gives the same verdict. One thread at a time.
 *
 * No password ever ends up in a struct failure.
 */
#ifndef DBCONN_ANALYSIS_FAILURE_H
#define DBCONN_ANALYSIS_FAILURE_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "dbconn/analysis/engine.h"
#include "dbconn/base/tristate.h"

#define FAILURE_LIST(X)                                                                            \
    X(OTHER, "other")                                                                              \
    X(CONNECTION_REFUSED, "connection_refused")                                                    \
    X(TIMEOUT, "timeout")                                                                          \
    X(DNS_FAILURE, "dns_failure")                                                                  \
    X(HOST_UNREACHABLE, "host_unreachable")                                                        \
    X(CONNECTION_RESET, "connection_reset")                                                        \
    X(TOO_MANY_CONNECTIONS, "too_many_connections")                                                \
    X(AUTHENTICATION_FAILED, "authentication_failed")                                              \
    X(TLS_FAILURE, "tls_failure")                                                                  \
    X(UNKNOWN_DATABASE, "unknown_database")                                                        \
    X(SERVER_STARTING_UP, "server_starting_up")                                                    \
    X(SOCKET_MISSING, "socket_missing")

#define X(name, text) FAILURE_##name,
enum failure_kind { FAILURE_LIST(X) FAILURE_COUNT };
#undef X

/* One server that the message names. Strings are on the heap; NULL: the message doesn't say. */
struct failure_target {
    char *host; /* as written; IPv6 without brackets; a path for a Unix socket */
    char *port;
    char *database;
    char *user;
    char **aliases; /* other spellings of host: the addresses that it resolved to, its SRV name */
    size_t n_aliases, cap_aliases;
};

struct failure {
    enum failure_kind kind;
    enum engine engine;
    enum tristate is_database;
    /* With FAILURE_OTHER: YES when the text says that a connection could not be made or broke and
     * only the cause is missing; UNKNOWN when it may be any error (bad URL, missing driver, SQL).
     * YES for every other kind. */
    enum tristate connecting;
    /* YES: the client waited for its own pool, which had lent out all its connections. NO: the pool
     * was empty, none could be made. UNKNOWN: the text tells of no pool, or not how full it was. */
    enum tristate pool_full;
    const char *instead; /* with is_database NO, what it seems to be: "an HTTP API", "a mail
                            server"; a static string, else NULL */
    struct failure_target *targets; /* the main one first; attempts at the addresses of one name
                                       are one target */
    size_t n_targets, cap_targets;
    /* How sure: kind and engine come from the driver's words, not from a wrapper or a port. */
    bool kind_is_specific;
    bool engine_is_named;
};

/* One exception of an event, as Sentry has it. Each may be NULL. */
struct failure_exception {
    const char *type;   /* "OperationalError", "java.net.ConnectException" */
    const char *value;  /* the message */
    const char *module; /* "psycopg2.errors", "com.mysql.cj.jdbc.exceptions" */
};

/* A variable of a stack frame, a tag, a member of a breadcrumb's or context's data. */
struct failure_hint {
    const char *key;   /* "host", "DB_HOST", "server.address", "kwargs" */
    const char *value; /* plain, quoted as repr() does, a DSN, or an object as JSON or literal */
};

struct failure_reader;
/* Keep it: with its first messages it compiles its tables, a few ms in all. */
struct failure_reader *failure_reader_new(void);
void failure_reader_free(struct failure_reader *r);

/* Reads one exception; *ret is written anew, the caller ends it with failure_clear(). Only the
 * first 16 KiB of a message are read. */
void failure_read(const struct failure_reader *r, const struct failure_exception *exception,
                  struct failure *ret);

/*
 * Reads a chain (or group) of exceptions, causes first and the raised one last, into one verdict:
 * what the raised one says counts, what it leaves open comes from its causes. A driver's timeout
 * whose cause is a refused connection is a refused connection. n may be 0.
 */
void failure_read_chain(const struct failure_reader *r, const struct failure_exception *chain,
                        size_t n, struct failure *ret);
void failure_clear(struct failure *f);

/*
 * Fills in what the message lacks from the pairs of ONE scope (the variables of one frame, the
 * data of one breadcrumb, the tags, ...). The pairs of a scope belong together: when they name
 * another engine, host or port than `f` does, nothing is taken from them. What `f` says is never
 * overwritten. Call it scope by scope, the most telling first. True when something was added.
 */
bool failure_add_hints(const struct failure_reader *r, const struct failure_hint *hints, size_t n,
                       struct failure *f);
/* The same for a JSON object (frame `vars`, breadcrumb `data`, a context). Not an object: false. */
bool failure_add_json_hints(const struct failure_reader *r, const cJSON *scope, struct failure *f);

/* Tells `f` that a stack frame's file, module or package is this: a name of a database layer
 * makes an open is_database YES and fills an unknown engine. False when the name says nothing. */
bool failure_add_layer(const char *name, struct failure *f);

/*
 * Is this the business of "the database refuses connections"? YES: refused, or no connection for
 * another reason (timeout, unreachable, reset, no slots, starting up, missing socket). NO: the
 * server was reached and said no to login, database name or TLS, the name didn't resolve, or it
 * is no database. UNKNOWN: applicable if it is a database, which the message doesn't tell.
 */
enum tristate failure_is_applicable(const struct failure *f);
/* The same by kind alone, for a database; UNKNOWN for FAILURE_OTHER. */
enum tristate failure_kind_is_applicable(enum failure_kind kind);

const char *failure_kind_name(enum failure_kind kind); /* "connection_refused" */
bool failure_kind_parse(const char *name, enum failure_kind *ret);
/* For people: "connection refused", "no connection slots left". */
const char *failure_kind_title(enum failure_kind kind);
/* The same of a whole verdict: says so when it is no failure of the connection at all. */
const char *failure_title(const struct failure *f);

#endif
