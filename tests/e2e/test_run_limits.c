/* limits.* by the built program: what is slow or too much costs a part and not the answer, and the
 * answer says so. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

static void configure(struct stage *s, const char *limits)
{
    s->config = xasprintf("%s/dbconn.json", s->dir);
    FILE *file = fopen(s->config, "w");

    assert_non_null(file);
    fprintf(file, "{\"limits\": {%s}}\n", limits);
    assert_int_equal(fclose(file), 0);
}

static cJSON *investigate(struct stage *s, int want)
{
    const char *const args[] = { "run", s->short_id, "--json", "--config", s->config, NULL };
    int code;
    char *text = stage_run(s, args, &code);

    if (code != want)
        fail_msg("dbconn run ended with %d: %s", code, text);
    cJSON *report = cJSON_Parse(text);
    free(text);
    return report;
}

static void a_slow_source_costs_its_step_and_not_the_answer(void **state)
{
    static const char *const slow[] = { "--faults", "{\"elasticsearch\":[{\"latency_ms\":90000}]}",
                                        NULL };
    struct stage_options options = { .sandbox_args = slow, .no_bot = true };
    struct stage s;
    int slow_steps = 0, good_steps = 0;

    (void)state;
    stage_open(&s, &options);
    configure(&s, "\"step_seconds\": 5, \"call_seconds\": 100, \"job_seconds\": 300");
    cJSON *report = investigate(&s, 0);
    for (const cJSON *step = json_items(report, "steps"); step; step = step->next) {
        bool over = strstr(json_str_or(step, "summary", ""), "within the 5 s that a step may take");
        slow_steps += over;
        good_steps += text_same(json_str(step, "status"), "complete");
        if (over)
            assert_string_not_equal(json_str(step, "status"), "complete");
    }
    if (slow_steps != 1 || good_steps < 5)
        fail_msg("%d steps over their time, %d complete", slow_steps, good_steps);
    const cJSON *diagnosis = json_get(report, "diagnosis");
    assert_string_equal(json_str(diagnosis, "cause"), "deployment_config_change");
    char *text = json_print(json_get(diagnosis, "missing_evidence"));
    assert_non_null(strstr(text, "within the 5 s that a step may take"));
    free(text);
    cJSON_Delete(report);
    stage_close(&s);
}

/* Of a report without any limit that counts, what each limit takes away or adds. */
static void how_much_is_read_is_configuration(void **state)
{
    static const char whole[] = "618 of 618 events", lines[] = "(74 log lines read)",
                      unread[] = "The diff of the release could not be read";
    static const struct {
        const char *limits;
        bool whole, lines, unread;
    } rows[] = {
        { "\"pages\": 30, \"log_hits\": 1000, \"diff_lines\": 20000", true, true, false },
        { "\"pages\": 1", false, true, false },
        { "\"log_hits\": 1", true, false, false },
        { "\"diff_lines\": 1", true, true, true },
    };
    struct stage_options options = { .no_bot = true };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        configure(&s, rows[i].limits);
        cJSON *report = investigate(&s, 0);
        char *text = json_print(report);
        print_message("%s\n", rows[i].limits);
        assert_int_equal(strstr(text, whole) != NULL, rows[i].whole);
        assert_int_equal(strstr(text, lines) != NULL, rows[i].lines);
        assert_int_equal(strstr(text, unread) != NULL, rows[i].unread);
        free(text);
        cJSON_Delete(report);
        free(s.config);
        s.config = NULL;
    }
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_much_is_read_is_configuration),
        cmocka_unit_test(a_slow_source_costs_its_step_and_not_the_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
