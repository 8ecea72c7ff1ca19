/*
 * The end that begins when Slack refuses the app-level token: no command comes in any more, but the
 * bot token is another one and usually still works.
 *
 *   nothing is claimed -> what runs here shows its end -> the usual stop -> ended, and why
 *
 * With a bot token that is refused too no thread can be written, so it ends at once; the jobs are
 * taken up again at the next start.
 */
#include "bot_private.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/log.h"
#include "dbconn/net/loop.h"
#include "dbconn/slack/webapi.h"

#define LOOK_MS 100
#define SHOW_MS (2 * MINUTE_MS) /* for Slack's limits, on top of a job's own time */

static bool has_work(const struct bot *bot)
{
    return !scheduler_is_idle(bot->scheduler) || bot->requests || bot->redraws || bot->tellings;
}

static void on_look(void *user)
{
    struct bot *bot = user;
    bool late = clock_mono_ms() >= bot->finish_by_ms;

    if (bot->stopping)
        return;
    if (has_work(bot) && !late) {
        loop_timer_start(bot->finish_timer, LOOK_MS);
        return;
    }
    if (late)
        LOG(WARN, "bot.finish_late", F_INT("running", scheduler_running(bot->scheduler)),
            F_STR("effect", "what still runs is handed over and goes on at the next start"));
    bot_end(bot);
}

static void on_bot_token(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct bot *bot = user;

    if (reply->kind != WEBAPI_AUTH || bot->stopping)
        return; /* it is good, or not known to be bad: what is posted will tell */
    LOG(ERROR, "slack.auth_test", F_STR("code", reply->code), F_STR("why", error_text(err)),
        F_STR("effect", "no thread can be written: what runs goes on at the next start"));
    loop_timer_stop(bot->finish_timer);
    bot->o.on_ended(bot->o.user, &bot->fatal); /* last statement: may free the bot */
}

static void ask_for_bot_token(struct bot *bot)
{
    const struct webapi_request request = { .method = "auth.test",
                                            .done = on_bot_token,
                                            .user = bot };
    struct error err = ERROR_INIT;

    if (!webapi_start(bot->api, &request, &err))
        LOG(WARN, "slack.auth_test", F_STR("why", error_text(&err)));
    error_clear(&err);
}

void bot_finish(struct bot *bot, const struct error *why)
{
    if (bot->stopping || bot->finish_timer)
        return;
    if (!has_work(bot)) {
        bot->o.on_ended(bot->o.user, why); /* last statement: may free the bot */
        return;
    }
    error_copy(&bot->fatal, why);
    LOG(WARN, "bot.finishing", F_STR("why", error_text(why)),
        F_INT("running", scheduler_running(bot->scheduler)),
        F_STR("effect", "no command comes in any more; what runs here finishes and shows its "
                        "answer, then the process ends; queued jobs stay in the store for the "
                        "next start"),
        F_STR("do", "make a new app-level token, set slack.app_token and start again"));
    scheduler_close(bot->scheduler);
    bot->finish_by_ms = clock_mono_ms() + bot->o.job_budget_ms + SHOW_MS;
    bot->finish_timer = loop_timer_new(bot->o.loop, on_look, bot);
    loop_timer_start(bot->finish_timer, LOOK_MS);
    ask_for_bot_token(bot);
}
