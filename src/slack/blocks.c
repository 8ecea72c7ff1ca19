#include "dbconn/slack/blocks.h"

#include "blocks_internal.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/slack/mrkdwn.h"

#define MESSAGE_BLOCKS 50
#define MODAL_BLOCKS 100
#define MESSAGE_BYTES 13200 /* over all blocks; observed, not documented: see blocks.h */
#define MODAL_BYTES 200000  /* a view may have 250 kB of JSON */
#define NOTE_BYTES 200      /* room for the sentence about a cut */

static size_t max_blocks(const struct blocks *b)
{
    return b->surface == BLOCKS_MODAL ? MODAL_BLOCKS : MESSAGE_BLOCKS;
}

static size_t max_bytes(const struct blocks *b)
{
    return b->surface == BLOCKS_MODAL ? MODAL_BYTES : MESSAGE_BYTES;
}

void blocks_init(struct blocks *b, enum blocks_surface surface)
{
    *b = (struct blocks){ .array = cJSON_CreateArray(), .surface = surface };
}

void blocks_clear(struct blocks *b)
{
    cJSON_Delete(b->array);
    *b = (struct blocks){ 0 };
}

void blocks_keep(struct blocks *b, size_t n, size_t bytes)
{
    b->kept_n = n;
    b->kept_bytes = bytes;
}

cJSON *block_new(const char *type)
{
    cJSON *block = cJSON_CreateObject();

    json_put_str(block, "type", type);
    return block;
}

cJSON *object_in(cJSON *array)
{
    cJSON *item = cJSON_CreateObject();

    cJSON_AddItemToArray(array, item);
    return item;
}

/* Every string of a block counts, links and button values too: nobody outside knows better. */
static size_t bytes_of(const cJSON *item)
{
    size_t n = 0;

    if (cJSON_IsString(item) && !(item->string && strcmp(item->string, "type") == 0))
        n += strlen(item->valuestring);
    for (const cJSON *child = item->child; child; child = child->next)
        n += bytes_of(child);
    return n;
}

void blocks_add(struct blocks *b, cJSON *block)
{
    size_t bytes = bytes_of(block);

    if (b->n + b->kept_n + 1 >= max_blocks(b) ||
        b->bytes + bytes + b->kept_bytes + NOTE_BYTES > max_bytes(b)) {
        b->omitted++;
        cJSON_Delete(block);
        return;
    }
    cJSON_AddItemToArray(b->array, block);
    b->n++;
    b->bytes += bytes;
}

static cJSON *text_mrkdwn(const char *text)
{
    cJSON *obj = block_new("mrkdwn");

    json_put_str(obj, "text", text);
    json_put_bool(obj, "verbatim", true);
    return obj;
}

cJSON *text_plain(const char *text, size_t max)
{
    cJSON *obj = block_new("plain_text");
    struct buf clean = BUF_INIT;

    plain_text(&clean, text, max);
    json_put_str(obj, "text", clean.len ? buf_str(&clean) : "-"); /* empty texts are refused */
    json_put_bool(obj, "emoji", false);
    buf_clear(&clean);
    return obj;
}

/* How much of `s` goes into one text object: up to a line's end, else a blank, never inside a
 * <…> token or an entity. */
static size_t section_part(const char *s)
{
    size_t end = text_cut(s, TEXT_MAX);

    if (s[end] == '\0')
        return end;
    for (size_t i = end; i > TEXT_MAX / 2; i--) {
        if (s[i] == '\n')
            return i;
    }
    for (size_t i = end; i > 0; i--) {
        if (s[i] == '<')
            end = i;
        if (s[i] == '<' || s[i] == '>')
            break;
    }
    for (size_t i = end; i > 0; i--) {
        if (s[i] == ' ')
            return i;
    }
    return end > 0 ? end : text_cut(s, TEXT_MAX);
}

void blocks_section(struct blocks *b, const char *mrkdwn)
{
    while (*mrkdwn) {
        size_t n = section_part(mrkdwn);
        char *part = xstrndup(mrkdwn, n);
        cJSON *block = block_new("section");
        cJSON_AddItemToObject(block, "text", text_mrkdwn(part));
        blocks_add(b, block);
        free(part);
        mrkdwn += n + strspn(mrkdwn + n, "\n ");
    }
}

void blocks_header(struct blocks *b, const char *plain)
{
    cJSON *block = block_new("header");

    cJSON_AddItemToObject(block, "text", text_plain(plain, 150));
    blocks_add(b, block);
}

static void add_context(struct blocks *b, const char *mrkdwn)
{
    cJSON *block = block_new("context");

    cJSON_AddItemToArray(json_put_array(block, "elements"), text_mrkdwn(mrkdwn));
    blocks_add(b, block);
}

void blocks_context(struct blocks *b, const char *mrkdwn)
{
    while (*mrkdwn) {
        size_t n = section_part(mrkdwn);
        char *part = xstrndup(mrkdwn, n);
        add_context(b, part);
        free(part);
        mrkdwn += n + strspn(mrkdwn + n, "\n ");
    }
}

void blocks_divider(struct blocks *b)
{
    blocks_add(b, block_new("divider"));
}

cJSON *blocks_take(struct blocks *b, const char *where)
{
    cJSON *array = b->array;

    if (b->omitted > 0) {
        char *note = xasprintf("… %zu more %s did not fit into this message. %s", b->omitted,
                               b->omitted == 1 ? "part" : "parts", where ? where : "");
        cJSON *block = block_new("context");
        cJSON_AddItemToArray(json_put_array(block, "elements"), text_mrkdwn(note));
        cJSON_AddItemToArray(array, block);
        free(note);
    }
    *b = (struct blocks){ 0 };
    return array;
}

static void add_confirm(cJSON *element, const char *question)
{
    cJSON *confirm = json_put_object(element, "confirm");

    cJSON_AddItemToObject(confirm, "title", text_plain("Are you sure?", 100));
    cJSON_AddItemToObject(confirm, "text", text_plain(question, 300));
    cJSON_AddItemToObject(confirm, "confirm", text_plain("Yes", 30));
    cJSON_AddItemToObject(confirm, "deny", text_plain("No", 30));
}

static cJSON *button_element(const struct button *button)
{
    cJSON *element = block_new("button");
    struct buf url = BUF_INIT;

    json_put_str(element, "action_id", button->action_id);
    cJSON_AddItemToObject(element, "text", text_plain(button->text, 75));
    if (button->value)
        json_put_str(element, "value", button->value);
    if (button->url && link_encode(&url, button->url))
        json_put_str(element, "url", buf_str(&url));
    if (button->style)
        json_put_str(element, "style", button->style);
    if (button->accessibility)
        json_put_str(element, "accessibility_label", button->accessibility);
    if (button->confirm)
        add_confirm(element, button->confirm);
    buf_clear(&url);
    return element;
}

void blocks_buttons(struct blocks *b, const char *block_id, const struct button *buttons, size_t n)
{
    cJSON *block = block_new("actions");
    cJSON *elements;

    if (block_id)
        json_put_str(block, "block_id", block_id);
    elements = json_put_array(block, "elements");
    for (size_t i = 0; i < n && i < 25; i++)
        cJSON_AddItemToArray(elements, button_element(&buttons[i]));
    if (n > 0)
        blocks_add(b, block);
    else
        cJSON_Delete(block);
}
