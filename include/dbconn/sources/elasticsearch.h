/*
 * elasticsearch - a typed client for log searches in Elasticsearch 7 to 9, Elastic Serverless and
 * OpenSearch.
 *
 * Only requests that all of them accept are sent. Hits of every shape (ECS nested or dotted, flat,
 * Kubernetes, OpenTelemetry) become one struct. The contract of calls and results is that of
 * source.h. `owner` is the job, for fairness.
 * Error codes: ERR_UNAUTHORIZED, ERR_FORBIDDEN (the message names the privilege), ERR_NOT_FOUND,
 * ERR_INVALID (400: our query), ERR_RATE_LIMITED, ERR_UPSTREAM, ERR_PROTOCOL, and those of http.h.
 */
#ifndef DBCONN_SOURCES_ELASTICSEARCH_H
#define DBCONN_SOURCES_ELASTICSEARCH_H

#include <cjson/cJSON.h>

#include "dbconn/sources/source.h"

struct http;
struct es; /* opaque */

/* Candidate field names by meaning, NULL at the end of each list; the first that a document has
 * wins. A NULL list means the built-in one (es_default_fields()). */
struct es_fields {
    const char *const *time;
    const char *const *message;
    const char *const *level;
    const char *const *service;
    const char *const *host;
    const char *const *host_ip;
    const char *const *container;
    const char *const *pod;
    const char *const *namespace_;
    const char *const *dataset;
    const char *const *region;
    const char *const *zone;
};

const struct es_fields *es_default_fields(void);

struct es_options {
    const char *url;   /* may contain a path */
    const char *index; /* default index pattern; NULL: "logs-*" */
    /* one of: */
    const char *api_key; /* the "encoded" form, BASE64(id:key) */
    const char *user, *password;
    const char *bearer;
    const char *time_field;         /* to filter and sort by; NULL: "@timestamp" */
    const struct es_fields *fields; /* NULL: built-in. Copied. */
    int max_in_flight;              /* 0: 4 */
    int64_t budget_ms;              /* for one request with its retries; 0: 20 s */
    int max_hits;                   /* of one query at most; 0: 1000 */
    struct source_limits limits;
};

/* The caller owns *ret; strings are copied, secrets are wiped on free. Errors: ERR_CONFIG. */
int es_new(struct http *http, const struct es_options *options, struct es **ret,
           struct error *err) MUST_CHECK;
void es_free(struct es *es); /* cancels what is under way; NULL is fine */

/* Holds when any of the fields equals any of the values. Each field is also tried with ".keyword"
 * (dynamic mappings); values that are no IP address are left out for fields named "...ip", since
 * Elasticsearch refuses them there. */
struct es_terms {
    const char *const *fields; /* NULL at the end */
    const char *const *values; /* NULL at the end */
};

struct es_query {
    const char *index; /* NULL: the configured one */
    int64_t from_ms, to_ms;
    const struct es_terms *filters; /* all must hold */
    size_t n_filters;
    const struct es_terms *must_not; /* none may hold */
    size_t n_must_not;
    const char *const *phrases; /* any of them in the message; NULL at the end; NULL: any message */
    const char *const *not_phrases;   /* none of them; or NULL */
    const char *const *phrase_fields; /* NULL: the message fields, error.message among them */
    int size;                         /* hits, 0..1000; 0: only count and histogram */
    bool newest_first;                /* else oldest first */
    int64_t histogram_ms;             /* interval of counts over the window; 0: none */
    int64_t count_up_to;              /* exact totals up to here; 0: 10000; -1: always exact */
};

struct es_hit {
    const char *id, *index;
    int64_t at_ms;
    const char *message, *level, *service, *host;
    const char **host_ips;
    size_t n_host_ips;
    const char *container, *pod, *namespace_, *dataset, *region, *zone;
};

/* partial: timed out, shards or clusters failed; the hits are some of those that match. More
 * matches than `size` is not partial: compare `total` with `n`. */
struct es_result {
    struct source_result meta;
    bool nothing_searched; /* no index matches the pattern: not the same as "nothing logged" */
    int64_t total;         /* -1 not told */
    bool total_is_lower_bound;
    int64_t took_ms;
    struct es_hit *hits;
    size_t n;
    struct source_series *histogram; /* NULL: not asked or not answered */
};

struct es_answer {
    const struct es_result *result; /* NULL: this query failed */
    enum err_code code;
    const char *error; /* with result NULL: what it answered and what to do */
};

struct es_answers {
    struct source_result meta;
    struct es_answer *items; /* in the order of the queries */
    size_t n;
};

struct es_info {
    struct source_result meta;
    const char *version;      /* may lie: OpenSearch can pose as 7.10.2 */
    const char *distribution; /* "elasticsearch", "opensearch", "serverless"; NULL unknown */
    const char *cluster_name;
};

struct es_field_cap {
    const char *name, *type;
    bool searchable, aggregatable;
};

struct es_field_caps {
    struct source_result meta;
    struct es_field_cap *items; /* a name occurs once per type it has; absent names are missing */
    size_t n;
};

/* Result: struct es_info. */
struct source_call *es_get_info(struct es *es, uint64_t owner, source_done_fn *done, void *user,
                                struct error *err) MUST_CHECK;
/* Result: struct es_result. */
struct source_call *es_search(struct es *es, uint64_t owner, const struct es_query *query,
                              source_done_fn *done, void *user, struct error *err) MUST_CHECK;
/* Several at once, at most 32. Result: struct es_answers. */
struct source_call *es_msearch(struct es *es, uint64_t owner, const struct es_query *queries,
                               size_t n, source_done_fn *done, void *user,
                               struct error *err) MUST_CHECK;
/* `index` NULL: the configured one. Result: struct es_field_caps. */
struct source_call *es_field_caps(struct es *es, uint64_t owner, const char *index,
                                  const char *const *fields, source_done_fn *done, void *user,
                                  struct error *err) MUST_CHECK;
/* Is the credential good and may it search the index? Result: struct source_check. */
struct source_call *es_check(struct es *es, uint64_t owner, source_done_fn *done, void *user,
                             struct error *err) MUST_CHECK;

/* ---- pure ---- */

/* The request body for a query; `fields` NULL: built-in. The caller owns it (cJSON_Delete()). */
cJSON *es_build_query(const struct es_query *query, const char *time_field,
                      const struct es_fields *fields);
/* The answer to a search; its hits are read one at a time. */
struct es_result *es_parse_result(const char *text, size_t len, const struct es_fields *fields,
                                  struct source_mem *mem, struct error *err) MUST_CHECK;

#endif
