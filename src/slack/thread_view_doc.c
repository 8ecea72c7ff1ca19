#include "thread_view_doc.h"

#include "dbconn/base/text.h"
#include "dbconn/slack/blocks.h"
#include "dbconn/slack/mrkdwn.h"

#define LABEL_BYTES 120
#define LINK_BYTES 1500  /* a longer URL is not worth the room of three others */
#define BLOCK_BYTES 2400 /* a rich_text block is closed beyond this */
#define HEADING_MAX 250
#define MORE_BYTES 100 /* room for the sentence about what was left out */

void doc_clear(struct doc *d)
{
    for (size_t i = 0; i < d->n_lines; i++) {
        for (size_t k = 0; k < d->lines[i].n_spans; k++) {
            free(d->lines[i].spans[k].text);
            free(d->lines[i].spans[k].url);
        }
        free(d->lines[i].spans);
    }
    free(d->lines);
    *d = (struct doc)DOC_INIT;
}

static void line(struct doc *d, enum doc_line_kind kind)
{
    VEC_ADD(d->lines, d->n_lines, d->cap_lines)->kind = kind;
}

static struct doc_span *span(struct doc *d, enum doc_span_kind kind, const char *text, size_t max)
{
    if (d->n_lines == 0)
        line(d, LINE_PARAGRAPH);
    struct doc_line *l = &d->lines[d->n_lines - 1];
    struct doc_span *s = VEC_ADD(l->spans, l->n_spans, l->cap_spans);
    s->kind = kind;
    s->text = xstrdup(text);
    s->max = max;
    return s;
}

void doc_paragraph(struct doc *d)
{
    line(d, LINE_PARAGRAPH);
}

void doc_heading(struct doc *d, const char *words)
{
    line(d, LINE_HEADING);
    (void)span(d, SPAN_BOLD, words, HEADING_MAX);
}

void doc_bullet(struct doc *d)
{
    line(d, LINE_BULLET);
}

void doc_code_block(struct doc *d, const char *text, size_t max)
{
    line(d, LINE_CODE);
    (void)span(d, SPAN_CODE, text, max);
}

void doc_keep(struct doc *d)
{
    d->lines[d->n_lines - 1].keep = true;
}

void doc_words(struct doc *d, const char *words)
{
    (void)span(d, SPAN_WORDS, words, 0);
}

void doc_strong(struct doc *d, const char *words)
{
    (void)span(d, SPAN_STRONG, words, 0);
}

void doc_sentence(struct doc *d, const char *text, size_t max)
{
    if (text)
        (void)span(d, SPAN_SENTENCE, text, max);
}

void doc_bold(struct doc *d, const char *text, size_t max)
{
    if (text)
        (void)span(d, SPAN_BOLD, text, max);
}

void doc_code(struct doc *d, const char *text, size_t max)
{
    if (text)
        (void)span(d, SPAN_CODE, text, max);
}

void doc_link(struct doc *d, const char *url, const char *label)
{
    struct buf name = BUF_INIT;

    if (!url)
        return;
    if (!label)
        link_label(&name, url, LABEL_BYTES);
    bool linked = strlen(url) <= LINK_BYTES;
    struct doc_span *s =
        span(d, linked ? SPAN_LINK : SPAN_SENTENCE, label ? label : buf_str(&name), LABEL_BYTES);
    s->url = xstrdup(linked ? url : NULL);
    buf_clear(&name);
}

void doc_source(struct doc *d, const char *url)
{
    if (!link_allowed(url))
        return;
    doc_words(d, " (");
    doc_link(d, url, NULL);
    doc_words(d, ")");
}

void doc_user(struct doc *d, const char *id)
{
    if (slack_mention_valid(id))
        (void)span(d, SPAN_USER, id, 0);
}

void doc_date(struct doc *d, int64_t ms)
{
    span(d, SPAN_DATE, NULL, 0)->ms = ms;
}

static void span_to_rich(const struct doc_span *s, struct rich *r)
{
    switch (s->kind) {
    case SPAN_WORDS:
        rich_words(r, s->text, RICH_PLAIN);
        break;
    case SPAN_STRONG:
        rich_words(r, s->text, RICH_BOLD);
        break;
    case SPAN_SENTENCE:
        rich_sentence(r, s->text, RICH_PLAIN, s->max);
        break;
    case SPAN_BOLD:
        rich_sentence(r, s->text, RICH_BOLD, s->max);
        break;
    case SPAN_CODE:
        rich_text(r, s->text, RICH_CODE, s->max);
        break;
    case SPAN_LINK:
        rich_link(r, s->url, s->text, s->max);
        break;
    case SPAN_USER:
        rich_user(r, s->text);
        break;
    case SPAN_DATE:
        rich_date(r, s->ms);
        break;
    }
}

static void line_to_rich(const struct doc *d, size_t i, bool first, struct rich *r)
{
    const struct doc_line *l = &d->lines[i];
    bool list_goes_on = !first && i > 0 && d->lines[i - 1].kind == LINE_BULLET;
    bool text_goes_on = !first && i > 0 && d->lines[i - 1].kind == LINE_PARAGRAPH;

    if (l->kind == LINE_BULLET) {
        if (!list_goes_on)
            rich_list(r, false);
        rich_item(r);
    } else if (l->kind == LINE_CODE) {
        rich_preformatted(r);
        rich_text(r, l->spans[0].text, RICH_PLAIN, l->spans[0].max);
        return;
    } else if (l->kind == LINE_PARAGRAPH && text_goes_on) {
        rich_words(r, "\n", RICH_PLAIN);
    } else {
        rich_section(r);
    }
    for (size_t k = 0; k < l->n_spans; k++)
        span_to_rich(&l->spans[k], r);
}

static size_t line_bytes(const struct doc_line *l)
{
    size_t n = 0;

    for (size_t k = 0; k < l->n_spans; k++) {
        const struct doc_span *s = &l->spans[k];
        size_t text = s->text ? strlen(s->text) : 0;
        n += (s->max > 0 && s->max < text ? s->max : text) + (s->url ? strlen(s->url) : 0);
    }
    return n;
}

size_t doc_bytes(const struct doc *d)
{
    size_t n = 0;

    for (size_t i = 0; i < d->n_lines; i++)
        n += line_bytes(&d->lines[i]);
    return n;
}

void doc_to_blocks(const struct doc *d, struct blocks *b)
{
    struct rich r;
    size_t bytes = 0;
    bool first = true;

    rich_init(&r);
    for (size_t i = 0; i < d->n_lines; i++) {
        size_t n = line_bytes(&d->lines[i]);
        if (!first && (d->lines[i].kind == LINE_HEADING || bytes + n > BLOCK_BYTES)) {
            blocks_rich(b, &r);
            rich_init(&r);
            bytes = 0;
            first = true;
        }
        line_to_rich(d, i, first, &r);
        bytes += n;
        first = false;
    }
    blocks_rich(b, &r);
}

static void span_to_text(const struct doc_span *s, struct buf *out)
{
    switch (s->kind) {
    case SPAN_WORDS:
        buf_adds(out, s->text);
        break;
    case SPAN_STRONG:
        buf_addf(out, "*%s*", s->text);
        break;
    case SPAN_SENTENCE:
        mrkdwn_sentence(out, s->text, s->max);
        break;
    case SPAN_BOLD:
        mrkdwn_bold(out, s->text, s->max);
        break;
    case SPAN_CODE:
        mrkdwn_code(out, s->text, s->max);
        break;
    case SPAN_LINK:
        mrkdwn_link(out, s->url, s->text, s->max);
        break;
    case SPAN_USER:
        (void)mrkdwn_mention(out, s->text);
        break;
    case SPAN_DATE:
        mrkdwn_date(out, s->ms);
        break;
    }
}

static void line_to_text(const struct doc_line *l, struct buf *out)
{
    if (l->kind == LINE_BULLET)
        buf_adds(out, "• ");
    for (size_t k = 0; k < l->n_spans; k++) {
        if (l->kind == LINE_CODE && strchr(l->spans[k].text ? l->spans[k].text : "", '\n'))
            mrkdwn_code_block(out, l->spans[k].text, l->spans[k].max);
        else
            span_to_text(&l->spans[k], out);
    }
    buf_addc(out, '\n');
}

/* Leaves out lines from the end until the rest fits, but those that must stay. Gives how many
 * lines that people would miss (a heading is none). */
static size_t leave_out(const struct doc *d, const struct buf *lines, size_t total, size_t max,
                        bool *out_of_it)
{
    size_t missing = 0;

    for (size_t i = d->n_lines; total > max && i-- > 0;) {
        if (d->lines[i].keep)
            continue;
        out_of_it[i] = true;
        total -= lines[i].len;
        missing += d->lines[i].kind != LINE_HEADING;
    }
    /* A heading over nothing would puzzle. */
    for (size_t i = 0; i + 1 < d->n_lines; i++) {
        if (d->lines[i].kind == LINE_HEADING && out_of_it[i + 1])
            out_of_it[i] = true;
    }
    return missing;
}

void doc_to_text(const struct doc *d, size_t max, const char *where, struct buf *out)
{
    struct buf *lines = xcalloc(d->n_lines + 1, sizeof(*lines));
    bool *left_out = xcalloc(d->n_lines + 1, sizeof(*left_out));
    size_t total = 0, missing = 0, start = out->len;

    for (size_t i = 0; i < d->n_lines; i++) {
        line_to_text(&d->lines[i], &lines[i]);
        total += lines[i].len;
    }
    if (total > max)
        missing = leave_out(d, lines, total, max - MORE_BYTES, left_out);
    for (size_t i = 0; i < d->n_lines; i++) {
        if (!left_out[i])
            buf_add(out, lines[i].data, lines[i].len);
        buf_clear(&lines[i]);
    }
    if (missing > 0)
        buf_addf(out, "… %zu more %s. %s", missing, missing == 1 ? "line" : "lines", where);
    while (out->len > start && out->data[out->len - 1] == '\n')
        buf_truncate(out, out->len - 1);
    free(lines);
    free(left_out);
}
