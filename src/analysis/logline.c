#include "dbconn/analysis/logline.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/text.h"
#include "logline_names.h"
#include "logline_network.h"
#include "logline_rules.h"

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

/* One line while it is read. */
struct line {
    const struct log_record *record;
    struct log_event *event;
    struct syslog_prefix syslog;
    struct haystack hay;
};

static bool has(const struct line *l, const char *needle)
{
    return haystack_has(&l->hay, needle);
}

static bool word_in(const char *text, size_t len, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= len; i++) {
        if (strncasecmp(text + i, word, n) != 0)
            continue;
        bool before = i == 0 || !isalnum((unsigned char)text[i - 1]);
        bool after = i + n == len || !isalnum((unsigned char)text[i + n]);
        if (before && after)
            return true;
    }
    return false;
}

/* As a program's name: "postgres" is neither "postgres_exporter" nor "postgres-backup", but it is
 * in "orders-postgres-1" and "redis-server". */
static bool program_in(const char *text, const char *word)
{
    size_t n = strlen(word);

    for (const char *s = strcasestr(text, word); s; s = strcasestr(s + 1, word)) {
        bool before = s == text || !(isalnum((unsigned char)s[-1]) || s[-1] == '_');
        bool more =
            isalnum((unsigned char)s[n]) || s[n] == '_' ||
            (s[n] == '-' && isalpha((unsigned char)s[n + 1]) && strncmp(s + n, "-server", 7) != 0);
        if (before && !more)
            return true;
    }
    return false;
}

/* Names under which database servers run and log: programs, units, datasets, containers. */
static const struct {
    const char *name, *engine;
} programs[] = {
    { "postgres", "postgresql" },
    { "postgresql", "postgresql" },
    { "postmaster", "postgresql" },
    { "mysql", "mysql" },
    { "mysqld", "mysql" },
    { "mariadb", "mysql" },
    { "mariadbd", "mysql" },
    { "mssql", "sqlserver" },
    { "sqlservr", "sqlserver" },
    { "sqlserver", "sqlserver" },
    { "mssql-server", "sqlserver" },
    { "mssqlserver", "sqlserver" },
    { "oracle", "oracle" },
    { "mongod", "mongodb" },
    { "mongodb", "mongodb" },
    { "mongo", "mongodb" },
    { "redis", "redis" },
    { "redis-server", "redis" },
    { "valkey", "redis" },
    { "cassandra", "cassandra" },
    { "scylla", "cassandra" },
    { "clickhouse", "clickhouse" },
    { "clickhouse-server", "clickhouse" },
    { "clickhouse-serv", "clickhouse" },
    { "clickhouse_log", "clickhouse" },
    { "elasticsearch", "elasticsearch" },
    { "opensearch", "elasticsearch" },
};

/* "postgresql@15-main.service", "postgresql.log", "postgres-15": the part before the first sign. */
static const char *program_engine(const char *name, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(programs); i++)
        if (strlen(programs[i].name) == len && strncasecmp(name, programs[i].name, len) == 0)
            return programs[i].engine;
    while (n < len && !strchr("@._:", name[n]) &&
           !(name[n] == '-' && n + 1 < len && isdigit((unsigned char)name[n + 1])))
        n++;
    return n > 0 && n < len ? program_engine(name, n) : NULL;
}

static const char *name_engine(const char *name)
{
    return name ? program_engine(name, strlen(name)) : NULL;
}

static const char *identity_engine(const struct log_record *r)
{
    const char *engine = name_engine(r->dataset);

    if (!engine)
        engine = name_engine(r->service);
    return engine ? engine : name_engine(r->container);
}

static bool identity_has(const struct log_record *r, const char *word)
{
    return text_icontains(r->service, word) || text_icontains(r->dataset, word) ||
           text_icontains(r->container, word);
}

/* PostgreSQL writes "LEVEL:  text" with two blanks, after a time and without an exception's name in
 * front: libpq quotes the server's words too. */
static bool is_postgres_format(const struct line *l)
{
    static const char *const levels[] = { "LOG:  ",     "FATAL:  ",  "ERROR:  ",     "PANIC:  ",
                                          "WARNING:  ", "DETAIL:  ", "STATEMENT:  ", "HINT:  ",
                                          "NOTICE:  ",  "CONTEXT:  " };

    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        const char *at = has(l, levels[i]) ? strstr(l->hay.text, levels[i]) : NULL;
        if (!at)
            continue;
        for (const char *s = l->hay.text; s + 5 < at; s++)
            if (strncmp(s, "rror", 4) == 0 || strncmp(s, "xcept", 5) == 0 ||
                strncmp(s, "onnect", 6) == 0 || strncmp(s, "failed", 6) == 0)
                return false;
        return true;
    }
    return false;
}

/* "1:M 18 Aug 2026 10:02:58.114 * ..." */
static bool is_redis_format(const char *s)
{
    size_t n = strspn(s, "0123456789");

    return n > 0 && s[n] == ':' && s[n + 1] && strchr("MSCX", s[n + 1]) && s[n + 2] == ' ' &&
           isdigit((unsigned char)s[n + 3]);
}

static const char *format_engine(const struct line *l)
{
    const char *s = l->hay.text;

    if (is_postgres_format(l))
        return "postgresql";
    if (has(l, "[MY-0") || has(l, "] [Server] ") || has(l, "[Note] InnoDB:"))
        return "mysql";
    if (text_starts(s, "{\"t\":{\"$date\""))
        return "mongodb";
    if (is_redis_format(s))
        return "redis";
    if (has(l, "[o.e.") || has(l, "[o.o."))
        return "elasticsearch";
    if ((has(l, "] {} <") || has(l, "} <")) &&
        (has(l, "<Debug>") || has(l, "<Trace>") || has(l, "<Information>") || has(l, "<Error>") ||
         has(l, "<Fatal>") || has(l, "<Warning>")))
        return "clickhouse";
    /* "2026-08-18 10:02:58.11 spid12s     text" */
    if (isdigit((unsigned char)*s) && strnlen(s, 30) == 30 &&
        (strncmp(s + 22, " spid", 5) == 0 || strncmp(s + 22, " Logon ", 7) == 0 ||
         strncmp(s + 22, " Server ", 8) == 0))
        return "sqlserver";
    return NULL;
}

static void set_kind(struct line *l, enum log_kind kind, const char *engine, bool own)
{
    l->event->kind = kind;
    if (engine)
        l->event->engine = engine;
    l->event->own = own;
}

static void set_machine(struct line *l, const char *name, size_t len)
{
    if (len > 0) {
        l->event->machine = name;
        l->event->machine_len = len;
    }
}

/* ---- a database server about itself ---- */

static bool read_server(struct line *l)
{
    const char *engine = identity_engine(l->record);
    const struct line_rule *r;

    if (!engine)
        engine = format_engine(l);
    if (!engine)
        return false;
    if (identity_has(l->record, "exporter") || identity_has(l->record, "backup"))
        return false;
    r = rule_find(server_rules, &l->hay, engine);
    if (!r)
        r = rule_find(rejection_rules, &l->hay, engine);
    set_kind(l, r ? r->kind : LOG_ORDINARY_WORK_EVENT, engine, true);
    l->event->process = true;
    l->event->recovery_hint = l->event->kind == LOG_SERVER_START_EVENT && has(l, "interrupted");
    return true;
}

/* ---- the kernel and systemd about a process ---- */

/* "(postgres)", "task=postgres,", "postgresql@15-main.service", "PostgreSQL database server" */
static const char *process_engine(const struct line *l, bool *ret_pooler)
{
    static const char *const poolers[] = { "pgbouncer", "haproxy", "proxysql", "pgpool", "envoy" };
    const char *text = l->syslog.text;

    *ret_pooler = false;
    for (size_t i = 0; i < ARRAY_LEN(poolers); i++)
        if (has(l, poolers[i]) && program_in(text, poolers[i]))
            *ret_pooler = true;
    if (*ret_pooler)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(programs); i++)
        if (has(l, programs[i].name) && program_in(text, programs[i].name))
            return programs[i].engine;
    if (has(l, "patroni"))
        return "postgresql";
    return has(l, "SQL Server Database Engine") ? "sqlserver" : NULL;
}

static bool is_down_kind(enum log_kind k)
{
    return k == LOG_SERVER_STOPPED_EVENT || k == LOG_SERVER_CRASH_EVENT ||
           k == LOG_SERVER_OOM_KILLED_EVENT || k == LOG_SERVER_START_FAILED_EVENT ||
           k == LOG_SERVER_SHUTDOWN_EVENT;
}

static bool speaks_for_system(const struct line *l)
{
    static const char *const names[] = { "kernel", "systemd", "systemd-logind", "systemd-shutdown",
                                         "systemd-coredump" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        size_t n = strlen(names[i]);
        if ((l->syslog.program_len == n && strncmp(l->syslog.program, names[i], n) == 0) ||
            text_isame(l->record->service, names[i]))
            return true;
    }
    return has(l, "service entered the") || has(l, "service terminated unexpectedly") ||
           has(l, ".service: ") || has(l, "Out of memory: Kill") || has(l, "Memory cgroup out of");
}

static bool read_system(struct line *l)
{
    const struct line_rule *r;
    const char *engine;
    bool pooler;

    if (!speaks_for_system(l))
        return false;
    r = rule_find(system_rules, &l->hay, NULL);
    if (!r)
        return false;
    engine = process_engine(l, &pooler);
    if (pooler)
        set_kind(l, is_down_kind(r->kind) ? LOG_POOLER_DOWN_EVENT : LOG_POOLER_UP_EVENT, NULL,
                 true);
    else if (engine)
        set_kind(l, r->kind, engine, true);
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
    return has(l, "pod/") || has(l, "EndpointSlice") || has(l, "clusterIP") ||
           has(l, "StatefulSet") || has(l, "replica set") || has(l, "endpoints of ") ||
           has(l, "container ") || has(l, " endpoints") || has(l, "NodeNotReady");
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
            set_machine(l, s, n);
        return;
    }
}

static bool names_database(const char *text, size_t len)
{
    static const char *const words[] = { "db", "database", "pg", "primary" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (word_in(text, len, words[i]))
            return true;
    for (size_t i = 0; i < ARRAY_LEN(programs); i++)
        if (word_in(text, len, programs[i].name))
            return true;
    return false;
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
    set_kind(l, r->kind, engine, false);
    if (r->kind == LOG_SERVICE_ENDPOINTS_EVENT || r->kind == LOG_SERVICE_NO_ENDPOINTS_EVENT ||
        r->kind == LOG_HOST_FAULT_EVENT || r->kind == LOG_DEPLOY_EVENT)
        return true;
    find_pod(l);
    if (pooler) {
        set_kind(l, is_down_kind(r->kind) ? LOG_POOLER_DOWN_EVENT : LOG_POOLER_UP_EVENT, NULL,
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

    if (!has(l, "RDS-EVENT-") && !has(l, "DB instance") && !has(l, "cloudsql") &&
        !has(l, "failover"))
        return false;
    name = strcasestr(l->hay.text, "DB instance ");
    if (has(l, "resolves to") || !(r = rule_find(managed_rules, &l->hay, NULL)))
        return false;
    set_kind(l, r->kind, NULL, true);
    l->event->process = true;
    if (!name)
        return true;
    name += strlen("DB instance ");
    while (isalnum((unsigned char)name[n]) || name[n] == '-')
        n++;
    if (n > 2 && name[n] == ':')
        set_machine(l, name, n);
    return true;
}

static bool read_cluster(struct line *l)
{
    const struct line_rule *r;

    if (!identity_has(l->record, "patroni") && !has(l, "patroni") && !has(l, "no action. I am") &&
        !has(l, "leader") && !has(l, "moting self") && !has(l, "moted self"))
        return false;
    r = rule_find(cluster_rules, &l->hay, NULL);
    if (!r)
        return false;
    set_kind(l, r->kind, r->engine, true);
    l->event->process = true;
    return true;
}

static bool is_pooler(const struct line *l)
{
    return identity_has(l->record, "pgbouncer") || identity_has(l->record, "proxysql") ||
           identity_has(l->record, "pgpool") || identity_has(l->record, "pgcat") ||
           identity_has(l->record, "sql-proxy") || identity_has(l->record, "sql_proxy") ||
           has(l, " C-0x") || has(l, " S-0x");
}

static bool read_pooler(struct line *l)
{
    const struct line_rule *r;
    bool pooler = is_pooler(l);

    if (!pooler && !has(l, "server login") && !has(l, "pgbouncer cannot connect") &&
        !has(l, "failed to connect to instance"))
        return false;
    r = rule_find(pooler_rules, &l->hay, NULL);
    if (!r) {
        if (!pooler)
            return false;
        set_kind(l, LOG_OTHER_EVENT, NULL, true);
        return true;
    }
    set_kind(l, r->kind, r->engine, pooler);
    return true;
}

static bool read_balancer(struct line *l)
{
    const struct line_rule *r;
    bool balancer = identity_has(l->record, "haproxy") || identity_has(l->record, "balancer") ||
                    identity_has(l->record, "envoy") || identity_has(l->record, "nlb") ||
                    identity_has(l->record, "elb");

    if (!balancer && !has(l, "is DOWN") && !has(l, "is UP") && !has(l, "no server available"))
        return false;
    r = rule_find(balancer_rules, &l->hay, NULL);
    if (!r || (!balancer && r->kind == LOG_INVENTORY_EVENT))
        return false;
    set_kind(l, r->kind, NULL, false);
    return true;
}

/* ---- network ---- */

/* Packet filters log SRC= and DST= (netfilter), "Deny tcp src" (Cisco ASA), action=deny. */
static bool is_flow_log(const struct line *l)
{
    return has(l, " REJECT OK") && isdigit((unsigned char)*l->hay.text);
}

static bool read_firewall(struct line *l)
{
    bool packet = (has(l, "SRC=") && has(l, "DST=")) || (has(l, "srcip=") && has(l, "dstip=")) ||
                  has(l, "Deny tcp src");
    bool stopped =
        has(l, "reject") || has(l, "drop") || has(l, "deny") || has(l, "block") || has(l, "denied");

    if (!(packet && stopped) && !is_flow_log(l))
        return false;
    set_kind(l, LOG_NETWORK_FAULT_EVENT, NULL, false);
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
    set_kind(l, r->kind, NULL, r->kind == LOG_MACHINE_REBOOT_EVENT);
    return true;
}

/* ---- who is who ---- */

static bool read_identity(struct line *l)
{
    const struct line_rule *r = rule_find(identity_rules, &l->hay, NULL);

    if (!r)
        return false;
    set_kind(l, r->kind, NULL, false);
    return true;
}

static size_t take_number(const char *s, int *ret)
{
    size_t n = 0;

    for (*ret = 0; n < 6 && isdigit((unsigned char)s[n]); n++)
        *ret = *ret * 10 + (s[n] - '0');
    return isdigit((unsigned char)s[n]) ? 0 : n;
}

/* "100/100", "98 of 100", "98 out of 100" at `s` */
static bool take_ratio(const char *s, int *ret_used, int *ret_limit)
{
    static const char *const signs[] = { "/", " of ", " out of ", " / " };
    size_t n = take_number(s, ret_used);

    for (size_t i = 0; n > 0 && i < ARRAY_LEN(signs); i++) {
        const char *rest = s + n + strlen(signs[i]);
        size_t m;
        if (strncmp(s + n, signs[i], strlen(signs[i])) != 0)
            continue;
        m = take_number(rest, ret_limit);
        return m > 0 && *ret_limit > 0 && rest[m] != '/';
    }
    return false;
}

/* "connections 100/100 in use on pg-1", "pg-1: 98 of 100 connections used" */
static bool read_slots_report(struct line *l)
{
    const char *text = l->hay.text;

    if (!has(l, "connections") && !has(l, "backends"))
        return false;
    for (const char *s = text; *s; s++) {
        int used, limit;
        if (!isdigit((unsigned char)*s) ||
            (s > text && (isalnum((unsigned char)s[-1]) || strchr("./-", s[-1]))) ||
            !take_ratio(s, &used, &limit))
            continue;
        set_kind(l, LOG_SLOTS_REPORT_EVENT, NULL, false);
        l->event->in_use = used;
        l->event->limit = limit;
        return true;
    }
    return false;
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
        if (has(l, signs[i].needle))
            return signs[i].engine;
    return NULL;
}

static bool speaks_of_database(const struct line *l, const char *engine)
{
    return engine || has(l, "database") || has(l, "db=") || has(l, " db ") || has(l, "SQL") ||
           has(l, "jdbc") || has(l, "Hikari") || has(l, "ActiveRecord") || has(l, "query");
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
    set_kind(l, r->kind, r->engine ? r->engine : engine, false);
    return true;
}

/* ---- what the line names ---- */

static size_t name_length(const char *s)
{
    size_t n = 0;

    while (isalnum((unsigned char)s[n]) || (s[n] && strchr("_-$.", s[n])))
        n++;
    while (n > 0 && s[n - 1] == '.')
        n--;
    return n;
}

/* "database=orders", "db=orders", "app@orders LOG:", "on orders using TCP/IP", "db: 'orders'" */
static void find_database(struct line *l)
{
    static const char *const before[] = { "database=",  "dbname=", "db=",        "db: '",
                                          "Database: ", " on ",    "database \"" };
    const char *s;

    for (size_t i = 0; i < ARRAY_LEN(before); i++) {
        size_t n;
        if (strcmp(before[i], " on ") == 0 && !has(l, " using "))
            continue;
        s = has(l, before[i]) ? strcasestr(l->hay.text, before[i]) : NULL;
        n = s ? name_length(s + strlen(before[i])) : 0;
        if (n == 0)
            continue;
        l->event->database = s + strlen(before[i]);
        l->event->database_len = n;
        return;
    }
    s = l->event->own ? strchr(l->hay.text, '@') : NULL;
    if (s && s > l->hay.text && isalnum((unsigned char)s[-1]) && name_length(s + 1) > 0 &&
        !memchr(s + 1, '.', name_length(s + 1))) {
        l->event->database = s + 1;
        l->event->database_len = name_length(s + 1);
    }
}

/* "version account interface source destination sourceport destinationport ..." (Amazon VPC User
 * Guide, "Flow log records") */
static void read_flow(struct log_event *e, const char *end)
{
    size_t i = 0;
    const char *s;

    while (i < e->n_mentions && !e->mentions[i].address)
        i++;
    if (i + 1 >= e->n_mentions || !e->mentions[i + 1].address)
        return;
    e->mentions[i].role = MENTION_CLIENT;
    e->mentions[i + 1].role = MENTION_SERVER;
    s = e->mentions[i + 1].text + e->mentions[i + 1].len;
    for (int blanks = 0; s < end && blanks < 2; s++)
        blanks += *s == ' ';
    e->mentions[i + 1].port = 0;
    take_number(s, &e->mentions[i + 1].port);
}

static void find_mentions(struct line *l)
{
    const char *at = l->syslog.text, *end = l->hay.text + l->hay.len;
    struct log_mention m;

    while (l->event->n_mentions < LOG_MENTIONS_MAX && logline_next_name(&at, end, &m))
        l->event->mentions[l->event->n_mentions++] = m;
    /* Packet filters write the port apart from the address. */
    if (l->event->kind != LOG_NETWORK_FAULT_EVENT)
        return;
    if (is_flow_log(l)) {
        read_flow(l->event, l->hay.text + l->hay.len);
        return;
    }
    at = has(l, "DPT=")       ? strcasestr(l->hay.text, "DPT=") + 4
         : has(l, "dstport=") ? strcasestr(l->hay.text, "dstport=") + 8
                              : NULL;
    for (size_t i = 0; at && i < l->event->n_mentions; i++)
        if (l->event->mentions[i].role == MENTION_SERVER && l->event->mentions[i].port == 0)
            for (const char *s = at; isdigit((unsigned char)*s) && s < at + 5; s++)
                l->event->mentions[i].port = l->event->mentions[i].port * 10 + (*s - '0');
}

static void find_limit(struct line *l)
{
    const char *s = strcasestr(l->hay.text, "max_connections = ");

    if (s && l->event->kind == LOG_SLOTS_EXHAUSTED_EVENT)
        for (s += 18; isdigit((unsigned char)*s) && l->event->limit < 1000000; s++)
            l->event->limit = (l->event->limit < 0 ? 0 : l->event->limit) * 10 + (*s - '0');
}

static void classify(struct line *l)
{
    if (read_system(l) || read_managed(l) || read_kubernetes(l) || read_cluster(l) ||
        read_pooler(l) || read_server(l) || read_balancer(l) || read_network(l) ||
        read_slots_report(l) || read_identity(l))
        return;
    if (!read_client(l) && line_tells_network_trouble(l->hay.text))
        set_kind(l, LOG_NETWORK_FAULT_EVENT, NULL, false);
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
        set_machine(&l, l.syslog.host, l.syslog.host_len);
    find_mentions(&l);
    find_database(&l);
    find_limit(&l);
    if (cut)
        lend_by_record(record->message, cut, ret);
    free(cut);
}
