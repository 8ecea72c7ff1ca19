/* The request body for a query. Pure. */
#include <arpa/inet.h>
#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "es_private.h"

#define MAX_BUCKETS 2000

static cJSON *add_object_item(cJSON *array)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddItemToArray(array, object);
    return object;
}

static void add_string(cJSON *array, const char *text)
{
    cJSON_AddItemToArray(array, cJSON_CreateString(text));
}

/* ---- terms ---- */

/* Fields of the type "ip" refuse a whole search for one value that is no address. */
static bool is_ip_field(const char *name)
{
    size_t len = strlen(name);

    return len >= 2 && text_isame(name + len - 2, "ip") &&
           (len == 2 || strchr("._-", name[len - 3]) || text_isame(name, "hostip"));
}

static bool is_ip(const char *value)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, value, address) == 1 || inet_pton(AF_INET6, value, address) == 1;
}

static cJSON *values_for(const struct es_terms *terms, bool only_ips)
{
    cJSON *array = cJSON_CreateArray();

    for (const char *const *value = terms->values; value && *value; value++) {
        if (!only_ips || is_ip(*value))
            add_string(array, *value);
    }
    return array;
}

static void add_terms_of(cJSON *should, const char *field, const char *suffix,
                         const struct es_terms *terms)
{
    cJSON *values = values_for(terms, is_ip_field(field));
    char *name = xasprintf("%s%s", field, suffix);

    if (values->child)
        cJSON_AddItemToObject(json_put_object(add_object_item(should), "terms"), name, values);
    else
        cJSON_Delete(values);
    free(name);
}

/* Strings are a keyword by themselves (ECS) or below ".keyword" (dynamic mapping); a field that
 * an index lacks matches nothing there. */
static void add_any(cJSON *clauses, const struct es_terms *terms)
{
    cJSON *any = json_put_object(add_object_item(clauses), "bool");
    cJSON *should = json_put_array(any, "should");

    json_put_i64(any, "minimum_should_match", 1);
    for (const char *const *field = terms->fields; field && *field; field++) {
        add_terms_of(should, *field, "", terms);
        add_terms_of(should, *field, ".keyword", terms);
    }
    if (!should->child)
        json_put_object(add_object_item(should), "match_none");
}

/* ---- phrases ---- */

/* In quotes only the quote and the backslash mean something to simple_query_string. */
static void add_quoted(struct buf *out, const char *phrase)
{
    buf_addc(out, '"');
    for (; *phrase; phrase++) {
        if (*phrase == '"' || *phrase == '\\')
            buf_addc(out, '\\');
        buf_addc(out, *phrase);
    }
    buf_addc(out, '"');
}

static void add_phrases(cJSON *clauses, const char *const *phrases, const char *const *fields)
{
    cJSON *query = json_put_object(add_object_item(clauses), "simple_query_string");
    cJSON *names;
    struct buf text = BUF_INIT;

    for (; *phrases; phrases++) {
        if (text.len)
            buf_addc(&text, '|');
        add_quoted(&text, *phrases);
    }
    json_put_str(query, "query", buf_str(&text));
    buf_clear(&text);
    names = json_put_array(query, "fields");
    for (; *fields; fields++)
        add_string(names, *fields);
    json_put_str(query, "default_operator", "and");
    json_put_bool(query, "lenient", true);
}

/* ---- the body ---- */

static void put_time(cJSON *object, const char *key, int64_t ms)
{
    struct buf text = BUF_INIT;

    time_format_iso(ms, &text);
    json_put_str(object, key, buf_str(&text));
    buf_clear(&text);
}

static void add_window(cJSON *filter, const struct es_query *query, const char *time_field)
{
    cJSON *range = json_put_object(json_put_object(add_object_item(filter), "range"), time_field);

    put_time(range, "gte", query->from_ms);
    put_time(range, "lte", query->to_ms);
    json_put_str(range, "format", "strict_date_optional_time");
}

static void add_bool(cJSON *body, const struct es_query *query, const char *time_field,
                     const struct es_fields *fields)
{
    cJSON *all = json_put_object(json_put_object(body, "query"), "bool");
    cJSON *filter = json_put_array(all, "filter"), *must_not = json_put_array(all, "must_not");
    const char *const *names = query->phrase_fields ? query->phrase_fields : fields->message;

    add_window(filter, query, time_field);
    for (size_t i = 0; i < query->n_filters; i++)
        add_any(filter, &query->filters[i]);
    if (query->phrases && *query->phrases)
        add_phrases(filter, query->phrases, names);
    for (size_t i = 0; i < query->n_must_not; i++)
        add_any(must_not, &query->must_not[i]);
    if (query->not_phrases && *query->not_phrases)
        add_phrases(must_not, query->not_phrases, names);
}

/* What shippers say about themselves: much of a document, and no evidence. */
static void add_source(cJSON *body)
{
    static const char *const bulky[] = {
        "agent",
        "ecs",
        "input",
        "elastic_agent",
        "@metadata",
        "host.mac",
        "host.os",
        "log.offset",
        "kubernetes.annotations",
        "event.ingested",
        "error.stack_trace",
    };
    cJSON *excludes = json_put_array(json_put_object(body, "_source"), "excludes");

    for (size_t i = 0; i < ARRAY_LEN(bulky); i++)
        add_string(excludes, bulky[i]);
}

static void add_sort(cJSON *body, const struct es_query *query, const char *time_field)
{
    cJSON *by_time = json_put_object(add_object_item(json_put_array(body, "sort")), time_field);

    json_put_str(by_time, "order", query->newest_first ? "desc" : "asc");
    json_put_str(by_time, "unmapped_type", "date"); /* else indices without the field fail */
}

static void add_histogram(cJSON *body, const struct es_query *query, const char *time_field)
{
    int64_t window = query->to_ms > query->from_ms ? query->to_ms - query->from_ms : 1;
    int64_t interval = query->histogram_ms;
    cJSON *histogram, *bounds;
    char *text;

    if (window / interval > MAX_BUCKETS)
        interval = window / MAX_BUCKETS + 1;
    text = interval % 1000 ? xasprintf("%lldms", (long long)interval)
                           : xasprintf("%llds", (long long)interval / 1000);
    histogram = json_put_object(json_put_object(json_put_object(body, "aggs"), "per_interval"),
                                "date_histogram");
    json_put_str(histogram, "field", time_field);
    json_put_str(histogram, "fixed_interval", text);
    json_put_i64(histogram, "min_doc_count", 0);
    json_put_str(histogram, "format", "strict_date_optional_time");
    bounds = json_put_object(histogram, "extended_bounds");
    put_time(bounds, "min", query->from_ms);
    put_time(bounds, "max", query->to_ms);
    free(text);
}

cJSON *es_build_query(const struct es_query *query, const char *time_field,
                      const struct es_fields *fields)
{
    cJSON *body = cJSON_CreateObject();
    int size = query->size < 0 ? 0 : query->size > ES_MAX_SIZE ? ES_MAX_SIZE : query->size;

    if (!fields)
        fields = es_default_fields();
    json_put_i64(body, "size", size);
    json_put_str(body, "timeout", "8s");
    if (query->count_up_to < 0)
        json_put_bool(body, "track_total_hits", true);
    else
        json_put_i64(body, "track_total_hits", query->count_up_to ? query->count_up_to : 10000);
    add_bool(body, query, time_field, fields);
    if (size > 0) {
        add_source(body);
        add_sort(body, query, time_field);
    }
    if (query->histogram_ms > 0)
        add_histogram(body, query, time_field);
    return body;
}
