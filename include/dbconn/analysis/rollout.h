/*
 * rollout - which release began the errors, if one did.
 *
 * Pure. Two kinds of evidence are weighed. Timing: a release goes live between its deploy's start
 * and finish (created and released differ from that by minutes), and the first errors come within
 * minutes of its first host. Confinement, the stronger one: since the onset the errors come from
 * hosts that run the release, while hosts that still run the older one serve traffic (the other
 * issues' events show it) and stay healthy. The reverse acquits: errors on hosts of the older
 * release in the same minutes mean that the release only coincides.
 *
 * A record of a deploy ends before the last host has changed over, and a new setting works from its
 * first use on: minutes between the two do not acquit a release that is tied to the errors by more
 * than time, by hosts that stay healthy without it or by a diff that sets the address they name.
 *
 * What an issue says of its first release is not asked: an old issue's first release says nothing
 * about the present onset.
 */
#ifndef DBCONN_ANALYSIS_ROLLOUT_H
#define DBCONN_ANALYSIS_ROLLOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dbconn/analysis/event_row.h"
#include "dbconn/analysis/trend.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/tristate.h"

#define ROLLOUT_RELATION_LIST(X)                                                                   \
    X(UNKNOWN, "unknown")                                                                          \
    X(BEGAN_WITH_IT, "began_with_it")                                                              \
    X(INCREASED_WITH_IT, "increased_with_it")                                                      \
    X(COINCIDES_ONLY, "coincides_only")                                                            \
    X(OLDER, "older")                           /* live for long when the errors began */          \
    X(YOUNGER_THAN_ONSET, "younger_than_onset") /* cannot have caused them */

#define X(name, text) ROLLOUT_##name,
enum rollout_relation { ROLLOUT_RELATION_LIST(X) ROLLOUT_RELATION_COUNT };
#undef X

enum rollout_strength { ROLLOUT_NONE, ROLLOUT_WEAK, ROLLOUT_LIKELY, ROLLOUT_DECISIVE };

/* Times may be TIME_UNKNOWN each. */
struct rollout_deploy {
    const char *environment; /* NULL: unknown */
    int64_t started_ms, finished_ms;
};

struct rollout_release {
    const char *version;
    int64_t created_ms, released_ms;
    int64_t first_event_ms; /* first event of any issue on it, as Sentry says; may be unknown */
    const struct rollout_deploy *deploys; /* all environments, any order */
    size_t n_deploys;
    bool sets_target; /* its diff sets the address that the errors name */
    bool one_place;   /* in files of the one place that fails: the others need not fail */
    bool takes_more;  /* its diff raises a pool's size, and connections ran out */
};

struct rollout_input {
    const struct rollout_release *releases; /* of the project, any order */
    size_t n_releases;
    const struct event_row *events; /* of the issue: since before the onset, as far as listed */
    size_t n_events;
    const struct event_row *baseline; /* of the project's other issues, over the same time */
    size_t n_baseline;
    const char *environment;   /* of the errors; NULL: deploys of any environment count */
    const char *host_key;      /* the tag that names the machine; NULL: "server_name" */
    const struct trend *trend; /* onset, slack, end, bursts */
    bool slots_ran_out;        /* connections ran out: all lack them, whoever took them */
    int64_t now_ms;
};

/* Every threshold of this module; rollout_options_default() gives each with its reason. */
struct rollout_options {
    int64_t clock_ms;       /* clocks and records of a deploy are off by this */
    int64_t began_ms;       /* errors this soon after a finished roll-out may begin with it, */
    double began_gaps;      /* plus so many times the usual time between two errors, */
    int64_t began_max_ms;   /* but this at most, and this where more than time ties it to them */
    int64_t rough_ms;       /* how long a roll-out may take of which only the creation is known */
    int64_t fine_ms;        /* an onset or roll-out known less exactly proves nothing by its time */
    int64_t near_ms;        /* this long before the onset it coincides; beyond it is older */
    double min_errors;      /* fewer errors on known releases say nothing about confinement */
    double min_confined;    /* share of errors on the release from which they are confined to it */
    double min_without;     /* share of the errors during the roll-out on hosts without it that is
                               more than processes which drain */
    double min_like;        /* rate after / before the release of before was put back, to go on */
    double min_others;      /* events of hosts on older releases that show that they were alive */
    double max_chance;      /* chance that confinement came about by itself, at most */
    double max_coincidence; /* share of time within roll-outs above which timing says little */
    int64_t ended_ms;       /* errors that end this soon after a later roll-out ended with it */
    double increase;        /* rate after / before a later roll-out to have increased with it */
};

struct rollout_candidate {
    size_t release;      /* index into input.releases */
    const char *version; /* lent by the input */
    enum rollout_relation relation;
    enum rollout_strength strength; /* as the origin of the errors */
    int64_t live_from_ms;           /* its first host ran it: deploy start or the nearest known */
    int64_t live_to_ms;             /* all hosts ran it, as recorded or assumed */
    bool rough;                     /* no deploy recorded: known from its creation only */
    int64_t lead_ms;                /* onset minus live_from_ms: > 0 the release came first;
                                       0 if the slack of the onset covers it */
    bool during;                    /* the onset lies within the roll-out */
    bool prompt;                    /* or comes within minutes of its end */
    bool late;                      /* too late to have begun with it by time alone */

    /* The events from the onset on, by the release they carry. */
    double errors_on;      /* this release */
    double errors_older;   /* what it replaced */
    double errors_newer;   /* what replaced it */
    double errors_unknown; /* none */
    double errors_before;  /* before the onset, on this release */

    /* The other issues' events while both ran, from the onset on: who was alive. */
    double usual_on, usual_older;
    size_t hosts_on, hosts_on_failing;       /* distinct hosts seen on it, and that fail on it */
    size_t hosts_older, hosts_older_failing; /* the same of what it replaced */

    size_t hosts_apart; /* healthy ones of them on which this release never failed */

    enum tristate confined;        /* the errors come only from hosts that run it */
    enum tristate others_healthy;  /* hosts on older releases had traffic and no errors */
    enum tristate partial;         /* hosts that run it stay healthy too: it alone is not enough */
    double chance;                 /* that it is confined by chance; 1 unknown */
    enum tristate ended_with_next; /* the errors stopped as a following release, or the old one
                                      again, was rolled out */
    const char *ended_by;          /* that release's version; NULL. Lent by the input */
    enum tristate survived_later;  /* a later release was rolled out and fails just the same */
    const char *put_back;          /* a release of before that was put back and fails as well; NULL.
                                      Lent by the input */
    double errors_put_back;        /* on it since all hosts ran it again */
    char *why;                     /* heap */
};

struct rollout {
    const struct rollout_candidate *verdict; /* the release to look at, into candidates; or NULL */
    enum rollout_strength strength;          /* of the verdict; ROLLOUT_NONE without one */
    struct rollout_candidate *candidates;    /* nearest to the onset first, at most 12 */
    size_t n_candidates, cap_candidates;
    double coincidence;      /* share of the week before the onset that lies within a roll-out */
    enum tristate acquitted; /* YES: the evidence shows that no release began it */
    char *why;               /* one sentence with figures; heap */
};

void rollout_options_default(struct rollout_options *ret);

/* Fills *ret (end it with rollout_clear()); `options` NULL means the defaults. Never fails. */
void rollout_analyse(const struct rollout_input *in, const struct rollout_options *options,
                     struct rollout *ret);
void rollout_clear(struct rollout *r); /* NULL is fine */

const char *rollout_relation_name(enum rollout_relation r);
const char *rollout_strength_name(enum rollout_strength s); /* "none", "weak", ... */

#endif
