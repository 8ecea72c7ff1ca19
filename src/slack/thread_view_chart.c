/* The chart in the thread: as a block, as characters, as a picture. */
#include "thread_view_internal.h"

#include "dbconn/base/text.h"
#include "dbconn/report/chart.h"
#include "dbconn/report/chart_png.h"
#include "dbconn/report/wording.h"

#define MARKERS_SHOWN 4
#define CHART_BUCKETS 20 /* categories of the chart block */

/* "Began": a word of everybody's; "release web@1.2.3" begins with a capital where it begins. */
static void marker_name(const struct series_marker *m, bool first, struct doc *d)
{
    struct buf name = BUF_INIT;

    buf_adds(&name, text_istarts(m->label, "onset") ? "began" : m->label);
    if (first && name.len > 0 && name.data[0] >= 'a' && name.data[0] <= 'z')
        name.data[0] = (char)(name.data[0] - 'a' + 'A');
    doc_sentence(d, buf_str(&name), 100);
    buf_clear(&name);
}

/* The marker that comes next after `m` in time (NULL: the first), or NULL. */
static const struct series_marker *next_marker(const struct series *s,
                                               const struct series_marker *m)
{
    const struct series_marker *next = NULL;

    for (size_t i = 0; i < s->n_markers; i++) {
        const struct series_marker *one = &s->markers[i];
        bool after = !m || one->at_ms > m->at_ms || (one->at_ms == m->at_ms && one > m);
        if (after && (!next || one->at_ms < next->at_ms))
            next = one;
    }
    return next;
}

/* "Release web@1.2.3 10:00; began 10:02." */
static void marker_words(const struct series *s, struct doc *d)
{
    const struct series_marker *m = next_marker(s, NULL);

    for (size_t i = 0; m && i < MARKERS_SHOWN; i++, m = next_marker(s, m)) {
        doc_words(d, i ? "; " : "");
        marker_name(m, i == 0, d);
        doc_words(d, " ");
        doc_date(d, m->at_ms);
    }
    if (s->n_markers > MARKERS_SHOWN)
        doc_words(d, "; and more, see Details");
    doc_words(d, ".");
}

static void chart_lines(const struct casefile *c, const struct chart *ch, struct doc *d)
{
    struct buf words = BUF_INIT, spark = BUF_INIT;

    chart_title(ch, &words);
    buf_addf(&words, ", %s", "highest ");
    word_count((int64_t)ch->peak, "error", "errors", &words);
    buf_adds(&words, ", from ");
    time_format_minute(ch->buckets[0].start_ms, &words);
    buf_adds(&words, ":");
    chart_sparkline(ch, &spark);
    doc_paragraph(d);
    doc_sentence(d, buf_str(&words), 200);
    doc_code_block(d, buf_str(&spark), 400);
    if (c->series.n_markers > 0) {
        doc_paragraph(d);
        marker_words(&c->series, d);
    }
    buf_clear(&words);
    buf_clear(&spark);
}

static void marker_context(const struct casefile *c, struct blocks *b)
{
    struct doc d = DOC_INIT;
    struct buf text = BUF_INIT;

    if (c->series.n_markers == 0)
        return;
    doc_paragraph(&d);
    marker_words(&c->series, &d);
    doc_to_text(&d, 1500, "", &text);
    blocks_context(b, buf_str(&text));
    doc_clear(&d);
    buf_clear(&text);
}

static bool is_block(const struct thread_input *in)
{
    return in->options.chart == CHART_BLOCK && in->options.style == PROGRESS_PLAN;
}

void add_chart(struct part_draft *p, size_t text_room)
{
    const struct casefile *c = p->in->casefile;
    struct doc d = DOC_INIT;
    struct chart ch;

    if (!chart_wanted(c) || !chart_build(&c->series, CHART_BUCKETS, &ch))
        return;
    chart_lines(c, &ch, &d);
    if (is_block(p->in)) {
        blocks_chart(&p->blocks, &ch);
        marker_context(c, &p->blocks);
    } else if (has_blocks(p->in)) {
        doc_to_blocks(&d, &p->blocks);
    }
    buf_addc(&p->text, '\n');
    doc_to_text(&d, text_room, "", &p->text);
    doc_clear(&d);
}

bool chart_is_picture(const struct thread_input *in)
{
    return in->options.chart != CHART_TEXT && !is_block(in) && chart_wanted(in->casefile);
}

void chart_draft(struct part_draft *p)
{
    const struct casefile *c = p->in->casefile;
    struct doc d = DOC_INIT;

    doc_paragraph(&d);
    doc_words(&d, c->series.n_markers > 0 ? "How often it failed. " : "How often it failed.");
    if (c->series.n_markers > 0)
        marker_words(&c->series, &d);
    doc_to_text(&d, 1500, "", &p->text);
    doc_clear(&d);
}

struct thread_picture *chart_picture_of(const struct thread_input *in)
{
    const struct casefile *c = in->casefile;
    const char *subject = word_issue(c);
    struct thread_picture *ret = xcalloc(1, sizeof(*ret));
    struct buf alt = BUF_INIT;

    chart_png_alt(&c->series, subject, &alt);
    ret->name = xasprintf("dbconn-%s.png", in->job_id);
    ret->title = xasprintf("%.60s: errors over time", subject);
    ret->alt = buf_take(&alt);
    ret->subject = xstrdup(subject);
    series_copy(&ret->series, &c->series);
    return ret;
}
