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

/* The logs do not come in any of these times: their step says so, the others stand. */
static void a_slow_source_costs_its_step_and_not_the_answer(void **state)
{
    static const struct {
        const char *limits, *words;
    } rows[] = {
        { "\"step_seconds\": 5, \"call_seconds\": 100, \"job_seconds\": 300",
          "within the 5 s that a step may take" },
        { "\"step_seconds\": 300, \"call_seconds\": 100, \"job_seconds\": 5",
          "within the 5 s that an investigation may take" },
        { "\"step_seconds\": 300, \"call_seconds\": 3, \"job_seconds\": 300",
          "Elasticsearch did not answer within 3 s" },
    };
    static const char *const slow[] = { "--faults", "{\"elasticsearch\":[{\"latency_ms\":90000}]}",
                                        NULL };
    struct stage_options options = { .sandbox_args = slow, .no_bot = true };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int slow_steps = 0, good_steps = 0;
        configure(&s, rows[i].limits);
        cJSON *report = investigate(&s, 0);
        for (const cJSON *step = json_items(report, "steps"); step; step = step->next) {
            bool over = strstr(json_str_or(step, "summary", ""), rows[i].words);
            bool whole = text_same(json_str(step, "status"), "complete");
            slow_steps += over;
            good_steps += whole;
            assert_false(over && whole);
        }
        const cJSON *diagnosis = json_get(report, "diagnosis");
        char *missing = json_print(json_get(diagnosis, "missing_evidence"));
        if (slow_steps != 1 || good_steps < 5 || !strstr(missing, rows[i].words))
            fail_msg("%s: %d steps over their time, %d complete; %s", rows[i].limits, slow_steps,
                     good_steps, missing);
        assert_string_equal(json_str(diagnosis, "cause"), "deployment_config_change");
        free(missing);
        cJSON_Delete(report);
        free(s.config);
        s.config = NULL;
    }
    stage_close(&s);
}

struct amount {
    int64_t questions;  /* to Sentry */
    int log_lines;      /* read, as the step says */
    bool diff_is_whole; /* nothing says that it could not be read */
};

static struct amount read_with(struct stage *s, const char *limits)
{
    static const char lines[] = " log lines read)";
    int64_t before = count_requests(s, "sentry");

    configure(s, limits);
    cJSON *report = investigate(s, 0);
    char *text = json_print(report), *number = strstr(text, lines);
    if (!number)
        fail_msg("%s: the report does not say how many log lines were read", limits);
    while (number > text && number[-1] >= '0' && number[-1] <= '9')
        number--;
    struct amount amount = { .questions = count_requests(s, "sentry") - before,
                             .log_lines = (int)strtol(number, NULL, 10),
                             .diff_is_whole = !strstr(text, "The diff of the release could not") };
    free(text);
    cJSON_Delete(report);
    free(s->config);
    s->config = NULL;
    return amount;
}

/* What each limit takes away, when the others are as they are by default. */
static void how_much_is_read_is_configuration(void **state)
{
    struct stage_options options = { .no_bot = true };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    struct amount all = read_with(&s, ""), pages = read_with(&s, "\"pages\": 1"),
                  hits = read_with(&s, "\"log_hits\": 1"),
                  diff = read_with(&s, "\"diff_lines\": 1");
    assert_true(pages.questions < all.questions);
    assert_true(hits.log_lines < all.log_lines / 2);
    assert_true(all.diff_is_whole && pages.diff_is_whole && hits.diff_is_whole);
    assert_false(diff.diff_is_whole);
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
