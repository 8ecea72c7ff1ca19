/* Posting and editing messages. */
#include "thread_sync_internal.h"

#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"

#define EDIT_SPACING_MS (3 * SECOND_MS)
#define UNKNOWN_TRIES 3

static cJSON *post_args(const struct part *p)
{
    const struct thread_sync *s = p->sync;
    cJSON *args = cJSON_CreateObject();

    json_put_str(args, "channel", s->channel);
    json_put_str(args, "text", p->want.text);
    if (p->want.blocks)
        cJSON_AddItemToObject(args, "blocks", cJSON_Duplicate(p->want.blocks, true));
    if (p->want.metadata)
        cJSON_AddItemToObject(args, "metadata", cJSON_Duplicate(p->want.metadata, true));
    json_put_bool(args, "unfurl_links", false);
    json_put_bool(args, "unfurl_media", false);
    if (p->state == POSTED) {
        json_put_str(args, "ts", p->ts);
    } else if (part_is_reply(p)) {
        json_put_str(args, "thread_ts", s->thread_ts);
        if (p->want.broadcast)
            json_put_bool(args, "reply_broadcast", true);
    }
    return args;
}

static bool refuses_blocks(const struct webapi_reply *reply)
{
    return text_starts(reply->code, "invalid_blocks") ||
           text_same(reply->code, "msg_blocks_too_long") ||
           text_same(reply->code, "invalid_arguments");
}

/* Slack's codes change without notice, and a box between answers for Slack now and then: what is
 * not known to be final is asked for a few times more. */
static bool may_pass(const struct part *p, const struct webapi_reply *reply)
{
    return reply->kind == WEBAPI_TRANSIENT ||
           (reply->kind == WEBAPI_REFUSED && p->tries < UNKNOWN_TRIES);
}

void part_refused(struct part *p, const struct webapi_reply *reply, const struct error *err)
{
    struct thread_sync *s = p->sync;
    bool with_blocks = cJSON_GetArraySize(p->want.blocks) > 0;

    if (may_pass(p, reply)) {
        part_retry_later(p);
    } else if (refuses_blocks(reply) && with_blocks) {
        LOG(WARN, "thread.blocks_refused", F_STR("job", s->job), F_STR("why", error_text(err)));
        s->refused[p->id] = true;
        part_again_in(p, RETRY_MS);
        sync_wake(s);
    } else {
        part_give_up(p, reply->code, err);
    }
}

static void on_posted(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct part *p = user;

    p->slack_call = NULL;
    if (reply->kind == WEBAPI_OK && json_str(reply->json, "ts")) {
        if (json_str(reply->json, "channel"))
            xreplace(&p->sync->channel, json_str(reply->json, "channel"));
        part_record_sent(p, json_str(reply->json, "ts"));
        return;
    }
    xreplace(&p->sending, NULL);
    if (reply->kind == WEBAPI_AMBIGUOUS || reply->kind == WEBAPI_OK) {
        part_record_unknown(p);
        return;
    }
    part_refused(p, reply, err);
    part_record_absent(p);
}

/* When many investigations wait for one channel: each says first that it is there, then what it
 * found; the details come after everybody's answer. */
static enum webapi_priority priority_of(const struct part *p)
{
    bool begins = p->id == PART_ROOT && p->state != POSTED;

    return begins || (p->want.settled && p->id != PART_DETAILS) ? WEBAPI_FINAL : WEBAPI_NORMAL;
}

static void send_part(struct part *p, const char *method, webapi_done_fn *done)
{
    struct thread_sync *s = p->sync;
    struct error err = ERROR_INIT;
    cJSON *args = post_args(p);
    struct webapi_request request = {
        .method = method,
        .args = args,
        .owner = s->o.owner,
        .priority = priority_of(p),
        .timeout_ms = POST_TIMEOUT_MS,
        .may_send = part_may_send,
        .done = done,
        .user = p,
    };

    xreplace(&p->sending, p->want.hash);
    p->slack_call = webapi_start(s->o.api, &request, &err);
    cJSON_Delete(args);
    if (!p->slack_call)
        part_give_up(p, "not_configured", &err);
    error_clear(&err);
}

static void send_post(struct part *p)
{
    send_part(p, "chat.postMessage", on_posted);
}

void part_post(struct part *p)
{
    part_intend(p, send_post);
}

/* ---- editing ---- */

/* An edit whose outcome is not known may land after the next one. What is sent meanwhile is shown
 * at once, but it counts only when it was sent again after that. */
static void expect_stray(struct part *p)
{
    p->strays_until_ms = clock_wall_ms() + POST_TIMEOUT_MS;
}

static void on_edit_succeeded(struct part *p)
{
    if (p->strays_until_ms == 0) {
        part_record_sent(p, NULL);
        return;
    }
    free(p->hash);
    p->hash = p->sending;
    p->sending = NULL;
    p->tries = 0;
    sync_wake(p->sync);
}

static void on_edited(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct part *p = user;

    p->slack_call = NULL;
    p->not_before_mono = clock_mono_ms() + (p->sync->o.edit_spacing_ms ? p->sync->o.edit_spacing_ms
                                                                       : EDIT_SPACING_MS);
    if (reply->kind == WEBAPI_OK) {
        on_edit_succeeded(p);
        return;
    }
    xreplace(&p->sending, NULL);
    if (text_same(reply->code, "streaming_state_conflict")) {
        part_stop_stream(p); /* left open by an earlier attempt, or by a lost answer */
        return;
    }
    if (!*reply->code) /* no answer of Slack's */
        expect_stray(p);
    if (reply->kind == WEBAPI_AMBIGUOUS)
        part_retry_later(p); /* the same content again does no harm */
    else
        part_refused(p, reply, err);
}

/* Committed: should this process die now, the next one knows that an edit may be under way. */
static void on_edit_noted(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct part *p = user;

    p->store_call = NULL;
    if (!err && reply->outcome == STORE_LEASE_LOST)
        return; /* the scheduler says so */
    if (err || !part_may_send(p)) {
        part_retry_later(p);
        return;
    }
    if (p->strays_until_ms <= clock_wall_ms())
        p->strays_until_ms = 0; /* whatever was under way has landed: this one is the last */
    send_part(p, "chat.update", on_edited);
}

void part_edit(struct part *p)
{
    struct thread_sync *s = p->sync;
    struct error err = ERROR_INIT;
    int64_t wait = p->not_before_mono - clock_mono_ms();

    if (wait > 0) {
        loop_timer_start(p->timer, wait);
        return;
    }
    p->store_call = queue_message_edit(s->o.queue, scheduler_ref(s->o.run), part_name(p->id),
                                       POST_TIMEOUT_MS, on_edit_noted, p, &err);
    if (!p->store_call)
        on_edit_noted(p, NULL, &err);
    error_clear(&err);
}

void part_edit_after_strays(struct part *p)
{
    int64_t wait = p->strays_until_ms - clock_wall_ms();

    if (wait > 0)
        loop_timer_start(p->timer, wait < POST_TIMEOUT_MS ? wait : POST_TIMEOUT_MS);
    else
        part_edit(p);
}
