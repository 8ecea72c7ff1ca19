#include "settings_target.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"

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
           span_find_any(span_part(a, 0, n), ".") == n;
}

/* A variable, a template or a placeholder of a format string ("%s", "%(host)s") stands for it. */
static bool is_template(struct diff_span s)
{
    size_t percent = span_find_any(s, "%");

    return span_find_any(s, "${}<>() ") < s.len ||
           (percent + 1 < s.len && strchr("sdvq(", s.text[percent + 1]));
}

enum tristate host_is_target(struct diff_span host, const struct change_context *ctx)
{
    enum tristate answer = UNKNOWN;

    if (host.len == 0 || is_template(host))
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
    return is_loopback(host) || span_has(host, "example") ||
           span_find_any(host, "${}<>") < host.len;
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
    if (s.len == 0 || !known || !*known || is_template(s))
        return UNKNOWN;
    return s.len == strlen(known) && strncasecmp(s.text, known, s.len) == 0 ? YES : NO;
}

/* Does any of several hosts match? */
static enum tristate hosts_are_target(struct diff_span hosts, const struct change_context *ctx)
{
    enum tristate answer = UNKNOWN;

    while (hosts.len > 0) {
        struct conn_parts p = { .engine = NULL };
        size_t end = span_find_any(hosts, ",");
        enum tristate one, port;
        conn_read_hosts(value_unquote(span_part(hosts, 0, end)), &p);
        one = host_is_target(p.host, ctx);
        port = text_is(p.port, ctx->port);
        if (one == YES && port != NO)
            return YES;
        if (one == NO || port == NO)
            answer = NO;
        hosts = end < hosts.len ? span_part(hosts, end + 1, hosts.len) : span_nothing;
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
        size_t colon =
            span_find_any(v->text, ":"); /* "15432:5432": the first is what clients use */
        return text_is(span_part(v->text, 0, colon), ctx->port);
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
