#include "haystack.h"

#include <string.h>

#define MAX_NEEDLE 64

static unsigned pair_of(char a, char b)
{
    unsigned x = (unsigned char)a, y = (unsigned char)b;

    if (x >= 'A' && x <= 'Z')
        x |= 0x20;
    if (y >= 'A' && y <= 'Z')
        y |= 0x20;
    return (x * 67 + y) & 4095;
}

void haystack_init(struct haystack *h, const char *text)
{
    memset(h, 0, sizeof(*h));
    h->text = text;
    h->len = strlen(text);
    for (size_t i = 0; i + 1 < h->len; i++) {
        unsigned pair = pair_of(text[i], text[i + 1]);
        h->pairs[pair / 64] |= UINT64_C(1) << pair % 64;
    }
}

static bool has_pair(const struct haystack *h, const char *at)
{
    unsigned pair = pair_of(at[0], at[1]);

    return h->pairs[pair / 64] >> pair % 64 & 1;
}

bool haystack_has(const struct haystack *h, const char *needle)
{
    for (size_t i = 0; needle[i] && needle[i + 1]; i++)
        if (!has_pair(h, needle + i))
            return false;
    return strcasestr(h->text, needle) != NULL;
}

bool haystack_has_part(const struct haystack *h, const char *needle, size_t len)
{
    char whole[MAX_NEEDLE + 1];

    for (size_t i = 0; i + 1 < len; i++)
        if (!has_pair(h, needle + i))
            return false;
    if (len > MAX_NEEDLE)
        len = MAX_NEEDLE;
    memcpy(whole, needle, len);
    whole[len] = '\0';
    return strcasestr(h->text, whole) != NULL;
}
