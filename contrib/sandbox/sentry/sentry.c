#include "sentry/sentry.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "sentry/ask.h"
#include "sentry/shapes.h"
#include "world/ids.h"

struct sentry {
    struct sentry_model model;
    struct service *service;
    char *token;
};

/* ---- routes below an organization ---- */

static void answer_short_id(struct ask *a, const char *id)
{
    const struct issue *g = model_issue(a->m, id);
    struct issue_options options = { .in_list = true };
    cJSON *out;

    if (!g) {
        ask_not_found(a);
        return;
    }
    out = cJSON_CreateObject();
    json_put_str(out, "organizationSlug", a->m->org_slug);
    json_put_str(out, "projectSlug", json_str(g->project, "slug"));
    json_put_str(out, "groupId", g->id);
    cJSON_AddItemToObject(out, "group", shape_issue(a->m, g, &options));
    json_put_str(out, "shortId", g->short_id);
    ask_answer(a, out);
}

static void answer_event_id(struct ask *a, const char *id)
{
    const struct event *e = model_event(a->m, id);
    cJSON *out;

    if (!e) {
        ask_not_found(a);
        return;
    }
    out = cJSON_CreateObject();
    json_put_str(out, "organizationSlug", a->m->org_slug);
    json_put_str(out, "projectSlug", json_str(e->issue->project, "slug"));
    json_put_str(out, "groupId", e->issue->id);
    json_put_str(out, "eventId", e->id);
    cJSON_AddItemToObject(out, "event", shape_event(a->m, e, true));
    ask_answer(a, out);
}

static void answer_projects(struct ask *a)
{
    size_t from, n;
    cJSON *out;

    if (!ask_page(a, a->m->projects.n, &from, &n))
        return;
    out = cJSON_CreateArray();
    for (size_t i = from; i < from + n; i++)
        cJSON_AddItemToArray(out, shape_project(a->m, a->m->projects.item[i]));
    ask_answer(a, out);
}

static bool repo_is_of(const cJSON *repo, const cJSON *project)
{
    const cJSON *slug = json_items(repo, "projects");

    if (!project || !slug)
        return true;
    for (; slug; slug = slug->next)
        if (text_same(cJSON_GetStringValue(slug), json_str(project, "slug")))
            return true;
    return false;
}

static void answer_repos(struct ask *a, const cJSON *project)
{
    struct list found = { 0 };
    size_t from, n;

    for (size_t i = 0; i < a->m->repos.n; i++)
        if (repo_is_of(a->m->repos.item[i], project))
            *VEC_ADD(found.item, found.n, found.cap) = a->m->repos.item[i];
    if (ask_page(a, found.n, &from, &n)) {
        cJSON *out = cJSON_CreateArray();
        for (size_t i = from; i < from + n; i++)
            cJSON_AddItemToArray(out, shape_repo(a->m, json_str(found.item[i], "name")));
        ask_answer(a, out);
    }
    list_clear(&found);
}

static void answer_repo_commits(struct ask *a, const char *id)
{
    const char *name = NULL;
    cJSON *out = cJSON_CreateArray();

    for (size_t i = 0; i < a->m->repos.n; i++)
        if (text_same(json_str(a->m->repos.item[i], "id"), id))
            name = json_str(a->m->repos.item[i], "name");
    for (size_t i = a->m->releases.n; i-- > 0;) {
        const cJSON *r = a->m->releases.item[i];
        for (const cJSON *c = json_items(r, "commits"); c && !release_hides_commits(r); c = c->next)
            if (name && text_same(json_str(c, "repo"), name))
                cJSON_AddItemToArray(out, shape_commit(a->m, c, NULL));
    }
    ask_answer(a, out);
}

static void answer_code_mappings(struct ask *a)
{
    cJSON *out = cJSON_CreateArray();
    int64_t id = 31;

    for (const cJSON *c = json_items(a->m->world->sentry, "codeMappings"); c; c = c->next) {
        cJSON *one = cJSON_CreateObject(), *repo = shape_repo(a->m, json_str(c, "repo"));
        char *text = xasprintf("%lld", (long long)id++);
        json_put_str(one, "id", text);
        json_put_str(one, "projectId",
                     json_str(model_project(a->m, json_str_or(c, "project", "")), "id"));
        json_put_str(one, "projectSlug", json_str(c, "project"));
        json_put_str(one, "repoId", json_str(repo, "id"));
        json_put_str(one, "repoName", json_str(c, "repo"));
        json_put_str(one, "stackRoot", json_str_or(c, "stackRoot", ""));
        json_put_str(one, "sourceRoot", json_str_or(c, "sourceRoot", ""));
        json_put_str(one, "defaultBranch", "main");
        cJSON_AddItemToArray(out, one);
        cJSON_Delete(repo);
        free(text);
    }
    ask_answer(a, out);
}

static void answer_environments(struct ask *a)
{
    static const char *const names[] = { "production", "staging" };
    cJSON *out = cJSON_CreateArray();

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        cJSON *one = cJSON_CreateObject();
        char *id = xasprintf("%zu", i + 1);
        json_put_str(one, "id", id);
        json_put_str(one, "name", names[i]);
        cJSON_AddItemToArray(out, one);
        free(id);
    }
    ask_answer(a, out);
}

/* Every project that the request names must be there. */
static bool names_strange_project(struct ask *a)
{
    for (size_t i = 0; i < a->query->n; i++)
        if (strcmp(a->query->items[i].name, "project") == 0 &&
            strcmp(a->query->items[i].value, "-1") != 0 &&
            !model_project(a->m, a->query->items[i].value))
            return true;
    return false;
}

static void route_org(struct ask *a)
{
    const char *what = path_at(&a->path, 2), *id = path_at(&a->path, 3);

    if (names_strange_project(a))
        ask_refuse(a, 403, "You do not have permission to perform this action.");
    else if (!*what)
        ask_answer(a, shape_org(a->m));
    else if (strcmp(what, "shortids") == 0 && *id)
        answer_short_id(a, id);
    else if ((strcmp(what, "issues") == 0 || strcmp(what, "groups") == 0) && *id)
        route_issue(a, model_issue(a->m, id), 4);
    else if (strcmp(what, "issues") == 0)
        list_issues(a, NULL, 90 * DAY_MS);
    else if (strcmp(what, "eventids") == 0 && *id)
        answer_event_id(a, id);
    else if (strcmp(what, "events-timeseries") == 0)
        answer_timeseries(a);
    else if (strcmp(what, "events-stats") == 0)
        answer_events_stats(a);
    else if (strcmp(what, "events") == 0 && !*id)
        answer_events_table(a);
    else if (strcmp(what, "projects") == 0)
        answer_projects(a);
    else if (strcmp(what, "repos") == 0 && path_is(&a->path, 4, "commits"))
        answer_repo_commits(a, id);
    else if (strcmp(what, "repos") == 0 && !*id)
        answer_repos(a, NULL);
    else if (strcmp(what, "code-mappings") == 0)
        answer_code_mappings(a);
    else if (strcmp(what, "environments") == 0)
        answer_environments(a);
    else if (strcmp(what, "releases") == 0)
        route_releases(a, NULL, 3);
    else
        ask_not_found(a);
}

/* ---- below a project ---- */

static void route_project_event(struct ask *a, const cJSON *project)
{
    const struct event *e = model_event(a->m, path_at(&a->path, 4));

    if (!e || e->issue->project != project)
        ask_refuse(a, 404, "Event not found");
    else if (path_is(&a->path, 5, "committers"))
        answer_committers(a, e);
    else if (a->path.n > 5)
        ask_not_found(a);
    else
        ask_answer(a, shape_event_with_release(a->m, e));
}

static void route_project(struct ask *a)
{
    const cJSON *project = model_project(a->m, path_at(&a->path, 2));
    const char *what = path_at(&a->path, 3), *id = path_at(&a->path, 4);

    if (!project)
        ask_not_found(a);
    else if (!*what)
        ask_answer(a, shape_project(a->m, project));
    else if (strcmp(what, "issues") == 0 && *id)
        route_issue(a, model_issue(a->m, id), 5);
    else if (strcmp(what, "issues") == 0)
        list_issues(a, project, 14 * DAY_MS);
    else if (strcmp(what, "releases") == 0)
        route_releases(a, project, 4);
    else if (strcmp(what, "repos") == 0)
        answer_repos(a, project);
    else if (strcmp(what, "environments") == 0)
        answer_environments(a);
    else if (strcmp(what, "events") == 0 && *id)
        route_project_event(a, project);
    else
        ask_not_found(a);
}

static bool is_our_org(const struct ask *a, const char *name)
{
    return strcmp(name, a->m->org_slug) == 0 || strcmp(name, a->m->org_id) == 0;
}

static void route_legacy_issue(struct ask *a)
{
    route_issue(a, model_issue(a->m, path_at(&a->path, 1)), 2);
    reply_header(a->reply, "x-sentry-deprecation-date", "2026-05-15T00:00:00.000000+00:00");
    reply_header(a->reply, "x-sentry-replacement-endpoint", "/api/0/organizations/%s/issues/",
                 a->m->org_slug);
}

static void route(struct ask *a)
{
    const char *first = path_at(&a->path, 0);

    if (strcmp(first, "organizations") == 0 && a->path.n == 1) {
        cJSON *list = cJSON_CreateArray();
        cJSON_AddItemToArray(list, shape_org(a->m));
        ask_answer(a, list);
    } else if (strcmp(first, "organizations") == 0 && is_our_org(a, path_at(&a->path, 1))) {
        route_org(a);
    } else if (strcmp(first, "projects") == 0 && a->path.n == 1) {
        answer_projects(a);
    } else if (strcmp(first, "projects") == 0 && is_our_org(a, path_at(&a->path, 1))) {
        route_project(a);
    } else if (strcmp(first, "issues") == 0 && a->path.n > 1) {
        route_legacy_issue(a);
    } else {
        ask_not_found(a);
    }
}

/* ---- the door ---- */

static void put_limits(struct reply *reply)
{
    reply_header(reply, "x-sentry-rate-limit-limit", "40");
    reply_header(reply, "x-sentry-rate-limit-remaining", "38");
    reply_header(reply, "x-sentry-rate-limit-reset", "%lld", (long long)clock_wall_ms() / 1000 + 1);
    reply_header(reply, "x-sentry-rate-limit-concurrentlimit", "25");
    reply_header(reply, "x-sentry-rate-limit-concurrentremaining", "24");
    reply_header(reply, "vary", "Accept-Language, Cookie");
    reply_header(reply, "allow", "GET, HEAD, OPTIONS");
}

/* A path without the last slash is sent there; POSTs would lose their body on the way. */
static void redirect(const struct request *req, struct reply *reply)
{
    struct buf to = BUF_INIT;

    buf_addf(&to, "%s/", req->path);
    if (req->query.n > 0) {
        buf_addc(&to, '?');
        params_encode(&req->query, NULL, &to);
    }
    reply_text(reply, 301, "text/html", "");
    reply_header(reply, "location", "%s", buf_str(&to));
    buf_clear(&to);
}

static void handle(void *user, const struct request *req, struct reply *reply)
{
    const struct sentry *sentry = user;
    const char *token = request_credential(req, "Bearer");
    struct ask a = { .m = &sentry->model, .req = req, .query = &req->query, .reply = reply };
    size_t n = strlen(req->path);

    if (!text_starts(req->path, "/api/0/")) {
        reply_text(reply, 404, "text/html", "<!DOCTYPE html><html><title>Sentry</title></html>");
        return;
    }
    if (req->path[n - 1] != '/') {
        redirect(req, reply);
        return;
    }
    put_limits(reply);
    path_split(req->path + strlen("/api/0/"), &a.path);
    if (!req->authorization)
        ask_refuse(&a, 401, "Authentication credentials were not provided.");
    else if (!token || strcmp(token, sentry->token) != 0)
        ask_refuse(&a, 401, "Invalid token");
    else if (strcmp(req->method, "GET") != 0 && strcmp(req->method, "HEAD") != 0)
        ask_refuse(&a, 403, "You do not have permission to perform this action.");
    else
        route(&a);
    path_clear(&a.path);
}

static void refuse(void *user, const struct fault_effect *effect, struct reply *reply)
{
    static const struct {
        int status;
        const char *detail;
    } words[] = {
        { 401, "Invalid token" },
        { 403, "You do not have permission to perform this action." },
        { 404, "The requested resource does not exist" },
        { 429, "You are attempting to use this endpoint too frequently. Limit is 40 requests in 1 "
               "seconds" },
        { 500, "Internal Error" },
    };
    const char *detail = "Error";
    cJSON *body = cJSON_CreateObject();

    (void)user;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (words[i].status == effect->status)
            detail = words[i].detail;
    if (effect->status == 429) { /* JSON that says it is HTML, and no Retry-After */
        put_limits(reply);
        reply_header(reply, "x-sentry-rate-limit-remaining", "0");
        reply_header(reply, "content-type", "text/html");
    }
    json_put_str(body, "detail", detail);
    if (effect->status == 500)
        json_put_null(body, "errorId");
    reply_json(reply, effect->status, body);
}

struct sentry *sentry_new(struct shell *shell, const struct world *world, int port,
                          struct error *err)
{
    static const struct service_ops ops = { .name = "sentry", .handle = handle, .refuse = refuse };
    struct sentry *sentry = xcalloc(1, sizeof(*sentry));
    char *hex = id_random_hex(64);

    sentry_model_init(&sentry->model, world);
    sentry->token = xasprintf("sntryu_%s", hex);
    free(hex);
    sentry->service = shell_listen(shell, &ops, sentry, port, err);
    if (sentry->service)
        return sentry;
    sentry_free(sentry);
    return NULL;
}

void sentry_free(struct sentry *sentry)
{
    if (!sentry)
        return;
    sentry_model_clear(&sentry->model);
    free(sentry->token);
    free(sentry);
}

struct service *sentry_service(const struct sentry *sentry)
{
    return sentry->service;
}

const char *sentry_token(const struct sentry *sentry)
{
    return sentry->token;
}

const char *sentry_org(const struct sentry *sentry)
{
    return sentry->model.org_slug;
}
