/* The board's facts as the members of the casefile that every view shows. */
#include "assess.h"

#include "dbconn/analysis/failure.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/collectors/dossier.h"

static int64_t count_of(const struct evidence *board, const char *name)
{
    double value;

    return evidence_num(board, name, &value) ? json_whole(value) : -1;
}

static void fill_issue(struct casefile *c, const struct evidence *board)
{
    xreplace(&c->issue.id, evidence_str(board, "issue.id"));
    xreplace(&c->issue.short_id, evidence_str(board, "issue.short_id"));
    xreplace(&c->issue.title, evidence_str(board, "issue.title"));
    xreplace(&c->issue.url, evidence_str(board, "issue.url"));
    xreplace(&c->issue.project, evidence_str(board, "issue.project"));
    xreplace(&c->issue.level, evidence_str(board, "issue.level"));
    xreplace(&c->issue.priority, evidence_str(board, "issue.priority"));
    xreplace(&c->issue.error_line, evidence_str(board, "issue.error_line"));
    c->issue.user_count = count_of(board, "issue.users");
    c->issue.event_count = count_of(board, "issue.events");
    c->issue.first_seen_ms = evidence_time(board, "issue.first_seen");
    c->issue.last_seen_ms = evidence_time(board, "issue.last_seen");
}

static void fill_target(struct target *t, const struct evidence *board, const cJSON *one)
{
    xreplace(&t->engine, evidence_str(board, "target.engine"));
    xreplace(&t->failure, evidence_str(board, "failure.kind"));
    xreplace(&t->host, json_str(one, "host"));
    xreplace(&t->port, json_str(one, "port"));
    xreplace(&t->database, json_str(one, "database"));
    xreplace(&t->user, json_str(one, "user"));
}

static void fill_targets(struct casefile *c, const struct evidence *board)
{
    const cJSON *all = evidence_json(board, "target.all"), *one;

    for (size_t i = 0; i < c->n_targets; i++)
        target_clear(&c->targets[i]);
    c->n_targets = 0;
    fill_target(&c->target, board, json_first(all));
    cJSON_ArrayForEach (one, all) {
        fill_target(VEC_ADD(c->targets, c->n_targets, c->cap_targets), board, one);
    }
}

static void fill_failures(struct casefile *c, const struct evidence *board)
{
    const cJSON *item;

    for (size_t i = 0; i < c->n_failures; i++)
        free(c->failures[i].failure);
    c->n_failures = 0;
    cJSON_ArrayForEach (item, evidence_json(board, "failures.counts")) {
        struct failure_count *f = VEC_ADD(c->failures, c->n_failures, c->cap_failures);
        f->failure = xstrdup(json_str(item, "failure"));
        (void)json_i64(item, "count", &f->count);
    }
}

static void fill_trend(struct casefile *c, const struct evidence *board)
{
    const char *kind = evidence_str(board, "trend.kind");

    for (int k = TREND_UNKNOWN; k <= TREND_BOUNDED; k++)
        if (text_same(kind, trend_kind_name((enum trend_kind)k)))
            c->trend.kind = (enum trend_kind)k;
    c->trend.onset_ms = evidence_time(board, "trend.onset");
    c->trend.ongoing = evidence_tri(board, "trend.ongoing");
}

static void fill_impact(struct casefile *c, const struct evidence *board)
{
    const char *kind = evidence_str(board, "impact.kind");

    for (int k = IMPACT_UNKNOWN; k <= IMPACT_SEGMENT; k++)
        if (text_same(kind, impact_kind_name((enum impact_kind)k)))
            c->impact.kind = (enum impact_kind)k;
    xreplace(&c->impact.tag, evidence_str(board, "impact.tag"));
    xreplace(&c->impact.value, evidence_str(board, "impact.value"));
    if (!evidence_num(board, "impact.share", &c->impact.share))
        c->impact.share = -1;
}

static void add_marker(struct series *s, int64_t at_ms, const char *label)
{
    int64_t end = s->start_ms + (int64_t)s->n_counts * s->interval_ms;

    if (at_ms == TIME_UNKNOWN || at_ms < s->start_ms || at_ms > end)
        return;
    struct series_marker *m = VEC_ADD(s->markers, s->n_markers, s->cap_markers);
    m->at_ms = at_ms;
    m->label = xstrdup(label);
}

/* When it began to go live, as far as known: what the sentences about it count from. */
static int64_t release_time(const struct rollout_release *r, const struct evidence *board)
{
    int64_t onset = evidence_time(board, "trend.onset");
    double lead;

    if (onset != TIME_UNKNOWN && text_same(r->version, evidence_str(board, "release.suspect")) &&
        evidence_num(board, "release.lead", &lead))
        return onset - (int64_t)lead;
    if (r->n_deploys && r->deploys[0].started_ms != TIME_UNKNOWN)
        return r->deploys[0].started_ms;
    if (r->n_deploys && r->deploys[0].finished_ms != TIME_UNKNOWN)
        return r->deploys[0].finished_ms;
    return r->released_ms != TIME_UNKNOWN ? r->released_ms : r->created_ms;
}

static void add_release_markers(struct series *s, const struct evidence *board)
{
    struct release_table table;
    const cJSON *version;

    release_table_load(board, TABLE_RELEASES, &table);
    cJSON_ArrayForEach (version, evidence_json(board, "release.near")) {
        for (size_t i = 0; i < table.n; i++) {
            const struct rollout_release *r = &table.items[i];
            if (!text_same(r->version, cJSON_GetStringValue(version)))
                continue;
            int64_t at = release_time(r, board);
            char *label = xasprintf("release %s", r->version);
            add_marker(s, at, label);
            free(label);
        }
    }
    release_table_clear(&table);
}

/* The finest series that shows the onset and what has happened since; else the longest. */
static const cJSON *series_to_show(const cJSON *table, int64_t onset_ms, int64_t now_ms)
{
    const cJSON *entry, *longest = NULL;
    int64_t start, interval, longest_start = INT64_MAX;

    cJSON_ArrayForEach (entry, table) {
        if (!json_i64(entry, "start", &start) || !json_i64(entry, "interval", &interval))
            continue;
        int64_t end = start + interval * cJSON_GetArraySize(json_get(entry, "counts"));
        if (onset_ms != TIME_UNKNOWN && start < onset_ms && end + interval >= now_ms)
            return entry;
        if (start < longest_start) {
            longest = entry;
            longest_start = start;
        }
    }
    return longest;
}

struct span {
    int64_t from_ms, to_ms;
};

/* The outage, and on both sides as much as it is long, an hour at least: a day around five minutes
 * would show one bar. */
static struct span span_to_show(const struct evidence *board, int64_t now_ms)
{
    int64_t onset = evidence_time(board, "trend.onset"),
            last = evidence_time(board, "trend.last_event"), around;

    if (onset == TIME_UNKNOWN)
        return (struct span){ INT64_MIN, INT64_MAX };
    if (last == TIME_UNKNOWN || last < onset)
        last = now_ms > onset ? now_ms : onset;
    around = last - onset > HOUR_MS ? last - onset : HOUR_MS;
    return (struct span){ onset - around, last + around };
}

/* The last interval has hardly begun when it is looked at: its few errors would look like the end
 * of them. Not when the outage is no older. */
static struct span whole_intervals(struct span span, const cJSON *shown, int64_t onset_ms,
                                   int64_t now_ms)
{
    int64_t start, interval, last;

    if (!json_i64(shown, "start", &start) || !json_i64(shown, "interval", &interval) ||
        interval <= 0 || now_ms <= start)
        return span;
    last = now_ms - (now_ms - start) % interval;
    if (now_ms - last < interval / 2 && onset_ms < last && last < span.to_ms)
        span.to_ms = last;
    return span;
}

static void take_counts(struct series *s, const cJSON *shown, struct span span)
{
    const cJSON *count;
    int64_t at;

    s->n_counts = 0;
    if (!json_i64(shown, "start", &at) || !json_i64(shown, "interval", &s->interval_ms))
        return;
    cJSON_ArrayForEach (count, json_get(shown, "counts")) {
        if (at + s->interval_ms > span.from_ms && at < span.to_ms) {
            if (s->n_counts == 0)
                s->start_ms = at;
            *VEC_ADD(s->counts, s->n_counts, s->cap_counts) = count->valuedouble;
        }
        at += s->interval_ms;
    }
}

static void fill_series(struct casefile *c, const struct evidence *board)
{
    cJSON *table = dossier_get(board, TABLE_SERIES);
    int64_t onset = evidence_time(board, "trend.onset");
    const cJSON *shown = series_to_show(table, onset, c->evaluated_ms);
    struct span span = span_to_show(board, c->evaluated_ms);

    for (size_t i = 0; i < c->series.n_markers; i++)
        free(c->series.markers[i].label);
    c->series.n_markers = c->series.n_counts = 0;
    if (shown)
        take_counts(&c->series, shown, whole_intervals(span, shown, onset, c->evaluated_ms));
    if (c->series.n_counts > 0) {
        add_marker(&c->series, onset, "onset");
        add_release_markers(&c->series, board);
    }
    cJSON_Delete(table);
}

void casefile_from_board(struct casefile *c, const struct evidence *board)
{
    fill_issue(c, board);
    fill_targets(c, board);
    fill_failures(c, board);
    fill_trend(c, board);
    fill_impact(c, board);
    fill_series(c, board);
    c->applicable = evidence_tri(board, "failure.applicable");
}
