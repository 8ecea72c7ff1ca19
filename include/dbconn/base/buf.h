/*
 * buf - a growable byte string, always NUL-terminated once something was added.
 *
 * The owner starts with BUF_INIT and ends with buf_clear(). Not thread-safe.
 */
#ifndef DBCONN_BASE_BUF_H
#define DBCONN_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "dbconn/base/alloc.h"

struct buf {
    char *data; /* NULL while empty and never used; see buf_str() */
    size_t len;
    size_t cap;
};

#define BUF_INIT                                                                                   \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

void buf_clear(struct buf *b); /* frees, back to BUF_INIT */
void buf_reset(struct buf *b); /* length 0, keeps the memory */
void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_adds(struct buf *b, const char *s); /* NULL adds nothing */
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vaddf(struct buf *b, const char *fmt, va_list ap);

/* Adds only when the result stays within `max` bytes and memory is there; false and unchanged if
 * not. For everything whose size a peer decides. */
bool buf_add_capped(struct buf *b, const void *bytes, size_t n, size_t max) MUST_CHECK;

const char *buf_str(const struct buf *b); /* "" when empty, never NULL; lent */
char *buf_take(struct buf *b);            /* hands the string to the caller (free()); b is empty */
void buf_truncate(struct buf *b, size_t len);

#endif
