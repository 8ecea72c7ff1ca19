#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "webapi_internal.h"

static struct line *line_new(struct webapi *api, const char *method, loop_fn *on_wake)
{
    struct line *line = xcalloc(1, sizeof(*line));
    int per_minute;

    line->api = api;
    line->method = xstrdup(method);
    line->info = method_info(method);
    per_minute =
        text_same(method, "chat.update") ? api->updates_per_minute : line->info->per_minute;
    /* A quarter at once, the rest evenly: no minute sees more than the whole. */
    int burst = per_minute / 4 > 0 ? per_minute / 4 : 1;
    bucket_init(&line->bucket, burst, per_minute > burst ? per_minute - burst : 1, MINUTE_MS,
                clock_mono_ms());
    line->wake = loop_timer_new(api->loop, on_wake, line);
    line->next = api->lines;
    api->lines = line;
    return line;
}

struct line *line_need(struct webapi *api, const char *method, loop_fn *on_wake)
{
    struct line *line = api->lines;

    while (line && !text_same(line->method, method))
        line = line->next;
    return line ? line : line_new(api, method, on_wake);
}

void line_free(struct line *line)
{
    loop_timer_free(line->wake);
    free(line->method);
    free(line);
}

/* Forgets channels where nothing was posted for a while: their bucket is as new. */
static void prune_channels(struct webapi *api, int64_t now)
{
    size_t kept = 0;

    for (size_t i = 0; i < api->n_channels; i++) {
        if (bucket_is_full(&api->channels[i].bucket, now))
            free(api->channels[i].id);
        else
            api->channels[kept++] = api->channels[i];
    }
    api->n_channels = kept;
}

struct bucket *line_channel(struct line *line, const struct webapi_call *call, int64_t now)
{
    struct webapi *api = line->api;

    if (!line->info->per_channel || !call->channel)
        return NULL;
    for (size_t i = 0; i < api->n_channels; i++)
        if (text_same(api->channels[i].id, call->channel))
            return &api->channels[i].bucket;
    prune_channels(api, now);
    struct channel *channel = VEC_ADD(api->channels, api->n_channels, api->cap_channels);
    channel->id = xstrdup(call->channel);
    bucket_init(&channel->bucket, api->posts_burst, 1, SECOND_MS, now);
    return &channel->bucket;
}

bool line_gives_way(const struct line *line, const struct webapi_call *call, int64_t now)
{
    for (const struct line *other = line->api->lines; other; other = other->next) {
        if (other == line || !other->info->per_channel || other->paused_until_ms > now)
            continue;
        for (const struct webapi_call *c = other->first; c; c = c->next)
            if (c->priority > call->priority && text_same(c->channel, call->channel))
                return true;
    }
    return false;
}

void line_remove(struct webapi_call *call)
{
    struct line *line = call->line;

    if (call->prev)
        call->prev->next = call->next;
    else
        line->first = call->next;
    if (call->next)
        call->next->prev = call->prev;
    else
        line->last = call->prev;
    call->prev = call->next = NULL;
    line->api->stats.waiting--;
}

static bool goes_before(const struct webapi_call *a, const struct webapi_call *b)
{
    if (a->priority != b->priority)
        return a->priority > b->priority;
    return a->number < b->number;
}

void line_insert(struct webapi_call *call)
{
    struct line *line = call->line;
    struct webapi_call *after = line->last;

    while (after && goes_before(call, after))
        after = after->prev;
    call->prev = after;
    call->next = after ? after->next : line->first;
    if (call->prev)
        call->prev->next = call;
    else
        line->first = call;
    if (call->next)
        call->next->prev = call;
    else
        line->last = call;
    call->state = WEBAPI_WAITING;
    line->api->stats.waiting++;
}
