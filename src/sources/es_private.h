/*
 * es_private - one request of the Elasticsearch client.
 */
#ifndef SOURCES_ES_PRIVATE_H
#define SOURCES_ES_PRIVATE_H

#include <cjson/cJSON.h>

#include "dbconn/sources/elasticsearch.h"
#include "source_call.h"

#define ES_MAX_SIZE 1000 /* hits of one query */

struct es {
    struct source_client client;
    struct source_mem *mem; /* the field lists */
    char *base;             /* without a slash at the end */
    char *index;
    char *authorization;    /* the whole header line, or NULL */
    const char *credential; /* "the API key": in messages */
    char *time_field;
    struct es_fields fields;
    int64_t budget_ms;
    int max_hits;
    bool worked; /* the credential was accepted at least once */
};

struct es_op;

/* Reads the text of an answer into op->result. */
typedef int es_take_fn(struct source_call *call, struct es_op *op, const struct http_reply *reply,
                       struct error *err);

/* The first member of every call's state; strings live in the call's memory. */
struct es_op {
    const char *url;
    const char *body; /* NULL: a GET */
    const char *content_type;
    const char *what;
    const char *index;         /* asked for; in messages; NULL: none */
    const char *const *wanted; /* what is read of the answer */
    es_take_fn *take;
    void *result;
    bool repeated; /* a 401 was asked again once */
};

/* A call about `index` (NULL: the configured one) and its op. */
struct es_op *es_op_new(struct es *es, uint64_t owner, const char *index, source_done_fn *done,
                        void *user, struct source_call **ret);
/* BASE/INDEX/REST; an `index` of NULL is left out with its slash. */
const char *es_url(const struct es *es, struct source_mem *mem, const char *index,
                   const char *rest);
/* Sends; on failure the call is ended and NULL comes back. */
struct source_call *es_start(struct source_call *call, struct error *err);
int es_send(struct source_call *call, const char *url, const char *body, const char *content_type,
            source_reply_fn *on_reply, struct error *err) MUST_CHECK;
/* es_parse_result() that also gives the rest of the answer, without its hits. 0, or -1. */
int es_read_result(const char *text, size_t len, const struct es_fields *fields,
                   struct source_mem *mem, struct es_result **ret, cJSON **ret_rest,
                   struct error *err) MUST_CHECK;
int es_reply_error(const struct es *es, const char *index, const struct http_reply *reply,
                   struct error *err);

#endif
