/* dsn: connection strings of every form, in running text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "dbconn/analysis/dsn.h"
#include "dbconn/base/text.h"

static const struct {
    const char *text;
    const char *want; /* "engine: host:port host:port / database as user" */
} rows[] = {
    { "postgres://app:pw@db:5432/shop", "postgresql: db:5432 / shop as app" },
    { "postgresql+psycopg2://app:p@s/s@db/shop?sslmode=require", "postgresql: db:- / shop as app" },
    { "postgresql:///shop?host=/var/run/postgresql&user=app",
      "postgresql: /var/run/postgresql:- / shop as app" },
    { "postgres://%2Fvar%2Frun%2Fpostgresql/shop", "postgresql: /var/run/postgresql:- / shop" },
    { "postgres://app@[2001:db8::5]:5433/shop", "postgresql: 2001:db8::5:5433 / shop as app" },
    { "postgresql://a:1,b:2/shop", "postgresql: a:1 b:2 / shop" },
    { "mysql2://root@127.0.0.1/shop?reconnect=true", "mysql: 127.0.0.1:- / shop as root" },
    { "mysql+pymysql://u:p@h:3307/d", "mysql: h:3307 / d as u" },
    { "mariadb://u@h/d", "mariadb: h:- / d as u" },
    { "mssql+pyodbc://sa:pw@h:1433/d?driver=x", "sqlserver: h:1433 / d as sa" },
    { "sqlserver://sa:pw@h:1433?database=d", "sqlserver: h:1433 / d as sa" },
    { "mongodb://u:p@m1:27017,m2:27018/shop?replicaSet=rs0",
      "mongodb: m1:27017 m2:27018 / shop as u" },
    { "mongodb+srv://u:p@c0.ab1.mongodb.net/", "mongodb: c0.ab1.mongodb.net:- as u" },
    { "redis://:pw@cache:6379/0", "redis: cache:6379 / 0" },
    { "rediss://default:pw@cache:6380", "redis: cache:6380 as default" },
    { "unix:///run/redis.sock", "unknown: /run/redis.sock:-" },
    { "redis+socket:///run/redis.sock?db=1", "redis: /run/redis.sock:-" },
    { "clickhouse://default:@ch:9000/stats", "clickhouse: ch:9000 / stats as default" },
    { "http://es:9200/_bulk", "unknown: es:9200" },
    { "amqp://guest:guest@mq:5672/prod", "unknown: mq:5672 / prod as guest" },
    { "jdbc:postgresql://db:5432/shop?user=app&password=x", "postgresql: db:5432 / shop as app" },
    { "jdbc:postgresql:/db:5432/shop", "postgresql: db:5432 / shop" },
    { "jdbc:mysql:loadbalance://a:1,b:2/shop", "mysql: a:1 b:2 / shop" },
    { "jdbc:mysql://address=(host=h)(port=3307)/shop", "mysql: h:3307 / shop" },
    { "mysql://(host=h,port=3307,dbname=other)/shop", "mysql: h:3307 / shop" }, /* the path wins */
    { "jdbc:mariadb://h/d", "mariadb: h:- / d" },
    { "jdbc:sqlserver://h:1433;databaseName=d;user=sa;password=x", "sqlserver: h:1433 / d as sa" },
    { "jdbc:jtds:sqlserver://h:1433/d", "sqlserver: h:1433 / d" },
    { "jdbc:oracle:thin:@h:1521:XE", "oracle: h:1521 / XE" },
    { "jdbc:oracle:thin:@//h:1521/svc.example", "oracle: h:1521 / svc.example" },
    { "jdbc:oracle:thin:scott/tiger@h:1521/svc", "oracle: h:1521 / svc as scott" },
    { "jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=h)(PORT=1522))"
      "(CONNECT_DATA=(SERVICE_NAME=svc)))",
      "oracle: h:1522 / svc" },
    { "scott/tiger@//h:1521/svc", "oracle: h:1521 / svc as scott" },
    { "root:pw@tcp(10.0.0.5:3306)/shop?parseTime=true", "mysql: 10.0.0.5:3306 / shop as root" },
    { "app:pw@unix(/tmp/mysql.sock)/shop", "mysql: /tmp/mysql.sock:- / shop as app" },
    { "host=db port=5433 dbname=shop user=app password='it\\'s x'",
      "unknown: db:5433 / shop as app" },
    { "host=a,b port=1,2 user=u dbname=d", "unknown: a:1 b:2 / d as u" },
    { "user=app database=shop", "unknown: / shop as app" },
    { "Server=tcp:h.example,1433;Initial Catalog=My Shop;User ID=sa;Password=x;",
      "sqlserver: h.example:1433 / My Shop as sa" },
    { "DRIVER={ODBC Driver 18 for SQL Server};SERVER=h,14330;DATABASE=d;UID=u;PWD={a;b}",
      "sqlserver: h:14330 / d as u" },
    { "DRIVER={PostgreSQL Unicode};Server=h;Port=5433;Database=d;Uid=u;Pwd=x;",
      "postgresql: h:5433 / d as u" },
    { "Data Source=.\\SQLEXPRESS;Initial Catalog=d", "sqlserver: .\\SQLEXPRESS:- / d" },
    { "HTTPConnectionPool(host='h', port=9200)", "unknown: h:9200" },
    { "could not connect (dsn: host=h port=1) now", "unknown: h:1" },
    { "postgres://<user>:<password>@<host>:5432/<db>", "postgresql: <host>:5432 / <db> as <user>" },
    { "postgres://u:p@db:port/shop", "postgresql: db:- / shop as u" },
    { "mysql://u(@tcp)(h:3306", "mysql: h:3306 as u(" },
    { "jdbc:sqlite:/var/lib/x.db", NULL },
    { "no connection here: host is down, 10:02:58", NULL },
    { "password=secret", NULL },
    { "", NULL },
};

static void render(const struct dsn *d, struct buf *out)
{
    buf_addf(out, "%s:", engine_name(d->engine));
    for (size_t i = 0; i < d->n_hosts; i++)
        buf_addf(out, " %s:%s", d->hosts[i].host ? d->hosts[i].host : "-",
                 d->hosts[i].port ? d->hosts[i].port : "-");
    if (d->database)
        buf_addf(out, " / %s", d->database);
    if (d->user)
        buf_addf(out, " as %s", d->user);
}

static void connection_strings_are_read(void **state)
{
    (void)state;
    size_t wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf got = BUF_INIT;
        struct dsn d;
        size_t start, end;
        bool found = dsn_find(rows[i].text, 0, &start, &end, &d);
        if (found)
            render(&d, &got);
        if (!text_same(found ? buf_str(&got) : NULL, rows[i].want)) {
            print_error("%s\n   got %s\n  want %s\n", rows[i].text, buf_str(&got), rows[i].want);
            wrong++;
        }
        if (found)
            dsn_clear(&d);
        buf_clear(&got);
    }
    assert_int_equal(wrong, 0);
}

static void a_string_ends_where_the_sentence_goes_on(void **state)
{
    (void)state;
    static const char text[] = "cannot reach \"postgres://u:p@db/shop\", retry (mysql://h/d). End.";
    struct dsn d;
    size_t start, end;

    assert_true(dsn_find(text, 0, &start, &end, &d));
    assert_string_equal(d.database, "shop");
    assert_true(text[end] == '"');
    dsn_clear(&d);
    assert_true(dsn_find(text, end, &start, &end, &d));
    assert_string_equal(d.database, "d");
    assert_true(text[end] == ')');
    dsn_clear(&d);
    assert_false(dsn_find(text, end, &start, &end, &d));
}

static void the_next_one_begins_where_the_last_ended(void **state)
{
    static const char *const texts[] = {
        "app:x@tcp(a:1)@tcp(b:2)/shop",
        "scott/x@//a:1/svc)@//b:2/svc",
        "postgres://u:p@a/d,app@tcp(b:2)",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        size_t from = 0, start, end;
        struct dsn d;
        while (dsn_find(texts[i], from, &start, &end, &d)) {
            assert_true(start >= from && end > start && end <= strlen(texts[i]));
            from = end;
            dsn_clear(&d);
        }
        assert_true(from > 0);
    }
}

static void hosts_and_ports_are_split(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *port;
    } hosts[] = {
        { "db:5432", "db", "5432" },     { "db", "db", NULL },
        { "[::1]:5432", "::1", "5432" }, { "::1", "::1", NULL },
        { "[::1]", "::1", NULL },        { "/tmp/x.sock", "/tmp/x.sock", NULL },
        { "tcp:h,1433", "h", "1433" },   { "u:p@h:1", "h", "1" },
        { "h:00080", "h", "80" },        { "h:", "h", NULL },
        { ":5432", NULL, "5432" },       { "", NULL, NULL },
    };

    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        struct dsn_host h;
        dsn_split_host(hosts[i].text, strlen(hosts[i].text), &h);
        if (!text_same(h.host, hosts[i].host) || !text_same(h.port, hosts[i].port))
            fail_msg("%s: %s %s", hosts[i].text, h.host, h.port);
        free(h.host);
        free(h.port);
    }
}

static void names_tell_the_database_layer(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool layer;
        enum engine engine;
    } names[] = {
        { "django/db/backends/postgresql/base.py", true, ENGINE_POSTGRESQL },
        { "sentry/db/postgres/base.py", true, ENGINE_POSTGRESQL },
        { "psycopg2.errors", true, ENGINE_POSTGRESQL },
        { "github.com/jackc/pgx/v5/pgxpool/pool.go", true, ENGINE_POSTGRESQL },
        { "node_modules/pg/lib/client.js", true, ENGINE_POSTGRESQL },
        { "com.mysql.cj.jdbc.ConnectionImpl", true, ENGINE_MYSQL },
        { "MySqlConnector, Version=2.4.0", true, ENGINE_MYSQL },
        { "node_modules/mysql2/lib/connection.js", true, ENGINE_MYSQL },
        { "org.mariadb.jdbc.Driver", true, ENGINE_MARIADB },
        { "com.microsoft.sqlserver.jdbc", true, ENGINE_SQLSERVER },
        { "oracle.jdbc.driver.T4CConnection", true, ENGINE_ORACLE },
        { "redis/connection.py", true, ENGINE_REDIS },
        { "StackExchange.Redis", true, ENGINE_REDIS },
        { "com.stonebridge.grants.db.ProductsRepository", true, ENGINE_UNKNOWN },
        { "src/lib/dbConnection.ts", true, ENGINE_UNKNOWN },
        { "database/sql/sql.go", true, ENGINE_UNKNOWN },
        { "sequelize/lib/dialects/abstract/connection-manager.js", true, ENGINE_UNKNOWN },
        { "/vendor/laravel/framework/src/Illuminate/Database/Connection.php", true,
          ENGINE_UNKNOWN },
        { "active_record/connection_adapters/abstract_adapter.rb", true, ENGINE_UNKNOWN },
        { "checkout/views.py", false, ENGINE_UNKNOWN },
        { "requests/adapters.py", false, ENGINE_UNKNOWN },
        { "debug/feedback.py", false, ENGINE_UNKNOWN },
        { "app/dashboard.js", false, ENGINE_UNKNOWN },
        { "", false, ENGINE_UNKNOWN },
        { NULL, false, ENGINE_UNKNOWN },
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        enum engine e = ENGINE_UNKNOWN;
        if (engine_of_name(names[i].name, &e) != names[i].layer || e != names[i].engine)
            fail_msg("%s: %s", names[i].name, engine_name(e));
    }
}

static void engines_have_names_in_both_directions(void **state)
{
    (void)state;
    enum engine e;

    for (int i = 0; i < ENGINE_COUNT; i++) {
        assert_true(engine_parse(engine_name((enum engine)i), &e));
        assert_int_equal(e, i);
        assert_non_null(engine_title((enum engine)i));
    }
    assert_true(engine_parse("Postgres", &e));
    assert_int_equal(e, ENGINE_POSTGRESQL);
    assert_false(engine_parse("sqlite", &e));
    assert_false(engine_parse(NULL, &e));
    assert_int_equal(engine_of_scheme("jdbc:p6spy:mysql"), ENGINE_MYSQL);
    assert_int_equal(engine_of_scheme("http"), ENGINE_UNKNOWN);
    assert_int_equal(engine_of_port("1433"), ENGINE_SQLSERVER);
    assert_int_equal(engine_of_port("8080"), ENGINE_UNKNOWN);
    assert_int_equal(engine_of_port(NULL), ENGINE_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connection_strings_are_read),
        cmocka_unit_test(a_string_ends_where_the_sentence_goes_on),
        cmocka_unit_test(the_next_one_begins_where_the_last_ended),
        cmocka_unit_test(hosts_and_ports_are_split),
        cmocka_unit_test(names_tell_the_database_layer),
        cmocka_unit_test(engines_have_names_in_both_directions),
    };
    return cmocka_run_group_tests_name("dsn", tests, NULL, NULL);
}
