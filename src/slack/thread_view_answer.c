/* The answer: a new message, since edits notify nobody. What a person needs, most urgent first. */
#include "thread_view_internal.h"

#include "dbconn/report/wording.h"
#include "dbconn/slack/mrkdwn.h"

#define EVIDENCE_SHOWN 3
#define AGAINST_SHOWN 3
#define MISSING_SHOWN 3
#define ACTIONS_SHOWN 4

static void mention(struct doc *d, const struct thread_input *in)
{
    if (in->options.quiet)
        return;
    if (slack_user_id_valid(in->asker_id)) {
        doc_user(d, in->asker_id);
        doc_words(d, " ");
    }
    for (size_t i = 0; i < in->n_also; i++) {
        if (in->asker_id && strcmp(in->also[i], in->asker_id) == 0)
            continue; /* once is enough */
        doc_user(d, in->also[i]);
        doc_words(d, " ");
    }
}

/* Summaries are written as sentences, some without their full stop. */
static void add_summary(struct doc *d, const char *summary)
{
    size_t len = strlen(summary);

    doc_paragraph(d);
    doc_sentence(d, summary, 500);
    if (len < 500 && !strchr(".!?", summary[len - 1]))
        doc_words(d, ".");
    doc_keep(d);
}

static void headline(struct doc *d, const struct thread_input *in)
{
    const struct diagnosis *dg = &in->casefile->diagnosis;

    doc_paragraph(d);
    mention(d, in);
    doc_strong(d, word_cause(dg->cause));
    if (dg->cause == CAUSE_INCONCLUSIVE) {
        doc_words(d, ".");
    } else {
        doc_words(d, ". Confidence: ");
        doc_words(d, word_confidence(dg->confidence));
        doc_words(d, ".");
    }
    doc_keep(d);
    if (dg->summary && *dg->summary)
        add_summary(d, dg->summary);
}

static void error_line(struct doc *d, const struct casefile *c)
{
    if (!c || !(c->issue.error_line || c->issue.title))
        return;
    doc_code_block(d, c->issue.error_line ? c->issue.error_line : c->issue.title, 400);
    doc_keep(d);
}

/* Where, since when, whether it goes on, and whom it hits: in one line. */
static void facts_line(struct doc *d, const struct casefile *c)
{
    struct buf words = BUF_INIT;

    if (c->applicable == NO)
        return;
    word_target(&c->target, &words);
    if (words.len == 0 && c->trend.onset_ms == TIME_UNKNOWN && c->issue.user_count <= 0)
        return;
    doc_paragraph(d);
    if (words.len > 0) {
        doc_sentence(d, buf_str(&words), 250);
        doc_words(d, ". ");
    }
    if (c->trend.onset_ms != TIME_UNKNOWN) {
        doc_words(d, c->trend.ongoing == NO ? "Began " : "Since ");
        doc_date(d, c->trend.onset_ms);
        doc_words(d, c->trend.ongoing == YES  ? ", still going on. "
                     : c->trend.ongoing == NO ? ", has ended. "
                                              : ". ");
    }
    if (c->issue.user_count > 0) { /* 0 may mean that nobody told who it was */
        buf_reset(&words);
        word_count(c->issue.user_count, "user", "users", &words);
        buf_adds(&words, " affected.");
        doc_words(d, buf_str(&words));
    }
    doc_keep(d);
    buf_clear(&words);
}

static void add_strings(struct doc *d, const char *heading, char *const *items, size_t n,
                        size_t shown)
{
    if (n == 0)
        return;
    doc_heading(d, heading);
    for (size_t i = 0; i < n && i < shown; i++) {
        doc_bullet(d);
        doc_sentence(d, items[i], 300);
    }
    if (n > shown) {
        char *more = xasprintf("… %zu more, see Details.", n - shown);
        doc_bullet(d);
        doc_words(d, more);
        free(more);
    }
}

static void reasons(struct doc *d, const struct diagnosis *dg)
{
    bool found = dg->cause != CAUSE_INCONCLUSIVE && dg->cause != CAUSE_NOT_APPLICABLE;

    add_findings(d, dg->cause == CAUSE_INCONCLUSIVE ? "What is known" : "Why", dg->evidence,
                 dg->n_evidence, EVIDENCE_SHOWN);
    add_findings(d, "What speaks against it", dg->against, dg->n_against, AGAINST_SHOWN);
    if (found && dg->n_against == 0) {
        doc_paragraph(d);
        doc_words(d, "Nothing that I saw speaks against it.");
    }
    add_strings(d, "What I could not look at", dg->missing, dg->n_missing, MISSING_SHOWN);
}

static void actions(struct doc *d, const struct diagnosis *dg)
{
    if (dg->n_next_actions == 0)
        return;
    doc_heading(d, "What to do");
    doc_keep(d);
    doc_paragraph(d);
    add_do_now(d, dg);
    doc_keep(d);
    if (dg->n_next_actions > 1) {
        doc_paragraph(d);
        doc_words(d, "After that:");
    }
    for (size_t i = 1; i < dg->n_next_actions && i <= ACTIONS_SHOWN; i++) {
        doc_bullet(d);
        doc_sentence(d, dg->next_actions[i], 300);
    }
    if (dg->n_next_actions > ACTIONS_SHOWN + 1) {
        char *more = xasprintf("… %zu more, see Details.", dg->n_next_actions - ACTIONS_SHOWN - 1);
        doc_bullet(d);
        doc_words(d, more);
        free(more);
    }
}

static void seen_before(struct doc *d, const struct thread_input *in)
{
    const struct seen_before *s = in->before;

    if (!s)
        return;
    doc_paragraph(d);
    doc_strong(d, "Seen before:");
    doc_words(d, " ");
    doc_date(d, s->at_ms);
    doc_words(d, ", ");
    doc_sentence(d, s->issue, 60);
    doc_words(d, ". I said then: ");
    doc_sentence(d, s->verdict, 200);
    if (s->judged && strcmp(s->judged, "right") == 0)
        doc_words(d, ". People said that was right.");
    else if (s->judged)
        doc_words(d, ". People said that was wrong.");
    else
        doc_words(d, ". Nobody said whether that was right.");
    if (s->permalink) {
        doc_words(d, " ");
        doc_link(d, s->permalink, "That thread");
    }
}

static void add_sentence(struct buf *out, const char *sentence)
{
    buf_addf(out, "%s%s", out->len ? " " : "", sentence);
}

static void judged_line(const struct thread_input *in, struct buf *out)
{
    if (in->said_right > 0) {
        word_count(in->said_right, "person says", "people say", out);
        buf_adds(out, " this is right.");
    }
    if (in->said_wrong > 0) {
        add_sentence(out, "");
        word_count(in->said_wrong, "person says", "people say", out);
        buf_adds(out, " this is wrong.");
    }
    if (in->real_cause) {
        add_sentence(out, "The real cause, as told: ");
        mrkdwn_sentence(out, in->real_cause, 300);
    }
    if (out->len == 0)
        buf_adds(out, "Was this right? Your answer helps the next person.");
}

static void done_buttons(struct part_draft *p)
{
    struct button_row row = { .n = 0 };
    struct buf judged = BUF_INIT;

    row_add(&row, p->in, BUTTON_DETAILS);
    row_add(&row, p->in, BUTTON_OPEN_SENTRY);
    row_add(&row, p->in, BUTTON_OPEN_PULL);
    row_add(&row, p->in, BUTTON_RETRY_FAILED);
    row_add(&row, p->in, BUTTON_RERUN);
    row_end(&row, p, "answer_actions");
    if (p->in->options.no_feedback || !has_blocks(p->in))
        return;
    judged_line(p->in, &judged);
    blocks_context(&p->blocks, buf_str(&judged));
    row_add(&row, p->in, BUTTON_RIGHT);
    row_add(&row, p->in, BUTTON_WRONG);
    row_add(&row, p->in, BUTTON_REAL_CAUSE);
    row_end(&row, p, "answer_feedback");
    buf_clear(&judged);
}

static void done_draft(struct part_draft *p)
{
    const struct casefile *c = p->in->casefile;
    struct doc d = DOC_INIT;

    headline(&d, p->in);
    error_line(&d, c);
    facts_line(&d, c);
    reasons(&d, &c->diagnosis);
    actions(&d, &c->diagnosis);
    seen_before(&d, p->in);
    blocks_keep(&p->blocks, 6, 5000); /* chart, its note, both rows of buttons */
    if (has_blocks(p->in))
        doc_to_blocks(&d, &p->blocks);
    blocks_keep(&p->blocks, 0, 0);
    doc_to_text(&d, TEXT_BYTES - 900, SEE_DETAILS, &p->text);
    add_chart(p, 800);
    done_buttons(p);
    doc_clear(&d);
}

static void stop_lines(struct doc *d, const struct thread_input *in)
{
    const char *did = in->phase == PHASE_CANCELLED ? "Cancelled"
                      : in->phase == PHASE_DEAD    ? "I gave up on this one"
                                                   : "I could not look into this one";
    struct buf words = BUF_INIT;

    doc_paragraph(d);
    mention(d, in);
    doc_strong(d, did);
    if (in->phase == PHASE_CANCELLED)
        add_canceller(d, in);
    if (in->phase == PHASE_DEAD && in->attempts > 0) {
        buf_adds(&words, " after ");
        word_count(in->attempts, "attempt", "attempts", &words);
        doc_words(d, buf_str(&words));
    }
    doc_words(d, ": ");
    add_issue(d, in);
    doc_words(d, ".");
    if (in->phase == PHASE_CANCELLED)
        add_cancel_reason(d, in);
    doc_keep(d);
    if (in->reason && in->phase != PHASE_CANCELLED) {
        doc_paragraph(d);
        doc_words(d, in->phase == PHASE_DEAD ? "The last problem: " : "");
        doc_sentence(d, in->reason, 600);
        doc_keep(d);
    }
    buf_clear(&words);
}

static void stop_hint(struct doc *d, const struct thread_input *in)
{
    struct buf words = BUF_INIT;

    if (in->phase != PHASE_FAILED && in->casefile && steps_done(in->casefile) > 0) {
        word_progress(in->casefile, &words);
        buf_adds(&words, "; what they found is above. ");
    }
    buf_adds(&words, in->phase == PHASE_FAILED ? "Once that is put right, press Re-run"
                                               : "To start again, press Re-run");
    buf_addf(&words, " or type %s with the issue again.", in->command ? in->command : "/dbconn");
    doc_paragraph(d);
    doc_words(d, buf_str(&words));
    buf_clear(&words);
}

static void stopped_draft(struct part_draft *p)
{
    struct button_row row = { .n = 0 };
    struct doc d = DOC_INIT;

    stop_lines(&d, p->in);
    error_line(&d, p->in->casefile);
    stop_hint(&d, p->in);
    if (has_blocks(p->in))
        doc_to_blocks(&d, &p->blocks);
    doc_to_text(&d, TEXT_BYTES, SEE_DETAILS, &p->text);
    row_add(&row, p->in, BUTTON_RERUN);
    row_add(&row, p->in, BUTTON_OPEN_SENTRY);
    row_end(&row, p, "answer_actions");
    doc_clear(&d);
}

void answer_draft(struct part_draft *p)
{
    if (p->in->phase == PHASE_DONE && p->in->casefile)
        done_draft(p);
    else
        stopped_draft(p);
}
