/*
 * socket_frame - a text message of Socket Mode, read leniently. Pure.
 *
 * Whatever carries an envelope_id has to be acknowledged, also when the rest cannot be read, or it
 * comes again and again. Text that is not JSON happens too, and means nothing.
 */
#ifndef DBCONN_SLACK_SOCKET_FRAME_H
#define DBCONN_SLACK_SOCKET_FRAME_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "dbconn/base/buf.h"

enum frame_kind {
    FRAME_NOISE,      /* nothing that we know: ignored */
    FRAME_HELLO,      /* the connection may be used */
    FRAME_DISCONNECT, /* the connection will end */
    FRAME_ENVELOPE,   /* to be handed upward */
    FRAME_ACK_ONLY,   /* has an envelope_id but nothing that can be worked with */
};

#define FRAME_KEYS 3

struct socket_frame {
    enum frame_kind kind;
    cJSON *json;          /* owned; NULL when it cannot be read */
    const char *type;     /* "" when there is none; lent by json */
    char *envelope_id;    /* NULL when there is none */
    const cJSON *payload; /* an object for FRAME_ENVELOPE; lent by json */
    bool accepts_payload;
    int64_t retry_attempt;
    const char *retry_reason; /* never NULL */

    /* FRAME_HELLO */
    int64_t num_connections; /* 0: not said */
    const char *host;        /* of Slack's, for the log; "" when not said. DISCONNECT too. */
    int64_t lifetime_s;      /* 0: not said */
    /* FRAME_DISCONNECT */
    const char *reason; /* never NULL */

    /* What tells a second delivery of the same thing from a new one, besides the envelope_id. */
    struct buf keys[FRAME_KEYS];
    size_t n_keys;
};

void socket_frame_read(const char *text, size_t len, struct socket_frame *ret);
void socket_frame_clear(struct socket_frame *f);

/* Appends the acknowledgement. `payload` NULL: none. */
void socket_ack_write(const char *envelope_id, const char *payload, struct buf *out);

#endif
