/*
 * terminal - a casefile for people at a terminal.
 *
 * Pure: appends text to a buffer; whoever has the terminal does the writing and the cursor moves.
 * Lines never exceed `width` columns where the text can be broken, wide characters count as two.
 * All text from outside is cleaned again, so that no escape sequence reaches the terminal.
 */
#ifndef DBCONN_REPORT_TERMINAL_H
#define DBCONN_REPORT_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

#include "dbconn/base/buf.h"

struct casefile;
struct step_record;

struct terminal_options {
    int width;      /* columns; 0: 80; at least 40 is used */
    bool colour;    /* ANSI SGR colours; never the only carrier of a meaning */
    int64_t now_ms; /* for "running for 12 s"; TIME_UNKNOWN: not said */
};

/* One line for a step that started or ended, for logs and pipes:
 * "[3/8] Connection details: done in 12 ms. PostgreSQL at db-1:5432." */
void terminal_step_line(const struct casefile *c, const struct step_record *s,
                        const struct terminal_options *o, struct buf *out);

/* What the screen should show while it runs: a title and a line per step (and its outcome), each
 * at most `width` columns, so that the caller can count lines. `tick` moves the sign of life.
 * Returns the number of lines. */
size_t terminal_live(const struct casefile *c, const struct terminal_options *o, unsigned tick,
                     struct buf *out);

/* The whole report, answer first. */
void terminal_report(const struct casefile *c, const struct terminal_options *o, struct buf *out);

/* Columns that `s` takes (UTF-8; combining 0, East Asian wide and emoji 2). */
size_t terminal_columns(const char *s);
/* Appends one line of `s`, at most `width` columns, ending in "…" when something was cut. */
void terminal_cut(const char *s, size_t width, struct buf *out);
/* Appends `s` wrapped to `width` columns; the first line continues at column `first_indent`
 * (already written by the caller), the others start with `indent` blanks. Ends in \n. */
void terminal_wrap(const char *s, size_t width, size_t first_indent, size_t indent,
                   struct buf *out);

#endif
