/*
 * name=value and its kin. The name stands left of = : or =>, in quotes or not; the value may be
 * quoted as in JSON, Python, Ruby, PHP, SQL or shell, braced as in ODBC, or bare as in an .ini
 * file, a URL's query, a header or a command line.
 */
#include <ctype.h>
#include <strings.h>

#include "redact_private.h"

#define MAX_QUOTED 16384 /* bytes in which a closing quote is looked for */
#define MAX_AFTER                                                                                  \
    128 /* bytes behind a doubtful closing quote in which a better one is looked for */

static bool is_name_char(char c)
{
    return redact_is_word(c) || c == '.' || c == '-';
}

/* The name that ends before offset `end`, without quotes, brackets and blanks: config['x'], "x",
 * x. False when there is none. */
static bool name_before(const struct redaction *r, size_t end, struct span *ret)
{
    size_t i = end, floor = end > REDACT_MAX_NAME + 8 ? end - REDACT_MAX_NAME - 8 : 0;

    while (i > floor && redact_is_blank(r->s[i - 1]))
        i--;
    while (i > floor && strchr("]\"'`)\\", r->s[i - 1]))
        i--;
    ret->end = i;
    while (i > floor && is_name_char(r->s[i - 1]))
        i--;
    ret->start = i;
    if (ret->end - i == 3 && strncasecmp(r->s + i, "key", 3) == 0) { /* "API key: x" */
        size_t j = i;
        while (j > floor && redact_is_blank(r->s[j - 1]))
            j--;
        while (j > floor && isalpha((unsigned char)r->s[j - 1]))
            j--;
        if (redact_secret_name(r->s + j, ret->end - j))
            ret->start = j;
    }
    return ret->end > ret->start;
}

/* ---- where a value ends ---- */

/* The quote that opens at s[i], as written: a run of backslashes, then one or three quotes. */
static size_t opening(const char *s)
{
    size_t slashes = strspn(s, "\\");
    char quote = s[slashes];

    if (quote != '"' && quote != '\'' && quote != '`')
        return 0;
    if (slashes == 0 && s[1] == quote && s[2] == quote)
        return 3;
    return slashes + 1;
}

/* Can a quoted value end before this character? */
static bool follows_quote(char c)
{
    return !c || isspace((unsigned char)c) || strchr(",;:)]}>&|\"'`\\.", c);
}

/* The length of what a quote of `open` bytes encloses; *ret_closed tells whether it ends. A doubled
 * quote ('it''s') and a backslashed one belong to the value; so does one in the middle of a word,
 * if another one ends the value on the same line. */
static size_t enclosed(const char *s, size_t open, bool *ret_closed)
{
    char quote = s[open - 1];
    size_t i = open, first = 0;

    *ret_closed = true;
    for (; s[i] && i < MAX_QUOTED && !(first && (s[i] == '\n' || i - first > MAX_AFTER)); i++) {
        if (open == 1 && s[i] == '\\' && s[i + 1]) {
            i++;
            continue;
        }
        if (strncmp(s + i, s, open) != 0)
            continue;
        if (open == 1 && s[i + 1] == quote && i > open) {
            i++;
            continue;
        }
        if (follows_quote(s[i + open]))
            return i - open;
        first = first ? first : i;
    }
    if (first)
        return first - open;
    *ret_closed = false;
    i = strcspn(s + open, "\n");
    return i < MAX_QUOTED ? i : MAX_QUOTED;
}

/* ODBC: {a}}b}, a closing brace is doubled */
static size_t braced(const char *s)
{
    for (size_t i = 1; s[i] && s[i] != '\n'; i++) {
        if (s[i] == '}' && s[i + 1] == '}')
            i++;
        else if (s[i] == '}')
            return i + 1;
    }
    return 0;
}

static bool ends_bare(const char *s, size_t i)
{
    char c = s[i], next = c ? s[i + 1] : '\0';

    if (!c || isspace((unsigned char)c) || c == ';' || c == '&' || c == '<')
        return true;
    /* a quote or bracket that closes something around the pair */
    if (strchr("\"'`)]}>", c))
        return !next || isspace((unsigned char)next) || strchr(",;:.)]}>\"'`|\\", next);
    if (c == '\\')
        return next == '"' || next == '\'' || next == 'n' || next == 'r';
    if (c == ',') { /* "a=1,b=2" and "a: 1, b" */
        size_t n = 1;
        while (redact_is_word(s[i + n]) || s[i + n] == '\'' || s[i + n] == '"' || s[i + n] == '-')
            n++;
        return n == 1 || s[i + n] == '=' || s[i + n] == ':';
    }
    return false;
}

static size_t bare(const char *s)
{
    size_t i = 0;

    while (!ends_bare(s, i))
        i++;
    return i;
}

static bool starts_line(const struct redaction *r, size_t at)
{
    size_t i = at;

    while (i > 0 && at - i < REDACT_MAX_NAME && strchr(" \t+-\"'#>", r->s[i - 1]))
        i--;
    return i == 0 || r->s[i - 1] == '\n';
}

/* "password: two words" alone on its line: YAML, .properties and .env values may hold blanks. */
static size_t whole_line(const struct redaction *r, const struct span *name, size_t at)
{
    if (!starts_line(r, name->start))
        return 0;
    size_t n = strcspn(r->s + at, "\n\"'`{}[]()<>,;=");
    if ((r->s[at + n] && r->s[at + n] != '\n') || memchr(r->s + at, ':', n) ||
        memmem(r->s + at, n, " -", 2))
        return 0;
    while (n > 0 && isspace((unsigned char)r->s[at + n - 1]))
        n--;
    const char *comment = memmem(r->s + at, n, " #", 2);
    return comment ? (size_t)(comment - (r->s + at)) : n;
}

/* ---- what is hidden of it ---- */

static bool is_header(const struct redaction *r, const struct span *name, const char *header)
{
    size_t n = strlen(header);

    return name->end - name->start >= n && strncasecmp(r->s + name->end - n, header, n) == 0;
}

/* "Bearer x", "Basic x", "ApiKey x": the scheme may stay. Gives its length with the blank. */
static size_t auth_scheme(const char *s, size_t len)
{
    static const char *const schemes[] = { "Bearer ", "Basic ",     "ApiKey ",          "Token ",
                                           "Digest ", "Negotiate ", "AWS4-HMAC-SHA256 " };

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        size_t n = strlen(schemes[i]);
        if (len >= n && strncasecmp(s, schemes[i], n) == 0)
            return n;
    }
    return 0;
}

/* A harmless value is walked through all the same: where it ends is a guess, and what a stranger
 * wrote may have opened a quote that reaches far. */
static bool hide_value(struct redaction *r, size_t start, size_t len)
{
    size_t scheme = auth_scheme(r->s + start, len);

    start += scheme;
    len -= scheme;
    if (redact_harmless(r->s + start, len)) {
        r->at = start;
        return true;
    }
    redact_hide(r, start, start + len);
    return true;
}

static bool hide_quoted(struct redaction *r, size_t at, size_t open)
{
    bool closed;
    size_t n = enclosed(r->s + at, open, &closed);

    hide_value(r, at + open, n);
    if (closed && r->at == at + open + n)
        r->at += open;
    return true;
}

/* NAME=value alone on its line, as in an .env file: up to a blank, whatever is in it, unless a
 * further "&name=" or ";name=" shows a list. */
static size_t env_length(const char *s)
{
    size_t n = strcspn(s, " \t\r\n");

    for (size_t i = 0; i < n; i++) {
        size_t name = 1;
        if (s[i] != '&' && s[i] != ';')
            continue;
        while (redact_is_word(s[i + name]))
            name++;
        if (name > 1 && s[i + name] == '=')
            return i;
    }
    return n;
}

static size_t bare_length(const struct redaction *r, const struct span *name, size_t at)
{
    size_t line;

    if (is_header(r, name, "cookie") || is_header(r, name, "authorization"))
        return strcspn(r->s + at, "\r\n\"'`");
    line = whole_line(r, name, at);
    if (line)
        return line;
    if (r->s[name->end] == '=' && starts_line(r, name->start))
        return env_length(r->s + at);
    return bare(r->s + at);
}

/* Hides the value that starts at or behind offset `at`. */
static bool hide_from(struct redaction *r, const struct span *name, size_t at, bool equals)
{
    at += strspn(r->s + at, " \t");
    size_t prefix = r->s[at] && strchr("ubrfBL@", r->s[at]) && opening(r->s + at + 1) ? 1 : 0;
    size_t open = opening(r->s + at + prefix);

    if (open)
        return hide_quoted(r, at + prefix, open);
    if (r->s[at] == '{') {
        size_t n = equals ? braced(r->s + at) : 0;
        if (!n)
            return false; /* an object: its members are read one by one */
        return hide_value(r, at + 1, n - 2);
    }
    if (r->s[at] == '[' && opening(r->s + at + 1)) /* ["x"] */
        return hide_quoted(r, at + 1, opening(r->s + at + 1));
    size_t n = bare_length(r, name, at);
    if (!n)
        return false;
    return hide_value(r, at, n);
}

/* Parameters of URLs whose names say nothing elsewhere. */
static bool is_url_secret(const struct redaction *r, const struct span *name, size_t value)
{
    static const char *const names[] = { "sig",
                                         "signature",
                                         "ticket",
                                         "x-amz-signature",
                                         "x-amz-credential",
                                         "x-goog-signature",
                                         "auth",
                                         "sid",
                                         "code",
                                         "key",
                                         "hash",
                                         "X-Amz-Security-Token" };
    size_t n = name->end - name->start;

    if (name->start == 0 || !strchr("?&", r->s[name->start - 1]) || bare(r->s + value) < 8)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strlen(names[i]) == n && strncasecmp(names[i], r->s + name->start, n) == 0)
            return true;
    return false;
}

static bool name_is(const struct redaction *r, const struct span *name, const char *word)
{
    size_t n = strlen(word);

    return name->end - name->start == n && strncasecmp(r->s + name->start, word, n) == 0;
}

/* Kubernetes, compose and Terraform lists: "name: DB_PASSWORD" and "value: ..." are two pairs. */
static void note_name(struct redaction *r, const struct span *name, size_t value)
{
    size_t at = value + strspn(r->s + value, " \t\"'\\"), n = 0;

    if (!name_is(r, name, "name") && !name_is(r, name, "key"))
        return;
    while (is_name_char(r->s[at + n]) && n < REDACT_MAX_NAME)
        n++;
    if (redact_secret_name(r->s + at, n))
        r->value_until = at + n + 160;
}

bool redact_setting(struct redaction *r)
{
    size_t value = r->at + 1;
    struct span name;
    bool equals = r->s[r->at] == '=';

    if (!name_before(r, r->at, &name))
        return false;
    while (r->s[value] == '=' || r->s[value] == '>' || (!equals && r->s[value] == ':'))
        value++;
    if (r->s[r->at] == ':' && r->s[value] == '/' && r->s[value + 1] == '/')
        return false;
    note_name(r, &name, value);
    bool secret = redact_secret_name(r->s + name.start, name.end - name.start) ||
                  is_url_secret(r, &name, value) ||
                  (r->at < r->value_until && name_is(r, &name, "value"));
    if (!secret)
        return false;
    if (name_is(r, &name, "value"))
        r->value_until = 0;
    return hide_from(r, &name, value, equals);
}

/* <password>x</password> */
bool redact_element(struct redaction *r)
{
    struct span name;

    if (!name_before(r, r->at, &name) || name.end != r->at || name.start == 0 ||
        r->s[name.start - 1] != '<' ||
        !redact_secret_name(r->s + name.start, name.end - name.start))
        return false;
    size_t n = strcspn(r->s + r->at + 1, "<");
    if (r->s[r->at + 1 + n] != '<' || r->s[r->at + 2 + n] != '/')
        return false;
    return hide_value(r, r->at + 1, n);
}

/* ---- words that a secret follows ---- */

enum after {
    AFTER_VALUE,    /* a quoted or bare value */
    AFTER_QUOTED,   /* a quoted value only */
    AFTER_SCHEME,   /* credentials of an Authorization header */
    AFTER_PORT,     /* a rest of a password that a parser took for a port */
    AFTER_HOST,     /* a rest of a password in front of a host's @ */
    AFTER_USERPASS, /* user:password */
};

static const struct {
    const char *words;
    enum after after;
} phrases[] = {
    { "identified by ", AFTER_QUOTED },
    { "with password ", AFTER_QUOTED },
    { "password ", AFTER_QUOTED },
    { "requirepass ", AFTER_VALUE },
    { "masterauth ", AFTER_VALUE },
    { "sshpass -p ", AFTER_VALUE },
    { "bearer ", AFTER_SCHEME },
    { "basic ", AFTER_SCHEME },
    { "apikey ", AFTER_SCHEME },
    { "invalid port \"", AFTER_PORT },            /* Go, net/url */
    { "invalid port number: \"", AFTER_PORT },    /* libpq */
    { "invalid integer value \"", AFTER_PORT },   /* libpq */
    { "cast to integer value as '", AFTER_PORT }, /* Python, urllib.parse */
    { "enotfound ", AFTER_HOST },
    { "eai_again ", AFTER_HOST },
    { "lookup ", AFTER_HOST },
    { "host name \"", AFTER_HOST },
    { "server host '", AFTER_HOST },
    { "server on '", AFTER_HOST },
    { "unknownhostexception: ", AFTER_HOST },
    { "curl -u ", AFTER_USERPASS },
    { "--user ", AFTER_USERPASS },
};

/* Is this what follows "Bearer", and not "Bearer authentication"? */
static bool looks_like_credential(const char *s, size_t n)
{
    size_t lower = 0, other = 0;

    for (size_t i = 0; i < n; i++) {
        lower += (size_t)(islower((unsigned char)s[i]) != 0);
        other += (size_t)(isdigit((unsigned char)s[i]) || isupper((unsigned char)s[i]) ||
                          strchr("+/=_-.~", s[i]) != NULL);
    }
    return n >= 8 && lower + other == n && (other >= 2 || n >= 24);
}

static bool follow(struct redaction *r, enum after after, size_t at)
{
    struct span none = { at, at };
    size_t n = strcspn(r->s + at, " \t\r\n\"'`,;)|"), slash = 0;

    switch (after) {
    case AFTER_QUOTED:
        if (!opening(r->s + at))
            return false;
        return hide_quoted(r, at, opening(r->s + at));
    case AFTER_VALUE:
        return hide_from(r, &none, at, true);
    case AFTER_SCHEME:
        if (!looks_like_credential(r->s + at, n))
            return false;
        redact_hide(r, at, at + n);
        return true;
    case AFTER_PORT:
        slash = r->s[at] == ':' ? 1 : 0;
        n = strcspn(r->s + at, "\"'\n");
        if (n <= slash || strspn(r->s + at + slash, "0123456789") == n - slash)
            return false;
        return hide_value(r, at + slash, n - slash);
    case AFTER_HOST:
        while (n > 0 && r->s[at + n - 1] != '@')
            n--;
        return n > 1 && hide_value(r, at, n - 1);
    case AFTER_USERPASS:
        slash = strcspn(r->s + at, ": \n");
        return r->s[at + slash] == ':' && slash + 1 < n &&
               hide_value(r, at + slash + 1, n - slash - 1);
    }
    return false;
}

/* --password x, --api-key x; mysql's -pSECRET behind the program's name */
static bool option(struct redaction *r)
{
    const char *s = r->s + r->at;
    size_t n = 2;

    if (s[0] != '-' || s[1] != '-')
        return false;
    while (is_name_char(s[n]) && n < REDACT_MAX_NAME)
        n++;
    if (!redact_is_blank(s[n]) || s[n + 1] == '-' || !redact_secret_name(s + 2, n - 2))
        return false;
    struct span none = { r->at + n, r->at + n };
    return hide_from(r, &none, r->at + n, true);
}

static bool mysql_password(struct redaction *r)
{
    const char *s = r->s + r->at;
    size_t from = r->at > 120 ? r->at - 120 : 0;

    if (s[0] != '-' || s[1] != 'p' || !s[2] || isspace((unsigned char)s[2]) || r->at == 0 ||
        !redact_is_blank(r->s[r->at - 1]) || !memmem(r->s + from, r->at - from, "mysql", 5))
        return false;
    struct span none = { r->at + 2, r->at + 2 };
    return hide_from(r, &none, r->at + 2, true);
}

bool redact_phrase(struct redaction *r)
{
    const char *s = r->s + r->at;

    if (*s == '-')
        return option(r) || mysql_password(r);
    for (size_t i = 0; i < ARRAY_LEN(phrases); i++) {
        if ((*s | 0x20) != *phrases[i].words)
            continue;
        size_t n = strlen(phrases[i].words);
        if (strncasecmp(s, phrases[i].words, n) == 0 && follow(r, phrases[i].after, r->at + n))
            return true;
    }
    return false;
}
