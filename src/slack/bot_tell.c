/* What one person alone is told. */
#include "bot_private.h"

#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/slack/webapi.h"

static void on_told(void *user, const struct webapi_reply *reply, const struct error *err)
{
    (void)user;
    if (reply->kind != WEBAPI_OK)
        LOG(WARN, "slack.tell", F_STR("code", reply->code), F_STR("why", error_text(err)));
}

static struct webapi_call *respond(struct bot *bot, const char *url, const char *text,
                                   struct error *err)
{
    cJSON *payload = cJSON_CreateObject();
    struct webapi_call *call;

    json_put_str(payload, "response_type", "ephemeral");
    json_put_bool(payload, "replace_original", false); /* the message with the button stays */
    json_put_str(payload, "text", text);
    call = webapi_respond(bot->api, url, payload, 0, on_told, NULL, err);
    cJSON_Delete(payload);
    return call;
}

static struct webapi_call *post_ephemeral(struct bot *bot, const struct audience *to,
                                          const char *text, struct error *err)
{
    cJSON *args = cJSON_CreateObject();
    struct webapi_request request = { .method = "chat.postEphemeral",
                                      .args = args,
                                      .done = on_told };
    struct webapi_call *call;

    json_put_str(args, "channel", to->channel);
    json_put_str(args, "user", to->user);
    json_put_str(args, "text", text);
    if (to->thread_ts)
        json_put_str(args, "thread_ts", to->thread_ts);
    call = webapi_start(bot->api, &request, err);
    cJSON_Delete(args);
    return call;
}

void bot_tell(struct bot *bot, const struct audience *to, const char *text)
{
    struct error err = ERROR_INIT;
    bool sent = true;

    if (to->response_url)
        sent = respond(bot, to->response_url, text, &err) != NULL;
    else if (to->channel && to->user)
        sent = post_ephemeral(bot, to, text, &err) != NULL;
    else
        LOG(DEBUG, "slack.tell", F_STR("nobody", "there is no way to reach the person"));
    if (!sent)
        LOG(WARN, "slack.tell", F_STR("why", error_text(&err)));
    error_clear(&err);
}
