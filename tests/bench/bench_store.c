/*
 * How fast the store is: durable enqueues through the queue (open loop: they arrive when they
 * arrive, whether or not the last ones were answered), and what finished jobs cost.
 *
 *   bench_store [rates|history]              SQLite in a temporary folder
 *   bench_store rates postgresql://...       that server; its schema dbconn is filled
 *   bench_store history postgresql://... N   with N finished jobs; in an empty database
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dbconn/base/clock.h"
#include "dbconn/queue/queue.h"

#define SECONDS 3
#define LEASE (15 * SECOND_MS)

static void die(const char *what, const struct error *err)
{
    fprintf(stderr, "bench_store: %s: %s\n", what, error_text(err));
    exit(1);
}

/* ---- enqueues at a rate ---- */

struct load {
    uv_loop_t *loop;
    struct queue *q;
    uint64_t began_ns;
    int64_t wanted, sent, answered, failed;
    double rate;
    double *took_ms;
};

struct shot {
    struct load *load;
    uint64_t due_ns; /* when it should have been sent: no coordinated omission */
};

static void on_stored(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct shot *shot = user;
    struct load *l = shot->load;

    (void)reply;
    l->took_ms[l->answered++] = (double)(uv_hrtime() - shot->due_ns) / 1e6;
    l->failed += err != NULL;
    free(shot);
    if (l->answered == l->wanted)
        uv_stop(l->loop);
}

static void send_one(struct load *l, uint64_t due_ns)
{
    char trigger[48], envelope[48];
    const char *const keys[] = { trigger, envelope };
    struct shot *shot = xmalloc(sizeof(*shot));
    struct error err = ERROR_INIT;
    struct job_new job = {
        .priority = JOB_PRIORITY_PERSON,
        .source = "slash",
        .workspace = "T012ABCDEF",
        .channel = "C012ABCDEF",
        .requester = "U012ABCDEF",
        .issue_ref = "SHOP-1A2",
        .request = "{\"user_name\":\"mia\",\"channel_name\":\"incident-42\",\"text\":\"SHOP-1A2\"}",
        .playbook = "database-connection-refused",
        .playbook_hash = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
        .evaluated_ms = clock_wall_ms(),
        .response_url = "https://hooks.slack.com/commands/T012ABCDEF/123456789012/abcdefghijklmnop",
    };

    snprintf(trigger, sizeof(trigger), "trigger:%lld.%d.%.0f", (long long)l->sent, (int)getpid(),
             l->rate);
    snprintf(envelope, sizeof(envelope), "env:%08llx-%d-%.0f", (long long)l->sent, (int)getpid(),
             l->rate);
    *shot = (struct shot){ l, due_ns };
    if (!queue_enqueue(l->q, &job, keys, 2, on_stored, shot, &err))
        die("enqueue", &err);
    l->sent++;
}

static void on_tick(uv_timer_t *timer)
{
    struct load *l = timer->data;
    double elapsed_s = (double)(uv_hrtime() - l->began_ns) / 1e9;
    int64_t due = (int64_t)(elapsed_s * l->rate) + 1;

    while (l->sent < l->wanted && l->sent < due)
        send_one(l, l->began_ns + (uint64_t)((double)l->sent / l->rate * 1e9));
    if (l->sent == l->wanted)
        uv_timer_stop(timer);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double percentile(const double *sorted, int64_t n, double p)
{
    return sorted[(int64_t)((double)(n - 1) * p)];
}

static void close_timer(uv_handle_t *handle)
{
    (void)handle;
}

static void measure_rate(uv_loop_t *loop, struct queue *q, double rate)
{
    struct load l = { .loop = loop, .q = q, .rate = rate, .wanted = (int64_t)(rate * SECONDS) };
    struct queue_stats before, after;
    uv_timer_t timer;

    l.took_ms = xcalloc((size_t)l.wanted, sizeof(double));
    queue_get_stats(q, &before);
    uv_timer_init(loop, &timer);
    timer.data = &l;
    l.began_ns = uv_hrtime();
    uv_timer_start(&timer, on_tick, 1, 1);
    uv_run(loop, UV_RUN_DEFAULT);
    double seconds = (double)(uv_hrtime() - l.began_ns) / 1e9;
    queue_get_stats(q, &after);
    uv_close((uv_handle_t *)&timer, close_timer);
    uv_run(loop, UV_RUN_NOWAIT);
    qsort(l.took_ms, (size_t)l.answered, sizeof(double), compare);
    printf("%8.0f/s asked %8.0f/s done  p50 %7.2f  p99 %7.2f  p99.9 %7.2f  max %7.2f ms  "
           "%5.1f a commit  %lld failed\n",
           rate, (double)l.answered / seconds, percentile(l.took_ms, l.answered, 0.5),
           percentile(l.took_ms, l.answered, 0.99), percentile(l.took_ms, l.answered, 0.999),
           l.took_ms[l.answered - 1], (double)l.answered / (double)(after.commits - before.commits),
           (long long)l.failed);
    free(l.took_ms);
}

/* ---- finished jobs ---- */

static void finish_one(struct store *st, int64_t now_ms)
{
    struct job_result result = { .state = JOB_DONE,
                                 .report = "{\"schema_version\":1}",
                                 .cause = "database_down",
                                 .confidence = "high",
                                 .target_host = "db-1.example.com",
                                 .target_port = "5432",
                                 .fingerprint = "f1" };
    struct error err = ERROR_INIT;
    struct job job = { 0 };

    if (store_claim(st, "bench", LEASE, NULL, now_ms, &job, &err) != STORE_OK)
        die("claim", &err);
    if (store_finish(st, (struct job_ref){ job.id, job.fence }, &result, now_ms, &err) != STORE_OK)
        die("finish", &err);
    job_clear(&job);
}

static void add_one(struct store *st, int64_t now_ms)
{
    struct job_new job = {
        .source = "slash", .workspace = "T1", .issue_ref = "SHOP-1", .evaluated_ms = now_ms
    };
    struct error err = ERROR_INIT;
    char id[JOB_ID_LEN + 1];

    if (store_enqueue(st, &job, NULL, 0, 10000, now_ms, id, &err) != STORE_OK)
        die("enqueue", &err);
}

static void fill(struct store *st, int64_t n)
{
    struct error err = ERROR_INIT;
    int64_t now_ms = clock_wall_ms();

    for (int64_t i = 0; i < n; i++) {
        if (i % 1000 == 0 && store_begin(st, true, &err) < 0)
            die("begin", &err);
        add_one(st, now_ms);
        finish_one(st, now_ms);
        if ((i % 1000 == 999 || i == n - 1) && store_commit(st, &err) < 0)
            die("commit", &err);
    }
}

/* Median time of one enqueue, claim and finish, a commit each. */
static void measure_with_history(const char *url, int64_t finished)
{
    enum { ROUNDS = 501 };
    static double add_us[ROUNDS], work_us[ROUNDS];
    struct error err = ERROR_INIT;
    struct store *st;

    if (store_open(url, NULL, &st, &err) < 0)
        die("open", &err);
    fill(st, finished);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t t0 = uv_hrtime();
        add_one(st, clock_wall_ms());
        uint64_t t1 = uv_hrtime();
        finish_one(st, clock_wall_ms());
        add_us[i] = (double)(t1 - t0) / 1e3;
        work_us[i] = (double)(uv_hrtime() - t1) / 1e3;
    }
    qsort(add_us, ROUNDS, sizeof(double), compare);
    qsort(work_us, ROUNDS, sizeof(double), compare);
    printf("%7lld finished jobs: enqueue %6.0f us, claim and finish %6.0f us (median, with their "
           "commits)\n",
           (long long)finished, percentile(add_us, ROUNDS, 0.5), percentile(work_us, ROUNDS, 0.5));
    store_close(st);
}

static void measure_rates(const char *url, const double *rates, size_t n)
{
    struct error err = ERROR_INIT;
    struct queue *q;
    uv_loop_t loop;

    uv_loop_init(&loop);
    /* No limit of waiting jobs: nobody runs them here. */
    if (queue_open(&loop, url, &(struct queue_options){ .max_queued = -1 }, &q, &err) < 0)
        die("open", &err);
    for (size_t i = 0; i < n; i++)
        measure_rate(&loop, q, rates[i]);
    queue_free(q);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}

static void on_sqlite(const char *what)
{
    static const double rates[] = { 100, 1000, 5000, 10000, 15000, 20000 };
    static const int64_t finished[] = { 100, 10000, 100000 };
    char folder[] = "/tmp/dbconn-bench-XXXXXX";

    if (!mkdtemp(folder))
        exit(1);
    char *url = xasprintf("sqlite:%s/rates.db", folder);
    if (strcmp(what, "history") != 0)
        measure_rates(url, rates, ARRAY_LEN(rates));
    free(url);
    for (size_t i = 0; i < ARRAY_LEN(finished) && strcmp(what, "rates") != 0; i++) {
        url = xasprintf("sqlite:%s/%lld.db", folder, (long long)finished[i]);
        measure_with_history(url, finished[i]);
        free(url);
    }
    printf("left behind: %s\n", folder);
}

int main(int argc, char **argv)
{
    static const double rates[] = { 100, 500, 1000, 2000, 4000 };

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 3)
        on_sqlite(argc == 2 ? argv[1] : "");
    else if (strcmp(argv[1], "rates") == 0)
        measure_rates(argv[2], rates, ARRAY_LEN(rates));
    else
        measure_with_history(argv[2], argc > 3 ? strtoll(argv[3], NULL, 10) : 100);
    return 0;
}
