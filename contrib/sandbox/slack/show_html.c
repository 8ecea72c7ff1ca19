/* show_html - the channel as a page of our own: simple, without anything from elsewhere. */
#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "slack/html.h"
#include "slack/show.h"

struct canvas {
    struct workspace *ws;
    struct buf *out;
    const struct channel *channel;
    const struct message *message;
    const char *block_id;
};

static void text_object(struct canvas *c, const cJSON *obj)
{
    const char *text = json_str_or(obj, "text", "");

    if (text_same(json_str(obj, "type"), "mrkdwn"))
        html_mrkdwn(c->ws, text, c->out);
    else
        html_text(text, c->out);
}

/* ---- rich text ---- */

static void rich_element(struct canvas *c, const cJSON *e)
{
    static const char *const styles[] = {
        "bold", "b", "italic", "i", "strike", "s", "code", "code"
    };
    const char *type = json_str_or(e, "type", ""), *text = json_str_or(e, "text", "");
    const cJSON *style = json_get(e, "style");
    struct buf plain = BUF_INIT;

    for (size_t i = 0; i < ARRAY_LEN(styles); i += 2)
        if (cJSON_IsTrue(json_get(style, styles[i])))
            buf_addf(c->out, "<%s>", styles[i + 1]);
    if (strcmp(type, "link") == 0) {
        html_link(json_str_or(e, "url", ""), *text ? text : json_str_or(e, "url", ""), c->out);
    } else if (strcmp(type, "user") == 0) {
        const struct user *user = workspace_user(c->ws, json_str(e, "user_id"));
        buf_addf(&plain, "@%s", user ? user->name : json_str_or(e, "user_id", "?"));
        html_text(buf_str(&plain), c->out);
    } else if (strcmp(type, "emoji") == 0) {
        buf_addf(&plain, ":%s:", json_str_or(e, "name", "?"));
        html_text(buf_str(&plain), c->out);
    } else if (strcmp(type, "date") == 0) {
        html_text(json_str_or(e, "fallback", ""), c->out);
    } else {
        html_text(text, c->out);
    }
    for (size_t i = ARRAY_LEN(styles); i > 0; i -= 2)
        if (cJSON_IsTrue(json_get(style, styles[i - 2])))
            buf_addf(c->out, "</%s>", styles[i - 1]);
    buf_clear(&plain);
}

static void rich_elements(struct canvas *c, const cJSON *part)
{
    for (const cJSON *e = json_items(part, "elements"); e; e = e->next)
        rich_element(c, e);
}

static void rich_text(struct canvas *c, const cJSON *block)
{
    for (const cJSON *part = json_items(block, "elements"); part; part = part->next) {
        const char *type = json_str_or(part, "type", "");
        if (strcmp(type, "rich_text_list") == 0) {
            bool ordered = text_same(json_str(part, "style"), "ordered");
            buf_adds(c->out, ordered ? "<ol>" : "<ul>");
            for (const cJSON *item = json_items(part, "elements"); item; item = item->next) {
                buf_adds(c->out, "<li>");
                rich_elements(c, item);
                buf_adds(c->out, "</li>");
            }
            buf_adds(c->out, ordered ? "</ol>" : "</ul>");
        } else if (strcmp(type, "rich_text_preformatted") == 0) {
            buf_adds(c->out, "<pre>");
            rich_elements(c, part);
            buf_adds(c->out, "</pre>");
        } else {
            bool quote = strcmp(type, "rich_text_quote") == 0;
            buf_adds(c->out, quote ? "<blockquote>" : "<p>");
            rich_elements(c, part);
            buf_adds(c->out, quote ? "</blockquote>" : "</p>");
        }
    }
}

/* ---- blocks ---- */

static void header(struct canvas *c, const cJSON *block)
{
    buf_adds(c->out, "<h3>");
    text_object(c, json_get(block, "text"));
    buf_adds(c->out, "</h3>");
}

static void data(struct canvas *c, const char *name, const char *value)
{
    buf_addf(c->out, " data-%s=\"", name);
    html_attr(value ? value : "", c->out);
    buf_addc(c->out, '"');
}

static void button(struct canvas *c, const cJSON *e)
{
    const char *style = json_str_or(e, "style", "");

    buf_adds(c->out, "<button class=\"");
    html_attr(style, c->out);
    buf_addc(c->out, '"');
    data(c, "channel", c->channel->id);
    data(c, "ts", c->message->ts);
    data(c, "action", json_str(e, "action_id"));
    data(c, "value", json_str(e, "value"));
    data(c, "url", json_str(e, "url"));
    buf_adds(c->out, ">");
    text_object(c, json_get(e, "text"));
    buf_adds(c->out, "</button> ");
}

static void feedback(struct canvas *c, const cJSON *e)
{
    static const char *const sides[] = { "positive_button", "negative_button" };

    for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
        const cJSON *side = json_get(e, sides[i]);
        buf_adds(c->out, "<button");
        data(c, "channel", c->channel->id);
        data(c, "ts", c->message->ts);
        data(c, "action", json_str(e, "action_id"));
        data(c, "value", json_str(side, "value"));
        buf_adds(c->out, ">");
        text_object(c, json_get(side, "text"));
        buf_adds(c->out, "</button> ");
    }
}

static void actions(struct canvas *c, const cJSON *block)
{
    buf_adds(c->out, "<p>");
    for (const cJSON *e = json_items(block, "elements"); e; e = e->next) {
        const char *type = json_str_or(e, "type", "");
        if (strcmp(type, "button") == 0 || strcmp(type, "icon_button") == 0)
            button(c, e);
        else if (strcmp(type, "feedback_buttons") == 0)
            feedback(c, e);
        else {
            buf_adds(c->out, "<span class=\"menu\">");
            text_object(c, json_get(e, "placeholder"));
            buf_adds(c->out, " ▾</span> ");
        }
    }
    buf_adds(c->out, "</p>");
}

static void section(struct canvas *c, const cJSON *block)
{
    const cJSON *accessory = json_get(block, "accessory");

    if (text_same(json_str(accessory, "type"), "button")) {
        buf_adds(c->out, "<div class=\"side\">");
        button(c, accessory);
        buf_adds(c->out, "</div>");
    }
    if (json_get(block, "text")) {
        buf_adds(c->out, "<p>");
        text_object(c, json_get(block, "text"));
        buf_adds(c->out, "</p>");
    }
    if (!json_items(block, "fields"))
        return;
    buf_adds(c->out, "<div class=\"fields\">");
    for (const cJSON *f = json_items(block, "fields"); f; f = f->next) {
        buf_adds(c->out, "<div>");
        text_object(c, f);
        buf_adds(c->out, "</div>");
    }
    buf_adds(c->out, "</div>");
}

static void divider(struct canvas *c, const cJSON *block)
{
    (void)block;
    buf_adds(c->out, "<hr>");
}

static void context(struct canvas *c, const cJSON *block)
{
    buf_adds(c->out, "<p class=\"context\">");
    for (const cJSON *e = json_items(block, "elements"); e; e = e->next) {
        text_object(c, e);
        buf_adds(c->out, " ");
    }
    buf_adds(c->out, "</p>");
}

static void image(struct canvas *c, const cJSON *block)
{
    buf_adds(c->out, "<p class=\"image\">🖼 ");
    html_text(json_str_or(block, "alt_text", ""), c->out);
    buf_adds(c->out, "</p>");
}

static void markdown(struct canvas *c, const cJSON *block)
{
    buf_adds(c->out, "<p>");
    html_text(json_str_or(block, "text", ""), c->out);
    buf_adds(c->out, "</p>");
}

static void table(struct canvas *c, const cJSON *block)
{
    buf_adds(c->out, "<table>");
    for (const cJSON *row = json_items(block, "rows"); row; row = row->next) {
        buf_adds(c->out, "<tr>");
        for (const cJSON *cell = json_first(row); cell; cell = cell->next) {
            buf_adds(c->out, "<td>");
            if (text_same(json_str(cell, "type"), "raw_text"))
                html_text(json_str_or(cell, "text", ""), c->out);
            else
                rich_text(c, cell);
            buf_adds(c->out, "</td>");
        }
        buf_adds(c->out, "</tr>");
    }
    buf_adds(c->out, "</table>");
}

static void task(struct canvas *c, const cJSON *card)
{
    static const struct {
        const char *status, *mark;
    } marks[] = {
        { "pending", "○" }, { "in_progress", "◐" }, { "complete", "✓" }, { "error", "✗" }
    };
    const char *status = json_str_or(card, "status", "pending"), *mark = "○";

    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (strcmp(marks[i].status, status) == 0)
            mark = marks[i].mark;
    buf_addf(c->out, "<div class=\"task %s\"><b>%s ", status, mark);
    html_text(json_str_or(card, "title", ""), c->out);
    buf_adds(c->out, "</b>");
    if (json_get(card, "details"))
        rich_text(c, json_get(card, "details"));
    if (json_get(card, "output"))
        rich_text(c, json_get(card, "output"));
    for (const cJSON *s = json_items(card, "sources"); s; s = s->next) {
        buf_adds(c->out, "<span class=\"source\">↗ ");
        html_link(json_str_or(s, "url", ""), json_str_or(s, "text", ""), c->out);
        buf_adds(c->out, "</span> ");
    }
    buf_adds(c->out, "</div>");
}

static void plan(struct canvas *c, const cJSON *block)
{
    buf_adds(c->out, "<div class=\"plan\"><p><b>");
    html_text(json_str_or(block, "title", ""), c->out);
    buf_adds(c->out, "</b></p>");
    for (const cJSON *t = json_items(block, "tasks"); t; t = t->next)
        task(c, t);
    buf_adds(c->out, "</div>");
}

static void chart(struct canvas *c, const cJSON *block)
{
    html_chart(block, c->out);
}

static const struct {
    const char *type;
    void (*draw)(struct canvas *c, const cJSON *block);
} kinds[] = {
    { "header", header },
    { "section", section },
    { "divider", divider },
    { "context", context },
    { "actions", actions },
    { "context_actions", actions },
    { "image", image },
    { "markdown", markdown },
    { "rich_text", rich_text },
    { "table", table },
    { "plan", plan },
    { "task_card", task },
    { "data_visualization", chart },
};

static void draw_block(struct canvas *c, const cJSON *block)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (text_same(json_str(block, "type"), kinds[i].type))
            kinds[i].draw(c, block);
}

/* ---- messages ---- */

static void who(struct canvas *c, const struct message *m)
{
    const struct user *user = workspace_user(c->ws, m->user);
    struct buf iso = BUF_INIT;

    time_format_iso(strtoll(m->ts, NULL, 10) * 1000, &iso);
    buf_adds(c->out, "<p class=\"who\"><b>");
    html_text(user ? user->name : "Slackbot", c->out);
    buf_addf(c->out, "</b>%s <time>%.5s UTC</time>", m->bot_id ? " <em>APP</em>" : "",
             buf_str(&iso) + 11);
    if (m->shown_to)
        buf_adds(c->out, " <small>only visible to you</small>");
    if (m->broadcast)
        buf_adds(c->out, " <small>also sent to the channel</small>");
    if (m->edited_ts)
        buf_adds(c->out, " <small>(edited)</small>");
    buf_adds(c->out, "</p>");
    buf_clear(&iso);
}

/* Its bytes come from the control port, which serves the page too. */
static void draw_file(struct canvas *c, const cJSON *f)
{
    buf_adds(c->out, "<figure><figcaption>");
    html_text(json_str_or(f, "title", ""), c->out);
    buf_adds(c->out, "</figcaption>");
    if (strstr(json_str_or(f, "name", ""), ".png")) {
        buf_adds(c->out, "<img src=\"/file?id=");
        html_attr(json_str_or(f, "id", ""), c->out);
        buf_adds(c->out, "\" alt=\"");
        html_attr(json_str_or(f, "alt_txt", ""), c->out);
        buf_adds(c->out, "\">");
    }
    buf_adds(c->out, "</figure>");
}

static void draw_message(struct canvas *c, const struct message *m)
{
    c->message = m;
    buf_addf(c->out, "<article class=\"%s%s\" id=\"m%s\"", m->thread_ts ? "reply " : "",
             m->shown_to ? "ephemeral" : "", m->ts);
    data(c, "part",
         m->files ? "image" : json_str(json_path(m->metadata, "event_payload", NULL), "part"));
    buf_addc(c->out, '>');
    who(c, m);
    if (!json_first(m->blocks)) {
        buf_adds(c->out, "<p>");
        html_mrkdwn(c->ws, m->text, c->out);
        buf_adds(c->out, "</p>");
    }
    for (const cJSON *block = json_first(m->blocks); block; block = block->next)
        draw_block(c, block);
    for (const cJSON *f = json_first(m->files); f; f = f->next)
        draw_file(c, f);
    buf_adds(c->out, "</article>\n");
}

static const char style[] =
    ":root{color-scheme:light dark}body{font:15px/1.45 system-ui,sans-serif;max-width:46rem;"
    "margin:1.5rem auto;padding:0 1rem}h1{font-size:1.1rem;border-bottom:1px solid #8886;"
    "padding-bottom:.5rem}h3{margin:.4rem 0}article{padding:.5rem .8rem;margin:.3rem 0}"
    "article.reply{margin-left:2.2rem;border-left:3px solid #8885}article.ephemeral{opacity:.75}"
    "p{margin:.25rem 0}ul,ol{margin:.2rem 0;padding-left:1.6rem}.who "
    "em{font-size:.7rem;font-style:normal;border:1px solid #8888;"
    "border-radius:3px;padding:0 .25rem}.who time,.who small,.context,.source,.key,figcaption"
    "{color:#888;font-size:.82rem}.at{background:#4a90d933;border-radius:3px;padding:0 .2rem}"
    "pre{background:#8882;padding:.5rem;overflow:auto;white-space:pre-wrap}code{background:#8882;"
    "padding:0 .2rem;border-radius:3px}blockquote{border-left:3px solid #8888;margin:.3rem 0;"
    "padding-left:.6rem}.fields{display:grid;grid-template-columns:1fr 1fr;gap:.4rem}.plan{border:"
    "1px solid #8886;border-radius:8px;padding:.4rem .8rem}.task{padding:.15rem 0}.task p{margin:"
    "0 0 0 1.3rem}.task.error>b{color:#c0392b}.task.complete>b{color:#1e8449}.task.pending{opacity:"
    ".6}.source{margin-left:1.3rem}button{font:inherit;padding:.2rem .7rem;border:1px solid #8888;"
    "border-radius:5px;background:none;cursor:pointer}button.primary{background:#1e8449;color:#fff}"
    "button.danger{color:#c0392b}.side{float:right}table{border-collapse:collapse}td{border:1px "
    "solid #8886;padding:.15rem .5rem}figure{margin:.4rem "
    "0}img{max-width:100%;border-radius:8px}svg text{font-size:10px;fill:#888}"
    ".axis{stroke:#888}";

/* A click is sent as what it is, and the page shows what came of it. For a browser that nobody sits
 * at, "?press=ACTION" presses the newest button of that name once, and "?show=plan,answer" leaves
 * out all messages but those. */
static const char script[] =
    "document.addEventListener('click',async e=>{const b=e.target.closest('button');if(!b)return;"
    "const d=b.dataset;await fetch(document.body.dataset.click,{method:'POST',body:JSON.stringify("
    "{channel:d.channel,ts:d.ts,action_id:d.action,value:d.value||undefined})});"
    "if(d.url)window.open(d.url);const u=new URL(location);u.searchParams.delete('press');"
    "setTimeout(()=>location.replace(u),600)});"
    "const show=new URLSearchParams(location.search).get('show');if(show)for(const a of "
    "document.querySelectorAll('article'))a.hidden=!show.split(',').includes(a.dataset.part);"
    "const press=new URLSearchParams(location.search).get('press');if(press)"
    "[...document.querySelectorAll('button')].filter(b=>b.dataset.action===press).pop()?.click();";

void show_page(struct workspace *ws, const struct channel *channel, const char *click_url,
               struct buf *out)
{
    struct canvas c = { .ws = ws, .out = out, .channel = channel };

    buf_addf(out,
             "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>#%s</title>"
             "<meta name=\"viewport\" content=\"width=device-width\"><style>%s</style></head>"
             "<body data-click=\"%s\"><h1>#%s</h1>\n",
             channel->name, style, click_url, channel->name);
    for (size_t i = 0; i < channel->n; i++) {
        const struct message *m = channel->messages[i];
        if (m->thread_ts || m->deleted)
            continue;
        draw_message(&c, m);
        for (size_t k = 0; k < channel->n; k++)
            if (text_same(channel->messages[k]->thread_ts, m->ts) && !channel->messages[k]->deleted)
                draw_message(&c, channel->messages[k]);
    }
    buf_addf(out, "<script>%s</script></body></html>\n", script);
}
