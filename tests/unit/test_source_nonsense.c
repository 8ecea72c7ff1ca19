/* Services that answer what they should not: each call ends once, with a result that says nothing
 * it was not told, or with an error that names the service and what came instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dbconn/base/text.h"
#include "dbconn/sources/elasticsearch.h"
#include "dbconn/sources/github.h"
#include "dbconn/sources/sentry.h"
#include "source_bench.h"

#define REPO "acme/books"

struct clients {
    struct sentry *sentry;
    struct github *github;
    struct es *es;
};

typedef struct source_call *ask_fn(struct bench *b, const struct clients *c);

#define ASK(name, call)                                                                            \
    static struct source_call *name(struct bench *b, const struct clients *c)                      \
    {                                                                                              \
        return call;                                                                               \
    }
#define DONE bench_done, b, &b->err

ASK(issue, sentry_get_issue(c->sentry, 1, "7", DONE))
ASK(event, sentry_get_event(c->sentry, 1, "7", "latest", DONE))
ASK(events,
    sentry_list_events(c->sentry, 1,
                       &(struct sentry_events_query){ .issue_id = "7", .query = "a:b" }, DONE))
ASK(full_events,
    sentry_list_full_events(c->sentry, 1, &(struct sentry_events_query){ .issue_id = "7" }, DONE))
ASK(tags, sentry_list_issue_tags(c->sentry, 1, "7", 0, NULL, DONE))
ASK(issues, sentry_list_issues(c->sentry, 1, &(struct sentry_issues_query){ .limit = 5 }, DONE))
ASK(stats, sentry_issue_stats(c->sentry, 1, (const char *const[]){ "7" }, 1,
                              &(struct sentry_issues_query){ .stats_period = "24h",
                                                             .group_stats_period = "auto" },
                              DONE))
ASK(series, sentry_events_series(c->sentry, 1, &(struct sentry_series_query){ .issue = "7" }, DONE))
ASK(table, sentry_events_table(c->sentry, 1,
                               &(struct sentry_table_query){
                                   .fields = (const char *const[]){ "count()", NULL },
                                   .sort = "-count()" },
                               DONE))
ASK(releases,
    sentry_list_releases(c->sentry, 1,
                         &(struct sentry_releases_query){ .project = "1", .query = "2" }, DONE))
ASK(release, sentry_get_release(c->sentry, 1, "v1", DONE))
ASK(commits, sentry_release_commits(c->sentry, 1, "v1", DONE))
ASK(deploys, sentry_release_deploys(c->sentry, 1, "v1", DONE))
ASK(files, sentry_release_files(c->sentry, 1, "v1", DONE))
ASK(committers, sentry_event_committers(c->sentry, 1, "books", "e", DONE))
ASK(find_event, sentry_find_event(c->sentry, 1, "e", DONE))
ASK(similar, sentry_similar_issues(c->sentry, 1, "7", DONE))
ASK(organization, sentry_get_organization(c->sentry, 1, DONE))
ASK(sentry_checked, sentry_check(c->sentry, 1, DONE))

ASK(commit, github_get_commit(c->github, 1, REPO, "main", 0, DONE))
ASK(commit_pulls, github_commit_pulls(c->github, 1, REPO, "abc", DONE))
ASK(pull, github_get_pull(c->github, 1, REPO, 9, DONE))
ASK(pull_files, github_pull_files(c->github, 1, REPO, 9, 0, DONE))
ASK(compare, github_compare(c->github, 1, REPO, "a", "b", DONE))
ASK(deployments, github_list_deployments(c->github, 1, REPO, NULL, NULL, DONE))
ASK(statuses, github_deployment_statuses(c->github, 1, REPO, "1", DONE))
ASK(repository, github_get_repository(c->github, 1, REPO, DONE))
ASK(rate, github_get_rate(c->github, 1, DONE))
ASK(github_checked, github_check(c->github, 1, (const char *const[]){ REPO, NULL }, DONE))

ASK(info, es_get_info(c->es, 1, DONE))
ASK(search,
    es_search(c->es, 1, &(struct es_query){ .from_ms = 1, .to_ms = DAY_MS, .size = 5 }, DONE))
ASK(msearch,
    es_msearch(c->es, 1, &(struct es_query){ .from_ms = 1, .to_ms = DAY_MS, .size = 5 }, 1, DONE))
ASK(caps, es_field_caps(c->es, 1, NULL, (const char *const[]){ "message", NULL }, DONE))
ASK(es_checked, es_check(c->es, 1, DONE))

static ask_fn *const all[] = {
    issue,          event,      events,   full_events,  tags,           issues,     stats,
    series,         table,      releases, release,      commits,        deploys,    files,
    committers,     find_event, similar,  organization, sentry_checked, commit,     commit_pulls,
    pull,           pull_files, compare,  deployments,  statuses,       repository, rate,
    github_checked, info,       search,   msearch,      caps,           es_checked,
};

/* One server plays all three. */
static void open_all(struct bench *b, struct clients *c, int status, const char *headers,
                     const char *body)
{
    struct error err = ERROR_INIT;

    bench_open(b, "sentry", ROUTES({ "", status, headers, body }));
    assert_int_equal(net_policy_add_base(b->policy, "github", b->url, &err), 0);
    assert_int_equal(net_policy_add_base(b->policy, "elasticsearch", b->url, &err), 0);
    const struct sentry_options sentry = {
        .url = b->url, .org = "acme", .token = "token-1", .max_per_second = 1000
    };
    const struct github_options github = { .url = b->url,
                                           .token = "token-2",
                                           .max_per_second = 1000 };
    const struct es_options es = { .url = b->url, .api_key = "token-3" };
    assert_int_equal(sentry_new(b->http, &sentry, &c->sentry, &err), 0);
    assert_int_equal(github_new(b->http, &github, &c->github, &err), 0);
    assert_int_equal(es_new(b->http, &es, &c->es, &err), 0);
}

static void close_all(struct bench *b, struct clients *c)
{
    sentry_free(c->sentry);
    github_free(c->github);
    es_free(c->es);
    bench_close(b);
}

static void every_call_survives_every_answer(void **state)
{
    static const char *const bodies[] = {
        "",
        "7",
        "\"text\"",
        "null",
        "{}",
        "[]",
        "[null,7,\"x\",[],{}]",
        "{\"id\":{},\"data\":7,\"hits\":[],\"responses\":{},\"fields\":[],\"files\":{},\"rate\":[]"
        "}",
        "[[7,null],[{},{}],[{\"id\":\"1\"},7]]",
        "{\"data\":[7,null,[]],\"timeSeries\":[7],\"committers\":[7],\"hits\":{\"hits\":[7]}}",
        "<html><title>Proxy says no</title></html>",
        "{\"cut\":",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct bench b;
        struct clients c;
        open_all(&b, &c, 200, "", bodies[i]);
        for (size_t k = 0; k < ARRAY_LEN(all); k++) {
            const struct source_result *result = bench_wait(&b, all[k](&b, &c), 1);
            if (!result)
                assert_true(b.err.code != ERR_NONE && *error_text(&b.err));
            assert_true(!result || result->partial == (result->why != NULL));
        }
        close_all(&b, &c);
    }
}

static void what_came_instead_is_said(void **state)
{
    static const struct {
        ask_fn *ask;
        const char *body, *says;
    } rows[] = {
        { event, "{}", "no event" },
        { events, "{}", "no list of events" },
        { full_events, "{}", "no list of events" },
        { issues, "{}", "no list of issues" },
        { table, "[]", "no table of events" },
        { find_event, "{}", "did not say which issue" },
        { similar, "{}", "no list of similar issues" },
        { releases, "{}", "no list of releases" },
        { commits, "{}", "no list of commits" },
        { deploys, "{}", "no list of deploys" },
        { files, "{}", "no list of changed files" },
        { organization, "[]", "no organization" },
        { commit, "{}", "no commit" },
        { commit_pulls, "{}", "no list of pull requests" },
        { pull, "{}", "no pull request" },
        { pull_files, "{}", "no list of files" },
        { compare, "[]", "no comparison" },
        { deployments, "{}", "no list" },
        { statuses, "{}", "no list" },
        { info, "{}", "neither Elasticsearch nor OpenSearch" },
        { caps, "{}", "no fields" },
        { issue, "<html><title>Sign in</title></html>", "HTML" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b;
        struct clients c;
        open_all(&b, &c, 200, "Content-Type: text/html\r\n", rows[i].body);
        const struct error *err = bench_error(&b, rows[i].ask(&b, &c));
        assert_int_equal(err->code, ERR_PROTOCOL);
        assert_says(error_text(err), rows[i].says);
        close_all(&b, &c);
    }
}

static void a_refusal_says_what_it_means(void **state)
{
    static const struct {
        ask_fn *ask;
        int status;
        enum err_code code;
        const char *says;
    } rows[] = {
        { issue, 401, ERR_UNAUTHORIZED, "401" },
        { issue, 403, ERR_FORBIDDEN, "event:read" },
        { issue, 404, ERR_NOT_FOUND, "404" },
        { issue, 408, ERR_TIMEOUT, "408" },
        { issue, 418, ERR_PROTOCOL, "418" },
        { commit, 401, ERR_UNAUTHORIZED, "401" },
        { commit, 403, ERR_FORBIDDEN, "contents" },
        { commit, 409, ERR_NOT_FOUND, "409" },
        { repository, 404, ERR_NOT_FOUND, "acme/books" },
        { search, 401, ERR_UNAUTHORIZED, "401" },
        { search, 403, ERR_FORBIDDEN, "403" },
        { search, 404, ERR_NOT_FOUND, "404" },
        { search, 400, ERR_INVALID, "400" },
        { info, 403, ERR_FORBIDDEN, "may not ask for this" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b;
        struct clients c;
        open_all(&b, &c, rows[i].status, "", "[7]");
        const struct error *err = bench_error(&b, rows[i].ask(&b, &c));
        if (err->code != rows[i].code)
            fail_msg("%d is %s: %s", rows[i].status, err_code_name(err->code), error_text(err));
        assert_says(error_text(err), rows[i].says);
        close_all(&b, &c);
    }
}

static void a_check_says_of_each_step_whether_it_went(void **state)
{
    static ask_fn *const checks[] = { sentry_checked, github_checked, es_checked };
    static const int statuses_of[] = { 200, 401, 403, 404, 410 };

    (void)state;
    for (size_t s = 0; s < ARRAY_LEN(statuses_of); s++) {
        struct bench b;
        struct clients c;
        open_all(&b, &c, statuses_of[s], "", "{\"message\":\"because\"}");
        for (size_t k = 0; k < ARRAY_LEN(checks); k++) {
            const struct source_check *check = bench_result(&b, checks[k](&b, &c));
            assert_true(check->n_items > 0);
            for (size_t i = 0; i < check->n_items; i++)
                assert_true(check->items[i].what && check->items[i].text);
            if (statuses_of[s] == 401)
                assert_int_not_equal(check->items[0].ok, YES);
        }
        close_all(&b, &c);
    }
}

static void what_cannot_be_asked_is_refused_at_once(void **state)
{
    static const char *const wrong[] = { "", "books", "acme/", "/books", "a/b/c", "a b/c", "../x" };
    struct bench b;
    struct clients c;

    (void)state;
    open_all(&b, &c, 200, "", "{}");
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        const char *const repos[] = { wrong[i], NULL };
        struct source_call *calls[] = {
            github_get_commit(c.github, 1, wrong[i], "main", 0, bench_done, &b, &b.err),
            github_commit_pulls(c.github, 1, wrong[i], "abc", bench_done, &b, &b.err),
            github_get_pull(c.github, 1, wrong[i], 9, bench_done, &b, &b.err),
            github_pull_files(c.github, 1, wrong[i], 9, 0, bench_done, &b, &b.err),
            github_compare(c.github, 1, wrong[i], "a", "b", bench_done, &b, &b.err),
            github_list_deployments(c.github, 1, wrong[i], NULL, NULL, bench_done, &b, &b.err),
            github_deployment_statuses(c.github, 1, wrong[i], "1", bench_done, &b, &b.err),
            github_get_repository(c.github, 1, wrong[i], bench_done, &b, &b.err),
            github_check(c.github, 1, repos, bench_done, &b, &b.err),
        };
        for (size_t k = 0; k < ARRAY_LEN(calls); k++)
            assert_null(calls[k]);
        assert_says(error_text(&b.err), "owner/name");
    }
    assert_null(es_msearch(c.es, 1, NULL, 0, bench_done, &b, &b.err));
    assert_null(sentry_issue_stats(
        c.sentry, 1, NULL, 0, &(struct sentry_issues_query){ .limit = 1 }, bench_done, &b, &b.err));
    assert_int_equal(b.ended, 0);
    close_all(&b, &c);
}

static void settings_that_cannot_work_name_their_key(void **state)
{
    static const struct {
        struct github_options options;
        const char *says;
    } github[] = {
        { { .url = "https://api.github.com" }, "github.token" },
        { { .url = "https://api.github.com", .token = "a\nb" }, "line break" },
        { { .token = "t" }, "GITHUB_API_URL" },
        { { .url = "api.github.com", .token = "t" }, "GITHUB_API_URL" },
    };
    static const struct {
        struct es_options options;
        const char *says;
    } es[] = {
        { { .api_key = "k" }, "ELASTICSEARCH_URL" },
        { { .url = "logs", .api_key = "k" }, "ELASTICSEARCH_URL" },
        { { .url = "https://logs", .api_key = "a\nb" }, "line break" },
        { { .url = "https://logs", .bearer = "a\rb" }, "line break" },
    };
    struct error err = ERROR_INIT;
    struct github *g = NULL;
    struct es *e = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(github); i++) {
        assert_int_equal(github_new(NULL, &github[i].options, &g, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_says(error_text(&err), github[i].says);
    }
    for (size_t i = 0; i < ARRAY_LEN(es); i++) {
        assert_int_equal(es_new(NULL, &es[i].options, &e, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_says(error_text(&err), es[i].says);
    }
    error_clear(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_survives_every_answer),
        cmocka_unit_test(what_came_instead_is_said),
        cmocka_unit_test(a_refusal_says_what_it_means),
        cmocka_unit_test(a_check_says_of_each_step_whether_it_went),
        cmocka_unit_test(what_cannot_be_asked_is_refused_at_once),
        cmocka_unit_test(settings_that_cannot_work_name_their_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
