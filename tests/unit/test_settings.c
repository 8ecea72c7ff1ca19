#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dbconn/analysis/settings.h"
#include "dbconn/base/buf.h"

static const char *const target_hosts[] = { "pg-orders-01.internal", "10.1.2.3" };
static const char *const service_names[] = { "orders" };

static const struct change_context orders = {
    .environment = "production",
    .services = service_names,
    .n_services = 1,
    .engine = "postgresql",
    .hosts = target_hosts,
    .n_hosts = 2,
    .port = "5432",
    .database = "orders",
};

/* "pool size pool: 20 -> 200 raised", "(staging) ..." as one text for all changes. */
static char *render(const struct settings_report *r)
{
    static const char *const trends[] = { " same", " raised", " lowered", "" };
    static const char *const is_target[] = { "", " !target", " =target" };
    struct buf out = BUF_INIT;

    for (size_t i = 0; i < r->n_changes; i++) {
        const struct setting_change *c = &r->changes[i];
        if (i > 0)
            buf_adds(&out, "; ");
        if (c->harmless)
            buf_addf(&out, "(%s) ", harmless_name(c->harmless));
        buf_addf(&out, "%s%s %s: %s -> %s%s%s", c->certain || c->harmless ? "" : "perhaps ",
                 setting_kind_name(c->kind), c->key, c->old_value ? c->old_value : "none",
                 c->new_value ? c->new_value : "none", trends[c->trend],
                 c->harmless ? "" : is_target[c->new_is_target]);
    }
    return buf_take(&out);
}

static char *read_one(const char *path, const char *patch, const struct change_context *ctx)
{
    struct changed_file f = { .path = path, .patch = patch, .patch_len = strlen(patch) };
    struct settings_report r;
    char *text;

    settings_read(&f, 1, ctx, &r);
    text = render(&r);
    settings_report_clear(&r);
    return text;
}

struct row {
    const char *path, *patch, *expected;
};

static void check_rows(const struct row *rows, size_t n, const struct change_context *ctx)
{
    size_t failed = 0;

    for (size_t i = 0; i < n; i++) {
        char *got = read_one(rows[i].path, rows[i].patch, ctx);
        if (strcmp(got, rows[i].expected) != 0) {
            print_error("%s\n%s\n  expected: %s\n  got:      %s\n", rows[i].path, rows[i].patch,
                        rows[i].expected, got);
            failed++;
        }
        free(got);
    }
    assert_int_equal(failed, 0);
}

static void settings_are_found_in_every_notation(void **state)
{
    static const struct row rows[] = {
        { "services/billing/values-production.yaml",
          "@@ -2,2 +2,2 @@\n database:\n-  host: 10.7.7.7\n+  host: 10.1.2.3\n",
          "host database.host: 10.7.7.7 -> 10.1.2.3 =target" },
        { "config/database.yml",
          "@@ -3,5 +3,5 @@ production:\n   adapter: postgresql\n-  host: a.internal\n+  host: "
          "pg-orders-01.internal\n   port: 5432\n   pool: 5\n   username: app\n",
          "host production.host: a.internal -> pg-orders-01.internal =target" },
        { "charts/orders/values.yaml",
          "@@ -8,5 +8,5 @@\n postgres:\n   pool:\n     min: 2\n-    max: 20\n+    max: 200\n   "
          "tls: "
          "true\n",
          "pool size postgres.pool.max: 20 -> 200 raised" },
        { "deploy/prod.env", "@@ -1,2 +1,2 @@\n DB_PORT=5432\n-DB_HOST=old-db\n+DB_HOST=10.1.2.3\n",
          "host DB_HOST: old-db -> 10.1.2.3 =target" },
        { ".env.production", "@@ -1 +1 @@\n-export PGPORT=\"5433\"\n+export PGPORT=\"5432\"\n",
          "port PGPORT: 5433 -> 5432 lowered =target" },
        { "k8s/orders.yaml",
          "@@ -20,6 +20,6 @@ spec:\n         env:\n         - name: LOG_LEVEL\n           value: "
          "info\n      "
          "   - name: POSTGRES_HOST\n-          value: old.internal\n+          value: "
          "pg-orders-01.internal\n",
          "host spec.env.POSTGRES_HOST: old.internal -> pg-orders-01.internal =target" },
        { "docker-compose.prod.yml",
          "@@ -5,4 +5,4 @@ services:\n   api:\n     environment:\n-      - DB_HOST=pg-a\n+      - "
          "DB_HOST=pg-b\n",
          "(another database) host services.api.environment.DB_HOST: pg-a -> pg-b" },
        { "infra/main.tf",
          "@@ -10,5 +10,5 @@ resource \"aws_ecs_task_definition\" \"orders\" {\n     environment = "
          "[\n-      { name = \"DB_POOL_SIZE\", value = \"20\" },\n+      { name = "
          "\"DB_POOL_SIZE\", "
          "value = \"2\" },\n     ]\n",
          "pool size orders.environment.DB_POOL_SIZE: 20 -> 2 lowered" },
        { "infra/variables.tf",
          "@@ -1,4 +1,4 @@\n variable \"db_host\" {\n   type = string\n-  default = "
          "\"old.internal\"\n+  default = \"pg-orders-01.internal\"\n }\n",
          "host db_host.db_host: old.internal -> pg-orders-01.internal =target" },
        { "src/main/resources/application.properties",
          "@@ -1,2 +1,2 @@\n-spring.datasource.url=jdbc:postgresql://a.internal:5432/orders\n"
          "+spring.datasource.url=jdbc:postgresql://10.1.2.3:5432/orders\n "
          "spring.datasource.username=app\n",
          "host spring.datasource.url: jdbc:postgresql://a.internal:5432/orders -> "
          "jdbc:postgresql://10.1.2.3:5432/orders =target" },
        { "src/main/resources/application-prod.yml",
          "@@ -2,5 +2,5 @@ spring:\n   datasource:\n     hikari:\n-      maximum-pool-size: 30\n+  "
          "    "
          "maximum-pool-size: 5\n",
          "pool size spring.datasource.hikari.maximum-pool-size: 30 -> 5 lowered" },
        { "appsettings.Production.json",
          "@@ -2,3 +2,3 @@\n   \"ConnectionStrings\": {\n-    \"Default\": "
          "\"Host=pg-orders-01.internal;Database=orders;Username=app;Password=hunter22\"\n+    "
          "\"Default\": "
          "\"Host=10.1.2.3;Port=5433;Database=orders;Username=app;Password=hunter22\"\n   }\n",
          "connection string ConnectionStrings.Default: "
          "Host=pg-orders-01.internal;Database=orders;Username=app;Password=••• -> "
          "Host=10.1.2.3;Port=5433;Database=orders;Username=app;Password=••• !target" },
        { "orders/settings.py",
          "@@ -4,7 +4,7 @@ DATABASES = {\n     'default': {\n         'ENGINE': "
          "'django.db.backends.postgresql',\n-        'PORT': '5432',\n+        'PORT': "
          "os.environ.get('DB_PORT', '6432'),\n",
          "port DATABASES.default.PORT: 5432 -> os.environ.get('DB_PORT', '6432') raised !target" },
        { "orders/db.py",
          "@@ -3,4 +3,4 @@ import os\n engine = create_engine(\n     url,\n-    pool_size=20,\n+   "
          " "
          "pool_size=100, max_overflow=50,\n",
          "pool size create_engine.pool_size: 20 -> 100 raised; pool size "
          "create_engine.max_overflow: none -> 50" },
        { "internal/store/store.go",
          "@@ -3,3 +3,3 @@ func Open(cfg Config) (*sql.DB, error) {\n-\tdb.SetMaxOpenConns(25)\n"
          "+\tdb.SetMaxOpenConns(250)\n \tdb.SetConnMaxLifetime(time.Hour)\n",
          "pool size db.SetMaxOpenConns: 25 -> 250 raised" },
        { "src/pool.js",
          "@@ -1,5 +1,5 @@\n const pool = mysql.createPool({\n-  host: 'a.internal',\n+  host: "
          "'10.1.2.3',\n   user: 'app',\n   connectionLimit: 10,\n",
          "host mysql.createPool.host: a.internal -> 10.1.2.3 =target" },
        { "src/db.ts",
          "@@ -1,3 +1,3 @@\n-export const pool = new Pool({ host: 'a.internal', max: 10 });\n"
          "+export const pool = new Pool({ host: '10.1.2.3', max: 10 });\n",
          "host pool.Pool.host: a.internal -> 10.1.2.3 =target" },
        { "app/Config.java",
          "@@ -9,3 +9,3 @@ HikariDataSource dataSource() {\n-        "
          "config.setMaximumPoolSize(10);\n+        config.setMaximumPoolSize(64);\n         "
          "return "
          "new HikariDataSource(config);\n",
          "pool size config.setMaximumPoolSize: 10 -> 64 raised" },
        { "config/runtime.exs",
          "@@ -3,4 +3,4 @@\n config :orders, Orders.Repo,\n-  pool_size: "
          "String.to_integer(System.get_env(\"POOL_SIZE\") || \"10\"),\n+  pool_size: "
          "String.to_integer(System.get_env(\"POOL_SIZE\") || \"40\"),\n",
          "pool size Orders.Repo.pool_size: String.to_integer(System.get_env(\"POOL_SIZE\") || "
          "\"10\") -> String.to_integer(System.get_env(\"POOL_SIZE\") || \"40\") raised" },
        { "prisma/schema.prisma",
          "@@ -1,4 +1,4 @@\n datasource db {\n   provider = \"postgresql\"\n-  url = "
          "env(\"DATABASE_URL\")\n+  url = env(\"PRIMARY_DATABASE_URL\")\n }\n",
          "connection string db.url: env(\"DATABASE_URL\") -> env(\"PRIMARY_DATABASE_URL\")" },
        { "src/main/resources/META-INF/persistence.xml",
          "@@ -4,3 +4,3 @@\n-      <property name=\"hibernate.hikari.maximumPoolSize\" "
          "value=\"20\"/>\n+      <property name=\"hibernate.hikari.maximumPoolSize\" "
          "value=\"90\"/>\n",
          "pool size hibernate.hikari.maximumPoolSize: 20 -> 90 raised" },
        { "pgbouncer/pgbouncer.ini",
          "@@ -1,4 +1,4 @@\n [databases]\n-orders = host=10.0.0.9 port=5432 dbname=orders\n+orders "
          "= "
          "host=10.1.2.3 port=5432 dbname=orders\n [pgbouncer]\n",
          "host databases.orders: host=10.0.0.9 port=5432 dbname=orders -> host=10.1.2.3 port=5432 "
          "dbname=orders =target" },
        { "pgbouncer/pgbouncer.ini",
          "@@ -8,2 +8,2 @@\n [pgbouncer]\n-max_client_conn = 1000\n+max_client_conn = 100\n",
          "server connection limit pgbouncer.max_client_conn: 1000 -> 100 lowered" },
        { "haproxy/haproxy.cfg",
          "@@ -8,4 +8,4 @@ defaults\n listen postgres\n     bind *:5000\n-    server pg1 "
          "10.0.0.9:5432 "
          "check\n+    server pg1 10.1.2.3:5432 check\n",
          "host postgres.pg1.server: 10.0.0.9:5432 -> 10.1.2.3:5432 =target" },
        { "postgresql.conf",
          "@@ -1,2 +1,2 @@\n-listen_addresses = '*'\n+listen_addresses = "
          "'localhost'\n port = 5432\n",
          "listen address listen_addresses: * -> localhost" },
        { "postgresql.conf", "@@ -1,2 +1,2 @@\n-max_connections = 500\n+max_connections = 100\n",
          "server connection limit max_connections: 500 -> 100 lowered" },
        { "k8s/orders-db-service.yaml",
          "@@ -1,10 +1,10 @@\n apiVersion: v1\n kind: Service\n metadata:\n   name: orders-db\n "
          "spec:\n "
          "  ports:\n-  - port: 5432\n+  - port: 5433\n     targetPort: 5432\n",
          "service or alias spec.ports.port: 5432 -> 5433 raised" },
        { "deploy/networkpolicy.yaml",
          "@@ -1,12 +1,12 @@\n kind: NetworkPolicy\n metadata:\n   name: allow-orders\n spec:\n   "
          "egress:\n   - ports:\n-    - port: 5432\n+    - port: 5433\n",
          "perhaps network rule spec.egress.ports.port: 5432 -> 5433 raised" },
        { "src/Program.cs",
          "@@ -3,2 +3,2 @@\n-options.UseNpgsql(\"Host=10.1.2.3;Database=orders;Maximum Pool "
          "Size=20\");\n+options.UseNpgsql(\"Host=10.1.2.3;Database=orders;Maximum Pool "
          "Size=400\");\n",
          "pool size options.UseNpgsql: Host=10.1.2.3;Database=orders;Maximum Pool Size=20 -> "
          "Host=10.1.2.3;Database=orders;Maximum Pool Size=400 raised =target" },
        { "config/packages/doctrine.yaml",
          "@@ -1,4 +1,4 @@\n doctrine:\n   dbal:\n-    url: "
          "'%env(resolve:DATABASE_URL)%'\n+    url: '%env(resolve:DATABASE_RW_URL)%'\n",
          "connection string doctrine.dbal.url: %env(resolve:DATABASE_URL)% -> "
          "%env(resolve:DATABASE_RW_URL)%" },
        { "internal/config/config.go",
          "@@ -28,5 +28,5 @@ func Load() (*Config, error) {\n \tcfg := &Config{\n-\t\tDBHost: "
          "getenv(\"DB_HOST\", \"old.internal\"),\n+\t\tDBHost: getenv(\"DB_HOST\", "
          "\"10.1.2.3\"),\n \t\tDBPort: getenvInt(\"DB_PORT\", 5432),\n",
          "host &Config.DBHost: getenv(\"DB_HOST\", \"old.internal\") -> getenv(\"DB_HOST\", "
          "\"10.1.2.3\") =target" },
        { "orders/config.py",
          "@@ -3,4 +3,4 @@\n class Settings(BaseSettings):\n-    db_host: str = "
          "\"old.internal\"\n+    "
          "db_host: str = \"10.1.2.3\"\n",
          "host Settings.db_host: old.internal -> 10.1.2.3 =target" },
        { "charts/orders/templates/deployment.yaml",
          "@@ -3,4 +3,4 @@\n         env:\n         - name: DB_HOST\n-          value: {{ "
          ".Values.db.host | quote }}\n+          value: {{ .Values.db.proxy | quote }}\n",
          "host env.DB_HOST: {{ .Values.db.host | quote }} -> {{ .Values.db.proxy | quote }}" },
        { "deploy/orders.service",
          "@@ -3,2 +3,2 @@\n [Service]\n-Environment=\"DB_HOST=old.internal\"\n"
          "+Environment=\"DB_HOST=10.1.2.3\"\n",
          "host Service.DB_HOST: old.internal -> 10.1.2.3 =target" },
        { "overlays/production/kustomization.yaml",
          "@@ -3,4 +3,4 @@\n     - op: replace\n       path: /data/DB_HOST\n-      value: "
          "old.internal\n+      value: 10.1.2.3\n",
          "host DB_HOST: old.internal -> 10.1.2.3 =target" },
        { "ecs/task.json",
          "@@ -3,6 +3,6 @@\n       \"environment\": [\n         {\n           \"name\": "
          "\"DB_HOST\",\n-          \"value\": \"old.internal\"\n+          \"value\": "
          "\"10.1.2.3\"\n         }\n",
          "host environment.DB_HOST: old.internal -> 10.1.2.3 =target" },
        { "cloudformation/app.yml",
          "@@ -3,4 +3,4 @@\n Parameters:\n   DBPoolSize:\n     Type: Number\n-    Default: 20\n+   "
          " "
          "Default: 200\n",
          "pool size Parameters.DBPoolSize.DBPoolSize: 20 -> 200 raised" },
        { "config/database.yml",
          "@@ -3,3 +3,3 @@\n production:\n-  pool: <%= ENV.fetch(\"RAILS_MAX_THREADS\") { 5 } "
          "%>\n+  "
          "pool: <%= ENV.fetch(\"RAILS_MAX_THREADS\") { 50 } %>\n",
          "pool size production.pool: <%= ENV.fetch(\"RAILS_MAX_THREADS\") { 5 } %> -> <%= "
          "ENV.fetch(\"RAILS_MAX_THREADS\") { 50 } %> raised" },
        { "terraform/rds.tf",
          "@@ -3,5 +3,5 @@\n resource \"aws_db_parameter_group\" \"orders\" {\n   parameter {\n    "
          " "
          "name  = \"max_connections\"\n-    value = \"500\"\n+    value = \"100\"\n   }\n",
          "server connection limit orders.parameter.max_connections: 500 -> 100 lowered" },
        { "src/main/java/shop/DatabaseConfig.java",
          "@@ -3,2 +3,2 @@\n-    @Value(\"${db.host:old.internal}\")\n+    "
          "@Value(\"${db.host:10.1.2.3}\")\n     private String host;\n",
          "host @Value: ${db.host:old.internal} -> ${db.host:10.1.2.3} =target" },
        { "charts/orders/values-production.yaml",
          "@@ -3,3 +3,3 @@\n postgresql:\n-  enabled: true\n+  enabled: false\n",
          "service or alias postgresql.enabled: true -> false" },
        { "db/V7__limit.sql", "@@ -1 +1 @@\n-SELECT 1;\n+ALTER ROLE app CONNECTION LIMIT 5;\n",
          "server connection limit CONNECTION LIMIT: none -> 5" },
    };
    (void)state;

    check_rows(rows, ARRAY_LEN(rows), &orders);
}

static void what_only_looks_like_a_setting_is_harmless_with_its_reason(void **state)
{
    static const struct row rows[] = {
        /* comments */
        { "config/database.yml",
          "@@ -3,3 +3,4 @@ production:\n   adapter: postgresql\n+  # host: the database team owns "
          "this\n "
          "  host: a.internal\n",
          "(a comment) connection setting : none -> none" },
        { "internal/config/db.go",
          "@@ -3,3 +3,3 @@\n-\t// DBHost is the host of the database\n+\t// DBHost names the "
          "database "
          "host\n \tDBHost string\n",
          "(a comment) connection setting : none -> none; (a comment) connection setting : none -> "
          "none" },
        { "values.yaml",
          "@@ -3,2 +3,2 @@ database:\n-  port: 5432 # the usual\n+  port: 5432 # as everywhere\n",
          "" },
        /* documents, tests, examples, pipelines */
        { "README.md", "@@ -1 +1 @@\n-DB_HOST=a.internal\n+DB_HOST=10.1.2.3\n", "" },
        { "docs/database.md", "@@ -1 +1 @@\n-Set `DB_HOST: a`\n+Set `DB_HOST: b`\n",
          "(documentation) connection setting : none -> none" },
        { "tests/fixtures/app.env", "@@ -1 +1 @@\n-DB_PORT=5432\n+DB_PORT=15432\n",
          "(a test or fixture) port DB_PORT: 5432 -> 15432 raised" },
        { "internal/db/db_test.go",
          "@@ -1,2 +1,2 @@\n-\tcfg := Config{DBHost: \"a\"}\n+\tcfg := Config{DBHost: \"b\"}\n",
          "(a test or fixture) host cfg.Config.DBHost: a -> b" },
        { "config/database.yml.example", "@@ -1,2 +1,2 @@\n production:\n-  host: a\n+  host: b\n",
          "(an example or template that is not deployed) host production.host: a -> b" },
        { ".github/workflows/ci.yml",
          "@@ -9,3 +9,3 @@ jobs:\n     env:\n-      DATABASE_URL: postgres://a/orders\n+      "
          "DATABASE_URL: postgres://b/orders\n",
          "(build or CI configuration) host jobs.env.DATABASE_URL: postgres://a/orders -> "
          "postgres://b/orders" },
        /* schemas and queries */
        { "db/migrate/20260101_add_host_to_servers.rb",
          "@@ -0,0 +1,3 @@\n+class AddHost < ActiveRecord::Migration[7.1]\n+  add_column :servers, "
          ":host, :string\n+end\n",
          "(a schema migration) connection setting : none -> none" },
        { "db/queries/users.sql", "@@ -1 +1 @@\n-SELECT host FROM db\n+SELECT host, port FROM db\n",
          "(a query) connection setting : none -> none" },
        /* monitoring */
        { "monitoring/db-alerts.yaml",
          "@@ -5,3 +5,3 @@\n       - alert: DatabaseConnectionsHigh\n-        expr: "
          "db_connections{db=\"orders\"} > 80\n+        expr: db_connections{db=\"orders\"} > 60\n",
          "(an alert, dashboard or metric) connection setting : none -> none" },
        { "charts/orders/values.yaml",
          "@@ -5,3 +5,3 @@\n alerts:\n   database:\n-    maxConnections: 80\n+    maxConnections: "
          "90\n",
          "(an alert, dashboard or metric) pool size alerts.database.maxConnections: 80 -> 90 "
          "raised" },
        /* packages */
        { "package-lock.json",
          "@@ -1,3 +1,3 @@\n \"node_modules/pg\": {\n-  \"version\": \"8.1.0\"\n+  \"version\": "
          "\"8.2.0\"\n",
          "" },
        { "requirements.txt", "@@ -1 +1 @@\n-psycopg2==2.9.9\n+psycopg2==2.9.10\n", "" },
        { "docker-compose.yml",
          "@@ -2,3 +2,3 @@ services:\n   db:\n-    image: postgres:15\n+    image: postgres:16\n",
          "" },
        /* the same value */
        { "values-production.yaml",
          "@@ -2,4 +2,4 @@\n database:\n-  host: 10.1.2.3\n-  port: 5432\n+  host: \"10.1.2.3\"\n+ "
          " port: "
          "'5432'\n",
          "(the same value in another form) host database.host: 10.1.2.3 -> 10.1.2.3 same; (the "
          "same "
          "value in another form) port database.port: 5432 -> 5432 same" },
        { "values-production.yaml",
          "@@ -2,3 +2,4 @@\n-database:\n-  host: 10.1.2.3\n+services:\n+  database:\n+    host: "
          "10.1.2.3\n",
          "(the same value in another form) host services.database.host: 10.1.2.3 -> 10.1.2.3 "
          "same" },
        { "config/settings.py",
          "@@ -2,4 +2,4 @@\n-DB_HOST = \"10.1.2.3\"\n DEBUG = False\n TIME_ZONE = "
          "\"UTC\"\n+DB_HOST = "
          "\"10.1.2.3\"\n",
          "(the same value in another form) host DB_HOST: 10.1.2.3 -> 10.1.2.3 same" },
        { "src/db.js",
          "@@ -2,2 +2,2 @@\n-const dbHost = '10.1.2.3';\n+const databaseHost = '10.1.2.3';\n",
          "(a renamed module or identifier) host databaseHost: 10.1.2.3 -> 10.1.2.3 same" },
        /* other environments */
        { "charts/orders/values-staging.yaml",
          "@@ -2,2 +2,2 @@\n database:\n-  host: a\n+  host: 10.1.2.3\n",
          "(another environment) host database.host: a -> 10.1.2.3" },
        { "config/database.yml",
          "@@ -2,3 +2,3 @@\n development:\n   adapter: postgresql\n-  host: a\n+  host: b\n",
          "(another environment) host development.host: a -> b" },
        { "config/app.toml", "@@ -2,3 +2,3 @@\n [test.database]\n-host = \"a\"\n+host = \"b\"\n",
          "(another environment) host test.database.host: a -> b" },
        { "infra/envs/dev/main.tf", "@@ -2,2 +2,2 @@\n-  db_host = \"a\"\n+  db_host = \"b\"\n",
          "(another environment) host db_host: a -> b" },
        { "config/env.py", "@@ -2,2 +2,2 @@\n-STAGING_DB_HOST = \"a\"\n+STAGING_DB_HOST = \"b\"\n",
          "(another environment) host STAGING_DB_HOST: a -> b" },
        { "k8s/orders.yaml",
          "@@ -1,8 +1,8 @@\n kind: ConfigMap\n metadata:\n   name: orders\n   namespace: staging\n "
          "data:\n-  DB_HOST: a.internal\n+  DB_HOST: 10.1.2.3\n",
          "(another environment) host data.DB_HOST: a.internal -> 10.1.2.3" },
        { "app/config.py",
          "@@ -5,4 +5,4 @@\n if ENV == \"development\":\n-    DB_HOST = \"a\"\n+    DB_HOST = "
          "\"b\"\n",
          "(another environment) host DB_HOST: a -> b" },
        { "appsettings.Development.json",
          "@@ -2 +2 @@\n-  \"DbHost\": \"a\",\n+  \"DbHost\": \"b\",\n",
          "(another environment) host DbHost: a -> b" },
        /* other databases and services */
        { "values-production.yaml",
          "@@ -2,3 +2,3 @@ reporting:\n   database:\n-    host: wh1.internal\n+    host: "
          "wh2.internal\n",
          "(another database) host reporting.database.host: wh1.internal -> wh2.internal" },
        { ".env.production", "@@ -1 +1 @@\n-REDIS_URL=redis://a:6379\n+REDIS_URL=redis://b:6379\n",
          "(another database) host REDIS_URL: redis://a:6379 -> redis://b:6379" },
        { "config/prod.yml", "@@ -3,2 +3,2 @@\n redis:\n-  poolSize: 5\n+  poolSize: 50\n",
          "(another database) pool size redis.poolSize: 5 -> 50 raised" },
        { ".env.production", "@@ -1 +1 @@\n-ANALYTICS_DB_HOST=a\n+ANALYTICS_DB_HOST=b\n",
          "(another database) host ANALYTICS_DB_HOST: a -> b" },
        { "values-production.yaml",
          "@@ -2,4 +2,4 @@\n billing:\n   db:\n     host: pg-billing.internal\n-    poolSize: 5\n+ "
          "   "
          "poolSize: 50\n",
          "(another database) pool size billing.db.poolSize: 5 -> 50 raised" },
        { "charts/billing/values-production.yaml",
          "@@ -2,2 +2,2 @@\n database:\n-  poolSize: 5\n+  poolSize: 50\n",
          "(another service) pool size database.poolSize: 5 -> 50 raised" },
        /* it leaves the refused server, which others go on using */
        { "services/billing/values-production.yaml",
          "@@ -2,2 +2,2 @@\n database:\n-  host: 10.1.2.3\n+  host: 10.7.7.7\n",
          "(another service) host database.host: 10.1.2.3 -> 10.7.7.7" },
        { "services/billing/values-production.yaml",
          "@@ -2,2 +2,1 @@\n database:\n-  host: 10.1.2.3\n",
          "(another service) host database.host: 10.1.2.3 -> none" },
    };
    (void)state;

    check_rows(rows, ARRAY_LEN(rows), &orders);
}

static void other_meanings_of_host_pool_and_port_are_no_settings(void **state)
{
    static const struct row rows[] = {
        { "values-production.yaml", "@@ -2,2 +2,2 @@\n ingress:\n-  host: a.com\n+  host: b.com\n",
          "" },
        { "application.yml", "@@ -1,2 +1,2 @@\n server:\n-  port: 8080\n+  port: 8081\n", "" },
        { "application.yml",
          "@@ -1,3 +1,3 @@\n server:\n   tomcat:\n-    max-connections: 80\n+    max-connections: "
          "90\n",
          "" },
        { "config/prod.yml", "@@ -1,2 +1,2 @@\n smtp:\n-  host: a\n+  host: b\n", "" },
        { ".env", "@@ -1 +1 @@\n-KAFKA_HOST=a\n+KAFKA_HOST=b\n", "" },
        { ".env", "@@ -1 +1 @@\n-HTTP_TIMEOUT=5\n+HTTP_TIMEOUT=6\n", "" },
        { ".env", "@@ -1 +1 @@\n-ALLOWED_HOSTS=a.com\n+ALLOWED_HOSTS=b.com\n", "" },
        { "infra/gke.tf",
          "@@ -1,3 +1,3 @@\n resource \"google_container_node_pool\" \"main\" {\n-  max_size = "
          "3\n+  "
          "max_size = 5\n }\n",
          "" },
        { "src/Pool.java",
          "@@ -1,2 +1,2 @@\n-  pool = Executors.newFixedThreadPool(4);\n+  pool = "
          "Executors.newFixedThreadPool(8);\n",
          "" },
        { "src/http.js",
          "@@ -1,2 +1,2 @@\n-const agent = new http.Agent({ maxSockets: 5, host: 'a' });\n+const "
          "agent = "
          "new http.Agent({ maxSockets: 9, host: 'b' });\n",
          "" },
        { "orders/models.py",
          "@@ -1,2 +1,2 @@\n-    name = models.CharField(max_length=20, db_index=True)\n+    name "
          "= "
          "models.CharField(max_length=40, db_index=True)\n",
          "" },
        { "orders/db/users.py",
          "@@ -1,3 +1,3 @@ def get_user(db, id):\n-    user = db.query(User).get(id)\n+    user = "
          "db.get(User, id)\n     return user\n",
          "" },
        { "orders/views.py",
          "@@ -1,2 +1,2 @@\n-from orders.db.pool import get\n+from "
          "orders.database.pool import get\n",
          "" },
        { "orders/log.py",
          "@@ -1 +1 @@\n-logger.info(\"connecting to host=%s port=%s dbname=%s\", a, b, c)\n"
          "+logger.debug(\"connecting to host=%s port=%s dbname=%s\", a, b, c)\n",
          "" },
        { "k8s/postgres/statefulset.yaml",
          "@@ -1,4 +1,4 @@\n kind: StatefulSet\n metadata:\n-  name: postgres\n+  name: "
          "postgres-main\n",
          "" },
        { "values.yaml",
          "@@ -1,4 +1,4 @@\n postgresql:\n   persistence:\n-    size: 20Gi\n+    size: 40Gi\n",
          "" },
        { "src/ImagePool.ts",
          "@@ -1 +1 @@\n-const imagePool = { max: 5 }\n+const imagePool = { max: 9 }\n", "" },
        { "src/instrument.js",
          "@@ -1,2 +1,2 @@\n-Sentry.init({ dsn: process.env.SENTRY_DSN });\n+Sentry.init({ dsn: "
          "process.env.SENTRY_DSN_WEB });\n",
          "" },
        { "infra/prod.tfvars",
          "@@ -1 +1 @@\n-database_sku_name = \"GP_Gen5_32\"\n+database_sku_name = \"GP_Gen5_2\"\n",
          "" },
        { "src/Claims.kt",
          "@@ -1 +1,2 @@\n const val AUTH = \"auth\"\n+const val DATABASE_USERNAME = "
          "\"database_username\"\n",
          "" },
        { "app/__init__.py",
          "@@ -1,3 +1,3 @@ def setup_sqlalchemy_events(app):\n     request_data = {\n-        "
          "\"host\": "
          "\"unknown\",\n+        \"host\": \"none\",\n",
          "" },
        { "templates/job-db-migrate.yaml",
          "@@ -1,4 +1,4 @@\n         env:\n         - name: PORT\n-          value: \"3000\"\n+    "
          "      "
          "value: \"4000\"\n",
          "(a schema migration) connection setting : none -> none" },
        { "values.yaml",
          "@@ -1,3 +1,3 @@\n hooks:\n   dbMigrate:\n-    enabled: true\n+    enabled: false\n",
          "" },
        { "src/orders.js",
          "@@ -1,2 +1,2 @@\n-await db.insert({ host: '10.0.0.1', port: 80 });\n+await db.insert({ "
          "host: '10.0.0.2', port: 81 });\n",
          "" },
        { "config/storage.yml", "@@ -1,3 +1,3 @@\n amazon:\n-  bucket: a\n+  bucket: b\n", "" },
    };
    (void)state;

    check_rows(rows, ARRAY_LEN(rows), &orders);
}

static void lines_are_those_of_the_new_file(void **state)
{
    static const char patch[] = "@@ -18,5 +18,4 @@\n database:\n-  host: a.internal\n   name: "
                                "orders\n-  port: 5432\n+  port: 6432\n   user: app\n";
    struct changed_file f = { .path = "values.yaml",
                              .patch = patch,
                              .patch_len = sizeof(patch) - 1 };
    struct settings_report r;
    (void)state;

    settings_read(&f, 1, &orders, &r);
    assert_int_equal(r.n_changes, 2);
    assert_int_equal(r.changes[0].line, 20);
    assert_int_equal(r.changes[0].old_line, 21);
    assert_string_equal(r.changes[0].old_text, "port: 5432");
    assert_string_equal(r.changes[0].new_text, "port: 6432");
    assert_int_equal(r.changes[0].old_is_target, YES);
    assert_int_equal(r.changes[0].new_is_target, NO);
    /* The removed host stood where the name stands now. */
    assert_int_equal(r.changes[1].line, 19);
    assert_null(r.changes[1].new_value);
    assert_null(r.changes[1].new_text);
    settings_report_clear(&r);
}

static void carriage_returns_change_nothing(void **state)
{
    char *got =
        read_one("app.properties", "@@ -1 +1 @@\r\n-db.host=a\r\n+db.host=10.1.2.3\r\n", &orders);
    (void)state;

    assert_string_equal(got, "host db.host: a -> 10.1.2.3 =target");
    free(got);
}

static void a_setting_that_moves_to_another_file_is_moved(void **state)
{
    static const char gone[] = "@@ -1,2 +1,1 @@\n database:\n-  host: 10.1.2.3\n";
    static const char put[] = "@@ -0,0 +1,2 @@\n+database:\n+  host: 10.1.2.3\n";
    struct changed_file f[] = {
        { .path = "values.yaml", .patch = gone, .patch_len = sizeof(gone) - 1 },
        { .path = "values-production.yaml",
          .patch = put,
          .patch_len = sizeof(put) - 1,
          .added = true },
    };
    struct settings_report r;
    (void)state;

    settings_read(f, 2, &orders, &r);
    assert_int_equal(r.n_counting, 0);
    assert_int_equal(r.harmless[HARMLESS_MOVED], 2);
    settings_report_clear(&r);
}

static void more_clients_are_demand_and_no_setting(void **state)
{
    static const char patch[] = "@@ -1,4 +1,4 @@\n-replicaCount: 4\n+replicaCount: 40\n "
                                "database:\n   poolSize: 10\n";
    struct changed_file f = { .path = "charts/orders/values.yaml",
                              .patch = patch,
                              .patch_len = sizeof(patch) - 1 };
    struct settings_report r;
    (void)state;

    settings_read(&f, 1, &orders, &r);
    assert_int_equal(r.n_counting, 0);
    assert_int_equal(r.n_demand, 1);
    assert_int_equal(r.changes[0].kind, SETTING_DEMAND);
    assert_int_equal(r.changes[0].trend, SETTING_RAISED);
    settings_report_clear(&r);
}

static void what_could_not_be_read_is_told(void **state)
{
    static const struct changed_file f[] = {
        { .path = "config/database.yml" },
        { .path = "web/app.js" },
        { .path = "locales/de.generated.json" },
        { .path = "src/database/pool.go", .previous_path = "src/db/pool.go" },
        { .path = "logo.png", .binary = true },
        { .path = NULL },
    };
    struct settings_report r;
    (void)state;

    settings_read(f, ARRAY_LEN(f), &orders, &r);
    assert_int_equal(r.n_files, 6);
    assert_int_equal(r.n_read, 0);
    assert_int_equal(r.n_without_patch, 4);
    assert_int_equal(r.n_pure_renames, 1);
    assert_int_equal(r.n_unread, 1);
    assert_string_equal(r.unread[0], "config/database.yml");
    assert_true(r.incomplete);
    assert_int_equal(r.harmless[HARMLESS_RENAME], 1);
    assert_int_equal(r.n_counting, 0);
    settings_report_clear(&r);
}

static void nothing_is_known_about_the_errors_and_it_still_reads(void **state)
{
    static const struct change_context nobody;
    static const struct row rows[] = {
        { "values.yaml", "@@ -1,2 +1,2 @@\n db:\n-  host: a\n+  host: b\n",
          "host db.host: a -> b" },
        { "values-staging.yaml", "@@ -1,2 +1,2 @@\n db:\n-  host: a\n+  host: b\n",
          "(another environment) host db.host: a -> b" },
        { "values.yaml", "@@ -1,2 +1,2 @@\n redis:\n-  host: a\n+  host: b\n",
          "host redis.host: a -> b" },
    };
    (void)state;

    check_rows(rows, ARRAY_LEN(rows), &nobody);
}

static void errors_in_staging_make_staging_count(void **state)
{
    static const struct row rows[] = {
        { "values-staging.yaml", "@@ -1,2 +1,2 @@\n db:\n-  host: a\n+  host: 10.1.2.3\n",
          "host db.host: a -> 10.1.2.3 =target" },
        { "values-production.yaml", "@@ -1,2 +1,2 @@\n db:\n-  host: a\n+  host: 10.1.2.3\n",
          "(another environment) host db.host: a -> 10.1.2.3" },
    };
    struct change_context staging = orders;
    (void)state;

    staging.environment = "staging";
    check_rows(rows, ARRAY_LEN(rows), &staging);
}

static void a_refused_cache_is_this_database(void **state)
{
    static const char *const hosts[] = { "cache-1.internal" };
    static const struct change_context cache = {
        .environment = "production", .engine = "redis", .hosts = hosts, .n_hosts = 1, .port = "6379"
    };
    static const struct row rows[] = {
        { ".env",
          "@@ -1 +1 @@\n-REDIS_URL=redis://a:6379\n+REDIS_URL=redis://cache-1.internal:6379\n",
          "host REDIS_URL: redis://a:6379 -> redis://cache-1.internal:6379 =target" },
        { "values.yaml",
          "@@ -1,3 +1,3 @@\n cache:\n   redis:\n-    poolSize: 5\n+    poolSize: 6\n",
          "pool size cache.redis.poolSize: 5 -> 6 raised" },
        { ".env", "@@ -1 +1 @@\n-DATABASE_URL=postgres://a/x\n+DATABASE_URL=postgres://b/x\n",
          "(another database) host DATABASE_URL: postgres://a/x -> postgres://b/x" },
    };
    (void)state;

    check_rows(rows, ARRAY_LEN(rows), &cache);
}

/* Names are secret by their kind, whatever redaction knows. */
static void passwords_are_never_shown(void **state)
{
    char *got =
        read_one("values-production.yaml",
                 "@@ -1,3 +1,3 @@\n database:\n   host: 10.1.2.3\n-  password: tiger-77\n+  "
                 "password: lion-88\n",
                 &orders);
    (void)state;

    assert_null(strstr(got, "tiger"));
    assert_null(strstr(got, "lion"));
    assert_non_null(strstr(got, "password database.password"));
    free(got);
}

static void a_secret_in_base64_is_read_for_its_host(void **state)
{
    /* postgres://app@10.1.2.3/orders */
    char *got = read_one("k8s/secret.yaml",
                         "@@ -1,3 +1,3 @@\n kind: Secret\n data:\n-  DB_HOST: YS5pbnRlcm5hbC4=\n+  "
                         "DB_HOST: MTAuMS4yLjM=\n",
                         &orders);
    (void)state;

    assert_non_null(strstr(got, "a.internal. -> 10.1.2.3"));
    free(got);
}

static void a_huge_change_is_capped_and_said_to_be(void **state)
{
    struct buf patch = BUF_INIT;
    struct changed_file f = { .path = "values.yaml" };
    struct settings_report r;
    (void)state;

    buf_addf(&patch, "@@ -0,0 +1,%d @@\n", 5000);
    for (int i = 0; i < 5000; i++)
        buf_addf(&patch, "+DB_HOST_%d: db-%d.internal\n+db_%d_host: x%d\n", i, i, i, i);
    f.patch = patch.data;
    f.patch_len = patch.len;
    settings_read(&f, 1, &orders, &r);
    assert_true(r.n_changes <= SETTINGS_MAX_CHANGES);
    assert_true(r.incomplete);
    settings_report_clear(&r);
    buf_clear(&patch);
}

static void paths_that_hold_settings_are_known(void **state)
{
    static const struct {
        const char *path;
        bool likely;
    } cases[] = {
        { "config/database.yml", true },  { ".env.production", true },
        { "charts/x/values.yaml", true }, { "infra/main.tf", true },
        { "app/db/pool.py", true },       { "Dockerfile", true },
        { "docs/database.md", false },    { "tests/db_test.go", false },
        { "package-lock.json", false },   { "src/views/list.py", false },
        { "db/migrate/1_x.rb", false },   { NULL, false },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (settings_path_likely(cases[i].path) != cases[i].likely)
            fail_msg("%s", cases[i].path ? cases[i].path : "(null)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_found_in_every_notation),
        cmocka_unit_test(what_only_looks_like_a_setting_is_harmless_with_its_reason),
        cmocka_unit_test(other_meanings_of_host_pool_and_port_are_no_settings),
        cmocka_unit_test(lines_are_those_of_the_new_file),
        cmocka_unit_test(carriage_returns_change_nothing),
        cmocka_unit_test(a_setting_that_moves_to_another_file_is_moved),
        cmocka_unit_test(more_clients_are_demand_and_no_setting),
        cmocka_unit_test(what_could_not_be_read_is_told),
        cmocka_unit_test(nothing_is_known_about_the_errors_and_it_still_reads),
        cmocka_unit_test(errors_in_staging_make_staging_count),
        cmocka_unit_test(a_refused_cache_is_this_database),
        cmocka_unit_test(passwords_are_never_shown),
        cmocka_unit_test(a_secret_in_base64_is_read_for_its_host),
        cmocka_unit_test(a_huge_change_is_capped_and_said_to_be),
        cmocka_unit_test(paths_that_hold_settings_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
