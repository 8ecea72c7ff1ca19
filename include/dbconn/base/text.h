/*
 * text - UTF-8 from strangers made safe to show: repaired, without control, bidi-override and
 * invisible characters, cut only at code point borders.
 */
#ifndef DBCONN_BASE_TEXT_H
#define DBCONN_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "dbconn/base/buf.h"

/* Decodes the code point at the start of `len` bytes (RFC 3629: no surrogates, no overlong forms)
 * and gives its length; 0 when it is invalid or `len` is 0. */
size_t text_decode(const char *text, size_t len, unsigned *cp);
#define TEXT_MAX_MARKS 4        /* combining marks on one character that text_clean() keeps */
bool text_is_mark(unsigned cp); /* a combining mark: it takes no column of its own */
bool text_is_utf8(const char *s, size_t len);
/* Appends `s` with every invalid sequence replaced by U+FFFD. */
void text_repair_utf8(const char *s, size_t len, struct buf *out);
/* Appends `s` repaired, C0/C1 controls (but \n and \t) removed, bidi controls and zero-width
 * characters removed, and of a pile of combining marks all but the first few. With `one_line`,
 * every run of white space becomes one space. */
void text_clean(const char *s, bool one_line, struct buf *out);
/* The largest length <= max that does not cut a code point of `s`. */
size_t text_cut(const char *s, size_t max);
/* Appends at most `max` bytes of `s`, ending in "…" when something was cut and there is room for
 * it. */
void text_add_cut(struct buf *out, const char *s, size_t max);

bool text_starts(const char *s, const char *prefix); /* NULL-safe, case-sensitive */
/* Not the same letter, whatever its case? Rules out most before strncasecmp() is called. */
static inline bool text_differs(char a, char b)
{
    return ((a ^ b) & ~0x20) != 0;
}

bool text_istarts(const char *s, const char *prefix);   /* ASCII case-insensitive */
bool text_icontains(const char *s, const char *needle); /* ASCII case-insensitive, NULL-safe */
bool text_same(const char *a, const char *b);           /* both NULL is the same */
bool text_isame(const char *a, const char *b);

#endif
