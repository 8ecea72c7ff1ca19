#include "elastic/docs.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "world/ids.h"

/* Fields that hold prose in the Elastic Common Schema and in what shippers write. */
static bool is_prose(const char *name)
{
    static const char *const ends[] = { "message",           "msg",         "log",
                                        "event.original",    "stack_trace", "exception",
                                        "error.stack_trace", "text",        "body" };
    size_t n = strlen(name);

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        size_t k = strlen(ends[i]);
        if (n >= k && strcmp(name + n - k, ends[i]) == 0 && (n == k || name[n - k - 1] == '.'))
            return true;
    }
    return false;
}

static enum field_type type_of(const char *name, const cJSON *value, bool is_dynamic)
{
    if (strcmp(name, "@timestamp") == 0)
        return TYPE_DATE;
    if (cJSON_IsNumber(value))
        return value->valuedouble == floor(value->valuedouble) ? TYPE_LONG : TYPE_FLOAT;
    if (cJSON_IsBool(value))
        return TYPE_BOOLEAN;
    return is_dynamic || is_prose(name) ? TYPE_TEXT : TYPE_KEYWORD;
}

const char *type_name(enum field_type type)
{
    static const char *const names[] = {
        [TYPE_KEYWORD] = "keyword", [TYPE_TEXT] = "text",   [TYPE_DATE] = "date",
        [TYPE_LONG] = "long",       [TYPE_FLOAT] = "float", [TYPE_BOOLEAN] = "boolean",
    };

    return names[type];
}

static struct field *find_field(const struct doc *doc, const char *name)
{
    for (size_t i = 0; i < doc->n; i++)
        if (strcmp(doc->fields[i].name, name) == 0)
            return &doc->fields[i];
    return NULL;
}

static void add_value(struct doc *doc, const char *name, const cJSON *value)
{
    struct field *field = find_field(doc, name);

    if (cJSON_IsNull(value))
        return;
    if (!field) {
        field = VEC_ADD(doc->fields, doc->n, doc->cap);
        field->name = xstrdup(name);
        field->type = type_of(name, value, doc->is_dynamic);
    }
    *VEC_ADD(field->values.item, field->values.n, field->values.cap) = value;
}

static void flatten(struct doc *doc, const cJSON *obj, const char *prefix)
{
    for (const cJSON *item = obj->child; item; item = item->next) {
        char *name = xasprintf("%s%s%s", prefix, *prefix ? "." : "", item->string);
        if (cJSON_IsObject(item))
            flatten(doc, item, name);
        else if (cJSON_IsArray(item))
            for (const cJSON *v = item->child; v; v = v->next)
                add_value(doc, name, v);
        else
            add_value(doc, name, item);
        free(name);
    }
}

/* Elastic's OpenTelemetry streams answer to ECS names too; _source keeps its own. */
static void add_otel_aliases(struct doc *doc)
{
    static const struct {
        const char *ecs, *otel;
    } aliases[] = {
        { "message", "body.text" },
        { "log.level", "severity_text" },
        { "service.name", "resource.attributes.service.name" },
        { "host.name", "resource.attributes.host.name" },
        { "host.ip", "resource.attributes.host.ip" },
        { "event.dataset", "attributes.event.dataset" },
        { "cloud.region", "resource.attributes.cloud.region" },
    };

    if (!find_field(doc, "body.text"))
        return;
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
        const struct field *from = find_field(doc, aliases[i].otel);
        struct list values;
        if (!from || find_field(doc, aliases[i].ecs))
            continue;
        values = from->values;
        for (size_t k = 0; k < values.n; k++)
            add_value(doc, aliases[i].ecs, values.item[k]);
    }
}

static void add_index(struct docs *docs, const char *name)
{
    for (size_t i = 0; i < docs->n_indices; i++)
        if (strcmp(docs->indices[i], name) == 0)
            return;
    *VEC_ADD(docs->indices, docs->n_indices, docs->cap_indices) = name;
}

static void read_doc(struct docs *docs, const cJSON *row, const char *mapping, struct doc *doc)
{
    const cJSON *index = cJSON_GetArrayItem(row, 0);
    char *id;

    doc->index = cJSON_IsString(index) ? index->valuestring : "logs";
    doc->source = cJSON_GetArrayItem(row, 1);
    id = id_hash(20, "%s%zu", doc->index, docs->n);
    memcpy(doc->id, id, sizeof(doc->id));
    free(id);
    mapping = json_str_or(json_get(docs->spec, doc->index), "mapping", mapping);
    doc->is_dynamic = strcmp(mapping, "dynamic") == 0;
    if (cJSON_IsObject(doc->source))
        flatten(doc, doc->source, "");
    add_otel_aliases(doc);
    add_index(docs, doc->index);
}

void docs_init(struct docs *docs, const struct world *world)
{
    const char *mapping = json_str_or(world->elasticsearch, "default_mapping", "ecs");
    struct list rows;

    *docs = (struct docs){ .spec = json_get(world->elasticsearch, "indices") };
    for (const cJSON *i = docs->spec ? docs->spec->child : NULL; i; i = i->next)
        add_index(docs, i->string);
    list_of(json_get(world->elasticsearch, "docs"), &rows);
    docs->items = xcalloc(rows.n ? rows.n : 1, sizeof(*docs->items));
    for (; docs->n < rows.n; docs->n++)
        read_doc(docs, rows.item[docs->n], mapping, &docs->items[docs->n]);
    list_clear(&rows);
}

void docs_clear(struct docs *docs)
{
    for (size_t i = 0; i < docs->n; i++) {
        struct doc *doc = &docs->items[i];
        for (size_t k = 0; k < doc->n; k++) {
            free(doc->fields[k].name);
            list_clear(&doc->fields[k].values);
        }
        free(doc->fields);
    }
    free(docs->items);
    free(docs->indices);
    *docs = (struct docs){ 0 };
}

bool doc_field(const struct doc *doc, const char *name, struct view *ret)
{
    const struct field *field = find_field(doc, name);
    size_t n = strlen(name), k = strlen(".keyword");

    if (field) {
        *ret = (struct view){ &field->values, field->type };
        return true;
    }
    if (!doc->is_dynamic || n <= k || strcmp(name + n - k, ".keyword") != 0)
        return false;
    char *base = xstrndup(name, n - k);
    field = find_field(doc, base);
    free(base);
    if (!field || field->type != TYPE_TEXT)
        return false;
    *ret = (struct view){ &field->values, TYPE_KEYWORD };
    return true;
}

char *value_text(const cJSON *value)
{
    if (cJSON_IsString(value))
        return xstrdup(value->valuestring);
    if (cJSON_IsBool(value))
        return xstrdup(cJSON_IsTrue(value) ? "true" : "false");
    if (cJSON_IsNumber(value) && value->valuedouble == floor(value->valuedouble))
        return xasprintf("%.0f", value->valuedouble);
    return cJSON_IsNumber(value) ? xasprintf("%g", value->valuedouble) : xstrdup("");
}

double value_number(const cJSON *value)
{
    return cJSON_IsString(value)   ? strtod(value->valuestring, NULL)
           : cJSON_IsNumber(value) ? value->valuedouble
                                   : 0;
}

bool value_date(const cJSON *value, int64_t *ret_ms)
{
    if (cJSON_IsNumber(value)) {
        *ret_ms = (int64_t)value->valuedouble;
        return true;
    }
    return cJSON_IsString(value) && time_parse_iso(value->valuestring, ret_ms);
}

/* ---- names of indices ---- */

char *index_stream(const char *index)
{
    const char *name = index + strlen(".ds-"), *end;
    size_t n = strlen(index), tail = strlen("-2026.01.02-000001");

    if (!text_starts(index, ".ds-") || n <= tail + strlen(".ds-"))
        return NULL;
    end = index + n - tail;
    return *end == '-' && isdigit((unsigned char)end[1]) ? xstrndup(name, (size_t)(end - name))
                                                         : NULL;
}

bool wildcard_fits(const char *pattern, const char *text, bool ignore_case)
{
    const char *star = NULL, *resume = NULL;

    while (*text) {
        char p = *pattern, t = *text;
        if (ignore_case) {
            p = (char)tolower((unsigned char)p);
            t = (char)tolower((unsigned char)t);
        }
        if (p == '*') {
            star = pattern++;
            resume = text;
        } else if (p == '?' || p == t) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

bool index_set_has(const struct index_set *set, const char *name)
{
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->names[i], name) == 0)
            return true;
    return false;
}

static bool is_named(const struct docs *docs, const char *index, const char *pattern)
{
    char *stream = index_stream(index);
    const char *alias = json_str(json_get(docs->spec, index), "alias");
    bool named;

    if (strcmp(pattern, "*") == 0 || strcmp(pattern, "_all") == 0)
        named = true;
    else if (stream && pattern[0] != '.') /* hidden by its own name, found by the stream's */
        named = wildcard_fits(pattern, stream, false) || strcmp(index, pattern) == 0;
    else
        named = wildcard_fits(pattern, index, false);
    free(stream);
    return named || (alias && wildcard_fits(pattern, alias, false));
}

static void drop_from(struct index_set *set, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->names[i], name) != 0)
            set->names[n++] = set->names[i];
    set->n = n;
}

/* One part of the expression; how many indices it names. */
static size_t apply_part(const struct docs *docs, const char *part, struct index_set *set)
{
    bool exclude = part[0] == '-';
    size_t found = 0;

    for (size_t i = 0; i < docs->n_indices; i++) {
        const char *name = docs->indices[i];
        if (!is_named(docs, name, part + exclude))
            continue;
        found++;
        if (exclude)
            drop_from(set, name);
        else if (!index_set_has(set, name))
            *VEC_ADD(set->names, set->n, set->cap) = name;
    }
    return found;
}

bool docs_resolve(const struct docs *docs, const char *expression,
                  const struct index_options *options, struct index_set *ret, char **ret_missing)
{
    *ret = (struct index_set){ 0 };
    while (*expression) {
        size_t n = strcspn(expression, ",");
        char *part = xstrndup(expression, n);
        bool is_pattern = strchr(part, '*') || part[0] == '-' || strcmp(part, "_all") == 0;
        if (n > 0 && apply_part(docs, part, ret) == 0 &&
            (is_pattern ? options->refuse_none : !options->ignore_unavailable)) {
            *ret_missing = part;
            free(ret->names);
            return false;
        }
        free(part);
        expression += n + (expression[n] == ',');
    }
    return true;
}

/* ---- words ---- */

static bool is_word_char(unsigned char c)
{
    return isalnum(c) || c == '_' || c >= 0x80;
}

void words_of(const char *text, struct words *ret)
{
    char *p;

    *ret = (struct words){ .copy = xstrdup(text) };
    for (p = ret->copy; *p;) {
        char *begin = p;
        while (is_word_char((unsigned char)*p) ||
               (p > begin && (*p == '.' || *p == '\'') && isalnum((unsigned char)p[1]))) {
            *p = (char)tolower((unsigned char)*p);
            p++;
        }
        if (p > begin)
            *VEC_ADD(ret->item, ret->n, ret->cap) = begin;
        if (*p)
            *p++ = '\0';
    }
}

void words_clear(struct words *words)
{
    free(words->copy);
    free(words->item);
    *words = (struct words){ 0 };
}

bool words_have(const struct words *words, const char *word)
{
    for (size_t i = 0; i < words->n; i++)
        if (strcmp(words->item[i], word) == 0)
            return true;
    return false;
}
