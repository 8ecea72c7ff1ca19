#include "trial.h"

#include <stdarg.h>
#include <stdio.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define STOP_MS 10000
#define UNKNOWN_ISSUE "SHOP-T9999" /* asked for like the others */

const struct pace paces[PACE_COUNT] = {
    [PACE_USUAL] = { 5, 60, 0, 60, 0, 100 },
    [PACE_SLOW_DISK] = { 5, 60, 0, 60, 40, 120 },
    [PACE_SLOWER] = { 100, 500, 0, 60, 0, 130 },
    [PACE_SLOW_SLACK] = { 1500, 2500, 0, 60, 0, 300 },
    [PACE_SLOW_EDITS] = { 20, 40, 8000, 900, 0, 480 },
};

/* The issue itself comes first: some steps say a little more when they know it. */
void trial_set_pace(struct stage *s, const struct pace *pace, const char *slack_fault)
{
    struct buf out = BUF_INIT;

    buf_addf(&out,
             "{\"sentry\":[{\"path\":\"events|tags|releases|issues/[?]\",\"latency_ms\":%d,"
             "\"jitter_ms\":120}],\"github\":[{\"latency_ms\":%d,\"jitter_ms\":80}],"
             "\"elasticsearch\":[{\"latency_ms\":%d,\"jitter_ms\":80}],",
             pace->source_ms, pace->source_ms, pace->source_ms);
    buf_addf(&out,
             "\"slack\":[{\"path\":\"/api/(chat|conversations.(history|replies))\","
             "\"latency_ms\":%d,\"jitter_ms\":%d},"
             "{\"path\":\"/api/chat.update\",\"latency_ms\":%d}%s%s]}",
             pace->slack_ms, pace->jitter_ms, pace->edit_ms, slack_fault ? "," : "",
             slack_fault ? slack_fault : "");
    stage_faults(s, buf_str(&out));
    buf_clear(&out);
}

int trial_give_commands(struct stage *s, int from)
{
    static const size_t channels[TRIAL_JOBS] = { 0, 0, 1, 2, 3 }; /* the first twice */
    bool delivered = true;

    while (from < TRIAL_JOBS && delivered) {
        size_t i = channels[from];
        char *issue = i + 1 < TRIAL_CHANNELS ? world_issue(i) : xstrdup(UNKNOWN_ISSUE);
        delivered = stage_try_command(s, i, issue);
        from += delivered;
        free(issue);
    }
    return from;
}

static void give_all_commands(struct stage *s)
{
    if (trial_give_commands(s, 0) < TRIAL_JOBS)
        die("a command could not be delivered although nobody disturbed it: see %s", s->folder);
}

void trial_note(struct trial_result *r, const char *fmt, ...)
{
    size_t len = strlen(r->how);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(r->how + len, sizeof(r->how) - len, fmt, ap);
    va_end(ap);
}

/* ---- what may still be asked ---- */

static bool is_stored(const struct job_step_list *steps, const char *id)
{
    for (size_t i = 0; i < steps->n; i++)
        if (strcmp(steps->items[i].step_id, id) == 0)
            return true;
    return false;
}

static void allow_job(const struct reference *ref, const struct job_step_list *steps,
                      struct asked *ret)
{
    for (size_t i = 0; i < ref->by_step.n; i++)
        if (!is_stored(steps, ref->by_step.step[i]))
            asked_add_all(ret, &ref->by_step.asked[i]);
}

/* Nothing is known of the jobs yet: everything may be asked. */
static void allow_jobs(const struct reference *ref, size_t n, struct asked *ret)
{
    struct job_step_list none = { 0 };

    for (size_t i = 0; i < n; i++)
        allow_job(ref, &none, ret);
}

void trial_allow_all(const struct reference *ref, struct asked *allowed)
{
    allow_jobs(ref, TRIAL_JOBS, allowed);
}

void trial_allow_rest(struct stage *s, const struct reference *ref, struct asked *allowed)
{
    struct store *st = stage_store(s);
    struct job_list jobs = { 0 };
    size_t known = 0;

    if (st && store_list(st, &(struct store_filter){ .limit = 50 }, &jobs, NULL) == STORE_OK)
        known = jobs.n;
    for (size_t i = 0; i < known; i++) {
        struct job_step_list steps = { 0 };
        if (!job_state_is_final(jobs.items[i].state) &&
            store_steps(st, jobs.items[i].id, &steps, NULL) == STORE_OK)
            allow_job(ref, &steps, allowed);
        job_step_list_clear(&steps);
    }
    allow_jobs(ref, known < TRIAL_JOBS ? TRIAL_JOBS - known : 0, allowed);
    job_list_clear(&jobs);
    store_close(st);
}

/* ---- the end ---- */

void trial_wait_ended(struct stage *s, struct trial_result *r)
{
    if (!stage_wait_ended(s, TRIAL_JOBS, TRIAL_END_MS))
        r->lost = TRIAL_JOBS - (int)stage_count_jobs(s, STATES_ENDED);
}

void trial_stop_bot(struct stage *s, int which, struct trial_result *r)
{
    int status = 0;
    int64_t took_ms = stage_stop_bot(s, which, &status);

    if (took_ms < 0 || took_ms > STOP_MS || status != 0) {
        r->bad_stops++;
        trial_note(r, " bot %d stopped in %lld ms with status 0x%x;", which, (long long)took_ms,
                   (unsigned)status);
    }
    r->longest_stop_ms = took_ms > r->longest_stop_ms ? took_ms : r->longest_stop_ms;
}

static void judge(struct stage *s, const struct reference *ref, struct trial_result *r,
                  struct buf *text)
{
    struct picture_difference sum = { 0 };

    stage_wait_landed(s);
    for (size_t i = 0; i < TRIAL_CHANNELS; i++) {
        struct picture p;
        struct picture_difference before = sum;
        picture_take(s, i, &p);
        /* Which steps were under way when the unknown issue turned out to be one is chance. */
        picture_compare(&ref->pictures[i], &p, i + 1 < TRIAL_CHANNELS ? NULL : "plan", &sum, text);
        if (memcmp(&before, &sum, sizeof(sum)) != 0)
            buf_addf(text, "  in channel %zu\n", i);
        picture_clear(&p);
    }
    r->missing = sum.missing;
    r->doubled = sum.doubled;
    r->other = sum.other;
}

bool trial_is_good(const struct trial_result *r)
{
    return r->lost + r->missing + r->doubled + r->other + r->asked_again + r->bad_stops == 0;
}

static void note_trouble(const struct trial *t, const struct stage *s, const struct trial_result *r,
                         const struct buf *text)
{
    char *path = xasprintf("%s/trouble.txt", s->folder);
    FILE *out = fopen(path, "w");

    if (out) {
        fprintf(out, "trial %d, seed %llu:%s\n%s", t->index, (unsigned long long)t->seed, r->how,
                buf_str(text));
        fclose(out);
    }
    printf("trial %d: lost %d, missing %d, doubled %d, other %d, asked again %d, bad stops %d: see "
           "%s\n",
           t->index, r->lost, r->missing, r->doubled, r->other, r->asked_again, r->bad_stops, path);
    fflush(stdout);
    free(path);
}

void trial_end(const struct trial *t, struct stage *s, struct trial_result *r, struct buf *text)
{
    judge(s, t->reference, r, text);
    for (int i = 0; i < STAGE_BOTS; i++)
        if (s->bots[i] > 0)
            trial_stop_bot(s, i, r);
    if (!trial_is_good(r))
        note_trouble(t, s, r, text);
    stage_close(s, t->keep || !trial_is_good(r));
}

/* ---- undisturbed ---- */

static int count_writes(const char *path)
{
    FILE *in = fopen(path, "rb");
    int n = 0;

    while (in && fgetc(in) != EOF)
        n++;
    if (in)
        fclose(in);
    return n;
}

static void run_undisturbed(const struct stage_options *options, struct reference *ret)
{
    struct environment extra = { 0 };
    struct stage s;
    int64_t began;

    stage_open(&s, options);
    char *counted = xasprintf("%s/writes", s.folder);
    environment_put(&extra, "LD_PRELOAD", getenv("DIE_AT_WRITE"));
    environment_put(&extra, "CRASH_COUNT", counted);
    stage_start_bot(&s, 0, &extra);
    stage_wait_connected(&s, 1);
    trial_set_pace(&s, &paces[PACE_USUAL], NULL);
    began = clock_mono_ms();
    give_all_commands(&s);
    if (!stage_wait_ended(&s, TRIAL_JOBS, TRIAL_END_MS))
        die("the jobs did not end although nobody disturbed them: see %s", s.folder);
    ret->took_ms = clock_mono_ms() - began;
    ret->writes = count_writes(counted);
    for (size_t i = 0; i < TRIAL_CHANNELS; i++)
        picture_take(&s, i, &ret->pictures[i]);
    stage_close(&s, false);
    environment_clear(&extra);
    free(counted);
}

void reference_take(struct reference *ret)
{
    const struct stage_options options = { .world = TRIAL_WORLD };
    struct stage s;

    *ret = (struct reference){ 0 };
    run_undisturbed(&options, ret);
    stage_open(&s, &options);
    asked_learn(&s, &ret->by_step);
    stage_close(&s, false);
}

void reference_clear(struct reference *r)
{
    for (size_t i = 0; i < TRIAL_CHANNELS; i++)
        picture_clear(&r->pictures[i]);
    asked_by_step_clear(&r->by_step);
}
