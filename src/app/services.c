#include "dbconn/app/services.h"

#include "dbconn/analysis/failure.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/log.h"
#include "dbconn/net/http.h"
#include "dbconn/net/loop.h"
#include "dbconn/net/policy.h"
#include "dbconn/sources/elasticsearch.h"
#include "dbconn/sources/github.h"
#include "dbconn/sources/sentry.h"

/* An investigation asks Sentry 15 to 30 times; sentry.io allows 40 in a second to a caller
 * (docs.sentry.io, "Rate Limits"). */
#define SENTRY_PER_SECOND 36
/* Jobs that begin together read the same lists of their project. Long enough for a burst, too short
 * for anybody to notice. */
#define SENTRY_KEEP_MS (5 * SECOND_MS)

/* "sentry=*.example.com" */
static void allow_host(void *user, const char *entry)
{
    const char *sep = strchr(entry, '=');

    if (!sep) {
        LOG(WARN, "config.allow_hosts", F_STR("ignored", entry),
            F_STR("expected", "service=host, for instance sentry=*.example.com"));
        return;
    }
    char *service = xstrndup(entry, (size_t)(sep - entry));
    net_policy_add_host(user, service, sep + 1);
    free(service);
}

/* Sentry's regions belong to sentry.io (docs.sentry.io, "Choosing the right API base domain");
 * Slack hands out addresses of its socket, file and response hosts. */
static void allow_companions(struct net_policy *policy, const struct config *config)
{
    const char *sentry = config_str(config, "sentry.url"),
               *slack = config_str(config, "slack.api_url");

    if (strstr(sentry, "://sentry.io") || strstr(sentry, ".sentry.io")) {
        net_policy_add_host(policy, "sentry", "sentry.io");
        net_policy_add_host(policy, "sentry", "us.sentry.io");
        net_policy_add_host(policy, "sentry", "de.sentry.io");
    }
    if (strstr(slack, "://slack.com/"))
        net_policy_add_host(policy, "slack", "*.slack.com");
    if (strstr(slack, "://slack-gov.com/"))
        net_policy_add_host(policy, "slack", "*.slack-gov.com");
}

static int open_policy(const struct config *config, struct services *s, struct error *err)
{
    static const char *const bases[][2] = { { "slack", "slack.api_url" },
                                            { "sentry", "sentry.url" },
                                            { "github", "github.api_url" },
                                            { "elasticsearch", "elasticsearch.url" } };

    s->policy = net_policy_new();
    for (size_t i = 0; i < ARRAY_LEN(bases); i++) {
        const char *url = config_str(config, bases[i][1]);
        if (!url)
            continue;
        if (net_policy_add_base(s->policy, bases[i][0], url, err) < 0)
            return error_context(err, "%s", bases[i][1]);
        if (net_policy_is_plaintext(s->policy, bases[i][0]))
            LOG(WARN, "net.plaintext", F_STR("service", bases[i][0]),
                F_STR("why", "the configured address is loopback without TLS"));
    }
    allow_companions(s->policy, config);
    config_each(config, "net.allow_hosts", allow_host, s->policy);
    net_policy_set_ca_file(s->policy, config_str(config, "net.ca_file"));
    return 0;
}

static int64_t call_budget_ms(const struct config *config)
{
    return config_num(config, "limits.call_seconds") * SECOND_MS;
}

static struct source_limits limits_of(const struct config *config, const struct sources *sources)
{
    return (struct source_limits){
        .json_depth = (size_t)config_num(config, "limits.json_depth"),
        .json_values = (size_t)config_num(config, "limits.json_values"),
        .budget = sources->budget,
    };
}

static int open_sentry(const struct config *config, struct http *http, struct sources *ret,
                       struct error *err)
{
    struct sentry_options options = { .url = config_str(config, "sentry.url"),
                                      .org = config_str(config, "sentry.organization"),
                                      .token = config_str(config, "sentry.auth_token"),
                                      .max_per_second = SENTRY_PER_SECOND,
                                      .budget_ms = call_budget_ms(config),
                                      .max_pages = (int)config_num(config, "limits.pages"),
                                      .max_frames = (int)config_num(config, "limits.frames"),
                                      .limits = limits_of(config, ret),
                                      .keep_ms = SENTRY_KEEP_MS };

    if (config_require(config, "sentry.organization", err) < 0 ||
        config_require(config, "sentry.auth_token", err) < 0)
        return -1;
    return sentry_new(http, &options, &ret->sentry, err);
}

static int open_github(const struct config *config, struct http *http, struct sources *ret,
                       struct error *err)
{
    struct github_app_options app = { .client_id = config_str(config, "github.app_id"),
                                      .private_key_pem =
                                          config_str(config, "github.app_private_key"),
                                      .installation_id =
                                          config_str(config, "github.app_installation_id") };
    struct github_options options = { .url = config_str(config, "github.api_url"),
                                      .token = config_str(config, "github.token"),
                                      .budget_ms = call_budget_ms(config),
                                      .max_pages = (int)config_num(config, "limits.pages"),
                                      .limits = limits_of(config, ret),
                                      .app = app.client_id ? &app : NULL };

    return options.token || options.app ? github_new(http, &options, &ret->github, err) : 0;
}

static int open_elasticsearch(const struct config *config, struct http *http, struct sources *ret,
                              struct error *err)
{
    struct es_options options = { .url = config_str(config, "elasticsearch.url"),
                                  .index = config_str(config, "elasticsearch.index"),
                                  .budget_ms = call_budget_ms(config),
                                  .max_hits = (int)config_num(config, "limits.log_hits"),
                                  .limits = limits_of(config, ret),
                                  .api_key = config_str(config, "elasticsearch.api_key"),
                                  .user = config_str(config, "elasticsearch.user"),
                                  .password = config_str(config, "elasticsearch.password") };

    return options.url ? es_new(http, &options, &ret->es, err) : 0;
}

int playbook_from_config(const struct config *config, struct playbook **ret, struct error *err)
{
    const char *path = config_str(config, "playbook.path");

    return path ? playbook_load(path, ret, err) : playbook_builtin(ret, err);
}

static size_t mebibytes(const struct config *config, const char *key)
{
    return (size_t)config_num(config, key) * 1024 * 1024;
}

int sources_open(const struct config *config, struct services *s, struct sources *ret,
                 struct error *err)
{
    *ret = (struct sources){ .reader = s->reader,
                             .services = config_services(config),
                             .diff_lines = (size_t)config_num(config, "limits.diff_lines") };
    ret->budget = source_budget_new(mebibytes(config, "limits.job_memory_mb"));
    if (open_sentry(config, s->http, ret, err) < 0 || open_github(config, s->http, ret, err) < 0 ||
        open_elasticsearch(config, s->http, ret, err) < 0)
        return -1;
    http_limit_answers(s->http, mebibytes(config, "limits.answer_mb"));
    http_limit_memory(s->http, mebibytes(config, "limits.memory_mb"));
    return 0;
}

void sources_close(struct sources *sources)
{
    sentry_free(sources->sentry);
    github_free(sources->github);
    es_free(sources->es);
    source_budget_free(sources->budget);
    *sources = (struct sources){ 0 };
}

int services_open_base(const struct config *config, struct services *s, struct error *err)
{
    *s = (struct services){ 0 };
    if (http_global_init(err) < 0 || open_policy(config, s, err) < 0)
        return -1;
    if (uv_loop_init(&s->loop) != 0)
        return error_set(err, ERR_CONFIG, "cannot make an event loop");
    s->loop_ready = true;
    s->reader = failure_reader_new();
    return http_new(&s->loop, s->policy, &s->http, err);
}

int services_open(const struct config *config, struct services *s, struct error *err)
{
    return services_open_base(config, s, err) < 0 ||
                   playbook_from_config(config, &s->playbook, err) < 0 ||
                   sources_open(config, s, &s->sources, err) < 0
               ? -1
               : 0;
}

bool services_close(struct services *s)
{
    sources_close(&s->sources);
    http_free(s->http);
    bool idle = !s->loop_ready || loop_finish(&s->loop) || s->loop.active_reqs.count == 0;
    net_policy_free(s->policy);
    failure_reader_free(s->reader);
    playbook_unref(s->playbook);
    http_global_clear();
    if (idle)
        *s = (struct services){ 0 };
    return idle;
}
