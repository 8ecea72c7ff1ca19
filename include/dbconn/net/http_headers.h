/*
 * http_headers - the header fields of one answer, in order; names are compared case-insensitively.
 */
#ifndef DBCONN_NET_HTTP_HEADERS_H
#define DBCONN_NET_HTTP_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include "dbconn/base/alloc.h"

#define HTTP_HEADERS_MAX_BYTES (64 * 1024) /* names and values together; more are dropped */

struct http_headers {
    struct http_header {
        char *name, *value;
    } * items;
    size_t n, cap, bytes;
};

void http_headers_clear(struct http_headers *h);
/* Adds copies; false, and nothing added, beyond HTTP_HEADERS_MAX_BYTES. */
bool http_headers_add(struct http_headers *h, const char *name, const char *value);
/* Adds a line as it came from the wire ("Name: value\r\n"); false when it is none or too much. */
bool http_headers_add_line(struct http_headers *h, const char *line, size_t len);
/* The last value of that name, or NULL. */
const char *http_headers_get(const struct http_headers *h, const char *name);

#endif
