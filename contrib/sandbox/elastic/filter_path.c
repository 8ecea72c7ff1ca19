#include "elastic/filter_path.h"

#include <string.h>

#include "dbconn/base/json.h"
#include "elastic/docs.h"

/* What is left of each path, as pointers into their text; "" is a path that ended here. */
struct rests {
    const char **item;
    size_t n, cap;
};

static const char *step_end(const char *p)
{
    return p + strcspn(p, ".");
}

static const char *behind(const char *p)
{
    const char *end = step_end(p);

    return *end == '.' ? end + 1 : end;
}

static bool step_fits(const char *p, const char *name)
{
    char *step = xstrndup(p, (size_t)(step_end(p) - p));
    bool fits = wildcard_fits(step, name, false);

    free(step);
    return fits;
}

/* Where the paths lead inside the member `name`. */
static void enter(const struct rests *from, const char *name, struct rests *to)
{
    for (size_t i = 0; i < from->n; i++) {
        const char *p = from->item[i];
        if (strncmp(p, "**.", 3) == 0) {
            *VEC_ADD(to->item, to->n, to->cap) = p;
            if (step_fits(p + 3, name))
                *VEC_ADD(to->item, to->n, to->cap) = behind(p + 3);
        } else if (*p && step_fits(p, name)) {
            *VEC_ADD(to->item, to->n, to->cap) = behind(p);
        }
    }
}

static bool has_ended(const struct rests *rests)
{
    for (size_t i = 0; i < rests->n; i++)
        if (!*rests->item[i])
            return true;
    return false;
}

/* The part of `item` that the paths take, or NULL. */
static cJSON *pick(const cJSON *item, const struct rests *rests)
{
    cJSON *out;

    if (has_ended(rests))
        return cJSON_Duplicate(item, true);
    if (!cJSON_IsObject(item) && !cJSON_IsArray(item))
        return NULL;
    out = cJSON_IsArray(item) ? cJSON_CreateArray() : cJSON_CreateObject();
    for (const cJSON *child = item->child; child; child = child->next) {
        struct rests inner = { 0 };
        cJSON *kept;
        if (cJSON_IsArray(item)) {
            kept = pick(child, rests);
            if (kept)
                cJSON_AddItemToArray(out, kept);
            continue;
        }
        enter(rests, child->string, &inner);
        kept = inner.n ? pick(child, &inner) : NULL;
        if (kept)
            cJSON_AddItemToObject(out, child->string, kept);
        free(inner.item);
    }
    if (out->child)
        return out;
    cJSON_Delete(out);
    return NULL;
}

cJSON *filter_path(const char *paths, cJSON *tree)
{
    struct rests rests = { 0 };
    char *copy, *p;
    cJSON *out;

    if (!paths || !*paths)
        return tree;
    copy = xstrdup(paths);
    for (p = copy; *p;) {
        size_t n = strcspn(p, ",");
        bool more = p[n] == ',';
        p[n] = '\0';
        if (*p && *p != '-')
            *VEC_ADD(rests.item, rests.n, rests.cap) = p;
        p += n + more;
    }
    out = pick(tree, &rests);
    cJSON_Delete(tree);
    free(rests.item);
    free(copy);
    return out ? out : cJSON_CreateObject();
}
