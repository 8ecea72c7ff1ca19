/*
 * dbconn-sandbox - Slack, Sentry, GitHub and Elasticsearch on loopback, from one scenario file.
 *
 * Prints one line of JSON when everything listens, and runs until SIGTERM, SIGINT or, with
 * --stdin, the end of its standard input. Never part of the product.
 */
#include <getopt.h>
#include <stdio.h>

#include "control/control.h"
#include "dbconn/base/text.h"
#include "elastic/elastic.h"
#include "github/github.h"
#include "sentry/sentry.h"

static const char usage[] =
    "usage: dbconn-sandbox [OPTIONS] SCENARIO.json\n"
    "  --port N          listen on N and the ports after it (default: free ones)\n"
    "  --without NAME    sentry, github or elasticsearch refuses connections; repeatable\n"
    "  --faults JSON     faults from the start: {\"sentry\":[{\"status\":500}]}\n"
    "  --lift-limits     no rate limits\n"
    "  --allow-kill      faults may kill a process (for crash tests)\n"
    "  --env-file FILE   also write the environment, as lines for a shell\n"
    "  --stdin           stop when standard input ends\n"
    "  --help\n"
    "It prints a line of JSON with its addresses, its control port and the environment for "
    "dbconn.\n";

struct options {
    int port;
    bool watch_stdin, lift_limits, allow_kill;
    const char *faults, *scenario, *env_file;
    struct params without;
};

static int read_options(int argc, char **argv, struct options *ret)
{
    static const struct option options[] = {
        { "port", required_argument, NULL, 'p' },
        { "without", required_argument, NULL, 'w' },
        { "faults", required_argument, NULL, 'f' },
        { "lift-limits", no_argument, NULL, 'l' },
        { "allow-kill", no_argument, NULL, 'k' },
        { "stdin", no_argument, NULL, 's' },
        { "env-file", required_argument, NULL, 'e' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'p':
            ret->port = (int)strtol(optarg, NULL, 10);
            break;
        case 'w':
            params_add(&ret->without, optarg, "");
            break;
        case 'f':
            ret->faults = optarg;
            break;
        case 'e':
            ret->env_file = optarg;
            break;
        case 'l':
            ret->lift_limits = true;
            break;
        case 'k':
            ret->allow_kill = true;
            break;
        case 's':
            ret->watch_stdin = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind != argc - 1) {
        fputs(usage, stderr);
        return 2;
    }
    ret->scenario = argv[optind];
    return -1;
}

struct sandbox {
    struct world world;
    struct shell *shell;
    struct slack *slack;
    struct sentry *sentry;
    struct github *github;
    struct elastic *elastic;
    char *sentry_url, *github_url, *elastic_url;
    struct control control;
};

static int next_port(struct options *options)
{
    return options->port ? options->port++ : 0;
}

static void add_backend(struct control *control, const char *name, struct service *service)
{
    control->backends[control->n_backends++] = (struct backend){ name, service };
}

static void put_env(cJSON *env, const char *name, const char *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(env, name);
    json_put_str(env, name, value);
}

static void put_backends(struct sandbox *s, cJSON *urls, cJSON *env)
{
    json_put_str(urls, "sentry", s->sentry_url);
    json_put_str(urls, "github", s->github_url);
    json_put_str(urls, "elasticsearch", s->elastic_url);
    put_env(env, "SENTRY_URL", s->sentry_url);
    put_env(env, "SENTRY_ORG", s->sentry ? sentry_org(s->sentry) : "example");
    put_env(env, "SENTRY_AUTH_TOKEN", s->sentry ? sentry_token(s->sentry) : "none");
    put_env(env, "GITHUB_API_URL", s->github_url);
    put_env(env, "GITHUB_TOKEN", s->github ? github_token(s->github) : "none");
    put_env(env, "ELASTICSEARCH_URL", s->elastic_url);
    put_env(env, "ELASTICSEARCH_API_KEY", s->elastic ? elastic_api_key(s->elastic) : "none");
}

static cJSON *describe(struct sandbox *s)
{
    cJSON *out = cJSON_CreateObject(), *urls, *env;
    char *api = xasprintf("%s/api/", service_url(s->slack->service));

    json_put_str(out, "scenario", s->world.name);
    json_put_str(out, "short_id", s->world.short_id);
    json_put_str(out, "control", service_url(s->control.service));
    json_put_str(out, "channel", "C0INCIDENT");
    json_put_str(out, "bot_user_id", s->slack->ws.bot_user_id);
    urls = json_put_object(out, "urls");
    json_put_str(urls, "slack", service_url(s->slack->service));
    env = json_put_object(out, "env");
    put_env(env, "SLACK_API_URL", api);
    put_env(env, "SLACK_APP_TOKEN", s->slack->app_token);
    put_env(env, "SLACK_BOT_TOKEN", s->slack->bot_token);
    put_env(env, "DBCONN_ACCESS_ALLOW", "*");
    put_backends(s, urls, env);
    for (const cJSON *e = s->world.env ? s->world.env->child : NULL; e; e = e->next)
        if (cJSON_IsString(e))
            put_env(env, e->string, e->valuestring);
    free(api);
    return out;
}

/* A service that is not there keeps a port that refuses every connection. */
static int refuse_backend(struct sandbox *s, struct options *options, char **ret_url,
                          struct error *err)
{
    *ret_url = shell_refuse(s->shell, next_port(options), err);
    return *ret_url ? 0 : -1;
}

static int start_sentry(struct sandbox *s, struct options *options, struct error *err)
{
    if (params_has(&options->without, "sentry"))
        return refuse_backend(s, options, &s->sentry_url, err);
    s->sentry = sentry_new(s->shell, &s->world, next_port(options), err);
    if (!s->sentry)
        return -1;
    s->sentry_url = xstrdup(service_url(sentry_service(s->sentry)));
    add_backend(&s->control, "sentry", sentry_service(s->sentry));
    return 0;
}

static int start_github(struct sandbox *s, struct options *options, struct error *err)
{
    if (params_has(&options->without, "github"))
        return refuse_backend(s, options, &s->github_url, err);
    s->github = github_new(s->shell, &s->world, next_port(options), err);
    if (!s->github)
        return -1;
    s->github_url = xstrdup(service_url(github_service(s->github)));
    add_backend(&s->control, "github", github_service(s->github));
    return 0;
}

/* The scenario itself may say that the logs are down, or answer every request with a status. */
static int start_elastic(struct sandbox *s, struct options *options, struct error *err)
{
    const cJSON *spec = s->world.elasticsearch;

    if (params_has(&options->without, "elasticsearch") || cJSON_IsTrue(json_get(spec, "down")))
        return refuse_backend(s, options, &s->elastic_url, err);
    s->elastic = elastic_new(s->shell, &s->world, next_port(options), err);
    if (!s->elastic)
        return -1;
    s->elastic_url = xstrdup(service_url(elastic_service(s->elastic)));
    add_backend(&s->control, "elasticsearch", elastic_service(s->elastic));
    return 0;
}

static int start(struct sandbox *s, struct options *options, struct error *err)
{
    if (world_load(options->scenario, &s->world, err) < 0)
        return -1;
    s->shell = shell_new(options->allow_kill, err);
    if (!s->shell)
        return -1;
    s->slack = slack_new(s->shell, s->world.slack, next_port(options), err);
    if (!s->slack)
        return -1;
    s->slack->limits.lifted = options->lift_limits;
    s->control.shell = s->shell;
    s->control.slack = s->slack;
    s->control.world = &s->world;
    add_backend(&s->control, "slack", s->slack->service);
    if (start_sentry(s, options, err) < 0 || start_github(s, options, err) < 0 ||
        start_elastic(s, options, err) < 0)
        return -1;
    if (control_listen(&s->control, next_port(options), err) < 0)
        return -1;
    s->control.start = describe(s);
    return 0;
}

static int set_faults(struct sandbox *s, const char *text, struct error *err)
{
    cJSON *tree = NULL;
    int rc = control_set_faults(&s->control, NULL, err);

    if (!text || rc < 0)
        return rc;
    if (json_parse(text, strlen(text), "--faults", &tree, err) < 0)
        return -1;
    rc = control_set_faults(&s->control, tree, err);
    cJSON_Delete(tree);
    return rc;
}

/* NAME='value' lines; the control port and the issue come along as SANDBOX_... */
static int write_env(const struct sandbox *s, const char *path, struct error *err)
{
    const cJSON *env = json_get(s->control.start, "env");
    FILE *out;

    if (!path)
        return 0;
    out = fopen(path, "w");
    if (!out)
        return error_set(err, ERR_CONFIG, "cannot write %s", path);
    for (const cJSON *e = env ? env->child : NULL; e; e = e->next)
        fprintf(out, "%s='%s'\n", e->string, e->valuestring);
    fprintf(out, "SANDBOX_CONTROL='%s'\n", service_url(s->control.service));
    fprintf(out, "SANDBOX_SHORT_ID='%s'\n", s->world.short_id);
    return fclose(out) == 0 ? 0 : error_set(err, ERR_CONFIG, "cannot write %s", path);
}

static void stop(struct sandbox *s)
{
    shell_free(s->shell); /* first: its connections still call the services */
    slack_free(s->slack);
    sentry_free(s->sentry);
    github_free(s->github);
    elastic_free(s->elastic);
    free(s->sentry_url);
    free(s->github_url);
    free(s->elastic_url);
    control_clear(&s->control);
    world_clear(&s->world);
}

int main(int argc, char **argv)
{
    struct options options = { .without = PARAMS_INIT };
    struct sandbox sandbox = { 0 };
    struct error err = ERROR_INIT;
    int rc = read_options(argc, argv, &options);

    if (rc >= 0)
        return rc;
    rc = start(&sandbox, &options, &err) < 0 || set_faults(&sandbox, options.faults, &err) < 0 ||
         write_env(&sandbox, options.env_file, &err) < 0;
    if (rc == 0) {
        char *line = json_print(sandbox.control.start);
        puts(line);
        fflush(stdout);
        free(line);
        shell_run(sandbox.shell, options.watch_stdin);
    } else {
        fprintf(stderr, "dbconn-sandbox: %s\n", error_text(&err));
    }
    stop(&sandbox);
    params_clear(&options.without);
    error_clear(&err);
    return rc;
}
