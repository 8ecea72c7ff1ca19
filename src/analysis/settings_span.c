/* Pieces of text that are lent: what settings are cut into. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/text.h"
#include "settings_scan.h"

const struct diff_span span_nothing = { "", 0 };

struct diff_span span_part(struct diff_span s, size_t from, size_t to)
{
    return (struct diff_span){ s.text + from, to > from ? to - from : 0 };
}

size_t span_find(struct diff_span s, const char *what)
{
    size_t n = strlen(what);

    for (size_t i = 0; i + n <= s.len; i++)
        if ((n == 0 || !text_differs(s.text[i], *what)) && strncasecmp(s.text + i, what, n) == 0)
            return i;
    return s.len;
}

size_t span_find_any(struct diff_span s, const char *chars)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.text[i] != '\0' && strchr(chars, s.text[i]))
            return i;
    return s.len;
}

struct diff_span span_trim(struct diff_span s)
{
    while (s.len > 0 && isspace((unsigned char)*s.text)) {
        s.text++;
        s.len--;
    }
    while (s.len > 0 && isspace((unsigned char)s.text[s.len - 1]))
        s.len--;
    return s;
}

bool span_starts_with(struct diff_span s, const char *prefix)
{
    size_t n = strlen(prefix);

    return s.len > 0 && s.len >= n && strncasecmp(s.text, prefix, n) == 0;
}

bool span_has(struct diff_span s, const char *needle)
{
    size_t n = strlen(needle);

    for (size_t i = 0; i + n <= s.len; i++)
        if ((n == 0 || !text_differs(s.text[i], *needle)) &&
            strncasecmp(s.text + i, needle, n) == 0)
            return true;
    return false;
}

bool span_same(struct diff_span a, struct diff_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.text, b.text, a.len) == 0);
}

struct diff_span span_from(struct diff_span s, size_t from)
{
    return from < s.len ? (struct diff_span){ s.text + from, s.len - from }
                        : (struct diff_span){ s.text + s.len, 0 };
}
