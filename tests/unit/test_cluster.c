#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dbconn/analysis/cluster.h"
#include "dbconn/base/alloc.h"

#define NOW INT64_C(1780000000000)
#define AGO(minutes) (NOW - (int64_t)((minutes)*60000.0))

/* The issue under investigation is "shop", refused by db-1:5432 since 100 minutes. */
struct world {
    struct cluster_issue issues[24];
    size_t n_issues;
    struct rollout_deploy deploys[12];
    struct cluster_release releases[12];
    size_t n_releases;
    int64_t slack_ms;
};

static struct cluster_issue *issue(struct world *w, const char *id, const char *project,
                                   double first, const char *host, enum tristate database)
{
    struct cluster_issue *i = &w->issues[w->n_issues++];

    *i = (struct cluster_issue){ .id = id,
                                 .project = project,
                                 .title = id,
                                 .host = host,
                                 .port = host ? "5432" : NULL,
                                 .database = database,
                                 .first_seen_ms = AGO(first),
                                 .last_seen_ms = AGO(1),
                                 .onset_ms = AGO(first),
                                 .events = -1 };
    return i;
}

static struct rollout_deploy *deployed(struct world *w, const char *project, const char *version,
                                       double start)
{
    struct rollout_deploy *d = &w->deploys[w->n_releases];

    *d = (struct rollout_deploy){ "production", AGO(start), AGO(start - 2) };
    w->releases[w->n_releases++] = (struct cluster_release){ project,
                                                             { .version = version,
                                                               .created_ms = AGO(start + 15),
                                                               .released_ms = AGO(start),
                                                               .first_event_ms = TIME_UNKNOWN,
                                                               .deploys = d,
                                                               .n_deploys = 1 } };
    return d;
}

static void begin(struct world *w)
{
    *w = (struct world){ 0 };
    (void)issue(w, "own", "shop", 100, "db-1", YES);
    (void)issue(w, "old-1", "shop", 9000, NULL, NO);
    (void)issue(w, "old-2", "cart", 12000, NULL, NO);
    (void)issue(w, "lone", "mail", 4000, NULL, NO);
    (void)deployed(w, "shop", "shop@1", 20000);
    (void)deployed(w, "mail", "mail@7", 300);
}

static void alone(struct world *w)
{
    begin(w);
}

static void one_neighbour_by_chance(struct world *w)
{
    begin(w);
    (void)issue(w, "x", "mail", 95, NULL, NO);
}

static void one_release_in_four_projects(struct world *w)
{
    begin(w);
    (void)issue(w, "a", "cart", 101, "db-9", YES);
    (void)issue(w, "b", "auth", 99, NULL, NO);
    (void)issue(w, "c", "feed", 99.5, NULL, NO);
    (void)deployed(w, "shop", "platform@3", 101);
    (void)deployed(w, "cart", "platform@3", 101.5);
    (void)deployed(w, "auth", "platform@3", 101);
    (void)deployed(w, "feed", "platform@3", 101);
}

static void a_train_of_different_versions(struct world *w)
{
    begin(w);
    (void)issue(w, "a", "cart", 98, "db-9", YES);
    (void)issue(w, "b", "auth", 97, NULL, NO);
    (void)deployed(w, "shop", "shop@2", 101);
    (void)deployed(w, "cart", "cart@5", 99);
    (void)deployed(w, "auth", "auth@8", 98);
}

static void a_database_of_three_services(struct world *w)
{
    begin(w);
    (void)issue(w, "a", "cart", 101, "db-1", YES);
    (void)issue(w, "b", "auth", 99, "10.0.0.7", YES); /* the same by its address */
}

static void a_database_and_an_innocent_deployment_here(struct world *w)
{
    a_database_of_three_services(w);
    (void)deployed(w, "shop", "shop@2", 103);
}

static void a_database_and_an_innocent_train(struct world *w)
{
    a_database_of_three_services(w);
    (void)issue(w, "c", "feed", 100, "db-1", YES); /* had no deployment and fails too */
    (void)deployed(w, "shop", "shop@2", 104);
    (void)deployed(w, "cart", "cart@5", 104);
    (void)deployed(w, "auth", "auth@8", 103);
}

static void a_zone_without_deployments(struct world *w)
{
    begin(w);
    (void)issue(w, "a", "cart", 101, "db-9", YES);
    (void)issue(w, "b", "auth", 99, NULL, NO);
    (void)issue(w, "c", "feed", 99, NULL, NO);
}

static void loopback_is_not_shared(struct world *w)
{
    begin(w);
    w->issues[0].host = "localhost";
    (void)issue(w, "a", "cart", 101, "localhost", YES);
}

static void another_port_is_another_server(struct world *w)
{
    begin(w);
    issue(w, "a", "cart", 101, "db-1", YES)->port = "6379";
}

static void members_that_began_on_older_releases(struct world *w)
{
    one_release_in_four_projects(w);
    for (size_t i = 4; i < w->n_issues; i++) /* the deployment came, but they ran the old one */
        w->issues[i].first_release = "old";
}

static void a_release_hours_before(struct world *w)
{
    one_release_in_four_projects(w);
    for (size_t i = 2; i < w->n_releases; i++) {
        w->deploys[i].started_ms -= 4 * HOUR_MS;
        w->deploys[i].finished_ms -= 4 * HOUR_MS;
    }
}

static void a_release_to_staging(struct world *w)
{
    one_release_in_four_projects(w);
    for (size_t i = 2; i < w->n_releases; i++)
        w->deploys[i].environment = "staging";
}

static void onsets_known_to_the_hour(struct world *w)
{
    begin(w);
    (void)issue(w, "a", "cart", 130, NULL, NO);
    (void)issue(w, "b", "auth", 130, NULL, NO);
    issue(w, "c", "feed", 130, "db-1", YES)->onset_slack_ms = HOUR_MS;
    w->issues[4].onset_slack_ms = w->issues[5].onset_slack_ms = HOUR_MS;
}

static const struct {
    const char *name;
    void (*make)(struct world *);
    enum cluster_verdict verdict;
    size_t n_members, n_projects;
} cases[] = {
    { "alone", alone, CLUSTER_ISOLATED, 0, 1 },
    { "one neighbour", one_neighbour_by_chance, CLUSTER_ISOLATED, 1, 2 },
    { "one release", one_release_in_four_projects, CLUSTER_SHARED_DEPLOYMENT, 3, 4 },
    { "a train", a_train_of_different_versions, CLUSTER_SHARED_DEPLOYMENT, 2, 3 },
    { "a database", a_database_of_three_services, CLUSTER_SHARED_DATABASE, 2, 3 },
    { "a database, deployed here", a_database_and_an_innocent_deployment_here,
      CLUSTER_SHARED_DATABASE, 2, 3 },
    { "a database, a train", a_database_and_an_innocent_train, CLUSTER_SHARED_DATABASE, 3, 4 },
    { "a zone", a_zone_without_deployments, CLUSTER_TOGETHER, 3, 4 },
    { "loopback", loopback_is_not_shared, CLUSTER_ISOLATED, 1, 2 },
    { "another port", another_port_is_another_server, CLUSTER_ISOLATED, 1, 2 },
    { "older releases", members_that_began_on_older_releases, CLUSTER_TOGETHER, 3, 4 },
    { "hours before", a_release_hours_before, CLUSTER_TOGETHER, 3, 4 },
    { "staging", a_release_to_staging, CLUSTER_TOGETHER, 3, 4 },
    { "coarse onsets", onsets_known_to_the_hour, CLUSTER_SHARED_DATABASE, 1, 2 },
};

static void analyse(const struct world *w, struct cluster *ret)
{
    static const char *const aliases[] = { "10.0.0.7" };

    cluster_analyse(&(struct cluster_input){ .issue_id = "own",
                                             .project = "shop",
                                             .host = w->issues[0].host,
                                             .port = "5432",
                                             .aliases = aliases,
                                             .n_aliases = 1,
                                             .onset_ms = AGO(100),
                                             .onset_slack_ms = w->slack_ms,
                                             .issues = w->issues,
                                             .n_issues = w->n_issues,
                                             .issues_known = true,
                                             .releases = w->releases,
                                             .n_releases = w->n_releases,
                                             .environment = "production",
                                             .now_ms = NOW },
                    NULL, ret);
}

static void what_begins_together_is_told_by_what_it_shares(void **state)
{
    static struct world w;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cluster c;

        cases[i].make(&w);
        analyse(&w, &c);
        if (c.verdict != cases[i].verdict || c.n_members != cases[i].n_members ||
            c.n_projects != cases[i].n_projects)
            fail_msg("%s: %s, %zu members, %zu projects: %s", cases[i].name,
                     cluster_verdict_name(c.verdict), c.n_members, c.n_projects, c.why);
        assert_true(c.confidence > 0 && c.confidence <= 1);
        assert_true(c.why && *c.why);
        cluster_clear(&c);
    }
    cluster_clear(NULL);
}

static void the_figures_of_a_shared_release_are_given(void **state)
{
    static struct world w;
    struct cluster c;

    (void)state;
    one_release_in_four_projects(&w);
    analyse(&w, &c);
    assert_string_equal(c.shared_release, "platform@3");
    assert_string_equal(c.own_release, "platform@3");
    assert_false(c.train);
    assert_int_equal(c.n_release_projects, 4);
    assert_int_equal(c.n_other_database, 1);
    assert_int_equal(c.n_not_database, 2);
    assert_true(c.release_ms == AGO(101));
    assert_true(c.members[0].is_new);
    assert_true(llabs(c.members[0].distance_ms) <= llabs(c.members[2].distance_ms));
    assert_non_null(strstr(c.why, "platform@3"));
    cluster_clear(&c);

    a_train_of_different_versions(&w);
    analyse(&w, &c);
    assert_null(c.shared_release);
    assert_true(c.train);
    assert_string_equal(c.own_release, "shop@2");
    cluster_clear(&c);
}

static void an_old_issue_that_jumps_is_a_member_but_not_new(void **state)
{
    static struct world w;
    struct cluster c;

    (void)state;
    begin(&w);
    w.issues[2].onset_ms = AGO(99);
    w.issues[2].onset_slack_ms = 5 * MINUTE_MS;
    analyse(&w, &c);
    assert_int_equal(c.n_members, 1);
    assert_false(c.members[0].is_new);
    cluster_clear(&c);
}

static void without_issues_or_onset_it_says_so(void **state)
{
    struct cluster c;

    (void)state;
    cluster_analyse(&(struct cluster_input){ .onset_ms = AGO(100), .now_ms = NOW }, NULL, &c);
    assert_int_equal(c.verdict, CLUSTER_UNKNOWN);
    assert_non_null(strstr(c.why, "could not be read"));
    cluster_clear(&c);
    cluster_analyse(
        &(struct cluster_input){ .onset_ms = TIME_UNKNOWN, .issues_known = true, .now_ms = NOW },
        NULL, &c);
    assert_int_equal(c.verdict, CLUSTER_UNKNOWN);
    cluster_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_begins_together_is_told_by_what_it_shares),
        cmocka_unit_test(the_figures_of_a_shared_release_are_given),
        cmocka_unit_test(an_old_issue_that_jumps_is_a_member_but_not_new),
        cmocka_unit_test(without_issues_or_onset_it_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
