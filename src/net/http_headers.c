#include "dbconn/net/http_headers.h"

#include <string.h>
#include <strings.h>

void http_headers_clear(struct http_headers *h)
{
    for (size_t i = 0; i < h->n; i++) {
        free(h->items[i].name);
        free(h->items[i].value);
    }
    free(h->items);
    *h = (struct http_headers){ 0 };
}

static bool add(struct http_headers *h, const char *name, size_t name_len, const char *value,
                size_t value_len)
{
    size_t more = name_len + value_len + sizeof(struct http_header);

    if (more > HTTP_HEADERS_MAX_BYTES || h->bytes > HTTP_HEADERS_MAX_BYTES - more)
        return false;
    struct http_header *item = VEC_ADD(h->items, h->n, h->cap);
    item->name = xstrndup(name, name_len);
    item->value = xstrndup(value, value_len);
    h->bytes += more;
    return true;
}

bool http_headers_add(struct http_headers *h, const char *name, const char *value)
{
    return add(h, name, strlen(name), value, strlen(value));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool http_headers_add_line(struct http_headers *h, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len), *end = line + len;

    if (!colon || colon == line)
        return false;
    const char *value = colon + 1;
    while (value < end && is_space(*value))
        value++;
    while (end > value && is_space(end[-1]))
        end--;
    return add(h, line, (size_t)(colon - line), value, (size_t)(end - value));
}

const char *http_headers_get(const struct http_headers *h, const char *name)
{
    for (size_t i = h->n; i-- > 0;)
        if (!strcasecmp(h->items[i].name, name))
            return h->items[i].value;
    return NULL;
}
