/* The whole report in a terminal, answer first: verdict, what to do now, why, and then the rest. */
#include "dbconn/report/terminal.h"

#include "dbconn/base/text.h"
#include "dbconn/diagnosis/casefile.h"
#include "dbconn/report/chart.h"
#include "dbconn/report/figures.h"
#include "dbconn/report/wording.h"
#include "terminal_style.h"

struct view {
    const struct casefile *c;
    const struct terminal_options *o;
    size_t width;
    struct buf *out;
};

static void heading(const struct view *v, const char *text)
{
    buf_addc(v->out, '\n');
    style_on(v->o, STYLE_BOLD, v->out);
    buf_adds(v->out, text);
    style_off(v->o, v->out);
    buf_addc(v->out, '\n');
}

static void item_at(const struct view *v, int indent, const char *bullet, const char *text)
{
    size_t column = (size_t)indent + terminal_columns(bullet) + 1;

    buf_addf(v->out, "%*s%s ", indent, "", bullet);
    terminal_wrap(text, v->width, column, column, v->out);
}

static void item(const struct view *v, const char *bullet, const char *text)
{
    item_at(v, 2, bullet, text);
}

/* A link is never broken: it would lead nowhere. */
static void link_line(const struct view *v, int indent, const char *url)
{
    struct buf clean = BUF_INIT;

    if (!url)
        return;
    text_clean(url, true, &clean);
    buf_addf(v->out, "%*s", indent, "");
    style_on(v->o, STYLE_DIM, v->out);
    buf_adds(v->out, buf_str(&clean));
    style_off(v->o, v->out);
    buf_addc(v->out, '\n');
    buf_clear(&clean);
}

static void findings(const struct view *v, int indent, const struct finding *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        item_at(v, indent, "-", items[i].text ? items[i].text : "");
        link_line(v, indent + 2, items[i].url);
    }
}

static void strings(const struct view *v, char *const *items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        item(v, "-", items[i]);
}

static const char *confidence_style(const struct diagnosis *d)
{
    if (d->cause == CAUSE_INCONCLUSIVE || d->confidence == CONFIDENCE_LOW)
        return STYLE_WARN;
    return d->confidence == CONFIDENCE_HIGH ? STYLE_GOOD : STYLE_WARN;
}

static void add_answer(const struct view *v)
{
    const struct casefile *c = v->c;
    struct buf text = BUF_INIT;

    buf_adds(&text, word_issue(c));
    if (c->issue.error_line || c->issue.title)
        buf_addf(&text, ": %s", c->issue.error_line ? c->issue.error_line : c->issue.title);
    terminal_wrap(buf_str(&text), v->width, 0, 2, v->out);
    link_line(v, 0, c->issue.url);
    buf_reset(&text);
    word_verdict(c, &text);
    buf_addc(v->out, '\n');
    style_on(v->o, STYLE_BOLD, v->out);
    style_on(v->o, c->diagnosis.reached ? confidence_style(&c->diagnosis) : "", v->out);
    terminal_wrap(buf_str(&text), v->width, 0, 0, v->out);
    style_off(v->o, v->out);
    if (c->diagnosis.summary && c->diagnosis.summary[0])
        terminal_wrap(c->diagnosis.summary, v->width, 0, 0, v->out);
    buf_clear(&text);
}

static void add_actions(const struct view *v)
{
    const struct diagnosis *d = &v->c->diagnosis;

    if (d->n_next_actions == 0)
        return;
    heading(v, "Do now");
    style_on(v->o, STYLE_BOLD, v->out);
    item(v, ">", d->next_actions[0]);
    style_off(v->o, v->out);
    if (d->n_next_actions == 1)
        return;
    heading(v, "Then");
    strings(v, d->next_actions + 1, d->n_next_actions - 1);
}

static void add_reasons(const struct view *v)
{
    const struct diagnosis *d = &v->c->diagnosis;

    if (d->n_evidence) {
        heading(v, "Why");
        findings(v, 2, d->evidence, d->n_evidence);
    }
    if (d->n_against) {
        heading(v, "What speaks against it");
        findings(v, 2, d->against, d->n_against);
    }
    if (d->n_missing) {
        heading(v, "What could not be looked at");
        strings(v, d->missing, d->n_missing);
    }
}

static void add_chart(const struct view *v)
{
    if (!chart_wanted(v->c))
        return;
    buf_addc(v->out, '\n');
    chart_bars(&v->c->series, v->width, 6, v->out);
}

static void add_change(const struct view *v, const struct changed_setting *s)
{
    struct buf text = BUF_INIT;

    buf_adds(&text, s->file ? s->file : "a file");
    if (s->line > 0)
        buf_addf(&text, ", line %lld", (long long)s->line);
    item(v, "-", buf_str(&text));
    if (s->old_value) {
        buf_adds(v->out, "      old: ");
        terminal_wrap(s->old_value, v->width, 11, 11, v->out);
    }
    if (s->new_value) {
        buf_adds(v->out, "      new: ");
        terminal_wrap(s->new_value, v->width, 11, 11, v->out);
    }
    buf_clear(&text);
}

static void add_culprit(const struct view *v)
{
    const struct culprit *k = v->c->diagnosis.culprit;
    struct buf text = BUF_INIT;

    if (!k)
        return;
    heading(v, "The change");
    if (k->release)
        buf_addf(&text, "Release %s. ", k->release);
    if (k->commit)
        buf_addf(&text, "Commit %.12s. ", k->commit);
    if (k->pull_number > 0)
        buf_addf(&text, "Pull request #%lld", (long long)k->pull_number);
    if (k->pull_title)
        buf_addf(&text, " \"%s\"", k->pull_title);
    if (k->pull_author)
        buf_addf(&text, " by %s", k->pull_author);
    item(v, "-", buf_str(&text));
    link_line(v, 4, k->pull_url ? k->pull_url : k->commit_url);
    for (size_t i = 0; i < k->n_changes; i++)
        add_change(v, &k->changes[i]);
    for (size_t i = 0; k->n_changes == 0 && i < k->n_files; i++)
        item(v, "-", k->files[i]);
    buf_clear(&text);
}

static void add_reasoning(const struct view *v)
{
    const struct diagnosis *d = &v->c->diagnosis;
    struct buf text = BUF_INIT;

    if (d->n_rules)
        heading(v, "What was checked");
    for (size_t i = 0; i < d->n_rules; i++) {
        buf_reset(&text);
        buf_addf(&text, "%s: %s. %s", word_rule(d->rules[i].number),
                 word_outcome(d->rules[i].outcome), d->rules[i].why ? d->rules[i].why : "");
        item(v, "-", buf_str(&text));
    }
    if (d->n_alternatives)
        heading(v, "What else it could be");
    for (size_t i = 0; i < d->n_alternatives; i++) {
        const struct alternative *a = &d->alternatives[i];
        buf_reset(&text);
        buf_addf(&text, "%s? %s", word_cause(a->cause), a->why_not ? a->why_not : "");
        item(v, "-", buf_str(&text));
    }
    buf_clear(&text);
}

static void add_figures(const struct view *v)
{
    struct buf text = BUF_INIT;
    struct figures f;

    figures_build(v->c, &f);
    if (f.n)
        heading(v, "In figures");
    for (size_t i = 0; i < f.n; i++) {
        buf_reset(&text);
        buf_addf(&text, "%s: %s", f.items[i].label, f.items[i].text);
        item(v, "-", buf_str(&text));
    }
    figures_clear(&f);
    buf_clear(&text);
}

static void add_steps(const struct view *v)
{
    struct terminal_options plain = { .width = v->o->width, .now_ms = v->o->now_ms };
    struct buf line = BUF_INIT;

    if (v->c->n_steps == 0)
        return;
    heading(v, "Steps");
    for (size_t i = 0; i < v->c->n_steps; i++) {
        buf_reset(&line);
        terminal_step_line(v->c, &v->c->steps[i], &plain, &line);
        buf_adds(v->out, "  ");
        terminal_wrap(buf_str(&line), v->width, 2, 8, v->out);
        findings(v, 8, v->c->steps[i].findings, v->c->steps[i].n_findings);
    }
    buf_clear(&line);
}

void terminal_report(const struct casefile *c, const struct terminal_options *o, struct buf *out)
{
    struct view v = { c, o, style_width(o), out };

    add_answer(&v);
    add_actions(&v);
    add_reasons(&v);
    add_chart(&v);
    add_culprit(&v);
    add_reasoning(&v);
    add_figures(&v);
    add_steps(&v);
}
