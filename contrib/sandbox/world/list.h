/*
 * list - a JSON array as a C array, since cJSON's own is a chain.
 */
#ifndef SANDBOX_WORLD_LIST_H
#define SANDBOX_WORLD_LIST_H

#include <cjson/cJSON.h>
#include <stddef.h>

struct list {
    const cJSON **item; /* lent by the tree */
    size_t n, cap;
};

/* The elements of an array, or the members of an object; empty for NULL. */
void list_of(const cJSON *tree, struct list *ret);
void list_clear(struct list *list);
const cJSON *list_at(const struct list *list, size_t i); /* NULL beyond the end */

#endif
