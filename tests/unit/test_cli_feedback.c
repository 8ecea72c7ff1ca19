/* dbconn feedback and dbconn replay, run as the built program. */
#include "cli_fixture.h"

#include "dbconn/base/json.h"
#include "dbconn/base/redact.h"
#include "dbconn/diagnosis/evidence.h"
#include "dbconn/playbook/run.h"
#include "dbconn/report/report_json.h"

#define NOW (clock_wall_ms())
#define SECRET "hunter2-swordfish"

struct world {
    struct cli cli;
    char *url, *dir;
    struct store *store;
    char slots[JOB_ID_LEN + 1], silent[JOB_ID_LEN + 1];
};

static const char *program;

/* ---- jobs with evidence ---- */

static void steps_are_done(struct casefile *c, const struct playbook *p)
{
    for (size_t i = 0; i < p->n_steps; i++) {
        struct step_record *s = VEC_ADD(c->steps, c->n_steps, c->cap_steps);
        s->number = p->steps[i].number;
        s->id = xstrdup(p->steps[i].id);
        s->title = xstrdup(p->steps[i].title);
        s->status = STEP_COMPLETE;
        s->started_ms = T0;
    }
}

/* A server that says that it has no slot left; `hint` is what a frame's variables held. */
static struct evidence *a_board(const char *hint)
{
    struct evidence *board = evidence_new();
    char *hints = xasprintf("[{\"DB_PASSWORD\":\"%s\",\"host\":\"db-1\"}]", hint);

    evidence_set_str(board, "issue_details", "issue.id", "45", NULL, NULL);
    evidence_set_str(board, "issue_details", "issue.short_id", "SHOP-1", NULL, NULL);
    evidence_set_bool(board, "connection_details", "failure.applicable", true, "a database", NULL);
    evidence_set_str(board, "connection_details", "failure.kind", "too_many_connections",
                     "PostgreSQL at db-1:5432: too many connections", NULL);
    evidence_set_str(board, "event_analysis", "trend.kind", "constant", "Steady.", NULL);
    evidence_set_num(board, "event_analysis", "trend.events", 900, NULL, NULL);
    evidence_set_str(board, "event_analysis", "event.hints", hints, NULL, NULL);
    free(hints);
    return board;
}

static void finish(struct world *w, const struct casefile *c, const struct evidence *board,
                   char *ret_id)
{
    char *report = report_print(c);
    cJSON *facts = evidence_to_json(board, NULL);
    char *evidence = json_print(facts);
    struct job job = { 0 };
    struct job_result result = { .state = JOB_DONE,
                                 .report = report,
                                 .evidence = evidence,
                                 .cause = cause_name(c->diagnosis.cause),
                                 .confidence = confidence_name(c->diagnosis.confidence) };

    add_job(w->store, "SHOP-1", 10, NOW, ret_id);
    ASSERT_OUTCOME(STORE_OK, store_claim(w->store, "h", LEASE, NULL, NOW, &job, &err));
    ASSERT_OUTCOME(STORE_OK, store_finish(w->store, ref_of(&job), &result, NOW, &err));
    job_clear(&job);
    free(report);
    cJSON_free(evidence);
    cJSON_Delete(facts);
}

static void add_case(struct world *w, const char *hint, char *ret_id)
{
    struct error err = ERROR_INIT;
    struct evidence *board = a_board(hint);
    struct playbook *p = NULL;
    struct casefile c;

    assert_int_equal(playbook_builtin(&p, &err), 0);
    casefile_init(&c);
    c.playbook = xstrdup(p->id);
    c.playbook_hash = xstrdup(p->hash);
    c.evaluated_ms = T0;
    steps_are_done(&c, p);
    run_evaluate(p, board, T0, &c);
    assert_int_equal(c.diagnosis.cause, CAUSE_CONNECTION_POOL_EXHAUSTION);
    finish(w, &c, board, ret_id);
    casefile_clear(&c);
    evidence_free(board);
    playbook_unref(p);
}

static void judge(struct world *w, const char *job, const char *person, const char *verdict,
                  const char *real_cause)
{
    struct job_feedback_new f = { .job_id = job,
                                  .workspace = "T1",
                                  .person = person,
                                  .verdict = verdict,
                                  .real_cause = real_cause,
                                  .note = "password=" SECRET };

    ASSERT_OUTCOME(STORE_OK, store_feedback_put(w->store, &f, NOW, &err));
}

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));

    cli_open(&w->cli, program);
    char *file = cli_path(&w->cli, "dbconn.db");
    w->url = xasprintf("sqlite:%s", file);
    w->dir = cli_path(&w->cli, "cases");
    w->store = open_store(w->url);
    add_case(w, SECRET, w->slots);
    add_case(w, "nothing", w->silent);
    cli_env(&w->cli, "DBCONN_DATABASE_URL", w->url);
    free(file);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    store_close(w->store);
    cli_close(&w->cli);
    free(w->url);
    free(w->dir);
    free(w);
    return 0;
}

static int64_t number(const cJSON *doc, const char *dotted)
{
    const cJSON *item = json_dotted(doc, dotted);

    assert_true(cJSON_IsNumber(item));
    return (int64_t)item->valuedouble;
}

/* The export's file of that job. Heap. */
static char *exported(struct world *w, const char *job)
{
    char *path = xasprintf("%s/%s.json", w->dir, job);
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    return path;
}

static cJSON *read_json(const char *path)
{
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT;
    cJSON *doc = NULL;

    assert_int_equal(file_read(path, 1u << 24, &text, &err), 0);
    assert_int_equal(json_parse(buf_str(&text), text.len, path, &doc, &err), 0);
    buf_clear(&text);
    return doc;
}

/* ---- feedback ---- */

static void nobody_has_judged_at_first(void **state)
{
    struct world *w = *state;

    ASSERT_EXIT(0, &w->cli, "feedback");
    assert_said(&w->cli.out, "Nobody has judged");
}

static void each_diagnosis_counts_once_however_many_judge_it(void **state)
{
    struct world *w = *state;

    judge(w, w->slots, "U1", "right", NULL);
    judge(w, w->slots, "U2", "right", NULL);
    judge(w, w->silent, "U1", "wrong", "database_restart");
    ASSERT_EXIT(0, &w->cli, "feedback", "--json");
    cJSON *doc = cli_json(&w->cli);
    assert_int_equal(number(doc, "causes.connection_pool_exhaustion.judged"), 2);
    assert_int_equal(number(doc, "causes.connection_pool_exhaustion.right"), 1);
    assert_int_equal(number(doc, "causes.connection_pool_exhaustion.wrong"), 1);
    assert_int_equal(number(doc, "causes.connection_pool_exhaustion.real_causes.database_restart"),
                     1);
    assert_int_equal(number(doc, "causes.database_down.judged"), 0);
    assert_int_equal(number(doc, "all.judged"), 2);
    cJSON_Delete(doc);
    ASSERT_EXIT(0, &w->cli, "feedback");
    assert_said(&w->cli.out, "50 %");
    assert_said(&w->cli.out, "database_restart 1");
}

static void people_who_disagree_make_a_diagnosis_disputed(void **state)
{
    struct world *w = *state;

    judge(w, w->slots, "U1", "right", NULL);
    judge(w, w->slots, "U2", "wrong", NULL);
    ASSERT_EXIT(0, &w->cli, "feedback", "--json");
    cJSON *doc = cli_json(&w->cli);
    assert_int_equal(number(doc, "all.disputed"), 1);
    assert_int_equal(number(doc, "all.right") + number(doc, "all.wrong"), 0);
    cJSON_Delete(doc);
    /* Who changes their mind is counted as they think now. */
    judge(w, w->slots, "U2", "right", NULL);
    ASSERT_EXIT(0, &w->cli, "feedback", "--json", "--since", "1h");
    doc = cli_json(&w->cli);
    assert_int_equal(number(doc, "all.right"), 1);
    cJSON_Delete(doc);
}

static void an_export_holds_the_case_without_secrets_and_names(void **state)
{
    struct world *w = *state;
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT;

    judge(w, w->slots, "U1ALICE", "right", NULL);
    ASSERT_EXIT(0, &w->cli, "feedback", "--export", w->dir);
    assert_said(&w->cli.out, "Wrote 1 case to");
    char *path = exported(w, w->slots);
    assert_int_equal(file_read(path, 1u << 24, &text, &err), 0);
    assert_not_said(&text, SECRET);
    assert_not_said(&text, "U1ALICE");
    assert_said(&text, REDACTED);
    buf_clear(&text);
    cJSON *doc = read_json(path);
    assert_string_equal(json_str(doc, "cause"), "connection_pool_exhaustion");
    assert_string_equal(json_str(json_items(doc, "feedback"), "verdict"), "right");
    cJSON_Delete(doc);
    free(path);
    /* Again, with the unjudged ones; files are replaced. */
    ASSERT_EXIT(0, &w->cli, "feedback", "--export", w->dir, "--all");
    assert_said(&w->cli.out, "Wrote 2 cases");
    free(exported(w, w->silent));
}

static void an_export_says_which_cases_are_gone(void **state)
{
    struct world *w = *state;
    int64_t later = NOW + DAY_MS, n = 0;

    judge(w, w->slots, "U1", "right", NULL);
    ASSERT_OUTCOME(STORE_OK, store_purge(w->store, later, 10, later, &n, &err));
    assert_int_equal(n, 2);
    ASSERT_EXIT(0, &w->cli, "feedback", "--export", w->dir);
    assert_said(&w->cli.out, "Wrote 0 cases");
    assert_said(&w->cli.out, "1 of the judged jobs are no longer in the store");
    ASSERT_EXIT(0, &w->cli, "feedback");
    assert_said(&w->cli.out, "100 %");
}

/* ---- replay ---- */

static void the_same_playbook_gives_the_same_diagnosis(void **state)
{
    struct world *w = *state;

    judge(w, w->slots, "U1", "right", NULL);
    judge(w, w->silent, "U1", "wrong", "database_down");
    ASSERT_EXIT(0, &w->cli, "feedback", "--export", w->dir);
    char *one = exported(w, w->slots), *two = exported(w, w->silent);
    ASSERT_EXIT(0, &w->cli, "replay", one, two);
    assert_said(&w->cli.out, "the same, connection_pool_exhaustion");
    assert_said(&w->cli.out, "It was connection_pool_exhaustion, as people said: right");
    assert_said(&w->cli.out, "It was database_down, as people said: wrong");
    assert_said(&w->cli.out, "2 the same, 0 different, 0 could not be read.");
    assert_said(&w->cli.out, "Of 2 of which people told the cause, 1 were right before and 1 are");
    free(one);
    free(two);
}

/* The built-in playbook with one weight changed. Heap path. */
static char *tuned_playbook(struct world *w)
{
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT, tuned = BUF_INIT;
    static const char before[] = "\"connection_pool_exhaustion\": 75",
                      after[] = "\"connection_pool_exhaustion\": 5";

    assert_int_equal(
        file_read("config/playbooks/database-connection-refused.json", 1u << 20, &text, &err), 0);
    const char *at = strstr(buf_str(&text), before);
    assert_non_null(at);
    buf_add(&tuned, text.data, (size_t)(at - text.data));
    buf_addf(&tuned, "%s%s", after, at + strlen(before));
    char *path = cli_write(&w->cli, "tuned.json", buf_str(&tuned));
    buf_clear(&text);
    buf_clear(&tuned);
    return path;
}

static void another_playbook_shows_what_it_changes(void **state)
{
    struct world *w = *state;
    char *tuned = tuned_playbook(w);

    ASSERT_EXIT(0, &w->cli, "feedback", "--export", w->dir, "--all");
    char *path = exported(w, w->slots);
    ASSERT_EXIT(1, &w->cli, "replay", path, "--playbook", tuned);
    assert_said(&w->cli.out, "cause: connection_pool_exhaustion → ");
    ASSERT_EXIT(1, &w->cli, "replay", "--json", path, "--playbook", tuned);
    cJSON *doc = cli_json(&w->cli);
    const cJSON *one = json_items(doc, "cases");
    assert_int_equal(number(doc, "different"), 1);
    assert_true(cJSON_IsFalse(json_get(one, "same")));
    assert_string_equal(json_str(json_get(one, "before"), "cause"), "connection_pool_exhaustion");
    assert_string_not_equal(json_str(json_get(one, "now"), "cause"), "connection_pool_exhaustion");
    cJSON_Delete(doc);
    /* The configured playbook is the one that counts. */
    cli_env(&w->cli, "DBCONN_PLAYBOOK", tuned);
    ASSERT_EXIT(1, &w->cli, "replay", path);
    free(path);
    free(tuned);
}

/* What an earlier assessment derived must not decide a later one. */
static void derived_facts_are_derived_anew(void **state)
{
    struct world *w = *state;

    ASSERT_EXIT(0, &w->cli, "feedback", "--export", w->dir, "--all");
    char *path = exported(w, w->slots);
    cJSON *doc = read_json(path), *facts = cJSON_GetObjectItem(doc, "evidence"), *stale;
    stale = cJSON_Parse("{\"name\":\"release.acquitted\",\"step\":\"assessment\","
                        "\"value\":true}");
    cJSON_AddItemToArray(facts, stale);
    char *text = cJSON_Print(doc), *changed = cli_write(&w->cli, "stale.json", text);
    ASSERT_EXIT(0, &w->cli, "replay", changed);
    cJSON_free(text);
    cJSON_Delete(doc);
    free(path);
    free(changed);
}

static void a_file_that_is_no_case_is_named_with_what_was_expected(void **state)
{
    struct world *w = *state;
    char *other = cli_write(&w->cli, "other.json", "{\"schema_version\":1}"),
         *broken = cli_write(&w->cli, "broken.json", "{\"schema"),
         *absent = cli_path(&w->cli, "absent.json");

    ASSERT_EXIT(1, &w->cli, "replay", other, broken, absent);
    assert_said(&w->cli.err, other);
    assert_said(&w->cli.err, "no case as dbconn feedback --export writes it");
    assert_said(&w->cli.err, broken);
    assert_said(&w->cli.err, "not valid JSON");
    assert_said(&w->cli.err, absent);
    assert_said(&w->cli.err, "No such file");
    free(other);
    free(broken);
    free(absent);
}

static void usage_errors_name_the_option(void **state)
{
    static const struct {
        const char *args[5], *said;
    } rows[] = {
        { { "feedback", "--export" }, "--export needs a value" },
        { { "feedback", "--all" }, "--all goes with --export" },
        { { "feedback", "--since", "then" }, "--since must be" },
        { { "feedback", "more" }, "more was not expected" },
        { { "replay" }, "which files?" },
        { { "replay", "--json" }, "which files?" },
        { { "replay", "x.json", "--playbook", "/nowhere.json" }, "/nowhere.json" },
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
        TEST(nobody_has_judged_at_first),
        TEST(each_diagnosis_counts_once_however_many_judge_it),
        TEST(people_who_disagree_make_a_diagnosis_disputed),
        TEST(an_export_holds_the_case_without_secrets_and_names),
        TEST(an_export_says_which_cases_are_gone),
        TEST(the_same_playbook_gives_the_same_diagnosis),
        TEST(another_playbook_shows_what_it_changes),
        TEST(derived_facts_are_derived_anew),
        TEST(a_file_that_is_no_case_is_named_with_what_was_expected),
        TEST(usage_errors_name_the_option),
    };

    (void)argc;
    program = argv[0];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
