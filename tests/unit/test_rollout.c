#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dbconn/analysis/rollout.h"
#include "dbconn/base/alloc.h"

#define NOW INT64_C(1780000000000)
#define AGO(minutes) (NOW - (int64_t)((minutes)*60000.0))
#define MAX_ROWS 700

static const char *const hosts[] = { "web-1", "web-2", "web-3", "web-4", "web-5", "web-6" };

struct rows {
    struct event_row items[MAX_ROWS];
    struct event_tag tags[MAX_ROWS][3];
    size_t n;
};

/* `n` events, evenly between two moments, of hosts[first..last], on `release`. */
static void add(struct rows *r, size_t n, double from, double to, size_t first, size_t last,
                const char *release)
{
    for (size_t i = 0; i < n; i++) {
        struct event_tag *t = r->tags[r->n];
        double ago = from - (from - to) * (double)i / (double)n;

        assert_true(r->n < MAX_ROWS);
        t[0] = (struct event_tag){ "server_name", hosts[first + i % (last - first + 1)] };
        t[1] = (struct event_tag){ "environment", "production" };
        t[2] = (struct event_tag){ "release", release };
        r->items[r->n++] = (struct event_row){ .at_ms = AGO(ago), .tags = t, .n_tags = 3 };
    }
}

/* One world: "old" runs everywhere since long, "new" is rolled out from 120 to 116 minutes ago. */
struct world {
    struct rows errors, usual;
    struct trend trend;
    struct rollout_deploy deploys[8];
    struct rollout_release releases[4];
    size_t n_releases;
    bool slots_ran_out;
    struct trend_burst bursts[8];
};

static void release(struct world *w, const char *version, double start, double end)
{
    struct rollout_release *r = &w->releases[w->n_releases];
    struct rollout_deploy *d = &w->deploys[w->n_releases++];

    *d = (struct rollout_deploy){ "production", AGO(start), AGO(end) };
    *r = (struct rollout_release){ .version = version,
                                   .created_ms = AGO(start + 20),
                                   .released_ms = AGO(start),
                                   .first_event_ms = TIME_UNKNOWN,
                                   .deploys = d,
                                   .n_deploys = 1 };
}

static void begin(struct world *w, double onset, bool ended, double end)
{
    w->n_releases = 0;
    w->slots_ran_out = false;
    w->errors.n = w->usual.n = 0;
    w->trend = (struct trend){ .kind = ended ? TREND_BOUNDED : TREND_CONSTANT,
                               .onset_ms = AGO(onset),
                               .end_ms = ended ? AGO(end) : TIME_UNKNOWN,
                               .ongoing = ended ? NO : YES,
                               .n_bursts = 1,
                               .rate_before = 0,
                               .peak_rate = 120 };
    release(w, "old", 4000, 3990);
    release(w, "new", 120, 116);
}

static void analyse(struct world *w, struct rollout *ret)
{
    rollout_analyse(&(struct rollout_input){ .releases = w->releases,
                                             .n_releases = w->n_releases,
                                             .events = w->errors.items,
                                             .n_events = w->errors.n,
                                             .baseline = w->usual.items,
                                             .n_baseline = w->usual.n,
                                             .environment = "production",
                                             .trend = &w->trend,
                                             .slots_ran_out = w->slots_ran_out,
                                             .now_ms = NOW },
                    NULL, ret);
}

static void errors_within_the_roll_out(struct world *w)
{
    begin(w, 119, false, 0);
    add(&w->errors, 100, 119, 1, 0, 5, "new");
    add(&w->usual, 40, 115, 1, 0, 5, "new");
}

static void a_canary_fails_and_the_rest_is_healthy(struct world *w)
{
    begin(w, 119, false, 0);
    add(&w->errors, 30, 119, 1, 0, 0, "new");
    add(&w->usual, 60, 119, 1, 1, 5, "old");
    add(&w->usual, 12, 119, 1, 0, 0, "new");
}

static void both_releases_fail(struct world *w)
{
    begin(w, 119, false, 0);
    add(&w->errors, 50, 119, 1, 0, 2, "new");
    add(&w->errors, 50, 119, 1, 3, 5, "old");
}

static void all_run_it_and_errors_come_much_later(struct world *w)
{
    begin(w, 95, false, 0);
    add(&w->errors, 100, 95, 1, 0, 5, "new");
    add(&w->usual, 40, 115, 1, 0, 5, "new");
}

static void all_run_it_and_errors_come_minutes_later(struct world *w)
{
    begin(w, 113, false, 0);
    add(&w->errors, 100, 113, 1, 0, 5, "new");
}

static void the_same_and_it_ended_by_itself(struct world *w)
{
    all_run_it_and_errors_come_minutes_later(w);
    w->trend.kind = TREND_BOUNDED;
    w->trend.ongoing = NO;
    w->trend.end_ms = AGO(80);
}

static void the_same_in_bursts(struct world *w)
{
    all_run_it_and_errors_come_minutes_later(w);
    w->trend.kind = TREND_INTERMITTENT;
}

/* The onset 9 minutes after the recorded end of the roll-out; half of the hosts got it. */
static void half_got_it_and_fail_later(struct world *w)
{
    begin(w, 107, false, 0);
    add(&w->errors, 90, 107, 1, 0, 2, "new");
    add(&w->usual, 40, 115, 1, 0, 2, "new");
    add(&w->usual, 40, 115, 1, 3, 5, "old");
}

/* The older release was seen since the onset, but only where the new one fails by now. */
static void no_host_is_left_on_the_old_one(struct world *w)
{
    begin(w, 107, false, 0);
    add(&w->errors, 90, 107, 1, 0, 2, "new");
    add(&w->usual, 9, 107, 100, 0, 2, "old");
    add(&w->usual, 40, 100, 1, 0, 2, "new");
}

static void only_some_of_them_fail_later(struct world *w)
{
    begin(w, 107, false, 0);
    add(&w->errors, 90, 107, 1, 0, 0, "new");
    add(&w->usual, 80, 115, 1, 0, 3, "new");
    add(&w->usual, 40, 115, 1, 4, 5, "old");
}

static void all_fail_later(struct world *w)
{
    begin(w, 107, false, 0);
    add(&w->errors, 100, 107, 1, 0, 5, "new");
    add(&w->usual, 40, 115, 1, 0, 5, "new");
}

static void it_sets_the_address_that_fails_later(struct world *w)
{
    all_fail_later(w);
    w->releases[1].sets_target = true;
}

static void it_set_the_address_an_hour_before(struct world *w)
{
    begin(w, 50, false, 0);
    add(&w->errors, 100, 50, 1, 0, 5, "new");
    w->releases[1].sets_target = true;
}

static void it_raised_the_pool_an_hour_before(struct world *w)
{
    it_set_the_address_an_hour_before(w);
    w->releases[1].sets_target = false;
    w->releases[1].takes_more = true;
}

static void it_raised_the_pool_and_others_fail_too(struct world *w)
{
    it_raised_the_pool_an_hour_before(w);
    add(&w->errors, 60, 50, 1, 3, 5, "old");
}

static void the_same_and_a_rollback_ends_it(struct world *w)
{
    all_run_it_and_errors_come_minutes_later(w);
    w->trend.ongoing = NO;
    w->trend.end_ms = AGO(57);
    w->errors.n = 0;
    add(&w->errors, 100, 113, 57, 0, 5, "new");
    w->deploys[2] = (struct rollout_deploy){ "production", AGO(4000), AGO(3990) };
    w->deploys[3] = (struct rollout_deploy){ "production", AGO(60), AGO(58) };
    w->releases[0].deploys = &w->deploys[2];
    w->releases[0].n_deploys = 2;
}

static void only_one_of_two_regions_fails(struct world *w)
{
    begin(w, 113, false, 0);
    add(&w->errors, 100, 113, 1, 0, 2, "new");
    add(&w->usual, 90, 114, 1, 0, 5, "new");
}

static void one_region_fails_from_the_roll_out_on(struct world *w)
{
    begin(w, 117, false, 0);
    add(&w->errors, 100, 117, 1, 0, 2, "new");
    add(&w->usual, 90, 114, 1, 0, 5, "new");
}

static void only_the_region_whose_file_it_changes_fails(struct world *w)
{
    one_region_fails_from_the_roll_out_on(w);
    w->releases[1].sets_target = w->releases[1].one_place = true;
}

static void it_came_after_the_onset(struct world *w)
{
    begin(w, 200, false, 0);
    add(&w->errors, 60, 200, 116, 0, 5, "old");
    add(&w->errors, 60, 116, 1, 0, 5, "new");
}

static void it_was_live_for_hours(struct world *w)
{
    begin(w, 30, false, 0);
    w->deploys[1] = (struct rollout_deploy){ "production", AGO(600), AGO(595) };
    add(&w->errors, 60, 30, 1, 0, 5, "new");
}

static void a_later_release_made_no_difference(struct world *w)
{
    errors_within_the_roll_out(w);
    release(w, "newer", 40, 38);
    w->errors.n = 0;
    add(&w->errors, 80, 119, 40, 0, 5, "new");
    add(&w->errors, 30, 38, 1, 0, 5, "newer");
}

/* Half an hour to reach all; then hours on all hosts. `old` errors come from hosts without it. */
static void a_slow_roll_out(struct world *w, size_t old)
{
    begin(w, 119, false, 0);
    w->deploys[1] = (struct rollout_deploy){ "production", AGO(120), AGO(90) };
    add(&w->errors, old, 119, 92, 3, 5, "old");
    add(&w->errors, 25, 119, 90, 0, 2, "new");
    add(&w->errors, 500, 90, 1, 0, 5, "new");
}

static void hosts_without_it_fail_as_often(struct world *w)
{
    a_slow_roll_out(w, 25);
}

static void draining_hosts_fail_once_or_twice(struct world *w)
{
    a_slow_roll_out(w, 4);
}

static void hosts_without_it_lack_the_slots_that_it_took(struct world *w)
{
    a_slow_roll_out(w, 25);
    w->releases[1].takes_more = true;
    w->slots_ran_out = true;
}

static void an_old_background_goes_on_while_it_is_rolled_out(struct world *w)
{
    a_slow_roll_out(w, 12);
    w->trend.background_events = 500;
    w->trend.rate_before = 20;
}

/* Twenty minutes of it, then the old one again on all hosts for an hour and a half. */
static void put_back(struct world *w)
{
    begin(w, 119, false, 0);
    add(&w->errors, 50, 119, 100, 0, 5, "new");
    w->deploys[2] = (struct rollout_deploy){ "production", AGO(4000), AGO(3990) };
    w->deploys[3] = (struct rollout_deploy){ "production", AGO(100), AGO(98) };
    w->releases[0].deploys = &w->deploys[2];
    w->releases[0].n_deploys = 2;
}

static void what_worked_before_fails_as_well(struct world *w)
{
    put_back(w);
    add(&w->errors, 250, 98, 1, 0, 5, "old");
}

static void what_worked_before_fails_but_the_address_was_changed(struct world *w)
{
    what_worked_before_fails_as_well(w);
    w->releases[1].sets_target = true;
}

static void a_few_stragglers_after_it_was_put_back(struct world *w)
{
    put_back(w);
    add(&w->errors, 4, 90, 1, 0, 5, "old");
}

static void the_hosts_that_were_not_put_back_fail_on(struct world *w)
{
    put_back(w);
    add(&w->errors, 100, 98, 1, 0, 1, "new");
}

/* An hour and a half after the roll-out, which came to `n` of the machines. */
static void late_on_some(struct world *w, size_t n)
{
    begin(w, 30, false, 0);
    add(&w->errors, 34, 30, 1, 0, n - 1, "new");
    add(&w->usual, 40, 115, 1, 0, n - 1, "new");
    add(&w->usual, 60, 115, 1, n, 5, "old");
}

static void late_but_two_groups_of_machines_differ(struct world *w)
{
    late_on_some(w, 2);
}

static void late_and_one_machine_differs(struct world *w)
{
    late_on_some(w, 1);
}

/* A job runs every so many minutes; the first run after the roll-out is the onset. */
static void a_job(struct world *w, const double *starts, size_t n)
{
    begin(w, starts[0], false, 0);
    w->trend.kind = TREND_INTERMITTENT;
    for (size_t i = 0; i < n; i++) {
        w->bursts[i] = (struct trend_burst){ AGO(starts[i]), AGO(starts[i] - 1), 6 };
        add(&w->errors, 6, starts[i], starts[i] - 1, 0, 5, "new");
    }
    w->trend.bursts = w->bursts;
    w->trend.n_bursts = n;
    w->releases[1].sets_target = true;
}

static void the_next_run_of_a_job_fails_at_its_address(struct world *w)
{
    static const double starts[] = { 63, 48, 33, 18, 3 };

    a_job(w, starts, ARRAY_LEN(starts));
    w->deploys[1] = (struct rollout_deploy){ "production", AGO(80), AGO(77) };
}

static void the_next_hourly_run_fails_at_its_address(struct world *w)
{
    static const double starts[] = { 310, 250, 190, 130, 70, 10 };

    a_job(w, starts, ARRAY_LEN(starts));
    w->deploys[1] = (struct rollout_deploy){ "production", AGO(366), AGO(362) };
}

static void bursts_at_no_fixed_times_come_late(struct world *w)
{
    static const double starts[] = { 310, 290, 190, 165, 70, 10 };

    a_job(w, starts, ARRAY_LEN(starts));
    w->deploys[1] = (struct rollout_deploy){ "production", AGO(366), AGO(362) };
}

static void only_staging_got_it(struct world *w)
{
    begin(w, 119, false, 0);
    w->deploys[1].environment = "staging";
    add(&w->errors, 60, 119, 1, 0, 5, "old");
}

static void old_failures_are_background(struct world *w)
{
    errors_within_the_roll_out(w);
    add(&w->errors, 1, 9000, 8999, 0, 0, "old");
    add(&w->errors, 1, 5000, 4999, 1, 1, "old");
    w->trend.background_events = 2;
    w->trend.rate_before = 0.003;
}

static void a_noisy_background_jumps(struct world *w)
{
    errors_within_the_roll_out(w);
    w->trend.background_events = 400;
    w->trend.rate_before = 4;
}

static void the_events_name_no_release(struct world *w)
{
    begin(w, 119, false, 0);
    add(&w->errors, 100, 119, 1, 0, 5, NULL);
}

static void no_deploy_is_recorded(struct world *w)
{
    begin(w, 119, false, 0);
    w->releases[1].n_deploys = 0;
    w->releases[1].released_ms = TIME_UNKNOWN; /* created 140 minutes ago */
    add(&w->errors, 100, 119, 1, 0, 5, "new");
}

static void other_issues_show_when_hosts_changed_over(struct world *w)
{
    no_deploy_is_recorded(w);
    add(&w->usual, 100, 300, 122, 0, 5, "old");
    add(&w->usual, 40, 118, 1, 0, 5, "new");
}

static void the_onset_is_known_to_the_hour(struct world *w)
{
    errors_within_the_roll_out(w);
    w->trend.onset_ms = AGO(160);
    w->trend.onset_slack_ms = HOUR_MS;
}

static const struct {
    const char *name;
    void (*make)(struct world *);
    const char *verdict; /* NULL: none */
    enum rollout_strength strength;
    enum rollout_relation relation; /* of "new" */
    enum tristate acquitted;
} cases[] = {
    { "within the roll-out", errors_within_the_roll_out, "new", ROLLOUT_LIKELY,
      ROLLOUT_BEGAN_WITH_IT, NO },
    { "canary", a_canary_fails_and_the_rest_is_healthy, "new", ROLLOUT_DECISIVE,
      ROLLOUT_BEGAN_WITH_IT, NO },
    { "both fail", both_releases_fail, NULL, ROLLOUT_NONE, ROLLOUT_COINCIDES_ONLY, YES },
    { "much later", all_run_it_and_errors_come_much_later, NULL, ROLLOUT_NONE,
      ROLLOUT_COINCIDES_ONLY, UNKNOWN },
    { "minutes later", all_run_it_and_errors_come_minutes_later, "new", ROLLOUT_LIKELY,
      ROLLOUT_BEGAN_WITH_IT, NO },
    { "minutes later, over", the_same_and_it_ended_by_itself, "new", ROLLOUT_WEAK,
      ROLLOUT_BEGAN_WITH_IT, NO },
    { "minutes later, bursts", the_same_in_bursts, "new", ROLLOUT_WEAK, ROLLOUT_BEGAN_WITH_IT, NO },
    { "later, the rest is healthy", half_got_it_and_fail_later, "new", ROLLOUT_LIKELY,
      ROLLOUT_BEGAN_WITH_IT, NO },
    { "later, nobody is left", no_host_is_left_on_the_old_one, NULL, ROLLOUT_NONE,
      ROLLOUT_COINCIDES_ONLY, UNKNOWN },
    { "later, only some", only_some_of_them_fail_later, NULL, ROLLOUT_NONE, ROLLOUT_COINCIDES_ONLY,
      YES },
    { "later, all", all_fail_later, NULL, ROLLOUT_NONE, ROLLOUT_COINCIDES_ONLY, UNKNOWN },
    { "later, its address", it_sets_the_address_that_fails_later, "new", ROLLOUT_WEAK,
      ROLLOUT_BEGAN_WITH_IT, NO },
    { "an hour later, its address", it_set_the_address_an_hour_before, NULL, ROLLOUT_NONE,
      ROLLOUT_COINCIDES_ONLY, UNKNOWN },
    { "an hour later, its pool", it_raised_the_pool_an_hour_before, "new", ROLLOUT_WEAK,
      ROLLOUT_BEGAN_WITH_IT, NO },
    { "an hour later, its pool, others too", it_raised_the_pool_and_others_fail_too, NULL,
      ROLLOUT_NONE, ROLLOUT_COINCIDES_ONLY, YES },
    { "rolled back", the_same_and_a_rollback_ends_it, "new", ROLLOUT_LIKELY, ROLLOUT_BEGAN_WITH_IT,
      NO },
    { "one region", only_one_of_two_regions_fails, NULL, ROLLOUT_NONE, ROLLOUT_COINCIDES_ONLY,
      YES },
    { "one region, in time", one_region_fails_from_the_roll_out_on, "new", ROLLOUT_WEAK,
      ROLLOUT_BEGAN_WITH_IT, NO },
    { "one region, its file", only_the_region_whose_file_it_changes_fails, "new", ROLLOUT_LIKELY,
      ROLLOUT_BEGAN_WITH_IT, NO },
    { "after the onset", it_came_after_the_onset, NULL, ROLLOUT_NONE, ROLLOUT_YOUNGER_THAN_ONSET,
      YES },
    { "live for hours", it_was_live_for_hours, NULL, ROLLOUT_NONE, ROLLOUT_OLDER, YES },
    { "survived", a_later_release_made_no_difference, "new", ROLLOUT_LIKELY, ROLLOUT_BEGAN_WITH_IT,
      NO },
    { "slow, all fail", hosts_without_it_fail_as_often, NULL, ROLLOUT_NONE, ROLLOUT_COINCIDES_ONLY,
      YES },
    { "slow, some drain", draining_hosts_fail_once_or_twice, "new", ROLLOUT_LIKELY,
      ROLLOUT_BEGAN_WITH_IT, NO },
    { "slow, no slots", hosts_without_it_lack_the_slots_that_it_took, "new", ROLLOUT_LIKELY,
      ROLLOUT_BEGAN_WITH_IT, NO },
    { "slow, background", an_old_background_goes_on_while_it_is_rolled_out, "new", ROLLOUT_LIKELY,
      ROLLOUT_INCREASED_WITH_IT, NO },
    { "put back", what_worked_before_fails_as_well, NULL, ROLLOUT_NONE, ROLLOUT_COINCIDES_ONLY,
      YES },
    { "put back, its address", what_worked_before_fails_but_the_address_was_changed, "new",
      ROLLOUT_WEAK, ROLLOUT_BEGAN_WITH_IT, NO },
    { "put back, stragglers", a_few_stragglers_after_it_was_put_back, "new", ROLLOUT_LIKELY,
      ROLLOUT_BEGAN_WITH_IT, NO },
    { "put back, not everywhere", the_hosts_that_were_not_put_back_fail_on, "new", ROLLOUT_LIKELY,
      ROLLOUT_BEGAN_WITH_IT, NO },
    { "late, two groups", late_but_two_groups_of_machines_differ, "new", ROLLOUT_LIKELY,
      ROLLOUT_BEGAN_WITH_IT, NO },
    { "late, one machine", late_and_one_machine_differs, NULL, ROLLOUT_NONE, ROLLOUT_COINCIDES_ONLY,
      UNKNOWN },
    { "job, soon", the_next_run_of_a_job_fails_at_its_address, "new", ROLLOUT_WEAK,
      ROLLOUT_BEGAN_WITH_IT, NO },
    { "job, hourly", the_next_hourly_run_fails_at_its_address, "new", ROLLOUT_WEAK,
      ROLLOUT_BEGAN_WITH_IT, NO },
    { "no job", bursts_at_no_fixed_times_come_late, NULL, ROLLOUT_NONE, ROLLOUT_COINCIDES_ONLY,
      UNKNOWN },
    { "background", old_failures_are_background, "new", ROLLOUT_LIKELY, ROLLOUT_BEGAN_WITH_IT, NO },
    { "noise", a_noisy_background_jumps, "new", ROLLOUT_LIKELY, ROLLOUT_INCREASED_WITH_IT, NO },
    { "no release tags", the_events_name_no_release, "new", ROLLOUT_WEAK, ROLLOUT_BEGAN_WITH_IT,
      NO },
    { "no deploy", no_deploy_is_recorded, "new", ROLLOUT_WEAK, ROLLOUT_BEGAN_WITH_IT, NO },
    { "changed over", other_issues_show_when_hosts_changed_over, "new", ROLLOUT_LIKELY,
      ROLLOUT_BEGAN_WITH_IT, NO },
    { "coarse onset", the_onset_is_known_to_the_hour, "new", ROLLOUT_WEAK, ROLLOUT_BEGAN_WITH_IT,
      NO },
};

static const struct rollout_candidate *candidate(const struct rollout *r, const char *version)
{
    for (size_t i = 0; i < r->n_candidates; i++) {
        if (strcmp(r->candidates[i].version, version) == 0)
            return &r->candidates[i];
    }
    return NULL;
}

static void timing_and_confinement_decide(void **state)
{
    static struct world w;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct rollout_candidate *new;
        const char *verdict;
        struct rollout r;

        cases[i].make(&w);
        analyse(&w, &r);
        verdict = r.verdict ? r.verdict->version : NULL;
        new = candidate(&r, "new");
        if (!new)
            fail_msg("%s: no candidate", cases[i].name);
        else if ((verdict == NULL) != (cases[i].verdict == NULL) ||
                 (verdict && strcmp(verdict, cases[i].verdict) != 0) ||
                 r.strength != cases[i].strength || new->relation != cases[i].relation ||
                 r.acquitted != cases[i].acquitted)
            fail_msg("%s: %s %s %s acquitted %d: %s", cases[i].name, verdict ? verdict : "none",
                     rollout_strength_name(r.strength), rollout_relation_name(new->relation),
                     (int)r.acquitted, r.why);
        rollout_clear(&r);
    }
}

static void a_canary_is_shown_with_its_figures(void **state)
{
    static struct world w;
    struct rollout r;

    (void)state;
    a_canary_fails_and_the_rest_is_healthy(&w);
    analyse(&w, &r);
    assert_true(r.verdict->confined == YES);
    assert_true(r.verdict->others_healthy == YES);
    assert_true(r.verdict->chance < 0.001);
    assert_true(r.verdict->errors_on == 30);
    assert_true(r.verdict->errors_older == 0);
    assert_int_equal(r.verdict->hosts_on_failing, 1);
    assert_int_equal(r.verdict->hosts_older, 5);
    assert_int_equal(r.verdict->hosts_older_failing, 0);
    assert_true(r.verdict->lead_ms == MINUTE_MS);
    assert_non_null(strstr(r.why, "60 other events"));
    rollout_clear(&r);
}

static void a_rollback_that_ends_it_is_named(void **state)
{
    static struct world w;
    struct rollout r;

    (void)state;
    the_same_and_a_rollback_ends_it(&w);
    analyse(&w, &r);
    assert_true(r.verdict->ended_with_next == YES);
    assert_string_equal(r.verdict->ended_by, "old");
    rollout_clear(&r);
    a_later_release_made_no_difference(&w);
    analyse(&w, &r);
    assert_true(r.verdict->ended_with_next == NO);
    assert_true(r.verdict->survived_later == YES);
    assert_true(r.verdict->errors_newer == 30);
    rollout_clear(&r);
}

static void a_release_of_another_environment_is_no_candidate(void **state)
{
    static struct world w;
    struct rollout r;

    (void)state;
    only_staging_got_it(&w);
    analyse(&w, &r);
    assert_null(candidate(&r, "new"));
    assert_null(r.verdict);
    rollout_clear(&r);
}

static void rows_may_stand_for_many_events(void **state)
{
    static struct world w;
    struct rollout r;

    (void)state;
    begin(&w, 119, false, 0);
    add(&w.errors, 1, 119, 118, 0, 0, "new");
    w.errors.items[0].count = 40;
    w.errors.items[0].at_ms = TIME_UNKNOWN;
    add(&w.usual, 1, 60, 59, 1, 1, "old");
    w.usual.items[0].count = 300;
    w.usual.items[0].at_ms = TIME_UNKNOWN;
    add(&w.usual, 1, 60, 59, 0, 0, "new");
    analyse(&w, &r);
    assert_string_equal(r.verdict->version, "new");
    assert_int_equal(r.strength, ROLLOUT_DECISIVE);
    assert_true(r.verdict->errors_on == 40);
    rollout_clear(&r);
}

static void frequent_roll_outs_make_timing_worthless(void **state)
{
    static struct rollout_deploy deploys[200];
    static struct rollout_release releases[200];
    static char versions[200][8];
    static struct world w;
    struct rollout r;

    (void)state;
    errors_within_the_roll_out(&w);
    for (size_t i = 0; i < 200; i++) { /* every 40 minutes, each 15 minutes long */
        double start = 200 + 40.0 * (double)i;

        (void)snprintf(versions[i], sizeof(versions[i]), "v%zu", i);
        deploys[i] = (struct rollout_deploy){ "production", AGO(start), AGO(start - 15) };
        releases[i] = (struct rollout_release){ .version = versions[i],
                                                .created_ms = TIME_UNKNOWN,
                                                .released_ms = TIME_UNKNOWN,
                                                .first_event_ms = TIME_UNKNOWN,
                                                .deploys = &deploys[i],
                                                .n_deploys = 1 };
    }
    releases[0] = w.releases[1];
    rollout_analyse(&(struct rollout_input){ .releases = releases,
                                             .n_releases = 200,
                                             .events = w.errors.items,
                                             .n_events = w.errors.n,
                                             .environment = "production",
                                             .trend = &w.trend,
                                             .now_ms = NOW },
                    NULL, &r);
    assert_true(r.coincidence > 0.3);
    assert_int_equal(r.strength, ROLLOUT_WEAK);
    assert_true(r.n_candidates <= 12);
    rollout_clear(&r);
}

static void without_an_onset_or_releases_it_says_so(void **state)
{
    struct trend t = { .onset_ms = TIME_UNKNOWN };
    struct rollout r;

    (void)state;
    rollout_analyse(&(struct rollout_input){ .trend = &t, .now_ms = NOW }, NULL, &r);
    assert_null(r.verdict);
    assert_true(r.acquitted == UNKNOWN);
    assert_non_null(r.why);
    rollout_clear(&r);
    t.onset_ms = AGO(10);
    rollout_analyse(&(struct rollout_input){ .trend = &t, .now_ms = NOW }, NULL, &r);
    assert_null(r.verdict);
    assert_true(r.acquitted == UNKNOWN);
    rollout_clear(&r);
    rollout_clear(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timing_and_confinement_decide),
        cmocka_unit_test(a_canary_is_shown_with_its_figures),
        cmocka_unit_test(a_rollback_that_ends_it_is_named),
        cmocka_unit_test(a_release_of_another_environment_is_no_candidate),
        cmocka_unit_test(rows_may_stand_for_many_events),
        cmocka_unit_test(frequent_roll_outs_make_timing_worthless),
        cmocka_unit_test(without_an_onset_or_releases_it_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
