#include "dbconn/app/readiness.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/redact.h"

static void put_text(cJSON *obj, const char *key, const char *text)
{
    char *safe = text && *text ? redact_dup(text) : NULL;

    json_put_str(obj, key, safe);
    free(safe);
}

static void put_seconds(cJSON *obj, const char *key, int64_t ms)
{
    if (ms == TIME_UNKNOWN)
        json_put_null(obj, key);
    else
        json_put_i64(obj, key, ms / SECOND_MS);
}

static bool judge_socket(const struct ready_state *s, cJSON *doc)
{
    cJSON *obj = json_put_object(doc, "slack");
    bool ok = s->connections > 0 && s->since_heard_ms != TIME_UNKNOWN &&
              s->since_heard_ms <= READY_HEARD_MS;

    json_put_bool(obj, "ok", ok);
    json_put_i64(obj, "connections", s->connections);
    json_put_i64(obj, "wanted", s->wanted);
    if (s->app_connections)
        json_put_i64(obj, "app_connections", s->app_connections);
    else
        json_put_null(obj, "app_connections");
    put_seconds(obj, "seconds_since_hello", s->since_hello_ms);
    put_seconds(obj, "seconds_since_heard", s->since_heard_ms);
    put_text(obj, "trouble", s->trouble);
    return ok;
}

static bool judge_store(const struct ready_state *s, cJSON *doc)
{
    cJSON *obj = json_put_object(doc, "store");

    json_put_bool(obj, "ok", s->store_commits == YES);
    put_text(obj, "why", s->store_why);
    return s->store_commits == YES;
}

/* One that was not tried yet is no reason to send work elsewhere; one that is refused is. */
static bool judge_credential(const struct ready_credential *c, cJSON *doc)
{
    cJSON *obj = json_put_object(doc, c->service);

    json_put_str(obj, "state",
                 !c->configured   ? "not configured"
                 : c->good == YES ? "accepted"
                 : c->good == NO  ? "refused"
                                  : "not known");
    json_put_bool(obj, "required", c->required);
    put_text(obj, "why", c->configured && c->good != YES ? c->why : NULL);
    return !c->required || c->good != NO;
}

bool readiness_judge(const struct ready_state *state, cJSON **ret_doc)
{
    cJSON *doc = cJSON_CreateObject();

    json_put_bool(doc, "ready", false); /* first in the document; set below */
    json_put_bool(doc, "stopping", state->stopping);
    bool socket = judge_socket(state, doc), store = judge_store(state, doc);
    cJSON *list = json_put_object(doc, "credentials");
    bool ready = socket && store && !state->stopping;
    for (const struct ready_credential *c = state->credentials; c->service; c++)
        ready = judge_credential(c, list) && ready;
    cJSON_ReplaceItemInObjectCaseSensitive(doc, "ready", cJSON_CreateBool(ready));
    *ret_doc = doc;
    return ready;
}
