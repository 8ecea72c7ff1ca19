/* Events: one, lists in two forms, series, tables, and what belongs to one event. */
#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/json.h"
#include "dbconn/net/url.h"
#include "sentry_parse.h"
#include "sentry_private.h"
#include "source_json.h"
#include "source_mem.h"

static const char no_event[] = "no such event; it may be older than the retention period, or the "
                               "token may not see it";

/* ---- one event ---- */

struct event_op {
    struct sentry_op op;
    const char *issue_id;
    bool recommended; /* is being asked for, a word that older servers do not know */
};

static void limit_frames(const struct source_call *call, struct sentry_event *event)
{
    const struct sentry *s = (const struct sentry *)call->client;

    if (s->max_frames > 0)
        sentry_keep_frames(event, s->max_frames);
}

static int take_event(struct source_call *call, struct sentry_op *op, const cJSON *json,
                      struct error *err)
{
    struct sentry_event *event = sentry_parse_event(json, call->mem, err);

    if (event)
        limit_frames(call, event);
    op->result = event;
    return event ? 0 : -1;
}

static const char *event_path(struct source_mem *mem, const char *issue_id, const char *event_id)
{
    return sentry_path(mem, sentry_path(mem, "issues/", issue_id, "/events/"), event_id, "/");
}

static bool event_fallback(struct source_call *call, struct sentry_op *op, int status)
{
    struct event_op *event = (struct event_op *)op;

    if (!event->recommended || (status != 404 && status != 400))
        return false;
    event->recommended = false;
    op->path = event_path(call->mem, event->issue_id, "latest");
    return true;
}

struct source_call *sentry_get_event(struct sentry *s, uint64_t owner, const char *issue_id,
                                     const char *event_id, source_done_fn *done, void *user,
                                     struct error *err)
{
    struct source_call *call = sentry_call_new(s, owner, done, user, sizeof(struct event_op));
    struct event_op *event = call->op;

    event->issue_id = source_str(call->mem, issue_id);
    event->recommended = strcmp(event_id, "recommended") == 0;
    event->op.path = event_path(call->mem, issue_id, event_id);
    event->op.what = source_describe(call->mem, "read event", event_id);
    event->op.scope = "event:read";
    event->op.missing = no_event;
    event->op.take = take_event;
    event->op.wanted = sentry_wanted_event;
    event->op.fallback = event_fallback;
    return sentry_start(call, err);
}

/* ---- lists ---- */

struct events_op {
    struct sentry_op op;
    size_t cap;
};

/* What a list holds besides is left out rather than failing the rest. */
static bool is_event(const cJSON *json)
{
    return source_json_has_id(json, "eventID") || source_json_has_id(json, "id");
}

static int take_row(struct source_call *call, struct sentry_op *op, const cJSON *json,
                    struct error *err)
{
    struct sentry_event_rows *rows = op->result;

    if (!is_event(json))
        return 0;
    return sentry_read_row(
        json, call->mem, SOURCE_ADD(call->mem, rows->items, rows->n, ((struct events_op *)op)->cap),
        err);
}

static int take_full_event(struct source_call *call, struct sentry_op *op, const cJSON *json,
                           struct error *err)
{
    struct sentry_event_list *list = op->result;

    if (!is_event(json))
        return 0;
    struct sentry_event *event =
        SOURCE_ADD(call->mem, list->items, list->n, ((struct events_op *)op)->cap);
    event->meta.mem = call->mem;
    if (sentry_read_event(json, call->mem, event, err) < 0)
        return -1;
    limit_frames(call, event);
    return 0;
}

static struct source_call *list_events(struct sentry *s, uint64_t owner,
                                       const struct sentry_events_query *query, bool full,
                                       source_done_fn *done, void *user, struct error *err)
{
    struct source_call *call = sentry_call_new(s, owner, done, user, sizeof(struct events_op));
    struct sentry_op *op = call->op;
    struct buf params = BUF_INIT;

    if (full)
        url_add_query(&params, "full", "1");
    sentry_add_int(&params, "per_page", query->per_page > 0 ? query->per_page : full ? 5 : 100);
    sentry_add_window(&params, query->start_ms, query->end_ms, NULL);
    sentry_add_environments(&params, query->environments);
    if (query->query)
        url_add_query(&params, "query", query->query);
    op->params = sentry_params(call->mem, &params);
    op->path = sentry_path(call->mem, "issues/", query->issue_id, "/events/");
    op->what = source_describe(call->mem, "list the events of issue", query->issue_id);
    op->scope = "event:read";
    op->missing = "no such issue in this organization, or the token may not see its project";
    op->list_of = "events";
    op->take = full ? take_full_event : take_row;
    op->wanted = full ? sentry_wanted_events : sentry_wanted_rows;
    op->result = source_result_new(call->mem, full ? sizeof(struct sentry_event_list)
                                                   : sizeof(struct sentry_event_rows));
    op->pages_left = query->max_pages > 0 ? query->max_pages : full ? 1 : 10;
    return sentry_start(call, err);
}

struct source_call *sentry_list_events(struct sentry *s, uint64_t owner,
                                       const struct sentry_events_query *query,
                                       source_done_fn *done, void *user, struct error *err)
{
    return list_events(s, owner, query, false, done, user, err);
}

struct source_call *sentry_list_full_events(struct sentry *s, uint64_t owner,
                                            const struct sentry_events_query *query,
                                            source_done_fn *done, void *user, struct error *err)
{
    return list_events(s, owner, query, true, done, user, err);
}

/* ---- series ---- */

struct series_op {
    struct sentry_op op;
    const char *older_params; /* for events-stats; NULL once that is being asked */
};

static int take_series(struct source_call *call, struct sentry_op *op, const cJSON *json,
                       struct error *err)
{
    op->result = sentry_parse_timeseries(json, call->mem, err);
    return op->result ? 0 : -1;
}

static bool series_fallback(struct source_call *call, struct sentry_op *op, int status)
{
    struct series_op *series = (struct series_op *)op;

    (void)call;
    if (status != 404 || !series->older_params)
        return false;
    op->path = "events-stats/";
    op->params = series->older_params;
    series->older_params = NULL;
    return true;
}

static char *series_search(const struct sentry_series_query *query)
{
    if (!query->issue)
        return xstrdup(query->query ? query->query : "");
    return xasprintf("issue:%s%s%s", query->issue, query->query ? " " : "",
                     query->query ? query->query : "");
}

/* Both endpoints take the same but for the dataset and the form of the interval. */
static const char *series_params(struct source_mem *mem, const struct sentry_series_query *query,
                                 bool older)
{
    struct buf params = BUF_INIT;
    char *search = series_search(query);
    char *interval = xasprintf(
        "%lld%s", (long long)(query->interval_ms > 0 ? query->interval_ms : HOUR_MS) / SECOND_MS,
        older ? "s" : "");

    if (!older)
        url_add_query(&params, "dataset", "errors");
    url_add_query(&params, "yAxis", query->y_axis ? query->y_axis : "count()");
    url_add_query(&params, "query", search);
    url_add_query(&params, "interval", interval);
    url_add_query(&params, "project", query->project ? query->project : "-1");
    sentry_add_window(&params, query->start_ms, query->end_ms,
                      query->stats_period ? query->stats_period : "24h");
    sentry_add_environments(&params, query->environments);
    free(search);
    free(interval);
    return sentry_params(mem, &params);
}

struct source_call *sentry_events_series(struct sentry *s, uint64_t owner,
                                         const struct sentry_series_query *query,
                                         source_done_fn *done, void *user, struct error *err)
{
    struct source_call *call = sentry_call_new(s, owner, done, user, sizeof(struct series_op));
    struct series_op *series = call->op;

    series->op.path = "events-timeseries/";
    series->op.params = series_params(call->mem, query, false);
    series->older_params = series_params(call->mem, query, true);
    series->op.what = "read the frequency of events";
    series->op.scope = "org:read";
    series->op.take = take_series;
    series->op.fallback = series_fallback;
    return sentry_start(call, err);
}

/* ---- the events table ---- */

static void read_cells(struct source_mem *mem, struct sentry_table *table, const cJSON *row)
{
    const char **cells = table->cells + table->n_rows++ * table->n_fields;

    for (size_t i = 0; i < table->n_fields; i++) {
        const cJSON *cell = json_get(row, table->fields[i]);
        char *text = cJSON_IsNumber(cell) ? xasprintf("%.15g", cell->valuedouble)
                                          : xstrdup(cJSON_GetStringValue(cell));
        cells[i] = source_str(mem, text);
        free(text);
    }
}

static int take_table(struct source_call *call, struct sentry_op *op, const cJSON *json,
                      struct error *err)
{
    struct sentry_table *table = op->result;
    const cJSON *data = json_get(json, "data");
    size_t n = cJSON_IsArray(data) ? (size_t)cJSON_GetArraySize(data) : 0;

    if (!cJSON_IsArray(data))
        return error_set(err, ERR_PROTOCOL, "Sentry's answer is no table of events");
    table->cells = source_alloc(call->mem, (n * table->n_fields + 1) * sizeof(*table->cells));
    for (const cJSON *row = data->child; row; row = row->next)
        read_cells(call->mem, table, row);
    return 0;
}

struct source_call *sentry_events_table(struct sentry *s, uint64_t owner,
                                        const struct sentry_table_query *query,
                                        source_done_fn *done, void *user, struct error *err)
{
    struct source_call *call = sentry_call_new(s, owner, done, user, sizeof(struct sentry_op));
    struct sentry_op *op = call->op;
    struct sentry_table *table = source_result_new(call->mem, sizeof(*table));
    struct buf params = BUF_INIT;
    size_t cap = 0;

    url_add_query(&params, "dataset", "errors");
    for (const char *const *field = query->fields; *field; field++) {
        url_add_query(&params, "field", *field);
        *SOURCE_ADD(call->mem, table->fields, table->n_fields, cap) = source_str(call->mem, *field);
    }
    url_add_query(&params, "query", query->query ? query->query : "");
    url_add_query(&params, "project", query->project ? query->project : "-1");
    sentry_add_window(&params, query->start_ms, query->end_ms, query->stats_period);
    sentry_add_environments(&params, query->environments);
    if (query->sort)
        url_add_query(&params, "sort", query->sort);
    sentry_add_int(&params, "per_page", query->per_page > 0 ? query->per_page : 50);
    op->params = sentry_params(call->mem, &params);
    op->path = "events/";
    op->what = "count events by tag";
    op->scope = "org:read";
    op->take = take_table;
    op->result = table;
    return sentry_start(call, err);
}

/* ---- what belongs to one event ---- */

struct commits_op {
    struct sentry_op op;
    size_t cap;
};

/* {"committers": [{"author", "commits": [...]}]} */
static int take_committers(struct source_call *call, struct sentry_op *op, const cJSON *json,
                           struct error *err)
{
    struct sentry_commits *commits = op->result;

    (void)err; /* without the member there is nobody to suspect */
    for (const cJSON *person = json_items(json, "committers"); person; person = person->next) {
        const cJSON *author = json_get(person, "author");
        for (const cJSON *one = json_items(person, "commits"); one; one = one->next) {
            if (!source_json_has_id(one, "id"))
                continue;
            struct sentry_commit *commit =
                SOURCE_ADD(call->mem, commits->items, commits->n, ((struct commits_op *)op)->cap);
            sentry_read_commit(one, call->mem, commit);
            if (!commit->author_name)
                commit->author_name = source_json_str(call->mem, author, "name");
            if (!commit->author_email)
                commit->author_email = source_json_str(call->mem, author, "email");
        }
    }
    return 0;
}

struct source_call *sentry_event_committers(struct sentry *s, uint64_t owner,
                                            const char *project_slug, const char *event_id,
                                            source_done_fn *done, void *user, struct error *err)
{
    struct source_call *call = sentry_call_new(s, owner, done, user, sizeof(struct commits_op));
    struct sentry_op *op = call->op;
    struct source_mem *mem = call->mem;
    char *projects = xasprintf("/projects/%s/", s->org);

    op->path = sentry_path(mem, sentry_path(mem, projects, project_slug, "/events/"), event_id,
                           "/committers/");
    free(projects);
    op->what = "find the suspect commits of the event";
    op->scope = "project:read";
    op->none_is_empty = true; /* 404 is "No committers found" */
    op->take = take_committers;
    op->result = source_result_new(mem, sizeof(struct sentry_commits));
    return sentry_start(call, err);
}

static int take_event_id(struct source_call *call, struct sentry_op *op, const cJSON *json,
                         struct error *err)
{
    struct sentry_event_id *found = source_result_new(call->mem, sizeof(*found));

    found->event_id = source_json_id(call->mem, json_get(json, "event"), "eventID");
    if (!found->event_id)
        found->event_id = source_json_id(call->mem, json, "eventId");
    found->issue_id = source_json_id(call->mem, json, "groupId");
    found->project_slug = source_json_str(call->mem, json, "projectSlug");
    op->result = found;
    if (!found->issue_id)
        return error_set(err, ERR_PROTOCOL, "Sentry did not say which issue the event belongs to");
    return 0;
}

struct source_call *sentry_find_event(struct sentry *s, uint64_t owner, const char *event_id,
                                      source_done_fn *done, void *user, struct error *err)
{
    struct source_call *call = sentry_call_new(s, owner, done, user, sizeof(struct sentry_op));
    struct sentry_op *op = call->op;

    op->path = sentry_path(call->mem, "eventids/", event_id, "/");
    op->what = source_describe(call->mem, "look up event", event_id);
    op->scope = "org:read";
    op->missing = no_event;
    op->take = take_event_id;
    return sentry_start(call, err);
}
