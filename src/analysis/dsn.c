/*
 * The forms, each recognised where it may start in running text:
 *   scheme://...  jdbc:x:...        dsn_url()
 *   host=... port=...;  Server=...  dsn_pairs(), in dsn_pairs.c
 *   user@tcp(host:port)/db          go_dsn()
 *   user@//host:port/service        ez_connect()
 */
#include "dbconn/analysis/dsn.h"

#include <ctype.h>
#include <strings.h>

#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"
#include "dsn_private.h"

void dsn_clear(struct dsn *d)
{
    for (size_t i = 0; i < d->n_hosts; i++) {
        free(d->hosts[i].host);
        free(d->hosts[i].port);
    }
    free(d->hosts);
    free(d->scheme);
    free(d->database);
    free(d->user);
    *d = (struct dsn){ 0 };
}

char *dsn_port(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && text[i] == '0' && i + 1 < len)
        i++;
    for (size_t j = i; j < len; j++)
        if (!isdigit((unsigned char)text[j]))
            return NULL;
    return len == 0 || len - i > 5 ? NULL : xstrndup(text + i, len - i);
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10
                                        : -1;
}

/* RFC 3986, 2.1; a "%" that starts no escape stands for itself. NULL for an empty result. */
char *dsn_unescape(const char *s, size_t len)
{
    struct buf out = BUF_INIT;

    for (size_t i = 0; i < len; i++) {
        int hi = s[i] == '%' && i + 2 < len ? hex_digit(s[i + 1]) : -1;
        int lo = hi >= 0 ? hex_digit(s[i + 2]) : -1;
        if (lo >= 0 && hi * 16 + lo >= 0x20) {
            buf_addc(&out, (char)(hi * 16 + lo));
            i += 2;
        } else {
            buf_addc(&out, s[i]);
        }
    }
    return out.len ? buf_take(&out) : NULL;
}

static const char *last_in(const char *s, size_t len, char c)
{
    return memrchr(s, c, len);
}

void dsn_split_host(const char *s, size_t len, struct dsn_host *ret)
{
    static const char *const transports[] = { "tcp:", "np:", "lpc:", "admin:" }; /* SqlClient */
    const char *at = last_in(s, len, '@');

    *ret = (struct dsn_host){ 0 };
    if (at) {
        len -= (size_t)(at + 1 - s);
        s = at + 1;
    }
    for (size_t i = 0; i < ARRAY_LEN(transports); i++) {
        size_t n = strlen(transports[i]);
        if (len > n && strncasecmp(s, transports[i], n) == 0) {
            s += n;
            len -= n;
        }
    }
    const char *close = len && s[0] == '[' ? memchr(s, ']', len) : NULL;
    if (close) { /* [2001:db8::1]:5432 */
        size_t used = (size_t)(close + 1 - s);
        ret->host = close > s + 1 ? xstrndup(s + 1, used - 2) : NULL;
        if (used < len && s[used] == ':')
            ret->port = dsn_port(s + used + 1, len - used - 1);
        return;
    }
    const char *colon = last_in(s, len, ':'), *comma = last_in(s, len, ',');
    const char *cut = comma ? comma : colon;
    if (len && (s[0] == '/' || memchr(s, ':', len) != colon))
        cut = NULL; /* a path, or an IPv6 address without brackets */
    ret->port = cut ? dsn_port(cut + 1, (size_t)(s + len - cut) - 1) : NULL;
    bool is_port = cut && (ret->port || cut + 1 == s + len || cut == colon); /* "db:port", too */
    size_t host = is_port ? (size_t)(cut - s) : len;
    ret->host = dsn_unescape(s, host);
}

void dsn_add_host(struct dsn *d, const char *s, size_t len)
{
    struct dsn_host h;

    dsn_split_host(s, len, &h);
    if (!h.host && !h.port)
        return;
    *VEC_ADD(d->hosts, d->n_hosts, d->cap_hosts) = h;
}

/* host1:1,host2:2 / address=(host=a)(port=1) / tcp(host:port) / unix(/path) */
static void url_hosts(struct dsn *d, const char *s, size_t len)
{
    if (memchr(s, '(', len)) {
        const char *open = memchr(s, '(', len);
        const char *close = last_in(open, (size_t)(s + len - open), ')');
        size_t inner = close ? (size_t)(close - open) - 1 : (size_t)(s + len - open) - 1;
        if (!memchr(open, '=', inner))
            dsn_add_host(d, open + 1, inner);
        else
            dsn_pairs(s, len, d);
        return;
    }
    for (size_t i = 0, n; i <= len; i += n + 1) {
        const char *comma = memchr(s + i, ',', len - i);
        n = comma ? (size_t)(comma - s) - i : len - i;
        if (n && d->n_hosts < DSN_MAX_HOSTS)
            dsn_add_host(d, s + i, n);
    }
}

/* Where the hosts end: at the path or the parameters; a comma list and brackets may hold more. */
static size_t authority_length(const char *s, size_t len, bool jdbc)
{
    int depth = 0;

    for (size_t i = 0; i < len; i++) {
        if (s[i] == '(')
            depth++;
        else if (s[i] == ')')
            depth--;
        else if (depth <= 0 && (s[i] == '?' || s[i] == '#' || (jdbc && s[i] == ';')))
            return i;
        else if (depth <= 0 && s[i] == '/' && !(i > 0 && s[i - 1] == '<'))
            return i;
    }
    return len;
}

static void url_database(struct dsn *d, const char *s, size_t len)
{
    size_t n = 0;

    while (n < len && !strchr("/?;#&", s[n]))
        n++;
    free(d->database); /* one that a list of pairs among the hosts named: the path is nearer */
    d->database = dsn_unescape(s, n);
}

static bool is_web_scheme(const char *scheme)
{
    return strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0 ||
           strcasecmp(scheme, "ws") == 0 || strcasecmp(scheme, "wss") == 0;
}

/* Everything behind "scheme://". */
static void url_rest(struct dsn *d, const char *s, size_t len)
{
    bool jdbc = text_istarts(d->scheme, "jdbc:");
    long colon, at = url_userinfo(s, len, !is_web_scheme(d->scheme), &colon);

    if (at >= 0) {
        d->user = dsn_unescape(s, (size_t)(colon >= 0 ? colon : at));
        s += at + 1;
        len -= (size_t)at + 1;
    }
    if (text_icontains(d->scheme, "unix") || text_icontains(d->scheme, "socket")) {
        size_t n = strcspn(s, "?");
        dsn_add_host(d, s, n < len ? n : len);
        return;
    }
    size_t hosts = authority_length(s, len, jdbc);
    url_hosts(d, s, hosts);
    s += hosts;
    len -= hosts;
    if (len && *s == '/' && !is_web_scheme(d->scheme))
        url_database(d, s + 1, len - 1);
    const char *query = len ? memchr(s, jdbc && memchr(s, ';', len) ? ';' : '?', len) : NULL;
    if (query && !is_web_scheme(d->scheme))
        dsn_pairs(query + 1, (size_t)(s + len - query) - 1, d);
}

/* jdbc:oracle:thin:[user/password]@ and then //host:port/service, host:port:sid, (DESCRIPTION=..)
 * or a TNS alias (Oracle JDBC Developer's Guide, "Data Sources and URLs"). */
static void oracle_rest(struct dsn *d, const char *s, size_t len)
{
    const char *at = last_in(s, len, '@');
    const char *slash = at ? memchr(s, '/', (size_t)(at - s)) : NULL;
    struct dsn_host h;

    d->engine = ENGINE_ORACLE;
    if (slash && slash > s)
        d->user = xstrndup(s, (size_t)(slash - s));
    if (at) {
        len -= (size_t)(at + 1 - s);
        s = at + 1;
    }
    if (len > 2 && s[0] == '/' && s[1] == '/') {
        s += 2;
        len -= 2;
    }
    if (len && s[0] == '(') {
        dsn_pairs(s, len, d);
        return;
    }
    size_t n = 0, colons = 0;
    while (n < len && s[n] != '/' && s[n] != '?' && colons < 2)
        colons += s[n++] == ':';
    dsn_split_host(s, colons == 2 ? n - 1 : n, &h);
    *VEC_ADD(d->hosts, d->n_hosts, d->cap_hosts) = h;
    if (n < len && (s[n] == '/' || colons == 2))
        url_database(d, s + n + (s[n] == '/'), len - n - (s[n] == '/'));
}

/* The length of "scheme:" that starts at `s` ("jdbc:mysql:loadbalance:"), or 0. */
static size_t scheme_length(const char *s)
{
    size_t i = 0, end = 0;

    if (!isalpha((unsigned char)s[0]))
        return 0;
    bool nested = text_istarts(s, "jdbc:") || text_istarts(s, "r2dbc:");
    while (isalnum((unsigned char)s[i]) || strchr("+-._", s[i]) ? s[i] != '\0' : false) {
        while (isalnum((unsigned char)s[i]) || (s[i] && strchr("+-._", s[i])))
            i++;
        if (s[i] != ':' || i > DSN_MAX_SCHEME)
            break;
        end = ++i;
        if (!nested && s[i] != '/')
            break;
    }
    return end;
}

/* How long the JDBC text without "//" is: up to a blank, quote or bracket that was not opened. */
static size_t opaque_length(const char *s)
{
    size_t i = 0;
    int depth = 0;

    for (; s[i] && !isspace((unsigned char)s[i]) && !strchr("\"'`<>", s[i]); i++) {
        depth += s[i] == '(' ? 1 : s[i] == ')' ? -1 : 0;
        if (depth < 0 || (depth == 0 && s[i] == ','))
            break;
    }
    while (i > 0 && strchr(".,:;", s[i - 1]))
        i--;
    return i;
}

/* A URL, or a JDBC URL with one slash or none. */
static size_t dsn_url(const char *s, struct dsn *ret)
{
    size_t scheme = scheme_length(s);
    bool jdbc = text_istarts(s, "jdbc:"), slashes = scheme && strncmp(s + scheme, "//", 2) == 0;

    if (!scheme || (!jdbc && !slashes))
        return 0;
    ret->scheme = xstrndup(s, scheme - 1);
    ret->engine = engine_of_scheme(ret->scheme);
    if (jdbc && text_icontains(ret->scheme, "oracle")) {
        size_t n = opaque_length(s + scheme);
        oracle_rest(ret, s + scheme, n);
        return scheme + n;
    }
    if (slashes || s[scheme] == '/') {
        size_t skip = scheme + (slashes ? 2 : 1), n = url_extent(s + skip, strlen(s + skip));
        if (ret->engine == ENGINE_UNKNOWN && jdbc && !slashes)
            return 0; /* jdbc:sqlite:/path */
        url_rest(ret, s + skip, n);
        return skip + n;
    }
    if (ret->engine == ENGINE_UNKNOWN)
        return 0;
    url_database(ret, s + scheme, opaque_length(s + scheme));
    return scheme + opaque_length(s + scheme);
}

/* Go's MySQL driver: [user[:password]@]tcp(host:port)/db?params. `at` is the offset of the "@" in
 * text; the start of the whole is looked for backwards, down to `floor`. */
static bool go_dsn(const char *text, size_t floor, size_t at, size_t *start, size_t *end,
                   struct dsn *ret)
{
    const char *open = strchr(text + at, '('), *close = open ? strchr(open, ')') : NULL;
    size_t from = at;

    if (!close || strcspn(text + at, " \n") < (size_t)(close - (text + at)))
        return false;
    while (from > floor && at - from < DSN_MAX_USERINFO &&
           !isspace((unsigned char)text[from - 1]) && !strchr("\"'`=", text[from - 1]))
        from--;
    const char *colon = memchr(text + from, ':', at - from);
    size_t user = colon ? (size_t)(colon - (text + from)) : at - from;
    ret->user = user ? xstrndup(text + from, user) : NULL;
    ret->engine = ENGINE_MYSQL;
    dsn_add_host(ret, open + 1, (size_t)(close - open) - 1);
    size_t tail = close[1] == '/' ? strcspn(close + 2, " \n\t\"'`)") : 0;
    if (tail)
        url_database(ret, close + 2, tail);
    *start = from;
    *end = (size_t)(close + 1 - text) + (close[1] == '/' ? tail + 1 : 0);
    return true;
}

/* Oracle's EZConnect: user[/password]@//host:port/service. `at` is the offset of "@//". */
static bool ez_connect(const char *text, size_t floor, size_t at, size_t *start, size_t *end,
                       struct dsn *ret)
{
    size_t from = at, n = url_extent(text + at + 3, strlen(text + at + 3));

    while (from > floor && at - from < DSN_MAX_USERINFO &&
           !isspace((unsigned char)text[from - 1]) && !strchr("\"'`=(", text[from - 1]))
        from--;
    if (!n)
        return false;
    ret->engine = ENGINE_ORACLE;
    size_t user = strcspn(text + from, "/@[");
    ret->user = user ? xstrndup(text + from, user) : NULL;
    size_t hosts = authority_length(text + at + 3, n, false);
    url_hosts(ret, text + at + 3, hosts);
    if (hosts < n)
        url_database(ret, text + at + 3 + hosts + 1, n - hosts - 1);
    *start = from;
    *end = at + 3 + n;
    return true;
}

static bool starts_word(const char *text, size_t i)
{
    return i == 0 || !(isalnum((unsigned char)text[i - 1]) || text[i - 1] == '_' ||
                       text[i - 1] == '.' || text[i - 1] == '+');
}

bool dsn_find(const char *text, size_t from, size_t *ret_start, size_t *ret_end, struct dsn *ret)
{
    *ret = (struct dsn){ 0 };
    for (size_t i = from; text[i]; i++) {
        size_t n = 0;
        if (text[i] == '@' &&
            (strncmp(text + i, "@tcp(", 5) == 0 || strncmp(text + i, "@unix(", 6) == 0)) {
            if (go_dsn(text, from, i, ret_start, ret_end, ret))
                return true;
        } else if (text[i] == '@' && strncmp(text + i, "@//", 3) == 0) {
            if (ez_connect(text, from, i, ret_start, ret_end, ret))
                return true;
        } else if (isalpha((unsigned char)text[i]) && starts_word(text, i)) {
            n = dsn_url(text + i, ret);
            if (!n)
                dsn_clear(ret), n = dsn_pairs_at(text + i, ret);
        }
        if (n) {
            *ret_start = i;
            *ret_end = i + n;
            return true;
        }
        dsn_clear(ret);
    }
    return false;
}
