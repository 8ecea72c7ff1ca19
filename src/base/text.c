#include "dbconn/base/text.h"

#include <stdint.h>
#include <strings.h>

size_t text_decode(const char *text, size_t len, unsigned *cp)
{
    static const unsigned smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *s = (const unsigned char *)text;

    if (len == 0)
        return 0;
    size_t n = s[0] < 0x80                   ? 1
               : s[0] >= 0xC2 && s[0] < 0xE0 ? 2
               : s[0] >= 0xE0 && s[0] < 0xF0 ? 3
               : s[0] >= 0xF0 && s[0] < 0xF5 ? 4
                                             : 0;

    if (n == 0 || n > len)
        return 0;
    *cp = n == 1 ? s[0] : s[0] & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        *cp = *cp << 6 | (s[i] & 0x3F);
    }
    if (*cp < smallest[n] || *cp > 0x10FFFF || (*cp >= 0xD800 && *cp <= 0xDFFF))
        return 0;
    return n;
}

/* How many of the next bytes, in eights, are ASCII: nearly all of what comes. */
static size_t ascii_run(const char *s, size_t len)
{
    size_t n = 0;

    for (uint64_t word; n + sizeof(word) <= len; n += sizeof(word)) {
        memcpy(&word, s + n, sizeof(word));
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    return n;
}

bool text_is_utf8(const char *s, size_t len)
{
    unsigned cp;

    for (size_t i = 0, n; i < len; i += n) {
        n = ascii_run(s + i, len - i);
        if (n > 0)
            continue;
        n = text_decode(s + i, len - i, &cp);
        if (n == 0)
            return false;
    }
    return true;
}

void text_repair_utf8(const char *s, size_t len, struct buf *out)
{
    unsigned cp;

    for (size_t i = 0; i < len;) {
        size_t n = text_decode(s + i, len - i, &cp);
        if (n == 0) {
            buf_adds(out, "\xEF\xBF\xBD");
            i++;
        } else {
            buf_add(out, s + i, n);
            i += n;
        }
    }
}

/* Characters that change how their neighbours look, or that nobody can see. */
static bool is_trickery(unsigned cp)
{
    return (cp < 0x20 && cp != '\n' && cp != '\t') || (cp >= 0x7F && cp < 0xA0) || cp == 0xAD ||
           cp == 0x61C || cp == 0x115F || cp == 0x1160 || cp == 0x180E ||
           (cp >= 0x200B && cp <= 0x200F) || (cp >= 0x2028 && cp <= 0x202E) ||
           (cp >= 0x2060 && cp <= 0x206F) || cp == 0x3164 || cp == 0xFEFF || cp == 0xFFA0 ||
           (cp >= 0xFFF0 && cp <= 0xFFFB) || (cp >= 0xE0000 && cp <= 0xE0FFF);
}

bool text_is_mark(unsigned cp)
{
    return (cp >= 0x300 && cp <= 0x36F) || (cp >= 0x483 && cp <= 0x489) ||
           (cp >= 0x591 && cp <= 0x5BD) || (cp >= 0x610 && cp <= 0x61A) ||
           (cp >= 0x64B && cp <= 0x65F) || cp == 0xE31 || (cp >= 0xE34 && cp <= 0xE3A) ||
           (cp >= 0xE47 && cp <= 0xE4E) || (cp >= 0x1AB0 && cp <= 0x1AFF) ||
           (cp >= 0x1DC0 && cp <= 0x1DFF) || (cp >= 0x20D0 && cp <= 0x20FF) ||
           (cp >= 0xFE00 && cp <= 0xFE0F) || (cp >= 0xFE20 && cp <= 0xFE2F);
}

void text_clean(const char *s, bool one_line, struct buf *out)
{
    size_t len = s ? strlen(s) : 0, start = out->len, marks = 0;
    unsigned cp;

    for (size_t i = 0; i < len;) {
        size_t n = text_decode(s + i, len - i, &cp);
        bool space = n == 1 && (cp == ' ' || cp == '\n' || cp == '\t' || cp == '\r');
        if (n == 0) {
            buf_adds(out, "\xEF\xBF\xBD");
            i++;
            continue;
        }
        if (one_line && space) {
            if (out->len > start && out->data[out->len - 1] != ' ')
                buf_addc(out, ' ');
        } else if (!is_trickery(cp)) {
            marks = text_is_mark(cp) ? marks + 1 : 0;
            if (marks <= TEXT_MAX_MARKS)
                buf_add(out, s + i, n);
        }
        i += n;
    }
    if (one_line && out->len > start && out->data[out->len - 1] == ' ')
        buf_truncate(out, out->len - 1);
}

size_t text_cut(const char *s, size_t max)
{
    size_t len = strlen(s);

    if (len <= max)
        return len;
    while (max > 0 && ((unsigned char)s[max] & 0xC0) == 0x80)
        max--;
    return max;
}

void text_add_cut(struct buf *out, const char *s, size_t max)
{
    static const char more[] = "\xE2\x80\xA6";
    size_t keep = text_cut(s, max);

    if (s[keep] == '\0') {
        buf_add(out, s, keep);
        return;
    }
    if (max >= sizeof(more) - 1) {
        keep = text_cut(s, max - (sizeof(more) - 1));
        buf_add(out, s, keep);
        buf_adds(out, more);
    } else {
        buf_add(out, s, keep);
    }
}

bool text_starts(const char *s, const char *prefix)
{
    return s && strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_istarts(const char *s, const char *prefix)
{
    return s && (!*prefix || !text_differs(*s, *prefix)) &&
           strncasecmp(s, prefix, strlen(prefix)) == 0;
}

bool text_icontains(const char *s, const char *needle)
{
    return s && strcasestr(s, needle) != NULL;
}

bool text_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool text_isame(const char *a, const char *b)
{
    return a == b || (a && b && strcasecmp(a, b) == 0);
}
