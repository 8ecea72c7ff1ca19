/* What a job shows in its thread, when, and to whom it speaks. */
#include "investigation_private.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "dbconn/net/loop.h"

#define SIGN_OF_LIFE_MS 10000

/* What may be shown and kept; NULL while nothing is known. */
const struct casefile *investigation_known(const struct investigation *inv)
{
    return inv->run && !inv->withheld ? run_casefile(inv->run) : NULL;
}

const struct casefile *investigation_casefile(struct bot *bot, const char *job_id)
{
    struct scheduler_run *claim = scheduler_find(bot->scheduler, job_id);
    const struct investigation *inv = claim ? scheduler_data(claim) : NULL;

    return inv ? investigation_known(inv) : NULL;
}

void investigation_show(struct investigation *inv)
{
    struct thread_view view;
    struct thread_input in;

    if (!inv->shown && inv->phase == PHASE_RUNNING)
        return;
    inv->shown = true;
    bot_thread_input(inv->bot, investigation_job(inv), &in);
    in.casefile = investigation_known(inv);
    in.phase = inv->phase;
    in.asker_name = inv->extra.user_name;
    in.reason = inv->reason;
    in.elsewhere = inv->elsewhere;
    if (inv->cancelled_by)
        in.cancelled_by = inv->cancelled_by;
    in.now_ms = clock_wall_ms();
    in.before = inv->seen.known ? &inv->seen.before : NULL;
    in.said_right = inv->opinions.right;
    in.said_wrong = inv->opinions.wrong;
    in.real_cause = inv->opinions.real_cause;
    in.options.style = inv->looks.style;
    in.options.chart = inv->looks.chart;
    in.options.at_most_once = thread_sync_was_blind(inv->sync);
    thread_view_build(&in, &view);
    thread_sync_show(inv->sync, &view);
    thread_view_clear(&view);
}

/* What an alert started keeps quiet until it is known to be about a database: nobody waits for it,
 * and most alerts are about something else. */
bool investigation_keeps_quiet(const struct investigation *inv)
{
    const struct casefile *c = investigation_known(inv);

    if (inv->shown || !c || thread_sync_has_begun(inv->sync) ||
        !text_same(investigation_job(inv)->source, "alert"))
        return false;
    return inv->phase == PHASE_RUNNING ? c->applicable != YES
                                       : inv->phase == PHASE_DONE && c->applicable == NO;
}

void investigation_on_show_timer(void *user)
{
    struct investigation *inv = user;

    if (!inv->shown && inv->calls[CALL_IDENTIFY])
        return; /* it is shown when the store has said whether another job shows it already */
    inv->shown |= !investigation_keeps_quiet(inv);
    investigation_show(inv);
    loop_timer_start(inv->timer, SIGN_OF_LIFE_MS);
}

void investigation_on_refused(void *user, enum part_id part)
{
    struct investigation *inv = user;

    if (looks_simpler(&inv->looks, part)) {
        bot_keep_looks(inv->bot, &inv->looks);
        investigation_show(inv);
    }
}

void investigation_tell_asker(struct investigation *inv, const char *text)
{
    const struct job *job = investigation_job(inv);

    bot_tell(inv->bot,
             &(struct audience){ .response_url = job->response_url,
                                 .channel = job->channel,
                                 .user = job->requester,
                                 .matters = true },
             text);
}
