#include "dbconn/base/text.h"
#include "github/visit.h"

static bool brought(const cJSON *pull, const char *sha)
{
    if (text_same(json_str(pull, "merge_sha"), sha))
        return true;
    for (const cJSON *c = json_items(pull, "commits"); c; c = c->next)
        if (text_same(cJSON_GetStringValue(c), sha))
            return true;
    return false;
}

void list_pulls(struct visit *v, const char *sha)
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
    visit_page(v, found.n, PAGE_DEFAULT, &from, &n);
    for (size_t i = from; i < found.n && i < from + n; i++)
        cJSON_AddItemToArray(out, gh_pull(&v->repo, found.item[i], found.item[i]->string, false));
    visit_answer(v, out);
    list_clear(&found);
}

static void list_pull_files(struct visit *v, const cJSON *pull)
{
    const cJSON *files = json_get(pull, "files");
    const char *sha = json_str_or(pull, "head_sha", json_str_or(pull, "merge_sha", ""));
    cJSON *out = cJSON_CreateArray();
    size_t from, n, i = 0;

    visit_page(v, (size_t)cJSON_GetArraySize(files), PAGE_DEFAULT, &from, &n);
    for (const cJSON *f = json_first(files); f; f = f->next, i++)
        if (i >= from && i < from + n)
            cJSON_AddItemToArray(out, gh_file(&v->repo, f, sha));
    visit_answer(v, out);
}

static void list_pull_commits(struct visit *v, const cJSON *pull)
{
    cJSON *out = cJSON_CreateArray();
    size_t from, n, i = 0;

    visit_page(v, (size_t)cJSON_GetArraySize(json_get(pull, "commits")), PAGE_DEFAULT, &from, &n);
    for (const cJSON *sha = json_items(pull, "commits"); sha; sha = sha->next, i++) {
        const cJSON *c = find_commit(&v->repo, cJSON_GetStringValue(sha));
        if (c && i >= from && i < from + n)
            cJSON_AddItemToArray(out, gh_commit(&v->repo, c));
    }
    visit_answer(v, out);
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

void route_pull(struct visit *v, const char *number, size_t at)
{
    const cJSON *pull = json_get(json_get(v->repo.spec, "pulls"), number);
    const char *what = path_at(&v->path, at);
    enum media media = visit_media(v->req);

    if (!pull)
        visit_not_found(v);
    else if (strcmp(what, "files") == 0)
        list_pull_files(v, pull);
    else if (strcmp(what, "commits") == 0)
        list_pull_commits(v, pull);
    else if (*what)
        visit_answer(v, cJSON_CreateArray());
    else if (media == MEDIA_JSON)
        visit_answer(v, gh_pull(&v->repo, pull, number, true));
    else if (cJSON_IsTrue(json_get(pull, "diffTooLarge")))
        refuse_large_diff(v);
    else
        visit_diff(v, NULL, json_get(pull, "files"), media);
}
