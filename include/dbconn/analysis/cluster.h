/*
 * cluster - the wider picture: which issues of the organisation began together with this one, and
 * what they share: a release, a release train, or a database.
 *
 * Pure. Old issues go on all the time; what counts is an onset (a new issue, or a jump of an old
 * one) within minutes of ours. By chance one or two will do so; the usual rate of new issues says
 * how many to expect.
 */
#ifndef DBCONN_ANALYSIS_CLUSTER_H
#define DBCONN_ANALYSIS_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dbconn/analysis/rollout.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/tristate.h"

enum cluster_verdict {
    CLUSTER_UNKNOWN,         /* the organisation's issues could not be read, or no onset is known */
    CLUSTER_ISOLATED,        /* nothing else began with it, beyond chance */
    CLUSTER_SHARED_DATABASE, /* several services fail on the same target, and no deployment that
                                they share explains it */
    CLUSTER_SHARED_DEPLOYMENT, /* new issues in several projects within minutes of a release they
                                  share, or of a release train */
    CLUSTER_TOGETHER,          /* several projects began together and share neither: a network, a
                                  zone, something else below them */
};

struct cluster_issue {
    const char *id;
    const char *short_id; /* for people; NULL: the id is shown */
    const char *project;  /* slug */
    const char *title;
    const char *host, *port; /* target that the caller read from title or value; NULL: none */
    enum tristate database;  /* is it about a database? */
    int64_t first_seen_ms, last_seen_ms; /* of the issue's whole life; may be TIME_UNKNOWN */
    int64_t onset_ms;       /* its own onset, estimated from its statistics; TIME_UNKNOWN: none */
    int64_t onset_slack_ms; /* that estimate may be late by this (a bucket's width) */
    const char *first_release; /* NULL: unknown */
    double events;             /* since its onset, or in the window; -1 unknown */
};

struct cluster_release {
    const char *project; /* slug; a release of several projects has a row for each */
    struct rollout_release release;
};

struct cluster_input {
    const char *issue_id, *project; /* the issue under investigation */
    const char *host, *port;        /* its target; NULL: unknown */
    const char *const *aliases;     /* other names and addresses of the same target */
    size_t n_aliases;
    int64_t onset_ms, onset_slack_ms;
    const struct cluster_issue *issues; /* of the organisation; may include the issue itself */
    size_t n_issues;
    bool issues_known; /* false: the list could not be read */
    const struct cluster_release *releases;
    size_t n_releases;
    const char *environment; /* of the errors; NULL: deploys of any environment count */
    int64_t now_ms;
};

/* Every threshold of this module; cluster_options_default() gives each with its reason. */
struct cluster_options {
    int64_t together_ms; /* onsets within this of ours are together with it */
    int64_t fine_ms;     /* an onset known less exactly is together only on the same target */
    int64_t train_ms;    /* roll-outs of different projects within this are one train */
    int64_t lead_ms;     /* errors this long after a finished roll-out may still be its */
    int64_t clock_ms;    /* clocks and records of a deploy are off by this */
    size_t min_projects; /* projects, ours included, for a broader incident */
    int64_t new_ms;      /* an issue first seen this long before its onset at most is new */
    double max_chance;   /* that so many issues begin together by chance, at most */
};

struct cluster_member {
    const struct cluster_issue *issue; /* lent */
    int64_t distance_ms;               /* its onset minus ours */
    bool is_new;                       /* first seen then; otherwise an old issue that jumped */
    bool same_target;
    const char *release; /* version rolled out in its project just before its onset; NULL: none */
    int64_t release_ms;  /* when its roll-out began; TIME_UNKNOWN */
};

struct cluster {
    enum cluster_verdict verdict;
    double confidence;              /* 0..1 */
    struct cluster_member *members; /* nearest onset first; without the issue itself */
    size_t n_members, cap_members;
    size_t n_projects;             /* that began together with us, ours included */
    size_t n_same_target;          /* members on our target */
    size_t n_same_target_projects; /* projects that fail on it, ours included */
    size_t n_undeployed_projects;  /* of these, without a roll-out just before */
    size_t n_not_database;         /* members that are about no database */
    size_t n_other_database;       /* members about another database */
    double expected;               /* members to expect by chance */
    double chance;                 /* that so many began together by chance */
    const char *shared_release;    /* the version that spans the projects; NULL: none, or a train of
                                      several versions. Lent */
    const char *own_release;       /* what was rolled out in our project just before; NULL. Lent */
    size_t n_release_projects; /* projects that began together and just had that release or train,
                                  ours included */
    bool train;                /* different versions, rolled out within minutes */
    int64_t release_ms;        /* start of the shared release or train; TIME_UNKNOWN */
    char *why;                 /* one sentence with figures; heap */
};

void cluster_options_default(struct cluster_options *ret);

/* Fills *ret (end it with cluster_clear()); `options` NULL means the defaults. Never fails. */
void cluster_analyse(const struct cluster_input *in, const struct cluster_options *options,
                     struct cluster *ret);
void cluster_clear(struct cluster *c); /* NULL is fine */

const char *cluster_verdict_name(enum cluster_verdict v); /* "shared_deployment", ... */

#endif
