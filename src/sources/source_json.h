/*
 * source_json - members of an answer copied into a result's memory. Pure.
 */
#ifndef SOURCES_SOURCE_JSON_H
#define SOURCES_SOURCE_JSON_H

#include <cjson/cJSON.h>

#include "dbconn/sources/source.h"

const char *source_json_str(struct source_mem *mem, const cJSON *obj, const char *key);
const char *source_json_intern(struct source_mem *mem, const cJSON *obj, const char *key);
/* A string as it stands or a number as text, for ids of any size. */
const char *source_json_id(struct source_mem *mem, const cJSON *obj, const char *key);
bool source_json_has_id(const cJSON *obj, const char *key);   /* source_json_id() gives one */
int64_t source_json_count(const cJSON *obj, const char *key); /* -1 unless it is a count */
enum tristate source_json_flag(const cJSON *obj, const char *key);
/* An array's strings, or the member `key` of its objects; others are left out. */
const char **source_json_strings(struct source_mem *mem, const cJSON *array, const char *key,
                                 size_t *ret_n);

/* What to keep of a tree of unknown size and shape. */
struct source_flat_limits {
    size_t max_pairs;
    size_t max_value; /* bytes; longer values end in an ellipsis */
    int max_depth;    /* deeper members are left out */
    bool repeat;      /* an array's elements repeat the name, instead of "name[0]" */
};

/* Runs `each` for every leaf of `tree`. Returns false when something was left out. */
typedef void source_leaf_fn(void *user, const char *path, const cJSON *leaf);
bool source_json_walk(const cJSON *tree, const struct source_flat_limits *limits,
                      source_leaf_fn *each, void *user);
/* A leaf as text, NULL for null; longer ones than `max_value` end in an ellipsis. */
const char *source_json_leaf(struct source_mem *mem, const cJSON *leaf, size_t max_value);

/* Every leaf of `tree` with its dotted path: "conn_params.host". Returns false when something was
 * left out. */
bool source_json_flatten(struct source_mem *mem, const cJSON *tree,
                         const struct source_flat_limits *limits, struct source_pair **ret,
                         size_t *ret_n);

#endif
