/*
 * crash - kills `dbconn serve` at random points of whole jobs and compares what is left in the
 * channels with an undisturbed run.
 *
 *   crash [--points N] [--at-once N] [--seed N] [--only TRIAL] [--calm] [--verbose]
 */
#include <curl/curl.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trial.h"

static int64_t number(const char *text)
{
    return strtoll(text, NULL, 10);
}

static void read_arguments(int argc, char **argv, struct trials *t)
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

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
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
}

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

int main(int argc, char **argv)
{
    const struct stage_options options = {
        .world = { .issues = 3, .channels = TRIAL_CHANNELS, .events = 90 }
    };
    struct reference reference;
    struct trials t = { .run = trial_crash,
                        .reference = &reference,
                        .options = &options,
                        .seed = (uint64_t)clock_wall_ms() ^ (uint64_t)getpid(),
                        .points = 12,
                        .at_once = 12,
                        .only = -1 };
    bool good;

    setlinebuf(stdout);
    find_shim(argv[0]);
    umask(077);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    read_arguments(argc, argv, &t);
    printf("crash: --seed %llu repeats this\n", (unsigned long long)t.seed);
    reference_take(&options, &reference);
    printf("undisturbed: %d jobs in %lld ms, %d writes, %zu steps\n", TRIAL_JOBS,
           (long long)reference.took_ms, reference.writes, reference.by_step.n);
    good = trials_run(&t);
    reference_clear(&reference);
    return good ? 0 : 1;
}
