/* discover - counts of events by time and by field, over issues and projects. */
#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "sentry/ask.h"
#include "sentry/shapes.h"

#define POINTS_MAX 10000
#define FIELDS_MAX 20

struct selection {
    struct search *search;
    int64_t since_ms, until_ms;
    const struct event **events;
    size_t n, cap;
};

static void selection_clear(struct selection *s)
{
    search_free(s->search);
    free(s->events);
}

static int oldest_first(const void *a, const void *b)
{
    const struct event *x = *(const struct event *const *)a, *y = *(const struct event *const *)b;

    return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

/* Every event that the request asks for, oldest first; false when it was refused. */
static bool select_events(struct ask *a, struct selection *s)
{
    struct error err = ERROR_INIT;

    *s = (struct selection){ 0 };
    if (search_window(a->query, &s->since_ms, &s->until_ms, &err) < 0 ||
        search_parse(a->m, params_get_or(a->query, "query", ""), false, &s->search, &err) < 0) {
        ask_invalid(a, &err);
        return false;
    }
    if (!s->since_ms) {
        s->until_ms = clock_wall_ms();
        s->since_ms = s->until_ms - 14 * DAY_MS;
    }
    for (size_t i = 0; i < a->m->n_issues; i++) {
        const struct issue *g = &a->m->issues[i];
        if (!ask_project(a, g->project))
            continue;
        for (size_t k = 0; k < g->n; k++) {
            const struct event *e = &g->events[k];
            if (e->at_ms >= s->since_ms && e->at_ms <= s->until_ms && ask_environment(a, e) &&
                search_takes_event(s->search, e))
                *VEC_ADD(s->events, s->n, s->cap) = e;
        }
    }
    if (s->n > 0)
        qsort(s->events, s->n, sizeof(*s->events), oldest_first);
    return true;
}

struct points {
    int64_t begin_s, step_s;
    size_t n;
    int64_t *count, *users;
};

/* Users that an earlier event of the same point already counted. */
static bool counted_before(const struct selection *s, size_t i, const struct points *p)
{
    const struct event *e = s->events[i];

    for (size_t k = i; k-- > 0;) {
        const struct event *other = s->events[k];
        if ((other->at_ms / 1000 - p->begin_s) / p->step_s !=
            (e->at_ms / 1000 - p->begin_s) / p->step_s)
            return false; /* an earlier point */
        if (other->user == e->user)
            return true;
    }
    return false;
}

/* What is counted and no longer listed has no tags: it is there when nothing is filtered. */
static void add_older(struct ask *a, const struct selection *s, struct points *p)
{
    if (search_has_more_than(s->search, "issue") ||
        (params_has(a->query, "environment") &&
         !params_includes(a->query, "environment", "production")))
        return;
    const char *only = search_value(s->search, "issue");
    for (size_t i = 0; i < a->m->n_issues; i++) {
        const struct issue *g = &a->m->issues[i];
        if (!ask_project(a, g->project) ||
            (only && !text_isame(only, g->short_id) && strcmp(only, g->id) != 0))
            continue;
        for (const cJSON *row = json_first(g->older); row; row = row->next) {
            int64_t at = a->m->world->now_ms / 1000 + (int64_t)row->child->valuedouble;
            int64_t k = (at - p->begin_s) / p->step_s;
            if (at >= p->begin_s && k < (int64_t)p->n)
                p->count[k] += (int64_t)cJSON_GetArrayItem(row, 1)->valuedouble;
        }
    }
}

static int64_t interval_s(struct ask *a)
{
    const char *text = params_get_or(a->query, "interval", "1h");
    int64_t ms = search_period(text);

    return ms ? ms / 1000 : params_i64(a->query, "interval", 0);
}

static bool count_points(struct ask *a, const struct selection *s, struct points *p)
{
    *p = (struct points){ .step_s = interval_s(a) };
    if (p->step_s <= 0 || (s->until_ms - s->since_ms) / 1000 / p->step_s > POINTS_MAX) {
        ask_refuse(a, 400,
                   "Your interval and date range would create too many results. Use a "
                   "larger interval, or a smaller date range.");
        return false;
    }
    p->begin_s = s->since_ms / 1000 / p->step_s * p->step_s;
    p->n = (size_t)((s->until_ms / 1000 - p->begin_s) / p->step_s + 1);
    p->count = xcalloc(p->n, sizeof(*p->count));
    p->users = xcalloc(p->n, sizeof(*p->users));
    for (size_t i = 0; i < s->n; i++) {
        int64_t k = (s->events[i]->at_ms / 1000 - p->begin_s) / p->step_s;
        if (k < 0 || k >= (int64_t)p->n)
            continue;
        p->count[k]++;
        p->users[k] += s->events[i]->user >= 0 && !counted_before(s, i, p);
    }
    add_older(a, s, p);
    return true;
}

static void points_clear(struct points *p)
{
    free(p->count);
    free(p->users);
}

static int64_t point_of(const struct points *p, size_t i, const char *axis)
{
    return text_starts(axis, "count_unique") ? p->users[i] : p->count[i];
}

static cJSON *shape_axis(const struct points *p, const char *axis)
{
    cJSON *out = cJSON_CreateObject(), *values, *meta;

    json_put_str(out, "yAxis", axis);
    values = json_put_array(out, "values");
    for (size_t i = 0; i < p->n; i++) {
        cJSON *one = cJSON_CreateObject();
        json_put_i64(one, "timestamp", (p->begin_s + (int64_t)i * p->step_s) * 1000);
        json_put_i64(one, "value", point_of(p, i, axis));
        json_put_bool(one, "incomplete", i + 1 == p->n);
        cJSON_AddItemToArray(values, one);
    }
    meta = json_put_object(out, "meta");
    json_put_i64(meta, "interval", p->step_s * 1000);
    json_put_str(meta, "valueType", "integer");
    json_put_null(meta, "valueUnit");
    return out;
}

void answer_timeseries(struct ask *a)
{
    struct selection s;
    struct points p;

    if (!params_has(a->query, "dataset")) {
        ask_refuse(a, 400, "dataset is required");
        return;
    }
    if (!select_events(a, &s)) {
        selection_clear(&s);
        return;
    }
    if (count_points(a, &s, &p)) {
        cJSON *out = cJSON_CreateObject(), *series = json_put_array(out, "timeSeries"), *meta;
        for (size_t i = 0; i < a->query->n; i++)
            if (strcmp(a->query->items[i].name, "yAxis") == 0)
                cJSON_AddItemToArray(series, shape_axis(&p, a->query->items[i].value));
        if (!series->child)
            cJSON_AddItemToArray(series, shape_axis(&p, "count()"));
        meta = json_put_object(out, "meta");
        json_put_str(meta, "dataset", "errors");
        json_put_i64(meta, "start", p.begin_s * 1000);
        json_put_i64(meta, "end", s.until_ms);
        ask_answer(a, out);
        points_clear(&p);
    }
    selection_clear(&s);
}

void answer_events_stats(struct ask *a)
{
    const char *axis = params_get_or(a->query, "yAxis", "count()");
    struct selection s;
    struct points p;

    if (select_events(a, &s) && count_points(a, &s, &p)) {
        cJSON *out = cJSON_CreateObject(), *data = json_put_array(out, "data");
        for (size_t i = 0; i < p.n; i++) {
            cJSON *row = cJSON_CreateArray(), *counts = cJSON_CreateArray();
            cJSON *count = cJSON_CreateObject();
            json_put_i64(count, "count", point_of(&p, i, axis));
            cJSON_AddItemToArray(counts, count);
            cJSON_AddItemToArray(row,
                                 cJSON_CreateNumber((double)(p.begin_s + (int64_t)i * p.step_s)));
            cJSON_AddItemToArray(row, counts);
            cJSON_AddItemToArray(data, row);
        }
        json_put_i64(out, "start", p.begin_s);
        json_put_i64(out, "end", s.until_ms / 1000);
        json_put_bool(out, "isMetricsData", false);
        ask_answer(a, out);
        points_clear(&p);
    }
    selection_clear(&s);
}

/* ---- the table ---- */

struct group {
    char *key; /* the plain fields, joined */
    const struct event *sample;
    int64_t n, last_ms;
    int64_t *users; /* different ones */
    size_t n_users, cap_users;
};

struct table {
    const char *fields[FIELDS_MAX];
    size_t n_fields;
    struct group *groups;
    size_t n, cap;
};

static bool is_aggregate(const char *field)
{
    return strchr(field, '(') != NULL;
}

static char *field_value(struct ask *a, const struct event *e, const char *field)
{
    const struct issue *g = e->issue;
    const cJSON *x = trace_exception(event_trace(a->m, e));
    struct tags tags = { 0 };
    char *out;

    if (strcmp(field, "title") == 0)
        return event_title(json_str_or(x, "type", "Error"), variant_value(event_variant(e), x));
    if (strcmp(field, "issue") == 0)
        return xstrdup(g->short_id);
    if (strcmp(field, "issue.id") == 0)
        return xstrdup(g->id);
    if (strcmp(field, "project") == 0 || strcmp(field, "project.name") == 0)
        return xstrdup(json_str(g->project, "slug"));
    if (strcmp(field, "id") == 0)
        return xstrdup(e->id);
    if (strcmp(field, "timestamp") == 0) {
        struct buf text = BUF_INIT;
        time_format_iso(e->at_ms, &text);
        return buf_take(&text);
    }
    event_tags(a->m, e, &tags);
    out = xstrdup(tags_get(&tags, field));
    tags_clear(&tags);
    return out;
}

static char *group_key(struct ask *a, const struct table *t, const struct event *e)
{
    struct buf key = BUF_INIT;

    for (size_t i = 0; i < t->n_fields; i++) {
        char *value = is_aggregate(t->fields[i]) ? NULL : field_value(a, e, t->fields[i]);
        buf_adds(&key, value);
        buf_addc(&key, '\x1f');
        free(value);
    }
    return buf_take(&key);
}

static void add_user(struct group *g, int64_t user)
{
    for (size_t i = 0; i < g->n_users; i++)
        if (g->users[i] == user)
            return;
    if (user >= 0)
        *VEC_ADD(g->users, g->n_users, g->cap_users) = user;
}

static void add_to_table(struct ask *a, struct table *t, const struct event *e)
{
    char *key = group_key(a, t, e);
    struct group *g = NULL;

    for (size_t i = 0; i < t->n && !g; i++)
        if (strcmp(t->groups[i].key, key) == 0)
            g = &t->groups[i];
    if (!g) {
        g = VEC_ADD(t->groups, t->n, t->cap);
        g->key = key;
        g->sample = e;
    } else {
        free(key);
    }
    g->n++;
    g->last_ms = e->at_ms > g->last_ms ? e->at_ms : g->last_ms;
    add_user(g, e->user);
}

static int most_first(const void *a, const void *b)
{
    const struct group *x = a, *y = b;

    return x->n != y->n ? (x->n > y->n ? -1 : 1) : strcmp(x->key, y->key);
}

static cJSON *shape_row(struct ask *a, const struct table *t, const struct group *g)
{
    cJSON *out = cJSON_CreateObject();

    for (size_t i = 0; i < t->n_fields; i++) {
        const char *field = t->fields[i];
        char *value;
        if (strcmp(field, "count()") == 0) {
            json_put_i64(out, field, g->n);
        } else if (text_starts(field, "count_unique(")) {
            json_put_i64(out, field, (int64_t)g->n_users);
        } else if (strcmp(field, "last_seen()") == 0) {
            put_moment(out, field, g->last_ms);
        } else if (!is_aggregate(field)) {
            value = field_value(a, g->sample, field);
            if (value && strcmp(field, "issue.id") == 0)
                json_put_i64(out, field, strtoll(value, NULL, 10));
            else
                json_put_str(out, field, value);
            free(value);
        }
    }
    return out;
}

static void answer_table(struct ask *a, struct table *t)
{
    size_t from, n;

    if (t->n > 0)
        qsort(t->groups, t->n, sizeof(*t->groups), most_first);
    if (ask_page(a, t->n, &from, &n)) {
        cJSON *out = cJSON_CreateObject(), *data = json_put_array(out, "data"), *meta;
        for (size_t i = from; i < from + n; i++)
            cJSON_AddItemToArray(data, shape_row(a, t, &t->groups[i]));
        meta = json_put_object(out, "meta");
        (void)json_put_object(meta, "fields");
        json_put_str(meta, "dataset", "errors");
        ask_answer(a, out);
    }
}

void answer_events_table(struct ask *a)
{
    struct table t = { 0 };
    struct selection s;

    for (size_t i = 0; i < a->query->n; i++) {
        if (strcmp(a->query->items[i].name, "field") != 0)
            continue;
        if (t.n_fields == FIELDS_MAX) {
            ask_refuse(a, 400,
                       "You can view up to 20 fields at a time. Please delete some and try "
                       "again.");
            return;
        }
        t.fields[t.n_fields++] = a->query->items[i].value;
    }
    if (t.n_fields == 0) {
        ask_refuse(a, 400, "No columns selected");
        return;
    }
    if (select_events(a, &s)) {
        for (size_t i = 0; i < s.n; i++)
            add_to_table(a, &t, s.events[i]);
        answer_table(a, &t);
    }
    selection_clear(&s);
    for (size_t i = 0; i < t.n; i++) {
        free(t.groups[i].key);
        free(t.groups[i].users);
    }
    free(t.groups);
}
