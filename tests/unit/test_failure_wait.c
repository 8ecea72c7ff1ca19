/* A statement that was given up is no failed connection; a pool that is used up is no silent
 * server. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "dbconn/analysis/failure.h"
#include "dbconn/base/alloc.h"

struct row {
    const char *type, *value;
};

static void read_one(const struct failure_reader *r, const char *type, const char *value,
                     struct failure *f)
{
    failure_read(r, &(struct failure_exception){ .type = type, .value = value }, f);
}

static void a_statement_that_was_given_up_reached_the_server(void **state)
{
    static const struct row rows[] = {
        { "OperationalError", "canceling statement due to statement timeout" },
        { "SequelizeTimeoutError", "canceling statement due to lock timeout" },
        { "com.mysql.cj.jdbc.exceptions.MySQLTimeoutException",
          "Statement cancelled due to timeout or client request" },
        { "OperationalError", "(1205, 'Lock wait timeout exceeded; try restarting transaction')" },
        { "OperationalError", "(3024, 'Query execution was interrupted, maximum statement "
                              "execution time exceeded')" },
        { "Microsoft.Data.SqlClient.SqlException",
          "Execution Timeout Expired.  The timeout period elapsed prior to completion of the "
          "operation or the server is not responding." },
        { "Microsoft.Data.SqlClient.SqlException", "Lock request time out period exceeded." },
        { "java.sql.SQLTimeoutException", "ORA-01013: user requested cancel of current operation" },
        { "pymongo.errors.ExecutionTimeout", "operation exceeded time limit, full error: "
                                             "{'code': 50, 'codeName': 'MaxTimeMSExpired'}" },
        { "com.datastax.oss.driver.api.core.servererrors.ReadTimeoutException",
          "Cassandra timeout during read query at consistency ONE (1 responses were required but "
          "only 0 replica responded)" },
        { "DB::Exception", "Code: 159. DB::Exception: Timeout exceeded: elapsed 31.2 seconds, "
                           "maximum: 30. (TIMEOUT_EXCEEDED)" },
        { "OperationalError", "terminating connection due to idle-in-transaction timeout" },
        { "OperationalError",
          "(1129, \"Host '10.0.0.7' is blocked because of many connection errors; unblock with "
          "'mysqladmin flush-hosts'\")" },
        { "Error", "ER_HOST_IS_BLOCKED: Host '10.0.0.7' is blocked because of many connection "
                   "errors; unblock with 'mysqladmin flush-hosts'" },
        { "DBConnection.ConnectionError", "client #PID<0.7.0> timed out because it queued and "
                                          "checked out the connection for longer than 15000ms" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct failure f;

        read_one(*state, rows[i].type, rows[i].value, &f);
        if (failure_is_applicable(&f) != NO || f.kind != FAILURE_OTHER)
            fail_msg("%s: %s, applicable %d", rows[i].value, failure_kind_name(f.kind),
                     (int)failure_is_applicable(&f));
        assert_string_equal(failure_title(&f), "no failure to reach the server");
        failure_clear(&f);
    }
}

static void a_connection_that_timed_out_stays_one(void **state)
{
    static const struct row rows[] = {
        { "Microsoft.Data.SqlClient.SqlException",
          "Connection Timeout Expired.  The timeout period elapsed while attempting to consume the "
          "pre-login handshake acknowledgement." },
        { "OperationalError", "connection to server at \"pg\" (10.0.0.2), port 5432 failed: "
                              "timeout expired" },
        { "error", "canceling statement due to statement timeout; retry failed: connect ETIMEDOUT "
                   "10.0.0.2:5432" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct failure f;

        read_one(*state, rows[i].type, rows[i].value, &f);
        if (failure_is_applicable(&f) != YES || f.kind != FAILURE_TIMEOUT)
            fail_msg("%s: %s", rows[i].value, failure_kind_name(f.kind));
        failure_clear(&f);
    }
}

static void words_that_begin_like_a_resolver_call_are_none(void **state)
{
    struct failure f;

    read_one(*state, "QueryException", "Query execution failed", &f);
    assert_int_not_equal(f.kind, FAILURE_DNS_FAILURE);
    assert_int_equal(f.n_targets, 0);
    failure_clear(&f);
}

static void a_pool_tells_how_full_it_is(void **state)
{
    static const struct {
        const char *value;
        enum tristate full;
    } rows[] = {
        { "HikariPool-1 - Connection is not available, request timed out after 30001ms (total=8, "
          "active=8, idle=0, waiting=31)",
          YES },
        { "HikariPool-1 - Connection is not available, request timed out after 30001ms (total=0, "
          "active=0, idle=0, waiting=31)",
          NO },
        { "HikariPool-1 - Connection is not available, request timed out after 30001ms (total=18, "
          "active=8, idle=0, waiting=31)",
          UNKNOWN },
        { "HikariPool-1 - Connection is not available, request timed out after 30001ms.", UNKNOWN },
        { "[exec-4] Timeout: Pool empty. Unable to fetch a connection in 30 seconds, none "
          "available[size:50; busy:50; idle:0; lastwait:30000].",
          YES },
        { "QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00",
          YES },
        { "could not obtain a connection from the pool within 5.000 seconds (waited 5.004 "
          "seconds); all pooled connections were in use",
          YES },
        { "The connection pool has been exhausted, either raise 'Max Pool Size' (currently 100) or "
          "'Timeout' (currently 15 seconds) in your connection string.",
          YES },
        { "Timed out fetching a new connection from the connection pool. More info: "
          "http://pris.ly/d/connection-pool (Current connection pool timeout: 10, connection "
          "limit: 9)",
          YES },
        { "Waited 1 sec, 0/5 available", YES },
        { "Waited 1 sec, 3/5 available", UNKNOWN },
        { "redis: connection pool timeout", YES },
        { "connection to server at \"pg\" (10.0.0.2), port 5432 failed: FATAL:  Timed-out waiting "
          "to acquire database connection",
          YES },
        { "pool timed out while waiting for an open connection", UNKNOWN },
        { "connect ECONNREFUSED 10.0.0.2:5432", UNKNOWN },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct failure f;

        read_one(*state, NULL, rows[i].value, &f);
        if (f.pool_full != rows[i].full)
            fail_msg("%s: %d", rows[i].value, (int)f.pool_full);
        failure_clear(&f);
    }
}

static void a_cause_tells_of_the_pool_where_the_raised_one_does_not(void **state)
{
    const struct failure_exception chain[] = {
        { "java.sql.SQLTransientConnectionException",
          "HikariPool-1 - Connection is not available, request timed out after 30000ms (total=9, "
          "active=9, idle=0, waiting=4)",
          NULL },
        { "org.springframework.jdbc.CannotGetJdbcConnectionException",
          "Failed to obtain JDBC Connection", NULL },
    };
    struct failure f;

    failure_read_chain(*state, chain, ARRAY_LEN(chain), &f);
    assert_int_equal(f.pool_full, YES);
    assert_int_equal(f.kind, FAILURE_TIMEOUT);
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
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_that_was_given_up_reached_the_server),
        cmocka_unit_test(a_connection_that_timed_out_stays_one),
        cmocka_unit_test(words_that_begin_like_a_resolver_call_are_none),
        cmocka_unit_test(a_pool_tells_how_full_it_is),
        cmocka_unit_test(a_cause_tells_of_the_pool_where_the_raised_one_does_not),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
