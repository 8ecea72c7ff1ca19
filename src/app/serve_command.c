/* dbconn serve: the Slack bot. */
#include "access_config.h"
#include "command.h"

#include <signal.h>
#include <stdio.h>

#include "dbconn/app/services.h"
#include "dbconn/app/state_dir.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/log.h"
#include "dbconn/base/metrics.h"
#include "dbconn/net/http.h"
#include "dbconn/net/loop.h"
#include "dbconn/net/websocket.h"
#include "dbconn/slack/access.h"
#include "dbconn/slack/bot.h"
#include "monitor.h"

struct serving {
    struct services services;
    struct metrics *metrics;
    struct websockets *sockets;
    struct bot *bot;
    struct monitor *monitor;
    struct access *access;
    char *store_url;
    char **auto_channels;
    size_t n_auto_channels, cap_auto_channels;
    int exit_code;
};

static void on_ended(void *user, const struct error *why)
{
    struct serving *s = user;

    if (why) {
        fprintf(stderr, "dbconn serve: %s\n", error_text(why));
        s->exit_code = EXIT_NOT_DONE;
    }
    uv_stop(&s->services.loop);
}

static void on_signal(void *user)
{
    struct serving *s = user;

    LOG(INFO, "serve.stop", F_STR("why", "signal"));
    bot_stop(s->bot);
}

static void on_auto_channel(void *user, const char *channel)
{
    struct serving *s = user;

    *VEC_ADD(s->auto_channels, s->n_auto_channels, s->cap_auto_channels) = xstrdup(channel);
}

static int start_bot(struct serving *s, const struct config *config, struct error *err)
{
    if (config_require(config, "slack.app_token", err) < 0 ||
        config_require(config, "slack.bot_token", err) < 0)
        return -1;
    s->store_url = state_dir_store_url(config, true, err);
    if (!s->store_url)
        return -1;
    if (access_from_config(config, &s->access, err) < 0)
        return -1;
    config_each(config, "slack.auto_channels", on_auto_channel, s);
    if (access_is_empty(s->access))
        LOG(WARN, "access.nobody",
            F_STR("why", "access.allow (DBCONN_ACCESS_ALLOW) is not set, so "
                         "only help is answered"));
    struct bot_options options = {
        .loop = &s->services.loop,
        .http = s->services.http,
        .sockets = s->sockets,
        .metrics = s->metrics,
        .sources = &s->services.sources,
        .playbook = s->services.playbook,
        .access = s->access,
        .sentry_url = config_str(config, "sentry.url"),
        .sentry_org = config_str(config, "sentry.organization"),
        .api_url = config_str(config, "slack.api_url"),
        .app_token = config_str(config, "slack.app_token"),
        .bot_token = config_str(config, "slack.bot_token"),
        .store_url = s->store_url,
        .connections = (int)config_num(config, "slack.connections"),
        .expected_connections = (int)config_num(config, "slack.expected_connections"),
        .max_running = (int)config_num(config, "queue.max_running"),
        .max_waiting = (int)config_num(config, "queue.max_waiting"),
        .max_attempts = (int)config_num(config, "queue.max_attempts"),
        .lease_ms = config_num(config, "queue.lease_seconds") * SECOND_MS,
        .seen_ms = config_num(config, "history.seen_days") * DAY_MS,
        .retention_ms = config_num(config, "queue.retention_days") * DAY_MS,
        .job_budget_ms = config_num(config, "limits.job_seconds") * SECOND_MS,
        .edits_per_minute = (int)config_num(config, "slack.edits_per_minute"),
        .progress = config_str(config, "slack.progress"),
        .reply_broadcast = config_bool(config, "slack.reply_broadcast"),
        .mention_asker = config_bool(config, "slack.mention_asker"),
        .auto_channels = (const char *const *)s->auto_channels,
        .n_auto_channels = s->n_auto_channels,
        .on_ended = on_ended,
        .user = s,
    };
    return bot_start(&options, &s->bot, err);
}

/* Metrics are kept only when somebody may ask for them. */
static int open_metrics(struct serving *s, const struct config *config, struct error *err)
{
    if (websockets_new(&s->services.loop, s->services.policy, &s->sockets, err) < 0)
        return -1;
    if (config_str(config, "metrics.listen"))
        s->metrics = metrics_new();
    http_set_metrics(s->services.http, s->metrics);
    return 0;
}

static int start_monitor(struct serving *s, const struct config *config, struct error *err)
{
    const struct monitor_options options = { .listen = config_str(config, "metrics.listen"),
                                             .services = &s->services,
                                             .sockets = s->sockets,
                                             .bot = s->bot,
                                             .metrics = s->metrics };

    return s->metrics ? monitor_start(&options, &s->monitor, err) : 0;
}

static void serve_loop(struct serving *s)
{
    struct loop_signal *term = loop_signal_new(&s->services.loop, SIGTERM, on_signal, s);
    struct loop_signal *interrupt = loop_signal_new(&s->services.loop, SIGINT, on_signal, s);

    (void)signal(SIGPIPE, SIG_IGN);
    LOG(INFO, "serve.start", F_STR("version", DBCONN_VERSION),
        F_STR("playbook", s->services.playbook->id));
    uv_run(&s->services.loop, UV_RUN_DEFAULT);
    loop_signal_free(term);
    loop_signal_free(interrupt);
}

static int serve(const struct config *config)
{
    struct serving s = { .exit_code = EXIT_OK };
    struct error err = ERROR_INIT;

    if (services_open(config, &s.services, &err) < 0 || open_metrics(&s, config, &err) < 0 ||
        start_bot(&s, config, &err) < 0 || start_monitor(&s, config, &err) < 0) {
        fprintf(stderr, "dbconn serve: %s\n", error_text(&err));
        s.exit_code = err.code == ERR_CONFIG ? EXIT_USAGE : EXIT_NOT_DONE;
    } else {
        serve_loop(&s);
    }
    monitor_free(s.monitor);
    bot_free(s.bot);
    websockets_free(s.sockets);
    services_close(&s.services);
    metrics_free(s.metrics);
    access_free(s.access);
    for (size_t i = 0; i < s.n_auto_channels; i++)
        free(s.auto_channels[i]);
    free(s.auto_channels);
    free(s.store_url);
    error_clear(&err);
    return s.exit_code;
}

static int run(int argc, char **argv)
{
    struct common_options options;
    int exit_code, n = common_options_read(&command_serve, argc, argv, &options, &exit_code);

    if (n < 0)
        return exit_code;
    if (n > 0) {
        fprintf(stderr, "dbconn serve: %s was not expected; see dbconn serve --help\n", argv[1]);
        return EXIT_USAGE;
    }
    struct config *config = load_config(&options);
    if (!config)
        return EXIT_USAGE;
    exit_code = serve(config);
    config_free(config);
    return exit_code;
}

const struct app_command command_serve = {
    "serve",
    "the Slack bot",
    "Usage: dbconn serve [--config FILE]\n"
    "\n"
    "Connects to Slack (Socket Mode) and answers /dbconn until SIGTERM. Jobs are kept in\n"
    "database.url, by default in the state directory, and go on after a restart.\n"
    "\n"
    "Needs slack.app_token, slack.bot_token, sentry.organization and sentry.auth_token, and\n"
    "access.allow for anybody to be answered. GitHub and Elasticsearch are optional.\n"
    "\n"
    "Exit code: 0 stopped by SIGTERM or SIGINT, 1 it could not start or go on (the store does\n"
    "not work, Slack withdrew its access), 2 usage or configuration.\n",
    run,
};
