#include "slack/check.h"

void check_fail(struct check *check, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    buf_addf(&text, " [json-pointer:%s]", buf_str(&check->at));
    cJSON_AddItemToArray(check->errors, cJSON_CreateString(buf_str(&text)));
    buf_clear(&text);
}

size_t check_enter(struct check *check, const char *name)
{
    size_t mark = check->at.len;

    buf_addf(&check->at, "/%s", name);
    return mark;
}

size_t check_enter_index(struct check *check, int index)
{
    size_t mark = check->at.len;

    buf_addf(&check->at, "/%d", index);
    return mark;
}

void check_leave(struct check *check, size_t mark)
{
    buf_truncate(&check->at, mark);
}

static void check_length(struct check *check, size_t n, size_t min, size_t max)
{
    if (min && n < min)
        check_fail(check, "must be more than %zu characters", min - 1);
    if (max && n > max)
        check_fail(check, "must be less than %zu characters", max + 1);
}

void check_text_object(struct check *check, const cJSON *obj, bool plain_only, size_t min,
                       size_t max)
{
    static const struct member plain[] = {
        { .name = "type", .kind = MEMBER_STRING, .required = true },
        { .name = "text", .kind = MEMBER_STRING, .required = true },
        { .name = "emoji", .kind = MEMBER_BOOL },
    };
    static const struct member mrkdwn[] = {
        { .name = "type", .kind = MEMBER_STRING, .required = true },
        { .name = "text", .kind = MEMBER_STRING, .required = true },
        { .name = "verbatim", .kind = MEMBER_BOOL },
    };
    const char *type = json_str_or(obj, "type", ""), *text = json_str(obj, "text");

    if (!cJSON_IsObject(obj)) {
        check_fail(check, "must be an object");
    } else if (strcmp(type, "plain_text") == 0) {
        CHECK_OBJECT(check, obj, plain);
    } else if (strcmp(type, "mrkdwn") == 0 && !plain_only) {
        CHECK_OBJECT(check, obj, mrkdwn);
    } else {
        size_t mark = check_enter(check, "type");
        check_fail(check, "must be one of: %s", plain_only ? "plain_text" : "plain_text, mrkdwn");
        check_leave(check, mark);
    }
    if (text) {
        size_t mark = check_enter(check, "text");
        check_length(check, strlen(text), min ? min : 1, max ? max : 3000);
        check->text_bytes += strlen(text);
        check_leave(check, mark);
    }
}

static bool is_one_of(const char *value, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(*list, value) == 0)
            return true;
    return false;
}

static void check_string(struct check *check, const cJSON *item, const struct member *m)
{
    if (!cJSON_IsString(item)) {
        check_fail(check, "must be a string");
        return;
    }
    check_length(check, strlen(item->valuestring), m->min, m->max);
    if (m->one_of && !is_one_of(item->valuestring, m->one_of))
        check_fail(check, "must be a valid enum value");
}

void check_each(struct check *check, const cJSON *array, check_fn *inner)
{
    int i = 0;

    for (const cJSON *item = json_first(array); item; item = item->next) {
        size_t mark = check_enter_index(check, i++);
        inner(check, item);
        check_leave(check, mark);
    }
}

static void check_array(struct check *check, const cJSON *item, const struct member *m)
{
    size_t n = (size_t)(cJSON_IsArray(item) ? cJSON_GetArraySize(item) : 0);

    if (!cJSON_IsArray(item)) {
        check_fail(check, "must be an array");
        return;
    }
    if (m->min && n < m->min)
        check_fail(check, "no less than %zu items required", m->min);
    if (m->max && n > m->max)
        check_fail(check, "no more than %zu items allowed", m->max);
    if (m->inner)
        check_each(check, item, m->inner);
}

static void check_member(struct check *check, const cJSON *item, const struct member *m)
{
    switch (m->kind) {
    case MEMBER_STRING:
        check_string(check, item, m);
        break;
    case MEMBER_BOOL:
        if (!cJSON_IsBool(item))
            check_fail(check, "must be a boolean");
        break;
    case MEMBER_INT:
        if (!cJSON_IsNumber(item) || item->valuedouble != (double)(int64_t)item->valuedouble)
            check_fail(check, "must be an integer");
        break;
    case MEMBER_NUMBER:
        if (!cJSON_IsNumber(item))
            check_fail(check, "must be a number");
        break;
    case MEMBER_PLAIN:
    case MEMBER_TEXT:
        check_text_object(check, item, m->kind == MEMBER_PLAIN, m->min, m->max);
        break;
    case MEMBER_OBJECT:
        if (!cJSON_IsObject(item))
            check_fail(check, "must be an object");
        else if (m->inner)
            m->inner(check, item);
        break;
    case MEMBER_ARRAY:
        check_array(check, item, m);
        break;
    case MEMBER_ANY:
        break;
    }
}

static const struct member *find_member(const struct member *members, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(members[i].name, name) == 0)
            return &members[i];
    return NULL;
}

void check_object(struct check *check, const cJSON *obj, const struct member *members, size_t n)
{
    for (const cJSON *item = obj->child; item; item = item->next) {
        const struct member *m = find_member(members, n, item->string);
        if (!m) {
            check_fail(check, "invalid additional property: %s", item->string);
            continue;
        }
        size_t mark = check_enter(check, item->string);
        check_member(check, item, m);
        check_leave(check, mark);
    }
    for (size_t i = 0; i < n; i++)
        if (members[i].required && !cJSON_GetObjectItemCaseSensitive(obj, members[i].name))
            check_fail(check, "missing required field: %s", members[i].name);
}
