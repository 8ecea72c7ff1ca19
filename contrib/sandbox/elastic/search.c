#include "elastic/search.h"

#include <stdio.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"

#define WINDOW_MAX 10000
#define TOTAL_COUNTED 10000

struct hit {
    const struct doc *doc;
    double score;
    size_t place; /* as indexed; ties keep it */
};

struct sort_key {
    const char *field;
    bool descending;
};

struct search {
    struct query_context c;
    const cJSON *body;
    struct index_set set;
    struct hit *hits;
    size_t n, cap;
    struct sort_key keys[8];
    size_t n_keys;
    int64_t size, from;
};

bool search_indices(const struct docs *docs, const char *expression, const struct params *query,
                    struct index_set *ret, struct es_error *err)
{
    struct index_options options = {
        .ignore_unavailable = text_same(params_get(query, "ignore_unavailable"), "true"),
        .refuse_none = text_same(params_get(query, "allow_no_indices"), "false"),
    };
    char *missing = NULL;

    if (docs_resolve(docs, *expression ? expression : "_all", &options, ret, &missing))
        return true;
    es_fail(err, 404, "index_not_found_exception", "no such index [%s]", missing);
    err->extra = cJSON_CreateObject();
    json_put_str(err->extra, "resource.type",
                 strchr(missing, '*') ? "index_expression" : "index_or_alias");
    json_put_str(err->extra, "resource.id", missing);
    json_put_str(err->extra, "index_uuid", "_na_");
    json_put_str(err->extra, "index", missing);
    free(missing);
    return false;
}

static void check_body(struct search *s)
{
    static const char *const known[] = {
        "query",
        "size",
        "from",
        "sort",
        "_source",
        "aggs",
        "aggregations",
        "fields",
        "highlight",
        "search_after",
        "timeout",
        "post_filter",
        "min_score",
        "stored_fields",
        "docvalue_fields",
        "collapse",
        "pit",
        "track_scores",
        "version",
        "terminate_after",
        "explain",
        "profile",
        "runtime_mappings",
        "track_total_hits",
    };

    for (const cJSON *item = s->body->child; item; item = item->next) {
        bool ok = false;
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            ok |= strcmp(known[i], item->string) == 0;
        if (!ok)
            es_fail(s->c.err, 400, "parsing_exception", "unknown key for a VALUE in [%s].",
                    item->string);
    }
    if (s->size + s->from > WINDOW_MAX)
        es_fail(s->c.err, 400, "illegal_argument_exception",
                "Result window is too large, from + size must be less than or equal to: [10000] "
                "but was [%lld]. See the scroll api for a more efficient way to request large data "
                "sets. This limit can be set by changing the [index.max_result_window] index level "
                "setting.",
                (long long)(s->size + s->from));
}

/* ---- order ---- */

static bool is_known_field(const struct search *s, const struct docs *docs, const char *field)
{
    struct view view;

    for (size_t i = 0; i < docs->n; i++)
        if (index_set_has(&s->set, docs->items[i].index) &&
            doc_field(&docs->items[i], field, &view))
            return true;
    return field[0] == '_' || s->set.n == 0;
}

static void add_key(struct search *s, const struct docs *docs, const char *field,
                    const cJSON *options)
{
    const char *order = json_str(options, "order");

    if (s->n_keys == ARRAY_LEN(s->keys))
        return;
    if (cJSON_IsString(options))
        order = options->valuestring;
    if (!is_known_field(s, docs, field) && !json_str(options, "unmapped_type"))
        es_fail(s->c.err, 400, "query_shard_exception",
                "No mapping found for [%s] in order to "
                "sort on",
                field);
    s->keys[s->n_keys++] = (struct sort_key){ field, text_isame(order, "desc") ||
                                                         (!order && strcmp(field, "_score") == 0) };
}

/* "field", {"field": "asc"}, {"field": {"order": "asc"}}, or an array of these. */
static void read_sort(struct search *s, const struct docs *docs)
{
    const cJSON *sort = json_get(s->body, "sort");
    const cJSON *item = cJSON_IsArray(sort) ? sort->child : sort;

    for (; item; item = cJSON_IsArray(sort) ? item->next : NULL) {
        if (cJSON_IsString(item))
            add_key(s, docs, item->valuestring, NULL);
        else if (cJSON_IsObject(item) && item->child)
            add_key(s, docs, item->child->string, item->child);
    }
}

/* The value that a hit is sorted by; NULL when it has none. Caller's tree. */
static cJSON *key_value(const struct search *s, const struct hit *hit, const char *field)
{
    struct view view;
    int64_t at;

    if (strcmp(field, "_score") == 0)
        return cJSON_CreateNumber(hit->score);
    if (strcmp(field, "_doc") == 0 || strcmp(field, "_shard_doc") == 0)
        return cJSON_CreateNumber((double)hit->place);
    if (!aggs_can_use(&s->c, hit->doc, field, &view))
        return NULL;
    if (view.type == TYPE_DATE && value_date(list_at(view.values, 0), &at))
        return cJSON_CreateNumber((double)at);
    return cJSON_Duplicate(list_at(view.values, 0), true);
}

static int compare_values(const cJSON *a, const cJSON *b)
{
    if (cJSON_IsString(a) && cJSON_IsString(b))
        return strcmp(a->valuestring, b->valuestring);
    return value_number(a) < value_number(b) ? -1 : value_number(a) > value_number(b);
}

/* Missing values come last in either direction. */
static int compare_keys(const cJSON *a, const cJSON *b, bool descending)
{
    int rc;

    if (!a || !b)
        return a ? -1 : b ? 1 : 0;
    rc = compare_values(a, b);
    return descending ? -rc : rc;
}

static int compare_hits(const void *a, const void *b, void *user)
{
    const struct search *s = user;
    const struct hit *x = a, *y = b;

    for (size_t i = 0; i < s->n_keys; i++) {
        cJSON *u = key_value(s, x, s->keys[i].field), *v = key_value(s, y, s->keys[i].field);
        int rc = compare_keys(u, v, s->keys[i].descending);
        cJSON_Delete(u);
        cJSON_Delete(v);
        if (rc)
            return rc;
    }
    if (s->n_keys == 0 && x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* Is the hit beyond the place that search_after names? */
static bool is_after(const struct search *s, const struct hit *hit, const cJSON *after)
{
    const cJSON *mark = json_first(after);

    for (size_t i = 0; i < s->n_keys && mark; i++, mark = mark->next) {
        cJSON *value = key_value(s, hit, s->keys[i].field);
        cJSON *at = NULL;
        if (cJSON_IsString(mark) && cJSON_IsNumber(value))
            at = cJSON_CreateNumber((double)query_date(&s->c, mark, false));
        int rc = compare_keys(at ? at : mark, value, s->keys[i].descending);
        cJSON_Delete(value);
        cJSON_Delete(at);
        if (rc)
            return rc < 0;
    }
    return false;
}

static void drop_until(struct search *s)
{
    const cJSON *after = json_get(s->body, "search_after");
    size_t n = 0;

    if (!after)
        return;
    for (size_t i = 0; i < s->n; i++)
        if (is_after(s, &s->hits[i], after))
            s->hits[n++] = s->hits[i];
    s->n = n;
}

/* ---- what a hit shows ---- */

static bool is_selected(const cJSON *patterns, const char *path)
{
    for (const cJSON *p = cJSON_IsArray(patterns) ? patterns->child : patterns; p;
         p = cJSON_IsArray(patterns) ? p->next : NULL) {
        const char *text = cJSON_GetStringValue(p);
        size_t n = text ? strlen(text) : 0;
        if (text &&
            (wildcard_fits(text, path, false) || (strncmp(path, text, n) == 0 && path[n] == '.')))
            return true;
    }
    return false;
}

/* The members that `include` (or NULL for all) takes and `exclude` does not. */
static cJSON *filter_source(const cJSON *obj, const char *prefix, const cJSON *include,
                            const cJSON *exclude)
{
    cJSON *out = cJSON_CreateObject();

    for (const cJSON *item = obj->child; item; item = item->next) {
        char *path = xasprintf("%s%s%s", prefix, *prefix ? "." : "", item->string);
        if (is_selected(exclude, path)) {
            /* left out */
        } else if ((!include || is_selected(include, path)) &&
                   (!exclude || !cJSON_IsObject(item))) {
            cJSON_AddItemToObject(out, item->string, cJSON_Duplicate(item, true));
        } else if (cJSON_IsObject(item)) {
            cJSON *inner =
                filter_source(item, path, is_selected(include, path) ? NULL : include, exclude);
            if (inner->child)
                cJSON_AddItemToObject(out, item->string, inner);
            else
                cJSON_Delete(inner);
        }
        free(path);
    }
    return out;
}

static void put_source(const struct search *s, cJSON *out, const struct doc *doc)
{
    const cJSON *wanted = json_get(s->body, "_source");
    const cJSON *include = wanted, *exclude = NULL;

    if (cJSON_IsFalse(wanted))
        return;
    if (!wanted || cJSON_IsTrue(wanted)) {
        cJSON_AddItemToObject(out, "_source", cJSON_Duplicate(doc->source, true));
        return;
    }
    if (cJSON_IsObject(wanted)) {
        include = json_get(wanted, "includes") ? json_get(wanted, "includes")
                                               : json_get(wanted, "include");
        exclude = json_get(wanted, "excludes") ? json_get(wanted, "excludes")
                                               : json_get(wanted, "exclude");
    }
    cJSON_AddItemToObject(out, "_source", filter_source(doc->source, "", include, exclude));
}

static void put_values(cJSON *out, const char *name, const struct list *values)
{
    cJSON *list;

    if (cJSON_GetObjectItemCaseSensitive(out, name))
        return;
    list = json_put_array(out, name);
    for (size_t i = 0; i < values->n; i++)
        cJSON_AddItemToArray(list, cJSON_Duplicate(values->item[i], true));
}

static void put_fields(const struct search *s, cJSON *out, const struct doc *doc)
{
    cJSON *fields;

    if (!json_get(s->body, "fields"))
        return;
    fields = cJSON_CreateObject();
    for (const cJSON *f = json_items(s->body, "fields"); f; f = f->next) {
        const char *name = cJSON_IsString(f) ? f->valuestring : json_str_or(f, "field", "");
        struct view view;
        for (size_t i = 0; strchr(name, '*') && i < doc->n; i++)
            if (wildcard_fits(name, doc->fields[i].name, false))
                put_values(fields, doc->fields[i].name, &doc->fields[i].values);
        if (!strchr(name, '*') && doc_field(doc, name, &view))
            put_values(fields, name, view.values);
    }
    if (fields->child)
        cJSON_AddItemToObject(out, "fields", fields);
    else
        cJSON_Delete(fields);
}

static cJSON *shape_hit(const struct search *s, const struct hit *hit)
{
    cJSON *out = cJSON_CreateObject(), *sort;

    json_put_str(out, "_index", hit->doc->index);
    json_put_str(out, "_id", hit->doc->id);
    if (s->n_keys)
        json_put_null(out, "_score");
    else
        cJSON_AddNumberToObject(out, "_score", hit->score);
    put_source(s, out, hit->doc);
    put_fields(s, out, hit->doc);
    if (s->n_keys == 0)
        return out;
    sort = json_put_array(out, "sort");
    for (size_t i = 0; i < s->n_keys; i++) {
        cJSON *value = key_value(s, hit, s->keys[i].field);
        cJSON_AddItemToArray(sort, value ? value : cJSON_CreateNull());
    }
    return out;
}

static void put_total(const struct search *s, const struct params *query, cJSON *hits, size_t n)
{
    const cJSON *wanted = json_get(s->body, "track_total_hits");
    bool all = cJSON_IsTrue(wanted) || text_same(params_get(query, "track_total_hits"), "true");
    size_t most = cJSON_IsNumber(wanted) ? (size_t)wanted->valuedouble : TOTAL_COUNTED;
    cJSON *total;

    if (cJSON_IsFalse(wanted))
        return;
    if (text_same(params_get(query, "rest_total_hits_as_int"), "true")) {
        json_put_i64(hits, "total", (int64_t)n);
        return;
    }
    total = json_put_object(hits, "total");
    json_put_i64(total, "value", (int64_t)(all || n < most ? n : most));
    json_put_str(total, "relation", all || n <= most ? "eq" : "gte");
}

static cJSON *shape_answer(const struct search *s, const struct params *query, size_t total,
                           cJSON *aggregations)
{
    cJSON *out = cJSON_CreateObject(), *shards, *hits, *list;

    json_put_i64(out, "took", 4);
    json_put_bool(out, "timed_out", false);
    shards = json_put_object(out, "_shards");
    json_put_i64(shards, "total", (int64_t)s->set.n);
    json_put_i64(shards, "successful", (int64_t)s->set.n);
    json_put_i64(shards, "skipped", 0);
    json_put_i64(shards, "failed", 0);
    hits = json_put_object(out, "hits");
    put_total(s, query, hits, total);
    if (s->n_keys || s->n == 0)
        json_put_null(hits, "max_score");
    else
        cJSON_AddNumberToObject(hits, "max_score", s->hits[0].score);
    list = json_put_array(hits, "hits");
    for (size_t i = (size_t)s->from; i < s->n && i < (size_t)(s->from + s->size); i++)
        cJSON_AddItemToArray(list, shape_hit(s, &s->hits[i]));
    if (aggregations)
        cJSON_AddItemToObject(out, "aggregations", aggregations);
    return out;
}

/* ---- one search ---- */

static void find_hits(struct search *s, const struct docs *docs)
{
    const cJSON *query = json_get(s->body, "query");

    for (size_t i = 0; i < docs->n; i++) {
        const struct doc *doc = &docs->items[i];
        double score = 1;
        if (!index_set_has(&s->set, doc->index))
            continue;
        if (query)
            score = query_score(&s->c, query, doc);
        if (score > 0)
            *VEC_ADD(s->hits, s->n, s->cap) = (struct hit){ doc, score, i };
    }
}

static cJSON *aggregate(struct search *s)
{
    const cJSON *spec = json_get(s->body, "aggs");
    const struct doc **found;
    cJSON *out;

    if (!spec)
        spec = json_get(s->body, "aggregations");
    if (!spec || s->set.n == 0)
        return NULL;
    found = xcalloc(s->n ? s->n : 1, sizeof(*found));
    for (size_t i = 0; i < s->n; i++)
        found[i] = s->hits[i].doc;
    out = aggs_run(&s->c, spec, found, s->n);
    free(found);
    return out;
}

cJSON *search_run(const struct docs *docs, const char *indices, const cJSON *body,
                  const struct params *query, struct es_error *err)
{
    struct search s = { .c = { clock_wall_ms(), err }, .body = body, .size = 10 };
    cJSON *aggregations, *out = NULL;

    (void)json_i64(body, "size", &s.size);
    (void)json_i64(body, "from", &s.from);
    if (!search_indices(docs, indices, query, &s.set, err))
        return NULL;
    check_body(&s);
    find_hits(&s, docs);
    size_t total = s.n;
    aggregations = aggregate(&s);
    read_sort(&s, docs);
    if (s.n > 1 && !err->status)
        qsort_r(s.hits, s.n, sizeof(*s.hits), compare_hits, &s);
    drop_until(&s);
    if (err->status)
        cJSON_Delete(aggregations);
    else
        out = shape_answer(&s, query, total, aggregations);
    free(s.hits);
    free(s.set.names);
    return out;
}
