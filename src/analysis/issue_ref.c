/*
 * Shapes of references: Sentry's address bar in the cloud, on region hosts and self-hosted, its
 * older permalinks, and short ids (a project's slug, a dash and base 32).
 */
#include "dbconn/analysis/issue_ref.h"

#include <ctype.h>
#include <curl/curl.h>
#include <strings.h>

#include "dbconn/base/text.h"

#define MAX_SEGMENTS 16
#define MAX_SHORT_ID 80 /* bytes: a project slug has at most 50 */
#define MAX_QUOTED 60   /* bytes of what was typed that an error repeats */

struct path {
    char *text; /* the segments' memory */
    char *segments[MAX_SEGMENTS];
    size_t n;
};

struct page {
    char *scheme, *host, *port;
    struct path path;
};

/* What the references are checked against. */
struct home {
    const char *organization;
    struct page page;
};

void issue_ref_clear(struct issue_ref *ref)
{
    free(ref->organization);
    free(ref->issue);
    free(ref->event);
    free(ref->host);
    *ref = (struct issue_ref){ 0 };
}

/* ---- ids ---- */

static bool all_digits(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isdigit((unsigned char)s[i]))
            return false;
    return len > 0;
}

static bool is_numeric_id(const char *s, size_t len)
{
    return len <= 20 && all_digits(s, len);
}

/* SLUG-SUFFIX or SLUG_SUFFIX: letters, digits and dashes, the suffix without dashes. */
static bool is_short_id(const char *s, size_t len)
{
    size_t suffix = len;

    if (len < 3 || len > MAX_SHORT_ID || !isalnum((unsigned char)s[0]))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)s[i]) && s[i] != '-' && s[i] != '_')
            return false;
    while (suffix > 0 && s[suffix - 1] != '-' && s[suffix - 1] != '_')
        suffix--;
    return suffix > 1 && suffix < len && len - suffix <= 13;
}

/* "follow-up" has the form of a short id; a digit or capitals tell a real one. */
static bool is_telling(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (isdigit((unsigned char)s[i]) || isupper((unsigned char)s[i]))
            return true;
    return false;
}

/* 32 hex digits, also as a UUID: in lower case without dashes, on the heap; NULL when it is none.
 */
static char *event_id(const char *s, size_t len)
{
    struct buf id = BUF_INIT;

    for (size_t i = 0; i < len && id.len <= 32; i++) {
        if (isxdigit((unsigned char)s[i]))
            buf_addc(&id, (char)tolower((unsigned char)s[i]));
        else if (s[i] != '-' || (len != 36))
            break;
    }
    bool whole = id.len == 32 && (len == 32 || len == 36);
    if (whole)
        return buf_take(&id);
    buf_clear(&id);
    return NULL;
}

static char *event_word(const char *s)
{
    static const char *const words[] = { "latest", "oldest", "recommended" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcasecmp(s, words[i]) == 0)
            return xstrdup(words[i]);
    return strcasecmp(s, "helpful") == 0 ? xstrdup("recommended") : NULL; /* its older name */
}

static char *upper(const char *s, size_t len)
{
    char *copy = xstrndup(s, len);

    for (char *p = copy; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return copy;
}

/* ---- addresses ---- */

static void page_clear(struct page *p)
{
    free(p->scheme);
    free(p->host);
    free(p->port);
    free(p->path.text);
    *p = (struct page){ 0 };
}

static void split_path(struct path *path, const char *text)
{
    path->text = xstrdup(text);
    for (char *p = path->text; *p && path->n < MAX_SEGMENTS;) {
        while (*p == '/')
            *p++ = '\0';
        if (*p)
            path->segments[path->n++] = p;
        p += strcspn(p, "/");
    }
}

static char *part(CURLU *url, CURLUPart what, unsigned flags)
{
    char *lent = NULL, *copy = NULL;

    if (curl_url_get(url, what, &lent, flags) == CURLUE_OK)
        copy = xstrdup(lent);
    curl_free(lent);
    return copy;
}

/* False when libcurl can't make a URL with a host of it. */
static bool page_parse(const char *text, struct page *ret)
{
    CURLU *url = curl_url();
    char *path;

    *ret = (struct page){ 0 };
    if (!url)
        abort(); /* out of memory on a small allocation, as in alloc.h */
    if (curl_url_set(url, CURLUPART_URL, text, CURLU_DEFAULT_SCHEME) == CURLUE_OK) {
        ret->scheme = part(url, CURLUPART_SCHEME, 0);
        ret->host = part(url, CURLUPART_HOST, 0);
        ret->port = part(url, CURLUPART_PORT, 0);
        path = part(url, CURLUPART_PATH, CURLU_URLDECODE);
        split_path(&ret->path, path ? path : "");
        free(path);
    }
    curl_url_cleanup(url);
    for (char *p = ret->host; p && *p; p++)
        *p = (char)tolower((unsigned char)*p);
    if (ret->host && *ret->host)
        return true;
    page_clear(ret);
    return false;
}

static bool is_cloud(const char *host)
{
    size_t n = strlen(host), tail = strlen(".sentry.io");

    return strcmp(host, "sentry.io") == 0 ||
           (n > tail && strcmp(host + n - tail, ".sentry.io") == 0);
}

/* 80 and 443 are what a URL means without a port. */
static bool same_port(const char *a, const char *b)
{
    const char *left = text_same(a, "80") || text_same(a, "443") ? NULL : a;
    const char *right = text_same(b, "80") || text_same(b, "443") ? NULL : b;

    return text_same(left, right);
}

static bool is_home(const struct home *home, const struct page *page)
{
    const struct page *own = &home->page;

    if (is_cloud(own->host))
        return is_cloud(page->host);
    return strcmp(own->host, page->host) == 0 && same_port(own->port, page->port);
}

/* acme.sentry.io: the organization; the regions and Sentry's own pages are none. */
static char *sub_domain(const char *host)
{
    static const char *const none[] = { "www",    "us",   "de",   "eu",      "api",   "docs",
                                        "status", "blog", "help", "develop", "ingest" };
    size_t n = strcspn(host, ".");

    if (!is_cloud(host) || strcmp(host + n, ".sentry.io") != 0)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        if (strlen(none[i]) == n && strncmp(none[i], host, n) == 0)
            return NULL;
    return xstrndup(host, n);
}

static size_t find_segment(const struct path *path, size_t from, const char *name)
{
    while (from < path->n && strcmp(path->segments[from], name) != 0)
        from++;
    return from;
}

/* How many segments of `page` repeat the configured base's path ("https://acme.example/sentry"). */
static size_t base_length(const struct home *home, const struct path *path)
{
    const struct path *base = &home->page.path;

    if (base->n > path->n)
        return 0;
    for (size_t i = 0; i < base->n; i++)
        if (strcmp(base->segments[i], path->segments[i]) != 0)
            return 0;
    return base->n;
}

/* Order: /organizations/X/, a segment before `at`, the sub-domain. */
static char *organization_of(const struct page *page, size_t from, size_t at)
{
    if (from + 1 < page->path.n && strcmp(page->path.segments[from], "organizations") == 0)
        return xstrdup(page->path.segments[from + 1]);
    if (at > from && at - from <= 2)
        return xstrdup(page->path.segments[from]);
    return sub_domain(page->host);
}

static char *event_of(const char *segment)
{
    const char *colon = strrchr(segment, ':'); /* discover's "project:id" */
    const char *id = colon ? colon + 1 : segment;
    char *event = event_id(id, strlen(id));

    return event || colon ? event : event_word(segment);
}

/* ---- errors ---- */

static void add_example(const struct home *home, struct buf *out)
{
    const char *organization = home->organization ? home->organization : "acme";

    buf_addf(out, "SHOP-1A2 or %s://%s/organizations/%s/issues/4509062593/", home->page.scheme,
             home->page.host, organization);
}

static int refuse(const struct home *home, struct error *err, enum err_code code, const char *typed,
                  const char *what)
{
    struct buf text = BUF_INIT, clean = BUF_INIT;

    if (typed) {
        text_clean(typed, true, &clean);
        buf_adds(&text, "\"");
        text_add_cut(&text, buf_str(&clean), MAX_QUOTED);
        buf_adds(&text, "\" ");
    }
    buf_addf(&text, "%s For example: ", what);
    add_example(home, &text);
    error_set(err, code, "%s", buf_str(&text));
    buf_clear(&text);
    buf_clear(&clean);
    return -1;
}

static int other_host(const struct home *home, const struct page *page, struct error *err)
{
    return error_set(err, ERR_INVALID,
                     "That link leads to %s, but this bot is connected to the Sentry at %s and can "
                     "look at its issues only.",
                     page->host, home->page.host);
}

static int other_organization(const struct home *home, const char *organization, struct error *err)
{
    return error_set(err, ERR_INVALID,
                     "That issue belongs to the Sentry organization \"%.80s\", but this bot is set "
                     "up for \"%s\" and can look at its issues only.",
                     organization, home->organization);
}

/* ---- one reference ---- */

/* 0: *ret is filled; -1: *err says why not. */
static int read_page(const struct home *home, const char *text, struct issue_ref *ret,
                     struct error *err)
{
    struct page page;
    struct issue_ref ref = { 0 };
    int rc = -1;

    if (!page_parse(text, &page))
        return refuse(home, err, ERR_USAGE, text, "is no link that I can read.");
    if (!is_home(home, &page)) {
        rc = other_host(home, &page, err);
        goto out;
    }
    size_t from = base_length(home, &page.path);
    size_t issues = find_segment(&page.path, from, "issues"), last = page.path.n;
    size_t events = find_segment(&page.path, issues < last ? issues : from, "events");
    if (issues + 1 < last) {
        const char *id = page.path.segments[issues + 1];
        size_t len = strlen(id);
        if (is_numeric_id(id, len) || (is_short_id(id, len) && is_telling(id, len)))
            ref.issue = upper(id, len);
    }
    if (events + 1 < last)
        ref.event = event_of(page.path.segments[events + 1]);
    else if (issues == last && last > from) /* .../discover/PROJECT:EVENT/ */
        ref.event = strchr(page.path.segments[last - 1], ':')
                        ? event_of(page.path.segments[last - 1])
                        : NULL;
    if (!ref.issue && (!ref.event || issues < last || strlen(ref.event) != 32)) {
        rc = refuse(home, err, ERR_USAGE, NULL,
                    "That link leads to Sentry, but not to a single issue: open the issue there "
                    "and copy the address from its page.");
        goto out;
    }
    ref.organization = organization_of(&page, from, issues < last ? issues : events);
    ref.host = xstrdup(page.host);
    if (ref.organization && home->organization &&
        !all_digits(ref.organization, strlen(ref.organization)) &&
        strcasecmp(ref.organization, home->organization) != 0) {
        rc = other_organization(home, ref.organization, err);
        goto out;
    }
    *ret = ref;
    ref = (struct issue_ref){ 0 };
    rc = 0;
out:
    issue_ref_clear(&ref);
    page_clear(&page);
    return rc;
}

/* ---- finding it in what was typed ---- */

static char *find_url(char *text)
{
    char *plain = strcasestr(text, "http://"), *secure = strcasestr(text, "https://");

    return !plain ? secure : !secure ? plain : plain < secure ? plain : secure;
}

/* "acme.sentry.io/issues/1" and "sentry.acme.example/organizations/..." without a scheme. */
static bool is_bare_address(const char *token)
{
    size_t host = strcspn(token, "/");

    return token[host] == '/' && memchr(token, '.', host) &&
           (strstr(token + host, "/issues/") || strstr(token + host, "/events/"));
}

/* The end of a URL in Slack's or anybody's text: <URL|label>, quotes, brackets, blanks. */
static void cut_url(char *url)
{
    size_t n = strcspn(url, " \t\n|<>\"'`)]}\\");

    while (n > 0 && strchr(".,;:!?*_~", url[n - 1]))
        n--;
    url[n] = '\0';
}

static void replace_all(struct buf *text, const char *from, const char *to)
{
    struct buf out = BUF_INIT;
    const char *p = buf_str(text);

    for (const char *hit; (hit = strstr(p, from)); p = hit + strlen(from)) {
        buf_add(&out, p, (size_t)(hit - p));
        buf_adds(&out, to);
    }
    buf_adds(&out, p);
    buf_clear(text);
    *text = out;
}

/* What was typed, in one line: without invisible characters, with Slack's escapes undone and the
 * dashes of rich text editors as dashes. */
static char *prepare(const char *typed)
{
    static const char *const pairs[][2] = {
        { "&amp;", "&" },        { "&lt;", "<" },         { "&gt;", ">" },
        { "\xE2\x80\x90", "-" }, { "\xE2\x80\x91", "-" }, { "\xE2\x80\x92", "-" },
        { "\xE2\x80\x93", "-" }, { "\xE2\x80\x94", "-" }, { "\xE2\x88\x92", "-" },
    };
    struct buf text = BUF_INIT;

    text_clean(typed, true, &text);
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        replace_all(&text, pairs[i][0], pairs[i][1]);
    return buf_take(&text);
}

/* A word without the quotes, brackets, emoji and punctuation around it. */
static size_t next_word(const char *text, size_t *at)
{
    size_t i = *at, end;

    while (text[i] && !isalnum((unsigned char)text[i]))
        i++;
    end = i;
    while (text[end] && !isspace((unsigned char)text[end]) &&
           !strchr("<>\"'`|,()[]{}", text[end]) && (unsigned char)text[end] < 0x80)
        end++;
    *at = i;
    while (end > i && !isalnum((unsigned char)text[end - 1]))
        end--;
    return end - i;
}

static bool take_word(const char *s, size_t len, bool first, struct issue_ref *ret)
{
    const char *slash = memchr(s, '/', len); /* "acme/SHOP-1A2" */
    size_t org = slash ? (size_t)(slash - s) : 0;
    char *event = event_id(s, len);

    if (event) {
        ret->event = event;
        return true;
    }
    if (slash && is_short_id(slash + 1, len - org - 1) && is_telling(slash + 1, len - org - 1)) {
        ret->organization = xstrndup(s, org);
        ret->issue = upper(slash + 1, len - org - 1);
        return true;
    }
    if ((is_short_id(s, len) && (first || is_telling(s, len))) ||
        (is_numeric_id(s, len) && (first || len >= 5))) {
        ret->issue = upper(s, len);
        return true;
    }
    return false;
}

/* "shop 1a2", the two words alone: Sentry takes a blank for the dash. */
static bool take_two_words(const char *text, struct issue_ref *ret)
{
    size_t at = 0, len = next_word(text, &at), second = at + len;
    size_t tail = next_word(text, &second), third = second + tail;

    if (!len || !tail || next_word(text, &third) || tail > 8 || !is_telling(text + second, tail) ||
        all_digits(text + at, len))
        return false;
    char *joined = xasprintf("%.*s-%.*s", (int)len, text + at, (int)tail, text + second);
    bool fits = len <= MAX_SHORT_ID && is_short_id(joined, strlen(joined));
    if (fits)
        ret->issue = upper(joined, strlen(joined));
    free(joined);
    return fits;
}

static int read_words(const struct home *home, char *text, const char *typed, struct issue_ref *ret,
                      struct error *err)
{
    struct issue_ref ref = { 0 };
    bool found = false, first = true;

    for (size_t at = 0, len; !found && (len = next_word(text, &at)); at += len, first = false) {
        char saved = text[at + len];
        text[at + len] = '\0';
        bool address = is_bare_address(text + at);
        if (address)
            return read_page(home, text + at, ret, err);
        text[at + len] = saved;
        found = take_word(text + at, len, first, &ref);
    }
    if (!found && !take_two_words(text, &ref))
        return refuse(home, err, ERR_USAGE, typed,
                      "names no Sentry issue. Give its short id, its number or its link.");
    if (ref.organization && home->organization &&
        strcasecmp(ref.organization, home->organization) != 0) {
        other_organization(home, ref.organization, err);
        issue_ref_clear(&ref);
        return -1;
    }
    *ret = ref;
    return 0;
}

static int read_text(const struct home *home, const char *typed, struct issue_ref *ret,
                     struct error *err)
{
    char *text = prepare(typed), *url = find_url(text);
    int rc;

    if (strspn(text, " ") == strlen(text)) {
        rc = refuse(home, err, ERR_USAGE, NULL, "Which issue? Give a Sentry short id or link.");
    } else if (url) {
        cut_url(url);
        rc = read_page(home, url, ret, err);
    } else {
        rc = read_words(home, text, text, ret, err);
    }
    free(text);
    return rc;
}

int issue_ref_parse(const char *text, const char *sentry_url, const char *organization,
                    struct issue_ref *ret, struct error *err)
{
    struct home home = { .organization = organization };
    size_t len = text ? strlen(text) : 0;
    int rc;

    if (!page_parse(sentry_url, &home.page))
        return error_set(err, ERR_CONFIG, "the configured Sentry address \"%s\" is no URL",
                         sentry_url ? sentry_url : "");
    if (len > ISSUE_REF_MAX_TEXT)
        rc = refuse(&home, err, ERR_USAGE, NULL,
                    "That is too much text to find an issue in. Give only its short id or link.");
    else
        rc = read_text(&home, text ? text : "", ret, err);
    page_clear(&home.page);
    return rc;
}
