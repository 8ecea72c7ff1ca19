/*
 * search - one search: hits in order, totals, aggregations.
 */
#ifndef SANDBOX_ELASTIC_SEARCH_H
#define SANDBOX_ELASTIC_SEARCH_H

#include "elastic/query.h"
#include "shell/params.h"

/* The answer to one search (caller's tree), or NULL with `err`. `query` are the URL's parameters,
 * or those of a line of _msearch. */
cJSON *search_run(const struct docs *docs, const char *indices, const cJSON *body,
                  const struct params *query, struct es_error *err);
/* The set that an index expression names, after the request's parameters; false with `err`. */
bool search_indices(const struct docs *docs, const char *expression, const struct params *query,
                    struct index_set *ret, struct es_error *err);

/* aggs.c: the aggregations over these documents. */
cJSON *aggs_run(const struct query_context *c, const cJSON *spec, const struct doc *const *found,
                size_t n);
/* Fails as Elasticsearch does when a text field is to be sorted or grouped by. */
bool aggs_can_use(const struct query_context *c, const struct doc *doc, const char *field,
                  struct view *ret);

#endif
