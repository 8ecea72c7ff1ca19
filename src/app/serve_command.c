/* dbconn serve: the Slack bot. */
#include "audit_key.h"
#include "command.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

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
#include "generation.h"
#include "monitor.h"
#include "reload.h"
#include "service_manager.h"

#define WATCHED_SIGNALS 5

struct serving {
    const char *config_path;
    struct services services;
    struct generation *now; /* the reading of the configuration that counts */
    struct metrics *metrics;
    struct websockets *sockets;
    struct bot *bot;
    struct monitor *monitor;
    struct service_manager *manager; /* systemd, when it asks */
    struct audit_key audit_key;
    char *store_url, *audit_file;
    struct loop_signal *watched[WATCHED_SIGNALS];
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

/* ---- starting ---- */

static void warn_of_nobody(const struct generation *g)
{
    if (access_is_empty(g->access))
        LOG(WARN, "access.nobody",
            F_STR("why", "access.allow (DBCONN_ACCESS_ALLOW) is not set, so "
                         "only help is answered"));
}

/* 0 days: for ever, which the scheduler knows as below 0. */
static int64_t retention_ms(const struct config *config)
{
    int64_t days = config_num(config, "queue.retention_days");

    return days ? days * DAY_MS : -1;
}

static void read_options(struct serving *s, struct bot_options *ret)
{
    struct generation *g = s->now;
    const struct config *config = g->config;

    *ret = (struct bot_options){
        .loop = &s->services.loop,
        .http = s->services.http,
        .sockets = s->sockets,
        .metrics = s->metrics,
        .sources = &g->sources,
        .playbook = g->playbook,
        .access = g->access,
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
        .retention_ms = retention_ms(config),
        .job_budget_ms = config_num(config, "limits.job_seconds") * SECOND_MS,
        .step_ms = config_num(config, "limits.step_seconds") * SECOND_MS,
        .edits_per_minute = (int)config_num(config, "slack.edits_per_minute"),
        .progress = config_str(config, "slack.progress"),
        .chart = config_str(config, "slack.chart"),
        .reply_broadcast = config_bool(config, "slack.reply_broadcast"),
        .mention_asker = config_bool(config, "slack.mention_asker"),
        .notify = g->notify,
        .auto_channels = (const char *const *)g->auto_channels,
        .n_auto_channels = g->n_auto_channels,
        .audit_key = &s->audit_key,
        .audit_file = s->audit_file,
        .audit_retention_ms = config_num(config, "audit.retention_days") * DAY_MS,
        .generation = g,
        .retain = generation_ref,
        .release = generation_unref,
        .on_ended = on_ended,
        .user = s,
    };
}

static int start_bot(struct serving *s, struct error *err)
{
    struct bot_options options;

    s->store_url = state_dir_store_url(s->now->config, true, err);
    if (!s->store_url)
        return -1;
    if (audit_key_load(s->now->config, s->store_url, true, &s->audit_key, err) < 0)
        return -1;
    s->audit_file = xstrdup(config_str(s->now->config, "audit.file"));
    warn_of_nobody(s->now);
    read_options(s, &options);
    return bot_start(&options, &s->bot, err);
}

/* Metrics are kept only when somebody may ask for them. */
static int open_metrics(struct serving *s, struct error *err)
{
    if (websockets_new(&s->services.loop, s->services.policy, &s->sockets, err) < 0)
        return -1;
    if (config_str(s->now->config, "metrics.listen"))
        s->metrics = metrics_new();
    http_set_metrics(s->services.http, s->metrics);
    return 0;
}

static int start_monitor(struct serving *s, struct error *err)
{
    const struct monitor_options options = { .listen = config_str(s->now->config, "metrics.listen"),
                                             .loop = &s->services.loop,
                                             .http = s->services.http,
                                             .sockets = s->sockets,
                                             .bot = s->bot,
                                             .metrics = s->metrics,
                                             .sources = &s->now->sources,
                                             .playbook = s->now->playbook };

    return s->metrics ? monitor_start(&options, &s->monitor, err) : 0;
}

/* ---- reloading ---- */

static void use(struct serving *s, struct generation *fresh)
{
    struct generation *before = s->now;
    struct bot_options options;

    s->now = fresh;
    read_options(s, &options);
    bot_reload(s->bot, &options);
    monitor_use(s->monitor, &fresh->sources, fresh->playbook);
    log_use_level(fresh->config);
    warn_of_nobody(fresh);
    generation_unref(before); /* lives on for those that began with it */
}

static void on_reload(void *user)
{
    struct serving *s = user;
    struct generation *fresh;
    struct error err = ERROR_INIT;

    service_manager_reloading(s->manager);
    int rc = reload_read(s->config_path, s->now, &s->services, &fresh, &err);

    if (rc == 0)
        use(s, fresh);
    else
        LOG(ERROR, "config.refused", F_STR("why", error_text(&err)),
            F_STR("effect", "the configuration and the playbook stay as they were"));
    monitor_reloaded(s->monitor, rc == 0);
    service_manager_ready(s->manager);
    error_clear(&err);
}

/* ---- the loop ---- */

static void on_stop(void *user)
{
    struct serving *s = user;

    LOG(INFO, "serve.stop", F_STR("why", "signal"));
    service_manager_stopping(s->manager);
    bot_stop(s->bot);
}

static void on_debug(void *user)
{
    (void)user;
    log_set_level(LOG_DEBUG);
    LOG(INFO, "log.level", F_STR("level", "debug"), F_STR("why", "SIGUSR1"));
}

static void on_usual_level(void *user)
{
    const struct serving *s = user;

    LOG(INFO, "log.level", F_STR("level", config_str(s->now->config, "log.level")),
        F_STR("why", "SIGUSR2"));
    log_use_level(s->now->config);
}

static const struct {
    int number;
    loop_fn *fn;
} signals[] = { { SIGTERM, on_stop },
                { SIGINT, on_stop },
                { SIGHUP, on_reload },
                { SIGUSR1, on_debug },
                { SIGUSR2, on_usual_level } };

_Static_assert(ARRAY_LEN(signals) == WATCHED_SIGNALS, "a watcher each");

/* What comes while it starts waits for the loop, instead of ending the process half-way. */
static void hold_signals(int how)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        sigaddset(&set, signals[i].number);
    (void)pthread_sigmask(how, &set, NULL);
}

static void watch_signals(struct serving *s)
{
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        s->watched[i] = loop_signal_new(&s->services.loop, signals[i].number, signals[i].fn, s);
    hold_signals(SIG_UNBLOCK);
}

static void serve_loop(struct serving *s)
{
    (void)signal(SIGPIPE, SIG_IGN);
    LOG(INFO, "serve.start", F_STR("version", DBCONN_VERSION),
        F_STR("playbook", s->now->playbook->id));
    service_manager_ready(s->manager); /* connecting to Slack may take as long as it takes */
    uv_run(&s->services.loop, UV_RUN_DEFAULT);
}

/* What systemctl status shows. */
static void on_status(void *user, struct buf *out)
{
    const struct serving *s = user;
    struct bot_status bot;

    bot_status(s->bot, &bot);
    if (bot.socket.open)
        buf_adds(out, "Connected to Slack");
    else
        buf_addf(out, "Not connected to Slack%s%s", *bot.socket.trouble ? ": " : "",
                 bot.socket.trouble);
    if (bot.store_away_since_ms != TIME_UNKNOWN)
        buf_adds(out, "; the store does not work");
    if (bot.running)
        buf_addf(out, "; %d investigation%s running", bot.running, bot.running == 1 ? "" : "s");
}

static void watch_for_manager(struct serving *s)
{
    const struct service_manager_options options = {
        .loop = &s->services.loop, .get = getenv, .status = on_status, .user = s
    };

    s->manager = service_manager_new(&options);
}

/* Takes `config` over. */
static int start(struct serving *s, struct config *config, struct error *err)
{
    if (services_open_base(config, &s->services, err) < 0) {
        config_free(config);
        return -1;
    }
    watch_signals(s);
    return generation_new(config, &s->services, &s->now, err) < 0 || open_metrics(s, err) < 0 ||
                   start_bot(s, err) < 0 || start_monitor(s, err) < 0
               ? -1
               : 0;
}

/* A name server does not answer: the thread that asks it would be waited for, and the loop that it
 * reports to ends with serve(). */
static _Noreturn void leave_at_once(int exit_code)
{
    (void)fflush(NULL);
    _exit(exit_code);
}

static int serve(const char *config_path, struct config *config)
{
    struct serving s = { .config_path = config_path, .exit_code = EXIT_OK };
    struct error err = ERROR_INIT;

    if (start(&s, config, &err) < 0) {
        fprintf(stderr, "dbconn serve: %s\n", error_text(&err));
        s.exit_code = err.code == ERR_CONFIG ? EXIT_USAGE : EXIT_NOT_DONE;
    } else {
        watch_for_manager(&s);
        serve_loop(&s);
    }
    for (size_t i = 0; i < WATCHED_SIGNALS; i++)
        loop_signal_free(s.watched[i]);
    service_manager_free(s.manager);
    monitor_free(s.monitor);
    bot_free(s.bot);
    websockets_free(s.sockets);
    generation_unref(s.now);
    bool idle = services_close(&s.services);
    metrics_free(s.metrics);
    free(s.store_url);
    free(s.audit_file);
    audit_key_wipe(&s.audit_key);
    error_clear(&err);
    if (!idle)
        leave_at_once(s.exit_code);
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
    hold_signals(SIG_BLOCK);
    struct config *config = load_config(&options);
    if (!config)
        return EXIT_USAGE;
    return serve(options.config_path, config);
}

const struct app_command command_serve = {
    "serve",
    "the Slack bot",
    "Usage: dbconn serve [--config FILE]\n"
    "\n"
    "Connects to Slack (Socket Mode) and answers /dbconn until SIGTERM. Jobs are kept in\n"
    "database.url, by default in the state directory, and go on after a restart.\n"
    "\n"
    "SIGHUP reads the configuration and the playbook anew; what is wrong is refused and said, and\n"
    "so is what needs a restart. SIGUSR1 logs everything, SIGUSR2 as configured again.\n"
    "\n"
    "Needs slack.app_token, slack.bot_token, sentry.organization and sentry.auth_token, and\n"
    "access.allow for anybody to be answered. GitHub and Elasticsearch are optional.\n"
    "\n"
    "Exit code: 0 stopped by SIGTERM or SIGINT, 1 it could not start or go on (the store does\n"
    "not work, Slack withdrew its access), 2 usage or configuration.\n",
    run,
};
