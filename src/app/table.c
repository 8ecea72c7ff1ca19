#include "table.h"

#include "dbconn/base/text.h"
#include "dbconn/report/terminal.h"

#define GAP 2
#define LAST_AT_LEAST 20

void table_cell(struct table *t, const char *text)
{
    struct buf clean = BUF_INIT;

    text_clean(text ? text : "", true, &clean);
    *VEC_ADD(t->cells, t->n, t->cap) = buf_take(&clean);
}

void table_cellf(struct table *t, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    table_cell(t, buf_str(&text));
    buf_clear(&text);
}

static const char *cell(const struct table *t, size_t i)
{
    return t->cells[i] ? t->cells[i] : "";
}

static size_t column_width(const struct table *t, size_t column)
{
    size_t widest = 0;

    for (size_t i = column; i < t->n; i += t->n_columns) {
        size_t columns = terminal_columns(cell(t, i));
        widest = columns > widest ? columns : widest;
    }
    return widest;
}

static void print_row(const struct table *t, size_t row, const size_t *widths, size_t width,
                      struct buf *out)
{
    size_t used = 0;

    for (size_t c = 0; c < t->n_columns && row + c < t->n; c++) {
        const char *text = cell(t, row + c);
        if (c + 1 < t->n_columns) {
            buf_addf(out, "%s%*s", text, (int)(widths[c] + GAP - terminal_columns(text)), "");
            used += widths[c] + GAP;
        } else if (width == 0) {
            buf_adds(out, text);
        } else {
            terminal_cut(text, width > used + LAST_AT_LEAST ? width - used : LAST_AT_LEAST, out);
        }
    }
    while (out->len > 0 && out->data[out->len - 1] == ' ')
        buf_truncate(out, out->len - 1);
    buf_addc(out, '\n');
}

void table_print(const struct table *t, size_t width, struct buf *out)
{
    size_t *widths = xcalloc(t->n_columns, sizeof(*widths));

    for (size_t c = 0; c < t->n_columns; c++)
        widths[c] = column_width(t, c);
    for (size_t row = 0; row < t->n; row += t->n_columns)
        print_row(t, row, widths, width, out);
    free(widths);
}

void table_clear(struct table *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->cells[i]);
    free(t->cells);
    *t = (struct table){ .n_columns = t->n_columns };
}
