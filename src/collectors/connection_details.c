/* Step 3: which database, where, and how the connection failed: from the exceptions, and where they
 * lack it from the variables, breadcrumbs, contexts and tags. No source is asked. */
#include "collect.h"
#include "steps.h"

#include "dbconn/analysis/failure.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/collectors/dossier.h"

#define MAX_CHAIN 20

/* The event's exceptions; without an event, what the issue says. */
static void read_exceptions(struct collect *c, struct failure *f)
{
    struct failure_exception chain[MAX_CHAIN];
    cJSON *list = dossier_get(c->board, "event.exceptions");
    const cJSON *item;
    size_t n = 0;

    cJSON_ArrayForEach (item, list) {
        if (n < MAX_CHAIN)
            chain[n++] =
                (struct failure_exception){ json_str(item, "type"), json_str(item, "value"),
                                            json_str(item, "module") };
    }
    if (n == 0)
        chain[n++] =
            (struct failure_exception){ evidence_str(c->board, "issue.error_type"),
                                        evidence_str(c->board, "issue.error_value"), NULL };
    failure_read_chain(c->sources->reader, chain, n, f);
    cJSON_Delete(list);
}

static void add_surroundings(struct collect *c, struct failure *f)
{
    cJSON *layers = dossier_get(c->board, "event.layers");
    cJSON *hints = dossier_get(c->board, "event.hints");
    const cJSON *item;

    cJSON_ArrayForEach (item, layers) {
        (void)failure_add_layer(json_str(item, "name"), f);
    }
    (void)failure_add_layer(evidence_str(c->board, "issue.filename"), f);
    cJSON_ArrayForEach (item, hints) {
        (void)failure_add_json_hints(c->sources->reader, item, f);
    }
    cJSON_Delete(layers);
    cJSON_Delete(hints);
}

static bool names_host(const struct failure *f)
{
    return f->n_targets > 0 && f->targets[0].host;
}

/* Gives `f` the targets of `other`, which gets those of `f`. */
static void swap_targets(struct failure *f, struct failure *other)
{
    struct failure kept = *f;

    f->targets = other->targets;
    f->n_targets = other->n_targets;
    f->cap_targets = other->cap_targets;
    other->targets = kept.targets;
    other->n_targets = kept.n_targets;
    other->cap_targets = kept.cap_targets;
    if (f->engine == ENGINE_UNKNOWN)
        f->engine = other->engine;
}

/* One issue mixes messages with and without an address. What the latest event leaves open comes
 * from the other messages of the same issue, the most frequent first; one without an address never
 * takes one away. */
static void read_other_messages(struct collect *c, struct failure *f)
{
    cJSON *list = dossier_get(c->board, "event.messages");
    const cJSON *item;
    struct failure other;

    cJSON_ArrayForEach (item, list) {
        if (names_host(f) || f->is_database == NO)
            break;
        failure_read(
            c->sources->reader,
            &(struct failure_exception){ json_str(item, "type"), json_str(item, "value"), NULL },
            &other);
        if (names_host(&other) && other.is_database != NO)
            swap_targets(f, &other);
        failure_clear(&other);
    }
    cJSON_Delete(list);
}

/* Kinds that name an issue as soon as they are a fair share of it, the most telling first: a server
 * that has no slot left says so itself, while clients in its queue time out; where something
 * refuses (the machine answered, nothing listens), timeouts and resets come along with it. */
static const enum failure_kind telling[] = { FAILURE_TOO_MANY_CONNECTIONS,
                                             FAILURE_CONNECTION_REFUSED };

/*
 * One issue often mixes kinds: refused, timed out, reset. A telling kind names it when it is a fair
 * share of what happened since the onset, otherwise the most frequent one does, and what the latest
 * event says decides a tie.
 */
static enum failure_kind main_kind(struct collect *c, const struct failure *f)
{
    const cJSON *counts = evidence_json(c->board, "failures.counts"), *item;
    double fair_share = collect_number(c, "events.telling_share", 0.15);
    enum failure_kind best = f->kind, kind;
    int64_t by_kind[FAILURE_COUNT] = { 0 }, total = 0, count;

    cJSON_ArrayForEach (item, counts) {
        if (!failure_kind_parse(json_str(item, "failure"), &kind) || kind == FAILURE_OTHER ||
            !json_i64(item, "count", &count))
            continue;
        by_kind[kind] = count;
        total += count;
        if (count > by_kind[best] || (count == by_kind[best] && kind == f->kind))
            best = kind;
    }
    for (size_t i = ARRAY_LEN(telling); i-- > 0;)
        if (total > 0 && (double)by_kind[telling[i]] >= fair_share * (double)total)
            best = telling[i];
    /* The raised exception may hide its cause; then the rows only repeat the wrapper. */
    if (f->kind != FAILURE_OTHER && failure_kind_is_applicable(best) != YES)
        return f->kind;
    return best;
}

static void put_targets(struct collect *c, const struct failure *f)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < f->n_targets; i++) {
        const struct failure_target *t = &f->targets[i];
        cJSON *obj = cJSON_CreateObject();
        json_put_str(obj, "host", t->host);
        json_put_str(obj, "port", t->port);
        json_put_str(obj, "database", t->database);
        json_put_str(obj, "user", t->user);
        cJSON *aliases = json_put_array(obj, "aliases");
        for (size_t a = 0; a < t->n_aliases; a++)
            cJSON_AddItemToArray(aliases, cJSON_CreateString(t->aliases[a]));
        cJSON_AddItemToArray(list, obj);
    }
    evidence_set_json(c->board, c->step, "target.all", list, NULL, NULL);
    const struct failure_target *first = f->n_targets ? &f->targets[0] : NULL;
    put_str(c, "target.host", first ? first->host : NULL);
    put_str(c, "target.port", first ? first->port : NULL);
    put_str(c, "target.database", first ? first->database : NULL);
    put_str(c, "target.user", first ? first->user : NULL);
}

static bool is_loopback(const char *host)
{
    return host && (text_isame(host, "localhost") || text_starts(host, "127.") ||
                    text_same(host, "::1") || host[0] == '/');
}

static char *describe(const struct failure *f)
{
    const struct failure_target *t = f->n_targets ? &f->targets[0] : NULL;
    struct buf out = BUF_INIT;

    buf_adds(&out, engine_title(f->engine));
    if (t && t->host)
        buf_addf(&out, " at %s%s%s", t->host, t->port ? ":" : "", t->port ? t->port : "");
    else
        buf_adds(&out, ", the message names no address");
    if (t && t->database)
        buf_addf(&out, ", database %s", t->database);
    if (t && t->user)
        buf_addf(&out, ", user %s", t->user);
    return buf_take(&out);
}

static void put_verdict(struct collect *c, const struct failure *f)
{
    const char *url = evidence_str(c->board, "event.url");

    if (!url)
        url = evidence_str(c->board, "issue.url");
    char *where = describe(f);
    char *text = xasprintf("%s: %s", where, failure_title(f));
    evidence_set_str(c->board, c->step, "failure.kind", failure_kind_name(f->kind), text, url);
    evidence_set_str(c->board, c->step, "target.engine", engine_name(f->engine), where, url);
    evidence_set_tri(c->board, c->step, "failure.database", f->is_database, NULL, url,
                     "neither the message nor the stack says what was called");
    evidence_set_tri(c->board, c->step, "failure.applicable", failure_is_applicable(f), text, url,
                     "neither the message nor the stack says whether this is a database");
    put_str(c, "failure.instead", f->instead);
    put_bool(c, "target.local", f->n_targets && is_loopback(f->targets[0].host));
    collect_finding(c, url, "%s.", text);
    free(text);
    free(where);
}

static void start(struct collect *c)
{
    struct failure f;

    read_exceptions(c, &f);
    add_surroundings(c, &f);
    read_other_messages(c, &f);
    f.kind = main_kind(c, &f);
    put_targets(c, &f);
    put_verdict(c, &f);
    char *where = describe(&f);
    if (f.instead)
        collect_complete(c, "This is %s, no database.", f.instead);
    else
        collect_complete(c, "%s: %s.", where, failure_title(&f));
    free(where);
    failure_clear(&f);
}

const struct collector collector_connection_details = { .name = "connection_details",
                                                        .start = start };
