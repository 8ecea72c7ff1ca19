/* charts - https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block */
#include "slack/blocks.h"

#include "dbconn/base/text.h"

#define MAX_SERIES 6
#define MAX_CATEGORIES 20

static const char *const chart_types[] = { "line", "bar", "area", "pie", NULL };

static void check_point(struct check *check, const cJSON *point)
{
    static const struct member members[] = {
        { .name = "label", .kind = MEMBER_STRING, .required = true, .min = 1, .max = 20 },
        { .name = "value", .kind = MEMBER_NUMBER, .required = true },
    };

    CHECK_OBJECT(check, point, members);
}

static void check_series(struct check *check, const cJSON *series)
{
    static const struct member members[] = {
        { .name = "name", .kind = MEMBER_STRING, .required = true, .min = 1, .max = 20 },
        { .name = "data",
          .kind = MEMBER_ARRAY,
          .required = true,
          .min = 1,
          .max = MAX_CATEGORIES,
          .inner = check_point },
    };

    CHECK_OBJECT(check, series, members);
}

static void check_category(struct check *check, const cJSON *category)
{
    if (!cJSON_IsString(category) || !category->valuestring[0] ||
        strlen(category->valuestring) > 20)
        check_fail(check, "must be a string of 1 to 20 characters");
}

static void check_axes(struct check *check, const cJSON *axes)
{
    static const struct member members[] = {
        { .name = "categories",
          .kind = MEMBER_ARRAY,
          .required = true,
          .min = 1,
          .max = MAX_CATEGORIES,
          .inner = check_category },
        { .name = "x_label", .kind = MEMBER_STRING, .max = 50 },
        { .name = "y_label", .kind = MEMBER_STRING, .max = 50 },
    };

    CHECK_OBJECT(check, axes, members);
}

/* Exactly one value for every category, in their order, and no name twice. */
static void check_agreement(struct check *check, const cJSON *chart)
{
    const cJSON *categories = json_path(chart, "axis_config", "categories", NULL);

    for (const cJSON *s = json_items(chart, "series"); s; s = s->next) {
        const cJSON *category = json_first(categories), *point = json_items(s, "data");
        while (category && point &&
               text_same(cJSON_GetStringValue(category), json_str(point, "label"))) {
            category = category->next;
            point = point->next;
        }
        if (category || point)
            check_fail(check, "series data must have one value for every category");
        for (const cJSON *other = s->next; other; other = other->next)
            if (text_same(json_str(s, "name"), json_str(other, "name")))
                check_fail(check, "series names must be unique");
    }
}

static void check_chart(struct check *check, const cJSON *chart)
{
    static const struct member plotted[] = {
        { .name = "type", .kind = MEMBER_STRING, .required = true, .one_of = chart_types },
        { .name = "series",
          .kind = MEMBER_ARRAY,
          .required = true,
          .min = 1,
          .max = MAX_SERIES,
          .inner = check_series },
        { .name = "axis_config", .kind = MEMBER_OBJECT, .required = true, .inner = check_axes },
    };
    static const struct member pie[] = {
        { .name = "type", .kind = MEMBER_STRING, .required = true },
        { .name = "segments",
          .kind = MEMBER_ARRAY,
          .required = true,
          .min = 1,
          .max = MAX_CATEGORIES,
          .inner = check_point },
    };

    if (text_same(json_str(chart, "type"), "pie")) {
        CHECK_OBJECT(check, chart, pie);
        return;
    }
    CHECK_OBJECT(check, chart, plotted);
    check_agreement(check, chart);
}

void chart_check(struct check *check, const cJSON *block)
{
    static const struct member members[] = {
        { .name = "type", .kind = MEMBER_STRING, .required = true },
        { .name = "block_id", .kind = MEMBER_STRING, .max = 255 },
        { .name = "title", .kind = MEMBER_STRING, .required = true, .min = 1, .max = 50 },
        { .name = "chart", .kind = MEMBER_OBJECT, .required = true, .inner = check_chart },
    };

    if (++check->charts > 2)
        check_fail(check, "no more than 2 data_visualization blocks allowed");
    CHECK_OBJECT(check, block, members);
}
