#include "dbconn/base/alloc.h"

#include <stdarg.h>
#include <stdio.h>

static void *or_die(void *p)
{
    if (p)
        return p;
    fputs("dbconn: out of memory, ending; queued work goes on at the next start\n", stderr);
    abort();
}

void *xmalloc(size_t size)
{
    return or_die(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
    return or_die(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
    return or_die(realloc(p, size ? size : 1));
}

char *xstrndup(const char *s, size_t len)
{
    char *copy = xmalloc(len + 1);

    if (len)
        memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *xstrdup(const char *s)
{
    return s ? xstrndup(s, strlen(s)) : NULL;
}

char *xasprintf(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    return or_die(n < 0 ? NULL : text);
}

char *xconcat_secret(const char *head, const char *secret)
{
    size_t size = strlen(head) + strlen(secret) + 1;
    char *text = xmalloc(size);

    (void)snprintf(text, size, "%s%s", head, secret); /* in place: no other copy is made */
    return text;
}

void xreplace(char **slot, const char *s)
{
    char *copy = xstrdup(s);

    free(*slot);
    *slot = copy;
}

void *vec_grow(void *items, size_t n, size_t *cap, size_t elem)
{
    if (n >= *cap) {
        *cap = *cap ? *cap * 2 : 8;
        items = xrealloc(items, *cap * elem);
    }
    memset((char *)items + n * elem, 0, elem);
    return items;
}
