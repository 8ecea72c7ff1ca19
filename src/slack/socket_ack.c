/*
 * Deliveries. Each has a number, under which the caller acknowledges it, and the keys under which
 * a second delivery of the same thing is recognised. Until it is acknowledged it waits in a list,
 * with all the envelopes that it came in: they are acknowledged together.
 */
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/metrics.h"
#include "dbconn/base/text.h"
#include "socket_internal.h"

#define ACK_MAX_BYTES                                                                              \
    20480 /* what Slack takes from a client; github.com/slack-go/slack/issues/1196 */
#define KEPT_MAX_BYTES 8192
/* Slack gives up on an acknowledgement after 3 s and delivers again, so long after this the caller
 * has lost it. */
#define FORSAKEN_MS (2 * MINUTE_MS)

/* Slack's words are the labels; what it may think of next is one label. */
enum envelope_type { TYPE_SLASH, TYPE_INTERACTIVE, TYPE_EVENT, TYPE_OTHER };
static const char *const type_names[] = { [TYPE_SLASH] = "slash_commands",
                                          [TYPE_INTERACTIVE] = "interactive",
                                          [TYPE_EVENT] = "events_api",
                                          [TYPE_OTHER] = "other" };
_Static_assert(ARRAY_LEN(type_names) == ENVELOPE_TYPES, "one series a type");

/* One envelope that a delivery came in. */
struct arrival {
    struct arrival *next;
    struct conn *conn; /* NULL: gone */
    char *envelope_id;
};

struct delivery {
    struct delivery *prev, *next;
    uint64_t number;
    int64_t at_ms;
    uint64_t at_ns;          /* monotonic */
    enum envelope_type type; /* for the metrics */
    bool accepts_payload;
    struct arrival *arrivals;
    char *keys[FRAME_KEYS];
    size_t n_keys;
};

/* --- the list --- */

static void add_arrival(struct delivery *d, struct conn *conn, const char *envelope_id)
{
    struct arrival *a = xcalloc(1, sizeof(*a));

    a->conn = conn;
    a->envelope_id = xstrdup(envelope_id);
    a->next = d->arrivals;
    d->arrivals = a;
}

static enum envelope_type type_of(const char *name)
{
    enum envelope_type type = TYPE_SLASH;

    while (type != TYPE_OTHER && !text_same(name, type_names[type]))
        type++;
    return type;
}

static struct delivery *delivery_new(struct conn *conn, const struct socket_frame *frame)
{
    struct slack_socket *s = conn->socket;
    struct delivery *d = xcalloc(1, sizeof(*d));

    d->number = ++s->last_delivery;
    d->at_ms = clock_mono_ms();
    d->at_ns = uv_hrtime();
    d->type = type_of(frame->type);
    d->accepts_payload = frame->accepts_payload;
    add_arrival(d, conn, frame->envelope_id);
    for (size_t i = 0; i < frame->n_keys; i++)
        d->keys[d->n_keys++] = xstrdup(buf_str(&frame->keys[i]));
    d->prev = s->last;
    if (s->last)
        s->last->next = d;
    else
        s->first = d;
    s->last = d;
    s->n_waiting++;
    return d;
}

static void delivery_free(struct slack_socket *s, struct delivery *d)
{
    if (d->prev)
        d->prev->next = d->next;
    else
        s->first = d->next;
    if (d->next)
        d->next->prev = d->prev;
    else
        s->last = d->prev;
    s->n_waiting--;
    while (d->arrivals) {
        struct arrival *next = d->arrivals->next;
        free(d->arrivals->envelope_id);
        free(d->arrivals);
        d->arrivals = next;
    }
    for (size_t i = 0; i < d->n_keys; i++)
        free(d->keys[i]);
    free(d);
}

static struct delivery *find_waiting(const struct slack_socket *s, uint64_t number)
{
    struct delivery *d = s->first;

    while (d && d->number != number)
        d = d->next;
    return d;
}

void delivery_forget_conn(struct conn *c)
{
    for (struct delivery *d = c->socket->first; d; d = d->next)
        for (struct arrival *a = d->arrivals; a; a = a->next)
            if (a->conn == c)
                a->conn = NULL;
}

size_t delivery_waiting_on(const struct conn *c)
{
    size_t n = 0;

    for (const struct delivery *d = c->socket->first; d; d = d->next)
        for (const struct arrival *a = d->arrivals; a; a = a->next)
            n += a->conn == c;
    return n;
}

void delivery_clear(struct slack_socket *s)
{
    while (s->first)
        delivery_free(s, s->first);
    for (size_t i = 0; i < KEPT_ANSWERS; i++)
        free(s->kept[i].payload);
}

/* Gives up on what the caller never acknowledged, so that a further delivery is handed up. */
static void drop_forsaken(struct slack_socket *s)
{
    while (s->first && clock_mono_ms() - s->first->at_ms > FORSAKEN_MS) {
        LOG(WARN, "slack.unacknowledged", F_INT("delivery", s->first->number));
        s->status.unacknowledged++;
        for (size_t i = 0; i < s->first->n_keys; i++)
            dedupe_forget(s->seen, s->first->keys[i]);
        delivery_free(s, s->first);
    }
}

/* --- answers --- */

static void keep_answer(struct slack_socket *s, uint64_t number, const char *payload)
{
    struct kept_answer *kept = &s->kept[s->next_kept];

    if (!payload || strlen(payload) > KEPT_MAX_BYTES)
        return;
    s->next_kept = (s->next_kept + 1) % KEPT_ANSWERS;
    kept->delivery = number;
    xreplace(&kept->payload, payload);
}

static const char *kept_answer(const struct slack_socket *s, uint64_t number)
{
    for (size_t i = 0; i < KEPT_ANSWERS; i++)
        if (s->kept[i].delivery == number)
            return s->kept[i].payload;
    return NULL;
}

static int send_ack(struct conn *conn, const char *envelope_id, const char *payload,
                    struct error *err)
{
    struct buf text = BUF_INIT;

    if (!conn)
        return error_set(err, ERR_NETWORK,
                         "the connection that the envelope came by is gone: the answer goes out "
                         "when Slack delivers again");
    socket_ack_write(envelope_id, payload, &text);
    int rc = conn_send(conn, &text, err);
    buf_clear(&text);
    return rc;
}

/* --- arrivals --- */

static void ack_at_once(struct conn *conn, const char *envelope_id, const char *payload)
{
    struct error err = ERROR_INIT;

    if (send_ack(conn, envelope_id, payload, &err) < 0)
        LOG(WARN, "slack.ack_failed", F_STR("error", error_text(&err)));
    error_clear(&err);
}

static void note_keys(struct slack_socket *s, const struct socket_frame *frame, uint64_t number)
{
    int64_t now = clock_mono_ms();

    for (size_t i = 0; i < frame->n_keys; i++)
        dedupe_note(s->seen, buf_str(&frame->keys[i]), number, now);
}

static uint64_t seen_as(struct slack_socket *s, const struct socket_frame *frame)
{
    int64_t now = clock_mono_ms();
    uint64_t number = 0;

    for (size_t i = 0; i < frame->n_keys && !number; i++)
        number = dedupe_find(s->seen, buf_str(&frame->keys[i]), now);
    return number;
}

/* The same thing once more. It is acknowledged with the first one, or as the first one was. */
static void take_again(struct conn *conn, const struct socket_frame *frame, uint64_t number)
{
    struct slack_socket *s = conn->socket;
    struct delivery *d = find_waiting(s, number);

    s->status.duplicates++;
    LOG(INFO, "slack.duplicate", F_STR("type", frame->type), F_INT("delivery", number),
        F_INT("retry", frame->retry_attempt), F_STR("reason", frame->retry_reason));
    note_keys(s, frame, number);
    if (d)
        add_arrival(d, conn, frame->envelope_id);
    else
        ack_at_once(conn, frame->envelope_id,
                    frame->accepts_payload ? kept_answer(s, number) : NULL);
}

static void hand_up(struct conn *conn, const struct socket_frame *frame)
{
    struct slack_socket *s = conn->socket;
    const struct delivery *d = delivery_new(conn, frame);
    const struct slack_envelope envelope = {
        .delivery = d->number,
        .type = frame->type,
        .payload = frame->payload,
        .accepts_payload = frame->accepts_payload,
        .retry_attempt = frame->retry_attempt,
        .retry_reason = frame->retry_reason,
    };

    note_keys(s, frame, d->number);
    s->status.envelopes++;
    s->o.on_envelope(s->o.user, &envelope); /* it may acknowledge inside */
}

void delivery_take(struct conn *conn, struct socket_frame *frame)
{
    struct slack_socket *s = conn->socket;

    if (s->stopping) /* not acknowledged: Slack delivers it to whoever comes after us */
        return;
    if (frame->kind == FRAME_ACK_ONLY) {
        LOG(INFO, "slack.not_understood", F_STR("type", frame->type));
        ack_at_once(conn, frame->envelope_id, NULL);
        return;
    }
    drop_forsaken(s);
    uint64_t number = seen_as(s, frame);
    if (number)
        take_again(conn, frame, number);
    else
        hand_up(conn, frame);
}

/* --- the caller's acknowledgement --- */

/* From Slack's envelope to the acknowledgement, both as this process sees them. Slack gives up
 * after 3 s. */
static void count_ack(struct slack_socket *s, const struct delivery *d)
{
    static const double bounds[] = { 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                     0.05,    0.1,    0.25,  0.5,    1,     2,    3 };
    static const struct metric_def acks = {
        "dbconn_slack_ack_duration_seconds", METRIC_HISTOGRAM,
        "From the arrival of an envelope to its acknowledgement, the commit of its job included.",
        bounds, ARRAY_LEN(bounds)
    };
    struct metric **series = &s->acks[d->type];

    if (!*series)
        *series =
            metrics_get(s->o.metrics, &acks, (const char *[]){ "type", type_names[d->type], NULL });
    metric_observe(*series, (double)(uv_hrtime() - d->at_ns) / 1e9);
}

static int ack_all(struct slack_socket *s, const struct delivery *d, const char *payload,
                   struct error *err)
{
    int rc = -1;

    (void)s;
    for (const struct arrival *a = d->arrivals; a; a = a->next)
        if (send_ack(a->conn, a->envelope_id, payload, rc < 0 ? err : NULL) == 0)
            rc = 0; /* one of its connections has it */
    return rc;
}

/* The answer as text, or NULL when there is none to send. */
static char *answer_text(const struct delivery *d, const cJSON *payload, struct error *err)
{
    char *text = payload && d->accepts_payload ? json_print(payload) : NULL;
    size_t len = text ? strlen(text) : 0;

    /* The envelope_id and its wrapping count too. */
    if (len + strlen(d->arrivals->envelope_id) + 64 <= ACK_MAX_BYTES)
        return text;
    error_set(err, ERR_TOO_LARGE,
              "an answer of %zu bytes is over Slack's %d for an acknowledgement", len,
              ACK_MAX_BYTES);
    free(text);
    return NULL;
}

int slack_socket_ack(struct slack_socket *s, uint64_t number, const cJSON *payload,
                     struct error *err)
{
    struct delivery *d = find_waiting(s, number);
    struct error why = ERROR_INIT, lost = ERROR_INIT;

    if (!d)
        return error_set(err, ERR_INVALID, "no delivery %llu waits for an acknowledgement",
                         (unsigned long long)number);
    char *text = answer_text(d, payload, &why);
    if (ack_all(s, d, text, &lost) < 0)
        error_copy(&why, &lost);
    else
        count_ack(s, d);
    keep_answer(s, number, text);
    delivery_free(s, d);
    if (s->stopping)
        socket_drained(s);
    int rc = why.code != ERR_NONE ? -1 : 0;
    if (rc < 0 && err)
        error_copy(err, &why);
    error_clear(&why);
    error_clear(&lost);
    free(text);
    return rc;
}
