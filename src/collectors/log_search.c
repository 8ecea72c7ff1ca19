/*
 * Step 6: the logs around the onset: what the database's machine says of itself, who else
 * complains, and whether the network does.
 *
 *   round 1   one msearch: tell-tale phrases near the onset, near the end and near each burst; who
 *             is who (lines that name the target); the service's own lines
 *   further   while there is something new: the addresses that the target's name turned out to
 *             have; all lines of the machine that was tied to it, so that silence and ordinary work
 *             can be told apart
 *
 * The phrases stand in the playbook ("settings.logs.phrases").
 */
#include "collect.h"
#include "log_facts.h"
#include "log_records.h"
#include "steps.h"

#include "dbconn/analysis/logs.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/collectors/dossier.h"
#include "dbconn/sources/elasticsearch.h"

#define MAX_QUERIES 24
#define MAX_BURSTS 12
#define MAX_NAMES 24
#define MAX_ROUNDS 3
#define MIN_LABEL 4 /* a shorter first label ("db", "pg1") is found in too many lines */

struct search {
    const struct es_answers *answers[MAX_ROUNDS];
    size_t round;
    char **phrases, **identity, **not_identity, **services; /* NULL at the end */
    char **machines, **addresses;                           /* learned on the way */
    size_t asked_machines, asked_addresses;
    char *index; /* NULL: configured */
    struct log_burst bursts[MAX_BURSTS];
    size_t n_bursts;
    int64_t onset_ms, end_ms;
    struct log_records records;
    struct log_findings found;
    bool has_found;
    bool nothing_searched;
};

/* ---- lists of strings with NULL at the end ---- */

static void list_add(char ***list, const char *text)
{
    size_t n = 0;

    if (!text || !*text)
        return;
    for (; *list && (*list)[n]; n++)
        if (text_isame((*list)[n], text))
            return;
    if (n >= MAX_NAMES * 8)
        return;
    *list = xrealloc(*list, (n + 2) * sizeof(**list));
    (*list)[n] = xstrdup(text);
    (*list)[n + 1] = NULL;
}

static void list_free(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

static void list_add_setting(struct collect *c, const char *dotted, char ***list)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, json_dotted(c->settings, dotted)) {
        list_add(list, cJSON_GetStringValue(item));
    }
}

/* ---- what to ask for ---- */

/* Every name of the target: as in the messages, its addresses, and its first label ("db-1" of
 * "db-1.prod.internal"), which is how machines call themselves. */
static void add_label(struct search *s, const char *host)
{
    size_t len = host ? strcspn(host, ".") : 0;

    if (len < MIN_LABEL || !host[len] || host[0] == '/' ||
        strspn(host, "0123456789.:") == strlen(host))
        return;
    char *label = xstrndup(host, len);
    list_add(&s->identity, label);
    free(label);
}

static void add_names(struct collect *c, struct search *s)
{
    const cJSON *target, *alias;

    cJSON_ArrayForEach (target, evidence_json(c->board, "target.all")) {
        list_add(&s->identity, json_str(target, "host"));
        cJSON_ArrayForEach (alias, json_get(target, "aliases")) {
            list_add(&s->identity, cJSON_GetStringValue(alias));
        }
    }
    cJSON_ArrayForEach (target, evidence_json(c->board, "target.all")) {
        add_label(s, json_str(target, "host"));
    }
}

static void add_services(struct collect *c, struct search *s)
{
    const char *project = evidence_str(c->board, "issue.project");
    const char *package = evidence_str(c->board, "issue.package");
    const cJSON *entry;

    list_add(&s->services, project);
    list_add(&s->services, package);
    cJSON_ArrayForEach (entry, c->sources->services) {
        bool ours = (project && text_isame(json_str(entry, "project"), project)) ||
                    (package && text_isame(json_str(entry, "package"), package));
        if (!ours)
            continue;
        list_add(&s->services, json_str(entry, "log_service"));
        if (json_str(entry, "index"))
            xreplace(&s->index, json_str(entry, "index"));
    }
}

static void read_bursts(struct collect *c, struct search *s)
{
    cJSON *list = dossier_get(c->board, "trend.burst_list");
    const cJSON *item;

    cJSON_ArrayForEach (item, list) {
        int64_t start, end;
        if (s->n_bursts < MAX_BURSTS && json_i64(item, "start", &start) &&
            json_i64(item, "end", &end))
            s->bursts[s->n_bursts++] = (struct log_burst){ start, end };
    }
    cJSON_Delete(list);
}

static void read_window(struct collect *c, struct search *s)
{
    int64_t end = evidence_time(c->board, "trend.last_event");

    s->onset_ms = evidence_time(c->board, "trend.onset");
    if (s->onset_ms == TIME_UNKNOWN)
        s->onset_ms = evidence_time(c->board, "issue.last_seen");
    if (s->onset_ms == TIME_UNKNOWN)
        s->onset_ms = c->now_ms - HOUR_MS;
    s->end_ms = end == TIME_UNKNOWN || end < s->onset_ms ? c->now_ms : end;
    if (evidence_tri(c->board, "trend.ongoing") == YES)
        s->end_ms = c->now_ms;
    read_bursts(c, s);
}

/* The last place takes what is over the limit and is not sent. */
struct query_list {
    struct es_query items[MAX_QUERIES + 1];
    struct es_terms terms[MAX_QUERIES + 1];
    size_t n;
};

static struct es_query *add_query(struct query_list *list, const struct search *s, int64_t from_ms,
                                  int64_t to_ms, int size)
{
    struct es_query *q = &list->items[list->n];

    if (list->n < MAX_QUERIES)
        list->n++;
    *q = (struct es_query){ .index = s->index, .from_ms = from_ms, .to_ms = to_ms, .size = size };
    return q;
}

/* Only documents in which one of the fields is one of the values. */
static void filter(struct query_list *list, struct es_query *q, const char *const *fields,
                   char *const *values)
{
    struct es_terms *terms = &list->terms[q - list->items];

    *terms = (struct es_terms){ fields, (const char *const *)values };
    q->filters = terms;
    q->n_filters = 1;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void add_phrase_queries(struct collect *c, struct search *s, struct query_list *list)
{
    int64_t before = collect_ms(c, "logs.before_minutes", 45);
    int64_t after = collect_ms(c, "logs.after_minutes", 120);
    int size = (int)collect_number(c, "logs.hits", 300);
    struct es_query *q =
        add_query(list, s, s->onset_ms - before, earlier(s->onset_ms + after, c->now_ms), size);

    q->phrases = (const char *const *)s->phrases;
    if (s->end_ms > s->onset_ms + after) {
        q = add_query(list, s, s->end_ms - before, earlier(s->end_ms + before, c->now_ms), size);
        q->phrases = (const char *const *)s->phrases;
    }
    for (size_t i = 1; i < s->n_bursts && i < 7; i++) {
        int64_t from = s->bursts[i].start_ms - 10 * MINUTE_MS;
        if (from < s->onset_ms + after && s->bursts[i].end_ms < s->onset_ms + after)
            continue;
        q = add_query(list, s, from, earlier(s->bursts[i].end_ms + 10 * MINUTE_MS, c->now_ms), 80);
        q->phrases = (const char *const *)s->phrases;
    }
}

static void add_identity_query(struct collect *c, struct search *s, struct query_list *list)
{
    int64_t back = collect_ms(c, "logs.identity_minutes", 7 * 24 * 60);
    struct es_query *q;

    if (!s->identity)
        return;
    /* Who is who: DNS, inventory, endpoints; complaints are thousands and say nothing about it. */
    q = add_query(list, s, s->onset_ms - back, c->now_ms, 200);
    q->phrases = (const char *const *)s->identity;
    q->not_phrases = (const char *const *)s->not_identity;
    q->newest_first = true;
    q = add_query(list, s, s->onset_ms - 15 * MINUTE_MS, earlier(s->end_ms + HOUR_MS, c->now_ms),
                  200);
    q->phrases = (const char *const *)s->identity;
    /* The machine by its own address. */
    q = add_query(list, s, s->onset_ms - 2 * HOUR_MS, earlier(s->end_ms + HOUR_MS, c->now_ms), 200);
    filter(list, q, es_default_fields()->host_ip, s->identity);
}

static void add_service_queries(struct search *s, struct query_list *list)
{
    const char *const *fields = es_default_fields()->service;

    if (!s->services)
        return;
    struct es_query *q =
        add_query(list, s, s->onset_ms - 15 * MINUTE_MS, s->onset_ms + 2 * HOUR_MS, 200);
    filter(list, q, fields, s->services);
    q = add_query(list, s, s->end_ms - 2 * HOUR_MS, s->end_ms + 15 * MINUTE_MS, 200);
    q->newest_first = true;
    filter(list, q, fields, s->services);
}

/* Whatever else was logged when it broke, in whose words ever; the service's own lines are asked
 * for apart, and they would fill the page. */
static void add_moment_query(struct search *s, struct query_list *list, int64_t from_ms,
                             int64_t to_ms, int size)
{
    struct es_query *q = add_query(list, s, from_ms, to_ms, size);
    struct es_terms *terms = &list->terms[q - list->items];

    if (!s->services)
        return;
    *terms = (struct es_terms){ es_default_fields()->service, (const char *const *)s->services };
    q->must_not = terms;
    q->n_must_not = 1;
}

static void add_moment_queries(struct collect *c, struct search *s, struct query_list *list)
{
    int64_t around = collect_ms(c, "logs.moment_minutes", 4);
    size_t bursts = (size_t)collect_number(c, "logs.moment_bursts", 5);

    add_moment_query(s, list, s->onset_ms - around, s->onset_ms + around, 300);
    for (size_t i = 1; i < s->n_bursts && i < bursts; i++)
        add_moment_query(s, list, s->bursts[i].start_ms - around, s->bursts[i].start_ms + around,
                         120);
}

/* ---- answers ---- */

static void got_answers(struct collect *c, const void *result, const struct error *err, size_t tag)
{
    struct search *s = c->state;

    if (!result) {
        if (tag == 0)
            error_copy(&c->error, err);
        collect_lost(c, "Could not search the logs: %s", error_text(err));
        return;
    }
    source_hold(result);
    s->answers[tag] = result;
}

static void take_answers(struct collect *c, size_t round)
{
    struct search *s = c->state;
    const struct es_answers *answers = s->answers[round];
    size_t failed = 0, empty = 0;

    for (size_t i = 0; answers && i < answers->n; i++) {
        const struct es_answer *a = &answers->items[i];
        if (!a->result) {
            if (failed++ == 0)
                collect_lost(c, "A search of the logs failed: %s", a->error ? a->error : "unknown");
            continue;
        }
        if (a->result->meta.partial)
            collect_lost(c, "The logs answered only in part: %s",
                         a->result->meta.why ? a->result->meta.why : "shards failed");
        empty += a->result->nothing_searched;
        log_records_add(&s->records, a->result);
    }
    if (answers && round == 0 && empty == answers->n && answers->n > 0)
        s->nothing_searched = true;
}

static void analyse(struct collect *c)
{
    struct search *s = c->state;
    const char *addresses[MAX_NAMES];
    size_t n = 0, n_services = 0;

    for (size_t i = 1; s->identity && s->identity[0] && s->identity[i] && n < MAX_NAMES; i++)
        addresses[n++] = s->identity[i];
    while (s->services && s->services[n_services])
        n_services++;
    struct log_target target = { .engine = evidence_str(c->board, "target.engine"),
                                 .host = evidence_str(c->board, "target.host"),
                                 .port = evidence_str(c->board, "target.port"),
                                 .database = evidence_str(c->board, "target.database"),
                                 .addresses = addresses,
                                 .n_addresses = n,
                                 .services = (const char *const *)s->services,
                                 .n_services = n_services };
    struct log_window window = { s->onset_ms, s->end_ms, c->now_ms, s->bursts, s->n_bursts };

    if (s->has_found)
        log_findings_clear(&s->found);
    logs_read(s->records.items, s->records.n, &target, &window, &s->found);
    s->has_found = true;
}

/* ---- the outcome ---- */

static void finish(struct collect *c)
{
    struct search *s = c->state;
    const struct log_findings *f = &s->found;

    put_bool(c, "logs.looked", !s->nothing_searched);
    put_num(c, "logs.records", (double)s->records.n);
    put_log_facts(c, f, &s->records);
    if (s->nothing_searched)
        collect_complete(c,
                         "No index matches the configured pattern: there was nothing to search.");
    else if (s->records.n == 0)
        collect_complete(c,
                         "The logs hold nothing about the service or the database in that time.");
    else if (f->went_down == YES)
        collect_complete(c, "%s went down%s (%zu log lines read).", f->machine,
                         f->came_back == YES ? " and came back" : "", s->records.n);
    else
        collect_complete(c, "%s (%zu log lines read).",
                         f->network_during.n ? "The network complains in that time"
                         : f->unserved.n     ? "No ready pod stands behind the refused Service"
                         : f->slots_during.n ? "The server has no connection slots left"
                         : f->healthy == YES ? "The database server worked on"
                                             : "No line explains the refusals",
                         s->records.n);
}

/* ---- rounds ---- */

static void send(struct collect *c, const struct query_list *list)
{
    struct search *s = c->state;
    struct error err = ERROR_INIT;
    struct collect_call *call = collect_call(c, got_answers, s->round);

    collect_sent(
        call,
        es_msearch(c->sources->es, c->owner, list->items, list->n, collect_received, call, &err),
        &err);
}

static size_t list_length(char *const *list)
{
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

/* Lines that explain a name give its addresses; the machine may log under one of those. */
static void learn_addresses(struct search *s)
{
    struct log_event event;

    for (size_t i = 0; i < s->records.n; i++) {
        logline_read(&s->records.items[i], &event);
        if (event.kind != LOG_DNS_ANSWER_EVENT && event.kind != LOG_INVENTORY_EVENT &&
            event.kind != LOG_SERVICE_ENDPOINTS_EVENT)
            continue;
        for (size_t m = 0; m < event.n_mentions && list_length(s->addresses) < MAX_NAMES; m++) {
            if (!event.mentions[m].address || event.mentions[m].role == MENTION_CLIENT)
                continue;
            char *address = xstrndup(event.mentions[m].text, event.mentions[m].len);
            list_add(&s->addresses, address);
            free(address);
        }
    }
}

static void add_address_queries(struct search *s, struct query_list *list, int64_t last)
{
    char *const *fresh = s->addresses + s->asked_addresses;
    struct es_query *q = add_query(list, s, s->onset_ms - HOUR_MS, last, 200);

    filter(list, q, es_default_fields()->host_ip, fresh);
    q = add_query(list, s, s->onset_ms - DAY_MS, last, 100);
    q->phrases = (const char *const *)fresh;
    q->not_phrases = (const char *const *)s->not_identity;
    q->newest_first = true;
    s->asked_addresses = list_length(s->addresses);
}

static void add_machine_queries(struct search *s, struct query_list *list, int64_t last)
{
    const struct es_fields *fields = es_default_fields();
    const char *const *names[] = { fields->host, fields->pod };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        for (int newest = 0; newest < 2; newest++) {
            struct es_query *q = add_query(list, s, s->onset_ms - HOUR_MS, last, 200);
            filter(list, q, names[i], s->machines + s->asked_machines);
            q->newest_first = newest;
        }
    s->asked_machines = list_length(s->machines);
}

static void next_round(struct collect *c)
{
    struct search *s = c->state;
    struct query_list list = { .n = 0 };
    int64_t last = earlier(s->end_ms + 30 * MINUTE_MS, c->now_ms);

    if (!s->answers[0]) {
        collect_fail(c, NULL);
        return;
    }
    take_answers(c, s->round);
    analyse(c);
    learn_addresses(s);
    if (s->found.machine)
        list_add(&s->machines, s->found.machine);
    if (++s->round < MAX_ROUNDS) {
        if (list_length(s->machines) > s->asked_machines)
            add_machine_queries(s, &list, last);
        if (list_length(s->addresses) > s->asked_addresses)
            add_address_queries(s, &list, last);
    }
    if (list.n == 0) {
        finish(c);
        return;
    }
    send(c, &list);
    collect_wait(c, next_round);
}

static void start(struct collect *c)
{
    struct query_list list = { .n = 0 };

    if (!c->sources->es) {
        collect_skip(c, "Elasticsearch is not configured (elasticsearch.url), so no logs were "
                        "searched.");
        return;
    }
    struct search *s = c->state = xcalloc(1, sizeof(*s));
    add_names(c, s);
    add_services(c, s);
    read_window(c, s);
    list_add_setting(c, "logs.phrases", &s->phrases);
    list_add_setting(c, "logs.not_identity", &s->not_identity);
    add_phrase_queries(c, s, &list);
    add_identity_query(c, s, &list);
    add_service_queries(s, &list);
    add_moment_queries(c, s, &list);
    send(c, &list);
    collect_wait(c, next_round);
}

static void clear(struct collect *c)
{
    struct search *s = c->state;

    if (!s)
        return;
    for (size_t i = 0; i < MAX_ROUNDS; i++)
        source_release(s->answers[i]);
    if (s->has_found)
        log_findings_clear(&s->found);
    log_records_clear(&s->records);
    list_free(s->phrases);
    list_free(s->identity);
    list_free(s->not_identity);
    list_free(s->services);
    list_free(s->machines);
    list_free(s->addresses);
    free(s->index);
    free(s);
}

const struct collector collector_log_search = { .name = "log_search",
                                                .start = start,
                                                .clear = clear };
