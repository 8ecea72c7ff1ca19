/* What a terminal shows while an investigation runs: one line a step. */
#include "dbconn/report/terminal.h"

#include "dbconn/base/text.h"
#include "dbconn/diagnosis/casefile.h"
#include "dbconn/report/wording.h"
#include "terminal_style.h"

static const char *style_of(enum step_status s)
{
    switch (s) {
    case STEP_COMPLETE:
        return STYLE_GOOD;
    case STEP_PARTIAL:
        return STYLE_WARN;
    case STEP_FAILED:
        return STYLE_BAD;
    case STEP_RUNNING:
        return STYLE_BOLD;
    case STEP_PENDING:
    case STEP_SKIPPED:
        return STYLE_DIM;
    }
    return "";
}

/* "12 ms", "2.4 s", then as elsewhere. */
static void add_took(int64_t ms, struct buf *out)
{
    if (ms < 1000)
        buf_addf(out, "%lld ms", (long long)(ms < 0 ? 0 : ms));
    else if (ms < 10 * SECOND_MS)
        buf_addf(out, "%lld.%lld s", (long long)(ms / 1000), (long long)(ms % 1000 / 100));
    else
        time_format_duration(ms, out);
}

static void add_running_for(const struct step_record *s, int64_t now_ms, struct buf *out)
{
    if (now_ms == TIME_UNKNOWN || s->started_ms == TIME_UNKNOWN || now_ms < s->started_ms)
        return;
    buf_adds(out, " for ");
    time_format_duration(now_ms - s->started_ms, out);
}

static const char *title_of(const struct step_record *s)
{
    return s->title ? s->title : s->id ? s->id : "step";
}

void terminal_step_line(const struct casefile *c, const struct step_record *s,
                        const struct terminal_options *o, struct buf *out)
{
    struct buf summary = BUF_INIT;

    buf_addf(out, "[%d/%zu] ", s->number, c->n_steps);
    text_clean(title_of(s), true, out);
    buf_adds(out, ": ");
    style_on(o, style_of(s->status), out);
    buf_adds(out, word_status(s->status));
    style_off(o, out);
    if (s->status == STEP_RUNNING)
        add_running_for(s, o->now_ms, out);
    else if (s->duration_ms > 0 && s->status != STEP_SKIPPED) {
        buf_adds(out, s->status == STEP_FAILED ? " after " : " in ");
        add_took(s->duration_ms, out);
    }
    text_clean(s->summary, true, &summary);
    if (summary.len)
        buf_addf(out, ". %s", buf_str(&summary));
    buf_addc(out, '\n');
    buf_clear(&summary);
}

/* "  running      3. Connection details: asking for 12 s" in at most `width` columns. */
static void live_step(const struct step_record *s, const struct terminal_options *o, size_t width,
                      const char *sign, struct buf *out)
{
    struct buf text = BUF_INIT;

    buf_addf(out, "%s ", s->status == STEP_RUNNING ? sign : " ");
    style_on(o, style_of(s->status), out);
    buf_addf(out, "%-11s", word_status(s->status));
    style_off(o, out);
    buf_addf(&text, " %d. %s", s->number, title_of(s));
    if (s->status == STEP_RUNNING)
        add_running_for(s, o->now_ms, &text);
    else if (s->summary && s->summary[0])
        buf_addf(&text, ": %s", s->summary);
    terminal_cut(buf_str(&text) + 1, width - 13, out);
    buf_addc(out, '\n');
    buf_clear(&text);
}

size_t terminal_live(const struct casefile *c, const struct terminal_options *o, unsigned tick,
                     struct buf *out)
{
    static const char *const signs[] = { "|", "/", "-", "\\" };
    size_t width = style_width(o);
    struct buf head = BUF_INIT;

    buf_addf(&head, "%s, ", word_issue(c));
    word_progress(c, &head);
    if (c->issue.error_line)
        buf_addf(&head, ": %s", c->issue.error_line);
    style_on(o, STYLE_BOLD, out);
    terminal_cut(buf_str(&head), width, out);
    style_off(o, out);
    buf_addc(out, '\n');
    for (size_t i = 0; i < c->n_steps; i++)
        live_step(&c->steps[i], o, width, signs[tick % ARRAY_LEN(signs)], out);
    buf_clear(&head);
    return c->n_steps + 1;
}
