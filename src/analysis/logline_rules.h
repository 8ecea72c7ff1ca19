/*
 * The wordings of servers, poolers, balancers, kernels and clients, and what each reports.
 *
 * Sources: the message catalogues and source texts of the programs (PostgreSQL postmaster.c,
 * backend_startup.c, pqcomm.c; MySQL errmsg lists; PgBouncer, HAProxy and Patroni sources and
 * documentation; Linux mm/oom_kill.c and netfilter; systemd; Kubernetes event reasons; vendors'
 * documentation of SQL Server, Oracle, MongoDB, Redis, Cassandra, ClickHouse and Elasticsearch).
 */
#ifndef DBCONN_ANALYSIS_LOGLINE_RULES_H
#define DBCONN_ANALYSIS_LOGLINE_RULES_H

#include "dbconn/analysis/logline.h"
#include "haystack.h"

struct line_rule {
    const char *engine; /* NULL: any */
    enum log_kind kind;
    const char *needle;
    const char *also; /* a second needle, or NULL */
};

/* Lists end with a NULL needle. */
extern const struct line_rule server_rules[];        /* said by a database server itself */
extern const struct line_rule server_locale_rules[]; /* the same in other languages */
extern const struct line_rule rejection_rules[];     /* said by a server, or quoted by its client */
extern const struct line_rule managed_rules[];       /* events of managed databases */
extern const struct line_rule cluster_rules[];       /* Patroni and its kin */
extern const struct line_rule pooler_rules[];        /* PgBouncer, ProxySQL, Cloud SQL proxy */
extern const struct line_rule watcher_rules[];       /* Redis Sentinel, orchestrator */
extern const struct line_rule balancer_rules[];      /* HAProxy */
extern const struct line_rule kubernetes_rules[];    /* events */
extern const struct line_rule system_rules[];        /* kernel, systemd */
extern const struct line_rule network_rules[];
extern const struct line_rule identity_rules[];
extern const struct line_rule client_rules[];

/* The first rule that fits, or NULL. With an engine, rules of other engines are passed over. */
const struct line_rule *rule_find(const struct line_rule *rules, const struct haystack *h,
                                  const char *engine);

#endif
