/* What the log client asks, and how it reads documents of every shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/sources/elasticsearch.h"
#include "source_bench.h"

#define FROM INT64_C(1772600400000) /* 2026-03-04T05:00:00Z */

static struct es *open_all(struct bench *b, struct es_options options, const struct route *routes,
                           size_t n)
{
    struct es *es = NULL;

    bench_open(b, "elasticsearch", routes, n);
    options.url = b->url;
    if (es_new(b->http, &options, &es, &b->err) < 0)
        fail_msg("%s", error_text(&b->err));
    return es;
}

static void close_all(struct bench *b, struct es *es)
{
    es_free(es);
    bench_close(b);
}

static const struct es_query any = { .from_ms = FROM, .to_ms = FROM + HOUR_MS, .size = 10 };

static struct source_call *search(struct bench *b, struct es *es, const struct es_query *query)
{
    return es_search(es, 1, query, bench_done, b, &b->err);
}

/* ---- the query ---- */

static void assert_body(const struct es_query *query, const char *part)
{
    cJSON *body = es_build_query(query, "@timestamp", NULL);
    char *text = json_print(body);

    assert_says(text, part);
    free(text);
    cJSON_Delete(body);
}

static void a_query_has_a_window_and_survives_unmapped_fields(void **state)
{
    struct es_query query = any;

    (void)state;
    assert_body(&query, "{\"range\":{\"@timestamp\":{\"gte\":\"2026-03-04T05:00:00.000Z\","
                        "\"lte\":\"2026-03-04T06:00:00.000Z\","
                        "\"format\":\"strict_date_optional_time\"}}}");
    assert_body(&query,
                "\"sort\":[{\"@timestamp\":{\"order\":\"asc\",\"unmapped_type\":\"date\"}}]");
    query.newest_first = true;
    assert_body(&query, "\"order\":\"desc\"");
    query.count_up_to = -1;
    assert_body(&query, "\"track_total_hits\":true");
    query.size = 100000;
    assert_body(&query, "\"size\":1000,");
}

static void terms_are_tried_as_keyword_and_below_keyword(void **state)
{
    static const char *const fields[] = { "service.name", "app", NULL };
    static const char *const values[] = { "books", "loans", NULL };
    const struct es_terms terms = { fields, values };
    struct es_query query = any;

    (void)state;
    query.filters = &terms;
    query.n_filters = 1;
    assert_body(&query, "{\"bool\":{\"should\":["
                        "{\"terms\":{\"service.name\":[\"books\",\"loans\"]}},"
                        "{\"terms\":{\"service.name.keyword\":[\"books\",\"loans\"]}},"
                        "{\"terms\":{\"app\":[\"books\",\"loans\"]}},"
                        "{\"terms\":{\"app.keyword\":[\"books\",\"loans\"]}}],"
                        "\"minimum_should_match\":1}}");
}

static void address_fields_are_never_asked_for_a_name(void **state)
{
    static const char *const fields[] = { "host.name", "host.ip", "host_ip", NULL };
    static const char *const both[] = { "db-1", "10.0.0.7", "fd00::7", NULL };
    static const char *const names[] = { "db-1", NULL }, *const only_ip[] = { "host.ip", NULL };
    const struct es_terms terms = { fields, both }, hopeless = { only_ip, names };
    struct es_query query = any;

    (void)state;
    query.filters = &terms;
    query.n_filters = 1;
    assert_body(&query, "{\"host.name\":[\"db-1\",\"10.0.0.7\",\"fd00::7\"]}");
    assert_body(&query, "{\"host.ip\":[\"10.0.0.7\",\"fd00::7\"]}");
    assert_body(&query, "{\"host_ip\":[\"10.0.0.7\",\"fd00::7\"]}");
    query.filters = &hopeless;
    assert_body(&query, "\"should\":[{\"match_none\":{}}]");
}

static void phrases_cannot_leave_their_quotes(void **state)
{
    static const char *const phrases[] = { "connection refused", "a \"b\" \\ -c | (d)*", NULL };
    static const char *const no[] = { "health check", NULL };
    struct es_query query = any;

    (void)state;
    query.phrases = phrases;
    query.not_phrases = no;
    assert_body(&query, "{\"query\":\"\\\"connection refused\\\"|"
                        "\\\"a \\\\\\\"b\\\\\\\" \\\\\\\\ -c | (d)*\\\"\","
                        "\"fields\":[\"message\",\"body.text\",");
    assert_body(&query, "\"must_not\":[{\"simple_query_string\":{\"query\":\"\\\"health check");
}

static void a_histogram_never_has_too_many_buckets(void **state)
{
    struct es_query query = any;

    (void)state;
    query.size = 0;
    query.histogram_ms = 5 * MINUTE_MS;
    assert_body(&query, "\"fixed_interval\":\"300s\"");
    assert_body(&query, "\"extended_bounds\":{\"min\":\"2026-03-04T05:00:00.000Z\"");
    query.histogram_ms = 1;
    assert_body(&query, "\"fixed_interval\":\"1801ms\"");
}

/* ---- documents ---- */

static const struct {
    const char *shape, *hit;
    const char *message, *level, *service, *host, *pod, *space, *dataset, *region;
} documents[] = {
    { "ECS, nested",
      "{\"_index\":\"i\",\"_source\":{\"@timestamp\":\"2026-03-04T05:06:07.890Z\","
      "\"message\":\"m\",\"log\":{\"level\":\"LOG\",\"file\":{\"path\":\"/x\"}},"
      "\"service\":{\"name\":\"books-db\"},\"host\":{\"name\":\"db-1\",\"ip\":[\"10.0.0.7\","
      "\"fd00::7\"]},\"event\":{\"dataset\":\"postgresql.log\"},"
      "\"cloud\":{\"region\":\"eu-1\"}}}",
      "m", "LOG", "books-db", "db-1", NULL, NULL, "postgresql.log", "eu-1" },
    { "ECS, dotted",
      "{\"_source\":{\"@timestamp\":\"2026-03-04T05:06:07.890Z\",\"message\":\"m\","
      "\"log.level\":\"error\",\"service.name\":\"books\",\"host.name\":\"web-1\","
      "\"host.ip\":\"10.0.0.7\"}}",
      "m", "error", "books", "web-1", NULL, NULL, NULL, NULL },
    { "flat",
      "{\"_source\":{\"@timestamp\":\"2026-03-04T05:06:07.890Z\",\"msg\":\"m\","
      "\"level\":\"warn\",\"service\":\"books\",\"host\":\"web-1\",\"region\":\"eu-1\","
      "\"host_ip\":\"10.0.0.7\"}}",
      "m", "warn", "books", "web-1", NULL, NULL, NULL, "eu-1" },
    { "Kubernetes",
      "{\"_source\":{\"time\":1772600767890,\"log\":\"m\\n\",\"stream\":\"stderr\","
      "\"kubernetes\":{\"pod_name\":\"books-1\",\"namespace_name\":\"shop\",\"host\":\"node-2\","
      "\"container_name\":\"c\",\"pod_ip\":\"10.0.0.7\",\"labels\":{\"app\":\"books\"}}}}",
      "m", NULL, "books", "node-2", "books-1", "shop", NULL, NULL },
    { "OpenTelemetry",
      "{\"_source\":{\"@timestamp\":\"2026-03-04T05:06:07.890Z\",\"body\":{\"text\":\"m\"},"
      "\"severity_text\":\"ERROR\",\"resource\":{\"attributes\":{\"service.name\":\"books\","
      "\"host.name\":\"web-1\",\"host.ip\":[\"10.0.0.7\"],\"k8s.pod.name\":\"books-1\","
      "\"k8s.namespace.name\":\"shop\",\"cloud.region\":\"eu-1\"}},"
      "\"attributes\":{\"event.dataset\":\"app\"}}}",
      "m", "ERROR", "books", "web-1", "books-1", "shop", "app", "eu-1" },
    { "Cloud SQL, sent on by a forwarder",
      "{\"_source\":{\"@timestamp\":\"2026-03-04T05:06:07.890Z\",\"message\":\"m\","
      "\"severity\":\"INFO\",\"host\":{\"name\":\"forwarder-1\",\"ip\":\"10.0.0.7\"},"
      "\"resource\":{\"type\":\"cloudsql_database\",\"labels\":{\"database_id\":"
      "\"books-prod:main\",\"region\":\"eu-1\"}}}}",
      "m", "INFO", NULL, "books-prod:main", NULL, NULL, NULL, "eu-1" },
    { "RDS through CloudWatch",
      "{\"_source\":{\"@timestamp\":\"2026-03-04T05:06:07.890Z\",\"message\":\"m\","
      "\"host.ip\":\"10.0.0.7\",\"aws\":{\"cloudwatch\":{\"log_group\":"
      "\"/aws/rds/instance/books/postgresql\"}}}}",
      "m", NULL, NULL, "/aws/rds/instance/books/postgresql", NULL, NULL, NULL, NULL },
    { "fields only",
      "{\"sort\":[1772600767890],\"fields\":{\"message\":[\"m\"],\"log.level\":[\"info\"],"
      "\"host.name\":[\"web-1\"],\"host.ip\":[\"10.0.0.7\",\"10.0.0.7\"],\"service.name\":[\"\"]}}",
      "m", "info", NULL, "web-1", NULL, NULL, NULL, NULL },
};

static void assert_field(const char *shape, const char *is, const char *expected)
{
    if (!text_same(is, expected))
        fail_msg("%s: \"%s\" instead of \"%s\"", shape, is ? is : "(none)",
                 expected ? expected : "(none)");
}

static void documents_of_every_shape_become_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        struct source_mem *mem = source_mem_new();
        char *text = xasprintf("{\"hits\":{\"hits\":[%s]}}", documents[i].hit);
        const struct es_result *result = es_parse_result(text, strlen(text), NULL, mem, NULL);
        const char *shape = documents[i].shape;

        assert_int_equal(result->n, 1);
        const struct es_hit *hit = &result->hits[0];
        assert_field(shape, hit->message, documents[i].message);
        assert_field(shape, hit->level, documents[i].level);
        assert_field(shape, hit->service, documents[i].service);
        assert_field(shape, hit->host, documents[i].host);
        assert_field(shape, hit->pod, documents[i].pod);
        assert_field(shape, hit->namespace_, documents[i].space);
        assert_field(shape, hit->dataset, documents[i].dataset);
        assert_field(shape, hit->region, documents[i].region);
        assert_field(shape, hit->n_host_ips ? hit->host_ips[0] : NULL, "10.0.0.7");
        assert_int_equal(hit->at_ms, time_or_unknown("2026-03-04T05:06:07.890Z"));
        free(text);
        source_mem_release(mem);
    }
}

static void configured_field_names_win(void **state)
{
    static const char *const message[] = { "payload.text", "message", NULL };
    struct source_mem *mem = source_mem_new();
    struct es_fields fields = *es_default_fields();
    static const char text[] = "{\"hits\":{\"hits\":[{\"_source\":{\"message\":\"outer\","
                               "\"payload\":{\"text\":\"inner\"}}}]}}";

    (void)state;
    fields.message = message;
    const struct es_result *result = es_parse_result(text, strlen(text), &fields, mem, NULL);
    assert_string_equal(result->hits[0].message, "inner");
    assert_true(result->hits[0].at_ms == TIME_UNKNOWN);
    source_mem_release(mem);
}

/* ---- totals and completeness ---- */

static void an_answer_says_how_much_of_the_truth_it_is(void **state)
{
#define SHARDS(total, failed)                                                                      \
    "\"_shards\":{\"total\":" total ",\"successful\":1,\"skipped\":9,\"failed\":" failed           \
    ",\"failures\":[{\"shard\":3,\"reason\":{\"type\":\"query_shard_exception\"}}]}"
    static const struct {
        const char *json;
        int64_t total;
        bool lower_bound, nothing, partial;
        const char *why;
    } cases[] = {
        { "{" SHARDS("5", "0") ",\"hits\":{\"total\":{\"value\":3,\"relation\":\"eq\"}}}", 3, false,
          false, false, NULL },
        { "{" SHARDS("5", "0") ",\"hits\":{\"total\":{\"value\":10000,\"relation\":\"gte\"}}}",
          10000, true, false, false, NULL },
        { "{" SHARDS("5", "0") ",\"hits\":{\"total\":4,\"hits\":[]}}", 4, false, false, false,
          NULL },
        { "{" SHARDS("5", "0") ",\"hits\":{\"hits\":[]}}", -1, false, false, false, NULL },
        { "{}", -1, false, false, false, NULL },
        { "{" SHARDS("0", "0") ",\"hits\":{\"total\":{\"value\":0}}}", 0, false, true, false,
          NULL },
        { "{\"timed_out\":true," SHARDS("5", "0") "}", -1, false, false, true, "ran out of time" },
        { "{\"timed_out\":false," SHARDS("5", "2") "}", -1, false, false, true,
          "2 of 5 shards failed (query_shard_exception)" },
        { "{\"_clusters\":{\"total\":2,\"successful\":1,\"skipped\":1}}", -1, false, false, true,
          "1 of 2 clusters" },
        { "{\"_clusters\":{\"total\":2,\"successful\":2,\"skipped\":0}}", -1, false, false, false,
          NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct source_mem *mem = source_mem_new();
        const struct es_result *result =
            es_parse_result(cases[i].json, strlen(cases[i].json), NULL, mem, NULL);
        assert_int_equal(result->total, cases[i].total);
        assert_int_equal(result->total_is_lower_bound, cases[i].lower_bound);
        assert_int_equal(result->nothing_searched, cases[i].nothing);
        assert_int_equal(result->meta.partial, cases[i].partial);
        if (cases[i].why)
            assert_says(result->meta.why, cases[i].why);
        assert_int_equal(result->n, 0);
        source_mem_release(mem);
    }
}

/* ---- asking ---- */

static void a_search_is_json_below_the_index_with_the_credential(void **state)
{
    static const struct {
        struct es_options options;
        const char *header;
    } cases[] = {
        { { .api_key = "aWQ6a2V5" }, "Authorization: ApiKey aWQ6a2V5\r\n" },
        { { .api_key = "id:key" }, "Authorization: ApiKey aWQ6a2V5\r\n" },
        { { .user = "me", .password = "p:w" }, "Authorization: Basic bWU6cDp3\r\n" },
        { { .bearer = "eyJ.x.y" }, "Authorization: Bearer eyJ.x.y\r\n" },
    };
    struct bench b;
    struct es_query query = any;

    (void)state;
    query.index = "logs-*,eu:filebeat-*,<a/b>";
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct es *es = open_all(
            &b, cases[i].options,
            ROUTES({ "POST /logs-*,eu:filebeat-*,%3Ca%2Fb%3E/_search?ignore_unavailable=true", 200,
                     "",
                     "{\"took\":3,\"hits\":{\"total\":{\"value\":1},\"hits\":[{\"_id\":\"x\"}]},"
                     "\"aggregations\":{\"per_interval\":{\"buckets\":[{\"key\":1772600400000,"
                     "\"doc_count\":2},{\"key\":1772600700000,\"doc_count\":0}]}}}" }));
        const struct es_result *result = bench_result(&b, search(&b, es, &query));
        assert_int_equal(result->n, 1);
        assert_int_equal(result->histogram->interval_ms, 5 * MINUTE_MS);
        assert_true(result->histogram->points[0].value == 2);
        assert_says(buf_str(&b.head), cases[i].header);
        assert_says(buf_str(&b.head), "Content-Type: application/json\r\n");
        close_all(&b, es);
    }
}

static void a_search_without_a_window_is_refused(void **state)
{
    struct bench b;
    struct es *es = open_all(&b, (struct es_options){ 0 }, NULL, 0);

    (void)state;
    assert_null(search(&b, es, &(struct es_query){ .size = 1 }));
    assert_int_equal(b.err.code, ERR_INVALID);
    close_all(&b, es);
}

static void one_of_several_searches_may_fail(void **state)
{
    struct es_query queries[2] = { any, any };
    struct bench b;
    struct es *es = open_all(
        &b, (struct es_options){ .index = "app-*" },
        ROUTES(
            { "POST /app-*/_msearch?", 200, "",
              "{\"responses\":[{\"hits\":{\"total\":{\"value\":2}},\"status\":200},"
              "{\"error\":{\"type\":\"security_exception\",\"reason\":\"no\"},\"status\":403}]}" },
            { "POST /_msearch?", 200, "", "{\"responses\":[{}]}" }));

    (void)state;
    const struct es_answers *answers =
        bench_result(&b, es_msearch(es, 1, queries, 2, bench_done, &b, &b.err));
    assert_int_equal(answers->items[0].result->total, 2);
    assert_null(answers->items[1].result);
    assert_int_equal(answers->items[1].code, ERR_FORBIDDEN);
    assert_says(answers->items[1].error, "index privilege read on app-* (security_exception: no)");
    assert_true(answers->meta.partial);
    assert_says(buf_str(&b.head), "Content-Type: application/x-ndjson\r\n");
    assert_true(buf_str(&b.body)[b.body.len - 1] == '\n');

    queries[1].index = "db-*";
    const struct error *err =
        bench_error(&b, es_msearch(es, 1, queries, 2, bench_done, &b, &b.err));
    assert_int_equal(err->code, ERR_PROTOCOL);
    assert_says(error_text(err), "1 of 2 searches");
    assert_says(buf_str(&b.body), "{\"index\":\"app-*\",\"ignore_unavailable\":true}\n");
    assert_says(buf_str(&b.body), "{\"index\":\"db-*\",");
    close_all(&b, es);
}

static void a_refusal_says_who_answered_what_and_what_to_do(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum err_code code;
        const char *says;
    } cases[] = {
        { 401, "{\"error\":{\"type\":\"security_exception\",\"reason\":\"unable\"},\"status\":401}",
          ERR_UNAUTHORIZED,
          "Elasticsearch answered 401: the API key is wrong or expired; check "
          "elasticsearch.api_key_file (ELASTICSEARCH_API_KEY) (security_exception: unable)" },
        { 401, "Unauthorized", ERR_UNAUTHORIZED, "(Unauthorized)" },
        { 401, "", ERR_UNAUTHORIZED, "wrong or expired" },
        { 403, "{\"error\":{\"type\":\"security_exception\",\"reason\":null}}", ERR_FORBIDDEN,
          "the credential lacks the index privilege read on logs-* (security_exception)" },
        { 404,
          "{\"error\":{\"type\":\"index_not_found_exception\",\"reason\":\"no such index [x]\"}}",
          ERR_NOT_FOUND, "no index logs-* there" },
        { 406, "{\"error\":\"Content-Type header is not supported\",\"status\":406}", ERR_INVALID,
          "(Content-Type header is not supported)" },
        { 400, "{\"error\":{\"root_cause\":[],\"type\":\"parsing_exception\",\"reason\":\"x\"}}",
          ERR_INVALID, "(parsing_exception: x)" },
        { 500, "{\"error\":{\"type\":\"null_pointer_exception\"}}", ERR_UPSTREAM,
          "(null_pointer_exception)" },
        { 200, "<html>", ERR_PROTOCOL, "HTML page instead of JSON" },
        { 200, "[]", ERR_PROTOCOL, "no search result" },
    };
    struct bench b;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct es *es = open_all(&b, (struct es_options){ .api_key = "a" },
                                 ROUTES({ "POST /", cases[i].status, "", cases[i].body }));
        const struct error *err = bench_error(&b, search(&b, es, &any));
        if (err->code != cases[i].code)
            fail_msg("%d gave %s: %s", cases[i].status, err_code_name(err->code), error_text(err));
        assert_says(error_text(err), cases[i].says);
        assert_int_equal(b.server.requests, 1); /* nothing here is worth asking again */
        close_all(&b, es);
    }
}

static void a_credential_that_worked_is_tried_again_after_one_401(void **state)
{
    struct bench b;
    struct es *es = open_all(
        &b, (struct es_options){ .api_key = "a" },
        ROUTES({ "POST /", ONCE + 200, "", "{}" }, { "POST /", ONCE + 401, "", "Unauthorized" },
               { "POST /", ONCE + 200, "", "{}" }, { "POST /", 401, "", "Unauthorized" }));

    (void)state;
    (void)bench_result(&b, search(&b, es, &any));
    (void)bench_result(&b, search(&b, es, &any));
    assert_int_equal(b.server.requests, 3);
    (void)bench_error(&b, search(&b, es, &any));
    assert_int_equal(b.server.requests, 5);
    close_all(&b, es);
}

static void servers_tell_their_kind_and_fields_their_types(void **state)
{
    static const char *const fields[] = { "message", "service.name", NULL };
    struct bench b;
    struct es *es = open_all(
        &b, (struct es_options){ 0 },
        ROUTES({ "GET /$", ONCE + 200, "",
                 "{\"version\":{\"number\":\"2.19.3\",\"distribution\":\"opensearch\"}}" },
               { "GET /$", ONCE + 200, "",
                 "{\"version\":{\"number\":\"8.11.0\",\"build_flavor\":\"serverless\"}}" },
               { "GET /$", 200, "", "{\"version\":{\"number\":\"9.1.0\"}}" },
               { "GET /logs-*/_field_caps?ignore_unavailable=true&allow_no_indices=true&"
                 "fields=message%2Cservice.name$",
                 200, "",
                 "{\"fields\":{\"message\":{\"text\":{\"searchable\":true,\"aggregatable\":false},"
                 "\"keyword\":{\"searchable\":true,\"aggregatable\":true}}}}" }));
    static const char *const kinds[] = { "opensearch", "serverless", "elasticsearch" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const struct es_info *info = bench_result(&b, es_get_info(es, 1, bench_done, &b, &b.err));
        assert_string_equal(info->distribution, kinds[i]);
    }
    const struct es_field_caps *caps =
        bench_result(&b, es_field_caps(es, 1, NULL, fields, bench_done, &b, &b.err));
    assert_int_equal(caps->n, 2);
    assert_string_equal(caps->items[1].name, "message");
    assert_string_equal(caps->items[1].type, "keyword");
    assert_true(caps->items[1].aggregatable);
    close_all(&b, es);
}

static void the_check_tells_a_pattern_without_index_from_a_missing_privilege(void **state)
{
    struct bench b;
    struct es *es = open_all(
        &b, (struct es_options){ .api_key = "a", .index = "lgos-*" },
        ROUTES({ "GET /$", 200, "", "{\"version\":{\"number\":\"9.1.0\"}}" },
               { "GET /_security/_authenticate$", 405, "", "{\"error\":\"Incorrect method\"}" },
               { "POST /lgos-*/_search", 200, "", "{\"_shards\":{\"total\":0,\"failed\":0}}" }));
    const struct source_check *check = bench_result(&b, es_check(es, 1, bench_done, &b, &b.err));

    (void)state;
    assert_int_equal(check->n_items, 3);
    assert_int_equal(check->items[0].ok, YES);
    assert_int_equal(check->items[1].ok, YES);
    assert_int_equal(check->items[2].ok, NO);
    assert_says(check->items[2].text, "no index matches lgos-*");
    assert_says(check->identity, "Elasticsearch 9.1.0");
    close_all(&b, es);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_has_a_window_and_survives_unmapped_fields),
        cmocka_unit_test(terms_are_tried_as_keyword_and_below_keyword),
        cmocka_unit_test(address_fields_are_never_asked_for_a_name),
        cmocka_unit_test(phrases_cannot_leave_their_quotes),
        cmocka_unit_test(a_histogram_never_has_too_many_buckets),
        cmocka_unit_test(documents_of_every_shape_become_one),
        cmocka_unit_test(configured_field_names_win),
        cmocka_unit_test(an_answer_says_how_much_of_the_truth_it_is),
        cmocka_unit_test(a_search_is_json_below_the_index_with_the_credential),
        cmocka_unit_test(a_search_without_a_window_is_refused),
        cmocka_unit_test(one_of_several_searches_may_fail),
        cmocka_unit_test(a_refusal_says_who_answered_what_and_what_to_do),
        cmocka_unit_test(a_credential_that_worked_is_tried_again_after_one_401),
        cmocka_unit_test(servers_tell_their_kind_and_fields_their_types),
        cmocka_unit_test(the_check_tells_a_pattern_without_index_from_a_missing_privilege),
    };
    struct error err = ERROR_INIT;

    if (http_global_init(&err) < 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    http_global_clear();
    return failed;
}
