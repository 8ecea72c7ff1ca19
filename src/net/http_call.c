/*
 * The life of a call, as http_internal.h draws it: waiting for a place, on the wire, asleep between
 * attempts, ended.
 */
#include <string.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"
#include "dbconn/net/url.h"
#include "http_internal.h"

#define MAX_REDIRECTS 5
/* However long a service asks to be left alone, it is asked again after this. */
#define PAUSE_CAP_MS HOUR_MS

/* --- the end of a call --- */

void http_call_free(struct http_call *call)
{
    struct http_service *service = call->service;

    if (call->state == CALL_WAITING)
        service->stats.waiting--;
    if (call->state == CALL_RUNNING)
        service->stats.in_flight--;
    fairq_remove(&service->queue, &call->place);
    transfer_end(call);
    attempt_clear(call);
    loop_timer_free(call->timer);
    if (call->prev)
        call->prev->next = call->next;
    else
        service->http->calls = call->next;
    if (call->next)
        call->next->prev = call->prev;
    for (char **h = call->headers; h && *h; h++) {
        explicit_bzero(*h, strlen(*h)); /* tokens among them */
        free(*h);
    }
    free(call->headers);
    free(call->method);
    free(call->url);
    buf_clear(&call->body);
    error_clear(&call->err);
    free(call);
}

/* Takes the call out of the list of those whose `done` is due. */
void http_call_unlink(struct http *http, struct http_call *call)
{
    struct http_call **slot = &http->ended;

    while (*slot && *slot != call)
        slot = &(*slot)->next_ended;
    if (!*slot)
        return;
    *slot = call->next_ended;
    if (!*slot)
        http->ended_tail = slot;
}

void http_deliver(struct http *http)
{
    if (http->delivering)
        return;
    http->delivering = true;
    while (http->ended && !http->closing) {
        struct http_call *call = http->ended;
        bool failed = call->err.code != ERR_NONE;

        http_call_unlink(http, call);
        call->done(call->user, failed ? NULL : &call->reply, failed ? &call->err : NULL);
        http_call_free(call);
    }
    http->delivering = false;
    if (http->closing)
        http_release(http);
}

void http_deliver_later(void *user)
{
    http_deliver(user);
}

/* The call's outcome is known. `done` runs from http_deliver(). */
static void call_end(struct http_call *call)
{
    struct http_service *service = call->service;
    struct http *http = service->http;

    if (call->state == CALL_WAITING)
        service->stats.waiting--;
    fairq_remove(&service->queue, &call->place);
    loop_timer_stop(call->timer);
    if (call->err.code != ERR_NONE || call->reply.status >= 400)
        service->stats.failures++;
    http_count_end(call);
    call->state = CALL_ENDED;
    call->next_ended = NULL;
    *http->ended_tail = call;
    http->ended_tail = &call->next_ended;
    loop_timer_start(http->deliver, 0); /* for whoever does not deliver itself */
}

/* --- waiting for a place --- */

static void fail_limited(struct http_call *call, int64_t wait_ms)
{
    struct buf wait = BUF_INIT;

    time_format_duration(wait_ms, &wait);
    error_set(&call->err, ERR_RATE_LIMITED, "%s asked not to be asked again for another %s",
              call->service->title, buf_str(&wait));
    call->err.retry_after_ms = wait_ms;
    buf_clear(&wait);
    call_end(call);
}

static struct http_call *call_of(struct fair_item *place)
{
    return (struct http_call *)((char *)place - offsetof(struct http_call, place));
}

/* For its first attempt, and for as long as it takes. */
static bool is_waiting_patiently(const struct http_call *call)
{
    return call->patient && call->attempts == 0 && call->redirects == 0;
}

static void call_run(struct http_call *call)
{
    struct http_service *service = call->service;

    service->stats.waiting--;
    http_count_wait(call);
    call->state = CALL_RUNNING;
    loop_timer_stop(call->timer);
    if (is_waiting_patiently(call))
        call->deadline_ms += clock_mono_ms() - call->began_ms;
    if (call->may_send && !call->may_send(call->user)) {
        error_set(&call->err, ERR_CANCELLED, "%s was not asked: it was no longer wanted",
                  service->title);
        call_end(call);
        return;
    }
    call->attempts++;
    service->stats.requests++;
    if (transfer_begin(call, &call->err) < 0) {
        call_end(call);
        return;
    }
    service->stats.in_flight++;
}

/* Starts as many waiting calls as the limits allow, and comes back when time allows more. */
void http_service_pump(struct http_service *service)
{
    while (service->queue.n && service->stats.in_flight < service->max_in_flight) {
        int64_t now = clock_mono_ms(), pause = service->paused_until_ms - now;
        int64_t wait = window_wait_ms(&service->rate, now);

        if (pause > service->retry.max_wait_ms) {
            struct http_call *call = call_of(fairq_pop(&service->queue));
            fail_limited(call, pause);
            continue;
        }
        if (pause > wait)
            wait = pause;
        if (wait > 0) {
            loop_timer_start(service->wake, wait);
            return;
        }
        (void)window_take(&service->rate, now);
        call_run(call_of(fairq_pop(&service->queue)));
    }
}

void http_service_wake(void *user)
{
    http_service_pump(user);
}

void http_call_wait(struct http_call *call, bool again)
{
    struct http_service *service = call->service;

    call->state = CALL_WAITING;
    call->waits_since_ms = clock_mono_ms();
    service->stats.waiting++;
    fairq_push(&service->queue, &call->place, call->owner, again);
    if (!is_waiting_patiently(call))
        loop_timer_start(call->timer, call->deadline_ms - clock_mono_ms());
    http_service_pump(service);
}

/* The time of a call is over: its budget while it waits, its pause while it sleeps, its attempt
 * where libcurl does not watch that. */
void http_call_timer(void *user)
{
    struct http_call *call = user;
    struct http_service *service = call->service;
    int64_t pause = service->paused_until_ms - clock_mono_ms();

    if (call->state == CALL_SLEEPING) {
        http_call_wait(call, true);
    } else if (call->state == CALL_RUNNING) {
        http_attempt_over(call, CURLE_OPERATION_TIMEDOUT);
    } else if (pause > 0) {
        fail_limited(call, pause);
    } else {
        error_set(&call->err, ERR_TIMEOUT,
                  "%s was not asked in time: %d requests are under way and %d wait", service->title,
                  service->stats.in_flight, service->stats.waiting - 1);
        call_end(call);
    }
}

/* --- after an attempt --- */

static int64_t read_limit(const struct http_service *service, const struct http_reply *reply)
{
    int64_t now = clock_wall_ms();

    if (service->limit)
        return service->limit(reply, now);
    if (reply->status != 429 && reply->status != 503)
        return -1;
    return retry_after_ms(http_reply_header(reply, "Retry-After"), now);
}

/* Remembers what the service asked for; gives it back for this call's own retry. */
static int64_t note_limit(struct http_service *service, const struct http_reply *reply)
{
    int64_t limit = read_limit(service, reply);

    if (limit > 0) {
        int64_t until = clock_mono_ms() + (limit < PAUSE_CAP_MS ? limit : PAUSE_CAP_MS);
        if (until > service->paused_until_ms)
            service->paused_until_ms = until;
    }
    if (limit > 0 || reply->status == 429)
        service->stats.limited++;
    return limit;
}

static bool is_redirect(const struct http_reply *reply)
{
    static const int statuses[] = { 301, 302, 303, 307, 308 };

    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (reply->status == statuses[i])
            return true;
    return false;
}

/* Takes the redirect's address over when it may be followed. */
static int take_redirect(struct http_call *call, const char *to, struct error *err)
{
    const char *title = call->service->title;
    struct url here = { 0 }, there = { 0 };
    int rc = -1;

    if (url_parse(call->url, &here, err) < 0 || url_parse(to, &there, err) < 0)
        error_context(err, "%s redirects", title);
    else if (!url_same_origin(&here, &there) || there.has_userinfo)
        error_set(err, ERR_PROTOCOL, "%s redirects to %s://%s, which is elsewhere: not followed",
                  title, there.scheme, there.host);
    else if (!text_same(call->method, "GET") && !text_same(call->method, "HEAD"))
        error_set(err, ERR_PROTOCOL, "%s redirects a %s request: not followed", title,
                  call->method);
    else if (++call->redirects > MAX_REDIRECTS)
        error_set(err, ERR_PROTOCOL, "%s redirects more than %d times", title, MAX_REDIRECTS);
    else
        rc = 0;
    url_clear(&here);
    url_clear(&there);
    if (rc == 0)
        xreplace(&call->url, to);
    else if (err->code == ERR_INVALID)
        err->code = ERR_PROTOCOL;
    return rc;
}

/* Whether the outcome of this attempt is the call's; if not, the wait before the next one. */
static int64_t next_attempt_in(struct http_call *call, bool fault, int64_t limit_ms)
{
    const struct retry_outcome outcome = {
        .idempotent = call->idempotent || (fault && !call->sent),
        .fault = fault,
        .status = fault ? 0 : call->reply.status,
        .limit_ms = limit_ms,
        .attempts = call->attempts,
        .left_ms = call->deadline_ms - clock_mono_ms(),
    };

    return retry_delay_ms(&call->service->retry, &outcome, retry_chance());
}

static void call_sleep(struct http_call *call, int64_t delay_ms)
{
    LOG(DEBUG, "http.retry", F_STR("service", call->service->name),
        F_INT("status", call->err.code ? 0 : call->reply.status),
        F_STR("error", error_text(&call->err)), F_INT("delay_ms", delay_ms));
    call->service->stats.retries++;
    error_clear(&call->err);
    attempt_clear(call); /* its memory may be what others wait for */
    call->state = CALL_SLEEPING;
    loop_timer_start(call->timer, delay_ms);
}

static bool is_passing(enum err_code code)
{
    return code == ERR_NETWORK || code == ERR_TIMEOUT;
}

static void call_settle(struct http_call *call)
{
    bool failed = call->err.code != ERR_NONE;

    if (failed && call->attempts > 1 && is_passing(call->err.code))
        buf_addf(&call->err.message, " (after %d attempts)", call->attempts);
    LOG(DEBUG, "http.done", F_STR("service", call->service->name),
        F_INT("status", failed ? 0 : call->reply.status), F_INT("bytes", call->attempt.body.len),
        F_STR("error", error_text(&call->err)));
    call_end(call);
}

/* What was not time awake is not held against a patient call: its deadline moves. */
static void move_deadline(struct http_call *call)
{
    const struct attempt *attempt = &call->attempt;
    int64_t awake = attempt->limit_ms - loop_timer_left_ms(call->timer);

    if (call->patient)
        call->deadline_ms += clock_mono_ms() - attempt->began_ms - awake;
}

void http_attempt_over(struct http_call *call, CURLcode code)
{
    struct http_service *service = call->service;
    bool answered = transfer_outcome(call, code) == 0;
    move_deadline(call);
    int64_t limit_ms = answered ? note_limit(service, &call->reply) : -1;

    if (answered) {
        service->stats.answered = true;
        service->stats.unauthorized = call->reply.status == 401;
    }
    const char *to = answered && is_redirect(&call->reply) ? transfer_redirect(call) : NULL;
    bool again = to && take_redirect(call, to, &call->err) == 0;
    int64_t delay = again ? -1 : next_attempt_in(call, is_passing(call->err.code), limit_ms);

    transfer_end(call);
    loop_timer_stop(call->timer);
    service->stats.in_flight--;
    if (again) {
        call->attempts--; /* another leg of the same one */
        attempt_clear(call);
        http_call_wait(call, true);
    } else if (delay >= 0) {
        call_sleep(call, delay);
    } else {
        call_settle(call);
    }
    http_service_pump(service);
}
