/*
 * The newer blocks: plan with task cards, and the chart
 * (docs.slack.dev/reference/block-kit/blocks/task-card-block, plan-block,
 * data-visualization-block). Old clients refuse them; the thread view has fall-backs.
 */
#include "dbconn/slack/blocks.h"

#include "blocks_internal.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/report/chart.h"
#include "dbconn/slack/mrkdwn.h"

#define TITLE_MAX 256 /* of plans and cards */
#define MAX_CARDS 50
#define LABEL_MAX 20 /* of a category and of a series */

static void put_plain(cJSON *obj, const char *key, const char *text, size_t max)
{
    struct buf clean = BUF_INIT;

    plain_text(&clean, text, max);
    json_put_str(obj, key, buf_str(&clean));
    buf_clear(&clean);
}

static void put_sources(cJSON *card, const char *const *urls, size_t n)
{
    cJSON *sources = NULL;

    for (size_t i = 0; i < n; i++) {
        struct buf url = BUF_INIT, label = BUF_INIT;
        if (link_encode(&url, urls[i])) {
            sources = sources ? sources : json_put_array(card, "sources");
            cJSON *source = object_in(sources);
            json_put_str(source, "type", "url");
            json_put_str(source, "url", buf_str(&url));
            link_label(&label, urls[i], 75);
            json_put_str(source, "text", buf_str(&label));
        }
        buf_clear(&url);
        buf_clear(&label);
    }
}

static cJSON *card_object(struct task_card *card)
{
    cJSON *obj = block_new("task_card");

    json_put_str(obj, "task_id", card->id);
    put_plain(obj, "title", card->title, TITLE_MAX);
    json_put_str(obj, "status", card->status);
    if (card->details)
        cJSON_AddItemToObject(obj, "details", card->details);
    if (card->output)
        cJSON_AddItemToObject(obj, "output", card->output);
    put_sources(obj, card->source_urls, card->n_sources);
    card->details = card->output = NULL;
    return obj;
}

void blocks_plan(struct blocks *b, const char *title, struct task_card *cards, size_t n)
{
    cJSON *block = block_new("plan");
    cJSON *tasks;

    put_plain(block, "title", title, TITLE_MAX);
    tasks = json_put_array(block, "tasks");
    for (size_t i = 0; i < n; i++) {
        cJSON *card = card_object(&cards[i]);
        if (i < MAX_CARDS)
            cJSON_AddItemToArray(tasks, card);
        else
            cJSON_Delete(card);
    }
    if (n > MAX_CARDS)
        b->omitted += n - MAX_CARDS;
    blocks_add(b, block);
}

/* "10:00", "10:00 began", "08-18 10:00 release": the marks are words, since the chart has no
 * other element for them. At most 20 characters. */
static void category(const struct chart *ch, size_t i, struct buf *out)
{
    const struct chart_bucket *k = &ch->buckets[i];

    chart_label(k->start_ms, ch->end_ms - ch->buckets[0].start_ms, out);
    if (k->onset && k->release && out->len + strlen(" began+release") <= LABEL_MAX)
        buf_adds(out, " began+release");
    else if (k->onset)
        buf_adds(out, " began");
    else if (k->release)
        buf_adds(out, " release");
}

enum span { SPAN_ALL, SPAN_BEFORE, SPAN_SINCE };

static void put_series(cJSON *list, const struct chart *ch, const char *name, enum span span,
                       size_t onset)
{
    cJSON *series = object_in(list);
    cJSON *data;

    json_put_str(series, "name", name);
    data = json_put_array(series, "data");
    for (size_t i = 0; i < ch->n; i++) {
        struct buf label = BUF_INIT;
        cJSON *point = object_in(data);
        bool shown = span == SPAN_ALL || (span == SPAN_SINCE) == (i >= onset);
        category(ch, i, &label);
        json_put_str(point, "label", buf_str(&label));
        cJSON_AddNumberToObject(point, "value", shown ? ch->buckets[i].count : 0);
        buf_clear(&label);
    }
}

static size_t onset_bucket(const struct chart *ch)
{
    for (size_t i = 0; i < ch->n; i++) {
        if (ch->buckets[i].onset)
            return i;
    }
    return ch->n;
}

static void put_axes(cJSON *chart, const struct chart *ch)
{
    cJSON *axes = json_put_object(chart, "axis_config");
    cJSON *categories = json_put_array(axes, "categories");
    struct buf label = BUF_INIT;

    for (size_t i = 0; i < ch->n; i++) {
        buf_reset(&label);
        category(ch, i, &label);
        cJSON_AddItemToArray(categories, cJSON_CreateString(buf_str(&label)));
    }
    buf_reset(&label);
    buf_adds(&label, "Time in UTC, ");
    time_format_duration(ch->bucket_ms, &label);
    buf_adds(&label, " per bar");
    json_put_str(axes, "x_label", buf_str(&label));
    json_put_str(axes, "y_label", "Errors");
    buf_clear(&label);
}

/* The colour changes at the onset: the errors before it and since are two series. */
void blocks_chart(struct blocks *b, const struct chart *ch)
{
    cJSON *block = block_new("data_visualization"), *chart, *series;
    struct buf title = BUF_INIT;
    size_t onset = onset_bucket(ch);

    if (ch->n == 0 || ch->n > CHART_CATEGORIES) {
        cJSON_Delete(block);
        b->omitted++;
        return;
    }
    chart_title(ch, &title);
    put_plain(block, "title", buf_str(&title), 50);
    chart = json_put_object(block, "chart");
    json_put_str(chart, "type", "bar");
    series = json_put_array(chart, "series");
    if (onset < ch->n) {
        put_series(series, ch, "Before it began", SPAN_BEFORE, onset);
        put_series(series, ch, "Since it began", SPAN_SINCE, onset);
    } else {
        put_series(series, ch, "Errors", SPAN_ALL, 0);
    }
    put_axes(chart, ch);
    blocks_add(b, block);
    buf_clear(&title);
}
