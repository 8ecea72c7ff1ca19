#include "dbconn/slack/dedupe.h"

#include <stdbool.h>
#include <string.h>
#include <uv.h>

#include "dbconn/base/alloc.h"

#define FIRST_SLOTS 64 /* a power of two, as every size after it */

struct slot {
    uint64_t hash;  /* 0: free */
    uint64_t value; /* 0: forgotten; its place stays taken, as others may have probed past it */
};

struct generation {
    struct slot *slots;
    size_t n_slots, n;
    int64_t began_ms;
};

struct dedupe {
    int64_t keep_ms;
    size_t max_keys;
    uint64_t seed;
    struct generation now, before;
};

struct dedupe *dedupe_new(int64_t keep_ms, size_t max_keys)
{
    struct dedupe *d = xcalloc(1, sizeof(*d));

    d->keep_ms = keep_ms;
    d->max_keys = max_keys;
    (void)uv_random(NULL, NULL, &d->seed, sizeof(d->seed), 0, NULL);
    d->now.began_ms = INT64_MIN;
    return d;
}

void dedupe_free(struct dedupe *d)
{
    if (!d)
        return;
    free(d->now.slots);
    free(d->before.slots);
    free(d);
}

/* FNV-1a from a seed, then mixed (splitmix64's finisher), never 0. */
static uint64_t hash_of(const struct dedupe *d, const char *key)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325) ^ d->seed;

    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * UINT64_C(0x100000001B3);
    h = (h ^ h >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    h = (h ^ h >> 27) * UINT64_C(0x94D049BB133111EB);
    h ^= h >> 31;
    return h ? h : 1;
}

/* The key's slot, or the free one where it would go. At most half of the slots are taken. */
static struct slot *probe(const struct generation *g, uint64_t hash)
{
    size_t at = hash & (g->n_slots - 1);

    while (g->slots[at].hash && g->slots[at].hash != hash)
        at = (at + 1) & (g->n_slots - 1);
    return &g->slots[at];
}

static void grow(struct generation *g)
{
    struct generation bigger = { .n_slots = g->n_slots ? g->n_slots * 2 : FIRST_SLOTS,
                                 .n = g->n,
                                 .began_ms = g->began_ms };

    bigger.slots = xcalloc(bigger.n_slots, sizeof(*bigger.slots));
    for (size_t i = 0; i < g->n_slots; i++)
        if (g->slots[i].hash)
            *probe(&bigger, g->slots[i].hash) = g->slots[i];
    free(g->slots);
    *g = bigger;
}

/* An empty generation in the memory of one that is given up, when about as many keys as were in
 * `like` would need it again: in a flood memory neither grows nor comes and goes. */
static struct generation renew(struct generation old, const struct generation *like, int64_t now_ms)
{
    struct generation fresh = { .began_ms = now_ms };

    if (old.n_slots && old.n_slots <= like->n * 4) {
        memset(old.slots, 0, old.n_slots * sizeof(*old.slots));
        fresh.slots = old.slots;
        fresh.n_slots = old.n_slots;
    } else {
        free(old.slots);
    }
    return fresh;
}

/* A new generation when this one is old or full; what is two generations old is forgotten. */
static void turn(struct dedupe *d, int64_t now_ms)
{
    struct generation *g = &d->now, given_up = d->before;

    if (g->began_ms != INT64_MIN && now_ms - g->began_ms < d->keep_ms && g->n < d->max_keys)
        return;
    bool stale = g->began_ms == INT64_MIN || now_ms - g->began_ms >= 2 * d->keep_ms;
    d->before = *g;
    *g = renew(given_up, &d->before, now_ms);
    if (stale) { /* nothing came for so long that the last one is too old as well */
        free(d->before.slots);
        d->before = (struct generation){ 0 };
    }
}

static uint64_t find_in(const struct generation *g, uint64_t hash)
{
    return g->n_slots ? probe(g, hash)->value : 0;
}

uint64_t dedupe_find(struct dedupe *d, const char *key, int64_t now_ms)
{
    uint64_t hash = hash_of(d, key), value;

    turn(d, now_ms);
    value = find_in(&d->now, hash);
    return value ? value : find_in(&d->before, hash);
}

void dedupe_note(struct dedupe *d, const char *key, uint64_t value, int64_t now_ms)
{
    struct generation *g = &d->now;
    uint64_t hash = hash_of(d, key);

    turn(d, now_ms);
    if ((g->n + 1) * 2 > g->n_slots)
        grow(g);
    struct slot *slot = probe(g, hash);
    if (!slot->hash)
        g->n++;
    *slot = (struct slot){ hash, value };
}

void dedupe_forget(struct dedupe *d, const char *key)
{
    uint64_t hash = hash_of(d, key);
    struct generation *generations[] = { &d->now, &d->before };

    for (size_t i = 0; i < ARRAY_LEN(generations); i++)
        if (find_in(generations[i], hash))
            probe(generations[i], hash)->value = 0;
}
