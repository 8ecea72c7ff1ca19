/* Secrets that give themselves away: tokens with a published prefix, hashes of passwords, private
 * keys, JWTs, and long runs of random characters. */
#include <ctype.h>

#include "redact_private.h"

/* Prefixes from the issuers' documentation (GitHub "About authentication", Slack "Token types",
 * Sentry "Auth tokens", AWS IAM identifiers, GitLab, Stripe, npm, PyPI, ...). `min` counts the
 * characters behind the prefix. */
static const struct {
    const char *prefix;
    const char *extra; /* characters besides letters and digits */
    size_t min;
} prefixes[] = {
    { "xoxb-", "-", 8 },
    { "xoxp-", "-", 8 },
    { "xoxa-", "-", 8 },
    { "xoxe-", "-", 8 },
    { "xoxe.", "-._", 8 },
    { "xoxr-", "-", 8 },
    { "xoxs-", "-", 8 },
    { "xoxo-", "-", 8 },
    { "xoxc-", "-", 8 },
    { "xoxd-", "-%", 8 },
    { "xapp-", "-", 8 },
    { "xwfp-", "-", 8 },
    { "ghp_", "", 16 },
    { "gho_", "", 16 },
    { "ghu_", "", 16 },
    { "ghs_", "_.-", 16 },
    { "ghr_", "", 16 },
    { "github_pat_", "_", 16 },
    { "sntrys_", "_=+/-", 16 },
    { "sntryu_", "_=+/-", 16 },
    { "sntrya_", "_=+/-", 16 },
    { "sntryi_", "_=+/-", 16 },
    { "glpat-", "_-.", 16 },
    { "gldt-", "_-", 16 },
    { "glrt-", "_-", 16 },
    { "glcbt-", "_-", 16 },
    { "AKIA", "", 16 },
    { "ASIA", "", 16 },
    { "ABIA", "", 16 },
    { "AIza", "_-", 30 },
    { "ya29.", "_-.", 16 },
    { "GOCSPX-", "_-", 16 },
    { "1//0", "_-", 24 },
    { "sk_live_", "", 16 },
    { "sk_test_", "", 16 },
    { "rk_live_", "", 16 },
    { "whsec_", "+/=", 16 },
    { "sk-ant-", "_-", 16 },
    { "sk-proj-", "_-", 16 },
    { "sk-", "", 24 },
    { "npm_", "", 24 },
    { "pypi-", "_-", 32 },
    { "dop_v1_", "", 32 },
    { "shpat_", "", 16 },
    { "shpss_", "", 16 },
    { "SG.", "_-.", 32 },
    { "hf_", "", 24 },
    { "hvs.", "_-", 20 },
    { "hvb.", "_-", 20 },
    { "xkeysib-", "-", 32 },
    { "dckr_pat_", "_-", 16 },
    { "ATATT3", "_-=", 32 },
    { "NRAK-", "", 20 },
    { "lin_api_", "", 24 },
    { "pscale_pw_", "_-.", 16 },
    { "pscale_tkn_", "_-.", 16 },
    { "AVNS_", "_-", 12 },
    { "npg_", "", 10 },
    { "rnd_", "", 20 },
    { "tskey-", "-", 16 },
    { "AGE-SECRET-KEY-1", "", 32 },
    { "dapi", "", 32 },
};

static bool is_in(char c, const char *extra)
{
    return isalnum((unsigned char)c) || (c && strchr(extra, c));
}

static size_t run(const char *s, const char *extra)
{
    size_t n = 0;

    while (is_in(s[n], extra))
        n++;
    return n;
}

static size_t prefixed(const char *s)
{
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (*s != *prefixes[i].prefix)
            continue;
        size_t n = strlen(prefixes[i].prefix);
        if (strncmp(s, prefixes[i].prefix, n) != 0)
            continue;
        size_t tail = run(s + n, prefixes[i].extra);
        if (tail >= prefixes[i].min)
            return n + tail;
    }
    return 0;
}

/* eyJ...: base64 of {"... ; two dots for a signed token, the signature may be cut off */
static size_t jwt(const char *s)
{
    if (strncmp(s, "eyJ", 3) != 0)
        return 0;
    size_t head = run(s, "_-");
    size_t body = head >= 12 && s[head] == '.' ? run(s + head + 1, "_-.=") : 0;
    return body >= 8 ? head + 1 + body : 0;
}

/* crypt(3)'s $id$..., Argon2's, Django's, PostgreSQL's SCRAM verifiers, LDAP's {SSHA}. */
static size_t hash(const char *s)
{
    static const char *const starts[] = {
        "$2a$",       "$2b$",    "$2x$",           "$2y$",    "$1$",        "$5$",        "$6$",
        "$y$",        "$argon2", "$scrypt$",       "$pbkdf2", "pbkdf2_sha", "pbkdf2:sha", "scrypt:",
        "bcrypt_sha", "argon2$", "SCRAM-SHA-256$", "{SSHA",   "{bcrypt}"
    };

    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        if (*s != *starts[i])
            continue;
        size_t n = strlen(starts[i]);
        if (strncmp(s, starts[i], n) != 0)
            continue;
        size_t tail = run(s + n, "$./+=,:_{}-");
        return tail >= 16 ? n + tail : 0;
    }
    return 0;
}

/* A run of letters and digits in which upper case, lower case and digits change as often as in
 * random characters, and names don't: session ids, keys without a prefix. */
static size_t random_run(const char *s)
{
    size_t n = 0, upper = 0, lower = 0, digit = 0, changes = 0;
    int before = 0;

    for (; isalnum((unsigned char)s[n]); n++) {
        int kind = isupper((unsigned char)s[n]) ? 1 : islower((unsigned char)s[n]) ? 2 : 3;
        upper += kind == 1;
        lower += kind == 2;
        digit += kind == 3;
        changes += n > 0 && kind != before;
        before = kind;
    }
    bool mixed = upper >= 3 && lower >= 3 && digit >= 2;
    return n >= 32 && n <= 512 && mixed && changes * 5 >= n * 2 ? n : 0;
}

bool redact_token(struct redaction *r)
{
    const char *s = r->s + r->at;
    size_t n = prefixed(s);

    n = n ? n : jwt(s);
    n = n ? n : hash(s);
    if (!n) {
        n = random_run(s);
        if (!n)
            return false;
    }
    redact_hide(r, r->at, r->at + n);
    return true;
}

/* -----BEGIN [RSA|EC|OPENSSH|ENCRYPTED|PGP] PRIVATE KEY[ BLOCK]-----: its body goes; one that was
 * cut off before its END goes to the end of the text. */
bool redact_key_block(struct redaction *r)
{
    const char *s = r->s + r->at;
    const char *label = s + strlen("-----BEGIN ");
    size_t n = strspn(label, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ");

    if (strncmp(label + n, "-----", 5) != 0 || n > 64 || !memmem(label, n, "PRIVATE KEY", 11))
        return false;
    const char *body = label + n + 5, *end = strstr(body, "-----END ");
    size_t length = end ? (size_t)(end - body) : strlen(body);
    r->at = (size_t)(body - r->s);
    if (length)
        redact_hide(r, r->at, r->at + length);
    if (end) /* its END line is plain text */
        r->at += strlen("-----END ");
    return true;
}
