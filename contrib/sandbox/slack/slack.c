#include "slack/slack.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "slack/answers.h"
#include "slack/files.h"
#include "slack/socket.h"
#include "slack/streams.h"
#include "slack/views.h"
#include "world/ids.h"

#define CALLS_KEPT 100000
#define POST_BURST 4

/* What the app's manifest asks for, and a little more. */
static const char all_scopes[] =
    "commands,chat:write,chat:write.public,files:write,files:read,reactions:write,"
    "app_mentions:read,channels:read,groups:read,im:read,mpim:read,channels:history,"
    "groups:history,im:history,mpim:history,channels:join,im:write,users:read,usergroups:read";

bool slack_has_scope(const struct slack *slack, const char *scope)
{
    size_t n = strlen(scope);

    for (const char *p = slack->scopes; *p;) {
        size_t len = strcspn(p, ",");
        if (len == n && memcmp(p, scope, n) == 0)
            return true;
        p += len + (p[len] == ',');
    }
    return false;
}

void slack_note(struct slack *slack, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    cJSON_AddItemToArray(slack->notes, cJSON_CreateString(buf_str(&text)));
    buf_clear(&text);
}

void slack_record(struct slack *slack, const char *method, cJSON *args, int status, cJSON *reply)
{
    cJSON *row = cJSON_CreateObject();

    json_put_i64(row, "seq", ++slack->calls_seen);
    json_put_time(row, "at", clock_wall_ms());
    json_put_str(row, "method", method);
    json_put_i64(row, "status", status);
    json_put_str(row, "error", json_str(reply, "error"));
    cJSON_AddItemToObject(row, "args", args ? args : cJSON_CreateObject());
    if (reply)
        cJSON_AddItemToObject(row, "reply", reply);
    cJSON_AddItemToArray(slack->calls, row);
    if (slack->calls_seen % CALLS_KEPT == 0)
        while (cJSON_GetArraySize(slack->calls) > CALLS_KEPT)
            cJSON_DeleteItemFromArray(slack->calls, 0);
}

static void handle(void *user, const struct request *req, struct reply *reply)
{
    struct slack *slack = user;

    if (text_starts(req->path, "/api/"))
        slack_api(slack, req->path + strlen("/api/"), req, reply);
    else if (text_starts(req->path, "/commands/") || text_starts(req->path, "/actions/"))
        hooks_post(slack, req, reply);
    else if (text_starts(req->path, "/upload/v1/"))
        files_upload(slack, req->path + strlen("/upload/v1/"), req, reply);
    else
        reply_text(reply, 404, "text/html", "<html><body>Not found</body></html>");
}

/* What Slack answers when it fails: 200 with an error code, or a bare 5xx. */
static void refuse(void *user, const struct fault_effect *effect, struct reply *reply)
{
    static const struct {
        int status;
        const char *error;
    } words[] = {
        { 429, "ratelimited" },
        { 500, "internal_error" },
        { 503, "service_unavailable" },
    };
    const char *error = effect->error[0] ? effect->error : "fatal_error";
    cJSON *body = cJSON_CreateObject();

    for (size_t i = 0; i < ARRAY_LEN(words) && !effect->error[0]; i++)
        if (words[i].status == effect->status)
            error = words[i].error;
    json_put_bool(body, "ok", false);
    json_put_str(body, "error", error);
    slack_record(user, "(fault)", NULL, effect->status ? effect->status : 200,
                 cJSON_Duplicate(body, true));
    reply_json(reply, effect->status ? effect->status : 200, body);
    if (effect->status == 429 && effect->retry_after == -1)
        reply_header(reply, "retry-after", "1");
}

static int ws_accept_ticket(void *user, const struct request *req)
{
    return socket_accept(((struct slack *)user)->hub, req);
}

static void ws_opened(void *user, struct ws *ws, const struct request *req)
{
    socket_open(((struct slack *)user)->hub, ws, req);
}

static void ws_message(void *user, struct ws *ws, const char *text, size_t len, bool fragmented)
{
    socket_message(((struct slack *)user)->hub, ws, text, len, fragmented);
}

static void ws_closed(void *user, struct ws *ws)
{
    socket_closed(((struct slack *)user)->hub, ws);
}

static void make_tokens(struct slack *slack)
{
    char *app = id_random_hex(64), *bot = id_random_hex(24);

    slack->app_token =
        xasprintf("xapp-1-%s-%lld-%s", slack->ws.app_id, (long long)clock_wall_ms(), app);
    slack->bot_token = xasprintf("xoxb-%lld-%lld-%s", (long long)clock_wall_ms(),
                                 (long long)clock_wall_ms() + 7, bot);
    free(app);
    free(bot);
}

struct slack *slack_new(struct shell *shell, const cJSON *world_slack, int port, struct error *err)
{
    static const struct service_ops ops = {
        .name = "slack",
        .handle = handle,
        .refuse = refuse,
        .ws_accept = ws_accept_ticket,
        .ws_open = ws_opened,
        .ws_message = ws_message,
        .ws_closed = ws_closed,
    };
    struct slack *slack = xcalloc(1, sizeof(*slack));

    slack->shell = shell;
    workspace_init(&slack->ws, world_slack);
    make_tokens(slack);
    slack->scopes = xstrdup(all_scopes);
    slack->socket_mode_enabled = true;
    slack->post_burst = POST_BURST;
    slack->calls = cJSON_CreateArray();
    slack->notes = cJSON_CreateArray();
    slack->hub = socket_hub_new(slack);
    slack->hooks = hooks_new();
    slack->files = files_new();
    slack->views = views_new();
    slack->streams = streams_new();
    slack->service = shell_listen(shell, &ops, slack, port, err);
    if (!slack->service) {
        slack_free(slack);
        return NULL;
    }
    return slack;
}

void slack_free(struct slack *slack)
{
    if (!slack)
        return;
    socket_hub_free(slack->hub);
    hooks_free(slack->hooks);
    files_free(slack->files);
    views_free(slack->views);
    streams_free(slack->streams);
    workspace_clear(&slack->ws);
    limits_clear(&slack->limits);
    free(slack->app_token);
    free(slack->bot_token);
    free(slack->app_token_error);
    free(slack->refused_blocks);
    free(slack->bot_token_error);
    free(slack->scopes);
    cJSON_Delete(slack->calls);
    cJSON_Delete(slack->notes);
    free(slack);
}

void slack_reset(struct slack *slack)
{
    workspace_forget_messages(&slack->ws);
    limits_clear(&slack->limits);
    cJSON_Delete(slack->calls);
    cJSON_Delete(slack->notes);
    slack->calls = cJSON_CreateArray();
    slack->notes = cJSON_CreateArray();
    views_free(slack->views);
    streams_free(slack->streams);
    slack->views = views_new();
    slack->streams = streams_new();
}
