/* What names a person, for those who must not store it: e-mail addresses, and addresses of the
 * Internet. Those of private networks stay, since databases live there. */
#include <arpa/inet.h>
#include <ctype.h>

#include "redact_private.h"

#define MAX_EMAIL 254 /* RFC 5321, 4.5.3.1.3 */

/* Set before the loop starts, read-only then. */
static struct {
    bool emails, addresses;
} hidden;

void redact_people(bool emails, bool addresses)
{
    hidden.emails = emails;
    hidden.addresses = addresses;
}

static bool is_local_char(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("._%+-", c));
}

static bool is_domain_char(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '-';
}

/* ann@example.com; not user@db-1 or git@host:path, which are places. */
static size_t email(const char *s)
{
    size_t local = 0, n, dot = 0;

    while (local < MAX_EMAIL && is_local_char(s[local]))
        local++;
    if (local == 0 || s[local] != '@')
        return 0;
    for (n = local + 1; n < MAX_EMAIL && is_domain_char(s[n]); n++)
        dot = s[n] == '.' && isalpha((unsigned char)s[n + 1]) ? n : dot;
    while (n > local && (s[n - 1] == '.' || s[n - 1] == '-'))
        n--;
    return dot > local + 1 && dot + 2 < n && s[n] != ':' && s[n] != '/' ? n : 0;
}

/* RFC 6890: private, loopback, link-local, shared and unspecified networks, multicast and above. */
static bool is_public_v4(const unsigned char a[4])
{
    return a[0] != 0 && a[0] != 10 && a[0] != 127 && a[0] < 224 &&
           !(a[0] == 100 && (a[1] & 0xC0) == 64) && !(a[0] == 169 && a[1] == 254) &&
           !(a[0] == 172 && (a[1] & 0xF0) == 16) && !(a[0] == 192 && a[1] == 168);
}

static size_t address(const char *s)
{
    size_t v4 = strspn(s, "0123456789."), v6 = strspn(s, "0123456789abcdefABCDEF:");
    unsigned char bytes[16];
    char text[INET6_ADDRSTRLEN];

    while (v4 && s[v4 - 1] == '.')
        v4--;
    if (v4 >= 7 && v4 <= 15 && !redact_is_word(s[v4])) {
        memcpy(text, s, v4);
        text[v4] = '\0';
        return inet_pton(AF_INET, text, bytes) == 1 && is_public_v4(bytes) ? v4 : 0;
    }
    if (v6 < 4 || v6 >= sizeof(text) || redact_is_word(s[v6]))
        return 0;
    memcpy(text, s, v6);
    text[v6] = '\0';
    return inet_pton(AF_INET6, text, bytes) == 1 && (bytes[0] & 0xE0) == 0x20 ? v6 : 0;
}

bool redact_person(struct redaction *r)
{
    const char *s = r->s + r->at;
    size_t n = hidden.emails ? email(s) : 0;

    n = n ? n : hidden.addresses && isxdigit((unsigned char)*s) ? address(s) : 0;
    if (!n)
        return false;
    redact_hide(r, r->at, r->at + n);
    return true;
}
