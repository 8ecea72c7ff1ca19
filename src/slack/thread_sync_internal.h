/*
 * thread_sync_internal - what the parts of the reconciler share.
 *
 *   thread_sync.c          the whole: what is wanted, what is next, when it is settled
 *   thread_sync_store.c    what the store is told and tells
 *   thread_sync_post.c     posting and editing messages
 *   thread_sync_look.c     looking for a post whose outcome is not known
 *   thread_sync_picture.c  the chart as a picture, uploaded in three steps
 *   thread_sync_stream.c   the plan as one of Slack's streams, while it grows
 *
 * The life of a part:
 *
 *   UNPOSTED -> intend (store) -> post (Slack) -> record (store) -> POSTED <-> edit (Slack, store)
 *                  |                 |
 *                  |                 +- outcome unknown -> UNRESOLVED
 *                  +- an earlier attempt may have posted -> UNRESOLVED
 *   UNRESOLVED -> wait until it cannot land any more -> look (Slack) -> POSTED | UNPOSTED
 *   any -> GIVEN_UP: Slack will not have it
 *
 * An edit too is noted in the store before it is sent. While one whose outcome is not known may
 * still land, what is there counts as not settled. A picture is drawn and its bytes are uploaded
 * before its post is intended: nobody sees them until the last of Slack's three steps, which is the
 * post. It is never edited.
 */
#ifndef DBCONN_SRC_SLACK_THREAD_SYNC_INTERNAL_H
#define DBCONN_SRC_SLACK_THREAD_SYNC_INTERNAL_H

#include "dbconn/slack/thread_sync.h"

#include "chart_picture.h"
#include "dbconn/base/clock.h"
#include "dbconn/net/loop.h"

#define POST_TIMEOUT_MS (15 * SECOND_MS)
#define RETRY_MS (2 * SECOND_MS)

enum part_state { UNPOSTED, UNRESOLVED, POSTED, GIVEN_UP };

struct part {
    struct thread_sync *sync;
    enum part_id id;
    enum part_state state;
    struct thread_part want; /* text NULL: not wanted yet */
    char *ts;                /* of a picture: the file's id, since Slack tells no ts */
    char *hash;              /* of the content that Slack has */
    char *sending;           /* hash of the content on its way */
    int64_t lands_until_ms;  /* wall; UNRESOLVED */
    int64_t strays_until_ms; /* wall; POSTED: till then an edit of unknown outcome may land; or 0 */
    int64_t not_before_mono; /* the next edit or retry */
    int tries;
    struct queue_call *store_call;
    void (*send)(struct part *p); /* once the intent is committed */
    struct webapi_call *slack_call;
    struct chart_picture *drawing;
    struct buf png;        /* drawn, not yet uploaded for good */
    char *file_id;         /* uploaded, not yet shown */
    struct stream *stream; /* open, as far as is known; else NULL */
    struct loop_timer *timer;
};

struct thread_sync {
    struct thread_sync_options o;
    char *job, *channel, *thread_ts;
    struct part parts[PART_COUNT];
    struct loop_timer *later; /* callbacks and work, never inside a caller's function */
    bool in_thread; /* the root message too is a reply, in a thread that was there before */
    bool told_settled, blind, paused;
    bool stream_off;          /* Slack will not have one here */
    bool refused[PART_COUNT]; /* the blocks of that part */
    bool problem;             /* on_cannot_post is due */
    char *root_refused;       /* Slack's code, once the channel message is given up */
    struct error root_error;
};

/* Comes back on the loop and does what is next. */
void sync_wake(struct thread_sync *s);
/* Is the part a reply, or a message of the channel itself? */
bool part_is_reply(const struct part *p);
void part_again_in(struct part *p, int64_t ms);
void part_retry_later(struct part *p); /* the more tries, the later */
void part_give_up(struct part *p, const char *code, const struct error *err);
/* Asked right before a call goes out: it may wait in line for long, and this process be stopped in
 * between. `user` is a part. */
bool part_may_send(void *user);
/* Calls Slack for the part, now; it takes `args`. A method that cannot be called gives the part up.
 */
void part_call(struct part *p, const char *method, cJSON *args, webapi_done_fn *done);

/* What became of it; Slack was told `p->sending`. ts NULL: it was edited. */
void part_record_sent(struct part *p, const char *ts);
void part_record_unknown(struct part *p);
void part_record_absent(struct part *p);
/* What an earlier attempt left behind. */
void part_take_stored(struct part *p, const struct job_message *m);
/* Commits that a post comes next; then `send` runs, unless an earlier attempt may have posted. */
void part_intend(struct part *p, void (*send)(struct part *p));

void part_post(struct part *p);
void part_edit(struct part *p);
/* The content is right, but something older may still land on top of it: that again, then. */
void part_edit_after_strays(struct part *p);
/* The call had no effect: again later, in a simpler style, or never. */
void part_refused(struct part *p, const struct webapi_reply *reply, const struct error *err);

void part_look(struct part *p);

/* Draws it, uploads it, shows it. */
void part_show_picture(struct part *p);
void part_forget_picture(struct part *p);

bool part_wants_stream(const struct part *p);
void part_open_stream(struct part *p);
void part_stream(struct part *p); /* one is open: appends to it, or stops it */
/* Also one that an earlier attempt has left open. An edit comes next. */
void part_stop_stream(struct part *p);
void part_drop_stream(struct part *p); /* forgets it */

#endif
