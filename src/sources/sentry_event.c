/* One event: exceptions with their frames, breadcrumbs, contexts, tags. */
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "sentry_parse.h"
#include "source_call.h"
#include "source_json.h"
#include "source_mem.h"

/* Local variables and contexts are of any size and shape. */
static const struct source_flat_limits frame_vars = { 200, 2048, 6, false };
static const struct source_flat_limits event_data = { 200, 4096, 6, false };

static const char *prefixed(struct source_mem *mem, const char *prefix, const char *text)
{
    struct buf both = BUF_INIT;
    const char *copy;

    buf_addf(&both, "%s:%s", prefix, text);
    copy = source_intern(mem, buf_str(&both));
    buf_clear(&both);
    return copy;
}

const char *sentry_user_key(const cJSON *user, const char *tag, struct source_mem *mem)
{
    static const struct {
        const char *member, *prefix;
    } keys[] = {
        { "id", "id" }, { "username", "username" }, { "email", "email" }, { "ip_address", "ip" }
    };

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        char *value = json_id(user, keys[i].member);
        const char *key = value && *value ? prefixed(mem, keys[i].prefix, value) : NULL;
        free(value);
        if (key)
            return key;
    }
    return source_intern(mem, tag);
}

/* ---- frames ---- */

/* The text of the line `line_no` in [[line, text], ...]. */
static const char *context_line(const cJSON *context, int64_t line_no)
{
    for (const cJSON *item = json_first(context); item; item = item->next) {
        const cJSON *line = json_first(item), *text = line ? line->next : NULL;
        if (cJSON_IsNumber(line) && line->valuedouble == (double)line_no)
            return cJSON_GetStringValue(text);
    }
    return NULL;
}

static void read_frame(const cJSON *json, struct source_mem *mem, struct sentry_frame *ret)
{
    ret->filename = source_json_str(mem, json, "filename");
    ret->abs_path = source_json_str(mem, json, "absPath");
    ret->module = source_json_str(mem, json, "module");
    ret->package = source_json_str(mem, json, "package");
    ret->function = source_json_str(mem, json, "function");
    ret->line_no = source_json_count(json, "lineNo");
    ret->in_app = source_json_flag(json, "inApp");
    ret->context_line = source_str(mem, context_line(json_get(json, "context"), ret->line_no));
    source_json_flatten(mem, json_get(json, "vars"), &frame_vars, &ret->vars, &ret->n_vars);
}

static void read_stack(const cJSON *stack, struct source_mem *mem, struct sentry_exception *ret)
{
    const cJSON *frames = json_get(stack, "frames");
    size_t n = cJSON_IsArray(frames) ? (size_t)cJSON_GetArraySize(frames) : 0;

    if (n == 0)
        return;
    ret->frames_omitted = json_items(stack, "framesOmitted") != NULL;
    ret->frames = source_alloc(mem, n * sizeof(*ret->frames));
    for (const cJSON *frame = frames->child; frame; frame = frame->next) {
        if (cJSON_IsObject(frame))
            read_frame(frame, mem, &ret->frames[ret->n_frames++]);
    }
}

void sentry_keep_frames(struct sentry_event *event, int max)
{
    for (size_t i = 0; i < event->n_exceptions; i++) {
        struct sentry_exception *x = &event->exceptions[i];
        if (x->n_frames <= (size_t)max)
            continue;
        x->frames += x->n_frames - (size_t)max; /* the newest call is the last one */
        x->n_frames = (size_t)max;
        x->frames_omitted = true;
    }
}

/* ---- exceptions ---- */

struct exceptions {
    struct sentry_exception *items;
    size_t n, cap;
};

static struct sentry_exception *add_exception(struct exceptions *to, struct source_mem *mem)
{
    struct sentry_exception *exception = SOURCE_ADD(mem, to->items, to->n, to->cap);

    exception->exception_id = exception->parent_id = -1;
    return exception;
}

static void read_exception(const cJSON *json, struct source_mem *mem, struct exceptions *to)
{
    const cJSON *mechanism = json_get(json, "mechanism");
    struct sentry_exception *exception;

    if (!cJSON_IsObject(json))
        return; /* the list may hold nulls */
    exception = add_exception(to, mem);
    exception->type = source_json_str(mem, json, "type");
    exception->value = source_json_str(mem, json, "value");
    exception->module = source_json_str(mem, json, "module");
    exception->mechanism = source_json_str(mem, mechanism, "type");
    exception->handled = source_json_flag(mechanism, "handled");
    exception->exception_id = source_json_count(mechanism, "exception_id");
    exception->parent_id = source_json_count(mechanism, "parent_id");
    read_stack(json_get(json, "stacktrace"), mem, exception);
    if (exception->n_frames == 0)
        read_stack(json_get(json, "rawStacktrace"), mem, exception);
}

/* Message events have a stack of their own, or that of the thread which crashed or was current. */
static void read_bare_stack(const cJSON *stack, struct source_mem *mem, struct exceptions *to)
{
    if (json_items(stack, "frames"))
        read_stack(stack, mem, add_exception(to, mem));
}

static const cJSON *main_thread(const cJSON *threads)
{
    const cJSON *current = NULL;

    for (const cJSON *thread = json_items(threads, "values"); thread; thread = thread->next) {
        if (source_json_flag(thread, "crashed") == YES)
            return thread;
        if (source_json_flag(thread, "current") == YES)
            current = thread;
    }
    return current;
}

/* Entries come in the order of display, so they are looked up by type. */
static const cJSON *entry_data(const cJSON *event, const char *type)
{
    for (const cJSON *entry = json_items(event, "entries"); entry; entry = entry->next) {
        if (text_same(json_str(entry, "type"), type))
            return json_get(entry, "data");
    }
    return NULL;
}

static void read_exceptions(const cJSON *event, struct source_mem *mem, struct sentry_event *ret)
{
    const cJSON *data = entry_data(event, "exception");
    struct exceptions all = { NULL, 0, 0 };

    for (const cJSON *one = json_items(data, "values"); one; one = one->next)
        read_exception(one, mem, &all);
    if (all.n == 0)
        read_exception(json_get(data, "value"), mem, &all);
    if (all.n == 0)
        read_bare_stack(entry_data(event, "stacktrace"), mem, &all);
    if (all.n == 0)
        read_bare_stack(json_get(main_thread(entry_data(event, "threads")), "stacktrace"), mem,
                        &all);
    ret->exceptions = all.items;
    ret->n_exceptions = all.n;
}

/* ---- the rest ---- */

static void read_breadcrumb(const cJSON *json, struct source_mem *mem,
                            struct sentry_breadcrumb *ret)
{
    ret->at_ms = sentry_time(json, "timestamp");
    ret->type = source_json_intern(mem, json, "type");
    ret->category = source_json_intern(mem, json, "category");
    ret->level = source_json_intern(mem, json, "level");
    ret->message = source_json_str(mem, json, "message");
    source_json_flatten(mem, json_get(json, "data"), &event_data, &ret->data, &ret->n_data);
}

static void read_breadcrumbs(const cJSON *event, struct source_mem *mem, struct sentry_event *ret)
{
    const cJSON *values = json_get(entry_data(event, "breadcrumbs"), "values");
    size_t n = cJSON_IsArray(values) ? (size_t)cJSON_GetArraySize(values) : 0;

    if (n == 0)
        return;
    ret->breadcrumbs = source_alloc(mem, n * sizeof(*ret->breadcrumbs));
    for (const cJSON *crumb = values->child; crumb; crumb = crumb->next) {
        if (cJSON_IsObject(crumb))
            read_breadcrumb(crumb, mem, &ret->breadcrumbs[ret->n_breadcrumbs++]);
    }
}

static void read_contexts(const cJSON *event, struct source_mem *mem, struct sentry_event *ret)
{
    const cJSON *contexts = json_get(event, "contexts");
    size_t cap = 0;

    for (const cJSON *one = cJSON_IsObject(contexts) ? contexts->child : NULL; one;
         one = one->next) {
        if (!cJSON_IsObject(one))
            continue;
        struct sentry_context *context = SOURCE_ADD(mem, ret->contexts, ret->n_contexts, cap);
        context->name = source_str(mem, one->string);
        source_json_flatten(mem, one, &event_data, &context->pairs, &context->n_pairs);
    }
    source_json_flatten(mem, json_get(event, "context"), &event_data, &ret->extra, &ret->n_extra);
}

static const char *message_of(const cJSON *event)
{
    const cJSON *entry = entry_data(event, "message");
    const char *message = json_str(entry, "formatted");

    if (!message)
        message = json_str(entry, "message");
    return message ? message : json_str(event, "message");
}

static void read_event_texts(const cJSON *json, struct source_mem *mem, struct sentry_event *ret)
{
    const cJSON *request = entry_data(json, "request"), *sdk = json_get(json, "sdk");

    ret->issue_id = source_json_id(mem, json, "groupID");
    ret->project_id = source_json_id(mem, json, "projectID");
    ret->title = source_json_str(mem, json, "title");
    ret->message = source_str(mem, message_of(json));
    ret->culprit = source_json_str(mem, json, "culprit");
    ret->location = source_json_str(mem, json, "location");
    ret->platform = source_json_str(mem, json, "platform");
    ret->type = source_json_str(mem, json, "type");
    ret->dist = source_json_str(mem, json, "dist");
    ret->at_ms = json_time(json, "dateCreated");
    ret->received_ms = json_time(json, "dateReceived");
    ret->request_url = source_json_str(mem, request, "url");
    ret->request_method = source_json_str(mem, request, "method");
    ret->sdk_name = source_json_str(mem, sdk, "name");
    ret->sdk_version = source_json_str(mem, sdk, "version");
    ret->next_id = source_json_str(mem, json, "nextEventID");
    ret->previous_id = source_json_str(mem, json, "previousEventID");
}

static const char *event_id(const cJSON *json, struct source_mem *mem)
{
    const char *id = source_json_id(mem, json, "eventID");

    return id ? id : source_json_id(mem, json, "id");
}

int sentry_read_event(const cJSON *json, struct source_mem *mem, struct sentry_event *ret,
                      struct error *err)
{
    const cJSON *release = json_get(json, "release");

    ret->id = event_id(json, mem);
    if (!ret->id)
        return error_set(err, ERR_PROTOCOL, "Sentry's answer is no event: it has no id");
    read_event_texts(json, mem, ret);
    ret->tags = sentry_read_tag_pairs(json_get(json, "tags"), mem, &ret->n_tags);
    ret->user = sentry_user_key(json_get(json, "user"), sentry_event_tag(ret, "user"), mem);
    read_exceptions(json, mem, ret);
    read_breadcrumbs(json, mem, ret);
    read_contexts(json, mem, ret);
    if (cJSON_GetObjectItemCaseSensitive(json, "release"))
        ret->has_release = release ? YES : NO;
    ret->release = release ? sentry_parse_release(release, mem, NULL) : NULL;
    return 0;
}

struct sentry_event *sentry_parse_event(const cJSON *json, struct source_mem *mem,
                                        struct error *err)
{
    struct sentry_event *event = source_result_new(mem, sizeof(*event));

    return sentry_read_event(json, mem, event, err) < 0 ? NULL : event;
}

int sentry_read_row(const cJSON *json, struct source_mem *mem, struct sentry_event_row *ret,
                    struct error *err)
{
    const cJSON *metadata = json_get(json, "metadata");

    ret->id = event_id(json, mem);
    if (!ret->id)
        return error_set(err, ERR_PROTOCOL, "Sentry's answer is no event: it has no id");
    ret->at_ms = json_time(json, "dateCreated");
    ret->title = source_json_intern(mem, json, "title");
    ret->message = source_json_intern(mem, json, "message");
    ret->error_type = source_json_intern(mem, metadata, "type");
    ret->error_value = source_json_intern(mem, metadata, "value");
    ret->tags = sentry_read_tag_pairs(json_get(json, "tags"), mem, &ret->n_tags);
    ret->release = sentry_row_tag(ret, "release");
    ret->environment = sentry_row_tag(ret, "environment");
    ret->user = sentry_user_key(json_get(json, "user"), sentry_row_tag(ret, "user"), mem);
    return 0;
}

const char *sentry_event_tag(const struct sentry_event *event, const char *key)
{
    return source_pair_value(event->tags, event->n_tags, key);
}

const char *sentry_row_tag(const struct sentry_event_row *row, const char *key)
{
    return source_pair_value(row->tags, row->n_tags, key);
}

char *sentry_event_link(const char *permalink, const char *event_id_)
{
    if (!permalink || !event_id_)
        return NULL;
    bool slash = permalink[0] && permalink[strlen(permalink) - 1] == '/';
    return xasprintf("%s%sevents/%s/", permalink, slash ? "" : "/", event_id_);
}
