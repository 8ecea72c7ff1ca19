/* Issues, their tags, and series. */
#include "sentry_parse.h"

#include <math.h>
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/redact.h"
#include "source_call.h"
#include "source_json.h"
#include "source_mem.h"

int64_t sentry_time(const cJSON *obj, const char *key)
{
    double seconds;

    if (!json_num(obj, key, &seconds))
        return json_time(obj, key);
    return seconds > 0 && seconds < 1e11 ? (int64_t)(seconds * 1000) : TIME_UNKNOWN;
}

/* ---- series ---- */

static struct source_series *series_new(struct source_mem *mem, size_t n)
{
    struct source_series *series = source_result_new(mem, sizeof(*series));

    series->points = source_alloc(mem, (n ? n : 1) * sizeof(*series->points));
    return series;
}

static void series_add(struct source_series *series, double at_ms, double value, bool incomplete)
{
    /* Beyond year 5138 or before 1970 it is no time, and comparing with NaN is false. */
    if (!(at_ms >= 0 && at_ms < 1e14) || !isfinite(value))
        return;
    struct source_point *point = &series->points[series->n_points++];
    point->at_ms = (int64_t)at_ms;
    point->value = value;
    point->incomplete = incomplete;
}

static void series_end(struct source_series *series)
{
    if (series->n_points > 1)
        series->interval_ms = series->points[1].at_ms - series->points[0].at_ms;
    if (series->interval_ms < 0)
        series->interval_ms = 0;
}

struct source_series *sentry_read_stats(const cJSON *array, struct source_mem *mem)
{
    struct source_series *series;

    if (!cJSON_IsArray(array))
        return NULL;
    series = series_new(mem, (size_t)cJSON_GetArraySize(array));
    for (const cJSON *item = array->child; item; item = item->next) {
        const cJSON *at = json_first(item), *n = at ? at->next : NULL;
        if (cJSON_IsNumber(at) && cJSON_IsNumber(n))
            series_add(series, at->valuedouble * 1000, n->valuedouble, !item->next);
    }
    series_end(series);
    return series;
}

/* {"timeSeries": [{"values": [{"timestamp": ms, "value", "incomplete"}]}]}: the first series that
 * is not one of several groups. */
static const cJSON *ungrouped(const cJSON *json)
{
    for (const cJSON *one = json_items(json, "timeSeries"); one; one = one->next) {
        if (!json_items(one, "groupBy") && cJSON_IsArray(json_get(one, "values")))
            return json_get(one, "values");
    }
    return NULL;
}

static struct source_series *read_timeseries(const cJSON *values, struct source_mem *mem)
{
    struct source_series *series = series_new(mem, (size_t)cJSON_GetArraySize(values));

    for (const cJSON *item = values->child; item; item = item->next) {
        double at, value;
        if (json_num(item, "timestamp", &at) && json_num(item, "value", &value))
            series_add(series, at, value, source_json_flag(item, "incomplete") == YES);
    }
    series_end(series);
    return series;
}

/* {"data": [[epoch seconds, [{"count": n}]], ...]} */
static struct source_series *read_events_stats(const cJSON *data, struct source_mem *mem)
{
    struct source_series *series = series_new(mem, (size_t)cJSON_GetArraySize(data));

    for (const cJSON *item = data->child; item; item = item->next) {
        const cJSON *at = json_first(item), *cells = at ? at->next : NULL;
        double count = 0, sum = 0;
        for (const cJSON *cell = json_first(cells); cell; cell = cell->next) {
            if (json_num(cell, "count", &count))
                sum += count;
        }
        if (cJSON_IsNumber(at))
            series_add(series, at->valuedouble * 1000, sum, !item->next);
    }
    series_end(series);
    return series;
}

struct source_series *sentry_parse_timeseries(const cJSON *json, struct source_mem *mem,
                                              struct error *err)
{
    const cJSON *values = ungrouped(json), *data = json_get(json, "data");

    if (values)
        return read_timeseries(values, mem);
    if (cJSON_IsArray(data))
        return read_events_stats(data, mem);
    error_set(err, ERR_PROTOCOL, "Sentry's answer holds no time series");
    return NULL;
}

/* ---- tags ---- */

struct source_pair *sentry_read_tag_pairs(const cJSON *array, struct source_mem *mem, size_t *ret_n)
{
    struct source_pair *pairs = NULL;
    size_t n = 0, size = cJSON_IsArray(array) ? (size_t)cJSON_GetArraySize(array) : 0;

    if (size)
        pairs = source_alloc(mem, size * sizeof(*pairs));
    for (const cJSON *tag = json_first(array); tag; tag = tag->next) {
        if (!json_str(tag, "key"))
            continue;
        pairs[n].key = source_json_intern(mem, tag, "key");
        pairs[n].value = redact_is_secret_name(pairs[n].key)
                             ? source_intern(mem, REDACTED)
                             : source_json_intern(mem, tag, "value");
        n++;
    }
    *ret_n = n;
    return pairs;
}

static void read_tag_value(const cJSON *json, struct source_mem *mem, struct sentry_tag_value *ret)
{
    const char *value = json_str(json, "value");

    /* Both null and "" stand for the events that lack the tag. */
    ret->value = value && *value ? source_str(mem, value) : NULL;
    ret->name = source_json_str(mem, json, "name");
    ret->count = source_json_count(json, "count");
    ret->first_seen_ms = json_time(json, "firstSeen");
    ret->last_seen_ms = json_time(json, "lastSeen");
}

void sentry_read_tag(const cJSON *json, struct source_mem *mem, struct sentry_tag *ret)
{
    const cJSON *values = json_get(json, "topValues");
    size_t n = cJSON_IsArray(values) ? (size_t)cJSON_GetArraySize(values) : 0;

    ret->key = source_json_str(mem, json, "key");
    ret->name = source_json_str(mem, json, "name");
    ret->total = source_json_count(json, "totalValues");
    ret->unique = source_json_count(json, "uniqueValues");
    if (n)
        ret->values = source_alloc(mem, n * sizeof(*ret->values));
    for (const cJSON *value = json_first(values); value; value = value->next) {
        if (cJSON_IsObject(value) && !redact_is_secret_name(ret->key))
            read_tag_value(value, mem, &ret->values[ret->n_values++]);
    }
}

const struct sentry_tag *sentry_tag_find(const struct sentry_tags *tags, const char *key)
{
    for (size_t i = 0; i < tags->n; i++) {
        if (tags->items[i].key && strcmp(tags->items[i].key, key) == 0)
            return &tags->items[i];
    }
    return NULL;
}

/* ---- issues ---- */

static void read_issue_texts(const cJSON *json, struct source_mem *mem, struct sentry_issue *ret)
{
    const cJSON *project = json_get(json, "project"), *metadata = json_get(json, "metadata");

    ret->short_id = source_json_str(mem, json, "shortId");
    ret->title = source_json_str(mem, json, "title");
    ret->culprit = source_json_str(mem, json, "culprit");
    ret->permalink = source_json_str(mem, json, "permalink");
    ret->logger = source_json_str(mem, json, "logger");
    ret->platform = source_json_str(mem, json, "platform");
    ret->level = source_json_str(mem, json, "level");
    ret->status = source_json_str(mem, json, "status");
    ret->substatus = source_json_str(mem, json, "substatus");
    ret->priority = source_json_str(mem, json, "priority");
    ret->type = source_json_str(mem, json, "type");
    ret->issue_type = source_json_str(mem, json, "issueType");
    ret->issue_category = source_json_str(mem, json, "issueCategory");
    ret->assigned_to = source_json_str(mem, json_get(json, "assignedTo"), "name");
    ret->project.id = source_json_id(mem, project, "id");
    ret->project.slug = source_json_str(mem, project, "slug");
    ret->project.name = source_json_str(mem, project, "name");
    ret->project.platform = source_json_str(mem, project, "platform");
    ret->error_type = source_json_str(mem, metadata, "type");
    ret->error_value = source_json_str(mem, metadata, "value");
    ret->filename = source_json_str(mem, metadata, "filename");
    ret->function = source_json_str(mem, metadata, "function");
}

static void read_issue_counts(const cJSON *json, struct source_mem *mem, struct sentry_issue *ret)
{
    const cJSON *lifetime = json_get(json, "lifetime"), *stats = json_get(json, "stats");

    ret->unhandled = source_json_flag(json, "isUnhandled");
    ret->count = source_json_count(json, "count");
    ret->user_count = source_json_count(json, "userCount");
    ret->first_seen_ms = json_time(json, "firstSeen");
    ret->last_seen_ms = json_time(json, "lastSeen");
    ret->lifetime_count = source_json_count(lifetime, "count");
    ret->lifetime_user_count = source_json_count(lifetime, "userCount");
    ret->lifetime_first_seen_ms = json_time(lifetime, "firstSeen");
    ret->lifetime_last_seen_ms = json_time(lifetime, "lastSeen");
    ret->stats_24h = sentry_read_stats(json_get(stats, "24h"), mem);
    ret->stats_30d = sentry_read_stats(json_get(stats, "30d"), mem);
}

static const struct sentry_release *read_issue_release(const cJSON *json, const char *key,
                                                       struct source_mem *mem)
{
    const cJSON *release = json_get(json, key);

    return release ? sentry_parse_release(release, mem, NULL) : NULL;
}

int sentry_read_issue(const cJSON *json, struct source_mem *mem, struct sentry_issue *ret,
                      struct error *err)
{
    const char *id = source_json_id(mem, json, "id");

    if (!id)
        return error_set(err, ERR_PROTOCOL, "Sentry's answer is no issue: it has no id");
    ret->id = id;
    read_issue_texts(json, mem, ret);
    read_issue_counts(json, mem, ret);
    ret->tag_keys = source_json_strings(mem, json_get(json, "tags"), "key", &ret->n_tag_keys);
    if (cJSON_GetObjectItemCaseSensitive(json, "firstRelease"))
        ret->has_first_release = json_get(json, "firstRelease") ? YES : NO;
    ret->first_release = read_issue_release(json, "firstRelease", mem);
    ret->last_release = read_issue_release(json, "lastRelease", mem);
    return 0;
}

struct sentry_issue *sentry_parse_issue(const cJSON *json, struct source_mem *mem,
                                        struct error *err)
{
    struct sentry_issue *issue = source_result_new(mem, sizeof(*issue));

    return sentry_read_issue(json, mem, issue, err) < 0 ? NULL : issue;
}
