#include "logs_tie.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/text.h"

/* ---- ties ---- */

#define SPAN(n) (int)(n).len, (n).text

static void tie(struct attribution *a, enum log_tie how, struct name machine, size_t record,
                const char *fmt, ...) PRINTF_LIKE(5, 6);

static void tie(struct attribution *a, enum log_tie how, struct name machine, size_t record,
                const char *fmt, ...)
{
    struct buf why = BUF_INIT, clean = BUF_INIT;
    va_list ap;

    if (how <= a->tie)
        return;
    va_start(ap, fmt);
    buf_vaddf(&why, fmt, ap);
    va_end(ap);
    text_clean(buf_str(&why), true, &clean);
    buf_clear(&why);
    free(a->reason);
    a->reason = buf_take(&clean);
    a->tie = how;
    a->machine = machine;
    a->machine_index = find_machine(a, machine);
    a->tie_record = record;
}

static bool fits_engine(const struct attribution *a, const struct machine *m)
{
    const char *engine = a->target->engine;

    if (!engine || strcmp(engine, "unknown") == 0 || !m->engine)
        return true;
    if (strcmp(engine, "mariadb") == 0)
        engine = "mysql";
    return strcmp(engine, m->engine) == 0;
}

/* The machine is called like the refused host, or like another name of it. */
static void tie_by_name(struct attribution *a)
{
    for (size_t i = 0; i < a->n_machines && a->tie != TIE_CERTAIN; i++) {
        const struct machine *m = &a->machines[i];
        if (!m->database || !is_known_alias(a, m->name))
            continue;
        tie(a, TIE_CERTAIN, m->name, m->first_record, "%.*s is called like the refused host.",
            SPAN(m->name));
    }
}

static bool has_alias_address(const struct attribution *a, const struct log_record *r,
                              const char **ret_address)
{
    for (size_t i = 0; i < r->n_ips; i++) {
        if (r->ips[i] && !name_is_loopback(name_of(r->ips[i])) &&
            is_known_alias(a, name_of(r->ips[i]))) {
            *ret_address = r->ips[i];
            return true;
        }
    }
    return false;
}

/* The machine's own log documents carry the refused address. */
static void tie_by_address(struct attribution *a)
{
    for (size_t i = 0; i < a->n && a->tie != TIE_CERTAIN; i++) {
        const char *address;
        size_t m = a->machine_of[i];
        if (m == LOGS_NONE || !a->machines[m].database || a->events[i].machine ||
            !has_alias_address(a, &a->records[i], &address))
            continue;
        tie(a, TIE_CERTAIN, a->machines[m].name, i, "%.*s has the refused address %s.",
            SPAN(a->machines[m].name), address);
    }
}

/* It says that it listens on the refused address. */
static void tie_by_listening(struct attribution *a)
{
    for (size_t i = 0; i < a->n && a->tie != TIE_CERTAIN; i++) {
        size_t m = a->machine_of[i];
        if (m == LOGS_NONE || a->events[i].kind != LOG_LISTENING_EVENT || !a->events[i].own ||
            !mentions_alias(a, &a->events[i]))
            continue;
        tie(a, TIE_CERTAIN, a->machines[m].name, i, "%.*s listens on the refused address.",
            SPAN(a->machines[m].name));
    }
}

static bool explains_names(const struct log_event *e)
{
    switch (e->kind) {
    case LOG_DNS_ANSWER_EVENT:
    case LOG_INVENTORY_EVENT:
    case LOG_SERVICE_ENDPOINTS_EVENT:
    case LOG_BALANCER_BACKEND_UP_EVENT:
    case LOG_BALANCER_BACKEND_DOWN_EVENT:
    case LOG_CLIENT_OK_EVENT:
    case LOG_POOLER_UP_EVENT:
    case LOG_FAILOVER_EVENT:
    case LOG_PROMOTION_EVENT:
    case LOG_DEPLOY_EVENT:
    case LOG_OTHER_EVENT:
        return !e->own;
    default:
        return false;
    }
}

/* The machine that a line names beside the target. Of several the one whose address the target is
 * ("pg-1 (10.0.0.5)"); else none, as the line does not say which. */
static struct name machine_beside(const struct attribution *a, const struct log_event *e)
{
    struct name found = { "", 0 };
    bool several = false;

    for (size_t i = 0; i < e->n_mentions; i++) {
        struct name n = mention_name(&e->mentions[i]);
        size_t m = e->mentions[i].address ? LOGS_NONE : find_machine(a, n);
        if (m == LOGS_NONE || !a->machines[m].database)
            continue;
        if (i + 1 < e->n_mentions && e->mentions[i + 1].address && is_alias(a, &e->mentions[i + 1]))
            return a->machines[m].name;
        several = several || (found.len > 0 && !names_are_equal(found, a->machines[m].name));
        found = a->machines[m].name;
    }
    return several ? (struct name){ "", 0 } : found;
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_';
}

static bool has_word(const char *text, struct name word)
{
    for (const char *p = text; (p = memmem(p, strlen(p), word.text, word.len)); p++)
        if ((p == text || (!is_name_char(p[-1]) && p[-1] != '.')) && !is_name_char(p[word.len]))
            return true;
    return false;
}

/* The one database machine whose name stands as a bare word in a line that says who is who:
 * "orders-rw.internal -> zeus14 (10.9.7.1:5432) registered". */
static struct name machine_as_word(const struct attribution *a, size_t record)
{
    const struct log_event *e = &a->events[record];
    struct name found = { "", 0 };

    if ((e->kind != LOG_INVENTORY_EVENT && e->kind != LOG_DNS_ANSWER_EVENT &&
         e->kind != LOG_SERVICE_ENDPOINTS_EVENT) ||
        !a->records[record].message)
        return found;
    for (size_t i = 0; i < a->n_machines; i++) {
        const struct machine *m = &a->machines[i];
        if (!m->database || name_is_address(m->name) ||
            !has_word(a->records[record].message, m->name))
            continue;
        if (found.len > 0)
            return (struct name){ "", 0 };
        found = m->name;
    }
    return found;
}

/* A machine that no log comes from, when the line says plainly that it is one: "host=pg-1
 * address=10.0.0.5", "ready endpoints pg-0 (10.0.0.5:5432)". */
static struct name machine_unheard(const struct attribution *a, const struct log_event *e)
{
    size_t first = e->kind == LOG_SERVICE_ENDPOINTS_EVENT ? 1 : 0; /* after the Service itself */

    if (e->kind != LOG_INVENTORY_EVENT && e->kind != LOG_SERVICE_ENDPOINTS_EVENT)
        return (struct name){ "", 0 };
    for (size_t i = e->n_mentions; i > first + 1; i--) {
        const struct log_mention *m = &e->mentions[i - 2], *address = &e->mentions[i - 1];
        if (!m->address && address->address && !memchr(m->text, '.', m->len) && !is_alias(a, m))
            return mention_name(m);
    }
    return (struct name){ "", 0 };
}

/* A virtual address moves to the machine that says so (VRRP, RFC 5798, 6.4.2). */
static bool takes_address(const struct attribution *a, size_t record)
{
    size_t m = a->machine_of[record];
    const char *message = a->records[record].message;

    return m != LOGS_NONE && a->machines[m].database && message &&
           (strcasestr(message, "gratuitous ARP") || strcasestr(message, "MASTER STATE") ||
            strcasestr(message, "adding virtual"));
}

/* Lines that explain names, in order of time: the last one before the onset counts most, as names
 * move with a failover. */
static void tie_by_line(struct attribution *a)
{
    struct name best = { "", 0 };
    size_t record = LOGS_NONE;

    for (size_t k = 0; k < a->n; k++) {
        size_t i = a->order[k];
        const struct log_event *e = &a->events[i];
        struct name found;
        if (!explains_names(e) || !mentions_alias(a, e))
            continue;
        if (record != LOGS_NONE && a->records[i].time_ms > a->window->onset_ms + LOGS_CLOCK_SKEW_MS)
            break;
        found = machine_beside(a, e);
        if (found.len == 0 && takes_address(a, i))
            found = a->machines[a->machine_of[i]].name;
        if (found.len == 0)
            found = machine_as_word(a, i);
        if (found.len == 0 && best.len == 0)
            found = machine_unheard(a, e);
        if (found.len == 0)
            continue;
        best = found;
        record = i;
    }
    if (best.len == 0)
        return;
    tie(a, TIE_CERTAIN, best, record,
        "%.*s stands behind the refused address, as a line of %s says.", SPAN(best),
        a->records[record].service ? a->records[record].service : "the logs");
}

/* Does the refused address belong to the machine that this record comes from? */
static bool comes_from_target(const struct attribution *a, size_t record)
{
    size_t m = a->machine_of[record];
    const char *address;

    return m != LOGS_NONE && !a->events[record].machine &&
           (is_known_alias(a, a->machines[m].name) ||
            has_alias_address(a, &a->records[record], &address));
}

/* What refused may be a pooler, which is then what went down. */
static void find_pooler(struct attribution *a)
{
    for (size_t i = 0; i < a->n && a->pooler == LOGS_NONE; i++)
        if (comes_from_target(a, i) && a->machines[a->machine_of[i]].pooler)
            a->pooler = a->machine_of[i];
}

static void tie_to_pooler(struct attribution *a)
{
    const struct machine *m = a->pooler == LOGS_NONE ? NULL : &a->machines[a->pooler];

    if (m)
        tie(a, TIE_CERTAIN, m->name, m->first_record,
            "The refused address is that of the pooler on %.*s; no database machine is named.",
            SPAN(m->name));
}

/* The refused address is a balancer's or pooler's, and that names one database machine. */
static void tie_by_balancer(struct attribution *a)
{
    struct name found = { "", 0 };
    size_t record = LOGS_NONE;

    for (size_t i = 0; i < a->n; i++) {
        if (!comes_from_target(a, i) || !a->machines[a->machine_of[i]].balancer)
            continue;
        for (size_t k = 0; k < a->events[i].n_mentions; k++) {
            size_t db = find_machine(a, mention_name(&a->events[i].mentions[k]));
            if (db == LOGS_NONE || !a->machines[db].database)
                continue;
            if (found.len > 0 && !names_are_equal(found, a->machines[db].name))
                return; /* several stand behind it */
            found = a->machines[db].name;
            record = i;
        }
    }
    if (found.len == 0)
        return;
    tie(a, TIE_CERTAIN, found, record,
        "The refused address is that of a balancer or pooler in front of %.*s.", SPAN(found));
}

/* ---- without a tie: the only one that it can be ---- */

/* Words in a machine's name that make it another one than the refused host, unless that has them.
 */
static bool is_called_otherwise(const struct attribution *a, struct name machine)
{
    static const char *const roles[] = { "report",  "analytics", "warehouse", "replica", "standby",
                                         "backup",  "staging",   "stage",     "dev",     "test",
                                         "archive", "dwh",       "readonly" };
    char *name = xstrndup(machine.text, machine.len);
    bool otherwise = false;

    for (size_t i = 0; i < ARRAY_LEN(roles); i++)
        if (text_icontains(name, roles[i]) && !text_icontains(a->target->host, roles[i]) &&
            !text_icontains(a->target->database, roles[i]))
            otherwise = true;
    free(name);
    return otherwise;
}

/* Cloud SQL's names say which instance is which: the refused one's name is known, and it is not
 * this one's. */
static bool is_another_instance(const struct attribution *a, struct name machine)
{
    bool known = false;

    if (!memchr(machine.text, ':', machine.len) || name_is_address(machine))
        return false;
    for (size_t i = 0; i < a->n_aliases; i++) {
        if (names_are_same(a->aliases[i], machine))
            return false;
        known = known || (memchr(a->aliases[i].text, ':', a->aliases[i].len) &&
                          !memchr(a->aliases[i].text, '/', a->aliases[i].len) &&
                          !name_is_address(a->aliases[i]));
    }
    return known;
}

/* Has any line given this machine another address or other names than the target's? */
static bool is_explained_otherwise(const struct attribution *a, const struct machine *m)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct log_event *e = &a->events[i];
        bool named = false;
        if (a->n_aliases == 0 ||
            (e->kind != LOG_INVENTORY_EVENT && e->kind != LOG_DNS_ANSWER_EVENT))
            continue;
        for (size_t k = 0; k < e->n_mentions; k++)
            named = named || names_are_same(mention_name(&e->mentions[k]), m->name);
        if (named && e->n_mentions > 1 && !mentions_alias(a, e))
            return true;
    }
    return false;
}

/* Its documents carry addresses, and the refused one, which is no Service's, is not among them. */
static bool has_other_addresses(const struct attribution *a, size_t machine)
{
    bool service = text_icontains(a->target->host, ".svc") || a->machines[machine].node.len > 0;

    for (size_t i = 0; i < a->n && a->knows_address && !service; i++)
        if (a->machine_of[i] == machine && !a->events[i].machine && a->records[i].n_ips > 0)
            return true;
    return false;
}

/* The refused host has a name of its own that machines have as well, and it is not this one's:
 * "pg-orders-02.internal" is not pg-orders-03. */
static bool has_sibling_name(const struct attribution *a, struct name machine)
{
    for (size_t i = 0; i < a->n_aliases; i++) {
        struct name alias = first_label(a->aliases[i]);
        size_t n = 0;
        if (name_is_address(a->aliases[i]) || alias.len != machine.len)
            continue;
        while (n < alias.len &&
               tolower((unsigned char)alias.text[n]) == tolower((unsigned char)machine.text[n]))
            n++;
        if (n > 2 && n < alias.len && isdigit((unsigned char)alias.text[n]) &&
            isdigit((unsigned char)machine.text[n]))
            return true;
    }
    return false;
}

/* A managed database logs under its own name, the first of its address (Amazon RDS User Guide, "DB
 * instance endpoint"; Azure and others alike). */
static bool is_managed_elsewhere(const struct attribution *a, struct name machine)
{
    static const char *const domains[] = { ".rds.amazonaws.com",  ".database.windows.net",
                                           ".database.azure.com", ".cache.amazonaws.com",
                                           ".mongodb.net",        ".aivencloud.com" };

    for (size_t i = 0; i < ARRAY_LEN(domains); i++)
        if (text_icontains(a->target->host, domains[i]))
            return !names_are_same(name_of(a->target->host), machine);
    return false;
}

/* Its sessions are on other databases than the target's; on none that is called after the service,
 * when the target's is not known. */
static bool serves_others(const struct attribution *a, const struct machine *m)
{
    if (m->n_with_database == 0)
        return false;
    return a->target->database ? m->n_with_target_database == 0 : m->n_with_kin == 0;
}

static bool is_contradicted(const struct attribution *a, size_t i)
{
    const struct machine *m = &a->machines[i];

    return !fits_engine(a, m) || serves_others(a, m) || is_managed_elsewhere(a, m->name) ||
           is_another_instance(a, m->name) || is_called_otherwise(a, m->name) ||
           has_other_addresses(a, i) || is_explained_otherwise(a, m);
}

/* The host's name without what an operator appends for the role of the Service (CloudNativePG's
 * "-rw", Bitnami's "-primary" and "-headless"). */
static struct name host_stem(struct name host)
{
    static const char *const roles[] = { "-rw", "-primary", "-master", "-headless", "-hl" };
    struct name stem = first_label(host);

    for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
        size_t len = strlen(roles[i]);
        if (stem.len > len && strncasecmp(stem.text + stem.len - len, roles[i], len) == 0)
            return (struct name){ stem.text, stem.len - len };
    }
    return stem;
}

/* "orders-db-0" is one of the machines of "orders-db": a StatefulSet numbers its pods so
 * (Kubernetes, "StatefulSets: stable network ID"), and so do people. */
static bool is_numbered(struct name machine, struct name stem)
{
    size_t at = stem.len;

    if (machine.len <= at + 1 || strncasecmp(machine.text, stem.text, at) != 0 ||
        machine.text[at] != '-')
        return false;
    while (++at < machine.len && machine.text[at] != '.')
        if (!isdigit((unsigned char)machine.text[at]))
            return false;
    return true;
}

/* One machine alone is called like the host with a number behind it. */
static void tie_by_number(struct attribution *a)
{
    const struct machine *found = NULL;

    if (!a->target->host || name_is_address(name_of(a->target->host)))
        return;
    for (size_t i = 0; i < a->n_machines; i++) {
        const struct machine *m = &a->machines[i];
        if (!m->database || !is_numbered(m->name, host_stem(name_of(a->target->host))))
            continue;
        if (found || !fits_engine(a, m) || has_other_addresses(a, i) ||
            is_explained_otherwise(a, m) || (a->target->database && serves_others(a, m)))
            return;
        found = m;
    }
    if (found)
        tie(a, TIE_LIKELY, found->name, found->first_record,
            "No line names the refused address, but only %.*s is called like it, with a number.",
            SPAN(found->name));
}

static void tie_by_exclusion(struct attribution *a)
{
    const struct machine *only = NULL, *serving = NULL;
    size_t n = 0, n_serving = 0;
    const char *engine = a->target->engine;

    if (!engine || strcmp(engine, "unknown") == 0)
        return; /* any server would do */
    for (size_t i = 0; i < a->n_machines; i++) {
        if (!a->machines[i].database)
            continue;
        if (has_sibling_name(a, a->machines[i].name))
            return; /* hosts are called like machines here, and none is called like this host */
        if (is_contradicted(a, i))
            continue;
        only = &a->machines[i];
        n++;
        if (only->n_with_target_database == 0)
            continue;
        serving = only;
        n_serving++;
    }
    if (n_serving == 1)
        tie(a, TIE_LIKELY, serving->name, serving->first_record,
            "No line names the refused address, but only %.*s serves the database %s.",
            SPAN(serving->name), a->target->database);
    else if (n == 1)
        tie(a, TIE_LIKELY, only->name, only->first_record,
            "No line names the refused address; %.*s is the only database server of its kind in "
            "the logs.",
            SPAN(only->name));
}

static bool target_is_local(const struct attribution *a)
{
    return a->n_aliases == 0 && a->target->host && name_is_loopback(name_of(a->target->host));
}

void attribute(struct attribution *a)
{
    a->tie_record = a->machine_index = a->pooler = LOGS_NONE;
    read_machines(a);
    read_aliases(a);
    if (target_is_local(a)) {
        a->reason = xstrdup("The refused address is the client's own machine, which is no database "
                            "machine of its own: no log can be tied to it.");
        return;
    }
    find_pooler(a);
    tie_by_address(a);
    tie_by_name(a);
    tie_by_line(a);
    tie_by_listening(a);
    tie_by_balancer(a);
    if (a->tie == TIE_UNKNOWN)
        tie_to_pooler(a);
    if (a->tie == TIE_UNKNOWN)
        tie_by_number(a);
    if (a->tie == TIE_UNKNOWN)
        tie_by_exclusion(a);
    if (!a->reason)
        a->reason = xstrdup("No log line ties a machine to the refused address.");
}

void attribution_clear(struct attribution *a)
{
    free(a->machines);
    free(a->machine_of);
    free(a->aliases);
    free(a->reason);
}

bool is_about_machine(const struct attribution *a, size_t record)
{
    const struct log_event *e = &a->events[record];
    size_t m = a->machine_of[record];
    const struct machine *db =
        a->machine_index == LOGS_NONE ? NULL : &a->machines[a->machine_index];

    if (m == LOGS_NONE || a->machine.len == 0 || !e->own)
        return false;
    if (m == a->pooler && (e->kind == LOG_POOLER_DOWN_EVENT || e->kind == LOG_POOLER_UP_EVENT))
        return true;
    if (names_are_same(a->machines[m].name, a->machine))
        return true;
    /* The kernel of a pod's node tells what happened to the pod's process. */
    return db && db->node.len > 0 && names_are_same(a->machines[m].name, db->node) &&
           (e->kind == LOG_MACHINE_REBOOT_EVENT ||
            (e->machine && e->process && e->kind == LOG_SERVER_OOM_KILLED_EVENT));
}
