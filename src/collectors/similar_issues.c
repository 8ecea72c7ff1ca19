/*
 * Step 7: the other issues: which began together with this one, and what they share; and how the
 * service's usual events are spread, so that "all errors come from one region" means something.
 *
 *   round 1   the project's issues | the organization's newest and latest issues | all releases
 *   round 2   events around the onset of the project's most active other issues | counts around it
 *             of issues that may have begun then but are too old for their statistics to tell
 */
#include "collect.h"
#include "release_rows.h"
#include "steps.h"

#include "dbconn/analysis/failure.h"
#include "dbconn/analysis/trend.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/collectors/dossier.h"
#include "dbconn/sources/sentry.h"

enum { LIST_PROJECT, LIST_NEW, LIST_LATEST, LISTS };

#define MAX_BASELINE 12
#define MAX_PROBES 10

struct baseline_pages {
    const struct sentry_event_rows *rows;
    const char *issue; /* lent by the table */
};

/* The issues of one answer, in its order; of each only what the table will say. */
struct issue_list {
    cJSON **rows; /* lent by `read`, then by `issues` */
    size_t n, cap;
    bool known; /* it was answered */
};

struct similar {
    struct issue_list lists[LISTS];
    cJSON *read; /* rows of any list, each issue once */
    struct baseline_pages baseline[MAX_BASELINE];
    size_t n_baseline;
    cJSON *issues;             /* the table: the rows, in the order of the lists */
    cJSON *probed[MAX_PROBES]; /* rows of it whose onset is looked for; lent */
    size_t n_probed;
};

static void got_releases(struct collect *c, const void *result, const struct error *err, size_t tag)
{
    (void)tag;
    if (result)
        dossier_put(c->board, c->step, TABLE_ALL_RELEASES, releases_to_json(result));
    else
        collect_lost(c, "Could not read the other projects' releases: %s", error_text(err));
}

static void got_rows(struct collect *c, const void *result, const struct error *err, size_t tag)
{
    struct similar *s = c->state;

    if (!result) {
        collect_lost(c, "Could not read the events of %s: %s", s->baseline[tag].issue,
                     error_text(err));
        return;
    }
    source_hold(result);
    s->baseline[tag].rows = result;
}

/* ---- the table of other issues ---- */

static int64_t lifetime_first(const struct sentry_issue *i)
{
    return i->lifetime_first_seen_ms != TIME_UNKNOWN ? i->lifetime_first_seen_ms : i->first_seen_ms;
}

/* When an issue's errors began: its first event when it is new, else where its counts jump. */
static int64_t onset_of(const struct collect *c, const struct sentry_issue *i, int64_t *slack)
{
    const struct source_series *stats[] = { i->stats_24h, i->stats_30d };
    int64_t first = lifetime_first(i), ours = evidence_time(c->board, "trend.onset");
    struct trend_series series[2];
    struct trend_input in = { .series = series,
                              .first_seen_ms = first,
                              .last_seen_ms = i->last_seen_ms,
                              .now_ms = c->now_ms };
    struct trend trend;

    *slack = 0;
    if (first != TIME_UNKNOWN && ours != TIME_UNKNOWN && first >= ours - HOUR_MS)
        return first;
    double *counts[2] = { NULL, NULL };
    for (size_t s = 0; s < ARRAY_LEN(stats); s++) {
        if (!stats[s] || stats[s]->n_points < 2)
            continue;
        counts[s] = xcalloc(stats[s]->n_points, sizeof(double));
        for (size_t p = 0; p < stats[s]->n_points; p++)
            counts[s][p] = stats[s]->points[p].value;
        series[in.n_series++] =
            (struct trend_series){ stats[s]->points[0].at_ms, stats[s]->interval_ms, counts[s],
                                   stats[s]->n_points };
    }
    trend_analyse(&in, NULL, &trend);
    bool jumped = trend.jump_ratio >= 3 && trend.onset_ms != TIME_UNKNOWN;
    int64_t onset = jumped ? trend.onset_ms : TIME_UNKNOWN;
    *slack = trend.onset_slack_ms;
    trend_clear(&trend);
    free(counts[0]);
    free(counts[1]);
    return onset;
}

static void put_failure(const struct collect *c, const struct sentry_issue *i, cJSON *obj)
{
    struct failure f;
    const char *value = i->error_value ? i->error_value : i->title;

    failure_read(c->sources->reader,
                 &(struct failure_exception){ .type = i->error_type, .value = value }, &f);
    (void)failure_add_layer(i->filename, &f);
    json_put_str(obj, "failure", failure_kind_name(f.kind));
    if (f.is_database != UNKNOWN)
        json_put_bool(obj, "database", f.is_database == YES);
    if (f.connecting == YES)
        json_put_bool(obj, "connecting", true);
    if (f.n_targets) {
        json_put_str(obj, "host", f.targets[0].host);
        json_put_str(obj, "port", f.targets[0].port);
    }
    failure_clear(&f);
}

static cJSON *issue_to_json(const struct collect *c, const struct sentry_issue *i)
{
    cJSON *obj = cJSON_CreateObject();
    char *title = presentable(i->title, 160);
    int64_t slack, onset = onset_of(c, i, &slack);

    json_put_str(obj, "id", i->id);
    json_put_str(obj, "short_id", i->short_id);
    json_put_str(obj, "project", i->project.slug);
    json_put_str(obj, "title", title);
    json_put_str(obj, "url", i->permalink);
    if (lifetime_first(i) != TIME_UNKNOWN)
        json_put_i64(obj, "first_seen", lifetime_first(i));
    if (i->last_seen_ms != TIME_UNKNOWN)
        json_put_i64(obj, "last_seen", i->last_seen_ms);
    if (onset != TIME_UNKNOWN)
        json_put_i64(obj, "onset", onset);
    json_put_i64(obj, "slack", slack);
    json_put_i64(obj, "events", i->count);
    put_failure(c, i, obj);
    free(title);
    return obj;
}

static cJSON *find_row(const cJSON *table, const char *id)
{
    cJSON *item;

    cJSON_ArrayForEach (item, table) {
        if (text_same(json_str(item, "id"), id))
            return item;
    }
    return NULL;
}

/* An answer holds a lot more of each issue than is needed, so it is not kept. */
static void read_list(struct collect *c, const struct sentry_issues *issues,
                      struct issue_list *list)
{
    struct similar *s = c->state;
    const char *own = evidence_str(c->board, "issue.id");

    if (!s->read)
        s->read = cJSON_CreateArray();
    for (size_t i = 0; i < issues->n; i++) {
        if (text_same(issues->items[i].id, own))
            continue;
        cJSON *row = find_row(s->read, issues->items[i].id);
        if (!row) {
            row = issue_to_json(c, &issues->items[i]);
            cJSON_AddItemToArray(s->read, row);
        }
        *VEC_ADD(list->rows, list->n, list->cap) = row;
    }
    list->known = true;
}

static void got_list(struct collect *c, const void *result, const struct error *err, size_t tag)
{
    static const char *const what[] = { "the project's issues", "the organization's new issues",
                                        "the organization's issues" };
    struct similar *s = c->state;

    if (result)
        read_list(c, result, &s->lists[tag]);
    else
        collect_lost(c, "Could not read %s: %s", what[tag], error_text(err));
}

static void build_table(struct collect *c)
{
    struct similar *s = c->state;

    s->issues = cJSON_CreateArray();
    for (size_t l = 0; l < LISTS; l++)
        for (size_t i = 0; i < s->lists[l].n; i++) {
            cJSON *row = s->lists[l].rows[i];
            if (!find_row(s->issues, json_str(row, "id")))
                cJSON_AddItemToArray(s->issues, cJSON_DetachItemViaPointer(s->read, row));
        }
}

/* ---- the onset of old issues ---- */

static void got_counts(struct collect *c, const void *result, const struct error *err, size_t tag)
{
    struct similar *s = c->state;
    const struct source_series *counts = result;
    struct trend_series series = { 0 };
    struct trend trend;

    if (!collect_usable(c, result, err, "the counts of another issue") || counts->n_points < 2)
        return;
    double *values = xcalloc(counts->n_points, sizeof(double));
    for (size_t i = 0; i < counts->n_points; i++)
        values[i] = counts->points[i].value;
    series = (struct trend_series){ counts->points[0].at_ms, counts->interval_ms, values,
                                    counts->n_points };
    int64_t end = series.start_ms + (int64_t)series.n_counts * series.interval_ms;
    struct trend_input in = { .series = &series,
                              .n_series = 1,
                              .first_seen_ms = TIME_UNKNOWN,
                              .last_seen_ms = TIME_UNKNOWN,
                              .now_ms = end < c->now_ms ? end : c->now_ms };
    trend_analyse(&in, NULL, &trend);
    if (trend.onset_ms != TIME_UNKNOWN && trend.jump_ratio >= 3) {
        cJSON *row = s->probed[tag];
        cJSON_DeleteItemFromObjectCaseSensitive(row, "onset");
        cJSON_DeleteItemFromObjectCaseSensitive(row, "slack");
        json_put_i64(row, "onset", trend.onset_ms);
        json_put_i64(row, "slack", trend.onset_slack_ms);
    }
    trend_clear(&trend);
    free(values);
}

/* May this issue have begun with ours, and do its statistics not say when exactly? */
static bool is_vague(const struct collect *c, const cJSON *row)
{
    int64_t onset, slack = 0, last, ours = evidence_time(c->board, "trend.onset");
    bool known = json_i64(row, "onset", &onset);

    (void)json_i64(row, "slack", &slack);
    if (!json_i64(row, "last_seen", &last) || last < ours)
        return false;
    return !known || (slack > collect_ms(c, "events.onset_known_minutes", 2) &&
                      ours >= onset - HOUR_MS && ours <= onset + slack + HOUR_MS);
}

static void ask_counts(struct collect *c, cJSON *row)
{
    struct similar *s = c->state;
    struct error err = ERROR_INIT;
    int64_t ours = evidence_time(c->board, "trend.onset"), around = 3 * HOUR_MS;
    struct sentry_series_query query = {
        .issue = json_str(row, "short_id") ? json_str(row, "short_id") : json_str(row, "id"),
        .start_ms = ours - around,
        .end_ms = ours + around < c->now_ms ? ours + around : c->now_ms,
        .interval_ms = 2 * MINUTE_MS,
    };

    s->probed[s->n_probed] = row;
    struct collect_call *call = collect_call(c, got_counts, s->n_probed++);
    collect_sent(
        call,
        sentry_events_series(c->sources->sentry, c->owner, &query, collect_received, call, &err),
        &err);
}

/* Issues on our target first, then other failed connections, then the rest. */
static int interest(const struct collect *c, const cJSON *row)
{
    bool connecting = false;

    (void)json_bool(row, "connecting", &connecting);
    if (text_isame(json_str(row, "host"), evidence_str(c->board, "target.host")) &&
        json_str(row, "host"))
        return 2;
    return connecting ? 1 : 0;
}

static void probe_onsets(struct collect *c)
{
    struct similar *s = c->state;
    cJSON *row;

    if (evidence_time(c->board, "trend.onset") == TIME_UNKNOWN)
        return;
    for (int wanted = 2; wanted >= 0; wanted--)
        cJSON_ArrayForEach (row, s->issues) {
            if (s->n_probed < MAX_PROBES && interest(c, row) == wanted && is_vague(c, row))
                ask_counts(c, row);
        }
}

/* ---- the baseline ---- */

static void put_rows(struct collect *c)
{
    struct similar *s = c->state;
    struct rows_builder *b = rows_builder_new();
    size_t n = 0;

    for (size_t p = 0; p < s->n_baseline; p++) {
        const struct sentry_event_rows *rows = s->baseline[p].rows;
        for (size_t i = 0; rows && i < rows->n; i++, n++) {
            rows_builder_row(b, rows->items[i].at_ms, s->baseline[p].issue, 1);
            for (size_t t = 0; t < rows->items[i].n_tags; t++) {
                const struct source_pair *tag = &rows->items[i].tags[t];
                rows_builder_tag(b, tag->key, tag->value);
            }
        }
    }
    rows_builder_put(b, c->board, c->step, TABLE_BASELINE);
    put_num(c, "similar.baseline_rows", (double)n);
}

/* Only rows of issues that are no failed connection are "usual": another issue on the same dead
 * database is spread exactly as ours is. */
static bool is_usual(const cJSON *row)
{
    bool connecting = false;

    (void)json_bool(row, "connecting", &connecting);
    return !connecting;
}

static void ask_baseline(struct collect *c, const char *issue)
{
    struct similar *s = c->state;
    struct error err = ERROR_INIT;
    int64_t onset = evidence_time(c->board, "trend.onset");
    int64_t last = evidence_time(c->board, "trend.last_event");
    int64_t before = collect_ms(c, "baseline.before_minutes", 360);
    int64_t after = collect_ms(c, "baseline.after_minutes", 360);
    struct sentry_events_query query = { .issue_id = issue, .per_page = 100, .max_pages = 1 };

    if (onset != TIME_UNKNOWN) {
        query.start_ms = onset - before;
        query.end_ms = (last > onset ? last : onset) + after;
        if (query.end_ms > onset + 4 * after)
            query.end_ms = onset + 4 * after;
        if (query.end_ms > c->now_ms)
            query.end_ms = c->now_ms;
        query.max_pages = 2;
    }
    size_t tag = s->n_baseline++;
    s->baseline[tag].issue = issue;
    struct collect_call *call = collect_call(c, got_rows, tag);
    collect_sent(
        call,
        sentry_list_events(c->sources->sentry, c->owner, &query, collect_received, call, &err),
        &err);
}

/* ---- the outcome ---- */

static void describe(struct collect *c, const struct cluster *cluster)
{
    const struct similar *s = c->state;

    for (size_t i = 0; i < cluster->n_members && i < 6; i++) {
        const struct cluster_member *m = &cluster->members[i];
        struct buf apart = BUF_INIT;
        const char *url = NULL;
        const cJSON *row;
        cJSON_ArrayForEach (row, s->issues) {
            if (text_same(json_str(row, "id"), m->issue->id))
                url = json_str(row, "url");
        }
        const char *when = m->distance_ms < 0 ? "earlier" : "later";
        const char *same = m->same_target ? " (the same target)" : "";
        time_format_duration(m->distance_ms, &apart);
        if (c->may_name && !c->may_name(c->may_name_user, m->issue->project))
            collect_finding(c, NULL, "An issue of another project began %s %s%s", buf_str(&apart),
                            when, same);
        else
            collect_finding(c, url, "%s in %s began %s %s: %s%s",
                            m->issue->short_id ? m->issue->short_id : m->issue->id,
                            m->issue->project, buf_str(&apart), when, m->issue->title, same);
        buf_clear(&apart);
    }
}

static void finish(struct collect *c)
{
    struct similar *s = c->state;
    struct cluster_case cc;
    struct cluster cluster;

    put_rows(c);
    dossier_put(c->board, c->step, TABLE_ISSUES, cJSON_Duplicate(s->issues, true));
    cluster_case_load(c->board, c->now_ms, &cc);
    cluster_analyse(&cc.in, NULL, &cluster);
    describe(c, &cluster);
    put_num(c, "similar.count", (double)cJSON_GetArraySize(s->issues));
    char *why = xstrdup(cluster.why);
    cluster_clear(&cluster);
    cluster_case_clear(&cc);
    collect_complete(c, "%s", why);
    free(why);
}

static void pick_baseline(struct collect *c)
{
    struct similar *s = c->state;
    const struct issue_list *own = &s->lists[LIST_PROJECT];
    size_t max = (size_t)collect_number(c, "baseline.issues", 5);

    if (!own->known && !s->lists[LIST_NEW].known && !s->lists[LIST_LATEST].known) {
        error_set(&c->error, ERR_UPSTREAM, "%s", buf_str(&c->losses));
        collect_fail(c, NULL);
        return;
    }
    build_table(c);
    for (size_t i = 0; i < own->n && s->n_baseline < max && s->n_baseline < MAX_BASELINE; i++)
        if (is_usual(own->rows[i]))
            ask_baseline(c, json_str(own->rows[i], "id"));
    probe_onsets(c);
    collect_wait(c, finish);
}

static void ask_list(struct collect *c, size_t tag, const struct sentry_issues_query *query)
{
    struct error err = ERROR_INIT;
    struct collect_call *call = collect_call(c, got_list, tag);

    collect_sent(
        call, sentry_list_issues(c->sources->sentry, c->owner, query, collect_received, call, &err),
        &err);
}

static void start(struct collect *c)
{
    struct error err = ERROR_INIT;
    int64_t onset = evidence_time(c->board, "trend.onset");
    /* Older than a day: hourly counts no longer reach back to it. */
    const char *stats = onset != TIME_UNKNOWN && onset < c->now_ms - DAY_MS ? "14d" : "24h";
    struct sentry_releases_query releases = { .per_page = 100, .max_pages = 1 };

    c->state = xcalloc(1, sizeof(struct similar));
    ask_list(c, LIST_PROJECT,
             &(struct sentry_issues_query){ .project = evidence_str(c->board, "issue.project_id"),
                                            .sort = "freq",
                                            .stats_period = "14d",
                                            .group_stats_period = stats,
                                            .limit = 100,
                                            .max_pages = 1 });
    ask_list(c, LIST_NEW,
             &(struct sentry_issues_query){ .sort = "new",
                                            .stats_period = "14d",
                                            .group_stats_period = stats,
                                            .limit = 100,
                                            .max_pages = 1 });
    ask_list(c, LIST_LATEST,
             &(struct sentry_issues_query){ .sort = "freq",
                                            .stats_period = "14d",
                                            .group_stats_period = stats,
                                            .limit = 100,
                                            .max_pages = 1 });
    struct collect_call *call = collect_call(c, got_releases, 0);
    collect_sent(
        call,
        sentry_list_releases(c->sources->sentry, c->owner, &releases, collect_received, call, &err),
        &err);
    collect_wait(c, pick_baseline);
}

static void clear(struct collect *c)
{
    struct similar *s = c->state;

    if (!s)
        return;
    for (size_t i = 0; i < LISTS; i++)
        free(s->lists[i].rows);
    cJSON_Delete(s->read);
    for (size_t i = 0; i < s->n_baseline; i++)
        source_release(s->baseline[i].rows);
    cJSON_Delete(s->issues);
    free(s);
}

const struct collector collector_similar_issues = { .name = "similar_issues",
                                                    .start = start,
                                                    .clear = clear };
