/* Where a URL in running text ends, and where its credentials do. */
#include <ctype.h>

#include "dbconn/base/redact.h"

#define MAX_PASSWORD 256 /* how far a badly escaped password is looked for */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_host_char(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '-' || c == '_' || c == '[' || c == ':' ||
           c == '<' || c == '*' || c == '/' || c == '%' || c == '(' || c == '{' ||
           (unsigned char)c >= 0x80;
}

/* "user:" at the start, and what follows is no port: a password begins there. Gives the offset of
 * the colon, or -1. */
static long password_colon(const char *s, size_t len)
{
    size_t i = 0;

    if (len && s[0] == '[')
        return -1; /* an IPv6 address */
    while (i < len && !is_space(s[i]) && s[i] != ':' && s[i] != '/' && s[i] != '@' && s[i] != '?' &&
           s[i] != '#' && s[i] != '"' && s[i] != '\'' && s[i] != '`')
        i++;
    if (i >= len || s[i] != ':')
        return -1;
    size_t digits = i + 1;
    while (digits < len && isdigit((unsigned char)s[digits]))
        digits++;
    bool port = digits == len || (!isalnum((unsigned char)s[digits]) && s[digits] != '@' &&
                                  digits > i + 1 && digits - i - 1 <= 5);
    return port ? -1 : (long)i;
}

/* Looks from `from` for the @ that ends a password with quotes, brackets or (`blanks`) blanks in
 * it, on this line. Gives its offset, or -1. */
static long far_at(const char *s, size_t len, size_t from, bool blanks)
{
    long found = -1;
    bool blank = false;

    for (size_t i = from; i < len && i < from + MAX_PASSWORD && s[i] != '\n'; i++) {
        if (s[i] == ':' && i + 2 < len && s[i + 1] == '/' && s[i + 2] == '/')
            break; /* the next URL */
        if (is_space(s[i])) {
            if (found >= 0 || !blanks)
                break;
            blank = true;
        }
        if (s[i] == '@' && i + 1 < len && is_host_char(s[i + 1])) {
            found = (long)i;
            if (blank)
                break;
        }
    }
    return found;
}

static char opener_of(char c)
{
    return c == ')' ? '(' : c == ']' ? '[' : c == '}' ? '{' : c == '>' ? '<' : '\0';
}

/* The guillemets and curly quotes that localized messages put around a URL. */
static bool is_wide_quote(const char *s, size_t len)
{
    const unsigned char *u = (const unsigned char *)s;

    return (len >= 2 && u[0] == 0xC2 && (u[1] == 0xBB || u[1] == 0xAB)) ||
           (len >= 3 && u[0] == 0xE2 && u[1] == 0x80 && u[2] >= 0x98 && u[2] <= 0x9F) ||
           (len >= 3 && u[0] == 0xEF && u[1] == 0xBC && u[2] == 0x8C) || /* fullwidth comma */
           (len >= 3 && u[0] == 0xE3 && u[1] == 0x80 && u[2] <= 0x8F);
}

/* Is s[i] the end of the URL, as far as one character can tell? `open` counts open brackets. */
static bool ends_url(const char *s, size_t len, size_t i, int open[128])
{
    char c = s[i];
    char opener = opener_of(c);

    if (is_space(c) || c == '"' || c == '\'' || c == '`' || c == '|' || (unsigned char)c < 0x20 ||
        is_wide_quote(s + i, len - i))
        return true;
    if (c == '\\')
        return i + 1 >= len || !isalnum((unsigned char)s[i + 1]) || s[i + 1] == 'n';
    if (c == '(' || c == '[' || c == '{' || c == '<')
        open[(int)c]++;
    if (opener && open[(int)opener]-- == 0)
        return true;
    if (c == ',') { /* a list of hosts goes on, a list of URLs does not */
        size_t j = i + 1;
        while (j < len && (isalnum((unsigned char)s[j]) || s[j] == '+'))
            j++;
        return j + 2 < len && s[j] == ':' && s[j + 1] == '/' && s[j + 2] == '/';
    }
    return false;
}

size_t url_extent(const char *s, size_t len)
{
    int open[128] = { 0 };
    bool at = false, may_extend = password_colon(s, len) >= 0;
    size_t i = 0;

    while (i < len) {
        if (ends_url(s, len, i, open)) {
            bool quote = s[i] == '"' || s[i] == '\'' || s[i] == '`';
            long far = may_extend && !(at && quote) ? far_at(s, len, i, !at) : -1;
            if (far < 0)
                break;
            i = (size_t)far;
        }
        if (s[i] == '@')
            at = true;
        i++;
    }
    while (i > 0 && (s[i - 1] == '.' || s[i - 1] == ',' || s[i - 1] == ':' || s[i - 1] == ';' ||
                     s[i - 1] == '!' || s[i - 1] == '?'))
        i--;
    return i;
}

static long last_at(const char *s, size_t from, size_t to)
{
    for (size_t i = to; i > from; i--)
        if (s[i - 1] == '@' && i < to && is_host_char(s[i]))
            return (long)i - 1;
    return -1;
}

static size_t find_any(const char *s, size_t from, size_t len, const char *set)
{
    while (from < len && !strchr(set, s[from]))
        from++;
    return from;
}

/* The @ that ends the credentials of a database URL: the last one, but for those in a query. */
static long database_at(const char *s, size_t len)
{
    size_t query = find_any(s, 0, len, "?");
    long at = last_at(s, 0, query);

    if (query == len)
        return at;
    /* "u:p?w@host": the question mark is the password's, unless what follows it is "name=". */
    long beyond = last_at(s, query, len);
    if (beyond >= 0 && find_any(s, query, (size_t)beyond, "=") == (size_t)beyond)
        return beyond;
    return at >= 0 ? at : beyond >= 0 && password_colon(s, len) >= 0 ? beyond : -1;
}

long url_userinfo(const char *s, size_t len, bool database, long *ret_colon)
{
    size_t authority = find_any(s, 0, len, "/?#");
    long at = database ? database_at(s, len) : last_at(s, 0, authority);

    if (at < 0 && !database && password_colon(s, len) >= 0)
        at = database_at(s, len);
    if (ret_colon) {
        size_t colon = at < 0 ? 0 : find_any(s, 0, (size_t)at, ":");
        *ret_colon = at < 0 || colon == (size_t)at ? -1 : (long)colon;
    }
    return at;
}
