/*
 * libcurl tells which sockets to watch and when to call again (CURLMOPT_SOCKETFUNCTION,
 * CURLMOPT_TIMERFUNCTION); libuv watches and calls curl_multi_socket_action()
 * (https://curl.se/libcurl/c/libcurl-multi.html, "multi_socket").
 */
#include "http_internal.h"

struct multi {
    struct http *http;
    CURLM *curlm;
    CURLSH *share; /* TLS sessions, so that a new connection need not start from nothing */
    struct loop_timer *timer;
};

/* One watched socket; outlives its removal until libuv has closed the handle. */
struct watch {
    uv_poll_t poll; /* first: the handle's address is the watch's */
    struct multi *multi;
    curl_socket_t fd;
};

/* Hands over what has ended. The transfers' owners may start and end others meanwhile. */
static void collect(struct multi *multi)
{
    struct CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(multi->curlm, &left))) {
        struct http_call *call = NULL;
        CURLcode code = msg->data.result;

        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        http_attempt_over(call, code);
    }
    http_deliver(multi->http); /* last: the client may be freed in it */
}

static void on_timeout(void *user)
{
    struct multi *multi = user;
    int running;

    curl_multi_socket_action(multi->curlm, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(multi);
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
    struct watch *watch = (struct watch *)handle;
    struct multi *multi = watch->multi;
    int flags = 0, running;

    if (status < 0)
        flags = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    curl_multi_socket_action(multi->curlm, watch->fd, flags, &running);
    collect(multi);
}

static void free_watch(uv_handle_t *handle)
{
    free((struct watch *)handle);
}

static struct watch *watch_new(struct multi *multi, curl_socket_t fd)
{
    struct watch *watch = xcalloc(1, sizeof(*watch));

    watch->multi = multi;
    watch->fd = fd;
    if (uv_poll_init_socket(multi->http->loop, &watch->poll, fd) < 0) {
        free(watch);
        return NULL;
    }
    curl_multi_assign(multi->curlm, fd, watch);
    return watch;
}

/* libcurl wants `fd` watched for `what`, or no longer. -1 makes it give the transfers up. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *socket_user)
{
    struct multi *multi = user;
    struct watch *watch = socket_user;
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch)
            uv_close((uv_handle_t *)&watch->poll, free_watch);
        return 0;
    }
    if (!watch && !(watch = watch_new(multi, fd)))
        return -1;
    if (what != CURL_POLL_OUT)
        events |= UV_READABLE;
    if (what != CURL_POLL_IN)
        events |= UV_WRITABLE;
    return uv_poll_start(&watch->poll, events, on_ready) < 0 ? -1 : 0;
}

static int on_timer_wish(CURLM *curlm, long timeout_ms, void *user)
{
    struct multi *multi = user;

    (void)curlm;
    if (timeout_ms < 0)
        loop_timer_stop(multi->timer);
    else
        loop_timer_start(multi->timer, timeout_ms);
    return 0;
}

struct multi *multi_new(struct http *http)
{
    struct multi *multi = xcalloc(1, sizeof(*multi));

    multi->http = http;
    multi->timer = loop_timer_new(http->loop, on_timeout, multi);
    multi->curlm = curl_multi_init();
    multi->share = curl_share_init();
    if (!multi->curlm || !multi->share) {
        multi_free(multi);
        return NULL;
    }
    curl_share_setopt(multi->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(multi->curlm, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi->curlm, CURLMOPT_SOCKETDATA, multi);
    curl_multi_setopt(multi->curlm, CURLMOPT_TIMERFUNCTION, on_timer_wish);
    curl_multi_setopt(multi->curlm, CURLMOPT_TIMERDATA, multi);
    curl_multi_setopt(multi->curlm, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    curl_multi_setopt(multi->curlm, CURLMOPT_MAXCONNECTS, 32L); /* kept open when idle */
    return multi;
}

void multi_free(struct multi *multi)
{
    if (!multi)
        return;
    curl_multi_cleanup(multi->curlm); /* closes idle connections through on_socket() */
    curl_share_cleanup(multi->share);
    loop_timer_free(multi->timer);
    free(multi);
}

int multi_add(struct multi *multi, CURL *easy, struct error *err)
{
    CURLMcode code = curl_multi_add_handle(multi->curlm, easy);

    if (code != CURLM_OK)
        return error_set(err, ERR_NETWORK, "libcurl: %s", curl_multi_strerror(code));
    return 0;
}

void multi_remove(struct multi *multi, CURL *easy)
{
    curl_multi_remove_handle(multi->curlm, easy);
}

CURLSH *multi_share(struct multi *multi)
{
    return multi->share;
}
