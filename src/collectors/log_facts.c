#include "log_facts.h"

#include "dbconn/base/json.h"

struct writer {
    struct collect *c;
    const struct log_findings *found;
    const struct log_records *records;
};

/* "pg-1 logged at 2026-08-18 10:02 UTC: “received fast shutdown request”" */
static char *quote_record(const struct log_records *records, size_t record)
{
    struct buf out = BUF_INIT;

    if (record == LOGS_NONE || record >= records->n)
        return NULL;
    const struct log_record *r = &records->items[record];
    const char *machine = log_record_machine(r);
    char *message = presentable(r->message, 200);
    buf_addf(&out, "%s logged at ", machine ? machine : r->service ? r->service : "a machine");
    time_format_minute(r->time_ms, &out);
    buf_addf(&out, ": “%s”", message ? message : "");
    free(message);
    return buf_take(&out);
}

static void put_tri(const struct writer *w, const char *name, enum tristate value, size_t record,
                    const char *why)
{
    char *text = quote_record(w->records, record);

    evidence_set_tri(w->c->board, w->c->step, name, value, text, NULL, why);
    free(text);
}

static const char *const tie_names[] = {
    [TIE_UNKNOWN] = "unknown", [TIE_LIKELY] = "likely", [TIE_CERTAIN] = "certain"
};

static void put_tally(const struct writer *w, const char *name, const struct log_tally *t)
{
    char *text = quote_record(w->records, t->n ? t->example : LOGS_NONE);

    evidence_set_num(w->c->board, w->c->step, name, (double)t->n, text, NULL);
    free(text);
}

/* Where clients complain and where they succeed at the same time. */
static void put_places(const struct writer *w, const char *name, const struct log_place *places,
                       size_t n)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < n && i < 20; i++) {
        cJSON *obj = cJSON_CreateObject();
        json_put_str(obj, "name", places[i].name);
        json_put_i64(obj, "complaints", (int64_t)places[i].complaints);
        json_put_i64(obj, "successes", (int64_t)places[i].successes);
        cJSON_AddItemToArray(list, obj);
    }
    evidence_set_json(w->c->board, w->c->step, name, list, NULL, NULL);
}

static void put_server(const struct writer *w)
{
    const struct log_findings *f = w->found;
    static const char no_tie[] = "no log line ties a machine to the refused address";

    evidence_set_str(w->c->board, w->c->step, "logs.tie", tie_names[f->tie], f->tie_reason, NULL);
    if (f->machine)
        evidence_set_str(w->c->board, w->c->step, "logs.machine", f->machine, NULL, NULL);
    put_tri(w, "server.down", f->went_down, f->down_record, no_tie);
    put_tri(w, "server.back", f->came_back, f->up_record, no_tie);
    put_time(w->c, "server.down_at", f->down_ms);
    put_time(w->c, "server.up_at", f->up_ms);
    evidence_set_str(w->c->board, w->c->step, "server.down_kind", log_kind_name(f->down_kind), NULL,
                     NULL);
    put_bool(w->c, "server.start_failed", f->start_failed);
    put_tri(w, "server.healthy", f->healthy, f->work_during.n ? f->work_during.example : LOGS_NONE,
            no_tie);
    put_tally(w, "server.slots", &f->slots_during);
    put_tally(w, "server.failover", &f->own[LOG_FAILOVER_EVENT]);
    put_tally(w, "server.oom", &f->own[LOG_SERVER_OOM_KILLED_EVENT]);
    put_tally(w, "server.disk_full", &f->own[LOG_SERVER_DISK_FULL_EVENT]);
    put_num(w->c, "server.outages", (double)f->n_outages);
    put_num(w->c, "server.bursts", (double)f->bursts_with_restart);
}

static void put_others(const struct writer *w)
{
    const struct log_findings *f = w->found;

    put_tri(w, "logs.other_restart", f->other_restart ? YES : NO, f->other_record, NULL);
    put_tally(w, "network.faults", &f->network_during);
    put_tally(w, "network.target_faults", &f->network_target);
    put_num(w->c, "network.bursts", (double)f->bursts_with_network);
    put_tri(w, "network.policy", f->policy_record != LOGS_NONE ? YES : NO, f->policy_record, NULL);
    if (f->network_region)
        evidence_set_str(w->c->board, w->c->step, "network.region", f->network_region, NULL, NULL);
    put_tally(w, "clients.complaints", &f->complaints);
    put_tally(w, "clients.successes", &f->successes);
    put_places(w, "clients.regions", f->regions, f->n_regions);
    put_places(w, "clients.hosts", f->hosts, f->n_hosts);
    put_tally(w, "pooler.down", &f->rest[LOG_POOLER_DOWN_EVENT]);
    put_tally(w, "pooler.backend_failed", &f->rest[LOG_POOLER_BACKEND_FAILED_EVENT]);
    put_tally(w, "balancer.down", &f->rest[LOG_BALANCER_BACKEND_DOWN_EVENT]);
    put_tally(w, "service.no_endpoints", &f->rest[LOG_SERVICE_NO_ENDPOINTS_EVENT]);
    put_tally(w, "service.unserved", &f->unserved);
}

static void add_quote(const struct writer *w, size_t record)
{
    char *text = quote_record(w->records, record);

    if (text)
        collect_finding(w->c, NULL, "%s", text);
    free(text);
}

static void describe(const struct writer *w)
{
    const struct log_findings *f = w->found;

    if (f->tie_reason)
        collect_finding(w->c, NULL, "%s", f->tie_reason);
    add_quote(w, f->down_record);
    add_quote(w, f->up_record);
    if (f->went_down != YES && f->work_during.n)
        add_quote(w, f->work_during.example);
    if (f->slots_during.n)
        add_quote(w, f->slots_during.example);
    if (f->network_during.n)
        add_quote(w, f->network_during.example);
    if (f->unserved.n)
        add_quote(w, f->unserved.example);
    add_quote(w, f->policy_record);
    if (f->other_restart)
        collect_finding(w->c, NULL,
                        "%s restarted near the onset; it is another server, not the refused one.",
                        f->other_machine ? f->other_machine : "Another database machine");
}

void put_log_facts(struct collect *c, const struct log_findings *found,
                   const struct log_records *records)
{
    const struct writer w = { c, found, records };

    put_server(&w);
    put_others(&w);
    describe(&w);
}
