/* The queue on the loop: the contract of its calls, groups, and a store that cannot work. */
#include "queue_fixture.h"

#include <sqlite3.h>

/* ---- the contract of a call ---- */

static void an_answer_comes_once_and_later(void **state)
{
    struct queue_fixture *f = *state;
    struct answer a = answer_new();

    open_queue(f, (struct queue_options){ 0 });
    await(f, ask_enqueue(f, "SHOP-1", 0, &a), &a);
    assert_true(a.ok && a.outcome == STORE_OK && job_id_is_valid(a.text));
    for (int i = 0; i < 20; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(1, a.count);
    answer_clear(&a);
}

static void the_loop_lives_while_somebody_waits_and_ends_when_nobody_does(void **state)
{
    struct queue_fixture *f = *state;
    struct answer a = answer_new();

    open_queue(f, (struct queue_options){ 0 });
    assert_int_equal(0, uv_run(&f->loop, UV_RUN_DEFAULT));
    ask_enqueue(f, "SHOP-1", 0, &a);
    assert_int_equal(0, uv_run(&f->loop, UV_RUN_DEFAULT));
    assert_int_equal(1, a.count);
    answer_clear(&a);
}

#define MANY 2000
static void calls_that_wait_together_share_a_commit(void **state)
{
    struct queue_fixture *f = *state;
    static struct answer answers[MANY];
    struct queue_stats stats;
    struct answer claim = answer_new();

    open_queue(f, (struct queue_options){ 0 });
    for (int i = 0; i < MANY; i++) {
        char ref[24];
        answers[i] = answer_new();
        snprintf(ref, sizeof(ref), "SHOP-%d", i);
        ask_enqueue(f, ref, 0, &answers[i]);
    }
    for (int i = 0; i < MANY; i++)
        run_until(f, &answers[i].count, 1, 20000);
    queue_get_stats(f->q, &stats);
    assert_int_equal(MANY, stats.calls);
    assert_true(stats.commits < MANY / 10);
    assert_true(stats.largest_group > 10);
    assert_int_equal(0, stats.waiting);
    assert_true(stats.away_since_ms == TIME_UNKNOWN);
    /* in the order that they were made */
    for (int i = 0; i < 20; i++) {
        char ref[24];
        snprintf(ref, sizeof(ref), "SHOP-%d", i);
        AWAIT(f, STORE_OK, &claim, queue_claim(f->q, "a", LEASE, NULL, on_answer, &claim, &err));
        assert_string_equal(ref, claim.job.issue_ref);
        assert_string_equal(answers[i].text, claim.job.id);
    }
    for (int i = 0; i < MANY; i++)
        answer_clear(&answers[i]);
    answer_clear(&claim);
}

static void a_cancelled_call_never_answers(void **state)
{
    struct queue_fixture *f = *state;
    struct answer cancelled[50], a = answer_new();

    open_queue(f, (struct queue_options){ 0 });
    for (int i = 0; i < 50; i++) {
        cancelled[i] = answer_new();
        struct queue_call *call = ask_enqueue(f, "SHOP-1", 0, &cancelled[i]);
        if (i % 3 == 1)
            usleep(500); /* some of them are under way by now */
        queue_cancel_call(call);
    }
    queue_cancel_call(NULL);
    await(f, ask_enqueue(f, "SHOP-2", 0, &a), &a);
    for (int i = 0; i < 50; i++)
        assert_int_equal(0, cancelled[i].count);
    answer_clear(&a);
}

struct canceller {
    struct queue_call *other;
    int count;
};

static void cancel_other(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct canceller *c = user;

    (void)reply;
    (void)err;
    c->count++;
    queue_cancel_call(c->other);
}

static void an_answer_may_cancel_the_next_one(void **state)
{
    struct queue_fixture *f = *state;
    struct job_new job = simple_job("SHOP-1", 0);
    struct canceller canceller = { 0 };
    struct answer other = answer_new(), last = answer_new();
    struct error err = ERROR_INIT;

    open_queue(f, (struct queue_options){ 0 });
    assert_non_null(queue_enqueue(f->q, &job, NULL, 0, cancel_other, &canceller, &err));
    canceller.other = ask_enqueue(f, "SHOP-2", 0, &other);
    ask_enqueue(f, "SHOP-3", 0, &last);
    usleep(50000); /* all three are answered in one go */
    run_until(f, &last.count, 1, 5000);
    assert_int_equal(1, canceller.count);
    assert_int_equal(0, other.count);
    answer_clear(&last);
}

static void free_queue(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct queue_fixture *f = user;

    (void)reply;
    (void)err;
    f->wakes = 100;
    queue_free(f->q);
    f->q = NULL;
}

static void an_answer_may_free_the_queue(void **state)
{
    struct queue_fixture *f = *state;
    struct job_new job = simple_job("SHOP-1", 0);
    struct answer never = answer_new();
    struct error err = ERROR_INIT;

    open_queue(f, (struct queue_options){ 0 });
    assert_non_null(queue_enqueue(f->q, &job, NULL, 0, free_queue, f, &err));
    for (int i = 0; i < 10; i++)
        ask_enqueue(f, "SHOP-2", 0, &never);
    run_until(f, &f->wakes, 100, 5000);
    for (int i = 0; i < 20; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(0, never.count);
}

static void stopped(void *user)
{
    ++*(int *)user;
}

static void stopping_carries_out_what_waits(void **state)
{
    struct queue_fixture *f = *state;
    struct job_new job = simple_job("SHOP-1", 0);
    struct answer answers[100];
    struct error err = ERROR_INIT;
    int n_stopped = 0;

    open_queue(f, (struct queue_options){ 0 });
    for (int i = 0; i < 100; i++) {
        answers[i] = answer_new();
        ask_enqueue(f, "SHOP-1", 0, &answers[i]);
    }
    queue_stop(f->q, stopped, &n_stopped);
    assert_int_equal(0, n_stopped);
    assert_null(queue_enqueue(f->q, &job, NULL, 0, on_answer, &answers[0], &err));
    assert_int_equal(ERR_STORE, err.code);
    error_clear(&err);
    run_until(f, &n_stopped, 1, 5000);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(1, answers[i].count);
        assert_true(answers[i].ok);
        answer_clear(&answers[i]);
    }
    assert_int_equal(0, uv_run(&f->loop, UV_RUN_DEFAULT));
    assert_int_equal(1, n_stopped);
}

static void stopping_an_idle_queue_answers_later_too(void **state)
{
    struct queue_fixture *f = *state;
    int n_stopped = 0;

    open_queue(f, (struct queue_options){ 0 });
    queue_stop(f->q, stopped, &n_stopped);
    assert_int_equal(0, n_stopped);
    run_until(f, &n_stopped, 1, 5000);
}

static void the_limit_of_waiting_jobs_is_an_outcome(void **state)
{
    struct queue_fixture *f = *state;
    struct answer answers[5];

    open_queue(f, (struct queue_options){ .max_queued = 3 });
    for (int i = 0; i < 5; i++) {
        answers[i] = answer_new();
        ask_enqueue(f, "SHOP-1", 0, &answers[i]);
    }
    for (int i = 0; i < 5; i++) {
        run_until(f, &answers[i].count, 1, 5000);
        assert_true(answers[i].ok);
        assert_int_equal(i < 3 ? STORE_OK : STORE_FULL, answers[i].outcome);
        answer_clear(&answers[i]);
    }
}

static void one_request_that_cannot_be_stored_does_not_spoil_its_group(void **state)
{
    struct queue_fixture *f = *state;
    struct answer answers[20];
    struct job_new job = simple_job("SHOP-1", 0);
    struct error err = ERROR_INIT;
    char *large = xmalloc(STORE_MAX_TEXT + 2);

    memset(large, 'x', STORE_MAX_TEXT + 1);
    large[STORE_MAX_TEXT + 1] = '\0';
    job.request = large;
    open_queue(f, (struct queue_options){ .patience_ms = 20000 });
    for (int i = 0; i < 20; i++) {
        answers[i] = answer_new();
        if (i == 5 || i == 12)
            assert_non_null(queue_enqueue(f->q, &job, NULL, 0, on_answer, &answers[i], &err));
        else
            ask_enqueue(f, "SHOP-1", 0, &answers[i]);
    }
    for (int i = 0; i < 20; i++) {
        run_until(f, &answers[i].count, 1, 20000);
        assert_int_equal(i != 5 && i != 12, answers[i].ok);
        if (!answers[i].ok)
            assert_non_null(strstr(error_text(&answers[i].err), "too large"));
        answer_clear(&answers[i]);
    }
    free(large);
}

static void work_that_is_due_wakes(void **state)
{
    struct queue_fixture *f = *state;
    struct answer a = answer_new();

    open_queue(f, (struct queue_options){ 0 });
    AWAIT(f, STORE_OK, &a, queue_counts(f->q, on_answer, &a, &err));
    assert_int_equal(0, f->wakes);
    AWAIT(f, STORE_OK, &a, ask_enqueue(f, "SHOP-1", 0, &a));
    run_until(f, &f->wakes, 1, 1000);
    answer_clear(&a);
}

/* ---- every operation reaches the store as it was asked ---- */

static void toy_hash(void *user, const struct audit_entry *entry, struct buf *ret_hash)
{
    buf_addf(ret_hash, "%s/%s", (const char *)user, entry->payload);
}

static void every_call_reaches_the_store(void **state)
{
    struct queue_fixture *f = *state;
    struct answer a = answer_new();
    const char *const keys[] = { "env:1", "trigger:1" };
    struct job_new job = simple_job("SHOP-1", JOB_PRIORITY_PERSON);
    char step_id[] = "logs", status[] = "complete", data[] = "{}", key[] = "k";
    struct job_step step = { step_id, 6, status, data, 0 };
    struct job_issue issue = { "acme", "42", "SHOP-1A2", "title", "https://sentry.io/42" };

    job.response_url = "https://hooks.slack.com/1";
    open_queue(f, (struct queue_options){ 0 });
    AWAIT(f, STORE_OK, &a, queue_enqueue(f->q, &job, keys, 2, on_answer, &a, &err));
    char *id = xstrdup(a.text);
    AWAIT(f, STORE_EXISTS, &a, queue_enqueue(f->q, &job, keys + 1, 1, on_answer, &a, &err));
    assert_string_equal(id, a.text);
    AWAIT(f, STORE_OK, &a, queue_position(f->q, id, on_answer, &a, &err));
    assert_int_equal(0, a.number);
    AWAIT(f, STORE_OK, &a, queue_claim(f->q, "me", LEASE, NULL, on_answer, &a, &err));
    assert_string_equal("me", a.job.owner);
    assert_string_equal(job.response_url, a.job.response_url);
    struct job_ref ref = { id, a.job.fence };

    AWAIT(f, STORE_OK, &a, queue_heartbeat(f->q, ref, LEASE, on_answer, &a, &err));
    assert_false(a.cancel);
    AWAIT(f, STORE_OK, &a, queue_set_playbook(f->q, ref, "p", "h", T0, on_answer, &a, &err));
    AWAIT(f, STORE_OK, &a, queue_set_issue(f->q, ref, &issue, on_answer, &a, &err));
    AWAIT(f, STORE_OK, &a, queue_checkpoint(f->q, ref, &step, on_answer, &a, &err));
    AWAIT(f, STORE_OK, &a, queue_steps(f->q, id, on_answer, &a, &err));
    assert_int_equal(1, a.n);
    AWAIT(f, STORE_OK, &a,
          queue_message_intend(f->q, ref, "root", "C1", NULL, 1000, on_answer, &a, &err));
    AWAIT(f, STORE_OK, &a, queue_message_unknown(f->q, ref, "root", on_answer, &a, &err));
    AWAIT(f, STORE_UNRESOLVED, &a,
          queue_message_intend(f->q, ref, "root", "C1", NULL, 1000, on_answer, &a, &err));
    assert_string_equal("root", a.text);
    AWAIT(f, STORE_OK, &a, queue_message_absent(f->q, ref, "root", on_answer, &a, &err));
    AWAIT(f, STORE_OK, &a,
          queue_message_sent(f->q, ref, "root", "C2", "1.5", "hash", true, on_answer, &a, &err));
    AWAIT(f, STORE_OK, &a, queue_message_edit(f->q, ref, "root", 1000, on_answer, &a, &err));
    AWAIT(f, STORE_OK, &a, queue_messages(f->q, id, on_answer, &a, &err));
    assert_int_equal(1, a.n);
    AWAIT(f, STORE_OK, &a, queue_drop_response_url(f->q, id, on_answer, &a, &err));
    AWAIT(f, STORE_OK, &a, queue_cancel(f->q, id, "U2", on_answer, &a, &err));
    AWAIT(f, STORE_OK, &a, queue_heartbeat(f->q, ref, LEASE, on_answer, &a, &err));
    assert_true(a.cancel);

    AWAIT(f, STORE_OK, &a, queue_release(f->q, ref, on_answer, &a, &err));
    AWAIT(f, STORE_LEASE_LOST, &a, queue_heartbeat(f->q, ref, LEASE, on_answer, &a, &err));
    AWAIT(f, STORE_OK, &a, queue_claim(f->q, "me", LEASE, NULL, on_answer, &a, &err));
    ref.fence = a.job.fence;
    AWAIT(f, STORE_OK, &a, queue_retry(f->q, ref, "why", NULL, on_answer, &a, &err));
    AWAIT(f, STORE_OK, &a, queue_claim(f->q, "me", LEASE, NULL, on_answer, &a, &err));
    ref.fence = a.job.fence;
    struct job_result result = { .state = JOB_DONE,
                                 .report = "{\"r\":1}",
                                 .evidence = "{}",
                                 .cause = "database_down",
                                 .confidence = "high",
                                 .summary = "s",
                                 .target_host = "db",
                                 .target_port = "5432",
                                 .fingerprint = "fp" };
    AWAIT(f, STORE_OK, &a, queue_finish(f->q, ref, &result, on_answer, &a, &err));
    AWAIT(f, STORE_OK, &a, queue_get(f->q, id, on_answer, &a, &err));
    assert_int_equal(JOB_DONE, a.job.state);
    assert_string_equal("p", a.job.playbook);
    assert_string_equal("SHOP-1A2", a.job.issue_short_id);
    assert_string_equal("1.5", a.job.thread_ts);
    assert_string_equal("U2", a.job.cancel_by);
    assert_string_equal("fp", a.job.fingerprint);
    AWAIT(f, STORE_OK, &a, queue_report(f->q, id, on_answer, &a, &err));
    assert_string_equal("{\"r\":1}", a.text);
    AWAIT(f, STORE_OK, &a, queue_attempts(f->q, id, on_answer, &a, &err));
    assert_int_equal(3, a.n);

    struct store_filter filter = { .issue = "shop-1a2", .workspace = "T1", .host = "db" };
    AWAIT(f, STORE_OK, &a, queue_list(f->q, &filter, on_answer, &a, &err));
    assert_int_equal(1, a.n);
    struct store_seen_query seen = { .issue_org = "acme", .issue_id = "42" };
    AWAIT(f, STORE_OK, &a, queue_seen_before(f->q, &seen, on_answer, &a, &err));
    struct job_feedback_new feedback = {
        .job_id = id, .workspace = "T1", .person = "U1", .verdict = "right"
    };
    AWAIT(f, STORE_OK, &a, queue_feedback_put(f->q, &feedback, on_answer, &a, &err));
    AWAIT(f, STORE_OK, &a, queue_feedback_list(f->q, NULL, on_answer, &a, &err));
    assert_int_equal(1, a.n);
    AWAIT(f, STORE_OK, &a, queue_audit_append(f->q, "payload", toy_hash, key, on_answer, &a, &err));
    assert_int_equal(1, a.number);
    AWAIT(f, STORE_OK, &a, queue_audit_list(f->q, 1, 10, on_answer, &a, &err));
    assert_int_equal(1, a.n);
    AWAIT(f, STORE_OK, &a, queue_setting_put(f->q, "T1", "k", "v", on_answer, &a, &err));
    AWAIT(f, STORE_OK, &a, queue_setting_get(f->q, "T1", "k", on_answer, &a, &err));
    assert_string_equal("v", a.text);
    AWAIT(f, STORE_OK, &a, queue_requeue(f->q, id, REQUEUE_FRESH, on_answer, &a, &err));
    AWAIT(f, STORE_OK, &a, queue_purge(f->q, 0, 10, on_answer, &a, &err));
    assert_int_equal(0, a.number);
    AWAIT(f, f->pg ? STORE_REFUSED : STORE_OK, &a, queue_adopt(f->q, NULL, on_answer, &a, &err));
    AWAIT(f, STORE_NONE, &a, queue_get(f->q, "000000000000000000", on_answer, &a, &err));
    answer_clear(&a);
    free(id);
}

/* ---- a store that cannot work ---- */

static void assert_fails_in_time(struct queue_fixture *f, struct answer *a, const char *says)
{
    answer_clear(a);
    *a = answer_new();
    await(f, ask_enqueue(f, "SHOP-1", 0, a), a);
    assert_false(a->ok);
    assert_int_equal(ERR_STORE, a->err.code);
    if (!strstr(error_text(&a->err), says))
        fail_msg("\"%s\" lacks \"%s\"", error_text(&a->err), says);
    assert_true(a->took_ms < 10000);
}

static void a_full_disk_is_an_error_and_passes(void **state)
{
    struct queue_fixture *f = *state;
    struct answer a = answer_new(), kept = answer_new();
    struct queue_stats stats;

    open_queue(f, (struct queue_options){ .patience_ms = 600 });
    AWAIT(f, STORE_OK, &a, ask_enqueue(f, "SHOP-1", 0, &a));
    AWAIT(f, STORE_OK, &a, queue_claim(f->q, "a", LEASE, NULL, on_answer, &a, &err));
    struct job_ref ref = { a.job.id, a.job.fence };
    struct error none = ERROR_INIT;

    limit_file_size(1);
    /* What a running job must not lose is kept until there is room again. */
    assert_non_null(queue_finish(f->q, ref, &(struct job_result){ .state = JOB_DONE }, on_answer,
                                 &kept, &none));
    struct answer failing = answer_new();
    assert_fails_in_time(f, &failing, "no room to write");
    queue_get_stats(f->q, &stats);
    assert_true(stats.away_since_ms != TIME_UNKNOWN);
    /* Looking still works. */
    struct answer counts = answer_new();
    AWAIT(f, STORE_OK, &counts, queue_counts(f->q, on_answer, &counts, &err));
    limit_file_size(RLIM_INFINITY);

    run_until(f, &kept.count, 1, 5000);
    assert_true(kept.ok && kept.outcome == STORE_OK);
    AWAIT(f, STORE_OK, &counts, ask_enqueue(f, "SHOP-2", 0, &counts));
    queue_get_stats(f->q, &stats);
    assert_true(stats.away_since_ms == TIME_UNKNOWN);
    queue_free(f->q);
    f->q = NULL;
    struct store *st = open_store(f->url);
    ASSERT_OUTCOME(STORE_OK, store_check(st, &err));
    store_close(st);
    answer_clear(&a);
    answer_clear(&kept);
    answer_clear(&failing);
    answer_clear(&counts);
}

static void a_store_locked_by_others_is_an_error_and_passes(void **state)
{
    struct queue_fixture *f = *state;
    struct answer a = answer_new();
    sqlite3 *other;

    open_queue(f, (struct queue_options){ .patience_ms = 2000 });
    assert_int_equal(SQLITE_OK, sqlite3_open(f->url + strlen("sqlite:"), &other));
    assert_int_equal(SQLITE_OK, sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL));
    assert_fails_in_time(f, &a, "store a job");
    assert_int_equal(SQLITE_OK, sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL));
    sqlite3_close(other);
    AWAIT(f, STORE_OK, &a, ask_enqueue(f, "SHOP-2", 0, &a));
    answer_clear(&a);
}

static void a_server_that_restarts_in_the_middle_is_waited_for(void **state)
{
    struct queue_fixture *f = *state;
    struct answer a = answer_new(), kept = answer_new(), claimed = answer_new();
    struct error none = ERROR_INIT;

    open_queue(f, (struct queue_options){ .patience_ms = 2000 });
    AWAIT(f, STORE_OK, &a, ask_enqueue(f, "SHOP-1", 0, &a));
    AWAIT(f, STORE_OK, &claimed, queue_claim(f->q, "a", LEASE, NULL, on_answer, &claimed, &err));
    struct job_ref ref = { claimed.job.id, claimed.job.fence };
    pg_stop(f->pg, SIGINT);
    assert_non_null(queue_finish(f->q, ref, &(struct job_result){ .state = JOB_DONE }, on_answer,
                                 &kept, &none));
    assert_fails_in_time(f, &a, "PostgreSQL");
    assert_int_equal(0, kept.count);
    pg_start(f->pg);
    run_until(f, &kept.count, 1, 10000);
    assert_true(kept.ok && kept.outcome == STORE_OK);
    /* Connecting anew counts as news, since notifications may have been missed. */
    int wakes = f->wakes;
    AWAIT(f, STORE_OK, &a, ask_enqueue(f, "SHOP-2", 0, &a));
    run_until(f, &f->wakes, wakes + 1, 1000);
    answer_clear(&a);
    answer_clear(&kept);
    answer_clear(&claimed);
}

static void a_server_that_crashes_and_recovers_loses_nothing(void **state)
{
    struct queue_fixture *f = *state;
    struct answer answers[50], a = answer_new();

    open_queue(f, (struct queue_options){ .patience_ms = 20000 });
    for (int i = 0; i < 50; i++) {
        answers[i] = answer_new();
        ask_enqueue(f, "SHOP-1", 0, &answers[i]);
        if (i == 25) {
            run_until(f, &answers[5].count, 1, 5000);
            pg_stop(f->pg, SIGQUIT); /* no clean shutdown: recovery from its log */
            pg_start(f->pg);
        }
    }
    for (int i = 0; i < 50; i++) {
        run_until(f, &answers[i].count, 1, 20000);
        assert_true(answers[i].ok);
        answer_clear(&answers[i]);
    }
    AWAIT(f, STORE_OK, &a,
          queue_list(f->q, &(struct store_filter){ .limit = 100 }, on_answer, &a, &err));
    assert_int_equal(50, a.n);
    answer_clear(&a);
}

static void a_server_that_hangs_is_an_error_and_passes(void **state)
{
    struct queue_fixture *f = *state;
    struct answer a = answer_new();

    open_queue(f, (struct queue_options){ .patience_ms = 2000 });
    AWAIT(f, STORE_OK, &a, ask_enqueue(f, "SHOP-1", 0, &a));
    pg_signal_all(f->pg, SIGSTOP);
    assert_fails_in_time(f, &a, "store a job");
    pg_signal_all(f->pg, SIGCONT);
    int64_t end = clock_mono_ms() + 10000;
    do {
        answer_clear(&a);
        a = answer_new();
        await(f, ask_enqueue(f, "SHOP-2", 0, &a), &a);
    } while (!a.ok && clock_mono_ms() < end);
    assert_true(a.ok);
    answer_clear(&a);
}

static void a_locked_row_holds_up_nobody_else(void **state)
{
    struct queue_fixture *f = *state;
    struct answer a = answer_new(), locked = answer_new();
    struct error none = ERROR_INIT;

    open_queue(f, (struct queue_options){ .patience_ms = 5000 });
    AWAIT(f, STORE_OK, &a, ask_enqueue(f, "SHOP-1", 0, &a));
    pid_t holder = pg_sql_start(f->pg, "BEGIN; UPDATE dbconn.jobs SET touched_ms = 0; "
                                       "SELECT pg_sleep(6)");
    usleep(500000);
    assert_non_null(queue_cancel(f->q, a.text, "U1", on_answer, &locked, &none));
    answer_clear(&a);
    a = answer_new();
    await(f, ask_enqueue(f, "SHOP-2", 0, &a), &a);
    assert_true(a.ok);
    run_until(f, &locked.count, 1, 5000);
    assert_false(locked.ok);
    assert_non_null(strstr(error_text(&locked.err), "end its transaction"));
    waitpid(holder, NULL, 0);
    answer_clear(&a);
    answer_clear(&locked);
}

static void news_from_another_replica_wakes(void **state)
{
    struct queue_fixture *f = *state;
    struct answer a = answer_new();
    char id[JOB_ID_LEN + 1];

    open_queue(f, (struct queue_options){ 0 });
    AWAIT(f, STORE_OK, &a, queue_counts(f->q, on_answer, &a, &err));
    assert_int_equal(0, f->wakes);
    struct store *other = open_store(f->url);
    add_job(other, "SHOP-1", 0, T0, id);
    run_until(f, &f->wakes, 1, 1000);
    store_close(other);
    answer_clear(&a);
}

static void a_url_that_cannot_be_opened_is_said_so(void **state)
{
    static const struct {
        const char *url, *says;
        enum err_code code;
    } rows[] = {
        { "mysql://u:geheim@h/d", "unknown kind of database URL \"mysql\"", ERR_CONFIG },
        { "sqlite:", "lacks the file's path", ERR_CONFIG },
        { "", "no database URL", ERR_CONFIG },
        { "sqlite:/nonexistent/queue.db", "the folder must exist", ERR_STORE },
        { "sqlite:/tmp", "is not a file", ERR_STORE },
        { "postgresql://u:geheim@127.0.0.1:1/d", "cannot connect to PostgreSQL", ERR_STORE },
    };
    struct queue_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error err = ERROR_INIT;
        assert_int_equal(-1, queue_open(&f->loop, rows[i].url, NULL, &f->q, &err));
        assert_int_equal(rows[i].code, err.code);
        if (!strstr(error_text(&err), rows[i].says))
            fail_msg("\"%s\" lacks \"%s\"", error_text(&err), rows[i].says);
        assert_null(strstr(error_text(&err), "geheim"));
        error_clear(&err);
    }
}

enum { SQLITE = 1, POSTGRES = 2, BOTH = 3 };
#define TEST(stores, name)                                                                         \
    {                                                                                              \
        stores, #name, name                                                                        \
    }
static const struct {
    int stores;
    const char *name;
    CMUnitTestFunction run;
} tests[] = {
    TEST(BOTH, an_answer_comes_once_and_later),
    TEST(BOTH, the_loop_lives_while_somebody_waits_and_ends_when_nobody_does),
    TEST(BOTH, calls_that_wait_together_share_a_commit),
    TEST(BOTH, a_cancelled_call_never_answers),
    TEST(BOTH, an_answer_may_cancel_the_next_one),
    TEST(BOTH, an_answer_may_free_the_queue),
    TEST(BOTH, stopping_carries_out_what_waits),
    TEST(BOTH, stopping_an_idle_queue_answers_later_too),
    TEST(BOTH, the_limit_of_waiting_jobs_is_an_outcome),
    TEST(BOTH, one_request_that_cannot_be_stored_does_not_spoil_its_group),
    TEST(BOTH, work_that_is_due_wakes),
    TEST(BOTH, every_call_reaches_the_store),
    TEST(SQLITE, a_full_disk_is_an_error_and_passes),
    TEST(SQLITE, a_store_locked_by_others_is_an_error_and_passes),
    TEST(SQLITE, a_url_that_cannot_be_opened_is_said_so),
    TEST(POSTGRES, a_server_that_restarts_in_the_middle_is_waited_for),
    TEST(POSTGRES, a_server_that_crashes_and_recovers_loses_nothing),
    TEST(POSTGRES, a_server_that_hangs_is_an_error_and_passes),
    TEST(POSTGRES, a_locked_row_holds_up_nobody_else),
    TEST(POSTGRES, news_from_another_replica_wakes),
};

static int run_on(const char *name, int store, struct pg_server *pg)
{
    struct CMUnitTest chosen[ARRAY_LEN(tests)];
    struct queue_fixture fixture = { .pg = pg };
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
        if (tests[i].stores & store)
            chosen[n++] = (struct CMUnitTest){ tests[i].name, tests[i].run, queue_set_up,
                                               queue_tear_down, &fixture };
    }
    return _cmocka_run_group_tests(name, chosen, n, NULL, NULL);
}

int main(void)
{
    struct pg_server pg;
    int failed = run_on("queue on sqlite", SQLITE, NULL);

    if (!pg_create(&pg)) {
        fputs("SKIPPED: the PostgreSQL half: no server programs in /usr/lib/postgresql\n", stderr);
        return failed;
    }
    failed += run_on("queue on postgresql", POSTGRES, &pg);
    pg_destroy(&pg);
    return failed;
}
