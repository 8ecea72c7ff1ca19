/* redact: what must disappear, what must stay, and that it is quick and stable. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "dbconn/base/redact.h"

#define R REDACTED

static const struct {
    const char *text, *want;
} rows[] = {
    /* URLs */
    { "postgres://app:s3cret@db:5432/shop", "postgres://app:" R "@db:5432/shop" },
    { "postgresql://app:p@ss/w0rd@db.example.com/shop?sslmode=require",
      "postgresql://app:" R "@db.example.com/shop?sslmode=require" },
    { "mysql://root:a/b@c:d@10.0.0.5:3306/x", "mysql://root:" R "@10.0.0.5:3306/x" },
    { "redis://:hunter2@cache:6379/0", "redis://:" R "@cache:6379/0" },
    { "amqp://guest:guest@localhost:5672/", "amqp://guest:" R "@localhost:5672/" },
    { "mongodb+srv://u:p%40ss@c0.ab1.mongodb.net/db?retryWrites=true",
      "mongodb+srv://u:" R "@c0.ab1.mongodb.net/db?retryWrites=true" },
    { "mongodb://u:pw1@a:1,b:2,c:3/?replicaSet=rs0",
      "mongodb://u:" R "@a:1,b:2,c:3/?replicaSet=rs0" },
    { "postgres://u:pa ss'w\"ord@h:5432/d failed", "postgres://u:" R "@h:5432/d failed" },
    { "dsn 'postgres://u:it's@h/d' bad", "dsn 'postgres://u:" R "@h/d' bad" },
    { "postgres://u:1234@h/d", "postgres://u:" R "@h/d" },
    { "postgres://u:12/34@h/d", "postgres://u:" R "@h/d" },
    { "postgres://u:what?ever@h/d", "postgres://u:" R "@h/d" },
    { "postgres://u:a#b@h/d", "postgres://u:" R "@h/d" },
    { "https://user:pa/ss@host/path", "https://user:" R "@host/path" },
    { "jdbc:mysql://h:3306/d?user=app&password=s3cret&useSSL=false",
      "jdbc:mysql://h:3306/d?user=app&password=" R "&useSSL=false" },
    { "jdbc:sqlserver://h:1433;databaseName=d;user=sa;password=Str0ng;encrypt=true",
      "jdbc:sqlserver://h:1433;databaseName=d;user=sa;password=" R ";encrypt=true" },
    { "jdbc:postgresql://u:pw99@h:5432/d", "jdbc:postgresql://u:" R "@h:5432/d" },
    { "jdbc:oracle:thin:scott/tiger99@//h:1521/svc", "jdbc:oracle:thin:scott/" R "@//h:1521/svc" },
    { "scott/tiger@//db-host:1521/XE", "scott/" R "@//db-host:1521/XE" },
    { "root:s3cret@tcp(10.0.0.5:3306)/shop", "root:" R "@tcp(10.0.0.5:3306)/shop" },
    { "app:pw@unix(/tmp/mysql.sock)/shop", "app:" R "@unix(/tmp/mysql.sock)/shop" },
    { "postgres:password@127.0.0.1", "postgres:" R "@127.0.0.1" },
    { "https://ghs_abcdefghij0123456789@github.com/o/r.git", "https://" R "@github.com/o/r.git" },
    { "https://a1b2c3d4e5f60718293a4b5c@git.example.com/o/r", "https://" R "@git.example.com/o/r" },
    { "see http://localhost:4873/@scope/pkg and bob@example.com",
      "see http://localhost:4873/@scope/pkg and bob@example.com" },
    { "http://localhost:8080 failed, ask bob@example.com",
      "http://localhost:8080 failed, ask bob@example.com" },
    { "postgres://app@db:5432/shop", "postgres://app@db:5432/shop" },
    { "dial tcp [::1]:5432: connect: connection refused",
      "dial tcp [::1]:5432: connect: connection refused" },
    { "parse \"postgres://u:pa#ss@h:1/d\": invalid port \":pa\" after host",
      "parse \"postgres://u:" R "@h:1/d\": invalid port \":" R "\" after host" },
    { "parse \"postgres://v:password@1.1.1.1:5432/v\": invalid port \":password\" after host",
      "parse \"postgres://v:" R "@1.1.1.1:5432/v\": invalid port \":" R "\" after host" },
    { "ValueError: Port could not be cast to integer value as 'pa'",
      "ValueError: Port could not be cast to integer value as '" R "'" },
    { "getaddrinfo ENOTFOUND ss@db.example.com", "getaddrinfo ENOTFOUND " R "@db.example.com" },
    { "could not translate host name \"w0rd@db\" to address",
      "could not translate host name \"" R "@db\" to address" },
    { "Can't connect to MySQL server on 'x@172.50.0.9'",
      "Can't connect to MySQL server on '" R "@172.50.0.9'" },
    { "tried postgres://u:Zx81!spectrum@h/d with Zx81!spectrum",
      "tried postgres://u:" R "@h/d with " R },

    { "mongodb%2bsrv%3a%2f%2fann%3as3cr%40et%40c0.ab1.mongodb.net%2fshop:27017: [Errno 11001]",
      "mongodb%2bsrv%3a%2f%2fann%3a" R "%40c0.ab1.mongodb.net%2fshop:27017: [Errno 11001]" },

    /* name=value */
    { "host=db port=5432 user=app password='p w\\'q9' sslmode=disable",
      "host=db port=5432 user=app password='" R "' sslmode=disable" },
    { "host=db password=abc dbname=x", "host=db password=" R " dbname=x" },
    { "(dsn: host=db password=abc)", "(dsn: host=db password=" R ")" },
    { "Server=tcp:h,1433;User ID=sa;Password=a,b(c)d;Encrypt=True",
      "Server=tcp:h,1433;User ID=sa;Password=" R ";Encrypt=True" },
    { "UID=u;PWD={Gr33n;Hor}}se} (10061)", "UID=u;PWD={" R "} (10061)" },
    { "Data Source=h;Pwd=\"x;y\";Database=d", "Data Source=h;Pwd=\"" R "\";Database=d" },
    { "PGPASSWORD=s3cret psql -h db", "PGPASSWORD=" R " psql -h db" },
    { "export MYSQL_PWD='a b'", "export MYSQL_PWD='" R "'" },
    { "DB_PASSWORD=hunter2\nDB_HOST=db", "DB_PASSWORD=" R "\nDB_HOST=db" },
    { "  password: two words here\n  host: db", "  password: " R "\n  host: db" },
    { "+    password: hunter2 # new", "+    password: " R " # new" },
    { "spring.datasource.password = s3 cret", "spring.datasource.password = " R },
    { "{\"user\":\"app\",\"password\":\"s\\\"x\",\"host\":\"db\"}",
      "{\"user\":\"app\",\"password\":\"" R "\",\"host\":\"db\"}" },
    { "{\\\"password\\\":\\\"s3cret\\\",\\\"host\\\":\\\"db\\\"}",
      "{\\\"password\\\":\\\"" R "\\\",\\\"host\\\":\\\"db\\\"}" },
    { "{'user': 'app', 'password': 'it\\'s', 'host': 'db'}",
      "{'user': 'app', 'password': '" R "', 'host': 'db'}" },
    { "connect(host='db', password=u'x1', port=1)",
      "connect(host='db', password=u'" R "', port=1)" },
    { "{:host=>\"db\", :password=>\"x1\", :port=>1}",
      "{:host=>\"db\", :password=>\"" R "\", :port=>1}" },
    { "['password' => 'x1', 'host' => 'db']", "['password' => '" R "', 'host' => 'db']" },
    { "config['password'] = \"x1\"", "config['password'] = \"" R "\"" },
    { "password: 'it''s', host: 'db'", "password: '" R "', host: 'db'" },
    { "<password>x1</password><host>db</host>", "<password>" R "</password><host>db</host>" },
    { "<add key=\"Password\" value=\"x1y2\"/>", "<add key=\"Password\" value=\"" R "\"/>" },
    { "- name: DB_PASSWORD\n  value: s3cret\n- name: DB_HOST\n  value: db",
      "- name: DB_PASSWORD\n  value: " R "\n- name: DB_HOST\n  value: db" },
    { "{\"name\":\"API_TOKEN\",\"value\":\"abc\"},{\"name\":\"HOST\",\"value\":\"db\"}",
      "{\"name\":\"API_TOKEN\",\"value\":\"" R "\"},{\"name\":\"HOST\",\"value\":\"db\"}" },
    { "new_password=hunter2&confirm_password=hunter2&user=ann",
      "new_password=" R "&confirm_password=" R "&user=ann" },
    { "?api_key=abcdef&q=1", "?api_key=" R "&q=1" },
    { "client_secret=abc&grant_type=x", "client_secret=" R "&grant_type=x" },
    { "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
      "AWS_SECRET_ACCESS_KEY=" R },
    { "DefaultEndpointsProtocol=https;AccountName=n;AccountKey=aGVsbG8=;EndpointSuffix=s",
      "DefaultEndpointsProtocol=https;AccountName=n;AccountKey=" R ";EndpointSuffix=s" },
    { "API key: abc123", "API key: " R },
    { "APP_KEY=base64:abc=", "APP_KEY=" R },
    { "redis.Redis(host='h', password=b'\\x01', db=0)",
      "redis.Redis(host='h', password=b'" R "', db=0)" },
    { "{Host:db Port:5432 Password:x1 Database:d}",
      "{Host:db Port:5432 Password:" R " Database:d}" },
    { "cache:6379,password=x1,ssl=True,abortConnect=False",
      "cache:6379,password=" R ",ssl=True,abortConnect=False" },

    { "PGPASSWORD=a,b}c)d\nPGHOST=db", "PGPASSWORD=" R "\nPGHOST=db" },
    { "password: 'a'b', host: db", "password: '" R "', host: db" },
    { "mysql://root:a@b]c}d,e@10.0.0.5/x", "mysql://root:" R "@10.0.0.5/x" },
    { "{\"url\":\"postgres://u:pw1@db/x\",\"mail\":\"a@b.example\"}",
      "{\"url\":\"postgres://u:" R "@db/x\",\"mail\":\"a@b.example\"}" },

    /* command lines and statements */
    { "mysql -h db -u root -ps3cret shop", "mysql -h db -u root -p" R " shop" },
    { "mysqldump --user=root --password=s3cret x", "mysqldump --user=root --password=" R " x" },
    { "tool --password s3cret --host db", "tool --password " R " --host db" },
    { "tool --token 's 3' --host db", "tool --token '" R "' --host db" },
    { "CREATE USER a IDENTIFIED BY 's3cret'", "CREATE USER a IDENTIFIED BY '" R "'" },
    { "ALTER ROLE a WITH PASSWORD 'x''y'", "ALTER ROLE a WITH PASSWORD '" R "'" },
    { "requirepass s3cret\nport 6379", "requirepass " R "\nport 6379" },
    { "curl -u bob:s3cret http://h/", "curl -u bob:" R " http://h/" },

    { "curl --user 'bob:s3cret' http://h/", "curl --user 'bob:" R "' http://h/" },
    { "docker login -u bob -p s3cret registry.example.com",
      "docker login -u bob -p " R " registry.example.com" },
    { "redis-cli -h cache -a s3cret ping", "redis-cli -h cache -a " R " ping" },
    { "ENV DB_PASSWORD s3cret99", "ENV DB_PASSWORD " R },
    { "machine db login app password s3cret99", "machine db login app password " R },
    { "the password is: s3cret99", "the password is: " R },
    { "setPassword(\"x1\")", "setPassword(\"" R "\")" },
    { "define('DB_PASSWORD', 'x1');", "define('DB_PASSWORD', '" R "');" },
    { "Map(user -> app, password -> x1)", "Map(user -> app, password -> " R ")" },
    { "getConnection(\"jdbc:mysql://h/d\", \"app\", \"x1\")",
      "getConnection(\"jdbc:mysql://h/d\", \"app\", \"" R "\")" },
    { "variable \"db_password\" { default = \"x1\" }",
      "variable \"db_password\" { default = \"" R "\" }" },
    { "<property name=\"db.password\">x1</property>",
      "<property name=\"db.password\">" R "</property>" },
    { "%7B%22password%22%3A%22x1%22%2C%22host%22%3A%22db%22%7D",
      "%7B%22password%22%3A%22" R "%22%2C%22host%22%3A%22db%22%7D" },
    { "[\"password\"]=>\n  string(2) \"x1\"", "[\"password\"]=>\n  string(2) \"" R "\"" },

    /* headers and tokens */
    { "Authorization: Bearer abc.def-123", "Authorization: Bearer " R },
    { "Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic " R },
    { "{'Authorization': 'Bearer abcdef123'}", "{'Authorization': 'Bearer " R "'}" },
    { "sent Bearer AbCdEf0123456789", "sent Bearer " R },
    { "Cookie: sid=1; csrf=2\nHost: x", "Cookie: " R "\nHost: x" },
    { "set-cookie: a=b; Path=/", "set-cookie: " R },
    { "X-Api-Key: abc", "X-Api-Key: " R },
    { "token xoxb-1234567890-abcdefXYZ", "token " R },
    { "xapp-1-A012-345-abcdef0123", R },
    { "ghp_abcdefghijklmnopqrstuvwxyz0123456789", R },
    { "gho_abcdefghijklmnopqrstuvwxyz0123456789", R },
    { "ghs_abcdefghijklmnopqrstuvwxyz0123456789", R },
    { "github_pat_11ABCDEFG0abcdefghij_klmnop", R },
    { "sntrys_eyJpYXQiOjE3MDAwMDAwMDB9_abcDEF", R },
    { "sntryu_0123456789abcdef0123456789abcdef", R },
    { "AKIAIOSFODNN7EXAMPLE", R },
    { "AIzaSyA1234567890abcdefghijklmnopqrstuv", R },
    { "https://hooks.slack.com/services/T000/B000/XXXX", "https://hooks.slack.com/services/" R },
    { "https://hooks.slack.com/commands/T1/2/abc ok", "https://hooks.slack.com/commands/" R " ok" },
    { "wss://wss-primary.slack.com/link/?ticket=abcdefgh&app_id=1",
      "wss://wss-primary.slack.com/link/?ticket=" R "&app_id=1" },
    { "https://files.slack.com/upload/v1/ABC123", "https://files.slack.com/upload/" R },
    { "https://s3/x?X-Amz-Signature=0123456789abcdef&y=1",
      "https://s3/x?X-Amz-Signature=" R "&y=1" },
    { "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc_DEF", R },
    { "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----\nrest",
      "-----BEGIN RSA PRIVATE KEY-----" R "-----END RSA PRIVATE KEY-----\nrest" },
    { "key -----BEGIN PRIVATE KEY-----\nMIIabc cut", "key -----BEGIN PRIVATE KEY-----" R },
    { "values (Admin, $2y$10$abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUV012345678)",
      "values (Admin, " R ")" },
    { "id = Zq40Kb8R826paNV3zmJTgDxYk7WRhLXMqGcAeS19 limit 1", "id = " R " limit 1" },
    { "session_id=abc123", "session_id=" R },

    /* what stays */
    { "Access denied for user 'u'@'h' (using password: YES)",
      "Access denied for user 'u'@'h' (using password: YES)" },
    { "password authentication failed for user \"app\"",
      "password authentication failed for user \"app\"" },
    { "fe_sendauth: no password supplied", "fe_sendauth: no password supplied" },
    { "postgres://u:***@h/d password=[Filtered]", "postgres://u:***@h/d password=[Filtered]" },
    { "password=${DB_PASSWORD} token: {{ .Values.token }}",
      "password=${DB_PASSWORD} token: {{ .Values.token }}" },
    { "password = os.environ[\"DB_PASSWORD\"]", "password = os.environ[\"DB_PASSWORD\"]" },
    { "secretKeyRef: { name: db, key: password }", "secretKeyRef: { name: db, key: password }" },
    { "max_tokens=4096 password_file=/run/secrets/db",
      "max_tokens=4096 password_file=/run/secrets/db" },
    { "Bearer authentication is required", "Bearer authentication is required" },
    { "git@github.com:acme/shop.git postgres:15@sha256:abcdef",
      "git@github.com:acme/shop.git postgres:15@sha256:abcdef" },
    { "commit 0123456789abcdef0123456789abcdef01234567",
      "commit 0123456789abcdef0123456789abcdef01234567" },
    { "ClickHouseNode [uri=http://localhost:0/default]@281105551(failover=2)",
      "ClickHouseNode [uri=http://localhost:0/default]@281105551(failover=2)" },
    { "com.example.VeryLongJavaClassNameForConnectionPoolFactory2",
      "com.example.VeryLongJavaClassNameForConnectionPoolFactory2" },
    { "host=db.example.com:5432 database=shop user=app",
      "host=db.example.com:5432 database=shop user=app" },
    { "password=\"!Sub a\npostgresql://app:pw@db/shop\n\"",
      "password=\"!Sub a\npostgresql://app:" R "@db/shop\n\"" },
    { "x_token=1&sig=token=2&z", "x_token=" R "&sig=" R "&z" },
    { "docker run -p 5432:5432 postgres; psql -p 5433",
      "docker run -p 5432:5432 postgres; psql -p 5433" },
    { "getConnection(\"jdbc:mysql://h/d\") failed", "getConnection(\"jdbc:mysql://h/d\") failed" },
    { "secret shop-db-7f9c4 not found, token expired",
      "secret shop-db-7f9c4 not found, token expired" },
    { "AUTH failed: the password was refused", "AUTH failed: the password was refused" },
    { "(DESCRIPTION=(CONNECT_DATA=(SID=SHOP)))", "(DESCRIPTION=(CONNECT_DATA=(SID=SHOP)))" },
    { "", "" },
};

static void every_secret_goes_and_the_address_stays(void **state)
{
    (void)state;
    size_t wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *got = redact_dup(rows[i].text);
        if (strcmp(got, rows[i].want) != 0) {
            print_error("  text %s\n   got %s\n  want %s\n", rows[i].text, got, rows[i].want);
            wrong++;
        }
        free(got);
    }
    assert_int_equal(wrong, 0);
}

static void redacting_twice_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *once = redact_dup(rows[i].text), *twice = redact_dup(once);
        assert_string_equal(once, twice);
        free(once);
        free(twice);
    }
}

static void remembered_values_go_wherever_they_stand(void **state)
{
    (void)state;
    redact_remember("plain-looking");
    redact_remember("short");
    char *got = redact_dup("xplain-looking, a short one");
    assert_string_equal(got, "x" R ", a short one");
    free(got);
    /* also where another reader took over and found nothing to hide */
    got = redact_dup("jdbc:oracle:thin:plain-looking/pw@h, https://plain-looking@h/x");
    assert_null(strstr(got, "plain-looking"));
    free(got);
    redact_forget_all();
    got = redact_dup("plain-looking");
    assert_string_equal(got, "plain-looking");
    free(got);
}

static void people_are_hidden_where_that_is_wanted(void **state)
{
    static const struct {
        const char *text, *want;
    } people[] = {
        { "from ann.b+x@example.com, 8.8.8.8 and 10.0.0.5:5432",
          "from " R ", " R " and 10.0.0.5:5432" },
        { "2001:db8::1 fe80::1 ::1 172.16.0.9 192.168.1.1 100.64.0.1",
          R " fe80::1 ::1 172.16.0.9 192.168.1.1 100.64.0.1" },
        { "git@github.com:acme/shop.git app@db-1 postgres@15.4",
          "git@github.com:acme/shop.git app@db-1 postgres@15.4" },
        { "10:02:58 1.2.3 15.4", "10:02:58 1.2.3 15.4" },
        { "postgres://app:x@db.example.com/shop", "postgres://app:" R "@db.example.com/shop" },
    };

    (void)state;
    redact_people(true, true);
    for (size_t i = 0; i < ARRAY_LEN(people); i++) {
        char *got = redact_dup(people[i].text);
        assert_string_equal(got, people[i].want);
        free(got);
    }
    redact_people(false, false);
    char *got = redact_dup(people[0].text);
    assert_string_equal(got, people[0].text);
    free(got);
}

static void names_tell_secrets_from_settings(void **state)
{
    (void)state;
    static const char *const secret[] = { "DB_PASSWORD",
                                          "apiKey",
                                          "token",
                                          "PGPASSWORD",
                                          "Pwd",
                                          "secretKey",
                                          "MYSQL_ROOT_PASSWORD",
                                          "spring.datasource.password",
                                          "dbPassword2",
                                          "API_KEY",
                                          "aws_secret_access_key",
                                          "REDISCLI_AUTH",
                                          "authToken",
                                          "X-Api-Key",
                                          "DB_PASSWORD_PROD",
                                          "passphrase" };
    static const char *const plain[] = {
        "host",      "DB_USER",    "database",   "secretKeyRef", "secretName", "password_file",
        "tokenizer", "max_tokens", "public_key", "compass",      "keyspace",   "author",
        ""
    };

    for (size_t i = 0; i < ARRAY_LEN(secret); i++)
        if (!redact_is_secret_name(secret[i]))
            fail_msg("%s is not taken for a secret's name", secret[i]);
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        if (redact_is_secret_name(plain[i]))
            fail_msg("%s is taken for a secret's name", plain[i]);
    assert_false(redact_is_secret_name(NULL));
}

static void nothing_makes_it_slow(void **state)
{
    (void)state;
    static const char *const seeds[] = { "a://",
                                         "password=",
                                         "password='",
                                         "token: x ",
                                         "u:p@",
                                         "a@",
                                         "=",
                                         ":",
                                         "://:",
                                         "\\\"",
                                         "-----BEGIN PRIVATE KEY",
                                         "name: password\n",
                                         "aB3",
                                         "<password>",
                                         "Cookie: ",
                                         "a:b:",
                                         "\"password\":",
                                         "http://a:b",
                                         "mysql -p",
                                         " " };

    for (size_t i = 0; i < ARRAY_LEN(seeds); i++) {
        struct buf text = BUF_INIT, out = BUF_INIT;
        while (text.len < 1024 * 1024)
            buf_adds(&text, seeds[i]);
        clock_t start = clock(); /* processor time, which others on the machine do not lengthen */
        redact(buf_str(&text), &out);
        double took_s = (double)(clock() - start) / CLOCKS_PER_SEC;
        if (took_s > 20) /* a quadratic walk takes minutes */
            fail_msg("1 MiB of %s took %.1f s", seeds[i], took_s);
        buf_clear(&text);
        buf_clear(&out);
    }
}

static void any_bytes_are_survived(void **state)
{
    (void)state;
    static const char alphabet[] = "pasword=:'\"\\{}[]@/ \n<>-?&;,x1\xE2\x80\xA2";
    unsigned seed = 1;

    for (int round = 0; round < 4000; round++) {
        struct buf text = BUF_INIT;
        for (int i = 0; i < 60; i++) {
            seed = seed * 1103515245u + 12345u;
            buf_addc(&text, alphabet[(seed >> 16) % (sizeof(alphabet) - 1)]);
            if ((seed >> 8) % 13 == 0)
                buf_adds(&text, "password");
            if ((seed >> 8) % 17 == 0)
                buf_adds(&text, "://");
        }
        char *got = redact_dup(buf_str(&text));
        assert_non_null(got);
        free(got);
        buf_clear(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_secret_goes_and_the_address_stays),
        cmocka_unit_test(redacting_twice_changes_nothing),
        cmocka_unit_test(remembered_values_go_wherever_they_stand),
        cmocka_unit_test(people_are_hidden_where_that_is_wanted),
        cmocka_unit_test(names_tell_secrets_from_settings),
        cmocka_unit_test(nothing_makes_it_slow),
        cmocka_unit_test(any_bytes_are_survived),
    };
    return cmocka_run_group_tests_name("redact", tests, NULL, NULL);
}
