/*
 * One trial: sandbox and bot start, five commands are given, then once or twice:
 *
 *   the bot dies (at a time, in a call to Slack, in a write of its store)
 *   -> the store is looked at: which steps may still be asked
 *   -> the bot starts again -> what it asks is held against that
 *
 * and when all jobs have ended the channels are compared with the reference.
 */
#include "trial.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define END_MS 60000
#define EARLY_MS 600               /* when most happens at once */
#define UNKNOWN_ISSUE "SHOP-T9999" /* asked for like the others */

enum moment { AT_TIME, IN_CALL, IN_WRITE };

struct fatality {
    enum moment moment;
    int64_t at_ms;      /* after the commands, or after the restart; at the latest */
    const char *method; /* IN_CALL */
    int nth;
    bool after;
    const char *how; /* IN_WRITE */
};

/* How long things take in this trial: Slack's calls, edits more than that, the sources' answers,
 * the disk; and the whole of it, compared with an undisturbed run. */
struct pace {
    int slack_ms, jitter_ms, edit_ms, source_ms, sync_ms;
    int stretch_percent;
};

static const struct pace paces[] = {
    { 5, 60, 0, 60, 0, 100 },      { 5, 60, 0, 60, 40, 120 },     { 100, 500, 0, 60, 0, 130 },
    { 1500, 2500, 0, 60, 0, 300 }, { 20, 40, 8000, 900, 0, 480 },
};
#define USUAL paces[0]
#define SLOW_DISK paces[1]
#define SLOW_EDITS paces[4]

void trial_give_commands(struct stage *s)
{
    for (size_t i = 0; i < TRIAL_CHANNELS; i++) {
        char *issue = i + 1 < TRIAL_CHANNELS ? world_issue(i) : xstrdup(UNKNOWN_ISSUE);
        stage_command(s, i, issue);
        if (i == 0)
            stage_command(s, i, issue);
        free(issue);
    }
}

/* The issue itself comes first: some steps say a little more when they know it. */
static char *faults_of(const struct pace *pace, const struct fatality *f, pid_t pid)
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
             "{\"path\":\"/api/chat.update\",\"latency_ms\":%d}",
             pace->slack_ms, pace->jitter_ms, pace->edit_ms);
    if (f && f->moment == IN_CALL)
        buf_addf(&out, ",{\"path\":\"/api/%s\",\"skip\":%d,\"first\":1,\"kill\":%ld,\"after\":%s}",
                 f->method, f->nth, (long)pid, f->after ? "true" : "false");
    buf_adds(&out, "]}");
    return buf_take(&out);
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

static void allow_all(const struct reference *ref, struct asked *ret)
{
    *ret = (struct asked){ 0 };
    allow_jobs(ref, TRIAL_JOBS, ret);
}

void trial_allowed(struct stage *s, const struct reference *ref, struct asked *ret)
{
    struct store *st = stage_store(s);
    struct job_list jobs = { 0 };
    size_t known = 0;

    *ret = (struct asked){ 0 };
    if (st && store_list(st, &(struct store_filter){ .limit = 50 }, &jobs, NULL) == STORE_OK)
        known = jobs.n;
    for (size_t i = 0; i < known; i++) {
        struct job_step_list steps = { 0 };
        if (!job_state_is_final(jobs.items[i].state) &&
            store_steps(st, jobs.items[i].id, &steps, NULL) == STORE_OK)
            allow_job(ref, &steps, ret);
        job_step_list_clear(&steps);
    }
    allow_jobs(ref, known < TRIAL_JOBS ? TRIAL_JOBS - known : 0, ret);
    job_list_clear(&jobs);
    store_close(st);
}

static void copy_file(const char *from, const char *to)
{
    char bytes[65536];
    size_t n;
    FILE *in = fopen(from, "rb"), *out = in ? fopen(to, "wb") : NULL;

    while (out && (n = fread(bytes, 1, sizeof(bytes), in)) > 0)
        (void)!fwrite(bytes, 1, n, out);
    if (in)
        fclose(in);
    if (out)
        fclose(out);
}

/* Looks at a copy: opening a store repairs it, and that is what the bot has to do. */
static void allowed_by_copy(struct stage *s, const struct reference *ref, struct asked *ret)
{
    const char *path = s->store_url + strlen("sqlite:");
    char *copy = xasprintf("%s.look", path), *wal = xasprintf("%s-wal", path),
         *copy_wal = xasprintf("%s-wal", copy), *url = s->store_url;

    copy_file(path, copy);
    copy_file(wal, copy_wal);
    s->store_url = xasprintf("sqlite:%s", copy);
    trial_allowed(s, ref, ret);
    free(s->store_url);
    s->store_url = url;
    unlink(copy);
    unlink(copy_wal);
    free(copy);
    free(wal);
    free(copy_wal);
}

/* ---- dying ---- */

static void choose_call(uint64_t *seed, bool at_start, struct fatality *f)
{
    static const struct {
        const char *method;
        int calls; /* about as many as there are */
    } usual[] = { { "chat.postMessage", 15 }, { "chat.postMessage", 15 }, { "chat.update", 9 } },
      again[] = { { "chat.postMessage", 5 },
                  { "chat.update", 6 },
                  { "conversations.re", 2 },
                  { "conversations.history", 2 } };
    int64_t i = random_below(seed, at_start ? ARRAY_LEN(again) : ARRAY_LEN(usual));

    f->method = at_start ? again[i].method : usual[i].method;
    f->nth = (int)random_below(seed, at_start ? again[i].calls : usual[i].calls);
    f->after = random_below(seed, 2) == 1;
}

struct span {
    int64_t whole_ms, early_ms; /* a job; and when most happens at once */
    int writes;
    bool at_start; /* of a bot that finds work of its predecessor */
};

static struct fatality choose(uint64_t *seed, const struct span *span)
{
    static const char *const hows[] = { "before", "torn", "after" };
    int64_t kind = random_below(seed, 10), early = random_below(seed, 3);
    struct fatality f = { .moment = kind < 5 ? AT_TIME : kind < 8 ? IN_CALL : IN_WRITE };

    f.at_ms = span->whole_ms;
    if (f.moment == AT_TIME)
        f.at_ms = random_below(seed, early == 0 ? span->early_ms : span->whole_ms);
    if (f.moment == IN_CALL)
        choose_call(seed, span->at_start, &f);
    if (f.moment == IN_WRITE) {
        f.how = hows[random_below(seed, ARRAY_LEN(hows))];
        f.nth = 1 + (int)random_below(seed, span->writes);
    }
    return f;
}

struct plan {
    const struct pace *pace;
    struct fatality ends[2];
    int kills;
};

/* Where something went wrong once: while the duplicate is told so, while a job fails that has
 * nothing to look into, and while edits are under way. Later ones find Slack fast, so that what the
 * first one sent may land after what they send. */
static const struct plan known[] = {
    { &SLOW_DISK, { { .moment = AT_TIME, .at_ms = 250 } }, 1 },
    { &SLOW_DISK, { { .moment = AT_TIME, .at_ms = 330 } }, 1 },
    { &SLOW_EDITS, { { .moment = AT_TIME, .at_ms = 1500 } }, 1 },
    { &SLOW_EDITS, { { .moment = AT_TIME, .at_ms = 2500 } }, 1 },
};

/* The first one dies at any time of a job's life, the second one when it has just begun. */
static void make_plan(const struct trial *t, struct plan *ret)
{
    const struct span start = { 2000, 150, 60, true };
    struct span job = { .early_ms = 600, .writes = t->reference->writes };
    uint64_t seed = t->seed + (uint64_t)t->index * 1000003;

    if (t->index < (int)ARRAY_LEN(known)) {
        *ret = known[t->index];
        return;
    }
    ret->pace = &paces[random_below(&seed, ARRAY_LEN(paces))];
    job.whole_ms = t->reference->took_ms * ret->pace->stretch_percent / 100;
    ret->ends[0] = choose(&seed, &job);
    ret->ends[1] = choose(&seed, &start);
    ret->kills = 1 + (int)random_below(&seed, 2);
}

static void describe(const struct fatality *f, char *out, size_t size)
{
    size_t len = strlen(out);

    switch (f->moment) {
    case AT_TIME:
        snprintf(out + len, size - len, " at %lld ms;", (long long)f->at_ms);
        break;
    case IN_CALL:
        snprintf(out + len, size - len, " %s %s number %d;", f->after ? "after" : "before",
                 f->method, f->nth + 1);
        break;
    case IN_WRITE:
        snprintf(out + len, size - len, " %s write %d;", f->how, f->nth);
        break;
    }
}

static void put_number(struct environment *env, const char *name, int number)
{
    char *text = xasprintf("%d", number);

    environment_put(env, name, text);
    free(text);
}

static void start_bot(struct stage *s, const struct fatality *f, const struct pace *pace)
{
    struct environment extra = { 0 };
    bool in_write = f && f->moment == IN_WRITE;

    if (in_write || pace->sync_ms > 0)
        environment_put(&extra, "LD_PRELOAD", getenv("DIE_AT_WRITE"));
    if (in_write) {
        put_number(&extra, "CRASH_AT_WRITE", f->nth);
        environment_put(&extra, "CRASH_HOW", f->how);
    }
    if (pace->sync_ms > 0)
        put_number(&extra, "CRASH_SYNC_MS", pace->sync_ms);
    stage_start_bot(s, 0, &extra);
    environment_clear(&extra);
}

/* Until the fault or the shim has done it, and otherwise when the time has come. */
static void let_die(struct stage *s, const struct fatality *f)
{
    int64_t until = clock_mono_ms() + f->at_ms;

    while (clock_mono_ms() < until && !stage_bot_died(s, 0))
        sleep_ms(1);
    stage_kill_bot(s, 0);
}

/* ---- the end ---- */

void trial_judge(struct stage *s, const struct reference *ref, struct trial_result *r,
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
    return r->lost + r->missing + r->doubled + r->other + r->asked_again == 0;
}

static void note_trouble(const struct trial *t, const struct stage *s, const struct trial_result *r,
                         const struct buf *text)
{
    char *path = xasprintf("%s/trouble.txt", s->folder);
    FILE *out = fopen(path, "w");

    if (out) {
        fprintf(out, "trial %d, seed %llu, killed:%s\n%s", t->index, (unsigned long long)t->seed,
                r->how, buf_str(text));
        fclose(out);
    }
    fprintf(stderr, "trial %d: lost %d, missing %d, doubled %d, other %d, asked again %d: see %s\n",
            t->index, r->lost, r->missing, r->doubled, r->other, r->asked_again, path);
    free(path);
}

/* ---- the trial ---- */

/* The bot's life from one start to the next. */
struct life {
    int64_t from_ms; /* wall */
    struct asked allowed;
};

static void begin_life(struct stage *s, const struct fatality *end, const struct pace *pace,
                       struct life *life)
{
    char *faults;

    life->from_ms = clock_wall_ms();
    start_bot(s, end, pace);
    faults = faults_of(pace, end, s->bots[0]);
    stage_faults(s, faults);
    free(faults);
}

/* What was asked for in it that the step before had answered. */
static int end_life(struct stage *s, struct life *life, struct buf *text)
{
    struct asked asked;
    int64_t now_ms = clock_wall_ms();
    int beyond;

    sleep_ms(100); /* requests under way come into the log */
    asked_between(s, life->from_ms, now_ms, &asked);
    beyond = asked_beyond(&asked, &life->allowed, text);
    asked_clear(&asked);
    asked_clear(&life->allowed);
    return beyond;
}

/* false: it died before. */
static bool wait_connected_or_dead(struct stage *s)
{
    while (!stage_bot_died(s, 0)) {
        if (stage_is_connected(s, 1))
            return true;
        sleep_ms(5);
    }
    return false;
}

static void live_and_die(struct stage *s, const struct trial *t, const struct plan *plan,
                         struct trial_result *r, struct buf *text)
{
    const struct pace later = { 5, 20, 0, 60, plan->pace->sync_ms, 100 };
    struct life life = { 0 };
    bool given = false;

    allow_all(t->reference, &life.allowed);
    for (int i = 0; i <= plan->kills; i++) {
        const struct fatality *end = i < plan->kills ? &plan->ends[i] : NULL;
        begin_life(s, end, i == 0 ? plan->pace : &later, &life);
        if (!given && wait_connected_or_dead(s)) {
            trial_give_commands(s);
            given = true;
        }
        if (!end)
            break;
        describe(end, r->how, sizeof(r->how));
        let_die(s, end);
        r->asked_again += end_life(s, &life, text);
        allowed_by_copy(s, t->reference, &life.allowed);
    }
    if (!stage_wait_ended(s, TRIAL_JOBS, END_MS))
        r->lost = TRIAL_JOBS - (int)stage_count_jobs(s, STATES_ENDED);
    r->asked_again += end_life(s, &life, text);
}

static void run_trial(const struct trial *t, const struct plan *plan, struct trial_result *ret)
{
    struct buf text = BUF_INIT;
    struct stage s;
    int64_t began = clock_mono_ms();

    *ret = (struct trial_result){ .index = t->index, .kills = plan->kills };
    stage_open(&s, t->options);
    live_and_die(&s, t, plan, ret, &text);
    trial_judge(&s, t->reference, ret, &text);
    ret->took_ms = clock_mono_ms() - began;
    if (!trial_is_good(ret))
        note_trouble(t, &s, ret, &text);
    stage_close(&s, t->keep || !trial_is_good(ret));
    buf_clear(&text);
}

void trial_crash(const struct trial *t, struct trial_result *ret)
{
    struct plan plan;

    make_plan(t, &plan);
    run_trial(t, &plan, ret);
}

void trial_calm(const struct trial *t, struct trial_result *ret)
{
    const struct plan plan = { .pace = &USUAL };

    run_trial(t, &plan, ret);
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
    char *counted = xasprintf("%s/writes", s.folder), *faults = faults_of(&USUAL, NULL, 0);
    environment_put(&extra, "LD_PRELOAD", getenv("DIE_AT_WRITE"));
    environment_put(&extra, "CRASH_COUNT", counted);
    stage_start_bot(&s, 0, &extra);
    stage_wait_connected(&s, 1);
    stage_faults(&s, faults);
    began = clock_mono_ms();
    trial_give_commands(&s);
    if (!stage_wait_ended(&s, TRIAL_JOBS, END_MS))
        die("the jobs did not end although nobody disturbed them: see %s", s.folder);
    ret->took_ms = clock_mono_ms() - began;
    ret->writes = count_writes(counted);
    for (size_t i = 0; i < TRIAL_CHANNELS; i++)
        picture_take(&s, i, &ret->pictures[i]);
    stage_close(&s, false);
    environment_clear(&extra);
    free(counted);
    free(faults);
}

void reference_take(const struct stage_options *options, struct reference *ret)
{
    struct stage s;

    *ret = (struct reference){ 0 };
    run_undisturbed(options, ret);
    stage_open(&s, options);
    asked_learn(&s, &ret->by_step);
    stage_close(&s, false);
}

void reference_clear(struct reference *r)
{
    for (size_t i = 0; i < TRIAL_CHANNELS; i++)
        picture_clear(&r->pictures[i]);
    asked_by_step_clear(&r->by_step);
}
