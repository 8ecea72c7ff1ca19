#include "source_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "source_mem.h"

const char *source_json_str(struct source_mem *mem, const cJSON *obj, const char *key)
{
    return source_str(mem, json_str(obj, key));
}

const char *source_json_intern(struct source_mem *mem, const cJSON *obj, const char *key)
{
    return source_intern(mem, json_str(obj, key));
}

const char *source_json_id(struct source_mem *mem, const cJSON *obj, const char *key)
{
    char *id = json_id(obj, key);
    const char *copy = source_str(mem, id);

    free(id);
    return copy;
}

bool source_json_has_id(const cJSON *obj, const char *key)
{
    const cJSON *id = json_get(obj, key);

    return cJSON_IsString(id) || (cJSON_IsNumber(id) && isfinite(id->valuedouble));
}

int64_t source_json_count(const cJSON *obj, const char *key)
{
    int64_t count;

    return json_i64(obj, key, &count) && count >= 0 ? count : -1;
}

enum tristate source_json_flag(const cJSON *obj, const char *key)
{
    bool flag;

    if (!json_bool(obj, key, &flag))
        return UNKNOWN;
    return flag ? YES : NO;
}

const char **source_json_strings(struct source_mem *mem, const cJSON *array, const char *key,
                                 size_t *ret_n)
{
    const char **items = NULL;
    size_t n = 0, cap = 0;

    for (const cJSON *item = json_first(array); item; item = item->next) {
        const char *text = key ? json_str(item, key) : cJSON_GetStringValue(item);
        if (text)
            *SOURCE_ADD(mem, items, n, cap) = source_str(mem, text);
    }
    *ret_n = n;
    return items;
}

struct flattening {
    struct source_mem *mem;
    const struct source_flat_limits *limits;
    struct buf path;
    struct source_pair *pairs;
    size_t n, cap;
    bool complete;
};

/* Short values repeat a lot between events and log lines. */
#define INTERN_UP_TO 64

static const char *keep_text(struct flattening *f, const char *text)
{
    size_t len = strlen(text);
    struct buf cut = BUF_INIT;
    const char *copy;

    if (len <= INTERN_UP_TO)
        return source_intern(f->mem, text);
    if (len <= f->limits->max_value)
        return source_strn(f->mem, text, len);
    text_add_cut(&cut, text, f->limits->max_value);
    copy = source_str(f->mem, buf_str(&cut));
    buf_clear(&cut);
    return copy;
}

static const char *leaf_text(struct flattening *f, const cJSON *leaf)
{
    char number[32];

    if (cJSON_IsString(leaf))
        return keep_text(f, leaf->valuestring);
    if (cJSON_IsBool(leaf))
        return cJSON_IsTrue(leaf) ? "true" : "false";
    if (!cJSON_IsNumber(leaf))
        return NULL;
    bool whole = fabs(leaf->valuedouble) < 9e15 && leaf->valuedouble == floor(leaf->valuedouble);
    snprintf(number, sizeof(number), whole ? "%.0f" : "%.15g", leaf->valuedouble);
    return source_intern(f->mem, number);
}

static void add_leaf(struct flattening *f, const cJSON *leaf)
{
    if (f->n >= f->limits->max_pairs) {
        f->complete = false;
        return;
    }
    struct source_pair *pair = SOURCE_ADD(f->mem, f->pairs, f->n, f->cap);
    pair->key = source_intern(f->mem, buf_str(&f->path));
    pair->value = leaf_text(f, leaf);
}

static void add_name(struct buf *path, const char *name)
{
    if (path->len)
        buf_addc(path, '.');
    buf_adds(path, name);
}

static void flatten(struct flattening *f, const cJSON *node, int depth)
{
    const size_t len = f->path.len;
    size_t index = 0;

    if (!cJSON_IsObject(node) && !cJSON_IsArray(node)) {
        add_leaf(f, node);
        return;
    }
    if (depth >= f->limits->max_depth) {
        f->complete = false;
        return;
    }
    for (const cJSON *child = node->child; child; child = child->next, index++) {
        if (cJSON_IsObject(node))
            add_name(&f->path, child->string);
        else if (!f->limits->repeat)
            buf_addf(&f->path, "[%zu]", index);
        flatten(f, child, depth + 1);
        buf_truncate(&f->path, len);
        if (f->n >= f->limits->max_pairs && child->next) {
            f->complete = false;
            return;
        }
    }
}

bool source_json_flatten(struct source_mem *mem, const cJSON *tree,
                         const struct source_flat_limits *limits, struct source_pair **ret,
                         size_t *ret_n)
{
    struct flattening f = { .mem = mem, .limits = limits, .path = BUF_INIT, .complete = true };

    if (cJSON_IsObject(tree) || cJSON_IsArray(tree))
        flatten(&f, tree, 0);
    buf_clear(&f.path);
    *ret = f.pairs;
    *ret_n = f.n;
    return f.complete;
}
