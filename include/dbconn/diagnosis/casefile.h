/*
 * casefile - everything one investigation has found out, as plain data.
 *
 * The playbook run fills it, the views (terminal, JSON, Slack thread) render it, the queue stores
 * it as JSON. All text in it is redacted and cleaned already (redact.h, text.h), but not escaped
 * for any view. Strings are owned by the casefile; NULL means unknown.
 */
#ifndef DBCONN_DIAGNOSIS_CASEFILE_H
#define DBCONN_DIAGNOSIS_CASEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dbconn/analysis/impact.h" /* enum impact_kind */
#include "dbconn/analysis/trend.h"  /* enum trend_kind */
#include "dbconn/base/clock.h"
#include "dbconn/base/tristate.h"

#define CAUSE_LIST(X)                                                                              \
    X(DEPLOYMENT_CONFIG_CHANGE, "deployment_config_change")                                        \
    X(DEPLOYMENT_REGRESSION, "deployment_regression")                                              \
    X(DATABASE_DOWN, "database_down")                                                              \
    X(DATABASE_RESTART, "database_restart")                                                        \
    X(NETWORK_CONNECTIVITY, "network_connectivity")                                                \
    X(CONNECTION_POOL_EXHAUSTION, "connection_pool_exhaustion")                                    \
    X(REGIONAL_NETWORK, "regional_network")                                                        \
    X(BROADER_DEPLOYMENT_INCIDENT, "broader_deployment_incident")                                  \
    X(INCONCLUSIVE, "inconclusive")                                                                \
    X(NOT_APPLICABLE, "not_applicable")

#define X(name, text) CAUSE_##name,
enum cause { CAUSE_LIST(X) CAUSE_COUNT };
#undef X

enum confidence { CONFIDENCE_LOW, CONFIDENCE_MEDIUM, CONFIDENCE_HIGH };
enum step_status {
    STEP_PENDING, /* not started; never in a finished report */
    STEP_RUNNING, /* likewise */
    STEP_COMPLETE,
    STEP_PARTIAL, /* got part of its data */
    STEP_FAILED,
    STEP_SKIPPED,
};
enum rule_outcome { RULE_UNKNOWN, RULE_SUPPORTS, RULE_CONTRADICTS };

/* The names in the report document ("complete", "gradual_increase", ...), both directions. */
const char *cause_name(enum cause c);
bool cause_parse(const char *name, enum cause *ret);
const char *confidence_name(enum confidence c);
const char *step_status_name(enum step_status s);
const char *rule_outcome_name(enum rule_outcome o);
const char *trend_kind_name(enum trend_kind t);
const char *impact_kind_name(enum impact_kind k);
/* false, *ret untouched, for NULL and for names that are none of theirs. */
bool confidence_from_name(const char *name, enum confidence *ret);
bool step_status_from_name(const char *name, enum step_status *ret);
bool rule_outcome_from_name(const char *name, enum rule_outcome *ret);
bool trend_kind_from_name(const char *name, enum trend_kind *ret);
bool impact_kind_from_name(const char *name, enum impact_kind *ret);

struct finding {
    char *text; /* a sentence */
    char *url;  /* where it comes from, or NULL */
};

struct step_record {
    int number; /* 1..8, the playbook's numbering */
    char *id;   /* "issue_details" */
    char *title;
    enum step_status status;
    int64_t started_ms;  /* wall; TIME_UNKNOWN before it started */
    int64_t duration_ms; /* 0 until it ended */
    char *summary;       /* its outcome, or why it failed or was skipped, in a sentence */
    struct finding *findings;
    size_t n_findings, cap_findings;
};

struct target {
    char *engine; /* "postgresql", ..., "unknown" */
    char *host, *port, *database, *user;
    char *failure; /* "connection_refused", ... */
};

struct failure_count {
    char *failure;
    int64_t count;
};

struct changed_setting {
    char *file;
    int64_t line;                /* in the new file; 0 unknown */
    char *old_value, *new_value; /* the changed line's text, secrets as •••; NULL: added/removed */
};

struct culprit {
    char *release;
    char *commit; /* full SHA, or NULL */
    char *commit_url;
    int64_t pull_number; /* 0: none */
    char *pull_url, *pull_title, *pull_author;
    char **files;
    size_t n_files, cap_files;
    struct changed_setting *changes;
    size_t n_changes, cap_changes;
};

struct rule_result {
    int number; /* 1..6, the playbook's diagnosis rules */
    enum rule_outcome outcome;
    char *why;
};

struct alternative {
    enum cause cause;
    double score; /* 0..1 */
    char *why_not;
};

struct diagnosis {
    bool reached; /* false while the investigation runs */
    enum cause cause;
    enum confidence confidence;
    char *summary;            /* cause and confidence in one sentence */
    struct finding *evidence; /* strongest first */
    size_t n_evidence, cap_evidence;
    struct finding *against; /* what speaks against it */
    size_t n_against, cap_against;
    struct rule_result *rules;
    size_t n_rules, cap_rules;
    struct alternative *alternatives;
    size_t n_alternatives, cap_alternatives;
    char **missing; /* what could not be looked at, a sentence each */
    size_t n_missing, cap_missing;
    struct culprit *culprit; /* NULL: none */
    char **next_actions;     /* the first is the one to do now */
    size_t n_next_actions, cap_next_actions;
};

struct series_marker {
    int64_t at_ms;
    char *label; /* "onset", "release web@1.2.3" */
};

/* Events per interval, for the chart. */
struct series {
    int64_t start_ms, interval_ms;
    double *counts;
    size_t n_counts, cap_counts;
    struct series_marker *markers;
    size_t n_markers, cap_markers;
};

void series_copy(struct series *to, const struct series *from); /* `to` is overwritten */
void series_clear(struct series *s);

struct casefile {
    char *playbook; /* "database-connection-refused" */
    char *playbook_hash;
    int64_t evaluated_ms; /* the "now" of the whole investigation */
    struct {
        char *id, *short_id, *title, *url, *project, *level, *priority;
        int64_t user_count;  /* -1 unknown */
        int64_t event_count; /* -1 unknown */
        int64_t first_seen_ms, last_seen_ms;
        char *error_line; /* what it says: type and value, redacted, one line */
    } issue;
    enum tristate applicable;
    struct target target; /* the main one */
    struct target *targets;
    size_t n_targets, cap_targets;
    struct failure_count *failures;
    size_t n_failures, cap_failures;
    struct {
        enum trend_kind kind;
        int64_t onset_ms; /* TIME_UNKNOWN */
        enum tristate ongoing;
    } trend;
    struct {
        enum impact_kind kind;
        char *tag, *value;
        double share; /* of the events, 0..1; -1 unknown */
    } impact;
    struct series series;
    struct step_record *steps; /* always the playbook's eight, in order */
    size_t n_steps, cap_steps;
    struct diagnosis diagnosis;
};

void casefile_init(struct casefile *c);
void casefile_clear(struct casefile *c);
void finding_add(struct finding **items, size_t *n, size_t *cap, const char *text, const char *url);
void string_add(char ***items, size_t *n, size_t *cap, const char *text);
void target_clear(struct target *t);
void culprit_free(struct culprit *c);

#endif
