#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dbconn/analysis/impact.h"
#include "dbconn/base/alloc.h"
#include "dbconn/base/clock.h"

#define NOW INT64_C(1780000000000)
#define MAX_ROWS 800
#define MAX_TAGS 6

/* Nine hosts: three in each of three sites, each in a bay of its own. */
static const char *const hosts[] = { "a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2", "c3" };
static const char *const sites[] = { "lon-1", "lon-1", "lon-1", "fra-2", "fra-2",
                                     "fra-2", "sin-1", "sin-1", "sin-1" };
static const char *const bays[] = { "x1", "x2", "x3", "y1", "y2", "y3", "z1", "z2", "z3" };
static const char *const paths[] = { "/pay", "/cart", "/login", "/export" };

struct rows {
    struct event_row items[MAX_ROWS];
    struct event_tag tags[MAX_ROWS][MAX_TAGS];
    size_t n;
};

/* One event of a host, with its places under names that no list of names could know. */
static struct event_tag *add(struct rows *r, size_t host, const char *path)
{
    struct event_tag *t = r->tags[r->n];

    assert_true(r->n < MAX_ROWS);
    t[0] = (struct event_tag){ "server_name", hosts[host] };
    t[1] = (struct event_tag){ "facility", sites[host] };
    t[2] = (struct event_tag){ "bay", bays[host] };
    t[3] = (struct event_tag){ "transaction", path };
    t[4] = (struct event_tag){ "level", "error" };
    t[5] = (struct event_tag){ NULL, NULL };
    r->items[r->n] = (struct event_row){ .at_ms = NOW - (int64_t)(MAX_ROWS - r->n) * 30000,
                                         .tags = t,
                                         .n_tags = MAX_TAGS };
    r->n++;
    return t;
}

static void spread(struct rows *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        (void)add(r, (i * 5 + i / 9) % 9, paths[i % 4]);
}

struct world {
    struct rows errors, usual;
};

static void everybody(struct world *w)
{
    spread(&w->errors, 90);
    spread(&w->usual, 300);
}

static void one_site(struct world *w)
{
    for (size_t i = 0; i < 40; i++)
        (void)add(&w->errors, 3 + i % 3, paths[i % 4]);
    spread(&w->usual, 300);
}

/* A quiet service: few other events, and they do come from the other sites. */
static void one_site_of_a_quiet_service(struct world *w)
{
    for (size_t i = 0; i < 40; i++)
        (void)add(&w->errors, 3 + i % 3, paths[i % 4]);
    spread(&w->usual, 5);
}

static void nobody_is_seen_elsewhere(struct world *w)
{
    for (size_t i = 0; i < 40; i++)
        (void)add(&w->errors, 3 + i % 3, paths[i % 4]);
    for (size_t i = 0; i < 4; i++)
        (void)add(&w->usual, i < 2 ? 4 : i * 2, paths[i]);
}

static void one_site_with_strays(struct world *w)
{
    one_site(w);
    (void)add(&w->errors, 0, "/pay");
    (void)add(&w->errors, 8, "/pay");
}

static void one_bay_of_a_site(struct world *w)
{
    for (size_t i = 0; i < 40; i++)
        (void)add(&w->errors, 4, paths[i % 4]);
    spread(&w->usual, 300);
}

static void one_site_only_exists(struct world *w)
{
    for (size_t i = 0; i < 60; i++)
        (void)add(&w->errors, i % 3, paths[i % 4]);
    for (size_t i = 0; i < 200; i++)
        (void)add(&w->usual, i % 3, paths[i % 4]);
}

static void four_failures_in_one_of_two_sites(struct world *w)
{
    for (size_t i = 0; i < 4; i++)
        (void)add(&w->errors, i % 3, paths[i % 4]);
    for (size_t i = 0; i < 200; i++)
        (void)add(&w->usual, i % 6, paths[i % 4]);
}

static void retries_of_one_host(struct world *w)
{
    /* 3 failures with 20 tries each, all of one host: that is 3 failures. */
    for (size_t i = 0; i < 60; i++) {
        (void)add(&w->errors, 0, "/pay");
        w->errors.items[i].at_ms = NOW - (int64_t)(i / 20) * HOUR_MS - (int64_t)(i % 20) * 900;
    }
    spread(&w->usual, 300);
}

static void one_transaction(struct world *w)
{
    for (size_t i = 0; i < 60; i++)
        (void)add(&w->errors, i % 9, "/export");
    spread(&w->usual, 300);
}

static void health_checks_at_night(struct world *w)
{
    for (size_t i = 0; i < 80; i++)
        (void)add(&w->errors, i % 9, i % 8 ? "/healthz" : paths[i / 8 % 4]);
    spread(&w->usual, 300);
}

static void a_customer_that_only_these_errors_name(struct world *w)
{
    static const char *const customers[] = { "acme", "beta", "corp" };

    for (size_t i = 0; i < 60; i++)
        add(&w->errors, i % 9, paths[i % 4])[5] =
            (struct event_tag){ "customer_id", customers[i % 10 ? 0 : 1 + i / 10 % 2] };
    spread(&w->usual, 300);
}

static void one_bad_host(struct world *w)
{
    for (size_t i = 0; i < 40; i++) {
        struct event_tag *t = add(&w->errors, 4, paths[i % 4]);
        t[1] = t[2] = (struct event_tag){ NULL, NULL };
    }
    for (size_t i = 0; i < 300; i++) {
        struct event_tag *t = add(&w->usual, i % 9, paths[i % 4]);
        t[1] = t[2] = (struct event_tag){ NULL, NULL };
    }
}

static void a_request_id_on_each(struct world *w)
{
    static char ids[90][12];

    for (size_t i = 0; i < 90; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "r%zu", i);
        add(&w->errors, i % 9, paths[i % 4])[5] = (struct event_tag){ "req", ids[i] };
    }
    spread(&w->usual, 300);
}

static void another_release_on_each_side(struct world *w)
{
    for (size_t i = 0; i < 60; i++)
        add(&w->errors, i % 9, paths[i % 4])[5] = (struct event_tag){ "release", "web@2" };
    for (size_t i = 0; i < 300; i++)
        add(&w->usual, i % 9, paths[i % 4])[5] =
            (struct event_tag){ "release", i % 3 ? "web@1" : "web@2" };
}

static void nothing(struct world *w)
{
    (void)w;
}

static void three_failures_of_three_hosts(struct world *w)
{
    for (size_t i = 0; i < 3; i++)
        (void)add(&w->errors, i * 3, paths[i]);
}

static const struct {
    const char *name;
    void (*make)(struct world *);
    enum impact_kind kind;
    const char *key, *value;
    enum impact_class class;
} cases[] = {
    { "everybody", everybody, IMPACT_ALL, NULL, NULL, 0 },
    { "one site", one_site, IMPACT_SEGMENT, "facility", "fra-2", IMPACT_CLASS_INFRASTRUCTURE },
    { "one site, quiet", one_site_of_a_quiet_service, IMPACT_SEGMENT, "facility", "fra-2",
      IMPACT_CLASS_INFRASTRUCTURE },
    { "nobody elsewhere", nobody_is_seen_elsewhere, IMPACT_ALL, NULL, NULL, 0 },
    { "one site, two strays", one_site_with_strays, IMPACT_SEGMENT, "facility", "fra-2",
      IMPACT_CLASS_INFRASTRUCTURE },
    { "one bay of a site", one_bay_of_a_site, IMPACT_SEGMENT, "bay", "y2",
      IMPACT_CLASS_INFRASTRUCTURE },
    { "the only site", one_site_only_exists, IMPACT_ALL, NULL, NULL, 0 },
    { "four failures", four_failures_in_one_of_two_sites, IMPACT_ALL, NULL, NULL, 0 },
    { "retries", retries_of_one_host, IMPACT_UNKNOWN, NULL, NULL, 0 },
    { "one transaction", one_transaction, IMPACT_SEGMENT, "transaction", "/export",
      IMPACT_CLASS_USAGE },
    { "health checks", health_checks_at_night, IMPACT_ALL, NULL, NULL, 0 },
    { "a customer", a_customer_that_only_these_errors_name, IMPACT_SEGMENT, "customer_id", "acme",
      IMPACT_CLASS_USAGE },
    { "one host", one_bad_host, IMPACT_SEGMENT, "server_name", "b2", IMPACT_CLASS_HOST },
    { "request ids", a_request_id_on_each, IMPACT_ALL, NULL, NULL, 0 },
    { "releases", another_release_on_each_side, IMPACT_ALL, NULL, NULL, 0 },
    { "nothing", nothing, IMPACT_UNKNOWN, NULL, NULL, 0 },
    { "three failures", three_failures_of_three_hosts, IMPACT_ALL, NULL, NULL, 0 },
};

static void analyse(const struct world *w, struct impact *ret)
{
    impact_analyse(&(struct impact_input){ .events = w->errors.items,
                                           .n_events = w->errors.n,
                                           .baseline = w->usual.items,
                                           .n_baseline = w->usual.n,
                                           .users_hit = -1,
                                           .users_usual = -1 },
                   NULL, ret);
}

static void errors_are_compared_with_the_usual_traffic(void **state)
{
    static struct world w;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct impact x;

        w.errors.n = w.usual.n = 0;
        cases[i].make(&w);
        analyse(&w, &x);
        if (x.kind != cases[i].kind || (x.segment != NULL) != (cases[i].key != NULL) ||
            (x.segment &&
             (strcmp(x.segment->key, cases[i].key) != 0 ||
              strcmp(x.segment->value, cases[i].value) != 0 || x.segment->class != cases[i].class)))
            fail_msg("%s: kind %d: %s", cases[i].name, (int)x.kind, x.why);
        assert_true(x.why && *x.why);
        impact_clear(&x);
    }
    impact_clear(NULL);
}

static void a_segment_comes_with_its_figures(void **state)
{
    static struct world w;
    struct impact x;

    (void)state;
    w.errors.n = w.usual.n = 0;
    one_site_with_strays(&w);
    analyse(&w, &x);
    assert_true(x.segment == &x.candidates[0]);
    assert_true(x.segment->events == 40);
    assert_true(x.segment->total == 42);
    assert_true(x.segment->baseline_events == 99);
    assert_true(x.segment->baseline_total == 300);
    assert_true(x.segment->p < 1e-9);
    assert_true(x.segment->odds > 20);
    assert_true(x.confidence > 0.7);
    assert_non_null(strstr(x.why, "40 of 42 errors"));
    impact_clear(&x);
}

static void zones_together_stand_for_a_region_without_a_tag(void **state)
{
    static struct world w;
    struct impact x;

    (void)state;
    w.errors.n = w.usual.n = 0;
    one_site(&w);
    for (size_t i = 0; i < w.errors.n; i++)
        w.errors.tags[i][1].key = NULL;
    for (size_t i = 0; i < w.usual.n; i++)
        w.usual.tags[i][1].key = NULL;
    analyse(&w, &x);
    assert_int_equal(x.kind, IMPACT_SEGMENT);
    assert_string_equal(x.segment->key, "bay");
    assert_int_equal(x.segment->n_values, 3);
    impact_clear(&x);
}

static void distributions_serve_where_rows_are_missing(void **state)
{
    static const struct impact_value hit[] = { { "eu", 900 }, { "us", 12 } };
    static const struct impact_value usual[] = { { "us", 400 }, { "eu", 300 }, { "ap", 200 } };
    const struct impact_distribution events = { "region", hit, 2, 0 };
    const struct impact_distribution baseline = { "region", usual, 3, 0 };
    struct impact x;

    (void)state;
    impact_analyse(&(struct impact_input){ .event_tags = &events,
                                           .n_event_tags = 1,
                                           .baseline_tags = &baseline,
                                           .n_baseline_tags = 1,
                                           .users_hit = 2,
                                           .users_usual = 500 },
                   NULL, &x);
    assert_int_equal(x.kind, IMPACT_SEGMENT);
    assert_string_equal(x.segment->value, "eu");
    assert_true(x.events == 912);
    assert_true(x.users_hit == 2);
    impact_clear(&x);
}

static void without_a_baseline_a_place_is_no_segment(void **state)
{
    static struct world w;
    struct impact x;

    (void)state;
    w.errors.n = 0;
    one_site_with_strays(&w);
    w.usual.n = 0;
    analyse(&w, &x);
    assert_int_equal(x.kind, IMPACT_ALL);
    assert_true(x.confidence < 0.6);
    impact_clear(&x);
}

static void users_are_counted(void **state)
{
    static struct world w;
    static char names[60][8];
    struct impact x;

    (void)state;
    w.errors.n = w.usual.n = 0;
    for (size_t i = 0; i < 60; i++)
        (void)snprintf(names[i], sizeof(names[i]), "id:%zu", i);
    for (size_t i = 0; i < 80; i++)
        add(&w.errors, i % 9, paths[i % 4])[5] = (struct event_tag){ "user", names[i % 2] };
    for (size_t i = 0; i < 300; i++)
        add(&w.usual, i % 9, paths[i % 4])[5] = (struct event_tag){ "user", names[i % 60] };
    analyse(&w, &x);
    assert_true(x.users_hit == 2);
    assert_true(x.users_usual == 60);
    assert_true(x.few_users);
    impact_clear(&x);
}

static void tags_are_told_apart_by_name_and_values(void **state)
{
    static const struct {
        const char *key;
        const char *values[2];
        enum impact_class class;
    } tags[] = {
        { "cloud.zone", { "us-east-1a", "us-east-1b" }, IMPACT_CLASS_INFRASTRUCTURE },
        { "dataCenter", { "one", "two" }, IMPACT_CLASS_USAGE },
        { "dc", { "one", "two" }, IMPACT_CLASS_INFRASTRUCTURE },
        { "whatever", { "eu-west-1", "us-east-2" }, IMPACT_CLASS_INFRASTRUCTURE },
        { "whatever", { "3.11.4", "3.12.0" }, IMPACT_CLASS_NEUTRAL },
        { "whatever", { "9f86d081884c7d65", "60303ae22b998861" }, IMPACT_CLASS_NEUTRAL },
        { "tenantId", { "t-1", "t-2" }, IMPACT_CLASS_USAGE },
        { "transaction", { "/a", "/b" }, IMPACT_CLASS_USAGE },
        { "server_name", { "web-1", "web-2" }, IMPACT_CLASS_HOST },
        { "k8s.pod.name", { "web-7d9f-x", "web-7d9f-y" }, IMPACT_CLASS_HOST },
        { "runtime.name", { "CPython", "PyPy" }, IMPACT_CLASS_NEUTRAL },
        { "user.region", { "eu-west-1", "us-east-2" }, IMPACT_CLASS_NEUTRAL },
        { "release", { "a", "b" }, IMPACT_CLASS_NEUTRAL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        enum impact_class class = impact_classify_tag(tags[i].key, tags[i].values, 2);

        if (class != tags[i].class)
            fail_msg("%s %s: %s", tags[i].key, tags[i].values[0], impact_class_name(class));
    }
    assert_int_equal(impact_classify_tag("rack", NULL, 0), IMPACT_CLASS_INFRASTRUCTURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_compared_with_the_usual_traffic),
        cmocka_unit_test(a_segment_comes_with_its_figures),
        cmocka_unit_test(zones_together_stand_for_a_region_without_a_tag),
        cmocka_unit_test(distributions_serve_where_rows_are_missing),
        cmocka_unit_test(without_a_baseline_a_place_is_no_segment),
        cmocka_unit_test(users_are_counted),
        cmocka_unit_test(tags_are_told_apart_by_name_and_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
