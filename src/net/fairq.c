#include "fairq.h"

#include "dbconn/base/alloc.h"

struct fair_owner {
    struct fair_owner *prev, *next;
    uint64_t id;
    struct fair_item *first, *last;
};

static void link_owner(struct fairq *q, struct fair_owner *owner)
{
    owner->prev = q->last;
    owner->next = NULL;
    if (q->last)
        q->last->next = owner;
    else
        q->first = owner;
    q->last = owner;
}

static void unlink_owner(struct fairq *q, struct fair_owner *owner)
{
    if (owner->prev)
        owner->prev->next = owner->next;
    else
        q->first = owner->next;
    if (owner->next)
        owner->next->prev = owner->prev;
    else
        q->last = owner->prev;
}

static struct fair_owner *need_owner(struct fairq *q, uint64_t id)
{
    struct fair_owner *owner = q->first;

    while (owner && owner->id != id)
        owner = owner->next;
    if (!owner) {
        owner = xcalloc(1, sizeof(*owner));
        owner->id = id;
        link_owner(q, owner);
    }
    return owner;
}

void fairq_push(struct fairq *q, struct fair_item *item, uint64_t id, bool again)
{
    struct fair_owner *owner = need_owner(q, id);

    item->owner = owner;
    item->prev = again ? NULL : owner->last;
    item->next = again ? owner->first : NULL;
    if (item->prev)
        item->prev->next = item;
    else
        owner->first = item;
    if (item->next)
        item->next->prev = item;
    else
        owner->last = item;
    q->n++;
}

void fairq_remove(struct fairq *q, struct fair_item *item)
{
    struct fair_owner *owner = item->owner;

    if (!owner)
        return;
    if (item->prev)
        item->prev->next = item->next;
    else
        owner->first = item->next;
    if (item->next)
        item->next->prev = item->prev;
    else
        owner->last = item->prev;
    item->owner = NULL;
    q->n--;
    if (!owner->first) {
        unlink_owner(q, owner);
        free(owner);
    }
}

struct fair_item *fairq_pop(struct fairq *q)
{
    struct fair_owner *owner = q->first;

    if (!owner)
        return NULL;
    struct fair_item *item = owner->first;
    bool more = item->next != NULL;
    if (more) { /* to the back of the line */
        unlink_owner(q, owner);
        link_owner(q, owner);
    }
    fairq_remove(q, item);
    return item;
}
