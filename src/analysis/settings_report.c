#include "settings_report.h"

#include <string.h>

#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"

#define SECRET_TEXT_MAX 8192 /* bytes of a line or value that are looked at for showing it */

/* Shown text: redacted, cleaned, cut. */
char *setting_shown(const char *text)
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
char *setting_shown_value(struct diff_span value, bool secret)
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
        out = inner.connection || memchr(decoded.data, '.', decoded.len)
                  ? setting_shown(decoded.data)
                  : NULL;
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
    out = setting_shown(raw);
    free(raw);
    return out;
}

/* The line with its value replaced when that is a secret, or hides one. */
char *setting_shown_line(struct diff_span line, struct diff_span value, const char *value_shown)
{
    struct buf text = BUF_INIT;
    bool hidden = value_shown && strstr(value_shown, REDACTED);
    size_t before = (size_t)(value.text - line.text);
    char *out, *raw;

    if (line.len > SECRET_TEXT_MAX)
        line.len = SECRET_TEXT_MAX;
    /* Redaction knows more of the line than the value's reader did of the value. */
    raw = xstrndup(line.text, line.len);
    out = setting_shown(raw);
    free(raw);
    if (strstr(out, REDACTED))
        return out;
    free(out);
    if (hidden && value.text >= line.text && before + value.len <= line.len) {
        buf_add(&text, line.text, before);
        buf_adds(&text, value_shown);
        buf_add(&text, value.text + value.len, line.len - before - value.len);
    } else {
        buf_add(&text, line.text, line.len);
    }
    out = setting_shown(buf_str(&text));
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
char *setting_shown_key(const struct entry *e)
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
    out = setting_shown(buf_str(&key));
    buf_clear(&key);
    return out;
}

struct setting_change *setting_report_add(struct reading *r, enum harmless harmless)
{
    struct setting_change *c;

    r->report->harmless[harmless]++;
    if (r->report->n_changes >= SETTINGS_MAX_CHANGES) {
        r->report->n_not_kept++;
        return NULL;
    }
    c = VEC_ADD(r->report->changes, r->report->n_changes, r->report->cap_changes);
    c->file = setting_shown(r->file->path);
    c->harmless = harmless;
    return c;
}

void setting_report_unread_line(struct reading *r, const struct diff_line *line)
{
    if (r->report->n_unread_lines++ > 0)
        return;
    r->report->unread_file = setting_shown(r->file->path);
    r->report->unread_line = line->new_line;
}
