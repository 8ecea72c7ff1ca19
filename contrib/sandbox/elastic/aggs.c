/* aggs - https://www.elastic.co/docs/reference/aggregations */
#include <math.h>
#include <stdio.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "elastic/search.h"

#define BUCKETS_MAX 65536

struct found {
    const struct doc *const *item;
    size_t n;
};

struct bucket {
    double number; /* key of a histogram */
    char *text;    /* key of terms */
    const struct doc **docs;
    size_t n, cap;
};

struct buckets {
    struct bucket *item;
    size_t n, cap;
};

typedef void agg_fn(const struct query_context *c, const cJSON *agg, const cJSON *sub,
                    const struct found *found, cJSON *out);

bool aggs_can_use(const struct query_context *c, const struct doc *doc, const char *field,
                  struct view *ret)
{
    if (!doc_field(doc, field, ret))
        return false;
    if (ret->type != TYPE_TEXT)
        return true;
    es_fail(c->err, 400, "illegal_argument_exception",
            "Fielddata is disabled on [%s] in [%s]. Text fields are not optimised for operations "
            "that require per-document field data like aggregations and sorting, so these "
            "operations are disabled by default. Please use a keyword field instead.",
            field, doc->index);
    return false;
}

static void buckets_clear(struct buckets *b)
{
    for (size_t i = 0; i < b->n; i++) {
        free(b->item[i].text);
        free(b->item[i].docs);
    }
    free(b->item);
}

static void put_bucket(const struct query_context *c, cJSON *obj, const cJSON *sub,
                       const struct doc *const *docs, size_t n)
{
    json_put_i64(obj, "doc_count", (int64_t)n);
    if (sub) {
        cJSON *inner = aggs_run(c, sub, docs, n);
        for (cJSON *item; inner && (item = inner->child);) {
            char *name = xstrdup(item->string);
            cJSON_DetachItemViaPointer(inner, item);
            cJSON_AddItemToObject(obj, name, item);
            free(name);
        }
        cJSON_Delete(inner);
    }
}

static struct bucket *bucket_of(struct buckets *b, const char *text, double number)
{
    for (size_t i = 0; i < b->n; i++)
        if (text ? strcmp(b->item[i].text, text) == 0 : b->item[i].number == number)
            return &b->item[i];
    struct bucket *one = VEC_ADD(b->item, b->n, b->cap);
    one->text = xstrdup(text);
    one->number = number;
    return one;
}

static int by_number(const void *a, const void *b)
{
    double x = ((const struct bucket *)a)->number, y = ((const struct bucket *)b)->number;

    return x < y ? -1 : x > y;
}

static int by_count(const void *a, const void *b)
{
    const struct bucket *x = a, *y = b;

    return x->n != y->n ? (x->n > y->n ? -1 : 1) : strcmp(x->text, y->text);
}

/* ---- date_histogram ---- */

static int64_t interval_ms(const struct query_context *c, const cJSON *agg)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {
        { "ms", 1 },         { "s", SECOND_MS },  { "m", MINUTE_MS },      { "h", HOUR_MS },
        { "d", DAY_MS },     { "w", 7 * DAY_MS }, { "second", SECOND_MS }, { "minute", MINUTE_MS },
        { "hour", HOUR_MS }, { "day", DAY_MS },   { "week", 7 * DAY_MS },
    };
    const char *text =
        json_str_or(agg, "fixed_interval", json_str_or(agg, "calendar_interval", ""));
    char *unit;
    long long n = strtoll(text, &unit, 10);

    if (json_get(agg, "interval"))
        es_fail(c->err, 400, "x_content_parse_exception",
                "[1:1] [date_histogram] unknown field [interval]");
    if (unit == text)
        n = 1;
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (strcmp(units[i].name, unit) == 0 && n > 0)
            return n * units[i].ms;
    es_fail(c->err, 400, "illegal_argument_exception",
            "failed to parse setting [date_histogram.fixedInterval] with value [%s] as a time "
            "value: unit is missing or unrecognized",
            text);
    return 0;
}

static int64_t floor_to(int64_t ms, int64_t step)
{
    int64_t rest = ms % step;

    return ms - (rest < 0 ? rest + step : rest);
}

/* From where to where buckets are shown, also empty ones. */
static void widen(const struct query_context *c, const cJSON *agg, int64_t step, int64_t *low,
                  int64_t *high)
{
    const cJSON *bounds = json_get(agg, "extended_bounds");

    if (!bounds)
        return;
    if (json_get(bounds, "min")) {
        int64_t at = floor_to(query_date(c, json_get(bounds, "min"), false), step);
        *low = at < *low ? at : *low;
    }
    if (json_get(bounds, "max")) {
        int64_t at = floor_to(query_date(c, json_get(bounds, "max"), true), step);
        *high = at > *high ? at : *high;
    }
}

static void add_histogram_bucket(const struct query_context *c, cJSON *list, const cJSON *sub,
                                 int64_t at, const struct bucket *bucket)
{
    cJSON *out = cJSON_CreateObject();

    json_put_time(out, "key_as_string", at);
    json_put_i64(out, "key", at);
    put_bucket(c, out, sub, bucket ? bucket->docs : NULL, bucket ? bucket->n : 0);
    cJSON_AddItemToArray(list, out);
}

static void date_histogram(const struct query_context *c, const cJSON *agg, const cJSON *sub,
                           const struct found *found, cJSON *out)
{
    int64_t step = interval_ms(c, agg), least = 0, low = INT64_MAX, high = INT64_MIN, at;
    cJSON *list = json_put_array(out, "buckets");
    struct buckets b = { 0 };
    struct view view;
    size_t next = 0;

    (void)json_i64(agg, "min_doc_count", &least);
    for (size_t i = 0; step && i < found->n; i++) {
        struct bucket *one;
        if (!aggs_can_use(c, found->item[i], json_str_or(agg, "field", ""), &view) ||
            !value_date(list_at(view.values, 0), &at))
            continue;
        one = bucket_of(&b, NULL, (double)floor_to(at, step));
        *VEC_ADD(one->docs, one->n, one->cap) = found->item[i];
        low = floor_to(at, step) < low ? floor_to(at, step) : low;
        high = floor_to(at, step) > high ? floor_to(at, step) : high;
    }
    if (step)
        widen(c, agg, step, &low, &high);
    if (step && low <= high && (high - low) / step > BUCKETS_MAX)
        es_fail(c->err, 400, "too_many_buckets_exception",
                "Trying to create too many buckets. Must be less than or equal to: [65536]");
    if (b.n > 0)
        qsort(b.item, b.n, sizeof(*b.item), by_number);
    for (at = low; step && at <= high && !c->err->status; at += step) {
        const struct bucket *one =
            next < b.n && (int64_t)b.item[next].number == at ? &b.item[next] : NULL;
        next += one != NULL;
        if ((one ? (int64_t)one->n : 0) >= least)
            add_histogram_bucket(c, list, sub, at, one);
    }
    buckets_clear(&b);
}

/* ---- terms ---- */

static void terms(const struct query_context *c, const cJSON *agg, const cJSON *sub,
                  const struct found *found, cJSON *out)
{
    int64_t size = 10, others = 0;
    struct buckets b = { 0 };
    struct view view;
    cJSON *list;

    (void)json_i64(agg, "size", &size);
    for (size_t i = 0; i < found->n; i++) {
        if (!aggs_can_use(c, found->item[i], json_str_or(agg, "field", ""), &view))
            continue;
        char *text = value_text(list_at(view.values, 0));
        struct bucket *one = bucket_of(&b, text, 0);
        *VEC_ADD(one->docs, one->n, one->cap) = found->item[i];
        free(text);
    }
    if (b.n > 0)
        qsort(b.item, b.n, sizeof(*b.item), by_count);
    for (size_t i = (size_t)size; i < b.n; i++)
        others += (int64_t)b.item[i].n;
    json_put_i64(out, "doc_count_error_upper_bound", 0);
    json_put_i64(out, "sum_other_doc_count", others);
    list = json_put_array(out, "buckets");
    for (size_t i = 0; i < b.n && i < (size_t)size; i++) {
        cJSON *one = cJSON_CreateObject();
        json_put_str(one, "key", b.item[i].text);
        put_bucket(c, one, sub, b.item[i].docs, b.item[i].n);
        cJSON_AddItemToArray(list, one);
    }
    buckets_clear(&b);
}

/* ---- filters ---- */

static void put_filtered(const struct query_context *c, const cJSON *query, const cJSON *sub,
                         const struct found *found, cJSON *out)
{
    struct bucket kept = { 0 };

    for (size_t i = 0; i < found->n; i++)
        if (query_score(c, query, found->item[i]) > 0)
            *VEC_ADD(kept.docs, kept.n, kept.cap) = found->item[i];
    put_bucket(c, out, sub, kept.docs, kept.n);
    free(kept.docs);
}

static void filter(const struct query_context *c, const cJSON *agg, const cJSON *sub,
                   const struct found *found, cJSON *out)
{
    put_filtered(c, agg, sub, found, out);
}

static void filters(const struct query_context *c, const cJSON *agg, const cJSON *sub,
                    const struct found *found, cJSON *out)
{
    const cJSON *list = json_get(agg, "filters");
    cJSON *by_name = json_put_object(out, "buckets");

    for (const cJSON *q = list ? list->child : NULL; q; q = q->next)
        if (q->string)
            put_filtered(c, q, sub, found, json_put_object(by_name, q->string));
}

static void missing(const struct query_context *c, const cJSON *agg, const cJSON *sub,
                    const struct found *found, cJSON *out)
{
    struct bucket without = { 0 };
    struct view view;

    for (size_t i = 0; i < found->n; i++)
        if (!doc_field(found->item[i], json_str_or(agg, "field", ""), &view))
            *VEC_ADD(without.docs, without.n, without.cap) = found->item[i];
    put_bucket(c, out, sub, without.docs, without.n);
    free(without.docs);
}

/* ---- figures ---- */

struct figures {
    double min, max, sum;
    int64_t n;
    bool is_date;
};

static void collect(const struct query_context *c, const cJSON *agg, const struct found *found,
                    struct figures *ret)
{
    struct view view;

    *ret = (struct figures){ .min = INFINITY, .max = -INFINITY };
    for (size_t i = 0; i < found->n; i++) {
        const char *field = json_str_or(agg, "field", "");
        double value;
        int64_t at;
        if (!aggs_can_use(c, found->item[i], field, &view))
            continue;
        value = value_number(list_at(view.values, 0));
        if (view.type == TYPE_DATE && value_date(list_at(view.values, 0), &at)) {
            value = (double)at;
            ret->is_date = true;
        }
        ret->min = value < ret->min ? value : ret->min;
        ret->max = value > ret->max ? value : ret->max;
        ret->sum += value;
        ret->n++;
    }
}

static void put_figure(cJSON *out, const struct figures *f, double value, bool known)
{
    if (!known) {
        json_put_null(out, "value");
        return;
    }
    cJSON_AddNumberToObject(out, "value", value);
    if (f->is_date)
        json_put_time(out, "value_as_string", (int64_t)value);
}

static void min_of(const struct query_context *c, const cJSON *agg, const cJSON *sub,
                   const struct found *found, cJSON *out)
{
    struct figures f;

    (void)sub;
    collect(c, agg, found, &f);
    put_figure(out, &f, f.min, f.n > 0);
}

static void max_of(const struct query_context *c, const cJSON *agg, const cJSON *sub,
                   const struct found *found, cJSON *out)
{
    struct figures f;

    (void)sub;
    collect(c, agg, found, &f);
    put_figure(out, &f, f.max, f.n > 0);
}

static void sum_of(const struct query_context *c, const cJSON *agg, const cJSON *sub,
                   const struct found *found, cJSON *out)
{
    struct figures f;

    (void)sub;
    collect(c, agg, found, &f);
    put_figure(out, &f, f.sum, true);
}

static void average(const struct query_context *c, const cJSON *agg, const cJSON *sub,
                    const struct found *found, cJSON *out)
{
    struct figures f;

    (void)sub;
    collect(c, agg, found, &f);
    put_figure(out, &f, f.n ? f.sum / (double)f.n : 0, f.n > 0);
}

static void count_values(const struct query_context *c, const cJSON *agg, const cJSON *sub,
                         const struct found *found, cJSON *out)
{
    struct view view;
    int64_t n = 0;

    (void)c;
    (void)sub;
    for (size_t i = 0; i < found->n; i++)
        n += doc_field(found->item[i], json_str_or(agg, "field", ""), &view);
    json_put_i64(out, "value", n);
}

static void cardinality(const struct query_context *c, const cJSON *agg, const cJSON *sub,
                        const struct found *found, cJSON *out)
{
    struct buckets b = { 0 };
    struct view view;

    (void)sub;
    for (size_t i = 0; i < found->n; i++) {
        if (!aggs_can_use(c, found->item[i], json_str_or(agg, "field", ""), &view))
            continue;
        char *text = value_text(list_at(view.values, 0));
        (void)bucket_of(&b, text, 0);
        free(text);
    }
    json_put_i64(out, "value", (int64_t)b.n);
    buckets_clear(&b);
}

static void top_hits(const struct query_context *c, const cJSON *agg, const cJSON *sub,
                     const struct found *found, cJSON *out)
{
    cJSON *hits = json_put_object(out, "hits"), *total = json_put_object(hits, "total"), *list;
    int64_t size = 3;

    (void)c;
    (void)sub;
    (void)json_i64(agg, "size", &size);
    json_put_i64(total, "value", (int64_t)found->n);
    json_put_str(total, "relation", "eq");
    json_put_null(hits, "max_score");
    list = json_put_array(hits, "hits");
    for (size_t i = 0; i < found->n && i < (size_t)size; i++) {
        cJSON *one = cJSON_CreateObject();
        json_put_str(one, "_index", found->item[i]->index);
        json_put_str(one, "_id", found->item[i]->id);
        json_put_null(one, "_score");
        cJSON_AddItemToObject(one, "_source", cJSON_Duplicate(found->item[i]->source, true));
        cJSON_AddItemToArray(list, one);
    }
}

static const struct {
    const char *name;
    agg_fn *run;
} kinds[] = {
    { "date_histogram", date_histogram },
    { "terms", terms },
    { "filter", filter },
    { "filters", filters },
    { "missing", missing },
    { "min", min_of },
    { "max", max_of },
    { "sum", sum_of },
    { "avg", average },
    { "value_count", count_values },
    { "cardinality", cardinality },
    { "top_hits", top_hits },
};

static void run_one(const struct query_context *c, const cJSON *agg, const struct found *found,
                    cJSON *out)
{
    const cJSON *sub = json_get(agg, "aggs");

    if (!sub)
        sub = json_get(agg, "aggregations");
    for (const cJSON *item = agg->child; item; item = item->next) {
        if (strcmp(item->string, "aggs") == 0 || strcmp(item->string, "aggregations") == 0 ||
            strcmp(item->string, "meta") == 0)
            continue;
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
            if (strcmp(kinds[i].name, item->string) == 0) {
                kinds[i].run(c, item, sub, found, out);
                return;
            }
        }
        es_fail(c->err, 400, "parsing_exception", "Unknown aggregation type [%s]", item->string);
        return;
    }
    es_fail(c->err, 400, "parsing_exception", "Missing definition for aggregation");
}

cJSON *aggs_run(const struct query_context *c, const cJSON *spec, const struct doc *const *docs,
                size_t n)
{
    struct found found = { docs, n };
    cJSON *out = cJSON_CreateObject();

    for (const cJSON *agg = spec ? spec->child : NULL; agg; agg = agg->next)
        run_one(c, agg, &found, json_put_object(out, agg->string));
    return out;
}
