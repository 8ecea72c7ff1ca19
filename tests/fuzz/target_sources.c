/* Each source's answers: the real clients, answered by transport.h. The first line names the call.
 */
#include <string.h>

#include "dbconn/base/text.h"
#include "dbconn/net/http_headers.h"
#include "dbconn/sources/elasticsearch.h"
#include "dbconn/sources/github.h"
#include "dbconn/sources/sentry.h"
#include "fuzz.h"
#include "sources/source_answer.h"
#include "transport.h"

#define OWNER 7

struct asked {
    struct http *http;
    struct sentry *sentry;
    struct github *github;
    struct es *es;
    int ended;
};

typedef struct source_call *ask_fn(struct asked *a, struct error *err);

struct ask {
    const char *name;
    ask_fn *fn;
};

static void on_done(void *user, const void *result, const struct error *err)
{
    struct asked *a = user;

    a->ended++;
    FUZZ_CHECK((result == NULL) != (err == NULL));
    if (err) {
        FUZZ_CHECK(err->code != ERR_NONE && *error_text(err));
        FUZZ_CHECK(text_is_utf8(error_text(err), strlen(error_text(err))));
        return;
    }
    const struct source_result *meta = result;
    FUZZ_CHECK(meta->mem && (meta->partial == (meta->why != NULL)));
}

/* The call that the first line names; any other line chooses one by its first byte. */
static const struct ask *choose(const struct ask *asks, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(asks[i].name, name) == 0)
            return &asks[i];
    return &asks[(unsigned char)name[0] % n];
}

static void ask(struct asked *a, const struct ask *asks, size_t n, const char *name)
{
    struct error err = ERROR_INIT;
    struct source_call *call = choose(asks, n, name)->fn(a, &err);

    FUZZ_CHECK(call || err.code != ERR_NONE);
    transport_run(a->http);
    FUZZ_CHECK(a->ended == (call ? 1 : 0));
    error_clear(&err);
}

/* ---- Sentry ---- */

static struct source_call *issue(struct asked *a, struct error *err)
{
    return sentry_get_issue(a->sentry, OWNER, "SHOP-1", on_done, a, err);
}

static struct source_call *event(struct asked *a, struct error *err)
{
    return sentry_get_event(a->sentry, OWNER, "77", "recommended", on_done, a, err);
}

static struct source_call *events(struct asked *a, struct error *err)
{
    struct sentry_events_query q = { .issue_id = "77", .max_pages = 3 };

    return sentry_list_events(a->sentry, OWNER, &q, on_done, a, err);
}

static struct source_call *full_events(struct asked *a, struct error *err)
{
    struct sentry_events_query q = { .issue_id = "77", .max_pages = 2 };

    return sentry_list_full_events(a->sentry, OWNER, &q, on_done, a, err);
}

static struct source_call *tags(struct asked *a, struct error *err)
{
    return sentry_list_issue_tags(a->sentry, OWNER, "77", 10, NULL, on_done, a, err);
}

static struct source_call *issues(struct asked *a, struct error *err)
{
    struct sentry_issues_query q = { .query = "is:unresolved", .max_pages = 3 };

    return sentry_list_issues(a->sentry, OWNER, &q, on_done, a, err);
}

static struct source_call *issue_stats(struct asked *a, struct error *err)
{
    static const char *const ids[] = { "77", "78" };
    struct sentry_issues_query q = { .stats_period = "24h" };

    return sentry_issue_stats(a->sentry, OWNER, ids, 2, &q, on_done, a, err);
}

static struct source_call *series(struct asked *a, struct error *err)
{
    struct sentry_series_query q = { .issue = "SHOP-1" };

    return sentry_events_series(a->sentry, OWNER, &q, on_done, a, err);
}

static struct source_call *table(struct asked *a, struct error *err)
{
    static const char *const fields[] = { "region", "count()", NULL };
    struct sentry_table_query q = { .fields = fields, .stats_period = "24h" };

    return sentry_events_table(a->sentry, OWNER, &q, on_done, a, err);
}

static struct source_call *releases(struct asked *a, struct error *err)
{
    struct sentry_releases_query q = { .project = "1", .max_pages = 2 };

    return sentry_list_releases(a->sentry, OWNER, &q, on_done, a, err);
}

static struct source_call *release(struct asked *a, struct error *err)
{
    return sentry_get_release(a->sentry, OWNER, "shop@1.2.3", on_done, a, err);
}

static struct source_call *commits(struct asked *a, struct error *err)
{
    return sentry_release_commits(a->sentry, OWNER, "shop@1.2.3", on_done, a, err);
}

static struct source_call *deploys(struct asked *a, struct error *err)
{
    return sentry_release_deploys(a->sentry, OWNER, "shop@1.2.3", on_done, a, err);
}

static struct source_call *release_files(struct asked *a, struct error *err)
{
    return sentry_release_files(a->sentry, OWNER, "shop@1.2.3", on_done, a, err);
}

static struct source_call *committers(struct asked *a, struct error *err)
{
    return sentry_event_committers(a->sentry, OWNER, "shop", "e1", on_done, a, err);
}

static struct source_call *find_event(struct asked *a, struct error *err)
{
    return sentry_find_event(a->sentry, OWNER, "e1", on_done, a, err);
}

static struct source_call *similar(struct asked *a, struct error *err)
{
    return sentry_similar_issues(a->sentry, OWNER, "77", on_done, a, err);
}

static struct source_call *organization(struct asked *a, struct error *err)
{
    return sentry_get_organization(a->sentry, OWNER, on_done, a, err);
}

static struct source_call *sentry_checked(struct asked *a, struct error *err)
{
    return sentry_check(a->sentry, OWNER, on_done, a, err);
}

static const struct ask sentry_asks[] = {
    { "issue", issue },
    { "event", event },
    { "events", events },
    { "full_events", full_events },
    { "tags", tags },
    { "issues", issues },
    { "issue_stats", issue_stats },
    { "series", series },
    { "table", table },
    { "releases", releases },
    { "release", release },
    { "commits", commits },
    { "deploys", deploys },
    { "release_files", release_files },
    { "committers", committers },
    { "find_event", find_event },
    { "similar", similar },
    { "organization", organization },
    { "check", sentry_checked },
};

void fuzz_sentry(const uint8_t *data, size_t size)
{
    static const struct sentry_options options = { .url = "https://sentry.io",
                                                   .org = "acme",
                                                   .token = "sntrys_fuzz" };
    struct fuzz_input in = { data, size };
    char *name = fuzz_line(&in);
    struct asked a = { .http = transport_new(&in) };

    FUZZ_CHECK(sentry_new(a.http, &options, &a.sentry, NULL) == 0);
    ask(&a, sentry_asks, ARRAY_LEN(sentry_asks), name);
    sentry_free(a.sentry);
    transport_free(a.http);
    free(name);
}

/* ---- GitHub ---- */

#define REPO "acme/shop"

static struct source_call *commit(struct asked *a, struct error *err)
{
    return github_get_commit(a->github, OWNER, REPO, "main", 500, on_done, a, err);
}

static struct source_call *commit_pulls(struct asked *a, struct error *err)
{
    return github_commit_pulls(a->github, OWNER, REPO, "4f1c2d3", on_done, a, err);
}

static struct source_call *pull(struct asked *a, struct error *err)
{
    return github_get_pull(a->github, OWNER, REPO, 482, on_done, a, err);
}

static struct source_call *pull_files(struct asked *a, struct error *err)
{
    return github_pull_files(a->github, OWNER, REPO, 482, 500, on_done, a, err);
}

static struct source_call *compare(struct asked *a, struct error *err)
{
    return github_compare(a->github, OWNER, REPO, "v1", "v2", on_done, a, err);
}

static struct source_call *deployments(struct asked *a, struct error *err)
{
    return github_list_deployments(a->github, OWNER, REPO, "4f1c2d3", "production", on_done, a,
                                   err);
}

static struct source_call *deployment_statuses(struct asked *a, struct error *err)
{
    return github_deployment_statuses(a->github, OWNER, REPO, "1", on_done, a, err);
}

static struct source_call *repository(struct asked *a, struct error *err)
{
    return github_get_repository(a->github, OWNER, REPO, on_done, a, err);
}

static struct source_call *rate(struct asked *a, struct error *err)
{
    return github_get_rate(a->github, OWNER, on_done, a, err);
}

static struct source_call *github_checked(struct asked *a, struct error *err)
{
    static const char *const repos[] = { REPO, NULL };

    return github_check(a->github, OWNER, repos, on_done, a, err);
}

static const struct ask github_asks[] = {
    { "commit", commit },
    { "commit_pulls", commit_pulls },
    { "pull", pull },
    { "pull_files", pull_files },
    { "compare", compare },
    { "deployments", deployments },
    { "deployment_statuses", deployment_statuses },
    { "repository", repository },
    { "rate", rate },
    { "check", github_checked },
};

void fuzz_github(const uint8_t *data, size_t size)
{
    static const struct github_options options = { .url = "https://api.github.com",
                                                   .token = "ghp_fuzz" };
    struct fuzz_input in = { data, size };
    char *name = fuzz_line(&in);
    struct asked a = { .http = transport_new(&in) };

    FUZZ_CHECK(github_new(a.http, &options, &a.github, NULL) == 0);
    ask(&a, github_asks, ARRAY_LEN(github_asks), name);
    github_free(a.github);
    transport_free(a.http);
    free(name);
}

/* ---- Elasticsearch ---- */

static const struct es_query es_queries[] = {
    { .from_ms = INT64_C(1787040000000),
      .to_ms = INT64_C(1787050000000),
      .size = 100,
      .histogram_ms = 60000 },
    { .from_ms = INT64_C(1787040000000), .to_ms = INT64_C(1787050000000), .size = 10 },
};

static struct source_call *info(struct asked *a, struct error *err)
{
    return es_get_info(a->es, OWNER, on_done, a, err);
}

static struct source_call *search(struct asked *a, struct error *err)
{
    return es_search(a->es, OWNER, es_queries, on_done, a, err);
}

static struct source_call *msearch(struct asked *a, struct error *err)
{
    return es_msearch(a->es, OWNER, es_queries, ARRAY_LEN(es_queries), on_done, a, err);
}

static struct source_call *caps(struct asked *a, struct error *err)
{
    static const char *const fields[] = { "message", "host.name", NULL };

    return es_field_caps(a->es, OWNER, NULL, fields, on_done, a, err);
}

static struct source_call *es_checked(struct asked *a, struct error *err)
{
    return es_check(a->es, OWNER, on_done, a, err);
}

static const struct ask es_asks[] = {
    { "info", info }, { "search", search },    { "msearch", msearch },
    { "caps", caps }, { "check", es_checked },
};

void fuzz_elasticsearch(const uint8_t *data, size_t size)
{
    static const struct es_options options = { .url = "https://logs.example.com:9200",
                                               .api_key = "ZnV6eg==" };
    struct fuzz_input in = { data, size };
    char *name = fuzz_line(&in);
    struct asked a = { .http = transport_new(&in) };

    FUZZ_CHECK(es_new(a.http, &options, &a.es, NULL) == 0);
    ask(&a, es_asks, ARRAY_LEN(es_asks), name);
    es_free(a.es);
    transport_free(a.http);
    free(name);
}
