#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/sources/source.h"
#include "source_budget.h"
#include "source_mem.h"

#define FIRST_CHUNK 1024
#define LARGEST_CHUNK (16 * 1024)
#define ALIGN 16

struct chunk {
    struct chunk *next;
    size_t used, size; /* of what follows the header */
};

#define HEADER ((sizeof(struct chunk) + ALIGN - 1) / ALIGN * ALIGN)

struct source_mem {
    int holders;
    size_t bytes;
    struct source_account *account; /* or NULL */
    struct chunk *chunks;           /* the newest first */
    size_t next_size;
    const char **interned; /* open addressing, a power of two; NULL until first used */
    size_t n_interned, cap_interned;
};

struct source_mem *source_mem_new(void)
{
    struct source_mem *mem = xcalloc(1, sizeof(*mem));

    mem->holders = 1;
    mem->next_size = FIRST_CHUNK;
    return mem;
}

void source_mem_hold(struct source_mem *mem)
{
    mem->holders++;
}

void source_mem_charge(struct source_mem *mem, struct source_account *account)
{
    mem->account = account;
    source_account_add(account, mem->bytes);
}

const struct source_account *source_mem_account(const struct source_mem *mem)
{
    return mem->account;
}

static void grown(struct source_mem *mem, size_t bytes)
{
    mem->bytes += bytes;
    source_account_add(mem->account, bytes);
}

void source_mem_release(struct source_mem *mem)
{
    if (!mem || --mem->holders > 0)
        return;
    source_account_take(mem->account, mem->bytes);
    source_account_release(mem->account);
    for (struct chunk *chunk = mem->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(mem->interned);
    free(mem);
}

/* A result is known by its first member only. */
static struct source_mem *mem_of(const void *result)
{
    return result ? ((const struct source_result *)result)->mem : NULL;
}

void source_hold(const void *result)
{
    if (mem_of(result))
        source_mem_hold(mem_of(result));
}

void source_release(const void *result)
{
    source_mem_release(mem_of(result));
}

static struct chunk *add_chunk(struct source_mem *mem, size_t size)
{
    size_t room = size > mem->next_size ? size : mem->next_size;
    struct chunk *chunk = xmalloc(HEADER + room);

    grown(mem, HEADER + room);
    chunk->used = 0;
    chunk->size = room;
    chunk->next = mem->chunks;
    mem->chunks = chunk;
    if (mem->next_size < LARGEST_CHUNK)
        mem->next_size *= 2;
    return chunk;
}

static void *take(struct source_mem *mem, size_t size, size_t align)
{
    struct chunk *chunk = mem->chunks;
    size_t start = chunk ? (chunk->used + align - 1) / align * align : 0;

    if (!chunk || start > chunk->size || size > chunk->size - start) {
        chunk = add_chunk(mem, size);
        start = 0;
    }
    chunk->used = start + size;
    return (char *)chunk + HEADER + start;
}

void *source_alloc(struct source_mem *mem, size_t size)
{
    return memset(take(mem, size, ALIGN), 0, size);
}

const char *source_strn(struct source_mem *mem, const char *s, size_t n)
{
    char *copy = take(mem, n + 1, 1);

    memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

const char *source_str(struct source_mem *mem, const char *s)
{
    return s ? source_strn(mem, s, strlen(s)) : NULL;
}

#define MAX_PROBES 16

/* FNV-1a, 32 bits. Strangers choose the strings and could make them collide; probing is bounded,
 * and what finds no place is kept as one more copy. */
static size_t hash(const char *s)
{
    uint32_t h = 2166136261u;

    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 16777619u;
    return h;
}

/* Where `s` is or may be put; NULL when neither is near its hash. */
static const char **slot_of(const char **table, size_t cap, const char *s)
{
    size_t at = hash(s);

    for (size_t i = 0; i < MAX_PROBES; i++) {
        const char **slot = &table[(at + i) & (cap - 1)];
        if (!*slot || strcmp(*slot, s) == 0)
            return slot;
    }
    return NULL;
}

static void grow_table(struct source_mem *mem)
{
    size_t cap = mem->cap_interned ? mem->cap_interned * 2 : 64;
    const char **table = xcalloc(cap, sizeof(*table));

    for (size_t i = 0; i < mem->cap_interned; i++) {
        const char **slot = mem->interned[i] ? slot_of(table, cap, mem->interned[i]) : NULL;
        if (slot)
            *slot = mem->interned[i];
    }
    free(mem->interned);
    mem->interned = table;
    mem->cap_interned = cap;
}

const char *source_intern(struct source_mem *mem, const char *s)
{
    if (!s)
        return NULL;
    if (mem->n_interned * 2 >= mem->cap_interned)
        grow_table(mem);
    const char **slot = slot_of(mem->interned, mem->cap_interned, s);
    if (!slot)
        return source_str(mem, s);
    if (!*slot) {
        *slot = source_str(mem, s);
        mem->n_interned++;
    }
    return *slot;
}

/* A chunk for one large array, behind the newest, so that it may grow where it is. */
static void *resize_array(struct source_mem *mem, const void *items, size_t size)
{
    struct chunk **at = &mem->chunks, *chunk;

    while (*at && (*at == mem->chunks || (char *)*at + HEADER != items))
        at = &(*at)->next;
    bool first = !*at;
    if (first && !mem->chunks)
        (void)add_chunk(mem, 0);
    if (first)
        at = &mem->chunks->next;
    chunk = xrealloc(first ? NULL : *at, HEADER + size);
    if (first) {
        chunk->next = *at;
        chunk->used = 0;
    }
    *at = chunk;
    grown(mem, size - chunk->used + (first ? HEADER : 0));
    memset((char *)chunk + HEADER + chunk->used, 0, size - chunk->used);
    chunk->used = chunk->size = size;
    return (char *)chunk + HEADER;
}

#define LARGE_ARRAY 1024 /* bytes; of smaller ones the old copy is left behind */

void *source_grow(struct source_mem *mem, const void *items, size_t n, size_t *cap, size_t elem)
{
    void *larger;
    size_t old = *cap * elem;

    if (n < *cap)
        return NULL;
    *cap = old < LARGE_ARRAY ? (*cap ? *cap * 2 : 4) : *cap + *cap / 2;
    if (old >= LARGE_ARRAY)
        return resize_array(mem, items, *cap * elem); /* with what is in it */
    if (*cap * elem >= LARGE_ARRAY)
        larger = resize_array(mem, NULL, *cap * elem);
    else
        larger = source_alloc(mem, *cap * elem);
    if (n)
        memcpy(larger, items, n * elem);
    return larger;
}

const char *source_pair_value(const struct source_pair *pairs, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(pairs[i].key, key) == 0)
            return pairs[i].value;
    }
    return NULL;
}
