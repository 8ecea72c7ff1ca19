/* What the files of the bot share: its parts and the investigations that run here. */
#ifndef DBCONN_SLACK_BOT_PRIVATE_H
#define DBCONN_SLACK_BOT_PRIVATE_H

#include "dbconn/slack/bot.h"

#include "dbconn/queue/scheduler.h"
#include "dbconn/slack/socket.h"
#include "dbconn/slack/thread_view.h"
#include "looks.h"

struct loop_timer;
struct websockets;
struct access_gate;
struct bot_audit;
struct request;
struct redraw;
struct telling;

struct bot {
    struct bot_options o;
    struct slack_socket *socket;
    struct queue *queue;
    struct scheduler *scheduler;
    struct webapi *api;
    struct access_gate *gate;
    struct request *requests;       /* what people asked for and has no answer yet */
    struct redraw *redraws;         /* feedback.c */
    struct telling *tellings;       /* bot_tell.c */
    char *bot_user, *bot_id, *team; /* auth.test; NULL until it answered */
    struct looks looks;             /* as configured, less what the workspace refused */
    uint64_t next_owner;
    struct bot_audit *audit; /* bot_audit.h; NULL: nothing is audited */
    bool stopping;
    struct loop_timer *stop_timer;
    struct error fatal;              /* why it ends, when nobody asked for that (bot_finish.c) */
    struct loop_timer *finish_timer; /* NULL: it works as usual */
    int64_t finish_by_ms;            /* monotonic */
    struct loop_timer *who_timer;    /* auth.test again */
    int who_failures;
};

struct investigation;

/* Runs a claimed job to its end; it frees itself. */
void investigation_start(struct bot *bot, struct scheduler_run *run);
void investigation_stop(struct investigation *inv, enum scheduler_stop why);
/* What it has found so far; NULL before it runs, and when this process does not run the job. */
const struct casefile *investigation_casefile(struct bot *bot, const char *job_id);
/* Somebody judged its answer: shows that. False when this process does not run the job. */
bool investigation_judged(struct bot *bot, const char *job_id);

/* No command comes in any more, for `why`: what runs here finishes, then it ends (bot_finish.c). */
void bot_finish(struct bot *bot, const struct error *why);
/* Stops in order; on_ended gets bot->fatal if that is set. Once. */
void bot_end(struct bot *bot);

/* What the thread of a job shows, as far as the job alone tells. Strings are lent by both. */
void bot_thread_input(const struct bot *bot, const struct job *job, struct thread_input *ret);

/* Counting (bot_metrics.c). */
void bot_count_step(const struct bot *bot, const struct step_record *step);
void bot_count_start(const struct bot *bot, const struct job *job);
/* `diagnosis` NULL: none was reached. */
void bot_count_end(const struct bot *bot, const struct job *job, enum job_state state,
                   int64_t began_ms, const struct diagnosis *diagnosis);

/* Envelopes (bot_commands.c). */
void bot_on_envelope(void *user, const struct slack_envelope *envelope);

/* A sentence that only one person sees: through the response_url when there is one, else as an
 * ephemeral message, else not, or as a direct message. */
struct audience {
    const char *response_url;
    const char *channel, *user, *thread_ts; /* thread_ts NULL: in the channel itself */
    bool matters;                           /* a direct message if nothing else works */
};
void bot_tell(struct bot *bot, const struct audience *to, const char *text);
void tellings_free(struct bot *bot); /* what is not told by now */

#endif
