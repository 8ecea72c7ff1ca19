#include "settings_scope.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"

#define LOOK_BACK_MAX 1000 /* lines that are searched for the sections of a setting */

static size_t indent_of(struct diff_span s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.text[i] == ' ')
            n++;
        else if (s.text[i] == '\t')
            n += 4;
        else
            break;
    }
    return n;
}

static void add_line(struct side *s, const struct diff_line *line, struct comment_state *state)
{
    struct side_line *l = VEC_ADD(s->lines, s->n_lines, s->cap_lines);
    struct diff_span code = scan_code(s->lang, line->span, state, &l->comment);

    l->line = line;
    l->code = l->comment ? (struct diff_span){ code.text, 0 } : code;
    l->indent = indent_of(line->span);
    /* The keys of a YAML list item begin behind its dash. */
    while (s->lang == LANG_YAML && l->code.len > 2 && *l->code.text == '-' &&
           l->code.text[1] == ' ') {
        struct diff_span rest = { l->code.text + 1, l->code.len - 1 };
        rest = span_trim(rest);
        l->indent += (size_t)(rest.text - l->code.text);
        l->code = rest;
        l->item = true;
    }
}

/* "}," and "end": closes a block, opens none. */
static bool only_closes(struct diff_span code)
{
    if (span_is(code, "end") || span_is(code, "end)") || span_is(code, "fi") ||
        span_is(code, "done") || span_starts_with(code, "</"))
        return true;
    for (size_t i = 0; i < code.len; i++)
        if (!strchr(")]};, \t", code.text[i]))
            return false;
    return true;
}

static bool is_template_line(struct diff_span code)
{
    return span_starts_with(code, "{{") || span_starts_with(code, "{%") ||
           span_starts_with(code, "<%");
}

static bool is_section_header(const struct side *s, const struct side_line *l)
{
    return s->lang == LANG_INI && l->code.len > 2 && *l->code.text == '[';
}

static bool is_definition(const struct side *s, struct diff_span code)
{
    static const char *const words[] = {
        "def ",     "func ",      "function ",       "async ",       "public ",
        "private ", "protected ", "static ",         "fn ",          "fun ",
        "defp ",    "override ",  "export function", "export async", "if ",
        "for ",     "while ",     "with ",           "try",          "else",
        "elif "
    };

    if (!s->code)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (span_starts_with(code, words[i]))
            return true;
    /* "getUser(int id) {", but not "createPool({" */
    if (code.len < 2 || code.text[code.len - 1] != '{')
        return false;
    code = span_trim((struct diff_span){ code.text, code.len - 1 });
    return code.len > 0 && (code.text[code.len - 1] == ')' || code.text[code.len - 1] == '>');
}

static void add_section(struct entry *e, struct diff_span text, bool line, bool definition)
{
    if (e->n_sections < SCOPE_MAX && text.len > 0)
        e->sections[e->n_sections++] = (struct section){ text, line, definition };
}

/* The blocks around line `at`: each nearest line above that is indented less. */
static void add_outer_sections(const struct side *s, size_t at, struct entry *e)
{
    size_t bound = s->lines[at].indent;
    size_t last = at > LOOK_BACK_MAX ? at - LOOK_BACK_MAX : 0;
    bool header = false;

    e->parent = NO_PARENT;
    for (size_t i = at; i > last && !header; i--) {
        const struct side_line *l = &s->lines[i - 1];
        header = is_section_header(s, l);
        if (l->code.len == 0 || only_closes(l->code) || (l->indent >= bound && !header))
            continue;
        if (is_template_line(l->code)) { /* stands wherever it likes, and opens no section */
            add_section(e, l->code, true, true);
            continue;
        }
        if (e->parent == NO_PARENT)
            e->parent = i - 1;
        add_section(e, l->code, true, is_definition(s, l->code));
        bound = l->indent;
        if (bound == 0 && s->lang != LANG_INI)
            break;
    }
    /* git shows the last line above the hunk that begins in the first column */
    if (bound > 0 && s->header.len > 0)
        add_section(e, span_trim(s->header), true, is_definition(s, span_trim(s->header)));
}

/* "default" of Terraform's variables and of CloudFormation's and Helm's parameters. */
static bool is_value_key(enum language lang, struct diff_span key)
{
    if (lang != LANG_JSON && (span_is(key, "default") || span_is(key, "Default")))
        return true;
    return span_is(key, "value") || span_is(key, "Value") || span_is(key, "defaultValue") ||
           span_is(key, "DefaultValue") || span_is(key, "ParameterValue");
}

static bool is_name_key(struct diff_span key)
{
    return span_is(key, "name") || span_is(key, "Name") || span_is(key, "key") ||
           span_is(key, "Key") || span_is(key, "ParameterKey") || span_is(key, "ParameterName");
}

static struct diff_span unquoted(struct diff_span s)
{
    while (s.len > 0 && strchr(",\"'", s.text[s.len - 1]))
        s.len--;
    while (s.len > 0 && strchr("\"'", *s.text)) {
        s.text++;
        s.len--;
    }
    return s;
}

/* "/data/DB_HOST" of a JSON patch (RFC 6902) */
static struct diff_span end_of_path(struct diff_span path)
{
    size_t start = path.len;

    while (start > 0 && path.text[start - 1] != '/')
        start--;
    return (struct diff_span){ path.text + start, path.len - start };
}

/* The name line of a value line: in the same list item, before it or behind it. */
static struct diff_span name_of_value(const struct side *s, size_t at)
{
    struct diff_span none = { "", 0 };
    struct scan scan;

    for (int step = -1; step <= 1; step += 2) {
        for (size_t i = at; step < 0 ? i > 0 : i + 1 < s->n_lines;) {
            const struct side_line *here = &s->lines[i];
            if (step < 0 && here->item && here->indent == s->lines[at].indent)
                break; /* the item begins here */
            i = step < 0 ? i - 1 : i + 1;
            here = &s->lines[i];
            if (here->code.len == 0)
                continue;
            if (here->indent != s->lines[at].indent || (step > 0 && here->item))
                break;
            scan_line(s->lang, here->code, &scan);
            if (scan.n > 0 && is_name_key(scan.items[0].key))
                return unquoted(scan.items[0].value);
            if (scan.n > 0 && span_is(scan.items[0].key, "path"))
                return end_of_path(unquoted(scan.items[0].value));
        }
    }
    return none;
}

/* The name in 'variable "db_pool_size" {': the last word of the line that opens the block. */
static struct diff_span name_of_block(struct diff_span line)
{
    size_t end = line.len, start;

    while (end > 0 && strchr(" \t{:=([", line.text[end - 1]))
        end--;
    start = end;
    while (start > 0 && !isspace((unsigned char)line.text[start - 1]))
        start--;
    return unquoted((struct diff_span){ line.text + start, end - start });
}

static void read_words(struct entry *e)
{
    if (e->key.len > 0)
        words_add(e->key, &e->words);
    else if (e->n_sections > 0)
        scan_block_words(e->sections[0].text, &e->words);
    e->known = words_kind(&e->words, &e->kind, &e->used, &e->intrinsic);
}

/* "kind: Service", "name: orders-db", "namespace: staging", "RAILS_ENV: test" */
static bool is_note(const struct entry *e)
{
    static const char *const names[] = { "kind",    "name",     "namespace", "environment", "env",
                                         "profile", "profiles", "stage",     "workspace" };
    const struct words *w = &e->words;

    for (size_t i = 0; w->n > 0 && i < ARRAY_LEN(names); i++)
        if (word_is(w->items[w->n - 1], names[i]))
            return e->key.len > 0 && e->value.len <= 60;
    return false;
}

static void add_entry(struct side *s, size_t at, const struct assignment *a)
{
    struct entry *e = VEC_ADD(s->entries, s->n_entries, s->cap_entries);

    e->line = s->lines[at].line;
    e->key = a->key;
    e->value = a->value;
    e->indent = s->lines[at].indent;
    for (size_t i = a->n_parents; i > 0; i--)
        add_section(e, a->parents[i - 1], false, false);
    e->inner = a->n_parents > 0 ? a->parents[a->n_parents - 1] : (struct diff_span){ "", 0 };
    add_outer_sections(s, at, e);
    if (is_value_key(s->lang, e->key)) {
        struct diff_span name = name_of_value(s, at);
        if (name.len == 0 && e->n_sections > 0)
            name = name_of_block(e->sections[0].text);
        if (name.len > 0)
            e->key = name;
    }
    read_words(e);
    if (s->n_notes < NOTES_MAX && is_note(e))
        s->notes[s->n_notes++] = s->n_entries - 1;
}

/* "ALTER ROLE app CONNECTION LIMIT 5", "SET GLOBAL max_connections = 50": settings in SQL. */
static bool read_sql_limit(struct diff_span code, struct assignment *ret)
{
    static const char *const names[] = { "connection limit", "max_user_connections",
                                         "max_connections" };

    if (!span_has(code, "alter ") && !span_has(code, "set global") &&
        !span_has(code, "create role"))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        for (size_t k = 0; k + strlen(names[i]) <= code.len; k++) {
            if (strncasecmp(code.text + k, names[i], strlen(names[i])) != 0)
                continue;
            size_t end = k + strlen(names[i]), start;
            while (end < code.len && strchr(" =\t", code.text[end]))
                end++;
            start = end;
            while (end < code.len && isdigit((unsigned char)code.text[end]))
                end++;
            memset(ret, 0, sizeof(*ret));
            ret->key = (struct diff_span){ code.text + k, strlen(names[i]) };
            ret->value = (struct diff_span){ code.text + start, end - start };
            return end > start;
        }
    }
    return false;
}

void side_read(const struct diff_patch *p, const struct diff_hunk *h, enum diff_side which,
               const struct path_facts *path, struct side *ret)
{
    struct comment_state state = { false, 0 };
    struct assignment limit;
    struct scan scan;

    memset(ret, 0, sizeof(*ret));
    ret->lang = path->lang;
    ret->code = path->code;
    ret->header = h->section;
    for (size_t i = h->first_line; i < h->first_line + h->n_lines; i++)
        if (p->lines[i].side == DIFF_CONTEXT || p->lines[i].side == which)
            add_line(ret, &p->lines[i], &state);
    for (size_t i = 0; i < ret->n_lines; i++) {
        if (ret->code && read_sql_limit(ret->lines[i].code, &limit)) {
            add_entry(ret, i, &limit);
            continue;
        }
        scan_line(ret->lang, ret->lines[i].code, &scan);
        for (size_t k = 0; k < scan.n; k++)
            add_entry(ret, i, &scan.items[k]);
    }
}

void side_clear(struct side *s)
{
    free(s->lines);
    free(s->entries);
    memset(s, 0, sizeof(*s));
}

bool entries_are_siblings(const struct entry *a, const struct entry *b)
{
    size_t mine = a->words.n - (a->known ? a->used : 0);
    size_t theirs = b->words.n - (b->known ? b->used : 0);

    if (mine != theirs || a->parent != b->parent || !span_same(a->inner, b->inner) ||
        (a->parent == NO_PARENT && a->indent != b->indent))
        return false;
    for (size_t i = 0; i < mine; i++)
        if (a->words.items[i].len != b->words.items[i].len ||
            strncasecmp(a->words.items[i].text, b->words.items[i].text, a->words.items[i].len) != 0)
            return false;
    return true;
}

void side_neighbours(const struct side *s, const struct entry *e, size_t *ret_from, size_t *ret_to)
{
    size_t at = (size_t)(e - s->entries);

    *ret_from = at > NEIGHBOURS_MAX ? at - NEIGHBOURS_MAX : 0;
    *ret_to = s->n_entries - at > NEIGHBOURS_MAX ? at + NEIGHBOURS_MAX : s->n_entries;
}
