/*
 * What the surroundings of an exception say about its connection: variables of stack frames,
 * breadcrumbs, contexts, tags.
 *
 * Pairs are grouped by what stands before the telling word, so that DB_HOST and REDIS_HOST, or
 * two connection objects beside each other, never mix: "DB_HOST", "DB_PORT" are the group "db",
 * {"primary": {"host", "port"}} the group "primary". A group is taken only when it is about a
 * database and contradicts nothing that the message says.
 */
#include <ctype.h>
#include <strings.h>

#include "dbconn/analysis/dsn.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"
#include "failure_private.h"

#define MAX_DEPTH 6
#define MAX_PAIRS 400
#define MAX_VALUE 4096 /* bytes; a longer value is no setting */
#define MAX_NAME 253   /* bytes of a host, database or user */

struct candidate {
    char *group;
    bool database_like; /* the group's name or keys are a database's */
    enum engine engine;
    char *host, *port, *database, *user;
    char *name; /* the database, if the group turns out to be a database's */
};

struct scope {
    struct candidate *items;
    size_t n, cap;
    size_t pairs; /* seen; see MAX_PAIRS */
};

enum field { FIELD_NONE, FIELD_HOST, FIELD_PORT, FIELD_DATABASE, FIELD_USER, FIELD_ENGINE };

static void read_value(struct scope *s, const char *path, const char *key, const char *value,
                       int depth);

static void scope_clear(struct scope *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->items[i].group);
        free(s->items[i].host);
        free(s->items[i].port);
        free(s->items[i].database);
        free(s->items[i].user);
        free(s->items[i].name);
    }
    free(s->items);
}

static struct candidate *candidate_for(struct scope *s, const char *group)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->items[i].group, group) == 0)
            return &s->items[i];
    struct candidate *c = VEC_ADD(s->items, s->n, s->cap);
    c->group = xstrdup(group);
    return c;
}

static void set(char **slot, const char *value)
{
    if (!*slot && value && *value && strlen(value) <= MAX_NAME)
        *slot = xstrdup(value);
}

/* ---- keys ---- */

/* OpenTelemetry's attributes of a database call (semantic conventions, "Database client spans");
 * they share one group although their names don't. */
static const struct {
    const char *key;
    enum field field;
    bool database; /* the key alone says that it is a database's */
} attributes[] = {
    { "server.address", FIELD_HOST, false },    { "server.port", FIELD_PORT, false },
    { "net.peer.name", FIELD_HOST, false },     { "net.peer.ip", FIELD_HOST, false },
    { "net.peer.port", FIELD_PORT, false },     { "network.peer.address", FIELD_HOST, false },
    { "network.peer.port", FIELD_PORT, false }, { "peer.hostname", FIELD_HOST, false },
    { "peer.address", FIELD_HOST, false },      { "db.system", FIELD_ENGINE, true },
    { "db.system.name", FIELD_ENGINE, true },   { "db.type", FIELD_ENGINE, true },
    { "db.name", FIELD_DATABASE, true },        { "db.namespace", FIELD_DATABASE, true },
    { "db.instance", FIELD_DATABASE, true },    { "db.user", FIELD_USER, true },
};

static const struct {
    const char *word;
    enum field field;
    bool needs_database; /* means this only behind a database's prefix: "DB_NAME" */
} field_words[] = {
    { "host", FIELD_HOST, false },         { "hostname", FIELD_HOST, false },
    { "server", FIELD_HOST, false },       { "address", FIELD_HOST, false },
    { "addr", FIELD_HOST, false },         { "hosts", FIELD_HOST, false },
    { "endpoint", FIELD_HOST, true },      { "socket", FIELD_HOST, true },
    { "unixsocket", FIELD_HOST, false },   { "datasource", FIELD_HOST, false },
    { "pghost", FIELD_HOST, false },       { "dbhost", FIELD_HOST, false },
    { "port", FIELD_PORT, false },         { "pgport", FIELD_PORT, false },
    { "dbport", FIELD_PORT, false },       { "dbname", FIELD_DATABASE, false },
    { "database", FIELD_DATABASE, false }, { "databasename", FIELD_DATABASE, false },
    { "db", FIELD_DATABASE, false },       { "pgdatabase", FIELD_DATABASE, false },
    { "keyspace", FIELD_DATABASE, false }, { "catalog", FIELD_DATABASE, false },
    { "name", FIELD_DATABASE, true },      { "user", FIELD_USER, false },
    { "username", FIELD_USER, false },     { "pguser", FIELD_USER, false },
    { "dbuser", FIELD_USER, false },       { "uid", FIELD_USER, false },
    { "login", FIELD_USER, true },         { "engine", FIELD_ENGINE, false },
    { "dialect", FIELD_ENGINE, false },    { "adapter", FIELD_ENGINE, false },
    { "driver", FIELD_ENGINE, false },     { "client", FIELD_ENGINE, false },
    { "system", FIELD_ENGINE, true },      { "type", FIELD_ENGINE, false },
};

/* Where the last word of a key begins: "DB_HOST" 3, "dbHost" 2, "host" 0. */
static size_t last_word(const char *key)
{
    size_t i = strlen(key);

    while (i > 0 && isalnum((unsigned char)key[i - 1])) {
        bool hump =
            isupper((unsigned char)key[i - 1]) && i > 1 && islower((unsigned char)key[i - 2]);
        i--;
        if (hump)
            break;
    }
    return i;
}

static enum field field_of_word(const char *word, bool *ret_needs_database)
{
    for (size_t i = 0; i < ARRAY_LEN(field_words); i++) {
        if (strcasecmp(field_words[i].word, word) == 0) {
            *ret_needs_database = field_words[i].needs_database;
            return field_words[i].field;
        }
    }
    return FIELD_NONE;
}

/* ---- values ---- */

/* The text inside 'x', "x", u'x', b'x', or the text itself; NULL for what says nothing. Heap. */
static char *plain(const char *value)
{
    static const char *const nothing[] = { "none",       "null", "nil",         "undefined",
                                           "[filtered]", "true", "false",       "<redacted>",
                                           "[redacted]", "***",  "[Circular ~]" };
    size_t n;

    while (isspace((unsigned char)*value))
        value++;
    if ((*value == 'u' || *value == 'b' || *value == ':') && (value[1] == '\'' || value[1] == '"'))
        value++;
    n = strlen(value);
    while (n > 0 && isspace((unsigned char)value[n - 1]))
        n--;
    if (n >= 2 && (*value == '\'' || *value == '"') && value[n - 1] == *value) {
        value++;
        n -= 2;
    }
    char *text = xstrndup(value, n);
    for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
        if (strcasecmp(text, nothing[i]) == 0) {
            free(text);
            return NULL;
        }
    }
    return text;
}

/* A host, database or user is one word; an object's repr or a sentence is none. */
static bool is_word(const char *s)
{
    return *s && strlen(s) <= MAX_NAME && !strpbrk(s, " \t\n<>{}()=,;\"'`|*") && !strstr(s, "://");
}

static void take_host(struct candidate *c, const char *value)
{
    struct dsn_host h;

    if (!is_word(value))
        return;
    dsn_split_host(value, strlen(value), &h);
    set(&c->host, h.host);
    set(&c->port, h.port);
    free(h.host);
    free(h.port);
}

static void take_field(struct candidate *c, enum field field, const char *value)
{
    enum engine engine = ENGINE_UNKNOWN;
    char *port;

    switch (field) {
    case FIELD_HOST:
        take_host(c, value);
        break;
    case FIELD_PORT:
        port = dsn_port(value, strlen(value));
        set(&c->port, port);
        free(port);
        break;
    case FIELD_DATABASE:
        if (is_word(value))
            set(&c->database, value);
        break;
    case FIELD_USER:
        if (is_word(value))
            set(&c->user, value);
        break;
    case FIELD_ENGINE:
        if (engine_parse(value, &engine) || engine_of_name(value, &engine)) {
            c->database_like = true;
            c->engine = c->engine == ENGINE_UNKNOWN ? engine : c->engine;
        }
        break;
    case FIELD_NONE:
        break;
    }
}

/* ---- pairs into groups ---- */

static bool take_attribute(struct scope *s, const char *path, const char *key, const char *value)
{
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
        if (strcasecmp(attributes[i].key, key) != 0)
            continue;
        char *group = xasprintf("%s/attributes", path);
        struct candidate *c = candidate_for(s, group);
        c->database_like |= attributes[i].database;
        take_field(c, attributes[i].field, value);
        free(group);
        return true;
    }
    return false;
}

static void take_key(struct scope *s, const char *path, const char *key, const char *value)
{
    size_t at = last_word(key);
    enum engine engine = ENGINE_UNKNOWN;
    bool needs_database = false;
    enum field field = field_of_word(key + at, &needs_database);
    char *prefix = xstrndup(key, at);

    if (field == FIELD_NONE && at) { /* "unix_socket", "db_name": the whole key may be a word */
        field = field_of_word(key, &needs_database);
        at = 0;
    }
    char *group = xasprintf("%s/%s", path, at ? prefix : "");
    bool layer = engine_of_name(group, &engine) ||
                 (strncasecmp(key, "pg", 2) == 0 && isalpha((unsigned char)key[2]));
    struct candidate *c = field == FIELD_NONE ? NULL : candidate_for(s, group);
    if (c && layer) {
        c->database_like = true;
        c->engine = c->engine == ENGINE_UNKNOWN ? engine : c->engine;
    }
    if (c && (!needs_database || c->database_like))
        take_field(c, field, value);
    else if (c && field == FIELD_DATABASE && is_word(value))
        set(&c->name, value);
    free(group);
    free(prefix);
}

static bool is_web_url(const struct dsn *d)
{
    return text_isame(d->scheme, "http") || text_isame(d->scheme, "https") ||
           text_isame(d->scheme, "ws") || text_isame(d->scheme, "wss");
}

/* A connection string is a group of its own. */
static bool take_dsn(struct scope *s, const char *path, const char *key, const char *value)
{
    size_t start, end;
    struct dsn d;
    enum engine engine = ENGINE_UNKNOWN;

    if (!dsn_find(value, 0, &start, &end, &d))
        return false;
    bool layer = engine_of_name(key, &engine);
    if (d.engine != ENGINE_UNKNOWN || (layer && (!is_web_url(&d) || engine != ENGINE_UNKNOWN)) ||
        (!d.scheme && d.database)) {
        char *group = xasprintf("%s/%s#dsn", path, key);
        struct candidate *c = candidate_for(s, group);
        c->database_like = true;
        c->engine = d.engine != ENGINE_UNKNOWN ? d.engine : engine;
        set(&c->host, d.n_hosts ? d.hosts[0].host : NULL);
        set(&c->port, d.n_hosts ? d.hosts[0].port : NULL);
        set(&c->database, d.database);
        set(&c->user, d.user);
        free(group);
    }
    dsn_clear(&d);
    return true;
}

/* ---- objects as text ---- */

static void read_literal(struct scope *s, const char *path, const char *text, int depth)
{
    struct literal_pair p;

    for (size_t at = 0; s->pairs < MAX_PAIRS && literal_next(text, &at, &p);) {
        char *key = xstrndup(text + p.key.start, p.key.end - p.key.start);
        char *value = xstrndup(text + p.value.start, p.value.end - p.value.start);
        read_value(s, path, key, value, depth + 1);
        free(key);
        free(value);
    }
}

/* {...}, Config(...), &{...}; a connection string may hold brackets, too. */
static bool is_object(const char *value)
{
    const char *open = strpbrk(value, "{([");

    if (!open || !(strchr(open, '=') || strchr(open, ':')))
        return false;
    return *value == '{' || *value == '[' || *value == '&' ||
           !(strstr(value, "://") || text_icontains(value, "@tcp(") || strchr(value, ';'));
}

/* ('10.0.0.5', 5432) */
static void take_tuple(struct scope *s, const char *path, const char *key, const char *value)
{
    const char *open = value + 1 + strspn(value + 1, "ub ");
    size_t n = *open == '\'' || *open == '"' ? literal_quoted(open) : 0;
    const char *comma = open + n + strspn(open + n, " ,");
    size_t digits = strspn(comma, "0123456789");

    if (n < 3 || !digits)
        return;
    char *host = xstrndup(open + 1, n - 2), *port = xstrndup(comma, digits);
    take_key(s, path, key, host);
    char *group = xasprintf("%s/", path);
    take_field(candidate_for(s, group), FIELD_PORT, port);
    free(group);
    free(host);
    free(port);
}

static void read_value(struct scope *s, const char *path, const char *key, const char *value,
                       int depth)
{
    if (s->pairs++ >= MAX_PAIRS || depth > MAX_DEPTH || redact_is_secret_name(key) ||
        strlen(value) > MAX_VALUE)
        return;
    char *text = plain(value);
    if (!text)
        return;
    if (*text == '(' && !strchr(text, '=')) {
        take_tuple(s, path, key, text);
    } else if (is_object(text)) {
        char *inner = xasprintf("%s/%s", path, key);
        read_literal(s, inner, text, depth);
        free(inner);
    } else if (!take_attribute(s, path, key, text) && !take_dsn(s, path, key, text)) {
        take_key(s, path, key, text);
    }
    free(text);
}

/* ---- groups into the verdict ---- */

static bool engines_agree(enum engine a, enum engine b)
{
    bool mysqls =
        (a == ENGINE_MYSQL || a == ENGINE_MARIADB) && (b == ENGINE_MYSQL || b == ENGINE_MARIADB);

    return a == ENGINE_UNKNOWN || b == ENGINE_UNKNOWN || a == b || mysqls;
}

static bool texts_agree(const char *a, const char *b)
{
    return !a || !b || strcasecmp(a, b) == 0;
}

/* A name and an address may be the same machine; two names, or two addresses, are not. */
static bool hosts_agree(const struct failure_target *t, const char *host)
{
    if (texts_agree(t->host, host) || failure_is_address(t->host) != failure_is_address(host))
        return true;
    for (size_t i = 0; i < t->n_aliases; i++)
        if (text_isame(t->aliases[i], host))
            return true;
    return false;
}

/* Is this group about a database connection, and about this one? */
static bool fits(const struct candidate *c, const struct failure *f)
{
    static const struct failure_target nowhere = { 0 };
    const struct failure_target *t = f->n_targets ? &f->targets[0] : &nowhere;
    enum engine of_port = engine_of_port(c->port);
    enum engine engine = c->engine != ENGINE_UNKNOWN ? c->engine : of_port;

    if (!engines_agree(f->engine, c->engine) || !hosts_agree(t, c->host) ||
        !texts_agree(t->port, c->port) || !texts_agree(t->database, c->database) ||
        !texts_agree(t->user, c->user))
        return false;
    bool same_place = (c->port && t->port) || (c->host && text_isame(c->host, t->host));
    return c->database_like || (c->database && (c->host || c->user)) || (c->host && same_place) ||
           (c->host && engine != ENGINE_UNKNOWN && engines_agree(f->engine, engine) &&
            f->is_database == YES) ||
           (c->host && engine_of_name(c->host, NULL));
}

static bool fill(char **slot, const char *value)
{
    if (*slot || !value)
        return false;
    *slot = xstrdup(value);
    return true;
}

static bool add_to_target(struct failure_target *t, const struct candidate *c)
{
    bool added = false;

    if (t->host && c->host && !text_isame(t->host, c->host)) {
        size_t before = t->n_aliases;
        failure_add_alias(t, c->host);
        added = t->n_aliases > before;
    }
    added |= fill(&t->host, c->host);
    added |= fill(&t->port, c->port);
    added |= fill(&t->database, c->database);
    added |= fill(&t->user, c->user);
    return added;
}

static bool apply(const struct failure_reader *r, const struct candidate *c, struct failure *f)
{
    enum engine engine = c->engine != ENGINE_UNKNOWN ? c->engine : engine_of_port(c->port);
    bool added = false;

    if (engine == ENGINE_UNKNOWN)
        engine = failure_engine_of_host(r, c->host);
    if (!c->host && !c->port && !c->database && !c->user && c->engine == ENGINE_UNKNOWN)
        return false;
    if (!fits(c, f))
        return false;
    if (c->host || c->port || c->database || c->user) {
        if (!f->n_targets)
            failure_add_target(f);
        added = add_to_target(&f->targets[0], c);
    }
    if (f->engine == ENGINE_UNKNOWN && engine != ENGINE_UNKNOWN) {
        f->engine = engine;
        f->engine_is_named = c->engine != ENGINE_UNKNOWN;
        added = true;
    }
    if (f->is_database == UNKNOWN && (c->database_like || engine != ENGINE_UNKNOWN))
        f->is_database = YES;
    return added;
}

/* What could be decided only with the whole group at hand. */
static void settle(struct candidate *c)
{
    if (c->database_like)
        set(&c->database, c->name);
    else if (c->database && (c->user || c->host))
        c->database_like = true; /* nothing but a database has these together */
}

static bool apply_all(const struct failure_reader *r, struct scope *s, struct failure *f)
{
    bool added = false;

    for (size_t i = 0; i < s->n; i++) {
        settle(&s->items[i]);
        added |= apply(r, &s->items[i], f);
    }
    scope_clear(s);
    return added;
}

bool failure_add_hints(const struct failure_reader *r, const struct failure_hint *hints, size_t n,
                       struct failure *f)
{
    struct scope s = { 0 };

    if (f->is_database == NO)
        return false;
    for (size_t i = 0; i < n; i++)
        if (hints[i].key && hints[i].value)
            read_value(&s, "", hints[i].key, hints[i].value, 0);
    return apply_all(r, &s, f);
}

static void read_json(struct scope *s, const char *path, const cJSON *item, int depth)
{
    const char *key = item->string ? item->string : "";

    if (cJSON_IsString(item)) {
        read_value(s, path, key, item->valuestring, depth);
    } else if (cJSON_IsNumber(item)) {
        char *number = xasprintf("%.0f", item->valuedouble);
        read_value(s, path, key, number, depth);
        free(number);
    } else if ((cJSON_IsObject(item) || cJSON_IsArray(item)) && depth < MAX_DEPTH &&
               !redact_is_secret_name(key)) {
        char *inner = xasprintf("%s/%s", path, key);
        for (const cJSON *i = item->child; i && s->pairs < MAX_PAIRS; i = i->next)
            read_json(s, inner, i, depth + 1);
        free(inner);
    }
}

bool failure_add_json_hints(const struct failure_reader *r, const cJSON *scope, struct failure *f)
{
    struct scope s = { 0 };

    if (!cJSON_IsObject(scope) || f->is_database == NO)
        return false;
    for (const cJSON *i = scope->child; i; i = i->next)
        read_json(&s, "", i, 0);
    return apply_all(r, &s, f);
}
