/*
 * ids - identifiers: derived ones, the same in every run, and random ones for tokens.
 */
#ifndef SANDBOX_WORLD_IDS_H
#define SANDBOX_WORLD_IDS_H

#include <stddef.h>
#include <stdint.h>

/* The first `digits` (at most 64) hexadecimal digits of SHA-256 over the text. Heap. */
char *id_hash(size_t digits, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same as a number below 16^digits, digits at most 12. */
int64_t id_number(size_t digits, const char *text);

char *id_random_hex(size_t digits); /* from the system's random source; heap */
char *id_uuid(void);                /* version 4; heap */

#endif
