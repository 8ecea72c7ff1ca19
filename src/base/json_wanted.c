#include "json_wanted.h"

#include <string.h>

#include "dbconn/base/alloc.h"

static int add_node(struct json_wanted *w, const char *name, size_t len)
{
    struct json_wanted_node *node = VEC_ADD(w->nodes, w->n, w->cap);

    *node = (struct json_wanted_node){
        .name = name, .len = len, .child = WANTED_NONE, .sibling = WANTED_NONE
    };
    return (int)w->n - 1;
}

static bool is_named(const struct json_wanted_node *node, const char *name, size_t len)
{
    if (!name || !node->name)
        return !name && !node->name;
    return node->len == len && memcmp(node->name, name, len) == 0;
}

static int find(const struct json_wanted *w, int parent, const char *name, size_t len)
{
    int at = w->nodes[parent].child;

    while (at >= 0 && !is_named(&w->nodes[at], name, len))
        at = w->nodes[at].sibling;
    return at;
}

static int child_of(struct json_wanted *w, int parent, const char *name, size_t len)
{
    int at = find(w, parent, name, len);

    if (at >= 0)
        return at;
    at = add_node(w, name, len);
    w->nodes[at].sibling = w->nodes[parent].child;
    w->nodes[parent].child = at;
    return at;
}

/* "a.b[].c" goes from the document to a, b, its elements, their c. */
static void add_path(struct json_wanted *w, const char *path)
{
    int at = 0;

    while (*path) {
        if (strncmp(path, "[]", 2) == 0) {
            at = child_of(w, at, NULL, 0);
            path += 2;
        } else {
            size_t len = strcspn(path + 1, ".[") + 1; /* always goes on, whatever is written */
            len = *path == '.' ? 0 : len;
            at = child_of(w, at, path, len);
            path += len;
        }
        path += *path == '.';
    }
    w->nodes[at].all = true;
}

static int meaning(const struct json_wanted *w, int node)
{
    return node >= 0 && w->nodes[node].all ? WANTED_ALL : node;
}

int json_wanted_init(struct json_wanted *w, const char *const *paths)
{
    *w = (struct json_wanted){ 0 };
    if (!paths)
        return WANTED_ALL;
    (void)add_node(w, NULL, 0);
    for (; *paths; paths++)
        add_path(w, *paths);
    return meaning(w, 0);
}

void json_wanted_clear(struct json_wanted *w)
{
    free(w->nodes);
    *w = (struct json_wanted){ 0 };
}

int json_wanted_member(const struct json_wanted *w, int node, const char *name, size_t len)
{
    return node < 0 ? node : meaning(w, find(w, node, name, len));
}

int json_wanted_element(const struct json_wanted *w, int node)
{
    return node < 0 ? node : meaning(w, find(w, node, NULL, 0));
}
