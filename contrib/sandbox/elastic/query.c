#include "elastic/query.h"

#include <ctype.h>
#include <math.h>
#include <regex.h>
#include <stdio.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"

void es_fail(struct es_error *err, int status, const char *type, const char *fmt, ...)
{
    va_list ap;

    if (err->status)
        return;
    err->status = status;
    snprintf(err->type, sizeof(err->type), "%s", type);
    va_start(ap, fmt);
    buf_vaddf(&err->reason, fmt, ap);
    va_end(ap);
}

void es_error_clear(struct es_error *err)
{
    buf_clear(&err->reason);
    cJSON_Delete(err->extra);
    *err = (struct es_error){ 0 };
}

/* ---- text ---- */

static bool phrase_at(const struct words *have, size_t at, const struct words *want, bool prefix)
{
    if (at + want->n > have->n)
        return false;
    for (size_t i = 0; i < want->n; i++) {
        bool open = prefix && i + 1 == want->n;
        if (open ? !text_starts(have->item[at + i], want->item[i])
                 : strcmp(have->item[at + i], want->item[i]) != 0)
            return false;
    }
    return true;
}

static double score_words(const struct words *have, const struct words *want, enum text_mode mode)
{
    size_t n = 0;

    if (mode == TEXT_PHRASE || mode == TEXT_PREFIX) {
        for (size_t i = 0; i < have->n; i++)
            if (phrase_at(have, i, want, mode == TEXT_PREFIX))
                return 2.0 * (double)want->n;
        return 0;
    }
    for (size_t i = 0; i < want->n; i++)
        n += words_have(have, want->item[i]);
    if (n == 0 || (mode == TEXT_ALL && n < want->n))
        return 0;
    return (double)n / sqrt((double)have->n + 5) * 3;
}

double query_text(const struct doc *doc, const char *field, const char *text, enum text_mode mode)
{
    struct words want, have;
    struct view view;
    double best = 0;

    if (!doc_field(doc, field, &view))
        return 0;
    if (view.type == TYPE_TEXT)
        words_of(text, &want);
    for (size_t i = 0; i < view.values->n; i++) {
        char *value = value_text(view.values->item[i]);
        double score = 0;
        if (view.type != TYPE_TEXT) {
            score = (mode == TEXT_PREFIX ? text_starts(value, text) : strcmp(value, text) == 0)
                        ? 1.5
                        : 0;
        } else if (want.n > 0) {
            words_of(value, &have);
            score = score_words(&have, &want, mode);
            words_clear(&have);
        }
        best = score > best ? score : best;
        free(value);
    }
    if (view.type == TYPE_TEXT)
        words_clear(&want);
    return best;
}

/* Does any value (or any word of a text) satisfy the test? */
static bool any_term(const struct doc *doc, const char *field,
                     bool (*test)(const char *value, void *user), void *user)
{
    struct view view;
    bool yes = false;

    if (!doc_field(doc, field, &view))
        return false;
    for (size_t i = 0; i < view.values->n && !yes; i++) {
        char *value = value_text(view.values->item[i]);
        struct words words;
        if (view.type != TYPE_TEXT) {
            yes = test(value, user);
        } else {
            words_of(value, &words);
            for (size_t k = 0; k < words.n && !yes; k++)
                yes = test(words.item[k], user);
            words_clear(&words);
        }
        free(value);
    }
    return yes;
}

struct pattern {
    const char *text;
    bool ignore_case;
};

static bool fits_wildcard(const char *value, void *user)
{
    const struct pattern *p = user;

    return wildcard_fits(p->text, value, p->ignore_case);
}

static bool fits_prefix(const char *value, void *user)
{
    const struct pattern *p = user;

    return p->ignore_case ? text_istarts(value, p->text) : text_starts(value, p->text);
}

static bool fits_exactly(const char *value, void *user)
{
    const struct pattern *p = user;

    return p->ignore_case ? text_isame(value, p->text) : strcmp(value, p->text) == 0;
}

static bool fits_regex(const char *value, void *user)
{
    return regexec(user, value, 0, NULL, 0) == 0;
}

double query_wildcard(const struct doc *doc, const char *field, const char *pattern,
                      bool ignore_case)
{
    struct pattern p = { pattern, ignore_case };

    return any_term(doc, field, fits_wildcard, &p) ? 1 : 0;
}

/* ---- leaves ---- */

/* {"field": "x"} or {"field": {"query": "x", ...}}: the field, its options (or NULL), its value. */
struct leaf {
    const char *field;
    const cJSON *options, *value;
};

static bool read_leaf(const struct query_context *c, const char *kind, const cJSON *body,
                      const char *member, struct leaf *ret)
{
    const cJSON *item = cJSON_IsObject(body) ? body->child : NULL;

    while (item && (strcmp(item->string, "boost") == 0 || strcmp(item->string, "_name") == 0))
        item = item->next;
    if (!item) {
        es_fail(c->err, 400, "parsing_exception",
                "[%s] query malformed, no start_object after "
                "query name",
                kind);
        return false;
    }
    *ret = (struct leaf){ .field = item->string, .value = item };
    if (cJSON_IsObject(item)) {
        ret->options = item;
        ret->value = json_get(item, member);
        if (!ret->value)
            es_fail(c->err, 400, "parsing_exception", "[%s] query requires [%s]", kind, member);
    }
    return ret->value != NULL;
}

static bool is_set(const cJSON *options, const char *key)
{
    bool value = false;

    return json_bool(options, key, &value) && value;
}

static double score_match(const struct query_context *c, const cJSON *body, const struct doc *doc,
                          enum text_mode mode)
{
    struct leaf leaf;
    char *text;
    double score;

    if (!read_leaf(c, "match", body, "query", &leaf))
        return 0;
    if (mode == TEXT_ANY && text_isame(json_str(leaf.options, "operator"), "and"))
        mode = TEXT_ALL;
    text = value_text(leaf.value);
    score = query_text(doc, leaf.field, text, mode);
    free(text);
    return score;
}

static double score_term(const struct query_context *c, const cJSON *body, const struct doc *doc)
{
    struct leaf leaf;
    struct pattern p;
    struct view view;
    bool yes;

    if (!read_leaf(c, "term", body, "value", &leaf))
        return 0;
    if (doc_field(doc, leaf.field, &view) && view.type == TYPE_DATE) {
        int64_t at, wanted = query_date(c, leaf.value, false);
        return value_date(list_at(view.values, 0), &at) && at == wanted;
    }
    char *text = value_text(leaf.value);
    p = (struct pattern){ text, is_set(leaf.options, "case_insensitive") };
    yes = any_term(doc, leaf.field, fits_exactly, &p);
    free(text);
    return yes ? 1.2 : 0;
}

static double score_terms(const struct query_context *c, const cJSON *body, const struct doc *doc)
{
    struct leaf leaf;

    if (!read_leaf(c, "terms", body, "value", &leaf))
        return 0;
    if (!cJSON_IsArray(leaf.value)) {
        es_fail(c->err, 400, "parsing_exception", "[terms] query does not support [%s]",
                leaf.field);
        return 0;
    }
    for (const cJSON *v = leaf.value->child; v; v = v->next) {
        char *text = value_text(v);
        struct pattern p = { text, false };
        bool yes = any_term(doc, leaf.field, fits_exactly, &p);
        free(text);
        if (yes)
            return 1;
    }
    return 0;
}

static double score_pattern(const struct query_context *c, const cJSON *body, const struct doc *doc,
                            bool is_prefix)
{
    struct leaf leaf;
    struct pattern p;
    bool yes;

    if (!read_leaf(c, is_prefix ? "prefix" : "wildcard", body, "value", &leaf))
        return 0;
    char *text = value_text(leaf.value);
    p = (struct pattern){ text, is_set(leaf.options, "case_insensitive") };
    yes = any_term(doc, leaf.field, is_prefix ? fits_prefix : fits_wildcard, &p);
    free(text);
    return yes;
}

static double score_regexp(const struct query_context *c, const cJSON *body, const struct doc *doc)
{
    struct leaf leaf;
    regex_t regex;
    bool yes = false;

    if (!read_leaf(c, "regexp", body, "value", &leaf))
        return 0;
    char *value = value_text(leaf.value), *whole = xasprintf("^(%s)$", value);
    int flags =
        REG_EXTENDED | REG_NOSUB | (is_set(leaf.options, "case_insensitive") ? REG_ICASE : 0);
    if (regcomp(&regex, whole, flags) == 0) {
        yes = any_term(doc, leaf.field, fits_regex, &regex);
        regfree(&regex);
    } else {
        es_fail(c->err, 400, "query_shard_exception", "failed to create query: invalid regexp");
    }
    free(whole);
    free(value);
    return yes;
}

static double score_exists(const cJSON *body, const struct doc *doc)
{
    const char *name = json_str_or(body, "field", "");
    size_t n = strlen(name);
    struct view view;

    if (doc_field(doc, name, &view))
        return 1;
    for (size_t i = 0; i < doc->n; i++)
        if (strncmp(doc->fields[i].name, name, n) == 0 && doc->fields[i].name[n] == '.')
            return 1;
    return 0;
}

static int compare(const struct query_context *c, const cJSON *value, const cJSON *bound,
                   enum field_type type, bool round_up)
{
    double a, b;

    if (type == TYPE_DATE) {
        int64_t at = 0;
        (void)value_date(value, &at);
        a = (double)at;
        b = (double)query_date(c, bound, round_up);
    } else if (type == TYPE_LONG || type == TYPE_FLOAT) {
        a = value_number(value);
        b = value_number(bound);
    } else {
        char *x = value_text(value), *y = value_text(bound);
        int rc = strcmp(x, y);
        free(x);
        free(y);
        return rc;
    }
    return a < b ? -1 : a > b;
}

static bool in_range(const struct query_context *c, const cJSON *value, enum field_type type,
                     const cJSON *range)
{
    static const struct {
        const char *name;
        int low, high; /* of compare(): what is accepted */
        bool round_up;
    } bounds[] = {
        { "gte", 0, 1, false },  { "gt", 1, 1, true },    { "lte", -1, 0, true },
        { "lt", -1, -1, false }, { "from", 0, 1, false }, { "to", -1, 0, true },
    };

    for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
        const cJSON *bound = json_get(range, bounds[i].name);
        int rc;
        if (!bound)
            continue;
        rc = compare(c, value, bound, type, bounds[i].round_up);
        rc = rc < 0 ? -1 : rc > 0;
        if (rc < bounds[i].low || rc > bounds[i].high)
            return false;
    }
    return true;
}

static double score_range(const struct query_context *c, const cJSON *body, const struct doc *doc)
{
    const cJSON *range = cJSON_IsObject(body) ? body->child : NULL;
    struct view view;

    if (!cJSON_IsObject(range)) {
        es_fail(c->err, 400, "parsing_exception", "[range] query malformed");
        return 0;
    }
    if (!doc_field(doc, range->string, &view))
        return 0;
    for (size_t i = 0; i < view.values->n; i++)
        if (in_range(c, view.values->item[i], view.type, range))
            return 1;
    return 0;
}

static double score_multi_match(const struct query_context *c, const cJSON *body,
                                const struct doc *doc)
{
    const char *type = json_str_or(body, "type", "best_fields");
    bool all = text_isame(json_str(body, "operator"), "and");
    enum text_mode mode = strcmp(type, "phrase") == 0          ? TEXT_PHRASE
                          : strcmp(type, "phrase_prefix") == 0 ? TEXT_PREFIX
                          : all                                ? TEXT_ALL
                                                               : TEXT_ANY;
    const char *text = json_str(body, "query");
    double best = 0;

    if (!text)
        es_fail(c->err, 400, "parsing_exception", "No text specified for multi_match query");
    for (const cJSON *f = json_items(body, "fields"); text && f; f = f->next) {
        char *name = xstrndup(f->valuestring, strcspn(f->valuestring, "^"));
        double score = query_text(doc, name, text, mode);
        best = score > best ? score : best;
        free(name);
    }
    return best;
}

/* ---- combinations ---- */

/* A clause list may be one object or an array; the first, to walk with `next`. */
static const cJSON *clauses(const cJSON *list)
{
    return cJSON_IsArray(list) ? list->child : list;
}

static const cJSON *next_clause(const cJSON *list, const cJSON *clause)
{
    return cJSON_IsArray(list) ? clause->next : NULL;
}

static int64_t needed(const cJSON *spec, int64_t n)
{
    const char *text = cJSON_GetStringValue(spec);
    int64_t value;

    if (cJSON_IsNumber(spec))
        value = (int64_t)spec->valuedouble;
    else if (text && strchr(text, '%'))
        value = n * strtoll(text, NULL, 10) / 100;
    else
        value = text ? strtoll(text, NULL, 10) : 0;
    return value < 0 ? n + value : value;
}

static void check_bool(const struct query_context *c, const cJSON *body)
{
    static const char *const known[] = { "must",     "filter",
                                         "must_not", "should",
                                         "boost",    "minimum_should_match",
                                         "_name",    "adjust_pure_negative" };

    for (const cJSON *item = body ? body->child : NULL; item; item = item->next) {
        bool ok = false;
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            ok |= strcmp(known[i], item->string) == 0;
        if (!ok)
            es_fail(c->err, 400, "x_content_parse_exception", "[1:20] [bool] unknown field [%s]",
                    item->string);
    }
}

/* Every clause of `list` must fit (or, `negated`, none); false when one does not. */
static bool all_fit(const struct query_context *c, const cJSON *list, const struct doc *doc,
                    bool negated, double *score)
{
    for (const cJSON *q = clauses(list); q; q = next_clause(list, q)) {
        double one = query_score(c, q, doc);
        if ((one > 0) == negated)
            return false;
        *score += negated ? 0 : one;
    }
    return true;
}

static double score_bool(const struct query_context *c, const cJSON *body, const struct doc *doc)
{
    const cJSON *must = json_get(body, "must"), *filter = json_get(body, "filter");
    const cJSON *should = json_get(body, "should"), *least = json_get(body, "minimum_should_match");
    double score = 0, ignored = 0;
    int64_t n = 0, fit = 0;

    check_bool(c, body);
    if (!all_fit(c, must, doc, false, &score) || !all_fit(c, filter, doc, false, &ignored) ||
        !all_fit(c, json_get(body, "must_not"), doc, true, &ignored))
        return 0;
    for (const cJSON *q = clauses(should); q; q = next_clause(should, q), n++) {
        double one = query_score(c, q, doc);
        fit += one > 0;
        score += one;
    }
    int64_t need = least ? needed(least, n) : n && !clauses(must) && !clauses(filter) ? 1 : 0;
    if (fit < need)
        return 0;
    return score > 0 ? score : 1;
}

static double score_best(const struct query_context *c, const cJSON *list, const struct doc *doc)
{
    double best = 0;

    for (const cJSON *q = clauses(list); q; q = next_clause(list, q)) {
        double one = query_score(c, q, doc);
        best = one > best ? one : best;
    }
    return best;
}

static double score_ids(const cJSON *body, const struct doc *doc)
{
    for (const cJSON *v = json_items(body, "values"); v; v = v->next)
        if (text_same(cJSON_GetStringValue(v), doc->id))
            return 1;
    return 0;
}

static double score_kind(const struct query_context *c, const char *kind, const cJSON *body,
                         const struct doc *doc)
{
    if (strcmp(kind, "bool") == 0)
        return score_bool(c, body, doc);
    if (strcmp(kind, "range") == 0)
        return score_range(c, body, doc);
    if (strcmp(kind, "term") == 0)
        return score_term(c, body, doc);
    if (strcmp(kind, "terms") == 0)
        return score_terms(c, body, doc);
    if (strcmp(kind, "match") == 0)
        return score_match(c, body, doc, TEXT_ANY);
    if (strcmp(kind, "match_phrase") == 0)
        return score_match(c, body, doc, TEXT_PHRASE);
    if (strcmp(kind, "match_phrase_prefix") == 0)
        return score_match(c, body, doc, TEXT_PREFIX);
    if (strcmp(kind, "multi_match") == 0)
        return score_multi_match(c, body, doc);
    if (strcmp(kind, "simple_query_string") == 0 || strcmp(kind, "query_string") == 0)
        return simple_score(c, body, doc, kind[0] == 's');
    if (strcmp(kind, "wildcard") == 0 || strcmp(kind, "prefix") == 0)
        return score_pattern(c, body, doc, kind[0] == 'p');
    if (strcmp(kind, "regexp") == 0)
        return score_regexp(c, body, doc);
    if (strcmp(kind, "exists") == 0)
        return score_exists(body, doc);
    if (strcmp(kind, "ids") == 0)
        return score_ids(body, doc);
    if (strcmp(kind, "match_all") == 0)
        return 1;
    if (strcmp(kind, "match_none") == 0)
        return 0;
    if (strcmp(kind, "constant_score") == 0)
        return query_score(c, json_get(body, "filter"), doc) > 0;
    if (strcmp(kind, "dis_max") == 0)
        return score_best(c, json_get(body, "queries"), doc);
    es_fail(c->err, 400, "parsing_exception", "unknown query [%s]", kind);
    return 0;
}

double query_score(const struct query_context *c, const cJSON *query, const struct doc *doc)
{
    const cJSON *one = query ? query->child : NULL;

    if (!query || c->err->status)
        return 1;
    if (!cJSON_IsObject(query) || !one) {
        es_fail(c->err, 400, "illegal_argument_exception", "query malformed, empty clause found");
        return 0;
    }
    if (one->next)
        es_fail(c->err, 400, "parsing_exception",
                "[%s] malformed query, expected [END_OBJECT] but found [FIELD_NAME]", one->string);
    return score_kind(c, one->string, one, doc);
}
