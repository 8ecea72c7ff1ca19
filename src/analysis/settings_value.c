#include "settings_value.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/text.h"

struct diff_span value_unquote(struct diff_span s)
{
    s = span_trim(s);
    while (s.len > 0 && strchr(",;", s.text[s.len - 1]))
        s = span_trim(span_part(s, 0, s.len - 1));
    if (s.len >= 2 && ((strchr("\"'`", *s.text) && s.text[s.len - 1] == *s.text) ||
                       (*s.text == '[' && s.text[s.len - 1] == ']')))
        return span_part(s, 1, s.len - 1);
    return s;
}

/* A quoted string, a number, or a name that begins at i; gives its end. */
static size_t end_of_token(struct diff_span s, size_t i)
{
    size_t end = i + 1;

    if (strchr("\"'`", s.text[i])) {
        while (end < s.len && s.text[end] != s.text[i])
            end++;
        return end < s.len ? end + 1 : end;
    }
    while (end < s.len && isalnum((unsigned char)s.text[i]) &&
           (isalnum((unsigned char)s.text[end]) || strchr("._", s.text[end])))
        end++;
    return end;
}

/* The last quoted string or number of an expression: a default by the habit of all languages. */
static struct diff_span last_literal(struct diff_span s)
{
    struct diff_span found = span_nothing;

    for (size_t i = 0, end; i < s.len; i = end) {
        end = end_of_token(s, i);
        if (strchr("\"'`", s.text[i]))
            found = span_part(s, i + 1, end - (end > i + 1));
        else if (isdigit((unsigned char)s.text[i]))
            found = span_part(s, i, end);
    }
    return found;
}

static bool is_variable_name(struct diff_span s)
{
    bool underscore_or_upper = false;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.text[i];
        if (!isupper((unsigned char)c) && !isdigit((unsigned char)c) && c != '_')
            return false;
        underscore_or_upper = underscore_or_upper || c == '_' || isupper((unsigned char)c);
    }
    return s.len > 1 && underscore_or_upper;
}

/* ${NAME}, ${NAME:-default} (shell, compose), ${NAME:default} (Spring), $NAME, $(NAME) */
static bool read_shell_variable(struct diff_span s, struct value *ret)
{
    size_t end, sep;

    if (s.len < 2 || *s.text != '$')
        return false;
    if (s.text[1] != '{' && s.text[1] != '(') {
        ret->name = span_part(s, 1, s.len);
        ret->text = span_nothing;
        return is_variable_name(ret->name);
    }
    end = s.len;
    if (s.text[end - 1] != '}' && s.text[end - 1] != ')')
        return false;
    s = span_part(s, 2, end - 1);
    sep = span_find_any(s, ":-?");
    ret->name = span_part(s, 0, sep);
    while (sep < s.len && strchr(":-?", s.text[sep]))
        sep++;
    ret->text = value_unquote(span_part(s, sep, s.len));
    return span_find_any(ret->name, "${} ") == ret->name.len;
}

/* getenv("DB_HOST", "db"), env.fetch('X') { 'db' }, process.env.DB_HOST || 'db' */
static void read_expression(struct diff_span s, struct value *ret)
{
    struct diff_span last = last_literal(s);
    size_t i = 0;

    while (i < s.len && ret->name.len == 0) {
        size_t end = i;
        while (end < s.len && (isupper((unsigned char)s.text[end]) || s.text[end] == '_' ||
                               (end > i && isdigit((unsigned char)s.text[end]))))
            end++;
        if (end - i > 3 && memchr(s.text + i, '_', end - i) &&
            is_variable_name(span_part(s, i, end)))
            ret->name = span_part(s, i, end);
        i = end > i ? end : i + 1;
    }
    ret->text = span_same(last, ret->name) ? span_nothing : last;
    ret->literal = false;
}

/* References of Terraform: var.host, module.db.address, aws_db_instance.main.address */
static bool is_reference(struct diff_span s)
{
    static const char *const starts[] = { "var.",  "module.", "local.",   "data.",   "each.",
                                          "self.", "aws_",    "azurerm_", "google_", "random_" };

    for (size_t i = 0; i < ARRAY_LEN(starts); i++)
        if (span_starts_with(s, starts[i]) && span_find_any(s, ".") < s.len)
            return true;
    return false;
}

static bool looks_like_expression(struct diff_span s)
{
    return is_reference(s) || span_find_any(s, "()?|") < s.len || span_find(s, "{{") < s.len ||
           span_find(s, "${") < s.len || span_find(s, "<%") < s.len || span_has(s, " or ") ||
           span_has(s, "process.env") || (s.len > 1 && *s.text == '$');
}

static double unit_ms(struct diff_span unit)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = { { "ms", 1 },          { "s", 1000 },    { "sec", 1000 },
                  { "seconds", 1000 },  { "m", 60000 },   { "min", 60000 },
                  { "minutes", 60000 }, { "h", 3600000 }, { "hours", 3600000 } };

    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (unit.len == strlen(units[i].unit) &&
            strncasecmp(unit.text, units[i].unit, unit.len) == 0)
            return units[i].ms;
    return 0;
}

/* "20", "30_000", "1.5", "30s", "10 * time.Second": the first number, in ms if it has a unit. */
static void read_number(struct value *ret)
{
    struct diff_span s = span_trim(ret->text), unit;
    double n = 0, digit = 1;
    size_t i = 0;
    bool fraction = false;

    for (; i < s.len && (isdigit((unsigned char)s.text[i]) || strchr("_.", s.text[i])); i++) {
        if (s.text[i] == '.' && fraction)
            return; /* an address */
        if (s.text[i] == '.')
            fraction = true;
        else if (fraction && s.text[i] != '_')
            n += (s.text[i] - '0') * (digit /= 10);
        else if (s.text[i] != '_')
            n = n * 10 + (s.text[i] - '0');
    }
    if (i == 0 || !isdigit((unsigned char)*s.text))
        return;
    unit = span_trim(span_part(s, i, s.len));
    if (span_starts_with(unit, "* time.") || span_starts_with(unit, "*time."))
        unit = span_has(unit, "milli")  ? (struct diff_span){ "ms", 2 }
               : span_has(unit, "minu") ? (struct diff_span){ "m", 1 }
               : span_has(unit, "hour") ? (struct diff_span){ "h", 1 }
                                        : (struct diff_span){ "s", 1 };
    if (unit.len > 0 && isalpha((unsigned char)*unit.text) && unit_ms(unit) == 0)
        return; /* "3rd" */
    ret->number = true;
    ret->amount = unit_ms(unit) > 0 ? n * unit_ms(unit) : n;
}

void value_read(struct diff_span raw, struct value *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->raw = span_trim(raw);
    ret->text = value_unquote(raw);
    ret->name = span_nothing;
    ret->literal = true;
    ret->connection = conn_read(ret->text, &ret->parts);
    if (ret->connection) {
        ret->literal = span_find(ret->text, "${") == ret->text.len &&
                       span_find(ret->text, "{{") == ret->text.len;
        return;
    }
    if (read_shell_variable(ret->text, ret)) {
        ret->literal = false;
    } else {
        ret->name = span_nothing;
        ret->text = value_unquote(raw);
        if (looks_like_expression(ret->text))
            read_expression(ret->text, ret);
    }
    ret->connection = !ret->literal && conn_read(ret->text, &ret->parts);
    if (!ret->connection)
        read_number(ret);
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

bool value_decode_base64(struct diff_span s, struct buf *out)
{
    unsigned bits = 0;
    int n = 0;

    s = value_unquote(s);
    if (s.len < 8 || s.len % 4 != 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        int digit = base64_digit(s.text[i]);
        if (s.text[i] == '=' && i + 2 >= s.len)
            break;
        if (digit < 0)
            return false;
        bits = bits << 6 | (unsigned)digit;
        n += 6;
        if (n >= 8) {
            char c = (char)(bits >> (n - 8) & 0xFF);
            n -= 8;
            if (!isprint((unsigned char)c) && c != '\n')
                return false;
            buf_addc(out, c);
        }
    }
    return out->len > 0;
}

bool value_same(const struct value *a, const struct value *b)
{
    if (a->name.len != b->name.len || !span_same(a->name, b->name))
        return false;
    if (a->text.len == 0 && b->text.len == 0)
        return a->name.len > 0 || span_same(a->raw, b->raw);
    return span_same(a->text, b->text) && a->literal == b->literal;
}

/* A host name or an address, perhaps with a port: "db-1.internal:5432", "[::1]", "*". */
static bool looks_like_host(struct diff_span s)
{
    if (s.len == 0 || s.len > 253)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        /* a list: "a:9042", "b:9042" */
        bool listed = i > 0 && strchr("\"' ", s.text[i]) && span_find_any(s, ",\"'") < s.len;
        if (!isalnum((unsigned char)s.text[i]) && !strchr(".-_:,[]/*@%\"", s.text[i]) && !listed)
            return false;
    }
    return !isspace((unsigned char)*s.text);
}

static bool looks_like_name(struct diff_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!isalnum((unsigned char)s.text[i]) && !strchr("_-.$@%\\", s.text[i]))
            return false;
    return s.len > 0 && s.len <= 128;
}

static bool is_quoted(struct diff_span s)
{
    return s.len >= 2 && strchr("\"'`", *s.text);
}

/* In program text a bare word is a variable, not a value: "host: host". */
static bool fits_text(const struct value *v, bool code)
{
    if (!v->literal)
        return v->name.len > 0 || v->text.len > 0 || (!code && is_reference(v->raw)) ||
               span_find(v->raw, "{{") < v->raw.len;
    return !code || is_quoted(v->raw);
}

static bool is_base64(struct diff_span s)
{
    struct buf decoded = BUF_INIT;
    bool is = value_decode_base64(s, &decoded);

    buf_clear(&decoded);
    return is;
}

bool value_fits(const struct value *v, enum setting_kind kind, bool code)
{
    bool text = fits_text(v, code), dotted = span_find_any(v->raw, ".") < v->raw.len;

    switch (kind) {
    case SETTING_HOST:
    case SETTING_SERVICE:
        if (v->number && kind == SETTING_SERVICE)
            return true;
        return v->connection ||
               (text && (v->text.len == 0 || looks_like_host(v->text) || is_base64(v->text))) ||
               (code && v->literal && dotted && looks_like_name(v->raw));
    case SETTING_PORT:
        return (v->number && v->amount >= 1 && v->amount <= 65535) || v->name.len > 0 ||
               span_find(v->raw, "{{") < v->raw.len || span_find_any(v->text, ":") < v->text.len;
    case SETTING_DATABASE:
    case SETTING_USER:
        if (code && !v->literal && v->name.len == 0)
            return false; /* computed: a part of the program, no setting */
        return text && (v->text.len == 0 || looks_like_name(v->text)) && !v->number;
    case SETTING_URL:
        return v->connection || v->name.len > 0 ||
               (text && span_find(v->text, "://") < v->text.len) ||
               (!code && v->text.len > 0 && (looks_like_host(v->text) || is_base64(v->text)));
    case SETTING_PASSWORD:
        return text && (!code || v->literal || v->name.len > 0);
    case SETTING_POOL_SIZE:
    case SETTING_SERVER_LIMIT:
    case SETTING_DEMAND:
        return v->number || v->name.len > 0 ||
               (v->text.len > 0 && isdigit((unsigned char)*v->text.text));
    case SETTING_TIMEOUT:
        return v->number || v->name.len > 0 || !v->literal || span_is(v->text, "true") ||
               span_is(v->text, "false") || span_is(v->text, "True") || span_is(v->text, "False") ||
               span_is(v->text, "None") || span_is(v->text, "0");
    case SETTING_TLS:
        return v->text.len > 0 && v->text.len < 200 && (!code || v->literal);
    case SETTING_SOCKET:
        return v->name.len > 0 || span_find_any(v->text, "/") < v->text.len;
    case SETTING_DRIVER:
        return text && v->text.len > 0 && looks_like_name(v->text);
    case SETTING_LISTEN:
    case SETTING_NETWORK_RULE:
    case SETTING_OTHER:
    case SETTING_KIND_COUNT:
        break;
    }
    return v->raw.len > 0;
}
