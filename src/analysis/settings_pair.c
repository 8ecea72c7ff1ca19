#include "settings_report.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/redact.h"

#define CANDIDATES_MAX 400 /* changed settings of one hunk and side that are paired */

/* DATABASE_USERNAME = "database_username": a constant for a name. */
static bool names_itself(const struct entry *e, const struct value *v)
{
    size_t i = 0, k = 0;

    while (i < e->key.len && k < v->text.len) {
        if (!isalnum((unsigned char)e->key.text[i]))
            i++;
        else if (!isalnum((unsigned char)v->text.text[k]))
            k++;
        else if (tolower((unsigned char)e->key.text[i++]) !=
                 tolower((unsigned char)v->text.text[k++]))
            return false;
    }
    return i == e->key.len && k == v->text.len && k > 0;
}

/* A changed setting: its entry before, after, or both. */
struct pair {
    const struct entry *old, *new;
    struct verdict verdict;
    struct value old_value, new_value;
    int64_t new_line; /* where it would stand, when it was removed */
};

static enum setting_trend trend_of(const struct value *old, const struct value *new)
{
    if (value_same(old, new))
        return SETTING_SAME;
    if (!old->number || !new->number)
        return SETTING_REPLACED;
    if (old->amount == new->amount)
        return SETTING_SAME;
    return new->amount > old->amount ? SETTING_RAISED : SETTING_LOWERED;
}

static char *why_harmless(const struct reading *r, const struct verdict *v)
{
    if (v->harmless == HARMLESS_OTHER_ENVIRONMENT)
        return xasprintf("it is for %s, the errors are in %s", environment_name(v->env),
                         r->ctx->environment ? r->ctx->environment : "production, presumably");
    if (v->harmless == HARMLESS_OTHER_DATABASE && v->why_engine)
        return xasprintf("it is for %s, what failed is %s", v->why_engine,
                         r->ctx->engine ? r->ctx->engine : "another database");
    if (v->harmless == HARMLESS_OTHER_DATABASE && v->why_word.len > 0)
        return xasprintf("it is for another database (%.*s)",
                         (int)(v->why_word.len < 60 ? v->why_word.len : 60), v->why_word.text);
    if (v->harmless == HARMLESS_OTHER_SERVICE)
        return xasprintf("it is for another service (%.*s)",
                         (int)(v->why_word.len < 60 ? v->why_word.len : 60), v->why_word.text);
    return xstrdup(harmless_name(v->harmless));
}

struct option {
    struct diff_span key, value;
};

static bool next_option(struct diff_span *rest, struct option *ret)
{
    size_t end = 0, sign = 0;

    while (rest->len > 0 && strchr("?&; ", *rest->text)) {
        rest->text++;
        rest->len--;
    }
    if (rest->len == 0)
        return false;
    while (end < rest->len && !strchr("&; ", rest->text[end]))
        end++;
    while (sign < end && rest->text[sign] != '=')
        sign++;
    ret->key = (struct diff_span){ rest->text, sign };
    ret->value = (struct diff_span){ rest->text + sign, end - sign };
    if (ret->value.len > 0) {
        ret->value.text++;
        ret->value.len--;
    }
    rest->text += end;
    rest->len -= end;
    return true;
}

static struct diff_span option_value(struct diff_span options, struct diff_span key)
{
    struct option o;

    while (next_option(&options, &o))
        if (o.key.len == key.len && strncasecmp(o.key.text, key.text, key.len) == 0)
            return o.value;
    return (struct diff_span){ "", 0 };
}

/* The first option that differs decides what a connection string's change is about. */
static void refine_options(struct pair *p)
{
    struct diff_span rest =
        p->new_value.parts.options.len ? p->new_value.parts.options : p->old_value.parts.options;
    struct diff_span other =
        p->new_value.parts.options.len ? p->old_value.parts.options : p->new_value.parts.options;
    struct option o;

    while (next_option(&rest, &o)) {
        struct words w = { .n = 0 };
        enum setting_kind kind;
        size_t used;
        bool intrinsic;
        struct diff_span before = option_value(other, o.key);
        if (span_same(before, o.value))
            continue;
        words_add(o.key, &w);
        if (!words_kind(&w, &kind, &used, &intrinsic))
            continue;
        p->verdict.kind = kind;
        if (p->new_value.parts.options.len > 0 && before.len > 0) {
            value_read(before, &p->old_value);
            value_read(o.value, &p->new_value);
        }
        return;
    }
}

/* A connection string in which one part differs is a change of that part. */
static void refine_connection(struct pair *p)
{
    const struct conn_parts *a = &p->old_value.parts, *b = &p->new_value.parts;
    bool host, port, database, user;

    if (!p->old || !p->new || !p->old_value.connection || !p->new_value.connection)
        return;
    port = !span_same(a->port, b->port);
    host = !span_same(a->host, b->host) || (!port && !span_same(a->all_hosts, b->all_hosts));
    database = !span_same(a->database, b->database);
    user = !span_same(a->user, b->user);
    if (host + port + database + user == 1)
        p->verdict.kind = host       ? SETTING_HOST
                          : port     ? SETTING_PORT
                          : database ? SETTING_DATABASE
                                     : SETTING_USER;
    else if (host + port + database + user == 0)
        refine_options(p);
}

/* One of several settings of a line that did not change with it. */
static bool stayed_on_its_line(const struct pair *p)
{
    return p->old && p->new &&span_same(p->old->key, p->new->key) &&
           span_same(span_trim(p->old->value), span_trim(p->new->value)) &&
           !span_same(span_trim(p->old->line->span), span_trim(p->new->line->span));
}

/* Both values are known and neither is the refused server: this is not the way to it. */
static bool leads_elsewhere(const struct pair *p, enum tristate old, enum tristate new)
{
    bool address = p->verdict.kind == SETTING_HOST || p->verdict.kind == SETTING_URL;

    return address && p->old && p->new &&old == NO &&new == NO;
}

/* "user:password" stands where a user is expected, as for curl -u; not in a connection string of
 * which only the user changed. */
static char *shown_value(const struct pair *p, struct diff_span value, bool secret)
{
    char *text = setting_shown_value(value, secret), *colon = strchr(text, ':');

    if (p->verdict.kind != SETTING_USER || !colon || strstr(colon, "://") == colon)
        return text;
    char *cut = xasprintf("%.*s:" REDACTED, (int)(colon - text), text);
    free(text);
    return cut;
}

static void set_texts(struct setting_change *c, const struct pair *p)
{
    struct diff_span key = p->new ? p->new->key : p->old->key;
    char *name = xstrndup(key.text, key.len);
    bool secret = p->verdict.kind == SETTING_PASSWORD || redact_is_secret_name(name);

    free(name);
    if (p->old) {
        c->old_value = shown_value(p, p->old->value, secret);
        c->old_text = setting_shown_line(p->old->line->span, p->old->value, c->old_value);
    }
    if (p->new) {
        c->new_value = shown_value(p, p->new->value, secret);
        c->new_text = setting_shown_line(p->new->line->span, p->new->value, c->new_value);
    }
}

static void report_pair(struct reading *r, struct pair *p)
{
    enum tristate old = UNKNOWN, new = UNKNOWN;
    struct setting_change *c;

    if (stayed_on_its_line(p))
        return;
    if (p->old)
        value_read(p->old->value, &p->old_value);
    if (p->new)
        value_read(p->new->value, &p->new_value);
    if ((!p->old || names_itself(p->old, &p->old_value)) &&
        (!p->new || names_itself(p->new, &p->new_value)))
        return;
    if (p->old)
        old = value_is_target(&p->old_value, p->verdict.kind, r->ctx);
    if (p->new)
        new = value_is_target(&p->new_value, p->verdict.kind, r->ctx);
    if (p->verdict.harmless == HARMLESS_NOT && p->old &&
        p->new &&trend_of(&p->old_value, &p->new_value) == SETTING_SAME)
        p->verdict.harmless =
            span_same(p->old->key, p->new->key) ? HARMLESS_FORMATTING : HARMLESS_RENAME;
    if (p->verdict.harmless == HARMLESS_NOT && leads_elsewhere(p, old, new)) {
        p->verdict.harmless = HARMLESS_OTHER_DATABASE;
        p->verdict.why_word = p->new_value.connection ? p->new_value.parts.host : p->new_value.text;
    }
    refine_connection(p);
    c = setting_report_add(r, p->verdict.harmless);
    if (!c)
        return;
    c->kind = p->verdict.kind;
    c->certain = p->verdict.certain;
    c->key = setting_shown_key(p->new ? p->new : p->old);
    c->old_line = p->old ? p->old->line->old_line : 0;
    c->line = p->new ? p->new->line->new_line : p->new_line;
    c->trend = p->old && p->new ? trend_of(&p->old_value, &p->new_value) : SETTING_REPLACED;
    c->old_is_target = old;
    c->new_is_target = new;
    c->harmless_why = p->verdict.harmless ? why_harmless(r, &p->verdict) : NULL;
    set_texts(c, p);
}

/* An entry on a changed line, with what it was judged to be and whether its partner was found. */
struct candidate {
    const struct entry *entry;
    struct verdict verdict;
    bool paired;
};

struct candidates {
    struct candidate *items;
    size_t n, cap;
};

static void judge_side(const struct reading *r, const struct side *s, struct candidates *ret)
{
    for (size_t i = 0; i < s->n_entries; i++) {
        struct candidate *c;
        struct verdict verdict;
        if (s->entries[i].line->side == DIFF_CONTEXT)
            continue;
        judge_entry(&r->judge, s, &s->entries[i], &verdict);
        if (!verdict.setting && !s->entries[i].known)
            continue;
        if (ret->n >= CANDIDATES_MAX) {
            r->report->incomplete = true;
            return;
        }
        c = VEC_ADD(ret->items, ret->n, ret->cap);
        c->entry = &s->entries[i];
        c->verdict = verdict;
    }
}

static bool same_key(const struct entry *a, const struct entry *b)
{
    return a->key.len == b->key.len && strncasecmp(a->key.text, b->key.text, a->key.len) == 0;
}

static bool same_sections(const struct entry *a, const struct entry *b)
{
    if (a->n_sections != b->n_sections)
        return false;
    for (size_t i = 0; i < a->n_sections; i++)
        if (!span_same(a->sections[i].text, b->sections[i].text))
            return false;
    return true;
}

/* How well two entries fit as before and after: 0 not at all. */
static int partner_score(const struct candidate *old, const struct candidate *new)
{
    bool key = same_key(old->entry, new->entry);

    if (!old->verdict.setting && !new->verdict.setting)
        return 0;
    if (key && same_sections(old->entry, new->entry))
        return 4;
    if (key && old->entry->key.len > 0)
        return 3;
    if (!old->verdict.setting || !new->verdict.setting || old->verdict.kind != new->verdict.kind)
        return 0;
    return same_sections(old->entry, new->entry) ? 2 : 1;
}

static struct candidate *find_partner(struct candidates *old, const struct candidate *new,
                                      int score)
{
    for (size_t i = 0; i < old->n; i++)
        if (!old->items[i].paired && partner_score(&old->items[i], new) == score)
            return &old->items[i];
    return NULL;
}

static void combine(const struct candidate *old, const struct candidate *new, struct pair *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->old = old ? old->entry : NULL;
    ret->new = new ? new->entry : NULL;
    ret->verdict = new &&new->verdict.setting ? new->verdict : old->verdict;
    if (!old || !new || !old->verdict.setting || !new->verdict.setting)
        return;
    /* What concerns the target on either side concerns it. */
    if (old->verdict.harmless == HARMLESS_NOT)
        ret->verdict.harmless = HARMLESS_NOT;
    ret->verdict.certain = old->verdict.certain || new->verdict.certain;
}

static int64_t place_of_removed(const struct diff_patch *p, const struct diff_line *line)
{
    const struct diff_line *end = p->lines + p->n_lines;

    for (const struct diff_line *l = line; l < end; l++)
        if (l->new_line > 0)
            return l->new_line;
    return line->old_line;
}

static void report_candidates(struct reading *r, const struct diff_patch *p, struct candidates *old,
                              struct candidates *new)
{
    struct pair pair;

    for (int score = 4; score >= 1; score--) {
        for (size_t i = 0; i < new->n; i++) {
            struct candidate *partner =
                new->items[i].paired ? NULL : find_partner(old, &new->items[i], score);
            if (!partner)
                continue;
            partner->paired = new->items[i].paired = true;
            combine(partner, &new->items[i], &pair);
            report_pair(r, &pair);
        }
    }
    for (size_t i = 0; i < new->n; i++) {
        if (new->items[i].paired || !new->items[i].verdict.setting)
            continue;
        combine(NULL, &new->items[i], &pair);
        report_pair(r, &pair);
    }
    for (size_t i = 0; i < old->n; i++) {
        if (old->items[i].paired || !old->items[i].verdict.setting)
            continue;
        combine(&old->items[i], NULL, &pair);
        pair.new_line = place_of_removed(p, old->items[i].entry->line);
        report_pair(r, &pair);
    }
}

void setting_report_sides(struct reading *r, const struct diff_patch *p, const struct side *old,
                          const struct side *new)
{
    struct candidates before = { NULL, 0, 0 }, after = { NULL, 0, 0 };

    judge_side(r, old, &before);
    judge_side(r, new, &after);
    report_candidates(r, p, &before, &after);
    free(before.items);
    free(after.items);
}
