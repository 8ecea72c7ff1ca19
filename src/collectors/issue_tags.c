/* Step 8: the issue's tags: environment, region, server, release, and what is about databases. */
#include "collect.h"
#include "steps.h"

#include "dbconn/analysis/engine.h"
#include "dbconn/analysis/impact.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/collectors/dossier.h"
#include "dbconn/sources/sentry.h"

#define VALUES_KEPT 10
#define VALUE_BYTES 120

struct answer {
    const struct sentry_tags *tags; /* NULL: none, for c->error */
};

static cJSON *tag_to_json(const struct sentry_tag *tag)
{
    cJSON *obj = cJSON_CreateObject();
    cJSON *values = NULL;

    json_put_str(obj, "key", tag->key);
    json_put_i64(obj, "total", tag->total >= 0 ? tag->total : 0);
    values = json_put_array(obj, "values");
    for (size_t i = 0; i < tag->n_values && i < VALUES_KEPT; i++) {
        char *shown = presentable(tag->values[i].value, VALUE_BYTES);
        cJSON *value = cJSON_CreateObject();
        json_put_str(value, "value", shown);
        json_put_i64(value, "count", tag->values[i].count >= 0 ? tag->values[i].count : 0);
        cJSON_AddItemToArray(values, value);
        free(shown);
    }
    return obj;
}

/* Worth a line: where it runs, what it is used for, the release, and what names a database. */
static bool is_telling(const struct sentry_tag *tag)
{
    static const char *const always[] = { "environment", "release", "server_name" };
    const char *values[VALUES_KEPT];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        if (text_same(tag->key, always[i]))
            return true;
    for (size_t i = 0; i < tag->n_values && n < VALUES_KEPT; i++)
        if (tag->values[i].value)
            values[n++] = tag->values[i].value;
    enum impact_class class = impact_classify_tag(tag->key, values, n);
    return class == IMPACT_CLASS_INFRASTRUCTURE || class == IMPACT_CLASS_USAGE ||
           engine_of_name(tag->key, NULL);
}

static void describe(struct collect *c, const struct sentry_tag *tag)
{
    struct buf line = BUF_INIT;
    size_t shown = 0;

    for (size_t i = 0; i < tag->n_values && shown < 4; i++) {
        const struct sentry_tag_value *v = &tag->values[i];
        if (!v->value || !*v->value || v->count < 0)
            continue;
        buf_addf(&line, "%s%s", shown++ ? ", " : "", v->value);
        if (tag->total > 0)
            buf_addf(&line, " (%.0f %%)", 100.0 * (double)v->count / (double)tag->total);
    }
    if (tag->unique > (int64_t)shown)
        buf_addf(&line, " and %lld more", (long long)(tag->unique - (int64_t)shown));
    if (shown)
        collect_finding(c, evidence_str(c->board, "issue.url"), "%s: %s", tag->key, buf_str(&line));
    buf_clear(&line);
}

static void got_tags(struct collect *c, const void *result, const struct error *err, size_t tag)
{
    struct answer *answer = c->state;

    (void)tag;
    if (result)
        source_hold(result);
    else
        error_copy(&c->error, err);
    answer->tags = result;
}

/* How many of them tell where it happens. */
static size_t put_tags(struct collect *c, const struct sentry_tags *tags)
{
    cJSON *list = cJSON_CreateArray();
    size_t telling = 0;

    for (size_t i = 0; i < tags->n; i++) {
        cJSON_AddItemToArray(list, tag_to_json(&tags->items[i]));
        if (is_telling(&tags->items[i])) {
            describe(c, &tags->items[i]);
            telling++;
        }
    }
    dossier_put(c->board, c->step, TABLE_TAGS, list);
    put_num(c, "tags.keys", (double)tags->n);
    put_num(c, "tags.telling", (double)telling);
    return telling;
}

static void finish(struct collect *c)
{
    const struct sentry_tags *tags = ((struct answer *)c->state)->tags;

    if (!tags) {
        collect_fail(c, NULL);
        return;
    }
    size_t telling = put_tags(c, tags);
    (void)collect_usable(c, tags, NULL, "the issue's tags"); /* it may be a part of them */
    collect_complete(c, "%zu tags, %zu of them tell where it happens.", tags->n, telling);
}

static void ask(struct collect *c)
{
    struct error err = ERROR_INIT;
    struct collect_call *call = collect_call(c, got_tags, 0);

    c->state = xcalloc(1, sizeof(struct answer));
    collect_sent(call,
                 sentry_list_issue_tags(c->sources->sentry, c->owner, c->issue, VALUES_KEPT, NULL,
                                        collect_received, call, &err),
                 &err);
}

static void start(struct collect *c)
{
    if (!c->state)
        ask(c);
    collect_wait(c, finish);
}

static void clear(struct collect *c)
{
    struct answer *answer = c->state;

    if (answer)
        source_release(answer->tags);
    free(answer);
}

const struct collector collector_issue_tags = {
    .name = "issue_tags", .start = start, .ahead = ask, .ahead_at_once = true, .clear = clear
};
