/*
 * check - what the files of `dbconn check` share: lines with a verdict, and the answers that are
 * still out.
 *
 *   check_command.c  the command, and the sources
 *   check_slack.c    tokens, scopes, clock, the socket's host
 *   check_local.c    what needs no network: access, the store
 */
#ifndef DBCONN_APP_CHECK_H
#define DBCONN_APP_CHECK_H

#include "dbconn/app/services.h"
#include "dbconn/slack/access.h"

struct webapi;

struct check {
    const struct config *config;
    struct services services;
    struct access *access; /* NULL when the rules are wrong */
    struct webapi *slack;
    int waiting; /* answers that are still out */
    bool failed;
};

enum verdict { GOOD, WARNING, BAD };

/* Prints "ok|warning|FAILED SERVICE TEXT". */
void check_line(struct check *c, enum verdict v, const char *service, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* One of those that count in `waiting` has come. */
void check_answered(struct check *c);
/* Warns when the service's clock is another one. TIME_UNKNOWN: not told. */
void check_clock(struct check *c, const char *service, int64_t skew_ms);

int check_slack(struct check *c, struct error *err) MUST_CHECK;
void check_access(struct check *c); /* sets c->access */
void check_store(struct check *c);

/* What an entry of access.allow means: "U0A: this person". Pure. */
void check_explain_allowed(const char *entry, struct buf *out);
/* The same of access.projects: "C0A=shop". */
void check_explain_project(const char *entry, struct buf *out);
/* Is a store's URL at this host and port, as far as the names tell? Pure. */
bool check_same_server(const char *store_url, const char *host, const char *port);

#endif
