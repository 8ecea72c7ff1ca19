/* releases - releases, their commits, files and deploys; suspect commits. */
#include "dbconn/base/text.h"
#include "sentry/ask.h"
#include "sentry/shapes.h"
#include "world/ids.h"

static const char *moment_of(const cJSON *release)
{
    const char *released = json_str(release, "released");

    return released ? released : json_str_or(release, "created", "");
}

/* The search term without "release:" and stars, as a part of the version. */
static bool version_fits(const cJSON *release, const char *query)
{
    struct buf part = BUF_INIT;
    bool fits;

    if (text_starts(query, "release:"))
        query += strlen("release:");
    for (; *query; query++)
        if (*query != '*')
            buf_addc(&part, *query);
    fits = text_icontains(json_str_or(release, "version", ""), buf_str(&part));
    buf_clear(&part);
    return fits;
}

static bool deployed_to_asked(struct ask *a, const cJSON *release)
{
    if (!params_has(a->query, "environment"))
        return true;
    for (const cJSON *d = json_items(release, "deploys"); d; d = d->next)
        if (params_includes(a->query, "environment", json_str(d, "env")))
            return true;
    return false;
}

static bool in_asked_project(struct ask *a, const cJSON *release, const cJSON *project)
{
    if (project)
        return release_is_in(release, json_str(project, "slug"));
    if (!params_has(a->query, "project"))
        return true;
    for (const cJSON *slug = json_items(release, "projects"); slug; slug = slug->next)
        if (ask_project(a, model_project(a->m, cJSON_GetStringValue(slug))))
            return true;
    return false;
}

static void list_releases(struct ask *a, const cJSON *project)
{
    const cJSON **found = NULL;
    size_t n_found = 0, cap = 0, from, n;

    for (size_t i = 0; i < a->m->releases.n; i++) {
        const cJSON *r = a->m->releases.item[i];
        size_t k = n_found;
        if (!in_asked_project(a, r, project) || !deployed_to_asked(a, r) ||
            !version_fits(r, params_get_or(a->query, "query", "")))
            continue;
        (void)VEC_ADD(found, n_found, cap);
        for (; k > 0 && strcmp(moment_of(found[k - 1]), moment_of(r)) < 0; k--)
            found[k] = found[k - 1];
        found[k] = r; /* newest first */
    }
    if (ask_page(a, n_found, &from, &n)) {
        cJSON *out = cJSON_CreateArray();
        for (size_t i = from; i < from + n; i++)
            cJSON_AddItemToArray(out, shape_release(a->m, found[i], json_str(project, "slug")));
        ask_answer(a, out);
    }
    free(found);
}

/* The commits as Sentry lists them: newest first, none when it knows none. */
static void commits_of(const cJSON *release, struct list *ret)
{
    list_of(release_hides_commits(release) ? NULL : json_get(release, "commits"), ret);
    for (size_t i = 0; i < ret->n / 2; i++) {
        const cJSON *other = ret->item[i];
        ret->item[i] = ret->item[ret->n - 1 - i];
        ret->item[ret->n - 1 - i] = other;
    }
}

static void answer_commits(struct ask *a, const cJSON *release)
{
    struct list commits;
    size_t from, n;

    commits_of(release, &commits);
    if (ask_page(a, commits.n, &from, &n)) {
        cJSON *out = cJSON_CreateArray();
        for (size_t i = from; i < from + n; i++)
            cJSON_AddItemToArray(out, shape_commit(a->m, commits.item[i], release));
        ask_answer(a, out);
    }
    list_clear(&commits);
}

static cJSON *shape_file(struct ask *a, const cJSON *commit, const cJSON *file)
{
    const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(file, 0));
    const char *type = cJSON_GetStringValue(cJSON_GetArrayItem(file, 1));
    cJSON *out = cJSON_CreateObject();
    int64_t author = 0;
    char *seed = xasprintf("%s%s", json_str_or(commit, "sha", ""), name ? name : "");
    char *id = xasprintf("%lld", (long long)id_number(7, seed));

    (void)json_i64(commit, "author", &author);
    json_put_str(out, "id", id);
    json_put_i64(out, "orgId", strtoll(a->m->org_id, NULL, 10));
    put_tree(out, "author", shape_person(a->m, (size_t)author));
    json_put_str(out, "commitMessage", json_str(commit, "message"));
    json_put_str(out, "filename", name);
    json_put_str(out, "type", type ? type : "M");
    json_put_str(out, "repoName", json_str(commit, "repo"));
    free(seed);
    free(id);
    return out;
}

static void answer_commit_files(struct ask *a, const cJSON *release)
{
    cJSON *all = cJSON_CreateArray(), *out;
    struct list commits;
    size_t from, n, i = 0;

    commits_of(release, &commits);
    for (size_t k = 0; k < commits.n; k++)
        for (const cJSON *f = json_items(commits.item[k], "files"); f; f = f->next)
            cJSON_AddItemToArray(all, shape_file(a, commits.item[k], f));
    list_clear(&commits);
    if (ask_page(a, (size_t)cJSON_GetArraySize(all), &from, &n)) {
        out = cJSON_CreateArray();
        for (const cJSON *f = json_first(all); f; f = f->next, i++)
            if (i >= from && i < from + n)
                cJSON_AddItemToArray(out, cJSON_Duplicate(f, true));
        ask_answer(a, out);
    }
    cJSON_Delete(all);
}

static void answer_deploys(struct ask *a, const cJSON *release)
{
    struct list deploys;
    size_t from, n;

    list_of(json_get(release, "deploys"), &deploys);
    for (size_t i = 1; i < deploys.n; i++) /* newest first */
        for (size_t k = i;
             k > 0 && json_time(deploys.item[k - 1], "at") < json_time(deploys.item[k], "at");
             k--) {
            const cJSON *other = deploys.item[k];
            deploys.item[k] = deploys.item[k - 1];
            deploys.item[k - 1] = other;
        }
    if (ask_page(a, deploys.n, &from, &n)) {
        cJSON *out = cJSON_CreateArray();
        for (size_t i = from; i < from + n; i++)
            cJSON_AddItemToArray(out, shape_deploy(deploys.item[i], json_get(release, "projects")));
        ask_answer(a, out);
    }
    list_clear(&deploys);
}

static void answer_meta(struct ask *a, const cJSON *release)
{
    cJSON *full = shape_release(a->m, release, NULL), *out = cJSON_CreateObject();

    json_put_str(out, "version", json_str(release, "version"));
    cJSON_AddItemToObject(out, "projects", cJSON_DetachItemFromObject(full, "projects"));
    cJSON_AddItemToObject(out, "versionInfo", cJSON_DetachItemFromObject(full, "versionInfo"));
    cJSON_AddItemToObject(out, "commitCount", cJSON_DetachItemFromObject(full, "commitCount"));
    cJSON_AddItemToObject(out, "deployCount", cJSON_DetachItemFromObject(full, "deployCount"));
    json_put_str(out, "released", moment_of(release));
    cJSON_Delete(full);
    ask_answer(a, out);
}

static void answer_previous(struct ask *a, const cJSON *release)
{
    const char *created = json_str_or(release, "created", "");
    const cJSON *best = NULL;

    for (size_t i = 0; i < a->m->releases.n; i++) {
        const cJSON *r = a->m->releases.item[i];
        const char *at = json_str_or(r, "created", "");
        if (strcmp(at, created) < 0 && json_items(r, "commits") && !release_hides_commits(r) &&
            (!best || strcmp(at, json_str_or(best, "created", "")) > 0))
            best = r;
    }
    ask_answer(a, best ? shape_release(a->m, best, NULL) : cJSON_CreateObject());
}

void route_releases(struct ask *a, const cJSON *project, size_t at)
{
    const char *version = path_at(&a->path, at), *what = path_at(&a->path, at + 1);
    const cJSON *release = model_release(a->m, version);

    if (!*version)
        list_releases(a, project);
    else if (!release || (project && !release_is_in(release, json_str(project, "slug"))))
        ask_not_found(a);
    else if (!*what)
        ask_answer(a, shape_release(a->m, release, json_str(project, "slug")));
    else if (strcmp(what, "commits") == 0)
        answer_commits(a, release);
    else if (strcmp(what, "commitfiles") == 0)
        answer_commit_files(a, release);
    else if (strcmp(what, "deploys") == 0)
        answer_deploys(a, release);
    else if (strcmp(what, "meta") == 0)
        answer_meta(a, release);
    else if (strcmp(what, "previous-with-commits") == 0)
        answer_previous(a, release);
    else if (strcmp(what, "resolved") == 0)
        ask_answer(a, cJSON_CreateArray());
    else
        ask_not_found(a);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), k = strlen(end);

    return k > 0 && n >= k && strcmp(text + n - k, end) == 0;
}

/* Does a commit touch a file of the trace's in-app frames? */
static bool touches_trace(const cJSON *commit, const cJSON *trace)
{
    for (const cJSON *file = json_items(commit, "files"); file; file = file->next) {
        const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(file, 0));
        for (const cJSON *x = json_items(trace, "exceptions"); name && x; x = x->next)
            for (const cJSON *f = json_items(x, "frames"); f; f = f->next) {
                const char *frame = cJSON_GetStringValue(cJSON_GetArrayItem(f, 0));
                if (frame && cJSON_IsTrue(cJSON_GetArrayItem(f, 3)) &&
                    (ends_with(name, frame) || ends_with(frame, name)))
                    return true;
            }
    }
    return false;
}

void answer_committers(struct ask *a, const struct event *e)
{
    const cJSON *release = model_release(a->m, e->issue->first_release);
    cJSON *out, *list;

    if (!release || release_hides_commits(release) || !json_items(release, "commits")) {
        ask_refuse(a, 404, "No Commits found for Release");
        return;
    }
    out = cJSON_CreateObject();
    list = json_put_array(out, "committers");
    for (const cJSON *c = json_items(release, "commits"); c; c = c->next) {
        cJSON *one, *commit;
        int64_t author = 0;
        if (!touches_trace(c, event_trace(a->m, e)))
            continue;
        (void)json_i64(c, "author", &author);
        one = cJSON_CreateObject();
        put_tree(one, "author", shape_person(a->m, (size_t)author));
        commit = shape_commit(a->m, c, NULL);
        cJSON_ReplaceItemInObjectCaseSensitive(commit, "suspectCommitType",
                                               cJSON_CreateString("via commit in release"));
        cJSON_AddItemToArray(json_put_array(one, "commits"), commit);
        json_put_i64(one, "group_owner_id", 1);
        cJSON_AddItemToArray(list, one);
    }
    ask_answer(a, out);
}
