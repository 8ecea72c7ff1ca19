/*
 * query - does a document fit a query, and how well? The part of the query DSL that log searches
 * use: https://www.elastic.co/docs/reference/query-languages/querydsl
 */
#ifndef SANDBOX_ELASTIC_QUERY_H
#define SANDBOX_ELASTIC_QUERY_H

#include "elastic/docs.h"

/* An error as Elasticsearch answers it; status 0: none. The first one stays. */
struct es_error {
    int status;
    char type[64];
    struct buf reason;
    cJSON *extra; /* further members of the error, or NULL */
};
void es_fail(struct es_error *err, int status, const char *type, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void es_error_clear(struct es_error *err);

struct query_context {
    int64_t now_ms;
    struct es_error *err;
};

/* 0: it does not fit. NULL as query fits everything. */
double query_score(const struct query_context *c, const cJSON *query, const struct doc *doc);

/* "2026-01-02T03:04:05Z", "now-15m/m", "1767323045678", "...||-1h" in ms; `round_up` for an upper
 * bound that is rounded. Fails in c->err. */
int64_t query_date(const struct query_context *c, const cJSON *value, bool round_up);

/* How well `text` is found in a field: words in any order (`all`: every one), or a phrase. */
enum text_mode { TEXT_ANY, TEXT_ALL, TEXT_PHRASE, TEXT_PREFIX };
double query_text(const struct doc *doc, const char *field, const char *text, enum text_mode mode);
double query_wildcard(const struct doc *doc, const char *field, const char *pattern,
                      bool ignore_case);

/* simple.c: simple_query_string and query_string */
double simple_score(const struct query_context *c, const cJSON *body, const struct doc *doc,
                    bool is_simple);

#endif
