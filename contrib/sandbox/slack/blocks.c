#include "slack/blocks.h"

#include "dbconn/base/text.h"

#define TYPE                                                                                       \
    {                                                                                              \
        .name = "type", .kind = MEMBER_STRING, .required = true                                    \
    }
#define BLOCK_ID                                                                                   \
    {                                                                                              \
        .name = "block_id", .kind = MEMBER_STRING, .max = 255                                      \
    }

static void check_field(struct check *check, const cJSON *field)
{
    check_text_object(check, field, false, 1, 2000);
}

static void check_accessory(struct check *check, const cJSON *element)
{
    element_check(check, element, IN_SECTION);
}

static void check_section(struct check *check, const cJSON *block)
{
    static const struct member members[] = {
        TYPE,
        BLOCK_ID,
        { .name = "text", .kind = MEMBER_TEXT, .max = 3000 },
        { .name = "fields", .kind = MEMBER_ARRAY, .min = 1, .max = 10, .inner = check_field },
        { .name = "accessory", .kind = MEMBER_OBJECT, .inner = check_accessory },
        { .name = "expand", .kind = MEMBER_BOOL },
    };

    CHECK_OBJECT(check, block, members);
    if (!json_get(block, "text") && !json_get(block, "fields"))
        check_fail(check, "missing required field: text");
}

static void check_header(struct check *check, const cJSON *block)
{
    static const struct member members[] = {
        TYPE,
        BLOCK_ID,
        { .name = "text", .kind = MEMBER_PLAIN, .required = true, .max = 150 },
    };

    CHECK_OBJECT(check, block, members);
}

static void check_divider(struct check *check, const cJSON *block)
{
    static const struct member members[] = { TYPE, BLOCK_ID };

    CHECK_OBJECT(check, block, members);
}

static void check_context_element(struct check *check, const cJSON *element)
{
    if (text_same(json_str(element, "type"), "image"))
        element_check(check, element, IN_CONTEXT);
    else
        check_text_object(check, element, false, 1, 3000);
}

static void check_context(struct check *check, const cJSON *block)
{
    static const struct member members[] = {
        TYPE,
        BLOCK_ID,
        { .name = "elements",
          .kind = MEMBER_ARRAY,
          .required = true,
          .min = 1,
          .max = 10,
          .inner = check_context_element },
    };

    CHECK_OBJECT(check, block, members);
}

/* No two elements of a block share an action_id. */
static void check_action_ids(struct check *check, const cJSON *block)
{
    for (const cJSON *a = json_items(block, "elements"); a; a = a->next)
        for (const cJSON *b = a->next; b; b = b->next)
            if (json_str(a, "action_id") &&
                text_same(json_str(a, "action_id"), json_str(b, "action_id")))
                check_fail(check, "`action_id` \"%s\" already exists for another element",
                           json_str(a, "action_id"));
}

static void check_action(struct check *check, const cJSON *element)
{
    element_check(check, element, IN_ACTIONS);
}

static void check_actions(struct check *check, const cJSON *block)
{
    static const struct member members[] = {
        TYPE,
        BLOCK_ID,
        { .name = "elements",
          .kind = MEMBER_ARRAY,
          .required = true,
          .min = 1,
          .max = 25,
          .inner = check_action },
    };

    CHECK_OBJECT(check, block, members);
    check_action_ids(check, block);
}

static void check_context_action(struct check *check, const cJSON *element)
{
    element_check(check, element, IN_CONTEXT_ACTIONS);
}

static void check_context_actions(struct check *check, const cJSON *block)
{
    static const struct member members[] = {
        TYPE,
        BLOCK_ID,
        { .name = "elements",
          .kind = MEMBER_ARRAY,
          .required = true,
          .min = 1,
          .max = 5,
          .inner = check_context_action },
    };

    CHECK_OBJECT(check, block, members);
    check_action_ids(check, block);
}

static void check_image(struct check *check, const cJSON *block)
{
    static const struct member members[] = {
        TYPE,
        BLOCK_ID,
        { .name = "alt_text", .kind = MEMBER_STRING, .required = true, .min = 1, .max = 2000 },
        { .name = "image_url", .kind = MEMBER_STRING, .min = 1, .max = 3000 },
        { .name = "slack_file", .kind = MEMBER_OBJECT },
        { .name = "title", .kind = MEMBER_PLAIN, .max = 2000 },
    };
    const cJSON *file = json_get(block, "slack_file");
    const char *id = json_str(file, "id");

    CHECK_OBJECT(check, block, members);
    if (!file == !json_get(block, "image_url"))
        check_fail(check, "exactly one of image_url and slack_file must be provided");
    if (file && (!id == !json_str(file, "url") ||
                 (id && check->file_exists && !check->file_exists(check->user, id)))) {
        size_t mark = check_enter(check, "slack_file");
        check_fail(check, "invalid slack file");
        check_leave(check, mark);
    }
}

static void check_markdown(struct check *check, const cJSON *block)
{
    static const struct member members[] = {
        TYPE,
        BLOCK_ID,
        { .name = "text", .kind = MEMBER_STRING, .required = true, .min = 1, .max = 12000 },
    };
    size_t n = strlen(json_str_or(block, "text", ""));

    CHECK_OBJECT(check, block, members);
    check->text_bytes += n;
    check->markdown_bytes += n;
    if (check->markdown_bytes > 12000)
        check_fail(check, "markdown blocks must be less than 12001 characters together");
}

static void check_input_element(struct check *check, const cJSON *element)
{
    element_check(check, element, IN_INPUT);
}

static void check_input(struct check *check, const cJSON *block)
{
    static const struct member members[] = {
        TYPE,
        BLOCK_ID,
        { .name = "label", .kind = MEMBER_PLAIN, .required = true, .max = 2000 },
        { .name = "element",
          .kind = MEMBER_OBJECT,
          .required = true,
          .inner = check_input_element },
        { .name = "hint", .kind = MEMBER_PLAIN, .max = 2000 },
        { .name = "optional", .kind = MEMBER_BOOL },
        { .name = "dispatch_action", .kind = MEMBER_BOOL },
    };

    CHECK_OBJECT(check, block, members);
}

static void check_cell(struct check *check, const cJSON *cell)
{
    static const struct member raw[] = {
        TYPE,
        { .name = "text", .kind = MEMBER_STRING, .required = true },
    };

    if (text_same(json_str(cell, "type"), "raw_text")) {
        CHECK_OBJECT(check, cell, raw);
        check->text_bytes += strlen(json_str_or(cell, "text", ""));
    } else {
        rich_text_check(check, cell);
    }
}

static void check_row(struct check *check, const cJSON *row)
{
    if (!cJSON_IsArray(row)) {
        check_fail(check, "must be an array");
        return;
    }
    if (cJSON_GetArraySize(row) > 20)
        check_fail(check, "no more than 20 items allowed");
    check_each(check, row, check_cell);
}

static void check_table(struct check *check, const cJSON *block)
{
    static const struct member members[] = {
        TYPE,
        BLOCK_ID,
        { .name = "rows",
          .kind = MEMBER_ARRAY,
          .required = true,
          .min = 1,
          .max = 100,
          .inner = check_row },
        { .name = "column_settings", .kind = MEMBER_ARRAY, .max = 20 },
    };

    CHECK_OBJECT(check, block, members);
}

static void check_source(struct check *check, const cJSON *source)
{
    static const struct member members[] = {
        TYPE,
        { .name = "url", .kind = MEMBER_STRING, .required = true, .min = 1, .max = 3000 },
        { .name = "text", .kind = MEMBER_STRING, .required = true, .min = 1 },
    };

    CHECK_OBJECT(check, source, members);
    if (!text_same(json_str(source, "type"), "url"))
        check_fail(check, "unsupported type: %s", json_str_or(source, "type", ""));
}

static void check_task_card(struct check *check, const cJSON *block)
{
    static const char *const states[] = { "pending", "in_progress", "complete", "error", NULL };
    static const struct member members[] = {
        TYPE,
        BLOCK_ID,
        { .name = "task_id", .kind = MEMBER_STRING, .required = true, .min = 1, .max = 255 },
        { .name = "title", .kind = MEMBER_STRING, .required = true, .min = 1, .max = 256 },
        { .name = "status", .kind = MEMBER_STRING, .one_of = states },
        { .name = "details", .kind = MEMBER_OBJECT, .inner = rich_text_check },
        { .name = "output", .kind = MEMBER_OBJECT, .inner = rich_text_check },
        { .name = "sources", .kind = MEMBER_ARRAY, .inner = check_source },
        { .name = "icon", .kind = MEMBER_ANY },
        { .name = "hide_title", .kind = MEMBER_BOOL },
    };

    if (!text_same(json_str(block, "type"), "task_card"))
        check_fail(check, "must be a task_card block");
    else
        CHECK_OBJECT(check, block, members);
    check->text_bytes += strlen(json_str_or(block, "title", ""));
}

static void check_plan(struct check *check, const cJSON *block)
{
    static const struct member members[] = {
        TYPE,
        BLOCK_ID,
        { .name = "title", .kind = MEMBER_STRING, .required = true, .min = 1, .max = 256 },
        { .name = "tasks", .kind = MEMBER_ARRAY, .min = 1, .max = 50, .inner = check_task_card },
    };

    CHECK_OBJECT(check, block, members);
    check->text_bytes += strlen(json_str_or(block, "title", ""));
    for (const cJSON *a = json_items(block, "tasks"); a; a = a->next)
        for (const cJSON *b = a->next; b; b = b->next)
            if (text_same(json_str(a, "task_id"), json_str(b, "task_id")))
                check_fail(check, "task_id must be unique");
}

#define ON(surface) (1u << (surface))
#define EVERYWHERE (ON(SURFACE_MESSAGE) | ON(SURFACE_MODAL) | ON(SURFACE_HOME))

static const struct {
    const char *type;
    check_fn *check;
    unsigned surfaces;
} kinds[] = {
    { "section", check_section, EVERYWHERE },
    { "header", check_header, EVERYWHERE },
    { "divider", check_divider, EVERYWHERE },
    { "context", check_context, EVERYWHERE },
    { "actions", check_actions, EVERYWHERE },
    { "image", check_image, EVERYWHERE },
    { "rich_text", rich_text_check, EVERYWHERE },
    { "input", check_input, EVERYWHERE },
    { "markdown", check_markdown, ON(SURFACE_MESSAGE) },
    { "table", check_table, ON(SURFACE_MESSAGE) },
    { "context_actions", check_context_actions, ON(SURFACE_MESSAGE) },
    { "plan", check_plan, ON(SURFACE_MESSAGE) },
    { "task_card", check_task_card, ON(SURFACE_MESSAGE) },
    { "data_visualization", chart_check, ON(SURFACE_MESSAGE) },
};

static void check_block_id(struct check *check, const cJSON *block)
{
    const char *id = json_str(block, "block_id");

    if (!id || !*id)
        return;
    if (cJSON_GetObjectItemCaseSensitive(check->block_ids, id))
        check_fail(check, "`block_id` already exists within this message: %s", id);
    else
        json_put_bool(check->block_ids, id, true);
}

static void check_block(struct check *check, const cJSON *block)
{
    const char *type = json_str(block, "type");

    if (!cJSON_IsObject(block)) {
        check_fail(check, "must be an object");
        return;
    }
    for (size_t i = 0; type && i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].type, type) == 0 && kinds[i].surfaces & ON(check->surface)) {
            check_block_id(check, block);
            kinds[i].check(check, block);
            return;
        }
    }
    size_t mark = check_enter(check, "type");
    check_fail(check, "unsupported type: %s", type ? type : "(none)");
    check_leave(check, mark);
}

static void check_blocks(struct check *check, const cJSON *blocks)
{
    int most = check->surface == SURFACE_MESSAGE ? MESSAGE_BLOCKS_MAX : VIEW_BLOCKS_MAX;

    if (cJSON_GetArraySize(blocks) > most)
        check_fail(check, "no more than %d items allowed", most);
    check_each(check, blocks, check_block);
}

static void begin(struct check *check, enum surface surface, const char *at)
{
    *check = (struct check){ .surface = (int)surface };
    check->errors = cJSON_CreateArray();
    check->block_ids = cJSON_CreateObject();
    buf_adds(&check->at, at);
}

static void end(struct check *check, struct block_report *ret)
{
    ret->errors = check->errors;
    ret->text_bytes = check->text_bytes;
    cJSON_Delete(check->block_ids);
    buf_clear(&check->at);
}

void blocks_check(const cJSON *blocks, enum surface surface, const char *at,
                  bool (*file_exists)(void *user, const char *id), void *user,
                  struct block_report *ret)
{
    struct check check;

    begin(&check, surface, at);
    check.file_exists = file_exists;
    check.user = user;
    check_blocks(&check, blocks);
    end(&check, ret);
}

static void check_view_blocks(struct check *check, const cJSON *view)
{
    size_t mark = check_enter(check, "blocks");

    check_blocks(check, json_get(view, "blocks"));
    check_leave(check, mark);
}

static bool has_input(const cJSON *view)
{
    for (const cJSON *block = json_items(view, "blocks"); block; block = block->next)
        if (text_same(json_str(block, "type"), "input"))
            return true;
    return false;
}

void view_check(const cJSON *view, struct block_report *ret)
{
    static const struct member modal[] = {
        TYPE,
        { .name = "title", .kind = MEMBER_PLAIN, .required = true, .max = 24 },
        { .name = "blocks", .kind = MEMBER_ARRAY, .required = true },
        { .name = "close", .kind = MEMBER_PLAIN, .max = 24 },
        { .name = "submit", .kind = MEMBER_PLAIN, .max = 24 },
        { .name = "private_metadata", .kind = MEMBER_STRING, .max = 3000 },
        { .name = "callback_id", .kind = MEMBER_STRING, .max = 255 },
        { .name = "clear_on_close", .kind = MEMBER_BOOL },
        { .name = "notify_on_close", .kind = MEMBER_BOOL },
        { .name = "external_id", .kind = MEMBER_STRING, .max = 255 },
        { .name = "submit_disabled", .kind = MEMBER_BOOL },
    };
    static const struct member home[] = {
        TYPE,
        { .name = "blocks", .kind = MEMBER_ARRAY, .required = true },
        { .name = "private_metadata", .kind = MEMBER_STRING, .max = 3000 },
        { .name = "callback_id", .kind = MEMBER_STRING, .max = 255 },
        { .name = "external_id", .kind = MEMBER_STRING, .max = 255 },
    };
    const char *type = json_str_or(view, "type", "");
    bool is_home = strcmp(type, "home") == 0;
    struct check check;

    begin(&check, is_home ? SURFACE_HOME : SURFACE_MODAL, "/view");
    if (is_home)
        CHECK_OBJECT(&check, view, home);
    else if (strcmp(type, "modal") == 0)
        CHECK_OBJECT(&check, view, modal);
    else
        check_fail(&check, "must be one of: modal, home");
    check_view_blocks(&check, view);
    if (!is_home && has_input(view) && !json_get(view, "submit"))
        check_fail(&check, "missing required field: submit");
    end(&check, ret);
}
