/*
 * thread_sync - makes a Slack thread look as it should: posts what is missing, edits what differs.
 *
 * The owner shows the wanted parts (thread_view.h) again after every change; updates that pile up
 * collapse into one. Around each post the store knows first that it is intended and afterwards its
 * ts, so that after a crash nothing is posted twice: a post whose outcome is unknown is looked for
 * (conversations.history, conversations.replies with include_all_metadata) once it cannot land any
 * more. Edits carry the whole content and may be repeated. A job that was made with a thread_ts
 * answers there, its root message included; any other begins a thread. One per running job; loop
 * thread only.
 */
#ifndef DBCONN_SLACK_THREAD_SYNC_H
#define DBCONN_SLACK_THREAD_SYNC_H

#include <uv.h>

#include "dbconn/base/error.h"
#include "dbconn/queue/queue.h"
#include "dbconn/queue/scheduler.h"
#include "dbconn/slack/thread_view.h"
#include "dbconn/slack/webapi.h"

struct thread_sync;

struct thread_sync_options {
    uv_loop_t *loop;
    struct webapi *api;
    struct queue *queue;
    struct scheduler_run *run; /* whose lease allows to post; its job has channel and thread_ts */
    uint64_t owner;
    const char *stream_team; /* the workspace, when the steps are to be streamed to the asker; NULL:
                              * no stream. Must outlive it. */
    int64_t edit_spacing_ms; /* between two edits of one message; 0: 3 s */
    /* Slack refused the part's blocks (or, of a picture, files): show it in a simpler style. */
    void (*on_refused)(void *user, enum part_id part);
    /* The root message cannot be posted, or nothing in this place any more: nothing more will be.
     * thread_sync_refusal() says why. */
    void (*on_cannot_post)(void *user);
    /* All parts stand as they were last shown, or cannot. Each time that becomes true. */
    void (*on_settled)(void *user);
    void *user;
};

struct thread_sync *thread_sync_new(const struct thread_sync_options *options);
void thread_sync_free(struct thread_sync *sync); /* what is on its way may still land */

/* What an earlier attempt has posted, before the first thread_sync_show(). */
void thread_sync_restore(struct thread_sync *sync, const struct job_message_list *messages);
/* Takes the parts over; `view` is empty afterwards. Callbacks come later, never inside. */
void thread_sync_show(struct thread_sync *sync, struct thread_view *view);
/* Starts nothing more. True when nothing is on its way either. */
bool thread_sync_pause(struct thread_sync *sync);
bool thread_sync_is_settled(const struct thread_sync *sync);
/* Slack's code when neither the channel message nor the answer can show how it ended; else NULL.
 * Both are lent. */
const char *thread_sync_refusal(const struct thread_sync *sync, const struct error **ret_why);
/* Some post could not be looked for (no history scope, no member): it was not repeated. */
bool thread_sync_was_blind(const struct thread_sync *sync);
/* An earlier attempt, or this one, has begun to post. */
bool thread_sync_has_begun(const struct thread_sync *sync);

#endif
