/* What the files of impact share: tags as tables of values, and candidate segments. */
#ifndef DBCONN_ANALYSIS_IMPACT_INTERNAL_H
#define DBCONN_ANALYSIS_IMPACT_INTERNAL_H

#include "dbconn/analysis/impact.h"

struct impact_cell {
    const char *value;
    double errors; /* failures: a failure with its retries counts once */
    double usual;  /* the other issues' events */
};

struct impact_key {
    const char *name;
    struct impact_cell *cells;
    size_t n_cells, cap_cells;
    double errors, usual; /* sums over cells, health checks left out */
    double events;        /* errors and usual events that have the tag at all */
    bool is_id;           /* too many values */
    enum impact_class class;
};

struct impact_work {
    const struct impact_input *in;
    const struct impact_options *o;
    double *failures; /* for each row of in->events: its count, 0 for a retry */
    double n_failures;
    struct impact_key *keys;
    size_t n_keys, cap_keys;
};

/* Which events of a key's value are asked about: "from the machines' own health checks" are not. */
bool impact_is_health_check(const char *value);

void impact_read_keys(struct impact_work *w);
void impact_classify_keys(struct impact_work *w);
void impact_clear_keys(struct impact_work *w);

/* Appends the candidate segment of `key`, tested; nothing when the key can have none. */
void impact_test_key(const struct impact_work *w, const struct impact_key *key, size_t n_tests,
                     struct impact *ret);
/* Index of the segment that explains best among the accepted ones; n_candidates when none is. */
size_t impact_choose(const struct impact_work *w, const struct impact *i);

double impact_least_share(const struct impact_options *o, double usual);
bool impact_segment_has(const struct impact_segment *s, const char *value);
const struct impact_key *impact_find_key(const struct impact_work *w, const char *name);
void impact_explain_segment(const struct impact_work *w, struct impact_segment *s);
char *impact_explain(const struct impact_work *w, const struct impact *i);

#endif
