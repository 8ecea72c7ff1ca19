/*
 * Mentions of addresses into targets: attempts at the addresses of one name are one target, which
 * a name found in the text names; without a name every address is a target, once, in order.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <strings.h>

#include "dbconn/base/text.h"
#include "failure_private.h"

#define MAX_TARGETS 32 /* of one message */

void mentions_clear(struct mentions *m)
{
    for (size_t i = 0; i < m->n; i++) {
        free(m->items[i].host);
        free(m->items[i].port);
        free(m->items[i].addr);
        free(m->items[i].database);
        free(m->items[i].user);
    }
    free(m->items);
    *m = (struct mentions){ 0 };
}

static bool is_ip(const char *host)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1 ||
           strchr(host, ':') != NULL; /* IPv6 with a zone or cut by a scrubber */
}

bool failure_is_address(const char *host)
{
    return host && (host[0] == '/' || is_ip(host));
}

struct failure_target *failure_add_target(struct failure *f)
{
    return VEC_ADD(f->targets, f->n_targets, f->cap_targets);
}

void failure_add_alias(struct failure_target *t, const char *alias)
{
    if (!alias || text_isame(alias, t->host))
        return;
    for (size_t i = 0; i < t->n_aliases; i++)
        if (text_isame(t->aliases[i], alias))
            return;
    *VEC_ADD(t->aliases, t->n_aliases, t->cap_aliases) = xstrdup(alias);
}

void failure_target_clear(struct failure_target *t)
{
    for (size_t i = 0; i < t->n_aliases; i++)
        free(t->aliases[i]);
    free(t->aliases);
    free(t->host);
    free(t->port);
    free(t->database);
    free(t->user);
    *t = (struct failure_target){ 0 };
}

static bool is_known_as(const struct failure_target *t, const char *host)
{
    if (text_isame(t->host, host))
        return true;
    for (size_t i = 0; i < t->n_aliases; i++)
        if (text_isame(t->aliases[i], host))
            return true;
    return false;
}

static bool ports_agree(const char *a, const char *b)
{
    return !a || !b || strcmp(a, b) == 0;
}

static void fill(char **slot, const char *value)
{
    if (!*slot && value && *value)
        *slot = xstrdup(value);
}

static void merge_into(struct failure_target *t, const struct mention *m)
{
    if (m->host && !text_isame(t->host, m->host))
        failure_add_alias(t, m->host);
    failure_add_alias(t, m->addr);
    fill(&t->port, m->port);
    fill(&t->database, m->database);
    fill(&t->user, m->user);
}

static struct failure_target *find(struct failure *f, const char *host, const char *port)
{
    for (size_t i = 0; i < f->n_targets; i++)
        if (is_known_as(&f->targets[i], host) && ports_agree(f->targets[i].port, port))
            return &f->targets[i];
    return NULL;
}

static void add_mention(struct failure *f, const struct mention *m)
{
    struct failure_target *t = find(f, m->host, m->port);

    if (!t && f->n_targets < MAX_TARGETS) {
        t = failure_add_target(f);
        t->host = xstrdup(m->host);
    }
    if (t)
        merge_into(t, m);
}

/* A socket's folder is another spelling of the socket. */
static bool holds_socket(const struct failure_target *t, const char *path)
{
    size_t n = t->host ? strlen(t->host) : 0;

    return n > 1 && t->host[0] == '/' && strncmp(path, t->host, n) == 0 && path[n] == '/';
}

/* The name that an address at offset `at` belongs to: the nearest one before it, else the first
 * one, whose port agrees. */
static struct failure_target *owner(struct failure *f, const struct mentions *all,
                                    const struct mention *m, int rank)
{
    struct failure_target *best = NULL;

    for (size_t i = 0; i < all->n; i++) {
        const struct mention *name = &all->items[i];
        if (!name->host || name->rank < rank || failure_is_address(name->host))
            continue;
        struct failure_target *t = find(f, name->host, name->port);
        if (t && ports_agree(t->port, m->port) && (!best || name->at < m->at))
            best = t;
    }
    return best;
}

static int by_place(const void *a, const void *b)
{
    const struct mention *x = a, *y = b;

    return x->at < y->at ? -1 : x->at > y->at;
}

static bool has_rank(const struct mentions *all, int rank)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->items[i].host && all->items[i].rank >= rank)
            return true;
    return false;
}

/* What names no host speaks of the connection as a whole. */
static void add_common(struct failure *f, const struct mentions *all)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct mention *m = &all->items[i];
        if (m->host || (!m->database && !m->user && !m->port))
            continue;
        if (!f->n_targets)
            failure_add_target(f);
        for (size_t k = 0; k < f->n_targets; k++) {
            fill(&f->targets[k].database, m->database);
            fill(&f->targets[k].user, m->user);
            if (f->n_targets == 1)
                fill(&f->targets[k].port, m->port);
        }
    }
}

/* "Failed to connect to db:5432 - connect ECONNREFUSED 10.0.0.5:5432": what only looks like an
 * address is the name of the address that a driver names, when the ports are the same. */
static bool names_an_address(const struct mentions *all, const struct mention *name)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct mention *m = &all->items[i];
        if (m->host && m->rank >= 2 && failure_is_address(m->host) && m->port && name->port &&
            strcmp(m->port, name->port) == 0)
            return true;
    }
    return false;
}

void failure_merge(struct mentions *all, struct failure *f)
{
    int rank = has_rank(all, 2) ? 2 : 1;

    if (all->n)
        qsort(all->items, all->n, sizeof(*all->items), by_place);
    for (size_t i = 0; i < all->n; i++) {
        struct mention *m = &all->items[i];
        if (!m->host || failure_is_address(m->host))
            continue;
        if (m->rank < rank && names_an_address(all, m))
            m->rank = rank;
        if (m->rank >= rank)
            add_mention(f, m);
    }
    for (size_t i = 0; i < all->n; i++) { /* the port of a name that a driver gave without one */
        struct mention *m = &all->items[i];
        struct failure_target *t = m->host && m->rank < rank ? find(f, m->host, m->port) : NULL;
        if (t)
            merge_into(t, m);
    }
    for (size_t i = 0; i < all->n; i++) {
        struct mention *m = &all->items[i];
        if (!m->host || !failure_is_address(m->host))
            continue;
        struct failure_target *t = owner(f, all, m, rank);
        for (size_t k = 0; !t && k < f->n_targets; k++)
            t = holds_socket(&f->targets[k], m->host) ? &f->targets[k] : NULL;
        if (t)
            merge_into(t, m);
        else if (m->rank >= rank || find(f, m->host, m->port))
            add_mention(f, m);
    }
    add_common(f, all);
    mentions_clear(all);
}
