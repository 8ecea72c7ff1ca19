/* Looking for a post whose outcome is not known: by its metadata, a picture by its file's name. */
#include "thread_sync_internal.h"

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define LOOK_PAGE 200

/* A stream carries no metadata before it is stopped; its cards carry the job's id. */
static bool is_stream_of(const cJSON *message, const char *job)
{
    const cJSON *block, *card;

    cJSON_ArrayForEach (block, json_get(message, "blocks"))
        cJSON_ArrayForEach (card, json_get(block, "tasks"))
            if (text_starts(json_str(card, "task_id"), job))
                return true;
    return false;
}

static const cJSON *find_part(const cJSON *messages, const char *job, const char *part)
{
    const cJSON *message;

    cJSON_ArrayForEach (message, messages) {
        const cJSON *payload = json_path(message, "metadata", "event_payload", NULL);
        if (text_same(json_str(payload, "job"), job) && text_same(json_str(payload, "part"), part))
            return message;
        if (text_same(part, part_name(PART_PLAN)) && is_stream_of(message, job))
            return message;
    }
    return NULL;
}

/* A message that holds the file of that name: the name has the job's id in it. */
static const cJSON *find_picture(const cJSON *messages, const char *name)
{
    const cJSON *message, *file;

    cJSON_ArrayForEach (message, messages)
        cJSON_ArrayForEach (file, json_get(message, "files"))
            if (text_same(json_str(file, "name"), name))
                return file;
    return NULL;
}

static void on_picture_found(struct part *p, const cJSON *file)
{
    xreplace(&p->sending, p->want.hash);
    part_record_sent(p, json_str(file, "id") ? json_str(file, "id") : "");
    part_forget_picture(p);
}

static void on_looked(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct part *p = user;
    const cJSON *found;

    p->slack_call = NULL;
    if (reply->kind == WEBAPI_TRANSIENT || reply->kind == WEBAPI_AMBIGUOUS) {
        part_retry_later(p);
        return;
    }
    if (reply->kind != WEBAPI_OK) {
        p->sync->blind = true; /* at most once: better missing than doubled */
        part_give_up(p, reply->code, err);
        return;
    }
    found = p->want.picture
                ? find_picture(json_get(reply->json, "messages"), p->want.picture->name)
                : find_part(json_get(reply->json, "messages"), p->sync->job, part_name(p->id));
    if (!found) {
        part_record_absent(p);
        return;
    }
    if (p->want.picture) {
        on_picture_found(p, found);
        return;
    }
    const char *hash = json_str(json_path(found, "metadata", "event_payload", NULL), "hash");
    xreplace(&p->sending, hash ? hash : "");
    part_record_sent(p, json_str(found, "ts"));
}

static cJSON *look_args(const struct part *p)
{
    const struct thread_sync *s = p->sync;
    cJSON *args = cJSON_CreateObject();
    char *oldest =
        xasprintf("%lld.000000", (long long)((p->lands_until_ms - 10 * MINUTE_MS) / 1000));

    json_put_str(args, "channel", s->channel);
    json_put_bool(args, "include_all_metadata", true);
    json_put_i64(args, "limit", LOOK_PAGE);
    if (!part_is_reply(p))
        json_put_str(args, "oldest", oldest);
    else
        json_put_str(args, "ts", s->thread_ts);
    free(oldest);
    return args;
}

void part_look(struct part *p)
{
    struct thread_sync *s = p->sync;
    struct error err = ERROR_INIT;
    int64_t wait = p->lands_until_ms - clock_wall_ms();

    if (wait > 0) {
        part_again_in(p, wait < POST_TIMEOUT_MS ? wait : POST_TIMEOUT_MS);
        return;
    }
    cJSON *args = look_args(p);
    struct webapi_request request = {
        .method = part_is_reply(p) ? "conversations.replies" : "conversations.history",
        .args = args,
        .owner = s->o.owner,
        .priority = WEBAPI_FINAL,
        .done = on_looked,
        .user = p,
    };
    p->slack_call = webapi_start(s->o.api, &request, &err);
    cJSON_Delete(args);
    if (!p->slack_call)
        part_give_up(p, "not_configured", &err);
    error_clear(&err);
}
