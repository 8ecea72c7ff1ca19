/* What the suspect release changed, and the culprit to name. */
#include "assess.h"

#include <ctype.h>
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/collectors/dossier.h"

struct verdict {
    const cJSON *release; /* row of change.releases */
    const cJSON *commit;  /* the guilty one, or NULL */
    size_t settings, matching, pool, pool_raised, pool_lowered, demand, mismatching;
    bool inspected;
    const char *why_not;
};

static bool flag(const cJSON *obj, const char *key)
{
    bool value = false;

    (void)json_bool(obj, key, &value);
    return value;
}

/* How much a setting speaks for its commit being guilty. */
static int weight_of(const cJSON *setting)
{
    if (flag(setting, "demand"))
        return 0;
    return 1 + (flag(setting, "certain") ? 2 : 0) + (flag(setting, "new_is_target") ? 8 : 0) +
           (flag(setting, "old_is_target") ? 1 : 0);
}

static void count_setting(const cJSON *setting, struct verdict *v)
{
    bool matches = false;

    if (flag(setting, "demand")) {
        v->demand++;
        return;
    }
    v->settings++;
    v->pool += flag(setting, "pool");
    v->pool_raised += flag(setting, "pool") && flag(setting, "raised");
    v->pool_lowered += flag(setting, "pool") && flag(setting, "lowered");
    if (json_bool(setting, "new_is_target", &matches)) {
        v->matching += matches;
        v->mismatching += !matches;
    }
}

/* Reads one release; the guilty commit is the one whose settings weigh most, inner commits before
 * the merge that repeats them. */
static struct verdict read_release(const cJSON *release)
{
    struct verdict v = { .release = release, .inspected = true };
    const cJSON *commits = json_get(release, "commits"), *commit, *setting;
    int best = 0;

    v.why_not = json_str(release, "why_not");
    if (v.why_not || cJSON_GetArraySize(commits) == 0)
        v.inspected = false;
    cJSON_ArrayForEach (commit, commits) {
        int weight = 0;
        if (json_str(commit, "failure") || flag(commit, "incomplete")) {
            v.inspected = false;
            if (!v.why_not)
                v.why_not =
                    json_str_or(commit, "failure", "a changed file is too large to be shown");
        }
        if (json_str(commit, "unread_file")) {
            v.inspected = false;
            if (!v.why_not)
                v.why_not = "a changed line holds the refused address in a form that is not read";
        }
        cJSON_ArrayForEach (setting, json_get(commit, "settings")) {
            count_setting(setting, &v);
            weight += 2 * weight_of(setting);
        }
        weight -= weight > 0 && flag(commit, "merge");
        if (weight > best) {
            best = weight;
            v.commit = commit;
        }
    }
    return v;
}

static const cJSON *find_release(const cJSON *table, const char *version)
{
    const cJSON *row;

    cJSON_ArrayForEach (row, table) {
        if (version && text_same(json_str(row, "version"), version))
            return row;
    }
    return NULL;
}

/* The first setting of the guilty commit that weighs most. */
static const cJSON *main_setting(const cJSON *commit)
{
    const cJSON *setting, *best = NULL;

    cJSON_ArrayForEach (setting, json_get(commit, "settings")) {
        if (!best || weight_of(setting) > weight_of(best))
            best = setting;
    }
    return best;
}

static char *describe_setting(const cJSON *commit, const cJSON *setting)
{
    int64_t line = 0;

    (void)json_i64(setting, "line", &line);
    return xasprintf(
        "“%s” changes the %s in %s, line %lld: %s → %s", json_str_or(commit, "message", "A commit"),
        json_str_or(setting, "kind", ""), json_str_or(setting, "file", ""), (long long)line,
        json_str_or(setting, "old", "not set"), json_str_or(setting, "new", "removed"));
}

static const char *commit_url(const cJSON *commit)
{
    const char *pull = json_str(json_get(commit, "pull"), "url");

    return pull ? pull : json_str(commit, "url");
}

static void put_count(struct evidence *board, const char *name, size_t n)
{
    evidence_set_num(board, ASSESSMENT, name, (double)n, NULL, NULL);
}

static void put_verdict(struct evidence *board, const struct verdict *v)
{
    const cJSON *setting = main_setting(v->commit);
    char *text = setting ? describe_setting(v->commit, setting) : NULL;
    const char *url = commit_url(v->commit);
    enum tristate any = v->settings > 0 ? YES : v->inspected ? NO : UNKNOWN;

    evidence_set_bool(board, ASSESSMENT, "change.inspected", v->inspected, v->why_not, NULL);
    evidence_set_tri(board, ASSESSMENT, "change.setting", any, text, url,
                     v->why_not ? v->why_not : "the diff could not be read completely");
    evidence_set_bool(board, ASSESSMENT, "change.matches", v->matching > 0, text, url);
    put_count(board, "change.settings", v->settings);
    put_count(board, "change.mismatching", v->mismatching);
    put_count(board, "change.pool", v->pool);
    put_count(board, "change.pool_raised", v->pool_raised);
    put_count(board, "change.pool_lowered", v->pool_lowered);
    put_count(board, "change.demand", v->demand);
    if (setting)
        evidence_set_str(board, ASSESSMENT, "change.kind", json_str_or(setting, "kind", ""), NULL,
                         NULL);
    free(text);
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Does `path` name the place as a whole word ("values-eu-west-1.yaml", "sites/eu_west_1/db.env")?
 * What parts words does not matter. Places of one letter are everywhere. */
static bool names_place(const char *path, const char *place)
{
    if (!path || !place || strlen(place) < 2)
        return false;
    for (const char *at = path; *at; at++) {
        const char *p = at, *q = place;

        if (at > path && is_word(at[-1]) && is_word(*at))
            continue;
        while (*q && *p &&
               (is_word(*q) ? tolower((unsigned char)*p) == tolower((unsigned char)*q)
                            : !is_word(*p))) {
            p++;
            q++;
        }
        if (!*q && !is_word(*p))
            return true;
    }
    return false;
}

/* Does it set the refused address in files of one place alone? Then no other place can fail. */
static bool sets_target_of_place(const cJSON *release, const char *place)
{
    const cJSON *commit, *setting;
    bool here = false;

    cJSON_ArrayForEach (commit, json_get(release, "commits")) {
        cJSON_ArrayForEach (setting, json_get(commit, "settings")) {
            if (!flag(setting, "new_is_target") || flag(setting, "demand"))
                continue;
            if (!names_place(json_str(setting, "file"), place))
                return false;
            here |= !flag(setting, "old_is_target");
        }
    }
    return here;
}

/* The place that alone is hit; NULL: there is none. Lent by the board. */
static const char *place_hit(const struct evidence *board)
{
    bool place = text_same(evidence_str(board, "impact.kind"), "segment") &&
                 text_same(evidence_str(board, "impact.class"), "infrastructure");

    return place ? evidence_str(board, "impact.value") : NULL;
}

static bool sets_target(const cJSON *release)
{
    const cJSON *commit, *setting;

    cJSON_ArrayForEach (commit, json_get(release, "commits")) {
        cJSON_ArrayForEach (setting, json_get(commit, "settings")) {
            if (flag(setting, "new_is_target") && !flag(setting, "old_is_target") &&
                !flag(setting, "demand"))
                return true;
        }
    }
    return false;
}

bool assess_slots_ran_out(const struct evidence *board)
{
    double slots = 0;

    return text_same(evidence_str(board, "failure.kind"), "too_many_connections") ||
           (evidence_num(board, "server.slots", &slots) && slots >= 1);
}

void assess_ties(const struct evidence *board, struct rollout_release *releases, size_t n)
{
    cJSON *table = dossier_get(board, "change.releases");
    bool ran_out = assess_slots_ran_out(board);

    for (size_t i = 0; i < n; i++) {
        const cJSON *release = find_release(table, releases[i].version);

        if (!release)
            continue;
        releases[i].sets_target = sets_target(release);
        releases[i].one_place = sets_target_of_place(release, place_hit(board));
        releases[i].takes_more = ran_out && read_release(release).pool_raised > 0;
    }
    cJSON_Delete(table);
}

void assess_change(struct evidence *board)
{
    const char *suspect = evidence_str(board, "release.suspect");
    cJSON *table = dossier_get(board, "change.releases");
    const cJSON *release = find_release(table, suspect);

    if (release) {
        struct verdict v = read_release(release);
        put_verdict(board, &v);
        evidence_set_bool(board, ASSESSMENT, "change.place",
                          sets_target_of_place(release, place_hit(board)), NULL, NULL);
    } else if (suspect) {
        evidence_set_bool(board, ASSESSMENT, "change.inspected", false,
                          "the diffs of the release were not read", NULL);
        evidence_set_unknown(board, ASSESSMENT, "change.setting",
                             "the diffs of the release were not read");
    }
    cJSON_Delete(table);
}

/* ---- the culprit ---- */

static void add_changes(struct culprit *culprit, const cJSON *commit)
{
    const cJSON *setting;

    cJSON_ArrayForEach (setting, json_get(commit, "settings")) {
        bool known = false;
        const char *file = json_str(setting, "file");
        if (flag(setting, "demand"))
            continue;
        for (size_t i = 0; i < culprit->n_files; i++)
            known |= text_same(culprit->files[i], file);
        if (!known)
            string_add(&culprit->files, &culprit->n_files, &culprit->cap_files, file);
        struct changed_setting *change =
            VEC_ADD(culprit->changes, culprit->n_changes, culprit->cap_changes);
        change->file = xstrdup(file);
        (void)json_i64(setting, "line", &change->line);
        change->old_value = xstrdup(json_str(setting, "old_text"));
        change->new_value = xstrdup(json_str(setting, "new_text"));
    }
}

static void add_commit(struct culprit *culprit, const cJSON *commit)
{
    const cJSON *pull = json_get(commit, "pull");

    culprit->commit = xstrdup(json_str(commit, "sha"));
    culprit->commit_url = xstrdup(json_str(commit, "url"));
    (void)json_i64(pull, "number", &culprit->pull_number);
    culprit->pull_url = xstrdup(json_str(pull, "url"));
    culprit->pull_title = xstrdup(json_str(pull, "title"));
    culprit->pull_author = xstrdup(json_str(pull, "author"));
    add_changes(culprit, commit);
}

struct culprit *assess_culprit(const struct evidence *board, enum cause cause)
{
    const char *version = cause == CAUSE_BROADER_DEPLOYMENT_INCIDENT
                              ? evidence_str(board, "wider.release")
                              : evidence_str(board, "release.suspect");
    struct culprit *culprit;

    if (!version ||
        (cause != CAUSE_DEPLOYMENT_CONFIG_CHANGE && cause != CAUSE_DEPLOYMENT_REGRESSION &&
         cause != CAUSE_BROADER_DEPLOYMENT_INCIDENT))
        return NULL;
    culprit = xcalloc(1, sizeof(*culprit));
    culprit->release = xstrdup(version);
    if (cause != CAUSE_DEPLOYMENT_CONFIG_CHANGE)
        return culprit;
    cJSON *table = dossier_get(board, "change.releases");
    const cJSON *release = find_release(table, version);
    struct verdict v = read_release(release);
    if (release && v.commit)
        add_commit(culprit, v.commit);
    cJSON_Delete(table);
    return culprit;
}
