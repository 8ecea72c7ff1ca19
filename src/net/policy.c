/*
 * A list of hosts per service. What a base URL brings in: its own host and port; for the public
 * services their fixed companions; for a loopback address every loopback address, since a service
 * on this machine hands out other ports of this machine.
 */
#include "dbconn/net/policy.h"

#include <string.h>

#include "dbconn/base/text.h"
#include "dbconn/net/url.h"
#include "policy_internal.h"
#include "trust.h"

struct host_rule {
    char *pattern; /* "sentry.io" or "*.sentry.io", lower case */
    int port;
};

struct service_rules {
    char *name;
    struct host_rule *hosts;
    size_t n, cap;
    bool loopback;  /* the operator named a loopback address */
    bool plaintext; /* ... with http:// */
};

struct net_policy {
    struct service_rules *services;
    size_t n, cap;
    char *ca_file;
    struct trust *trust;
};

/*
 * Slack: the socket (wss-primary, wss-backup), response_url (hooks, or the workspace's own name)
 * and uploads (files) are all below slack.com, GovSlack's below slack-gov.com (docs.slack.dev,
 * "Using Socket Mode"). Sentry: an organisation's data may live on us.sentry.io or de.sentry.io,
 * and links use its subdomain (docs.sentry.io, "Data Storage Location").
 */
static const struct {
    const char *service, *domain;
} companions[] = {
    { "slack", "slack.com" },
    { "slack", "slack-gov.com" },
    { "sentry", "sentry.io" },
};

struct net_policy *net_policy_new(void)
{
    struct net_policy *policy = xcalloc(1, sizeof(*policy));

    policy->trust = trust_new();
    return policy;
}

static void service_clear(struct service_rules *service)
{
    for (size_t i = 0; i < service->n; i++)
        free(service->hosts[i].pattern);
    free(service->hosts);
    free(service->name);
}

void net_policy_free(struct net_policy *policy)
{
    if (!policy)
        return;
    for (size_t i = 0; i < policy->n; i++)
        service_clear(&policy->services[i]);
    free(policy->services);
    free(policy->ca_file);
    trust_free(policy->trust);
    free(policy);
}

static struct service_rules *find_service(const struct net_policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->n; i++)
        if (text_same(policy->services[i].name, name))
            return &policy->services[i];
    return NULL;
}

static struct service_rules *need_service(struct net_policy *policy, const char *name)
{
    struct service_rules *service = find_service(policy, name);

    if (!service) {
        service = VEC_ADD(policy->services, policy->n, policy->cap);
        service->name = xstrdup(name);
    }
    return service;
}

static void add_rule(struct service_rules *service, const char *pattern, size_t len, int port)
{
    struct host_rule *rule = VEC_ADD(service->hosts, service->n, service->cap);

    rule->pattern = xstrndup(pattern, len);
    rule->port = port;
    for (char *p = rule->pattern; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
}

static bool matches(const char *pattern, const char *host)
{
    size_t host_len = strlen(host), suffix_len;

    if (strncmp(pattern, "*.", 2) != 0)
        return text_same(pattern, host);
    suffix_len = strlen(pattern + 1); /* with its dot: "*.slack.com" is not for notslack.com */
    return host_len > suffix_len && text_same(host + host_len - suffix_len, pattern + 1);
}

static void add_companions(struct service_rules *service, const char *host)
{
    for (size_t i = 0; i < ARRAY_LEN(companions); i++) {
        char *below = xasprintf("*.%s", companions[i].domain);

        if (text_same(companions[i].service, service->name) &&
            (text_same(companions[i].domain, host) || matches(below, host))) {
            add_rule(service, companions[i].domain, strlen(companions[i].domain), 443);
            add_rule(service, below, strlen(below), 443);
        }
        free(below);
    }
}

static int check_base(const char *service, const struct url *url, struct error *err)
{
    bool http = text_same(url->scheme, "http");

    if (!http && !text_same(url->scheme, "https"))
        return error_set(err, ERR_CONFIG, "the address of %s must begin with https://, not %s://",
                         service, url->scheme);
    if (url->has_userinfo)
        return error_set(err, ERR_CONFIG,
                         "the address of %s holds a user or password: give them by their own keys",
                         service);
    if (http && !url_is_loopback_host(url->host))
        return error_set(err, ERR_CONFIG,
                         "the address of %s is http://%s: unencrypted is accepted for this machine "
                         "(127.0.0.1, ::1, localhost) only, use https://",
                         service, url->host);
    return 0;
}

int net_policy_add_base(struct net_policy *policy, const char *service, const char *base_url,
                        struct error *err)
{
    struct url url = { 0 };

    if (!base_url || url_parse(base_url, &url, err) < 0) {
        if (!base_url)
            error_set(err, ERR_CONFIG, "none is given");
        if (err)
            err->code = ERR_CONFIG;
        return error_context(err, "the address of %s", service);
    }
    int rc = check_base(service, &url, err);
    if (rc == 0) {
        struct service_rules *rules = need_service(policy, service);

        add_rule(rules, url.host, strlen(url.host), url.port);
        add_companions(rules, url.host);
        rules->loopback |= url_is_loopback_host(url.host);
        rules->plaintext |= text_same(url.scheme, "http");
    }
    url_clear(&url);
    return rc;
}

/* "host", "*.host", each with or without ":port". */
void net_policy_add_host(struct net_policy *policy, const char *service, const char *pattern)
{
    const char *colon = strrchr(pattern, ':');
    size_t len = strlen(pattern);
    int port = 443;

    /* A second colon before it: an IPv6 address without a port, bare or in brackets. */
    if (colon && memchr(pattern, ':', (size_t)(colon - pattern)) && colon[-1] != ']')
        colon = NULL;
    if (colon) {
        port = (int)strtol(colon + 1, NULL, 10);
        len = (size_t)(colon - pattern);
    }
    if (len >= 2 && pattern[0] == '[' && pattern[len - 1] == ']') {
        pattern++;
        len -= 2;
    }
    add_rule(need_service(policy, service), pattern, len, port);
}

void net_policy_set_ca_file(struct net_policy *policy, const char *path)
{
    xreplace(&policy->ca_file, path);
    trust_set_file(policy->trust, path);
}

const char *net_policy_ca_file(const struct net_policy *policy)
{
    return policy->ca_file;
}

struct trust *net_policy_trust(const struct net_policy *policy)
{
    return policy->trust;
}

static bool is_listed(const struct service_rules *service, const struct url *url)
{
    for (size_t i = 0; i < service->n; i++)
        if (service->hosts[i].port == url->port && matches(service->hosts[i].pattern, url->host))
            return true;
    return false;
}

static int check_url(const struct service_rules *service, const struct url *url, struct error *err)
{
    bool loopback = url_is_loopback_host(url->host);

    if (url->has_userinfo)
        return error_set(err, ERR_CONFIG, "%s is not asked at an address that holds a user name",
                         service->name);
    if (!url_is_tls(url) && !(loopback && service->plaintext))
        return error_set(err, ERR_CONFIG,
                         "%s is not asked at %s without encryption: that is accepted only on this "
                         "machine and only when the configured address of %s is such a one",
                         service->name, url->host, service->name);
    if ((loopback && service->loopback) || is_listed(service, url))
        return 0;
    return error_set(err, ERR_CONFIG,
                     "%s is not asked at %s port %d: not one of its hosts (add it to "
                     "net.allow_hosts if it should be)",
                     service->name, url->host, url->port);
}

int net_policy_check(const struct net_policy *policy, const char *service, const char *url,
                     struct error *err)
{
    const struct service_rules *rules = find_service(policy, service);
    struct url parts = { 0 };

    if (!rules)
        return error_set(err, ERR_CONFIG, "%s is not configured", service);
    if (!url || url_parse(url, &parts, err) < 0) {
        if (!url)
            error_set(err, ERR_CONFIG, "no address");
        if (err)
            err->code = ERR_CONFIG;
        return error_context(err, "%s", service);
    }
    int rc = check_url(rules, &parts, err);
    url_clear(&parts);
    return rc;
}

bool net_policy_is_plaintext(const struct net_policy *policy, const char *service)
{
    const struct service_rules *rules = find_service(policy, service);

    return rules && rules->plaintext;
}
