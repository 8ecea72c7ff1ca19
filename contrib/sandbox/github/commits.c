#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "github/visit.h"

#define COMMIT_FILES_MAX 300

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

const cJSON *find_commit(const struct repo *r, const char *ref)
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
        visit_not_found(v);
        return;
    }
    select_commits(v, is_listed, &found);
    visit_page(v, found.n, PAGE_DEFAULT, &from, &n);
    out = cJSON_CreateArray();
    for (size_t i = from; i < found.n && i < from + n; i++)
        cJSON_AddItemToArray(out, gh_commit(&v->repo, found.item[i]));
    visit_answer(v, out);
    list_clear(&found);
}

static void answer_commit(struct visit *v, const cJSON *c)
{
    size_t n_files = (size_t)cJSON_GetArraySize(json_get(c, "files")), from = 0;
    size_t n = COMMIT_FILES_MAX;
    enum media media = visit_media(v->req);

    if (media == MEDIA_SHA) {
        reply_text(v->reply, 200, "application/vnd.github.sha; charset=utf-8",
                   json_str_or(c, "sha", ""));
    } else if (media != MEDIA_JSON) {
        visit_diff(v, c, json_get(c, "files"), media);
    } else {
        if (n_files > COMMIT_FILES_MAX || params_has(&v->req->query, "page"))
            visit_page(v, n_files, COMMIT_FILES_MAX, &from, &n);
        visit_answer(v, gh_commit_full(&v->repo, c, from, n));
    }
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
    enum media media = visit_media(v->req);
    cJSON *files;

    collect_range(v, range, commits, raw);
    int64_t n = cJSON_GetArraySize(commits);
    if (media != MEDIA_JSON) {
        visit_diff(v, NULL, raw, media);
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
        visit_answer(v, out);
    }
    cJSON_Delete(raw);
    free(url);
}

/* "base...head", where a ref may hold slashes. */
void route_compare(struct visit *v)
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
        visit_not_found(v);
    buf_clear(&spec);
}

void route_commits(struct visit *v, const char *ref)
{
    const cJSON *c;

    if (!*ref) {
        list_commits(v);
        return;
    }
    c = find_commit(&v->repo, ref);
    if (!c && is_hex(ref))
        visit_fail(v, 422, "No commit found for SHA: %s", ref);
    else if (!c)
        visit_fail(v, 422, "No commit found for the ref %s", ref);
    else if (path_is(&v->path, 5, "pulls"))
        list_pulls(v, json_str_or(c, "sha", ""));
    else if (v->path.n > 5)
        visit_answer(v, cJSON_CreateArray());
    else
        answer_commit(v, c);
}
