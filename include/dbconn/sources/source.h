/*
 * source - what the typed clients of Sentry, GitHub and Elasticsearch have in common: results and
 * calls.
 *
 * A call fails at once (NULL with `err`, `done` never runs) or starts and runs `done` exactly once,
 * later, from the loop, never inside the start call. source_cancel() before that means never.
 *
 * `done` gets either a result or an error, never both. A result is lent for the duration of `done`;
 * source_hold() keeps all of it (every string, list and nested struct) until source_release().
 * Results are read-only. In them NULL, TIME_UNKNOWN, -1 (for counts) and UNKNOWN (for tristates)
 * mean that the service did not tell; 0 and "" mean that it said so. Texts are as the service sent
 * them, UTF-8 repaired, NOT redacted and not escaped: that is for whoever shows or stores them.
 */
#ifndef DBCONN_SOURCES_SOURCE_H
#define DBCONN_SOURCES_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/error.h"
#include "dbconn/base/tristate.h"

struct source_mem;  /* opaque: the memory of one result */
struct source_call; /* opaque: one call under way, of one or several requests */

/*
 * How much the results of one job (the `owner` of its calls) may take together, while its calls are
 * under way or their results held. Above it lists end early, which makes results partial, and
 * further calls fail with ERR_TOO_LARGE. Shared by the clients that are given it, whom it must
 * outlive.
 */
struct source_budget;
struct source_budget *source_budget_new(size_t max_bytes);
void source_budget_free(struct source_budget *budget); /* NULL is fine */

/* What bounds the answers of a client; 0 and NULL: the defaults of json_stream.h, and no budget. */
struct source_limits {
    size_t json_depth, json_values;
    struct source_budget *budget;
};

/* The first member of every result. */
struct source_result {
    struct source_mem *mem;
    bool partial;    /* a cap was hit, or only some of the pages, shards or calls answered */
    const char *why; /* with partial: what is missing and why, a clause for people; else NULL */
};

/* `result` is the struct that the called function documents; NULL when `err` is set. */
typedef void source_done_fn(void *user, const void *result, const struct error *err);

/* `done` will not run. NULL is fine, and so is a call whose `done` is running; afterwards the
 * handle is gone. */
void source_cancel(struct source_call *call);

/* Keep a result beyond `done`; each hold needs one release. NULL is fine. Loop thread only. */
void source_hold(const void *result);
void source_release(const void *result);

/* For those who build results, such as the parsing functions and their tests. The memory starts
 * with one holder: source_mem_release() ends it together with every result built in it. */
struct source_mem *source_mem_new(void);
void source_mem_release(struct source_mem *mem);
void *source_alloc(struct source_mem *mem, size_t size);       /* zeroed */
const char *source_str(struct source_mem *mem, const char *s); /* NULL gives NULL */
const char *source_strn(struct source_mem *mem, const char *s, size_t n);
const char *source_intern(struct source_mem *mem, const char *s); /* equal strings share one copy */

struct source_pair {
    const char *key;
    const char *value; /* NULL: the service sent null */
};

/* The value of the first pair named `key`, or NULL. */
const char *source_pair_value(const struct source_pair *pairs, size_t n, const char *key);

struct source_point {
    int64_t at_ms; /* start of the interval */
    double value;
    bool incomplete; /* the interval is not over yet */
};

/* Oldest first. */
struct source_series {
    struct source_result meta;
    int64_t interval_ms; /* 0 when fewer than two points were told */
    struct source_point *points;
    size_t n_points;
};

/* What `dbconn check` prints of a service. */
struct source_check_item {
    const char *what; /* "read issues (event:read)" */
    enum tristate ok; /* UNKNOWN: could not be found out, see text */
    const char *text; /* a sentence: what answered, or what is missing and how to grant it */
};

struct source_check {
    struct source_result meta;
    const char *identity;  /* "Elasticsearch 8.15.3, API key dbconn", ...; NULL when not told */
    int64_t clock_skew_ms; /* their clock minus ours by the Date header; TIME_UNKNOWN */
    struct source_check_item *items;
    size_t n_items;
};

#endif
