#include "dbconn/analysis/settings.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"
#include "settings_judge.h"

#define PATCH_LINES_MAX 5000 /* of one hunk; longer ones are no hand-written settings */
#define CANDIDATES_MAX 400   /* changed settings of one hunk and side that are paired */
#define MENTIONS_MAX 3       /* comments and the like that are kept of one file */
#define UNREAD_MAX 20
#define SECRET_TEXT_MAX 8192

static const char *const kind_names[] = {
#define X(name, text) [SETTING_##name] = (text),
    SETTING_KIND_LIST(X)
#undef X
};

static const char *const harmless_names[] = {
#define X(name, text) [HARMLESS_##name] = (text),
    HARMLESS_LIST(X)
#undef X
};

const char *setting_kind_name(enum setting_kind k)
{
    return kind_names[k];
}

const char *harmless_name(enum harmless h)
{
    return harmless_names[h];
}

/* One changed file while it is read. */
struct reading {
    const struct changed_file *file;
    const struct change_context *ctx;
    struct path_facts path;
    struct judge judge;
    struct settings_report *report;
    size_t mentions;
};

/* Shown text: redacted, cleaned, cut. */
static char *shown(const char *text)
{
    struct buf safe = BUF_INIT, clean = BUF_INIT, cut = BUF_INIT;

    redact(text, &safe);
    text_clean(buf_str(&safe), true, &clean);
    text_add_cut(&cut, buf_str(&clean) + strspn(buf_str(&clean), " "), SETTINGS_MAX_TEXT);
    buf_clear(&safe);
    buf_clear(&clean);
    return buf_take(&cut);
}

/* What a value shows. A Secret's base64 is read, so that redaction sees what is inside. */
static char *shown_value(struct diff_span value, bool secret)
{
    struct buf decoded = BUF_INIT;
    struct value v;
    char *raw, *out;

    if (secret)
        return xstrdup(REDACTED);
    value_read(value, &v);
    if (value_decode_base64(value, &decoded)) {
        struct value inner;
        value_read((struct diff_span){ decoded.data, decoded.len }, &inner);
        out =
            inner.connection || memchr(decoded.data, '.', decoded.len) ? shown(decoded.data) : NULL;
        buf_clear(&decoded);
        if (out)
            return out;
    }
    buf_clear(&decoded);
    if (!v.literal)
        v.text = v.raw;
    if (v.text.len >= 2 && strchr("\"'`", *v.text.text) &&
        memchr(v.text.text + 1, *v.text.text, v.text.len - 1) == v.text.text + v.text.len - 1)
        v.text = (struct diff_span){ v.text.text + 1, v.text.len - 2 };
    raw = xstrndup(v.text.text, v.text.len < SECRET_TEXT_MAX ? v.text.len : SECRET_TEXT_MAX);
    out = shown(raw);
    free(raw);
    return out;
}

/* The line with its value replaced when that is a secret, or hides one. */
static char *shown_line(struct diff_span line, struct diff_span value, const char *value_shown)
{
    struct buf text = BUF_INIT;
    bool hidden = value_shown && strstr(value_shown, REDACTED);
    size_t before = (size_t)(value.text - line.text);
    char *out;

    if (line.len > SECRET_TEXT_MAX)
        line.len = SECRET_TEXT_MAX;
    if (hidden && value.text >= line.text && before + value.len <= line.len) {
        buf_add(&text, line.text, before);
        buf_adds(&text, value_shown);
        buf_add(&text, value.text + value.len, line.len - before - value.len);
    } else {
        buf_add(&text, line.text, line.len);
    }
    out = shown(buf_str(&text));
    buf_clear(&text);
    return out;
}

static struct diff_span section_name(const struct section *section)
{
    struct diff_span s = section->text;
    const char *bracket = section->line ? memchr(s.text, '(', s.len) : NULL;
    size_t start;

    if (bracket > s.text)
        s.len = (size_t)(bracket - s.text);
    while (s.len > 0 && strchr(" \t{:=([])\"'>,|-", s.text[s.len - 1]))
        s.len--;
    start = s.len;
    while (start > 0 && !strchr(" \t\"'([", s.text[start - 1]))
        start--;
    return (struct diff_span){ s.text + start, s.len - start };
}

/* "database.port": the key with the sections that say what it belongs to. */
static char *full_key(const struct entry *e)
{
    struct buf key = BUF_INIT;
    char *out;

    for (size_t i = e->n_sections < 3 ? e->n_sections : 3; i > 0; i--) {
        struct diff_span name = section_name(&e->sections[i - 1]);
        if (name.len == 0 || name.len > 40 || e->sections[i - 1].definition)
            continue;
        buf_add(&key, name.text, name.len);
        buf_addc(&key, '.');
    }
    buf_add(&key, e->key.text, e->key.len);
    if (e->key.len == 0 && key.len > 0)
        buf_truncate(&key, key.len - 1);
    out = shown(buf_str(&key));
    buf_clear(&key);
    return out;
}

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

static struct setting_change *add_change(struct reading *r, enum harmless harmless)
{
    struct setting_change *c;

    r->report->harmless[harmless]++;
    if (r->report->n_changes >= SETTINGS_MAX_CHANGES) {
        r->report->n_not_kept++;
        return NULL;
    }
    c = VEC_ADD(r->report->changes, r->report->n_changes, r->report->cap_changes);
    c->file = shown(r->file->path);
    c->harmless = harmless;
    return c;
}

/* Something that is no setting but would catch a reader's eye: said once or twice, with why. */
static void add_mention(struct reading *r, enum harmless harmless, const struct diff_line *line)
{
    struct setting_change *c;

    if (r->mentions++ >= MENTIONS_MAX)
        return;
    c = add_change(r, harmless);
    if (!c)
        return;
    c->kind = SETTING_OTHER;
    c->trend = SETTING_REPLACED;
    c->key = xstrdup("");
    c->harmless_why = xstrdup(harmless_name(harmless));
    if (!line)
        return;
    c->line = line->new_line ? line->new_line : line->old_line;
    c->old_line = line->old_line;
    xreplace(line->side == DIFF_REMOVED ? &c->old_text : &c->new_text, NULL);
    *(line->side == DIFF_REMOVED ? &c->old_text : &c->new_text) =
        shown_line(line->span, (struct diff_span){ line->span.text, 0 }, NULL);
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

static void set_texts(struct setting_change *c, const struct pair *p)
{
    struct diff_span key = p->new ? p->new->key : p->old->key;
    char *name = xstrndup(key.text, key.len);
    bool secret = p->verdict.kind == SETTING_PASSWORD || redact_is_secret_name(name);

    free(name);
    if (p->old) {
        c->old_value = shown_value(p->old->value, secret);
        c->old_text = shown_line(p->old->line->span, p->old->value, c->old_value);
    }
    if (p->new) {
        c->new_value = shown_value(p->new->value, secret);
        c->new_text = shown_line(p->new->line->span, p->new->value, c->new_value);
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
    c = add_change(r, p->verdict.harmless);
    if (!c)
        return;
    c->kind = p->verdict.kind;
    c->certain = p->verdict.certain;
    c->key = full_key(p->new ? p->new : p->old);
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

/* Does any changed line of the hunk hold an assignment of a known kind? Spares the rest. */
static bool hunk_may_matter(const struct reading *r, const struct diff_patch *p,
                            const struct diff_hunk *h)
{
    struct comment_state state = { false, 0 };
    struct scan scan;
    bool comment;

    for (size_t i = h->first_line; i < h->first_line + h->n_lines; i++) {
        struct diff_span code;
        if (p->lines[i].side == DIFF_CONTEXT)
            continue;
        code = scan_code(r->path.lang, p->lines[i].span, &state, &comment);
        scan_line(r->path.lang, code, &scan);
        for (size_t k = 0; k < scan.n; k++) {
            struct words w = { .n = 0 };
            enum setting_kind kind;
            size_t used;
            bool intrinsic;
            struct value v;
            words_add(scan.items[k].key, &w);
            if (w.n == 0 || span_has(scan.items[k].key, "value") ||
                span_has(scan.items[k].key, "default") || words_kind(&w, &kind, &used, &intrinsic))
                return true;
            value_read(scan.items[k].value, &v);
            if (v.connection || v.name.len > 0)
                return true;
        }
        if (r->path.code && (span_has(code, "connection") || span_has(code, "limit")))
            return true;
        if (!r->path.code && r->path.lang == LANG_YAML)
            return true; /* selectors have any key */
    }
    return false;
}

static void read_comments(struct reading *r, const struct diff_patch *p, const struct diff_hunk *h)
{
    struct comment_state state = { false, 0 };
    bool comment;

    if (!r->path.settings && !r->path.database)
        return;
    for (size_t i = h->first_line; i < h->first_line + h->n_lines; i++) {
        struct words w = { .n = 0 };
        (void)scan_code(r->path.lang, p->lines[i].span, &state, &comment);
        if (!comment || p->lines[i].side == DIFF_CONTEXT || p->lines[i].span.len > SCAN_MAX_LINE)
            continue;
        words_add(scan_comment_text(p->lines[i].span), &w);
        if (words_flags(&w) & WORD_DATABASE)
            add_mention(r, HARMLESS_COMMENT, &p->lines[i]);
    }
}

static void read_hunk(struct reading *r, const struct diff_patch *p, const struct diff_hunk *h)
{
    struct side old, new;
    struct candidates before = { NULL, 0, 0 }, after = { NULL, 0, 0 };

    if (r->path.purpose == HARMLESS_NOT)
        read_comments(r, p, h);
    if (h->n_lines > PATCH_LINES_MAX) {
        r->report->incomplete = true;
        return;
    }
    if (!hunk_may_matter(r, p, h))
        return;
    side_read(p, h, DIFF_REMOVED, &r->path, &old);
    side_read(p, h, DIFF_ADDED, &r->path, &new);
    judge_side(r, &old, &before);
    judge_side(r, &new, &after);
    report_candidates(r, p, &before, &after);
    free(before.items);
    free(after.items);
    side_clear(&old);
    side_clear(&new);
}

static const struct diff_line *first_change(const struct diff_patch *p)
{
    for (size_t i = 0; i < p->n_lines; i++)
        if (p->lines[i].side == DIFF_ADDED)
            return &p->lines[i];
    return p->n_lines > 0 ? &p->lines[0] : NULL;
}

static bool path_mentions_database(const char *path)
{
    struct words w = { .n = 0 };

    words_add((struct diff_span){ path, strlen(path) }, &w);
    return (words_flags(&w) & WORD_DATABASE) != 0;
}

static void read_patch(struct reading *r)
{
    struct diff_patch p;
    size_t before = r->report->n_changes + r->report->n_not_kept;

    diff_patch_read(r->file->patch, r->file->patch_len, &p);
    r->report->n_read++;
    for (size_t i = 0; i < p.n_hunks && r->path.purpose != HARMLESS_GENERATED; i++)
        read_hunk(r, &p, &p.hunks[i]);
    if (p.cut && r->path.purpose == HARMLESS_NOT)
        r->report->incomplete = true;
    if (r->path.purpose != HARMLESS_NOT && r->path.purpose != HARMLESS_GENERATED &&
        r->report->n_changes + r->report->n_not_kept == before &&
        (path_mentions_database(r->file->path) || r->path.purpose == HARMLESS_MIGRATION ||
         r->path.purpose == HARMLESS_QUERY))
        add_mention(r, r->path.purpose, first_change(&p));
    diff_patch_clear(&p);
}

static bool may_matter(const struct reading *r)
{
    return r->path.purpose == HARMLESS_NOT &&
           (r->path.settings || r->path.database || path_mentions_database(r->file->path));
}

static void read_without_patch(struct reading *r)
{
    struct settings_report *report = r->report;

    if (r->file->previous_path) {
        report->n_pure_renames++;
        if (path_mentions_database(r->file->path))
            add_mention(r, HARMLESS_RENAME, NULL);
        return;
    }
    if (r->file->added || r->file->binary) /* an empty new file has none either */
        report->n_without_patch += r->file->binary;
    else
        report->n_without_patch++;
    if (r->file->binary || !may_matter(r))
        return;
    report->incomplete = true;
    if (report->n_unread < UNREAD_MAX)
        *VEC_ADD(report->unread, report->n_unread, report->cap_unread) = shown(r->file->path);
}

static bool is_counting(const struct setting_change *c)
{
    return c->harmless == HARMLESS_NOT;
}

/* The same setting taken out in one place and put in at another is moved, not changed. */
static void find_moved(struct settings_report *r)
{
    for (size_t i = 0; i < r->n_changes; i++) {
        struct setting_change *gone = &r->changes[i];
        if (!is_counting(gone) || !gone->old_value || gone->new_value)
            continue;
        for (size_t k = 0; k < r->n_changes; k++) {
            struct setting_change *put = &r->changes[k];
            if (!is_counting(put) || put->old_value || !put->new_value || put->kind != gone->kind ||
                strcmp(put->new_value, gone->old_value) != 0)
                continue;
            put->harmless = gone->harmless = HARMLESS_MOVED;
            xreplace(&put->harmless_why, harmless_name(HARMLESS_MOVED));
            xreplace(&gone->harmless_why, harmless_name(HARMLESS_MOVED));
            r->harmless[HARMLESS_NOT] -= 2;
            r->harmless[HARMLESS_MOVED] += 2;
            break;
        }
    }
}

/* What is read when not all can be: files that usually hold settings first. */
struct budget {
    size_t likely, other; /* bytes left */
};

static struct budget share_budget(const struct changed_file *files, size_t n)
{
    struct budget b = { SETTINGS_MAX_BYTES, SETTINGS_MAX_BYTES };

    for (size_t i = 0; i < n && i < SETTINGS_MAX_FILES; i++)
        if (files[i].patch && settings_path_likely(files[i].path))
            b.other -= files[i].patch_len < b.other ? files[i].patch_len : b.other;
    return b;
}

static bool take_budget(struct budget *b, const struct changed_file *f)
{
    size_t *left = settings_path_likely(f->path) ? &b->likely : &b->other;

    if (f->patch_len > *left)
        return false;
    *left -= f->patch_len;
    return true;
}

void settings_read(const struct changed_file *files, size_t n, const struct change_context *ctx,
                   struct settings_report *ret)
{
    struct budget budget = share_budget(files, n);

    memset(ret, 0, sizeof(*ret));
    ret->n_files = n;
    ret->incomplete = n > SETTINGS_MAX_FILES;
    for (size_t i = 0; i < n && i < SETTINGS_MAX_FILES; i++) {
        struct reading r = { .file = &files[i], .ctx = ctx, .report = ret };
        if (!files[i].path)
            continue;
        path_read(files[i].path, ctx, &r.path);
        judge_init(&r.judge, &r.path, ctx);
        if (files[i].patch && !take_budget(&budget, &files[i])) {
            ret->incomplete = true;
            continue;
        }
        if (files[i].patch && files[i].patch_len > 0)
            read_patch(&r);
        else
            read_without_patch(&r);
    }
    find_moved(ret);
    for (size_t i = 0; i < ret->n_changes; i++) {
        ret->n_counting += is_counting(&ret->changes[i]) && ret->changes[i].kind != SETTING_DEMAND;
        ret->n_demand += is_counting(&ret->changes[i]) && ret->changes[i].kind == SETTING_DEMAND;
    }
}

void settings_report_clear(struct settings_report *r)
{
    for (size_t i = 0; i < r->n_changes; i++) {
        struct setting_change *c = &r->changes[i];
        free(c->file);
        free(c->key);
        free(c->old_value);
        free(c->new_value);
        free(c->old_text);
        free(c->new_text);
        free(c->harmless_why);
    }
    for (size_t i = 0; i < r->n_unread; i++)
        free(r->unread[i]);
    free(r->changes);
    free(r->unread);
    memset(r, 0, sizeof(*r));
}
