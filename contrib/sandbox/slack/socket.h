/*
 * socket - Socket Mode: tickets, connections, envelopes and their acknowledgement.
 *
 * https://docs.slack.dev/apis/events-api/using-socket-mode, and what users measured of the rest:
 * the limit of 20,480 bytes on client messages (slackapi/bolt-js and slack-go/slack#1196), the
 * order of a renewal (slackapi/bolt-js#1061), redelivery after the receiving connection died
 * (revelrylabs/slax#614).
 */
#ifndef SANDBOX_SLACK_SOCKET_H
#define SANDBOX_SLACK_SOCKET_H

#include "slack/slack.h"

#define ACK_DUE_MS 3000
#define CLIENT_MESSAGE_MAX 20480
#define CONNECTIONS_MAX 10

struct socket_hub *socket_hub_new(struct slack *slack);
void socket_hub_free(struct socket_hub *hub);

/* A new wss address for apps.connections.open; single use. Heap. */
char *socket_new_url(struct socket_hub *hub, const char *base);

/* The WebSocket side of the service. */
int socket_accept(struct socket_hub *hub, const struct request *req);
void socket_open(struct socket_hub *hub, struct ws *ws, const struct request *req);
void socket_message(struct socket_hub *hub, struct ws *ws, const char *text, size_t len,
                    bool fragmented);
void socket_closed(struct socket_hub *hub, struct ws *ws);

/* What an envelope is about; for the answer that its acknowledgement may carry. */
struct envelope_spec {
    const char *type; /* "slash_commands", "interactive", "events_api" */
    bool accepts_response_payload;
    const char *channel, *user; /* where an answer would be shown; or NULL */
    const char *view_id;        /* of a submission; or NULL */
    int64_t connection;         /* deliver to this one; 0: to any */
};

/*
 * Delivers `payload` (taken) to one of the connections. Gives the envelope id, lent, or NULL when
 * no connection is open (Slack shows dispatch_failed to whoever typed).
 */
const char *socket_deliver(struct socket_hub *hub, const struct envelope_spec *spec,
                           cJSON *payload);
/* Sends an envelope again as Slack does after a time-out; false when it is not known. With
 * `new_id` under an id of its own, the payload as it was. */
bool socket_redeliver(struct socket_hub *hub, const char *envelope_id, bool new_id);

/* disconnect frames and worse, on one connection (id) or all (0):
 *   warning             only the frame
 *   refresh_requested   the frame, and the server closes after `close_after_ms`
 *   link_disabled       the frame, the close, and every later connection ends the same way
 *   too_many_websockets the frame and the close
 *   close, cut          no frame: a WebSocket close, or the bare end of the TCP connection
 * any other word is sent as the reason it is. Gives how many connections it concerned. */
int socket_disconnect(struct socket_hub *hub, int64_t connection, const char *reason,
                      int64_t close_after_ms);
/* The renewal as it really goes: warning now, refresh_requested after `delay_ms`, then close. */
int socket_refresh(struct socket_hub *hub, int64_t connection, int64_t delay_ms);
/* A text frame as it stands, to every connection or one. */
int socket_send_raw(struct socket_hub *hub, int64_t connection, const char *text);
void socket_set_ping(struct socket_hub *hub, int64_t every_ms); /* 0: no pings */

/* Caller's trees. */
cJSON *socket_connections(const struct socket_hub *hub);
cJSON *socket_envelopes(const struct socket_hub *hub, const char *envelope_id); /* NULL: all */
/* How many are delivered and not yet acknowledged. */
int64_t socket_waiting(const struct socket_hub *hub);

#endif
