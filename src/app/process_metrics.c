#include "process_metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/metrics.h"

static const struct metric_def start = { "process_start_time_seconds", METRIC_GAUGE,
                                         "Start time of the process since 1970.", NULL, 0 };
static const struct metric_def cpu = { "process_cpu_seconds_total", METRIC_COUNTER,
                                       "User and system CPU time spent.", NULL, 0 };
static const struct metric_def resident = { "process_resident_memory_bytes", METRIC_GAUGE,
                                            "Resident memory.", NULL, 0 };
static const struct metric_def virtual = { "process_virtual_memory_bytes", METRIC_GAUGE,
                                           "Virtual memory.", NULL, 0 };
static const struct metric_def open_fds = { "process_open_fds", METRIC_GAUGE,
                                            "Open file descriptors.", NULL, 0 };
static const struct metric_def max_fds = { "process_max_fds", METRIC_GAUGE,
                                           "How many file descriptors may be open.", NULL, 0 };

static double seconds(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static void collect_cpu(struct metrics *metrics)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) == 0)
        metric_set(metrics_get(metrics, &cpu, NULL),
                   seconds(&usage.ru_utime) + seconds(&usage.ru_stime));
}

/* proc(5), /proc/pid/statm: pages, all and resident. */
static void collect_memory(struct metrics *metrics)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long long all, in_memory;
    double page = (double)sysconf(_SC_PAGESIZE);

    if (!file)
        return;
    if (fscanf(file, "%lld %lld", &all, &in_memory) == 2) {
        metric_set(metrics_get(metrics, &virtual, NULL), (double)all * page);
        metric_set(metrics_get(metrics, &resident, NULL), (double)in_memory * page);
    }
    fclose(file);
}

static void collect_fds(struct metrics *metrics)
{
    DIR *dir = opendir("/proc/self/fd");
    struct rlimit limit;
    int n = -3; /* not ".", "..", and the one that reads */

    while (dir && readdir(dir))
        n++;
    if (dir) {
        closedir(dir);
        metric_set(metrics_get(metrics, &open_fds, NULL), n);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metric_set(metrics_get(metrics, &max_fds, NULL), (double)limit.rlim_cur);
}

void process_metrics_collect(struct metrics *metrics, int64_t started_ms)
{
    metric_set(metrics_get(metrics, &start, NULL), (double)started_ms / SECOND_MS);
    collect_cpu(metrics);
    collect_memory(metrics);
    collect_fds(metrics);
}
