/* The channel message: what it is about, how far it is, and in the end the verdict. */
#include "thread_view_internal.h"

#include "dbconn/report/wording.h"
#include "dbconn/slack/mrkdwn.h"

static void wait_line(struct doc *d, const struct thread_input *in)
{
    struct buf text = BUF_INIT;

    doc_words(d, "⏳ ");
    doc_strong(d, "Waiting");
    doc_words(d, " to look into ");
    add_issue(d, in);
    if (in->ahead > 0) {
        buf_adds(&text, ". Ahead of it: ");
        word_count((int64_t)in->ahead, "investigation", "investigations", &text);
        buf_adds(&text, ".");
    } else {
        buf_adds(&text, ". It starts next.");
    }
    doc_words(d, buf_str(&text));
    buf_clear(&text);
}

static void running_line(struct doc *d, const struct thread_input *in)
{
    const struct step_record *s = in->casefile ? step_running(in->casefile) : NULL;

    doc_words(d, "🔎 ");
    doc_strong(d, "Looking into");
    doc_words(d, " ");
    add_issue(d, in);
    if (s) {
        char *step = xasprintf(": step %d of %zu, ", s->number, in->casefile->n_steps);
        doc_words(d, step);
        doc_sentence(d, s->title ? s->title : s->id, 80);
        free(step);
    }
    doc_words(d, ".");
}

static void done_line(struct doc *d, const struct thread_input *in)
{
    static const char *const icons[CAUSE_COUNT] = {
        [CAUSE_INCONCLUSIVE] = "❔ ",
        [CAUSE_NOT_APPLICABLE] = "↪️ ",
    };
    const struct diagnosis *dg = &in->casefile->diagnosis;

    doc_words(d, icons[dg->cause] ? icons[dg->cause] : "🎯 ");
    doc_strong(d, word_cause(dg->cause));
    if (dg->cause != CAUSE_INCONCLUSIVE) {
        doc_words(d, " (confidence: ");
        doc_words(d, word_confidence(dg->confidence));
        doc_words(d, ")");
    }
    doc_words(d, ". Issue ");
    add_issue(d, in);
    doc_words(d, ".");
}

static void stopped_line(struct doc *d, const struct thread_input *in)
{
    doc_words(d, "⏹️ ");
    doc_strong(d, "Cancelled");
    add_canceller(d, in);
    doc_words(d, ": ");
    add_issue(d, in);
    doc_words(d, ".");
    add_cancel_reason(d, in);
}

static void failed_line(struct doc *d, const struct thread_input *in)
{
    bool dead = in->phase == PHASE_DEAD;

    doc_words(d, dead ? "⛔ " : "⚠️ ");
    doc_strong(d, dead ? "Gave up on" : "Could not look into");
    doc_words(d, " ");
    add_issue(d, in);
    if (in->reason) {
        doc_words(d, ": ");
        doc_sentence(d, in->reason, 300);
    } else {
        doc_words(d, ".");
    }
}

static void status_line(struct doc *d, const struct thread_input *in)
{
    doc_paragraph(d);
    switch (in->phase) {
    case PHASE_QUEUED:
        wait_line(d, in);
        break;
    case PHASE_RUNNING:
        running_line(d, in);
        break;
    case PHASE_DONE:
        done_line(d, in);
        break;
    case PHASE_CANCELLED:
        stopped_line(d, in);
        break;
    case PHASE_FAILED:
    case PHASE_DEAD:
        failed_line(d, in);
        break;
    }
    doc_keep(d);
}

/* Who asked: the name and not a mention, since the one mention belongs to the answer. Where only
 * the id is known, the mention is the only way to say it. */
static void who_line(const struct thread_input *in, struct buf *out)
{
    if (in->asker_name || slack_user_id_valid(in->asker_id)) {
        buf_adds(out, "Asked by ");
        if (in->asker_name)
            mrkdwn_text(out, in->asker_name, 80);
        else
            (void)mrkdwn_user(out, in->asker_id);
    } else {
        buf_adds(out, "Started by itself");
    }
    if (in->asked_ms != TIME_UNKNOWN) {
        buf_adds(out, ", ");
        mrkdwn_date(out, in->asked_ms);
    }
    buf_adds(out, ".");
    if (in->phase == PHASE_RUNNING)
        buf_adds(out, " The steps are in the thread.");
    else if (in->phase == PHASE_DONE)
        buf_adds(out, " The reasons and the details are in the thread.");
    else if (is_final(in->phase))
        buf_adds(out, " More is in the thread.");
}

static void root_buttons(struct part_draft *p)
{
    struct button_row row = { .n = 0 };

    if (!is_final(p->in->phase))
        row_add(&row, p->in, BUTTON_CANCEL);
    else if (p->in->phase != PHASE_DONE)
        row_add(&row, p->in, BUTTON_RERUN);
    if (p->in->phase != PHASE_QUEUED)
        row_add(&row, p->in, BUTTON_DETAILS);
    row_add(&row, p->in, BUTTON_OPEN_SENTRY);
    row_end(&row, p, "root_actions");
}

void root_draft(struct part_draft *p)
{
    const struct casefile *c = p->in->casefile;
    struct doc d = DOC_INIT;
    struct buf who = BUF_INIT;

    status_line(&d, p->in);
    if (c && (c->issue.error_line || c->issue.title))
        doc_code_block(&d, c->issue.error_line ? c->issue.error_line : c->issue.title, 400);
    if (p->in->phase == PHASE_DONE && c->diagnosis.n_next_actions > 0) {
        doc_paragraph(&d);
        add_do_now(&d, &c->diagnosis);
    }
    who_line(p->in, &who);
    if (has_blocks(p->in)) {
        doc_to_blocks(&d, &p->blocks);
        blocks_context(&p->blocks, buf_str(&who));
    }
    doc_to_text(&d, TEXT_BYTES - who.len - 1, SEE_DETAILS, &p->text);
    buf_addf(&p->text, "\n%s", buf_str(&who));
    root_buttons(p);
    doc_clear(&d);
    buf_clear(&who);
}
