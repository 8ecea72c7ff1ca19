#include "settings_conn.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"

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
void conn_read_hosts(struct diff_span hosts, struct conn_parts *ret)
{
    size_t end = span_find_any(hosts, ",");
    struct diff_span first = span_part(hosts, 0, end);
    size_t colon;

    ret->all_hosts = hosts;
    if (first.len > 0 && *first.text == '[') {
        size_t close = span_find_any(first, "]");
        ret->host = span_part(first, 1, close);
        if (close + 2 < first.len && first.text[close + 1] == ':')
            ret->port = span_part(first, close + 2, first.len);
        return;
    }
    colon = span_find_any(first, ":");
    ret->host = span_part(first, 0, colon);
    /* more than one colon is a bare IPv6 address */
    if (colon < first.len &&
        span_find_any(span_part(first, colon + 1, first.len), ":") + colon + 1 < first.len)
        ret->host = first;
    else if (colon < first.len)
        ret->port = span_part(first, colon + 1, first.len);
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
        value = span_part(value, 1, value.len - 1);
    if (w.n == 2 && word_is(w.items[0], "data") && word_is(w.items[1], "source"))
        kind = SETTING_HOST;
    else if (!words_kind(&w, &kind, &used, &intrinsic) || words_have(&w, "endpoint"))
        return;
    if (kind == SETTING_DATABASE && !(words_flags(&w) & WORD_DATABASE) &&
        !words_have(&w, "catalog"))
        return;                 /* "AccountName=..." of a storage service */
    if (kind == SETTING_HOST) { /* SQL Server: "tcp:name,1433" */
        if (span_starts_with(value, "tcp:"))
            value = span_part(value, 4, value.len);
        comma = span_find_any(value, ",");
        if (comma < value.len && is_digits(span_part(value, comma + 1, value.len))) {
            ret->port = span_part(value, comma + 1, value.len);
            value = span_part(value, 0, comma);
        }
        struct diff_span port = ret->port;
        conn_read_hosts(value, ret);
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
    bool semicolons = span_find_any(s, ";") < s.len;
    size_t pairs = 0;

    for (size_t i = 0; i < s.len;) {
        struct diff_span rest = span_part(s, i, s.len), item;
        size_t end = span_find_any(rest, semicolons ? ";" : " "), sign;
        item = span_trim(span_part(rest, 0, end));
        sign = span_find_any(item, "=");
        if (sign > 0 && sign < item.len) {
            read_pair(span_part(item, 0, sign), span_part(item, sign + 1, item.len), ret);
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
    size_t tcp = span_find(s, "@tcp("), close, colon;
    struct diff_span rest;

    if (tcp >= s.len)
        return false;
    colon = span_find_any(span_part(s, 0, tcp), ":");
    ret->user = span_part(s, 0, colon);
    rest = span_part(s, tcp + 5, s.len);
    close = span_find_any(rest, ")");
    conn_read_hosts(span_part(rest, 0, close), ret);
    rest = close + 2 < rest.len ? span_part(rest, close + 2, rest.len) : span_nothing;
    ret->database = span_part(rest, 0, span_find_any(rest, "?"));
    ret->options = span_part(rest, span_find_any(rest, "?"), rest.len);
    ret->engine = "mysql";
    return true;
}

/* ";databaseName=x;encrypt=true" of jdbc:sqlserver, "?user=x&ssl=true" of the others */
static void read_url_options(struct diff_span options, struct conn_parts *ret)
{
    ret->options = options;
    for (size_t i = 0; i < options.len;) {
        struct diff_span rest = span_part(options, i, options.len), item;
        size_t end = span_find_any(span_part(rest, 1, rest.len), ";&") + 1, sign;
        item = span_part(rest, 1, end < rest.len ? end : rest.len);
        sign = span_find_any(item, "=");
        if (sign < item.len &&
            (span_starts_with(item, "databaseName=") || span_starts_with(item, "database=") ||
             span_starts_with(item, "user=")))
            read_pair(span_part(item, 0, sign), span_part(item, sign + 1, item.len), ret);
        i += end;
    }
}

/* "jdbc:oracle:thin:@//host:1521/service" and "...@host:1521:sid" */
static bool read_oracle(struct diff_span s, struct conn_parts *ret)
{
    size_t at_sign = span_find_any(s, "@"), slash, colon;
    struct diff_span rest;

    if (!span_starts_with(s, "jdbc:oracle:") || at_sign >= s.len)
        return false;
    rest = span_part(s, at_sign + 1, s.len);
    while (rest.len > 0 && *rest.text == '/')
        rest = span_part(rest, 1, rest.len);
    slash = span_find_any(rest, "/?");
    ret->database = slash < rest.len ? span_part(rest, slash + 1, rest.len) : span_nothing;
    rest = span_part(rest, 0, slash);
    colon = span_find_any(rest, ":");
    ret->host = ret->all_hosts = span_part(rest, 0, colon);
    rest = colon < rest.len ? span_part(rest, colon + 1, rest.len) : span_nothing;
    colon = span_find_any(rest, ":");
    ret->port = span_part(rest, 0, colon);
    if (colon < rest.len)
        ret->database = span_part(rest, colon + 1, rest.len);
    ret->engine = "oracle";
    return true;
}

/* scheme://user:password@hosts/database?options (RFC 3986), also with a few hosts */
static bool read_url(struct diff_span s, struct conn_parts *ret)
{
    size_t sep = span_find(s, "://"), end, sign;
    struct diff_span rest, authority;

    if (sep >= s.len || sep == 0 || span_find_any(span_part(s, 0, sep), " \"'(,") < sep ||
        !scheme_engine(span_part(s, 0, sep), &ret->engine))
        return false;
    rest = span_part(s, sep + 3, s.len);
    end = span_find_any(rest, "/?;");
    authority = span_part(rest, 0, end);
    /* the last "@": a password may hold one that nobody encoded */
    for (sign = authority.len; sign > 0 && authority.text[sign - 1] != '@';)
        sign--;
    if (sign > 0) {
        ret->user = span_part(authority, 0, span_find_any(span_part(authority, 0, sign - 1), ":"));
        authority = span_part(authority, sign, authority.len);
    }
    conn_read_hosts(authority, ret);
    rest = span_part(rest, end, rest.len);
    if (rest.len > 0 && *rest.text == '/') {
        end = span_find_any(rest, "?;");
        ret->database = span_part(rest, 1, end);
        rest = span_part(rest, end, rest.len);
    }
    read_url_options(rest, ret);
    return true;
}

bool conn_read(struct diff_span s, struct conn_parts *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (s.len < 5 || s.len > 2000)
        return false;
    return read_oracle(s, ret) || read_url(s, ret) || read_go_mysql(s, ret) || read_pairs(s, ret);
}
