/* limits.step_seconds, by the built program: a backend that is slow costs its step and not the
 * answer, and the answer says so. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

/* A step may take five seconds, a question and the investigation much longer. */
static void configure(struct stage *s)
{
    s->config = xasprintf("%s/dbconn.json", s->dir);
    FILE *file = fopen(s->config, "w");

    assert_non_null(file);
    fputs("{\"limits\": {\"step_seconds\": 5, \"call_seconds\": 100, \"job_seconds\": 300}}\n",
          file);
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
    configure(&s);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_source_costs_its_step_and_not_the_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
