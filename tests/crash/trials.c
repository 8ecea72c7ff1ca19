/* Many trials, a few at a time, each in a process of its own. */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trial.h"

#define AT_ONCE_MAX 64

struct sum {
    int trials, kills, lost, missing, doubled, other, asked_again, broken;
    int64_t longest_ms;
};

struct running {
    pid_t pid;
    int index, out;
};

static void start_trial(const struct trials *t, int index, struct running *ret)
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
    struct trial trial = { .reference = t->reference,
                           .options = t->options,
                           .seed = t->seed,
                           .index = index,
                           .keep = t->only >= 0 };
    struct trial_result result;
    t->run(&trial, &result);
    _exit(write(ends[1], &result, sizeof(result)) == (ssize_t)sizeof(result) ? 0 : 1);
}

static void add_result(const struct trials *t, const struct trial_result *r, struct sum *sum)
{
    sum->trials++;
    sum->kills += r->kills ? r->kills : 1; /* a calm trial counts as one */
    sum->lost += r->lost;
    sum->missing += r->missing;
    sum->doubled += r->doubled;
    sum->other += r->other;
    sum->asked_again += r->asked_again;
    sum->longest_ms = r->took_ms > sum->longest_ms ? r->took_ms : sum->longest_ms;
    if (t->verbose || !trial_is_good(r))
        printf("trial %d: %s in %lld ms, killed%s\n", r->index, trial_is_good(r) ? "good" : "WRONG",
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

static bool any_running(const struct running *list, int n)
{
    for (int i = 0; i < n; i++)
        if (list[i].pid > 0)
            return true;
    return false;
}

static struct running *free_place(struct running *list, int n)
{
    for (int i = 0; i < n; i++)
        if (list[i].pid == 0)
            return &list[i];
    return NULL;
}

bool trials_run(const struct trials *t)
{
    struct running list[AT_ONCE_MAX] = { 0 };
    int n = t->at_once < AT_ONCE_MAX ? t->at_once : AT_ONCE_MAX, next = t->only >= 0 ? t->only : 0;
    struct sum sum = { 0 };
    int64_t began = clock_mono_ms();

    /* A trial has one kill or two: how many there were is known when they have ended. */
    while (any_running(list, n) || (sum.kills < t->points && sum.broken < 5)) {
        struct running *place = free_place(list, n);
        int under_way = 0;
        for (int i = 0; i < n; i++)
            under_way += list[i].pid > 0;
        bool more = t->only >= 0 ? next == t->only : sum.kills + under_way < t->points;
        if (place && more && sum.broken < 5)
            start_trial(t, next++, place);
        else
            wait_for_one(t, list, n, &sum);
        if (t->only >= 0 && next > t->only && !any_running(list, n))
            break;
    }
    printf("seed %llu: %d kills in %d trials, %lld s (longest trial %lld ms): jobs lost %d, parts "
           "missing %d, doubled %d, other differences %d, requests asked again %d\n",
           (unsigned long long)t->seed, sum.kills, sum.trials,
           (long long)(clock_mono_ms() - began) / 1000, (long long)sum.longest_ms, sum.lost,
           sum.missing, sum.doubled, sum.other, sum.asked_again);
    return sum.broken + sum.lost + sum.missing + sum.doubled + sum.other + sum.asked_again == 0;
}
