/* The SQLite store: its file, its plans, and what it survives. */
#include "store_fixture.h"

#include <sqlite3.h>
#include <sys/resource.h>

struct file {
    char *folder, *path, *url;
};

static int set_up(void **state)
{
    struct file *f = xcalloc(1, sizeof(*f));

    f->folder = make_folder();
    f->path = xasprintf("%s/queue.db", f->folder);
    f->url = xasprintf("sqlite:%s", f->path);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct file *f = *state;

    remove_folder(f->folder);
    free(f->folder);
    free(f->path);
    free(f->url);
    free(f);
    return 0;
}

static void sql_on(const char *path, const char *text)
{
    sqlite3 *db;

    assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
    assert_int_equal(SQLITE_OK, sqlite3_exec(db, text, NULL, NULL, NULL));
    sqlite3_close(db);
}

static void assert_refused(const char *url, const char *says)
{
    struct error err = ERROR_INIT;
    struct store *st = NULL;

    assert_int_equal(-1, store_open(url, NULL, &st, &err));
    assert_null(st);
    if (!strstr(error_text(&err), says))
        fail_msg("\"%s\" lacks \"%s\"", error_text(&err), says);
    error_clear(&err);
}

/* ---- the file ---- */

static mode_t mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(0, stat(path, &st));
    return st.st_mode & 0777;
}

static void the_file_is_private(void **state)
{
    struct file *f = *state;
    char *wal = xasprintf("%s-wal", f->path), id[JOB_ID_LEN + 1];

    umask(0);
    struct store *st = open_store(f->url);
    add_job(st, "SHOP-1", 0, T0, id);
    assert_int_equal(0600, mode_of(f->path));
    assert_int_equal(0600, mode_of(wal));
    store_close(st);
    assert_int_equal(0, chmod(f->path, 0644)); /* somebody copied it carelessly */
    st = open_store(f->url);
    assert_int_equal(0600, mode_of(f->path));
    store_close(st);
    free(wal);
}

static void a_newer_schema_is_refused(void **state)
{
    struct file *f = *state;

    store_close(open_store(f->url));
    sql_on(f->path, "UPDATE schema_version SET version = version + 1");
    assert_refused(f->url, "run the newer dbconn");
    /* and nothing was changed in it */
    sql_on(f->path, "UPDATE schema_version SET version = version - 1");
    store_close(open_store(f->url));
}

static void what_is_no_database_is_refused(void **state)
{
    struct file *f = *state;
    FILE *out = fopen(f->path, "w");

    for (int i = 0; i < 4096; i++)
        assert_true(fputs("this is no database ", out) >= 0);
    fclose(out);
    assert_refused(f->url, "damaged or no SQLite database");
}

static void scribble(const char *path, long from, long len)
{
    FILE *out = fopen(path, "r+");

    assert_non_null(out);
    assert_int_equal(0, fseek(out, from, SEEK_SET));
    for (long i = 0; i < len; i++)
        fputc(0xA5, out);
    fclose(out);
}

static void damage_is_noticed_and_said(void **state)
{
    struct file *f = *state;
    struct error why = ERROR_INIT;
    char id[JOB_ID_LEN + 1];
    struct stat size;

    struct store *st = open_store(f->url);
    for (int i = 0; i < 500; i++)
        add_job(st, "SHOP-1", 0, T0, id);
    ASSERT_OUTCOME(STORE_OK, store_check(st, &err));
    store_close(st);
    assert_int_equal(0, stat(f->path, &size));
    scribble(f->path, size.st_size / 3, size.st_size / 3);
    /* Where the damage is decides who sees it first; both have to say so. */
    int rc = store_open(f->url, NULL, &st, &why);
    if (rc == 0) {
        rc = store_check(st, &why);
        store_close(st);
    }
    assert_int_equal(-1, rc);
    assert_int_equal(ERR_STORE, why.code);
    assert_non_null(strstr(error_text(&why), "damaged"));
    assert_non_null(strstr(error_text(&why), "restore a backup"));
    error_clear(&why);
}

/* Runs `check` as somebody who is not root, for whom modes count. */
static void as_nobody(void (*check)(const struct file *f), const struct file *f)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (geteuid() == 0 && (setgroups(0, NULL) || setgid(65534) || setuid(65534)))
            _exit(2);
        check(f);
        _exit(0);
    }
    assert_int_equal(pid, waitpid(pid, &status, 0));
    assert_true(WIFEXITED(status));
    assert_int_equal(0, WEXITSTATUS(status));
}

static void expect_unwritable(const struct file *f)
{
    struct error err = ERROR_INIT;
    struct store *st = NULL;

    if (store_open(f->url, NULL, &st, &err) == 0)
        _exit(3);
    if (!strstr(error_text(&err), "writable for this user"))
        _exit(4);
    error_clear(&err);
}

static void a_folder_that_cannot_be_written_is_said_so(void **state)
{
    struct file *f = *state;

    assert_int_equal(0, chmod(f->folder, 0555));
    as_nobody(expect_unwritable, f); /* no file yet */
    assert_int_equal(0, chmod(f->folder, 0755));
    store_close(open_store(f->url));
    if (geteuid() == 0) {
        assert_int_equal(0, chown(f->path, 65534, 65534)); /* the file is fine, the folder not */
        as_nobody(expect_unwritable, f);
    }
}

static void a_folder_that_does_not_exist_is_said_so(void **state)
{
    struct file *f = *state;
    char *url = xasprintf("sqlite:%s/missing/queue.db", f->folder);

    assert_refused(url, "the folder must exist");
    free(url);
}

static void a_backup_is_a_store_and_private(void **state)
{
    struct file *f = *state;
    char *copy = xasprintf("%s/copy.db", f->folder), *url = xasprintf("sqlite:%s", copy);
    char id[JOB_ID_LEN + 1], later[JOB_ID_LEN + 1];
    struct error why = ERROR_INIT;
    struct job job = { 0 };

    struct store *st = open_store(f->url), *other = open_store(f->url);
    add_job(st, "SHOP-1", 0, T0, id);
    ASSERT_OUTCOME(STORE_OK, store_backup(other, copy, &err)); /* while somebody has it open */
    add_job(st, "SHOP-2", 0, T0, later);
    assert_int_equal(0600, mode_of(copy));
    assert_int_equal(-1, store_backup(other, copy, &why)); /* never over something */
    error_clear(&why);
    store_close(st);
    store_close(other);
    st = open_store(url);
    ASSERT_OUTCOME(STORE_OK, store_get(st, id, &job, &err));
    ASSERT_OUTCOME(STORE_NONE, store_get(st, later, &job, &err));
    job_clear(&job);
    store_close(st);
    free(copy);
    free(url);
}

static void only_one_process_adopts(void **state)
{
    struct file *f = *state;
    struct store *st = open_store(f->url), *other = open_store(f->url);
    struct job job = { 0 };
    char id[JOB_ID_LEN + 1];
    int64_t n = -1;

    add_job(st, "SHOP-1", 0, T0, id);
    ASSERT_OUTCOME(STORE_OK, store_claim(st, "a", LEASE, NULL, T0, &job, &err));
    ASSERT_OUTCOME(STORE_OK, store_adopt(other, NULL, T0, &n, &err));
    assert_int_equal(1, n);
    ASSERT_OUTCOME(STORE_REFUSED, store_adopt(st, NULL, T0, &n, &err));
    ASSERT_OUTCOME(STORE_OK, store_adopt(other, NULL, T0, &n, &err)); /* again is fine */
    assert_int_equal(0, n);
    store_close(other);
    ASSERT_OUTCOME(STORE_OK, store_adopt(st, NULL, T0, &n, &err));
    job_clear(&job);
    store_close(st);
}

/* ---- plans ---- */

struct plans {
    sqlite3 *db; /* the store's own connection */
    char **texts;
    size_t n, cap;
};

static struct plans plans; /* SQLite's hooks have no other place to find it */

static int note_statement(unsigned what, void *user, void *stmt, void *sql)
{
    (void)what;
    (void)user;
    (void)sql;
    const char *text = sqlite3_sql(stmt);
    for (size_t i = 0; i < plans.n; i++) {
        if (strcmp(plans.texts[i], text) == 0)
            return 0;
    }
    *VEC_ADD(plans.texts, plans.n, plans.cap) = xstrdup(text);
    return 0;
}

static int watch(sqlite3 *db, const char **message, const struct sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    plans.db = db;
    sqlite3_trace_v2(db, SQLITE_TRACE_STMT, note_statement, NULL);
    return SQLITE_OK;
}

static void toy_hash(void *user, const struct audit_entry *entry, struct buf *ret_hash)
{
    (void)user;
    buf_adds(ret_hash, entry->payload);
}

/* Everything that happens while jobs run, once. */
static void do_everything(struct store *st)
{
    const char *const keys[] = { "a", "b" };
    struct job_new new_job = simple_job("SHOP-1", 0);
    struct job_issue issue = { .org = "acme", .id = "1" };
    struct job_result result = { .state = JOB_DONE, .report = "{}" };
    struct job_list list = { 0 };
    struct job_step_list steps = { 0 };
    struct job_message_list messages = { 0 };
    struct store_seen seen = { 0 };
    struct store_seen_query query = { .issue_org = "x",
                                      .issue_id = "1",
                                      .fingerprint = "f",
                                      .target_host = "h",
                                      .target_port = "1" };
    char step_id[] = "a", status[] = "complete", id[JOB_ID_LEN + 1], key[] = "k";
    struct job_step step = { step_id, 1, status, NULL, 0 };
    struct job job = { 0 };
    int64_t n;

    for (int i = 0; i < 2; i++)
        ASSERT_OUTCOME(i ? STORE_EXISTS : STORE_OK,
                       store_enqueue(st, &new_job, keys, 2, 100, T0, id, &err));
    ASSERT_OUTCOME(STORE_OK, store_position(st, id, &n, &err));
    ASSERT_OUTCOME(STORE_OK, store_claim(st, "a", 1, NULL, T0, &job, &err));
    job_clear(&job);
    ASSERT_OUTCOME(STORE_OK, store_claim(st, "a", LEASE, NULL, T0 + 1, &job, &err));
    ASSERT_OUTCOME(STORE_OK, store_heartbeat(st, ref_of(&job), LEASE, T0, NULL, &err));
    ASSERT_OUTCOME(STORE_OK, store_set_issue(st, ref_of(&job), &issue, T0, &list, &err));
    ASSERT_OUTCOME(STORE_OK, store_checkpoint(st, ref_of(&job), &step, T0, &err));
    ASSERT_OUTCOME(STORE_OK, store_steps(st, id, &steps, &err));
    ASSERT_OUTCOME(STORE_OK,
                   store_message_intend(st, ref_of(&job), "root", "C1", NULL, 1, T0, NULL, &err));
    ASSERT_OUTCOME(STORE_OK,
                   store_message_sent(st, ref_of(&job), "root", "C1", "1.1", "h", true, T0, &err));
    ASSERT_OUTCOME(STORE_OK, store_messages(st, id, &messages, &err));
    ASSERT_OUTCOME(STORE_OK, store_cancel(st, id, "U1", T0, &err));
    ASSERT_OUTCOME(STORE_OK, store_finish(st, ref_of(&job), &result, T0, &err));
    ASSERT_OUTCOME(STORE_OK, store_requeue(st, id, REQUEUE_FRESH, T0, &err));
    ASSERT_OUTCOME(STORE_NONE, store_seen_before(st, &query, &seen, &err));
    ASSERT_OUTCOME(STORE_NONE, store_target_seen(st, "h", "1", T0, &err));
    ASSERT_OUTCOME(STORE_OK, store_audit_append(st, "p", T0, toy_hash, key, &n, &err));
    ASSERT_OUTCOME(STORE_OK, store_purge(st, T0, 10, T0 + DAY_MS, &n, &err));
    ASSERT_OUTCOME(STORE_OK, store_list(st, &(struct store_filter){ .issue = "x" }, &list, &err));
    job_list_clear(&list);
    ASSERT_OUTCOME(STORE_OK, store_list(st, &(struct store_filter){ .host = "x" }, &list, &err));
    ASSERT_OUTCOME(STORE_OK, store_list(st, &(struct store_filter){ .states = 1u << JOB_QUEUED },
                                        &list, &err));
    job_list_clear(&list);
    job_step_list_clear(&steps);
    job_message_list_clear(&messages);
    job_clear(&job);
}

/* SCAN without an index would read every finished job. */
static void assert_plan_uses_indexes(const char *text)
{
    sqlite3_stmt *stmt;
    char *explain = xasprintf("EXPLAIN QUERY PLAN %s", text);

    assert_int_equal(SQLITE_OK, sqlite3_prepare_v2(plans.db, explain, -1, &stmt, NULL));
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(stmt, 3);
        if (strncmp(detail, "SCAN ", 5) == 0 && !strstr(detail, "INDEX") &&
            !strstr(detail, "SCAN waiting") && !strstr(detail, "SCAN (subquery"))
            fail_msg("%s: %s", text, detail);
        /* Few jobs are about one issue; those may be sorted. */
        if (strstr(detail, "USE TEMP B-TREE") && !strstr(text, "issue_id = $"))
            fail_msg("%s sorts: %s", text, detail);
    }
    sqlite3_finalize(stmt);
    free(explain);
}

static void no_statement_of_daily_work_reads_all_jobs(void **state)
{
    struct file *f = *state;

    sqlite3_auto_extension((void (*)(void))(uintptr_t)watch);
    struct store *st = open_store(f->url);
    do_everything(st);
    sqlite3_trace_v2(plans.db, 0, NULL, NULL);
    size_t checked = 0;
    for (size_t i = 0; i < plans.n; i++) {
        const char *text = plans.texts[i];
        if (strstr(text, "jobs") && strncmp(text, "CREATE", 6) != 0) {
            assert_plan_uses_indexes(text);
            checked++;
        }
        free(plans.texts[i]);
    }
    assert_true(checked > 25);
    free(plans.texts);
    store_close(st);
    sqlite3_reset_auto_extension();
}

/* ---- no room ---- */

static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(0, getrlimit(RLIMIT_FSIZE, &limit));
    limit.rlim_cur = bytes;
    assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &limit));
}

static void no_room_leaves_no_damage(void **state)
{
    struct file *f = *state;
    struct store *st = open_store(f->url);
    struct error why = ERROR_INIT;
    char id[JOB_ID_LEN + 1];
    struct store_counts counts;
    int64_t stored = 0;

    signal(SIGXFSZ, SIG_IGN);
    for (int round = 0; round < 8; round++) {
        struct job_new job = simple_job("SHOP-1", 0);
        int rc = STORE_OK;
        /* The log may grow a little more each time. */
        limit_file_size((rlim_t)(16384 + round * 30011));
        for (int i = 0; i < 200 && rc == STORE_OK; i++) {
            rc = store_enqueue(st, &job, NULL, 0, 0, T0, id, &why);
            stored += rc == STORE_OK;
        }
        limit_file_size(RLIM_INFINITY);
        if (rc < 0) {
            assert_int_equal(STORE_FAULT_AWAY, store_last_fault(st));
            assert_non_null(strstr(error_text(&why), "free some space"));
        }
        add_job(st, "SHOP-2", 0, T0, id); /* there is room again */
        stored++;
    }
    signal(SIGXFSZ, SIG_DFL);
    assert_true(why.code == ERR_STORE);
    ASSERT_OUTCOME(STORE_OK, store_counts(st, &counts, &err));
    assert_int_equal(stored, counts.by_state[JOB_QUEUED]);
    ASSERT_OUTCOME(STORE_OK, store_check(st, &err));
    error_clear(&why);
    store_close(st);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_file_is_private),
        TEST(a_newer_schema_is_refused),
        TEST(what_is_no_database_is_refused),
        TEST(damage_is_noticed_and_said),
        TEST(a_folder_that_cannot_be_written_is_said_so),
        TEST(a_folder_that_does_not_exist_is_said_so),
        TEST(a_backup_is_a_store_and_private),
        TEST(only_one_process_adopts),
        TEST(no_statement_of_daily_work_reads_all_jobs),
        TEST(no_room_leaves_no_damage),
    };

    return cmocka_run_group_tests_name("the SQLite store", tests, NULL, NULL);
}
