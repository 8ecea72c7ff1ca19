#include "dbconn/base/redact.h"

#include <ctype.h>
#include <stdatomic.h>
#include <strings.h>

#include "redact_private.h"

#define MAX_CREDENTIALS 256 /* bytes of user:password@ without a scheme */
#define MAX_URL 4096        /* bytes in which credentials and the end of a URL are looked for */
#define MAX_INNER_URL 512
#define MAX_ESCAPED_URL 512
#define MIN_REMEMBERED 6
#define MAX_PASSES 8

/* Our own tokens. Only added to while other threads read: a reload may bring new ones. */
struct secret {
    struct secret *next;
    size_t len;
    char text[];
};
static _Atomic(struct secret *) remembered;
static atomic_bool begins[256]; /* bytes that one of them begins with */

void redact_remember(const char *secret)
{
    struct secret *first = atomic_load(&remembered), *new;
    size_t len = secret ? strlen(secret) : 0;

    if (len < MIN_REMEMBERED)
        return;
    for (const struct secret *s = first; s; s = s->next)
        if (strcmp(s->text, secret) == 0)
            return;
    new = xmalloc(sizeof(*new) + len + 1);
    new->next = first;
    new->len = len;
    memcpy(new->text, secret, len + 1);
    atomic_store(&remembered, new);
    atomic_store(&begins[(unsigned char)secret[0]], true);
}

void redact_forget_all(void)
{
    struct secret *s = atomic_exchange(&remembered, NULL);

    while (s) {
        struct secret *next = s->next;
        atomic_store(&begins[(unsigned char)s->text[0]], false);
        explicit_bzero(s->text, s->len);
        free(s);
        s = next;
    }
}

static void flush(struct redaction *r, size_t to)
{
    if (to > r->copied)
        buf_add(r->out, r->s + r->copied, to - r->copied);
    r->copied = to;
}

void redact_hide(struct redaction *r, size_t start, size_t end)
{
    flush(r, start);
    buf_adds(r->out, REDACTED);
    if (r->n_found < REDACT_MAX_FOUND)
        r->found[r->n_found++] = (struct span){ start, end };
    r->copied = r->at = end;
}

static bool hide_remembered(struct redaction *r)
{
    const char *at = r->s + r->at;

    if (!atomic_load_explicit(&begins[(unsigned char)*at], memory_order_relaxed))
        return false;
    for (const struct secret *s = atomic_load(&remembered); s; s = s->next) {
        if (strncmp(at, s->text, s->len) == 0) {
            redact_hide(r, r->at, r->at + s->len);
            return true;
        }
    }
    return false;
}

/* ---- URLs ---- */

static bool scheme_is_web(const struct redaction *r)
{
    static const char *const schemes[] = { "http", "https", "ws", "wss", "git", "file" };
    size_t i = r->at;

    while (i > 0 && r->at - i < 16 && isalpha((unsigned char)r->s[i - 1]))
        i--;
    for (size_t k = 0; k < ARRAY_LEN(schemes); k++)
        if (strlen(schemes[k]) == r->at - i && strncasecmp(r->s + i, schemes[k], r->at - i) == 0)
            return true;
    return false;
}

/* Paths that are themselves the permission: incoming webhooks, uploads. */
static bool hide_path(struct redaction *r, size_t start, size_t n)
{
    static const char *const places[] = { "hooks.slack.com/", "files.slack.com/upload/",
                                          "discord.com/api/webhooks/", "api.telegram.org/bot",
                                          "webhook.office.com/" };

    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        size_t len = strlen(places[i]);
        const char *p = memmem(r->s + start, n, places[i], len);
        if (!p || (size_t)(p - r->s) + len >= start + n)
            continue;
        size_t at = (size_t)(p - r->s) + len, kind = strcspn(r->s + at, "/");
        if (strcmp(places[i], "hooks.slack.com/") == 0 && at + kind + 1 < start + n)
            at += kind + 1; /* "services/" stays */
        if (redact_harmless(r->s + at, start + n - at))
            r->at = start + n;
        else
            redact_hide(r, at, start + n);
        return true;
    }
    return false;
}

/* https://TOKEN@host: a user name that only a machine could choose */
static bool is_machine_made(const char *s, size_t n)
{
    size_t digits = 0;

    for (size_t i = 0; i < n; i++)
        digits += (size_t)(isdigit((unsigned char)s[i]) != 0);
    return n >= 16 && digits >= 3;
}

/* A URL inside another one (a redirect, a JDBC prefix) ends where that one does. */
static size_t url_length(struct redaction *r, size_t start)
{
    size_t rest = r->len - start;

    if (start < r->url_end)
        return r->url_end - start < MAX_INNER_URL ? r->url_end - start : MAX_INNER_URL;
    size_t n = url_extent(r->s + start, rest < MAX_URL ? rest : MAX_URL);
    r->url_end = start + n;
    return n;
}

static bool hide_url(struct redaction *r)
{
    size_t start = r->at + 3, n = url_length(r, start);
    long colon, at = url_userinfo(r->s + start, n, !scheme_is_web(r), &colon);

    /* jdbc:sqlserver://host;user=a;password=x: an @ there belongs to a value. */
    if (at >= 0 && start >= 17 && strncasecmp(r->s + start - 17, "jdbc:sqlserver://", 17) == 0)
        at = -1;

    if (at < 0) {
        if (hide_path(r, start, n))
            return true;
        r->at = start;
        return true;
    }
    size_t secret = start + (size_t)(colon >= 0 ? colon + 1 : 0), end = start + (size_t)at;
    bool plain_user = colon < 0 && !is_machine_made(r->s + start, (size_t)at);
    if (!plain_user && end > secret && !redact_harmless(r->s + secret, end - secret))
        redact_hide(r, secret, end);
    r->at = end + 1;
    return true;
}

/* mongodb%2bsrv%3a%2f%2fuser%3apassword%40host: a whole URL that was escaped. `at` is at its
 * "%3a%2f%2f". */
static bool hide_escaped_url(struct redaction *r)
{
    const char *s = r->s + r->at;
    size_t n = strcspn(s, " \t\r\n\"'`<>,;"), start = strlen("%3a%2f%2f"), colon = 0, at = 0;

    if (n > MAX_ESCAPED_URL)
        n = MAX_ESCAPED_URL;
    for (size_t i = start; i + 3 <= n; i++) {
        if (!colon && strncasecmp(s + i, "%3a", 3) == 0)
            colon = i + 3;
        if (strncasecmp(s + i, "%40", 3) == 0)
            at = i;
    }
    if (!colon || at <= colon || redact_harmless(s + colon, at - colon))
        return false;
    redact_hide(r, r->at + colon, r->at + at);
    return true;
}

/* ---- user:password@host without a scheme ---- */

/* Does a host begin here: with a dot, a port, a path, or as a word of its own? */
static bool is_host(const char *s)
{
    size_t n = 0, letters = 0;

    if (*s == '[' || strncmp(s, "tcp(", 4) == 0 || strncmp(s, "unix(", 5) == 0 || *s == '/')
        return true;
    for (; isalnum((unsigned char)s[n]) || s[n] == '.' || s[n] == '-' || s[n] == '_'; n++)
        letters += (size_t)(isalpha((unsigned char)s[n]) != 0);
    bool address = memchr(s, '.', n) && (letters || strspn(s, "0123456789.") >= 7);
    return n > 0 && strncmp(s, "sha256:", 7) != 0 && (address || letters == n || letters > 1);
}

static bool hide_credentials(struct redaction *r)
{
    const char *s = r->s + r->at;
    size_t colon = 0, at = 0, n = 0;

    while (n < MAX_CREDENTIALS && s[n] && !isspace((unsigned char)s[n]) &&
           !strchr("\"'`<>|=&,;", s[n])) {
        if (s[n] == ':' && s[n + 1] == '/' && s[n + 2] == '/')
            return false;
        if (s[n] == ':' && !colon && !at)
            colon = n;
        if (s[n] == '@' && n > 0 && is_host(s + n + 1))
            at = n;
        n++;
    }
    /* Oracle: user/password@//host, jdbc:oracle:thin:user/password@host */
    bool jdbc = strncasecmp(s, "jdbc:oracle:", 12) == 0;
    bool oracle = at && (jdbc || (!colon && strncmp(s + at, "@//", 3) == 0));
    size_t secret = oracle ? strcspn(s, "/") + 1 : colon + 1;
    if (!at || (!oracle && !colon) || secret >= at || strncasecmp(s, "mailto:", 7) == 0 ||
        (!oracle && (memchr(s, '/', colon) || strncasecmp(s, "jdbc:", 5) == 0)))
        return false;
    if (redact_harmless(s + secret, at - secret))
        return false;
    redact_hide(r, r->at + secret, r->at + at);
    return true;
}

/* ---- the walk ---- */

static bool at_border(const struct redaction *r, bool underscore_joins)
{
    char before = r->at ? r->s[r->at - 1] : ' ';

    return !redact_is_word(before) || (before == '_' && !underscore_joins);
}

/* At the start of something that stands between blanks, quotes or brackets. */
static bool at_token(const struct redaction *r)
{
    return r->at == 0 || isspace((unsigned char)r->s[r->at - 1]) ||
           strchr("\"'`([{<=,;|", r->s[r->at - 1]);
}

static bool hide_here(struct redaction *r)
{
    const char *s = r->s + r->at;

    if (hide_remembered(r))
        return true;
    if (*s == ':' && s[1] == '/' && s[2] == '/')
        return hide_url(r);
    if (*s == '%' && strncasecmp(s, "%3a%2f%2f", 9) == 0 && hide_escaped_url(r))
        return true;
    if ((*s == '=' || *s == ':') && redact_setting(r))
        return true;
    if (*s == '>' && redact_element(r))
        return true;
    if ((*s == '(' && redact_argument(r)) || (*s == ',' && redact_pair(r)) ||
        (*s == ' ' && redact_neighbour(r)) || (*s == '%' && redact_escaped_setting(r)) ||
        (*s == '-' && s[1] == '>' && redact_arrow(r)))
        return true;
    if (*s == '-' && strncmp(s, "-----BEGIN ", 11) == 0 && redact_key_block(r))
        return true;
    if (!redact_is_word(*s) && *s != '$' && *s != '{' && *s != '-')
        return false;
    if (at_border(r, true) && redact_person(r))
        return true;
    if (at_border(r, false) && redact_token(r))
        return true;
    if (!at_border(r, true))
        return false;
    return redact_phrase(r) || (redact_is_word(*s) && at_token(r) && hide_credentials(r));
}

static void walk(struct redaction *r)
{
    while (r->at < r->len) {
        size_t before = r->at;
        if (!hide_here(r))
            r->at = before + 1;
    }
    flush(r, r->len);
}

/* ---- secrets that come up again ---- */

/* No word of a language and no name of a program: safe to hide wherever it stands. */
static bool is_unusual(const char *s, size_t n)
{
    size_t letters = 0, digits = 0, upper = 0;

    for (size_t i = 0; i < n; i++) {
        letters += (size_t)(isalpha((unsigned char)s[i]) != 0);
        digits += (size_t)(isdigit((unsigned char)s[i]) != 0);
        upper += (size_t)(i > 0 && isupper((unsigned char)s[i]));
    }
    return n >= 6 && letters && ((digits && n >= 8) || letters + digits < n || (upper && digits));
}

/* A parser that breaks a URL apart shows pieces of it (`invalid port ":secret" after host`): the
 * secret goes behind a colon, and anywhere when it is no ordinary word. */
static void hide_again(struct buf *text, size_t from, const char *secret, size_t n)
{
    struct buf out = BUF_INIT;
    size_t i = from, copied = from;
    bool unusual = is_unusual(secret, n);

    for (const char *p; (p = memmem(text->data + i, text->len - i, secret, n));) {
        size_t at = (size_t)(p - text->data);
        char before = at > from ? p[-1] : ' ', after = p[n];
        i = at + 1;
        if (redact_is_word(after) || !(before == ':' || (unusual && !redact_is_word(before))))
            continue;
        buf_add(&out, text->data + copied, at - copied);
        buf_adds(&out, REDACTED);
        i = copied = at + n;
    }
    if (out.len || copied > from) {
        buf_add(&out, text->data + copied, text->len - copied);
        buf_truncate(text, from);
        buf_add(text, out.data, out.len);
    }
    buf_clear(&out);
}

/* What a reader took over and found harmless may still hold one of our own tokens: nothing but
 * this decides that they never appear. */
static void hide_all_remembered(struct buf *text, size_t from)
{
    struct buf hidden = BUF_INIT;
    struct redaction r = {
        .s = text->data, .len = text->len, .at = from, .copied = from, .out = &hidden
    };

    while (atomic_load(&remembered) && r.at < r.len)
        if (!hide_remembered(&r))
            r.at++;
    if (hidden.len) {
        flush(&r, r.len);
        buf_truncate(text, from);
        buf_add(text, hidden.data, hidden.len);
    }
    buf_clear(&hidden);
}

/* Appends `text` without the secrets that are seen in it as it stands; true when there were some.
 */
static bool redact_once(const char *text, size_t len, struct buf *out)
{
    struct redaction r = { .s = text, .len = len, .out = out };
    size_t from = out->len;

    walk(&r);
    hide_all_remembered(out, from);
    for (size_t i = 0; i < r.n_found && out->len > from; i++) {
        size_t n = r.found[i].end - r.found[i].start;
        if (n >= 4 && n <= MAX_CREDENTIALS)
            hide_again(out, from, r.s + r.found[i].start, n);
    }
    return r.n_found > 0;
}

/* What was hidden may show something else for what it is ("sig=token=x"): done when nothing more
 * is found, which is nearly always the second time. */
void redact(const char *text, struct buf *out)
{
    size_t from = out->len;
    struct buf before = BUF_INIT;
    bool found = text && redact_once(text, strlen(text), out);

    for (int again = 0; found && again < MAX_PASSES; again++) {
        buf_reset(&before);
        buf_add(&before, out->data + from, out->len - from);
        buf_truncate(out, from);
        found = redact_once(buf_str(&before), before.len, out);
    }
    buf_clear(&before);
}

char *redact_dup(const char *text)
{
    struct buf out = BUF_INIT;

    if (!text)
        return NULL;
    redact(text, &out);
    return buf_take(&out);
}
