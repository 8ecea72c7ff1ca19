#include "dbconn/report/figures.h"

#include <math.h>

#include "dbconn/diagnosis/casefile.h"
#include "dbconn/report/wording.h"

#define MAX_TARGETS 5 /* further addresses are counted, not listed */

/* Takes over what `text` holds; nothing is added when it is empty. */
static void add(struct figures *f, const char *label, struct buf *text)
{
    if (text->len > 0) {
        struct figure *item = VEC_ADD(f->items, f->n, f->cap);
        item->label = label;
        item->text = buf_take(text);
    }
    buf_clear(text);
}

static void add_targets(const struct casefile *c, struct figures *f)
{
    struct buf main = BUF_INIT, text = BUF_INIT, one = BUF_INIT;
    size_t others = 0;

    word_target(&c->target, &main);
    for (size_t i = 0; i < c->n_targets; i++) {
        buf_reset(&one);
        word_target(&c->targets[i], &one);
        if (one.len == 0 || strcmp(buf_str(&one), buf_str(&main)) == 0)
            continue;
        if (++others <= MAX_TARGETS)
            buf_addf(&text, "%s%s", text.len ? "; " : "", buf_str(&one));
    }
    if (others > MAX_TARGETS)
        buf_addf(&text, "; and %zu more", others - MAX_TARGETS);
    add(f, "Target", &main);
    add(f, "Other addresses", &text);
    buf_clear(&one);
}

static void add_failures(const struct casefile *c, struct figures *f)
{
    struct buf text = BUF_INIT;

    if (c->n_failures == 0 && c->target.failure)
        buf_adds(&text, word_failure(c->target.failure));
    for (size_t i = 0; i < c->n_failures; i++) {
        buf_addf(&text, "%s%s: ", text.len ? "; " : "", word_failure(c->failures[i].failure));
        word_count(c->failures[i].count, "event", "events", &text);
    }
    add(f, "Kinds of failure", &text);
}

static void add_trend(const struct casefile *c, struct figures *f)
{
    struct buf text = BUF_INIT;

    if (c->trend.kind == TREND_UNKNOWN && c->trend.onset_ms == TIME_UNKNOWN)
        return;
    buf_adds(&text, word_trend(c->trend.kind));
    if (c->trend.onset_ms != TIME_UNKNOWN) {
        buf_adds(&text, ", began ");
        time_format_minute(c->trend.onset_ms, &text);
    }
    if (c->trend.ongoing != UNKNOWN && c->trend.kind != TREND_BOUNDED) /* that says it already */
        buf_adds(&text, c->trend.ongoing == YES ? ", still going on" : ", has stopped");
    add(f, "Pattern", &text);
}

static void add_impact(const struct casefile *c, struct figures *f)
{
    struct buf text = BUF_INIT;

    if (c->impact.kind == IMPACT_ALL)
        buf_adds(&text, "everybody, no part stands out");
    if (c->impact.kind == IMPACT_SEGMENT) {
        buf_addf(&text, "%s = %s", c->impact.tag ? c->impact.tag : "one part",
                 c->impact.value ? c->impact.value : "not known");
        if (c->impact.share >= 0)
            buf_addf(&text, " (%.0f %% of the errors)", floor(c->impact.share * 100));
    }
    add(f, "Who is affected", &text);
}

static void add_counts(const struct casefile *c, struct figures *f)
{
    struct buf text = BUF_INIT;

    if (c->issue.event_count >= 0)
        word_count(c->issue.event_count, "event", "events", &text);
    if (c->issue.user_count >= 0) {
        buf_adds(&text, text.len ? ", " : "");
        word_count(c->issue.user_count, "user", "users", &text);
        buf_adds(&text, " affected");
    }
    add(f, "Counted", &text);
}

static void add_seen(const struct casefile *c, struct figures *f)
{
    struct buf text = BUF_INIT;

    if (c->issue.first_seen_ms != TIME_UNKNOWN) {
        buf_adds(&text, "first ");
        time_format_minute(c->issue.first_seen_ms, &text);
    }
    if (c->issue.last_seen_ms != TIME_UNKNOWN) {
        buf_addf(&text, "%slast ", text.len ? ", " : "");
        time_format_minute(c->issue.last_seen_ms, &text);
    }
    add(f, "Seen", &text);
}

static void add_issue(const struct casefile *c, struct figures *f)
{
    struct buf text = BUF_INIT;

    if (c->issue.project)
        buf_addf(&text, "project %s", c->issue.project);
    if (c->issue.level)
        buf_addf(&text, "%slevel %s", text.len ? ", " : "", c->issue.level);
    if (c->issue.priority)
        buf_addf(&text, "%spriority %s", text.len ? ", " : "", c->issue.priority);
    add(f, "Issue", &text);
}

static void add_run(const struct casefile *c, struct figures *f)
{
    struct buf text = BUF_INIT;

    if (c->evaluated_ms != TIME_UNKNOWN) {
        buf_adds(&text, "as of ");
        time_format_minute(c->evaluated_ms, &text);
    }
    if (c->playbook)
        buf_addf(&text, "%splaybook %s", text.len ? ", " : "", c->playbook);
    if (c->playbook_hash)
        buf_addf(&text, " (%.12s)", c->playbook_hash);
    add(f, "Looked at", &text);
}

void figures_build(const struct casefile *c, struct figures *ret)
{
    *ret = (struct figures){ 0 };
    add_targets(c, ret);
    add_failures(c, ret);
    add_trend(c, ret);
    add_impact(c, ret);
    add_counts(c, ret);
    add_seen(c, ret);
    add_issue(c, ret);
    add_run(c, ret);
}

void figures_clear(struct figures *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->items[i].text);
    free(f->items);
    *f = (struct figures){ 0 };
}
