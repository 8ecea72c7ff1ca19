/*
 * redact_json - takes secrets out of every string of a document before it leaves the process.
 *
 * Text is redacted where it comes in. This is the second line: what was put together from harmless
 * pieces, and names that must stay whole while they are asked for, such as a release's.
 */
#ifndef DBCONN_BASE_REDACT_JSON_H
#define DBCONN_BASE_REDACT_JSON_H

#include <cjson/cJSON.h>

/* In place. A member whose name says that it is a secret loses its value; a string that is itself
 * JSON is read likewise. Time grows linearly with the size. */
void redact_json(cJSON *tree);

#endif
