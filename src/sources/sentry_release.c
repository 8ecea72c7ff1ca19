/* Releases, their commits and deploys. */
#include <ctype.h>
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "sentry_parse.h"
#include "source_call.h"
#include "source_json.h"

/* ---- repositories ---- */

static bool is_github_provider(const char *provider)
{
    return text_same(provider, "integrations:github") || text_same(provider, "github") ||
           text_same(provider, "integrations:github_enterprise") ||
           text_same(provider, "github_enterprise");
}

static size_t slug_part(const char *s)
{
    size_t n = 0;

    while (isalnum((unsigned char)s[n]) || s[n] == '-' || s[n] == '_' || s[n] == '.')
        n++;
    return n;
}

/* The length of "owner/repo" at `s`, 0 when it is none or goes on otherwise. */
static size_t slug_length(const char *s)
{
    size_t owner = slug_part(s), repo;

    if (owner == 0 || s[owner] != '/')
        return 0;
    repo = slug_part(s + owner + 1);
    if (repo == 0 || (s[owner + 1 + repo] && s[owner + 1 + repo] != '/'))
        return 0;
    return owner + 1 + repo;
}

/* Behind the host of "https://github.com/owner/repo", "git@github.com:owner/repo.git". */
static const char *path_of_url(const char *url)
{
    const char *scheme = strstr(url, "://"), *path;

    if (scheme) {
        path = strchr(scheme + 3, '/');
        return path ? path + 1 : NULL;
    }
    path = strchr(url, ':');
    return path ? path + 1 : NULL;
}

static bool is_github_url(const char *url)
{
    const char *host = url ? strstr(url, "://") : NULL;

    host = host ? host + 3 : url;
    return host && (text_istarts(host, "github.com/") || text_istarts(host, "www.github.com/") ||
                    text_istarts(host, "git@github.com:"));
}

static const char *slug_of(struct source_mem *mem, const char *text, bool whole)
{
    size_t n = text ? slug_length(text) : 0;

    if (n == 0 || (whole && text[n]))
        return NULL;
    if (n > 4 && strncmp(text + n - 4, ".git", 4) == 0)
        n -= 4;
    return source_strn(mem, text, n);
}

static void read_repository(const cJSON *json, struct source_mem *mem,
                            struct sentry_repository *ret)
{
    const char *slug = NULL;

    ret->name = source_json_str(mem, json, "name");
    ret->url = source_json_str(mem, json, "url");
    ret->provider = source_json_str(mem, json_get(json, "provider"), "id");
    /* Old and hand-made records have no provider at all; their name is all there is. */
    if (!is_github_provider(ret->provider) && !is_github_url(ret->url) &&
        (ret->provider || ret->url))
        return;
    slug = slug_of(mem, json_str(json, "externalSlug"), true);
    if (!slug)
        slug = slug_of(mem, ret->name, true);
    if (!slug && ret->url && path_of_url(ret->url))
        slug = slug_of(mem, path_of_url(ret->url), false);
    ret->slug = slug;
}

/* ---- commits ---- */

static const struct sentry_pull *read_pull(const cJSON *json, struct source_mem *mem)
{
    struct sentry_pull *pull;

    if (!cJSON_IsObject(json))
        return NULL;
    pull = source_alloc(mem, sizeof(*pull));
    pull->number = source_json_id(mem, json, "id");
    pull->title = source_json_str(mem, json, "title");
    pull->message = source_json_str(mem, json, "message");
    pull->url = source_json_str(mem, json, "externalUrl");
    pull->author = source_json_str(mem, json_get(json, "author"), "name");
    pull->created_ms = json_time(json, "dateCreated");
    pull->merged_ms = json_time(json, "mergedAt");
    read_repository(json_get(json, "repository"), mem, &pull->repository);
    return pull;
}

void sentry_read_commit(const cJSON *json, struct source_mem *mem, struct sentry_commit *ret)
{
    const cJSON *author = json_get(json, "author");
    const char *suspect = json_str(json, "suspectCommitType");

    ret->id = source_json_id(mem, json, "id");
    ret->message = source_json_str(mem, json, "message");
    ret->author_name = source_json_str(mem, author, "name");
    ret->author_email = source_json_str(mem, author, "email");
    ret->created_ms = json_time(json, "dateCreated");
    ret->suspect_type = suspect && *suspect ? source_str(mem, suspect) : NULL;
    read_repository(json_get(json, "repository"), mem, &ret->repository);
    ret->pull = read_pull(json_get(json, "pullRequest"), mem);
}

void sentry_read_deploy(const cJSON *json, struct source_mem *mem, struct sentry_deploy *ret)
{
    ret->id = source_json_id(mem, json, "id");
    ret->environment = source_json_str(mem, json, "environment");
    ret->name = source_json_str(mem, json, "name");
    ret->url = source_json_str(mem, json, "url");
    ret->started_ms = json_time(json, "dateStarted");
    ret->finished_ms = json_time(json, "dateFinished");
}

/* ---- releases ---- */

static void read_release_parts(const cJSON *json, struct source_mem *mem,
                               struct sentry_release *ret)
{
    const cJSON *commit = json_get(json, "lastCommit"), *deploy = json_get(json, "lastDeploy");

    if (cJSON_IsObject(commit)) {
        struct sentry_commit *last = source_alloc(mem, sizeof(*last));
        sentry_read_commit(commit, mem, last);
        ret->last_commit = last->id ? last : NULL;
    }
    if (cJSON_IsObject(deploy)) {
        struct sentry_deploy *last = source_alloc(mem, sizeof(*last));
        sentry_read_deploy(deploy, mem, last);
        ret->last_deploy = last;
    }
}

int sentry_read_release(const cJSON *json, struct source_mem *mem, struct sentry_release *ret,
                        struct error *err)
{
    const cJSON *info = json_get(json, "versionInfo");

    if (!json_str(json, "version"))
        return error_set(err, ERR_PROTOCOL, "Sentry's answer is no release: it has no version");
    ret->version = source_json_str(mem, json, "version");
    ret->version_only = !json->child->next;
    ret->short_version = source_json_str(mem, json, "shortVersion");
    ret->status = source_json_str(mem, json, "status");
    ret->ref = source_json_str(mem, json, "ref");
    ret->url = source_json_str(mem, json, "url");
    ret->package = source_json_str(mem, info, "package");
    ret->build_hash = source_json_str(mem, info, "buildHash");
    ret->created_ms = json_time(json, "dateCreated");
    ret->released_ms = json_time(json, "dateReleased");
    ret->first_event_ms = json_time(json, "firstEvent");
    ret->last_event_ms = json_time(json, "lastEvent");
    ret->commit_count = source_json_count(json, "commitCount");
    ret->deploy_count = source_json_count(json, "deployCount");
    ret->new_groups = source_json_count(json, "newGroups");
    ret->projects = source_json_strings(mem, json_get(json, "projects"), "slug", &ret->n_projects);
    read_release_parts(json, mem, ret);
    return 0;
}

struct sentry_release *sentry_parse_release(const cJSON *json, struct source_mem *mem,
                                            struct error *err)
{
    struct sentry_release *release = source_result_new(mem, sizeof(*release));

    return sentry_read_release(json, mem, release, err) < 0 ? NULL : release;
}

int64_t sentry_release_time(const struct sentry_release *release)
{
    if (!release)
        return TIME_UNKNOWN;
    if (release->last_deploy && release->last_deploy->finished_ms != TIME_UNKNOWN)
        return release->last_deploy->finished_ms;
    return release->released_ms != TIME_UNKNOWN ? release->released_ms : release->created_ms;
}
