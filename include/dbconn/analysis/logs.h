/*
 * logs - what a pile of log records says about one database: which machine it is, whether that
 * machine's server went down, and who else complains.
 *
 * Attribution decides. A restart counts only for the machine that is tied to the refused target: by
 * its own address, by a DNS, inventory, Service or balancer line, by a client that names both, or
 * by its name. Without a tie the answer is "unknown", and "likely" when a single server of the
 * engine logs at all and nothing contradicts. Pure: the caller gives the times. Any thread.
 */
#ifndef DBCONN_ANALYSIS_LOGS_H
#define DBCONN_ANALYSIS_LOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dbconn/analysis/logline.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/tristate.h"

#define LOGS_CLOCK_SKEW_MS (2 * MINUTE_MS) /* log clocks against Sentry's */
#define LOGS_MAX_OUTAGES 16
#define LOGS_NONE SIZE_MAX /* no such record */

struct log_target {
    const char *engine;           /* NULL or "unknown": not known */
    const char *host;             /* as in the error message; may be an address */
    const char *port, *database;  /* NULL: unknown */
    const char *const *addresses; /* further names and addresses the error messages show for it */
    size_t n_addresses;
    const char *const *services; /* the failing service's names */
    size_t n_services;
};

struct log_burst {
    int64_t start_ms, end_ms;
};

struct log_window {
    int64_t onset_ms;               /* first error of the incident */
    int64_t end_ms;                 /* its last one */
    int64_t now_ms;                 /* when the incident is looked at */
    const struct log_burst *bursts; /* of errors, in order; may be none */
    size_t n_bursts;
};

enum log_tie { TIE_UNKNOWN, TIE_LIKELY, TIE_CERTAIN };

struct log_tally {
    size_t n;
    int64_t first_ms, last_ms; /* TIME_UNKNOWN while n is 0 */
    size_t example;            /* index of a record, LOGS_NONE; the first within the window */
};

/* One outage of the database machine's server, as its log tells it. */
struct log_outage {
    int64_t down_ms;  /* TIME_UNKNOWN: only the start is seen */
    int64_t up_ms;    /* TIME_UNKNOWN: not seen */
    int64_t alive_ms; /* last sign of life before it; TIME_UNKNOWN */
    enum log_kind down_kind;
    size_t down_record, up_record; /* LOGS_NONE */
    bool inside;                   /* overlaps the errors, within the clock skew */
};

/* Clients of the service by region (zone, host) that complain or succeed within the window. */
struct log_place {
    const char *name; /* lent by the records */
    size_t complaints, successes;
    size_t complaint_record, success_record;
};

struct log_findings {
    size_t n_records;
    enum log_tie tie;
    char *machine;     /* name of the database machine; NULL: unknown */
    char *tie_reason;  /* a sentence, also for "unknown" */
    size_t tie_record; /* the record that ties, LOGS_NONE */

    struct log_tally own[LOG_KIND_COUNT];    /* the machine's server, whole time range */
    struct log_tally others[LOG_KIND_COUNT]; /* other database machines */
    struct log_tally rest[LOG_KIND_COUNT];   /* clients, poolers, network */

    struct log_outage outages[LOGS_MAX_OUTAGES]; /* of the machine, in order */
    size_t n_outages;
    size_t bursts_with_restart; /* bursts at which it went down, and came back */
    enum tristate went_down; /* at or before the onset, and not back by then; or during */
    enum tristate came_back; /* of the outage that explains the errors; UNKNOWN without one */
    int64_t down_ms, up_ms;  /* of that outage; TIME_UNKNOWN */
    enum log_kind down_kind; /* LOG_OTHER_EVENT without one */
    size_t down_record, up_record;
    bool start_failed;             /* it tried to come up in vain */
    enum tristate healthy;         /* did it go on with ordinary work while clients failed? */
    enum tristate silent;          /* logged steadily before the onset and nothing at all since */
    struct log_tally work_during;  /* ordinary work of the machine within the errors */
    struct log_tally slots_during; /* "no more connections" of the machine, or told to clients */
    bool other_restart;  /* another database machine restarted near the onset: not the cause */
    char *other_machine; /* its name */
    size_t other_record;

    struct log_tally network_during; /* network faults within the errors (and skew) */
    size_t bursts_with_network;      /* bursts with such a fault near them */
    struct log_tally network_target; /* of those, faults that name the target or its machine */
    size_t policy_record;            /* a firewall or policy change shortly before, LOGS_NONE */
    int64_t policy_ms;
    const char *network_region; /* where the faults are, when all are in one; lent */

    /* No ready pod stood behind the refused Service, and its server is not known to have worked. */
    struct log_tally unserved;

    struct log_tally complaints; /* clients of the target within the window, all sorts */
    struct log_tally successes;
    struct log_place *regions;
    size_t n_regions, cap_regions;
    struct log_place *hosts;
    size_t n_hosts, cap_hosts;
};

/* The caller owns *ret and ends it with log_findings_clear(); records must outlive it. */
void logs_read(const struct log_record *records, size_t n, const struct log_target *target,
               const struct log_window *window, struct log_findings *ret);
void log_findings_clear(struct log_findings *f);

#endif
