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

#include <stdio.h>
#include <unistd.h>

enum moment { AT_TIME, IN_CALL, IN_WRITE };

struct fatality {
    enum moment moment;
    int64_t at_ms;      /* after the commands, or after the restart; at the latest */
    const char *method; /* IN_CALL */
    int nth;
    bool after;
    const char *how; /* IN_WRITE */
};

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
static void allow_by_copy(struct stage *s, const struct reference *ref, struct asked *allowed)
{
    const char *path = s->store_url + strlen("sqlite:");
    char *copy = xasprintf("%s.look", path), *wal = xasprintf("%s-wal", path),
         *copy_wal = xasprintf("%s-wal", copy), *url = s->store_url;

    copy_file(path, copy);
    copy_file(wal, copy_wal);
    s->store_url = xasprintf("sqlite:%s", copy);
    trial_allow_rest(s, ref, allowed);
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
    { &paces[PACE_SLOW_DISK], { { .moment = AT_TIME, .at_ms = 250 } }, 1 },
    { &paces[PACE_SLOW_DISK], { { .moment = AT_TIME, .at_ms = 330 } }, 1 },
    { &paces[PACE_SLOW_EDITS], { { .moment = AT_TIME, .at_ms = 1500 } }, 1 },
    { &paces[PACE_SLOW_EDITS], { { .moment = AT_TIME, .at_ms = 2500 } }, 1 },
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
    ret->pace = &paces[random_below(&seed, PACE_COUNT)];
    job.whole_ms = t->reference->took_ms * ret->pace->stretch_percent / 100;
    ret->ends[0] = choose(&seed, &job);
    ret->ends[1] = choose(&seed, &start);
    ret->kills = 1 + (int)random_below(&seed, 2);
}

static void note_fatality(struct trial_result *r, const struct fatality *f)
{
    r->points++;
    switch (f->moment) {
    case AT_TIME:
        trial_note(r, " killed at %lld ms;", (long long)f->at_ms);
        break;
    case IN_CALL:
        trial_note(r, " killed %s %s number %d;", f->after ? "after" : "before", f->method,
                   f->nth + 1);
        break;
    case IN_WRITE:
        trial_note(r, " killed at write %d (%s);", f->nth, f->how);
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

/* ---- the trial ---- */

/* The bot's life from one start to the next. */
struct life {
    int64_t from_ms; /* wall */
    struct asked allowed;
};

static void begin_life(struct stage *s, const struct fatality *end, const struct pace *pace,
                       struct life *life)
{
    char *fault = NULL;

    life->from_ms = clock_wall_ms();
    start_bot(s, end, pace);
    if (end && end->moment == IN_CALL)
        fault = xasprintf("{\"path\":\"/api/%s\",\"skip\":%d,\"first\":1,\"kill\":%ld,"
                          "\"after\":%s}",
                          end->method, end->nth, (long)s->bots[0], end->after ? "true" : "false");
    trial_set_pace(s, pace, fault);
    free(fault);
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
    int given = 0;

    trial_allow_all(t->reference, &life.allowed);
    for (int i = 0; i <= plan->kills; i++) {
        const struct fatality *end = i < plan->kills ? &plan->ends[i] : NULL;
        begin_life(s, end, i == 0 ? plan->pace : &later, &life);
        if (given < TRIAL_JOBS && wait_connected_or_dead(s))
            given = trial_give_commands(s, given);
        if (!end)
            break;
        note_fatality(r, end);
        let_die(s, end);
        r->asked_again += end_life(s, &life, text);
        allow_by_copy(s, t->reference, &life.allowed);
    }
    trial_wait_ended(s, r);
    r->asked_again += end_life(s, &life, text);
}

static void run_trial(const struct trial *t, const struct plan *plan, struct trial_result *ret)
{
    const struct stage_options options = { .world = TRIAL_WORLD };
    struct buf text = BUF_INIT;
    struct stage s;
    int64_t began = clock_mono_ms();

    *ret = (struct trial_result){ .index = t->index };
    stage_open(&s, &options);
    live_and_die(&s, t, plan, ret, &text);
    ret->took_ms = clock_mono_ms() - began;
    trial_end(t, &s, ret, &text);
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
    const struct plan plan = { .pace = &paces[PACE_USUAL] };

    run_trial(t, &plan, ret);
}
