#include "github_cache.h"

#include <string.h>

#include "dbconn/base/alloc.h"

struct entry {
    struct github_cached cached; /* first, so that a cached one is its entry */
    struct entry *prev, *next;
};

struct github_cache {
    struct entry *newest, *oldest;
    size_t bytes, max_bytes;
};

struct github_cache *github_cache_new(size_t max_bytes)
{
    struct github_cache *cache = xcalloc(1, sizeof(*cache));

    cache->max_bytes = max_bytes;
    return cache;
}

static size_t size_of(const struct entry *entry)
{
    return sizeof(*entry) + strlen(entry->cached.key) + entry->cached.len;
}

static void unlink_entry(struct github_cache *cache, struct entry *entry)
{
    if (entry->prev)
        entry->prev->next = entry->next;
    else
        cache->newest = entry->next;
    if (entry->next)
        entry->next->prev = entry->prev;
    else
        cache->oldest = entry->prev;
    entry->prev = entry->next = NULL;
}

static void push_newest(struct github_cache *cache, struct entry *entry)
{
    entry->next = cache->newest;
    if (entry->next)
        entry->next->prev = entry;
    else
        cache->oldest = entry;
    cache->newest = entry;
}

static void drop(struct github_cache *cache, struct entry *entry)
{
    cache->bytes -= size_of(entry);
    unlink_entry(cache, entry);
    free(entry->cached.key);
    free(entry->cached.etag);
    free(entry->cached.link);
    free(entry->cached.body);
    free(entry);
}

void github_cache_free(struct github_cache *cache)
{
    if (!cache)
        return;
    while (cache->newest)
        drop(cache, cache->newest);
    free(cache);
}

static struct entry *find(const struct github_cache *cache, const char *key)
{
    struct entry *entry = cache->newest;

    while (entry && strcmp(entry->cached.key, key) != 0)
        entry = entry->next;
    return entry;
}

const struct github_cached *github_cache_get(struct github_cache *cache, const char *key)
{
    struct entry *entry = find(cache, key);

    if (!entry)
        return NULL;
    unlink_entry(cache, entry);
    push_newest(cache, entry);
    return &entry->cached;
}

void github_cache_put(struct github_cache *cache, const char *key, const char *etag,
                      const char *link, const char *body, size_t len)
{
    struct entry *entry = find(cache, key);

    if (entry)
        drop(cache, entry);
    if (len > cache->max_bytes / 4)
        return;
    entry = xcalloc(1, sizeof(*entry));
    entry->cached = (struct github_cached){
        .key = xstrdup(key),
        .etag = xstrdup(etag),
        .link = xstrdup(link),
        .body = xstrndup(body, len),
        .len = len,
    };
    push_newest(cache, entry);
    cache->bytes += size_of(entry);
    while (cache->bytes > cache->max_bytes && cache->oldest != entry)
        drop(cache, cache->oldest);
}
