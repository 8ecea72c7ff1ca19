#include <ctype.h>
#include <openssl/ssl.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "dbconn/net/policy.h"
#include "dbconn/net/url.h"
#include "http_internal.h"
#include "trust.h"

#define CONNECT_TIMEOUT_MS 10000
#define USER_AGENT "dbconn/" DBCONN_VERSION

/* --- what libcurl hands over while it receives --- */

static size_t on_header(char *line, size_t size, size_t n, void *user)
{
    struct attempt *attempt = &((struct http_call *)user)->attempt;
    size_t len = size * n;

    /* A new head: what came before it was an interim answer (100 Continue) or the proxy's. */
    if (len >= 5 && !memcmp(line, "HTTP/", 5))
        http_headers_clear(&attempt->reply_headers);
    else
        http_headers_add_line(&attempt->reply_headers, line, len); /* or it is the empty line */
    return len;
}

static CURLcode on_tls(CURL *easy, void *ssl_ctx, void *user)
{
    (void)easy;
    return trust_apply(user, ssl_ctx, NULL) < 0 ? CURLE_SSL_CACERT_BADFILE : CURLE_OK;
}

/*
 * The body of a request that must not be repeated. libcurl sends a request again by itself when a
 * kept connection dies before any answer came (Curl_retry_request()), and for a body given as
 * CURLOPT_POSTFIELDS it can. Given piece by piece, and with a seek that refuses, it cannot, and
 * reports CURLE_SEND_FAIL_REWIND: the service may have acted on the first one.
 */
static size_t on_upload(char *to, size_t size, size_t n, void *user)
{
    struct http_call *call = user;
    size_t left = call->body.len - call->attempt.body_sent;
    size_t take = size * n < left ? size * n : left;

    memcpy(to, call->body.data + call->attempt.body_sent, take);
    call->attempt.body_sent += take;
    return take;
}

static int refuse_seek(void *user, curl_off_t offset, int origin)
{
    (void)user, (void)offset, (void)origin;
    return CURL_SEEKFUNC_FAIL;
}

/* --- the request --- */

static void set_body(CURL *easy, struct http_call *call)
{
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
    if (call->idempotent || !call->body.len) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, buf_str(&call->body));
        return;
    }
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
    curl_easy_setopt(easy, CURLOPT_READDATA, call);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, refuse_seek);
}

static void set_method(CURL *easy, struct http_call *call)
{
    bool body = call->body.len > 0 || text_same(call->method, "POST");

    if (text_same(call->method, "HEAD")) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (body)
        set_body(easy, call);
    if (!text_same(call->method, body ? "POST" : "GET"))
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
}

static void set_headers(CURL *easy, struct http_call *call)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:"); /* no wait for 100 Continue */

    for (char **h = call->headers; h && *h; h++)
        list = curl_slist_append(list, *h);
    call->attempt.headers = list;
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE); /* none to a proxy */
    curl_easy_setopt(easy, CURLOPT_USERAGENT, USER_AGENT);
}

/* The trust store comes through on_tls(), so libcurl itself loads no CA file. */
static void set_tls(CURL *easy, struct http_call *call)
{
    struct http *http = call->service->http;
    static const CURLoption unset[] = { CURLOPT_CAINFO, CURLOPT_CAPATH, CURLOPT_PROXY_CAINFO,
                                        CURLOPT_PROXY_CAPATH };

    for (size_t i = 0; i < ARRAY_LEN(unset); i++)
        curl_easy_setopt(easy, unset[i], NULL);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, http->trust);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SHARE, multi_share(http->multi));
}

static void set_connection(CURL *easy, struct http_call *call)
{
    bool tls = text_istarts(call->url, "https:");

    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L); /* http.c decides */
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A silent name server must not hold the loop when the attempt is given up. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    /* Over TLS, requests for one host wait for the first connection to say whether it speaks
     * HTTP/2 and then share it. In plain text there is no HTTP/2 to wait for. */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     (long)(tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, tls ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");

    call->attempt.proxy = net_policy_proxy(call->url);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    /* "" also keeps libcurl from reading the environment itself. */
    curl_easy_setopt(easy, CURLOPT_PROXY, call->attempt.proxy ? call->attempt.proxy : "");
}

static void set_receivers(CURL *easy, struct http_call *call)
{
    curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->attempt.detail);
}

/* libcurl looks at its time before it reads what has come, so a process that stood still would find
 * every answer too late. What only reads has its time counted awake; anything else must not go out
 * after its time in any case. */
static void set_time(CURL *easy, struct http_call *call)
{
    struct attempt *attempt = &call->attempt;
    int64_t left;

    attempt->began_ms = clock_mono_ms();
    left = call->deadline_ms - attempt->began_ms;
    attempt->limit_ms = call->timeout_ms < left ? call->timeout_ms : left;
    if (attempt->limit_ms < 1)
        attempt->limit_ms = 1; /* 0 would mean "for ever" */
    if (call->patient)
        loop_timer_start_awake(call->timer, attempt->limit_ms);
    else
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)attempt->limit_ms);
    curl_easy_setopt(
        easy, CURLOPT_CONNECTTIMEOUT_MS,
        (long)(attempt->limit_ms < CONNECT_TIMEOUT_MS ? attempt->limit_ms : CONNECT_TIMEOUT_MS));
}

int transfer_begin(struct http_call *call, struct error *err)
{
    struct multi *multi = call->service->http->multi;
    CURL *easy = curl_easy_init();

    if (!easy)
        return error_set(err, ERR_NETWORK, "libcurl cannot begin a request");
    attempt_clear(call);
    call->attempt.easy = easy;
    set_connection(easy, call);
    set_method(easy, call);
    set_headers(easy, call);
    set_tls(easy, call);
    set_receivers(easy, call);
    set_time(easy, call);
    if (multi_add(multi, easy, err) < 0) {
        curl_easy_cleanup(easy);
        call->attempt.easy = NULL;
        return -1;
    }
    return 0;
}

void transfer_end(struct http_call *call)
{
    struct attempt *attempt = &call->attempt;

    if (attempt->easy) {
        multi_remove(call->service->http->multi, attempt->easy);
        curl_easy_cleanup(attempt->easy);
        attempt->easy = NULL;
    }
    for (struct curl_slist *h = attempt->headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data)); /* tokens among them */
    curl_slist_free_all(attempt->headers);
    attempt->headers = NULL;
    free(attempt->proxy);
    attempt->proxy = NULL;
}

void attempt_clear(struct http_call *call)
{
    struct attempt *attempt = &call->attempt;

    http_body_clear(call);
    http_headers_clear(&attempt->reply_headers);
    attempt->body_sent = 0;
    attempt->detail[0] = '\0';
}

/* --- the outcome --- */

int transfer_outcome(struct http_call *call, CURLcode code)
{
    struct attempt *attempt = &call->attempt;
    long status = 0;
    curl_off_t took_us = 0, ready_us = 0;

    curl_easy_getinfo(attempt->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    call->sent |= ready_us > 0 || code == CURLE_SEND_FAIL_REWIND;
    curl_easy_getinfo(attempt->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(attempt->easy, CURLINFO_TOTAL_TIME_T, &took_us);
    if ((code != CURLE_OK && !attempt->enough) || status <= 0)
        return http_fault(call, code);
    if (http_body_end(call, (int)status, &call->err) < 0)
        return -1;
    call->reply = (struct http_reply){
        .status = (int)status,
        .body = buf_str(&attempt->body),
        .body_len = attempt->body.len,
        .truncated = attempt->enough,
        .took_ms = took_us / 1000,
        .headers = &attempt->reply_headers,
    };
    return 0;
}

const char *transfer_redirect(struct http_call *call)
{
    const char *url = NULL;

    curl_easy_getinfo(call->attempt.easy, CURLINFO_REDIRECT_URL, &url);
    return url;
}
