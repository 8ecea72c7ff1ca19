#include "playbook_lint.h"

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/diagnosis/casefile.h"
#include "playbook_facts.h"

struct lint {
    const struct jsonc *doc;
    const cJSON *builtin;
    struct buf *out;
    size_t n;
};

static void doubt(struct lint *l, const char *path, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void doubt(struct lint *l, const char *path, const char *fmt, ...)
{
    va_list ap;

    buf_addf(l->out, "%s:%d: %s: ", l->doc->path, jsonc_line(l->doc, path), path);
    va_start(ap, fmt);
    buf_vaddf(l->out, fmt, ap);
    va_end(ap);
    buf_addc(l->out, '\n');
    l->n++;
}

/* ---- facts ---- */

/* Does the shipped playbook ask for this fact? It may know one that the list of facts lacks. */
static bool mentions(const cJSON *tree, const char *fact)
{
    const cJSON *item;

    if (cJSON_IsString(tree) && tree->string &&
        (text_same(tree->string, "fact") || text_same(tree->string, "known") ||
         text_same(tree->string, "cite")) &&
        text_same(tree->valuestring, fact))
        return true;
    cJSON_ArrayForEach (item, tree) {
        if (mentions(item, fact))
            return true;
    }
    return false;
}

static void check_fact(struct lint *l, const char *path, const char *fact)
{
    if (!fact_help_find(fact) && !mentions(l->builtin, fact))
        doubt(l, path, "no step writes the fact \"%s\"; dbconn playbook facts lists them", fact);
}

/* {fact}, {=fact}, {=fact:format} */
static void check_placeholder(struct lint *l, const char *path, char *spec)
{
    static const char *const formats[] = { "time", "duration", "percent" };
    bool value = spec[0] == '=', known = false;
    char *format = value ? strchr(spec, ':') : NULL;

    if (format) {
        *format++ = '\0';
        for (size_t i = 0; i < ARRAY_LEN(formats); i++)
            known |= text_same(formats[i], format);
        if (!known)
            doubt(l, path, "\"%s\" is no format; time, duration and percent are", format);
    }
    check_fact(l, path, spec + value);
}

static void check_sentence(struct lint *l, const char *path, const char *text)
{
    for (const char *open = text; (open = strchr(open, '{')); open++) {
        const char *close = strchr(open, '}');
        if (!close) {
            doubt(l, path, "a { without a } is shown as it stands");
            return;
        }
        char *spec = xstrndup(open + 1, (size_t)(close - open - 1));
        check_placeholder(l, path, spec);
        free(spec);
    }
}

/* ---- conditions ---- */

static void check_operator(struct lint *l, const char *path, const cJSON *item)
{
    bool number = text_same(item->string, "at_least") || text_same(item->string, "at_most");

    if (number && !cJSON_IsNumber(item))
        doubt(l, path, "\"%s\" compares with a number", item->string);
    if (text_same(item->string, "in") && !cJSON_IsArray(item))
        doubt(l, path, "\"in\" needs a list of values");
}

static void check_condition(struct lint *l, const char *path, const cJSON *condition)
{
    static const char *const members[] = { "all", "any", "not",      "fact",   "known",
                                           "is",  "in",  "at_least", "at_most" };
    const cJSON *item, *part;

    cJSON_ArrayForEach (item, condition) {
        bool known = false;
        for (size_t i = 0; i < ARRAY_LEN(members); i++)
            known |= text_same(members[i], item->string);
        if (!known)
            doubt(l, path, "\"%s\" is no member of a condition", item->string);
        check_operator(l, path, item);
        if ((text_same(item->string, "fact") || text_same(item->string, "known")) &&
            cJSON_IsString(item))
            check_fact(l, path, item->valuestring);
        if (text_same(item->string, "not"))
            check_condition(l, path, item);
        if (text_same(item->string, "all") || text_same(item->string, "any")) {
            cJSON_ArrayForEach (part, item) {
                check_condition(l, path, part);
            }
        }
    }
}

/* ---- the document's shape ---- */

enum kind {
    ANY,
    SENTENCE,
    CONDITION,
    FACT,
    LEVEL,
    CODES,
    OBJECT,
    LIST,
    ENTRIES,
    SUMMARY,
    SETTINGS
};

struct shape;
struct member {
    const char *name;
    enum kind kind;
    const struct shape *shape; /* of the object, of a list's items, of an object's entries */
};
struct shape {
    const struct member *members;
    size_t n;
};
#define SHAPE(name)                                                                                \
    static const struct shape name##_shape = { name##_members, ARRAY_LEN(name##_members) }

static const struct member saying_members[] = { { "if", CONDITION, NULL },
                                                { "say", SENTENCE, NULL } };
SHAPE(saying);
static const struct member step_members[] = {
    { "number", ANY, NULL },      { "id", ANY, NULL },    { "title", ANY, NULL },
    { "collector", ANY, NULL },   { "needs", ANY, NULL }, { "when", CONDITION, NULL },
    { "skipped", SENTENCE, NULL }
};
SHAPE(step);
static const struct member signal_members[] = { { "id", ANY, NULL },
                                                { "if", CONDITION, NULL },
                                                { "points", ANY, NULL },
                                                { "say", SENTENCE, NULL },
                                                { "cite", FACT, NULL } };
SHAPE(signal);
static const struct member rule_members[] = { { "number", ANY, NULL },
                                              { "title", ANY, NULL },
                                              { "supports", LIST, &saying_shape },
                                              { "contradicts", LIST, &saying_shape },
                                              { "unknown", SENTENCE, NULL } };
SHAPE(rule);
static const struct member cap_members[] = { { "if", CONDITION, NULL },
                                             { "causes", CODES, NULL },
                                             { "at", LEVEL, NULL },
                                             { "say", SENTENCE, NULL } };
SHAPE(cap);
static const struct member cause_members[] = { { "requires", CONDITION, NULL },
                                               { "without", SENTENCE, NULL },
                                               { "summary", SUMMARY, &saying_shape },
                                               { "next_actions", LIST, &saying_shape } };
SHAPE(cause);
static const struct member weighing_members[] = {
    { "floor", ANY, NULL }, { "medium", ANY, NULL }, { "high", ANY, NULL }, { "margin", ANY, NULL }
};
SHAPE(weighing);
static const struct member root_members[] = {
    { "id", ANY, NULL },
    { "title", ANY, NULL },
    { "steps", LIST, &step_shape },
    { "settings", SETTINGS, NULL },
    { "weighing", OBJECT, &weighing_shape },
    { "signals", LIST, &signal_shape },
    { "rules", LIST, &rule_shape },
    { "caps", LIST, &cap_shape },
    { "missing", LIST, &saying_shape },
    { "causes", ENTRIES, &cause_shape },
};
SHAPE(root);

static void check_object(struct lint *l, const char *path, const cJSON *object,
                         const struct shape *shape);

static void check_items(struct lint *l, const char *path, const cJSON *container, bool list,
                        const struct shape *shape)
{
    const cJSON *item;
    int i = 0;

    cJSON_ArrayForEach (item, container) {
        char *at = list ? xasprintf("%s[%d]", path, i++) : xasprintf("%s.%s", path, item->string);
        check_object(l, at, item, shape);
        free(at);
    }
}

static void check_codes(struct lint *l, const char *path, const cJSON *list)
{
    const cJSON *item;
    enum cause cause;

    cJSON_ArrayForEach (item, list) {
        if (!cause_parse(cJSON_GetStringValue(item), &cause))
            doubt(l, path, "\"%s\" is no cause code",
                  cJSON_IsString(item) ? item->valuestring : "this");
    }
}

/* Settings that the shipped playbook does not have are read by no collector. */
static void check_settings(struct lint *l, const char *path, const cJSON *settings,
                           const cJSON *known)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, settings) {
        const cJSON *same = json_get(known, item->string);
        char *at = xasprintf("%s.%s", path, item->string);
        if (!same)
            doubt(l, at, "no collector reads this setting");
        else if ((item->type & 0xff) != (same->type & 0xff))
            doubt(l, at, "its type is not that of the shipped playbook");
        else if (cJSON_IsObject(item))
            check_settings(l, at, item, same);
        free(at);
    }
}

static void check_member(struct lint *l, const char *path, const cJSON *item,
                         const struct member *m)
{
    enum confidence level;

    switch (m->kind) {
    case ANY:
        break;
    case SUMMARY:
        if (cJSON_IsString(item))
            check_sentence(l, path, item->valuestring);
        else
            check_items(l, path, item, true, m->shape);
        break;
    case SENTENCE:
        check_sentence(l, path, cJSON_IsString(item) ? item->valuestring : "");
        break;
    case CONDITION:
        check_condition(l, path, item);
        break;
    case FACT:
        check_fact(l, path, cJSON_IsString(item) ? item->valuestring : "");
        break;
    case LEVEL:
        if (!confidence_from_name(cJSON_GetStringValue(item), &level))
            doubt(l, path, "high, medium or low was expected");
        break;
    case CODES:
        check_codes(l, path, item);
        break;
    case OBJECT:
        check_object(l, path, item, m->shape);
        break;
    case LIST:
    case ENTRIES:
        check_items(l, path, item, m->kind == LIST, m->shape);
        break;
    case SETTINGS:
        check_settings(l, path, item, json_get(l->builtin, "settings"));
        break;
    }
}

static void check_object(struct lint *l, const char *path, const cJSON *object,
                         const struct shape *shape)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, object) {
        const struct member *found = NULL;
        char *at = *path ? xasprintf("%s.%s", path, item->string) : xstrdup(item->string);
        for (size_t i = 0; i < shape->n; i++)
            if (text_same(shape->members[i].name, item->string))
                found = &shape->members[i];
        if (found)
            check_member(l, at, item, found);
        else
            doubt(l, at, "nobody reads this member");
        free(at);
    }
}

/* ---- what only the whole can tell ---- */

static void check_signal_ids(struct lint *l, const cJSON *signals)
{
    const cJSON *one, *other;
    int i = 0;

    cJSON_ArrayForEach (one, signals) {
        const char *id = json_str(one, "id");
        char *at = xasprintf("signals[%d]", i++);
        if (!id)
            doubt(l, at, "it has no \"id\" to be spoken of");
        cJSON_ArrayForEach (other, signals) {
            if (other == one)
                break;
            if (id && text_same(json_str(other, "id"), id))
                doubt(l, at, "another signal has the id \"%s\" too", id);
        }
        free(at);
    }
}

static bool anything_speaks_for(const cJSON *signals, const char *code)
{
    const cJSON *signal;
    double points;

    cJSON_ArrayForEach (signal, signals) {
        if (json_num(json_get(signal, "points"), code, &points) && points > 0)
            return true;
    }
    return false;
}

static void check_causes(struct lint *l, const cJSON *signals)
{
    for (int c = 0; c < CAUSE_COUNT; c++) {
        const char *code = cause_name((enum cause)c);
        char *at = xasprintf("causes.%s", code);
        if (c != CAUSE_INCONCLUSIVE && !anything_speaks_for(signals, code))
            doubt(l, at, "no signal speaks for it, so it can never be the answer");
        free(at);
    }
}

static void check_weighing(struct lint *l, const cJSON *weighing)
{
    double floor = 0, medium = 0, high = 0;

    if (json_num(weighing, "floor", &floor) && json_num(weighing, "medium", &medium) &&
        json_num(weighing, "high", &high) && !(floor <= medium && medium <= high))
        doubt(l, "weighing", "floor, medium and high should grow in this order");
}

static void check_rule_numbers(struct lint *l, const cJSON *rules)
{
    const cJSON *rule;
    int64_t number;
    int i = 0;

    cJSON_ArrayForEach (rule, rules) {
        char *at = xasprintf("rules[%d]", i++);
        if (json_i64(rule, "number", &number) && (number < 1 || number > 6))
            doubt(l, at, "the report knows the rules 1 to 6");
        free(at);
    }
}

size_t playbook_lint(const struct jsonc *doc, const struct playbook *builtin, struct buf *out)
{
    struct lint l = { doc, builtin->tree, out, 0 };
    const cJSON *signals = json_get(doc->tree, "signals");

    check_object(&l, "", doc->tree, &root_shape);
    check_signal_ids(&l, signals);
    check_causes(&l, signals);
    check_weighing(&l, json_get(doc->tree, "weighing"));
    check_rule_numbers(&l, json_get(doc->tree, "rules"));
    return l.n;
}
