/* Step 4: the releases and their deploys against the onset: did the errors begin with one? */
#include "collect.h"
#include "release_rows.h"
#include "steps.h"

#include "dbconn/analysis/failure.h"
#include "dbconn/analysis/rollout.h"
#include "dbconn/base/json.h"
#include "dbconn/collectors/dossier.h"
#include "dbconn/sources/sentry.h"

#define MAX_DEPLOY_LOOKUPS 6

struct timeline {
    const struct sentry_releases *releases;
    cJSON *table;
};

static void got_releases(struct collect *c, const void *result, const struct error *err, size_t tag)
{
    struct timeline *t = c->state;

    (void)tag;
    if (!result) {
        error_copy(&c->error, err);
        return;
    }
    source_hold(result);
    t->releases = result;
}

static void got_deploys(struct collect *c, const void *result, const struct error *err, size_t tag)
{
    struct timeline *t = c->state;
    const struct sentry_deploys *deploys = result;

    if (!collect_usable(c, result, err, "the deploys of a release"))
        return;
    cJSON *row = cJSON_GetArrayItem(t->table, (int)tag);
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < deploys->n; i++)
        cJSON_AddItemToArray(list, deploy_to_json(&deploys->items[i]));
    cJSON_ReplaceItemInObjectCaseSensitive(row, "deploys", list);
}

static void describe(struct collect *c, const struct rollout_candidate *r)
{
    struct buf when = BUF_INIT, apart = BUF_INIT;
    struct timeline *t = c->state;
    const char *url = json_str(cJSON_GetArrayItem(t->table, (int)r->release), "url");

    if (r->live_from_ms == TIME_UNKNOWN)
        return;
    time_format_minute(r->live_from_ms, &when);
    time_format_duration(r->lead_ms, &apart);
    collect_finding(c, url ? url : evidence_str(c->board, "issue.url"),
                    "%s went live at %s, %s %s the errors began.", r->version, buf_str(&when),
                    buf_str(&apart), r->lead_ms >= 0 ? "before" : "after");
    buf_clear(&when);
    buf_clear(&apart);
}

static bool is_near(const struct rollout_candidate *r)
{
    return r->relation == ROLLOUT_BEGAN_WITH_IT || r->relation == ROLLOUT_INCREASED_WITH_IT ||
           r->relation == ROLLOUT_COINCIDES_ONLY;
}

/* The releases whose diffs are worth reading, the most suspicious first. */
static size_t put_near(struct collect *c, const struct rollout *r)
{
    cJSON *list = cJSON_CreateArray();
    size_t n = 0;

    if (r->verdict) {
        cJSON_AddItemToArray(list, cJSON_CreateString(r->verdict->version));
        describe(c, r->verdict);
        n++;
    }
    for (size_t i = 0; i < r->n_candidates; i++) {
        const struct rollout_candidate *cand = &r->candidates[i];
        if (!is_near(cand) || cand == r->verdict || n >= 4)
            continue;
        cJSON_AddItemToArray(list, cJSON_CreateString(cand->version));
        describe(c, cand);
        n++;
    }
    evidence_set_json(c->board, c->step, "release.near", list, NULL, NULL);
    return n;
}

/* With the issue's own events only; what other hosts did is weighed at the end. */
static void analyse(struct collect *c)
{
    struct release_table table;
    struct rowset rows;
    struct trend_case tc;
    struct trend trend;
    struct rollout rollout;

    release_table_load(c->board, TABLE_RELEASES, &table);
    rowset_load(c->board, TABLE_ROWS, &rows);
    trend_case_load(c->board, c->now_ms, &tc);
    trend_analyse(&tc.in, NULL, &trend);
    struct rollout_input in = { .releases = table.items,
                                .n_releases = table.n,
                                .events = rows.rows,
                                .n_events = rows.n,
                                .environment = evidence_str(c->board, "events.environment"),
                                .trend = &trend,
                                .now_ms = c->now_ms };
    rollout_analyse(&in, NULL, &rollout);
    size_t near = put_near(c, &rollout);
    put_num(c, "release.near_count", (double)near);
    c->record->summary = xstrdup(rollout.why);
    rollout_clear(&rollout);
    trend_clear(&trend);
    trend_case_clear(&tc);
    rowset_clear(&rows);
    release_table_clear(&table);
}

static void finish(struct collect *c)
{
    struct timeline *t = c->state;

    dossier_put(c->board, c->step, TABLE_RELEASES, cJSON_Duplicate(t->table, true));
    analyse(c);
    char *why = xstrdup(c->record->summary);
    collect_complete(c, "%s", why ? why : "");
    free(why);
}

/* Round 2: a release with several deploys tells only the last one; near the onset all count. */
static void ask_deploys(struct collect *c)
{
    struct timeline *t = c->state;
    int64_t onset = evidence_time(c->board, "trend.onset");
    int64_t near = collect_ms(c, "releases.near_minutes", 720);
    size_t asked = 0;

    if (!t->releases) {
        collect_fail(c, NULL);
        return;
    }
    t->table = releases_to_json(t->releases);
    for (size_t i = 0; i < t->releases->n && asked < MAX_DEPLOY_LOOKUPS; i++) {
        const struct sentry_release *r = &t->releases->items[i];
        int64_t at = sentry_release_time(r);
        if (r->deploy_count < 2 || onset == TIME_UNKNOWN || at == TIME_UNKNOWN ||
            at < onset - near * 4 || r->created_ms > onset + near)
            continue;
        struct error err = ERROR_INIT;
        struct collect_call *call = collect_call(c, got_deploys, i);
        collect_sent(call,
                     sentry_release_deploys(c->sources->sentry, c->owner, r->version,
                                            collect_received, call, &err),
                     &err);
        asked++;
    }
    collect_wait(c, finish);
}

static void ask_releases(struct collect *c)
{
    struct error err = ERROR_INIT;
    struct collect_call *call = collect_call(c, got_releases, 0);
    struct sentry_releases_query query = {
        .project = evidence_str(c->board, "issue.project_id"),
        .per_page = (int)collect_number(c, "releases.listed", 50),
        .max_pages = 1,
    };

    c->state = xcalloc(1, sizeof(struct timeline));
    collect_sent(
        call,
        sentry_list_releases(c->sources->sentry, c->owner, &query, collect_received, call, &err),
        &err);
}

/* The list is the same whatever the events show, and comes while they are read. When the message
 * alone says that the playbook does not apply it will hardly be wanted. */
static void ask_ahead(struct collect *c)
{
    const char *name = evidence_str(c->board, "issue.failure");
    enum failure_kind kind;

    if (evidence_tri(c->board, "issue.database") == NO ||
        (name && failure_kind_parse(name, &kind) && failure_kind_is_applicable(kind) == NO))
        return;
    ask_releases(c);
}

static void start(struct collect *c)
{
    if (!c->state)
        ask_releases(c);
    collect_wait(c, ask_deploys);
}

static void clear(struct collect *c)
{
    struct timeline *t = c->state;

    if (!t)
        return;
    source_release(t->releases);
    cJSON_Delete(t->table);
    free(t);
}

const struct collector collector_release_timeline = {
    .name = "release_timeline", .start = start, .ahead = ask_ahead, .clear = clear
};
