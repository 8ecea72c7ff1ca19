/*
 * What a text must hold for a regular expression to match it: a stretch of plain characters for
 * each of its alternatives. Most rows need something that the text does not hold, and are then
 * neither compiled nor matched. What is not understood here needs nothing.
 */
#include <ctype.h>
#include <string.h>

#include "failure_private.h"

#define MIN_NEED 3 /* shorter ones are nearly everywhere */

struct reader {
    const char *regex, *at;
    const char *run;          /* where the present stretch began */
    struct failure_need best; /* of this alternative */
};

/* The stretch ends before `end`. */
static void end_run(struct reader *r, const char *end)
{
    if (end - r->run > r->best.len)
        r->best = (struct failure_need){ (uint16_t)(r->run - r->regex), (uint16_t)(end - r->run) };
}

static bool is_escape_of_one(char c)
{
    return c && (!isalnum((unsigned char)c) || strchr("bBdDsSwWntr", c));
}

/* Behind the class that starts at `s`; NULL when it does not end. */
static const char *behind_class(const char *s)
{
    s++;
    s += *s == '^';
    s += *s == ']';
    for (; *s && *s != ']'; s++) {
        if (*s == '[')
            return NULL; /* may be [:alpha:] */
        if (*s == '\\' && !*++s)
            return NULL;
    }
    return *s ? s + 1 : NULL;
}

/* Behind the group that starts at `s`; NULL when it does not end or sets options for what follows.
 */
static const char *behind_group(const char *s)
{
    size_t depth = 0;

    do {
        if (*s == '(' && (s[1] == '*' || (s[1] == '?' && s[2 + strspn(s + 2, "-imsx")] == ')')))
            return NULL;
        if (*s == '\\' && !is_escape_of_one(s[1]))
            return NULL;
        if (*s == '[') {
            s = behind_class(s);
            if (!s)
                return NULL;
            continue;
        }
        depth += *s == '(';
        depth -= *s == ')';
        s += *s == '\\' ? 2 : 1;
    } while (depth > 0 && *s);
    return depth == 0 ? s : NULL;
}

/* Steps over one element or quantifier; false for what is not understood. */
static bool step(struct reader *r)
{
    const char *s = r->at;

    if (isalnum((unsigned char)*s) || strchr(" _:,'\"/=-<>!@#%&;~`", *s)) {
        r->at++;
        return true;
    }
    /* The last character may be missing. */
    end_run(r, *s && strchr("?*{", *s) && s > r->run ? s - 1 : s);
    switch (*s) {
    case '(':
        r->at = behind_group(s);
        break;
    case '[':
        r->at = behind_class(s);
        break;
    case '{':
        r->at = strchr(s, '}') ? strchr(s, '}') + 1 : NULL;
        break;
    case '\\':
        r->at = is_escape_of_one(s[1]) ? s + 2 : NULL;
        break;
    case ')':
        r->at = NULL;
        break;
    default:
        r->at++;
    }
    r->run = r->at;
    return r->at != NULL;
}

size_t failure_needs_read(const char *regex, struct failure_need *ret, size_t max)
{
    struct reader r = { .regex = regex, .at = regex, .run = regex };
    size_t n = 0;

    if (strlen(regex) > UINT16_MAX)
        return 0;
    for (;;) {
        bool ends = *r.at == '|' || !*r.at;
        if (!ends && !step(&r))
            return 0;
        if (!ends)
            continue;
        end_run(&r, r.at);
        if (r.best.len < MIN_NEED || n == max)
            return 0;
        ret[n++] = r.best;
        if (!*r.at)
            return n;
        r.run = ++r.at;
        r.best = (struct failure_need){ 0 };
    }
}
