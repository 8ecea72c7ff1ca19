/*
 * One connection of Socket Mode, from asking for its address to its end:
 *
 *   asking -> connecting -> greeting -> open -> leaving -> draining -> (gone)
 *
 *   asking      apps.connections.open is under way
 *   connecting  the WebSocket is being opened
 *   greeting    it is open; hello has not come yet, nothing may be sent
 *   open        in use
 *   leaving     Slack has announced the end; in use until its replacement says hello
 *   draining    replaced; in use until what came by it is acknowledged, or Slack closes it
 *
 * Every callback belongs to one connection object, so an old one cannot disturb a new one.
 */
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"
#include "socket_internal.h"

#define CLOSE_NORMAL 1000

struct conn_state {
    const char *name;
    bool live;    /* counts as one of the wanted connections */
    bool opening; /* and is not there yet */
    bool usable;  /* envelopes come, acknowledgements go */
    /* The WebSocket ended. Afterwards the connection is freed. */
    void (*ended)(struct conn *c, const struct websocket_end *end);
    void (*timer)(struct conn *c); /* the state's time is over */
    void (*hello)(struct conn *c, const struct socket_frame *frame);
};

static void failed_to_open(struct conn *c, const struct websocket_end *end);
static void ended_in_use(struct conn *c, const struct websocket_end *end);
static void ended_as_expected(struct conn *c, const struct websocket_end *end);
static void no_hello(struct conn *c);
static void settled(struct conn *c);
static void drained(struct conn *c);
static void greeted(struct conn *c, const struct socket_frame *frame);

static const struct conn_state asking = { "asking", true, true, false, NULL, NULL, NULL };
static const struct conn_state connecting = {
    "connecting", true, true, false, failed_to_open, NULL, NULL,
};
static const struct conn_state greeting = {
    "greeting", true, true, false, failed_to_open, no_hello, greeted,
};
static const struct conn_state open_ = {
    "open", true, false, true, ended_in_use, settled, NULL,
};
static const struct conn_state leaving = {
    "leaving", false, false, true, ended_as_expected, NULL, NULL,
};
static const struct conn_state draining = {
    "draining", false, false, true, ended_as_expected, drained, NULL,
};
static const struct conn_state closing = {
    "closing", false, false, false, ended_as_expected, NULL, NULL,
};

static void enter(struct conn *c, const struct conn_state *state, int64_t timer_ms)
{
    c->state = state;
    loop_timer_stop(c->timer);
    if (timer_ms > 0)
        loop_timer_start(c->timer, timer_ms);
}

bool conn_is_live(const struct conn *c)
{
    return c->state->live;
}

bool conn_is_opening(const struct conn *c)
{
    return c->state->opening;
}

bool conn_is_usable(const struct conn *c)
{
    return c->state->usable;
}

static void on_timer(void *user)
{
    struct conn *c = user;

    if (c->state->timer)
        c->state->timer(c); /* last statement: it may free the connection */
}

static struct conn *conn_new(struct slack_socket *s)
{
    struct conn *c = xcalloc(1, sizeof(*c));

    c->socket = s;
    c->number = ++s->last_conn;
    c->timer = loop_timer_new(s->o.loop, on_timer, c);
    c->next = s->conns;
    if (s->conns)
        s->conns->prev = c;
    s->conns = c;
    return c;
}

void conn_free(struct conn *c)
{
    struct slack_socket *s = c->socket;

    delivery_forget_conn(c);
    webapi_cancel(c->ask);
    websocket_free(c->ws);
    loop_timer_free(c->timer);
    if (c->prev)
        c->prev->next = c->next;
    else
        s->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    free(c);
}

void conn_close(struct conn *c)
{
    if (c->state == &asking || !c->ws) {
        conn_free(c);
        return;
    }
    if (c->state == &closing)
        return;
    enter(c, &closing, 0);
    websocket_close(c->ws, CLOSE_NORMAL); /* its end frees the connection */
}

int conn_send(struct conn *c, const struct buf *text, struct error *err)
{
    if (!c->state->usable)
        return error_set(err, ERR_NETWORK, "the connection is closing");
    return websocket_send(c->ws, buf_str(text), text->len, err);
}

/* --- ends --- */

static void failed_to_open(struct conn *c, const struct websocket_end *end)
{
    socket_failed(c->socket, end->why);
}

/* Nobody announced it. One that lasted is replaced at once; others are a sign of trouble. */
static void ended_in_use(struct conn *c, const struct websocket_end *end)
{
    struct slack_socket *s = c->socket;

    if (clock_mono_ms() - c->hello_ms >= s->o.settled_ms) {
        LOG(WARN, "slack.socket_lost", F_INT("conn", c->number),
            F_STR("error", error_text(end->why)));
        return;
    }
    socket_failed(s, end->why);
}

static void ended_as_expected(struct conn *c, const struct websocket_end *end)
{
    LOG(INFO, "slack.socket_closed", F_INT("conn", c->number), F_STR("state", c->state->name),
        F_STR("how", error_text(end->why)));
}

static void on_close(void *user, const struct websocket_end *end)
{
    struct conn *c = user;
    struct slack_socket *s = c->socket;

    c->state->ended(c, end);
    conn_free(c);
    socket_changed(s);
    if (s->stopping)
        socket_drained(s); /* last statement */
    else
        socket_supervise(s);
}

static void no_hello(struct conn *c)
{
    struct slack_socket *s = c->socket;
    struct error why = ERROR_INIT;

    error_set(&why, ERR_TIMEOUT, "Slack opened a socket but said no hello within %lld s",
              (long long)(s->o.hello_timeout_ms / SECOND_MS));
    conn_free(c);
    socket_failed(s, &why);
    error_clear(&why);
    socket_supervise(s);
}

static void settled(struct conn *c)
{
    socket_settled(c->socket);
}

/* The time for the rest is over, or nothing is left: close. */
static void drained(struct conn *c)
{
    conn_close(c);
}

/* --- opening --- */

static void on_open(void *user)
{
    struct conn *c = user;

    enter(c, &greeting, c->socket->o.hello_timeout_ms);
}

static void on_message(void *user, const char *text, size_t len);

static void connect_to(struct conn *c, const char *url)
{
    struct slack_socket *s = c->socket;
    struct error err = ERROR_INIT;
    const struct websocket_options options = {
        .service = "slack",
        .title = "Slack",
        .url = url,
        .ping_after_ms = s->o.ping_after_ms,
        .dead_after_ms = s->o.dead_after_ms,
        .on_open = on_open,
        .on_message = on_message,
        .on_close = on_close,
        .user = c,
    };

    enter(c, &connecting, 0);
    c->ws = websocket_open(s->o.sockets, &options, &err);
    if (!c->ws) {
        conn_free(c);
        socket_failed(s, &err);
    }
    error_clear(&err);
}

static void on_address(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct conn *c = user;
    struct slack_socket *s = c->socket;
    const char *url = json_str(reply->json, "url");
    struct error why = ERROR_INIT;

    c->ask = NULL;
    if (!err && url) {
        connect_to(c, url);
    } else {
        conn_free(c);
        if (err)
            error_copy(&why, err);
        else
            error_set(&why, ERR_PROTOCOL, "Slack's apps.connections.open gave no address");
        if (reply->kind == WEBAPI_AUTH)
            socket_fatal(s, &why);
        else
            socket_failed(s, &why);
        error_clear(&why);
    }
    socket_supervise(s);
}

void conn_open(struct slack_socket *s)
{
    struct conn *c = conn_new(s);
    struct error err = ERROR_INIT;
    const struct webapi_request request = { .method = "apps.connections.open",
                                            .done = on_address,
                                            .user = c };

    enter(c, &asking, 0);
    c->ask = webapi_start(s->o.api, &request, &err);
    if (!c->ask) { /* no app token: only the operator can mend that */
        conn_free(c);
        socket_fatal(s, &err);
    }
    error_clear(&err);
}

/* --- messages --- */

static void greeted(struct conn *c, const struct socket_frame *frame)
{
    struct slack_socket *s = c->socket;

    c->hello_ms = clock_mono_ms();
    enter(c, &open_, s->o.settled_ms);
    s->status.last_hello_ms = c->hello_ms;
    s->status.reconnects += ++s->status.connects > (uint64_t)s->o.connections;
    if (frame->num_connections)
        s->status.num_connections = frame->num_connections;
    LOG(INFO, "slack.hello", F_INT("conn", c->number), F_STR("host", frame->host),
        F_INT("num_connections", frame->num_connections), F_INT("lifetime_s", frame->lifetime_s));
    socket_greeted(s);
}

void conn_let_go(struct conn *c)
{
    if (c->state != &leaving)
        return;
    enter(c, &draining, delivery_waiting_on(c) ? c->socket->o.drain_ms : 1);
}

/* Slack counts more connections than it allows. Ours that are on their way out go first. */
static void too_many(struct conn *c)
{
    struct slack_socket *s = c->socket;
    struct error why = ERROR_INIT;

    error_set(&why, ERR_RATE_LIMITED,
              "Slack allows 10 connections of an app and counts more: does another process use "
              "the same app token?");
    for (struct conn *other = s->conns, *next; other; other = next) {
        next = other->next;
        if (other != c && (other->state == &leaving || other->state == &draining))
            conn_close(other);
    }
    enter(c, &leaving, 0); /* Slack closes this one */
    socket_failed(s, &why);
    error_clear(&why);
}

static void on_disconnect(struct conn *c, const struct socket_frame *frame)
{
    struct slack_socket *s = c->socket;
    struct buf reason = BUF_INIT;

    text_clean(frame->reason, true, &reason);
    LOG(INFO, "slack.disconnect", F_INT("conn", c->number), F_STR("reason", buf_str(&reason)),
        F_STR("host", frame->host));
    buf_clear(&reason);
    if (text_same(frame->reason, "link_disabled")) {
        socket_disabled(s); /* closes them all */
        return;
    }
    if (text_same(frame->reason, "too_many_websockets"))
        too_many(c);
    else if (c->state == &open_)
        enter(c, &leaving, 0); /* warning, refresh_requested, or a new word */
    socket_changed(s);
    socket_supervise(s);
}

static void on_message(void *user, const char *text, size_t len)
{
    struct conn *c = user;
    struct slack_socket *s = c->socket;
    struct socket_frame frame;

    s->status.last_heard_ms = clock_mono_ms();
    socket_frame_read(text, len, &frame);
    switch (frame.kind) {
    case FRAME_NOISE:
        LOG(DEBUG, "slack.noise", F_INT("bytes", len));
        break;
    case FRAME_HELLO:
        if (c->state->hello)
            c->state->hello(c, &frame);
        break;
    case FRAME_DISCONNECT:
        on_disconnect(c, &frame);
        break;
    case FRAME_ENVELOPE:
    case FRAME_ACK_ONLY:
        if (c->state->usable)
            delivery_take(c, &frame);
        break;
    }
    socket_frame_clear(&frame);
}
