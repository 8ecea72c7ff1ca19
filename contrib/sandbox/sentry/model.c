#include "sentry/model.h"

#include <stdio.h>
#include <strings.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "world/ids.h"

#define FIRST_USER 5000

static double number_at(const cJSON *row, int i, double fallback)
{
    const cJSON *item = cJSON_GetArrayItem(row, i);

    return cJSON_IsNumber(item) ? item->valuedouble : fallback;
}

static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;

    return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

static int by_event_id(const void *a, const void *b)
{
    return strcmp((*(const struct event *const *)a)->id, (*(const struct event *const *)b)->id);
}

static void read_events(const struct sentry_model *m, struct issue *g)
{
    size_t index = 0;

    for (const cJSON *row = json_items(g->spec, "events"); row; row = row->next) {
        struct event *e = VEC_ADD(g->events, g->n, g->cap);
        double release = number_at(row, 3, -1);
        char *id = id_hash(32, "%s/%zu", g->id, index++);
        e->issue = g;
        e->at_ms = m->world->now_ms + (int64_t)(number_at(row, 0, 0) * 1000);
        e->variant = (size_t)number_at(row, 1, 0);
        e->host = (size_t)number_at(row, 2, 0);
        e->release =
            release >= 0 ? cJSON_GetStringValue(list_at(&g->releases, (size_t)release)) : NULL;
        e->user = (int64_t)number_at(row, 4, -1);
        e->transaction = (size_t)number_at(row, 5, 0);
        memcpy(e->id, id, sizeof(e->id));
        free(id);
    }
    if (g->n > 0)
        qsort(g->events, g->n, sizeof(*g->events), by_time);
    for (size_t i = 0; i < g->n; i++)
        g->events[i].order = i;
}

static int64_t highest_user(const struct issue *g)
{
    int64_t most = -1;

    for (size_t i = 0; i < g->n; i++)
        most = g->events[i].user > most ? g->events[i].user : most;
    return most;
}

int64_t issue_users(const struct issue *g, int64_t since_ms, int64_t until_ms)
{
    int64_t n = 0;
    bool *seen = xcalloc((size_t)(highest_user(g) + 2), sizeof(*seen));

    for (size_t i = 0; i < g->n; i++) {
        const struct event *e = &g->events[i];
        if (e->user < 0 || seen[e->user] || e->at_ms < since_ms || e->at_ms > until_ms)
            continue;
        seen[e->user] = true;
        n++;
    }
    free(seen);
    return n;
}

static int64_t time_or(const cJSON *spec, const char *key, int64_t fallback)
{
    int64_t ms = json_time(spec, key);

    return ms == TIME_UNKNOWN ? fallback : ms;
}

/* A member of the file wins, also when it is null; otherwise the events tell. */
static void read_releases(struct issue *g)
{
    const char *first = g->n ? g->events[0].release : NULL, *last = NULL;

    for (size_t i = g->n; i-- > 0 && !last;)
        last = g->events[i].release;
    g->first_release = cJSON_GetObjectItemCaseSensitive(g->spec, "firstRelease")
                           ? json_str(g->spec, "firstRelease")
                           : first;
    g->last_release = cJSON_GetObjectItemCaseSensitive(g->spec, "lastRelease")
                          ? json_str(g->spec, "lastRelease")
                      : g->first_release ? last
                                         : NULL;
}

static void read_issue(const struct sentry_model *m, const cJSON *spec, struct issue *g)
{
    g->spec = spec;
    g->id = json_str_or(spec, "id", "0");
    g->short_id = json_str_or(spec, "shortId", "");
    g->project = model_project(m, json_str_or(spec, "project", ""));
    g->level = json_str_or(spec, "level", "error");
    g->status = json_str_or(spec, "status", "unresolved");
    g->priority = json_str_or(spec, "priority", "high");
    list_of(json_get(spec, "variants"), &g->variants);
    list_of(json_get(spec, "hosts"), &g->hosts);
    list_of(json_get(spec, "tx"), &g->transactions);
    list_of(json_get(spec, "rels"), &g->releases);
    read_events(m, g);
    g->older = json_get(spec, "older");
    for (const cJSON *row = json_first(g->older); row; row = row->next)
        g->older_total += (int64_t)number_at(row, 1, 0);
    g->first_ms = time_or(spec, "firstSeen", g->n ? g->events[0].at_ms : m->world->now_ms);
    g->last_ms = time_or(spec, "lastSeen", g->n ? g->events[g->n - 1].at_ms : g->first_ms);
    g->count = (int64_t)g->n + g->older_total;
    (void)json_i64(spec, "olderUsers", &g->users);
    g->users += issue_users(g, 0, INT64_MAX);
    read_releases(g);
}

static void index_events(struct sentry_model *m)
{
    int64_t most = -1;

    for (size_t i = 0; i < m->n_issues; i++) {
        const struct issue *g = &m->issues[i];
        for (size_t k = 0; k < g->n; k++)
            *VEC_ADD(m->by_id, m->n_events, m->cap_events) = &g->events[k];
        most = highest_user(g) > most ? highest_user(g) : most;
    }
    if (m->n_events > 0)
        qsort(m->by_id, m->n_events, sizeof(*m->by_id), by_event_id);
    for (int64_t u = 0; u <= most; u++)
        *VEC_ADD(m->user_tags, m->n_users, m->cap_users) =
            xasprintf("id:%lld", (long long)u + FIRST_USER);
}

void sentry_model_init(struct sentry_model *m, const struct world *world)
{
    const cJSON *org = json_get(world->sentry, "org");
    struct list specs;

    *m = (struct sentry_model){ .world = world };
    m->org_slug = json_str_or(org, "slug", "example");
    m->org_id = json_str_or(org, "id", "1");
    m->org_name = json_str_or(org, "name", "Example");
    list_of(json_get(world->sentry, "projects"), &m->projects);
    list_of(json_get(world->sentry, "people"), &m->people);
    list_of(json_get(world->sentry, "releases"), &m->releases);
    list_of(json_get(world->sentry, "traces"), &m->traces);
    list_of(json_get(world->sentry, "repos"), &m->repos);
    list_of(json_get(world->sentry, "issues"), &specs);
    m->issues = xcalloc(specs.n ? specs.n : 1, sizeof(*m->issues));
    for (; m->n_issues < specs.n; m->n_issues++)
        read_issue(m, specs.item[m->n_issues], &m->issues[m->n_issues]);
    list_clear(&specs);
    index_events(m);
}

void sentry_model_clear(struct sentry_model *m)
{
    for (size_t i = 0; i < m->n_issues; i++) {
        struct issue *g = &m->issues[i];
        list_clear(&g->variants);
        list_clear(&g->hosts);
        list_clear(&g->transactions);
        list_clear(&g->releases);
        free(g->events);
    }
    for (size_t i = 0; i < m->n_users; i++)
        free(m->user_tags[i]);
    free(m->user_tags);
    free(m->issues);
    free(m->by_id);
    list_clear(&m->projects);
    list_clear(&m->people);
    list_clear(&m->releases);
    list_clear(&m->traces);
    list_clear(&m->repos);
}

const struct issue *model_issue(const struct sentry_model *m, const char *id)
{
    for (size_t i = 0; i < m->n_issues; i++)
        if (strcmp(m->issues[i].id, id) == 0 || strcasecmp(m->issues[i].short_id, id) == 0)
            return &m->issues[i];
    return NULL;
}

const struct event *model_event(const struct sentry_model *m, const char *id)
{
    struct event key;
    const struct event *wanted = &key, **found;
    size_t n = 0;

    for (const char *c = id; *c && n < sizeof(key.id) - 1; c++)
        if (*c != '-')
            key.id[n++] = *c;
    key.id[n] = '\0';
    found = m->n_events ? bsearch(&wanted, m->by_id, m->n_events, sizeof(*m->by_id), by_event_id)
                        : NULL;
    return found ? *found : NULL;
}

const cJSON *model_project(const struct sentry_model *m, const char *slug)
{
    for (size_t i = 0; i < m->projects.n; i++)
        if (text_same(json_str(m->projects.item[i], "slug"), slug) ||
            text_same(json_str(m->projects.item[i], "id"), slug))
            return m->projects.item[i];
    return NULL;
}

const cJSON *model_release(const struct sentry_model *m, const char *version)
{
    for (size_t i = 0; version && i < m->releases.n; i++)
        if (text_same(json_str(m->releases.item[i], "version"), version))
            return m->releases.item[i];
    return NULL;
}

bool release_is_in(const cJSON *release, const char *slug)
{
    for (const cJSON *p = json_items(release, "projects"); p; p = p->next)
        if (text_same(cJSON_GetStringValue(p), slug))
            return true;
    return false;
}

const cJSON *event_variant(const struct event *e)
{
    const cJSON *variant = list_at(&e->issue->variants, e->variant);

    return variant ? variant : list_at(&e->issue->variants, 0);
}

static const cJSON *variant_trace(const struct sentry_model *m, const cJSON *variant)
{
    int64_t i = 0;

    (void)json_i64(variant, "trace", &i);
    return list_at(&m->traces, (size_t)i);
}

const cJSON *event_trace(const struct sentry_model *m, const struct event *e)
{
    return variant_trace(m, event_variant(e));
}

const cJSON *issue_variant(const struct issue *g)
{
    int64_t i = 0;

    (void)json_i64(g->spec, "titleVariant", &i);
    return list_at(&g->variants, (size_t)i);
}

const cJSON *issue_trace(const struct sentry_model *m, const struct issue *g)
{
    return variant_trace(m, issue_variant(g));
}

const char *event_transaction(const struct event *e)
{
    const struct list *tx = &e->issue->transactions;
    const cJSON *one = list_at(tx, e->transaction);

    if (!one)
        one = list_at(tx, 0);
    return one ? cJSON_GetStringValue(one) : "/";
}

const char *issue_culprit(const struct issue *g)
{
    const cJSON *tx = list_at(&g->transactions, 0);

    return json_str_or(g->spec, "culprit", tx ? cJSON_GetStringValue(tx) : "/");
}

const cJSON *trace_exception(const cJSON *trace)
{
    const cJSON *last = NULL;

    for (const cJSON *x = json_items(trace, "exceptions"); x; x = x->next)
        last = x;
    return last;
}

const char *variant_value(const cJSON *variant, const cJSON *exception)
{
    const char *value = json_str(variant, "value");

    return value ? value : json_str(exception, "value");
}

const cJSON *exception_frame(const cJSON *exception)
{
    const cJSON *last = NULL, *in_app = NULL;

    for (const cJSON *f = json_items(exception, "frames"); f; f = f->next) {
        const cJSON *flag = cJSON_GetArrayItem(f, 3);
        last = f;
        if (cJSON_IsTrue(flag) || (cJSON_IsNumber(flag) && flag->valuedouble != 0))
            in_app = f;
    }
    return in_app ? in_app : last;
}

void tags_clear(struct tags *tags)
{
    free(tags->items);
    *tags = (struct tags){ 0 };
}

const char *tags_get(const struct tags *tags, const char *key)
{
    for (size_t i = 0; i < tags->n; i++)
        if (strcmp(tags->items[i].key, key) == 0)
            return tags->items[i].value;
    return NULL;
}

/* Sets a tag; a later value replaces an earlier one, NULL removes it. */
static void put_tag(struct tags *tags, const char *key, const char *value)
{
    for (size_t i = 0; i < tags->n; i++) {
        if (strcmp(tags->items[i].key, key) == 0) {
            tags->items[i].value = value;
            return;
        }
    }
    *VEC_ADD(tags->items, tags->n, tags->cap) = (struct tag){ key, value };
}

static void put_object(struct tags *tags, const cJSON *obj)
{
    for (const cJSON *t = obj ? obj->child : NULL; t; t = t->next)
        put_tag(tags, t->string, cJSON_GetStringValue(t));
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct tag *)a)->key, ((const struct tag *)b)->key);
}

static void drop_absent(struct tags *tags)
{
    size_t n = 0;

    for (size_t i = 0; i < tags->n; i++)
        if (tags->items[i].value)
            tags->items[n++] = tags->items[i];
    tags->n = n;
}

void event_tags(const struct sentry_model *m, const struct event *e, struct tags *ret)
{
    const struct issue *g = e->issue;
    const cJSON *variant = event_variant(e), *x = trace_exception(event_trace(m, e));
    const cJSON *host = list_at(&g->hosts, e->host);
    const cJSON *release = model_release(m, e->release);

    if (!host)
        host = list_at(&g->hosts, 0);
    ret->n = 0;
    put_tag(ret, "handled", json_str_or(variant, "handled", json_str_or(x, "handled", "no")));
    put_tag(ret, "level", g->level);
    put_tag(ret, "mechanism", json_str_or(x, "mechanism", "generic"));
    put_object(ret, json_get(g->spec, "baseTags"));
    put_tag(ret, "server_name", host ? json_str(host, "name") : "app-1");
    put_object(ret, json_get(host, "tags"));
    put_object(ret, json_get(variant, "tags"));
    put_tag(ret, "transaction", event_transaction(e));
    if (e->release)
        put_tag(ret, "release", e->release);
    if (json_str(release, "dist"))
        put_tag(ret, "dist", json_str(release, "dist"));
    if (e->user >= 0)
        put_tag(ret, "user", m->user_tags[e->user]);
    drop_absent(ret);
    qsort(ret->items, ret->n, sizeof(*ret->items), by_key);
}
