#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dbconn/analysis/logs.h"

/* Minutes after an arbitrary hour; the errors last from 60 to 90. */
#define AT(minutes) (INT64_C(1790000000000) + (int64_t)((minutes)*60000.0))

#define WORK "2026-08-18 10:00:00 UTC [9] LOG:  duration: 912.400 ms  statement: SELECT 1"
#define CHORE "2026-08-18 10:00:00 UTC [9] LOG:  checkpoint complete: wrote 1 buffers"
#define STOP "2026-08-18 10:00:00 UTC [1] LOG:  received fast shutdown request"
#define DOWN "2026-08-18 10:00:00 UTC [1] LOG:  database system is shut down"
#define READY "2026-08-18 10:00:00 UTC [1] LOG:  database system is ready to accept connections"

static const char *const own_services[] = { "orders" };

static const struct log_target target = {
    .engine = "postgresql",
    .host = "db-orders.internal",
    .port = "5432",
    .database = "orders",
    .services = own_services,
    .n_services = 1,
};

static struct log_record record(double minutes, const char *host, const char *service,
                                const char *message)
{
    return (struct log_record){
        .time_ms = AT(minutes), .host = host, .service = service, .message = message
    };
}

static struct log_record said(double minutes, const char *host, const char *message)
{
    return record(minutes, host, "postgresql", message);
}

static struct log_record dns(const char *answer)
{
    return record(0, "ns-1", "named", answer);
}

static void read_during(const struct log_record *records, size_t n, const struct log_target *t,
                        double from, double to, struct log_findings *ret)
{
    struct log_window w = { .onset_ms = AT(from), .end_ms = AT(to), .now_ms = AT(200) };

    logs_read(records, n, t, &w, ret);
}

static void read_all(const struct log_record *records, size_t n, struct log_findings *ret)
{
    read_during(records, n, &target, 60, 90, ret);
}

#define ANSWER                                                                                     \
    "query: db-orders.internal IN A answer: db-orders.internal. 60 IN CNAME pg-1.internal. "       \
    "pg-1.internal. 60 IN A 10.1.2.3"

static void a_machine_is_tied_in_many_ways(void **state)
{
    static const char *const address[] = { "10.1.2.3" };
    const struct log_record by_cname[] = { dns(ANSWER), said(50, "pg-1", WORK) };
    const struct log_record by_inventory[] = {
        dns("query: db-orders.internal IN A answer: db-orders.internal. 60 IN A 10.1.2.3"),
        record(1, "cmdb-1", "cmdb", "inventory host=pg-1 address=10.1.2.3 role=primary"),
        said(50, "pg-1", WORK)
    };
    const struct log_record by_pool[] = {
        record(1, "web-1", "orders",
               "db pool opened: db-orders.internal (10.1.2.3):5432 server=pg-1"),
        said(50, "pg-1", WORK)
    };
    const struct log_record by_pointer[] = {
        record(1, "web-1", "orders",
               "connection to server at \"db-orders.internal\" (10.1.2.3), port 5432 failed: "
               "Connection refused"),
        dns("query: db-orders.internal IN A answer: db-orders.internal. 60 IN A 10.1.2.3"),
        dns("query: 3.2.1.10.in-addr.arpa IN PTR answer: pg-1.internal."), said(50, "pg-1", WORK)
    };
    struct log_record by_address[] = {
        dns("query: db-orders.internal IN A answer: db-orders.internal. 60 IN A 10.1.2.3"),
        said(50, "pg-1", WORK)
    };
    const struct {
        const struct log_record *records;
        size_t n;
    } cases[] = {
        { by_cname, ARRAY_LEN(by_cname) },     { by_inventory, ARRAY_LEN(by_inventory) },
        { by_pool, ARRAY_LEN(by_pool) },       { by_pointer, ARRAY_LEN(by_pointer) },
        { by_address, ARRAY_LEN(by_address) },
    };
    (void)state;

    by_address[1].ips = address;
    by_address[1].n_ips = 1;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct log_findings f;
        read_all(cases[i].records, cases[i].n, &f);
        if (f.tie != TIE_CERTAIN || !f.machine || strcmp(f.machine, "pg-1") != 0)
            fail_msg("case %zu: %s", i, f.tie_reason);
        log_findings_clear(&f);
    }
}

static void a_name_with_a_domain_is_the_machine_of_the_short_name(void **state)
{
    const struct log_record r[] = { said(50, "pg-1", WORK), said(51, "pg-2", WORK) };
    struct log_target t = target;
    struct log_findings f;
    (void)state;

    t.host = "pg-2.internal";
    read_during(r, ARRAY_LEN(r), &t, 60, 90, &f);
    assert_int_equal(f.tie, TIE_CERTAIN);
    assert_string_equal(f.machine, "pg-2");
    log_findings_clear(&f);
}

/* orders-db is the Service; any of its pods may have been meant. */
static void a_service_ties_through_its_endpoints_and_not_by_its_name(void **state)
{
    struct log_record r[] = {
        record(1, "m-1", "kube-events",
               "Service data/orders-db clusterIP 10.96.0.9 port 5432: EndpointSlice orders-db-x1 "
               "ready endpoints orders-db-0 (10.244.1.7:5432)"),
        said(50, "node-1", WORK),
        said(61, "node-2", DOWN),
    };
    struct log_target t = target;
    struct log_findings f;
    (void)state;

    t.host = "orders-db.data.svc.cluster.local";
    r[1].pod = "orders-db-0";
    r[2].pod = "orders-db-1";
    read_during(r, ARRAY_LEN(r), &t, 60, 90, &f);
    assert_string_equal(f.machine, "orders-db-0");
    assert_int_equal(f.went_down, UNKNOWN);
    assert_true(f.other_restart);
    assert_string_equal(f.other_machine, "orders-db-1");
    log_findings_clear(&f);
    read_during(r + 1, 2, &t, 60, 90, &f);
    assert_int_equal(f.tie, TIE_UNKNOWN);
    assert_null(f.machine);
    log_findings_clear(&f);
}

static void the_only_server_is_likely_until_something_contradicts(void **state)
{
    const struct log_record alone[] = { said(61, "pg-7", DOWN) };
    const struct log_record serving[] = {
        said(50, "pg-7",
             "2026-08-18 10:00:00 UTC [9] LOG:  connection authorized: user=app database=orders"),
        said(50, "pg-8",
             "2026-08-18 10:00:00 UTC [9] LOG:  connection authorized: user=bi database=dwh")
    };
    const struct log_record reports[] = { said(61, "pg-reports-1", DOWN) };
    const struct log_record dwh[] = {
        said(50, "pg-8",
             "2026-08-18 10:00:00 UTC [9] LOG:  connection authorized: user=bi database=dwh"),
        said(61, "pg-8", DOWN)
    };
    const struct log_record mysql[] = { record(
        61, "my-1", "mysql", "[MY-010910] [Server] mysqld: Shutdown complete (mysqld 8)") };
    const struct log_record elsewhere[] = {
        record(1, "cmdb-1", "cmdb", "inventory host=pg-7 address=10.9.9.9 dns=db-billing.internal"),
        said(61, "pg-7", DOWN)
    };
    const struct {
        const struct log_record *records;
        size_t n;
        enum log_tie tie;
    } cases[] = {
        { alone, 1, TIE_LIKELY }, { serving, 2, TIE_LIKELY }, { reports, 1, TIE_UNKNOWN },
        { dwh, 2, TIE_UNKNOWN },  { mysql, 1, TIE_UNKNOWN },  { elsewhere, 2, TIE_UNKNOWN },
        { NULL, 0, TIE_UNKNOWN },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct log_findings f;
        read_all(cases[i].records, cases[i].n, &f);
        if (f.tie != cases[i].tie || (f.machine && strcmp(f.machine, "pg-7") != 0))
            fail_msg("case %zu: %d %s", i, (int)f.tie, f.tie_reason);
        log_findings_clear(&f);
    }
}

static void a_local_address_ties_to_no_machine(void **state)
{
    const struct log_record r[] = { said(61, "pg-1", DOWN) };
    struct log_target t = target;
    struct log_findings f;
    (void)state;

    t.host = "127.0.0.1";
    read_during(r, 1, &t, 60, 90, &f);
    assert_int_equal(f.tie, TIE_UNKNOWN);
    assert_int_equal(f.went_down, UNKNOWN);
    log_findings_clear(&f);
}

static void a_restart_is_an_outage_with_both_ends(void **state)
{
    const struct log_record r[] = {
        dns(ANSWER),
        said(58, "pg-1", WORK),
        said(59.5, "pg-1", STOP),
        said(59.6, "pg-1", CHORE), /* the last checkpoint */
        said(59.7, "pg-1", DOWN),
        said(70, "pg-1",
             "2026-08-18 10:00:00 UTC [1] LOG:  database system was shut down at 2026-08-18"),
        said(70.1, "pg-1", READY),
        said(80, "pg-1", WORK),
    };
    struct log_findings f;
    (void)state;

    read_during(r, ARRAY_LEN(r), &target, 60, 71, &f);
    assert_int_equal(f.went_down, YES);
    assert_int_equal(f.came_back, YES);
    assert_int_equal(f.n_outages, 1);
    assert_int_equal(f.down_ms, AT(59.5));
    assert_int_equal(f.up_ms, AT(70.1));
    assert_int_equal(f.down_kind, LOG_SERVER_SHUTDOWN_EVENT);
    assert_int_equal(f.down_record, 2);
    assert_int_equal(f.healthy, NO);
    assert_int_equal(f.own[LOG_SERVER_STOPPED_EVENT].n, 1);
    log_findings_clear(&f);
}

static void a_server_that_stays_away_did_not_come_back(void **state)
{
    const struct log_record r[] = {
        dns(ANSWER),
        said(58, "pg-1", WORK),
        record(
            60, "pg-1", "kernel",
            "Aug 18 10:00:00 pg-1 kernel: Out of memory: Killed process 9 (postgres) total-vm:1kB"),
        said(60.1, "pg-1",
             "2026-08-18 10:00:00 UTC [1] LOG:  server process (PID 9) was terminated by signal 9"),
        record(61, "pg-1", "systemd",
               "Aug 18 10:01:00 pg-1 systemd[1]: Failed to start PostgreSQL Cluster 15-main."),
        record(120, "web-1", "orders", "GET /healthz 200"),
    };
    struct log_findings f;
    (void)state;

    read_during(r, ARRAY_LEN(r), &target, 60, 190, &f);
    assert_int_equal(f.went_down, YES);
    assert_int_equal(f.came_back, NO);
    assert_int_equal(f.down_kind, LOG_SERVER_OOM_KILLED_EVENT);
    assert_true(f.start_failed);
    log_findings_clear(&f);
}

static void work_after_a_stop_without_a_start_line_is_the_end(void **state)
{
    const struct log_record r[] = { dns(ANSWER), said(60, "pg-1", DOWN), said(75, "pg-1", WORK) };
    struct log_findings f;
    (void)state;

    read_during(r, ARRAY_LEN(r), &target, 60, 74, &f);
    assert_int_equal(f.came_back, YES);
    assert_int_equal(f.up_ms, AT(75));
    log_findings_clear(&f);
}

static void a_restart_at_another_time_explains_nothing(void **state)
{
    const struct log_record before[] = { dns(ANSWER), said(10, "pg-1", DOWN),
                                         said(12, "pg-1", READY), said(70, "pg-1", WORK) };
    const struct log_record late[] = { dns(ANSWER), said(58, "pg-1", WORK), said(61, "pg-1", WORK),
                                       said(80, "pg-1", DOWN), said(81, "pg-1", READY) };
    struct log_findings f;
    (void)state;

    read_all(before, ARRAY_LEN(before), &f);
    assert_int_equal(f.n_outages, 1);
    assert_int_equal(f.went_down, NO);
    assert_int_equal(f.healthy, YES);
    log_findings_clear(&f);
    /* Somebody restarted it in the middle of the trouble. */
    read_all(late, ARRAY_LEN(late), &f);
    assert_int_equal(f.n_outages, 1);
    assert_true(f.outages[0].inside);
    assert_int_equal(f.went_down, NO);
    log_findings_clear(&f);
}

/* A server whose port is blocked still writes its checkpoints. */
static void chores_do_not_show_that_anybody_got_through(void **state)
{
    const struct log_record r[] = { dns(ANSWER), said(59, "pg-1", WORK), said(70, "pg-1", CHORE) };
    struct log_findings f;
    (void)state;

    read_all(r, ARRAY_LEN(r), &f);
    assert_int_equal(f.went_down, NO);
    assert_int_equal(f.healthy, UNKNOWN);
    log_findings_clear(&f);
}

#define PG_LOG(text) "2026-08-18 10:00:00 UTC [1] LOG:  " text
/* What no rule reads: a language that the server's own catalogues do not have. */
#define UNREAD PG_LOG("grunnurinn heldur áfram")

static void health_needs_a_served_client_or_lines_all_along(void **state)
{
    static const struct {
        const char *name;
        struct {
            double minutes;
            const char *message;
        } lines[5];
        enum tristate healthy, went_down;
    } cases[] = {
        { "one unread line at the end of a silence, after lines before",
          { { 50, CHORE }, { 58, UNREAD }, { 89, UNREAD } },
          UNKNOWN,
          UNKNOWN },
        { "the same when it said something at the first error",
          { { 50, CHORE }, { 60.1, UNREAD }, { 89, UNREAD } },
          UNKNOWN,
          UNKNOWN },
        { "whoever is served after such a return proves nothing",
          { { 50, CHORE }, { 88, UNREAD }, { 89, WORK } },
          UNKNOWN,
          UNKNOWN },
        { "one unread line in the middle: a process writes, it told of no end",
          { { 50, CHORE }, { 74, UNREAD } },
          UNKNOWN,
          NO },
        { "unread lines in each third leave no room for an outage",
          { { 50, CHORE }, { 62, UNREAD }, { 75, UNREAD }, { 88, UNREAD } },
          YES,
          NO },
        { "one served client", { { 50, CHORE }, { 74, WORK } }, YES, NO },
        { "a client that connects",
          { { 50, CHORE }, { 74, PG_LOG("connection received: host=10.0.0.9 port=4410") } },
          YES,
          NO },
        { "the same in French",
          { { 50, CHORE }, { 74, PG_LOG("connexion reçue : hôte=10.0.0.9 port=4410") } },
          YES,
          NO },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct log_record r[6] = { dns(ANSWER) };
        struct log_findings f;
        size_t n = 1;
        for (size_t k = 0; k < 5 && cases[i].lines[k].message; k++)
            r[n++] = said(cases[i].lines[k].minutes, "pg-1", cases[i].lines[k].message);
        read_all(r, n, &f);
        if (f.healthy != cases[i].healthy || f.went_down != cases[i].went_down)
            fail_msg("%s: healthy %d, went down %d", cases[i].name, f.healthy, f.went_down);
        log_findings_clear(&f);
    }
}

static void a_restart_is_read_in_the_servers_language(void **state)
{
    static const char *const lives[][3] = {
        { "sofortiges Herunterfahren verlangt",
          "Datenbanksystem wurde unterbrochen; letzte bekannte Aktion am 2026-08-18 09:58:00 CEST",
          "Datenbanksystem ist bereit, um Verbindungen anzunehmen" },
        { "le système de base de données est arrêté",
          "le système de bases de données a été arrêté à 2026-08-18 10:00:00 CEST",
          "le système de bases de données est prêt pour accepter les connexions" },
        { "データベースシステムはシャットダウンしました",
          "データベースシステムは 2026-08-18 19:00:00 JST にシャットダウンしました",
          "データベースシステムの接続受け付け準備が整いました" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
        struct log_record r[4] = { dns(ANSWER) };
        char lines[3][300];
        struct log_findings f;
        for (size_t k = 0; k < 3; k++) {
            snprintf(lines[k], sizeof(lines[k]), PG_LOG("%s"), lives[i][k]);
            r[k + 1] = said((const double[]){ 60, 88, 89 }[k], "pg-1", lines[k]);
        }
        read_all(r, 4, &f);
        assert_int_equal(f.went_down, YES);
        assert_int_equal(f.came_back, YES);
        assert_int_equal(f.up_ms, AT(89));
        log_findings_clear(&f);
    }
}

/* A line without the target's address beside its name, as registries write it. */
static void a_registry_names_the_machine_as_a_bare_word(void **state)
{
    const struct log_record r[] = {
        record(10, "reg-1", "consul",
               "service db-orders.internal -> pg-1 (10.1.2.3:5432) registered"),
        said(60, "pg-1", DOWN), said(65, "pg-1", READY), said(20, "pg-9", WORK)
    };
    struct log_findings f;
    (void)state;

    read_all(r, ARRAY_LEN(r), &f);
    assert_int_equal(f.tie, TIE_CERTAIN);
    assert_string_equal(f.machine, "pg-1");
    assert_int_equal(f.went_down, YES);
    log_findings_clear(&f);
}

static void clocks_may_differ_by_two_minutes(void **state)
{
    const struct log_record r[] = { dns(ANSWER), said(61.9, "pg-1", DOWN),
                                    said(63, "pg-1", READY) };
    struct log_findings f;
    (void)state;

    read_during(r, ARRAY_LEN(r), &target, 60, 62, &f);
    assert_int_equal(f.went_down, YES);
    log_findings_clear(&f);
}

static void another_machines_restart_is_none_of_ours(void **state)
{
    const struct log_record r[] = { dns(ANSWER), said(59, "pg-1", WORK), said(60, "pg-9", DOWN),
                                    said(65, "pg-9", READY), said(70, "pg-1", WORK) };
    struct log_findings f;
    (void)state;

    read_all(r, ARRAY_LEN(r), &f);
    assert_int_equal(f.went_down, NO);
    assert_int_equal(f.healthy, YES);
    assert_true(f.other_restart);
    assert_string_equal(f.other_machine, "pg-9");
    assert_int_equal(f.own[LOG_SERVER_STOPPED_EVENT].n, 0);
    assert_int_equal(f.others[LOG_SERVER_STOPPED_EVENT].n, 1);
    log_findings_clear(&f);
}

static void the_nodes_kernel_speaks_for_the_pod(void **state)
{
    struct log_record r[] = {
        said(58, "node-3", WORK),
        record(60, "node-3", "kernel",
               "Aug 18 10:00:00 node-3 kernel: Memory cgroup out of memory: Killed process 7 "
               "(postgres)"),
    };
    struct log_target t = target;
    struct log_findings f;
    (void)state;

    t.host = "pg-0";
    r[0].pod = "pg-0";
    read_during(r, 2, &t, 60, 90, &f);
    assert_int_equal(f.went_down, YES);
    assert_int_equal(f.down_kind, LOG_SERVER_OOM_KILLED_EVENT);
    log_findings_clear(&f);
}

static void silence_after_steady_work_is_told(void **state)
{
    struct log_record r[12] = { dns(ANSWER) };
    struct log_findings f;
    size_t n = 1;
    (void)state;

    for (; n <= 8; n++)
        r[n] = said(2.0 + 7 * (double)n, "pg-1", WORK);
    r[n++] = record(150, "web-1", "orders", "GET /healthz 200");
    read_during(r, n, &target, 60, 190, &f);
    assert_int_equal(f.silent, YES);
    assert_int_equal(f.went_down, UNKNOWN);
    log_findings_clear(&f);
}

static void a_service_without_pods_is_the_databases_state(void **state)
{
    static const struct {
        const char *message;
        double minutes;
        bool works;
        size_t unserved, faults;
    } cases[] = {
        { "no endpoints available for service \"data/orders-db\"", 61, false, 1, 0 },
        { "Service \"data/orders-db:db\" has no endpoints", 61, false, 1, 0 },
        { "Service orders-db.data.svc: no ready endpoints", 61, false, 1, 0 },
        /* the server works: the way to it is at fault */
        { "no endpoints available for service \"data/orders-db\"", 61, true, 0, 1 },
        /* another one, of the same name elsewhere, or at another time */
        { "no endpoints available for service \"data/billing-db\"", 61, false, 0, 0 },
        { "no endpoints available for service \"staging/orders-db\"", 61, false, 0, 0 },
        { "no endpoints available for service \"data/orders-db\"", 10, false, 0, 0 },
    };
    struct log_target t = target;
    (void)state;

    t.host = "orders-db.data.svc.cluster.local";
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct log_record r[] = {
            record(cases[i].minutes, "node-3", "kube-proxy", cases[i].message),
            record(1, "ns-1", "coredns",
                   "query: orders-db.data.svc.cluster.local IN A answer: 10.96.4.4"),
            record(2, "cmdb-1", "cmdb", "inventory host=pg-1 address=10.96.4.4 role=primary"),
            said(75, "pg-1", WORK),
        };
        struct log_findings f;
        read_during(r, cases[i].works ? 4 : 1, &t, 60, 90, &f);
        if (f.unserved.n != cases[i].unserved || f.network_during.n != cases[i].faults)
            fail_msg("case %zu: %zu unserved, %zu faults", i, f.unserved.n, f.network_during.n);
        log_findings_clear(&f);
    }
}

static void network_faults_count_near_the_bursts(void **state)
{
    static const struct log_burst bursts[] = { { AT(60), AT(62) }, { AT(80), AT(81) } };
    static const char full[] =
        "Aug 18 10:00:00 n-1 kernel: nf_conntrack: table full, dropping packet";
    static const char reject[] =
        "Aug 18 10:00:00 fw-1 kernel: REJECT SRC=10.5.5.5 DST=10.1.2.3 PROTO=TCP DPT=5432";
    static const char foreign[] =
        "Aug 18 10:00:00 fw-1 kernel: REJECT SRC=10.5.5.5 DST=10.7.7.7 PROTO=TCP DPT=443";
    const struct log_record r[] = {
        dns(ANSWER),
        record(60.5, "n-1", "kernel", full),
        record(80.5, "fw-1", "kernel", reject),
        record(80.6, "fw-1", "kernel", foreign),
        said(70, "pg-1", WORK),
    };
    const struct log_record noise[] = {
        dns(ANSWER),
        record(5, "n-1", "kernel", full),
        record(30, "n-1", "kernel", full),
        record(61, "n-1", "kernel", full),
    };
    struct log_window w = { AT(60), AT(81), AT(200), bursts, 2 };
    struct log_findings f;
    (void)state;

    logs_read(r, ARRAY_LEN(r), &target, &w, &f);
    assert_int_equal(f.network_during.n, 2);
    assert_int_equal(f.network_target.n, 1);
    assert_int_equal(f.bursts_with_network, 2);
    assert_int_equal(f.network_during.example, 1);
    log_findings_clear(&f);
    /* They come as often when nobody complains. */
    logs_read(noise, ARRAY_LEN(noise), &target, &w, &f);
    assert_int_equal(f.network_during.n, 0);
    log_findings_clear(&f);
}

static void restarts_count_at_the_bursts_that_they_begin(void **state)
{
    static const struct log_burst bursts[] = { { AT(60), AT(62) },
                                               { AT(80), AT(82) },
                                               { AT(100), AT(102) } };
    static const char killed[] =
        "Aug 18 10:00:00 pg-1 kernel: Memory cgroup out of memory: Killed process 7 (postgres)";
    const struct log_record r[] = {
        dns(ANSWER),
        record(60, "pg-1", "kernel", killed),
        said(62, "pg-1", READY),
        record(80, "pg-1", "kernel", killed),
        said(82, "pg-1", READY),
        record(90, "pg-1", "kernel", killed), /* at none */
        said(91, "pg-1", READY),
        record(100, "pg-1", "kernel", killed), /* not back */
    };
    struct log_window w = { AT(60), AT(102), AT(200), bursts, 3 };
    struct log_findings f;
    (void)state;

    logs_read(r, ARRAY_LEN(r), &target, &w, &f);
    assert_int_equal(f.n_outages, 4);
    assert_int_equal(f.bursts_with_restart, 2);
    log_findings_clear(&f);
}

static void a_policy_change_before_the_onset_is_found(void **state)
{
    const struct log_record r[] = {
        record(10, "gw-1", "firewall", "policy push 1a applied to eu-west-1 edge firewall"),
        record(59, "gw-1", "firewall", "policy push 2b applied to eu-west-1 edge firewall"),
        record(80, "gw-1", "firewall", "policy push 3c applied to eu-west-1 edge firewall"),
    };
    struct log_findings f;
    (void)state;

    read_all(r, ARRAY_LEN(r), &f);
    assert_int_equal(f.policy_record, 1);
    assert_int_equal(f.policy_ms, AT(59));
    log_findings_clear(&f);
}

static void clients_are_counted_by_place(void **state)
{
    static const char refused[] = "dial tcp 10.1.2.3:5432: connect: connection refused";
    struct log_record r[] = {
        dns(ANSWER),
        record(61, "web-1", "orders", refused),
        record(62, "web-2", "orders", refused),
        record(63, "web-3", "orders", "query ok db=orders rows=1"),
        record(63, "web-3", "orders", "query ok db=dwh rows=1"),
        record(64, "web-1", "orders", "dial tcp 10.8.8.8:5432: connect: connection refused"),
        record(65, "job-1", "orders", "failed to fetch https://x.example.net/: connection refused"),
        record(10, "web-1", "orders", refused),
        record(66, "bill-1", "billing", "psycopg2.OperationalError: connection refused"),
    };
    struct log_findings f;
    (void)state;

    r[1].region = r[2].region = "eu-west-1";
    r[3].region = "us-east-1";
    read_all(r, ARRAY_LEN(r), &f);
    assert_int_equal(f.complaints.n, 2);
    assert_int_equal(f.successes.n, 1);
    assert_int_equal(f.n_regions, 2);
    assert_string_equal(f.regions[0].name, "eu-west-1");
    assert_int_equal(f.regions[0].complaints, 2);
    assert_int_equal(f.regions[1].successes, 1);
    assert_int_equal(f.n_hosts, 3);
    log_findings_clear(&f);
}

static void a_server_without_slots_is_up(void **state)
{
    const struct log_record r[] = {
        dns(ANSWER),
        said(61, "pg-1",
             "2026-08-18 10:00:00 UTC [9] app@orders FATAL:  sorry, too many clients already"),
        record(62, "web-1", "orders",
               "connection to server at \"db-orders.internal\" (10.1.2.3), port 5432 failed: "
               "FATAL:  sorry, too many clients already"),
        record(63, "exp-1", "db-metrics", "connections 100/100 in use on pg-1"),
        record(64, "exp-1", "db-metrics", "connections 10/100 in use on pg-1"),
        record(65, "exp-1", "db-metrics", "connections 100/100 in use on pg-8"),
    };
    struct log_findings f;
    (void)state;

    read_all(r, ARRAY_LEN(r), &f);
    assert_int_equal(f.slots_during.n, 3);
    assert_int_equal(f.went_down, NO);
    log_findings_clear(&f);
}

static void a_name_that_moved_ties_to_where_it_was_at_the_onset(void **state)
{
    const struct log_record r[] = {
        record(5, "cmdb-1", "cmdb", "inventory host=pg-1 address=10.1.2.3 dns=db-orders.internal"),
        record(50, "cmdb-1", "cmdb", "inventory host=pg-2 address=10.1.2.4 dns=db-orders.internal"),
        record(120, "cmdb-1", "cmdb",
               "inventory host=pg-3 address=10.1.2.5 dns=db-orders.internal"),
        said(1, "pg-1", WORK),
        said(1, "pg-2", WORK),
        said(1, "pg-3", WORK),
    };
    struct log_findings f;
    (void)state;

    read_all(r, ARRAY_LEN(r), &f);
    assert_string_equal(f.machine, "pg-2");
    log_findings_clear(&f);
}

static void records_may_lack_everything(void **state)
{
    const struct log_record r[] = {
        { .time_ms = TIME_UNKNOWN },
        { .time_ms = TIME_UNKNOWN, .message = DOWN },
        { .time_ms = AT(61), .message = DOWN },
        { .time_ms = AT(61), .host = "", .message = "" },
    };
    static const struct log_target nobody;
    struct log_findings f;
    (void)state;

    read_during(r, ARRAY_LEN(r), &nobody, 60, 90, &f);
    assert_int_equal(f.tie, TIE_UNKNOWN);
    assert_int_equal(f.n_records, 4);
    assert_non_null(f.tie_reason);
    log_findings_clear(&f);
}

static void a_pooler_that_stops_is_what_refuses(void **state)
{
    const struct log_record r[] = {
        record(50, "pgb-1", "pgbouncer", "2026-08-18 10:00:00 UTC [1] LOG stats: 9 xacts/s"),
        record(59, "pgb-1", "pgbouncer",
               "2026-08-18 10:00:00 UTC [1] LOG got SIGTERM, shutting down"),
        record(70, "pgb-1", "pgbouncer",
               "2026-08-18 10:00:00 UTC [1] LOG process up: PgBouncer 1.22.0"),
        said(65, "pg-1", WORK),
    };
    struct log_target t = target;
    struct log_findings f;
    (void)state;

    t.host = "pgb-1.internal";
    t.port = "6432";
    read_during(r, ARRAY_LEN(r), &t, 60, 69, &f);
    assert_int_equal(f.tie, TIE_CERTAIN);
    assert_string_equal(f.machine, "pgb-1");
    assert_int_equal(f.went_down, YES);
    assert_int_equal(f.down_kind, LOG_POOLER_DOWN_EVENT);
    assert_int_equal(f.came_back, YES);
    log_findings_clear(&f);
}

static void a_balancer_tells_of_a_server_whose_log_is_missing(void **state)
{
    const struct log_record r[] = {
        record(1, "lb-1", "haproxy", "backend be_orders: server pg-1 10.1.2.3:5432 check inter 2s"),
        record(60, "lb-1", "haproxy",
               "Server be_orders/pg-1 is DOWN, reason: Layer4 connection problem, info: "
               "\"Connection refused\", check duration: 0ms."),
        record(70, "lb-1", "haproxy", "Server be_orders/pg-1 is UP, reason: Layer4 check passed"),
    };
    const struct log_record timed_out[] = {
        r[0],
        record(60, "lb-1", "haproxy",
               "Server be_orders/pg-1 is DOWN, reason: Layer4 timeout, check duration: 2001ms."),
    };
    struct log_target t = target;
    struct log_findings f;
    (void)state;

    t.host = "10.1.2.3";
    read_during(r, ARRAY_LEN(r), &t, 60, 70, &f);
    assert_string_equal(f.machine, "pg-1");
    assert_int_equal(f.went_down, YES);
    assert_int_equal(f.up_ms, AT(70));
    log_findings_clear(&f);
    read_during(timed_out, ARRAY_LEN(timed_out), &t, 60, 70, &f);
    assert_int_equal(f.went_down, UNKNOWN);
    log_findings_clear(&f);
}

static void a_failed_failover_leaves_the_server_down(void **state)
{
    const struct log_record r[] = {
        dns(ANSWER),
        record(50, "pg-1", "patroni", "no action. I am (pg-1), the leader with the lock"),
        record(59.5, "pg-1", "patroni",
               "demoted self because DCS is not accessible and I was a leader"),
        record(60, "pg-2", "patroni",
               "no action. I am (pg-2), a secondary, and following a leader (pg-1)"),
        record(64, "pg-1", "patroni", "failed to start postgres"),
        record(180, "web-1", "orders", "GET /healthz 200"),
    };
    struct log_findings f;
    (void)state;

    read_during(r, ARRAY_LEN(r), &target, 60, 190, &f);
    assert_string_equal(f.machine, "pg-1");
    assert_int_equal(f.went_down, YES);
    assert_int_equal(f.down_kind, LOG_DEMOTION_EVENT);
    assert_int_equal(f.came_back, NO);
    assert_true(f.start_failed);
    log_findings_clear(&f);
}

static void a_managed_database_fails_over_and_comes_back(void **state)
{
    const struct log_record r[] = {
        record(59, "orders-prod", "rds", "Multi-AZ instance failover started. RDS-EVENT-0013"),
        record(61, "orders-prod", "rds", "DB instance restarted RDS-EVENT-0006"),
        record(62, "orders-prod", "rds", "Multi-AZ instance failover completed RDS-EVENT-0049"),
    };
    struct log_target t = target;
    struct log_findings f;
    (void)state;

    t.host = "orders-prod.c1a2b3.eu-west-1.rds.amazonaws.com";
    read_during(r, ARRAY_LEN(r), &t, 60, 63, &f);
    assert_string_equal(f.machine, "orders-prod");
    assert_int_equal(f.went_down, YES);
    assert_int_equal(f.down_kind, LOG_FAILOVER_EVENT);
    assert_int_equal(f.came_back, YES);
    log_findings_clear(&f);
}

static void the_service_dials_what_the_errors_do_not_name(void **state)
{
    const struct log_record r[] = {
        record(1, "web-1", "orders", "query ok db=orders host=db-orders.internal took=3ms"),
        record(2, "web-2", "orders", "query ok db=orders host=db-orders.internal took=3ms"),
        record(2, "web-2", "billing", "query ok db=billing host=db-billing.internal took=3ms"),
        dns(ANSWER),
        said(50, "pg-1", WORK),
        said(50, "pg-2", WORK),
    };
    struct log_target t = target;
    struct log_findings f;
    (void)state;

    t.host = NULL;
    read_during(r, ARRAY_LEN(r), &t, 60, 90, &f);
    assert_int_equal(f.tie, TIE_CERTAIN);
    assert_string_equal(f.machine, "pg-1");
    log_findings_clear(&f);
}

static void a_virtual_address_belongs_to_the_machine_that_took_it(void **state)
{
    const struct log_record r[] = {
        said(1, "pg-1", WORK),
        said(1, "pg-2", WORK),
        record(20, "pg-2", "keepalived", "Sending gratuitous ARP on eth0 for 10.1.2.9"),
    };
    struct log_target t = target;
    struct log_findings f;
    (void)state;

    t.host = "10.1.2.9";
    read_during(r, ARRAY_LEN(r), &t, 60, 90, &f);
    assert_string_equal(f.machine, "pg-2");
    log_findings_clear(&f);
}

static void packets_to_other_ports_are_no_fault_of_ours(void **state)
{
    const struct log_record r[] = {
        dns(ANSWER),
        record(61, "fw-1", "kernel",
               "Aug 18 10:00:00 fw-1 kernel: DROP SRC=203.0.113.9 DST=10.1.2.3 PROTO=TCP DPT=22"),
    };
    struct log_findings f;
    (void)state;

    read_all(r, ARRAY_LEN(r), &f);
    assert_int_equal(f.network_during.n, 0);
    log_findings_clear(&f);
}

static void a_full_disk_is_why_it_went_down(void **state)
{
    const struct log_record r[] = {
        dns(ANSWER),
        said(58, "pg-1",
             "2026-08-18 10:00:00 UTC [9] ERROR:  could not extend file: No space left on device"),
        said(59.9, "pg-1",
             "2026-08-18 10:00:00 UTC [9] LOG:  server process (PID 9) was terminated by signal 6: "
             "Aborted"),
        record(120, "web-1", "orders", "GET /healthz 200"),
    };
    struct log_findings f;
    (void)state;

    read_all(r, ARRAY_LEN(r), &f);
    assert_int_equal(f.went_down, YES);
    assert_int_equal(f.down_kind, LOG_SERVER_DISK_FULL_EVENT);
    assert_int_equal(f.down_record, 1);
    log_findings_clear(&f);
}

static void a_start_without_a_stop_dates_back_to_the_last_sign_of_life(void **state)
{
    const struct log_record r[] = { dns(ANSWER), said(59, "pg-1", WORK), said(80, "pg-1", READY) };
    const struct log_record alive[] = { dns(ANSWER), said(70, "pg-1", WORK),
                                        said(80, "pg-1", READY) };
    struct log_findings f;
    (void)state;

    read_during(r, ARRAY_LEN(r), &target, 60, 80, &f);
    assert_int_equal(f.went_down, YES);
    assert_int_equal(f.down_ms, TIME_UNKNOWN);
    assert_int_equal(f.up_ms, AT(80));
    log_findings_clear(&f);
    read_during(alive, ARRAY_LEN(alive), &target, 60, 80, &f);
    assert_int_equal(f.went_down, NO);
    log_findings_clear(&f);
}

static void clients_that_get_through_tell_that_it_is_back(void **state)
{
    const struct log_record r[] = {
        dns(ANSWER),
        said(60, "pg-1", DOWN),
        record(62, "web-1", "orders", "dial tcp 10.1.2.3:5432: connect: connection refused"),
        record(75, "web-1", "orders", "query ok db=orders rows=1"),
    };
    struct log_findings f;
    (void)state;

    read_during(r, ARRAY_LEN(r), &target, 60, 74, &f);
    assert_int_equal(f.came_back, YES);
    assert_int_equal(f.up_record, 3);
    log_findings_clear(&f);
    read_during(r, ARRAY_LEN(r), &target, 60, 190, &f);
    assert_int_equal(f.came_back, NO);
    log_findings_clear(&f);
}

static void unknown_times_overflow_nothing(void **state)
{
    const struct log_record r[] = { dns(ANSWER), said(61, "pg-1", DOWN) };
    const struct log_window w = { TIME_UNKNOWN, TIME_UNKNOWN, TIME_UNKNOWN, NULL, 0 };
    struct log_findings f;
    (void)state;

    logs_read(r, ARRAY_LEN(r), &target, &w, &f);
    assert_string_equal(f.machine, "pg-1");
    log_findings_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_is_tied_in_many_ways),
        cmocka_unit_test(a_name_with_a_domain_is_the_machine_of_the_short_name),
        cmocka_unit_test(a_service_ties_through_its_endpoints_and_not_by_its_name),
        cmocka_unit_test(the_only_server_is_likely_until_something_contradicts),
        cmocka_unit_test(a_local_address_ties_to_no_machine),
        cmocka_unit_test(a_restart_is_an_outage_with_both_ends),
        cmocka_unit_test(a_server_that_stays_away_did_not_come_back),
        cmocka_unit_test(work_after_a_stop_without_a_start_line_is_the_end),
        cmocka_unit_test(a_restart_at_another_time_explains_nothing),
        cmocka_unit_test(health_needs_a_served_client_or_lines_all_along),
        cmocka_unit_test(a_restart_is_read_in_the_servers_language),
        cmocka_unit_test(chores_do_not_show_that_anybody_got_through),
        cmocka_unit_test(a_registry_names_the_machine_as_a_bare_word),
        cmocka_unit_test(clocks_may_differ_by_two_minutes),
        cmocka_unit_test(another_machines_restart_is_none_of_ours),
        cmocka_unit_test(the_nodes_kernel_speaks_for_the_pod),
        cmocka_unit_test(silence_after_steady_work_is_told),
        cmocka_unit_test(a_service_without_pods_is_the_databases_state),
        cmocka_unit_test(network_faults_count_near_the_bursts),
        cmocka_unit_test(restarts_count_at_the_bursts_that_they_begin),
        cmocka_unit_test(a_policy_change_before_the_onset_is_found),
        cmocka_unit_test(clients_are_counted_by_place),
        cmocka_unit_test(a_server_without_slots_is_up),
        cmocka_unit_test(a_name_that_moved_ties_to_where_it_was_at_the_onset),
        cmocka_unit_test(records_may_lack_everything),
        cmocka_unit_test(a_pooler_that_stops_is_what_refuses),
        cmocka_unit_test(a_balancer_tells_of_a_server_whose_log_is_missing),
        cmocka_unit_test(a_failed_failover_leaves_the_server_down),
        cmocka_unit_test(a_managed_database_fails_over_and_comes_back),
        cmocka_unit_test(the_service_dials_what_the_errors_do_not_name),
        cmocka_unit_test(a_virtual_address_belongs_to_the_machine_that_took_it),
        cmocka_unit_test(packets_to_other_ports_are_no_fault_of_ours),
        cmocka_unit_test(a_full_disk_is_why_it_went_down),
        cmocka_unit_test(a_start_without_a_stop_dates_back_to_the_last_sign_of_life),
        cmocka_unit_test(clients_that_get_through_tell_that_it_is_back),
        cmocka_unit_test(unknown_times_overflow_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
