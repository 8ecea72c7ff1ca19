/*
 * source_answer - what a service answered, in words. Pure.
 */
#ifndef SOURCES_SOURCE_ANSWER_H
#define SOURCES_SOURCE_ANSWER_H

#include <cjson/cJSON.h>

#include "dbconn/net/http.h"
#include "dbconn/sources/source.h"

/* The code that callers branch on, by status alone. */
enum err_code source_status_code(int status);

/*
 * Appends the reason that an error body gives, at most 200 bytes on one line, cleaned and redacted:
 * "detail", "message" or "error" of a JSON object (a string, or an object with type and reason),
 * the first complaint of a field map, the title of an HTML page, the first line of a text. Appends
 * nothing when there is none.
 */
void source_add_detail(struct buf *out, const struct http_reply *reply);

/* "TITLE answered STATUS: MEANING (DETAIL)". `meaning` NULL: a general one. Returns -1. */
int source_refused(struct error *err, enum err_code code, const char *title,
                   const struct http_reply *reply, const char *meaning);

/* An answer that is an HTML page, or has no body, where JSON is expected. Return -1. */
int source_not_json(const char *title, int status, struct error *err);
int source_empty(const char *title, int status, struct error *err);

/* Parses a 2xx reply's JSON. Errors: ERR_PROTOCOL, naming what came instead. */
int source_reply_json(const struct http_reply *reply, const char *title, cJSON **ret,
                      struct error *err) MUST_CHECK;

/* One link of a Link header (RFC 8288); slices of the header. */
struct source_link {
    const char *url;
    size_t url_len;
    bool results;       /* false only with results="false" (Sentry) */
    const char *cursor; /* Sentry; NULL: none */
    size_t cursor_len;
};

/* The first link with that relation; the parameters may come in any order. */
bool source_find_link(const char *header, const char *rel, struct source_link *ret);

/* Their Date minus `now_wall_ms`; TIME_UNKNOWN without a Date header. */
int64_t source_clock_skew(const struct http_reply *reply, int64_t now_wall_ms);
/* Milliseconds until an epoch-seconds header of theirs, by their own clock where they tell it;
 * -1 when the header is missing or no number. */
int64_t source_until(const struct http_reply *reply, const char *header, int64_t now_wall_ms);

#endif
