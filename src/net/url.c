#include "dbconn/net/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/text.h"

/* libcurl knows only the ports of schemes that it was built with, which need not include ws. */
static int default_port(const char *scheme)
{
    static const struct {
        const char *scheme;
        int port;
    } ports[] = { { "https", 443 }, { "wss", 443 }, { "http", 80 }, { "ws", 80 } };

    for (size_t i = 0; i < ARRAY_LEN(ports); i++)
        if (text_same(ports[i].scheme, scheme))
            return ports[i].port;
    return 0;
}

/* The part as a string on our own heap, or NULL when the URL lacks it. */
static char *take_part(CURLU *handle, CURLUPart part)
{
    char *text = NULL, *copy = NULL;

    if (curl_url_get(handle, part, &text, 0) == CURLUE_OK)
        copy = xstrdup(text);
    curl_free(text);
    return copy;
}

static void lower(char *s)
{
    for (; *s; s++)
        *s = (char)tolower((unsigned char)*s);
}

/* "[::1]" becomes "::1", "SENTRY.io." becomes "sentry.io". */
static char *bare_host(char *host)
{
    size_t len = strlen(host);

    lower(host);
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        memmove(host, host + 1, len - 2);
        host[len - 2] = '\0';
    } else if (len > 1 && host[len - 1] == '.') {
        host[len - 1] = '\0';
    }
    return host;
}

static char *join_target(CURLU *handle)
{
    struct buf target = BUF_INIT;
    char *path = take_part(handle, CURLUPART_PATH), *query = take_part(handle, CURLUPART_QUERY);

    buf_adds(&target, path && *path ? path : "/");
    if (query)
        buf_addf(&target, "?%s", query);
    free(path);
    free(query);
    return buf_take(&target);
}

static bool has_part(CURLU *handle, CURLUPart part)
{
    char *text = take_part(handle, part);

    free(text);
    return text != NULL;
}

static int read_parts(CURLU *handle, struct url *ret, struct error *err)
{
    char *port = take_part(handle, CURLUPART_PORT);

    ret->scheme = take_part(handle, CURLUPART_SCHEME);
    ret->host = take_part(handle, CURLUPART_HOST);
    if (ret->scheme)
        lower(ret->scheme);
    ret->port = port ? (int)strtol(port, NULL, 10) : default_port(ret->scheme);
    free(port);
    if (!default_port(ret->scheme))
        return error_set(err, ERR_INVALID, "the address is not http, https, ws or wss");
    if (!ret->host || !*ret->host || ret->port < 1)
        return error_set(err, ERR_INVALID, "the address names no host or no usable port");
    bare_host(ret->host);
    ret->target = join_target(handle);
    ret->has_userinfo = has_part(handle, CURLUPART_USER) || has_part(handle, CURLUPART_PASSWORD);
    return 0;
}

int url_parse(const char *text, struct url *ret, struct error *err)
{
    struct url url = { 0 };
    CURLU *handle = curl_url();
    int rc = -1;

    /* Without a scheme libcurl would refuse too; ws and wss need not be known to it. */
    CURLUcode code = !handle ? CURLUE_OUT_OF_MEMORY
                             : curl_url_set(handle, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    if (code != CURLUE_OK)
        error_set(err, ERR_INVALID, "the address cannot be read: %s", curl_url_strerror(code));
    else
        rc = read_parts(handle, &url, err);
    curl_url_cleanup(handle);
    if (rc < 0)
        url_clear(&url);
    else
        *ret = url;
    return rc;
}

void url_clear(struct url *url)
{
    free(url->scheme);
    free(url->host);
    free(url->target);
    *url = (struct url){ 0 };
}

bool url_is_tls(const struct url *url)
{
    return text_same(url->scheme, "https") || text_same(url->scheme, "wss");
}

bool url_is_loopback_host(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (!strcasecmp(host, "localhost"))
        return true;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool url_same_origin(const struct url *a, const struct url *b)
{
    return text_same(a->scheme, b->scheme) && text_same(a->host, b->host) && a->port == b->port;
}

void url_add_authority(struct buf *out, const struct url *url)
{
    buf_addf(out, strchr(url->host, ':') ? "[%s]" : "%s", url->host);
    if (url->port != default_port(url->scheme))
        buf_addf(out, ":%d", url->port);
}

void url_add_escaped(struct buf *out, const char *text)
{
    for (; text && *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (plain || strchr("-._~", c))
            buf_addc(out, (char)c);
        else
            buf_addf(out, "%%%02X", c);
    }
}

void url_add_query(struct buf *out, const char *name, const char *value)
{
    buf_addc(out, strchr(buf_str(out), '?') ? '&' : '?');
    url_add_escaped(out, name);
    buf_addc(out, '=');
    url_add_escaped(out, value);
}
