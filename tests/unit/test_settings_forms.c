/* Settings in rarer forms: connection strings of every driver, values with units, comments that
 * span lines, XML. What counts, with its old and new value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "dbconn/analysis/settings.h"
#include "dbconn/base/buf.h"

static const struct change_context context = {
    .environment = "production",
    .services = (const char *const[]){ "orders" },
    .n_services = 1,
    .hosts = (const char *const[]){ "db-new", "10.1.2.3", "2001:db8::5" },
    .n_hosts = 3,
    .port = "5432",
    .database = "orders",
};

/* "host old -> new =target": what counts, or in brackets why not. */
static char *read_one(const char *path, const char *patch)
{
    static const char *const trends[] = { " same", " raised", " lowered", "" };
    static const char *const is_target[] = { "", " !target", " =target" };
    struct changed_file f = { .path = path, .patch = patch, .patch_len = strlen(patch) };
    struct settings_report r;
    struct buf out = BUF_INIT;

    settings_read(&f, 1, &context, &r);
    for (size_t i = 0; i < r.n_changes; i++) {
        const struct setting_change *c = &r.changes[i];
        buf_addf(&out, "%s%s%s%s %s -> %s%s%s", i ? "; " : "", c->harmless ? "(" : "",
                 c->harmless ? harmless_name(c->harmless) : setting_kind_name(c->kind),
                 c->harmless ? ")" : "", c->old_value ? c->old_value : "none",
                 c->new_value ? c->new_value : "none", trends[c->trend],
                 c->harmless ? "" : is_target[c->new_is_target]);
    }
    if (r.n_unread_lines > 0)
        buf_addf(&out, "%sunread line %d", out.len ? "; " : "", (int)r.unread_line);
    settings_report_clear(&r);
    return buf_take(&out);
}

struct row {
    const char *path, *patch, *want;
};

static void check_rows(const struct row *rows, size_t n)
{
    size_t wrong = 0;

    for (size_t i = 0; i < n; i++) {
        char *got = read_one(rows[i].path, rows[i].patch);
        if (strcmp(got, rows[i].want) != 0) {
            print_error("%s\n%s\n  want: %s\n  got:  %s\n", rows[i].path, rows[i].patch,
                        rows[i].want, got);
            wrong++;
        }
        free(got);
    }
    assert_int_equal(wrong, 0);
}

#define ENV(name, old, new) ".env", "@@ -1 +1 @@\n-" name "=" old "\n+" name "=" new "\n"

static void connection_strings_of_every_driver_are_compared(void **state)
{
    static const struct row rows[] = {
        { ENV("DB_DSN", "app:x@tcp(db-old:3306)/orders?timeout=3s",
              "app:x@tcp(db-new:3306)/orders?timeout=3s"),
          "(another database) app:•••@tcp(db-old:3306)/orders?timeout=3s -> "
          "app:•••@tcp(db-new:3306)/orders?timeout=3s" },
        { ENV("DATABASE_URL", "postgres://app@db-old:5432/orders",
              "postgres://app@[2001:db8::5]:5432/orders"),
          "host postgres://app@db-old:5432/orders -> postgres://app@[2001:db8::5]:5432/orders "
          "=target" },
        { ENV("DATABASE_URL", "postgres://app@db-new:5432/orders",
              "postgres://app@db-new:6432/orders"),
          "port postgres://app@db-new:5432/orders -> postgres://app@db-new:6432/orders !target" },
        { ENV("DATABASE_URL", "postgres://app@db-new:5432/orders",
              "postgres://other@db-new:5432/orders"),
          "user postgres://app@db-new:5432/orders -> postgres://other@db-new:5432/orders =target" },
        { ENV("DATABASE_URL", "postgres://app@db-new:5432/orders",
              "postgres://app@db-new:5432/orders?sslmode=require"),
          "TLS mode postgres://app@db-new:5432/orders -> "
          "postgres://app@db-new:5432/orders?sslmode=require =target" },
        { ENV("JDBC_URL", "jdbc:sqlserver://db-old:1433;databaseName=orders;user=app",
              "jdbc:sqlserver://db-new:1433;databaseName=orders;user=app"),
          "(another database) jdbc:sqlserver://db-old:1433;databaseName=orders;user=app -> "
          "jdbc:sqlserver://db-new:1433;databaseName=orders;user=app" },
        { ENV("JDBC_URL", "jdbc:oracle:thin:@db-old:1521:XE", "jdbc:oracle:thin:@db-new:1521:XE"),
          "(another database) jdbc:oracle:thin:@db-old:1521:XE -> "
          "jdbc:oracle:thin:@db-new:1521:XE" },
        { ENV("JDBC_URL", "jdbc:oracle:thin:@//db-old:1521/orders",
              "jdbc:oracle:thin:@//db-new:1521/orders"),
          "(another database) jdbc:oracle:thin:@//db-old:1521/orders -> "
          "jdbc:oracle:thin:@//db-new:1521/orders" },
        { "appsettings.Production.json",
          "@@ -2,3 +2,3 @@\n \"ConnectionStrings\": {\n-  \"Orders\": \"Data "
          "Source=tcp:db-old,1433;Initial Catalog=orders;User Id=app\"\n+  \"Orders\": \"Data "
          "Source=tcp:db-new,1433;Initial Catalog=orders;User Id=app\"\n }\n",
          "(another database) Data Source=tcp:db-old,1433;Initial Catalog=orders;User Id=app -> "
          "Data Source=tcp:db-new,1433;Initial Catalog=orders;User Id=app" },
        { ENV("DB_DSN", "host=db-old port=5432 dbname=orders user=app",
              "host=db-new port=5432 dbname=orders user=app"),
          "host host=db-old port=5432 dbname=orders user=app -> host=db-new port=5432 "
          "dbname=orders user=app =target" },
        { ENV("STORAGE", "AccountName=a;AccountKey=b;EndpointSuffix=c.example",
              "AccountName=d;AccountKey=e;EndpointSuffix=c.example"),
          "" },
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows));
}

#define YAML(old, new) "config/database.yml", "@@ -1,2 +1,2 @@ production:\n-" old "\n+" new "\n"

static void values_are_compared_with_their_units(void **state)
{
    static const struct row rows[] = {
        { YAML("  connect_timeout: 30s", "  connect_timeout: 500ms"),
          "timeout 30s -> 500ms lowered" },
        { YAML("  connect_timeout: 2m", "  connect_timeout: 120s"),
          "(the same value in another form) 2m -> 120s same" },
        { YAML("  connect_timeout: 1h", "  connect_timeout: 2h"), "timeout 1h -> 2h raised" },
        { "src/Db.java",
          "@@ -7 +7 @@\n-  pool.setConnectionTimeout(2 * time.Minute);\n+  "
          "pool.setConnectionTimeout(500 * time.Millisecond);\n",
          "timeout 2 * time.Minute -> 500 * time.Millisecond lowered" },
        { "db.go",
          "@@ -7,2 +7,2 @@ func open(db *sql.DB) {\n-\tdb.SetConnMaxLifetime(2 * "
          "time.Hour)\n+\tdb.SetConnMaxLifetime(3 * time.Minute)\n",
          "timeout 2 * time.Hour -> 3 * time.Minute lowered" },
        { "db.go",
          "@@ -7,2 +7,2 @@ func open(db *sql.DB) {\n-\tdatabase.ConnectTimeout = 2 * "
          "time.Second\n+\tdatabase.ConnectTimeout = 500 * time.Millisecond\n",
          "timeout 2 * time.Second -> 500 * time.Millisecond lowered" },
        { YAML("  socket: /tmp/a.sock", "  socket: /var/run/b.sock"),
          "socket /tmp/a.sock -> /var/run/b.sock" },
        { YAML("  adapter: mysql2", "  adapter: postgresql"),
          "driver or adapter mysql2 -> postgresql" },
        { YAML("  sslmode: disable", "  sslmode: verify-full"), "TLS mode disable -> verify-full" },
        { YAML("  sslmode: true", "  sslmode: false"), "TLS mode true -> false" },
        { YAML("  host: ${DB_HOST}", "  host: $OTHER_HOST"), "host ${DB_HOST} -> $OTHER_HOST" },
        { YAML("  pool: 5,", "  pool: 50,"), "pool size 5 -> 50 raised" },
        { YAML("  max_connections: 100", "  max_connections: 1_000"),
          "pool size 100 -> 1_000 raised" },
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows));
}

static void comments_that_span_lines_are_no_settings(void **state)
{
    static const struct row rows[] = {
        { "db.js",
          "@@ -1,5 +1,5 @@\n /* how it was:\n-host: 'db-old', // connection to the database\n"
          "+host: 'db-new', // connection to the database\n */\n const pool = 1;\n",
          "(a comment) none -> none; (a comment) none -> none" },
        { "settings.py",
          "@@ -1,5 +1,5 @@\n \"\"\"\n-DB_HOST = 'db-old'\n+DB_HOST = 'db-new'\n \"\"\"\n x = 1\n",
          "(a comment) none -> none; (a comment) none -> none" },
        { "settings.py", "@@ -1,2 +1,2 @@\n-DB_HOST = 'db-old' # '''\n+DB_HOST = 'db-new' # '''\n",
          "host db-old -> db-new =target" },
        { "web.xml",
          "@@ -1,4 +1,4 @@\n <!--\n-<db.host>db-old</db.host>\n+<db.host>db-new</db.host>\n -->\n",
          "(a comment) none -> none; (a comment) none -> none" },
        { "src/Db.java",
          "@@ -7,3 +7,3 @@ class Db {\n  * The database:\n- * db.host = db-old\n+ * db.host = "
          "db-new\n",
          "(a comment) none -> none; (a comment) none -> none" },
        { "init.sql", "@@ -1 +1 @@\n--- host: db-old\n+-- host: db-new\n",
          "(a schema migration) none -> none" },
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows));
}

static void xml_is_read(void **state)
{
    static const struct row rows[] = {
        { "src/main/resources/hibernate.cfg.xml",
          "@@ -4,3 +4,3 @@\n-<property "
          "name=\"hibernate.connection.url\">jdbc:postgresql://db-old/orders</property>\n"
          "+<property "
          "name=\"hibernate.connection.url\">jdbc:postgresql://db-new/orders</property>\n",
          "host jdbc:postgresql://db-old/orders -> jdbc:postgresql://db-new/orders =target" },
        { "conf/database.xml",
          "@@ -1,3 +1,3 @@\n <database>\n-  <host>db-old</host>\n+  <host>db-new</host>\n "
          "</database>\n",
          "host db-old -> db-new =target" },
        { "Web.config",
          "@@ -1 +1 @@\n-<add key=\"DbHost\" value=\"db-old\" />\n+<add key=\"DbHost\" "
          "value=\"db-new\" />\n",
          "host db-old -> db-new =target" },
        { "Web.config",
          "@@ -1 +1 @@\n-<add name=\"Orders\" "
          "connectionString=\"Server=db-old;Database=orders;User "
          "Id=a\" />\n+<add name=\"Orders\" connectionString=\"Server=db-new;Database=orders;User "
          "Id=a\" />\n",
          "host Server=db-old;Database=orders;User Id=a -> Server=db-new;Database=orders;User Id=a "
          "=target" },
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows));
}

/* Struct tags, calls of any library, format strings: the line is the same but for the address. */
static void a_line_that_swaps_the_address_counts_in_any_form(void **state)
{
    static const struct row rows[] = {
        { "conf/conf.go",
          "@@ -3,3 +3,3 @@\n type Conf struct {\n-\tPort int `conf:\"db-port,default:5433\"`\n"
          "+\tPort int `conf:\"db-port,default:5432\"`\n }\n",
          "port 5433 -> 5432 =target" },
        { "main.go",
          "@@ -3 +3 @@\n-\tpflag.Uint16Var(&c.port, \"database-port\", 15432, \"\")\n"
          "+\tpflag.Uint16Var(&c.port, \"database-port\", 5432, \"\")\n",
          "port 15432 -> 5432 =target" },
        { "boot.rb",
          "@@ -3 +3 @@\n-option :db_host, default: lookup('db-1.old.internal')\n"
          "+option :db_host, default: lookup('10.1.2.3')\n",
          "host db-1.old.internal -> 10.1.2.3 =target" },
        { "deploy/job.yaml",
          "@@ -3,5 +3,5 @@\n       args:\n         - --db-port\n-        - \"5433\"\n"
          "+        - \"5432\"\n",
          "port 5433 -> 5432 =target" },
        /* a setting is known, its value is an expression */
        { "store.go",
          "@@ -3 +3 @@\n-\tdsn := fmt.Sprintf(\"host=%s port=5433 dbname=orders\", h)\n"
          "+\tdsn := fmt.Sprintf(\"host=%s port=5432 dbname=orders\", h)\n",
          "port 5433 -> 5432 =target" },
        { "app/conf.py",
          "@@ -3 +3 @@\n-    pg_port: int = Setting(5433, env=\"PG_PORT\")\n"
          "+    pg_port: int = Setting(5432, env=\"PG_PORT\")\n",
          "port 5433 -> 5432 =target" },
        /* no database is spoken of, but these ports are databases' */
        { "start.go", "@@ -3 +3 @@\n-\tset(\"port\", 5433)\n+\tset(\"port\", 5432)\n",
          "port 5433 -> 5432 =target" },
        /* nothing says what the number is */
        { "start.go", "@@ -3 +3 @@\n-\tset(\"size\", 8000)\n+\tset(\"size\", 5432)\n",
          "unread line 3" },
        { "start.go", "@@ -3 +3,2 @@\n x()\n+\tjoin(\"10.1.2.3\")\n", "unread line 4" },
        { "start.go", "@@ -3 +3,2 @@\n x()\n+\tjoin(5432)\n", "" },
        /* the address stood there before */
        { "start.go", "@@ -3 +3 @@\n-\tset(\"db-port\", 5432)\n+\tconf.set(\"db-port\", 5432)\n",
          "" },
        { "start.go", "@@ -3 +3 @@\n-\tset(\"db-port\", 15432)\n+\tset(\"db-port\", 5432.5)\n",
          "" },
        { "start.go",
          "@@ -3 +3 @@\n-\tlog.Printf(\"db port %d\", 5433)\n"
          "+\tlog.Printf(\"db port %d\", 5432)\n",
          "" },
        { "start.go", "@@ -3 +3 @@\n-\t// set(\"db-port\", 5433)\n+\t// set(\"db-port\", 5432)\n",
          "" },
        { "k8s/staging/job.yaml",
          "@@ -3,3 +3,3 @@\n       args:\n         - --db-port\n-        - \"5433\"\n"
          "+        - \"5432\"\n",
          "" },
        { "start_test.go", "@@ -3 +3 @@\n-\tset(\"db-port\", 5433)\n+\tset(\"db-port\", 5432)\n",
          "" },
        { "start.go",
          "@@ -3,3 +3,3 @@\n if staging {\n-\tset(\"db-port\", 5433)\n"
          "+\tset(\"db-port\", 5432)\n }\n",
          "" },
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connection_strings_of_every_driver_are_compared),
        cmocka_unit_test(values_are_compared_with_their_units),
        cmocka_unit_test(comments_that_span_lines_are_no_settings),
        cmocka_unit_test(xml_is_read),
        cmocka_unit_test(a_line_that_swaps_the_address_counts_in_any_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
