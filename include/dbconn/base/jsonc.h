/*
 * jsonc - JSON with comments, for files that people write: configuration and playbooks.
 *
 * Line comments, block comments and trailing commas are allowed. Where a value stands can be asked
 * afterwards, so that a mistake is reported with file and line.
 */
#ifndef DBCONN_BASE_JSONC_H
#define DBCONN_BASE_JSONC_H

#include <cjson/cJSON.h>

#include "dbconn/base/error.h"

struct jsonc {
    char *path; /* for messages */
    char *text; /* comments blanked out; same offsets and lines as the file */
    cJSON *tree;
};

/* The caller ends *ret with jsonc_clear(). Errors: ERR_CONFIG with path and line. */
int jsonc_parse(const char *path, const char *text, struct jsonc *ret,
                struct error *err) MUST_CHECK;
int jsonc_load(const char *path, struct jsonc *ret,
               struct error *err) MUST_CHECK; /* reads a file */
void jsonc_clear(struct jsonc *doc);

/* The line (1-based) where the member at `dotted` stands ("slack.connections", "steps[2].id");
 * the line of the nearest enclosing value when it is not there. */
int jsonc_line(const struct jsonc *doc, const char *dotted);

/* Reads a whole file of at most `max` bytes. Errors: ERR_CONFIG with the path and the reason. */
int file_read(const char *path, size_t max, struct buf *ret, struct error *err) MUST_CHECK;

#endif
