#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/text.h"
#include "logs_reading.h"

#define POLICY_LEAD_MS (30 * MINUTE_MS) /* how long before the onset a policy change matters */
#define NAMED_LEAD_MS (10 * MINUTE_MS)  /* and a fault that names the target */

static int read_port(const char *s)
{
    int port = 0;

    for (; *s >= '0' && *s <= '9' && port < 100000; s++)
        port = port * 10 + (*s - '0');
    return port;
}

static const struct {
    const char *engine;
    int port;
} usual_ports[] = { { "postgresql", 5432 }, { "mysql", 3306 },    { "mariadb", 3306 },
                    { "sqlserver", 1433 },  { "oracle", 1521 },   { "mongodb", 27017 },
                    { "redis", 6379 },      { "cassandra", 9042 } };

/* The target's port, or its engine's usual one. */
static int target_port(const struct log_target *t)
{
    if (t->port && *t->port)
        return read_port(t->port);
    for (size_t i = 0; t->engine && i < ARRAY_LEN(usual_ports); i++)
        if (strcmp(t->engine, usual_ports[i].engine) == 0)
            return usual_ports[i].port;
    return 0;
}

static bool is_database_port(const struct log_target *t, int port)
{
    bool known = port > 0 && port == target_port(t);

    for (size_t i = 0; i < ARRAY_LEN(usual_ports); i++)
        known |= port == usual_ports[i].port;
    return known;
}

/* Could this address be the target's? Only while none of it is known, and by the port. */
static bool may_be_target(const struct reading *r, const struct log_mention *m)
{
    return !r->a.knows_address && m->port > 0 && m->port == target_port(r->a.target);
}

/* Does the line name a server's address or host that is not the target's? */
bool reading_names_another(const struct reading *r, const struct log_event *e)
{
    for (size_t i = 0; i < e->n_mentions; i++) {
        const struct log_mention *m = &e->mentions[i];
        if (m->role != MENTION_CLIENT && (m->address || memchr(m->text, '.', m->len)) &&
            !is_alias(&r->a, m) && !may_be_target(r, m))
            return true;
    }
    return false;
}

/* Does a fault of the network name the way to another database? The neighbour of a router, the end
 * of a tunnel and the like are none. */
static bool names_another_way(const struct reading *r, const struct log_event *e)
{
    for (size_t i = 0; i < e->n_mentions; i++) {
        const struct log_mention *m = &e->mentions[i];
        if (m->role != MENTION_CLIENT && is_database_port(r->a.target, m->port) &&
            !is_alias(&r->a, m) && !may_be_target(r, m))
            return true;
    }
    return false;
}

bool reading_names_machine(const struct reading *r, const struct log_event *e)
{
    for (size_t i = 0; i < e->n_mentions; i++)
        if (r->a.machine.len > 0 &&
            names_are_same((struct name){ e->mentions[i].text, e->mentions[i].len }, r->a.machine))
            return true;
    for (size_t i = 0; i < e->n_mentions; i++)
        if (e->mentions[i].address && may_be_target(r, &e->mentions[i]))
            return true;
    return mentions_alias(&r->a, e);
}

static bool near_burst(const struct reading *r, int64_t at, size_t *ret_burst)
{
    const struct log_window *w = r->a.window;

    if (w->n_bursts == 0)
        return at >= r->from && at <= r->to;
    for (size_t i = 0; i < w->n_bursts; i++) {
        if (at >= w->bursts[i].start_ms - LOGS_CLOCK_SKEW_MS &&
            at <= w->bursts[i].end_ms + LOGS_CLOCK_SKEW_MS) {
            *ret_burst = i;
            return true;
        }
    }
    return false;
}

/* A packet to another port of the machine is somebody else's business. */
static bool is_for_another_port(const struct reading *r, const struct log_event *e)
{
    int port = target_port(r->a.target);

    for (size_t i = 0; port > 0 && i < e->n_mentions; i++)
        if (e->mentions[i].role == MENTION_SERVER && e->mentions[i].port > 0 &&
            e->mentions[i].port != port)
            return true;
    return false;
}

/* "data" of "orders-db.data.svc.cluster.local" (Kubernetes, "DNS for Services and Pods"); empty
 * where the name does not say. */
static struct name namespace_of(struct name service)
{
    struct name label = first_label(service), rest = { service.text + label.len, 0 };
    const char *svc = memmem(service.text, service.len, ".svc", 4);

    if (!svc || svc <= rest.text)
        return rest;
    rest.text++;
    rest.len = (size_t)(svc - rest.text);
    return memchr(rest.text, '.', rest.len) ? (struct name){ rest.text, 0 } : rest;
}

/* A Service is told with its namespace, "data/orders-db": one of the same name elsewhere, in
 * staging for instance, is another one. */
static bool is_in_namespace(const struct reading *r, const struct log_mention *m,
                            const char *message)
{
    const char *end = m->text - 1, *start = end;
    bool known = false;

    if (m->text <= message || *end != '/')
        return true;
    while (start > message && (isalnum((unsigned char)start[-1]) || start[-1] == '-'))
        start--;
    for (size_t i = 0; i < r->a.n_aliases; i++) {
        struct name space = namespace_of(r->a.aliases[i]);
        if (names_are_equal(space, (struct name){ start, (size_t)(end - start) }))
            return true;
        known = known || space.len > 0;
    }
    return !known || start == end;
}

/* Does the line say that no ready pod stands behind the refused Service? kube-proxy then rejects
 * what is sent there, which clients see as a refused connection (Kubernetes, "Virtual IPs and
 * Service Proxies"). */
static bool tells_unserved(const struct reading *r, size_t i)
{
    const struct log_event *e = &r->a.events[i];

    if (e->kind != LOG_SERVICE_NO_ENDPOINTS_EVENT)
        return false;
    for (size_t k = 0; k < e->n_mentions; k++)
        if (is_alias(&r->a, &e->mentions[k]) &&
            is_in_namespace(r, &e->mentions[k], r->a.records[i].message))
            return true;
    return false;
}

static bool is_network_fault(const struct reading *r, size_t i)
{
    const struct log_event *e = &r->a.events[i];

    if (e->kind == LOG_SERVICE_NO_ENDPOINTS_EVENT) /* the server works: what leads to it does not */
        return tells_unserved(r, i) && r->f->healthy == YES;
    if (e->kind == LOG_NETWORK_POLICY_CHANGE_EVENT) /* connections die while rules are reloaded */
        return strcasestr(r->a.records[i].message, "reload") != NULL;
    return e->kind == LOG_NETWORK_FAULT_EVENT && !is_for_another_port(r, e);
}

/* Faults that name nobody (a full table, a link that flaps) also come by chance: they count when
 * they come with the errors and not as often without them. */
static bool unnamed_faults_are_noise(const struct reading *r)
{
    size_t near = 0, apart = 0, burst;

    for (size_t i = 0; i < r->a.n; i++) {
        if (!is_network_fault(r, i) || reading_names_machine(r, &r->a.events[i]) ||
            names_another_way(r, &r->a.events[i]))
            continue;
        near += near_burst(r, reading_time(r, i), &burst);
        apart += !near_burst(r, reading_time(r, i), &burst);
    }
    return apart > near;
}

static void note_region(struct reading *r, size_t record, bool *mixed)
{
    const char *region = r->a.records[record].region;

    if (!region || *mixed)
        return;
    if (r->f->network_region && !text_isame(r->f->network_region, region)) {
        *mixed = true;
        r->f->network_region = NULL;
    } else {
        r->f->network_region = region;
    }
}

/* A fault that names the target may come a little before the first error is noticed. */
static bool around(const struct reading *r, size_t record)
{
    int64_t at = reading_time(r, record);

    return at >= r->from - NAMED_LEAD_MS && at <= r->to;
}

static void read_faults(struct reading *r)
{
    bool *hit = xcalloc(r->a.window->n_bursts + 1, sizeof(*hit));
    bool noise = unnamed_faults_are_noise(r), mixed = false;

    for (size_t i = 0; i < r->a.n; i++) {
        bool named = reading_names_machine(r, &r->a.events[i]);
        size_t burst = r->a.window->n_bursts;
        bool near;
        if (!is_network_fault(r, i))
            continue;
        near = near_burst(r, reading_time(r, i), &burst);
        if (named ? !near && !around(r, i)
                  : !near || noise || names_another_way(r, &r->a.events[i]))
            continue;
        reading_count(r, &r->f->network_during, i);
        if (named)
            reading_count(r, &r->f->network_target, i);
        note_region(r, i, &mixed);
        r->f->bursts_with_network += near && !hit[burst] && r->a.window->n_bursts > 0;
        hit[burst] = hit[burst] || near;
    }
    free(hit);
}

/* Nothing ready behind the Service is the server's own state, not the network's. */
static void read_unserved(struct reading *r)
{
    if (r->f->went_down == YES || r->f->healthy == YES)
        return;
    for (size_t i = 0; i < r->a.n; i++)
        if (reading_within(r, i) && tells_unserved(r, i))
            reading_count(r, &r->f->unserved, i);
}

static void find_policy_change(struct reading *r)
{
    for (size_t k = 0; k < r->a.n; k++) {
        size_t i = r->a.order[k];
        if (r->a.events[i].kind != LOG_NETWORK_POLICY_CHANGE_EVENT ||
            reading_time(r, i) < r->a.window->onset_ms - POLICY_LEAD_MS ||
            reading_time(r, i) > r->a.window->onset_ms + LOGS_CLOCK_SKEW_MS)
            continue;
        r->f->policy_record = i;
        r->f->policy_ms = reading_time(r, i);
    }
}

void reading_network(struct reading *r)
{
    read_faults(r);
    read_unserved(r);
    find_policy_change(r);
}
