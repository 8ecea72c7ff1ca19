/*
 * impact - who is hit: everybody, or one segment (a region, a zone, a tenant, one transaction).
 *
 * Pure. The question is statistical: are the errors confined to one value of a tag, or to few,
 * while the service's usual events (the baseline: its other issues) come from other values as well?
 * Each candidate is tested with the binomial tail against the baseline's share, so that five events
 * in one region of two say little and fifty say much. A tag with one value everywhere is no
 * segment.
 */
#ifndef DBCONN_ANALYSIS_IMPACT_H
#define DBCONN_ANALYSIS_IMPACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dbconn/analysis/event_row.h"

enum impact_kind { IMPACT_UNKNOWN, IMPACT_ALL, IMPACT_SEGMENT };

/* What kind of thing a tag names. Only the first two make a segment. */
enum impact_class {
    IMPACT_CLASS_INFRASTRUCTURE, /* where it runs: region, zone, cluster, group of hosts */
    IMPACT_CLASS_USAGE,          /* what it is used for: tenant, plan, transaction, job, queue */
    IMPACT_CLASS_HOST,           /* a single machine or process: too narrow, kept as a candidate */
    IMPACT_CLASS_NEUTRAL,        /* release, level, sdk, browser, user, ids: never a segment */
};

struct impact_value {
    const char *value;
    double count;
};

/* A tag's distribution, when single rows are not to be had. */
struct impact_distribution {
    const char *key;
    const struct impact_value *values; /* the most frequent ones, in any order */
    size_t n_values;
    double total; /* events with this tag, also those of values not in the list; 0: the sum */
};

struct impact_input {
    const struct event_row *events; /* of the issue, since the onset */
    size_t n_events;
    const struct impact_distribution *event_tags; /* used for keys that no row has */
    size_t n_event_tags;
    const struct event_row *baseline; /* the project's usual events: other issues' rows */
    size_t n_baseline;
    const struct impact_distribution *baseline_tags; /* used for keys that no baseline row has */
    size_t n_baseline_tags;
    double users_hit;   /* distinct users since the onset; -1 unknown (then read from the rows) */
    double users_usual; /* distinct users of the project in the same time; -1 unknown */
};

/* Every threshold of this module; impact_options_default() gives each with its reason. */
struct impact_options {
    int64_t retry_ms;       /* errors of one host this close are one failure and its retries */
    double min_events;      /* fewer failures say nothing */
    double min_share;       /* a segment's share of the errors, at least */
    double min_share_alone; /* the same for a tag that only these errors carry */
    double min_odds;        /* errors for each usual event inside / outside, at least */
    double max_baseline;    /* its share of the usual events, at most */
    double max_chance;      /* that the usual traffic gives such a share, at most, all candidates
                               tried taken into account */
    double min_rest;        /* usual events in a wide segment outside the narrow one, as many */
    double min_outside;     /* usual events outside the segment that must have been seen */
    double min_alone;    /* without usual events with this tag: failures needed to say anything */
    size_t max_values;   /* a segment is made of at most so many values of one key */
    size_t max_distinct; /* a key with more values is an id */
    double max_id_ratio; /* and so is one with more values than this share of its events */
};

struct impact_segment {
    const char *key;     /* lent by the input */
    const char *value;   /* the value, or the first of several; lent by the input */
    const char **values; /* all values of the segment, most frequent first; strings lent */
    size_t n_values;
    size_t n_distinct; /* values of the key seen at all */
    enum impact_class class;
    double events;          /* errors in the segment */
    double total;           /* errors that have the tag */
    double share;           /* events / total, 0..1 */
    double baseline_events; /* usual events in the segment */
    double baseline_total;  /* usual events that have the tag */
    double baseline_share;  /* 0..1; -1 without a baseline */
    double log_p;           /* ln p, for what p cannot hold */
    double p;      /* chance of such a share if the errors followed the baseline; 1 unknown */
    double odds;   /* errors for each usual event inside / outside; -1 without a baseline */
    bool accepted; /* meets every condition; the first accepted one is the answer */
    char *why;     /* why it is one, or why not; heap */
};

struct impact {
    enum impact_kind kind;
    double confidence;                    /* 0..1 */
    const struct impact_segment *segment; /* into candidates; NULL unless IMPACT_SEGMENT */
    struct impact_segment *candidates;    /* best first, at most 16 */
    size_t n_candidates, cap_candidates;
    double events;      /* errors looked at */
    double users_hit;   /* -1 unknown */
    double users_usual; /* -1 unknown */
    bool few_users;     /* the errors hit a handful of users only, though many were active */
    char *why;          /* one sentence with figures; heap */
};

void impact_options_default(struct impact_options *ret);

/* Fills *ret (end it with impact_clear()); `options` NULL means the defaults. Never fails. */
void impact_analyse(const struct impact_input *in, const struct impact_options *options,
                    struct impact *ret);
void impact_clear(struct impact *i); /* NULL is fine */

/* What a tag of this name and these values is; `values` may be NULL. Exposed for the tags step. */
enum impact_class impact_classify_tag(const char *key, const char *const *values, size_t n_values);
const char *impact_class_name(enum impact_class c); /* "infrastructure", "usage", ... */

#endif
