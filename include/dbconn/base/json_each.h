/*
 * json_each - the elements of a list in a JSON text, one tree at a time.
 *
 * cJSON takes about 8 bytes for a byte of text, so no tree of a whole list is ever made.
 */
#ifndef DBCONN_BASE_JSON_EACH_H
#define DBCONN_BASE_JSON_EACH_H

#include <cjson/cJSON.h>

#include "dbconn/base/error.h"

/* 0: the next one; 1: enough; -1 with `err`: no more, and json_each() fails. `one` is lent. */
typedef int json_each_fn(void *user, const cJSON *one, struct error *err);
/* The same with the element's text: one that is or holds a long list itself. */
typedef int json_each_text_fn(void *user, const char *text, size_t len, struct error *err);

/*
 * Runs `each` for every element of the list in `text`: the document itself for the path "", or a
 * member such as "hits.hits" (names without dots). *ret_rest (owned by the caller; may be NULL)
 * gets the document with that list empty, before `each` runs.
 * 0: done; 1: there is no such list, and *ret_rest is the whole document; -1: ERR_PROTOCOL naming
 * `what`, or what `each` says; *ret_rest is untouched then.
 */
int json_each(const char *text, size_t len, const char *path, const char *what, json_each_fn *each,
              void *user, cJSON **ret_rest, struct error *err) MUST_CHECK;
int json_each_text(const char *text, size_t len, const char *path, const char *what,
                   json_each_text_fn *each, void *user, cJSON **ret_rest,
                   struct error *err) MUST_CHECK;

#endif
