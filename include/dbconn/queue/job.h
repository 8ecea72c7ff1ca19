/*
 * job - one investigation as the queue keeps it: plain data, no behaviour.
 *
 * The queue knows who asked for what, how far the job is and what it told whom. It does not know
 * Slack or playbooks: checkpoints, reports and evidence are JSON text that it hands back as it got
 * it. Everything given to it is redacted already (base/redact.h).
 *
 * Structs `..._new`, `..._ref` and those passed `const` into calls borrow their strings; structs
 * handed out own them and end with their `_clear()`. NULL text means unknown or not set; times are
 * wall clock ms (base/clock.h), TIME_UNKNOWN when not set.
 */
#ifndef DBCONN_QUEUE_JOB_H
#define DBCONN_QUEUE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dbconn/base/clock.h"

/*
 *   enqueue -> QUEUED -> claim -> RUNNING -> finish -> DONE | FAILED | CANCELLED
 *                 ^                  |
 *                 +-- release, retry, lease ran out -- too many attempts --> DEAD
 *
 * DEAD jobs are handed out a few more times, so that somebody can say so in the thread.
 */
#define JOB_STATE_LIST(X)                                                                          \
    X(QUEUED, "queued")                                                                            \
    X(RUNNING, "running")                                                                          \
    X(DONE, "done")                                                                                \
    X(FAILED, "failed")                                                                            \
    X(CANCELLED, "cancelled")                                                                      \
    X(DEAD, "dead")

#define X(name, text) JOB_##name,
enum job_state { JOB_STATE_LIST(X) JOB_STATE_COUNT };
#undef X

const char *job_state_name(enum job_state state);
bool job_state_parse(const char *name, enum job_state *ret);
bool job_state_is_final(enum job_state state); /* done, failed, cancelled, dead */

/* Higher goes first; within one priority the order of arrival counts. */
enum {
    JOB_PRIORITY_AUTOMATIC = 0, /* started by an alert, not by a person */
    JOB_PRIORITY_PERSON = 10,   /* somebody typed or pressed something and waits */
    JOB_PRIORITY_CONTROL = 20,  /* a cancelled job that only has to say so */
};

#define JOB_ID_LEN 18 /* characters, without the NUL */

/* A new id: 9 characters of time and 9 of chance in Crockford's base 32, lower case. Sorts by
 * time; unguessable enough for a link, but no credential. `out` holds JOB_ID_LEN + 1 bytes. */
void job_id_make(int64_t now_ms, char *out);
bool job_id_is_valid(const char *text); /* has the shape of an id; NULL is not */

struct job_new {
    const char *id; /* made by job_id_make(); NULL: the store makes one */
    int priority;
    const char *source;          /* required: "slash", "mention", "shortcut", "button", "alert" */
    const char *workspace;       /* required: Slack's team id; "" outside Slack */
    const char *channel;         /* where it was asked, or NULL */
    const char *requester;       /* user id, or NULL for alerts */
    const char *thread_ts;       /* of an existing thread to answer in, or NULL */
    const char *issue_ref;       /* required: as typed: "SHOP-1A2", an id, a URL */
    const char *request;         /* anything else the caller wants back: JSON, or NULL */
    const char *playbook;        /* name, or NULL */
    const char *playbook_hash;   /* the version it is to end with, or NULL */
    int64_t evaluated_ms;        /* the "now" of the whole investigation, or TIME_UNKNOWN */
    const char *parent_id;       /* the job that this one repeats, or NULL */
    const char *response_url;    /* a secret; NULL: none */
    int64_t response_url_ttl_ms; /* 0: 30 min; never longer */
    const char *audit;           /* queue_enqueue(): what the audit log says of it, a JSON object to
                                    which the outcome is added in the same commit; NULL: nothing */
};

struct job {
    char *id;
    int64_t seq; /* order of arrival */
    enum job_state state;
    int64_t priority;
    char *source, *workspace, *channel, *requester, *issue_ref, *request;
    char *playbook, *playbook_hash, *parent_id;
    int64_t evaluated_ms;
    char *thread_ts;                                  /* of its root message, once posted */
    char *issue_org, *issue_id, *issue_short_id;      /* once known: store_set_issue() */
    char *issue_title, *issue_url;                    /* likewise */
    char *cause, *confidence, *summary, *fingerprint; /* once finished */
    char *target_host, *target_port;                  /* likewise */
    char *error;                                      /* why it failed or is dead */
    int64_t created_ms, next_due_ms, started_ms, finished_ms, touched_ms;
    int64_t attempts;       /* that count against the limit */
    int64_t attempts_total; /* all, also those handed over */
    int64_t fence;          /* grows each time the job changes hands */
    char *owner;            /* who runs it, or NULL */
    int64_t lease_until_ms;
    char *cancel_by;    /* who asked to cancel it, or NULL */
    char *response_url; /* only in what claim hands out, and while it may be used */
};

/* What a running job's writes must show: the fence of its claim. */
struct job_ref {
    const char *id;
    int64_t fence;
};

void job_clear(struct job *job);                       /* frees all, back to zeroes */
void job_copy(struct job *to, const struct job *from); /* `to` is overwritten, not cleared */

struct job_list {
    struct job *items;
    size_t n, cap;
};
void job_list_clear(struct job_list *list);

/* The outcome of one step of the playbook. */
struct job_step {
    char *step_id;    /* "issue_details" */
    int64_t number;   /* the playbook's numbering */
    char *status;     /* "complete", "partial", "failed", "skipped" */
    char *data;       /* JSON: evidence, findings, duration */
    int64_t saved_ms; /* set by the store */
};
struct job_step_list {
    struct job_step *items;
    size_t n, cap;
};
void job_step_list_clear(struct job_step_list *list);

/*
 * One message that belongs to a job. Written around the call, so that a crash at any point leaves
 * either "not sent", or "sent", or "intended" (look for it in the channel first).
 */
enum message_state {
    MESSAGE_INTENDED, /* committed before the call; its answer was not recorded */
    MESSAGE_SENT,
    MESSAGE_UNKNOWN, /* the call timed out or failed in a way that may have posted */
    MESSAGE_ABSENT,  /* looked for and not there, or refused: may be posted */
};
const char *message_state_name(enum message_state state);

struct job_message {
    char *part; /* "root", "plan", "diagnosis", ...: one message per part and job */
    enum message_state state;
    char *channel;
    char *thread_ts; /* NULL for a message of the channel itself */
    char *ts;        /* once sent */
    char *hash;      /* of the content that Slack confirmed; NULL: an edit was under way */
    int64_t intended_ms, sent_ms;
    int64_t lands_until_ms; /* until when a call under way may still take effect */
};
struct job_message_list {
    struct job_message *items;
    size_t n, cap;
};
void job_message_list_clear(struct job_message_list *list);

/* One try at a job. Written before the work starts. */
struct job_attempt {
    int64_t number;
    char *owner;
    int64_t started_ms, ended_ms; /* ended: TIME_UNKNOWN while it runs */
    char *outcome;                /* "done", "released", "retry", "lease_lost", ...; NULL: runs */
    char *note;
};
struct job_attempt_list {
    struct job_attempt *items;
    size_t n, cap;
};
void job_attempt_list_clear(struct job_attempt_list *list);

/* How a job ended. Strings may be NULL. */
struct job_result {
    enum job_state state; /* a final one */
    const char *error;    /* with FAILED and DEAD */
    const char *report;   /* the report document, JSON */
    const char *evidence; /* what a replay needs, JSON */
    const char *cause, *confidence, *summary;
    const char *target_host, *target_port;
    const char *fingerprint; /* what tells this error from others across issues */
};

/* What a job's issue turned out to be. */
struct job_issue {
    const char *org, *id; /* its identity: organisation and numeric id */
    const char *short_id, *title, *url;
};

/* What a person thought of a diagnosis. One per job and person; the last one counts. */
struct job_feedback {
    char *job_id;
    char *workspace, *person; /* person NULL once the job was purged */
    char *verdict;            /* "right" or "wrong" */
    char *real_cause;         /* a cause code, or NULL */
    char *note;
    char *cause, *confidence; /* what the job had said */
    int64_t at_ms;
};
struct job_feedback_new {
    const char *job_id, *workspace, *person, *verdict;
    const char *real_cause, *note; /* or NULL */
};
struct job_feedback_list {
    struct job_feedback *items;
    size_t n, cap;
};
void job_feedback_clear(struct job_feedback *feedback);
void job_feedback_list_clear(struct job_feedback_list *list);

/* One entry of the audit log. */
struct audit_entry {
    int64_t seq; /* 1, 2, 3, ... without gaps, but for what was purged */
    int64_t at_ms;
    char *payload;
    char *prev_hash, *hash;
};
struct audit_list {
    struct audit_entry *items;
    size_t n, cap;
};
void audit_entry_clear(struct audit_entry *entry);
void audit_list_clear(struct audit_list *list);

#endif
