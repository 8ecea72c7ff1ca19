/*
 * github_cache - answers kept with their ETag, the least recently used ones dropped first.
 *
 * What is kept is only shown again after GitHub said 304 to the credential of that moment ("Use
 * conditional requests", docs.github.com).
 */
#ifndef SOURCES_GITHUB_CACHE_H
#define SOURCES_GITHUB_CACHE_H

#include <stddef.h>

struct github_cache;

struct github_cached {
    char *key;
    char *etag; /* verbatim, with quotes and W/ */
    char *link; /* the Link header, or NULL */
    char *body;
    size_t len;
};

struct github_cache *github_cache_new(size_t max_bytes);
void github_cache_free(struct github_cache *cache); /* NULL is fine */
/* Lent until the next put; NULL: not kept. */
const struct github_cached *github_cache_get(struct github_cache *cache, const char *key);
/* Copies; does nothing for a body of more than a quarter of the cache. */
void github_cache_put(struct github_cache *cache, const char *key, const char *etag,
                      const char *link, const char *body, size_t len);

#endif
