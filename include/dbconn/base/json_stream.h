/*
 * json_stream - reads JSON as it comes, piece by piece, and keeps only what is wanted of it.
 *
 * What is not wanted is checked and dropped without ever being held, a string of megabytes
 * included; what is wanted is written as compact JSON text, ready for json_parse(), json_each() and
 * caches. How the bytes are cut into pieces makes no difference.
 *
 * Stricter than json_parse(): a document that ends early, something behind its end, a number such
 * as 01 are errors. Repaired: invalid UTF-8, half a surrogate pair and \u0000 in strings, which
 * become U+FFFD. A name given twice is kept twice, so that readers see the first, as elsewhere.
 *
 * Our own: libyajl 2.1 holds a string that comes in pieces whole, without a limit, wanted or not
 * (10 MiB that nobody asked for: a block of 16), and a byte that is no UTF-8, which events and log
 * lines bring, ends the document or, unchecked (yajl_dont_validate_strings), goes on to the reader.
 *
 * No loop, no I/O, no global state.
 */
#ifndef DBCONN_BASE_JSON_STREAM_H
#define DBCONN_BASE_JSON_STREAM_H

#include <stddef.h>

#include "dbconn/base/buf.h"
#include "dbconn/base/error.h"

struct json_limits {
    size_t depth;  /* arrays and objects in one another, wanted or not; 0: JSON_MAX_DEPTH */
    size_t values; /* of the whole document, wanted or not; 0: a million */
    size_t string; /* bytes of one wanted string or name; 0: 1 MiB */
    size_t kept;   /* bytes of the text that is written; 0: 8 MiB */
};

struct json_stream; /* opaque */

/*
 * `paths` (NULL at the end; lent while the stream lives) name what is wanted, with everything below
 * it: "version", "hits.hits[]._source", "[].tags[].key"; "[]" is each element of an array. NULL:
 * everything. Names may not hold '.' or '['. Where another type than the path's stands, a scalar is
 * kept as it is and an object or array as an empty one, so that readers can tell. `limits` NULL:
 * the defaults; `what` names the document in errors and is lent too.
 */
struct json_stream *json_stream_new(const char *const *paths, const struct json_limits *limits,
                                    const char *what);
void json_stream_free(struct json_stream *s); /* NULL is fine */

/*
 * Reads the next `n` bytes; `out` (empty before the first) gets what is wanted of them.
 * 0: go on. 1: enough: a limit other than the depth is reached inside of a list; `out` is a
 * complete document with the list's elements so far, nothing more is to be fed. -1: ERR_PROTOCOL,
 * or ERR_TOO_LARGE where a limit is reached and there is no list to end; `out` is of no use. The
 * list is the outermost array that a path goes into with "[]".
 */
int json_stream_feed(struct json_stream *s, const char *bytes, size_t n, struct buf *out,
                     struct error *err) MUST_CHECK;
/* There are no more bytes. Errors: ERR_PROTOCOL when the document is not complete. */
int json_stream_end(struct json_stream *s, struct buf *out, struct error *err) MUST_CHECK;

#endif
