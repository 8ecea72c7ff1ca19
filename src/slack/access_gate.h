/*
 * access_gate - decides about requests, asking Slack for the facts that are missing.
 *
 * Answers are kept for some minutes, and only so many of them; failures for some seconds. Requests
 * that need the same fact share one call. A request whose facts do not come in time is refused.
 * Loop thread only.
 */
#ifndef DBCONN_SLACK_ACCESS_GATE_H
#define DBCONN_SLACK_ACCESS_GATE_H

#include <stdint.h>
#include <uv.h>

#include "dbconn/slack/access.h"

struct access_gate; /* opaque */
struct access_wait; /* one request that waits */
struct webapi;

struct access_gate_options {
    uv_loop_t *loop;
    struct webapi *api;         /* must outlive the gate */
    const struct access *rules; /* likewise */
    int64_t wait_ms;            /* for the facts of one request; 0: 1.5 s */
    int64_t keep_ms;            /* an answer; 0: 5 min */
    int64_t keep_failure_ms;    /* 0: 10 s */
    size_t max_entries;         /* answers of all kinds; 0: 4,000 */
};

struct access_gate *access_gate_new(const struct access_gate_options *options);
void access_gate_free(struct access_gate *gate); /* what waits never ends; NULL is fine */
/* From now on these rules; they must outlive the gate, or the next call. */
void access_gate_set_rules(struct access_gate *gate, const struct access *rules);
/* Where the app is installed, once auth.test has said so elsewhere. */
void access_gate_set_home(struct access_gate *gate, const char *team);

/* From what is known already; false when Slack has to be asked first. */
bool access_gate_now(struct access_gate *gate, const struct access_request *request,
                     struct access_decision *ret);
/* Asks. `done` runs exactly once, later, with ACCESS_ALLOWED or ACCESS_REFUSED; the decision is
 * lent. The strings of `request` are copied. */
typedef void access_done_fn(void *user, const struct access_decision *decision);
struct access_wait *access_gate_ask(struct access_gate *gate, const struct access_request *request,
                                    access_done_fn *done, void *user);
void access_wait_cancel(struct access_wait *wait); /* `done` never runs; NULL is fine */

/* What is known of a channel: is it public? False also when not known. */
bool access_gate_is_public(const struct access_gate *gate, const char *channel);
/* The name that a person shows; NULL when not known. Lent until the next lookup. */
const char *access_gate_name(const struct access_gate *gate, const char *user);

#endif
