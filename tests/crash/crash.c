/*
 * crash - kills `dbconn serve` at random points of whole jobs and compares what is left in the
 * channels with an undisturbed run.
 *
 *   crash [--points N] [--at-once N] [--seed N] [--only TRIAL] [--calm] [--verbose]
 */
#include "trial.h"

int main(int argc, char **argv)
{
    struct trials t = { .run = trial_crash, .points = 12, .at_once = 12 };

    trials_begin(&t, argc, argv);
    return trials_run(&t) ? 0 : 1;
}
