#include "event_facts.h"

#include "dbconn/analysis/engine.h"
#include "dbconn/analysis/failure.h"
#include "dbconn/base/json.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"
#include "dbconn/collectors/dossier.h"

#define HINT_BYTES 400
#define MAX_HINT_SCOPES 60

static void put_exceptions(struct collect *c, const struct sentry_event *event)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < event->n_exceptions; i++) {
        const struct sentry_exception *x = &event->exceptions[i];
        cJSON *obj = cJSON_CreateObject();
        char *value = presentable(x->value, 4096);
        json_put_str(obj, "type", x->type);
        json_put_str(obj, "value", value);
        json_put_str(obj, "module", x->module);
        cJSON_AddItemToArray(list, obj);
        free(value);
    }
    if (event->n_exceptions == 0 && event->message) {
        cJSON *obj = cJSON_CreateObject();
        char *value = presentable(event->message, 4096);
        json_put_str(obj, "value", value);
        cJSON_AddItemToArray(list, obj);
        free(value);
    }
    dossier_put(c->board, c->step, "event.exceptions", list);
}

/* One scope of hints: { key: value }, redacted. What its name calls a secret is left out: a value
 * such as "swordfish" does not look like one. */
static void add_scope(cJSON *list, const struct source_pair *pairs, size_t n)
{
    cJSON *scope;

    if (n == 0 || cJSON_GetArraySize(list) >= MAX_HINT_SCOPES)
        return;
    scope = cJSON_CreateObject();
    for (size_t i = 0; i < n; i++) {
        if (!pairs[i].key || redact_is_secret_name(pairs[i].key))
            continue;
        char *value = presentable(pairs[i].value, HINT_BYTES);
        if (value)
            json_put_str(scope, pairs[i].key, value);
        free(value);
    }
    cJSON_AddItemToArray(list, scope);
}

/* The most telling first: variables of the frames nearest to the failure, the causes' before the
 * wrappers'; then breadcrumbs from the newest; then contexts, extra data and tags. */
static void put_hints(struct collect *c, const struct sentry_event *event)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < event->n_exceptions; i++) {
        const struct sentry_exception *x = &event->exceptions[i];
        for (size_t f = x->n_frames; f-- > 0;)
            add_scope(list, x->frames[f].vars, x->frames[f].n_vars);
    }
    for (size_t i = event->n_breadcrumbs; i-- > 0;)
        add_scope(list, event->breadcrumbs[i].data, event->breadcrumbs[i].n_data);
    for (size_t i = 0; i < event->n_contexts; i++)
        add_scope(list, event->contexts[i].pairs, event->contexts[i].n_pairs);
    add_scope(list, event->extra, event->n_extra);
    add_scope(list, event->tags, event->n_tags);
    dossier_put(c->board, c->step, "event.hints", list);
}

static void add_layer(cJSON *list, const char *name, const char *shown, int64_t line)
{
    if (!name || !engine_of_name(name, NULL) || cJSON_GetArraySize(list) >= 20)
        return;
    cJSON *obj = cJSON_CreateObject();
    json_put_str(obj, "name", name);
    json_put_str(obj, "shown", shown ? shown : name);
    json_put_i64(obj, "line", line);
    cJSON_AddItemToArray(list, obj);
}

/* Frames of the database layer: their names, most specific exception first. */
static void put_layers(struct collect *c, const struct sentry_event *event)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < event->n_exceptions; i++) {
        const struct sentry_exception *x = &event->exceptions[i];
        for (size_t f = x->n_frames; f-- > 0;) {
            const struct sentry_frame *frame = &x->frames[f];
            add_layer(list, frame->package, frame->filename, frame->line_no);
            add_layer(list, frame->module, frame->filename, frame->line_no);
            add_layer(list, frame->filename, frame->filename, frame->line_no);
            add_layer(list, frame->abs_path, frame->filename, frame->line_no);
        }
    }
    const cJSON *first = json_first(list);
    if (first)
        collect_finding(c, evidence_str(c->board, "event.url"),
                        "The stack passes through the database layer: %s.",
                        json_str_or(first, "shown", ""));
    dossier_put(c->board, c->step, "event.layers", list);
}

void put_latest_event(struct collect *c, const struct sentry_event *event)
{
    if (!event)
        return;
    char *url = sentry_event_link(evidence_str(c->board, "issue.url"), event->id);
    put_str(c, "event.id", event->id);
    put_str(c, "event.url", url);
    put_str(c, "event.release", event->release ? event->release->version : NULL);
    put_time(c, "event.at", event->at_ms);
    free(url);
    put_exceptions(c, event);
    put_hints(c, event);
    put_layers(c, event);
}

/* Messages as they differ, with how often each came. */
struct message {
    const char *type, *value; /* lent by the rows */
    enum failure_kind kind;
    bool pool_full; /* it says so of the client's own pool */
    int64_t count;
};

#define MAX_MESSAGES 64
#define STORED_MESSAGES 12

struct messages {
    struct message items[MAX_MESSAGES];
    size_t n;
};

/* Reads a message once; the same message comes hundreds of times. */
static struct message count_message(const struct failure_reader *reader,
                                    const struct sentry_event_row *row, struct messages *m)
{
    const char *value = row->error_value ? row->error_value : row->title;
    struct message one = { .type = row->error_type, .value = value, .count = 1 };
    struct failure f;

    for (size_t i = 0; i < m->n; i++) {
        if (text_same(m->items[i].type, row->error_type) && text_same(m->items[i].value, value)) {
            m->items[i].count++;
            return m->items[i];
        }
    }
    failure_read(reader, &(struct failure_exception){ .type = row->error_type, .value = value },
                 &f);
    one.kind = f.kind;
    one.pool_full = f.pool_full == YES;
    failure_clear(&f);
    if (m->n < MAX_MESSAGES)
        m->items[m->n++] = one;
    return one;
}

static int most_frequent_first(const void *a, const void *b)
{
    const struct message *x = a, *y = b;

    return x->count != y->count ? (x->count < y->count ? 1 : -1) : 0;
}

/* "event.messages": what the events say, for reading the target when the latest one lacks it. */
static void put_messages(struct collect *c, struct messages *m)
{
    cJSON *list = cJSON_CreateArray();

    qsort(m->items, m->n, sizeof(*m->items), most_frequent_first);
    for (size_t i = 0; i < m->n && i < STORED_MESSAGES; i++) {
        cJSON *obj = cJSON_CreateObject();
        char *value = presentable(m->items[i].value, 2048);
        json_put_str(obj, "type", m->items[i].type);
        json_put_str(obj, "value", value);
        json_put_i64(obj, "count", m->items[i].count);
        cJSON_AddItemToArray(list, obj);
        free(value);
    }
    dossier_put(c->board, c->step, "event.messages", list);
}

/* "failures.share.timeout": 0..1 of the events since the onset. */
static void put_share(struct collect *c, enum failure_kind kind, int64_t count, int64_t total)
{
    char *name = xasprintf("failures.share.%s", failure_kind_name(kind));

    if (total > 0)
        put_num(c, name, (double)count / (double)total);
    free(name);
}

void put_kinds(struct collect *c, const struct sentry_event_row **rows, size_t n, int64_t onset_ms)
{
    struct messages messages = { .n = 0 };
    size_t kinds = 0;
    int64_t counts[FAILURE_COUNT] = { 0 }, total = 0, pool_full = 0;
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < n; i++) {
        if (onset_ms != TIME_UNKNOWN && rows[i]->at_ms < onset_ms)
            continue;
        struct message m = count_message(c->sources->reader, rows[i], &messages);
        counts[m.kind]++;
        pool_full += m.pool_full;
    }
    for (size_t k = 0; k < FAILURE_COUNT; k++) {
        if (counts[k] == 0)
            continue;
        cJSON *obj = cJSON_CreateObject();
        json_put_str(obj, "failure", failure_kind_name((enum failure_kind)k));
        json_put_i64(obj, "count", counts[k]);
        cJSON_AddItemToArray(list, obj);
        kinds += k != FAILURE_OTHER;
        total += counts[k];
    }
    for (size_t k = 0; k < FAILURE_COUNT; k++)
        put_share(c, (enum failure_kind)k, counts[k], total);
    if (total > 0)
        put_num(c, "failures.pool_full", (double)pool_full / (double)total);
    put_messages(c, &messages);
    put_num(c, "failures.kinds", (double)kinds);
    evidence_set_json(c->board, c->step, "failures.counts", list, NULL,
                      evidence_str(c->board, "issue.url"));
}
