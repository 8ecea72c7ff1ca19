#include "dbconn/slack/access.h"

#include "dbconn/base/alloc.h"
#include "dbconn/base/text.h"

struct access {
    char **entries;
    size_t n, cap;
};

struct access *access_new(void)
{
    return xcalloc(1, sizeof(struct access));
}

void access_free(struct access *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->n; i++)
        free(a->entries[i]);
    free(a->entries);
    free(a);
}

void access_allow(struct access *a, const char *entry)
{
    *VEC_ADD(a->entries, a->n, a->cap) = xstrdup(entry);
}

bool access_is_empty(const struct access *a)
{
    return a->n == 0;
}

bool access_permits(const struct access *a, const struct access_request *r)
{
    for (size_t i = 0; i < a->n; i++) {
        const char *entry = a->entries[i];
        if (text_same(entry, "*"))
            return r->user != NULL;
        if ((r->user && text_same(entry, r->user)) || (r->team && text_same(entry, r->team)) ||
            (r->channel && text_same(entry, r->channel)))
            return true;
    }
    return false;
}
