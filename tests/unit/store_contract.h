/*
 * store_contract - tests that every store has to pass: each runs on a fresh SQLite file and in a
 * fresh schema of a real PostgreSQL server.
 */
#ifndef DBCONN_TESTS_STORE_CONTRACT_H
#define DBCONN_TESTS_STORE_CONTRACT_H

#include "store_fixture.h"

struct fixture {
    struct pg_server *pg; /* NULL: SQLite */
    char *folder, *url;
    struct store *st;
};

static inline struct store *st_of(void **state)
{
    return ((struct fixture *)*state)->st;
}

static inline struct job claim_one(struct store *st, const char *owner, int64_t now_ms)
{
    struct job job = { 0 };

    ASSERT_OUTCOME(STORE_OK, store_claim(st, owner, LEASE, NULL, now_ms, &job, &err));
    return job;
}

static inline void assert_none_due(struct store *st, int64_t now_ms)
{
    struct job job = { 0 };

    ASSERT_OUTCOME(STORE_NONE, store_claim(st, "owner", LEASE, NULL, now_ms, &job, &err));
    assert_null(job.id);
}

static inline struct job get_job(struct store *st, const char *id)
{
    struct job job = { 0 };

    ASSERT_OUTCOME(STORE_OK, store_get(st, id, &job, &err));
    return job;
}

static inline void assert_state(struct store *st, const char *id, enum job_state state)
{
    struct job job = get_job(st, id);

    assert_string_equal(job_state_name(state), job_state_name(job.state));
    job_clear(&job);
}

static inline void end_job(struct store *st, const struct job *job, enum job_state state,
                           int64_t now_ms)
{
    struct job_result result = { .state = state, .cause = "database_down" };

    ASSERT_OUTCOME(STORE_OK, store_finish(st, ref_of(job), &result, now_ms, &err));
}

/* ---- running them ---- */

struct contract_test {
    const char *name;
    CMUnitTestFunction run;
};
#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
#define MAX_TESTS 64

static inline int set_up(void **state)
{
    struct fixture *f = *state;

    if (f->pg) {
        pg_sql(f->pg, "DROP SCHEMA IF EXISTS dbconn CASCADE");
        f->url = pg_url(f->pg);
    } else {
        f->folder = make_folder();
        f->url = xasprintf("sqlite:%s/queue.db", f->folder);
    }
    f->st = open_store(f->url);
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;

    store_close(f->st);
    if (f->folder)
        remove_folder(f->folder);
    free(f->folder);
    free(f->url);
    f->folder = f->url = NULL;
    f->st = NULL;
    return 0;
}

static inline int run_on_store(const char *name, struct pg_server *pg,
                               const struct contract_test *tests, size_t n)
{
    struct CMUnitTest chosen[MAX_TESTS];
    struct fixture fixture = { .pg = pg };

    assert_true(n <= MAX_TESTS);
    for (size_t i = 0; i < n; i++)
        chosen[i] = (struct CMUnitTest){ tests[i].name, tests[i].run, set_up, tear_down, &fixture };
    return _cmocka_run_group_tests(name, chosen, n, NULL, NULL);
}

static inline int run_contract(const struct contract_test *tests, size_t n)
{
    struct pg_server pg;
    int failed = run_on_store("on sqlite", NULL, tests, n);

    if (!pg_create(&pg)) {
        fputs("SKIPPED: the PostgreSQL half: no server programs in /usr/lib/postgresql\n", stderr);
        return failed;
    }
    failed += run_on_store("on postgresql", &pg, tests, n);
    pg_destroy(&pg);
    return failed;
}

#endif
