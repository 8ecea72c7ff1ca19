/*
 * What is said of a client that failed although the server answers: it waited for a statement, was
 * shut out by the server, or waited for its own pool.
 *
 * A statement that was given up proves that the server was reached; its "timeout" is none of the
 * connection. A pool that has lent out all its connections is used up at the client, whatever the
 * server does; one that holds none could not make any, which says nothing about its size.
 *
 * Wordings: PostgreSQL (postgres.c, proc.c), MySQL (Server Error Message Reference: 1205, 3024),
 * SqlClient ("Execution Timeout Expired" against "Connection Timeout Expired"), Oracle
 * (ORA-01013, UCP-29), MongoDB (error code 50), Cassandra (native protocol, codes 0x1100 and
 * 0x1200), ClickHouse (159); HikariCP, Tomcat JDBC, Commons Pool, IronJacamar, SQLAlchemy, Active
 * Record, connection_pool, Npgsql, MySqlConnector, Prisma (P2024), Jedis, go-redis, deadpool,
 * MongoDB's wait queue, Amazon RDS Proxy.
 */
#include "failure_private.h"

/* clang-format off */
const struct failure_rule failure_statement_rules[] = {
    { "cancell?ing statement due to [\\w ]+|(?:statement|query) (?:was )?cancell?ed due to [\\w ]+|"
      "Lock wait timeout exceeded|lock request time-? ?out period exceeded|"
      "(?:maximum statement execution time|max_statement_time) (?:was )?exceeded|"
      "Query execution was interrupted|Execution Timeout Expired[^\\n]*|"
      "user requested cancel of current operation|operation exceeded time limit|MaxTimeMSExpired|"
      "terminating connection due to (?:idle-(?:in-transaction|session) timeout|"
      "transaction timeout|conflict with recovery)|"
      "timeout during (?:read|write|\\w+ write) query|"
      "Coordinator node timed out waiting for replica nodes|"
      "\\bCode: 159\\.[^\\n]*|Timeout exceeded: elapsed [\\d.]+[^\\n]*|"
      "timed out because it queued and checked out the connection for longer than|"
      "connection was closed by the pool, possibly due to a timeout|"
      "Host u?'[^'\\n]*' is blocked because of many connection errors[^\\n]*|ER_HOST_IS_BLOCKED",
      FAILURE_OTHER, EVIDENCE_NONE },
};

static const struct failure_rule pool_rules[] = {
    { "\\(total=0, active=0, idle=0", NO, 0 },
    { "\\(total=(?<n>[1-9]\\d*), active=\\k<n>, idle=0|"
      "\\[size:(?<size>[1-9]\\d*); busy:\\k<size>; idle:0|"
      "QueuePool limit of size \\d+ overflow -?\\d+ reached|"
      "all pooled connections (?:were|are) in use|connection pool has been exhausted|"
      "pool error:? Timeout waiting for idle object|connection pool (?:is )?exhausted|"
      "since the pool is exhausted|No managed connections available within|"
      "All connections in the Universal Connection Pool are in use|"
      "Timed out fetching a new connection from the connection pool|"
      "(?-i:redis: connection pool timeout)|waiting for a slot to become available|"
      "\\bWaited [\\d.]+ sec(?:onds)?, 0/[1-9]\\d* available|"
      "Timed out while checking out a connection from (?:the )?connection pool|"
      "Timed-out waiting to acquire database connection|"
      "(?-i:clickhouse: acquire conn timeout)", YES, 0 },
};
/* clang-format on */
const size_t failure_statement_rules_n = ARRAY_LEN(failure_statement_rules);

void failure_wait_init(struct failure_reader *r)
{
    failure_rules_add(&r->statements, failure_statement_rules, failure_statement_rules_n);
    failure_rules_add(&r->pools, pool_rules, ARRAY_LEN(pool_rules));
}

bool failure_is_statement(const struct failure_reader *r, const char *text)
{
    return failure_rules_first(&r->statements, text) != NULL;
}

enum tristate failure_pool_full(const struct failure_reader *r, const char *text)
{
    const struct failure_rule *row = failure_rules_first(&r->pools, text);

    return row ? (enum tristate)row->what : UNKNOWN;
}
