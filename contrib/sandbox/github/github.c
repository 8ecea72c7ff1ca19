#include "github/github.h"

#include <strings.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "github/shapes.h"
#include "world/ids.h"

#define PAGE_DEFAULT 30
#define PAGE_MAX 100
#define COMMIT_FILES_MAX 300
#define DOCS "https://docs.github.com/rest"

struct github {
    const cJSON *repos;
    struct list people;
    struct service *service;
    char *token;
    int64_t used; /* of the hour's 5000 */
};

/* One request on its way. `at` parts of the path are behind it: "repos", owner, name. */
struct visit {
    struct github *github;
    const struct request *req;
    struct reply *reply;
    struct path_parts path;
    struct repo repo;
};

static void fail(struct visit *v, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void fail(struct visit *v, int status, const char *fmt, ...)
{
    struct buf message = BUF_INIT;
    cJSON *body = cJSON_CreateObject();
    char *text = xasprintf("%d", status);
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&message, fmt, ap);
    va_end(ap);
    json_put_str(body, "message", buf_str(&message));
    json_put_str(body, "documentation_url", DOCS);
    json_put_str(body, "status", text);
    reply_json(v->reply, status, body);
    buf_clear(&message);
    free(text);
}

static void not_found(struct visit *v)
{
    fail(v, 404, "Not Found");
}

/* ---- pages ---- */

static void add_link(struct visit *v, struct buf *out, size_t page, const char *rel)
{
    buf_addf(out, "%s<%s%s?", out->len ? ", " : "", v->req->base, v->req->path);
    size_t mark = out->len;
    params_encode(&v->req->query, "page", out);
    buf_addf(out, "%spage=%zu>; rel=\"%s\"", out->len > mark ? "&" : "", page, rel);
}

/* Which of `total` rows this page holds; sets Link when there are others. */
static void page_of(struct visit *v, size_t total, size_t fallback, size_t *ret_from, size_t *ret_n)
{
    int64_t size = params_i64(&v->req->query, "per_page", (int64_t)fallback);
    int64_t number = params_i64(&v->req->query, "page", 1);
    size_t n = size < 1 ? fallback : size > (int64_t)PAGE_MAX ? PAGE_MAX : (size_t)size;
    size_t page = number < 1 ? 1 : (size_t)number;

    if (fallback > PAGE_MAX)
        n = fallback;
    size_t last = total ? (total + n - 1) / n : 1;
    struct buf link = BUF_INIT;
    if (page > 1)
        add_link(v, &link, page - 1, "prev");
    if (page < last) {
        add_link(v, &link, page + 1, "next");
        add_link(v, &link, last, "last");
    }
    if (page > 1)
        add_link(v, &link, 1, "first");
    if (link.len > 0)
        reply_header(v->reply, "link", "%s", buf_str(&link));
    buf_clear(&link);
    *ret_from = (page - 1) * n;
    *ret_n = n;
}

static void answer(struct visit *v, cJSON *tree)
{
    reply_json(v->reply, 200, tree);
}

/* ---- commits ---- */

static const cJSON *commits_of(const struct repo *r)
{
    return json_get(r->spec, "commits");
}

static const cJSON *newest_commit(const struct repo *r)
{
    const cJSON *newest = NULL;

    for (const cJSON *c = commits_of(r) ? commits_of(r)->child : NULL; c; c = c->next)
        if (!newest || strcmp(json_str_or(c, "at", ""), json_str_or(newest, "at", "")) > 0)
            newest = c;
    return newest;
}

static bool is_hex(const char *text)
{
    size_t n = strlen(text);

    return n >= 7 && n <= 40 && strspn(text, "0123456789abcdef") == n;
}

/* A SHA, the beginning of one, a branch, a tag; NULL when there is none. */
static const cJSON *find_commit(const struct repo *r, const char *ref)
{
    const cJSON *exact = json_get(commits_of(r), ref);
    const char *tagged = json_str(json_get(r->spec, "tags"), ref);

    if (exact)
        return exact;
    if (strcmp(ref, "HEAD") == 0 || strcmp(ref, json_str_or(r->spec, "branch", "main")) == 0)
        return newest_commit(r);
    if (tagged)
        return json_get(commits_of(r), tagged);
    if (is_hex(ref))
        for (const cJSON *c = commits_of(r) ? commits_of(r)->child : NULL; c; c = c->next)
            if (text_starts(c->string, ref))
                return c;
    return NULL;
}

/* Those that `take` takes, newest first. */
static void select_commits(const struct visit *v, bool (*take)(const struct visit *, const cJSON *),
                           struct list *ret)
{
    *ret = (struct list){ 0 };
    for (const cJSON *c = commits_of(&v->repo) ? commits_of(&v->repo)->child : NULL; c;
         c = c->next) {
        size_t k = ret->n;
        if (!take(v, c))
            continue;
        (void)VEC_ADD(ret->item, ret->n, ret->cap);
        for (;
             k > 0 && strcmp(json_str_or(ret->item[k - 1], "at", ""), json_str_or(c, "at", "")) < 0;
             k--)
            ret->item[k] = ret->item[k - 1];
        ret->item[k] = c;
    }
}

static bool touches(const cJSON *commit, const char *path)
{
    size_t n = strlen(path);

    for (const cJSON *f = json_items(commit, "files"); f; f = f->next) {
        const char *name = json_str_or(f, "filename", "");
        if (strncmp(name, path, n) == 0 && (name[n] == '\0' || name[n] == '/'))
            return true;
    }
    return false;
}

/* A time of the request against one of ours; both ISO, with or without a fraction. */
static bool is_before(const char *a, const char *b)
{
    int64_t x, y;

    return time_parse_iso(a, &x) && time_parse_iso(b, &y) && x < y;
}

static bool is_listed(const struct visit *v, const cJSON *c)
{
    const struct params *q = &v->req->query;
    const char *at = json_str_or(c, "at", ""), *path = params_get(q, "path");
    const char *since = params_get(q, "since"), *until = params_get(q, "until");
    const cJSON *start = params_has(q, "sha") ? find_commit(&v->repo, params_get(q, "sha")) : NULL;

    return !(since && is_before(at, since)) && !(until && is_before(until, at)) &&
           !(start && is_before(json_str_or(start, "at", ""), at)) && !(path && !touches(c, path));
}

static void list_commits(struct visit *v)
{
    struct list found;
    size_t from, n;
    const char *sha = params_get(&v->req->query, "sha");
    cJSON *out;

    if (sha && !find_commit(&v->repo, sha)) {
        not_found(v);
        return;
    }
    select_commits(v, is_listed, &found);
    page_of(v, found.n, PAGE_DEFAULT, &from, &n);
    out = cJSON_CreateArray();
    for (size_t i = from; i < found.n && i < from + n; i++)
        cJSON_AddItemToArray(out, gh_commit(&v->repo, found.item[i]));
    answer(v, out);
    list_clear(&found);
}

enum media { MEDIA_JSON, MEDIA_DIFF, MEDIA_PATCH, MEDIA_SHA };

static enum media wanted_media(const struct request *req)
{
    const char *accept = req->accept ? req->accept : "";
    const char *at = strstr(accept, "application/vnd.github");

    if (!at)
        return MEDIA_JSON;
    at += strlen("application/vnd.github");
    if (text_starts(at, ".v3"))
        at += strlen(".v3");
    return text_starts(at, ".diff")    ? MEDIA_DIFF
           : text_starts(at, ".patch") ? MEDIA_PATCH
           : text_starts(at, ".sha")   ? MEDIA_SHA
                                       : MEDIA_JSON;
}

static void answer_diff(struct visit *v, const cJSON *commit, const cJSON *files, enum media media)
{
    struct buf text = BUF_INIT;

    if (media == MEDIA_PATCH && commit)
        gh_patch_mail(&v->repo, commit, &text);
    gh_diff(files, &text);
    reply_text(v->reply, 200,
               media == MEDIA_DIFF ? "application/vnd.github.diff; charset=utf-8"
                                   : "application/vnd.github.patch; charset=utf-8",
               buf_str(&text));
    buf_clear(&text);
}

static void answer_commit(struct visit *v, const cJSON *c)
{
    size_t n_files = (size_t)cJSON_GetArraySize(json_get(c, "files")), from = 0;
    size_t n = COMMIT_FILES_MAX;
    enum media media = wanted_media(v->req);

    if (media == MEDIA_SHA) {
        reply_text(v->reply, 200, "application/vnd.github.sha; charset=utf-8",
                   json_str_or(c, "sha", ""));
    } else if (media != MEDIA_JSON) {
        answer_diff(v, c, json_get(c, "files"), media);
    } else {
        if (n_files > COMMIT_FILES_MAX || params_has(&v->req->query, "page"))
            page_of(v, n_files, COMMIT_FILES_MAX, &from, &n);
        answer(v, gh_commit_full(&v->repo, c, from, n));
    }
}

/* ---- pull requests ---- */

static bool brought(const cJSON *pull, const char *sha)
{
    if (text_same(json_str(pull, "merge_sha"), sha))
        return true;
    for (const cJSON *c = json_items(pull, "commits"); c; c = c->next)
        if (text_same(cJSON_GetStringValue(c), sha))
            return true;
    return false;
}

static void list_pulls(struct visit *v, const char *sha)
{
    const char *state = params_get_or(&v->req->query, "state", sha ? "all" : "open");
    const cJSON *pulls = json_get(v->repo.spec, "pulls");
    cJSON *out = cJSON_CreateArray();
    struct list found = { 0 };
    size_t from, n;

    for (const cJSON *p = pulls ? pulls->child : NULL; p; p = p->next)
        if (sha ? brought(p, sha)
                : strcmp(state, "all") == 0 ||
                      strcmp(json_str_or(p, "state", "closed"), state) == 0)
            *VEC_ADD(found.item, found.n, found.cap) = p;
    page_of(v, found.n, PAGE_DEFAULT, &from, &n);
    for (size_t i = from; i < found.n && i < from + n; i++)
        cJSON_AddItemToArray(out, gh_pull(&v->repo, found.item[i], found.item[i]->string, false));
    answer(v, out);
    list_clear(&found);
}

static void list_pull_files(struct visit *v, const cJSON *pull)
{
    const cJSON *files = json_get(pull, "files");
    const char *sha = json_str_or(pull, "head_sha", json_str_or(pull, "merge_sha", ""));
    cJSON *out = cJSON_CreateArray();
    size_t from, n, i = 0;

    page_of(v, (size_t)cJSON_GetArraySize(files), PAGE_DEFAULT, &from, &n);
    for (const cJSON *f = json_first(files); f; f = f->next, i++)
        if (i >= from && i < from + n)
            cJSON_AddItemToArray(out, gh_file(&v->repo, f, sha));
    answer(v, out);
}

static void list_pull_commits(struct visit *v, const cJSON *pull)
{
    cJSON *out = cJSON_CreateArray();
    size_t from, n, i = 0;

    page_of(v, (size_t)cJSON_GetArraySize(json_get(pull, "commits")), PAGE_DEFAULT, &from, &n);
    for (const cJSON *sha = json_items(pull, "commits"); sha; sha = sha->next, i++) {
        const cJSON *c = find_commit(&v->repo, cJSON_GetStringValue(sha));
        if (c && i >= from && i < from + n)
            cJSON_AddItemToArray(out, gh_commit(&v->repo, c));
    }
    answer(v, out);
}

static void refuse_large_diff(struct visit *v)
{
    cJSON *body = cJSON_CreateObject(), *error = cJSON_CreateObject();

    json_put_str(body, "message", "Sorry, the diff exceeded the maximum number of lines (20000)");
    json_put_str(error, "resource", "PullRequest");
    json_put_str(error, "field", "diff");
    json_put_str(error, "code", "too_large");
    cJSON_AddItemToArray(json_put_array(body, "errors"), error);
    json_put_str(body, "documentation_url", DOCS "/pulls/pulls#list-pull-requests-files");
    json_put_str(body, "status", "406");
    reply_json(v->reply, 406, body);
}

static void route_pull(struct visit *v, const char *number, size_t at)
{
    const cJSON *pull = json_get(json_get(v->repo.spec, "pulls"), number);
    const char *what = path_at(&v->path, at);
    enum media media = wanted_media(v->req);

    if (!pull)
        not_found(v);
    else if (strcmp(what, "files") == 0)
        list_pull_files(v, pull);
    else if (strcmp(what, "commits") == 0)
        list_pull_commits(v, pull);
    else if (*what)
        answer(v, cJSON_CreateArray());
    else if (media == MEDIA_JSON)
        answer(v, gh_pull(&v->repo, pull, number, true));
    else if (cJSON_IsTrue(json_get(pull, "diffTooLarge")))
        refuse_large_diff(v);
    else
        answer_diff(v, NULL, json_get(pull, "files"), media);
}

/* ---- compare ---- */

struct range {
    const cJSON *from, *to;
};

static bool is_between(const struct range *range, const cJSON *c)
{
    const char *at = json_str_or(c, "at", "");

    return strcmp(at, json_str_or(range->from, "at", "")) > 0 &&
           strcmp(at, json_str_or(range->to, "at", "")) <= 0 && !cJSON_IsTrue(json_get(c, "inner"));
}

static bool has_file(const cJSON *files, const char *name)
{
    for (const cJSON *f = json_first(files); f; f = f->next)
        if (text_same(json_str(f, "filename"), name))
            return true;
    return false;
}

static bool take_all(const struct visit *v, const cJSON *c)
{
    (void)v;
    (void)c;
    return true;
}

/* The commits between, oldest first, and every file they touch once. */
static void collect_range(const struct visit *v, const struct range *range, cJSON *commits,
                          cJSON *files)
{
    struct list all;

    select_commits(v, take_all, &all);
    for (size_t i = all.n; i-- > 0;) {
        if (!is_between(range, all.item[i]))
            continue;
        cJSON_AddItemToArray(commits, gh_commit(&v->repo, all.item[i]));
        for (const cJSON *f = json_items(all.item[i], "files"); f; f = f->next)
            if (!has_file(files, json_str_or(f, "filename", "")))
                cJSON_AddItemToArray(files, cJSON_Duplicate(f, true));
    }
    list_clear(&all);
}

static void answer_comparison(struct visit *v, const struct range *range, const char *spec)
{
    cJSON *out = cJSON_CreateObject(), *commits = cJSON_CreateArray(), *raw = cJSON_CreateArray();
    bool behind = is_before(json_str_or(range->to, "at", ""), json_str_or(range->from, "at", ""));
    char *url = xasprintf("https://github.com/%s/compare/%s", v->repo.name, spec);
    enum media media = wanted_media(v->req);
    cJSON *files;

    collect_range(v, range, commits, raw);
    int64_t n = cJSON_GetArraySize(commits);
    if (media != MEDIA_JSON) {
        answer_diff(v, NULL, raw, media);
        cJSON_Delete(out);
        cJSON_Delete(commits);
    } else {
        json_put_str(out, "html_url", url);
        cJSON_AddItemToObject(out, "base_commit", gh_commit(&v->repo, range->from));
        cJSON_AddItemToObject(out, "merge_base_commit", gh_commit(&v->repo, range->from));
        json_put_str(out, "status", behind ? "behind" : n ? "ahead" : "identical");
        json_put_i64(out, "ahead_by", n);
        json_put_i64(out, "behind_by", behind ? 1 : 0);
        json_put_i64(out, "total_commits", n);
        cJSON_AddItemToObject(out, "commits", commits);
        files = json_put_array(out, "files");
        for (const cJSON *f = json_first(raw); f; f = f->next)
            cJSON_AddItemToArray(files, gh_file(&v->repo, f, json_str_or(range->to, "sha", "")));
        answer(v, out);
    }
    cJSON_Delete(raw);
    free(url);
}

/* "base...head", where a ref may hold slashes. */
static void route_compare(struct visit *v)
{
    struct buf spec = BUF_INIT;
    struct range range = { NULL, NULL };

    for (size_t i = 4; i < v->path.n; i++)
        buf_addf(&spec, "%s%s", i > 4 ? "/" : "", v->path.part[i]);
    const char *dots = strstr(buf_str(&spec), "...");
    if (dots) {
        char *base = xstrndup(buf_str(&spec), (size_t)(dots - buf_str(&spec)));
        range.from = find_commit(&v->repo, base);
        range.to = find_commit(&v->repo, dots + 3);
        free(base);
    }
    if (range.from && range.to)
        answer_comparison(v, &range, buf_str(&spec));
    else
        not_found(v);
    buf_clear(&spec);
}

/* ---- deployments ---- */

static bool deployment_fits(const struct visit *v, const cJSON *d)
{
    static const struct {
        const char *asked, *member;
    } filters[] = { { "sha", "sha" }, { "environment", "env" }, { "ref", "ref" } };

    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        const char *wanted = params_get(&v->req->query, filters[i].asked);
        if (wanted && !text_same(wanted, json_str(d, filters[i].member)))
            return false;
    }
    return true;
}

static void list_deployments(struct visit *v)
{
    cJSON *out = cJSON_CreateArray();
    struct list found = { 0 };
    size_t from, n;

    for (const cJSON *d = json_items(v->repo.spec, "deployments"); d; d = d->next) {
        size_t k = found.n;
        if (!deployment_fits(v, d))
            continue;
        (void)VEC_ADD(found.item, found.n, found.cap);
        for (; k > 0 &&
               strcmp(json_str_or(found.item[k - 1], "at", ""), json_str_or(d, "at", "")) < 0;
             k--)
            found.item[k] = found.item[k - 1];
        found.item[k] = d;
    }
    page_of(v, found.n, PAGE_DEFAULT, &from, &n);
    for (size_t i = from; i < found.n && i < from + n; i++)
        cJSON_AddItemToArray(out, gh_deployment(&v->repo, found.item[i]));
    answer(v, out);
    list_clear(&found);
}

static void route_deployment(struct visit *v, const char *id)
{
    for (const cJSON *d = json_items(v->repo.spec, "deployments"); d; d = d->next) {
        char *own = json_id(d, "id");
        bool same = text_same(own, id);
        free(own);
        if (!same)
            continue;
        if (path_is(&v->path, 5, "statuses")) {
            cJSON *list = cJSON_CreateArray();
            cJSON_AddItemToArray(list, gh_deployment_status(&v->repo, d));
            answer(v, list);
        } else {
            answer(v, gh_deployment(&v->repo, d));
        }
        return;
    }
    not_found(v);
}

/* ---- routes ---- */

static void route_commits(struct visit *v, const char *ref)
{
    const cJSON *c;

    if (!*ref) {
        list_commits(v);
        return;
    }
    c = find_commit(&v->repo, ref);
    if (!c && is_hex(ref))
        fail(v, 422, "No commit found for SHA: %s", ref);
    else if (!c)
        fail(v, 422, "No commit found for the ref %s", ref);
    else if (path_is(&v->path, 5, "pulls"))
        list_pulls(v, json_str_or(c, "sha", ""));
    else if (v->path.n > 5)
        answer(v, cJSON_CreateArray());
    else
        answer_commit(v, c);
}

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
        not_found(v);
        return;
    }
    v->repo = (struct repo){ spec->string, spec, &v->github->people };
    if (!*what)
        answer(v, gh_repo(&v->repo));
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
        answer(v, cJSON_CreateArray());
    else
        not_found(v);
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
    answer(v, out);
}

static void route(struct visit *v)
{
    const char *first = path_at(&v->path, 0);

    if (strcmp(first, "rate_limit") == 0)
        answer_rate_limit(v);
    else if (strcmp(first, "user") == 0)
        answer(v, gh_user("dbconn-bot"));
    else if (strcmp(first, "repos") == 0 && v->path.n >= 3)
        route_repo(v);
    else
        not_found(v);
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
    if (req->authorization && !has_token(github, req))
        fail(&v, 401, "Bad credentials");
    else if (!req->authorization || strcmp(req->method, "GET") != 0)
        not_found(&v); /* a private repository looks absent */
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
    fail(&v, effect->status, "%s", message);
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
