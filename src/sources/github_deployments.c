/* Deployments and their statuses. */
#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "github_private.h"
#include "source_answer.h"
#include "source_json.h"
#include "source_mem.h"

struct list_op {
    struct github_op op;
    size_t cap;
};

static int parse_list(const char *body, size_t len, cJSON **ret, struct error *err)
{
    const struct http_reply reply = { .status = 200, .body = body, .body_len = len };

    if (source_reply_json(&reply, "GitHub", ret, err) < 0)
        return -1;
    if (cJSON_IsArray(*ret))
        return 0;
    cJSON_Delete(*ret);
    return error_set(err, ERR_PROTOCOL, "GitHub's answer is no list");
}

static void read_deployment(const cJSON *json, struct source_mem *mem,
                            struct github_deployment *ret)
{
    ret->id = source_json_id(mem, json, "id");
    ret->sha = source_json_str(mem, json, "sha");
    ret->ref = source_json_str(mem, json, "ref");
    ret->task = source_json_str(mem, json, "task");
    ret->environment = source_json_str(mem, json, "environment");
    ret->description = source_json_str(mem, json, "description");
    ret->creator = source_json_str(mem, json_get(json, "creator"), "login");
    ret->created_ms = json_time(json, "created_at");
    ret->updated_ms = json_time(json, "updated_at");
    ret->production = source_json_flag(json, "production_environment");
}

static int take_deployments(struct source_call *call, struct github_op *op, const char *body,
                            size_t len, bool truncated, struct error *err)
{
    struct github_deployments *list = op->result;
    cJSON *json;

    (void)truncated;
    if (parse_list(body, len, &json, err) < 0)
        return -1;
    for (const cJSON *one = json->child; one; one = one->next) {
        if (source_json_has_id(one, "id"))
            read_deployment(
                one, call->mem,
                SOURCE_ADD(call->mem, list->items, list->n, ((struct list_op *)op)->cap));
    }
    cJSON_Delete(json);
    return 0;
}

struct source_call *github_list_deployments(struct github *g, uint64_t owner, const char *repo,
                                            const char *sha, const char *environment,
                                            source_done_fn *done, void *user, struct error *err)
{
    struct source_call *call =
        github_call_new(g, owner, repo, done, user, sizeof(struct list_op), err);
    struct buf params = BUF_INIT;

    if (!call)
        return NULL;
    struct github_op *op = call->op;
    op->permission = "deployments: read";
    op->missing = "no such repository, or the token may not see it";
    op->take = take_deployments;
    op->result = source_result_new(call->mem, sizeof(struct github_deployments));
    url_add_query(&params, "per_page", "100");
    if (sha)
        url_add_query(&params, "sha", sha);
    if (environment)
        url_add_query(&params, "environment", environment);
    github_set_path(call, "/deployments%s", buf_str(&params));
    github_set_what(call, "list the deployments of %s", repo);
    buf_clear(&params);
    return github_start(call, err);
}

static void read_status(const cJSON *json, struct source_mem *mem,
                        struct github_deployment_status *ret)
{
    ret->state = source_json_str(mem, json, "state");
    ret->environment = source_json_str(mem, json, "environment");
    ret->description = source_json_str(mem, json, "description");
    ret->created_ms = json_time(json, "created_at");
}

static void note_success(struct github_deployment_statuses *list,
                         const struct github_deployment_status *status)
{
    if (!text_same(status->state, "success") || status->created_ms == TIME_UNKNOWN)
        return;
    if (list->first_success_ms == TIME_UNKNOWN || status->created_ms < list->first_success_ms)
        list->first_success_ms = status->created_ms;
}

static int take_statuses(struct source_call *call, struct github_op *op, const char *body,
                         size_t len, bool truncated, struct error *err)
{
    struct github_deployment_statuses *list = op->result;
    cJSON *json;

    (void)truncated;
    if (parse_list(body, len, &json, err) < 0)
        return -1;
    for (const cJSON *one = json->child; one; one = one->next) {
        if (!json_str(one, "state"))
            continue;
        struct github_deployment_status *status =
            SOURCE_ADD(call->mem, list->items, list->n, ((struct list_op *)op)->cap);
        read_status(one, call->mem, status);
        note_success(list, status);
    }
    cJSON_Delete(json);
    return 0;
}

struct source_call *github_deployment_statuses(struct github *g, uint64_t owner, const char *repo,
                                               const char *deployment_id, source_done_fn *done,
                                               void *user, struct error *err)
{
    struct source_call *call =
        github_call_new(g, owner, repo, done, user, sizeof(struct list_op), err);
    struct buf id = BUF_INIT;

    if (!call)
        return NULL;
    struct github_op *op = call->op;
    struct github_deployment_statuses *list = source_result_new(call->mem, sizeof(*list));
    list->first_success_ms = TIME_UNKNOWN;
    op->permission = "deployments: read";
    op->missing = "no such deployment, or the token may not see it";
    op->take = take_statuses;
    op->result = list;
    url_add_escaped(&id, deployment_id);
    github_set_path(call, "/deployments/%s/statuses?per_page=100", buf_str(&id));
    github_set_what(call, "read the statuses of a deployment of %s", repo);
    buf_clear(&id);
    return github_start(call, err);
}
