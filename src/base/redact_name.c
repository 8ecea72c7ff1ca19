/* Which names of settings say that the value is a secret, and which values are none. */
#include <ctype.h>
#include <strings.h>

#include "dbconn/base/text.h"
#include "redact_private.h"

#define MAX_WORDS 12
#define MAX_HARMLESS 256 /* bytes; no reference or placeholder is longer */

bool redact_is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

bool redact_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct words {
    struct {
        const char *s;
        size_t len;
    } items[MAX_WORDS]; /* the last ones */
    size_t n;
};

static void add_word(struct words *w, const char *s, size_t len)
{
    if (w->n == MAX_WORDS) {
        memmove(&w->items[0], &w->items[1], sizeof(w->items[0]) * (MAX_WORDS - 1));
        w->n--;
    }
    w->items[w->n].s = s;
    w->items[w->n++].len = len;
}

/* "spring.dataSource.dbPassword2": spring data source db password 2 */
static void split(const char *s, size_t len, struct words *w)
{
    for (size_t i = 0, n; i < len; i += n) {
        if (!isalnum((unsigned char)s[i]) && (unsigned char)s[i] < 0x80) {
            n = 1;
            continue;
        }
        bool digit = isdigit((unsigned char)s[i]);
        for (n = 1; i + n < len; n++) {
            char c = s[i + n], before = s[i + n - 1];
            bool letter = isalpha((unsigned char)c) || (unsigned char)c >= 0x80;
            if (digit ? !isdigit((unsigned char)c) : !letter)
                break;
            if (isupper((unsigned char)c) && islower((unsigned char)before))
                break;
            if (isupper((unsigned char)before) && isupper((unsigned char)c) && i + n + 1 < len &&
                islower((unsigned char)s[i + n + 1]))
                break; /* APIKey: API Key */
        }
        add_word(w, s + i, n);
    }
}

static bool word_is(const struct words *w, size_t i, const char *word)
{
    return !text_differs(*word, *w->items[i].s) && strlen(word) == w->items[i].len &&
           strncasecmp(word, w->items[i].s, w->items[i].len) == 0;
}

static bool word_in(const struct words *w, size_t i, const char *const *list)
{
    for (; *list; list++)
        if (word_is(w, i, *list))
            return true;
    return false;
}

static bool joined_ends(const char *s, size_t len, const char *const *list)
{
    for (; *list; list++) {
        size_t n = strlen(*list);
        if (len >= n && !text_differs(s[len - n], **list) &&
            strncasecmp(s + len - n, *list, n) == 0)
            return true;
    }
    return false;
}

/* clang-format off */
/* The last word of a name that says: the value is secret. */
static const char *const secret_words[] = {
    "password", "passwd", "passphrase", "passcode", "pwd", "pass", "pw", "psw", "secret", "token",
    "jwt", "bearer", "credential", "credentials", "cookie", "cookies", "authorization", "otp",
    "passwort", "kennwort", "senha", "contrasena", "motdepasse", "sessid", "apikey", "пароль",
    "密码", "contraseña", NULL,
};
/* "... key" is secret behind one of these. */
static const char *const key_qualifiers[] = {
    "api", "access", "secret", "private", "account", "shared", "master", "encryption", "signing",
    "auth", "service", "license", "ssh", "storage", "app", "deploy", "session", "subscription",
    "admin", "cipher", "aes", "hmac", "ssl", "tls", NULL,
};
/* What may follow the word that counts: DB_PASSWORD_PROD. */
static const char *const tails[] = {
    "value", "string", "text", "plain", "raw", "base64", "b64", "hash", "digest", "salt", "prod",
    "base", "dev", "stage", "staging", "production", "test", "current", "old", "new", "primary",
    "secondary", NULL,
};
/* Before the word that counts: "public token", "page token" name no secret. */
static const char *const harmless_qualifiers[] = {
    "public", "no", "has", "use", "show", "is", "max", "min", "require",
    "next", "page", "cancellation", "continuation", "existing", NULL,
};
/* Ends of names that nobody separates: "dbpassword", "REDISCLI_AUTH". */
static const char *const endings[] = {
    "password", "passwd", "passphrase", "dbpass", "userpass", "mysqlpass", "redispass",
    "smtppass", "apikey", "accesskey", "secretkey", "privatekey", "accountkey", "sharedkey",
    "authtoken", "accesstoken", "apitoken", "clientsecret", "requirepass", "masterauth",
    "cli_auth", "_pwd", "sharedaccesssignature", "sessid", "sessionid", "connect.sid",
    "mot_de_passe", NULL,
};
/* clang-format on */

bool redact_secret_name(const char *name, size_t len)
{
    struct words w = { .n = 0 };

    split(name, len, &w);
    while (w.n > 1 &&
           (isdigit((unsigned char)w.items[w.n - 1].s[0]) || word_in(&w, w.n - 1, tails)))
        w.n--;
    if (!w.n)
        return false;
    size_t last = w.n - 1;
    if (last && word_in(&w, last - 1, harmless_qualifiers))
        return false;
    return word_in(&w, last, secret_words) || joined_ends(name, len, endings) ||
           (last && word_is(&w, last, "key") && word_in(&w, last - 1, key_qualifiers)) ||
           (last && word_is(&w, last, "id") && word_is(&w, last - 1, "session"));
}

bool redact_is_secret_name(const char *name)
{
    return name && redact_secret_name(name, strlen(name));
}

static bool all_of(const char *s, size_t len, const char *set)
{
    for (size_t i = 0; i < len; i++)
        if (!strchr(set, s[i]))
            return false;
    return true;
}

static bool is_masked(const char *s, size_t len)
{
    static const char *const words[] = { "redacted", "filtered", "removed",  "masked",
                                         "hidden",   "omitted",  "scrubbed", NULL };
    bool bullets = len % 3 == 0;

    for (size_t i = 0; bullets && i < len; i += 3)
        bullets = strncmp(s + i, "\xE2\x80\xA2", 3) == 0;
    if (bullets || all_of(s, len, "*"))
        return true;
    char *text = len <= 32 ? xstrndup(s, len) : NULL;
    bool masked = false;
    for (size_t i = 0; text && words[i] && !masked; i++)
        masked = text_icontains(text, words[i]);
    free(text);
    return masked;
}

/* clang-format off */
/* ${DB_PASSWORD}, {{ .Values.password }}, os.environ["X"], var.db_password: where a value is, not
 * what it is. */
static const char *const reference_starts[] = {
    "${", "$(", "{{", "#{", "%{", "%(", "<%", "process.env", "os.environ", "os.getenv", "ENV[",
    "ENV.fetch", "getenv(", "env(", "System.getenv", "Environment.", "std::env", "config.",
    "config[", "config(", "settings.", "secrets.", "var.", "local.", "module.", "self.", "this.",
    "options.", "opts.", "args.", "cfg.", "import.meta.env", "vault:", "ssm:", "secretsmanager:",
    "!Ref", "!Sub", "!GetAtt", "ref+", "op://", NULL,
};
/* clang-format on */

static bool is_reference(const char *s, size_t len)
{
    size_t upper = 1;

    for (size_t i = 0; reference_starts[i]; i++)
        if (len >= strlen(reference_starts[i]) &&
            strncmp(s, reference_starts[i], strlen(reference_starts[i])) == 0)
            return true;
    if (len < 2 || s[0] != '$')
        return false;
    while (upper < len && (isupper((unsigned char)s[upper]) || s[upper] == '_' ||
                           (upper > 1 && isdigit((unsigned char)s[upper]))))
        upper++;
    return upper == len;
}

bool redact_harmless(const char *value, size_t len)
{
    static const char *const words[] = { "yes",       "no",      "true",    "false",
                                         "null",      "none",    "nil",     "undefined",
                                         "on",        "off",     "string",  "str",
                                         "text",      "varchar", "char",    "bytes",
                                         "required",  "missing", "invalid", "wrong",
                                         "incorrect", "expired", "empty",   "authentication",
                                         "not",       "is",      "was",     NULL };

    if (len > MAX_HARMLESS)
        return false;
    if (len == 0 || is_masked(value, len) || is_reference(value, len))
        return true;
    for (size_t i = 0; words[i]; i++)
        if (strlen(words[i]) == len && strncasecmp(words[i], value, len) == 0)
            return true;
    /* <password>: a placeholder */
    if (len > 2 && value[0] == '<' && value[len - 1] == '>' &&
        all_of(value + 1, len - 2, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_- "))
        return true;
    return false;
}
