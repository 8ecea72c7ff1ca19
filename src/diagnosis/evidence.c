#include "dbconn/diagnosis/evidence.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"

struct evidence {
    struct fact *facts;
    size_t n, cap;
};

struct evidence *evidence_new(void)
{
    return xcalloc(1, sizeof(struct evidence));
}

static void fact_clear(struct fact *f)
{
    free(f->name);
    free(f->step);
    cJSON_Delete(f->value);
    free(f->why);
    free(f->text);
    free(f->url);
    *f = (struct fact){ 0 };
}

void evidence_free(struct evidence *board)
{
    if (!board)
        return;
    for (size_t i = 0; i < board->n; i++)
        fact_clear(&board->facts[i]);
    free(board->facts);
    free(board);
}

static struct fact *find(const struct evidence *board, const char *name)
{
    for (size_t i = 0; i < board->n; i++)
        if (strcmp(board->facts[i].name, name) == 0)
            return &board->facts[i];
    return NULL;
}

/* The fact of that name, emptied, ready to be written. */
static struct fact *slot(struct evidence *board, const char *step, const char *name)
{
    struct fact *f = find(board, name);

    if (f)
        fact_clear(f);
    else
        f = VEC_ADD(board->facts, board->n, board->cap);
    f->name = xstrdup(name);
    f->step = xstrdup(step);
    return f;
}

void evidence_set_json(struct evidence *board, const char *step, const char *name, cJSON *value,
                       const char *text, const char *url)
{
    struct fact *f = slot(board, step, name);

    if (!value)
        abort(); /* cJSON ran out of memory, as in alloc.h */
    f->state = FACT_KNOWN;
    f->value = value;
    f->text = xstrdup(text);
    f->url = xstrdup(url);
}

void evidence_set_bool(struct evidence *board, const char *step, const char *name, bool value,
                       const char *text, const char *url)
{
    evidence_set_json(board, step, name, cJSON_CreateBool(value), text, url);
}

void evidence_set_num(struct evidence *board, const char *step, const char *name, double value,
                      const char *text, const char *url)
{
    evidence_set_json(board, step, name, cJSON_CreateNumber(value), text, url);
}

void evidence_set_str(struct evidence *board, const char *step, const char *name, const char *value,
                      const char *text, const char *url)
{
    evidence_set_json(board, step, name, cJSON_CreateString(value ? value : ""), text, url);
}

void evidence_set_tri(struct evidence *board, const char *step, const char *name,
                      enum tristate value, const char *text, const char *url, const char *why)
{
    if (value == UNKNOWN)
        evidence_set_unknown(board, step, name, why);
    else
        evidence_set_bool(board, step, name, value == YES, text, url);
}

void evidence_set_unknown(struct evidence *board, const char *step, const char *name,
                          const char *why)
{
    struct fact *f = slot(board, step, name);

    f->state = FACT_UNKNOWN;
    f->why = xstrdup(why ? why : "it could not be determined");
}

const struct fact *evidence_get(const struct evidence *board, const char *name)
{
    return find(board, name);
}

const cJSON *evidence_json(const struct evidence *board, const char *name)
{
    const struct fact *f = find(board, name);

    return f && f->state == FACT_KNOWN ? f->value : NULL;
}

const char *evidence_str(const struct evidence *board, const char *name)
{
    return cJSON_GetStringValue(evidence_json(board, name));
}

bool evidence_num(const struct evidence *board, const char *name, double *ret)
{
    const cJSON *value = evidence_json(board, name);

    if (!cJSON_IsNumber(value))
        return false;
    *ret = value->valuedouble;
    return true;
}

int64_t evidence_time(const struct evidence *board, const char *name)
{
    double ms;

    return evidence_num(board, name, &ms) ? json_whole(ms) : TIME_UNKNOWN;
}

enum tristate evidence_tri(const struct evidence *board, const char *name)
{
    const cJSON *value = evidence_json(board, name);

    return !cJSON_IsBool(value) ? UNKNOWN : cJSON_IsTrue(value) ? YES : NO;
}

static cJSON *fact_to_json(const struct fact *f)
{
    cJSON *obj = cJSON_CreateObject();

    json_put_str(obj, "name", f->name);
    json_put_str(obj, "step", f->step);
    if (f->state == FACT_KNOWN)
        cJSON_AddItemToObject(obj, "value", cJSON_Duplicate(f->value, true));
    else
        json_put_str(obj, "unknown", f->why);
    if (f->text)
        json_put_str(obj, "text", f->text);
    if (f->url)
        json_put_str(obj, "url", f->url);
    return obj;
}

cJSON *evidence_to_json(const struct evidence *board, const char *step)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < board->n; i++)
        if (!step || strcmp(board->facts[i].step, step) == 0)
            cJSON_AddItemToArray(list, fact_to_json(&board->facts[i]));
    return list;
}

void evidence_add_json(struct evidence *board, const cJSON *facts)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, facts) {
        const char *name = json_str(item, "name"), *step = json_str_or(item, "step", "");
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, "value");
        if (!name)
            continue;
        if (value)
            evidence_set_json(board, step, name, cJSON_Duplicate(value, true),
                              json_str(item, "text"), json_str(item, "url"));
        else
            evidence_set_unknown(board, step, name, json_str(item, "unknown"));
    }
}

size_t evidence_count(const struct evidence *board)
{
    return board->n;
}

