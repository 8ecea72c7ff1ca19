#include "slack/files.h"

#include "dbconn/base/text.h"
#include "slack/blocks.h"
#include "slack/call.h"
#include "world/ids.h"

struct file {
    char *id, *key, *name, *title, *alt;
    int64_t length;
    bool uploaded, completed;
    struct buf bytes;
};

struct files {
    struct file **items;
    size_t n, cap;
};

struct files *files_new(void)
{
    return xcalloc(1, sizeof(struct files));
}

void files_free(struct files *files)
{
    if (!files)
        return;
    for (size_t i = 0; i < files->n; i++) {
        struct file *f = files->items[i];
        free(f->id);
        free(f->key);
        free(f->name);
        free(f->title);
        free(f->alt);
        buf_clear(&f->bytes);
        free(f);
    }
    free(files->items);
    free(files);
}

static struct file *find(const struct files *files, const char *id)
{
    for (size_t i = 0; id && i < files->n; i++)
        if (strcmp(files->items[i]->id, id) == 0)
            return files->items[i];
    return NULL;
}

bool files_has(const struct files *files, const char *id)
{
    const struct file *f = find(files, id);

    return f && f->completed;
}

const struct buf *files_bytes(const struct files *files, const char *id, const char **ret_name)
{
    const struct file *f = find(files, id);

    if (!f || !f->uploaded)
        return NULL;
    *ret_name = f->name;
    return &f->bytes;
}

static char *new_id(void)
{
    char *hex = id_random_hex(8);

    for (char *c = hex; *c; c++)
        *c = (char)(*c >= 'a' ? *c - 'a' + 'A' : *c);
    char *id = xasprintf("F0%s", hex);
    free(hex);
    return id;
}

void files_getUploadURLExternal(struct call *call)
{
    const char *name = arg_need(call, "filename"), *alt = arg_str(call, "alt_txt");
    int64_t length = arg_i64(call, "length", 0);
    struct files *files = call->slack->files;

    if (call_ok(call) && length <= 0)
        call_fail(call, "missing_argument");
    if (alt && strlen(alt) > 1000)
        call_fail(call, "alt_txt_too_large");
    if (arg_str(call, "snippet_type") && length > 1024 * 1024)
        call_fail(call, "snippet_too_large");
    if (!call_ok(call))
        return;
    struct file *f = xcalloc(1, sizeof(*f));
    f->id = new_id();
    f->key = id_random_hex(32);
    f->name = xstrdup(name);
    f->alt = xstrdup(alt);
    f->length = length;
    *VEC_ADD(files->items, files->n, files->cap) = f;
    char *url = xasprintf("%s/upload/v1/%s", call->req->base, f->key);
    json_put_str(call->reply, "upload_url", url);
    json_put_str(call->reply, "file_id", f->id);
    free(url);
}

static struct file *by_key(const struct files *files, const char *key)
{
    for (size_t i = 0; i < files->n; i++)
        if (strcmp(files->items[i]->key, key) == 0)
            return files->items[i];
    return NULL;
}

/* The content of the first part of a multipart/form-data body; false when it is none. */
static bool first_part(const struct request *req, struct buf *out)
{
    const char *body = buf_str(&req->body), *end = body + req->body.len;
    const char *line = memchr(body, '\r', req->body.len);
    size_t mark = line ? (size_t)(line - body) : 0;

    if (mark == 0)
        return false;
    const char *start = memmem(body, req->body.len, "\r\n\r\n", 4);
    if (!start)
        return false;
    start += 4;
    const char *stop = memmem(start, (size_t)(end - start), body, mark);
    if (!stop || stop - start < 2)
        return false;
    buf_add(out, start, (size_t)(stop - start) - 2);
    return true;
}

void files_upload(struct slack *slack, const char *key, const struct request *req,
                  struct reply *reply)
{
    struct file *f = by_key(slack->files, key);

    if (req->authorization)
        slack_note(slack, "an upload carried an Authorization header: the URL is the secret");
    if (!f || strcmp(req->method, "POST") != 0) {
        reply_text(reply, 404, "text/plain", "Not found");
        return;
    }
    buf_reset(&f->bytes);
    if (!request_is_type(req, "multipart/form-data") || !first_part(req, &f->bytes))
        buf_add(&f->bytes, buf_str(&req->body), req->body.len);
    f->uploaded = (int64_t)f->bytes.len == f->length;
    char *text = xasprintf("OK - %zu", f->bytes.len);
    reply_text(reply, f->uploaded ? 200 : 400, "text/plain; charset=utf-8",
               f->uploaded ? text : "length differs from what was announced");
    free(text);
    cJSON *args = cJSON_CreateObject();
    json_put_str(args, "file", f->id);
    slack_record(slack, "upload", args, reply->status, NULL);
}

/* What a message and the answers show of a file; sharing is asynchronous, so much is empty yet. */
static cJSON *file_json(const struct call *call, const struct file *f)
{
    const struct workspace *ws = &call->slack->ws;
    char *url =
        xasprintf("https://files.slack.com/files-pri/%s-%s/%s", ws->team_id, f->id, f->name);
    cJSON *out = cJSON_CreateObject();

    json_put_str(out, "id", f->id);
    json_put_i64(out, "created", call->slack->ws.last_ts_us / 1000000);
    json_put_str(out, "name", f->name);
    json_put_str(out, "title", f->title ? f->title : f->name);
    json_put_str(out, "alt_txt", f->alt);
    json_put_str(out, "mimetype", "");
    json_put_str(out, "filetype", "");
    json_put_str(out, "user", ws->bot_user_id);
    json_put_i64(out, "size", f->length);
    json_put_str(out, "mode", "hosted");
    json_put_bool(out, "is_public", false);
    json_put_str(out, "url_private", url);
    (void)json_put_object(out, "shares");
    (void)json_put_array(out, "channels");
    free(url);
    return out;
}

/* The completed files of argument `files`; fails the call when one is not there to complete. */
static cJSON *complete(struct call *call)
{
    cJSON *asked = arg_json(call, "files", "invalid_arguments"), *out = cJSON_CreateArray();

    if (call_ok(call) && cJSON_GetArraySize(asked) < 1)
        call_fail(call, "invalid_arguments");
    for (const cJSON *one = json_first(asked); one && call_ok(call); one = one->next) {
        struct file *f = find(call->slack->files, json_str(one, "id"));
        if (!f)
            call_fail(call, "file_not_found");
        else if (!f->uploaded || f->completed)
            call_fail(call, "file_update_failed");
    }
    for (const cJSON *one = json_first(asked); one && call_ok(call); one = one->next) {
        struct file *f = find(call->slack->files, json_str(one, "id"));
        if (!f)
            continue; /* cannot be: it was there above */
        f->completed = true;
        xreplace(&f->title, json_str(one, "title"));
        cJSON_AddItemToArray(out, file_json(call, f));
    }
    cJSON_Delete(asked);
    return out;
}

/* The channel to show the files in, by id; NULL with call_ok() when none was asked for. */
static struct channel *arg_share(struct call *call)
{
    const char *id = arg_str(call, "channel_id"), *list = arg_str(call, "channels");
    struct channel *channel;

    if (!id && list && !strchr(list, ','))
        id = list;
    if (!id)
        return NULL;
    channel = workspace_channel(&call->slack->ws, id);
    if (!channel || (channel->kind != CHANNEL_PUBLIC && !channel->bot_is_member))
        call_fail(call, "channel_not_found");
    else if (!channel->bot_is_member)
        call_fail(call, "not_in_channel");
    else if (channel->is_archived)
        call_fail(call, "is_archived");
    return call_ok(call) ? channel : NULL;
}

void files_completeUploadExternal(struct call *call)
{
    struct slack *slack = call->slack;
    struct channel *channel = arg_share(call);
    const char *thread = arg_str(call, "thread_ts");

    if (channel && thread && !channel_message(channel, thread))
        call_fail(call, "thread_not_found");
    if (!call_ok(call))
        return;
    cJSON *done = complete(call);
    if (call_ok(call) && channel) {
        struct message *m = channel_add(&slack->ws, channel, slack->ws.bot_user_id);
        m->bot_id = xstrdup(slack->ws.bot_id);
        m->thread_ts = xstrdup(thread);
        xreplace(&m->text,
                 arg_str(call, "initial_comment") ? arg_str(call, "initial_comment") : "");
        m->files = cJSON_Duplicate(done, true);
    }
    if (call_ok(call))
        cJSON_AddItemToObject(call->reply, "files", done);
    else
        cJSON_Delete(done);
}

void files_info(struct call *call)
{
    const char *id = arg_need(call, "file");
    const struct file *f = find(call->slack->files, id);

    if (call_ok(call) && (!f || !f->completed))
        call_fail(call, "file_not_found");
    if (call_ok(call))
        cJSON_AddItemToObject(call->reply, "file", file_json(call, f));
}

cJSON *files_list(const struct files *files)
{
    cJSON *out = cJSON_CreateArray();

    for (size_t i = 0; i < files->n; i++) {
        const struct file *f = files->items[i];
        cJSON *row = cJSON_CreateObject();
        json_put_str(row, "id", f->id);
        json_put_str(row, "name", f->name);
        json_put_i64(row, "length", f->length);
        json_put_bool(row, "uploaded", f->uploaded);
        json_put_bool(row, "completed", f->completed);
        cJSON_AddItemToArray(out, row);
    }
    return out;
}
