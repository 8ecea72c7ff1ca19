/* The details: how it was weighed, what else it could be, the change, the figures, each step. */
#include "thread_view_internal.h"

#include "dbconn/report/figures.h"
#include "dbconn/report/wording.h"

#define LINES_PER_DOC 12
#define FILES_SHOWN 20

static struct doc *topic(struct topics *t, const char *heading)
{
    struct doc *d = VEC_ADD(t->docs, t->n, t->cap);

    doc_heading(d, heading);
    return d;
}

/* A new bullet of the latest topic, which goes on in another document when it gets long. */
static struct doc *bullet(struct topics *t, const char *heading)
{
    struct doc *d = &t->docs[t->n - 1];

    if (d->n_lines > LINES_PER_DOC) {
        char *again = xasprintf("%s (continued)", heading);
        d = topic(t, again);
        free(again);
    }
    doc_bullet(d);
    return d;
}

static void add_rules(const struct diagnosis *dg, struct topics *t)
{
    static const char heading[] = "How I weighed it";

    if (dg->n_rules == 0)
        return;
    (void)topic(t, heading);
    for (size_t i = 0; i < dg->n_rules; i++) {
        struct doc *d = bullet(t, heading);
        doc_strong(d, word_rule(dg->rules[i].number));
        doc_words(d, ": ");
        doc_words(d, word_outcome(dg->rules[i].outcome));
        doc_words(d, ". ");
        doc_sentence(d, dg->rules[i].why, 500);
    }
}

static void add_alternatives(const struct diagnosis *dg, struct topics *t)
{
    static const char heading[] = "What else it could be, and why I think it is not";

    if (dg->n_alternatives == 0)
        return;
    (void)topic(t, heading);
    for (size_t i = 0; i < dg->n_alternatives; i++) {
        const struct alternative *a = &dg->alternatives[i];
        struct doc *d = bullet(t, heading);
        char *score = xasprintf(" (%.0f of 100 points): ", a->score * 100);
        doc_strong(d, word_cause(a->cause));
        doc_words(d, score);
        doc_sentence(d, a->why_not, 500);
        free(score);
    }
}

static void add_all_findings(struct topics *t, const char *heading, const struct finding *items,
                             size_t n)
{
    if (n == 0)
        return;
    (void)topic(t, heading);
    for (size_t i = 0; i < n; i++) {
        struct doc *d = bullet(t, heading);
        doc_sentence(d, items[i].text, 500);
        doc_source(d, items[i].url);
    }
}

static void add_strings(struct topics *t, const char *heading, char *const *items, size_t n)
{
    if (n == 0)
        return;
    (void)topic(t, heading);
    for (size_t i = 0; i < n; i++)
        doc_sentence(bullet(t, heading), items[i], 500);
}

static void change_origin(const struct culprit *k, struct doc *d)
{
    if (k->release) {
        doc_bullet(d);
        doc_words(d, "Release ");
        doc_code(d, k->release, 200);
    }
    if (k->commit) {
        char *shown = xasprintf("%.12s", k->commit);
        doc_bullet(d);
        doc_words(d, "Commit ");
        if (k->commit_url)
            doc_link(d, k->commit_url, shown);
        else
            doc_code(d, shown, 40);
        free(shown);
    }
    if (k->pull_number > 0 || k->pull_url) {
        char *shown = k->pull_number > 0 ? xasprintf("#%lld", (long long)k->pull_number)
                                         : xstrdup("pull request");
        doc_bullet(d);
        doc_words(d, "Pull request ");
        if (k->pull_url)
            doc_link(d, k->pull_url, shown);
        else
            doc_words(d, shown);
        if (k->pull_title) {
            doc_words(d, " ");
            doc_sentence(d, k->pull_title, 200);
        }
        if (k->pull_author) {
            doc_words(d, ", by ");
            doc_sentence(d, k->pull_author, 80);
        }
        free(shown);
    }
}

static void add_change(struct topics *t, const char *heading, const struct changed_setting *s)
{
    struct doc *d = bullet(t, heading);

    doc_code(d, s->file ? s->file : "a file", 300);
    if (s->line > 0) {
        char *line = xasprintf(", line %lld", (long long)s->line);
        doc_words(d, line);
        free(line);
    }
    doc_words(d, s->old_value ? ": was " : ": new ");
    if (s->old_value)
        doc_code(d, s->old_value, 300);
    if (s->old_value)
        doc_words(d, s->new_value ? ", is now " : ", now removed");
    if (s->new_value)
        doc_code(d, s->new_value, 300);
}

static void add_culprit(const struct culprit *k, struct topics *t)
{
    static const char heading[] = "The change";

    if (!k)
        return;
    change_origin(k, topic(t, heading));
    for (size_t i = 0; i < k->n_changes; i++)
        add_change(t, heading, &k->changes[i]);
    if (k->n_files == 0)
        return;
    struct doc *d = bullet(t, heading);
    doc_words(d, "Files: ");
    for (size_t i = 0; i < k->n_files && i < FILES_SHOWN; i++) {
        doc_words(d, i ? ", " : "");
        doc_code(d, k->files[i], 200);
    }
    if (k->n_files > FILES_SHOWN) {
        char *more = xasprintf(" and %zu more, see the pull request.", k->n_files - FILES_SHOWN);
        doc_words(d, more);
        free(more);
    }
}

static void add_figures(const struct casefile *c, struct topics *t)
{
    static const char heading[] = "In figures";
    struct figures f;

    figures_build(c, &f);
    (void)topic(t, heading);
    for (size_t i = 0; i < f.n; i++) {
        struct doc *d = bullet(t, heading);
        doc_words(d, f.items[i].label);
        doc_words(d, ": ");
        doc_sentence(d, f.items[i].text, 500);
    }
    if (c->diagnosis.reached) {
        struct doc *d = bullet(t, heading);
        doc_words(d, "Cause code: ");
        doc_code(d, cause_name(c->diagnosis.cause), 60);
    }
    for (size_t i = 0; i < c->series.n_markers; i++) {
        struct doc *d = bullet(t, heading);
        doc_sentence(d, c->series.markers[i].label, 150);
        doc_words(d, ": ");
        doc_date(d, c->series.markers[i].at_ms);
    }
    figures_clear(&f);
}

static void add_steps(const struct casefile *c, struct topics *t)
{
    for (size_t i = 0; i < c->n_steps; i++) {
        const struct step_record *s = &c->steps[i];
        struct buf heading = BUF_INIT;
        buf_addf(&heading, "%d. %s: %s", s->number,
                 s->title ? s->title
                 : s->id  ? s->id
                          : "Step",
                 word_status(s->status));
        (void)topic(t, buf_str(&heading));
        if (s->summary && *s->summary)
            doc_sentence(bullet(t, buf_str(&heading)), s->summary, 600);
        for (size_t k = 0; k < s->n_findings; k++) {
            struct doc *d = bullet(t, buf_str(&heading));
            doc_sentence(d, s->findings[k].text, 500);
            doc_source(d, s->findings[k].url);
        }
        buf_clear(&heading);
    }
}

void topics_build(const struct casefile *c, bool with_steps, struct topics *ret)
{
    const struct diagnosis *dg = &c->diagnosis;

    *ret = (struct topics){ 0 };
    if (dg->reached) {
        add_rules(dg, ret);
        add_alternatives(dg, ret);
        add_strings(ret, "What I could not look at", dg->missing, dg->n_missing);
        add_culprit(dg->culprit, ret);
    }
    add_figures(c, ret);
    if (dg->reached && with_steps) {
        add_all_findings(ret, "All evidence", dg->evidence, dg->n_evidence);
        add_all_findings(ret, "All that speaks against it", dg->against, dg->n_against);
        add_strings(ret, "All actions", dg->next_actions, dg->n_next_actions);
    }
    if (with_steps)
        add_steps(c, ret);
}

void topics_clear(struct topics *t)
{
    for (size_t i = 0; i < t->n; i++)
        doc_clear(&t->docs[i]);
    free(t->docs);
    *t = (struct topics){ 0 };
}

static void details_text(const struct topics *t, struct buf *out)
{
    const size_t room_for_note = 100, smallest = 200;

    for (size_t i = 0; i < t->n; i++) {
        size_t left = TEXT_BYTES - room_for_note - out->len;
        if (out->len + smallest + room_for_note > TEXT_BYTES) {
            buf_addf(out, "\n… %zu more %s. %s", t->n - i, t->n - i == 1 ? "part" : "parts",
                     SEE_DETAILS);
            return;
        }
        if (i > 0)
            buf_addc(out, '\n');
        doc_to_text(&t->docs[i], left - 1, SEE_DETAILS, out);
    }
}

void details_draft(struct part_draft *p)
{
    struct button_row row = { .n = 0 };
    struct topics t;

    topics_build(p->in->casefile, false, &t);
    blocks_keep(&p->blocks, 1, 600);
    for (size_t i = 0; i < t.n && has_blocks(p->in); i++)
        doc_to_blocks(&t.docs[i], &p->blocks);
    blocks_keep(&p->blocks, 0, 0);
    details_text(&t, &p->text);
    row_add(&row, p->in, BUTTON_DETAILS);
    row_end(&row, p, "details_actions");
    topics_clear(&t);
}
