#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dbconn/analysis/trend.h"
#include "dbconn/base/alloc.h"

#define NOW INT64_C(1780000000000)
#define H(x) ((int64_t)((x)*3600000.0))
#define M(x) ((int64_t)((x)*60000.0))
#define S(x) ((int64_t)((x)*1000.0))

/* A list of event times that a case makes, with its own repeatable chance. */
struct events {
    int64_t *times;
    size_t n, cap;
    uint32_t seed;
};

static double chance(struct events *e)
{
    e->seed = e->seed * 1664525u + 1013904223u;
    return (double)(e->seed >> 8) / 16777216.0;
}

static void at(struct events *e, int64_t ago_ms)
{
    *VEC_ADD(e->times, e->n, e->cap) = NOW - ago_ms;
}

/* `n` events at random between two moments, the first of them at the very start. */
static void during(struct events *e, int64_t from_ago_ms, int64_t to_ago_ms, size_t n)
{
    at(e, from_ago_ms);
    for (size_t i = 1; i < n; i++)
        at(e, to_ago_ms + (int64_t)(chance(e) * (double)(from_ago_ms - to_ago_ms)));
}

/* Single failures on earlier days. */
static void background(struct events *e)
{
    at(e, H(211.3));
    at(e, H(160.7));
    at(e, H(101.2));
    at(e, H(77.9));
    at(e, H(30.1));
}

static void nothing(struct events *e)
{
    (void)e;
}

static void two_events(struct events *e)
{
    at(e, H(3));
    at(e, H(2));
}

static void steady_outage(struct events *e)
{
    background(e);
    during(e, H(5), 0, 300);
}

static void busy_outage(struct events *e)
{
    during(e, H(3), 0, 9000);
}

static void sparse_outage(struct events *e)
{
    for (int i = 0; i < 40; i++) {
        int64_t ago = H(9) - (int64_t)(H(9) / 40.0 * (i + chance(e) * 0.9));
        at(e, i ? ago : H(9));
        at(e, ago - S(2)); /* a retry */
    }
}

static void restart(struct events *e)
{
    background(e);
    during(e, H(6), H(5.8), 200);
}

static void restart_with_stragglers(struct events *e)
{
    during(e, H(15), H(14.7), 400);
    at(e, H(13.2));
    at(e, H(0.6));
}

static void short_restart(struct events *e)
{
    background(e);
    at(e, M(86));
    at(e, M(86) - S(12));
    at(e, M(86) - S(19));
    at(e, M(86) - S(26));
    at(e, M(86) - S(38));
}

static void two_outages(struct events *e)
{
    during(e, H(12.8), H(12.5), 300);
    during(e, H(11.4), H(11.2), 250);
}

static void network_bursts(struct events *e)
{
    static const double hours[] = { 11.8, 10.0, 8.7, 7.2, 5.5, 3.6, 0.9 };
    static const size_t sizes[] = { 16, 8, 3, 4, 4, 5, 15 };

    background(e);
    for (size_t i = 0; i < ARRAY_LEN(hours); i++) {
        during(e, H(hours[i]), H(hours[i]) - S(100), sizes[i]);
        at(e, H(hours[i]) - S(45)); /* else two of them may lie within seconds */
    }
}

static void bursts_of_very_different_size(struct events *e)
{
    during(e, H(8), H(8) - S(60), 12);
    during(e, H(6), H(6) - S(60), 10);
    during(e, H(3.5), H(3.5) - S(90), 90);
    during(e, H(1.5), H(1.5) - S(60), 11);
}

static void single_failures_for_days(struct events *e)
{
    for (int i = 0; i < 45; i++)
        at(e, H(300) - (int64_t)(H(295) / 45.0 * (i + chance(e) * 0.9)));
}

static void growth(struct events *e)
{
    during(e, H(9), H(6), 8);
    during(e, H(6), H(3), 24);
    during(e, H(3), 0, 72);
}

static void jump_onto_noise(struct events *e)
{
    during(e, H(240), H(2), 2400); /* 10 an hour for ten days */
    during(e, H(2), 0, 400);
}

static void larger_outage_long_ago(struct events *e)
{
    during(e, H(200), H(198), 3000);
    during(e, H(2), 0, 90);
}

static void quiet_since_a_while(struct events *e)
{
    /* One an hour; the last one 2.5 h ago may be chance. */
    for (int i = 0; i < 12; i++)
        at(e, H(14.5 - i));
    at(e, H(2.5));
}

static void from_the_future(struct events *e)
{
    during(e, H(2), 0, 100);
    for (int i = 0; i < 5; i++)
        at(e, -M(3)); /* a clock that is ahead */
}

/* Steady for seven hours; in one of its minutes clients retried without a pause. */
static void storm_in_a_steady_outage(struct events *e)
{
    background(e);
    during(e, H(7), 0, 250);
    during(e, M(370), M(369), 70);
}

/* A weak start, then the crash, after which next to nothing is left. */
static void weak_start_of_a_crash(struct events *e)
{
    background(e);
    during(e, H(4), H(2.2), 24);
    during(e, H(2.2), H(2.15), 200);
    at(e, H(1.6));
    at(e, H(1.1));
    at(e, H(0.2));
}

#define ANY UNKNOWN /* of `ongoing`: not judged */

static const struct {
    const char *name;
    void (*make)(struct events *);
    enum trend_kind kind;
    int64_t onset_ago_ms; /* -1: none */
    enum tristate ongoing;
    size_t n_bursts; /* 0: not judged */
} cases[] = {
    { "nothing", nothing, TREND_UNKNOWN, -1, ANY, 0 },
    { "two events", two_events, TREND_UNKNOWN, H(3), ANY, 0 },
    { "a steady outage", steady_outage, TREND_CONSTANT, H(5), YES, 0 },
    { "a busy outage", busy_outage, TREND_CONSTANT, H(3), YES, 1 },
    { "a sparse outage with retries", sparse_outage, TREND_CONSTANT, H(9), YES, 0 },
    { "a restart", restart, TREND_BOUNDED, H(6), NO, 1 },
    { "a restart with stragglers", restart_with_stragglers, TREND_BOUNDED, H(15), NO, 1 },
    { "a restart of 38 seconds", short_restart, TREND_BOUNDED, M(86), NO, 1 },
    { "two outages", two_outages, TREND_BOUNDED, H(12.8), NO, 2 },
    { "network bursts", network_bursts, TREND_INTERMITTENT, H(11.8), ANY, 7 },
    { "bursts of very different size", bursts_of_very_different_size, TREND_INTERMITTENT, H(8), ANY,
      4 },
    { "single failures for days", single_failures_for_days, TREND_INTERMITTENT, -2, ANY, 0 },
    { "growth over hours", growth, TREND_GRADUAL_INCREASE, -2, YES, 0 },
    { "a jump onto noise", jump_onto_noise, TREND_CONSTANT, H(2), YES, 0 },
    { "a storm within a steady outage", storm_in_a_steady_outage, TREND_CONSTANT, H(7), YES, 0 },
    { "a crash after a weak start", weak_start_of_a_crash, TREND_BOUNDED, H(2.2), NO, 0 },
    { "an old larger outage, then one now", larger_outage_long_ago, TREND_CONSTANT, H(2), YES, 0 },
    { "a silence that may be chance", quiet_since_a_while, TREND_SPIKE, H(14.5), UNKNOWN, 0 },
    { "events from the future", from_the_future, TREND_CONSTANT, H(2), YES, 0 },
};

static void make(size_t i, struct events *e)
{
    *e = (struct events){ .seed = 7 };
    cases[i].make(e);
}

static void check(size_t i, const struct trend *t, int64_t tolerance_ms)
{
    int64_t onset = cases[i].onset_ago_ms;

    if (t->kind != cases[i].kind)
        fail_msg("%s: kind %d, not %d: %s", cases[i].name, (int)t->kind, (int)cases[i].kind,
                 t->why);
    if (onset == -1)
        assert_true(t->onset_ms == TIME_UNKNOWN);
    else if (onset >= 0 && (NOW - onset < t->onset_ms - tolerance_ms ||
                            NOW - onset > t->onset_ms + t->onset_slack_ms + tolerance_ms))
        fail_msg("%s: onset off by %lld s: %s", cases[i].name,
                 (long long)((t->onset_ms - NOW + onset) / 1000), t->why);
    if (cases[i].ongoing != ANY && t->ongoing != cases[i].ongoing)
        fail_msg("%s: ongoing %d: %s", cases[i].name, (int)t->ongoing, t->why);
    assert_true(t->why && *t->why);
}

static void the_listed_events_alone_tell_the_shape(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct events e;
        struct trend t;

        make(i, &e);
        trend_analyse(&(struct trend_input){ .times_ms = e.times,
                                             .n_times = e.n,
                                             .first_seen_ms = TIME_UNKNOWN,
                                             .last_seen_ms = TIME_UNKNOWN,
                                             .now_ms = NOW },
                      NULL, &t);
        check(i, &t, 0);
        if (cases[i].n_bursts)
            assert_int_equal(t.n_bursts, cases[i].n_bursts);
        trend_clear(&t);
        free(e.times);
    }
}

static int newest_first(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x < *y) - (*x > *y);
}

static void fill(struct trend_series *s, double *counts, size_t n, int64_t interval_ms,
                 const struct events *e)
{
    *s = (struct trend_series){ .start_ms = NOW / interval_ms * interval_ms -
                                            (int64_t)(n - 1) * interval_ms,
                                .interval_ms = interval_ms,
                                .counts = counts,
                                .n_counts = n };
    memset(counts, 0, n * sizeof(*counts));
    for (size_t i = 0; i < e->n; i++) {
        int64_t since = e->times[i] - s->start_ms;
        if (since >= 0 && since / interval_ms < (int64_t)n)
            counts[since / interval_ms] += 1;
    }
}

/* Only the newest 60 are listed; the rest is in counts by 5 minutes and by day. */
static void a_capped_list_and_counts_tell_the_same(void **state)
{
    static double fine[14 * 288], days[31];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct trend_series series[2];
        struct events e;
        struct trend t;
        size_t listed;

        make(i, &e);
        if (e.n)
            qsort(e.times, e.n, sizeof(*e.times), newest_first);
        listed = e.n > 60 ? 60 : e.n;
        fill(&series[0], days, ARRAY_LEN(days), DAY_MS, &e);
        fill(&series[1], fine, ARRAY_LEN(fine), 5 * MINUTE_MS, &e);
        trend_analyse(&(struct trend_input){ .times_ms = e.times,
                                             .n_times = listed,
                                             .times_capped = listed < e.n,
                                             .series = series,
                                             .n_series = 2,
                                             .first_seen_ms = e.n ? e.times[e.n - 1] : NOW,
                                             .last_seen_ms = e.n ? e.times[0] : NOW,
                                             .now_ms = NOW },
                      NULL, &t);
        check(i, &t, SECOND_MS);
        trend_clear(&t);
        free(e.times);
    }
}

static void hourly_counts_alone_give_the_onset_within_their_hour(void **state)
{
    static double hours[24];
    struct trend_series s;
    struct events e = { .seed = 3 };
    struct trend t;

    (void)state;
    during(&e, H(5.4), 0, 500);
    fill(&s, hours, 24, HOUR_MS, &e);
    trend_analyse(&(struct trend_input){ .series = &s,
                                         .n_series = 1,
                                         .first_seen_ms = TIME_UNKNOWN,
                                         .last_seen_ms = TIME_UNKNOWN,
                                         .now_ms = NOW },
                  NULL, &t);
    assert_true(t.onset_ms <= NOW - H(5.4) && NOW - H(5.4) <= t.onset_ms + t.onset_slack_ms);
    assert_int_equal(t.onset_slack_ms, HOUR_MS);
    assert_int_equal(t.kind, TREND_CONSTANT);
    trend_clear(&t);

    /* A new issue began when it was first seen. */
    trend_analyse(&(struct trend_input){ .series = &s,
                                         .n_series = 1,
                                         .first_seen_ms = NOW - H(5.4),
                                         .last_seen_ms = TIME_UNKNOWN,
                                         .now_ms = NOW },
                  NULL, &t);
    assert_true(t.onset_ms == NOW - H(5.4));
    assert_int_equal(t.onset_slack_ms, 0);
    trend_clear(&t);
    free(e.times);
}

static void a_capped_list_without_counts_leaves_the_onset_open(void **state)
{
    struct events e = { .seed = 5 };
    struct trend t;

    (void)state;
    during(&e, H(1), 0, 100);
    trend_analyse(&(struct trend_input){ .times_ms = e.times,
                                         .n_times = e.n,
                                         .times_capped = true,
                                         .first_seen_ms = NOW - H(400),
                                         .last_seen_ms = NOW,
                                         .now_ms = NOW },
                  NULL, &t);
    assert_true(t.onset_open);
    assert_true(t.onset_ms == NOW - H(1));
    assert_true(t.ongoing == YES);
    assert_non_null(strstr(t.why, "or earlier"));
    trend_clear(&t);
    free(e.times);
}

/* The newest page and a page around the onset are listed; counts by the hour fill the hole. */
static void pages_around_the_onset_make_it_exact(void **state)
{
    static double hours[14 * 24];
    struct trend_series series;
    struct trend_span listed[2] = { { NOW - H(31), NOW - H(29.5) }, { NOW - H(0.2), NOW } };
    struct events e = { .seed = 21 }, some = { 0 };
    struct trend t;

    (void)state;
    background(&e);
    during(&e, H(30), 0, 6000);
    fill(&series, hours, ARRAY_LEN(hours), HOUR_MS, &e);
    for (size_t i = 0; i < e.n; i++) {
        if ((e.times[i] >= listed[0].from_ms && e.times[i] <= listed[0].to_ms) ||
            e.times[i] >= listed[1].from_ms)
            at(&some, NOW - e.times[i]);
    }
    trend_analyse(&(struct trend_input){ .times_ms = some.times,
                                         .n_times = some.n,
                                         .times_capped = true,
                                         .listed = listed,
                                         .n_listed = 2,
                                         .series = &series,
                                         .n_series = 1,
                                         .first_seen_ms = TIME_UNKNOWN,
                                         .last_seen_ms = TIME_UNKNOWN,
                                         .now_ms = NOW },
                  NULL, &t);
    assert_int_equal(t.onset_slack_ms, 0);
    assert_true(t.onset_ms == NOW - H(30));
    assert_int_equal(t.kind, TREND_CONSTANT);
    assert_true(t.events > 5950 && t.events < 6050);
    trend_clear(&t);
    free(e.times);
    free(some.times);
}

/* An outage within one bucket, of which only the newest events are listed: those before the listed
 * ones are counted, and it did not begin with the first listed one. */
static void an_outage_within_one_bucket_begins_before_what_is_listed(void **state)
{
    double counts[6] = { 0, 0, 0, 840, 0, 0 };
    const int64_t start = NOW - H(6), onset = start + 3 * H(1) + 4 * MINUTE_MS;
    struct trend_series series = {
        .start_ms = start, .interval_ms = HOUR_MS, .counts = counts, .n_counts = 6
    };
    struct trend_span listed = { onset + 2 * MINUTE_MS, NOW };
    struct events some = { 0 };
    struct trend t;

    (void)state;
    for (int i = 0; i < 180; i++)
        at(&some, NOW - (onset + 3 * MINUTE_MS + i * 500));
    for (int known = 0; known < 2; known++) {
        listed.from_ms = known ? onset - MINUTE_MS : start;
        trend_analyse(&(struct trend_input){ .times_ms = some.times,
                                             .n_times = some.n,
                                             .times_capped = true,
                                             .listed = &listed,
                                             .n_listed = 1,
                                             .series = &series,
                                             .n_series = 1,
                                             .first_seen_ms = known ? onset : TIME_UNKNOWN,
                                             .last_seen_ms = TIME_UNKNOWN,
                                             .now_ms = NOW },
                      NULL, &t);
        assert_true(t.onset_ms - t.onset_slack_ms <= onset);
        if (known)
            assert_true(t.onset_ms == onset);
        assert_true(t.events > 800);
        trend_clear(&t);
    }
    free(some.times);
}

/* Minutes around the onset, hours otherwise: the finest that covers a moment counts. */
static void finer_counts_around_the_onset_make_it_fine(void **state)
{
    static double hours[14 * 24], minutes[180];
    struct trend_series series[2];
    struct events e = { .seed = 22 };
    struct trend t;

    (void)state;
    during(&e, H(30), 0, 6000);
    fill(&series[0], hours, ARRAY_LEN(hours), HOUR_MS, &e);
    series[1] = (struct trend_series){ NOW / MINUTE_MS * MINUTE_MS - H(31), MINUTE_MS, minutes,
                                       ARRAY_LEN(minutes) };
    memset(minutes, 0, sizeof(minutes));
    for (size_t i = 0; i < e.n; i++) {
        int64_t at_minute = (e.times[i] - series[1].start_ms) / MINUTE_MS;
        if (e.times[i] >= series[1].start_ms && at_minute < (int64_t)ARRAY_LEN(minutes))
            minutes[at_minute] += 1;
    }
    trend_analyse(&(struct trend_input){ .series = series,
                                         .n_series = 2,
                                         .first_seen_ms = TIME_UNKNOWN,
                                         .last_seen_ms = TIME_UNKNOWN,
                                         .now_ms = NOW },
                  NULL, &t);
    assert_true(t.onset_ms <= NOW - H(30) && NOW - H(30) <= t.onset_ms + t.onset_slack_ms);
    assert_true(t.onset_slack_ms <= MINUTE_MS);
    assert_true(t.events > 5950 && t.events < 6050);
    assert_int_equal(t.kind, TREND_CONSTANT);
    trend_clear(&t);
    free(e.times);
}

static void features_carry_the_figures(void **state)
{
    struct events e = { .seed = 11 };
    struct trend t;

    (void)state;
    restart_with_stragglers(&e);
    at(&e, H(100));
    trend_analyse(&(struct trend_input){ .times_ms = e.times,
                                         .n_times = e.n,
                                         .first_seen_ms = TIME_UNKNOWN,
                                         .last_seen_ms = TIME_UNKNOWN,
                                         .now_ms = NOW },
                  NULL, &t);
    assert_true(t.events == 400);
    assert_true(t.background_events == 1);
    assert_true(t.later_events == 2);
    assert_true(t.end_ms >= NOW - H(14.72) && t.end_ms <= NOW - H(14.69));
    assert_true(t.last_event_ms == NOW - H(0.6));
    assert_true(t.quiet_ms == H(0.6));
    assert_true(t.rate_after > 1200 && t.rate_after < 1500);
    assert_true(t.jump_ratio > 10000);
    assert_non_null(strstr(t.why, "2 stragglers"));
    trend_clear(&t);
    trend_clear(NULL);
    free(e.times);
}

static void senseless_input_is_survived(void **state)
{
    static const double odd[] = { -4, 0.0 / 1.0, 1e300, 3 };
    const int64_t times[] = { TIME_UNKNOWN, INT64_MAX, NOW - 1, 0, -5 };
    const struct trend_series series[] = {
        { NOW, 0, odd, 4 },
        { NOW - HOUR_MS, -7, odd, 4 },
        { INT64_MIN, HOUR_MS, odd, 4 },
        { INT64_MAX, HOUR_MS, odd, 4 },
        { NOW - 3 * HOUR_MS, HOUR_MS, odd, 4 },
        { NOW, HOUR_MS, odd, 0 },
    };
    struct trend t;

    (void)state;
    trend_analyse(&(struct trend_input){ .times_ms = times,
                                         .n_times = ARRAY_LEN(times),
                                         .series = series,
                                         .n_series = ARRAY_LEN(series),
                                         .first_seen_ms = INT64_MAX,
                                         .last_seen_ms = INT64_MIN,
                                         .now_ms = NOW },
                  NULL, &t);
    assert_non_null(t.why);
    trend_clear(&t);
}

static void options_override_the_defaults(void **state)
{
    struct trend_options o;
    struct events e = { .seed = 7 };
    struct trend t;

    (void)state;
    network_bursts(&e);
    trend_options_default(&o);
    o.intermittent_bursts = 20;
    trend_analyse(&(struct trend_input){ .times_ms = e.times,
                                         .n_times = e.n,
                                         .first_seen_ms = TIME_UNKNOWN,
                                         .last_seen_ms = TIME_UNKNOWN,
                                         .now_ms = NOW },
                  &o, &t);
    assert_int_not_equal(t.kind, TREND_INTERMITTENT);
    trend_clear(&t);
    free(e.times);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_listed_events_alone_tell_the_shape),
        cmocka_unit_test(an_outage_within_one_bucket_begins_before_what_is_listed),
        cmocka_unit_test(a_capped_list_and_counts_tell_the_same),
        cmocka_unit_test(hourly_counts_alone_give_the_onset_within_their_hour),
        cmocka_unit_test(a_capped_list_without_counts_leaves_the_onset_open),
        cmocka_unit_test(pages_around_the_onset_make_it_exact),
        cmocka_unit_test(finer_counts_around_the_onset_make_it_fine),
        cmocka_unit_test(features_carry_the_figures),
        cmocka_unit_test(senseless_input_is_survived),
        cmocka_unit_test(options_override_the_defaults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
