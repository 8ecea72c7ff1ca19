/* Tables of regular expressions: compiled once, when a text may match, and matched with limits.
 * Compiling all of them would be a third of the program's start. */
#include <assert.h>
#include <stdio.h>

#include "failure_private.h"

#define MATCH_LIMIT                                                                                \
    200000 /* backtracking steps of one match; a text that needs more doesn't match */

#define MAX_PAIRS 64 /* groups of one row, and the match itself */
#define MAX_NAMES 32 /* named groups of one row, repeated ones counted */

struct failure_compiled {
    const struct failure_rule *row;
    pcre2_code *code;           /* NULL: not needed yet */
    struct failure_need *needs; /* heap */
    size_t n_needs;             /* 0: matches may hold anything */
    bool needs_known;
    struct {
        enum failure_group group;
        uint32_t number;
    } names[MAX_NAMES];
    size_t n_names;
};

static const char *const group_names[] = {
    [GROUP_HOST] = "host", [GROUP_PORT] = "port", [GROUP_ADDR] = "addr",
    [GROUP_DB] = "db",     [GROUP_USER] = "user", [GROUP_CODE] = "code",
};

static void read_names(struct failure_compiled *c)
{
    uint32_t count = 0, size = 0;
    PCRE2_SPTR table = NULL;

    pcre2_pattern_info(c->code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(c->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(c->code, PCRE2_INFO_NAMETABLE, &table);
    assert(count <= MAX_NAMES);
    for (uint32_t i = 0; i < count; i++) {
        PCRE2_SPTR entry = table + (size_t)i * size;
        for (int g = 0; g < GROUP_COUNT; g++) {
            if (strcmp((const char *)entry + 2, group_names[g]) != 0)
                continue;
            c->names[c->n_names].group = (enum failure_group)g;
            c->names[c->n_names++].number = (uint32_t)entry[0] << 8 | entry[1];
        }
    }
}

/* The tables are ours: one that doesn't compile is a mistake of ours. */
static void compile(const char *regex, struct failure_compiled *ret)
{
    int code;
    PCRE2_SIZE at;

    ret->code = pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED,
                              PCRE2_UTF | PCRE2_CASELESS | PCRE2_DUPNAMES, &code, &at, NULL);
    if (!ret->code) {
        fprintf(stderr, "dbconn: a built-in pattern is wrong at %zu: %s\n", (size_t)at, regex);
        abort();
    }
    read_names(ret);
}

void failure_rules_add(struct failure_rules *set, const struct failure_rule *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct failure_compiled *c = VEC_ADD(set->compiled, set->n, set->cap);
        c->row = &rows[i];
    }
}

void failure_rules_clear(struct failure_rules *set)
{
    for (size_t i = 0; i < set->n; i++) {
        pcre2_code_free(set->compiled[i].code);
        free(set->compiled[i].needs);
    }
    free(set->compiled);
    *set = (struct failure_rules){ 0 };
}

static void read_groups(const struct failure_compiled *c, const PCRE2_SIZE *ov, uint32_t pairs,
                        struct failure_match *ret)
{
    ret->all = (struct span){ ov[0], ov[1] };
    for (size_t i = 0; i < c->n_names; i++) {
        uint32_t g = c->names[i].number;
        if (g < pairs && ov[2 * g] != PCRE2_UNSET && ov[2 * g] < ov[2 * g + 1])
            ret->groups[c->names[i].group] = (struct span){ ov[2 * g], ov[2 * g + 1] };
    }
}

void failure_matcher_init(struct failure_matcher *m, const char *text)
{
    m->limits = pcre2_match_context_create(NULL);
    m->data = pcre2_match_data_create(MAX_PAIRS, NULL);
    if (!m->limits || !m->data)
        abort(); /* out of memory on a small allocation, as in alloc.h */
    pcre2_set_match_limit(m->limits, MATCH_LIMIT);
    failure_matcher_text(m, text);
}

/* The long s and the sign of Kelvin are s and k to PCRE2 when case does not matter. */
void failure_matcher_text(struct failure_matcher *m, const char *text)
{
    haystack_init(&m->hay, text);
    m->ascii = true;
    for (size_t i = 0; i < m->hay.len && m->ascii; i++)
        m->ascii = (unsigned char)text[i] < 0x80;
    m->plain = m->ascii || (!strstr(text, "\xC5\xBF") && !strstr(text, "\xE2\x84\xAA"));
}

void failure_matcher_clear(struct failure_matcher *m)
{
    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->limits);
}

static void find_needs(struct failure_compiled *c)
{
    struct failure_need needs[FAILURE_MAX_NEEDS];

    c->needs_known = true;
    c->n_needs = failure_needs_read(c->row->regex, needs);
    c->needs = xcalloc(c->n_needs + 1, sizeof(*c->needs));
    memcpy(c->needs, needs, c->n_needs * sizeof(*c->needs));
}

/* False when the text lacks what the row needs. */
static bool may_match(struct failure_compiled *c, const struct failure_matcher *with)
{
    if (!c->needs_known)
        find_needs(c);
    for (size_t i = 0; i < c->n_needs; i++) {
        const struct failure_need *need = &c->needs[i];
        if (need->len ? haystack_has_part(&with->hay, c->row->regex + need->at, need->len)
                      : !with->ascii)
            return true;
    }
    return c->n_needs == 0 || !with->plain;
}

bool failure_rules_match(const struct failure_rules *set, size_t i, struct failure_matcher *with,
                         size_t from, struct failure_match *ret)
{
    struct failure_compiled *c = &set->compiled[i];

    if (!may_match(c, with))
        return false;
    if (!c->code)
        compile(c->row->regex, c);
    int rc = pcre2_match(c->code, (PCRE2_SPTR)with->hay.text, with->hay.len, from,
                         PCRE2_NO_UTF_CHECK, with->data, with->limits);

    if (rc <= 0)
        return false;
    *ret = (struct failure_match){ .row = c->row, .order = i };
    read_groups(c, pcre2_get_ovector_pointer(with->data), (uint32_t)rc, ret);
    return ret->all.end > ret->all.start;
}

const struct failure_rule *failure_rules_first(const struct failure_rules *set, const char *text)
{
    struct failure_matcher with;
    struct failure_match m;
    const struct failure_rule *found = NULL;

    if (!text || !*text)
        return NULL;
    failure_matcher_init(&with, text);
    for (size_t i = 0; i < set->n && !found; i++)
        if (failure_rules_match(set, i, &with, 0, &m))
            found = m.row;
    failure_matcher_clear(&with);
    return found;
}

static int by_start(const void *a, const void *b)
{
    const struct failure_match *x = a, *y = b;

    if (x->all.start != y->all.start)
        return x->all.start < y->all.start ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

size_t failure_rules_scan(const struct failure_rules *set, const char *text,
                          struct failure_match **ret)
{
    struct failure_match *all = NULL, m;
    struct failure_matcher with;
    size_t n = 0, cap = 0;

    failure_matcher_init(&with, text);
    for (size_t i = 0; i < set->n; i++)
        for (size_t from = 0; failure_rules_match(set, i, &with, from, &m); from = m.all.end)
            *VEC_ADD(all, n, cap) = m;
    failure_matcher_clear(&with);
    if (n)
        qsort(all, n, sizeof(*all), by_start);
    *ret = all;
    return n;
}
