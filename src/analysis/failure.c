#include "dbconn/analysis/failure.h"

#include <strings.h>

#include "dbconn/base/text.h"
#include "failure_private.h"

const char *failure_kind_name(enum failure_kind kind)
{
#define X(name, text) [FAILURE_##name] = text,
    static const char *const names[] = { FAILURE_LIST(X) };
#undef X
    return names[kind];
}

bool failure_kind_parse(const char *name, enum failure_kind *ret)
{
    for (int k = 0; k < FAILURE_COUNT; k++) {
        if (text_same(name, failure_kind_name((enum failure_kind)k))) {
            *ret = (enum failure_kind)k;
            return true;
        }
    }
    return false;
}

const char *failure_kind_title(enum failure_kind kind)
{
    static const char *const titles[] = {
        [FAILURE_OTHER] = "connection failed without a stated cause",
        [FAILURE_CONNECTION_REFUSED] = "connection refused",
        [FAILURE_TIMEOUT] = "timed out",
        [FAILURE_DNS_FAILURE] = "host name does not resolve",
        [FAILURE_HOST_UNREACHABLE] = "host unreachable",
        [FAILURE_CONNECTION_RESET] = "connection cut",
        [FAILURE_TOO_MANY_CONNECTIONS] = "no connection slots left",
        [FAILURE_AUTHENTICATION_FAILED] = "login rejected",
        [FAILURE_TLS_FAILURE] = "TLS handshake failed",
        [FAILURE_UNKNOWN_DATABASE] = "database does not exist",
        [FAILURE_SERVER_STARTING_UP] = "server starting up",
        [FAILURE_SOCKET_MISSING] = "socket file missing",
    };
    return titles[kind];
}

const char *failure_title(const struct failure *f)
{
    if (f->kind == FAILURE_OTHER && f->connecting != YES)
        return "no failure to reach the server";
    return failure_kind_title(f->kind);
}

enum tristate failure_kind_is_applicable(enum failure_kind kind)
{
    switch (kind) {
    case FAILURE_CONNECTION_REFUSED:
    case FAILURE_TIMEOUT:
    case FAILURE_HOST_UNREACHABLE:
    case FAILURE_CONNECTION_RESET:
    case FAILURE_TOO_MANY_CONNECTIONS:
    case FAILURE_SERVER_STARTING_UP:
    case FAILURE_SOCKET_MISSING:
        return YES;
    case FAILURE_DNS_FAILURE:
    case FAILURE_AUTHENTICATION_FAILED:
    case FAILURE_TLS_FAILURE:
    case FAILURE_UNKNOWN_DATABASE:
        return NO;
    case FAILURE_OTHER:
    case FAILURE_COUNT:
        break;
    }
    return UNKNOWN;
}

enum tristate failure_is_applicable(const struct failure *f)
{
    enum tristate of_kind = failure_kind_is_applicable(f->kind);

    if (f->is_database == NO || of_kind == NO)
        return NO;
    /* "Can't reach database server" is ours; a bad URL or a failed statement is not. */
    if (of_kind == UNKNOWN && f->connecting != YES)
        return NO;
    return f->is_database == YES ? YES : UNKNOWN;
}

struct failure_reader *failure_reader_new(void)
{
    struct failure_reader *r = xcalloc(1, sizeof(*r));

    failure_wait_init(r);
    failure_kind_init(r);
    failure_engine_init(r);
    failure_target_init(r);
    return r;
}

void failure_reader_free(struct failure_reader *r)
{
    if (!r)
        return;
    failure_rules_clear(&r->kinds);
    failure_rules_clear(&r->local_kinds);
    failure_rules_clear(&r->class_kinds);
    failure_rules_clear(&r->connecting);
    failure_rules_clear(&r->statements);
    failure_rules_clear(&r->pools);
    failure_rules_clear(&r->early);
    failure_rules_clear(&r->late);
    failure_rules_clear(&r->engine_marks);
    failure_rules_clear(&r->engine_words);
    failure_rules_clear(&r->engine_hosts);
    failure_rules_clear(&r->databases);
    failure_rules_clear(&r->other_databases);
    failure_rules_clear(&r->others);
    free(r);
}

void failure_clear(struct failure *f)
{
    for (size_t i = 0; i < f->n_targets; i++)
        failure_target_clear(&f->targets[i]);
    free(f->targets);
    *f = (struct failure){ 0 };
}

/* Statements that frameworks put behind the driver's message hold names and numbers of their own:
 * Laravel's "(Connection: mysql, SQL: ...)", SQLAlchemy's "[SQL: ...]" and "[parameters: ...]". */
static void blank_statement(char *text, const char *opener, char close)
{
    for (char *p = text; (p = strcasestr(p, opener));) {
        char *end = p + strcspn(p, "\n");
        while (*end == '\n' && !strchr("S[(P", end[1])) /* the statement goes on on the next line */
            end += 1 + strcspn(end + 1, "\n");
        while (end > p && *end != close)
            end--;
        if (end == p)
            end = p + strlen(p);
        memset(p, ' ', (size_t)(end - p));
        p = end;
    }
}

/* "\n" as two characters, \" and \': the message went through a JSON or repr() encoder. */
static void unescape(char *text)
{
    for (char *p = text; (p = strchr(p, '\\')); p++) {
        bool line = (p[1] == 'n' || p[1] == 't') &&
                    (p[2] == '\0' || p[2] == '\\' || strchr(" \tA-[{(\"'}", p[2]) ||
                     (p[2] >= 'A' && p[2] <= 'Z') || p == text || strchr(":.,)?}'\"", p[-1]));
        if (line) {
            p[0] = ' ';
            p[1] = p[1] == 'n' ? '\n' : '\t';
        } else if (p[1] == '"' || p[1] == '\'') {
            memmove(p, p + 1, strlen(p));
        }
    }
}

/* The message as it is read: whole characters, no control characters, no statements. Heap. */
static char *prepare(const char *value)
{
    struct buf text = BUF_INIT;

    if (!value)
        return xstrdup("");
    text_repair_utf8(value, text_cut(value, FAILURE_MAX_TEXT), &text);
    char *s = buf_take(&text);
    for (char *p = s; *p; p++)
        if ((unsigned char)*p < 0x20 && *p != '\n' && *p != '\t')
            *p = ' ';
    blank_statement(s, "(SQL: ", ')');
    blank_statement(s, ", SQL: ", ')');
    blank_statement(s, "[SQL: ", ']');
    blank_statement(s, "[parameters: ", ']');
    unescape(s);
    return s;
}

/* A name as it is matched: PCRE2 must not be given anything but UTF-8. Heap; NULL gives NULL. */
static char *repaired(const char *name)
{
    struct buf text = BUF_INIT;

    if (!name)
        return NULL;
    text_repair_utf8(name, text_cut(name, FAILURE_MAX_TEXT), &text);
    return buf_take(&text);
}

void failure_read(const struct failure_reader *r, const struct failure_exception *exception,
                  struct failure *ret)
{
    char *type = repaired(exception->type), *module = repaired(exception->module);
    char *text = prepare(exception->value), *rest, *scheme;
    struct failure_exception whole = { type, text, module }, *e = &whole;

    *ret = (struct failure){ 0 };
    failure_target_read(r, e->type, text, ret, &rest, &scheme);
    enum evidence how = failure_kind_read(r, e->type, text, &ret->kind, &ret->connecting);
    ret->kind_is_specific = how == EVIDENCE_STRONG;
    ret->pool_full = failure_pool_full(r, text);
    failure_engine_read(r, e, rest, scheme, ret);
    free(type);
    free(module);
    free(text);
    free(rest);
    free(scheme);
}

static void move_targets(struct failure *to, struct failure *from)
{
    for (size_t i = 0; i < to->n_targets; i++)
        failure_target_clear(&to->targets[i]);
    free(to->targets);
    to->targets = from->targets;
    to->n_targets = from->n_targets;
    to->cap_targets = from->cap_targets;
    from->targets = NULL;
    from->n_targets = from->cap_targets = 0;
}

/* Adds what the cause `inner` says and `f` leaves open. */
static void add_cause(struct failure *f, struct failure *inner)
{
    if (!f->kind_is_specific && (inner->kind_is_specific || f->kind == FAILURE_OTHER) &&
        (inner->kind != FAILURE_OTHER || inner->kind_is_specific)) {
        f->kind = inner->kind;
        f->kind_is_specific = inner->kind_is_specific;
    }
    if (inner->connecting == YES)
        f->connecting = YES;
    if (f->pool_full == UNKNOWN)
        f->pool_full = inner->pool_full;
    if (f->is_database == UNKNOWN || (f->is_database == NO && inner->engine_is_named)) {
        f->is_database = inner->is_database;
        f->instead = inner->instead;
    }
    if (f->is_database == YES && inner->engine != ENGINE_UNKNOWN &&
        (f->engine == ENGINE_UNKNOWN || (!f->engine_is_named && inner->engine_is_named))) {
        f->engine = inner->engine;
        f->engine_is_named = inner->engine_is_named;
    }
    if (f->n_targets == 0 || (!f->targets[0].host && inner->n_targets && inner->targets[0].host))
        move_targets(f, inner);
}

void failure_read_chain(const struct failure_reader *r, const struct failure_exception *chain,
                        size_t n, struct failure *ret)
{
    *ret = (struct failure){ 0 };
    for (size_t i = n; i > 0; i--) {
        struct failure one;
        failure_read(r, &chain[i - 1], &one);
        if (i == n)
            *ret = one;
        else
            add_cause(ret, &one);
        if (i != n)
            failure_clear(&one);
    }
}

bool failure_add_layer(const char *name, struct failure *f)
{
    enum engine engine;

    if (f->is_database == NO || !engine_of_name(name, &engine))
        return false;
    f->is_database = YES;
    if (f->engine == ENGINE_UNKNOWN)
        f->engine = engine;
    return true;
}
