/* What the workspace accepts, kept in the store. */
#include "bot_private.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/log.h"

#define KEY "slack.looks"

static void on_loaded(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct bot *bot = user;
    struct looks kept;

    if (err)
        LOG(WARN, "slack.looks", F_STR("why", error_text(err)));
    else if (reply->outcome == STORE_OK && looks_parse(reply->value, clock_wall_ms(), &kept))
        looks_limit(&bot->looks, &kept);
}

void bot_load_looks(struct bot *bot)
{
    struct error err = ERROR_INIT;

    if (!queue_setting_get(bot->queue, bot->team, KEY, on_loaded, bot, &err))
        on_loaded(bot, NULL, &err);
    error_clear(&err);
}

static void on_kept(void *user, const struct queue_reply *reply, const struct error *err)
{
    (void)user;
    (void)reply;
    if (err)
        LOG(WARN, "slack.looks", F_STR("why", error_text(err)));
}

void bot_keep_looks(struct bot *bot, const struct looks *looks)
{
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT;

    looks_limit(&bot->looks, looks); /* the next investigations begin with what is accepted */
    if (!bot->team)
        return; /* not known yet: remembered until this process ends */
    looks_print(&bot->looks, clock_wall_ms(), &text);
    if (!queue_setting_put(bot->queue, bot->team, KEY, buf_str(&text), on_kept, bot, &err))
        on_kept(bot, NULL, &err);
    buf_clear(&text);
    error_clear(&err);
}
