/*
 * What stands in an answer's head, and addresses that a service hands out. Lines: an address, then
 * header lines.
 */
#include <string.h>

#include "dbconn/base/clock.h"
#include "dbconn/net/http_headers.h"
#include "dbconn/net/policy.h"
#include "dbconn/net/retry.h"
#include "dbconn/net/url.h"
#include "fuzz.h"
#include "sources/source_answer.h"

#define NOW INT64_C(1787047320000)

/* Only the configured host and those that were allowed are ever asked. */
static void check_url(const char *text)
{
    struct net_policy *policy = net_policy_new();
    struct url url;
    bool readable = url_parse(text, &url, NULL) == 0;

    FUZZ_CHECK(net_policy_add_base(policy, "slack", "https://slack.com/api", NULL) == 0);
    net_policy_add_host(policy, "slack", "*.slack.com");
    if (net_policy_check(policy, "slack", text, NULL) == 0) {
        FUZZ_CHECK(readable && url_is_tls(&url) && !url.has_userinfo);
        size_t len = strlen(url.host);
        FUZZ_CHECK(strcmp(url.host, "slack.com") == 0 ||
                   (len > 10 && strcmp(url.host + len - 10, ".slack.com") == 0));
    }
    if (readable)
        url_clear(&url);
    net_policy_free(policy);
}

static void check_link(const char *value)
{
    struct source_link link = { 0 };

    if (!value || !source_find_link(value, "next", &link))
        return;
    FUZZ_CHECK(link.url >= value && link.url + link.url_len <= value + strlen(value));
    FUZZ_CHECK(!link.cursor ||
               (link.cursor >= value && link.cursor + link.cursor_len <= value + strlen(value)));
}

void fuzz_headers(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    struct http_headers headers = { 0 };
    struct http_reply reply = { .status = 429, .body = "", .headers = &headers };
    char *line = fuzz_line(&in);

    check_url(line);
    free(line);
    while (in.left) {
        line = fuzz_line(&in);
        (void)http_headers_add_line(&headers, line, strlen(line));
        free(line);
    }
    FUZZ_CHECK(headers.bytes <= HTTP_HEADERS_MAX_BYTES);
    check_link(http_headers_get(&headers, "Link"));
    (void)retry_after_ms(http_headers_get(&headers, "Retry-After"), NOW);
    (void)source_clock_skew(&reply, NOW);
    (void)source_until(&reply, "X-RateLimit-Reset", NOW);
    http_headers_clear(&headers);
}
