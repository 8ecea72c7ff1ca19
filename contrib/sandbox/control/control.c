#include "control/control.h"

#include "dbconn/base/text.h"
#include "slack/answers.h"
#include "slack/files.h"
#include "slack/people.h"
#include "slack/show.h"
#include "slack/socket.h"
#include "slack/streams.h"
#include "slack/views.h"

/* One request to the control port. Handlers answer with a tree, or write the reply themselves. */
struct visit {
    struct control *control;
    struct slack *slack;
    const struct request *req;
    struct reply *reply;
    const cJSON *body; /* the request's JSON, an empty object without one */
    struct error *err;
};

typedef cJSON *visit_fn(struct visit *v);

static cJSON *ok(void)
{
    cJSON *out = cJSON_CreateObject();

    json_put_bool(out, "ok", true);
    return out;
}

static int64_t i64_or(const cJSON *obj, const char *key, int64_t fallback)
{
    int64_t value = fallback;

    (void)json_i64(obj, key, &value);
    return value;
}

static bool is_set(const cJSON *obj, const char *key)
{
    bool value = false;

    return json_bool(obj, key, &value) && value;
}

/* ---- what people do ---- */

static cJSON *do_command(struct visit *v)
{
    return people_command(v->slack, v->body, v->err);
}

static cJSON *do_click(struct visit *v)
{
    return people_click(v->slack, v->body, v->err);
}

static cJSON *do_mention(struct visit *v)
{
    return people_mention(v->slack, v->body, v->err);
}

static cJSON *do_message(struct visit *v)
{
    return people_message(v->slack, v->body, v->err);
}

static cJSON *do_shortcut(struct visit *v)
{
    return people_shortcut(v->slack, v->body, v->err);
}

static cJSON *do_submit(struct visit *v)
{
    return people_submit(v->slack, v->body, v->err);
}

static cJSON *do_close(struct visit *v)
{
    return people_close_view(v->slack, v->body, v->err);
}

static cJSON *do_home(struct visit *v)
{
    return people_open_home(v->slack, v->body, v->err);
}

static cJSON *do_link(struct visit *v)
{
    return people_link(v->slack, v->body, v->err);
}

static cJSON *do_stop_stream(struct visit *v)
{
    cJSON *out = cJSON_CreateObject();

    json_put_bool(
        out, "ok",
        streams_stop_by_user(v->slack, json_str(v->body, "channel"), json_str(v->body, "ts")));
    return out;
}

/* ---- the socket ---- */

static cJSON *count_reply(int n)
{
    cJSON *out = cJSON_CreateObject();

    json_put_i64(out, "connections", n);
    return out;
}

static cJSON *do_disconnect(struct visit *v)
{
    return count_reply(socket_disconnect(v->slack->hub, i64_or(v->body, "connection", 0),
                                         json_str_or(v->body, "reason", "refresh_requested"),
                                         i64_or(v->body, "close_after_ms", 200)));
}

static cJSON *do_refresh(struct visit *v)
{
    return count_reply(socket_refresh(v->slack->hub, i64_or(v->body, "connection", 0),
                                      i64_or(v->body, "delay_ms", 500)));
}

static cJSON *do_raw(struct visit *v)
{
    return count_reply(socket_send_raw(v->slack->hub, i64_or(v->body, "connection", 0),
                                       json_str_or(v->body, "text", "")));
}

static cJSON *do_redeliver(struct visit *v)
{
    const char *id = json_str_or(v->body, "envelope_id", "");

    if (socket_redeliver(v->slack->hub, id, is_set(v->body, "new_id")))
        return ok();
    (void)error_set(v->err, ERR_INVALID, "no envelope %s, or no connection", id);
    return NULL;
}

static cJSON *see_sockets(struct visit *v)
{
    return socket_connections(v->slack->hub);
}

static cJSON *see_envelopes(struct visit *v)
{
    return socket_envelopes(v->slack->hub, params_get(&v->req->query, "id"));
}

/* ---- what can be seen ---- */

static struct channel *asked_channel(struct visit *v)
{
    const char *id = params_get_or(&v->req->query, "channel", "C0INCIDENT");
    struct channel *channel = workspace_channel(&v->slack->ws, id);

    if (!channel)
        (void)error_set(v->err, ERR_INVALID, "there is no channel %s", id);
    return channel;
}

static struct show_options asked_options(struct visit *v)
{
    return (struct show_options){
        .user = params_get(&v->req->query, "user"),
        .times = strcmp(params_get_or(&v->req->query, "times", "1"), "0") != 0,
    };
}

static cJSON *see_transcript(struct visit *v)
{
    struct channel *channel = asked_channel(v);
    struct show_options options = asked_options(v);
    struct buf out = BUF_INIT;

    if (!channel)
        return NULL;
    show_channel(&v->slack->ws, channel, &options, &out);
    reply_text(v->reply, 200, "text/plain; charset=utf-8", buf_str(&out));
    buf_clear(&out);
    return NULL;
}

static cJSON *see_page(struct visit *v)
{
    struct channel *channel = asked_channel(v);
    struct buf out = BUF_INIT;

    if (!channel)
        return NULL;
    show_page(&v->slack->ws, channel, "/click", &out);
    reply_text(v->reply, 200, "text/html; charset=utf-8", buf_str(&out));
    buf_clear(&out);
    return NULL;
}

static bool has_line(const char *text, const char *line, size_t len)
{
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "\n");
        if (n == len && memcmp(p, line, n) == 0)
            return true;
        p += n + (p[n] == '\n');
    }
    return false;
}

/* The lines of `now` that `before` did not have. */
static void add_new_lines(const char *before, const char *now, const char *indent, struct buf *out)
{
    while (*now) {
        size_t n = strcspn(now, "\n");
        if (n > 0 && !has_line(before, now, n)) {
            buf_adds(out, indent);
            buf_add(out, now, n);
            buf_addc(out, '\n');
        }
        now += n + (now[n] == '\n');
    }
}

/* What changed since the last time somebody asked: whole messages, and changed lines of edits. */
static cJSON *see_news(struct visit *v)
{
    struct channel *channel = asked_channel(v);
    struct show_options options = asked_options(v);
    struct buf out = BUF_INIT;

    if (!channel)
        return NULL;
    for (size_t i = 0; i < channel->n; i++) {
        const struct message *m = channel->messages[i];
        const char *before = json_str_or(v->control->shown, m->ts, "");
        struct buf now = BUF_INIT;
        show_message(&v->slack->ws, m, &options, &now);
        add_new_lines(before, buf_str(&now), m->thread_ts ? "    " : "", &out);
        cJSON_DeleteItemFromObjectCaseSensitive(v->control->shown, m->ts);
        json_put_str(v->control->shown, m->ts, buf_str(&now));
        buf_clear(&now);
    }
    reply_text(v->reply, 200, "text/plain; charset=utf-8", buf_str(&out));
    buf_clear(&out);
    return NULL;
}

static cJSON *channel_state(struct slack *slack, const struct channel *channel)
{
    cJSON *out = channel_json(&slack->ws, channel);
    cJSON *messages = json_put_array(out, "messages");

    for (size_t i = 0; i < channel->n; i++) {
        const struct message *m = channel->messages[i];
        cJSON *one;
        if (m->deleted)
            continue;
        one = message_json(&slack->ws, channel, m, true);
        json_put_i64(one, "edits", m->edits);
        json_put_str(one, "shown_to", m->shown_to);
        json_put_bool(one, "streaming", m->streaming);
        json_put_bool(one, "broadcast", m->broadcast);
        cJSON_AddItemToArray(messages, one);
    }
    return out;
}

static cJSON *see_state(struct visit *v)
{
    cJSON *out, *channels;

    if (params_has(&v->req->query, "channel")) {
        struct channel *channel = asked_channel(v);
        return channel ? channel_state(v->slack, channel) : NULL;
    }
    out = cJSON_CreateObject();
    channels = json_put_array(out, "channels");
    for (size_t i = 0; i < v->slack->ws.n_channels; i++)
        cJSON_AddItemToArray(channels, channel_state(v->slack, v->slack->ws.channels[i]));
    cJSON_AddItemToObject(out, "views", views_list(v->slack->views));
    cJSON_AddItemToObject(out, "files", files_list(v->slack->files));
    return out;
}

static cJSON *see_views(struct visit *v)
{
    return views_list(v->slack->views);
}

static cJSON *see_calls(struct visit *v)
{
    const char *method = params_get(&v->req->query, "method");
    const char *channel = params_get(&v->req->query, "channel");
    int64_t since = params_i64(&v->req->query, "since", 0);
    cJSON *out = cJSON_CreateArray();

    for (const cJSON *c = json_first(v->slack->calls); c; c = c->next) {
        if (i64_or(c, "seq", 0) <= since || (method && !text_same(json_str(c, "method"), method)) ||
            (channel && !text_same(json_str(json_get(c, "args"), "channel"), channel)))
            continue;
        cJSON_AddItemToArray(out, cJSON_Duplicate(c, true));
    }
    return out;
}

static cJSON *see_notes(struct visit *v)
{
    return cJSON_Duplicate(v->slack->notes, true);
}

static cJSON *see_log(struct visit *v)
{
    return journal_entries(shell_journal(v->control->shell), params_get(&v->req->query, "service"),
                           params_i64(&v->req->query, "since", 0));
}

/* Counts of everything, for tests that wait for something to happen. */
static cJSON *see_counts(struct visit *v)
{
    cJSON *out = journal_counts(shell_journal(v->control->shell));
    cJSON *socket = json_put_object(out, "socket"), *calls = json_put_object(out, "calls");
    cJSON *list = socket_connections(v->slack->hub);

    json_put_i64(socket, "connections", cJSON_GetArraySize(list));
    json_put_i64(socket, "waiting", socket_waiting(v->slack->hub));
    cJSON_Delete(list);
    json_put_i64(calls, "total", v->slack->calls_seen);
    json_put_i64(calls, "notes", cJSON_GetArraySize(v->slack->notes));
    return out;
}

static cJSON *see_env(struct visit *v)
{
    return cJSON_Duplicate(v->control->start, true);
}

static cJSON *see_file(struct visit *v)
{
    const char *name = NULL, *id = params_get_or(&v->req->query, "id", "");
    const struct buf *bytes = files_bytes(v->slack->files, id, &name);

    if (!bytes) {
        (void)error_set(v->err, ERR_INVALID, "no uploaded file %s", id);
        return NULL;
    }
    reply_text(v->reply, 200,
               text_icontains(name, ".png") ? "image/png" : "application/octet-stream", "");
    buf_add(&v->reply->body, buf_str(bytes), bytes->len);
    return NULL;
}

/* ---- how it behaves ---- */

/* What the scenario says goes wrong with this service, and then what is asked for. */
static cJSON *all_faults(const struct control *control, const char *name, const cJSON *asked)
{
    const cJSON *status = json_path(control->world->tree, name, "status", NULL);
    cJSON *out = cJSON_CreateArray();

    if (cJSON_IsNumber(status)) {
        cJSON *one = cJSON_CreateObject();
        json_put_i64(one, "status", (int64_t)status->valuedouble);
        cJSON_AddItemToArray(out, one);
    }
    for (const cJSON *f = cJSON_IsArray(asked) ? asked->child : asked; f;
         f = cJSON_IsArray(asked) ? f->next : NULL)
        cJSON_AddItemToArray(out, cJSON_Duplicate(f, true));
    return out;
}

int control_set_faults(struct control *control, const cJSON *by_service, struct error *err)
{
    for (const cJSON *m = by_service ? by_service->child : NULL; m; m = m->next) {
        bool known = false;
        for (size_t i = 0; i < control->n_backends; i++)
            known |= strcmp(control->backends[i].name, m->string) == 0;
        if (!known)
            return error_set(err, ERR_INVALID, "there is no service \"%s\"", m->string);
    }
    for (size_t i = 0; i < control->n_backends; i++) {
        const struct backend *backend = &control->backends[i];
        cJSON *list = all_faults(control, backend->name, json_get(by_service, backend->name));
        int rc = faults_set(service_faults(backend->service), list, err);
        cJSON_Delete(list);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static cJSON *do_faults(struct visit *v)
{
    return control_set_faults(v->control, v->body, v->err) < 0 ? NULL : ok();
}

static cJSON *do_limits(struct visit *v)
{
    bool lifted;

    if (json_bool(v->body, "lifted", &lifted))
        v->slack->limits.lifted = lifted;
    v->slack->post_burst = i64_or(v->body, "post_burst", v->slack->post_burst);
    return ok();
}

/* Tokens that stop working, scopes that were not granted, channels that change. */
static cJSON *do_config(struct visit *v)
{
    struct slack *slack = v->slack;

    if (cJSON_GetObjectItemCaseSensitive(v->body, "bot_token_error"))
        xreplace(&slack->bot_token_error, json_str(v->body, "bot_token_error"));
    if (cJSON_GetObjectItemCaseSensitive(v->body, "app_token_error"))
        xreplace(&slack->app_token_error, json_str(v->body, "app_token_error"));
    if (json_str(v->body, "scopes"))
        xreplace(&slack->scopes, json_str(v->body, "scopes"));
    if (cJSON_GetObjectItemCaseSensitive(v->body, "refused_blocks"))
        xreplace(&slack->refused_blocks, json_str(v->body, "refused_blocks"));
    (void)json_bool(v->body, "socket_mode_enabled", &slack->socket_mode_enabled);
    if (json_get(v->body, "channel"))
        (void)workspace_put_channel(&slack->ws, json_get(v->body, "channel"));
    if (json_get(v->body, "group"))
        workspace_put_group(&slack->ws, json_get(v->body, "group"));
    if (json_get(v->body, "ping_ms"))
        socket_set_ping(slack->hub, i64_or(v->body, "ping_ms", 0));
    if (json_get(v->body, "stream_life_ms"))
        streams_set_life(slack->streams, i64_or(v->body, "stream_life_ms", 0));
    return ok();
}

static cJSON *do_reset(struct visit *v)
{
    slack_reset(v->slack);
    journal_reset(shell_journal(v->control->shell));
    cJSON_Delete(v->control->shown);
    v->control->shown = cJSON_CreateObject();
    return ok();
}

static visit_fn see_index;

static const struct {
    const char *method, *path;
    visit_fn *run;
    const char *help;
} routes[] = {
    { "GET", "/", see_index, "this list" },
    { "GET", "/env", see_env, "the line printed at the start" },
    { "POST", "/command", do_command, "type a slash command: text, command, channel, user" },
    { "POST", "/click", do_click, "press a button: channel, ts, action_id, value, user, view_id" },
    { "POST", "/mention", do_mention, "mention the bot: channel, text, user, thread_ts" },
    { "POST", "/message", do_message, "write: channel, text, user, bot_id, attachments, blocks" },
    { "POST", "/shortcut", do_shortcut, "a message shortcut: callback_id, channel, ts, user" },
    { "POST", "/link", do_link, "share a link: channel, text, domain, url, user" },
    { "POST", "/submit", do_submit, "submit a modal: view_id, values" },
    { "POST", "/close", do_close, "close a modal: view_id" },
    { "POST", "/home", do_home, "open the Home tab: user" },
    { "POST", "/stop_stream", do_stop_stream, "the reader stops a stream: channel, ts" },
    { "POST", "/disconnect", do_disconnect, "reason, connection, close_after_ms" },
    { "POST", "/refresh", do_refresh, "a whole renewal: connection, delay_ms" },
    { "POST", "/redeliver", do_redeliver, "deliver again: envelope_id, new_id" },
    { "POST", "/raw", do_raw, "a frame as it stands: text, connection" },
    { "GET", "/sockets", see_sockets, "open connections" },
    { "GET", "/envelopes", see_envelopes, "delivered envelopes: ?id=" },
    { "GET", "/transcript", see_transcript, "the channel as text: ?channel= &user= &times=0" },
    { "GET", "/news", see_news, "what changed since the last /news: ?channel=" },
    { "GET", "/thread.html", see_page, "the channel as a page: ?channel=" },
    { "GET", "/state", see_state, "everything as JSON: ?channel=" },
    { "GET", "/views", see_views, "open modals and Home tabs" },
    { "GET", "/file", see_file, "the bytes of an upload: ?id=" },
    { "GET", "/calls", see_calls, "recorded calls: ?method= &channel= &since=" },
    { "GET", "/notes", see_notes, "what a careful client would not do" },
    { "GET", "/log", see_log, "requests to all services: ?service= &since=" },
    { "GET", "/counts", see_counts, "how many of what" },
    { "POST", "/faults", do_faults, "{service: [fault]}, replaces all" },
    { "POST", "/limits", do_limits, "rate limits: lifted, post_burst" },
    { "POST", "/config", do_config,
      "bot_token_error, app_token_error, scopes, socket_mode_enabled, channel, ping_ms, "
      "stream_life_ms" },
    { "POST", "/reset", do_reset, "messages, calls, log and counts away" },
};

static cJSON *see_index(struct visit *v)
{
    cJSON *out = cJSON_CreateObject();

    (void)v;
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        char *key = xasprintf("%s %s", routes[i].method, routes[i].path);
        json_put_str(out, key, routes[i].help);
        free(key);
    }
    return out;
}

static void run(struct visit *v, visit_fn *handler)
{
    cJSON *body = NULL, *out;
    const char *text = buf_str(&v->req->body);

    if (*text && json_parse(text, v->req->body.len, "the request", &body, v->err) < 0)
        return;
    if (!body)
        body = cJSON_CreateObject();
    v->body = body;
    out = handler(v);
    if (out)
        reply_json(v->reply, 200, out);
    cJSON_Delete(body);
}

static void reply_error(struct reply *reply, int status, const char *text)
{
    cJSON *out = cJSON_CreateObject();

    json_put_str(out, "error", text);
    reply_json(reply, status, out);
}

static void handle(void *user, const struct request *req, struct reply *reply)
{
    struct control *control = user;
    struct error err = ERROR_INIT;
    struct visit v = { control, control->slack, req, reply, NULL, &err };

    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (strcmp(routes[i].path, req->path) != 0 || strcmp(routes[i].method, req->method) != 0)
            continue;
        run(&v, routes[i].run);
        if (err.code != ERR_NONE)
            reply_error(reply, 400, error_text(&err));
        error_clear(&err);
        return;
    }
    reply_error(reply, 404, "no such path; GET / lists them");
}

static void refuse(void *user, const struct fault_effect *effect, struct reply *reply)
{
    (void)user;
    reply_error(reply, effect->status, "fault");
}

int control_listen(struct control *control, int port, struct error *err)
{
    static const struct service_ops ops = { .name = "control", .handle = handle, .refuse = refuse };

    control->shown = cJSON_CreateObject();
    control->service = shell_listen(control->shell, &ops, control, port, err);
    return control->service ? 0 : -1;
}

void control_clear(struct control *control)
{
    cJSON_Delete(control->start);
    cJSON_Delete(control->shown);
}
