/*
 * Changed lines that hold the refused address and whose form no grammar reads: struct tags, calls
 * of any library, format strings. What was removed must be the same line but for the address; less
 * than that only forbids to say that no setting changed.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"
#include "settings_report.h"

#define AROUND 2 /* lines above and below that may say what is meant: a flag and its value */

/* An address in a line: where it stands, and what is left of it and right of it. */
struct found {
    struct diff_span code, token;
    bool port;
};

struct hunk {
    struct reading *r;
    const struct diff_patch *patch;
    const struct diff_hunk *at;
    size_t reported; /* changes from here on are the hunk's own */
};

static bool is_token_char(char c, bool port)
{
    return isalnum((unsigned char)c) || strchr(port ? "_.-" : "_-", c) != NULL ||
           (unsigned char)c >= 0x80;
}

static bool stands_alone(struct diff_span code, size_t i, size_t len, bool port)
{
    return (i == 0 || !(is_token_char(code.text[i - 1], port) || code.text[i - 1] == '.')) &&
           (i + len == code.len || !is_token_char(code.text[i + len], port));
}

static bool find_token(struct diff_span code, const char *token, bool port, struct found *ret)
{
    size_t len = token ? strlen(token) : 0;

    for (size_t i = 0; len > 0 && i + len <= code.len; i++) {
        if (strncasecmp(code.text + i, token, len) != 0 || !stands_alone(code, i, len, port))
            continue;
        *ret = (struct found){ code, span_part(code, i, i + len), port };
        return true;
    }
    return false;
}

/* Short plain words ("db") stand for many things in a line; names and addresses of hosts do not. */
static bool is_telling_host(const char *host)
{
    struct diff_span s = { host, strlen(host) };

    return !host_is_placeholder(s) && span_find_any(s, ".-:0123456789") < s.len;
}

static bool find_address(const struct change_context *ctx, struct diff_span code, struct found *ret)
{
    for (size_t i = 0; i < ctx->n_hosts; i++)
        if (ctx->hosts[i] && is_telling_host(ctx->hosts[i]) &&
            find_token(code, ctx->hosts[i], false, ret))
            return true;
    return find_token(code, ctx->port, true, ret);
}

/*
 * Does a new line of the hunk hold an address at all, comments and longer words included? Few do:
 * asked first, a quarter of the work on a large diff is spared.
 */
static bool may_hold_address(const struct hunk *h)
{
    const struct change_context *ctx = h->r->ctx;

    for (size_t i = h->at->first_line; i < h->at->first_line + h->at->n_lines; i++) {
        const struct diff_line *line = &h->patch->lines[i];
        if (line->side != DIFF_ADDED)
            continue;
        for (size_t k = 0; k < ctx->n_hosts; k++)
            if (ctx->hosts[k] && span_has(line->span, ctx->hosts[k]))
                return true;
        if (ctx->port && span_has(line->span, ctx->port))
            return true;
    }
    return false;
}

/* What stands in `code` in the place of the address, when all the rest is the same. */
static struct diff_span replaced_token(const struct found *f, struct diff_span code)
{
    size_t before = (size_t)(f->token.text - f->code.text);
    size_t after = f->code.len - before - f->token.len;
    struct diff_span old;

    if (code.len <= before + after || memcmp(code.text, f->code.text, before) != 0 ||
        memcmp(code.text + code.len - after, f->token.text + f->token.len, after) != 0)
        return span_nothing;
    old = span_part(code, before, code.len - after);
    for (size_t i = 0; i < old.len; i++)
        if (f->port ? !isdigit((unsigned char)old.text[i])
                    : !is_token_char(old.text[i], false) && !strchr(".:", old.text[i]))
            return span_nothing;
    return span_same(old, f->token) ? span_nothing : old;
}

/* The hunk's code of line i; empty for a comment and for what only mentions (a log statement). */
static struct diff_span code_of(const struct hunk *h, size_t i, struct comment_state *state)
{
    enum language lang = h->r->path.lang;
    bool comment;
    struct diff_span code = scan_code(lang, h->patch->lines[i].span, state, &comment);

    return comment || code.len > SCAN_MAX_LINE || scan_is_mention(lang, code) ? span_nothing : code;
}

struct partner {
    const struct diff_line *line;
    struct diff_span value;
    bool holds_it; /* the address stood there before: it moved, or what surrounds it changed */
};

static struct partner find_partner(const struct hunk *h, const struct found *f)
{
    struct comment_state state = { false, 0 };
    struct partner found = { NULL, span_nothing, false };

    for (size_t i = h->at->first_line; i < h->at->first_line + h->at->n_lines; i++) {
        struct found same;
        struct diff_span code, old;
        char *token;
        if (h->patch->lines[i].side == DIFF_ADDED)
            continue;
        code = code_of(h, i, &state);
        if (h->patch->lines[i].side != DIFF_REMOVED || code.len == 0)
            continue;
        token = xstrndup(f->token.text, f->token.len);
        found.holds_it = found.holds_it || find_token(code, token, f->port, &same);
        free(token);
        old = replaced_token(f, code);
        if (old.len > 0 && !found.line) {
            found.line = &h->patch->lines[i];
            found.value = old;
        }
    }
    return found;
}

/* What the line and the new lines next to it speak of. */
struct talk {
    bool database, other, environment; /* another environment than the errors' */
};

static void add_talk(const struct hunk *h, size_t i, bool own, struct talk *t)
{
    struct words w = { .n = 0 };
    enum environment env, errors = h->r->judge.env;

    words_add(h->patch->lines[i].span, &w);
    env = words_environment(&w);
    t->database = t->database || (words_flags(&w) & WORD_DATABASE);
    t->other = t->other || (own && (words_flags(&w) & (WORD_OTHER | WORD_MONITOR)));
    t->environment =
        t->environment ||
        (env != ENV_UNKNOWN && (errors == ENV_UNKNOWN ? env != ENV_PRODUCTION : env != errors));
}

static struct talk read_talk(const struct hunk *h, size_t at)
{
    struct talk t = { false, false, false };
    size_t end = h->at->first_line + h->at->n_lines, left = AROUND;

    add_talk(h, at, true, &t);
    for (size_t i = at; i > h->at->first_line && left > 0; i--)
        if (h->patch->lines[i - 1].side != DIFF_REMOVED && left-- > 0)
            add_talk(h, i - 1, false, &t);
    left = AROUND;
    for (size_t i = at + 1; i < end && left > 0; i++)
        if (h->patch->lines[i].side != DIFF_REMOVED && left-- > 0)
            add_talk(h, i, false, &t);
    return t;
}

static struct setting_change *reported_at(const struct hunk *h, const struct diff_line *line)
{
    const struct settings_report *report = h->r->report;

    for (size_t i = h->reported; i < report->n_changes; i++)
        if (report->changes[i].line == line->new_line && report->changes[i].new_text)
            return &report->changes[i];
    return NULL;
}

static void set_values(struct setting_change *c, const struct found *f, const struct partner *p,
                       const struct diff_line *line)
{
    free(c->old_value);
    free(c->new_value);
    free(c->old_text);
    free(c->new_text);
    c->old_value = setting_shown_value(p->value, false);
    c->new_value = setting_shown_value(f->token, false);
    c->old_text = setting_shown_line(p->line->span, p->value, c->old_value);
    c->new_text = setting_shown_line(line->span, f->token, c->new_value);
    c->old_line = p->line->old_line;
    c->new_is_target = YES;
    c->old_is_target = NO;
    c->certain = true;
}

/*
 * A setting is known, but its value is an expression: "port: int(env or '5433')". Where the address
 * in it was swapped, it is not the same value in another form either.
 */
static void complete(const struct hunk *h, struct setting_change *c, const struct found *f,
                     const struct partner *p, const struct diff_line *line)
{
    bool fits = c->kind == SETTING_URL || c->kind == (f->port ? SETTING_PORT : SETTING_HOST);
    bool same = c->harmless == HARMLESS_FORMATTING;

    if (!(same || (c->harmless == HARMLESS_NOT && c->new_is_target == UNKNOWN)) || !fits ||
        !p->line)
        return;
    if (same) {
        h->r->report->harmless[HARMLESS_FORMATTING]--;
        h->r->report->harmless[HARMLESS_NOT]++;
        c->harmless = HARMLESS_NOT;
        c->trend = SETTING_REPLACED;
        free(c->harmless_why);
        c->harmless_why = NULL;
    }
    c->kind = f->port ? SETTING_PORT : SETTING_HOST;
    set_values(c, f, p, line);
}

static void add_change(const struct hunk *h, const struct found *f, const struct partner *p,
                       const struct diff_line *line)
{
    struct setting_change *c = setting_report_add(h->r, HARMLESS_NOT);

    if (!c)
        return;
    c->kind = f->port ? SETTING_PORT : SETTING_HOST;
    c->key = xstrdup("");
    c->line = line->new_line;
    c->trend = SETTING_REPLACED;
    set_values(c, f, p, line);
}

/* Is it said that a database is meant, or does the port say so by itself? */
static bool is_databases(const struct found *f, const struct partner *p, const struct talk *t)
{
    return t->database || (f->port && span_has(f->code, "port") && !t->other &&
                           (port_engine(f->token) != NULL || port_engine(p->value) != NULL));
}

static void read_line(const struct hunk *h, size_t i, struct diff_span code)
{
    const struct diff_line *line = &h->patch->lines[i];
    struct found f;
    struct partner p;
    struct talk t;
    struct setting_change *known;

    if (!find_address(h->r->ctx, code, &f))
        return;
    p = find_partner(h, &f);
    if (p.holds_it || (p.line && host_is_target(p.value, h->r->ctx) == YES))
        return;
    known = reported_at(h, line);
    t = read_talk(h, i);
    if (known)
        complete(h, known, &f, &p, line);
    else if (t.environment)
        return;
    else if (p.line && is_databases(&f, &p, &t))
        add_change(h, &f, &p, line);
    else if (p.line || !f.port || t.database)
        setting_report_unread_line(h->r, line);
}

/* A path that is not deployed, or for another environment or service, holds no such line. */
static bool may_be_meant(const struct reading *r)
{
    enum environment env = r->path.env, errors = r->judge.env;

    return r->path.purpose == HARMLESS_NOT && r->path.service.len == 0 &&
           (env == ENV_UNKNOWN || (errors == ENV_UNKNOWN ? env == ENV_PRODUCTION : env == errors));
}

void setting_report_bare(struct reading *r, const struct diff_patch *p, const struct diff_hunk *h,
                         size_t reported)
{
    struct hunk hunk = { r, p, h, reported };
    struct comment_state state = { false, 0 };

    if (!may_be_meant(r) || !may_hold_address(&hunk))
        return;
    for (size_t i = h->first_line; i < h->first_line + h->n_lines; i++) {
        struct diff_span code;
        if (p->lines[i].side == DIFF_REMOVED)
            continue;
        code = code_of(&hunk, i, &state);
        if (p->lines[i].side == DIFF_ADDED && code.len > 0)
            read_line(&hunk, i, code);
    }
}
