/*
 * trend - how the errors of an issue are spread over time: when the present outage began, whether
 * it goes on, and its shape.
 *
 * Pure: no clock, no I/O; "now" is an argument. Times are ms since 1970, rates events per hour.
 *
 * Sources differ in grain: the list of events has exact times but of a busy issue only the newest;
 * counts per interval reach further back but are coarse. trend_analyse() lays them over each other:
 * for every moment the finest source that covers it is used.
 *
 * The outage is found as a scan statistic does it (Kulldorff 1997; the penalty for short windows is
 * that of Duembgen and Spokoiny 2001): of all windows from one event to another, the one whose rate
 * differs most from the rest, then the same once more for what comes after it, so that the latest
 * outage wins over a larger one long ago. Rates need no setting: three events a day and three
 * thousand an hour are treated alike. What lies before the window is background.
 */
#ifndef DBCONN_ANALYSIS_TREND_H
#define DBCONN_ANALYSIS_TREND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/tristate.h"

enum trend_kind {
    TREND_UNKNOWN,
    TREND_CONSTANT,         /* goes on since the onset at a steady rate */
    TREND_SPIKE,            /* jumped up suddenly; may go on */
    TREND_GRADUAL_INCREASE, /* grows over hours */
    TREND_INTERMITTENT,     /* several bursts with quiet between them */
    TREND_BOUNDED,          /* began and ended */
};

/* Counts per interval, oldest first: Sentry's stats["24h"], stats["30d"], events-timeseries. */
struct trend_series {
    int64_t start_ms; /* of the first bucket */
    int64_t interval_ms;
    const double *counts; /* lent */
    size_t n_counts;
};

/* A window of time, both ends included. */
struct trend_span {
    int64_t from_ms, to_ms;
};

struct trend_input {
    const int64_t *times_ms; /* of the listed events, in any order; lent */
    size_t n_times;
    bool times_capped; /* older events exist that are not listed */
    /* The windows within which every event is listed, when the list has holes: the newest page and
     * some around the onset. None: the list is without holes from its oldest event to now. */
    const struct trend_span *listed; /* lent */
    size_t n_listed;
    const struct trend_series *series;
    size_t n_series;       /* any number, any order, may overlap; 0 is fine */
    int64_t first_seen_ms; /* of the issue; TIME_UNKNOWN is fine */
    int64_t last_seen_ms;  /* likewise */
    int64_t now_ms;        /* when the data were read */
};

/* Every threshold of this module; trend_options_default() gives each with its reason. */
struct trend_options {
    int64_t clump_ms;     /* events this close are one failure and its retries */
    int64_t history_ms;   /* how far back silence counts as silence */
    double min_events;    /* fewer events than this have no shape */
    double later_score;   /* how clear a later, smaller outage must be (standard deviations) */
    double jump_ratio;    /* rate after / before from which it is a jump onto a background */
    double jump_events;   /* and so many events of it at least */
    int64_t max_pause_ms; /* bursts further apart are separate outages */
    int64_t min_quiet_ms; /* a shorter gap never separates two bursts */
    double quiet_ratio;   /* shortest quiet between bursts / longest gap inside them, at least */
    size_t intermittent_bursts; /* from so many bursts on it is intermittent */
    double intermittent_duty;   /* when they fill at most this share of the outage */
    int64_t sparse_gap_ms;      /* single failures this far apart, and */
    int64_t sparse_ms;          /* for this long, are intermittent too */
    double gradual_ratio;       /* growth from each third of the outage to the next */
    int64_t gradual_ms;         /* growing takes at least this long */
    double steady_ratio;        /* slope within 1/x..x is steady */
    int64_t steady_ms;          /* and constant once it has lasted this long */
    double ended_gap;           /* it ended: silent for this many times its longest gap, and */
    double ended_chance;        /* such a silence by chance is rarer than this, and */
    int64_t ended_ms;           /* silent for at least this long */
    double doubt_chance;        /* a silence rarer than this makes "goes on" unknown */
};

struct trend_burst {
    int64_t start_ms, end_ms; /* first and last event; end_ms == start_ms for a single one */
    double events;
};

struct trend {
    enum trend_kind kind;
    double confidence;          /* 0..1: how clear the kind is */
    int64_t onset_ms;           /* of the present (or last) outage; TIME_UNKNOWN without events */
    int64_t onset_slack_ms;     /* it lies in [onset_ms, onset_ms + slack]: 0 when seen in listed
                                   events, else the width of the bucket it was seen in */
    bool onset_open;            /* the sources begin in the middle of it: onset_ms or earlier */
    int64_t end_ms;             /* TIME_UNKNOWN while it goes on or may go on */
    int64_t last_event_ms;      /* the newest event seen; TIME_UNKNOWN without events */
    enum tristate ongoing;      /* YES, NO, or UNKNOWN when the silence may be chance */
    struct trend_burst *bursts; /* of the outage, oldest first */
    size_t n_bursts, cap_bursts;

    /* Features, for rules. Ratios are > 0; -1 where there is nothing to compare. */
    double events;            /* in the outage */
    double background_events; /* before it, as far back as the sources reach */
    double later_events;      /* after its end: stragglers */
    double rate_before;       /* events per hour before the onset */
    double rate_after;        /* from the onset to the end, or to the last event */
    double peak_rate;         /* in the densest tenth of the outage */
    double jump_ratio; /* rate_after / rate_before, with a floor of one unseen event before */
    double slope;      /* rate in the last third of the outage / in the first */
    double duty_cycle; /* share of the outage that its bursts fill, 0..1 */
    int64_t longest_quiet_ms; /* between two of its bursts; 0 with one burst */
    int64_t quiet_ms;         /* from the last event to now, never negative */
    char *why;                /* one sentence in plain words with figures; heap */
};

void trend_options_default(struct trend_options *ret);

/* Fills *ret (end it with trend_clear()); `options` NULL means the defaults. Never fails: without
 * events the kind is TREND_UNKNOWN and `why` says so. Events later than now count as now. */
void trend_analyse(const struct trend_input *in, const struct trend_options *options,
                   struct trend *ret);
void trend_clear(struct trend *t); /* NULL is fine */

#endif
