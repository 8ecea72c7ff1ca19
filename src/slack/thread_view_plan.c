/*
 * The live plan: one message that grows with the steps. As a plan block with a card a step, as
 * sections where that block is refused, and as text.
 */
#include "thread_view_internal.h"

#include <stdio.h>

#include "dbconn/base/text.h"
#include "dbconn/report/wording.h"
#include "dbconn/slack/mrkdwn.h"

#define MAX_STEPS 50 /* cards of a plan */
#define MAX_SOURCES 5
#define LIFE_MS (10 * SECOND_MS) /* signs of life come in such steps, so that edits stay few */

/* How much a card tells; less when all cards together would not fit into the message. */
static const struct {
    size_t summary, findings, finding, sources;
} levels[] = {
    { 400, 3, 220, MAX_SOURCES },
    { 300, 2, 160, 2 },
    { 200, 0, 0, 0 },
    { 80, 0, 0, 0 },
};

static const struct casefile empty_casefile;

static const struct casefile *casefile_of(const struct thread_input *in)
{
    return in->casefile ? in->casefile : &empty_casefile;
}

static void plan_title(const struct thread_input *in, struct buf *out)
{
    const struct casefile *c = casefile_of(in);
    bool known = c->issue.short_id || c->issue.id;
    const char *did = in->phase == PHASE_DONE        ? "Looked into"
                      : in->phase == PHASE_CANCELLED ? "Cancelled:"
                      : is_final(in->phase)          ? "Stopped:"
                                                     : "Looking into";

    buf_addf(out, "%s ", did);
    text_add_cut(out, known ? word_issue(c) : in->issue ? in->issue : "the issue", 100);
    buf_adds(out, is_final(in->phase) && in->phase != PHASE_DONE ? ", " : ": ");
    word_progress(c, out);
}

/* What a step says of itself while it has no summary, or before its summary. */
static void state_words(const struct thread_input *in, const struct step_record *s, struct buf *out)
{
    if (s->status == STEP_PENDING) {
        buf_adds(out, is_final(in->phase) ? "Not started." : "");
    } else if (s->status == STEP_RUNNING && is_final(in->phase)) {
        buf_adds(out, "Stopped before it ended.");
    } else if (s->status == STEP_RUNNING) {
        int64_t took = in->now_ms == TIME_UNKNOWN || s->started_ms == TIME_UNKNOWN
                           ? 0
                           : (in->now_ms - s->started_ms) / LIFE_MS * LIFE_MS;
        buf_adds(out, "Running");
        if (took > 0) {
            buf_adds(out, " for ");
            time_format_duration(took, out);
        }
        buf_adds(out, ".");
    } else if (s->status == STEP_FAILED) {
        buf_adds(out, "Failed. ");
    } else if (s->status == STEP_SKIPPED) {
        buf_adds(out, "Skipped. ");
    } else if (s->status == STEP_PARTIAL) {
        buf_adds(out, "Only partly. ");
    }
}

static void add_more(struct doc *d, size_t n)
{
    char *more = xasprintf("… %zu more %s, see Details.", n, n == 1 ? "finding" : "findings");

    doc_bullet(d);
    doc_words(d, more);
    free(more);
}

/* Summary and findings of one step. */
static void step_lines(struct doc *d, const struct thread_input *in, const struct step_record *s,
                       size_t level, bool links)
{
    size_t shown = s->n_findings < levels[level].findings ? s->n_findings : levels[level].findings;
    struct buf words = BUF_INIT;

    state_words(in, s, &words);
    doc_words(d, buf_str(&words));
    if (s->status != STEP_PENDING && s->status != STEP_RUNNING)
        doc_sentence(d, s->summary, levels[level].summary);
    for (size_t i = 0; i < shown; i++) {
        doc_bullet(d);
        doc_sentence(d, s->findings[i].text, levels[level].finding);
        if (links)
            doc_source(d, s->findings[i].url);
    }
    if (s->n_findings > shown)
        add_more(d, s->n_findings - shown);
    buf_clear(&words);
}

static const char *card_status(const struct thread_input *in, const struct step_record *s)
{
    switch (s->status) {
    case STEP_RUNNING:
        return is_final(in->phase) ? "pending" : "in_progress";
    case STEP_COMPLETE:
    case STEP_PARTIAL:
    case STEP_SKIPPED:
        return "complete";
    case STEP_FAILED:
        return "error";
    case STEP_PENDING:
        break;
    }
    return "pending";
}

static void step_title(const struct step_record *s, struct buf *out)
{
    buf_addf(out, "%d. %s", s->number, s->title ? s->title : s->id ? s->id : "Step");
}

static size_t collect_sources(const struct step_record *s, size_t max, const char **urls)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_findings && n < max; i++) {
        bool seen = !s->findings[i].url;
        for (size_t k = 0; k < n && !seen; k++)
            seen = strcmp(urls[k], s->findings[i].url) == 0;
        if (!seen)
            urls[n++] = s->findings[i].url;
    }
    return n;
}

static cJSON *card_text(const struct thread_input *in, const struct step_record *s, size_t level)
{
    struct doc d = DOC_INIT;
    struct blocks b;
    cJSON *block;

    blocks_init(&b, BLOCKS_MODAL);
    step_lines(&d, in, s, level, false);
    doc_to_blocks(&d, &b);
    block = cJSON_DetachItemFromArray(b.array, 0); /* a card's texts fit into one block */
    blocks_clear(&b);
    doc_clear(&d);
    return block;
}

struct card_memory {
    struct buf title, id;
    const char *urls[MAX_SOURCES];
};

static void make_card(const struct thread_input *in, const struct step_record *s, size_t level,
                      struct card_memory *m, struct task_card *card)
{
    bool ended = s->status != STEP_PENDING && s->status != STEP_RUNNING;
    cJSON *text = card_text(in, s, level);

    step_title(s, &m->title);
    buf_addf(&m->id, "step_%d", s->number);
    *card = (struct task_card){ .id = buf_str(&m->id),
                                .title = buf_str(&m->title),
                                .status = card_status(in, s),
                                .details = ended ? NULL : text,
                                .output = ended ? text : NULL,
                                .source_urls = m->urls,
                                .n_sources = collect_sources(s, levels[level].sources, m->urls) };
}

static void plan_blocks(const struct thread_input *in, const char *title, size_t level,
                        struct blocks *b)
{
    const struct casefile *c = casefile_of(in);
    size_t n = c->n_steps < MAX_STEPS ? c->n_steps : MAX_STEPS;
    struct task_card *cards = xcalloc(n + 1, sizeof(*cards));
    struct card_memory *memory = xcalloc(n + 1, sizeof(*memory));

    for (size_t i = 0; i < n; i++)
        make_card(in, &c->steps[i], level, &memory[i], &cards[i]);
    blocks_plan(b, title, cards, n);
    for (size_t i = 0; i < n; i++) {
        buf_clear(&memory[i].title);
        buf_clear(&memory[i].id);
    }
    free(cards);
    free(memory);
}

static void section_blocks(const struct thread_input *in, const char *title, size_t level,
                           struct blocks *b)
{
    const struct casefile *c = casefile_of(in);
    struct buf name = BUF_INIT;
    struct doc d = DOC_INIT;

    doc_paragraph(&d);
    doc_bold(&d, title, 250);
    for (size_t i = 0; i < c->n_steps; i++) {
        buf_reset(&name);
        step_title(&c->steps[i], &name);
        doc_paragraph(&d);
        doc_bold(&d, buf_str(&name), 120);
        buf_reset(&name);
        buf_addf(&name, " [%s] ", word_status(c->steps[i].status));
        doc_words(&d, buf_str(&name));
        step_lines(&d, in, &c->steps[i], level, true);
    }
    doc_to_blocks(&d, b);
    doc_clear(&d);
    buf_clear(&name);
}

static void text_line(const struct thread_input *in, const struct step_record *s, struct doc *d)
{
    bool ended = s->status != STEP_PENDING && s->status != STEP_RUNNING;
    struct buf name = BUF_INIT;

    step_title(s, &name);
    doc_paragraph(d);
    doc_sentence(d, buf_str(&name), 100);
    doc_words(d, ": ");
    doc_words(d, !ended && is_final(in->phase) ? "not done" : word_status(s->status));
    doc_words(d, ended && s->summary && *s->summary ? ". " : ".");
    if (ended)
        doc_sentence(d, s->summary, 240);
    doc_keep(d);
    buf_clear(&name);
}

static void plan_text(const struct thread_input *in, const char *title, struct buf *out)
{
    const struct casefile *c = casefile_of(in);
    struct doc d = DOC_INIT;

    doc_paragraph(&d);
    doc_bold(&d, title, 250);
    doc_keep(&d);
    for (size_t i = 0; i < c->n_steps; i++)
        text_line(in, &c->steps[i], &d);
    doc_to_text(&d, TEXT_BYTES - 300, SEE_DETAILS, out);
    doc_clear(&d);
}

static void add_notes(struct part_draft *p)
{
    static const char note[] = "I may not read this channel's history. If I am restarted in the "
                               "middle, a message may be missing here.";

    if (!p->in->options.at_most_once)
        return;
    if (has_blocks(p->in))
        blocks_context(&p->blocks, note);
    buf_addf(&p->text, "\n%s", note);
}

void plan_draft(struct part_draft *p)
{
    struct buf title = BUF_INIT;
    bool fits = !has_blocks(p->in);

    plan_title(p->in, &title);
    for (size_t level = 0; level < ARRAY_LEN(levels) && !fits; level++) {
        blocks_clear(&p->blocks);
        blocks_init(&p->blocks, BLOCKS_MESSAGE);
        blocks_keep(&p->blocks, 1, 200);
        if (p->in->options.style == PROGRESS_PLAN)
            plan_blocks(p->in, buf_str(&title), level, &p->blocks);
        else
            section_blocks(p->in, buf_str(&title), level, &p->blocks);
        fits = p->blocks.omitted == 0;
    }
    blocks_keep(&p->blocks, 0, 0);
    plan_text(p->in, buf_str(&title), &p->text);
    add_notes(p);
    buf_clear(&title);
}
