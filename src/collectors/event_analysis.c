/*
 * Step 2: the events: the latest one in full, how they are spread over time, and of what kinds they
 * are.
 *
 *   round 1   latest event | newest rows | counts per 10 min of a day | counts per hour of 14 days
 *   round 2   when it is needed: counts per minute around the onset | rows around it, in windows
 *             that hold about a page each
 */
#include "collect.h"
#include "event_facts.h"
#include "steps.h"

#include "dbconn/analysis/trend.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/collectors/dossier.h"
#include "dbconn/sources/sentry.h"

#define PAGE 100
#define MAX_RESULTS 16
#define ALL_LISTED_SHARE                                                                           \
    0.6 /* counts and lists differ a little: buckets are cut, clocks differ                        \
         */
#define ALL_LISTED_SLACK 5

enum { SERIES_NEAR, SERIES_FINE, SERIES_LONG, SERIES_COUNT };

struct events {
    const struct sentry_event *latest;
    const struct source_series *series[SERIES_COUNT];
    const struct sentry_event_rows *pages[MAX_RESULTS];
    size_t n_pages;
    struct trend_span windows[MAX_RESULTS]; /* what each page was asked for; [0]: the newest */
    struct trend_span asked[MAX_RESULTS];   /* by tag */
    size_t n_asked;
    struct trend trend;
    bool has_trend;
    bool news; /* since the last analysis */
};

static void got_event(struct collect *c, const void *result, const struct error *err, size_t tag)
{
    struct events *e = c->state;

    (void)tag;
    if (result) {
        source_hold(result);
        e->latest = result;
    } else {
        collect_lost(c, "Could not read the latest event: %s", error_text(err));
    }
}

static void got_series(struct collect *c, const void *result, const struct error *err, size_t tag)
{
    struct events *e = c->state;

    (void)err; /* the issue's own statistics stand in for it */
    if (!result)
        return;
    source_hold(result);
    e->series[tag] = result;
    e->news = true;
}

/* `tag`: which of the windows that were asked for. */
static void got_rows(struct collect *c, const void *result, const struct error *err, size_t tag)
{
    struct events *e = c->state;

    if (!result) {
        collect_lost(c, "Could not list the events: %s", error_text(err));
        return;
    }
    if (e->n_pages == MAX_RESULTS)
        return;
    source_hold(result);
    e->windows[e->n_pages] = e->asked[tag];
    e->pages[e->n_pages++] = result;
    e->news = true;
}

/* ---- what is stored ---- */

static int newest_first(const void *a, const void *b)
{
    const struct sentry_event_row *x = *(const struct sentry_event_row *const *)a;
    const struct sentry_event_row *y = *(const struct sentry_event_row *const *)b;

    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? 1 : -1;
    return x->id && y->id ? strcmp(x->id, y->id) : 0;
}

/* All rows of all pages, each once, newest first. Heap; the rows are lent by the pages. */
static const struct sentry_event_row **all_rows(const struct events *e, size_t *n)
{
    size_t total = 0, kept = 0;

    for (size_t p = 0; p < e->n_pages; p++)
        total += e->pages[p]->n;
    const struct sentry_event_row **rows = xcalloc(total + 1, sizeof(*rows));
    total = 0;
    for (size_t p = 0; p < e->n_pages; p++)
        for (size_t i = 0; i < e->pages[p]->n; i++)
            rows[total++] = &e->pages[p]->items[i];
    qsort(rows, total, sizeof(*rows), newest_first);
    for (size_t i = 0; i < total; i++)
        if (kept == 0 || !rows[i]->id || !text_same(rows[i]->id, rows[kept - 1]->id))
            rows[kept++] = rows[i];
    *n = kept;
    return rows;
}

static void put_rows(struct collect *c, const struct sentry_event_row **rows, size_t n)
{
    struct rows_builder *b = rows_builder_new();

    for (size_t i = 0; i < n; i++) {
        rows_builder_row(b, rows[i]->at_ms, NULL, 1);
        for (size_t t = 0; t < rows[i]->n_tags; t++) {
            const struct source_pair *tag = &rows[i]->tags[t];
            rows_builder_tag(b, tag->key, tag->value);
        }
    }
    rows_builder_put(b, c->board, c->step, TABLE_ROWS);
    put_num(c, "events.listed", (double)n);
}

static void put_series(struct collect *c)
{
    struct events *e = c->state;
    cJSON *list = cJSON_CreateArray(), *own = NULL;

    for (size_t i = 0; i < SERIES_COUNT; i++)
        collect_add_series(list, e->series[i]);
    if (cJSON_GetArraySize(list) == 0 && (own = dossier_get(c->board, "issue.series"))) {
        cJSON_Delete(list);
        list = own;
    }
    dossier_put(c->board, c->step, TABLE_SERIES, list);
}

/* The environment that most of the rows carry. */
static void put_environment(struct collect *c, const struct sentry_event_row **rows, size_t n)
{
    const char *best = NULL;
    size_t best_count = 0;

    for (size_t i = 0; i < n; i++) {
        size_t count = 0;
        if (!rows[i]->environment || text_same(rows[i]->environment, best))
            continue;
        for (size_t j = 0; j < n; j++)
            count += text_same(rows[j]->environment, rows[i]->environment);
        if (count > best_count) {
            best = rows[i]->environment;
            best_count = count;
        }
        if (best_count * 2 > n)
            break;
    }
    put_str(c, "events.environment", best);
}

/* ---- the trend ---- */

static const char *const trend_words[] = {
    [TREND_UNKNOWN] = "too few to see a pattern",
    [TREND_CONSTANT] = "steady since they began",
    [TREND_SPIKE] = "a sudden jump",
    [TREND_GRADUAL_INCREASE] = "growing gradually",
    [TREND_INTERMITTENT] = "bursts with quiet in between",
    [TREND_BOUNDED] = "one outage that began and ended",
};

static void put_bursts(struct collect *c, const struct trend *t)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < t->n_bursts; i++) {
        cJSON *obj = cJSON_CreateObject();
        json_put_i64(obj, "start", t->bursts[i].start_ms);
        json_put_i64(obj, "end", t->bursts[i].end_ms);
        cJSON_AddItemToObject(obj, "events", cJSON_CreateNumber(t->bursts[i].events));
        cJSON_AddItemToArray(list, obj);
    }
    dossier_put(c->board, c->step, "trend.burst_list", list);
    put_num(c, "trend.bursts", (double)t->n_bursts);
}

static void put_trend(struct collect *c, const struct trend *t)
{
    const char *url = evidence_str(c->board, "issue.url");

    evidence_set_str(c->board, c->step, "trend.kind", trend_kind_name(t->kind), t->why, url);
    put_time(c, "trend.onset", t->onset_ms);
    put_num(c, "trend.onset_slack", (double)t->onset_slack_ms);
    put_time(c, "trend.end", t->end_ms);
    put_time(c, "trend.last_event", t->last_event_ms);
    evidence_set_tri(c->board, c->step, "trend.ongoing", t->ongoing, NULL, url,
                     "it has been quiet too briefly to tell");
    put_num(c, "trend.events", t->events);
    put_num(c, "trend.jump", t->jump_ratio);
    put_num(c, "trend.slope", t->slope);
    put_num(c, "trend.duty", t->duty_cycle);
    put_num(c, "trend.rate", t->rate_after);
    put_num(c, "trend.confidence", t->confidence);
    if (t->onset_ms != TIME_UNKNOWN)
        put_num(c, "trend.length",
                (double)((t->last_event_ms == TIME_UNKNOWN ? c->now_ms : t->last_event_ms) -
                         t->onset_ms));
    put_bursts(c, t);
}

static void add_span(cJSON *spans, int64_t from_ms, int64_t to_ms)
{
    cJSON *span = cJSON_CreateObject();

    json_put_i64(span, "from", from_ms);
    json_put_i64(span, "to", to_ms);
    cJSON_AddItemToArray(spans, span);
}

/* Events between two moments as a series counts them, buckets cut by their share. */
static double counted_between(const struct source_series *s, int64_t from_ms, int64_t to_ms)
{
    double sum = 0;

    for (size_t i = 0; s && i < s->n_points; i++) {
        int64_t start = s->points[i].at_ms, end = start + s->interval_ms;
        int64_t overlap = (end < to_ms ? end : to_ms) - (start > from_ms ? start : from_ms);
        if (overlap > 0)
            sum += s->points[i].value * (double)overlap / (double)s->interval_ms;
    }
    return sum;
}

/* Of a busy issue the older events are counted but no longer listed, without a sign in the list. */
static bool holds_all(const struct events *e, size_t page)
{
    const struct trend_span *w = &e->windows[page];
    double counted = counted_between(e->series[SERIES_LONG], w->from_ms, w->to_ms);

    return !e->pages[page]->meta.partial &&
           (double)e->pages[page]->n >= ALL_LISTED_SHARE * counted - ALL_LISTED_SLACK;
}

/* The windows in which every event is listed: a hole between the rows around the onset and the
 * newest ones must not look like quiet. Empty when the list has no hole. */
static void put_coverage(struct collect *c)
{
    struct events *e = c->state;
    const struct sentry_event_rows *newest = e->n_pages ? e->pages[0] : NULL;
    bool capped = newest && newest->meta.partial;
    cJSON *spans = cJSON_CreateArray();

    if (capped && newest->n)
        add_span(spans, newest->items[newest->n - 1].at_ms, c->now_ms);
    for (size_t i = 1; capped && i < e->n_pages; i++)
        if (holds_all(e, i))
            add_span(spans, e->windows[i].from_ms, e->windows[i].to_ms);
    put_bool(c, "events.capped", capped);
    dossier_put(c->board, c->step, TABLE_LISTED, spans);
}

static void analyse(struct collect *c)
{
    struct events *e = c->state;
    struct trend_case t;
    size_t n;
    const struct sentry_event_row **rows = all_rows(e, &n);

    if (e->has_trend)
        trend_clear(&e->trend);
    put_rows(c, rows, n);
    put_series(c);
    put_coverage(c);
    trend_case_load(c->board, c->now_ms, &t);
    trend_analyse(&t.in, NULL, &e->trend);
    e->has_trend = true;
    e->news = false;
    put_trend(c, &e->trend);
    put_environment(c, rows, n);
    put_kinds(c, rows, n, e->trend.onset_ms);
    trend_case_clear(&t);
    free(rows);
}

static void finish(struct collect *c)
{
    struct events *e = c->state;

    if (e->news)
        analyse(c);
    put_latest_event(c, e->latest);
    if (!e->latest && e->n_pages == 0) {
        error_set(&c->error, ERR_UPSTREAM, "%s", buf_str(&c->losses));
        collect_fail(c, NULL);
        return;
    }
    collect_finding(c, evidence_str(c->board, "issue.url"), "%s", e->trend.why);
    collect_complete(c, "%s%s.", trend_words[e->trend.kind],
                     e->trend.ongoing == YES  ? ", still going on"
                     : e->trend.ongoing == NO ? ", over now"
                                              : "");
}

/* ---- asking ---- */

static void ask_rows(struct collect *c, int64_t start_ms, int64_t end_ms, int max_pages)
{
    struct events *e = c->state;
    struct error err = ERROR_INIT;

    if (e->n_asked == MAX_RESULTS || (end_ms && start_ms >= end_ms))
        return; /* Sentry answers 400 to an empty window */
    e->asked[e->n_asked] = (struct trend_span){ start_ms, end_ms };
    struct collect_call *call = collect_call(c, got_rows, e->n_asked++);
    struct sentry_events_query query = {
        .issue_id = c->issue,
        .start_ms = start_ms,
        .end_ms = end_ms,
        .per_page = PAGE,
        .max_pages = max_pages,
    };

    collect_sent(
        call,
        sentry_list_events(c->sources->sentry, c->owner, &query, collect_received, call, &err),
        &err);
}

static void ask_series(struct collect *c, size_t tag, const struct sentry_series_query *query)
{
    struct error err = ERROR_INIT;
    struct collect_call *call = collect_call(c, got_series, tag);

    collect_sent(
        call,
        sentry_events_series(c->sources->sentry, c->owner, query, collect_received, call, &err),
        &err);
}

/* An onset of which only the hour is known cannot be held against a deploy or a log line. */
static void ask_series_near_onset(struct collect *c)
{
    const struct trend *t = &((struct events *)c->state)->trend;
    int64_t end = t->onset_ms + t->onset_slack_ms + HOUR_MS;

    ask_series(c, SERIES_NEAR,
               &(struct sentry_series_query){ .issue = c->issue,
                                              .start_ms = t->onset_ms - HOUR_MS,
                                              .end_ms = end < c->now_ms ? end : c->now_ms,
                                              .interval_ms = MINUTE_MS });
}

/* Windows of about a page each, from shortly before the onset until the rows that are here. */
static void ask_windows(struct collect *c, int64_t from_ms, int64_t to_ms)
{
    struct trend_case t;
    size_t windows = 0, max = (size_t)collect_number(c, "events.windows", 8);
    int64_t start = from_ms;
    double events = 0;

    trend_case_load(c->board, c->now_ms, &t);
    for (size_t s = 0; s < t.in.n_series && windows < max; s++) {
        const struct trend_series *series = &t.series[s];
        for (size_t i = 0; i < series->n_counts && windows < max; i++) {
            int64_t end = series->start_ms + (int64_t)(i + 1) * series->interval_ms;
            if (end <= start || start >= to_ms)
                continue;
            if (series->start_ms > start)
                break; /* this series begins too late, a longer one follows */
            events += series->counts[i];
            if (events < PAGE * 0.8 && end < to_ms)
                continue;
            ask_rows(c, start, end < to_ms ? end : to_ms, 2);
            start = end;
            events = 0;
            windows++;
        }
    }
    if (windows == 0)
        ask_rows(c, from_ms, to_ms, 3);
    trend_case_clear(&t);
}

/* Do the newest rows begin after the onset, so that others have to be asked for? */
static bool rows_begin_late(const struct events *e, int64_t before_ms)
{
    const struct sentry_event_rows *newest = e->n_pages ? e->pages[0] : NULL;

    return newest && newest->meta.partial && newest->n > 0 &&
           newest->items[newest->n - 1].at_ms > e->trend.onset_ms - before_ms;
}

/* Round 2, when it is needed. */
static void look_back(struct collect *c)
{
    struct events *e = c->state;
    int64_t before = collect_ms(c, "events.before_onset_minutes", 180);

    analyse(c);
    if (e->trend.onset_ms != TIME_UNKNOWN) {
        if (e->trend.onset_slack_ms > collect_ms(c, "events.onset_known_minutes", 2))
            ask_series_near_onset(c);
        if (rows_begin_late(e, before))
            ask_windows(c, e->trend.onset_ms - before,
                        e->pages[0]->items[e->pages[0]->n - 1].at_ms + 1);
    }
    collect_wait(c, finish);
}

/* Round 1 needs no more than the issue's name. */
static void ask(struct collect *c)
{
    struct error err = ERROR_INIT;
    struct collect_call *call = collect_call(c, got_event, 0);

    c->state = xcalloc(1, sizeof(struct events));
    collect_sent(call,
                 sentry_get_event(c->sources->sentry, c->owner, c->issue, "latest",
                                  collect_received, call, &err),
                 &err);
    ask_rows(c, 0, 0, 1);
    ask_series(c, SERIES_FINE,
               &(struct sentry_series_query){
                   .issue = c->issue, .stats_period = "24h", .interval_ms = 10 * MINUTE_MS });
    ask_series(c, SERIES_LONG,
               &(struct sentry_series_query){
                   .issue = c->issue, .stats_period = "14d", .interval_ms = HOUR_MS });
}

static void start(struct collect *c)
{
    if (!c->state)
        ask(c);
    collect_wait(c, look_back);
}

static void clear(struct collect *c)
{
    struct events *e = c->state;

    if (!e)
        return;
    source_release(e->latest);
    for (size_t i = 0; i < SERIES_COUNT; i++)
        source_release(e->series[i]);
    for (size_t i = 0; i < e->n_pages; i++)
        source_release(e->pages[i]);
    if (e->has_trend)
        trend_clear(&e->trend);
    free(e);
}

const struct collector collector_event_analysis = {
    .name = "event_analysis", .start = start, .ahead = ask, .ahead_at_once = true, .clear = clear
};
