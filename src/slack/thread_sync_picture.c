/*
 * The chart as a picture. Slack takes a file in three steps (docs.slack.dev, "Working with files"):
 * an address for its bytes, the bytes, and showing it, which is the one that people see. So the
 * first two may be done again at will; the third is a post like any other, intended before and
 * looked for when its outcome is not known. A picture that does not come about is no failure: the
 * answer holds the same figures as text.
 */
#include "thread_sync_internal.h"

#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"

#define TRIES 5

void part_forget_picture(struct part *p)
{
    chart_picture_cancel(p->drawing);
    p->drawing = NULL;
    buf_clear(&p->png);
    xreplace(&p->file_id, NULL);
}

static void not_now(struct part *p, const char *code, const struct error *err)
{
    xreplace(&p->file_id, NULL); /* one that could not be shown is not shown later */
    if (p->tries < TRIES)
        part_retry_later(p);
    else
        part_give_up(p, code, err);
}

static void on_failed(struct part *p, const struct webapi_reply *reply, const struct error *err)
{
    struct thread_sync *s = p->sync;

    if (reply->kind == WEBAPI_AUTH) { /* a scope that is missing now is missing for all */
        s->refused[p->id] = true;
        part_give_up(p, reply->code, err);
    } else if (reply->kind == WEBAPI_TRANSIENT || reply->kind == WEBAPI_AMBIGUOUS ||
               text_same(reply->code, "file_not_found") ||
               text_same(reply->code, "file_update_failed")) {
        not_now(p, reply->code, err);
    } else {
        part_give_up(p, reply->code, err);
    }
}

/* ---- the third step: everybody sees it ---- */

static void on_shown(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct part *p = user;

    p->slack_call = NULL;
    if (reply->kind == WEBAPI_OK) {
        char *id = p->file_id;
        p->file_id = NULL;
        part_record_sent(p, id);
        part_forget_picture(p);
        free(id);
        return;
    }
    xreplace(&p->sending, NULL);
    if (reply->kind == WEBAPI_AMBIGUOUS) {
        xreplace(&p->file_id, NULL);
        part_record_unknown(p);
        return;
    }
    on_failed(p, reply, err);
    part_record_absent(p);
}

static cJSON *show_args(const struct part *p)
{
    const struct thread_sync *s = p->sync;
    cJSON *args = cJSON_CreateObject(), *file;

    file = cJSON_CreateObject();
    json_put_str(file, "id", p->file_id);
    json_put_str(file, "title", p->want.picture->title);
    cJSON_AddItemToArray(json_put_array(args, "files"), file);
    json_put_str(args, "channel_id", s->channel);
    json_put_str(args, "thread_ts", s->thread_ts);
    json_put_str(args, "initial_comment", p->want.text);
    return args;
}

static void show(struct part *p)
{
    xreplace(&p->sending, p->want.hash);
    part_call(p, "files.completeUploadExternal", show_args(p), on_shown);
}

/* ---- the first two: the bytes ---- */

static void on_uploaded(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct part *p = user;

    p->slack_call = NULL;
    if (reply->kind == WEBAPI_OK)
        sync_wake(p->sync);
    else
        on_failed(p, reply, err);
}

static void on_address(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct part *p = user;
    struct error failed = ERROR_INIT;
    const char *url = json_str(reply->json, "upload_url"), *id = json_str(reply->json, "file_id");

    p->slack_call = NULL;
    if (reply->kind != WEBAPI_OK) {
        on_failed(p, reply, err);
    } else if (!url || !id) {
        error_set(&failed, ERR_PROTOCOL, "Slack gave no address for a file");
        not_now(p, "no_upload_url", &failed);
    } else {
        xreplace(&p->file_id, id);
        p->slack_call =
            webapi_upload(p->sync->o.api, url, &p->png, p->sync->o.owner, on_uploaded, p, &failed);
        if (!p->slack_call)
            part_give_up(p, "upload_host", &failed); /* not one of Slack's hosts */
    }
    error_clear(&failed);
}

static void ask_address(struct part *p)
{
    cJSON *args = cJSON_CreateObject();

    json_put_str(args, "filename", p->want.picture->name);
    json_put_i64(args, "length", (int64_t)p->png.len);
    json_put_str(args, "alt_txt", p->want.picture->alt);
    part_call(p, "files.getUploadURLExternal", args, on_address);
}

static void on_drawn(void *user, struct buf *png, const struct error *err)
{
    struct part *p = user;

    p->drawing = NULL;
    if (err) {
        part_give_up(p, err_code_name(err->code), err);
        return;
    }
    buf_clear(&p->png);
    p->png = *png;
    *png = (struct buf)BUF_INIT;
    sync_wake(p->sync);
}

void part_show_picture(struct part *p)
{
    const struct thread_picture *picture = p->want.picture;

    if (p->png.len == 0)
        p->drawing =
            chart_picture_draw(p->sync->o.loop, &picture->series, picture->subject, on_drawn, p);
    else if (!p->file_id)
        ask_address(p);
    else
        part_intend(p, show);
}
