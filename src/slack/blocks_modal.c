/* Inputs and views (docs.slack.dev/surfaces/modals). */
#include "dbconn/slack/blocks.h"

#include <assert.h>

#include "blocks_internal.h"
#include "dbconn/base/json.h"

#define MAX_OPTIONS 100

static cJSON *input_block(const char *block_id, const char *label, bool optional)
{
    cJSON *block = block_new("input");

    json_put_str(block, "block_id", block_id);
    cJSON_AddItemToObject(block, "label", text_plain(label, 2000));
    json_put_bool(block, "optional", optional);
    return block;
}

void blocks_select(struct blocks *b, const char *block_id, const char *action_id, const char *label,
                   const struct option *options, size_t n)
{
    cJSON *block = input_block(block_id, label, false), *list;
    cJSON *element = block_new("static_select");

    assert(n > 0 && n <= MAX_OPTIONS); /* our own list: the cause codes */
    json_put_str(element, "action_id", action_id);
    cJSON_AddItemToObject(element, "placeholder", text_plain("Choose one", 150));
    list = json_put_array(element, "options");
    for (size_t i = 0; i < n; i++) {
        cJSON *option = object_in(list);
        cJSON_AddItemToObject(option, "text", text_plain(options[i].text, 75));
        json_put_str(option, "value", options[i].value);
    }
    cJSON_AddItemToObject(block, "element", element);
    blocks_add(b, block);
}

void blocks_text_input(struct blocks *b, const char *block_id, const char *action_id,
                       const char *label, const char *hint, size_t max_length, bool optional)
{
    cJSON *block = input_block(block_id, label, optional);
    cJSON *element = block_new("plain_text_input");

    json_put_str(element, "action_id", action_id);
    json_put_bool(element, "multiline", true);
    json_put_i64(element, "max_length", (int64_t)(max_length < TEXT_MAX ? max_length : TEXT_MAX));
    cJSON_AddItemToObject(block, "element", element);
    if (hint)
        cJSON_AddItemToObject(block, "hint", text_plain(hint, 2000));
    blocks_add(b, block);
}

cJSON *modal_view(const char *callback_id, const char *title, const char *submit,
                  const char *metadata, cJSON *blocks)
{
    cJSON *view = block_new("modal");

    assert(strlen(metadata) < 3000); /* job ids and page numbers, nothing from outside */
    json_put_str(view, "callback_id", callback_id);
    json_put_str(view, "private_metadata", metadata);
    cJSON_AddItemToObject(view, "title", text_plain(title, 24));
    cJSON_AddItemToObject(view, "close", text_plain("Close", 24));
    if (submit)
        cJSON_AddItemToObject(view, "submit", text_plain(submit, 24));
    cJSON_AddItemToObject(view, "blocks", blocks);
    return view;
}
