/*
 * logline - what one log line tells about a database, its machine, or the way to it.
 *
 * A line is classified by the mechanism that it reports, from the wordings of the servers, poolers,
 * balancers, kernels, supervisors and clients themselves (the programs' message catalogues; cited
 * in the source). Nothing is copied: mentions are lent by the record's message. Pure; any thread.
 */
#ifndef DBCONN_ANALYSIS_LOGLINE_H
#define DBCONN_ANALYSIS_LOGLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_KIND_LIST(X)                                                                           \
    X(OTHER, "other")                                                                              \
    /* a database server about itself, or its supervisor, kernel, orchestrator about it */         \
    X(SERVER_SHUTDOWN, "server_shutdown") /* asked to stop; still there */                         \
    X(SERVER_STOPPED, "server_stopped")   /* no longer listening */                                \
    X(SERVER_CRASH, "server_crash")       /* signal, panic, assertion */                           \
    X(SERVER_OOM_KILLED, "server_oom_killed")                                                      \
    X(SERVER_DISK_FULL, "server_disk_full")                                                        \
    X(SERVER_START, "server_start")                                                                \
    X(SERVER_RECOVERY, "server_recovery") /* replays its log */                                    \
    X(SERVER_READY, "server_ready")                                                                \
    X(SERVER_START_FAILED, "server_start_failed") /* tried and gave up */                          \
    X(LISTENING, "listening")                     /* on the mentioned address */                   \
    X(BIND_FAILED, "bind_failed")                                                                  \
    X(MACHINE_REBOOT, "machine_reboot")                                                            \
    X(FAILOVER, "failover")                                                                        \
    X(PROMOTION, "promotion")                                                                      \
    X(DEMOTION, "demotion")                                                                        \
    X(SLOTS_EXHAUSTED, "slots_exhausted") /* the server says: no more connections */               \
    X(SLOTS_REPORT, "slots_report")       /* a monitor tells how many are in use */                \
    X(REJECTED_STARTING_UP, "rejected_starting_up")                                                \
    X(AUTH_REJECTED, "auth_rejected")                                                              \
    X(ORDINARY_WORK, "ordinary_work") /* queries, checkpoints: it is alive */                      \
    /* somebody who wanted to connect */                                                           \
    X(CLIENT_REFUSED, "client_refused")                                                            \
    X(CLIENT_TIMEOUT, "client_timeout")                                                            \
    X(CLIENT_RESET, "client_reset")                                                                \
    X(CLIENT_UNREACHABLE, "client_unreachable")                                                    \
    X(CLIENT_DNS, "client_dns")                                                                    \
    X(CLIENT_POOL_EMPTY, "client_pool_empty") /* no free connection in its own pool */             \
    X(CLIENT_OK, "client_ok")                 /* connected, or a query went through */             \
    X(CLIENT_OTHER, "client_other")           /* a database error of another sort */               \
    /* between them */                                                                             \
    X(POOLER_DOWN, "pooler_down")                                                                  \
    X(POOLER_UP, "pooler_up")                                                                      \
    X(POOLER_BACKEND_FAILED, "pooler_backend_failed")                                              \
    X(BALANCER_BACKEND_DOWN, "balancer_backend_down")                                              \
    X(BALANCER_BACKEND_UP, "balancer_backend_up")                                                  \
    X(NETWORK_FAULT, "network_fault") /* link, route, conntrack, mesh, firewall */                 \
    X(NETWORK_RECOVERED, "network_recovered")                                                      \
    X(NETWORK_POLICY_CHANGE, "network_policy_change")                                              \
    X(HOST_FAULT, "host_fault") /* cloud zone, host maintenance, disk, node */                     \
    /* who is who, and what happened around */                                                     \
    X(DNS_ANSWER, "dns_answer")                                                                    \
    X(INVENTORY, "inventory")                                                                      \
    X(SERVICE_ENDPOINTS, "service_endpoints") /* Kubernetes: these pods stand behind it */         \
    X(SERVICE_NO_ENDPOINTS, "service_no_endpoints")                                                \
    X(DEPLOY, "deploy") /* rollout, scaling, migration job */

#define X(name, text) LOG_##name##_EVENT,
enum log_kind { LOG_KIND_LIST(X) LOG_KIND_COUNT };
#undef X

/* A log document, whatever its shape was. Strings are lent; NULL: it did not say. */
struct log_record {
    int64_t time_ms;       /* the document's own time stamp; TIME_UNKNOWN */
    const char *message;   /* one line or several */
    const char *level;     /* "error", "INFO", "FATAL", ... any spelling */
    const char *service;   /* service.name, kubernetes.labels.app, program */
    const char *host;      /* host.name, hostname; the node for a Kubernetes document */
    const char *pod;       /* kubernetes.pod.name */
    const char *container; /* kubernetes.container.name */
    const char *dataset;   /* event.dataset, or the logger's name */
    const char *region, *zone;
    const char *const *ips; /* host.ip, kubernetes.pod.ip: addresses of the machine that logs */
    size_t n_ips;
};

enum mention_role {
    MENTION_PEER,    /* any address or name in the text */
    MENTION_SERVER,  /* what was dialled, what failed, the backend, the machine meant */
    MENTION_CLIENT,  /* who connected, SRC= */
    MENTION_NAME,    /* a name that is being explained: DNS question, Service, balancer backend */
    MENTION_ADDRESS, /* what it was explained as */
};

struct log_mention {
    enum mention_role role;
    const char *text; /* not NUL-terminated: a host name or an IP address, no brackets */
    size_t len;
    int port;     /* 0: none */
    bool address; /* an IP address */
};

#define LOG_MENTIONS_MAX 8

struct log_event {
    enum log_kind kind;
    const char *engine;  /* "postgresql", ... as in the report; NULL: any or unknown. Static */
    bool own;            /* about a server on the machine that logs, or the named one; false: a
                          * complaint about, or news of, somebody else */
    const char *machine; /* that the line is about, when it names another than the record's; lent,
                          * not NUL-terminated: a syslog host, a pod, a DB instance; or NULL */
    size_t machine_len;
    bool process;       /* the subject is a database process by name (kernel, systemd, kubelet) */
    bool recovery_hint; /* with SERVER_START: the last stop was not clean */
    int in_use, limit;  /* SLOTS_REPORT and SLOTS_EXHAUSTED: as told; -1 unknown */
    struct log_mention mentions[LOG_MENTIONS_MAX];
    size_t n_mentions;
    const char *database; /* as told by CLIENT_OK and the like; lent, not NUL-terminated */
    size_t database_len;
};

void logline_read(const struct log_record *record, struct log_event *ret);
const char *log_kind_name(enum log_kind k);

/* The machine a record comes from: the pod where there is one, else the host. NULL: not said. */
const char *log_record_machine(const struct log_record *record);

#endif
