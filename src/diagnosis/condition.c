#include "dbconn/diagnosis/condition.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define MAX_DEPTH 20

static int check_list(const cJSON *list, const char *what, int depth, struct error *err);

static int check(const cJSON *c, int depth, struct error *err)
{
    static const char *const operators[] = { "is", "in", "at_least", "at_most" };
    const cJSON *part;
    size_t n = 0;

    if (!cJSON_IsObject(c) || depth > MAX_DEPTH)
        return error_set(err, ERR_CONFIG, "a condition must be an object, nested at most %d deep",
                         MAX_DEPTH);
    if ((part = json_get(c, "all")))
        return check_list(part, "all", depth, err);
    if ((part = json_get(c, "any")))
        return check_list(part, "any", depth, err);
    if ((part = json_get(c, "not")))
        return check(part, depth + 1, err);
    if (json_str(c, "known"))
        return 0;
    if (!json_str(c, "fact"))
        return error_set(err, ERR_CONFIG,
                         "a condition needs one of \"fact\", \"known\", \"all\", \"any\", \"not\"");
    for (size_t i = 0; i < ARRAY_LEN(operators); i++)
        n += json_get(c, operators[i]) != NULL;
    if (n > 1)
        return error_set(err, ERR_CONFIG,
                         "the condition on %s has more than one of is, in, at_least, at_most",
                         json_str(c, "fact"));
    if (cJSON_GetArraySize(c) != (int)(1 + n))
        return error_set(err, ERR_CONFIG, "the condition on %s has a member that is not known",
                         json_str(c, "fact"));
    return 0;
}

static int check_list(const cJSON *list, const char *what, int depth, struct error *err)
{
    const cJSON *item;

    if (!cJSON_IsArray(list))
        return error_set(err, ERR_CONFIG, "\"%s\" must be a list of conditions", what);
    cJSON_ArrayForEach (item, list) {
        if (check(item, depth + 1, err) < 0)
            return -1;
    }
    return 0;
}

int condition_check(const cJSON *condition, struct error *err)
{
    return check(condition, 0, err);
}

static enum tristate from_bool(bool b)
{
    return b ? YES : NO;
}

static enum tristate fact_holds(const cJSON *c, const struct evidence *board)
{
    const cJSON *value = evidence_json(board, json_str(c, "fact"));
    const cJSON *want, *item;

    if (!value)
        return UNKNOWN;
    if ((want = json_get(c, "in"))) {
        cJSON_ArrayForEach (item, want) {
            if (cJSON_Compare(value, item, true))
                return YES;
        }
        return NO;
    }
    if ((want = json_get(c, "at_least")))
        return from_bool(cJSON_IsNumber(value) && value->valuedouble >= want->valuedouble);
    if ((want = json_get(c, "at_most")))
        return from_bool(cJSON_IsNumber(value) && value->valuedouble <= want->valuedouble);
    want = json_get(c, "is");
    return want ? from_bool(cJSON_Compare(value, want, true)) : from_bool(cJSON_IsTrue(value));
}

static enum tristate all_hold(const cJSON *list, const struct evidence *board)
{
    enum tristate answer = YES;
    const cJSON *item;

    cJSON_ArrayForEach (item, list) {
        enum tristate one = condition_holds(item, board);
        if (one == NO)
            return NO;
        if (one == UNKNOWN)
            answer = UNKNOWN;
    }
    return answer;
}

static enum tristate any_holds(const cJSON *list, const struct evidence *board)
{
    enum tristate answer = NO;
    const cJSON *item;

    cJSON_ArrayForEach (item, list) {
        enum tristate one = condition_holds(item, board);
        if (one == YES)
            return YES;
        if (one == UNKNOWN)
            answer = UNKNOWN;
    }
    return answer;
}

enum tristate condition_holds(const cJSON *c, const struct evidence *board)
{
    const cJSON *part;

    if ((part = json_get(c, "all")))
        return all_hold(part, board);
    if ((part = json_get(c, "any")))
        return any_holds(part, board);
    if ((part = json_get(c, "not"))) {
        enum tristate inner = condition_holds(part, board);
        return inner == UNKNOWN ? UNKNOWN : inner == YES ? NO : YES;
    }
    if (json_str(c, "known"))
        return from_bool(evidence_json(board, json_str(c, "known")) != NULL);
    return fact_holds(c, board);
}

const char *condition_missing(const cJSON *c, const struct evidence *board)
{
    const cJSON *part, *item;

    if (condition_holds(c, board) != UNKNOWN)
        return NULL;
    if ((part = json_get(c, "not")))
        return condition_missing(part, board);
    part = json_get(c, "all") ? json_get(c, "all") : json_get(c, "any");
    cJSON_ArrayForEach (item, part) {
        const char *name = condition_missing(item, board);
        if (name)
            return name;
    }
    return json_str(c, "fact");
}

static void add_value(const cJSON *value, const char *format, struct buf *out)
{
    if (cJSON_IsString(value))
        buf_adds(out, value->valuestring);
    else if (cJSON_IsBool(value))
        buf_adds(out, cJSON_IsTrue(value) ? "yes" : "no");
    else if (!cJSON_IsNumber(value))
        buf_adds(out, "unknown");
    else if (text_same(format, "time"))
        time_format_minute(json_whole(value->valuedouble), out);
    else if (text_same(format, "duration"))
        time_format_duration(json_whole(value->valuedouble), out);
    else if (text_same(format, "percent"))
        buf_addf(out, "%.0f %%", value->valuedouble * 100);
    else
        buf_addf(out, "%.10g", value->valuedouble);
}

static void add_fact(const char *name, const struct evidence *board, struct buf *out)
{
    const struct fact *f = evidence_get(board, name);

    if (f && f->text)
        buf_adds(out, f->text);
    else
        add_value(f && f->state == FACT_KNOWN ? f->value : NULL, NULL, out);
}

/* `spec` is what stands between the braces. */
static void add_placeholder(char *spec, const struct evidence *board, struct buf *out)
{
    if (spec[0] != '=') {
        add_fact(spec, board, out);
        return;
    }
    char *format = strchr(spec, ':');
    if (format)
        *format++ = '\0';
    add_value(evidence_json(board, spec + 1), format, out);
}

void sentence_fill(const char *template, const struct evidence *board, struct buf *out)
{
    for (const char *p = template; *p;) {
        const char *close = *p == '{' ? strchr(p, '}') : NULL;
        if (!close) {
            buf_addc(out, *p++);
            continue;
        }
        char *spec = xstrndup(p + 1, (size_t)(close - p - 1));
        add_placeholder(spec, board, out);
        free(spec);
        p = close + 1;
    }
}
