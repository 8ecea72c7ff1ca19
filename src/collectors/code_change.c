/*
 * Step 5: what the releases near the onset changed: their commits, the pull requests they came
 * with, and whether a changed line touches how this database is connected to.
 *
 *   round 1   the commits of each release near the onset (Sentry)
 *   round 2   each commit with its files; with few commits their pull requests too (GitHub)
 *   round 3   for commits that change a setting: pull request and its files
 *
 * What was found is stored as the table "change.releases"; which release is the suspect is decided
 * at the end, when all evidence is there.
 */
#include "collect.h"
#include "steps.h"

#include <ctype.h>

#include "dbconn/analysis/diff.h"
#include "dbconn/analysis/settings.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/collectors/dossier.h"
#include "dbconn/sources/github.h"
#include "dbconn/sources/sentry.h"

#define MAX_RELEASES 4
#define MAX_COMMITS 40
#define FEW_COMMITS 2
#define MAX_HOSTS 16

struct commit {
    size_t release; /* which of change.releases */
    char *sha, *repo;
    char *message, *author;
    int64_t at_ms;
    int64_t pull_number; /* 0: not known (yet) */
    char *pull_url, *pull_title, *pull_author;
    bool pulls_asked;
    const struct github_commit *github;
    const struct github_files *pull_files;
    struct settings_report settings;
    bool has_settings;
    char *failure; /* why it could not be read */
};

struct change {
    char *versions[MAX_RELEASES];
    char *why_not[MAX_RELEASES]; /* the release's diff could not be had: why */
    size_t n_releases;
    struct commit commits[MAX_COMMITS];
    size_t n_commits;
    size_t n_skipped; /* commits over the limit */
    struct release_table table;
    const char *hosts[MAX_HOSTS];
    const char *services[8];
    struct change_context context;
};

static bool is_sha(const char *text)
{
    size_t n = 0;

    while (text && isxdigit((unsigned char)text[n]))
        n++;
    return text && text[n] == '\0' && n >= 7 && n <= 40;
}

/* The repository that the configuration names for this project or package. */
static const char *mapped_repository(const struct collect *c, const char *package)
{
    const char *project = evidence_str(c->board, "issue.project");
    const cJSON *entry;

    cJSON_ArrayForEach (entry, c->sources->services) {
        const char *repo = json_str(entry, "repository");
        if (repo && ((package && text_isame(json_str(entry, "package"), package)) ||
                     (project && text_isame(json_str(entry, "project"), project))))
            return repo;
    }
    return NULL;
}

/* ---- round 1: which commits ---- */

static struct commit *add_commit(struct change *ch, size_t release, const char *sha,
                                 const char *repo)
{
    if (ch->n_commits == MAX_COMMITS) {
        ch->n_skipped++;
        return NULL;
    }
    struct commit *commit = &ch->commits[ch->n_commits++];
    *commit = (struct commit){ .release = release, .at_ms = TIME_UNKNOWN };
    commit->sha = xstrdup(sha);
    commit->repo = xstrdup(repo);
    return commit;
}

static void add_sentry_commit(struct collect *c, size_t release, const struct sentry_commit *sc)
{
    struct change *ch = c->state;
    const cJSON *row = release_table_find(&ch->table, ch->versions[release]);
    const char *repo = sc->repository.slug;

    if (!repo)
        repo = mapped_repository(c, json_str(row, "package"));
    if (!sc->id || !repo) {
        xreplace(&ch->why_not[release], "Sentry names no GitHub repository for its commits");
        return;
    }
    struct commit *commit = add_commit(ch, release, sc->id, repo);
    if (!commit)
        return;
    commit->message = presentable(sc->message, 200);
    commit->author = xstrdup(sc->author_name);
    commit->at_ms = sc->created_ms;
    if (sc->pull && sc->pull->number) {
        commit->pull_number = strtoll(sc->pull->number, NULL, 10);
        commit->pull_url = xstrdup(sc->pull->url);
        commit->pull_title = presentable(sc->pull->title, 200);
        commit->pull_author = xstrdup(sc->pull->author ? sc->pull->author : sc->author_name);
    }
}

/* Without commits at Sentry: the release's own SHA and the mapped repository. */
static void add_release_commit(struct collect *c, size_t release)
{
    struct change *ch = c->state;
    const char *version = ch->versions[release];
    const cJSON *row = release_table_find(&ch->table, version);
    const char *at = strrchr(version, '@');
    const char *candidates[] = { json_str(row, "last_commit"), json_str(row, "hash"),
                                 json_str(row, "ref"), at ? at + 1 : version };
    const char *repo = json_str(row, "repository");

    if (!repo)
        repo = mapped_repository(c, json_str(row, "package"));
    for (size_t i = 0; repo && i < ARRAY_LEN(candidates); i++) {
        if (is_sha(candidates[i])) {
            (void)add_commit(ch, release, candidates[i], repo);
            return;
        }
    }
    xreplace(&ch->why_not[release], repo ? "no commit is known for it"
                                         : "Sentry knows no commits of it and the configuration's "
                                           "services name no repository");
}

static void got_commits(struct collect *c, const void *result, const struct error *err,
                        size_t release)
{
    struct change *ch = c->state;
    const struct sentry_commits *commits = result;
    size_t before = ch->n_commits;

    if (!commits)
        collect_lost(c, "Could not read the commits of %s: %s", ch->versions[release],
                     error_text(err));
    for (size_t i = 0; commits && i < commits->n; i++)
        add_sentry_commit(c, release, &commits->items[i]);
    if (commits && commits->meta.partial)
        collect_lost(c, "%s has more commits than were read", ch->versions[release]);
    if (ch->n_commits == before && !ch->why_not[release])
        add_release_commit(c, release);
}

/* ---- rounds 2 and 3: the commits at GitHub ---- */

static void got_commit(struct collect *c, const void *result, const struct error *err, size_t tag)
{
    struct commit *commit = &((struct change *)c->state)->commits[tag];

    if (!result) {
        commit->failure = xstrdup(error_text(err));
        return;
    }
    source_hold(result);
    commit->github = result;
}

static void got_pulls(struct collect *c, const void *result, const struct error *err, size_t tag)
{
    struct commit *commit = &((struct change *)c->state)->commits[tag];
    const struct github_pulls *pulls = result;

    if (!collect_usable(c, result, err, "the pull requests of a commit") || !pulls->chosen)
        return;
    commit->pull_number = pulls->chosen->number;
    xreplace(&commit->pull_url, pulls->chosen->html_url);
    xreplace(&commit->pull_author, pulls->chosen->author);
    free(commit->pull_title);
    commit->pull_title = presentable(pulls->chosen->title, 200);
}

static void got_pull_files(struct collect *c, const void *result, const struct error *err,
                           size_t tag)
{
    struct commit *commit = &((struct change *)c->state)->commits[tag];

    if (!collect_usable(c, result, err, "the files of a pull request"))
        return;
    source_hold(result);
    commit->pull_files = result;
}

static void ask_pulls(struct collect *c, size_t i)
{
    struct commit *commit = &((struct change *)c->state)->commits[i];
    struct error err = ERROR_INIT;

    if (commit->pulls_asked)
        return;
    commit->pulls_asked = true;
    struct collect_call *call = collect_call(c, got_pulls, i);
    collect_sent(call,
                 github_commit_pulls(c->sources->github, c->owner, commit->repo, commit->sha,
                                     collect_received, call, &err),
                 &err);
}

static void ask_commit(struct collect *c, size_t i)
{
    struct commit *commit = &((struct change *)c->state)->commits[i];
    struct error err = ERROR_INIT;
    struct collect_call *call = collect_call(c, got_commit, i);

    collect_sent(call,
                 github_get_commit(c->sources->github, c->owner, commit->repo, commit->sha,
                                   (int)collect_number(c, "changes.max_files", 3000),
                                   collect_received, call, &err),
                 &err);
}

/* ---- reading the files ---- */

static void read_files(struct collect *c, struct commit *commit, const struct github_file *files,
                       size_t n)
{
    const struct change *ch = c->state;
    struct changed_file *changed = xcalloc(n + 1, sizeof(*changed));

    for (size_t i = 0; i < n; i++) {
        changed[i] = (struct changed_file){
            .path = files[i].filename ? files[i].filename : "",
            .previous_path = files[i].previous_filename,
            .patch = files[i].patch,
            .patch_len = files[i].patch ? strlen(files[i].patch) : 0,
            .added = files[i].status == GITHUB_FILE_ADDED,
            .removed = files[i].status == GITHUB_FILE_REMOVED,
            .binary = !files[i].patch && files[i].additions == 0 && files[i].deletions == 0,
        };
    }
    if (commit->has_settings)
        settings_report_clear(&commit->settings);
    settings_read(changed, n, &ch->context, &commit->settings);
    commit->has_settings = true;
    free(changed);
}

/* The context's strings live on the board for the length of the step. */
static void build_context(struct collect *c)
{
    struct change *ch = c->state;
    const cJSON *target, *alias;
    size_t n = 0;

    cJSON_ArrayForEach (target, evidence_json(c->board, "target.all")) {
        const char *host = json_str(target, "host");
        if (host && n < MAX_HOSTS)
            ch->hosts[n++] = host;
        cJSON_ArrayForEach (alias, json_get(target, "aliases")) {
            if (cJSON_IsString(alias) && n < MAX_HOSTS)
                ch->hosts[n++] = alias->valuestring;
        }
    }
    ch->context = (struct change_context){
        .environment = evidence_str(c->board, "events.environment"),
        .engine = evidence_str(c->board, "target.engine"),
        .hosts = ch->hosts,
        .n_hosts = n,
        .services = ch->services,
        .port = evidence_str(c->board, "target.port"),
        .database = evidence_str(c->board, "target.database"),
        .user = evidence_str(c->board, "target.user"),
        .max_lines = c->sources->diff_lines,
    };
    const char *names[] = { evidence_str(c->board, "issue.project"),
                            evidence_str(c->board, "issue.package") };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i])
            ch->services[ch->context.n_services++] = names[i];
}

/* ---- what is stored ---- */

static cJSON *setting_to_json(const struct setting_change *s)
{
    cJSON *obj = cJSON_CreateObject();

    json_put_str(obj, "file", s->file);
    json_put_i64(obj, "line", s->line);
    json_put_str(obj, "kind", setting_kind_name(s->kind));
    json_put_str(obj, "key", s->key);
    json_put_str(obj, "old", s->old_value);
    json_put_str(obj, "new", s->new_value);
    json_put_str(obj, "old_text", s->old_text);
    json_put_str(obj, "new_text", s->new_text);
    json_put_bool(obj, "pool", s->kind == SETTING_POOL_SIZE || s->kind == SETTING_SERVER_LIMIT);
    json_put_bool(obj, "demand", s->kind == SETTING_DEMAND);
    json_put_bool(obj, "raised", s->trend == SETTING_RAISED);
    json_put_bool(obj, "lowered", s->trend == SETTING_LOWERED);
    json_put_bool(obj, "certain", s->certain);
    if (s->new_is_target != UNKNOWN)
        json_put_bool(obj, "new_is_target", s->new_is_target == YES);
    if (s->old_is_target != UNKNOWN)
        json_put_bool(obj, "old_is_target", s->old_is_target == YES);
    return obj;
}

static cJSON *commit_to_json(const struct commit *commit)
{
    cJSON *obj = cJSON_CreateObject(), *list;
    const struct settings_report *s = commit->has_settings ? &commit->settings : NULL;

    json_put_str(obj, "sha", commit->sha);
    json_put_str(obj, "repo", commit->repo);
    json_put_str(obj, "url", commit->github ? commit->github->html_url : NULL);
    json_put_str(obj, "message", commit->message);
    json_put_str(obj, "author", commit->author);
    if (commit->at_ms != TIME_UNKNOWN)
        json_put_i64(obj, "at", commit->at_ms);
    json_put_bool(obj, "merge", commit->github && commit->github->n_parents > 1);
    json_put_bool(obj, "revert", diff_message_reverts(commit->message));
    json_put_str(obj, "failure", commit->failure);
    if (commit->pull_number) {
        cJSON *pull = json_put_object(obj, "pull");
        json_put_i64(pull, "number", commit->pull_number);
        json_put_str(pull, "url", commit->pull_url);
        json_put_str(pull, "title", commit->pull_title);
        json_put_str(pull, "author", commit->pull_author);
    }
    list = json_put_array(obj, "settings");
    json_put_bool(obj, "incomplete", s && s->incomplete);
    if (s && s->unread_file) {
        json_put_str(obj, "unread_file", s->unread_file);
        json_put_i64(obj, "unread_line", s->unread_line);
    }
    for (size_t i = 0; s && i < s->n_changes; i++)
        if (s->changes[i].harmless == HARMLESS_NOT)
            cJSON_AddItemToArray(list, setting_to_json(&s->changes[i]));
    list = json_put_array(obj, "harmless");
    for (size_t i = 0; s && i < s->n_changes && i < 20; i++) {
        if (s->changes[i].harmless == HARMLESS_NOT)
            continue;
        cJSON *item = cJSON_CreateObject();
        json_put_str(item, "file", s->changes[i].file);
        json_put_str(item, "why", s->changes[i].harmless_why);
        cJSON_AddItemToArray(list, item);
    }
    return obj;
}

static void put_table(struct collect *c)
{
    const struct change *ch = c->state;
    cJSON *table = cJSON_CreateArray();

    for (size_t r = 0; r < ch->n_releases; r++) {
        cJSON *obj = cJSON_CreateObject();
        json_put_str(obj, "version", ch->versions[r]);
        json_put_str(obj, "why_not", ch->why_not[r]);
        cJSON *commits = json_put_array(obj, "commits");
        for (size_t i = 0; i < ch->n_commits; i++)
            if (ch->commits[i].release == r)
                cJSON_AddItemToArray(commits, commit_to_json(&ch->commits[i]));
        cJSON_AddItemToArray(table, obj);
    }
    dossier_put(c->board, c->step, "change.releases", table);
}

static void describe_setting(struct collect *c, const struct commit *commit,
                             const struct setting_change *s)
{
    const char *url = commit->pull_url ? commit->pull_url
                      : commit->github ? commit->github->html_url
                                       : NULL;

    collect_finding(c, url, "%s:%lld changes the %s (%s): %s → %s", s->file, (long long)s->line,
                    setting_kind_name(s->kind), s->key, s->old_value ? s->old_value : "not set",
                    s->new_value ? s->new_value : "removed");
}

static size_t describe(struct collect *c, size_t *n_harmless, size_t *n_read)
{
    const struct change *ch = c->state;
    size_t counting = 0;

    for (size_t i = 0; i < ch->n_commits; i++) {
        const struct commit *commit = &ch->commits[i];
        if (!commit->has_settings)
            continue;
        (*n_read)++;
        for (size_t s = 0; s < commit->settings.n_changes; s++) {
            const struct setting_change *change = &commit->settings.changes[s];
            if (change->harmless != HARMLESS_NOT) {
                if ((*n_harmless)++ < 4)
                    collect_finding(c, commit->github ? commit->github->html_url : NULL,
                                    "%s:%lld only looks like a connection setting: %s.",
                                    change->file, (long long)change->line,
                                    change->harmless_why ? change->harmless_why
                                                         : harmless_name(change->harmless));
                continue;
            }
            counting++;
            describe_setting(c, commit, change);
        }
    }
    return counting;
}

static void note_failures(struct collect *c)
{
    const struct change *ch = c->state;

    for (size_t r = 0; r < ch->n_releases; r++)
        if (ch->why_not[r])
            collect_lost(c, "The diff of %s could not be had: %s", ch->versions[r], ch->why_not[r]);
    for (size_t i = 0; i < ch->n_commits; i++)
        if (ch->commits[i].failure) {
            collect_lost(c, "Could not read commit %.10s: %s", ch->commits[i].sha,
                         ch->commits[i].failure);
            break; /* the others fail alike; the table holds each */
        }
    if (ch->n_skipped)
        collect_lost(c, "%zu more commits were not looked at", ch->n_skipped);
}

static void finish(struct collect *c)
{
    struct change *ch = c->state;
    size_t harmless = 0, read = 0;

    for (size_t i = 0; i < ch->n_commits; i++)
        if (ch->commits[i].pull_files && ch->commits[i].github &&
            ch->commits[i].github->n_files == 0)
            read_files(c, &ch->commits[i], ch->commits[i].pull_files->items,
                       ch->commits[i].pull_files->n);
    put_table(c);
    size_t counting = describe(c, &harmless, &read);
    note_failures(c);
    if (read == 0) {
        error_set(&c->error, ERR_UPSTREAM, "No diff could be read. %s", buf_str(&c->losses));
        collect_fail(c, NULL);
        return;
    }
    collect_complete(c, "%zu commits read: %s.", read,
                     counting   ? "connection settings changed"
                     : harmless ? "what looks like a connection setting is harmless"
                                : "none changes how the database is connected to");
}

static bool counts(const struct commit *commit)
{
    return commit->has_settings && commit->settings.n_counting + commit->settings.n_demand > 0;
}

/* Round 3 ends with the files of the pull request that brought the suspicious commit. */
static void ask_pull_files(struct collect *c)
{
    struct change *ch = c->state;

    for (size_t i = 0; i < ch->n_commits; i++) {
        struct commit *commit = &ch->commits[i];
        if (!commit->pull_number || !commit->github || commit->github->n_files > 0)
            continue;
        struct error err = ERROR_INIT;
        struct collect_call *call = collect_call(c, got_pull_files, i);
        collect_sent(call,
                     github_pull_files(c->sources->github, c->owner, commit->repo,
                                       commit->pull_number, 0, collect_received, call, &err),
                     &err);
    }
    collect_wait(c, finish);
}

static void read_commits(struct collect *c)
{
    struct change *ch = c->state;

    for (size_t i = 0; i < ch->n_commits; i++) {
        struct commit *commit = &ch->commits[i];
        if (!commit->github)
            continue;
        if (!commit->message)
            commit->message = presentable(commit->github->message, 200);
        if (!commit->author)
            commit->author = xstrdup(commit->github->author_name);
        if (commit->at_ms == TIME_UNKNOWN)
            commit->at_ms = commit->github->committed_ms;
        read_files(c, commit, commit->github->files, commit->github->n_files);
        if (counts(commit) && !commit->pull_number)
            ask_pulls(c, i);
    }
    collect_wait(c, ask_pull_files);
}

static void ask_commits(struct collect *c)
{
    struct change *ch = c->state;
    bool few = ch->n_commits <= FEW_COMMITS;

    for (size_t i = 0; i < ch->n_commits; i++) {
        ask_commit(c, i);
        if (few && !ch->commits[i].pull_number)
            ask_pulls(c, i);
    }
    collect_wait(c, read_commits);
}

static void ask_release(struct collect *c, const char *version)
{
    struct change *ch = c->state;
    struct error err = ERROR_INIT;
    size_t release = ch->n_releases++;

    ch->versions[release] = xstrdup(version);
    struct collect_call *call = collect_call(c, got_commits, release);
    collect_sent(
        call,
        sentry_release_commits(c->sources->sentry, c->owner, version, collect_received, call, &err),
        &err);
}

static void start(struct collect *c)
{
    const cJSON *near = evidence_json(c->board, "release.near"), *version;

    if (!near) {
        collect_skip(c, "The releases could not be read, so there is no commit to look at.");
        return;
    }
    if (!near->child) {
        collect_complete(c, "No release went live near the onset, so there is no change to read.");
        return;
    }
    if (!c->sources->github) {
        collect_skip(c, "GitHub is not configured (github.token), so the diffs were not read.");
        return;
    }
    struct change *ch = c->state = xcalloc(1, sizeof(*ch));
    release_table_load(c->board, TABLE_RELEASES, &ch->table);
    build_context(c);
    cJSON_ArrayForEach (version, near) {
        if (ch->n_releases < MAX_RELEASES)
            ask_release(c, version->valuestring);
    }
    collect_wait(c, ask_commits);
}

static void clear(struct collect *c)
{
    struct change *ch = c->state;

    if (!ch)
        return;
    for (size_t i = 0; i < ch->n_commits; i++) {
        struct commit *commit = &ch->commits[i];
        free(commit->sha);
        free(commit->repo);
        free(commit->message);
        free(commit->author);
        free(commit->pull_url);
        free(commit->pull_title);
        free(commit->pull_author);
        free(commit->failure);
        source_release(commit->github);
        source_release(commit->pull_files);
        if (commit->has_settings)
            settings_report_clear(&commit->settings);
    }
    for (size_t i = 0; i < ch->n_releases; i++) {
        free(ch->versions[i]);
        free(ch->why_not[i]);
    }
    release_table_clear(&ch->table);
    free(ch);
}

const struct collector collector_code_change = { .name = "code_change",
                                                 .start = start,
                                                 .clear = clear };
