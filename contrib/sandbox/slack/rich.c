/* rich - rich_text blocks: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block */
#include "slack/blocks.h"

#include "dbconn/base/text.h"

static void check_style(struct check *check, const cJSON *style)
{
    static const struct member members[] = {
        { .name = "bold", .kind = MEMBER_BOOL },      { .name = "italic", .kind = MEMBER_BOOL },
        { .name = "strike", .kind = MEMBER_BOOL },    { .name = "code", .kind = MEMBER_BOOL },
        { .name = "highlight", .kind = MEMBER_BOOL }, { .name = "underline", .kind = MEMBER_BOOL },
    };

    CHECK_OBJECT(check, style, members);
}

#define TYPE                                                                                       \
    {                                                                                              \
        .name = "type", .kind = MEMBER_STRING, .required = true                                    \
    }
#define STYLE                                                                                      \
    {                                                                                              \
        .name = "style", .kind = MEMBER_OBJECT, .inner = check_style                               \
    }

static const struct member text_members[] = {
    TYPE,
    STYLE,
    { .name = "text", .kind = MEMBER_STRING, .required = true, .min = 1 },
};
static const struct member link_members[] = {
    TYPE,
    STYLE,
    { .name = "url", .kind = MEMBER_STRING, .required = true, .min = 1, .max = 3000 },
    { .name = "text", .kind = MEMBER_STRING },
    { .name = "unsafe", .kind = MEMBER_BOOL },
};
static const struct member user_members[] = {
    TYPE,
    STYLE,
    { .name = "user_id", .kind = MEMBER_STRING, .required = true, .min = 1 },
};
static const struct member channel_members[] = {
    TYPE,
    STYLE,
    { .name = "channel_id", .kind = MEMBER_STRING, .required = true, .min = 1 },
};
static const struct member group_members[] = {
    TYPE,
    STYLE,
    { .name = "usergroup_id", .kind = MEMBER_STRING, .required = true, .min = 1 },
};
static const struct member emoji_members[] = {
    TYPE,
    STYLE,
    { .name = "name", .kind = MEMBER_STRING, .required = true, .min = 1 },
    { .name = "unicode", .kind = MEMBER_STRING },
    { .name = "skin_tone", .kind = MEMBER_INT },
};
static const char *const ranges[] = { "here", "channel", "everyone", NULL };
static const struct member broadcast_members[] = {
    TYPE,
    STYLE,
    { .name = "range", .kind = MEMBER_STRING, .required = true, .one_of = ranges },
};
static const struct member date_members[] = {
    TYPE,
    STYLE,
    { .name = "timestamp", .kind = MEMBER_INT, .required = true },
    { .name = "format", .kind = MEMBER_STRING, .required = true, .min = 1 },
    { .name = "url", .kind = MEMBER_STRING },
    { .name = "fallback", .kind = MEMBER_STRING },
};

static const struct {
    const char *type;
    const struct member *members;
    size_t n;
} inline_elements[] = {
    { "text", text_members, ARRAY_LEN(text_members) },
    { "link", link_members, ARRAY_LEN(link_members) },
    { "user", user_members, ARRAY_LEN(user_members) },
    { "channel", channel_members, ARRAY_LEN(channel_members) },
    { "usergroup", group_members, ARRAY_LEN(group_members) },
    { "emoji", emoji_members, ARRAY_LEN(emoji_members) },
    { "broadcast", broadcast_members, ARRAY_LEN(broadcast_members) },
    { "date", date_members, ARRAY_LEN(date_members) },
};

static void check_inline(struct check *check, const cJSON *element)
{
    const char *type = json_str_or(element, "type", "");

    for (size_t i = 0; i < ARRAY_LEN(inline_elements); i++) {
        if (strcmp(inline_elements[i].type, type) == 0) {
            check_object(check, element, inline_elements[i].members, inline_elements[i].n);
            check->text_bytes += strlen(json_str_or(element, "text", ""));
            return;
        }
    }
    check_fail(check, "unsupported type: %s", type);
}

static const struct member section_members[] = {
    TYPE,
    { .name = "elements", .kind = MEMBER_ARRAY, .required = true, .inner = check_inline },
};
static const struct member boxed_members[] = {
    TYPE,
    { .name = "border", .kind = MEMBER_INT },
    { .name = "elements", .kind = MEMBER_ARRAY, .required = true, .inner = check_inline },
    { .name = "language", .kind = MEMBER_STRING },
};

static void check_list_item(struct check *check, const cJSON *item)
{
    if (!text_same(json_str(item, "type"), "rich_text_section"))
        check_fail(check, "must be a rich_text_section");
    else
        CHECK_OBJECT(check, item, section_members);
}

static const char *const list_styles[] = { "bullet", "ordered", NULL };
static const struct member list_members[] = {
    TYPE,
    { .name = "style", .kind = MEMBER_STRING, .required = true, .one_of = list_styles },
    { .name = "elements", .kind = MEMBER_ARRAY, .required = true, .inner = check_list_item },
    { .name = "indent", .kind = MEMBER_INT },
    { .name = "offset", .kind = MEMBER_INT },
    { .name = "border", .kind = MEMBER_INT },
};

static void check_part(struct check *check, const cJSON *part)
{
    const char *type = json_str_or(part, "type", "");

    if (strcmp(type, "rich_text_section") == 0)
        CHECK_OBJECT(check, part, section_members);
    else if (strcmp(type, "rich_text_list") == 0)
        CHECK_OBJECT(check, part, list_members);
    else if (strcmp(type, "rich_text_preformatted") == 0 || strcmp(type, "rich_text_quote") == 0)
        CHECK_OBJECT(check, part, boxed_members);
    else
        check_fail(check, "unsupported type: %s", type);
}

void rich_text_check(struct check *check, const cJSON *block)
{
    static const struct member members[] = {
        TYPE,
        { .name = "block_id", .kind = MEMBER_STRING, .max = 255 },
        { .name = "elements", .kind = MEMBER_ARRAY, .required = true, .inner = check_part },
    };

    if (!text_same(json_str(block, "type"), "rich_text"))
        check_fail(check, "must be a rich_text block");
    else
        CHECK_OBJECT(check, block, members);
}
