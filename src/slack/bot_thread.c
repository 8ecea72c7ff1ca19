#include "bot_private.h"

#include "dbconn/base/clock.h"

void bot_thread_input(const struct bot *bot, const struct job *job, struct thread_input *ret)
{
    *ret = (struct thread_input){
        .job_id = job->id,
        .issue = job->issue_ref,
        .asker_id = bot->o.mention_asker ? job->requester : NULL,
        .command = "/dbconn",
        .cancelled_by = job->cancel_by,
        .attempts = (int)job->attempts,
        .asked_ms = job->created_ms,
        .now_ms = TIME_UNKNOWN,
    };
    /* By when it was asked, so that it says the same whenever the message is drawn again. */
    ret->options.quiet = notify_is_quiet(bot->o.notify, job->created_ms);
    ret->options.reply_broadcast = bot->o.reply_broadcast && !ret->options.quiet;
    ret->n_also = notify_ids(bot->o.notify, job->channel, ret->also);
}
