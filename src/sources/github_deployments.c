/* Deployments and their statuses. */
#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/json.h"
#include "dbconn/base/json_each.h"
#include "dbconn/base/text.h"
#include "github_private.h"
#include "source_json.h"
#include "source_mem.h"

struct list_op {
    struct github_op op;
    size_t cap;
};

/* What is read below, as paths of json_stream.h. */
static const char *const wanted_deployments[] = { "[].id",
                                                  "[].sha",
                                                  "[].ref",
                                                  "[].task",
                                                  "[].environment",
                                                  "[].description",
                                                  "[].creator.login",
                                                  "[].created_at",
                                                  "[].updated_at",
                                                  "[].production_environment",
                                                  NULL };
static const char *const wanted_statuses[] = { "[].state", "[].environment", "[].description",
                                               "[].created_at", NULL };

static int take_list(struct source_call *call, const char *body, size_t len, json_each_fn *each,
                     struct error *err)
{
    int rc = json_each(body, len, "", "GitHub's answer", each, call, NULL, err);

    return rc > 0 ? error_set(err, ERR_PROTOCOL, "GitHub's answer is no list") : rc;
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

static int read_one_deployment(void *user, const cJSON *one, struct error *err)
{
    struct source_call *call = user;
    struct list_op *op = call->op;
    struct github_deployments *list = op->op.result;

    (void)err;
    if (source_json_has_id(one, "id"))
        read_deployment(one, call->mem, SOURCE_ADD(call->mem, list->items, list->n, op->cap));
    return 0;
}

static int take_deployments(struct source_call *call, struct github_op *op, const char *body,
                            size_t len, struct error *err)
{
    (void)op;
    return take_list(call, body, len, read_one_deployment, err);
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
    op->wanted = wanted_deployments;
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

static int read_one_status(void *user, const cJSON *one, struct error *err)
{
    struct source_call *call = user;
    struct list_op *op = call->op;
    struct github_deployment_statuses *list = op->op.result;

    (void)err;
    if (!json_str(one, "state"))
        return 0;
    struct github_deployment_status *status = SOURCE_ADD(call->mem, list->items, list->n, op->cap);
    read_status(one, call->mem, status);
    note_success(list, status);
    return 0;
}

static int take_statuses(struct source_call *call, struct github_op *op, const char *body,
                         size_t len, struct error *err)
{
    (void)op;
    return take_list(call, body, len, read_one_status, err);
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
    op->wanted = wanted_statuses;
    op->take = take_statuses;
    op->result = list;
    url_add_escaped(&id, deployment_id);
    github_set_path(call, "/deployments/%s/statuses?per_page=100", buf_str(&id));
    github_set_what(call, "read the statuses of a deployment of %s", repo);
    buf_clear(&id);
    return github_start(call, err);
}
