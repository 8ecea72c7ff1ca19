/*
 * command_reply - what only the person who typed sees (ephemeral answers), as mrkdwn text.
 *
 * Every reply says what happened and what to do. Arguments are raw; they are escaped here. All
 * append to `out`. Pure.
 */
#ifndef DBCONN_SLACK_COMMAND_REPLY_H
#define DBCONN_SLACK_COMMAND_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "dbconn/base/buf.h"
#include "dbconn/base/error.h"
#include "dbconn/diagnosis/casefile.h"

void reply_help(const char *name, struct buf *out);
/* `ahead`: jobs before it, 0 when it starts at once. */
void reply_taken(const char *issue, size_t ahead, struct buf *out);
/* `permalink` to the running thread; NULL when the asker may not see that channel. */
void reply_already_running(const char *issue, const char *permalink, struct buf *out);
/* For who asked while it was still running, and whose own turn came when it had ended. */
void reply_answered_meanwhile(const char *issue, const char *permalink, struct buf *out);
void reply_queue_full(size_t waiting, const char *name, struct buf *out);
/* `key` is the configuration key that decides, e.g. "access.allow"; `env` its variable or NULL. */
void reply_refused(const char *what, const char *key, const char *env, struct buf *out);
/* Why a message could not be posted, from Slack's error code ("not_in_channel",
 * "channel_not_found", "is_archived", "token_revoked", ...); `bot` is the bot's name. */
void reply_cannot_post(const char *slack_error, const char *bot, struct buf *out);
/* To be added to it when the answer is known: one line more. */
void reply_found(const char *issue, const char *summary, struct buf *out);
void reply_store_failed(const char *name, struct buf *out);
void reply_unknown_issue(const char *issue, const char *org, const char *name, struct buf *out);
void reply_other_org(const char *got, const char *configured, const char *name, struct buf *out);
void reply_other_host(const char *got, const char *configured, const char *name, struct buf *out);
void reply_cancelled(const char *issue, struct buf *out);
void reply_not_running(const char *issue, const char *name,
                       struct buf *out);                          /* nothing to cancel */
void reply_feedback_thanks(const char *verdict, struct buf *out); /* "right", "wrong", "cause" */
void reply_button_done(const char *what,
                       struct buf *out); /* pressed again: "has started already" */
void reply_job_gone(const char *job, const char *name, struct buf *out);
void reply_failed(const struct error *why, struct buf *out); /* any other error */

/* A row of /dbconn status and /dbconn history. Strings are lent; NULL: unknown. */
struct job_row {
    const char *issue, *issue_url;
    const char *state;     /* "running", "waiting", "dead", "done", "failed", "cancelled" */
    const char *detail;    /* "step 3 of 8", "2 ahead of it", the verdict */
    const char *permalink; /* its thread, when the reader may see it */
    const char *asker;     /* display name, not a mention */
    int64_t since_ms;      /* when it started, was asked, or ended */
};
void reply_row(const struct job_row *row, struct buf *out); /* one line, without its end */
void reply_status(const struct job_row *rows, size_t n, struct buf *out);
void reply_history(const char *about, const struct job_row *rows, size_t n, const char *name,
                   struct buf *out);

#endif
