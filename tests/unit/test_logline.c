#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dbconn/analysis/logline.h"
#include "dbconn/base/buf.h"

struct row {
    const char *service, *message, *kind;
    const char *engine; /* NULL: not checked */
    bool own;
};

static void check(const struct row *rows, size_t n)
{
    size_t failed = 0;

    for (size_t i = 0; i < n; i++) {
        struct log_record r = { .message = rows[i].message, .service = rows[i].service };
        struct log_event e;
        logline_read(&r, &e);
        if (strcmp(log_kind_name(e.kind), rows[i].kind) == 0 && e.own == rows[i].own &&
            (!rows[i].engine || (e.engine && strcmp(e.engine, rows[i].engine) == 0)))
            continue;
        print_error("%s\n  expected %s %s own=%d, got %s %s own=%d\n", rows[i].message,
                    rows[i].kind, rows[i].engine ? rows[i].engine : "any", rows[i].own,
                    log_kind_name(e.kind), e.engine ? e.engine : "none", e.own);
        failed++;
    }
    assert_int_equal(failed, 0);
}

#define PG(text) "postgresql", "2026-08-18 10:02:58.114 UTC [77] LOG:  " text
#define PG_RU(text) "postgresql", "2026-08-18 10:02:58 MSK [7] СООБЩЕНИЕ:  " text
#define PG_FATAL(text) "postgresql", "2026-08-18 10:02:58 UTC [78] app@orders FATAL:  " text

static void postgresql_tells_its_life(void **state)
{
    static const struct row rows[] = {
        { PG("received smart shutdown request"), "server_shutdown", "postgresql", true },
        { PG("received immediate shutdown request"), "server_shutdown", NULL, true },
        { PG("shutting down"), "server_shutdown", NULL, true },
        { PG("database system is shut down"), "server_stopped", NULL, true },
        { PG("abnormal database system shutdown"), "server_stopped", NULL, true },
        { PG("server process (PID 12) was terminated by signal 9: Killed"), "server_crash", NULL,
          true },
        { PG("server process (PID 12) was terminated by signal 11: Segmentation fault"),
          "server_crash", NULL, true },
        { PG("all server processes terminated; reinitializing"), "server_recovery", NULL, true },
        { PG("startup process (PID 9) was terminated by signal 6: Aborted"), "server_start_failed",
          NULL, true },
        { "postgresql",
          "2026-08-18 10:02:58 UTC [1] PANIC:  could not write to file "
          "\"pg_wal/xlogtemp.12\": No space left on device",
          "server_disk_full", NULL, true },
        { PG("starting PostgreSQL 16.2 on x86_64-pc-linux-gnu"), "server_start", NULL, true },
        { PG("listening on IPv4 address \"0.0.0.0\", port 5432"), "listening", NULL, true },
        { PG("database system was interrupted; last known up at 2026-08-18 10:00:00 UTC"),
          "server_start", NULL, true },
        { PG("database system was not properly shut down; automatic recovery in progress"),
          "server_recovery", NULL, true },
        { PG("redo starts at 0/1A2B3C"), "server_recovery", NULL, true },
        { PG("database system is ready to accept connections"), "server_ready", NULL, true },
        { PG("database system is ready to accept read-only connections"), "server_ready", NULL,
          true },
        { PG("could not bind IPv4 address \"0.0.0.0\": Address already in use"), "bind_failed",
          NULL, true },
        { PG("received promote request"), "promotion", NULL, true },
        { PG("checkpoint complete: wrote 10 buffers (0.1%)"), "ordinary_work", NULL, true },
        { PG("connection authorized: user=app database=orders host=10.2.3.4"), "ordinary_work",
          NULL, true },
        { PG("process 12 still waiting for ShareLock on transaction 7"), "ordinary_work", NULL,
          true },
        { PG("could not receive data from client: Connection reset by peer"), "ordinary_work", NULL,
          true },
        { "postgresql", "2026-08-18 10:02:58 UTC [9] app@orders ERROR:  duplicate key value",
          "ordinary_work", NULL, true },
        { PG_FATAL("the database system is starting up"), "rejected_starting_up", NULL, true },
        { PG_FATAL("sorry, too many clients already"), "slots_exhausted", NULL, true },
        { PG_FATAL("remaining connection slots are reserved for roles with the SUPERUSER "
                   "attribute"),
          "slots_exhausted", NULL, true },
        { PG_FATAL("password authentication failed for user \"app\""), "auth_rejected", NULL,
          true },
        { PG_FATAL("no pg_hba.conf entry for host \"10.2.3.4\""), "auth_rejected", NULL, true },
        /* its form alone tells, whatever the document's service is called */
        { "orders-db", "2026-08-18 10:02:58 UTC::@:[377]:LOG:  database system is shut down",
          "server_stopped", "postgresql", true },
        { NULL, "2026-08-18 10:02:58 UTC [1] LOG:  database system is shut down", "server_stopped",
          "postgresql", true },
    };
    (void)state;

    check(rows, ARRAY_LEN(rows));
}

static void postgresql_tells_its_life_in_other_languages(void **state)
{
    static const struct row rows[] = {
        { PG("intelligentes Herunterfahren verlangt"), "server_shutdown", "postgresql", true },
        { PG("abnormales Herunterfahren des Datenbanksystems"), "server_stopped", NULL, true },
        { PG("Serverprozess (PID 12) wurde von Signal 9 beendet: Getötet"), "server_crash", NULL,
          true },
        { PG("Datenbanksystem wurde nicht richtig heruntergefahren; automatische "
             "Wiederherstellung läuft"),
          "server_recovery", NULL, true },
        { PG("Datenbanksystem wurde am 2026-08-18 10:00:00 CEST heruntergefahren"), "server_start",
          NULL, true },
        { PG("a reçu une demande d'arrêt rapide"), "server_shutdown", NULL, true },
        { PG("el sistema de bases de datos está apagado"), "server_stopped", NULL, true },
        { PG("el sistema de bases de datos está listo para aceptar conexiones"), "server_ready",
          NULL, true },
        { PG("il database è stato arrestato"), "server_stopped", NULL, true },
        { PG("il database è stato arrestato alle 2026-08-18 10:00:00 CEST"), "server_start", NULL,
          true },
        { PG_RU("получен запрос на быстрое выключение"), "server_shutdown", NULL, true },
        { PG_RU("выключение"), "server_shutdown", NULL, true },
        { PG_RU("система БД готова принимать подключения"), "server_ready", NULL, true },
        { PG("усі серверні процеси перервано; повторна ініціалізація"), "server_recovery", NULL,
          true },
        { PG("databassystemet är nedstängt"), "server_stopped", NULL, true },
        { PG("高速シャットダウン要求を受け取りました"), "server_shutdown", NULL, true },
        { PG("이제 데이터베이스 서버로 접속할 수 있습니다"), "server_ready", NULL, true },
        { PG("收到快速关闭请求"), "server_shutdown", NULL, true },
        { PG("資料庫系統已關閉"), "server_stopped", NULL, true },
        { PG("Checkpoint beginnt: time"), "ordinary_work", NULL, true },
    };
    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void other_servers_tell_theirs(void **state)
{
    static const struct row rows[] = {
        { "mysql",
          "2026-08-18T10:02:58.1Z 0 [System] [MY-013172] [Server] Received SHUTDOWN from user "
          "<via user signal>. Shutting down mysqld (Version: 8.0.36).",
          "server_shutdown", "mysql", true },
        { "mysqld",
          "2026-08-18T10:02:59.1Z 0 [System] [MY-010910] [Server] /usr/sbin/mysqld: Shutdown "
          "complete (mysqld 8.0.36)  MySQL Community Server - GPL.",
          "server_stopped", "mysql", true },
        { NULL,
          "2026-08-18T10:03:20.1Z 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for "
          "connections. Version: '8.0.36'  socket: '/tmp/mysql.sock'  port: 3306  MySQL.",
          "server_ready", "mysql", true },
        { NULL,
          "2026-08-18T10:03:20.1Z 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for "
          "connections. Version: '8.0.36'  socket: '/tmp/mysql.sock'  port: 0  MySQL.",
          "bind_failed", "mysql", true },
        { NULL,
          "2026-08-18T10:03:20.1Z 0 [System] [MY-011323] [Server] X Plugin ready for connections. "
          "Bind-address: '::' port: 33060",
          "other", "mysql", true },
        { "mariadb", "2026-08-18 10:03:20 0 [Note] /usr/sbin/mariadbd: ready for connections.",
          "server_ready", "mysql", true },
        { "mysql", "10:03:20 UTC - mysqld got signal 11 ;", "server_crash", "mysql", true },
        { NULL, "2026-08-18T10:03:20.1Z 0 [ERROR] [MY-010119] [Server] Aborting",
          "server_start_failed", "mysql", true },
        { NULL, "2026-08-18T10:03:20.1Z 9 [Warning] [MY-000000] [Server] Too many connections",
          "slots_exhausted", "mysql", true },
        { "mysql", "2026-08-18T10:03:20.1Z 9 Connect app@10.2.3.4 on orders using TCP/IP",
          "ordinary_work", "mysql", true },
        { "mssql",
          "2026-08-18 10:02:58.11 spid12s     SQL Server is terminating because of a system "
          "shutdown. This is an informational message only.",
          "server_stopped", "sqlserver", true },
        { NULL,
          "2026-08-18 10:02:58.11 spid19s     SQL Server is now ready for client connections.",
          "server_ready", "sqlserver", true },
        { NULL, "2026-08-18 10:02:58.11 Logon       Login succeeded for user 'app'.",
          "ordinary_work", "sqlserver", true },
        { "oracle", "Shutting down instance (immediate)", "server_shutdown", "oracle", true },
        { "oracle", "Completed: ALTER DATABASE OPEN", "server_ready", "oracle", true },
        { "oracle", "PMON (ospid: 12): terminating the instance due to error 471", "server_crash",
          "oracle", true },
        { "oracle", "Thread 1 advanced to log sequence 12 (LGWR switch)", "ordinary_work", "oracle",
          true },
        { NULL,
          "{\"t\":{\"$date\":\"2026-08-18T10:02:58.1Z\"},\"s\":\"I\",\"msg\":\"Waiting for "
          "connections\",\"attr\":{\"port\":27017}}",
          "server_ready", "mongodb", true },
        { NULL,
          "{\"t\":{\"$date\":\"2026-08-18T10:02:58.1Z\"},\"s\":\"I\",\"msg\":\"Connection "
          "accepted\",\"attr\":{\"remote\":\"10.2.3.4:5000\"}}",
          "ordinary_work", "mongodb", true },
        { "cache", "1:M 18 Aug 2026 10:02:58.114 # Redis is now ready to exit, bye bye...",
          "server_stopped", "redis", true },
        { "cache", "1:M 18 Aug 2026 10:02:58.114 * Ready to accept connections tcp", "server_ready",
          "redis", true },
        { "cache", "1:M 18 Aug 2026 10:02:58.114 * Background saving started by pid 9",
          "ordinary_work", "redis", true },
        { "clickhouse",
          "2026.08.18 10:02:58.1 [ 1 ] {} <Information> Application: Received termination signal "
          "(Terminated)",
          "server_shutdown", "clickhouse", true },
        { "clickhouse",
          "2026.08.18 10:02:58.1 [ 1 ] {} <Information> Application: Ready for "
          "connections.",
          "server_ready", "clickhouse", true },
        { "cassandra", "INFO  [main] 2026-08-18 10:02:58 StorageService.java:1 - DRAINED",
          "server_stopped", "cassandra", true },
        { NULL, "[2026-08-18T10:02:58,1][INFO ][o.e.n.Node               ] [es-1] started {es-1}",
          "server_ready", "elasticsearch", true },
        { "patroni", "2026-08-18 10:02:58 INFO: promoted self to leader by acquiring session lock",
          "promotion", "postgresql", true },
        { "patroni", "demoted self because DCS is not accessible and I was a leader", "demotion",
          "postgresql", true },
        { "patroni", "no action. I am (pg-1), the leader with the lock", "ordinary_work",
          "postgresql", true },
        { "rds", "DB instance orders-prod: DB instance restarted (RDS-EVENT-0006)", "server_ready",
          NULL, true },
        { "rds", "Multi-AZ instance failover started. RDS-EVENT-0013", "failover", NULL, true },
    };
    (void)state;

    check(rows, ARRAY_LEN(rows));
}

static void supervisors_speak_of_processes(void **state)
{
    static const struct row rows[] = {
        { "kernel",
          "Aug 18 10:02:58 pg-1 kernel: Out of memory: Killed process 12 (postgres) "
          "total-vm:1kB, anon-rss:1kB",
          "server_oom_killed", "postgresql", true },
        { "kernel", "Memory cgroup out of memory: Killed process 12 (mysqld) total-vm:1kB",
          "server_oom_killed", "mysql", true },
        { "kernel",
          "Aug 18 10:02:58 w-1 kernel: Out of memory: Killed process 12 (java) total-vm:1kB",
          "other", NULL, false },
        { "kernel", "Out of memory: Killed process 12 (postgres_export) total-vm:1kB", "other",
          NULL, false },
        { "systemd", "Aug 18 10:02:58 pg-1 systemd[1]: Stopped postgres-backup.service.", "other",
          NULL, false },
        { "kernel", "Aug 18 10:02:58 pg-1 kernel: postgres[12]: segfault at 0 ip 1 sp 2 error 4",
          "server_crash", "postgresql", true },
        { "systemd",
          "Aug 18 10:02:58 pg-1 systemd[1]: postgresql@15-main.service: Main process exited, "
          "code=killed, status=9/KILL",
          "server_crash", "postgresql", true },
        { "systemd",
          "Aug 18 10:02:58 pg-1 systemd[1]: postgresql.service: Failed with result "
          "'oom-kill'.",
          "server_oom_killed", "postgresql", true },
        { "systemd", "Aug 18 10:02:58 db-1 systemd[1]: Stopping MySQL Community Server...",
          "server_shutdown", "mysql", true },
        { "systemd", "Aug 18 10:02:58 db-1 systemd[1]: Stopped PostgreSQL database server.",
          "server_stopped", "postgresql", true },
        { "systemd",
          "Aug 18 10:02:58 db-1 systemd[1]: mariadb.service: Start request repeated too "
          "quickly.",
          "server_start_failed", "mysql", true },
        { "systemd", "Aug 18 10:02:58 db-1 systemd[1]: Failed to start PostgreSQL Cluster 15-main.",
          "server_start_failed", "postgresql", true },
        { "systemd", "Aug 18 10:02:58 db-1 systemd[1]: Stopping nginx.service...", "other", NULL,
          false },
        { "systemd", "Aug 18 10:02:58 lb-1 systemd[1]: Stopped pgbouncer.service.", "pooler_down",
          NULL, true },
        { "systemd-logind", "Aug 18 10:02:58 pg-1 systemd-logind[9]: System is rebooting.",
          "machine_reboot", NULL, true },
        { "mysqld", "systemd-logind[611]: System is rebooting.", "machine_reboot", NULL, true },
        { "postgres", "kernel: Linux version 6.1.0-18-amd64 (x@y) #1 SMP", "machine_reboot", NULL,
          true },
        { "mysqld", "systemd[1]: Stopping MySQL Community Server...", "server_shutdown", "mysql",
          true },
        { "postgres", "systemd[1: cut", "ordinary_work", "postgresql", true },
        { "activity", "Server orders-db is now available", "server_ready", NULL, true },
        { "activity", "planned maintenance: server orders-db is restarting", "server_shutdown",
          NULL, true },
        { "kernel", "Aug 18 10:02:58 pg-1 kernel: Linux version 6.1.0-18-amd64 (x@y) #1 SMP",
          "machine_reboot", NULL, true },
        { "kube-events", "Killing: Stopping container postgres pod/orders-db-0", "server_shutdown",
          "postgresql", true },
        { "kubelet", "Back-off restarting failed container mysql in pod orders-db-0_data(12)",
          "server_start_failed", "mysql", true },
        { "kube-events",
          "Multi-Attach error for volume \"pvc-1\" Volume is already exclusively "
          "attached pod/orders-db-0",
          "server_start_failed", NULL, true },
        { "Service Control Manager",
          "The SQL Server (MSSQLSERVER) service entered the stopped state.", "server_stopped",
          "sqlserver", true },
        { "dockerd", "container die name=orders-postgres-1 exitCode=137", "server_stopped",
          "postgresql", true },
        { "docker", "postgres-1 exited with code 1", "server_crash", "postgresql", true },
        { "kube-proxy", "iptables: \"data/orders-db:db has no endpoints\" -j REJECT",
          "service_no_endpoints", NULL, false },
        { "kube-events", "Service data/orders-db: no ready endpoints", "service_no_endpoints", NULL,
          false },
    };
    (void)state;

    check(rows, ARRAY_LEN(rows));
}

static void what_stands_between_speaks(void **state)
{
    static const struct row rows[] = {
        { "pgbouncer",
          "2026-08-18 10:02:58 UTC [1] LOG S-0x55: orders/app@10.1.2.3:5432 closing because: "
          "connect failed (age=0s)",
          "pooler_backend_failed", "postgresql", true },
        { "pgbouncer", "2026-08-18 10:02:58 UTC [1] LOG got SIGTERM, shutting down", "pooler_down",
          NULL, true },
        { "pgbouncer", "2026-08-18 10:02:58 UTC [1] LOG listening on 0.0.0.0:6432", "pooler_up",
          NULL, true },
        { "orders",
          "pq: server login has been failing, cached error: connect failed "
          "(server_login_retry)",
          "pooler_backend_failed", NULL, false },
        { "haproxy",
          "Server be_orders/pg-1 is DOWN, reason: Layer4 connection problem, info: \"Connection "
          "refused\", check duration: 0ms.",
          "balancer_backend_down", NULL, false },
        { "mongod",
          "{\"s\":\"I\",\"c\":\"REPL\",\"id\":21358,\"msg\":\"Replica set state "
          "transition\",\"attr\":{\"newState\":\"SECONDARY\",\"oldState\":\"PRIMARY\"}}",
          "demotion", "mongodb", true },
        { "mongod",
          "{\"s\":\"I\",\"c\":\"REPL\",\"id\":21358,\"msg\":\"Replica set state "
          "transition\",\"attr\":{\"newState\":\"PRIMARY\",\"oldState\":\"SECONDARY\"}}",
          "promotion", "mongodb", true },
        { "mongod",
          "{\"s\":\"I\",\"msg\":\"Stepping down the ReplicationCoordinator for shutdown\"}",
          "server_shutdown", "mongodb", true },
        { "mssql", "SQL Server is terminating because of fatal exception c0000005.", "server_crash",
          "sqlserver", true },
        { "mssql", "The transaction log for database 'shop' is full due to 'LOG_BACKUP'.",
          "server_disk_full", "sqlserver", true },
        { "mariadb",
          "[Note] WSREP: New cluster view: global state: 9a:12, view# -1: non-Primary, number of "
          "nodes: 1, my index: 0, protocol version 3",
          "demotion", "mysql", true },
        { "oracle",
          "ORA-19815: WARNING: db_recovery_file_dest_size of 1 bytes is 100.00% used, and has 0 "
          "remaining bytes available.",
          "server_disk_full", "oracle", true },
        { "orchestrator", "topology_recovery: detected DeadMaster failure on my-1:3306", "failover",
          "mysql", false },
        { "repmgrd", "[NOTICE] promoting standby to primary", "promotion", "postgresql", true },
        { "charon", "11[IKE] IKE_SA dc[7] established between 10.0.0.2[a]...10.9.0.2[b]",
          "network_recovered", NULL, false },
        { "openvpn", "dc/10.1.1.1:1194 Inactivity timeout (--ping-restart), restarting",
          "network_fault", NULL, false },
        { "kernel", "e1000e 0000:00:1f.6 eth0: Detected Hardware Unit Hang:", "network_fault", NULL,
          false },
        { "redis-sentinel", "9:X 18 Aug 2026 10:02:58.114 # +sdown master orders 10.0.0.5 6379",
          "balancer_backend_down", "redis", false },
        { NULL, "9:X 18 Aug 2026 10:02:58.114 # +switch-master orders 10.0.0.5 6379 10.0.0.6 6379",
          "failover", "redis", false },
        { "sentinel", "9:X 18 Aug 2026 10:02:58.114 * +slave slave 10.0.0.6:6379 10.0.0.6 6379",
          "other", "redis", false },
        { "haproxy", "backend be_orders has no server available!", "balancer_backend_down", NULL,
          false },
        { "haproxy", "Server be_orders/pg-1 is UP, reason: Layer4 check passed",
          "balancer_backend_up", NULL, false },
        { "kernel",
          "Aug 18 10:02:58 n-1 kernel: nf_conntrack: nf_conntrack: table full, dropping "
          "packet",
          "network_fault", NULL, false },
        { "kernel", "Aug 18 10:02:58 n-1 kernel: igb 0000:01:00.0 eth0: igb: eth0 NIC Link is Down",
          "network_fault", NULL, false },
        { "kernel",
          "Aug 18 10:02:58 fw-1 kernel: DROP IN=eth0 OUT=eth1 SRC=10.2.3.4 DST=10.1.2.3 LEN=60 "
          "PROTO=TCP SPT=40000 DPT=5432",
          "network_fault", NULL, false },
        { "network", "%BGP-5-ADJCHANGE: neighbor 10.9.9.9 Down Hold timer expired", "network_fault",
          NULL, false },
        { "network", "%LINK-3-UPDOWN: Interface Gi0/1, changed state to down", "network_fault",
          NULL, false },
        { "strongswan", "giving up after 5 retransmits", "network_fault", NULL, false },
        { "firewall", "policy push 12ab applied to eu-west-1 edge firewall",
          "network_policy_change", NULL, false },
        { "cloudtrail", "RevokeSecurityGroupIngress groupId=sg-1 by user ops",
          "network_policy_change", NULL, false },
        { "named", "query: db.internal IN A answer: db.internal. 60 IN A 10.1.2.3", "dns_answer",
          NULL, false },
        { "resolver", "resolved orders-db.prod.internal to 10.1.2.3", "dns_answer", NULL, false },
        { "cmdb", "inventory host=pg-1 address=10.1.2.3 role=primary", "inventory", NULL, false },
        { "kube-events", "EndpointSlice orders-db-x1 ready endpoints orders-db-0 (10.1.2.3:5432)",
          "service_endpoints", NULL, false },
        { "db-metrics", "connections 98/100 in use on pg-1", "slots_report", NULL, false },
    };
    (void)state;

    check(rows, ARRAY_LEN(rows));
}

static void clients_complain_in_their_drivers_words(void **state)
{
    static const struct row rows[] = {
        { "orders",
          "OperationalError: connection to server at \"pg-1.internal\" (10.1.2.3), port 5432 "
          "failed: Connection refused",
          "client_refused", "postgresql", false },
        { "orders", "Error: connect ECONNREFUSED 10.1.2.3:5432", "client_refused", "postgresql",
          false },
        { "orders", "dial tcp 10.1.2.3:3306: connect: connection refused", "client_refused",
          "mysql", false },
        { "orders",
          "(2003, \"Can't connect to MySQL server on 'db' ([Errno 111] Connection "
          "refused)\")",
          "client_refused", "mysql", false },
        { "orders", "Can't connect to MySQL server on 'db:3306' (110)", "client_timeout", "mysql",
          false },
        { "orders", "ORA-12541: TNS:no listener", "client_refused", "oracle", false },
        { "orders", "dial tcp 10.1.2.3:5432: connect: no route to host", "client_unreachable",
          "postgresql", false },
        { "orders", "dial tcp 10.1.2.3:5432: i/o timeout", "client_timeout", "postgresql", false },
        { "orders", "PG::ConnectionBad: server closed the connection unexpectedly", "client_reset",
          "postgresql", false },
        { "orders", "could not translate host name \"db\" to address: Name or service not known",
          "client_dns", NULL, false },
        { "orders", "HikariPool-1 - Connection is not available, request timed out after 30000ms.",
          "client_pool_empty", NULL, false },
        /* what the server said, quoted by its client */
        { "orders",
          "OperationalError: connection to server at \"db\" (10.1.2.3), port 5432 failed: FATAL:  "
          "sorry, too many clients already",
          "slots_exhausted", "postgresql", false },
        { "orders", "psycopg2.OperationalError: FATAL:  the database system is starting up",
          "rejected_starting_up", "postgresql", false },
        { "orders", "query ok db=orders rows=3 took=4ms", "client_ok", NULL, false },
        { "orders", "HikariPool-1 - Start completed.", "client_ok", NULL, false },
        { "orders", "connected to the partner feed", "other", NULL, false },
        { "orders", "order 12 was refused by the customer", "other", NULL, false },
        { "orders", "", "other", NULL, false },
        { "orders", NULL, "other", NULL, false },
    };
    (void)state;

    check(rows, ARRAY_LEN(rows));
}

static const char *mentions(const char *message)
{
    static char out[400];
    struct log_record r = { .message = message };
    struct log_event e;
    size_t used = 0;

    logline_read(&r, &e);
    out[0] = '\0';
    for (size_t i = 0; i < e.n_mentions; i++)
        used += (size_t)snprintf(out + used, sizeof(out) - used, "%s%.*s:%d", i ? " " : "",
                                 (int)e.mentions[i].len, e.mentions[i].text, e.mentions[i].port);
    return out;
}

static void names_addresses_and_ports_are_found(void **state)
{
    static const struct {
        const char *message, *mentions;
    } cases[] = {
        { "connection to server at \"pg-1.internal\" (10.1.2.3), port 5432 failed: refused",
          "pg-1.internal:0 10.1.2.3:5432" },
        { "connect ECONNREFUSED ::1:5432", "::1:5432" },
        { "dial tcp [fd00::12]:5432: connect: refused", "fd00::12:5432" },
        { "Can't connect to MySQL server on 'db-orders:3306' (111)", "db-orders:3306" },
        { "kernel: DROP SRC=10.2.3.4 DST=10.1.2.3 PROTO=TCP DPT=5432", "10.2.3.4:0 10.1.2.3:5432" },
        { "took 1.25 s at 10:02:58.114, version 16.2", "" },
        { "File \"/srv/app/db/pool.py\", line 12", "" },
        { "java.net.ConnectException: refused", "" },
        { "host=pg1 is away", "pg1:0" },
        { "10.1.2.3.4 and 300.1.2.3", "" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(mentions(cases[i].message), cases[i].mentions);
}

static void a_line_may_be_about_another_machine(void **state)
{
    static const struct {
        const char *message, *machine;
    } cases[] = {
        { "Aug 18 10:02:58 pg-1 systemd[1]: Stopped PostgreSQL database server.", "pg-1" },
        { "2026-08-18T10:02:58.1+00:00 pg-1 kernel: Linux version 6.1.0", "pg-1" },
        { "Killing: Stopping container postgres pod/orders-db-0", "orders-db-0" },
        { "delete Pod orders-db-0 in StatefulSet orders-db successful", "orders-db-0" },
        { "DB instance orders-prod: DB instance restarted", "orders-prod" },
        { "2026-08-18 10:02:58 UTC [1] LOG:  database system is shut down", "" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct log_record r = { .message = cases[i].message };
        struct log_event e;
        logline_read(&r, &e);
        assert_int_equal(e.machine_len, strlen(cases[i].machine));
        if (e.machine_len > 0)
            assert_memory_equal(e.machine, cases[i].machine, e.machine_len);
    }
}

static void connections_in_use_are_counted(void **state)
{
    struct log_record r = { .message = "connections 98/100 in use on pg-1, 3 idle in transaction" };
    struct log_event e;
    (void)state;

    logline_read(&r, &e);
    assert_int_equal(e.in_use, 98);
    assert_int_equal(e.limit, 100);
}

static void the_database_that_a_line_names_is_found(void **state)
{
    static const struct {
        const char *service, *message, *database;
    } cases[] = {
        { PG("connection authorized: user=app database=orders host=10.2.3.4"), "orders" },
        { PG_FATAL("sorry, too many clients already"), "orders" },
        { "mysql", "2026-08-18T10:03:20.1Z 9 Connect app@10.2.3.4 on orders using TCP/IP",
          "orders" },
        { "mysql", "x [Note] [MY-010914] [Server] Aborted connection 9 to db: 'orders' user: 'u'",
          "orders" },
        { "shop", "query ok db=orders rows=3", "orders" },
        { "shop", "nothing here", "" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct log_record r = { .message = cases[i].message, .service = cases[i].service };
        struct log_event e;
        logline_read(&r, &e);
        assert_int_equal(e.database_len, strlen(cases[i].database));
        if (e.database_len > 0)
            assert_memory_equal(e.database, cases[i].database, e.database_len);
    }
}

static void a_huge_message_is_read_at_its_beginning(void **state)
{
    struct buf text = BUF_INIT;
    struct log_event e;
    (void)state;

    buf_adds(&text, "dial tcp 10.1.2.3:5432: connect: connection refused ");
    while (text.len < 200000)
        buf_adds(&text, "at com.example.Some.method(Some.java:12) ");
    struct log_record r = { .message = text.data };
    logline_read(&r, &e);
    assert_string_equal(log_kind_name(e.kind), "client_refused");
    assert_true(e.n_mentions > 0 && e.mentions[0].text >= text.data &&
                e.mentions[0].text < text.data + text.len);
    buf_clear(&text);
}

static void what_a_network_program_fails_at_is_the_network(void **state)
{
    static const struct row rows[] = {
        { "kube-proxy", "E0818 proxier.go:12] \"Unable to open the socket of nft\" err=\"busy\"",
          "network_fault", NULL, false },
        { "calico-node", "felix/calc.go 88: Endpoint update failed, will retry", "network_fault",
          NULL, false },
        { "ovs-vswitchd", "ovs|00012|bridge|WARN|br0: flows flushed", "network_fault", NULL,
          false },
        { "cilium", "level=info msg=\"xx drop (Policy denied) 10.0.0.4:41000 -> 10.0.1.8:5432\"",
          "network_fault", NULL, false },
        { "kernel", "mlx5_core 0000:5e:00.0: poll_health: device's health compromised, bad device",
          "network_fault", NULL, false },
        { "kernel", "igb 0000:02:00.0 eth1: Reset adapter", "network_fault", NULL, false },
        { "weave-net", "->[6a:0e|node-4]: fastdp: heartbeat missed", "network_fault", NULL, false },
        { "metallb-speaker", "level=error msg=\"failed to send gratuitous neighbour answer\"",
          "network_fault", NULL, false },
        { "bgpd", "10.0.0.9: session reset by peer", "network_fault", NULL, false },
        /* the same words elsewhere, and the same programs at work */
        { "orders", "heartbeat missed, token expired, session reset", "other", NULL, false },
        { "keepalived", "Reloading configuration", "other", NULL, false },
        { "orders", "ticket flushed, mail could not be queued", "other", NULL, false },
        { "orders", "ice cream order reset unexpectedly", "other", NULL, false },
        { "kernel", "usb 1-1: reset high-speed device", "other", NULL, false },
        { "kube-proxy", "I0818 proxier.go:99] \"SyncProxyRules complete\" elapsed=\"12ms\"",
          "other", NULL, false },
        { "azure-activity", "Microsoft.Network/networkSecurityGroups/securityRules/write succeeded",
          "network_policy_change", NULL, false },
    };
    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void a_pods_event_names_the_pod_whose_process_was_killed(void **state)
{
    const struct log_record r = {
        .service = "events",
        .host = "node-1",
        .message = "pod/orders-pg-0 OOMKilling: Memory cgroup out of memory: Killed process 91 "
                   "(postgres)",
    };
    struct log_event e;
    (void)state;

    logline_read(&r, &e);
    assert_int_equal(e.kind, LOG_SERVER_OOM_KILLED_EVENT);
    assert_true(e.process);
    assert_non_null(e.machine);
    assert_int_equal(e.machine_len, strlen("orders-pg-0"));
    assert_memory_equal(e.machine, "orders-pg-0", e.machine_len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(postgresql_tells_its_life),
        cmocka_unit_test(postgresql_tells_its_life_in_other_languages),
        cmocka_unit_test(other_servers_tell_theirs),
        cmocka_unit_test(supervisors_speak_of_processes),
        cmocka_unit_test(what_a_network_program_fails_at_is_the_network),
        cmocka_unit_test(a_pods_event_names_the_pod_whose_process_was_killed),
        cmocka_unit_test(what_stands_between_speaks),
        cmocka_unit_test(clients_complain_in_their_drivers_words),
        cmocka_unit_test(names_addresses_and_ports_are_found),
        cmocka_unit_test(a_line_may_be_about_another_machine),
        cmocka_unit_test(connections_in_use_are_counted),
        cmocka_unit_test(the_database_that_a_line_names_is_found),
        cmocka_unit_test(a_huge_message_is_read_at_its_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
