/*
 * One trial: a PostgreSQL server, a sandbox and two bots on one app token; five commands are given,
 * and then once or twice something happens:
 *
 *   killed     either bot dies; later it starts again, or does not
 *   stalled    either bot stands still until its lease is certainly over, and goes on then
 *   rolled     both are stopped by SIGTERM and started again, one after the other
 *   restarted  the PostgreSQL server stops and comes back
 *
 * When all jobs have ended the channels are compared with the reference. What the sources may be
 * asked in all: everything once, and what had no outcome yet when a bot was lost.
 */
#include "trial.h"

#include <signal.h>

#include "pg.h"

#define LEASE_S 5

struct scene {
    const struct trial *trial;
    struct trial_result *result;
    struct stage stage;
    struct pg pg;
    struct asked allowed;
    uint64_t seed;
};

static int either(struct scene *c)
{
    return (int)random_below(&c->seed, STAGE_BOTS);
}

static void start_bot(struct scene *c, int which)
{
    if (c->stage.bots[which] == 0)
        stage_start_bot(&c->stage, which, NULL);
}

static int count_bots(const struct scene *c)
{
    int n = 0;

    for (int i = 0; i < STAGE_BOTS; i++)
        n += c->stage.bots[i] > 0;
    return n;
}

static void allow_rest(struct scene *c)
{
    trial_allow_rest(&c->stage, c->trial->reference, &c->allowed);
}

static void kill_one(struct scene *c)
{
    int which = either(c);
    bool again = random_below(&c->seed, 2) == 1 || c->stage.bots[1 - which] == 0;

    trial_note(c->result, " bot %d killed%s;", which, again ? ", started again" : "");
    stage_kill_bot(&c->stage, which);
    allow_rest(c);
    if (!again)
        return;
    sleep_ms(random_below(&c->seed, 2000));
    start_bot(c, which);
}

/* A stopped process keeps its sockets open; the answers it was waiting for are there when it wakes,
 * and until it learns that its lease is gone it may ask for what comes next. */
static void stall_one(struct scene *c)
{
    int which = either(c);
    int64_t ms = LEASE_S * SECOND_MS + 1000 + random_below(&c->seed, 4000);

    if (c->stage.bots[which] == 0)
        return;
    trial_note(c->result, " bot %d stalled for %lld ms;", which, (long long)ms);
    stage_wait_acknowledged(&c->stage); /* else a command is heard when the others are over */
    kill(c->stage.bots[which], SIGSTOP);
    allow_rest(c);
    allow_rest(c);
    sleep_ms(ms);
    kill(c->stage.bots[which], SIGCONT);
}

static void roll_both(struct scene *c)
{
    trial_note(c->result, " both restarted in turn;");
    for (int i = 0; i < STAGE_BOTS; i++) {
        if (c->stage.bots[i] == 0)
            continue;
        allow_rest(c); /* before: the other one may be quick with what is handed over */
        trial_stop_bot(&c->stage, i, c->result);
        stage_kill_bot(&c->stage, i); /* one that did not stop */
        start_bot(c, i);
        stage_wait_connected(&c->stage, count_bots(c));
    }
}

static void restart_server(struct scene *c)
{
    bool at_once = random_below(&c->seed, 2) == 1;
    int64_t ms = random_below(&c->seed, 3000);

    trial_note(c->result, " PostgreSQL %s for %lld ms;", at_once ? "killed" : "stopped",
               (long long)ms);
    stage_wait_acknowledged(&c->stage); /* what could not be stored is refused, not lost */
    allow_rest(c); /* leases may run out meanwhile, and outcomes that were not stored with them */
    pg_stop(&c->pg, at_once ? SIGQUIT : SIGINT);
    sleep_ms(ms);
    pg_start(&c->pg);
}

static void (*const happenings[])(struct scene *) = { kill_one, stall_one, roll_both,
                                                      restart_server };

/* The first ones in turn, so that each happens also when there are few trials. */
static void let_happen(struct scene *c, const struct pace *pace)
{
    int64_t whole_ms = c->trial->reference->took_ms * pace->stretch_percent / 100;
    size_t turn = (size_t)c->trial->index, times = 1 + (size_t)random_below(&c->seed, 2);

    for (size_t i = 0; i < times; i++) {
        int64_t ms = random_below(&c->seed, random_below(&c->seed, 3) ? whole_ms : 600);
        size_t what = i == 0 ? turn % ARRAY_LEN(happenings)
                             : (size_t)random_below(&c->seed, ARRAY_LEN(happenings));
        sleep_ms(ms);
        trial_note(c->result, " after %lld ms", (long long)ms);
        happenings[what](c);
        c->result->points++;
    }
}

static void play(struct scene *c, struct buf *text)
{
    static const int chosen[] = { PACE_USUAL, PACE_SLOWER, PACE_SLOW_SLACK, PACE_SLOW_EDITS };
    const struct pace *pace = &paces[chosen[random_below(&c->seed, ARRAY_LEN(chosen))]];
    struct asked asked;

    for (int i = 0; i < STAGE_BOTS; i++)
        start_bot(c, i);
    stage_wait_connected(&c->stage, STAGE_BOTS);
    trial_set_pace(&c->stage, pace, NULL);
    trial_allow_all(c->trial->reference, &c->allowed);
    if (trial_give_commands(&c->stage, 0) < TRIAL_JOBS)
        die("a command could not be delivered to two bots that live");
    let_happen(c, pace);
    trial_set_pace(&c->stage, &paces[PACE_USUAL], NULL);
    trial_wait_ended(&c->stage, c->result);
    asked_between(&c->stage, 0, INT64_MAX, &asked);
    c->result->asked_again += asked_beyond(&asked, &c->allowed, text);
    asked_clear(&asked);
}

void trial_replicas(const struct trial *t, struct trial_result *ret)
{
    struct scene c = { .trial = t, .result = ret };
    struct buf text = BUF_INIT;
    int64_t began = clock_mono_ms();

    *ret = (struct trial_result){ .index = t->index };
    c.seed = t->seed + (uint64_t)t->index * 1000003;
    pg_open(&c.pg);
    const struct stage_options options = { .world = TRIAL_WORLD,
                                           .store_url = c.pg.url,
                                           .lease_s = LEASE_S };
    stage_open(&c.stage, &options);
    play(&c, &text);
    ret->took_ms = clock_mono_ms() - began;
    trial_end(t, &c.stage, ret, &text);
    pg_close(&c.pg);
    asked_clear(&c.allowed);
    buf_clear(&text);
}
