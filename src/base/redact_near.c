/* Secrets beside their name without = or : between them: setPassword("x"), ("password", "x"),
 * "password -> x", "DB_PASSWORD x", and name=value that a URL escaped. */
#include <ctype.h>
#include <strings.h>

#include "redact_private.h"

static bool is_secret(const struct redaction *r, const struct span *name)
{
    return redact_secret_name(r->s + name->start, name->end - name->start);
}

/* setPassword("x"), PASSWORD('x') */
bool redact_argument(struct redaction *r)
{
    size_t value = r->at + 1, open = redact_opening(r->s + value);
    struct span name;

    return open && redact_name_before(r, r->at, &name) && name.end == r->at &&
           is_secret(r, &name) && redact_hide_quoted(r, value, open);
}

/* {password, "x"}, define('PASSWORD', 'x'): the name comes first behind a bracket. */
bool redact_pair(struct redaction *r)
{
    size_t value = r->at + 1 + strspn(r->s + r->at + 1, " "), open = redact_opening(r->s + value);
    struct span name;

    if (!open || !redact_name_before(r, r->at, &name) || !is_secret(r, &name))
        return false;
    size_t before = name.start;
    while (before && strchr("\"'`\\:", r->s[before - 1]))
        before--;
    return before && strchr("({[", r->s[before - 1]) && redact_hide_quoted(r, value, open);
}

/* Scala's and Java's maps: "password -> x" */
bool redact_arrow(struct redaction *r)
{
    struct span name;

    return r->at && redact_is_blank(r->s[r->at - 1]) && redact_is_blank(r->s[r->at + 2]) &&
           redact_name_before(r, r->at, &name) && is_secret(r, &name) &&
           redact_hide_from(r, &name, r->at + 2, true);
}

/* ---- "password x" ---- */

/* Names of which a bare value may follow; what a "secret" or a "token" is called is no secret. */
static bool is_password_name(const struct redaction *r, const struct span *name)
{
    static const char *const ends[] = { "password", "passwd", "passphrase", "_pass",
                                        "pwd",      "_PW",    "passwort",   "_KEY" };
    size_t n = name->end - name->start;

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        size_t len = strlen(ends[i]);
        if (n >= len && strncasecmp(r->s + name->end - len, ends[i], len) == 0)
            return is_secret(r, name);
    }
    return false;
}

/* No word of a sentence: letters and digits mixed, or capitals within. */
static bool is_made_up(const char *s, size_t n)
{
    size_t letters = 0, digits = 0, capitals = 0;

    for (size_t i = 0; i < n; i++) {
        letters += (size_t)(isalpha((unsigned char)s[i]) != 0);
        digits += (size_t)(isdigit((unsigned char)s[i]) != 0);
        capitals +=
            (size_t)(i > 0 && isupper((unsigned char)s[i]) && islower((unsigned char)s[i - 1]));
    }
    return n >= 8 && letters && (digits || capitals >= 3) && !memchr(s, '/', n) &&
           !memchr(s, '(', n) && !memchr(s, '=', n);
}

/* "is", "is:", "by", "as" between name and value */
static size_t filler(const char *s)
{
    static const char *const words[] = { "is: ", "is ", "by ", "as ", "to " };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strncasecmp(s, words[i], strlen(words[i])) == 0)
            return strlen(words[i]);
    return 0;
}

bool redact_neighbour(struct redaction *r)
{
    size_t value = r->at + 1;
    struct span name;

    /* Most words of a text end here: no name in is_password_name() ends otherwise. */
    if (r->at < 3 || !strchr("dDeEsSwWtTyY", r->s[r->at - 1]))
        return false;
    size_t word = filler(r->s + value), n;
    value += word;
    if (!redact_is_word(r->s[value]) && !(word && redact_opening(r->s + value)))
        return false;
    if (!redact_name_before(r, r->at, &name) || name.end != r->at || !is_password_name(r, &name))
        return false;
    if (word && redact_opening(r->s + value))
        return redact_hide_quoted(r, value, redact_opening(r->s + value));
    n = strcspn(r->s + value, " \t\r\n\"'`,;)]}<>\\");
    while (n && strchr(".:!?", r->s[value + n - 1]))
        n--;
    return is_made_up(r->s + value, n) && redact_hide_value(r, value, n);
}

/* ---- %22password%22%3A%22x%22 ---- */

static bool is_escape(const char *s, const char *codes)
{
    for (; *codes; codes += 2)
        if (s[0] == '%' && s[1] == codes[0] && s[1] && toupper((unsigned char)s[2]) == codes[1])
            return true;
    return false;
}

/* `at` is at %3A or %3D. */
bool redact_escaped_setting(struct redaction *r)
{
    size_t end = r->at, start, value = r->at + 3, n = 0;

    if (!is_escape(r->s + end, "3A3D"))
        return false;
    while (end >= 3 && is_escape(r->s + end - 3, "2227"))
        end -= 3;
    for (start = end; start && end - start < REDACT_MAX_NAME; start--) {
        char c = r->s[start - 1];
        if (!redact_is_name_char(c) || (start >= 3 && r->s[start - 3] == '%'))
            break;
    }
    if (!redact_secret_name(r->s + start, end - start))
        return false;
    while (is_escape(r->s + value, "222720"))
        value += 3;
    while (r->s[value + n] && !isspace((unsigned char)r->s[value + n]) &&
           !strchr("\"'`&;<>,", r->s[value + n]) && !is_escape(r->s + value + n, "22272C263B7D"))
        n++;
    return n && redact_hide_value(r, value, n);
}
