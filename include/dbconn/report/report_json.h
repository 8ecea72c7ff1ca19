/*
 * report_json - a casefile as the report document (schema_version 1, config/report.schema.json),
 * and back.
 *
 * `dbconn run --json` prints it, the queue stores it as a checkpoint and resumes from it: writing
 * and reading again keeps everything that a view shows. While the investigation runs, `diagnosis`
 * is null and steps may be "pending" or "running"; a published document has neither. Pure; any
 * thread.
 */
#ifndef DBCONN_REPORT_REPORT_JSON_H
#define DBCONN_REPORT_REPORT_JSON_H

#include <cjson/cJSON.h>

#include "dbconn/base/error.h"

struct casefile;

#define REPORT_SCHEMA_VERSION 1

cJSON *report_to_json(const struct casefile *c); /* the caller owns it (cJSON_Delete()) */
char *report_print(const struct casefile *c);    /* compact, one line, no newline; free() */

/*
 * Fills *ret (any state; initialised here, ended with casefile_clear()) from a document that this
 * or another version wrote: unknown members are ignored, missing ones stay unknown.
 * Errors, *ret is empty then: ERR_INVALID for no object, another schema_version, or an error
 * document; ERR_PROTOCOL when the text is no JSON.
 */
int report_from_json(const cJSON *doc, struct casefile *ret, struct error *err) MUST_CHECK;
int report_parse(const char *text, size_t len, struct casefile *ret, struct error *err) MUST_CHECK;

/* {"schema_version":1,"error":{"code","message","source"}}: what stdout holds when the
 * investigation could not be done. `source` is "sentry", "config", ... or NULL. free(). */
char *report_error_print(const struct error *why, const char *source);

#endif
