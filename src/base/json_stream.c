/*
 * A pushdown automaton over bytes: `state` says what may come next, `levels` where that is. A level
 * remembers what the paths want there, as a node of the tree that they form together.
 */
#include "dbconn/base/json_stream.h"

#include "dbconn/base/json.h"
#include "json_stream_internal.h"

#define DEFAULT_VALUES 1000000
#define DEFAULT_STRING ((size_t)1024 * 1024)
#define DEFAULT_KEPT ((size_t)8 * 1024 * 1024)
#define MAX_NUMBER 63 /* characters, as cJSON reads */

static size_t or_default(size_t value, size_t fallback)
{
    return value ? value : fallback;
}

struct json_stream *json_stream_new(const char *const *paths, const struct json_limits *limits,
                                    const char *what)
{
    static const struct json_limits none = { 0 };
    struct json_stream *s = xcalloc(1, sizeof(*s));

    limits = limits ? limits : &none;
    s->limits = (struct json_limits){ .depth = or_default(limits->depth, JSON_MAX_DEPTH),
                                      .values = or_default(limits->values, DEFAULT_VALUES),
                                      .string = or_default(limits->string, DEFAULT_STRING),
                                      .kept = or_default(limits->kept, DEFAULT_KEPT) };
    s->what = what;
    s->node = json_wanted_init(&s->wanted, paths);
    s->levels = vec_grow(NULL, 0, &s->cap_levels, sizeof(*s->levels));
    s->levels[0] = (struct level){ .node = s->node, .object = true };
    return s;
}

void json_stream_free(struct json_stream *s)
{
    if (!s)
        return;
    json_wanted_clear(&s->wanted);
    free(s->levels);
    free(s);
}

/* ---- what is written ---- */

int json_stream_refuse(const struct json_stream *s, struct error *err)
{
    return error_set(err, ERR_PROTOCOL, "%s is not valid JSON (at byte %zu)", s->what,
                     s->offset + 1);
}

/* A limit is reached: the document ends behind the last whole element of its list. */
static int cut(struct json_stream *s, struct buf *out, struct error *err, const char *of_what,
               size_t limit)
{
    if (!s->mark_depth)
        return error_set(err, ERR_TOO_LARGE, "%s holds more than %zu %s", s->what, limit, of_what);
    buf_truncate(out, s->mark);
    for (size_t i = s->mark_depth; i > 0; i--)
        buf_addc(out, s->levels[i].object ? '}' : ']');
    s->cut = true;
    return 1;
}

/* Room for the brackets that are still to be closed is left at any time. */
static int put(struct json_stream *s, const char *bytes, size_t n, struct buf *out,
               struct error *err)
{
    size_t cap = s->limits.kept > s->depth + 1 ? s->limits.kept - s->depth - 1 : 0;

    if (buf_add_capped(out, bytes, n, cap))
        return 0;
    if (n <= cap && out->len <= cap - n)
        return cut(s, out, err, "bytes that are wanted, and there is no memory for them", out->len);
    return cut(s, out, err, "bytes that are wanted", s->limits.kept);
}

/* A piece of the string, number or literal at hand. */
int json_stream_put_piece(struct json_stream *s, const char *bytes, size_t n, struct buf *out,
                          struct error *err)
{
    if (!s->keep)
        return 0;
    s->written += n;
    if (s->written > s->limits.string)
        return cut(s, out, err, "bytes in one text", s->limits.string);
    return put(s, bytes, n, out, err);
}

static struct level *top(const struct json_stream *s)
{
    return &s->levels[s->depth];
}

/* The comma before an element or a name. */
static int put_comma(struct json_stream *s, struct buf *out, struct error *err)
{
    struct level *level = top(s);
    bool first = !level->some;

    level->some = true;
    return first ? 0 : put(s, ",", 1, out, err);
}

/* ---- values ---- */

/* What is wanted of the element that begins. */
static int element_node(const struct json_stream *s)
{
    const struct level *level = top(s);

    if (level->object)
        return s->node;
    return json_wanted_element(&s->wanted, level->node);
}

/* Behind an element of the list, or behind what follows when the list is over, the text may end. */
static void value_over(struct json_stream *s, const struct buf *out)
{
    const struct level *level = top(s);

    s->state = s->depth ? COMMA_OR_END : END;
    if (s->depth && (level->list || s->depth <= s->mark_depth)) {
        s->mark = out->len;
        s->mark_depth = s->depth;
    }
}

static int open_level(struct json_stream *s, char bracket, struct buf *out, struct error *err)
{
    bool object = bracket == '{';

    if (s->depth >= s->limits.depth)
        return error_set(err, ERR_PROTOCOL, "%s is JSON nested deeper than %zu levels", s->what,
                         s->limits.depth);
    if (s->node != WANTED_NONE) {
        int rc = put(s, &bracket, 1, out, err);
        if (rc)
            return rc;
    }
    s->levels = vec_grow(s->levels, s->depth + 1, &s->cap_levels, sizeof(*s->levels));
    struct level *level = &s->levels[++s->depth];
    *level = (struct level){ .node = s->node, .object = object };
    level->list = !object && s->n_lists == 0 && s->node >= 0 &&
                  json_wanted_element(&s->wanted, s->node) != WANTED_NONE;
    s->n_lists += level->list;
    s->state = object ? NAME_OR_END : VALUE_OR_END;
    return 0;
}

static int close_level(struct json_stream *s, char bracket, struct buf *out, struct error *err)
{
    const struct level *level = top(s);
    bool wanted = level->node != WANTED_NONE;

    if (level->object != (bracket == '}'))
        return json_stream_refuse(s, err);
    s->n_lists -= level->list;
    s->depth--;
    int rc = wanted ? put(s, &bracket, 1, out, err) : 0;
    if (rc == 0)
        value_over(s, out);
    return rc;
}

static int begin_string(struct json_stream *s, bool is_name)
{
    s->state = STRING;
    s->is_name = is_name;
    s->keep = is_name ? top(s)->node == WANTED_ALL : s->node != WANTED_NONE;
    s->written = 0;
    s->name_len = 0;
    return 0;
}

/* A number or a literal; `c` is its first byte. */
static int begin_word(struct json_stream *s, unsigned char c, struct buf *out, struct error *err)
{
    char byte = (char)c;

    s->keep = s->node != WANTED_NONE;
    s->written = 0;
    s->state = c == 't' || c == 'f' || c == 'n' ? LITERAL : NUMBER;
    s->literal = c == 't' ? "rue" : c == 'f' ? "alse" : "ull";
    if (s->state == NUMBER && c != '-' && (c < '0' || c > '9'))
        return json_stream_refuse(s, err);
    s->number = c == '-' ? MINUS : c == '0' ? ZERO : INTEGER;
    return json_stream_put_piece(s, &byte, 1, out, err);
}

static int begin_value(struct json_stream *s, unsigned char c, struct buf *out, struct error *err)
{
    const struct level *level = top(s);
    int rc = 0;

    if (++s->n_values > s->limits.values)
        return cut(s, out, err, "values", s->limits.values);
    s->node = element_node(s);
    if (!level->object && s->node != WANTED_NONE)
        rc = put_comma(s, out, err);
    if (rc)
        return rc;
    if (c == '{' || c == '[')
        return open_level(s, (char)c, out, err);
    if (c == '"') {
        rc = s->node != WANTED_NONE ? put(s, "\"", 1, out, err) : 0;
        return rc ? rc : begin_string(s, false);
    }
    return begin_word(s, c, out, err);
}

static int begin_name(struct json_stream *s, struct buf *out, struct error *err)
{
    if (top(s)->node == WANTED_ALL) {
        int rc = put_comma(s, out, err);
        rc = rc ? rc : put(s, "\"", 1, out, err);
        if (rc)
            return rc;
    }
    return begin_string(s, true);
}

/* Names that are compared are only written when they are wanted. */
static int end_name(struct json_stream *s, struct buf *out, struct error *err)
{
    s->state = COLON;
    if (s->keep) {
        s->node = WANTED_ALL;
        return put(s, "\":", 2, out, err);
    }
    s->node = s->name_len <= sizeof(s->name)
                  ? json_wanted_member(&s->wanted, top(s)->node, s->name, s->name_len)
                  : WANTED_NONE;
    if (s->node == WANTED_NONE)
        return 0;
    int rc = put_comma(s, out, err);
    rc = rc ? rc : put(s, "\"", 1, out, err);
    rc = rc ? rc : put(s, s->name, s->name_len, out, err);
    return rc ? rc : put(s, "\":", 2, out, err);
}

int json_stream_end_string(struct json_stream *s, struct buf *out, struct error *err)
{
    int rc = json_string_unfinished(s, out, err);

    if (rc == 0 && s->is_name)
        return end_name(s, out, err);
    if (rc == 0 && s->keep)
        rc = put(s, "\"", 1, out, err);
    if (rc == 0)
        value_over(s, out);
    return rc;
}

/* ---- numbers and literals ---- */

/* What follows in a number; -1: it is over. */
static int next_in_number(enum number at, unsigned char c)
{
    bool digit = c >= '0' && c <= '9';

    switch (at) {
    case MINUS:
        return c == '0' ? ZERO : digit ? INTEGER : -1;
    case INTEGER:
        if (digit)
            return INTEGER;
        /* fallthrough */
    case ZERO:
        return c == '.' ? POINT : c == 'e' || c == 'E' ? EXPONENT : -1;
    case POINT:
        return digit ? FRACTION : -1;
    case FRACTION:
        return digit ? FRACTION : c == 'e' || c == 'E' ? EXPONENT : -1;
    case EXPONENT:
        if (c == '+' || c == '-')
            return EXPONENT_SIGN;
        /* fallthrough */
    case EXPONENT_SIGN:
    case EXPONENT_DIGITS:
        return digit ? EXPONENT_DIGITS : -1;
    }
    return -1;
}

static int end_number(struct json_stream *s, const struct buf *out, struct error *err)
{
    if (s->number != ZERO && s->number != INTEGER && s->number != FRACTION &&
        s->number != EXPONENT_DIGITS)
        return json_stream_refuse(s, err);
    value_over(s, out);
    return 0;
}

/* Sets *ret_taken to 0 when the byte is not the number's any more. */
static int on_number(struct json_stream *s, unsigned char c, size_t *ret_taken, struct buf *out,
                     struct error *err)
{
    int next = next_in_number(s->number, c);
    char byte = (char)c;

    if (next < 0) {
        *ret_taken = 0;
        return end_number(s, out, err);
    }
    s->number = (enum number)next;
    if (s->keep && s->written >= MAX_NUMBER)
        return json_stream_refuse(s, err);
    return json_stream_put_piece(s, &byte, 1, out, err);
}

static int on_literal(struct json_stream *s, unsigned char c, struct buf *out, struct error *err)
{
    char byte = (char)c;
    int rc;

    if (*s->literal != byte)
        return json_stream_refuse(s, err);
    s->literal++;
    rc = json_stream_put_piece(s, &byte, 1, out, err);
    if (rc == 0 && !*s->literal)
        value_over(s, out);
    return rc;
}

/* ---- between values ---- */

static bool is_space(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static int on_comma_or_end(struct json_stream *s, unsigned char c, struct buf *out,
                           struct error *err)
{
    if (c != ',')
        return c == '}' || c == ']' ? close_level(s, (char)c, out, err)
                                    : json_stream_refuse(s, err);
    s->state = top(s)->object ? NAME : VALUE;
    return 0;
}

static int on_between(struct json_stream *s, unsigned char c, struct buf *out, struct error *err)
{
    switch (s->state) {
    case VALUE_OR_END:
        if (c == ']')
            return close_level(s, ']', out, err);
        /* fallthrough */
    case START:
    case VALUE:
        return begin_value(s, c, out, err);
    case NAME_OR_END:
        if (c == '}')
            return close_level(s, '}', out, err);
        /* fallthrough */
    case NAME:
        return c == '"' ? begin_name(s, out, err) : json_stream_refuse(s, err);
    case COLON:
        s->state = VALUE;
        return c == ':' ? 0 : json_stream_refuse(s, err);
    case COMMA_OR_END:
        return on_comma_or_end(s, c, out, err);
    default:
        return json_stream_refuse(s, err);
    }
}

/* The mark that some Windows programs put before everything. */
static bool is_byte_order_mark(const struct json_stream *s, unsigned char c)
{
    static const unsigned char mark[] = { 0xEF, 0xBB, 0xBF };

    return s->state == START && s->offset < sizeof(mark) && c == mark[s->offset];
}

/* One byte, or in a string several. */
static int step(struct json_stream *s, const char *bytes, size_t n, size_t *ret_taken,
                struct buf *out, struct error *err)
{
    unsigned char c = (unsigned char)bytes[0];

    *ret_taken = 1;
    switch (s->state) {
    case STRING:
        return json_string_bytes(s, bytes, n, ret_taken, out, err);
    case ESCAPE:
        return json_string_escape(s, c, out, err);
    case HEX:
        return json_string_hex(s, c, out, err);
    case NUMBER:
        return on_number(s, c, ret_taken, out, err);
    case LITERAL:
        return on_literal(s, c, out, err);
    default:
        return is_space(c) || is_byte_order_mark(s, c) ? 0 : on_between(s, c, out, err);
    }
}

int json_stream_feed(struct json_stream *s, const char *bytes, size_t n, struct buf *out,
                     struct error *err)
{
    int rc = s->cut ? 1 : 0;

    for (size_t i = 0, taken; rc == 0 && i < n; i += taken) {
        rc = step(s, bytes + i, n - i, &taken, out, err);
        s->offset += taken;
    }
    return rc;
}

int json_stream_end(struct json_stream *s, struct buf *out, struct error *err)
{
    if (s->cut)
        return 0;
    if (s->state == NUMBER && s->depth == 0 && end_number(s, out, err) < 0)
        return -1;
    if (s->state == START)
        return error_set(err, ERR_PROTOCOL, "%s is empty", s->what);
    if (s->state != END)
        return error_set(err, ERR_PROTOCOL, "%s is not valid JSON: it ends after %zu bytes",
                         s->what, s->offset);
    return 0;
}
