/*
 * alloc - small allocations that cannot fail.
 *
 * Out of memory on a small allocation ends the process with one line on stderr: the queue is
 * durable, the supervisor restarts us. What outside data sizes (replies, diffs, log pages) goes
 * through the capped functions of buf.h instead, which fail only that call.
 */
#ifndef DBCONN_BASE_ALLOC_H
#define DBCONN_BASE_ALLOC_H

#include <stdlib.h>
#include <string.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);              /* NULL gives NULL */
char *xstrndup(const char *s, size_t len); /* always NUL-terminated */
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* `head` and then `secret`, made in one piece: xasprintf() grows as it writes, and what it grows out
 * of is freed with a part of the secret in it. */
char *xconcat_secret(const char *head, const char *secret);

/* Replaces the heap string *slot by a copy of `s` (NULL clears it). */
void xreplace(char **slot, const char *s);

/* Grows `items` (capacity in *cap, elements of `elem` bytes) so that index n fits. */
void *vec_grow(void *items, size_t n, size_t *cap, size_t elem);

/* Appends one zeroed element to a {items, n, cap} triple and gives a pointer to it. */
#define VEC_ADD(items, n, cap)                                                                     \
    ((items) = vec_grow((items), (n), &(cap), sizeof(*(items))), &(items)[(n)++])

#endif
