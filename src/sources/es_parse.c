/* Hits of any shape, counts, and how complete an answer is. Pure. */
#include <limits.h>
#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/json.h"
#include "dbconn/base/json_each.h"
#include "dbconn/base/text.h"
#include "es_private.h"
#include "source_json.h"
#include "source_mem.h"

#define MAX_MESSAGE (32 * 1024)

/* Of a document of any size and shape. */
static const struct source_flat_limits hit_fields = { 150, MAX_MESSAGE, 8, true };

/* ---- one hit ---- */

/* What a field can mean; its rank in the list of that meaning, from 1; 0: not in it. */
enum role {
    ROLE_TIME,
    ROLE_MESSAGE,
    ROLE_LEVEL,
    ROLE_SERVICE,
    ROLE_HOST,
    ROLE_IP,
    ROLE_CONTAINER,
    ROLE_POD,
    ROLE_NAMESPACE,
    ROLE_DATASET,
    ROLE_REGION,
    ROLE_ZONE,
    ROLES,
};

struct meaning {
    const char *key; /* interned: told by its address */
    unsigned char ranks[ROLES];
};

/* Documents of one answer share their few field names, so each name is looked up once. */
struct reader {
    struct source_mem *mem;         /* the result's */
    struct source_mem *field_names; /* while it is read */
    const char *const *names[ROLES];
    struct meaning *meanings;
    size_t n, cap;
};

static void reader_init(struct reader *r, const struct es_fields *f, struct source_mem *mem)
{
    *r = (struct reader){
        .mem = mem,
        .field_names = source_mem_new(),
        .names = { [ROLE_TIME] = f->time,
                   [ROLE_MESSAGE] = f->message,
                   [ROLE_LEVEL] = f->level,
                   [ROLE_SERVICE] = f->service,
                   [ROLE_HOST] = f->host,
                   [ROLE_IP] = f->host_ip,
                   [ROLE_CONTAINER] = f->container,
                   [ROLE_POD] = f->pod,
                   [ROLE_NAMESPACE] = f->namespace_,
                   [ROLE_DATASET] = f->dataset,
                   [ROLE_REGION] = f->region,
                   [ROLE_ZONE] = f->zone },
    };
}

static unsigned char rank_of(const char *key, const char *const *names)
{
    for (size_t i = 0; i < UCHAR_MAX && names[i]; i++) {
        if (strcmp(names[i], key) == 0)
            return (unsigned char)(i + 1);
    }
    return 0;
}

static const struct meaning *meaning_of(struct reader *r, const char *key)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->meanings[i].key == key)
            return &r->meanings[i];
    }
    struct meaning *meaning = VEC_ADD(r->meanings, r->n, r->cap);
    meaning->key = key;
    for (size_t role = 0; role < ROLES; role++)
        meaning->ranks[role] = rank_of(key, r->names[role]);
    return meaning;
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

/* The sort value is that of the time field, in the field's own resolution. */
static int64_t sort_time(const cJSON *json)
{
    const cJSON *sort = json_items(json, "sort");

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

/* A machine has several addresses, so of these every field of the list counts. */
static void add_ip(struct es_hit *hit, const char *ip, size_t *cap, struct source_mem *mem)
{
    if (!has_ip(hit, ip))
        *SOURCE_ADD(mem, hit->host_ips, hit->n_host_ips, *cap) = ip;
}

/* A hit on its way: the best ranked value of each meaning so far. */
struct hit_reading {
    struct reader *reader;
    struct es_hit *hit;
    size_t cap_ips;
    const char *values[ROLES];
    unsigned char best[ROLES];
};

static bool is_better(const struct hit_reading *h, const struct meaning *meaning, size_t role)
{
    unsigned char rank = meaning->ranks[role];

    return rank && (!h->best[role] || h->best[role] > rank);
}

static bool is_wanted(const struct hit_reading *h, const struct meaning *meaning)
{
    for (size_t role = 0; role < ROLES; role++)
        if (is_better(h, meaning, role))
            return true;
    return meaning->ranks[ROLE_IP] > 0;
}

/* Most fields mean nothing here, and are not kept. */
static void read_field(void *user, const char *name, const cJSON *leaf)
{
    struct hit_reading *h = user;
    struct reader *r = h->reader;
    const struct meaning *meaning = meaning_of(r, source_intern(r->field_names, name));
    const char *value =
        is_wanted(h, meaning) ? source_json_leaf(r->mem, leaf, hit_fields.max_value) : NULL;

    if (!value || !*value)
        return;
    for (size_t role = 0; role < ROLES; role++) {
        if (!is_better(h, meaning, role) ||
            (role == ROLE_TIME && time_of(value) == TIME_UNKNOWN)) /* it cannot be read */
            continue;
        h->best[role] = meaning->ranks[role];
        h->values[role] = value;
    }
    if (meaning->ranks[ROLE_IP])
        add_ip(h->hit, value, &h->cap_ips, r->mem);
}

static void read_hit(struct reader *r, const cJSON *json, struct es_hit *hit)
{
    struct hit_reading h = { .reader = r, .hit = hit };
    const char *const *values = h.values;

    hit->id = source_json_str(r->mem, json, "_id");
    hit->index = source_json_intern(r->mem, json, "_index");
    /* "_source" as the shipper wrote it; "fields" comes back flat, with arrays. */
    (void)source_json_walk(json_get(json, "_source"), &hit_fields, read_field, &h);
    (void)source_json_walk(json_get(json, "fields"), &hit_fields, read_field, &h);
    hit->at_ms = values[ROLE_TIME] ? time_of(values[ROLE_TIME]) : sort_time(json);
    hit->message = trimmed(r->mem, values[ROLE_MESSAGE]);
    hit->level = values[ROLE_LEVEL];
    hit->service = values[ROLE_SERVICE];
    hit->host = values[ROLE_HOST];
    hit->container = values[ROLE_CONTAINER];
    hit->pod = values[ROLE_POD];
    hit->namespace_ = values[ROLE_NAMESPACE];
    hit->dataset = values[ROLE_DATASET];
    hit->region = values[ROLE_REGION];
    hit->zone = values[ROLE_ZONE];
}

struct hits_reading {
    struct reader reader;
    struct es_result *to;
    size_t cap;
    bool full; /* the owner may hold no more */
};

static int read_one_hit(void *user, const cJSON *one, struct error *err)
{
    struct hits_reading *h = user;

    (void)err;
    h->full = source_is_full(h->reader.mem);
    if (!h->full && cJSON_IsObject(one))
        read_hit(&h->reader, one, SOURCE_ADD(h->reader.mem, h->to->hits, h->to->n, h->cap));
    return h->full;
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

static int read_rest(const cJSON *json, struct source_mem *mem, struct es_result *ret,
                     struct error *err)
{
    if (!cJSON_IsObject(json))
        return error_set(err, ERR_PROTOCOL, "the answer is no search result");
    ret->took_ms = source_json_count(json, "took");
    read_shards(json, ret);
    read_clusters(json, ret);
    read_total(json_get(json, "hits"), ret);
    ret->histogram = read_histogram(json, mem);
    return 0;
}

int es_read_result(const char *text, size_t len, const struct es_fields *fields,
                   struct source_mem *mem, struct es_result **ret, cJSON **ret_rest,
                   struct error *err)
{
    struct hits_reading h = { .to = source_result_new(mem, sizeof(**ret)) };
    cJSON *rest = NULL;

    reader_init(&h.reader, fields ? fields : es_default_fields(), mem);
    int rc =
        json_each(text, len, "hits.hits", "Elasticsearch's answer", read_one_hit, &h, &rest, err);
    free(h.reader.meanings);
    source_mem_release(h.reader.field_names);
    if (rc >= 0)
        rc = read_rest(rest, mem, h.to, err);
    if (rc < 0) {
        cJSON_Delete(rest);
        return -1;
    }
    if (h.full)
        source_partial_full(&h.to->meta);
    *ret = h.to;
    *ret_rest = rest;
    return 0;
}

struct es_result *es_parse_result(const char *text, size_t len, const struct es_fields *fields,
                                  struct source_mem *mem, struct error *err)
{
    struct es_result *result = NULL;
    cJSON *rest = NULL;

    if (es_read_result(text, len, fields, mem, &result, &rest, err) < 0)
        return NULL;
    cJSON_Delete(rest);
    return result;
}
