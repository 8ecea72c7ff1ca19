#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dbconn/net/url.h"

static void an_absolute_url_is_taken_apart(void **state)
{
    static const struct {
        const char *text, *scheme, *host, *target;
        int port;
    } cases[] = {
        { "https://sentry.io", "https", "sentry.io", "/", 443 },
        { "HTTPS://Sentry.IO./a/b?c=d#e", "https", "sentry.io", "/a/b?c=d", 443 },
        { "wss://wss.slack.com/link/?ticket=1", "wss", "wss.slack.com", "/link/?ticket=1", 443 },
        { "ws://127.0.0.1:8080", "ws", "127.0.0.1", "/", 8080 },
        { "http://[::1]:9000/x", "http", "::1", "/x", 9000 },
        { "http://localhost?a", "http", "localhost", "/?a", 80 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct url url;
        assert_int_equal(url_parse(cases[i].text, &url, NULL), 0);
        assert_string_equal(url.scheme, cases[i].scheme);
        assert_string_equal(url.host, cases[i].host);
        assert_string_equal(url.target, cases[i].target);
        assert_int_equal(url.port, cases[i].port);
        assert_false(url.has_userinfo);
        url_clear(&url);
    }
}

static void what_is_no_absolute_web_address_is_refused_without_repeating_it(void **state)
{
    static const char *const cases[] = {
        "",
        "sentry.io",
        "/api/0",
        "ftp://secret.example/",
        "https://",
        "https://a b/secret",
        "https://host:99999/secret",
        "https://host:0/secret",
        "file:///secret",
        "javascript:secret()",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct url url;
        struct error err = ERROR_INIT;
        assert_int_equal(url_parse(cases[i], &url, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
        assert_null(strstr(error_text(&err), "secret"));
        error_clear(&err);
    }
}

static void a_user_in_the_address_is_noticed(void **state)
{
    struct url url;

    (void)state;
    assert_int_equal(url_parse("https://u:p@es.example:9200/", &url, NULL), 0);
    assert_true(url.has_userinfo);
    assert_string_equal(url.host, "es.example");
    url_clear(&url);
}

static void loopback_is_this_machine_only(void **state)
{
    static const struct {
        const char *host;
        bool loopback;
    } cases[] = {
        { "localhost", true },
        { "127.0.0.1", true },
        { "127.9.9.9", true },
        { "::1", true },
        { "LOCALHOST", true },
        { "128.0.0.1", false },
        { "0.0.0.0", false },
        { "::", false },
        { "127.0.0.1.example.com", false },
        { "10.0.0.1", false },
        { "localhost.evil", false },
        { "", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(url_is_loopback_host(cases[i].host), cases[i].loopback);
}

static void an_authority_names_a_port_only_when_it_is_unusual(void **state)
{
    static const struct {
        const char *url, *authority;
    } cases[] = {
        { "https://sentry.io/", "sentry.io" },
        { "https://sentry.io:8443/", "sentry.io:8443" },
        { "wss://[::1]:443/", "[::1]" },
        { "ws://[::1]:81/", "[::1]:81" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct url url;
        struct buf out = BUF_INIT;
        assert_int_equal(url_parse(cases[i].url, &url, NULL), 0);
        url_add_authority(&out, &url);
        assert_string_equal(buf_str(&out), cases[i].authority);
        buf_clear(&out);
        url_clear(&url);
    }
}

static void queries_are_encoded(void **state)
{
    struct buf out = BUF_INIT;

    (void)state;
    buf_adds(&out, "https://sentry.io/x");
    url_add_query(&out, "query", "is:unresolved a&b=c/\xC3\xA9");
    url_add_query(&out, "limit", "100");
    assert_string_equal(buf_str(&out),
                        "https://sentry.io/x?query=is%3Aunresolved%20a%26b%3Dc%2F%C3%A9&limit=100");
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_absolute_url_is_taken_apart),
        cmocka_unit_test(what_is_no_absolute_web_address_is_refused_without_repeating_it),
        cmocka_unit_test(a_user_in_the_address_is_noticed),
        cmocka_unit_test(loopback_is_this_machine_only),
        cmocka_unit_test(an_authority_names_a_port_only_when_it_is_unusual),
        cmocka_unit_test(queries_are_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
