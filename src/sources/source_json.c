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

/* ---- leaves ---- */

/* Short values repeat a lot between events and log lines. */
#define INTERN_UP_TO 64

static const char *keep_text(struct source_mem *mem, const char *text, size_t max_value)
{
    size_t len = strlen(text);
    struct buf cut = BUF_INIT;
    const char *copy;

    if (len <= INTERN_UP_TO)
        return source_intern(mem, text);
    if (len <= max_value)
        return source_strn(mem, text, len);
    text_add_cut(&cut, text, max_value);
    copy = source_str(mem, buf_str(&cut));
    buf_clear(&cut);
    return copy;
}

const char *source_json_leaf(struct source_mem *mem, const cJSON *leaf, size_t max_value)
{
    char number[32];

    if (cJSON_IsString(leaf))
        return keep_text(mem, leaf->valuestring, max_value);
    if (cJSON_IsBool(leaf))
        return cJSON_IsTrue(leaf) ? "true" : "false";
    if (!cJSON_IsNumber(leaf))
        return NULL;
    bool whole = fabs(leaf->valuedouble) < 9e15 && leaf->valuedouble == floor(leaf->valuedouble);
    snprintf(number, sizeof(number), whole ? "%.0f" : "%.15g", leaf->valuedouble);
    return source_intern(mem, number);
}

struct walk {
    const struct source_flat_limits *limits;
    source_leaf_fn *each;
    void *user;
    struct buf path;
    size_t n;
    bool complete;
};

static void add_name(struct buf *path, const char *name)
{
    if (path->len)
        buf_addc(path, '.');
    buf_adds(path, name);
}

static void walk_leaf(struct walk *w, const cJSON *leaf)
{
    if (w->n >= w->limits->max_pairs) {
        w->complete = false;
        return;
    }
    w->n++;
    w->each(w->user, buf_str(&w->path), leaf);
}

static void walk(struct walk *w, const cJSON *node, int depth)
{
    const size_t len = w->path.len;
    size_t index = 0;

    if (!cJSON_IsObject(node) && !cJSON_IsArray(node)) {
        walk_leaf(w, node);
        return;
    }
    if (depth >= w->limits->max_depth) {
        w->complete = false;
        return;
    }
    for (const cJSON *child = node->child; child; child = child->next, index++) {
        if (cJSON_IsObject(node))
            add_name(&w->path, child->string);
        else if (!w->limits->repeat)
            buf_addf(&w->path, "[%zu]", index);
        walk(w, child, depth + 1);
        buf_truncate(&w->path, len);
        if (w->n >= w->limits->max_pairs && child->next) {
            w->complete = false;
            return;
        }
    }
}

bool source_json_walk(const cJSON *tree, const struct source_flat_limits *limits,
                      source_leaf_fn *each, void *user)
{
    struct walk w = {
        .limits = limits, .each = each, .user = user, .path = BUF_INIT, .complete = true
    };

    if (cJSON_IsObject(tree) || cJSON_IsArray(tree))
        walk(&w, tree, 0);
    buf_clear(&w.path);
    return w.complete;
}

struct flattening {
    struct source_mem *mem;
    size_t max_value;
    struct source_pair *pairs; /* on the heap until all are there */
    size_t n, cap;
};

static void add_pair(void *user, const char *path, const cJSON *leaf)
{
    struct flattening *f = user;
    struct source_pair *pair = VEC_ADD(f->pairs, f->n, f->cap);

    pair->key = source_intern(f->mem, path);
    pair->value = source_json_leaf(f->mem, leaf, f->max_value);
}

bool source_json_flatten(struct source_mem *mem, const cJSON *tree,
                         const struct source_flat_limits *limits, struct source_pair **ret,
                         size_t *ret_n)
{
    struct flattening f = { .mem = mem, .max_value = limits->max_value };
    bool complete = source_json_walk(tree, limits, add_pair, &f);

    *ret = NULL;
    *ret_n = f.n;
    if (f.n) {
        *ret = source_alloc(mem, f.n * sizeof(*f.pairs));
        memcpy(*ret, f.pairs, f.n * sizeof(*f.pairs));
    }
    free(f.pairs);
    return complete;
}
