#include "dbconn/slack/socket.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/log.h"
#include "dbconn/net/retry.h"
#include "socket_internal.h"

#define KEEP_SEEN_MS (10 * MINUTE_MS)
/* Keys in a generation, of which there are two: 2 MiB at most, in a flood. What was committed is
 * known to the store besides. */
#define MAX_SEEN 32768
#define MAX_CONNECTIONS 10

static int count(const struct slack_socket *s, bool (*is)(const struct conn *))
{
    int n = 0;

    for (const struct conn *c = s->conns; c; c = c->next)
        n += is(c);
    return n;
}

/* --- the next connection --- */

static void set_trouble(struct slack_socket *s, const struct error *why)
{
    xreplace(&s->trouble, why ? error_text(why) : NULL);
}

void socket_changed(struct slack_socket *s)
{
    if (s->o.on_state)
        s->o.on_state(s->o.user);
}

/* One attempt at a time. The first after good times is made at once, unless Slack has sent us away
 * several times in short order. */
void socket_supervise(struct slack_socket *s)
{
    int64_t now = clock_mono_ms(), wait;

    if (s->status.stopped || s->stopping || loop_timer_active(s->retry))
        return;
    if (count(s, conn_is_live) >= s->o.connections || count(s, conn_is_opening) > 0)
        return;
    wait = bucket_wait_ms(&s->connects, now);
    if (wait > 0) {
        loop_timer_start(s->retry, wait);
        return;
    }
    (void)bucket_take(&s->connects, now);
    conn_open(s);
}

static void on_retry(void *user)
{
    socket_supervise(user);
}

static void retry_in(struct slack_socket *s, int64_t delay_ms)
{
    if (!s->status.stopped && !s->stopping)
        loop_timer_start(s->retry, delay_ms);
}

void socket_failed(struct slack_socket *s, const struct error *why)
{
    int64_t delay =
        retry_backoff_ms(s->o.backoff_base_ms, s->o.backoff_cap_ms, s->failures, retry_chance());

    if (why->retry_after_ms > delay)
        delay = why->retry_after_ms;
    s->failures++;
    s->status.failures++;
    s->status.consecutive_failures = s->failures;
    set_trouble(s, why);
    LOG(WARN, "slack.reconnect", F_INT("attempt", s->failures), F_INT("delay_ms", delay),
        F_STR("error", error_text(why)));
    retry_in(s, delay);
    socket_changed(s);
    if (why->code == ERR_CONFIG) /* it goes on trying, but somebody has to look */
        s->o.on_trouble(s->o.user, why, false);
}

void socket_greeted(struct slack_socket *s)
{
    int surplus_of_ours = count(s, conn_is_usable) - s->o.connections;
    int64_t expected = s->o.expected_connections + (surplus_of_ours > 0 ? surplus_of_ours : 0);

    s->status.consecutive_failures = 0;
    set_trouble(s, NULL);
    if (s->status.num_connections > expected) /* somebody else takes a share of the commands */
        LOG(WARN, "slack.surplus_connections", F_INT("num_connections", s->status.num_connections),
            F_INT("expected", expected));
    socket_supervise(s);
    if (count(s, conn_is_live) - count(s, conn_is_opening) >= s->o.connections)
        for (struct conn *c = s->conns; c; c = c->next)
            conn_let_go(c);
    socket_changed(s);
}

void socket_settled(struct slack_socket *s)
{
    s->failures = 0;
}

static void close_all(struct slack_socket *s)
{
    for (struct conn *c = s->conns, *next; c; c = next) {
        next = c->next;
        conn_close(c);
    }
}

void socket_disabled(struct slack_socket *s)
{
    struct error why = ERROR_INIT;

    error_set(&why, ERR_FORBIDDEN,
              "Socket Mode is switched off for this app: switch it on in the app's settings "
              "(Socket Mode, Enable Socket Mode); tried again every %lld min",
              (long long)(s->o.disabled_retry_ms / MINUTE_MS));
    LOG(ERROR, "slack.link_disabled", F_STR("error", error_text(&why)));
    set_trouble(s, &why);
    s->status.consecutive_failures = ++s->failures;
    retry_in(s, s->o.disabled_retry_ms); /* before the ends of the others ask for a connection */
    close_all(s);
    socket_changed(s);
    s->o.on_trouble(s->o.user, &why, false);
    error_clear(&why);
}

void socket_fatal(struct slack_socket *s, const struct error *why)
{
    LOG(ERROR, "slack.fatal", F_STR("error", error_text(why)));
    set_trouble(s, why);
    s->status.stopped = true;
    loop_timer_stop(s->retry);
    close_all(s);
    socket_changed(s);
    s->o.on_trouble(s->o.user, why, true);
}

/* --- stopping --- */

static void finish_stop(void *user)
{
    struct slack_socket *s = user;

    if (s->conns) { /* the time to drain is over; the ends of these come here again */
        close_all(s);
        if (s->conns)
            return;
    }
    void (*on_stopped)(void *) = s->on_stopped;
    s->on_stopped = NULL;
    if (on_stopped)
        on_stopped(s->stopped_user); /* last statement: it may free the socket */
}

void socket_drained(struct slack_socket *s)
{
    if (s->stopping && (!s->n_waiting || !s->conns))
        loop_timer_start(s->stop_timer, 0);
}

void slack_socket_stop(struct slack_socket *s, int64_t drain_ms, void (*on_stopped)(void *user),
                       void *user)
{
    s->stopping = s->status.stopped = true;
    s->on_stopped = on_stopped;
    s->stopped_user = user;
    loop_timer_stop(s->retry);
    for (struct conn *c = s->conns, *next; c; c = next) {
        next = c->next;
        if (conn_is_opening(c))
            conn_close(c);
    }
    loop_timer_start(s->stop_timer, s->n_waiting ? drain_ms : 0);
}

/* --- the public face --- */

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value > 0 ? value : fallback;
}

static void fill_defaults(struct slack_socket_options *o)
{
    o->connections = (int)or_default(o->connections, 1);
    if (o->connections > MAX_CONNECTIONS)
        o->connections = MAX_CONNECTIONS;
    o->expected_connections = (int)or_default(o->expected_connections, o->connections);
    o->hello_timeout_ms = or_default(o->hello_timeout_ms, 10 * SECOND_MS);
    o->backoff_base_ms = or_default(o->backoff_base_ms, SECOND_MS);
    o->backoff_cap_ms = or_default(o->backoff_cap_ms, 5 * MINUTE_MS);
    o->settled_ms = or_default(o->settled_ms, 2 * MINUTE_MS);
    o->drain_ms = or_default(o->drain_ms, 30 * SECOND_MS);
    o->disabled_retry_ms = or_default(o->disabled_retry_ms, 5 * MINUTE_MS);
}

struct slack_socket *slack_socket_start(const struct slack_socket_options *options)
{
    struct slack_socket *s = xcalloc(1, sizeof(*s));

    s->o = *options;
    fill_defaults(&s->o);
    s->seen = dedupe_new(KEEP_SEEN_MS, MAX_SEEN);
    s->retry = loop_timer_new(s->o.loop, on_retry, s);
    s->stop_timer = loop_timer_new(s->o.loop, finish_stop, s);
    /* All that are wanted and some replacements at once, then one in 2 s: below the 50 calls a
     * minute that apps.connections.open allows. */
    bucket_init(&s->connects, s->o.connections + 10, 1, 2 * SECOND_MS, clock_mono_ms());
    loop_timer_start(s->retry, 0); /* no callback runs inside this call */
    return s;
}

void slack_socket_free(struct slack_socket *s)
{
    if (!s)
        return;
    while (s->conns)
        conn_free(s->conns);
    delivery_clear(s);
    dedupe_free(s->seen);
    loop_timer_free(s->retry);
    loop_timer_free(s->stop_timer);
    free(s->trouble);
    free(s);
}

void slack_socket_status(const struct slack_socket *s, struct slack_socket_status *ret)
{
    *ret = s->status;
    ret->open = count(s, conn_is_usable);
    ret->wanted = s->o.connections;
    ret->trouble = s->trouble ? s->trouble : "";
    for (const struct conn *c = s->conns; c; c = c->next)
        if (c->ws && conn_is_usable(c) && websocket_heard_ms(c->ws) > ret->last_heard_ms)
            ret->last_heard_ms = websocket_heard_ms(c->ws);
}
