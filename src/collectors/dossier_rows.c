/*
 * dossier: event rows, thousands of numbers of which most steps read all:
 *
 *   {"s":[strings],"r":[[time,issue,count,key,value,...],...]}
 *
 * issue, key and value are places in "s", -1 for none; an unknown time is -1. It is JSON as any
 * other table is, but written and read here without a tree: for each number that would be an
 * allocation of 64 bytes and a dozen calls.
 */
#include "dbconn/collectors/dossier.h"

#include <math.h>

#include "collect.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define TAG_BYTES 160 /* of a value */
#define SLOTS 8192    /* of an index; more strings are just not shared */
#define TRIES 64
#define MAX_DIGITS 15 /* of a whole number that a double holds */

/* ---- building ---- */

struct entry {
    const char *text; /* lent */
    int place;        /* in "s", of what was made of it */
};

/* Strings that came before. */
struct index {
    int slots[SLOTS]; /* entry + 1; 0: free */
    struct entry *entries;
    size_t n, cap;
};

struct rows_builder {
    cJSON *strings;
    int n_strings;
    struct index stored; /* as they stand in "s" */
    struct index given;  /* values as they came, before they were made presentable */
    struct buf rows;
};

struct rows_builder *rows_builder_new(void)
{
    struct rows_builder *b = xcalloc(1, sizeof(*b));

    b->strings = cJSON_CreateArray();
    return b;
}

static size_t hash_text(const char *s)
{
    size_t h = 1469598103934665603u; /* FNV-1a */

    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    return h;
}

/* The place of `text` or -1, and where its slot is or would be. */
static int index_find(const struct index *x, const char *text, size_t *ret_slot)
{
    size_t at = hash_text(text) % SLOTS;
    int place = -1;

    for (size_t tries = 0; tries < TRIES && x->slots[at]; tries++, at = (at + 1) % SLOTS) {
        if (strcmp(x->entries[x->slots[at] - 1].text, text) == 0) {
            place = x->entries[x->slots[at] - 1].place;
            break;
        }
    }
    *ret_slot = at;
    return place;
}

static void index_add(struct index *x, size_t slot, const char *text, int place)
{
    if (x->slots[slot])
        return; /* crowded here: not shared */
    *VEC_ADD(x->entries, x->n, x->cap) = (struct entry){ text, place };
    x->slots[slot] = (int)x->n;
}

static int intern(struct rows_builder *b, const char *s)
{
    size_t slot;
    int place = s ? index_find(&b->stored, s, &slot) : -1;

    if (!s || place >= 0)
        return place;
    cJSON *item = cJSON_CreateString(s);
    cJSON_AddItemToArray(b->strings, item);
    index_add(&b->stored, slot, item->valuestring, b->n_strings);
    return b->n_strings++;
}

/* The same few values come with hundreds of rows: each is made presentable once. */
static int intern_value(struct rows_builder *b, const char *value)
{
    size_t slot;
    int place = index_find(&b->given, value, &slot);

    if (place >= 0)
        return place;
    char *shown = presentable(value, TAG_BYTES);
    place = intern(b, shown);
    index_add(&b->given, slot, value, place);
    free(shown);
    return place;
}

static void add_number(struct buf *out, double value)
{
    char digits[MAX_DIGITS + 1];
    size_t at = sizeof(digits);
    double whole = trunc(fabs(value));

    if (whole != fabs(value) || whole >= 1e15) {
        buf_addf(out, "%.17g", isfinite(value) ? value : 0);
        return;
    }
    uint64_t rest = (uint64_t)whole;
    do
        digits[--at] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (value < 0)
        digits[--at] = '-';
    buf_add(out, digits + at, sizeof(digits) - at);
}

static void add_member(struct rows_builder *b, double value)
{
    buf_addc(&b->rows, ',');
    add_number(&b->rows, value);
}

void rows_builder_row(struct rows_builder *b, int64_t at_ms, const char *issue, double count)
{
    buf_adds(&b->rows, b->rows.len ? "],[" : "[");
    add_number(&b->rows, at_ms == TIME_UNKNOWN ? -1 : (double)at_ms);
    add_member(b, intern(b, issue));
    add_member(b, count);
}

void rows_builder_tag(struct rows_builder *b, const char *key, const char *value)
{
    if (!key || !value)
        return;
    int key_place = intern(b, key);
    add_member(b, key_place);
    add_member(b, intern_value(b, value));
}

void rows_builder_put(struct rows_builder *b, struct evidence *board, const char *step,
                      const char *name)
{
    struct buf text = BUF_INIT;
    char *strings = json_print(b->strings);

    buf_addf(&text, "{\"s\":%s,\"r\":[%s%s]}", strings, buf_str(&b->rows), b->rows.len ? "]" : "");
    evidence_set_str(board, step, name, buf_str(&text), NULL, NULL);
    cJSON_free(strings);
    cJSON_Delete(b->strings);
    free(b->stored.entries);
    free(b->given.entries);
    buf_clear(&b->rows);
    buf_clear(&text);
    free(b);
}

/* ---- reading ---- */

/* Behind the bracket that closes the array of strings at `s`; NULL when none does. */
static const char *behind_strings(const char *s)
{
    bool quoted = false;

    for (; *s; s++) {
        if (quoted && *s == '\\' && s[1])
            s++;
        else if (*s == '"')
            quoted = !quoted;
        else if (*s == ']' && !quoted)
            return s + 1;
    }
    return NULL;
}

/* The strings by place. Heap; the strings are lent by the tree. */
static const char **string_places(const cJSON *strings, size_t *n)
{
    const char **places = xcalloc((size_t)cJSON_GetArraySize(strings) + 1, sizeof(*places));
    const cJSON *item;

    *n = 0;
    cJSON_ArrayForEach (item, strings) {
        places[(*n)++] = cJSON_GetStringValue(item);
    }
    return places;
}

/* Reads a number, with its comma unless it is the row's last; false at anything else. */
static bool read_number(const char **at, double *ret)
{
    const char *s = *at;
    bool negative = *s == '-';
    uint64_t whole = 0;
    size_t n = 0;

    for (s += negative; *s >= '0' && *s <= '9' && n <= MAX_DIGITS; s++, n++)
        whole = whole * 10 + (uint64_t)(*s - '0');
    if (n == 0)
        return false;
    *ret = negative ? -(double)whole : (double)whole;
    if (*s != ',' && *s != ']') {
        char *end;
        *ret = strtod(*at, &end);
        s = end;
    }
    if (*s != ',' && *s != ']')
        return false;
    *at = s + (*s == ',');
    return true;
}

static const char *at_place(const char **places, size_t n, double i)
{
    return i >= 0 && i < (double)n ? places[(size_t)i] : NULL;
}

/* One row, behind its opening bracket. */
static void read_row(const char **at, const char **places, size_t n_places, struct event_tag **tags,
                     struct event_row *row)
{
    double time = -1, issue = -1, key, value;

    *row = (struct event_row){ .count = 1, .tags = *tags };
    if (read_number(at, &time) && read_number(at, &issue) && read_number(at, &row->count)) {
        while (read_number(at, &key) && read_number(at, &value)) {
            *(*tags)++ = (struct event_tag){ at_place(places, n_places, key),
                                             at_place(places, n_places, value) };
            row->n_tags++;
        }
    }
    row->at_ms = time >= 0 ? json_whole(time) : TIME_UNKNOWN;
    row->issue = at_place(places, n_places, issue);
}

/* As many as there can be. */
static void count_rows_and_tags(const char *s, size_t *rows, size_t *tags)
{
    size_t brackets = 0, commas = 0;

    for (; *s; s++) {
        brackets += *s == '[';
        commas += *s == ',';
    }
    *rows = brackets;
    *tags = commas / 2;
}

static void read_rows(const char *at, struct rowset *ret)
{
    size_t n_rows, n_tags, n_places;
    const char **places = string_places(ret->tree, &n_places);

    count_rows_and_tags(at, &n_rows, &n_tags);
    ret->rows = xcalloc(n_rows + 1, sizeof(*ret->rows));
    ret->tags = xcalloc(n_tags + 1, sizeof(*ret->tags));
    struct event_tag *tags = ret->tags;
    while (*at == '[') {
        at++;
        read_row(&at, places, n_places, &tags, &ret->rows[ret->n++]);
        if (*at++ != ']')
            break; /* cut off: what was read until here counts */
        at += *at == ',';
    }
    free(places);
}

/* The table's rows, behind their bracket; "" when there are none. *ret_strings and *ret_n are its
 * strings as text. */
static const char *find_rows(const struct evidence *board, const char *name,
                             const char **ret_strings, size_t *ret_n)
{
    static const char head[] = "{\"s\":", between[] = ",\"r\":[";
    const char *text = evidence_str(board, name), *rows = NULL;

    *ret_strings = "";
    *ret_n = 0;
    if (text_starts(text, head)) {
        *ret_strings = text + sizeof(head) - 1;
        rows = behind_strings(*ret_strings);
        *ret_n = rows ? (size_t)(rows - *ret_strings) : 0;
    }
    return text_starts(rows, between) ? rows + sizeof(between) - 1 : "";
}

void rowset_load(const struct evidence *board, const char *name, struct rowset *ret)
{
    const char *strings;
    size_t n;
    const char *rows = find_rows(board, name, &strings, &n);

    *ret = (struct rowset){ .tree = n ? cJSON_ParseWithLength(strings, n) : NULL };
    read_rows(rows, ret);
}

int64_t *rowset_times(const struct evidence *board, const char *name, size_t *ret_n)
{
    const char *strings;
    int64_t *times = NULL;
    size_t n_strings, cap = 0;
    const char *at = find_rows(board, name, &strings, &n_strings);

    *ret_n = 0;
    for (double time; (at = strchr(at, '[')); at++) {
        const char *first = at + 1;
        if (read_number(&first, &time) && time >= 0)
            *VEC_ADD(times, *ret_n, cap) = json_whole(time);
    }
    return times;
}

void rowset_clear(struct rowset *set)
{
    free(set->rows);
    free(set->tags);
    cJSON_Delete(set->tree);
    *set = (struct rowset){ 0 };
}
