/* dbconn jobs, run as the built program on a store that a bot has filled. */
#include "cli_fixture.h"

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/report/report_json.h"

#define NOW (clock_wall_ms())

struct world {
    struct cli cli;
    char *url, *file;
    struct store *store;
    char done[JOB_ID_LEN + 1], queued[JOB_ID_LEN + 1], failed[JOB_ID_LEN + 1];
};

static const char *program;

static char *golden_report(void)
{
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT;
    cJSON *doc = NULL;

    assert_int_equal(file_read("tests/golden/thread/database_down.in.json", 1u << 20, &text, &err),
                     0);
    assert_int_equal(json_parse(buf_str(&text), text.len, "golden", &doc, &err), 0);
    cJSON_DeleteItemFromObject(doc, "view");
    char *compact = json_print(doc);
    cJSON_Delete(doc);
    buf_clear(&text);
    return compact;
}

/* Claims the only job that is due and ends it. */
static void end_job(struct store *st, const char *id, const struct job_result *result, int64_t now)
{
    struct job job = { 0 };

    ASSERT_OUTCOME(STORE_OK, store_claim(st, "host/1", LEASE, NULL, now, &job, &err));
    assert_string_equal(job.id, id);
    if (result->state == JOB_DONE) {
        struct job_issue issue = { "acme", "4512000777", "ORDERS-77", "refused", NULL };
        struct job_list earlier = { 0 };
        ASSERT_OUTCOME(STORE_OK, store_set_issue(st, ref_of(&job), &issue, now, &earlier, &err));
        ASSERT_OUTCOME(STORE_OK, store_message_intend(st, ref_of(&job), "root", "C1", NULL, 1000,
                                                      now, NULL, &err));
        ASSERT_OUTCOME(STORE_OK, store_message_sent(st, ref_of(&job), "root", NULL, "1786.01",
                                                    "hash", true, now, &err));
    }
    ASSERT_OUTCOME(STORE_OK, store_finish(st, ref_of(&job), result, now + 3000, &err));
    job_clear(&job);
}

static void fill(struct world *w)
{
    int64_t hour_ago = NOW - HOUR_MS;
    char *report = golden_report();
    struct job_result done = { .state = JOB_DONE,
                               .report = report,
                               .evidence = "[]",
                               .cause = "database_down",
                               .confidence = "high",
                               .summary = "It is down",
                               .target_host = "orders-db.internal",
                               .target_port = "5432" };
    struct job_result failed = { .state = JOB_FAILED, .error = "Sentry answered 403\033[2J" };

    add_job(w->store, "ORDERS-77", JOB_PRIORITY_PERSON, hour_ago, w->done);
    end_job(w->store, w->done, &done, hour_ago);
    add_job(w->store, "NOPE-1", JOB_PRIORITY_PERSON, hour_ago + MINUTE_MS, w->failed);
    end_job(w->store, w->failed, &failed, hour_ago + MINUTE_MS);
    add_job(w->store, "SHOP-2", JOB_PRIORITY_PERSON, NOW, w->queued);
    ASSERT_OUTCOME(STORE_OK,
                   store_feedback_put(w->store,
                                      &(struct job_feedback_new){ .job_id = w->done,
                                                                  .workspace = "T1",
                                                                  .person = "U9",
                                                                  .verdict = "wrong",
                                                                  .real_cause = "database_restart",
                                                                  .note = "it came back" },
                                      NOW, &err));
    cJSON_free(report);
}

/* The store stays open while the program runs: that is how it is beside a running bot. */
static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));

    cli_open(&w->cli, program);
    w->file = cli_path(&w->cli, "dbconn.db");
    w->url = xasprintf("sqlite:%s", w->file);
    w->store = open_store(w->url);
    fill(w);
    cli_env(&w->cli, "DBCONN_DATABASE_URL", w->url);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    store_close(w->store);
    cli_close(&w->cli);
    free(w->file);
    free(w->url);
    free(w);
    return 0;
}

static enum job_state state_of(struct world *w, const char *id)
{
    struct job job = { 0 };

    ASSERT_OUTCOME(STORE_OK, store_get(w->store, id, &job, &err));
    enum job_state state = job.state;
    job_clear(&job);
    return state;
}

static void a_list_shows_every_job_and_what_became_of_it(void **state)
{
    struct world *w = *state;

    ASSERT_EXIT(0, &w->cli, "jobs", "list");
    assert_said(&w->cli.out, w->done);
    assert_said(&w->cli.out, "database_down (high)");
    assert_said(&w->cli.out, "ORDERS-77");
    assert_said(&w->cli.out, "Sentry answered 403");
    assert_said(&w->cli.out, "In the store: 1 queued, 1 done, 1 failed; the oldest has waited");
    assert_not_said(&w->cli.out, "\033");
    assert_int_equal(w->cli.err.len, 0);
}

static void a_list_can_be_narrowed(void **state)
{
    struct world *w = *state;
    const struct {
        const char *option, *value, *there, *not_there;
    } rows[] = {
        { "--state", "queued", w->queued, w->done },
        { "--state", "done,failed", w->failed, w->queued },
        { "--issue", "orders-77", w->done, w->queued },
        { "--issue", "https://acme.sentry.io/issues/4512000777/", w->done, w->failed },
        { "--host", "orders-db.internal", w->done, w->failed },
        { "--limit", "1", w->queued, w->done },
        { "--before", "2", w->done, w->queued },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ASSERT_EXIT(0, &w->cli, "jobs", "list", rows[i].option, rows[i].value);
        assert_said(&w->cli.out, rows[i].there);
        assert_not_said(&w->cli.out, rows[i].not_there);
    }
    ASSERT_EXIT(0, &w->cli, "jobs", "list", "--limit", "1");
    assert_said(&w->cli.out, "--before 3");
    ASSERT_EXIT(0, &w->cli, "jobs", "list", "--state=dead");
    assert_said(&w->cli.out, "No job fits.");
}

static void a_list_for_scripts_is_json_without_the_response_url(void **state)
{
    struct world *w = *state;
    struct job_new job = simple_job("SECRET-1", 10);
    char id[JOB_ID_LEN + 1];

    job.response_url = "https://hooks.slack.com/commands/T1/1/secret";
    ASSERT_OUTCOME(STORE_OK, store_enqueue(w->store, &job, NULL, 0, 0, NOW, id, &err));
    ASSERT_EXIT(0, &w->cli, "jobs", "list", "--json");
    assert_not_said(&w->cli.out, "hooks.slack.com");
    cJSON *doc = cli_json(&w->cli);
    const cJSON *jobs = json_get(doc, "jobs");
    assert_int_equal(cJSON_GetArraySize(jobs), 4);
    assert_string_equal(json_str(json_first(jobs), "id"), id);
    const cJSON *done = cJSON_GetArrayItem(jobs, 3);
    assert_string_equal(json_str(done, "cause"), "database_down");
    assert_string_equal(json_str(json_get(done, "issue"), "short_id"), "ORDERS-77");
    cJSON_Delete(doc);
}

static void show_prints_the_report_and_what_the_queue_knows(void **state)
{
    struct world *w = *state;
    const char *const parts[] = { "The database is down (confidence: high)",
                                  "Do now",
                                  "In figures",
                                  "Attempt 1:",
                                  "done after 3 s",
                                  "Message:",
                                  "root: sent",
                                  "U9 says wrong, it was database_restart: it came back" };

    ASSERT_EXIT(0, &w->cli, "jobs", "show", w->done);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        assert_said(&w->cli.out, parts[i]);
    ASSERT_EXIT(0, &w->cli, "jobs", "show", "ORDERS-77");
    assert_said(&w->cli.out, w->done);
    ASSERT_EXIT(0, &w->cli, "jobs", "show", w->done, "--record");
    assert_not_said(&w->cli.out, "Do now");
    ASSERT_EXIT(0, &w->cli, "jobs", "show", w->failed);
    assert_said(&w->cli.out, "Sentry answered 403");
}

static void show_json_is_the_stored_document(void **state)
{
    struct world *w = *state;
    char *report = golden_report();

    ASSERT_EXIT(0, &w->cli, "jobs", "show", "--json", w->done);
    assert_int_equal(strncmp(buf_str(&w->cli.out), report, strlen(report)), 0);
    cJSON_free(report);
    ASSERT_EXIT(0, &w->cli, "jobs", "show", "--json", "--record", w->done);
    cJSON *doc = cli_json(&w->cli);
    assert_string_equal(json_str(json_items(doc, "messages"), "part"), "root");
    assert_string_equal(json_str(json_items(doc, "attempt_list"), "outcome"), "done");
    assert_string_equal(json_str(json_items(doc, "feedback"), "verdict"), "wrong");
    cJSON_Delete(doc);
    /* A job without a report: an error document, as dbconn run gives one. */
    ASSERT_EXIT(1, &w->cli, "jobs", "show", "--json", w->queued);
    doc = cli_json(&w->cli);
    assert_string_equal(json_str(json_get(doc, "error"), "code"), "not_found");
    cJSON_Delete(doc);
}

static void an_ended_job_can_be_queued_again(void **state)
{
    struct world *w = *state;

    ASSERT_EXIT(0, &w->cli, "jobs", "requeue", w->done, w->failed);
    assert_int_equal(state_of(w, w->done), JOB_QUEUED);
    assert_int_equal(state_of(w, w->failed), JOB_QUEUED);
    /* What can be done is done, and the exit code says that not all could. */
    ASSERT_EXIT(1, &w->cli, "jobs", "requeue", w->queued, "--fresh");
    assert_said(&w->cli.err, "has not ended");
}

static void requeue_keeps_the_steps_it_is_told_to_keep(void **state)
{
    static const struct {
        const char *option;
        size_t kept;
    } rows[] = { { NULL, 2 }, { "--failed", 1 }, { "--fresh", 0 } };
    struct world *w = *state;
    char id[JOB_ID_LEN + 1];

    ASSERT_EXIT(0, &w->cli, "jobs", "cancel", w->queued);
    end_job(w->store, w->queued, &(struct job_result){ .state = JOB_CANCELLED }, NOW);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct job job = { 0 };
        struct job_step good = { (char *)(uintptr_t) "a", 1, (char *)(uintptr_t) "complete",
                                 (char *)(uintptr_t) "{}", 0 };
        struct job_step bad = { (char *)(uintptr_t) "b", 2, (char *)(uintptr_t) "failed",
                                (char *)(uintptr_t) "{}", 0 };
        struct job_step_list steps = { 0 };
        add_job(w->store, "STEPS-1", 10, NOW, id);
        ASSERT_OUTCOME(STORE_OK, store_claim(w->store, "h", LEASE, NULL, NOW, &job, &err));
        ASSERT_OUTCOME(STORE_OK, store_checkpoint(w->store, ref_of(&job), &good, NOW, &err));
        ASSERT_OUTCOME(STORE_OK, store_checkpoint(w->store, ref_of(&job), &bad, NOW, &err));
        ASSERT_OUTCOME(STORE_OK,
                       store_finish(w->store, ref_of(&job),
                                    &(struct job_result){ .state = JOB_FAILED }, NOW, &err));
        if (rows[i].option)
            ASSERT_EXIT(0, &w->cli, "jobs", "requeue", id, rows[i].option);
        else
            ASSERT_EXIT(0, &w->cli, "jobs", "requeue", id);
        ASSERT_OUTCOME(STORE_OK, store_steps(w->store, id, &steps, &err));
        assert_int_equal(steps.n, rows[i].kept);
        job_step_list_clear(&steps);
        job_clear(&job);
        end_job(w->store, id, &(struct job_result){ .state = JOB_FAILED }, NOW);
    }
}

static void a_waiting_job_can_be_cancelled_once(void **state)
{
    struct world *w = *state;
    struct job job = { 0 };

    cli_env(&w->cli, "SUDO_USER", "alice");
    ASSERT_EXIT(0, &w->cli, "jobs", "cancel", w->queued);
    ASSERT_OUTCOME(STORE_OK, store_get(w->store, w->queued, &job, &err));
    assert_string_equal(job.cancel_by, "alice at a terminal");
    job_clear(&job);
    ASSERT_EXIT(1, &w->cli, "jobs", "cancel", w->done, "--json");
    cJSON *doc = cli_json(&w->cli);
    assert_true(cJSON_IsFalse(json_get(doc, "ok")));
    assert_string_equal(json_str(doc, "what"), "has ended already");
    cJSON_Delete(doc);
    ASSERT_EXIT(1, &w->cli, "jobs", "cancel", "000000000000000000");
    assert_said(&w->cli.err, "is not in the store");
}

static void purge_removes_what_ended_long_enough_ago(void **state)
{
    struct world *w = *state;
    struct job job = { 0 };
    struct job_feedback_list feedback = { 0 };

    ASSERT_EXIT(0, &w->cli, "jobs", "purge"); /* 30 days by default */
    assert_said(&w->cli.out, "Removed 0 jobs");
    ASSERT_EXIT(0, &w->cli, "jobs", "purge", "--older-than", "59m", "--json");
    cJSON *doc = cli_json(&w->cli);
    assert_int_equal(json_get(doc, "removed")->valueint, 1);
    cJSON_Delete(doc);
    ASSERT_OUTCOME(STORE_NONE, store_get(w->store, w->done, &job, &err));
    ASSERT_OUTCOME(STORE_OK, store_get(w->store, w->failed, &job, &err));
    job_clear(&job);
    char *none = cli_write(&w->cli, "none.json", "{\"queue\":{\"retention_days\":0}}");
    ASSERT_EXIT(2, &w->cli, "jobs", "purge", "--config", none);
    assert_said(&w->cli.err, "queue.retention_days is 0");
    free(none);
    ASSERT_OUTCOME(STORE_OK, store_feedback_list(w->store, NULL, &feedback, &err));
    assert_int_equal(feedback.n, 1);
    assert_null(feedback.items[0].person);
    job_feedback_list_clear(&feedback);
}

static int audit_count(struct world *w)
{
    struct audit_list list = { 0 };

    ASSERT_OUTCOME(STORE_OK, store_audit_list(w->store, 1, 1000, &list, &err));
    int n = (int)list.n;
    audit_list_clear(&list);
    return n;
}

/* The only entry about that, as an object; fails when there are more or none. */
static cJSON *audited(struct world *w, const char *what, const char *outcome)
{
    struct audit_list list = { 0 };
    cJSON *found = NULL;
    int n = 0;

    ASSERT_OUTCOME(STORE_OK, store_audit_list(w->store, 1, 1000, &list, &err));
    for (size_t i = 0; i < list.n; i++) {
        cJSON *doc = cJSON_Parse(list.items[i].payload);
        if (text_same(json_str(doc, "what"), what) &&
            text_same(json_str(doc, "outcome"), outcome)) {
            n++;
            cJSON_Delete(found);
            found = doc;
        } else {
            cJSON_Delete(doc);
        }
    }
    audit_list_clear(&list);
    if (n != 1)
        fail_msg("%d entries about %s with the outcome %s", n, what, outcome);
    return found;
}

static void what_is_done_at_a_terminal_is_in_the_audit_log(void **state)
{
    struct world *w = *state;
    char host[256] = "";

    cli_env(&w->cli, "SUDO_USER", "alice");
    ASSERT_EXIT(0, &w->cli, "jobs", "cancel", w->queued);
    ASSERT_EXIT(1, &w->cli, "jobs", "cancel", w->done);
    ASSERT_EXIT(0, &w->cli, "jobs", "requeue", w->failed);
    ASSERT_EXIT(0, &w->cli, "jobs", "purge", "--older-than", "59m");
    assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
    cJSON *doc = audited(w, "cancel", "done");
    assert_string_equal(json_str(doc, "event"), "terminal");
    assert_string_equal(json_str(doc, "who"), "alice");
    assert_non_null(json_str(doc, "account"));
    assert_string_equal(json_str(doc, "machine"), host);
    assert_string_equal(json_str(doc, "of_job"), w->queued);
    cJSON_Delete(doc);
    doc = audited(w, "cancel", "refused");
    assert_string_equal(json_str(doc, "of_job"), w->done);
    cJSON_Delete(doc);
    cJSON_Delete(audited(w, "requeue", "done"));
    cJSON_Delete(audited(w, "purge", "taken"));
    doc = audited(w, "purge", "done");
    assert_int_equal(json_get(doc, "removed")->valueint, 1);
    assert_non_null(json_str(doc, "ended_before"));
    cJSON_Delete(doc);
    ASSERT_EXIT(0, &w->cli, "audit", "verify");
    assert_said(&w->cli.out, "5 entries, unchanged and without a gap");
    ASSERT_EXIT(0, &w->cli, "jobs", "list"); /* looking is not noted */
    ASSERT_EXIT(0, &w->cli, "audit", "list");
    assert_said(&w->cli.out, "terminal cancel alice");
    assert_int_equal(audit_count(w), 5);
}

/* The key of another account would break the chain for everybody who verifies it. */
static void who_has_not_the_key_of_the_audit_log_may_look_and_not_steer(void **state)
{
    struct world *w = *state;

    ASSERT_EXIT(0, &w->cli, "jobs", "requeue", w->done);
    cli_env(&w->cli, "DBCONN_AUDIT_KEY", "some other key");
    ASSERT_EXIT(2, &w->cli, "jobs", "cancel", w->queued);
    assert_said(&w->cli.err, "not the one that entry 1 of it was signed with");
    ASSERT_EXIT(2, &w->cli, "jobs", "purge", "--older-than", "59m");
    assert_int_equal(state_of(w, w->queued), JOB_QUEUED);
    assert_int_equal(state_of(w, w->failed), JOB_FAILED);
    ASSERT_EXIT(0, &w->cli, "jobs", "show", w->queued);
    cli_env(&w->cli, "DBCONN_AUDIT_KEY", NULL);
    char *key = xasprintf("%s.audit-key", w->file);
    assert_int_equal(unlink(key), 0);
    ASSERT_EXIT(2, &w->cli, "jobs", "cancel", w->queued);
    assert_int_equal(state_of(w, w->queued), JOB_QUEUED);
    assert_int_not_equal(access(key, F_OK), 0); /* and none is made for a log that has one */
    assert_int_equal(audit_count(w), 1);
    free(key);
}

static void a_backup_holds_the_jobs_and_is_private(void **state)
{
    struct world *w = *state;
    char *path = cli_path(&w->cli, "copy.db"), *url = xasprintf("sqlite:%s", path);
    struct stat st;
    struct job job = { 0 };

    ASSERT_EXIT(0, &w->cli, "jobs", "backup", path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct store *copy = open_store(url);
    ASSERT_OUTCOME(STORE_OK, store_get(copy, w->done, &job, &err));
    job_clear(&job);
    store_close(copy);
    ASSERT_EXIT(1, &w->cli, "jobs", "backup", path);
    assert_said(&w->cli.err, "File exists");
    free(path);
    free(url);
}

static void verify_tells_a_sound_store_from_a_damaged_one(void **state)
{
    struct world *w = *state;
    char *path = cli_path(&w->cli, "damaged.db"), *url = xasprintf("sqlite:%s", path);

    ASSERT_EXIT(0, &w->cli, "jobs", "verify");
    assert_said(&w->cli.out, "is sound; it holds 3 jobs");
    ASSERT_EXIT(0, &w->cli, "jobs", "backup", path);
    int fd = open(path, O_RDWR);
    for (off_t at = 3 * 4096; at < 20 * 4096; at += 4096)
        assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, at), 8);
    close(fd);
    cli_env(&w->cli, "DBCONN_DATABASE_URL", url);
    ASSERT_EXIT(1, &w->cli, "jobs", "verify");
    assert_said(&w->cli.err, "damaged");
    free(path);
    free(url);
}

static void a_store_that_is_not_there_is_said_and_not_made(void **state)
{
    struct world *w = *state;
    char *path = cli_path(&w->cli, "state/dbconn/dbconn.db"), *dir = cli_path(&w->cli, "state");

    cli_env(&w->cli, "DBCONN_DATABASE_URL", NULL);
    cli_env(&w->cli, "XDG_STATE_HOME", dir);
    ASSERT_EXIT(2, &w->cli, "jobs", "list");
    assert_said(&w->cli.err, path);
    assert_said(&w->cli.err, "no dbconn serve has run with it yet");
    assert_int_equal(access(dir, F_OK), -1);
    cli_env(&w->cli, "XDG_STATE_HOME", NULL);
    ASSERT_EXIT(2, &w->cli, "jobs", "list");
    assert_said(&w->cli.err, "there is no state directory");
    free(path);
    free(dir);
}

static void usage_errors_name_the_option(void **state)
{
    static const struct {
        const char *args[5], *said;
    } rows[] = {
        { { "jobs" }, "One of: list, show" },
        { { "jobs", "lst" }, "there is no \"lst\"" },
        { { "jobs", "list", "--stat", "x" }, "--stat is no option" },
        { { "jobs", "list", "--state", "asleep" }, "--state must be" },
        { { "jobs", "list", "--state" }, "--state needs a value" },
        { { "jobs", "list", "--limit", "0" }, "--limit must be" },
        { { "jobs", "list", "--json=1" }, "--json takes no value" },
        { { "jobs", "list", "more" }, "more was not expected" },
        { { "jobs", "list", "--issue", "?" }, "--issue" },
        { { "jobs", "show" }, "which?" },
        { { "jobs", "requeue" }, "which job?" },
        { { "jobs", "requeue", "SHOP-1" }, "\"SHOP-1\" is no job id" },
        { { "jobs", "requeue", "--fresh", "--failed" }, "either --fresh or --failed" },
        { { "jobs", "purge", "--older-than", "soon" }, "--older-than must be" },
        { { "jobs", "purge", "--older-than", "0d" }, "--older-than must be" },
        { { "jobs", "backup" }, "where to?" },
        { { "jobs", "--config" }, "--config needs a file" },
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (cli_run(&w->cli, rows[i].args) != 2)
            fail_msg("row %zu: exit code %d: %s", i, w->cli.code, buf_str(&w->cli.err));
        assert_said(&w->cli.err, rows[i].said);
    }
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_list_shows_every_job_and_what_became_of_it),
        TEST(a_list_can_be_narrowed),
        TEST(a_list_for_scripts_is_json_without_the_response_url),
        TEST(show_prints_the_report_and_what_the_queue_knows),
        TEST(show_json_is_the_stored_document),
        TEST(an_ended_job_can_be_queued_again),
        TEST(requeue_keeps_the_steps_it_is_told_to_keep),
        TEST(a_waiting_job_can_be_cancelled_once),
        TEST(purge_removes_what_ended_long_enough_ago),
        TEST(what_is_done_at_a_terminal_is_in_the_audit_log),
        TEST(who_has_not_the_key_of_the_audit_log_may_look_and_not_steer),
        TEST(a_backup_holds_the_jobs_and_is_private),
        TEST(verify_tells_a_sound_store_from_a_damaged_one),
        TEST(a_store_that_is_not_there_is_said_and_not_made),
        TEST(usage_errors_name_the_option),
    };

    (void)argc;
    program = argv[0];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
