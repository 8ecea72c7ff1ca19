/*
 * thread_view - what the channel and the thread of one investigation should show.
 *
 * A function of the casefile and the job's state: called again after every change, it gives the
 * same parts with the same ids, and the reconciler posts what is missing and updates what has
 * another hash. It decides nothing about the diagnosis and does no I/O. Pure; any thread.
 *
 * Manners: one message in the channel; the asker is mentioned once, in the answer; edits do not
 * notify, so the answer is a message of its own.
 */
#ifndef DBCONN_SLACK_THREAD_VIEW_H
#define DBCONN_SLACK_THREAD_VIEW_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dbconn/diagnosis/casefile.h"
#include "dbconn/slack/notify.h"

#define THREAD_METADATA_EVENT "dbconn_part" /* event_type; payload {job, part, hash} */

enum job_phase {
    PHASE_QUEUED,
    PHASE_RUNNING,
    PHASE_DONE,      /* a diagnosis was reached */
    PHASE_FAILED,    /* the investigation could not be done: see `reason` */
    PHASE_CANCELLED, /* see `cancelled_by` */
    PHASE_DEAD,      /* given up after `attempts` attempts */
};

enum progress_style {
    PROGRESS_PLAN,   /* plan, task_card and data_visualization blocks */
    PROGRESS_BLOCKS, /* sections, context, rich_text: where the newer blocks are refused */
    PROGRESS_TEXT,   /* no blocks at all */
};

enum chart_style {
    CHART_BLOCK,   /* a data_visualization block where PROGRESS_PLAN's blocks are shown, else: */
    CHART_PICTURE, /* an image in the thread, and characters in the answer */
    CHART_TEXT,    /* characters only */
};

struct seen_before { /* the latest earlier diagnosis of the same issue or target; optional */
    int64_t at_ms;
    const char *issue;   /* short id */
    const char *verdict; /* in words */
    const char *judged;  /* "right", "wrong" or NULL: nobody said */
    const char *permalink;
};

struct thread_options {
    enum progress_style style;
    enum chart_style chart;
    bool reply_broadcast; /* show the answer in the channel too */
    bool quiet;           /* quiet hours: nobody is mentioned */
    bool no_feedback;     /* leave out Right / Wrong / The real cause */
    bool at_most_once;    /* no history scopes: say that a message may be missing after a crash */
};

struct thread_input {
    const struct casefile *casefile; /* NULL while nothing is known */
    enum job_phase phase;
    size_t ahead;                 /* PHASE_QUEUED: jobs before this one */
    const char *job_id;           /* opaque, [A-Za-z0-9_-], goes into buttons and metadata */
    const char *issue;            /* as asked, until the casefile knows the short id */
    const char *asker_id;         /* Slack user id, for the mention; NULL: nobody (automatic) */
    const char *asker_name;       /* display name for the channel message; NULL: unknown */
    const char *also[NOTIFY_MAX]; /* who else is mentioned: ids of people and user groups */
    size_t n_also;
    const char *command;              /* "/dbconn", for hints */
    const char *reason;    /* what went wrong, or why it was cancelled, a sentence; NULL: no word */
    const char *elsewhere; /* PHASE_CANCELLED: where its answer comes instead, or NULL */
    const char *cancelled_by;         /* display name or NULL */
    int attempts;                     /* PHASE_DEAD */
    int64_t asked_ms;                 /* TIME_UNKNOWN: not shown */
    int64_t now_ms;                   /* signs of life, in steps of 10 s; TIME_UNKNOWN: none */
    const struct seen_before *before; /* NULL: none */
    int said_right, said_wrong;       /* people who judged the answer */
    const char *real_cause;           /* what a person said it was, in words, or NULL */
    struct thread_options options;
};

enum part_id { PART_ROOT, PART_PLAN, PART_ANSWER, PART_CHART, PART_DETAILS, PART_COUNT };
const char *part_name(enum part_id id); /* "root", "plan", "answer", ...: stable, stored */
bool part_parse(const char *name, enum part_id *ret);

/* The chart as a file (report/chart_png.h draws it). */
struct thread_picture {
    char *name;  /* of the file; has the job's id in it, by which it is found again */
    char *title; /* shown above it */
    char *alt;   /* what it shows, for those who cannot see it */
    char *subject;
    struct series series;
};

struct thread_part {
    enum part_id id;
    bool in_thread;  /* false: the channel message, whose ts is the thread */
    bool broadcast;  /* reply_broadcast */
    bool settled;    /* its content will not change any more: a final state, goes first */
    char *text;      /* complete fallback, at most 4,000 bytes (chat.update's limit) */
    cJSON *blocks;   /* array; an empty one with PROGRESS_TEXT, which clears blocks on an update */
    cJSON *metadata; /* {event_type, event_payload: {job, part, hash}} */
    char hash[17];   /* of text and blocks, 16 hex digits */
    struct thread_picture *picture; /* PART_CHART: it is shown, with `text` beside it. Else NULL. */
};
void thread_part_clear(struct thread_part *part);

struct thread_view {
    struct thread_part parts[PART_COUNT]; /* in the order to post */
    size_t n;
};

/* Always fills *ret; end it with thread_view_clear(). Strings of `in` are lent. */
void thread_view_build(const struct thread_input *in, struct thread_view *ret);
void thread_view_clear(struct thread_view *view);

/* Buttons. value is the job id (DETAILS_NEXT and DETAILS_PREVIOUS: "job:page"); it is a reference,
 * not a permission. */
#define BUTTON_LIST(X)                                                                             \
    X(RERUN, "dbconn_rerun")                                                                       \
    X(RETRY_FAILED, "dbconn_retry_failed")                                                         \
    X(CANCEL, "dbconn_cancel")                                                                     \
    X(DETAILS, "dbconn_details")                                                                   \
    X(DETAILS_NEXT, "dbconn_details_next")                                                         \
    X(DETAILS_PREVIOUS, "dbconn_details_previous")                                                 \
    X(RIGHT, "dbconn_right")                                                                       \
    X(WRONG, "dbconn_wrong")                                                                       \
    X(REAL_CAUSE, "dbconn_real_cause")                                                             \
    X(OPEN_SENTRY, "dbconn_open_sentry") /* a link; the press is only acknowledged */              \
    X(OPEN_PULL, "dbconn_open_pull")     /* likewise */

#define X(name, text) BUTTON_##name,
enum button_action { BUTTON_LIST(X) BUTTON_COUNT };
#undef X
const char *button_action_id(enum button_action b);
bool button_parse(const char *action_id, enum button_action *ret);

#endif
