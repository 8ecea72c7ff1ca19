/* The App Home: what runs, what waits, what was found lately; for each person what they may know.
 */
#include "bot_request.h"

#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/slack/webapi.h"
#include "home_view.h"

#define JOBS_SHOWN 45

static void on_published(void *user, const struct webapi_reply *reply, const struct error *err)
{
    (void)user;
    if (reply->kind != WEBAPI_OK)
        LOG(WARN, "slack.home", F_STR("code", reply->code), F_STR("why", error_text(err)));
}

static void publish(struct request *r, const struct home_input *in)
{
    cJSON *args = cJSON_CreateObject();
    struct error err = ERROR_INIT;
    struct webapi_request request = { .method = "views.publish",
                                      .args = args,
                                      .done = on_published };

    json_put_str(args, "user_id", r->user);
    cJSON_AddItemToObject(args, "view", home_view(in));
    if (!webapi_start(r->bot->api, &request, &err))
        LOG(WARN, "slack.home", F_STR("why", error_text(&err)));
    cJSON_Delete(args);
    error_clear(&err);
}

void bot_home_tell(struct request *r, const char *text)
{
    publish(r, &(struct home_input){ .command = r->command, .note = text });
}

static void on_listed(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct request *r = user;
    struct reader reader = { .access = r->bot->o.access, .user = r->user };
    struct job_rows live = { 0 }, recent = { 0 };

    if (err) {
        request_answer(r, "My own storage does not work right now. Please come back in a minute.");
        return;
    }
    for (size_t i = 0; i < reply->jobs->n; i++) {
        const struct job_list one = { .items = &reply->jobs->items[i], .n = 1 };
        bool ended = job_state_is_final(one.items->state);
        job_rows_add(ended ? &recent : &live, &one, &reader, false);
    }
    publish(r, &(struct home_input){ .command = r->command, .live = &live, .recent = &recent });
    job_rows_clear(&live);
    job_rows_clear(&recent);
    request_end(r);
}

void bot_home_show(struct request *r)
{
    struct store_filter filter = { .workspace = r->team, .limit = JOBS_SHOWN };
    struct error err = ERROR_INIT;

    if (!queue_list(r->bot->queue, &filter, on_listed, r, &err))
        on_listed(r, NULL, &err);
    error_clear(&err);
}
