#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "../../src/slack/socket_frame.h"
#include "dbconn/base/text.h"

#define READ(f, text) socket_frame_read((text), strlen(text), (f))

static void each_kind_of_message_is_told(void **state)
{
    static const struct {
        const char *text;
        enum frame_kind kind;
        const char *envelope_id;
    } cases[] = {
        { "{\"type\":\"hello\",\"num_connections\":1}", FRAME_HELLO, NULL },
        { "{\"type\":\"disconnect\",\"reason\":\"warning\"}", FRAME_DISCONNECT, NULL },
        { "{\"envelope_id\":\"e1\",\"type\":\"slash_commands\",\"payload\":{}}", FRAME_ENVELOPE,
          "e1" },
        { " \n{\"envelope_id\":\"e1\",\"type\":\"interactive\",\"payload\":{\"a\":1}}",
          FRAME_ENVELOPE, "e1" },
        { "{\"envelope_id\":\"e1\",\"type\":\"events_api\",\"payload\":{}}", FRAME_ENVELOPE, "e1" },
        /* to be acknowledged, no more */
        { "{\"envelope_id\":\"e1\",\"type\":\"slash_commands\",\"payload\":\"text\"}",
          FRAME_ACK_ONLY, "e1" },
        { "{\"envelope_id\":\"e1\",\"type\":\"slash_commands\"}", FRAME_ACK_ONLY, "e1" },
        { "{\"envelope_id\":\"e1\",\"type\":\"slash_commands\",\"payload\":null}", FRAME_ACK_ONLY,
          "e1" },
        { "{\"envelope_id\":\"e1\",\"type\":\"next_year\",\"payload\":{}}", FRAME_ACK_ONLY, "e1" },
        { "{\"envelope_id\":\"e1\",\"payload\":{}}", FRAME_ACK_ONLY, "e1" },
        { "{\"envelope_id\":\"e1\",\"type\":7,\"payload\":{}}", FRAME_ACK_ONLY, "e1" },
        { "{\"envelope_id\":\"e1\",\"type\":\"slash_commands\",\"payload\":{\"text\":\"cut o",
          FRAME_ACK_ONLY, "e1" },
        { "{\"payload\":{,},\"envelope_id\" :\n \"e-2_x\"}", FRAME_ACK_ONLY, "e-2_x" },
        /* nothing to work with */
        { "", FRAME_NOISE, NULL },
        { "UNAUTHENTICATED: cache_error", FRAME_NOISE, NULL },
        { "[]", FRAME_NOISE, NULL },
        { "{}", FRAME_NOISE, NULL },
        { "{", FRAME_NOISE, NULL },
        { "{\"type\":\"news\"}", FRAME_NOISE, NULL },
        { "{\"envelope_id\":\"\",\"type\":\"slash_commands\",\"payload\":{}}", FRAME_NOISE, NULL },
        { "{\"envelope_id\":null,\"type\":\"slash_commands\",\"payload\":{}}", FRAME_NOISE, NULL },
        { "{\"envelope_id\":7,\"type\":\"slash_commands\",\"payload\":{}}", FRAME_NOISE, NULL },
        { "{\"envelope_id\":\"e1", FRAME_NOISE, NULL },
        { "{\"envelope_id\":\"e\\\"1\", cut", FRAME_NOISE, NULL },
        { "{\"envelope_id\":\"e\xFF\", cut", FRAME_NOISE, NULL },
        { "{\"envelope_id\":", FRAME_NOISE, NULL },
        { "\xFF\xFE", FRAME_NOISE, NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct socket_frame f;

        READ(&f, cases[i].text);
        if (f.kind != cases[i].kind || !text_same(f.envelope_id, cases[i].envelope_id))
            fail_msg("%s: kind %d, id %s", cases[i].text, (int)f.kind,
                     f.envelope_id ? f.envelope_id : "(none)");
        socket_frame_clear(&f);
    }
}

static void a_payload_nested_without_end_is_acknowledged_and_not_read(void **state)
{
    struct buf text = BUF_INIT;
    struct socket_frame f;

    (void)state;
    buf_adds(&text, "{\"envelope_id\":\"deep\",\"type\":\"events_api\",\"payload\":");
    for (int i = 0; i < 100000; i++)
        buf_addc(&text, '[');
    socket_frame_read(text.data, text.len, &f);
    assert_int_equal(f.kind, FRAME_ACK_ONLY);
    assert_string_equal(f.envelope_id, "deep");
    socket_frame_clear(&f);
    buf_clear(&text);
}

static void hello_and_disconnect_tell_what_the_log_wants(void **state)
{
    struct socket_frame f;

    (void)state;
    READ(&f, "{\"type\":\"hello\",\"num_connections\":2,\"debug_info\":{\"host\":\"applink-1\","
             "\"approximate_connection_time\":18060},\"connection_info\":{\"app_id\":\"A1\"}}");
    assert_int_equal(f.num_connections, 2);
    assert_int_equal(f.lifetime_s, 18060);
    assert_string_equal(f.host, "applink-1");
    socket_frame_clear(&f);
    READ(&f, "{\"type\":\"hello\"}");
    assert_int_equal(f.num_connections, 0);
    assert_string_equal(f.host, "");
    socket_frame_clear(&f);
    READ(&f, "{\"type\":\"disconnect\",\"reason\":null,\"debug_info\":[]}");
    assert_string_equal(f.reason, "");
    socket_frame_clear(&f);
}

static void the_flag_for_an_answer_is_read_and_never_assumed(void **state)
{
    static const struct {
        const char *text;
        bool accepts;
        int64_t retry;
        const char *reason;
    } cases[] = {
        { "{\"envelope_id\":\"e\",\"type\":\"slash_commands\",\"payload\":{},"
          "\"accepts_response_payload\":true}",
          true, 0, "" },
        { "{\"envelope_id\":\"e\",\"type\":\"slash_commands\",\"payload\":{}}", false, 0, "" },
        { "{\"envelope_id\":\"e\",\"type\":\"events_api\",\"payload\":{},"
          "\"accepts_response_payload\":false,\"retry_attempt\":2,\"retry_reason\":\"timeout\"}",
          false, 2, "timeout" },
        { "{\"envelope_id\":\"e\",\"type\":\"events_api\",\"payload\":{},"
          "\"accepts_response_payload\":\"true\",\"retry_attempt\":null,\"retry_reason\":null}",
          false, 0, "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct socket_frame f;

        READ(&f, cases[i].text);
        assert_int_equal(f.accepts_payload, cases[i].accepts);
        assert_int_equal(f.retry_attempt, cases[i].retry);
        assert_string_equal(f.retry_reason, cases[i].reason);
        socket_frame_clear(&f);
    }
}

static void keys_name_the_thing_and_not_its_delivery(void **state)
{
    static const struct {
        const char *text, *keys; /* joined with a blank */
    } cases[] = {
        { "{\"envelope_id\":\"e\",\"type\":\"slash_commands\",\"payload\":{\"trigger_id\":\"1.2\"}"
          "}",
          "envelope:e trigger:1.2" },
        { "{\"envelope_id\":\"e\",\"type\":\"interactive\",\"payload\":{\"trigger_id\":\"1.2\","
          "\"user\":{\"id\":\"U1\"},\"actions\":[{\"action_id\":\"go\",\"action_ts\":\"9.9\"}]}}",
          "envelope:e trigger:1.2 action:9.9|go|U1" },
        { "{\"envelope_id\":\"e\",\"type\":\"interactive\",\"payload\":{\"actions\":[{}],"
          "\"user\":\"U1\"}}",
          "envelope:e" },
        { "{\"envelope_id\":\"e\",\"type\":\"events_api\",\"payload\":{\"event_id\":\"Ev1\","
          "\"event\":{\"type\":\"app_mention\",\"client_msg_id\":\"m1\"}}}",
          "envelope:e event:Ev1 post:m1|app_mention" },
        { "{\"envelope_id\":\"e\",\"type\":\"events_api\",\"payload\":{\"event_id\":\"Ev2\","
          "\"event\":{\"type\":\"message\",\"client_msg_id\":\"m1\"}}}",
          "envelope:e event:Ev2 post:m1|message" },
        { "{\"envelope_id\":\"e\",\"type\":\"events_api\",\"payload\":{\"event_id\":7}}",
          "envelope:e" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct socket_frame f;
        struct buf keys = BUF_INIT;

        READ(&f, cases[i].text);
        for (size_t k = 0; k < f.n_keys; k++)
            buf_addf(&keys, "%s%s", k ? " " : "", buf_str(&f.keys[k]));
        assert_string_equal(buf_str(&keys), cases[i].keys);
        buf_clear(&keys);
        socket_frame_clear(&f);
    }
}

static void an_acknowledgement_is_json_whatever_the_id(void **state)
{
    static const struct {
        const char *id, *payload, *text;
    } cases[] = {
        { "57d6a792", NULL, "{\"envelope_id\":\"57d6a792\"}" },
        { "57d6a792", "{\"text\":\"x\"}",
          "{\"envelope_id\":\"57d6a792\",\"payload\":{\"text\":\"x\"}}" },
        { "a\"b\\c\n", NULL, "{\"envelope_id\":\"a\\\"b\\\\c\\n\"}" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = BUF_INIT;

        socket_ack_write(cases[i].id, cases[i].payload, &out);
        assert_string_equal(buf_str(&out), cases[i].text);
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_message_is_told),
        cmocka_unit_test(a_payload_nested_without_end_is_acknowledged_and_not_read),
        cmocka_unit_test(hello_and_disconnect_tell_what_the_log_wants),
        cmocka_unit_test(the_flag_for_an_answer_is_read_and_never_assumed),
        cmocka_unit_test(keys_name_the_thing_and_not_its_delivery),
        cmocka_unit_test(an_acknowledgement_is_json_whatever_the_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
