#include "github/shapes.h"

#include "dbconn/base/text.h"
#include "world/ids.h"

void gh_put_time(cJSON *obj, const char *key, const char *iso)
{
    const char *dot = iso ? strchr(iso, '.') : NULL;
    char *text = dot ? xasprintf("%.*sZ", (int)(dot - iso), iso) : xstrdup(iso);

    json_put_str(obj, key, text);
    free(text);
}

static void put_format(cJSON *obj, const char *key, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void put_format(cJSON *obj, const char *key, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    json_put_str(obj, key, buf_str(&text));
    buf_clear(&text);
}

static void put_tree(cJSON *obj, const char *key, cJSON *tree)
{
    cJSON_AddItemToObject(obj, key, tree ? tree : cJSON_CreateNull());
}

cJSON *gh_user(const char *login)
{
    cJSON *out;
    bool is_bot;

    if (!login)
        return NULL;
    out = cJSON_CreateObject();
    is_bot = strstr(login, "[bot]") != NULL;
    json_put_str(out, "login", login);
    json_put_i64(out, "id", id_number(6, login));
    put_format(out, "url", "https://api.github.com/users/%s", login);
    put_format(out, "html_url", "https://github.com/%s", login);
    json_put_str(out, "type", is_bot ? "Bot" : "User");
    json_put_bool(out, "site_admin", false);
    return out;
}

cJSON *gh_repo(const struct repo *r)
{
    const char *slash = strchr(r->name, '/');
    char *owner = xstrndup(r->name, (size_t)(slash - r->name));
    cJSON *out = cJSON_CreateObject(), *who;

    json_put_i64(out, "id", id_number(7, r->name));
    json_put_str(out, "name", slash + 1);
    json_put_str(out, "full_name", r->name);
    json_put_bool(out, "private", true);
    who = json_put_object(out, "owner");
    json_put_str(who, "login", owner);
    json_put_str(who, "type", "Organization");
    put_format(out, "html_url", "https://github.com/%s", r->name);
    json_put_null(out, "description");
    json_put_bool(out, "fork", false);
    put_format(out, "url", "https://api.github.com/repos/%s", r->name);
    json_put_str(out, "default_branch", json_str_or(r->spec, "branch", "main"));
    json_put_bool(out, "archived", false);
    json_put_str(out, "visibility", "private");
    free(owner);
    return out;
}

static int64_t number(const cJSON *obj, const char *key)
{
    int64_t value = 0;

    (void)json_i64(obj, key, &value);
    return value;
}

static bool is_set(const cJSON *obj, const char *key)
{
    bool value = false;

    return json_bool(obj, key, &value) && value;
}

cJSON *gh_file(const struct repo *r, const cJSON *f, const char *sha)
{
    const char *name = json_str_or(f, "filename", ""), *patch = json_str(f, "patch");
    int64_t plus = number(f, "additions"), minus = number(f, "deletions");
    char *blob = id_hash(40, "%s%s", name, patch ? patch : "");
    cJSON *out = cJSON_CreateObject();

    json_put_str(out, "sha", blob);
    json_put_str(out, "filename", name);
    json_put_str(out, "status", json_str_or(f, "status", "modified"));
    json_put_i64(out, "additions", plus);
    json_put_i64(out, "deletions", minus);
    json_put_i64(out, "changes", plus + minus);
    put_format(out, "blob_url", "https://github.com/%s/blob/%s/%s", r->name, sha, name);
    put_format(out, "raw_url", "https://github.com/%s/raw/%s/%s", r->name, sha, name);
    put_format(out, "contents_url", "https://api.github.com/repos/%s/contents/%s?ref=%s", r->name,
               name, sha);
    if (json_str(f, "previous_filename"))
        json_put_str(out, "previous_filename", json_str(f, "previous_filename"));
    if (patch && !is_set(f, "tooLarge"))
        json_put_str(out, "patch", patch);
    free(blob);
    return out;
}

static const cJSON *person_of(const struct repo *r, const cJSON *thing)
{
    int64_t index = -1;

    (void)json_i64(thing, "author", &index);
    return index >= 0 ? list_at(r->people, (size_t)index) : NULL;
}

static cJSON *signature(const char *name, const char *email, const char *at)
{
    cJSON *out = cJSON_CreateObject();

    json_put_str(out, "name", name);
    json_put_str(out, "email", email);
    gh_put_time(out, "date", at);
    return out;
}

static cJSON *inner_commit(const struct repo *r, const cJSON *c)
{
    const cJSON *p = person_of(r, c);
    const char *name = json_str_or(p, "name", "Unknown"), *at = json_str(c, "at");
    const char *email = json_str_or(p, "email", "unknown@example.com");
    cJSON *out = cJSON_CreateObject(), *tree, *verification;
    char *sha = id_hash(40, "%s tree", json_str_or(c, "sha", ""));

    cJSON_AddItemToObject(out, "author", signature(name, email, at));
    cJSON_AddItemToObject(out, "committer",
                          is_set(c, "web") ? signature("GitHub", "noreply@github.com", at)
                                           : signature(name, email, at));
    json_put_str(out, "message", json_str(c, "message"));
    tree = json_put_object(out, "tree");
    json_put_str(tree, "sha", sha);
    json_put_i64(out, "comment_count", 0);
    verification = json_put_object(out, "verification");
    json_put_bool(verification, "verified", is_set(c, "web"));
    json_put_str(verification, "reason", is_set(c, "web") ? "valid" : "unsigned");
    free(sha);
    return out;
}

cJSON *gh_commit(const struct repo *r, const cJSON *c)
{
    const char *sha = json_str_or(c, "sha", ""), *login = json_str(person_of(r, c), "login");
    cJSON *out = cJSON_CreateObject(), *parents;

    json_put_str(out, "sha", sha);
    cJSON_AddItemToObject(out, "commit", inner_commit(r, c));
    put_format(out, "url", "https://api.github.com/repos/%s/commits/%s", r->name, sha);
    put_format(out, "html_url", "https://github.com/%s/commit/%s", r->name, sha);
    put_tree(out, "author", gh_user(login));
    put_tree(out, "committer", gh_user(is_set(c, "web") ? "web-flow" : login));
    parents = json_put_array(out, "parents");
    for (const cJSON *p = json_items(c, "parents"); p; p = p->next) {
        cJSON *one = cJSON_CreateObject();
        const char *parent = cJSON_GetStringValue(p);
        json_put_str(one, "sha", parent);
        put_format(one, "url", "https://api.github.com/repos/%s/commits/%s", r->name, parent);
        put_format(one, "html_url", "https://github.com/%s/commit/%s", r->name, parent);
        cJSON_AddItemToArray(parents, one);
    }
    return out;
}

static void put_sums(cJSON *out, const cJSON *files)
{
    int64_t plus = 0, minus = 0;

    for (const cJSON *f = json_first(files); f; f = f->next) {
        plus += number(f, "additions");
        minus += number(f, "deletions");
    }
    json_put_i64(out, "additions", plus);
    json_put_i64(out, "deletions", minus);
}

cJSON *gh_commit_full(const struct repo *r, const cJSON *c, size_t from, size_t n)
{
    const cJSON *files = json_get(c, "files");
    cJSON *out = gh_commit(r, c), *stats = json_put_object(out, "stats"), *list;
    size_t i = 0;

    put_sums(stats, files);
    json_put_i64(stats, "total", number(stats, "additions") + number(stats, "deletions"));
    list = json_put_array(out, "files");
    for (const cJSON *f = json_first(files); f; f = f->next, i++)
        if (i >= from && i < from + n)
            cJSON_AddItemToArray(list, gh_file(r, f, json_str_or(c, "sha", "")));
    return out;
}

static void put_ref(cJSON *out, const char *key, const struct repo *r, const char *branch,
                    const char *sha)
{
    cJSON *ref = json_put_object(out, key);
    const char *slash = strchr(r->name, '/');

    put_format(ref, "label", "%.*s:%s", (int)(slash - r->name), r->name, branch);
    json_put_str(ref, "ref", branch);
    json_put_str(ref, "sha", sha);
    cJSON_AddItemToObject(ref, "repo", gh_repo(r));
}

static void put_full(cJSON *out, const struct repo *r, const cJSON *p)
{
    const cJSON *files = json_get(p, "files");
    int64_t commits = cJSON_GetArraySize(json_get(p, "commits"));

    json_put_bool(out, "merged", json_str(p, "merged") != NULL);
    json_put_null(out, "mergeable");
    json_put_str(out, "mergeable_state", "unknown");
    put_tree(out, "merged_by", gh_user(json_str(person_of(r, p), "login")));
    json_put_i64(out, "comments", 1);
    json_put_i64(out, "review_comments", 2);
    json_put_i64(out, "commits", commits ? commits : 1);
    put_sums(out, files);
    json_put_i64(out, "changed_files", cJSON_GetArraySize(files));
}

cJSON *gh_pull(const struct repo *r, const cJSON *p, const char *number_text, bool full)
{
    char *other = id_hash(40, "%s%s", r->name, number_text);
    cJSON *out = cJSON_CreateObject();

    put_format(out, "url", "https://api.github.com/repos/%s/pulls/%s", r->name, number_text);
    json_put_i64(out, "id", 900000000 + strtoll(number_text, NULL, 10));
    put_format(out, "html_url", "https://github.com/%s/pull/%s", r->name, number_text);
    put_format(out, "diff_url", "https://github.com/%s/pull/%s.diff", r->name, number_text);
    json_put_i64(out, "number", strtoll(number_text, NULL, 10));
    json_put_str(out, "state", json_str_or(p, "state", "closed"));
    json_put_bool(out, "locked", false);
    json_put_str(out, "title", json_str(p, "title"));
    put_tree(out, "user", gh_user(json_str(person_of(r, p), "login")));
    json_put_str(out, "body", json_str(p, "body"));
    gh_put_time(out, "created_at", json_str(p, "created"));
    gh_put_time(out, "updated_at", json_str_or(p, "merged", json_str(p, "created")));
    gh_put_time(out, "closed_at", json_str(p, "merged"));
    gh_put_time(out, "merged_at", json_str(p, "merged"));
    json_put_str(out, "merge_commit_sha", json_str(p, "merge_sha"));
    (void)json_put_array(out, "labels");
    json_put_bool(out, "draft", false);
    put_ref(out, "head", r, json_str_or(p, "head", "feature"), json_str_or(p, "head_sha", other));
    put_ref(out, "base", r, json_str_or(r->spec, "branch", "main"),
            json_str_or(p, "base_sha", other));
    json_put_str(out, "author_association", "MEMBER");
    json_put_null(out, "auto_merge");
    if (full)
        put_full(out, r, p);
    free(other);
    return out;
}

static char *deployment_id(const cJSON *d)
{
    char *id = json_id(d, "id");

    return id ? id : xasprintf("%lld", (long long)id_number(8, json_str_or(d, "sha", "")));
}

cJSON *gh_deployment(const struct repo *r, const cJSON *d)
{
    char *id = deployment_id(d);
    cJSON *out = cJSON_CreateObject();

    put_format(out, "url", "https://api.github.com/repos/%s/deployments/%s", r->name, id);
    json_put_i64(out, "id", strtoll(id, NULL, 10));
    json_put_str(out, "sha", json_str(d, "sha"));
    json_put_str(out, "ref", json_str_or(d, "ref", "main"));
    json_put_str(out, "task", "deploy");
    json_put_str(out, "original_environment", json_str(d, "env"));
    json_put_str(out, "environment", json_str(d, "env"));
    json_put_str(out, "description", json_str(d, "description"));
    gh_put_time(out, "created_at", json_str(d, "at"));
    gh_put_time(out, "updated_at", json_str(d, "at"));
    put_tree(out, "creator", gh_user("github-actions[bot]"));
    (void)json_put_object(out, "payload");
    json_put_bool(out, "production_environment", text_same(json_str(d, "env"), "production"));
    free(id);
    return out;
}

cJSON *gh_deployment_status(const struct repo *r, const cJSON *d)
{
    char *id = deployment_id(d);
    cJSON *out = cJSON_CreateObject();

    json_put_i64(out, "id", strtoll(id, NULL, 10) * 10);
    json_put_str(out, "state", json_str_or(d, "state", "success"));
    put_tree(out, "creator", gh_user("github-actions[bot]"));
    json_put_str(out, "description", "");
    json_put_str(out, "environment", json_str(d, "env"));
    gh_put_time(out, "created_at", json_str(d, "at"));
    gh_put_time(out, "updated_at", json_str(d, "at"));
    put_format(out, "deployment_url", "https://api.github.com/repos/%s/deployments/%s", r->name,
               id);
    json_put_str(out, "log_url", "");
    free(id);
    return out;
}

/* One file of a diff as git prints it. */
static void add_diff(const cJSON *f, struct buf *out)
{
    const char *name = json_str_or(f, "filename", ""), *patch = json_str(f, "patch");
    const char *old = json_str_or(f, "previous_filename", name);
    const char *status = json_str_or(f, "status", "modified");
    bool added = strcmp(status, "added") == 0, removed = strcmp(status, "removed") == 0;
    char *before = id_hash(7, "%s", name), *after = id_hash(7, "%s%s", name, patch ? patch : "");

    buf_addf(out, "diff --git a/%s b/%s\n", old, name);
    if (added)
        buf_adds(out, "new file mode 100644\n");
    if (removed)
        buf_adds(out, "deleted file mode 100644\n");
    if (strcmp(status, "renamed") == 0)
        buf_addf(out, "similarity index %d%%\nrename from %s\nrename to %s\n", patch ? 94 : 100,
                 old, name);
    if (patch || strcmp(status, "renamed") != 0)
        buf_addf(out, "index %s..%s%s\n", added ? "0000000" : before, removed ? "0000000" : after,
                 added || removed ? "" : " 100644");
    if (!patch && strcmp(status, "renamed") != 0)
        buf_addf(out, "Binary files a/%s and b/%s differ\n", old, name);
    if (patch) {
        buf_addf(out, "--- %s%s\n", added ? "" : "a/", added ? "/dev/null" : old);
        buf_addf(out, "+++ %s%s\n", removed ? "" : "b/", removed ? "/dev/null" : name);
        buf_addf(out, "%s\n", patch);
    }
    free(before);
    free(after);
}

void gh_diff(const cJSON *files, struct buf *out)
{
    for (const cJSON *f = json_first(files); f; f = f->next)
        add_diff(f, out);
}

void gh_patch_mail(const struct repo *r, const cJSON *c, struct buf *out)
{
    const cJSON *p = person_of(r, c);
    const char *message = json_str_or(c, "message", "");

    buf_addf(out, "From %s Mon Sep 17 00:00:00 2001\nFrom: %s <%s>\nDate: %s\n",
             json_str_or(c, "sha", ""), json_str_or(p, "name", "Unknown"),
             json_str_or(p, "email", "unknown@example.com"), json_str_or(c, "at", ""));
    buf_addf(out, "Subject: [PATCH] %.*s\n\n---\n", (int)strcspn(message, "\n"), message);
}
