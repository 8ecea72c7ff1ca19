/* The checks of a playbook's weighing part, at start-up: what passes here cannot fail later. */
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/diagnosis/condition.h"
#include "dbconn/diagnosis/rules.h"

static int check_if(const cJSON *entry, struct error *err)
{
    const cJSON *condition = json_get(entry, "if");

    return condition ? condition_check(condition, err) : 0;
}

static int need_str(const cJSON *entry, const char *key, struct error *err)
{
    return json_str(entry, key)
               ? 0
               : error_set(err, ERR_CONFIG, "\"%s\" is missing, a sentence was expected", key);
}

/* Every entry of a list of { "if", "say" }. */
static int check_sayings(const cJSON *list, const char *name, struct error *err)
{
    const cJSON *entry;
    int i = 0;

    if (list && !cJSON_IsArray(list))
        return error_set(err, ERR_CONFIG, "%s must be a list", name);
    cJSON_ArrayForEach (entry, list) {
        if (check_if(entry, err) < 0 || need_str(entry, "say", err) < 0)
            return error_context(err, "%s[%d]", name, i);
        i++;
    }
    return 0;
}

static int check_points(const cJSON *points, struct error *err)
{
    const cJSON *item;
    enum cause cause;

    if (!cJSON_IsObject(points))
        return error_set(err, ERR_CONFIG, "\"points\" is missing, cause codes with numbers");
    cJSON_ArrayForEach (item, points) {
        if (!cause_parse(item->string, &cause))
            return error_set(err, ERR_CONFIG, "\"%s\" is no cause code", item->string);
        if (!cJSON_IsNumber(item))
            return error_set(err, ERR_CONFIG, "the points of %s must be a number", item->string);
    }
    return 0;
}

static int check_signals(const cJSON *signals, struct error *err)
{
    const cJSON *signal;
    int i = 0;

    if (!cJSON_IsArray(signals))
        return error_set(err, ERR_CONFIG, "\"signals\" must be a list");
    cJSON_ArrayForEach (signal, signals) {
        if (!json_get(signal, "if"))
            return error_set(err, ERR_CONFIG, "signals[%d]: \"if\" is missing", i);
        if (check_if(signal, err) < 0 || check_points(json_get(signal, "points"), err) < 0)
            return error_context(err, "signals[%d]", i);
        i++;
    }
    return 0;
}

static int check_cause(const cJSON *entry, struct error *err)
{
    const cJSON *requires = json_get(entry, "requires"), *summary = json_get(entry, "summary");

    if (requires && condition_check(requires, err) < 0)
        return error_context(err, "requires");
    if (!cJSON_IsString(summary) && check_sayings(summary, "summary", err) < 0)
        return -1;
    if (!summary)
        return error_set(err, ERR_CONFIG, "\"summary\" is missing");
    return check_sayings(json_get(entry, "next_actions"), "next_actions", err);
}

static int check_causes(const cJSON *causes, struct error *err)
{
    const cJSON *entry;
    enum cause cause;

    for (int c = 0; c < CAUSE_COUNT; c++)
        if (!json_get(causes, cause_name((enum cause)c)))
            return error_set(err, ERR_CONFIG, "causes: %s is missing", cause_name((enum cause)c));
    cJSON_ArrayForEach (entry, causes) {
        if (!cause_parse(entry->string, &cause))
            return error_set(err, ERR_CONFIG, "causes: \"%s\" is no cause code", entry->string);
        if (check_cause(entry, err) < 0)
            return error_context(err, "causes.%s", entry->string);
    }
    return 0;
}

static int check_rules(const cJSON *rules, struct error *err)
{
    const cJSON *rule;
    int64_t number;
    int i = 0;

    cJSON_ArrayForEach (rule, rules) {
        if (!json_i64(rule, "number", &number))
            error_set(err, ERR_CONFIG, "\"number\" is missing");
        else if (need_str(rule, "unknown", err) == 0 &&
                 check_sayings(json_get(rule, "supports"), "supports", err) == 0 &&
                 check_sayings(json_get(rule, "contradicts"), "contradicts", err) == 0) {
            i++;
            continue;
        }
        return error_context(err, "rules[%d]", i);
    }
    return 0;
}

static int check_cap(const cJSON *cap, struct error *err)
{
    static const char *const levels[] = { "high", "medium", "low" };
    const cJSON *causes = json_get(cap, "causes"), *item;
    const char *at = json_str(cap, "at");
    enum cause cause;
    size_t level = 0;

    while (level < ARRAY_LEN(levels) && !text_same(at, levels[level]))
        level++;
    if (level == ARRAY_LEN(levels))
        return error_set(err, ERR_CONFIG, "\"at\" must be high, medium or low");
    if (causes && !cJSON_IsArray(causes))
        return error_set(err, ERR_CONFIG, "\"causes\" must be a list of cause codes");
    cJSON_ArrayForEach (item, causes) {
        if (!cJSON_IsString(item) || !cause_parse(item->valuestring, &cause))
            return error_set(err, ERR_CONFIG, "causes: \"%s\" is no cause code",
                             cJSON_IsString(item) ? item->valuestring : "?");
    }
    return 0;
}

static int check_caps(const cJSON *caps, struct error *err)
{
    const cJSON *cap;
    int i = 0;

    cJSON_ArrayForEach (cap, caps) {
        if (check_if(cap, err) < 0 || check_cap(cap, err) < 0)
            return error_context(err, "caps[%d]", i);
        i++;
    }
    return 0;
}

int rules_check(const cJSON *document, struct error *err)
{
    if (check_causes(json_get(document, "causes"), err) < 0 ||
        check_signals(json_get(document, "signals"), err) < 0 ||
        check_rules(json_get(document, "rules"), err) < 0 ||
        check_caps(json_get(document, "caps"), err) < 0)
        return -1;
    return check_sayings(json_get(document, "missing"), "missing", err);
}
