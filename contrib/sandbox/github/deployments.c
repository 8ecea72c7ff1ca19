#include "dbconn/base/text.h"
#include "github/visit.h"

static bool deployment_fits(const struct visit *v, const cJSON *d)
{
    static const struct {
        const char *asked, *member;
    } filters[] = { { "sha", "sha" }, { "environment", "env" }, { "ref", "ref" } };

    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        const char *wanted = params_get(&v->req->query, filters[i].asked);
        if (wanted && !text_same(wanted, json_str(d, filters[i].member)))
            return false;
    }
    return true;
}

void list_deployments(struct visit *v)
{
    cJSON *out = cJSON_CreateArray();
    struct list found = { 0 };
    size_t from, n;

    for (const cJSON *d = json_items(v->repo.spec, "deployments"); d; d = d->next) {
        size_t k = found.n;
        if (!deployment_fits(v, d))
            continue;
        (void)VEC_ADD(found.item, found.n, found.cap);
        for (; k > 0 &&
               strcmp(json_str_or(found.item[k - 1], "at", ""), json_str_or(d, "at", "")) < 0;
             k--)
            found.item[k] = found.item[k - 1];
        found.item[k] = d;
    }
    visit_page(v, found.n, PAGE_DEFAULT, &from, &n);
    for (size_t i = from; i < found.n && i < from + n; i++)
        cJSON_AddItemToArray(out, gh_deployment(&v->repo, found.item[i]));
    visit_answer(v, out);
    list_clear(&found);
}

void route_deployment(struct visit *v, const char *id)
{
    for (const cJSON *d = json_items(v->repo.spec, "deployments"); d; d = d->next) {
        char *own = json_id(d, "id");
        bool same = text_same(own, id);
        free(own);
        if (!same)
            continue;
        if (path_is(&v->path, 5, "statuses")) {
            cJSON *list = cJSON_CreateArray();
            cJSON_AddItemToArray(list, gh_deployment_status(&v->repo, d));
            visit_answer(v, list);
        } else {
            visit_answer(v, gh_deployment(&v->repo, d));
        }
        return;
    }
    visit_not_found(v);
}
