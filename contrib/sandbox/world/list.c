#include "world/list.h"

#include "dbconn/base/alloc.h"

void list_of(const cJSON *tree, struct list *ret)
{
    *ret = (struct list){ 0 };
    for (const cJSON *item = tree ? tree->child : NULL; item; item = item->next)
        *VEC_ADD(ret->item, ret->n, ret->cap) = item;
}

void list_clear(struct list *list)
{
    free(list->item);
    *list = (struct list){ 0 };
}

const cJSON *list_at(const struct list *list, size_t i)
{
    return i < list->n ? list->item[i] : NULL;
}
