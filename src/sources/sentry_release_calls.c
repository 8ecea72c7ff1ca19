/* Releases with their commits, files and deploys; the organization. */
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/net/url.h"
#include "sentry_parse.h"
#include "sentry_private.h"
#include "source_json.h"
#include "source_mem.h"

static const char project_scope[] = "project:read (or project:releases)";
static const char no_release[] =
    "no such release in this organization, or the token may not see its projects";

struct list_op {
    struct sentry_op op;
    size_t cap;
};

/* ---- releases ---- */

static int take_one_release(struct source_call *call, struct sentry_op *op, const cJSON *json,
                            struct error *err)
{
    struct sentry_releases *list = op->result;

    if (!json_str(json, "version"))
        return 0;
    struct sentry_release *release =
        SOURCE_ADD(call->mem, list->items, list->n, ((struct list_op *)op)->cap);
    release->meta.mem = call->mem;
    return sentry_read_release(json, call->mem, release, err);
}

struct source_call *sentry_list_releases(struct sentry *s, uint64_t owner,
                                         const struct sentry_releases_query *query,
                                         source_done_fn *done, void *user, struct error *err)
{
    struct source_call *call = sentry_call_new(s, owner, done, user, sizeof(struct list_op));
    struct sentry_op *op = call->op;
    struct buf params = BUF_INIT;

    if (query->project)
        url_add_query(&params, "project", query->project);
    sentry_add_environments(&params, query->environments);
    if (query->query)
        url_add_query(&params, "query", query->query);
    sentry_add_int(&params, "per_page", query->per_page > 0 ? query->per_page : 20);
    op->params = sentry_params(call->mem, &params);
    op->path = "releases/";
    op->what = "list releases";
    op->scope = project_scope;
    op->list_of = "releases";
    op->wanted = sentry_wanted_releases;
    op->take = take_one_release;
    op->result = source_result_new(call->mem, sizeof(struct sentry_releases));
    op->pages_left = query->max_pages > 0 ? query->max_pages : 1;
    return sentry_start(call, err);
}

static int take_release(struct source_call *call, struct sentry_op *op, const cJSON *json,
                        struct error *err)
{
    op->result = sentry_parse_release(json, call->mem, err);
    return op->result ? 0 : -1;
}

static int take_commit(struct source_call *call, struct sentry_op *op, const cJSON *json,
                       struct error *err)
{
    struct sentry_commits *list = op->result;

    (void)err;
    if (source_json_has_id(json, "id"))
        sentry_read_commit(
            json, call->mem,
            SOURCE_ADD(call->mem, list->items, list->n, ((struct list_op *)op)->cap));
    return 0;
}

static int take_deploy(struct source_call *call, struct sentry_op *op, const cJSON *json,
                       struct error *err)
{
    struct sentry_deploys *list = op->result;

    (void)err;
    if (cJSON_IsObject(json))
        sentry_read_deploy(
            json, call->mem,
            SOURCE_ADD(call->mem, list->items, list->n, ((struct list_op *)op)->cap));
    return 0;
}

static char change_of(const char *type)
{
    return type && (*type == 'A' || *type == 'M' || *type == 'D') ? *type : '\0';
}

static int take_file(struct source_call *call, struct sentry_op *op, const cJSON *json,
                     struct error *err)
{
    struct sentry_commit_files *list = op->result;

    (void)err;
    if (!json_str(json, "filename"))
        return 0;
    struct sentry_commit_file *file =
        SOURCE_ADD(call->mem, list->items, list->n, ((struct list_op *)op)->cap);
    file->filename = source_json_str(call->mem, json, "filename");
    file->repo_name = source_json_intern(call->mem, json, "repoName");
    file->commit_message = source_json_intern(call->mem, json, "commitMessage");
    file->author = source_json_intern(call->mem, json_get(json, "author"), "name");
    file->change = change_of(json_str(json, "type"));
    return 0;
}

/* A list below a release, or with `list_of` NULL the release itself. */
struct release_part {
    const char *below, *list_of;
    const char *const *wanted;
    sentry_take_fn *take;
    size_t result_size;
};

/* releases/VERSION/BELOW; versions hold "@", "+", "/" and spaces. */
static struct source_call *ask_release(struct sentry *s, uint64_t owner, const char *version,
                                       const struct release_part *part, source_done_fn *done,
                                       void *user, struct error *err)
{
    struct source_call *call = sentry_call_new(s, owner, done, user, sizeof(struct list_op));
    struct sentry_op *op = call->op;

    op->path = sentry_path(call->mem, "releases/", version, part->below);
    op->what = source_describe(call->mem, "read release", version);
    op->scope = project_scope;
    op->missing = no_release;
    op->list_of = part->list_of;
    op->wanted = part->wanted;
    op->take = part->take;
    op->pages_left = 3;
    if (part->result_size)
        op->result = source_result_new(call->mem, part->result_size);
    return sentry_start(call, err);
}

struct source_call *sentry_get_release(struct sentry *s, uint64_t owner, const char *version,
                                       source_done_fn *done, void *user, struct error *err)
{
    static const struct release_part part = { "/", NULL, sentry_wanted_release, take_release, 0 };

    return ask_release(s, owner, version, &part, done, user, err);
}

struct source_call *sentry_release_commits(struct sentry *s, uint64_t owner, const char *version,
                                           source_done_fn *done, void *user, struct error *err)
{
    static const struct release_part part = { "/commits/", "commits", sentry_wanted_commits,
                                              take_commit, sizeof(struct sentry_commits) };

    return ask_release(s, owner, version, &part, done, user, err);
}

struct source_call *sentry_release_deploys(struct sentry *s, uint64_t owner, const char *version,
                                           source_done_fn *done, void *user, struct error *err)
{
    static const struct release_part part = { "/deploys/", "deploys", sentry_wanted_deploys,
                                              take_deploy, sizeof(struct sentry_deploys) };

    return ask_release(s, owner, version, &part, done, user, err);
}

struct source_call *sentry_release_files(struct sentry *s, uint64_t owner, const char *version,
                                         source_done_fn *done, void *user, struct error *err)
{
    static const struct release_part part = { "/commitfiles/", "changed files", sentry_wanted_files,
                                              take_file, sizeof(struct sentry_commit_files) };

    return ask_release(s, owner, version, &part, done, user, err);
}

/* ---- the organization ---- */

static int take_organization(struct source_call *call, struct sentry_op *op, const cJSON *json,
                             struct error *err)
{
    struct sentry_organization *org = source_result_new(call->mem, sizeof(*org));
    const struct sentry *s = (const struct sentry *)call->client;
    const cJSON *links = json_get(json, "links");

    op->result = org;
    org->id = source_json_id(call->mem, json, "id");
    org->slug = source_json_str(call->mem, json, "slug");
    org->name = source_json_str(call->mem, json, "name");
    org->web_url = source_json_str(call->mem, links, "organizationUrl");
    if (sentry_may_use_region(s, json_str(links, "regionUrl")))
        org->region_url = source_json_str(call->mem, links, "regionUrl");
    org->scopes = source_json_strings(call->mem, json_get(json, "access"), NULL, &org->n_scopes);
    if (!org->slug && !org->id)
        return error_set(err, ERR_PROTOCOL, "Sentry's answer is no organization");
    return 0;
}

struct source_call *sentry_get_organization(struct sentry *s, uint64_t owner, source_done_fn *done,
                                            void *user, struct error *err)
{
    struct source_call *call = sentry_call_new(s, owner, done, user, sizeof(struct sentry_op));
    struct sentry_op *op = call->op;

    op->path = "";
    op->what = "read the organization";
    op->scope = "org:read";
    op->missing = "no such organization, or the token may not see it; check sentry.organization "
                  "(SENTRY_ORG)";
    op->take = take_organization;
    return sentry_start(call, err);
}
