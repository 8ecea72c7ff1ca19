/*
 * json_schema - the part of JSON Schema 2020-12 that our schemas use, for the tests. A keyword
 * that it does not know fails the check, so that no rule is silently skipped.
 */
#ifndef JSON_SCHEMA_H
#define JSON_SCHEMA_H

#include "dbconn/base/json.h"

struct schema_check {
    const cJSON *root;
    struct buf problem; /* "steps[2].status: ..." */
};

static inline bool schema_fails(struct schema_check *c, const char *path, const char *why)
{
    buf_reset(&c->problem);
    buf_addf(&c->problem, "%s: %s", path, why);
    return false;
}

static inline bool schema_type_is(const cJSON *v, const char *type)
{
    if (strcmp(type, "integer") == 0)
        return cJSON_IsNumber(v) && v->valuedouble == (double)(int64_t)v->valuedouble;
    return (strcmp(type, "object") == 0 && cJSON_IsObject(v)) ||
           (strcmp(type, "array") == 0 && cJSON_IsArray(v)) ||
           (strcmp(type, "string") == 0 && cJSON_IsString(v)) ||
           (strcmp(type, "number") == 0 && cJSON_IsNumber(v)) ||
           (strcmp(type, "boolean") == 0 && cJSON_IsBool(v)) ||
           (strcmp(type, "null") == 0 && cJSON_IsNull(v));
}

static inline bool schema_types(const cJSON *types, const cJSON *v)
{
    if (cJSON_IsString(types))
        return schema_type_is(v, types->valuestring);
    for (const cJSON *t = json_first(types); t; t = t->next) {
        if (schema_type_is(v, t->valuestring))
            return true;
    }
    return false;
}

static inline bool schema_in(const cJSON *list, const cJSON *v)
{
    for (const cJSON *e = json_first(list); e; e = e->next) {
        if (cJSON_Compare(e, v, true))
            return true;
    }
    return false;
}

static inline bool schema_valid(struct schema_check *c, const cJSON *schema, const cJSON *v,
                                const char *path);

static inline bool schema_child(struct schema_check *c, const cJSON *schema, const cJSON *v,
                                const char *path, const char *name)
{
    char *inner = xasprintf("%s.%s", path, name);
    bool ok = schema_valid(c, schema, v, inner);

    free(inner);
    return ok;
}

static inline bool schema_ref(struct schema_check *c, const char *ref, const cJSON *v,
                              const char *path)
{
    const cJSON *defs = cJSON_GetObjectItem(c->root, "$defs");

    if (strncmp(ref, "#/$defs/", 8) != 0 || !cJSON_GetObjectItem(defs, ref + 8))
        return schema_fails(c, path, "a reference that leads nowhere");
    return schema_valid(c, cJSON_GetObjectItem(defs, ref + 8), v, path);
}

/* How many of the alternatives hold. The problem kept is that of the first one. */
static inline int schema_count(struct schema_check *c, const cJSON *list, const cJSON *v,
                               const char *path)
{
    struct buf first = BUF_INIT;
    int n = 0;

    for (const cJSON *s = json_first(list); s; s = s->next) {
        if (schema_valid(c, s, v, path))
            n++;
        else if (first.len == 0)
            buf_adds(&first, buf_str(&c->problem));
    }
    buf_reset(&c->problem);
    buf_adds(&c->problem, buf_str(&first));
    buf_clear(&first);
    return n;
}

static inline bool schema_members(struct schema_check *c, const cJSON *schema, const cJSON *v,
                                  const char *path)
{
    const cJSON *properties = cJSON_GetObjectItem(schema, "properties");
    const cJSON *more = cJSON_GetObjectItem(schema, "additionalProperties");
    const cJSON *names = cJSON_GetObjectItem(schema, "propertyNames");

    for (const cJSON *r = json_items(schema, "required"); r; r = r->next) {
        if (cJSON_IsObject(v) && !cJSON_GetObjectItemCaseSensitive(v, r->valuestring))
            return schema_child(c, cJSON_GetObjectItem(schema, "false"), NULL, path,
                                r->valuestring);
    }
    for (const cJSON *m = cJSON_IsObject(v) ? v->child : NULL; m; m = m->next) {
        const cJSON *s = cJSON_GetObjectItemCaseSensitive(properties, m->string);
        if (names) {
            cJSON *name = cJSON_CreateString(m->string);
            bool ok = schema_child(c, names, name, path, m->string);
            cJSON_Delete(name);
            if (!ok)
                return false;
        }
        s = s ? s : more;
        if (s && !schema_child(c, s, m, path, m->string))
            return false;
    }
    return true;
}

static inline bool schema_items(struct schema_check *c, const cJSON *schema, const cJSON *v,
                                const char *path)
{
    const cJSON *items = cJSON_GetObjectItem(schema, "items");
    int i = 0;

    for (const cJSON *e = json_first(v); items && e; e = e->next, i++) {
        char *name = xasprintf("%d", i);
        bool ok = schema_child(c, items, e, path, name);
        free(name);
        if (!ok)
            return false;
    }
    return true;
}

static inline bool schema_number(const cJSON *limit, double value, bool at_least)
{
    return at_least ? value >= limit->valuedouble : value <= limit->valuedouble;
}

static inline bool schema_keyword(struct schema_check *c, const cJSON *k, const cJSON *v,
                                  const char *path)
{
    const char *name = k->string;
    bool ok = true;

    if (strcmp(name, "type") == 0)
        ok = schema_types(k, v);
    else if (strcmp(name, "enum") == 0)
        ok = schema_in(k, v);
    else if (strcmp(name, "const") == 0)
        ok = cJSON_Compare(k, v, true);
    else if (strcmp(name, "minimum") == 0 || strcmp(name, "maximum") == 0)
        ok = !cJSON_IsNumber(v) || schema_number(k, v->valuedouble, name[1] == 'i');
    else if (strcmp(name, "minItems") == 0 || strcmp(name, "maxItems") == 0)
        ok = !cJSON_IsArray(v) || schema_number(k, cJSON_GetArraySize(v), name[1] == 'i');
    else if (strcmp(name, "minLength") == 0)
        ok = !cJSON_IsString(v) || strlen(v->valuestring) >= k->valuedouble;
    else if (strcmp(name, "$ref") == 0)
        return schema_ref(c, k->valuestring, v, path);
    else if (strcmp(name, "oneOf") == 0)
        return schema_count(c, k, v, path) == 1;
    else if (strcmp(name, "anyOf") == 0)
        return schema_count(c, k, v, path) >= 1;
    else if (!strstr("$schema title description format $defs required properties items "
                     "additionalProperties propertyNames",
                     name))
        return schema_fails(c, path, "the schema uses a keyword that the test does not know");
    return ok ? true : schema_fails(c, path, name);
}

static inline bool schema_valid(struct schema_check *c, const cJSON *schema, const cJSON *v,
                                const char *path)
{
    if (!schema || !v)
        return schema_fails(c, path, "is missing");
    for (const cJSON *k = schema->child; k; k = k->next) {
        if (!schema_keyword(c, k, v, path))
            return false;
    }
    return schema_members(c, schema, v, path) && schema_items(c, schema, v, path);
}

#endif
