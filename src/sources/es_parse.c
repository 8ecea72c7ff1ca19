/* Hits of any shape, counts, and how complete an answer is. Pure. */
#include <math.h>
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "es_private.h"
#include "source_json.h"
#include "source_mem.h"

#define MAX_MESSAGE (32 * 1024)

/* Values of all fields but the message, which is kept longer. */
static const struct source_flat_limits hit_fields = { 150, MAX_MESSAGE, 8, true };

/* ---- one hit ---- */

static const char *first_of(const struct es_hit *hit, const char *const *names)
{
    for (; *names; names++) {
        const char *value = source_pair_value(hit->fields, hit->n_fields, *names);
        if (value && *value)
            return value;
    }
    return NULL;
}

/* ISO 8601, or epoch seconds, milliseconds or nanoseconds by their number of digits. */
static int64_t time_of(const char *text)
{
    char *end;
    double number;

    if (!text)
        return TIME_UNKNOWN;
    if (strchr(text, '-') || strchr(text, ':'))
        return time_or_unknown(text);
    number = strtod(text, &end);
    if (end == text || *end || !(number >= 1e8 && number < 1e19))
        return TIME_UNKNOWN;
    if (number >= 1e16)
        return (int64_t)(number / 1e6);
    return (int64_t)(number < 1e11 ? number * 1000 : number);
}

static int64_t hit_time(const cJSON *json, const struct es_hit *hit, const char *const *names)
{
    const cJSON *sort = json_items(json, "sort");

    for (; *names; names++) {
        int64_t at = time_of(source_pair_value(hit->fields, hit->n_fields, *names));
        if (at != TIME_UNKNOWN)
            return at;
    }
    /* The sort value is that of the time field, in the field's own resolution. */
    if (!cJSON_IsNumber(sort) || !(sort->valuedouble > 0 && sort->valuedouble < 1e19))
        return TIME_UNKNOWN;
    return (int64_t)(sort->valuedouble >= 1e16 ? sort->valuedouble / 1e6 : sort->valuedouble);
}

/* Container logs end in the line break that the application wrote. */
static const char *trimmed(struct source_mem *mem, const char *text)
{
    size_t len = text ? strlen(text) : 0;

    if (!text || (text[len ? len - 1 : 0] != '\n' && text[len ? len - 1 : 0] != '\r'))
        return text;
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    return source_strn(mem, text, len);
}

static bool has_ip(const struct es_hit *hit, const char *ip)
{
    for (size_t i = 0; i < hit->n_host_ips; i++) {
        if (strcmp(hit->host_ips[i], ip) == 0)
            return true;
    }
    return false;
}

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* A machine has several addresses, so here every field of the list counts. */
static void read_ips(struct es_hit *hit, const char *const *names, struct source_mem *mem)
{
    size_t cap = 0;

    for (size_t i = 0; i < hit->n_fields; i++) {
        const struct source_pair *pair = &hit->fields[i];
        if (pair->value && is_one_of(pair->key, names) && !has_ip(hit, pair->value))
            *SOURCE_ADD(mem, hit->host_ips, hit->n_host_ips, cap) = pair->value;
    }
}

static void add_pairs(struct es_hit *hit, const struct source_pair *pairs, size_t n,
                      struct source_mem *mem)
{
    struct source_pair *all = source_alloc(mem, (hit->n_fields + n + 1) * sizeof(*all));

    if (hit->n_fields)
        memcpy(all, hit->fields, hit->n_fields * sizeof(*all));
    memcpy(all + hit->n_fields, pairs, n * sizeof(*all));
    hit->fields = all;
    hit->n_fields += n;
}

/* "fields" comes back flat, with arrays; "_source" as the shipper wrote it. */
static void read_fields(const cJSON *json, struct source_mem *mem, struct es_hit *hit)
{
    struct source_pair *pairs = NULL;
    size_t n = 0;

    source_json_flatten(mem, json_get(json, "_source"), &hit_fields, &hit->fields, &hit->n_fields);
    source_json_flatten(mem, json_get(json, "fields"), &hit_fields, &pairs, &n);
    if (n && hit->n_fields == 0) {
        hit->fields = pairs;
        hit->n_fields = n;
    } else if (n) {
        add_pairs(hit, pairs, n, mem);
    }
}

static void read_hit(const cJSON *json, const struct es_fields *names, struct source_mem *mem,
                     struct es_hit *hit)
{
    hit->id = source_json_str(mem, json, "_id");
    hit->index = source_json_intern(mem, json, "_index");
    read_fields(json, mem, hit);
    hit->at_ms = hit_time(json, hit, names->time);
    hit->message = trimmed(mem, first_of(hit, names->message));
    hit->level = first_of(hit, names->level);
    hit->service = first_of(hit, names->service);
    hit->host = first_of(hit, names->host);
    hit->container = first_of(hit, names->container);
    hit->pod = first_of(hit, names->pod);
    hit->namespace_ = first_of(hit, names->namespace_);
    hit->dataset = first_of(hit, names->dataset);
    hit->region = first_of(hit, names->region);
    read_ips(hit, names->host_ip, mem);
}

/* ---- how much of the truth it is ---- */

static void read_shards(const cJSON *json, struct es_result *ret)
{
    const cJSON *shards = json_get(json, "_shards");
    int64_t total = source_json_count(shards, "total"),
            failed = source_json_count(shards, "failed");
    const char *type = json_str(json_path(json_items(shards, "failures"), "reason", NULL), "type");

    ret->nothing_searched = total == 0;
    if (source_json_flag(json, "timed_out") == YES)
        source_partial(&ret->meta, "the search ran out of time on some shards");
    if (failed > 0)
        source_partial(&ret->meta, "%lld of %lld shards failed%s%.100s%s", (long long)failed,
                       (long long)total, type ? " (" : "", type ? type : "", type ? ")" : "");
    if (source_json_flag(json, "terminated_early") == YES)
        source_partial(&ret->meta, "the search was ended early");
}

/* Only cross-cluster searches have it. */
static void read_clusters(const cJSON *json, struct es_result *ret)
{
    const cJSON *clusters = json_get(json, "_clusters");
    int64_t total = source_json_count(clusters, "total"), missing = 0;
    static const char *const kinds[] = { "skipped", "partial", "failed" };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        int64_t n = source_json_count(clusters, kinds[i]);
        missing += n > 0 ? n : 0;
    }
    if (missing > 0)
        source_partial(&ret->meta, "%lld of %lld clusters did not answer completely",
                       (long long)missing, (long long)total);
}

/* {"value": 3, "relation": "eq"}, a plain number, or not told. */
static void read_total(const cJSON *hits, struct es_result *ret)
{
    const cJSON *total = json_get(hits, "total");

    ret->total = cJSON_IsObject(total) ? source_json_count(total, "value")
                                       : source_json_count(hits, "total");
    ret->total_is_lower_bound = text_same(json_str(total, "relation"), "gte");
}

static struct source_series *read_histogram(const cJSON *json, struct source_mem *mem)
{
    const cJSON *buckets = json_path(json, "aggregations", "per_interval", "buckets", NULL);
    struct source_series *series;

    if (!cJSON_IsArray(buckets))
        return NULL;
    series = source_result_new(mem, sizeof(*series));
    series->points =
        source_alloc(mem, ((size_t)cJSON_GetArraySize(buckets) + 1) * sizeof(*series->points));
    for (const cJSON *bucket = buckets->child; bucket; bucket = bucket->next) {
        int64_t at, count;
        if (!json_i64(bucket, "key", &at) || !json_i64(bucket, "doc_count", &count))
            continue;
        series->points[series->n_points].at_ms = at;
        series->points[series->n_points++].value = (double)count;
    }
    if (series->n_points > 1)
        series->interval_ms = series->points[1].at_ms - series->points[0].at_ms;
    return series;
}

struct es_result *es_parse_result(const cJSON *json, const struct es_fields *fields,
                                  struct source_mem *mem, struct error *err)
{
    struct es_result *result = source_result_new(mem, sizeof(*result));
    const cJSON *hits = json_get(json, "hits"), *list = json_get(hits, "hits");
    size_t n = cJSON_IsArray(list) ? (size_t)cJSON_GetArraySize(list) : 0;

    if (!cJSON_IsObject(json)) {
        error_set(err, ERR_PROTOCOL, "the answer is no search result");
        return NULL;
    }
    result->took_ms = source_json_count(json, "took");
    read_shards(json, result);
    read_clusters(json, result);
    read_total(hits, result);
    if (n)
        result->hits = source_alloc(mem, n * sizeof(*result->hits));
    for (const cJSON *hit = json_first(list); hit; hit = hit->next) {
        if (cJSON_IsObject(hit))
            read_hit(hit, fields ? fields : es_default_fields(), mem, &result->hits[result->n++]);
    }
    result->histogram = read_histogram(json, mem);
    return result;
}
