/* The sandbox's world and backends themselves: times, faults, searches. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "dbconn/base/clock.h"
#include "elastic/filter_path.h"
#include "elastic/search.h"
#include "sentry/search.h"
#include "shell/fault.h"
#include "shell/params.h"
#include "world/stamp.h"

#define NOW INT64_C(1767323045678) /* 2026-01-02T03:04:05.678Z */

static const struct {
    const char *text, *becomes; /* NULL: stays as it is */
} stamps[] = {
    { "@-0s", "2026-01-02T03:04:05.678Z" },
    { "@-1h4m5.678s", "2026-01-02T02:00:00.000Z" },
    { "@-1d", "2026-01-01T03:04:05.678Z" },
    { "@5s", "2026-01-02T03:04:10.678Z" },
    { "@-1m1h", NULL },
    { "@home", NULL },
    { "at {{@-0s|pg}} x", "at 2026-01-02 03:04:05.678 UTC x" },
    { "{{@-0s|comma}}", "2026-01-02 03:04:05,678" },
    { "{{@-0s|syslog}}", "Jan  2 03:04:05" },
    { "{{@-0s|haproxy}}", "02/Jan/2026:03:04:05.678" },
    { "{{@-0s|maria}}", "2026-01-02  3:04:05" },
    { "{{@-0s|mssql}}", "2026-01-02 03:04:05.67" },
    { "{{@-0s|epoch}}", "1767323045" },
    { "logs-{{@-1d|date}}-{{@-0s|date}}", "logs-2026.01.01-2026.01.02" },
    { "{{@soon|pg}}", "{{@soon|pg}}" },
};

static void relative_times_become_moments(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++) {
        char *out = stamp_text(stamps[i].text, NOW);
        if (stamps[i].becomes)
            assert_string_equal(out, stamps[i].becomes);
        else
            assert_null(out);
        free(out);
    }
}

static void a_form_is_read_as_browsers_write_it(void **state)
{
    struct params p = PARAMS_INIT;
    static const char form[] = "a=1&b=x+y%26z&a=2&empty=&bare&=lost&bad=%zz";

    (void)state;
    params_parse_form(&p, form, strlen(form));
    assert_string_equal(params_get(&p, "a"), "1");
    assert_true(params_includes(&p, "a", "2"));
    assert_string_equal(params_get(&p, "b"), "x y&z");
    assert_string_equal(params_get(&p, "empty"), "");
    assert_true(params_has(&p, "bare"));
    assert_string_equal(params_get(&p, "bad"), "%zz");
    assert_int_equal(params_i64(&p, "b", 7), 7);
    params_clear(&p);
}

static struct faults *faults_of(const char *json)
{
    struct faults *faults = faults_new();
    cJSON *tree = cJSON_Parse(json);

    assert_non_null(tree);
    assert_int_equal(faults_set(faults, tree, NULL), 0);
    cJSON_Delete(tree);
    return faults;
}

static void a_fault_hits_the_requests_it_names(void **state)
{
    struct faults *faults =
        faults_of("[{\"path\":\"/events\",\"skip\":1,\"first\":2,\"status\":503},"
                  "{\"method\":\"POST\",\"latency_ms\":5}]");
    static const int wanted[] = { 0, 503, 503, 0 };
    struct fault_effect effect;

    (void)state;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        faults_match(faults, "GET", "/issues/1/events/?x=1", 0, &effect);
        assert_int_equal(effect.status, wanted[i]);
        faults_match(faults, "GET", "/issues/1/", 0, &effect);
        assert_int_equal(effect.status, 0);
    }
    faults_match(faults, "POST", "/", 0, &effect);
    assert_int_equal(effect.latency_ms, 5);
    faults_free(faults);
}

static void a_limit_hits_what_is_beyond_it_in_a_second(void **state)
{
    struct faults *faults = faults_of("{\"limit\":2}");
    struct fault_effect effect;

    (void)state;
    for (int i = 0; i < 4; i++) {
        faults_match(faults, "GET", "/", 500 + i, &effect);
        assert_int_equal(effect.status, i < 2 ? 0 : 429);
    }
    faults_match(faults, "GET", "/", 1500, &effect);
    assert_int_equal(effect.status, 0);
    faults_free(faults);
}

static void a_misspelt_fault_is_refused(void **state)
{
    struct faults *faults = faults_new();
    struct error err = ERROR_INIT;
    cJSON *tree = cJSON_Parse("{\"lateny_ms\":5}");

    (void)state;
    assert_int_equal(faults_set(faults, tree, &err), -1);
    assert_non_null(strstr(error_text(&err), "lateny_ms"));
    error_clear(&err);
    cJSON_Delete(tree);
    faults_free(faults);
}

/* ---- Sentry's search ---- */

static const char incident[] =
    "{\"sentry\":{\"org\":{\"slug\":\"o\",\"id\":\"1\"},"
    "\"projects\":[{\"id\":\"11\",\"slug\":\"shop\",\"name\":\"Shop\"}],"
    "\"releases\":[{\"version\":\"shop@2\",\"projects\":[\"shop\"]}],"
    "\"traces\":[{\"platform\":\"python\",\"sdk\":[\"s\",\"1\"],\"exceptions\":[{\"type\":"
    "\"OperationalError\",\"value\":\"Connection refused\",\"frames\":[[\"shop/db.py\",\"open\",3,"
    "true]]}]}],"
    "\"issues\":[{\"id\":\"7\",\"shortId\":\"SHOP-1\",\"project\":\"shop\",\"variants\":[{"
    "\"trace\":0}],"
    "\"hosts\":[{\"name\":\"web-1\",\"tags\":{\"environment\":\"production\"}}],\"rels\":[\"shop@"
    "2\"],"
    "\"events\":[[-7200,0,0,0,3],[-60,0,0,0,4]]}]}}";

static const struct {
    const char *query;
    bool takes;
} searches[] = {
    { "", true },
    { "is:unresolved", true },
    { "is:resolved", false },
    { "!is:resolved", true },
    { "refused", true },
    { "\"connection refused\"", true },
    { "timeout", false },
    { "!timeout", true },
    { "error.type:OperationalError", true },
    { "error.type:[KeyError, OperationalError]", true },
    { "error.value:\"*refused*\"", true },
    { "error.value:refused", false },
    { "firstRelease:shop@2", true },
    { "release:shop@1", false },
    { "environment:production", true },
    { "server_name:web-*", true },
    { "stack.filename:\"*db.py\"", true },
    { "lastSeen:-1h", true },
    { "firstSeen:-1h", false },
    { "firstSeen:-24h timesSeen:>1", true },
    { "timesSeen:>2", false },
    { "issue:SHOP-1", true },
    { "project:shop is:unresolved", true },
    { "has:release", true },
    { "has:dist", false },
};

static void sentry_is_searched_in_its_own_language(void **state)
{
    struct world world = { .tree = cJSON_Parse(incident), .now_ms = clock_wall_ms() };
    struct sentry_model model;

    (void)state;
    assert_non_null(world.tree);
    world.sentry = json_get(world.tree, "sentry");
    sentry_model_init(&model, &world);
    for (size_t i = 0; i < sizeof(searches) / sizeof(searches[0]); i++) {
        struct search *search = NULL;
        assert_int_equal(search_parse(&model, searches[i].query, true, &search, NULL), 0);
        bool takes = search_takes_issue(search, &model.issues[0]);
        if (takes != searches[i].takes)
            fail_msg("\"%s\" %s the issue", searches[i].query, takes ? "takes" : "does not take");
        search_free(search);
    }
    sentry_model_clear(&model);
    cJSON_Delete(world.tree);
}

static void a_search_that_sentry_refuses_is_refused(void **state)
{
    static const char *const wrong[] = { "is:sleeping", "firstSeen:yesterday", "a OR b" };
    struct world world = { .tree = cJSON_Parse(incident), .now_ms = clock_wall_ms() };
    struct sentry_model model;

    (void)state;
    world.sentry = json_get(world.tree, "sentry");
    sentry_model_init(&model, &world);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct search *search = NULL;
        assert_int_equal(search_parse(&model, wrong[i], true, &search, NULL), -1);
    }
    sentry_model_clear(&model);
    cJSON_Delete(world.tree);
}

/* ---- Elasticsearch's ---- */

static const char logs[] =
    "{\"elasticsearch\":{\"docs\":["
    "[\".ds-logs-app-2026.01.01-000001\",{\"@timestamp\":\"2026-01-02T03:00:00Z\",\"message\":"
    "\"connect ECONNREFUSED "
    "db-1:5432\",\"log\":{\"level\":\"ERROR\"},\"service\":{\"name\":\"shop\"},"
    "\"host\":{\"name\":\"web-1\"},\"http\":{\"status\":500}}],"
    "[\".ds-logs-app-2026.01.01-000001\",{\"@timestamp\":\"2026-01-02T03:10:00Z\",\"message\":"
    "\"Connection refused by the "
    "database\",\"log\":{\"level\":\"WARN\"},\"service\":{\"name\":\"shop\"}"
    "}],"
    "[\"plain-1\",{\"@timestamp\":\"2026-01-02T03:20:00Z\",\"message\":\"database system is "
    "ready\","
    "\"service\":{\"name\":\"postgres\"}}]],"
    "\"indices\":{\"plain-1\":{\"mapping\":\"dynamic\"}}}}";

static const struct {
    const char *indices, *query;
    int hits; /* -1: refused */
} queries[] = {
    { "logs-*", "{\"match_all\":{}}", 2 },
    { "*", "{\"match_all\":{}}", 3 },
    { "*,-plain-*", "{\"match_all\":{}}", 2 },
    { "nothing-*", "{\"match_all\":{}}", 0 },
    { "nothing", "{\"match_all\":{}}", -1 },
    { "*", "{\"match\":{\"message\":\"refused ready\"}}", 2 },
    { "*", "{\"match\":{\"message\":{\"query\":\"refused database\",\"operator\":\"and\"}}}", 1 },
    { "*", "{\"match_phrase\":{\"message\":\"connection refused\"}}", 1 },
    { "*", "{\"match_phrase\":{\"message\":\"refused connection\"}}", 0 },
    { "*", "{\"term\":{\"log.level\":\"ERROR\"}}", 1 },
    { "*", "{\"term\":{\"log.level\":\"error\"}}", 0 },
    { "*", "{\"term\":{\"message\":\"Connection refused by the database\"}}", 0 },
    { "*", "{\"term\":{\"service.name\":\"postgres\"}}", 1 },
    { "*", "{\"term\":{\"service.name.keyword\":\"postgres\"}}", 1 },
    { "*", "{\"term\":{\"service.name.keyword\":\"shop\"}}", 0 },
    { "*", "{\"terms\":{\"log.level\":[\"ERROR\",\"WARN\"]}}", 2 },
    { "*", "{\"exists\":{\"field\":\"host\"}}", 1 },
    { "*", "{\"wildcard\":{\"host.name\":{\"value\":\"web-?\"}}}", 1 },
    { "*", "{\"prefix\":{\"service.name\":\"sh\"}}", 2 },
    { "*", "{\"range\":{\"@timestamp\":{\"gte\":\"2026-01-02T03:05:00Z\"}}}", 2 },
    { "*", "{\"range\":{\"@timestamp\":{\"gt\":\"2026-01-02T03:10:00Z\"}}}", 1 },
    { "*", "{\"range\":{\"@timestamp\":{\"gte\":1767322800000,\"format\":\"epoch_millis\"}}}", 3 },
    { "*", "{\"range\":{\"@timestamp\":{\"gte\":\"soon\"}}}", -1 },
    { "*", "{\"range\":{\"http.status\":{\"gte\":400}}}", 1 },
    { "*",
      "{\"bool\":{\"filter\":[{\"term\":{\"service.name\":\"shop\"}}],\"must_not\":[{\"term\":{"
      "\"log.level\":\"WARN\"}}]}}",
      1 },
    { "*",
      "{\"bool\":{\"filter\":[{\"match_all\":{}}],\"should\":[{\"match\":{\"message\":\"ready\"}}],"
      "\"minimum_should_match\":1}}",
      1 },
    { "*", "{\"bool\":{\"should\":[{\"match\":{\"message\":\"ready\"}}]}}", 1 },
    { "*", "{\"bool\":{\"shuold\":[]}}", -1 },
    { "*",
      "{\"simple_query_string\":{\"query\":\"econnrefused | ready\",\"fields\":[\"message\"]}}",
      2 },
    { "*", "{\"simple_query_string\":{\"query\":\"database + refused\",\"fields\":[\"message\"]}}",
      1 },
    { "*",
      "{\"simple_query_string\":{\"query\":\"database refused\",\"fields\":[\"message\"],"
      "\"default_operator\":\"and\"}}",
      1 },
    { "*",
      "{\"simple_query_string\":{\"query\":\"\\\"connection refused\\\" | econn*\",\"fields\":["
      "\"message\"]}}",
      2 },
    { "*", "{\"simple_query_string\":{\"query\":\"((( \\\" |\",\"fields\":[\"message\"]}}", 0 },
    { "*", "{\"query_string\":{\"query\":\"message:refused AND NOT log.level:WARN\"}}", 0 },
    { "*", "{\"query_string\":{\"query\":\"message:econnrefused AND NOT log.level:WARN\"}}", 1 },
    { "*", "{\"nonsense\":{}}", -1 },
};

static void logs_are_searched_as_elasticsearch_does(void **state)
{
    struct world world = { .tree = cJSON_Parse(logs), .now_ms = clock_wall_ms() };
    struct params params = PARAMS_INIT;
    struct docs docs;
    int wrong = 0;

    (void)state;
    assert_non_null(world.tree);
    world.elasticsearch = json_get(world.tree, "elasticsearch");
    docs_init(&docs, &world);
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        cJSON *body = cJSON_CreateObject();
        struct es_error err = { 0 };
        int hits = -1;
        cJSON_AddItemToObject(body, "query", cJSON_Parse(queries[i].query));
        cJSON *out = search_run(&docs, queries[i].indices, body, &params, &err);
        if (out)
            hits = cJSON_GetArraySize(json_path(out, "hits", "hits", NULL));
        if (hits != queries[i].hits) {
            print_message("%s %s: %d hits\n", queries[i].indices, queries[i].query, hits);
            wrong++;
        }
        es_error_clear(&err);
        cJSON_Delete(out);
        cJSON_Delete(body);
    }
    docs_clear(&docs);
    cJSON_Delete(world.tree);
    assert_int_equal(wrong, 0);
}

static const struct {
    const char *paths, *left;
} filters[] = {
    { "", "{\"took\":4,\"hits\":{\"total\":1,\"hits\":[{\"_id\":\"a\",\"_source\":{\"m\":1}}]}}" },
    { "took", "{\"took\":4}" },
    { "hits.hits._source", "{\"hits\":{\"hits\":[{\"_source\":{\"m\":1}}]}}" },
    { "hits.*.*_id,took", "{\"took\":4,\"hits\":{\"hits\":[{\"_id\":\"a\"}]}}" },
    { "**.m", "{\"hits\":{\"hits\":[{\"_source\":{\"m\":1}}]}}" },
    { "error,status", "{}" },
};

static void filter_path_leaves_what_it_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        cJSON *left = filter_path(filters[i].paths, cJSON_Parse(filters[0].left));
        char *text = cJSON_PrintUnformatted(left);
        assert_string_equal(text, filters[i].left);
        cJSON_free(text);
        cJSON_Delete(left);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relative_times_become_moments),
        cmocka_unit_test(a_form_is_read_as_browsers_write_it),
        cmocka_unit_test(a_fault_hits_the_requests_it_names),
        cmocka_unit_test(a_limit_hits_what_is_beyond_it_in_a_second),
        cmocka_unit_test(a_misspelt_fault_is_refused),
        cmocka_unit_test(sentry_is_searched_in_its_own_language),
        cmocka_unit_test(a_search_that_sentry_refuses_is_refused),
        cmocka_unit_test(logs_are_searched_as_elasticsearch_does),
        cmocka_unit_test(filter_path_leaves_what_it_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
