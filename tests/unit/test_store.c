/* The contract of the store: jobs come in, are handed out, end. */
#include "store_contract.h"

/* ---- taking work in ---- */

static void a_job_is_kept_as_it_was_given(void **state)
{
    struct job_new given = {
        .priority = JOB_PRIORITY_PERSON,
        .source = "slash",
        .workspace = "T1",
        .channel = "C1",
        .requester = "U1",
        .thread_ts = "1786.0001",
        .issue_ref = "SHOP-1A2 'quoted' \xE2\x9C\x93",
        .request = "{\"text\":\"x\"}",
        .playbook = "database-connection-refused",
        .playbook_hash = "abc",
        .evaluated_ms = T0 - 5,
        .parent_id = "0123456789abcdefgh",
        .response_url = "https://hooks.slack.com/commands/1",
    };
    char id[JOB_ID_LEN + 1];

    ASSERT_OUTCOME(STORE_OK, store_enqueue(st_of(state), &given, NULL, 0, 0, T0, id, &err));
    assert_true(job_id_is_valid(id));
    struct job job = get_job(st_of(state), id);
    assert_string_equal(id, job.id);
    assert_int_equal(JOB_QUEUED, job.state);
    assert_int_equal(JOB_PRIORITY_PERSON, job.priority);
    assert_string_equal("slash", job.source);
    assert_string_equal("T1", job.workspace);
    assert_string_equal("C1", job.channel);
    assert_string_equal("U1", job.requester);
    assert_string_equal("1786.0001", job.thread_ts);
    assert_string_equal(given.issue_ref, job.issue_ref);
    assert_string_equal(given.request, job.request);
    assert_string_equal(given.playbook, job.playbook);
    assert_string_equal("abc", job.playbook_hash);
    assert_string_equal(given.parent_id, job.parent_id);
    assert_int_equal(T0 - 5, job.evaluated_ms);
    assert_int_equal(T0, job.created_ms);
    assert_int_equal(T0, job.next_due_ms);
    assert_true(job.started_ms == TIME_UNKNOWN && job.finished_ms == TIME_UNKNOWN);
    assert_true(job.lease_until_ms == TIME_UNKNOWN);
    assert_int_equal(0, job.attempts);
    assert_null(job.owner);
    assert_null(job.issue_id);
    assert_null(job.response_url); /* a secret: only who runs the job gets it */
    job_clear(&job);
}

static void the_caller_may_choose_the_id_and_say_it_twice(void **state)
{
    struct job_new job = simple_job("SHOP-1", 0);
    char chosen[JOB_ID_LEN + 1], id[JOB_ID_LEN + 1];
    const char *const keys[] = { "trigger:1" };

    job_id_make(T0, chosen);
    job.id = chosen;
    for (int i = 0; i < 2; i++) { /* as after a commit whose answer got lost */
        ASSERT_OUTCOME(STORE_OK, store_enqueue(st_of(state), &job, keys, 1, 0, T0, id, &err));
        assert_string_equal(chosen, id);
    }
    struct store_counts counts;
    ASSERT_OUTCOME(STORE_OK, store_counts(st_of(state), &counts, &err));
    assert_int_equal(1, counts.by_state[JOB_QUEUED]);
}

static void any_dedupe_key_finds_the_first_job(void **state)
{
    static const struct {
        const char *keys[STORE_MAX_KEYS];
        size_t n;
        enum store_outcome outcome;
        int same_as; /* row */
    } rows[] = {
        { { "env:1", "trigger:1" }, 2, STORE_OK, 0 },
        { { "env:1", "trigger:1" }, 2, STORE_EXISTS, 0 },
        { { "env:2", "trigger:1" }, 2, STORE_EXISTS, 0 }, /* a new envelope, the same gesture */
        { { "env:2" }, 1, STORE_EXISTS, 0 },              /* which is known from then on */
        { { "env:3", "trigger:3", "x:3", "y:3" }, 4, STORE_OK, 4 },
        { { "y:3", "env:9" }, 2, STORE_EXISTS, 4 },
        { { "env:5", "env:5" }, 2, STORE_OK, 6 }, /* one key given twice */
        { { NULL }, 0, STORE_OK, 7 },             /* none: always a new job */
        { { NULL }, 0, STORE_OK, 8 },
    };
    char ids[ARRAY_LEN(rows)][JOB_ID_LEN + 1];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct job_new job = simple_job("SHOP-1", 0);
        ASSERT_OUTCOME(rows[i].outcome, store_enqueue(st_of(state), &job, rows[i].keys, rows[i].n,
                                                      0, T0, ids[i], &err));
        assert_string_equal(ids[rows[i].same_as], ids[i]);
    }
}

static void dedupe_keys_are_kept_for_ten_minutes_and_then_purged(void **state)
{
    struct job_new job = simple_job("SHOP-1", 0);
    const char *const keys[] = { "env:1" };
    char first[JOB_ID_LEN + 1], id[JOB_ID_LEN + 1];
    int64_t n;

    ASSERT_OUTCOME(STORE_OK, store_enqueue(st_of(state), &job, keys, 1, 0, T0, first, &err));
    ASSERT_OUTCOME(STORE_OK, store_purge(st_of(state), 0, 100, T0 + 10 * MINUTE_MS, &n, &err));
    ASSERT_OUTCOME(STORE_EXISTS,
                   store_enqueue(st_of(state), &job, keys, 1, 0, T0 + 10 * MINUTE_MS, id, &err));
    assert_string_equal(first, id);
    ASSERT_OUTCOME(STORE_OK, store_purge(st_of(state), 0, 100, T0 + HOUR_MS, &n, &err));
    ASSERT_OUTCOME(STORE_OK, store_enqueue(st_of(state), &job, keys, 1, 0, T0 + HOUR_MS, id, &err));
    assert_string_not_equal(first, id);
}

static void a_full_queue_refuses_but_still_knows_what_it_has(void **state)
{
    struct job_new job = simple_job("SHOP-1", 0);
    const char *const keys[][1] = { { "env:0" }, { "env:1" }, { "env:2" } };
    char ids[3][JOB_ID_LEN + 1], id[JOB_ID_LEN + 1] = "untouched";
    struct store *st = st_of(state);

    for (int i = 0; i < 2; i++)
        ASSERT_OUTCOME(STORE_OK, store_enqueue(st, &job, keys[i], 1, 2, T0, ids[i], &err));
    ASSERT_OUTCOME(STORE_FULL, store_enqueue(st, &job, keys[2], 1, 2, T0, id, &err));
    assert_string_equal("untouched", id);
    ASSERT_OUTCOME(STORE_EXISTS, store_enqueue(st, &job, keys[1], 1, 2, T0, id, &err));
    assert_string_equal(ids[1], id);
    /* What was refused left no key behind, and room is room again. */
    struct job running = claim_one(st, "a", T0);
    ASSERT_OUTCOME(STORE_OK, store_enqueue(st, &job, keys[2], 1, 2, T0, ids[2], &err));
    job_clear(&running);
}

static void the_limit_holds_within_a_group(void **state)
{
    struct job_new job = simple_job("SHOP-1", 0);
    struct store *st = st_of(state);
    struct error why = ERROR_INIT;
    char id[JOB_ID_LEN + 1];

    assert_int_equal(0, store_begin(st, true, &why));
    for (int i = 0; i < 5; i++)
        ASSERT_OUTCOME(i < 3 ? STORE_OK : STORE_FULL,
                       store_enqueue(st, &job, NULL, 0, 3, T0, id, &err));
    assert_int_equal(0, store_commit(st, &why));
}

static void a_new_job_knows_its_place(void **state)
{
    static const struct {
        int priority;
        int64_t ahead;
    } rows[] = { { JOB_PRIORITY_AUTOMATIC, 0 }, { JOB_PRIORITY_AUTOMATIC, 1 },
                 { JOB_PRIORITY_PERSON, 0 },    { JOB_PRIORITY_PERSON, 1 },
                 { JOB_PRIORITY_AUTOMATIC, 4 }, { JOB_PRIORITY_CONTROL, 0 } };
    struct store *st = st_of(state);
    struct error why = ERROR_INIT;

    for (int grouped = 0; grouped < 2; grouped++) {
        char ids[ARRAY_LEN(rows)][JOB_ID_LEN + 1];
        if (grouped)
            assert_int_equal(0, store_begin(st, true, &why));
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            int64_t ahead = -1, exact = -1;
            add_job(st, "SHOP-1", rows[i].priority, T0, ids[i]);
            ASSERT_OUTCOME(STORE_OK, store_last_place(st, rows[i].priority, &ahead, &err));
            ASSERT_OUTCOME(STORE_OK, store_position(st, ids[i], &exact, &err));
            assert_int_equal(rows[i].ahead, ahead);
            assert_int_equal(rows[i].ahead, exact);
        }
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            struct job job = claim_one(st, "a", T0);
            job_clear(&job);
        }
        if (grouped)
            assert_int_equal(0, store_commit(st, &why));
    }
}

static void a_group_is_kept_or_undone_as_a_whole(void **state)
{
    struct store *st = st_of(state);
    struct error why = ERROR_INIT;
    struct store_counts counts;
    char id[JOB_ID_LEN + 1];

    for (int keep = 0; keep < 2; keep++) {
        assert_int_equal(0, store_begin(st, true, &why));
        add_job(st, "SHOP-1", 0, T0, id);
        add_job(st, "SHOP-2", 0, T0, id);
        if (keep)
            assert_int_equal(0, store_commit(st, &why));
        else
            store_rollback(st);
        ASSERT_OUTCOME(STORE_OK, store_counts(st, &counts, &err));
        assert_int_equal(keep ? 2 : 0, counts.by_state[JOB_QUEUED]);
    }
}

static void enqueuing_is_news_and_reading_is_not(void **state)
{
    struct store *st = st_of(state);
    struct store_counts counts;
    char id[JOB_ID_LEN + 1];

    assert_false(store_take_news(st));
    add_job(st, "SHOP-1", 0, T0, id);
    assert_true(store_take_news(st));
    assert_false(store_take_news(st));
    ASSERT_OUTCOME(STORE_OK, store_counts(st, &counts, &err));
    assert_false(store_take_news(st));
}

/* ---- handing it out ---- */

static void jobs_are_claimed_by_priority_then_arrival(void **state)
{
    static const struct {
        const char *ref;
        int priority;
    } in[] = { { "a", JOB_PRIORITY_AUTOMATIC },
               { "b", JOB_PRIORITY_PERSON },
               { "c", JOB_PRIORITY_AUTOMATIC },
               { "d", JOB_PRIORITY_PERSON } };
    static const char *const out[] = { "b", "d", "a", "c" };
    char id[JOB_ID_LEN + 1];

    for (size_t i = 0; i < ARRAY_LEN(in); i++)
        add_job(st_of(state), in[i].ref, in[i].priority, T0, id);
    for (size_t i = 0; i < ARRAY_LEN(out); i++) {
        struct job job = claim_one(st_of(state), "owner", T0);
        assert_string_equal(out[i], job.issue_ref);
        assert_int_equal(JOB_RUNNING, job.state);
        assert_int_equal(1, job.attempts);
        assert_string_equal("owner", job.owner);
        assert_int_equal(T0 + LEASE, job.lease_until_ms);
        job_clear(&job);
    }
    assert_none_due(st_of(state), T0);
}

static void an_attempt_is_on_record_before_the_work_starts(void **state)
{
    struct store *st = st_of(state);
    struct job_attempt_list list = { 0 };
    char id[JOB_ID_LEN + 1];

    add_job(st, "SHOP-1", 0, T0, id);
    struct job job = claim_one(st, "host:1", T0 + 7);
    ASSERT_OUTCOME(STORE_OK, store_attempts(st, id, &list, &err));
    assert_int_equal(1, list.n);
    assert_int_equal(1, list.items[0].number);
    assert_string_equal("host:1", list.items[0].owner);
    assert_int_equal(T0 + 7, list.items[0].started_ms);
    assert_true(list.items[0].ended_ms == TIME_UNKNOWN);
    assert_null(list.items[0].outcome);
    job_attempt_list_clear(&list);

    end_job(st, &job, JOB_DONE, T0 + 9);
    ASSERT_OUTCOME(STORE_OK, store_attempts(st, id, &list, &err));
    assert_int_equal(T0 + 9, list.items[0].ended_ms);
    assert_string_equal("done", list.items[0].outcome);
    job_attempt_list_clear(&list);
    job_clear(&job);
}

static void a_lease_that_ran_out_is_offered_again(void **state)
{
    struct store *st = st_of(state);
    char id[JOB_ID_LEN + 1];

    add_job(st, "SHOP-1", 0, T0, id);
    struct job first = claim_one(st, "a", T0);
    assert_none_due(st, T0 + LEASE - 1);
    struct job second = claim_one(st, "b", T0 + LEASE);
    assert_string_equal(id, second.id);
    assert_true(second.fence > first.fence);
    assert_int_equal(2, second.attempts);
    assert_int_equal(first.started_ms, second.started_ms);

    struct job_attempt_list list = { 0 };
    ASSERT_OUTCOME(STORE_OK, store_attempts(st, id, &list, &err));
    assert_int_equal(2, list.n);
    assert_string_equal("lease_lost", list.items[0].outcome);
    assert_non_null(strstr(list.items[0].note, "held by a"));
    job_attempt_list_clear(&list);
    job_clear(&first);
    job_clear(&second);
}

static void a_lease_that_ran_out_unnoticed_can_be_renewed(void **state)
{
    struct store *st = st_of(state);
    char id[JOB_ID_LEN + 1];

    add_job(st, "SHOP-1", 0, T0, id);
    struct job job = claim_one(st, "a", T0);
    ASSERT_OUTCOME(STORE_OK, store_heartbeat(st, ref_of(&job), LEASE, T0 + 3 * LEASE, NULL, &err));
    assert_none_due(st, T0 + 4 * LEASE - 1);
    job_clear(&job);
}

static void back_off_grows_and_then_the_job_is_dead(void **state)
{
    static const int64_t pauses[] = { 0, 1000, 2000, 3000 }; /* base 1 s, at most 3 s */
    struct store_retry_policy policy = { .max_attempts = 5,
                                         .backoff_base_ms = 1000,
                                         .backoff_max_ms = 3000 };
    struct store *st = st_of(state);
    char id[JOB_ID_LEN + 1];
    int64_t now = T0;
    struct job job = { 0 };

    add_job(st, "SHOP-1", 0, now, id);
    for (int i = 0; i < 5; i++) {
        ASSERT_OUTCOME(STORE_OK, store_claim(st, "a", LEASE, &policy, now, &job, &err));
        assert_int_equal(i + 1, job.attempts);
        ASSERT_OUTCOME(STORE_OK,
                       store_retry(st, ref_of(&job), "Slack is away", &policy, now, &err));
        job_clear(&job);
        if (i == 4)
            break;
        if (pauses[i])
            ASSERT_OUTCOME(STORE_NONE,
                           store_claim(st, "a", LEASE, &policy, now + pauses[i] - 1, &job, &err));
        now += pauses[i];
    }
    job = get_job(st, id);
    assert_int_equal(JOB_DEAD, job.state);
    assert_string_equal("gave up after 5 attempts: Slack is away", job.error);
    assert_int_equal(now, job.finished_ms);
    job_clear(&job);
}

static void a_job_that_kills_its_process_is_not_tried_for_ever(void **state)
{
    struct store_retry_policy policy = { .max_attempts = 2, .backoff_base_ms = 1 };
    struct store *st = st_of(state);
    char id[JOB_ID_LEN + 1];
    struct job job = { 0 };
    int64_t now = T0;
    int dead = 0;

    add_job(st, "SHOP-1", 0, now, id);
    for (int i = 0; i < 20; i++) {
        struct error err = ERROR_INIT;
        if (store_claim(st, "a", LEASE, &policy, now, &job, &err) == STORE_OK)
            dead += job.state == JOB_DEAD;
        job_clear(&job);
        now += LEASE + 1;
    }
    assert_int_equal(3, dead); /* handed out to be announced, and then no more */
    assert_state(st, id, JOB_DEAD);
    job = get_job(st, id);
    assert_non_null(strstr(job.error, "gave up after 2 attempts: its lease ran out"));
    job_clear(&job);
}

static void a_dead_job_is_announced_once(void **state)
{
    struct store_retry_policy policy = { .max_attempts = 1 };
    struct store *st = st_of(state);
    struct job_result result = { .state = JOB_DEAD };
    char id[JOB_ID_LEN + 1];
    struct job job = { 0 };

    add_job(st, "SHOP-1", 0, T0, id);
    job = claim_one(st, "a", T0);
    ASSERT_OUTCOME(STORE_OK, store_retry(st, ref_of(&job), "no", &policy, T0, &err));
    job_clear(&job);
    job = claim_one(st, "a", T0);
    assert_int_equal(JOB_DEAD, job.state);
    /* it may post */
    ASSERT_OUTCOME(STORE_OK, store_message_intend(st, ref_of(&job), "diagnosis", "C1", NULL, 1000,
                                                  T0, NULL, &err));
    ASSERT_OUTCOME(STORE_OK, store_finish(st, ref_of(&job), &result, T0, &err));
    assert_none_due(st, T0 + DAY_MS);
    struct job stored = get_job(st, id);
    assert_string_equal("gave up after 1 attempts: no", stored.error);
    job_clear(&stored);
    job_clear(&job);
}

static void handing_over_costs_no_attempt(void **state)
{
    struct store *st = st_of(state);
    char id[JOB_ID_LEN + 1];

    add_job(st, "SHOP-1", 0, T0, id);
    for (int i = 0; i < 10; i++) {
        struct job job = claim_one(st, "a", T0);
        assert_int_equal(1, job.attempts);
        assert_int_equal(i + 1, job.attempts_total);
        ASSERT_OUTCOME(STORE_OK, store_release(st, ref_of(&job), T0, &err));
        ASSERT_OUTCOME(STORE_LEASE_LOST, store_heartbeat(st, ref_of(&job), LEASE, T0, NULL, &err));
        job_clear(&job);
    }
    assert_state(st, id, JOB_QUEUED);
}

static void a_heartbeat_tells_of_a_cancel_request(void **state)
{
    struct store *st = st_of(state);
    char id[JOB_ID_LEN + 1];
    bool cancel = true;

    add_job(st, "SHOP-1", 0, T0, id);
    struct job job = claim_one(st, "a", T0);
    ASSERT_OUTCOME(STORE_OK, store_heartbeat(st, ref_of(&job), LEASE, T0, &cancel, &err));
    assert_false(cancel);
    ASSERT_OUTCOME(STORE_OK, store_cancel(st, id, "U2", T0, &err));
    ASSERT_OUTCOME(STORE_EXISTS, store_cancel(st, id, "U3", T0, &err));
    ASSERT_OUTCOME(STORE_OK, store_heartbeat(st, ref_of(&job), LEASE, T0, &cancel, &err));
    assert_true(cancel);
    end_job(st, &job, JOB_CANCELLED, T0);
    ASSERT_OUTCOME(STORE_REFUSED, store_cancel(st, id, "U3", T0, &err));
    ASSERT_OUTCOME(STORE_NONE, store_cancel(st, "000000000000000000", "U3", T0, &err));
    struct job stored = get_job(st, id);
    assert_string_equal("U2", stored.cancel_by);
    job_clear(&stored);
    job_clear(&job);
}

static void a_cancelled_job_that_waits_goes_next(void **state)
{
    struct store *st = st_of(state);
    char first[JOB_ID_LEN + 1], second[JOB_ID_LEN + 1];

    add_job(st, "SHOP-1", JOB_PRIORITY_PERSON, T0, first);
    add_job(st, "SHOP-2", JOB_PRIORITY_AUTOMATIC, T0, second);
    ASSERT_OUTCOME(STORE_OK, store_cancel(st, second, "U2", T0, &err));
    struct job job = claim_one(st, "a", T0);
    assert_string_equal(second, job.id);
    assert_string_equal("U2", job.cancel_by);
    job_clear(&job);
}

static void ended_jobs_can_be_queued_again(void **state)
{
    static const struct {
        enum requeue_steps steps;
        size_t left;
    } rows[] = { { REQUEUE_KEEP_ALL, 2 }, { REQUEUE_KEEP_GOOD, 1 }, { REQUEUE_FRESH, 0 } };
    struct store *st = st_of(state);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char id[JOB_ID_LEN + 1], good[] = "complete", bad[] = "failed", a[] = "a", b[] = "b";
        struct job_step_list steps = { 0 };
        add_job(st, "SHOP-1", JOB_PRIORITY_PERSON, T0, id);
        ASSERT_OUTCOME(STORE_REFUSED, store_requeue(st, id, rows[i].steps, T0, &err));
        struct job job = claim_one(st, "a", T0);
        ASSERT_OUTCOME(STORE_REFUSED, store_requeue(st, id, rows[i].steps, T0, &err));
        ASSERT_OUTCOME(STORE_OK,
                       store_checkpoint(st, ref_of(&job), &(struct job_step){ a, 1, good, NULL, 0 },
                                        T0, &err));
        ASSERT_OUTCOME(
            STORE_OK,
            store_checkpoint(st, ref_of(&job), &(struct job_step){ b, 2, bad, NULL, 0 }, T0, &err));
        ASSERT_OUTCOME(STORE_OK, store_cancel(st, id, "U9", T0, &err));
        end_job(st, &job, JOB_CANCELLED, T0);
        ASSERT_OUTCOME(STORE_OK, store_requeue(st, id, rows[i].steps, T0 + 1, &err));
        ASSERT_OUTCOME(STORE_OK, store_steps(st, id, &steps, &err));
        assert_int_equal(rows[i].left, steps.n);
        struct job again = claim_one(st, "b", T0 + 1);
        assert_string_equal(id, again.id);
        assert_int_equal(1, again.attempts);
        assert_int_equal(JOB_PRIORITY_PERSON, again.priority);
        assert_null(again.cancel_by);
        assert_true(again.finished_ms == TIME_UNKNOWN);
        job_step_list_clear(&steps);
        job_clear(&job);
        job_clear(&again);
    }
    ASSERT_OUTCOME(STORE_NONE, store_requeue(st, "000000000000000000", REQUEUE_FRESH, T0, &err));
}

static void a_response_url_is_short_lived_and_for_the_owner_only(void **state)
{
    struct job_new given = simple_job("SHOP-1", 0);
    struct store *st = st_of(state);
    char id[JOB_ID_LEN + 1];
    struct job_list list = { 0 };
    int64_t n;

    given.response_url = "https://hooks.slack.com/commands/secret";
    given.response_url_ttl_ms = DAY_MS; /* cut to half an hour */
    ASSERT_OUTCOME(STORE_OK, store_enqueue(st, &given, NULL, 0, 0, T0, id, &err));
    ASSERT_OUTCOME(STORE_OK, store_list(st, &(struct store_filter){ 0 }, &list, &err));
    assert_null(list.items[0].response_url);
    job_list_clear(&list);

    struct job job = claim_one(st, "a", T0 + 30 * MINUTE_MS - 1);
    assert_string_equal(given.response_url, job.response_url);
    ASSERT_OUTCOME(STORE_OK, store_release(st, ref_of(&job), T0, &err));
    job_clear(&job);
    job = claim_one(st, "a", T0 + 30 * MINUTE_MS);
    assert_null(job.response_url);
    ASSERT_OUTCOME(STORE_OK, store_release(st, ref_of(&job), T0, &err));
    job_clear(&job);
    ASSERT_OUTCOME(STORE_OK, store_purge(st, 0, 10, T0 + 30 * MINUTE_MS, &n, &err));
    ASSERT_OUTCOME(STORE_NONE, store_drop_response_url(st, id, &err));

    ASSERT_OUTCOME(STORE_OK, store_enqueue(st, &given, NULL, 0, 0, T0, id, &err));
    ASSERT_OUTCOME(STORE_OK, store_drop_response_url(st, id, &err));
    ASSERT_OUTCOME(STORE_NONE, store_drop_response_url(st, id, &err));
}

/* ---- odds and ends ---- */

static void text_that_is_no_utf8_is_repaired(void **state)
{
    struct job_new job = simple_job("bad \xFF\xC3 end", 0);
    char id[JOB_ID_LEN + 1];

    ASSERT_OUTCOME(STORE_OK, store_enqueue(st_of(state), &job, NULL, 0, 0, T0, id, &err));
    struct job stored = get_job(st_of(state), id);
    assert_string_equal("bad \xEF\xBF\xBD\xEF\xBF\xBD end", stored.issue_ref);
    job_clear(&stored);
}

static void a_value_that_is_too_large_fails_alone(void **state)
{
    struct job_new job = simple_job("SHOP-1", 0);
    char *large = xmalloc(STORE_MAX_TEXT + 2), id[JOB_ID_LEN + 1];
    struct error why = ERROR_INIT;

    memset(large, 'x', STORE_MAX_TEXT + 1);
    large[STORE_MAX_TEXT + 1] = '\0';
    job.request = large;
    assert_int_equal(-1, store_enqueue(st_of(state), &job, NULL, 0, 0, T0, id, &why));
    assert_int_equal(ERR_STORE, why.code);
    assert_non_null(strstr(error_text(&why), "too large"));
    assert_int_equal(STORE_FAULT_REQUEST, store_last_fault(st_of(state)));
    error_clear(&why);
    large[1 << 20] = '\0'; /* a megabyte is fine */
    ASSERT_OUTCOME(STORE_OK, store_enqueue(st_of(state), &job, NULL, 0, 0, T0, id, &err));
    struct job stored = get_job(st_of(state), id);
    assert_int_equal(1 << 20, strlen(stored.request));
    job_clear(&stored);
    free(large);
}

static void what_is_stored_outlives_the_process(void **state)
{
    struct fixture *f = *state;
    char id[JOB_ID_LEN + 1];

    add_job(f->st, "SHOP-1", 0, T0, id);
    store_close(f->st);
    f->st = open_store(f->url);
    assert_state(f->st, id, JOB_QUEUED);
    ASSERT_OUTCOME(STORE_OK, store_check(f->st, &err));
}

static void two_handles_never_claim_the_same_job(void **state)
{
    struct fixture *f = *state;
    struct store *other = open_store(f->url);
    char id[JOB_ID_LEN + 1], last[JOB_ID_LEN + 1] = "";

    for (int i = 0; i < 20; i++)
        add_job(f->st, "SHOP-1", 0, T0, id);
    for (int i = 0; i < 20; i++) {
        struct job job = claim_one(i % 2 ? other : f->st, i % 2 ? "b" : "a", T0);
        assert_true(strcmp(job.id, last) != 0);
        snprintf(last, sizeof(last), "%s", job.id);
        job_clear(&job);
    }
    assert_none_due(f->st, T0);
    assert_none_due(other, T0);
    store_close(other);
}

int main(void)
{
    static const struct contract_test tests[] = {
        TEST(a_job_is_kept_as_it_was_given),
        TEST(the_caller_may_choose_the_id_and_say_it_twice),
        TEST(any_dedupe_key_finds_the_first_job),
        TEST(dedupe_keys_are_kept_for_ten_minutes_and_then_purged),
        TEST(a_full_queue_refuses_but_still_knows_what_it_has),
        TEST(the_limit_holds_within_a_group),
        TEST(a_new_job_knows_its_place),
        TEST(a_group_is_kept_or_undone_as_a_whole),
        TEST(enqueuing_is_news_and_reading_is_not),
        TEST(jobs_are_claimed_by_priority_then_arrival),
        TEST(an_attempt_is_on_record_before_the_work_starts),
        TEST(a_lease_that_ran_out_is_offered_again),
        TEST(a_lease_that_ran_out_unnoticed_can_be_renewed),
        TEST(back_off_grows_and_then_the_job_is_dead),
        TEST(a_job_that_kills_its_process_is_not_tried_for_ever),
        TEST(a_dead_job_is_announced_once),
        TEST(handing_over_costs_no_attempt),
        TEST(a_heartbeat_tells_of_a_cancel_request),
        TEST(a_cancelled_job_that_waits_goes_next),
        TEST(ended_jobs_can_be_queued_again),
        TEST(a_response_url_is_short_lived_and_for_the_owner_only),
        TEST(text_that_is_no_utf8_is_repaired),
        TEST(a_value_that_is_too_large_fails_alone),
        TEST(what_is_stored_outlives_the_process),
        TEST(two_handles_never_claim_the_same_job),
    };

    return run_contract(tests, ARRAY_LEN(tests));
}
