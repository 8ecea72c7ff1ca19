/*
 * source_filter - keeps of a service's JSON only what is read of it, while it comes.
 */
#ifndef SOURCES_SOURCE_FILTER_H
#define SOURCES_SOURCE_FILTER_H

#include "dbconn/base/json_stream.h"
#include "dbconn/net/http.h"

struct source_filter {
    const char *const *wanted; /* paths, as json_stream takes them; lent */
    const char *title;         /* "Sentry": in errors; lent */
    struct json_limits limits;
};

/* Its argument is a struct source_filter. */
extern const struct http_filter source_filter;

/* All of an answer, checked and within the limits. */
extern const char *const source_all[];

#endif
