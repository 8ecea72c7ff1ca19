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
        .options = { .reply_broadcast = bot->o.reply_broadcast },
    };
}
