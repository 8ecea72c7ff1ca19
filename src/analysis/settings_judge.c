#include "settings_judge.h"

#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/text.h"

/* What the surroundings of an entry say, gathered from the name itself outwards. */
struct surroundings {
    bool database;      /* a database is named */
    bool loosely;       /* only by a function's name, or by what stands beside */
    bool other_system;  /* something that is no database is named nearer than a database */
    bool pooled;        /* "pool" or "connection" is named */
    bool direct;        /* the innermost section itself names the database */
    bool switched;      /* and nothing of it: "postgresql: enabled: false" */
    bool pool_section;  /* the innermost section is a pool */
    unsigned flags;     /* WORD_ROLE, WORD_CACHE, WORD_MONITOR, WORD_NETWORK of all levels */
    struct word role;   /* the word that says ROLE or CACHE */
    const char *engine; /* the innermost one named */
    enum environment env;
    struct diff_span env_text;
};

void judge_init(struct judge *j, const struct path_facts *path, const struct change_context *ctx)
{
    struct words w = { .n = 0 };

    j->path = path;
    j->ctx = ctx;
    if (ctx->environment)
        words_add((struct diff_span){ ctx->environment, strlen(ctx->environment) }, &w);
    j->env = words_environment(&w);
    if (j->env == ENV_UNKNOWN && ctx->environment && *ctx->environment)
        j->env = ENV_OTHER;
}

/* Words that mean the target or the service itself are no other database's: the failing database
 * may well be called "reporting". */
static bool is_own_word(const struct change_context *ctx, struct word w)
{
    char text[32];

    if (w.len < 2 || w.len >= sizeof(text))
        return false;
    memcpy(text, w.text, w.len);
    text[w.len] = '\0';
    for (size_t i = 0; i < ctx->n_hosts; i++)
        if (text_icontains(ctx->hosts[i], text))
            return true;
    for (size_t i = 0; i < ctx->n_services; i++)
        if (text_icontains(ctx->services[i], text))
            return true;
    return text_icontains(ctx->database, text) || text_icontains(ctx->user, text);
}

static bool is_cache_engine(const char *engine)
{
    return engine && (strcmp(engine, "redis") == 0 || strcmp(engine, "memcached") == 0 ||
                      strcmp(engine, "elasticsearch") == 0);
}

/* Names of calls and objects that open database connections, whatever their library. */
static bool is_constructor(const struct words *w)
{
    static const char *const pairs[][2] = {
        { "create", "engine" },      { "establish", "connection" },
        { "sql", "open" },           { "open", "db" },
        { "connect", "db" },         { "data", "source" },
        { "create", "connection" },  { "entity", "manager" },
        { "session", "maker" },      { "connection", "strings" },
        { "connection", "factory" }, { "conn", "config" },
    };

    for (size_t i = 0; i + 1 < w->n; i++)
        for (size_t k = 0; k < ARRAY_LEN(pairs); k++)
            if (word_is(w->items[i], pairs[k][0]) && word_is(w->items[i + 1], pairs[k][1]))
                return true;
    return false;
}

/* One level of names: the nearest level that says anything decides what it is about. */
static void add_level(const struct judge *j, const struct words *w, bool loosely,
                      struct surroundings *s)
{
    unsigned flags = words_flags(w);
    bool database = (flags & WORD_DATABASE) || is_constructor(w);

    s->pooled = s->pooled || words_have(w, "pool") || words_have(w, "connection") ||
                words_have(w, "connections") || words_have(w, "conn");
    for (size_t i = 0; i < w->n; i++) {
        if (!(word_flags(w->items[i]) & (WORD_ROLE | WORD_CACHE)) ||
            is_own_word(j->ctx, w->items[i]))
            continue;
        if (!(s->flags & (WORD_ROLE | WORD_CACHE)))
            s->role = w->items[i];
        s->flags |= word_flags(w->items[i]) & (WORD_ROLE | WORD_CACHE);
    }
    s->flags |= flags & (WORD_MONITOR | WORD_NETWORK);
    if ((flags & WORD_OTHER) && !database && !s->database)
        s->other_system = true;
    if (!s->engine && !s->other_system)
        s->engine = words_engine(w);
    if (!database || s->other_system)
        return;
    s->loosely = s->database ? s->loosely : loosely;
    s->database = true;
}

/* "if env == "staging"", "staging:", "[staging]", "STAGING_DB_HOST" */
static void add_environment(const struct words *w, struct diff_span text, struct surroundings *s)
{
    enum environment env = words_environment(w);

    if (env == ENV_UNKNOWN || s->env != ENV_UNKNOWN || span_has(text, "!=") ||
        span_has(text, " not "))
        return;
    s->env = env;
    s->env_text = text;
}

static bool is_condition(struct diff_span text)
{
    return span_starts_with(text, "if ") || span_starts_with(text, "elif ") ||
           span_starts_with(text, "case ") || span_starts_with(text, "when ") ||
           span_starts_with(text, "} else if") || span_starts_with(text, "{{- if") ||
           span_starts_with(text, "{{ if") || span_starts_with(text, "if(");
}

/* "db.insert({ host: ... })" works with a database and sets nothing of its connection. */
static bool works_with_data(const struct words *w)
{
    static const char *const verbs[] = { "query",  "insert",  "find",   "select",     "update",
                                         "delete", "execute", "exec",   "fetch",      "all",
                                         "get",    "where",   "save",   "create",     "count",
                                         "run",    "prepare", "raw",    "aggregate",  "one",
                                         "many",   "set",     "filter", "transaction" };

    for (size_t i = 0; w->n > 1 && i < ARRAY_LEN(verbs); i++)
        if (word_is(w->items[w->n - 1], verbs[i]))
            return true;
    return false;
}

static void add_sections(const struct judge *j, const struct entry *e, struct surroundings *s)
{
    for (size_t i = 0; i < e->n_sections; i++) {
        const struct section *section = &e->sections[i];
        struct words w = { .n = 0 }, all = { .n = 0 };
        if (section->line)
            scan_block_words(section->text, &w);
        else
            words_add(section->text, &w);
        if (span_has(section->text, ".Repo")) /* Ecto's convention: "config :shop, Shop.Repo" */
            s->database = true;
        if (is_condition(section->text))
            words_add(section->text, &all);
        else
            all = w;
        add_environment(&all, section->text, s);
        if (!section->line && works_with_data(&w))
            continue;
        add_level(j, &w, section->definition, s);
        s->direct = s->direct || (i == 0 && (words_flags(&w) & WORD_DATABASE));
        s->switched =
            s->switched || (i == 0 && w.n > 0 && (word_flags(w.items[w.n - 1]) & WORD_DATABASE));
        s->pool_section =
            s->pool_section || (i == 0 && w.n > 0 && word_is(w.items[w.n - 1], "pool"));
    }
}

/* "namespace: staging" and "RAILS_ENV: test" beside the entry or beside one of its sections. */
static void add_declared_environment(const struct side *side, const struct entry *e,
                                     struct surroundings *s)
{
    for (size_t i = 0; i < side->n_notes && !side->code; i++) {
        const struct entry *other = &side->entries[side->notes[i]];
        struct words value = { .n = 0 };
        if (span_is(other->key, "name") || span_is(other->key, "kind") ||
            (other->parent != e->parent && other->indent > e->indent))
            continue;
        words_add(other->value, &value);
        if (value.n <= 4)
            add_environment(&value, other->value, s);
    }
}

/* "kind: Service" and "metadata: name: shop-db" of a Kubernetes manifest. */
static void add_manifest(const struct judge *j, const struct side *side, const struct entry *e,
                         struct surroundings *s, bool *ret_network, bool *ret_service)
{
    static const char *const routes[] = { "Service",      "Endpoints",       "EndpointSlice",
                                          "ServiceEntry", "DestinationRule", "VirtualService",
                                          "TCPRoute" };

    for (size_t i = 0; i < side->n_notes && side->lang == LANG_YAML; i++) {
        const struct entry *other = &side->entries[side->notes[i]];
        struct words w = { .n = 0 };
        if (span_is(other->key, "kind") && other->indent == 0) {
            for (size_t k = 0; k < ARRAY_LEN(routes); k++)
                *ret_service = *ret_service || span_is(other->value, routes[k]);
            *ret_network = *ret_network || span_has(other->value, "NetworkPolicy") ||
                           span_has(other->value, "AuthorizationPolicy");
        }
        if (span_is(other->key, "name") && other != e && other->n_sections > 0 &&
            span_starts_with(other->sections[0].text, "metadata")) {
            words_add(other->value, &w);
            add_level(j, &w, true, s);
        }
    }
}

void judge_neighbours(const struct side *s, const struct entry *e, struct conn_parts *ret)
{
    size_t from, to;

    memset(ret, 0, sizeof(*ret));
    side_neighbours(s, e, &from, &to);
    for (size_t i = from; i < to; i++) {
        const struct entry *other = &s->entries[i];
        enum setting_kind kind = other->kind;
        struct value v;
        if (other == e || !other->known || !entries_are_siblings(e, other))
            continue;
        value_read(other->value, &v);
        if (v.connection) {
            *ret = v.parts;
            return;
        }
        if (kind == SETTING_HOST && value_fits(&v, kind, s->code))
            ret->host = v.text;
        else if (kind == SETTING_PORT && value_fits(&v, kind, s->code))
            ret->port = v.text;
        else if (kind == SETTING_DATABASE && value_fits(&v, kind, s->code))
            ret->database = v.text;
        else if (kind == SETTING_USER && value_fits(&v, kind, s->code))
            ret->user = v.text;
        else if (kind == SETTING_POOL_SIZE && v.number && !ret->options.len)
            ret->options = v.text;
    }
}

/* Host, port, user and database in one block are a connection, whatever the block is called. */
static bool neighbours_are_connection(const struct conn_parts *n, const struct change_context *ctx)
{
    bool port = port_engine(n->port) != NULL ||
                (ctx->port && n->port.len > 0 && span_is(n->port, ctx->port));
    size_t said =
        (n->host.len > 0) + (n->database.len > 0) + (n->user.len > 0) + (n->options.len > 0);

    return n->engine != NULL || (port && said > 0) || (n->user.len > 0 && n->database.len > 0);
}

/* Kinds whose names are used for much else ("name", "max", "server") need more than a mention. */
static bool kind_needs_more(const struct words *w, enum setting_kind kind, size_t used)
{
    static const char *const vague[] = { "max",     "min",        "size",        "maxsize",
                                         "minsize", "nodes",      "primary",     "master",
                                         "writer",  "connection", "connections", "conns",
                                         "login",   "seeds",      "provider",    "engine",
                                         "enabled" };

    if (kind == SETTING_DATABASE && used == 1 && word_is(w->items[w->n - 1], "name"))
        return true;
    for (size_t i = 0; used == 1 && i < ARRAY_LEN(vague); i++)
        if (word_is(w->items[w->n - 1], vague[i]))
            return true;
    return false;
}

/* "db_name", but not "database_sku_name" */
static bool names_database_last(const struct words *prefix)
{
    return prefix->n > 0 && (word_flags(prefix->items[prefix->n - 1]) & WORD_DATABASE);
}

static bool name_is_enough(const struct entry *e, const struct words *w, size_t used,
                           enum setting_kind kind, const struct surroundings *s,
                           const struct conn_parts *n)
{
    struct words prefix = *w;
    bool named;

    prefix.n -= used;
    named = (words_flags(&prefix) & WORD_DATABASE) != 0;
    if (kind == SETTING_POOL_SIZE || kind == SETTING_SERVER_LIMIT)
        return s->pooled || named;
    if (kind == SETTING_DATABASE) {
        for (size_t i = 0; i < e->n_sections && i < 1; i++)
            if (span_starts_with(e->sections[i].text, "metadata") ||
                span_starts_with(e->sections[i].text, "containers") ||
                span_starts_with(e->sections[i].text, "ports") ||
                span_starts_with(e->sections[i].text, "volume"))
                return false;
        return names_database_last(&prefix) ||
               (s->direct && (n->host.len > 0 || n->port.len > 0 || n->user.len > 0));
    }
    return named || s->direct;
}

static void say(struct verdict *v, enum harmless h, const char *why)
{
    v->harmless = h;
    v->why = why;
}

static bool hosts_differ(struct diff_span host, const struct change_context *ctx)
{
    return !host_is_placeholder(host) && host_is_target(host, ctx) == NO;
}

/* The value, or what stands beside it, belongs to another server than the refused one. */
static bool is_other_database(const struct judge *j, const struct surroundings *s,
                              const struct value *v, enum setting_kind kind,
                              const struct conn_parts *n, struct verdict *ret)
{
    const struct change_context *ctx = j->ctx;
    const char *engine = v->connection && v->parts.engine ? v->parts.engine : s->engine;
    struct diff_span port = kind == SETTING_PORT ? v->text : n->port;
    bool exact = kind == SETTING_HOST || kind == SETTING_URL;

    if (exact && value_is_target(v, kind, ctx) == YES)
        return false;
    if (kind != SETTING_HOST && host_is_target(n->host, ctx) == YES)
        return false;
    if (engine_differs(engine, ctx->engine)) {
        ret->why_engine = engine;
        return true;
    }
    if ((s->flags & WORD_ROLE) || ((s->flags & WORD_CACHE) && !is_cache_engine(ctx->engine))) {
        ret->why_word = (struct diff_span){ s->role.text, s->role.len };
        return true;
    }
    if (kind != SETTING_HOST && kind != SETTING_URL && hosts_differ(n->host, ctx)) {
        ret->why_word = n->host;
        return true;
    }
    if (kind != SETTING_PORT && engine_differs(port_engine(port), ctx->engine) &&
        (!ctx->port || !span_is(port, ctx->port))) {
        ret->why_engine = port_engine(port);
        return true;
    }
    return false;
}

static bool environment_differs(const struct judge *j, enum environment env)
{
    if (env == ENV_UNKNOWN)
        return false;
    if (j->env == ENV_UNKNOWN)
        return env != ENV_PRODUCTION; /* errors that matter come from production */
    return env != j->env;
}

/* "prod-eu" of the path against the errors' own "sandbox": the very word is the same. */
static bool names_the_environment(const struct judge *j, struct diff_span text)
{
    return j->ctx->environment && *j->ctx->environment && span_has(text, j->ctx->environment);
}

/* Another service's file concerns the refused server where it leads there, not where it leaves it.
 */
static bool is_of_another_service(const struct judge *j, const struct entry *e,
                                  const struct value *v, enum setting_kind kind)
{
    return j->path->service.len > 0 &&
           (e->line->side == DIFF_REMOVED || value_is_target(v, kind, j->ctx) != YES);
}

static void judge_harmless(const struct judge *j, const struct entry *e,
                           const struct surroundings *s, const struct value *v,
                           const struct conn_parts *n, struct verdict *ret)
{
    struct diff_span path_env = { j->path->env_word.text, j->path->env_word.len };
    enum environment env = s->env != ENV_UNKNOWN ? s->env : j->path->env;
    struct diff_span text = s->env != ENV_UNKNOWN ? s->env_text : path_env;
    bool limit_in_sql = j->path->code && ret->kind == SETTING_SERVER_LIMIT;

    ret->env = env;
    if (j->path->purpose != HARMLESS_NOT &&
        !(limit_in_sql &&
          (j->path->purpose == HARMLESS_MIGRATION || j->path->purpose == HARMLESS_QUERY))) {
        say(ret, j->path->purpose, NULL);
    } else if (s->flags & WORD_MONITOR) {
        say(ret, HARMLESS_MONITORING, NULL);
    } else if (environment_differs(j, env) && !names_the_environment(j, text)) {
        say(ret, HARMLESS_OTHER_ENVIRONMENT, environment_name(env));
    } else if (is_of_another_service(j, e, v, ret->kind)) {
        say(ret, HARMLESS_OTHER_SERVICE, NULL);
        ret->why_word = (struct diff_span){ j->path->service.text, j->path->service.len };
    } else if (ret->kind != SETTING_DEMAND && is_other_database(j, s, v, ret->kind, n, ret)) {
        say(ret, HARMLESS_OTHER_DATABASE, NULL);
    }
}

/* Settings of a server or pooler itself, in its own configuration. */
static enum setting_kind server_kind(const struct judge *j, const struct entry *e,
                                     enum setting_kind kind, const struct words *w)
{
    bool own =
        (j->path->lang == LANG_INI && j->path->database) ||
        (e->n_sections > 0 &&
         (span_has(e->sections[0].text, "parameter") || span_has(e->sections[0].text, "settings") ||
          span_has(e->sections[0].text, "args") || span_has(e->sections[0].text, "command")));

    if (kind == SETTING_POOL_SIZE && own &&
        (words_have(w, "connections") || words_have(w, "maxconn")) && words_have(w, "max"))
        return SETTING_SERVER_LIMIT;
    return kind;
}

/* Is a port that databases use (or the refused one) named by the value or beside it? */
static bool is_database_port(const struct side *side, const struct entry *e, const struct value *v,
                             const struct change_context *ctx)
{
    struct diff_span text = v->text;
    size_t from, to;

    if (port_engine(text) || (ctx->port && span_is(text, ctx->port)))
        return true;
    side_neighbours(side, e, &from, &to);
    for (size_t i = from; i < to; i++) {
        const struct entry *other = &side->entries[i];
        if (other == e || other->parent != e->parent || !span_has(other->key, "port"))
            continue;
        struct value beside;
        value_read(other->value, &beside);
        if (port_engine(beside.text) || (ctx->port && span_is(beside.text, ctx->port)))
            return true;
    }
    return false;
}

static bool read_kind(const struct entry *e, const struct value *v, enum setting_kind *kind,
                      size_t *used, bool *intrinsic)
{
    *used = 0;
    *intrinsic = false;
    if (v->connection) { /* whatever its name is */
        *kind = SETTING_URL;
        return true;
    }
    if (span_has(e->key, "connection limit")) {
        *kind = SETTING_SERVER_LIMIT;
        *intrinsic = true;
        return true;
    }
    if (e->n_sections > 0 && span_starts_with(e->sections[0].text, "selector")) {
        *kind = SETTING_SERVICE;
        return true;
    }
    *kind = e->kind;
    *used = e->used;
    *intrinsic = e->intrinsic;
    return e->known;
}

static bool looks_like_address(struct diff_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (strchr(".:0123456789", s.text[i]))
            return true;
    return span_is(s, "localhost");
}

/* A word of the name says more than one of a function around it: program text is full of "db". */
static bool fits_loosely(const struct value *v, enum setting_kind kind)
{
    if (!v->literal && v->name.len == 0)
        return false;
    if (kind == SETTING_HOST) /* "unknown" is a word */
        return v->name.len > 0 || looks_like_address(v->text);
    return kind == SETTING_PORT || kind == SETTING_URL || kind == SETTING_POOL_SIZE ||
           kind == SETTING_TIMEOUT || kind == SETTING_TLS || kind == SETTING_SOCKET ||
           kind == SETTING_SERVER_LIMIT;
}

/* PORT alone, in an environment, is where the program itself listens. */
static bool is_web_port(const struct judge *j, const struct entry *e)
{
    return j->path->lang == LANG_YAML && span_is(e->key, "PORT");
}

/* Is a database meant? The first ground that holds, the firmest first. */
static bool is_database(const struct judge *j, const struct side *side, const struct entry *e,
                        const struct value *v, bool intrinsic, const struct surroundings *s,
                        const struct conn_parts *beside, struct verdict *ret)
{
    ret->certain = true;
    if (v->connection)
        return true;
    if (s->other_system)
        return false;
    if (intrinsic || (s->database && !s->loosely))
        return true;
    if (j->path->database && !j->path->code && !is_web_port(j, e))
        return true;
    if (ret->kind == SETTING_HOST && value_is_target(v, ret->kind, j->ctx) == YES &&
        !host_is_placeholder(v->text))
        return true;
    ret->certain = false;
    if (s->database || j->path->database)
        return fits_loosely(v, ret->kind) || j->path->settings;
    if (neighbours_are_connection(beside, j->ctx))
        return true;
    if (s->pool_section && ret->kind == SETTING_POOL_SIZE)
        return true;
    if (ret->kind == SETTING_PORT)
        return !j->path->code && port_engine(v->text) != NULL;
    return !j->path->code && ret->kind == SETTING_NETWORK_RULE &&
           is_database_port(side, e, v, j->ctx);
}

/* How many clients there are decides how many connections they hold. */
static bool judge_demand(const struct judge *j, const struct value *v, const struct surroundings *s,
                         struct verdict *ret)
{
    if (!v->number || !j->path->settings || (s->flags & WORD_MONITOR))
        return false;
    if (s->direct) /* of the database itself: scaled, or switched off */
        ret->kind = SETTING_SERVICE;
    ret->certain = s->direct;
    return true;
}

static bool judge_kind(const struct judge *j, const struct side *side, const struct entry *e,
                       const struct value *v, const struct words *w, size_t used, bool intrinsic,
                       const struct surroundings *s, const struct conn_parts *beside,
                       struct verdict *ret)
{
    bool switched = w->n > 0 && word_is(w->items[w->n - 1], "enabled") && used == 1;

    if (ret->kind == SETTING_DEMAND)
        return judge_demand(j, v, s, ret);
    if (!value_fits(v, ret->kind, j->path->code) ||
        !is_database(j, side, e, v, intrinsic, s, beside, ret))
        return false;
    if (switched)
        return w->n > 1 ? (word_flags(w->items[w->n - 2]) & WORD_DATABASE) != 0 : s->switched;
    if (!v->connection && kind_needs_more(w, ret->kind, used))
        return name_is_enough(e, w, used, ret->kind, s, beside);
    return true;
}

/* What stands before it on its line: "options.UseNpgsql(cs), poolSize: 64" */
static void add_line_before(const struct judge *j, const struct entry *e, struct surroundings *s)
{
    const char *line = e->line->span.text;
    struct words w = { .n = 0 };

    if (e->key.text <= line || e->key.text > line + e->line->span.len)
        return;
    words_add((struct diff_span){ line, (size_t)(e->key.text - line) }, &w);
    if (!works_with_data(&w))
        add_level(j, &w, true, s);
}

void judge_entry(const struct judge *j, const struct side *side, const struct entry *e,
                 struct verdict *ret)
{
    struct surroundings s = { .env = ENV_UNKNOWN };
    struct conn_parts beside;
    struct words w, prefix, variable = { .n = 0 };
    struct value v;
    size_t used;
    bool intrinsic, network = false, service = false;

    memset(ret, 0, sizeof(*ret));
    value_read(e->value, &v);
    w = e->words;
    words_add(v.name, &variable);
    if (!read_kind(e, &v, &ret->kind, &used, &intrinsic)) {
        w = variable; /* "@Value("${db.host:localhost}")": the variable's name says what it is */
        if (!(words_flags(&w) & WORD_DATABASE) || !words_kind(&w, &ret->kind, &used, &intrinsic))
            return;
    }
    prefix = w;
    prefix.n -= used;
    add_environment(&prefix, e->key, &s);
    add_level(j, &prefix, false, &s);
    s.pooled = s.pooled || words_have(&w, "pool");
    if ((words_flags(&variable) & WORD_DATABASE) || ret->kind == SETTING_URL ||
        ret->kind == SETTING_HOST) /* "process.env.DB_HOST", "process.env.SENTRY_DSN" */
        add_level(j, &variable, false, &s);
    add_sections(j, e, &s);
    add_declared_environment(side, e, &s);
    add_manifest(j, side, e, &s, &network, &service);
    if (side->code && (ret->kind == SETTING_POOL_SIZE || ret->kind == SETTING_TIMEOUT))
        add_line_before(j, e, &s);
    judge_neighbours(side, e, &beside);
    if (ret->kind == SETTING_PORT && (network || (s.flags & WORD_NETWORK)))
        ret->kind = SETTING_NETWORK_RULE;
    ret->setting = judge_kind(j, side, e, &v, &w, used, intrinsic, &s, &beside, ret);
    if (!ret->setting)
        return;
    if (service && (ret->kind == SETTING_PORT || ret->kind == SETTING_HOST))
        ret->kind = SETTING_SERVICE;
    ret->kind = server_kind(j, e, ret->kind, &w);
    judge_harmless(j, e, &s, &v, &beside, ret);
}
