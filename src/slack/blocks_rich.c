/*
 * rich_text: mark-up as structure, so that no text in it is ever read as mark-up
 * (docs.slack.dev/reference/block-kit/blocks/rich-text-block).
 */
#include "dbconn/slack/blocks.h"

#include <ctype.h>

#include "blocks_internal.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/slack/mrkdwn.h"
#include "mrkdwn_scan.h"

void rich_init(struct rich *r)
{
    *r = (struct rich){ .block = block_new("rich_text") };
    json_put_array(r->block, "elements");
}

void rich_clear(struct rich *r)
{
    cJSON_Delete(r->block);
    *r = (struct rich){ 0 };
}

static cJSON *container(cJSON *parent, const char *type)
{
    cJSON *item = block_new(type);

    json_put_array(item, "elements");
    cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(parent, "elements"), item);
    return item;
}

static size_t children(const cJSON *item)
{
    return (size_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(item, "elements"));
}

/* Sections, lists and blocks without elements are refused by Slack. */
static void drop_empty(cJSON *item)
{
    cJSON *elements = cJSON_GetObjectItemCaseSensitive(item, "elements"), *next;

    for (cJSON *child = elements ? elements->child : NULL; child; child = next) {
        next = child->next;
        if (!cJSON_GetObjectItemCaseSensitive(child, "elements"))
            continue;
        drop_empty(child);
        if (children(child) == 0)
            cJSON_Delete(cJSON_DetachItemViaPointer(elements, child));
    }
}

cJSON *rich_take(struct rich *r)
{
    cJSON *block = r->block;

    drop_empty(block);
    *r = (struct rich){ 0 };
    if (children(block) == 0) {
        cJSON_Delete(block);
        return NULL;
    }
    return block;
}

void blocks_rich(struct blocks *b, struct rich *r)
{
    cJSON *block = rich_take(r);

    if (block)
        blocks_add(b, block);
}

void rich_section(struct rich *r)
{
    r->list = NULL;
    r->at = container(r->block, "rich_text_section");
}

void rich_preformatted(struct rich *r)
{
    r->list = NULL;
    r->at = container(r->block, "rich_text_preformatted");
}

void rich_list(struct rich *r, bool ordered)
{
    r->list = container(r->block, "rich_text_list");
    json_put_str(r->list, "style", ordered ? "ordered" : "bullet");
}

void rich_item(struct rich *r)
{
    r->at = container(r->list ? r->list : r->block, "rich_text_section");
}

static cJSON *element(struct rich *r, const char *type)
{
    if (!r->at)
        rich_section(r);
    cJSON *item = block_new(type);
    cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(r->at, "elements"), item);
    return item;
}

static void put_style(cJSON *item, enum rich_style style)
{
    static const char *const names[] = {
        [RICH_BOLD] = "bold", [RICH_CODE] = "code", [RICH_ITALIC] = "italic"
    };

    if (style != RICH_PLAIN)
        json_put_bool(json_put_object(item, "style"), names[style], true);
}

void rich_words(struct rich *r, const char *words, enum rich_style style)
{
    if (!words || !*words)
        return;
    cJSON *item = element(r, "text");
    json_put_str(item, "text", words);
    put_style(item, style);
}

static bool preformatted(const struct rich *r)
{
    const char *type = r->at ? json_str(r->at, "type") : NULL;

    return type && strcmp(type, "rich_text_preformatted") == 0;
}

void rich_text(struct rich *r, const char *text, enum rich_style style, size_t max)
{
    struct buf clean = BUF_INIT;
    size_t cap = max < TEXT_MAX ? max : TEXT_MAX;

    if (preformatted(r))
        plain_lines(&clean, text, cap);
    else
        plain_text(&clean, text, cap);
    rich_words(r, buf_str(&clean), style);
    buf_clear(&clean);
}

static void put_date(struct rich *r, int64_t ms, bool seconds, const char *fallback)
{
    cJSON *item = element(r, "date");

    json_put_i64(item, "timestamp", ms / 1000);
    json_put_str(item, "format", seconds ? TIME_FORMAT_SECONDS : TIME_FORMAT_MINUTES);
    json_put_str(item, "fallback", fallback);
}

void rich_date(struct rich *r, int64_t ms)
{
    struct buf text = BUF_INIT;

    if (ms == TIME_UNKNOWN || ms < 0) {
        rich_words(r, "an unknown time", RICH_PLAIN);
        return;
    }
    time_format_minute(ms, &text);
    put_date(r, ms, false, buf_str(&text));
    buf_clear(&text);
}

static size_t put_command(struct rich *r, const char *s, size_t i)
{
    size_t n = command_in_text(s, i);

    if (n > 0) {
        char *command = xstrndup(s + i + 1, n - 2);
        rich_words(r, command, RICH_CODE);
        free(command);
    }
    return n;
}

static size_t put_time(struct rich *r, const char *s, size_t i)
{
    int64_t ms;
    bool seconds;
    size_t n = isdigit((unsigned char)s[i]) ? time_in_text(s, i, &ms, &seconds) : 0;

    if (n > 0) {
        char *fallback = xstrndup(s + i, n);
        put_date(r, ms, seconds, fallback);
        free(fallback);
    }
    return n;
}

static bool special_at(const char *s, size_t i)
{
    int64_t ms;
    bool seconds;

    return command_in_text(s, i) > 0 ||
           (isdigit((unsigned char)s[i]) && time_in_text(s, i, &ms, &seconds) > 0);
}

void rich_sentence(struct rich *r, const char *text, enum rich_style style, size_t max)
{
    struct buf clean = BUF_INIT, part = BUF_INIT;

    plain_text(&clean, text, max < TEXT_MAX ? max : TEXT_MAX);
    for (size_t i = 0; i < clean.len;) {
        size_t n = 0;
        if (special_at(clean.data, i)) {
            rich_words(r, buf_str(&part), style);
            buf_reset(&part);
            n = put_time(r, clean.data, i);
            n = n ? n : put_command(r, clean.data, i);
        }
        if (n == 0)
            buf_addc(&part, clean.data[i]);
        i += n ? n : 1;
    }
    rich_words(r, buf_str(&part), style);
    buf_clear(&clean);
    buf_clear(&part);
}

void rich_link(struct rich *r, const char *url, const char *label, size_t max)
{
    struct buf encoded = BUF_INIT, shown = BUF_INIT;

    plain_text(&shown, label, max);
    if (shown.len == 0)
        link_label(&shown, url, max);
    if (link_encode(&encoded, url)) {
        cJSON *item = element(r, "link");
        json_put_str(item, "url", buf_str(&encoded));
        json_put_str(item, "text", buf_str(&shown));
    } else {
        rich_words(r, buf_str(&shown), RICH_PLAIN);
    }
    buf_clear(&encoded);
    buf_clear(&shown);
}

void rich_user(struct rich *r, const char *id)
{
    if (slack_user_id_valid(id))
        json_put_str(element(r, "user"), "user_id", id);
    else if (slack_mention_valid(id))
        json_put_str(element(r, "usergroup"), "usergroup_id", id);
}
