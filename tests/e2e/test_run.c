/* `dbconn run --json` on every scenario of the sandbox: the report says what the file expects. */
#include "harness.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define SCENARIOS "contrib/sandbox/scenarios"

static cJSON *read_scenario(const char *name)
{
    char *path = xasprintf(SCENARIOS "/%s", name), bytes[65536];
    struct buf text = BUF_INIT;
    FILE *file = fopen(path, "rb");
    cJSON *tree = NULL;
    size_t n;

    assert_non_null(file);
    while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
        buf_add(&text, bytes, n);
    fclose(file);
    assert_int_equal(json_parse(buf_str(&text), text.len, path, &tree, NULL), 0);
    buf_clear(&text);
    free(path);
    return tree;
}

/* 0 when the report's member is what was expected, or nothing was; else 1 and said. */
static int differs(const char *scenario, const char *what, const cJSON *expected,
                   const cJSON *reported)
{
    char *wanted, *got;

    if (!expected || cJSON_Compare(expected, reported, true))
        return 0;
    wanted = json_print(expected);
    got = reported ? json_print(reported) : xstrdup("nothing");
    print_message("%s: %s is %s, expected %s\n", scenario, what, got, wanted);
    free(wanted);
    free(got);
    return 1;
}

static int check_segment(const char *scenario, const cJSON *expected, const cJSON *impact)
{
    const cJSON *tag = json_first(expected);

    if (!tag)
        return 0;
    return differs(scenario, "the segment's tag", tag, json_get(impact, "tag")) +
           differs(scenario, "the segment's value", tag->next, json_get(impact, "value"));
}

static int check_report(const char *scenario, const cJSON *expect, const cJSON *report)
{
    static const char *const of_target[] = { "engine", "host", "port" };
    const cJSON *target = json_get(report, "target");
    const cJSON *culprit = json_path(report, "diagnosis", "culprit", NULL);
    int wrong = differs(scenario, "the cause", json_get(expect, "cause"),
                        json_path(report, "diagnosis", "cause", NULL));

    for (size_t i = 0; i < ARRAY_LEN(of_target); i++)
        wrong += differs(scenario, of_target[i], json_get(expect, of_target[i]),
                         json_get(target, of_target[i]));
    wrong += differs(scenario, "applicable", json_get(expect, "applicable"),
                     json_get(report, "applicable"));
    wrong +=
        differs(scenario, "the release", json_get(expect, "release"), json_get(culprit, "release"));
    wrong += differs(scenario, "the pull request", json_get(expect, "pull_request"),
                     json_path(culprit, "pull_request", "number", NULL));
    wrong += differs(scenario, "the file", json_get(expect, "file"), json_items(culprit, "files"));
    return wrong + check_segment(scenario, json_get(expect, "segment"), json_get(report, "impact"));
}

static int run_scenario(const char *file)
{
    cJSON *scenario = read_scenario(file), *report;
    char *path = xasprintf(SCENARIOS "/%s", file);
    struct stage_options options = { .scenario = path, .no_bot = true };
    struct stage s;
    int code, wrong;

    stage_open(&s, &options);
    const char *args[] = { "run", s.short_id, "--json", NULL };
    char *out = stage_run(&s, args, &code);
    report = cJSON_Parse(out);
    if (code != 0 || !report)
        fail_msg("%s: dbconn run ended with %d and printed \"%s\"", file, code, out);
    wrong = check_report(file, json_get(scenario, "expect"), report);
    cJSON_Delete(report);
    cJSON_Delete(scenario);
    free(out);
    free(path);
    stage_close(&s);
    return wrong;
}

static void every_scenario_is_reported_as_expected(void **state)
{
    DIR *dir = opendir(SCENARIOS);
    struct dirent *entry;
    int wrong = 0, n = 0;

    (void)state;
    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        if (!strstr(entry->d_name, ".json"))
            continue;
        wrong += run_scenario(entry->d_name);
        n++;
    }
    closedir(dir);
    assert_true(n >= 10);
    assert_int_equal(wrong, 0);
}

static void an_unknown_issue_is_an_error_document(void **state)
{
    struct stage_options options = { .no_bot = true };
    const char *args[] = { "run", "SHOP-ZZZ9", "--json", NULL };
    struct stage s;
    int code;

    (void)state;
    stage_open(&s, &options);
    char *out = stage_run(&s, args, &code);
    cJSON *report = cJSON_Parse(out);
    assert_int_equal(code, 1);
    assert_non_null(json_path(report, "error", "code", NULL));
    assert_string_equal(json_str(json_get(report, "error"), "source"), "sentry");
    cJSON_Delete(report);
    free(out);
    stage_close(&s);
}

/* What does not change with the clock: outcomes, links, and what they are evidence of. */
static char *gist_of(const cJSON *report)
{
    const cJSON *step, *finding, *diagnosis = json_get(report, "diagnosis");
    struct buf out = BUF_INIT;

    cJSON_ArrayForEach (step, json_get(report, "steps")) {
        buf_addf(&out, "%s %s\n", json_str_or(step, "id", "?"), json_str_or(step, "status", "?"));
        cJSON_ArrayForEach (finding, json_get(step, "findings")) {
            buf_addf(&out, "  %s\n", json_str_or(finding, "url", "no link"));
        }
    }
    buf_addf(&out, "%s %s\n", json_str_or(diagnosis, "cause", "?"),
             json_str_or(diagnosis, "confidence", "?"));
    return buf_take(&out);
}

static char *gist_with(const char *faults)
{
    const char *const args_of_sandbox[] = { "--faults", faults, NULL };
    struct stage_options options = { .no_bot = true, .sandbox_args = args_of_sandbox };
    struct stage s;
    int code;

    stage_open(&s, &options);
    const char *args[] = { "run", s.short_id, "--json", NULL };
    char *out = stage_run(&s, args, &code);
    cJSON *report = cJSON_Parse(out);
    char *gist = gist_of(report);
    assert_int_equal(code, 0);
    cJSON_Delete(report);
    free(out);
    stage_close(&s);
    return gist;
}

static void nothing_depends_on_which_answer_comes_first(void **state)
{
    static const char *const late[] = { "/issues/[^/]+/$", "/tags/", "/events/", "/releases/" };
    char *usual = gist_with("{}");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(late); i++) {
        char *faults = xasprintf("{\"sentry\":[{\"path\":\"%s\",\"latency_ms\":700}]}", late[i]);
        char *gist = gist_with(faults);
        if (strcmp(gist, usual) != 0)
            fail_msg("with %s late:\n%s\ninstead of:\n%s", late[i], gist, usual);
        free(gist);
        free(faults);
    }
    free(usual);
}

/* The number of steps that say `what`. */
static int count_steps(const cJSON *report, const char *what)
{
    const cJSON *step;
    int n = 0;

    cJSON_ArrayForEach (step, json_get(report, "steps")) {
        n += strstr(json_str_or(step, "summary", ""), what) != NULL;
    }
    return n;
}

static const struct {
    const char *limits, *said;
    int least; /* so many steps say it */
} limited[] = {
    { "{\"limits\": {\"json_values\": 2000}}", "too large to be read to its end", 1 },
    { "{\"limits\": {\"json_values\": 1000000}}", "too large", 0 },
    { "{\"limits\": {\"json_depth\": 8}}", "nested deeper than 8 levels", 1 },
    { "{\"limits\": {\"json_depth\": 200, \"memory_mb\": 1}}", "nested deeper", 0 },
};

static void beyond_a_limit_the_report_says_what_was_not_read_and_ends_with_the_rest(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(limited); i++) {
        struct stage_options options = { .no_bot = true };
        struct stage s;
        int code;
        stage_open(&s, &options);
        char *config = xasprintf("%s/limits.json", s.dir);
        FILE *file = fopen(config, "w");
        assert_non_null(file);
        fputs(limited[i].limits, file);
        fclose(file);
        const char *args[] = { "run", "--config", config, s.short_id, "--json", NULL };
        char *out = stage_run(&s, args, &code);
        cJSON *report = cJSON_Parse(out);
        int said = count_steps(report, limited[i].said);
        if (code != 0 || (limited[i].least ? said < limited[i].least : said > 0))
            fail_msg("%s: exit %d, %d steps say \"%s\": %s", limited[i].limits, code, said,
                     limited[i].said, out);
        assert_non_null(json_path(report, "diagnosis", "cause", NULL));
        cJSON_Delete(report);
        free(out);
        free(config);
        stage_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scenario_is_reported_as_expected),
        cmocka_unit_test(an_unknown_issue_is_an_error_document),
        cmocka_unit_test(nothing_depends_on_which_answer_comes_first),
        cmocka_unit_test(beyond_a_limit_the_report_says_what_was_not_read_and_ends_with_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
