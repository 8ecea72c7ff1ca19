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

bool redact_is_name_char(char c)
{
    return redact_is_word(c) || c == '.' || c == '-';
}

/* The name that ends before offset `end`, without quotes, brackets and blanks: config['x'], "x",
 * x. False when there is none. */
bool redact_name_before(const struct redaction *r, size_t end, struct span *ret)
{
    size_t i = end, floor = end > REDACT_MAX_NAME + 8 ? end - REDACT_MAX_NAME - 8 : 0;

    while (i > floor && redact_is_blank(r->s[i - 1]))
        i--;
    while (i > floor && strchr("]\"'`)\\", r->s[i - 1]))
        i--;
    ret->end = i;
    while (i > floor && redact_is_name_char(r->s[i - 1]))
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
size_t redact_opening(const char *s)
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
    for (; i < MAX_QUOTED && s[i] && !(first && (s[i] == '\n' || i - first > MAX_AFTER)); i++) {
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
    if (i < at && i > 0 && r->s[i - 1] == 'n' && r->s[i] != '\'')
        i--; /* the n of an escaped line end */
    return i == 0 || r->s[i - 1] == '\n' || (r->s[i] == 'n' && r->s[i - 1] == '\\');
}

/* "password: two words" alone on its line: YAML, .properties and .env values may hold blanks. */
static size_t whole_line(const struct redaction *r, const struct span *name, size_t at)
{
    if (!starts_line(r, name->start))
        return 0;
    size_t n = strcspn(r->s + at, "\n\\\"'`{}[]()<>,;=");
    size_t slashes = strspn(r->s + at + n, "\\");
    bool line_end = r->s[at + n] == '\n' || (slashes && r->s[at + n + slashes] == 'n');
    if ((r->s[at + n] && !line_end) || memchr(r->s + at, ':', n) || memmem(r->s + at, n, " -", 2))
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
bool redact_hide_value(struct redaction *r, size_t start, size_t len)
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

bool redact_hide_quoted(struct redaction *r, size_t at, size_t open)
{
    bool closed;
    size_t n = enclosed(r->s + at, open, &closed);

    redact_hide_value(r, at + open, n);
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

/* What stands between a name and its quoted value in dumps and in code: PHP's string(14), Go's
 * (string)(len=14), Some(, Secret(. */
static size_t wrapping(const char *s)
{
    static const char *const wrappers[] = { "string(", "(string)",   "(len=",
                                            "Some(",   "SecretStr(", "Secret(" };
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(wrappers); i++) {
        if (strncmp(s + n, wrappers[i], strlen(wrappers[i])) != 0)
            continue;
        n += strlen(wrappers[i]);
        size_t digits = strspn(s + n, "0123456789");
        n += s[n + digits] == ')' ? digits + 1 : 0;
        n += strspn(s + n, " ");
        i = 0;
    }
    return n && redact_opening(s + n) ? n : 0;
}

/* Hides the value that starts at or behind offset `at`. */
bool redact_hide_from(struct redaction *r, const struct span *name, size_t at, bool equals)
{
    at += strspn(r->s + at, " \t");
    if (at && r->s[at - 1] == '>') { /* PHP's var_dump: =>, on the next line, maybe escaped */
        size_t next = at + strspn(r->s + at, " \t\n\\");
        next += r->s[next] == 'n' ? 1 + strspn(r->s + next + 1, " ") : 0;
        at = wrapping(r->s + next) ? next : at;
    }
    at += wrapping(r->s + at);
    size_t prefix =
        r->s[at] && strchr("ubrfBL@", r->s[at]) && redact_opening(r->s + at + 1) ? 1 : 0;
    size_t open = redact_opening(r->s + at + prefix);

    if (open)
        return redact_hide_quoted(r, at + prefix, open);
    if (r->s[at] == '{') {
        size_t n = equals ? braced(r->s + at) : 0;
        if (!n)
            return false; /* an object: its members are read one by one */
        return redact_hide_value(r, at + 1, n - 2);
    }
    if (r->s[at] == '[' && redact_opening(r->s + at + 1)) /* ["x"] */
        return redact_hide_quoted(r, at + 1, redact_opening(r->s + at + 1));
    size_t n = bare_length(r, name, at);
    if (!n)
        return false;
    return redact_hide_value(r, at, n);
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
    while (redact_is_name_char(r->s[at + n]) && n < REDACT_MAX_NAME)
        n++;
    if (redact_secret_name(r->s + at, n))
        r->value_until = at + n + 160;
}

static bool is_told_value(const struct redaction *r, const struct span *name)
{
    return name_is(r, name, "value") || name_is(r, name, "default");
}

bool redact_setting(struct redaction *r)
{
    size_t value = r->at + 1;
    struct span name;
    bool equals = r->s[r->at] == '=';

    if (!redact_name_before(r, r->at, &name))
        return false;
    while (r->s[value] == '=' || r->s[value] == '>' || (!equals && r->s[value] == ':'))
        value++;
    if (r->s[r->at] == ':' && r->s[value] == '/' && r->s[value + 1] == '/')
        return false;
    note_name(r, &name, value);
    bool secret = redact_secret_name(r->s + name.start, name.end - name.start) ||
                  is_url_secret(r, &name, value) ||
                  (r->at < r->value_until && is_told_value(r, &name));
    if (!secret)
        return false;
    if (is_told_value(r, &name))
        r->value_until = 0;
    return redact_hide_from(r, &name, value, equals);
}

/* Is it <password>, or <property name="db.password">? */
static bool is_element_name(const struct redaction *r, const struct span *name)
{
    size_t before = name->start;

    if (before && name->end == r->at)
        return r->s[before - 1] == '<';
    while (before && strchr("\"'\\", r->s[before - 1]))
        before--;
    return before < name->start && before && r->s[before - 1] == '=';
}

/* <password>x</password>, <entry key="db.password">x</entry> */
bool redact_element(struct redaction *r)
{
    struct span name;

    if (!redact_name_before(r, r->at, &name) || !is_element_name(r, &name) ||
        !redact_secret_name(r->s + name.start, name.end - name.start))
        return false;
    size_t n = strcspn(r->s + r->at + 1, "<");
    if (r->s[r->at + 1 + n] != '<' || r->s[r->at + 2 + n] != '/')
        return false;
    return redact_hide_value(r, r->at + 1, n);
}
