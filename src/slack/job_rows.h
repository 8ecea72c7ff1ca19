/*
 * job_rows - jobs of the queue as lines for people, and only to those who may read them. Pure.
 */
#ifndef DBCONN_SLACK_JOB_ROWS_H
#define DBCONN_SLACK_JOB_ROWS_H

#include "dbconn/queue/job.h"
#include "dbconn/slack/access.h"
#include "dbconn/slack/command_reply.h"

/* What the bot keeps with a job beside the queue's own columns (job_new.request, JSON). */
struct job_extra {
    char *user_name; /* display name of who asked, or NULL */
    bool is_public;  /* the channel was public when it was asked for */
    bool in_thread;  /* it answers in a thread that was there before */
};
char *job_extra_write(const struct job_extra *extra); /* heap */
void job_extra_read(const struct job *job, struct job_extra *ret);
void job_extra_clear(struct job_extra *extra);

/* Where its thread is, as a link; NULL before there is one. Heap. Any client of the workspace
 * opens it (docs.slack.dev, "Deep linking" names the form; chat.getPermalink gives the same). */
char *job_thread_link(const struct job *job);

struct reader {
    const struct access *access;
    const char *channel, *user; /* where and by whom it is read; NULL: nowhere, nobody */
};
bool job_visible(const struct job *job, const struct reader *reader);

struct job_rows {
    struct job_row *items;
    size_t n, cap;
    char **kept; /* the strings that the rows lend */
    size_t n_kept, cap_kept;
    size_t hidden; /* jobs that the reader may not know about */
};
/* One row a job, in their order. Hidden ones: only their state and time with `keep_hidden`, else
 * none. */
void job_rows_add(struct job_rows *rows, const struct job_list *jobs, const struct reader *reader,
                  bool keep_hidden);
void job_rows_clear(struct job_rows *rows);

/* A mark to tell errors of one kind from others across issues: engine, failure, the target's host
 * (or the project when it is not known), and the error line without its numbers. Appends 16 hex
 * digits; nothing when there is no line. */
void job_fingerprint(const struct casefile *c, struct buf *out);

#endif
