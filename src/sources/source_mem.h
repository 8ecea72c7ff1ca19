/*
 * source_mem - the memory of a result: many small pieces, freed at once.
 *
 * Sizes follow from the answer's size, which the HTTP client has capped.
 */
#ifndef SOURCES_SOURCE_MEM_H
#define SOURCES_SOURCE_MEM_H

#include "dbconn/sources/source.h"

void source_mem_hold(struct source_mem *mem);

struct source_account;
/* What the memory takes is charged to `account` (taken over; NULL: to nobody) until it ends. */
void source_mem_charge(struct source_mem *mem, struct source_account *account);
const struct source_account *source_mem_account(const struct source_mem *mem);

/* NULL while index n still fits the capacity, else a larger copy of the n items. */
void *source_grow(struct source_mem *mem, const void *items, size_t n, size_t *cap, size_t elem);

/* Appends one zeroed element to an {items, n, cap} triple in `mem`, gives a pointer to it. */
#define SOURCE_ADD(mem, items, n, cap)                                                             \
    (source_make_room((mem), (void *)&(items), (n), &(cap), sizeof(*(items))), &(items)[(n)++])

static inline void source_make_room(struct source_mem *mem, void *items_ptr, size_t n, size_t *cap,
                                    size_t elem)
{
    void *items, *larger;

    memcpy(&items, items_ptr, sizeof(items));
    larger = source_grow(mem, items, n, cap, elem);
    if (larger)
        memcpy(items_ptr, &larger, sizeof(larger));
}

#endif
