/*
 * fairq - a queue that serves its owners in turn: first in, first out for each owner, and the next
 * place to the owner who has waited longest since it was last served. Intrusive and pure.
 */
#ifndef DBCONN_NET_FAIRQ_H
#define DBCONN_NET_FAIRQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fair_owner;

/* Embedded in what waits. */
struct fair_item {
    struct fair_item *prev, *next;
    struct fair_owner *owner; /* NULL while not queued */
};

struct fairq {
    struct fair_owner *first, *last; /* each has at least one item */
    size_t n;                        /* items */
};

/* Queues `item` behind the owner's others, or with `again` ahead of them (it waited before). */
void fairq_push(struct fairq *q, struct fair_item *item, uint64_t owner, bool again);
void fairq_remove(struct fairq *q, struct fair_item *item); /* not queued: nothing happens */
struct fair_item *fairq_pop(struct fairq *q);               /* NULL when empty */

#endif
