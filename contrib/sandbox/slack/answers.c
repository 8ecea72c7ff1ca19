#include "slack/answers.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "slack/blocks.h"
#include "world/ids.h"

#define USES_MAX 5
#define LIFE_MS (30 * MINUTE_MS)
#define SLACKBOT "USLACKBOT"

struct hook {
    char *key, *channel, *user, *message_ts;
    int64_t at_ms;
    int uses;
};

struct hooks {
    struct hook *items;
    size_t n, cap;
};

struct hooks *hooks_new(void)
{
    return xcalloc(1, sizeof(struct hooks));
}

void hooks_free(struct hooks *hooks)
{
    if (!hooks)
        return;
    for (size_t i = 0; i < hooks->n; i++) {
        free(hooks->items[i].key);
        free(hooks->items[i].channel);
        free(hooks->items[i].user);
        free(hooks->items[i].message_ts);
    }
    free(hooks->items);
    free(hooks);
}

char *hooks_new_url(struct slack *slack, const char *base, const char *channel, const char *user,
                    const char *message_ts)
{
    struct hooks *hooks = slack->hooks;
    struct hook *hook = VEC_ADD(hooks->items, hooks->n, hooks->cap);

    hook->key = id_random_hex(24);
    hook->channel = xstrdup(channel);
    hook->user = xstrdup(user);
    hook->message_ts = xstrdup(message_ts);
    hook->at_ms = clock_mono_ms();
    return xasprintf("%s/%s/%s/%zu/%s", base, message_ts ? "actions" : "commands",
                     slack->ws.team_id, hooks->n, hook->key);
}

static struct hook *find_hook(struct hooks *hooks, const char *path)
{
    const char *slash = strrchr(path, '/');

    for (size_t i = 0; slash && i < hooks->n; i++)
        if (strcmp(hooks->items[i].key, slash + 1) == 0)
            return &hooks->items[i];
    return NULL;
}

static const char *check_blocks(struct slack *slack, const cJSON *answer, const char *what)
{
    const cJSON *blocks = json_get(answer, "blocks");
    struct block_report report;
    const char *error = NULL;

    if (!blocks)
        return NULL;
    blocks_check(blocks, SURFACE_MESSAGE, "/blocks", NULL, NULL, &report);
    for (const cJSON *e = report.errors->child; e; e = e->next)
        slack_note(slack, "%s: %s", what, e->valuestring);
    if (report.errors->child)
        error = "invalid_blocks";
    cJSON_Delete(report.errors);
    return error;
}

static bool is_set(const cJSON *answer, const char *key)
{
    bool value = false;

    return (json_bool(answer, key, &value) && value) || text_same(json_str(answer, key), "true");
}

static void fill(struct slack *slack, struct message *m, const cJSON *answer)
{
    const cJSON *blocks = json_get(answer, "blocks");

    if (!m->bot_id)
        m->bot_id = xstrdup(slack->ws.bot_id);
    xreplace(&m->text, json_str_or(answer, "text", ""));
    cJSON_Delete(m->blocks);
    m->blocks = blocks ? cJSON_Duplicate(blocks, true) : NULL;
}

const char *answers_show(struct slack *slack, const char *channel_id, const char *user,
                         const cJSON *answer, const char *what)
{
    struct channel *channel = workspace_channel(&slack->ws, channel_id);
    bool in_channel = text_same(json_str(answer, "response_type"), "in_channel");
    const char *error = check_blocks(slack, answer, what);

    if (!channel || error)
        return error;
    if (!json_str(answer, "text") && !json_get(answer, "blocks") &&
        !json_get(answer, "attachments")) {
        slack_note(slack, "%s has no text", what);
        return "no_text";
    }
    struct message *m = channel_add(&slack->ws, channel, slack->ws.bot_user_id);
    fill(slack, m, answer);
    if (!in_channel)
        m->shown_to = xstrdup(user);
    else if (json_str(answer, "thread_ts"))
        m->thread_ts = xstrdup(json_str(answer, "thread_ts"));
    return NULL;
}

void answers_slackbot(struct slack *slack, const char *channel_id, const char *user,
                      const char *text)
{
    struct channel *channel = workspace_channel(&slack->ws, channel_id);

    if (!channel)
        return;
    struct message *m = channel_add(&slack->ws, channel, SLACKBOT);
    m->shown_to = xstrdup(user);
    xreplace(&m->text, text);
}

void answers_time_out(struct slack *slack, const char *channel, const char *user,
                      const cJSON *payload)
{
    char *text;

    if (!json_str(payload, "command") || !channel)
        return;
    text =
        xasprintf("%s failed with the error \"operation_timeout\"", json_str(payload, "command"));
    answers_slackbot(slack, channel, user, text);
    free(text);
}

/* Changes or removes what was clicked on. NULL, or Slack's word for why not. */
static const char *replace_original(struct slack *slack, const struct hook *hook,
                                    const cJSON *answer, bool remove)
{
    const struct channel *channel = workspace_channel(&slack->ws, hook->channel);
    struct message *m = channel ? channel_message(channel, hook->message_ts) : NULL;
    const char *error = remove ? NULL : check_blocks(slack, answer, "a response_url");

    if (!m)
        return "message_not_found";
    if (error)
        return error;
    if (remove)
        m->deleted = true;
    else
        fill(slack, m, answer);
    m->edits++;
    return NULL;
}

static const char *use_hook(struct slack *slack, struct hook *hook, const struct request *req,
                            cJSON **ret_args)
{
    bool remove, replace;

    if (!hook)
        return "invalid_url";
    if (hook->uses >= USES_MAX)
        return "used_url";
    if (clock_mono_ms() - hook->at_ms > LIFE_MS)
        return "expired_url";
    if (json_parse(buf_str(&req->body), req->body.len, "body", ret_args, NULL) < 0 ||
        !cJSON_IsObject(*ret_args))
        return "invalid_payload";
    hook->uses++;
    remove = is_set(*ret_args, "delete_original");
    replace = is_set(*ret_args, "replace_original");
    if ((remove || replace) && hook->message_ts)
        return replace_original(slack, hook, *ret_args, remove);
    return answers_show(slack, hook->channel, hook->user, *ret_args, "a response_url");
}

void hooks_post(struct slack *slack, const struct request *req, struct reply *reply)
{
    struct hook *hook = find_hook(slack->hooks, req->path);
    cJSON *args = NULL, *body = cJSON_CreateObject();
    const char *error = use_hook(slack, hook, req, &args);

    if (req->authorization)
        slack_note(slack, "a response_url was called with an Authorization header");
    if (!args)
        args = cJSON_CreateObject();
    if (hook)
        json_put_str(args, "channel", hook->channel);
    json_put_bool(body, "ok", !error);
    if (error)
        json_put_str(body, "error", error);
    slack_record(slack, "response_url", args, error ? 404 : 200, cJSON_Duplicate(body, true));
    if (error) {
        reply_json(reply, 404, body);
    } else {
        cJSON_Delete(body);
        reply_text(reply, 200, "text/html", "ok");
    }
}
