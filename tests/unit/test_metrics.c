#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "dbconn/base/metrics.h"

static const struct metric_def counter = { "x_total", METRIC_COUNTER, "All x.", NULL, 0 };
static const struct metric_def gauge = { "y", METRIC_GAUGE, "A \\ and\na line.", NULL, 0 };
static const double bounds[] = { 0.1, 1, 2.5 };
static const struct metric_def histogram = { "z_seconds", METRIC_HISTOGRAM, "How long.", bounds,
                                             3 };

static void assert_written(const struct metrics *m, const char *expected)
{
    struct buf out = BUF_INIT;

    metrics_write(m, &out);
    assert_string_equal(buf_str(&out), expected);
    buf_clear(&out);
}

static void counters_and_gauges_are_written_with_their_labels(void **state)
{
    struct metrics *m = metrics_new();

    (void)state;
    metric_add(metrics_get(m, &counter, (const char *[]){ "a", "1", "b", "q\"\\\n", NULL }), 2);
    metric_add(metrics_get(m, &counter, (const char *[]){ "a", "1", "b", "q\"\\\n", NULL }), 1);
    metric_add(metrics_get(m, &counter, (const char *[]){ "a", "2", NULL }), 0.5);
    metric_set(metrics_get(m, &gauge, NULL), -INFINITY);
    assert_written(m, "# HELP x_total All x.\n# TYPE x_total counter\n"
                      "x_total{a=\"1\",b=\"q\\\"\\\\\\n\"} 3\nx_total{a=\"2\"} 0.5\n"
                      "# HELP y A \\\\ and\\na line.\n# TYPE y gauge\ny -Inf\n");
    metrics_free(m);
}

static void a_histogram_counts_what_is_at_most_each_bound(void **state)
{
    static const double seen[] = { 0, 0.1, 0.100001, 2.5, 99 };
    struct metrics *m = metrics_new();
    struct metric *s = metrics_get(m, &histogram, (const char *[]){ "k", "v", NULL });

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(seen); i++)
        metric_observe(s, seen[i]);
    assert_written(m, "# HELP z_seconds How long.\n# TYPE z_seconds histogram\n"
                      "z_seconds_bucket{k=\"v\",le=\"0.1\"} 2\n"
                      "z_seconds_bucket{k=\"v\",le=\"1\"} 3\n"
                      "z_seconds_bucket{k=\"v\",le=\"2.5\"} 4\n"
                      "z_seconds_bucket{k=\"v\",le=\"+Inf\"} 5\n"
                      "z_seconds_sum{k=\"v\"} 101.700001\n"
                      "z_seconds_count{k=\"v\"} 5\n");
    metrics_free(m);
}

static void a_histogram_that_is_kept_elsewhere_is_written_alike(void **state)
{
    static const uint64_t buckets[] = { 1, 0, 2 };
    struct metrics *m = metrics_new();

    (void)state;
    metric_load(metrics_get(m, &histogram, NULL), buckets, 4, 12.5);
    assert_written(m, "# HELP z_seconds How long.\n# TYPE z_seconds histogram\n"
                      "z_seconds_bucket{le=\"0.1\"} 1\nz_seconds_bucket{le=\"1\"} 1\n"
                      "z_seconds_bucket{le=\"2.5\"} 3\nz_seconds_bucket{le=\"+Inf\"} 4\n"
                      "z_seconds_sum 12.5\nz_seconds_count 4\n");
    metrics_free(m);
}

static void a_metric_never_grows_beyond_its_bound_of_series(void **state)
{
    struct metrics *m = metrics_new();

    (void)state;
    for (int i = 0; i < METRIC_MAX_SERIES; i++) {
        char value[16];
        snprintf(value, sizeof(value), "%d", i);
        assert_non_null(metrics_get(m, &counter, (const char *[]){ "n", value, NULL }));
    }
    assert_null(metrics_get(m, &counter, (const char *[]){ "n", "new", NULL }));
    assert_non_null(metrics_get(m, &counter, (const char *[]){ "n", "7", NULL }));
    metrics_forget(m, &counter);
    assert_written(m, "");
    assert_non_null(metrics_get(m, &counter, (const char *[]){ "n", "new", NULL }));
    metrics_free(m);
}

static void without_a_registry_nothing_is_counted(void **state)
{
    struct metric *none = metrics_get(NULL, &counter, NULL);

    (void)state;
    assert_null(none);
    metric_add(none, 1);
    metric_set(none, 1);
    metric_observe(none, 1);
    metrics_forget(NULL, &counter);
    metrics_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_and_gauges_are_written_with_their_labels),
        cmocka_unit_test(a_histogram_counts_what_is_at_most_each_bound),
        cmocka_unit_test(a_histogram_that_is_kept_elsewhere_is_written_alike),
        cmocka_unit_test(a_metric_never_grows_beyond_its_bound_of_series),
        cmocka_unit_test(without_a_registry_nothing_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
