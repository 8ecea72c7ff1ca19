#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>

#include "dbconn/base/json.h"
#include "dbconn/diagnosis/casefile.h"
#include "dbconn/report/report_json.h"
#include "json_schema.h"

#define GOLDEN "tests/golden/thread"
#define SCHEMA "config/report.schema.json"

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct buf text = BUF_INIT;
    char chunk[4096];
    size_t n;

    if (!f)
        fail_msg("cannot read %s", path);
    while (f && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        buf_add(&text, chunk, n);
    if (f)
        fclose(f);
    return buf_take(&text);
}

static cJSON *read_json(const char *path)
{
    struct error err = ERROR_INIT;
    char *text = read_file(path);
    cJSON *doc = NULL;

    if (json_parse(text, strlen(text), path, &doc, &err) < 0)
        fail_msg("%s", error_text(&err));
    free(text);
    return doc;
}

static void assert_valid(const cJSON *doc, bool valid)
{
    struct schema_check check = { read_json(SCHEMA), BUF_INIT };
    bool ok = schema_valid(&check, check.root, doc, "report");

    if (ok != valid)
        fail_msg("%s", ok ? "a wrong document is taken for valid" : buf_str(&check.problem));
    cJSON_Delete((cJSON *)(uintptr_t)check.root);
    buf_clear(&check.problem);
}

typedef void doc_fn(const char *name, cJSON *doc);

/* The documents of the thread's golden cases; "view" is the test's own member in them. */
static void each_document(doc_fn *fn)
{
    struct dirent **names;
    int n = scandir(GOLDEN, &names, NULL, alphasort);

    assert_true(n > 10);
    for (int i = 0; i < n; i++) {
        if (strstr(names[i]->d_name, ".in.json")) {
            char *path = xasprintf("%s/%s", GOLDEN, names[i]->d_name);
            cJSON *doc = read_json(path);
            cJSON_DeleteItemFromObject(doc, "view");
            fn(names[i]->d_name, doc);
            cJSON_Delete(doc);
            free(path);
        }
        free(names[i]);
    }
    free(names);
}

static void check_round_trip(const char *name, cJSON *doc)
{
    struct error err = ERROR_INIT;
    struct casefile c;
    cJSON *again;

    if (report_from_json(doc, &c, &err) < 0)
        fail_msg("%s: %s", name, error_text(&err));
    again = report_to_json(&c);
    if (!cJSON_Compare(doc, again, true)) {
        char *text = cJSON_Print(again);
        fail_msg("%s is not the same after reading and writing:\n%s", name, text);
    }
    if (json_get(doc, "diagnosis"))
        assert_valid(again, true);
    cJSON_Delete(again);
    casefile_clear(&c);
}

static void nothing_is_lost_between_writing_and_reading(void **state)
{
    (void)state;
    each_document(check_round_trip);
}

static void an_empty_casefile_can_be_written_and_read(void **state)
{
    struct error err = ERROR_INIT;
    struct casefile c, again;
    char *text, *second;

    (void)state;
    casefile_init(&c);
    text = report_print(&c);
    assert_int_equal(report_parse(text, strlen(text), &again, &err), 0);
    assert_int_equal(again.issue.user_count, -1);
    assert_true(again.trend.onset_ms == TIME_UNKNOWN);
    assert_true(again.impact.share < 0);
    assert_false(again.diagnosis.reached);
    assert_null(again.target.host);
    second = report_print(&again);
    assert_string_equal(text, second);
    free(text);
    free(second);
    casefile_clear(&again);
}

/* One of the document's objects by number; NULL when it has none such. */
static cJSON *object_at(cJSON *doc, int part)
{
    static const char *const names[] = { "issue", "series", "diagnosis", "target", "trend" };

    if (part == 0)
        return doc;
    if (part <= (int)ARRAY_LEN(names))
        return cJSON_GetObjectItem(doc, names[part - 1]);
    return cJSON_GetArrayItem(cJSON_GetObjectItem(doc, "steps"), 0);
}

static void read_mistreated(const cJSON *doc, int part, int member, const char *other)
{
    cJSON *copy = cJSON_Duplicate(doc, true), *obj = object_at(copy, part);
    cJSON *kept = cJSON_DetachItemFromArray(obj, member);
    struct error err = ERROR_INIT;
    struct casefile c;

    if (other)
        cJSON_AddItemToObject(obj, kept->string, cJSON_Parse(other));
    if (report_from_json(copy, &c, &err) < 0)
        assert_true(err.message.len > 0);
    casefile_clear(&c);
    error_clear(&err);
    cJSON_Delete(kept);
    cJSON_Delete(copy);
}

/* Takes out, nulls and mistypes every member once: reading must cope or say why. */
static void mistreat(const char *name, cJSON *doc)
{
    static const char *const others[] = { NULL, "null", "\"x\"", "17", "[]", "{}", "[null,1,{}]" };

    (void)name;
    for (int part = 0; part < 7; part++) {
        for (int m = 0; m < cJSON_GetArraySize(object_at(doc, part)); m++) {
            for (size_t o = 0; o < ARRAY_LEN(others); o++)
                read_mistreated(doc, part, m, others[o]);
        }
    }
}

static void a_damaged_document_is_read_as_far_as_it_goes(void **state)
{
    (void)state;
    each_document(mistreat);
}

static void what_would_be_a_lie_is_refused(void **state)
{
    static const struct {
        const char *text, *why;
        enum err_code code;
    } rows[] = {
        { "", "not valid JSON", ERR_PROTOCOL },
        { "[]", "not a JSON object", ERR_INVALID },
        { "{}", "schema_version", ERR_INVALID },
        { "{\"schema_version\":2}", "schema_version 2", ERR_INVALID },
        { "{\"schema_version\":1,\"error\":{\"message\":\"no such issue\"}}", "no such issue",
          ERR_INVALID },
        { "{\"schema_version\":1,\"diagnosis\":{\"cause\":\"gremlins\",\"confidence\":\"high\"}}",
          "gremlins", ERR_INVALID },
        { "{\"schema_version\":1,\"diagnosis\":{\"cause\":\"database_down\"}}", "confidence",
          ERR_INVALID },
        { "{\"schema_version\":1,\"steps\":[{\"status\":\"odd\"}]}", "odd", ERR_INVALID },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error err = ERROR_INIT;
        struct casefile c;
        assert_int_equal(report_parse(rows[i].text, strlen(rows[i].text), &c, &err), -1);
        assert_int_equal(err.code, rows[i].code);
        if (!strstr(error_text(&err), rows[i].why))
            fail_msg("\"%s\" does not say \"%s\"", error_text(&err), rows[i].why);
        casefile_clear(&c);
        error_clear(&err);
    }
}

static void members_of_a_later_version_are_ignored(void **state)
{
    static const char text[] =
        "{\"schema_version\":1,\"new\":{\"a\":[1]},\"issue\":{\"id\":12345,\"newer\":true},"
        "\"target\":{\"port\":\"5432\",\"engine\":\"newdb\"},\"trend\":{\"kind\":\"wobbly\"},"
        "\"diagnosis\":null}";
    struct error err = ERROR_INIT;
    struct casefile c;

    (void)state;
    assert_int_equal(report_parse(text, strlen(text), &c, &err), 0);
    assert_string_equal(c.issue.id, "12345");
    assert_string_equal(c.target.port, "5432");
    assert_string_equal(c.target.engine, "newdb");
    assert_int_equal(c.trend.kind, TREND_UNKNOWN);
    casefile_clear(&c);
}

static void a_port_is_a_number_where_it_is_one(void **state)
{
    static const struct {
        const char *port, *json;
    } rows[] = {
        { "5432", "\"port\":5432," },       { "65535", "\"port\":65535," },
        { "65536", "\"port\":\"65536\"," }, { "0", "\"port\":\"0\"," },
        { "05432", "\"port\":\"05432\"," }, { "${PORT}", "\"port\":\"${PORT}\"," },
        { "", "\"port\":\"\"," },           { NULL, "\"port\":null," },
        { "54x", "\"port\":\"54x\"," },     { "99999999999999999999", "\"99999999999999999999\"," },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct casefile c;
        char *text;
        casefile_init(&c);
        xreplace(&c.target.port, rows[i].port);
        text = report_print(&c);
        if (!strstr(text, rows[i].json))
            fail_msg("%s: %s", rows[i].port, text);
        free(text);
        casefile_clear(&c);
    }
}

static void an_error_is_a_document_too(void **state)
{
    struct error why = ERROR_INIT;
    cJSON *doc;
    char *text;

    (void)state;
    error_set(&why, ERR_FORBIDDEN, "Sentry answered 403: token lacks event:read");
    text = report_error_print(&why, "sentry");
    assert_string_equal(text, "{\"schema_version\":1,\"error\":{\"code\":\"forbidden\",\"message\":"
                              "\"Sentry answered 403: token lacks event:read\",\"source\":"
                              "\"sentry\"}}");
    doc = cJSON_Parse(text);
    assert_valid(doc, true);
    cJSON_Delete(doc);
    free(text);
    for (int code = ERR_USAGE; code <= ERR_CANCELLED; code++) {
        error_set(&why, (enum err_code)code, "x");
        text = report_error_print(&why, NULL);
        doc = cJSON_Parse(text);
        assert_valid(doc, true);
        cJSON_Delete(doc);
        free(text);
    }
    error_clear(&why);
}

static cJSON *valid_document(void)
{
    cJSON *doc = read_json(GOLDEN "/deployment_config_change.in.json");

    cJSON_DeleteItemFromObject(doc, "view");
    return doc;
}

static void set(cJSON *obj, const char *key, const char *json)
{
    cJSON_DeleteItemFromObjectCaseSensitive(obj, key);
    if (json)
        cJSON_AddItemToObject(obj, key, cJSON_Parse(json));
}

static void the_schema_refuses_what_is_wrong(void **state)
{
    static const struct {
        const char *object, *key, *json;
    } rows[] = {
        { NULL, "issue", NULL },
        { NULL, "steps", "[]" },
        { NULL, "applicable", "\"yes\"" },
        { NULL, "diagnosis", "null" },
        { NULL, "schema_version", "2" },
        { NULL, "failures", "{\"gremlins\":1}" },
        { NULL, "failures", "{\"timeout\":-1}" },
        { "trend", "kind", "\"wobbly\"" },
        { "impact", "share", "2" },
        { "target", "engine", "\"db2\"" },
        { "issue", "user_count", "\"many\"" },
        { "diagnosis", "cause", "\"gremlins\"" },
        { "diagnosis", "confidence", "\"certain\"" },
        { "diagnosis", "rules", "[]" },
        { "diagnosis", "culprit", NULL },
        { "diagnosis", "next_actions", "[1]" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        cJSON *doc = valid_document();
        cJSON *obj = rows[i].object ? cJSON_GetObjectItem(doc, rows[i].object) : doc;
        assert_valid(doc, true);
        set(obj, rows[i].key, rows[i].json);
        assert_valid(doc, false);
        cJSON_Delete(doc);
    }
}

static void an_unfinished_document_is_no_published_one(void **state)
{
    cJSON *doc = read_json(GOLDEN "/state_running.in.json");

    (void)state;
    assert_valid(doc, false);
    cJSON_Delete(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_between_writing_and_reading),
        cmocka_unit_test(an_empty_casefile_can_be_written_and_read),
        cmocka_unit_test(a_damaged_document_is_read_as_far_as_it_goes),
        cmocka_unit_test(what_would_be_a_lie_is_refused),
        cmocka_unit_test(members_of_a_later_version_are_ignored),
        cmocka_unit_test(a_port_is_a_number_where_it_is_one),
        cmocka_unit_test(an_error_is_a_document_too),
        cmocka_unit_test(the_schema_refuses_what_is_wrong),
        cmocka_unit_test(an_unfinished_document_is_no_published_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
