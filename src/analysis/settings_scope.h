/*
 * One side of a hunk (before or after the change) as a list of settings, each with the sections
 * that it stands in, as far as the hunk shows them.
 */
#ifndef DBCONN_ANALYSIS_SETTINGS_SCOPE_H
#define DBCONN_ANALYSIS_SETTINGS_SCOPE_H

#include "settings_target.h"

#define SCOPE_MAX 8
#define NOTES_MAX 64       /* declarations of a hunk that are looked at */
#define NEIGHBOURS_MAX 100 /* entries before and behind one that may stand beside it */

/* A section: a line that opens a block around the setting, or a name opened on its own line. */
struct section {
    struct diff_span text;
    bool line;       /* a whole line: its name is what scan_block_words() gives */
    bool definition; /* of a function: its name says less than a section's */
};

struct entry {
    const struct diff_line *line;
    struct diff_span key;   /* of "name: X" and "value: Y" it is X */
    struct diff_span value; /* as written */
    size_t indent;
    size_t parent;                      /* index of the line that opens its block, or NO_PARENT */
    struct section sections[SCOPE_MAX]; /* innermost first */
    size_t n_sections;
    struct diff_span inner; /* innermost section of its own line, or empty: tells siblings apart */
    struct words words;     /* of the key; of its section when it has none */
    bool known;             /* the words say what it sets: */
    enum setting_kind kind;
    size_t used;    /* how many of the words say so */
    bool intrinsic; /* only databases have such a setting */
};

#define NO_PARENT SIZE_MAX

struct side_line {
    const struct diff_line *line;
    struct diff_span code; /* without comment */
    size_t indent;
    bool comment; /* nothing else */
    bool item;    /* begins with "- " */
};

struct side {
    enum language lang;
    bool code;
    struct diff_span header; /* the hunk header's section */
    struct side_line *lines;
    size_t n_lines, cap_lines;
    struct entry *entries;
    size_t n_entries, cap_entries;
    size_t notes[NOTES_MAX]; /* entries that declare what others are for: kind, name, environment */
    size_t n_notes;
};

/* `which` is DIFF_REMOVED for the old side, DIFF_ADDED for the new one. */
void side_read(const struct diff_patch *p, const struct diff_hunk *h, enum diff_side which,
               const struct path_facts *path, struct side *ret);
void side_clear(struct side *s);

/* Do both belong to one group of settings (same block, same names before host, port, ...)? */
bool entries_are_siblings(const struct entry *a, const struct entry *b);
/* The entries that may stand beside s->entries[i], as a range of indices. */
void side_neighbours(const struct side *s, const struct entry *e, size_t *ret_from, size_t *ret_to);

#endif
