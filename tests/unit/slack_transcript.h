/* slack_transcript - a thread as a person sees it, in plain text: blocks rendered, for golden
 * files. */
#ifndef SLACK_TRANSCRIPT_H
#define SLACK_TRANSCRIPT_H

#include "dbconn/base/json.h"
#include "dbconn/slack/thread_view.h"

static inline const cJSON *elements_of(const cJSON *item)
{
    return json_items(item, "elements");
}

/* <url|label> as label [url], <!date^…|fallback> as its fallback, <@U1> as @U1. */
static inline void show_mrkdwn(const char *s, struct buf *out)
{
    while (*s) {
        size_t end = *s == '<' ? strcspn(s, ">") : 0, bar = *s == '<' ? strcspn(s, "|>") : 0;
        if (*s == '<' && strncmp(s, "<!date", 6) == 0)
            buf_addf(out, "{%.*s}", (int)(end - bar - 1), s + bar + 1);
        else if (*s == '<' && s[1] == '@')
            buf_addf(out, "@%.*s", (int)(end - 2), s + 2);
        else if (*s == '<' && s[bar] == '|')
            buf_addf(out, "%.*s [%.*s]", (int)(end - bar - 1), s + bar + 1, (int)(bar - 1), s + 1);
        else if (strncmp(s, "&lt;", 4) == 0 || strncmp(s, "&gt;", 4) == 0)
            buf_addc(out, s[1] == 'l' ? '<' : '>');
        else if (strncmp(s, "&amp;", 5) == 0)
            buf_addc(out, '&');
        else
            buf_addc(out, *s);
        s += *s == '<' ? end + 1 : *s == '&' ? strcspn(s, ";") + 1 : 1;
    }
}

static inline void show_rich_element(const cJSON *e, struct buf *out)
{
    const char *type = json_str_or(e, "type", ""), *text = json_str_or(e, "text", "");
    const cJSON *style = json_get(e, "style");
    const char *mark = json_get(style, "bold") ? "*" : json_get(style, "code") ? "`" : "";

    if (strcmp(type, "link") == 0)
        buf_addf(out, "%s [%s]", text, json_str_or(e, "url", ""));
    else if (strcmp(type, "user") == 0)
        buf_addf(out, "@%s", json_str_or(e, "user_id", ""));
    else if (strcmp(type, "date") == 0)
        buf_addf(out, "{%s}", json_str_or(e, "fallback", ""));
    else
        buf_addf(out, "%s%s%s", mark, text, mark);
}

static inline void show_rich(const cJSON *block, const char *indent, struct buf *out)
{
    for (const cJSON *part = elements_of(block); part; part = part->next) {
        const char *type = json_str_or(part, "type", "");
        bool list = strcmp(type, "rich_text_list") == 0;
        for (const cJSON *item = list ? elements_of(part) : part; item;
             item = list ? item->next : NULL) {
            buf_addf(out, "%s%s", indent, list ? "• " : strstr(type, "pre") ? "| " : "");
            for (const cJSON *e = elements_of(item); e; e = e->next)
                show_rich_element(e, out);
            buf_addc(out, '\n');
        }
    }
}

static inline void show_card(const cJSON *card, struct buf *out)
{
    buf_addf(out, "  (%s) %s\n", json_str_or(card, "status", ""), json_str_or(card, "title", ""));
    if (json_get(card, "details"))
        show_rich(json_get(card, "details"), "      ", out);
    if (json_get(card, "output"))
        show_rich(json_get(card, "output"), "      ", out);
    for (const cJSON *s = json_items(card, "sources"); s; s = s->next)
        buf_addf(out, "      source: %s [%s]\n", json_str_or(s, "text", ""),
                 json_str_or(s, "url", ""));
}

static inline void show_chart(const cJSON *block, struct buf *out)
{
    const cJSON *chart = json_get(block, "chart");

    buf_addf(out, "(chart) %s\n", json_str_or(block, "title", ""));
    for (const cJSON *s = json_items(chart, "series"); s; s = s->next) {
        buf_addf(out, "  %s:", json_str_or(s, "name", ""));
        for (const cJSON *p = json_items(s, "data"); p; p = p->next)
            buf_addf(out, " %s=%.0f", json_str_or(p, "label", ""),
                     json_get(p, "value")->valuedouble);
        buf_addc(out, '\n');
    }
}

static inline void show_block(const cJSON *block, struct buf *out)
{
    const char *type = json_str_or(block, "type", "");

    if (strcmp(type, "rich_text") == 0) {
        show_rich(block, "", out);
    } else if (strcmp(type, "section") == 0) {
        show_mrkdwn(json_str_or(json_get(block, "text"), "text", ""), out);
        buf_addc(out, '\n');
    } else if (strcmp(type, "context") == 0) {
        buf_adds(out, "~ ");
        show_mrkdwn(json_str_or(elements_of(block), "text", ""), out);
        buf_addc(out, '\n');
    } else if (strcmp(type, "actions") == 0) {
        for (const cJSON *e = elements_of(block); e; e = e->next)
            buf_addf(out, "[%s] ", json_str_or(json_get(e, "text"), "text", ""));
        out->data[out->len - 1] = '\n';
    } else if (strcmp(type, "plan") == 0) {
        buf_addf(out, "(plan) %s\n", json_str_or(block, "title", ""));
        for (const cJSON *t = json_items(block, "tasks"); t; t = t->next)
            show_card(t, out);
    } else if (strcmp(type, "data_visualization") == 0) {
        show_chart(block, out);
    }
}

static inline void show_part(const struct thread_part *part, struct buf *out)
{
    buf_addf(out, "======== %s, in the %s%s ========\n", part_name(part->id),
             part->in_thread ? "thread" : "channel", part->broadcast ? " and the channel" : "");
    for (const cJSON *block = json_first(part->blocks); block; block = block->next)
        show_block(block, out);
    if (part->picture)
        buf_addf(out, "[file %s: %s]\n[alt: %s]\n", part->picture->name, part->picture->title,
                 part->picture->alt);
    buf_addf(out, "-------- as text --------\n%s\n\n", part->text);
}

static inline void show_thread(const struct thread_view *view, struct buf *out)
{
    for (size_t i = 0; i < view->n; i++)
        show_part(&view->parts[i], out);
}

#endif
