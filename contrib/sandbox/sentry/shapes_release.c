#include "sentry/shapes.h"

#include <ctype.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "world/ids.h"

void put_moment(cJSON *obj, const char *key, int64_t ms)
{
    struct buf text = BUF_INIT;

    time_format_iso(ms, &text);
    buf_truncate(&text, strlen("2026-01-02T03:04:05"));
    if (ms % 1000)
        buf_addf(&text, ".%03d000", (int)(ms % 1000));
    buf_addc(&text, 'Z');
    json_put_str(obj, key, buf_str(&text));
    buf_clear(&text);
}

void put_tree(cJSON *obj, const char *key, cJSON *tree)
{
    cJSON_AddItemToObject(obj, key, tree ? tree : cJSON_CreateNull());
}

void put_copy_or_null(cJSON *obj, const char *key, const cJSON *tree)
{
    put_tree(obj, key, tree ? cJSON_Duplicate(tree, true) : NULL);
}

void add_scopes(cJSON *obj, const char *key)
{
    static const char *const scopes[] = { "event:read",   "member:read",      "org:read",
                                          "project:read", "project:releases", "team:read" };
    cJSON *list = json_put_array(obj, key);

    for (size_t i = 0; i < ARRAY_LEN(scopes); i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(scopes[i]));
}

cJSON *shape_person(const struct sentry_model *m, size_t index)
{
    const cJSON *p = list_at(&m->people, index);
    cJSON *out;

    if (!p)
        return NULL;
    out = cJSON_CreateObject();
    json_put_str(out, "id", json_str(p, "id"));
    json_put_str(out, "name", json_str(p, "name"));
    json_put_str(out, "username", json_str(p, "email"));
    json_put_str(out, "email", json_str(p, "email"));
    json_put_bool(out, "isActive", true);
    json_put_bool(out, "isManaged", false);
    json_put_str(out, "dateJoined", "2021-03-02T10:11:12.000000Z");
    json_put_bool(out, "isSuperuser", false);
    (void)json_put_array(out, "emails");
    return out;
}

static cJSON *person_of(const struct sentry_model *m, const cJSON *commit)
{
    int64_t index = -1;

    (void)json_i64(commit, "author", &index);
    cJSON *person = index >= 0 ? shape_person(m, (size_t)index) : NULL;
    return person ? person : cJSON_CreateObject();
}

static const cJSON *find_repo(const struct sentry_model *m, const char *name)
{
    for (size_t i = 0; name && i < m->repos.n; i++)
        if (text_same(json_str(m->repos.item[i], "name"), name))
            return m->repos.item[i];
    return NULL;
}

cJSON *shape_repo(const struct sentry_model *m, const char *name)
{
    const cJSON *repo = find_repo(m, name);
    cJSON *out = cJSON_CreateObject(), *provider;
    char *text;

    if (!repo)
        return out; /* a commit whose repository Sentry does not know shows {} */
    json_put_str(out, "id", json_str(repo, "id"));
    json_put_str(out, "name", name);
    text = xasprintf("https://github.com/%s", name);
    json_put_str(out, "url", text);
    free(text);
    provider = json_put_object(out, "provider");
    json_put_str(provider, "id", "integrations:github");
    json_put_str(provider, "name", "GitHub");
    json_put_str(out, "status", "active");
    json_put_str(out, "dateCreated", "2022-01-18T09:30:11.120391Z");
    json_put_str(out, "integrationId", "41207");
    json_put_str(out, "externalSlug", name);
    text = xasprintf("%lld", (long long)id_number(7, name));
    json_put_str(out, "externalId", text);
    free(text);
    return out;
}

static char *first_line(const char *text)
{
    return xstrndup(text, strcspn(text, "\n"));
}

static cJSON *shape_pull(const struct sentry_model *m, const cJSON *commit)
{
    const char *repo = json_str(commit, "repo");
    int64_t number;
    bool known = true;
    cJSON *out;
    char *text;

    if (!repo || !json_i64(commit, "pr", &number))
        return NULL;
    if (json_bool(commit, "sentryPr", &known) && !known)
        return NULL;
    out = cJSON_CreateObject();
    text = xasprintf("%lld", (long long)number);
    json_put_str(out, "id", text);
    free(text);
    text = first_line(json_str_or(commit, "message", ""));
    json_put_str(out, "title", json_str_or(commit, "prTitle", text));
    free(text);
    json_put_str(out, "message", json_str_or(commit, "prBody", ""));
    json_put_str(out, "dateCreated", json_str(commit, "at"));
    json_put_str(out, "mergedAt", json_str(commit, "at"));
    json_put_str(out, "status", "merged");
    cJSON_AddItemToObject(out, "repository", shape_repo(m, repo));
    cJSON_AddItemToObject(out, "author", person_of(m, commit));
    text = xasprintf("https://github.com/%s/pull/%lld", repo, (long long)number);
    json_put_str(out, "externalUrl", text);
    free(text);
    return out;
}

/* What a human reads of a version: "shop@1.2.3+45" is "1.2.3 (45)", a SHA its first 12 digits. */
struct version {
    char *package, *raw, *description, *build;
    long long major, minor, patch;
    bool is_semantic, is_hash;
};

static bool is_sha(const char *text)
{
    return strlen(text) == 40 && strspn(text, "0123456789abcdef") == 40;
}

/* "1.2.3", "1.2.3-rc1", "1.2.3+45" */
static void read_semantic(struct version *v)
{
    const char *p = v->raw;
    long long *numbers[] = { &v->major, &v->minor, &v->patch };

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        char *end;
        if (!isdigit((unsigned char)*p))
            return;
        *numbers[i] = strtoll(p, &end, 10);
        p = end;
        if (i + 1 < ARRAY_LEN(numbers) && *p++ != '.')
            return;
    }
    if (*p == '+')
        v->build = xstrdup(p + 1);
    else if (*p && *p != '-')
        return;
    v->is_semantic = v->package != NULL;
}

static void read_version(const char *text, struct version *v)
{
    const char *at = strchr(text, '@');

    *v = (struct version){ 0 };
    v->package = at ? xstrndup(text, (size_t)(at - text)) : NULL;
    v->raw = xstrdup(at ? at + 1 : text);
    v->is_hash = is_sha(v->raw);
    read_semantic(v);
    if (v->is_hash)
        v->description = xstrndup(v->raw, 12);
    else if (v->is_semantic && v->build)
        v->description = xasprintf("%lld.%lld.%lld (%s)", v->major, v->minor, v->patch, v->build);
    else
        v->description = xstrdup(v->raw);
}

static cJSON *shape_version(const char *text)
{
    struct version v;
    cJSON *out = cJSON_CreateObject(), *inner;

    read_version(text, &v);
    json_put_str(out, "package", v.package);
    inner = json_put_object(out, "version");
    json_put_str(inner, "raw", v.raw);
    if (v.is_semantic) {
        json_put_i64(inner, "major", v.major);
        json_put_i64(inner, "minor", v.minor);
        json_put_i64(inner, "patch", v.patch);
        json_put_null(inner, "pre");
        json_put_str(inner, "buildCode", v.build);
        json_put_i64(inner, "components", 3);
    }
    json_put_str(out, "description", v.description);
    json_put_str(out, "buildHash", v.is_hash ? v.raw : NULL);
    free(v.package);
    free(v.raw);
    free(v.description);
    free(v.build);
    return out;
}

static void put_short_releases(cJSON *out, const cJSON *release)
{
    cJSON *list = json_put_array(out, "releases"), *one = cJSON_CreateObject();

    json_put_str(one, "version", json_str(release, "version"));
    json_put_str(one, "shortVersion", json_str(release, "version"));
    json_put_str(one, "ref", json_str(release, "ref"));
    json_put_str(one, "url", json_str(release, "url"));
    json_put_str(one, "dateReleased", json_str(release, "released"));
    json_put_str(one, "dateCreated", json_str(release, "created"));
    cJSON_AddItemToArray(list, one);
}

cJSON *shape_commit(const struct sentry_model *m, const cJSON *commit, const cJSON *release)
{
    cJSON *out = cJSON_CreateObject();

    json_put_str(out, "id", json_str(commit, "sha"));
    json_put_str(out, "message", json_str(commit, "message"));
    json_put_str(out, "dateCreated", json_str(commit, "at"));
    put_tree(out, "pullRequest", shape_pull(m, commit));
    json_put_str(out, "suspectCommitType", "");
    cJSON_AddItemToObject(out, "repository", shape_repo(m, json_str(commit, "repo")));
    cJSON_AddItemToObject(out, "author", person_of(m, commit));
    if (release)
        put_short_releases(out, release);
    return out;
}

cJSON *shape_deploy(const cJSON *deploy, const cJSON *projects)
{
    cJSON *out = cJSON_CreateObject();
    char *id = xasprintf("%lld", (long long)id_number(7, json_str_or(deploy, "at", "")));

    json_put_str(out, "id", id);
    json_put_str(out, "environment", json_str(deploy, "env"));
    json_put_str(out, "dateStarted", json_str(deploy, "started"));
    json_put_str(out, "dateFinished", json_str(deploy, "at"));
    json_put_str(out, "name", json_str_or(deploy, "name", ""));
    json_put_str(out, "url", json_str(deploy, "url"));
    if (projects)
        cJSON_AddItemToObject(out, "projects", cJSON_Duplicate(projects, true));
    free(id);
    return out;
}

bool release_hides_commits(const cJSON *release)
{
    bool hidden = false;

    return json_bool(release, "hideCommits", &hidden) && hidden;
}

/* lastCommit null in the file: nobody set it; a SHA: that one; absent: the last of the list. */
const cJSON *release_last_commit(const cJSON *release)
{
    const cJSON *named = cJSON_GetObjectItemCaseSensitive(release, "lastCommit"), *last = NULL;

    if (cJSON_IsNull(named) || release_hides_commits(release))
        return NULL;
    for (const cJSON *c = json_items(release, "commits"); c; c = c->next) {
        last = c;
        if (text_same(json_str(c, "sha"), cJSON_GetStringValue(named)))
            return c;
    }
    return last;
}

static void put_authors(const struct sentry_model *m, cJSON *out, const cJSON *release)
{
    cJSON *authors = json_put_array(out, "authors");

    if (release_hides_commits(release))
        return;
    for (const cJSON *c = json_items(release, "commits"); c; c = c->next) {
        bool seen = false;
        for (const cJSON *before = json_items(release, "commits"); before != c;
             before = before->next)
            seen |= cJSON_Compare(json_get(before, "author"), json_get(c, "author"), true);
        if (!seen)
            cJSON_AddItemToArray(authors, person_of(m, c));
    }
}

static void put_deploys(cJSON *out, const cJSON *release)
{
    const cJSON *newest = NULL;
    int64_t n = 0;

    for (const cJSON *d = json_items(release, "deploys"); d; d = d->next, n++)
        if (!newest || json_time(d, "at") > json_time(newest, "at"))
            newest = d;
    json_put_i64(out, "deployCount", n);
    put_tree(out, "lastDeploy", newest ? shape_deploy(newest, NULL) : NULL);
}

static void put_projects(const struct sentry_model *m, cJSON *out, const cJSON *release,
                         const char *only)
{
    cJSON *list = json_put_array(out, "projects");

    for (const cJSON *slug = json_items(release, "projects"); slug; slug = slug->next) {
        const cJSON *p = model_project(m, cJSON_GetStringValue(slug));
        int64_t id = 0;
        if (!p || (only && !text_same(json_str(p, "slug"), only)))
            continue;
        cJSON *one = cJSON_CreateObject();
        (void)json_i64(p, "id", &id);
        json_put_i64(one, "id", id);
        json_put_str(one, "slug", json_str(p, "slug"));
        json_put_str(one, "name", json_str(p, "name"));
        json_put_i64(one, "newGroups", 0);
        json_put_str(one, "platform", json_str(p, "platform"));
        json_put_bool(one, "hasHealthData", false);
        cJSON_AddItemToArray(list, one);
    }
}

/* The first and last event that carried the release, over all issues. */
static void put_event_times(const struct sentry_model *m, cJSON *out, const char *version)
{
    int64_t first = INT64_MAX, last = 0;

    for (size_t i = 0; i < m->n_events; i++) {
        const struct event *e = m->by_id[i];
        if (!e->release || strcmp(e->release, version) != 0)
            continue;
        first = e->at_ms < first ? e->at_ms : first;
        last = e->at_ms > last ? e->at_ms : last;
    }
    if (last) {
        put_moment(out, "firstEvent", first);
        put_moment(out, "lastEvent", last);
    } else {
        json_put_null(out, "firstEvent");
        json_put_null(out, "lastEvent");
    }
}

static int64_t issues_begun_in(const struct sentry_model *m, const char *version)
{
    int64_t n = 0;

    for (size_t i = 0; i < m->n_issues; i++)
        n += text_same(m->issues[i].first_release, version);
    return n;
}

cJSON *shape_release(const struct sentry_model *m, const cJSON *r, const char *project)
{
    const char *version = json_str_or(r, "version", "");
    const cJSON *last = release_last_commit(r);
    int64_t n = cJSON_GetArraySize(json_get(r, "commits"));
    cJSON *out = cJSON_CreateObject();

    json_put_i64(out, "id", id_number(8, version));
    json_put_str(out, "version", version);
    json_put_str(out, "status", "open");
    json_put_str(out, "shortVersion", version);
    cJSON_AddItemToObject(out, "versionInfo", shape_version(version));
    json_put_str(out, "ref", json_str(r, "ref"));
    json_put_str(out, "url", json_str(r, "url"));
    json_put_str(out, "dateReleased", json_str(r, "released"));
    json_put_str(out, "dateCreated", json_str(r, "created"));
    (void)json_put_object(out, "data");
    json_put_i64(out, "newGroups", issues_begun_in(m, version));
    json_put_null(out, "owner");
    json_put_i64(out, "commitCount", release_hides_commits(r) ? 0 : n);
    put_tree(out, "lastCommit", last ? shape_commit(m, last, NULL) : NULL);
    put_deploys(out, r);
    put_authors(m, out, r);
    put_projects(m, out, r, project);
    put_event_times(m, out, version);
    (void)json_put_object(out, "currentProjectMeta");
    json_put_str(out, "userAgent", "sentry-cli/2.38.1");
    return out;
}

cJSON *shape_release_or_version(const struct sentry_model *m, const char *version,
                                const char *project)
{
    const cJSON *release = model_release(m, version);
    cJSON *out;

    if (!version)
        return NULL;
    if (release)
        return shape_release(m, release, project);
    out = cJSON_CreateObject();
    json_put_str(out, "version", version);
    return out;
}
