/* The contract of the store: what a running job writes, and who may not write any more. */
#include "store_contract.h"

/* ---- the fence ---- */

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
static int try_edit(struct store *st, struct job_ref ref, struct error *err)
{
    return store_message_edit(st, ref, "root", 1000, T0, err);
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
    try_sent,      try_set_playbook, try_intend, try_absent, try_unknown,    try_edit,
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
        free(step.step_id);
        free(step.status);
        free(step.data);
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
    /* A job that ended before this one was asked for is in nobody's way. */
    end_job(st, &jobs[1], JOB_DONE, T0);
    assert_int_equal(STORE_OK, say_issue(st, &jobs[0], "acme", "42", &list));
    for (int i = 0; i < 3; i++)
        job_clear(&jobs[i]);
}

static void a_job_asked_for_while_another_ran_finds_its_answer(void **state)
{
    static const struct {
        enum job_state end;
        int64_t end_ms;
        enum store_outcome outcome;
    } table[] = {
        { JOB_DONE, T0 + 1, STORE_EXISTS },
        { JOB_DONE, T0, STORE_OK },
        { JOB_FAILED, T0 + 1, STORE_OK },
        { JOB_CANCELLED, T0 + 1, STORE_OK },
    };
    struct store *st = st_of(state);
    char id[JOB_ID_LEN + 1], issue[8];

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct job_list list = { 0 };
        snprintf(issue, sizeof(issue), "%zu", i);
        add_job(st, "SHOP-1A2", 0, T0, id);
        struct job first = claim_one(st, "a", T0);
        add_job(st, "SHOP-1A2", 0, T0, id);
        struct job second = claim_one(st, "a", T0);
        assert_int_equal(STORE_OK, say_issue(st, &first, "acme", issue, &list));
        end_job(st, &first, table[i].end, table[i].end_ms);
        assert_int_equal(table[i].outcome, say_issue(st, &second, "acme", issue, &list));
        if (table[i].outcome == STORE_EXISTS) {
            assert_string_equal(first.id, list.items[0].id);
            assert_int_equal(JOB_DONE, list.items[0].state);
        }
        end_job(st, &second, JOB_CANCELLED, T0);
        job_list_clear(&list);
        job_clear(&first);
        job_clear(&second);
    }
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

static void an_edit_that_was_under_way_leaves_its_content_unknown(void **state)
{
    struct store *st = st_of(state);
    struct job_message_list list = { 0 };
    char id[JOB_ID_LEN + 1];

    add_job(st, "SHOP-1", 0, T0, id);
    struct job job = claim_one(st, "a", T0);
    ASSERT_OUTCOME(STORE_NONE, store_message_edit(st, ref_of(&job), "root", 5000, T0, &err));
    assert_int_equal(STORE_OK, say_intent(st, &job, "root", NULL));
    ASSERT_OUTCOME(STORE_NONE, store_message_edit(st, ref_of(&job), "root", 5000, T0, &err));
    ASSERT_OUTCOME(STORE_OK,
                   store_message_sent(st, ref_of(&job), "root", NULL, "1.5", "h", true, T0, &err));
    ASSERT_OUTCOME(STORE_OK, store_message_edit(st, ref_of(&job), "root", 5000, T0 + 7, &err));
    ASSERT_OUTCOME(STORE_OK, store_messages(st, id, &list, &err));
    assert_int_equal(MESSAGE_SENT, list.items[0].state);
    assert_string_equal("1.5", list.items[0].ts);
    assert_null(list.items[0].hash);
    assert_int_equal(T0 + 7 + 5000, list.items[0].lands_until_ms);
    job_message_list_clear(&list);

    /* Who takes the job over does not know when the edit was sent: at the latest just now. */
    job_clear(&job);
    job = claim_one(st, "b", T0 + LEASE);
    ASSERT_OUTCOME(STORE_OK, store_messages(st, id, &list, &err));
    assert_int_equal(T0 + LEASE + 5000, list.items[0].lands_until_ms);
    job_message_list_clear(&list);
    ASSERT_OUTCOME(STORE_OK, store_message_sent(st, ref_of(&job), "root", NULL, "1.5", "h2", false,
                                                T0 + LEASE, &err));
    ASSERT_OUTCOME(STORE_OK, store_messages(st, id, &list, &err));
    assert_string_equal("h2", list.items[0].hash);
    job_message_list_clear(&list);
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

int main(void)
{
    static const struct contract_test tests[] = {
        TEST(a_stalled_owner_can_write_nothing),
        TEST(an_ended_job_takes_no_more_writes),
        TEST(checkpoints_come_back_in_order_and_are_replaced),
        TEST(of_jobs_about_one_issue_the_first_goes_on),
        TEST(a_job_asked_for_while_another_ran_finds_its_answer),
        TEST(the_playbook_version_can_be_set),
        TEST(a_message_is_posted_once),
        TEST(a_post_whose_outcome_is_unknown_is_looked_for_first),
        TEST(an_edit_that_was_under_way_leaves_its_content_unknown),
        TEST(a_post_may_be_sent_until_its_job_changes_hands),
    };

    return run_contract(tests, ARRAY_LEN(tests));
}
