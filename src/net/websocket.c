#include "dbconn/net/websocket.h"

#include <string.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/log.h"
#include "websocket_internal.h"

/* With another address to try, one that does not answer gets this long. */
#define ADDRESS_TIMEOUT_MS (4 * SECOND_MS)
/* libwebsockets cuts a longer request line off, silently. */
#define MAX_TARGET 2000

int websockets_new(uv_loop_t *loop, const struct net_policy *policy, struct websockets **ret,
                   struct error *err)
{
    struct websockets *sockets = xcalloc(1, sizeof(*sockets));

    sockets->loop = loop;
    sockets->policy = policy;
    if (ws_context_open(sockets, err) < 0) {
        free(sockets);
        return -1;
    }
    sockets->flusher = ws_flusher_new(sockets);
    *ret = sockets;
    return 0;
}

void websockets_free(struct websockets *sockets)
{
    if (!sockets)
        return;
    while (sockets->first)
        websocket_free(sockets->first);
    ws_flusher_free(sockets->flusher);
    ws_context_close(sockets);
    free(sockets);
}

/* --- the end --- */

static void report(struct websocket *ws)
{
    const struct websocket_end end = { ws->close_code, ws->http_status, &ws->why };

    loop_timer_stop(ws->deadline);
    ws->options.on_close(ws->options.user, &end); /* last statement: the owner may free `ws` */
}

static void stop(struct websocket *ws)
{
    ws->state = WS_ENDED;
    websocket_resolve_cancel(ws);
    ws_detach(ws);
    loop_timer_stop(ws->pulse);
    loop_timer_stop(ws->deadline);
}

void websocket_finish(struct websocket *ws)
{
    stop(ws);
    report(ws);
}

void websocket_finish_later(struct websocket *ws)
{
    stop(ws);
    loop_timer_start(ws->deadline, 0);
}

static void fail_open_timeout(struct websocket *ws)
{
    if (ws->state == WS_RESOLVING)
        error_set(&ws->why, ERR_TIMEOUT, "the name %s could not be resolved within %lld s",
                  ws->url.host, (long long)(ws->options.open_timeout_ms / SECOND_MS));
    else
        error_set(&ws->why, ERR_TIMEOUT, "%s did not open a socket at %s within %lld s", ws->title,
                  ws->url.host, (long long)(ws->options.open_timeout_ms / SECOND_MS));
}

static void on_deadline(void *user)
{
    struct websocket *ws = user;

    switch (ws->state) {
    case WS_ENDED:
        report(ws);
        break;
    case WS_RESOLVING:
    case WS_CONNECTING:
        fail_open_timeout(ws);
        websocket_attempt_failed(ws);
        break;
    case WS_OPEN:
    case WS_CLOSING: /* the peer does not answer our close: cut it */
        websocket_finish(ws);
        break;
    }
}

/* --- connecting --- */

/* How long what is tried now may take. */
static void arm_deadline(struct websocket *ws)
{
    int64_t left = ws->open_by_ms - clock_mono_ms();
    bool others = ws->state == WS_CONNECTING && !ws->reached && ws->next_address < ws->n_addresses;

    loop_timer_start(ws->deadline, others && left > ADDRESS_TIMEOUT_MS ? ADDRESS_TIMEOUT_MS : left);
}

void websocket_attempt_failed(struct websocket *ws)
{
    ws_detach(ws);
    if (!ws->reached && clock_mono_ms() < ws->open_by_ms && websocket_connect_next(ws))
        arm_deadline(ws);
    else
        websocket_finish(ws);
}

void websocket_reached(struct websocket *ws)
{
    ws->reached = true;
    arm_deadline(ws);
}

void websocket_opened(struct websocket *ws)
{
    ws->state = WS_OPEN;
    error_clear(&ws->why);
    loop_timer_stop(ws->deadline);
    websocket_heard(ws);
    loop_timer_start(ws->pulse, ws->options.ping_after_ms);
    ws->options.on_open(ws->options.user); /* last statement */
}

void websocket_closing(struct websocket *ws)
{
    ws->state = WS_CLOSING;
    loop_timer_stop(ws->pulse);
    loop_timer_start(ws->deadline, ws->options.close_timeout_ms);
}

void websocket_sent_all(struct websocket *ws)
{
    if (ws->our_code)
        loop_timer_start(ws->pulse, 0); /* outside libwebsockets' callback, see ws_send_close() */
}

/* --- liveness --- */

void websocket_heard(struct websocket *ws)
{
    ws->heard_ms = clock_mono_ms(); /* on_pulse() works out the rest; no timer is moved here */
}

static void on_pulse(void *user)
{
    struct websocket *ws = user;
    const struct websocket_options *o = &ws->options;
    int64_t silent = clock_mono_ms() - ws->heard_ms, next = o->ping_after_ms - silent;

    if (ws->state == WS_CLOSING) {
        ws_send_close(ws); /* last statement */
        return;
    }
    if (silent >= o->dead_after_ms) {
        error_set(&ws->why, ERR_TIMEOUT, "the socket of %s was silent for %lld s", ws->title,
                  (long long)(silent / SECOND_MS));
        websocket_finish(ws);
        return;
    }
    if (next <= 0) {
        ws->ping_due = true;
        ws_want_write(ws);
        next = o->ping_after_ms;
        if (next > o->dead_after_ms - silent)
            next = o->dead_after_ms - silent;
    }
    loop_timer_start(ws->pulse, next);
}

/* --- the public face --- */

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value > 0 ? value : fallback;
}

static void read_options(struct websocket *ws, const struct websocket_options *options)
{
    struct websocket_options *o = &ws->options;

    *o = *options;
    o->service = o->title = o->url = NULL; /* the caller's */
    o->open_timeout_ms = or_default(o->open_timeout_ms, 15 * SECOND_MS);
    o->ping_after_ms = or_default(o->ping_after_ms, 12 * SECOND_MS);
    o->dead_after_ms = or_default(o->dead_after_ms, 35 * SECOND_MS);
    o->close_timeout_ms = or_default(o->close_timeout_ms, 2 * SECOND_MS);
    o->max_message = o->max_message ? o->max_message : (size_t)4 * 1024 * 1024;
    o->max_send = o->max_send ? o->max_send : 20480;
    o->max_queued = o->max_queued ? o->max_queued : (size_t)4 * 1024 * 1024;
}

static struct websocket *websocket_new(struct websockets *sockets,
                                       const struct websocket_options *options)
{
    struct websocket *ws = xcalloc(1, sizeof(*ws));

    ws->owner = sockets;
    ws->title = xstrdup(options->title);
    read_options(ws, options);
    ws->deadline = loop_timer_new(sockets->loop, on_deadline, ws);
    ws->pulse = loop_timer_new(sockets->loop, on_pulse, ws);
    ws->next = sockets->first;
    if (sockets->first)
        sockets->first->prev = ws;
    sockets->first = ws;
    return ws;
}

static int prepare(struct websocket *ws, const char *url, struct error *err)
{
    if (url_parse(url, &ws->url, err) < 0)
        return -1;
    if (strlen(ws->url.target) > MAX_TARGET)
        return error_set(err, ERR_CONFIG, "%s handed out a socket address longer than %d bytes",
                         ws->title, MAX_TARGET);
    if (url_is_tls(&ws->url) && ws_context_need_tls(ws->owner, err) < 0)
        return -1;
    return websocket_read_proxy(ws, url, err);
}

struct websocket *websocket_open(struct websockets *sockets,
                                 const struct websocket_options *options, struct error *err)
{
    if (net_policy_check(sockets->policy, options->service, options->url, err) < 0)
        return NULL;
    struct websocket *ws = websocket_new(sockets, options);
    if (prepare(ws, options->url, err) < 0) {
        websocket_free(ws);
        return NULL;
    }
    ws->open_by_ms = clock_mono_ms() + ws->options.open_timeout_ms;
    ws->state = WS_RESOLVING;
    arm_deadline(ws);
    websocket_resolve(ws);
    return ws;
}

void websocket_free(struct websocket *ws)
{
    if (!ws)
        return;
    stop(ws);
    if (ws->prev)
        ws->prev->next = ws->next;
    else
        ws->owner->first = ws->next;
    if (ws->next)
        ws->next->prev = ws->prev;
    loop_timer_free(ws->deadline);
    loop_timer_free(ws->pulse);
    buf_clear(&ws->out);
    buf_clear(&ws->message);
    for (size_t i = 0; i < ws->n_addresses; i++)
        free(ws->addresses[i]);
    free(ws->addresses);
    if (ws->url.target) /* the ticket in it is a secret */
        explicit_bzero(ws->url.target, strlen(ws->url.target));
    url_clear(&ws->url);
    url_clear(&ws->proxy);
    free(ws->proxy_auth);
    free(ws->title);
    error_clear(&ws->why);
    free(ws);
}

int websocket_send(struct websocket *ws, const char *text, size_t len, struct error *err)
{
    const struct websocket_options *o = &ws->options;

    if (ws->state != WS_OPEN)
        return error_set(err, ERR_NETWORK, "the socket of %s is not open", ws->title);
    if (len > o->max_send)
        return error_set(err, ERR_TOO_LARGE, "a message of %zu bytes is over the limit of %zu", len,
                         o->max_send);
    if (ws_queued(ws) > o->max_queued || len > o->max_queued - ws_queued(ws))
        return error_set(err, ERR_TOO_LARGE, "%zu bytes are already waiting to be sent to %s",
                         ws_queued(ws), ws->title);
    return ws_queue_text(ws, text, len, err);
}

void websocket_close(struct websocket *ws, int code)
{
    if (ws->state == WS_CLOSING || ws->state == WS_ENDED)
        return;
    error_set(&ws->why, ERR_CANCELLED, "the socket of %s was closed by us", ws->title);
    if (ws->state != WS_OPEN) {
        websocket_finish_later(ws);
        return;
    }
    ws->our_code = code;
    websocket_closing(ws);
    if (!ws_queued(ws))
        websocket_sent_all(ws);
}

bool websocket_is_open(const struct websocket *ws)
{
    return ws->state == WS_OPEN;
}

size_t websocket_queued(const struct websocket *ws)
{
    return ws_queued(ws);
}

int64_t websocket_heard_ms(const struct websocket *ws)
{
    return ws->heard_ms;
}
