#include "dbconn/net/http.h"

#include <ctype.h>
#include <signal.h>
#include <string.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"
#include "dbconn/net/policy.h"
#include "dbconn/net/url.h"
#include "http_internal.h"
#include "policy_internal.h"
#include "trust.h"

#define MAX_REDIRECTS 5
#define BACKOFF_CAP_MS (10 * SECOND_MS)
/* However long a service asks to be left alone, it is asked again after this. */
#define PAUSE_CAP_MS HOUR_MS

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value > 0 ? value : fallback;
}

int http_global_init(struct error *err)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);

    if (code != CURLE_OK)
        return error_set(err, ERR_CONFIG, "libcurl cannot start: %s", curl_easy_strerror(code));
    /* A peer that closes while we write is an error to report, not a reason to die. */
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

void http_global_clear(void)
{
    curl_global_cleanup();
}

const char *http_reply_header(const struct http_reply *reply, const char *name)
{
    return reply->headers ? http_headers_get(reply->headers, name) : NULL;
}

/* --- the end of a call --- */

static void call_free(struct http_call *call)
{
    struct http_service *service = call->service;

    if (call->state == CALL_WAITING)
        service->stats.waiting--;
    if (call->state == CALL_RUNNING)
        service->stats.in_flight--;
    fairq_remove(&service->queue, &call->place);
    transfer_end(call);
    attempt_clear(&call->attempt);
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
static void unlink_ended(struct http *http, struct http_call *call)
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

static void http_release(struct http *http);

void http_deliver(struct http *http)
{
    if (http->delivering)
        return;
    http->delivering = true;
    while (http->ended && !http->closing) {
        struct http_call *call = http->ended;
        bool failed = call->err.code != ERR_NONE;

        unlink_ended(http, call);
        call->done(call->user, failed ? NULL : &call->reply, failed ? &call->err : NULL);
        call_free(call);
    }
    http->delivering = false;
    if (http->closing)
        http_release(http);
}

static void deliver_later(void *user)
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

static void call_run(struct http_call *call)
{
    struct http_service *service = call->service;

    service->stats.waiting--;
    call->state = CALL_RUNNING;
    loop_timer_stop(call->timer); /* libcurl watches the time now */
    call->attempts++;
    service->stats.requests++;
    if (transfer_begin(call, &call->err) < 0) {
        call_end(call);
        return;
    }
    service->stats.in_flight++;
}

/* Starts as many waiting calls as the limits allow, and comes back when time allows more. */
static void service_pump(struct http_service *service)
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

static void on_wake(void *user)
{
    service_pump(user);
}

static void call_wait(struct http_call *call, bool again)
{
    struct http_service *service = call->service;

    call->state = CALL_WAITING;
    service->stats.waiting++;
    fairq_push(&service->queue, &call->place, call->owner, again);
    loop_timer_start(call->timer, call->deadline_ms - clock_mono_ms());
    service_pump(service);
}

/* The time of a call that is not on the wire is over: its budget while it waits, its pause while
 * it sleeps. */
static void on_call_timer(void *user)
{
    struct http_call *call = user;
    struct http_service *service = call->service;
    int64_t pause = service->paused_until_ms - clock_mono_ms();

    if (call->state == CALL_SLEEPING) {
        call_wait(call, true);
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

void http_attempt_over(struct http_call *call, CURLcode code)
{
    struct http_service *service = call->service;
    bool answered = transfer_outcome(call, code) == 0;
    int64_t limit_ms = answered ? note_limit(service, &call->reply) : -1;
    const char *to = answered && is_redirect(&call->reply) ? transfer_redirect(call) : NULL;
    bool again = to && take_redirect(call, to, &call->err) == 0;
    int64_t delay = again ? -1 : next_attempt_in(call, is_passing(call->err.code), limit_ms);

    transfer_end(call);
    service->stats.in_flight--;
    if (again) {
        call->attempts--; /* another leg of the same one */
        call_wait(call, true);
    } else if (delay >= 0) {
        call_sleep(call, delay);
    } else {
        call_settle(call);
    }
    service_pump(service);
}

/* --- the public face --- */

int http_new(uv_loop_t *loop, const struct net_policy *policy, struct http **ret, struct error *err)
{
    /* An unreadable CA file is the operator's to know at the start, not at the first request. */
    if (net_policy_ca_file(policy) && trust_load(net_policy_trust(policy), err) < 0)
        return -1;
    struct http *http = xcalloc(1, sizeof(*http));
    http->loop = loop;
    http->policy = policy;
    http->trust = net_policy_trust(policy);
    http->ended_tail = &http->ended;
    http->multi = multi_new(http);
    if (!http->multi) {
        free(http);
        return error_set(err, ERR_CONFIG, "libcurl cannot make a multi handle");
    }
    http->deliver = loop_timer_new(loop, deliver_later, http);
    *ret = http;
    return 0;
}

static void service_free(struct http_service *service)
{
    loop_timer_free(service->wake);
    window_clear(&service->rate);
    free(service->name);
    free(service->title);
    free(service);
}

static void http_release(struct http *http)
{
    while (http->calls)
        call_free(http->calls);
    multi_free(http->multi);
    while (http->services) {
        struct http_service *next = http->services->next;
        service_free(http->services);
        http->services = next;
    }
    loop_timer_free(http->deliver);
    free(http);
}

void http_free(struct http *http)
{
    if (!http)
        return;
    http->closing = true;
    if (!http->delivering) /* else http_deliver() does it, once the `done` it runs is back */
        http_release(http);
}

static char *title_of(const struct http_service_options *options)
{
    char *title = xstrdup(options->title ? options->title : options->name);

    if (!options->title)
        title[0] = (char)toupper((unsigned char)title[0]);
    return title;
}

struct http_service *http_service(struct http *http, const struct http_service_options *options)
{
    struct http_service *service = xcalloc(1, sizeof(*service));

    service->http = http;
    service->name = xstrdup(options->name);
    service->title = title_of(options);
    service->max_in_flight = (int)or_default(options->max_in_flight, 8);
    service->retry = (struct retry_policy){
        .max_attempts = (int)or_default(options->max_attempts, 3),
        .base_ms = or_default(options->backoff_base_ms, 200),
        .cap_ms = BACKOFF_CAP_MS,
        .max_wait_ms = or_default(options->max_wait_ms, 10 * SECOND_MS),
    };
    service->limit = options->limit;
    window_init(&service->rate, options->max_per_second > 0 ? (size_t)options->max_per_second : 0,
                SECOND_MS);
    service->wake = loop_timer_new(http->loop, on_wake, service);
    service->next = http->services;
    http->services = service;
    return service;
}

void http_service_stats(const struct http_service *service, struct http_service_stats *ret)
{
    *ret = service->stats;
}

/* A line break would let a value that came from elsewhere add headers or requests of its own. */
static int check_headers(const struct http_request *request, struct error *err)
{
    for (const char *const *h = request->headers; h && *h; h++) {
        if (strpbrk(*h, "\r\n"))
            return error_set(err, ERR_INVALID, "a request header holds a line break");
        if (!strchr(*h, ':'))
            return error_set(err, ERR_INVALID, "a request header is not \"Name: value\"");
    }
    return 0;
}

static char **copy_headers(const char *const *headers)
{
    char **copy = NULL;
    size_t n = 0;

    while (headers && headers[n])
        n++;
    if (n)
        copy = xcalloc(n + 1, sizeof(*copy));
    for (size_t i = 0; i < n; i++)
        copy[i] = xstrdup(headers[i]);
    return copy;
}

static struct http_call *call_new(struct http *http, const struct http_request *request)
{
    struct http_call *call = xcalloc(1, sizeof(*call));

    call->service = request->service;
    call->method = xstrdup(request->method ? request->method : "GET");
    call->url = xstrdup(request->url);
    call->headers = copy_headers(request->headers);
    if (request->body)
        buf_add(&call->body, request->body, request->body_len);
    call->timeout_ms = or_default(request->timeout_ms, 15 * SECOND_MS);
    call->deadline_ms = clock_mono_ms() + or_default(request->budget_ms, 30 * SECOND_MS);
    call->max_bytes = request->max_bytes ? request->max_bytes : (size_t)8 * 1024 * 1024;
    call->idempotent = request->idempotent;
    call->keep_partial = request->keep_partial;
    call->owner = request->owner;
    call->done = request->done;
    call->user = request->user;
    call->timer = loop_timer_new(http->loop, on_call_timer, call);
    call->next = http->calls;
    if (http->calls)
        http->calls->prev = call;
    http->calls = call;
    return call;
}

int http_check(const struct http *http, const struct http_service *service, const char *url,
               struct error *err)
{
    return net_policy_check(http->policy, service->name, url, err);
}

struct http_call *http_start(struct http *http, const struct http_request *request,
                             struct error *err)
{
    if (http_check(http, request->service, request->url, err) < 0 ||
        check_headers(request, err) < 0)
        return NULL;
    struct http_call *call = call_new(http, request);
    call_wait(call, false);
    return call;
}

void http_cancel(struct http_call *call)
{
    if (!call)
        return;
    struct http_service *service = call->service;
    if (call->state == CALL_ENDED)
        unlink_ended(service->http, call);
    call_free(call);
    service_pump(service);
}

bool http_call_sent(const struct http_call *call)
{
    return call->sent;
}
