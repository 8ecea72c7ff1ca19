/*
 * burst - many commands for as many issues at one moment: all are committed and acknowledged, and
 * all get done in the order in which they came, each thread once and whole.
 *
 *   burst [--commands N] [--channels N] [--limits]
 *
 * --limits keeps Slack's rate limits, which are lifted otherwise. Figures are printed; what was
 * lost, doubled, out of order, or refused by Slack twice fails the test.
 */
#include <curl/curl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "picture.h"

/* What a job may take of the whole: the bot's own limits stay on, four posts of 300 a minute in all
 * and two edits of 45. */
#define ONE_JOB_MS 6000
#define BASE_MS 120000

struct burst {
    size_t commands, channels;
    bool limits;
    struct stage stage;
    int wrong;
};

static const char *const parts[] = { "root", "plan", "answer", "details" };

static void wrong(struct burst *b, const char *what, int64_t n)
{
    if (n == 0)
        return;
    printf("WRONG: %s: %lld\n", what, (long long)n);
    b->wrong++;
}

/* ---- giving and acknowledging ---- */

static void give_commands(struct burst *b)
{
    int64_t began = clock_mono_ms();

    for (size_t i = 0; i < b->commands; i++) {
        char *issue = world_issue(i);
        stage_command(&b->stage, i % b->channels, issue);
        free(issue);
    }
    printf("%zu commands for %zu issues in %zu channels came within %lld ms\n", b->commands,
           b->commands, b->channels, (long long)(clock_mono_ms() - began));
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void check_acknowledged(struct burst *b)
{
    cJSON *list = stage_get(&b->stage, "/envelopes");
    int64_t *waits = xcalloc(b->commands, sizeof(*waits)), ms;
    size_t n = 0;

    for (const cJSON *e = json_first(list); e; e = e->next)
        if (json_i64(e, "ack_ms", &ms) && n < b->commands)
            waits[n++] = ms;
    qsort(waits, n, sizeof(*waits), by_value);
    if (n > 0)
        printf("acknowledged %zu after %lld ms (half of them), %lld ms (99 %%), %lld ms (all)\n", n,
               (long long)waits[n / 2], (long long)waits[n * 99 / 100], (long long)waits[n - 1]);
    wrong(b, "commands not acknowledged", (int64_t)(b->commands - n));
    wrong(b, "jobs not committed when all was acknowledged",
          (int64_t)b->commands - stage_count_jobs(&b->stage, 0));
    free(waits);
    cJSON_Delete(list);
}

/* ---- what became of them ---- */

/* The ids of the jobs in the log's lines with that event, in their order. */
static void read_order(struct burst *b, const char *event, struct job_list *ret)
{
    char *path = xasprintf("%s/bot-0.log", b->stage.folder), *mark = xasprintf("event=%s ", event);
    FILE *log = fopen(path, "r");
    char line[4096];

    while (log && fgets(line, sizeof(line), log)) {
        const char *id = strstr(line, mark) ? strstr(line, " job=\"") : NULL;
        if (id)
            VEC_ADD(ret->items, ret->n, ret->cap)->id =
                xstrndup(id + strlen(" job=\""), JOB_ID_LEN);
    }
    if (log)
        fclose(log);
    free(mark);
    free(path);
}

/* Jobs begin in the order in which they were queued. (Of two commands that come at once, the one
 * from a channel that was asked for first is queued first.) */
static void check_order(struct burst *b)
{
    struct job_list came = { 0 }, began = { 0 };
    int64_t moved = 0;

    read_order(b, "job.enqueued", &came);
    read_order(b, "job.start", &began);
    for (size_t i = 0; i < came.n && i < began.n; i++)
        moved += !text_same(came.items[i].id, began.items[i].id);
    wrong(b, "commands that were not queued", (int64_t)b->commands - (int64_t)came.n);
    wrong(b, "jobs that never began, or began again", (int64_t)came.n - (int64_t)began.n);
    wrong(b, "jobs out of order", moved);
    job_list_clear(&came);
    job_list_clear(&began);
}

static void check_channel(struct burst *b, size_t channel, int64_t *missing, int64_t *doubled)
{
    size_t jobs = b->commands / b->channels + (channel < b->commands % b->channels);
    struct picture p;

    picture_take(&b->stage, channel, &p);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        size_t n = 0;
        for (size_t k = 0; k < p.n; k++)
            n += strcmp(p.lines[k].part, parts[i]) == 0;
        *missing += n < jobs ? (int64_t)(jobs - n) : 0;
        *doubled += n > jobs ? (int64_t)(n - jobs) : 0;
    }
    picture_clear(&p);
}

static void check_channels(struct burst *b)
{
    int64_t missing = 0, doubled = 0, done = stage_count_jobs(&b->stage, 1u << JOB_DONE);

    for (size_t i = 0; i < b->channels; i++)
        check_channel(b, i, &missing, &doubled);
    wrong(b, "jobs not done", (int64_t)b->commands - done);
    wrong(b, "messages missing", missing);
    wrong(b, "messages doubled", doubled);
}

/* Slack's answer 429, and 429 again for the same message. */
static void check_refusals(struct burst *b)
{
    cJSON *calls = stage_get(&b->stage, "/calls?status=429"), *seen = cJSON_CreateObject();
    int64_t refused = 0, again = 0, status;

    for (const cJSON *c = json_first(calls); c; c = c->next) {
        if (!json_i64(c, "status", &status) || status != 429)
            continue;
        const cJSON *args = json_get(c, "args");
        const cJSON *payload = json_path(args, "metadata", "event_payload", NULL);
        char *key = xasprintf("%s %s %s %s %s", json_str(c, "method"),
                              json_str_or(args, "channel", ""), json_str_or(args, "ts", ""),
                              json_str_or(payload, "job", ""), json_str_or(payload, "part", ""));
        refused++;
        if (json_get(seen, key))
            again++;
        else
            json_put_bool(seen, key, true);
        free(key);
    }
    printf("refused by Slack with 429: %lld calls\n", (long long)refused);
    wrong(b, "calls refused with 429 more than once", again);
    cJSON_Delete(seen);
    cJSON_Delete(calls);
}

/* ---- the whole ---- */

static void play(struct burst *b)
{
    int64_t began = clock_mono_ms(), jobs = (int64_t)b->commands;

    stage_start_bot(&b->stage, 0, NULL);
    stage_wait_connected(&b->stage, 1);
    give_commands(b);
    stage_wait_acknowledged(&b->stage);
    check_acknowledged(b);
    if (!stage_wait_ended(&b->stage, jobs, BASE_MS + jobs * ONE_JOB_MS))
        wrong(b, "jobs not ended in time", jobs - stage_count_jobs(&b->stage, STATES_ENDED));
    stage_wait_landed(&b->stage);
    printf("all done after %.1f s\n", (double)(clock_mono_ms() - began) / SECOND_MS);
    check_order(b);
    check_channels(b);
    check_refusals(b);
}

static void read_options(struct burst *b, int argc, char **argv)
{
    static const struct option options[] = {
        { "commands", required_argument, NULL, 'n' },
        { "channels", required_argument, NULL, 'c' },
        { "limits", no_argument, NULL, 'l' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'n')
            b->commands = strtoul(optarg, NULL, 10);
        else if (c == 'c')
            b->channels = strtoul(optarg, NULL, 10);
        else if (c == 'l')
            b->limits = true;
        else
            exit(2);
    }
    if (b->commands == 0 || b->channels == 0)
        die("give at least one command and one channel");
}

int main(int argc, char **argv)
{
    struct burst b = { .commands = 20, .channels = 10 };

    read_options(&b, argc, argv);
    setlinebuf(stdout);
    umask(077);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const struct stage_options options = {
        .world = { .issues = b.commands, .channels = b.channels, .events = 20 },
        .lift_limits = !b.limits,
        .max_running = 20,
        .max_waiting = (int)b.commands + 1,
    };
    stage_open(&b.stage, &options);
    play(&b);
    if (b.wrong)
        printf("see %s\n", b.stage.folder);
    stage_close(&b.stage, b.wrong > 0);
    return b.wrong ? 1 : 0;
}
