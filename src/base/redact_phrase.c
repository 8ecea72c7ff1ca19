/* Words and options that a secret follows: "IDENTIFIED BY 'x'", "Bearer x", -px. */
#include <ctype.h>
#include <strings.h>

#include "redact_private.h"

#define MAX_ARGUMENT 400

enum after {
    AFTER_VALUE,    /* a quoted or bare value */
    AFTER_QUOTED,   /* a quoted value only */
    AFTER_SCHEME,   /* credentials of an Authorization header */
    AFTER_PORT,     /* a rest of a password that a parser took for a port */
    AFTER_HOST,     /* a rest of a password in front of a host's @ */
    AFTER_USERPASS, /* user:password */
    AFTER_THIRD,    /* arguments of a call, of which the third is a password */
    AFTER_VARIABLE, /* a name whose value follows as "default" */
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
    { "AUTH default ", AFTER_SCHEME }, /* Redis */
    { "AUTH ", AFTER_SCHEME },
    { "new pdo(", AFTER_THIRD },
    { "pdo->__construct(", AFTER_THIRD },
    { "mysqli_connect(", AFTER_THIRD },
    { "mysql_connect(", AFTER_THIRD },
    { "new mysqli(", AFTER_THIRD },
    { "getconnection(", AFTER_THIRD }, /* java.sql.DriverManager: URL, user, password */
    { "variable \"", AFTER_VARIABLE }, /* Terraform */
    { "basic auth ", AFTER_USERPASS },
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

/* connect("host", "user", "password"): behind two arguments without brackets of their own. */
static bool third_argument(struct redaction *r, size_t at)
{
    for (int commas = 0; commas < 2; commas++) {
        at += strspn(r->s + at, " \t\n");
        size_t open = redact_opening(r->s + at), n = open;
        const char *end = open ? "\"'`\n" : ",()\n";
        while (r->s[at + n] && n < MAX_ARGUMENT && !strchr(end, r->s[at + n]))
            n++;
        n += open && r->s[at + n] ? 1 : 0;
        if (r->s[at + n] != ',')
            return false;
        at += n + 1;
    }
    at += strspn(r->s + at, " \t\n");
    return redact_opening(r->s + at) && redact_hide_quoted(r, at, redact_opening(r->s + at));
}

/* How long `words` is in this text; 0 when it does not stand there. Quotes may be escaped. */
static size_t matches(const char *s, const char *words)
{
    size_t n = 0;

    for (; *words; words++, n++) {
        if (*words == '"' || *words == '\'')
            n += strspn(s + n, "\\");
        if (isupper((unsigned char)*words) ? s[n] != *words
                                           : tolower((unsigned char)s[n]) != *words)
            return 0;
    }
    return n;
}

static bool follow(struct redaction *r, enum after after, size_t at)
{
    struct span none = { at, at };
    size_t n = strcspn(r->s + at, " \t\r\n\"'`,;)|\\"), slash = 0;

    switch (after) {
    case AFTER_QUOTED:
        if (!redact_opening(r->s + at))
            return false;
        return redact_hide_quoted(r, at, redact_opening(r->s + at));
    case AFTER_VALUE:
        return redact_hide_from(r, &none, at, true);
    case AFTER_SCHEME:
        if (!looks_like_credential(r->s + at, n))
            return false;
        redact_hide(r, at, at + n);
        return true;
    case AFTER_PORT:
        slash = r->s[at] == ':' ? 1 : 0;
        n = strcspn(r->s + at, "\"'\n\\");
        if (n <= slash || strspn(r->s + at + slash, "0123456789") == n - slash)
            return false;
        return redact_hide_value(r, at + slash, n - slash);
    case AFTER_HOST:
        while (n > 0 && r->s[at + n - 1] != '@')
            n--;
        return n > 1 && redact_hide_value(r, at, n - 1);
    case AFTER_THIRD:
        return third_argument(r, at);
    case AFTER_VARIABLE:
        n = strcspn(r->s + at, "\"\\");
        if (n < REDACT_MAX_NAME && redact_secret_name(r->s + at, n))
            r->value_until = at + n + 160;
        return false;
    case AFTER_USERPASS:
        at += redact_opening(r->s + at);
        n = strcspn(r->s + at, " \t\r\n\"'`,;)|\\");
        slash = strcspn(r->s + at, ": \n");
        return r->s[at + slash] == ':' && slash + 1 < n &&
               redact_hide_value(r, at + slash + 1, n - slash - 1);
    }
    return false;
}

/* --password x, --api-key x */
static bool long_option(struct redaction *r)
{
    const char *s = r->s + r->at;
    size_t n = 2;

    if (s[0] != '-' || s[1] != '-')
        return false;
    while (n < REDACT_MAX_NAME && redact_is_name_char(s[n]))
        n++;
    if (!redact_is_blank(s[n]) || s[n + 1] == '-' || !redact_secret_name(s + 2, n - 2))
        return false;
    struct span none = { r->at + n, r->at + n };
    return redact_hide_from(r, &none, r->at + n, true);
}

/* Options whose value is a password, behind the program's name. */
static const struct {
    const char *program;
    char letter;
    bool joined; /* -pSECRET */
} options[] = {
    { "mysql", 'p', true },         { "mariadb", 'p', true },    { "docker login", 'p', false },
    { "podman login", 'p', false }, { "redis-cli", 'a', false }, { "sqlcmd", 'P', false },
    { "bcp ", 'P', false },         { "mongo", 'p', false },
};

static bool short_option(struct redaction *r)
{
    const char *s = r->s + r->at;
    size_t from = r->at > 120 ? r->at - 120 : 0;

    if (s[0] != '-' || !s[1] || !s[2] || r->at == 0 || !redact_is_blank(r->s[r->at - 1]))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        bool joined = !isspace((unsigned char)s[2]);
        struct span none = { r->at + 2, r->at + 2 };
        if (s[1] == options[i].letter && joined == options[i].joined && (joined || s[3] != '-') &&
            memmem(r->s + from, r->at - from, options[i].program, strlen(options[i].program)))
            return redact_hide_from(r, &none, r->at + 2, true);
    }
    return false;
}

bool redact_phrase(struct redaction *r)
{
    const char *s = r->s + r->at;

    if (*s == '-' && (long_option(r) || short_option(r)))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(phrases); i++) {
        if ((*s | 0x20) != (*phrases[i].words | 0x20))
            continue;
        size_t n = matches(s, phrases[i].words);
        if (n && follow(r, phrases[i].after, r->at + n))
            return true;
    }
    return false;
}
