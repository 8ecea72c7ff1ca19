#include "world/world.h"

#include <errno.h>
#include <stdio.h>

#include "dbconn/base/clock.h"
#include "world/stamp.h"

static int read_file(const char *path, struct buf *out, struct error *err)
{
    char bytes[65536];
    size_t n;
    FILE *file = fopen(path, "rb");

    if (!file)
        return error_set(err, ERR_CONFIG, "%s: %s", path, strerror(errno));
    while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
        buf_add(out, bytes, n);
    fclose(file);
    return 0;
}

/* Strings are replaced in place; cJSON's own allocator keeps them, so it frees them too. */
static void replace_string(char **slot, int64_t now_ms)
{
    char *with = *slot ? stamp_text(*slot, now_ms) : NULL;

    if (!with)
        return;
    cJSON_free(*slot);
    *slot = cJSON_malloc(strlen(with) + 1);
    if (!*slot)
        abort(); /* as in alloc.h */
    memcpy(*slot, with, strlen(with) + 1);
    free(with);
}

static void materialise(cJSON *item, int64_t now_ms)
{
    for (; item; item = item->next) {
        if (item->string && !(item->type & cJSON_StringIsConst))
            replace_string(&item->string, now_ms);
        if (cJSON_IsString(item))
            replace_string(&item->valuestring, now_ms);
        materialise(item->child, now_ms);
    }
}

int world_load(const char *path, struct world *ret, struct error *err)
{
    struct buf text = BUF_INIT;
    cJSON *tree = NULL;
    int rc = read_file(path, &text, err);

    if (rc == 0)
        rc = json_parse(buf_str(&text), text.len, path, &tree, err);
    buf_clear(&text);
    if (rc < 0)
        return -1;
    *ret = (struct world){ .tree = tree, .now_ms = clock_wall_ms() };
    materialise(tree, ret->now_ms);
    ret->name = json_str_or(tree, "name", "scenario");
    ret->short_id = json_str_or(tree, "short_id", "");
    ret->sentry = json_get(tree, "sentry");
    ret->github = json_get(tree, "github");
    ret->elasticsearch = json_get(tree, "elasticsearch");
    ret->slack = json_get(tree, "slack");
    ret->env = json_get(tree, "env");
    return 0;
}

void world_clear(struct world *world)
{
    cJSON_Delete(world->tree);
    *world = (struct world){ 0 };
}
