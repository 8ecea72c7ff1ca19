#include "dbconn/analysis/logline.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/text.h"
#include "logline_line.h"
#include "logline_network.h"

#define TEXT_MAX 16384 /* bytes of a message that are read: a stack trace's causes come late */

static const char *const kind_names[] = {
#define X(name, text) [LOG_##name##_EVENT] = (text),
    LOG_KIND_LIST(X)
#undef X
};

const char *log_kind_name(enum log_kind k)
{
    return kind_names[k];
}

const char *log_record_machine(const struct log_record *record)
{
    return record->pod && *record->pod ? record->pod : record->host;
}

/* ---- a database server about itself ---- */

/* The kernel or systemd wrote it, also where a shipper files it under a server's name. */
static bool is_of_system(const struct line *l)
{
    static const char *const names[] = { "kernel", "systemd", "systemd-logind", "systemd-shutdown",
                                         "systemd-coredump" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        size_t n = strlen(names[i]);
        if ((l->syslog.program_len == n && strncmp(l->syslog.program, names[i], n) == 0) ||
            text_isame(l->record->service, names[i]))
            return true;
    }
    return false;
}

static bool read_server(struct line *l)
{
    const char *engine = identity_engine(l->record);
    const struct line_rule *r;

    if (is_of_system(l))
        return false;

    if (!engine)
        engine = format_engine(l);
    if (!engine)
        return false;
    if (identity_has(l->record, "exporter") || identity_has(l->record, "backup"))
        return false;
    r = rule_find(server_rules, &l->hay, engine);
    if (!r)
        r = rule_find(rejection_rules, &l->hay, engine);
    if (!r)
        r = rule_find(server_locale_rules, &l->hay, engine);
    line_set(l, r ? r->kind : LOG_ORDINARY_WORK_EVENT, engine, true);
    l->event->process = true;
    l->event->recovery_hint =
        l->event->kind == LOG_SERVER_START_EVENT && line_has(l, "interrupted");
    return true;
}

/* ---- the kernel and systemd about a process ---- */

/* "(postgres)", "task=postgres,", "postgresql@15-main.service", "PostgreSQL database server" */
static const char *process_engine(const struct line *l, bool *ret_pooler)
{
    static const char *const poolers[] = { "pgbouncer", "haproxy", "proxysql", "pgpool", "envoy" };
    const char *text = l->syslog.text, *engine;

    *ret_pooler = false;
    for (size_t i = 0; i < ARRAY_LEN(poolers); i++)
        if (line_has(l, poolers[i]) && program_in(text, poolers[i]))
            *ret_pooler = true;
    if (*ret_pooler)
        return NULL;
    engine = line_program_engine(l);
    if (engine)
        return engine;
    if (line_has(l, "patroni"))
        return "postgresql";
    return line_has(l, "SQL Server Database Engine") ? "sqlserver" : NULL;
}

static bool is_down_kind(enum log_kind k)
{
    return k == LOG_SERVER_STOPPED_EVENT || k == LOG_SERVER_CRASH_EVENT ||
           k == LOG_SERVER_OOM_KILLED_EVENT || k == LOG_SERVER_START_FAILED_EVENT ||
           k == LOG_SERVER_SHUTDOWN_EVENT;
}

static bool speaks_for_system(const struct line *l)
{
    return is_of_system(l) || line_has(l, "service entered the") ||
           line_has(l, "service terminated unexpectedly") || line_has(l, ".service: ") ||
           line_has(l, "Out of memory: Kill") || line_has(l, "Memory cgroup out of");
}

static bool read_system(struct line *l)
{
    const struct line_rule *r;
    const char *engine;
    bool pooler;

    /* A pod's event quotes the kernel; whose process it was, the event itself says. */
    if (!speaks_for_system(l) || (!is_of_system(l) && line_has(l, "pod/")))
        return false;
    r = rule_find(system_rules, &l->hay, NULL);
    if (!r)
        return false;
    engine = process_engine(l, &pooler);
    if (pooler)
        line_set(l, is_down_kind(r->kind) ? LOG_POOLER_DOWN_EVENT : LOG_POOLER_UP_EVENT, NULL,
                 true);
    else if (engine)
        line_set(l, r->kind, engine, true);
    else
        return false;
    l->event->process = engine != NULL;
    return true;
}

/* ---- Kubernetes ---- */

static bool speaks_for_kubernetes(const struct line *l)
{
    static const char *const names[] = { "kube",   "k8s",        "eventrouter", "event-exporter",
                                         "docker", "containerd", "ecs" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (identity_has(l->record, names[i]))
            return true;
    return line_has(l, "pod/") || line_has(l, "EndpointSlice") || line_has(l, "clusterIP") ||
           line_has(l, "StatefulSet") || line_has(l, "replica set") ||
           line_has(l, "endpoints of ") || line_has(l, "container ") || line_has(l, " endpoints") ||
           line_has(l, "NodeNotReady");
}

/* The pod after "pod/", "Pod ", "in pod " or "for ". */
static void find_pod(struct line *l)
{
    static const char *const before[] = {
        "pod/",          "in pod ", "delete Pod ",      "create Pod ",
        "Deleted pod: ", "pod ",    "probe failed for "
    };

    for (size_t i = 0; i < ARRAY_LEN(before); i++) {
        const char *s = strcasestr(l->hay.text, before[i]), *slash;
        size_t n = 0;
        if (!s)
            continue;
        s += strlen(before[i]);
        while (isalnum((unsigned char)s[n]) || (s[n] && strchr("-./", s[n])))
            n++;
        while (n > 0 && strchr(".", s[n - 1]))
            n--;
        slash = memchr(s, '/', n); /* NAMESPACE/POD */
        if (slash) {
            n -= (size_t)(slash + 1 - s);
            s = slash + 1;
        }
        if (n > 2)
            line_set_machine(l, s, n);
        return;
    }
}

static bool names_database(const char *text, size_t len)
{
    static const char *const words[] = { "db", "database", "pg", "primary" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (word_in(text, len, words[i]))
            return true;
    return names_database_program(text, len);
}

static bool read_kubernetes(struct line *l)
{
    const struct line_rule *r;
    const char *engine;
    bool pooler;

    if (!speaks_for_kubernetes(l))
        return false;
    r = rule_find(kubernetes_rules, &l->hay, NULL);
    if (!r)
        return false;
    engine = process_engine(l, &pooler);
    line_set(l, r->kind, engine, false);
    if (r->kind == LOG_SERVICE_ENDPOINTS_EVENT || r->kind == LOG_SERVICE_NO_ENDPOINTS_EVENT ||
        r->kind == LOG_HOST_FAULT_EVENT || r->kind == LOG_DEPLOY_EVENT)
        return true;
    find_pod(l);
    if (pooler) {
        line_set(l, is_down_kind(r->kind) ? LOG_POOLER_DOWN_EVENT : LOG_POOLER_UP_EVENT, NULL,
                 true);
        return true;
    }
    l->event->own = true;
    l->event->process =
        engine != NULL ||
        (l->event->machine && names_database(l->event->machine, l->event->machine_len));
    return true;
}

/* ---- managed databases, clusters, poolers, balancers ---- */

static bool read_managed(struct line *l)
{
    const struct line_rule *r;
    const char *name;
    size_t n = 0;

    if (!line_has(l, "RDS-EVENT-") && !line_has(l, "DB instance") && !line_has(l, "cloudsql") &&
        !line_has(l, "failover") && !line_has(l, "maintenance") && !line_has(l, "now available"))
        return false;
    name = strcasestr(l->hay.text, "DB instance ");
    if (line_has(l, "resolves to") || !(r = rule_find(managed_rules, &l->hay, NULL)))
        return false;
    line_set(l, r->kind, NULL, true);
    l->event->process = true;
    if (!name)
        return true;
    name += strlen("DB instance ");
    while (isalnum((unsigned char)name[n]) || name[n] == '-')
        n++;
    if (n > 2 && name[n] == ':')
        line_set_machine(l, name, n);
    return true;
}

static bool read_cluster(struct line *l)
{
    const struct line_rule *r;

    if (!identity_has(l->record, "patroni") && !line_has(l, "patroni") &&
        !identity_has(l->record, "repmgr") && !line_has(l, "no action. I am") &&
        !line_has(l, "leader") && !line_has(l, "moting self") && !line_has(l, "moted self"))
        return false;
    r = rule_find(cluster_rules, &l->hay, NULL);
    if (!r)
        return false;
    line_set(l, r->kind, r->engine, true);
    l->event->process = true;
    return true;
}

/* Redis Sentinel watches the servers and is none: role X in the log's prefix, or its events' names
 * (redis.io, "High availability with Redis Sentinel"); so does orchestrator with MySQL's. */
static bool read_watcher(struct line *l)
{
    const struct line_rule *r;
    const char *s = l->hay.text;
    size_t n = strspn(s, "0123456789");
    bool watcher = identity_has(l->record, "sentinel") || (n > 0 && s[n] == ':' && s[n + 1] == 'X');

    if (!watcher && !line_has(l, "+switch-master ") && !line_has(l, "down master ") &&
        !line_has(l, "DeadMaster"))
        return false;
    r = rule_find(watcher_rules, &l->hay, NULL);
    if (!r && !watcher)
        return false;
    line_set(l, r ? r->kind : LOG_OTHER_EVENT, r ? r->engine : "redis", false);
    return true;
}

static bool is_pooler(const struct line *l)
{
    return identity_has(l->record, "pgbouncer") || identity_has(l->record, "proxysql") ||
           identity_has(l->record, "pgpool") || identity_has(l->record, "pgcat") ||
           identity_has(l->record, "sql-proxy") || identity_has(l->record, "sql_proxy") ||
           line_has(l, " C-0x") || line_has(l, " S-0x");
}

static bool read_pooler(struct line *l)
{
    const struct line_rule *r;
    bool pooler = is_pooler(l);

    if (!pooler && !line_has(l, "server login") && !line_has(l, "pgbouncer cannot connect") &&
        !line_has(l, "failed to connect to instance"))
        return false;
    r = rule_find(pooler_rules, &l->hay, NULL);
    if (!r) {
        if (!pooler)
            return false;
        line_set(l, LOG_OTHER_EVENT, NULL, true);
        return true;
    }
    line_set(l, r->kind, r->engine, pooler);
    return true;
}

static bool read_balancer(struct line *l)
{
    const struct line_rule *r;
    bool balancer = identity_has(l->record, "haproxy") || identity_has(l->record, "balancer") ||
                    identity_has(l->record, "envoy") || identity_has(l->record, "nlb") ||
                    identity_has(l->record, "elb");

    if (!balancer && !line_has(l, "is DOWN") && !line_has(l, "is UP") &&
        !line_has(l, "no server available"))
        return false;
    r = rule_find(balancer_rules, &l->hay, NULL);
    if (!r || (!balancer && r->kind == LOG_INVENTORY_EVENT))
        return false;
    line_set(l, r->kind, NULL, false);
    return true;
}

/* ---- network ---- */

static bool is_of_network_program(const struct line *l)
{
    return line_is_of_network_program(l->record, l->syslog.program, l->syslog.program_len);
}

/* Trouble in words that no rule knows: anybody's that names a thing of the network, and whatever
 * fails in a program or driver of the network. */
static bool tells_network_trouble(const struct line *l)
{
    return line_tells_network_trouble(&l->hay) ||
           (is_of_network_program(l) && line_tells_program_failure(&l->hay)) ||
           (is_of_system(l) && line_tells_driver_trouble(&l->hay));
}

/* Packet filters log SRC= and DST= (netfilter), "Deny tcp src" (Cisco ASA), action=deny. */
static bool read_firewall(struct line *l)
{
    bool packet = (line_has(l, "SRC=") && line_has(l, "DST=")) ||
                  (line_has(l, "srcip=") && line_has(l, "dstip=")) || line_has(l, "Deny tcp src");
    bool stopped = line_has(l, "reject") || line_has(l, "drop") || line_has(l, "deny") ||
                   line_has(l, "block") || line_has(l, "denied");

    /* "xx drop (Policy denied) flow ... 10.0.0.4:41000 -> 10.0.1.8:5432", Hubble's "-> ... DROPPED"
     */
    bool flow = line_has(l, "->") && is_of_network_program(l);

    if (!((packet || flow) && stopped) && !line_is_flow_log(l))
        return false;
    line_set(l, LOG_NETWORK_FAULT_EVENT, NULL, false);
    return true;
}

static bool read_network(struct line *l)
{
    const struct line_rule *r;

    if (read_firewall(l))
        return true;
    r = rule_find(network_rules, &l->hay, NULL);
    if (!r)
        return false;
    line_set(l, r->kind, NULL, r->kind == LOG_MACHINE_REBOOT_EVENT);
    return true;
}

/* ---- who is who ---- */

static bool read_identity(struct line *l)
{
    const struct line_rule *r = rule_find(identity_rules, &l->hay, NULL);

    if (!r)
        return false;
    line_set(l, r->kind, NULL, false);
    return true;
}

/* ---- clients ---- */

/* The engine whose driver or port a client's line shows. */
static const char *client_engine(const struct line *l)
{
    static const struct {
        const char *needle, *engine;
    } signs[] = {
        { "psycopg", "postgresql" },
        { "PG::", "postgresql" },
        { "npgsql", "postgresql" },
        { "pgx", "postgresql" },
        { "pq:", "postgresql" },
        { "*pq.", "postgresql" },
        { "postgres", "postgresql" },
        { "pg_hba", "postgresql" },
        { "postmaster", "postgresql" },
        { "pgbouncer", "postgresql" },
        { "connection to server at", "postgresql" },
        { "asyncpg", "postgresql" },
        { "mysql", "mysql" },
        { "mariadb", "mysql" },
        { "SQLServer", "sqlserver" },
        { "SqlClient", "sqlserver" },
        { "SqlException", "sqlserver" },
        { "ORA-", "oracle" },
        { "TNS:", "oracle" },
        { "oracle", "oracle" },
        { "mongo", "mongodb" },
        { "redis", "redis" },
        { "lettuce", "redis" },
        { "jedis", "redis" },
        { "clickhouse", "clickhouse" },
        { "cassandra", "cassandra" },
        { "datastax", "cassandra" },
        { "elasticsearch", "elasticsearch" },
        { ":5432", "postgresql" },
        { "port 5432", "postgresql" },
        { ":6432", "postgresql" },
        { ":3306", "mysql" },
        { "[2002]", "mysql" },
        { "(2003,", "mysql" },
        { "(1040,", "mysql" },
        { "(2013,", "mysql" },
        { ":1433", "sqlserver" },
        { ":1521", "oracle" },
        { ":27017", "mongodb" },
        { ":6379", "redis" },
        { ":9042", "cassandra" },
    };

    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (line_has(l, signs[i].needle))
            return signs[i].engine;
    return NULL;
}

static bool speaks_of_database(const struct line *l, const char *engine)
{
    return engine || line_has(l, "database") || line_has(l, "db=") || line_has(l, " db ") ||
           line_has(l, "SQL") || line_has(l, "jdbc") || line_has(l, "Hikari") ||
           line_has(l, "ActiveRecord") || line_has(l, "query");
}

static bool read_client(struct line *l)
{
    const char *engine = client_engine(l);
    const struct line_rule *r = rule_find(rejection_rules, &l->hay, NULL);

    if (!r)
        r = rule_find(client_rules, &l->hay, NULL);
    if (!r)
        return false;
    if (r->kind == LOG_CLIENT_OK_EVENT && !speaks_of_database(l, engine))
        return false;
    line_set(l, r->kind, r->engine ? r->engine : engine, false);
    return true;
}

static void classify(struct line *l)
{
    if (read_system(l) || read_managed(l) || read_kubernetes(l) || read_cluster(l) ||
        read_watcher(l) || read_pooler(l) || read_server(l) || read_balancer(l) ||
        read_network(l) || line_read_slots_report(l) || read_identity(l))
        return;
    if (!read_client(l) && tells_network_trouble(l))
        line_set(l, LOG_NETWORK_FAULT_EVENT, NULL, false);
}

/* A message that was cut for reading: what was found is lent by the record all the same. */
static void lend_by_record(const char *message, const char *cut, struct log_event *e)
{
    for (size_t i = 0; i < e->n_mentions; i++)
        e->mentions[i].text = message + (e->mentions[i].text - cut);
    if (e->machine)
        e->machine = message + (e->machine - cut);
    if (e->database)
        e->database = message + (e->database - cut);
}

void logline_read(const struct log_record *record, struct log_event *ret)
{
    struct line l = { .record = record, .event = ret };
    char *cut = NULL;
    const char *text = record->message ? record->message : "";

    memset(ret, 0, sizeof(*ret));
    ret->in_use = ret->limit = -1;
    if (strnlen(text, TEXT_MAX) == TEXT_MAX)
        text = cut = xstrndup(text, TEXT_MAX);
    haystack_init(&l.hay, text);
    syslog_prefix_read(text, &l.syslog);
    classify(&l);
    if (l.syslog.host_len > 0 && !ret->machine)
        line_set_machine(&l, l.syslog.host, l.syslog.host_len);
    line_read_told(&l);
    if (cut)
        lend_by_record(record->message, cut, ret);
    free(cut);
}
