/*
 * Keyword lists: libpq's "host=a port=b", ADO.NET's and ODBC's "Server=a;Database=b", PDO's
 * "mysql:host=a;dbname=b", Oracle's "(HOST=a)(PORT=b)", the parameters of URLs, and the
 * "Pool(host='a', port=1)" that programs print.
 */
#include <ctype.h>
#include <strings.h>

#include "dbconn/base/text.h"
#include "dsn_private.h"

enum field {
    FIELD_OTHER,
    FIELD_HOST,
    FIELD_HOST_ADDRESS, /* libpq's hostaddr: only where there is no host */
    FIELD_PORT,
    FIELD_DATABASE,
    FIELD_USER,
    FIELD_DRIVER,
};

struct keyword {
    const char *name;
    enum field field;
    enum engine engine; /* the only engine that calls it so */
    bool starts;        /* a list in running text may start with it */
};

static const struct keyword keywords[] = {
    { "host", FIELD_HOST, ENGINE_UNKNOWN, true },
    { "hostname", FIELD_HOST, ENGINE_UNKNOWN, true },
    { "server", FIELD_HOST, ENGINE_UNKNOWN, true },
    { "servername", FIELD_HOST, ENGINE_UNKNOWN, false },
    { "data source", FIELD_HOST, ENGINE_UNKNOWN, true },
    { "datasource", FIELD_HOST, ENGINE_UNKNOWN, true },
    { "addr", FIELD_HOST, ENGINE_UNKNOWN, true },
    { "address", FIELD_HOST, ENGINE_UNKNOWN, true },
    { "network address", FIELD_HOST, ENGINE_SQLSERVER, true },
    { "unix_socket", FIELD_HOST, ENGINE_MYSQL, true },
    { "socketpath", FIELD_HOST, ENGINE_UNKNOWN, true },
    { "hostaddr", FIELD_HOST_ADDRESS, ENGINE_POSTGRESQL, true },
    { "port", FIELD_PORT, ENGINE_UNKNOWN, true },
    { "dbname", FIELD_DATABASE, ENGINE_UNKNOWN, true },
    { "database", FIELD_DATABASE, ENGINE_UNKNOWN, true },
    { "databasename", FIELD_DATABASE, ENGINE_UNKNOWN, true },
    { "initial catalog", FIELD_DATABASE, ENGINE_SQLSERVER, true },
    { "db", FIELD_DATABASE, ENGINE_UNKNOWN, false },
    { "keyspace", FIELD_DATABASE, ENGINE_CASSANDRA, false },
    { "service_name", FIELD_DATABASE, ENGINE_ORACLE, false },
    { "sid", FIELD_DATABASE, ENGINE_UNKNOWN, false },
    { "user", FIELD_USER, ENGINE_UNKNOWN, true },
    { "username", FIELD_USER, ENGINE_UNKNOWN, true },
    { "user id", FIELD_USER, ENGINE_UNKNOWN, true },
    { "userid", FIELD_USER, ENGINE_UNKNOWN, true },
    { "uid", FIELD_USER, ENGINE_UNKNOWN, true },
    { "driver", FIELD_DRIVER, ENGINE_UNKNOWN, true },
};

struct pair {
    const struct keyword *keyword; /* NULL: none that matters here */
    size_t words;                  /* of the key */
    const char *value;
    size_t len;
};

static const struct keyword *find_keyword(const char *s, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
        if (strlen(keywords[i].name) == len && strncasecmp(keywords[i].name, s, len) == 0)
            return &keywords[i];
    return NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_key_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-';
}

/* "key =", the key of one to three words. Gives the offset behind the "=", or 0. */
static size_t read_key(const char *s, size_t len, struct pair *p)
{
    size_t i = 0, end = 0;

    p->words = 0;
    while (i < len && p->words < 3 && is_key_char(s[i])) {
        while (i < len && is_key_char(s[i]))
            i++;
        end = i;
        p->words++;
        while (i < len && is_blank(s[i]))
            i++;
    }
    if (end == 0 || i >= len || s[i] != '=' ||
        (i + 1 < len && (s[i + 1] == '=' || s[i + 1] == '>')))
        return 0;
    p->keyword = find_keyword(s, end);
    return i + 1;
}

/* 'it''s', "a\"b", {a}}b}: the length with both delimiters; 0 when it doesn't end. */
static size_t quoted_length(const char *s, size_t len)
{
    char close = s[0] == '{' ? '}' : s[0];

    for (size_t i = 1; i < len; i++) {
        if (s[i] == '\\' && close != '}')
            i++;
        else if (s[i] == close && i + 1 < len && s[i + 1] == close)
            i++;
        else if (s[i] == close)
            return i + 1;
    }
    return 0;
}

/* A bare value runs to a blank or separator; where a ";" comes before the next "=", to the ";"
 * (ADO.NET and ODBC values hold blanks and commas). */
static size_t bare_length(const char *s, size_t len)
{
    size_t semicolon = 0, n = 0;

    while (semicolon < len && !strchr(";=\n\"'`", s[semicolon]))
        semicolon++;
    if (semicolon < len && s[semicolon] == ';')
        return semicolon;
    while (n < len && !isspace((unsigned char)s[n]) && !strchr("\"'`;&()[]{}|", s[n]) &&
           !(s[n] == ',' && (n + 1 >= len || !isalnum((unsigned char)s[n + 1]))))
        n++;
    /* "a=1,b=2": the comma separates when a key follows it */
    const char *comma = memchr(s, ',', n);
    struct pair next;
    if (comma && read_key(comma + 1, len - (size_t)(comma + 1 - s), &next) &&
        (next.words == 1 || next.keyword))
        n = (size_t)(comma - s);
    while (n > 0 && (s[n - 1] == '.' || s[n - 1] == ':' || s[n - 1] == ','))
        n--;
    return n;
}

/* Gives the length of the pair, or 0 when none starts here. */
static size_t read_pair(const char *s, size_t len, struct pair *p)
{
    size_t i = read_key(s, len, p), quoted = 0;

    if (!i)
        return 0;
    while (i < len && is_blank(s[i]))
        i++;
    if (i + 1 < len && (s[i] == 'u' || s[i] == 'b') && s[i + 1] == '\'')
        i++; /* Python's u'..' */
    if (i < len && (s[i] == '\'' || s[i] == '"' || s[i] == '{'))
        quoted = quoted_length(s + i, len - i);
    if (quoted) {
        p->value = s + i + 1;
        p->len = quoted - 2;
        return i + quoted;
    }
    p->value = s + i;
    p->len = bare_length(s + i, len - i);
    return i + p->len;
}

static bool is_nothing(const char *s, size_t len)
{
    return len == 0 || (len == 4 && strncasecmp(s, "none", 4) == 0) ||
           (len == 4 && strncasecmp(s, "null", 4) == 0) ||
           (len == 9 && strncasecmp(s, "undefined", 9) == 0);
}

/* host=a,b and Server=tcp:host,1433: what follows a comma is a port when it is a number. */
static void add_hosts(struct dsn *d, const char *s, size_t len)
{
    size_t from = 0;

    while (from < len && d->n_hosts < DSN_MAX_HOSTS) {
        const char *comma = memchr(s + from, ',', len - from);
        size_t n = comma ? (size_t)(comma - s) - from : len - from;
        if (comma && isdigit((unsigned char)comma[1])) {
            size_t digits = 1;
            while (from + n + digits < len && isdigit((unsigned char)comma[digits]))
                digits++;
            if (from + n + digits >= len || comma[digits] == ',')
                n += digits;
        }
        if (n)
            dsn_add_host(d, s + from, n);
        from += n + 1;
    }
}

static void add_ports(struct dsn *d, const char *s, size_t len)
{
    for (size_t i = 0, from = 0; from < len && i < DSN_MAX_HOSTS; i++) {
        const char *comma = memchr(s + from, ',', len - from);
        size_t n = comma ? (size_t)(comma - s) - from : len - from;
        char *port = dsn_port(s + from, n);
        if (port && i >= d->n_hosts && i == 0)
            VEC_ADD(d->hosts, d->n_hosts, d->cap_hosts)->port = port;
        else if (port && i < d->n_hosts && !d->hosts[i].port)
            d->hosts[i].port = port;
        else
            free(port);
        from += n + 1;
    }
}

static void set_host(struct dsn *d, const char *s, size_t len)
{
    struct dsn_host only_port = { 0 };

    if (d->n_hosts == 1 && !d->hosts[0].host) { /* "port=1 host=a" */
        only_port = d->hosts[0];
        d->n_hosts = 0;
    } else if (d->n_hosts) {
        return;
    }
    add_hosts(d, s, len);
    if (d->n_hosts && !d->hosts[0].port)
        d->hosts[0].port = only_port.port;
    else
        free(only_port.port);
}

static void set_text(char **slot, const char *s, size_t len)
{
    if (!*slot)
        *slot = xstrndup(s, len);
}

static void take(struct dsn *d, const struct pair *p)
{
    enum field field = p->keyword ? p->keyword->field : FIELD_OTHER;
    char *word;

    if (field == FIELD_OTHER || is_nothing(p->value, p->len))
        return;
    if (d->engine == ENGINE_UNKNOWN)
        d->engine = p->keyword->engine;
    switch (field) {
    case FIELD_HOST:
    case FIELD_HOST_ADDRESS:
        set_host(d, p->value, p->len);
        break;
    case FIELD_PORT:
        add_ports(d, p->value, p->len);
        break;
    case FIELD_DATABASE:
        set_text(&d->database, p->value, p->len);
        break;
    case FIELD_USER:
        set_text(&d->user, p->value, p->len);
        break;
    case FIELD_DRIVER:
        word = xstrndup(p->value, p->len);
        if (text_icontains(word, "SQL Server") || text_icontains(word, "FreeTDS"))
            d->engine = ENGINE_SQLSERVER;
        else
            (void)engine_of_name(word, &d->engine);
        free(word);
        break;
    case FIELD_OTHER:
        break;
    }
}

static size_t separators(const char *s, size_t len)
{
    size_t i = 0;

    while (i < len && (isspace((unsigned char)s[i]) || strchr(";,&()", s[i])))
        i++;
    return i;
}

void dsn_pairs(const char *s, size_t len, struct dsn *d)
{
    struct pair p;

    for (size_t i = 0, n; i < len; i += n) {
        i += separators(s + i, len - i);
        n = i < len ? read_pair(s + i, len - i, &p) : 0;
        if (n)
            take(d, &p);
        else
            n = 1; /* not a pair: on to the next character */
    }
}

size_t dsn_pairs_at(const char *s, struct dsn *d)
{
    size_t len = strlen(s), end = 0;
    struct pair p;

    if (!read_key(s, len < 64 ? len : 64, &p) || !p.keyword || !p.keyword->starts)
        return 0;
    for (size_t i = 0, n; i < len; i += separators(s + i, len - i)) {
        n = read_pair(s + i, len - i, &p);
        if (!n || (p.words > 1 && !p.keyword))
            break;
        take(d, &p);
        i += n;
        end = i;
    }
    bool address = d->n_hosts && d->hosts[0].host;
    if (address || (d->database && d->user))
        return end;
    dsn_clear(d);
    return 0;
}
