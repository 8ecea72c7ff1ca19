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

#define BACKOFF_CAP_MS (10 * SECOND_MS)
#define MAX_EPOCH_S INT64_C(100000000000) /* the year 5138 */

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

int64_t http_reply_date_ms(const struct http_reply *reply)
{
    const char *date = http_reply_header(reply, "Date");
    time_t at = date ? curl_getdate(date, NULL) : -1;

    /* A year that no clock shows is no time; and it would not fit into milliseconds. */
    return at < 0 || at > MAX_EPOCH_S ? TIME_UNKNOWN : (int64_t)at * SECOND_MS;
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
    http->max_bytes = SIZE_MAX;
    http->max_memory = SIZE_MAX;
    http->trust = net_policy_trust(policy);
    http->ended_tail = &http->ended;
    http->multi = multi_new(http);
    if (!http->multi) {
        free(http);
        return error_set(err, ERR_CONFIG, "libcurl cannot make a multi handle");
    }
    http->deliver = loop_timer_new(loop, http_deliver_later, http);
    http->resume = loop_timer_new(loop, http_resume, http);
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

void http_release(struct http *http)
{
    while (http->calls)
        http_call_free(http->calls);
    multi_free(http->multi);
    while (http->services) {
        struct http_service *next = http->services->next;
        service_free(http->services);
        http->services = next;
    }
    loop_timer_free(http->deliver);
    loop_timer_free(http->resume);
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

void http_limit_answers(struct http *http, size_t max_bytes)
{
    http->max_bytes = max_bytes;
}

struct http_service *http_service(struct http *http, const struct http_service_options *options)
{
    struct http_service *service = http->services;

    while (service && !text_same(service->name, options->name))
        service = service->next;
    if (service)
        return service;
    service = xcalloc(1, sizeof(*service));
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
    service->wake = loop_timer_new(http->loop, http_service_wake, service);
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
    call->number = http->n_calls++;
    call->method = xstrdup(request->method ? request->method : "GET");
    call->url = xstrdup(request->url);
    call->headers = copy_headers(request->headers);
    if (request->body)
        buf_add(&call->body, request->body, request->body_len);
    call->timeout_ms = or_default(request->timeout_ms, 15 * SECOND_MS);
    call->began_ms = clock_mono_ms();
    call->deadline_ms = call->began_ms + or_default(request->budget_ms, 30 * SECOND_MS);
    call->patient = request->patient;
    call->max_bytes = request->max_bytes ? request->max_bytes : (size_t)8 * 1024 * 1024;
    if (call->max_bytes > http->max_bytes)
        call->max_bytes = http->max_bytes;
    call->idempotent = request->idempotent;
    call->filter = request->filter;
    call->filter_arg = request->filter_arg;
    call->owner = request->owner;
    call->may_send = request->may_send;
    call->done = request->done;
    call->user = request->user;
    call->timer = loop_timer_new(http->loop, http_call_timer, call);
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
    http_call_wait(call, false);
    return call;
}

void http_cancel(struct http_call *call)
{
    if (!call)
        return;
    struct http_service *service = call->service;
    if (call->state == CALL_ENDED)
        http_call_unlink(service->http, call);
    http_call_free(call);
    http_service_pump(service);
}

bool http_call_sent(const struct http_call *call)
{
    return call->sent;
}

uv_loop_t *http_loop(const struct http *http)
{
    return http->loop;
}
