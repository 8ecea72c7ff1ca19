#include "dbconn/collectors/dossier.h"

#include "dbconn/base/json.h"

void dossier_put(struct evidence *board, const char *step, const char *name, cJSON *table)
{
    char *text = json_print(table);

    evidence_set_str(board, step, name, text, NULL, NULL);
    cJSON_free(text);
    cJSON_Delete(table);
}

cJSON *dossier_get(const struct evidence *board, const char *name)
{
    const char *text = evidence_str(board, name);

    return text ? cJSON_Parse(text) : NULL;
}

/* ---- series and trend ---- */

cJSON *series_to_json(int64_t start_ms, int64_t interval_ms, const double *counts, size_t n)
{
    cJSON *obj = cJSON_CreateObject();

    json_put_i64(obj, "start", start_ms);
    json_put_i64(obj, "interval", interval_ms);
    cJSON *list = json_put_array(obj, "counts");
    for (size_t i = 0; i < n; i++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber(counts[i]));
    return obj;
}

static void read_series(const cJSON *table, struct trend_case *t)
{
    const cJSON *entry, *count;
    size_t n_counts = 0, used = 0;

    cJSON_ArrayForEach (entry, table) {
        n_counts += (size_t)cJSON_GetArraySize(json_get(entry, "counts"));
    }
    t->counts = xcalloc(n_counts + 1, sizeof(*t->counts));
    t->series = xcalloc((size_t)cJSON_GetArraySize(table) + 1, sizeof(*t->series));
    cJSON_ArrayForEach (entry, table) {
        struct trend_series *s = &t->series[t->in.n_series++];
        (void)json_i64(entry, "start", &s->start_ms);
        (void)json_i64(entry, "interval", &s->interval_ms);
        s->counts = t->counts + used;
        cJSON_ArrayForEach (count, json_get(entry, "counts")) {
            t->counts[used++] = count->valuedouble;
            s->n_counts++;
        }
    }
    t->in.series = t->series;
}

static void read_listed(const struct evidence *board, struct trend_case *t)
{
    cJSON *table = dossier_get(board, TABLE_LISTED);
    const cJSON *entry;

    t->listed = xcalloc((size_t)cJSON_GetArraySize(table) + 1, sizeof(*t->listed));
    cJSON_ArrayForEach (entry, table) {
        struct trend_span *span = &t->listed[t->in.n_listed++];
        (void)json_i64(entry, "from", &span->from_ms);
        (void)json_i64(entry, "to", &span->to_ms);
    }
    t->in.listed = t->listed;
    cJSON_Delete(table);
}

void trend_case_load(const struct evidence *board, int64_t now_ms, struct trend_case *ret)
{
    *ret = (struct trend_case){ .tree = dossier_get(board, TABLE_SERIES) };
    read_series(ret->tree, ret);
    ret->times = rowset_times(board, TABLE_ROWS, &ret->in.n_times);
    ret->in.times_ms = ret->times;
    ret->in.times_capped = evidence_tri(board, "events.capped") == YES;
    read_listed(board, ret);
    ret->in.first_seen_ms = evidence_time(board, "issue.first_seen");
    ret->in.last_seen_ms = evidence_time(board, "issue.last_seen");
    ret->in.now_ms = now_ms;
}

void trend_case_clear(struct trend_case *t)
{
    cJSON_Delete(t->tree);
    free(t->listed);
    free(t->series);
    free(t->counts);
    free(t->times);
    *t = (struct trend_case){ 0 };
}

/* ---- releases ---- */

static int64_t time_member(const cJSON *obj, const char *key)
{
    int64_t ms;

    return json_i64(obj, key, &ms) ? ms : TIME_UNKNOWN;
}

static void read_release(const cJSON *entry, struct rollout_deploy **deploys,
                         struct rollout_release *r)
{
    const cJSON *item;

    r->version = json_str_or(entry, "version", "");
    r->created_ms = time_member(entry, "created");
    r->released_ms = time_member(entry, "released");
    r->first_event_ms = time_member(entry, "first_event");
    r->deploys = *deploys;
    cJSON_ArrayForEach (item, json_get(entry, "deploys")) {
        (*deploys)->environment = json_str(item, "environment");
        (*deploys)->started_ms = time_member(item, "started");
        (*deploys)->finished_ms = time_member(item, "finished");
        (*deploys)++;
        r->n_deploys++;
    }
}

void release_table_load(const struct evidence *board, const char *name, struct release_table *ret)
{
    const cJSON *entry;
    size_t n_deploys = 0;

    *ret = (struct release_table){ .tree = dossier_get(board, name) };
    cJSON_ArrayForEach (entry, ret->tree) {
        n_deploys += (size_t)cJSON_GetArraySize(json_get(entry, "deploys"));
    }
    ret->items = xcalloc((size_t)cJSON_GetArraySize(ret->tree) + 1, sizeof(*ret->items));
    ret->deploys = xcalloc(n_deploys + 1, sizeof(*ret->deploys));
    struct rollout_deploy *deploys = ret->deploys;
    cJSON_ArrayForEach (entry, ret->tree) {
        read_release(entry, &deploys, &ret->items[ret->n++]);
    }
}

void release_table_clear(struct release_table *t)
{
    free(t->items);
    free(t->deploys);
    cJSON_Delete(t->tree);
    *t = (struct release_table){ 0 };
}

const cJSON *release_table_find(const struct release_table *t, const char *version)
{
    const cJSON *entry;

    cJSON_ArrayForEach (entry, t->tree) {
        const char *v = json_str(entry, "version");
        if (v && version && strcmp(v, version) == 0)
            return entry;
    }
    return NULL;
}

/* ---- other issues ---- */

static void read_issue(const cJSON *entry, struct cluster_issue *i)
{
    double events;

    i->id = json_str(entry, "id");
    i->short_id = json_str(entry, "short_id");
    i->project = json_str_or(entry, "project", "");
    i->title = json_str_or(entry, "title", "");
    i->host = json_str(entry, "host");
    i->port = json_str(entry, "port");
    bool database;
    i->database = !json_bool(entry, "database", &database) ? UNKNOWN : database ? YES : NO;
    i->first_seen_ms = time_member(entry, "first_seen");
    i->last_seen_ms = time_member(entry, "last_seen");
    i->onset_ms = time_member(entry, "onset");
    i->onset_slack_ms = json_i64(entry, "slack", &i->onset_slack_ms) ? i->onset_slack_ms : 0;
    i->first_release = json_str(entry, "first_release");
    i->events = json_num(entry, "events", &events) ? events : -1;
}

/* One row for each project of each release. */
static void read_cluster_releases(struct cluster_case *c)
{
    const cJSON *entry, *project;
    size_t n = 0, i = 0;

    cJSON_ArrayForEach (entry, c->table.tree) {
        n += (size_t)cJSON_GetArraySize(json_get(entry, "projects"));
    }
    c->releases = xcalloc(n + 1, sizeof(*c->releases));
    cJSON_ArrayForEach (entry, c->table.tree) {
        cJSON_ArrayForEach (project, json_get(entry, "projects")) {
            struct cluster_release *r = &c->releases[c->in.n_releases++];
            r->project = cJSON_GetStringValue(project);
            r->release = c->table.items[i];
        }
        i++;
    }
    c->in.releases = c->releases;
}

void cluster_case_load(const struct evidence *board, int64_t now_ms, struct cluster_case *ret)
{
    const cJSON *entry;

    *ret = (struct cluster_case){ .issue_tree = dossier_get(board, TABLE_ISSUES) };
    ret->issues = xcalloc((size_t)cJSON_GetArraySize(ret->issue_tree) + 1, sizeof(*ret->issues));
    cJSON_ArrayForEach (entry, ret->issue_tree) {
        read_issue(entry, &ret->issues[ret->in.n_issues++]);
    }
    ret->in.issues = ret->issues;
    ret->in.issues_known = ret->issue_tree != NULL;
    release_table_load(board, TABLE_ALL_RELEASES, &ret->table);
    read_cluster_releases(ret);
    ret->in.issue_id = evidence_str(board, "issue.id");
    ret->in.project = evidence_str(board, "issue.project");
    ret->in.host = evidence_str(board, "target.host");
    ret->in.port = evidence_str(board, "target.port");
    ret->in.onset_ms = evidence_time(board, "trend.onset");
    int64_t slack = evidence_time(board, "trend.onset_slack");
    ret->in.onset_slack_ms = slack == TIME_UNKNOWN ? 0 : slack;
    ret->in.environment = evidence_str(board, "events.environment");
    ret->in.now_ms = now_ms;
}

void cluster_case_clear(struct cluster_case *c)
{
    cJSON_Delete(c->issue_tree);
    free(c->issues);
    release_table_clear(&c->table);
    free(c->releases);
    *c = (struct cluster_case){ 0 };
}

/* ---- tags ---- */

void tag_table_load(const struct evidence *board, struct tag_table *ret)
{
    const cJSON *entry, *item;
    size_t n_values = 0;

    *ret = (struct tag_table){ .tree = dossier_get(board, TABLE_TAGS) };
    cJSON_ArrayForEach (entry, ret->tree) {
        n_values += (size_t)cJSON_GetArraySize(json_get(entry, "values"));
    }
    ret->items = xcalloc((size_t)cJSON_GetArraySize(ret->tree) + 1, sizeof(*ret->items));
    ret->values = xcalloc(n_values + 1, sizeof(*ret->values));
    struct impact_value *value = ret->values;
    cJSON_ArrayForEach (entry, ret->tree) {
        struct impact_distribution *d = &ret->items[ret->n++];
        d->key = json_str(entry, "key");
        (void)json_num(entry, "total", &d->total);
        d->values = value;
        cJSON_ArrayForEach (item, json_get(entry, "values")) {
            value->value = json_str(item, "value");
            (void)json_num(item, "count", &value->count);
            value++;
            d->n_values++;
        }
    }
}

void tag_table_clear(struct tag_table *t)
{
    free(t->items);
    free(t->values);
    cJSON_Delete(t->tree);
    *t = (struct tag_table){ 0 };
}
