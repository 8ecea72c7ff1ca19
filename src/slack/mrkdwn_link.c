/* Links: which URLs may become one, how they are written, and what they are called. */
#include "dbconn/slack/mrkdwn.h"

#include <ctype.h>

#include "dbconn/base/text.h"
#include "dbconn/net/url.h"

#define MAX_LINK_BYTES 3000

/* Names of Unicode look-alikes and stray characters have no place in a host that people trust. */
static bool plain_host(const char *host)
{
    for (const char *p = host; *p; p++) {
        if (!isalnum((unsigned char)*p) && !strchr("-._:", *p))
            return false;
    }
    return host[0] != '\0';
}

/* Browsers read a backslash as a slash, parsers do not: what is shown would not be where it
 * leads. Blanks and control characters have no place in a URL either. */
static bool plain_bytes(const char *url)
{
    if (strstr(url, ":///"))
        return false;
    for (const char *p = url; *p; p++) {
        if ((unsigned char)*p <= ' ' || *p == '\\' || *p == 0x7F)
            return false;
    }
    return true;
}

bool link_allowed(const char *url)
{
    struct url u;
    bool ok;

    if (!url || !plain_bytes(url) || strlen(url) > MAX_LINK_BYTES || url_parse(url, &u, NULL) < 0)
        return false;
    ok = !u.has_userinfo && plain_host(u.host) &&
         (strcmp(u.scheme, "https") == 0 ||
          (strcmp(u.scheme, "http") == 0 && url_is_loopback_host(u.host)));
    url_clear(&u);
    return ok;
}

bool link_encode(struct buf *out, const char *url)
{
    struct buf encoded = BUF_INIT;
    bool ok = link_allowed(url);

    for (const char *p = url; ok && *p; p++) {
        if ((unsigned char)*p >= 0x80 || strchr("|<>\"'`^{}", *p))
            buf_addf(&encoded, "%%%02X", (unsigned char)*p);
        else
            buf_addc(&encoded, *p);
    }
    ok = ok && encoded.len <= MAX_LINK_BYTES;
    if (ok)
        buf_add(out, encoded.data, encoded.len);
    buf_clear(&encoded);
    return ok;
}

/* What follows `part` in `path`, up to the next slash or the query; false when it is not there. */
static bool after(const char *path, const char *part, struct buf *out)
{
    const char *at = strstr(path, part);

    buf_reset(out);
    if (!at)
        return false;
    at += strlen(part);
    buf_add(out, at, strcspn(at, "/?#"));
    return out->len > 0;
}

static bool all_of(const char *s, int (*is)(int))
{
    while (*s && is((unsigned char)*s))
        s++;
    return *s == '\0';
}

/* A page of GitHub or Sentry is called by what it shows. */
static bool name_page(const char *path, struct buf *out)
{
    struct buf id = BUF_INIT;
    bool known = true;

    if (after(path, "/pull/", &id) && all_of(buf_str(&id), isdigit))
        buf_addf(out, "pull request #%.12s", buf_str(&id));
    else if (after(path, "/commit/", &id) && all_of(buf_str(&id), isxdigit))
        buf_addf(out, "commit %.7s", buf_str(&id));
    else if (after(path, "/compare/", &id))
        buf_adds(out, "comparison");
    else if (after(path, "/events/", &id) && strstr(path, "/issues/"))
        buf_adds(out, "Sentry event");
    else if (after(path, "/issues/", &id))
        buf_adds(out, "Sentry issue");
    else if (after(path, "/releases/", &id))
        buf_adds(out, "release");
    else
        known = false;
    buf_clear(&id);
    return known;
}

void link_label(struct buf *out, const char *url, size_t max)
{
    struct buf label = BUF_INIT;
    struct url u;

    if (!url || url_parse(url, &u, NULL) < 0) {
        plain_text(out, url, max);
        return;
    }
    bool known = name_page(u.target, &label);
    bool usual = strcmp(u.host, "github.com") == 0 || strcmp(u.host, "sentry.io") == 0 ||
                 (strlen(u.host) > 10 && strcmp(u.host + strlen(u.host) - 10, ".sentry.io") == 0);
    /* On another server than the well-known ones the reader should see whose page it is. */
    if (known && !usual)
        buf_adds(&label, " on ");
    if (!known || !usual)
        url_add_authority(&label, &u);
    plain_text(out, buf_str(&label), max);
    url_clear(&u);
    buf_clear(&label);
}

void mrkdwn_link(struct buf *out, const char *url, const char *label, size_t max_label)
{
    struct buf encoded = BUF_INIT, shown = BUF_INIT, name = BUF_INIT;

    mrkdwn_text(&shown, label, max_label);
    if (shown.len == 0) {
        link_label(&name, url, max_label);
        mrkdwn_text(&shown, buf_str(&name), max_label);
    }
    if (link_encode(&encoded, url)) {
        buf_addc(out, '<');
        for (const char *p = buf_str(&encoded); *p; p++)
            buf_adds(out, *p == '&' ? "&amp;" : (char[2]){ *p, '\0' });
        buf_addf(out, "|%s>", buf_str(&shown));
    } else {
        buf_adds(out, buf_str(&shown));
    }
    buf_clear(&encoded);
    buf_clear(&shown);
    buf_clear(&name);
}
