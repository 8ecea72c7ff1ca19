/*
 * json_wanted - the paths of json_stream as one tree.
 */
#ifndef BASE_JSON_WANTED_H
#define BASE_JSON_WANTED_H

#include <stdbool.h>
#include <stddef.h>

#define JSON_WANTED_NAME 64 /* bytes of the longest name in a path */

#define WANTED_NONE (-1)
#define WANTED_ALL (-2)

struct json_wanted_node {
    const char *name; /* lent by the path; NULL: the elements of an array */
    size_t len;
    int child, sibling; /* WANTED_NONE: there is none */
    bool all;           /* everything below is wanted */
};

struct json_wanted {
    struct json_wanted_node *nodes; /* the first one is the document */
    size_t n, cap;
};

/* What is wanted of the document: a node, or WANTED_ALL. */
int json_wanted_init(struct json_wanted *w, const char *const *paths);
void json_wanted_clear(struct json_wanted *w);

/* What is wanted of a member or of the elements of what `node` stands for. */
int json_wanted_member(const struct json_wanted *w, int node, const char *name, size_t len);
int json_wanted_element(const struct json_wanted *w, int node);

#endif
