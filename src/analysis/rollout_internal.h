/* What the files of rollout share. */
#ifndef DBCONN_ANALYSIS_ROLLOUT_INTERNAL_H
#define DBCONN_ANALYSIS_ROLLOUT_INTERNAL_H

#include "dbconn/analysis/rollout.h"

/* One roll-out of a release; a release that was rolled back to has two. */
struct rollout_live {
    size_t release; /* index into input.releases */
    int64_t from_ms, to_ms;
    bool rough;
};

#define ROLLOUT_NO_RELEASE SIZE_MAX    /* the row carries none */
#define ROLLOUT_FOREIGN (SIZE_MAX - 1) /* one that the list of releases does not hold */

#define ROLLOUT_NO_HOST SIZE_MAX

/* A row that counts: which roll-out its host ran then. */
struct rollout_row {
    const struct event_row *row;
    size_t live; /* index into lives, or one of the above */
    size_t host; /* index into hosts, or ROLLOUT_NO_HOST */
    double n;
};

struct rollout_work {
    const struct rollout_input *in;
    const struct rollout_options *o;
    int64_t from_ms, to_ms; /* the onset lies between; to_ms is what listed times are compared to */
    struct rollout_live *lives; /* by from_ms */
    size_t n_lives, cap_lives;
    const char **hosts; /* distinct, sorted */
    size_t n_hosts, cap_hosts;
    struct rollout_row *errors, *usual;
    size_t n_errors, cap_errors, n_usual, cap_usual;
};

void rollout_find_lives(struct rollout_work *w);
void rollout_read_rows(struct rollout_work *w);

/* Fills the counts, hosts and what follows from them for the roll-out `live`. */
void rollout_count(const struct rollout_work *w, size_t live, struct rollout_candidate *c);

char *rollout_explain_candidate(const struct rollout_work *w, const struct rollout_candidate *c);
char *rollout_explain(const struct rollout_work *w, const struct rollout *r);

#endif
