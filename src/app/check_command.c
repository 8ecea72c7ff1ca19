/* dbconn check: configuration and every credential against the live services, a line each. */
#include "check.h"
#include "command.h"

#include <stdio.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/slack/webapi.h"
#include "dbconn/sources/elasticsearch.h"
#include "dbconn/sources/github.h"
#include "dbconn/sources/sentry.h"

/* GitHub refuses an App's JWT of a clock that is more than a minute off; times of events, releases
 * and log lines are compared as well. */
#define CLOCK_SKEW_WARN_MS (30 * SECOND_MS)

void check_line(struct check *c, enum verdict v, const char *service, const char *fmt, ...)
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

void check_answered(struct check *c)
{
    if (--c->waiting == 0)
        uv_stop(&c->services.loop);
}

void check_clock(struct check *c, const char *service, int64_t skew_ms)
{
    if (skew_ms == TIME_UNKNOWN ||
        (skew_ms <= CLOCK_SKEW_WARN_MS && skew_ms >= -CLOCK_SKEW_WARN_MS))
        return;
    check_line(c, WARNING, service, "its clock is %lld s %s this machine's: one of them is wrong",
               (long long)(skew_ms < 0 ? -skew_ms : skew_ms) / 1000,
               skew_ms < 0 ? "behind" : "ahead of");
}

/* ---- sources ---- */

/* Nothing of it could be found out: it does not answer. */
static bool is_silent(const struct source_check *result)
{
    for (size_t i = 0; i < result->n_items; i++)
        if (result->items[i].ok != UNKNOWN)
            return false;
    return result->n_items > 0;
}

static void print_check(struct check *c, const char *service, const struct source_check *result,
                        const struct error *err)
{
    if (!result) {
        check_line(c, BAD, service, "%s", error_text(err));
        return;
    }
    if (result->identity)
        check_line(c, GOOD, service, "answers as %s", result->identity);
    for (size_t i = 0; i < result->n_items; i++) {
        const struct source_check_item *item = &result->items[i];
        check_line(c,
                   item->ok == YES                       ? GOOD
                   : item->ok == NO || is_silent(result) ? BAD
                                                         : WARNING,
                   service, "%s: %s", item->what, item->text);
    }
    check_clock(c, service, result->clock_skew_ms);
}

static void on_sentry(void *user, const void *result, const struct error *err)
{
    print_check(user, "sentry", result, err);
    check_answered(user);
}

static void on_github(void *user, const void *result, const struct error *err)
{
    print_check(user, "github", result, err);
    check_answered(user);
}

static void on_elasticsearch(void *user, const void *result, const struct error *err)
{
    print_check(user, "elasticsearch", result, err);
    check_answered(user);
}

/* The repositories that the service mapping names, NULL at the end; lent strings. */
static const char **repositories_of(const struct config *config)
{
    const cJSON *services = config_services(config), *entry;
    const char **list = xcalloc((size_t)cJSON_GetArraySize(services) + 1, sizeof(*list));
    size_t n = 0;

    cJSON_ArrayForEach (entry, services) {
        const char *repository = json_str(entry, "repository");
        size_t i = 0;
        while (repository && i < n && !text_isame(list[i], repository))
            i++;
        if (repository && i == n)
            list[n++] = repository;
    }
    return list;
}

static void ask_github(struct check *c, struct error *err)
{
    const char **repositories = repositories_of(c->config);

    if (!repositories[0])
        check_line(c, WARNING, "github",
                   "services names no repository: which ones may be read is not tried");
    c->waiting++;
    if (!github_check(c->services.sources.github, 0, repositories, on_github, c, err))
        on_github(c, NULL, err);
    free(repositories);
}

static void ask_sources(struct check *c)
{
    const struct sources *s = &c->services.sources;
    struct error err = ERROR_INIT;

    c->waiting++;
    if (!sentry_check(s->sentry, 0, on_sentry, c, &err))
        on_sentry(c, NULL, &err);
    if (s->github)
        ask_github(c, &err);
    else
        check_line(
            c, WARNING, "github",
            "neither github.token nor github.app_id is set: step 5 (code change) is skipped");
    c->waiting += s->es != NULL;
    if (!s->es)
        check_line(c, WARNING, "elasticsearch",
                   "elasticsearch.url is not set: step 6 (logs) is skipped");
    else if (!es_check(s->es, 0, on_elasticsearch, c, &err))
        on_elasticsearch(c, NULL, &err);
    error_clear(&err);
}

static int check(const struct config *config)
{
    struct check c = { .config = config };
    struct error err = ERROR_INIT;
    bool usable = services_open(config, &c.services, &err) == 0;

    if (!usable) {
        check_line(&c, BAD, "config", "%s", error_text(&err));
    } else {
        check_line(&c, GOOD, "config", "read; playbook %s (%.12s)", c.services.playbook->id,
                   c.services.playbook->hash);
        check_access(&c);
        check_store(&c);
        if (check_slack(&c, &err) < 0)
            check_line(&c, BAD, "slack", "%s", error_text(&err));
        ask_sources(&c);
        while (c.waiting > 0) /* what failed at once has asked the loop to stop already */
            uv_run(&c.services.loop, UV_RUN_DEFAULT);
    }
    webapi_free(c.slack);
    access_free(c.access);
    (void)services_close(&c.services); /* opens no socket, so no thread looks for its name */
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
    "each: who it is, which Slack scope is missing and what for, which repositories of the\n"
    "service mapping it may read, whether clocks agree, whether the host of Socket Mode can be\n"
    "reached; and says who may ask for what. Exit code: 0 all good (warnings too), 1 something "
    "failed, 2 the configuration\n"
    "cannot be read or lacks something that is always needed.\n",
    run,
};
