/* Reading Sentry's answers: what is told, and that what is not told stays unknown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/sources/sentry.h"

#define T(iso) time_or_unknown(iso)

static cJSON *tree;
static struct source_mem *mem;

static int setup(void **state)
{
    (void)state;
    mem = source_mem_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    source_mem_release(mem);
    cJSON_Delete(tree);
    tree = NULL;
    return 0;
}

static const cJSON *json(const char *text)
{
    cJSON_Delete(tree);
    tree = cJSON_Parse(text);
    assert_non_null(tree);
    return tree;
}

static struct sentry_issue *issue_of(const char *text)
{
    struct sentry_issue *issue = sentry_parse_issue(json(text), mem, NULL);

    assert_non_null(issue);
    return issue;
}

static struct sentry_event *event_of(const char *text)
{
    struct sentry_event *event = sentry_parse_event(json(text), mem, NULL);

    assert_non_null(event);
    return event;
}

/* ---- issues ---- */

static const char whole_issue[] =
    "{\"id\":\"77120\",\"shortId\":\"BOOKS-3K\",\"title\":\"OperationalError: could not\","
    "\"culprit\":\"/loans\",\"permalink\":\"https://acme.sentry.io/issues/77120/\","
    "\"level\":\"error\",\"status\":\"unresolved\",\"substatus\":\"new\",\"priority\":\"high\","
    "\"platform\":\"python\",\"type\":\"error\",\"isUnhandled\":true,"
    "\"project\":{\"id\":4509062593708032,\"slug\":\"books\",\"name\":\"Books\"},"
    "\"metadata\":{\"type\":\"OperationalError\",\"value\":\"could not connect\","
    "\"filename\":\"loans/models.py\",\"function\":\"save\"},"
    "\"count\":\"1041\",\"userCount\":0,\"firstSeen\":\"2026-03-04T05:06:07.123456Z\","
    "\"lastSeen\":\"2026-03-04T06:00:00Z\",\"assignedTo\":{\"type\":\"team\",\"name\":\"db\"},"
    "\"stats\":{\"24h\":[[1772600400,4],[1772604000,0],[1772607600,7]]},"
    "\"tags\":[{\"key\":\"region\"},{\"key\":\"release\"},null,{\"name\":\"odd\"}],"
    "\"firstRelease\":{\"version\":\"books@2.0.0\",\"dateCreated\":\"2026-03-04T05:00:00Z\"},"
    "\"lastRelease\":null}";

static void an_issue_is_read_whole(void **state)
{
    const struct sentry_issue *issue = issue_of(whole_issue);

    (void)state;
    assert_string_equal(issue->id, "77120");
    assert_string_equal(issue->short_id, "BOOKS-3K");
    assert_string_equal(issue->project.id, "4509062593708032"); /* beyond 32 bits */
    assert_string_equal(issue->error_value, "could not connect");
    assert_string_equal(issue->filename, "loans/models.py");
    assert_string_equal(issue->assigned_to, "db");
    assert_int_equal(issue->count, 1041);
    assert_int_equal(issue->user_count, 0);
    assert_int_equal(issue->unhandled, YES);
    assert_int_equal(issue->first_seen_ms, T("2026-03-04T05:06:07.123Z"));
    assert_int_equal(issue->lifetime_count, -1);
    assert_int_equal(issue->n_tag_keys, 2);
    assert_string_equal(issue->tag_keys[1], "release");
    assert_int_equal(issue->has_first_release, YES);
    assert_string_equal(issue->first_release->version, "books@2.0.0");
    assert_null(issue->last_release);
}

static void hourly_figures_are_milliseconds_and_the_last_hour_is_open(void **state)
{
    const struct source_series *series = issue_of(whole_issue)->stats_24h;

    (void)state;
    assert_int_equal(series->n_points, 3);
    assert_int_equal(series->interval_ms, HOUR_MS);
    assert_int_equal(series->points[0].at_ms, INT64_C(1772600400000));
    assert_true(series->points[2].value == 7);
    assert_false(series->points[1].incomplete);
    assert_true(series->points[2].incomplete);
}

static void what_an_issue_does_not_tell_is_unknown(void **state)
{
    const struct sentry_issue *issue = issue_of(
        "{\"id\":5,\"shortId\":null,\"culprit\":null,\"priority\":null,\"count\":null,"
        "\"metadata\":null,\"project\":null,\"firstSeen\":null,\"stats\":{},\"tags\":null}");

    (void)state;
    assert_string_equal(issue->id, "5");
    assert_null(issue->short_id);
    assert_null(issue->priority);
    assert_null(issue->error_type);
    assert_null(issue->project.slug);
    assert_null(issue->stats_24h);
    assert_int_equal(issue->count, -1);
    assert_int_equal(issue->user_count, -1);
    assert_int_equal(issue->unhandled, UNKNOWN);
    assert_int_equal(issue->has_first_release, UNKNOWN);
    assert_true(issue->first_seen_ms == TIME_UNKNOWN);
}

static void fields_of_a_wrong_type_are_unknown(void **state)
{
    const struct sentry_issue *issue = issue_of(
        "{\"id\":\"5\",\"title\":{\"x\":1},\"count\":\"many\",\"userCount\":-4,\"firstSeen\":17,"
        "\"metadata\":\"none\",\"stats\":{\"24h\":[[1],null,[\"a\",2],[1772600400,3]]},"
        "\"tags\":{\"key\":\"x\"},\"firstRelease\":\"books@1\",\"isUnhandled\":\"yes\"}");

    (void)state;
    assert_null(issue->title);
    assert_int_equal(issue->count, -1);
    assert_int_equal(issue->user_count, -1);
    assert_true(issue->first_seen_ms == TIME_UNKNOWN);
    assert_int_equal(issue->stats_24h->n_points, 1);
    assert_int_equal(issue->n_tag_keys, 0);
    assert_null(issue->first_release);
    assert_int_equal(issue->unhandled, UNKNOWN);
}

static void an_answer_without_id_is_no_issue(void **state)
{
    struct error err = ERROR_INIT;

    (void)state;
    assert_null(sentry_parse_issue(json("{\"title\":\"x\"}"), mem, &err));
    assert_int_equal(err.code, ERR_PROTOCOL);
    assert_null(sentry_parse_issue(json("[1]"), mem, NULL));
    error_clear(&err);
}

/* ---- releases ---- */

static void a_release_may_be_no_more_than_a_version(void **state)
{
    const struct sentry_release *release =
        sentry_parse_release(json("{\"version\":\"4f1c2d3\"}"), mem, NULL);

    (void)state;
    assert_true(release->version_only);
    assert_null(release->last_commit);
    assert_int_equal(release->commit_count, -1);
    assert_true(sentry_release_time(release) == TIME_UNKNOWN);
}

static void a_release_came_into_use_when_it_was_deployed_else_released_else_created(void **state)
{
    static const struct {
        const char *json, *time;
    } cases[] = {
        { "{\"version\":\"1\",\"dateCreated\":\"2026-01-01T00:00:00Z\","
          "\"dateReleased\":\"2026-01-02T00:00:00Z\","
          "\"lastDeploy\":{\"id\":1,\"dateFinished\":\"2026-01-03T00:00:00Z\"}}",
          "2026-01-03T00:00:00Z" },
        { "{\"version\":\"1\",\"dateCreated\":\"2026-01-01T00:00:00Z\","
          "\"dateReleased\":\"2026-01-02T00:00:00Z\",\"lastDeploy\":null}",
          "2026-01-02T00:00:00Z" },
        { "{\"version\":\"1\",\"dateCreated\":\"2026-01-01T00:00:00Z\",\"dateReleased\":null}",
          "2026-01-01T00:00:00Z" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(sentry_release_time(sentry_parse_release(json(cases[i].json), mem, NULL)),
                         T(cases[i].time));
}

static void only_repositories_on_github_have_a_slug(void **state)
{
    static const struct {
        const char *repository, *slug;
    } cases[] = {
        { "{\"name\":\"acme/books\",\"externalSlug\":\"acme/books-api\","
          "\"provider\":{\"id\":\"integrations:github\"}}",
          "acme/books-api" },
        { "{\"name\":\"acme/books\",\"provider\":{\"id\":\"integrations:github_enterprise\"}}",
          "acme/books" },
        { "{\"name\":\"books\",\"url\":\"https://git.acme.example/acme/books.git\","
          "\"provider\":{\"id\":\"github\"}}",
          "acme/books" },
        { "{\"name\":\"Books\",\"url\":\"git@github.com:acme/books.git\"}", "acme/books" },
        { "{\"name\":\"x\",\"url\":\"https://github.com/acme/books/tree/main\","
          "\"provider\":{\"id\":\"unknown\"}}",
          "acme/books" },
        { "{\"name\":\"acme/books\"}", "acme/books" },
        { "{\"name\":\"acme/books\",\"provider\":{\"id\":\"integrations:gitlab\"}}", NULL },
        { "{\"name\":\"acme/books\",\"url\":\"https://gitlab.com/acme/books\"}", NULL },
        { "{\"name\":\"acme/books\",\"provider\":{\"id\":\"unknown\"}}", NULL },
        { "{\"name\":\"Acme / Books\"}", NULL },
        { "{\"name\":\"a/b/c\",\"provider\":{\"id\":\"github\"}}", NULL },
        { "{}", NULL },
        { "null", NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = xasprintf("{\"version\":\"1\",\"lastCommit\":{\"id\":\"abc\",\"author\":{},"
                               "\"repository\":%s}}",
                               cases[i].repository);
        const struct sentry_release *release = sentry_parse_release(json(text), mem, NULL);
        const char *slug = release->last_commit->repository.slug;
        if (cases[i].slug)
            assert_string_equal(slug ? slug : "(none)", cases[i].slug);
        else
            assert_null(slug);
        assert_null(release->last_commit->author_name);
        free(text);
    }
}

static void a_commit_tells_its_pull_request(void **state)
{
    const struct sentry_release *release = sentry_parse_release(
        json("{\"version\":\"1\",\"versionInfo\":{\"package\":\"books\",\"buildHash\":\"ab12\"},"
             "\"projects\":[{\"id\":1,\"slug\":\"books\"},{\"id\":2,\"slug\":\"loans\"}],"
             "\"lastCommit\":{\"id\":\"abc\",\"message\":null,\"suspectCommitType\":\"\","
             "\"pullRequest\":{\"id\":\"482\",\"title\":\"Move\",\"mergedAt\":null,"
             "\"externalUrl\":\"https://github.com/acme/books/pull/482\"}}}"),
        mem, NULL);

    (void)state;
    assert_string_equal(release->package, "books");
    assert_string_equal(release->build_hash, "ab12");
    assert_int_equal(release->n_projects, 2);
    assert_string_equal(release->last_commit->pull->number, "482");
    assert_true(release->last_commit->pull->merged_ms == TIME_UNKNOWN);
    assert_null(release->last_commit->suspect_type);
    assert_null(release->last_commit->message);
}

/* ---- events ---- */

static void exceptions_keep_their_order_and_frames_their_variables(void **state)
{
    const struct sentry_event *event = event_of(
        "{\"eventID\":\"0a0b\",\"dateCreated\":\"2026-03-04T05:06:07Z\",\"groupID\":\"9\","
        "\"tags\":[{\"key\":\"region\",\"value\":\"eu-1\"},{\"key\":null,\"value\":\"x\"}],"
        "\"entries\":[{\"type\":\"breadcrumbs\",\"data\":{\"values\":[null,"
        "{\"timestamp\":1772600400.5,\"message\":\"reconnecting\",\"data\":{\"try\":3}}]}},"
        "{\"type\":\"exception\",\"data\":{\"values\":[{\"type\":\"ConnectionRefusedError\","
        "\"value\":\"[Errno 111]\",\"mechanism\":{\"type\":\"chained\",\"exception_id\":1,"
        "\"parent_id\":0,\"handled\":false},\"stacktrace\":{\"frames\":["
        "{\"filename\":\"a.py\",\"lineNo\":7,\"inApp\":true,\"function\":\"f\","
        "\"context\":[[6,\"x\"],[7,\"  connect(**p)\"]],"
        "\"vars\":{\"p\":{\"host\":\"'db1'\",\"port\":5432,\"opts\":[1,{\"a\":true}],\"n\":null}}},"
        "{\"filename\":null,\"lineNo\":null,\"vars\":null,\"context\":[]}]}},"
        "null,{\"type\":\"OperationalError\",\"value\":\"x\",\"stacktrace\":null}]}}],"
        "\"contexts\":{\"runtime\":{\"type\":\"runtime\",\"name\":\"CPython\"},\"odd\":null},"
        "\"user\":{\"id\":17,\"email\":\"a@b.example\"},\"release\":null}");
    const struct sentry_exception *cause = &event->exceptions[0];

    (void)state;
    assert_int_equal(event->n_exceptions, 2);
    assert_string_equal(cause->type, "ConnectionRefusedError");
    assert_int_equal(cause->exception_id, 1);
    assert_int_equal(cause->handled, NO);
    assert_int_equal(event->exceptions[1].exception_id, -1);
    assert_int_equal(cause->n_frames, 2);
    assert_string_equal(cause->frames[0].context_line, "  connect(**p)");
    assert_int_equal(cause->frames[0].in_app, YES);
    assert_int_equal(cause->frames[1].in_app, UNKNOWN);
    assert_int_equal(cause->frames[1].line_no, -1);
    assert_int_equal(cause->frames[0].n_vars, 5);
    assert_string_equal(source_pair_value(cause->frames[0].vars, cause->frames[0].n_vars, "p.host"),
                        "'db1'");
    assert_string_equal(source_pair_value(cause->frames[0].vars, cause->frames[0].n_vars, "p.port"),
                        "5432");
    assert_string_equal(
        source_pair_value(cause->frames[0].vars, cause->frames[0].n_vars, "p.opts[1].a"), "true");
    assert_int_equal(event->n_tags, 1);
    assert_string_equal(sentry_event_tag(event, "region"), "eu-1");
    assert_int_equal(event->n_breadcrumbs, 1);
    assert_int_equal(event->breadcrumbs[0].at_ms, INT64_C(1772600400500));
    assert_int_equal(event->n_contexts, 1);
    assert_string_equal(event->user, "id:17");
    assert_int_equal(event->has_release, NO);
}

static void stacks_outside_exceptions_are_found(void **state)
{
    static const char *const events[] = {
        "{\"id\":\"1\",\"entries\":[{\"type\":\"exception\",\"data\":{\"value\":"
        "{\"stacktrace\":{\"frames\":[{\"filename\":\"db.go\"}]}}}}]}",
        "{\"id\":\"1\",\"entries\":[{\"type\":\"stacktrace\",\"data\":"
        "{\"frames\":[{\"filename\":\"db.go\"}]}}]}",
        "{\"id\":\"1\",\"entries\":[{\"type\":\"threads\",\"data\":{\"values\":["
        "{\"id\":1,\"stacktrace\":{\"frames\":[{\"filename\":\"no.go\"}]}},"
        "{\"id\":2,\"current\":true,\"stacktrace\":{\"frames\":[{\"filename\":\"no.go\"}]}},"
        "{\"id\":3,\"crashed\":true,\"stacktrace\":{\"frames\":[{\"filename\":\"db.go\"}]}}]}}]}",
        "{\"id\":\"1\",\"entries\":[{\"type\":\"exception\",\"data\":{\"values\":[{\"type\":null,"
        "\"stacktrace\":null,\"rawStacktrace\":{\"frames\":[{\"filename\":\"db.go\"}]}}]}}]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        const struct sentry_event *event = event_of(events[i]);
        assert_int_equal(event->n_exceptions, 1);
        assert_null(event->exceptions[0].type);
        assert_string_equal(event->exceptions[0].frames[0].filename, "db.go");
    }
}

static void an_event_without_exception_has_its_message(void **state)
{
    const struct sentry_event *event =
        event_of("{\"id\":\"1\",\"message\":\"\",\"entries\":[{\"type\":\"message\",\"data\":"
                 "{\"formatted\":\"cannot reach db\",\"message\":\"cannot reach %s\"}},"
                 "{\"type\":\"request\",\"data\":{\"url\":\"/x\",\"method\":null}}]}");

    (void)state;
    assert_int_equal(event->n_exceptions, 0);
    assert_string_equal(event->message, "cannot reach db");
    assert_string_equal(event->request_url, "/x");
    assert_null(event->request_method);
    assert_null(event->user);
    assert_int_equal(event->has_release, UNKNOWN);
}

static void users_are_told_apart_by_the_first_thing_known(void **state)
{
    static const struct {
        const char *user, *tags, *key;
    } cases[] = {
        { "{\"id\":\"u1\",\"username\":\"n\"}", "[]", "id:u1" },
        { "{\"id\":null,\"username\":\"n\"}", "[]", "username:n" },
        { "{\"id\":\"\",\"email\":\"e@x.example\"}", "[]", "email:e@x.example" },
        { "{\"ip_address\":\"192.0.2.1\"}", "[]", "ip:192.0.2.1" },
        { "null", "[{\"key\":\"user\",\"value\":\"id:9\"}]", "id:9" },
        { "{}", "[]", NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text =
            xasprintf("{\"id\":\"1\",\"user\":%s,\"tags\":%s}", cases[i].user, cases[i].tags);
        const struct sentry_event *event = event_of(text);
        if (cases[i].key)
            assert_string_equal(event->user, cases[i].key);
        else
            assert_null(event->user);
        free(text);
    }
}

static void endless_variables_are_cut(void **state)
{
    struct buf text = BUF_INIT;

    (void)state;
    buf_adds(&text, "{\"id\":\"1\",\"entries\":[{\"type\":\"exception\",\"data\":{\"values\":[{"
                    "\"stacktrace\":{\"frames\":[{\"vars\":{\"big\":\"");
    for (int i = 0; i < 5000; i++)
        buf_addc(&text, 'x');
    buf_addc(&text, '"');
    for (int i = 0; i < 1000; i++)
        buf_addf(&text, ",\"v%d\":%d", i, i);
    buf_adds(&text, ",\"deep\":[[[[[[[[[[1]]]]]]]]]]}}]}}]}}]}");
    const struct sentry_frame *frame = event_of(buf_str(&text))->exceptions[0].frames;
    assert_int_equal(frame->n_vars, 200);
    assert_true(strlen(frame->vars[0].value) <= 2048);
    buf_clear(&text);
}

static void an_events_page_lies_below_its_issue(void **state)
{
    char *link = sentry_event_link("https://acme.sentry.io/issues/77120/", "0a0b");

    (void)state;
    assert_string_equal(link, "https://acme.sentry.io/issues/77120/events/0a0b/");
    free(link);
    assert_null(sentry_event_link(NULL, "0a0b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_issue_is_read_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(hourly_figures_are_milliseconds_and_the_last_hour_is_open,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_an_issue_does_not_tell_is_unknown, setup, teardown),
        cmocka_unit_test_setup_teardown(fields_of_a_wrong_type_are_unknown, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_without_id_is_no_issue, setup, teardown),
        cmocka_unit_test_setup_teardown(a_release_may_be_no_more_than_a_version, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_release_came_into_use_when_it_was_deployed_else_released_else_created, setup,
            teardown),
        cmocka_unit_test_setup_teardown(only_repositories_on_github_have_a_slug, setup, teardown),
        cmocka_unit_test_setup_teardown(a_commit_tells_its_pull_request, setup, teardown),
        cmocka_unit_test_setup_teardown(exceptions_keep_their_order_and_frames_their_variables,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(stacks_outside_exceptions_are_found, setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_without_exception_has_its_message, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(users_are_told_apart_by_the_first_thing_known, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(endless_variables_are_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(an_events_page_lies_below_its_issue, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
