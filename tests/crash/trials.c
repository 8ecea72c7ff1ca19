/* Many trials, a few at a time, each in a process of its own. */
#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trial.h"

#define AT_ONCE_MAX 64
#define BROKEN_MAX 5

struct sum {
    int trials, points, lost, missing, doubled, other, asked_again, bad_stops, broken;
    int64_t longest_ms, longest_stop_ms;
};

struct running {
    pid_t pid;
    int index, out;
};

static void start_trial(const struct trials *t, const struct reference *ref, int index,
                        struct running *ret)
{
    int ends[2];

    if (pipe2(ends, 0) < 0)
        die("pipe: %s", strerror(errno));
    fflush(NULL);
    *ret = (struct running){ fork(), index, ends[0] };
    if (ret->pid < 0)
        die("fork: %s", strerror(errno));
    if (ret->pid > 0) {
        close(ends[1]);
        return;
    }
    struct trial trial = {
        .reference = ref, .seed = t->seed, .index = index, .keep = t->only >= 0
    };
    struct trial_result result;
    t->run(&trial, &result);
    _exit(write(ends[1], &result, sizeof(result)) == (ssize_t)sizeof(result) ? 0 : 1);
}

static void add_result(const struct trials *t, const struct trial_result *r, struct sum *sum)
{
    sum->trials++;
    sum->points += r->points ? r->points : 1; /* a calm trial counts as one */
    sum->bad_stops += r->bad_stops;
    if (r->longest_stop_ms > sum->longest_stop_ms)
        sum->longest_stop_ms = r->longest_stop_ms;
    sum->lost += r->lost;
    sum->missing += r->missing;
    sum->doubled += r->doubled;
    sum->other += r->other;
    sum->asked_again += r->asked_again;
    sum->longest_ms = r->took_ms > sum->longest_ms ? r->took_ms : sum->longest_ms;
    if (t->verbose || !trial_is_good(r))
        printf("trial %d: %s in %lld ms,%s\n", r->index, trial_is_good(r) ? "good" : "WRONG",
               (long long)r->took_ms, r->how);
}

static void end_trial(const struct trials *t, struct running *r, struct sum *sum)
{
    struct trial_result result;

    if (read(r->out, &result, sizeof(result)) == (ssize_t)sizeof(result)) {
        add_result(t, &result, sum);
    } else {
        printf("trial %d could not be carried out\n", r->index);
        sum->broken++;
    }
    close(r->out);
    *r = (struct running){ 0 };
}

static void wait_for_one(const struct trials *t, struct running *list, int n, struct sum *sum)
{
    pid_t pid = waitpid(-1, NULL, 0);

    for (int i = 0; i < n; i++)
        if (pid > 0 && list[i].pid == pid)
            end_trial(t, &list[i], sum);
    fflush(stdout);
}

static struct running *free_place(struct running *list, int n)
{
    for (int i = 0; i < n; i++)
        if (list[i].pid == 0)
            return &list[i];
    return NULL;
}

static bool wants_more(const struct trials *t, const struct sum *sum, int started, int running)
{
    if (t->only >= 0)
        return started == 0;
    /* A trial has one point or more: how many is known when it has ended. */
    return sum->broken < BROKEN_MAX && sum->points + running < t->points;
}

static void run_all(const struct trials *t, const struct reference *ref, struct sum *sum)
{
    struct running list[AT_ONCE_MAX] = { 0 };
    int n = t->at_once < AT_ONCE_MAX ? t->at_once : AT_ONCE_MAX, started = 0;

    for (;;) {
        int running = 0;
        for (int i = 0; i < n; i++)
            running += list[i].pid > 0;
        if (wants_more(t, sum, started, running) && running < n) {
            start_trial(t, ref, t->only >= 0 ? t->only : started, free_place(list, n));
            started++;
        } else if (running > 0) {
            wait_for_one(t, list, n, sum);
        } else {
            return;
        }
    }
}

bool trials_run(const struct trials *t)
{
    struct reference ref;
    struct sum s = { 0 };
    int64_t began = clock_mono_ms();

    reference_take(&ref);
    printf("undisturbed: %d jobs in %lld ms, %d writes, %zu steps\n", TRIAL_JOBS,
           (long long)ref.took_ms, ref.writes, ref.by_step.n);
    run_all(t, &ref, &s);
    reference_clear(&ref);
    printf("seed %llu: %d points in %d trials, %lld s (longest trial %lld ms, longest stop %lld "
           "ms): jobs lost %d, parts missing %d, doubled %d, other differences %d, requests asked "
           "again %d, bad stops %d, trials broken %d\n",
           (unsigned long long)t->seed, s.points, s.trials,
           (long long)(clock_mono_ms() - began) / 1000, (long long)s.longest_ms,
           (long long)s.longest_stop_ms, s.lost, s.missing, s.doubled, s.other, s.asked_again,
           s.bad_stops, s.broken);
    return s.lost + s.missing + s.doubled + s.other + s.asked_again + s.bad_stops + s.broken == 0;
}

/* ---- the command line ---- */

/* It lies beside this program. */
static void find_shim(const char *self)
{
    const char *slash = strrchr(self, '/');
    char *path = xasprintf("%.*sdie_at_write.so", slash ? (int)(slash - self + 1) : 0, self);
    char *real = realpath(path, NULL);

    if (!real)
        die("%s is missing", path);
    setenv("DIE_AT_WRITE", real, 1);
    free(real);
    free(path);
}

static int64_t number(const char *text)
{
    return strtoll(text, NULL, 10);
}

static void read_option(struct trials *t, int c)
{
    switch (c) {
    case 'p':
        t->points = (int)number(optarg);
        break;
    case 'a':
        t->at_once = (int)number(optarg);
        break;
    case 's':
        t->seed = (uint64_t)number(optarg);
        break;
    case 'o':
        t->only = (int)number(optarg);
        break;
    case 'c':
        t->run = trial_calm;
        break;
    case 'v':
        t->verbose = true;
        break;
    default:
        exit(2);
    }
}

void trials_begin(struct trials *t, int argc, char **argv)
{
    static const struct option options[] = {
        { "points", required_argument, NULL, 'p' },
        { "at-once", required_argument, NULL, 'a' },
        { "seed", required_argument, NULL, 's' },
        { "only", required_argument, NULL, 'o' },
        { "calm", no_argument, NULL, 'c' },
        { "verbose", no_argument, NULL, 'v' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    t->seed = (uint64_t)clock_wall_ms() ^ (uint64_t)getpid();
    t->only = -1;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
        read_option(t, c);
    setlinebuf(stdout);
    umask(077);
    find_shim(argv[0]);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    printf("--seed %llu repeats this\n", (unsigned long long)t->seed);
}
