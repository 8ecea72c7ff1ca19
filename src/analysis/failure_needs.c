/*
 * What a text must hold for a regular expression to match it: one of a few stretches of plain
 * characters. Most rows need something that the text does not hold, and are then neither compiled
 * nor matched. What is not understood here needs nothing.
 */
#include <ctype.h>
#include <string.h>

#include "failure_private.h"

#define MIN_LENGTH 3 /* shorter stretches are nearly everywhere */
#define FOREIGN 5    /* a character beyond ASCII tells as much as so many others */

/* One of these; n 0: nothing is needed. */
struct needs {
    struct failure_need items[FAILURE_MAX_NEEDS];
    size_t n;
};

struct reader {
    const char *regex, *at;
};

static bool read_alternatives(struct reader *r, struct needs *ret);

/* How much the least telling one tells. */
static size_t worth(const struct needs *x)
{
    size_t least = 0;

    for (size_t i = 0; i < x->n; i++) {
        size_t tells = x->items[i].len ? x->items[i].len : FOREIGN;
        if (i == 0 || tells < least)
            least = tells;
    }
    return least;
}

/* Of all that an alternative needs the most telling is looked for. */
static void choose(struct needs *best, const struct needs *other)
{
    if (worth(other) > worth(best))
        *best = *other;
}

static void choose_run(const struct reader *r, const char *run, const char *end, struct needs *best)
{
    struct failure_need need = { (uint16_t)(run - r->regex), (uint16_t)(end - run) };

    if (end - run >= MIN_LENGTH)
        choose(best, &(struct needs){ .items = { need }, .n = 1 });
}

/* Is what ends here wanted at least once? */
static bool is_wanted(const char *behind)
{
    return !*behind || !strchr("?*{", *behind);
}

static bool is_plain(char c)
{
    return isalnum((unsigned char)c) || (c && strchr(" _:,'\"/=-<>!@#%&;~`", c));
}

/* Escapes of one character, or of one out of a class. */
static bool skip_escape(struct reader *r)
{
    char c = r->at[1];

    r->at += 2;
    return c && (!isalnum((unsigned char)c) || strchr("bBdDsSwWntr", c));
}

static bool skip_class(struct reader *r)
{
    const char *s = r->at + 1;

    s += *s == '^';
    s += *s == ']';
    for (; *s && *s != ']'; s++)
        if (*s == '[' || (*s == '\\' && !*++s))
            return false; /* may be [:alpha:] */
    r->at = s + 1;
    return *s == ']';
}

/* "(", "(?:", "(?<name>", "(?-i:" hold what is needed; lookarounds may hold the contrary. */
static bool read_opening(struct reader *r, bool *ret_holds)
{
    const char *s = r->at + 1;
    size_t options;

    *ret_holds = true;
    if (*s != '?') {
        r->at = s;
        return *s != '*';
    }
    s++;
    options = strspn(s, "-ims");
    if (s[options] == ':') {
        r->at = s + options + 1;
        return true;
    }
    if (*s == '<' && isalpha((unsigned char)s[1])) {
        r->at = strchr(s, '>') ? strchr(s, '>') + 1 : s;
        return r->at > s;
    }
    *ret_holds = false;
    s += *s == '<';
    r->at = s + 1;
    return *s == '=' || *s == '!';
}

static bool read_group(struct reader *r, struct needs *best)
{
    struct needs inner;
    bool holds;

    if (!read_opening(r, &holds) || !read_alternatives(r, &inner) || *r->at != ')')
        return false;
    r->at++;
    if (holds && is_wanted(r->at))
        choose(best, &inner);
    return true;
}

static void read_foreign(struct reader *r, struct needs *best)
{
    r->at++;
    while (((unsigned char)*r->at & 0xC0) == 0x80)
        r->at++;
    if (is_wanted(r->at))
        choose(best, &(struct needs){ .n = 1 });
}

static bool skip_quantifier(struct reader *r)
{
    const char *end = strchr(r->at, '}');

    r->at = end ? end + 1 : r->at;
    return end != NULL;
}

static void read_run(struct reader *r, struct needs *best)
{
    const char *run = r->at;

    while (is_plain(*r->at))
        r->at++;
    choose_run(r, run, is_wanted(r->at) ? r->at : r->at - 1, best);
}

/* False for what is not understood. */
static bool read_element(struct reader *r, struct needs *best)
{
    if (is_plain(*r->at)) {
        read_run(r, best);
        return true;
    }
    if ((unsigned char)*r->at >= 0x80) {
        read_foreign(r, best);
        return true;
    }
    switch (*r->at) {
    case '(':
        return read_group(r, best);
    case '[':
        return skip_class(r);
    case '\\':
        return skip_escape(r);
    case '{':
        return skip_quantifier(r);
    default: /* . ^ $ ? * + */
        r->at++;
        return true;
    }
}

/* Up to the end or a closing bracket. Each alternative adds what it needs; one that needs nothing
 * spoils it. */
static bool read_alternatives(struct reader *r, struct needs *ret)
{
    bool spoilt = false;

    ret->n = 0;
    for (;; r->at++) {
        struct needs best = { .n = 0 };
        while (*r->at && *r->at != '|' && *r->at != ')')
            if (!read_element(r, &best))
                return false;
        spoilt = spoilt || best.n == 0 || ret->n + best.n > FAILURE_MAX_NEEDS;
        for (size_t i = 0; !spoilt && i < best.n; i++)
            ret->items[ret->n++] = best.items[i];
        if (*r->at != '|')
            break;
    }
    if (spoilt)
        ret->n = 0;
    return true;
}

size_t failure_needs_read(const char *regex, struct failure_need *ret)
{
    struct reader r = { .regex = regex, .at = regex };
    struct needs needs;

    if (strlen(regex) > UINT16_MAX || !read_alternatives(&r, &needs) || *r.at)
        return 0;
    memcpy(ret, needs.items, needs.n * sizeof(*ret));
    return needs.n;
}
