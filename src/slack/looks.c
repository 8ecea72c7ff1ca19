#include "looks.h"

#include <stdio.h>
#include <stdlib.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"

#define KEPT_MS (7 * DAY_MS)

static const char *const style_names[] = {
    [PROGRESS_PLAN] = "plan",
    [PROGRESS_BLOCKS] = "blocks",
    [PROGRESS_TEXT] = "text",
};
static const char *const chart_names[] = {
    [CHART_BLOCK] = "auto",
    [CHART_PICTURE] = "image",
    [CHART_TEXT] = "text",
};

/* The index of `name`, else 0. */
static size_t find(const char *const *names, size_t n, const char *name, size_t len)
{
    for (size_t i = 0; name && i < n; i++)
        if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0)
            return i;
    return 0;
}

struct looks looks_of(const char *progress, const char *chart)
{
    return (struct looks){
        .style = (enum progress_style)find(style_names, ARRAY_LEN(style_names), progress,
                                           progress ? strlen(progress) : 0),
        .chart = (enum chart_style)find(chart_names, ARRAY_LEN(chart_names), chart,
                                        chart ? strlen(chart) : 0),
    };
}

bool looks_simpler(struct looks *looks, enum part_id refused)
{
    bool chart = refused == PART_CHART ||
                 (refused == PART_ANSWER && looks->style == PROGRESS_PLAN &&
                  looks->chart == CHART_BLOCK); /* the newest block is the likeliest */

    if (chart && looks->chart < CHART_TEXT)
        looks->chart = refused == PART_CHART ? CHART_TEXT : CHART_PICTURE;
    else if (!chart && looks->style < PROGRESS_TEXT)
        looks->style = (enum progress_style)(looks->style + 1);
    else
        return false;
    return true;
}

void looks_limit(struct looks *looks, const struct looks *to)
{
    looks->style = looks->style > to->style ? looks->style : to->style;
    looks->chart = looks->chart > to->chart ? looks->chart : to->chart;
}

void looks_print(const struct looks *looks, int64_t now_ms, struct buf *out)
{
    buf_addf(out, "%s %s %lld", style_names[looks->style], chart_names[looks->chart],
             (long long)now_ms);
}

bool looks_parse(const char *text, int64_t now_ms, struct looks *ret)
{
    const char *chart = text ? strchr(text, ' ') : NULL;
    const char *at = chart ? strchr(chart + 1, ' ') : NULL;
    long long kept_ms = at ? strtoll(at + 1, NULL, 10) : 0;

    if (!at || kept_ms <= 0 || now_ms - kept_ms > KEPT_MS)
        return false;
    ret->style = (enum progress_style)find(style_names, ARRAY_LEN(style_names), text,
                                           (size_t)(chart - text));
    ret->chart = (enum chart_style)find(chart_names, ARRAY_LEN(chart_names), chart + 1,
                                        (size_t)(at - chart - 1));
    return true;
}
