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

bool word_same(struct word a, struct word b)
{
    return a.len == b.len && (a.len == 0 || (!text_differs(*a.text, *b.text) &&
                                             strncasecmp(a.text, b.text, a.len) == 0));
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
    struct word word;
    unsigned flags;
    const char *engine; /* only of a WORD_DATABASE; or NULL */
};

static const struct word_row word_rows[] = {
    { WORD("db"), WORD_DATABASE, NULL },
    { WORD("dbs"), WORD_DATABASE, NULL },
    { WORD("database"), WORD_DATABASE, NULL },
    { WORD("databases"), WORD_DATABASE, NULL },
    { WORD("datasource"), WORD_DATABASE, NULL },
    { WORD("datasources"), WORD_DATABASE, NULL },
    { WORD("rdbms"), WORD_DATABASE, NULL },
    { WORD("sql"), WORD_DATABASE, NULL },
    { WORD("jdbc"), WORD_DATABASE, NULL },
    { WORD("r2dbc"), WORD_DATABASE, NULL },
    { WORD("odbc"), WORD_DATABASE, NULL },
    { WORD("rds"), WORD_DATABASE, NULL },
    { WORD("aurora"), WORD_DATABASE, NULL },
    { WORD("cloudsql"), WORD_DATABASE, NULL },
    { WORD("sqlalchemy"), WORD_DATABASE, NULL },
    { WORD("alchemy"), WORD_DATABASE, NULL },
    { WORD("hikari"), WORD_DATABASE, NULL },
    { WORD("hikaricp"), WORD_DATABASE, NULL },
    { WORD("dbcp"), WORD_DATABASE, NULL },
    { WORD("dbcp2"), WORD_DATABASE, NULL },
    { WORD("c3p0"), WORD_DATABASE, NULL },
    { WORD("hibernate"), WORD_DATABASE, NULL },
    { WORD("jpa"), WORD_DATABASE, NULL },
    { WORD("gorm"), WORD_DATABASE, NULL },
    { WORD("knex"), WORD_DATABASE, NULL },
    { WORD("sequelize"), WORD_DATABASE, NULL },
    { WORD("typeorm"), WORD_DATABASE, NULL },
    { WORD("ormconfig"), WORD_DATABASE, NULL },
    { WORD("knexfile"), WORD_DATABASE, NULL },
    { WORD("prisma"), WORD_DATABASE, NULL },
    { WORD("drizzle"), WORD_DATABASE, NULL },
    { WORD("ecto"), WORD_DATABASE, NULL },
    { WORD("doctrine"), WORD_DATABASE, NULL },
    { WORD("activerecord"), WORD_DATABASE, NULL },
    { WORD("sqlx"), WORD_DATABASE, NULL },
    { WORD("cockroach"), WORD_DATABASE, "postgresql" },
    { WORD("cockroachdb"), WORD_DATABASE, "postgresql" },
    { WORD("timescale"), WORD_DATABASE, "postgresql" },
    { WORD("timescaledb"), WORD_DATABASE, "postgresql" },
    { WORD("postgres"), WORD_DATABASE, "postgresql" },
    { WORD("postgresql"), WORD_DATABASE, "postgresql" },
    { WORD("postgis"), WORD_DATABASE, "postgresql" },
    { WORD("pgsql"), WORD_DATABASE, "postgresql" },
    { WORD("psql"), WORD_DATABASE, "postgresql" },
    { WORD("libpq"), WORD_DATABASE, "postgresql" },
    { WORD("pg"), WORD_DATABASE, "postgresql" },
    { WORD("pgx"), WORD_DATABASE, "postgresql" },
    { WORD("pgxpool"), WORD_DATABASE, "postgresql" },
    { WORD("npgsql"), WORD_DATABASE, "postgresql" },
    { WORD("psycopg"), WORD_DATABASE, "postgresql" },
    { WORD("psycopg2"), WORD_DATABASE, "postgresql" },
    { WORD("asyncpg"), WORD_DATABASE, "postgresql" },
    { WORD("patroni"), WORD_DATABASE, "postgresql" },
    { WORD("pgbouncer"), WORD_DATABASE | WORD_POOLER, "postgresql" },
    { WORD("pgpool"), WORD_DATABASE | WORD_POOLER, "postgresql" },
    { WORD("pgcat"), WORD_DATABASE | WORD_POOLER, "postgresql" },
    { WORD("odyssey"), WORD_DATABASE | WORD_POOLER, "postgresql" },
    { WORD("mysql"), WORD_DATABASE, "mysql" },
    { WORD("mysql2"), WORD_DATABASE, "mysql" },
    { WORD("mysqli"), WORD_DATABASE, "mysql" },
    { WORD("mysqld"), WORD_DATABASE, "mysql" },
    { WORD("pymysql"), WORD_DATABASE, "mysql" },
    { WORD("aiomysql"), WORD_DATABASE, "mysql" },
    { WORD("mariadb"), WORD_DATABASE, "mysql" },
    { WORD("percona"), WORD_DATABASE, "mysql" },
    { WORD("galera"), WORD_DATABASE, "mysql" },
    { WORD("vitess"), WORD_DATABASE, "mysql" },
    { WORD("proxysql"), WORD_DATABASE | WORD_POOLER, "mysql" },
    { WORD("sqlserver"), WORD_DATABASE, "sqlserver" },
    { WORD("mssql"), WORD_DATABASE, "sqlserver" },
    { WORD("oracle"), WORD_DATABASE, "oracle" },
    { WORD("oracledb"), WORD_DATABASE, "oracle" },
    { WORD("ojdbc"), WORD_DATABASE, "oracle" },
    { WORD("mongo"), WORD_DATABASE, "mongodb" },
    { WORD("mongodb"), WORD_DATABASE, "mongodb" },
    { WORD("mongoose"), WORD_DATABASE, "mongodb" },
    { WORD("mongoid"), WORD_DATABASE, "mongodb" },
    { WORD("redis"), WORD_DATABASE, "redis" },
    { WORD("valkey"), WORD_DATABASE, "redis" },
    { WORD("elasticache"), WORD_DATABASE, "redis" },
    { WORD("ioredis"), WORD_DATABASE, "redis" },
    { WORD("lettuce"), WORD_DATABASE, "redis" },
    { WORD("jedis"), WORD_DATABASE, "redis" },
    { WORD("redisson"), WORD_DATABASE, "redis" },
    { WORD("cassandra"), WORD_DATABASE, "cassandra" },
    { WORD("scylla"), WORD_DATABASE, "cassandra" },
    { WORD("scylladb"), WORD_DATABASE, "cassandra" },
    { WORD("elasticsearch"), WORD_DATABASE, "elasticsearch" },
    { WORD("opensearch"), WORD_DATABASE, "elasticsearch" },
    { WORD("clickhouse"), WORD_DATABASE, "clickhouse" },
    { WORD("memcache"), WORD_DATABASE, "memcached" },
    { WORD("memcached"), WORD_DATABASE, "memcached" },
    { WORD("dynamodb"), WORD_DATABASE, "dynamodb" },
    { WORD("snowflake"), WORD_DATABASE | WORD_ROLE, "snowflake" },
    { WORD("redshift"), WORD_DATABASE | WORD_ROLE, "redshift" },
    { WORD("bigquery"), WORD_DATABASE | WORD_ROLE, "bigquery" },
    { WORD("neo4j"), WORD_DATABASE, "neo4j" },
    { WORD("influx"), WORD_DATABASE, "influxdb" },
    { WORD("influxdb"), WORD_DATABASE, "influxdb" },
    { WORD("couchdb"), WORD_DATABASE, "couchdb" },
    { WORD("sqlite"), WORD_DATABASE, "sqlite" },
    { WORD("sqlite3"), WORD_DATABASE, "sqlite" },
    { WORD("http"), WORD_OTHER, NULL },
    { WORD("https"), WORD_OTHER, NULL },
    { WORD("smtp"), WORD_OTHER, NULL },
    { WORD("imap"), WORD_OTHER, NULL },
    { WORD("mail"), WORD_OTHER, NULL },
    { WORD("mailer"), WORD_OTHER, NULL },
    { WORD("email"), WORD_OTHER, NULL },
    { WORD("kafka"), WORD_OTHER, NULL },
    { WORD("rabbit"), WORD_OTHER, NULL },
    { WORD("rabbitmq"), WORD_OTHER, NULL },
    { WORD("amqp"), WORD_OTHER, NULL },
    { WORD("nats"), WORD_OTHER, NULL },
    { WORD("pulsar"), WORD_OTHER, NULL },
    { WORD("sqs"), WORD_OTHER, NULL },
    { WORD("sns"), WORD_OTHER, NULL },
    { WORD("s3"), WORD_OTHER, NULL },
    { WORD("minio"), WORD_OTHER, NULL },
    { WORD("bucket"), WORD_OTHER, NULL },
    { WORD("grpc"), WORD_OTHER, NULL },
    { WORD("ingress"), WORD_OTHER, NULL },
    { WORD("statsd"), WORD_OTHER, NULL },
    { WORD("prometheus"), WORD_OTHER, NULL },
    { WORD("sentry"), WORD_OTHER, NULL },
    { WORD("ldap"), WORD_OTHER, NULL },
    { WORD("ftp"), WORD_OTHER, NULL },
    { WORD("sftp"), WORD_OTHER, NULL },
    { WORD("ssh"), WORD_OTHER, NULL },
    { WORD("vault"), WORD_OTHER, NULL },
    { WORD("consul"), WORD_OTHER, NULL },
    { WORD("etcd"), WORD_OTHER, NULL },
    { WORD("zookeeper"), WORD_OTHER, NULL },
    { WORD("cdn"), WORD_OTHER, NULL },
    { WORD("oauth"), WORD_OTHER, NULL },
    { WORD("oidc"), WORD_OTHER, NULL },
    { WORD("saml"), WORD_OTHER, NULL },
    { WORD("jaeger"), WORD_OTHER, NULL },
    { WORD("otel"), WORD_OTHER, NULL },
    { WORD("otlp"), WORD_OTHER, NULL },
    { WORD("zipkin"), WORD_OTHER, NULL },
    { WORD("datadog"), WORD_OTHER, NULL },
    { WORD("kibana"), WORD_OTHER, NULL },
    { WORD("logstash"), WORD_OTHER, NULL },
    { WORD("fluentd"), WORD_OTHER, NULL },
    { WORD("syslog"), WORD_OTHER, NULL },
    { WORD("websocket"), WORD_OTHER, NULL },
    { WORD("webhook"), WORD_OTHER, NULL },
    { WORD("thread"), WORD_OTHER, NULL },
    { WORD("threads"), WORD_OTHER, NULL },
    { WORD("threadpool"), WORD_OTHER, NULL },
    { WORD("executor"), WORD_OTHER, NULL },
    { WORD("node"), WORD_OTHER, NULL },
    { WORD("nodepool"), WORD_OTHER, NULL },
    { WORD("image"), WORD_OTHER, NULL },
    { WORD("images"), WORD_OTHER, NULL },
    { WORD("browser"), WORD_OTHER, NULL },
    { WORD("cognito"), WORD_OTHER, NULL },
    { WORD("identity"), WORD_OTHER, NULL },
    { WORD("buffer"), WORD_OTHER, NULL },
    { WORD("memory"), WORD_OTHER, NULL },
    { WORD("upstream"), WORD_OTHER, NULL },
    { WORD("puppeteer"), WORD_OTHER, NULL },
    { WORD("tomcat"), WORD_OTHER, NULL },
    { WORD("jetty"), WORD_OTHER, NULL },
    { WORD("probe"), WORD_OTHER, NULL },
    { WORD("liveness"), WORD_OTHER, NULL },
    { WORD("readiness"), WORD_OTHER, NULL },
    { WORD("reporting"), WORD_ROLE, NULL },
    { WORD("reports"), WORD_ROLE, NULL },
    { WORD("report"), WORD_ROLE, NULL },
    { WORD("analytics"), WORD_ROLE, NULL },
    { WORD("warehouse"), WORD_ROLE, NULL },
    { WORD("dwh"), WORD_ROLE, NULL },
    { WORD("olap"), WORD_ROLE, NULL },
    { WORD("bi"), WORD_ROLE, NULL },
    { WORD("metabase"), WORD_ROLE, NULL },
    { WORD("audit"), WORD_ROLE, NULL },
    { WORD("archive"), WORD_ROLE, NULL },
    { WORD("backup"), WORD_ROLE, NULL },
    { WORD("backups"), WORD_ROLE, NULL },
    { WORD("replica"), WORD_ROLE, NULL },
    { WORD("readonly"), WORD_ROLE, NULL },
    { WORD("reader"), WORD_ROLE, NULL },
    { WORD("secondary"), WORD_ROLE, NULL },
    { WORD("follower"), WORD_ROLE, NULL },
    { WORD("standby"), WORD_ROLE, NULL },
    { WORD("slave"), WORD_ROLE, NULL },
    { WORD("legacy"), WORD_ROLE, NULL },
    { WORD("shadow"), WORD_ROLE, NULL },
    { WORD("partner"), WORD_ROLE, NULL },
    { WORD("telemetry"), WORD_ROLE, NULL },
    { WORD("eventstore"), WORD_ROLE, NULL },
    { WORD("keycloak"), WORD_ROLE, NULL },
    { WORD("sonarqube"), WORD_ROLE, NULL },
    { WORD("airflow"), WORD_ROLE, NULL },
    { WORD("temporal"), WORD_ROLE, NULL },
    { WORD("cache"), WORD_CACHE, NULL },
    { WORD("caching"), WORD_CACHE, NULL },
    { WORD("session"), WORD_CACHE, NULL },
    { WORD("sessions"), WORD_CACHE, NULL },
    { WORD("queue"), WORD_CACHE, NULL },
    { WORD("broker"), WORD_CACHE, NULL },
    { WORD("celery"), WORD_CACHE, NULL },
    { WORD("sidekiq"), WORD_CACHE, NULL },
    { WORD("cable"), WORD_CACHE, NULL },
    { WORD("search"), WORD_CACHE, NULL },
    { WORD("alert"), WORD_MONITOR, NULL },
    { WORD("alerts"), WORD_MONITOR, NULL },
    { WORD("alerting"), WORD_MONITOR, NULL },
    { WORD("alarm"), WORD_MONITOR, NULL },
    { WORD("alarms"), WORD_MONITOR, NULL },
    { WORD("expr"), WORD_MONITOR, NULL },
    { WORD("promql"), WORD_MONITOR, NULL },
    { WORD("threshold"), WORD_MONITOR, NULL },
    { WORD("thresholds"), WORD_MONITOR, NULL },
    { WORD("dashboard"), WORD_MONITOR, NULL },
    { WORD("dashboards"), WORD_MONITOR, NULL },
    { WORD("panel"), WORD_MONITOR, NULL },
    { WORD("panels"), WORD_MONITOR, NULL },
    { WORD("grafana"), WORD_MONITOR, NULL },
    { WORD("monitoring"), WORD_MONITOR, NULL },
    { WORD("slo"), WORD_MONITOR, NULL },
    { WORD("networkpolicy"), WORD_NETWORK, NULL },
    { WORD("firewall"), WORD_NETWORK, NULL },
    { WORD("acl"), WORD_NETWORK, NULL },
    { WORD("egress"), WORD_NETWORK, NULL },
};

static const struct word_row *find_word(struct word w)
{
    for (size_t i = 0; i < ARRAY_LEN(word_rows); i++)
        if (word_same(w, word_rows[i].word))
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
    struct word word;
    enum environment env;
} environments[] = {
    { WORD("production"), ENV_PRODUCTION },
    { WORD("prod"), ENV_PRODUCTION },
    { WORD("prd"), ENV_PRODUCTION },
    { WORD("live"), ENV_PRODUCTION },
    { WORD("staging"), ENV_STAGING },
    { WORD("stage"), ENV_STAGING },
    { WORD("stg"), ENV_STAGING },
    { WORD("preprod"), ENV_STAGING },
    { WORD("preproduction"), ENV_STAGING },
    { WORD("uat"), ENV_STAGING },
    { WORD("acceptance"), ENV_STAGING },
    { WORD("preview"), ENV_STAGING },
    { WORD("nonprod"), ENV_STAGING },
    { WORD("development"), ENV_DEVELOPMENT },
    { WORD("develop"), ENV_DEVELOPMENT },
    { WORD("dev"), ENV_DEVELOPMENT },
    { WORD("local"), ENV_DEVELOPMENT },
    { WORD("locally"), ENV_DEVELOPMENT },
    { WORD("devcontainer"), ENV_DEVELOPMENT },
    { WORD("sandbox"), ENV_DEVELOPMENT },
    { WORD("test"), ENV_TEST },
    { WORD("tests"), ENV_TEST },
    { WORD("testing"), ENV_TEST },
    { WORD("qa"), ENV_TEST },
    { WORD("ci"), ENV_TEST },
    { WORD("e2e"), ENV_TEST },
    { WORD("demo"), ENV_OTHER },
    { WORD("loadtest"), ENV_OTHER },
    { WORD("perf"), ENV_OTHER },
};

enum environment word_environment(struct word w)
{
    for (size_t i = 0; i < ARRAY_LEN(environments); i++)
        if (word_same(w, environments[i].word))
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
