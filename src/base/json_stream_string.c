/* The characters of a string, in pieces of any size, made valid where they are not. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "dbconn/base/text.h"
#include "json_stream_internal.h"

#define REPLACEMENT "\xEF\xBF\xBD"

static void note_name(struct json_stream *s, const char *bytes, size_t n)
{
    if (n <= sizeof(s->name) && s->name_len <= sizeof(s->name) - n)
        memcpy(s->name + s->name_len, bytes, n);
    s->name_len += n;
}

/* Characters of a string, as they may stand in the text. */
static int put_chars(struct json_stream *s, const char *bytes, size_t n, struct buf *out,
                     struct error *err)
{
    if (s->is_name && !s->keep) {
        note_name(s, bytes, n);
        return 0;
    }
    return json_stream_put_piece(s, bytes, n, out, err);
}

int json_string_unfinished(struct json_stream *s, struct buf *out, struct error *err)
{
    int rc = 0;

    if (s->high)
        rc = put_chars(s, REPLACEMENT, 3, out, err);
    s->high = 0;
    for (; rc == 0 && s->n_utf8 > 0; s->n_utf8--)
        rc = put_chars(s, REPLACEMENT, 3, out, err);
    return rc;
}

static size_t utf8_length(unsigned char lead)
{
    return lead >= 0xC2 && lead < 0xE0   ? 2
           : lead >= 0xE0 && lead < 0xF0 ? 3
           : lead >= 0xF0 && lead < 0xF5 ? 4
                                         : 0;
}

/* As text_repair_utf8() does: a byte that begins no character becomes U+FFFD, and the next one is
 * looked at anew. */
static int put_utf8(struct json_stream *s, char byte, struct buf *out, struct error *err)
{
    unsigned cp;
    int rc = 0;

    s->utf8[s->n_utf8++] = byte;
    while (rc == 0 && s->n_utf8 > 0) {
        size_t need = utf8_length((unsigned char)s->utf8[0]), bad = s->n_utf8;
        for (size_t i = s->n_utf8 - 1; i > 0; i--)
            bad = (s->utf8[i] & 0xC0) == 0x80 ? bad : i;
        if (s->n_utf8 < need && bad == s->n_utf8)
            return 0;
        size_t n = need ? text_decode(s->utf8, s->n_utf8, &cp) : 0;
        rc = n ? put_chars(s, s->utf8, n, out, err) : put_chars(s, REPLACEMENT, 3, out, err);
        n = n ? n : 1;
        s->n_utf8 -= n;
        memmove(s->utf8, s->utf8 + n, s->n_utf8);
    }
    return rc;
}

static int put_escaped(struct json_stream *s, unsigned unit, struct buf *out, struct error *err)
{
    char text[8], plain = (char)unit;

    if (s->is_name && !s->keep && unit < 0x80)
        return put_chars(s, &plain, 1, out, err); /* to be compared */
    snprintf(text, sizeof(text), "\\u%04x", unit);
    return put_chars(s, text, 6, out, err);
}

/* \uXXXX is complete. */
static int put_unit(struct json_stream *s, struct buf *out, struct error *err)
{
    unsigned unit = s->unit, high = s->high;
    bool low = unit >= 0xDC00 && unit < 0xE000;

    if (high && low) {
        s->high = 0;
        int rc = put_escaped(s, high, out, err);
        return rc ? rc : put_escaped(s, unit, out, err);
    }
    int rc = json_string_unfinished(s, out, err);
    if (rc == 0 && unit >= 0xD800 && unit < 0xDC00)
        s->high = unit;
    else if (rc == 0)
        rc = low || !unit ? put_chars(s, REPLACEMENT, 3, out, err) : put_escaped(s, unit, out, err);
    return rc;
}

static int hex_digit(unsigned char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

int json_string_hex(struct json_stream *s, unsigned char c, struct buf *out, struct error *err)
{
    int digit = hex_digit(c);

    if (digit < 0)
        return json_stream_refuse(s, err);
    s->unit = s->unit << 4 | (unsigned)digit;
    if (++s->n_hex < 4)
        return 0;
    s->state = STRING;
    return put_unit(s, out, err);
}

int json_string_escape(struct json_stream *s, unsigned char c, struct buf *out, struct error *err)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *at = c ? strchr(names, c) : NULL;

    if (c == 'u') {
        s->state = HEX;
        s->unit = 0;
        s->n_hex = 0;
        return 0;
    }
    if (!at)
        return json_stream_refuse(s, err);
    s->state = STRING;
    int rc = json_string_unfinished(s, out, err);
    if (rc)
        return rc;
    if (s->is_name && !s->keep)
        return put_chars(s, &meanings[at - names], 1, out, err);
    return put_chars(s, (char[]){ '\\', (char)c }, 2, out, err);
}

#define ALL(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Nothing but plain ASCII in these eight bytes: no quote, backslash or control character. */
static bool is_plain(const char *bytes)
{
    uint64_t word, quote, backslash;

    memcpy(&word, bytes, sizeof(word));
    quote = word ^ ALL('"');
    backslash = word ^ ALL('\\');
    /* A borrow sets the high bit of a byte that is smaller; or of its neighbour, which costs time.
     */
    return !((word | (word - ALL(0x20)) | (quote - ALL(1)) | (backslash - ALL(1))) & ALL(0x80));
}

/* How many bytes stand in a string as they are. */
static size_t plain_run(const char *bytes, size_t n)
{
    size_t i = 0;

    while (i + 8 <= n && is_plain(bytes + i))
        i += 8;
    for (unsigned char c; i < n; i++) {
        c = (unsigned char)bytes[i];
        if (c == '"' || c == '\\' || c < 0x20 || c >= 0x80)
            break;
    }
    return i;
}

int json_string_bytes(struct json_stream *s, const char *bytes, size_t n, size_t *ret_taken,
                      struct buf *out, struct error *err)
{
    size_t run = plain_run(bytes, n);
    unsigned char c = (unsigned char)bytes[0];
    int rc = 0;

    *ret_taken = run ? run : 1;
    if (c >= 0x80 && !s->high)
        return put_utf8(s, bytes[0], out, err);
    if (c == '\\') {
        s->state = ESCAPE; /* the other half of a surrogate pair, maybe */
        for (; rc == 0 && s->n_utf8 > 0; s->n_utf8--)
            rc = put_chars(s, REPLACEMENT, 3, out, err);
        return rc;
    }
    if (c == '"')
        return json_stream_end_string(s, out, err);
    if (s->high || s->n_utf8)
        rc = json_string_unfinished(s, out, err);
    if (rc)
        return rc;
    if (run)
        return put_chars(s, bytes, run, out, err);
    if (c >= 0x80)
        return put_utf8(s, bytes[0], out, err);
    /* A bare control character, which JSON forbids and cJSON takes. */
    return c ? put_escaped(s, c, out, err) : put_chars(s, REPLACEMENT, 3, out, err);
}
