#include "dbconn/analysis/engine.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/text.h"

struct engine_word {
    const char *word;
    enum engine engine;
};

const char *engine_name(enum engine e)
{
#define X(name, text) [ENGINE_##name] = text,
    static const char *const names[] = { ENGINE_LIST(X) };
#undef X
    return names[e];
}

const char *engine_title(enum engine e)
{
    static const char *const titles[] = {
        [ENGINE_UNKNOWN] = "database",      [ENGINE_POSTGRESQL] = "PostgreSQL",
        [ENGINE_MYSQL] = "MySQL",           [ENGINE_MARIADB] = "MariaDB",
        [ENGINE_SQLSERVER] = "SQL Server",  [ENGINE_ORACLE] = "Oracle",
        [ENGINE_MONGODB] = "MongoDB",       [ENGINE_REDIS] = "Redis",
        [ENGINE_CASSANDRA] = "Cassandra",   [ENGINE_ELASTICSEARCH] = "Elasticsearch",
        [ENGINE_CLICKHOUSE] = "ClickHouse",
    };
    return titles[e];
}

/* Schemes of connection URLs, Sequelize's and Laravel's dialect names, OpenTelemetry's db.system
 * values. Servers that speak another engine's protocol count as that engine: it is what the
 * driver and the port say. */
static const struct engine_word other_names[] = {
    { "postgres", ENGINE_POSTGRESQL },
    { "psql", ENGINE_POSTGRESQL },
    { "pgsql", ENGINE_POSTGRESQL },
    { "pg", ENGINE_POSTGRESQL },
    { "postgis", ENGINE_POSTGRESQL },
    { "pgbouncer", ENGINE_POSTGRESQL },
    { "cockroach", ENGINE_POSTGRESQL },
    { "cockroachdb", ENGINE_POSTGRESQL },
    { "crdb", ENGINE_POSTGRESQL },
    { "redshift", ENGINE_POSTGRESQL },
    { "timescale", ENGINE_POSTGRESQL },
    { "timescaledb", ENGINE_POSTGRESQL },
    { "yugabytedb", ENGINE_POSTGRESQL },
    { "asyncpg", ENGINE_POSTGRESQL },
    { "mysql2", ENGINE_MYSQL },
    { "mysqli", ENGINE_MYSQL },
    { "mysqlx", ENGINE_MYSQL },
    { "tidb", ENGINE_MYSQL },
    { "mssql", ENGINE_SQLSERVER },
    { "microsoft.sql_server", ENGINE_SQLSERVER },
    { "jtds", ENGINE_SQLSERVER },
    { "sqlsrv", ENGINE_SQLSERVER },
    { "dblib", ENGINE_SQLSERVER },
    { "tds", ENGINE_SQLSERVER },
    { "oci", ENGINE_ORACLE },
    { "oci8", ENGINE_ORACLE },
    { "oracle.db", ENGINE_ORACLE },
    { "oracledb", ENGINE_ORACLE },
    { "mongo", ENGINE_MONGODB },
    { "documentdb", ENGINE_MONGODB },
    { "rediss", ENGINE_REDIS },
    { "valkey", ENGINE_REDIS },
    { "valkeys", ENGINE_REDIS },
    { "keydb", ENGINE_REDIS },
    { "sentinel", ENGINE_REDIS },
    { "scylla", ENGINE_CASSANDRA },
    { "scylladb", ENGINE_CASSANDRA },
    { "cql", ENGINE_CASSANDRA },
    { "es", ENGINE_ELASTICSEARCH },
    { "elastic", ENGINE_ELASTICSEARCH },
    { "opensearch", ENGINE_ELASTICSEARCH },
    { "ch", ENGINE_CLICKHOUSE },
    { "clickhouses", ENGINE_CLICKHOUSE },
    { "clickhousedb", ENGINE_CLICKHOUSE },
};

static bool name_is(const char *s, size_t len, enum engine *ret)
{
    for (int e = ENGINE_UNKNOWN + 1; e < ENGINE_COUNT; e++) {
        const char *name = engine_name((enum engine)e);
        if (strlen(name) == len && strncasecmp(name, s, len) == 0) {
            *ret = (enum engine)e;
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(other_names); i++) {
        if (strlen(other_names[i].word) == len && strncasecmp(other_names[i].word, s, len) == 0) {
            *ret = other_names[i].engine;
            return true;
        }
    }
    return false;
}

bool engine_parse(const char *name, enum engine *ret)
{
    if (!name)
        return false;
    if (strcasecmp(name, engine_name(ENGINE_UNKNOWN)) == 0) {
        *ret = ENGINE_UNKNOWN;
        return true;
    }
    return name_is(name, strlen(name), ret);
}

enum engine engine_of_scheme(const char *scheme)
{
    enum engine e = ENGINE_UNKNOWN;

    /* "jdbc:p6spy:mysql", "r2dbc:pool:postgresql", "postgresql+psycopg2", "mongodb+srv" */
    for (const char *p = scheme; p && *p;) {
        size_t len = strcspn(p, ":+");
        if (name_is(p, len, &e))
            return e;
        p += len + (p[len] != '\0');
    }
    return ENGINE_UNKNOWN;
}

enum engine engine_of_port(const char *port)
{
    /* IANA's registrations and the servers' documented defaults. 9000 (ClickHouse's native port)
     * is left out: half of the world listens there. */
    static const struct engine_word ports[] = {
        { "5432", ENGINE_POSTGRESQL },    { "6432", ENGINE_POSTGRESQL }, /* PgBouncer */
        { "5439", ENGINE_POSTGRESQL },                                   /* Redshift */
        { "26257", ENGINE_POSTGRESQL },                                  /* CockroachDB */
        { "3306", ENGINE_MYSQL },         { "33060", ENGINE_MYSQL },
        { "1433", ENGINE_SQLSERVER },     { "1521", ENGINE_ORACLE },
        { "2484", ENGINE_ORACLE },        { "27017", ENGINE_MONGODB },
        { "27018", ENGINE_MONGODB },      { "27019", ENGINE_MONGODB },
        { "6379", ENGINE_REDIS },         { "26379", ENGINE_REDIS }, /* Sentinel */
        { "9042", ENGINE_CASSANDRA },     { "9142", ENGINE_CASSANDRA },
        { "9160", ENGINE_CASSANDRA },     { "9200", ENGINE_ELASTICSEARCH },
        { "9300", ENGINE_ELASTICSEARCH }, { "8123", ENGINE_CLICKHOUSE },
        { "9440", ENGINE_CLICKHOUSE },
    };
    for (size_t i = 0; port && i < ARRAY_LEN(ports); i++)
        if (strcmp(ports[i].word, port) == 0)
            return ports[i].engine;
    return ENGINE_UNKNOWN;
}

/* Words that are a database layer by themselves. "x*": every word that begins so. */
static const struct engine_word layer_words[] = {
    { "postgres*", ENGINE_POSTGRESQL },
    { "psycopg*", ENGINE_POSTGRESQL },
    { "npgsql*", ENGINE_POSTGRESQL },
    { "asyncpg", ENGINE_POSTGRESQL },
    { "aiopg", ENGINE_POSTGRESQL },
    { "pg8000", ENGINE_POSTGRESQL },
    { "pgx*", ENGINE_POSTGRESQL },
    { "pgconn", ENGINE_POSTGRESQL },
    { "pgjdbc", ENGINE_POSTGRESQL },
    { "pgsql", ENGINE_POSTGRESQL },
    { "pgbouncer", ENGINE_POSTGRESQL },
    { "postgrex", ENGINE_POSTGRESQL },
    { "libpq", ENGINE_POSTGRESQL },
    { "pg", ENGINE_POSTGRESQL },
    { "pq", ENGINE_POSTGRESQL },
    { "cockroach*", ENGINE_POSTGRESQL },
    { "mysql*", ENGINE_MYSQL },
    { "pymysql", ENGINE_MYSQL },
    { "aiomysql", ENGINE_MYSQL },
    { "asyncmy", ENGINE_MYSQL },
    { "myxql", ENGINE_MYSQL },
    { "mariadb*", ENGINE_MARIADB },
    { "sqlserver*", ENGINE_SQLSERVER },
    { "mssql*", ENGINE_SQLSERVER },
    { "pymssql", ENGINE_SQLSERVER },
    { "tedious", ENGINE_SQLSERVER },
    { "sqlsrv", ENGINE_SQLSERVER },
    { "tiberius", ENGINE_SQLSERVER },
    { "jtds", ENGINE_SQLSERVER },
    { "tinytds", ENGINE_SQLSERVER },
    { "oracle*", ENGINE_ORACLE },
    { "ojdbc*", ENGINE_ORACLE },
    { "godror", ENGINE_ORACLE },
    { "oci8", ENGINE_ORACLE },
    { "mongo*", ENGINE_MONGODB },
    { "pymongo", ENGINE_MONGODB },
    { "redis*", ENGINE_REDIS },
    { "ioredis", ENGINE_REDIS },
    { "predis", ENGINE_REDIS },
    { "phpredis", ENGINE_REDIS },
    { "aioredis", ENGINE_REDIS },
    { "jedis*", ENGINE_REDIS },
    { "lettuce", ENGINE_REDIS },
    { "redix", ENGINE_REDIS },
    { "valkey*", ENGINE_REDIS },
    { "cassandra*", ENGINE_CASSANDRA },
    { "gocql", ENGINE_CASSANDRA },
    { "datastax", ENGINE_CASSANDRA },
    { "scylla*", ENGINE_CASSANDRA },
    { "elasticsearch*", ENGINE_ELASTICSEARCH },
    { "opensearch*", ENGINE_ELASTICSEARCH },
    { "clickhouse*", ENGINE_CLICKHOUSE },
    { "db", ENGINE_UNKNOWN },
    { "dbs", ENGINE_UNKNOWN },
    { "database*", ENGINE_UNKNOWN },
    { "dbal", ENGINE_UNKNOWN },
    { "dbi", ENGINE_UNKNOWN },
    { "dbd", ENGINE_UNKNOWN },
    { "dbix", ENGINE_UNKNOWN },
    { "dbcp*", ENGINE_UNKNOWN },
    { "dbconnection", ENGINE_UNKNOWN },
    { "dbapi*", ENGINE_UNKNOWN },
    { "dbutil*", ENGINE_UNKNOWN },
    { "sql", ENGINE_UNKNOWN },
    { "cloudsql", ENGINE_UNKNOWN },
    { "sqlx", ENGINE_UNKNOWN },
    { "sqlalchemy", ENGINE_UNKNOWN },
    { "sqlclient", ENGINE_SQLSERVER },
    { "jdbc*", ENGINE_UNKNOWN },
    { "odbc*", ENGINE_UNKNOWN },
    { "pyodbc", ENGINE_UNKNOWN },
    { "r2dbc*", ENGINE_UNKNOWN },
    { "datasource*", ENGINE_UNKNOWN },
    { "hikari*", ENGINE_UNKNOWN },
    { "c3p0", ENGINE_UNKNOWN },
    { "pdo", ENGINE_UNKNOWN },
    { "orm", ENGINE_UNKNOWN },
    { "gorm", ENGINE_UNKNOWN },
    { "xorm", ENGINE_UNKNOWN },
    { "typeorm", ENGINE_UNKNOWN },
    { "mikroorm", ENGINE_UNKNOWN },
    { "sequelize*", ENGINE_UNKNOWN },
    { "sequel", ENGINE_UNKNOWN },
    { "knex", ENGINE_UNKNOWN },
    { "prisma*", ENGINE_UNKNOWN },
    { "drizzle", ENGINE_UNKNOWN },
    { "kysely", ENGINE_UNKNOWN },
    { "activerecord*", ENGINE_UNKNOWN },
    { "eloquent", ENGINE_UNKNOWN },
    { "doctrine", ENGINE_UNKNOWN },
    { "hibernate", ENGINE_UNKNOWN },
    { "mybatis", ENGINE_UNKNOWN },
    { "jooq", ENGINE_UNKNOWN },
    { "entityframework*", ENGINE_UNKNOWN },
    { "efcore", ENGINE_UNKNOWN },
    { "dapper", ENGINE_UNKNOWN },
    { "diesel", ENGINE_UNKNOWN },
    { "ecto", ENGINE_UNKNOWN },
    { "peewee", ENGINE_UNKNOWN },
};

static bool word_is(const char *word, size_t len, enum engine *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(layer_words); i++) {
        const char *row = layer_words[i].word;
        size_t n = strlen(row);
        bool prefix = row[n - 1] == '*';
        if (prefix ? len >= n - 1 && strncasecmp(word, row, n - 1) == 0
                   : len == n && strncasecmp(word, row, n) == 0) {
            *ret = layer_words[i].engine;
            return true;
        }
    }
    return false;
}

/* The length of the camelCase part that starts at s[0]: "DbConnection" gives 2, "SQLServer" 3. */
static size_t camel_length(const char *s, size_t len)
{
    size_t i = 1;

    while (i < len) {
        bool hump =
            isupper((unsigned char)s[i]) && (!isupper((unsigned char)s[i - 1]) ||
                                             (i + 1 < len && islower((unsigned char)s[i + 1])));
        if (hump)
            break;
        i++;
    }
    return i;
}

/* A word as it stands, else its camelCase parts: "MySqlConnector" is mysql*, "PgPool" has pg. */
static bool word_has_layer(const char *word, size_t len, enum engine *ret)
{
    if (word_is(word, len, ret))
        return true;
    for (size_t i = 0, n; i < len; i += n) {
        n = camel_length(word + i, len - i);
        if (n < len && word_is(word + i, n, ret))
            return true;
    }
    return false;
}

bool engine_of_name(const char *name, enum engine *ret_engine)
{
    enum engine found = ENGINE_UNKNOWN, e;
    bool layer = text_icontains(name, "active_record") || text_icontains(name, "entity_framework");

    for (const char *p = name; p && *p;) {
        size_t len = 0;
        while (isalnum((unsigned char)p[len]))
            len++;
        if (len && word_has_layer(p, len, &e)) {
            layer = true;
            if (found == ENGINE_UNKNOWN)
                found = e;
        }
        p += len ? len : 1;
    }
    if (layer && ret_engine)
        *ret_engine = found;
    return layer;
}
