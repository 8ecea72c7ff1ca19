/*
 * haystack - a text prepared for many searches: most needles are ruled out by their letter pairs.
 */
#ifndef DBCONN_ANALYSIS_HAYSTACK_H
#define DBCONN_ANALYSIS_HAYSTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct haystack {
    const char *text; /* NUL-terminated, lent */
    size_t len;
    uint64_t pairs[64];
};

void haystack_init(struct haystack *h, const char *text);
bool haystack_has(const struct haystack *h, const char *needle); /* ASCII case-insensitive */
/* The same for `len` bytes at `needle`. */
bool haystack_has_part(const struct haystack *h, const char *needle, size_t len);

#endif
