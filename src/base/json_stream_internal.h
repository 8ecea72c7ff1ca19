/*
 * json_stream_internal - a document on its way, for the parts of json_stream.
 *
 *   json_stream.c         the automaton: values, names, what is wanted of them
 *   json_stream_string.c  strings: characters in pieces, escapes, repairs
 */
#ifndef BASE_JSON_STREAM_INTERNAL_H
#define BASE_JSON_STREAM_INTERNAL_H

#include "dbconn/base/json_stream.h"
#include "json_wanted.h"

enum state {
    START, /* a byte order mark, or a value */
    VALUE,
    VALUE_OR_END, /* behind [ */
    NAME,
    NAME_OR_END, /* behind { */
    COLON,
    COMMA_OR_END,
    END, /* only space */
    STRING,
    ESCAPE, /* behind a backslash */
    HEX,    /* behind \u */
    NUMBER,
    LITERAL, /* true, false, null */
};

enum number { MINUS, ZERO, INTEGER, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, EXPONENT_DIGITS };

struct level {
    int node; /* what is wanted here; WANTED_NONE: nothing, WANTED_ALL: everything */
    bool object;
    bool list; /* may be ended early */
    bool some; /* something was written in it */
};

struct json_stream {
    struct json_wanted wanted;
    struct json_limits limits;
    const char *what;
    enum state state;
    size_t offset; /* of the byte at hand */
    size_t n_values;

    struct level *levels; /* the first one is the document, depth 0 */
    size_t depth, cap_levels, n_lists;
    int node; /* what is wanted of the value at hand */

    bool is_name, keep; /* of the string, number or literal at hand */
    size_t written;     /* of it */
    char name[JSON_WANTED_NAME];
    size_t name_len; /* more than there is room for: no name that is wanted */
    char utf8[4];    /* a character that is not complete */
    size_t n_utf8;
    unsigned unit, high; /* of \uXXXX; a surrogate whose other half may follow */
    int n_hex;
    enum number number;
    const char *literal;

    size_t mark, mark_depth; /* the text may be ended there, so deep; depth 0: nowhere yet */
    bool cut;
};

/* json_stream.c; 0, 1 or -1 as json_stream_feed() */

int json_stream_refuse(const struct json_stream *s, struct error *err);
/* A piece of the string, number or literal at hand, if that is kept. */
int json_stream_put_piece(struct json_stream *s, const char *bytes, size_t n, struct buf *out,
                          struct error *err);
/* The closing quote came. */
int json_stream_end_string(struct json_stream *s, struct buf *out, struct error *err);

/* json_stream_string.c */

/* Takes a run of bytes of a string; sets *ret_taken. */
int json_string_bytes(struct json_stream *s, const char *bytes, size_t n, size_t *ret_taken,
                      struct buf *out, struct error *err);
int json_string_escape(struct json_stream *s, unsigned char c, struct buf *out,
                       struct error *err); /* behind a backslash */
int json_string_hex(struct json_stream *s, unsigned char c, struct buf *out,
                    struct error *err); /* behind \u */
/* What was begun and is not going on: half a surrogate pair, part of a character. */
int json_string_unfinished(struct json_stream *s, struct buf *out, struct error *err);

#endif
