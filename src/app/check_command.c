/* dbconn check: configuration and every credential against the live services, a line each. */
#include "access_config.h"
#include "command.h"

#include <stdio.h>

#include "dbconn/app/services.h"
#include "dbconn/app/state_dir.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/queue/store.h"
#include "dbconn/slack/access.h"
#include "dbconn/slack/webapi.h"
#include "dbconn/sources/elasticsearch.h"
#include "dbconn/sources/github.h"
#include "dbconn/sources/sentry.h"

#define CLOCK_SKEW_WARN_MS (30 * SECOND_MS)

struct check {
    struct services services;
    struct webapi *slack;
    int waiting; /* answers that are still out */
    bool failed;
};

enum verdict { GOOD, WARNING, BAD };

static void line(struct check *c, enum verdict v, const char *service, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

static void line(struct check *c, enum verdict v, const char *service, const char *fmt, ...)
{
    static const char *const words[] = { [GOOD] = "ok", [WARNING] = "warning", [BAD] = "FAILED" };
    va_list ap;

    c->failed |= v == BAD;
    printf("%-8s %-14s ", words[v], service);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
}

static void answered(struct check *c)
{
    if (--c->waiting == 0)
        uv_stop(&c->services.loop);
}

/* ---- sources ---- */

static void print_check(struct check *c, const char *service, const struct source_check *result,
                        const struct error *err)
{
    if (!result) {
        line(c, BAD, service, "%s", error_text(err));
        return;
    }
    if (result->identity)
        line(c, GOOD, service, "answers as %s", result->identity);
    for (size_t i = 0; i < result->n_items; i++) {
        const struct source_check_item *item = &result->items[i];
        line(c,
             item->ok == YES  ? GOOD
             : item->ok == NO ? BAD
                              : WARNING,
             service, "%s: %s", item->what, item->text);
    }
    if (result->clock_skew_ms != TIME_UNKNOWN &&
        (result->clock_skew_ms > CLOCK_SKEW_WARN_MS || result->clock_skew_ms < -CLOCK_SKEW_WARN_MS))
        line(c, WARNING, service, "its clock is %lld s ahead of this machine's",
             (long long)(result->clock_skew_ms / 1000));
}

static void on_sentry(void *user, const void *result, const struct error *err)
{
    print_check(user, "sentry", result, err);
    answered(user);
}

static void on_github(void *user, const void *result, const struct error *err)
{
    print_check(user, "github", result, err);
    answered(user);
}

static void on_elasticsearch(void *user, const void *result, const struct error *err)
{
    print_check(user, "elasticsearch", result, err);
    answered(user);
}

static void ask_sources(struct check *c)
{
    const struct sources *s = &c->services.sources;
    struct error err = ERROR_INIT;

    c->waiting++;
    if (!sentry_check(s->sentry, 0, on_sentry, c, &err))
        on_sentry(c, NULL, &err);
    c->waiting += s->github != NULL;
    if (!s->github)
        line(c, WARNING, "github", "github.token is not set: step 5 (code change) is skipped");
    else if (!github_check(s->github, 0, NULL, on_github, c, &err))
        on_github(c, NULL, &err);
    c->waiting += s->es != NULL;
    if (!s->es)
        line(c, WARNING, "elasticsearch", "elasticsearch.url is not set: step 6 (logs) is skipped");
    else if (!es_check(s->es, 0, on_elasticsearch, c, &err))
        on_elasticsearch(c, NULL, &err);
    error_clear(&err);
}

/* ---- Slack ---- */

static void on_auth(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct check *c = user;

    if (reply->kind == WEBAPI_OK)
        line(c, GOOD, "slack", "the bot token answers as %s in %s",
             json_str_or(reply->json, "user", "?"), json_str_or(reply->json, "team", "?"));
    else
        line(c, BAD, "slack", "slack.bot_token: %s", error_text(err));
    answered(c);
}

static void on_connections(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct check *c = user;

    if (reply->kind == WEBAPI_OK)
        line(c, GOOD, "slack", "the app token may open Socket Mode connections");
    else
        line(c, BAD, "slack", "slack.app_token: %s", error_text(err));
    answered(c);
}

static void ask_slack_method(struct check *c, const char *method, webapi_done_fn *done)
{
    struct webapi_reply none = { .kind = WEBAPI_REFUSED, .code = "" };
    struct webapi_request request = { .method = method, .done = done, .user = c };
    struct error err = ERROR_INIT;

    c->waiting++;
    if (!webapi_start(c->slack, &request, &err))
        done(c, &none, &err);
    error_clear(&err);
}

static int ask_slack(struct check *c, const struct config *config, struct error *err)
{
    struct webapi_options options = { .api_url = config_str(config, "slack.api_url"),
                                      .bot_token = config_str(config, "slack.bot_token"),
                                      .app_token = config_str(config, "slack.app_token") };

    if (!options.bot_token && !options.app_token) {
        line(c, WARNING, "slack", "no tokens are set: only dbconn run works");
        return 0;
    }
    if (webapi_new(&c->services.loop, c->services.http, &options, &c->slack, err) < 0)
        return -1;
    ask_slack_method(c, "auth.test", on_auth);
    ask_slack_method(c, "apps.connections.open", on_connections);
    return 0;
}

/* ---- what needs no network ---- */

static void check_access(struct check *c, const struct config *config)
{
    struct access *access = NULL;
    struct error err = ERROR_INIT;

    if (access_from_config(config, &access, &err) < 0) {
        line(c, BAD, "access", "%s", error_text(&err));
        error_clear(&err);
        return;
    }
    if (access_is_empty(access))
        line(c, WARNING, "access",
             "access.allow (DBCONN_ACCESS_ALLOW) is not set: the bot answers "
             "help and refuses the rest");
    else if (access_is_open(access))
        line(c, WARNING, "access", "access.allow is *: every full member may ask");
    else
        line(c, GOOD, "access", "access.allow: %s", config_str(config, "access.allow"));
    line(c, GOOD, "access",
         "guests, other workspaces and channels shared with other companies: no%s",
         config_str(config, "access.external_channels") ? ", but access.external_channels" : "");
    if (access_has_projects(access))
        line(c, GOOD, "access", "access.projects: %s", config_str(config, "access.projects"));
    access_free(access);
}

static void check_store(struct check *c, const struct config *config)
{
    struct error err = ERROR_INIT;
    char *url = state_dir_store_url(config, false, &err);
    struct store *store = NULL;

    if (url && state_dir_store_missing(url))
        line(c, GOOD, "store", "%s is not there yet: dbconn serve makes it", url);
    else if (!url || store_open(url, NULL, &store, &err) < 0)
        line(c, BAD, "store", "%s", error_text(&err));
    else if (store_is_shared(store))
        line(c, GOOD, "store",
             "PostgreSQL: replicas may share it; keep it apart from the databases under "
             "diagnosis");
    else
        line(c, GOOD, "store", "%s, for one process", url);
    store_close(store);
    free(url);
    error_clear(&err);
}

static int check(const struct config *config)
{
    struct check c = { .failed = false };
    struct error err = ERROR_INIT;
    bool usable = services_open(config, &c.services, &err) == 0;

    if (!usable) {
        line(&c, BAD, "config", "%s", error_text(&err));
    } else {
        line(&c, GOOD, "config", "read; playbook %s (%.12s)", c.services.playbook->id,
             c.services.playbook->hash);
        check_access(&c, config);
        check_store(&c, config);
        if (ask_slack(&c, config, &err) < 0)
            line(&c, BAD, "slack", "%s", error_text(&err));
        ask_sources(&c);
        if (c.waiting > 0)
            uv_run(&c.services.loop, UV_RUN_DEFAULT);
    }
    webapi_free(c.slack);
    services_close(&c.services);
    error_clear(&err);
    if (!usable)
        return EXIT_USAGE;
    return c.failed ? EXIT_NOT_DONE : EXIT_OK;
}

static int run(int argc, char **argv)
{
    struct common_options options;
    int exit_code, n = common_options_read(&command_check, argc, argv, &options, &exit_code);

    if (n < 0)
        return exit_code;
    if (n > 0) {
        fprintf(stderr, "dbconn check: %s was not expected; see dbconn check --help\n", argv[1]);
        return EXIT_USAGE;
    }
    struct config *config = load_config(&options);
    if (!config)
        return EXIT_USAGE;
    exit_code = check(config);
    config_free(config);
    return exit_code;
}

const struct app_command command_check = {
    "check",
    "validates the configuration and every credential",
    "Usage: dbconn check [--config FILE]\n"
    "\n"
    "Reads the configuration and tries every credential against its live service, a line\n"
    "each. Exit code: 0 all good (warnings too), 1 something failed, 2 the configuration\n"
    "cannot be read or lacks something that is always needed.\n",
    run,
};
