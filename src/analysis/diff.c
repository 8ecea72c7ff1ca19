#include "dbconn/analysis/diff.h"

#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/buf.h"
#include "dbconn/base/text.h"

/* Takes the next line off *text: without "\n", and without the "\r" of a CRLF file. */
static bool next_line(struct diff_span *text, struct diff_span *ret)
{
    const char *end;

    if (text->len == 0)
        return false;
    end = memchr(text->text, '\n', text->len);
    ret->text = text->text;
    ret->len = end ? (size_t)(end - text->text) : text->len;
    text->text += ret->len + (end != NULL);
    text->len -= ret->len + (end != NULL);
    if (ret->len > 0 && ret->text[ret->len - 1] == '\r')
        ret->len--;
    return true;
}

static bool span_starts(struct diff_span s, const char *prefix)
{
    size_t n = strlen(prefix);

    return s.len >= n && memcmp(s.text, prefix, n) == 0;
}

static struct diff_span span_after(struct diff_span s, size_t n)
{
    return (struct diff_span){ s.text + n, s.len - n };
}

static bool take_number(struct diff_span *s, int64_t *ret)
{
    int64_t n = 0;
    size_t i = 0;

    for (; i < s->len && s->text[i] >= '0' && s->text[i] <= '9' && n < INT64_C(1) << 40; i++)
        n = n * 10 + (s->text[i] - '0');
    if (i == 0)
        return false;
    *s = span_after(*s, i);
    *ret = n;
    return true;
}

/* "12,7" or "12", which means one line. */
static bool take_range(struct diff_span *s, int64_t *start, int64_t *count)
{
    *count = 1;
    if (!take_number(s, start))
        return false;
    if (s->len == 0 || *s->text != ',')
        return true;
    *s = span_after(*s, 1);
    return take_number(s, count);
}

/* "@@ -a,b +c,d @@ section" */
static bool read_header(struct diff_span line, struct diff_hunk *h)
{
    if (!span_starts(line, "@@ -"))
        return false;
    line = span_after(line, 4);
    if (!take_range(&line, &h->old_start, &h->old_count) || !span_starts(line, " +"))
        return false;
    line = span_after(line, 2);
    if (!take_range(&line, &h->new_start, &h->new_count) || !span_starts(line, " @@"))
        return false;
    line = span_after(line, 3);
    if (line.len > 0 && *line.text == ' ')
        line = span_after(line, 1);
    h->section = line;
    return true;
}

/* What is still to come of a hunk by its header. */
struct pending {
    int64_t old_line, new_line, old_left, new_left;
    size_t max_lines;
};

static void add_line(struct diff_patch *p, struct pending *at, enum diff_side side,
                     struct diff_span span)
{
    struct diff_line *l = VEC_ADD(p->lines, p->n_lines, p->cap_lines);

    l->side = side;
    l->span = span;
    if (side != DIFF_ADDED) {
        l->old_line = at->old_line++;
        at->old_left--;
    }
    if (side != DIFF_REMOVED) {
        l->new_line = at->new_line++;
        at->new_left--;
    }
    p->hunks[p->n_hunks - 1].n_lines++;
}

/* One line inside a hunk. Some tools strip the blank that marks an empty context line. A mail ends
 * with "-- " and a version, which is no removed line: the header's counts tell. */
static bool read_hunk_line(struct diff_patch *p, struct pending *at, struct diff_span line)
{
    bool over = at->old_left <= 0 && at->new_left <= 0;

    if (over && (line.len == 0 || span_starts(line, "-- ")))
        return false;
    if (over || p->n_lines >= at->max_lines)
        p->cut = true;
    if (p->n_lines >= at->max_lines)
        return false;
    if (line.len == 0)
        add_line(p, at, DIFF_CONTEXT, line);
    else if (*line.text == ' ')
        add_line(p, at, DIFF_CONTEXT, span_after(line, 1));
    else if (*line.text == '+')
        add_line(p, at, DIFF_ADDED, span_after(line, 1));
    else if (*line.text == '-')
        add_line(p, at, DIFF_REMOVED, span_after(line, 1));
    else
        return false;
    return true;
}

void diff_patch_read(const char *patch, size_t len, struct diff_patch *ret)
{
    diff_patch_read_lines(patch, len, DIFF_MAX_LINES, ret);
}

void diff_patch_read_lines(const char *patch, size_t len, size_t max_lines, struct diff_patch *ret)
{
    bool is_less = max_lines > 0 && max_lines < DIFF_MAX_LINES;
    struct diff_span text = { patch, patch ? len : 0 }, line;
    struct pending at = { .max_lines = is_less ? max_lines : DIFF_MAX_LINES };
    struct diff_hunk h;
    bool inside = false;

    memset(ret, 0, sizeof(*ret));
    while (next_line(&text, &line)) {
        memset(&h, 0, sizeof(h));
        if (read_header(line, &h)) {
            ret->cut = ret->cut || at.old_left > 0 || at.new_left > 0;
            h.first_line = ret->n_lines;
            *VEC_ADD(ret->hunks, ret->n_hunks, ret->cap_hunks) = h;
            at = (struct pending){ h.old_start, h.new_start, h.old_count, h.new_count,
                                   at.max_lines };
            inside = true;
        } else if (inside && !span_starts(line, "\\")) {
            inside = read_hunk_line(ret, &at, line);
            ret->cut = ret->cut || (!inside && (at.old_left > 0 || at.new_left > 0));
        }
    }
    ret->cut = ret->cut || at.old_left > 0 || at.new_left > 0;
}

void diff_patch_clear(struct diff_patch *p)
{
    free(p->hunks);
    free(p->lines);
    memset(p, 0, sizeof(*p));
}

/* One character of a quoted path; gives how many bytes of `s` it took. */
static size_t unquote_one(const char *s, size_t left, struct buf *out)
{
    static const char escapes[] = "abtnvfr", meant[] = "\a\b\t\n\v\f\r";
    const char *escape;

    if (*s != '\\' || left < 2) {
        buf_addc(out, *s);
        return 1;
    }
    if (left >= 4 && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' &&
        s[3] <= '7') {
        buf_addc(out, (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0')));
        return 4;
    }
    escape = s[1] ? strchr(escapes, s[1]) : NULL;
    buf_addc(out, escape ? meant[escape - escapes] : s[1]);
    return 2;
}

/* Undoes git's C-style quoting of a path (git-config, core.quotePath). */
static char *unquote(struct diff_span s)
{
    struct buf out = BUF_INIT;

    if (s.len < 2 || *s.text != '"' || s.text[s.len - 1] != '"')
        return xstrndup(s.text, s.len);
    for (size_t i = 1; i + 1 < s.len;)
        i += unquote_one(s.text + i, s.len - 1 - i, &out);
    return buf_take(&out);
}

/* A path after "--- " and the like: without the a/ or b/ in front and a tab and date behind. */
static char *read_path(struct diff_span s, bool prefixed)
{
    const char *tab = *s.text == '"' ? NULL : memchr(s.text, '\t', s.len);
    char *path = unquote((struct diff_span){ s.text, tab ? (size_t)(tab - s.text) : s.len });

    if (prefixed && strcmp(path, "/dev/null") == 0) {
        free(path);
        return NULL;
    }
    if (prefixed && (text_starts(path, "a/") || text_starts(path, "b/")))
        memmove(path, path + 2, strlen(path + 2) + 1);
    return path;
}

/* The path of "diff --git a/P b/P", for files without "---" and "rename" lines: both are equal. */
static char *path_of_command(struct diff_span s)
{
    size_t half = s.len / 2;

    if (s.len % 2 == 1 && s.text[half] == ' ' && half > 2)
        return read_path((struct diff_span){ s.text + half + 1, s.len - half - 1 }, true);
    return NULL;
}

static void take_path(char **slot, struct diff_span line, size_t skip, bool prefixed)
{
    char *path = line.len > skip ? read_path(span_after(line, skip), prefixed) : NULL;

    if (!path)
        return;
    free(*slot);
    *slot = path;
}

/* One line between "diff --git" and the first hunk (git-diff, "Generating patch text with -p"). */
static void read_file_header(struct diff_file *f, struct diff_span line)
{
    if (span_starts(line, "--- ")) {
        take_path(f->path ? &f->old_path : &f->path, line, 4, true);
    } else if (span_starts(line, "+++ ")) {
        if (f->status != DIFF_DELETED)
            take_path(&f->path, line, 4, true);
    } else if (span_starts(line, "rename from ") || span_starts(line, "copy from ")) {
        f->status = DIFF_RENAMED;
        take_path(&f->old_path, line, *line.text == 'r' ? 12 : 10, false);
    } else if (span_starts(line, "rename to ") || span_starts(line, "copy to ")) {
        take_path(&f->path, line, *line.text == 'r' ? 10 : 8, false);
    } else if (span_starts(line, "new file mode ")) {
        f->status = DIFF_NEW;
    } else if (span_starts(line, "deleted file mode ")) {
        f->status = DIFF_DELETED;
    } else if (span_starts(line, "Binary files ") || span_starts(line, "GIT binary patch")) {
        f->binary = true;
    }
}

/* Only a rename keeps its old path; one that names the same file is no news. */
static void finish_file(struct diff_file *f)
{
    if (!f->path)
        f->path = xstrdup(f->old_path ? f->old_path : "");
    if (f->status != DIFF_RENAMED || text_same(f->path, f->old_path)) {
        free(f->old_path);
        f->old_path = NULL;
    }
}

void diff_files_read(const char *text, size_t len, struct diff_files *ret)
{
    struct diff_span rest = { text, text ? len : 0 }, line, before = rest;
    struct diff_file *f = NULL;

    memset(ret, 0, sizeof(*ret));
    for (; next_line(&rest, &line); before = rest) {
        if (span_starts(line, "diff --git ")) {
            if (f)
                finish_file(f);
            ret->cut = ret->n >= DIFF_MAX_FILES;
            if (ret->cut)
                return;
            f = VEC_ADD(ret->items, ret->n, ret->cap);
            f->path = path_of_command(span_after(line, 11));
        } else if (f && f->patch.len > 0) {
            f->patch.len = (size_t)(rest.text - f->patch.text);
        } else if (f && span_starts(line, "@@ -")) {
            f->patch = (struct diff_span){ before.text, (size_t)(rest.text - before.text) };
        } else if (f) {
            read_file_header(f, line);
        }
    }
    if (f)
        finish_file(f);
}

void diff_files_clear(struct diff_files *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->items[i].path);
        free(f->items[i].old_path);
    }
    free(f->items);
    memset(f, 0, sizeof(*f));
}

/* Past "[hotfix] " and a conventional commit's "fix(db): ". */
static const char *past_prefix(const char *subject)
{
    size_t type = strspn(subject, "abcdefghijklmnopqrstuvwxyz");
    const char *end = subject + type;

    if (*subject == '[') {
        end = subject + strcspn(subject, "]\n");
        return *end == ']' ? end + 1 + strspn(end + 1, " ") : subject;
    }
    if (*end == '(') {
        end += strcspn(end, ")\n");
        end += *end == ')';
    }
    if (type > 0 && type < 10 && end[-1] != '\n' && *end == ':' && !text_starts(subject, "revert"))
        return end + 1 + strspn(end + 1, " ");
    return subject;
}

bool diff_message_reverts(const char *message)
{
    static const char *const starts[] = { "revert ",       "revert:",      "revert(",
                                          "reverts ",      "reverting ",   "reverted ",
                                          "rollback:",     "rollback to ", "rollback of ",
                                          "rollback the ", "roll back ",   "back out ",
                                          "backout ",      "undo " };
    static const char *const anywhere[] = { "This reverts commit ", "This reverts merge request ",
                                            "This reverts pull request " };
    const char *body;

    if (!message)
        return false;
    message += strspn(message, " \t\r\n");
    body = text_starts(message, "Merge ") ? strstr(message, "\n\n") : NULL;
    message = past_prefix(body ? body + strspn(body, "\n") : message);
    /* A revert of a revert brings the change back. */
    if (text_istarts(message, "revert \"revert ") || text_istarts(message, "revert 'revert ") ||
        text_istarts(message, "reapply "))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(starts); i++)
        if (text_istarts(message, starts[i]))
            return true;
    for (size_t i = 0; i < ARRAY_LEN(anywhere); i++)
        if (text_icontains(message, anywhere[i]))
            return true;
    return false;
}
