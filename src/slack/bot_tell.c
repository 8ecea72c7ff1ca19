/*
 * What one person alone is told: by the response_url (no token, five times in half an hour), else
 * as an ephemeral message, else, when it matters, as a direct message. A way that fails leads to
 * the next one, also when the text may have arrived: told twice does less harm than not at all.
 */
#include "bot_private.h"

#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"
#include "dbconn/slack/webapi.h"

enum way { BY_ADDRESS, BY_EPHEMERAL, BY_MESSAGE, WAYS };

struct telling {
    struct bot *bot;
    char *response_url, *channel, *user, *thread_ts, *text;
    bool matters;
    enum way way;
    struct webapi_call *call;
    struct telling *prev, *next;
};

static void telling_free(struct telling *t)
{
    if (t->prev)
        t->prev->next = t->next;
    else
        t->bot->tellings = t->next;
    if (t->next)
        t->next->prev = t->prev;
    webapi_cancel(t->call);
    free(t->response_url);
    free(t->channel);
    free(t->user);
    free(t->thread_ts);
    free(t->text);
    free(t);
}

void tellings_free(struct bot *bot)
{
    while (bot->tellings)
        telling_free(bot->tellings);
}

static void on_told(void *user, const struct webapi_reply *reply, const struct error *err);

static struct webapi_call *respond(struct telling *t, struct error *err)
{
    cJSON *payload = cJSON_CreateObject();
    struct webapi_call *call;

    json_put_str(payload, "response_type", "ephemeral");
    json_put_bool(payload, "replace_original", false); /* the message with the button stays */
    json_put_str(payload, "text", t->text);
    call = webapi_respond(t->bot->api, t->response_url, payload, 0, on_told, t, err);
    cJSON_Delete(payload);
    return call;
}

/* "#incidents: ...", since a direct message stands elsewhere. */
static void put_text_with_place(const struct telling *t, cJSON *args)
{
    size_t id = t->channel ? strspn(t->channel, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") : 0;
    bool known = id > 0 && t->channel[id] == '\0';
    char *text = known ? xasprintf("<#%s>: %s", t->channel, t->text) : xstrdup(t->text);

    json_put_str(args, "text", text);
    free(text);
}

/* To a person by id: "chat.postMessage" opens the direct message itself (docs.slack.dev,
 * chat.postMessage, "Channels"). */
static struct webapi_call *post(struct telling *t, struct error *err)
{
    bool alone = t->way == BY_EPHEMERAL;
    cJSON *args = cJSON_CreateObject();
    struct webapi_request request = { .method = alone ? "chat.postEphemeral" : "chat.postMessage",
                                      .args = args,
                                      .done = on_told,
                                      .user = t };
    struct webapi_call *call;

    json_put_str(args, "channel", alone ? t->channel : t->user);
    if (alone) {
        json_put_str(args, "text", t->text);
        json_put_str(args, "user", t->user);
        json_put_str(args, "thread_ts", t->thread_ts);
    } else {
        put_text_with_place(t, args);
    }
    call = webapi_start(t->bot->api, &request, err);
    cJSON_Delete(args);
    return call;
}

static bool is_there(const struct telling *t)
{
    switch (t->way) {
    case BY_ADDRESS:
        return t->response_url;
    case BY_EPHEMERAL:
        return t->channel && t->user;
    case BY_MESSAGE:
        return t->matters && t->user;
    case WAYS:
        break;
    }
    return false;
}

/* By the first way from `t->way` on; gives up behind the last. */
static void tell(struct telling *t)
{
    for (; t->way < WAYS; t->way++) {
        struct error err = ERROR_INIT;
        if (!is_there(t))
            continue;
        t->call = t->way == BY_ADDRESS ? respond(t, &err) : post(t, &err);
        if (!t->call)
            LOG(WARN, "slack.tell", F_STR("why", error_text(&err)));
        error_clear(&err);
        if (t->call)
            return;
    }
    telling_free(t);
}

static void on_told(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct telling *t = user;
    bool no_token = reply->kind == WEBAPI_AUTH && t->way != BY_ADDRESS;

    t->call = NULL;
    if (reply->kind == WEBAPI_OK) {
        telling_free(t);
        return;
    }
    LOG(WARN, "slack.tell", F_STR("code", reply->code), F_STR("why", error_text(err)));
    t->way = no_token ? WAYS : t->way + 1;
    tell(t);
}

void bot_tell(struct bot *bot, const struct audience *to, const char *text)
{
    struct telling *t = xcalloc(1, sizeof(*t));

    t->bot = bot;
    t->response_url = xstrdup(to->response_url);
    t->channel = xstrdup(to->channel);
    t->user = xstrdup(to->user);
    t->thread_ts = xstrdup(to->thread_ts);
    t->text = xstrdup(text);
    t->matters = to->matters;
    t->next = bot->tellings;
    if (t->next)
        t->next->prev = t;
    bot->tellings = t;
    if (!t->response_url && !t->user)
        LOG(DEBUG, "slack.tell", F_STR("nobody", "there is no way to reach the person"));
    tell(t);
}
