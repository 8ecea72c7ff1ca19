/* failure: chains of exceptions, hints from their surroundings, and whose business it is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "dbconn/analysis/failure.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

/* "kind engine host port database user" of the main target, "-" for what isn't known. */
static char *render(const struct failure *f)
{
    static const struct failure_target nowhere = { 0 };
    const struct failure_target *t = f->n_targets ? &f->targets[0] : &nowhere;
    const char *engine = f->is_database == YES  ? engine_name(f->engine)
                         : f->is_database == NO ? f->instead
                                                : "?";

    return xasprintf("%s, %s, %s %s %s %s", failure_kind_name(f->kind), engine,
                     t->host ? t->host : "-", t->port ? t->port : "-",
                     t->database ? t->database : "-", t->user ? t->user : "-");
}

static void expect(const struct failure *f, const char *want)
{
    char *got = render(f);

    if (strcmp(got, want) != 0)
        print_error("   got %s\n  want %s\n", got, want);
    assert_string_equal(got, want);
    free(got);
}

static const struct {
    struct failure_exception chain[4]; /* causes first */
    size_t n;
    const char *want;
} chains[] = {
    { { { 0 } }, 0, "other, ?, - - - -" },
    /* a timeout of the driver's pool whose cause is a refusal */
    { { { "ConnectionRefusedError", "[Errno 111] Connect call failed ('10.0.0.5', 5432)", NULL },
        { "TimeoutError", "", "asyncio" } },
      2,
      "connection_refused, postgresql, 10.0.0.5 5432 - -" },
    { { { "PSQLException",
          "Connection to db:5432 refused. Check that the hostname and port are correct and that "
          "the postmaster is accepting TCP/IP connections.",
          "org.postgresql.util" },
        { "SQLTransientConnectionException",
          "HikariPool-1 - Connection is not available, request timed out after 30000ms.",
          "java.sql" } },
      2,
      "connection_refused, postgresql, db 5432 - -" },
    /* Node 20: the message of the group is empty, the addresses are in its members */
    { { { "Error", "connect ECONNREFUSED 127.0.0.1:5432", NULL },
        { "Error", "connect ECONNREFUSED ::1:5432", NULL },
        { "AggregateError", "", NULL } },
      3,
      "connection_refused, postgresql, ::1 5432 - -" },
    /* .NET: the socket's exception says how, the driver's which engine */
    { { { "System.Net.Sockets.SocketException", "Connection refused", "System.Net.Sockets" },
        { "MySqlConnector.MySqlException", "Unable to connect to any of the specified MySQL hosts.",
          "MySqlConnector, Version=2.4.0" } },
      2,
      "connection_refused, mysql, - - - -" },
    { { { "ConnectException", "Connection refused (Connection refused)", "java.net" },
        { "CommunicationsException", "Communications link failure",
          "com.mysql.cj.jdbc.exceptions" } },
      2,
      "connection_refused, mysql, - - - -" },
    /* the raised one counts: a fallback refused the login after the cache was refused */
    { { { "ConnectionError", "Error 111 connecting to cache:6379. Connection refused.",
          "redis.exceptions" },
        { "OperationalError",
          "connection to server at \"db\" (10.0.0.5), port 5432 failed: FATAL:  password "
          "authentication failed for user \"app\"",
          "psycopg2" } },
      2,
      "authentication_failed, postgresql, db 5432 - app" },
    /* a module tells what a bare message doesn't */
    { { { "OperationalError", "connection failed", "psycopg.errors" } },
      1,
      "other, postgresql, - - - -" },
    { { { "OperationalError", "[Errno 111] Connection refused", "kombu.exceptions" } },
      1,
      "connection_refused, a message broker, - - - -" },
    /* the HTTP library beneath a search client is not an HTTP API */
    { { { "NewConnectionError",
          "<urllib3.connection.HTTPConnection object at 0x7f>: Failed to establish a new "
          "connection: [Errno 111] Connection refused",
          "urllib3.exceptions" },
        { "ConnectionError", "Connection error caused by: NewConnectionError(...)",
          "elastic_transport" } },
      2,
      "connection_refused, elasticsearch, - - - -" },
    /* all members may be missing */
    { { { NULL, NULL, NULL }, { NULL, "connect ECONNREFUSED 10.0.0.5:3306", NULL } },
      2,
      "connection_refused, mysql, 10.0.0.5 3306 - -" },
};

static void a_chain_gives_one_verdict(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(chains); i++) {
        struct failure f;
        failure_read_chain(*state, chains[i].chain, chains[i].n, &f);
        expect(&f, chains[i].want);
        failure_clear(&f);
    }
}

static const struct {
    const char *value; /* of the exception */
    struct failure_hint hints[8];
    const char *want;
} hints[] = {
    /* a frame's keyword arguments, as Python's repr() */
    { "(2003, \"Can't connect to MySQL server on 'db' (111)\")",
      { { "kwargs",
          "{'host': 'db', 'port': 3306, 'user': 'app', 'password': '[Filtered]', 'db': 'shop'}" } },
      "connection_refused, mysql, db 3306 shop app" },
    { "(2003, \"Can't connect to MySQL server on 'db' (111)\")",
      { { "host", "'db'" }, { "port", "3306" }, { "database", "'shop'" }, { "user", "'app'" } },
      "connection_refused, mysql, db 3306 shop app" },
    /* a DSN among the variables; its password goes nowhere */
    { "SQLSTATE[HY000] [2002] Connection refused",
      { { "dsn", "'mysql:host=10.0.0.5;port=3307;dbname=shop'" }, { "username", "'app'" } },
      "connection_refused, mysql, 10.0.0.5 3307 shop -" },
    { "connection refused",
      { { "DATABASE_URL", "postgres://app:s3cret@db:5432/shop" } },
      "connection_refused, postgresql, db 5432 shop app" },
    /* environment variables of several services */
    { "FATAL:  the database system is starting up",
      { { "REDIS_HOST", "cache" },
        { "REDIS_PORT", "6379" },
        { "DB_HOST", "pg-1" },
        { "DB_PORT", "5432" },
        { "DB_NAME", "shop" },
        { "DB_USER", "app" },
        { "DB_PASSWORD", "s3cret" },
        { "SMTP_HOST", "mail" } },
      "server_starting_up, postgresql, pg-1 5432 shop app" },
    { "FATAL:  sorry, too many clients already",
      { { "PGHOST", "pg-1" }, { "PGDATABASE", "shop" }, { "PGUSER", "app" } },
      "too_many_connections, postgresql, pg-1 - shop app" },
    /* OpenTelemetry's attributes */
    { "connection refused",
      { { "db.system", "postgresql" },
        { "db.name", "shop" },
        { "server.address", "pg-1" },
        { "server.port", "5432" } },
      "connection_refused, postgresql, pg-1 5432 shop -" },
    /* what isn't about a database is left alone */
    { "connection refused",
      { { "server.address", "api.internal" }, { "server.port", "8080" }, { "http.method", "GET" } },
      "connection_refused, ?, - - - -" },
    { "SQLSTATE[HY000] [2002] Connection refused",
      { { "server_name", "web-1" },
        { "host", "web-1.internal" },
        { "user", "id:42" },
        { "url", "https://shop/x" } },
      "connection_refused, mysql, - - - -" },
    { "SQLSTATE[HY000] [2002] Connection refused",
      { { "user", "<User: ann>" }, { "name", "checkout" }, { "db", "<Database object at 0x7f>" } },
      "connection_refused, mysql, - - - -" },
    /* never against the message: another host, another port, another engine */
    { "connect ECONNREFUSED 10.0.0.5:5432",
      { { "config",
          "{\"host\":\"10.0.0.9\",\"port\":5432,\"database\":\"other\",\"user\":\"x\"}" } },
      "connection_refused, postgresql, 10.0.0.5 5432 - -" },
    { "connect ECONNREFUSED 10.0.0.5:5432",
      { { "config", "{\"host\":\"db\",\"port\":5433,\"database\":\"other\",\"user\":\"x\"}" } },
      "connection_refused, postgresql, 10.0.0.5 5432 - -" },
    { "connect ECONNREFUSED 10.0.0.5:5432",
      { { "redisUrl", "redis://cache:6379/0" } },
      "connection_refused, postgresql, 10.0.0.5 5432 - -" },
    /* an address of the message and the name that was configured are one target */
    { "connect ECONNREFUSED 10.0.0.5:5432",
      { { "this", "Client { host: 'db.internal', port: 5432, database: 'shop', user: 'app' }" } },
      "connection_refused, postgresql, 10.0.0.5 5432 shop app" },
    /* literals of other languages */
    { "connection refused",
      { { "config", "{:adapter=>\"postgresql\", :host=>\"db\", :port=>5432, :database=>\"shop\", "
                    ":password=>\"x\"}" } },
      "connection_refused, postgresql, db 5432 shop -" },
    { "connection refused",
      { { "cfg", "&{Driver:mysql Host:db Port:3306 Name:shop User:app Password:x}" } },
      "connection_refused, mysql, db 3306 shop app" },
    { "connection refused",
      { { "params", "ConnectionParameters(user='app', password='x', database='shop', ssl=None)" },
        { "addr", "('10.0.0.5', 5432)" } },
      "connection_refused, postgresql, 10.0.0.5 5432 shop app" },
    { "connection refused",
      { { "opts", "{'hosts': ['a', {'b': 'c}'}], 'ssl': Foo(x=1, y='z)'), 'ENGINE': 'mysql', "
                  "'HOST': u'db', 'NAME': b'shop'" } },
      "connection_refused, mysql, db - shop -" },
    { "connection refused",
      { { "opts", "{'ENGINE': 'mysql', 'HOST': 'db', 'x': [1, 2" } },
      "connection_refused, mysql, db - - -" },
    { "connection refused",
      { { "settings_dict",
          "{'ENGINE': 'django.db.backends.postgresql', 'NAME': 'shop', 'USER': 'app', "
          "'HOST': 'db', 'PORT': '5432', 'PASSWORD': 'x'}" } },
      "connection_refused, postgresql, db 5432 shop app" },
    { "connection refused",
      { { "db", "{'NAME': 'shop', 'HOST': 'db', 'ENGINE': 'mysql'}" } },
      "connection_refused, mysql, db - shop -" },
    /* a broker's failure stays one */
    { "Cannot connect to amqp://guest:**@mq:5672//: [Errno 111] Connection refused",
      { { "DB_HOST", "db" } },
      "connection_refused, a message broker, mq 5672 - guest" },
};

static void hints_complete_what_the_message_lacks(void **state)
{
    size_t wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
        struct failure_exception e = { .value = hints[i].value };
        struct failure f;
        size_t n = 0;
        failure_read(*state, &e, &f);
        while (n < ARRAY_LEN(hints[i].hints) && hints[i].hints[n].key)
            n++;
        (void)failure_add_hints(*state, hints[i].hints, n, &f);
        char *got = render(&f);
        if (strcmp(got, hints[i].want) != 0) {
            print_error("%s, %s=%s\n   got %s\n  want %s\n", hints[i].value, hints[i].hints[0].key,
                        hints[i].hints[0].value, got, hints[i].want);
            wrong++;
        }
        free(got);
        failure_clear(&f);
    }
    assert_int_equal(wrong, 0);
}

static void hints_come_from_json_too(void **state)
{
    static const char text[] = "{\"self\":\"<Connection>\",\"kwargs\":{\"host\":\"'db'\",\"port\":"
                               "\"5432\",\"dbname\":\"'shop'\","
                               "\"user\":\"'app'\",\"password\":\"'[Filtered]'\"},\"retries\":3}";
    struct failure_exception e = { .type = "OperationalError",
                                   .value = "FATAL:  the database system is starting up" };
    struct failure f;
    cJSON *vars = cJSON_Parse(text), *list = cJSON_Parse("[1, 2]");

    failure_read(*state, &e, &f);
    assert_false(failure_add_json_hints(*state, NULL, &f));
    assert_false(failure_add_json_hints(*state, list, &f));
    assert_true(failure_add_json_hints(*state, vars, &f));
    expect(&f, "server_starting_up, postgresql, db 5432 shop app");
    assert_false(failure_add_json_hints(*state, vars, &f)); /* nothing new */
    failure_clear(&f);
    cJSON_Delete(vars);
    cJSON_Delete(list);
}

static void a_name_behind_an_address_becomes_its_alias(void **state)
{
    struct failure_exception e = { .value = "connect ECONNREFUSED 10.0.0.5:5432" };
    struct failure_hint hint = { "DATABASE_URL", "postgres://app:x@db.internal:5432/shop" };
    struct failure f;

    failure_read(*state, &e, &f);
    assert_true(failure_add_hints(*state, &hint, 1, &f));
    assert_string_equal(f.targets[0].host, "10.0.0.5");
    assert_int_equal(f.targets[0].n_aliases, 1);
    assert_string_equal(f.targets[0].aliases[0], "db.internal");
    failure_clear(&f);
}

static void no_secret_reaches_a_target(void **state)
{
    static const char *const values[] = {
        "parse \"postgres://app:s3cretWord@db:5432/shop\": invalid port \":s3cretWord\" after host",
        "getaddrinfo ENOTFOUND s3cretWord@db.example.com",
        "could not translate host name \"s3cretWord@db\" to address: Name or service not known",
        "host=db password=s3cretWord dbname=shop user=app: connection refused",
        "(2003, \"Can't connect to MySQL server on 's3cretWord@db' (111)\")",
        "mongodb%2bsrv%3a%2f%2fann%3as3cretWord%40c0.x.mongodb.net:27017: [Errno 11001] "
        "getaddrinfo",
        "java.net.UnknownHostException: app:s3cretWord@db",
        "postgres://app:wh@t/s3cretWord@db/shop: connection refused",
        "app/s3cretWord@//ora:1521/svc: ORA-12541",
    };

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct failure_exception e = { .value = values[i] };
        struct failure_hint hint = { "password", "s3cretWord" };
        struct failure f;
        failure_read(*state, &e, &f);
        (void)failure_add_hints(*state, &hint, 1, &f);
        for (size_t k = 0; k < f.n_targets; k++) {
            const struct failure_target *t = &f.targets[k];
            const char *const parts[] = { t->host, t->port, t->database, t->user };
            for (size_t p = 0; p < ARRAY_LEN(parts); p++)
                if (text_icontains(parts[p], "s3cret"))
                    fail_msg("%s: %s", values[i], parts[p]);
            for (size_t p = 0; p < t->n_aliases; p++)
                if (text_icontains(t->aliases[p], "s3cret"))
                    fail_msg("%s: alias %s", values[i], t->aliases[p]);
        }
        failure_clear(&f);
    }
}

static void several_addresses_are_several_targets_only_without_a_name(void **state)
{
    struct failure_exception named = {
        .value = "failed to connect to `user=app database=shop`:\n\t10.0.0.1:5432 (db): dial "
                 "error: dial "
                 "tcp 10.0.0.1:5432: connect: connection refused\n\t10.0.0.2:5432 (db): dial "
                 "error: dial "
                 "tcp 10.0.0.2:5432: connect: connection refused"
    };
    struct failure_exception bare = {
        .value = "connect ECONNREFUSED 10.0.0.1:5432, connect ECONNREFUSED 10.0.0.2:5432, connect "
                 "ECONNREFUSED 10.0.0.1:5432"
    };
    struct failure_exception names = {
        .type = "ServerSelectionTimeoutError",
        .value = "m1:27017: [Errno 111] Connection refused,m2:27017: [Errno 111] Connection refused"
    };
    struct failure f;

    failure_read(*state, &named, &f);
    assert_int_equal(f.n_targets, 1);
    assert_string_equal(f.targets[0].host, "db");
    assert_int_equal(f.targets[0].n_aliases, 2);
    assert_string_equal(f.targets[0].aliases[1], "10.0.0.2");
    failure_clear(&f);
    failure_read(*state, &bare, &f);
    assert_int_equal(f.n_targets, 2);
    assert_string_equal(f.targets[1].host, "10.0.0.2");
    failure_clear(&f);
    failure_read(*state, &names, &f);
    assert_int_equal(f.n_targets, 2);
    assert_string_equal(f.targets[1].host, "m2");
    failure_clear(&f);
}

static void a_database_frame_settles_an_open_question(void **state)
{
    struct failure_exception open = { .type = "ConnectionRefusedError",
                                      .value = "Connection refused" };
    struct failure_exception closed = {
        .value = "curl: (7) Failed to connect to h port 8080: Connection "
                 "refused"
    };
    struct failure f;

    failure_read(*state, &open, &f);
    assert_int_equal(failure_is_applicable(&f), UNKNOWN);
    assert_false(failure_add_layer("checkout/views.py", &f));
    assert_int_equal(f.is_database, UNKNOWN);
    assert_true(failure_add_layer("asyncpg/connect_utils.py", &f));
    assert_int_equal(f.engine, ENGINE_POSTGRESQL);
    assert_int_equal(failure_is_applicable(&f), YES);
    failure_clear(&f);
    failure_read(*state, &closed, &f);
    assert_false(failure_add_layer("psycopg2/__init__.py", &f));
    assert_int_equal(failure_is_applicable(&f), NO);
    failure_clear(&f);
}

static void whose_business_it_is(void **state)
{
    static const struct {
        const char *type, *value;
        enum tristate want;
    } rows[] = {
        { NULL, "connect ECONNREFUSED 10.0.0.5:5432", YES },
        { NULL, "Communications link failure", YES },
        { NULL, "P1001: Can't reach database server at `db`:`5432`", YES },
        { NULL, "FATAL:  sorry, too many clients already", YES },
        { NULL, "FATAL:  the database system is shutting down", YES },
        { NULL, "FATAL:  password authentication failed for user \"app\"", NO },
        { NULL, "FATAL:  database \"shop\" does not exist", NO },
        { NULL, "could not translate host name \"db\" to address: Name or service not known", NO },
        { NULL, "pq: SSL is not enabled on the server", NO },
        { "ProgrammingError", "relation \"orders\" does not exist", NO },
        { NULL, "No suitable driver found for jdbc:mysql://h/d", NO },
        { NULL, "invalid url postgres://a:b@h/d", NO },
        { NULL, "connect ECONNREFUSED 10.0.0.5:9001", UNKNOWN },
        { NULL, "connect ECONNREFUSED 10.0.0.5:80", NO },
        { "KeyError", "'currency'", NO },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct failure_exception e = { .type = rows[i].type, .value = rows[i].value };
        struct failure f;
        failure_read(*state, &e, &f);
        if (failure_is_applicable(&f) != rows[i].want)
            fail_msg("%s: %d", rows[i].value, failure_is_applicable(&f));
        failure_clear(&f);
    }
}

static void kinds_have_names_in_both_directions(void **state)
{
    (void)state;
    enum failure_kind kind;

    for (int k = 0; k < FAILURE_COUNT; k++) {
        assert_true(failure_kind_parse(failure_kind_name((enum failure_kind)k), &kind));
        assert_int_equal(kind, k);
        assert_non_null(failure_kind_title((enum failure_kind)k));
    }
    assert_false(failure_kind_parse("fire", &kind));
    assert_false(failure_kind_parse(NULL, &kind));
}

static void any_bytes_are_survived_in_reasonable_time(void **state)
{
    static const char *const pieces[] = { "connect ECONNREFUSED ",
                                          "10.0.0.1:5432",
                                          "host=",
                                          "postgres://",
                                          "a:b@",
                                          "\"",
                                          "'",
                                          "(",
                                          ")",
                                          "port ",
                                          "5432",
                                          "FATAL:  ",
                                          "\n",
                                          "::",
                                          "[",
                                          "]",
                                          "\xC3\xA9",
                                          "\xFF",
                                          "server at \"",
                                          "`",
                                          "«",
                                          "(2003, \"",
                                          "lookup x on ",
                                          "\\n",
                                          " ",
                                          "/" };
    unsigned seed = 7;

    for (int round = 0; round < 300; round++) {
        struct buf text = BUF_INIT;
        for (int i = 0; i < 60; i++) {
            seed = seed * 1103515245u + 12345u;
            buf_adds(&text, pieces[(seed >> 16) % ARRAY_LEN(pieces)]);
        }
        struct failure_exception e = { .type = "Error", .value = buf_str(&text) };
        struct failure f;
        failure_read(*state, &e, &f);
        failure_clear(&f);
        buf_clear(&text);
    }
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct buf text = BUF_INIT;
        while (text.len < (size_t)256 * 1024)
            buf_adds(&text, pieces[i]);
        struct failure_exception e = { .value = buf_str(&text) };
        struct failure f;
        clock_t start = clock(); /* processor time */
        failure_read(*state, &e, &f);
        double took_s = (double)(clock() - start) / CLOCKS_PER_SEC;
        failure_clear(&f);
        if (took_s > 20)
            fail_msg("256 KiB of %s took %.1f s", pieces[i], took_s);
        buf_clear(&text);
    }
}

static void names_that_are_no_utf8_are_read_all_the_same(void **state)
{
    struct failure_exception e = { "Operational\xFF\xFF"
                                   "Error",
                                   "Connection refused", "psycopg2\xF0" };
    struct failure f;

    failure_read(*state, &e, &f);
    assert_int_equal(f.kind, FAILURE_CONNECTION_REFUSED);
    assert_int_equal(f.engine, ENGINE_POSTGRESQL);
    failure_clear(&f);
}

static int setup(void **state)
{
    *state = failure_reader_new();
    return 0;
}

static int teardown(void **state)
{
    failure_reader_free(*state);
    failure_reader_free(NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_gives_one_verdict),
        cmocka_unit_test(hints_complete_what_the_message_lacks),
        cmocka_unit_test(hints_come_from_json_too),
        cmocka_unit_test(a_name_behind_an_address_becomes_its_alias),
        cmocka_unit_test(no_secret_reaches_a_target),
        cmocka_unit_test(several_addresses_are_several_targets_only_without_a_name),
        cmocka_unit_test(a_database_frame_settles_an_open_question),
        cmocka_unit_test(whose_business_it_is),
        cmocka_unit_test(kinds_have_names_in_both_directions),
        cmocka_unit_test(any_bytes_are_survived_in_reasonable_time),
        cmocka_unit_test(names_that_are_no_utf8_are_read_all_the_same),
    };
    return cmocka_run_group_tests_name("failure", tests, setup, teardown);
}
