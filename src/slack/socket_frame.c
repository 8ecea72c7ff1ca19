#include "socket_frame.h"

#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define MAX_ID 200

/* The envelope_id of a text that is no readable JSON: the string behind its name, if that much can
 * be made out. */
static char *scan_envelope_id(const char *text, size_t len)
{
    static const char name[] = "\"envelope_id\"";
    const char *p = memmem(text, len, name, sizeof(name) - 1), *end = text + len, *begin;

    if (!p)
        return NULL;
    p += sizeof(name) - 1;
    while (p < end && strchr(" \t\r\n:", *p) && *p)
        p++;
    if (p >= end || *p != '"')
        return NULL;
    for (begin = ++p; p < end && *p != '"'; p++)
        if (*p == '\\' || *p < ' ' || *p > '~' || p - begin >= MAX_ID)
            return NULL; /* Slack's are ASCII, and a text frame must be UTF-8 (RFC 6455 8.1) */
    return p < end && p > begin ? xstrndup(begin, (size_t)(p - begin)) : NULL;
}

/* Keys are made of what Slack made, with the kind of thing in front; NULL parts make none. */
static void key_write(struct buf *key, const char *kind, const char *a, const char *b)
{
    buf_adds(key, kind);
    buf_addc(key, ':');
    buf_adds(key, a);
    if (b) {
        buf_addc(key, '|');
        buf_adds(key, b);
    }
}

static void add_key(struct socket_frame *f, const char *kind, const char *a, const char *b)
{
    if (f->n_keys < FRAME_KEYS && a && *a)
        key_write(&f->keys[f->n_keys++], kind, a, b);
}

/* A press on the same button by the same person at the same moment. */
static void add_action_key(struct socket_frame *f)
{
    const cJSON *action = json_items(f->payload, "actions");
    const char *ts = json_str(action, "action_ts"), *id = json_str(action, "action_id");
    const char *user = json_str(json_get(f->payload, "user"), "id");

    if (!ts || !id || !user)
        return;
    char *who = xasprintf("%s|%s", id, user);
    add_key(f, "action", ts, who);
    free(who);
}

/*
 * The trigger_id belongs to the command or press and not to its delivery; an event has its
 * event_id. One post can come as two events, `message` and `app_mention`: different event_ids and
 * the same client_msg_id, so that counts per type, or one of the two would be lost.
 */
static void add_keys(struct socket_frame *f)
{
    const cJSON *event = json_get(f->payload, "event");

    add_key(f, "envelope", f->envelope_id, NULL);
    if (text_same(f->type, "events_api")) {
        add_key(f, "event", json_str(f->payload, "event_id"), NULL);
        add_key(f, "post", json_str(event, "client_msg_id"), json_str_or(event, "type", ""));
        return;
    }
    add_key(f, "trigger", json_str(f->payload, "trigger_id"), NULL);
    if (text_same(f->type, "interactive"))
        add_action_key(f);
}

static bool is_known(const char *type)
{
    return text_same(type, "slash_commands") || text_same(type, "interactive") ||
           text_same(type, "events_api");
}

static void read_control(struct socket_frame *f)
{
    const cJSON *debug = json_get(f->json, "debug_info");

    f->host = json_str_or(debug, "host", "");
    f->reason = json_str_or(f->json, "reason", "");
    (void)json_i64(f->json, "num_connections", &f->num_connections);
    (void)json_i64(debug, "approximate_connection_time", &f->lifetime_s);
}

static void read_envelope(struct socket_frame *f)
{
    f->payload = json_get(f->json, "payload");
    (void)json_bool(f->json, "accepts_response_payload", &f->accepts_payload);
    (void)json_i64(f->json, "retry_attempt", &f->retry_attempt);
    f->retry_reason = json_str_or(f->json, "retry_reason", "");
    f->kind = cJSON_IsObject(f->payload) && is_known(f->type) ? FRAME_ENVELOPE : FRAME_ACK_ONLY;
    if (f->kind == FRAME_ENVELOPE)
        add_keys(f);
}

static bool looks_like_json(const char *text, size_t len)
{
    size_t at = 0;

    while (at < len && strchr(" \t\r\n", text[at]) && text[at])
        at++;
    return at < len && text[at] == '{';
}

void socket_frame_read(const char *text, size_t len, struct socket_frame *f)
{
    *f = (struct socket_frame){
        .kind = FRAME_NOISE, .type = "", .host = "", .reason = "", .retry_reason = ""
    };
    if (!looks_like_json(text, len))
        return;
    if (json_parse(text, len, "the envelope", &f->json, NULL) < 0) {
        f->json = NULL;
        f->envelope_id = scan_envelope_id(text, len);
        f->kind = f->envelope_id ? FRAME_ACK_ONLY : FRAME_NOISE;
        return;
    }
    f->type = json_str_or(f->json, "type", "");
    const char *id = json_str(f->json, "envelope_id");
    f->envelope_id = id && *id ? xstrdup(id) : NULL;
    if (f->envelope_id) {
        read_envelope(f);
    } else if (text_same(f->type, "hello") || text_same(f->type, "disconnect")) {
        f->kind = text_same(f->type, "hello") ? FRAME_HELLO : FRAME_DISCONNECT;
        read_control(f);
    }
}

void socket_frame_clear(struct socket_frame *f)
{
    cJSON_Delete(f->json);
    free(f->envelope_id);
    for (size_t i = 0; i < FRAME_KEYS; i++)
        buf_clear(&f->keys[i]);
    *f = (struct socket_frame){ 0 };
}

/* An id as Slack makes them needs no escaping. */
static bool is_plain(const char *id)
{
    for (; *id; id++)
        if (*id == '"' || *id == '\\' || (unsigned char)*id < ' ')
            return false;
    return true;
}

void socket_ack_write(const char *envelope_id, const char *payload, struct buf *out)
{
    cJSON *escaped = is_plain(envelope_id) ? NULL : cJSON_CreateString(envelope_id);
    char *text = escaped ? json_print(escaped) : NULL;

    buf_adds(out, text ? "{\"envelope_id\":" : "{\"envelope_id\":\"");
    buf_adds(out, text ? text : envelope_id);
    if (!text)
        buf_addc(out, '"');
    if (payload) {
        buf_adds(out, ",\"payload\":");
        buf_adds(out, payload);
    }
    buf_addc(out, '}');
    free(text);
    cJSON_Delete(escaped);
}
