/*
 * From a URL to an address. libwebsockets 4.1 asks the name server itself and blocks meanwhile
 * (lws_client_connect_via_info(), built without LWS_WITH_SYS_ASYNC_DNS), so it is only ever given
 * numeric addresses, which libuv's threads found.
 */
#include <curl/curl.h>
#include <netdb.h>
#include <string.h>

#include "dbconn/base/text.h"
#include "websocket_internal.h"

#define MAX_ADDRESSES 8

/* Outlives its socket when libuv cannot take the request back. */
struct resolve {
    uv_getaddrinfo_t req; /* first */
    struct websocket *ws; /* NULL: nobody waits any more */
};

/* --- the proxy --- */

/* "user:password" as libwebsockets wants it: decoded. NULL without a user. */
static char *read_proxy_auth(const char *proxy)
{
    CURLU *handle = curl_url();
    char *user = NULL, *password = NULL, *auth = NULL;

    if (handle && curl_url_set(handle, CURLUPART_URL, proxy, 0) == CURLUE_OK &&
        curl_url_get(handle, CURLUPART_USER, &user, CURLU_URLDECODE) == CURLUE_OK) {
        (void)curl_url_get(handle, CURLUPART_PASSWORD, &password, CURLU_URLDECODE);
        auth = xasprintf("%s:%s", user, password ? password : "");
    }
    curl_free(user);
    curl_free(password);
    curl_url_cleanup(handle);
    return auth;
}

static int take_proxy(struct websocket *ws, const char *proxy, struct error *err)
{
    if (url_parse(proxy, &ws->proxy, NULL) < 0 || !text_same(ws->proxy.scheme, "http"))
        return error_set(err, ERR_CONFIG,
                         "the proxy for %s is not an http:// one: HTTPS_PROXY=http://HOST:PORT is "
                         "what the socket can go through",
                         ws->title);
    ws->proxy_auth = read_proxy_auth(proxy);
    return 0;
}

int websocket_read_proxy(struct websocket *ws, const char *url, struct error *err)
{
    char *proxy = net_policy_proxy(url), *full = NULL;
    int rc = 0;

    if (proxy) {
        /* "proxy:3128" is common; 80 is not the usual port of a proxy, but the URL's own. */
        full = strstr(proxy, "://") ? xstrdup(proxy) : xasprintf("http://%s", proxy);
        rc = take_proxy(ws, full, err);
    }
    free(proxy);
    free(full);
    return rc;
}

/* --- names --- */

static void take_addresses(struct websocket *ws, const struct addrinfo *list)
{
    char text[INET6_ADDRSTRLEN];

    if (!ws->addresses)
        ws->addresses = xcalloc(MAX_ADDRESSES, sizeof(*ws->addresses));
    for (; list && ws->n_addresses < MAX_ADDRESSES; list = list->ai_next) {
        if (getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof(text), NULL, 0,
                        NI_NUMERICHOST) == 0)
            ws->addresses[ws->n_addresses++] = xstrdup(text);
    }
}

static const char *name_to_resolve(const struct websocket *ws)
{
    return ws->proxy.host ? ws->proxy.host : ws->url.host;
}

static void resolved(struct websocket *ws, int status, const struct addrinfo *list)
{
    ws->resolve = NULL;
    if (status == 0)
        take_addresses(ws, list);
    else
        error_set(&ws->why, ERR_NETWORK,
                  "%s could not be reached: the name %s cannot be resolved (%s)", ws->title,
                  name_to_resolve(ws), uv_strerror(status));
    websocket_attempt_failed(ws); /* the attempt without an address; the first one follows */
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct resolve *resolve = (struct resolve *)req;
    struct websocket *ws = resolve->ws;

    if (ws)
        resolved(ws, status, list);
    uv_freeaddrinfo(list);
    free(resolve);
}

void websocket_resolve(struct websocket *ws)
{
    const char *name = name_to_resolve(ws);
    /* AI_ADDRCONFIG leaves IPv6 out where there is none, and loopback too, so not for that. */
    const struct addrinfo hints = { .ai_family = AF_UNSPEC,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_flags = url_is_loopback_host(name) ? 0 : AI_ADDRCONFIG };
    struct resolve *resolve = xcalloc(1, sizeof(*resolve));
    int rc = uv_getaddrinfo(ws->owner->loop, &resolve->req, on_resolved, name, NULL, &hints);

    if (rc < 0) {
        free(resolve);
        error_set(&ws->why, ERR_NETWORK, "%s could not be reached: the name %s: %s", ws->title,
                  name, uv_strerror(rc));
        websocket_finish_later(ws);
        return;
    }
    resolve->ws = ws;
    ws->resolve = resolve;
}

void websocket_resolve_cancel(struct websocket *ws)
{
    if (!ws->resolve)
        return;
    ws->resolve->ws = NULL;
    (void)uv_cancel((uv_req_t *)&ws->resolve->req); /* under way: its answer is ignored */
    ws->resolve = NULL;
}

bool websocket_connect_next(struct websocket *ws)
{
    while (ws->next_address < ws->n_addresses) {
        ws->state = WS_CONNECTING;
        if (ws_connect(ws, ws->addresses[ws->next_address++]))
            return true;
    }
    return false;
}
