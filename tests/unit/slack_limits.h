/* slack_limits - what Slack would refuse (docs.slack.dev/reference/block-kit), for the tests. */
#ifndef SLACK_LIMITS_H
#define SLACK_LIMITS_H

#include <stdio.h>

#include "dbconn/base/json.h"

static inline bool limit_over(const cJSON *obj, const char *key, size_t max)
{
    const char *s = json_str(obj, key);

    return s && strlen(s) > max;
}

static inline const char *limit_text(const cJSON *text, size_t max)
{
    const char *s = json_str(text, "text");

    if (!s)
        return "a text object without text";
    if (!*s)
        return "an empty text object";
    return strlen(s) > max ? "a text object that is too long" : NULL;
}

static inline const char *limit_button(const cJSON *e)
{
    const char *problem = limit_text(json_get(e, "text"), 75);

    if (problem)
        return problem;
    if (limit_over(e, "value", 2000) || limit_over(e, "url", 3000) ||
        limit_over(e, "action_id", 255) || limit_over(e, "accessibility_label", 75))
        return "a button field that is too long";
    const cJSON *confirm = json_get(e, "confirm");
    if (confirm &&
        (limit_text(json_get(confirm, "title"), 100) || limit_text(json_get(confirm, "text"), 300)))
        return "a confirm dialog that is too long";
    return json_str(e, "action_id") ? NULL : "a button without action_id";
}

static inline const char *limit_actions(const cJSON *block)
{
    size_t n = 0;

    for (const cJSON *e = json_items(block, "elements"); e; e = e->next, n++) {
        const char *problem = limit_button(e);
        if (problem)
            return problem;
        for (const cJSON *o = e->next; o; o = o->next) {
            if (strcmp(json_str_or(e, "action_id", ""), json_str_or(o, "action_id", "")) == 0)
                return "an action_id twice in a block";
        }
    }
    return n == 0 || n > 25 ? "an actions block with too few or too many elements" : NULL;
}

static inline const char *limit_rich(const cJSON *item)
{
    const cJSON *elements = json_get(item, "elements");

    if (elements && cJSON_GetArraySize(elements) == 0)
        return "a rich_text part without elements";
    if (json_get(item, "text") && (!json_str(item, "text") || !*json_str(item, "text")))
        return "a rich_text element with an empty text";
    for (const cJSON *e = json_first(elements); e; e = e->next) {
        const char *problem = limit_rich(e);
        if (problem)
            return problem;
    }
    return NULL;
}

static inline const char *limit_plan(const cJSON *block)
{
    if (!json_str(block, "title") || limit_over(block, "title", 256))
        return "a plan with a wrong title";
    if (cJSON_GetArraySize(json_get(block, "tasks")) > 50)
        return "a plan with too many cards";
    for (const cJSON *t = json_items(block, "tasks"); t; t = t->next) {
        const char *status = json_str_or(t, "status", "");
        if (!json_str(t, "task_id") || !json_str(t, "title") || limit_over(t, "title", 256))
            return "a card without its id or title";
        if (!strstr("pending in_progress complete error", status) || !*status)
            return "a card with an unknown status";
        const char *keys[] = { "details", "output" };
        for (int k = 0; k < 2; k++) {
            const cJSON *rich = json_get(t, keys[k]);
            if (rich && strcmp(json_str_or(rich, "type", ""), "rich_text") != 0)
                return "a card text that is no rich_text";
            if (rich && limit_rich(rich))
                return limit_rich(rich);
        }
        for (const cJSON *s = json_items(t, "sources"); s; s = s->next) {
            if (strcmp(json_str_or(s, "type", ""), "url") != 0 || !json_str(s, "url") ||
                !json_str(s, "text"))
                return "a source without type, url or text";
        }
    }
    return NULL;
}

static inline const char *limit_chart(const cJSON *block)
{
    const cJSON *chart = json_get(block, "chart");
    const cJSON *categories = json_path(chart, "axis_config", "categories", NULL);
    int n = cJSON_GetArraySize(categories);

    if (!json_str(block, "title") || limit_over(block, "title", 50))
        return "a chart with a wrong title";
    if (n < 1 || n > 20 || cJSON_GetArraySize(json_get(chart, "series")) > 6)
        return "a chart with too many categories or series";
    for (const cJSON *s = json_items(chart, "series"); s; s = s->next) {
        const cJSON *c = json_first(categories);
        if (!json_str(s, "name") || limit_over(s, "name", 20) ||
            cJSON_GetArraySize(json_get(s, "data")) != n)
            return "a series with a wrong name or length";
        for (const cJSON *p = json_items(s, "data"); p; p = p->next, c = c->next) {
            if (limit_over(p, "label", 20) || !cJSON_IsNumber(json_get(p, "value")) ||
                strcmp(json_str_or(p, "label", ""), c->valuestring) != 0)
                return "a data point that does not match its category";
        }
    }
    for (const cJSON *a = json_first(categories); a; a = a->next) {
        for (const cJSON *b = a->next; b; b = b->next) {
            if (strcmp(a->valuestring, b->valuestring) == 0)
                return "a category twice";
        }
    }
    return limit_over(json_get(chart, "axis_config"), "x_label", 50) ? "a long axis label" : NULL;
}

static inline const char *limit_block(const cJSON *block)
{
    const char *type = json_str_or(block, "type", "");

    if (limit_over(block, "block_id", 255))
        return "a block_id that is too long";
    if (strcmp(type, "section") == 0)
        return limit_text(json_get(block, "text"), 3000);
    if (strcmp(type, "header") == 0)
        return limit_text(json_get(block, "text"), 150);
    if (strcmp(type, "context") == 0) {
        int n = cJSON_GetArraySize(json_get(block, "elements"));
        return n < 1 || n > 10 ? "a context with too few or too many elements"
                               : limit_text(json_items(block, "elements"), 3000);
    }
    if (strcmp(type, "actions") == 0)
        return limit_actions(block);
    if (strcmp(type, "rich_text") == 0)
        return limit_rich(block);
    if (strcmp(type, "plan") == 0)
        return limit_plan(block);
    if (strcmp(type, "data_visualization") == 0)
        return limit_chart(block);
    if (strcmp(type, "input") == 0)
        return limit_text(json_get(block, "label"), 2000);
    return strcmp(type, "divider") == 0 ? NULL : "an unknown block";
}

static inline size_t limit_bytes(const cJSON *item)
{
    size_t n = cJSON_IsString(item) ? strlen(item->valuestring) : 0;

    for (const cJSON *child = item->child; child; child = child->next)
        n += limit_bytes(child);
    return n;
}

static inline const char *blocks_problem(const cJSON *blocks, int max)
{
    static char text[200];

    if (cJSON_GetArraySize(blocks) > max)
        return "too many blocks";
    for (const cJSON *b = json_first(blocks); b; b = b->next) {
        const char *problem = limit_block(b), *id = json_str(b, "block_id");
        if (problem) {
            snprintf(text, sizeof(text), "%s: %s", json_str_or(b, "type", "?"), problem);
            return text;
        }
        for (const cJSON *o = b->next; id && o; o = o->next) {
            if (json_str(o, "block_id") && strcmp(id, json_str(o, "block_id")) == 0)
                return "a block_id twice";
        }
    }
    return NULL;
}

/* NULL when Slack would take it, else what it would not like. */
static inline const char *message_problem(const char *text, const cJSON *blocks)
{
    if (!*text)
        return "no text";
    if (strlen(text) > 4000)
        return "a text that chat.update refuses";
    if (limit_bytes(blocks) > 13200 + 800) /* the names of types are no text */
        return "too much text in all blocks";
    return blocks_problem(blocks, 50);
}

static inline const char *modal_problem(const cJSON *view)
{
    if (limit_text(json_get(view, "title"), 24) || limit_over(view, "private_metadata", 2999) ||
        limit_over(view, "callback_id", 255))
        return "a view with a wrong title, metadata or callback_id";
    if (limit_bytes(view) > 200000)
        return "a view that is too large";
    return blocks_problem(json_get(view, "blocks"), 100);
}

#endif
