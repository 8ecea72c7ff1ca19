/*
 * dedupe - has this been seen before? A set of keys with bounded memory that forgets by age.
 *
 * A key is kept for at least `keep_ms` and at most twice as long, in two generations; when more
 * than `max_keys` come within one generation, the older one is given up early. Keys are kept as
 * 64-bit hashes with a seed of the process. Pure but for that seed; time is an argument.
 */
#ifndef DBCONN_SLACK_DEDUPE_H
#define DBCONN_SLACK_DEDUPE_H

#include <stddef.h>
#include <stdint.h>

struct dedupe;

struct dedupe *dedupe_new(int64_t keep_ms, size_t max_keys);
void dedupe_free(struct dedupe *d); /* NULL is fine */

/* The value that `key` was noted with; 0 when it is not known (any more). */
uint64_t dedupe_find(struct dedupe *d, const char *key, int64_t now_ms);
/* Notes `key` with `value` (not 0), in place of an earlier one. */
void dedupe_note(struct dedupe *d, const char *key, uint64_t value, int64_t now_ms);
/* From now on `key` is not known. */
void dedupe_forget(struct dedupe *d, const char *key);

#endif
