/* Who is mentioned besides the asker, and when nobody is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "dbconn/slack/notify.h"

static struct notify *with_quiet(const char *const *spans)
{
    struct notify *n = notify_new();
    struct error err = ERROR_INIT;

    for (size_t i = 0; spans[i]; i++)
        if (notify_add_quiet(n, spans[i], &err) < 0)
            fail_msg("%s", error_text(&err));
    return n;
}

static int64_t at(const char *iso)
{
    int64_t ms = 0;

    assert_true(time_parse_iso(iso, &ms));
    return ms;
}

static const struct {
    const char *spans[3], *when, *zone;
    bool quiet;
} hours[] = {
    { { "22:00-07:00" }, "2026-08-18T21:59:00Z", "UTC0", false }, /* a Tuesday */
    { { "22:00-07:00" }, "2026-08-18T22:00:00Z", "UTC0", true },
    { { "22:00-07:00" }, "2026-08-19T03:00:00Z", "UTC0", true },
    { { "22:00-07:00" }, "2026-08-19T06:59:59Z", "UTC0", true },
    { { "22:00-07:00" }, "2026-08-19T07:00:00Z", "UTC0", false },
    { { "12:00-13:30" }, "2026-08-18T13:29:00Z", "UTC0", true },
    { { "12:00-13:30" }, "2026-08-18T13:30:00Z", "UTC0", false },
    { { "sat-sun=00:00-24:00" }, "2026-08-22T12:00:00Z", "UTC0", true },
    { { "sat-sun=00:00-24:00" }, "2026-08-23T23:59:00Z", "UTC0", true },
    { { "sat-sun=00:00-24:00" }, "2026-08-24T00:00:00Z", "UTC0", false },
    /* The day named is the one on which it begins: Friday's goes on into Saturday. */
    { { "Fri=18:00-08:00" }, "2026-08-22T07:00:00Z", "UTC0", true },
    { { "fri=18:00-08:00" }, "2026-08-21T07:00:00Z", "UTC0", false },
    { { "sat-mon=01:00-02:00" }, "2026-08-23T01:30:00Z", "UTC0", true }, /* over the week's end */
    { { "sat-mon=01:00-02:00" }, "2026-08-25T01:30:00Z", "UTC0", false },
    { { "22:00-23:00", "01:00-02:00" }, "2026-08-18T01:30:00Z", "UTC0", true },
    { { "22:00-07:00" }, "2026-08-18T20:30:00Z", "CEST-2", true }, /* 22:30 there */
    { { "22:00-07:00" }, "2026-08-18T05:30:00Z", "CEST-2", false },
    { { NULL }, "2026-08-18T03:00:00Z", "UTC0", false },
};

static void quiet_hours_are_those_of_the_zone_and_the_day(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hours); i++) {
        assert_int_equal(setenv("TZ", hours[i].zone, 1), 0);
        struct notify *n = with_quiet(hours[i].spans);
        if (notify_is_quiet(n, at(hours[i].when)) != hours[i].quiet)
            fail_msg("%s at %s (%s)", hours[i].spans[0], hours[i].when, hours[i].zone);
        notify_free(n);
    }
}

static void what_is_no_span_of_time_is_refused_with_an_example(void **state)
{
    static const char *const wrong[] = { "",
                                         "22-7",
                                         "22:00",
                                         "25:00-07:00",
                                         "22:60-07:00",
                                         "22:00-07:00x",
                                         "10:00-10:00",
                                         "lun=1:00-2:00",
                                         "mon-=10:00-11:00",
                                         "=10:00-11:00" };
    struct error err = ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct notify *n = notify_new();
        if (notify_add_quiet(n, wrong[i], &err) == 0)
            fail_msg("\"%s\" was taken", wrong[i]);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(error_text(&err), "22:00-07:00"));
        error_clear(&err);
        notify_free(n);
    }
}

static void each_channel_has_its_own_people_each_of_them_once(void **state)
{
    static const char *const rules[] = { "U0GRACE001", "C0SHOPTEAM=S0ONCALL01",
                                         "C0SHOPTEAM=U0GRACE001", "C0OTHER001=U0RAINER01" };
    struct notify *n = notify_new();
    const char *ids[NOTIFY_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        assert_int_equal(notify_add(n, rules[i], NULL), 0);
    assert_int_equal(notify_ids(n, "C0SHOPTEAM", ids), 2);
    assert_string_equal(ids[0], "U0GRACE001");
    assert_string_equal(ids[1], "S0ONCALL01");
    assert_int_equal(notify_ids(n, "C0NOWHERE1", ids), 1);
    assert_int_equal(notify_ids(n, NULL, ids), 1);
    assert_int_equal(notify_ids(NULL, "C0SHOPTEAM", ids), 0);
    notify_free(n);
}

static void nobody_can_mean_a_whole_channel(void **state)
{
    static const char *const wrong[] = { "here",        "<!channel>",  "C0SHOPTEAM", "@grace",
                                         "C0SHOPTEAM=", "=U0GRACE001", "U0grace001" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct notify *n = notify_new();
        if (notify_add(n, wrong[i], NULL) == 0)
            fail_msg("\"%s\" was taken", wrong[i]);
        notify_free(n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quiet_hours_are_those_of_the_zone_and_the_day),
        cmocka_unit_test(what_is_no_span_of_time_is_refused_with_an_example),
        cmocka_unit_test(each_channel_has_its_own_people_each_of_them_once),
        cmocka_unit_test(nobody_can_mean_a_whole_channel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
