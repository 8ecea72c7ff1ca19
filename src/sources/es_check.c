/* Is the credential good, and may it search the index? */
#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "es_private.h"
#include "source_answer.h"
#include "source_check.h"
#include "source_filter.h"
#include "source_json.h"

enum { REACH, RECOGNISE, SEARCH, STEPS };

static const char *what(const struct source_call *call, size_t step)
{
    static const char *const names[STEPS] = {
        [REACH] = "Elasticsearch: reach the server",
        [RECOGNISE] = "Elasticsearch: use the credential",
        [SEARCH] = "Elasticsearch: search the logs (index privilege read)",
    };

    (void)call;
    return names[step];
}

static const char *count_all(struct source_mem *mem)
{
    return source_str(mem, "{\"size\":0,\"track_total_hits\":false,\"timeout\":\"5s\"}");
}

static int send_step(struct source_call *call, size_t step, struct error *err)
{
    const struct es *es = (const struct es *)call->client;
    static const char search[] = "_search?ignore_unavailable=true&allow_no_indices=true";

    call->wanted = source_all;
    if (step == REACH)
        return es_send(call, es_url(es, call->mem, NULL, ""), NULL, NULL, source_check_reply, err);
    if (step == RECOGNISE)
        return es_send(call, es_url(es, call->mem, NULL, "_security/_authenticate"), NULL, NULL,
                       source_check_reply, err);
    if (step == SEARCH)
        return es_send(call, es_url(es, call->mem, es->index, search), count_all(call->mem),
                       "application/json", source_check_reply, err);
    return 1;
}

/* GET / may be forbidden to narrow credentials, which says that they were recognised. */
static int judge_info(struct source_call *call, const struct http_reply *reply, struct buf *text,
                      struct error *err)
{
    struct source_check *check = ((struct source_check_op *)call->op)->check;
    const struct es *es = (const struct es *)call->client;
    cJSON *json = NULL;

    if (reply->status == 403) {
        buf_adds(text, "works; it may not read the version, which is not needed");
        return 0;
    }
    if (reply->status != 200)
        return es_reply_error(es, es->index, reply, err);
    if (source_reply_json(reply, "Elasticsearch", &json, err) < 0)
        return -1;
    const cJSON *version = json_get(json, "version");
    const char *number = json_str(version, "number");
    char *identity = xasprintf(
        "%s %s, cluster %s",
        text_same(json_str(version, "distribution"), "opensearch") ? "OpenSearch" : "Elasticsearch",
        number ? number : "of unknown version",
        json_str_or(json, "cluster_name", "without a name"));
    check->identity = source_str(call->mem, identity);
    free(identity);
    cJSON_Delete(json);
    return number ? 0
                  : error_set(err, ERR_CONFIG,
                              "what answers there is neither Elasticsearch nor OpenSearch; check "
                              "elasticsearch.url (ELASTICSEARCH_URL)");
}

/* OpenSearch has no such call, and older servers may have security off. */
static int judge_credential(struct source_call *call, const struct http_reply *reply,
                            struct buf *text, struct error *err)
{
    const struct es *es = (const struct es *)call->client;
    cJSON *json = NULL;

    if (reply->status == 401)
        return es_reply_error(es, es->index, reply, err);
    if (reply->status != 200 || source_reply_json(reply, "Elasticsearch", &json, NULL) < 0) {
        buf_adds(text, "not asked: this server does not say who we are");
        return 0;
    }
    const char *key = json_str(json_get(json, "api_key"), "name");
    buf_addf(text, "works; we are user %.100s%s%.100s", json_str_or(json, "username", "(unnamed)"),
             key ? " with the API key " : "", key ? key : "");
    cJSON_Delete(json);
    return 0;
}

static int judge_search(struct source_call *call, const struct http_reply *reply, struct buf *text,
                        struct error *err)
{
    const struct es *es = (const struct es *)call->client;
    const struct es_result *result;

    if (reply->status != 200)
        return es_reply_error(es, es->index, reply, err);
    result = es_parse_result(reply->body, reply->body_len, &es->fields, call->mem, err);
    if (!result)
        return -1;
    if (result->nothing_searched)
        return error_set(err, ERR_NOT_FOUND,
                         "no index matches %.200s, or the credential may not see one; check "
                         "elasticsearch.index (ELASTICSEARCH_INDEX)",
                         es->index);
    if (result->meta.partial)
        buf_addf(text, "works in part: %s", result->meta.why);
    return 0;
}

static int judge(struct source_call *call, size_t step, const struct http_reply *reply,
                 struct buf *text, struct error *err)
{
    if (step == REACH)
        return judge_info(call, reply, text, err);
    return step == RECOGNISE ? judge_credential(call, reply, text, err)
                             : judge_search(call, reply, text, err);
}

struct source_call *es_check(struct es *es, uint64_t owner, source_done_fn *done, void *user,
                             struct error *err)
{
    struct source_call *call =
        source_call_new(&es->client, owner, done, user, sizeof(struct source_check_op));

    return source_check_start(call, send_step, judge, what, err);
}
