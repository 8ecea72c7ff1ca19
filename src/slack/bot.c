#include "bot_audit.h"
#include "bot_request.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"
#include "dbconn/net/http.h"
#include "dbconn/net/loop.h"
#include "dbconn/net/retry.h"
#include "dbconn/queue/audit.h"
#include "dbconn/slack/webapi.h"
#include "feedback.h"

#define ACK_DRAIN_MS 2000
#define WHO_AGAIN_MS (2 * SECOND_MS)
#define WHO_AGAIN_MAX_MS MINUTE_MS
#define STOP_LIMIT_MS 9000 /* a stop takes at most 10 s, so says the manual */

/* ---- the scheduler's jobs ---- */

static void on_run(void *user, struct scheduler_run *run, const struct job *job)
{
    (void)job;
    investigation_start(user, run);
}

static void on_stop(void *user, struct scheduler_run *run, enum scheduler_stop why)
{
    (void)user;
    investigation_stop(scheduler_data(run), why);
}

static void on_wake(void *user)
{
    struct bot *bot = user;

    if (bot->scheduler)
        scheduler_wake(bot->scheduler);
}

/* ---- who we are ---- */

static void on_auth(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct bot *bot = user;

    if (reply->kind != WEBAPI_OK) {
        LOG(ERROR, "slack.auth_test", F_STR("code", reply->code), F_STR("why", error_text(err)));
        if (reply->kind == WEBAPI_AUTH)
            bot->o.on_ended(bot->o.user, err); /* last statement: may free the bot */
        else
            loop_timer_start(bot->who_timer, retry_backoff_ms(WHO_AGAIN_MS, WHO_AGAIN_MAX_MS,
                                                              bot->who_failures++, retry_chance()));
        return;
    }
    xreplace(&bot->bot_user, json_str(reply->json, "user_id"));
    xreplace(&bot->bot_id, json_str(reply->json, "bot_id"));
    xreplace(&bot->team, json_str(reply->json, "team_id"));
    if (bot->team) {
        access_gate_set_home(bot->gate, bot->team);
        bot_load_looks(bot);
    }
    LOG(INFO, "slack.auth", F_STR("team", bot->team), F_STR("bot_user", bot->bot_user));
}

static int ask_who_we_are(struct bot *bot, struct error *err)
{
    struct webapi_request request = { .method = "auth.test", .done = on_auth, .user = bot };

    return webapi_start(bot->api, &request, err) ? 0 : -1;
}

/* A start while Slack is away: without the answer the bot does not know its own messages. */
static void on_who_timer(void *user)
{
    struct error err = ERROR_INIT;

    if (ask_who_we_are(user, &err) < 0)
        LOG(ERROR, "slack.auth_test", F_STR("why", error_text(&err)));
    error_clear(&err);
}

/* ---- the socket ---- */

static void on_trouble(void *user, const struct error *why, bool final)
{
    struct bot *bot = user;

    if (final)
        bot_finish(bot, why); /* otherwise the socket has logged it and goes on */
}

static void start_socket(struct bot *bot)
{
    bot->socket = slack_socket_start(
        &(struct slack_socket_options){ .loop = bot->o.loop,
                                        .api = bot->api,
                                        .sockets = bot->o.sockets,
                                        .connections = bot->o.connections,
                                        .expected_connections = bot->o.expected_connections,
                                        .on_envelope = bot_on_envelope,
                                        .on_trouble = on_trouble,
                                        .metrics = bot->o.metrics,
                                        .user = bot });
}

/* ---- starting and stopping ---- */

static struct scheduler_options scheduling(struct bot *bot)
{
    return (struct scheduler_options){ .max_running = bot->o.max_running,
                                       .lease_ms = bot->o.lease_ms,
                                       .retention_ms = bot->o.retention_ms,
                                       .retry = { .max_attempts = bot->o.max_attempts },
                                       .run = on_run,
                                       .stop = on_stop,
                                       .user = bot };
}

static int open_queue(struct bot *bot, struct error *err)
{
    struct queue_options options = { .max_queued = bot->o.max_waiting,
                                     .audit_hash = bot->o.audit_key ? audit_hash : NULL,
                                     .audit_user = (void *)(uintptr_t)bot->o.audit_key,
                                     .wake = on_wake,
                                     .user = bot };

    if (queue_open(bot->o.loop, bot->o.store_url, &options, &bot->queue, err) < 0)
        return -1;
    const struct scheduler_options schedule = scheduling(bot);
    bot->scheduler = scheduler_new(bot->o.loop, bot->queue, &schedule);
    bot_audit_start(bot);
    return 0;
}

int bot_start(const struct bot_options *options, struct bot **ret, struct error *err)
{
    struct bot *bot = xcalloc(1, sizeof(*bot));
    struct webapi_options api = { .api_url = options->api_url,
                                  .bot_token = options->bot_token,
                                  .app_token = options->app_token,
                                  .updates_per_minute = options->edits_per_minute };

    bot->o = *options;
    bot->looks = looks_of(options->progress, options->chart);
    if (open_queue(bot, err) < 0 ||
        webapi_new(options->loop, options->http, &api, &bot->api, err) < 0) {
        bot_free(bot);
        return -1;
    }
    bot->gate = access_gate_new(&(struct access_gate_options){
        .loop = options->loop, .api = bot->api, .rules = options->access });
    bot->who_timer = loop_timer_new(options->loop, on_who_timer, bot);
    if (ask_who_we_are(bot, err) < 0) {
        bot_free(bot);
        return -1;
    }
    start_socket(bot);
    scheduler_start(bot->scheduler);
    *ret = bot;
    return 0;
}

void bot_reload(struct bot *bot, const struct bot_options *options)
{
    bool restyled =
        !text_same(options->progress, bot->o.progress) || !text_same(options->chart, bot->o.chart);

    bot->o = *options;
    if (restyled) /* what the workspace refused before it may refuse again: then once more */
        bot->looks = looks_of(options->progress, options->chart);
    access_gate_set_rules(bot->gate, options->access);
    queue_set_max_queued(bot->queue, options->max_waiting);
    const struct scheduler_options schedule = scheduling(bot);
    scheduler_set_limits(bot->scheduler, &schedule);
}

static void ended(struct bot *bot)
{
    loop_timer_free(bot->stop_timer);
    bot->stop_timer = NULL;
    bot->o.on_ended(bot->o.user, bot->fatal.code == ERR_NONE ? NULL : &bot->fatal);
    /* nothing here: that may have freed the bot */
}

static void on_queue_stopped(void *user)
{
    ended(user);
}

static void on_drained(void *user)
{
    struct bot *bot = user;

    queue_stop(bot->queue, on_queue_stopped, bot);
}

static void on_socket_stopped(void *user)
{
    struct bot *bot = user;

    scheduler_drain(bot->scheduler, on_drained, bot);
}

static void on_stop_limit(void *user)
{
    LOG(WARN, "bot.stop",
        F_STR("why", "the jobs could not be handed over in time; their leases "
                     "run out and they go on then"));
    ended(user);
}

void bot_end(struct bot *bot)
{
    bot->stopping = true;
    bot->stop_timer = loop_timer_new(bot->o.loop, on_stop_limit, bot);
    loop_timer_start(bot->stop_timer, STOP_LIMIT_MS);
    slack_socket_stop(bot->socket, ACK_DRAIN_MS, on_socket_stopped, bot);
}

void bot_stop(struct bot *bot)
{
    if (bot->stopping)
        return;
    error_clear(&bot->fatal); /* it ends because somebody asked for it */
    bot_end(bot);
}

void bot_free(struct bot *bot)
{
    if (!bot)
        return;
    slack_socket_free(bot->socket);
    scheduler_free(bot->scheduler);
    requests_free(bot);
    tellings_free(bot);
    feedback_free(bot);
    access_gate_free(bot->gate);
    webapi_free(bot->api);
    bot_audit_free(bot);
    queue_free(bot->queue);
    loop_timer_free(bot->stop_timer);
    loop_timer_free(bot->who_timer);
    loop_timer_free(bot->finish_timer);
    error_clear(&bot->fatal);
    free(bot->bot_user);
    free(bot->bot_id);
    free(bot->team);
    free(bot);
}
