/* The contract of the store among several processes, and when they are killed. */
#include "store_contract.h"

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

/* ---- kill -9 ---- */

#define CRASHES 40
#define MIN_ACKED 100
#define MAX_WINDOW_US 2000000
#define MAX_ACKED 20000

/* Works until it is killed; every id whose enqueue is acknowledged goes into the pipe after the
 * commit, as does every finished one. */
static void crash_child(const char *url, int out, unsigned seed)
{
    struct error err = ERROR_INIT;
    struct store *st;
    int64_t n, now = clock_wall_ms();
    char said[JOB_ID_LEN + 1];

    srand(seed);
    if (store_open(url, NULL, &st, &err) < 0 || store_adopt(st, NULL, now, &n, &err) < 0)
        _exit(3); /* with PostgreSQL its leases would run out; nobody waits for that here */
    for (;;) {
        char ids[8][JOB_ID_LEN + 1];
        int group = 1 + rand() % 8;
        struct job_new new_job = simple_job("SHOP-1", rand() % 2 * 10);
        struct job job = { 0 };
        if (store_begin(st, true, &err) < 0)
            _exit(4);
        for (int i = 0; i < group; i++) {
            if (store_enqueue(st, &new_job, NULL, 0, 0, now, ids[i], &err) != STORE_OK)
                _exit(5);
        }
        if (store_commit(st, &err) < 0)
            _exit(6);
        for (int i = 0; i < group; i++) {
            memcpy(said, ids[i], JOB_ID_LEN);
            said[JOB_ID_LEN] = '+';
            if (write(out, said, sizeof(said)) != sizeof(said))
                _exit(7);
        }
        if (store_claim(st, "child", LEASE, NULL, now, &job, &err) != STORE_OK)
            continue;
        struct job_result result = { .state = JOB_DONE, .report = "{}" };
        char step_id[] = "a", status[] = "complete", data[] = "{}";
        struct job_step step = { step_id, 1, status, data, 0 };
        if (store_checkpoint(st, ref_of(&job), &step, now, &err) != STORE_OK ||
            store_message_intend(st, ref_of(&job), "root", "C1", NULL, 1, now, NULL, &err) < 0 ||
            store_finish(st, ref_of(&job), &result, now, &err) != STORE_OK)
            _exit(8);
        memcpy(said, job.id, JOB_ID_LEN);
        said[JOB_ID_LEN] = '-';
        if (write(out, said, sizeof(said)) != sizeof(said))
            _exit(9);
        job_clear(&job);
    }
}

struct acked {
    char id[JOB_ID_LEN + 1];
    bool done;
};

static size_t read_acks(int in, struct acked *acked, size_t n)
{
    char said[JOB_ID_LEN + 1];

    while (n < MAX_ACKED && read(in, said, sizeof(said)) == sizeof(said)) {
        acked[n].done = said[JOB_ID_LEN] == '-';
        memcpy(acked[n].id, said, JOB_ID_LEN);
        acked[n++].id[JOB_ID_LEN] = '\0';
    }
    return n;
}

static void check_acks(const char *url, const struct acked *acked, size_t n)
{
    struct store *st = open_store(url);

    ASSERT_OUTCOME(STORE_OK, store_check(st, &err));
    for (size_t i = 0; i < n; i++) {
        struct job job = { 0 };
        struct job_step_list steps = { 0 };
        struct job_attempt_list attempts = { 0 };
        ASSERT_OUTCOME(STORE_OK, store_get(st, acked[i].id, &job, &err));
        ASSERT_OUTCOME(STORE_OK, store_steps(st, acked[i].id, &steps, &err));
        ASSERT_OUTCOME(STORE_OK, store_attempts(st, acked[i].id, &attempts, &err));
        assert_int_equal(job.attempts_total, attempts.n);
        if (acked[i].done)
            assert_int_equal(JOB_DONE, job.state);
        if (job.state == JOB_DONE)
            assert_int_equal(1, steps.n);
        if (job.state == JOB_QUEUED && job.attempts == 0)
            assert_int_equal(0, steps.n);
        assert_true((job.owner != NULL) == (job.state == JOB_RUNNING));
        job_step_list_clear(&steps);
        job_attempt_list_clear(&attempts);
        job_clear(&job);
    }
    store_close(st);
}

static void nothing_acknowledged_is_lost_by_kill_9(void **state)
{
    struct fixture *f = *state;
    struct acked *acked = xcalloc(MAX_ACKED, sizeof(*acked));
    size_t n = 0;
    unsigned seed = (unsigned)getpid();
    int window_us = f->pg ? 300000 : 60000; /* connecting takes longer than opening */

    print_message("seed %u\n", seed);
    srand(seed);
    for (int i = 0; i < CRASHES; i++) {
        int fds[2], status;
        assert_int_equal(0, pipe(fds));
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            crash_child(f->url, fds[1], seed + (unsigned)i);
        close(fds[1]);
        usleep((unsigned)(rand() % window_us)); /* from within start-up to well into the work */
        kill(pid, SIGKILL);
        n = read_acks(fds[0], acked, n);
        close(fds[0]);
        assert_int_equal(pid, waitpid(pid, &status, 0));
        assert_true(WIFSIGNALED(status)); /* not an exit of its own */
        if (n < MIN_ACKED * (size_t)(i + 1) / CRASHES && window_us < MAX_WINDOW_US)
            window_us *= 2; /* a slow machine, or valgrind: it came to no work */
    }
    check_acks(f->url, acked, n);
    assert_true(n >= MIN_ACKED);
    free(acked);
}

int main(void)
{
    static const struct contract_test tests[] = {
        TEST(processes_that_race_claim_each_job_once),
        TEST(nothing_acknowledged_is_lost_by_kill_9),
    };

    return run_contract(tests, ARRAY_LEN(tests));
}
