/* Further ways by which a machine is known to be the refused one, or known not to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "dbconn/analysis/logs.h"

#define ONSET INT64_C(1790003600000)
#define MAX_LINES 6

#define WORK "2026-08-18 10:00:00 UTC [9] LOG:  duration: 912.400 ms  statement: SELECT 1"
#define MYSQL_WORK                                                                                 \
    "2026-08-18T10:00:00.000000Z 9 [Warning] [MY-010055] [Server] IP address '10.0.1.4' could "    \
    "not be resolved"

struct line {
    const char *host, *service, *message;
    const char *ip; /* the machine's own address in its documents, or NULL */
};

struct row {
    const char *what;
    const char *engine, *target_host, *database;
    struct line lines[MAX_LINES];
    enum log_tie tie;
    const char *machine; /* NULL: none */
};

static void read_row(const struct row *row, struct log_findings *ret)
{
    static const char *const services[] = { "orders" };
    const struct log_target target = { .engine = row->engine,
                                       .host = row->target_host,
                                       .port = "5432",
                                       .database = row->database,
                                       .services = services,
                                       .n_services = 1 };
    const struct log_window window = { .onset_ms = ONSET,
                                       .end_ms = ONSET + 60000,
                                       .now_ms = ONSET + 3600000 };
    struct log_record records[MAX_LINES];
    const char *ips[MAX_LINES];
    size_t n = 0;

    for (; n < MAX_LINES && row->lines[n].message; n++) {
        const struct line *l = &row->lines[n];
        ips[n] = l->ip;
        records[n] = (struct log_record){ .time_ms = ONSET - 600000 + (int64_t)n * 1000,
                                          .host = l->host,
                                          .service = l->service,
                                          .message = l->message,
                                          .ips = l->ip ? &ips[n] : NULL,
                                          .n_ips = l->ip ? 1 : 0 };
    }
    logs_read(records, n, &target, &window, ret);
}

static void machines_are_tied_or_not(void **state)
{
    static const struct row rows[] = {
        { "it listens on the refused address",
          "postgresql",
          "10.1.2.3",
          NULL,
          { { "pg-1", "postgresql", "LOG:  listening on IPv4 address \"10.1.2.3\", port 5432",
              NULL },
            { "pg-1", "postgresql", WORK, NULL } },
          TIE_CERTAIN,
          "pg-1" },
        { "of several servers one is called like the Service, with its number",
          "postgresql",
          "orders-db-rw.data.svc",
          NULL,
          { { "orders-db-0", "postgresql", WORK, NULL },
            { "billing-db-0", "postgresql", WORK, NULL } },
          TIE_LIKELY,
          "orders-db-0" },
        { "two are called like it",
          "postgresql",
          "orders-db.internal",
          NULL,
          { { "orders-db-1", "postgresql", WORK, NULL },
            { "orders-db-2", "postgresql", WORK, NULL } },
          TIE_UNKNOWN,
          NULL },
        { "the proxy's socket is called after the Cloud SQL instance",
          "postgresql",
          "/cloudsql/shop-prod:europe-west4:orders/.s.PGSQL.5432",
          NULL,
          { { "shop-prod:orders", NULL, WORK, NULL }, { "shop-prod:wiki", NULL, WORK, NULL } },
          TIE_CERTAIN,
          "shop-prod:orders" },
        { "an instance of the same name in another project",
          "postgresql",
          "shop-prod:europe-west4:orders",
          NULL,
          { { "shop-stage:orders", NULL, WORK, NULL }, { "shop-prod:wiki", NULL, WORK, NULL } },
          TIE_UNKNOWN,
          NULL },
        { "the log group is called after the RDS instance",
          "postgresql",
          "orders.c9xq.eu-west-1.rds.amazonaws.com",
          NULL,
          { { "/aws/rds/instance/wiki/postgresql", NULL, WORK, NULL },
            { "/aws/rds/instance/orders/postgresql", NULL, WORK, NULL } },
          TIE_CERTAIN,
          "/aws/rds/instance/orders/postgresql" },
        { "a number of its own makes the host another machine",
          "postgresql",
          "orders-db-3.internal",
          NULL,
          { { "orders-db-1", "postgresql", WORK, NULL },
            { "billing-db-1", "postgresql", WORK, NULL } },
          TIE_UNKNOWN,
          NULL },
        { "a word behind the name makes it another machine",
          "postgresql",
          "orders-db.internal",
          NULL,
          { { "orders-db-reports-1", "postgresql", WORK, NULL },
            { "users-db-1", "postgresql", WORK, NULL },
            { "billing-db-1", "postgresql", WORK, NULL } },
          TIE_UNKNOWN,
          NULL },
        { "called like it, but of another engine",
          "postgresql",
          "orders-db.internal",
          NULL,
          { { "orders-db-1", "mysql", MYSQL_WORK, NULL },
            { "billing-db-1", "postgresql", WORK, NULL },
            { "users-db-1", "postgresql", WORK, NULL } },
          TIE_UNKNOWN,
          NULL },
        { "it takes over the virtual address",
          "postgresql",
          "10.1.2.9",
          NULL,
          { { "pg-2", "keepalived",
              "Keepalived_vrrp[7]: Sending gratuitous ARP on eth0 for 10.1.2.9", NULL },
            { "pg-2", "postgresql", WORK, NULL } },
          TIE_CERTAIN,
          "pg-2" },
        { "a registry names it as a bare word",
          "postgresql",
          "orders-rw.internal",
          NULL,
          { { "reg-1", "registry",
              "inventory orders-rw.internal -> zeus14 (10.9.7.1:5432) registered", NULL },
            { "zeus14", "postgresql", WORK, NULL } },
          TIE_CERTAIN,
          "zeus14" },
        { "the refused address is a balancer's in front of one database",
          "postgresql",
          "lb-1",
          NULL,
          { { "lb-1", "haproxy",
              "Server pg_back/pg-1 is DOWN, reason: Layer4 connection problem, info: \"Connection "
              "refused\", check duration: 0ms.",
              NULL },
            { "pg-1", "postgresql", WORK, NULL } },
          TIE_CERTAIN,
          "pg-1" },
        { "a balancer in front of two says nothing",
          "postgresql",
          "lb-1",
          NULL,
          { { "lb-1", "haproxy", "Server pg_back/pg-1 is DOWN, reason: Layer4 timeout", NULL },
            { "lb-1", "haproxy", "Server pg_back/pg-2 is DOWN, reason: Layer4 timeout", NULL },
            { "pg-1", "postgresql", WORK, NULL },
            { "pg-2", "postgresql", WORK, NULL } },
          TIE_UNKNOWN,
          NULL },
        { "the only server of the engine that logs is likely it",
          "postgresql",
          "db.internal",
          NULL,
          { { "pg-1", "postgresql", WORK, NULL } },
          TIE_LIKELY,
          "pg-1" },
        { "MariaDB's server may log as MySQL",
          "mariadb",
          "db.internal",
          NULL,
          { { "my-1", "mysqld", MYSQL_WORK, NULL } },
          TIE_LIKELY,
          "my-1" },
        { "a sibling with another number is not it",
          "postgresql",
          "pg-orders-02.internal",
          NULL,
          { { "pg-orders-03", "postgresql", WORK, NULL } },
          TIE_UNKNOWN,
          NULL },
        { "a managed database elsewhere is not the machine at hand",
          "postgresql",
          "orders.c1x2.eu-west-1.rds.amazonaws.com",
          NULL,
          { { "pg-1", "postgresql", WORK, NULL } },
          TIE_UNKNOWN,
          NULL },
        { "a machine with other addresses is not the refused one",
          "postgresql",
          "10.1.2.3",
          NULL,
          { { "pg-1", "postgresql", WORK, "10.7.7.7" } },
          TIE_UNKNOWN,
          NULL },
    };
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct log_findings f;
        read_row(&rows[i], &f);
        bool machine = rows[i].machine ? f.machine && strcmp(f.machine, rows[i].machine) == 0
                                       : f.tie == TIE_UNKNOWN;
        if (f.tie != rows[i].tie || !machine) {
            print_error("%s: tie %d, machine %s: %s\n", rows[i].what, f.tie,
                        f.machine ? f.machine : "none", f.tie_reason);
            wrong++;
        }
        log_findings_clear(&f);
    }
    assert_int_equal(wrong, 0);
}

/* A cloud's flow log: "version account interface source destination sourceport destinationport". */
static void a_flow_log_names_who_was_rejected_where(void **state)
{
    const struct log_record r = {
        .service = "vpc-flow-logs",
        .message = "2 123456789010 eni-0a1b 10.0.1.4 10.1.2.3 49152 5432 6 20 4249 1790003600 "
                   "1790003660 REJECT OK",
    };
    struct log_event e;
    const struct log_mention *server = NULL, *client = NULL;

    (void)state;
    logline_read(&r, &e);
    assert_int_equal(e.kind, LOG_NETWORK_FAULT_EVENT);
    for (size_t i = 0; i < e.n_mentions; i++) {
        server = e.mentions[i].role == MENTION_SERVER ? &e.mentions[i] : server;
        client = e.mentions[i].role == MENTION_CLIENT ? &e.mentions[i] : client;
    }
    if (server && client) {
        assert_memory_equal(server->text, "10.1.2.3", server->len);
        assert_int_equal(server->port, 5432);
        assert_memory_equal(client->text, "10.0.1.4", client->len);
    } else {
        fail_msg("client or server was not found");
    }
}

static void the_limit_of_slots_is_read(void **state)
{
    static const struct {
        const char *message;
        int limit;
    } rows[] = {
        { "FATAL:  sorry, too many clients already (max_connections = 200)", 200 },
        { "FATAL:  sorry, too many clients already (max_connections = 99999999999)", 9999999 },
        { "FATAL:  sorry, too many clients already", -1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct log_record r = { .service = "postgresql", .message = rows[i].message };
        struct log_event e;
        logline_read(&r, &e);
        assert_int_equal(e.kind, LOG_SLOTS_EXHAUSTED_EVENT);
        assert_int_equal(e.limit, rows[i].limit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machines_are_tied_or_not),
        cmocka_unit_test(a_flow_log_names_who_was_rejected_where),
        cmocka_unit_test(the_limit_of_slots_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
