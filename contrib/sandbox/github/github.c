#include "github/github.h"

#include <strings.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "github/visit.h"
#include "world/ids.h"

struct github {
    const cJSON *repos;
    struct list people;
    struct service *service;
    char *token;
    int64_t used; /* of the hour's 5000 */
};

/* ---- routes ---- */

static const cJSON *find_repo(const cJSON *repos, const char *owner, const char *name)
{
    char *full = xasprintf("%s/%s", owner, name);
    const cJSON *found = NULL;

    for (const cJSON *r = repos ? repos->child : NULL; r && !found; r = r->next)
        if (strcasecmp(r->string, full) == 0)
            found = r;
    free(full);
    return found;
}

static void route_repo(struct visit *v)
{
    const cJSON *spec = find_repo(v->github->repos, path_at(&v->path, 1), path_at(&v->path, 2));
    const char *what = path_at(&v->path, 3), *id = path_at(&v->path, 4);

    if (!spec) {
        visit_not_found(v);
        return;
    }
    v->repo = (struct repo){ spec->string, spec, &v->github->people };
    if (!*what)
        visit_answer(v, gh_repo(&v->repo));
    else if (strcmp(what, "commits") == 0)
        route_commits(v, id);
    else if (strcmp(what, "pulls") == 0 && *id)
        route_pull(v, id, 5);
    else if (strcmp(what, "pulls") == 0)
        list_pulls(v, NULL);
    else if (strcmp(what, "compare") == 0)
        route_compare(v);
    else if (strcmp(what, "deployments") == 0 && *id)
        route_deployment(v, id);
    else if (strcmp(what, "deployments") == 0)
        list_deployments(v);
    else if (!*id && (strcmp(what, "releases") == 0 || strcmp(what, "tags") == 0 ||
                      strcmp(what, "branches") == 0))
        visit_answer(v, cJSON_CreateArray());
    else
        visit_not_found(v);
}

static void answer_rate_limit(struct visit *v)
{
    cJSON *out = cJSON_CreateObject(), *core;

    core = json_put_object(json_put_object(out, "resources"), "core");
    json_put_i64(core, "limit", 5000);
    json_put_i64(core, "used", v->github->used);
    json_put_i64(core, "remaining", 5000 - v->github->used);
    json_put_i64(core, "reset", clock_wall_ms() / 1000 + 2400);
    cJSON_AddItemToObject(out, "rate", cJSON_Duplicate(core, true));
    visit_answer(v, out);
}

static void route(struct visit *v)
{
    const char *first = path_at(&v->path, 0);

    if (strcmp(first, "rate_limit") == 0)
        answer_rate_limit(v);
    else if (strcmp(first, "user") == 0)
        visit_answer(v, gh_user("dbconn-bot"));
    else if (strcmp(first, "repos") == 0 && v->path.n >= 3)
        route_repo(v);
    else
        visit_not_found(v);
}

/* ---- an App ---- */

/* Signed in as an App: any JWT (three parts) will do, its signature is not looked at. */
static bool is_app(const struct request *req)
{
    const char *bearer = request_credential(req, "Bearer");
    const char *dot = bearer && text_starts(bearer, "eyJ") ? strchr(bearer, '.') : NULL;

    return dot && strchr(dot + 1, '.');
}

static void answer_installation_token(struct visit *v)
{
    struct buf at = BUF_INIT;
    cJSON *out = cJSON_CreateObject();

    time_format_iso(clock_wall_ms() + HOUR_MS, &at);
    json_put_str(out, "token", v->github->token);
    json_put_str(out, "expires_at", buf_str(&at));
    visit_answer(v, out);
    v->reply->status = 201;
    buf_clear(&at);
}

/* GET /app, GET /repos/OWNER/NAME/installation, POST /app/installations/ID/access_tokens */
static void route_app(struct visit *v)
{
    const char *first = path_at(&v->path, 0);
    bool post = strcmp(v->req->method, "POST") == 0;
    cJSON *out = cJSON_CreateObject();

    json_put_i64(out, "id", 4711);
    if (strcmp(first, "app") == 0 && v->path.n == 1 && !post) {
        json_put_str(out, "slug", "dbconn-sandbox");
        visit_answer(v, out);
        return;
    }
    if (strcmp(first, "repos") == 0 && strcmp(path_at(&v->path, 3), "installation") == 0 && !post &&
        find_repo(v->github->repos, path_at(&v->path, 1), path_at(&v->path, 2))) {
        visit_answer(v, out);
        return;
    }
    cJSON_Delete(out);
    if (post && strcmp(path_at(&v->path, 1), "installations") == 0 &&
        strcmp(path_at(&v->path, 2), "4711") == 0 &&
        strcmp(path_at(&v->path, 3), "access_tokens") == 0)
        answer_installation_token(v);
    else
        visit_not_found(v);
}

/* ---- the door ---- */

static void put_headers(struct github *github, struct reply *reply, int64_t limit)
{
    reply_header(reply, "content-type", "application/json; charset=utf-8");
    reply_header(reply, "x-github-api-version-selected", "2022-11-28");
    reply_header(reply, "x-ratelimit-limit", "%lld", (long long)limit);
    reply_header(reply, "x-ratelimit-remaining", "%lld", (long long)(limit - github->used));
    reply_header(reply, "x-ratelimit-used", "%lld", (long long)github->used);
    reply_header(reply, "x-ratelimit-reset", "%lld", (long long)clock_wall_ms() / 1000 + 2400);
    reply_header(reply, "x-ratelimit-resource", "core");
    reply_header(reply, "x-accepted-github-permissions", "contents=read");
}

static void put_etag(struct visit *v)
{
    char *hash, *etag;

    if (v->reply->status != 200)
        return;
    hash = id_hash(40, "%s %s", v->req->accept ? v->req->accept : "", buf_str(&v->reply->body));
    etag = xasprintf("W/\"%s\"", hash);
    reply_header(v->reply, "etag", "%s", etag);
    reply_header(v->reply, "cache-control", "private, max-age=60, s-maxage=60");
    if (text_same(v->req->if_none_match, etag)) {
        v->github->used--; /* a 304 costs nothing */
        v->reply->status = 304;
        buf_reset(&v->reply->body);
    }
    free(etag);
    free(hash);
}

static bool has_token(const struct github *github, const struct request *req)
{
    const char *bearer = request_credential(req, "Bearer");
    const char *token = bearer ? bearer : request_credential(req, "token");

    return token && strcmp(token, github->token) == 0;
}

static void handle(void *user, const struct request *req, struct reply *reply)
{
    struct github *github = user;
    struct visit v = { .github = github, .req = req, .reply = reply };
    const char *path = text_starts(req->path, "/api/v3/") ? req->path + 7 : req->path;

    if (!req->user_agent) {
        reply_text(reply, 403, "text/html",
                   "Request forbidden by administrative rules. Please make sure your request has a "
                   "User-Agent header.");
        return;
    }
    github->used++;
    put_headers(github, reply, req->authorization ? 5000 : 60);
    path_split(path, &v.path);
    if (is_app(req))
        route_app(&v);
    else if (req->authorization && !has_token(github, req))
        visit_fail(&v, 401, "Bad credentials");
    else if (!req->authorization || strcmp(req->method, "GET") != 0)
        visit_not_found(&v); /* a private repository looks absent */
    else
        route(&v);
    put_etag(&v);
    path_clear(&v.path);
}

static void refuse(void *user, const struct fault_effect *effect, struct reply *reply)
{
    static const struct {
        int status;
        const char *message;
    } words[] = {
        { 401, "Bad credentials" },
        { 403, "Resource not accessible by personal access token" },
        { 404, "Not Found" },
        { 500, "Server Error" },
    };
    struct github *github = user;
    struct visit v = { .github = github, .reply = reply };
    const char *message = "Error";

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (words[i].status == effect->status)
            message = words[i].message;
    put_headers(github, reply, 5000);
    if (effect->status == 429 || effect->rate_limited) {
        reply_header(reply, "x-ratelimit-remaining", "0");
        message = "API rate limit exceeded for user ID 1000001.";
    }
    visit_fail(&v, effect->status, "%s", message);
}

struct github *github_new(struct shell *shell, const struct world *world, int port,
                          struct error *err)
{
    static const struct service_ops ops = { .name = "github", .handle = handle, .refuse = refuse };
    struct github *github = xcalloc(1, sizeof(*github));
    char *hex = id_random_hex(36);

    github->repos = json_get(world->github, "repos");
    list_of(json_get(world->sentry, "people"), &github->people);
    github->token = xasprintf("ghp_%s", hex);
    free(hex);
    github->service = shell_listen(shell, &ops, github, port, err);
    if (github->service)
        return github;
    github_free(github);
    return NULL;
}

void github_free(struct github *github)
{
    if (!github)
        return;
    list_clear(&github->people);
    free(github->token);
    free(github);
}

struct service *github_service(const struct github *github)
{
    return github->service;
}

const char *github_token(const struct github *github)
{
    return github->token;
}
