#include "slack/views.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "slack/blocks.h"
#include "slack/call.h"
#include "world/ids.h"

#define TRIGGER_LIFE_MS 3000
#define VIEW_BYTES_MAX 250000
#define STACK_MAX 3

struct trigger {
    char *id, *user;
    int64_t at_ms;
    bool used;
};

struct view {
    char *id, *user;
    cJSON *body; /* as Slack answers it */
    bool is_open;
};

struct views {
    struct trigger *triggers;
    size_t n_triggers, cap_triggers;
    struct view *items;
    size_t n, cap;
};

struct views *views_new(void)
{
    return xcalloc(1, sizeof(struct views));
}

void views_free(struct views *views)
{
    if (!views)
        return;
    for (size_t i = 0; i < views->n_triggers; i++) {
        free(views->triggers[i].id);
        free(views->triggers[i].user);
    }
    for (size_t i = 0; i < views->n; i++) {
        free(views->items[i].id);
        free(views->items[i].user);
        cJSON_Delete(views->items[i].body);
    }
    free(views->triggers);
    free(views->items);
    free(views);
}

char *views_new_trigger(struct views *views, const char *user)
{
    struct trigger *t = VEC_ADD(views->triggers, views->n_triggers, views->cap_triggers);
    char *hex = id_random_hex(32);

    t->id = xasprintf("%llu.%zu.%s", (unsigned long long)clock_wall_ms(), views->n_triggers, hex);
    t->user = xstrdup(user);
    t->at_ms = clock_mono_ms();
    free(hex);
    return xstrdup(t->id);
}

/* Uses the trigger up; fails the call when it is none, old, or was used. */
static const struct trigger *take_trigger(struct call *call)
{
    const char *id = arg_need(call, "trigger_id");
    struct views *views = call->slack->views;

    for (size_t i = 0; id && i < views->n_triggers; i++) {
        struct trigger *t = &views->triggers[i];
        if (strcmp(t->id, id) != 0)
            continue;
        if (t->used)
            call_fail(call, "exchanged_trigger_id");
        else if (clock_mono_ms() - t->at_ms > TRIGGER_LIFE_MS)
            call_fail(call, "expired_trigger_id");
        t->used = true;
        return call_ok(call) ? t : NULL;
    }
    call_fail(call, "invalid_trigger_id");
    return NULL;
}

static struct view *find(const struct views *views, const char *id)
{
    for (size_t i = 0; id && i < views->n; i++)
        if (strcmp(views->items[i].id, id) == 0)
            return &views->items[i];
    return NULL;
}

const cJSON *views_get(const struct views *views, const char *id)
{
    const struct view *view = find(views, id);

    return view && view->is_open ? view->body : NULL;
}

const char *views_user(const struct views *views, const char *id)
{
    const struct view *view = find(views, id);

    return view ? view->user : NULL;
}

/* The view argument, checked. Caller's tree; NULL when the call failed. */
static cJSON *arg_view(struct call *call, const char *type)
{
    cJSON *view = arg_json(call, "view", "invalid_arguments");
    struct block_report report;

    if (!cJSON_IsObject(view)) {
        call_fail(call, "invalid_arguments");
        cJSON_Delete(view);
        return NULL;
    }
    view_check(view, &report);
    if (report.errors->child) {
        for (const cJSON *e = report.errors->child; e; e = e->next)
            call_message(call, "[ERROR] %s", e->valuestring);
        call_fail(call, "invalid_arguments");
    }
    cJSON_Delete(report.errors);
    if (!text_same(json_str(view, "type"), type))
        call_fail(call, "invalid_arguments");
    char *text = json_print(view);
    if (strlen(text) > VIEW_BYTES_MAX)
        call_fail(call, "view_too_large");
    free(text);
    if (!call_ok(call)) {
        cJSON_Delete(view);
        return NULL;
    }
    return view;
}

static void put_default(cJSON *body, const char *key, const char *value)
{
    if (!cJSON_GetObjectItemCaseSensitive(body, key))
        json_put_str(body, key, value);
}

/* Takes `body` as what the view now shows. */
static void set_body(struct slack *slack, struct view *view, cJSON *body)
{
    char *hash = id_random_hex(8);
    char *full = xasprintf("%lld.%s", (long long)clock_wall_ms() / 1000, hash);

    put_default(body, "private_metadata", "");
    put_default(body, "callback_id", "");
    put_default(body, "external_id", "");
    json_put_str(body, "id", view->id);
    json_put_str(body, "team_id", slack->ws.team_id);
    json_put_str(body, "hash", full);
    json_put_str(body, "root_view_id", view->id);
    json_put_str(body, "app_id", slack->ws.app_id);
    json_put_str(body, "bot_id", slack->ws.bot_id);
    (void)json_put_object(json_put_object(body, "state"), "values");
    cJSON_Delete(view->body);
    view->body = body;
    view->is_open = true;
    free(hash);
    free(full);
}

static struct view *add_view(struct slack *slack, const char *user, cJSON *body)
{
    struct views *views = slack->views;
    struct view *view = VEC_ADD(views->items, views->n, views->cap);
    char *hex = id_random_hex(8);

    view->id = xasprintf("V0%s", hex);
    view->user = xstrdup(user);
    free(hex);
    set_body(slack, view, body);
    return view;
}

static void answer(struct call *call, const struct view *view)
{
    cJSON_AddItemToObject(call->reply, "view", cJSON_Duplicate(view->body, true));
}

static void open_modal(struct call *call)
{
    const struct trigger *trigger = take_trigger(call);
    cJSON *body = trigger ? arg_view(call, "modal") : NULL;

    if (body)
        answer(call, add_view(call->slack, trigger->user, body));
}

void views_open(struct call *call)
{
    open_modal(call);
}

void views_push(struct call *call)
{
    const struct views *views = call->slack->views;
    int open = 0;

    for (size_t i = 0; i < views->n; i++)
        open +=
            views->items[i].is_open && text_same(json_str(views->items[i].body, "type"), "modal");
    if (open >= STACK_MAX)
        call_fail(call, "push_limit_reached");
    if (call_ok(call))
        open_modal(call);
}

static struct view *by_external_id(const struct views *views, const char *id)
{
    for (size_t i = 0; id && i < views->n; i++)
        if (views->items[i].is_open && text_same(json_str(views->items[i].body, "external_id"), id))
            return &views->items[i];
    return NULL;
}

static bool hash_agrees(struct call *call, const struct view *view)
{
    const char *hash = arg_str(call, "hash");

    if (!hash || text_same(hash, json_str(view->body, "hash")))
        return true;
    call_fail(call, "hash_conflict");
    return false;
}

void views_update(struct call *call)
{
    const char *id = arg_str(call, "view_id");
    struct view *view = id ? find(call->slack->views, id)
                           : by_external_id(call->slack->views, arg_str(call, "external_id"));

    if (!view || !view->is_open) {
        call_fail(call, "not_found");
        return;
    }
    cJSON *body = hash_agrees(call, view) ? arg_view(call, "modal") : NULL;
    if (!body)
        return;
    set_body(call->slack, view, body);
    answer(call, view);
}

static struct view *home_of(const struct views *views, const char *user)
{
    for (size_t i = 0; i < views->n; i++)
        if (text_same(views->items[i].user, user) &&
            text_same(json_str(views->items[i].body, "type"), "home"))
            return &views->items[i];
    return NULL;
}

void views_publish(struct call *call)
{
    const char *user = arg_need(call, "user_id");
    struct view *view = user ? home_of(call->slack->views, user) : NULL;

    if (user && !workspace_user(&call->slack->ws, user))
        call_fail(call, "user_not_found");
    if (!call_ok(call) || (view && !hash_agrees(call, view)))
        return;
    cJSON *body = arg_view(call, "home");
    if (!body)
        return;
    if (view)
        set_body(call->slack, view, body);
    else
        view = add_view(call->slack, user, body);
    answer(call, view);
}

void views_answer(struct slack *slack, const char *id, const cJSON *reply)
{
    struct view *view = find(slack->views, id);
    const char *action = json_str(reply, "response_action");
    const cJSON *next = json_get(reply, "view");
    struct block_report report;

    if (!view)
        return;
    if (!action || strcmp(action, "clear") == 0) {
        view->is_open = false;
        return;
    }
    if (strcmp(action, "errors") == 0) {
        if (!cJSON_IsObject(json_get(reply, "errors")))
            slack_note(slack, "response_action errors without errors");
        return; /* stays open, with the errors shown */
    }
    if ((strcmp(action, "update") != 0 && strcmp(action, "push") != 0) || !cJSON_IsObject(next)) {
        slack_note(slack, "response_action \"%s\" is not valid", action);
        return;
    }
    view_check(next, &report);
    for (const cJSON *e = report.errors->child; e; e = e->next)
        slack_note(slack, "the view in an acknowledgement: %s", e->valuestring);
    if (!report.errors->child && strcmp(action, "update") == 0)
        set_body(slack, view, cJSON_Duplicate(next, true));
    else if (!report.errors->child)
        (void)add_view(slack, view->user, cJSON_Duplicate(next, true));
    cJSON_Delete(report.errors);
}

cJSON *views_list(const struct views *views)
{
    cJSON *out = cJSON_CreateArray();

    for (size_t i = 0; i < views->n; i++) {
        cJSON *row;
        if (!views->items[i].is_open)
            continue;
        row = cJSON_CreateObject();
        json_put_str(row, "user", views->items[i].user);
        cJSON_AddItemToObject(row, "view", cJSON_Duplicate(views->items[i].body, true));
        cJSON_AddItemToArray(out, row);
    }
    return out;
}
