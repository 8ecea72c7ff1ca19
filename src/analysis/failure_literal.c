/* Objects as programs print them: JSON, literals of Python, Ruby and JavaScript, Go's %+v. */
#include <ctype.h>

#include "failure_private.h"

#define MAX_KEY 128 /* bytes */

size_t literal_quoted(const char *s)
{
    size_t i = 1;

    while (s[i] && s[i] != s[0])
        i += s[i] == '\\' && s[i + 1] ? 2 : 1;
    return s[i] ? i + 1 : 0;
}

static size_t quoted_or_rest(const char *s)
{
    size_t n = literal_quoted(s);

    return n ? n : strlen(s);
}

/* Up to the bracket that closes the one at s[0]. */
static size_t bracketed(const char *s)
{
    int depth = 0;

    for (size_t i = 0; s[i]; i++) {
        if (s[i] == '"' || s[i] == '\'') {
            i += quoted_or_rest(s + i) - 1;
            continue;
        }
        depth += strchr("{[(", s[i]) ? 1 : strchr("}])", s[i]) ? -1 : 0;
        if (depth == 0)
            return i + 1;
    }
    return strlen(s);
}

static size_t value_length(const char *s)
{
    if (*s == '"' || *s == '\'')
        return quoted_or_rest(s);
    if ((*s == 'u' || *s == 'b') && (s[1] == '"' || s[1] == '\''))
        return 1 + quoted_or_rest(s + 1);
    if (*s && strchr("{[(", *s))
        return bracketed(s);
    size_t n = strcspn(s, ",}])\n\t ;");
    return s[n] == '(' ? n + bracketed(s + n) : n; /* Name(...) */
}

/* Offset of the value behind ": ", "=" or " => ", or 0. */
static size_t separator(const char *s)
{
    size_t i = strspn(s, " \t");

    if (strncmp(s + i, "=>", 2) == 0)
        i += 2;
    else if ((s[i] == ':' && s[i + 1] != ':') || (s[i] == '=' && s[i + 1] != '='))
        i++;
    else
        return 0;
    return i + strspn(s + i, " \t\n&");
}

bool literal_next(const char *text, size_t *at, struct literal_pair *ret)
{
    size_t i = *at;

    while (text[i]) {
        bool quote = text[i] == '"' || text[i] == '\'';
        size_t n = quote ? quoted_or_rest(text + i) : 0, sep;
        while (!quote &&
               (isalnum((unsigned char)text[i + n]) || (text[i + n] && strchr("_.-", text[i + n]))))
            n++;
        sep = n >= (quote ? 2 : 1) ? separator(text + i + n) : 0;
        if (!sep || n > MAX_KEY) {
            i += n ? n : 1;
            continue;
        }
        ret->key = (struct span){ i + quote, i + n - quote };
        ret->value = (struct span){ i + n + sep, i + n + sep + value_length(text + i + n + sep) };
        *at = ret->value.end;
        return true;
    }
    *at = i;
    return false;
}
