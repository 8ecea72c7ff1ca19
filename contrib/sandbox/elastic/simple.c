/*
 * simple - the two query languages for people: simple_query_string (never an error) and
 * query_string (Lucene's). A query becomes a small tree, read and scored anew for each document;
 * scenarios are small.
 *
 *   simple:  a b  a | b  a + b  -a  "a b"  a*  ( )  a~2
 *   Lucene:  field:value  AND OR NOT  + -  "a b"  a*  ( )  [x TO y]  field:(...)
 */
#include <ctype.h>
#include <strings.h>

#include "dbconn/base/text.h"
#include "elastic/query.h"

enum op { OP_NONE, OP_AND, OP_OR };

struct reader {
    const struct query_context *c;
    const struct doc *doc;
    const cJSON *fields; /* array of names, or NULL for all */
    const char *p;
    bool is_simple;
    enum op fallback; /* default_operator */
    int depth;
};

static double read_group(struct reader *r, const char *field);

/* ---- a leaf against one field ---- */

static double score_in(const struct reader *r, const char *field, const char *text, bool phrase)
{
    struct view view;
    char *lower;
    double score;

    if (phrase)
        return query_text(r->doc, field, text, TEXT_PHRASE);
    if (strcmp(text, "*") == 0)
        return doc_field(r->doc, field, &view);
    if (!strpbrk(text, "*?"))
        return query_text(r->doc, field, text, r->fallback == OP_AND ? TEXT_ALL : TEXT_ANY);
    lower = xstrdup(text);
    if (doc_field(r->doc, field, &view) && view.type == TYPE_TEXT)
        for (char *c = lower; *c; c++)
            *c = (char)tolower((unsigned char)*c);
    score = query_wildcard(r->doc, field, lower, false);
    free(lower);
    return score;
}

static double score_pattern(const struct reader *r, const char *pattern, const char *text,
                            bool phrase)
{
    char *name = xstrndup(pattern, strcspn(pattern, "^"));
    double best = 0;

    if (!strchr(name, '*'))
        best = score_in(r, name, text, phrase);
    for (size_t i = 0; strchr(name, '*') && i < r->doc->n; i++) {
        const struct field *f = &r->doc->fields[i];
        double one = 0;
        if ((f->type == TYPE_TEXT || f->type == TYPE_KEYWORD) &&
            wildcard_fits(name, f->name, false))
            one = score_in(r, f->name, text, phrase);
        best = one > best ? one : best;
    }
    free(name);
    return best;
}

static double score_leaf(const struct reader *r, const char *field, const char *text, bool phrase)
{
    double best = 0;

    if (field)
        return score_pattern(r, field, text, phrase);
    if (!json_first(r->fields))
        return score_pattern(r, "*", text, phrase);
    for (const cJSON *f = json_first(r->fields); f; f = f->next) {
        double one = cJSON_IsString(f) ? score_pattern(r, f->valuestring, text, phrase) : 0;
        best = one > best ? one : best;
    }
    return best;
}

/* ---- reading ---- */

static void skip_space(struct reader *r)
{
    while (isspace((unsigned char)*r->p))
        r->p++;
}

static char *read_quoted(struct reader *r)
{
    struct buf out = BUF_INIT;

    for (r->p++; *r->p && *r->p != '"'; r->p++) {
        if (*r->p == '\\' && r->p[1])
            r->p++;
        buf_addc(&out, *r->p);
    }
    r->p += *r->p == '"';
    if (*r->p == '~') /* slop: taken as an exact phrase */
        for (r->p++; isdigit((unsigned char)*r->p); r->p++)
            ;
    return buf_take(&out);
}

static bool ends_word(const struct reader *r)
{
    const char *stops = r->is_simple ? "()|\"" : "()\"";

    return !*r->p || isspace((unsigned char)*r->p) || strchr(stops, *r->p) ||
           (r->is_simple && *r->p == '+');
}

static char *read_word(struct reader *r)
{
    struct buf out = BUF_INIT;

    while (!ends_word(r)) {
        if (*r->p == '\\' && r->p[1])
            r->p++;
        buf_addc(&out, *r->p++);
    }
    char *word = buf_take(&out), *tilde = strrchr(word, '~');
    if (tilde && tilde[strspn(tilde + 1, "0123456789") + 1] == '\0')
        *tilde = '\0'; /* fuzziness: taken as the word itself */
    return word;
}

/* "field:" before a value of query_string; NULL when there is none. Heap. */
static char *read_field(struct reader *r)
{
    const char *p = r->p;
    struct buf name = BUF_INIT;

    while (isalnum((unsigned char)*p) || (*p && strchr("_.@-*\\", *p))) {
        if (*p == '\\' && p[1])
            p++;
        buf_addc(&name, *p++);
    }
    if (r->is_simple || *p != ':' || p == r->p) {
        buf_clear(&name);
        return NULL;
    }
    r->p = p + 1;
    return buf_take(&name);
}

/* "[a TO b]", "{a TO b}": any of the bounds may be a star. */
static double read_range(struct reader *r, const char *field)
{
    bool inclusive = *r->p == '[';
    const char *close = r->p + strcspn(r->p, "]}");
    char *inner = xstrndup(r->p + 1, (size_t)(close - r->p - 1));
    char *to = strstr(inner, " TO ");
    cJSON *query = cJSON_CreateObject();
    cJSON *range = json_put_object(json_put_object(query, "range"), field ? field : "@timestamp");
    double score;

    if (to) {
        *to = '\0';
        to += strlen(" TO ");
        if (strcmp(inner, "*") != 0)
            json_put_str(range, inclusive ? "gte" : "gt", inner);
        if (strcmp(to, "*") != 0)
            json_put_str(range, *close == ']' ? "lte" : "lt", to);
    }
    score = query_score(r->c, query, r->doc);
    cJSON_Delete(query);
    free(inner);
    r->p = *close ? close + 1 : close;
    return score;
}

static double read_value(struct reader *r, const char *field)
{
    char *text;
    double score;
    bool phrase = *r->p == '"';

    if (!r->is_simple && (*r->p == '[' || *r->p == '{'))
        return read_range(r, field);
    text = phrase ? read_quoted(r) : read_word(r);
    if (field && strcmp(field, "_exists_") == 0) {
        struct view view;
        score = doc_field(r->doc, text, &view);
    } else {
        score = *text ? score_leaf(r, field, text, phrase) : 0;
    }
    free(text);
    return score;
}

static double read_atom(struct reader *r, const char *outer)
{
    char *field = read_field(r);
    const char *name = field ? field : outer;
    double score;

    if (*r->p == '(' && r->depth < 50) {
        r->p++;
        r->depth++;
        score = read_group(r, name);
        r->depth--;
        r->p += *r->p == ')';
    } else {
        score = read_value(r, name);
    }
    free(field);
    return score;
}

static bool take_word(struct reader *r, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(r->p, word, n) != 0 || !(isspace((unsigned char)r->p[n]) || r->p[n] == '('))
        return false;
    r->p += n;
    return true;
}

/* What stands between two clauses, and how many times the next one is negated. */
static enum op read_operator(struct reader *r, bool *ret_negated, bool *ret_required)
{
    enum op op = OP_NONE;

    *ret_negated = *ret_required = false;
    for (;;) {
        skip_space(r);
        if (r->is_simple && (*r->p == '|' || *r->p == '+')) {
            op = *r->p++ == '|' ? OP_OR : OP_AND;
        } else if (*r->p == '-' || (!r->is_simple && *r->p == '!')) {
            r->p++;
            *ret_negated = !*ret_negated;
        } else if (!r->is_simple && *r->p == '+') {
            r->p++;
            *ret_required = true;
        } else if (!r->is_simple && (take_word(r, "AND") || take_word(r, "&&"))) {
            op = OP_AND;
        } else if (!r->is_simple && (take_word(r, "OR") || take_word(r, "||"))) {
            op = OP_OR;
        } else if (!r->is_simple && take_word(r, "NOT")) {
            *ret_negated = true;
        } else {
            return op;
        }
    }
}

/* Clauses from left to right; a change of operator takes what came before as one clause, as
 * Lucene's SimpleQueryParser does. In query_string a bare NOT is required to hold. */
static double read_group(struct reader *r, const char *field)
{
    double total = -1; /* nothing yet */
    bool negated, required;

    for (;;) {
        enum op op = read_operator(r, &negated, &required);
        double one;
        if (!*r->p || *r->p == ')')
            break;
        const char *before = r->p;
        one = read_atom(r, field);
        if (r->p == before) {
            r->p++; /* a stray character: ignored */
            continue;
        }
        if (negated)
            one = one > 0 ? 0 : 1;
        if (op == OP_NONE)
            op = required || (!r->is_simple && negated) ? OP_AND : r->fallback;
        if (total < 0)
            total = one;
        else if (op == OP_AND)
            total = total > 0 && one > 0 ? total + one : 0;
        else
            total += one;
    }
    return total < 0 ? 0 : total;
}

double simple_score(const struct query_context *c, const cJSON *body, const struct doc *doc,
                    bool is_simple)
{
    const char *query = json_str(body, "query");
    cJSON *own = NULL;
    struct reader r = {
        .c = c,
        .doc = doc,
        .fields = json_get(body, "fields"),
        .p = query,
        .is_simple = is_simple,
        .fallback = text_isame(json_str(body, "default_operator"), "and") ? OP_AND : OP_OR,
    };
    double score = 0;

    if (!query) {
        es_fail(c->err, 400, "parsing_exception", "[%s] query text missing",
                is_simple ? "simple_query_string" : "query_string");
        return 0;
    }
    if (!r.fields && json_str(body, "default_field")) {
        own = cJSON_CreateArray();
        cJSON_AddItemToArray(own, cJSON_CreateString(json_str(body, "default_field")));
        r.fields = own;
    }
    while (*r.p) {
        double one = read_group(&r, NULL);
        score = one > score ? one : score;
        r.p += *r.p == ')';
    }
    cJSON_Delete(own);
    return score;
}
