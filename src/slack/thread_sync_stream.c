/*
 * The plan as one of Slack's streams (docs.slack.dev, chat.startStream), for those who want it:
 *
 *   open (a post like any other: intended, recorded, looked for) -> append ... -> stop -> edit
 *
 * The edit that follows the stop gives the message its definitive content, text and metadata, so
 * appends may be lost. Slack seals a stream some 300 s after it began and takes some 10 kB of it;
 * before that it is stopped, and edits go on where it ended. Whatever goes wrong leads there too.
 */
#include "thread_sync_internal.h"

#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"
#include "dbconn/slack/mrkdwn.h"

#define OLDEST_MS (200 * SECOND_MS)
#define MOST_BYTES 8000
#define APPEND_SPACING_MS SECOND_MS
#define CARDS 50
#define CHUNK_TEXT 200 /* of a chunk's strings, which take 256 */

struct stream {
    int64_t opened_mono;
    size_t bytes;
    char *hash;        /* of the content that was appended last */
    char state[CARDS]; /* the first letter of each card's status; 0: not sent yet */
};

static const cJSON *plan_of(const struct part *p)
{
    const cJSON *block;

    cJSON_ArrayForEach (block, p->want.blocks)
        if (text_same(json_str(block, "type"), "plan"))
            return block;
    return NULL;
}

bool part_wants_stream(const struct part *p)
{
    const struct thread_sync *s = p->sync;

    return p->id == PART_PLAN && s->o.stream_team && !s->stream_off && !p->want.settled &&
           slack_user_id_valid(scheduler_job(s->o.run)->requester) && plan_of(p);
}

void part_drop_stream(struct part *p)
{
    if (p->stream)
        free(p->stream->hash);
    free(p->stream);
    p->stream = NULL;
}

/* ---- chunks ---- */

static bool is_finished(char state)
{
    return state == 'c' || state == 'e'; /* complete, error */
}

/* The words of a card's rich_text, escaped: whether Slack resolves mentions in chunks is not
 * documented. */
static void put_words(cJSON *chunk, const char *name, const cJSON *rich)
{
    struct buf words = BUF_INIT, shown = BUF_INIT;
    const cJSON *element;

    cJSON_ArrayForEach (element, json_get(json_first(json_get(rich, "elements")), "elements"))
        buf_adds(&words, json_str(element, "text"));
    mrkdwn_text(&shown, buf_str(&words), CHUNK_TEXT);
    if (shown.len > 0)
        json_put_str(chunk, name, buf_str(&shown));
    buf_clear(&words);
    buf_clear(&shown);
}

static cJSON *task_chunk(const struct part *p, const cJSON *card, const char *status)
{
    cJSON *chunk = cJSON_CreateObject();
    char *id = xasprintf("%s_%s", p->sync->job, json_str_or(card, "task_id", ""));
    struct buf title = BUF_INIT;

    text_add_cut(&title, json_str_or(card, "title", "?"), CHUNK_TEXT);
    json_put_str(chunk, "type", "task_update");
    json_put_str(chunk, "id", id);
    json_put_str(chunk, "title", buf_str(&title));
    json_put_str(chunk, "status", status);
    if (is_finished(status[0])) /* once: it would be appended again */
        put_words(chunk, "output", json_get(card, "output"));
    buf_clear(&title);
    free(id);
    return chunk;
}

/* What changed since the last chunks. `last`: every card is finished, the edit says how it is. */
static cJSON *chunks_of(struct part *p, bool last)
{
    const cJSON *plan = plan_of(p), *card;
    cJSON *chunks = cJSON_CreateArray(), *title = cJSON_CreateObject();
    struct buf words = BUF_INIT;
    size_t i = 0;

    text_add_cut(&words, json_str_or(plan, "title", "?"), CHUNK_TEXT);
    json_put_str(title, "type", "plan_update");
    json_put_str(title, "title", buf_str(&words));
    cJSON_AddItemToArray(chunks, title);
    cJSON_ArrayForEach (card, json_get(plan, "tasks")) {
        const char *status = json_str_or(card, "status", "pending");
        if (last && !is_finished(status[0]))
            status = "complete";
        if (i >= CARDS)
            break;
        if (p->stream->state[i] != status[0])
            cJSON_AddItemToArray(chunks, task_chunk(p, card, status));
        p->stream->state[i++] = status[0];
    }
    char *text = json_print(chunks);
    p->stream->bytes += 2 * strlen(text); /* Slack counts some of it twice */
    free(text);
    buf_clear(&words);
    return chunks;
}

/* ---- opening ---- */

static void on_opened(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct part *p = user;

    p->slack_call = NULL;
    if (reply->kind == WEBAPI_OK && json_str(reply->json, "ts")) {
        part_record_sent(p, json_str(reply->json, "ts"));
        return;
    }
    part_drop_stream(p);
    xreplace(&p->sending, NULL);
    if (reply->kind == WEBAPI_AMBIGUOUS || reply->kind == WEBAPI_OK) {
        part_record_unknown(p);
        return;
    }
    if (reply->kind == WEBAPI_TRANSIENT) {
        part_retry_later(p);
    } else {
        LOG(WARN, "thread.no_stream", F_STR("job", p->sync->job), F_STR("why", error_text(err)));
        p->sync->stream_off = true; /* an ordinary post, then */
    }
    part_record_absent(p);
}

static void open_stream(struct part *p)
{
    struct thread_sync *s = p->sync;
    cJSON *args = cJSON_CreateObject();

    part_drop_stream(p);
    p->stream = xcalloc(1, sizeof(*p->stream));
    p->stream->opened_mono = clock_mono_ms();
    p->stream->hash = xstrdup(p->want.hash);
    json_put_str(args, "channel", s->channel);
    json_put_str(args, "thread_ts", s->thread_ts);
    json_put_str(args, "recipient_user_id", scheduler_job(s->o.run)->requester);
    json_put_str(args, "recipient_team_id", s->o.stream_team);
    json_put_str(args, "task_display_mode", "plan");
    cJSON_AddItemToObject(args, "chunks", chunks_of(p, false));
    xreplace(&p->sending, ""); /* whatever it shows, the edit at its end comes */
    part_call(p, "chat.startStream", args, on_opened);
}

void part_open_stream(struct part *p)
{
    part_intend(p, open_stream);
}

/* ---- appending and stopping ---- */

static void on_appended(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct part *p = user;

    p->slack_call = NULL;
    p->not_before_mono = clock_mono_ms() + APPEND_SPACING_MS;
    if (reply->kind != WEBAPI_OK) {
        LOG(WARN, "thread.stream_ended", F_STR("job", p->sync->job), F_STR("why", error_text(err)));
        part_drop_stream(p); /* an edit finds out whether it is still open */
    }
    sync_wake(p->sync);
}

static cJSON *stream_args(const struct part *p)
{
    cJSON *args = cJSON_CreateObject();

    json_put_str(args, "channel", p->sync->channel);
    json_put_str(args, "ts", p->ts);
    return args;
}

static void append(struct part *p)
{
    cJSON *args = stream_args(p);

    xreplace(&p->stream->hash, p->want.hash);
    cJSON_AddItemToObject(args, "chunks", chunks_of(p, false));
    part_call(p, "chat.appendStream", args, on_appended);
}

/* Whether it stopped now or long ago: an edit comes next. */
static void on_stopped(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct part *p = user;

    (void)err;
    p->slack_call = NULL;
    part_drop_stream(p);
    if (reply->kind == WEBAPI_OK)
        sync_wake(p->sync);
    else
        part_retry_later(p);
}

void part_stop_stream(struct part *p)
{
    cJSON *args = stream_args(p);

    if (p->stream && plan_of(p))
        cJSON_AddItemToObject(args, "chunks", chunks_of(p, true));
    part_call(p, "chat.stopStream", args, on_stopped);
}

void part_stream(struct part *p)
{
    int64_t now = clock_mono_ms(), left = p->stream->opened_mono + OLDEST_MS - now;

    if (p->want.settled || left <= 0 || p->stream->bytes > MOST_BYTES || !plan_of(p))
        part_stop_stream(p);
    else if (text_same(p->stream->hash, p->want.hash))
        loop_timer_start(p->timer, left);
    else if (p->not_before_mono > now)
        loop_timer_start(p->timer, p->not_before_mono - now);
    else
        append(p);
}
