/*
 * The memory that the bodies of all answers on their way take together. Over the limit, libcurl is
 * told to pause (CURL_WRITEFUNC_PAUSE): it stops reading from the socket, and the peer has to wait.
 */
#include "dbconn/base/clock.h"
#include "http_internal.h"

void http_limit_memory(struct http *http, size_t max_bytes)
{
    http->max_memory = max_bytes;
}

void http_memory(const struct http *http, struct http_memory *ret)
{
    *ret = http->memory;
}

/* Of those whose body has begun, the one that was asked for first: it always goes on, so that some
 * memory will be free again. NULL: none has begun, or all that is held waits for its taker. */
static const struct http_call *first_begun(const struct http *http)
{
    const struct http_call *first = NULL;

    for (const struct http_call *call = http->calls; call; call = call->next)
        if (call->state == CALL_RUNNING && call->attempt.held &&
            (!first || call->number < first->number))
            first = call;
    return first;
}

static bool has_room(const struct http *http, const struct http_call *call)
{
    if (http->memory.held < http->max_memory)
        return true;
    const struct http_call *first = first_begun(http);
    return !first || first == call;
}

bool http_memory_may_take(struct http_call *call)
{
    struct attempt *attempt = &call->attempt;
    struct http *http = call->service->http;

    if (has_room(http, call))
        return true;
    if (!attempt->paused) { /* the clock of this attempt stands still */
        attempt->paused = true;
        attempt->left_ms = loop_timer_active(call->timer)
                               ? loop_timer_left_ms(call->timer)
                               : attempt->began_ms + attempt->limit_ms - clock_mono_ms();
        curl_easy_setopt(attempt->easy, CURLOPT_TIMEOUT_MS, 0L);
        loop_timer_stop(call->timer);
        http->memory.pauses++;
    }
    return false;
}

void http_memory_count(struct http_call *call)
{
    struct http *http = call->service->http;
    struct http_memory *memory = &http->memory;
    size_t held = call->attempt.body.cap;
    bool less = held < call->attempt.held;

    memory->held += held - call->attempt.held;
    call->attempt.held = held;
    if (memory->held > memory->peak)
        memory->peak = memory->held;
    if (less && !http->closing)
        loop_timer_start(http->resume, 0);
}

static struct http_call *first_paused(const struct http *http, uint64_t from)
{
    struct http_call *first = NULL;

    for (struct http_call *call = http->calls; call; call = call->next)
        if (call->state == CALL_RUNNING && call->attempt.paused && call->number >= from &&
            (!first || call->number < first->number))
            first = call;
    return first;
}

/* The eldest first. libcurl hands over what it has got inside of curl_easy_pause(), which may fill
 * the memory again, and tells of ends later. */
void http_resume(void *user)
{
    struct http *http = user;
    struct http_call *call;

    for (uint64_t from = 0; (call = first_paused(http, from)); from = call->number + 1) {
        struct attempt *attempt = &call->attempt;
        if (!has_room(http, call))
            continue;
        attempt->paused = false;
        loop_timer_start_awake(call->timer, attempt->left_ms > 1 ? attempt->left_ms : 1);
        curl_easy_pause(attempt->easy, CURLPAUSE_CONT);
    }
}
