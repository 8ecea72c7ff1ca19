#include "settings_value.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/text.h"

static const struct diff_span nothing = { "", 0 };

static struct diff_span part(struct diff_span s, size_t from, size_t to)
{
    return (struct diff_span){ s.text + from, to > from ? to - from : 0 };
}

static size_t find(struct diff_span s, const char *what)
{
    size_t n = strlen(what);

    for (size_t i = 0; i + n <= s.len; i++)
        if (strncasecmp(s.text + i, what, n) == 0)
            return i;
    return s.len;
}

static size_t find_any(struct diff_span s, const char *chars)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.text[i] != '\0' && strchr(chars, s.text[i]))
            return i;
    return s.len;
}

static bool is_digits(struct diff_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!isdigit((unsigned char)s.text[i]))
            return false;
    return s.len > 0;
}

static const struct {
    const char *scheme, *engine;
} schemes[] = {
    { "postgres", "postgresql" },
    { "postgresql", "postgresql" },
    { "postgis", "postgresql" },
    { "pgsql", "postgresql" },
    { "cockroachdb", "postgresql" },
    { "mysql", "mysql" },
    { "mysql2", "mysql" },
    { "mariadb", "mysql" },
    { "aurora", NULL },
    { "sqlserver", "sqlserver" },
    { "mssql", "sqlserver" },
    { "oracle", "oracle" },
    { "mongodb", "mongodb" },
    { "redis", "redis" },
    { "rediss", "redis" },
    { "valkey", "redis" },
    { "cassandra", "cassandra" },
    { "clickhouse", "clickhouse" },
    { "elasticsearch", "elasticsearch" },
    { "redshift", "redshift" },
    { "snowflake", "snowflake" },
    { "ecto", "postgresql" },
    { "memcached", "memcached" },
    { "influxdb", "influxdb" },
};

/* "jdbc:postgresql", "postgresql+psycopg2", "mongodb+srv": the engine of a scheme. */
static bool scheme_engine(struct diff_span scheme, const char **ret_engine)
{
    struct words w = { .n = 0 };

    words_add(scheme, &w);
    for (size_t k = 0; k < w.n; k++) {
        for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
            if (word_is(w.items[k], schemes[i].scheme)) {
                *ret_engine = schemes[i].engine;
                return true;
            }
        }
    }
    return w.n > 0 && (word_is(w.items[0], "jdbc") || word_is(w.items[0], "r2dbc"));
}

/* "a:5432,b:5432" or "[::1]:5432" */
static void read_hosts(struct diff_span hosts, struct conn_parts *ret)
{
    size_t end = find_any(hosts, ",");
    struct diff_span first = part(hosts, 0, end);
    size_t colon;

    ret->all_hosts = hosts;
    if (first.len > 0 && *first.text == '[') {
        size_t close = find_any(first, "]");
        ret->host = part(first, 1, close);
        if (close + 2 < first.len && first.text[close + 1] == ':')
            ret->port = part(first, close + 2, first.len);
        return;
    }
    colon = find_any(first, ":");
    ret->host = part(first, 0, colon);
    /* more than one colon is a bare IPv6 address */
    if (colon < first.len &&
        find_any(part(first, colon + 1, first.len), ":") + colon + 1 < first.len)
        ret->host = first;
    else if (colon < first.len)
        ret->port = part(first, colon + 1, first.len);
}

static void read_pair(struct diff_span key, struct diff_span value, struct conn_parts *ret)
{
    struct words w = { .n = 0 };
    enum setting_kind kind;
    size_t used;
    bool intrinsic;
    size_t comma;

    words_add(key, &w);
    value = span_trim(value);
    if (value.len > 1 && strchr("\"'", *value.text))
        value = part(value, 1, value.len - 1);
    if (w.n == 2 && word_is(w.items[0], "data") && word_is(w.items[1], "source"))
        kind = SETTING_HOST;
    else if (!words_kind(&w, &kind, &used, &intrinsic) || words_have(&w, "endpoint"))
        return;
    if (kind == SETTING_DATABASE && !(words_flags(&w) & WORD_DATABASE) &&
        !words_have(&w, "catalog"))
        return;                 /* "AccountName=..." of a storage service */
    if (kind == SETTING_HOST) { /* SQL Server: "tcp:name,1433" */
        if (span_starts_with(value, "tcp:"))
            value = part(value, 4, value.len);
        comma = find_any(value, ",");
        if (comma < value.len && is_digits(part(value, comma + 1, value.len))) {
            ret->port = part(value, comma + 1, value.len);
            value = part(value, 0, comma);
        }
        struct diff_span port = ret->port;
        read_hosts(value, ret);
        if (ret->port.len == 0 || port.len > 0)
            ret->port = port;
    } else if (kind == SETTING_PORT) {
        ret->port = value;
    } else if (kind == SETTING_DATABASE) {
        ret->database = value;
    } else if (kind == SETTING_USER) {
        ret->user = value;
    }
}

/* "host=a port=5432 dbname=x" (libpq), "Server=a,1433;Database=x;User Id=y" (ADO): two names of
 * settings at least, one of them a host. */
static bool read_pairs(struct diff_span s, struct conn_parts *ret)
{
    bool semicolons = find_any(s, ";") < s.len;
    size_t pairs = 0;

    for (size_t i = 0; i < s.len;) {
        struct diff_span rest = part(s, i, s.len), item;
        size_t end = find_any(rest, semicolons ? ";" : " "), sign;
        item = span_trim(part(rest, 0, end));
        sign = find_any(item, "=");
        if (sign > 0 && sign < item.len) {
            read_pair(part(item, 0, sign), part(item, sign + 1, item.len), ret);
            pairs++;
        } else if (item.len > 0 && !semicolons) {
            return false;
        }
        i += end + 1;
    }
    ret->options = s;
    return pairs >= 2 && ret->host.len > 0 && (ret->database.len || ret->user.len || ret->port.len);
}

/* "user:password@tcp(host:3306)/database?timeout=5s" (go-sql-driver/mysql, README "DSN") */
static bool read_go_mysql(struct diff_span s, struct conn_parts *ret)
{
    size_t tcp = find(s, "@tcp("), close, colon;
    struct diff_span rest;

    if (tcp >= s.len)
        return false;
    colon = find_any(part(s, 0, tcp), ":");
    ret->user = part(s, 0, colon);
    rest = part(s, tcp + 5, s.len);
    close = find_any(rest, ")");
    read_hosts(part(rest, 0, close), ret);
    rest = close + 2 < rest.len ? part(rest, close + 2, rest.len) : nothing;
    ret->database = part(rest, 0, find_any(rest, "?"));
    ret->options = part(rest, find_any(rest, "?"), rest.len);
    ret->engine = "mysql";
    return true;
}

/* ";databaseName=x;encrypt=true" of jdbc:sqlserver, "?user=x&ssl=true" of the others */
static void read_url_options(struct diff_span options, struct conn_parts *ret)
{
    ret->options = options;
    for (size_t i = 0; i < options.len;) {
        struct diff_span rest = part(options, i, options.len), item;
        size_t end = find_any(part(rest, 1, rest.len), ";&") + 1, sign;
        item = part(rest, 1, end < rest.len ? end : rest.len);
        sign = find_any(item, "=");
        if (sign < item.len &&
            (span_starts_with(item, "databaseName=") || span_starts_with(item, "database=") ||
             span_starts_with(item, "user=")))
            read_pair(part(item, 0, sign), part(item, sign + 1, item.len), ret);
        i += end;
    }
}

/* "jdbc:oracle:thin:@//host:1521/service" and "...@host:1521:sid" */
static bool read_oracle(struct diff_span s, struct conn_parts *ret)
{
    size_t at_sign = find_any(s, "@"), slash, colon;
    struct diff_span rest;

    if (!span_starts_with(s, "jdbc:oracle:") || at_sign >= s.len)
        return false;
    rest = part(s, at_sign + 1, s.len);
    while (rest.len > 0 && *rest.text == '/')
        rest = part(rest, 1, rest.len);
    slash = find_any(rest, "/?");
    ret->database = slash < rest.len ? part(rest, slash + 1, rest.len) : nothing;
    rest = part(rest, 0, slash);
    colon = find_any(rest, ":");
    ret->host = ret->all_hosts = part(rest, 0, colon);
    rest = colon < rest.len ? part(rest, colon + 1, rest.len) : nothing;
    colon = find_any(rest, ":");
    ret->port = part(rest, 0, colon);
    if (colon < rest.len)
        ret->database = part(rest, colon + 1, rest.len);
    ret->engine = "oracle";
    return true;
}

/* scheme://user:password@hosts/database?options (RFC 3986), also with a few hosts */
static bool read_url(struct diff_span s, struct conn_parts *ret)
{
    size_t sep = find(s, "://"), end, sign;
    struct diff_span rest, authority;

    if (sep >= s.len || sep == 0 || find_any(part(s, 0, sep), " \"'(,") < sep ||
        !scheme_engine(part(s, 0, sep), &ret->engine))
        return false;
    rest = part(s, sep + 3, s.len);
    end = find_any(rest, "/?;");
    authority = part(rest, 0, end);
    /* the last "@": a password may hold one that nobody encoded */
    for (sign = authority.len; sign > 0 && authority.text[sign - 1] != '@';)
        sign--;
    if (sign > 0) {
        ret->user = part(authority, 0, find_any(part(authority, 0, sign - 1), ":"));
        authority = part(authority, sign, authority.len);
    }
    read_hosts(authority, ret);
    rest = part(rest, end, rest.len);
    if (rest.len > 0 && *rest.text == '/') {
        end = find_any(rest, "?;");
        ret->database = part(rest, 1, end);
        rest = part(rest, end, rest.len);
    }
    read_url_options(rest, ret);
    return true;
}

static bool read_connection(struct diff_span s, struct conn_parts *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (s.len < 5 || s.len > 2000)
        return false;
    return read_oracle(s, ret) || read_url(s, ret) || read_go_mysql(s, ret) || read_pairs(s, ret);
}

static struct diff_span unquote(struct diff_span s)
{
    s = span_trim(s);
    while (s.len > 0 && strchr(",;", s.text[s.len - 1]))
        s = span_trim(part(s, 0, s.len - 1));
    if (s.len >= 2 && ((strchr("\"'`", *s.text) && s.text[s.len - 1] == *s.text) ||
                       (*s.text == '[' && s.text[s.len - 1] == ']')))
        return part(s, 1, s.len - 1);
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
    struct diff_span found = nothing;

    for (size_t i = 0, end; i < s.len; i = end) {
        end = end_of_token(s, i);
        if (strchr("\"'`", s.text[i]))
            found = part(s, i + 1, end - (end > i + 1));
        else if (isdigit((unsigned char)s.text[i]))
            found = part(s, i, end);
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
        ret->name = part(s, 1, s.len);
        ret->text = nothing;
        return is_variable_name(ret->name);
    }
    end = s.len;
    if (s.text[end - 1] != '}' && s.text[end - 1] != ')')
        return false;
    s = part(s, 2, end - 1);
    sep = find_any(s, ":-?");
    ret->name = part(s, 0, sep);
    while (sep < s.len && strchr(":-?", s.text[sep]))
        sep++;
    ret->text = unquote(part(s, sep, s.len));
    return find_any(ret->name, "${} ") == ret->name.len;
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
        if (end - i > 3 && memchr(s.text + i, '_', end - i) && is_variable_name(part(s, i, end)))
            ret->name = part(s, i, end);
        i = end > i ? end : i + 1;
    }
    ret->text = span_same(last, ret->name) ? nothing : last;
    ret->literal = false;
}

/* References of Terraform: var.host, module.db.address, aws_db_instance.main.address */
static bool is_reference(struct diff_span s)
{
    static const char *const starts[] = { "var.",  "module.", "local.",   "data.",   "each.",
                                          "self.", "aws_",    "azurerm_", "google_", "random_" };

    for (size_t i = 0; i < ARRAY_LEN(starts); i++)
        if (span_starts_with(s, starts[i]) && find_any(s, ".") < s.len)
            return true;
    return false;
}

static bool looks_like_expression(struct diff_span s)
{
    return is_reference(s) || find_any(s, "()?|") < s.len || find(s, "{{") < s.len ||
           find(s, "${") < s.len || find(s, "<%") < s.len || span_has(s, " or ") ||
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
    unit = span_trim(part(s, i, s.len));
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
    ret->text = unquote(raw);
    ret->name = nothing;
    ret->literal = true;
    ret->connection = read_connection(ret->text, &ret->parts);
    if (ret->connection) {
        ret->literal =
            find(ret->text, "${") == ret->text.len && find(ret->text, "{{") == ret->text.len;
        return;
    }
    if (read_shell_variable(ret->text, ret)) {
        ret->literal = false;
    } else {
        ret->name = nothing;
        ret->text = unquote(raw);
        if (looks_like_expression(ret->text))
            read_expression(ret->text, ret);
    }
    ret->connection = !ret->literal && read_connection(ret->text, &ret->parts);
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

    s = unquote(s);
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
        bool listed = i > 0 && strchr("\"' ", s.text[i]) && find_any(s, ",\"'") < s.len;
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
               find(v->raw, "{{") < v->raw.len;
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
    bool text = fits_text(v, code), dotted = find_any(v->raw, ".") < v->raw.len;

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
               find(v->raw, "{{") < v->raw.len || find_any(v->text, ":") < v->text.len;
    case SETTING_DATABASE:
    case SETTING_USER:
        if (code && !v->literal && v->name.len == 0)
            return false; /* computed: a part of the program, no setting */
        return text && (v->text.len == 0 || looks_like_name(v->text)) && !v->number;
    case SETTING_URL:
        return v->connection || v->name.len > 0 || (text && find(v->text, "://") < v->text.len) ||
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
        return v->name.len > 0 || find_any(v->text, "/") < v->text.len;
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

static bool is_address(struct diff_span s)
{
    size_t dots = 0, colons = 0;

    for (size_t i = 0; i < s.len; i++) {
        dots += s.text[i] == '.';
        colons += s.text[i] == ':';
        if (!isxdigit((unsigned char)s.text[i]) && s.text[i] != '.' && s.text[i] != ':')
            return false;
    }
    return (dots == 3 && colons == 0) || colons >= 2;
}

static bool is_loopback(struct diff_span s)
{
    return span_is(s, "localhost") || span_starts_with(s, "127.") || span_is(s, "::1");
}

/* "pg-1" and "pg-1.internal" are the same host to one resolver or another. */
static bool same_host(struct diff_span a, const char *b)
{
    struct diff_span other = { b, strlen(b) };
    size_t n = a.len < other.len ? a.len : other.len;

    if (is_loopback(a) && is_loopback(other))
        return true;
    if (n == 0 || strncasecmp(a.text, b, n) != 0)
        return false;
    if (a.len == other.len)
        return true;
    return !is_address(a) && !is_address(other) && (a.len > n ? a.text[n] : b[n]) == '.' &&
           find_any(part(a, 0, n), ".") == n;
}

enum tristate host_is_target(struct diff_span host, const struct change_context *ctx)
{
    enum tristate answer = UNKNOWN;

    if (host.len == 0 || find_any(host, "${}<>() ") < host.len)
        return UNKNOWN;
    for (size_t i = 0; i < ctx->n_hosts; i++) {
        if (!ctx->hosts[i] || !*ctx->hosts[i])
            continue;
        if (same_host(host, ctx->hosts[i]))
            return YES;
        struct diff_span known = { ctx->hosts[i], strlen(ctx->hosts[i]) };
        /* A name may stand for the address; two names or two addresses are different hosts. */
        if (is_address(known) == is_address(host) || is_loopback(known) || is_loopback(host))
            answer = NO;
    }
    return answer;
}

bool host_is_placeholder(struct diff_span host)
{
    static const char *const names[] = {
        "db",      "database", "postgres", "postgresql", "mysql",
        "mariadb", "mongo",    "mongodb",  "redis",      "host.docker.internal",
        "0.0.0.0", "changeme", ""
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (span_is(host, names[i]))
            return true;
    return is_loopback(host) || span_has(host, "example") || find_any(host, "${}<>") < host.len;
}

const char *port_engine(struct diff_span port)
{
    static const struct {
        const char *port, *engine;
    } ports[] = {
        { "5432", "postgresql" },  { "5433", "postgresql" }, { "6432", "postgresql" },
        { "26257", "postgresql" }, { "3306", "mysql" },      { "3307", "mysql" },
        { "33060", "mysql" },      { "6033", "mysql" },      { "1433", "sqlserver" },
        { "1434", "sqlserver" },   { "1521", "oracle" },     { "1522", "oracle" },
        { "27017", "mongodb" },    { "27018", "mongodb" },   { "6379", "redis" },
        { "6380", "redis" },       { "9042", "cassandra" },  { "5439", "redshift" },
    };

    for (size_t i = 0; i < ARRAY_LEN(ports); i++)
        if (span_is(port, ports[i].port))
            return ports[i].engine;
    return NULL;
}

bool engine_differs(const char *a, const char *b)
{
    if (!a || !b || strcmp(a, "unknown") == 0 || strcmp(b, "unknown") == 0)
        return false;
    if (strcmp(a, "mariadb") == 0)
        a = "mysql";
    if (strcmp(b, "mariadb") == 0)
        b = "mysql";
    return strcmp(a, b) != 0;
}

static enum tristate text_is(struct diff_span s, const char *known)
{
    if (s.len == 0 || !known || !*known || find_any(s, "${}<>() ") < s.len)
        return UNKNOWN;
    return s.len == strlen(known) && strncasecmp(s.text, known, s.len) == 0 ? YES : NO;
}

/* Does any of several hosts match? */
static enum tristate hosts_are_target(struct diff_span hosts, const struct change_context *ctx)
{
    enum tristate answer = UNKNOWN;

    while (hosts.len > 0) {
        struct conn_parts p = { .engine = NULL };
        size_t end = find_any(hosts, ",");
        enum tristate one, port;
        read_hosts(unquote(part(hosts, 0, end)), &p);
        one = host_is_target(p.host, ctx);
        port = text_is(p.port, ctx->port);
        if (one == YES && port != NO)
            return YES;
        if (one == NO || port == NO)
            answer = NO;
        hosts = end < hosts.len ? part(hosts, end + 1, hosts.len) : nothing;
    }
    return answer;
}

static enum tristate connection_is_target(const struct conn_parts *p,
                                          const struct change_context *ctx)
{
    enum tristate host = hosts_are_target(p->all_hosts, ctx);
    enum tristate port = text_is(p->port, ctx->port);

    if (engine_differs(p->engine, ctx->engine) || port == NO)
        return NO;
    if (host == UNKNOWN && port == YES)
        return UNKNOWN; /* the usual port says nothing about the server */
    return host;
}

static enum tristate plain_is_target(const struct value *v, enum setting_kind kind,
                                     const struct change_context *ctx)
{
    if (v->connection)
        return connection_is_target(&v->parts, ctx);
    switch (kind) {
    case SETTING_SERVICE: /* also a port, a label, a switch */
        return hosts_are_target(v->text, ctx) == YES ? YES : UNKNOWN;
    case SETTING_HOST:
    case SETTING_URL:
        return hosts_are_target(v->text, ctx);
    case SETTING_PORT: {
        if (!v->literal && !v->number)
            return UNKNOWN;
        size_t colon = find_any(v->text, ":"); /* "15432:5432": the first is what clients use */
        return text_is(part(v->text, 0, colon), ctx->port);
    }
    case SETTING_DATABASE:
        return v->literal ? text_is(v->text, ctx->database) : UNKNOWN;
    case SETTING_USER:
        return v->literal ? text_is(v->text, ctx->user) : UNKNOWN;
    default:
        return UNKNOWN;
    }
}

enum tristate value_is_target(const struct value *v, enum setting_kind kind,
                              const struct change_context *ctx)
{
    struct buf decoded = BUF_INIT;
    enum tristate answer;

    if (v->literal && value_decode_base64(v->text, &decoded)) {
        struct value inner;
        value_read((struct diff_span){ decoded.data, decoded.len }, &inner);
        answer = plain_is_target(&inner, kind, ctx);
    } else {
        answer = plain_is_target(v, kind, ctx);
    }
    buf_clear(&decoded);
    return answer;
}
