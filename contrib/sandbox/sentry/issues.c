/* issues - lists of issues, and everything below one issue. */
#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "sentry/ask.h"
#include "sentry/shapes.h"
#include "world/ids.h"

/* ---- the list ---- */

struct listing {
    const struct issue **items;
    size_t n, cap;
};

static int64_t sort_key(const struct issue *g, const char *sort)
{
    if (strcmp(sort, "new") == 0)
        return g->first_ms;
    if (strcmp(sort, "freq") == 0 || strcmp(sort, "trends") == 0)
        return g->count;
    if (strcmp(sort, "user") == 0)
        return g->users;
    return g->last_ms;
}

static bool is_sort(const char *sort)
{
    static const char *const sorts[] = { "date",   "new",   "freq",       "user",
                                         "trends", "inbox", "recommended" };

    for (size_t i = 0; i < ARRAY_LEN(sorts); i++)
        if (strcmp(sorts[i], sort) == 0)
            return true;
    return false;
}

/* Highest first; few enough for insertion. */
static void sort_listing(struct listing *l, const char *sort)
{
    for (size_t i = 1; i < l->n; i++) {
        const struct issue *g = l->items[i];
        size_t k = i;
        for (; k > 0 && sort_key(l->items[k - 1], sort) < sort_key(g, sort); k--)
            l->items[k] = l->items[k - 1];
        l->items[k] = g;
    }
}

static bool seen_between(const struct issue *g, int64_t since_ms, int64_t until_ms)
{
    if (!since_ms || (g->last_ms >= since_ms && g->last_ms <= until_ms))
        return true;
    for (size_t i = 0; i < g->n; i++)
        if (g->events[i].at_ms >= since_ms && g->events[i].at_ms <= until_ms)
            return true;
    return false;
}

static bool in_environment(struct ask *a, const struct issue *g)
{
    if (!params_has(a->query, "environment"))
        return true;
    for (size_t i = 0; i < g->n; i++)
        if (ask_environment(a, &g->events[i]))
            return true;
    return false;
}

static void answer_listing(struct ask *a, const struct listing *l, struct issue_options *options)
{
    cJSON *out = cJSON_CreateArray();
    size_t from, n;

    if (!ask_page(a, l->n, &from, &n)) {
        cJSON_Delete(out);
        return;
    }
    for (size_t i = from; i < from + n; i++)
        cJSON_AddItemToArray(out, shape_issue(a->m, l->items[i], options));
    ask_answer(a, out);
}

/* A short id as the whole query, with shortIdLookup, leads to that issue. */
static bool direct_hit(struct ask *a)
{
    const struct issue *g = model_issue(a->m, params_get_or(a->query, "query", ""));
    struct issue_options options = { .in_list = true };
    cJSON *out;

    if (!g || !params_includes(a->query, "shortIdLookup", "1"))
        return false;
    out = cJSON_CreateArray();
    cJSON_AddItemToArray(out, shape_issue(a->m, g, &options));
    ask_answer(a, out);
    reply_header(a->reply, "x-sentry-direct-hit", "1");
    return true;
}

void list_issues(struct ask *a, const cJSON *project, int64_t default_ms)
{
    const char *text =
        params_get_or(a->query, "query", "is:unresolved issue.priority:[high, medium]");
    const char *sort = params_get_or(a->query, "sort", "date");
    const char *period = params_get_or(a->query, "groupStatsPeriod", "24h");
    struct issue_options options = { .in_list = true, .stats_period = *period ? period : NULL };
    struct listing l = { 0 };
    struct search *search = NULL;
    struct error err = ERROR_INIT;

    if (direct_hit(a))
        return;
    if (!is_sort(sort)) {
        ask_refuse(a, 400, "Invalid sort parameter");
        return;
    }
    if (search_window(a->query, &options.since_ms, &options.until_ms, &err) < 0 ||
        search_parse(a->m, text, true, &search, &err) < 0) {
        ask_invalid(a, &err);
        return;
    }
    if (!options.since_ms) {
        options.since_ms = clock_wall_ms() - default_ms;
        options.until_ms = clock_wall_ms() + MINUTE_MS;
    }
    for (size_t i = 0; i < a->m->n_issues; i++) {
        const struct issue *g = &a->m->issues[i];
        if ((project ? g->project == project : ask_project(a, g->project)) &&
            seen_between(g, options.since_ms, options.until_ms) && in_environment(a, g) &&
            search_takes_issue(search, g))
            *VEC_ADD(l.items, l.n, l.cap) = g;
    }
    sort_listing(&l, sort);
    answer_listing(a, &l, &options);
    search_free(search);
    free(l.items);
}

/* ---- events of one issue ---- */

static bool wants_full(struct ask *a)
{
    const char *full = params_get(a->query, "full");

    return full && strcmp(full, "0") != 0 && strcmp(full, "false") != 0;
}

static size_t most_listed(const struct issue *g)
{
    int64_t most = 0;

    return json_i64(g->spec, "eventsCap", &most) ? (size_t)most : SIZE_MAX;
}

static void list_events(struct ask *a, const struct issue *g)
{
    const struct event **found = NULL;
    size_t n_found = 0, cap = 0, from, n;
    struct search *search = NULL;
    struct error err = ERROR_INIT;
    int64_t since, until;

    if (search_window(a->query, &since, &until, &err) < 0 ||
        search_parse(a->m, params_get_or(a->query, "query", ""), false, &search, &err) < 0) {
        ask_invalid(a, &err);
        return;
    }
    for (size_t i = g->n; i-- > 0 && n_found < most_listed(g);) {
        const struct event *e = &g->events[i];
        if ((!since || (e->at_ms >= since && e->at_ms <= until)) && ask_environment(a, e) &&
            search_takes_event(search, e))
            *VEC_ADD(found, n_found, cap) = e;
    }
    if (ask_page(a, n_found, &from, &n)) {
        cJSON *out = cJSON_CreateArray();
        for (size_t i = from; i < from + n; i++)
            cJSON_AddItemToArray(out, shape_event(a->m, found[i], wants_full(a)));
        ask_answer(a, out);
    }
    search_free(search);
    free(found);
}

/* latest, oldest, recommended: the first that fits, from the end it is counted from. */
static const struct event *named_event(struct ask *a, const struct issue *g, const char *word,
                                       struct search *search)
{
    bool oldest = strcmp(word, "oldest") == 0;

    for (size_t i = 0; i < g->n; i++) {
        const struct event *e = &g->events[oldest ? i : g->n - 1 - i];
        if (ask_environment(a, e) && search_takes_event(search, e))
            return e;
    }
    return NULL;
}

static bool is_event_word(const char *word)
{
    return strcmp(word, "latest") == 0 || strcmp(word, "oldest") == 0 ||
           strcmp(word, "recommended") == 0;
}

static void one_event(struct ask *a, const struct issue *g, const char *id, size_t at)
{
    const struct event *e = NULL;
    struct search *search = NULL;
    struct error err = ERROR_INIT;

    if (search_parse(a->m, params_get_or(a->query, "query", ""), false, &search, &err) < 0) {
        ask_invalid(a, &err);
        return;
    }
    e = is_event_word(id) ? named_event(a, g, id, search) : model_event(a->m, id);
    search_free(search);
    if (e && e->issue != g)
        e = NULL;
    if (!e)
        ask_refuse(a, 404,
                   is_event_word(id)
                       ? "No matching event found. Try changing the environments, date range, or "
                         "query."
                       : "Event not found. The event ID may be incorrect, or its age exceeded the "
                         "retention period.");
    else if (path_is(&a->path, at, "committers"))
        answer_committers(a, e);
    else if (at < a->path.n)
        ask_not_found(a);
    else
        ask_answer(a, shape_event_with_release(a->m, e));
}

/* ---- tags ---- */

struct tally {
    const char *value;
    int64_t n, first_ms, last_ms;
};

struct tallies {
    struct tally *items;
    size_t n, cap;
    int64_t total;
};

static void count_value(struct tallies *t, const char *value, int64_t at_ms)
{
    t->total++;
    for (size_t i = 0; i < t->n; i++) {
        struct tally *one = &t->items[i];
        if (strcmp(one->value, value) != 0)
            continue;
        one->n++;
        one->first_ms = at_ms < one->first_ms ? at_ms : one->first_ms;
        one->last_ms = at_ms > one->last_ms ? at_ms : one->last_ms;
        return;
    }
    *VEC_ADD(t->items, t->n, t->cap) = (struct tally){ value, 1, at_ms, at_ms };
}

static int most_first(const void *a, const void *b)
{
    const struct tally *x = a, *y = b;

    return x->n != y->n ? (x->n > y->n ? -1 : 1) : strcmp(x->value, y->value);
}

static int newest_first(const void *a, const void *b)
{
    const struct tally *x = a, *y = b;

    return x->last_ms > y->last_ms ? -1 : x->last_ms < y->last_ms;
}

static void count_tag(struct ask *a, const struct issue *g, const char *key, struct tallies *ret)
{
    struct tags tags = { 0 };

    *ret = (struct tallies){ 0 };
    for (size_t i = 0; i < g->n; i++) {
        if (!ask_environment(a, &g->events[i]))
            continue;
        event_tags(a->m, &g->events[i], &tags);
        const char *value = tags_get(&tags, key);
        if (value)
            count_value(ret, value, g->events[i].at_ms);
    }
    tags_clear(&tags);
    if (ret->n > 0)
        qsort(ret->items, ret->n, sizeof(*ret->items), most_first);
}

static cJSON *shape_value(const char *key, const struct tally *t)
{
    cJSON *out = cJSON_CreateObject();

    json_put_str(out, "key", key);
    json_put_str(out, "name", t->value);
    json_put_str(out, "value", t->value);
    json_put_i64(out, "count", t->n);
    put_moment(out, "lastSeen", t->last_ms);
    put_moment(out, "firstSeen", t->first_ms);
    if (strcmp(key, "user") == 0) {
        char *query = xasprintf("user.id:\"%s\"", t->value + strlen("id:"));
        json_put_str(out, "query", query);
        free(query);
    }
    return out;
}

static cJSON *shape_tag(const char *key, const struct tallies *t, size_t most)
{
    cJSON *out = cJSON_CreateObject(), *top;
    char *title = tag_title(key);

    json_put_str(out, "key", key);
    json_put_str(out, "name", title);
    json_put_i64(out, "uniqueValues", (int64_t)t->n);
    json_put_i64(out, "totalValues", t->total);
    top = json_put_array(out, "topValues");
    for (size_t i = 0; i < t->n && i < most; i++)
        cJSON_AddItemToArray(top, shape_value(key, &t->items[i]));
    free(title);
    return out;
}

static void collect_keys(struct ask *a, const struct issue *g, struct tags *ret)
{
    struct tags tags = { 0 };

    for (size_t i = 0; i < g->n; i++) {
        event_tags(a->m, &g->events[i], &tags);
        for (size_t k = 0; k < tags.n; k++)
            if (!tags_get(ret, tags.items[k].key))
                *VEC_ADD(ret->items, ret->n, ret->cap) = tags.items[k];
    }
    tags_clear(&tags);
}

static void all_tags(struct ask *a, const struct issue *g)
{
    size_t most = (size_t)params_i64(a->query, "limit", params_has(a->query, "key") ? 9 : 10);
    struct tags keys = { 0 };
    cJSON *out = cJSON_CreateArray();

    collect_keys(a, g, &keys);
    for (size_t i = 0; i < keys.n; i++) {
        const char *key = keys.items[i].key;
        struct tallies t;
        if (params_has(a->query, "key") && !params_includes(a->query, "key", key))
            continue;
        count_tag(a, g, key, &t);
        cJSON_AddItemToArray(out, shape_tag(key, &t, most));
        free(t.items);
    }
    tags_clear(&keys);
    ask_answer(a, out);
}

static void tag_values(struct ask *a, const char *key, struct tallies *t)
{
    size_t from, n;
    cJSON *out;

    if (text_isame(params_get(a->query, "sort"), "date"))
        qsort(t->items, t->n, sizeof(*t->items), newest_first);
    if (!ask_page(a, t->n, &from, &n))
        return;
    out = cJSON_CreateArray();
    for (size_t i = from; i < from + n; i++)
        cJSON_AddItemToArray(out, shape_value(key, &t->items[i]));
    ask_answer(a, out);
}

static void route_tags(struct ask *a, const struct issue *g, size_t at)
{
    const char *key = path_at(&a->path, at);
    struct tallies t;

    if (!*key) {
        all_tags(a, g);
        return;
    }
    count_tag(a, g, key, &t);
    if (t.n == 0)
        ask_not_found(a);
    else if (path_is(&a->path, at + 1, "values"))
        tag_values(a, key, &t);
    else
        ask_answer(a, shape_tag(key, &t, 9));
    free(t.items);
}

/* ---- the rest ---- */

static void drop_collapsed(struct ask *a, cJSON *issue)
{
    if (params_includes(a->query, "collapse", "release")) {
        cJSON_DeleteItemFromObjectCaseSensitive(issue, "firstRelease");
        cJSON_DeleteItemFromObjectCaseSensitive(issue, "lastRelease");
    }
    if (params_includes(a->query, "collapse", "stats"))
        cJSON_DeleteItemFromObjectCaseSensitive(issue, "stats");
    if (params_includes(a->query, "collapse", "tags"))
        cJSON_DeleteItemFromObjectCaseSensitive(issue, "tags");
}

static void answer_details(struct ask *a, const struct issue *g)
{
    struct issue_options options = { 0 };
    cJSON *out = shape_issue(a->m, g, &options);

    drop_collapsed(a, out);
    ask_answer(a, out);
}

static void answer_first_last(struct ask *a, const struct issue *g)
{
    const char *slug = json_str(g->project, "slug");
    cJSON *out = cJSON_CreateObject();

    json_put_str(out, "id", g->id);
    put_tree(out, "firstRelease", shape_release_or_version(a->m, g->first_release, slug));
    put_tree(out, "lastRelease", shape_release_or_version(a->m, g->last_release, slug));
    ask_answer(a, out);
}

static void answer_stats(struct ask *a, const struct issue *g)
{
    static const struct {
        const char *name;
        int64_t s;
    } steps[] = { { "10s", 10 }, { "1m", 60 }, { "1h", 3600 }, { "1d", 86400 } };
    const char *resolution = params_get_or(a->query, "resolution", "1h");
    int64_t now_s = clock_wall_ms() / 1000;

    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        if (strcmp(steps[i].name, resolution) != 0)
            continue;
        ask_answer(a, shape_stats(a->m, g, params_i64(a->query, "since", now_s - 86400),
                                  params_i64(a->query, "until", now_s), steps[i].s));
        return;
    }
    ask_refuse(a, 400, "Invalid resolution");
}

static double similarity(const struct issue *g)
{
    double score = 0;

    (void)json_num(g->spec, "similarity", &score);
    return score;
}

/* Issues of the project that the file calls similar, the most similar first. */
static void collect_similar(struct ask *a, const struct issue *g, struct listing *ret)
{
    for (size_t i = 0; i < a->m->n_issues; i++) {
        const struct issue *other = &a->m->issues[i];
        size_t k = ret->n;
        if (other == g || other->project != g->project || similarity(other) <= 0)
            continue;
        (void)VEC_ADD(ret->items, ret->n, ret->cap);
        for (; k > 0 && similarity(ret->items[k - 1]) < similarity(other); k--)
            ret->items[k] = ret->items[k - 1];
        ret->items[k] = other;
    }
}

static void answer_similar(struct ask *a, const struct issue *g, bool embeddings)
{
    struct issue_options options = { .in_list = true };
    struct listing found = { 0 };
    cJSON *out = cJSON_CreateArray();

    collect_similar(a, g, &found);
    for (size_t i = 0; i < found.n; i++) {
        const struct issue *other = found.items[i];
        double score = similarity(other);
        cJSON *pair = cJSON_CreateArray(), *features = cJSON_CreateObject();
        cJSON_AddItemToArray(pair, shape_issue(a->m, other, &options));
        if (embeddings) {
            cJSON_AddNumberToObject(features, "exception", score);
            json_put_str(features, "shouldBeGrouped", score > 0.95 ? "Yes" : "No");
        } else {
            cJSON_AddNumberToObject(features, "exception:message:character-shingles", score);
            json_put_null(features, "exception:stacktrace:pairs");
        }
        cJSON_AddItemToArray(pair, features);
        cJSON_AddItemToArray(out, pair);
    }
    free(found.items);
    ask_answer(a, out);
}

static void answer_hashes(struct ask *a, const struct issue *g)
{
    cJSON *out = cJSON_CreateArray(), *one = cJSON_CreateObject();
    char *id = id_hash(32, "%s fingerprint", g->id);

    json_put_str(one, "id", id);
    put_tree(one, "latestEvent", g->n ? shape_event(a->m, &g->events[g->n - 1], false) : NULL);
    cJSON_AddItemToArray(out, one);
    ask_answer(a, out);
    free(id);
}

static bool is_always_empty(const char *name)
{
    static const char *const names[] = { "comments",     "notes",       "external-issues",
                                         "integrations", "attachments", "user-feedback",
                                         "user-reports" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

void route_issue(struct ask *a, const struct issue *g, size_t at)
{
    const char *what = path_at(&a->path, at), *id = path_at(&a->path, at + 1);

    if (!g)
        ask_not_found(a);
    else if (!*what)
        answer_details(a, g);
    else if (strcmp(what, "events") == 0 && *id)
        one_event(a, g, id, at + 2);
    else if (strcmp(what, "events") == 0)
        list_events(a, g);
    else if (strcmp(what, "tags") == 0)
        route_tags(a, g, at + 1);
    else if (strcmp(what, "stats") == 0)
        answer_stats(a, g);
    else if (strcmp(what, "first-last-release") == 0)
        answer_first_last(a, g);
    else if (text_starts(what, "similar"))
        answer_similar(a, g, strcmp(what, "similar") != 0);
    else if (strcmp(what, "hashes") == 0)
        answer_hashes(a, g);
    else if (is_always_empty(what))
        ask_answer(a, cJSON_CreateArray());
    else
        ask_not_found(a);
}
