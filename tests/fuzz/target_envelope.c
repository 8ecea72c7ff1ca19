/* A message on Slack's socket, with what a payload may hold: presses, forms, messages. */
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/slack/modal.h"
#include "fuzz.h"
#include "slack/message_link.h"
#include "slack/press.h"
#include "slack/socket_frame.h"

static void read_payload(const cJSON *payload)
{
    struct buf text = BUF_INIT, job = BUF_INIT;
    struct error err = ERROR_INIT;
    enum cause cause;

    press_free(press_read(payload));
    press_free(press_read_form(payload));
    message_text(json_get(payload, "message"), &text);
    FUZZ_CHECK(text.len <= 64 * 1024);
    buf_reset(&text);
    (void)message_issue_link(json_get(payload, "message"), "https://sentry.io", "acme", &text);
    buf_reset(&text);
    if (modal_read_real_cause(json_get(payload, "view"), &cause, &job, &text, &err) < 0)
        cJSON_Delete(modal_real_cause_error(&err));
    error_clear(&err);
    buf_clear(&text);
    buf_clear(&job);
}

static void check_ack(const char *envelope_id)
{
    struct buf ack = BUF_INIT;
    cJSON *doc = NULL;

    socket_ack_write(envelope_id, "{\"text\":\"ok\"}", &ack);
    FUZZ_CHECK(json_parse(buf_str(&ack), ack.len, "ack", &doc, NULL) == 0);
    FUZZ_CHECK(text_same(json_str(doc, "envelope_id"), envelope_id));
    cJSON_Delete(doc);
    buf_clear(&ack);
}

void fuzz_envelope(const uint8_t *data, size_t size)
{
    struct socket_frame f;

    socket_frame_read((const char *)data, size, &f);
    if (f.kind == FRAME_ENVELOPE) {
        FUZZ_CHECK(cJSON_IsObject(f.payload) && f.envelope_id);
        read_payload(f.payload);
    }
    FUZZ_CHECK(f.kind != FRAME_ACK_ONLY || f.envelope_id);
    FUZZ_CHECK(f.n_keys <= FRAME_KEYS && f.type && f.reason && f.retry_reason);
    if (f.envelope_id)
        check_ack(f.envelope_id);
    socket_frame_clear(&f);
}
