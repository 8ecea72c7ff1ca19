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
    int64_t now_ms;
};

/* Every threshold of this module, with its default and reason in rollout_options_default(). */
struct rollout_options {
    int64_t lead_ms;     /* errors may precede the recorded deploy by this (clocks, late records) */
    int64_t began_ms;    /* errors that begin within this after the roll-out began with it */
    int64_t near_ms;     /* within this a release at least coincides; beyond it is older */
    int64_t health_ms;   /* hosts of the old release are watched this long after the onset */
    double min_events;   /* fewer errors on known releases say nothing about confinement */
    double min_confined; /* share of errors on the release from which they are confined to it */
    double min_others;   /* usual events of other hosts that show that they were alive */
    double max_p;        /* chance that confinement came about by itself, at most */
    int64_t ended_ms;    /* errors that end within this of a following release ended with it */
};

struct rollout_candidate {
    size_t release;      /* index into input.releases */
    const char *version; /* lent by the input */
    enum rollout_relation relation;
    enum rollout_strength strength; /* as the origin of the errors */
    int64_t
        live_from_ms;   /* when its first host ran it: deploy start, or what is known; or unknown */
    int64_t live_to_ms; /* when all hosts ran it, as recorded */
    int64_t lead_ms;    /* onset minus live_from_ms: > 0 the release came first; or unknown */
    double errors_on;   /* since the onset, on this release */
    double errors_off;  /* since the onset, on other releases */
    double errors_on_newer; /* of errors_off: on releases that are younger */
    double errors_before;   /* before the onset, on this release */
    double usual_on;        /* the other issues' events on it, from the onset on for health_ms */
    double usual_off;       /* the same on older releases: they were alive */
    size_t hosts_on_failing, hosts_on;   /* distinct hosts that fail on it / that were seen on it */
    size_t hosts_off_failing, hosts_off; /* the same for older releases in the same time */
    enum tristate confined;              /* errors come from hosts that run it only */
    enum tristate others_healthy;        /* hosts on older releases had traffic and no errors */
    double confined_p;             /* chance of that if the release did not matter; 1 unknown */
    enum tristate ended_with_next; /* errors stopped when a following release (or the old one again)
                                      was rolled out */
    const char *ended_by;          /* that release's version; NULL. Lent by the input */
    enum tristate survived_later; /* a later release was rolled out and the errors went on, on it */
    char *why;                    /* heap */
};

struct rollout {
    const struct rollout_candidate *verdict; /* the release to look at, into candidates; or NULL */
    enum rollout_strength strength;          /* of the verdict; ROLLOUT_NONE without one */
    struct rollout_candidate *candidates;    /* nearest to the onset first, at most 12 */
    size_t n_candidates, cap_candidates;
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
