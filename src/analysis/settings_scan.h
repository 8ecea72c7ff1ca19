/* Finds the assignments of one line of configuration or program text, whatever the language. */
#ifndef DBCONN_ANALYSIS_SETTINGS_SCAN_H
#define DBCONN_ANALYSIS_SETTINGS_SCAN_H

#include <string.h>

#include "settings_path.h"

#define SCAN_MAX 24
#define SCAN_PARENTS_MAX 4
#define SCAN_MAX_LINE 4096 /* bytes of a line that are looked at: settings are short */

struct assignment {
    struct diff_span key;                       /* empty: a value that stands by itself */
    struct diff_span parents[SCAN_PARENTS_MAX]; /* opened on the same line, outermost first */
    size_t n_parents;
    struct diff_span value; /* as written, with quotes */
};

struct scan {
    struct assignment items[SCAN_MAX];
    size_t n;
};

/* State of comments and texts that reach over several lines. */
struct comment_state {
    bool block;  /* inside of a block comment or of "<!-- -->" */
    char quotes; /* inside of """ or ''' of Python */
};

/*
 * The part of a line that is no comment, trimmed on the right. *ret_comment: nothing but a comment
 * (or the inside of one). Goes on from *state.
 */
struct diff_span scan_code(enum language lang, struct diff_span line, struct comment_state *state,
                           bool *ret_comment);
/* The text of a comment line without its marks: for naming what was commented out. */
struct diff_span scan_comment_text(struct diff_span line);

/* Past a quoted string that begins at i; past the line when it does not end. */
size_t scan_skip_quoted(struct diff_span s, size_t i);
/* Is this quote a string's, and not an apostrophe of plain text ("don't")? */
bool scan_opens_string(struct diff_span s, size_t i);
void scan_line(enum language lang, struct diff_span code, struct scan *ret);

/* Program text that only mentions: imports and log statements. */
bool scan_is_mention(enum language lang, struct diff_span code);
/* Words of a line that opens a block ("resource "aws_db_instance" "main" {", "database:"). */
void scan_block_words(struct diff_span code, struct words *ret);

extern const struct diff_span span_nothing;

struct diff_span span_trim(struct diff_span s);
/* From there to the end. */
struct diff_span span_from(struct diff_span s, size_t from);
struct diff_span span_part(struct diff_span s, size_t from, size_t to); /* empty when to <= from */
/* Where it is first, s.len when it is nowhere. */
size_t span_find(struct diff_span s, const char *what); /* ASCII case-insensitive */
size_t span_find_any(struct diff_span s, const char *chars);
bool span_starts_with(struct diff_span s, const char *prefix); /* ASCII case-insensitive */
bool span_has(struct diff_span s, const char *needle);         /* ASCII case-insensitive */
bool span_same(struct diff_span a, struct diff_span b);

/* Asked at every byte of a line, mostly for a literal, whose length the compiler then knows. */
static inline bool span_at(struct diff_span s, size_t i, const char *what) /* does it stand at i? */
{
    size_t n = strlen(what);

    return i + n <= s.len && memcmp(s.text + i, what, n) == 0;
}

static inline bool span_is(struct diff_span s, const char *text)
{
    return s.len == strlen(text) && (s.len == 0 || memcmp(s.text, text, s.len) == 0);
}

#endif
