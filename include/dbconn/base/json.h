/*
 * json - reading JSON that strangers wrote, and writing our own, over cJSON.
 *
 * Reading is case-sensitive, tolerant of null and missing members, and tells "absent" from 0 and
 * "". Member names may hold dots (ECS), so a path is a list of names, not one dotted string.
 */
#ifndef DBCONN_BASE_JSON_H
#define DBCONN_BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "dbconn/base/error.h"

#define JSON_MAX_DEPTH 200 /* nesting beyond this is refused before parsing */

/* Parses `len` bytes that a peer sent. The caller owns *ret (cJSON_Delete()).
 * Errors: ERR_PROTOCOL naming `what` when it is no JSON or nested too deeply. Invalid UTF-8 in
 * strings is repaired (U+FFFD). */
int json_parse(const char *text, size_t len, const char *what, cJSON **ret,
               struct error *err) MUST_CHECK;

/* All of these take a NULL object and give "absent" for it. Strings are lent by the tree. */
const cJSON *json_get(const cJSON *obj, const char *key); /* NULL when absent or JSON null */
const cJSON *json_path(const cJSON *obj, ...) __attribute__((sentinel)); /* names, then NULL */
/* The member at a dotted path, for our own documents, whose names hold no dots; or NULL. */
const cJSON *json_dotted(const cJSON *obj, const char *dotted);
const char *json_str(const cJSON *obj, const char *key); /* NULL unless a string */
const char *json_str_or(const cJSON *obj, const char *key, const char *fallback); /* for display */
bool json_i64(const cJSON *obj, const char *key, int64_t *ret); /* also reads "123" */
bool json_num(const cJSON *obj, const char *key, double *ret);
/* A number of a document as a whole one: beyond +-9e15, where doubles skip some, the nearest of
 * these; 0 for what is none. */
int64_t json_whole(double number);
bool json_bool(const cJSON *obj, const char *key, bool *ret);
int64_t json_time(const cJSON *obj, const char *key); /* ISO 8601 to ms, TIME_UNKNOWN */
/* A string as it stands, or a number as text ("4509062593708032"); NULL when absent. Heap. */
char *json_id(const cJSON *obj, const char *key);
const cJSON *json_items(const cJSON *obj, const char *key); /* first element of an array, or NULL */
const cJSON *json_first(const cJSON *array);                /* the same for the array itself */

/* Writing. A NULL string and TIME_UNKNOWN are written as null. */
void json_put_str(cJSON *obj, const char *key, const char *value);
void json_put_i64(cJSON *obj, const char *key, int64_t value);
void json_put_bool(cJSON *obj, const char *key, bool value);
void json_put_time(cJSON *obj, const char *key, int64_t ms);
void json_put_null(cJSON *obj, const char *key);
cJSON *json_put_object(cJSON *obj, const char *key); /* lent */
cJSON *json_put_array(cJSON *obj, const char *key);  /* lent */
char *json_print(const cJSON *tree);                 /* compact; heap, free() */

#endif
