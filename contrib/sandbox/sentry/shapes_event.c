#include "sentry/shapes.h"

#include "dbconn/base/text.h"
#include "world/ids.h"

#define TITLE_MAX 100

/* "Type: first line", shortened; as Sentry titles an issue. */
char *event_title(const char *type, const char *value)
{
    size_t n = value ? strcspn(value, "\n") : 0;

    if (n == 0)
        return xstrdup(type);
    if (n <= TITLE_MAX)
        return xasprintf("%s: %.*s", type, (int)n, value);
    return xasprintf("%s: %.*s...", type, (int)text_cut(value, TITLE_MAX - 3), value);
}

static const char *at(const cJSON *frame, int i)
{
    return cJSON_GetStringValue(cJSON_GetArrayItem(frame, i));
}

cJSON *shape_metadata(const struct issue *g, const cJSON *trace, const char *value)
{
    const cJSON *x = trace_exception(trace), *frame = exception_frame(x);
    cJSON *out = cJSON_CreateObject(), *sdk;
    const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(json_get(trace, "sdk"), 0));
    char *cut = value ? xstrndup(value, text_cut(value, 1024)) : NULL;

    json_put_str(out, "value", cut);
    json_put_str(out, "type", json_str_or(g->spec, "type", json_str_or(x, "type", "Error")));
    if (frame) {
        json_put_str(out, "filename", at(frame, 0));
        json_put_str(out, "function", at(frame, 1));
    }
    json_put_bool(out, "display_title_with_tree_label", false);
    json_put_str(out, "in_app_frame_mix", "mixed");
    sdk = json_put_object(out, "sdk");
    json_put_str(sdk, "name", name);
    json_put_str(sdk, "name_normalized", name);
    cJSON_AddNumberToObject(out, "severity", 0.71);
    json_put_i64(out, "initial_priority", strcmp(g->priority, "high") == 0 ? 75 : 50);
    free(cut);
    return out;
}

/* [filename, function, line, in_app, module, code, {vars, abs}] */
static cJSON *shape_frame(const cJSON *f)
{
    const cJSON *more = cJSON_GetArrayItem(f, 6), *line = cJSON_GetArrayItem(f, 2);
    const cJSON *in_app = cJSON_GetArrayItem(f, 3);
    const char *file = at(f, 0), *code = at(f, 5);
    cJSON *out = cJSON_CreateObject(), *context;
    int number = cJSON_IsNumber(line) ? (int)line->valuedouble : 0;
    char *path = file ? xasprintf(file[0] == '/' ? "%s" : "/app/%s", file) : NULL;

    json_put_str(out, "filename", file);
    json_put_str(out, "absPath", json_str(more, "abs") ? json_str(more, "abs") : path);
    json_put_str(out, "module", at(f, 4));
    json_put_null(out, "package");
    json_put_null(out, "platform");
    json_put_str(out, "function", at(f, 1));
    json_put_null(out, "rawFunction");
    context = json_put_array(out, "context");
    if (code) {
        cJSON *row = cJSON_CreateArray();
        cJSON_AddItemToArray(row, cJSON_CreateNumber(number));
        cJSON_AddItemToArray(row, cJSON_CreateString(code));
        cJSON_AddItemToArray(context, row);
    }
    json_put_i64(out, "lineNo", number);
    json_put_null(out, "colNo");
    json_put_null(out, "trust");
    json_put_bool(out, "inApp",
                  cJSON_IsTrue(in_app) || (cJSON_IsNumber(in_app) && in_app->valuedouble != 0));
    json_put_null(out, "errors");
    json_put_null(out, "lock");
    put_copy_or_null(out, "vars", json_get(more, "vars"));
    free(path);
    return out;
}

static cJSON *shape_stack(const cJSON *exception)
{
    cJSON *out, *frames;

    if (!json_items(exception, "frames"))
        return NULL;
    out = cJSON_CreateObject();
    frames = json_put_array(out, "frames");
    for (const cJSON *f = json_items(exception, "frames"); f; f = f->next)
        cJSON_AddItemToArray(frames, shape_frame(f));
    json_put_null(out, "framesOmitted");
    json_put_null(out, "registers");
    json_put_bool(out, "hasSystemFrames", true);
    return out;
}

/* `depth` exceptions come after this one; the last has depth 0. */
static cJSON *shape_exception(const cJSON *x, const cJSON *variant, int depth)
{
    const char *value = depth == 0 ? variant_value(variant, x)
                                   : json_str_or(variant, "inner", json_str_or(x, "value", ""));
    cJSON *out = cJSON_CreateObject(), *mechanism;

    json_put_str(out, "type", json_str(x, "type"));
    json_put_str(out, "value", value);
    json_put_str(out, "module", json_str(x, "module"));
    json_put_null(out, "threadId");
    mechanism = json_put_object(out, "mechanism");
    json_put_str(mechanism, "type", json_str_or(x, "mechanism", depth ? "chained" : "generic"));
    json_put_bool(mechanism, "handled", text_same(json_str(x, "handled"), "yes"));
    json_put_i64(mechanism, "exception_id", depth);
    if (depth > 0) {
        json_put_i64(mechanism, "parent_id", depth - 1);
        json_put_str(mechanism, "source", "__cause__");
    }
    put_tree(out, "stacktrace", shape_stack(x));
    json_put_null(out, "rawStacktrace");
    return out;
}

static cJSON *entry(cJSON *entries, const char *type)
{
    cJSON *one = cJSON_CreateObject();

    json_put_str(one, "type", type);
    cJSON_AddItemToArray(entries, one);
    return json_put_object(one, "data");
}

static void add_exceptions(cJSON *entries, const cJSON *trace, const cJSON *variant)
{
    cJSON *data = entry(entries, "exception"), *values = json_put_array(data, "values");
    int depth = cJSON_GetArraySize(json_get(trace, "exceptions"));

    for (const cJSON *x = json_items(trace, "exceptions"); x; x = x->next)
        cJSON_AddItemToArray(values, shape_exception(x, variant, --depth));
    json_put_null(data, "excOmitted");
    json_put_bool(data, "hasSystemFrames", true);
}

static void add_breadcrumbs(cJSON *entries, const cJSON *trace, int64_t at_ms)
{
    const cJSON *crumb = json_items(trace, "breadcrumbs");
    cJSON *values;

    if (!crumb)
        return;
    values = json_put_array(entry(entries, "breadcrumbs"), "values");
    for (; crumb; crumb = crumb->next) {
        cJSON *one = cJSON_CreateObject();
        double ago = 0.2;
        (void)json_num(crumb, "ago", &ago);
        json_put_str(one, "type", json_str_or(crumb, "type", "default"));
        put_moment(one, "timestamp", at_ms - (int64_t)(ago * 1000));
        json_put_str(one, "level", json_str_or(crumb, "level", "info"));
        json_put_str(one, "message", json_str(crumb, "message"));
        json_put_str(one, "category", json_str(crumb, "category"));
        put_copy_or_null(one, "data", json_get(crumb, "data"));
        json_put_null(one, "event_id");
        cJSON_AddItemToArray(values, one);
    }
}

static cJSON *pair(const char *name, const char *value)
{
    cJSON *out = cJSON_CreateArray();

    cJSON_AddItemToArray(out, cJSON_CreateString(name));
    cJSON_AddItemToArray(out, cJSON_CreateString(value));
    return out;
}

static void add_request(cJSON *entries, const cJSON *trace, const struct event *e)
{
    const char *host = json_str_or(trace, "reqHost", "api.example.com");
    const char *tx = event_transaction(e);
    cJSON *data, *headers;
    char *url;

    if (cJSON_IsFalse(json_get(trace, "request")))
        return;
    data = entry(entries, "request");
    url = xasprintf("https://%s%s", host, tx[0] == '/' ? tx : "/");
    json_put_null(data, "apiTarget");
    json_put_str(data, "url", url);
    json_put_str(data, "method", json_str_or(trace, "method", "GET"));
    (void)json_put_array(data, "query");
    json_put_null(data, "data");
    (void)json_put_array(data, "cookies");
    headers = json_put_array(data, "headers");
    cJSON_AddItemToArray(headers, pair("Accept", "*/*"));
    cJSON_AddItemToArray(headers, pair("Host", host));
    json_put_null(data, "env");
    json_put_null(data, "fragment");
    free(url);
}

static cJSON *shape_user(const struct event *e)
{
    cJSON *out;
    char *text;

    if (e->user < 0)
        return NULL;
    out = cJSON_CreateObject();
    text = xasprintf("%lld", (long long)e->user + 5000);
    json_put_str(out, "id", text);
    free(text);
    text = xasprintf("user%lld@example.com", (long long)e->user + 5000);
    json_put_str(out, "email", text);
    free(text);
    json_put_null(out, "username");
    text =
        xasprintf("198.51.%lld.%lld", (long long)(e->user >> 8 & 255), (long long)(e->user & 255));
    json_put_str(out, "ip_address", text);
    free(text);
    json_put_null(out, "name");
    json_put_null(out, "data");
    return out;
}

static cJSON *shape_tags(const struct sentry_model *m, const struct event *e)
{
    struct tags tags = { 0 };
    cJSON *out = cJSON_CreateArray();

    event_tags(m, e, &tags);
    for (size_t i = 0; i < tags.n; i++) {
        cJSON *one = cJSON_CreateObject();
        json_put_str(one, "key", tags.items[i].key);
        json_put_str(one, "value", tags.items[i].value);
        if (strcmp(tags.items[i].key, "user") == 0) {
            char *query = xasprintf("user.id:\"%s\"", tags.items[i].value + strlen("id:"));
            json_put_str(one, "query", query);
            free(query);
        }
        cJSON_AddItemToArray(out, one);
    }
    tags_clear(&tags);
    return out;
}

/* What the short form and the full one have in common. */
static cJSON *begin_event(const struct sentry_model *m, const struct event *e)
{
    const struct issue *g = e->issue;
    const cJSON *variant = event_variant(e), *trace = event_trace(m, e);
    const cJSON *x = trace_exception(trace), *frame = exception_frame(x);
    char *title = event_title(json_str_or(x, "type", "Error"), variant_value(variant, x));
    cJSON *out = cJSON_CreateObject();

    json_put_str(out, "id", e->id);
    json_put_str(out, "groupID", g->id);
    json_put_str(out, "eventID", e->id);
    json_put_str(out, "projectID", json_str(g->project, "id"));
    json_put_str(out, "message", json_str_or(variant, "message", ""));
    json_put_str(out, "title", title);
    json_put_str(out, "location", frame ? at(frame, 0) : NULL);
    json_put_str(out, "culprit", json_str_or(g->spec, "culprit", event_transaction(e)));
    put_tree(out, "user", shape_user(e));
    cJSON_AddItemToObject(out, "tags", shape_tags(m, e));
    json_put_str(out, "platform", json_str(trace, "platform"));
    put_moment(out, "dateCreated", e->at_ms);
    json_put_null(out, "crashFile");
    cJSON_AddItemToObject(out, "metadata", shape_metadata(g, trace, variant_value(variant, x)));
    free(title);
    return out;
}

static void put_contexts(cJSON *out, const cJSON *trace, const struct event *e)
{
    const cJSON *known = json_get(trace, "contexts");
    cJSON *contexts = known ? cJSON_Duplicate(known, true) : cJSON_CreateObject();
    cJSON *inner = json_put_object(contexts, "trace");
    char *id = id_hash(32, "%s trace", e->id);

    json_put_str(inner, "trace_id", id);
    json_put_str(inner, "op", "http.server");
    json_put_str(inner, "type", "trace");
    cJSON_AddItemToObject(out, "contexts", contexts);
    free(id);
}

static cJSON *or_object(const cJSON *tree)
{
    return tree ? cJSON_Duplicate(tree, true) : cJSON_CreateObject();
}

static void put_entries(cJSON *out, const cJSON *trace, const cJSON *variant, const struct event *e)
{
    cJSON *entries = json_put_array(out, "entries");

    if (json_items(trace, "exceptions"))
        add_exceptions(entries, trace, variant);
    if (json_str(variant, "message")) {
        cJSON *data = entry(entries, "message");
        json_put_str(data, "formatted", json_str(variant, "message"));
        json_put_null(data, "message");
        json_put_null(data, "params");
    }
    add_breadcrumbs(entries, trace, e->at_ms);
    add_request(entries, trace, e);
}

cJSON *shape_event(const struct sentry_model *m, const struct event *e, bool full)
{
    const cJSON *variant = event_variant(e), *trace = event_trace(m, e);
    const cJSON *release = model_release(m, e->release), *sdk = json_get(trace, "sdk");
    cJSON *out = begin_event(m, e), *inner;
    char *fingerprint;

    if (!full) {
        json_put_str(out, "event.type", "error");
        return out;
    }
    json_put_i64(out, "size", 21000 + (int64_t)(id_number(4, e->id) % 9000));
    put_entries(out, trace, variant, e);
    json_put_str(out, "dist", json_str(release, "dist"));
    put_contexts(out, trace, e);
    inner = json_put_object(out, "sdk");
    json_put_str(inner, "name", cJSON_GetStringValue(cJSON_GetArrayItem(sdk, 0)));
    json_put_str(inner, "version", cJSON_GetStringValue(cJSON_GetArrayItem(sdk, 1)));
    cJSON_AddItemToObject(out, "context", or_object(json_get(trace, "extra")));
    cJSON_AddItemToObject(out, "packages", or_object(json_get(trace, "modules")));
    json_put_str(out, "type", "error");
    put_moment(out, "dateReceived", e->at_ms + 640);
    (void)json_put_array(out, "errors");
    json_put_null(out, "occurrence");
    (void)json_put_object(out, "_meta");
    fingerprint = id_hash(32, "%s fingerprint", e->issue->id);
    cJSON_AddItemToArray(json_put_array(out, "fingerprints"), cJSON_CreateString(fingerprint));
    free(fingerprint);
    return out;
}

cJSON *shape_event_with_release(const struct sentry_model *m, const struct event *e)
{
    const struct issue *g = e->issue;
    cJSON *out = shape_event(m, e, true);

    put_tree(out, "release", shape_release_or_version(m, e->release, NULL));
    json_put_null(out, "userReport");
    (void)json_put_array(out, "sdkUpdates");
    (void)json_put_array(out, "resolvedWith");
    json_put_str(out, "nextEventID", e->order + 1 < g->n ? g->events[e->order + 1].id : NULL);
    json_put_str(out, "previousEventID", e->order > 0 ? g->events[e->order - 1].id : NULL);
    return out;
}
