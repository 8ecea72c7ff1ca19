/* issue_ref: what a tired person pastes after the command. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "dbconn/analysis/issue_ref.h"
#include "dbconn/base/text.h"

#define CLOUD "https://sentry.io"
#define OWN "https://sentry.acme.example"
#define EVENT "0123456789abcdef0123456789abcdef"

static const struct {
    const char *text, *home;
    const char *organization, *issue, *event, *host;
} good[] = {
    { "SHOP-1A2", CLOUD, NULL, "SHOP-1A2", NULL, NULL },
    { "shop-1a2", CLOUD, NULL, "SHOP-1A2", NULL, NULL },
    { "  SHOP-1A2  ", CLOUD, NULL, "SHOP-1A2", NULL, NULL },
    { "`SHOP-1A2`", CLOUD, NULL, "SHOP-1A2", NULL, NULL },
    { "\"SHOP-1A2\", please", CLOUD, NULL, "SHOP-1A2", NULL, NULL },
    { "“SHOP-1A2”", CLOUD, NULL, "SHOP-1A2", NULL, NULL },
    { "*SHOP-1A2*", CLOUD, NULL, "SHOP-1A2", NULL, NULL },
    { ":fire: SHOP-1A2 :fire:", CLOUD, NULL, "SHOP-1A2", NULL, NULL },
    { "🔥🔥 SHOP-1A2 🔥", CLOUD, NULL, "SHOP-1A2", NULL, NULL },
    { "#SHOP-1A2", CLOUD, NULL, "SHOP-1A2", NULL, NULL },
    { "FOO-BAR-1A", CLOUD, NULL, "FOO-BAR-1A", NULL, NULL },
    { "shop_web-3K.", CLOUD, NULL, "SHOP_WEB-3K", NULL, NULL },
    { "SHOP\xE2\x80\x91"
      "1A2",
      CLOUD, NULL, "SHOP-1A2", NULL, NULL }, /* non-breaking hyphen */
    { "SHOP\xE2\x80\x93"
      "1A2",
      CLOUD, NULL, "SHOP-1A2", NULL, NULL },                                     /* en dash */
    { "\xE2\x80\xAESHOP-1A2\xE2\x80\xAC", CLOUD, NULL, "SHOP-1A2", NULL, NULL }, /* bidi override */
    { "‏SHOP-1A2 בדוק", CLOUD, NULL, "SHOP-1A2", NULL, NULL },
    { "shop 1a2", CLOUD, NULL, "SHOP-1A2", NULL, NULL },
    { "please have a look at SHOP-1A2, it is a follow-up", CLOUD, NULL, "SHOP-1A2", NULL, NULL },
    { "OperationalError: connection refused SHOP-1A2", CLOUD, NULL, "SHOP-1A2", NULL, NULL },
    { "acme/SHOP-1A2", CLOUD, "acme", "SHOP-1A2", NULL, NULL },
    { "4509062593", CLOUD, NULL, "4509062593", NULL, NULL },
    { "7", CLOUD, NULL, "7", NULL, NULL },
    { "issue 4509062593 since 10 minutes", CLOUD, NULL, "4509062593", NULL, NULL },
    { EVENT, CLOUD, NULL, NULL, EVENT, NULL },
    { "01234567-89AB-CDEF-0123-456789ABCDEF", CLOUD, NULL, NULL, EVENT, NULL },

    { "https://sentry.io/organizations/acme/issues/123456/", CLOUD, "acme", "123456", NULL,
      "sentry.io" },
    { "https://acme.sentry.io/issues/123456/", CLOUD, "acme", "123456", NULL, "acme.sentry.io" },
    { "https://ACME.Sentry.io/issues/123456", CLOUD, "acme", "123456", NULL, "acme.sentry.io" },
    { "https://sentry.io/acme/issues/123456", CLOUD, "acme", "123456", NULL, "sentry.io" },
    { "https://us.sentry.io/acme/issues/123456", CLOUD, "acme", "123456", NULL, "us.sentry.io" },
    { "https://sentry.io/acme/shop/issues/123456/", CLOUD, "acme", "123456", NULL, "sentry.io" },
    { "https://sentry.io/issues/123456/", CLOUD, NULL, "123456", NULL, "sentry.io" },
    { "https://us.sentry.io/issues/123456/", CLOUD, NULL, "123456", NULL, "us.sentry.io" },
    { "https://de.sentry.io/organizations/acme/issues/1/", "https://de.sentry.io", "acme", "1",
      NULL, "de.sentry.io" },
    { "https://acme.sentry.io/issues/SHOP-1A2", CLOUD, "acme", "SHOP-1A2", NULL, "acme.sentry.io" },
    { "https://acme.sentry.io/issues/123/events/" EVENT "/", CLOUD, "acme", "123", EVENT,
      "acme.sentry.io" },
    { "https://acme.sentry.io/issues/123/events/latest/?project=1", CLOUD, "acme", "123", "latest",
      "acme.sentry.io" },
    { "https://acme.sentry.io/issues/123/events/helpful", CLOUD, "acme", "123", "recommended",
      "acme.sentry.io" },
    { "https://acme.sentry.io/issues/123/activity/", CLOUD, "acme", "123", NULL, "acme.sentry.io" },
    { "https://acme.sentry.io/issues/123/?project=1&amp;environment=prod&amp;query=is%3Aunresolved",
      CLOUD, "acme", "123", NULL, "acme.sentry.io" },
    { "<https://acme.sentry.io/issues/123/?project=1&amp;referrer=slack|SHOP-1A2>", CLOUD, "acme",
      "123", NULL, "acme.sentry.io" },
    { "<https://acme.sentry.io/issues/123/> it is down again", CLOUD, "acme", "123", NULL,
      "acme.sentry.io" },
    { "see https://acme.sentry.io/issues/123/.", CLOUD, "acme", "123", NULL, "acme.sentry.io" },
    { "(https://acme.sentry.io/issues/123)", CLOUD, "acme", "123", NULL, "acme.sentry.io" },
    { "`https://acme.sentry.io/issues/123`", CLOUD, "acme", "123", NULL, "acme.sentry.io" },
    { "acme.sentry.io/issues/123/", CLOUD, "acme", "123", NULL, "acme.sentry.io" },
    { "https://sentry.io/acme/shop/events/" EVENT "/", CLOUD, "acme", NULL, EVENT, "sentry.io" },
    { "https://sentry.io/organizations/acme/discover/shop:" EVENT "/", CLOUD, "acme", NULL, EVENT,
      "sentry.io" },
    { "https://sentry.io/organizations/42/issues/123/", CLOUD, "42", "123", NULL, "sentry.io" },

    { OWN "/organizations/acme/issues/12/", OWN, "acme", "12", NULL, "sentry.acme.example" },
    { OWN "/acme/shop/issues/12/", OWN, "acme", "12", NULL, "sentry.acme.example" },
    { OWN "/issues/12/", OWN, NULL, "12", NULL, "sentry.acme.example" },
    { "http://sentry.acme.example/issues/12/", OWN, NULL, "12", NULL, "sentry.acme.example" },
    { OWN ":9000/issues/12/", OWN ":9000", NULL, "12", NULL, "sentry.acme.example" },
    { OWN "/base/organizations/acme/issues/12/", OWN "/base/", "acme", "12", NULL,
      "sentry.acme.example" },
    { "http://127.0.0.1:8080/organizations/acme/issues/12/", "http://127.0.0.1:8080", "acme", "12",
      NULL, "127.0.0.1" },
};

static void every_shape_of_reference_is_read(void **state)
{
    (void)state;
    size_t wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct issue_ref ref = { 0 };
        struct error err = ERROR_INIT;
        int rc = issue_ref_parse(good[i].text, good[i].home, "acme", &ref, &err);
        if (rc < 0 || !text_same(ref.organization, good[i].organization) ||
            !text_same(ref.issue, good[i].issue) || !text_same(ref.event, good[i].event) ||
            !text_same(ref.host, good[i].host)) {
            print_error("%s: rc %d, %s / %s / %s / %s, %s\n", good[i].text, rc, ref.organization,
                        ref.issue, ref.event, ref.host, error_text(&err));
            wrong++;
        }
        issue_ref_clear(&ref);
        error_clear(&err);
    }
    assert_int_equal(wrong, 0);
}

static const struct {
    const char *text, *home;
    enum err_code code;
    const char *says;
} bad[] = {
    { "", CLOUD, ERR_USAGE, "Which issue?" },
    { " \n\t ", CLOUD, ERR_USAGE, "Which issue?" },
    { "hello there", CLOUD, ERR_USAGE, "\"hello there\" names no Sentry issue" },
    { "🔥", CLOUD, ERR_USAGE, "names no Sentry issue" },
    { "שלום", CLOUD, ERR_USAGE, "names no Sentry issue" },
    { "the follow-up to 500 errors", CLOUD, ERR_USAGE,
      "For example: SHOP-1A2 or https://sentry.io/" },
    { "SHOP-", CLOUD, ERR_USAGE, "names no Sentry issue" },
    { "https://", CLOUD, ERR_USAGE, "no link that I can read" },
    { "https://example.com/issues/12/", CLOUD, ERR_INVALID, "leads to example.com" },
    { "https://sentry.io@evil.example/organizations/acme/issues/1/", CLOUD, ERR_INVALID,
      "evil.example" },
    { "https://evilsentry.io/organizations/acme/issues/1/", CLOUD, ERR_INVALID, "evilsentry.io" },
    { "https://sentry.io.evil.example/issues/1/", CLOUD, ERR_INVALID, "sentry.io.evil.example" },
    { "https://acme.sentry.io/issues/12/", OWN, ERR_INVALID,
      "connected to the Sentry at sentry.acme.example" },
    { OWN "/issues/12/", CLOUD, ERR_INVALID, "leads to sentry.acme.example" },
    { OWN ":9000/issues/12/", OWN, ERR_INVALID, "leads to" },
    { "https://other.sentry.io/issues/12/", CLOUD, ERR_INVALID, "organization \"other\"" },
    { "https://sentry.io/organizations/other/issues/12/", CLOUD, ERR_INVALID,
      "set up for \"acme\"" },
    { "other/SHOP-1A2", CLOUD, ERR_INVALID, "organization \"other\"" },
    { "https://acme.sentry.io/issues/", CLOUD, ERR_USAGE, "not to a single issue" },
    { "https://acme.sentry.io/issues/?query=is%3Aunresolved", CLOUD, ERR_USAGE,
      "not to a single issue" },
    { "https://acme.sentry.io/issues/views/12/", CLOUD, ERR_USAGE, "not to a single issue" },
    { "https://acme.sentry.io/issues/errors-outages/", CLOUD, ERR_USAGE, "not to a single issue" },
    { "https://acme.sentry.io/alerts/rules/", CLOUD, ERR_USAGE, "not to a single issue" },
    { "https://sentry.io/share/issue/" EVENT "/", CLOUD, ERR_USAGE, "not to a single issue" },
    { "https://docs.sentry.io/product/issues/", CLOUD, ERR_USAGE, "not to a single issue" },
};

static void what_is_no_reference_is_said_to_be_none(void **state)
{
    (void)state;
    size_t wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct issue_ref ref = { 0 };
        struct error err = ERROR_INIT;
        int rc = issue_ref_parse(bad[i].text, bad[i].home, "acme", &ref, &err);
        if (rc == 0 || err.code != bad[i].code || !strstr(error_text(&err), bad[i].says)) {
            print_error("%s: rc %d, code %s, %s\n", bad[i].text, rc, err_code_name(err.code),
                        error_text(&err));
            wrong++;
        }
        issue_ref_clear(&ref);
        error_clear(&err);
    }
    assert_int_equal(wrong, 0);
}

static void an_unset_organization_takes_any(void **state)
{
    (void)state;
    struct issue_ref ref = { 0 };

    assert_int_equal(issue_ref_parse("https://other.sentry.io/issues/12/", CLOUD, NULL, &ref, NULL),
                     0);
    assert_string_equal(ref.organization, "other");
    issue_ref_clear(&ref);
}

static void ten_kilobytes_of_text_are_refused_in_a_short_sentence(void **state)
{
    (void)state;
    struct issue_ref ref = { 0 };
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT;

    while (text.len <= ISSUE_REF_MAX_TEXT)
        buf_adds(&text, "SHOP-1A2 \xF0\x9F\x94\xA5 ");
    assert_int_equal(issue_ref_parse(buf_str(&text), CLOUD, "acme", &ref, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(error_text(&err), "too much text"));
    assert_true(strlen(error_text(&err)) < 300);

    buf_truncate(&text, 9000);
    assert_int_equal(issue_ref_parse(buf_str(&text), CLOUD, "acme", &ref, &err), 0);
    assert_string_equal(ref.issue, "SHOP-1A2");
    issue_ref_clear(&ref);

    buf_reset(&text);
    while (text.len < 9000)
        buf_adds(&text, "é");
    assert_int_equal(issue_ref_parse(buf_str(&text), CLOUD, "acme", &ref, &err), -1);
    assert_true(strlen(error_text(&err)) < 300);
    buf_clear(&text);
    error_clear(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_of_reference_is_read),
        cmocka_unit_test(what_is_no_reference_is_said_to_be_none),
        cmocka_unit_test(an_unset_organization_takes_any),
        cmocka_unit_test(ten_kilobytes_of_text_are_refused_in_a_short_sentence),
    };
    return cmocka_run_group_tests_name("issue_ref", tests, NULL, NULL);
}
