/* What of a line is a comment, and what is a quoted string, in each language. */
#include <ctype.h>
#include <string.h>

#include "settings_scan.h"

enum comment_mark {
    MARK_HASH = 1 << 0,
    MARK_SLASHES = 1 << 1, /* and the block form */
    MARK_DASHES = 1 << 2,
    MARK_SEMICOLON = 1 << 3,
    MARK_XML = 1 << 4,
    MARK_QUOTES = 1 << 5, /* Python's long strings, which serve as comments */
};

static unsigned comment_marks(enum language lang)
{
    switch (lang) {
    case LANG_YAML:
    case LANG_ENV:
    case LANG_HASH:
        return MARK_HASH;
    case LANG_PYTHON:
        return MARK_HASH | MARK_QUOTES;
    case LANG_JSON:
    case LANG_SLASH:
        return MARK_SLASHES;
    case LANG_HCL:
    case LANG_PHP:
        return MARK_HASH | MARK_SLASHES;
    case LANG_INI:
        return MARK_HASH | MARK_SEMICOLON;
    case LANG_XML:
        return MARK_XML;
    case LANG_SQL:
        return MARK_DASHES | MARK_SLASHES;
    case LANG_TEXT:
        break;
    }
    return 0;
}

/* Does a comment to the end of the line begin at i? In configuration "#" must follow a blank: it
 * may be part of a password or a URL. */
static bool comment_begins(unsigned marks, enum language lang, struct diff_span s, size_t i)
{
    bool blank = i == 0 || isspace((unsigned char)s.text[i - 1]);

    if ((marks & MARK_HASH) && s.text[i] == '#')
        return blank || lang == LANG_HASH || lang == LANG_PYTHON || lang == LANG_PHP;
    if ((marks & MARK_SEMICOLON) && s.text[i] == ';')
        return blank;
    if ((marks & MARK_SLASHES) && span_at(s, i, "//"))
        return i == 0 || s.text[i - 1] != ':';
    return (marks & MARK_DASHES) && span_at(s, i, "--");
}

size_t scan_skip_quoted(struct diff_span s, size_t i)
{
    char quote = s.text[i];

    for (i++; i < s.len; i++) {
        if (s.text[i] == '\\')
            i++;
        else if (s.text[i] == quote)
            return i + 1;
    }
    return s.len;
}

bool scan_opens_string(struct diff_span s, size_t i)
{
    char c = s.text[i];

    if (c != '"' && c != '\'' && c != '`')
        return false;
    return c == '"' || i == 0 || !isalnum((unsigned char)s.text[i - 1]);
}

static size_t end_of_block(struct diff_span s, size_t i, unsigned marks, bool *found)
{
    const char *end = (marks & MARK_XML) ? "-->" : "*/";

    for (; i < s.len; i++) {
        *found = span_at(s, i, end);
        if (*found)
            return i + strlen(end);
    }
    *found = false;
    return s.len;
}

static size_t end_of_long_quotes(struct diff_span s, size_t i, struct comment_state *state)
{
    const char end[] = { state->quotes, state->quotes, state->quotes, '\0' };

    for (; i < s.len; i++) {
        if (span_at(s, i, end)) {
            state->quotes = 0;
            return i + 3;
        }
    }
    return s.len;
}

/* A line of program text that belongs to a block comment which began above the hunk. */
static bool looks_inside_comment(enum language lang, struct diff_span line)
{
    struct diff_span s = span_trim(line);

    return (lang == LANG_SLASH || lang == LANG_PHP) && s.len > 0 && *s.text == '*' &&
           (s.len == 1 || s.text[1] == ' ' || s.text[1] == '/');
}

struct diff_span scan_code(enum language lang, struct diff_span line, struct comment_state *state,
                           bool *ret_comment)
{
    unsigned marks = comment_marks(lang);
    size_t i = 0, start = 0, end = line.len;
    bool found, began = state->block || state->quotes;
    struct diff_span code;

    if (state->block) {
        start = i = end_of_block(line, 0, marks, &found);
        state->block = !found;
    } else if (state->quotes) {
        start = i = end_of_long_quotes(line, 0, state);
    }
    while (i < line.len) {
        if ((marks & MARK_QUOTES) && (span_at(line, i, "\"\"\"") || span_at(line, i, "'''"))) {
            state->quotes = line.text[i];
            end = i;
            i = end_of_long_quotes(line, i + 3, state);
            began = true;
        } else if (((marks & MARK_SLASHES) && span_at(line, i, "/*")) ||
                   ((marks & MARK_XML) && span_at(line, i, "<!--"))) {
            end = i;
            i = end_of_block(line, i + 2, marks, &found);
            state->block = !found;
            began = true;
            /* what follows a comment inside of a line is rare, and lost */
        } else if (comment_begins(marks, lang, line, i)) {
            end = end < i ? end : i;
            began = true;
            break;
        } else {
            i = scan_opens_string(line, i) ? scan_skip_quoted(line, i) : i + 1;
        }
    }
    code = span_trim(span_part(line, start, end > start ? end : start));
    *ret_comment = (code.len == 0 && began) || (lang == LANG_TEXT && code.len > 0) ||
                   looks_inside_comment(lang, line);
    return code;
}

struct diff_span scan_comment_text(struct diff_span line)
{
    static const char marks[] = "#/;*-<!>\"' \t";
    struct diff_span s = span_trim(line);

    while (s.len > 0 && strchr(marks, *s.text))
        s = span_from(s, 1);
    return s;
}
