#include "slack/socket.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "slack/answers.h"
#include "slack/call.h"
#include "slack/views.h"
#include "world/ids.h"

#define PING_EVERY_MS 10000
#define DELIVERIES_MAX 4

struct connection {
    int64_t id;
    struct ws *ws;
    struct socket_hub *hub;
    char *host; /* "applink-3" */
    int64_t opened_ms;
    int64_t messages; /* that the client sent */
    struct timer ping, end;
    bool is_ending;  /* gets no more envelopes */
    bool is_refresh; /* `end` first says refresh_requested */
};

struct envelope {
    char *id, *type, *channel, *user, *view_id;
    cJSON *payload;
    bool accepts_response_payload;
    int64_t connection; /* that got it last; 0: none yet */
    int deliveries;
    int64_t first_ms, sent_ms; /* monotonic */
    int64_t acked_ms;          /* -1: not yet */
    int acks;
    cJSON *answer; /* the acknowledgement's payload, or NULL */
    int64_t at_wall_ms;
};

struct ticket {
    char *id;
    bool used;
};

struct socket_hub {
    struct slack *slack;
    struct connection **connections;
    size_t n_connections, cap_connections;
    struct envelope **envelopes;
    size_t n_envelopes, cap_envelopes;
    struct ticket *tickets;
    size_t n_tickets, cap_tickets;
    int64_t last_connection, ping_ms;
    uint64_t turn; /* chooses the connection; no pattern is promised */
    bool freeing;
};

struct socket_hub *socket_hub_new(struct slack *slack)
{
    struct socket_hub *hub = xcalloc(1, sizeof(*hub));

    hub->slack = slack;
    hub->ping_ms = PING_EVERY_MS;
    hub->turn = 88172645463325252u;
    return hub;
}

static void envelope_free(struct envelope *e)
{
    free(e->id);
    free(e->type);
    free(e->channel);
    free(e->user);
    free(e->view_id);
    cJSON_Delete(e->payload);
    cJSON_Delete(e->answer);
    free(e);
}

static void connection_free(struct connection *c)
{
    timer_cancel(&c->ping);
    timer_cancel(&c->end);
    free(c->host);
    free(c);
}

void socket_hub_free(struct socket_hub *hub)
{
    if (!hub)
        return;
    for (size_t i = 0; i < hub->n_connections; i++)
        connection_free(hub->connections[i]);
    for (size_t i = 0; i < hub->n_envelopes; i++)
        envelope_free(hub->envelopes[i]);
    for (size_t i = 0; i < hub->n_tickets; i++)
        free(hub->tickets[i].id);
    free(hub->connections);
    free(hub->envelopes);
    free(hub->tickets);
    free(hub);
}

char *socket_new_url(struct socket_hub *hub, const char *base)
{
    struct ticket *ticket = VEC_ADD(hub->tickets, hub->n_tickets, hub->cap_tickets);
    char *app = id_hash(64, "%s", hub->slack->ws.app_id);

    ticket->id = id_uuid();
    char *url =
        xasprintf("ws://%s/link/?ticket=%s&app_id=%s", base + strlen("http://"), ticket->id, app);
    free(app);
    return url;
}

static struct ticket *find_ticket(struct socket_hub *hub, const char *id)
{
    for (size_t i = 0; id && i < hub->n_tickets; i++)
        if (strcmp(hub->tickets[i].id, id) == 0)
            return &hub->tickets[i];
    return NULL;
}

int socket_accept(struct socket_hub *hub, const struct request *req)
{
    struct ticket *ticket = find_ticket(hub, params_get(&req->query, "ticket"));

    if (strcmp(req->path, "/link/") != 0 && strcmp(req->path, "/link") != 0)
        return 404;
    if (!ticket || ticket->used) {
        slack_note(hub->slack, "a WebSocket was asked for with a ticket that is %s",
                   ticket ? "used" : "unknown");
        return 403;
    }
    ticket->used = true;
    return 101;
}

static int64_t live_connections(const struct socket_hub *hub)
{
    int64_t n = 0;

    for (size_t i = 0; i < hub->n_connections; i++)
        n += !hub->connections[i]->is_ending;
    return n;
}

static void send_tree(struct connection *c, cJSON *tree)
{
    char *text = json_print(tree);

    ws_send(c->ws, text);
    free(text);
    cJSON_Delete(tree);
}

static void send_disconnect(struct connection *c, const char *reason)
{
    cJSON *frame = cJSON_CreateObject();

    json_put_str(frame, "type", "disconnect");
    json_put_str(frame, "reason", reason);
    json_put_str(json_put_object(frame, "debug_info"), "host", c->host);
    send_tree(c, frame);
}

static void end_now(void *user)
{
    struct connection *c = user;

    if (c->is_refresh) {
        c->is_refresh = false;
        c->is_ending = true;
        send_disconnect(c, "refresh_requested");
        timer_start(c->hub->slack->shell, &c->end, 500, end_now, c);
        return;
    }
    ws_close(c->ws, 1000, "");
}

/* No more envelopes; the server closes a little later. */
static void end_after(struct connection *c, int64_t ms)
{
    c->is_ending = true;
    timer_start(c->hub->slack->shell, &c->end, ms, end_now, c);
}

static void send_hello(struct connection *c)
{
    cJSON *hello = cJSON_CreateObject();

    json_put_str(hello, "type", "hello");
    json_put_i64(hello, "num_connections", live_connections(c->hub));
    cJSON *debug = json_put_object(hello, "debug_info");
    json_put_str(debug, "host", c->host);
    json_put_i64(debug, "build_number", 14);
    json_put_i64(debug, "approximate_connection_time", 18060);
    json_put_str(json_put_object(hello, "connection_info"), "app_id", c->hub->slack->ws.app_id);
    send_tree(c, hello);
}

static void ping(void *user)
{
    struct connection *c = user;
    char *body = xasprintf("Ping from %s", c->host);

    if (c->hub->ping_ms > 0) {
        ws_ping(c->ws, body);
        timer_start(c->hub->slack->shell, &c->ping, c->hub->ping_ms, ping, c);
    }
    free(body);
}

static void send_envelope(struct connection *c, struct envelope *e)
{
    cJSON *frame = cJSON_CreateObject();
    bool is_event = strcmp(e->type, "events_api") == 0;

    json_put_str(frame, "envelope_id", e->id);
    cJSON_AddItemToObject(frame, "payload", cJSON_Duplicate(e->payload, true));
    json_put_str(frame, "type", e->type);
    json_put_bool(frame, "accepts_response_payload", e->accepts_response_payload);
    if (is_event) {
        json_put_i64(frame, "retry_attempt", e->deliveries);
        json_put_str(frame, "retry_reason", e->deliveries ? "timeout" : "");
    }
    e->connection = c->id;
    e->deliveries++;
    e->sent_ms = clock_mono_ms();
    if (e->first_ms == 0)
        e->first_ms = e->sent_ms;
    send_tree(c, frame);
}

static struct connection *by_id(const struct socket_hub *hub, int64_t id)
{
    for (size_t i = 0; i < hub->n_connections; i++)
        if (hub->connections[i]->id == id)
            return hub->connections[i];
    return NULL;
}

static struct connection *choose(struct socket_hub *hub, int64_t wanted)
{
    struct connection *open[64];
    size_t n = 0;

    if (wanted)
        return by_id(hub, wanted);
    for (size_t i = 0; i < hub->n_connections && n < ARRAY_LEN(open); i++)
        if (!hub->connections[i]->is_ending)
            open[n++] = hub->connections[i];
    hub->turn ^= hub->turn << 13;
    hub->turn ^= hub->turn >> 7;
    hub->turn ^= hub->turn << 17;
    return n ? open[hub->turn % n] : NULL;
}

/* What nobody acknowledged, and whose connection is gone, comes again on the next one. */
static void send_again(struct socket_hub *hub)
{
    for (size_t i = 0; i < hub->n_envelopes; i++) {
        struct envelope *e = hub->envelopes[i];
        struct connection *c;
        if (e->acked_ms >= 0 || e->deliveries >= DELIVERIES_MAX || by_id(hub, e->connection))
            continue;
        c = choose(hub, 0);
        if (c)
            send_envelope(c, e);
    }
}

static struct connection *add_connection(struct socket_hub *hub, struct ws *ws)
{
    struct connection *c = xcalloc(1, sizeof(*c));

    c->id = ++hub->last_connection;
    c->ws = ws;
    c->hub = hub;
    c->host = xasprintf("applink-%lld", (long long)c->id);
    c->opened_ms = clock_mono_ms();
    ws_set_data(ws, c);
    *VEC_ADD(hub->connections, hub->n_connections, hub->cap_connections) = c;
    return c;
}

void socket_open(struct socket_hub *hub, struct ws *ws, const struct request *req)
{
    struct connection *c = add_connection(hub, ws);

    (void)req;
    if (!hub->slack->socket_mode_enabled) {
        send_disconnect(c, "link_disabled");
        end_after(c, 1);
        return;
    }
    if (live_connections(hub) > CONNECTIONS_MAX) {
        send_disconnect(c, "too_many_websockets");
        end_after(c, 1);
        return;
    }
    send_hello(c);
    if (hub->ping_ms > 0)
        timer_start(hub->slack->shell, &c->ping, hub->ping_ms, ping, c);
    send_again(hub);
}

void socket_closed(struct socket_hub *hub, struct ws *ws)
{
    struct connection *c = ws_data(ws);

    for (size_t i = 0; c && i < hub->n_connections; i++) {
        if (hub->connections[i] != c)
            continue;
        hub->n_connections--;
        memmove(hub->connections + i, hub->connections + i + 1,
                (hub->n_connections - i) * sizeof(*hub->connections));
        break;
    }
    if (c)
        connection_free(c);
    send_again(hub);
}

static struct envelope *find_envelope(const struct socket_hub *hub, const char *id)
{
    for (size_t i = hub->n_envelopes; id && i-- > 0;)
        if (strcmp(hub->envelopes[i]->id, id) == 0)
            return hub->envelopes[i];
    return NULL;
}

static void take_answer(struct socket_hub *hub, struct envelope *e, const cJSON *answer)
{
    struct slack *slack = hub->slack;

    if (!cJSON_IsObject(answer) || !answer->child)
        return;              /* the Node client sends an empty payload with every acknowledgement */
    cJSON_Delete(e->answer); /* of an earlier delivery */
    e->answer = cJSON_Duplicate(answer, true);
    if (!e->accepts_response_payload)
        slack_note(slack, "envelope %s was answered but does not take answers", e->id);
    else if (e->view_id)
        views_answer(slack, e->view_id, answer);
    else if (e->channel)
        answers_show(slack, e->channel, e->user, answer, "the acknowledgement");
}

static void acknowledge(struct socket_hub *hub, struct connection *c, struct envelope *e,
                        const cJSON *answer)
{
    struct slack *slack = hub->slack;

    if (++e->acks > 1) {
        slack_note(slack, "envelope %s was acknowledged %d times", e->id, e->acks);
        return;
    }
    if (e->connection != c->id) {
        slack_note(slack, "envelope %s came on connection %lld and was acknowledged on %lld", e->id,
                   (long long)e->connection, (long long)c->id);
        e->acks = 0;
        return;
    }
    e->acked_ms = clock_mono_ms();
    if (e->acked_ms - e->sent_ms > ACK_DUE_MS) {
        slack_note(slack, "envelope %s was acknowledged after %lld ms", e->id,
                   (long long)(e->acked_ms - e->sent_ms));
        answers_time_out(slack, e->channel, e->user, e->payload);
        return;
    }
    if (e->view_id && !(cJSON_IsObject(answer) && answer->child))
        views_answer(slack, e->view_id, NULL);
    take_answer(hub, e, answer);
}

void socket_message(struct socket_hub *hub, struct ws *ws, const char *text, size_t len,
                    bool fragmented)
{
    struct connection *c = ws_data(ws);
    cJSON *tree = NULL;

    if (!c)
        return;
    c->messages++;
    if (len > CLIENT_MESSAGE_MAX) {
        slack_note(hub->slack, "a client message of %zu bytes (limit %d)", len, CLIENT_MESSAGE_MAX);
        ws_close(ws, 1009, "Max frame length of 20480 has been exceeded.");
        return;
    }
    if (fragmented) {
        slack_note(hub->slack, "a client message in several frames");
        return;
    }
    if (json_parse(text, len, "client message", &tree, NULL) < 0) {
        slack_note(hub->slack, "a client message that is no JSON");
        return;
    }
    struct envelope *e = find_envelope(hub, json_str(tree, "envelope_id"));
    if (e)
        acknowledge(hub, c, e, json_get(tree, "payload"));
    else
        slack_note(hub->slack, "an acknowledgement of an unknown envelope");
    cJSON_Delete(tree);
}

static struct envelope *add_envelope(struct socket_hub *hub, const struct envelope_spec *spec,
                                     cJSON *payload)
{
    struct envelope *e = xcalloc(1, sizeof(*e));

    e->id = id_uuid();
    e->type = xstrdup(spec->type);
    e->channel = xstrdup(spec->channel);
    e->user = xstrdup(spec->user);
    e->view_id = xstrdup(spec->view_id);
    e->payload = payload;
    e->accepts_response_payload = spec->accepts_response_payload;
    e->acked_ms = -1;
    e->at_wall_ms = clock_wall_ms();
    *VEC_ADD(hub->envelopes, hub->n_envelopes, hub->cap_envelopes) = e;
    return e;
}

const char *socket_deliver(struct socket_hub *hub, const struct envelope_spec *spec, cJSON *payload)
{
    struct connection *c = choose(hub, spec->connection);

    if (!c) {
        cJSON_Delete(payload);
        return NULL;
    }
    struct envelope *e = add_envelope(hub, spec, payload);
    send_envelope(c, e);
    return e->id;
}

bool socket_redeliver(struct socket_hub *hub, const char *envelope_id, bool new_id)
{
    struct envelope *e = find_envelope(hub, envelope_id);
    struct connection *c = choose(hub, 0);

    if (!e || !c)
        return false;
    if (new_id) {
        struct envelope_spec spec = {
            .type = e->type,
            .accepts_response_payload = e->accepts_response_payload,
            .channel = e->channel,
            .user = e->user,
            .view_id = e->view_id,
        };
        struct envelope *copy = add_envelope(hub, &spec, cJSON_Duplicate(e->payload, true));
        copy->deliveries = e->deliveries;
        e = copy;
    }
    e->acked_ms = -1;
    e->acks = 0;
    send_envelope(c, e);
    return true;
}

int socket_disconnect(struct socket_hub *hub, int64_t connection, const char *reason,
                      int64_t close_after_ms)
{
    int n = 0;

    if (strcmp(reason, "link_disabled") == 0)
        hub->slack->socket_mode_enabled = false;
    for (size_t i = 0; i < hub->n_connections; i++) {
        struct connection *c = hub->connections[i];
        if (connection && c->id != connection)
            continue;
        n++;
        if (strcmp(reason, "cut") == 0) {
            ws_cut(c->ws);
            continue;
        }
        if (strcmp(reason, "close") != 0)
            send_disconnect(c, reason);
        if (strcmp(reason, "warning") != 0)
            end_after(c, close_after_ms);
    }
    return n;
}

int socket_refresh(struct socket_hub *hub, int64_t connection, int64_t delay_ms)
{
    int n = 0;

    for (size_t i = 0; i < hub->n_connections; i++) {
        struct connection *c = hub->connections[i];
        if ((connection && c->id != connection) || c->is_ending)
            continue;
        n++;
        send_disconnect(c, "warning");
        c->is_refresh = true;
        timer_start(hub->slack->shell, &c->end, delay_ms, end_now, c);
    }
    return n;
}

int socket_send_raw(struct socket_hub *hub, int64_t connection, const char *text)
{
    int n = 0;

    for (size_t i = 0; i < hub->n_connections; i++) {
        if (connection && hub->connections[i]->id != connection)
            continue;
        ws_send(hub->connections[i]->ws, text);
        n++;
    }
    return n;
}

void socket_set_ping(struct socket_hub *hub, int64_t every_ms)
{
    hub->ping_ms = every_ms;
    for (size_t i = 0; i < hub->n_connections; i++) {
        struct connection *c = hub->connections[i];
        timer_cancel(&c->ping);
        if (every_ms > 0)
            timer_start(hub->slack->shell, &c->ping, every_ms, ping, c);
    }
}

cJSON *socket_connections(const struct socket_hub *hub)
{
    cJSON *out = cJSON_CreateArray();

    for (size_t i = 0; i < hub->n_connections; i++) {
        const struct connection *c = hub->connections[i];
        cJSON *row = cJSON_CreateObject();
        json_put_i64(row, "id", c->id);
        json_put_str(row, "host", c->host);
        json_put_i64(row, "age_ms", clock_mono_ms() - c->opened_ms);
        json_put_i64(row, "messages", c->messages);
        json_put_bool(row, "ending", c->is_ending);
        cJSON_AddItemToArray(out, row);
    }
    return out;
}

static cJSON *envelope_json(const struct envelope *e)
{
    cJSON *row = cJSON_CreateObject();

    json_put_str(row, "envelope_id", e->id);
    json_put_str(row, "type", e->type);
    json_put_time(row, "at", e->at_wall_ms);
    json_put_i64(row, "connection", e->connection);
    json_put_i64(row, "deliveries", e->deliveries);
    json_put_bool(row, "acknowledged", e->acked_ms >= 0);
    if (e->acked_ms >= 0)
        json_put_i64(row, "ack_ms", e->acked_ms - e->sent_ms);
    else
        json_put_null(row, "ack_ms");
    json_put_i64(row, "acks", e->acks);
    if (e->answer)
        cJSON_AddItemToObject(row, "answer", cJSON_Duplicate(e->answer, true));
    cJSON_AddItemToObject(row, "payload", cJSON_Duplicate(e->payload, true));
    return row;
}

cJSON *socket_envelopes(const struct socket_hub *hub, const char *envelope_id)
{
    cJSON *out = cJSON_CreateArray();

    for (size_t i = 0; i < hub->n_envelopes; i++)
        if (!envelope_id || strcmp(hub->envelopes[i]->id, envelope_id) == 0)
            cJSON_AddItemToArray(out, envelope_json(hub->envelopes[i]));
    return out;
}

int64_t socket_waiting(const struct socket_hub *hub)
{
    int64_t n = 0;

    for (size_t i = 0; i < hub->n_envelopes; i++)
        n += hub->envelopes[i]->acked_ms < 0;
    return n;
}

void apps_connections_open(struct call *call)
{
    char *url = socket_new_url(call->slack->hub, call->req->base);

    json_put_str(call->reply, "url", url);
    free(url);
}
