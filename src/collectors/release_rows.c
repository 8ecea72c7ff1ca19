#include "release_rows.h"

#include "dbconn/base/json.h"

static void put_time_number(cJSON *obj, const char *key, int64_t ms)
{
    if (ms != TIME_UNKNOWN)
        json_put_i64(obj, key, ms);
}

static void put_if(cJSON *obj, const char *key, const char *value)
{
    if (value)
        json_put_str(obj, key, value);
}

cJSON *deploy_to_json(const struct sentry_deploy *deploy)
{
    cJSON *obj = cJSON_CreateObject();

    put_if(obj, "environment", deploy->environment);
    put_time_number(obj, "started", deploy->started_ms);
    put_time_number(obj, "finished", deploy->finished_ms);
    return obj;
}

static cJSON *release_to_json(const struct sentry_release *r)
{
    cJSON *obj = cJSON_CreateObject(), *list;

    json_put_str(obj, "version", r->version);
    put_if(obj, "package", r->package);
    put_if(obj, "hash", r->build_hash);
    put_if(obj, "ref", r->ref);
    put_if(obj, "url", r->url);
    put_time_number(obj, "created", r->created_ms);
    put_time_number(obj, "released", r->released_ms);
    put_time_number(obj, "first_event", r->first_event_ms);
    if (r->commit_count >= 0)
        json_put_i64(obj, "commits", r->commit_count);
    if (r->last_commit) {
        put_if(obj, "last_commit", r->last_commit->id);
        put_if(obj, "repository", r->last_commit->repository.slug);
    }
    list = json_put_array(obj, "projects");
    for (size_t i = 0; i < r->n_projects; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(r->projects[i] ? r->projects[i] : ""));
    list = json_put_array(obj, "deploys");
    if (r->last_deploy)
        cJSON_AddItemToArray(list, deploy_to_json(r->last_deploy));
    return obj;
}

cJSON *releases_to_json(const struct sentry_releases *releases)
{
    cJSON *table = cJSON_CreateArray();

    for (size_t i = 0; i < releases->n; i++)
        cJSON_AddItemToArray(table, release_to_json(&releases->items[i]));
    return table;
}
