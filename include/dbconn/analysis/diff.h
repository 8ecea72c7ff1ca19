/*
 * diff - reads unified patches into hunks of numbered lines.
 *
 * Two shapes: the hunks of one file, as GitHub's `files[].patch` holds them (no "---"/"+++" lines,
 * REST API "List pull requests files"), and a whole `git diff` text of many files (media type
 * application/vnd.github.diff). Nothing is copied: every text is lent by the bytes that were read,
 * which must outlive the result. Pure; any thread.
 */
#ifndef DBCONN_ANALYSIS_DIFF_H
#define DBCONN_ANALYSIS_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIFF_MAX_FILES 3000  /* what GitHub lists of one pull request at most */
#define DIFF_MAX_LINES 20000 /* of one file: GitHub's own limit of a shown diff */

enum diff_side { DIFF_CONTEXT, DIFF_REMOVED, DIFF_ADDED };

struct diff_span {
    const char *text; /* not NUL-terminated; without marker, "\n" and "\r" */
    size_t len;
};

struct diff_line {
    enum diff_side side;
    int64_t old_line, new_line; /* 1-based; 0 where the line does not exist on that side */
    struct diff_span span;
};

struct diff_hunk {
    int64_t old_start, old_count, new_start, new_count;
    struct diff_span section; /* what stands after the second "@@": an enclosing line; may be "" */
    size_t first_line, n_lines; /* in diff_patch.lines */
};

/* The hunks of one file. */
struct diff_patch {
    struct diff_hunk *hunks;
    size_t n_hunks, cap_hunks;
    struct diff_line *lines;
    size_t n_lines, cap_lines;
    bool cut; /* shorter than its headers say, over the limit of lines, or garbled: incomplete */
};

enum diff_status { DIFF_MODIFIED, DIFF_NEW, DIFF_DELETED, DIFF_RENAMED };

/* One file of a whole diff text. */
struct diff_file {
    char *path;     /* new path; the old one of a deleted file */
    char *old_path; /* of a renamed or copied file, else NULL */
    enum diff_status status;
    bool binary;
    struct diff_span patch; /* its hunks, for diff_patch_read(); empty: binary or only renamed */
};

struct diff_files {
    struct diff_file *items;
    size_t n, cap;
    bool cut; /* more than DIFF_MAX_FILES */
};

/* A NULL or empty patch gives no hunks. Never fails: what makes no sense sets `cut`. */
void diff_patch_read(const char *patch, size_t len, struct diff_patch *ret);
/* The same with at most `max_lines` lines; 0 and more than that: DIFF_MAX_LINES. */
void diff_patch_read_lines(const char *patch, size_t len, size_t max_lines, struct diff_patch *ret);
void diff_patch_clear(struct diff_patch *p);

/* Splits a whole diff into its files. Paths are unquoted ("\303\244" of git's core.quotePath). */
void diff_files_read(const char *text, size_t len, struct diff_files *ret);
void diff_files_clear(struct diff_files *f);

/* Does this commit or pull request message say that it takes another change back ("Revert ...",
 * "This reverts commit ...", "Roll back ...")? NULL is no. */
bool diff_message_reverts(const char *message);

#endif
