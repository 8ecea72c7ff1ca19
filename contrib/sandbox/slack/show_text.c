#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "slack/show.h"

/* What the drawing functions need besides the block. */
struct canvas {
    struct workspace *ws;
    struct buf *out;
};

static void add_text_object(struct canvas *c, const cJSON *obj)
{
    const char *text = json_str_or(obj, "text", "");

    if (text_same(json_str(obj, "type"), "mrkdwn"))
        show_mrkdwn(c->ws, text, c->out);
    else
        buf_adds(c->out, text);
}

static void add_inline(struct canvas *c, const cJSON *e)
{
    const char *type = json_str_or(e, "type", ""), *text = json_str(e, "text");
    const struct user *user;

    if (strcmp(type, "text") == 0) {
        bool code = cJSON_IsTrue(json_path(e, "style", "code", NULL));
        buf_addf(c->out, code ? "`%s`" : "%s", text ? text : "");
    } else if (strcmp(type, "link") == 0) {
        const char *url = json_str_or(e, "url", "");
        if (text)
            buf_addf(c->out, "%s (%s)", text, url);
        else
            buf_adds(c->out, url);
    } else if (strcmp(type, "user") == 0) {
        user = workspace_user(c->ws, json_str(e, "user_id"));
        buf_addf(c->out, "@%s", user ? user->name : json_str_or(e, "user_id", "?"));
    } else if (strcmp(type, "emoji") == 0) {
        buf_addf(c->out, ":%s:", json_str_or(e, "name", "?"));
    } else if (strcmp(type, "broadcast") == 0) {
        buf_addf(c->out, "@%s", json_str_or(e, "range", "?"));
    } else if (strcmp(type, "date") == 0) {
        int64_t at = 0;
        (void)json_i64(e, "timestamp", &at);
        if (json_str(e, "fallback"))
            buf_adds(c->out, json_str(e, "fallback"));
        else
            time_format_minute(at * 1000, c->out);
    }
}

static void add_inlines(struct canvas *c, const cJSON *part)
{
    for (const cJSON *e = json_items(part, "elements"); e; e = e->next)
        add_inline(c, e);
}

static void add_list(struct canvas *c, const cJSON *list)
{
    bool ordered = text_same(json_str(list, "style"), "ordered");
    int64_t indent = 0, number = 0;

    (void)json_i64(list, "indent", &indent);
    (void)json_i64(list, "offset", &number);
    for (const cJSON *item = json_items(list, "elements"); item; item = item->next) {
        buf_addf(c->out, "%*s", (int)indent * 2, "");
        if (ordered)
            buf_addf(c->out, "%lld. ", (long long)++number);
        else
            buf_adds(c->out, "• ");
        add_inlines(c, item);
        if (item->next)
            buf_addc(c->out, '\n');
    }
}

static void add_rich_text(struct canvas *c, const cJSON *block)
{
    for (const cJSON *part = json_items(block, "elements"); part; part = part->next) {
        const char *type = json_str_or(part, "type", "");
        if (strcmp(type, "rich_text_list") == 0) {
            add_list(c, part);
        } else {
            if (strcmp(type, "rich_text_quote") == 0)
                buf_adds(c->out, "> ");
            if (strcmp(type, "rich_text_preformatted") == 0)
                buf_adds(c->out, "```\n");
            add_inlines(c, part);
            if (strcmp(type, "rich_text_preformatted") == 0)
                buf_adds(c->out, "\n```");
        }
        if (part->next)
            buf_addc(c->out, '\n');
    }
}

static void draw_header(struct canvas *c, const cJSON *block)
{
    buf_adds(c->out, "# ");
    add_text_object(c, json_get(block, "text"));
}

static void draw_section(struct canvas *c, const cJSON *block)
{
    const cJSON *text = json_get(block, "text"), *accessory = json_get(block, "accessory");

    if (text)
        add_text_object(c, text);
    for (const cJSON *f = json_items(block, "fields"); f; f = f->next) {
        if (text || f != json_items(block, "fields"))
            buf_addc(c->out, '\n');
        add_text_object(c, f);
    }
    if (text_same(json_str(accessory, "type"), "button")) {
        buf_adds(c->out, "  [ ");
        add_text_object(c, json_get(accessory, "text"));
        buf_adds(c->out, " ]");
    }
}

static void draw_divider(struct canvas *c, const cJSON *block)
{
    (void)block;
    buf_adds(c->out, "────────");
}

static void draw_context(struct canvas *c, const cJSON *block)
{
    buf_adds(c->out, "· ");
    for (const cJSON *e = json_items(block, "elements"); e; e = e->next) {
        if (text_same(json_str(e, "type"), "image"))
            buf_addf(c->out, "[%s]", json_str_or(e, "alt_text", ""));
        else
            add_text_object(c, e);
        if (e->next)
            buf_adds(c->out, "  ");
    }
}

static void draw_actions(struct canvas *c, const cJSON *block)
{
    for (const cJSON *e = json_items(block, "elements"); e; e = e->next) {
        const cJSON *label = json_get(e, "text");
        if (!label)
            label = json_get(e, "placeholder");
        buf_adds(c->out, "[ ");
        if (text_same(json_str(e, "type"), "feedback_buttons")) {
            add_text_object(c, json_path(e, "positive_button", "text", NULL));
            buf_adds(c->out, " | ");
            add_text_object(c, json_path(e, "negative_button", "text", NULL));
        } else if (label) {
            add_text_object(c, label);
        }
        if (json_str(e, "url"))
            buf_addf(c->out, " → %s", json_str(e, "url"));
        buf_adds(c->out, e->next ? " ] " : " ]");
    }
}

static void draw_image(struct canvas *c, const cJSON *block)
{
    buf_addf(c->out, "[image: %s]", json_str_or(block, "alt_text", ""));
}

static void draw_markdown(struct canvas *c, const cJSON *block)
{
    buf_adds(c->out, json_str(block, "text"));
}

static void draw_table(struct canvas *c, const cJSON *block)
{
    for (const cJSON *row = json_items(block, "rows"); row; row = row->next) {
        for (const cJSON *cell = json_first(row); cell; cell = cell->next) {
            if (text_same(json_str(cell, "type"), "raw_text"))
                buf_adds(c->out, json_str(cell, "text"));
            else
                add_rich_text(c, cell);
            if (cell->next)
                buf_adds(c->out, " | ");
        }
        if (row->next)
            buf_addc(c->out, '\n');
    }
}

/* Rich text of a card, each line indented. */
static void add_card_text(struct canvas *c, const cJSON *rich)
{
    struct buf text = BUF_INIT;
    struct canvas inner = { .ws = c->ws, .out = &text };

    if (!rich)
        return;
    add_rich_text(&inner, rich);
    buf_adds(c->out, "\n    ");
    for (const char *p = buf_str(&text); *p; p++)
        buf_addf(c->out, *p == '\n' ? "%c    " : "%c", *p);
    buf_clear(&text);
}

static void draw_task(struct canvas *c, const cJSON *task)
{
    static const struct {
        const char *status, *mark;
    } marks[] = {
        { "pending", "○" }, { "in_progress", "◐" }, { "complete", "✓" }, { "error", "✗" }
    };
    const char *mark = "○";

    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (text_same(json_str(task, "status"), marks[i].status))
            mark = marks[i].mark;
    buf_addf(c->out, "%s %s", mark, json_str_or(task, "title", ""));
    add_card_text(c, json_get(task, "details"));
    add_card_text(c, json_get(task, "output"));
    for (const cJSON *s = json_items(task, "sources"); s; s = s->next)
        buf_addf(c->out, "\n    ↗ %s (%s)", json_str_or(s, "text", ""), json_str_or(s, "url", ""));
}

static void draw_plan(struct canvas *c, const cJSON *block)
{
    buf_addf(c->out, "▸ %s", json_str_or(block, "title", ""));
    for (const cJSON *task = json_items(block, "tasks"); task; task = task->next) {
        buf_addc(c->out, '\n');
        draw_task(c, task);
    }
}

/* Eight heights, so that a series is a line of text. */
static void add_sparkline(struct canvas *c, const cJSON *series, double most)
{
    static const char *const bars[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };

    for (const cJSON *p = json_items(series, "data"); p; p = p->next) {
        double value = 0;
        (void)json_num(p, "value", &value);
        size_t i = most > 0 && value > 0 ? (size_t)(value / most * 7 + 0.5) : 0;
        buf_adds(c->out, bars[i < 8 ? i : 7]);
    }
    buf_addf(c->out, "  %s", json_str_or(series, "name", ""));
}

static double largest(const cJSON *chart)
{
    double most = 0;

    for (const cJSON *s = json_items(chart, "series"); s; s = s->next)
        for (const cJSON *p = json_items(s, "data"); p; p = p->next) {
            double value = 0;
            if (json_num(p, "value", &value) && value > most)
                most = value;
        }
    return most;
}

static void draw_chart(struct canvas *c, const cJSON *block)
{
    const cJSON *chart = json_get(block, "chart");
    const cJSON *categories = json_path(chart, "axis_config", "categories", NULL);
    double most = largest(chart);

    buf_addf(c->out, "[chart] %s", json_str_or(block, "title", ""));
    for (const cJSON *s = json_items(chart, "series"); s; s = s->next) {
        buf_addc(c->out, '\n');
        add_sparkline(c, s, most);
    }
    if (categories && json_first(categories)) {
        const cJSON *last = cJSON_GetArrayItem(categories, cJSON_GetArraySize(categories) - 1);
        buf_addf(c->out, "\n%s … %s, most %.0f", cJSON_GetStringValue(json_first(categories)),
                 cJSON_GetStringValue(last), most);
    }
}

static const struct {
    const char *type;
    void (*draw)(struct canvas *c, const cJSON *block);
} kinds[] = {
    { "header", draw_header },
    { "section", draw_section },
    { "divider", draw_divider },
    { "context", draw_context },
    { "actions", draw_actions },
    { "context_actions", draw_actions },
    { "image", draw_image },
    { "markdown", draw_markdown },
    { "rich_text", add_rich_text },
    { "table", draw_table },
    { "plan", draw_plan },
    { "task_card", draw_task },
    { "data_visualization", draw_chart },
};

static void draw_block(struct canvas *c, const cJSON *block)
{
    const char *type = json_str_or(block, "type", "");

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].type, type) == 0) {
            kinds[i].draw(c, block);
            return;
        }
    }
    buf_addf(c->out, "[%s]", type);
}

/* Blocks replace the text; without blocks the text is shown. */
static void draw_body(struct canvas *c, const struct message *m)
{
    if (!json_first(m->blocks))
        show_mrkdwn(c->ws, m->text, c->out);
    for (const cJSON *block = json_first(m->blocks); block; block = block->next) {
        draw_block(c, block);
        if (block->next)
            buf_addc(c->out, '\n');
    }
    for (const cJSON *f = json_first(m->files); f; f = f->next)
        buf_addf(c->out, "\n[file: %s]%s%s", json_str_or(f, "title", "?"),
                 json_str(f, "alt_txt") ? " " : "", json_str_or(f, "alt_txt", ""));
    for (const cJSON *r = json_first(m->reactions); r; r = r->next)
        buf_addf(c->out, "%s:%s:", r == json_first(m->reactions) ? "\n" : " ",
                 json_str_or(r, "name", "?"));
}

static void add_who(struct canvas *c, const struct message *m, const struct show_options *options)
{
    const struct user *user = workspace_user(c->ws, m->user);

    buf_adds(c->out, user ? user->name : text_same(m->user, "USLACKBOT") ? "Slackbot" : m->user);
    if (m->bot_id)
        buf_adds(c->out, " [app]");
    if (options->times) {
        struct buf iso = BUF_INIT;
        time_format_iso(strtoll(m->ts, NULL, 10) * 1000, &iso);
        buf_addf(c->out, "  %.8s", buf_str(&iso) + 11);
        buf_clear(&iso);
    }
    if (m->shown_to)
        buf_adds(c->out, "  (only visible to you)");
    if (m->broadcast)
        buf_adds(c->out, "  (also sent to the channel)");
    if (m->edited_ts)
        buf_adds(c->out, "  (edited)");
}

/* Appends `text` with every line indented. */
static void add_indented(struct buf *out, const char *text, const char *indent)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        buf_adds(out, n ? indent : "");
        buf_add(out, text, n);
        buf_addc(out, '\n');
        text += n + (text[n] == '\n');
    }
}

void show_message(struct workspace *ws, const struct message *message,
                  const struct show_options *options, struct buf *out)
{
    struct buf body = BUF_INIT;
    struct canvas c = { .ws = ws, .out = out };

    add_who(&c, message, options);
    buf_addc(out, '\n');
    c.out = &body;
    draw_body(&c, message);
    add_indented(out, buf_str(&body), "  ");
    buf_clear(&body);
}

static bool is_shown(const struct message *m, const struct show_options *options)
{
    return !m->deleted && (!m->shown_to || !options->user || text_same(m->shown_to, options->user));
}

static void show_thread(struct workspace *ws, const struct channel *channel,
                        const struct message *parent, const struct show_options *options,
                        struct buf *out)
{
    for (size_t i = 0; i < channel->n; i++) {
        const struct message *m = channel->messages[i];
        struct buf one = BUF_INIT;
        if (!text_same(m->thread_ts, parent->ts) || !is_shown(m, options))
            continue;
        show_message(ws, m, options, &one);
        buf_addc(out, '\n');
        add_indented(out, buf_str(&one), "    ");
        buf_clear(&one);
    }
}

void show_channel(struct workspace *ws, const struct channel *channel,
                  const struct show_options *options, struct buf *out)
{
    buf_addf(out, "#%s\n", channel->name[0] ? channel->name : channel->id);
    for (size_t i = 0; i < channel->n; i++) {
        const struct message *m = channel->messages[i];
        if (m->thread_ts || !is_shown(m, options))
            continue;
        buf_addc(out, '\n');
        show_message(ws, m, options, out);
        show_thread(ws, channel, m, options, out);
    }
}
