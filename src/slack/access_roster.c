#include "access_roster.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/slack/webapi.h"

#define PER_PAGE 200
#define MAX_PAGES 20
#define CALL_MS (5 * SECOND_MS)
#define AGAIN_MS MINUTE_MS

struct access_roster {
    struct access_roster_options o;
    struct webapi_call *call; /* under way */
    int64_t not_before_ms;    /* monotonic */
    int pages;
};

static void ask_page(struct access_roster *r, const char *cursor);

static void on_page(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct access_roster *r = user;
    const char *cursor;

    r->call = NULL;
    if (reply->kind != WEBAPI_OK) {
        LOG(WARN, "access.roster", F_STR("code", reply->code), F_STR("why", error_text(err)),
            F_STR("effect", "channels are looked up one by one"));
        return;
    }
    for (const cJSON *c = json_items(reply->json, "channels"); c; c = c->next)
        r->o.on_channel(r->o.user, c);
    cursor = json_str(json_get(reply->json, "response_metadata"), "next_cursor");
    if (cursor && *cursor && ++r->pages < MAX_PAGES)
        ask_page(r, cursor);
    r->o.on_page(r->o.user);
}

static void ask_page(struct access_roster *r, const char *cursor)
{
    struct error err = ERROR_INIT;
    cJSON *args = cJSON_CreateObject();

    json_put_str(args, "types", "public_channel,private_channel");
    json_put_i64(args, "limit", PER_PAGE);
    if (cursor)
        json_put_str(args, "cursor", cursor);
    struct webapi_request request = { .method = "users.conversations",
                                      .args = args,
                                      .priority = WEBAPI_FINAL,
                                      .wait_ms = CALL_MS,
                                      .timeout_ms = CALL_MS,
                                      .done = on_page,
                                      .user = r };
    r->call = webapi_start(r->o.api, &request, &err);
    if (!r->call)
        LOG(WARN, "access.roster", F_STR("why", error_text(&err)));
    cJSON_Delete(args);
    error_clear(&err);
}

void access_roster_ask(struct access_roster *r)
{
    int64_t now = clock_mono_ms();

    if (r->call || now < r->not_before_ms)
        return;
    r->not_before_ms = now + AGAIN_MS;
    r->pages = 0;
    ask_page(r, NULL);
}

struct access_roster *access_roster_new(const struct access_roster_options *options)
{
    struct access_roster *r = xcalloc(1, sizeof(*r));

    r->o = *options;
    return r;
}

void access_roster_free(struct access_roster *r)
{
    if (!r)
        return;
    webapi_cancel(r->call);
    free(r);
}
