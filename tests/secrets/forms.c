#include "forms.h"

#include <ctype.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP "\xC2\xA7" /* § */
#define LONG 12        /* bytes in a row: of digits, where eight come up by chance */
#define SHORT 8

struct secret {
    char *text, *place, *form;
    bool found;
};

/* ---- the corpus ---- */

static void unescape(const char *line, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        const char *known = line[i] == '\\' && i + 1 < n ? strchr("n\nt\tr\r", line[i + 1]) : NULL;
        bool doubled = line[i] == '\\' && i + 1 < n && line[i + 1] == '\\';
        if (known && line[i + 1] != '\n')
            buf_addc(out, known[1]);
        else
            buf_addc(out, line[i]);
        i += (known || doubled) ? 1 : 0;
    }
}

void forms_load(struct forms *ret)
{
    FILE *file = fopen("tests/secrets/forms.txt", "r");
    char line[4096];

    *ret = (struct forms){ 0 };
    if (!file)
        fail_msg("tests/secrets/forms.txt cannot be read");
    while (fgets(line, sizeof(line), file)) {
        struct buf text = BUF_INIT;
        size_t n = strcspn(line, "\n");
        if (n == 0 || line[0] == '#')
            continue;
        unescape(line, n, &text);
        *VEC_ADD(ret->items, ret->n, ret->cap) = buf_take(&text);
    }
    fclose(file);
    assert_true(ret->n > 0);
}

void forms_clear(struct forms *forms)
{
    for (size_t i = 0; i < forms->n; i++)
        free(forms->items[i]);
    free(forms->items);
    *forms = (struct forms){ 0 };
}

/* ---- making secrets up ---- */

static uint64_t next_random(struct secrets *s)
{
    uint64_t z = s->random += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"
#define ALNUM LOWER UPPER DIGIT

static void add_random(struct secrets *s, const char *set, size_t n, struct buf *out)
{
    while (n--)
        buf_addc(out, set[next_random(s) % strlen(set)]);
}

/* In the pattern a, b, ... i stand for 1, 2, ... 9 letters and digits, anything else for itself. */
static void add_pattern(struct secrets *s, const char *pattern, struct buf *out)
{
    for (; *pattern; pattern++) {
        if (*pattern >= 'a' && *pattern <= 'i') {
            buf_addc(out, "kqxzvj"[next_random(s) % 6]); /* never only digits, never a word */
            add_random(s, ALNUM, (size_t)(*pattern - 'a'), out);
        } else {
            buf_addc(out, *pattern);
        }
    }
}

static const struct {
    const char *kind, *set, *pattern; /* a set takes its length from the kind: "hex32" */
} kinds[] = {
    { "pw", NULL, "ig" },
    { "mix", NULL, "iiii" },
    { "sym", NULL, "d!c#d$c^b" },
    { "at", NULL, "d@e:d@c" },
    { "slash", NULL, "h/h" },
    { "semi", NULL, "d;d@c,d" },
    { "blank", NULL, "e f e" },
    { "pct", NULL, "f%40e%2Ff" },
    { "uni", NULL,
      "c\xC3\xA4"
      "f\xC3\x9F"
      "e" },
    { "bcrypt", NULL, "$2y$10$iiiiih" },
    { "bcr", ALNUM, NULL },
    { "word", LOWER, NULL },
    { "hex", DIGIT "abcdef", NULL },
    { "dig", DIGIT, NULL },
    { "up", UPPER DIGIT, NULL },
    { "aln", ALNUM, NULL },
    { "b64u", ALNUM "_-", NULL },
    { "b64x", ALNUM "+/", NULL },
    { "b64", ALNUM "+/", NULL },
};

static void make(struct secrets *s, const char *kind, size_t n, struct buf *out)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t name = strlen(kinds[i].kind);
        size_t length = name < n ? (size_t)strtoul(kind + name, NULL, 10) : 0;
        if (name > n || strncmp(kinds[i].kind, kind, name) != 0)
            continue;
        if (kinds[i].pattern)
            add_pattern(s, kinds[i].pattern, out);
        else
            add_random(s, kinds[i].set, length ? length : *kind == 'w' ? 12 : 44, out);
        return;
    }
    fail_msg("forms.txt: there is no kind %.*s", (int)n, kind);
}

static struct secret *keep(struct secrets *s, const char *text, const char *place, const char *form)
{
    struct secret *one = VEC_ADD(s->items, s->n, s->cap);

    one->text = xstrdup(text);
    one->place = xstrdup(place);
    one->form = xstrdup(form);
    return one;
}

char *secrets_make(struct secrets *s, const char *kind, const char *place)
{
    struct buf text = BUF_INIT;

    make(s, kind, strlen(kind), &text);
    keep(s, buf_str(&text), place, kind);
    return buf_take(&text);
}

void secrets_add(struct secrets *s, const char *secret, const char *place)
{
    keep(s, secret, place, "ours");
}

char *secrets_fill(struct secrets *s, const char *form, const char *place)
{
    struct buf out = BUF_INIT, secret = BUF_INIT;

    for (const char *at = form; *at;) {
        size_t n = strcspn(at, "\xC2");
        buf_add(&out, at, n);
        at += n;
        const char *end = strncmp(at, GAP, 2) == 0 ? strstr(at + 2, GAP) : NULL;
        if (!end) {
            if (*at)
                buf_addc(&out, *at++);
            continue;
        }
        if (at[2] != '=') {
            buf_truncate(&secret, 0);
            make(s, at + 2, (size_t)(end - at - 2), &secret);
            keep(s, buf_str(&secret), place, form);
        } /* "=/": up to the slash, where parsers stop */
        n = at[3] == '/' ? strcspn(buf_str(&secret), "/") : secret.len;
        buf_add(&out, buf_str(&secret), n);
        at = end + 2;
    }
    buf_clear(&secret);
    return buf_take(&out);
}

/* ---- needles: every few bytes in a row, in every spelling ---- */

struct needle {
    char bytes[LONG];
    size_t len, secret;
};

struct needles {
    struct needle *items;
    size_t n, cap;
    uint32_t *slots; /* index + 1 by hash; the table is a power of two */
    size_t mask;
    bool begins[65536]; /* two bytes that one of them begins with */
};

static uint64_t hash_of(const char *bytes, size_t len)
{
    uint64_t h = UINT64_C(1469598103934665603) + len;

    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
    return h ^ (h >> 29);
}

static void add_windows(struct needles *x, const char *text, size_t n, size_t len, size_t secret)
{
    for (size_t i = 0; i + len <= n; i++) {
        struct needle *one = VEC_ADD(x->items, x->n, x->cap);
        memcpy(one->bytes, text + i, len);
        one->len = len;
        one->secret = secret;
    }
}

static void spell_url(const char *s, const char *digits, struct buf *out)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (isalnum(c) || strchr("-_.~", c)) {
            buf_addc(out, *s);
        } else {
            buf_addc(out, '%');
            buf_addc(out, digits[c >> 4]);
            buf_addc(out, digits[c & 15]);
        }
    }
}

static void unspell_url(const char *s, struct buf *out)
{
    for (; *s; s++) {
        unsigned byte;
        if (*s == '%' && sscanf(s + 1, "%2x", &byte) == 1) {
            buf_addc(out, (char)byte);
            s += 2;
        } else {
            buf_addc(out, *s);
        }
    }
}

static void spell_json(const char *s, struct buf *out)
{
    for (; *s; s++) {
        if (strchr("\"\\/", *s))
            buf_addc(out, '\\');
        buf_addc(out, *s);
    }
}

static void spell_html(const char *s, struct buf *out)
{
    for (; *s; s++)
        buf_adds(out, *s == '&'   ? "&amp;"
                      : *s == '<' ? "&lt;"
                      : *s == '>' ? "&gt;"
                                  : (const char[]){ *s, '\0' });
}

/* What base64 makes of it, wherever it begins among the groups of three; without the characters
 * that its neighbours decide. */
static void spell_base64(const char *s, size_t shift, const char *alphabet, struct buf *out)
{
    size_t n = strlen(s);
    uint32_t bits = 0;
    int have = 0;

    for (size_t i = 0; i < n + shift; i++) {
        bits = bits << 8 | (i < shift ? 0 : (unsigned char)s[i - shift]);
        for (have += 8; have >= 6; have -= 6)
            buf_addc(out, alphabet[bits >> (have - 6) & 63]);
    }
    size_t decided = shift ? shift + 1 : 0;
    memmove(out->data, out->data + decided, out->len - decided);
    buf_truncate(out, out->len - decided);
}

static void add_spellings(struct needles *x, const char *text, size_t secret)
{
    bool digits = text[strspn(text, DIGIT "abcdef")] == '\0';
    size_t len = digits ? LONG : SHORT;
    struct buf spelt[11] = { BUF_INIT };

    buf_adds(&spelt[0], text);
    spell_url(text, "0123456789ABCDEF", &spelt[1]);
    spell_url(text, "0123456789abcdef", &spelt[2]);
    unspell_url(text, &spelt[3]);
    spell_json(text, &spelt[4]);
    for (size_t shift = 0; shift < 3; shift++) {
        spell_base64(text, shift, UPPER LOWER DIGIT "+/", &spelt[5 + shift]);
        spell_base64(text, shift, UPPER LOWER DIGIT "-_", &spelt[8 + shift]);
    }
    for (size_t i = 0; i < sizeof(spelt) / sizeof(spelt[0]); i++) {
        struct buf html = BUF_INIT;
        spell_html(buf_str(&spelt[i]), &html);
        add_windows(x, buf_str(&html), html.len, len, secret);
        buf_clear(&html);
        buf_clear(&spelt[i]);
    }
}

static struct needles *sharpen(const struct secrets *s)
{
    struct needles *x = xcalloc(1, sizeof(*x));
    size_t size = 1024;

    for (size_t i = 0; i < s->n; i++)
        add_spellings(x, s->items[i].text, i);
    while (size < x->n * 2)
        size *= 2;
    x->mask = size - 1;
    x->slots = xcalloc(size, sizeof(*x->slots));
    for (size_t i = 0; i < x->n; i++) {
        const struct needle *one = &x->items[i];
        size_t slot = hash_of(one->bytes, one->len) & x->mask;
        while (x->slots[slot])
            slot = (slot + 1) & x->mask;
        x->slots[slot] = (uint32_t)i + 1;
        x->begins[(unsigned char)one->bytes[0] << 8 | (unsigned char)one->bytes[1]] = true;
    }
    return x;
}

static const struct needle *needle_at(const struct needles *x, const char *bytes, size_t left,
                                      size_t len)
{
    if (left < len)
        return NULL;
    for (size_t slot = hash_of(bytes, len) & x->mask; x->slots[slot]; slot = (slot + 1) & x->mask) {
        const struct needle *one = &x->items[x->slots[slot] - 1];
        if (one->len == len && memcmp(one->bytes, bytes, len) == 0)
            return one;
    }
    return NULL;
}

static void say(const struct secret *s, const char *where, const char *bytes, size_t at, size_t len)
{
    size_t from = at > 60 ? at - 60 : 0, n = len - from < 160 ? len - from : 160;

    print_message("found in %s what stood at %s\n  secret %s\n  form   %s\n  there  ", where,
                  s->place, s->text, s->form);
    for (size_t i = 0; i < n; i++)
        print_message("%c", (unsigned char)bytes[from + i] < ' ' ? ' ' : bytes[from + i]);
    print_message("\n");
}

size_t secrets_search(struct secrets *s, const char *where, const void *data, size_t len)
{
    const char *bytes = data;
    size_t found = 0;

    if (!s->needles)
        s->needles = sharpen(s);
    for (size_t i = 0; i + SHORT <= len; i++) {
        if (!s->needles->begins[(unsigned char)bytes[i] << 8 | (unsigned char)bytes[i + 1]])
            continue;
        const struct needle *one = needle_at(s->needles, bytes + i, len - i, SHORT);
        one = one ? one : needle_at(s->needles, bytes + i, len - i, LONG);
        if (!one || s->items[one->secret].found)
            continue;
        s->items[one->secret].found = true;
        say(&s->items[one->secret], where, bytes, i, len);
        found++;
    }
    return found;
}

void secrets_clear(struct secrets *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->items[i].text);
        free(s->items[i].place);
        free(s->items[i].form);
    }
    free(s->items);
    if (s->needles) {
        free(s->needles->items);
        free(s->needles->slots);
        free(s->needles);
    }
    *s = (struct secrets){ 0 };
}
