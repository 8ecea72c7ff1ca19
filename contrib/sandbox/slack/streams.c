#include "slack/streams.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "slack/blocks.h"
#include "slack/call.h"

enum mode { MODE_NONE, MODE_CHUNKS, MODE_MARKDOWN };

struct stream {
    char *channel, *ts;
    int64_t started_ms;
    size_t bytes;
    enum mode mode;
    bool by_user;
    char *plan_title;
    cJSON *tasks; /* array of {id, title, status, details, output, sources} */
    struct buf prose;
    cJSON *more_blocks; /* from blocks chunks */
};

struct streams {
    struct stream **items;
    size_t n, cap;
    int64_t life_ms;
};

struct streams *streams_new(void)
{
    struct streams *streams = xcalloc(1, sizeof(*streams));

    streams->life_ms = STREAM_LIFE_MS;
    return streams;
}

void streams_free(struct streams *streams)
{
    if (!streams)
        return;
    for (size_t i = 0; i < streams->n; i++) {
        struct stream *s = streams->items[i];
        free(s->channel);
        free(s->ts);
        free(s->plan_title);
        cJSON_Delete(s->tasks);
        cJSON_Delete(s->more_blocks);
        buf_clear(&s->prose);
        free(s);
    }
    free(streams->items);
    free(streams);
}

void streams_set_life(struct streams *streams, int64_t life_ms)
{
    streams->life_ms = life_ms;
}

static struct stream *find(const struct streams *streams, const char *channel, const char *ts)
{
    for (size_t i = 0; ts && i < streams->n; i++)
        if (strcmp(streams->items[i]->ts, ts) == 0 &&
            strcmp(streams->items[i]->channel, channel) == 0)
            return streams->items[i];
    return NULL;
}

bool streams_stop_by_user(struct slack *slack, const char *channel, const char *ts)
{
    struct stream *s = channel ? find(slack->streams, channel, ts) : NULL;

    if (s)
        s->by_user = true;
    return s != NULL;
}

static cJSON *find_task(cJSON *tasks, const char *id)
{
    for (cJSON *t = tasks->child; t; t = t->next)
        if (text_same(json_str(t, "id"), id))
            return t;
    return NULL;
}

static void replace(cJSON *obj, const char *key, const char *value)
{
    if (!value)
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(obj, key);
    json_put_str(obj, key, value);
}

/* details and output are appended: a repeated sentence would show twice. */
static void append(cJSON *obj, const char *key, const char *value)
{
    if (!value)
        return;
    char *joined = xasprintf("%s%s", json_str_or(obj, key, ""), value);
    replace(obj, key, joined);
    free(joined);
}

static void put_task(struct stream *s, const cJSON *chunk)
{
    cJSON *task = find_task(s->tasks, json_str(chunk, "id"));

    if (!task) {
        task = cJSON_CreateObject();
        json_put_str(task, "id", json_str(chunk, "id"));
        cJSON_AddItemToArray(s->tasks, task);
    }
    replace(task, "title", json_str(chunk, "title"));
    replace(task, "status", json_str(chunk, "status"));
    append(task, "details", json_str(chunk, "details"));
    append(task, "output", json_str(chunk, "output"));
    if (json_get(chunk, "sources")) {
        cJSON_DeleteItemFromObjectCaseSensitive(task, "sources");
        cJSON_AddItemToObject(task, "sources", cJSON_Duplicate(json_get(chunk, "sources"), true));
    }
}

static void check_task_chunk(struct check *check, const cJSON *chunk)
{
    static const char *const states[] = { "pending", "in_progress", "complete", "error", NULL };
    static const struct member members[] = {
        { .name = "type", .kind = MEMBER_STRING, .required = true },
        { .name = "id", .kind = MEMBER_STRING, .required = true, .min = 1, .max = 255 },
        { .name = "title", .kind = MEMBER_STRING, .required = true, .min = 1, .max = 256 },
        { .name = "status", .kind = MEMBER_STRING, .required = true, .one_of = states },
        { .name = "details", .kind = MEMBER_STRING, .max = 256 },
        { .name = "output", .kind = MEMBER_STRING, .max = 256 },
        { .name = "sources", .kind = MEMBER_ARRAY },
        { .name = "hide_title", .kind = MEMBER_BOOL },
        { .name = "icon", .kind = MEMBER_ANY },
    };

    CHECK_OBJECT(check, chunk, members);
}

static void check_chunk(struct check *check, const cJSON *chunk)
{
    static const struct member plan[] = {
        { .name = "type", .kind = MEMBER_STRING, .required = true },
        { .name = "title", .kind = MEMBER_STRING, .required = true, .min = 1, .max = 256 },
    };
    static const struct member prose[] = {
        { .name = "type", .kind = MEMBER_STRING, .required = true },
        { .name = "text", .kind = MEMBER_STRING, .required = true, .min = 1, .max = 12000 },
    };
    static const struct member blocks[] = {
        { .name = "type", .kind = MEMBER_STRING, .required = true },
        { .name = "blocks", .kind = MEMBER_ARRAY, .required = true, .max = 50 },
    };
    const char *type = json_str_or(chunk, "type", "");

    if (strcmp(type, "task_update") == 0)
        check_task_chunk(check, chunk);
    else if (strcmp(type, "plan_update") == 0)
        CHECK_OBJECT(check, chunk, plan);
    else if (strcmp(type, "markdown_text") == 0)
        CHECK_OBJECT(check, chunk, prose);
    else if (strcmp(type, "blocks") == 0)
        CHECK_OBJECT(check, chunk, blocks);
    else
        check_fail(check, "unsupported type: %s", type);
}

static bool chunks_are_valid(struct call *call, const cJSON *chunks)
{
    struct check check = { .errors = cJSON_CreateArray() };
    bool ok;

    buf_adds(&check.at, "/chunks");
    if (!cJSON_IsArray(chunks))
        check_fail(&check, "must be an array");
    else
        check_each(&check, chunks, check_chunk);
    for (const cJSON *e = check.errors->child; e; e = e->next)
        call_message(call, "[ERROR] %s", e->valuestring);
    ok = check.errors->child == NULL;
    if (!ok)
        call_fail(call, "invalid_chunks");
    cJSON_Delete(check.errors);
    buf_clear(&check.at);
    return ok;
}

/* The chunks of this call as an array: those given, or the markdown_text as one chunk. */
static cJSON *arg_chunks(struct call *call, enum mode *ret_mode)
{
    const char *markdown = arg_str(call, "markdown_text");
    cJSON *chunks = arg_json(call, "chunks", "invalid_chunks");

    *ret_mode = chunks ? MODE_CHUNKS : markdown ? MODE_MARKDOWN : MODE_NONE;
    if (chunks && markdown)
        call_fail(call, "cannot_provide_both_markdown_text_and_chunks");
    else if (chunks)
        (void)chunks_are_valid(call, chunks);
    else if (markdown && strlen(markdown) > 12000)
        call_fail(call, "msg_too_long");
    if (!chunks && markdown && call_ok(call)) {
        cJSON *chunk = cJSON_CreateObject();
        chunks = cJSON_CreateArray();
        json_put_str(chunk, "type", "markdown_text");
        json_put_str(chunk, "text", markdown);
        cJSON_AddItemToArray(chunks, chunk);
    }
    return chunks;
}

/* Card JSON counts, and details and output count twice. */
static size_t weight(const cJSON *chunks)
{
    size_t sum = 0;

    for (const cJSON *c = json_first(chunks); c; c = c->next) {
        char *text = json_print(c);
        sum += strlen(text) + strlen(json_str_or(c, "details", "")) +
               strlen(json_str_or(c, "output", ""));
        free(text);
    }
    return sum;
}

static void apply(struct stream *s, const cJSON *chunks)
{
    for (const cJSON *c = json_first(chunks); c; c = c->next) {
        const char *type = json_str_or(c, "type", "");
        if (strcmp(type, "task_update") == 0)
            put_task(s, c);
        else if (strcmp(type, "plan_update") == 0)
            xreplace(&s->plan_title, json_str(c, "title"));
        else if (strcmp(type, "markdown_text") == 0)
            buf_adds(&s->prose, json_str(c, "text"));
        else
            for (const cJSON *b = json_items(c, "blocks"); b; b = b->next)
                cJSON_AddItemToArray(s->more_blocks, cJSON_Duplicate(b, true));
    }
    s->bytes += weight(chunks);
}

/* Mode, size and life; fails the call with Slack's word for what is wrong. */
static void check_stream(struct call *call, const struct stream *s, enum mode mode,
                         const cJSON *chunks)
{
    if (mode != MODE_NONE && s->mode != MODE_NONE && mode != s->mode)
        call_fail(call, "streaming_mode_mismatch");
    else if (s->bytes + weight(chunks) > STREAM_BYTES_MAX)
        call_fail(call, "msg_too_long");
}

static cJSON *rich_line(const char *text)
{
    cJSON *block = cJSON_CreateObject(), *section = cJSON_CreateObject();
    cJSON *element = cJSON_CreateObject();

    json_put_str(block, "type", "rich_text");
    json_put_str(section, "type", "rich_text_section");
    json_put_str(element, "type", "text");
    json_put_str(element, "text", text);
    cJSON_AddItemToArray(json_put_array(section, "elements"), element);
    cJSON_AddItemToArray(json_put_array(block, "elements"), section);
    return block;
}

static cJSON *card_of(const cJSON *task, bool stopped)
{
    cJSON *card = cJSON_CreateObject();
    const char *status = json_str_or(task, "status", "pending");

    /* A task left open when the stream stops shows as failed (vercel/chat#911). */
    if (stopped && (strcmp(status, "in_progress") == 0 || strcmp(status, "pending") == 0))
        status = "error";
    json_put_str(card, "type", "task_card");
    json_put_str(card, "task_id", json_str(task, "id"));
    json_put_str(card, "title", json_str(task, "title"));
    json_put_str(card, "status", status);
    if (json_str(task, "details"))
        cJSON_AddItemToObject(card, "details", rich_line(json_str(task, "details")));
    if (json_str(task, "output"))
        cJSON_AddItemToObject(card, "output", rich_line(json_str(task, "output")));
    if (json_get(task, "sources"))
        cJSON_AddItemToObject(card, "sources", cJSON_Duplicate(json_get(task, "sources"), true));
    return card;
}

static cJSON *plan_of(const struct stream *s, bool stopped)
{
    cJSON *plan = cJSON_CreateObject();

    json_put_str(plan, "type", "plan");
    json_put_str(plan, "title", s->plan_title ? s->plan_title : "Working on it");
    cJSON *tasks = json_put_array(plan, "tasks");
    for (const cJSON *t = s->tasks->child; t; t = t->next)
        cJSON_AddItemToArray(tasks, card_of(t, stopped));
    return plan;
}

/* The message as it looks now. */
static void show(struct stream *s, struct message *m, bool stopped)
{
    cJSON *blocks = cJSON_CreateArray();

    if (s->tasks->child)
        cJSON_AddItemToArray(blocks, plan_of(s, stopped));
    if (s->prose.len > 0) {
        cJSON *prose = cJSON_CreateObject();
        json_put_str(prose, "type", "markdown");
        json_put_str(prose, "text", buf_str(&s->prose));
        cJSON_AddItemToArray(blocks, prose);
    }
    for (const cJSON *b = s->more_blocks->child; b; b = b->next)
        cJSON_AddItemToArray(blocks, cJSON_Duplicate(b, true));
    cJSON_Delete(m->blocks);
    m->blocks = blocks;
    xreplace(&m->text, buf_str(&s->prose));
    m->edits++;
}

static struct stream *add_stream(struct slack *slack, const struct channel *channel, const char *ts)
{
    struct streams *streams = slack->streams;
    struct stream *s = xcalloc(1, sizeof(*s));

    s->channel = xstrdup(channel->id);
    s->ts = xstrdup(ts);
    s->started_ms = clock_mono_ms();
    s->tasks = cJSON_CreateArray();
    s->more_blocks = cJSON_CreateArray();
    *VEC_ADD(streams->items, streams->n, streams->cap) = s;
    return s;
}

static void check_recipient(struct call *call, const struct channel *channel)
{
    const char *user = arg_str(call, "recipient_user_id");

    if (channel->kind == CHANNEL_DM)
        return;
    if (!user)
        call_fail(call, "missing_recipient_user_id");
    else if (!arg_str(call, "recipient_team_id"))
        call_fail(call, "missing_recipient_team_id");
    else if (!workspace_user(&call->slack->ws, user))
        call_fail(call, "user_not_found");
}

void chat_startStream(struct call *call)
{
    struct slack *slack = call->slack;
    struct channel *channel = arg_postable(call);
    const char *thread = arg_need(call, "thread_ts");
    const char *display = arg_str(call, "task_display_mode");
    enum mode mode = MODE_NONE;

    if (channel && thread && !channel_message(channel, thread))
        call_fail(call, "invalid_thread_ts");
    if (channel)
        check_recipient(call, channel);
    if (display && strcmp(display, "plan") != 0 && strcmp(display, "timeline") != 0)
        call_fail(call, "invalid_arguments");
    cJSON *chunks = call_ok(call) ? arg_chunks(call, &mode) : NULL;
    if (call_ok(call)) {
        struct message *m = channel_add(&slack->ws, channel, slack->ws.bot_user_id);
        struct stream *s = add_stream(slack, channel, m->ts);
        m->bot_id = xstrdup(slack->ws.bot_id);
        m->thread_ts = xstrdup(thread);
        m->streaming = true;
        s->mode = mode;
        apply(s, chunks);
        show(s, m, false);
        json_put_str(call->reply, "channel", channel->id);
        json_put_str(call->reply, "ts", m->ts);
    }
    cJSON_Delete(chunks);
}

/* The open stream that channel and ts name, and its message; fails the call otherwise. */
static struct stream *arg_stream(struct call *call, struct message **ret_message)
{
    struct channel *channel = arg_channel(call);
    const char *ts = arg_need(call, "ts");
    struct stream *s = channel && ts ? find(call->slack->streams, channel->id, ts) : NULL;
    struct message *m = channel ? channel_message(channel, ts) : NULL;

    if (!call_ok(call))
        return NULL;
    if (!m) {
        call_fail(call, "message_not_found");
        return NULL;
    }
    if (!m->bot_id)
        call_fail(call, "message_not_owned_by_app");
    if (s && clock_mono_ms() - s->started_ms > call->slack->streams->life_ms)
        m->streaming = false; /* sealed; what is there stays */
    if (!s || !m->streaming)
        call_fail(call, "message_not_in_streaming_state");
    json_put_str(call->reply, "channel", channel->id);
    json_put_str(call->reply, "ts", m->ts);
    *ret_message = m;
    return call_ok(call) ? s : NULL;
}

void chat_appendStream(struct call *call)
{
    struct message *m = NULL;
    struct stream *s = arg_stream(call, &m);
    enum mode mode = MODE_NONE;
    cJSON *chunks = s ? arg_chunks(call, &mode) : NULL;

    if (s && s->by_user) {
        m->streaming = false;
        call_fail(call, "stopped_by_user");
    }
    if (s && call_ok(call) && mode == MODE_NONE)
        call_fail(call, "no_text");
    if (s && call_ok(call))
        check_stream(call, s, mode, chunks);
    if (s && call_ok(call)) {
        s->mode = mode;
        apply(s, chunks);
        show(s, m, false);
    }
    cJSON_Delete(chunks);
}

static void add_final_blocks(struct call *call, struct stream *s)
{
    cJSON *blocks = arg_json(call, "blocks", "invalid_blocks");
    struct block_report report;

    if (blocks) {
        blocks_check(blocks, SURFACE_MESSAGE, "/blocks", NULL, NULL, &report);
        if (accept_blocks(call, report.errors))
            for (const cJSON *b = json_first(blocks); b; b = b->next)
                cJSON_AddItemToArray(s->more_blocks, cJSON_Duplicate(b, true));
    }
    cJSON_Delete(blocks);
}

void chat_stopStream(struct call *call)
{
    struct message *m = NULL;
    struct stream *s = arg_stream(call, &m);
    enum mode mode = MODE_NONE;
    cJSON *chunks = s ? arg_chunks(call, &mode) : NULL;

    if (s && call_ok(call))
        check_stream(call, s, mode, chunks);
    if (s && call_ok(call))
        add_final_blocks(call, s);
    if (s && call_ok(call)) {
        apply(s, chunks);
        show(s, m, true);
        m->streaming = false;
        if (arg_has(call, "metadata")) {
            cJSON_Delete(m->metadata);
            m->metadata = arg_json(call, "metadata", "invalid_metadata_format");
        }
    }
    cJSON_Delete(chunks);
}
