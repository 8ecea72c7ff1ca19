/*
 * Which proxy an address goes through, after the variables that curl, wget and others read
 * (everything.curl.dev, "Proxy environment variables"). One decision for libcurl and
 * libwebsockets, which reads http_proxy only.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dbconn/net/url.h"
#include "policy_internal.h"

struct address {
    int family; /* AF_INET, AF_INET6, or 0: a name */
    unsigned char bytes[16];
};

static struct address read_address(const char *text)
{
    struct address a = { 0 };

    if (inet_pton(AF_INET, text, a.bytes) == 1)
        a.family = AF_INET;
    else if (inet_pton(AF_INET6, text, a.bytes) == 1)
        a.family = AF_INET6;
    return a;
}

static bool in_network(const struct address *a, const struct address *net, long bits)
{
    long whole = bits / 8, rest = bits % 8, size = a->family == AF_INET ? 32 : 128;

    if (a->family != net->family || bits < 0 || bits > size)
        return false;
    if (memcmp(a->bytes, net->bytes, (size_t)whole) != 0)
        return false;
    unsigned mask = rest ? 0xFFU << (8 - rest) & 0xFFU : 0;
    return !rest || ((a->bytes[whole] ^ net->bytes[whole]) & mask) == 0;
}

/* Takes the port off "host:port" or "[v6]:port" and the brackets off an address, in place. */
static int split_port(char **entry)
{
    char *colon = strrchr(*entry, ':'), *bracket = strrchr(*entry, ']');
    int port = 0;

    if (colon && (bracket ? colon > bracket : strchr(*entry, ':') == colon)) {
        port = (int)strtol(colon + 1, NULL, 10);
        *colon = '\0';
    }
    if (**entry == '[' && bracket) {
        *bracket = '\0';
        (*entry)++;
    }
    return port;
}

/* "example.com", ".example.com" and "*.example.com" all mean the name and what is below it. */
static bool name_matches(const char *host, const char *entry)
{
    size_t host_len = strlen(host), len;

    if (!strncmp(entry, "*.", 2))
        entry++;
    if (*entry == '.')
        entry++;
    len = strlen(entry);
    if (!len || host_len < len || strcasecmp(host + host_len - len, entry) != 0)
        return false;
    return host_len == len || host[host_len - len - 1] == '.';
}

static bool entry_matches(const char *host, int port, char *entry)
{
    struct address address = read_address(host);
    char *slash = strchr(entry, '/');

    if (!strcmp(entry, "*"))
        return true;
    if (slash)
        *slash = '\0';
    int entry_port = split_port(&entry);
    if (entry_port && entry_port != port)
        return false;

    struct address net = read_address(entry);
    if (!address.family || !net.family)
        return name_matches(host, entry);
    long bits = slash ? strtol(slash + 1, NULL, 10) : (address.family == AF_INET ? 32 : 128);
    return in_network(&address, &net, bits);
}

bool proxy_is_excluded(const char *host, int port, const char *no_proxy)
{
    char *list = xstrdup(no_proxy ? no_proxy : ""), *rest = list, *entry;
    bool excluded = false;

    while (!excluded && (entry = strsep(&rest, ", \t")))
        excluded = *entry && entry_matches(host, port, entry);
    free(list);
    return excluded;
}

/* The first that is set and not empty: the lower-case name, as curl does, then the upper one. */
static const char *variable(const char *lower, const char *upper)
{
    const char *value = getenv(lower);

    if (!value || !*value)
        value = getenv(upper);
    return value && *value ? value : NULL;
}

char *net_policy_proxy(const char *url)
{
    struct url parts = { 0 };
    const char *proxy;

    if (url_parse(url, &parts, NULL) < 0)
        return NULL;
    proxy = url_is_tls(&parts) ? variable("https_proxy", "HTTPS_PROXY")
                               : variable("http_proxy", "HTTP_PROXY");
    if (!proxy)
        proxy = variable("all_proxy", "ALL_PROXY");
    /* What is on this machine is not asked of another one. */
    if (proxy && (url_is_loopback_host(parts.host) ||
                  proxy_is_excluded(parts.host, parts.port, variable("no_proxy", "NO_PROXY"))))
        proxy = NULL;
    url_clear(&parts);
    return xstrdup(proxy);
}
