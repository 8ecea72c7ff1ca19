/* The body of an answer while it comes: kept as it is, or what its filter keeps of it. */
#include <string.h>

#include "http_internal.h"

#define MAX_ERROR_BODY                                                                             \
    ((size_t)64 * 1024) /* of an answer that is not filtered: enough for a reason */

static bool is_filtered(const struct http_call *call, int status)
{
    return call->filter && status == 200;
}

static int status_of(const struct http_call *call)
{
    long status = 0;

    curl_easy_getinfo(call->attempt.easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static void begin_filter(struct http_call *call)
{
    if (!call->attempt.filter)
        call->attempt.filter = call->filter->begin(call->filter_arg);
}

/* How many of the bytes that came are taken; all, or the transfer ends. */
static size_t filter_bytes(struct http_call *call, const char *bytes, size_t len)
{
    struct attempt *attempt = &call->attempt;

    attempt->over_cap = len > call->max_bytes - attempt->received;
    if (attempt->over_cap)
        return 0;
    attempt->received += len;
    begin_filter(call);
    int rc = call->filter->feed(attempt->filter, bytes, len, &attempt->body, &attempt->filter_err);
    attempt->enough = rc > 0;
    return rc == 0 ? len : 0;
}

/* All of it; or of an error text, where a filter was meant, the beginning. */
static size_t keep_bytes(struct http_call *call, const char *bytes, size_t len)
{
    struct attempt *attempt = &call->attempt;
    size_t cap =
        call->filter && call->max_bytes > MAX_ERROR_BODY ? MAX_ERROR_BODY : call->max_bytes;
    size_t room = cap - attempt->body.len, take = len <= room ? len : call->filter ? room : 0;

    attempt->over_cap = len > room;
    attempt->enough = attempt->over_cap && call->filter;
    attempt->received += take;
    if (!buf_add_capped(&attempt->body, bytes, take, cap))
        attempt->over_cap = true; /* no memory for it: the same to the caller */
    return attempt->over_cap ? 0 : len;
}

size_t http_on_body(char *bytes, size_t size, size_t n, void *user)
{
    struct http_call *call = user;
    size_t len = size * n;

    if (!http_memory_may_take(call))
        return CURL_WRITEFUNC_PAUSE;
    /* 0 ends the transfer with CURLE_WRITE_ERROR */
    size_t taken = is_filtered(call, status_of(call)) ? filter_bytes(call, bytes, len)
                                                      : keep_bytes(call, bytes, len);
    http_memory_count(call);
    return taken;
}

int http_body_end(struct http_call *call, int status, struct error *err)
{
    struct attempt *attempt = &call->attempt;

    if (!is_filtered(call, status) || attempt->enough)
        return 0;
    begin_filter(call);
    int rc = call->filter->end(attempt->filter, &attempt->body, err);
    http_memory_count(call);
    return rc;
}

void http_body_clear(struct http_call *call)
{
    struct attempt *attempt = &call->attempt;

    if (attempt->filter)
        call->filter->free(attempt->filter);
    attempt->filter = NULL;
    buf_clear(&attempt->body);
    http_memory_count(call);
    error_clear(&attempt->filter_err);
    attempt->received = 0;
    attempt->over_cap = attempt->enough = attempt->paused = false;
}
