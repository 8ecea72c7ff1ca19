/* Issues: one, lists, counts, tags, similar ones. */
#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/net/url.h"
#include "sentry_parse.h"
#include "sentry_private.h"
#include "source_json.h"
#include "source_mem.h"

static const char no_issue[] =
    "no such issue in this organization, or the token may not see its project";

static int check_id(const char *id, struct error *err)
{
    if (id && *id && strcmp(id, ".") != 0 && strcmp(id, "..") != 0)
        return 0;
    return error_set(err, ERR_INVALID, "an empty Sentry id");
}

/* ---- one issue ---- */

struct issue_op {
    struct sentry_op op;
    const char *asked_id;
};

static int take_issue(struct source_call *call, struct sentry_op *op, const cJSON *json,
                      struct error *err)
{
    const char *asked = ((struct issue_op *)op)->asked_id;
    struct sentry_issue *issue = sentry_parse_issue(json, call->mem, err);

    if (!issue)
        return -1;
    /* The only sign of a merged-away issue is that the answer has another id. */
    issue->asked_id = asked;
    issue->merged = !asked[strspn(asked, "0123456789")] && strcmp(asked, issue->id) != 0;
    op->result = issue;
    return 0;
}

struct source_call *sentry_get_issue(struct sentry *s, uint64_t owner, const char *issue_id,
                                     source_done_fn *done, void *user, struct error *err)
{
    if (check_id(issue_id, err) < 0)
        return NULL;
    struct source_call *call = sentry_call_new(s, owner, done, user, sizeof(struct issue_op));
    struct issue_op *issue = call->op;
    issue->asked_id = source_str(call->mem, issue_id);
    issue->op.path = sentry_path(call->mem, "issues/", issue_id, "/");
    issue->op.what = source_describe(call->mem, "read issue", issue_id);
    issue->op.scope = "event:read";
    issue->op.missing = no_issue;
    issue->op.wanted = sentry_wanted_issue;
    issue->op.take = take_issue;
    return sentry_start(call, err);
}

/* ---- lists ---- */

struct issues_op {
    struct sentry_op op;
    size_t cap;
};

static int take_one_issue(struct source_call *call, struct sentry_op *op, const cJSON *json,
                          struct error *err)
{
    struct issues_op *list = (struct issues_op *)op;
    struct sentry_issues *issues = op->result;

    if (!source_json_has_id(json, "id"))
        return 0;
    struct sentry_issue *issue = SOURCE_ADD(call->mem, issues->items, issues->n, list->cap);
    issue->meta.mem = call->mem;
    return sentry_read_issue(json, call->mem, issue, err);
}

static void take_total(struct sentry_op *op, const struct http_reply *reply)
{
    struct sentry_issues *issues = op->result;
    const char *hits = http_reply_header(reply, "X-Hits");

    if (hits && *hits && !hits[strspn(hits, "0123456789")])
        issues->total = strtoll(hits, NULL, 10);
}

static struct source_call *issues_call(struct sentry *s, uint64_t owner, source_done_fn *done,
                                       void *user)
{
    struct source_call *call = sentry_call_new(s, owner, done, user, sizeof(struct issues_op));
    struct sentry_op *op = call->op;
    struct sentry_issues *issues = source_result_new(call->mem, sizeof(*issues));

    issues->total = -1;
    op->result = issues;
    op->list_of = "issues";
    op->wanted = sentry_wanted_issues;
    op->take = take_one_issue;
    op->take_headers = take_total;
    op->scope = "event:read";
    return call;
}

struct source_call *sentry_list_issues(struct sentry *s, uint64_t owner,
                                       const struct sentry_issues_query *query,
                                       source_done_fn *done, void *user, struct error *err)
{
    struct source_call *call = issues_call(s, owner, done, user);
    struct sentry_op *op = call->op;
    struct buf params = BUF_INIT;

    url_add_query(&params, "project", query->project ? query->project : "-1");
    /* Without a query the server would apply one of its own. */
    url_add_query(&params, "query", query->query ? query->query : "");
    sentry_add_window(&params, query->start_ms, query->end_ms, query->stats_period);
    sentry_add_environments(&params, query->environments);
    if (query->sort)
        url_add_query(&params, "sort", query->sort);
    url_add_query(&params, "groupStatsPeriod",
                  query->group_stats_period ? query->group_stats_period : "");
    sentry_add_int(&params, "limit", query->limit > 0 ? query->limit : 100);
    op->params = sentry_params(call->mem, &params);
    op->path = "issues/";
    op->what = "list issues";
    op->missing = "no such organization or project, or the token may not see it";
    op->pages_left = query->max_pages > 0 ? query->max_pages : 2;
    return sentry_start(call, err);
}

#define MAX_STATS_IDS 100

struct source_call *sentry_issue_stats(struct sentry *s, uint64_t owner, const char *const *ids,
                                       size_t n_ids, const struct sentry_issues_query *window,
                                       source_done_fn *done, void *user, struct error *err)
{
    struct buf params = BUF_INIT;

    if (n_ids == 0 || n_ids > MAX_STATS_IDS) {
        error_set(err, ERR_INVALID, "statistics are for 1 to %d issues at once, not %zu",
                  MAX_STATS_IDS, n_ids);
        return NULL;
    }
    struct source_call *call = issues_call(s, owner, done, user);
    struct sentry_op *op = call->op;
    for (size_t i = 0; i < n_ids; i++)
        url_add_query(&params, "groups", ids[i]);
    url_add_query(&params, "project", window->project ? window->project : "-1");
    sentry_add_window(&params, window->start_ms, window->end_ms, window->stats_period);
    sentry_add_environments(&params, window->environments);
    if (window->group_stats_period)
        url_add_query(&params, "groupStatsPeriod", window->group_stats_period);
    op->params = sentry_params(call->mem, &params);
    op->path = "issues-stats/";
    op->what = "read the statistics of issues";
    return sentry_start(call, err);
}

/* ---- tags ---- */

struct tags_op {
    struct sentry_op op;
    size_t cap;
};

static int take_tag(struct source_call *call, struct sentry_op *op, const cJSON *json,
                    struct error *err)
{
    struct sentry_tags *tags = op->result;

    (void)err;
    if (json_str(json, "key"))
        sentry_read_tag(json, call->mem,
                        SOURCE_ADD(call->mem, tags->items, tags->n, ((struct tags_op *)op)->cap));
    return 0;
}

struct source_call *sentry_list_issue_tags(struct sentry *s, uint64_t owner, const char *issue_id,
                                           int limit, const char *const *environments,
                                           source_done_fn *done, void *user, struct error *err)
{
    struct buf params = BUF_INIT;

    if (check_id(issue_id, err) < 0)
        return NULL;
    struct source_call *call = sentry_call_new(s, owner, done, user, sizeof(struct tags_op));
    struct sentry_op *op = call->op;
    sentry_add_int(&params, "limit", limit > 0 ? limit : 10);
    sentry_add_environments(&params, environments);
    op->params = sentry_params(call->mem, &params);
    op->path = sentry_path(call->mem, "issues/", issue_id, "/tags/");
    op->what = source_describe(call->mem, "list the tags of issue", issue_id);
    op->scope = "event:read";
    op->missing = no_issue;
    op->list_of = "tags";
    op->take = take_tag;
    op->result = source_result_new(call->mem, sizeof(struct sentry_tags));
    return sentry_start(call, err);
}

/* ---- similar issues ---- */

struct similar_op {
    struct sentry_op op;
    const char *issue_id;
    bool by_shingles; /* the older of the two endpoints is being asked */
    size_t cap;
};

/* {"exception": 0.98, "shouldBeGrouped": "Yes"}, or scores of several features, some null. */
static void read_scores(const cJSON *scores, struct sentry_similar_item *ret)
{
    const char *should = json_str(scores, "shouldBeGrouped");

    ret->score = -1;
    for (const cJSON *one = cJSON_IsObject(scores) ? scores->child : NULL; one; one = one->next) {
        if (cJSON_IsNumber(one) && one->valuedouble > ret->score && one->valuedouble <= 1)
            ret->score = one->valuedouble;
    }
    if (should)
        ret->should_be_grouped = text_isame(should, "yes") ? YES : NO;
}

/* A pair of an issue and its scores. */
static int take_similar(struct source_call *call, struct sentry_op *op, const cJSON *json,
                        struct error *err)
{
    struct similar_op *similar = (struct similar_op *)op;
    struct sentry_similar *list = op->result;
    const cJSON *one = json_first(json);
    struct sentry_issue *issue = one ? sentry_parse_issue(one, call->mem, NULL) : NULL;

    (void)err;
    if (!issue)
        return 0;
    struct sentry_similar_item *item = SOURCE_ADD(call->mem, list->items, list->n, similar->cap);
    item->issue = issue;
    read_scores(one->next, item);
    return 0;
}

static bool similar_fallback(struct source_call *call, struct sentry_op *op, int status)
{
    struct similar_op *similar = (struct similar_op *)op;

    if (similar->by_shingles || (status != 404 && status != 403 && status != 410))
        return false;
    similar->by_shingles = true;
    op->path = sentry_path(call->mem, "issues/", similar->issue_id, "/similar/");
    op->params = "?limit=10";
    return true;
}

struct source_call *sentry_similar_issues(struct sentry *s, uint64_t owner, const char *issue_id,
                                          source_done_fn *done, void *user, struct error *err)
{
    if (check_id(issue_id, err) < 0)
        return NULL;
    struct source_call *call = sentry_call_new(s, owner, done, user, sizeof(struct similar_op));
    struct similar_op *similar = call->op;
    similar->issue_id = source_str(call->mem, issue_id);
    similar->op.path = sentry_path(call->mem, "issues/", issue_id, "/similar-issues-embeddings/");
    similar->op.params = "?k=10&threshold=0.01";
    similar->op.what = source_describe(call->mem, "find issues similar to", issue_id);
    similar->op.scope = "event:read";
    similar->op.none_is_empty = true;
    similar->op.list_of = "similar issues";
    similar->op.take = take_similar;
    similar->op.fallback = similar_fallback;
    similar->op.result = source_result_new(call->mem, sizeof(struct sentry_similar));
    return sentry_start(call, err);
}
