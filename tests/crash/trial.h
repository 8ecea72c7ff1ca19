/*
 * trial - a few jobs at a time, something that happens to them in the middle, and the question
 * whether anybody can tell afterwards.
 */
#ifndef DBCONN_CRASH_TRIAL_H
#define DBCONN_CRASH_TRIAL_H

#include "asked.h"
#include "picture.h"
#include "stage.h"

/* Channels 0 to 2 get a job each, channel 0 the same command twice, channel 3 an issue that nobody
 * knows. */
#define TRIAL_CHANNELS 4
#define TRIAL_JOBS 5
#define TRIAL_WORLD                                                                                \
    {                                                                                              \
        .issues = 3, .channels = TRIAL_CHANNELS, .events = 90                                      \
    }
#define TRIAL_END_MS 60000

/* How it looks when nothing is disturbed. */
struct reference {
    struct picture pictures[TRIAL_CHANNELS];
    struct asked_by_step by_step;
    int64_t took_ms; /* from the commands to the last end */
    int writes;      /* of the store, from the start of the bot on */
};

/* Runs twice, with a SQLite store. */
void reference_take(struct reference *ret);
void reference_clear(struct reference *r);

struct trial {
    const struct reference *reference;
    uint64_t seed;
    int index;
    bool keep; /* the folder, also when all went well */
};

struct trial_result {
    int index, points;           /* points: what happened so far */
    int lost;                    /* jobs that did not end */
    int missing, doubled, other; /* see struct picture_difference */
    int asked_again;             /* requests of steps that had ended */
    int bad_stops;               /* a bot that did not exit well within 10 s of SIGTERM */
    int64_t longest_stop_ms, took_ms;
    char how[200]; /* what happened */
};

/* Kills of a bot with a SQLite store (crash_trial.c). Without any: tries the comparison itself. */
void trial_crash(const struct trial *t, struct trial_result *ret);
void trial_calm(const struct trial *t, struct trial_result *ret);
/* Two bots and a PostgreSQL server, and what may happen to them (replicas_trial.c). */
void trial_replicas(const struct trial *t, struct trial_result *ret);

bool trial_is_good(const struct trial_result *r);

/* ---- pieces ---- */

/* How long things take: Slack's calls, edits more than that, the sources' answers, the disk; and
 * the whole of it, compared with an undisturbed run. */
struct pace {
    int slack_ms, jitter_ms, edit_ms, source_ms, sync_ms;
    int stretch_percent;
};
enum { PACE_USUAL, PACE_SLOW_DISK, PACE_SLOWER, PACE_SLOW_SLACK, PACE_SLOW_EDITS, PACE_COUNT };
extern const struct pace paces[PACE_COUNT];
/* Makes the sandbox so; `slack_fault` (may be NULL) is one more of Slack's. */
void trial_set_pace(struct stage *s, const struct pace *pace, const char *slack_fault);

/* Continues result->how. */
void trial_note(struct trial_result *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Types the TRIAL_JOBS commands, from the nth on, until they are given or one is not delivered: the
 * bot may die before the last. Gives back how many are given in all. */
int trial_give_commands(struct stage *s, int from);
/* What all jobs may ask for; and those steps that have not ended, as the store says. Both add. */
void trial_allow_all(const struct reference *ref, struct asked *allowed);
void trial_allow_rest(struct stage *s, const struct reference *ref, struct asked *allowed);
void trial_wait_ended(struct stage *s, struct trial_result *r);
/* Stops this bot and says how that went. */
void trial_stop_bot(struct stage *s, int which, struct trial_result *r);
/* Compares the channels with the reference, notes what is wrong and closes the stage. */
void trial_end(const struct trial *t, struct stage *s, struct trial_result *r, struct buf *text);

/* ---- many of them ---- */

typedef void trial_fn(const struct trial *t, struct trial_result *ret);
struct trials {
    trial_fn *run;
    uint64_t seed;
    int points;   /* at least so many */
    int at_once;  /* trials */
    int only;     /* the index of the only one to run; -1: all */
    bool verbose; /* say how each went */
};
/* Reads --points, --at-once, --seed, --only, --calm and --verbose; sets up this process. */
void trials_begin(struct trials *t, int argc, char **argv);
/* Runs them in processes of their own, prints the figures; true when nothing was wrong. */
bool trials_run(const struct trials *t);

#endif
