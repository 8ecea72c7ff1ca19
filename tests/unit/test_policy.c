#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "../../src/net/policy_internal.h"

static void a_base_address_is_https_or_this_machine(void **state)
{
    static const struct {
        const char *url;
        int rc;
        const char *says;
    } cases[] = {
        { "https://sentry.io", 0, NULL },
        { "https://sentry.example.com:8443/prefix/", 0, NULL },
        { "http://127.0.0.1:9000", 0, NULL },
        { "http://localhost:9000", 0, NULL },
        { "http://[::1]:9000", 0, NULL },
        { "http://sentry.example.com", -1, "use https://" },
        { "http://10.0.0.1:9000", -1, "use https://" },
        { "http://127.0.0.1.evil.example", -1, "use https://" },
        { "wss://sentry.io", -1, "must begin with https://" },
        { "https://user:pw@sentry.io", -1, "user or password" },
        { "sentry.io", -1, "the address of sentry" },
        { NULL, -1, "none is given" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct net_policy *policy = net_policy_new();
        struct error err = ERROR_INIT;

        assert_int_equal(net_policy_add_base(policy, "sentry", cases[i].url, &err), cases[i].rc);
        if (cases[i].says) {
            assert_int_equal(err.code, ERR_CONFIG);
            assert_non_null(strstr(error_text(&err), cases[i].says));
            assert_null(strstr(error_text(&err), "pw"));
        }
        error_clear(&err);
        net_policy_free(policy);
    }
}

struct check_case {
    const char *service, *url;
    int rc;
};

static void check_all(const struct net_policy *policy, const struct check_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct error err = ERROR_INIT;
        int rc = net_policy_check(policy, cases[i].service, cases[i].url, &err);

        if (rc != cases[i].rc)
            fail_msg("%s at %s: %d (%s)", cases[i].service, cases[i].url, rc, error_text(&err));
        if (rc < 0)
            assert_int_equal(err.code, ERR_CONFIG);
        error_clear(&err);
    }
}

static struct net_policy *policy_with(const char *slack, const char *sentry)
{
    struct net_policy *policy = net_policy_new();

    assert_int_equal(net_policy_add_base(policy, "slack", slack, NULL), 0);
    assert_int_equal(net_policy_add_base(policy, "sentry", sentry, NULL), 0);
    return policy;
}

static void public_services_bring_their_companions_and_nobody_else(void **state)
{
    static const struct check_case cases[] = {
        { "slack", "https://slack.com/api/auth.test", 0 },
        { "slack", "wss://wss-primary.slack.com/link/?ticket=1", 0 },
        { "slack", "https://hooks.slack.com/commands/1", 0 },
        { "slack", "https://files.slack.com/upload/v1/x", 0 },
        { "slack", "https://acme.slack.com/commands/1", 0 },
        { "slack", "ws://wss-primary.slack.com/link", -1 },
        { "slack", "http://slack.com/api/", -1 },
        { "slack", "https://slack.com:8443/", -1 },
        { "slack", "https://notslack.com/", -1 },
        { "slack", "https://slack.com.evil.example/", -1 },
        { "slack", "https://hooks.slack-gov.com/", -1 },
        { "slack", "https://slack.com@evil.example/", -1 },
        { "slack", "https://evil@slack.com/", -1 },
        { "slack", "https://evil.example\\@slack.com/", -1 },
        { "slack", "https://sentry.io/", -1 },
        { "slack", "http://127.0.0.1/", -1 },
        { "slack", "https://127.0.0.1/", -1 },
        { "slack", "https://169.254.169.254/latest/", -1 },
        { "slack", NULL, -1 },
        { "sentry", "https://us.sentry.io/api/0/", 0 },
        { "sentry", "https://de.sentry.io/api/0/", 0 },
        { "github", "https://api.github.com/", -1 },
    };
    struct net_policy *policy = policy_with("https://slack.com/api/", "https://sentry.io");

    (void)state;
    check_all(policy, cases, ARRAY_LEN(cases));
    assert_false(net_policy_is_plaintext(policy, "slack"));
    net_policy_free(policy);
}

static void a_base_on_this_machine_opens_this_machine_and_closes_the_public_hosts(void **state)
{
    static const struct check_case cases[] = {
        { "slack", "http://127.0.0.1:9001/api/auth.test", 0 },
        { "slack", "ws://127.0.0.1:9002/link", 0 },
        { "slack", "ws://localhost:9002/link", 0 },
        { "slack", "wss://[::1]:9002/link", 0 },
        { "slack", "https://hooks.slack.com/commands/1", -1 },
        { "slack", "http://10.0.0.1:9001/", -1 },
        { "sentry", "https://127.0.0.1:9443/", 0 },
        { "sentry", "http://127.0.0.1:9443/", -1 },
        { "sentry", "https://us.sentry.io/", -1 },
    };
    struct net_policy *policy = policy_with("http://127.0.0.1:9001/api/", "https://127.0.0.1:9443");

    (void)state;
    check_all(policy, cases, ARRAY_LEN(cases));
    assert_true(net_policy_is_plaintext(policy, "slack"));
    assert_false(net_policy_is_plaintext(policy, "sentry"));
    net_policy_free(policy);
}

static void further_hosts_are_allowed_for_their_service_over_tls(void **state)
{
    static const struct check_case cases[] = {
        { "slack", "https://slack.proxy.example/", 0 },
        { "slack", "https://a.corp.example/", 0 },
        { "slack", "https://corp.example/", -1 },
        { "slack", "https://other.example:9443/", 0 },
        { "slack", "https://other.example/", -1 },
        { "slack", "https://[2001:db8::1]/", 0 },
        { "slack", "https://[2001:db8::2]:8443/", 0 },
        { "slack", "http://slack.proxy.example/", -1 },
        { "sentry", "https://slack.proxy.example/", -1 },
    };
    struct net_policy *policy = policy_with("https://slack.com/api/", "https://sentry.io");

    (void)state;
    net_policy_add_host(policy, "slack", "Slack.Proxy.example");
    net_policy_add_host(policy, "slack", "*.corp.example");
    net_policy_add_host(policy, "slack", "other.example:9443");
    net_policy_add_host(policy, "slack", "2001:db8::1");
    net_policy_add_host(policy, "slack", "[2001:db8::2]:8443");
    check_all(policy, cases, ARRAY_LEN(cases));
    net_policy_free(policy);
}

static void a_refusal_names_the_key_to_set(void **state)
{
    struct net_policy *policy = policy_with("https://slack.com/api/", "https://sentry.io");
    struct error err = ERROR_INIT;

    (void)state;
    assert_int_equal(net_policy_check(policy, "slack", "https://x.example/?ticket=t0p", &err), -1);
    assert_string_equal(error_text(&err), "slack is not asked at x.example port 443: not one of "
                                          "its hosts (add it to net.allow_hosts if it should be)");
    error_clear(&err);
    net_policy_free(policy);
}

static void no_proxy_lists_names_networks_and_ports(void **state)
{
    static const struct {
        const char *host;
        int port;
        const char *list;
        bool excluded;
    } cases[] = {
        { "sentry.io", 443, NULL, false },
        { "sentry.io", 443, "", false },
        { "sentry.io", 443, "*", true },
        { "sentry.io", 443, "sentry.io", true },
        { "us.sentry.io", 443, "sentry.io", true },
        { "us.sentry.io", 443, ".sentry.io", true },
        { "us.sentry.io", 443, "*.sentry.io", true },
        { "notsentry.io", 443, "sentry.io", false },
        { "SENTRY.io", 443, "a.example, Sentry.IO", true },
        { "sentry.io", 443, "sentry.io:443", true },
        { "sentry.io", 443, "sentry.io:80", false },
        { "10.1.2.3", 443, "10.0.0.0/8", true },
        { "11.1.2.3", 443, "10.0.0.0/8", false },
        { "10.1.2.3", 443, "10.1.2.3", true },
        { "10.1.2.3", 443, "10.1.2.0/23", true },
        { "10.1.4.3", 443, "10.1.2.0/23", false },
        { "10.1.2.3", 443, "0.0.0.0/0", true },
        { "10.1.2.3", 443, "10.1.2.3/99", false },
        { "2001:db8::5", 443, "2001:db8::/32", true },
        { "2001:db9::5", 443, "2001:db8::/32", false },
        { "2001:db8::5", 8443, "[2001:db8::5]:8443", true },
        { "sentry.io", 443, "10.0.0.0/8,,", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (proxy_is_excluded(cases[i].host, cases[i].port, cases[i].list) != cases[i].excluded)
            fail_msg("%s in \"%s\"", cases[i].host, cases[i].list ? cases[i].list : "(null)");
}

static void clear_proxy_variables(void)
{
    static const char *const names[] = { "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
                                         "all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unsetenv(names[i]);
}

static void the_proxy_follows_the_environment(void **state)
{
    static const struct {
        const char *name, *value, *url, *proxy;
    } cases[] = {
        { "HTTPS_PROXY", "http://p:3128", "https://sentry.io/", "http://p:3128" },
        { "HTTPS_PROXY", "http://p:3128", "wss://wss.slack.com/", "http://p:3128" },
        { "https_proxy", "http://q:3128", "wss://wss.slack.com/", "http://q:3128" },
        { "HTTPS_PROXY", "http://p:3128", "http://sentry.io/", NULL },
        { "HTTP_PROXY", "http://p:3128", "https://sentry.io/", NULL },
        { "ALL_PROXY", "socks5h://p:1080", "https://sentry.io/", "socks5h://p:1080" },
        { "HTTPS_PROXY", "http://p:3128", "https://127.0.0.1:8443/", NULL },
        { "HTTPS_PROXY", "http://p:3128", "wss://localhost:8443/", NULL },
        { "HTTPS_PROXY", "", "https://sentry.io/", NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        clear_proxy_variables();
        setenv(cases[i].name, cases[i].value, 1);
        char *proxy = net_policy_proxy(cases[i].url);
        if (cases[i].proxy)
            assert_string_equal(proxy, cases[i].proxy);
        else
            assert_null(proxy);
        free(proxy);
    }
    clear_proxy_variables();
    setenv("HTTPS_PROXY", "http://p:3128", 1);
    setenv("NO_PROXY", "slack.com", 1);
    assert_null(net_policy_proxy("wss://wss.slack.com/"));
    clear_proxy_variables();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_base_address_is_https_or_this_machine),
        cmocka_unit_test(public_services_bring_their_companions_and_nobody_else),
        cmocka_unit_test(a_base_on_this_machine_opens_this_machine_and_closes_the_public_hosts),
        cmocka_unit_test(further_hosts_are_allowed_for_their_service_over_tls),
        cmocka_unit_test(a_refusal_names_the_key_to_set),
        cmocka_unit_test(no_proxy_lists_names_networks_and_ports),
        cmocka_unit_test(the_proxy_follows_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
