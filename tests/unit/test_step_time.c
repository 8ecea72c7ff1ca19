/* The time of one step: at the limit nothing changes, beyond it the step ends with what it has and
 * says so, and asks nothing more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/collectors/collect.h"
#include "dbconn/analysis/failure.h"
#include "dbconn/base/text.h"
#include "dbconn/playbook/run.h"
#include "dbconn/sources/sentry.h"
#include "source_bench.h"

#define LIMIT_MS 40
#define LONG_MS 60000

/* ---- a server that answers some questions ---- */

struct place {
    struct bench b;
    struct sources sources;
    const char *silent; /* what begins so gets no answer */
};

static void answer_some(struct fake_conn *conn, const struct fake_request *request, void *user)
{
    struct place *p = user;

    if (p->silent && text_starts(request->target, p->silent))
        buf_addf(&p->b.asked, "%s %s\n", request->method, request->target);
    else
        bench_answer(conn, request, &p->b);
}

static void place_open(struct place *p, const struct route *routes, size_t n, const char *silent)
{
    *p = (struct place){ .silent = silent };
    bench_open(&p->b, "sentry", routes, n);
    p->b.server.handler = answer_some;
    p->b.server.user = p;
    const struct sentry_options options = { .url = p->b.url, .org = "acme", .token = "token-1" };
    assert_int_equal(sentry_new(p->b.http, &options, &p->sources.sentry, &p->b.err), 0);
}

static void place_close(struct place *p)
{
    sentry_free(p->sources.sentry);
    bench_close(&p->b);
}

/* ---- a collector that asks twice ---- */

static void got_tags(struct collect *c, const void *result, const struct error *err, size_t tag)
{
    (void)collect_usable(c, result, err, tag ? "the second list" : "the first list");
}

static void ask(struct collect *c, size_t tag)
{
    struct error err = ERROR_INIT;
    struct collect_call *call = collect_call(c, got_tags, tag);

    collect_sent(call,
                 sentry_list_issue_tags(c->sources->sentry, 1, tag ? "8" : "7", 10, NULL,
                                        collect_received, call, &err),
                 &err);
}

static void finish(struct collect *c)
{
    collect_complete(c, "%d of 2 lists read.", (int)(2 - c->lost));
}

static void ask_again(struct collect *c)
{
    ask(c, 1);
    collect_wait(c, finish);
}

static void start(struct collect *c)
{
    ask(c, 0);
    collect_wait(c, ask_again);
}

static const struct collector asks_twice = { .name = "asks_twice", .start = start };

static void on_ended(struct collect *c, void *user)
{
    (void)c;
    *(bool *)user = true;
}

static void a_step_over_its_time_ends_with_what_it_has(void **state)
{
    static const struct {
        const char *silent;
        enum step_status status;
        const char *summary;
        const char *asked, *not_asked; /* of the server */
    } rows[] = {
        { NULL, STEP_COMPLETE, "2 of 2 lists read.", "/issues/8/tags/", "none" },
        { "/api/0/organizations/acme/issues/8/", STEP_PARTIAL,
          "1 of 2 lists read. Could not read the second list: no answer within the 0.04 s that a "
          "step may take.",
          "/issues/8/tags/", "none" },
        { "/api/0/organizations/acme/issues/7/", STEP_PARTIAL,
          "0 of 2 lists read. Could not read the first list: no answer within the 0.04 s that a "
          "step may take. Could not read the second list: no answer within the 0.04 s that a step "
          "may take.",
          "/issues/7/tags/", "/issues/8/tags/" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct place p;
        struct step_record record = { 0 };
        struct evidence *board = evidence_new();
        bool ended = false;
        place_open(&p, ROUTES({ "GET /api/0/organizations/acme/issues/", 200, "", "[]" }),
                   rows[i].silent);
        struct collect *c = collect_new(&(struct collect_request){ .collector = &asks_twice,
                                                                   .step = "twice",
                                                                   .issue = "7",
                                                                   .sources = &p.sources,
                                                                   .board = board,
                                                                   .record = &record,
                                                                   .done = on_ended,
                                                                   .user = &ended });
        collect_start(c);
        while (!ended && !(rows[i].silent && strstr(buf_str(&p.b.asked), rows[i].silent)))
            uv_run(&p.b.loop, UV_RUN_ONCE);
        if (!ended)
            collect_expire(c, LIMIT_MS); /* as its timer would */
        assert_true(ended);
        assert_int_equal(record.status, rows[i].status);
        assert_string_equal(record.summary, rows[i].summary);
        assert_non_null(strstr(buf_str(&p.b.asked), rows[i].asked));
        assert_null(strstr(buf_str(&p.b.asked), rows[i].not_asked));
        collect_free(c);
        free(record.summary);
        evidence_free(board);
        place_close(&p);
    }
}

/* ---- a whole run ---- */

struct ending {
    bool done;
    struct buf why;
};

static void on_done(struct run *run, const struct error *err, void *user)
{
    struct ending *e = user;

    (void)run;
    e->done = true;
    if (err)
        buf_adds(&e->why, error_text(err));
}

static const struct step_record *step_of(const struct run *run, const char *id)
{
    const struct casefile *c = run_casefile(run);
    size_t i = 0;

    while (i + 1 < c->n_steps && !text_same(c->steps[i].id, id))
        i++;
    assert_string_equal(c->steps[i].id, id);
    return &c->steps[i];
}

static bool is_missing(const struct diagnosis *d, const char *what, const char *why)
{
    for (size_t i = 0; i < d->n_missing; i++)
        if (strstr(d->missing[i], what) && strstr(d->missing[i], why))
            return true;
    return false;
}

static void investigate(struct place *p, struct ending *e, struct playbook *playbook,
                        int64_t step_ms, struct run **ret)
{
    *ret = run_new(&(struct run_options){ .loop = &p->b.loop,
                                          .playbook = playbook,
                                          .sources = &p->sources,
                                          .issue = "7",
                                          .now_ms = INT64_C(1787047320000),
                                          .budget_ms = LONG_MS,
                                          .step_ms = step_ms,
                                          .on_done = on_done,
                                          .user = e });
    run_start(*ret);
    while (!e->done)
        uv_run(&p->b.loop, UV_RUN_ONCE);
}

#define ISSUE                                                                                      \
    "{\"id\":\"7\",\"shortId\":\"SHOP-7\",\"title\":\"OperationalError\",\"project\":{\"id\":"     \
    "\"1\","                                                                                       \
    "\"slug\":\"shop\"},\"count\":\"12\",\"userCount\":3,\"status\":\"unresolved\"}"

static void the_next_steps_go_on_and_the_answer_says_what_is_missing(void **state)
{
    struct place p;
    struct playbook *playbook = NULL;
    struct ending e = { .why = BUF_INIT };
    struct run *run;

    (void)state;
    place_open(&p, ROUTES({ "GET /api/0/organizations/acme/issues/7/$", 200, "", ISSUE }),
               "/api/0/organizations/acme/issues/7/tags/");
    p.sources.reader = failure_reader_new();
    assert_int_equal(playbook_builtin(&playbook, &p.b.err), 0);
    investigate(&p, &e, playbook, 2000, &run); /* room for what is answered */
    assert_string_equal(buf_str(&e.why), "");
    const struct step_record *tags = step_of(run, "issue_tags");
    assert_true(tags->status == STEP_FAILED || tags->status == STEP_PARTIAL);
    assert_non_null(strstr(tags->summary, "within the 2 s that a step may take"));
    assert_true(is_missing(&run_casefile(run)->diagnosis, tags->title, "a step may take"));
    for (size_t i = 0; i < run_casefile(run)->n_steps; i++)
        assert_true(run_casefile(run)->steps[i].status > STEP_RUNNING);
    run_free(run);
    playbook_unref(playbook);
    failure_reader_free((struct failure_reader *)(uintptr_t)p.sources.reader);
    buf_clear(&e.why);
    place_close(&p);
}

static void a_first_step_over_its_time_ends_the_investigation_with_the_reason(void **state)
{
    struct place p;
    struct playbook *playbook = NULL;
    struct ending e = { .why = BUF_INIT };
    struct run *run;

    (void)state;
    place_open(&p, NULL, 0, "/");
    assert_int_equal(playbook_builtin(&playbook, &p.b.err), 0);
    investigate(&p, &e, playbook, LIMIT_MS, &run);
    assert_non_null(strstr(buf_str(&e.why), "within the 0.04 s that a step may take"));
    run_free(run);
    playbook_unref(playbook);
    buf_clear(&e.why);
    place_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_over_its_time_ends_with_what_it_has),
        cmocka_unit_test(the_next_steps_go_on_and_the_answer_says_what_is_missing),
        cmocka_unit_test(a_first_step_over_its_time_ends_the_investigation_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
