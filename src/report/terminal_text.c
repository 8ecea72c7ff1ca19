/* Measuring and wrapping text for a terminal. */
#include "dbconn/report/terminal.h"

#include "dbconn/base/text.h"

/* Wide and fullwidth characters and emoji (Unicode's EastAsianWidth and emoji presentation). */
static bool is_wide(unsigned cp)
{
    static const struct {
        unsigned from, to;
    } wide[] = {
        { 0x1100, 0x115F },   { 0x2E80, 0x303E },   { 0x3041, 0x33FF },   { 0x3400, 0x4DBF },
        { 0x4E00, 0x9FFF },   { 0xA000, 0xA4CF },   { 0xAC00, 0xD7A3 },   { 0xF900, 0xFAFF },
        { 0xFE30, 0xFE6F },   { 0xFF00, 0xFF60 },   { 0xFFE0, 0xFFE6 },   { 0x1F300, 0x1F64F },
        { 0x1F680, 0x1F6FF }, { 0x1F900, 0x1F9FF }, { 0x20000, 0x3FFFD },
    };

    for (size_t i = 0; i < ARRAY_LEN(wide); i++) {
        if (cp >= wide[i].from && cp <= wide[i].to)
            return true;
    }
    return false;
}

/* Length of the character at `s` and the columns it takes. */
static size_t next(const char *s, size_t len, size_t *columns)
{
    unsigned cp = 0;
    size_t n = text_decode(s, len, &cp);

    *columns = n == 0 ? 1 : text_is_mark(cp) || cp == 0x200D ? 0 : is_wide(cp) ? 2 : 1;
    return n ? n : 1;
}

static size_t columns_of(const char *s, size_t len)
{
    size_t total = 0, columns;

    for (size_t i = 0; i < len;) {
        i += next(s + i, len - i, &columns);
        total += columns;
    }
    return total;
}

size_t terminal_columns(const char *s)
{
    return columns_of(s, strlen(s));
}

/* The longest start of `s` that fits into `room` columns; at least one character. */
static size_t fitting(const char *s, size_t len, size_t room)
{
    size_t used = 0, columns, i = 0;

    while (i < len) {
        size_t n = next(s + i, len - i, &columns);
        if (used + columns > room && i > 0)
            break;
        used += columns;
        i += n;
    }
    return i;
}

void terminal_cut(const char *s, size_t width, struct buf *out)
{
    struct buf clean = BUF_INIT;

    text_clean(s, true, &clean);
    if (columns_of(buf_str(&clean), clean.len) <= width) {
        buf_adds(out, buf_str(&clean));
    } else if (width > 0) {
        buf_add(out, buf_str(&clean), width > 1 ? fitting(clean.data, clean.len, width - 1) : 0);
        buf_adds(out, "…");
    }
    buf_clear(&clean);
}

struct line {
    struct buf *out;
    size_t width, indent, at; /* columns; `at`: where the cursor stands */
    bool fresh;               /* nothing but the indent on this line */
};

static void line_break(struct line *l)
{
    buf_addc(l->out, '\n');
    for (size_t i = 0; i < l->indent; i++)
        buf_addc(l->out, ' ');
    l->at = l->indent;
    l->fresh = true;
}

/* A link stays whole however long it is: half a link is of no use to anybody. */
static bool is_link(const char *word)
{
    return text_istarts(word, "https://") || text_istarts(word, "http://");
}

static void add_word(struct line *l, const char *word, size_t len)
{
    size_t columns = columns_of(word, len);

    if (!l->fresh && l->at + 1 + columns > l->width)
        line_break(l);
    if (!l->fresh) {
        buf_addc(l->out, ' ');
        l->at++;
    }
    while (!is_link(word) && l->at + columns > l->width && l->width > l->indent) {
        size_t n = fitting(word, len, l->width > l->at ? l->width - l->at : 1);
        buf_add(l->out, word, n);
        word += n;
        len -= n;
        columns = columns_of(word, len);
        if (len == 0)
            break;
        line_break(l);
    }
    buf_add(l->out, word, len);
    l->at += columns;
    l->fresh = false;
}

void terminal_wrap(const char *s, size_t width, size_t first_indent, size_t indent, struct buf *out)
{
    struct line l = { out, width, indent, first_indent, true };
    struct buf clean = BUF_INIT;

    text_clean(s, true, &clean);
    for (const char *word = buf_str(&clean); *word;) {
        size_t len = strcspn(word, " ");
        add_word(&l, word, len);
        word += len + strspn(word + len, " ");
    }
    buf_addc(out, '\n');
    buf_clear(&clean);
}
