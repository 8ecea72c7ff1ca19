/* What can be asked of Elasticsearch. */
#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/json.h"
#include "dbconn/base/json_each.h"
#include "dbconn/base/text.h"
#include "dbconn/net/url.h"
#include "es_private.h"
#include "source_answer.h"
#include "source_json.h"
#include "source_mem.h"

/* ---- search ---- */

/* Only what is read, and errors, which would vanish otherwise. The server is asked to leave the
 * rest out (filter_path), and what it sends all the same is dropped as it comes. */
#define RESULT_PATHS(p)                                                                            \
    p "took," p "timed_out," p "terminated_early," p "_shards," p "_clusters," p "hits.total," p   \
      "hits.hits._index," p "hits.hits._id," p "hits.hits._source," p "hits.hits.fields," p        \
      "hits.hits.sort," p "aggregations," p "error," p "status"

static const char search_path[] =
    "_search?ignore_unavailable=true&allow_no_indices=true&filter_path=" RESULT_PATHS("");
static const char msearch_path[] =
    "_msearch?filter_path=" RESULT_PATHS("responses.") ",error,status";

#define WANTED(p)                                                                                  \
    p "took", p "timed_out", p "terminated_early", p "_shards.total", p "_shards.failed",          \
        p "_shards.failures[].reason.type", p "_clusters", p "hits.total", p "hits.hits[]._index", \
        p "hits.hits[]._id", p "hits.hits[]._source", p "hits.hits[].fields",                      \
        p "hits.hits[].sort", p "aggregations.per_interval.buckets[].key",                         \
        p "aggregations.per_interval.buckets[].doc_count", p "error", p "status"

static const char *const wanted_result[] = { WANTED(""), NULL };
static const char *const wanted_answers[] = { WANTED("responses[]."), "error", "status", NULL };

static int check_query(const struct es_query *query, struct error *err)
{
    if (query->from_ms > 0 && query->to_ms > query->from_ms)
        return 0;
    return error_set(err, ERR_INVALID, "a log search without a window of time");
}

static const char cut[] = "the answer was too large to be read to its end";

static int take_result(struct source_call *call, struct es_op *op, const struct http_reply *reply,
                       struct error *err)
{
    const struct es *es = (const struct es *)call->client;
    struct es_result *result =
        es_parse_result(reply->body, reply->body_len, &es->fields, call->mem, err);

    if (result && reply->truncated)
        source_partial(&result->meta, "%s", cut);
    op->result = result;
    return result ? 0 : -1;
}

/* Heap. */
static char *print_body(const struct es *es, const struct es_query *query)
{
    struct es_query limited = *query;
    if (limited.size > es->max_hits)
        limited.size = es->max_hits;
    cJSON *body = es_build_query(&limited, es->time_field, &es->fields);
    char *text = json_print(body);

    cJSON_Delete(body);
    return text;
}

struct source_call *es_search(struct es *es, uint64_t owner, const struct es_query *query,
                              source_done_fn *done, void *user, struct error *err)
{
    struct source_call *call;
    struct es_op *op;

    if (check_query(query, err) < 0)
        return NULL;
    op = es_op_new(es, owner, query->index, done, user, &call);
    op->url = es_url(es, call->mem, op->index, search_path);
    char *body = print_body(es, query);
    op->body = source_str(call->mem, body);
    free(body);
    op->content_type = "application/json";
    op->what = "search the logs";
    op->wanted = wanted_result;
    op->take = take_result;
    return es_start(call, err);
}

/* ---- several searches ---- */

#define MAX_QUERIES 32

static void fail_answer(struct source_mem *mem, struct es_answer *ret, struct error *err)
{
    ret->result = NULL;
    ret->code = err->code;
    ret->error = source_str(mem, error_text(err));
    error_clear(err);
}

/* {"error": {...}, "status": 404} in the place of a result */
static void take_refusal(const struct es *es, const struct es_op *op, const cJSON *json,
                         struct source_mem *mem, struct es_answer *ret)
{
    struct error err = ERROR_INIT;
    int64_t status = 200;

    if (!json_i64(json, "status", &status))
        status = 500;
    char *text = json_print(json);
    const struct http_reply reply = { .status = (int)status,
                                      .body = text,
                                      .body_len = strlen(text) };
    es_reply_error(es, op->index, &reply, &err);
    free(text);
    fail_answer(mem, ret, &err);
}

struct answers_reading {
    struct source_call *call;
    size_t n;
};

static int read_answer(void *user, const char *text, size_t len, struct error *err)
{
    struct answers_reading *r = user;
    const struct es *es = (const struct es *)r->call->client;
    struct es_answers *answers = ((struct es_op *)r->call->op)->result;
    struct es_answer *answer = &answers->items[r->n];
    struct es_result *result = NULL;
    struct error failure = ERROR_INIT;
    cJSON *rest = NULL;

    (void)err;
    if (r->n >= answers->n)
        return 1;
    r->n++;
    if (es_read_result(text, len, &es->fields, r->call->mem, &result, &rest, &failure) < 0)
        fail_answer(r->call->mem, answer, &failure);
    else if (json_get(rest, "error"))
        take_refusal(es, r->call->op, rest, r->call->mem, answer);
    else
        answer->result = result;
    cJSON_Delete(rest);
    return 0;
}

static size_t count_failed(const struct es_answers *answers)
{
    size_t failed = 0;

    for (size_t i = 0; i < answers->n; i++)
        failed += answers->items[i].result == NULL;
    return failed;
}

static int take_answers(struct source_call *call, struct es_op *op, const struct http_reply *reply,
                        struct error *err)
{
    struct es_answers *answers = op->result;
    struct answers_reading r = { call, 0 };

    if (json_each_text(reply->body, reply->body_len, "responses", "Elasticsearch's answer",
                       read_answer, &r, NULL, err) < 0)
        return -1;
    if (r.n < answers->n && !reply->truncated)
        return error_set(err, ERR_PROTOCOL, "Elasticsearch answered %zu of %zu searches", r.n,
                         answers->n);
    for (; r.n < answers->n; r.n++)
        answers->items[r.n] = (struct es_answer){ .code = ERR_TOO_LARGE, .error = cut };
    size_t failed = count_failed(answers);
    if (failed)
        source_partial(&answers->meta, "%zu of %zu searches failed", failed, answers->n);
    return 0;
}

/* Servers may forbid to name an index in the body (rest.action.multi.allow_explicit_index), so one
 * that all share goes into the path. */
static bool share_index(const struct es_query *queries, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (!text_same(queries[i].index, queries[0].index))
            return false;
    }
    return true;
}

static const char *print_queries(const struct es *es, const struct es_query *queries, size_t n,
                                 struct source_mem *mem)
{
    struct buf lines = BUF_INIT;
    const bool shared = share_index(queries, n);

    for (size_t i = 0; i < n; i++) {
        cJSON *header = cJSON_CreateObject();
        if (!shared)
            json_put_str(header, "index", queries[i].index ? queries[i].index : es->index);
        json_put_bool(header, "ignore_unavailable", true);
        char *text = json_print(header), *body = print_body(es, &queries[i]);
        buf_addf(&lines, "%s\n%s\n", text, body);
        free(text);
        free(body);
        cJSON_Delete(header);
    }
    const char *copy = source_str(mem, buf_str(&lines));
    buf_clear(&lines);
    return copy;
}

struct source_call *es_msearch(struct es *es, uint64_t owner, const struct es_query *queries,
                               size_t n, source_done_fn *done, void *user, struct error *err)
{
    struct source_call *call;
    struct es_answers *answers;
    struct es_op *op;

    if (n == 0 || n > MAX_QUERIES) {
        error_set(err, ERR_INVALID, "1 to %d searches go at once, not %zu", MAX_QUERIES, n);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (check_query(&queries[i], err) < 0)
            return NULL;
    }
    op = es_op_new(es, owner, queries[0].index, done, user, &call);
    answers = source_result_new(call->mem, sizeof(*answers));
    answers->items = source_alloc(call->mem, n * sizeof(*answers->items));
    answers->n = n;
    op->url = es_url(es, call->mem, share_index(queries, n) ? op->index : NULL, msearch_path);
    op->body = print_queries(es, queries, n, call->mem);
    op->content_type = "application/x-ndjson";
    op->what = "search the logs";
    op->wanted = wanted_answers;
    op->take = take_answers;
    op->result = answers;
    return es_start(call, err);
}

/* ---- the rest ---- */

typedef int read_fn(struct source_call *call, struct es_op *op, const cJSON *json,
                    struct error *err);

static int take_json(struct source_call *call, struct es_op *op, const struct http_reply *reply,
                     read_fn *read, struct error *err)
{
    cJSON *json = NULL;
    int rc = source_reply_json(reply, "Elasticsearch", &json, err);

    if (rc == 0)
        rc = read(call, op, json, err);
    cJSON_Delete(json);
    return rc;
}

static int read_info(struct source_call *call, struct es_op *op, const cJSON *json,
                     struct error *err)
{
    struct es_info *info = source_result_new(call->mem, sizeof(*info));
    const cJSON *version = json_get(json, "version");
    const char *flavor = json_str(version, "build_flavor");

    if (!cJSON_IsObject(version))
        return error_set(err, ERR_PROTOCOL, "this is neither Elasticsearch nor OpenSearch");
    info->version = source_json_str(call->mem, version, "number");
    info->distribution = source_json_str(call->mem, version, "distribution");
    if (!info->distribution)
        info->distribution = text_same(flavor, "serverless") ? "serverless" : "elasticsearch";
    info->cluster_name = source_json_str(call->mem, json, "cluster_name");
    op->result = info;
    return 0;
}

static int take_info(struct source_call *call, struct es_op *op, const struct http_reply *reply,
                     struct error *err)
{
    return take_json(call, op, reply, read_info, err);
}

struct source_call *es_get_info(struct es *es, uint64_t owner, source_done_fn *done, void *user,
                                struct error *err)
{
    struct source_call *call;
    struct es_op *op = es_op_new(es, owner, NULL, done, user, &call);

    op->url = es_url(es, call->mem, NULL, "");
    op->index = NULL; /* what may be refused is not an index */
    op->what = "ask for the version";
    op->take = take_info;
    return es_start(call, err);
}

static void read_caps(const cJSON *field, struct source_mem *mem, struct es_field_caps *ret,
                      size_t *cap)
{
    for (const cJSON *type = cJSON_IsObject(field) ? field->child : NULL; type; type = type->next) {
        struct es_field_cap *item = SOURCE_ADD(mem, ret->items, ret->n, *cap);
        item->name = source_intern(mem, field->string);
        item->type = source_intern(mem, type->string);
        item->searchable = source_json_flag(type, "searchable") == YES;
        item->aggregatable = source_json_flag(type, "aggregatable") == YES;
    }
}

static int read_all_caps(struct source_call *call, struct es_op *op, const cJSON *json,
                         struct error *err)
{
    struct es_field_caps *caps = source_result_new(call->mem, sizeof(*caps));
    const cJSON *fields = json_get(json, "fields");
    size_t cap = 0;

    if (!cJSON_IsObject(fields))
        return error_set(err, ERR_PROTOCOL, "the answer holds no fields");
    for (const cJSON *field = fields->child; field; field = field->next)
        read_caps(field, call->mem, caps, &cap);
    op->result = caps;
    return 0;
}

static int take_caps(struct source_call *call, struct es_op *op, const struct http_reply *reply,
                     struct error *err)
{
    return take_json(call, op, reply, read_all_caps, err);
}

struct source_call *es_field_caps(struct es *es, uint64_t owner, const char *index,
                                  const char *const *fields, source_done_fn *done, void *user,
                                  struct error *err)
{
    struct source_call *call;
    struct es_op *op = es_op_new(es, owner, index, done, user, &call);
    struct buf names = BUF_INIT, rest = BUF_INIT;

    for (; fields && *fields; fields++)
        buf_addf(&names, "%s%s", names.len ? "," : "", *fields);
    buf_adds(&rest, "_field_caps?ignore_unavailable=true&allow_no_indices=true");
    url_add_query(&rest, "fields", names.len ? buf_str(&names) : "*");
    op->url = es_url(es, call->mem, op->index, buf_str(&rest));
    buf_clear(&names);
    buf_clear(&rest);
    op->what = "ask for the fields of the logs";
    op->take = take_caps;
    return es_start(call, err);
}
