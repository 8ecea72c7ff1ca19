/*
 * table - rows of text in columns, for people at a terminal.
 *
 * Columns are as wide as their widest cell; the last one takes what is left of the width and is cut
 * there (not at all when the width is 0, as for a pipe). Cells are cleaned: no escape sequence or
 * line break of theirs reaches the terminal.
 */
#ifndef DBCONN_APP_TABLE_H
#define DBCONN_APP_TABLE_H

#include "dbconn/base/buf.h"

struct table {
    size_t n_columns; /* set by the caller, the rest by table_cell() */
    char **cells;
    size_t n, cap;
};

void table_cell(struct table *t, const char *text); /* the next one; NULL is "" */
void table_cellf(struct table *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void table_print(const struct table *t, size_t width, struct buf *out);
void table_clear(struct table *t);

#endif
