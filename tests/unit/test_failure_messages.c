/* What the drivers of the common languages write when a connection fails, and what it says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "dbconn/analysis/failure.h"
#include "dbconn/base/text.h"

struct row {
    const char *type, *value;
    const char *kind;
    const char *engine; /* "!what": no database but that; "?": can't be told */
    const char *where;  /* the main target: "host port database user", "-" for what isn't named */
};

#define REFUSED "connection_refused"
#define PG "postgresql"

static const struct row libpq[] = {
    { "OperationalError",
      "connection to server at \"shop.proxy-c7.eu-west-1.rds.amazonaws.com\" (10.4.0.9), port 5432 "
      "failed: FATAL:  This RDS proxy has no credentials for the role shop_web. Check the "
      "credentials for this role and try again.",
      "authentication_failed", PG, "shop.proxy-c7.eu-west-1.rds.amazonaws.com 5432 - shop_web" },
    { "OperationalError",
      "connection to server at \"shop.proxy-c7.eu-west-1.rds.amazonaws.com\" (10.4.0.9), port 5432 "
      "failed: FATAL:  IAM authentication failed for the role shop.jobs. Check the IAM token for "
      "this role and try again.",
      "authentication_failed", PG, "shop.proxy-c7.eu-west-1.rds.amazonaws.com 5432 - shop.jobs" },
    { "OperationalError",
      "connection to server at \"orders-db\" (10.4.0.12), port 5432 failed: Connection "
      "refused\n\tIs "
      "the server running on that host and accepting TCP/IP connections?\n",
      REFUSED, PG, "orders-db 5432" },
    { "psycopg.OperationalError",
      "connection failed: connection to server at \"10.4.0.12\", port 6543 failed: Connection "
      "refused",
      REFUSED, PG, "10.4.0.12 6543" },
    { "OperationalError",
      "connection to server at \"db\" (10.0.0.1), port 5432 failed: Connection refused\n\tIs the "
      "server "
      "running on that host and accepting TCP/IP connections?\nconnection to server at \"db\" "
      "(10.0.0.2), port 5432 failed: timeout expired\n",
      "timeout", PG, "db 5432" },
    { "OperationalError",
      "connection to server at \"db\" (10.0.0.1), port 5432 failed: timeout expired\nconnection to "
      "server at \"db\" (10.0.0.2), port 5432 failed: Connection refused\n",
      REFUSED, PG, "db 5432" },
    { NULL,
      "connection to server on socket \"/run/postgresql/.s.PGSQL.5433\" failed: No such file or "
      "directory\n\tIs the server running locally and accepting connections on that socket?",
      "socket_missing", PG, "/run/postgresql/.s.PGSQL.5433" },
    { NULL,
      "could not connect to server: Connection refused\n\tIs the server running locally and "
      "accepting\n\tconnections on Unix domain socket \"/tmp/.s.PGSQL.5432\"?\n",
      REFUSED, PG, "/tmp/.s.PGSQL.5432" },
    { "PG::ConnectionBad",
      "could not connect to server: No route to host\n\tIs the server running on host "
      "\"10.1.2.3\" and accepting\n\tTCP/IP connections on port 5432?\n",
      "host_unreachable", PG, "10.1.2.3 5432" },
    { "PG::UnableToSend",
      "PQconsumeInput() server closed the connection unexpectedly\n\tThis probably means "
      "the server terminated abnormally\n\tbefore or while processing the request.",
      "connection_reset", PG, "" },
    { "ActiveRecord::ConnectionNotEstablished",
      "connection to server at \"fe80::1\", port 5432 failed: Network is unreachable",
      "host_unreachable", PG, "fe80::1 5432" },
    { "ActiveRecord::DatabaseConnectionError",
      "There is an issue connecting with your hostname: db.internal.\n\nPlease check your database "
      "configuration and ensure there is a valid connection to your database.",
      "other", "unknown", "db.internal" },
    { "sqlalchemy.exc.OperationalError",
      "(psycopg2.OperationalError) connection to server at \"pg\" (172.18.0.2), port 5432 failed: "
      "FATAL:  "
      "password authentication failed for user \"shop\"\n\n(Background on this error at: "
      "https://sqlalche.me/e/20/e3q8)",
      "authentication_failed", PG, "pg 5432 - shop" },
    { "sqlalchemy.exc.OperationalError",
      "(psycopg2.OperationalError) FATAL:  remaining connection slots are reserved for roles with "
      "the "
      "SUPERUSER attribute\n\n[SQL: SELECT host, port FROM servers WHERE host = '10.9.9.9:1234']\n"
      "(Background on this error at: https://sqlalche.me/e/14/e3q8)",
      "too_many_connections", PG, "" },
    { "sqlalchemy.exc.TimeoutError",
      "QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00 "
      "(Background on "
      "this error at: https://sqlalche.me/e/20/3o7r)",
      "timeout", "unknown", "" },
    { "psycopg_pool.PoolTimeout", "couldn't get a connection after 30.00 sec", "timeout", PG, "" },
    { "psycopg2.pool.PoolError", "connection pool exhausted", "too_many_connections", PG, "" },
    { "OperationalError", "FATAL:  sorry, too many clients already\n", "too_many_connections", PG,
      "" },
    { "OperationalError", "FATAL:  no more connections allowed (max_client_conn)",
      "too_many_connections", PG, "" },
    { "OperationalError",
      "FATAL:  MaxClientsInSessionMode: max clients reached - in Session mode max "
      "clients are limited to pool_size",
      "too_many_connections", PG, "" },
    { "OperationalError",
      "server closed the connection unexpectedly\n\tThis probably means the server "
      "terminated abnormally\n\tbefore or while processing the request.\n",
      "connection_reset", PG, "" },
    { "OperationalError", "SSL SYSCALL error: EOF detected\n", "connection_reset", PG, "" },
    { "OperationalError",
      "terminating connection due to administrator command\nSSL connection has been "
      "closed unexpectedly\n",
      "connection_reset", PG, "" },
    { "OperationalError",
      "connection to server at \"db\" (10.0.0.1), port 5432 failed: FATAL:  database "
      "\"shop\" does not exist\n",
      "unknown_database", PG, "db 5432 shop" },
    { "OperationalError",
      "connection to server at \"db\" (10.0.0.1), port 5432 failed: FATAL:  role \"app\" "
      "is not permitted to log in\n",
      "authentication_failed", PG, "db 5432 - app" },
    { "OperationalError",
      "connection to server at \"db\" (10.0.0.1), port 5432 failed: fe_sendauth: no "
      "password supplied\n",
      "authentication_failed", PG, "db 5432" },
    { "OperationalError",
      "connection to server at \"db\" (10.0.0.1), port 5432 failed: server does not "
      "support SSL, but SSL was required\n",
      "tls_failure", PG, "db 5432" },
    { "OperationalError",
      "connection to server at \"db\" (10.0.0.1), port 5432 failed: root certificate "
      "file \"/root/.postgresql/root.crt\" does not exist\nEither provide the file, ...",
      "tls_failure", PG, "db 5432" },
    { "OperationalError",
      "connection to server at \"db\" (10.0.0.1), port 5432 failed: server certificate "
      "for \"pg.prod.example\" does not match host name \"db\"\n",
      "tls_failure", PG, "db 5432" },
    { "OperationalError",
      "connection to server at \"db\" (10.0.0.1), port 5432 failed: FATAL:  the database "
      "system is not yet accepting connections\nDETAIL:  Consistent recovery state has "
      "not been yet reached.\n",
      "server_starting_up", PG, "db 5432" },
    { "PDOException",
      "SQLSTATE[08006] [7] connection to server at \"db\" (10.0.0.1), port 5432 failed: "
      "Connection refused\n\tIs the server running on that host and accepting TCP/IP "
      "connections?",
      REFUSED, PG, "db 5432" },
    { "Illuminate\\Database\\QueryException",
      "SQLSTATE[08006] [7] could not translate host name \"pgsql\" to address: Name or service not "
      "known "
      "(Connection: pgsql, SQL: select * from \"users\" where \"email\" = a@b.example limit 1)",
      "dns_failure", PG, "pgsql" },
    { "Illuminate\\Database\\QueryException",
      "SQLSTATE[08006] [7] connection to server at \"10.0.0.7\", port 5432 failed: Connection "
      "timed out "
      "(Connection: pgsql, Host: 10.0.0.7, Port: 5432, Database: shop, SQL: select 1)",
      "timeout", PG, "10.0.0.7 5432 shop" },
    { NULL,
      "pg_restore: error: connection to server at \"db\" (10.0.0.1), port 5432 failed: Connection "
      "refused",
      REFUSED, PG, "db 5432" },
    { "OperationalError",
      "Verbindung zum Server auf »db« (10.0.0.1), Port 5432 fehlgeschlagen: "
      "Verbindungsaufbau abgelehnt\n\tLäuft der Server auf diesem Host und akzeptiert er "
      "TCP/IP-Verbindungen?",
      REFUSED, PG, "db 5432" },
    { NULL,
      "la connexion au serveur sur « localhost » (127.0.0.1), port 5432 a échoué : Connexion "
      "refusée\n\tLe serveur est-il actif sur cet hôte et accepte-t-il les connexions ?",
      REFUSED, PG, "localhost 5432" },
    { NULL,
      "não pôde conectar ao servidor: Conexão recusada\n\tO servidor está executando na máquina "
      "\"db\" (10.0.0.1) e aceitando\n\tconexões TCP/IP na porta 5432?",
      REFUSED, PG, "db 5432" },
    { NULL,
      "подключиться к серверу \"db\" (10.0.0.1), порту 5432 не удалось: Connection refused "
      "(0x0000274D/10061)\n\tСервер действительно работает по данному адресу и принимает "
      "TCP-соединения?",
      REFUSED, PG, "db 5432" },
    { NULL, "\"db\"(10.0.0.1)、ポート5432のサーバーへの接続に失敗しました: 接続を拒否されました",
      REFUSED, PG, "db 5432" },
    { NULL, "连接到服务器 \"db\"（10.0.0.1）的端口 5432 失败: 拒绝连接", REFUSED, PG, "db 5432" },
    { NULL,
      "nie można połączyć się z serwerem: Połączenie odrzucone\n\tCzy serwer działa na hoście "
      "\"db\" "
      "(10.0.0.1) i akceptuje\n\tpołączenia TCP/IP na porcie 5432?",
      REFUSED, PG, "db 5432" },
    { NULL, "FATAL:  la autentificación password falló para el usuario «app»",
      "authentication_failed", PG, "- - - app" },
    { NULL,
      "konnte Hostnamen »db.intern« nicht in Adresse übersetzen: Der Name oder der Dienst ist "
      "nicht "
      "bekannt",
      "dns_failure", PG, "db.intern" },
    { NULL, "fallo: FATAL:  no existe la base de datos «tienda»", "unknown_database", PG,
      "- - tienda" },
};

static const struct row postgres_others[] = {
    { "asyncpg.exceptions.CannotConnectNowError", "the database system is starting up",
      "server_starting_up", PG, "" },
    { "asyncpg.exceptions.InvalidPasswordError", "password authentication failed for user \"app\"",
      "authentication_failed", PG, "- - - app" },
    { "OSError",
      "Multiple exceptions: [Errno 111] Connect call failed ('::1', 5432, 0, 0), [Errno 111] "
      "Connect call failed ('127.0.0.1', 5432)",
      REFUSED, PG, "::1 5432" },
    { "gaierror", "[Errno -2] Name or service not known", "dns_failure", "?", "" },
    { "TimeoutError", NULL, "timeout", "?", "" },
    { "pg8000.exceptions.InterfaceError",
      "Can't create a connection to host db and port 5432 (timeout is None and source_address is "
      "None).",
      "other", PG, "db 5432" },
    { "Error", "connect ECONNREFUSED 10.0.0.5:5432", REFUSED, PG, "10.0.0.5 5432" },
    { "Error", "connect ECONNREFUSED ::1:5432", REFUSED, PG, "::1 5432" },
    { "Error", "connect ECONNREFUSED /tmp/.s.PGSQL.5432", REFUSED, PG, "/tmp/.s.PGSQL.5432" },
    { "Error", "connect ENOENT /var/run/postgresql/.s.PGSQL.5432", "socket_missing", PG,
      "/var/run/postgresql/.s.PGSQL.5432" },
    { "Error", "connect EHOSTUNREACH 10.0.0.5:5432 - Local (10.0.0.9:51514)", "host_unreachable",
      PG, "10.0.0.5 5432" },
    { "Error", "getaddrinfo ENOTFOUND pg.internal pg.internal:5432", "dns_failure", PG,
      "pg.internal 5432" },
    { "error", "remaining connection slots are reserved for non-replication superuser connections",
      "too_many_connections", PG, "" },
    { "Error", "Connection terminated unexpectedly", "connection_reset", "?", "" },
    { "Error", "Connection terminated due to connection timeout", "timeout", "?", "" },
    { "Error", "timeout exceeded when trying to connect", "timeout", "?", "" },
    { "Error", "read ECONNRESET", "connection_reset", "?", "" },
    { "Error", "SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string",
      "authentication_failed", PG, "" },
    { "Error", "The server does not support SSL connections", "tls_failure", "?", "" },
    { "AggregateError", "", "other", "?", "" },
    { "SequelizeConnectionRefusedError", "connect ECONNREFUSED 127.0.0.1:5432", REFUSED, PG,
      "127.0.0.1 5432" },
    { "SequelizeConnectionError", "Connection terminated unexpectedly", "connection_reset",
      "unknown", "" },
    { "SequelizeHostNotFoundError", "getaddrinfo ENOTFOUND db", "dns_failure", "unknown", "db" },
    { "SequelizeConnectionAcquireTimeoutError", "Operation timeout", "timeout", "unknown", "" },
    { "KnexTimeoutError",
      "Knex: Timeout acquiring a connection. The pool is probably full. Are you missing a "
      ".transacting(trx) call?",
      "timeout", "unknown", "" },
    { "PrismaClientInitializationError",
      "\nInvalid `prisma.user.findMany()` invocation:\n\n\nCan't reach database server at "
      "`db.internal`:`5432`\n\nPlease make sure your database server is running at "
      "`db.internal`:`5432`.",
      "other", PG, "db.internal 5432" },
    { "PrismaClientInitializationError",
      "Error querying the database: FATAL: sorry, too many clients already", "too_many_connections",
      PG, "" },
    { "PrismaClientInitializationError",
      "Authentication failed against database server at `db`, the provided database credentials "
      "for "
      "`app` are not valid.\n\nPlease make sure to provide valid database credentials for the "
      "database "
      "server at `db`.",
      "authentication_failed", "unknown", "db - - app" },
    { "PrismaClientKnownRequestError",
      "Timed out fetching a new connection from the connection pool. More info: "
      "http://pris.ly/d/connection-pool (Current connection pool timeout: 10, connection limit: 5)",
      "timeout", "unknown", "" },
    { "PrismaClientInitializationError",
      "P1003: Database `shop` does not exist on the database server at "
      "`db:3306`.",
      "unknown_database", "mysql", "db 3306 shop" },
    { "org.postgresql.util.PSQLException",
      "Connection to db.internal:5432 refused. Check that the hostname and port are correct and "
      "that the "
      "postmaster is accepting TCP/IP connections.",
      REFUSED, PG, "db.internal 5432" },
    { "org.postgresql.util.PSQLException",
      "Connection refused. Check that the hostname and port are correct "
      "and that the postmaster is accepting TCP/IP connections.",
      REFUSED, PG, "" },
    { "org.postgresql.util.PSQLException", "The connection attempt failed.", "other", PG, "" },
    { "org.postgresql.util.PSQLException", "An I/O error occurred while sending to the backend.",
      "other", PG, "" },
    { "org.postgresql.util.PSQLException",
      "FATAL: no pg_hba.conf entry for host \"10.0.0.9\", user \"app\", "
      "database \"shop\", no encryption",
      "authentication_failed", PG, "- - shop app" },
    { "SQLTransientConnectionException",
      "HikariPool-1 - Connection is not available, request timed out after 30000ms (total=10, "
      "active=10, "
      "idle=0, waiting=3)",
      "timeout", "unknown", "" },
    { "HikariPool$PoolInitializationException",
      "Failed to initialize pool: Connection to pg:5432 refused. Check that the hostname and port "
      "are "
      "correct and that the postmaster is accepting TCP/IP connections.",
      REFUSED, PG, "pg 5432" },
    { "CannotGetJdbcConnectionException",
      "Could not get JDBC Connection; nested exception is org.postgresql.util.PSQLException: "
      "FATAL: the "
      "database system is starting up",
      "server_starting_up", PG, "" },
    { "io.r2dbc.postgresql.ExceptionFactory$PostgresqlNonTransientResourceException",
      "[28P01] password authentication failed for user \"app\"", "authentication_failed", PG,
      "- - - app" },
    { "NoSuchElementException", "Cannot connect to db/10.0.0.5:5432", "other", PG, "db 5432" },
    { "*net.OpError", "dial tcp 10.0.0.5:5432: connect: connection refused", REFUSED, PG,
      "10.0.0.5 5432" },
    { "*net.OpError", "dial tcp [fd00::5]:5432: i/o timeout", "timeout", PG, "fd00::5 5432" },
    { "*net.OpError",
      "dial tcp: lookup pg.prod on 10.96.0.10:53: read udp 10.1.1.1:4000->10.96.0.10:53: "
      "i/o timeout",
      "dns_failure", PG, "pg.prod" },
    { "*net.OpError", "read tcp 10.1.1.1:40000->10.0.0.5:5432: read: connection reset by peer",
      "connection_reset", PG, "10.0.0.5 5432" },
    { "*net.OpError",
      "dial unix /var/run/postgresql/.s.PGSQL.5432: connect: no such file or directory",
      "socket_missing", PG, "/var/run/postgresql/.s.PGSQL.5432" },
    { "*pgconn.connectError",
      "failed to connect to `host=db user=app database=shop`: dial error (dial tcp 10.0.0.5:5432: "
      "connect: "
      "connection refused)",
      REFUSED, PG, "db 5432 shop app" },
    { "*pgconn.ConnectError",
      "failed to connect to `user=app database=shop`:\n\t10.0.0.5:5432 (db): dial error: dial tcp "
      "10.0.0.5:5432: connect: connection refused\n\t10.0.0.6:5432 (db): dial error: dial tcp "
      "10.0.0.6:5432: connect: connection refused",
      REFUSED, PG, "db 5432 shop app" },
    { "*pgconn.ConnectError",
      "failed to connect to `user=app database=shop`: hostname resolving error: lookup db on "
      "127.0.0.11:53: no such host",
      "dns_failure", PG, "db - shop app" },
    { "*pgconn.ConnectError",
      "failed to connect to `user=app database=shop`: [::1]:5432 (localhost): server error: FATAL: "
      "sorry, "
      "too many clients already (SQLSTATE 53300)",
      "too_many_connections", PG, "localhost 5432 shop app" },
    { NULL, "pq: password authentication failed for user \"app\"", "authentication_failed", PG,
      "- - - app" },
    { NULL, "pq: the database system is starting up", "server_starting_up", PG, "" },
    { NULL, "pq: SSL is not enabled on the server", "tls_failure", PG, "" },
    { NULL, "driver: bad connection", "connection_reset", "?", "" },
    { "Npgsql.NpgsqlException", "Failed to connect to 10.0.0.5:5432", "other", PG,
      "10.0.0.5 5432" },
    { "Npgsql.NpgsqlException",
      "Failed to connect to [::1]:5432 ---> System.Net.Sockets.SocketException (111): Connection "
      "refused",
      REFUSED, PG, "::1 5432" },
    { "Npgsql.NpgsqlException",
      "The connection pool has been exhausted, either raise 'Max Pool Size' "
      "(currently 100) or 'Timeout' (currently 15 seconds) in your connection "
      "string.",
      "timeout", PG, "" },
    { "Npgsql.PostgresException", "53300: sorry, too many clients already", "too_many_connections",
      PG, "" },
    { "Npgsql.NpgsqlException",
      "Exception while reading from stream ---> System.IO.EndOfStreamException: "
      "Attempted to read past the end of the stream.",
      "connection_reset", PG, "" },
    { "DBConnection.ConnectionError", "tcp connect (db:5432): non-existing domain - :nxdomain",
      "dns_failure", PG, "db 5432" },
    { "DBConnection.ConnectionError",
      "connection not available and request was dropped from queue after 2950ms. This means "
      "requests are "
      "coming in and your connection pool cannot serve them fast enough.",
      "timeout", "unknown", "" },
    { NULL,
      "Postgrex.Protocol (#PID<0.1.0>) failed to connect: ** (DBConnection.ConnectionError) tcp "
      "connect (10.0.0.5:5432): timeout",
      "timeout", PG, "10.0.0.5 5432" },
    { NULL,
      "Postgrex.Protocol (#PID<0.1.0>) failed to connect: ** (Postgrex.Error) FATAL 3D000 "
      "(invalid_catalog_name) database \"shop\" does not exist",
      "unknown_database", PG, "- - shop" },
    { "sqlx::Error", "error communicating with database: Connection refused (os error 111)",
      REFUSED, "unknown", "" },
    { NULL,
      "Error { kind: Connect, cause: Some(Os { code: 111, kind: ConnectionRefused, message: "
      "\"Connection refused\" }) }",
      REFUSED, "?", "" },
    { NULL,
      "error connecting to server: failed to lookup address information: Name or service not known",
      "dns_failure", "?", "" },
    { "Sequel::DatabaseConnectionError",
      "PG::ConnectionBad: connection to server at \"10.0.0.5\", port 5432 failed: Operation timed "
      "out",
      "timeout", PG, "10.0.0.5 5432" },
    { NULL,
      "DBI connect('dbname=shop;host=db;port=5432','app',...) failed: connection to server at "
      "\"db\" "
      "(10.0.0.5), port 5432 failed: Connection refused at app.pl line 3.",
      REFUSED, PG, "db 5432 shop app" },
    { NULL,
      "[unixODBC][Driver Manager] SQLSTATE 08001: connection to server at \"db\" (10.0.0.5), port "
      "5432 failed: Connection refused",
      REFUSED, PG, "db 5432" },
};

static const struct row mysql[] = {
    { "OperationalError", "(9501, 'Timed-out waiting to acquire database connection')", "timeout",
      "mysql", "" },
    { "PDOException",
      "SQLSTATE[HY000]: General error: 9006 ProxySQL Error: connection is locked to hostgroup 1",
      "other", "mysql", "" },
    { "OperationalError",
      "(2003, \"Can't connect to MySQL server on 'db' ([Errno 111] Connection refused)\")", REFUSED,
      "mysql", "db" },
    { "OperationalError",
      "(2003, \"Can't connect to MySQL server on 'db' ([Errno 113] No route to host)\")",
      "host_unreachable", "mysql", "db" },
    { "OperationalError",
      "(2003, \"Can't connect to MySQL server on 'db.x' ([Errno -2] Name or service not "
      "known)\")",
      "dns_failure", "mysql", "db.x" },
    { "OperationalError", "(2003, \"Can't connect to MySQL server on 'db:3307' (110)\")", "timeout",
      "mysql", "db 3307" },
    { "OperationalError", "(2003, \"Can't connect to MySQL server on '::1:3306' (111)\")", REFUSED,
      "mysql", "::1 3306" },
    { "MySQLdb.OperationalError", "(2002, \"Can't connect to server on 'db' (111)\")", REFUSED,
      "mysql", "db" },
    { "OperationalError",
      "(2002, \"Can't connect to local server through socket '/run/mysqld/mysqld.sock' "
      "(111)\")",
      REFUSED, "mysql", "/run/mysqld/mysqld.sock" },
    { "OperationalError", "(2005, \"Unknown MySQL server host 'db.internal' (-3)\")", "dns_failure",
      "mysql", "db.internal" },
    { "OperationalError", "(2006, 'MySQL server has gone away')", "connection_reset", "mysql", "" },
    { "OperationalError",
      "(2006, \"MySQL server has gone away (BrokenPipeError(32, 'Broken pipe'))\")",
      "connection_reset", "mysql", "" },
    { "OperationalError",
      "(2013, \"Lost connection to MySQL server at 'reading initial communication "
      "packet', system error: 0\")",
      "connection_reset", "mysql", "" },
    { "OperationalError",
      "(2013, \"Lost connection to MySQL server at 'waiting for initial communication "
      "packet', system error: 110\")",
      "timeout", "mysql", "" },
    { "OperationalError",
      "(2026, 'SSL connection error: self-signed certificate in certificate chain')", "tls_failure",
      "mysql", "" },
    { "OperationalError", "(1040, 'Too many connections')", "too_many_connections", "mysql", "" },
    { "OperationalError",
      "(1203, \"User app already has more than 'max_user_connections' active "
      "connections\")",
      "too_many_connections", "mysql", "- - - app" },
    { "OperationalError", "(1044, \"Access denied for user 'app'@'%' to database 'shop'\")",
      "authentication_failed", "mysql", "- - shop app" },
    { "OperationalError",
      "(1130, \"Host '10.0.0.9' is not allowed to connect to this MySQL server\")",
      "authentication_failed", "mysql", "" },
    { "OperationalError",
      "(1129, \"Host '10.0.0.9' is blocked because of many connection errors; unblock "
      "with 'mysqladmin flush-hosts'\")",
      "other", "mysql", "" },
    { "InterfaceError", "2003: Can't connect to MySQL server on 'db:3306' (111 Connection refused)",
      REFUSED, "mysql", "db 3306" },
    { "asyncmy.errors.OperationalError",
      "(2003, \"Can't connect to MySQL server on 'db' ([Errno 111] Connect "
      "call failed ('10.0.0.5', 3306))\")",
      REFUSED, "mysql", "db 3306" },
    { "Error", "connect ECONNREFUSED 10.0.0.5:3306", REFUSED, "mysql", "10.0.0.5 3306" },
    { "Error", "connect ENOENT /tmp/mysql.sock", "socket_missing", "mysql", "/tmp/mysql.sock" },
    { "Error",
      "ER_ACCESS_DENIED_ERROR: Access denied for user 'app'@'10.0.0.9' (using password: YES)",
      "authentication_failed", "mysql", "- - - app" },
    { "Error", "ER_CON_COUNT_ERROR: Too many connections", "too_many_connections", "mysql", "" },
    { "Error", "ER_BAD_DB_ERROR: Unknown database 'shop'", "unknown_database", "mysql",
      "- - shop" },
    { "Error",
      "ER_NOT_SUPPORTED_AUTH_MODE: Client does not support authentication protocol requested by "
      "server; consider upgrading MySQL client",
      "authentication_failed", "mysql", "" },
    { "Error", "Connection lost: The server closed the connection.", "connection_reset", "?", "" },
    { "Error", "Handshake inactivity timeout", "timeout", "mysql", "" },
    { "SqlError",
      "(conn:-1, no: 45012, SQLState: 08S01) Connection timeout: failed to create socket after "
      "1001ms",
      "timeout", "unknown", "" },
    { "PDOException", "SQLSTATE[HY000] [2002] No such file or directory", "socket_missing", "mysql",
      "" },
    { "PDOException", "SQLSTATE[HY000] [2002] Connection timed out", "timeout", "mysql", "" },
    { "PDOException",
      "SQLSTATE[HY000] [2002] php_network_getaddresses: getaddrinfo for db failed: Name or "
      "service not known",
      "dns_failure", "mysql", "db" },
    { "PDOException",
      "SQLSTATE[HY000] [2002] php_network_getaddresses: getaddrinfo failed: Temporary failure "
      "in name resolution",
      "dns_failure", "mysql", "" },
    { "PDOException",
      "SQLSTATE[HY000] [1045] Access denied for user 'app'@'10.0.0.9' (using password: YES)",
      "authentication_failed", "mysql", "- - - app" },
    { "PDOException", "SQLSTATE[HY000]: General error: 2006 MySQL server has gone away",
      "connection_reset", "mysql", "" },
    { "PDOException", "SQLSTATE[08004] [1040] Too many connections", "too_many_connections",
      "mysql", "" },
    { "Illuminate\\Database\\QueryException",
      "SQLSTATE[HY000] [2002] Connection refused (Connection: mysql, Host: 10.0.0.5, Port: 3306, "
      "Database: "
      "shop, SQL: select * from `hosts` where `host` = 10.9.9.9)",
      REFUSED, "mysql", "10.0.0.5 3306 shop" },
    { "mysqli_sql_exception", "Connection refused", REFUSED, "mysql", "" },
    { "mysqli_sql_exception", "No such file or directory", "socket_missing", "mysql", "" },
    { NULL, "mysqli_connect(): (HY000/2002): Connection refused", REFUSED, "mysql", "" },
    { "com.mysql.cj.jdbc.exceptions.CommunicationsException",
      "Communications link failure\n\nThe last packet sent successfully to the server was 0 "
      "milliseconds "
      "ago. The driver has not received any packets from the server. Caused by: "
      "java.net.ConnectException: "
      "Connection refused (Connection refused)",
      REFUSED, "mysql", "" },
    { "com.mysql.cj.exceptions.CJCommunicationsException",
      "Communications link failure; Caused by: java.net.UnknownHostException: db.internal",
      "dns_failure", "mysql", "db.internal" },
    { "SQLNonTransientConnectionException",
      "Data source rejected establishment of connection,  message from server: \"Too many "
      "connections\"",
      "too_many_connections", "mysql", "" },
    { "SQLNonTransientConnectionException", "Public Key Retrieval is not allowed", "other", "mysql",
      "" },
    { "SQLNonTransientConnectionException",
      "Could not connect to address=(host=db)(port=3306)(type=master) : Connection refused "
      "(Connection "
      "refused)",
      REFUSED, "mariadb", "db 3306" },
    { "MySqlConnector.MySqlException", "Unable to connect to any of the specified MySQL hosts.",
      "other", "mysql", "" },
    { "MySqlConnector.MySqlException", "Connect Timeout expired.", "timeout", "mysql", "" },
    { "MySql.Data.MySqlClient.MySqlException",
      "Authentication to host 'db' for user 'app' using method 'caching_sha2_password' failed with "
      "message: "
      "Access denied for user 'app'@'10.0.0.9' (using password: YES)",
      "authentication_failed", "mysql", "db - - app" },
    { "Mysql2::Error::ConnectionError", "Can't connect to MySQL server on 'db:3306' (111)", REFUSED,
      "mysql", "db 3306" },
    { "Mysql2::Error::ConnectionError", "Unknown MySQL server host 'db' (-2)", "dns_failure",
      "mysql", "db" },
    { "Trilogy::BaseConnectionError",
      "Connection refused - trilogy_connect - unable to connect to db:3306", REFUSED, "mysql",
      "db 3306" },
    { "*mysql.MySQLError",
      "Error 1045 (28000): Access denied for user 'app'@'10.0.0.9' (using password: YES)",
      "authentication_failed", "mysql", "- - - app" },
    { NULL, "Error 1040: Too many connections", "too_many_connections", "mysql", "" },
    { NULL, "Error 1049 (42000): Unknown database 'shop'", "unknown_database", "mysql",
      "- - shop" },
    { NULL, "[mysql] 2024/01/01 10:00:00 packets.go:37: unexpected EOF", "connection_reset",
      "mysql", "" },
    { NULL,
      "failed to open root:x@tcp(10.0.0.5:3306)/shop?parseTime=true: dial tcp 10.0.0.5:3306: "
      "connect: "
      "connection refused",
      REFUSED, "mysql", "10.0.0.5 3306 shop root" },
    { "DBConnection.ConnectionError", "(db:3306) connection refused - :econnrefused", REFUSED,
      "mysql", "db 3306" },
    { NULL,
      "DBI connect('database=shop;host=db','app',...) failed: Can't connect to MySQL server on "
      "'db' "
      "(111) at x.pl line 1.",
      REFUSED, "mysql", "db - shop app" },
    { NULL, "ERROR 2003 (HY000): Can't connect to MySQL server on 'db:3306' (60)", "timeout",
      "mysql", "db 3306" },
    { NULL,
      "ERROR 2013 (HY000): Lost connection to MySQL server at 'handshake: reading initial "
      "communication packet', system error: 11",
      "connection_reset", "mysql", "" },
    { NULL, "ERROR 2002 (HY000): Can't connect to MariaDB server on 'db' (115)", "other", "mariadb",
      "db" },
    { NULL, "(2055, \"Cursor is not connected\")", "connection_reset", "mysql", "" },
};

static const struct row sqlserver_oracle[] = {
    { "com.microsoft.sqlserver.jdbc.SQLServerException",
      "The TCP/IP connection to the host sql1, port 1433 has failed. Error: \"Connection refused: "
      "no further "
      "information. Verify the connection properties. Make sure that an instance of SQL Server is "
      "running "
      "on the host and accepting TCP/IP connections at the port. Make sure that TCP connections to "
      "the port "
      "are not blocked by a firewall.\".",
      REFUSED, "sqlserver", "sql1 1433" },
    { "com.microsoft.sqlserver.jdbc.SQLServerException",
      "The connection to the host sql1, named instance sqlexpress failed. Error: "
      "\"java.net.SocketTimeoutException: Receive timed out\". Verify the server and instance "
      "names and "
      "check that no firewall is blocking UDP traffic to port 1434.",
      "timeout", "sqlserver", "sql1" },
    { "com.microsoft.sqlserver.jdbc.SQLServerException",
      "Login failed for user 'sa'. ClientConnectionId:aaaaaaaa-0000-0000-0000-000000000000",
      "authentication_failed", "sqlserver", "- - - sa" },
    { "com.microsoft.sqlserver.jdbc.SQLServerException",
      "The driver could not establish a secure connection to SQL Server by using Secure Sockets "
      "Layer (SSL) "
      "encryption. Error: \"PKIX path building failed: unable to find valid certification path to "
      "requested "
      "target\".",
      "tls_failure", "sqlserver", "" },
    { "Microsoft.Data.SqlClient.SqlException",
      "A network-related or instance-specific error occurred while establishing a connection to "
      "SQL Server. "
      "The server was not found or was not accessible. Verify that the instance name is correct "
      "and that "
      "SQL Server is configured to allow remote connections. (provider: TCP Provider, error: 0 - "
      "No "
      "connection could be made because the target machine actively refused it.)",
      REFUSED, "sqlserver", "" },
    { "Microsoft.Data.SqlClient.SqlException",
      "A network-related or instance-specific error occurred while establishing a connection to "
      "SQL Server. "
      "(provider: TCP Provider, error: 0 - No such host is known.)",
      "dns_failure", "sqlserver", "" },
    { "Microsoft.Data.SqlClient.SqlException",
      "A network-related or instance-specific error occurred while establishing a connection to "
      "SQL Server. "
      "(provider: TCP Provider, error: 40 - Could not open a connection to SQL Server: Could not "
      "open a "
      "connection to SQL Server)",
      "other", "sqlserver", "" },
    { "System.Data.SqlClient.SqlException",
      "A connection was successfully established with the server, but then an error occurred "
      "during the "
      "pre-login handshake. (provider: TCP Provider, error: 0 - An existing connection was "
      "forcibly closed "
      "by the remote host.)",
      "connection_reset", "sqlserver", "" },
    { "System.Data.SqlClient.SqlException",
      "Connection Timeout Expired.  The timeout period elapsed while attempting to consume the "
      "pre-login "
      "handshake acknowledgement.",
      "timeout", "sqlserver", "" },
    { "System.InvalidOperationException",
      "Timeout expired.  The timeout period elapsed prior to obtaining a connection from the pool. "
      " This may "
      "have occurred because all pooled connections were in use and max pool size was reached.",
      "timeout", "unknown", "" },
    { "System.Data.SqlClient.SqlException",
      "Cannot open database \"Shop\" requested by the login. The login failed.\nLogin failed for "
      "user 'app'.",
      "unknown_database", "sqlserver", "- - Shop app" },
    { "System.Data.SqlClient.SqlException",
      "Cannot open server 'sql1' requested by the login. Client with IP address '203.0.113.9' is "
      "not allowed "
      "to access the server.  To enable access, use the Windows Azure Management Portal",
      "authentication_failed", "sqlserver", "sql1" },
    { "System.Data.SqlClient.SqlException",
      "Resource ID : 1. The request limit for the database is 30 and has been reached.",
      "too_many_connections", "sqlserver", "" },
    { "ConnectionError", "Failed to connect to sql1:1433 - connect ECONNREFUSED 10.0.0.5:1433",
      REFUSED, "sqlserver", "sql1 1433" },
    { "ConnectionError", "Failed to connect to sql1:1433 in 15000ms", "timeout", "sqlserver",
      "sql1 1433" },
    { "ConnectionError", "Failed to connect to sql1:1433 - getaddrinfo ENOTFOUND sql1",
      "dns_failure", "sqlserver", "sql1 1433" },
    { "ConnectionError", "Login failed for user 'sa'.", "authentication_failed", "sqlserver",
      "- - - sa" },
    { "pyodbc.OperationalError",
      "('08001', '[08001] [Microsoft][ODBC Driver 17 for SQL Server]TCP Provider: Error code "
      "0x2749 (10057) "
      "(SQLDriverConnect)')",
      "other", "sqlserver", "" },
    { "pyodbc.OperationalError",
      "('HYT00', '[HYT00] [Microsoft][ODBC Driver 17 for SQL Server]Login timeout expired (0) "
      "(SQLDriverConnect)')",
      "timeout", "sqlserver", "" },
    { "pyodbc.OperationalError",
      "('08001', '[08001] [Microsoft][ODBC Driver 18 for SQL Server]TCP Provider: Error code "
      "0x274D (10061) "
      "(SQLDriverConnect)')",
      REFUSED, "sqlserver", "" },
    { "pyodbc.OperationalError",
      "('08001', '[08001] [Microsoft][ODBC Driver 18 for SQL Server]SSL Provider: "
      "[error:0A000086:SSL routines::certificate verify failed:self-signed certificate] (-1) "
      "(SQLDriverConnect)')",
      "tls_failure", "sqlserver", "" },
    { "pyodbc.InterfaceError",
      "('28000', \"[28000] [Microsoft][ODBC Driver 17 for SQL Server][SQL Server]Login failed for "
      "user 'sa'. "
      "(18456) (SQLDriverConnect)\")",
      "authentication_failed", "sqlserver", "- - - sa" },
    { "pymssql.OperationalError",
      "(20009, b'DB-Lib error message 20009, severity 9:\\nUnable to connect: Adaptive Server is "
      "unavailable "
      "or does not exist (sql1:1433)\\nNet-Lib error during Connection refused (111)\\n')",
      REFUSED, "sqlserver", "sql1 1433" },
    { "TinyTds::Error",
      "Unable to connect: Adaptive Server is unavailable or does not exist (sql1)", "other",
      "sqlserver", "sql1" },
    { NULL,
      "unable to open tcp connection with host 'sql1:1433': dial tcp 10.0.0.5:1433: i/o timeout",
      "timeout", "sqlserver", "sql1 1433" },
    { NULL, "mssql: login error: Login failed for user 'sa'.", "authentication_failed", "sqlserver",
      "- - - sa" },
    { "PDOException",
      "SQLSTATE[HYT00]: [Microsoft][ODBC Driver 18 for SQL Server]Login timeout expired", "timeout",
      "sqlserver", "" },
    { NULL,
      "could not open a connection with Server=tcp:sql1.example.net,1433;Initial Catalog=Shop;User "
      "ID=app;Password=x;: timeout expired",
      "timeout", "sqlserver", "sql1.example.net 1433 Shop app" },

    { "java.sql.SQLRecoverableException",
      "IO Error: The Network Adapter could not establish the connection (CONNECTION_ID=abc==)",
      "other", "oracle", "" },
    { "java.sql.SQLRecoverableException",
      "IO Error: Connection refused, connect lapse 1 ms., Authentication lapse 0 ms.", REFUSED,
      "oracle", "" },
    { "java.sql.SQLException",
      "Listener refused the connection with the following error:\nORA-12514, TNS:listener does not "
      "currently "
      "know of service requested in connect descriptor",
      "unknown_database", "oracle", "" },
    { "java.sql.SQLException",
      "ORA-12541: Cannot connect. No listener at host ora1 port 1521. (CONNECTION_ID=x)", REFUSED,
      "oracle", "ora1 1521" },
    { "java.sql.SQLException",
      "Listener refused the connection with the following error:\nORA-12516, TNS:listener could "
      "not find "
      "available handler with matching protocol stack",
      "too_many_connections", "oracle", "" },
    { "cx_Oracle.DatabaseError", "ORA-12170: TNS:Connect timeout occurred", "timeout", "oracle",
      "" },
    { "cx_Oracle.DatabaseError", "ORA-01017: invalid username/password; logon denied",
      "authentication_failed", "oracle", "" },
    { "cx_Oracle.DatabaseError",
      "ORA-12545: Connect failed because target host or object does not exist", "dns_failure",
      "oracle", "" },
    { "cx_Oracle.DatabaseError",
      "ORA-12528: TNS:listener: all appropriate instances are blocking new "
      "connections",
      "server_starting_up", "oracle", "" },
    { "cx_Oracle.DatabaseError",
      "ORA-12154: TNS:could not resolve the connect identifier specified", "other", "oracle", "" },
    { "cx_Oracle.DatabaseError", "ORA-03113: end-of-file on communication channel\nProcess ID: 1",
      "connection_reset", "oracle", "" },
    { "oracledb.exceptions.OperationalError",
      "DPY-6005: cannot connect to database (CONNECTION_ID=abc==).\n[Errno 111] Connection refused",
      REFUSED, "oracle", "" },
    { "oracledb.exceptions.OperationalError",
      "DPY-6001: Service \"shop\" is not registered with the listener at host \"ora1\" port 1521. "
      "(Similar to "
      "ORA-12514)",
      "unknown_database", "oracle", "ora1 1521 shop" },
    { "Error",
      "NJS-511: connection to listener at host \"ora1\" port 1521 was refused. "
      "(CONNECTION_ID=abc==)\nCause: ORA-12541",
      REFUSED, "oracle", "ora1 1521" },
    { "Error",
      "NJS-510: connection to host ora1 port 1521 timed out. Request exceeded "
      "\"transportConnectTimeout\" of 20 seconds",
      "timeout", "oracle", "ora1 1521" },
    { NULL, "ORA-12543: TNS:destination host unreachable", "host_unreachable", "oracle", "" },
    { "OracleException", "ORA-50000: Connection request timed out", "timeout", "oracle", "" },
    { NULL, "could not connect to app@//ora1.example:1521/SHOP: ORA-12541: TNS:no listener",
      REFUSED, "oracle", "ora1.example 1521 SHOP app" },
    { NULL,
      "IO Error: No route to host (DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=ora1)(PORT=1522))"
      "(CONNECT_DATA=(SERVICE_NAME=shop))) ORA-17002",
      "host_unreachable", "oracle", "ora1 1522 shop" },
};

static const struct row nosql[] = {
    { "pymongo.errors.ServerSelectionTimeoutError",
      "mongo1:27017: [Errno 111] Connection refused (configured timeouts: socketTimeoutMS: "
      "20000.0ms, "
      "connectTimeoutMS: 20000.0ms), Timeout: 30s, Topology Description: <TopologyDescription id: "
      "1, "
      "topology_type: Unknown, servers: [<ServerDescription ('mongo1', 27017) server_type: "
      "Unknown, rtt: "
      "None, error=AutoReconnect('mongo1:27017: [Errno 111] Connection refused')>]>",
      REFUSED, "mongodb", "mongo1 27017" },
    { "ServerSelectionTimeoutError", "mongo1.x:27017: [Errno -2] Name or service not known",
      "dns_failure", "mongodb", "mongo1.x 27017" },
    { "pymongo.errors.ConfigurationError",
      "The DNS query name does not exist: _mongodb._tcp.c0.x.mongodb.net.", "dns_failure",
      "mongodb", "c0.x.mongodb.net" },
    { "pymongo.errors.ConfigurationError",
      "The resolution lifetime expired after 21.2 seconds: Server "
      "8.8.8.8 UDP port 53 answered The DNS operation timed out.",
      "dns_failure", "mongodb", "" },
    { "pymongo.errors.AutoReconnect", "mongo1:27017: connection closed", "connection_reset",
      "mongodb", "mongo1 27017" },
    { "OperationFailure",
      "bad auth : authentication failed, full error: {'ok': 0, 'errmsg': 'bad auth : "
      "authentication failed', 'code': 8000, 'codeName': 'AtlasError'}",
      "authentication_failed", "mongodb", "" },
    { "MongoNetworkError",
      "failed to connect to server [mongo1:27017] on first connect [Error: connect "
      "ECONNREFUSED 10.0.0.5:27017]",
      REFUSED, "mongodb", "mongo1 27017" },
    { "MongoNetworkTimeoutError", "connection timed out", "timeout", "mongodb", "" },
    { "MongoServerSelectionError", "Server selection timed out after 30000 ms", "timeout",
      "mongodb", "" },
    { "MongooseServerSelectionError",
      "Could not connect to any servers in your MongoDB Atlas cluster. One common reason is that "
      "you're "
      "trying to access the database from an IP that isn't whitelisted.",
      "other", "mongodb", "" },
    { "MongooseError", "Operation `users.findOne()` buffering timed out after 10000ms", "timeout",
      "mongodb", "" },
    { "MongoError", "topology was destroyed", "other", "mongodb", "" },
    { "MongoNetworkError", "connection 3 to 10.0.0.5:27017 closed", "connection_reset", "mongodb",
      "10.0.0.5 27017" },
    { "Error", "querySrv ECONNREFUSED _mongodb._tcp.c0.x.mongodb.net", "dns_failure", "mongodb",
      "c0.x.mongodb.net" },
    { "com.mongodb.MongoTimeoutException",
      "Timed out after 30000 ms while waiting to connect. Client view of cluster state is "
      "{type=UNKNOWN, "
      "servers=[{address=mongo1:27017, type=UNKNOWN, state=CONNECTING, "
      "exception={com.mongodb.MongoSocketOpenException: Exception opening socket}, caused by "
      "{java.net.ConnectException: Connection refused (Connection refused)}}]",
      REFUSED, "mongodb", "mongo1 27017" },
    { "com.mongodb.MongoSocketException", "mongo1.x: Name or service not known", "dns_failure",
      "mongodb", "mongo1.x" },
    { "System.TimeoutException",
      "A timeout occurred after 30000ms selecting a server using CompositeServerSelector{ ... }. "
      "Client view "
      "of cluster state is { Servers : [{ ServerId: \"{ ClusterId : 1, EndPoint : "
      "\"Unspecified/mongo1:27017\" }\", EndPoint: \"Unspecified/mongo1:27017\", State: "
      "\"Disconnected\", "
      "HeartbeatException: \"MongoDB.Driver.MongoConnectionException: An exception occurred while "
      "opening a "
      "connection to the server. ---> System.Net.Sockets.SocketException (111): Connection "
      "refused\" }] }.",
      REFUSED, "mongodb", "mongo1 27017" },
    { NULL,
      "server selection error: context deadline exceeded, current topology: { Type: Unknown, "
      "Servers: "
      "[{ Addr: mongo1:27017, Type: Unknown, Last error: dial tcp: lookup mongo1 on 10.0.0.2:53: "
      "no "
      "such host }, ] }",
      "dns_failure", "mongodb", "mongo1 27017" },
    { NULL,
      "server selection error: server selection timeout, current topology: { Type: Unknown, "
      "Servers: "
      "[{ Addr: m1:27017, Type: Unknown, Last error: dial tcp 10.0.0.1:27017: connect: connection "
      "refused }, { Addr: m2:27017, Type: Unknown, Last error: dial tcp 10.0.0.2:27017: connect: "
      "connection refused }, ] }",
      REFUSED, "mongodb", "m1 27017" },
    { "Mongo::Error::NoServerAvailable",
      "No server is available matching preference: #<Mongo::ServerSelector::Primary:0x1 "
      "tag_sets=[], "
      "max_staleness=nil> using server_selection_timeout=30 and local_threshold=0.015",
      "other", "mongodb", "" },
    { "MongoDB\\Driver\\Exception\\ConnectionTimeoutException",
      "No suitable servers found (`serverSelectionTryOnce` set): [connection refused calling hello "
      "on "
      "'mongo1:27017']",
      REFUSED, "mongodb", "mongo1 27017" },

    { "redis.exceptions.ConnectionError", "Error 111 connecting to cache:6379. Connection refused.",
      REFUSED, "redis", "cache 6379" },
    { "redis.exceptions.ConnectionError",
      "Error -2 connecting to cache.x:6380. Name or service not known.", "dns_failure", "redis",
      "cache.x 6380" },
    { "redis.exceptions.ConnectionError",
      "Error 2 connecting to unix socket: /run/redis.sock. No such file or "
      "directory.",
      "socket_missing", "redis", "/run/redis.sock" },
    { "redis.exceptions.ConnectionError",
      "Error Multiple exceptions: [Errno 111] Connect call failed ('::1', 6379, 0, 0), [Errno 111] "
      "Connect "
      "call failed ('127.0.0.1', 6379) connecting to localhost:6379.",
      REFUSED, "redis", "localhost 6379" },
    { "redis.exceptions.ConnectionError",
      "Error while reading from cache:6379 : (104, 'Connection reset by "
      "peer')",
      "connection_reset", "redis", "cache 6379" },
    { "redis.exceptions.ConnectionError", "Connection closed by server.", "connection_reset",
      "redis", "" },
    { "redis.exceptions.TimeoutError", "Timeout connecting to server", "timeout", "redis", "" },
    { "redis.exceptions.ResponseError",
      "WRONGPASS invalid username-password pair or user is disabled.", "authentication_failed",
      "redis", "" },
    { "redis.exceptions.AuthenticationError", "Authentication required.", "authentication_failed",
      "redis", "" },
    { "ReplyError", "CLUSTERDOWN Hash slot not served", "other", "redis", "" },
    { "ReplyError", "READONLY You can't write against a read only replica.", "other", "redis", "" },
    { "redis.exceptions.BusyLoadingError", "Redis is loading the dataset in memory",
      "server_starting_up", "redis", "" },
    { "redis.exceptions.ConnectionError", "max number of clients reached", "too_many_connections",
      "redis", "" },
    { "MaxRetriesPerRequestError",
      "Reached the max retries per request limit (which is 20). Refer to "
      "\"maxRetriesPerRequest\" option for details.",
      "other", "redis", "" },
    { "ReplyError", "NOAUTH Authentication required.", "authentication_failed", "redis", "" },
    { "ClusterAllFailedError", "Failed to refresh slots cache.", "other", "redis", "" },
    { "Error", "connect ETIMEDOUT", "timeout", "?", "" },
    { "Redis::CannotConnectError", "Error connecting to Redis on cache:6379 (Errno::ECONNREFUSED)",
      REFUSED, "redis", "cache 6379" },
    { "RedisClient::CannotConnectError",
      "Connection refused - connect(2) for 10.0.0.5:6379 (redis://cache:6379)", REFUSED, "redis",
      "cache 6379" },
    { "RedisClient::CannotConnectError",
      "No such file or directory - connect(2) for /run/redis.sock "
      "(unix:///run/redis.sock)",
      "socket_missing", "redis", "/run/redis.sock" },
    { "redis.clients.jedis.exceptions.JedisConnectionException", "Failed to connect to cache:6379.",
      "other", "redis", "cache 6379" },
    { "redis.clients.jedis.exceptions.JedisConnectionException",
      "Could not get a resource from the pool; nested exception is "
      "java.net.SocketTimeoutException: connect "
      "timed out",
      "timeout", "redis", "" },
    { "io.lettuce.core.RedisConnectionException", "Unable to connect to cache/10.0.0.5:6379",
      "other", "redis", "cache 6379" },
    { "RedisConnectionFailureException",
      "Unable to connect to Redis; nested exception is io.lettuce.core.RedisConnectionException: "
      "Unable to "
      "connect to cache/<unresolved>:6379",
      "other", "redis", "cache 6379" },
    { "StackExchange.Redis.RedisConnectionException",
      "It was not possible to connect to the redis server(s). UnableToConnect on "
      "cache:6379/Interactive, "
      "Initializing/NotStarted, last: NONE, origin: BeginConnectAsync, outstanding: 0, last-read: "
      "5s ago, "
      "mgr: 10 of 10 available, last-heartbeat: never, global: 5s ago, v: 2.7.4.20928",
      "other", "redis", "cache 6379" },
    { "StackExchange.Redis.RedisTimeoutException",
      "Timeout performing GET (5000ms), next: GET k, inst: 0, qu: 0, serverEndpoint: cache:6379, "
      "mgr: 10 of "
      "10 available, clientName: web",
      "timeout", "redis", "cache 6379" },
    { "RedisException", "Connection refused", REFUSED, "redis", "" },
    { "RedisException",
      "php_network_getaddresses: getaddrinfo for redis failed: Name or service not known",
      "dns_failure", "redis", "redis" },
    { "Predis\\Connection\\ConnectionException", "Connection refused [tcp://10.0.0.5:6379]",
      REFUSED, "redis", "10.0.0.5 6379" },
    { NULL, "redis: connection pool timeout", "timeout", "redis", "" },
    { "Redix.ConnectionError", "the connection to Redis is closed", "connection_reset", "redis",
      "" },
    { "kombu.exceptions.OperationalError",
      "Error 111 connecting to redis:6379. Connection refused.", REFUSED, "redis", "redis 6379" },
    { NULL,
      "consumer: Cannot connect to redis://:**@cache:6379/0: Error 111 connecting to cache:6379. "
      "Connection refused..",
      REFUSED, "redis", "cache 6379 0" },

    { "NoHostAvailable",
      "('Unable to connect to any servers', {'10.0.0.5:9042': ConnectionRefusedError(111, \"Tried "
      "connecting "
      "to [('10.0.0.5', 9042)]. Last error: Connection refused\")})",
      REFUSED, "cassandra", "10.0.0.5 9042" },
    { "com.datastax.oss.driver.api.core.AllNodesFailedException",
      "Could not reach any contact point, make sure you've provided valid addresses (showing first "
      "1 nodes, "
      "use getAllErrors() for more): Node(endPoint=cass/10.0.0.5:9042, hostId=null, hashCode=1): "
      "[com.datastax.oss.driver.api.core.connection.ConnectionInitException: "
      "[s0|control|connecting...] "
      "Protocol initialization request, step 1 (OPTIONS): failed to send request "
      "(java.nio.channels.ClosedChannelException)]",
      "other", "cassandra", "cass 9042" },
    { "com.datastax.driver.core.exceptions.NoHostAvailableException",
      "All host(s) tried for query failed (tried: cass/10.0.0.5:9042 "
      "(com.datastax.driver.core.exceptions.TransportException: [cass/10.0.0.5:9042] Cannot "
      "connect))",
      "other", "cassandra", "cass 9042" },
    { "NoHostAvailableError",
      "All host(s) tried for query failed. First host tried, 10.0.0.5:9042: Error: connect "
      "ECONNREFUSED "
      "10.0.0.5:9042. See innerErrors.",
      REFUSED, "cassandra", "10.0.0.5 9042" },
    { NULL,
      "gocql: unable to create session: unable to discover protocol version: dial tcp "
      "10.0.0.5:9042: "
      "connect: connection refused",
      REFUSED, "cassandra", "10.0.0.5 9042" },
    { NULL, "gocql: no hosts available in the pool", "other", "cassandra", "" },

    { "elastic_transport.ConnectionError",
      "Connection error caused by: ConnectionError(Connection error caused by: "
      "NewConnectionError(<urllib3.connection.HTTPConnection object at 0x7f>: Failed to establish "
      "a new "
      "connection: [Errno 111] Connection refused))",
      REFUSED, "elasticsearch", "" },
    { "ConnectionError", "connect ECONNREFUSED 10.0.0.5:9200", REFUSED, "elasticsearch",
      "10.0.0.5 9200" },
    { "NoLivingConnectionsError", "There are no living connections", "other", "elasticsearch", "" },
    { "Elastic\\Transport\\Exception\\NoNodeAvailableException",
      "No alive nodes. All the 1 nodes seem to be down.", "other", "elasticsearch", "" },
    { "NoNodeAvailableException",
      "None of the configured nodes are available: [{#transport#-1}{abc}{es1}{10.0.0.5:9300}]",
      "other", "elasticsearch", "10.0.0.5 9300" },
    { NULL, "elasticsearch: dial tcp 10.0.0.5:9200: connect: connection refused", REFUSED,
      "elasticsearch", "10.0.0.5 9200" },
    { NULL, "Post \"http://es1:9200/_bulk\": dial tcp 10.0.0.5:9200: connect: connection refused",
      REFUSED, "elasticsearch", "es1 9200" },

    { "clickhouse_driver.errors.NetworkError", "Code: 210. Connection refused (ch1:9000)", REFUSED,
      "clickhouse", "ch1 9000" },
    { "clickhouse_driver.errors.SocketTimeoutError", "Code: 209. (ch1:9000)", "timeout",
      "clickhouse", "ch1 9000" },
    { "clickhouse_connect.driver.exceptions.OperationalError",
      "Error HTTPConnectionPool(host='ch1', port=8123): Max retries exceeded with url: / (Caused "
      "by "
      "NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7f>: Failed to establish "
      "a new "
      "connection: [Errno 111] Connection refused')) executing HTTP request attempt 1 "
      "(http://ch1:8123)",
      REFUSED, "clickhouse", "ch1 8123" },
    { "ClickHouseException",
      "Connect to http://ch1:8123 failed: Connection refused, server ClickHouseNode "
      "[uri=http://ch1:8123/shop]@1",
      REFUSED, "clickhouse", "ch1 8123 shop" },
    { "DB::Exception",
      "Code: 516. DB::Exception: default: Authentication failed: password is incorrect, or "
      "there is no user with such name.",
      "authentication_failed", "clickhouse", "" },
    { NULL, "clickhouse [dial]: dial tcp 10.0.0.5:9000: connect: connection refused", REFUSED,
      "clickhouse", "10.0.0.5 9000" },
    { "NetException",
      "Code: 209. DB::NetException: Timeout exceeded while reading from socket (10.0.0.5:9000, "
      "300000 ms)",
      "timeout", "clickhouse", "10.0.0.5 9000" },
};

static const struct row seldom[] = {
    { "org.postgresql.util.PSQLException",
      "Verbindung zu 10.8.0.4:5432 verweigert. Überprüfen Sie die Korrektheit von Hostnamen und "
      "der "
      "Portnummer und dass der Datenbankserver TCP/IP-Verbindungen annimmt.",
      REFUSED, PG, "10.8.0.4 5432" },
    { "org.postgresql.util.PSQLException",
      "Connexion à bdd:5433 refusée. Vérifiez que le nom de machine et le port sont corrects et "
      "que "
      "postmaster accepte les connexions TCP/IP.",
      REFUSED, PG, "bdd 5433" },
    { "org.elasticsearch.client.ResponseException",
      "java.net.ConnectException: Timeout connecting to [es-1/10.8.0.4:9200]", "timeout",
      "elasticsearch", "es-1 9200" },
    { "RedisException", "Redis server cache:6379 went away", "connection_reset", "redis",
      "cache 6379" },
    { "com.mongodb.MongoSocketReadException", "Prematurely reached end of stream",
      "connection_reset", "mongodb", "" },
    { "MongoServerSelectionError", "connection <monitor> to 10.8.0.4:27017 closed",
      "connection_reset", "mongodb", "10.8.0.4 27017" },
    { "com.mongodb.MongoSecurityException",
      "Exception authenticating MongoCredential{mechanism=SCRAM-SHA-256, userName='shop', "
      "source='admin', password=<hidden>}",
      "authentication_failed", "mongodb", "- - - shop" },
    { "Trilogy::TimeoutError", "trilogy_connect: timeout", "timeout", "mysql", "" },
    { "django.db.utils.OperationalError", "(1053, 'Server shutdown in progress')", "other", "mysql",
      "" },
    { "SQLException", "FATAL: no such database: shop", "unknown_database", PG, "- - shop" },
    { "*errors.errorString",
      "clickhouse: acquire conn timeout. you can increase the number of max open conn or the dial "
      "timeout",
      "timeout", "clickhouse", "" },
    { "sqlx::Error",
      "error occurred while attempting to establish a TLS connection: unexpected response from "
      "SSLRequest: 0x00",
      "tls_failure", "unknown", "" },
    { "SocketException",
      "Connection refused (OS Error: Connection refused, errno = 111), address = pg, port = 50122",
      REFUSED, PG, "pg" },
    { NULL,
      "mongodb%2bsrv%3a%2f%2fann%3as3cr%40et%40c0.x.mongodb.net%2fshop:27017: [Errno 11001] "
      "getaddrinfo failed, Timeout: 30s",
      "dns_failure", "mongodb", "c0.x.mongodb.net 27017" },
    { "DBConnection.ConnectionError", "tcp recv: closed", "connection_reset", "unknown", "" },
    { "DBConnection.ConnectionError",
      "ssl connect: TLS client: In state certify at ssl_handshake.erl:2111 generated CLIENT ALERT: "
      "Fatal - Unknown CA",
      "tls_failure", "unknown", "" },
    { NULL,
      "MyXQL.Connection (#PID<0.1.0>) failed to connect: ** (DBConnection.ConnectionError) "
      "(/tmp/mysql.sock) no such file or directory - :enoent",
      "socket_missing", "mysql", "/tmp/mysql.sock" },
    { NULL,
      "thread 'main' panicked at 'Failed to get pool connection: PoolTimedOut', src/lib.rs:97:50",
      "timeout", "unknown", "" },
    { NULL, "terminating connection due to unexpected postmaster exit", "connection_reset",
      "postgresql", "" },
    { NULL, "dial unix /cloudsql/acme:us-east4:shop: connect: connection refused",
      "connection_refused", "unknown", "/cloudsql/acme:us-east4:shop" },
    { NULL, "Unable to revive connection: http://es1:9200/", "other", "elasticsearch", "es1 9200" },
    { "RedisException", "Redis server went away", "connection_reset", "redis", "" },
    { "RedisException", "read error on connection to cache:6379", "connection_reset", "redis",
      "cache 6379" },
    { "ConnectionError", "Failed to connect to SQL1\\SQLEXPRESS in 15000ms", "timeout", "sqlserver",
      "SQL1\\SQLEXPRESS" },
    { "java.sql.SQLException", "ORA-28040: No matching authentication protocol",
      "authentication_failed", "oracle", "" },
    { "DatabaseError", "DPY-4011: the database or network closed the connection",
      "connection_reset", "oracle", "" },
    { NULL, "[Microsoft][ODBC Driver 17 for SQL Server]TCP Provider: Error code 0x102", "timeout",
      "sqlserver", "" },
    { NULL, "dial tcp: address redis: missing port in address", "other", "redis", "redis" },
    { NULL,
      "{ errno: -111, code: 'ECONNREFUSED', syscall: 'connect', address: '10.0.0.5', port: 5432 }",
      "connection_refused", "postgresql", "10.0.0.5 5432" },
    { NULL,
      "failed to connect to `host=/tmp user=app database=shop`: dial error (dial unix "
      "/tmp/.s.PGSQL.5432: connect: no such file or directory)",
      "socket_missing", "postgresql", "/tmp - shop app" },
    { NULL,
      "failed to connect to `host=10.0.0.5 user=app database=shop`: tls error (server refused TLS "
      "connection)",
      "tls_failure", "postgresql", "10.0.0.5 - shop app" },
    { NULL,
      "cannot parse `postgres://app:xxxxx@db:port/shop`: failed to parse as URL (invalid port "
      "\":port\" after host)",
      "other", "postgresql", "db - shop app" },
    { NULL,
      "error parsing uri: lookup _mongodb._tcp.c0.x.mongodb.net on 127.0.0.53:53: server "
      "misbehaving",
      "dns_failure", "mongodb", "c0.x.mongodb.net" },
    { NULL,
      "Unable to obtain connection from database (jdbc:postgresql://db:5432/shop) for user 'app': "
      "Connection to db:5432 refused.",
      "connection_refused", "postgresql", "db 5432 shop app" },
    { NULL, "Socket fail to connect to host:db, port:3306. Connection refused",
      "connection_refused", "mariadb", "db 3306" },
    { NULL,
      "Could not connect to HostAddress{host='db', port=3306, type='master'}. Connection refused",
      "connection_refused", "mariadb", "db 3306" },
    { "AuthenticationFailed",
      "Failed to authenticate to 10.0.0.5:9042: Error from server: code=0100 [Bad credentials]",
      "authentication_failed", "cassandra", "10.0.0.5 9042" },
    { "OperationalError",
      "connection is bad: No such file or directory\n\tIs the server running locally and accepting "
      "connections on that socket?",
      "socket_missing", "postgresql", "" },
    { "ActiveRecord::NoDatabaseError",
      "We could not find your database: shop_production. Which can be found in the database "
      "configuration file located at config/database.yml.",
      "unknown_database", "unknown", "- - shop_production" },
    { "ActiveRecord::DatabaseConnectionError",
      "There is an issue connecting to your database with your username/password, username: app.",
      "authentication_failed", "unknown", "- - - app" },
    { NULL, "FATAL: query_wait_timeout", "timeout", "postgresql", "" },
    { NULL,
      "Lost connection to server at 'handshake: reading initial communication packet', system "
      "error: 104",
      "connection_reset", "mysql", "" },
    { "neo4j.exceptions.ServiceUnavailable",
      "Couldn't connect to graph:7687 (resolved to ('10.0.0.5:7687')): [Errno 111] Connection "
      "refused",
      "connection_refused", "unknown", "graph 7687" },
    { NULL,
      "InfluxDB: Post \"http://influx:8086/write\": dial tcp 10.0.0.5:8086: connect: connection "
      "refused",
      "connection_refused", "unknown", "influx 8086" },
    { NULL,
      "Can't connect to MySQL server on 'db' (10061 Es konnte keine Verbindung hergestellt werden, "
      "da der Zielcomputer die Verbindung verweigerte)",
      "connection_refused", "mysql", "db" },
};

static const struct row strangers[] = {
    { "requests.exceptions.ConnectionError",
      "HTTPSConnectionPool(host='api.example.com', port=443): Max retries exceeded with url: /v1 "
      "(Caused by "
      "NewConnectionError('<urllib3.connection.HTTPSConnection object at 0x7f>: Failed to "
      "establish a new "
      "connection: [Errno 111] Connection refused'))",
      REFUSED, "!an HTTP API", "api.example.com 443" },
    { "AxiosError", "connect ECONNREFUSED 10.0.0.5:8080", REFUSED, "!an HTTP API",
      "10.0.0.5 8080" },
    { "FetchError",
      "request to http://users.internal:3001/me failed, reason: connect ECONNREFUSED "
      "10.0.0.5:3001",
      REFUSED, "!an HTTP API", "users.internal 3001" },
    { "ResourceAccessException",
      "I/O error on POST request for \"http://billing:8090/pay\": Connection refused (Connection "
      "refused)",
      REFUSED, "!an HTTP API", "billing 8090" },
    { "HttpRequestException", "Connection refused (api.internal:5001)", REFUSED, "!an HTTP API",
      "api.internal 5001" },
    { "*url.Error",
      "Get \"http://auth:8080/keys\": dial tcp 10.0.0.5:8080: connect: connection refused", REFUSED,
      "!an HTTP API", "auth 8080" },
    { "Faraday::ConnectionFailed",
      "Failed to open TCP connection to api.internal:443 (Connection refused - "
      "connect(2) for \"api.internal\" port 443)",
      REFUSED, "!an HTTP API", "api.internal 443" },
    { "aiohttp.client_exceptions.ClientConnectorError",
      "Cannot connect to host api.internal:8080 ssl:default [Connect call failed ('10.0.0.5', "
      "8080)]",
      "other", "!an HTTP API", "api.internal 8080" },
    { "amqp.exceptions.ConnectionForced",
      "(0, 0): (320) CONNECTION_FORCED - broker forced connection closure", "other",
      "!a message broker", "" },
    { "AMQPConnectionException",
      "Socket error: could not connect to host rabbit:5672 (Connection refused)", REFUSED,
      "!a message broker", "rabbit 5672" },
    { "KafkaJSNumberOfRetriesExceeded", "Connection error: connect ECONNREFUSED 10.0.0.5:9092",
      REFUSED, "!a message broker", "10.0.0.5 9092" },
    { NULL,
      "kafka: client has run out of available brokers to talk to: dial tcp 10.0.0.5:9092: connect: "
      "connection refused",
      REFUSED, "!a message broker", "10.0.0.5 9092" },
    { "Swift_TransportException",
      "Connection could not be established with host smtp.example.com "
      "[Connection refused #111]",
      REFUSED, "!a mail server", "" },
    { "Error", "connect ECONNREFUSED 10.0.0.5:587", REFUSED, "!a mail server", "10.0.0.5 587" },
    { NULL,
      "rpc error: code = Unavailable desc = connection error: desc = \"transport: Error while "
      "dialing: "
      "dial tcp 10.0.0.5:50051: connect: connection refused\" grpc",
      REFUSED, "!a gRPC service", "10.0.0.5 50051" },
    { NULL,
      "The connection to the server localhost:8080 was refused - did you specify the right host or "
      "port?",
      REFUSED, "!the Kubernetes API", "localhost 8080" },
    { NULL,
      "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon "
      "running?",
      "other", "!the Docker daemon", "/var/run/docker.sock" },
    { "ldap.SERVER_DOWN", "{'desc': \"Can't contact LDAP server\"}", "other", "!an LDAP directory",
      "" },
    { "ConnectionRefusedError", "[Errno 111] Connection refused", REFUSED, "?", "" },
    { "Error", "connect ECONNREFUSED 10.0.0.5:9001", REFUSED, "?", "10.0.0.5 9001" },
    { "KeyError", "'currency'", "other", "?", "" },
    { "ProgrammingError", "relation \"orders\" does not exist\nLINE 1: SELECT 1 FROM orders",
      "other", "unknown", "" },
    { NULL, NULL, "other", "?", "" },
    { NULL, "", "other", "?", "" },
};

static const char *engine_text(const struct failure *f, struct buf *out)
{
    if (f->is_database == NO)
        buf_addf(out, "!%s", f->instead ? f->instead : "something else");
    else
        buf_adds(out, f->is_database == YES ? engine_name(f->engine) : "?");
    return buf_str(out);
}

static const char *where_text(const struct failure *f, struct buf *out)
{
    static const struct failure_target nowhere = { 0 };
    const struct failure_target *t = f->n_targets ? &f->targets[0] : &nowhere;
    const char *const parts[] = { t->host, t->port, t->database, t->user };
    size_t n = ARRAY_LEN(parts);

    while (n > 0 && !parts[n - 1])
        n--;
    for (size_t i = 0; i < n; i++)
        buf_addf(out, "%s%s", i ? " " : "", parts[i] ? parts[i] : "-");
    return buf_str(out);
}

static bool check(const struct failure_reader *r, const struct row *row)
{
    struct failure_exception e = { .type = row->type, .value = row->value };
    struct buf engine = BUF_INIT, where = BUF_INIT;
    struct failure f;

    failure_read(r, &e, &f);
    bool good = strcmp(failure_kind_name(f.kind), row->kind) == 0 &&
                strcmp(engine_text(&f, &engine), row->engine) == 0 &&
                strcmp(where_text(&f, &where), row->where) == 0;
    if (!good)
        print_error("%s: %s\n   got %s, %s, %s\n  want %s, %s, %s\n", row->type, row->value,
                    failure_kind_name(f.kind), buf_str(&engine), buf_str(&where), row->kind,
                    row->engine, row->where);
    buf_clear(&engine);
    buf_clear(&where);
    failure_clear(&f);
    return good;
}

static void check_all(void **state, const struct row *rows, size_t n)
{
    size_t wrong = 0;

    for (size_t i = 0; i < n; i++)
        wrong += !check(*state, &rows[i]);
    assert_int_equal(wrong, 0);
}

static void libpq_and_what_wraps_it(void **state)
{
    check_all(state, libpq, ARRAY_LEN(libpq));
}

static void other_postgresql_drivers(void **state)
{
    check_all(state, postgres_others, ARRAY_LEN(postgres_others));
}

static void mysql_and_mariadb_drivers(void **state)
{
    check_all(state, mysql, ARRAY_LEN(mysql));
}

static void sql_server_and_oracle_drivers(void **state)
{
    check_all(state, sqlserver_oracle, ARRAY_LEN(sqlserver_oracle));
}

static void mongodb_redis_and_the_other_stores(void **state)
{
    check_all(state, nosql, ARRAY_LEN(nosql));
}

static void wordings_that_are_seldom_seen(void **state)
{
    check_all(state, seldom, ARRAY_LEN(seldom));
}

static void what_is_no_database_is_named(void **state)
{
    check_all(state, strangers, ARRAY_LEN(strangers));
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
        cmocka_unit_test(libpq_and_what_wraps_it),
        cmocka_unit_test(other_postgresql_drivers),
        cmocka_unit_test(mysql_and_mariadb_drivers),
        cmocka_unit_test(sql_server_and_oracle_drivers),
        cmocka_unit_test(mongodb_redis_and_the_other_stores),
        cmocka_unit_test(wordings_that_are_seldom_seen),
        cmocka_unit_test(what_is_no_database_is_named),
    };
    return cmocka_run_group_tests_name("failure_messages", tests, setup, teardown);
}
