#include "world/ids.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>

#include "dbconn/base/buf.h"

static char *hex(const unsigned char *bytes, size_t digits)
{
    char *out = xmalloc(digits + 1);

    for (size_t i = 0; i < digits; i++)
        out[i] = "0123456789abcdef"[i % 2 ? bytes[i / 2] & 15 : bytes[i / 2] >> 4];
    out[digits] = '\0';
    return out;
}

static char *hash_of(const char *text, size_t len, size_t digits)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (!EVP_Digest(text, len, digest, &n, EVP_sha256(), NULL))
        abort();
    return hex(digest, digits <= 2 * (size_t)n ? digits : 2 * (size_t)n);
}

char *id_hash(size_t digits, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    char *out = hash_of(buf_str(&text), text.len, digits);
    buf_clear(&text);
    return out;
}

int64_t id_number(size_t digits, const char *text)
{
    char *digest = hash_of(text, strlen(text), digits);
    long long number = strtoll(digest, NULL, 16);

    free(digest);
    return number;
}

char *id_random_hex(size_t digits)
{
    unsigned char bytes[64];

    if (digits > 2 * sizeof(bytes) || getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        abort();
    return hex(bytes, digits);
}

char *id_uuid(void)
{
    char *r = id_random_hex(32);
    char *out = xasprintf("%.8s-%.4s-4%.3s-%c%.3s-%.12s", r, r + 8, r + 13, "89ab"[r[16] & 3],
                          r + 17, r + 20);

    free(r);
    return out;
}
