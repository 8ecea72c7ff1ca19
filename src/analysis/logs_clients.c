#include <string.h>
#include <strings.h>

#include "dbconn/base/text.h"
#include "logs_reading.h"

#define PLACES_MAX 100

static bool is_complaint(enum log_kind k)
{
    switch (k) {
    case LOG_CLIENT_REFUSED_EVENT:
    case LOG_CLIENT_TIMEOUT_EVENT:
    case LOG_CLIENT_RESET_EVENT:
    case LOG_CLIENT_UNREACHABLE_EVENT:
    case LOG_CLIENT_DNS_EVENT:
    case LOG_CLIENT_POOL_EMPTY_EVENT:
    case LOG_CLIENT_OTHER_EVENT:
    case LOG_SLOTS_EXHAUSTED_EVENT:
    case LOG_REJECTED_STARTING_UP_EVENT:
        return true;
    default:
        return false;
    }
}

static bool is_own_service(const struct reading *r, size_t record)
{
    const struct log_target *t = r->a.target;
    const char *service = r->a.records[record].service;

    for (size_t i = 0; i < t->n_services; i++)
        if (service && text_isame(service, t->services[i]))
            return true;
    return t->n_services == 0;
}

/* Is the client's line about the target? By the address it names, else by the database, else by
 * the service it comes from. */
bool reading_concerns_target(const struct reading *r, size_t i)
{
    const struct log_event *e = &r->a.events[i];
    const struct log_target *t = r->a.target;
    const char *engine = t->engine && strcmp(t->engine, "mariadb") == 0 ? "mysql" : t->engine;

    if (mentions_alias(&r->a, e))
        return true;
    if (reading_names_another(r, e) ||
        (e->engine && engine && strcmp(engine, "unknown") != 0 && strcmp(e->engine, engine) != 0))
        return false;
    if (e->database && t->database)
        return e->database_len == strlen(t->database) &&
               strncasecmp(e->database, t->database, e->database_len) == 0;
    return is_own_service(r, i) &&
           (e->engine || e->database || strcasestr(r->a.records[i].message, "database") != NULL);
}

static void note_place(struct log_place **places, size_t *n, size_t *cap, const char *name,
                       size_t record, bool complaint)
{
    struct log_place *p = NULL;

    if (!name || !*name)
        return;
    for (size_t i = 0; i < *n && !p; i++)
        if (text_isame((*places)[i].name, name))
            p = &(*places)[i];
    if (!p && *n >= PLACES_MAX)
        return;
    if (!p) {
        p = VEC_ADD(*places, *n, *cap);
        p->name = name;
        p->complaint_record = p->success_record = LOGS_NONE;
    }
    if (complaint && p->complaints++ == 0)
        p->complaint_record = record;
    if (!complaint && p->successes++ == 0)
        p->success_record = record;
}

static void read_callers(struct reading *r)
{
    struct log_findings *f = r->f;

    for (size_t i = 0; i < r->a.n; i++) {
        const struct log_event *e = &r->a.events[i];
        bool complaint = is_complaint(e->kind);
        if (e->own || !reading_within(r, i) || !(complaint || e->kind == LOG_CLIENT_OK_EVENT) ||
            !reading_concerns_target(r, i))
            continue;
        reading_count(r, complaint ? &f->complaints : &f->successes, i);
        if (e->kind == LOG_SLOTS_EXHAUSTED_EVENT)
            reading_count(r, &f->slots_during, i);
        note_place(&f->regions, &f->n_regions, &f->cap_regions, r->a.records[i].region, i,
                   complaint);
        if (!text_isame(r->a.records[i].zone, r->a.records[i].region))
            note_place(&f->regions, &f->n_regions, &f->cap_regions, r->a.records[i].zone, i,
                       complaint);
        note_place(&f->hosts, &f->n_hosts, &f->cap_hosts, log_record_machine(&r->a.records[i]), i,
                   complaint);
    }
}

/* "No more connections", said by the machine itself or by a monitor that counts its connections. */
static void read_slots(struct reading *r)
{
    for (size_t i = 0; i < r->a.n; i++) {
        const struct log_event *e = &r->a.events[i];
        bool said = e->kind == LOG_SLOTS_EXHAUSTED_EVENT && is_about_machine(&r->a, i);
        bool counted = e->kind == LOG_SLOTS_REPORT_EVENT && reading_names_machine(r, e) &&
                       e->in_use >= 0 && (int64_t)e->in_use * 100 >= (int64_t)e->limit * 95;
        if (reading_within(r, i) && (said || counted))
            reading_count(r, &r->f->slots_during, i);
    }
}

void reading_clients(struct reading *r)
{
    read_callers(r);
    read_slots(r);
}
