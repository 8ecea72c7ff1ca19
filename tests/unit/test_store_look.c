/* The contract of the store: lists, what was seen before, feedback, audit, purging. */
#include "dbconn/queue/audit.h"
#include "store_contract.h"

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
        { { .issue_org = "acme", .issue_id = "1", .until_ms = T0 + 1000 },
          STORE_OK,
          first,
          SEEN_BY_ISSUE },
        { { .issue_org = "acme", .issue_id = "1", .until_ms = T0 }, STORE_NONE, NULL, 0 },
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

/* Reads the whole chain; 0 when it is sound, else the number of entries that were. */
static int64_t check_chain(struct store *st, const struct audit_key *key)
{
    struct audit_check check = { 0 };
    struct audit_list list = { 0 };
    struct error why = ERROR_INIT;
    bool sound = true;

    ASSERT_OUTCOME(STORE_OK, store_audit_list(st, 1, 0, &list, &err));
    for (size_t i = 0; sound && i < list.n; i++)
        sound = audit_check_next(&check, key, &list.items[i], &why) == 0;
    sound = sound && audit_check_end(&check, &why) == 0;
    error_clear(&why);
    audit_list_clear(&list);
    return sound ? 0 : check.n + 1;
}

static void what_is_too_old_leaves_a_signed_marker_in_the_audit_log(void **state)
{
    struct fixture *f = *state;
    struct audit_list list = { 0 };
    struct audit_key key, other;
    int64_t n;

    audit_key_from("a secret", &key);
    audit_key_from("another one", &other);
    ASSERT_OUTCOME(STORE_OK, store_audit_expire(f->st, T0 + 3, T0, audit_hash, &key, &n, &err));
    assert_int_equal(0, n); /* there is nothing */
    for (int i = 0; i < 6; i++)
        ASSERT_OUTCOME(STORE_OK, store_audit_append(f->st, "{\"event\":\"command\"}", T0 + i,
                                                    audit_hash, &key, NULL, &err));
    assert_int_equal(0, check_chain(f->st, &key));
    assert_int_equal(1, check_chain(f->st, &other));
    ASSERT_OUTCOME(STORE_OK, store_audit_expire(f->st, T0 + 3, T0 + 9, audit_hash, &key, &n, &err));
    assert_int_equal(3, n);
    assert_int_equal(0, check_chain(f->st, &key));
    ASSERT_OUTCOME(STORE_OK, store_audit_expire(f->st, T0 + 3, T0 + 9, audit_hash, &key, &n, &err));
    assert_int_equal(0, n);
    ASSERT_OUTCOME(STORE_OK, store_audit_list(f->st, -1, 0, &list, &err));
    assert_int_equal(1, list.n);
    assert_int_equal(7, list.items[0].seq);
    assert_non_null(strstr(list.items[0].payload, AUDIT_PURGED));
    audit_list_clear(&list);
    ASSERT_OUTCOME(STORE_OK, store_audit_purge(f->st, 5, &n, &err)); /* and no entry says so */
    assert_int_not_equal(0, check_chain(f->st, &key));
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

int main(void)
{
    static const struct contract_test tests[] = {
        TEST(a_report_is_kept_with_its_verdict),
        TEST(lists_are_filtered_and_paged),
        TEST(counts_and_places_in_the_queue),
        TEST(what_was_diagnosed_before_is_found),
        TEST(feedback_counts_the_last_word_of_each_person),
        TEST(the_audit_log_is_one_chain),
        TEST(what_is_too_old_leaves_a_signed_marker_in_the_audit_log),
        TEST(settings_are_kept_per_workspace),
        TEST(purging_removes_ended_jobs_with_all_that_is_theirs),
        TEST(purging_stops_at_its_limit),
    };

    return run_contract(tests, ARRAY_LEN(tests));
}
