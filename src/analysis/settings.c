#include "dbconn/analysis/settings.h"

#include <string.h>

#include "dbconn/base/text.h"
#include "settings_report.h"

#define PATCH_LINES_MAX 5000 /* of one hunk; longer ones are no hand-written settings */
#define MENTIONS_MAX 3       /* comments and the like that are kept of one file */
#define UNREAD_MAX 20

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

/* Something that is no setting but would catch a reader's eye: said once or twice, with why. */
static void add_mention(struct reading *r, enum harmless harmless, const struct diff_line *line)
{
    struct setting_change *c;
    char **slot;

    if (r->mentions++ >= MENTIONS_MAX)
        return;
    c = setting_report_add(r, harmless);
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
    slot = line->side == DIFF_REMOVED ? &c->old_text : &c->new_text;
    *slot = setting_shown_line(line->span, (struct diff_span){ line->span.text, 0 }, NULL);
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
    size_t reported = r->report->n_changes;

    if (r->path.purpose == HARMLESS_NOT)
        read_comments(r, p, h);
    if (h->n_lines > PATCH_LINES_MAX) {
        r->report->incomplete = true;
        return;
    }
    if (hunk_may_matter(r, p, h)) {
        side_read(p, h, DIFF_REMOVED, &r->path, &old);
        side_read(p, h, DIFF_ADDED, &r->path, &new);
        setting_report_sides(r, p, &old, &new);
        side_clear(&old);
        side_clear(&new);
    }
    setting_report_bare(r, p, h, reported);
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

    diff_patch_read_lines(r->file->patch, r->file->patch_len, r->ctx->max_lines, &p);
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
        *VEC_ADD(report->unread, report->n_unread, report->cap_unread) =
            setting_shown(r->file->path);
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
    bool is_enough;       /* as nearly always: everything can be read */
    size_t likely, other; /* bytes left */
};

static struct budget share_budget(const struct changed_file *files, size_t n)
{
    struct budget b = { .likely = SETTINGS_MAX_BYTES, .other = SETTINGS_MAX_BYTES };
    size_t all = 0;

    for (size_t i = 0; i < n && i < SETTINGS_MAX_FILES; i++)
        all += files[i].patch ? files[i].patch_len : 0;
    b.is_enough = all <= SETTINGS_MAX_BYTES;
    for (size_t i = 0; i < n && i < SETTINGS_MAX_FILES && !b.is_enough; i++)
        if (files[i].patch && settings_path_likely(files[i].path))
            b.other -= files[i].patch_len < b.other ? files[i].patch_len : b.other;
    return b;
}

static bool take_budget(struct budget *b, const struct changed_file *f)
{
    if (b->is_enough)
        return true;
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
    free(r->unread_file);
    free(r->unread);
    memset(r, 0, sizeof(*r));
}
