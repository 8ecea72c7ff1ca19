/* Why an attempt brought no answer. */
#include <ctype.h>
#include <string.h>

#include "dbconn/base/clock.h"
#include "dbconn/net/url.h"
#include "http_internal.h"

static void add_amount(struct buf *out, size_t bytes)
{
    if (bytes % (1024 * 1024) == 0)
        buf_addf(out, "%zu MiB", bytes / (1024 * 1024));
    else if (bytes % 1024 == 0)
        buf_addf(out, "%zu KiB", bytes / 1024);
    else
        buf_addf(out, "%zu bytes", bytes);
}

static void add_seconds(struct buf *out, int64_t ms)
{
    if (ms % 1000 == 0)
        buf_addf(out, "%lld s", (long long)(ms / 1000));
    else
        buf_addf(out, "%lld ms", (long long)ms);
}

static int fail_size(struct http_call *call)
{
    struct buf amount = BUF_INIT;

    add_amount(&amount, call->max_bytes);
    error_set(&call->err, ERR_TOO_LARGE, "the answer of %s is larger than %s", call->service->title,
              buf_str(&amount));
    buf_clear(&amount);
    return -1;
}

/* Which part took too long: libcurl knows when it had a connection. */
static int fail_time(struct http_call *call, const char *peer)
{
    struct buf took = BUF_INIT;
    int64_t ms = clock_mono_ms() - call->attempt.began_ms;
    curl_off_t connected = 0;

    curl_easy_getinfo(call->attempt.easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
    /* measured: the whole seconds asked for, and a little */
    add_seconds(&took, ms >= 1000 ? ms / 1000 * 1000 : ms);
    if (connected)
        error_set(&call->err, ERR_TIMEOUT, "%s did not answer within %s", call->service->title,
                  buf_str(&took));
    else
        error_set(&call->err, ERR_TIMEOUT, "%s could not be reached: no connection to %s within %s",
                  call->service->title, peer, buf_str(&took));
    buf_clear(&took);
    return -1;
}

static int fail_connect(struct http_call *call, const char *peer)
{
    long number = 0;

    curl_easy_getinfo(call->attempt.easy, CURLINFO_OS_ERRNO, &number);
    char *reason = xstrdup(number ? strerror((int)number) : "no address accepts connections");
    reason[0] = (char)tolower((unsigned char)reason[0]); /* "Connection refused" mid-sentence */
    error_set(&call->err, ERR_NETWORK, "%s could not be reached: could not connect to %s: %s",
              call->service->title, peer, reason);
    free(reason);
    return -1;
}

static int fail_tls(struct http_call *call, const char *peer, CURLcode code)
{
    const char *detail = call->attempt.detail[0] ? call->attempt.detail : curl_easy_strerror(code);

    return error_set(&call->err, code == CURLE_SSL_CACERT_BADFILE ? ERR_CONFIG : ERR_NETWORK,
                     "%s could not be reached: no trusted TLS connection to %s: %s",
                     call->service->title, peer, detail);
}

static int fail_broken(struct http_call *call, const char *peer)
{
    const char *title = call->service->title;
    long proxy_status = 0;

    curl_easy_getinfo(call->attempt.easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    if (proxy_status >= 300)
        return error_set(&call->err, ERR_NETWORK,
                         "%s could not be reached: the proxy answered %ld for %s", title,
                         proxy_status, peer);
    return error_set(&call->err, ERR_NETWORK, "%s broke the connection off (%s)", title, peer);
}

static int fail_transfer(struct http_call *call, const char *peer, CURLcode code)
{
    const char *title = call->service->title;

    switch ((int)code) {
    case CURLE_OPERATION_TIMEDOUT:
        return fail_time(call, peer);
    case CURLE_COULDNT_RESOLVE_HOST:
        return error_set(&call->err, ERR_NETWORK,
                         "%s could not be reached: the name %s cannot be resolved", title, peer);
    case CURLE_COULDNT_RESOLVE_PROXY:
        return error_set(&call->err, ERR_NETWORK,
                         "%s could not be reached: the proxy's name cannot be resolved", title);
    case CURLE_COULDNT_CONNECT:
        return fail_connect(call, peer);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return fail_tls(call, peer, code);
    case CURLE_BAD_CONTENT_ENCODING:
        return error_set(&call->err, ERR_PROTOCOL, "the answer of %s cannot be decompressed",
                         title);
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_FAIL_REWIND:
        return fail_broken(call, peer);
    default:
        return error_set(&call->err, ERR_NETWORK, "%s could not be asked at %s: %s", title, peer,
                         curl_easy_strerror(code));
    }
}

int http_fault(struct http_call *call, CURLcode code)
{
    struct buf peer = BUF_INIT;
    struct url url = { 0 };

    if (call->attempt.filter_err.code != ERR_NONE) {
        error_copy(&call->err, &call->attempt.filter_err);
        return -1;
    }
    if (call->attempt.over_cap)
        return fail_size(call);
    if (url_parse(call->url, &url, NULL) == 0)
        url_add_authority(&peer, &url);
    if (call->attempt.proxy && code == CURLE_COULDNT_CONNECT)
        buf_adds(&peer, " (through the proxy)");
    int rc = fail_transfer(call, buf_str(&peer), code);
    url_clear(&url);
    buf_clear(&peer);
    return rc;
}
