#include "settings_words.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/text.h"

bool word_is(struct word w, const char *text)
{
    if (w.len > 0 && text_differs(*w.text, *text))
        return false;
    return strlen(text) == w.len && strncasecmp(w.text, text, w.len) == 0;
}

bool words_have(const struct words *w, const char *word)
{
    for (size_t i = 0; i < w->n; i++)
        if (word_is(w->items[i], word))
            return true;
    return false;
}

static void add_word(struct words *ret, const char *text, size_t len)
{
    if (len > 0 && ret->n < WORDS_MAX)
        ret->items[ret->n++] = (struct word){ text, len };
}

/* Does a new word begin at s[i]? "dbHost" before H, "DBHost" before H, not "DBs" before s. */
static bool is_hump(const char *s, size_t i, size_t len)
{
    if (i == 0 || !isupper((unsigned char)s[i]))
        return false;
    if (islower((unsigned char)s[i - 1]))
        return true;
    return isupper((unsigned char)s[i - 1]) && i + 2 < len && islower((unsigned char)s[i + 1]) &&
           islower((unsigned char)s[i + 2]);
}

/* Names that people write in one go: "pghost", "dburl", "poolsize". */
static size_t glued_prefix(const char *s, size_t len)
{
    static const char *const first[] = { "pg",    "db",  "mysql",    "redis",    "mongodb",
                                         "mongo", "sql", "database", "postgres", "jdbc",
                                         "pool",  "max", "min" };
    static const char *const second[] = {
        "host", "hostname", "port",        "name",    "user",    "username", "password", "pass",
        "url",  "uri",      "database",    "dsn",     "sslmode", "server",   "pool",     "size",
        "conn", "conns",    "connections", "address", "addr",    "timeout",  "config"
    };

    for (size_t i = 0; i < ARRAY_LEN(first); i++) {
        size_t n = strlen(first[i]);
        if (len <= n || text_differs(*s, *first[i]) || strncasecmp(s, first[i], n) != 0)
            continue;
        for (size_t j = 0; j < ARRAY_LEN(second); j++)
            if (word_is((struct word){ s + n, len - n }, second[j]))
                return n;
    }
    return 0;
}

static void add_split(struct words *ret, const char *text, size_t len)
{
    size_t glued = glued_prefix(text, len);

    if (glued > 0) {
        add_word(ret, text, glued);
        add_word(ret, text + glued, len - glued);
    } else {
        add_word(ret, text, len);
    }
}

void words_add(struct diff_span s, struct words *ret)
{
    size_t start = 0;

    for (size_t i = 0; i <= s.len; i++) {
        bool inside = i < s.len && isalnum((unsigned char)s.text[i]);
        if (inside && !is_hump(s.text, i, s.len))
            continue;
        add_split(ret, s.text + start, i - start);
        start = inside ? i : i + 1;
    }
}

struct word_row {
    const char *word;
    unsigned flags;
    const char *engine;
};

static const struct word_row word_rows[] = {
    { "db", WORD_DATABASE, NULL },
    { "dbs", WORD_DATABASE, NULL },
    { "database", WORD_DATABASE, NULL },
    { "databases", WORD_DATABASE, NULL },
    { "datasource", WORD_DATABASE, NULL },
    { "datasources", WORD_DATABASE, NULL },
    { "rdbms", WORD_DATABASE, NULL },
    { "sql", WORD_DATABASE, NULL },
    { "jdbc", WORD_DATABASE, NULL },
    { "r2dbc", WORD_DATABASE, NULL },
    { "odbc", WORD_DATABASE, NULL },
    { "rds", WORD_DATABASE, NULL },
    { "aurora", WORD_DATABASE, NULL },
    { "cloudsql", WORD_DATABASE, NULL },
    { "sqlalchemy", WORD_DATABASE, NULL },
    { "alchemy", WORD_DATABASE, NULL },
    { "hikari", WORD_DATABASE, NULL },
    { "hikaricp", WORD_DATABASE, NULL },
    { "dbcp", WORD_DATABASE, NULL },
    { "dbcp2", WORD_DATABASE, NULL },
    { "c3p0", WORD_DATABASE, NULL },
    { "hibernate", WORD_DATABASE, NULL },
    { "jpa", WORD_DATABASE, NULL },
    { "gorm", WORD_DATABASE, NULL },
    { "knex", WORD_DATABASE, NULL },
    { "sequelize", WORD_DATABASE, NULL },
    { "typeorm", WORD_DATABASE, NULL },
    { "ormconfig", WORD_DATABASE, NULL },
    { "knexfile", WORD_DATABASE, NULL },
    { "prisma", WORD_DATABASE, NULL },
    { "drizzle", WORD_DATABASE, NULL },
    { "ecto", WORD_DATABASE, NULL },
    { "doctrine", WORD_DATABASE, NULL },
    { "activerecord", WORD_DATABASE, NULL },
    { "sqlx", WORD_DATABASE, NULL },
    { "cockroach", WORD_DATABASE, "postgresql" },
    { "cockroachdb", WORD_DATABASE, "postgresql" },
    { "timescale", WORD_DATABASE, "postgresql" },
    { "timescaledb", WORD_DATABASE, "postgresql" },
    { "postgres", WORD_DATABASE, "postgresql" },
    { "postgresql", WORD_DATABASE, "postgresql" },
    { "postgis", WORD_DATABASE, "postgresql" },
    { "pgsql", WORD_DATABASE, "postgresql" },
    { "psql", WORD_DATABASE, "postgresql" },
    { "libpq", WORD_DATABASE, "postgresql" },
    { "pg", WORD_DATABASE, "postgresql" },
    { "pgx", WORD_DATABASE, "postgresql" },
    { "pgxpool", WORD_DATABASE, "postgresql" },
    { "npgsql", WORD_DATABASE, "postgresql" },
    { "psycopg", WORD_DATABASE, "postgresql" },
    { "psycopg2", WORD_DATABASE, "postgresql" },
    { "asyncpg", WORD_DATABASE, "postgresql" },
    { "patroni", WORD_DATABASE, "postgresql" },
    { "pgbouncer", WORD_DATABASE | WORD_POOLER, "postgresql" },
    { "pgpool", WORD_DATABASE | WORD_POOLER, "postgresql" },
    { "pgcat", WORD_DATABASE | WORD_POOLER, "postgresql" },
    { "odyssey", WORD_DATABASE | WORD_POOLER, "postgresql" },
    { "mysql", WORD_DATABASE, "mysql" },
    { "mysql2", WORD_DATABASE, "mysql" },
    { "mysqli", WORD_DATABASE, "mysql" },
    { "mysqld", WORD_DATABASE, "mysql" },
    { "pymysql", WORD_DATABASE, "mysql" },
    { "aiomysql", WORD_DATABASE, "mysql" },
    { "mariadb", WORD_DATABASE, "mysql" },
    { "percona", WORD_DATABASE, "mysql" },
    { "galera", WORD_DATABASE, "mysql" },
    { "vitess", WORD_DATABASE, "mysql" },
    { "proxysql", WORD_DATABASE | WORD_POOLER, "mysql" },
    { "sqlserver", WORD_DATABASE, "sqlserver" },
    { "mssql", WORD_DATABASE, "sqlserver" },
    { "oracle", WORD_DATABASE, "oracle" },
    { "oracledb", WORD_DATABASE, "oracle" },
    { "ojdbc", WORD_DATABASE, "oracle" },
    { "mongo", WORD_DATABASE, "mongodb" },
    { "mongodb", WORD_DATABASE, "mongodb" },
    { "mongoose", WORD_DATABASE, "mongodb" },
    { "mongoid", WORD_DATABASE, "mongodb" },
    { "redis", WORD_DATABASE, "redis" },
    { "valkey", WORD_DATABASE, "redis" },
    { "elasticache", WORD_DATABASE, "redis" },
    { "ioredis", WORD_DATABASE, "redis" },
    { "lettuce", WORD_DATABASE, "redis" },
    { "jedis", WORD_DATABASE, "redis" },
    { "redisson", WORD_DATABASE, "redis" },
    { "cassandra", WORD_DATABASE, "cassandra" },
    { "scylla", WORD_DATABASE, "cassandra" },
    { "scylladb", WORD_DATABASE, "cassandra" },
    { "elasticsearch", WORD_DATABASE, "elasticsearch" },
    { "opensearch", WORD_DATABASE, "elasticsearch" },
    { "clickhouse", WORD_DATABASE, "clickhouse" },
    { "memcache", WORD_DATABASE, "memcached" },
    { "memcached", WORD_DATABASE, "memcached" },
    { "dynamodb", WORD_DATABASE, "dynamodb" },
    { "snowflake", WORD_DATABASE | WORD_ROLE, "snowflake" },
    { "redshift", WORD_DATABASE | WORD_ROLE, "redshift" },
    { "bigquery", WORD_DATABASE | WORD_ROLE, "bigquery" },
    { "neo4j", WORD_DATABASE, "neo4j" },
    { "influx", WORD_DATABASE, "influxdb" },
    { "influxdb", WORD_DATABASE, "influxdb" },
    { "couchdb", WORD_DATABASE, "couchdb" },
    { "sqlite", WORD_DATABASE, "sqlite" },
    { "sqlite3", WORD_DATABASE, "sqlite" },
    { "http", WORD_OTHER, NULL },
    { "https", WORD_OTHER, NULL },
    { "smtp", WORD_OTHER, NULL },
    { "imap", WORD_OTHER, NULL },
    { "mail", WORD_OTHER, NULL },
    { "mailer", WORD_OTHER, NULL },
    { "email", WORD_OTHER, NULL },
    { "kafka", WORD_OTHER, NULL },
    { "rabbit", WORD_OTHER, NULL },
    { "rabbitmq", WORD_OTHER, NULL },
    { "amqp", WORD_OTHER, NULL },
    { "nats", WORD_OTHER, NULL },
    { "pulsar", WORD_OTHER, NULL },
    { "sqs", WORD_OTHER, NULL },
    { "sns", WORD_OTHER, NULL },
    { "s3", WORD_OTHER, NULL },
    { "minio", WORD_OTHER, NULL },
    { "bucket", WORD_OTHER, NULL },
    { "grpc", WORD_OTHER, NULL },
    { "ingress", WORD_OTHER, NULL },
    { "statsd", WORD_OTHER, NULL },
    { "prometheus", WORD_OTHER, NULL },
    { "sentry", WORD_OTHER, NULL },
    { "ldap", WORD_OTHER, NULL },
    { "ftp", WORD_OTHER, NULL },
    { "sftp", WORD_OTHER, NULL },
    { "ssh", WORD_OTHER, NULL },
    { "vault", WORD_OTHER, NULL },
    { "consul", WORD_OTHER, NULL },
    { "etcd", WORD_OTHER, NULL },
    { "zookeeper", WORD_OTHER, NULL },
    { "cdn", WORD_OTHER, NULL },
    { "oauth", WORD_OTHER, NULL },
    { "oidc", WORD_OTHER, NULL },
    { "saml", WORD_OTHER, NULL },
    { "jaeger", WORD_OTHER, NULL },
    { "otel", WORD_OTHER, NULL },
    { "otlp", WORD_OTHER, NULL },
    { "zipkin", WORD_OTHER, NULL },
    { "datadog", WORD_OTHER, NULL },
    { "kibana", WORD_OTHER, NULL },
    { "logstash", WORD_OTHER, NULL },
    { "fluentd", WORD_OTHER, NULL },
    { "syslog", WORD_OTHER, NULL },
    { "websocket", WORD_OTHER, NULL },
    { "webhook", WORD_OTHER, NULL },
    { "thread", WORD_OTHER, NULL },
    { "threads", WORD_OTHER, NULL },
    { "threadpool", WORD_OTHER, NULL },
    { "executor", WORD_OTHER, NULL },
    { "node", WORD_OTHER, NULL },
    { "nodepool", WORD_OTHER, NULL },
    { "image", WORD_OTHER, NULL },
    { "images", WORD_OTHER, NULL },
    { "browser", WORD_OTHER, NULL },
    { "cognito", WORD_OTHER, NULL },
    { "identity", WORD_OTHER, NULL },
    { "buffer", WORD_OTHER, NULL },
    { "memory", WORD_OTHER, NULL },
    { "upstream", WORD_OTHER, NULL },
    { "puppeteer", WORD_OTHER, NULL },
    { "tomcat", WORD_OTHER, NULL },
    { "jetty", WORD_OTHER, NULL },
    { "probe", WORD_OTHER, NULL },
    { "liveness", WORD_OTHER, NULL },
    { "readiness", WORD_OTHER, NULL },
    { "reporting", WORD_ROLE, NULL },
    { "reports", WORD_ROLE, NULL },
    { "report", WORD_ROLE, NULL },
    { "analytics", WORD_ROLE, NULL },
    { "warehouse", WORD_ROLE, NULL },
    { "dwh", WORD_ROLE, NULL },
    { "olap", WORD_ROLE, NULL },
    { "bi", WORD_ROLE, NULL },
    { "metabase", WORD_ROLE, NULL },
    { "audit", WORD_ROLE, NULL },
    { "archive", WORD_ROLE, NULL },
    { "backup", WORD_ROLE, NULL },
    { "backups", WORD_ROLE, NULL },
    { "replica", WORD_ROLE, NULL },
    { "readonly", WORD_ROLE, NULL },
    { "reader", WORD_ROLE, NULL },
    { "secondary", WORD_ROLE, NULL },
    { "follower", WORD_ROLE, NULL },
    { "standby", WORD_ROLE, NULL },
    { "slave", WORD_ROLE, NULL },
    { "legacy", WORD_ROLE, NULL },
    { "shadow", WORD_ROLE, NULL },
    { "partner", WORD_ROLE, NULL },
    { "telemetry", WORD_ROLE, NULL },
    { "eventstore", WORD_ROLE, NULL },
    { "keycloak", WORD_ROLE, NULL },
    { "sonarqube", WORD_ROLE, NULL },
    { "airflow", WORD_ROLE, NULL },
    { "temporal", WORD_ROLE, NULL },
    { "cache", WORD_CACHE, NULL },
    { "caching", WORD_CACHE, NULL },
    { "session", WORD_CACHE, NULL },
    { "sessions", WORD_CACHE, NULL },
    { "queue", WORD_CACHE, NULL },
    { "broker", WORD_CACHE, NULL },
    { "celery", WORD_CACHE, NULL },
    { "sidekiq", WORD_CACHE, NULL },
    { "cable", WORD_CACHE, NULL },
    { "search", WORD_CACHE, NULL },
    { "alert", WORD_MONITOR, NULL },
    { "alerts", WORD_MONITOR, NULL },
    { "alerting", WORD_MONITOR, NULL },
    { "alarm", WORD_MONITOR, NULL },
    { "alarms", WORD_MONITOR, NULL },
    { "expr", WORD_MONITOR, NULL },
    { "promql", WORD_MONITOR, NULL },
    { "threshold", WORD_MONITOR, NULL },
    { "thresholds", WORD_MONITOR, NULL },
    { "dashboard", WORD_MONITOR, NULL },
    { "dashboards", WORD_MONITOR, NULL },
    { "panel", WORD_MONITOR, NULL },
    { "panels", WORD_MONITOR, NULL },
    { "grafana", WORD_MONITOR, NULL },
    { "monitoring", WORD_MONITOR, NULL },
    { "slo", WORD_MONITOR, NULL },
    { "networkpolicy", WORD_NETWORK, NULL },
    { "firewall", WORD_NETWORK, NULL },
    { "acl", WORD_NETWORK, NULL },
    { "egress", WORD_NETWORK, NULL },
};

bool word_starts_as(struct word w, const char *text)
{
    return w.len > 0 && (*w.text | 0x20) == *text;
}

static const struct word_row *find_word(struct word w)
{
    for (size_t i = 0; i < ARRAY_LEN(word_rows); i++)
        if (word_starts_as(w, word_rows[i].word) && word_is(w, word_rows[i].word))
            return &word_rows[i];
    return NULL;
}

unsigned word_flags(struct word w)
{
    const struct word_row *row = find_word(w);

    return row ? row->flags : 0;
}

unsigned words_flags(const struct words *w)
{
    unsigned flags = 0;

    for (size_t i = 0; i < w->n; i++) {
        flags |= word_flags(w->items[i]);
        if (i + 1 < w->n && word_is(w->items[i], "security") && word_is(w->items[i + 1], "group"))
            flags |= WORD_NETWORK;
        if (i + 1 < w->n && word_is(w->items[i], "network") && word_is(w->items[i + 1], "policy"))
            flags |= WORD_NETWORK;
        if (i + 1 < w->n && word_is(w->items[i], "read") &&
            (word_is(w->items[i + 1], "only") || word_is(w->items[i + 1], "replica")))
            flags |= WORD_ROLE;
    }
    return flags;
}

const char *settings_word_engine(struct word w)
{
    const struct word_row *row = find_word(w);

    return row ? row->engine : NULL;
}

const char *words_engine(const struct words *w)
{
    for (size_t i = w->n; i > 0; i--) {
        const char *engine = settings_word_engine(w->items[i - 1]);
        if (engine)
            return engine;
    }
    return NULL;
}

static const struct {
    const char *word;
    enum environment env;
} environments[] = {
    { "production", ENV_PRODUCTION },
    { "prod", ENV_PRODUCTION },
    { "prd", ENV_PRODUCTION },
    { "live", ENV_PRODUCTION },
    { "staging", ENV_STAGING },
    { "stage", ENV_STAGING },
    { "stg", ENV_STAGING },
    { "preprod", ENV_STAGING },
    { "preproduction", ENV_STAGING },
    { "uat", ENV_STAGING },
    { "acceptance", ENV_STAGING },
    { "preview", ENV_STAGING },
    { "nonprod", ENV_STAGING },
    { "development", ENV_DEVELOPMENT },
    { "develop", ENV_DEVELOPMENT },
    { "dev", ENV_DEVELOPMENT },
    { "local", ENV_DEVELOPMENT },
    { "locally", ENV_DEVELOPMENT },
    { "devcontainer", ENV_DEVELOPMENT },
    { "sandbox", ENV_DEVELOPMENT },
    { "test", ENV_TEST },
    { "tests", ENV_TEST },
    { "testing", ENV_TEST },
    { "qa", ENV_TEST },
    { "ci", ENV_TEST },
    { "e2e", ENV_TEST },
    { "demo", ENV_OTHER },
    { "loadtest", ENV_OTHER },
    { "perf", ENV_OTHER },
};

enum environment word_environment(struct word w)
{
    for (size_t i = 0; i < ARRAY_LEN(environments); i++)
        if (word_is(w, environments[i].word))
            return environments[i].env;
    return ENV_UNKNOWN;
}

enum environment words_environment(const struct words *w)
{
    enum environment env = ENV_UNKNOWN;

    for (size_t i = 0; i < w->n; i++) {
        enum environment here = word_environment(w->items[i]);
        bool pre = i > 0 && (word_is(w->items[i - 1], "pre") || word_is(w->items[i - 1], "non"));
        if (here == ENV_PRODUCTION && pre)
            here = ENV_STAGING;
        if (here != ENV_UNKNOWN)
            env = here;
    }
    return env;
}

const char *environment_name(enum environment e)
{
    switch (e) {
    case ENV_PRODUCTION:
        return "production";
    case ENV_STAGING:
        return "staging";
    case ENV_DEVELOPMENT:
        return "development";
    case ENV_TEST:
        return "test";
    case ENV_OTHER:
        return "another environment";
    case ENV_UNKNOWN:
        break;
    }
    return "unknown";
}
