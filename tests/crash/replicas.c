/*
 * replicas - two bots on one PostgreSQL: either is killed, stopped past its lease and woken, both
 * are restarted one after the other, the server is restarted. Options: as those of crash.
 */
#include "trial.h"

int main(int argc, char **argv)
{
    struct trials t = { .run = trial_replicas, .points = 8, .at_once = 8 };

    trials_begin(&t, argc, argv);
    return trials_run(&t) ? 0 : 1;
}
