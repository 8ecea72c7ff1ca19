#include "logs_tie.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/text.h"

#define ALIAS_MAX 64
#define MACHINES_MAX 400
#define ANSWER_ROUNDS 3 /* a name, its canonical name, its address */

struct name name_of(const char *s)
{
    return (struct name){ s ? s : "", s ? strlen(s) : 0 };
}

bool names_are_equal(struct name a, struct name b)
{
    return a.len == b.len && a.len > 0 && strncasecmp(a.text, b.text, a.len) == 0;
}

struct name first_label(struct name n)
{
    const char *dot = memchr(n.text, '.', n.len);

    return (struct name){ n.text, dot ? (size_t)(dot - n.text) : n.len };
}

bool name_is_address(struct name n)
{
    bool colon = memchr(n.text, ':', n.len) != NULL;

    for (size_t i = 0; i < n.len; i++)
        if (!isdigit((unsigned char)n.text[i]) && n.text[i] != '.' &&
            !(colon && (isxdigit((unsigned char)n.text[i]) || n.text[i] == ':')))
            return false;
    return n.len > 0;
}

bool name_is_loopback(struct name n)
{
    return (n.len == 9 && strncasecmp(n.text, "localhost", 9) == 0) ||
           (n.len > 4 && strncmp(n.text, "127.", 4) == 0) ||
           (n.len == 3 && strncmp(n.text, "::1", 3) == 0) ||
           (n.len == 7 && strncmp(n.text, "0.0.0.0", 7) == 0) || n.len == 0;
}

/* "orders-db.data.svc" and "orders-db.data.svc.cluster.local" are one Service (Kubernetes, "DNS for
 * Services and Pods"). */
static bool are_one_service(struct name a, struct name b)
{
    struct name longer = a.len > b.len ? a : b, shorter = a.len > b.len ? b : a;

    return longer.len > shorter.len && longer.text[shorter.len] == '.' &&
           memmem(longer.text, longer.len, ".svc", 4) != NULL &&
           strncasecmp(longer.text, shorter.text, shorter.len) == 0;
}

static struct name last_part(struct name n, char sign)
{
    const char *at = memrchr(n.text, sign, n.len);

    return at ? (struct name){ at + 1, (size_t)(n.text + n.len - at - 1) } : n;
}

static struct name part_before(struct name n, char sign)
{
    const char *at = memchr(n.text, sign, n.len);

    return (struct name){ n.text, at ? (size_t)(at - n.text) : 0 };
}

/* Cloud SQL's "project:region:instance" (connection name), "project:instance" (in logs), and
 * "instance" are one; where both name a project, in the same one. */
static bool are_one_cloud_instance(struct name a, struct name b)
{
    struct name project_a = part_before(a, ':'), project_b = part_before(b, ':');

    if (name_is_address(a) || name_is_address(b) || (project_a.len == 0 && project_b.len == 0) ||
        !names_are_equal(last_part(a, ':'), last_part(b, ':')))
        return false;
    return project_a.len == 0 || project_b.len == 0 || names_are_equal(project_a, project_b);
}

/* "orders" of CloudWatch's log group "/aws/rds/instance/orders/postgresql", which Amazon RDS
 * publishes the server's log to; any other name stays. */
static struct name without_log_group(struct name n)
{
    static const char *const groups[] = { "/aws/rds/instance/", "/aws/rds/cluster/" };

    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        size_t len = strlen(groups[i]);
        if (n.len > len && strncmp(n.text, groups[i], len) == 0)
            return part_before((struct name){ n.text + len, n.len - len }, '/');
    }
    return n;
}

bool names_are_same(struct name one, struct name other)
{
    struct name a = without_log_group(one), b = without_log_group(other);
    bool dotted_a = memchr(a.text, '.', a.len) != NULL,
         dotted_b = memchr(b.text, '.', b.len) != NULL;

    if (names_are_equal(a, b) || are_one_cloud_instance(a, b))
        return true;
    if (a.len > 0 && b.len > 0 && dotted_a && dotted_b && are_one_service(a, b))
        return true;
    if (a.len == 0 || b.len == 0 || name_is_address(a) || name_is_address(b) ||
        dotted_a == dotted_b)
        return false;
    return names_are_equal(first_label(a), first_label(b));
}

/* ---- machines ---- */

size_t find_machine(const struct attribution *a, struct name name)
{
    for (size_t i = 0; i < a->n_machines; i++)
        if (names_are_same(a->machines[i].name, name))
            return i;
    return LOGS_NONE;
}

static size_t add_machine(struct attribution *a, struct name name, size_t record)
{
    size_t i = name.len > 0 ? find_machine(a, name) : LOGS_NONE;
    struct machine *m;

    if (i != LOGS_NONE || name.len == 0 || a->n_machines >= MACHINES_MAX)
        return i;
    m = VEC_ADD(a->machines, a->n_machines, a->cap_machines);
    m->name = name;
    m->first_record = record;
    return a->n_machines - 1;
}

static bool is_server_line(const struct log_event *e)
{
    return e->own && e->process;
}

static bool is_pooler_line(const struct log_event *e)
{
    return e->own && (e->kind == LOG_POOLER_BACKEND_FAILED_EVENT ||
                      e->kind == LOG_POOLER_DOWN_EVENT || e->kind == LOG_POOLER_UP_EVENT);
}

static bool is_balancer_line(const struct log_event *e)
{
    return e->kind == LOG_BALANCER_BACKEND_DOWN_EVENT || e->kind == LOG_BALANCER_BACKEND_UP_EVENT ||
           is_pooler_line(e);
}

static bool contains_word(const char *text, const char *word, size_t len)
{
    for (const char *s = text; s && len > 2 && *s; s++)
        if (strncasecmp(s, word, len) == 0)
            return true;
    return false;
}

/* Is a database called after the service or the host ("orders_prod" of orders-api)? */
static bool is_kin(const struct log_target *t, struct name database)
{
    for (size_t start = 0, i = 0; i <= database.len; i++) {
        if (i < database.len && isalpha((unsigned char)database.text[i]))
            continue;
        const char *word = database.text + start;
        size_t len = i - start;
        start = i + 1;
        if (len == 4 && strncasecmp(word, "prod", 4) == 0)
            continue;
        if (contains_word(t->host, word, len) || contains_word(t->database, word, len))
            return true;
        for (size_t k = 0; k < t->n_services; k++)
            if (contains_word(t->services[k], word, len))
                return true;
    }
    return false;
}

static void note_line(struct attribution *a, struct machine *m, const struct log_record *r,
                      const struct log_event *e)
{
    struct name database = { e->database, e->database_len };

    if (r->pod && r->host && !e->machine)
        m->node = name_of(r->host);
    m->balancer = m->balancer || is_balancer_line(e);
    m->pooler = m->pooler || is_pooler_line(e);
    if (!is_server_line(e))
        return;
    m->database = true;
    m->n_server_lines++;
    m->engine = m->engine ? m->engine : e->engine;
    if (!e->database)
        return;
    m->n_with_database++;
    m->n_with_target_database +=
        a->target->database && names_are_equal(database, name_of(a->target->database));
    m->n_with_kin += is_kin(a->target, database);
}

void read_machines(struct attribution *a)
{
    a->machine_of = xcalloc(a->n + 1, sizeof(*a->machine_of));
    for (size_t i = 0; i < a->n; i++) {
        const struct log_event *e = &a->events[i];
        struct name name = { e->machine, e->machine_len };
        if (!e->machine)
            name = name_of(log_record_machine(&a->records[i]));
        a->machine_of[i] = add_machine(a, name, i);
        if (a->machine_of[i] != LOGS_NONE)
            note_line(a, &a->machines[a->machine_of[i]], &a->records[i], e);
    }
}

/* ---- other names of the target ---- */

bool is_known_alias(const struct attribution *a, struct name n)
{
    for (size_t i = 0; i < a->n_aliases; i++)
        if (names_are_same(a->aliases[i], n))
            return true;
    return false;
}

static void add_alias(struct attribution *a, struct name n)
{
    if (n.len < 2 || name_is_loopback(n) || is_known_alias(a, n) || a->n_aliases >= ALIAS_MAX)
        return;
    *VEC_ADD(a->aliases, a->n_aliases, a->cap_aliases) = n;
}

struct name mention_name(const struct log_mention *m)
{
    return (struct name){ m->text, m->len };
}

bool is_alias(const struct attribution *a, const struct log_mention *m)
{
    return is_known_alias(a, mention_name(m));
}

bool mentions_alias(const struct attribution *a, const struct log_event *e)
{
    for (size_t i = 0; i < e->n_mentions; i++)
        if (is_alias(a, &e->mentions[i]))
            return true;
    return false;
}

/* An address in "4.3.2.1.in-addr.arpa" is written backwards (RFC 1035, 3.5). */
static bool answers_backwards(const struct attribution *a, const struct log_event *e)
{
    for (size_t i = 0; i < e->n_mentions; i++) {
        const struct log_mention *m = &e->mentions[i];
        const char *parts[4] = { NULL };
        size_t lens[4] = { 0 }, n = 0, start = 0;
        struct buf forward = BUF_INIT;
        bool found;
        for (size_t k = 0; k <= m->len && n < 4; k++) {
            if (k < m->len && m->text[k] != '.')
                continue;
            parts[n] = m->text + start;
            lens[n++] = k - start;
            start = k + 1;
        }
        if (n < 4 || !isdigit((unsigned char)*parts[0]))
            continue;
        for (size_t k = 4; k > 0; k--) {
            buf_add(&forward, parts[k - 1], lens[k - 1]);
            buf_adds(&forward, k > 1 ? "." : "");
        }
        found = is_known_alias(a, name_of(buf_str(&forward)));
        buf_clear(&forward);
        if (found)
            return true;
    }
    return false;
}

/* "db.internal CNAME pg-1.internal A 10.0.0.5": all are names of one thing. A line about a lookup
 * in which one of them is a known name makes the others known. */
static void add_answers(struct attribution *a)
{
    for (int round = 0; round < ANSWER_ROUNDS; round++) {
        for (size_t i = 0; i < a->n; i++) {
            const struct log_event *e = &a->events[i];
            if (e->kind != LOG_DNS_ANSWER_EVENT ||
                !(mentions_alias(a, e) || answers_backwards(a, e)))
                continue;
            for (size_t k = 0; k < e->n_mentions; k++) {
                struct name n = mention_name(&e->mentions[k]);
                if (e->mentions[k].role != MENTION_CLIENT &&
                    !(n.len > 5 && strncasecmp(n.text + n.len - 5, ".arpa", 5) == 0))
                    add_alias(a, n);
            }
        }
    }
}

static bool is_own_client(const struct attribution *a, size_t i)
{
    const struct log_event *e = &a->events[i];
    const struct log_target *t = a->target;
    struct name database = { e->database, e->database_len };
    bool own = false;

    if (e->own || (e->kind != LOG_CLIENT_OK_EVENT && e->kind != LOG_CLIENT_REFUSED_EVENT &&
                   e->kind != LOG_CLIENT_TIMEOUT_EVENT && e->kind != LOG_CLIENT_UNREACHABLE_EVENT))
        return false;
    for (size_t k = 0; k < t->n_services; k++)
        own = own || text_isame(a->records[i].service, t->services[k]);
    if (e->database && t->database && !names_are_equal(database, name_of(t->database)))
        return false;
    return own && (e->database || e->engine);
}

/* The errors name no host, but the service's own log does: where it dials in four lines of five. */
static void add_dialled(struct attribution *a)
{
    struct {
        struct name name;
        size_t n;
    } dialled[8];
    size_t n = 0, all = 0, best = 0;

    for (size_t i = 0; i < a->n; i++) {
        for (size_t k = 0; is_own_client(a, i) && k < a->events[i].n_mentions; k++) {
            struct name name = mention_name(&a->events[i].mentions[k]);
            size_t at = 0;
            if (a->events[i].mentions[k].role == MENTION_CLIENT)
                continue;
            while (at < n && !names_are_same(dialled[at].name, name))
                at++;
            all++;
            if (at == n && n < ARRAY_LEN(dialled)) {
                dialled[n].name = name;
                dialled[n++].n = 0;
            }
            if (at < n)
                dialled[at].n++;
            break; /* the first is dialled, the others explain it */
        }
    }
    for (size_t i = 1; i < n; i++)
        best = dialled[i].n > dialled[best].n ? i : best;
    if (n > 0 && dialled[best].n * 5 >= all * 4)
        add_alias(a, dialled[best].name);
}

/* The Cloud SQL Auth Proxy's socket, "/cloudsql/project:region:instance/.s.PGSQL.5432", is called
 * after the instance. */
static void add_instance_of_socket(struct attribution *a, struct name socket)
{
    while (socket.len > 0 && *socket.text == '/') {
        struct name rest = { socket.text + 1, socket.len - 1 }, part = part_before(rest, '/');
        if (part.len == 0)
            part = rest;
        if (memchr(part.text, ':', part.len) && !name_is_address(part))
            add_alias(a, part);
        socket = (struct name){ part.text + part.len, rest.len - part.len };
    }
}

void read_aliases(struct attribution *a)
{
    add_alias(a, name_of(a->target->host));
    add_instance_of_socket(a, name_of(a->target->host));
    for (size_t i = 0; i < a->target->n_addresses; i++)
        add_alias(a, name_of(a->target->addresses[i]));
    if (a->n_aliases == 0 && !a->target->host)
        add_dialled(a);
    add_answers(a);
    for (size_t i = 0; i < a->n_aliases; i++)
        a->knows_address = a->knows_address || name_is_address(a->aliases[i]);
}
