/* Commits, pull requests, files: what GitHub's JSON says. */
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "github_parse.h"
#include "source_call.h"
#include "source_json.h"

static const struct {
    const char *name;
    enum github_file_status status;
} file_statuses[] = {
    { "added", GITHUB_FILE_ADDED },         { "removed", GITHUB_FILE_REMOVED },
    { "modified", GITHUB_FILE_MODIFIED },   { "renamed", GITHUB_FILE_RENAMED },
    { "copied", GITHUB_FILE_COPIED },       { "changed", GITHUB_FILE_CHANGED },
    { "unchanged", GITHUB_FILE_UNCHANGED },
};

static enum github_file_status file_status(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(file_statuses); i++) {
        if (text_same(name, file_statuses[i].name))
            return file_statuses[i].status;
    }
    return GITHUB_FILE_UNKNOWN;
}

void github_read_file(const cJSON *json, struct source_mem *mem, struct github_file *ret)
{
    ret->filename = source_json_str(mem, json, "filename");
    ret->previous_filename = source_json_str(mem, json, "previous_filename");
    ret->status = file_status(json_str(json, "status"));
    ret->additions = source_json_count(json, "additions");
    ret->deletions = source_json_count(json, "deletions");
    ret->patch = source_json_str(mem, json, "patch");
    ret->blob_url = source_json_str(mem, json, "blob_url");
}

/* ---- commits ---- */

static void read_people(const cJSON *json, struct source_mem *mem, struct github_commit *ret)
{
    const cJSON *commit = json_get(json, "commit"), *author = json_get(commit, "author");

    ret->message = source_json_str(mem, commit, "message");
    ret->author_name = source_json_str(mem, author, "name");
    ret->authored_ms = json_time(author, "date");
    ret->committed_ms = json_time(json_get(commit, "committer"), "date");
    /* null when the address belongs to no account, or {} */
    ret->author_login = source_json_str(mem, json_get(json, "author"), "login");
}

int github_read_commit(const cJSON *json, struct source_mem *mem, struct github_commit *ret,
                       struct error *err)
{
    const cJSON *stats = json_get(json, "stats");

    if (!json_str(json, "sha"))
        return error_set(err, ERR_PROTOCOL, "GitHub's answer is no commit: it has no sha");
    ret->sha = source_json_str(mem, json, "sha");
    ret->html_url = source_json_str(mem, json, "html_url");
    read_people(json, mem, ret);
    ret->parents = source_json_strings(mem, json_get(json, "parents"), "sha", &ret->n_parents);
    ret->additions = source_json_count(stats, "additions");
    ret->deletions = source_json_count(stats, "deletions");
    ret->has_files = cJSON_IsArray(json_get(json, "files")) ? YES : NO;
    return 0;
}

bool github_add_file(const cJSON *json, struct source_mem *mem, struct github_file_list *to,
                     size_t max)
{
    if (!json_str(json, "filename"))
        return true;
    if (to->n >= max)
        return false;
    github_read_file(json, mem, SOURCE_ADD(mem, to->items, to->n, to->cap));
    return true;
}

/* ---- pull requests ---- */

static void read_pull_ends(const cJSON *json, struct source_mem *mem, struct github_pull *ret)
{
    const cJSON *base = json_get(json, "base"), *head = json_get(json, "head");

    ret->base_ref = source_json_str(mem, base, "ref");
    ret->base_sha = source_json_str(mem, base, "sha");
    ret->base_repo = source_json_str(mem, json_get(base, "repo"), "full_name");
    ret->head_ref = source_json_str(mem, head, "ref");
    ret->head_sha = source_json_str(mem, head, "sha");
    ret->merge_commit_sha = source_json_str(mem, json, "merge_commit_sha");
    ret->merged_ms = json_time(json, "merged_at");
    ret->merged = source_json_flag(json, "merged");
    /* Lists have no "merged", but always the time, null for "not merged". */
    if (ret->merged == UNKNOWN && cJSON_GetObjectItemCaseSensitive(json, "merged_at"))
        ret->merged = ret->merged_ms == TIME_UNKNOWN ? NO : YES;
}

int github_read_pull(const cJSON *json, struct source_mem *mem, struct github_pull *ret,
                     struct error *err)
{
    if (!json_i64(json, "number", &ret->number))
        return error_set(err, ERR_PROTOCOL, "GitHub's answer is no pull request: it has no number");
    ret->title = source_json_str(mem, json, "title");
    ret->body = source_json_str(mem, json, "body");
    ret->html_url = source_json_str(mem, json, "html_url");
    ret->state = source_json_str(mem, json, "state");
    ret->author = source_json_str(mem, json_get(json, "user"), "login");
    ret->merged_by = source_json_str(mem, json_get(json, "merged_by"), "login");
    ret->created_ms = json_time(json, "created_at");
    ret->closed_ms = json_time(json, "closed_at");
    read_pull_ends(json, mem, ret);
    ret->commits = source_json_count(json, "commits");
    ret->additions = source_json_count(json, "additions");
    ret->deletions = source_json_count(json, "deletions");
    ret->changed_files = source_json_count(json, "changed_files");
    ret->labels = source_json_strings(mem, json_get(json, "labels"), "name", &ret->n_labels);
    return 0;
}

struct github_pull *github_parse_pull(const cJSON *json, struct source_mem *mem, struct error *err)
{
    struct github_pull *pull = source_result_new(mem, sizeof(*pull));

    return github_read_pull(json, mem, pull, err) < 0 ? NULL : pull;
}

/* `sha` may be an abbreviation, as in versions and tags. */
static bool is_sha_of(const char *sha, const char *full)
{
    return strlen(sha) >= 7 && text_istarts(full, sha);
}

/* How well a pull request explains a commit; the higher the better. Forks list the commits of
 * their origin, so another repository's pull request counts only when merging it made this very
 * commit (a repository that was renamed answers under its new name). */
static enum github_pull_match match_of(const struct github_pull *pull, const char *repo,
                                       const char *sha)
{
    if (pull->merged == YES && is_sha_of(sha, pull->merge_commit_sha))
        return GITHUB_PULL_MERGE_COMMIT;
    if (!text_isame(pull->base_repo, repo))
        return GITHUB_PULL_NONE;
    return pull->merged == YES ? GITHUB_PULL_MERGED : GITHUB_PULL_UNMERGED;
}

static bool is_better(const struct github_pull *pull, enum github_pull_match match,
                      const struct github_pulls *than, const char *repo)
{
    if (match == GITHUB_PULL_NONE || than->match == GITHUB_PULL_NONE)
        return match != GITHUB_PULL_NONE;
    if (match != than->match)
        return match < than->match;
    if (match == GITHUB_PULL_MERGE_COMMIT)
        return text_isame(pull->base_repo, repo) && !text_isame(than->chosen->base_repo, repo);
    return pull->merged_ms > than->chosen->merged_ms;
}

void github_choose_pull(struct github_pulls *pulls, const char *repo, const char *sha)
{
    pulls->chosen = NULL;
    pulls->match = GITHUB_PULL_NONE;
    for (size_t i = 0; i < pulls->n; i++) {
        enum github_pull_match match = match_of(&pulls->items[i], repo, sha);
        if (!is_better(&pulls->items[i], match, pulls, repo))
            continue;
        pulls->chosen = &pulls->items[i];
        pulls->match = match;
    }
}

/* ---- what is read above ---- */

#define FILE_MEMBERS(p)                                                                            \
    p "filename", p "previous_filename", p "status", p "additions", p "deletions", p "patch",      \
        p "blob_url"

#define COMMIT(p)                                                                                  \
    p "sha", p "html_url", p "commit.message", p "commit.author.name", p "commit.author.date",     \
        p "commit.committer.date", p "author.login", p "parents[].sha", p "stats.additions",       \
        p "stats.deletions"

#define PULL(p)                                                                                    \
    p "number", p "title", p "body", p "html_url", p "state", p "user.login", p "merged_by.login", \
        p "created_at", p "closed_at", p "base.ref", p "base.sha", p "base.repo.full_name",        \
        p "head.ref", p "head.sha", p "merge_commit_sha", p "merged_at", p "merged", p "commits",  \
        p "additions", p "deletions", p "changed_files", p "labels[].name"

const char *const github_wanted_commit[] = { COMMIT(""), FILE_MEMBERS("files[]."), NULL };
const char *const github_wanted_pull[] = { PULL(""), NULL };
const char *const github_wanted_pulls[] = { PULL("[]."), NULL };
const char *const github_wanted_files[] = { FILE_MEMBERS("[]."), NULL };
const char *const github_wanted_compare[] = { "status",
                                              "ahead_by",
                                              "behind_by",
                                              "total_commits",
                                              "html_url",
                                              "merge_base_commit.sha",
                                              COMMIT("commits[]."),
                                              "commits[].files[].filename",
                                              FILE_MEMBERS("files[]."),
                                              NULL };
