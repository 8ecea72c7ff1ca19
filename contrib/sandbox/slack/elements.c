/* elements - https://docs.slack.dev/reference/block-kit/block-elements */
#include "slack/blocks.h"

#include "dbconn/base/text.h"

#define TYPE                                                                                       \
    {                                                                                              \
        .name = "type", .kind = MEMBER_STRING, .required = true                                    \
    }
#define ACTION_ID                                                                                  \
    {                                                                                              \
        .name = "action_id", .kind = MEMBER_STRING, .min = 1, .max = 255                           \
    }
#define CONFIRM                                                                                    \
    {                                                                                              \
        .name = "confirm", .kind = MEMBER_OBJECT, .inner = check_confirm                           \
    }
#define FOCUS                                                                                      \
    {                                                                                              \
        .name = "focus_on_load", .kind = MEMBER_BOOL                                               \
    }
#define PLACEHOLDER                                                                                \
    {                                                                                              \
        .name = "placeholder", .kind = MEMBER_PLAIN, .max = 150                                    \
    }

static const char *const styles[] = { "primary", "danger", NULL };

static void check_confirm(struct check *check, const cJSON *obj)
{
    static const struct member members[] = {
        { .name = "title", .kind = MEMBER_PLAIN, .required = true, .max = 100 },
        { .name = "text", .kind = MEMBER_TEXT, .required = true, .max = 300 },
        { .name = "confirm", .kind = MEMBER_PLAIN, .required = true, .max = 30 },
        { .name = "deny", .kind = MEMBER_PLAIN, .required = true, .max = 30 },
        { .name = "style", .kind = MEMBER_STRING, .one_of = styles },
    };

    CHECK_OBJECT(check, obj, members);
}

static void check_option(struct check *check, const cJSON *obj)
{
    static const struct member members[] = {
        { .name = "text", .kind = MEMBER_TEXT, .required = true, .max = 75 },
        { .name = "value", .kind = MEMBER_STRING, .required = true, .max = 150 },
        { .name = "description", .kind = MEMBER_TEXT, .max = 75 },
        { .name = "url", .kind = MEMBER_STRING, .max = 3000 },
    };

    CHECK_OBJECT(check, obj, members);
}

static void check_option_group(struct check *check, const cJSON *obj)
{
    static const struct member members[] = {
        { .name = "label", .kind = MEMBER_PLAIN, .required = true, .max = 75 },
        { .name = "options",
          .kind = MEMBER_ARRAY,
          .required = true,
          .max = 100,
          .inner = check_option },
    };

    CHECK_OBJECT(check, obj, members);
}

static void check_feedback_button(struct check *check, const cJSON *obj)
{
    static const struct member members[] = {
        { .name = "text", .kind = MEMBER_PLAIN, .required = true, .max = 75 },
        { .name = "value", .kind = MEMBER_STRING, .required = true, .max = 2000 },
        { .name = "accessibility_label", .kind = MEMBER_STRING, .max = 75 },
    };

    CHECK_OBJECT(check, obj, members);
}

static const struct member button[] = {
    TYPE,
    ACTION_ID,
    CONFIRM,
    { .name = "text", .kind = MEMBER_PLAIN, .required = true, .max = 75 },
    { .name = "value", .kind = MEMBER_STRING, .max = 2000 },
    { .name = "url", .kind = MEMBER_STRING, .max = 3000 },
    { .name = "style", .kind = MEMBER_STRING, .one_of = styles },
    { .name = "accessibility_label", .kind = MEMBER_STRING, .max = 75 },
};
static const struct member static_select[] = {
    TYPE,
    ACTION_ID,
    CONFIRM,
    FOCUS,
    PLACEHOLDER,
    { .name = "options", .kind = MEMBER_ARRAY, .min = 1, .max = 100, .inner = check_option },
    { .name = "option_groups", .kind = MEMBER_ARRAY, .max = 100, .inner = check_option_group },
    { .name = "initial_option", .kind = MEMBER_OBJECT, .inner = check_option },
    { .name = "initial_options", .kind = MEMBER_ARRAY, .inner = check_option },
    { .name = "max_selected_items", .kind = MEMBER_INT },
};
static const struct member other_select[] = {
    TYPE,
    ACTION_ID,
    CONFIRM,
    FOCUS,
    PLACEHOLDER,
    { .name = "min_query_length", .kind = MEMBER_INT },
    { .name = "max_selected_items", .kind = MEMBER_INT },
    { .name = "initial_user", .kind = MEMBER_STRING },
    { .name = "initial_users", .kind = MEMBER_ARRAY },
    { .name = "initial_channel", .kind = MEMBER_STRING },
    { .name = "initial_conversation", .kind = MEMBER_STRING },
    { .name = "default_to_current_conversation", .kind = MEMBER_BOOL },
    { .name = "response_url_enabled", .kind = MEMBER_BOOL },
    { .name = "filter", .kind = MEMBER_OBJECT },
    { .name = "initial_option", .kind = MEMBER_OBJECT, .inner = check_option },
};
static const struct member overflow[] = {
    TYPE,
    ACTION_ID,
    CONFIRM,
    { .name = "options",
      .kind = MEMBER_ARRAY,
      .required = true,
      .min = 1,
      .max = 5,
      .inner = check_option },
};
static const struct member choices[] = {
    TYPE,
    ACTION_ID,
    CONFIRM,
    FOCUS,
    { .name = "options",
      .kind = MEMBER_ARRAY,
      .required = true,
      .min = 1,
      .max = 10,
      .inner = check_option },
    { .name = "initial_option", .kind = MEMBER_OBJECT, .inner = check_option },
    { .name = "initial_options", .kind = MEMBER_ARRAY, .inner = check_option },
};
static const struct member date_picker[] = {
    TYPE,
    ACTION_ID,
    CONFIRM,
    FOCUS,
    PLACEHOLDER,
    { .name = "initial_date", .kind = MEMBER_STRING },
    { .name = "initial_time", .kind = MEMBER_STRING },
    { .name = "initial_date_time", .kind = MEMBER_INT },
    { .name = "timezone", .kind = MEMBER_STRING },
};
static const struct member text_input[] = {
    TYPE,
    ACTION_ID,
    FOCUS,
    PLACEHOLDER,
    { .name = "initial_value", .kind = MEMBER_STRING, .max = 3000 },
    { .name = "multiline", .kind = MEMBER_BOOL },
    { .name = "min_length", .kind = MEMBER_INT },
    { .name = "max_length", .kind = MEMBER_INT },
    { .name = "dispatch_action_config", .kind = MEMBER_OBJECT },
};
static const struct member image[] = {
    TYPE,
    { .name = "image_url", .kind = MEMBER_STRING, .min = 1, .max = 3000 },
    { .name = "slack_file", .kind = MEMBER_OBJECT },
    { .name = "alt_text", .kind = MEMBER_STRING, .required = true, .min = 1, .max = 2000 },
};
static const struct member feedback[] = {
    TYPE,
    ACTION_ID,
    { .name = "positive_button",
      .kind = MEMBER_OBJECT,
      .required = true,
      .inner = check_feedback_button },
    { .name = "negative_button",
      .kind = MEMBER_OBJECT,
      .required = true,
      .inner = check_feedback_button },
};
static const struct member icon_button[] = {
    TYPE,
    ACTION_ID,
    CONFIRM,
    { .name = "icon", .kind = MEMBER_STRING, .required = true },
    { .name = "text", .kind = MEMBER_PLAIN, .required = true, .max = 75 },
    { .name = "value", .kind = MEMBER_STRING, .max = 2000 },
    { .name = "visible_to_user_ids", .kind = MEMBER_ARRAY },
    { .name = "accessibility_label", .kind = MEMBER_STRING, .max = 75 },
};

#define AT(place) (1u << (place))
#define MENUS (AT(IN_ACTIONS) | AT(IN_SECTION) | AT(IN_INPUT))
#define ROW(table) table, ARRAY_LEN(table)

static const struct {
    const char *type;
    const struct member *members;
    size_t n;
    unsigned places;
} elements[] = {
    { "button", ROW(button), AT(IN_ACTIONS) | AT(IN_SECTION) },
    { "static_select", ROW(static_select), MENUS },
    { "multi_static_select", ROW(static_select), AT(IN_SECTION) | AT(IN_INPUT) },
    { "external_select", ROW(other_select), MENUS },
    { "users_select", ROW(other_select), MENUS },
    { "multi_users_select", ROW(other_select), AT(IN_SECTION) | AT(IN_INPUT) },
    { "conversations_select", ROW(other_select), MENUS },
    { "channels_select", ROW(other_select), MENUS },
    { "overflow", ROW(overflow), AT(IN_ACTIONS) | AT(IN_SECTION) },
    { "radio_buttons", ROW(choices), MENUS },
    { "checkboxes", ROW(choices), MENUS },
    { "datepicker", ROW(date_picker), MENUS },
    { "timepicker", ROW(date_picker), MENUS },
    { "datetimepicker", ROW(date_picker), AT(IN_ACTIONS) | AT(IN_INPUT) },
    { "plain_text_input", ROW(text_input), AT(IN_INPUT) },
    { "url_text_input", ROW(text_input), AT(IN_INPUT) },
    { "image", ROW(image), AT(IN_SECTION) | AT(IN_CONTEXT) },
    { "feedback_buttons", ROW(feedback), AT(IN_CONTEXT_ACTIONS) },
    { "icon_button", ROW(icon_button), AT(IN_CONTEXT_ACTIONS) },
};

static void check_url(struct check *check, const cJSON *element)
{
    const char *url = json_str(element, "url");

    if (url && !text_istarts(url, "http://") && !text_istarts(url, "https://") &&
        !text_istarts(url, "mailto:"))
        check_fail(check, "Invalid url");
}

void element_check(struct check *check, const cJSON *element, enum element_place place)
{
    const char *type = json_str_or(element, "type", "");

    for (size_t i = 0; i < ARRAY_LEN(elements); i++) {
        if (strcmp(elements[i].type, type) != 0)
            continue;
        if (!(elements[i].places & AT(place)))
            break;
        check_object(check, element, elements[i].members, elements[i].n);
        check_url(check, element);
        return;
    }
    check_fail(check, "unsupported type: %s", type);
}
