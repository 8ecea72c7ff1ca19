/*
 * The life of a call:
 *
 *   start -> WAITING (in its method's line) --its limits allow it--> SENT -> ENDED -> done
 *               ^                                                     |
 *               +------------- 429: the method pauses ----------------+
 */
#include "dbconn/slack/webapi.h"

#include <string.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/redact_json.h"
#include "dbconn/base/text.h"
#include "webapi_internal.h"

/* Our names for the lines of what goes to addresses that Slack hands out. */
#define RESPONSE_URL "response_url"
#define UPLOAD_URL "upload_url"

/* --- the end of a call --- */

static void call_free(struct webapi_call *call)
{
    struct webapi *api = call->line->api;

    if (call->state == WEBAPI_WAITING)
        line_remove(call);
    http_cancel(call->http);
    loop_timer_free(call->patience);
    if (call->all_prev)
        call->all_prev->all_next = call->all_next;
    else
        api->calls = call->all_next;
    if (call->all_next)
        call->all_next->all_prev = call->all_prev;
    free(call->url);
    free(call->channel);
    buf_clear(&call->body);
    reading_clear(&call->reading);
    free(call);
}

static void unlink_ended(struct webapi *api, struct webapi_call *call)
{
    struct webapi_call **slot = &api->ended;

    while (*slot && *slot != call)
        slot = &(*slot)->next_ended;
    if (!*slot)
        return;
    *slot = call->next_ended;
    if (!*slot)
        api->ended_tail = slot;
}

static void release(struct webapi *api);

static void deliver(void *user)
{
    struct webapi *api = user;

    if (api->delivering)
        return;
    api->delivering = true;
    while (api->ended && !api->closing) {
        struct webapi_call *call = api->ended;
        const struct error *err = call->reading.err.code != ERR_NONE ? &call->reading.err : NULL;

        unlink_ended(api, call);
        call->done(call->user, &call->reading.reply, err);
        call_free(call);
    }
    api->delivering = false;
    if (api->closing)
        release(api);
}

/* Remembers whether Slack still knows the token that was shown. */
static void note_word(struct webapi_call *call)
{
    struct webapi *api = call->line->api;
    const struct webapi_reply *reply = &call->reading.reply;
    bool of_app = text_same(call->line->method, "apps.connections.open");

    if (call->url || (reply->kind != WEBAPI_OK && !*reply->code))
        return; /* no token, or no word of Slack's */
    *(of_app ? &api->app_refused : &api->bot_refused) =
        reply->kind == WEBAPI_AUTH && !text_same(reply->code, "missing_scope");
    api->stats.answered = true;
    api->stats.unauthorized = api->app_refused || api->bot_refused;
}

/* call->reading is filled. `done` runs from deliver(). */
static void call_end(struct webapi_call *call)
{
    struct webapi *api = call->line->api;

    if (call->patience)
        loop_timer_stop(call->patience);
    if (call->reading.reply.kind != WEBAPI_OK)
        api->stats.failures++;
    note_word(call);
    call->state = WEBAPI_ENDED;
    call->next_ended = NULL;
    *api->ended_tail = call;
    api->ended_tail = &call->next_ended;
    loop_timer_start(api->deliver, 0);
}

static void end_unsent(struct webapi_call *call, const struct error *why)
{
    webapi_read(call->line->method, call->line->info, NULL, why, false, &call->reading);
    call_end(call);
}

/* From now on the call waits, for no longer than it was told to. */
static void be_patient(struct webapi_call *call)
{
    if (call->patience)
        loop_timer_start(call->patience, call->patient_until_ms - clock_mono_ms());
}

/* --- sending --- */

static void pump(struct line *line);

static void on_reply(void *user, const struct http_reply *reply, const struct error *err)
{
    struct webapi_call *call = user;
    struct line *line = call->line;
    bool sent = err && http_call_sent(call->http);

    call->http = NULL;
    if (call->url)
        webapi_read_address(line->method, reply, err, sent, &call->reading);
    else
        webapi_read(line->method, line->info, reply, err, sent, &call->reading);
    int64_t wait = call->reading.retry_after_ms;
    if (!wait) {
        call_end(call);
        deliver(line->api); /* last statement: the client may be gone */
        return;
    }
    line->api->stats.limited++;
    line->paused_until_ms = clock_mono_ms() + wait;
    LOG(WARN, "slack.rate_limited", F_STR("method", line->method), F_INT("wait_ms", wait));
    reading_clear(&call->reading);
    line_insert(call); /* its number puts it where it was */
    be_patient(call);
    pump(line);
}

static bool may_send(void *user)
{
    const struct webapi_call *call = user;

    return !call->may_send || call->may_send(call->user);
}

static const char *auth_of(const struct webapi *api, const struct method_info *info)
{
    return info->app_token ? api->app_auth : api->bot_auth;
}

static const char *type_of(const struct webapi_call *call)
{
    if (call->url)
        return text_same(call->line->method, UPLOAD_URL)
                   ? "Content-Type: application/octet-stream"
                   : "Content-Type: application/json; charset=utf-8";
    return call->line->info->form ? "Content-Type: application/x-www-form-urlencoded"
                                  : "Content-Type: application/json; charset=utf-8";
}

static void send_call(struct webapi_call *call)
{
    struct line *line = call->line;
    struct webapi *api = line->api;
    char *url = call->url ? xstrdup(call->url) : xasprintf("%s%s", api->url, line->method);
    struct error err = ERROR_INIT;
    const char *headers[3] = {
        type_of(call),
        call->url ? NULL : auth_of(api, line->info), /* the address is the permission */
        NULL,
    };
    const struct http_request request = {
        .service = api->service,
        .method = "POST",
        .url = url,
        .headers = headers,
        .body = call->body.len ? buf_str(&call->body) : NULL,
        .body_len = call->body.len,
        .timeout_ms = call->timeout_ms,
        .budget_ms = 2 * call->timeout_ms,
        .max_bytes = (size_t)4 * 1024 * 1024,
        .idempotent = line->info->repeatable && !call->url,
        .owner = call->owner,
        .may_send = may_send,
        .done = on_reply,
        .user = call,
    };

    call->state = WEBAPI_SENT;
    if (call->patience)
        loop_timer_stop(call->patience);
    api->stats.calls++;
    call->http = http_start(api->http, &request, &err);
    if (!call->http)
        end_unsent(call, &err);
    error_clear(&err);
    free(url);
}

/* Sends what the limits allow now and comes back for the rest. */
static void pump(struct line *line)
{
    int64_t now = clock_mono_ms(), soonest = INT64_MAX;
    struct webapi_call *call = line->first, *next;

    if (line->paused_until_ms > now) {
        loop_timer_start(line->wake, line->paused_until_ms - now);
        return;
    }
    for (; call; call = next) {
        struct bucket *channel = line_channel(line, call, now);
        int64_t wait = channel ? bucket_wait_ms(channel, now) : 0;

        if (channel && wait == 0 && line_gives_way(line, call, now))
            wait = SECOND_MS;
        next = call->next;
        if (wait > 0) { /* others may go to their channels meanwhile */
            soonest = wait < soonest ? wait : soonest;
            continue;
        }
        wait = bucket_wait_ms(&line->bucket, now);
        if (wait > 0) {
            soonest = wait;
            break;
        }
        (void)bucket_take(&line->bucket, now);
        if (channel)
            (void)bucket_take(channel, now);
        line_remove(call);
        send_call(call);
    }
    if (line->first)
        loop_timer_start(line->wake, soonest);
}

static void on_wake(void *user)
{
    pump(user);
}

static void on_patience(void *user)
{
    struct webapi_call *call = user;
    struct error why = ERROR_INIT;
    int64_t pause = call->line->paused_until_ms - clock_mono_ms();

    error_set(&why, ERR_RATE_LIMITED, "its turn has not come in time, %zu calls wait",
              call->line->api->stats.waiting);
    why.retry_after_ms = pause > 0 ? pause : 0;
    line_remove(call);
    end_unsent(call, &why);
    error_clear(&why);
}

/* --- the public face --- */

/* Slack's limits are ours to watch, method by method; the HTTP client must not pause the rest. */
static int64_t no_limit(const struct http_reply *reply, int64_t now_wall_ms)
{
    (void)reply;
    (void)now_wall_ms;
    return -1;
}

static char *auth_line(const char *token)
{
    return token && *token ? xconcat_secret("Authorization: Bearer ", token) : NULL;
}

int webapi_new(uv_loop_t *loop, struct http *http, const struct webapi_options *options,
               struct webapi **ret, struct error *err)
{
    const struct http_service_options service = {
        .name = "slack", .title = "Slack", .max_in_flight = 16, .limit = no_limit
    };
    const char *url = options->api_url;

    if (!url || !*url)
        return error_set(err, ERR_CONFIG, "the address of Slack's Web API is not set");
    struct webapi *api = xcalloc(1, sizeof(*api));
    api->loop = loop;
    api->http = http;
    api->service = http_service(http, &service);
    api->url = xasprintf(url[strlen(url) - 1] == '/' ? "%s" : "%s/", url);
    api->bot_auth = auth_line(options->bot_token);
    api->app_auth = auth_line(options->app_token);
    api->updates_per_minute = options->updates_per_minute > 0 ? options->updates_per_minute : 45;
    api->posts_burst = options->posts_burst > 0 ? options->posts_burst : 3;
    api->ended_tail = &api->ended;
    api->deliver = loop_timer_new(loop, deliver, api);
    *ret = api;
    return 0;
}

static void free_secret(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

static void release(struct webapi *api)
{
    while (api->calls)
        call_free(api->calls);
    while (api->lines) {
        struct line *next = api->lines->next;
        line_free(api->lines);
        api->lines = next;
    }
    for (size_t i = 0; i < api->n_channels; i++)
        free(api->channels[i].id);
    free(api->channels);
    loop_timer_free(api->deliver);
    free_secret(api->bot_auth);
    free_secret(api->app_auth);
    free(api->url);
    free(api);
}

void webapi_free(struct webapi *api)
{
    if (!api)
        return;
    api->closing = true;
    if (!api->delivering) /* else deliver() does it */
        release(api);
}

static struct webapi_call *call_new(struct line *line, uint64_t owner, webapi_done_fn *done,
                                    void *user)
{
    struct webapi *api = line->api;
    struct webapi_call *call = xcalloc(1, sizeof(*call));

    call->line = line;
    call->number = ++api->last_number;
    call->owner = owner;
    call->done = done;
    call->user = user;
    call->timeout_ms = 15 * SECOND_MS;
    call->reading.reply.code = "";
    call->all_next = api->calls;
    if (api->calls)
        api->calls->all_prev = call;
    api->calls = call;
    return call;
}

static void take_args(struct webapi_call *call, const cJSON *args)
{
    cJSON *safe = cJSON_Duplicate(args, true);

    redact_json(safe);
    buf_reset(&call->body);
    webapi_write_body(call->line->info, safe, &call->body);
    cJSON_Delete(safe);
    xreplace(&call->channel, json_str_or(args, "channel_id", json_str(args, "channel")));
}

struct webapi_call *webapi_start(struct webapi *api, const struct webapi_request *request,
                                 struct error *err)
{
    const struct method_info *info = method_info(request->method);

    if (!auth_of(api, info)) {
        error_set(err, ERR_CONFIG, "no Slack %s token is set, which %s needs",
                  info->app_token ? "app-level (xapp-)" : "bot (xoxb-)", request->method);
        return NULL;
    }
    struct line *line = line_need(api, request->method, on_wake);
    struct webapi_call *call = call_new(line, request->owner, request->done, request->user);
    call->priority = request->priority;
    call->may_send = request->may_send;
    if (request->timeout_ms > 0)
        call->timeout_ms = request->timeout_ms;
    take_args(call, request->args);
    if (request->wait_ms > 0) {
        call->patience = loop_timer_new(api->loop, on_patience, call);
        call->patient_until_ms = clock_mono_ms() + request->wait_ms;
    }
    line_insert(call);
    be_patient(call);
    pump(line);
    return call;
}

void webapi_cancel(struct webapi_call *call)
{
    if (!call)
        return;
    if (call->state == WEBAPI_ENDED)
        unlink_ended(call->line->api, call);
    call_free(call);
}

bool webapi_replace(struct webapi_call *call, const cJSON *args, enum webapi_priority priority)
{
    if (call->state != WEBAPI_WAITING)
        return false;
    take_args(call, args);
    line_remove(call);
    call->priority = priority;
    line_insert(call);
    return true;
}

/* To an address of Slack's. The line's limits apply, no token is sent. */
static struct webapi_call *start_at(struct webapi *api, const char *name, const char *url,
                                    const void *body, size_t len, uint64_t owner,
                                    webapi_done_fn *done, void *user, struct error *err)
{
    if (http_check(api->http, api->service, url, err) < 0)
        return NULL;
    struct line *line = line_need(api, name, on_wake);
    struct webapi_call *call = call_new(line, owner, done, user);

    call->url = xstrdup(url);
    buf_add(&call->body, body, len);
    line_insert(call);
    pump(line);
    return call;
}

struct webapi_call *webapi_respond(struct webapi *api, const char *response_url,
                                   const cJSON *payload, uint64_t owner, webapi_done_fn *done,
                                   void *user, struct error *err)
{
    char *text = json_print(payload);
    struct webapi_call *call =
        start_at(api, RESPONSE_URL, response_url, text, strlen(text), owner, done, user, err);

    free(text);
    return call;
}

struct webapi_call *webapi_upload(struct webapi *api, const char *upload_url,
                                  const struct buf *file, uint64_t owner, webapi_done_fn *done,
                                  void *user, struct error *err)
{
    return start_at(api, UPLOAD_URL, upload_url, buf_str(file), file->len, owner, done, user, err);
}

void webapi_stats(const struct webapi *api, struct webapi_stats *ret)
{
    *ret = api->stats;
}
