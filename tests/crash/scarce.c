/*
 * scarce - memory, file descriptors, time and names run short while a job is under way.
 *
 *   scarce [--points N] [--stop-s N]
 *
 * A small allocation that fails ends the process with a sentence, and the next one ends the job. An
 * allocation that outside data sizes fails its call only. Without descriptors, while the process is
 * stopped, and while no name is resolved, the job waits or says what could not be looked at; when
 * that is over, the next one is as if nothing had been.
 */
#include <curl/curl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/jsonc.h"
#include "stage.h"

#define END_MS 90000
#define LOG_MAX (64 * 1024 * 1024)

static char *shim; /* its path */
static int points = 1, stop_s = 2;

static void check(bool good, struct stage *s, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "%s: see %s\n", what, s->folder);
    stage_close(s, true);
    exit(1);
}

static void open_stage(struct stage *s)
{
    const struct stage_options options = { .world = { .issues = 2, .channels = 2, .events = 90 } };

    stage_open(s, &options);
}

static void start(struct stage *s, const char *name, const char *value)
{
    struct environment extra = { 0 };

    environment_put(&extra, "LD_PRELOAD", shim);
    if (name)
        environment_put(&extra, name, value);
    stage_start_bot(s, 0, &extra);
    environment_clear(&extra);
}

static bool log_says(struct stage *s, const char *what)
{
    char *path = xasprintf("%s/bot-0.log", s->folder);
    struct buf text = BUF_INIT;
    bool says = file_read(path, LOG_MAX, &text, NULL) == 0 && strstr(buf_str(&text), what);

    buf_clear(&text);
    free(path);
    return says;
}

static void command(struct stage *s, size_t i)
{
    char *issue = world_issue(i);

    stage_command(s, i, issue);
    free(issue);
}

static bool wait_connected(struct stage *s)
{
    int64_t until = clock_mono_ms() + END_MS;

    while (!stage_bot_died(s, 0) && clock_mono_ms() < until) {
        if (stage_is_connected(s, 1))
            return true;
        sleep_ms(10);
    }
    return false;
}

static void ends_well(struct stage *s, int64_t jobs)
{
    stage_wait_acknowledged(s);
    check(stage_wait_ended(s, jobs, END_MS), s, "a job did not end");
    check(stage_count_jobs(s, 1u << JOB_DONE) == jobs, s, "a job did not end well");
}

/* ---- small allocations ---- */

/* How many the program makes in a job's life. */
static long count_allocations(void)
{
    struct stage s;
    struct buf text = BUF_INIT;
    int status;

    open_stage(&s);
    char *path = xasprintf("%s/count", s.folder);
    start(&s, "SCARCE_COUNT", path);
    stage_wait_connected(&s, 1);
    command(&s, 0);
    ends_well(&s, 1);
    stage_stop_bot(&s, 0, &status);
    check(file_read(path, 100, &text, NULL) == 0, &s, "nothing was counted");
    long n = strtol(buf_str(&text), NULL, 10);
    buf_clear(&text);
    free(path);
    stage_close(&s, false);
    return n;
}

static void fail_one(long number)
{
    struct stage s;
    char *text = xasprintf("%ld", number);
    int64_t until = clock_mono_ms() + END_MS;

    open_stage(&s);
    start(&s, "SCARCE_AT", text);
    bool given = wait_connected(&s);
    if (given)
        command(&s, 0);
    while (!stage_bot_died(&s, 0) && clock_mono_ms() < until &&
           stage_count_jobs(&s, STATES_ENDED) < 1)
        sleep_ms(10);
    bool died = stage_bot_died(&s, 0);
    check(!died || log_says(&s, "out of memory, ending"), &s, "it ended without its sentence");
    if (died)
        start(&s, NULL, NULL);
    if (!given) {
        stage_wait_connected(&s, 1);
        command(&s, 0);
    }
    ends_well(&s, 1);
    printf("allocation %ld failed: %s, and the job was done\n", number,
           died ? "the process ended, another one went on" : "the call failed");
    stage_close(&s, false);
    free(text);
}

static void small_allocations(void)
{
    long n = count_allocations();

    printf("%ld allocations in a job's life\n", n);
    for (int i = 1; i <= points; i++)
        fail_one(n * i / (points + 1));
}

/* ---- those that outside data sizes ---- */

static bool a_step_says(struct stage *s, const char *what)
{
    struct store *st = stage_store(s);
    struct job_list jobs = { 0 };
    struct job_step_list steps = { 0 };
    bool says = false;

    if (st && store_list(st, &(struct store_filter){ .limit = 1 }, &jobs, NULL) == STORE_OK &&
        jobs.n > 0 && store_steps(st, jobs.items[0].id, &steps, NULL) == STORE_OK)
        for (size_t i = 0; i < steps.n; i++)
            says = says || strstr(steps.items[i].data, what);
    job_step_list_clear(&steps);
    job_list_clear(&jobs);
    store_close(st);
    return says;
}

/* What is wanted of the logs takes more than the memory that is there; what the program itself
 * allocates, less. */
static void large_allocations(void)
{
    const struct stage_options options = {
        .world = { .issues = 2, .channels = 2, .events = 90, .log_copies = 20 }
    };
    struct stage s;

    stage_open(&s, &options);
    start(&s, "SCARCE_OVER", "150000");
    stage_wait_connected(&s, 1);
    command(&s, 0);
    ends_well(&s, 1);
    check(!stage_bot_died(&s, 0), &s, "the process ended");
    check(a_step_says(&s, "too large to be read"), &s, "no step says that an answer was too large");
    command(&s, 1);
    ends_well(&s, 2);
    check(!stage_bot_died(&s, 0), &s, "the process ended");
    printf("no memory for large answers: their calls failed, both jobs were done\n");
    stage_close(&s, false);
}

/* ---- descriptors, time, names ---- */

static void limit_descriptors(struct stage *s, rlim_t n)
{
    struct rlimit limit;

    check(prlimit(s->bots[0], RLIMIT_NOFILE, NULL, &limit) == 0, s, "prlimit");
    limit.rlim_cur = n < limit.rlim_max ? n : limit.rlim_max;
    check(prlimit(s->bots[0], RLIMIT_NOFILE, &limit, NULL) == 0, s, "prlimit");
}

static void no_descriptors(void)
{
    struct stage s;

    open_stage(&s);
    start(&s, NULL, NULL);
    stage_wait_connected(&s, 1);
    limit_descriptors(&s, 3);
    command(&s, 0);
    sleep_ms(1500);
    check(!stage_bot_died(&s, 0), &s, "it ended without descriptors");
    limit_descriptors(&s, 1024);
    command(&s, 1);
    stage_wait_acknowledged(&s);
    check(stage_wait_ended(&s, 2, END_MS), &s, "a job did not end");
    check(stage_count_jobs(&s, 1u << JOB_DONE) >= 1, &s, "not even the second job ended well");
    printf("without descriptors for 1.5 s: both jobs ended\n");
    stage_close(&s, false);
}

static void stopped(void)
{
    struct stage s;

    open_stage(&s);
    start(&s, NULL, NULL);
    stage_faults(&s, "{\"sentry\":[{\"latency_ms\":300}]}");
    stage_wait_connected(&s, 1);
    command(&s, 0);
    sleep_ms(700);
    kill(s.bots[0], SIGSTOP);
    sleep_ms((int64_t)stop_s * 1000);
    kill(s.bots[0], SIGCONT);
    ends_well(&s, 1);
    stage_wait_connected(&s, 1);
    command(&s, 1);
    ends_well(&s, 2);
    printf("stopped for %d s: both jobs were done\n", stop_s);
    stage_close(&s, false);
}

/* The sources are asked by name; the store and the socket go on meanwhile. */
static void silent_names(void)
{
    struct stage s;

    open_stage(&s);
    char *silent = xasprintf("%s/silent", s.folder);
    FILE *file = fopen(silent, "w");
    check(file && fclose(file) == 0, &s, "no file");
    for (size_t i = 0; i < s.env.n; i++) {
        char *item = s.env.items[i];
        char *at = item && strncmp(item, "SENTRY_URL=", 11) == 0 ? strstr(item, "127.0.0.1") : NULL;
        if (at) /* as long as the address */
            memcpy(at, "localhost", 9);
    }
    start(&s, "SCARCE_NAMES", silent);
    stage_wait_connected(&s, 1);
    command(&s, 0);
    int64_t asked = clock_mono_ms();
    stage_wait_acknowledged(&s);
    int64_t took = clock_mono_ms() - asked;
    sleep_ms(500);
    check(stage_count_jobs(&s, STATES_ENDED) == 0, &s, "it ended without Sentry's address");
    unlink(silent);
    check(stage_wait_ended(&s, 1, END_MS), &s, "the job did not end");
    command(&s, 1);
    stage_wait_acknowledged(&s);
    check(stage_wait_ended(&s, 2, END_MS), &s, "the second job did not end");
    check(stage_count_jobs(&s, 1u << JOB_DONE) >= 1, &s, "no job was done");
    printf("no name resolved: the command was taken after %lld ms, both jobs ended\n",
           (long long)took);
    stage_close(&s, false);
    free(silent);
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "points", required_argument, NULL, 'p' },
                                             { "stop-s", required_argument, NULL, 's' },
                                             { NULL, 0, NULL, 0 } };
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'p')
            points = (int)strtol(optarg, NULL, 10);
        else if (c == 's')
            stop_s = (int)strtol(optarg, NULL, 10);
        else
            return 2;
    }
    setlinebuf(stdout);
    umask(077);
    char *beside = xasprintf("%s.so", argv[0]);
    shim = realpath(beside, NULL);
    free(beside);
    if (!shim)
        die("%s.so is missing", argv[0]);
    curl_global_init(CURL_GLOBAL_DEFAULT);

    if (points)
        small_allocations();
    large_allocations();
    no_descriptors();
    stopped();
    silent_names();
    free(shim);
    return 0;
}
