#include "sentry/shapes.h"

#include <ctype.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"

#define STEPS_MAX 20000
#define DAY_S 86400

char *tag_title(const char *key)
{
    char *title = xstrdup(key);
    bool begins = true;

    if (strcmp(key, "url") == 0) {
        free(title);
        return xstrdup("URL");
    }
    for (char *c = title; *c; c++) {
        if (*c == '_' || *c == '.')
            *c = ' ';
        else if (begins)
            *c = (char)toupper((unsigned char)*c);
        begins = *c == ' ';
    }
    return title;
}

struct steps {
    int64_t begin_s, step_s;
    size_t n;
    int64_t *count;
};

static void count_at(struct steps *s, int64_t at_s, int64_t n)
{
    int64_t i = (at_s - s->begin_s) / s->step_s;

    if (at_s >= s->begin_s && i < (int64_t)s->n)
        s->count[i] += n;
}

static int64_t older_at_ms(const struct sentry_model *m, const cJSON *row)
{
    const cJSON *seconds = row->child;

    return m->world->now_ms + (int64_t)((seconds ? seconds->valuedouble : 0) * 1000);
}

static int64_t older_count(const cJSON *row)
{
    const cJSON *n = cJSON_GetArrayItem(row, 1);

    return n ? (int64_t)n->valuedouble : 0;
}

cJSON *shape_stats(const struct sentry_model *m, const struct issue *g, int64_t since_s,
                   int64_t until_s, int64_t step_s)
{
    struct steps s = { .begin_s = since_s / step_s * step_s, .step_s = step_s };
    cJSON *out = cJSON_CreateArray();

    s.n = (size_t)((until_s - s.begin_s) / step_s + 1);
    if (until_s < s.begin_s || s.n > STEPS_MAX)
        return out;
    s.count = xcalloc(s.n, sizeof(*s.count));
    for (size_t i = 0; i < g->n; i++)
        count_at(&s, g->events[i].at_ms / 1000, 1);
    for (const cJSON *row = json_first(g->older); row; row = row->next)
        count_at(&s, older_at_ms(m, row) / 1000, older_count(row));
    for (size_t i = 0; i < s.n; i++) {
        cJSON *point = cJSON_CreateArray();
        cJSON_AddItemToArray(point, cJSON_CreateNumber((double)(s.begin_s + (int64_t)i * step_s)));
        cJSON_AddItemToArray(point, cJSON_CreateNumber((double)s.count[i]));
        cJSON_AddItemToArray(out, point);
    }
    free(s.count);
    return out;
}

static cJSON *last_days(const struct sentry_model *m, const struct issue *g, int64_t days,
                        int64_t step_s)
{
    int64_t now_s = clock_wall_ms() / 1000;

    return shape_stats(m, g, now_s - days * DAY_S, now_s, step_s);
}

static void put_project(cJSON *out, const cJSON *p)
{
    cJSON *project = json_put_object(out, "project");

    json_put_str(project, "id", json_str(p, "id"));
    json_put_str(project, "name", json_str(p, "name"));
    json_put_str(project, "slug", json_str(p, "slug"));
    json_put_str(project, "platform", json_str(p, "platform"));
}

static void put_numbers(cJSON *out, int64_t count, int64_t users, const struct issue *g)
{
    char *text = xasprintf("%lld", (long long)count);

    json_put_str(out, "count", text);
    json_put_i64(out, "userCount", users);
    put_moment(out, "firstSeen", g->first_ms);
    put_moment(out, "lastSeen", g->last_ms);
    free(text);
}

static void put_assignee(cJSON *out, const struct issue *g)
{
    const char *team = json_str(g->spec, "assigned");
    cJSON *assigned;

    if (!team) {
        json_put_null(out, "assignedTo");
        return;
    }
    assigned = json_put_object(out, "assignedTo");
    json_put_str(assigned, "type", "team");
    json_put_str(assigned, "id", "701");
    json_put_str(assigned, "name", team);
}

/* What every form of an issue shows, but for the numbers. */
static cJSON *begin_issue(const struct sentry_model *m, const struct issue *g)
{
    const cJSON *trace = issue_trace(m, g), *x = trace_exception(trace);
    const char *value = json_str_or(g->spec, "value", variant_value(issue_variant(g), x));
    const char *type = json_str_or(g->spec, "type", json_str_or(x, "type", "Error"));
    char *title = event_title(type, value);
    char *link = xasprintf("https://%s.sentry.io/issues/%s/", m->org_slug, g->id);
    bool has_substatus = cJSON_GetObjectItemCaseSensitive(g->spec, "substatus") != NULL;
    cJSON *out = cJSON_CreateObject();

    json_put_str(out, "id", g->id);
    json_put_null(out, "shareId");
    json_put_str(out, "shortId", g->short_id);
    json_put_str(out, "title", title);
    json_put_str(out, "culprit", issue_culprit(g));
    json_put_str(out, "permalink", link);
    json_put_str(out, "logger", json_str(g->spec, "logger"));
    json_put_str(out, "level", g->level);
    json_put_str(out, "status", g->status);
    cJSON *details = json_get(g->spec, "statusDetails")
                         ? cJSON_Duplicate(json_get(g->spec, "statusDetails"), true)
                         : cJSON_CreateObject();
    cJSON_AddItemToObject(out, "statusDetails", details);
    json_put_str(out, "substatus", has_substatus ? json_str(g->spec, "substatus") : "ongoing");
    json_put_bool(out, "isPublic", false);
    json_put_str(out, "platform", json_str(trace, "platform"));
    put_project(out, g->project);
    json_put_str(out, "type", "error");
    cJSON_AddItemToObject(out, "metadata", shape_metadata(g, trace, value));
    json_put_i64(out, "numComments", 0);
    put_assignee(out, g);
    json_put_bool(out, "isBookmarked", false);
    json_put_bool(out, "isSubscribed", false);
    json_put_null(out, "subscriptionDetails");
    json_put_bool(out, "hasSeen", true);
    (void)json_put_array(out, "annotations");
    json_put_str(out, "issueType", "error");
    json_put_str(out, "issueCategory", "error");
    json_put_str(out, "priority", g->priority);
    json_put_null(out, "priorityLockedAt");
    json_put_bool(out, "isUnhandled", !text_same(json_str(x, "handled"), "yes"));
    free(title);
    free(link);
    return out;
}

/* The numbers of a window, and those of all time beside them. */
static void put_window(const struct sentry_model *m, cJSON *out, const struct issue *g,
                       const struct issue_options *o)
{
    int64_t n = 0;

    for (size_t i = 0; i < g->n; i++)
        n += g->events[i].at_ms >= o->since_ms && g->events[i].at_ms <= o->until_ms;
    for (const cJSON *row = json_first(g->older); row; row = row->next) {
        int64_t at = older_at_ms(m, row);
        n += at >= o->since_ms && at <= o->until_ms ? older_count(row) : 0;
    }
    put_numbers(out, n, issue_users(g, o->since_ms, o->until_ms), g);
    cJSON *lifetime = json_put_object(out, "lifetime");
    put_numbers(lifetime, g->count, g->users, g);
    json_put_null(lifetime, "stats");
    json_put_null(out, "filtered");
}

static cJSON *shape_listed(const struct sentry_model *m, const struct issue *g,
                           const struct issue_options *o)
{
    cJSON *out = begin_issue(m, g), *stats;

    if (o->since_ms)
        put_window(m, out, g, o);
    else
        put_numbers(out, g->count, g->users, g);
    if (!o->stats_period)
        return out;
    stats = json_put_object(out, "stats");
    if (strcmp(o->stats_period, "14d") == 0 || strcmp(o->stats_period, "30d") == 0)
        cJSON_AddItemToObject(stats, o->stats_period,
                              last_days(m, g, strtoll(o->stats_period, NULL, 10), DAY_S));
    else
        cJSON_AddItemToObject(stats, "24h", last_days(m, g, 1, 3600));
    return out;
}

/* Keys only, as the details show them: every key of the newest events. */
static void put_tag_keys(const struct sentry_model *m, cJSON *out, const struct issue *g)
{
    cJSON *list = json_put_array(out, "tags");
    struct tags seen = { 0 }, tags = { 0 };
    size_t from = g->n > 400 ? g->n - 400 : 0;

    for (size_t i = from; i < g->n; i++) {
        event_tags(m, &g->events[i], &tags);
        for (size_t k = 0; k < tags.n; k++)
            if (!tags_get(&seen, tags.items[k].key))
                *VEC_ADD(seen.items, seen.n, seen.cap) = tags.items[k];
    }
    for (size_t i = 0; i < seen.n; i++) {
        cJSON *one = cJSON_CreateObject();
        char *title = tag_title(seen.items[i].key);
        json_put_str(one, "key", seen.items[i].key);
        json_put_str(one, "name", title);
        json_put_i64(one, "totalValues", (int64_t)g->n);
        cJSON_AddItemToArray(list, one);
        free(title);
    }
    tags_clear(&seen);
    tags_clear(&tags);
}

static void put_activity(cJSON *out, const struct issue *g)
{
    cJSON *one = cJSON_CreateObject();

    json_put_str(one, "id", "0");
    json_put_null(one, "user");
    json_put_str(one, "type", "first_seen");
    (void)json_put_object(one, "data");
    put_moment(one, "dateCreated", g->first_ms);
    cJSON_AddItemToArray(json_put_array(out, "activity"), one);
}

cJSON *shape_issue(const struct sentry_model *m, const struct issue *g,
                   const struct issue_options *options)
{
    static const char *const empty[] = { "seenBy",           "participants",   "pluginActions",
                                         "pluginIssues",     "pluginContexts", "sentryAppIssues",
                                         "integrationIssues" };
    const char *slug = json_str(g->project, "slug");
    cJSON *out, *stats;

    if (options->in_list)
        return shape_listed(m, g, options);
    out = begin_issue(m, g);
    put_numbers(out, g->count, g->users, g);
    stats = json_put_object(out, "stats");
    cJSON_AddItemToObject(stats, "24h", last_days(m, g, 1, 3600));
    cJSON_AddItemToObject(stats, "30d", last_days(m, g, 30, DAY_S));
    put_tree(out, "firstRelease", shape_release_or_version(m, g->first_release, slug));
    put_tree(out, "lastRelease", shape_release_or_version(m, g->last_release, slug));
    put_tag_keys(m, out, g);
    put_activity(out, g);
    for (size_t i = 0; i < ARRAY_LEN(empty); i++)
        (void)json_put_array(out, empty[i]);
    json_put_i64(out, "userReportCount", 0);
    return out;
}

cJSON *shape_project(const struct sentry_model *m, const cJSON *p)
{
    cJSON *out = cJSON_CreateObject(), *org, *team = cJSON_CreateObject(), *environments;
    const char *name = json_str_or(p, "team", "backend");

    json_put_str(out, "id", json_str(p, "id"));
    json_put_str(out, "slug", json_str(p, "slug"));
    json_put_str(out, "name", json_str(p, "name"));
    json_put_str(out, "platform", json_str(p, "platform"));
    json_put_str(out, "dateCreated", "2021-09-14T12:00:00.000000Z");
    json_put_bool(out, "isMember", true);
    add_scopes(out, "access");
    json_put_bool(out, "hasAccess", true);
    json_put_str(out, "status", "active");
    org = json_put_object(out, "organization");
    json_put_str(org, "id", m->org_id);
    json_put_str(org, "slug", m->org_slug);
    json_put_str(org, "name", m->org_name);
    json_put_str(team, "id", "701");
    json_put_str(team, "slug", name);
    json_put_str(team, "name", name);
    cJSON_AddItemToArray(json_put_array(out, "teams"), team);
    environments = json_put_array(out, "environments");
    cJSON_AddItemToArray(environments, cJSON_CreateString("production"));
    cJSON_AddItemToArray(environments, cJSON_CreateString("staging"));
    return out;
}

cJSON *shape_org(const struct sentry_model *m)
{
    cJSON *out = cJSON_CreateObject(), *status, *links;
    char *url = xasprintf("https://%s.sentry.io", m->org_slug);

    json_put_str(out, "id", m->org_id);
    json_put_str(out, "slug", m->org_slug);
    status = json_put_object(out, "status");
    json_put_str(status, "id", "active");
    json_put_str(status, "name", "active");
    json_put_str(out, "name", m->org_name);
    json_put_str(out, "dateCreated", "2020-06-01T08:00:00.000000Z");
    links = json_put_object(out, "links");
    json_put_str(links, "organizationUrl", url);
    json_put_str(links, "regionUrl", "https://us.sentry.io");
    (void)json_put_array(out, "features");
    add_scopes(out, "access");
    free(url);
    return out;
}
