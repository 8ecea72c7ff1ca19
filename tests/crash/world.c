#include "world.h"

#include <errno.h>
#include <stdio.h>

#include "dbconn/base/json.h"
#include "process.h"

#define FIRST_ID 5400000000LL

char *world_issue(size_t i)
{
    return xasprintf("SHOP-T%zu", WORLD_FIRST_ISSUE + i);
}

char *world_channel(size_t i)
{
    return xasprintf("C0CRASH%04zu", i);
}

static cJSON *read_tree(const char *path)
{
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT;
    char bytes[65536];
    cJSON *tree = NULL;
    size_t n;
    FILE *in = fopen(path, "rb");

    if (!in)
        die("%s: %s", path, strerror(errno));
    while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0)
        buf_add(&text, bytes, n);
    fclose(in);
    if (json_parse(buf_str(&text), text.len, path, &tree, &err) < 0)
        die("%s", error_text(&err));
    buf_clear(&text);
    return tree;
}

static void replace_str(cJSON *obj, const char *key, const char *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(obj, key);
    json_put_str(obj, key, value);
}

static void keep_first(cJSON *array, size_t n)
{
    while ((size_t)cJSON_GetArraySize(array) > n)
        cJSON_DeleteItemFromArray(array, (int)n);
}

static cJSON *twin_of(const cJSON *issue, size_t i, const struct world_size *size)
{
    cJSON *twin = cJSON_Duplicate(issue, true);
    char *id = xasprintf("%lld", FIRST_ID + (long long)i), *short_id = world_issue(i);

    replace_str(twin, "id", id);
    replace_str(twin, "shortId", short_id);
    if (size->events > 0)
        keep_first(cJSON_GetObjectItemCaseSensitive(twin, "events"), size->events);
    free(id);
    free(short_id);
    return twin;
}

static void add_issues(cJSON *tree, const struct world_size *size)
{
    cJSON *sentry = cJSON_GetObjectItemCaseSensitive(tree, "sentry");
    cJSON *issues = cJSON_GetObjectItemCaseSensitive(sentry, "issues");
    cJSON *first = cJSON_GetArrayItem(issues, 0);

    if (!first)
        die("%s has no issue", WORLD_SCENARIO);
    for (size_t i = 0; i < size->issues; i++)
        cJSON_AddItemToArray(issues, twin_of(first, i, size));
}

/* Every line of the logs so many times more. */
static void repeat_logs(cJSON *tree, size_t times)
{
    cJSON *elastic = cJSON_GetObjectItemCaseSensitive(tree, "elasticsearch");
    cJSON *docs = cJSON_GetObjectItemCaseSensitive(elastic, "docs");
    int n = cJSON_GetArraySize(docs);

    for (size_t t = 0; t < times; t++)
        for (int i = 0; i < n; i++)
            cJSON_AddItemToArray(docs, cJSON_Duplicate(cJSON_GetArrayItem(docs, i), true));
}

static void add_channels(cJSON *tree, const struct world_size *size)
{
    cJSON *slack, *channels;

    cJSON_DeleteItemFromObjectCaseSensitive(tree, "slack");
    slack = json_put_object(tree, "slack");
    channels = json_put_array(slack, "channels");
    for (size_t i = 0; i < size->channels; i++) {
        cJSON *channel = cJSON_CreateObject();
        char *id = world_channel(i), *name = xasprintf("crash-%zu", i);
        json_put_str(channel, "id", id);
        json_put_str(channel, "name", name);
        json_put_bool(channel, "member", true);
        cJSON_AddItemToArray(channels, channel);
        free(id);
        free(name);
    }
}

void world_write(const char *path, const struct world_size *size)
{
    const char *base = getenv("CRASH_SCENARIO");
    cJSON *tree = read_tree(base ? base : WORLD_SCENARIO);
    FILE *out = fopen(path, "wb");
    char *text;

    add_issues(tree, size);
    add_channels(tree, size);
    repeat_logs(tree, size->log_copies);
    text = json_print(tree);
    if (!out || fputs(text, out) < 0 || fclose(out) != 0)
        die("%s: %s", path, strerror(errno));
    free(text);
    cJSON_Delete(tree);
}
