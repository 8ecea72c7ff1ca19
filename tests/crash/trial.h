/*
 * trial - a few jobs at a time, a bot that is killed in the middle, and the question whether
 * anybody can tell afterwards.
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

/* How it looks when nothing is disturbed. */
struct reference {
    struct picture pictures[TRIAL_CHANNELS];
    struct asked_by_step by_step;
    int64_t took_ms; /* from the commands to the last end */
    int writes;      /* of the store, from the start of the bot on */
};

struct trial_result {
    int index, kills;
    int lost;                    /* jobs that did not end */
    int missing, doubled, other; /* see struct picture_difference */
    int asked_again;             /* requests of steps that had ended */
    int64_t took_ms;
    char how[160]; /* the kills */
};

/* Runs without a kill. */
void reference_take(const struct stage_options *options, struct reference *ret);
void reference_clear(struct reference *r);

struct trial {
    const struct reference *reference;
    const struct stage_options *options;
    uint64_t seed;
    int index;
    bool keep; /* the folder, also when all went well */
};

/* One or two kills of a bot with a SQLite store, at places that the seed chooses. */
void trial_crash(const struct trial *t, struct trial_result *ret);

/* The same without a kill: the comparison itself is tried. */
void trial_calm(const struct trial *t, struct trial_result *ret);

bool trial_is_good(const struct trial_result *r);

/* ---- pieces, for other trials ---- */

void trial_give_commands(struct stage *s);
/* What the steps that have not ended may still ask for. */
void trial_allowed(struct stage *s, const struct reference *ref, struct asked *ret);
/* Compares the end with the reference; what differs is added to `text`. */
void trial_judge(struct stage *s, const struct reference *ref, struct trial_result *r,
                 struct buf *text);

/* ---- many of them ---- */

typedef void trial_fn(const struct trial *t, struct trial_result *ret);
struct trials {
    trial_fn *run;
    const struct reference *reference;
    const struct stage_options *options;
    uint64_t seed;
    int points;   /* kills to make */
    int at_once;  /* trials */
    int only;     /* the index of the only one to run; -1: all */
    bool verbose; /* say how each went */
};
/* Runs them in processes of their own, prints the figures; true when nothing was wrong. */
bool trials_run(const struct trials *t);

#endif
