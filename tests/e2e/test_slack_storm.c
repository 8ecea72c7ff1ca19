/*
 * Many investigations in one channel at once, while Slack refuses: rate limits with and without
 * Retry-After, lost answers, blocks that the workspace does not have, sealed streams. Every thread
 * ends complete, nothing is there twice, the channel's limit is kept, and the longest waits are
 * printed.
 *
 * STORM_JOBS says how many (default 5; `make storm`: 30), and half as many with streams.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"

/* Posts at once that Slack tolerates in a channel (docs.slack.dev, rate limits). */
#define BURST 3
#define PATIENCE_MS (20 * MINUTE_MS)

static const char faults[] =
    "{\"sentry\":[{\"latency_ms\":300}],\"slack\":["
    "{\"path\":\"chat\\\\.(postMessage|update|[a-z]*Stream)|files\\\\.\",\"p\":0.08,\"status\":429,"
    "\"retry_after\":2},"
    "{\"path\":\"chat\\\\.(postMessage|update)|files\\\\.\",\"p\":0.04,\"status\":429,"
    "\"retry_after\":-2},"
    "{\"path\":\"chat\\\\.update\",\"p\":0.03,\"drop\":true,\"after\":true},"
    "{\"path\":\"chat\\\\.postMessage\",\"skip\":4,\"first\":1,\"drop\":true,\"after\":true}]}";

static int jobs_wanted(void)
{
    const char *n = getenv("STORM_JOBS");

    return n ? (int)strtol(n, NULL, 10) : 5;
}

/* The scenario with so many issues like its first, each with an id of its own. */
static char *write_scenario(int n)
{
    const char *tmp = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    char *path = xasprintf("%s/dbconn-storm-%d.json", tmp, (int)getpid());
    struct buf text = BUF_INIT;
    char part[65536];
    size_t got;
    FILE *in = fopen("contrib/sandbox/scenarios/deployment-config-change.json", "rb");

    assert_non_null(in);
    while ((got = fread(part, 1, sizeof(part), in)) > 0)
        buf_add(&text, part, got);
    fclose(in);
    cJSON *doc = cJSON_Parse(buf_str(&text));
    cJSON *issues =
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(doc, "sentry"), "issues");
    for (int i = 1; i < n; i++) {
        cJSON *copy = cJSON_Duplicate(cJSON_GetArrayItem(issues, 0), true);
        char *id = xasprintf("%d", 600000000 + i), *short_id = xasprintf("SHOP-S%d", i);
        cJSON_ReplaceItemInObjectCaseSensitive(copy, "id", cJSON_CreateString(id));
        cJSON_ReplaceItemInObjectCaseSensitive(copy, "shortId", cJSON_CreateString(short_id));
        cJSON_AddItemToArray(issues, copy);
        free(id);
        free(short_id);
    }
    char *out = json_print(doc);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(out, 1, strlen(out), file), strlen(out));
    fclose(file);
    free(out);
    cJSON_Delete(doc);
    buf_clear(&text);
    return path;
}

static void wait_for_jobs(struct stage *s, int n)
{
    int64_t until = clock_mono_ms() + PATIENCE_MS;

    while (!jobs_have_ended(s, &n)) {
        if (clock_mono_ms() > until) {
            stage_show_log(s);
            fail_msg("not all of %d jobs ended", n);
        }
        nanosleep(&(struct timespec){ .tv_nsec = 500000000 }, NULL);
    }
}

/* A message that people see, by the bot. */
static bool is_said(const cJSON *m)
{
    return json_str(m, "bot_id") && !json_str(m, "shown_to");
}

static double ts_of(const cJSON *m)
{
    return strtod(json_str_or(m, "ts", "0"), NULL);
}

/* What one investigation left in the channel. */
struct thread {
    const char *ts;
    int replies, plans, answers, images, details;
};

static void count_reply(struct thread *t, const cJSON *m)
{
    const char *part = json_str(json_path(m, "metadata", "event_payload", NULL), "part");

    t->replies++;
    t->images += json_first(json_get(m, "files")) != NULL;
    t->plans += part && strcmp(part, "plan") == 0;
    t->answers += part && strcmp(part, "answer") == 0;
    t->details += part && strcmp(part, "details") == 0;
}

/* Does the message say that all is done? */
static bool is_final(const cJSON *m)
{
    const char *text = json_str_or(m, "text", "");

    return strstr(text, "confidence: ") && !strstr(text, "Looking into") &&
           strstr(text, "The reasons and the details are in the thread.");
}

static int check_threads(const cJSON *messages)
{
    int roots = 0;

    for (const cJSON *m = json_first(messages); m; m = m->next) {
        struct thread t = { .ts = json_str(m, "ts") };
        if (!is_said(m) || json_str(m, "parent_user_id"))
            continue;
        roots++;
        if (!is_final(m))
            fail_msg("not the end: %s", json_str_or(m, "text", ""));
        for (const cJSON *r = json_first(messages); r; r = r->next)
            if (is_said(r) && json_str(r, "parent_user_id") &&
                strcmp(json_str_or(r, "thread_ts", ""), t.ts) == 0)
                count_reply(&t, r);
        if (t.plans != 1 || t.answers != 1 || t.images != 1 || t.details != 1 || t.replies != 4)
            fail_msg("%s: %d plans, %d answers, %d images, %d details of %d replies", t.ts, t.plans,
                     t.answers, t.images, t.details, t.replies);
    }
    return roots;
}

/* On the sandbox's clock: its ts are the moments at which it took the posts. A second more or less
 * is the way there. */
static void check_pace(const cJSON *messages)
{
    size_t n = (size_t)cJSON_GetArraySize(messages), said = 0;
    double *at = xcalloc(n + 1, sizeof(*at));

    for (const cJSON *m = json_first(messages); m; m = m->next)
        if (is_said(m))
            at[said++] = ts_of(m);
    for (size_t i = 0; i < said; i++)
        for (size_t k = i + 1; k < said; k++)
            if ((double)(k - i + 1) > BURST + 1 + (at[k] - at[i]))
                fail_msg("%zu posts within %.3f s", k - i + 1, at[k] - at[i]);
    print_message("%zu posts in %.0f s\n", said, said ? at[said - 1] - at[0] : 0);
    free(at);
}

static void print_waits(const cJSON *messages, double asked)
{
    double root = 0, answer = 0, last = 0;

    for (const cJSON *m = json_first(messages); m; m = m->next) {
        struct thread t = { 0 };
        double wait = ts_of(m) - asked;
        if (!is_said(m))
            continue;
        count_reply(&t, m);
        root = !json_str(m, "parent_user_id") && wait > root ? wait : root;
        answer = t.answers && wait > answer ? wait : answer;
        last = wait > last ? wait : last;
    }
    print_message("longest wait after all were typed: %.1f s for the first message, %.1f s for the "
                  "answer, %.1f s for the last message\n",
                  root, answer, last);
}

static void storm(int n, const char *progress, const char *config)
{
    const char *env[] = { "DBCONN_MAX_RUNNING=100", progress, NULL };
    char *scenario = write_scenario(n);
    struct stage_options options = { .scenario = scenario, .bot_env = env, .no_bot = true };
    struct stage s;

    stage_open(&s, &options);
    cJSON_Delete(control(&s, "/config", config));
    cJSON_Delete(control(&s, "/faults", faults));
    stage_start_bot(&s);
    int64_t asked_ms = clock_wall_ms();
    free(type_command(&s, INCIDENTS, s.short_id));
    for (int i = 1; i < n; i++) {
        char *issue = xasprintf("SHOP-S%d", i);
        free(type_command(&s, INCIDENTS, issue));
        free(issue);
    }
    wait_for_jobs(&s, n);
    print_message("%d investigations ended %.1f s after they were typed\n", n,
                  (double)(clock_wall_ms() - asked_ms) / 1000);
    cJSON *channel = control(&s, "/state?channel=" INCIDENTS, NULL);
    const cJSON *messages = json_get(channel, "messages");
    assert_int_equal(check_threads(messages), n);
    check_pace(messages);
    print_waits(messages, (double)asked_ms / 1000);
    print_message("429 answers: %d\n", (int)count_calls(&s, "(fault)", 429));
    cJSON_Delete(channel);
    stage_close(&s);
    (void)remove(scenario);
    free(scenario);
}

static void every_thread_ends_complete(void **state)
{
    (void)state;
    storm(jobs_wanted(), "DBCONN_SLACK_PROGRESS=plan",
          "{\"refused_blocks\":\"data_visualization\"}");
}

static void every_thread_with_a_stream_ends_complete(void **state)
{
    (void)state;
    storm((jobs_wanted() + 1) / 2, "DBCONN_SLACK_PROGRESS=stream",
          "{\"refused_blocks\":\"data_visualization\",\"stream_life_ms\":1500}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_thread_ends_complete),
        cmocka_unit_test(every_thread_with_a_stream_ends_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
