#include "dbconn/base/json.h"

#include <math.h>
#include <stdio.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"

#define MAX_WHOLE 9e15

/* Depth of the deepest bracket outside strings; cheap, so that cJSON's recursion is never tried. */
static size_t nesting(const char *text, size_t len)
{
    size_t depth = 0, deepest = 0;
    bool in_string = false;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > deepest)
                deepest = depth;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return deepest;
}

int json_parse(const char *text, size_t len, const char *what, cJSON **ret, struct error *err)
{
    struct buf repaired = BUF_INIT;

    if (nesting(text, len) > JSON_MAX_DEPTH)
        return error_set(err, ERR_PROTOCOL, "%s is JSON nested deeper than %d levels", what,
                         JSON_MAX_DEPTH);
    if (!text_is_utf8(text, len)) {
        text_repair_utf8(text, len, &repaired);
        text = buf_str(&repaired);
        len = repaired.len;
    }
    cJSON *tree = cJSON_ParseWithLength(text, len);
    buf_clear(&repaired);
    if (!tree)
        return error_set(err, ERR_PROTOCOL, "%s is not valid JSON (%zu bytes)", what, len);
    *ret = tree;
    return 0;
}

const cJSON *json_get(const cJSON *obj, const char *key)
{
    const cJSON *item = cJSON_IsObject(obj) ? cJSON_GetObjectItemCaseSensitive(obj, key) : NULL;

    return cJSON_IsNull(item) ? NULL : item;
}

const cJSON *json_path(const cJSON *obj, ...)
{
    va_list ap;
    const char *key;

    va_start(ap, obj);
    while (obj && (key = va_arg(ap, const char *)))
        obj = json_get(obj, key);
    va_end(ap);
    return obj;
}

const cJSON *json_dotted(const cJSON *obj, const char *dotted)
{
    while (obj && *dotted) {
        size_t len = strcspn(dotted, ".");
        char *name = xstrndup(dotted, len);
        obj = json_get(obj, name);
        free(name);
        dotted += len + (dotted[len] == '.');
    }
    return obj;
}

const char *json_str(const cJSON *obj, const char *key)
{
    return cJSON_GetStringValue(json_get(obj, key));
}

const char *json_str_or(const cJSON *obj, const char *key, const char *fallback)
{
    const char *value = json_str(obj, key);

    return value ? value : fallback;
}

bool json_num(const cJSON *obj, const char *key, double *ret)
{
    const cJSON *item = json_get(obj, key);

    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
        return false;
    *ret = item->valuedouble;
    return true;
}

bool json_i64(const cJSON *obj, const char *key, int64_t *ret)
{
    const cJSON *item = json_get(obj, key);
    double number;

    if (cJSON_IsString(item) && item->valuestring[0]) {
        char *end;
        long long value = strtoll(item->valuestring, &end, 10);
        if (*end)
            return false;
        *ret = value;
        return true;
    }
    if (!json_num(obj, key, &number) || fabs(number) > MAX_WHOLE)
        return false;
    *ret = (int64_t)number;
    return true;
}

int64_t json_whole(double number)
{
    return isnan(number) ? 0 : (int64_t)fmax(-MAX_WHOLE, fmin(MAX_WHOLE, number));
}

bool json_bool(const cJSON *obj, const char *key, bool *ret)
{
    const cJSON *item = json_get(obj, key);

    if (!cJSON_IsBool(item))
        return false;
    *ret = cJSON_IsTrue(item);
    return true;
}

int64_t json_time(const cJSON *obj, const char *key)
{
    return time_or_unknown(json_str(obj, key));
}

char *json_id(const cJSON *obj, const char *key)
{
    const cJSON *item = json_get(obj, key);

    if (cJSON_IsString(item))
        return xstrdup(item->valuestring);
    if (cJSON_IsNumber(item) && isfinite(item->valuedouble))
        return xasprintf("%.0f", item->valuedouble);
    return NULL;
}

const cJSON *json_first(const cJSON *array)
{
    return cJSON_IsArray(array) ? array->child : NULL;
}

const cJSON *json_items(const cJSON *obj, const char *key)
{
    return json_first(json_get(obj, key));
}

static void put(cJSON *obj, const char *key, cJSON *item)
{
    if (!item || !cJSON_AddItemToObject(obj, key, item))
        abort(); /* out of memory on a small allocation, as in alloc.h */
}

void json_put_null(cJSON *obj, const char *key)
{
    put(obj, key, cJSON_CreateNull());
}

void json_put_str(cJSON *obj, const char *key, const char *value)
{
    put(obj, key, value ? cJSON_CreateString(value) : cJSON_CreateNull());
}

void json_put_i64(cJSON *obj, const char *key, int64_t value)
{
    put(obj, key, cJSON_CreateNumber((double)value));
}

void json_put_bool(cJSON *obj, const char *key, bool value)
{
    put(obj, key, cJSON_CreateBool(value));
}

void json_put_time(cJSON *obj, const char *key, int64_t ms)
{
    struct buf text = BUF_INIT;

    if (ms == TIME_UNKNOWN) {
        json_put_null(obj, key);
        return;
    }
    time_format_iso(ms, &text);
    json_put_str(obj, key, buf_str(&text));
    buf_clear(&text);
}

cJSON *json_put_object(cJSON *obj, const char *key)
{
    cJSON *item = cJSON_CreateObject();

    put(obj, key, item);
    return item;
}

cJSON *json_put_array(cJSON *obj, const char *key)
{
    cJSON *item = cJSON_CreateArray();

    put(obj, key, item);
    return item;
}

char *json_print(const cJSON *tree)
{
    char *text = cJSON_PrintUnformatted(tree);

    if (!text)
        abort(); /* as above */
    return text;
}
