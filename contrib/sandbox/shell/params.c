#include "shell/params.h"

#include <ctype.h>

void params_clear(struct params *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->items[i].name);
        free(p->items[i].value);
    }
    free(p->items);
    *p = (struct params)PARAMS_INIT;
}

static void add_owned(struct params *p, char *name, char *value)
{
    struct param *item = VEC_ADD(p->items, p->n, p->cap);

    item->name = name;
    item->value = value;
}

void params_add(struct params *p, const char *name, const char *value)
{
    add_owned(p, xstrdup(name), xstrdup(value));
}

void params_add_pair(struct params *p, const char *pair)
{
    const char *equals = strchr(pair, '=');

    if (equals)
        add_owned(p, xstrndup(pair, (size_t)(equals - pair)), xstrdup(equals + 1));
    else
        params_add(p, pair, "");
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What a browser's form encoding makes of text, undone; NUL bytes are dropped. */
static char *form_decode(const char *text, size_t len)
{
    struct buf out = BUF_INIT;

    for (size_t i = 0; i < len; i++) {
        int hi, lo;
        char c = text[i] == '+' ? ' ' : text[i];
        if (c == '%' && i + 2 < len && (hi = hex_digit(text[i + 1])) >= 0 &&
            (lo = hex_digit(text[i + 2])) >= 0) {
            c = (char)(hi * 16 + lo);
            i += 2;
        }
        if (c != '\0')
            buf_addc(&out, c);
    }
    return buf_take(&out);
}

void params_parse_form(struct params *p, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        const char *stop = memchr(text, '&', (size_t)(end - text));
        if (!stop)
            stop = end;
        const char *equals = memchr(text, '=', (size_t)(stop - text));
        const char *value = equals ? equals + 1 : stop;
        if (stop > text)
            add_owned(p, form_decode(text, (size_t)((equals ? equals : stop) - text)),
                      form_decode(value, (size_t)(stop - value)));
        text = stop + 1;
    }
}

const char *params_get(const struct params *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->items[i].name, name) == 0)
            return p->items[i].value;
    return NULL;
}

const char *params_get_or(const struct params *p, const char *name, const char *fallback)
{
    const char *value = params_get(p, name);

    return value ? value : fallback;
}

int64_t params_i64(const struct params *p, const char *name, int64_t fallback)
{
    const char *value = params_get(p, name);
    char *end;

    if (!value || !*value)
        return fallback;
    long long number = strtoll(value, &end, 10);
    return *end ? fallback : number;
}

bool params_has(const struct params *p, const char *name)
{
    return params_get(p, name) != NULL;
}

bool params_includes(const struct params *p, const char *name, const char *value)
{
    for (size_t i = 0; value && i < p->n; i++)
        if (strcmp(p->items[i].name, name) == 0 && strcmp(p->items[i].value, value) == 0)
            return true;
    return false;
}

void url_encode(const char *text, struct buf *out)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (isalnum(*c) || strchr("-._~", *c))
            buf_addc(out, (char)*c);
        else
            buf_addf(out, "%%%02X", *c);
    }
}

void params_encode(const struct params *p, const char *skip, struct buf *out)
{
    size_t start = out->len;

    for (size_t i = 0; i < p->n; i++) {
        if (skip && strcmp(p->items[i].name, skip) == 0)
            continue;
        if (out->len > start)
            buf_addc(out, '&');
        url_encode(p->items[i].name, out);
        buf_addc(out, '=');
        url_encode(p->items[i].value, out);
    }
}
