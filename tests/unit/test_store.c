/* The contract of the store: each test runs on SQLite and on PostgreSQL. */
#include "store_fixture.h"

struct fixture {
    struct pg_server *pg; /* NULL: SQLite */
    char *folder, *url;
    struct store *st;
};

static struct store *st_of(void **state)
{
    return ((struct fixture *)*state)->st;
}

static struct job claim_one(struct store *st, const char *owner, int64_t now_ms)
{
    struct job job = { 0 };

    ASSERT_OUTCOME(STORE_OK, store_claim(st, owner, LEASE, NULL, now_ms, &job, &err));
    return job;
}

static void assert_none_due(struct store *st, int64_t now_ms)
{
    struct job job = { 0 };

    ASSERT_OUTCOME(STORE_NONE, store_claim(st, "owner", LEASE, NULL, now_ms, &job, &err));
    assert_null(job.id);
}

static struct job get_job(struct store *st, const char *id)
{
    struct job job = { 0 };

    ASSERT_OUTCOME(STORE_OK, store_get(st, id, &job, &err));
    return job;
}

static void assert_state(struct store *st, const char *id, enum job_state state)
{
    struct job job = get_job(st, id);

    assert_string_equal(job_state_name(state), job_state_name(job.state));
    job_clear(&job);
}

static void end_job(struct store *st, const struct job *job, enum job_state state, int64_t now_ms)
{
    struct job_result result = { .state = state, .cause = "database_down" };

    ASSERT_OUTCOME(STORE_OK, store_finish(st, ref_of(job), &result, now_ms, &err));
}

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

/* Every write of a running job, so that each can be tried with a token that is not current. */
static int try_heartbeat(struct store *st, struct job_ref ref, struct error *err)
{
    return store_heartbeat(st, ref, LEASE, T0, NULL, err);
}
static int try_release(struct store *st, struct job_ref ref, struct error *err)
{
    return store_release(st, ref, T0, err);
}
static int try_retry(struct store *st, struct job_ref ref, struct error *err)
{
    return store_retry(st, ref, "why", NULL, T0, err);
}
static int try_finish(struct store *st, struct job_ref ref, struct error *err)
{
    return store_finish(st, ref, &(struct job_result){ .state = JOB_DONE, .report = "{}" }, T0,
                        err);
}
static int try_checkpoint(struct store *st, struct job_ref ref, struct error *err)
{
    char id[] = "issue_details", status[] = "complete", data[] = "{}";
    const struct job_step step = { id, 1, status, data, 0 };

    return store_checkpoint(st, ref, &step, T0, err);
}
static int try_set_issue(struct store *st, struct job_ref ref, struct error *err)
{
    struct job_list list = { 0 };

    return store_set_issue(st, ref, &(struct job_issue){ .org = "acme", .id = "1" }, T0, &list,
                           err);
}
static int try_set_playbook(struct store *st, struct job_ref ref, struct error *err)
{
    return store_set_playbook(st, ref, "p", "h", T0, T0, err);
}
static int try_intend(struct store *st, struct job_ref ref, struct error *err)
{
    return store_message_intend(st, ref, "root", "C1", NULL, 1000, T0, NULL, err);
}
static int try_sent(struct store *st, struct job_ref ref, struct error *err)
{
    return store_message_sent(st, ref, "root", "C1", "1.2", "h", true, T0, err);
}
static int try_unknown(struct store *st, struct job_ref ref, struct error *err)
{
    return store_message_unknown(st, ref, "root", T0, err);
}
static int try_absent(struct store *st, struct job_ref ref, struct error *err)
{
    return store_message_absent(st, ref, "root", T0, err);
}

static int (*const fenced[])(struct store *, struct job_ref, struct error *) = {
    try_heartbeat, try_release,      try_retry,  try_finish, try_checkpoint, try_set_issue,
    try_sent,      try_set_playbook, try_intend, try_absent, try_unknown,
};

static void assert_all_refused(struct store *st, const struct job *stale)
{
    struct job before = get_job(st, stale->id);
    struct job_step_list steps = { 0 };
    struct job_message_list messages = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(fenced); i++)
        ASSERT_OUTCOME(STORE_LEASE_LOST, fenced[i](st, ref_of(stale), &err));
    struct job after = get_job(st, stale->id);
    assert_int_equal(before.fence, after.fence);
    assert_int_equal(before.state, after.state);
    assert_int_equal(before.touched_ms, after.touched_ms);
    assert_int_equal(before.lease_until_ms, after.lease_until_ms);
    assert_null(after.issue_id);
    ASSERT_OUTCOME(STORE_OK, store_steps(st, stale->id, &steps, &err));
    ASSERT_OUTCOME(STORE_OK, store_messages(st, stale->id, &messages, &err));
    assert_int_equal(0, steps.n);
    assert_int_equal(0, messages.n);
    job_clear(&before);
    job_clear(&after);
}

static void a_stalled_owner_can_write_nothing(void **state)
{
    struct store *st = st_of(state);
    char id[JOB_ID_LEN + 1];

    add_job(st, "SHOP-1", 0, T0, id);
    struct job stalled = claim_one(st, "a", T0);
    struct job current = claim_one(st, "b", T0 + LEASE);
    assert_all_refused(st, &stalled);
    ASSERT_OUTCOME(STORE_OK, store_heartbeat(st, ref_of(&current), LEASE, T0 + LEASE, NULL, &err));

    /* Also when nobody took it yet, but it was noticed: the job waits for its back-off. */
    struct job job = { 0 };
    ASSERT_OUTCOME(STORE_NONE, store_claim(st, "c", LEASE, NULL, T0 + 2 * LEASE, &job, &err));
    assert_state(st, id, JOB_QUEUED);
    assert_all_refused(st, &current);
    job_clear(&stalled);
    job_clear(&current);
}

static void an_ended_job_takes_no_more_writes(void **state)
{
    struct store *st = st_of(state);
    struct job_result other = { .state = JOB_FAILED };
    char id[JOB_ID_LEN + 1];

    add_job(st, "SHOP-1", 0, T0, id);
    struct job job = claim_one(st, "a", T0);
    end_job(st, &job, JOB_DONE, T0);
    end_job(st, &job, JOB_DONE, T0); /* the same end again is fine: its answer may have got lost */
    ASSERT_OUTCOME(STORE_LEASE_LOST, store_finish(st, ref_of(&job), &other, T0, &err));
    ASSERT_OUTCOME(STORE_LEASE_LOST, try_checkpoint(st, ref_of(&job), &err));
    ASSERT_OUTCOME(STORE_LEASE_LOST, try_intend(st, ref_of(&job), &err));
    assert_state(st, id, JOB_DONE);
    job_clear(&job);
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
    ASSERT_OUTCOME(STORE_OK, try_intend(st, ref_of(&job), &err)); /* it may post */
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
        ASSERT_OUTCOME(STORE_LEASE_LOST, try_checkpoint(st, ref_of(&job), &err));
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

/* ---- while it runs ---- */

static void checkpoints_come_back_in_order_and_are_replaced(void **state)
{
    static const struct {
        const char *id;
        int64_t number;
        const char *status, *data;
    } in[] = { { "events", 2, "complete", "{\"n\":1}" },
               { "issue_details", 1, "complete", "{\"title\":\"\xE2\x80\xA2\"}" },
               { "logs", 6, "failed", NULL },
               { "logs", 6, "partial", "{}" } };
    struct store *st = st_of(state);
    struct job_step_list list = { 0 };
    char id[JOB_ID_LEN + 1];

    add_job(st, "SHOP-1", 0, T0, id);
    struct job job = claim_one(st, "a", T0);
    for (size_t i = 0; i < ARRAY_LEN(in); i++) {
        struct job_step step = { xstrdup(in[i].id), in[i].number, xstrdup(in[i].status),
                                 xstrdup(in[i].data), 0 };
        ASSERT_OUTCOME(STORE_OK, store_checkpoint(st, ref_of(&job), &step, T0 + (int64_t)i, &err));
    }
    ASSERT_OUTCOME(STORE_OK, store_steps(st, id, &list, &err));
    assert_int_equal(3, list.n);
    assert_string_equal("issue_details", list.items[0].step_id);
    assert_string_equal("{\"title\":\"\xE2\x80\xA2\"}", list.items[0].data);
    assert_string_equal("events", list.items[1].step_id);
    assert_string_equal("logs", list.items[2].step_id);
    assert_string_equal("partial", list.items[2].status);
    assert_int_equal(T0 + 3, list.items[2].saved_ms);
    job_step_list_clear(&list);
    job_clear(&job);
}

static enum store_outcome say_issue(struct store *st, const struct job *job, const char *org,
                                    const char *issue, struct job_list *ret)
{
    struct job_issue what = { org, issue, "SHOP-1A2", "title", "https://sentry.io/1" };
    struct error err = ERROR_INIT;
    int rc = store_set_issue(st, ref_of(job), &what, T0, ret, &err);

    if (rc < 0)
        fail_msg("%s", error_text(&err));
    return (enum store_outcome)rc;
}

static void of_jobs_about_one_issue_the_first_goes_on(void **state)
{
    struct store *st = st_of(state);
    struct job jobs[3];
    struct job_list list = { 0 };
    char id[JOB_ID_LEN + 1];

    for (int i = 0; i < 3; i++) {
        add_job(st, "SHOP-1A2", 0, T0, id);
        jobs[i] = claim_one(st, "a", T0);
    }
    /* The second job is the first to find out. */
    assert_int_equal(STORE_OK, say_issue(st, &jobs[1], "acme", "42", &list));
    assert_int_equal(STORE_EXISTS, say_issue(st, &jobs[0], "acme", "42", &list));
    assert_int_equal(1, list.n);
    assert_string_equal(jobs[1].id, list.items[0].id);
    assert_string_equal("SHOP-1A2", list.items[0].issue_short_id);
    job_list_clear(&list);
    /* Said again after a restart, the answers are the same: nobody waits for one who waits. */
    assert_int_equal(STORE_OK, say_issue(st, &jobs[1], "acme", "42", &list));
    assert_int_equal(STORE_EXISTS, say_issue(st, &jobs[0], "acme", "42", &list));
    job_list_clear(&list);
    assert_int_equal(STORE_EXISTS, say_issue(st, &jobs[2], "acme", "42", &list));
    assert_int_equal(2, list.n);
    assert_string_equal(jobs[1].id, list.items[0].id);
    job_list_clear(&list);
    /* The same number elsewhere is another issue. */
    assert_int_equal(STORE_OK, say_issue(st, &jobs[2], "other", "42", &list));
    /* An ended job is in nobody's way. */
    end_job(st, &jobs[1], JOB_DONE, T0);
    assert_int_equal(STORE_OK, say_issue(st, &jobs[0], "acme", "42", &list));
    for (int i = 0; i < 3; i++)
        job_clear(&jobs[i]);
}

static void the_playbook_version_can_be_set(void **state)
{
    struct store *st = st_of(state);
    char id[JOB_ID_LEN + 1];

    add_job(st, "SHOP-1", 0, T0, id);
    struct job job = claim_one(st, "a", T0);
    ASSERT_OUTCOME(STORE_OK, store_set_playbook(st, ref_of(&job), "p", "hash", T0 + 1, T0, &err));
    job_clear(&job);
    job = get_job(st, id);
    assert_string_equal("p", job.playbook);
    assert_string_equal("hash", job.playbook_hash);
    assert_int_equal(T0 + 1, job.evaluated_ms);
    job_clear(&job);
}

static enum store_outcome say_intent(struct store *st, const struct job *job, const char *part,
                                     struct job_message *ret)
{
    struct error err = ERROR_INIT;
    int rc = store_message_intend(st, ref_of(job), part, "C1", "1.0", 5000, T0, ret, &err);

    if (rc < 0)
        fail_msg("%s", error_text(&err));
    return (enum store_outcome)rc;
}

static void a_message_is_posted_once(void **state)
{
    struct store *st = st_of(state);
    struct job_message message = { 0 };
    struct job_message_list list = { 0 };
    char id[JOB_ID_LEN + 1];

    add_job(st, "SHOP-1", 0, T0, id);
    struct job job = claim_one(st, "a", T0);
    assert_int_equal(STORE_OK, say_intent(st, &job, "root", &message));
    ASSERT_OUTCOME(STORE_OK, store_message_sent(st, ref_of(&job), "root", "C7", "1.5", "h1", true,
                                                T0 + 1, &err));
    assert_int_equal(STORE_EXISTS, say_intent(st, &job, "root", &message));
    assert_int_equal(MESSAGE_SENT, message.state);
    assert_string_equal("1.5", message.ts);
    job_message_clear(&message);
    /* An edit keeps the ts and when it was first sent. */
    ASSERT_OUTCOME(STORE_OK, store_message_sent(st, ref_of(&job), "root", NULL, "1.5", "h2", false,
                                                T0 + 9, &err));
    ASSERT_OUTCOME(STORE_NONE, store_message_unknown(st, ref_of(&job), "root", T0, &err));
    ASSERT_OUTCOME(STORE_NONE, store_message_absent(st, ref_of(&job), "root", T0, &err));
    ASSERT_OUTCOME(STORE_OK, store_messages(st, id, &list, &err));
    assert_int_equal(1, list.n);
    assert_string_equal("C7", list.items[0].channel);
    assert_string_equal("h2", list.items[0].hash);
    assert_int_equal(T0 + 1, list.items[0].sent_ms);
    assert_int_equal(T0 + 5000, list.items[0].lands_until_ms);
    job_message_list_clear(&list);
    struct job stored = get_job(st, id);
    assert_string_equal("1.5", stored.thread_ts);
    assert_string_equal("C7", stored.channel);
    job_clear(&stored);
    job_clear(&job);
}

static void a_post_whose_outcome_is_unknown_is_looked_for_first(void **state)
{
    struct store *st = st_of(state);
    struct job_message message = { 0 };
    char id[JOB_ID_LEN + 1];

    add_job(st, "SHOP-1", 0, T0, id);
    struct job job = claim_one(st, "a", T0);
    assert_int_equal(STORE_OK, say_intent(st, &job, "root", NULL));
    /* The answer to the intent got lost, so that it is said again: nothing was sent yet. */
    assert_int_equal(STORE_OK, say_intent(st, &job, "root", NULL));
    /* Killed around the call; somebody else goes on. */
    job_clear(&job);
    job = claim_one(st, "b", T0 + LEASE);
    assert_int_equal(STORE_UNRESOLVED, say_intent(st, &job, "root", &message));
    assert_int_equal(MESSAGE_INTENDED, message.state);
    assert_int_equal(T0 + LEASE + 5000, message.lands_until_ms);
    assert_string_equal("1.0", message.thread_ts);
    job_message_clear(&message);
    ASSERT_OUTCOME(STORE_OK, store_message_absent(st, ref_of(&job), "root", T0, &err));
    assert_int_equal(STORE_OK, say_intent(st, &job, "root", NULL));
    ASSERT_OUTCOME(STORE_OK, store_message_unknown(st, ref_of(&job), "root", T0, &err));
    assert_int_equal(STORE_UNRESOLVED, say_intent(st, &job, "root", NULL));
    ASSERT_OUTCOME(STORE_OK,
                   store_message_sent(st, ref_of(&job), "root", NULL, "1.5", "h", false, T0, &err));
    assert_int_equal(STORE_EXISTS, say_intent(st, &job, "root", NULL));
    job_clear(&job);
}

static int64_t landing_time(struct store *st, const char *id)
{
    struct job_message_list list = { 0 };

    ASSERT_OUTCOME(STORE_OK, store_messages(st, id, &list, &err));
    assert_int_equal(1, list.n);
    int64_t until = list.items[0].lands_until_ms;
    job_message_list_clear(&list);
    return until;
}

static void a_post_may_be_sent_until_its_job_changes_hands(void **state)
{
    struct store *st = st_of(state);
    char id[JOB_ID_LEN + 1];

    add_job(st, "SHOP-1", 0, T0, id);
    struct job job = claim_one(st, "a", T0);
    assert_int_equal(STORE_OK, say_intent(st, &job, "root", NULL));
    assert_int_equal(T0 + 5000, landing_time(st, id));
    job_clear(&job);
    /* Its owner is killed or stalled: it may have sent it as late as its lease ended. */
    job = claim_one(st, "b", T0 + LEASE);
    assert_int_equal(T0 + LEASE + 5000, landing_time(st, id));
    /* The call was given up by its owner: again its time-out from then on. */
    ASSERT_OUTCOME(STORE_OK,
                   store_message_unknown(st, ref_of(&job), "root", T0 + LEASE + 7000, &err));
    assert_int_equal(T0 + LEASE + 12000, landing_time(st, id));
    /* That does not change when it is handed over. */
    ASSERT_OUTCOME(STORE_OK, store_release(st, ref_of(&job), T0 + 2 * LEASE, &err));
    assert_int_equal(T0 + LEASE + 12000, landing_time(st, id));
    job_clear(&job);
}

/* ---- looking ---- */

static void a_report_is_kept_with_its_verdict(void **state)
{
    struct store *st = st_of(state);
    struct job_result result = { .state = JOB_DONE,
                                 .report = "{\"schema_version\":1}",
                                 .evidence = "{\"facts\":[]}",
                                 .cause = "database_down",
                                 .confidence = "high",
                                 .summary = "It is down.",
                                 .target_host = "db-1",
                                 .target_port = "5432",
                                 .fingerprint = "f1" };
    char id[JOB_ID_LEN + 1], *report = NULL, *evidence = NULL;

    add_job(st, "SHOP-1", 0, T0, id);
    struct job job = claim_one(st, "a", T0);
    ASSERT_OUTCOME(STORE_NONE, store_report(st, id, &report, &evidence, &err));
    ASSERT_OUTCOME(STORE_OK, store_finish(st, ref_of(&job), &result, T0 + 5, &err));
    job_clear(&job);
    ASSERT_OUTCOME(STORE_OK, store_report(st, id, &report, &evidence, &err));
    assert_string_equal(result.report, report);
    assert_string_equal(result.evidence, evidence);
    free(report);
    free(evidence);
    job = get_job(st, id);
    assert_string_equal("database_down", job.cause);
    assert_string_equal("high", job.confidence);
    assert_string_equal("It is down.", job.summary);
    assert_string_equal("db-1", job.target_host);
    assert_string_equal("5432", job.target_port);
    assert_string_equal("f1", job.fingerprint);
    assert_int_equal(T0 + 5, job.finished_ms);
    assert_null(job.owner);
    job_clear(&job);
}

/* Lists as text, "b a", by what was typed. */
static void assert_list(struct store *st, struct store_filter filter, const char *expected)
{
    struct job_list list = { 0 };
    struct buf text = BUF_INIT;

    ASSERT_OUTCOME(STORE_OK, store_list(st, &filter, &list, &err));
    for (size_t i = 0; i < list.n; i++)
        buf_addf(&text, "%s%s", i ? " " : "", list.items[i].issue_ref);
    assert_string_equal(expected, buf_str(&text));
    buf_clear(&text);
    job_list_clear(&list);
}

static void lists_are_filtered_and_paged(void **state)
{
    struct store *st = st_of(state);
    struct job_result result = { .state = JOB_DONE, .target_host = "db-1", .target_port = "1" };
    struct job_new elsewhere = simple_job("d", JOB_PRIORITY_PERSON);
    char id[JOB_ID_LEN + 1];

    add_job(st, "a", JOB_PRIORITY_PERSON, T0, id);
    struct job job = claim_one(st, "x", T0);
    ASSERT_OUTCOME(STORE_OK,
                   store_set_issue(st, ref_of(&job),
                                   &(struct job_issue){ "acme", "42", "Shop-1A2", "t", "u" }, T0,
                                   &(struct job_list){ 0 }, &err));
    ASSERT_OUTCOME(STORE_OK, store_finish(st, ref_of(&job), &result, T0, &err));
    job_clear(&job);
    add_job(st, "b", JOB_PRIORITY_PERSON, T0, id);
    job = claim_one(st, "x", T0);
    job_clear(&job);
    add_job(st, "c", JOB_PRIORITY_AUTOMATIC, T0, id);
    elsewhere.workspace = "T2";
    ASSERT_OUTCOME(STORE_OK, store_enqueue(st, &elsewhere, NULL, 0, 0, T0, id, &err));

    const unsigned queued = 1u << JOB_QUEUED, running = 1u << JOB_RUNNING, done = 1u << JOB_DONE;
    assert_list(st, (struct store_filter){ 0 }, "d c b a");
    assert_list(st, (struct store_filter){ .limit = 2 }, "d c");
    assert_list(st, (struct store_filter){ .before_seq = 3, .limit = 2 }, "b a");
    assert_list(st, (struct store_filter){ .states = queued }, "d c"); /* as they will run */
    assert_list(st, (struct store_filter){ .states = running | done }, "b a");
    assert_list(st, (struct store_filter){ .workspace = "T2" }, "d");
    assert_list(st, (struct store_filter){ .host = "db-1" }, "a");
    assert_list(st, (struct store_filter){ .issue = "42" }, "a");
    assert_list(st, (struct store_filter){ .issue = "shop-1a2" }, "a");
    assert_list(st, (struct store_filter){ .issue = "C", .states = queued | running }, "c");
    assert_list(st, (struct store_filter){ .issue = "A" }, ""); /* typed, but it has a name now */
    assert_list(st, (struct store_filter){ .issue = "' OR 1=1 --" }, "");
}

static void counts_and_places_in_the_queue(void **state)
{
    struct store *st = st_of(state);
    struct store_counts counts;
    char ids[4][JOB_ID_LEN + 1];
    int64_t ahead = -1;

    ASSERT_OUTCOME(STORE_OK, store_counts(st, &counts, &err));
    assert_true(counts.oldest_queued_ms == TIME_UNKNOWN);
    add_job(st, "a", JOB_PRIORITY_AUTOMATIC, T0, ids[0]);
    add_job(st, "b", JOB_PRIORITY_PERSON, T0 + 1, ids[1]);
    add_job(st, "c", JOB_PRIORITY_PERSON, T0 + 2, ids[2]);
    add_job(st, "d", JOB_PRIORITY_AUTOMATIC, T0 + 3, ids[3]);
    static const int64_t expected[] = { 2, 0, 1, 3 };
    for (int i = 0; i < 4; i++) {
        ASSERT_OUTCOME(STORE_OK, store_position(st, ids[i], &ahead, &err));
        assert_int_equal(expected[i], ahead);
    }
    struct job job = claim_one(st, "a", T0 + 5);
    ASSERT_OUTCOME(STORE_REFUSED, store_position(st, job.id, &ahead, &err));
    ASSERT_OUTCOME(STORE_NONE, store_position(st, "000000000000000000", &ahead, &err));
    ASSERT_OUTCOME(STORE_OK, store_position(st, ids[3], &ahead, &err));
    assert_int_equal(2, ahead);
    ASSERT_OUTCOME(STORE_OK, store_counts(st, &counts, &err));
    assert_int_equal(3, counts.by_state[JOB_QUEUED]);
    assert_int_equal(1, counts.by_state[JOB_RUNNING]);
    assert_int_equal(0, counts.by_state[JOB_DONE]);
    assert_int_equal(T0, counts.oldest_queued_ms);
    job_clear(&job);
}

static void run_job(struct store *st, const char *org, const char *issue,
                    const struct job_result *result, int64_t now_ms, char *ret_id)
{
    struct job_list list = { 0 };

    add_job(st, issue, 0, now_ms, ret_id);
    struct job job = claim_one(st, "a", now_ms);
    ASSERT_OUTCOME(STORE_OK,
                   store_set_issue(st, ref_of(&job), &(struct job_issue){ .org = org, .id = issue },
                                   now_ms, &list, &err));
    ASSERT_OUTCOME(STORE_OK, store_finish(st, ref_of(&job), result, now_ms, &err));
    job_clear(&job);
}

static void what_was_diagnosed_before_is_found(void **state)
{
    struct store *st = st_of(state);
    struct job_result a = { .state = JOB_DONE,
                            .cause = "database_down",
                            .fingerprint = "f1",
                            .target_host = "db",
                            .target_port = "5432" };
    struct job_result b = a;
    char first[JOB_ID_LEN + 1], second[JOB_ID_LEN + 1], third[JOB_ID_LEN + 1];

    b.cause = "network_connectivity";
    b.fingerprint = "f2";
    run_job(st, "acme", "1", &a, T0, first);
    run_job(st, "acme", "1", &a, T0 + 1000, second);
    run_job(st, "acme", "2", &b, T0 + 2000, third);
    const struct {
        struct store_seen_query query;
        enum store_outcome outcome;
        const char *id;
        enum seen_by by;
    } rows[] = {
        { { .issue_org = "acme", .issue_id = "1" }, STORE_OK, second, SEEN_BY_ISSUE },
        { { .issue_org = "acme", .issue_id = "1", .except_id = second },
          STORE_OK,
          first,
          SEEN_BY_ISSUE },
        { { .issue_org = "acme", .issue_id = "1", .since_ms = T0 + 1001 }, STORE_NONE, NULL, 0 },
        { { .issue_org = "else", .issue_id = "1", .fingerprint = "f2" },
          STORE_OK,
          third,
          SEEN_BY_FINGERPRINT },
        { { .issue_org = "else",
            .issue_id = "1",
            .fingerprint = "f9",
            .target_host = "db",
            .target_port = "5432" },
          STORE_OK,
          third,
          SEEN_BY_TARGET },
        { { .target_host = "db", .target_port = "5433" }, STORE_NONE, NULL, 0 },
        { { .target_host = "db" }, STORE_NONE, NULL, 0 },
        { { .issue_org = "acme", .issue_id = "1", .workspace = "T9" }, STORE_NONE, NULL, 0 },
        { { .issue_org = NULL }, STORE_NONE, NULL, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct store_seen seen = { 0 };
        ASSERT_OUTCOME(rows[i].outcome, store_seen_before(st, &rows[i].query, &seen, &err));
        if (rows[i].id) {
            assert_string_equal(rows[i].id, seen.job.id);
            assert_int_equal(rows[i].by, seen.by);
        }
        store_seen_clear(&seen);
    }
    ASSERT_OUTCOME(STORE_OK, store_target_seen(st, "db", "5432", T0, &err));
    ASSERT_OUTCOME(STORE_NONE, store_target_seen(st, "db", "5432", T0 + DAY_MS, &err));
}

/* ---- feedback, audit, settings ---- */

static int give_feedback(struct store *st, const char *id, const char *person, const char *verdict,
                         int64_t now_ms, struct error *err)
{
    struct job_feedback_new f = {
        .job_id = id, .workspace = "T1", .person = person, .verdict = verdict, .note = "because"
    };

    return store_feedback_put(st, &f, now_ms, err);
}

static void feedback_counts_the_last_word_of_each_person(void **state)
{
    struct job_result result = { .state = JOB_DONE,
                                 .cause = "database_down",
                                 .confidence = "high" };
    struct store *st = st_of(state);
    struct job_feedback_list list = { 0 };
    struct store_seen seen = { 0 };
    char id[JOB_ID_LEN + 1];

    run_job(st, "acme", "1", &result, T0, id);
    ASSERT_OUTCOME(STORE_OK, give_feedback(st, id, "U1", "wrong", T0, &err));
    ASSERT_OUTCOME(STORE_OK, give_feedback(st, id, "U2", "right", T0, &err));
    ASSERT_OUTCOME(STORE_OK, give_feedback(st, id, "U1", "right", T0 + 1, &err));
    ASSERT_OUTCOME(STORE_OK, give_feedback(st, id, "U3", "wrong", T0, &err));
    ASSERT_OUTCOME(STORE_NONE, give_feedback(st, "000000000000000000", "U1", "right", T0, &err));
    ASSERT_OUTCOME(STORE_OK, store_feedback_list(st, id, &list, &err));
    assert_int_equal(3, list.n);
    assert_string_equal("U1", list.items[0].person);
    assert_string_equal("right", list.items[0].verdict);
    assert_string_equal("database_down", list.items[0].cause);
    assert_string_equal("high", list.items[0].confidence);
    assert_int_equal(T0 + 1, list.items[0].at_ms);
    job_feedback_list_clear(&list);
    struct store_seen_query query = { .issue_org = "acme", .issue_id = "1" };
    ASSERT_OUTCOME(STORE_OK, store_seen_before(st, &query, &seen, &err));
    assert_int_equal(2, seen.right);
    assert_int_equal(1, seen.wrong);
    store_seen_clear(&seen);
}

/* A stand-in for the keyed hash: readable, and it needs what it chains to. */
static void toy_hash(void *user, const struct audit_entry *entry, struct buf *ret_hash)
{
    buf_addf(ret_hash, "%s<%lld:%s:%s>", (const char *)user, (long long)entry->seq,
             entry->prev_hash, entry->payload);
}

static void the_audit_log_is_one_chain(void **state)
{
    struct fixture *f = *state;
    struct store *other = open_store(f->url);
    struct audit_list list = { 0 };
    char key[] = "k";
    int64_t seq, n;

    for (int i = 0; i < 3; i++) {
        struct store *st = i == 1 ? other : f->st; /* as two replicas would */
        ASSERT_OUTCOME(STORE_OK, store_audit_append(st, i == 2 ? "bad \xFF" : "p", T0 + i, toy_hash,
                                                    key, &seq, &err));
        assert_int_equal(i + 1, seq);
    }
    ASSERT_OUTCOME(STORE_OK, store_audit_list(f->st, 1, 0, &list, &err));
    assert_int_equal(3, list.n);
    assert_string_equal("", list.items[0].prev_hash);
    assert_string_equal("k<1::p>", list.items[0].hash);
    for (size_t i = 0; i < list.n; i++) {
        struct buf expected = BUF_INIT;
        toy_hash(key, &list.items[i], &expected);
        assert_string_equal(buf_str(&expected), list.items[i].hash);
        if (i)
            assert_string_equal(list.items[i - 1].hash, list.items[i].prev_hash);
        buf_clear(&expected);
    }
    audit_list_clear(&list);
    /* Purging keeps the newest, so that the chain goes on. */
    ASSERT_OUTCOME(STORE_OK, store_audit_purge(f->st, 100, &n, &err));
    assert_int_equal(2, n);
    ASSERT_OUTCOME(STORE_OK, store_audit_append(f->st, "q", T0, toy_hash, key, &seq, &err));
    assert_int_equal(4, seq);
    store_close(other);
}

static void settings_are_kept_per_workspace(void **state)
{
    struct store *st = st_of(state);
    char *value = NULL;

    ASSERT_OUTCOME(STORE_NONE, store_setting_get(st, "T1", "plan_blocks", &value, &err));
    ASSERT_OUTCOME(STORE_OK, store_setting_put(st, "T1", "plan_blocks", "maybe", T0, &err));
    ASSERT_OUTCOME(STORE_OK, store_setting_put(st, "T1", "plan_blocks", "refused", T0, &err));
    ASSERT_OUTCOME(STORE_NONE, store_setting_get(st, "T2", "plan_blocks", &value, &err));
    ASSERT_OUTCOME(STORE_OK, store_setting_get(st, "T1", "plan_blocks", &value, &err));
    assert_string_equal("refused", value);
    free(value);
    ASSERT_OUTCOME(STORE_OK, store_setting_put(st, "T1", "plan_blocks", NULL, T0, &err));
    ASSERT_OUTCOME(STORE_NONE, store_setting_get(st, "T1", "plan_blocks", &value, &err));
}

/* ---- upkeep ---- */

static void purging_removes_ended_jobs_with_all_that_is_theirs(void **state)
{
    struct job_result result = { .state = JOB_DONE, .report = "{}", .cause = "database_down" };
    struct store *st = st_of(state);
    char old[JOB_ID_LEN + 1], young[JOB_ID_LEN + 1], waiting[JOB_ID_LEN + 1];
    struct job_feedback_list feedback = { 0 };
    struct job_attempt_list attempts = { 0 };
    struct job job = { 0 };
    char *report = NULL, *evidence = NULL;
    int64_t n;

    run_job(st, "acme", "1", &result, T0, old);
    ASSERT_OUTCOME(STORE_OK, give_feedback(st, old, "U1", "right", T0, &err));
    run_job(st, "acme", "2", &result, T0 + DAY_MS, young);
    add_job(st, "SHOP-9", 0, T0, waiting);
    ASSERT_OUTCOME(STORE_OK, store_purge(st, T0 + HOUR_MS, 100, T0 + 2 * DAY_MS, &n, &err));
    assert_int_equal(1, n);
    ASSERT_OUTCOME(STORE_NONE, store_get(st, old, &job, &err));
    ASSERT_OUTCOME(STORE_NONE, store_report(st, old, &report, &evidence, &err));
    ASSERT_OUTCOME(STORE_OK, store_attempts(st, old, &attempts, &err));
    assert_int_equal(0, attempts.n);
    /* How often the cause was right is still known, but not who said so. */
    ASSERT_OUTCOME(STORE_OK, store_feedback_list(st, NULL, &feedback, &err));
    assert_int_equal(1, feedback.n);
    assert_string_equal("database_down", feedback.items[0].cause);
    assert_null(feedback.items[0].person);
    assert_null(feedback.items[0].note);
    job_feedback_list_clear(&feedback);
    assert_state(st, young, JOB_DONE);
    assert_state(st, waiting, JOB_QUEUED);
    /* Nothing goes while a key may still name it. */
    ASSERT_OUTCOME(STORE_OK, store_purge(st, INT64_MAX, 100, T0 + DAY_MS + 1, &n, &err));
    assert_int_equal(0, n);
    ASSERT_OUTCOME(STORE_OK, store_purge(st, INT64_MAX, 100, T0 + 2 * DAY_MS, &n, &err));
    assert_int_equal(1, n);
}

static void purging_stops_at_its_limit(void **state)
{
    struct job_result result = { .state = JOB_FAILED };
    struct store *st = st_of(state);
    static const int64_t expected[] = { 2, 2, 1, 0 };
    char id[JOB_ID_LEN + 1];
    int64_t n;

    for (int i = 0; i < 5; i++)
        run_job(st, "acme", "1", &result, T0 + i, id);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        ASSERT_OUTCOME(STORE_OK, store_purge(st, INT64_MAX, 2, T0 + DAY_MS, &n, &err));
        assert_int_equal(expected[i], n);
    }
}

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

/* ---- two processes at once ---- */

#define RACE_JOBS 200

/* Claims until nothing is left, and writes each id to the pipe. */
static void race_child(const char *url, const char *owner, int out)
{
    struct error err = ERROR_INIT;
    struct store *st;
    struct job job;
    int rc, idle = 0;

    if (store_open(url, NULL, &st, &err) < 0)
        _exit(3);
    while (idle < 3) {
        rc = store_claim(st, owner, LEASE, NULL, T0, &job, &err);
        if (rc == STORE_OK) {
            if (write(out, job.id, JOB_ID_LEN) != JOB_ID_LEN)
                _exit(4);
            job_clear(&job);
        } else if (rc == STORE_NONE) {
            idle++;
        } else if (store_last_fault(st) == STORE_FAULT_REQUEST) {
            _exit(5);
        }
    }
    store_close(st);
    _exit(0);
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, JOB_ID_LEN);
}

static void processes_that_race_claim_each_job_once(void **state)
{
    struct fixture *f = *state;
    static const char *const owners[] = { "a", "b", "c" };
    char id[JOB_ID_LEN + 1];
    static char got[2 * RACE_JOBS][JOB_ID_LEN];
    int fds[2], status;
    size_t n = 0;
    ssize_t len;

    for (int i = 0; i < RACE_JOBS; i++)
        add_job(f->st, "SHOP-1", 0, T0, id);
    assert_int_equal(0, pipe(fds));
    for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
        if (fork() == 0)
            race_child(f->url, owners[i], fds[1]);
    }
    close(fds[1]);
    while (n < ARRAY_LEN(got) && (len = read(fds[0], got[n], JOB_ID_LEN)) > 0) {
        assert_int_equal(JOB_ID_LEN, len); /* writes this small are not torn (pipe(7)) */
        n++;
    }
    close(fds[0]);
    for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
        assert_true(wait(&status) > 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_int_equal(RACE_JOBS, n);
    qsort(got, n, sizeof(got[0]), compare_ids);
    for (size_t i = 1; i < n; i++)
        assert_true(memcmp(got[i - 1], got[i], JOB_ID_LEN) != 0);
}

/* ---- the suite ---- */

static int set_up(void **state)
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

static int tear_down(void **state)
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

#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
static const struct {
    const char *name;
    CMUnitTestFunction run;
} contract[] = {
    TEST(a_job_is_kept_as_it_was_given),
    TEST(the_caller_may_choose_the_id_and_say_it_twice),
    TEST(any_dedupe_key_finds_the_first_job),
    TEST(dedupe_keys_are_kept_for_ten_minutes_and_then_purged),
    TEST(a_full_queue_refuses_but_still_knows_what_it_has),
    TEST(the_limit_holds_within_a_group),
    TEST(a_group_is_kept_or_undone_as_a_whole),
    TEST(enqueuing_is_news_and_reading_is_not),
    TEST(jobs_are_claimed_by_priority_then_arrival),
    TEST(an_attempt_is_on_record_before_the_work_starts),
    TEST(a_lease_that_ran_out_is_offered_again),
    TEST(a_stalled_owner_can_write_nothing),
    TEST(an_ended_job_takes_no_more_writes),
    TEST(a_lease_that_ran_out_unnoticed_can_be_renewed),
    TEST(back_off_grows_and_then_the_job_is_dead),
    TEST(a_job_that_kills_its_process_is_not_tried_for_ever),
    TEST(a_dead_job_is_announced_once),
    TEST(handing_over_costs_no_attempt),
    TEST(a_heartbeat_tells_of_a_cancel_request),
    TEST(a_cancelled_job_that_waits_goes_next),
    TEST(ended_jobs_can_be_queued_again),
    TEST(a_response_url_is_short_lived_and_for_the_owner_only),
    TEST(checkpoints_come_back_in_order_and_are_replaced),
    TEST(of_jobs_about_one_issue_the_first_goes_on),
    TEST(the_playbook_version_can_be_set),
    TEST(a_message_is_posted_once),
    TEST(a_post_whose_outcome_is_unknown_is_looked_for_first),
    TEST(a_post_may_be_sent_until_its_job_changes_hands),
    TEST(a_report_is_kept_with_its_verdict),
    TEST(lists_are_filtered_and_paged),
    TEST(counts_and_places_in_the_queue),
    TEST(what_was_diagnosed_before_is_found),
    TEST(feedback_counts_the_last_word_of_each_person),
    TEST(the_audit_log_is_one_chain),
    TEST(settings_are_kept_per_workspace),
    TEST(purging_removes_ended_jobs_with_all_that_is_theirs),
    TEST(purging_stops_at_its_limit),
    TEST(text_that_is_no_utf8_is_repaired),
    TEST(a_value_that_is_too_large_fails_alone),
    TEST(what_is_stored_outlives_the_process),
    TEST(two_handles_never_claim_the_same_job),
    TEST(processes_that_race_claim_each_job_once),
};

static int run_contract(const char *store, struct pg_server *pg)
{
    struct CMUnitTest tests[ARRAY_LEN(contract)];
    struct fixture fixture = { .pg = pg };

    for (size_t i = 0; i < ARRAY_LEN(contract); i++)
        tests[i] =
            (struct CMUnitTest){ contract[i].name, contract[i].run, set_up, tear_down, &fixture };
    return _cmocka_run_group_tests(store, tests, ARRAY_LEN(tests), NULL, NULL);
}

int main(void)
{
    struct pg_server pg;
    int failed = run_contract("sqlite", NULL);

    if (!pg_create(&pg)) {
        fputs("SKIPPED: the PostgreSQL half: no server programs in /usr/lib/postgresql\n", stderr);
        return failed;
    }
    failed += run_contract("postgresql", &pg);
    pg_destroy(&pg);
    return failed;
}
