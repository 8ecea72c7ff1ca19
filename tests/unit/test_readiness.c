#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "dbconn/app/readiness.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"

static const struct ready_credential all_good[] = {
    { "slack", true, true, YES, "" },
    { "sentry", true, true, YES, "" },
    { "github", false, false, UNKNOWN, "" },
    { NULL, false, false, UNKNOWN, NULL },
};
static const struct ready_credential not_tried[] = {
    { "sentry", true, true, UNKNOWN, "" },
    { NULL, false, false, UNKNOWN, NULL },
};
static const struct ready_credential sentry_refuses[] = {
    { "sentry", true, true, NO, "the token xoxb-1234567890-abcdefghijkl is wrong" },
    { NULL, false, false, UNKNOWN, NULL },
};
static const struct ready_credential github_refuses[] = {
    { "github", true, false, NO, "bad credentials" },
    { NULL, false, false, UNKNOWN, NULL },
};

static const struct {
    const char *what;
    struct ready_state state;
    bool ready;
} cases[] = {
    { "all is well", { false, 1, 1, 1, 10000, 500, "", YES, NULL, all_good }, true },
    { "one of two connections is enough",
      { false, 1, 2, 1, 10000, 500, "", YES, NULL, all_good },
      true },
    { "no connection", { false, 0, 1, 1, 10000, 500, "cut", YES, NULL, all_good }, false },
    { "never connected",
      { false, 0, 1, 0, TIME_UNKNOWN, TIME_UNKNOWN, "", YES, NULL, all_good },
      false },
    { "an open socket that hears nothing",
      { false, 1, 1, 1, 90000, READY_HEARD_MS + 1, "", YES, NULL, all_good },
      false },
    { "an old hello, heard just now",
      { false, 1, 1, 1, HOUR_MS, READY_HEARD_MS, "", YES, NULL, all_good },
      true },
    { "the store does not commit",
      { false, 1, 1, 1, 10000, 500, "", NO, "disk full", all_good },
      false },
    { "the store was not tried",
      { false, 1, 1, 1, 10000, 500, "", UNKNOWN, NULL, all_good },
      false },
    { "it is stopping", { true, 1, 1, 1, 10000, 500, "", YES, NULL, all_good }, false },
    { "a credential was not tried yet",
      { false, 1, 1, 1, 10000, 500, "", YES, NULL, not_tried },
      true },
    { "Sentry refuses", { false, 1, 1, 1, 10000, 500, "", YES, NULL, sentry_refuses }, false },
    { "GitHub refuses, which investigations survive",
      { false, 1, 1, 1, 10000, 500, "", YES, NULL, github_refuses },
      true },
};

static void it_is_ready_when_work_can_be_done(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cJSON *doc;
        bool ready = readiness_judge(&cases[i].state, &doc);
        if (ready != cases[i].ready)
            fail_msg("%s: %d", cases[i].what, ready);
        assert_int_equal(cJSON_IsTrue(json_get(doc, "ready")), ready);
        cJSON_Delete(doc);
    }
}

static void the_document_tells_why_and_no_secret(void **state)
{
    const struct ready_state s = { false, 0,         2,  0,           3500,
                                   2999,  "cut off", NO, "disk full", sentry_refuses };
    cJSON *doc;

    (void)state;
    readiness_judge(&s, &doc);
    char *text = json_print(doc);
    assert_string_equal(
        text, "{\"ready\":false,\"stopping\":false,\"slack\":{\"ok\":false,\"connections\":0,"
              "\"wanted\":2,\"app_connections\":null,\"seconds_since_hello\":3,"
              "\"seconds_since_heard\":2,\"trouble\":\"cut off\"},\"store\":{\"ok\":false,"
              "\"why\":\"disk full\"},\"credentials\":{\"sentry\":{\"state\":\"refused\","
              "\"required\":true,\"why\":\"the token ••• is wrong\"}}}");
    free(text);
    cJSON_Delete(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_ready_when_work_can_be_done),
        cmocka_unit_test(the_document_tells_why_and_no_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
