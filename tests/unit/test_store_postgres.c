/* The PostgreSQL store: its plans, its rights, and a server that does not do what it should. */
#include "store_fixture.h"

static struct pg_server server; /* one for all tests of this file */

static int set_up(void **state)
{
    pg_sql(&server, "DROP SCHEMA IF EXISTS dbconn CASCADE");
    *state = pg_url(&server);
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static void finish_one(struct store *st)
{
    struct job_result result = { .state = JOB_DONE };
    struct job job = { 0 };
    char id[JOB_ID_LEN + 1];

    add_job(st, "SHOP-1", 0, T0, id);
    ASSERT_OUTCOME(STORE_OK, store_claim(st, "a", LEASE, NULL, T0, &job, &err));
    ASSERT_OUTCOME(STORE_OK, store_finish(st, ref_of(&job), &result, T0, &err));
    job_clear(&job);
}

/* The server counts what sequential scans read: with thousands of ended jobs it must be nothing. */
static void no_statement_of_daily_work_reads_all_jobs(void **state)
{
    struct store *st = open_store(*state);
    struct error why = ERROR_INIT;
    struct store_filter waiting = { .states = 1u << JOB_QUEUED };
    struct store_seen_query query = { .issue_org = "x",
                                      .issue_id = "1",
                                      .fingerprint = "f",
                                      .target_host = "h",
                                      .target_port = "1" };
    struct store_seen seen = { 0 };
    struct job_list list = { 0 };
    char id[JOB_ID_LEN + 1];
    int64_t n;

    assert_int_equal(0, store_begin(st, true, &why));
    for (int i = 0; i < 5000; i++)
        finish_one(st);
    assert_int_equal(0, store_commit(st, &why));
    store_close(st);
    pg_sql(&server, "ANALYZE dbconn.jobs");
    pg_sql(&server, "SELECT pg_stat_reset()");

    st = open_store(*state);
    for (int i = 0; i < 50; i++) {
        finish_one(st);
        add_job(st, "SHOP-1", 0, T0, id);
        ASSERT_OUTCOME(STORE_OK, store_position(st, id, &n, &err));
        ASSERT_OUTCOME(STORE_OK, store_list(st, &waiting, &list, &err));
        job_list_clear(&list);
        ASSERT_OUTCOME(STORE_NONE, store_seen_before(st, &query, &seen, &err));
    }
    store_close(st); /* hands its statistics in */
    pg_sql(&server,
           "DO $$ BEGIN IF (SELECT seq_tup_read > 0 OR idx_scan < 200 FROM pg_stat_user_tables"
           " WHERE schemaname = 'dbconn' AND relname = 'jobs')"
           " THEN RAISE EXCEPTION 'jobs were read one by one'; END IF; END $$");
}

static void a_role_without_rights_is_told_what_it_needs(void **state)
{
    char *url = xasprintf("postgresql://limited:geheim@127.0.0.1:%d/postgres", server.port);
    struct error err = ERROR_INIT;
    struct store *st = NULL;

    (void)state;
    pg_sql(&server, "CREATE ROLE limited LOGIN");
    assert_int_equal(-1, store_open(url, NULL, &st, &err));
    assert_int_equal(ERR_STORE, err.code);
    assert_non_null(strstr(error_text(&err), "CREATE SCHEMA dbconn AUTHORIZATION"));
    error_clear(&err);
    pg_sql(&server, "CREATE SCHEMA dbconn AUTHORIZATION limited"); /* what it said */
    store_close(open_store(url));
    pg_sql(&server, "DROP SCHEMA dbconn CASCADE");
    pg_sql(&server, "DROP ROLE limited");
    free(url);
}

static void replicas_that_start_together_make_the_tables_once(void **state)
{
    pid_t pids[4];
    int status;

    for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct error err = ERROR_INIT;
            struct store *st;
            if (store_open(*state, NULL, &st, &err) < 0)
                _exit(1);
            store_close(st);
            _exit(0);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
        assert_int_equal(pids[i], waitpid(pids[i], &status, 0));
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

static void a_newer_schema_is_refused(void **state)
{
    struct error err = ERROR_INIT;
    struct store *st = NULL;

    store_close(open_store(*state));
    pg_sql(&server, "UPDATE dbconn.schema_version SET version = version + 1");
    assert_int_equal(-1, store_open(*state, NULL, &st, &err));
    assert_non_null(strstr(error_text(&err), "run the newer dbconn"));
    error_clear(&err);
}

static void a_server_that_hangs_fails_in_time(void **state)
{
    struct store_options options = { .busy_ms = 500 };
    struct error err = ERROR_INIT;
    struct store_counts counts;
    struct store *st;

    assert_int_equal(0, store_open(*state, &options, &st, &err));
    pg_signal_all(&server, SIGSTOP);
    int64_t began = clock_mono_ms();
    assert_int_equal(-1, store_counts(st, &counts, &err));
    assert_true(clock_mono_ms() - began < 10000);
    assert_int_equal(STORE_FAULT_AWAY, store_last_fault(st));
    assert_non_null(strstr(error_text(&err), "does not answer"));
    error_clear(&err);
    pg_signal_all(&server, SIGCONT);
    int rc = -1;
    for (int i = 0; i < 50 && rc < 0; i++) {
        rc = store_counts(st, &counts, &err);
        usleep(100000);
    }
    assert_int_equal(STORE_OK, rc);
    error_clear(&err);
    store_close(st);
}

static struct job_ref claim_new(struct store *st, struct job *ret_job)
{
    char id[JOB_ID_LEN + 1];

    add_job(st, "SHOP-1", 0, T0, id);
    ASSERT_OUTCOME(STORE_OK, store_claim(st, "a", LEASE, NULL, T0, ret_job, &err));
    return ref_of(ret_job);
}

/* A replica that is frozen within a transaction holds its locks: others must not wait for it to
 * wake, nor decide without it. */
static void a_replica_that_stands_still_in_a_transaction_loses_it(void **state)
{
    const struct job_issue issue = { .org = "acme", .id = "1" };
    struct store *frozen = open_store(*state), *other = open_store(*state);
    struct job_list earlier = { 0 };
    struct job first = { 0 }, second = { 0 };
    struct job_ref mine = claim_new(frozen, &first), its = claim_new(other, &second);
    struct error why = ERROR_INIT;

    assert_int_equal(0, store_begin(frozen, true, &why));
    assert_int_equal(STORE_OK, store_set_issue(frozen, mine, &issue, T0, &earlier, &why));
    /* and nothing more of it */
    ASSERT_OUTCOME(STORE_OK, store_set_issue(other, its, &issue, T0, &earlier, &err));
    assert_int_equal(-1, store_commit(frozen, &why));
    assert_int_equal(STORE_FAULT_AWAY, store_last_fault(frozen)); /* so it is done anew */
    error_clear(&why);
    ASSERT_OUTCOME(STORE_EXISTS, store_set_issue(frozen, mine, &issue, T0, &earlier, &err));
    job_list_clear(&earlier);
    job_clear(&first);
    job_clear(&second);
    store_close(frozen);
    store_close(other);
}

static void a_restart_is_survived_between_two_statements(void **state)
{
    struct store *st = open_store(*state);
    char id[JOB_ID_LEN + 1];
    struct job job = { 0 };

    add_job(st, "SHOP-1", 0, T0, id);
    pg_stop(&server, SIGINT);
    pg_start(&server);
    ASSERT_OUTCOME(STORE_OK, store_get(st, id, &job, &err)); /* nothing to be seen of it */
    job_clear(&job);
    store_close(st);
}

static void a_restart_within_a_group_undoes_the_group(void **state)
{
    struct store *st = open_store(*state);
    struct job_new job = simple_job("SHOP-2", 0);
    struct error why = ERROR_INIT;
    struct store_counts counts;
    char id[JOB_ID_LEN + 1];

    assert_int_equal(0, store_begin(st, true, &why));
    add_job(st, "SHOP-1", 0, T0, id);
    pg_stop(&server, SIGINT);
    pg_start(&server);
    assert_int_equal(-1, store_enqueue(st, &job, NULL, 0, 0, T0, id, &why));
    assert_int_equal(STORE_FAULT_AWAY, store_last_fault(st));
    store_rollback(st);
    error_clear(&why);
    ASSERT_OUTCOME(STORE_OK, store_counts(st, &counts, &err));
    assert_int_equal(0, counts.by_state[JOB_QUEUED]);
    store_close(st);
}

static void a_read_only_server_is_said_so_and_waited_for(void **state)
{
    struct store *st = open_store(*state);
    struct job_new job = simple_job("SHOP-2", 0);
    struct error why = ERROR_INIT;
    char id[JOB_ID_LEN + 1];

    pg_sql(&server, "ALTER SYSTEM SET default_transaction_read_only = on");
    pg_sql(&server, "SELECT pg_reload_conf()");
    usleep(300000);
    assert_int_equal(-1, store_enqueue(st, &job, NULL, 0, 0, T0, id, &why));
    assert_int_equal(STORE_FAULT_AWAY, store_last_fault(st));
    assert_non_null(strstr(error_text(&why), "read-only"));
    error_clear(&why);
    pg_sql(&server, "ALTER SYSTEM RESET default_transaction_read_only");
    pg_sql(&server, "SELECT pg_reload_conf()");
    int rc = -1;
    for (int i = 0; i < 50 && rc < 0; i++) {
        usleep(100000);
        rc = store_enqueue(st, &job, NULL, 0, 0, T0, id, &why);
    }
    assert_int_equal(STORE_OK, rc);
    error_clear(&why);
    store_close(st);
}

/* Ours waits first, so that ours is the one that the server ends. */
static void a_deadlock_is_a_conflict_that_can_be_done_again(void **state)
{
    struct store *st = open_store(*state);
    struct error why = ERROR_INIT;
    char one[JOB_ID_LEN + 1], two[JOB_ID_LEN + 1];

    add_job(st, "SHOP-1", 0, T0, one);
    add_job(st, "SHOP-2", 0, T0, two);
    char *text = xasprintf("BEGIN; UPDATE dbconn.jobs SET error = 'x' WHERE id = '%s';"
                           "SELECT pg_sleep(1.0);"
                           "UPDATE dbconn.jobs SET error = 'x' WHERE id = '%s'; COMMIT",
                           one, two);
    pid_t other = pg_sql_start(&server, text);
    usleep(500000);
    assert_int_equal(0, store_begin(st, true, &why));
    ASSERT_OUTCOME(STORE_OK, store_cancel(st, two, "U1", T0, &err));
    assert_int_equal(-1, store_cancel(st, one, "U1", T0, &why));
    assert_int_equal(STORE_FAULT_CONFLICT, store_last_fault(st));
    store_rollback(st);
    error_clear(&why);
    waitpid(other, NULL, 0);
    ASSERT_OUTCOME(STORE_OK, store_cancel(st, two, "U1", T0, &err));
    ASSERT_OUTCOME(STORE_OK, store_cancel(st, one, "U1", T0, &err));
    free(text);
    store_close(st);
}

static bool wait_for_news(struct store *st)
{
    bool news = false;

    for (int i = 0; i < 30 && !news; i++) {
        (void)store_idle(st, clock_mono_ms(), &news);
        usleep(100000);
    }
    return news;
}

static void news_comes_from_other_replicas_and_after_a_restart(void **state)
{
    struct store *st = open_store(*state), *other = open_store(*state);
    char id[JOB_ID_LEN + 1];
    bool news = false;

    (void)store_idle(st, clock_mono_ms(), &news);
    assert_false(news);
    add_job(other, "SHOP-1", 0, T0, id);
    assert_true(wait_for_news(st));
    ASSERT_OUTCOME(STORE_OK, store_cancel(other, id, "U1", T0, &err)); /* runs may have to stop */
    assert_true(wait_for_news(st));
    /* Notifications may have been missed while it was away. */
    pg_stop(&server, SIGINT);
    for (int i = 0; i < 30 && store_wait_fd(st) >= 0; i++) {
        (void)store_idle(st, clock_mono_ms(), &news);
        usleep(10000);
    }
    assert_int_equal(-1, store_wait_fd(st));
    pg_start(&server);
    assert_true(wait_for_news(st));
    assert_true(store_wait_fd(st) >= 0);
    store_close(other);
    store_close(st);
}

static void a_backup_is_left_to_the_server(void **state)
{
    struct store *st = open_store(*state);
    struct error why = ERROR_INIT;

    assert_int_equal(-1, store_backup(st, "/nonexistent", &why));
    assert_int_equal(ERR_CONFIG, why.code);
    assert_non_null(strstr(error_text(&why), "pg_dump"));
    ASSERT_OUTCOME(STORE_OK, store_check(st, &err));
    error_clear(&why);
    store_close(st);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(no_statement_of_daily_work_reads_all_jobs),
        TEST(a_role_without_rights_is_told_what_it_needs),
        TEST(replicas_that_start_together_make_the_tables_once),
        TEST(a_newer_schema_is_refused),
        TEST(a_server_that_hangs_fails_in_time),
        TEST(a_replica_that_stands_still_in_a_transaction_loses_it),
        TEST(a_restart_is_survived_between_two_statements),
        TEST(a_restart_within_a_group_undoes_the_group),
        TEST(a_read_only_server_is_said_so_and_waited_for),
        TEST(a_deadlock_is_a_conflict_that_can_be_done_again),
        TEST(news_comes_from_other_replicas_and_after_a_restart),
        TEST(a_backup_is_left_to_the_server),
    };

    if (!pg_create(&server)) {
        fputs("SKIPPED: no PostgreSQL server programs in /usr/lib/postgresql\n", stderr);
        return 0;
    }
    int failed = cmocka_run_group_tests_name("the PostgreSQL store", tests, NULL, NULL);
    pg_destroy(&server);
    return failed;
}
